/** @file cast_values.c The values of casts, a block at a time. */
#include <arrow/cast.h>

/* So many integers pass through 64 bits at once: from every kind to every other with one loop for each side. */
#define BLOCK 1024

/* ---- integers ---- */

static void load_block(osdear__kind kind, const void *values, int64_t at, int64_t count, int64_t *block)
{
  switch (kind) {
  case KIND_BYTE:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const int8_t *)values)[at + i];
    break;
  case KIND_UINT8:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const uint8_t *)values)[at + i];
    break;
  case KIND_SHORT:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const int16_t *)values)[at + i];
    break;
  case KIND_UINT16:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const uint16_t *)values)[at + i];
    break;
  case KIND_INTEGER:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const int32_t *)values)[at + i];
    break;
  case KIND_UINT32:
    for (int64_t i = 0; i < count; i++)
      block[i] = ((const uint32_t *)values)[at + i];
    break;
  default: memcpy(block, (const int64_t *)values + at, (size_t)count * sizeof *block);
  }
}

static void store_decimals(osdear__kind from, const osdear__type *to, const int64_t *block, int64_t count, osdear__int128 *out)
{
  osdear__int128 multiplier = osdear__pow10(to->scale);

  if (from == KIND_UINT64)
    for (int64_t i = 0; i < count; i++)
      out[i] = (osdear__int128)(uint64_t)block[i] * multiplier;
  else
    for (int64_t i = 0; i < count; i++)
      out[i] = block[i] * multiplier;
}

static void store_block(osdear__kind from, const osdear__type *to, const int64_t *block, int64_t count, void *values, int64_t at)
{
  switch (to->kind) {
  case KIND_BYTE:
    for (int64_t i = 0; i < count; i++)
      ((int8_t *)values)[at + i] = (int8_t)block[i];
    break;
  case KIND_SHORT:
  case KIND_UINT16:
    for (int64_t i = 0; i < count; i++)
      ((int16_t *)values)[at + i] = (int16_t)block[i];
    break;
  case KIND_INTEGER:
  case KIND_UINT32:
    for (int64_t i = 0; i < count; i++)
      ((int32_t *)values)[at + i] = (int32_t)block[i];
    break;
  case KIND_FLOAT:
    for (int64_t i = 0; i < count; i++)
      ((float *)values)[at + i] = (float)block[i];
    break;
  case KIND_DOUBLE:
    for (int64_t i = 0; i < count; i++)
      ((double *)values)[at + i] = (double)block[i];
    break;
  case KIND_DECIMAL: store_decimals(from, to, block, count, (osdear__int128 *)values + at); break;
  default: memcpy((int64_t *)values + at, block, (size_t)count * sizeof *block);
  }
}

static void cast_integers(const osdear__type *from, const struct ArrowArray *array, const osdear__type *to, void *values)
{
  int64_t block[BLOCK];

  for (int64_t at = 0; at < array->length; at += BLOCK) {
    int64_t count = array->length - at < BLOCK ? array->length - at : BLOCK;

    load_block(from->kind, array->buffers[1], at, count, block);
    store_block(from->kind, to, block, count, values, at);
  }
}

/* ---- the others ---- */

/* Of integers that are stored in more bits than the table has for them. */
static osdear_status check_range(const osdear__type *from, const struct ArrowArray *array, const osdear__type *to,
                                 const osdear__place *place, osdear_error **error)
{
  int64_t most = to->kind == KIND_BYTE ? INT8_MAX : INT16_MAX;
  char where[OSDEAR__CAST_PLACE];
  int64_t value;

  for (int64_t i = 0; i < array->length; i++) {
    load_block(from->kind, array->buffers[1], i, 1, &value);
    if ((value <= most && value >= -most - 1) || !osdear__is_valid(array, i))
      continue;
    osdear__cast_place(place, where);
    return osdear__fail(error, OSDEAR_ERR_DATA, "%s%srow %" PRId64 ": %" PRId64 " is beyond %s", where, where[0] ? ": " : "", i,
                        value, osdear__kind_name(to->kind));
  }
  return OSDEAR_OK;
}

static void cast_floats(const struct ArrowArray *array, double *values)
{
  const float *from = array->buffers[1];

  for (int64_t i = 0; i < array->length; i++)
    values[i] = (double)from[i];
}

