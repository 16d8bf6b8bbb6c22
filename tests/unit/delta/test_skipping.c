/* What a scan leaves unread never changes what it gives: random tables and random predicates, each scanned with the predicate, and once
 * more as a whole with the predicate evaluated row by row. Literals are mostly values that bounds are made of, or next to them.
 * OSDEAR_SKIPPING_SECONDS sets how long; OSDEAR_SKIPPING_SEED repeats a run. */
#include "skipping_table.h"

#include <osdear/scan.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { PREDICATES = 60 };

/* ---- literals ---- */

static osdear__scalar any_value(size_t column, char word[160])
{
  int64_t center = (int64_t)chance(14);
  osdear__scalar value = { .scale = DECIMAL_SCALE };

  switch (column) {
  case ID: value.i64 = (int64_t)chance(SKIPPING_FILES * SKIPPING_ROWS); break;
  case D: value.f64 = any_number(center); break;
  case S:
    any_text(center, word);
    value.bytes = osdear__str_of(word);
    break;
  case K:
    any_char(center, word);
    value.bytes = osdear__str_of(word);
    break;
  case T:
  case N: value.i64 = any_instant(center); break;
  case C: value.decimal = any_small(center) * 10 + (int64_t)chance(3); break;
  case P: value.i64 = 6 + (int64_t)chance(3); break;
  default: value.i64 = any_small(center); break;
  }
  return value;
}

/* The next value above or below, or the same. */
static void move_a_little(size_t column, osdear__scalar *value)
{
  static const int64_t instants[] = { -1000, -999, -1, 0, 0, 1, 999, 1000 };
  int64_t step = (int64_t)chance(3) - 1;

  if (column == D)
    value->f64 = step ? nextafter(value->f64, step < 0 ? -INFINITY : INFINITY) : value->f64;
  else if (column == C)
    value->decimal += step;
  else if ((column == S || column == K) && chance(3) == 0 && value->bytes.size > 0)
    value->bytes.size = (value->bytes.data[value->bytes.size - 1] & 0x80) ? value->bytes.size : value->bytes.size - 1;
  else
    value->i64 += column == T || column == N ? instants[chance(COUNT_OF(instants))] : step;
}

static void print_number(double value, osdear__buf *out)
{
  char text[40];

  snprintf(text, sizeof text, "%.17g", value);
  osdear__buf_printf(out, "CAST('%s' AS DOUBLE)",
                     isnan(value)   ? "NaN"
                     : isinf(value) ? (value < 0 ? "-Infinity" : "Infinity")
                                    : text);
}

static void print_literal(size_t column, const osdear__scalar *literal, osdear__buf *out)
{
  char text[OSDEAR__DECIMAL_TEXT + OSDEAR__TIME_TEXT];
  osdear__scalar value = *literal;

  switch (column) {
  case D: print_number(value.f64, out); break;
  case S:
  case K: osdear__buf_printf(out, "'%.*s'", (int)value.bytes.size, value.bytes.data); break;
  case T:
    osdear__format_timestamp(value.i64, ' ', "Z", text);
    osdear__buf_printf(out, "TIMESTAMP '%s'", text);
    break;
  case N:
    osdear__format_timestamp(value.i64, ' ', "", text);
    osdear__buf_printf(out, "CAST('%s' AS TIMESTAMP_NTZ)", text);
    break;
  case C: osdear__buf_append(out, text, osdear__format_decimal(value.decimal, DECIMAL_SCALE, text)); break;
  case Y:
    osdear__format_date(value.i64, text);
    osdear__buf_printf(out, "DATE '%s'", text);
    break;
  default: osdear__buf_printf(out, "%" PRId64, value.i64); break;
  }
}

static void put_literal(const skipping_table *table, size_t column, osdear__buf *out)
{
  char word[160];
  size_t edges = table->edge_counts[column];
  osdear__scalar value = edges && chance(4) ? table->edges[column][chance(edges)] : any_value(column, word);

  move_a_little(column, &value);
  print_literal(column, &value, out);
}

