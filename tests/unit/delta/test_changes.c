/* Change feeds and row ids. */
#include "fixture.h"

#include <osdear/changes.h>
#include <osdear/scan.h>

#define SIX                                                                                                              \
  "\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L\"," \
  "\"sizeInBytes\":40,\"cardinality\":6}"

static void put_metadata(osdear__buf *out, const char *properties)
{
  osdear__buf_printf(
      out,
      "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":"
      "\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"p\\\",\\\"type\\\":"
      "\\\"string\\\"}]}\",\"partitionColumns\":[\"p\"],\"configuration\":{%s}}}\n",
      properties);
}

static int64_t put_rows(fixture *f, const char *path, const char *fields, int rows, const char *more)
{
  SCOPED(buf) text = { 0 };
  osdear__store_item item;

  for (int i = 0; i < rows; i++)
    osdear__buf_printf(&text, "%s{\"a\":%d%s}", i ? "," : "[", i, i == 2 ? more : "");
  osdear__buf_puts(&text, "]");
  fixture_parquet(f, path, fields, text.data, 8);
  cr_assert_eq(osdear__store_stat(f->store, path, &item, NULL), OSDEAR_OK);
  return item.size_bytes;
}

static void put_action(osdear__buf *out, const char *kind, const char *path, int64_t size, const char *more)
{
  osdear__buf_printf(out, "{\"%s\":{\"path\":\"%s\",\"partitionValues\":{\"p\":\"x\"},\"size\":%" PRId64 "%s}}\n", kind, path,
                     size, more);
}

#define CHANGED ",\"modificationTime\":5,\"dataChange\":true"
#define MOVED ",\"modificationTime\":5,\"dataChange\":false"
#define GONE ",\"dataChange\":true"

/* 0: thirty rows; 1: six of them deleted by a vector; 2: restored; 3: what a file of changes says, whatever is added beside it; 4: the
 * same rows moved to another file. */
static fixture make_feed(const char *name)
{
  fixture f = fixture_open(name);
  SCOPED(buf) text = { 0 };
  int64_t size = put_rows(&f, "f", "[{\"name\":\"a\",\"type\":\"long\"}]", 30, "");
  int64_t changes = put_rows(&f, "c", "[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"_change_type\",\"type\":\"string\"}]", 3,
                             ",\"_change_type\":\"update_postimage\"");

  osdear__buf_puts(&text, PROTOCOL_LINE);
  put_metadata(&text, "\"delta.enableChangeDataFeed\":\"true\"");
  put_action(&text, "add", "f", size, CHANGED);
  fixture_commit(&f, 0, text.data);
  osdear__buf_clear(&text);
  put_action(&text, "remove", "f", size, GONE);
  put_action(&text, "add", "f", size, CHANGED "," SIX);
  fixture_commit(&f, 1, text.data);
  osdear__buf_clear(&text);
  put_action(&text, "add", "f", size, CHANGED);
  put_action(&text, "remove", "f", size, GONE "," SIX);
  fixture_commit(&f, 2, text.data);
  osdear__buf_clear(&text);
  put_action(&text, "cdc", "c", changes, ",\"dataChange\":false");
  put_action(&text, "remove", "f", size, GONE);
  put_action(&text, "add", "g", size, CHANGED);
  fixture_commit(&f, 3, text.data);
  osdear__buf_clear(&text);
  put_action(&text, "remove", "g", size, ",\"dataChange\":false");
  put_action(&text, "add", "f", size, MOVED);
  fixture_commit(&f, 4, text.data);
  return f;
}

typedef struct told {
  osdear_status status;
  char message[300];
  int64_t rows, sum;
} told;

