#include "lake.h"

#include <math.h>

typedef struct parsed {
  lake here;
  const osdear__type *type;
  osdear__file_stats *stats;
} parsed;

static void parse(parsed *self, const char *type, const char *json)
{
  lake_open(&self->here);
  self->type = lake_type(&self->here, type);
  OK(osdear__stats_parse(osdear__str_of(json), self->type, &self->here.arena, &self->stats, WHY));
}

static bool range_at(const parsed *self, size_t a, size_t b, osdear__range *out)
{
  size_t path[2] = { a, b };

  return osdear__stats_range(self->stats, path, b == SIZE_MAX ? 1 : 2, out);
}

static bool range_of(const parsed *self, size_t column, osdear__range *out)
{
  return range_at(self, column, SIZE_MAX, out);
}

Test(stats, tells_bounds_of_every_type)
{
  parsed p;
  osdear__range r;

  parse(
      &p, "b byte, l long, d double, m decimal(10,2), s string, t date, f float, z boolean",
      " { \"numRecords\" : 7 , \"minValues\":{\"b\":-5,\"l\":-9223372036854775808,\"d\":-1.5e3,\"m\":-12.34,\"s\":\"a\\u00e9\\n\\ud83d\\ude00\","
      "\"t\":\"1969-12-31\",\"f\":0.1,\"z\":false},\"maxValues\":{\"b\":5,\"l\":9223372036854775807,\"d\":2,\"m\":12.3,\"s\":\"z\","
      "\"t\":\"2024-01-01\",\"f\":0.2,\"z\":true},\"nullCount\":{\"b\":0,\"l\":7}}");
  cr_assert_eq(osdear__stats_rows(p.stats), 7);
  cr_assert(range_of(&p, 0, &r) && r.has_min && r.has_max && r.min.i64 == -5 && r.max.i64 == 5 && r.null_count == 0 &&
            r.row_count == 7);
  cr_assert(range_of(&p, 1, &r) && r.min.i64 == INT64_MIN && r.max.i64 == INT64_MAX && r.null_count == 7 && !r.may_be_nan);
  cr_assert(range_of(&p, 2, &r) && r.min.f64 == -1500 && r.max.f64 == 2 && r.may_be_nan && r.null_count == -1);
  cr_assert(range_of(&p, 3, &r) && r.min.decimal == -1234 && r.max.decimal == 1230);
  cr_assert(range_of(&p, 4, &r) && osdear__str_is(r.min.bytes, "a\xc3\xa9\n\xf0\x9f\x98\x80") &&
            osdear__str_is(r.max.bytes, "z"));
  cr_assert(range_of(&p, 5, &r) && r.min.i64 == -1 && r.max.i64 == 19723);
  cr_assert(range_of(&p, 6, &r) && r.min.f64 == (double)0.1f && r.max.f64 == (double)0.2f);
  cr_assert(range_of(&p, 7, &r) && r.has_min && r.min.i64 == 0 && r.max.i64 == 1);
  lake_close(&p.here);
}

Test(stats, leaves_room_for_cut_timestamps)
{
  parsed p;
  osdear__range r;

  parse(&p, "t timestamp, n timestamp_ntz, no_zone timestamp",
        "{\"minValues\":{\"t\":\"1970-01-01T00:00:01.000Z\",\"n\":\"1970-01-02\",\"no_zone\":\"1970-01-01T00:00:01\"},"
        "\"maxValues\":{\"t\":\"1970-01-01T00:00:02.500Z\",\"n\":\"1970-01-02T00:00:00.001\"}}");
  cr_assert(range_of(&p, 0, &r) && r.min.i64 == 999000 && r.max.i64 == 2501000);
  cr_assert(range_of(&p, 1, &r) && r.min.i64 == OSDEAR__DAY_US - 1000 && r.max.i64 == OSDEAR__DAY_US + 2000);
  cr_assert(!range_of(&p, 2, &r) || !r.has_min);
  lake_close(&p.here);
}

