/** @file arithmetic.c + - * / % and unary minus. Overflow and division by zero are failures, as in Spark's ANSI mode. */
#include <math.h>

#include "vector.h"

/* Works on at most 64 rows; bit k of the result says that row k has none. */
typedef uint64_t (*block)(const void *a, const void *b, void *out, int64_t count);

#define CHECKED(name, type, builtin)                                                  \
  static uint64_t name(const void *left, const void *right, void *out, int64_t count) \
  {                                                                                   \
    const type *a = left;                                                             \
    const type *b = right;                                                            \
    type *c = out;                                                                    \
    uint64_t bad = 0;                                                                 \
    for (int64_t i = 0; i < count; i++)                                               \
      bad |= (uint64_t)builtin(a[i], b[i], &c[i]) << i;                               \
    return bad;                                                                       \
  }

/* The lowest value modulo -1 overflows in the machine, though the result is 0: any value modulo 1 or -1 is. */
#define MODULO(name, type)                                                            \
  static uint64_t name(const void *left, const void *right, void *out, int64_t count) \
  {                                                                                   \
    const type *a = left;                                                             \
    const type *b = right;                                                            \
    type *c = out;                                                                    \
    uint64_t bad = 0;                                                                 \
    for (int64_t i = 0; i < count; i++) {                                             \
      bad |= (uint64_t)(b[i] == 0) << i;                                              \
      c[i] = (type)(b[i] == 0 || b[i] == -1 ? 0 : a[i] % b[i]);                       \
    }                                                                                 \
    return bad;                                                                       \
  }

