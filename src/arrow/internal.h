/** @file internal.h What the files of this layer share and show to nobody else. */
#ifndef OSDEAR_SRC_ARROW_INTERNAL_H
#define OSDEAR_SRC_ARROW_INTERNAL_H

#include <arrow/arrow.h>
#include <arrow/bits.h>

/* A type tree is at most so deep; whoever walks one may recurse. */
#define OSDEAR__TYPE_DEPTH 100
/* The last row or element that int32 offsets and row numbers can name. */
#define OSDEAR__ROWS_MAX INT32_MAX

/* ---- what the arrays of a type have inside (type.c) ---- */

/* ARRAY 1, MAP 1 (the struct of key and value), STRUCT n, VARIANT 2, else 0. */
int64_t osdear__child_count(const osdear__type *type);
osdear__type osdear__child_type(const osdear__type *type, int64_t index);
/* Buffers of the canonical layout: validity counts, VOID has none. */
int64_t osdear__buffer_count(const osdear__type *type);
static inline bool osdear__kind_has_bytes(osdear__kind kind)
{
  return kind == KIND_STRING || kind == KIND_BINARY;
}
static inline bool osdear__kind_has_offsets(osdear__kind kind)
{
  return osdear__kind_has_bytes(kind) || kind == KIND_ARRAY || kind == KIND_MAP;
}

/* ---- arrays of our own (array.c) ---- */

/* Keeps alive what several of our arrays point into: a stranger's batch, or the rest of one. Counted, from any thread. */
typedef struct osdear__lender osdear__lender;
MUST_USE osdear_status osdear__lender_new(struct ArrowArray *array, osdear__lender **out,
                                          osdear_error **error); /* takes it over */
const struct ArrowArray *osdear__lender_array(const osdear__lender *lender);
void osdear__lender_auto(osdear__lender **lender);

/* An array without buffers whose children are released; give it those with the two below and by moving children in. */
MUST_USE osdear_status osdear__array_node(const osdear__type *type, int64_t length, struct ArrowArray *out, osdear_error **error);
void osdear__array_own(struct ArrowArray *array, int index, void *buffer);
/* All that one array borrows comes from one lender. */
void osdear__array_borrow(struct ArrowArray *array, int index, const void *buffer, osdear__lender *lender);
/* A zeroed buffer of the array's own; NULL: no memory. */
MUST_USE void *osdear__array_buffer(struct ArrowArray *array, int index, size_t size);
static inline void osdear__array_move(struct ArrowArray *from, struct ArrowArray *to)
{
  *to = *from;
  from->release = NULL;
}

float osdear__half_to_float(uint16_t half); /* scalar.c */

/* ---- Arrow's format strings (format.c) ---- */

/* How a stranger lays out the values of a column. */
typedef enum osdear__layout {
  LAYOUT_NULL,
  LAYOUT_BITS,
  LAYOUT_FIXED,
  LAYOUT_BYTES,
  LAYOUT_BYTES_LARGE,
  LAYOUT_VIEWS,
  LAYOUT_LIST,
  LAYOUT_LIST_LARGE,
  LAYOUT_LIST_VIEW,
  LAYOUT_LIST_VIEW_LARGE,
  LAYOUT_LIST_FIXED,
  LAYOUT_STRUCT,
  LAYOUT_MAP,
  LAYOUT_RUNS
} osdear__layout;
typedef struct osdear__format {
  osdear__layout layout;
  osdear__kind kind; /* what it becomes here; of no meaning for LAYOUT_RUNS */
  int32_t width;     /* FIXED: bytes of a value as handed in; LIST_FIXED: elements of a list */
  int32_t precision; /* DECIMAL, as it becomes here */
  int32_t scale;
  int64_t multiplier; /* times and dates: to microseconds or days; 1 elsewhere */
  int64_t divisor;    /* the same, rounding down */
} osdear__format;
/* False: no format of Arrow's, or one that has no lossless home here. */
MUST_USE bool osdear__format_parse(const char *text, osdear__format *out);

/* Where in a schema something is, for messages: "a.element.b". */
typedef struct osdear__place {
  const struct osdear__place *parent;
  const char *name;
} osdear__place;
#define OSDEAR__PLACE_TEXT 256
void osdear__place_text(const osdear__place *place, char out[OSDEAR__PLACE_TEXT]);

/* What the schema's metadata has under `key`; an empty string where it has nothing. */
MUST_USE osdear_status osdear__metadata_find(const char *metadata, const char *key, osdear__str *out, osdear_error **error);
/* Is it the storage of a variant? Its extension's name says so. */
MUST_USE osdear_status osdear__schema_is_variant(const struct ArrowSchema *schema, bool *out, osdear_error **error);

/* ---- gathering (gather.c) ---- */

typedef struct osdear__range {
  const struct ArrowArray *array;
  int64_t from;
  int64_t length;
} osdear__range;
/* The ranges one after another, as one array. */
MUST_USE osdear_status osdear__array_gather(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                            struct ArrowArray *out, osdear_error **error);

#endif
