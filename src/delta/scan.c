/* osdear_scan: what is asked for, checked against the table's schema before anything is read. */
#include <delta/scan.h>

#define DEFAULT_BATCH_ROWS 65536

struct osdear_scan {
  osdear__scan_plan *plan;
};

osdear__scan_plan *osdear__scan_plan_ref(osdear__scan_plan *plan)
{
  atomic_fetch_add(&plan->references, 1);
  return plan;
}

void osdear__scan_plan_unref(osdear__scan_plan *plan)
{
  if (!plan || atomic_fetch_sub(&plan->references, 1) > 1)
    return;
  osdear_snapshot_unref(plan->snapshot);
  osdear__arena_drop(&plan->arena);
  osdear__free(plan);
}

/* The type with a string in the place of every variant. */
static osdear_status variants_as_text(osdear__type *type, osdear__arena *arena, osdear_error **error)
{
  osdear__field *fields;
  osdear_status st = OSDEAR_OK;

  if (type->kind == KIND_VARIANT)
    type->kind = KIND_STRING;
  if (!type->field_count)
    return OSDEAR_OK;
  fields = osdear__arena_alloc(arena, type->field_count * sizeof *fields);
  if (!fields)
    return osdear__fail_memory(error);
  memcpy(fields, type->fields, type->field_count * sizeof *fields);
  type->fields = fields;
  for (size_t i = 0; i < type->field_count && !st; i++)
    st = variants_as_text(&fields[i].type, arena, error);
  return st;
}

static osdear_status choose_columns(osdear__scan_plan *plan, const osdear_scan_options *options, osdear_error **error)
{
  const osdear__type *schema = &plan->snapshot->metadata.schema;
  size_t count = options->columns ? options->column_count : schema->field_count;

  plan->type = (osdear__type){ .kind = KIND_STRUCT, .field_count = count };
  plan->type.fields = osdear__arena_zeroed(&plan->arena, count, sizeof *plan->type.fields);
  plan->columns = osdear__arena_zeroed(&plan->arena, count, sizeof *plan->columns);
  plan->wanted = osdear__arena_zeroed(&plan->arena, schema->field_count, sizeof *plan->wanted);
  plan->needed = osdear__arena_zeroed(&plan->arena, schema->field_count, sizeof *plan->needed);
  if (!plan->type.fields || !plan->columns || !plan->wanted || !plan->needed)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const char *name = options->columns ? options->columns[i] : schema->fields[i].name;
    int64_t at = name ? osdear__type_find(schema, osdear__str_of(name)) : -1;
    if (at < 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has no column `%s`", osdear_snapshot_uri(plan->snapshot), name ? name : "NULL");
    plan->columns[i] = (size_t)at;
    plan->wanted[at] = plan->needed[at] = true;
    plan->type.fields[i] = schema->fields[at];
  }
  return OSDEAR_OK;
}

static osdear_status make_plan(osdear__scan_plan *plan, const osdear_scan_options *options, osdear_error **error)
{
  osdear_status st = choose_columns(plan, options, error);

  if (!st && options->variant_as_json)
    st = variants_as_text(&plan->type, &plan->arena, error);
  plan->limit = options->limit;
  plan->batch_rows = options->batch_rows ? options->batch_rows : DEFAULT_BATCH_ROWS;
  if (st)
    return st;
  if (!options->where) {
    if (plan->limit > 0 && plan->limit < plan->batch_rows)
      plan->batch_rows = plan->limit; /* nothing past the limit is decoded */
    return OSDEAR_OK;
  }
  st = osdear__expr_new(options->where, &plan->snapshot->metadata.schema, &plan->arena, &plan->where, error);
  if (st)
    return st;
  if (osdear__expr_type(plan->where)->kind != KIND_BOOLEAN)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is no predicate: it is neither true nor false", options->where);
  osdear__expr_columns(plan->where, plan->needed);
  return OSDEAR_OK;
}

osdear_status osdear_scan_new(osdear_snapshot *snapshot, const osdear_scan_options *options, osdear_scan **out, osdear_error **error)
{
  osdear_scan_options known = OSDEAR_SCAN_OPTIONS_INIT;
  osdear__scan_plan *plan;
  osdear_scan *scan;
  osdear_status st;

  if (!snapshot || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "snapshot and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  if (known.limit < -1 || known.batch_rows < 0 || known.batch_rows > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "limit %" PRId64 ", batch_rows %" PRId64 ": give -1 or more, and 0 to 2147483647",
                        known.limit, known.batch_rows);
  plan = osdear__alloc_zeroed(1, sizeof *plan);
  scan = osdear__alloc(sizeof *scan);
  if (!plan || !scan) {
    osdear__free(plan);
    osdear__free(scan);
    return osdear__fail_memory(error);
  }
  atomic_init(&plan->references, 1);
  plan->snapshot = osdear_snapshot_ref(snapshot);
  st = make_plan(plan, &known, error);
  if (st) {
    osdear__scan_plan_unref(plan);
    osdear__free(scan);
    return st;
  }
  scan->plan = plan;
  *out = scan;
  return OSDEAR_OK;
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
  osdear__scan_counts *counts;

  if (!scan || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "scan and out must not be NULL");
  counts = &scan->plan->counts;
  atomic_store(&counts->files, 0);
  atomic_store(&counts->files_skipped, 0);
  atomic_store(&counts->row_groups, 0);
  atomic_store(&counts->row_groups_skipped, 0);
  atomic_store(&counts->rows, 0);
  atomic_store(&counts->bytes_read, 0);
  return osdear__scan_export(scan->plan, out, error);
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
