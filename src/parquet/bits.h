/** @file bits.h Bitmaps and packed integers, least significant bit first.
 *
 * Sources are read by whole words: PQ_PADDING bytes past the end of what is given must be readable. Page buffers see to that. */
#ifndef OSDEAR_SRC_PARQUET_BITS_H
#define OSDEAR_SRC_PARQUET_BITS_H

#include <base/base.h>

#define PQ_PADDING 64

static inline bool osdear__pq_bit(const uint8_t *bits, int64_t at)
{
  return bits[at >> 3] >> (at & 7) & 1;
}

static inline size_t osdear__pq_bitmap_size(int64_t bits)
{
  return ((size_t)bits + 7) / 8;
}

/* Bits [to, to + count) of `target`; its other bits stay as they are. Returns how many are set now. */
int64_t osdear__pq_bits_copy(const uint8_t *source, int64_t from, uint8_t *target, int64_t to, int64_t count);
void osdear__pq_bits_fill(uint8_t *target, int64_t to, int64_t count, bool value);
int64_t osdear__pq_bits_count(const uint8_t *bits, int64_t from, int64_t count);

/* 64 bits from any place. */
static inline uint64_t osdear__pq_bits_word(const uint8_t *bits, int64_t at)
{
  uint64_t low = osdear__load_u64(bits + (at >> 3)) >> (at & 7);

  return at & 7 ? low | (uint64_t)bits[(at >> 3) + 8] << (64 - (at & 7)) : low;
}

/* Groups of eight integers of `width` 0..32 bits. */
void osdear__pq_unpack32(uint32_t width, const uint8_t *in, uint32_t *out, size_t groups);
/* The same of 0..64 bits. */
void osdear__pq_unpack64(uint32_t width, const uint8_t *in, uint64_t *out, size_t groups);

#endif
