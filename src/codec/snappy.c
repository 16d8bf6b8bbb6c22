#include <codec/ops.h>

#include <snappy-c.h>

#define SNAPPY_FUNCTIONS(function) function(compress)

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
  .purpose = "compression by snappy",
  .package = "libsnappy1v5",
  .files = { "libsnappy.so.1" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &snappy,
};

/* ---- reading: by ourselves, since the libraries that are about copy eight bytes by a call of a function ----
 *
 * Format: https://github.com/google/snappy/blob/main/format_description.txt. After the length come elements, whose lowest two bits say what
 * they are: bytes as they are, or a copy of bytes before. */

typedef struct unpacking {
  const uint8_t *from, *from_end;
  uint8_t *to, *to_end;
  const uint8_t *begin; /* of the output: copies go back no further */
} unpacking;

static size_t left_in(const unpacking *u)
{
  return (size_t)(u->from_end - u->from);
}

static size_t left_out(const unpacking *u)
{
  return (size_t)(u->to_end - u->to);
}

/* Short ones, with room on both sides, by sixteen bytes at once, of which some are overwritten later. */
static inline bool take_literal(unpacking *u, uint32_t tag)
{
  size_t size = (tag >> 2) + 1;

  if (LIKELY(size <= 16 && left_in(u) >= 16 && left_out(u) >= 16)) {
    memcpy(u->to, u->from, 16);
  } else {
    if (size > 60) { /* the length itself follows, in one to four bytes */
      size_t bytes = size - 60;
      uint32_t length = 0;

      if (left_in(u) < bytes)
        return false;
      memcpy(&length, u->from, bytes);
      size = (size_t)length + 1;
      u->from += bytes;
    }
    if (size > left_in(u) || size > left_out(u))
      return false;
    memcpy(u->to, u->from, size);
  }
  u->to += size;
  u->from += size;
  return true;
}

/* A copy may overlap what it makes, and then repeats it. */
static inline bool copy_back(unpacking *u, size_t size, size_t back)
{
  const uint8_t *at = u->to - back;

  if (back == 0 || back > (size_t)(u->to - u->begin) || size > left_out(u))
    return false;
  if (LIKELY(back >= 16 && left_out(u) >= 64)) {
    memcpy(u->to, at, 16);
    for (size_t i = 16; i < size; i += 16)
      memcpy(u->to + i, at + i, 16);
  } else if (back >= 8 && left_out(u) >= 72) {
    for (size_t i = 0; i < size; i += 8)
      memcpy(u->to + i, at + i, 8);
  } else {
    for (size_t i = 0; i < size; i++)
      u->to[i] = at[i];
  }
  u->to += size;
  return true;
}

static inline bool take_copy(unpacking *u, uint32_t tag)
{
  uint32_t bytes = (tag & 3) == 3 ? 4 : tag & 3, back = 0;
  size_t size = (tag & 3) == 1 ? 4 + (tag >> 2 & 7) : (tag >> 2) + 1;

  if (left_in(u) < bytes)
    return false;
  if (LIKELY(left_in(u) >= 4))
    back = osdear__load_u32(u->from) & (uint32_t)((UINT64_C(1) << (8 * bytes)) - 1);
  else
    memcpy(&back, u->from, bytes);
  u->from += bytes;
  return copy_back(u, size, (tag & 3) == 1 ? (tag >> 5) << 8 | back : back);
}

static bool unpack(unpacking *u)
{
  while (u->from < u->from_end) {
    uint32_t tag = *u->from++;

    if (!(tag & 3 ? take_copy(u, tag) : take_literal(u, tag)))
      return false;
  }
  return u->to == u->to_end;
}

/* At most five bytes, of 32 bits. */
static bool read_length(const uint8_t **from, const uint8_t *end, size_t *out)
{
  uint64_t value = 0;

  for (int shift = 0; shift < 35 && *from < end; shift += 7) {
    uint8_t byte = *(*from)++;

    value |= (uint64_t)(byte & 0x7f) << shift;
    *out = (size_t)value;
    if (!(byte & 0x80))
      return value <= UINT32_MAX;
  }
  return false;
}

static osdear_status snappy_in(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                               osdear_error **error)
{
  unpacking u = { in, (const uint8_t *)in + in_size, out, (uint8_t *)out + out_size, out };
  size_t announced = 0;

  (void)state;
  if (!read_length(&u.from, u.from_end, &announced))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes has no length in front", in_size);
  if (announced != out_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data holds %zu bytes, %zu were announced", announced, out_size);
  if (!unpack(&u))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "snappy data of %zu bytes does not decompress", in_size);
  return OSDEAR_OK;
}

/* What snappy_max_compressed_length() says, and says will stay. */
static size_t snappy_bound(size_t in_size)
{
  return 32 + in_size + in_size / 6;
}

static osdear_status snappy_out(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out,
                                size_t *out_size, osdear_error **error)
{
  size_t size = snappy_bound(in_size);

  (void)state;
  (void)level; /* snappy has one */
  if (snappy.compress(in, in_size, out, &size) != SNAPPY_OK)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "snappy did not compress %zu bytes", in_size);
  *out_size = size;
  return OSDEAR_OK;
}

static const osdear__codec_ops snappy_ops = { &library, true, snappy_in, snappy_out, snappy_bound, NULL, NULL };
const osdear__codec_ops *const osdear__snappy_ops = &snappy_ops;