/* Spark writes the shortest text of a float, 0.1, whose value as a double is 0.10000000149: the column may have become one of doubles. */
Test(stats, of_floats_hold_for_the_doubles_they_became)
{
  parsed p;
  osdear__range r;

  parse(&p, "d double, e double", "{\"minValues\":{\"d\":0.3,\"e\":-1e300},\"maxValues\":{\"d\":0.1,\"e\":1e300}}");
  cr_assert(range_of(&p, 0, &r) && r.min.f64 == 0.3 && r.max.f64 == (double)0.1f);
  cr_assert(range_of(&p, 1, &r) && r.min.f64 == -1e300 && r.max.f64 == 1e300);
  lake_close(&p.here);
  parse(&p, "d double, e double", "{\"minValues\":{\"d\":0.7},\"maxValues\":{\"d\":0.9}}");
  cr_assert(range_of(&p, 0, &r) && r.min.f64 == (double)0.7f && r.max.f64 == 0.9);
  lake_close(&p.here);
}

Test(stats, follows_structs_and_escaped_names)
{
  parsed p;
  osdear__range r;

  parse(&p, "s struct<a:long,b:long>, \xc3\xa9 long",
        "{\"numRecords\":2,\"minValues\":{\"s\":{\"a\":1},\"\\u00e9\":3},\"maxValues\":{\"s\":{\"a\":2,\"b\":9},\"\\u00e9\":4},"
        "\"nullCount\":{\"s\":{\"a\":0,\"b\":1},\"\\u00e9\":0}}");
  cr_assert(range_at(&p, 0, 0, &r) && r.min.i64 == 1 && r.max.i64 == 2 && r.null_count == 0);
  cr_assert(range_at(&p, 0, 1, &r) && !r.has_min && r.max.i64 == 9 && r.null_count == 1);
  cr_assert(range_of(&p, 1, &r) && r.min.i64 == 3 && r.max.i64 == 4);
  cr_assert(range_of(&p, 0, &r) && !r.has_min && !r.has_max && r.null_count == -1);
  lake_close(&p.here);
}

Test(stats, nan_is_no_bound)
{
  parsed p;
  osdear__range r;

  parse(&p, "d double, e double",
        "{\"minValues\":{\"d\":\"-Infinity\",\"e\":\"NaN\"},\"maxValues\":{\"d\":\"NaN\",\"e\":\"NaN\"}}");
  cr_assert(range_of(&p, 0, &r) && r.has_min && isinf(r.min.f64) && !r.has_max && r.may_be_nan);
  cr_assert(!range_of(&p, 1, &r));
  lake_close(&p.here);
}

Test(stats, bounds_that_are_not_tight_give_only_sure_null_counts)
{
  parsed p;
  osdear__range r;

  parse(&p, "a long, b long, c long", "{\"numRecords\":5,\"tightBounds\":false,\"nullCount\":{\"a\":0,\"b\":2,\"c\":5}}");
  cr_assert(range_of(&p, 0, &r) && r.null_count == 0);
  cr_assert(range_of(&p, 1, &r) && r.null_count == -1);
  cr_assert(range_of(&p, 2, &r) && r.null_count == 5);
  lake_close(&p.here);
}

Test(stats, what_makes_no_sense_is_unknown)
{
  static const char *const bad[] = {
    "",      "null",      "[]", "{",         "{\"numRecords\"",          "{\"numRecords\":",   "{\"a\":1",
    "{a:1}", "{\"a\" 1}", "7",  "{\"a\":\"", "{\"minValues\":{\"a\":1}", "{\"minValues\":[{]}"
  };
  static const char *const odd[] = { "{\"numRecords\":-1,\"minValues\":{\"a\":\"x\"},\"maxValues\":{\"a\":9223372036854775808}}",
                                     "{\"minValues\":7,\"maxValues\":null}",
                                     "{\"minValues\":{\"a\":1.5},\"nullCount\":{\"a\":-1}}",
                                     "{\"minValues\":{\"a\":{\"a\":1}},\"numRecords\":\"1\"}",
                                     "{\"numRecords\":1e3,\"minValues\":{\"a\":[1]}}",
                                     "{\"minValues\":{\"A\":1}}",
                                     "{\"minValues\":{\"a\\u0000\":1}}",
                                     "{\"minValues\":{\"a\" : \"\\ud800\"}}",
                                     "{\"minValues\":{\"a\":\"\\q\"}}" };
  osdear__range r;

  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    parsed p;
    parse(&p, "a long", bad[i]);
    cr_assert(!p.stats || !range_of(&p, 0, &r), "%s", bad[i]);
    lake_close(&p.here);
  }
  for (size_t i = 0; i < COUNT_OF(odd); i++) {
    parsed p;
    parse(&p, "a long", odd[i]);
    cr_assert(!range_of(&p, 0, &r), "%s", odd[i]);
    cr_assert_eq(osdear__stats_rows(p.stats), -1);
    lake_close(&p.here);
  }
}