static void add_up(told *out, struct ArrowArrayStream *stream)
{
  struct ArrowArray batch = { 0 };

  while (stream->get_next(stream, &batch) == 0 && batch.release) {
    out->rows += batch.length;
    for (int64_t i = 0; i < batch.length; i++)
      out->sum += osdear__is_valid(batch.children[0], i) ? ((const int64_t *)batch.children[0]->buffers[1])[i] : 0;
    batch.release(&batch);
  }
  if (osdear_stream_error(stream)) {
    out->status = osdear_error_status(osdear_stream_error(stream));
    strncpy(out->message, osdear_error_message(osdear_stream_error(stream)), sizeof out->message - 1);
  }
  stream->release(stream);
}

static told ask(fixture *f, int64_t from, int64_t to, const char *where)
{
  static const char *const columns[] = { "a" };
  osdear_changes_options options = { sizeof options, from, to, columns, 1, where, 0 };
  osdear_table *table = NULL;
  struct ArrowArrayStream stream = { 0 };
  osdear_error *error = NULL;
  told out = { 0 };

  cr_assert_eq(osdear_table_open(f->context, f->uri, NULL, &table, NULL), OSDEAR_OK);
  out.status = osdear_table_changes(table, &options, &stream, &error);
  if (!out.status)
    add_up(&out, &stream);
  else
    strncpy(out.message, osdear_error_message(error), sizeof out.message - 1);
  osdear_error_free(error);
  osdear_table_free(table);
  return out;
}

static void expect(fixture *f, int64_t from, int64_t to, const char *where, int64_t rows, int64_t sum)
{
  told got = ask(f, from, to, where);

  cr_assert_eq(got.status, OSDEAR_OK, "%s", got.message);
  cr_assert_eq(got.rows, rows, "%s: %d rows", where, (int)got.rows);
  cr_assert_eq(got.sum, sum, "%s: sum %d", where, (int)got.sum);
}

Test(changes, follow_from_files_and_vectors)
{
  fixture f = make_feed("changes-feed");

  expect(&f, 0, 0, "_change_type = 'insert'", 30, 435);
  expect(&f, 1, 1, NULL, 6, 72);
  expect(&f, 1, 1, "_change_type = 'delete'", 6, 72);
  expect(&f, 2, 2, "_change_type = 'insert'", 6, 72);
  expect(&f, 2, 2, "_change_type <> 'insert'", 0, 0);
  expect(&f, 0, 2, "_commit_version >= 1 AND a > 10 AND p = 'x'", 6, 2 * (11 + 18 + 29));
  fixture_close(&f);
}

Test(changes, a_file_of_changes_tells_all)
{
  fixture f = make_feed("changes-file");

  expect(&f, 3, 3, NULL, 3, 0 + 1 + 2);
  expect(&f, 3, 3, "_change_type = 'update_postimage'", 1, 2);
  expect(&f, 4, 4, NULL, 0, 0); /* rows that moved did not change */
  expect(&f, 0, -1, NULL, 30 + 6 + 6 + 3, 435 + 72 + 72 + 3);
  fixture_close(&f);
}

static void expect_refused(fixture *f, int64_t from, int64_t to, osdear_status status, const char *words)
{
  told got = ask(f, from, to, NULL);

  cr_assert_eq(got.status, status, "%s: %s", words, got.message);
  cr_assert(strstr(got.message, words), "%s: %s", words, got.message);
}

Test(changes, versions_without_a_feed_are_refused_by_number)
{
  fixture f = make_feed("changes-off");
  SCOPED(buf) text = { 0 };

  put_metadata(&text, "");
  fixture_commit(&f, 5, text.data);
  osdear__buf_clear(&text);
  put_metadata(&text, "\"delta.enableChangeDataFeed\":\"true\"");
  fixture_commit(&f, 6, text.data);
  expect_refused(&f, 0, 6, OSDEAR_ERR_UNSUPPORTED, "version 5 has no change feed");
  expect_refused(&f, 5, 6, OSDEAR_ERR_UNSUPPORTED, "version 5 has no change feed");
  expect(&f, 6, 6, NULL, 0, 0);
  expect_refused(&f, 3, 2, OSDEAR_ERR_ARGUMENT, "from version 3 to 2");
  expect_refused(&f, 0, 9, OSDEAR_ERR_NOT_FOUND, "version 9");
  fixture_close(&f);
}

