#include <codec/codec.h>

/* XXH64, written from its specification (xxHash fast digest algorithm, version 0.1.1, section "XXH64 algorithm description"). */
#define PRIME_1 UINT64_C(0x9E3779B185EBCA87)
#define PRIME_2 UINT64_C(0xC2B2AE3D27D4EB4F)
#define PRIME_3 UINT64_C(0x165667B19E3779F9)
#define PRIME_4 UINT64_C(0x85EBCA77C2B2AE63)
#define PRIME_5 UINT64_C(0x27D4EB2F165667C5)

static inline uint64_t rotate(uint64_t value, int bits)
{
  return value << bits | value >> (64 - bits);
}

static inline uint64_t mix_lane(uint64_t lane, uint64_t input)
{
  return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t merge_lane(uint64_t hash, uint64_t lane)
{
  return (hash ^ mix_lane(0, lane)) * PRIME_1 + PRIME_4;
}

static uint64_t take_stripes(const uint8_t **at, size_t *left, uint64_t seed)
{
  uint64_t lanes[4] = { seed + PRIME_1 + PRIME_2, seed + PRIME_2, seed, seed - PRIME_1 };
  uint64_t hash;

  for (; *left >= 32; *at += 32, *left -= 32)
    for (size_t i = 0; i < 4; i++)
      lanes[i] = mix_lane(lanes[i], osdear__load_u64(*at + 8 * i));
  hash = rotate(lanes[0], 1) + rotate(lanes[1], 7) + rotate(lanes[2], 12) + rotate(lanes[3], 18);
  for (size_t i = 0; i < 4; i++)
    hash = merge_lane(hash, lanes[i]);
  return hash;
}

uint64_t osdear__xxh64(const void *data, size_t size, uint64_t seed)
{
  const uint8_t *at = data;
  size_t left = size;
  uint64_t hash = size >= 32 ? take_stripes(&at, &left, seed) : seed + PRIME_5;

  hash += size;
  for (; left >= 8; at += 8, left -= 8)
    hash = rotate(hash ^ mix_lane(0, osdear__load_u64(at)), 27) * PRIME_1 + PRIME_4;
  if (left >= 4) {
    hash = rotate(hash ^ osdear__load_u32(at) * PRIME_1, 23) * PRIME_2 + PRIME_3;
    at += 4;
    left -= 4;
  }
  for (; left > 0; at++, left--)
    hash = rotate(hash ^ *at * PRIME_5, 11) * PRIME_1;
  hash = (hash ^ hash >> 33) * PRIME_2;
  hash = (hash ^ hash >> 29) * PRIME_3;
  return hash ^ hash >> 32;
}
