/** @file hybrid.h The RLE / bit-packed hybrid: levels, dictionary indices, booleans. Decoded as a stream, in pieces of any size. */
#ifndef OSDEAR_SRC_PARQUET_HYBRID_H
#define OSDEAR_SRC_PARQUET_HYBRID_H

#include <parquet/bits.h>

typedef struct osdear__pq_hybrid {
  const uint8_t *at; /* the next run's head, or the group of eight that is being taken of a packed run */
  const uint8_t *end;
  uint32_t width;
  uint32_t used;   /* values already taken of that group */
  uint32_t value;  /* of the repeated run */
  uint64_t run;    /* values left in a repeated run */
  uint64_t packed; /* values left in a packed run */
} osdear__pq_hybrid;

/* `width` 0..32. */
void osdear__pq_hybrid_start(osdear__pq_hybrid *in, const uint8_t *data, size_t size, uint32_t width);
/* Makes sure that a run is at hand. False: the data has ended or is malformed. */
MUST_USE bool osdear__pq_hybrid_fill(osdear__pq_hybrid *in);
/* `count` values of the packed run at hand; the caller knows that it has so many. */
void osdear__pq_hybrid_unpack(osdear__pq_hybrid *in, uint32_t *out, size_t count);
/* Pass over so many values of the run at hand. */
void osdear__pq_hybrid_pass(osdear__pq_hybrid *in, uint64_t count);

/* All of `count`, or false. */
MUST_USE bool osdear__pq_hybrid_u32(osdear__pq_hybrid *in, uint32_t *out, size_t count);
MUST_USE bool osdear__pq_hybrid_levels(osdear__pq_hybrid *in, int16_t *out, size_t count);
MUST_USE bool osdear__pq_hybrid_skip(osdear__pq_hybrid *in, uint64_t count);
/* Values of one bit, into a bitmap; `*set` grows by the ones. */
MUST_USE bool osdear__pq_hybrid_bits(osdear__pq_hybrid *in, uint8_t *bits, int64_t to, size_t count, int64_t *set);

#endif
