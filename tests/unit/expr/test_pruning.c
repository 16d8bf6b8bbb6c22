/* What bounds exclude: by hand, and by chance against what evaluation says. */
#include "fixture.h"

#include <stdlib.h>

/* ---- by hand: one column with bounds as texts ---- */

typedef struct known {
  const char *column;
  const char *min, *max; /* NULL: not there */
  int64_t nulls, rows;
  bool may_be_nan;
} known;

static bool range_of_known(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  const known *k = argument;
  if (depth != 1 || !k->column || strcmp(fixture_fields[path[0]].name, k->column) != 0)
    return false;
  const osdear__type *type = &fixture_fields[path[0]].type;
  *out = (osdear__range){
    .has_min = k->min, .has_max = k->max, .may_be_nan = k->may_be_nan, .null_count = k->nulls, .row_count = k->rows
  };
  out->min = scalar_of_text(type, k->min);
  out->max = scalar_of_text(type, k->max);
  return true;
}

typedef struct fact {
  const char *where;
  known known;
  bool may, must;
} fact;

/* clang-format off */
#define I32(min, max, nulls) { "i32", min, max, nulls, 10, false }
#define S(min, max, nulls) { "s", min, max, nulls, 10, false }
/* clang-format on */

static const fact facts[] = {
  { "i32 = 5", I32("1", "4", 0), false, false },
  { "i32 = 5", I32("1", "5", 0), true, false },
  { "i32 = 5", I32("5", "5", 0), true, true },
  { "i32 = 5", I32("5", "5", 1), true, false },
  { "i32 = 5", I32("5", "5", -1), true, false },
  { "i32 <> 5", I32("5", "5", 0), false, false },
  { "i32 <> 5", I32("5", "6", 0), true, false },
  { "i32 <> 5", I32("6", "9", 0), true, true },
  { "i32 < 5", I32("5", "9", 0), false, false },
  { "i32 < 5", I32("4", NULL, 0), true, false },
  { "i32 < 5", I32(NULL, "4", 0), true, true },
  { "i32 <= 5", I32("6", "9", 0), false, false },
  { "i32 > 5", I32("1", "5", 0), false, false },
  { "i32 > 5.5", I32("1", "5", 0), false, false },
  { "i32 >= 5", I32(NULL, "4", 0), false, false },
  { "NOT i32 < 5", I32("1", "4", 0), false, false },
  { "i32 < 3000000000", I32(NULL, NULL, 0), true, true },
  { "i32 > 3000000000", I32(NULL, NULL, 0), false, false },
  { "i32 = 5", I32(NULL, NULL, 10), false, false },
  { "i32 IS NULL", I32(NULL, NULL, 10), true, true },
  { "i32 IS NULL", I32("1", "2", 0), false, false },
  { "i32 IS NOT NULL", I32("1", "2", 0), true, true },
  { "i32 IS NOT NULL", I32(NULL, NULL, 10), false, false },
  { "i32 IS NULL", I32("1", "2", -1), true, false },
  { "i32 <=> NULL", I32("1", "2", 0), false, false },
  { "i32 <=> 7", I32("1", "2", 3), false, false },
  { "NOT i32 <=> 7", I32("1", "2", 3), true, true },
  { "i32 IN (1, 2, 9)", I32("3", "8", 0), false, false },
  { "i32 IN (1, 2, 9)", I32("3", "9", 0), true, false },
  { "i32 IN (1, 2, 9)", I32("2", "2", 0), true, true },
  { "i32 NOT IN (1, 2, 9)", I32("3", "8", 0), true, true },
  { "i32 NOT IN (1, NULL)", I32("3", "8", 0), false, false },
  { "i32 BETWEEN 3 AND 5", I32("6", "8", 0), false, false },
  { "i32 BETWEEN 3 AND 5", I32("3", "5", 0), true, true },
  { "i32 = 1 OR i32 = 9", I32("2", "8", 0), false, false },
  { "i32 = 1 AND s = 'x'", I32("2", "8", 0), false, false },
  { "i32 = 1 OR s = 'x'", I32("2", "8", 0), true, false },
  { "CAST(i32 AS BIGINT) > 10", I32("1", "9", 0), false, false },
  { "CAST(i32 AS DOUBLE) > 10", I32("1", "9", 0), false, false },
  { "CAST(i32 AS STRING) = '10'", I32("1", "9", 0), true, false },
  { "TRY_CAST(i32 AS BYTE) > 0", I32("1", "200", 0), true, false },
  { "TRY_CAST(i32 AS BYTE) IS NOT NULL", I32("1", "200", 0), true, false },
  { "i32 > i32", I32("1", "1", 0), false, false },
  { "i32 + 1 = 50", I32("1", "9", 0), true, false },
  { "s = 'm'", S("a", "l", 0), false, false },
  { "s LIKE 'ab%'", S("b", "c", 0), false, false },
  { "s LIKE 'ab%'", S("aa", "aaz", 0), false, false },
  { "s LIKE 'ab%'", S("a", "b", 0), true, false },
  { "s LIKE 'ab%'", S("ab", "abz", 0), true, true },
  { "s NOT LIKE 'ab%'", S("ab", "abz", 0), false, false },
  { "s LIKE 'ab%z_'", S("b", "c", 0), false, false },
  { "s LIKE 'ab'", S("b", "c", 0), false, false },
  { "s LIKE '%b'", S("c", "c", 0), true, false },
  { "starts_with(s, 'x')", S("a", "w", 0), false, false },
  { "f64 > 5", { "f64", "1", "2", 0, 10, true }, true, false },
  { "f64 > 5", { "f64", "1", "2", 0, 10, false }, false, false },
  { "f64 < 1", { "f64", "1", "2", 0, 10, true }, false, false },
  { "f64 < 5", { "f64", "1", "2", 0, 10, true }, true, false },
  { "d = DATE '2024-01-01'", { "d", "2024-01-02", "2024-02-01", 0, 10, false }, false, false },
  { "d < TIMESTAMP '2024-01-01 12:00:00'", { "d", "2024-01-02", "2024-02-01", 0, 10, false }, false, false },
  { "CAST(ts AS DATE) = '2024-01-01'", { "ts", "2024-01-02 00:00:00", "2024-02-01 00:00:00", 0, 10, false }, false, false },
  { "year(d) = 2023", { "d", "2024-01-02", "2024-02-01", 0, 10, false }, false, false },
  { "year(d) = 2024", { "d", "2024-01-02", "2024-02-01", 0, 10, false }, true, true },
  { "dec = 1.5", { "dec", "2.00", "3.00", 0, 10, false }, false, false },
  { "dec < wide", { "dec", "2.00", "3.00", 0, 10, false }, true, false },
  { "b", { "b", "false", "false", 0, 10, false }, false, false },
  { "NOT b", { "b", "false", "false", 0, 10, false }, true, true },
  { "b IS NOT TRUE", { "b", "false", "false", 3, 10, false }, true, true },
  { "l[0] = 1", { NULL, NULL, NULL, 0, 0, false }, true, false },
  { "TRUE", { NULL, NULL, NULL, 0, 0, false }, true, true },
  { "FALSE", { NULL, NULL, NULL, 0, 0, false }, false, false },
  { "NULL = 1", { NULL, NULL, NULL, 0, 0, false }, false, false },
};

