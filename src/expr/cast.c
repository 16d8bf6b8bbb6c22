/** @file cast.c CAST and TRY_CAST: values are read as integers, doubles, decimals or text, and put into the type wanted.
 *
 * What has no place there (too large, not a number, text that does not parse) fails, or is null under TRY_CAST, as in Spark's ANSI
 * mode. Fractions are cut off for integers and rounded half up for decimals. The session's time zone is UTC. */
#include <math.h>

#include "vector.h"

#define SECOND_US INT64_C(1000000)

static int64_t floor_div(int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

static void set_ok(uint64_t *ok, int64_t row, bool good)
{
  ok[row / 64] |= (uint64_t)good << row % 64;
}

/* ---- fixed-width sources as 64-bit integers and doubles ---- */

#define WIDEN(name, from_type, to_type)                           \
  static void name(const void *from, int64_t length, to_type *to) \
  {                                                               \
    const from_type *a = from;                                    \
    for (int64_t i = 0; i < length; i++)                          \
      to[i] = (to_type)a[i];                                      \
  }
WIDEN(widen_i8, int8_t, int64_t)
WIDEN(widen_i16, int16_t, int64_t)
WIDEN(widen_i32, int32_t, int64_t)
WIDEN(widen_i64, int64_t, int64_t)
WIDEN(widen_f32, float, double)
WIDEN(widen_f64, double, double)
WIDEN(double_of_i64, int64_t, double)

static void widen(const osdear__vector *v, int64_t length, int64_t *out)
{
  switch (v->type->kind) {
  case KIND_BOOLEAN:
    for (int64_t i = 0; i < length; i++)
      out[i] = osdear__bit(v->values, i);
    break;
  case KIND_BYTE: widen_i8(v->values, length, out); break;
  case KIND_SHORT: widen_i16(v->values, length, out); break;
  case KIND_INTEGER:
  case KIND_DATE: widen_i32(v->values, length, out); break;
  default: widen_i64(v->values, length, out); break;
  }
}

static double float_at(const osdear__vector *v, int64_t row)
{
  return v->type->kind == KIND_FLOAT ? (double)((const float *)v->values)[row] : ((const double *)v->values)[row];
}

/* ---- text as values ---- */

/* A date may carry a time, which is cut off; a time may be missing, which is midnight. */
static bool parse_time(osdear__str text, osdear__kind kind, int64_t *out)
{
  int32_t days = 0;
  bool has_zone = false;
  if (osdear__parse_date(text, &days)) {
    *out = days;
    return kind == KIND_DATE || osdear__mul_i64(days, OSDEAR__DAY_US, out);
  }
  if (!osdear__parse_timestamp(text, out, &has_zone))
    return false;
  if (kind == KIND_DATE)
    *out = floor_div(*out, OSDEAR__DAY_US);
  return true;
}

static bool text_to_i64(osdear__str text, osdear__kind kind, int64_t *out)
{
  text = osdear__strip(text);
  if (kind == KIND_BOOLEAN)
    return osdear__parse_bool(text, out);
  if (kind == KIND_DATE || osdear__kind_is_timestamp(kind))
    return parse_time(text, kind, out);
  return osdear__parse_i64(text, out);
}

/* ---- one row of what is not simply wider ---- */

static bool double_to_i64(double x, int64_t *out)
{
  bool fits = x >= -0x1p63 && x < 0x1p63;
  *out = fits ? (int64_t)x : 0;
  return fits;
}

static bool decimal_to_i64(osdear__int128 x, int32_t scale, int64_t *out)
{
  x /= osdear__pow10(scale);
  *out = (int64_t)x;
  return x >= INT64_MIN && x <= INT64_MAX;
}

/* Between days, microseconds and seconds. */
static bool shift_time(osdear__kind from, osdear__kind to, int64_t *value)
{
  bool to_timestamp = osdear__kind_is_timestamp(to);
  if (from == KIND_DATE && to_timestamp)
    return osdear__mul_i64(*value, OSDEAR__DAY_US, value);
  if (osdear__kind_is_timestamp(from) && to == KIND_DATE)
    *value = floor_div(*value, OSDEAR__DAY_US);
  else if (from == KIND_TIMESTAMP && to == KIND_LONG)
    *value = floor_div(*value, SECOND_US);
  else if (from == KIND_LONG && to_timestamp)
    return osdear__mul_i64(*value, SECOND_US, value);
  return true;
}

static bool number_to_decimal(const osdear__vector *v, int64_t row, const osdear__type *to, osdear__int128 *out)
{
  char text[OSDEAR__DECIMAL_TEXT];
  size_t size;
  switch (v->type->kind) {
  case KIND_DECIMAL:
    return osdear__decimal_rescale(osdear__load_i128(v->values, row), v->type->scale, to->scale, to->precision, out);
  case KIND_STRING: return osdear__decimal_of_text(osdear__strip(osdear__vector_bytes(v, row)), to->precision, to->scale, out);
  case KIND_FLOAT:
    size = osdear__format_f32(((const float *)v->values)[row], text);
    return osdear__decimal_of_text((osdear__str){ text, size }, to->precision, to->scale, out);
  default:
    size = osdear__format_f64(((const double *)v->values)[row], text);
    return osdear__decimal_of_text((osdear__str){ text, size }, to->precision, to->scale, out);
  }
}

/* ---- columns ---- */

/* `ok` is cleared to begin with; NULL where nothing can fail. */
static void read_i64(const osdear__vector *v, osdear__kind to, int64_t length, int64_t *out, uint64_t *ok)
{
  osdear__kind from = v->type->kind;
  bool direct = from != KIND_STRING && !osdear__kind_is_float(from) && from != KIND_DECIMAL;
  if (direct)
    widen(v, length, out);
  for (int64_t i = 0; i < length; i++) {
    bool good = true;
    if (from == KIND_STRING)
      good = text_to_i64(osdear__vector_bytes(v, i), to, &out[i]);
    else if (from == KIND_DECIMAL && to == KIND_BOOLEAN)
      out[i] = osdear__load_i128(v->values, i) != 0;
    else if (from == KIND_DECIMAL)
      good = decimal_to_i64(osdear__load_i128(v->values, i), v->type->scale, &out[i]);
    else if (osdear__kind_is_float(from) && to == KIND_BOOLEAN)
      out[i] = float_at(v, i) != 0;
    else if (osdear__kind_is_float(from))
      good = double_to_i64(float_at(v, i), &out[i]);
    else
      good = shift_time(from, to, &out[i]);
    if (!good)
      out[i] = 0;
    set_ok(ok, i, good);
  }
}

#define NARROW(name, type, low, high)                                           \
  static void name(const int64_t *from, int64_t length, void *to, uint64_t *ok) \
  {                                                                             \
    type *out = to;                                                             \
    for (int64_t i = 0; i < length; i++) {                                      \
      uint64_t bad = from[i] < low || from[i] > high;                           \
      ok[i / 64] &= ~(bad << i % 64);                                           \
      out[i] = (type)from[i];                                                   \
    }                                                                           \
  }
NARROW(narrow_i8, int8_t, INT8_MIN, INT8_MAX)
NARROW(narrow_i16, int16_t, INT16_MIN, INT16_MAX)
NARROW(narrow_i32, int32_t, INT32_MIN, INT32_MAX)

static osdear_status cast_to_integer(const osdear__frame *frame, const osdear__vector *v, const osdear__type *to, uint64_t *ok,
                                     const void **values, osdear_error **error)
{
  int64_t *wide = osdear__values_new(frame, 8, error);
  if (!wide)
    return OSDEAR_ERR_NO_MEMORY;
  read_i64(v, to->kind, frame->length, wide, ok);
  *values = wide;
  if (to->kind == KIND_BOOLEAN) {
    uint64_t *bits = osdear__bits_new(frame, error);
    if (!bits)
      return OSDEAR_ERR_NO_MEMORY;
    memset(bits, 0, (size_t)osdear__words(frame->length) * 8);
    for (int64_t i = 0; i < frame->length; i++)
      set_ok(bits, i, wide[i] != 0);
    *values = bits;
  } else if (osdear__type_width(to) == 1) {
    narrow_i8(wide, frame->length, wide, ok);
  } else if (osdear__type_width(to) == 2) {
    narrow_i16(wide, frame->length, wide, ok);
  } else if (osdear__type_width(to) == 4) {
    narrow_i32(wide, frame->length, wide, ok);
  }
  return OSDEAR_OK;
}

static osdear_status cast_to_float(const osdear__frame *frame, const osdear__vector *v, const osdear__type *to, uint64_t *ok,
                                   const void **values, osdear_error **error)
{
  int64_t length = frame->length;
  double *wide = osdear__values_new(frame, 8, error);
  int64_t *whole = osdear__values_new(frame, 8, error);
  if (!wide || !whole)
    return OSDEAR_ERR_NO_MEMORY;
  memset(ok, 0xFF, (size_t)osdear__words(length) * 8);
  switch (v->type->kind) {
  case KIND_FLOAT: widen_f32(v->values, length, wide); break;
  case KIND_DOUBLE: widen_f64(v->values, length, wide); break;
  case KIND_DECIMAL:
    for (int64_t i = 0; i < length; i++)
      wide[i] = osdear__decimal_to_f64(osdear__load_i128(v->values, i), v->type->scale);
    break;
  case KIND_STRING:
    memset(ok, 0, (size_t)osdear__words(length) * 8);
    for (int64_t i = 0; i < length; i++) {
      wide[i] = 0;
      set_ok(ok, i, osdear__parse_f64(osdear__strip(osdear__vector_bytes(v, i)), &wide[i]));
    }
    break;
  default:
    widen(v, length, whole);
    double_of_i64(whole, length, wide);
    break;
  }
  *values = wide;
  if (to->kind == KIND_DOUBLE)
    return OSDEAR_OK;
  float *narrow = osdear__values_new(frame, 4, error);
  if (!narrow)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < length; i++)
    narrow[i] = (float)wide[i];
  *values = narrow;
  return OSDEAR_OK;
}

