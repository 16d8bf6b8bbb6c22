/** @file vector.h Columns while an expression is evaluated: borrowed from the batch, or in the state's arena. Only for src/expr. */
#ifndef OSDEAR_SRC_EXPR_VECTOR_H
#define OSDEAR_SRC_EXPR_VECTOR_H

#include <arrow/bits.h>

#include "node.h"

/* Bitmaps are read and written in 64-bit words, which all of them have room for here: bits past the length are of no meaning. */
typedef struct osdear__vector {
  const osdear__type *type;
  bool constant;           /* the value at row 0 stands for every row */
  const uint8_t *validity; /* NULL: no nulls */
  const void *values;      /* fixed width: values; boolean: bits, 0 where null; string and binary: bytes */
  const int32_t *starts;   /* string, binary: where a value starts and ends in `values`; the gaps need not be contiguous */
  const int32_t *ends;
  int64_t value_bytes;            /* string, binary: how much of `values` there is to read */
  const struct ArrowArray *array; /* nested: row i is rows[i] of it (-1: null), or i where `rows` is NULL */
  const int32_t *rows;
} osdear__vector;

/* One evaluation. */
typedef struct osdear__frame {
  osdear__arena *arena;
  const struct ArrowArray *batch;
  const int32_t *rows;   /* only these rows of the batch, in this order; NULL: all */
  int64_t length;        /* rows to be evaluated */
  const uint8_t *active; /* rows whose failures count; NULL: all */
} osdear__frame;

static inline bool osdear__vector_is_null(const osdear__vector *v, int64_t row)
{
  return v->validity && !osdear__bit(v->validity, v->constant ? 0 : row);
}
static inline int64_t osdear__words(int64_t bits)
{
  return (bits + 63) / 64;
}
/* Words of a bitmap may lie at any address. */
static inline uint64_t osdear__word(const uint8_t *bits, int64_t i)
{
  return osdear__load_u64(bits + i * 8);
}
static inline osdear__str osdear__vector_bytes(const osdear__vector *v, int64_t row)
{
  int64_t at = v->constant ? 0 : row;
  return (osdear__str){ (const char *)v->values + v->starts[at], (size_t)(v->ends[at] - v->starts[at]) };
}
/* Decimals need not be aligned as the machine would like it. */
static inline osdear__int128 osdear__load_i128(const void *values, int64_t row)
{
  osdear__int128 v;
  memcpy(&v, (const char *)values + row * 16, sizeof v);
  return v;
}

/* ---- vector.c ---- */

/* A bitmap of osdear__words(length) words, not cleared. */
MUST_USE uint64_t *osdear__bits_new(const osdear__frame *frame, osdear_error **error);
MUST_USE void *osdear__values_new(const osdear__frame *frame, size_t width, osdear_error **error);
bool osdear__bits_any(const uint8_t *bits, int64_t length);
/* a AND b, either of which may be NULL for all ones; NULL when both are. */
MUST_USE osdear_status osdear__bits_and(const osdear__frame *frame, const uint8_t *a, const uint8_t *b, const uint8_t **out,
                                        osdear_error **error);
/* Row i of `out` is row rows[i] of the array (-1 is null); `rows` NULL: as it is. */
MUST_USE osdear_status osdear__vector_load(const osdear__frame *frame, const osdear__type *type, const struct ArrowArray *array,
                                           const int32_t *rows, osdear__vector *out, osdear_error **error);
MUST_USE osdear_status osdear__vector_constant(const osdear__frame *frame, const osdear__type *type, const osdear__scalar *value,
                                               osdear__vector *out, osdear_error **error);
/* The same with one value for each row. */
MUST_USE osdear_status osdear__vector_expand(const osdear__frame *frame, osdear__vector *v, osdear_error **error);
/* The nulls of both: what most operations give. Constants count too. */
MUST_USE osdear_status osdear__vector_validity(const osdear__frame *frame, const osdear__vector *a, const osdear__vector *b,
                                               const uint8_t **out, osdear_error **error);