static void cast_halves(const struct ArrowArray *array, osdear__kind to, void *values)
{
  const uint16_t *from = array->buffers[1];

  for (int64_t i = 0; i < array->length; i++) {
    float value = osdear__half_to_float(from[i]);

    if (to == KIND_FLOAT)
      ((float *)values)[i] = value;
    else
      ((double *)values)[i] = (double)value;
  }
}

/* What a null holds may be any bits: unsigned, so that they may wrap. */
static void cast_decimals(const osdear__type *from, const struct ArrowArray *array, const osdear__type *to,
                          osdear__int128 *values)
{
  const osdear__int128 *decimals = array->buffers[1];
  osdear__uint128 multiplier = (osdear__uint128)osdear__pow10(to->scale - from->scale);

  for (int64_t i = 0; i < array->length; i++)
    values[i] = (osdear__int128)((osdear__uint128)decimals[i] * multiplier);
}

/* Midnight; years past 294,000 have none in 64 bits of microseconds. */
static osdear_status cast_dates(const struct ArrowArray *array, const osdear__place *place, int64_t *values, osdear_error **error)
{
  const int32_t *days = array->buffers[1];
  char where[OSDEAR__CAST_PLACE];

  for (int64_t i = 0; i < array->length; i++) {
    if (LIKELY(osdear__mul_i64(days[i], OSDEAR__DAY_US, &values[i])))
      continue;
    values[i] = 0;
    if (!osdear__is_valid(array, i))
      continue;
    osdear__cast_place(place, where);
    return osdear__fail(error, OSDEAR_ERR_DATA, "%s%srow %" PRId64 ": the date of day %" PRId32 " is beyond timestamp_ntz", where,
                        where[0] ? ", " : "", i, days[i]);
  }
  return OSDEAR_OK;
}

/* The bytes stay where they are; only offsets are new. */
static osdear_status cast_fixed(const osdear__type *from, struct ArrowArray *array, struct ArrowArray *out, osdear_error **error)
{
  const void *validity = array->buffers[0];
  const void *bytes = array->buffers[1];
  AUTO(lender) rest = NULL;
  int64_t total;
  int32_t *offsets;
  osdear_status st;

  if (!osdear__mul_i64(array->length, from->width, &total) || total > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%" PRId64 " values of %" PRId32 " bytes in one batch; use smaller batches",
                        array->length, from->width);
  offsets = osdear__array_buffer(out, 1, ((size_t)out->length + 1) * sizeof *offsets);
  if (!offsets)
    return osdear__fail_memory(error);
  for (int64_t i = 0; i < out->length; i++)
    offsets[i + 1] = offsets[i] + from->width;
  out->null_count = array->null_count;
  st = osdear__lender_new(array, &rest, error);
  if (st)
    return st;
  osdear__array_borrow(out, 2, bytes, rest);
  if (validity)
    osdear__array_borrow(out, 0, validity, rest);
  return OSDEAR_OK;
}

/* A copy, so that the old values need not be kept for the sake of their bitmap. */
static osdear_status copy_validity(const struct ArrowArray *array, struct ArrowArray *out, osdear_error **error)
{
  uint8_t *bits;

  out->null_count = array->null_count;
  if (!array->buffers[0])
    return OSDEAR_OK;
  bits = osdear__array_buffer(out, 0, osdear__bits_size(out->length));
  if (!bits)
    return osdear__fail_memory(error);
  osdear__bits_copy(array->buffers[0], 0, bits, 0, out->length);
  return OSDEAR_OK;
}

osdear_status osdear__cast_values(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                  const osdear__place *place, struct ArrowArray *out, osdear_error **error)
{
  osdear_status st;
  void *values;

  if (from->kind == KIND_FIXED)
    return cast_fixed(from, array, out, error);
  st = copy_validity(array, out, error);
  if (!st && (to->kind == KIND_BYTE || to->kind == KIND_SHORT) && !osdear__type_can_cast(from, to))
    st = check_range(from, array, to, place, error);
  if (st)
    return st;
  values = osdear__buffer_new((size_t)out->length * (size_t)osdear__type_width(to));
  if (!values)
    return osdear__fail_memory(error);
  osdear__array_own(out, 1, values);
  switch (from->kind) {
  case KIND_FLOAT: cast_floats(array, values); break;
  case KIND_FLOAT16: cast_halves(array, to->kind, values); break;
  case KIND_DECIMAL: cast_decimals(from, array, to, values); break;
  case KIND_DATE: return cast_dates(array, place, values, error);
  default: cast_integers(from, array, to, values);
  }
  return OSDEAR_OK;
}
