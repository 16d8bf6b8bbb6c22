/** @file writer_bounds.c Least and greatest values: of a page, of a chunk, of the file.
 * Rules of parquet.thrift: NaN is left out, a least zero is -0.0 and a greatest +0.0; decimals order as numbers, all bytes as unsigned. */
#include <parquet/writer.h>

#include <math.h>

osdear__pq_order osdear__pq_order_of(const osdear__pq_leaf *leaf)
{
  switch (leaf->type->kind) {
  case KIND_BOOLEAN: return ORDER_BOOLEAN;
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_DATE: return ORDER_INT32;
  case KIND_UINT8:
  case KIND_UINT16:
  case KIND_UINT32: return ORDER_UINT32;
  case KIND_LONG:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: return ORDER_INT64;
  case KIND_UINT64: return ORDER_UINT64;
  case KIND_FLOAT: return ORDER_FLOAT;
  case KIND_DOUBLE: return ORDER_DOUBLE;
  case KIND_FLOAT16: return ORDER_FLOAT16;
  case KIND_DECIMAL: return leaf->physical == PQ_INT32 ? ORDER_INT32 : leaf->physical == PQ_INT64 ? ORDER_INT64 : ORDER_DECIMAL;
  case KIND_STRING:
  case KIND_BINARY:
  case KIND_FIXED: return ORDER_BYTES;
  default: return ORDER_NONE;
  }
}

static bool is_less(osdear__pq_order order, const osdear__pq_number *a, const osdear__pq_number *b)
{
  switch (order) {
  case ORDER_FLOAT:
  case ORDER_DOUBLE: return a->f64 < b->f64;
  case ORDER_DECIMAL: return a->i128 < b->i128;
  case ORDER_UINT64: return a->u64 < b->u64;
  default: return a->i64 < b->i64;
  }
}

/* ---- numbers ---- */

/* A loop over one type is what the compiler makes vector instructions of. */
#define RANGE(name, type, wide, member)                                                                      \
  static void range_##name(const type *values, size_t count, osdear__pq_number *min, osdear__pq_number *max) \
  {                                                                                                          \
    wide least = values[0], most = values[0];                                                                \
    for (size_t i = 1; i < count; i++) {                                                                     \
      least = values[i] < least ? values[i] : least;                                                         \
      most = values[i] > most ? values[i] : most;                                                            \
    }                                                                                                        \
    min->member = least;                                                                                     \
    max->member = most;                                                                                      \
  }

RANGE(i32, int32_t, int32_t, i64)
RANGE(u32, uint32_t, uint32_t, i64)
RANGE(i64, int64_t, int64_t, i64)
RANGE(u64, uint64_t, uint64_t, u64)
RANGE(i128, osdear__pq_int128, osdear__int128, i128)
RANGE(bytes, uint8_t, uint8_t, i64)

/* NaN is neither less nor greater, so it changes nothing: what is left at the end as it began had only NaN. */
#define RANGE_BUT_NAN(name, type)                                                                            \
  static bool range_##name(const type *values, size_t count, osdear__pq_number *min, osdear__pq_number *max) \
  {                                                                                                          \
    type least = INFINITY, most = -INFINITY;                                                                 \
    for (size_t i = 0; i < count; i++) {                                                                     \
      least = values[i] < least ? values[i] : least;                                                         \
      most = values[i] > most ? values[i] : most;                                                            \
    }                                                                                                        \
    min->f64 = (double)least;                                                                                \
    max->f64 = (double)most;                                                                                 \
    return least <= most;                                                                                    \
  }

RANGE_BUT_NAN(f32, float)
RANGE_BUT_NAN(f64, double)

/* Half floats: with the magnitude of negative ones inverted, their bits sort as they do. */
#define HALF_INFINITY 0x7c00

static int16_t half_key(uint16_t half)
{
  return (int16_t)(half & 0x8000 ? half ^ 0x7fff : half);
}

static bool range_f16(const osdear__pq_values *values, osdear__pq_number *min, osdear__pq_number *max)
{
  min->i64 = INT64_MAX;
  max->i64 = INT64_MIN;
  for (size_t i = 0; i < values->count; i++) {
    uint16_t half;
    memcpy(&half, values->bytes + values->starts[i], sizeof half);
    if ((half & 0x7fff) > HALF_INFINITY)
      continue;
    min->i64 = half_key(half) < min->i64 ? half_key(half) : min->i64;
    max->i64 = half_key(half) > max->i64 ? half_key(half) : max->i64;
  }
  return min->i64 <= max->i64;
}

