#include <codec/ops.h>

#include <stdatomic.h>

/* CRC-32 of gzip and Parquet: polynomial 0x04c11db7, bits reflected. Sixteen bytes at a step by sixteen tables ("slicing"). */
#define POLYNOMIAL UINT32_C(0xedb88320)
#define SLICES 16

/* Filled on first use: threads that meet here write the same values, so the one flag is enough. */
static _Atomic uint32_t tables[SLICES][256];
static atomic_bool tables_ready;

static void fill_tables(void)
{
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 1 ^ (crc & 1 ? POLYNOMIAL : 0);
    atomic_store_explicit(&tables[0][i], crc, memory_order_relaxed);
  }
  for (size_t slice = 1; slice < SLICES; slice++) {
    for (size_t i = 0; i < 256; i++) {
      uint32_t crc = atomic_load_explicit(&tables[slice - 1][i], memory_order_relaxed);
      crc = crc >> 8 ^ atomic_load_explicit(&tables[0][crc & 255], memory_order_relaxed);
      atomic_store_explicit(&tables[slice][i], crc, memory_order_relaxed);
    }
  }
  atomic_store_explicit(&tables_ready, true, memory_order_release);
}

static inline uint32_t look_up(size_t slice, uint32_t byte)
{
  return atomic_load_explicit(&tables[slice][byte & 255], memory_order_relaxed);
}

/* Four bytes that are followed by 12, 8, 4 or 0 more in this step: `slice` is the table of the last of them. */
static inline uint32_t look_up_word(size_t slice, uint32_t word)
{
  return look_up(slice + 3, word) ^ look_up(slice + 2, word >> 8) ^ look_up(slice + 1, word >> 16) ^ look_up(slice, word >> 24);
}

uint32_t osdear__crc32_tables(uint32_t crc, const uint8_t *data, size_t size)
{
  if (!atomic_load_explicit(&tables_ready, memory_order_acquire))
    fill_tables();
  for (; size >= 16; size -= 16, data += 16)
    crc = look_up_word(12, crc ^ osdear__load_u32(data)) ^ look_up_word(8, osdear__load_u32(data + 4)) ^
          look_up_word(4, osdear__load_u32(data + 8)) ^ look_up_word(0, osdear__load_u32(data + 12));
  for (; size > 0; size--, data++)
    crc = crc >> 8 ^ look_up(0, crc ^ *data);
  return crc;
}

uint32_t osdear__crc32(uint32_t seed, const void *data, size_t size)
{
  size_t done = 0;
  uint32_t crc = osdear__crc32_wide(~seed, data, size, &done);
  if (done < size)
    crc = osdear__crc32_tables(crc, (const uint8_t *)data + done, size - done);
  return ~crc;
}
