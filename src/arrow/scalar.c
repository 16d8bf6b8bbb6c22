/** @file scalar.c Single values: out of arrays, against each other, and many times over. */
#include <math.h>

#include <arrow/internal.h>

/* ---- out of arrays ---- */

/* IEEE 754 binary16: 1 sign, 5 exponent, 10 fraction bits. */
static double half_to_double(uint16_t half)
{
  int exponent = half >> 10 & 31;
  double fraction = half & 1023;
  double value;

  if (exponent == 31)
    value = fraction != 0 ? (double)NAN : (double)INFINITY;
  else if (exponent == 0)
    value = ldexp(fraction, -24);
  else
    value = ldexp(fraction + 1024, exponent - 25);
  return half >> 15 ? -value : value;
}

float osdear__half_to_float(uint16_t half)
{
  return (float)half_to_double(half);
}

static int64_t integer_at(osdear__kind kind, const void *values, int64_t row)
{
  switch (kind) {
  case KIND_BYTE: return ((const int8_t *)values)[row];
  case KIND_SHORT: return ((const int16_t *)values)[row];
  case KIND_INTEGER:
  case KIND_DATE: return ((const int32_t *)values)[row];
  case KIND_UINT8: return ((const uint8_t *)values)[row];
  case KIND_UINT16: return ((const uint16_t *)values)[row];
  case KIND_UINT32: return ((const uint32_t *)values)[row];
  default: /* LONG, TIMESTAMP, TIMESTAMP_NTZ, TIME, UINT64 */ return ((const int64_t *)values)[row];
  }
}

void osdear__scalar_at(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__scalar *out)
{
  const void *values = type->kind == KIND_VOID ? NULL : array->buffers[1];
  osdear__scalar scalar = { .kind = type->kind, .scale = type->scale };

  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    scalar.is_null = true;
    *out = scalar;
    return;
  }
  switch (type->kind) {
  case KIND_BOOLEAN: scalar.i64 = osdear__bit(values, row); break;
  case KIND_FLOAT: scalar.f64 = (double)((const float *)values)[row]; break;
  case KIND_DOUBLE: scalar.f64 = ((const double *)values)[row]; break;
  case KIND_FLOAT16: scalar.f64 = half_to_double(((const uint16_t *)values)[row]); break;
  case KIND_DECIMAL: memcpy(&scalar.decimal, (const char *)values + row * 16, 16); break;
  case KIND_STRING:
  case KIND_BINARY: {
    const int32_t *offsets = (const int32_t *)values + row;

    scalar.bytes = (osdear__str){ (const char *)array->buffers[2] + offsets[0], (size_t)(offsets[1] - offsets[0]) };
    break;
  }
  case KIND_FIXED: scalar.bytes = (osdear__str){ (const char *)values + row * type->width, (size_t)type->width }; break;
  default: scalar.i64 = integer_at(type->kind, values, row);
  }
  *out = scalar;
}

/* ---- against each other ---- */

/* Values compare with values of their own family. */
typedef enum family {
  FAMILY_NONE,
  FAMILY_BOOLEAN,
  FAMILY_NUMBER,
  FAMILY_TEXT,
  FAMILY_BYTES,
  FAMILY_INSTANT,
  FAMILY_LOCAL,
  FAMILY_TIME
} family;

static family family_of(osdear__kind kind)
{
  switch (kind) {
  case KIND_BOOLEAN: return FAMILY_BOOLEAN;
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG:
  case KIND_FLOAT:
  case KIND_DOUBLE:
  case KIND_DECIMAL:
  case KIND_UINT8:
  case KIND_UINT16:
  case KIND_UINT32:
  case KIND_UINT64:
  case KIND_FLOAT16: return FAMILY_NUMBER;
  case KIND_STRING: return FAMILY_TEXT;
  case KIND_BINARY:
  case KIND_FIXED: return FAMILY_BYTES;
  case KIND_TIMESTAMP: return FAMILY_INSTANT;
  case KIND_DATE:
  case KIND_TIMESTAMP_NTZ: return FAMILY_LOCAL;
  case KIND_TIME: return FAMILY_TIME;
  default: return FAMILY_NONE;
  }
}

static bool is_float(osdear__kind kind)
{
  return kind == KIND_FLOAT || kind == KIND_DOUBLE || kind == KIND_FLOAT16;
}

/* An integer or decimal as digits scaled by 10^scale. */
static osdear__int128 digits_of(const osdear__scalar *scalar)
{
  if (scalar->kind == KIND_DECIMAL)
    return scalar->decimal;
  if (scalar->kind == KIND_UINT64)
    return (osdear__int128)(uint64_t)scalar->i64;
  return scalar->i64;
}

static int32_t scale_of(const osdear__scalar *scalar)
{
  return scalar->kind == KIND_DECIMAL ? scalar->scale : 0;
}

static double double_of(const osdear__scalar *scalar)
{
  if (is_float(scalar->kind))
    return scalar->f64;
  return (double)((long double)digits_of(scalar) / (long double)osdear__pow10(scale_of(scalar)));
}

static int order(osdear__int128 a, osdear__int128 b)
{
  return (a > b) - (a < b);
}

/* Scaling the coarser one up may overflow 128 bits; so whole parts first, then fractions, which always fit. */
static int compare_digits(const osdear__scalar *a, const osdear__scalar *b)
{
  osdear__int128 unit_a = osdear__pow10(scale_of(a));
  osdear__int128 unit_b = osdear__pow10(scale_of(b));
  int by_whole = order(digits_of(a) / unit_a, digits_of(b) / unit_b);
  osdear__int128 rest_a = digits_of(a) % unit_a;
  osdear__int128 rest_b = digits_of(b) % unit_b;

  if (by_whole)
    return by_whole;
  if (scale_of(a) < scale_of(b))
    rest_a *= osdear__pow10(scale_of(b) - scale_of(a));
  else
    rest_b *= osdear__pow10(scale_of(a) - scale_of(b));
  return order(rest_a, rest_b);
}

