/* What a scan leaves unread never changes what it gives: random tables and random predicates, each scanned with the predicate, and once
 * more as a whole with the predicate evaluated row by row. OSDEAR_SKIPPING_SECONDS sets how long; OSDEAR_SKIPPING_SEED repeats a run. */
#include "fixture.h"

#include <delta/write.h>
#include <osdear/scan.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ROWS 120     /* of a file: row groups of 40, pages of 10 */
#define MOST_FILES 4
#define PREDICATES 60
#define DELETED "wi5b=000010000siXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L" /* rows 3, 4, 7, 11, 18, 29 */

/* ---- chance ---- */

static uint64_t seed;

static uint64_t chance(uint64_t below)
{
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (seed * UINT64_C(0x2545F4914F6CDD1D) >> 33) % below;
}

/* ---- columns ---- */

enum { ID, I, D, S, T, N, C, Y, ST, P, COLUMNS };

static osdear__field inner_fields[] = { { "x", true, -1, NULL, { .kind = KIND_LONG } } };
static osdear__field fields[COLUMNS] = {
  { "id", true, -1, NULL, { .kind = KIND_LONG } },
  { "i", true, -1, NULL, { .kind = KIND_LONG } },
  { "d", true, -1, NULL, { .kind = KIND_DOUBLE } },
  { "s", true, -1, NULL, { .kind = KIND_STRING } },
  { "t", true, -1, NULL, { .kind = KIND_TIMESTAMP } },
  { "n", true, -1, NULL, { .kind = KIND_TIMESTAMP_NTZ } },
  { "c", true, -1, NULL, { .kind = KIND_DECIMAL, .precision = 10, .scale = 3 } },
  { "y", true, -1, NULL, { .kind = KIND_DATE } },
  { "st", true, -1, NULL, { .kind = KIND_STRUCT, .field_count = 1, .fields = inner_fields } },
  { "p", true, -1, NULL, { .kind = KIND_INTEGER } },
};
static const osdear__type table_type = { .kind = KIND_STRUCT, .field_count = COLUMNS, .fields = fields };

/* Few enough values that literals meet them, with the odd ones among them. */
static int64_t small(int64_t center)
{
  return center + (int64_t)chance(9) - 4;
}

static double number(int64_t center)
{
  switch (chance(8)) {
  case 0: return NAN;
  case 1: return -0.0;
  case 2: return 0.0;
  case 3: return chance(2) ? INFINITY : -INFINITY;
  default: return (double)small(center) / 2;
  }
}

/* Longer than what statistics keep, and alike up to there. */
static void text(int64_t center, char out[160])
{
  static const char *const ends[] = { "", "a", "z", "\x7f", "\xf4\x8f\xbf\xbf", "\xc3\xa9", "zz" };
  int length = chance(2) ? 31 + (int)chance(3) : (int)chance(3);

  memset(out, 'a' + (int)((uint64_t)center % 5), (size_t)length);
  snprintf(out + length, 160 - (size_t)length, "%s%s", ends[chance(COUNT_OF(ends))], ends[chance(COUNT_OF(ends))]);
}

/* Around 1970 too, where cutting to milliseconds may go either way. */
static int64_t instant(int64_t center)
{
  return (center - 5) * 1000000 + (int64_t)chance(5) * 500 + (int64_t)chance(3) - 1;
}

