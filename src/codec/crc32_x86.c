#include <codec/ops.h>

#include <immintrin.h>

/* Folding by carry-less multiplication: V. Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction"
 * (Intel, 2009). The constants are its powers of x modulo the reflected polynomial: for folding 512 and 128 bits ahead, 64 bits, and
 * Barrett's reduction. */
#define FOLD_512_LOW INT64_C(0x154442bd4)
#define FOLD_512_HIGH INT64_C(0x1c6e41596)
#define FOLD_128_LOW INT64_C(0x1751997d0)
#define FOLD_128_HIGH INT64_C(0x0ccaa009e)
#define FOLD_64 INT64_C(0x163cd6124)
#define BARRETT_POLYNOMIAL INT64_C(0x1db710641)
#define BARRETT_QUOTIENT INT64_C(0x1f7011641)

#define WITH_PCLMUL __attribute__((target("pclmul,sse4.1")))

WITH_PCLMUL static inline __m128i load(const uint8_t *at)
{
  __m128i value;
  memcpy(&value, at, sizeof value);
  return value;
}

WITH_PCLMUL static inline __m128i fold(__m128i ahead, __m128i by, __m128i into)
{
  return _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(ahead, by, 0x00), _mm_clmulepi64_si128(ahead, by, 0x11)), into);
}

WITH_PCLMUL static uint32_t reduce(__m128i sum)
{
  const __m128i low_32 = _mm_setr_epi32(-1, 0, -1, 0);
  const __m128i barrett = _mm_set_epi64x(BARRETT_QUOTIENT, BARRETT_POLYNOMIAL);
  __m128i quotient;

  /* 128 bits to 96, to 64 … */
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, _mm_set_epi64x(FOLD_128_HIGH, FOLD_128_LOW), 0x10));
  sum = _mm_xor_si128(_mm_srli_si128(sum, 4), _mm_clmulepi64_si128(_mm_and_si128(sum, low_32), _mm_set_epi64x(0, FOLD_64), 0x00));
  /* … and to 32. */
  quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_32), barrett, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_32), barrett, 0x00);
  return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1);
}

/* `size` is a multiple of 16 and at least 64. */
WITH_PCLMUL static uint32_t crc32_pclmul(uint32_t crc, const uint8_t *data, size_t size)
{
  const __m128i by_512 = _mm_set_epi64x(FOLD_512_HIGH, FOLD_512_LOW);
  const __m128i by_128 = _mm_set_epi64x(FOLD_128_HIGH, FOLD_128_LOW);
  __m128i sums[4];

  for (size_t i = 0; i < 4; i++)
    sums[i] = load(data + 16 * i);
  sums[0] = _mm_xor_si128(sums[0], _mm_cvtsi32_si128((int)crc));
  for (data += 64, size -= 64; size >= 64; data += 64, size -= 64) {
    for (size_t i = 0; i < 4; i++)
      sums[i] = fold(sums[i], by_512, load(data + 16 * i));
  }
  for (size_t i = 1; i < 4; i++)
    sums[0] = fold(sums[0], by_128, sums[i]);
  for (; size >= 16; data += 16, size -= 16)
    sums[0] = fold(sums[0], by_128, load(data));
  return reduce(sums[0]);
}

uint32_t osdear__crc32_wide(uint32_t crc, const uint8_t *data, size_t size, size_t *done)
{
  *done = 0;
  if (size < 64 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1"))
    return crc;
  *done = size & ~(size_t)15;
  return crc32_pclmul(crc, data, *done);
}
