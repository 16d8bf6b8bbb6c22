/* A scan asks a bloom filter last, and only where it costs less than what it may save. */
#include "../../support/assembled.h"
#include "fixture.h"

#include <osdear/scan.h>

#define GROUPS 3
#define VALUES 40

/* Group g has the values 10 i + g; its filter, of one block, has none of them but `held`. */
static void add_group(osdear__assembled *file, int64_t group, int64_t held)
{
  static const uint32_t salts[] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };
  osdear__pq_bloom_choice choice = { .set = SET(1) };
  osdear__pq_bloom_header header = { .num_bytes = 32, .algorithm = &choice, .hash = &choice, .compression = &choice };
  int64_t values[VALUES];
  osdear__pq_column_chunk *chunk = assembled_chunk(file, PQ_INT64, CODEC_NONE, VALUES);
  uint32_t hash = (uint32_t)osdear__xxh64(&held, sizeof held, 0), block[8];

  for (int64_t i = 0; i < VALUES; i++)
    values[i] = 10 * i + group;
  assembled_add(file, &(assembled_page){ .type = PQ_DATA_PAGE, .values = VALUES, .encoding = PQ_PLAIN,
                                         .body = { (const char *)values, sizeof values } });
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET | COLUMN_META_BLOOM_LENGTH;
  assembled_end_group(file, VALUES);
  chunk->meta_data->bloom_filter_offset = (int64_t)file->bytes.size;
  for (int i = 0; i < 8; i++)
    block[i] = UINT32_C(1) << (hash * salts[i] >> 27);
  osdear__thrift_write(&osdear__pq_bloom_header_thrift, &header, &file->bytes);
  osdear__buf_append(&file->bytes, block, sizeof block);
  chunk->meta_data->bloom_filter_length = (int32_t)((int64_t)file->bytes.size - chunk->meta_data->bloom_filter_offset);
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
  osdear__buf_printf(&commit, PROTOCOL_LINE METADATA_LINE "{\"add\":{\"path\":\"one\",\"partitionValues\":{\"p\":\"x\"},\"size\":%zu,"
                     "\"modificationTime\":5,\"dataChange\":true}}\n", file.bytes.size);
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
