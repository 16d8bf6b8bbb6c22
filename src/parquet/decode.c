/** @file decode.c Which encoding is decoded how; PLAIN, RLE booleans, DELTA_BINARY_PACKED and BYTE_STREAM_SPLIT. */
#include <parquet/decode.h>

#define SIDE_BYTES ((size_t)PQ_STRIP << 16) /* of a strip of decimals, or of FIXED values, that are written as strings */

void osdear__pq_decoder_new(osdear__pq_decoder *decoder, const osdear__pq_leaf *leaf, const osdear__pq_dictionary *dictionary)
{
  memset(decoder, 0, sizeof *decoder);
  decoder->leaf = leaf;
  decoder->dictionary = dictionary;
  decoder->convert = osdear__pq_convert_of(leaf);
  decoder->width = osdear__pq_sink_width(leaf->type);
  decoder->stored = (size_t)leaf->width;
  decoder->strings.width = SINK_BYTES;
  decoder->strings.most = SIDE_BYTES;
}

void osdear__pq_decoder_drop(osdear__pq_decoder *decoder)
{
  osdear__pq_sink_drop(&decoder->strings);
  osdear__free(decoder->last);
  decoder->last = NULL;
}

osdear_status osdear__pq_cut_short(osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its values end before their count is reached, or are malformed");
}

osdear_status osdear__pq_put(const osdear__pq_decoder *decoder, const uint8_t *from, uint8_t *to, size_t count,
                             osdear_error **error)
{
  if (!decoder->convert) {
    memcpy(to, from, count * decoder->stored);
    return OSDEAR_OK;
  }
  if (decoder->convert(from, to, count, decoder->stored))
    return OSDEAR_OK;
  if (decoder->leaf->type->kind == KIND_DECIMAL)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a decimal takes more than 16 bytes");
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a timestamp lies beyond what 64 bits of microseconds can express");
}

static uint8_t *slot(const osdear__pq_decoder *decoder, const osdear__pq_sink *sink, int64_t at)
{
  return sink->values + (size_t)at * (size_t)decoder->width;
}

static osdear_status plain_fixed(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                 osdear_error **error)
{
  if (count > (size_t)(decoder->end - decoder->at) / decoder->stored)
    return osdear__pq_cut_short(error);
  decoder->at += count * decoder->stored;
  return osdear__pq_put(decoder, decoder->at - count * decoder->stored, slot(decoder, sink, at), count, error);
}

static osdear_status plain_bits(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                osdear_error **error)
{
  int64_t left = (int64_t)(decoder->end - decoder->at) * 8 - decoder->bit;

  if ((int64_t)count > left)
    return osdear__pq_cut_short(error);
  osdear__pq_bits_copy(decoder->at, decoder->bit, sink->values, at, (int64_t)count);
  decoder->bit += (int64_t)count;
  return OSDEAR_OK;
}

/* Each value is its length and its bytes. */
static osdear_status plain_bytes(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                 osdear_error **error)
{
  int32_t *offsets = sink->offsets + at;
  const uint8_t *from = decoder->at;
  size_t bytes = sink->bytes;

  for (size_t i = 0; i < count; i++) {
    size_t there = (size_t)(decoder->end - from);
    size_t size;

    if (there < 4)
      return osdear__pq_cut_short(error);
    size = osdear__load_u32(from);
    if (size > there - 4)
      return osdear__pq_cut_short(error);
    if (UNLIKELY(bytes + size > sink->capacity)) {
      sink->bytes = bytes;
      if (!osdear__pq_sink_more(sink, size))
        return sink->is_full ? OSDEAR_OK : osdear__fail_memory(error);
    }
    osdear__pq_copy_16(sink->values + bytes, from + 4, size);
    bytes += size;
    from += 4 + size;
    offsets[i + 1] = (int32_t)bytes;
  }
  sink->bytes = bytes;
  decoder->at = from;
  return OSDEAR_OK;
}

static osdear_status rle_bits(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count, osdear_error **error)
{
  int64_t set = 0;

  return osdear__pq_hybrid_bits(&decoder->hybrid, sink->values, at, count, &set) ? OSDEAR_OK : osdear__pq_cut_short(error);
}

