/* osdear_scan: the rows of a snapshot. */
#include <delta/scan.h>

struct osdear_scan {
  osdear__scan_plan *plan;
};

osdear_status osdear_scan_new(osdear_snapshot *snapshot, const osdear_scan_options *options, osdear_scan **out,
                              osdear_error **error)
{
  osdear_scan_options known = OSDEAR_SCAN_OPTIONS_INIT;
  osdear__scan_request request;
  osdear_scan *scan;
  osdear_status st;

  if (!snapshot || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "snapshot and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  request = (osdear__scan_request){ known.row_ids ? SCAN_ROW_IDS : SCAN_ROWS,
                                    known.columns,
                                    known.column_count,
                                    known.where,
                                    known.limit,
                                    known.batch_rows,
                                    known.variant_as_json };
  scan = osdear__alloc_zeroed(1, sizeof *scan);
  if (!scan)
    return osdear__fail_memory(error);
  st = osdear__scan_plan_new(snapshot, &request, &scan->plan, error);
  if (st)
    osdear__free(scan);
  else
    *out = scan;
  return st;
}

void osdear_scan_free(osdear_scan *scan)
{
  if (!scan)
    return;
  osdear__scan_plan_unref(scan->plan);
  osdear__free(scan);
}

osdear_status osdear_scan_schema(const osdear_scan *scan, struct ArrowSchema *out, osdear_error **error)
{
  if (!scan || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "scan and out must not be NULL");
  return osdear__schema_export(&scan->plan->type, out, error);
}

osdear_status osdear_scan_stream(osdear_scan *scan, struct ArrowArrayStream *out, osdear_error **error)
{
  osdear__scan_source source;
  osdear__scan_counts *counts;
  osdear_status st;

  if (!scan || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "scan and out must not be NULL");
  counts = &scan->plan->counts;
  atomic_store(&counts->files, 0);
  atomic_store(&counts->files_skipped, 0);
  atomic_store(&counts->row_groups, 0);
  atomic_store(&counts->row_groups_skipped, 0);
  atomic_store(&counts->rows, 0);
  atomic_store(&counts->bytes_read, 0);
  st = osdear__scan_files(scan->plan, &source, error);
  return st ? st : osdear__scan_export(scan->plan, &source, out, error);
}

osdear_status osdear_scan_metrics_get(const osdear_scan *scan, osdear_scan_metrics *out, osdear_error **error)
{
  osdear_scan_metrics known = { .size = sizeof known };
  osdear__scan_counts *counts;

  if (!scan || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "scan and out must not be NULL");
  counts = &scan->plan->counts;
  known.files = atomic_load(&counts->files);
  known.files_skipped = atomic_load(&counts->files_skipped);
  known.row_groups = atomic_load(&counts->row_groups);
  known.row_groups_skipped = atomic_load(&counts->row_groups_skipped);
  known.rows = atomic_load(&counts->rows);
  known.bytes_read = atomic_load(&counts->bytes_read);
  return osdear__result_write(out, &known, sizeof known, error);
}