/* ---- predicates ---- */

/* What the file of a bound may just match, or just not: where bounds are taken for too narrow, its rows are lost. */
static void put_edge(const skipping_table *table, size_t column, osdear__buf *out)
{
  static const char *const of_least[] = { "=", "<", "<=", "<=>" }, *const of_greatest[] = { "=", ">", ">=", "<=>" };
  size_t edge = chance(table->edge_counts[column]);
  size_t which = chance(COUNT_OF(of_least));
  osdear__scalar value = table->edges[column][edge];

  if (chance(2))
    move_a_little(column, &value);
  osdear__buf_printf(out, "%s %s ", skipping_name(column), edge % 2 ? of_greatest[which] : of_least[which]);
  print_literal(column, &value, out);
}

static void put_list(const skipping_table *table, size_t column, const char *name, osdear__buf *out)
{
  osdear__buf_printf(out, "%s %sIN ( ", name, chance(4) ? "" : "NOT ");
  put_literal(table, column, out);
  osdear__buf_puts(out, ", ");
  put_literal(table, column, out);
  osdear__buf_puts(out, " )");
}

static void put_atom(const skipping_table *table, osdear__buf *out)
{
  static const char *const operators[] = { "=", "<>", "<", "<=", ">", ">=", "<=>" };
  static const size_t odd[] = { D, S, S, T, K }; /* whose bounds are no plain values */
  size_t column = chance(3) ? chance(COLUMNS) : odd[chance(COUNT_OF(odd))];
  const char *name = skipping_name(column);

  if (table->edge_counts[column] && chance(2)) {
    put_edge(table, column, out);
    return;
  }
  switch (chance(9)) {
  case 0: osdear__buf_printf(out, "%s IS %sNULL", name, chance(2) ? "NOT " : ""); return;
  case 1: put_list(table, column, name, out); return;
  case 2:
    osdear__buf_printf(out, "%s BETWEEN ", name);
    put_literal(table, column, out);
    osdear__buf_puts(out, " AND ");
    put_literal(table, column, out);
    return;
  case 3:
    if (column == S) {
      osdear__buf_printf(out, "s LIKE concat( ");
      put_literal(table, S, out);
      osdear__buf_puts(out, ", '%' )");
      return;
    }
    break;
  default: break;
  }
  osdear__buf_printf(out, "%s %s ", name, operators[chance(COUNT_OF(operators))]);
  put_literal(table, column, out);
}

static void put_predicate(const skipping_table *table, int depth, osdear__buf *out)
{
  if (depth == 0 || chance(3) == 0) {
    put_atom(table, out);
    return;
  }
  osdear__buf_puts(out, chance(4) == 0 ? "NOT ( " : "( ");
  put_predicate(table, depth - 1, out);
  osdear__buf_puts(out, chance(2) ? " AND " : " OR ");
  put_predicate(table, depth - 1, out);
  osdear__buf_puts(out, " )");
}

/* ---- scans ---- */

typedef struct seen {
  bool rows[SKIPPING_FILES * SKIPPING_ROWS];
} seen;

enum { MOST_BATCHES = 32 };

typedef struct whole {
  struct ArrowArray batches[MOST_BATCHES];
  size_t count;
} whole;

static void open_scan(osdear_snapshot *snapshot, const char *where, const char *const *columns, size_t count, osdear_scan **scan,
                      struct ArrowArrayStream *stream)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_error *error = NULL;

  options.where = where;
  options.columns = columns;
  options.column_count = count;
  cr_assert_eq(osdear_scan_new(snapshot, &options, scan, &error), OSDEAR_OK, "%s: %s", where,
               error ? osdear_error_message(error) : "");
  cr_assert_eq(osdear_scan_stream(*scan, stream, NULL), OSDEAR_OK);
}

