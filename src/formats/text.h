/** @file text.h Values as text. */
#ifndef OSDEAR_SRC_FORMATS_TEXT_H
#define OSDEAR_SRC_FORMATS_TEXT_H

#include <arrow/arrow.h>
#include <json/json.h>

/* Where text goes, and the date that was printed last: neighbours are often of one day. Failures stick to `out`. */
typedef struct osdear__text {
  osdear__buf *out;
  bool has_day;
  int64_t day;
  size_t day_size;
  char day_text[OSDEAR__TIME_TEXT];
} osdear__text;

/* The canonical JSON form: decimals, dates and times as strings, binary as hex, maps as pairs sorted by the JSON text of their keys,
 * floats as the shortest text that reads back equal. */
void osdear__text_json(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row);
/* The same without quotes around what is a scalar. The row must not be null. */
void osdear__text_plain(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row);
void osdear__text_f64(osdear__buf *out, double value);         /* "NaN", "Infinity" without quotes */
void osdear__text_string(osdear__buf *out, osdear__str value); /* as JSON: quoted, only what must be escaped is */

/* What stuck to a buffer that values were put into. */
MUST_USE osdear_status osdear__text_check(const osdear__buf *out, osdear_error **error);

#endif