Test(pruning, bounds_exclude_and_confirm)
{
  for (size_t i = 0; i < COUNT_OF(facts); i++) {
    SCOPED(arena) arena = { 0 };
    osdear__expr *expr = NULL;
    known k = facts[i].known;
    cr_assert_eq(osdear__expr_new(facts[i].where, &fixture_type, &arena, &expr, NULL), OSDEAR_OK, "%s", facts[i].where);
    cr_assert_eq(osdear__expr_may_match(expr, range_of_known, &k), facts[i].may, "%zu: %s may match", i, facts[i].where);
    cr_assert_eq(osdear__expr_must_match(expr, range_of_known, &k), facts[i].must, "%zu: %s must match", i, facts[i].where);
  }
}

/* A column whose filter knows all of its values. */
typedef struct filtered {
  known known;
  const char *values[3];
  const osdear__type *type;
  int asked;
} filtered;

static bool may_hold(void *filter, const osdear__scalar *value)
{
  filtered *f = filter;
  int order = 1;
  f->asked++;
  for (size_t i = 0; i < COUNT_OF(f->values) && f->values[i]; i++) {
    osdear__scalar held = scalar_of_text(f->type, f->values[i]);
    if (osdear__scalar_compare(&held, value, &order) && order == 0)
      return true;
  }
  return false;
}

