#include <parquet/encode.h>

/* DELTA_BINARY_PACKED: blocks of 128 differences, each of four miniblocks with a bit width of its own. */
#define BLOCK 128
#define MINIBLOCKS 4
#define MINIBLOCK (BLOCK / MINIBLOCKS)

static uint64_t zigzag(int64_t value)
{
  return (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
}

static inline int64_t value_at(const uint8_t *values, size_t at, bool wide)
{
  return wide ? (int64_t)osdear__load_u64(values + 8 * at) : (int64_t)(int32_t)osdear__load_u32(values + 4 * at);
}

/* Differences wrap around in the width of the type, as the specification wants. */
static inline int64_t difference(const uint8_t *values, size_t at, bool wide)
{
  uint64_t between = (uint64_t)value_at(values, at, wide) - (uint64_t)value_at(values, at - 1, wide);
  return wide ? (int64_t)between : (int64_t)(int32_t)(uint32_t)between;
}

/* 32 values of `width` bits, least significant bit first. `to` has room for 8 bytes more. */
static void pack_miniblock(const uint64_t *values, int width, uint8_t *to)
{
  osdear__uint128 pending = 0;
  int bits = 0;

  for (size_t i = 0; i < MINIBLOCK; i++) {
    pending |= (osdear__uint128)values[i] << bits;
    bits += width;
    if (bits >= 64) {
      osdear__store_u64(to, (uint64_t)pending);
      to += 8;
      pending >>= 64;
      bits -= 64;
    }
  }
  osdear__store_u64(to, (uint64_t)pending);
}

/* One block: its `count` differences, 1..128, end at value `from + count`. */
static void write_block(const uint8_t *values, size_t from, size_t count, bool wide, osdear__buf *out)
{
  uint64_t above[BLOCK] = { 0 };
  uint8_t widths[MINIBLOCKS] = { 0 };
  int64_t least = difference(values, from + 1, wide);
  uint8_t *to;
  size_t size = MINIBLOCKS;

  for (size_t i = 0; i < count; i++) {
    int64_t delta = difference(values, from + 1 + i, wide);
    above[i] = (uint64_t)delta;
    least = delta < least ? delta : least;
  }
  for (size_t i = 0; i < count; i++)
    above[i] -= (uint64_t)least;
  for (size_t i = 0; i < MINIBLOCKS; i++) {
    uint64_t all = 0;
    for (size_t k = 0; k < MINIBLOCK; k++)
      all |= above[i * MINIBLOCK + k];
    widths[i] = (uint8_t)osdear__pq_bit_width(all);
    size += 4 * (size_t)widths[i];
  }
  osdear__pq_varint_write(zigzag(least), out);
  to = (uint8_t *)osdear__buf_reserve(out, size + 8);
  if (!to)
    return;
  memcpy(to, widths, MINIBLOCKS);
  to += MINIBLOCKS;
  for (size_t i = 0; i < MINIBLOCKS; i++) { /* one without values has width 0: no bytes */
    pack_miniblock(above + i * MINIBLOCK, widths[i], to);
    to += 4 * (size_t)widths[i];
  }
  out->size += size;
}

void osdear__pq_delta_write(const void *values, size_t count, bool wide, osdear__buf *out)
{
  osdear__pq_varint_write(BLOCK, out);
  osdear__pq_varint_write(MINIBLOCKS, out);
  osdear__pq_varint_write(count, out);
  osdear__pq_varint_write(count > 0 ? zigzag(value_at(values, 0, wide)) : 0, out);
  for (size_t from = 0; from + 1 < count; from += BLOCK) {
    size_t left = count - 1 - from;
    write_block(values, from, left < BLOCK ? left : BLOCK, wide, out);
  }
}

static size_t shared_prefix(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size)
{
  size_t most = a_size < b_size ? a_size : b_size, at = 0;
  while (at < most && a[at] == b[at])
    at++;
  return at;
}

bool osdear__pq_delta_shares_prefixes(const uint8_t *plain, size_t count)
{
  const uint8_t *before = NULL;
  size_t before_size = 0, shared = 0;

  for (size_t i = 0; i < count; i++) {
    size_t size = osdear__load_u32(plain);
    shared += shared_prefix(before, before_size, plain + 4, size);
    before = plain + 4;
    before_size = size;
    plain = before + size;
  }
  return shared > count; /* a prefix length costs a byte, or less */
}

/* prefixes[i]: how many bytes value i shares with the one before, 0 unless `prefixed`; rests[i]: how many follow. */
static void measure(const uint8_t *plain, size_t count, bool prefixed, uint32_t *prefixes, uint32_t *rests)
{
  const uint8_t *before = NULL;
  size_t before_size = 0;

  for (size_t i = 0; i < count; i++) {
    size_t size = osdear__load_u32(plain);
    size_t prefix = prefixed ? shared_prefix(before, before_size, plain + 4, size) : 0;
    prefixes[i] = (uint32_t)prefix;
    rests[i] = (uint32_t)(size - prefix);
    before = plain + 4;
    before_size = size;
    plain = before + size;
  }
}

static void write_rests(const uint8_t *plain, size_t count, const uint32_t *prefixes, const uint32_t *rests, osdear__buf *out)
{
  for (size_t i = 0; i < count; i++) {
    osdear__buf_append(out, plain + 4 + prefixes[i], rests[i]);
    plain += 4 + (size_t)prefixes[i] + rests[i];
  }
}

void osdear__pq_delta_write_bytes(const uint8_t *plain, size_t count, bool prefixed, osdear__buf *scratch, osdear__buf *out)
{
  uint32_t *prefixes, *rests;

  osdear__buf_clear(scratch);
  prefixes = (uint32_t *)(void *)osdear__buf_reserve(scratch, 2 * count * sizeof *prefixes);
  if (!prefixes) {
    out->failed = scratch->failed;
    return;
  }
  rests = prefixes + count;
  measure(plain, count, prefixed, prefixes, rests);
  if (prefixed)
    osdear__pq_delta_write(prefixes, count, false, out);
  osdear__pq_delta_write(rests, count, false, out);
  write_rests(plain, count, prefixes, rests, out);
}
