/** @file compare.c Comparison kernels: a column against a constant or another column, 64 rows to a word, without branches.
 *
 * Nulls are computed like other rows and masked afterwards. Only "equal", "less" and, against constants, "less or equal" exist;
 * the others are their complements, since every type here is totally ordered: NaN equals itself and is greater than all numbers,
 * -0.0 equals 0.0. */
#include "vector.h"

/* 64 bytes of 0 or 1 to bits: the product moves the eight low bits of a word next to each other. */
static uint64_t pack(const uint8_t *flags)
{
  uint64_t word = 0;
  for (int i = 0; i < 8; i++)
    word |= (osdear__load_u64(flags + i * 8) * UINT64_C(0x0102040810204080) >> 56) << i * 8;
  return word;
}

/* `test` sees the row's value as x, and the constant, or the other column's value, as y. */
#define AGAINST_CONSTANT(name, type, test)                                                  \
  static void name(const void *values, const void *constant, int64_t length, uint64_t *out) \
  {                                                                                         \
    const type *a = values;                                                                 \
    const type y = *(const type *)constant;                                                 \
    int64_t i = 0;                                                                          \
    uint8_t flags[64];                                                                      \
    for (; i + 64 <= length; i += 64) {                                                     \
      for (int k = 0; k < 64; k++) {                                                        \
        type x = a[i + k];                                                                  \
        flags[k] = (uint8_t)(test);                                                         \
      }                                                                                     \
      out[i / 64] = pack(flags);                                                            \
    }                                                                                       \
    if (i < length) {                                                                       \
      memset(flags, 0, sizeof flags);                                                       \
      for (int k = 0; k < length - i; k++) {                                                \
        type x = a[i + k];                                                                  \
        flags[k] = (uint8_t)(test);                                                         \
      }                                                                                     \
      out[i / 64] = pack(flags);                                                            \
    }                                                                                       \
  }

#define AGAINST_COLUMN(name, type, test)                                               \
  static void name(const void *left, const void *right, int64_t length, uint64_t *out) \
  {                                                                                    \
    const type *a = left;                                                              \
    const type *b = right;                                                             \
    int64_t i = 0;                                                                     \
    uint8_t flags[64];                                                                 \
    for (; i + 64 <= length; i += 64) {                                                \
      for (int k = 0; k < 64; k++) {                                                   \
        type x = a[i + k];                                                             \
        type y = b[i + k];                                                             \
        flags[k] = (uint8_t)(test);                                                    \
      }                                                                                \
      out[i / 64] = pack(flags);                                                       \
    }                                                                                  \
    if (i < length) {                                                                  \
      memset(flags, 0, sizeof flags);                                                  \
      for (int k = 0; k < length - i; k++) {                                           \
        type x = a[i + k];                                                             \
        type y = b[i + k];                                                             \
        flags[k] = (uint8_t)(test);                                                    \
      }                                                                                \
      out[i / 64] = pack(flags);                                                       \
    }                                                                                  \
  }

