#include "bodies.h"

#include <arrow/arrow.h>
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>

/* The error by its address: it is set by the call that gives the status. */
static void must(osdear_status status, osdear_error *const *error)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(*error));
}

void prepare_context(fault_fixture *fixture)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_error *error = NULL;

  options.threads = 1;
  must(osdear_context_new(&options, &fixture->context, &error), &error);
}

void prepare_table(fault_fixture *fixture)
{
  static const char *const partition_columns[] = { "day" };
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  struct ArrowSchema schema;
  struct ArrowArrayStream rows;
  osdear_error *error = NULL;

  prepare_context(fixture);
  options.partition_columns = partition_columns;
  options.partition_count = 1;
  options.properties = &(osdear_pair){ "delta.enableChangeDataFeed", "true" };
  options.property_count = 1;
  rows_schema(&schema);
  must(osdear_table_create(fixture->context, fixture->table_uri, &schema, &options, &fixture->table, &error), &error);
  schema.release(&schema);
  rows_stream(0, BEFORE_ROWS, 4, &rows);
  must(osdear_table_append(fixture->table, &rows, NULL, NULL, &error), &error);
}

void prepare_snapshot(fault_fixture *fixture)
{
  prepare_table(fixture);
  fixture->snapshot = osdear_table_snapshot(fixture->table);
  cr_assert_not_null(fixture->snapshot);
}

void prepare_scan(fault_fixture *fixture)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_error *error = NULL;

  prepare_snapshot(fixture);
  options.where = "id >= 0 AND day >= DATE '2022-01-08'";
  must(osdear_scan_new(fixture->snapshot, &options, &fixture->scan, &error), &error);
}

osdear_status drain(struct ArrowArrayStream *stream, int64_t expected_rows, osdear_error **error)
{
  struct ArrowArray batch = { 0 };
  int64_t rows = 0;
  int failure;

  for (;;) {
    failure = stream->get_next(stream, &batch);
    if (failure || !batch.release)
      break;
    rows += batch.length;
    batch.release(&batch);
  }
  if (failure) {
    const osdear_error *cause = osdear_stream_error(stream);
    osdear_status status = osdear_error_status(cause);

    cr_assert_not_null(cause, "a stream of ours failed without saying why");
    *error = osdear__error_copy(cause);
    stream->release(stream);
    return status;
  }
  cr_assert_eq(rows, expected_rows, "%lld rows, not %lld", (long long)rows, (long long)expected_rows);
  stream->release(stream);
  return OSDEAR_OK;
}

static int64_t count_data_files(const char *folder)
{
  DIR *directory = opendir(folder);
  struct dirent *entry;
  int64_t count = 0;

  if (!directory)
    return 0;
  for (entry = readdir(directory); entry; entry = readdir(directory)) {
    char path[512];

    if (strcmp(entry->d_name, "_delta_log") == 0 || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    count += entry->d_type == DT_DIR ? count_data_files(path) : 1;
  }
  closedir(directory);
  return count;
}

static int64_t count_active_files(osdear_snapshot *snapshot)
{
  struct ArrowArrayStream files;
  osdear_error *error = NULL;

  must(osdear_snapshot_files(snapshot, NULL, &files, &error), &error);
  return rows_drain(&files, NULL);
}

int64_t table_rows(const fault_fixture *fixture)
{
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream;
  osdear_error *error = NULL;
  int64_t found;

  must(osdear_snapshot_open(fixture->context, fixture->table_uri, NULL, &snapshot, &error), &error);
  must(osdear_scan_new(snapshot, NULL, &scan, &error), &error);
  must(osdear_scan_stream(scan, &stream, &error), &error);
  found = rows_drain(&stream, NULL);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return found;
}

void expect_table(const fault_fixture *fixture, int64_t rows)
{
  osdear_snapshot *snapshot = NULL;
  osdear_error *error = NULL;
  int64_t found = table_rows(fixture);

  must(osdear_snapshot_open(fixture->context, fixture->table_uri, NULL, &snapshot, &error), &error);
  cr_assert_eq(found, rows, "%s: the table has %lld rows, not %lld", fixture->fault, (long long)found, (long long)rows);
  cr_assert_geq(count_data_files(fixture->table_uri), count_active_files(snapshot));
  if (rows == BEFORE_ROWS)
    cr_assert_eq(count_data_files(fixture->table_uri), count_active_files(snapshot), "%s: a failed write left a file behind",
                 fixture->fault);
  osdear_snapshot_unref(snapshot);
}
