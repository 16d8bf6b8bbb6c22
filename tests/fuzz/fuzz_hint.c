/* Any bytes as _last_checkpoint: a version comes out, or none, and never a failure. */
#include <delta/log/log.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  int64_t version = 0;

  if (osdear__checkpoint_hint_read((osdear__str){ (const char *)data, size }, &version, NULL))
    abort();
  if (version < -1)
    abort();
  return 0;
}
