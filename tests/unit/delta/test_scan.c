/* Scans: which columns and rows come out, in which order, what is left unread, and what is told when files are wrong. */
#include "fixture.h"

#include <osdear/scan.h>

#include <stdlib.h>

#define ROWS 240

/* k: 0, 1, 2, … over all files; n: k / 10, null at every 13th; s: text of k; d: k / 4 or NaN at every 17th; st.x: k; p: of the file. */
static osdear__field inner_fields[] = { { "x", true, -1, NULL, { .kind = KIND_LONG } } };
static osdear__field table_fields[] = {
  { "k", true, -1, NULL, { .kind = KIND_LONG } },
  { "n", true, -1, NULL, { .kind = KIND_INTEGER } },
  { "p", true, -1, NULL, { .kind = KIND_STRING } },
  { "s", true, -1, NULL, { .kind = KIND_STRING } },
  { "d", true, -1, NULL, { .kind = KIND_DOUBLE } },
  { "st", true, -1, NULL, { .kind = KIND_STRUCT, .field_count = 1, .fields = inner_fields } },
  { "late", true, -1, NULL, { .kind = KIND_INTEGER } }, /* in no file */
};
static const osdear__type table_type = { .kind = KIND_STRUCT, .field_count = COUNT_OF(table_fields), .fields = table_fields };

static void add_value(osdear__builder *builder, int64_t k, size_t column)
{
  char text[32];
  size_t size = osdear__format_i64(1000 + k, text);
  if (column == 1 && k % 13 == 0)
    cr_assert_eq(osdear__builder_null(builder, NULL), OSDEAR_OK);
  else if (column == 0 || column == 1)
    cr_assert_eq(osdear__builder_i64(builder, column == 0 ? k : k / 10, NULL), OSDEAR_OK);
  else if (column == 3)
    cr_assert_eq(osdear__builder_bytes(builder, (osdear__str){ text, size }, NULL), OSDEAR_OK);
  else if (column == 4)
    cr_assert_eq(osdear__builder_f64(builder, k % 17 == 0 ? __builtin_nan("") : (double)k / 4, NULL), OSDEAR_OK);
  else
    cr_assert_eq(osdear__builder_i64(osdear__builder_child(builder, 0), k, NULL), OSDEAR_OK);
  if (column == 5)
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
}

