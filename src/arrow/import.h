/** @file import.h How a stranger's batch becomes arrays of ours. Private to the import*.c files and reader.c. */
#ifndef OSDEAR_SRC_ARROW_IMPORT_H
#define OSDEAR_SRC_ARROW_IMPORT_H

#include <arrow/internal.h>

/* A stranger's batch, from which ranges of rows are imported. Confined; arrays made from it keep its memory alive. */
typedef struct osdear__batch osdear__batch;
/* `schema` and `type` must outlive it. Takes `array` over in every case. */
MUST_USE osdear_status osdear__batch_new(const struct ArrowSchema *schema, const osdear__type *type, struct ArrowArray *array,
                                         osdear__batch **out, osdear_error **error);
int64_t osdear__batch_rows(const osdear__batch *batch);
/* `rows_before` is what came before this batch: messages count rows from there. */
MUST_USE osdear_status osdear__batch_read(osdear__batch *batch, int64_t from, int64_t count, int64_t rows_before,
                                          struct ArrowArray *out, osdear_error **error);
void osdear__batch_auto(osdear__batch **batch);

/* ---- among the import*.c files ---- */

/* A dictionary that was decoded once, for all ranges of the batch. */
typedef struct osdear__dictionary {
  struct osdear__dictionary *next;
  const struct ArrowArray *source;
  const struct ArrowSchema *schema;
  struct ArrowArray values;
} osdear__dictionary;

struct osdear__batch {
  const struct ArrowSchema *schema;
  const osdear__type *type;
  osdear__lender *lender; /* the stranger's array */
  osdear__dictionary *dictionaries;
  osdear_error **error; /* of the call under way, as are those below */
  int64_t bad_row;      /* where it failed, relative to the range just asked for; -1: not known */
  char bad_place[OSDEAR__PLACE_TEXT];
};

/* One column of the batch, or part of one. */
typedef struct osdear__column {
  const struct ArrowSchema *schema;
  const struct ArrowArray *array;
  const osdear__type *type;
  osdear__format format;
  osdear__place place;
} osdear__column;

/* Rows [from, from + count) of a column, in the canonical layout. */
MUST_USE osdear_status osdear__import_range(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                            struct ArrowArray *out);
osdear__column osdear__column_child(const osdear__column *column, int64_t index, const osdear__type *type, const char *name);

/* Each of these fills `out`, which has its validity already; `at` counts from the start of the stranger's buffers. */
MUST_USE osdear_status osdear__import_bits(osdear__batch *batch, const osdear__column *column, int64_t at,
                                           struct ArrowArray *out);
MUST_USE osdear_status osdear__import_fixed(osdear__batch *batch, const osdear__column *column, int64_t at,
                                            struct ArrowArray *out);
MUST_USE osdear_status osdear__import_bytes(osdear__batch *batch, const osdear__column *column, int64_t at,
                                            struct ArrowArray *out);
MUST_USE osdear_status osdear__import_views(osdear__batch *batch, const osdear__column *column, int64_t at,
                                            struct ArrowArray *out);
MUST_USE osdear_status osdear__import_list(osdear__batch *batch, const osdear__column *column, int64_t at,
                                           struct ArrowArray *out);
MUST_USE osdear_status osdear__import_struct(osdear__batch *batch, const osdear__column *column, int64_t at,
                                             struct ArrowArray *out);
/* These two make `out` as well. */
MUST_USE osdear_status osdear__import_dictionary(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                                 struct ArrowArray *out);
MUST_USE osdear_status osdear__import_runs(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                           struct ArrowArray *out);

/* Offsets of `out`'s rows as int32 from 0, kept where they lie if they are that already; they span [*first, *last). */
MUST_USE osdear_status osdear__import_offsets(osdear__batch *batch, const void *buffer, int32_t width, struct ArrowArray *out,
                                              int64_t *first, int64_t *last);

/* A failure at a row of the range (-1: not known); the column is added on the way up. */
osdear_status osdear__import_fail(osdear__batch *batch, int64_t row, const char *format, ...) PRINTF_LIKE(3, 4);

/* Integers of a stranger's buffer, which may lie anywhere. */
static inline int64_t osdear__index_at(const void *buffer, int32_t width, int64_t at)
{
  const char *from = (const char *)buffer + at * width;

  if (width == 8) {
    int64_t value;

    memcpy(&value, from, sizeof value);
    return value;
  }
  if (width == 4) {
    int32_t value;

    memcpy(&value, from, sizeof value);
    return value;
  }
  int16_t value;

  memcpy(&value, from, sizeof value);
  return value;
}

#endif
