#include <codec/ops.h>

#include <sys/auxv.h>

#define ARM_HWCAP_CRC32 (UINT64_C(1) << 7) /* as in Linux' asm/hwcap.h */

/* The CRC32 extension of ARMv8: eight bytes at an instruction, which compilers name differently. */
static uint32_t crc32_instructions(uint32_t crc, const uint8_t *data, size_t size)
{
  for (; size >= 8; size -= 8, data += 8)
    __asm__(".arch_extension crc\n\tcrc32x %w0, %w0, %x1" : "+r"(crc) : "r"(osdear__load_u64(data)));
  return crc;
}

uint32_t osdear__crc32_wide(uint32_t crc, const uint8_t *data, size_t size, size_t *done)
{
  *done = 0;
  if (!(getauxval(AT_HWCAP) & ARM_HWCAP_CRC32))
    return crc;
  *done = size & ~(size_t)7;
  return crc32_instructions(crc, data, *done);
}
