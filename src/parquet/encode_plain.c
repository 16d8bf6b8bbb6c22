#include <parquet/encode.h>

size_t osdear__pq_dense_size(osdear__pq_dense dense)
{
  static const size_t sizes[] = { [DENSE_BOOLEAN] = 1, [DENSE_32] = 4, [DENSE_64] = 8, [DENSE_128] = 16, [DENSE_BYTES] = 0 };
  return sizes[dense];
}

/* Big-endian two's complement in the fewest bytes that hold the column's precision. */
void osdear__pq_plain_write_128(const osdear__pq_int128 *values, size_t count, int32_t width, osdear__buf *out)
{
  size_t bytes = (size_t)width;
  uint8_t *to = (uint8_t *)osdear__buf_reserve(out, count * bytes + 16);

  if (!to)
    return;
  for (size_t i = 0; i < count; i++, to += bytes) {
    osdear__uint128 left = (osdear__uint128)values[i] << (128 - 8 * bytes);
    uint64_t high = __builtin_bswap64((uint64_t)(left >> 64));
    uint64_t low = __builtin_bswap64((uint64_t)left);
    osdear__store_u64(to, high);
    osdear__store_u64(to + 8, low);
  }
  out->size += count * bytes;
}

static size_t total_bytes(const osdear__pq_values *values)
{
  size_t total = 0;
  for (size_t i = 0; i < values->count; i++)
    total += (size_t)(values->ends[i] - values->starts[i]);
  return total;
}

static void write_bytes(const osdear__pq_values *values, bool with_length, osdear__buf *out)
{
  size_t total = total_bytes(values) + (with_length ? 4 * values->count : 0);
  uint8_t *to = (uint8_t *)osdear__buf_reserve(out, total + 8);

  if (!to)
    return;
  for (size_t i = 0; i < values->count; i++) {
    size_t size = (size_t)(values->ends[i] - values->starts[i]);
    if (with_length) {
      osdear__store_u32(to, (uint32_t)size);
      to += 4;
    }
    osdear__pq_copy_short(to, values->bytes + values->starts[i], size);
    to += size;
  }
  out->size += total;
}

void osdear__pq_plain_write(const osdear__pq_values *values, int32_t width, osdear__buf *out)
{
  if (values->count == 0)
    return;
  if (values->dense == DENSE_BYTES)
    write_bytes(values, width == 0, out);
  else if (values->dense == DENSE_128)
    osdear__pq_plain_write_128(values->fixed, values->count, width, out);
  else
    osdear__buf_append(out, values->fixed, values->count * osdear__pq_dense_size(values->dense));
}

void osdear__pq_plain_write_bits(const uint8_t *booleans, size_t count, osdear__buf *out)
{
  size_t size = (count + 7) / 8;
  uint8_t *to = (uint8_t *)osdear__buf_reserve(out, size);
  size_t i = 0;

  if (!to)
    return;
  /* Eight bytes of 0 or 1: the multiplication brings bit 0 of byte k to bit 56 + k. */
  for (; i + 8 <= count; i += 8)
    *to++ = (uint8_t)(osdear__load_u64(booleans + i) * UINT64_C(0x0102040810204080) >> 56);
  if (i < count) {
    *to = 0;
    for (size_t bit = 0; i + bit < count; bit++)
      *to = (uint8_t)(*to | booleans[i + bit] << bit);
  }
  out->size += size;
}

void osdear__pq_varint_write(uint64_t value, osdear__buf *out)
{
  for (; value >= 128; value >>= 7)
    osdear__buf_putc(out, (char)(value | 128));
  osdear__buf_putc(out, (char)value);
}