Test(stats, the_last_of_doubled_keys_wins)
{
  parsed p;
  osdear__range r;

  parse(&p, "a long", "{\"minValues\":{\"a\":1,\"a\":2},\"numRecords\":3,\"numRecords\":4}");
  cr_assert(range_of(&p, 0, &r) && r.min.i64 == 2 && r.row_count == 4);
  lake_close(&p.here);
}

Test(stats, survives_every_byte_being_cut_or_changed)
{
  const char *text = "{\"numRecords\":2,\"minValues\":{\"a\":\"\\u00e9\\\"\",\"b\":{\"c\":1}},\"nullCount\":{\"a\":0}}";
  size_t length = strlen(text);

  for (size_t i = 0; i < length; i++)
    for (int change = 0; change < 5; change++) {
      char copy[200];
      parsed p;
      osdear__range r;
      memcpy(copy, text, length + 1);
      copy[i] = "\0\"\\}{"[change];
      parse(&p, "a string, b struct<c:long>", copy);
      if (p.stats) {
        (void)range_of(&p, 0, &r);
        (void)range_at(&p, 1, 0, &r);
      }
      lake_close(&p.here);
    }
}

/* ---- printing ---- */

/* The statistics of the one file that one append makes. */
static const char *written(lake *here, const char *type, const char *properties, const char *rows)
{
  osdear_table *table = NULL;
  osdear__commit commit = { 0 };
  osdear__json_parser *parser = NULL;
  const char *stats;

  lake_open(here);
  OK(lake_create(here, type, NULL, properties, &table, WHY));
  OK(lake_append(here, table, rows, NULL, NULL, WHY));
  OK(osdear__commit_read(here->store, 1, COMMIT_FILES | COMMIT_STATS, &parser, &commit, WHY));
  cr_assert_eq(commit.add_count, 1);
  stats = osdear__arena_strndup(&here->arena, commit.adds[0].stats.data, commit.adds[0].stats.size);
  osdear__commit_drop(&commit);
  osdear__json_parser_auto(&parser);
  osdear_table_free(table);
  return stats;
}

static void expect_written(const char *type, const char *properties, const char *rows, const char *wanted)
{
  lake here;
  const char *stats = written(&here, type, properties, rows);

  cr_assert_str_eq(stats, wanted, "\n%s\n%s", stats, wanted);
  lake_close(&here);
}

Test(stats, are_written_for_every_type)
{
  expect_written(
      "b byte, l long, d double, m decimal(10,2), s string, t date, u timestamp, n timestamp_ntz, z boolean, x binary, f float",
      NULL,
      "[{\"b\":-5,\"l\":-9223372036854775808,\"d\":1.5,\"m\":\"-0.05\",\"s\":\"b\",\"t\":\"2024-02-29\",\"u\":\"1969-12-31T23:59:59.999999Z\","
      "\"n\":\"2024-01-01 00:00:00.123456\",\"z\":true,\"x\":\"q\",\"f\":0.1},{\"b\":7,\"l\":1,\"d\":-2,\"m\":\"12\",\"s\":\"a\"}]",
      "{\"numRecords\":2,\"minValues\":{\"b\":-5,\"l\":-9223372036854775808,\"d\":-2.0,\"m\":-0.05,\"s\":\"a\",\"t\":\"2024-02-29\","
      "\"u\":\"1969-12-31T23:59:59.999Z\",\"n\":\"2024-01-01T00:00:00.123\",\"f\":0.1},\"maxValues\":{\"b\":7,\"l\":1,\"d\":1.5,"
      "\"m\":12.00,\"s\":\"b\",\"t\":\"2024-02-29\",\"u\":\"1969-12-31T23:59:59.999Z\",\"n\":\"2024-01-01T00:00:00.123\",\"f\":0.1},"
      "\"nullCount\":{\"b\":0,\"l\":0,\"d\":0,\"m\":0,\"s\":0,\"t\":1,\"u\":1,\"n\":1,\"z\":1,\"x\":1,\"f\":1}}");
}

