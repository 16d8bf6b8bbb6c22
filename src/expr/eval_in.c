/** @file eval_in.c Lookup in lists of constants, and LIKE. */
#include "vector.h"

#define LOOKUP(name, type, test)                                                              \
  static void name(const osdear__set *set, const void *values, int64_t length, uint64_t *out) \
  {                                                                                           \
    const type *a = values;                                                                   \
    for (int64_t i = 0; i < length; i += 64) {                                                \
      int64_t count = length - i < 64 ? length - i : 64;                                      \
      uint64_t word = 0;                                                                      \
      for (int64_t k = 0; k < count; k++) {                                                   \
        int64_t x = a[i + k];                                                                 \
        word |= (uint64_t)(test) << k;                                                        \
      }                                                                                       \
      out[i / 64] = word;                                                                     \
    }                                                                                         \
  }

static bool in_bits(const osdear__set *set, int64_t value)
{
  uint64_t at = (uint64_t)value - (uint64_t)set->values[0].i64;
  return at <= set->span && (set->bits[at >> 3] >> (at & 7) & 1);
}

LOOKUP(bits_i8, int8_t, in_bits(set, x))
LOOKUP(bits_i16, int16_t, in_bits(set, x))
LOOKUP(bits_i32, int32_t, in_bits(set, x))
LOOKUP(bits_i64, int64_t, in_bits(set, x))
LOOKUP(slots_i32, int32_t, osdear__set_has_i64(set, x))
LOOKUP(slots_i64, int64_t, osdear__set_has_i64(set, x))

static void look_up_bytes(const osdear__set *set, const osdear__vector *v, int64_t length, uint64_t *out)
{
  for (int64_t i = 0; i < length; i += 64) {
    int64_t count = length - i < 64 ? length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      osdear__str text = osdear__vector_bytes(v, i + k);
      word |= (uint64_t)osdear__set_has_bytes(set, text.data, text.size) << k;
    }
    out[i / 64] = word;
  }
}

/* Many decimals or floats: halving a sorted list for each row. */
static void look_up_sorted(const osdear__set *set, const osdear__vector *v, int64_t length, uint64_t *out)
{
  osdear__kind kind = v->type->kind;
  for (int64_t i = 0; i < length; i++) {
    osdear__scalar value = { .kind = kind, .scale = v->type->scale };
    if (kind == KIND_DECIMAL)
      value.decimal = osdear__load_i128(v->values, i);
    else
      value.f64 = kind == KIND_FLOAT ? (double)((const float *)v->values)[i] : ((const double *)v->values)[i];
    out[i / 64] = (i % 64 ? out[i / 64] : 0) | (uint64_t)osdear__set_has(set, &value) << i % 64;
  }
}

static osdear_status look_up_each(const osdear__frame *frame, const osdear__set *set, const osdear__vector *v, uint64_t *out,
                                  osdear_error **error)
{
  uint64_t *equal = osdear__bits_new(frame, error);
  if (!equal)
    return OSDEAR_ERR_NO_MEMORY;
  memset(out, 0, (size_t)osdear__words(frame->length) * 8);
  for (size_t i = 0; i < set->count; i++) {
    osdear__vector constant;
    osdear_status st = osdear__vector_constant(frame, v->type, &set->values[i], &constant, error);
    if (!st && v->type->kind == KIND_BOOLEAN)
      st = osdear__vector_expand(frame, &constant, error);
    if (st)
      return st;
    osdear__compare_equal(v, &constant, frame->length, equal);
    for (int64_t k = 0; k < osdear__words(frame->length); k++)
      out[k] |= equal[k];
  }
  return OSDEAR_OK;
}

static osdear_status look_up(const osdear__frame *frame, const osdear__set *set, const osdear__vector *v, uint64_t *out,
                             osdear_error **error)
{
  int32_t width = osdear__type_width(v->type);
  int64_t length = frame->length;
  if (set->bits) {
    (width == 1 ? bits_i8 : width == 2 ? bits_i16 : width == 4 ? bits_i32 : bits_i64)(set, v->values, length, out);
  } else if (set->slots && osdear__kind_is_bytes(v->type->kind)) {
    look_up_bytes(set, v, length, out);
  } else if (set->slots) {
    (width == 4 ? slots_i32 : slots_i64)(set, v->values, length, out);
  } else if (set->count > 8) {
    look_up_sorted(set, v, length, out);
  } else {
    return look_up_each(frame, set, v, out, error);
  }
  return OSDEAR_OK;
}

static void complement(uint64_t *bits, int64_t length)
{
  for (int64_t i = 0; i < osdear__words(length); i++)
    bits[i] = ~bits[i];
}

osdear_status osdear__eval_in(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval_rows(expr->children[0], frame, &v, error);
  if (st)
    return st;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;
  st = look_up(frame, expr->set, &v, bits, error);
  if (st)
    return st;
  *out = (osdear__vector){ .type = &expr->type, .values = bits, .validity = v.validity };
  if (expr->set->has_null) {
    /* What is not found might be the null: unknown. */
    st = osdear__bits_and(frame, v.validity, (const uint8_t *)bits, &out->validity, error);
    if (st)
      return st;
  }
  if (expr->negated && expr->set->has_null) {
    uint64_t *none = osdear__bits_new(frame, error);
    if (!none)
      return OSDEAR_ERR_NO_MEMORY;
    memset(none, 0, (size_t)osdear__words(frame->length) * 8);
    out->values = none;
  } else if (expr->negated) {
    complement(bits, frame->length);
  }
  return osdear__vector_mask(frame, out, error);
}

osdear_status osdear__eval_like(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval_rows(expr->children[0], frame, &v, error);
  if (st)
    return st;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < frame->length; i += 64) {
    int64_t count = frame->length - i < 64 ? frame->length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      osdear__str text = osdear__vector_bytes(&v, i + k);
      word |= (uint64_t)osdear__like_matches(expr->like, text.data, text.size) << k;
    }
    bits[i / 64] = expr->negated ? ~word : word;
  }
  *out = (osdear__vector){ .type = &expr->type, .values = bits, .validity = v.validity };
  return osdear__vector_mask(frame, out, error);
}
