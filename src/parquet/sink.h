/** @file sink.h Where decoded values go: the buffers of an Arrow array in the making. */
#ifndef OSDEAR_SRC_PARQUET_SINK_H
#define OSDEAR_SRC_PARQUET_SINK_H

#include <arrow/arrow.h>
#include <parquet/bits.h>

#define SINK_SLACK 32                 /* bytes past the end that copies may touch */
#define SINK_MOST ((size_t)INT32_MAX) /* bytes that int32 offsets can count */

enum { SINK_BITS = 0, SINK_BYTES = -1 }; /* widths that are none */

typedef struct osdear__pq_sink {
  int32_t width;    /* bytes of a value, or one of the above */
  uint8_t *values;  /* fixed width, bits, or the bytes of all strings */
  size_t capacity;  /* of it, in bytes */
  int32_t *offsets; /* SINK_BYTES: one more than there is room for values */
  int64_t slots;    /* there is room for */
  size_t bytes;     /* SINK_BYTES: used */
  size_t most;      /* SINK_BYTES: it may hold; 0: what offsets can count */
  bool is_full;     /* more bytes came than an array can hold: what was decoded since must be dropped */
} osdear__pq_sink;

/* How values of a type lie in memory; VOID counts as SINK_BITS, since nothing is ever put into it. */
int32_t osdear__pq_sink_width(const osdear__type *type);
void osdear__pq_sink_drop(osdear__pq_sink *sink);
/* Room for `slots` values in all, and for `bytes` of strings where that is more than there is. */
MUST_USE osdear_status osdear__pq_sink_reserve(osdear__pq_sink *sink, int64_t slots, size_t bytes, osdear_error **error);
/* Room for `more` bytes of strings beyond its capacity; false: no memory, or is_full. */
MUST_USE bool osdear__pq_sink_more(osdear__pq_sink *sink, size_t more);
/* `dense` values lie from slot `at` on; move them to those of the `slots` slots from there whose bits (from `bit_at` on) are set. The
 * others become zeros and empty strings. */
void osdear__pq_sink_spread(osdear__pq_sink *sink, int64_t at, int64_t slots, int64_t dense, const uint8_t *bits, int64_t bit_at);
/* Short copies by 16 bytes at a time: most strings need one. Up to 15 bytes past either end are touched. */
static inline void osdear__pq_copy_16(uint8_t *to, const uint8_t *from, size_t size)
{
  memcpy(to, from, 16);
  if (UNLIKELY(size > 16))
    memcpy(to + 16, from + 16, size - 16);
}

#endif
