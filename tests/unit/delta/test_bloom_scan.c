/* A scan asks a bloom filter last, and only where it costs less than what it may save. */
#include "../../support/assembled.h"
#include "fixture.h"

#include <osdear/scan.h>

#define GROUPS 3
#define VALUES 40

/* Group g has the values 10 i + g; its filter has none of them but `held`. */
static void add_group(osdear__assembled *file, int64_t group, int64_t held)
{
  int64_t values[VALUES];
  osdear__pq_column_chunk *chunk = assembled_chunk(file, PQ_INT64, CODEC_NONE, VALUES);

  for (int64_t i = 0; i < VALUES; i++)
    values[i] = 10 * i + group;
  assembled_add(
      file, &(assembled_page){
                .type = PQ_DATA_PAGE, .values = VALUES, .encoding = PQ_PLAIN, .body = { (const char *)values, sizeof values } });
  assembled_end_group(file, VALUES);
  assembled_bloom(file, chunk, held);
}

static fixture make_table(const char *name)
{
  fixture f = fixture_open(name);
  SCOPED(assembled) file = { 0 };
  SCOPED(buf) commit = { 0 };

  assembled_start(&file, 1);
  assembled_column(&file, "a", PQ_REQUIRED, PQ_INT64);
  for (int64_t group = 0; group < GROUPS; group++)
    add_group(&file, group, 50 + group);
  assembled_finish(&file);
  cr_assert_eq(osdear__store_put(f.store, "one", file.bytes.data, file.bytes.size, NULL), OSDEAR_OK);
  osdear__buf_printf(&commit,
                     PROTOCOL_LINE METADATA_LINE "{\"add\":{\"path\":\"one\",\"partitionValues\":{\"p\":\"x\"},\"size\":%zu,"
                                                 "\"modificationTime\":5,\"dataChange\":true}}\n",
                     file.bytes.size);
  fixture_commit(&f, 0, commit.data);
  return f;
}

static int64_t rows_where(osdear_snapshot *snapshot, const char *where, osdear_scan_metrics *metrics)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };
  osdear_scan *scan = NULL;
  int64_t rows = 0;

  options.where = where;
  metrics->size = sizeof *metrics;
  cr_assert_eq(osdear_scan_new(snapshot, &options, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  while (stream.get_next(&stream, &batch) == 0 && batch.release) {
    rows += batch.length;
    batch.release(&batch);
  }
  cr_assert_null(osdear_stream_error(&stream), "%s", osdear_error_message(osdear_stream_error(&stream)));
  cr_assert_eq(osdear_scan_metrics_get(scan, metrics, NULL), OSDEAR_OK);
  stream.release(&stream);
  osdear_scan_free(scan);
  return rows;
}

Test(bloom_scan, leaves_groups_unread_whose_filter_has_not_the_value)
{
  fixture f = make_table("bloom-scan");
  osdear_snapshot *snapshot = fixture_load(&f, 0);
  osdear_scan_metrics all, one, none, kept;

  cr_assert_eq(rows_where(snapshot, NULL, &all), GROUPS * VALUES);
  cr_assert_eq(rows_where(snapshot, "a = 51", &one), 1);
  cr_assert_eq(one.row_groups_skipped, 2);
  cr_assert_eq(rows_where(snapshot, "a IN (55, 57)", &none), 0);
  cr_assert_eq(none.row_groups_skipped, GROUPS);
  cr_assert_lt(none.bytes_read, all.bytes_read);
  cr_assert_eq(rows_where(snapshot, "a IN (55, 52) OR a = 50", &kept), 2);
  cr_assert_eq(kept.row_groups_skipped, 1);
  cr_assert_eq(rows_where(snapshot, "a > 55 AND a < 60", &kept), 0);
  cr_assert_eq(kept.row_groups_skipped, 0);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}
