/* What is told of predicates that are wrong, too deep or too long, and of memory that runs out. */
#include "fixture.h"

#include <stdio.h>

typedef struct mistake {
  const char *where;
  const char *message; /* part of it */
  int column;          /* the place pointed at */
} mistake;

static const mistake mistakes[] = {
  { "", "end of the text", 1 },
  { "i32 =", "end of the text", 6 },
  { "i32 = )", "expected a value, found ')'", 7 },
  { "when = 1", "expected a value (a column of that name is written in backticks), found 'when'", 1 },
  { "i32 = 1 2", "expected an operator", 9 },
  { "nope = 1", "no column 'nope'", 1 },
  { "st.nope = 1", "no column 'nope'", 4 },
  { "s.x = 1", "has no fields", 1 },
  { "i32 = 1 AND s", "expected a condition, found string", 13 },
  { "NOT i32", "expected a condition, found int", 5 },
  { "i32 = 'x'", "'x' is not a valid int", 7 },
  { "d = 'yesterday'", "is not a valid date", 5 },
  { "dec = '1,5'", "is not a valid decimal(10,2)", 7 },
  { "i32 = DATE '2024-13-01'", "not a valid date", 12 },
  { "ntz = TIMESTAMP_NTZ '2024-01-01 00:00:00Z'", "not a valid timestamp_ntz", 21 },
  { "d = 5", "cannot be compared", 1 },
  { "l = 1", "cannot be compared", 1 },
  { "st = st", "cannot be compared", 1 },
  { "b + 1 = 2", "does not go with", 1 },
  { "s LIKE s", "constant pattern", 8 },
  { "s LIKE 'a\\b'", "escape character", 8 },
  { "s LIKE 'a' ESCAPE 'xy'", "one character", 8 },
  { "s = 'abc", "no closing '", 5 },
  { "`i32 = 1", "no closing `", 1 },
  { "s /* = 'abc'", "comment without an end", 3 },
  { "bin = X'0g'", "hexadecimal", 7 },
  { "bin = X'0'''", "hexadecimal", 7 },
  { "i32 = 1x", "not a number", 7 },
  { "i32 = 99999999999999999999999999999999999999999", "not a number", 7 },
  { "i8 = 128Y", "not a number", 6 },
  { "CAST(i32 AS point) = 1", "not a type", 13 },
  { "CAST(l AS INT) = 1", "cannot be cast", 6 },
  { "i32 # 1", "unexpected character", 5 },
  { "nofunction(i32) = 1", "no function", 1 },
  { "abs(i32, 1) = 1", "takes 1 to 1 arguments", 1 },
  { "i32 IN ()", "expected a value", 9 },
  { "i32 IS 5", "expected NULL", 8 },
  { "i32 BETWEEN 1 OR 2", "expected AND", 15 },
  { "CASE WHEN b THEN 1 ELSE DATE '2024-01-01' END = 1", "no common type", 25 },
  { "m[s] = 1", "looked up by a constant", 3 },
  { "i32[0] = 1", "only lists and maps", 1 },
  { "s = 'äöü' AND s = 1 1", "expected an operator", 21 },
};

Test(mistakes, are_shown_with_their_place)
{
  for (size_t i = 0; i < COUNT_OF(mistakes); i++) {
    SCOPED(arena) arena = { 0 };
    osdear__expr *expr = NULL;
    osdear_error *error = NULL;
    char place[32];
    osdear_status st = osdear__expr_new(mistakes[i].where, &fixture_type, &arena, &expr, &error);
    cr_assert_eq(st, OSDEAR_ERR_ARGUMENT, "%s", mistakes[i].where);
    const char *message = osdear_error_message(error);
    snprintf(place, sizeof place, "at column %d:", mistakes[i].column);
    cr_assert(strstr(message, mistakes[i].message), "%s: %s", mistakes[i].where, message);
    cr_assert(strstr(message, place), "%s: %s", mistakes[i].where, message);
    osdear_error_free(error);
  }
}

Test(mistakes, the_caret_stands_under_the_place)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr *expr = NULL;
  osdear_error *error = NULL;
  cr_assert_eq(osdear__expr_new("s = 'ä' AND nope = 1", &fixture_type, &arena, &expr, &error), OSDEAR_ERR_ARGUMENT);
  cr_assert(strstr(osdear_error_message(error), "at column 13:\n  s = 'ä' AND nope = 1\n              ^"), "%s",
            osdear_error_message(error));
  osdear_error_free(error);
}

static osdear_status make(const char *text)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr *expr = NULL;
  return osdear__expr_new(text, &fixture_type, &arena, &expr, NULL);
}

