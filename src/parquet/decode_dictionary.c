/** @file decode_dictionary.c Dictionaries, and values that are indices into them. */
#include <parquet/decode.h>

void osdear__pq_dictionary_drop(osdear__pq_dictionary *dictionary)
{
  osdear__free(dictionary->values);
  osdear__free(dictionary->entries);
  *dictionary = (osdear__pq_dictionary){ 0 };
}

/* The page's bytes as they are: its own block where it has one, which has the padding, or a copy. */
static osdear_status keep_page(osdear__pq_dictionary *dictionary, const uint8_t *data, size_t size, uint8_t **owned,
                               osdear_error **error)
{
  if (*owned) {
    dictionary->values = *owned;
    *owned = NULL;
    return OSDEAR_OK;
  }
  dictionary->values = osdear__alloc(size + PQ_PADDING);
  if (!dictionary->values)
    return osdear__fail_memory(error);
  memcpy(dictionary->values, data, size);
  memset(dictionary->values + size, 0, PQ_PADDING);
  return OSDEAR_OK;
}

/* Where each string lies in the page. */
static osdear_status read_entries(osdear__pq_dictionary *dictionary, const uint8_t *data, size_t size, size_t count,
                                  osdear_error **error)
{
  size_t at = 0;

  dictionary->entries = osdear__alloc((count ? count : 1) * sizeof *dictionary->entries);
  if (!dictionary->entries)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    size_t length;

    if (size - at < 4)
      return osdear__pq_cut_short(error);
    length = osdear__load_u32(data + at);
    at += 4;
    if (length > size - at)
      return osdear__pq_cut_short(error);
    dictionary->entries[i] = (osdear__pq_entry){ (uint32_t)at, (uint32_t)length };
    at += length;
  }
  return OSDEAR_OK;
}

/* Most pages are ASCII as a whole, with the lengths of their strings. */
static bool entries_are_text(const osdear__pq_dictionary *dictionary, size_t size, size_t count)
{
  const char *bytes = (const char *)dictionary->values;
  bool is_text = true;

  if (osdear__is_ascii(bytes, size))
    return true;
  for (size_t i = 0; i < count && is_text; i++)
    is_text = osdear__utf8_is_valid(bytes + dictionary->entries[i].at, dictionary->entries[i].size);
  return is_text;
}

/* Decimals that are stored as strings become numbers once, here. */
static osdear_status entries_to_decimals(osdear__pq_dictionary *dictionary, size_t count, osdear_error **error)
{
  uint8_t *bytes = dictionary->values;
  uint8_t *values = osdear__alloc(16 * count + PQ_PADDING);
  osdear_status st = values ? OSDEAR_OK : osdear__fail_memory(error);

  for (size_t i = 0; i < count && !st; i++) {
    osdear__int128 value;

    if (!osdear__pq_decimal_of_bytes(bytes + dictionary->entries[i].at, dictionary->entries[i].size, &value))
      st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "a decimal takes more than 16 bytes");
    else
      memcpy(values + 16 * i, &value, sizeof value);
  }
  dictionary->values = values;
  osdear__free(bytes);
  osdear__free(dictionary->entries);
  dictionary->entries = NULL;
  return st;
}

static osdear_status read_fixed(osdear__pq_dictionary *dictionary, const osdear__pq_leaf *leaf, const uint8_t *data, size_t size,
                                size_t count, uint8_t **owned, osdear_error **error)
{
  osdear__pq_convert convert = osdear__pq_convert_of(leaf);
  size_t stored = (size_t)leaf->width;
  int32_t sink_width = osdear__pq_sink_width(leaf->type);
  size_t width = sink_width > 0 ? (size_t)sink_width : stored;

  if (count > size / stored)
    return osdear__pq_cut_short(error);
  if (!convert)
    return keep_page(dictionary, data, size, owned, error);
  dictionary->values = osdear__alloc(width * count + PQ_PADDING);
  if (!dictionary->values)
    return osdear__fail_memory(error);
  if (!convert(data, dictionary->values, count, stored))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a value of its dictionary is larger than its type in memory can express");
  return OSDEAR_OK;
}

