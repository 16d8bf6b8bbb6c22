#include <codec/ops.h>

#include <zstd.h>
#include <zstd_errors.h>

#define ZSTD_FUNCTIONS(function)                                                                                        \
  function(createDCtx) function(freeDCtx) function(decompressDCtx) function(createCCtx) function(freeCCtx)              \
      function(compressCCtx) function(createDStream) function(freeDStream) function(decompressStream) function(isError) \
          function(getErrorCode) function(getErrorName) function(minCLevel) function(maxCLevel)

static struct {
#define ZSTD_MEMBER(name) __typeof__(ZSTD_##name) *name;
  ZSTD_FUNCTIONS(ZSTD_MEMBER)
#undef ZSTD_MEMBER
} zstd;

#define ZSTD_NAME(name) "ZSTD_" #name,
static const char *const symbols[] = { ZSTD_FUNCTIONS(ZSTD_NAME) };
#undef ZSTD_NAME
_Static_assert(sizeof zstd == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "zstd-compressed data",
  .package = "libzstd1",
  .files = { "libzstd.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &zstd,
};

static osdear_status zstd_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                             osdear_error **error)
{
  size_t size;

  if (!state->zstd_in)
    state->zstd_in = zstd.createDCtx();
  if (!state->zstd_in)
    return osdear__fail_memory(error);
  size = zstd.decompressDCtx(state->zstd_in, out, out_size, in, in_size); /* takes several frames, with and without a size */
  if (zstd.isError(size) && zstd.getErrorCode(size) == ZSTD_error_memory_allocation)
    return osdear__fail_memory(error);
  if (zstd.isError(size) && zstd.getErrorCode(size) == ZSTD_error_dstSize_tooSmall)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "zstd data holds more than the %zu bytes announced", out_size);
  if (zstd.isError(size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "zstd data of %zu bytes does not decompress: %s", in_size,
                        zstd.getErrorName(size));
  if (size != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "zstd data holds %zu bytes, %zu were announced", size, out_size);
  return OSDEAR_OK;
}

static size_t zstd_bound(size_t in_size)
{
  return ZSTD_COMPRESSBOUND(in_size);
}

static osdear_status zstd_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                              osdear_error **error)
{
  size_t size;

  if (level == 0)
    level = ZSTD_CLEVEL_DEFAULT;
  if (level < zstd.minCLevel() || level > zstd.maxCLevel())
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "zstd level %d: from %d to %d there are", level, zstd.minCLevel(),
                        zstd.maxCLevel());
  if (!state->zstd_out)
    state->zstd_out = zstd.createCCtx();
  if (!state->zstd_out)
    return osdear__fail_memory(error);
  size = zstd.compressCCtx(state->zstd_out, out, zstd_bound(in_size), in, in_size, level);
  if (zstd.isError(size) && zstd.getErrorCode(size) == ZSTD_error_memory_allocation)
    return osdear__fail_memory(error);
  if (zstd.isError(size))
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "zstd did not compress %zu bytes: %s", in_size, zstd.getErrorName(size));
  *out_size = size;
  return OSDEAR_OK;
}

static void zstd_drop(osdear__codec_state *state)
{
  if (state->zstd_in)
    zstd.freeDCtx(state->zstd_in);
  if (state->zstd_out)
    zstd.freeCCtx(state->zstd_out);
  state->zstd_in = NULL;
  state->zstd_out = NULL;
}

/* A file: frames after each other. Its window is bounded by zstd's own limit for streams, 128 MiB. */
typedef struct zstd_inflater {
  osdear__inflater base;
  ZSTD_DStream *stream;
  bool in_frame;
  bool any_frame;
} zstd_inflater;

static osdear_status zstd_inflate(osdear__inflater *base, const void *in, size_t in_size, size_t *in_used, void *out,
                                  size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error)
{
  zstd_inflater *inflater = (zstd_inflater *)base;
  ZSTD_inBuffer from = { in, in_size, 0 };
  ZSTD_outBuffer to = { out, out_size, 0 };

  while (inflater->in_frame || from.pos < from.size) {
    size_t from_before = from.pos, to_before = to.pos;
    size_t left = zstd.decompressStream(inflater->stream, &to, &from);
    if (zstd.isError(left) && zstd.getErrorCode(left) == ZSTD_error_memory_allocation)
      return osdear__fail_memory(error);
    if (zstd.isError(left))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "zstd stream does not decompress: %s", zstd.getErrorName(left));
    inflater->in_frame = left != 0;
    inflater->any_frame = true;
    if (from.pos == from_before && to.pos == to_before)
      break;
  }
  *in_used = from.pos;
  *out_used = to.pos;
  if (!is_last || from.pos < from.size || (inflater->in_frame && to.pos == to.size))
    return OSDEAR_OK;
  if (inflater->in_frame || !inflater->any_frame)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "zstd stream is cut short");
  *is_done = true;
  return OSDEAR_OK;
}

static void zstd_inflater_free(osdear__inflater *base)
{
  zstd_inflater *inflater = (zstd_inflater *)base;
  zstd.freeDStream(inflater->stream);
  osdear__free(inflater);
}

static osdear_status zstd_inflater_new(osdear__inflater **out, osdear_error **error)
{
  zstd_inflater *inflater = osdear__alloc_zeroed(1, sizeof *inflater);
  if (!inflater)
    return osdear__fail_memory(error);
  inflater->stream = zstd.createDStream();
  if (!inflater->stream) {
    osdear__free(inflater);
    return osdear__fail_memory(error);
  }
  inflater->base = (osdear__inflater){ zstd_inflate, zstd_inflater_free };
  *out = &inflater->base;
  return OSDEAR_OK;
}

static const osdear__codec_ops zstd_ops = { &library, false, zstd_in, zstd_out, zstd_bound, zstd_drop, zstd_inflater_new };
const osdear__codec_ops *const osdear__zstd_ops = &zstd_ops;
