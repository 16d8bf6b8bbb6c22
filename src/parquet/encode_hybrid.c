#include <parquet/encode.h>

#define GROUP 8  /* values are bit-packed in groups of so many */
#define SLACK 32 /* bytes past the end that pack_group() may touch */

int osdear__pq_bit_width(uint64_t max)
{
  return max == 0 ? 0 : 64 - __builtin_clzll(max);
}

static inline uint64_t pack_4(const uint32_t *values, int width)
{
  return values[0] | (uint64_t)values[1] << width | (uint64_t)values[2] << 2 * width | (uint64_t)values[3] << 3 * width;
}

static inline osdear__uint128 pack_4_wide(const uint32_t *values, int width)
{
  uint64_t low = values[0] | (uint64_t)values[1] << width;
  uint64_t high = values[2] | (uint64_t)values[3] << width;
  return low | (osdear__uint128)high << 2 * width;
}

/* Eight values, least significant bit first, into `width` bytes. */
static inline void pack_group(const uint32_t *values, int width, uint8_t *to)
{
  if (width <= 8) {
    osdear__store_u64(to, pack_4(values, width) | pack_4(values + 4, width) << 4 * width);
  } else if (width <= 16) {
    osdear__uint128 packed = pack_4(values, width) | (osdear__uint128)pack_4(values + 4, width) << 4 * width;
    memcpy(to, &packed, sizeof packed);
  } else {
    osdear__uint128 packed = pack_4_wide(values, width);
    uint8_t *middle = to + width / 2;
    memcpy(to, &packed, sizeof packed);
    packed = pack_4_wide(values + 4, width);
    if (width % 2 != 0) /* the two halves share a byte */
      packed = packed << 4 | (*middle & 15);
    memcpy(middle, &packed, sizeof packed);
  }
}

static inline bool are_equal(const uint32_t *values)
{
  uint32_t difference = 0;
  for (size_t i = 1; i < GROUP; i++)
    difference |= values[i] ^ values[0];
  return difference == 0;
}

static size_t run_length(const uint32_t *values, size_t count)
{
  size_t run = 1;
  while (run < count && values[run] == values[0])
    run++;
  return run;
}

/* A run ends a bit-packed stretch only where it saves more than the two headers it costs. */
static size_t least_run(int width)
{
  return (size_t)(GROUP * (width >= 4 ? 1 : (4 + width - 1) / width));
}

static bool starts_run(const uint32_t *values, size_t count, size_t least)
{
  if (count < least)
    return false;
  for (size_t i = 0; i < least; i += GROUP)
    if (values[i] != values[0] || !are_equal(values + i))
      return false;
  return true;
}

/* From here to where the next worthwhile run starts, in whole groups. */
static size_t literal_length(const uint32_t *values, size_t count, size_t least)
{
  size_t length = GROUP;
  while (length < count && !starts_run(values + length, count - length, least))
    length += GROUP;
  return length < count ? length : count;
}

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
  for (; value >= 128; value >>= 7)
    *to++ = (uint8_t)(value | 128);
  *to++ = (uint8_t)value;
  return to;
}

static uint8_t *put_run(uint8_t *to, uint32_t value, size_t count, int width)
{
  to = put_varint(to, (uint64_t)count << 1);
  osdear__store_u32(to, value);
  return to + (width + 7) / 8;
}

static uint8_t *put_literal(uint8_t *to, const uint32_t *values, size_t count, int width)
{
  size_t whole = count / GROUP, left = count % GROUP;

  to = put_varint(to, (uint64_t)(whole + (left > 0)) << 1 | 1);
  for (size_t i = 0; i < whole; i++, to += width)
    pack_group(values + i * GROUP, width, to);
  if (left > 0) {
    uint32_t last[GROUP] = { 0 };
    memcpy(last, values + whole * GROUP, left * sizeof *last);
    pack_group(last, width, to);
    to += width;
  }
  return to;
}

void osdear__pq_hybrid_write(const uint32_t *values, size_t count, int width, osdear__buf *out)
{
  size_t least = least_run(width), at = 0;
  size_t most =
      (count / GROUP + 1) * (size_t)(width + 10) + SLACK; /* a group: its bits, or a run's header and value, and a header */
  char *room = osdear__buf_reserve(out, most);
  uint8_t *to = (uint8_t *)room;

  if (!room)
    return;
  while (at < count) {
    size_t left = count - at;
    size_t run = run_length(values + at, left);
    if (run >= least || run == left) {
      to = put_run(to, values[at], run, width);
    } else {
      run = literal_length(values + at, left, least);
      to = put_literal(to, values + at, run, width);
    }
    at += run;
  }
  out->size += (size_t)(to - (uint8_t *)room);
}

void osdear__pq_hybrid_write_run(uint32_t value, size_t count, int width, osdear__buf *out)
{
  char *room = osdear__buf_reserve(out, SLACK);
  if (!room)
    return;
  out->size += (size_t)(put_run((uint8_t *)room, value, count, width) - (uint8_t *)room);
}