#define INTEGER_BLOCKS(suffix, type)                       \
  CHECKED(add_##suffix, type, __builtin_add_overflow)      \
  CHECKED(subtract_##suffix, type, __builtin_sub_overflow) \
  CHECKED(multiply_##suffix, type, __builtin_mul_overflow) \
  MODULO(modulo_##suffix, type)
INTEGER_BLOCKS(i8, int8_t)
INTEGER_BLOCKS(i16, int16_t)
INTEGER_BLOCKS(i32, int32_t)
INTEGER_BLOCKS(i64, int64_t)

#define PLAIN(name, type, result)                                                     \
  static uint64_t name(const void *left, const void *right, void *out, int64_t count) \
  {                                                                                   \
    const type *a = left;                                                             \
    const type *b = right;                                                            \
    type *c = out;                                                                    \
    for (int64_t i = 0; i < count; i++)                                               \
      c[i] = result;                                                                  \
    return 0;                                                                         \
  }

#define BY_ZERO(name, type, result)                                                   \
  static uint64_t name(const void *left, const void *right, void *out, int64_t count) \
  {                                                                                   \
    const type *a = left;                                                             \
    const type *b = right;                                                            \
    type *c = out;                                                                    \
    uint64_t bad = 0;                                                                 \
    for (int64_t i = 0; i < count; i++) {                                             \
      bad |= (uint64_t)(b[i] == 0) << i;                                              \
      c[i] = b[i] == 0 ? 0 : result;                                                  \
    }                                                                                 \
    return bad;                                                                       \
  }

#define FLOAT_BLOCKS(suffix, type, modulo)    \
  PLAIN(add_##suffix, type, a[i] + b[i])      \
  PLAIN(subtract_##suffix, type, a[i] - b[i]) \
  PLAIN(multiply_##suffix, type, a[i] * b[i]) \
  BY_ZERO(divide_##suffix, type, a[i] / b[i]) \
  BY_ZERO(modulo_##suffix, type, modulo(a[i], b[i]))
FLOAT_BLOCKS(f32, float, fmodf)
FLOAT_BLOCKS(f64, double, fmod)

static block block_of(osdear__op op, osdear__kind kind)
{
  static const block blocks[][6] = {
    { add_i8, add_i16, add_i32, add_i64, add_f32, add_f64 },
    { subtract_i8, subtract_i16, subtract_i32, subtract_i64, subtract_f32, subtract_f64 },
    { multiply_i8, multiply_i16, multiply_i32, multiply_i64, multiply_f32, multiply_f64 },
    { NULL, NULL, NULL, NULL, divide_f32, divide_f64 },
    { modulo_i8, modulo_i16, modulo_i32, modulo_i64, modulo_f32, modulo_f64 },
  };
  return blocks[op - OP_ADD][kind == KIND_DATE ? 2 : kind - KIND_BYTE];
}

/* ---- decimals ---- */

static bool decimal_row(osdear__op op, osdear__int128 a, int32_t a_scale, osdear__int128 b, int32_t b_scale,
                        const osdear__type *type, osdear__int128 *out)
{
  int32_t scale = a_scale > b_scale ? a_scale : b_scale;
  osdear__int128 result;
  if (op == OP_MULTIPLY)
    return osdear__decimal_multiply(a, b, a_scale + b_scale - type->scale, type->precision, out);
  if (op == OP_DIVIDE)
    return b != 0 && osdear__decimal_divide(a, b, type->scale - a_scale + b_scale, type->precision, out);
  if (op == OP_REMAINDER && b == 0)
    return false;
  if (__builtin_mul_overflow(a, osdear__pow10(scale - a_scale), &a) ||
      __builtin_mul_overflow(b, osdear__pow10(scale - b_scale), &b))
    return false;
  if (op == OP_REMAINDER)
    result = a % b;
  else if (op == OP_ADD ? __builtin_add_overflow(a, b, &result) : __builtin_sub_overflow(a, b, &result))
    return false;
  return osdear__decimal_rescale(result, scale, type->scale, type->precision, out);
}

static void decimal_rows(const osdear__expr *expr, const osdear__vector *a, const osdear__vector *b, int64_t length, char *values,
                         uint64_t *ok)
{
  memset(ok, 0, (size_t)osdear__words(length) * 8);
  for (int64_t i = 0; i < length; i++) {
    osdear__int128 result = 0;
    bool good = decimal_row(expr->op, osdear__load_i128(a->values, i), a->type->scale, osdear__load_i128(b->values, i),
                            b->type->scale, &expr->type, &result);
    memcpy(values + i * 16, &result, sizeof result);
    ok[i / 64] |= (uint64_t)good << i % 64;
  }
}

/* ---- one operation ---- */

/* 0 - x, but for floats, where the sign of zero counts. */
static osdear_status negate(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *v, osdear_error **error)
{
  size_t width = (size_t)osdear__type_width(&expr->type);
  char *values = osdear__values_new(frame, width, error);
  uint64_t *ok = osdear__bits_new(frame, error);
  if (!values || !ok)
    return OSDEAR_ERR_NO_MEMORY;
  memset(ok, 0xFF, (size_t)osdear__words(frame->length) * 8);
  osdear__kind kind = expr->type.kind;
  if (kind == KIND_DECIMAL || osdear__kind_is_float(kind)) {
    memcpy(values, v->values, width * (size_t)frame->length);
    for (int64_t i = 0; i < frame->length; i++) {
      osdear__int128 x;
      if (kind == KIND_DECIMAL) {
        x = -osdear__load_i128(values, i);
        memcpy(values + i * 16, &x, sizeof x);
      } else {
        size_t sign_at = (size_t)i * width + width - 1;
        values[sign_at] = (char)(values[sign_at] ^ 0x80);
      }
    }
  } else {
    static const int64_t zeros[64] = { 0 };
    block work = block_of(OP_SUBTRACT, kind);
    for (int64_t i = 0; i < frame->length; i += 64) {
      int64_t count = frame->length - i < 64 ? frame->length - i : 64;
      ok[i / 64] = ~work(zeros, (const char *)v->values + (size_t)i * width, values + (size_t)i * width, count);
    }
  }
  v->type = &expr->type;
  v->values = values;
  return osdear__vector_verdict(frame, expr, "overflow", (const uint8_t *)ok, v, error);
}

osdear_status osdear__eval_arithmetic(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                      osdear_error **error)
{
  osdear__vector a;
  osdear__vector b;
  osdear_status st = osdear__vector_eval_rows(expr->children[0], frame, &a, error);
  if (st)
    return st;
  if (expr->op == OP_NEGATE) {
    *out = a;
    return negate(expr, frame, out, error);
  }
  st = osdear__vector_eval_rows(expr->children[1], frame, &b, error);
  if (st)
    return st;

  *out = (osdear__vector){ .type = &expr->type };
  size_t width = (size_t)osdear__type_width(&expr->type);
  char *values = osdear__values_new(frame, width, error);
  uint64_t *ok = osdear__bits_new(frame, error);
  if (!values || !ok)
    return OSDEAR_ERR_NO_MEMORY;
  out->values = values;
  if (expr->type.kind == KIND_DECIMAL) {
    decimal_rows(expr, &a, &b, frame->length, values, ok);
  } else {
    block work = block_of(expr->op, expr->type.kind);
    for (int64_t i = 0; i < frame->length; i += 64) {
      int64_t count = frame->length - i < 64 ? frame->length - i : 64;
      size_t at = (size_t)i * width;
      ok[i / 64] = ~work((const char *)a.values + at, (const char *)b.values + at, values + at, count);
    }
  }
  st = osdear__vector_validity(frame, &a, &b, &out->validity, error);
  if (st)
    return st;
  bool divides = expr->op == OP_DIVIDE || expr->op == OP_REMAINDER;
  return osdear__vector_verdict(frame, expr, divides ? "division by zero" : "overflow", (const uint8_t *)ok, out, error);
}
