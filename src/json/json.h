/** @file json.h JSON over yajl: events in, text out, with ceilings. No trees: a reader fills its own structure as events come. */
#ifndef OSDEAR_SRC_JSON_H
#define OSDEAR_SRC_JSON_H

#include <base/base.h>

/* ---- reading by events ---- */

/* Returns OSDEAR_OK to go on; anything else stops the parse and becomes its result. Strings are unescaped, valid UTF-8, not
 * NUL-terminated, and live during the call only. Numbers come as their text: int64 stay exact, doubles are parsed by whoever wants one.
 * `depth` of the value's container: 0 outside of all. */
typedef enum osdear__json_event {
  JSON_NULL,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NUMBER,
  JSON_STRING,
  JSON_OBJECT_START,
  JSON_KEY,
  JSON_OBJECT_END,
  JSON_ARRAY_START,
  JSON_ARRAY_END
} osdear__json_event;
typedef osdear_status (*osdear__json_handler)(void *argument, osdear__json_event event, osdear__str text, int32_t depth,
                                              osdear_error **error);

typedef struct osdear__json_limits {
  int32_t max_depth; /* 0: 200 */
  bool allow_many;   /* several values after each other, separated by white space (NDJSON) */
} osdear__json_limits;

/* A parser that is used again for text after text: one per thread. */
typedef struct osdear__json_parser osdear__json_parser;
MUST_USE osdear_status osdear__json_parser_new(const osdear__json_limits *limits, osdear__json_handler handler, void *argument,
                                               osdear__json_parser **out, osdear_error **error);
void osdear__json_parser_auto(osdear__json_parser **parser);
/* Hand the events to someone else from the next text on. */
void osdear__json_parser_bind(osdear__json_parser *parser, osdear__json_handler handler, void *argument);
/* One whole text, or with allow_many any number of values. On bad JSON: OSDEAR_ERR_CORRUPT. Failures of the text and of the handler are
 * told with their place: a byte, with allow_many a line and the byte in it. `name` is for messages. */
MUST_USE osdear_status osdear__json_parse(osdear__json_parser *parser, osdear__str text, const char *name, osdear_error **error);
/* The same for a text that is parsed piece by piece, cut between values: its first line is number `first_line` of the whole. */
MUST_USE osdear_status osdear__json_parse_from(osdear__json_parser *parser, osdear__str text, const char *name,
                                               int64_t first_line, osdear_error **error);

/* ---- small texts as trees (options files, statistics, a service's answer), in an arena ---- */

typedef enum osdear__json_kind {
  JSON_IS_NULL,
  JSON_IS_BOOL,
  JSON_IS_NUMBER,
  JSON_IS_STRING,
  JSON_IS_ARRAY,
  JSON_IS_OBJECT
} osdear__json_kind;
typedef struct osdear__json {
  osdear__json_kind kind;
  bool truth;                 /* BOOL */
  osdear__str text;           /* STRING: unescaped and NUL-terminated; NUMBER: as written, NUL-terminated */
  size_t count;               /* ARRAY, OBJECT */
  struct osdear__json *items; /* ARRAY, OBJECT: the values */
  osdear__str *keys;          /* OBJECT: their names, NUL-terminated */
} osdear__json;
MUST_USE osdear_status osdear__json_read(osdear__str text, const char *name, osdear__arena *arena, osdear__json **out,
                                         osdear_error **error);
/* NULL when `value` is no object or has no such key; the last of doubled keys wins. */
const osdear__json *osdear__json_get(const osdear__json *value, const char *key);
/* The same for a member of one kind: NULL, `otherwise` or false where it is not there or of another kind. */
const char *osdear__json_text(const osdear__json *value, const char *key);
osdear__str osdear__json_str(const osdear__json *value, const char *key); /* a text with its length; empty, never NULL */
int64_t osdear__json_int(const osdear__json *value, const char *key, int64_t otherwise);
bool osdear__json_flag(const osdear__json *value, const char *key, bool otherwise);
const osdear__json *osdear__json_list(const osdear__json *value, const char *key); /* an array */

/* ---- writing: appends to a buf, whose sticky failure is asked once at the end ---- */

void osdear__json_put_string(osdear__buf *out, osdear__str text); /* quoted and escaped; invalid UTF-8 becomes U+FFFD */
void osdear__json_put_i64(osdear__buf *out, int64_t value);
void osdear__json_put_f64(osdear__buf *out, double value); /* NaN and infinities as strings "NaN", "Infinity", "-Infinity" */
void osdear__json_put_value(osdear__buf *out, const osdear__json *value); /* a tree back to text, no spaces */
/* Members and items with their commas: `first` starts true and is turned false. */
void osdear__json_put_key(osdear__buf *out, bool *first, const char *key); /* `,"key":` */
void osdear__json_put_comma(osdear__buf *out, bool *first);
void osdear__json_put_text(osdear__buf *out, bool *first, const char *key, const char *text); /* a member; NULL becomes null */
/* Those members of an object that it has; `keys` is ended by NULL. */
void osdear__json_put_members(osdear__buf *out, bool *first, const osdear__json *from, const char *const *keys);
/* An object of them; and a list of such, `from` NULL: empty. */
void osdear__json_put_object(osdear__buf *out, const osdear__json *from, const char *const *keys);
void osdear__json_put_objects(osdear__buf *out, const osdear__json *from, const char *const *keys);

#endif