static bool range_of_filtered(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  filtered *f = argument;
  if (!range_of_known(&f->known, path, depth, out))
    return false;
  f->type = &fixture_fields[path[0]].type;
  out->may_hold = may_hold;
  out->filter = f;
  return true;
}

typedef struct filter_fact {
  const char *where;
  filtered filter;
  bool may;
  bool is_asked;
} filter_fact;

/* clang-format off */
#define I32_OF(...) { I32("1", "9", 0), { __VA_ARGS__ }, NULL, 0 }
/* clang-format on */

static const filter_fact filter_facts[] = {
  { "i32 = 5", I32_OF("5"), true, true },
  { "i32 = 5", I32_OF("4", "6"), false, true },
  { "i32 = 50", I32_OF("4"), false, false },
  { "5 = i32", I32_OF("4"), false, true },
  { "i32 <=> 5", I32_OF("4"), false, true },
  { "i32 <=> NULL", I32_OF("4"), false, false },
  { "NOT i32 = 5", I32_OF("4"), true, true },
  { "i32 <> 5", I32_OF("4"), true, true },
  { "i32 < 5", I32_OF("7"), true, false },
  { "i32 > 5 AND i32 < 7", I32_OF("5"), true, false },
  { "i32 = 5 OR i32 = 6", I32_OF("7"), false, true },
  { "i32 = 5 OR i32 = 6", I32_OF("6"), true, true },
  { "i32 = 5 OR i32 > 6", I32_OF("7"), true, true },
  { "i32 IN (2, 3, 4)", I32_OF("5"), false, true },
  { "i32 IN (2, 3, 4)", I32_OF("4"), true, true },
  { "i32 IN (20, 30)", I32_OF("4"), false, false },
  { "i32 IN (2, NULL)", I32_OF("4"), false, true },
  { "i32 NOT IN (2, 3)", I32_OF("4"), true, true },
  { "i32 = CAST(5 AS BIGINT)", I32_OF("4"), false, true },
  { "i32 = 5.0", I32_OF("4"), false, true },
  { "i32 = 5.0", I32_OF("5"), true, true },
  { "CAST(i32 AS STRING) = '5'", I32_OF("4"), true, false },
  { "CAST(i32 AS FLOAT) = CAST(5 AS FLOAT)", I32_OF("4"), true, false },
  { "i32 + 1 = 5", I32_OF("7"), true, false },
  { "f32 = CAST(1.5 AS DOUBLE)", { { "f32", "1", "2", 0, 10, true }, { "1.25" }, NULL, 0 }, false, true },
  { "CAST(f64 AS FLOAT) = CAST(1.5 AS FLOAT)", { { "f64", "1", "2", 0, 10, true }, { "1.25" }, NULL, 0 }, true, false },
  { "dec = 1.5", { { "dec", "1.00", "3.00", 0, 10, false }, { "2.00" }, NULL, 0 }, false, true },
  { "CAST(dec AS DECIMAL(10,1)) = 1.5", { { "dec", "1.00", "3.00", 0, 10, false }, { "1.45" }, NULL, 0 }, true, false },
  { "CAST(ts AS DATE) = '2024-01-05'",
    { { "ts", "2024-01-02 00:00:00", "2024-02-01 00:00:00", 0, 10, false }, { "2024-01-05 01:00:00" }, NULL, 0 },
    true,
    false },
  { "year(d) = 2024", { { "d", "2024-01-02", "2024-02-01", 0, 10, false }, { "2024-01-05" }, NULL, 0 }, true, false },
  { "s LIKE 'ab'", { S("a", "b", 0), { "ac" }, NULL, 0 }, false, true },
  { "s LIKE 'ab%'", { S("a", "b", 0), { "ac" }, NULL, 0 }, true, false },
};

