/* Files that count in the hybrid calendar. The days and instants are those that Spark reads of what it wrote (tests/peers). */
#include <stdio.h>
#include <unistd.h>

#include "rows.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

/* What Spark notes down in a file; NULL: not there. */
typedef struct notes {
  const char *version, *dates, *int96, *zone;
} notes;

static const notes spark_2 = { "2.4.8", NULL, NULL, NULL };
static const notes spark_3 = { "3.5.1", NULL, NULL, NULL };
static const notes legacy = { "4.2.0", "", NULL, "UTC" };

static void note(osdear__assembled *file, osdear__pq_key_value *pairs, const notes *of)
{
  static const char *const keys[] = { "version", "legacyDateTime", "legacyINT96", "timeZone" };
  const char *const values[] = { of->version, of->dates, of->int96, of->zone };

  file->meta.key_value_metadata = pairs;
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    static char names[COUNT_OF(keys)][40];

    if (!values[i])
      continue;
    snprintf(names[i], sizeof names[i], "org.apache.spark.%s", keys[i]);
    pairs[file->meta.key_value_count++] =
        (osdear__pq_key_value){ .key = osdear__str_of(names[i]), .value = osdear__str_of(values[i]) };
  }
}

/* A column "c" of one page of values, with their first and last as statistics. */
typedef struct column {
  osdear__pq_physical physical;
  osdear__pq_converted converted;
  bool is_local; /* a timestamp without zone */
} column;

static void write_values(osdear__assembled *file, const column *of, const notes *written, const void *values, size_t width,
                         int32_t count)
{
  osdear__pq_statistics stats = { .min_value = { values, width },
                                  .max_value = { (const char *)values + width * (size_t)(count - 1), width } };
  osdear__pq_column_order order = { .set = COLUMN_ORDER_TYPE };
  osdear__pq_key_value pairs[4];
  osdear__pq_schema_element *element;

  assembled_start(file, 1);
  element = assembled_column(file, "c", PQ_REQUIRED, of->physical);
  if (of->physical != PQ_INT96) {
    element->set |= ELEMENT_CONVERTED;
    element->converted_type = (int32_t)of->converted;
  }
  if (of->is_local) {
    static osdear__pq_time_unit micros = { .set = TIME_UNIT_MICROS };
    static osdear__pq_time_type local = { .unit = &micros };

    assembled_logical(file, element, LOGICAL_TIMESTAMP)->timestamp = &local;
  }
  assembled_chunk(file, of->physical, CODEC_NONE, count)->meta_data->statistics = of->physical == PQ_INT96 ? NULL : &stats;
  assembled_add(file,
                &(assembled_page){
                    .type = PQ_DATA_PAGE, .values = count, .encoding = PQ_PLAIN, .body = { values, width * (size_t)count } });
  assembled_end_group(file, count);
  file->meta.column_orders = &order;
  file->meta.column_order_count = 1;
  note(file, pairs, written);
  assembled_finish(file);
}

static void expect_days(const notes *written, const int32_t *days, int32_t count, const char *wanted)
{
  SCOPED(assembled) file = { 0 };

  write_values(&file, &(column){ PQ_INT32, PQ_DATE, false }, written, days, sizeof *days, count);
  rows_expect(&file, wanted);
}

static void expect_instants(const notes *written, const int64_t *instants, int32_t count, const char *wanted)
{
  SCOPED(assembled) file = { 0 };

  write_values(&file, &(column){ PQ_INT64, PQ_TIMESTAMP_MICROS, false }, written, instants, sizeof *instants, count);
  rows_expect(&file, wanted);
}

Test(calendar, a_day_keeps_its_name)
{
  /* Where the two calendars draw apart by one more day: the Julian leap day becomes the first of March. */
  static const int32_t days[] = { -719165, -719164, -682946, -682945, -354221, -354220, -141428, -141427, 0, 20000 };

  expect_days(&legacy, days, COUNT_OF(days), "-719163,-719162,-682944,-682944,-354226,-354226,-141438,-141427,0,20000");
  expect_days(&spark_2, days, COUNT_OF(days), "-719163,-719162,-682944,-682944,-354226,-354226,-141438,-141427,0,20000");
  expect_days(&spark_3, days, COUNT_OF(days), "-719165,-719164,-682946,-682945,-354221,-354220,-141428,-141427,0,20000");
  expect_days(&(notes){ 0 }, days, 2, "-719165,-719164");
}

Test(calendar, days_before_the_first_year_keep_theirs)
{
  /* 45-01-01 BC of the Julian calendar, the day it began, and 4713-01-01 BC, from which its days are counted. */
  static const int32_t days[] = { -735601, -2440588 };

  expect_days(&legacy, days, COUNT_OF(days), "-735599,-2440550");
}

Test(calendar, an_instant_keeps_its_local_day_and_clock)
{
  static const int64_t instants[] = { -141428 * DAY + 5, -141427 * DAY, -141427 * DAY - 1, 7 };

  expect_instants(&legacy, instants, COUNT_OF(instants), "-12220243199999995,-12219292800000000,-12220156800000001,7");
  expect_instants(&(notes){ "4.2.0", "", NULL, "GMT+05:30" }, instants, COUNT_OF(instants),
                  "-12220243199999995,-12219292800000000,-12219292800000001,7");
}

