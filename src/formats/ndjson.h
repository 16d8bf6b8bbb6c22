/** @file ndjson.h JSON objects, one a line. */
#ifndef OSDEAR_SRC_FORMATS_NDJSON_H
#define OSDEAR_SRC_FORMATS_NDJSON_H

#include "source.h"
#include "value.h"

#define OSDEAR__NDJSON_DEPTH 90 /* types nest to 100 */

/* Whole lines of a file. */
typedef struct osdear__lines {
  osdear__feed *feed; /* borrowed */
  char *data;
  size_t capacity;
  size_t begin, end;
  bool is_ended;
  int64_t line; /* of data[begin], from 1 */
} osdear__lines;
MUST_USE osdear_status osdear__lines_open(osdear__lines *lines, osdear__feed *feed, osdear_error **error);
void osdear__lines_drop(osdear__lines *lines);
/* The next lines, `most` of them at the most; empty at the end. They live until the next call. `*first`: the number of the first. */
MUST_USE osdear_status osdear__lines_next(osdear__lines *lines, int64_t most, osdear__str *out, int64_t *first, int64_t *count,
                                          osdear_error **error);

/* What was seen at one place of the objects (ndjson_infer.c). In an arena. */
typedef struct osdear__shape osdear__shape;
struct osdear__shape {
  osdear__str name; /* of the member; "element" in arrays */
  osdear__evidence evidence;
  osdear__shape *first, *last; /* members in the order of their first appearance, or the element */
  osdear__shape *next;
  size_t child_count;
  osdear__map by_name; /* outside of the arena: osdear__shape_drop() */
};
typedef struct osdear__shaper {
  osdear__arena *arena;
  osdear__shape *root;
  osdear__shape *open[OSDEAR__NDJSON_DEPTH + 2]; /* the containers around the next value */
  bool is_object[OSDEAR__NDJSON_DEPTH + 2];
  int32_t depth;
  osdear__shape *member; /* the one whose key came last */
  size_t shape_count;
  int64_t rows;
} osdear__shaper;
/* An osdear__json_handler over an osdear__shaper. */
osdear_status osdear__shape_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth,
                                  osdear_error **error);
void osdear__shape_drop(osdear__shape *shape);
/* The type that takes everything seen there: a struct of the members, an array, or a scalar. */
MUST_USE osdear_status osdear__shape_type(const osdear__shape *shape, osdear__arena *arena, osdear__type *out,
                                          osdear_error **error);

/* Objects into builders (ndjson_rows.c). */
typedef struct osdear__json_rows osdear__json_rows;
MUST_USE osdear_status osdear__json_rows_new(const osdear__source *source, osdear__json_rows **out, osdear_error **error);
void osdear__json_rows_auto(osdear__json_rows **rows);
/* An osdear__json_handler over an osdear__json_rows. */
osdear_status osdear__json_rows_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth,
                                      osdear_error **error);
int64_t osdear__json_rows_count(const osdear__json_rows *rows);
int64_t osdear__json_rows_bytes(const osdear__json_rows *rows);
MUST_USE osdear_status osdear__json_rows_finish(osdear__json_rows *rows, struct ArrowArray *out, osdear_error **error);

#endif
