#include <codec/ops.h>

#define ZLIB_CONST /* next_in points to const */
#include <zlib.h>

#define ZLIB_FUNCTIONS(function)                                                                                 \
  function(inflateInit2_) function(inflateReset2) function(inflate) function(inflateEnd) function(deflateInit2_) \
      function(deflateReset) function(deflate) function(deflateEnd)

static struct {
#define ZLIB_MEMBER(name) __typeof__(name) *name;
  ZLIB_FUNCTIONS(ZLIB_MEMBER)
#undef ZLIB_MEMBER
} zlib;

#define ZLIB_NAME(name) #name,
static const char *const symbols[] = { ZLIB_FUNCTIONS(ZLIB_NAME) };
#undef ZLIB_NAME
_Static_assert(sizeof zlib == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "gzip-compressed data",
  .package = "zlib1g",
  .files = { "libz.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &zlib,
};

/* inflate: gzip or zlib by the header found, since writers of Parquet files produced both. deflate: gzip. */
#define WINDOW_EITHER (15 + 32)
#define WINDOW_GZIP (15 + 16)
#define GZIP_OVERHEAD 18    /* header and trailer */
#define DEFLATE_OVERHEAD 13 /* what compressBound() adds, for the window and memory that we choose */

typedef struct gzip_out_state {
  z_stream stream;
  int level;
} gzip_out_state;

static void *gzip_alloc(void *opaque, uInt items, uInt size)
{
  (void)opaque;
  return osdear__alloc_zeroed(items, size);
}

static void gzip_free(void *opaque, void *block)
{
  (void)opaque;
  osdear__free(block);
}

static z_stream *stream_new(void)
{
  z_stream *stream = osdear__alloc_zeroed(1, sizeof *stream);
  if (!stream)
    return NULL;
  stream->zalloc = gzip_alloc;
  stream->zfree = gzip_free;
  if (zlib.inflateInit2_(stream, WINDOW_EITHER, ZLIB_VERSION, (int)sizeof *stream) == Z_OK)
    return stream;
  osdear__free(stream);
  return NULL;
}

static void stream_free(z_stream *stream)
{
  if (stream)
    (void)zlib.inflateEnd(stream);
  osdear__free(stream);
}

static osdear_status fail_stream(const z_stream *stream, int code, osdear_error **error)
{
  if (code == Z_MEM_ERROR)
    return osdear__fail_memory(error);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "gzip data does not decompress: %s", stream->msg ? stream->msg : "bad data");
}

/* Members after each other (RFC 1952, 2.2) until the input is used up. Once `out` is full a spare byte shows data past it. */
static osdear_status gzip_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                             osdear_error **error)
{
  z_stream *stream;
  Bytef spare;
  int code = Z_STREAM_END;
  bool is_full = false;

  if (!state->gzip_in)
    state->gzip_in = stream_new();
  if (!state->gzip_in)
    return osdear__fail_memory(error);
  stream = state->gzip_in;
  stream->next_in = in;
  stream->avail_in = (uInt)in_size;
  stream->next_out = out;
  stream->avail_out = (uInt)out_size;
  while (stream->avail_in > 0 || code != Z_STREAM_END) {
    if (code == Z_STREAM_END && zlib.inflateReset2(stream, WINDOW_EITHER) != Z_OK)
      return osdear__fail(error, OSDEAR_ERR_INTERNAL, "zlib did not start again");
    if (stream->avail_out == 0 && is_full)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "gzip data holds more than the %zu bytes announced", out_size);
    if (stream->avail_out == 0) {
      stream->next_out = &spare;
      stream->avail_out = 1;
      is_full = true;
    }
    code = zlib.inflate(stream, Z_NO_FLUSH);
    if (code == Z_BUF_ERROR && stream->avail_in == 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "gzip data is cut short after %zu bytes", in_size);
    if (code != Z_OK && code != Z_STREAM_END)
      return fail_stream(stream, code, error);
  }
  if (is_full ? stream->avail_out == 0 : stream->avail_out > 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "gzip data does not hold the %zu bytes announced", out_size);
  return OSDEAR_OK;
}

static void gzip_out_free(gzip_out_state *out)
{
  if (out)
    (void)zlib.deflateEnd(&out->stream);
  osdear__free(out);
}