/* False: no value counts. */
static bool range_of(osdear__pq_order order, const osdear__pq_values *values, osdear__pq_number *min, osdear__pq_number *max)
{
  switch (order) {
  case ORDER_BOOLEAN: range_bytes(values->fixed, values->count, min, max); return true;
  case ORDER_INT32: range_i32(values->fixed, values->count, min, max); return true;
  case ORDER_UINT32: range_u32(values->fixed, values->count, min, max); return true;
  case ORDER_INT64: range_i64(values->fixed, values->count, min, max); return true;
  case ORDER_UINT64: range_u64(values->fixed, values->count, min, max); return true;
  case ORDER_DECIMAL: range_i128(values->fixed, values->count, min, max); return true;
  case ORDER_FLOAT: return range_f32(values->fixed, values->count, min, max);
  case ORDER_DOUBLE: return range_f64(values->fixed, values->count, min, max);
  case ORDER_FLOAT16: return range_f16(values, min, max);
  default: return false;
  }
}

/* ---- text ---- */

static inline uint64_t prefix_of(const uint8_t *data, size_t size)
{
  uint64_t word = __builtin_bswap64(osdear__load_u64(data));
  return size >= 8 ? word : word & ~(UINT64_MAX >> (8 * size));
}

/* The first eight bytes decide nearly always. */
void osdear__pq_text_range_add(osdear__pq_text_range *range, const uint8_t *data, size_t size)
{
  uint64_t prefix = prefix_of(data, size);
  osdear__str value = { (const char *)data, size };

  if (LIKELY(range->has && prefix > range->min_prefix && prefix < range->max_prefix))
    return;
  if (!range->has || prefix < range->min_prefix || (prefix == range->min_prefix && osdear__str_compare(value, range->min) < 0)) {
    range->min = value;
    range->min_prefix = prefix;
  }
  if (!range->has || prefix > range->max_prefix || (prefix == range->max_prefix && osdear__str_compare(value, range->max) > 0)) {
    range->max = value;
    range->max_prefix = prefix;
  }
  range->has = true;
}

static osdear__str str_of_buf(const osdear__buf *buf)
{
  return (osdear__str){ buf->data ? buf->data : "", buf->size };
}

static void set_text(osdear__buf *buf, osdear__str value)
{
  if (buf->failed)
    return;
  osdear__buf_clear(buf);
  osdear__buf_append(buf, value.data, value.size);
}

void osdear__pq_bounds_add_text(osdear__pq_bounds *bounds, osdear__str min, osdear__str max)
{
  if (!bounds->has || osdear__str_compare(min, str_of_buf(&bounds->min_bytes)) < 0)
    set_text(&bounds->min_bytes, min);
  if (!bounds->has || osdear__str_compare(max, str_of_buf(&bounds->max_bytes)) > 0)
    set_text(&bounds->max_bytes, max);
  bounds->has = true;
}

static void add_texts(osdear__pq_bounds *bounds, const osdear__pq_values *values)
{
  osdear__pq_text_range range = { 0 };

  for (size_t i = 0; i < values->count; i++)
    osdear__pq_text_range_add(&range, values->bytes + values->starts[i], (size_t)(values->ends[i] - values->starts[i]));
  osdear__pq_bounds_add_text(bounds, range.min, range.max);
}

/* ---- both ---- */

static void add_range(osdear__pq_bounds *bounds, osdear__pq_order order, const osdear__pq_number *min,
                      const osdear__pq_number *max)
{
  if (!bounds->has || is_less(order, min, &bounds->min))
    bounds->min = *min;
  if (!bounds->has || is_less(order, &bounds->max, max))
    bounds->max = *max;
  bounds->has = true;
}

void osdear__pq_bounds_add(osdear__pq_bounds *bounds, osdear__pq_order order, const osdear__pq_values *values)
{
  osdear__pq_number min, max;

  if (values->count == 0 || order == ORDER_NONE)
    return;
  if (order == ORDER_BYTES)
    add_texts(bounds, values);
  else if (range_of(order, values, &min, &max))
    add_range(bounds, order, &min, &max);
}