static void put_value(osdear__builder *builder, size_t column, int64_t id, int64_t center)
{
  char word[160];

  if (column != ID && chance(6) == 0) {
    cr_assert_eq(osdear__builder_null(builder, NULL), OSDEAR_OK);
    return;
  }
  switch (column) {
  case ID: cr_assert_eq(osdear__builder_i64(builder, id, NULL), OSDEAR_OK); break;
  case I: cr_assert_eq(osdear__builder_i64(builder, small(center), NULL), OSDEAR_OK); break;
  case D: cr_assert_eq(osdear__builder_f64(builder, number(center), NULL), OSDEAR_OK); break;
  case S:
    text(center, word);
    cr_assert_eq(osdear__builder_bytes(builder, osdear__str_of(word), NULL), OSDEAR_OK);
    break;
  case T:
  case N: cr_assert_eq(osdear__builder_i64(builder, instant(center), NULL), OSDEAR_OK); break;
  case C: cr_assert_eq(osdear__builder_decimal(builder, small(center) * 10 + (int64_t)chance(3), NULL), OSDEAR_OK); break;
  case Y: cr_assert_eq(osdear__builder_i64(builder, small(center), NULL), OSDEAR_OK); break;
  default:
    cr_assert_eq(osdear__builder_i64(osdear__builder_child(builder, 0), small(center), NULL), OSDEAR_OK);
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
}

/* ---- tables ---- */

static void make_rows(const osdear__type *type, int64_t first, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;
  int64_t center = (int64_t)chance(12);

  cr_assert_eq(osdear__builder_new(type, &builder, NULL), OSDEAR_OK);
  for (int64_t row = 0; row < ROWS; row++) {
    if (row % 20 == 0)
      center = (int64_t)chance(12);
    for (size_t i = 0; i < type->field_count; i++)
      put_value(osdear__builder_child(builder, i), i, first + row, center);
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}

/* Files of before a widening: the narrower types. */
static osdear__type stored_type(osdear__field stored[COLUMNS])
{
  memcpy(stored, fields, sizeof fields);
  if (chance(3) == 0)
    stored[I].type.kind = KIND_INTEGER;
  if (chance(3) == 0)
    stored[D].type.kind = KIND_FLOAT;
  if (chance(3) == 0)
    stored[C].type = (osdear__type){ .kind = KIND_DECIMAL, .precision = 8, .scale = 2 };
  if (chance(4) == 0)
    stored[N].type.kind = KIND_DATE;
  return (osdear__type){ .kind = KIND_STRUCT, .field_count = P, .fields = stored };
}

static void put_file(fixture *f, int number, osdear__buf *commit)
{
  osdear__field stored[COLUMNS];
  osdear__type type = stored_type(stored);
  osdear__metadata metadata = { .schema = type, .physical = type };
  osdear__partition_value partition = { STR("p"), STR("7"), chance(4) == 0 };
  osdear__file file = { .partition = &partition, .partition_count = 1, .data_change = true, .dv = { .offset = -1 }, .base_row_id = -1,
                        .default_row_commit_version = -1 };
  osdear__parquet_write options;
  osdear__leaf_facts facts;
  AUTO(output) output = NULL;
  AUTO(parquet_writer) writer = NULL;
  SCOPED(array) batch = { 0 };
  SCOPED(buf) stats = { 0 };
  char path[16];

  snprintf(path, sizeof path, "f%d", number);
  make_rows(&type, number * ROWS, &batch);
  osdear__parquet_write_init(&options);
  options.row_group_rows = 40;
  options.page_rows = 10;
  options.codec = CODEC_NONE;
  cr_assert_eq(osdear__store_create(f->store, path, &output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(f->context, output, &type, &options, &writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_add(writer, &batch, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_finish(writer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__leaf_facts_init(&facts, &type, NULL), OSDEAR_OK);
  osdear__leaf_facts_add(&facts, &type, &batch);
  cr_assert_eq(osdear__stats_print_with(&metadata, &type, writer, &facts, &stats, NULL), OSDEAR_OK);
  osdear__leaf_facts_drop(&facts);
  cr_assert_eq(output->finish(output, NULL), OSDEAR_OK);
  file.path = osdear__str_of(path);
  file.size_bytes = output->written;
  if (chance(5))
    file.stats = (osdear__str){ stats.data, stats.size };
  if (chance(3) == 0)
    file.dv = (osdear__deletion_vector){ 'i', STR(DELETED), -1, 40, 6 };
  osdear__action_print_add(&file, commit);
}

static osdear_snapshot *make_table(fixture *f)
{
  const char *partitions[] = { "p", NULL };
  SCOPED(buf) schema = { 0 };
  SCOPED(buf) commit = { 0 };
  osdear__metadata metadata = { .id = "0-1", .partition_columns = partitions, .created_ms = 0 };

  osdear__delta_schema_print(&table_type, &schema);
  metadata.schema_json = schema.data;
  osdear__buf_puts(&commit, "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"deletionVectors\",\"timestampNtz\","
                            "\"typeWidening\"],\"writerFeatures\":[\"deletionVectors\",\"timestampNtz\",\"typeWidening\"]}}\n");
  osdear__action_print_metadata(&metadata, &commit);
  for (int i = 0, files = 1 + (int)chance(MOST_FILES); i < files; i++)
    put_file(f, i, &commit);
  fixture_commit(f, 0, commit.data);
  return fixture_load(f, 0);
}

/* ---- predicates ---- */

static void put_literal(size_t column, osdear__buf *out)
{
  int64_t center = (int64_t)chance(14);
  char time[OSDEAR__TIME_TEXT], word[160];
  double value;

  switch (column) {
  case ID: osdear__buf_printf(out, "%d", (int)chance(MOST_FILES * ROWS)); break;
  case D:
    value = number(center);
    if (isfinite(value))
      osdear__buf_printf(out, "%.1f", value);
    else
      osdear__buf_printf(out, "CAST('%s' AS DOUBLE)", isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
    break;
  case S:
    text(center, word);
    osdear__buf_printf(out, "'%s'", word);
    break;
  case T:
    osdear__format_timestamp(instant(center), ' ', "Z", time);
    osdear__buf_printf(out, "TIMESTAMP '%s'", time);
    break;
  case N:
    osdear__format_timestamp(instant(center), ' ', "", time);
    osdear__buf_printf(out, "CAST('%s' AS TIMESTAMP_NTZ)", time);
    break;
  case C: osdear__buf_printf(out, "%d.%03d", (int)(center / 3), (int)chance(3) * 50); break;
  case Y:
    osdear__format_date(small(center), time);
    osdear__buf_printf(out, "DATE '%s'", time);
    break;
  case P: osdear__buf_printf(out, "%d", 6 + (int)chance(3)); break;
  default: osdear__buf_printf(out, "%d", (int)small(center));
  }
}

static void put_atom(osdear__buf *out)
{
  static const char *const operators[] = { "=", "<>", "<", "<=", ">", ">=", "<=>" };
  size_t column = chance(COLUMNS);
  const char *name = column == ST ? "st.x" : fields[column].name;

  switch (chance(7)) {
  case 0: osdear__buf_printf(out, "%s IS %sNULL", name, chance(2) ? "NOT " : ""); return;
  case 1:
    osdear__buf_printf(out, "%s %sIN ( ", name, chance(4) ? "" : "NOT ");
    put_literal(column, out);
    osdear__buf_puts(out, ", ");
    put_literal(column, out);
    osdear__buf_puts(out, " )");
    return;
  case 2:
    osdear__buf_printf(out, "%s BETWEEN ", name);
    put_literal(column, out);
    osdear__buf_puts(out, " AND ");
    put_literal(column, out);
    return;
  default:
    osdear__buf_printf(out, "%s %s ", name, operators[chance(COUNT_OF(operators))]);
    put_literal(column, out);
  }
}

static void put_predicate(int depth, osdear__buf *out)
{
  if (depth == 0 || chance(3) == 0) {
    put_atom(out);
    return;
  }
  osdear__buf_puts(out, chance(4) == 0 ? "NOT ( " : "( ");
  put_predicate(depth - 1, out);
  osdear__buf_puts(out, chance(2) ? " AND " : " OR ");
  put_predicate(depth - 1, out);
  osdear__buf_puts(out, " )");
}

/* ---- scans ---- */

typedef struct seen {
  bool rows[MOST_FILES * ROWS];
  int64_t count;
} seen;

static void open_scan(osdear_snapshot *snapshot, const char *where, const char *const *columns, size_t count, osdear_scan **scan,
                      struct ArrowArrayStream *stream)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_error *error = NULL;

  options.where = where;
  options.columns = columns;
  options.column_count = count;
  cr_assert_eq(osdear_scan_new(snapshot, &options, scan, &error), OSDEAR_OK, "%s: %s", where, error ? osdear_error_message(error) : "");
  cr_assert_eq(osdear_scan_stream(*scan, stream, NULL), OSDEAR_OK);
}

static void mark(seen *out, const struct ArrowArray *ids, int64_t row)
{
  int64_t id = ((const int64_t *)ids->buffers[1])[row];

  cr_assert(id >= 0 && id < MOST_FILES * ROWS && !out->rows[id]);
  out->rows[id] = true;
  out->count++;
}

static void scan_with(osdear_snapshot *snapshot, const char *where, seen *out, osdear_scan_metrics *metrics)
{
  static const char *const columns[] = { "id" };
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };

  open_scan(snapshot, where, columns, 1, &scan, &stream);
  while (stream.get_next(&stream, &batch) == 0 && batch.release) {
    for (int64_t i = 0; i < batch.length; i++)
      mark(out, batch.children[0], i);
    batch.release(&batch);
  }
  cr_assert_null(osdear_stream_error(&stream), "%s: %s", where, osdear_error_message(osdear_stream_error(&stream)));
  metrics->size = sizeof *metrics;
  cr_assert_eq(osdear_scan_metrics_get(scan, metrics, NULL), OSDEAR_OK);
  stream.release(&stream);
  osdear_scan_free(scan);
}

static void scan_whole(osdear_snapshot *snapshot, const char *where, seen *out)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  osdear__expr *expr = NULL;
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };
  int32_t *rows;
  int64_t count;

  cr_assert_eq(osdear__expr_new(where, &snapshot->metadata.schema, &arena, &expr, NULL), OSDEAR_OK);
  open_scan(snapshot, NULL, NULL, 0, &scan, &stream);
  while (stream.get_next(&stream, &batch) == 0 && batch.release) {
    rows = osdear__arena_alloc(&arena, (size_t)batch.length * sizeof *rows + 1);
    cr_assert_eq(osdear__expr_select(expr, &state, &batch, rows, &count, NULL), OSDEAR_OK);
    for (int64_t i = 0; i < count; i++)
      mark(out, batch.children[0], rows[i]);
    batch.release(&batch);
  }
  cr_assert_null(osdear_stream_error(&stream));
  stream.release(&stream);
  osdear_scan_free(scan);
  osdear__expr_state_drop(&state);
}

static void compare(osdear_snapshot *snapshot, uint64_t from, int64_t *skipped)
{
  SCOPED(buf) where = { 0 };
  seen with = { 0 }, whole = { 0 };
  osdear_scan_metrics metrics = { 0 };

  put_predicate((int)chance(3), &where);
  scan_with(snapshot, where.data, &with, &metrics);
  scan_whole(snapshot, where.data, &whole);
  for (size_t i = 0; i < COUNT_OF(with.rows); i++)
    cr_assert_eq(with.rows[i], whole.rows[i], "seed %" PRIu64 ": row %zu is %s by skipping: %s", from, i, whole.rows[i] ? "lost" : "won", where.data);
  *skipped += metrics.files_skipped + metrics.row_groups_skipped;
}

Test(skipping, never_changes_what_a_scan_gives, .timeout = 3600)
{
  const char *seconds = getenv("OSDEAR_SKIPPING_SECONDS"), *given = getenv("OSDEAR_SKIPPING_SEED");
  int64_t end = osdear__monotonic_us() + (seconds ? strtoll(seconds, NULL, 10) : 1) * 1000000, skipped = 0;
  uint64_t from = given ? strtoull(given, NULL, 10) : osdear__random_u64() >> 1;
  int tables = 0;

  for (; tables < 1 || osdear__monotonic_us() < end; tables++, from++) {
    fixture f = fixture_open("skipping");
    osdear_snapshot *snapshot;
    seed = from * UINT64_C(0x9E3779B97F4A7C15) + 1;
    snapshot = make_table(&f);
    for (int i = 0; i < PREDICATES; i++)
      compare(snapshot, from, &skipped);
    osdear_snapshot_unref(snapshot);
    fixture_close(&f);
  }
  cr_assert_gt(skipped, 0, "nothing was skipped in %d tables", tables);
}