/* The deflater for `level`, ready for a new member; kept as long as the level stays. */
static osdear_status deflater(osdear__codec_state *state, int level, z_stream **stream, osdear_error **error)
{
  gzip_out_state *kept = state->gzip_out;

  if (kept && kept->level == level && zlib.deflateReset(&kept->stream) == Z_OK) {
    *stream = &kept->stream;
    return OSDEAR_OK;
  }
  gzip_out_free(kept);
  state->gzip_out = NULL;
  kept = osdear__alloc_zeroed(1, sizeof *kept);
  if (!kept)
    return osdear__fail_memory(error);
  kept->level = level;
  kept->stream.zalloc = gzip_alloc;
  kept->stream.zfree = gzip_free;
  if (zlib.deflateInit2_(&kept->stream, level, Z_DEFLATED, WINDOW_GZIP, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
                         (int)sizeof kept->stream) != Z_OK) {
    osdear__free(kept);
    return osdear__fail_memory(error);
  }
  state->gzip_out = kept;
  *stream = &kept->stream;
  return OSDEAR_OK;
}

static size_t gzip_bound(size_t in_size)
{
  return in_size + (in_size >> 12) + (in_size >> 14) + (in_size >> 25) + DEFLATE_OVERHEAD + GZIP_OVERHEAD;
}

static osdear_status gzip_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                              osdear_error **error)
{
  z_stream *stream = NULL;
  size_t room = gzip_bound(in_size);
  osdear_status st;

  if (level < 0 || level > Z_BEST_COMPRESSION)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "gzip level %d: from 1 to %d there are", level, Z_BEST_COMPRESSION);
  st = deflater(state, level == 0 ? Z_DEFAULT_COMPRESSION : level, &stream, error);
  if (st)
    return st;
  stream->next_in = in;
  stream->avail_in = (uInt)in_size;
  stream->next_out = out;
  stream->avail_out = (uInt)room;
  if (zlib.deflate(stream, Z_FINISH) != Z_STREAM_END)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "zlib did not compress %zu bytes", in_size);
  *out_size = room - stream->avail_out;
  return OSDEAR_OK;
}

static void gzip_drop(osdear__codec_state *state)
{
  stream_free(state->gzip_in);
  gzip_out_free(state->gzip_out);
  state->gzip_in = NULL;
  state->gzip_out = NULL;
}

typedef struct gzip_inflater {
  osdear__inflater base;
  z_stream *stream;
  bool in_member;
  bool any_member;
} gzip_inflater;

static uInt at_most_uint(size_t size)
{
  return size > UINT32_MAX ? UINT32_MAX : (uInt)size;
}

static osdear_status gzip_inflate(osdear__inflater *base, const void *in, size_t in_size, size_t *in_used, void *out,
                                  size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error)
{
  gzip_inflater *inflater = (gzip_inflater *)base;
  z_stream *stream = inflater->stream;
  uInt in_given = at_most_uint(in_size), out_given = at_most_uint(out_size);
  int code = Z_OK;

  stream->next_in = in_size > 0 ? in : (const Bytef *)"";
  stream->avail_in = in_given;
  stream->next_out = out;
  stream->avail_out = out_given;
  while (code == Z_OK && (inflater->in_member || stream->avail_in > 0)) {
    if (!inflater->in_member && zlib.inflateReset2(stream, WINDOW_EITHER) != Z_OK)
      return osdear__fail(error, OSDEAR_ERR_INTERNAL, "zlib did not start again");
    inflater->in_member = true;
    inflater->any_member = true;
    code = zlib.inflate(stream, Z_NO_FLUSH);
    if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
      return fail_stream(stream, code, error);
    if (code == Z_STREAM_END) {
      inflater->in_member = false;
      code = Z_OK;
    }
  }
  *in_used = in_given - stream->avail_in;
  *out_used = out_given - stream->avail_out;
  if (!is_last || *in_used < in_size || (inflater->in_member && stream->avail_out == 0))
    return OSDEAR_OK;
  if (inflater->in_member || !inflater->any_member)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "gzip stream is cut short");
  *is_done = true;
  return OSDEAR_OK;
}

static void gzip_inflater_free(osdear__inflater *base)
{
  gzip_inflater *inflater = (gzip_inflater *)base;
  stream_free(inflater->stream);
  osdear__free(inflater);
}

static osdear_status gzip_inflater_new(osdear__inflater **out, osdear_error **error)
{
  gzip_inflater *inflater = osdear__alloc_zeroed(1, sizeof *inflater);
  if (!inflater)
    return osdear__fail_memory(error);
  inflater->stream = stream_new();
  if (!inflater->stream) {
    osdear__free(inflater);
    return osdear__fail_memory(error);
  }
  inflater->base = (osdear__inflater){ gzip_inflate, gzip_inflater_free };
  *out = &inflater->base;
  return OSDEAR_OK;
}

static const osdear__codec_ops gzip_ops = { &library, false, gzip_in, gzip_out, gzip_bound, gzip_drop, gzip_inflater_new };
const osdear__codec_ops *const osdear__gzip_ops = &gzip_ops;
