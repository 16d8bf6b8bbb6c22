/** @file unpack.c Integers of any width in bits, eight at a time: with the width a constant, each is a load, a shift and a mask. */
#include <parquet/bits.h>

#define ONE(width, i, type, at) ((type)((at) >> ((i) * (width)&7)) & (type)((UINT64_C(1) << (width)) - 1))
#define LOAD(width, i) osdear__load_u64(in + ((i) * (width) >> 3))

#define UNPACK32(width)                                                         \
  static void unpack32_##width(const uint8_t *in, uint32_t *out, size_t groups) \
  {                                                                             \
    for (; groups; groups--, in += (width), out += 8)                           \
      for (int i = 0; i < 8; i++)                                               \
        out[i] = ONE(width, i, uint32_t, LOAD(width, i));                       \
  }

/* clang-format off */
UNPACK32(1) UNPACK32(2) UNPACK32(3) UNPACK32(4) UNPACK32(5) UNPACK32(6) UNPACK32(7) UNPACK32(8)
UNPACK32(9) UNPACK32(10) UNPACK32(11) UNPACK32(12) UNPACK32(13) UNPACK32(14) UNPACK32(15) UNPACK32(16)
UNPACK32(17) UNPACK32(18) UNPACK32(19) UNPACK32(20) UNPACK32(21) UNPACK32(22) UNPACK32(23) UNPACK32(24)
UNPACK32(25) UNPACK32(26) UNPACK32(27) UNPACK32(28) UNPACK32(29) UNPACK32(30) UNPACK32(31) UNPACK32(32)
    /* clang-format on */

    void osdear__pq_unpack32(uint32_t width, const uint8_t *in, uint32_t *out, size_t groups)
{
  static void (*const by_width[])(const uint8_t *, uint32_t *, size_t) = {
    NULL,        unpack32_1,  unpack32_2,  unpack32_3,  unpack32_4,  unpack32_5,  unpack32_6,  unpack32_7,  unpack32_8,
    unpack32_9,  unpack32_10, unpack32_11, unpack32_12, unpack32_13, unpack32_14, unpack32_15, unpack32_16, unpack32_17,
    unpack32_18, unpack32_19, unpack32_20, unpack32_21, unpack32_22, unpack32_23, unpack32_24, unpack32_25, unpack32_26,
    unpack32_27, unpack32_28, unpack32_29, unpack32_30, unpack32_31, unpack32_32,
  };

  if (width == 0)
    memset(out, 0, groups * 8 * sizeof *out);
  else
    by_width[width](in, out, groups);
}

/* Wide ones are rare (deltas of scattered values): the width stays a variable. Above 57 bits a value may span nine bytes. */
void osdear__pq_unpack64(uint32_t width, const uint8_t *in, uint64_t *out, size_t groups)
{
  uint64_t mask = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;

  if (width == 0) {
    memset(out, 0, groups * 8 * sizeof *out);
    return;
  }
  for (; groups; groups--, in += width, out += 8) {
    for (uint32_t i = 0; i < 8; i++) {
      const uint8_t *at = in + (i * width >> 3);
      uint32_t shift = i * width & 7;
      uint64_t value = osdear__load_u64(at) >> shift;

      if (shift && width > 57)
        value |= (uint64_t)at[8] << (64 - shift);
      out[i] = value & mask;
    }
  }
}