static osdear_status cast_to_decimal(const osdear__frame *frame, const osdear__vector *v, const osdear__type *to, uint64_t *ok,
                                     const void **values, osdear_error **error)
{
  char *decimals = osdear__values_new(frame, 16, error);
  int64_t *whole = osdear__values_new(frame, 8, error);
  osdear__kind from = v->type->kind;
  bool is_whole = from == KIND_BOOLEAN || osdear__kind_is_integer(from);
  if (!decimals || !whole)
    return OSDEAR_ERR_NO_MEMORY;
  if (is_whole)
    widen(v, frame->length, whole);
  for (int64_t i = 0; i < frame->length; i++) {
    osdear__int128 value = 0;
    bool good =
        is_whole ? osdear__decimal_rescale(whole[i], 0, to->scale, to->precision, &value) : number_to_decimal(v, i, to, &value);
    memcpy(decimals + i * 16, &value, sizeof value);
    set_ok(ok, i, good);
  }
  *values = decimals;
  return OSDEAR_OK;
}

/* ---- values as text ---- */

/* Spark writes no more digits of a second than there are. */
static size_t format_time(int64_t us, char out[OSDEAR__TIME_TEXT])
{
  size_t size = osdear__format_timestamp(us, ' ', "", out);
  while (size > 0 && out[size - 1] == '0')
    size--;
  return out[size - 1] == '.' ? size - 1 : us % SECOND_US == 0 ? strlen(out) - 7 : size;
}

