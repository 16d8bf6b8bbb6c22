/* Scans of files that ask for more than pages: bloom filters, page indexes, days of the hybrid calendar, texts that are padded; and a
 * checkpoint that is held against a checksum. */
#include "../support/assembled.h"
#include "bodies.h"

#include <criterion/criterion.h>
#include <delta/delta.h>

#include <stdio.h>

enum { VALUES = 40, GROUPS = 3, APART = 1 << 20, ROWS = 12, PAGE_ROWS = 3 };

#define LOG_START(fields)                                                                                                                \
  "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\"}," \
  "\"partitionColumns\":[],\"configuration\":{},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[" fields                 \
  "]}\"}}\n"
#define FIELD(name, type, metadata) \
  "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"" type "\\\",\\\"nullable\\\":true,\\\"metadata\\\":{" metadata "}}"

#define WORKS(call) cr_assert_eq((call), OSDEAR_OK, "%s", #call)

static osdear__store *open_store(fault_fixture *fixture)
{
  osdear__store *store = NULL;

  prepare_context(fixture);
  WORKS(osdear__store_open(fixture->context, fixture->table_uri, NULL, 0, &store, NULL));
  return store;
}

/* A commit that adds the file `data`, and a scan of the table. */
static void open_scan(fault_fixture *fixture, osdear__store *store, const char *start, const char *where)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear__store_item item;
  SCOPED(buf) commit = { 0 };

  WORKS(osdear__store_stat(store, "data", &item, NULL));
  osdear__buf_printf(
      &commit,
      "%s{\"add\":{\"path\":\"data\",\"partitionValues\":{},\"size\":%lld,\"modificationTime\":5,\"dataChange\":true}}\n", start,
      (long long)item.size_bytes);
  WORKS(osdear__store_put(store, "_delta_log/00000000000000000000.json", commit.data, commit.size, NULL));
  WORKS(osdear_snapshot_open(fixture->context, fixture->table_uri, NULL, &fixture->snapshot, NULL));
  options.where = where;
  WORKS(osdear_scan_new(fixture->snapshot, &options, &fixture->scan, NULL));
}

static osdear_status run_scan(fault_fixture *fixture, int64_t rows, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status status = osdear_scan_stream(fixture->scan, &stream, error);

  return status == OSDEAR_OK ? drain(&stream, rows, error) : status;
}

/* ---- bloom filters ---- */

static void prepare_bloom(fault_fixture *fixture)
{
  SCOPED(assembled) file = { 0 };
  AUTO(store) store = open_store(fixture);

  assembled_start(&file, 1);
  assembled_column(&file, "a", PQ_REQUIRED, PQ_INT64);
  for (int64_t group = 0; group < GROUPS; group++) {
    osdear__pq_column_chunk *chunk = assembled_chunk(&file, PQ_INT64, CODEC_NONE, VALUES);
    int64_t values[VALUES];

    for (int64_t i = 0; i < VALUES; i++)
      values[i] = 10 * i + group;
    assembled_add(&file, &(assembled_page){ .type = PQ_DATA_PAGE,
                                            .values = VALUES,
                                            .encoding = PQ_PLAIN,
                                            .body = { (const char *)values, sizeof values } });
    assembled_end_group(&file, VALUES);
    assembled_bloom(&file, chunk, 50 + group);
  }
  cr_assert_not_null(osdear__buf_reserve(&file.bytes, APART)); /* lest the filters come in with the footer */
  memset(file.bytes.data + file.bytes.size, 0, APART);
  file.bytes.size += APART;
  assembled_finish(&file);
  WORKS(osdear__store_put(store, "data", file.bytes.data, file.bytes.size, NULL));
  open_scan(fixture, store, LOG_START(FIELD("a", "long", "")), "a IN (51, 77)");
}

static osdear_status scan_by_bloom(fault_fixture *fixture, osdear_error **error)
{
  return run_scan(fixture, 1, error);
}

/* A filter that cannot be read is only not asked, hence once without faults. */
static void prepare_asked_bloom(fault_fixture *fixture)
{
  osdear_scan_metrics metrics = { .size = sizeof metrics };
  osdear_error *error = NULL;

  prepare_bloom(fixture);
  WORKS(scan_by_bloom(fixture, &error));
  WORKS(osdear_scan_metrics_get(fixture->scan, &metrics, NULL));
  cr_assert_eq(metrics.row_groups_skipped, GROUPS - 1, "no filter was asked");
}