/* Row groups of 40 rows, pages of 10. */
static int64_t put_file(fixture *f, const char *path, int64_t first, int64_t count)
{
  static const size_t stored[] = { 0, 1, 3, 4, 5 };
  osdear__field fields[COUNT_OF(stored)];
  osdear__type type = { .kind = KIND_STRUCT, .field_count = COUNT_OF(stored), .fields = fields };
  osdear__parquet_write options;
  AUTO(builder) builder = NULL;
  AUTO(output) output = NULL;
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) batch = { 0 };

  for (size_t i = 0; i < COUNT_OF(stored); i++)
    fields[i] = table_fields[stored[i]];
  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  for (int64_t k = first; k < first + count; k++) {
    for (size_t i = 0; i < COUNT_OF(stored); i++)
      add_value(osdear__builder_child(builder, i), k, stored[i]);
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, &batch, NULL), OSDEAR_OK);
  osdear__parquet_write_init(&options);
  options.row_group_rows = 40;
  options.page_rows = 10;
  cr_assert_eq(osdear__store_create(f->store, path, &output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(f->context, output, &type, &options, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &batch, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert_eq(output->finish(output, NULL), OSDEAR_OK);
  return output->written;
}

static void put_metadata(osdear__buf *out)
{
  SCOPED(buf) schema = { 0 };
  osdear__delta_schema_print(&table_type, &schema);
  osdear__buf_puts(out, PROTOCOL_LINE
                   "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"");
  for (size_t i = 0; i < schema.size; i++) {
    if (schema.data[i] == '"' || schema.data[i] == '\\')
      osdear__buf_putc(out, '\\');
    osdear__buf_putc(out, schema.data[i]);
  }
  osdear__buf_puts(out, "\",\"partitionColumns\":[\"p\"],\"configuration\":{},\"createdTime\":0}}\n");
}

/* Three files of 80 rows: p is "one", "two", and null. Statistics of the log only for the first: k's bounds. */
static fixture make_table(const char *name)
{
  static const char *const partitions[] = { "\"one\"", "\"two\"", "null" };
  fixture f = fixture_open(name);
  SCOPED(buf) commit = { 0 };
  put_metadata(&commit);
  for (int i = 0; i < 3; i++) {
    char path[16] = "file0.parquet";
    path[4] = (char)('0' + i);
    int64_t size = put_file(&f, path, i * 80, 80);
    osdear__buf_printf(&commit, "{\"add\":{\"path\":\"%s\",\"partitionValues\":{\"p\":%s},\"size\":%" PRId64, path, partitions[i],
                       size);
    osdear__buf_puts(&commit, ",\"modificationTime\":5,\"dataChange\":true");
    if (i == 0)
      osdear__buf_puts(&commit,
                       ",\"stats\":\"{\\\"numRecords\\\":80,\\\"minValues\\\":{\\\"k\\\":0},\\\"maxValues\\\":{\\\"k\\\":79},"
                       "\\\"nullCount\\\":{\\\"k\\\":0}}\"");
    osdear__buf_puts(&commit, "}}\n");
  }
  fixture_commit(&f, 0, commit.data);
  return f;
}

static osdear_snapshot *open_with(const fixture *f, int32_t threads, int64_t budget, osdear_cancel *cancel)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_snapshot *snapshot = NULL;
  options.threads = threads;
  options.memory_budget_bytes = budget;
  options.cancel = cancel;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_snapshot_open(context, f->uri, NULL, &snapshot, NULL), OSDEAR_OK);
  osdear_context_unref(context);
  return snapshot;
}

typedef struct outcome {
  osdear_status status;
  char message[400];
  int64_t keys[ROWS * 2]; /* of k, if that is the result's first column */
  int64_t count, batches, longest;
  osdear_scan_metrics metrics;
} outcome;

static void take_keys(outcome *o, const struct ArrowArray *batch)
{
  const int64_t *keys = batch->n_children > 0 ? batch->children[0]->buffers[1] : NULL;
  for (int64_t i = 0; i < batch->length; i++) {
    cr_assert_lt(o->count, ROWS * 2);
    o->keys[o->count++] = keys ? keys[i] : -1;
  }
  o->batches++;
  if (batch->length > o->longest)
    o->longest = batch->length;
}

static outcome run(osdear_snapshot *snapshot, const osdear_scan_options *options)
{
  outcome o = { .metrics = { .size = sizeof o.metrics } };
  osdear_scan *scan = NULL;
  osdear_error *error = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };

  o.status = osdear_scan_new(snapshot, options, &scan, &error);
  if (!o.status)
    o.status = osdear_scan_stream(scan, &stream, &error);
  while (!o.status) {
    int number = stream.get_next(&stream, &batch);
    if (number) {
      o.status = osdear_error_status(osdear_stream_error(&stream));
      strncpy(o.message, osdear_error_message(osdear_stream_error(&stream)), sizeof o.message - 1);
      cr_assert_neq(o.status, OSDEAR_OK);
    }
    if (number || !batch.release)
      break;
    take_keys(&o, &batch);
    batch.release(&batch);
  }
  if (error)
    strncpy(o.message, osdear_error_message(error), sizeof o.message - 1);
  if (scan)
    cr_assert_eq(osdear_scan_metrics_get(scan, &o.metrics, NULL), OSDEAR_OK);
  osdear_scan_free(scan);
  osdear__stream_drop(&stream);
  osdear_error_free(error);
  return o;
}

static outcome scan_where(osdear_snapshot *snapshot, const char *where)
{
  static const char *const columns[] = { "k" };
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  options.where = where;
  options.columns = columns;
  options.column_count = 1;
  return run(snapshot, &options);
}

/* ---- columns and order ---- */

Test(scan, all_rows_come_in_the_order_of_files_whatever_the_threads)
{
  fixture f = make_table("scan-order");
  static const int32_t threads[] = { 1, 2, 7 };
  for (size_t t = 0; t < COUNT_OF(threads); t++) {
    osdear_snapshot *snapshot = open_with(&f, threads[t], 0, NULL);
    for (int round = 0; round < 20; round++) {
      outcome o = scan_where(snapshot, NULL);
      cr_assert_eq(o.status, OSDEAR_OK, "%s", o.message);
      cr_assert_eq(o.count, ROWS);
      for (int64_t i = 0; i < o.count; i++)
        cr_assert_eq(o.keys[i], o.keys[i - i % 80] + i % 80);
      cr_assert_eq(o.metrics.rows, ROWS);
      cr_assert_eq(o.metrics.files, 3);
      cr_assert_eq(o.metrics.row_groups, 6);
      cr_assert_eq(o.metrics.row_groups_skipped, 0);
    }
    osdear_snapshot_unref(snapshot);
  }
  fixture_close(&f);
}