Test(changes, columns_that_the_last_version_lacks_are_refused)
{
  fixture f = make_feed("changes-columns");

  fixture_commit(
      &f, 5,
      "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\","
      "\\\"fields\\\":[{\\\"name\\\":\\\"b\\\",\\\"type\\\":\\\"long\\\"},{\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"integer\\\"},"
      "{\\\"name\\\":\\\"p\\\",\\\"type\\\":\\\"string\\\"}]}\",\"partitionColumns\":[\"p\"],\"configuration\":"
      "{\"delta.enableChangeDataFeed\":\"true\"}}}\n");
  expect_refused(&f, 3, 5, OSDEAR_ERR_UNSUPPORTED, "version 3 has columns that version 5 lacks");
  fixture_close(&f);
}

#define FIELD(name, id, physical)                                                                                 \
  "{\\\"name\\\":\\\"" name "\\\",\\\"type\\\":\\\"long\\\",\\\"metadata\\\":{\\\"delta.columnMapping.id\\\":" id \
  ",\\\"delta.columnMapping.physicalName\\\":\\\"" physical "\\\"}}"
#define BOTH FIELD("a", "1", "a") "," FIELD("b", "2", "b")

static void put_columns(fixture *f, int64_t version, const char *fields, const char *partitions, const char *mode)
{
  SCOPED(buf) text = { 0 };

  osdear__buf_puts(&text, "{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n");
  osdear__buf_printf(&text,
                     "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":\"{\\\"type\\\":"
                     "\\\"struct\\\",\\\"fields\\\":[%s]}\",\"partitionColumns\":[%s],\"configuration\":"
                     "{\"delta.enableChangeDataFeed\":\"true\",\"delta.columnMapping.mode\":\"%s\"}}}\n",
                     fields, partitions, mode);
  fixture_commit(f, version, text.data);
}

/* Two versions of a table without rows, and the feed over both: it is read, or refused. */
static void expect_step(const char *before, const char *mode_before, const char *after, const char *mode_after, bool is_read)
{
  fixture f = fixture_open("changes-step");

  put_columns(&f, 0, before, "", mode_before);
  put_columns(&f, 1, after, "", mode_after);
  if (is_read)
    expect(&f, 0, 1, NULL, 0, 0);
  else
    expect_refused(&f, 0, 1, OSDEAR_ERR_UNSUPPORTED, "read their changes apart");
  expect(&f, 1, 1, NULL, 0, 0);
  fixture_close(&f);
}

/* As Spark does: what came later may be told as null; what went, or has another name now, cannot be told. */
Test(changes, may_cross_what_adds_columns_and_nothing_else)
{
  expect_step(BOTH, "name", BOTH "," FIELD("c", "3", "c"), "name", true);
  expect_step(BOTH, "none", BOTH "," FIELD("c", "3", "x"), "name", true);
  expect_step(BOTH, "name", FIELD("a", "1", "a") "," FIELD("z", "2", "b"), "name", false);
  expect_step(BOTH, "name", FIELD("a", "1", "a"), "name", false);
  expect_step(BOTH, "name", FIELD("a", "1", "a") "," FIELD("b", "3", "new"), "name", false);
  expect_step(BOTH, "none", FIELD("a", "1", "a") "," FIELD("z", "2", "b"), "name", false);
  expect_step(BOTH, "name", BOTH, "none", false);
  expect_step(BOTH, "name", BOTH, "id", false);
}