static osdear__str format_value(const osdear__vector *v, int64_t row, int64_t whole, char out[OSDEAR__DECIMAL_TEXT])
{
  size_t size;
  switch (v->type->kind) {
  case KIND_BOOLEAN: return whole ? STR("true") : STR("false");
  case KIND_FLOAT: size = osdear__format_f32(((const float *)v->values)[row], out); break;
  case KIND_DOUBLE: size = osdear__format_f64(((const double *)v->values)[row], out); break;
  case KIND_DECIMAL: size = osdear__format_decimal(osdear__load_i128(v->values, row), v->type->scale, out); break;
  case KIND_DATE: size = osdear__format_date(whole, out); break;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: size = format_time(whole, out); break;
  default: size = osdear__format_i64(whole, out); break;
  }
  return (osdear__str){ out, size };
}

static osdear_status cast_to_text(const osdear__frame *frame, const osdear__vector *v, osdear__vector *out, osdear_error **error)
{
  osdear__text_out text;
  char room[OSDEAR__DECIMAL_TEXT];
  int64_t *whole = osdear__values_new(frame, 8, error);
  bool is_whole = !osdear__kind_is_float(v->type->kind) && v->type->kind != KIND_DECIMAL;
  if (!whole)
    return OSDEAR_ERR_NO_MEMORY;
  if (is_whole)
    widen(v, frame->length, whole);
  osdear_status st = osdear__text_new(frame, &text, error);
  for (int64_t i = 0; i < frame->length && !st; i++) {
    text.starts[i] = (int32_t)text.size;
    if (osdear__vector_is_null(v, i))
      continue;
    osdear__str value = format_value(v, i, is_whole ? whole[i] : 0, room);
    st = osdear__text_add(frame, &text, value.data, value.size, error);
  }
  if (st)
    return st;
  text.starts[frame->length] = (int32_t)text.size;
  osdear__text_done(&text, out);
  return OSDEAR_OK;
}