Test(stats, are_nested_and_count_nulls_of_lists)
{
  expect_written(
      "s struct<a:long,b:struct<c:string>,l:array<long>>, l array<long>, m map<string,long>", NULL,
      "[{\"s\":{\"a\":1,\"b\":{\"c\":\"x\"},\"l\":[1]},\"l\":[1,2],\"m\":{\"k\":1}},{\"s\":{\"b\":null},\"l\":null},{\"s\":null}]",
      "{\"numRecords\":3,\"minValues\":{\"s\":{\"a\":1,\"b\":{\"c\":\"x\"}}},\"maxValues\":{\"s\":{\"a\":1,\"b\":{\"c\":\"x\"}}},"
      "\"nullCount\":{\"s\":{\"a\":2,\"b\":{\"c\":2},\"l\":2},\"l\":2,\"m\":2}}");
}

Test(stats, leave_out_what_json_or_order_cannot_hold)
{
  expect_written(
      "d double, f float, e double, s string", NULL,
      "[{\"d\":\"NaN\",\"f\":\"-Infinity\",\"e\":\"NaN\"},{\"d\":1,\"f\":2},{\"d\":3}]",
      "{\"numRecords\":3,\"minValues\":{\"d\":1.0},\"maxValues\":{\"f\":2.0},\"nullCount\":{\"d\":0,\"f\":1,\"e\":2,\"s\":3}}");
}

Test(stats, end_at_the_number_of_indexed_columns)
{
  expect_written(
      "a long, s struct<b:long,c:long>, d long", "delta.dataSkippingNumIndexedCols=2",
      "[{\"a\":1,\"s\":{\"b\":2,\"c\":3},\"d\":4}]",
      "{\"numRecords\":1,\"minValues\":{\"a\":1,\"s\":{\"b\":2}},\"maxValues\":{\"a\":1,\"s\":{\"b\":2}},\"nullCount\":{\"a\":0,\"s\":{\"b\":0}}}");
  expect_written("a long", "delta.dataSkippingNumIndexedCols=0", "[{\"a\":1}]",
                 "{\"numRecords\":1,\"minValues\":{},\"maxValues\":{},\"nullCount\":{}}");
  expect_written(
      "a long, s struct<b:long,c:long>, d long", "delta.dataSkippingStatsColumns=d, S.c",
      "[{\"a\":1,\"s\":{\"b\":2,\"c\":3},\"d\":4}]",
      "{\"numRecords\":1,\"minValues\":{\"s\":{\"c\":3},\"d\":4},\"maxValues\":{\"s\":{\"c\":3},\"d\":4},\"nullCount\":{\"s\":{\"c\":0},\"d\":0}}");
}

Test(stats, cut_text_down_for_a_minimum_and_up_for_a_maximum)
{
  /* 32 UTF-16 units: 30 letters and a character of two; the next is not cut in half. */
  expect_written("s string", NULL, "[{\"s\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0\x9f\x98\x80zz\"}]",
                 "{\"numRecords\":1,\"minValues\":{\"s\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0\x9f\x98\x80\"},"
                 "\"maxValues\":{\"s\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0\x9f\x98\x80\x7f\"},\"nullCount\":{\"s\":0}}");
  expect_written(
      "s string", "delta.dataSkippingStringPrefixLength=3", "[{\"s\":\"ab\xf0\x9f\x98\x80\"}]",
      "{\"numRecords\":1,\"minValues\":{\"s\":\"ab\"},\"maxValues\":{\"s\":\"ab\xf4\x8f\xbf\xbf\"},\"nullCount\":{\"s\":0}}");
  expect_written(
      "s string", "delta.dataSkippingStringPrefixLength=2", "[{\"s\":\"ab\xf4\x8f\xbf\xbfx\"}]",
      "{\"numRecords\":1,\"minValues\":{\"s\":\"ab\"},\"maxValues\":{\"s\":\"ab\xf4\x8f\xbf\xbf\x7f\"},\"nullCount\":{\"s\":0}}");
  expect_written("s string", "delta.dataSkippingStringPrefixLength=2",
                 "[{\"s\":\"ab\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbfx\"}]",
                 "{\"numRecords\":1,\"minValues\":{\"s\":\"ab\"},\"maxValues\":{},\"nullCount\":{\"s\":0}}");
  expect_written("s string", "delta.dataSkippingStringPrefixLength=2", "[{\"s\":\"ab\"},{\"s\":\"\"}]",
                 "{\"numRecords\":2,\"minValues\":{\"s\":\"\"},\"maxValues\":{\"s\":\"ab\"},\"nullCount\":{\"s\":0}}");
}
