/** @file import_fixed.c Booleans and values of fixed width: kept where they lie, or brought to our unit and width. */
#include <arrow/import.h>

osdear_status osdear__import_bits(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  const uint8_t *bits = column->array->buffers[1];
  uint8_t *copy;

  if (!(at & 7)) {
    osdear__array_borrow(out, 1, bits + (at >> 3), batch->lender);
    return OSDEAR_OK;
  }
  copy = osdear__array_buffer(out, 1, osdear__bits_size(out->length));
  if (!copy)
    return osdear__fail_memory(batch->error);
  osdear__bits_copy(bits, at, copy, 0, out->length);
  return OSDEAR_OK;
}

static osdear_status new_values(osdear__batch *batch, struct ArrowArray *out, int64_t width, void **values)
{
  int64_t size;

  *values = osdear__mul_i64(out->length, width, &size) ? osdear__buffer_new((size_t)size) : NULL;
  if (!*values)
    return osdear__fail_memory(batch->error);
  osdear__array_own(out, 1, *values);
  return OSDEAR_OK;
}

/* Values whose layout is ours: no copy, unless they lie where the machine may not load them. */
static osdear_status keep(osdear__batch *batch, const char *values, int32_t width, struct ArrowArray *out)
{
  bool is_number = width == 2 || width == 4 || width == 8 || width == 16;
  void *copy;
  osdear_status st;

  if (width && (!is_number || (uintptr_t)values % (uintptr_t)width == 0)) {
    osdear__array_borrow(out, 1, values, batch->lender);
    return OSDEAR_OK;
  }
  st = new_values(batch, out, width, &copy);
  if (!st && width)
    memcpy(copy, values, (size_t)out->length * (size_t)width);
  return st;
}

/* ---- dates and times ---- */

/* Seconds and milliseconds to microseconds. */
static osdear_status multiply(osdear__batch *batch, const osdear__column *column, const char *from, struct ArrowArray *out)
{
  int64_t multiplier = column->format.multiplier;
  int32_t width = column->format.width;
  void *buffer;
  osdear_status st = new_values(batch, out, 8, &buffer);
  int64_t *values = buffer;

  for (int64_t i = 0; !st && i < out->length; i++) {
    int64_t value = osdear__index_at(from, width, i);

    if (osdear__mul_i64(value, multiplier, &values[i]))
      continue;
    values[i] = 0; /* what a null holds does not matter */
    if (osdear__is_valid(out, i))
      st = osdear__import_fail(batch, i, "%" PRId64 " (%s) does not fit 64 bits in microseconds", value, column->schema->format);
  }
  return st;
}

static inline int64_t floor_div(int64_t value, int64_t divisor)
{
  return value / divisor - (value % divisor < 0);
}

/* Nanoseconds to microseconds, rounding down; with the divisor known, the compiler needs no division. */
static osdear_status nanos_to_micros(osdear__batch *batch, const char *from, struct ArrowArray *out)
{
  void *buffer;
  osdear_status st = new_values(batch, out, 8, &buffer);
  int64_t *values = buffer;

  for (int64_t i = 0; !st && i < out->length; i++)
    values[i] = floor_div(osdear__index_at(from, 8, i), 1000);
  return st;
}

/* Milliseconds to days: date64. */
static osdear_status millis_to_days(osdear__batch *batch, const osdear__column *column, const char *from, struct ArrowArray *out)
{
  void *buffer;
  osdear_status st = new_values(batch, out, 4, &buffer);
  int32_t *values = buffer;

  for (int64_t i = 0; !st && i < out->length; i++) {
    int64_t value = osdear__index_at(from, 8, i);
    int64_t days = floor_div(value, INT64_C(86400000));

    values[i] = days >= INT32_MIN && days <= INT32_MAX ? (int32_t)days : 0;
    if (values[i] != days && osdear__is_valid(out, i))
      st = osdear__import_fail(batch, i, "%" PRId64 " (%s) does not fit 32 bits in days", value, column->schema->format);
  }
  return st;
}

/* ---- decimals ---- */

static osdear_status check_precision(osdear__batch *batch, const osdear__type *type, const struct ArrowArray *array)
{
  const osdear__int128 *values = array->buffers[1];
  osdear__int128 bound = osdear__pow10(type->precision) - 1;

  for (int64_t i = 0; i < array->length; i++)
    if (UNLIKELY(values[i] > bound || values[i] < -bound) && osdear__is_valid(array, i))
      return osdear__import_fail(batch, i, "the value has more digits than decimal(%" PRId32 ",%" PRId32 ") holds",
                                 type->precision, type->scale);
  return OSDEAR_OK;
}

static osdear_status widen_decimals(osdear__batch *batch, const osdear__column *column, const char *from, struct ArrowArray *out)
{
  void *buffer;
  osdear_status st = new_values(batch, out, 16, &buffer);
  osdear__int128 *values = buffer;

  for (int64_t i = 0; !st && i < out->length; i++)
    values[i] = osdear__index_at(from, column->format.width, i);
  return st;
}

/* 256 bits fit 128 if the upper half only repeats the sign. */
static osdear_status narrow_decimals(osdear__batch *batch, const char *from, struct ArrowArray *out)
{
  void *buffer;
  osdear_status st = new_values(batch, out, 16, &buffer);
  osdear__int128 *values = buffer;

  for (int64_t i = 0; !st && i < out->length; i++) {
    osdear__int128 halves[2];

    memcpy(halves, from + i * 32, sizeof halves);
    values[i] = halves[0];
    if (halves[1] == (halves[0] < 0 ? -1 : 0))
      continue;
    values[i] = 0;
    if (osdear__is_valid(out, i))
      st = osdear__import_fail(batch, i, "the decimal has more than 38 digits");
  }
  return st;
}

static osdear_status import_decimals(osdear__batch *batch, const osdear__column *column, const char *from, struct ArrowArray *out)
{
  osdear_status st;

  if (column->format.width == 16)
    st = keep(batch, from, 16, out);
  else if (column->format.width == 32)
    st = narrow_decimals(batch, from, out);
  else
    st = widen_decimals(batch, column, from, out);
  return st ? st : check_precision(batch, column->type, out);
}

osdear_status osdear__import_fixed(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  const osdear__format *format = &column->format;
  int64_t before;
  const char *from;

  if (!osdear__mul_i64(at, format->width, &before))
    return osdear__import_fail(batch, -1, "the Arrow array's offset is beyond any memory");
  from = format->width ? (const char *)column->array->buffers[1] + before : NULL;
  if (format->kind == KIND_DECIMAL)
    return import_decimals(batch, column, from, out);
  if (format->kind == KIND_DATE && format->divisor != 1)
    return millis_to_days(batch, column, from, out);
  if (format->divisor != 1)
    return nanos_to_micros(batch, from, out);
  if (format->multiplier != 1)
    return multiply(batch, column, from, out);
  return keep(batch, from, format->width, out);
}