Test(changes, do_not_cross_other_partitions)
{
  fixture f = fixture_open("changes-partitions");

  put_columns(&f, 0, BOTH, "\"a\"", "none");
  put_columns(&f, 1, BOTH, "\"b\"", "none");
  put_columns(&f, 2, BOTH, "\"b\",\"a\"", "none");
  expect_refused(&f, 0, 1, OSDEAR_ERR_UNSUPPORTED, "other partition columns");
  expect_refused(&f, 1, 2, OSDEAR_ERR_UNSUPPORTED, "other partition columns");
  fixture_close(&f);
}

/* Spark may rewrite files in a merge that changes no row, and writes no file of changes then. */
Test(changes, of_a_merge_that_did_nothing_are_none)
{
  fixture f = make_feed("changes-merge");
  SCOPED(buf) text = { 0 };
  osdear__store_item item;

  cr_assert_eq(osdear__store_stat(f.store, "f", &item, NULL), OSDEAR_OK);
  for (int i = 0; i < 2; i++) {
    osdear__buf_clear(&text);
    osdear__buf_printf(&text,
                       "{\"commitInfo\":{\"operation\":\"MERGE\",\"operationMetrics\":{\"numTargetRowsInserted\":\"0\","
                       "\"numTargetRowsUpdated\":\"%d\",\"numTargetRowsDeleted\":\"0\"}}}\n",
                       i);
    put_action(&text, "remove", "f", item.size_bytes, GONE);
    fixture_commit(&f, 5 + i, text.data);
  }
  expect(&f, 5, 5, NULL, 0, 0);
  expect(&f, 6, 6, NULL, 30, 435);
  fixture_close(&f);
}

/* ---- row ids ---- */

static told scan_ids(fixture *f, const char *where, const char *column)
{
  osdear_scan_options options = { sizeof options, &column, 1, where, -1, 7, 0, 1 };
  osdear_snapshot *snapshot = fixture_load(f, -1);
  osdear_scan *scan = NULL;
  osdear_error *error = NULL;
  struct ArrowArrayStream stream = { 0 };
  told out = { .status = osdear_scan_new(snapshot, &options, &scan, &error) };

  if (error)
    strncpy(out.message, osdear_error_message(error), sizeof out.message - 1);
  if (!out.status) {
    cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
    add_up(&out, &stream);
  }
  osdear_error_free(error);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  return out;
}

/* Rows have the id they carry, others count from the file's base, deleted ones included. */
Test(row_ids, count_from_the_base_by_place_unless_a_row_carries_its_own)
{
  fixture f = fixture_open("row-ids");
  SCOPED(buf) text = { 0 };
  int64_t size =
      put_rows(&f, "f", "[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"_id_\",\"type\":\"long\"}]", 30, ",\"_id_\":5000");
  told ids;

  osdear__buf_puts(&text, PROTOCOL_LINE);
  put_metadata(&text, "\"delta.enableRowTracking\":\"true\",\"delta.rowTracking.materializedRowIdColumnName\":\"_id_\"");
  put_action(&text, "add", "f", size, CHANGED ",\"baseRowId\":1000,\"defaultRowCommitVersion\":7," SIX);
  fixture_commit(&f, 0, text.data);
  ids = scan_ids(&f, NULL, "_row_id");
  cr_assert_eq(ids.status, OSDEAR_OK, "%s", ids.message);
  cr_assert_eq(ids.rows, 24);
  cr_assert_eq(ids.sum, 23 * 1000 + (435 - 72 - 2) + 5000);
  ids = scan_ids(&f, "_row_id >= 1020", "_row_commit_version");
  cr_assert_eq(ids.rows, 10); /* 1020 to 1028, and 5000 */
  cr_assert_eq(ids.sum, 70);
  fixture_close(&f);
}

Test(row_ids, are_refused_where_rows_are_not_tracked)
{
  fixture f = make_feed("row-ids-none");
  told ids = scan_ids(&f, NULL, "a");

  cr_assert_eq(ids.status, OSDEAR_ERR_ARGUMENT);
  cr_assert(strstr(ids.message, "delta.enableRowTracking"), "%s", ids.message);
  fixture_close(&f);
}
