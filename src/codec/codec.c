#include <codec/ops.h>

#include <strings.h>

/* Parquet's page sizes are int32, and several compressors count in int: nothing larger is asked of them. */
#define CODEC_MAX_BYTES ((size_t)INT32_MAX)

static const struct codec_entry {
  const char *name;
  const osdear__codec_ops *const *ops; /* NULL: never built */
} codecs[] = {
  [CODEC_NONE] = { "uncompressed", NULL },
  [CODEC_SNAPPY] = { "snappy", &osdear__snappy_ops },
  [CODEC_GZIP] = { "gzip", &osdear__gzip_ops },
  [CODEC_LZO] = { "lzo", NULL },
  [CODEC_BROTLI] = { "brotli", &osdear__brotli_ops },
  [CODEC_LZ4_HADOOP] = { "lz4", &osdear__lz4_hadoop_ops },
  [CODEC_ZSTD] = { "zstd", &osdear__zstd_ops },
  [CODEC_LZ4_RAW] = { "lz4_raw", &osdear__lz4_raw_ops },
};

/* The number may come from a file. */
static bool is_known(osdear__codec codec)
{
  return (unsigned)codec < COUNT_OF(codecs);
}

static const osdear__codec_ops *ops_of(osdear__codec codec)
{
  return is_known(codec) && codecs[codec].ops ? *codecs[codec].ops : NULL;
}

const char *osdear__codec_name(osdear__codec codec)
{
  return is_known(codec) ? codecs[codec].name : NULL;
}

bool osdear__codec_of_name(const char *name, osdear__codec *out)
{
  if (strcasecmp(name, "none") == 0) {
    *out = CODEC_NONE;
    return true;
  }
  for (size_t i = 0; i < COUNT_OF(codecs); i++) {
    if (i != CODEC_LZO && strcasecmp(name, codecs[i].name) == 0) {
      *out = (osdear__codec)i;
      return true;
    }
  }
  return false;
}

bool osdear__codec_is_built(osdear__codec codec)
{
  return codec == CODEC_NONE || ops_of(codec) != NULL;
}

bool osdear__codec_is_written(osdear__codec codec)
{
  const osdear__codec_ops *ops = ops_of(codec);
  return codec == CODEC_NONE || (ops && ops->compress);
}

osdear__codec osdear__codec_default(void)
{
  static const osdear__codec preferred[] = { CODEC_ZSTD, CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_RAW };
  for (size_t i = 0; i < COUNT_OF(preferred); i++)
    if (osdear__codec_is_written(preferred[i]))
      return preferred[i];
  return CODEC_NONE;
}

void osdear__codec_state_drop(osdear__codec_state *state)
{
  for (size_t i = 0; i < COUNT_OF(codecs); i++) {
    const osdear__codec_ops *ops = ops_of((osdear__codec)i);
    if (ops && ops->state_drop)
      ops->state_drop(state);
  }
  osdear__buf_drop(&state->scratch);
}

static osdear_status fail_missing(osdear__codec codec, osdear_error **error)
{
  const char *name = osdear__codec_name(codec);
  if (!name)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "compression codec %d is not known", (int)codec);
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "compression codec %s is not part of this build", name);
}

/* What a codec can do, with its library loaded. */
static osdear_status open_ops(osdear__codec codec, const osdear__codec_ops **out, osdear_error **error)
{
  const osdear__codec_ops *ops = ops_of(codec);
  osdear_status st = ops ? osdear__library_open(ops->library, error) : fail_missing(codec, error);
  if (!st)
    *out = ops;
  return st;
}

static osdear_status check_size(const char *what, size_t size, osdear_error **error)
{
  if (size > CODEC_MAX_BYTES)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s of %zu bytes: at most %zu are handled at once", what, size, CODEC_MAX_BYTES);
  return OSDEAR_OK;
}

static osdear_status copy_exactly(const void *in, size_t in_size, void *out, size_t out_size, osdear_error **error)
{
  if (in_size != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "uncompressed data has %zu bytes, %zu were announced", in_size, out_size);
  if (in_size > 0)
    memcpy(out, in, in_size);
  return OSDEAR_OK;
}

osdear_status osdear__decompress(osdear__codec_state *state, osdear__codec codec, const void *in, size_t in_size, void *out,
                                 size_t out_size, osdear_error **error)
{
  const osdear__codec_ops *ops = NULL;
  uint8_t nothing = 0;
  osdear_status st;

  if (codec == CODEC_NONE)
    return copy_exactly(in, in_size, out, out_size, error);
  ops = ops_of(codec);
  st = ops && ops->reads_alone ? OSDEAR_OK : open_ops(codec, &ops, error);
  if (st)
    return st;
  st = check_size("compressed data", in_size, error);
  if (st)
    return st;
  st = check_size("decompressed data", out_size, error);
  if (st)
    return st;
  if (in_size == 0 && out_size == 0) /* written so by writers that compress nothing where there is nothing */
    return OSDEAR_OK;
  if (in_size == 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s data is empty, %zu bytes were announced", codecs[codec].name, out_size);
  return ops->decompress(state, in, in_size, out ? out : &nothing, out_size, error);
}

size_t osdear__compress_bound(osdear__codec codec, size_t in_size)
{
  const osdear__codec_ops *ops = ops_of(codec);
  return ops && ops->bound ? ops->bound(in_size) : in_size;
}

osdear_status osdear__compress(osdear__codec_state *state, osdear__codec codec, int level, const void *in, size_t in_size,
                               void *out, size_t *out_size, osdear_error **error)
{
  const osdear__codec_ops *ops = NULL;
  osdear_status st;

  if (codec == CODEC_NONE) {
    if (in_size > 0)
      memcpy(out, in, in_size);
    *out_size = in_size;
    return OSDEAR_OK;
  }
  st = open_ops(codec, &ops, error);
  if (st)
    return st;
  if (!ops->compress)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "compression codec %s is read, not written: choose zstd or snappy",
                        codecs[codec].name);
  st = check_size("data to compress", in_size, error);
  if (st)
    return st;
  return ops->compress(state, level, in_size > 0 ? in : "", in_size, out, out_size, error);
}

osdear_status osdear__inflater_new(osdear__codec codec, osdear__inflater **out, osdear_error **error)
{
  const osdear__codec_ops *ops = NULL;
  osdear_status st = open_ops(codec, &ops, error);
  if (st)
    return st;
  if (!ops->inflater_new)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "files compressed as %s are not read: use gzip or zstd",
                        codecs[codec].name);
  return ops->inflater_new(out, error);
}

osdear_status osdear__inflate(osdear__inflater *inflater, const void *in, size_t in_size, size_t *in_used, void *out,
                              size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error)
{
  *in_used = 0;
  *out_used = 0;
  *is_done = false;
  return inflater->inflate(inflater, in, in_size, in_used, out, out_size, out_used, is_last, is_done, error);
}

void osdear__inflater_auto(osdear__inflater **inflater)
{
  if (*inflater)
    (*inflater)->free(*inflater);
  *inflater = NULL;
}
