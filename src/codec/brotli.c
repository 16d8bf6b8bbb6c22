#include <codec/ops.h>

#include <brotli/decode.h>

#define BROTLI_FUNCTIONS(function) \
  function(CreateInstance) function(DestroyInstance) function(DecompressStream) function(GetErrorCode) function(ErrorString)

static struct {
#define BROTLI_MEMBER(name) __typeof__(BrotliDecoder##name) *name;
  BROTLI_FUNCTIONS(BROTLI_MEMBER)
#undef BROTLI_MEMBER
} brotli;

#define BROTLI_NAME(name) "BrotliDecoder" #name,
static const char *const symbols[] = { BROTLI_FUNCTIONS(BROTLI_NAME) };
#undef BROTLI_NAME
_Static_assert(sizeof brotli == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "brotli-compressed data",
  .package = "libbrotli1",
  .files = { "libbrotlidec.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &brotli,
};

static void *brotli_alloc(void *opaque, size_t size)
{
  (void)opaque;
  return osdear__alloc(size);
}

static void brotli_free(void *opaque, void *block)
{
  (void)opaque;
  osdear__free(block);
}

/* One stream, all of which is given at once: anything but success at its very end is corruption. */
static osdear_status brotli_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                               osdear_error **error)
{
  BrotliDecoderState *decoder = brotli.CreateInstance(brotli_alloc, brotli_free, NULL);
  const uint8_t *next_in = in;
  uint8_t *next_out = out;
  size_t left_in = in_size, left_out = out_size;
  BrotliDecoderResult result;
  BrotliDecoderErrorCode code;

  (void)state;
  if (!decoder)
    return osdear__fail_memory(error);
  result = brotli.DecompressStream(decoder, &left_in, &next_in, &left_out, &next_out, NULL);
  code = brotli.GetErrorCode(decoder);
  brotli.DestroyInstance(decoder);
  if (code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
    return osdear__fail_memory(error);
  if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data holds more than the %zu bytes announced", out_size);
  if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data is cut short after %zu bytes", in_size);
  if (result != BROTLI_DECODER_RESULT_SUCCESS)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data does not decompress: %s", brotli.ErrorString(code));
  if (left_out > 0 || left_in > 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data holds %zu bytes and is followed by %zu, %zu bytes were announced",
                        out_size - left_out, left_in, out_size);
  return OSDEAR_OK;
}

static const osdear__codec_ops brotli_ops = { &library, brotli_in, NULL, NULL, NULL, NULL };
const osdear__codec_ops *const osdear__brotli_ops = &brotli_ops;
