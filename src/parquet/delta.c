/** @file delta.c Encodings.md, "Delta Encoding (DELTA_BINARY_PACKED)". Sums wrap around, as the format says. */
#include <parquet/delta.h>

#define MAX_MINIBLOCKS 1024

static bool read_varint(const uint8_t **at, const uint8_t *end, uint64_t *out)
{
  uint64_t value = 0;

  for (uint32_t shift = 0; shift < 70 && *at < end; shift += 7) {
    uint8_t byte = *(*at)++;

    value |= shift < 64 ? (uint64_t)(byte & 0x7f) << shift : 0;
    if (!(byte & 0x80)) {
      *out = value;
      return true;
    }
  }
  return false;
}

static uint64_t unzigzag(uint64_t raw)
{
  return (raw >> 1) ^ (0 - (raw & 1));
}

bool osdear__pq_delta_start(osdear__pq_delta *in, const uint8_t *data, size_t size, uint64_t limit)
{
  uint64_t block_size;
  uint64_t miniblocks;
  uint64_t first;

  *in = (osdear__pq_delta){ .at = data, .end = data + size };
  if (!read_varint(&in->at, in->end, &block_size) || !read_varint(&in->at, in->end, &miniblocks) ||
      !read_varint(&in->at, in->end, &in->left) || !read_varint(&in->at, in->end, &first))
    return false;
  if (miniblocks == 0 || miniblocks > MAX_MINIBLOCKS || block_size > INT32_MAX || block_size % miniblocks != 0)
    return false;
  in->miniblocks = (uint32_t)miniblocks;
  in->miniblock_size = block_size / miniblocks;
  if (in->miniblock_size == 0 || in->miniblock_size % PQ_DELTA_PIECE != 0 || in->left > limit)
    return false;
  in->last = unzigzag(first);
  return true;
}

/* Least delta and widths. A block's unused miniblocks may have any width. */
static bool start_block(osdear__pq_delta *in)
{
  uint64_t raw;

  if (!read_varint(&in->at, in->end, &raw) || (size_t)(in->end - in->at) < in->miniblocks)
    return false;
  in->least = unzigzag(raw);
  in->widths = in->at;
  in->at += in->miniblocks;
  in->next_miniblock = 0;
  return true;
}

static bool start_miniblock(osdear__pq_delta *in)
{
  if (!in->widths || in->next_miniblock == in->miniblocks)
    if (!start_block(in))
      return false;
  if (in->widths[in->next_miniblock] > 64)
    return false;
  in->next_miniblock++;
  in->miniblock_left = in->miniblock_size;
  return true;
}

/* 32 values. Those past the last one, and the bytes for them, may be missing. */
static bool read_piece(osdear__pq_delta *in, uint64_t *out)
{
  uint8_t padded[PQ_DELTA_PIECE * 8 + 8] = { 0 };
  uint64_t last = in->last;
  const uint8_t *from;
  uint32_t width;
  size_t there;
  size_t bytes;

  if (!in->miniblock_left && !start_miniblock(in))
    return false;
  width = in->widths[in->next_miniblock - 1];
  from = in->at;
  there = (size_t)(in->end - in->at);
  bytes = (size_t)width * PQ_DELTA_PIECE / 8;
  if (there < bytes) {
    if (in->left > PQ_DELTA_PIECE || there * 8 < in->left * width)
      return false;
    memcpy(padded, from, there);
    from = padded;
    bytes = there;
  }
  osdear__pq_unpack64(width, from, out, PQ_DELTA_PIECE / 8);
  for (size_t i = 0; i < PQ_DELTA_PIECE; i++) {
    last += out[i] + in->least;
    out[i] = last;
  }
  in->at += bytes;
  in->miniblock_left -= PQ_DELTA_PIECE;
  in->last = last;
  return true;
}

static size_t give_held(osdear__pq_delta *in, uint64_t *out, size_t count)
{
  size_t take = in->held_to - in->held_from;

  take = take < count ? take : count;
  memcpy(out, in->held + in->held_from, take * sizeof *out);
  in->held_from += (uint32_t)take;
  return take;
}

/* `left` counts what was not decoded yet; what is held was. */
bool osdear__pq_delta_read(osdear__pq_delta *in, uint64_t *out, size_t count)
{
  size_t done;

  if (count && !in->started) {
    if (!in->left)
      return false;
    in->started = true;
    in->left--;
    *out++ = in->last;
    count--;
  }
  done = give_held(in, out, count);
  while (done < count) {
    bool is_whole = count - done >= PQ_DELTA_PIECE && in->left >= PQ_DELTA_PIECE;

    if (!in->left || !read_piece(in, is_whole ? out + done : in->held))
      return false;
    if (is_whole) {
      in->left -= PQ_DELTA_PIECE;
      done += PQ_DELTA_PIECE;
      continue;
    }
    in->held_from = 0;
    in->held_to = in->left < PQ_DELTA_PIECE ? (uint32_t)in->left : PQ_DELTA_PIECE;
    in->left -= in->held_to;
    done += give_held(in, out + done, count - done);
  }
  return true;
}

const uint8_t *osdear__pq_delta_end(const osdear__pq_delta *in)
{
  osdear__pq_delta walk = *in;
  uint64_t left = in->left ? in->left - 1 : 0;

  while (left) {
    uint64_t take;
    uint64_t bytes;
    uint64_t there;

    if (!start_miniblock(&walk))
      return NULL;
    take = left < walk.miniblock_size ? left : walk.miniblock_size;
    bytes = walk.miniblock_size * walk.widths[walk.next_miniblock - 1] / 8;
    there = (uint64_t)(walk.end - walk.at);
    if (bytes > there) {
      if (take < left || there * 8 < take * walk.widths[walk.next_miniblock - 1])
        return NULL;
      bytes = there;
    }
    walk.at += bytes;
    left -= take;
  }
  return walk.at;
}
