/** @file calendar.c From the hybrid calendar to the proleptic Gregorian one, as Spark's RebaseDateTime does it in its mode LEGACY.
 *
 * A day keeps its name: 1000-03-01 of the Julian calendar becomes 1000-03-01. The Julian leap days that the other calendar has not become
 * the first of March. An instant becomes a local day and a time of day, the day is renamed so, and both become an instant again. */
#include <parquet/calendar.h>

#define GREGORIAN_FROM (-141427) /* 1582-10-15, in days since 1970-01-01 */
#define JULIAN_MARCH 719470      /* days from 0000-03-01 of the Julian calendar to 1970-01-01 */

static int64_t floor_div(int64_t value, int64_t by)
{
  return value / by - (value % by < 0);
}

/* Every fourth year is a leap year; years are counted from March, so that the leap day is the last of its year. */
static int64_t renamed(int64_t days)
{
  int64_t since = days + JULIAN_MARCH;
  int64_t cycle = floor_div(since, 1461);
  int64_t day = since - cycle * 1461;
  int64_t year = (day - day / 1460) / 365;
  int64_t day_of_year = day - 365 * year;
  int64_t shifted = (5 * day_of_year + 2) / 153;
  int32_t month = (int32_t)(shifted < 10 ? shifted + 3 : shifted - 9);

  return osdear__days_of(year + cycle * 4 + (month <= 2 ? 1 : 0), month, 1) + day_of_year - (153 * shifted + 2) / 5;
}

static int64_t offset_at(const osdear__pq_calendar *calendar, int64_t local)
{
  size_t i = calendar->shift_count - 1;

  while (i > 0 && local < calendar->shifts[i].from)
    i--;
  return calendar->shifts[i].offset;
}

/* False: it or its local time is beyond what 64 bits can express. */
static bool turn_instant(const osdear__pq_calendar *calendar, int64_t *value)
{
  int64_t local, day, start;

  if (!osdear__add_i64(*value, calendar->offset, &local))
    return false;
  day = floor_div(local, OSDEAR__DAY_US);
  start = local % OSDEAR__DAY_US + (local % OSDEAR__DAY_US < 0 ? OSDEAR__DAY_US : 0);
  if (day < GREGORIAN_FROM)
    day = renamed(day);
  return osdear__mul_i64(day, OSDEAR__DAY_US, &local) && osdear__add_i64(local, start, &local) &&
         osdear__add_i64(local, -offset_at(calendar, local), value);
}

/* Before the third century days become later ones, so that none leaves its 32 bits. */
static void apply_days(int32_t *values, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (values[i] < GREGORIAN_FROM)
      values[i] = (int32_t)renamed(values[i]);
}

static osdear_status apply_instants(const osdear__pq_calendar *calendar, int64_t *values, size_t count, osdear_error **error)
{
  for (size_t i = 0; i < count; i++) {
    if (LIKELY(values[i] >= calendar->same_from))
      continue;
    if (!calendar->is_known)
      return osdear__fail(
          error, OSDEAR_ERR_UNSUPPORTED,
          "an old timestamp was written by the clocks of %s, of which nothing is known here: install the time zone "
          "database (tzdata)",
          calendar->zone);
    if (!turn_instant(calendar, &values[i]))
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a timestamp lies beyond what 64 bits of microseconds can express");
  }
  return OSDEAR_OK;
}

osdear_status osdear__pq_calendar_apply(const osdear__pq_leaf *leaf, void *values, size_t count, osdear_error **error)
{
  if (leaf->type->kind != KIND_DATE)
    return apply_instants(leaf->calendar, values, count, error);
  apply_days(values, count);
  return OSDEAR_OK;
}

bool osdear__pq_calendar_keeps(const osdear__pq_leaf *leaf, int64_t value)
{
  if (!leaf->calendar)
    return true;
  return value >= (leaf->type->kind == KIND_DATE ? GREGORIAN_FROM : leaf->calendar->same_from + OSDEAR__DAY_US);
}

/* Days keep their order. Instants of the two days that become one get mixed up, and others where clocks were set, all within a day: an
 * upper bound is the day after the last instant that changes, and a lower one there is not. */
void osdear__pq_calendar_widen(const osdear__pq_leaf *leaf, osdear__pq_bounds *bounds)
{
  const osdear__pq_calendar *calendar = leaf->calendar;

  if (leaf->type->kind == KIND_DATE) {
    if (bounds->has_min && bounds->min_value.i64 < GREGORIAN_FROM)
      bounds->min_value.i64 = renamed(bounds->min_value.i64);
    if (bounds->has_max && bounds->max_value.i64 < GREGORIAN_FROM)
      bounds->max_value.i64 = renamed(bounds->max_value.i64);
    return;
  }
  if (bounds->has_min && bounds->min_value.i64 < calendar->same_from)
    bounds->has_min = false;
  if (bounds->has_max && bounds->max_value.i64 < calendar->same_from + OSDEAR__DAY_US)
    bounds->max_value.i64 = calendar->same_from + OSDEAR__DAY_US;
}

/* Spark's rule (DataSourceUtils.getRebaseSpec): its version as text, or a key that says so of a newer file. */
static bool is_hybrid(const osdear__parquet *file, const char *since, const char *key)
{
  const char *version = osdear__parquet_metadata(file, "org.apache.spark.version");

  return osdear__parquet_metadata(file, key) || (version && strcmp(version, since) < 0);
}

static bool takes_part(const osdear__pq_leaf *leaf, bool dates, bool int96)
{
  if (leaf->physical == PQ_INT96)
    return int96;
  return dates && (leaf->type->kind == KIND_DATE || leaf->type->kind == KIND_TIMESTAMP);
}

osdear_status osdear__pq_calendar_find(osdear__parquet *file, osdear_error **error)
{
  bool dates = is_hybrid(file, "3.0.0", "org.apache.spark.legacyDateTime");
  bool int96 = is_hybrid(file, "3.1.0", "org.apache.spark.legacyINT96");
  osdear__pq_calendar *calendar;
  osdear_status st;

  if (!dates && !int96)
    return OSDEAR_OK;
  calendar = osdear__arena_zeroed(&file->arena, 1, sizeof *calendar);
  if (!calendar)
    return osdear__fail_memory(error);
  calendar->zone = osdear__parquet_metadata(file, "org.apache.spark.timeZone");
  st = osdear__pq_zone_find(&file->arena, calendar, error);
  for (size_t i = 0; i < file->schema.leaf_count; i++)
    if (takes_part(&file->schema.leaves[i], dates, int96))
      file->schema.leaves[i].calendar = calendar;
  return st;
}
