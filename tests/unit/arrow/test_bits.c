#include <arrow/bits.h>

#include <criterion/criterion.h>
#include <stdlib.h>

#define MOST_BITS 300

/* Every combination of shifts and lengths, against one bit at a time, in blocks that end where the last bit does. */
Test(bits, copies_counts_and_fills_touch_just_their_bits)
{
  for (int64_t from = 0; from < 10; from++)
    for (int64_t to = 0; to < 10; to++)
      for (int64_t count = 0; count < MOST_BITS; count += count < 20 ? 1 : 23) {
        uint8_t *source = calloc(1, osdear__bits_size(from + count) + 1);
        uint8_t *target = calloc(1, osdear__bits_size(to + count) + 1);
        int64_t ones = 0;

        cr_assert(source && target);
        source = realloc(source, osdear__bits_size(from + count) ? osdear__bits_size(from + count) : 1);
        target = realloc(target, osdear__bits_size(to + count) ? osdear__bits_size(to + count) : 1);
        cr_assert(source && target);
        for (size_t i = 0; i < osdear__bits_size(from + count); i++)
          source[i] = (uint8_t)(i * 151 + 83);
        memset(target, 0xff, osdear__bits_size(to + count));
        osdear__bits_copy(source, from, target, to, count);
        for (int64_t i = 0; i < to; i++)
          cr_assert(osdear__bit(target, i));
        for (int64_t i = 0; i < count; i++) {
          ones += osdear__bit(source, from + i);
          cr_assert_eq(osdear__bit(target, to + i), osdear__bit(source, from + i));
        }
        for (int64_t i = to + count; i & 7; i++)
          cr_assert(osdear__bit(target, i));
        cr_assert_eq(osdear__bits_count(source, from, count), ones);
        memset(target, 0, osdear__bits_size(to + count));
        osdear__bits_fill(target, to, count);
        cr_assert_eq(osdear__bits_count(target, 0, to + count), count);
        cr_assert_eq(osdear__bits_count(target, to, count), count);
        free(source);
        free(target);
      }
}
