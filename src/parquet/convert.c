/** @file convert.c Narrow integers, decimals, and times in microseconds. */
#include <parquet/convert.h>

#define JULIAN_1970 2440588 /* the Julian day number of 1970-01-01, from which INT96 counts */

static bool to_8(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++)
    out[i] = in[4 * i];
  return true;
}

static bool to_16(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++)
    memcpy(out + 2 * i, in + 4 * i, 2);
  return true;
}

static bool i32_to_decimal(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++) {
    int64_t low = (int32_t)osdear__load_u32(in + 4 * i);

    osdear__store_u64(out + 16 * i, (uint64_t)low);
    osdear__store_u64(out + 16 * i + 8, (uint64_t)(low >> 63));
  }
  return true;
}

static bool i64_to_decimal(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++) {
    int64_t low = (int64_t)osdear__load_u64(in + 8 * i);

    osdear__store_u64(out + 16 * i, (uint64_t)low);
    osdear__store_u64(out + 16 * i + 8, (uint64_t)(low >> 63));
  }
  return true;
}

bool osdear__pq_decimal_of_bytes(const uint8_t *bytes, size_t size, osdear__int128 *out)
{
  uint8_t sign = size && bytes[0] & 0x80 ? 0xff : 0;
  osdear__uint128 value = sign ? ~(osdear__uint128)0 : 0;

  for (; size > 16; size--, bytes++)
    if (bytes[0] != sign || (bytes[1] & 0x80) != (sign & 0x80))
      return false;
  for (size_t i = 0; i < size; i++)
    value = value << 8 | bytes[i];
  *out = (osdear__int128)value;
  return true;
}

static bool fixed_to_decimal(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  for (size_t i = 0; i < count; i++) {
    osdear__int128 value;

    if (!osdear__pq_decimal_of_bytes(in + i * width, width, &value))
      return false;
    memcpy(out + 16 * i, &value, 16);
  }
  return true;
}

/* Whole words of the usual widths: the bytes are turned around at once and the sign is shifted down. */
static bool fixed_to_decimal_16(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  uint32_t unused = (uint32_t)(16 - width) * 8;

  for (size_t i = 0; i < count; i++) {
    uint64_t high = __builtin_bswap64(osdear__load_u64(in + i * width));
    uint64_t low = __builtin_bswap64(osdear__load_u64(in + i * width + 8));
    osdear__int128 value = (osdear__int128)((osdear__uint128)high << 64 | low) >> unused;

    memcpy(out + 16 * i, &value, 16);
  }
  return true;
}

static bool i32_millis(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++)
    osdear__store_u64(out + 8 * i, (uint64_t)((int64_t)(int32_t)osdear__load_u32(in + 4 * i) * 1000));
  return true;
}

static bool i64_millis(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  bool fits = true;

  (void)width;
  for (size_t i = 0; i < count; i++) {
    int64_t us;

    fits &= osdear__mul_i64((int64_t)osdear__load_u64(in + 8 * i), 1000, &us);
    osdear__store_u64(out + 8 * i, (uint64_t)us);
  }
  return fits;
}

static int64_t floor_div(int64_t value, int64_t by)
{
  return value / by - (value % by < 0);
}

static bool i64_nanos(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++)
    osdear__store_u64(out + 8 * i, (uint64_t)floor_div((int64_t)osdear__load_u64(in + 8 * i), 1000));
  return true;
}

/* Nanoseconds of the day, then the Julian day. Spark counts microseconds from Julian day 0 on its way to and from this form, which wraps
 * around for late years: wrapping once more gives what was written. */
static bool int96(const uint8_t *in, uint8_t *out, size_t count, size_t width)
{
  (void)width;
  for (size_t i = 0; i < count; i++) {
    int64_t nanos = (int64_t)osdear__load_u64(in + 12 * i);
    int64_t days = (int64_t)(int32_t)osdear__load_u32(in + 12 * i + 8) - JULIAN_1970;

    osdear__store_u64(out + 8 * i, (uint64_t)days * (uint64_t)OSDEAR__DAY_US + (uint64_t)floor_div(nanos, 1000));
  }
  return true;
}

osdear__pq_convert osdear__pq_convert_of(const osdear__pq_leaf *leaf)
{
  switch (leaf->type->kind) {
  case KIND_BYTE:
  case KIND_UINT8: return to_8;
  case KIND_SHORT:
  case KIND_UINT16: return to_16;
  case KIND_DECIMAL:
    if (leaf->physical == PQ_INT32)
      return i32_to_decimal;
    if (leaf->physical == PQ_INT64)
      return i64_to_decimal;
    return leaf->physical == PQ_FIXED && leaf->width <= 16 ? fixed_to_decimal_16 : fixed_to_decimal;
  case KIND_TIME:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
    if (leaf->physical == PQ_INT96)
      return int96;
    if (leaf->unit == UNIT_MILLIS)
      return leaf->physical == PQ_INT32 ? i32_millis : i64_millis;
    return leaf->unit == UNIT_NANOS ? i64_nanos : NULL;
  default: return NULL;
  }
}
