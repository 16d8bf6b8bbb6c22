/* What predicates say of rows: T, F or N for each of the six of fixture.h. */
#include "fixture.h"

typedef struct fact {
  const char *where;
  const char *outcomes;
} fact;

/* Evaluated as a column and as a selection, on the six rows and on many of them. */
static void check(const fact *f, const struct ArrowArray *batch)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  osdear__expr *expr = NULL;
  osdear_error *error = NULL;
  struct ArrowArray result = { 0 };
  int32_t *rows = osdear__alloc((size_t)batch->length * sizeof *rows);
  int64_t count = 0;

  osdear_status st = osdear__expr_new(f->where, &fixture_type, &arena, &expr, &error);
  cr_assert_eq(st, OSDEAR_OK, "%s: %s", f->where, osdear_error_message(error));
  cr_assert_eq(osdear__expr_type(expr)->kind, KIND_BOOLEAN, "%s", f->where);
  st = osdear__expr_eval(expr, &state, batch, &result, &error);
  cr_assert_eq(st, OSDEAR_OK, "%s: %s", f->where, osdear_error_message(error));
  st = osdear__expr_select(expr, &state, batch, rows, &count, &error);
  cr_assert_eq(st, OSDEAR_OK, "%s: %s", f->where, osdear_error_message(error));

  int64_t next = 0;
  int64_t nulls = 0;
  for (int64_t i = 0; i < batch->length; i++) {
    bool valid = osdear__is_valid(&result, i);
    bool value = ((const uint8_t *)result.buffers[1])[i >> 3] >> (i & 7) & 1;
    char outcome = !valid ? 'N' : value ? 'T' : 'F';
    nulls += !valid;
    cr_assert_eq(outcome, f->outcomes[i % ROWS], "%s: row %d is %c, not %c", f->where, (int)i, outcome, f->outcomes[i % ROWS]);
    if (outcome == 'T')
      cr_assert(next < count && rows[next++] == i, "%s: row %d was not selected", f->where, (int)i);
  }
  cr_assert_eq(next, count, "%s: too many rows selected", f->where);
  cr_assert_eq(nulls, result.null_count);
  osdear__array_drop(&result);
  osdear__expr_state_drop(&state);
  osdear__free(rows);
}

static void check_all(const fact *facts, size_t count)
{
  static const int64_t copies[] = { 1, 37 };
  for (size_t k = 0; k < COUNT_OF(copies); k++) {
    struct ArrowArray batch = { 0 };
    fixture_batch(copies[k], &batch);
    for (size_t i = 0; i < count; i++)
      check(&facts[i], &batch);
    osdear__array_drop(&batch);
  }
}