Test(scan, columns_come_as_they_were_asked_for)
{
  static const char *const columns[] = { "S", "p", "late", "k", "s" };
  fixture f = make_table("scan-columns");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_scan *scan = NULL;
  struct ArrowSchema schema = { 0 };
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };

  options.columns = columns;
  options.column_count = COUNT_OF(columns);
  options.where = "k = 85 OR k = 3 OR k = 239";
  cr_assert_eq(osdear_scan_new(snapshot, &options, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_schema(scan, &schema, NULL), OSDEAR_OK);
  cr_assert_eq(schema.n_children, 5);
  cr_assert_str_eq(schema.children[0]->name, "s");
  cr_assert_str_eq(schema.children[2]->name, "late");
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  osdear_scan_free(scan); /* the stream lives on */
  osdear_snapshot_unref(snapshot);
  for (int seen = 0; seen < 3; seen++) {
    cr_assert_eq(stream.get_next(&stream, &batch), 0);
    cr_assert_not_null(batch.release);
    cr_assert_eq(batch.length, 1);
    int64_t key = ((const int64_t *)batch.children[3]->buffers[1])[0];
    char text[24];
    osdear__format_i64(1000 + key, text);
    cr_assert_eq(memcmp(batch.children[0]->buffers[2], text, 4), 0);
    cr_assert_eq(memcmp(batch.children[4]->buffers[2], text, 4), 0);
    cr_assert_eq(batch.children[1]->null_count, key >= 160);
    if (key < 160)
      cr_assert_eq(memcmp(batch.children[1]->buffers[2], key < 80 ? "one" : "two", 3), 0);
    cr_assert_eq(batch.children[2]->null_count, 1);
    batch.release(&batch);
  }
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_assert_null(batch.release);
  schema.release(&schema);
  stream.release(&stream);
  fixture_close(&f);
}

Test(scan, rows_are_counted_without_reading_a_column)
{
  static const char *const none[] = { NULL };
  fixture f = make_table("scan-count");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  options.columns = none;
  outcome all = run(snapshot, &options);
  cr_assert_eq(all.status, OSDEAR_OK, "%s", all.message);
  cr_assert_eq(all.count, ROWS);
  options.where = "p = 'two'";
  outcome part = run(snapshot, &options);
  cr_assert_eq(part.count, 80);
  cr_assert_eq(part.metrics.files_skipped, 2);
  options.where = "k >= 40 AND k < 100";
  cr_assert_eq(run(snapshot, &options).count, 60);
  osdear_scan_options full = OSDEAR_SCAN_OPTIONS_INIT;
  cr_assert_lt(all.metrics.bytes_read, run(snapshot, &full).metrics.bytes_read);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(scan, limit_and_batch_rows_are_kept)
{
  static const char *const columns[] = { "k" };
  static const int64_t limits[] = { 0, 1, 39, 40, 41, 200, 239, 240, 1000 };
  fixture f = make_table("scan-limit");
  for (int32_t threads = 1; threads <= 3; threads++) {
    osdear_snapshot *snapshot = open_with(&f, threads, 0, NULL);
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
      osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
      options.columns = columns;
      options.column_count = 1;
      options.limit = limits[i];
      options.batch_rows = 7;
      outcome o = run(snapshot, &options);
      cr_assert_eq(o.count, limits[i] < ROWS ? limits[i] : ROWS);
      cr_assert_leq(o.longest, 7);
    }
    osdear_snapshot_unref(snapshot);
  }
  fixture_close(&f);
}

/* ---- what is left unread ---- */

