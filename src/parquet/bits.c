/** @file bits.c Bitmaps by words. */
#include <parquet/bits.h>

static uint64_t low_mask(int64_t bits)
{
  return bits >= 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

/* The bits below `count` (1..64) of `word` go to `to`, in the bytes that hold them and no others. */
static void store_bits(uint8_t *target, int64_t to, uint64_t word, int64_t count)
{
  while (count > 0) {
    int64_t shift = to & 7;
    int64_t take = count < 8 - shift ? count : 8 - shift;
    uint32_t mask = (uint32_t)low_mask(take) << shift;

    target[to >> 3] = (uint8_t)((target[to >> 3] & ~mask) | ((uint32_t)(word << shift) & mask));
    word >>= take;
    to += take;
    count -= take;
  }
}

int64_t osdear__pq_bits_copy(const uint8_t *source, int64_t from, uint8_t *target, int64_t to, int64_t count)
{
  int64_t head = (8 - (to & 7)) & 7;
  int64_t set = 0;
  uint64_t word;

  head = head < count ? head : count;
  if (head) {
    word = osdear__pq_bits_word(source, from) & low_mask(head);
    store_bits(target, to, word, head);
    set += __builtin_popcountll(word);
    from += head;
    to += head;
    count -= head;
  }
  for (; count >= 64; count -= 64, from += 64, to += 64) {
    word = osdear__pq_bits_word(source, from);
    osdear__store_u64(target + (to >> 3), word);
    set += __builtin_popcountll(word);
  }
  if (count) {
    word = osdear__pq_bits_word(source, from) & low_mask(count);
    store_bits(target, to, word, count);
    set += __builtin_popcountll(word);
  }
  return set;
}

void osdear__pq_bits_fill(uint8_t *target, int64_t to, int64_t count, bool value)
{
  uint64_t word = value ? UINT64_MAX : 0;
  int64_t head = (8 - (to & 7)) & 7;

  head = head < count ? head : count;
  store_bits(target, to, word, head);
  to += head;
  count -= head;
  memset(target + (to >> 3), (int)(word & 0xff), (size_t)(count >> 3));
  store_bits(target, to + (count & ~INT64_C(7)), word, count & 7);
}

int64_t osdear__pq_bits_count(const uint8_t *bits, int64_t from, int64_t count)
{
  int64_t set = 0;

  for (; count >= 64; count -= 64, from += 64)
    set += __builtin_popcountll(osdear__pq_bits_word(bits, from));
  if (count)
    set += __builtin_popcountll(osdear__pq_bits_word(bits, from) & low_mask(count));
  return set;
}