#define INTEGER_KERNELS(suffix, type)                       \
  AGAINST_CONSTANT(equal_constant_##suffix, type, x == y)   \
  AGAINST_CONSTANT(less_constant_##suffix, type, x < y)     \
  AGAINST_CONSTANT(at_most_constant_##suffix, type, x <= y) \
  AGAINST_COLUMN(equal_column_##suffix, type, x == y)       \
  AGAINST_COLUMN(less_column_##suffix, type, x < y)
INTEGER_KERNELS(i8, int8_t)
INTEGER_KERNELS(i16, int16_t)
INTEGER_KERNELS(i32, int32_t)
INTEGER_KERNELS(i64, int64_t)

#define FLOAT_KERNELS(suffix, type)                                                 \
  AGAINST_CONSTANT(equal_constant_##suffix, type, (x == y) | ((x != x) & (y != y))) \
  AGAINST_CONSTANT(less_constant_##suffix, type, (x < y) | ((x == x) & (y != y)))   \
  AGAINST_CONSTANT(at_most_constant_##suffix, type, (x <= y) | (y != y))            \
  AGAINST_COLUMN(equal_column_##suffix, type, (x == y) | ((x != x) & (y != y)))     \
  AGAINST_COLUMN(less_column_##suffix, type, (x < y) | ((x == x) & (y != y)))
FLOAT_KERNELS(f32, float)
FLOAT_KERNELS(f64, double)

typedef void (*kernel)(const void *left, const void *right, int64_t length, uint64_t *out);
typedef struct kernels {
  kernel equal_constant, less_constant, at_most_constant, equal_column, less_column;
} kernels;

static const kernels i8_kernels = { equal_constant_i8, less_constant_i8, at_most_constant_i8, equal_column_i8, less_column_i8 };
static const kernels i16_kernels = { equal_constant_i16, less_constant_i16, at_most_constant_i16, equal_column_i16,
                                     less_column_i16 };
static const kernels i32_kernels = { equal_constant_i32, less_constant_i32, at_most_constant_i32, equal_column_i32,
                                     less_column_i32 };
static const kernels i64_kernels = { equal_constant_i64, less_constant_i64, at_most_constant_i64, equal_column_i64,
                                     less_column_i64 };
static const kernels f32_kernels = { equal_constant_f32, less_constant_f32, at_most_constant_f32, equal_column_f32,
                                     less_column_f32 };
static const kernels f64_kernels = { equal_constant_f64, less_constant_f64, at_most_constant_f64, equal_column_f64,
                                     less_column_f64 };

static const kernels *kernels_of(osdear__kind kind)
{
  switch (kind) {
  case KIND_BYTE: return &i8_kernels;
  case KIND_SHORT: return &i16_kernels;
  case KIND_INTEGER:
  case KIND_DATE: return &i32_kernels;
  case KIND_FLOAT: return &f32_kernels;
  case KIND_DOUBLE: return &f64_kernels;
  default: return &i64_kernels;
  }
}

/* ---- bytes ---- */

/* The first eight bytes as a number that orders as they do; what is missing counts as 0. `left`: bytes that may be read. */
static uint64_t head_of(const char *data, size_t size, int64_t left)
{
  uint64_t head = 0;
  if (LIKELY(left >= 8)) {
    head = osdear__load_u64(data);
    if (size < 8)
      head &= (UINT64_C(1) << size * 8) - 1;
  } else {
    memcpy(&head, data, size < 8 ? size : 8);
  }
  return __builtin_bswap64(head);
}

static int compare_tails(const char *a, size_t a_size, const char *b, size_t b_size)
{
  size_t common = a_size < b_size ? a_size : b_size;
  int order = common > 8 ? memcmp(a + 8, b + 8, common - 8) : 0;
  if (order == 0)
    order = (a_size > b_size) - (a_size < b_size);
  return order;
}

static void equal_bytes(const osdear__vector *v, osdear__str constant, int64_t length, uint64_t *out)
{
  const char *bytes = v->values;
  uint64_t head = head_of(constant.data, constant.size, 0);
  int32_t size = (int32_t)constant.size;

  for (int64_t i = 0; i < length; i += 64) {
    int64_t count = length - i < 64 ? length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      int32_t start = v->starts[i + k];
      bool equal = v->ends[i + k] - start == size && head_of(bytes + start, constant.size, v->value_bytes - start) == head;
      if (equal && size > 8)
        equal = memcmp(bytes + start + 8, constant.data + 8, constant.size - 8) == 0;
      word |= (uint64_t)equal << k;
    }
    out[i / 64] = word;
  }
}

static void less_bytes(const osdear__vector *v, osdear__str constant, bool or_equal, int64_t length, uint64_t *out)
{
  const char *bytes = v->values;
  uint64_t head = head_of(constant.data, constant.size, 0);

  for (int64_t i = 0; i < length; i += 64) {
    int64_t count = length - i < 64 ? length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      const char *data = bytes + v->starts[i + k];
      size_t size = (size_t)(v->ends[i + k] - v->starts[i + k]);
      uint64_t own = head_of(data, size, v->value_bytes - v->starts[i + k]);
      bool less = own < head;
      if (own == head)
        less = compare_tails(data, size, constant.data, constant.size) < or_equal;
      word |= (uint64_t)less << k;
    }
    out[i / 64] = word;
  }
}

static int order_bytes(osdear__str a, osdear__str b)
{
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common > 0 ? memcmp(a.data, b.data, common) : 0;
  return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* Rows where a and b are in the order wanted: 0 equal, -1 less. For types that are compared one by one. */
static void compare_rows(const osdear__vector *a, const osdear__vector *b, int wanted, bool or_equal, int64_t length,
                         uint64_t *out)
{
  bool of_bytes = osdear__kind_is_bytes(a->type->kind);
  for (int64_t i = 0; i < length; i += 64) {
    int64_t count = length - i < 64 ? length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      int order = of_bytes ? order_bytes(osdear__vector_bytes(a, i + k), osdear__vector_bytes(b, i + k))
                           : osdear__decimal_compare(osdear__load_i128(a->values, a->constant ? 0 : i + k), a->type->scale,
                                                     osdear__load_i128(b->values, b->constant ? 0 : i + k), b->type->scale);
      bool holds = wanted == 0 ? order == 0 : order < 0 || (or_equal && order == 0);
      word |= (uint64_t)holds << k;
    }
    out[i / 64] = word;
  }
}

/* ---- decimals of one scale ---- */

static void compare_decimals(const osdear__vector *v, osdear__int128 constant, int wanted, bool or_equal, int64_t length,
                             uint64_t *out)
{
  for (int64_t i = 0; i < length; i += 64) {
    int64_t count = length - i < 64 ? length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      osdear__int128 x = osdear__load_i128(v->values, i + k);
      bool equal = x == constant;
      bool holds = wanted == 0 ? equal : (x < constant) | (equal & or_equal);
      word |= (uint64_t)holds << k;
    }
    out[i / 64] = word;
  }
}

/* ---- one operation ---- */

/* wanted 0: a = b; -1: a < b, or a <= b with or_equal (against constants only, except for what is compared row by row). */
static void compare(const osdear__vector *a, const osdear__vector *b, int wanted, bool or_equal, int64_t length, uint64_t *out)
{
  osdear__kind kind = a->type->kind;
  const kernels *k = kernels_of(kind);

  if (kind == KIND_BOOLEAN) {
    for (int64_t i = 0; i < osdear__words(length); i++) {
      uint64_t x = osdear__word(a->values, i);
      uint64_t y = osdear__word(b->values, i);
      out[i] = wanted == 0 ? ~(x ^ y) : or_equal ? ~x | y : ~x & y;
    }
  } else if (osdear__kind_is_bytes(kind) && b->constant && wanted == 0) {
    equal_bytes(a, osdear__vector_bytes(b, 0), length, out);
  } else if (osdear__kind_is_bytes(kind) && b->constant) {
    less_bytes(a, osdear__vector_bytes(b, 0), or_equal, length, out);
  } else if (kind == KIND_DECIMAL && b->constant && a->type->scale == b->type->scale) {
    compare_decimals(a, osdear__load_i128(b->values, 0), wanted, or_equal, length, out);
  } else if (osdear__kind_is_bytes(kind) || kind == KIND_DECIMAL) {
    compare_rows(a, b, wanted, or_equal, length, out);
  } else if (b->constant) {
    (wanted == 0 ? k->equal_constant : or_equal ? k->at_most_constant : k->less_constant)(a->values, b->values, length, out);
  } else {
    (wanted == 0 ? k->equal_column : k->less_column)(a->values, b->values, length, out);
  }
}

void osdear__compare_equal(const osdear__vector *v, const osdear__vector *constant, int64_t length, uint64_t *out)
{
  compare(v, constant, 0, false, length, out);
}

static void complement(uint64_t *bits, int64_t length)
{
  for (int64_t i = 0; i < osdear__words(length); i++)
    bits[i] = ~bits[i];
}

static void compare_as(osdear__op op, const osdear__vector *a, const osdear__vector *b, int64_t length, uint64_t *out)
{
  bool by_complement = op == OP_NOT_EQUAL || op == OP_GREATER_EQUAL || op == OP_GREATER;
  bool of_equality = op == OP_EQUAL || op == OP_NOT_EQUAL || op == OP_SAME;
  bool or_equal = op == OP_LESS_EQUAL || op == OP_GREATER; /* a > b is NOT a <= b */

  if (!of_equality && or_equal && !b->constant) {
    /* Between columns there is only "less": a <= b is NOT b < a. */
    compare(b, a, -1, false, length, out);
    by_complement = !by_complement;
  } else {
    compare(a, b, of_equality ? 0 : -1, or_equal, length, out);
  }
  if (by_complement)
    complement(out, length);
}

/* a <=> b: equal, or both null. */
static osdear_status null_safe(const osdear__frame *frame, const osdear__expr *expr, osdear__vector *a, osdear__vector *b,
                               uint64_t *bits, osdear_error **error)
{
  osdear_status st = osdear__vector_expand(frame, a, error);
  if (!st && b->validity)
    st = osdear__vector_expand(frame, b, error);
  if (st)
    return st;
  for (int64_t i = 0; i < osdear__words(frame->length); i++) {
    uint64_t a_valid = a->validity ? osdear__word(a->validity, i) : UINT64_MAX;
    uint64_t b_valid = b->validity ? osdear__word(b->validity, i) : UINT64_MAX;
    bits[i] = (bits[i] & a_valid & b_valid) | (~a_valid & ~b_valid);
  }
  if (expr->negated)
    complement(bits, frame->length);
  return OSDEAR_OK;
}

osdear_status osdear__eval_compare(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                   osdear_error **error)
{
  osdear__vector a;
  osdear__vector b;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &a, error);
  if (!st)
    st = osdear__vector_eval(expr->children[1], frame, &b, error);
  if (!st)
    st = osdear__vector_expand(frame, &a, error);
  if (!st && a.type->kind == KIND_BOOLEAN)
    st = osdear__vector_expand(frame, &b, error);
  if (st)
    return st;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;

  compare_as(expr->op, &a, &b, frame->length, bits);
  *out = (osdear__vector){ .type = &expr->type, .values = bits };
  if (expr->op == OP_SAME)
    return null_safe(frame, expr, &a, &b, bits, error);
  st = osdear__vector_validity(frame, &a, &b, &out->validity, error);
  return st ? st : osdear__vector_mask(frame, out, error);
}
