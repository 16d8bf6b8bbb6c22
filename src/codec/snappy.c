#include <codec/ops.h>

#include <snappy-c.h>

static osdear_status snappy_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                               osdear_error **error)
{
  size_t announced = 0;

  (void)state;
  if (snappy_uncompressed_length(in, in_size, &announced) != SNAPPY_OK)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes has no length in front", in_size);
  if (announced != out_size) /* also what makes the call below stay inside `out` */
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data holds %zu bytes, %zu were announced", announced, out_size);
  if (snappy_uncompress(in, in_size, out, &announced) != SNAPPY_OK || announced != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes does not decompress", in_size);
  return OSDEAR_OK;
}

static osdear_status snappy_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                                osdear_error **error)
{
  size_t size = snappy_max_compressed_length(in_size);

  (void)state;
  (void)level; /* snappy has one */
  if (snappy_compress(in, in_size, out, &size) != SNAPPY_OK)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "snappy did not compress %zu bytes", in_size);
  *out_size = size;
  return OSDEAR_OK;
}

static const osdear__codec_ops snappy_ops = { snappy_in, snappy_out, snappy_max_compressed_length, NULL, NULL };
const osdear__codec_ops *const osdear__snappy_ops = &snappy_ops;
