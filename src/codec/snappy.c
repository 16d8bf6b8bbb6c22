#include <codec/ops.h>

#include <snappy-c.h>

#define SNAPPY_FUNCTIONS(function) function(uncompressed_length) function(uncompress) function(compress)

static struct {
#define SNAPPY_MEMBER(name) __typeof__(snappy_##name) *name;
  SNAPPY_FUNCTIONS(SNAPPY_MEMBER)
#undef SNAPPY_MEMBER
} snappy;

#define SNAPPY_NAME(name) "snappy_" #name,
static const char *const symbols[] = { SNAPPY_FUNCTIONS(SNAPPY_NAME) };
#undef SNAPPY_NAME
_Static_assert(sizeof snappy == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "snappy-compressed data",
  .package = "libsnappy1v5",
  .files = { "libsnappy.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &snappy,
};

static osdear_status snappy_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                               osdear_error **error)
{
  size_t announced = 0;

  (void)state;
  if (snappy.uncompressed_length(in, in_size, &announced) != SNAPPY_OK)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes has no length in front", in_size);
  if (announced != out_size) /* also what makes the call below stay inside `out` */
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data holds %zu bytes, %zu were announced", announced, out_size);
  if (snappy.uncompress(in, in_size, out, &announced) != SNAPPY_OK || announced != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes does not decompress", in_size);
  return OSDEAR_OK;
}

/* What snappy_max_compressed_length() says, and says will stay. */
static size_t snappy_bound(size_t in_size)
{
  return 32 + in_size + in_size / 6;
}

static osdear_status snappy_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                                osdear_error **error)
{
  size_t size = snappy_bound(in_size);

  (void)state;
  (void)level; /* snappy has one */
  if (snappy.compress(in, in_size, out, &size) != SNAPPY_OK)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "snappy did not compress %zu bytes", in_size);
  *out_size = size;
  return OSDEAR_OK;
}

static const osdear__codec_ops snappy_ops = { &library, snappy_in, snappy_out, snappy_bound, NULL, NULL };
const osdear__codec_ops *const osdear__snappy_ops = &snappy_ops;