Test(pruning, a_filter_is_asked_for_equality_that_bounds_leave_open)
{
  for (size_t i = 0; i < COUNT_OF(filter_facts); i++) {
    SCOPED(arena) arena = { 0 };
    osdear__expr *expr = NULL;
    filtered f = filter_facts[i].filter;
    cr_assert_eq(osdear__expr_new(filter_facts[i].where, &fixture_type, &arena, &expr, NULL), OSDEAR_OK, "%s",
                 filter_facts[i].where);
    cr_assert_eq(osdear__expr_may_match(expr, range_of_filtered, &f), filter_facts[i].may, "%zu: %s", i, filter_facts[i].where);
    cr_assert_eq(f.asked > 0, filter_facts[i].is_asked, "%zu: %s asked %d times", i, filter_facts[i].where, f.asked);
  }
}

Test(pruning, what_every_row_fulfils_is_left_out)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr *expr = NULL;
  const osdear__expr *rest = NULL;
  bool used[COUNT_OF(fixture_fields)] = { false };
  known k = I32("3", "4", 0);
  cr_assert_eq(osdear__expr_new("i32 > 2 AND s = 'x'", &fixture_type, &arena, &expr, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__expr_residual(expr, range_of_known, &k, &arena, &rest, NULL), OSDEAR_OK);
  osdear__expr_columns(rest, used);
  cr_assert(!used[3] && used[9]);
  cr_assert_eq(osdear__expr_new("i32 > 2 AND i32 < 9", &fixture_type, &arena, &expr, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__expr_residual(expr, range_of_known, &k, &arena, &rest, NULL), OSDEAR_OK);
  cr_assert_null(rest);
}

/* ---- by chance: bounds taken from random rows must never contradict what the rows say ---- */

static uint64_t random_state;

static uint64_t next_random(uint64_t below)
{
  random_state ^= random_state << 13;
  random_state ^= random_state >> 7;
  random_state ^= random_state << 17;
  return random_state % below;
}

/* Small domains, so that bounds and constants meet often. */
static const char *random_text(const osdear__type *type)
{
  static const char *const integers[] = { "-5", "-1", "0", "1", "2", "3", "5", "100" };
  static const char *const floats[] = { "-1.5", "0", "-0.0", "1", "1.5", "2", "NaN", "Infinity" };
  static const char *const decimals[] = { "-1.50", "0", "0.01", "1", "1.5", "2", "3.25", "99999999.99" };
  static const char *const texts[] = { "", "a", "ab", "abc", "abd", "b", "äö", "z" };
  static const char *const dates[] = { "1969-12-31", "1970-01-01", "2000-01-01", "2023-12-31",
                                       "2024-01-01", "2024-02-29", "2024-12-31", "2025-01-01" };
  static const char *const booleans[] = { "true", "false", "true", "false", "true", "false", "true", "false" };
  size_t pick = (size_t)next_random(8);
  switch (type->kind) {
  case KIND_BOOLEAN: return booleans[pick];
  case KIND_FLOAT:
  case KIND_DOUBLE: return floats[pick];
  case KIND_DECIMAL: return decimals[pick];
  case KIND_STRING:
  case KIND_BINARY: return texts[pick];
  case KIND_DATE: return dates[pick];
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return dates[pick];
  default: return integers[pick];
  }
}

#define FLAT COUNT_OF(fixture_rows)

static void random_literal(osdear__buf *out, const osdear__type *type)
{
  const char *text = random_text(type);
  if (next_random(12) == 0)
    osdear__buf_puts(out, "NULL");
  else if (osdear__str_is(osdear__str_of(text), "NaN") || osdear__str_is(osdear__str_of(text), "Infinity"))
    osdear__buf_printf(out, "CAST('%s' AS DOUBLE)", text);
  else if (type->kind >= KIND_BYTE && type->kind <= KIND_DECIMAL && next_random(4) == 0)
    osdear__buf_printf(out, "%s", next_random(2) ? "1.25" : "3000000000");
  else if (type->kind == KIND_BOOLEAN || (type->kind >= KIND_BYTE && type->kind <= KIND_DECIMAL))
    osdear__buf_puts(out, text);
  else
    osdear__buf_printf(out, "'%s'", text);
}

static void random_leaf(osdear__buf *out)
{
  static const char *const operators[] = { "=", "<>", "<", "<=", ">", ">=", "<=>" };
  size_t column = (size_t)next_random(FLAT);
  const osdear__type *type = &fixture_fields[column].type;
  const char *name = fixture_fields[column].name;
  uint64_t form = next_random(10);
  if (form == 0) {
    osdear__buf_printf(out, "%s IS %sNULL", name, next_random(2) ? "NOT " : "");
  } else if (form == 1) {
    osdear__buf_printf(out, "%s %sIN (", name, next_random(2) ? "NOT " : "");
    for (uint64_t i = next_random(12); i > 0; i--) {
      random_literal(out, type);
      osdear__buf_puts(out, ", ");
    }
    random_literal(out, type);
    osdear__buf_puts(out, ")");
  } else if (form == 2) {
    static const char *const patterns[] = { "a%", "ab%", "%b", "%", "", "a_c", "abc", "_", "%b%", "ä%" };
    osdear__buf_printf(out, "s %sLIKE '%s'", next_random(2) ? "NOT " : "", patterns[next_random(COUNT_OF(patterns))]);
  } else if (form == 3) {
    static const char *const pairs[] = { "i32 < i64", "i8 = i16",  "f32 <= f64", "dec < wide",
                                         "d < ts",    "ts >= ntz", "dec = i32",  "s > s" };
    osdear__buf_puts(out, pairs[next_random(COUNT_OF(pairs))]);
  } else if (form == 4) {
    static const char *const casts[] = { "CAST(i32 AS BIGINT)", "CAST(i8 AS DOUBLE)",         "TRY_CAST(i32 AS BYTE)",
                                         "CAST(dec AS DOUBLE)", "CAST(i16 AS DECIMAL(12,3))", "TRY_CAST(wide AS DECIMAL(5,1))",
                                         "TRY_CAST(f64 AS INT)" };
    osdear__buf_printf(out, "%s %s %d", casts[next_random(COUNT_OF(casts))], operators[next_random(7)], (int)next_random(4));
  } else if (form == 5) {
    osdear__buf_printf(out, "year(%s) %s %d", next_random(2) ? "d" : "ts", operators[next_random(7)], 2023 + (int)next_random(3));
  } else {
    osdear__buf_printf(out, "%s %s ", name, operators[next_random(7)]);
    random_literal(out, type);
  }
}

static void random_predicate(osdear__buf *out, int depth)
{
  if (depth == 0 || next_random(3) == 0) {
    random_leaf(out);
    return;
  }
  osdear__buf_puts(out, next_random(4) == 0 ? "NOT (" : "(");
  random_predicate(out, depth - 1);
  osdear__buf_puts(out, next_random(2) ? " AND " : " OR ");
  random_predicate(out, depth - 1);
  osdear__buf_puts(out, next_random(8) == 0 ? ") IS NOT TRUE" : ")");
}

/* A batch, and for each flat column exact bounds, some of which are then forgotten. */
static void random_batch(struct ArrowArray *out, osdear__range ranges[FLAT], bool hidden[FLAT])
{
  osdear__builder *builder = NULL;
  int64_t rows = 1 + (int64_t)next_random(5);
  cr_assert_eq(osdear__builder_new(&fixture_type, &builder, NULL), OSDEAR_OK);
  for (size_t c = 0; c < FLAT; c++) {
    ranges[c] = (osdear__range){ .row_count = rows };
    hidden[c] = next_random(8) == 0;
  }
  for (int64_t i = 0; i < rows; i++) {
    for (size_t c = 0; c < FLAT; c++) {
      osdear__range *range = &ranges[c];
      const char *text = next_random(4) == 0 ? NULL : random_text(&fixture_fields[c].type);
      osdear__scalar value = scalar_of_text(&fixture_fields[c].type, text);
      int order;
      cr_assert_eq(osdear__builder_scalar(osdear__builder_child(builder, c), &value, NULL), OSDEAR_OK);
      range->null_count += value.is_null;
      if (text && strcmp(text, "NaN") == 0) {
        range->may_be_nan = true;
      } else if (text) {
        if (!range->has_min || (osdear__scalar_compare(&value, &range->min, &order) && order < 0))
          range->min = value;
        if (!range->has_max || (osdear__scalar_compare(&value, &range->max, &order) && order > 0))
          range->max = value;
        range->has_min = range->has_max = true;
      }
    }
    add_list(osdear__builder_child(builder, FLAT), (size_t)i % ROWS);
    add_map(osdear__builder_child(builder, FLAT + 1), (size_t)i % ROWS);
    add_struct(osdear__builder_child(builder, FLAT + 2), (size_t)i % ROWS);
    add_integer(osdear__builder_child(builder, FLAT + 3), "7");
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  for (size_t c = 0; c < FLAT; c++) {
    ranges[c].has_min = ranges[c].has_min && next_random(6) != 0;
    ranges[c].has_max = ranges[c].has_max && next_random(6) != 0;
    if (next_random(8) == 0)
      ranges[c].null_count = -1;
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
  osdear__builder_auto(&builder);
}

typedef struct all_ranges {
  osdear__range ranges[FLAT];
  bool hidden[FLAT];
} all_ranges;

static bool range_of_any(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  const all_ranges *all = argument;
  if (depth != 1 || path[0] >= FLAT || all->hidden[path[0]])
    return false;
  *out = all->ranges[path[0]];
  return true;
}

Test(pruning, never_contradicts_the_rows, .timeout = 60)
{
  const char *given = getenv("OSDEAR_SEED");
  uint64_t seed = given ? strtoull(given, NULL, 10) : osdear__random_u64() | 1;
  int64_t excluded = 0;
  int64_t confirmed = 0;
  random_state = seed;
  for (int round = 0; round < 400; round++) {
    struct ArrowArray batch = { 0 };
    all_ranges all;
    random_batch(&batch, all.ranges, all.hidden);
    for (int i = 0; i < 25; i++) {
      SCOPED(arena) arena = { 0 };
      SCOPED(buf) where = { 0 };
      osdear__expr_state state = { 0 };
      osdear__expr *expr = NULL;
      osdear_error *error = NULL;
      int32_t rows[8];
      int64_t count = 0;
      random_predicate(&where, 3);
      osdear_status st = osdear__expr_new(where.data, &fixture_type, &arena, &expr, &error);
      cr_assert_eq(st, OSDEAR_OK, "seed %" PRIu64 ": %s: %s", seed, where.data, osdear_error_message(error));
      st = osdear__expr_select(expr, &state, &batch, rows, &count, &error);
      cr_assert_eq(st, OSDEAR_OK, "seed %" PRIu64 ": %s: %s", seed, where.data, osdear_error_message(error));
      bool may = osdear__expr_may_match(expr, range_of_any, &all);
      bool must = osdear__expr_must_match(expr, range_of_any, &all);
      cr_assert(may || count == 0, "seed %" PRIu64 ": excluded, but a row matches: %s", seed, where.data);
      cr_assert(!must || count == batch.length, "seed %" PRIu64 ": confirmed, but a row does not match: %s", seed, where.data);
      excluded += !may;
      confirmed += must;
      osdear__expr_state_drop(&state);
    }
    osdear__array_drop(&batch);
  }
  cr_assert(excluded > 500 && confirmed > 100, "seed %" PRIu64 ": %d excluded, %d confirmed", seed, (int)excluded,
            (int)confirmed);
}