osdear_status osdear__pq_dictionary_read(osdear__pq_dictionary *dictionary, const osdear__pq_leaf *leaf, const uint8_t *data,
                                         size_t size, int32_t count, uint8_t **owned, osdear_error **error)
{
  osdear_status st;

  osdear__pq_dictionary_drop(dictionary);
  if (leaf->physical == PQ_BOOLEAN)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "booleans have no dictionary");
  if (leaf->physical != PQ_BYTE_ARRAY) {
    st = read_fixed(dictionary, leaf, data, size, (size_t)count, owned, error);
  } else {
    if ((size_t)count > size / 4)
      return osdear__pq_cut_short(error);
    st = keep_page(dictionary, data, size, owned, error);
    if (!st)
      st = read_entries(dictionary, dictionary->values, size, (size_t)count, error);
    if (!st && leaf->type->kind == KIND_DECIMAL)
      st = entries_to_decimals(dictionary, (size_t)count, error);
    if (!st && leaf->type->kind == KIND_STRING)
      dictionary->is_text = entries_are_text(dictionary, size, (size_t)count);
  }
  if (st)
    return st;
  dictionary->count = (uint32_t)count;
  dictionary->is_loaded = true;
  return OSDEAR_OK;
}

static osdear_status bad_index(uint32_t index, uint32_t count, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "index %u points past its dictionary of %u values", index, count);
}

static uint32_t greatest(const uint32_t *values, size_t count)
{
  uint32_t most = 0;

  for (size_t i = 0; i < count; i++)
    most = values[i] > most ? values[i] : most;
  return most;
}

/* ---- values of fixed width ---- */

#define GATHER(type)                                                                                        \
  static void gather_##type(const uint8_t *dictionary, const uint32_t *indices, uint8_t *out, size_t count) \
  {                                                                                                         \
    const type *from = (const type *)(const void *)dictionary;                                              \
    type *to = (type *)(void *)out;                                                                         \
                                                                                                            \
    for (size_t i = 0; i < count; i++)                                                                      \
      to[i] = from[indices[i]];                                                                             \
  }                                                                                                         \
  static void fill_##type(const uint8_t *value, uint8_t *out, size_t count)                                 \
  {                                                                                                         \
    type *to = (type *)(void *)out;                                                                         \
    type one = *(const type *)(const void *)value;                                                          \
                                                                                                            \
    for (size_t i = 0; i < count; i++)                                                                      \
      to[i] = one;                                                                                          \
  }

GATHER(uint8_t)
GATHER(uint16_t)
GATHER(uint32_t)
GATHER(uint64_t)
GATHER(osdear__uint128)

static void gather_wide(const uint8_t *dictionary, size_t width, const uint32_t *indices, uint8_t *out, size_t count)
{
  for (size_t i = 0; i < count; i++)
    memcpy(out + i * width, dictionary + indices[i] * width, width);
}

static void gather(const uint8_t *dictionary, size_t width, const uint32_t *indices, uint8_t *out, size_t count)
{
  switch (width) {
  case 1: gather_uint8_t(dictionary, indices, out, count); break;
  case 2: gather_uint16_t(dictionary, indices, out, count); break;
  case 4: gather_uint32_t(dictionary, indices, out, count); break;
  case 8: gather_uint64_t(dictionary, indices, out, count); break;
  case 16: gather_osdear__uint128(dictionary, indices, out, count); break;
  default: gather_wide(dictionary, width, indices, out, count); break;
  }
}

static void fill(const uint8_t *value, size_t width, uint8_t *out, size_t count)
{
  switch (width) {
  case 1: fill_uint8_t(value, out, count); break;
  case 2: fill_uint16_t(value, out, count); break;
  case 4: fill_uint32_t(value, out, count); break;
  case 8: fill_uint64_t(value, out, count); break;
  case 16: fill_osdear__uint128(value, out, count); break;
  default:
    for (size_t i = 0; i < count; i++)
      memcpy(out + i * width, value, width);
    break;
  }
}