static char *repeated(const char *before, const char *item, size_t count, const char *after)
{
  SCOPED(buf) text = { 0 };
  osdear__buf_puts(&text, before);
  for (size_t i = 0; i < count; i++)
    osdear__buf_puts(&text, item);
  osdear__buf_puts(&text, after);
  return osdear__buf_take(&text);
}

Test(mistakes, depth_is_bounded_and_length_is_not_depth)
{
  static const struct {
    const char *before, *item, *after;
    size_t count;
    osdear_status status;
  } texts[] = {
    { "", "(", "", 100000, OSDEAR_ERR_LIMIT },
    { "", "NOT ", "b", 100000, OSDEAR_ERR_LIMIT },
    { "", "NOT ", "b", 50, OSDEAR_OK },
    { "i32 = ", "- ", "i32", 100000, OSDEAR_ERR_LIMIT },
    { "i32 = i32", " + i32", "", 100000, OSDEAR_ERR_LIMIT },
    { "st", ".in", "", 100000, OSDEAR_ERR_LIMIT },
    { "i32 = 1", " OR i32 = 1", "", 20000, OSDEAR_OK },
    { "i32 = 1", " AND (b OR NOT b)", "", 20000, OSDEAR_OK },
    { "i32 = 1", " OR i32 = 1", "", 50000, OSDEAR_ERR_LIMIT },
    { "i32 IN (1", ", 2", ")", 20000, OSDEAR_OK },
    { "s = '", "x", "'", 100000, OSDEAR_OK },
    { "b", "                                ", "", (size_t)1 << 20, OSDEAR_ERR_LIMIT },
  };
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    char *text = repeated(texts[i].before, texts[i].item, texts[i].count, texts[i].after);
    cr_assert_eq(make(text), texts[i].status, "%zu: %d", i, (int)make(text));
    osdear__free(text);
  }
}

/* What COALESCE and BETWEEN look at twice doubles with each level. */
Test(mistakes, operations_are_counted_as_often_as_they_are_done)
{
  SCOPED(buf) nested = { 0 };
  SCOPED(buf) between = { 0 };
  for (int i = 0; i < 60; i++) {
    osdear__buf_puts(&nested, "coalesce(");
    osdear__buf_puts(&between, "(");
  }
  osdear__buf_puts(&nested, "i32");
  osdear__buf_puts(&between, "b");
  for (int i = 0; i < 60; i++) {
    osdear__buf_puts(&nested, ", i32)");
    osdear__buf_puts(&between, " BETWEEN b AND b)");
  }
  osdear__buf_puts(&nested, " = 1");
  cr_assert_eq(make(nested.data), OSDEAR_ERR_LIMIT);
  cr_assert_eq(make(between.data), OSDEAR_ERR_LIMIT);
}

Test(mistakes, text_that_is_not_utf8_is_refused)
{
  cr_assert_eq(make("s = '\xff'"), OSDEAR_ERR_ARGUMENT);
}

#ifdef OSDEAR_FAULTS
/* Parsing, binding, folding, evaluating and selecting. */
static osdear_status run(const struct ArrowArray *batch)
{
  static const char *const where =
      "(i32 IN (1, 2, 3, i8) OR s LIKE '%b%' OR CASE WHEN b THEN l[0] = 1 ELSE m['k'] = 2 END) AND lower(s) || 'x' <> 'y' "
      "AND CAST(d AS STRING) < '3' AND NOT (dec + 1 = 2 AND f64 BETWEEN 1 AND '2')";
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  osdear__expr *expr = NULL;
  struct ArrowArray out = { 0 };
  int32_t rows[ROWS];
  int64_t count;
  osdear_status st = osdear__expr_new(where, &fixture_type, &arena, &expr, NULL);
  if (!st)
    st = osdear__expr_eval(expr, &state, batch, &out, NULL);
  if (!st)
    osdear__array_drop(&out);
  if (!st)
    st = osdear__expr_select(expr, &state, batch, rows, &count, NULL);
  osdear__expr_state_drop(&state);
  return st;
}

Test(mistakes, every_failing_allocation_is_survived, .timeout = 60)
{
  struct ArrowArray batch = { 0 };
  osdear_status st = OSDEAR_ERR_NO_MEMORY;
  fixture_batch(1, &batch);
  cr_assert_eq(run(&batch), OSDEAR_OK);
  int64_t live = osdear__live();
  for (int64_t n = 0; st != OSDEAR_OK; n++) {
    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = run(&batch);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY, "%d", (int)st);
    cr_assert_eq(osdear__live(), live, "leak when allocation %d fails", (int)n);
  }
  osdear__array_drop(&batch);
}
#endif