static void mark(seen *out, const struct ArrowArray *ids, int64_t row)
{
  int64_t id = ((const int64_t *)ids->buffers[1])[row];

  cr_assert(id >= 0 && id < (int64_t)COUNT_OF(out->rows) && !out->rows[id]);
  out->rows[id] = true;
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

/* All rows but those that vectors name: of them alone nothing is asked of the code that is on trial. */
static void read_whole(const skipping_table *table, whole *out)
{
  int64_t rows = 0;
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };

  open_scan(table->snapshot, NULL, NULL, 0, &scan, &stream);
  while (stream.get_next(&stream, &out->batches[out->count]) == 0 && out->batches[out->count].release) {
    const struct ArrowArray *ids = out->batches[out->count].children[0];
    for (int64_t i = 0; i < ids->length; i++)
      cr_assert_not(skipping_is_deleted(table, ((const int64_t *)ids->buffers[1])[i]));
    rows += ids->length;
    out->count++;
    cr_assert_lt(out->count, MOST_BATCHES);
  }
  cr_assert_null(osdear_stream_error(&stream));
  for (int64_t id = 0; id < table->files * SKIPPING_ROWS; id++)
    rows += skipping_is_deleted(table, id);
  cr_assert_eq(rows, table->files * SKIPPING_ROWS);
  stream.release(&stream);
  osdear_scan_free(scan);
}

static void select_of(const whole *of, osdear_snapshot *snapshot, const char *where, seen *out)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  osdear__expr *expr = NULL;

  cr_assert_eq(osdear__expr_new(where, &snapshot->metadata.schema, &arena, &expr, NULL), OSDEAR_OK);
  for (size_t i = 0; i < of->count; i++) {
    int32_t *rows = osdear__arena_alloc(&arena, (size_t)of->batches[i].length * sizeof *rows + 1);
    int64_t count;

    cr_assert_eq(osdear__expr_select(expr, &state, &of->batches[i], rows, &count, NULL), OSDEAR_OK);
    for (int64_t k = 0; k < count; k++)
      mark(out, of->batches[i].children[0], rows[k]);
  }
  osdear__expr_state_drop(&state);
}

static void compare(const skipping_table *table, const whole *all, uint64_t from, osdear_scan_metrics *sum)
{
  SCOPED(buf) where = { 0 };
  seen with = { 0 }, wanted = { 0 };
  osdear_scan_metrics metrics = { 0 };

  put_predicate(table, chance(2) ? 0 : (int)chance(3), &where);
  scan_with(table->snapshot, where.data, &with, &metrics);
  select_of(all, table->snapshot, where.data, &wanted);
  for (size_t i = 0; i < COUNT_OF(with.rows); i++)
    cr_assert_eq(with.rows[i], wanted.rows[i], "seed %" PRIu64 ": row %zu is %s by skipping: %s", from, i,
                 wanted.rows[i] ? "lost" : "won", where.data);
  sum->files_skipped += metrics.files_skipped;
  sum->row_groups_skipped += metrics.row_groups_skipped;
}

Test(skipping, never_changes_what_a_scan_gives, .timeout = 3600)
{
  const char *seconds = getenv("OSDEAR_SKIPPING_SECONDS"), *given = getenv("OSDEAR_SKIPPING_SEED");
  int64_t end = osdear__monotonic_us() + (seconds ? strtoll(seconds, NULL, 10) : 3) * 1000000;
  uint64_t from = given ? strtoull(given, NULL, 10) : osdear__random_u64() >> 1;
  osdear_scan_metrics sum = { 0 };
  int tables = 0;

  for (; tables < 1 || osdear__monotonic_us() < end; tables++, from++) {
    skipping_table table;
    whole all = { .count = 0 };

    skipping_seed(from);
    skipping_table_new(&table);
    read_whole(&table, &all);
    for (int i = 0; i < PREDICATES; i++)
      compare(&table, &all, from, &sum);
    for (size_t i = 0; i < all.count; i++)
      all.batches[i].release(&all.batches[i]);
    skipping_table_drop(&table);
  }
  cr_assert(sum.files_skipped > 0 && sum.row_groups_skipped > 0, "nothing was skipped in %d tables", tables);
}