/* The bytes stay where they are. Only UTF-8 may become a string. */
static void cast_bytes(const osdear__frame *frame, const osdear__vector *v, const osdear__type *to, uint64_t *ok,
                       osdear__vector *out)
{
  out->values = v->values;
  out->value_bytes = v->value_bytes;
  out->starts = v->starts;
  out->ends = v->ends;
  memset(ok, to->kind == KIND_STRING ? 0 : 0xFF, (size_t)osdear__words(frame->length) * 8);
  for (int64_t i = 0; i < frame->length && to->kind == KIND_STRING; i++) {
    osdear__str bytes = osdear__vector_bytes(v, i);
    set_ok(ok, i, osdear__utf8_is_valid(bytes.data, bytes.size));
  }
}

osdear_status osdear__eval_cast(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  const osdear__type *to = &expr->type;
  osdear__vector v;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &v, error);
  if (!st && v.type->kind == KIND_VOID) {
    osdear__scalar null = { .kind = to->kind, .is_null = true };
    return osdear__vector_constant(frame, to, &null, out, error);
  }
  if (!st)
    st = osdear__vector_expand(frame, &v, error);
  if (st)
    return st;
  uint64_t *ok = osdear__bits_new(frame, error);
  if (!ok)
    return OSDEAR_ERR_NO_MEMORY;
  memset(ok, 0, (size_t)osdear__words(frame->length) * 8);

  *out = (osdear__vector){ .type = to, .validity = v.validity };
  bool from_bytes = osdear__kind_is_bytes(v.type->kind);
  if (osdear__kind_is_bytes(to->kind) && !from_bytes)
    return cast_to_text(frame, &v, out, error);
  if (osdear__kind_is_bytes(to->kind))
    cast_bytes(frame, &v, to, ok, out);
  else if (osdear__kind_is_float(to->kind))
    st = cast_to_float(frame, &v, to, ok, &out->values, error);
  else if (to->kind == KIND_DECIMAL)
    st = cast_to_decimal(frame, &v, to, ok, &out->values, error);
  else
    st = cast_to_integer(frame, &v, to, ok, &out->values, error);
  if (!st)
    st = osdear__vector_verdict(frame, expr, "a value does not fit its new type", (const uint8_t *)ok, out, error);
  return st ? st : osdear__vector_mask(frame, out, error);
}
