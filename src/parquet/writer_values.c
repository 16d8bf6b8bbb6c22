/** @file writer_values.c Arrow's values as the file stores them. */
#include <parquet/writer.h>

void osdear__pq_gathered_drop(osdear__pq_gathered *gathered)
{
  osdear__buf_drop(&gathered->fixed);
  osdear__buf_drop(&gathered->starts);
  osdear__buf_drop(&gathered->ends);
}

osdear__pq_dense osdear__pq_dense_of(const osdear__pq_leaf *leaf)
{
  switch (leaf->physical) {
  case PQ_BOOLEAN: return DENSE_BOOLEAN;
  case PQ_INT32:
  case PQ_FLOAT: return DENSE_32;
  case PQ_INT64:
  case PQ_DOUBLE: return DENSE_64;
  default: return leaf->type->kind == KIND_DECIMAL ? DENSE_128 : DENSE_BYTES;
  }
}

static void *room(osdear__buf *buf, size_t size)
{
  osdear__buf_clear(buf);
  return osdear__buf_reserve(buf, size);
}

static inline size_t place(const int32_t *slots, size_t i)
{
  return slots ? (size_t)slots[i] : i;
}

static void expand_bits(const uint8_t *bits, int64_t base, const int32_t *slots, size_t count, uint8_t *to)
{
  for (size_t i = 0; i < count; i++) {
    size_t at = (size_t)base + place(slots, i);
    to[i] = bits[at >> 3] >> (at & 7) & 1;
  }
}

/* INT32 holds the narrow integers, each with its own sign. */
static void widen(osdear__kind kind, const void *from, int64_t base, const int32_t *slots, size_t count, int32_t *to)
{
  const int8_t *i8 = (const int8_t *)from + base;
  const uint8_t *u8 = (const uint8_t *)from + base;
  const int16_t *i16 = (const int16_t *)from + base;
  const uint16_t *u16 = (const uint16_t *)from + base;

  for (size_t i = 0; i < count && kind == KIND_BYTE; i++)
    to[i] = i8[place(slots, i)];
  for (size_t i = 0; i < count && kind == KIND_UINT8; i++)
    to[i] = u8[place(slots, i)];
  for (size_t i = 0; i < count && kind == KIND_SHORT; i++)
    to[i] = i16[place(slots, i)];
  for (size_t i = 0; i < count && kind == KIND_UINT16; i++)
    to[i] = u16[place(slots, i)];
}

/* What does not fit leaves a bit in the result. */
static uint64_t narrow_32(const osdear__pq_int128 *from, const int32_t *slots, size_t count, int32_t *to)
{
  uint64_t lost = 0;
  for (size_t i = 0; i < count; i++) {
    osdear__int128 value = from[place(slots, i)];
    to[i] = (int32_t)value;
    lost |= (uint64_t)(value >> 64 ^ to[i] >> 31) | ((uint64_t)value ^ (uint64_t)(int64_t)to[i]);
  }
  return lost;
}

static uint64_t narrow_64(const osdear__pq_int128 *from, const int32_t *slots, size_t count, int64_t *to)
{
  uint64_t lost = 0;
  for (size_t i = 0; i < count; i++) {
    osdear__int128 value = from[place(slots, i)];
    to[i] = (int64_t)value;
    lost |= (uint64_t)(value >> 64) ^ (uint64_t)(to[i] >> 63);
  }
  return lost;
}

static void gather_128(const osdear__pq_int128 *from, const int32_t *slots, size_t count, osdear__pq_int128 *to)
{
  for (size_t i = 0; i < count; i++)
    to[i] = from[slots[i]];
}

static void gather_64(const uint64_t *from, const int32_t *slots, size_t count, uint64_t *to)
{
  for (size_t i = 0; i < count; i++)
    to[i] = from[slots[i]];
}

static void gather_32(const uint32_t *from, const int32_t *slots, size_t count, uint32_t *to)
{
  for (size_t i = 0; i < count; i++)
    to[i] = from[slots[i]];
}

static osdear_status fail_decimal(const osdear__pq_path *path, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_DATA, "column %s: a value has more digits than decimal(%d,%d) holds", path->name,
                      path->leaf->type->precision, path->leaf->type->scale);
}

static osdear_status gather_decimals(const osdear__pq_path *path, const osdear__pq_levels *levels, osdear__pq_gathered *gathered,
                                     osdear__pq_values *out, osdear_error **error)
{
  const osdear__pq_int128 *from = (const osdear__pq_int128 *)levels->array->buffers[1] + levels->base;
  const osdear__int128 limit = osdear__pow10(path->leaf->type->precision);
  void *to;

  if (out->dense == DENSE_128 && !levels->slots) {
    out->fixed = from;
  } else {
    to = room(&gathered->fixed, out->count * osdear__pq_dense_size(out->dense));
    if (!to)
      return osdear__buf_check(&gathered->fixed, error);
    out->fixed = to;
    if (out->dense == DENSE_128)
      gather_128(from, levels->slots, out->count, to);
    else if (out->dense == DENSE_64 ? narrow_64(from, levels->slots, out->count, to)
                                    : narrow_32(from, levels->slots, out->count, to))
      return fail_decimal(path, error);
  }
  for (size_t i = 0; i < out->count && out->dense == DENSE_128; i++) {
    osdear__int128 value = ((const osdear__pq_int128 *)out->fixed)[i];
    if (value <= -limit || value >= limit)
      return fail_decimal(path, error);
  }
  return OSDEAR_OK;
}