/* NaN is greatest and equals itself; -0.0 equals 0.0. */
static int compare_doubles(double a, double b)
{
  bool a_nan = isnan(a) != 0;
  bool b_nan = isnan(b) != 0;

  if (a_nan || b_nan)
    return (int)a_nan - (int)b_nan;
  return (a > b) - (a < b);
}

/* A date among timestamps is its midnight. */
static osdear__int128 micros_of(const osdear__scalar *scalar)
{
  return scalar->kind == KIND_DATE ? (osdear__int128)scalar->i64 * OSDEAR__DAY_US : scalar->i64;
}

bool osdear__scalar_compare(const osdear__scalar *a, const osdear__scalar *b, int *out)
{
  family both = family_of(a->kind);
  family other = family_of(b->kind);
  int result;

  if (both == FAMILY_NONE || a->is_null || b->is_null)
    return false;
  if (both != other && !(a->kind == KIND_DATE && other == FAMILY_INSTANT) && !(both == FAMILY_INSTANT && b->kind == KIND_DATE))
    return false;
  if (both == FAMILY_NUMBER && (is_float(a->kind) || is_float(b->kind))) {
    result = compare_doubles(double_of(a), double_of(b));
  } else if (both == FAMILY_NUMBER) {
    result = compare_digits(a, b);
  } else if (both == FAMILY_TEXT || both == FAMILY_BYTES) {
    result = osdear__str_compare(a->bytes, b->bytes);
    result = (result > 0) - (result < 0);
  } else {
    result = order(micros_of(a), micros_of(b));
  }
  *out = result;
  return true;
}

/* ---- many times over ---- */

static osdear_status repeat_bytes(osdear__str bytes, int64_t length, struct ArrowArray *out, osdear_error **error)
{
  int64_t total;
  int32_t *offsets;
  char *data;

  if (!osdear__mul_i64(length, (int64_t)bytes.size, &total) || total > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%" PRId64 " times %zu bytes in one batch; use smaller batches", length,
                        bytes.size);
  offsets = osdear__array_buffer(out, 1, ((size_t)length + 1) * sizeof *offsets);
  data = osdear__array_buffer(out, 2, (size_t)total);
  if (!offsets || !data)
    return osdear__fail_memory(error);
  for (int64_t i = 0; i < length; i++) {
    offsets[i + 1] = offsets[i] + (int32_t)bytes.size;
    if (bytes.size)
      memcpy(data + offsets[i], bytes.data, bytes.size);
  }
  return OSDEAR_OK;
}

/* The bytes of one value as its array holds them. */
static bool value_bytes(const osdear__type *type, const osdear__scalar *value, void *out, int32_t width)
{
  if (type->kind == KIND_FLOAT) {
    float single = (float)value->f64;

    memcpy(out, &single, sizeof single);
  } else if (type->kind == KIND_DOUBLE) {
    memcpy(out, &value->f64, sizeof value->f64);
  } else if (type->kind == KIND_DECIMAL) {
    memcpy(out, &value->decimal, sizeof value->decimal);
  } else if (type->kind == KIND_FLOAT16 || width > 8) {
    return false;
  } else {
    memcpy(out, &value->i64, (size_t)width); /* little-endian: the low bytes come first */
  }
  return true;
}

static osdear_status repeat_fixed(const osdear__type *type, const osdear__scalar *value, int64_t length, struct ArrowArray *out,
                                  osdear_error **error)
{
  int32_t width = osdear__type_width(type);
  char one[16];
  const char *from = one;
  int64_t size;
  char *data;

  if (type->kind == KIND_FIXED && value->bytes.size == (size_t)width)
    from = value->bytes.data;
  else if (type->kind == KIND_FIXED || width < 0 || !value_bytes(type, value, one, width))
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "a %s cannot be repeated as %s", osdear__kind_name(value->kind),
                        osdear__kind_name(type->kind));
  if (!osdear__mul_i64(length, width, &size))
    return osdear__fail_memory(error);
  data = osdear__array_buffer(out, 1, (size_t)size);
  if (!data)
    return osdear__fail_memory(error);
  if (!size)
    return OSDEAR_OK;
  /* What is there doubles with each copy. */
  memcpy(data, from, (size_t)width);
  for (int64_t done = width; done < size;) {
    int64_t more = done < size - done ? done : size - done;

    memcpy(data + done, data, (size_t)more);
    done += more;
  }
  return OSDEAR_OK;
}

osdear_status osdear__array_repeat(const osdear__type *type, const osdear__scalar *value, int64_t length, struct ArrowArray *out,
                                   osdear_error **error)
{
  SCOPED(array) array = { 0 };
  osdear_status st;

  if (value->is_null || type->kind == KIND_VOID)
    return osdear__array_nulls(type, length, out, error);
  if (length < 0 || length > OSDEAR__ROWS_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%" PRId64 " rows in one batch; use smaller batches", length);
  st = osdear__array_node(type, length, &array, error);
  if (st)
    return st;
  if (type->kind == KIND_BOOLEAN) {
    uint8_t *bits = osdear__array_buffer(&array, 1, osdear__bits_size(length));

    if (!bits)
      return osdear__fail_memory(error);
    if (value->i64)
      osdear__bits_fill(bits, 0, length);
  } else {
    st = osdear__kind_has_bytes(type->kind) ? repeat_bytes(value->bytes, length, &array, error)
                                            : repeat_fixed(type, value, length, &array, error);
  }
  if (!st)
    osdear__array_move(&array, out);
  return st;
}