Test(predicates, a_char_is_compared_padded)
{
  static const fact facts[] = {
    { "c3 = 'a'", "TFFNFF" },
    { "'a' = c3", "TFFNFF" },
    { "c3 = 'a       '", "TFFNFF" },
    { "c3 = concat('a', '')", "TFFNFF" },
    { "c3 <> 'a'", "FTTNTT" },
    { "c3 = ''", "FFFNTF" },
    { "c3 < 'a\t'", "FFFNTF" },
    { "c3 = 'abcd'", "FFFNFF" },
    { "c3 < 'abcd'", "TTTNTT" },
    { "c3 > 'abc\t'", "FFTNFF" },
    { "c3 >= 'abc '", "FFTNFF" },
    { "c3 <=> 'a'", "TFFFFF" },
    { "c3 IN ('ab', '')", "FTFNTF" },
    { "c3 IN ('ab', 'abc     ')", "FTTNFF" },
    { "c3 NOT IN ('ab', 'abc     ')", "TFFNTT" },
    { "c3 BETWEEN 'a' AND 'ab'", "TTFNFF" },
    { "CASE c3 WHEN 'a' THEN true ELSE false END", "TFFFFF" },
    { "c3 = c5", "TFTNTT" },
    { "c5 > c3", "FTFNFF" },
    { "c3 IN (c5)", "TFTNTT" },
    { "c3 = s", "FFFNFF" },
    { "s = 'abc '", "FFFNFF" },
    { "lower(c3) = 'a'", "FFFNFF" },
    { "lower(c3) = 'a  '", "TFFNFF" },
    { "c3 LIKE 'a'", "FFFNFF" },
    { "length(c3) = 3", "TTTNTT" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, a_char_that_is_too_long_to_compare_is_refused)
{
  osdear__field field = { "c", true, -1, NULL, { .kind = KIND_STRING, .width = INT32_MAX } };
  const osdear__type type = { .kind = KIND_STRUCT, .field_count = 1, .fields = &field };
  SCOPED(arena) arena = { 0 };
  osdear__expr *expr = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__expr_new("c = 'a'", &type, &arena, &expr, &error), OSDEAR_ERR_LIMIT);
  cr_assert_not_null(strstr(osdear_error_message(error), "CHAR(2147483647)"));
  osdear_error_free(error);
}

Test(predicates, numbers_are_compared_exactly)
{
  static const fact facts[] = {
    { "i32 = 2", "FTFNFF" },
    { "2 < i32", "FFTNFT" },
    { "i32 <> 2", "TFTNTT" },
    { "i32 != 2 AND i32 <= 3", "TFTNTF" },
    { "i32 > 1.5", "FTTNFT" },
    { "i32 >= 1.5", "FTTNFT" },
    { "i32 < 1.5", "TFFNTF" },
    { "i32 = 1.5", "FFFNFF" },
    { "i32 <> 1.5", "TTTNTT" },
    { "i32 < 3000000000", "TTTNTT" },
    { "i32 > -3000000000", "TTTNTT" },
    { "i32 >= 3000000000", "FFFNFF" },
    { "i32 = 99999999999999999999999999999999999999", "FFFNFF" },
    { "i8 >= -128 AND i8 <= 127", "TTTNTT" },
    { "i8 < -128", "FFFNFF" },
    { "i8 = 127", "FFTNFF" },
    { "i16 = -32768", "FTFNFF" },
    { "i64 = 9007199254740993", "FFNFFT" },
    { "i64 > 9007199254740992", "FFNFFT" },
    { "i64 > i32", "TTNNTT" },
    { "i32 < i8", "FFTNTF" },
    { "i32 <= i8", "TFTNTF" },
    { "i32 >= i8", "TTFNFT" },
    { "i64 = '20'", "FTNFFF" },
    { "i32 = '2.0'", "FTFNFF" },
    { "dec = 1.5", "FTNFFF" },
    { "dec > 1", "FTNFTF" },
    { "dec >= 1.499", "FTNFTF" },
    { "dec = 1.001", "FFNFFF" },
    { "dec < wide", "FFNFTF" },
    { "dec = wide", "TTNTFT" },
    { "dec <= i32", "TTNNFT" },
    { "wide > 12345678901234567890", "FFNFTF" },
    { "dec = '1.50'", "FTNFFF" },
    { "f64 = 1.5", "TFFNFF" },
    { "f64 > 1", "TTFNTT" }, /* NaN is the greatest */
    { "f64 = CAST('NaN' AS DOUBLE)", "FTFNFF" },
    { "f64 < CAST('NaN' AS DOUBLE)", "TFTNTT" },
    { "f64 = 0", "FFTNFF" }, /* -0.0 */
    { "f64 >= 1e308", "FTFNTF" },
    { "f32 = 0.1", "FFFNFF" }, /* the float nearest to 0.1 is not the double nearest to it */
    { "f32 = 0.1f", "FFFNFT" },
    { "f32 = f64", "TTTNTF" },
    { "f32 < f64", "FFFNFT" },
    { "f64 <= i32", "FFTNFT" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, text_is_compared_by_bytes_and_patterns_by_characters)
{
  static const fact facts[] = {
    { "s = 'abc'", "TFFNFF" },
    { "s <> 'abc'", "FTTNTT" },
    { "s < 'abc'", "FTTNFF" },
    { "s <= 'abc'", "TTTNFF" },
    { "s > 'abcd'", "FFFNTT" },
    { "s >= ''", "TTTNTT" },
    { "s = ''", "FFTNFF" },
    { "s = 'äöü%_x'", "FFFNTF" },
    { "s = 'it''s'", "FFFNFF" },
    { "bin = X'616263'", "TFFNFF" },
    { "bin > X'61'", "TFFNTT" },
    { "bin = 'abc'", "TFFNFF" },
    { "s LIKE 'a%'", "TFFNFF" },
    { "s LIKE '%b%'", "TFFNFT" },
    { "s LIKE '%a'", "FFFNFT" },
    { "s LIKE '___'", "TTFNFF" },
    { "s LIKE '______'", "FFFNTF" },
    { "s LIKE '_ö%'", "FFFNTF" },
    { "s LIKE '%\\%\\_x'", "FFFNTF" },
    { "s LIKE '%!%!_x' ESCAPE '!'", "FFFNTF" },
    { "s LIKE '%'", "TTTNTT" },
    { "s LIKE ''", "FFTNFF" },
    { "s LIKE 'z%b%a'", "FFFNFT" },
    { "s LIKE 'z%b_a'", "FFFNFT" },
    { "s LIKE 'z%a%a'", "FFFNFF" },
    { "s LIKE '%_b_'", "TFFNFF" },
    { "s LIKE '%_b__'", "FFFNFT" },
    { "s NOT LIKE 'a%'", "FTTNTT" },
    { "s LIKE NULL", "NNNNNN" },
    { "starts_with(s, 'ab')", "TFFNFF" },
    { "ends_with(s, 'bra') OR contains(s, 'BC')", "FTFNFT" },
    { "lower(s) = 'abc'", "TTFNFF" },
    { "upper(s) = 'ÄÖÜ%_X'", "FFFNTF" },
    { "length(s) = 6", "FFFNTF" },
    { "length(bin) = 9", "FFFNTF" },
    { "s || '!' = 'abc!'", "TFFNFF" },
    { "concat(s, i32) = 'abc1'", "TFFNFF" },
    { "substring(s, 2, 2) = 'öü'", "FFFNTF" },
    { "substring(s, -3) = 'bra'", "FFFNFT" },
    { "substr(s, 0, 1) = 'a'", "TFFNFF" },
    { "substr(s, -5, 3) = 'a' OR substr(s, 1, -1) <> ''", "TFFNFF" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, dates_and_times_are_compared_in_utc)
{
  static const fact facts[] = {
    { "d = DATE '2024-02-29'", "FTFNFF" },
    { "d >= '2024-01-01' AND d < '2024-03-01'", "TTFNFF" },
    { "d BETWEEN DATE '1969-12-31' AND DATE '2000-01-01'", "FFTNFT" },
    { "d < TIMESTAMP '2000-01-01 00:00:01'", "FFTNFT" },
    { "ts = TIMESTAMP '2024-01-01 13:00:00+01:00'", "FTNFFF" },
    { "ts = DATE '2024-01-01'", "TFNFFF" },
    { "CAST(ts AS DATE) = '2024-01-01'", "TTNFFF" },
    { "ts::date < DATE '1970-01-01'", "FFNTFF" },
    { "ts > '2024-01-01 11:00:00'", "FTNFTF" },
    { "ntz = TIMESTAMP_NTZ '2024-01-01 12:00:00'", "FTNFFF" },
    { "ts = ntz", "TTNTTT" },
    { "ts >= d", "TFNNTT" },
    { "year(d) = 2024 AND month(d) = 12 AND day(d) = 31", "FFFNTF" },
    { "year(ts) = 1969", "FFNTFF" },
    { "d + 1 = DATE '2024-03-01'", "FTFNFF" },
    { "d - 1 = DATE '2023-12-31'", "TFFNFF" },
    { "CAST(ts AS STRING) = '1969-12-31 23:59:59.999999'", "FFNTFF" },
    { "CAST(ts AS STRING) = '2024-01-01 12:00:00'", "FTNFFF" },
    { "CAST(d AS STRING) LIKE '2024%'", "TTFNTF" },
    { "CAST(ts AS BIGINT) = -1", "FFNTFF" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, logic_has_three_values)
{
  static const fact facts[] = {
    { "b", "TFNTFT" },
    { "NOT b", "FTNFTF" },
    { "b = TRUE", "TFNTFT" },
    { "b <> TRUE", "FTNFTF" },
    { "b IS TRUE", "TFFTFT" },
    { "b IS NOT TRUE", "FTTFTF" },
    { "b IS FALSE", "FTFFTF" },
    { "b IS NOT FALSE", "TFTTFT" },
    { "b IS UNKNOWN", "FFTFFF" },
    { "b AND i32 > 0", "TFNNFT" },
    { "b OR i32 > 0", "TTTTFT" },
    { "NOT (b AND i32 > 0)", "FTNNTF" },
    { "NOT (b OR i32 > 0)", "FFFFTF" },
    { "b AND NULL", "NFNNFN" },
    { "b OR NULL", "TNNTNT" },
    { "i32 IS NULL", "FFFTFF" },
    { "i32 IS NOT NULL AND i64 IS NULL", "FFTFFF" },
    { "i32 = NULL", "NNNNNN" },
    { "i32 <=> NULL", "FFFTFF" },
    { "i32 <=> 2", "FTFFFF" },
    { "i32 IS DISTINCT FROM 2", "TFTTTT" },
    { "i32 IS NOT DISTINCT FROM i8", "TFFTFF" },
    { "i32 <=> 1.5", "FFFFFF" },
    { "NOT i32 <=> 2", "TFTTTT" },
    { "i32 IN (1, 3, 100)", "TFTNFT" },
    { "i32 NOT IN (1, 3, 100)", "FTFNTF" },
    { "i32 IN (1, NULL)", "TNNNNN" },
    { "i32 NOT IN (1, NULL)", "FNNNNN" },
    { "i32 IN (1.5, 2.0, 3000000000)", "FTFNFF" },
    { "i32 IN (-5, 1, 10, 20, 30, 40, 50, 60, 70, 80)", "TFFNTF" },
    { "i64 IN (-500000000000, 10, 20, 30, 40, 50, 60, 70, 80, 90)", "TTNTTF" },
    { "s IN ('abc', 'x', '')", "TFTNFF" },
    { "s IN ('a','b','c','d','e','f','g','h','zebra','ABC')", "FTFNFT" },
    { "f64 IN (1.5, 0, 3)", "TFTNFF" },
    { "f64 IN (1.5, 0, 3, 4, 5, 6, 7, 8, 9, 10)", "TFTNFF" },
    { "dec IN (1, 1.5, 1.234)", "TTNFFF" },
    { "d IN ('2024-01-01', DATE '2000-01-01')", "TFFNFT" },
    { "b IN (TRUE)", "TFNTFT" },
    { "i32 IN (i8, 2)", "TTFNFF" },
    { "i32 BETWEEN 2 AND 99", "FTTNFF" },
    { "i32 NOT BETWEEN 2 AND 99", "TFFNTT" },
    { "i32 = 1 OR i32 = 2 OR i32 = 3 OR i32 IS NULL", "TTTTFF" },
    { "1 = 1", "TTTTTT" },
    { "TRUE AND b", "TFNTFT" },
    { "FALSE OR b", "TFNTFT" },
    { "FALSE AND b", "FFFFFF" },
    { "`a b` = 7 AND \"a b\" = 7", "TTTTTT" },
    { "I32 = 2", "FTFNFF" },
    { "i32 = 2 -- remark", "FTFNFF" },
    { "i32 /* remark */ = 2", "FTFNFF" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, nested_values_are_reached_by_path)
{
  static const fact facts[] = {
    { "st.a = 4", "FNNTFF" },          { "st.a IS NULL", "FTTFFF" },  { "st IS NULL", "FFTFFF" },
    { "st.in IS NULL", "FTTFFF" },     { "st.in.x = 'p'", "TNNNFT" }, { "st.in.x IS NULL", "FTTTFF" },
    { "l[0] = 1", "TNNFFT" },          { "l[1] IS NULL", "FTTTTT" },  { "l[-1] IS NULL", "TTTTTT" },
    { "l[i32] = 2", "TNNNNN" },        { "m['k'] = 1", "TNNNNF" },    { "m['j'] IS NOT NULL", "FFFTTF" },
    { "m['none'] IS NULL", "TTTTTT" }, { "l IS NULL", "FFTFFF" },
  };
  check_all(facts, COUNT_OF(facts));
}

Test(predicates, arithmetic_and_casts_follow_ansi_spark)
{
  static const fact facts[] = {
    { "i32 + 1 = 3", "FTFNFF" },
    { "i32 * i32 = 4", "FTFNFF" },
    { "-i32 = 5", "FFFNTF" },
    { "i32 % 2 = 1", "TFTNFF" },
    { "i32 / 2 = 1.5", "FFTNFF" },
    { "1 - i32 - 1 = -1", "TFFNFF" },
    { "2 + 3 * 4 = 14", "TTTTTT" },
    { "(2 + 3) * 4 = 20", "TTTTTT" },
    { "-2147483648 = i32", "FFFNFF" },
    { "-9223372036854775808 < i64", "TTNTTT" },
    { "dec + 0.01 = 1.51", "FTNFFF" },
    { "dec * 2 = 3", "FTNFFF" },
    { "dec / 3 = 0.5", "FTNFFF" },
    { "dec % 1 = 0.5", "FTNFFF" },
    { "f64 * 2 = 3", "TFFNFF" },
    { "abs(i32) = 5", "FFFNTF" },
    { "abs(dec) = 2.25", "FFNTFF" },
    { "CAST(i32 AS STRING) = '100'", "FFFNFT" },
    { "CAST(f64 AS STRING) = '1.5'", "TFFNFF" },
    { "CAST(dec AS STRING) = '-2.25'", "FFNTFF" },
    { "CAST(dec AS INT) = 1", "TTNFFF" },
    { "CAST(dec AS DECIMAL(10,1)) = -2.3", "FFNTFF" },
    { "TRY_CAST(i32 AS BYTE) = 100", "FFFNFT" },
    { "TRY_CAST(i64 AS INT) IS NULL", "FFTFFT" },
    { "TRY_CAST(s AS INT) IS NULL", "TTTTTT" },
    { "TRY_CAST(f64 AS INT) = 1", "TNFNNF" },
    { "CAST(b AS INT) = 1", "TFNTFT" },
    { "CAST(i8 AS BOOLEAN)", "TTTNFT" },
    { "CAST('12' AS INT) = 12", "TTTTTT" },
    { "CASE WHEN i32 > 2 THEN 'big' WHEN i32 > 0 THEN 'small' END = 'small'", "TTFNNF" },
    { "CASE i32 WHEN 1 THEN TRUE ELSE b END", "TFNTFT" },
    { "coalesce(i32, i64) = 40", "FFFTFF" },
    { "nullif(i32, 2) IS NULL", "FTFTFF" },
    { "if(b, i32, 0) = 0", "FTTNTF" },
    { "i32 <> 0 AND 10 / i32 = 5", "FTFNFF" },
    { "i8 <> 0 AND 10 % i8 = 0", "TFFNFT" },
    { "CASE WHEN i8 <> 0 THEN 10 % i8 = 0 ELSE FALSE END", "TFFFFT" },
    { "i8 = 0 OR 10 % i8 = 0", "TFFNTT" },
  };
  check_all(facts, COUNT_OF(facts));
}

/* Predicates that fail on a row, and what they name. */
Test(predicates, what_a_row_cannot_answer_is_told)
{
  static const char *const wrong[] = { "i32 / i8 = 1",
                                       "i8 + i8 > 0",
                                       "CAST(s AS INT) = 1",
                                       "CAST(i32 AS BYTE) + i8 = 0 OR i8 % 0 = 1",
                                       "1 / 0 = 1",
                                       "-i8 = 1",
                                       "abs(i8) = 1",
                                       "CAST(i64 AS INT) = 1",
                                       "dec * 1e38BD = 1",
                                       "i64 * i64 > 0",
                                       "CAST(bin || X'ff' AS STRING) = 'a'" };
  struct ArrowArray batch = { 0 };
  fixture_batch(1, &batch);
  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    SCOPED(arena) arena = { 0 };
    osdear__expr_state state = { 0 };
    osdear__expr *expr = NULL;
    osdear_error *error = NULL;
    int32_t rows[ROWS];
    int64_t count;
    osdear_status st = osdear__expr_new(wrong[i], &fixture_type, &arena, &expr, NULL);
    if (st == OSDEAR_OK)
      st = osdear__expr_select(expr, &state, &batch, rows, &count, &error);
    cr_assert(st == OSDEAR_ERR_DATA || st == OSDEAR_ERR_ARGUMENT, "%s: %d", wrong[i], (int)st);
    osdear_error_free(error);
    osdear__expr_state_drop(&state);
  }
  osdear__array_drop(&batch);
}

Test(predicates, a_batch_without_rows_selects_none)
{
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  osdear__expr *expr = NULL;
  struct ArrowArray batch = { 0 };
  struct ArrowArray out = { 0 };
  int32_t row;
  int64_t count = -1;
  fixture_batch(0, &batch);
  cr_assert_eq(osdear__expr_new("i32 > 0 AND l[0] = 1 AND m['k'] = 2 OR s LIKE '%a_'", &fixture_type, &arena, &expr, NULL),
               OSDEAR_OK);
  cr_assert_eq(osdear__expr_select(expr, &state, &batch, &row, &count, NULL), OSDEAR_OK);
  cr_assert_eq(count, 0);
  cr_assert_eq(osdear__expr_eval(expr, &state, &batch, &out, NULL), OSDEAR_OK);
  cr_assert_eq(out.length, 0);
  osdear__array_drop(&out);
  osdear__array_drop(&batch);
  osdear__expr_state_drop(&state);
}

/* Imported arrays end with their last value: the sanitizer watches these. */
Test(predicates, nothing_is_read_past_the_end_of_a_strangers_buffers)
{
  static const char *const wheres[] = { "s = 'abc'",       "s < 'abcdefghi'", "s > 'b' AND b",  "i32 = 3 OR b IS NULL",
                                        "s IN ('c', 'd')", "s LIKE '%c'",     "lower(s) = 'c'", "NOT b",
                                        "b = (s = 'abc')" };
  osdear__field fields[] = { fixture_fields[0], fixture_fields[3], fixture_fields[9] };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = 3, .fields = fields };
  const uint8_t bits = 0x05;
  const int32_t numbers[3] = { 1, 2, 3 };
  const int32_t offsets[4] = { 0, 1, 2, 3 };
  struct {
    const void *data;
    size_t size;
    void *copy;
  } parts[] = { { &bits, 1, NULL },
                { &bits, 1, NULL },
                { numbers, sizeof numbers, NULL },
                { offsets, sizeof offsets, NULL },
                { "abc", 3, NULL } };
  for (size_t i = 0; i < COUNT_OF(parts); i++) {
    parts[i].copy = osdear__alloc(parts[i].size);
    memcpy(parts[i].copy, parts[i].data, parts[i].size);
  }
  const void *booleans[] = { parts[0].copy, parts[1].copy };
  const void *integers[] = { NULL, parts[2].copy };
  const void *strings[] = { parts[0].copy, parts[3].copy, parts[4].copy };
  struct ArrowArray columns[] = { { .length = 3, .null_count = 1, .n_buffers = 2, .buffers = booleans },
                                  { .length = 3, .n_buffers = 2, .buffers = integers },
                                  { .length = 3, .null_count = 1, .n_buffers = 3, .buffers = strings } };
  struct ArrowArray *children[] = { &columns[0], &columns[1], &columns[2] };
  struct ArrowArray batch = { .length = 3, .n_children = 3, .children = children };

  for (size_t i = 0; i < COUNT_OF(wheres); i++) {
    SCOPED(arena) arena = { 0 };
    osdear__expr_state state = { 0 };
    osdear__expr *expr = NULL;
    int32_t rows[3];
    int64_t count;
    cr_assert_eq(osdear__expr_new(wheres[i], &type, &arena, &expr, NULL), OSDEAR_OK, "%s", wheres[i]);
    cr_assert_eq(osdear__expr_select(expr, &state, &batch, rows, &count, NULL), OSDEAR_OK, "%s", wheres[i]);
    osdear__expr_state_drop(&state);
  }
  for (size_t i = 0; i < COUNT_OF(parts); i++)
    osdear__free(parts[i].copy);
}
