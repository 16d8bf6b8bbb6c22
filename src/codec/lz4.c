#include <codec/ops.h>

#include <lz4.h>
#include <lz4frame.h>

#define LZ4_FUNCTIONS(function)                                                                           \
  function(_decompress_safe) function(_sizeofState) function(_compress_fast_extState) function(F_isError) \
      function(F_createDecompressionContext) function(F_decompress) function(F_freeDecompressionContext)

static struct {
#define LZ4_MEMBER(name) __typeof__(LZ4##name) *name;
  LZ4_FUNCTIONS(LZ4_MEMBER)
#undef LZ4_MEMBER
} lz4;

#define LZ4_NAME(name) "LZ4" #name,
static const char *const symbols[] = { LZ4_FUNCTIONS(LZ4_NAME) };
#undef LZ4_NAME
_Static_assert(sizeof lz4 == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "lz4-compressed data",
  .package = "liblz4-1",
  .files = { "liblz4.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &lz4,
};

#define HADOOP_HEADER 8 /* two big-endian u32: bytes in the block, bytes of its first chunk compressed */

static osdear_status raw_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                            osdear_error **error)
{
  int size = lz4._decompress_safe(in, out, (int)in_size, (int)out_size);

  (void)state;
  if (size < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "lz4 block of %zu bytes does not decompress into the %zu bytes announced",
                        in_size, out_size);
  if ((size_t)size != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "lz4 block holds %d bytes, %zu were announced", size, out_size);
  return OSDEAR_OK;
}

static size_t lz4_bound(size_t in_size)
{
  return (size_t)LZ4_COMPRESSBOUND(in_size);
}

static osdear_status raw_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                             osdear_error **error)
{
  int size;

  (void)level; /* the fast compressor has none worth choosing */
  if (in_size > LZ4_MAX_INPUT_SIZE)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "lz4 block of %zu bytes: at most %d", in_size, LZ4_MAX_INPUT_SIZE);
  if (!state->lz4_out)
    state->lz4_out = osdear__alloc((size_t)lz4._sizeofState());
  if (!state->lz4_out)
    return osdear__fail_memory(error);
  size = lz4._compress_fast_extState(state->lz4_out, in, out, (int)in_size, (int)lz4_bound(in_size), 1);
  if (size <= 0)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "lz4 did not compress %zu bytes", in_size);
  *out_size = (size_t)size;
  return OSDEAR_OK;
}

static void lz4_drop(osdear__codec_state *state)
{
  osdear__free(state->lz4_out);
  state->lz4_out = NULL;
}

static size_t load_be32(const uint8_t *at)
{
  return __builtin_bswap32(osdear__load_u32(at));
}

/* Hadoop's BlockCompressorStream: blocks of [bytes in the block][[bytes compressed][chunk]]…, all of which must fit exactly. */
static bool hadoop_blocks(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size)
{
  size_t at = 0, done = 0;

  while (at < in_size) {
    size_t block_left;
    if (in_size - at < 4)
      return false;
    block_left = load_be32(in + at);
    at += 4;
    if (block_left > out_size - done)
      return false;
    while (block_left > 0) {
      size_t chunk;
      int size;
      if (in_size - at < 4)
        return false;
      chunk = load_be32(in + at);
      at += 4;
      if (chunk == 0 || chunk > in_size - at)
        return false;
      size = lz4._decompress_safe((const char *)in + at, (char *)out + done, (int)chunk, (int)block_left);
      if (size <= 0)
        return false;
      at += chunk;
      done += (size_t)size;
      block_left -= (size_t)size;
    }
  }
  return done == out_size;
}

/* LZ4's own frame format, in one call; frames after each other are allowed. */
static osdear_status frame_in(const uint8_t *in, size_t in_size, uint8_t *out, size_t out_size, bool *fits, osdear_error **error)
{
  LZ4F_dctx *frame = NULL;
  size_t at = 0, done = 0, left = 1;

  *fits = false;
  if (lz4.F_isError(lz4.F_createDecompressionContext(&frame, LZ4F_VERSION)))
    return osdear__fail_memory(error);
  while (at < in_size) {
    size_t taken = in_size - at, given = out_size - done;
    left = lz4.F_decompress(frame, out + done, &given, in + at, &taken, NULL);
    if (lz4.F_isError(left) || (taken == 0 && given == 0))
      break;
    at += taken;
    done += given;
  }
  *fits = left == 0 && at == in_size && done == out_size;
  (void)lz4.F_freeDecompressionContext(frame);
  return OSDEAR_OK;
}

/* The deprecated codec 5 was written in three ways; the specification calls for trying them: Hadoop's framing first, since a raw block
 * can hardly look like one, then a raw block, then a frame. */
static osdear_status hadoop_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                               osdear_error **error)
{
  bool fits = false;
  osdear_status st;

  (void)state;
  if (hadoop_blocks(in, in_size, out, out_size))
    return OSDEAR_OK;
  if (lz4._decompress_safe(in, out, (int)in_size, (int)out_size) == (int)out_size)
    return OSDEAR_OK;
  st = frame_in(in, in_size, out, out_size, &fits, error);
  if (st)
    return st;
  if (!fits)
    return osdear__fail(
        error, OSDEAR_ERR_CORRUPT,
        "lz4 data of %zu bytes gives the %zu bytes announced neither as Hadoop blocks nor as a raw block nor as a frame", in_size,
        out_size);
  return OSDEAR_OK;
}

static size_t hadoop_bound(size_t in_size)
{
  return lz4_bound(in_size) + HADOOP_HEADER;
}

static osdear_status hadoop_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out,
                                size_t *out_size, osdear_error **error)
{
  uint8_t *to = out;
  size_t size = 0;
  osdear_status st;

  if (in_size == 0) {
    osdear__store_u32(to, 0);
    *out_size = 4;
    return OSDEAR_OK;
  }
  st = raw_out(state, level, in, in_size, to + HADOOP_HEADER, &size, error);
  if (st)
    return st;
  osdear__store_u32(to, __builtin_bswap32((uint32_t)in_size));
  osdear__store_u32(to + 4, __builtin_bswap32((uint32_t)size));
  *out_size = size + HADOOP_HEADER;
  return OSDEAR_OK;
}

static const osdear__codec_ops raw_ops = { &library, false, raw_in, raw_out, lz4_bound, lz4_drop, NULL };
static const osdear__codec_ops hadoop_ops = { &library, false, hadoop_in, hadoop_out, hadoop_bound, NULL, NULL };
const osdear__codec_ops *const osdear__lz4_raw_ops = &raw_ops;
const osdear__codec_ops *const osdear__lz4_hadoop_ops = &hadoop_ops;
