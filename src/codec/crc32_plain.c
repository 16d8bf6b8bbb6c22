#include <codec/ops.h>

/* For processors whose instructions we do not know: the tables do it all. */
uint32_t osdear__crc32_wide(uint32_t crc, const uint8_t *data, size_t size, size_t *done)
{
  (void)data;
  (void)size;
  *done = 0;
  return crc;
}
