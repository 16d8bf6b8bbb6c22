/** @file convert.h From a column's physical values to canonical ones. */
#ifndef OSDEAR_SRC_PARQUET_CONVERT_H
#define OSDEAR_SRC_PARQUET_CONVERT_H

#include <parquet/schema.h>

/* `in`: `count` values after each other, `width` bytes each. False: one cannot be expressed. */
typedef bool (*osdear__pq_convert)(const uint8_t *in, uint8_t *out, size_t count, size_t width);

/* NULL: the values need none (booleans, strings, and all that are stored as they lie in memory). */
osdear__pq_convert osdear__pq_convert_of(const osdear__pq_leaf *leaf);
/* A big-endian two's complement number of any length; false: more than 16 bytes are needed. */
MUST_USE bool osdear__pq_decimal_of_bytes(const uint8_t *bytes, size_t size, osdear__int128 *out);

#endif