void osdear__pq_bounds_merge(osdear__pq_bounds *into, osdear__pq_order order, const osdear__pq_bounds *from)
{
  if (!from->has)
    return;
  if (order == ORDER_BYTES)
    osdear__pq_bounds_add_text(into, str_of_buf(&from->min_bytes), str_of_buf(&from->max_bytes));
  else
    add_range(into, order, &from->min, &from->max);
}

osdear_status osdear__pq_bounds_check(const osdear__pq_bounds *bounds, osdear_error **error)
{
  osdear_status st = osdear__buf_check(&bounds->min_bytes, error);
  return st ? st : osdear__buf_check(&bounds->max_bytes, error);
}

void osdear__pq_bounds_clear(osdear__pq_bounds *bounds)
{
  bounds->has = false;
  osdear__buf_clear(&bounds->min_bytes);
  osdear__buf_clear(&bounds->max_bytes);
}

void osdear__pq_bounds_drop(osdear__pq_bounds *bounds)
{
  bounds->has = false;
  osdear__buf_drop(&bounds->min_bytes);
  osdear__buf_drop(&bounds->max_bytes);
}

/* ---- cutting ---- */

/* The longest prefix of at most `limit` bytes that does not end inside a character of UTF-8. */
static size_t whole_characters(const uint8_t *data, size_t limit)
{
  size_t size = limit;
  while (size > 0 && (data[size] & 0xc0) == 0x80)
    size--;
  return size;
}

static uint32_t decode(const uint8_t *at, size_t size)
{
  uint32_t point = size == 1 ? at[0] : at[0] & (0x7fu >> size);
  for (size_t i = 1; i < size; i++)
    point = point << 6 | (at[i] & 0x3f);
  return point;
}

static size_t encode(uint32_t point, uint8_t *to)
{
  size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
  for (size_t i = size; i-- > 1; point >>= 6)
    to[i] = (uint8_t)(0x80 | (point & 0x3f));
  to[0] = (uint8_t)(size == 1 ? point : point | (0xf00u >> size & 0xf0));
  return size;
}

/* The last character that has a next one is replaced by it, and what follows dropped. 0: there is none. `text` has room for one byte
 * more, since the next one may be longer. */
static size_t raise_text(uint8_t *text, size_t size)
{
  while (size > 0) {
    size_t start = size - 1;
    uint32_t point;
    while (start > 0 && (text[start] & 0xc0) == 0x80)
      start--;
    point = decode(text + start, size - start) + 1;
    if (point == 0xd800)
      point = 0xe000; /* surrogates are no characters */
    if (point <= 0x10ffff)
      return start + encode(point, text + start);
    size = start;
  }
  return 0;
}

static size_t raise_bytes(uint8_t *bytes, size_t size)
{
  while (size > 0 && bytes[size - 1] == 0xff)
    size--;
  if (size > 0)
    bytes[size - 1]++;
  return size;
}

static osdear__str cut(osdear__str whole, bool is_text, bool is_max, size_t limit, osdear__arena *arena, bool *exact)
{
  size_t size = is_text ? whole_characters((const uint8_t *)whole.data, limit) : limit;
  uint8_t *copy = osdear__arena_alloc(arena, limit + 1);

  if (!copy)
    return (osdear__str){ NULL, 0 };
  memcpy(copy, whole.data, size);
  *exact = false;
  if (is_max)
    size = is_text ? raise_text(copy, size) : raise_bytes(copy, size);
  if (size > 0 || !is_max)
    return (osdear__str){ (char *)copy, size };
  *exact = true; /* nothing shorter is above it */
  return (osdear__str){ osdear__arena_strndup(arena, whole.data, whole.size), whole.size };
}

static osdear__str copy_of(const void *data, size_t size, osdear__arena *arena)
{
  return (osdear__str){ osdear__arena_strndup(arena, data, size), size };
}

