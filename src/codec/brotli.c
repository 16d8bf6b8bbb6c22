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

static bool is_memory(BrotliDecoderErrorCode code)
{
  return code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES && code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
}

static osdear_status fail_stream(BrotliDecoderErrorCode code, osdear_error **error)
{
  if (is_memory(code))
    return osdear__fail_memory(error);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data does not decompress: %s", brotli.ErrorString(code));
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
  if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data holds more than the %zu bytes announced", out_size);
  if (result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data is cut short after %zu bytes", in_size);
  if (result != BROTLI_DECODER_RESULT_SUCCESS)
    return fail_stream(code, error);
  if (left_out > 0 || left_in > 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data holds %zu bytes and is followed by %zu, %zu bytes were announced",
                        out_size - left_out, left_in, out_size);
  return OSDEAR_OK;
}

typedef struct brotli_inflater {
  osdear__inflater base;
  BrotliDecoderState *decoder;
  bool is_over;
} brotli_inflater;

static osdear_status brotli_inflate(osdear__inflater *base, const void *in, size_t in_size, size_t *in_used, void *out,
                                    size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error)
{
  brotli_inflater *inflater = (brotli_inflater *)base;
  const uint8_t *next_in = in;
  uint8_t *next_out = out;
  size_t left_in = in_size, left_out = out_size;
  BrotliDecoderResult result = BROTLI_DECODER_RESULT_SUCCESS;

  if (!inflater->is_over)
    result = brotli.DecompressStream(inflater->decoder, &left_in, &next_in, &left_out, &next_out, NULL);
  if (result == BROTLI_DECODER_RESULT_ERROR)
    return fail_stream(brotli.GetErrorCode(inflater->decoder), error);
  inflater->is_over = result == BROTLI_DECODER_RESULT_SUCCESS;
  *in_used = in_size - left_in;
  *out_used = out_size - left_out;
  if (inflater->is_over && left_in > 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data is followed by %zu bytes", left_in);
  if (is_last && result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "brotli data is cut short");
  *is_done = is_last && inflater->is_over;
  return OSDEAR_OK;
}

static void brotli_inflater_free(osdear__inflater *base)
{
  brotli_inflater *inflater = (brotli_inflater *)base;

  brotli.DestroyInstance(inflater->decoder);
  osdear__free(inflater);
}

static osdear_status brotli_inflater_new(osdear__inflater **out, osdear_error **error)
{
  brotli_inflater *inflater = osdear__alloc_zeroed(1, sizeof *inflater);

  if (!inflater)
    return osdear__fail_memory(error);
  inflater->decoder = brotli.CreateInstance(brotli_alloc, brotli_free, NULL);
  if (!inflater->decoder) {
    osdear__free(inflater);
    return osdear__fail_memory(error);
  }
  inflater->base = (osdear__inflater){ brotli_inflate, brotli_inflater_free };
  *out = &inflater->base;
  return OSDEAR_OK;
}

static const osdear__codec_ops brotli_ops = { &library, false, brotli_in, NULL, NULL, NULL, brotli_inflater_new };
const osdear__codec_ops *const osdear__brotli_ops = &brotli_ops;
