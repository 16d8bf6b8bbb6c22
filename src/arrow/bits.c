/** @file bits.c Bitmaps, a word at a time. */
#include <arrow/bits.h>

static uint8_t low_mask(int64_t count)
{
  return (uint8_t)((1u << count) - 1);
}

int64_t osdear__bits_count(const uint8_t *bits, int64_t from, int64_t count)
{
  const uint8_t *at = bits + (from >> 3);
  int64_t skip = from & 7;
  int64_t ones = 0;

  if (count <= 0)
    return 0;
  if (skip) {
    int64_t head = 8 - skip < count ? 8 - skip : count;

    ones += __builtin_popcount((unsigned)*at++ >> skip & low_mask(head));
    count -= head;
  }
  for (; count >= 64; count -= 64, at += 8)
    ones += __builtin_popcountll(osdear__load_u64(at));
  for (; count >= 8; count -= 8)
    ones += __builtin_popcount(*at++);
  if (count)
    ones += __builtin_popcount(*at & low_mask(count));
  return ones;
}

/* Up to 8 bits that begin `shift` bits into `at`. */
static uint8_t bits_at(const uint8_t *at, int64_t shift, int64_t count)
{
  unsigned value = (unsigned)at[0] >> shift;

  if (shift + count > 8)
    value |= (unsigned)at[1] << (8 - shift);
  return (uint8_t)(value & low_mask(count));
}

static void put_bits(uint8_t *at, int64_t shift, int64_t count, uint8_t value)
{
  uint8_t mask = (uint8_t)(low_mask(count) << shift);

  *at = (uint8_t)((*at & ~mask) | (value << shift & mask));
}

void osdear__bits_copy(const uint8_t *source, int64_t from, uint8_t *target, int64_t to, int64_t count)
{
  if (count <= 0)
    return;
  if (to & 7) {
    int64_t head = 8 - (to & 7) < count ? 8 - (to & 7) : count;

    put_bits(target + (to >> 3), to & 7, head, bits_at(source + (from >> 3), from & 7, head));
    from += head;
    to += head;
    count -= head;
  }

  const uint8_t *at = source + (from >> 3);
  uint8_t *out = target + (to >> 3);
  int64_t shift = from & 7;
  if (!shift) {
    memcpy(out, at, (size_t)(count >> 3));
    at += count >> 3;
    out += count >> 3;
    count &= 7;
  }
  for (; count >= 64; count -= 64, at += 8, out += 8)
    osdear__store_u64(out, osdear__load_u64(at) >> shift | (uint64_t)at[8] << (64 - shift));
  for (; count >= 8; count -= 8)
    *out++ = bits_at(at++, shift, 8);
  if (count)
    put_bits(out, 0, count, bits_at(at, shift, count));
}

void osdear__bits_fill(uint8_t *target, int64_t to, int64_t count)
{
  if (count <= 0)
    return;
  if (to & 7) {
    int64_t head = 8 - (to & 7) < count ? 8 - (to & 7) : count;

    put_bits(target + (to >> 3), to & 7, head, 0xff);
    to += head;
    count -= head;
  }
  memset(target + (to >> 3), 0xff, (size_t)(count >> 3));
  if (count & 7)
    put_bits(target + ((to + count) >> 3), 0, count & 7, 0xff);
}
