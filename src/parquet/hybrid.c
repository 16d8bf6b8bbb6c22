/** @file hybrid.c Encodings.md, "Run Length Encoding / Bit-Packing Hybrid". */
#include <parquet/hybrid.h>

#define STRIP 512

void osdear__pq_hybrid_start(osdear__pq_hybrid *in, const uint8_t *data, size_t size, uint32_t width)
{
  *in = (osdear__pq_hybrid){ .at = data, .end = data + size, .width = width };
}

static bool read_head(osdear__pq_hybrid *in, uint64_t *out)
{
  uint64_t value = 0;

  for (uint32_t shift = 0; shift < 64 && in->at < in->end; shift += 7) {
    uint8_t byte = *in->at++;

    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80)) {
      *out = value;
      return true;
    }
  }
  return false;
}

static bool start_run(osdear__pq_hybrid *in, uint64_t count)
{
  size_t bytes = (in->width + 7) / 8;

  if ((size_t)(in->end - in->at) < bytes)
    return false;
  in->value = 0;
  memcpy(&in->value, in->at, bytes);
  in->at += bytes;
  in->run = count;
  return true;
}

/* The last group of a page may be cut: then the run has as many values as there are bits for. */
static void start_packed(osdear__pq_hybrid *in, uint64_t groups)
{
  uint64_t left = (uint64_t)(in->end - in->at);

  in->used = 0;
  if (in->width == 0 || groups <= left / in->width)
    in->packed = groups * 8;
  else
    in->packed = left * 8 / in->width;
  if (groups && !in->packed)
    in->at = in->end;
}

bool osdear__pq_hybrid_fill(osdear__pq_hybrid *in)
{
  while (!in->run && !in->packed) {
    uint64_t head;

    if (!read_head(in, &head))
      return false;
    if (head & 1)
      start_packed(in, head >> 1 & UINT64_MAX >> 4);
    else if (!start_run(in, head >> 1))
      return false;
  }
  return true;
}

/* Moves on within the packed run. */
static void advance(osdear__pq_hybrid *in, uint64_t count)
{
  uint64_t taken = in->used + count;

  in->at += taken / 8 * in->width;
  in->used = (uint32_t)(taken & 7);
  in->packed -= count;
  if (in->packed)
    return;
  if (in->used) /* a cut group is the last of all */
    in->at = in->end;
  in->used = 0;
}

static size_t unpack_some(osdear__pq_hybrid *in, uint32_t *out, size_t count)
{
  uint32_t group[8];
  size_t take = 8 - in->used < count ? 8 - in->used : count;

  osdear__pq_unpack32(in->width, in->at, group, 1);
  memcpy(out, group + in->used, take * sizeof *out);
  advance(in, take);
  return take;
}

void osdear__pq_hybrid_unpack(osdear__pq_hybrid *in, uint32_t *out, size_t count)
{
  size_t done = 0;

  if (in->used && count)
    done = unpack_some(in, out, count);
  if (count - done >= 8) {
    size_t groups = (count - done) / 8;

    osdear__pq_unpack32(in->width, in->at, out + done, groups);
    done += groups * 8;
    advance(in, groups * 8);
  }
  if (done < count)
    unpack_some(in, out + done, count - done);
}

void osdear__pq_hybrid_pass(osdear__pq_hybrid *in, uint64_t count)
{
  if (in->run)
    in->run -= count;
  else
    advance(in, count);
}

static uint64_t at_hand(const osdear__pq_hybrid *in, uint64_t most)
{
  uint64_t count = in->run ? in->run : in->packed;

  return count < most ? count : most;
}

bool osdear__pq_hybrid_u32(osdear__pq_hybrid *in, uint32_t *out, size_t count)
{
  while (count) {
    size_t take;

    if (!osdear__pq_hybrid_fill(in))
      return false;
    take = (size_t)at_hand(in, count);
    if (in->run) {
      for (size_t i = 0; i < take; i++)
        out[i] = in->value;
      in->run -= take;
    } else {
      osdear__pq_hybrid_unpack(in, out, take);
    }
    out += take;
    count -= take;
  }
  return true;
}

bool osdear__pq_hybrid_levels(osdear__pq_hybrid *in, int16_t *out, size_t count)
{
  while (count) {
    uint32_t strip[STRIP];
    size_t take;

    if (!osdear__pq_hybrid_fill(in))
      return false;
    take = (size_t)at_hand(in, count);
    if (in->run) {
      if (in->value > INT16_MAX)
        return false;
      for (size_t i = 0; i < take; i++)
        out[i] = (int16_t)in->value;
      in->run -= take;
    } else {
      take = take < STRIP ? take : STRIP;
      osdear__pq_hybrid_unpack(in, strip, take);
      for (size_t i = 0; i < take; i++)
        out[i] = (int16_t)strip[i];
    }
    out += take;
    count -= take;
  }
  return true;
}

bool osdear__pq_hybrid_skip(osdear__pq_hybrid *in, uint64_t count)
{
  while (count) {
    uint64_t take;

    if (!osdear__pq_hybrid_fill(in))
      return false;
    take = at_hand(in, count);
    osdear__pq_hybrid_pass(in, take);
    count -= take;
  }
  return true;
}

bool osdear__pq_hybrid_bits(osdear__pq_hybrid *in, uint8_t *bits, int64_t to, size_t count, int64_t *set)
{
  while (count) {
    size_t take;

    if (!osdear__pq_hybrid_fill(in))
      return false;
    take = (size_t)at_hand(in, count);
    if (in->run) {
      if (in->value > 1)
        return false;
      osdear__pq_bits_fill(bits, to, (int64_t)take, in->value);
      *set += in->value ? (int64_t)take : 0;
      in->run -= take;
    } else {
      *set += osdear__pq_bits_copy(in->at, in->used, bits, to, (int64_t)take);
      advance(in, take);
    }
    to += (int64_t)take;
    count -= take;
  }
  return true;
}
