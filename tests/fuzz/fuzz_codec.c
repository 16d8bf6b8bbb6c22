/* The first byte chooses a codec, the second how large the result is said to be; the rest is the compressed data. What decompresses
 * is compressed and must come back. */
#include <codec/codec.h>

#include <stdlib.h>

#define STEP 64 /* bytes for each count of the second byte */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void stream(osdear__codec codec, const uint8_t *in, size_t size)
{
  AUTO(inflater) inflater = NULL;
  uint8_t out[4096];
  size_t total = 0, used, made;
  bool is_done = false;

  if (osdear__inflater_new(codec, &inflater, NULL))
    return;
  while (!is_done && total < 1 << 20) {
    if (osdear__inflate(inflater, in, size, &used, out, sizeof out, &made, true, &is_done, NULL))
      return;
    if (!is_done && used + made == 0)
      abort();
    in += used;
    size -= used;
    total += made;
  }
}

static void there_and_back(osdear__codec_state *state, osdear__codec codec, const uint8_t *data, size_t size)
{
  size_t bound = osdear__compress_bound(codec, size), packed_size = 0;
  uint8_t *packed = malloc(bound + 1), *again = malloc(size + 1);

  if (packed && again && osdear__compress(state, codec, 0, data, size, packed, &packed_size, NULL) == OSDEAR_OK &&
      (osdear__decompress(state, codec, packed, packed_size, again, size, NULL) || memcmp(data, again, size) != 0))
    abort();
  free(packed);
  free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  SCOPED(codec_state) state = { 0 };
  osdear__codec codec;
  size_t out_size;
  uint8_t *out;

  if (size < 2)
    return 0;
  codec = (osdear__codec)(data[0] % 9); /* the last is not known */
  out_size = (size_t)data[1] * STEP;
  out = malloc(out_size + 1);
  if (out && osdear__decompress(&state, codec, data + 2, size - 2, out, out_size, NULL) == OSDEAR_OK)
    there_and_back(&state, codec, out, out_size);
  free(out);
  stream(codec, data + 2, size - 2);
  return 0;
}