/* ---- strings ---- */

/* Slot `at` is the first of them. False: no memory, or the sink is full. */
static bool append_strings(const osdear__pq_dictionary *dictionary, const uint32_t *indices, osdear__pq_sink *sink, int64_t at,
                           size_t count)
{
  const osdear__pq_entry *entries = dictionary->entries;
  const uint8_t *from = dictionary->values;
  int32_t *offsets = sink->offsets + at + 1;
  size_t bytes = sink->bytes;

  for (size_t i = 0; i < count; i++) {
    osdear__pq_entry entry = entries[indices[i]];

    if (UNLIKELY(bytes + entry.size > sink->capacity)) {
      sink->bytes = bytes;
      if (!osdear__pq_sink_more(sink, entry.size))
        return false;
    }
    osdear__pq_copy_16(sink->values + bytes, from + entry.at, entry.size);
    bytes += entry.size;
    offsets[i] = (int32_t)bytes;
  }
  sink->bytes = bytes;
  return true;
}

static bool repeat_string(const osdear__pq_dictionary *dictionary, uint32_t index, osdear__pq_sink *sink, int64_t at,
                          size_t count)
{
  uint32_t strip[64];

  for (size_t i = 0; i < COUNT_OF(strip); i++)
    strip[i] = index;
  while (count) {
    size_t take = count < COUNT_OF(strip) ? count : COUNT_OF(strip);

    if (!append_strings(dictionary, strip, sink, at, take))
      return false;
    at += (int64_t)take;
    count -= take;
  }
  return true;
}

/* A whole run of equal values, or a strip of a packed one. */
static osdear_status decode_run(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                osdear_error **error)
{
  const osdear__pq_dictionary *dictionary = decoder->dictionary;
  uint32_t index = decoder->hybrid.value;
  size_t width = (size_t)decoder->width;

  if (index >= dictionary->count)
    return bad_index(index, dictionary->count, error);
  osdear__pq_hybrid_pass(&decoder->hybrid, count);
  if (decoder->width > 0) {
    fill(dictionary->values + index * width, width, sink->values + (size_t)at * width, count);
    return OSDEAR_OK;
  }
  return repeat_string(dictionary, index, sink, at, count) || sink->is_full ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status decode_packed(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                   osdear_error **error)
{
  const osdear__pq_dictionary *dictionary = decoder->dictionary;
  uint32_t *indices = (uint32_t *)(void *)decoder->strip;
  size_t width = (size_t)decoder->width;
  uint32_t most;

  osdear__pq_hybrid_unpack(&decoder->hybrid, indices, count);
  most = greatest(indices, count);
  if (most >= dictionary->count)
    return bad_index(most, dictionary->count, error);
  if (decoder->width > 0) {
    gather(dictionary->values, width, indices, sink->values + (size_t)at * width, count);
    return OSDEAR_OK;
  }
  return append_strings(dictionary, indices, sink, at, count) || sink->is_full ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__pq_decode_dictionary(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                           osdear_error **error)
{
  osdear__pq_hybrid *hybrid = &decoder->hybrid;

  while (count && !sink->is_full) {
    osdear_status st;
    size_t take = count;

    if (!osdear__pq_hybrid_fill(hybrid))
      return osdear__pq_cut_short(error);
    if (hybrid->run) {
      take = hybrid->run < take ? (size_t)hybrid->run : take;
      st = decode_run(decoder, sink, at, take, error);
    } else {
      take = take < PQ_STRIP ? take : PQ_STRIP;
      take = hybrid->packed < take ? (size_t)hybrid->packed : take;
      st = decode_packed(decoder, sink, at, take, error);
    }
    if (st)
      return st;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}
