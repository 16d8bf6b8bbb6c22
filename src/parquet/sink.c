/** @file sink.c Buffers that grow, and values that make room for nulls. */
#include <parquet/sink.h>

int32_t osdear__pq_sink_width(const osdear__type *type)
{
  switch (type->kind) {
  case KIND_BYTE:
  case KIND_UINT8: return 1;
  case KIND_SHORT:
  case KIND_UINT16:
  case KIND_FLOAT16: return 2;
  case KIND_INTEGER:
  case KIND_UINT32:
  case KIND_FLOAT:
  case KIND_DATE: return 4;
  case KIND_LONG:
  case KIND_UINT64:
  case KIND_DOUBLE:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: return 8;
  case KIND_DECIMAL: return 16;
  case KIND_FIXED: return type->width;
  case KIND_STRING:
  case KIND_BINARY: return SINK_BYTES;
  default: return SINK_BITS;
  }
}

void osdear__pq_sink_drop(osdear__pq_sink *sink)
{
  osdear__free(sink->values);
  osdear__free(sink->offsets);
  *sink = (osdear__pq_sink){ .width = sink->width, .most = sink->most };
}

static osdear_status grow_values(osdear__pq_sink *sink, size_t size, osdear_error **error)
{
  uint8_t *bigger;

  if (size <= sink->capacity && sink->values)
    return OSDEAR_OK;
  bigger = osdear__buffer_grow(sink->values, size + SINK_SLACK);
  if (!bigger)
    return osdear__fail_memory(error);
  sink->values = bigger;
  sink->capacity = size;
  return OSDEAR_OK;
}

osdear_status osdear__pq_sink_reserve(osdear__pq_sink *sink, int64_t slots, size_t bytes, osdear_error **error)
{
  size_t size = sink->width == SINK_BITS ? osdear__pq_bitmap_size(slots) : bytes;
  int32_t *offsets;

  if (sink->width > 0 && __builtin_mul_overflow((size_t)slots, (size_t)sink->width, &size))
    return osdear__fail_memory(error);
  if (grow_values(sink, size, error))
    return OSDEAR_ERR_NO_MEMORY;
  if (sink->width == SINK_BYTES && (slots > sink->slots || !sink->offsets)) {
    offsets = osdear__buffer_grow(sink->offsets, ((size_t)slots + 1) * sizeof *offsets);
    if (!offsets)
      return osdear__fail_memory(error);
    if (!sink->offsets)
      offsets[0] = 0;
    sink->offsets = offsets;
  }
  sink->slots = slots > sink->slots ? slots : sink->slots;
  return OSDEAR_OK;
}

bool osdear__pq_sink_more(osdear__pq_sink *sink, size_t more)
{
  size_t most = sink->most ? sink->most : SINK_MOST;
  size_t size;

  if (sink->bytes > most || more > most - sink->bytes) {
    sink->is_full = true;
    return false;
  }
  if (sink->bytes + more <= sink->capacity)
    return true;
  size = sink->capacity < most / 2 ? sink->capacity * 2 : most;
  if (size < sink->bytes + more)
    size = sink->bytes + more;
  return grow_values(sink, size, NULL) == OSDEAR_OK;
}

/* ---- spreading: from the back, until what is left lies where it belongs ---- */

#define SPREAD(type)                                                                                         \
  static void spread_##type(type *values, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at) \
  {                                                                                                          \
    while (slots > dense) {                                                                                  \
      int64_t bit = osdear__pq_bit(bits, bit_at + --slots);                                                  \
                                                                                                             \
      dense -= bit;                                                                                          \
      values[slots] = (type)(values[dense] & (type)(0 - (type)bit));                                         \
    }                                                                                                        \
  }

SPREAD(uint8_t)
SPREAD(uint16_t)
SPREAD(uint32_t)
SPREAD(uint64_t)
SPREAD(osdear__uint128)

static void spread_wide(uint8_t *values, size_t width, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at)
{
  while (slots > dense) {
    uint8_t *to = values + (size_t)--slots * width;

    if (!osdear__pq_bit(bits, bit_at + slots)) {
      memset(to, 0, width);
    } else {
      dense--;
      memmove(to, values + (size_t)dense * width, width);
    }
  }
}

static void spread_bits(uint8_t *values, int64_t at, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at)
{
  while (slots > dense) {
    bool valid = osdear__pq_bit(bits, bit_at + --slots);

    dense -= valid;
    osdear__pq_bits_fill(values, at + slots, 1, valid && osdear__pq_bit(values, at + dense));
  }
}

/* offsets[i + 1] is where value i ends; a null ends where the value before it does. */
static void spread_offsets(int32_t *offsets, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at)
{
  while (slots > dense) {
    offsets[slots] = offsets[dense];
    dense -= osdear__pq_bit(bits, bit_at + --slots);
  }
}

void osdear__pq_sink_spread(osdear__pq_sink *sink, int64_t at, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at)
{
  uint8_t *values = sink->width > 0 ? sink->values + (size_t)at * (size_t)sink->width : sink->values;

  switch (sink->width) {
  case SINK_BYTES: spread_offsets(sink->offsets + at, slots, dense, bits, bit_at); break;
  case SINK_BITS: spread_bits(values, at, slots, dense, bits, bit_at); break;
  case 1: spread_uint8_t(values, slots, dense, bits, bit_at); break;
  case 2: spread_uint16_t((uint16_t *)(void *)values, slots, dense, bits, bit_at); break;
  case 4: spread_uint32_t((uint32_t *)(void *)values, slots, dense, bits, bit_at); break;
  case 8: spread_uint64_t((uint64_t *)(void *)values, slots, dense, bits, bit_at); break;
  case 16: spread_osdear__uint128((osdear__uint128 *)(void *)values, slots, dense, bits, bit_at); break;
  default: spread_wide(values, (size_t)sink->width, slots, dense, bits, bit_at); break;
  }
}
