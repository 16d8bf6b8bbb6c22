/* Any bytes as a Parquet file: footer, schema, statistics, page index and rows, in whole and in parts. */
#include "read_parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  osdear__input *input;

  if (osdear__input_of_bytes(data, size, "input", &input, NULL) == OSDEAR_OK)
    read_everything(input);
  return 0;
}