static osdear_status delta_numbers(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                   osdear_error **error)
{
  uint32_t *narrow = (uint32_t *)(void *)decoder->strip;
  osdear_status st;

  while (count) {
    size_t take = count < PQ_STRIP ? count : PQ_STRIP;

    if (!osdear__pq_delta_read(&decoder->delta, decoder->strip, take))
      return osdear__pq_cut_short(error);
    if (decoder->stored == 4)
      for (size_t i = 0; i < take; i++)
        narrow[i] = (uint32_t)decoder->strip[i];
    st = osdear__pq_put(decoder, (const uint8_t *)decoder->strip, slot(decoder, sink, at), take, error);
    if (st)
      return st;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}

/* All first bytes of the page's values, then all second ones, … */
static void gather_streams(const uint8_t *from, size_t streams, size_t width, uint8_t *out, size_t count)
{
  for (size_t byte = 0; byte < width; byte++, from += streams)
    for (size_t i = 0; i < count; i++)
      out[i * width + byte] = from[i];
}

static osdear_status split_streams(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                   osdear_error **error)
{
  size_t strip = sizeof decoder->strip / decoder->stored;
  osdear_status st;

  if (count > decoder->streams - decoder->taken)
    return osdear__pq_cut_short(error);
  if (!decoder->convert) {
    gather_streams(decoder->at + decoder->taken, decoder->streams, decoder->stored, slot(decoder, sink, at), count);
    decoder->taken += count;
    return OSDEAR_OK;
  }
  while (count) {
    size_t take = count < strip ? count : strip;

    gather_streams(decoder->at + decoder->taken, decoder->streams, decoder->stored, (uint8_t *)decoder->strip, take);
    st = osdear__pq_put(decoder, (const uint8_t *)decoder->strip, slot(decoder, sink, at), take, error);
    if (st)
      return st;
    decoder->taken += take;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}

/* ---- starting a page ---- */

static osdear_status start_plain(osdear__pq_decoder *decoder)
{
  if (decoder->leaf->physical == PQ_BOOLEAN)
    decoder->decode = plain_bits;
  else
    decoder->decode = decoder->stored ? plain_fixed : plain_bytes;
  decoder->bit = 0;
  return OSDEAR_OK;
}

/* The first byte is the width of the indices. A page without any value may have not even that. */
static osdear_status start_dictionary(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, osdear_error **error)
{
  uint32_t width = size ? data[0] : 0;

  if (!decoder->dictionary->is_loaded)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its values are indices, but no dictionary page came before it");
  if (width > 32)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its dictionary indices have %u bits, at most 32 are possible", width);
  decoder->decode = osdear__pq_decode_dictionary;
  osdear__pq_hybrid_start(&decoder->hybrid, size ? data + 1 : data, size ? size - 1 : 0, width);
  return OSDEAR_OK;
}

static osdear_status start_rle(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, osdear_error **error)
{
  size_t length = size >= 4 ? osdear__load_u32(data) : 0;

  if (size && (size < 4 || length > size - 4))
    return osdear__pq_cut_short(error);
  decoder->decode = rle_bits;
  osdear__pq_hybrid_start(&decoder->hybrid, size ? data + 4 : data, length, 1);
  return OSDEAR_OK;
}

static osdear_status start_delta(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, uint64_t limit,
                                 osdear_error **error)
{
  decoder->decode = delta_numbers;
  if (size == 0) { /* a page of nulls only */
    memset(&decoder->delta, 0, sizeof decoder->delta);
    return OSDEAR_OK;
  }
  return osdear__pq_delta_start(&decoder->delta, data, size, limit) ? OSDEAR_OK : osdear__pq_cut_short(error);
}

static osdear_status unexpected(const osdear__pq_decoder *decoder, int32_t encoding, osdear_error **error)
{
  const char *name = osdear__pq_encoding_name(encoding);

  if (!name)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "its encoding %d is unknown", encoding);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "values of type %s cannot be encoded as %s",
                      osdear__pq_physical_name((int32_t)decoder->leaf->physical), name);
}

osdear_status osdear__pq_decoder_start(osdear__pq_decoder *decoder, int32_t encoding, const uint8_t *data, size_t size,
                                       int32_t limit, osdear_error **error)
{
  osdear__pq_physical physical = decoder->leaf->physical;
  bool is_integer = physical == PQ_INT32 || physical == PQ_INT64;

  decoder->at = data;
  decoder->end = data + size;
  if (encoding == PQ_PLAIN)
    return start_plain(decoder);
  if ((encoding == PQ_RLE_DICTIONARY || encoding == PQ_PLAIN_DICTIONARY) && physical != PQ_BOOLEAN)
    return start_dictionary(decoder, data, size, error);
  if (encoding == PQ_RLE && physical == PQ_BOOLEAN)
    return start_rle(decoder, data, size, error);
  if (encoding == PQ_DELTA_BINARY_PACKED && is_integer)
    return start_delta(decoder, data, size, (uint64_t)limit, error);
  if (encoding == PQ_DELTA_LENGTH_BYTE_ARRAY && physical == PQ_BYTE_ARRAY)
    return osdear__pq_start_delta_length(decoder, data, size, (uint64_t)limit, error);
  if (encoding == PQ_DELTA_BYTE_ARRAY && (physical == PQ_BYTE_ARRAY || physical == PQ_FIXED))
    return osdear__pq_start_delta_bytes(decoder, data, size, (uint64_t)limit, error);
  if (encoding == PQ_BYTE_STREAM_SPLIT && decoder->stored && physical != PQ_INT96) {
    decoder->decode = split_streams;
    decoder->streams = size / decoder->stored;
    decoder->taken = 0;
    return OSDEAR_OK;
  }
  return unexpected(decoder, encoding, error);
}

/* ---- reading and skipping ---- */

