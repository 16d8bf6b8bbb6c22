/** @file decode_strings.c DELTA_LENGTH_BYTE_ARRAY and DELTA_BYTE_ARRAY. */
#include <parquet/decode.h>

/* Starts one list of lengths and gives what follows it. */
static bool start_lengths(osdear__pq_delta *lengths, const uint8_t **data, const uint8_t *end, uint64_t limit)
{
  const uint8_t *after;

  if (!osdear__pq_delta_start(lengths, *data, (size_t)(end - *data), limit))
    return false;
  after = osdear__pq_delta_end(lengths);
  if (!after)
    return false;
  lengths->end = after;
  *data = after;
  return true;
}

osdear_status osdear__pq_start_delta_length(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, uint64_t limit,
                                            osdear_error **error)
{
  decoder->decode = osdear__pq_decode_delta_length;
  memset(&decoder->delta, 0, sizeof decoder->delta);
  if (size && !start_lengths(&decoder->delta, &data, data + size, limit))
    return osdear__pq_cut_short(error);
  decoder->at = data;
  return OSDEAR_OK;
}

osdear_status osdear__pq_start_delta_bytes(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, uint64_t limit,
                                           osdear_error **error)
{
  const uint8_t *end = data + size;

  decoder->decode = osdear__pq_decode_delta_bytes;
  memset(&decoder->delta, 0, sizeof decoder->delta);
  memset(&decoder->suffixes, 0, sizeof decoder->suffixes);
  decoder->last_size = 0;
  if (size && (!start_lengths(&decoder->delta, &data, end, limit) || !start_lengths(&decoder->suffixes, &data, end, limit)))
    return osdear__pq_cut_short(error);
  decoder->at = data;
  return OSDEAR_OK;
}

static osdear_status no_room(const osdear__pq_sink *sink, osdear_error **error)
{
  return sink->is_full ? OSDEAR_OK : osdear__fail_memory(error);
}

/* The bytes of a strip lie as they are wanted: one copy, and the lengths added up. */
static osdear_status length_strip(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int32_t *offsets, size_t count,
                                  osdear_error **error)
{
  uint64_t there = (uint64_t)(decoder->end - decoder->at);
  uint64_t total = 0;

  if (!osdear__pq_delta_read(&decoder->delta, decoder->strip, count))
    return osdear__pq_cut_short(error);
  for (size_t i = 0; i < count; i++) {
    if (decoder->strip[i] > there - total)
      return osdear__pq_cut_short(error);
    total += decoder->strip[i];
  }
  if (!osdear__pq_sink_more(sink, (size_t)total))
    return no_room(sink, error);
  memcpy(sink->values + sink->bytes, decoder->at, (size_t)total);
  for (size_t i = 0; i < count; i++) {
    sink->bytes += (size_t)decoder->strip[i];
    offsets[i + 1] = (int32_t)sink->bytes;
  }
  decoder->at += total;
  return OSDEAR_OK;
}

osdear_status osdear__pq_decode_delta_length(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                             osdear_error **error)
{
  while (count && !sink->is_full) {
    size_t take = count < PQ_STRIP ? count : PQ_STRIP;
    osdear_status st = length_strip(decoder, sink, sink->offsets + at, take, error);

    if (st)
      return st;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}

osdear_status osdear__pq_skip_delta_length(osdear__pq_decoder *decoder, size_t count, osdear_error **error)
{
  while (count) {
    size_t take = count < PQ_STRIP ? count : PQ_STRIP;

    if (!osdear__pq_delta_read(&decoder->delta, decoder->strip, take))
      return osdear__pq_cut_short(error);
    for (size_t i = 0; i < take; i++) {
      if (decoder->strip[i] > (uint64_t)(decoder->end - decoder->at))
        return osdear__pq_cut_short(error);
      decoder->at += decoder->strip[i];
    }
    count -= take;
  }
  return OSDEAR_OK;
}

/* The last value is needed by the next piece, which may go to another sink. */
static bool reserve_last(osdear__pq_decoder *decoder, size_t size)
{
  uint8_t *bigger;

  if (size <= decoder->last_capacity && decoder->last)
    return true;
  bigger = osdear__realloc(decoder->last, size + PQ_PADDING);
  if (!bigger)
    return false;
  decoder->last = bigger;
  decoder->last_capacity = size;
  return true;
}

static bool keep_last(osdear__pq_decoder *decoder, const uint8_t *value, size_t size)
{
  if (!reserve_last(decoder, size))
    return false;
  memcpy(decoder->last, value, size);
  decoder->last_size = size;
  return true;
}

/* Each value is the beginning of the one before it, so much of it as `prefixes` say, and a suffix of its own. */
static osdear_status bytes_strip(osdear__pq_decoder *decoder, const uint64_t *prefixes, const uint64_t *suffixes,
                                 osdear__pq_sink *sink, int32_t *offsets, size_t count, osdear_error **error)
{
  size_t before = decoder->last_size;
  size_t bytes = sink->bytes;

  for (size_t i = 0; i < count; i++) {
    const uint8_t *last;

    if (prefixes[i] > before || suffixes[i] > (uint64_t)(decoder->end - decoder->at))
      return osdear__pq_cut_short(error);
    sink->bytes = bytes;
    if (!osdear__pq_sink_more(sink, (size_t)(prefixes[i] + suffixes[i])))
      return no_room(sink, error);
    last = i ? sink->values + bytes - before : decoder->last;
    if (prefixes[i])
      memcpy(sink->values + bytes, last, prefixes[i]);
    memcpy(sink->values + bytes + prefixes[i], decoder->at, suffixes[i]);
    decoder->at += suffixes[i];
    before = (size_t)(prefixes[i] + suffixes[i]);
    bytes += before;
    offsets[i + 1] = (int32_t)bytes;
  }
  sink->bytes = bytes;
  return keep_last(decoder, sink->values + bytes - before, before) ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__pq_decode_delta_bytes(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                            osdear_error **error)
{
  const size_t strip = PQ_STRIP / 2; /* prefixes and suffixes share the strip */

  while (count && !sink->is_full) {
    size_t take = count < strip ? count : strip;
    osdear_status st;

    if (!osdear__pq_delta_read(&decoder->delta, decoder->strip, take) ||
        !osdear__pq_delta_read(&decoder->suffixes, decoder->strip + strip, take))
      return osdear__pq_cut_short(error);
    st = bytes_strip(decoder, decoder->strip, decoder->strip + strip, sink, sink->offsets + at, take, error);
    if (st)
      return st;
    at += (int64_t)take;
    count -= take;
  }
  return OSDEAR_OK;
}

/* Each value is made of the one before it, in its place. */
osdear_status osdear__pq_skip_delta_bytes(osdear__pq_decoder *decoder, size_t count, osdear_error **error)
{
  for (; count; count--) {
    uint64_t prefix, suffix;

    if (!osdear__pq_delta_read(&decoder->delta, &prefix, 1) || !osdear__pq_delta_read(&decoder->suffixes, &suffix, 1) ||
        prefix > decoder->last_size || suffix > (uint64_t)(decoder->end - decoder->at))
      return osdear__pq_cut_short(error);
    if (!reserve_last(decoder, (size_t)(prefix + suffix)))
      return osdear__fail_memory(error);
    memcpy(decoder->last + prefix, decoder->at, (size_t)suffix);
    decoder->last_size = (size_t)(prefix + suffix);
    decoder->at += suffix;
  }
  return OSDEAR_OK;
}
