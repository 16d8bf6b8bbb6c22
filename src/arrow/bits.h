/** @file bits.h Bitmaps, least significant bit first, as Arrow lays out validity and booleans. Used here and by expr. */
#ifndef OSDEAR_SRC_ARROW_BITS_H
#define OSDEAR_SRC_ARROW_BITS_H

#include <base/base.h>

static inline bool osdear__bit(const uint8_t *bits, int64_t at)
{
  return bits[at >> 3] >> (at & 7) & 1;
}

static inline void osdear__bit_set(uint8_t *bits, int64_t at)
{
  bits[at >> 3] = (uint8_t)(bits[at >> 3] | 1u << (at & 7));
}

static inline size_t osdear__bits_size(int64_t count)
{
  return (size_t)(count >> 3) + ((count & 7) != 0);
}

/* None of these reads or writes a byte that holds no bit of the range: a stranger's bitmap ends where its last bit does. */
int64_t osdear__bits_count(const uint8_t *bits, int64_t from, int64_t count); /* ones */
void osdear__bits_copy(const uint8_t *source, int64_t from, uint8_t *target, int64_t to, int64_t count);
void osdear__bits_fill(uint8_t *target, int64_t to, int64_t count); /* with ones */

#endif