Test(calendar, milliseconds_and_int96_are_instants_too)
{
  int64_t millis = INT64_C(-141428) * 86400000 + 5;
  struct {
    uint32_t parts[3];
  } int96 = { { 3000, 0, 2440588 - 141428 } };
  column stored = { PQ_INT96, 0, false };
  static const notes by_key = { "4.2.0", NULL, "", "UTC" }, before = { "3.0.1", NULL, NULL, NULL };
  SCOPED(assembled) in_millis = { 0 };
  SCOPED(assembled) keyed = { 0 };
  SCOPED(assembled) old = { 0 };
  SCOPED(assembled) other = { 0 };

  write_values(&in_millis, &(column){ PQ_INT64, PQ_TIMESTAMP_MILLIS, false }, &legacy, &millis, sizeof millis, 1);
  rows_expect(&in_millis, "-12220243199995000");
  write_values(&keyed, &stored, &by_key, &int96, sizeof int96, 1);
  rows_expect(&keyed, "-12220243199999997");
  write_values(&old, &stored, &before, &int96, sizeof int96, 1);
  rows_expect(&old, "-12220243199999997");
  write_values(&other, &stored, &legacy, &int96, sizeof int96, 1); /* its key is another than that of dates */
  rows_expect(&other, "-12219379199999997");
}

Test(calendar, timestamps_without_zone_and_other_numbers_stay)
{
  int64_t value = -141428 * DAY;
  int32_t number = -354221;
  SCOPED(assembled) local = { 0 };
  SCOPED(assembled) plain = { 0 };

  write_values(&local, &(column){ PQ_INT64, PQ_TIMESTAMP_MICROS, true }, &legacy, &value, sizeof value, 1);
  rows_expect(&local, "-12219379200000000");
  write_values(&plain, &(column){ PQ_INT32, PQ_INT_32, false }, &legacy, &number, sizeof number, 1);
  rows_expect(&plain, "-354221");
}

Test(calendar, of_an_unknown_zone_old_instants_are_refused_and_new_ones_read)
{
  static const char *const zones[] = { "Mars/Olympus_Mons", "../../etc/passwd", "/etc/passwd", "", "Europe", "UTC\n" };
  int64_t late = -2208988800 * SECOND, early = late - 1;

  for (size_t i = 0; i < COUNT_OF(zones); i++) {
    notes written = { "4.2.0", "", NULL, zones[i] };
    SCOPED(assembled) file = { 0 };

    expect_instants(&written, &late, 1, "-2208988800000000");
    write_values(&file, &(column){ PQ_INT64, PQ_TIMESTAMP_MICROS, false }, &written, &early, sizeof early, 1);
    rows_refuse(&file, OSDEAR_ERR_UNSUPPORTED, "tzdata");
  }
}

Test(calendar, a_zone_is_taken_from_the_systems_database)
{
  /* Clocks of Los Angeles were 7:52:58 behind until noon of 1883-11-18; Java took them for 8 hours. */
  static const int64_t instants[] = { -2717640000 * SECOND - 1000 * SECOND, -2717640000 * SECOND, -12219292800 * SECOND };

  if (access("/usr/share/zoneinfo/America/Los_Angeles", R_OK) != 0)
    cr_skip_test("no time zone database in /usr/share/zoneinfo");
  expect_instants(&(notes){ "4.2.0", "", NULL, "America/Los_Angeles" }, instants, COUNT_OF(instants),
                  "-2717641422000000,-2717640000000000,-12220157222000000");
}

Test(calendar, the_first_days_and_instants_that_numbers_can_express)
{
  notes west = { "4.2.0", "", NULL, "GMT-05:30" };
  int64_t instant = INT64_MIN;
  int32_t day = INT32_MIN;
  SCOPED(assembled) file = { 0 };

  expect_days(&legacy, &day, 1, "-2147439564");
  expect_instants(&legacy, &instant, 1, "-9223183684854775808");
  write_values(&file, &(column){ PQ_INT64, PQ_TIMESTAMP_MICROS, false }, &west, &instant, sizeof instant, 1);
  rows_refuse(&file, OSDEAR_ERR_UNSUPPORTED, "beyond");
}

static osdear__parquet_stats stats_of(const osdear__assembled *file)
{
  AUTO(parquet) parquet = NULL;
  osdear__parquet_stats stats;
  size_t path = 0;

  cr_assert_eq(assembled_open(file, &parquet, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_group_stats(parquet, 0, &path, 1, &stats));
  return stats;
}

Test(calendar, bounds_hold_what_the_values_become)
{
  static const int32_t days[] = { -682946, -682945 };
  static const int64_t old[] = { -400000 * DAY, -399999 * DAY }, both[] = { -400000 * DAY, 86400 * SECOND },
                       late[] = { 0, 86400 * SECOND };
  column instants = { PQ_INT64, PQ_TIMESTAMP_MICROS, false };
  SCOPED(assembled) a = { 0 };
  SCOPED(assembled) b = { 0 };
  SCOPED(assembled) c = { 0 };
  SCOPED(assembled) d = { 0 };
  osdear__parquet_stats stats;

  write_values(&a, &(column){ PQ_INT32, PQ_DATE, false }, &legacy, days, sizeof *days, 2);
  stats = stats_of(&a);
  cr_assert(stats.has_min && stats.min.i64 == -682944 && stats.has_max && stats.max.i64 == -682944);
  write_values(&b, &instants, &legacy, old, sizeof *old, 2);
  stats = stats_of(&b);
  cr_assert(!stats.has_min && stats.has_max && stats.max.i64 == -141426 * DAY);
  write_values(&c, &instants, &legacy, both, sizeof *both, 2);
  stats = stats_of(&c);
  cr_assert(!stats.has_min && stats.has_max && stats.max.i64 == 86400 * SECOND);
  write_values(&d, &instants, &legacy, late, sizeof *late, 2);
  stats = stats_of(&d);
  cr_assert(stats.has_min && stats.min.i64 == 0 && stats.has_max && stats.max.i64 == 86400 * SECOND);
}