Test(fault_scan, asks_bloom_filters, .timeout = 600)
{
  static const fault_body body = { "osdear_scan_stream", .prepare = prepare_asked_bloom, .run = scan_by_bloom };

  fault_replay(&body);
}

/* ---- page indexes, calendars, padding ---- */

static void write_file(osdear_context *context, osdear__store *store)
{
  static osdear__field fields[] = {
    { "id", true, -1, NULL, { .kind = KIND_LONG } },
    { "d", true, -1, NULL, { .kind = KIND_DATE } },
    { "c", true, -1, NULL, { .kind = KIND_STRING } },
  };
  static const osdear_pair notes[] = { { "org.apache.spark.version", "4.2.0" },
                                       { "org.apache.spark.legacyDateTime", "" },
                                       { "org.apache.spark.timeZone", "America/Los_Angeles" } };
  const osdear__type type = { .kind = KIND_STRUCT, .field_count = COUNT_OF(fields), .fields = fields };
  osdear__parquet_write options;
  SCOPED(array) batch = { 0 };
  AUTO(builder) builder = NULL;
  AUTO(output) output = NULL;
  AUTO(parquet_writer) writer = NULL;

  WORKS(osdear__builder_new(&type, &builder, NULL));
  for (int64_t row = 0; row < ROWS; row++) {
    WORKS(osdear__builder_i64(osdear__builder_child(builder, 0), row, NULL));
    WORKS(osdear__builder_i64(osdear__builder_child(builder, 1), -200000 - row, NULL));
    WORKS(osdear__builder_bytes(osdear__builder_child(builder, 2), STR("a"), NULL));
    WORKS(osdear__builder_close(builder, NULL));
  }
  WORKS(osdear__builder_finish(builder, &batch, NULL));
  osdear__parquet_write_init(&options);
  options.page_rows = PAGE_ROWS;
  options.metadata = notes;
  options.metadata_count = COUNT_OF(notes);
  WORKS(osdear__store_create(store, "data", &output, NULL));
  WORKS(osdear__parquet_writer_new(context, output, &type, &options, &writer, NULL));
  WORKS(osdear__parquet_writer_add(writer, &batch, NULL));
  WORKS(osdear__parquet_writer_finish(writer, NULL));
  WORKS(output->finish(output, NULL));
}

static void prepare_pages(fault_fixture *fixture)
{
  AUTO(store) store = open_store(fixture);

  write_file(fixture->context, store);
  open_scan(fixture, store,
            LOG_START(FIELD("id", "long", "") "," FIELD("d", "date", "") "," FIELD(
                "c", "string", "\\\"__CHAR_VARCHAR_TYPE_STRING\\\":\\\"char(3)\\\"")),
            "id >= 4 AND id <> 7 AND d < DATE '1500-01-01' AND c = 'a'");
}

static osdear_status scan_by_pages(fault_fixture *fixture, osdear_error **error)
{
  return run_scan(fixture, ROWS - 5, error);
}

Test(fault_scan, reads_page_indexes_and_counts_in_the_hybrid_calendar, .timeout = 600)
{
  static const fault_body body = { "osdear_scan_stream", .prepare = prepare_pages, .run = scan_by_pages };

  fault_replay(&body);
}

/* ---- checksums ---- */

static void prepare_checksum(fault_fixture *fixture)
{
  static const char text[] =
      "{\"numFiles\":1,\"tableSizeBytes\":5,\"protocol\":{\"minReaderVersion\":7},\"metadata\":{\"id\":\"other\"}}";
  osdear__store *store = NULL;

  prepare_table(fixture);
  WORKS(osdear__store_open(fixture->context, fixture->table_uri, NULL, 0, &store, NULL));
  WORKS(osdear__store_put(store, "_delta_log/00000000000000000001.crc", text, sizeof text - 1, NULL));
  osdear__store_unref(store);
}

static osdear_status write_checkpoint(fault_fixture *fixture, osdear_error **error)
{
  return osdear_table_checkpoint(fixture->table, error);
}

static void check_unchanged(fault_fixture *fixture, osdear_status status)
{
  (void)status;
  expect_table(fixture, BEFORE_ROWS);
}

Test(fault_scan, holds_a_checkpoint_against_a_checksum, .timeout = 600)
{
  static const fault_body body = { "osdear_table_checkpoint", .prepare = prepare_checksum, .run = write_checkpoint,
                                   .check = check_unchanged, .changes_state = 1 };

  fault_replay(&body);
}
