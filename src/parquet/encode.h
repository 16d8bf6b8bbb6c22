/** @file encode.h Values to bytes: the encodings that the writer uses. Failures are the output buffer's, sticky. */
#ifndef OSDEAR_SRC_PARQUET_ENCODE_H
#define OSDEAR_SRC_PARQUET_ENCODE_H

#include <base/base.h>

/* As Arrow's buffers hold it: only 8 bytes of alignment are sure. */
typedef osdear__int128 osdear__pq_int128 __attribute__((aligned(8)));

/* How values lie while they are worked on. */
typedef enum osdear__pq_dense {
  DENSE_BOOLEAN, /* a byte of 0 or 1 */
  DENSE_32,      /* INT32 and FLOAT as stored */
  DENSE_64,      /* INT64 and DOUBLE as stored */
  DENSE_128,     /* decimals that are stored as FIXED: osdear__pq_int128 */
  DENSE_BYTES    /* BYTE_ARRAY, other FIXED */
} osdear__pq_dense;

/* Values of a column after each other, nulls left out. */
typedef struct osdear__pq_values {
  osdear__pq_dense dense;
  size_t count;
  const void *fixed;     /* all but BYTES */
  const int32_t *starts; /* BYTES: value i is bytes[starts[i]] up to bytes[ends[i]]; 8 bytes past the end of any may be read */
  const int32_t *ends;
  const uint8_t *bytes;
} osdear__pq_values;

size_t osdear__pq_dense_size(osdear__pq_dense dense); /* bytes of one; BYTES: 0 */

/* PLAIN (encode_plain.c). `width`: bytes of a FIXED value, 0 for BYTE_ARRAY, which gets its length in front.
 * Booleans are appended as bytes: they become bits when their page is complete. */
void osdear__pq_plain_write(const osdear__pq_values *values, int32_t width, osdear__buf *out);
void osdear__pq_plain_write_128(const osdear__pq_int128 *values, size_t count, int32_t width, osdear__buf *out);
void osdear__pq_plain_write_bits(const uint8_t *booleans, size_t count, osdear__buf *out);
/* Copies that may touch 8 bytes past the end on both sides; much faster than memcpy for short text. */
static inline void osdear__pq_copy_short(uint8_t *to, const uint8_t *from, size_t size)
{
  if (size > 64) {
    memcpy(to, from, size);
    return;
  }
  for (size_t at = 0; at < size; at += 8)
    osdear__store_u64(to + at, osdear__load_u64(from + at));
}

/* RLE: the hybrid of runs and bit-packed groups of eight (encode_hybrid.c). `width` 1..32; neither width nor length in front. */
void osdear__pq_hybrid_write(const uint32_t *values, size_t count, int width, osdear__buf *out);
void osdear__pq_hybrid_write_run(uint32_t value, size_t count, int width, osdear__buf *out); /* `count` times the same */
int osdear__pq_bit_width(uint64_t max);                                                      /* bits to hold 0..max; 0 for 0 */

/* DELTA_BINARY_PACKED of int32 or, if `wide`, int64 (encode_delta.c). */
void osdear__pq_delta_write(const void *values, size_t count, bool wide, osdear__buf *out);
/* DELTA_LENGTH_BYTE_ARRAY or, if `prefixed`, DELTA_BYTE_ARRAY. `plain` holds `count` values in the PLAIN encoding; `scratch` is
 * overwritten. */
void osdear__pq_delta_write_bytes(const uint8_t *plain, size_t count, bool prefixed, osdear__buf *scratch, osdear__buf *out);
/* Whether values share more of their beginnings than it costs to say so. */
bool osdear__pq_delta_shares_prefixes(const uint8_t *plain, size_t count);

void osdear__pq_varint_write(uint64_t value, osdear__buf *out);

#endif