/* Clears the value bits of a boolean vector where it is null. */
MUST_USE osdear_status osdear__vector_mask(const osdear__frame *frame, osdear__vector *v, osdear_error **error);
MUST_USE osdear_status osdear__vector_to_array(const osdear__frame *frame, const osdear__vector *v, struct ArrowArray *out,
                                               osdear_error **error);
/* Rows of `ok` that are 0 failed: DATA saying `what` and the expression, if one of them is valid and active; else they become null. */
MUST_USE osdear_status osdear__vector_verdict(const osdear__frame *frame, const osdear__expr *expr, const char *what,
                                              const uint8_t *ok, osdear__vector *v, osdear_error **error);

/* ---- eval.c and its kernels ---- */

MUST_USE osdear_status osdear__vector_eval(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                           osdear_error **error);
/* The same with one value for each row, even where it is constant. */
MUST_USE osdear_status osdear__vector_eval_rows(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                                osdear_error **error);
/* Under fewer active rows. */
MUST_USE osdear_status osdear__vector_eval_where(const osdear__expr *expr, const osdear__frame *frame, const uint8_t *active,
                                                 osdear__vector *out, osdear_error **error);
/* Trees of so many nodes have what one operand needs freed before the next is evaluated. */
#define OSDEAR__EXPR_LARGE 64
MUST_USE osdear_status osdear__eval_compare(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                            osdear_error **error);
MUST_USE osdear_status osdear__eval_in(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                       osdear_error **error);
MUST_USE osdear_status osdear__eval_like(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                         osdear_error **error);
MUST_USE osdear_status osdear__eval_arithmetic(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                               osdear_error **error);
MUST_USE osdear_status osdear__eval_concat(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                           osdear_error **error);
MUST_USE osdear_status osdear__eval_cast(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                         osdear_error **error);
MUST_USE osdear_status osdear__eval_case(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                         osdear_error **error);
MUST_USE osdear_status osdear__eval_call(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                         osdear_error **error);
/* Equality of every row with one value of the vector's type, into words; nulls are not looked at. */
void osdear__compare_equal(const osdear__vector *v, const osdear__vector *constant, int64_t length, uint64_t *out);

/* Bytes put together row by row. */
typedef struct osdear__text_out {
  int32_t *starts; /* length + 1: the ends are starts + 1 */
  char *data;
  size_t size;
  size_t capacity;
} osdear__text_out;
MUST_USE osdear_status osdear__text_new(const osdear__frame *frame, osdear__text_out *out, osdear_error **error);
MUST_USE osdear_status osdear__text_add(const osdear__frame *frame, osdear__text_out *out, const char *data, size_t size,
                                        osdear_error **error);
void osdear__text_done(const osdear__text_out *text, osdear__vector *out);

/* ---- decimals (wide.c) ---- */

bool osdear__decimal_fits(osdear__int128 value, int32_t precision);
/* -1, 0, 1 for two decimals of any scales, exactly. */
int osdear__decimal_compare(osdear__int128 a, int32_t a_scale, osdear__int128 b, int32_t b_scale);
/* Half up, as SQL rounds; false when it does not fit `precision`. */
MUST_USE bool osdear__decimal_rescale(osdear__int128 value, int32_t from, int32_t to, int32_t precision, osdear__int128 *out);
/* a * b with `drop` digits rounded off. */
MUST_USE bool osdear__decimal_multiply(osdear__int128 a, osdear__int128 b, int32_t drop, int32_t precision, osdear__int128 *out);
/* a * 10^shift / b, rounded; b is not 0. */
MUST_USE bool osdear__decimal_divide(osdear__int128 a, osdear__int128 b, int32_t shift, int32_t precision, osdear__int128 *out);
/* Any decimal or scientific notation, rounded to `scale`. */
MUST_USE bool osdear__decimal_of_text(osdear__str text, int32_t precision, int32_t scale, osdear__int128 *out);
double osdear__decimal_to_f64(osdear__int128 value, int32_t scale);

#endif
