/** @file codec.h Compressors and checksums, each behind a bounded call. */
#ifndef OSDEAR_SRC_CODEC_H
#define OSDEAR_SRC_CODEC_H

#include <base/base.h>

/* Numbers are Parquet's CompressionCodec. */
typedef enum osdear__codec {
  CODEC_NONE = 0,
  CODEC_SNAPPY = 1,
  CODEC_GZIP = 2,
  CODEC_LZO = 3,
  CODEC_BROTLI = 4,
  CODEC_LZ4_HADOOP = 5,
  CODEC_ZSTD = 6,
  CODEC_LZ4_RAW = 7
} osdear__codec;
const char *osdear__codec_name(osdear__codec codec); /* "zstd"; "codec 42" is up to the caller: NULL if unknown */
MUST_USE bool osdear__codec_of_name(const char *name,
                                    osdear__codec *out); /* any case: none uncompressed snappy gzip brotli lz4 lz4_raw zstd */
bool osdear__codec_is_built(osdear__codec codec);        /* false: LZO, or a feature that was switched off */
bool osdear__codec_is_written(osdear__codec codec);      /* built, and not only read as Brotli is */
osdear__codec osdear__codec_default(void);               /* what we write unless told otherwise: zstd, or what there is */

/* Scratch memory of the compressors, used again from call to call. One per thread. Zero-initialise. */
typedef struct osdear__codec_state {
  void *zstd_in, *zstd_out, *lz4_out, *gzip_in, *gzip_out;
  osdear__buf scratch;
} osdear__codec_state;
void osdear__codec_state_drop(osdear__codec_state *state);

/* Decompress `in` into exactly `out_size` bytes: CORRUPT when it gives less or more. UNSUPPORTED for a codec that is not built. */
MUST_USE osdear_status osdear__decompress(osdear__codec_state *state, osdear__codec codec, const void *in, size_t in_size,
                                          void *out, size_t out_size, osdear_error **error);
size_t osdear__compress_bound(osdear__codec codec, size_t in_size);
/* `out` has room for osdear__compress_bound(); `level` 0 is the codec's default (zstd: 3). */
MUST_USE osdear_status osdear__compress(osdear__codec_state *state, osdear__codec codec, int level, const void *in,
                                        size_t in_size, void *out, size_t *out_size, osdear_error **error);

/* Whole streams, for files and for what may claim too much: gzip (members after each other), zstd (frames after each other), brotli. */
typedef struct osdear__inflater osdear__inflater;
MUST_USE osdear_status osdear__inflater_new(osdear__codec codec, osdear__inflater **out, osdear_error **error);
/* Consumes some of `in` and fills some of `out`; `*in_used`, `*out_used` say how much. `is_last`: no input follows; then CORRUPT if the
 * stream is cut short. `*is_done`: ended cleanly and nothing is left. */
MUST_USE osdear_status osdear__inflate(osdear__inflater *inflater, const void *in, size_t in_size, size_t *in_used, void *out,
                                       size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error);
void osdear__inflater_auto(osdear__inflater **inflater);

uint32_t osdear__crc32(uint32_t seed, const void *data, size_t size); /* zlib's polynomial; seed 0 to start */
uint64_t osdear__xxh64(const void *data, size_t size, uint64_t seed); /* XXH64, for Parquet's bloom filters */
void osdear__md5_hex(const void *data, size_t size, char out[33]);    /* RFC 1321, for _last_checkpoint */

#endif