/* FIXED values, and those of text that have gaps. */
static osdear_status gather_fixed_bytes(int32_t width, const osdear__pq_levels *levels, osdear__pq_gathered *gathered,
                                        osdear__pq_values *out, osdear_error **error)
{
  size_t bytes = (size_t)width, total;
  const uint8_t *from = (const uint8_t *)levels->array->buffers[1] + (size_t)levels->base * bytes;
  uint8_t *to;
  int32_t *starts;

  if (__builtin_mul_overflow(out->count, bytes, &total) || total > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "one row holds %zu values of %d bytes: more than a page can", out->count, width);
  to = room(&gathered->fixed, total + 8);
  starts = room(&gathered->starts, (out->count + 1) * sizeof *starts);
  if (!to || !starts)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < out->count && levels->slots; i++)
    memcpy(to + i * bytes, from + (size_t)levels->slots[i] * bytes, bytes);
  if (!levels->slots)
    memcpy(to, from, total);
  for (size_t i = 0; i <= out->count; i++)
    starts[i] = (int32_t)(i * bytes);
  memset(to + total, 0, 8);
  out->bytes = to;
  out->starts = starts;
  out->ends = starts + 1;
  return OSDEAR_OK;
}

static osdear_status gather_text(const osdear__pq_levels *levels, osdear__pq_gathered *gathered, osdear__pq_values *out,
                                 osdear_error **error)
{
  const int32_t *offsets = (const int32_t *)levels->array->buffers[1] + levels->base;
  int32_t *starts, *ends;

  out->bytes = levels->array->buffers[2];
  out->starts = offsets;
  out->ends = offsets + 1;
  if (!levels->slots)
    return OSDEAR_OK;
  starts = room(&gathered->starts, out->count * sizeof *starts);
  ends = room(&gathered->ends, out->count * sizeof *ends);
  if (!starts || !ends)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < out->count; i++) {
    starts[i] = offsets[levels->slots[i]];
    ends[i] = offsets[levels->slots[i] + 1];
  }
  out->starts = starts;
  out->ends = ends;
  return OSDEAR_OK;
}

/* Numbers that lie in the batch as in the file. */
static osdear_status gather_numbers(const osdear__pq_levels *levels, osdear__pq_gathered *gathered, osdear__pq_values *out,
                                    osdear_error **error)
{
  size_t size = osdear__pq_dense_size(out->dense);
  const uint8_t *from = (const uint8_t *)levels->array->buffers[1] + (size_t)levels->base * size;
  void *to;

  out->fixed = from;
  if (!levels->slots)
    return OSDEAR_OK;
  to = room(&gathered->fixed, out->count * size);
  if (!to)
    return osdear__buf_check(&gathered->fixed, error);
  out->fixed = to;
  if (out->dense == DENSE_64)
    gather_64((const uint64_t *)(const void *)from, levels->slots, out->count, to);
  else
    gather_32((const uint32_t *)(const void *)from, levels->slots, out->count, to);
  return OSDEAR_OK;
}

static osdear_status gather_small(osdear__kind kind, const osdear__pq_levels *levels, osdear__pq_gathered *gathered,
                                  osdear__pq_values *out, osdear_error **error)
{
  void *to = room(&gathered->fixed, out->count * osdear__pq_dense_size(out->dense) + 8);

  if (!to)
    return osdear__buf_check(&gathered->fixed, error);
  out->fixed = to;
  if (kind == KIND_BOOLEAN)
    expand_bits(levels->array->buffers[1], levels->base, levels->slots, out->count, to);
  else
    widen(kind, levels->array->buffers[1], levels->base, levels->slots, out->count, to);
  return OSDEAR_OK;
}

osdear_status osdear__pq_values_gather(const osdear__pq_path *path, const osdear__pq_levels *levels,
                                       osdear__pq_gathered *gathered, osdear__pq_values *out, osdear_error **error)
{
  const osdear__kind kind = path->leaf->type->kind;

  *out = (osdear__pq_values){ .dense = osdear__pq_dense_of(path->leaf), .count = levels->value_count };
  if (out->count == 0)
    return OSDEAR_OK;
  switch (kind) {
  case KIND_DECIMAL: return gather_decimals(path, levels, gathered, out, error);
  case KIND_STRING:
  case KIND_BINARY: return gather_text(levels, gathered, out, error);
  case KIND_FIXED:
  case KIND_FLOAT16: return gather_fixed_bytes(path->leaf->width, levels, gathered, out, error);
  case KIND_BOOLEAN:
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_UINT8:
  case KIND_UINT16: return gather_small(kind, levels, gathered, out, error);
  default: return gather_numbers(levels, gathered, out, error);
  }
}