/* Strings that are decimals, or FIXED values written as strings: from the side sink to where they belong. */
static osdear_status put_strings(const osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                 osdear_error **error)
{
  const osdear__pq_sink *strings = &decoder->strings;

  for (size_t i = 0; i < count; i++) {
    const uint8_t *bytes = strings->values + strings->offsets[i];
    size_t size = (size_t)(strings->offsets[i + 1] - strings->offsets[i]);
    osdear__int128 value;

    if (decoder->stored) {
      osdear_status st;

      if (size != decoder->stored)
        return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a value of %zu bytes stands among those of %zu", size, decoder->stored);
      st = osdear__pq_put(decoder, bytes, slot(decoder, sink, at + (int64_t)i), 1, error);
      if (st)
        return st;
      continue;
    }
    if (!osdear__pq_decimal_of_bytes(bytes, size, &value))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a decimal takes more than 16 bytes");
    memcpy(slot(decoder, sink, at + (int64_t)i), &value, sizeof value);
  }
  return OSDEAR_OK;
}

/* Into the side sink, by strips. */
static osdear_status through_strings(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                     osdear_error **error)
{
  while (count) {
    size_t take = count < PQ_STRIP ? count : PQ_STRIP;
    osdear_status st = osdear__pq_sink_reserve(&decoder->strings, PQ_STRIP, 0, error);

    if (st)
      return st;
    decoder->strings.bytes = 0;
    st = decoder->decode(decoder, &decoder->strings, 0, take, error);
    if (st)
      return st;
    if (decoder->strings.is_full)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "%zu values that are no strings take more than %zu bytes", take,
                          decoder->strings.most);
    st = put_strings(decoder, sink, at, take, error);
    if (st)
      return st;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}

static bool decodes_strings(const osdear__pq_decoder *decoder)
{
  return decoder->decode == plain_bytes || decoder->decode == osdear__pq_decode_delta_length ||
         decoder->decode == osdear__pq_decode_delta_bytes;
}

/* Arrow's readers trust a string to be valid. Of a dictionary only what is used counts. */
static osdear_status check_text(const osdear__pq_decoder *decoder, const osdear__pq_sink *sink, int64_t at, size_t count,
                                osdear_error **error)
{
  bool is_checked = decoder->decode == osdear__pq_decode_dictionary && decoder->dictionary->is_text;

  if (is_checked || sink->is_full || osdear__utf8_rows_are_valid((const char *)sink->values, sink->offsets + at, (int64_t)count))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a string is not valid UTF-8: bytes belong into a column of type binary");
}

osdear_status osdear__pq_decoder_read(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                      osdear_error **error)
{
  osdear_status st;

  if (count == 0)
    return OSDEAR_OK;
  if (decoder->width != SINK_BYTES && decodes_strings(decoder))
    return through_strings(decoder, sink, at, count, error);
  st = decoder->decode(decoder, sink, at, count, error);
  return st || decoder->leaf->type->kind != KIND_STRING ? st : check_text(decoder, sink, at, count, error);
}

static osdear_status skip_plain_bytes(osdear__pq_decoder *decoder, size_t count, osdear_error **error)
{
  for (; count; count--) {
    size_t there = (size_t)(decoder->end - decoder->at);

    if (there < 4 || osdear__load_u32(decoder->at) > there - 4)
      return osdear__pq_cut_short(error);
    decoder->at += 4 + (size_t)osdear__load_u32(decoder->at);
  }
  return OSDEAR_OK;
}

static osdear_status skip_numbers(osdear__pq_decoder *decoder, size_t count, osdear_error **error)
{
  while (count) {
    size_t take = count < PQ_STRIP ? count : PQ_STRIP;

    if (!osdear__pq_delta_read(&decoder->delta, decoder->strip, take))
      return osdear__pq_cut_short(error);
    count -= take;
  }
  return OSDEAR_OK;
}

osdear_status osdear__pq_decoder_skip(osdear__pq_decoder *decoder, size_t count, osdear_error **error)
{
  if (count == 0)
    return OSDEAR_OK;
  if (decoder->decode == plain_bytes)
    return skip_plain_bytes(decoder, count, error);
  if (decoder->decode == osdear__pq_decode_delta_length)
    return osdear__pq_skip_delta_length(decoder, count, error);
  if (decoder->decode == osdear__pq_decode_delta_bytes)
    return osdear__pq_skip_delta_bytes(decoder, count, error);
  if (decoder->decode == plain_fixed) {
    if (count > (size_t)(decoder->end - decoder->at) / decoder->stored)
      return osdear__pq_cut_short(error);
    decoder->at += count * decoder->stored;
    return OSDEAR_OK;
  }
  if (decoder->decode == plain_bits) {
    decoder->bit += (int64_t)count;
    return OSDEAR_OK;
  }
  if (decoder->decode == delta_numbers)
    return skip_numbers(decoder, count, error);
  if (decoder->decode == split_streams) {
    if (count > decoder->streams - decoder->taken)
      return osdear__pq_cut_short(error);
    decoder->taken += count;
    return OSDEAR_OK;
  }
  return osdear__pq_hybrid_skip(&decoder->hybrid, count) ? OSDEAR_OK : osdear__pq_cut_short(error);
}