static osdear__str encode_number(const osdear__pq_number *number, osdear__pq_order order, int32_t width, bool is_max,
                                 osdear__arena *arena)
{
  double f64 = number->f64;
  float f32;
  int32_t i32;
  uint16_t half;
  uint8_t wide[16];
  size_t bytes = (size_t)width;

  switch (order) {
  case ORDER_BOOLEAN: wide[0] = (uint8_t)number->i64; return copy_of(wide, 1, arena);
  case ORDER_INT32:
  case ORDER_UINT32: i32 = (int32_t)number->i64; return copy_of(&i32, sizeof i32, arena);
  case ORDER_DOUBLE: f64 = f64 == 0 ? (is_max ? 0.0 : -0.0) : f64; return copy_of(&f64, sizeof f64, arena);
  case ORDER_FLOAT: f32 = f64 == 0 ? (is_max ? 0.0f : -0.0f) : (float)f64; return copy_of(&f32, sizeof f32, arena);
  case ORDER_FLOAT16:
    half = (uint16_t)(number->i64 < 0 ? number->i64 ^ 0x7fff : number->i64);
    if ((half & 0x7fff) == 0)
      half = is_max ? 0 : 0x8000;
    return copy_of(&half, sizeof half, arena);
  case ORDER_DECIMAL:
    for (size_t i = 0; i < bytes; i++)
      wide[bytes - 1 - i] = (uint8_t)(number->i128 >> (8 * i));
    return copy_of(wide, bytes, arena);
  default: return copy_of(&number->i64, sizeof number->i64, arena);
  }
}

osdear__str osdear__pq_bounds_encode(const osdear__pq_bounds *bounds, osdear__pq_order order, const osdear__pq_leaf *leaf,
                                     bool is_max, size_t limit, osdear__arena *arena, bool *exact)
{
  osdear__str text;

  *exact = true;
  if (order != ORDER_BYTES)
    return encode_number(is_max ? &bounds->max : &bounds->min, order, leaf->width, is_max, arena);
  text = str_of_buf(is_max ? &bounds->max_bytes : &bounds->min_bytes);
  if (text.size > limit)
    return cut(text, leaf->type->kind == KIND_STRING, is_max, limit, arena, exact);
  return copy_of(text.data, text.size, arena);
}

/* ---- reading them again ---- */

static void decode_number(osdear__pq_order order, osdear__str encoded, osdear__pq_number *out)
{
  float f32;
  uint16_t half;

  switch (order) {
  case ORDER_BOOLEAN: out->i64 = (uint8_t)encoded.data[0]; break;
  case ORDER_INT32: out->i64 = (int32_t)osdear__load_u32(encoded.data); break;
  case ORDER_UINT32: out->i64 = osdear__load_u32(encoded.data); break;
  case ORDER_FLOAT:
    memcpy(&f32, encoded.data, sizeof f32);
    out->f64 = (double)f32;
    break;
  case ORDER_FLOAT16:
    memcpy(&half, encoded.data, sizeof half);
    out->i64 = half_key(half);
    break;
  case ORDER_DECIMAL:
    out->i128 = (int8_t)encoded.data[0];
    for (size_t i = 1; i < encoded.size; i++)
      out->i128 = out->i128 * 256 + (uint8_t)encoded.data[i];
    break;
  default: memcpy(&out->u64, encoded.data, sizeof out->u64); break;
  }
}

int osdear__pq_bounds_compare(osdear__pq_order order, osdear__str a, osdear__str b)
{
  osdear__pq_number left, right;

  if (order == ORDER_BYTES)
    return osdear__str_compare(a, b);
  decode_number(order, a, &left);
  decode_number(order, b, &right);
  return is_less(order, &left, &right) ? -1 : is_less(order, &right, &left);
}

static double half_value(int64_t key)
{
  int bits = (int)(key < 0 ? key ^ 0x7fff : key) & 0xffff;
  int exponent = bits >> 10 & 31, fraction = bits & 1023;
  double value = exponent == 31 ? INFINITY : exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
  return bits & 0x8000 ? -value : value;
}

void osdear__pq_bounds_scalar(const osdear__pq_bounds *bounds, const osdear__type *type, bool is_max, osdear__scalar *out)
{
  const osdear__pq_number *number = is_max ? &bounds->max : &bounds->min;

  *out = (osdear__scalar){ .kind = type->kind, .scale = type->scale };
  switch (type->kind) {
  case KIND_FLOAT:
  case KIND_DOUBLE: out->f64 = number->f64; break;
  case KIND_FLOAT16: out->f64 = half_value(number->i64); break;
  case KIND_DECIMAL: out->decimal = type->precision <= 18 ? number->i64 : number->i128; break;
  case KIND_STRING:
  case KIND_BINARY:
  case KIND_FIXED: out->bytes = str_of_buf(is_max ? &bounds->max_bytes : &bounds->min_bytes); break;
  default: out->i64 = number->i64; break;
  }
}