Test(scan, files_groups_and_pages_that_cannot_match_are_left_unread)
{
  fixture f = make_table("scan-skip");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  outcome o = scan_where(snapshot, "p = 'one'");
  cr_assert_eq(o.count, 80);
  cr_assert_eq(o.metrics.files_skipped, 2);
  o = scan_where(snapshot, "p IS NULL AND k >= 0");
  cr_assert_eq(o.count, 80);
  cr_assert_eq(o.metrics.files_skipped, 2);
  o = scan_where(snapshot, "k > 100000");
  cr_assert_eq(o.count, 0);
  cr_assert_eq(o.metrics.files_skipped, 1); /* by the log; the others by their footers */
  cr_assert_eq(o.metrics.row_groups, 4);
  cr_assert_eq(o.metrics.row_groups_skipped, 4);
  int64_t footers = o.metrics.bytes_read;
  o = scan_where(snapshot, "st.x BETWEEN 130 AND 131");
  cr_assert_eq(o.count, 2);
  cr_assert_eq(o.metrics.row_groups_skipped, 5);
  outcome group = scan_where(snapshot, "k BETWEEN 120 AND 158");
  outcome page = scan_where(snapshot, "k BETWEEN 131 AND 132");
  cr_assert_eq(group.count, 39);
  cr_assert_eq(page.count, 2);
  cr_assert_eq(page.metrics.row_groups_skipped, 3);
  cr_assert_lt(page.metrics.bytes_read - footers, group.metrics.bytes_read - footers);
  cr_assert_eq(scan_where(snapshot, "late = 1").count, 0);
  cr_assert_eq(scan_where(snapshot, "late IS NULL AND k < 5").count, 5);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(scan, columns_only_a_decided_condition_reads_are_left_unread)
{
  fixture f = make_table("scan-decided");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  outcome decided = scan_where(snapshot, "s >= '1000'");
  outcome open = scan_where(snapshot, "s >= '1000' AND s NOT LIKE '%x%'");
  cr_assert_eq(decided.count, ROWS);
  cr_assert_eq(open.count, ROWS);
  cr_assert_lt(decided.metrics.bytes_read, open.metrics.bytes_read);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* ---- random predicates: the same rows with and without skipping ---- */

static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % below;
}

static void random_predicate(osdear__buf *out, int depth)
{
  static const char *const operators[] = { "=", "<>", "<", "<=", ">", ">=", "<=>" };
  const char *operator= operators[next_random(COUNT_OF(operators))];
  int value = (int)next_random(260) - 10;
  if (depth > 0 && next_random(3) > 0) {
    osdear__buf_puts(out, next_random(4) ? "(" : "NOT (");
    random_predicate(out, depth - 1);
    osdear__buf_puts(out, next_random(2) ? " AND " : " OR ");
    random_predicate(out, depth - 1);
    osdear__buf_puts(out, ")");
    return;
  }
  switch (next_random(10)) {
  case 0: osdear__buf_printf(out, "k %s %d", operator, value); break;
  case 1: osdear__buf_printf(out, "n %s %d", operator, value / 10); break;
  case 2: osdear__buf_printf(out, "s %s '%d'", operator, 1000 + value); break;
  case 3: osdear__buf_printf(out, "d %s %d.25", operator, value / 4); break;
  case 4: osdear__buf_printf(out, "p %s '%s'", operator, next_random(2) ? "one" : "two"); break;
  case 5: osdear__buf_printf(out, "st.x %s %d", operator, value); break;
  case 6:
    osdear__buf_printf(out, "%s IS %sNULL", next_random(2) ? "n" : next_random(2) ? "p" : "late", next_random(2) ? "NOT " : "");
    break;
  case 7: osdear__buf_printf(out, "k %sIN (%d, %d, %d)", next_random(2) ? "NOT " : "", value, value + 7, value + 50); break;
  case 8: osdear__buf_printf(out, "s LIKE '%d%s'", 10 + value / 10, next_random(2) ? "%" : "_"); break;
  default: osdear__buf_printf(out, "k + n > %d", value); break;
  }
}

static int compare_keys(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a;
  int64_t y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

/* The keys of the rows that match when every row is read and asked. */
static int64_t brute_force(osdear_snapshot *snapshot, const char *where, int64_t *keys)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr *expr = NULL;
  osdear__expr_state state = { 0 };
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };
  int64_t total = 0;
  int32_t rows[ROWS];

  cr_assert_eq(osdear__expr_new(where, &table_type, &arena, &expr, NULL), OSDEAR_OK, "%s", where);
  cr_assert_eq(osdear_scan_new(snapshot, NULL, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  for (;;) {
    int64_t count = 0;
    cr_assert_eq(stream.get_next(&stream, &batch), 0);
    if (!batch.release)
      break;
    cr_assert_eq(osdear__expr_select(expr, &state, &batch, rows, &count, NULL), OSDEAR_OK, "%s", where);
    for (int64_t i = 0; i < count; i++)
      keys[total++] = ((const int64_t *)batch.children[0]->buffers[1])[rows[i]];
    batch.release(&batch);
  }
  stream.release(&stream);
  osdear_scan_free(scan);
  osdear__expr_state_drop(&state);
  return total;
}

Test(scan, skipping_changes_no_result, .timeout = 120)
{
  const char *given = getenv("OSDEAR_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 10) : osdear__random_u64() | 1;
  fixture f = make_table("scan-random");
  osdear_snapshot *snapshots[] = { open_with(&f, 1, 0, NULL), open_with(&f, 3, 0, NULL) };
  int64_t skipped = 0;
  random_state = seed;
  for (int round = 0; round < 300; round++) {
    SCOPED(buf) where = { 0 };
    int64_t keys[ROWS];
    random_predicate(&where, 3);
    int64_t count = brute_force(snapshots[0], where.data, keys);
    outcome o = scan_where(snapshots[round % 2], where.data);
    cr_assert_eq(o.status, OSDEAR_OK, "seed %" PRIu64 ": %s: %s", seed, where.data, o.message);
    cr_assert_eq(o.count, count, "seed %" PRIu64 ": %s: %d rows, not %d", seed, where.data, (int)o.count, (int)count);
    cr_assert_eq(memcmp(keys, o.keys, (size_t)count * sizeof *keys), 0, "seed %" PRIu64 ": %s", seed, where.data);
    qsort(keys, (size_t)count, sizeof *keys, compare_keys);
    for (int64_t i = 1; i < count; i++)
      cr_assert_lt(keys[i - 1], keys[i], "seed %" PRIu64 ": a row came twice: %s", seed, where.data);
    skipped += o.metrics.files_skipped + o.metrics.row_groups_skipped;
  }
  cr_assert_gt(skipped, 100);
  osdear_snapshot_unref(snapshots[0]);
  osdear_snapshot_unref(snapshots[1]);
  fixture_close(&f);
}

/* ---- what goes wrong ---- */

Test(scan, wrong_questions_are_refused)
{
  static const char *const unknown[] = { "k", "nope" };
  fixture f = make_table("scan-refused");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  outcome o;

  options.columns = unknown;
  options.column_count = 2;
  o = run(snapshot, &options);
  cr_assert_eq(o.status, OSDEAR_ERR_ARGUMENT);
  cr_assert(strstr(o.message, "nope"));
  o = scan_where(snapshot, "k = 1 AND nope = 2");
  cr_assert_eq(o.status, OSDEAR_ERR_ARGUMENT);
  cr_assert(strstr(o.message, "at column 11"), "%s", o.message);
  o = scan_where(snapshot, "k + 1");
  cr_assert_eq(o.status, OSDEAR_ERR_ARGUMENT);
  options = (osdear_scan_options)OSDEAR_SCAN_OPTIONS_INIT;
  options.limit = -2;
  cr_assert_eq(run(snapshot, &options).status, OSDEAR_ERR_ARGUMENT);
  options.limit = -1;
  options.batch_rows = -1;
  cr_assert_eq(run(snapshot, &options).status, OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear_scan_new(NULL, NULL, NULL, NULL), OSDEAR_ERR_ARGUMENT);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(scan, rows_before_a_failure_come_out_and_then_the_failure)
{
  fixture f = make_table("scan-failure");
  cr_assert_eq(osdear__store_delete(f.store, "file1.parquet", NULL), OSDEAR_OK);
  for (int32_t threads = 1; threads <= 4; threads += 3) {
    osdear_snapshot *snapshot = open_with(&f, threads, 0, NULL);
    outcome o = scan_where(snapshot, NULL);
    cr_assert_eq(o.status, OSDEAR_ERR_NOT_FOUND);
    cr_assert(strstr(o.message, "file1.parquet"), "%s", o.message);
    cr_assert_eq(o.count, 80);
    o = scan_where(snapshot, "100 / (k - 50) > 0");
    cr_assert_eq(o.status, OSDEAR_ERR_DATA);
    cr_assert(strstr(o.message, "division by zero"), "%s", o.message);
    osdear_snapshot_unref(snapshot);
  }
  fixture_close(&f);
}

Test(scan, a_file_of_another_size_is_told_from_a_damaged_one)
{
  fixture f = make_table("scan-size");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  cr_assert_eq(osdear__store_put(f.store, "file0.parquet", "PAR1 this is no such file PAR1", 30, NULL), OSDEAR_OK);
  outcome o = scan_where(snapshot, NULL);
  cr_assert_eq(o.status, OSDEAR_ERR_CORRUPT);
  cr_assert(strstr(o.message, "file0.parquet has 30 bytes"), "%s", o.message);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(scan, streams_may_be_given_up_at_any_batch)
{
  fixture f = make_table("scan-early");
  osdear_snapshot *snapshot = open_with(&f, 3, 0, NULL);
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  options.batch_rows = 7;
  for (int taken = 0; taken < 30; taken++) {
    osdear_scan *scan = NULL;
    struct ArrowArrayStream stream = { 0 };
    cr_assert_eq(osdear_scan_new(snapshot, &options, &scan, NULL), OSDEAR_OK);
    cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
    for (int i = 0; i < taken; i++) {
      struct ArrowArray batch = { 0 };
      cr_assert_eq(stream.get_next(&stream, &batch), 0);
      osdear__array_drop(&batch);
    }
    osdear_scan_free(scan);
    stream.release(&stream);
  }
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(scan, cancelling_ends_a_stream)
{
  fixture f = make_table("scan-cancel");
  for (int32_t threads = 1; threads <= 3; threads += 2) {
    osdear_cancel *cancel = NULL;
    cr_assert_eq(osdear_cancel_new(-1, &cancel, NULL), OSDEAR_OK);
    osdear_snapshot *snapshot = open_with(&f, threads, 0, cancel);
    osdear_cancel_throw(cancel);
    cr_assert_eq(scan_where(snapshot, NULL).status, OSDEAR_ERR_CANCELLED);
    osdear_snapshot_unref(snapshot);
    osdear_cancel_unref(cancel);
  }
  fixture_close(&f);
}

Test(scan, a_small_budget_makes_shorter_batches_and_no_other_rows)
{
  fixture f = make_table("scan-budget");
  for (int32_t threads = 1; threads <= 3; threads += 2) {
    osdear_snapshot *snapshot = open_with(&f, threads, 1 << 16, NULL);
    osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
    outcome o = run(snapshot, &options);
    cr_assert_eq(o.status, OSDEAR_OK, "%s", o.message);
    cr_assert_eq(o.count, ROWS);
    osdear_snapshot_unref(snapshot);
  }
  fixture_close(&f);
}

#ifdef OSDEAR_FAULTS
static osdear_status run_all(osdear_snapshot *snapshot)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  options.where = "(p = 'one' OR p IS NULL) AND (k > 33 OR n IN (1, 2)) AND s LIKE '1%'";
  return run(snapshot, &options).status;
}

/* Allocations are failed one at a time and from some point on, inline: the order of workers' allocations is not fixed. */
Test(scan, every_failing_allocation_and_read_is_survived, .timeout = 240)
{
  static const osdear__fault_kind kinds[] = { FAULT_ALLOC, FAULT_READ };
  fixture f = make_table("scan-faults");
  osdear_snapshot *snapshot = open_with(&f, 1, 0, NULL);
  cr_assert_eq(run_all(snapshot), OSDEAR_OK);
  int64_t live = osdear__live();
  for (size_t k = 0; k < COUNT_OF(kinds); k++) {
    for (int once = 0; once < 2; once++) {
      int64_t hits = 1;
      for (int64_t n = 0; hits > 0; n++) {
        osdear__fault_arm(kinds[k], n, once);
        osdear_status st = run_all(snapshot);
        hits = osdear__fault_count();
        osdear__fault_disarm();
        cr_assert(hits == 0 || st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY || st == OSDEAR_ERR_IO, "%d", (int)st);
        cr_assert(hits > 0 || st == OSDEAR_OK);
        cr_assert_eq(osdear__live(), live, "leak when call %d fails", (int)n);
      }
    }
  }
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}
#endif
