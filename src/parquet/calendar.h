/** @file calendar.h Dates and timestamps of files that count in the hybrid calendar: Julian before 1582-10-15, as Spark did before 3.0. */
#ifndef OSDEAR_SRC_PARQUET_CALENDAR_H
#define OSDEAR_SRC_PARQUET_CALENDAR_H

#include <parquet/file.h>

/* What clocks showed from a local time on: UTC and so many microseconds. */
typedef struct osdear__pq_shift {
  int64_t from;
  int64_t offset;
} osdear__pq_shift;

/* The writer made a local date and clock of an instant by one offset, whatever the year; a reader goes back by what clocks truly showed. */
struct osdear__pq_calendar {
  const char *zone;               /* as the file names it */
  bool is_known;                  /* what follows is; else an instant that it would change is refused */
  int64_t same_from;              /* from this instant on nothing changes; microseconds */
  int64_t offset;                 /* the writer's */
  const osdear__pq_shift *shifts; /* ascending, the first from the beginning of time */
  size_t shift_count;
};

/* Gives each column its calendar, by what Spark noted down in the file. */
MUST_USE osdear_status osdear__pq_calendar_find(osdear__parquet *file, osdear_error **error);
/* Values of a column that has one, in place: days, or microseconds. */
MUST_USE osdear_status osdear__pq_calendar_apply(const osdear__pq_leaf *leaf, void *values, size_t count, osdear_error **error);
/* Is a value, days or microseconds, stored as it is, and nothing else read as it? */
bool osdear__pq_calendar_keeps(const osdear__pq_leaf *leaf, int64_t value);
/* Bounds that still are bounds when the values have been changed. */
void osdear__pq_calendar_widen(const osdear__pq_leaf *leaf, osdear__pq_bounds *bounds);

/* Fills in what `out->zone` means. What is not known stays unknown. (calendar_zone.c) */
MUST_USE osdear_status osdear__pq_zone_find(osdear__arena *arena, osdear__pq_calendar *out, osdear_error **error);

#endif
