/** @file delta.h DELTA_BINARY_PACKED as a stream: integers, and the lengths of the other DELTA encodings. */
#ifndef OSDEAR_SRC_PARQUET_DELTA_H
#define OSDEAR_SRC_PARQUET_DELTA_H

#include <parquet/bits.h>

#define PQ_DELTA_PIECE 32 /* a miniblock has a multiple of it; with any width it ends at a whole byte */

typedef struct osdear__pq_delta {
  const uint8_t *at;
  const uint8_t *end;
  uint64_t left; /* values not yet given */
  uint64_t miniblock_left;
  uint64_t miniblock_size;
  uint32_t miniblocks; /* in a block */
  uint32_t next_miniblock;
  const uint8_t *widths;       /* of the block at hand */
  uint64_t least;              /* delta of the block */
  uint64_t last;               /* value */
  bool started;                /* the first value was given */
  uint32_t held_from, held_to; /* decoded, not yet given */
  uint64_t held[PQ_DELTA_PIECE];
} osdear__pq_delta;

/* Reads the head. `limit`: more values than this are refused. */
MUST_USE bool osdear__pq_delta_start(osdear__pq_delta *in, const uint8_t *data, size_t size, uint64_t limit);
MUST_USE bool osdear__pq_delta_read(osdear__pq_delta *in, uint64_t *out, size_t count);
/* Where the encoding ends, for what follows it. Does not move `in`, which was only just started. NULL: malformed. */
MUST_USE const uint8_t *osdear__pq_delta_end(const osdear__pq_delta *in);

#endif
