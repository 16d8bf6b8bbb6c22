#include "bodies.h"

#include <criterion/criterion.h>

static osdear_status open_snapshot(fault_fixture *fixture, osdear_error **error)
{
  osdear_snapshot *snapshot = NULL;
  osdear_status status = osdear_snapshot_open(fixture->context, fixture->table_uri, NULL, &snapshot, error);

  cr_assert_eq(status == OSDEAR_OK, snapshot != NULL);
  osdear_snapshot_unref(snapshot);
  return status;
}
BODY(osdear_snapshot_open, .prepare = prepare_table, .run = open_snapshot)

static osdear_status snapshot_schema(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowSchema schema = { 0 };
  osdear_status status = osdear_snapshot_schema(fixture->snapshot, &schema, error);

  cr_assert_eq(status == OSDEAR_OK, schema.release != NULL);
  if (schema.release)
    schema.release(&schema);
  return status;
}
BODY(osdear_snapshot_schema, .prepare = prepare_snapshot, .run = snapshot_schema)

static osdear_status snapshot_files(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status status = osdear_snapshot_files(fixture->snapshot, "day = DATE '2022-01-08'", &stream, error);

  cr_assert_eq(status == OSDEAR_OK, stream.release != NULL);
  return status == OSDEAR_OK ? drain(&stream, 1, error) : status;
}
BODY(osdear_snapshot_files, .prepare = prepare_snapshot, .run = snapshot_files)

static osdear_status new_scan(fault_fixture *fixture, osdear_error **error)
{
  static const char *const columns[] = { "NAME", "id" };
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_scan *scan = NULL;
  osdear_status status;

  options.columns = columns;
  options.column_count = 2;
  options.where = "id IN (1, 2, 3) AND name LIKE 'name-%' OR day BETWEEN DATE '2022-01-01' AND DATE '2022-02-01'";
  status = osdear_scan_new(fixture->snapshot, &options, &scan, error);
  cr_assert_eq(status == OSDEAR_OK, scan != NULL);
  osdear_scan_free(scan);
  return status;
}
BODY(osdear_scan_new, .prepare = prepare_snapshot, .run = new_scan)

static osdear_status scan_schema(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowSchema schema = { 0 };
  osdear_status status = osdear_scan_schema(fixture->scan, &schema, error);

  cr_assert_eq(status == OSDEAR_OK, schema.release != NULL);
  if (schema.release)
    schema.release(&schema);
  return status;
}
BODY(osdear_scan_schema, .prepare = prepare_scan, .run = scan_schema)

static osdear_status scan_stream(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status status = osdear_scan_stream(fixture->scan, &stream, error);

  cr_assert_eq(status == OSDEAR_OK, stream.release != NULL);
  return status == OSDEAR_OK ? drain(&stream, BEFORE_ROWS, error) : status;
}
BODY(osdear_scan_stream, .prepare = prepare_scan, .run = scan_stream)

static osdear_status scan_metrics(fault_fixture *fixture, osdear_error **error)
{
  osdear_scan_metrics metrics = { .size = sizeof metrics };

  return osdear_scan_metrics_get(fixture->scan, &metrics, error);
}
BODY(osdear_scan_metrics_get, .prepare = prepare_scan, .run = scan_metrics)

static osdear_status open_table(fault_fixture *fixture, osdear_error **error)
{
  osdear_table *table = NULL;
  osdear_status status = osdear_table_open(fixture->context, fixture->table_uri, NULL, &table, error);

  cr_assert_eq(status == OSDEAR_OK, table != NULL);
  osdear_table_free(table);
  return status;
}
BODY(osdear_table_open, .prepare = prepare_table, .run = open_table)

static osdear_status read_changes(fault_fixture *fixture, osdear_error **error)
{
  osdear_changes_options options = OSDEAR_CHANGES_OPTIONS_INIT;
  struct ArrowArrayStream stream = { 0 };
  osdear_status status;

  options.where = "_change_type = 'insert' AND id < 100";
  status = osdear_table_changes(fixture->table, &options, &stream, error);
  cr_assert_eq(status == OSDEAR_OK, stream.release != NULL);
  return status == OSDEAR_OK ? drain(&stream, BEFORE_ROWS, error) : status;
}
BODY(osdear_table_changes, .prepare = prepare_table, .run = read_changes)

static osdear_status read_history(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status status = osdear_table_history(fixture->table, -1, &stream, error);

  cr_assert_eq(status == OSDEAR_OK, stream.release != NULL);
  return status == OSDEAR_OK ? drain(&stream, 2, error) : status;
}
BODY(osdear_table_history, .prepare = prepare_table, .run = read_history)
