/** @file decode.h The values of one page, in any encoding, into a sink. */
#ifndef OSDEAR_SRC_PARQUET_DECODE_H
#define OSDEAR_SRC_PARQUET_DECODE_H

#include <parquet/convert.h>
#include <parquet/delta.h>
#include <parquet/hybrid.h>
#include <parquet/sink.h>

/* Values are worked on in strips that stay in the first-level cache. */
#define PQ_STRIP 1024

/* A string of a dictionary. */
typedef struct osdear__pq_entry {
  uint32_t at;
  uint32_t size;
} osdear__pq_entry;

/* A dictionary in the canonical layout: values of `width` bytes, or entries into `values`. */
typedef struct osdear__pq_dictionary {
  uint32_t count;
  bool is_loaded;
  bool is_text; /* strings, each of which is valid UTF-8 */
  uint8_t *values;
  osdear__pq_entry *entries;
} osdear__pq_dictionary;
void osdear__pq_dictionary_drop(osdear__pq_dictionary *dictionary);
/* `data`: a dictionary page of `count` values, PLAIN. What was in the dictionary is replaced. `*owned`, unless NULL, is the block that the
 * page begins; where it serves as it is, the dictionary takes it over and leaves NULL. */
MUST_USE osdear_status osdear__pq_dictionary_read(osdear__pq_dictionary *dictionary, const osdear__pq_leaf *leaf,
                                                  const uint8_t *data, size_t size, int32_t count, uint8_t **owned,
                                                  osdear_error **error);

typedef struct osdear__pq_decoder osdear__pq_decoder;
/* Appends `count` values at slot `at`. */
typedef osdear_status (*osdear__pq_decode)(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                           osdear_error **error);

struct osdear__pq_decoder {
  const osdear__pq_leaf *leaf;
  const osdear__pq_dictionary *dictionary;
  osdear__pq_convert convert;
  osdear__pq_decode decode;
  int32_t width; /* of the leaf's values in a sink */
  size_t stored; /* bytes of a physical value; 0: of any length, or bits */
  const uint8_t *at, *end;
  int64_t bit;           /* PLAIN booleans: taken so far */
  size_t streams, taken; /* BYTE_STREAM_SPLIT: values in the page, and taken */
  osdear__pq_hybrid hybrid;
  osdear__pq_delta delta; /* integers; lengths; for DELTA_BYTE_ARRAY lengths of prefixes */
  osdear__pq_delta suffixes;
  osdear__pq_sink strings; /* of values that are decoded as strings but are none */
  uint8_t *last;           /* DELTA_BYTE_ARRAY: the value before */
  size_t last_size, last_capacity;
  uint64_t strip[PQ_STRIP];
};

void osdear__pq_decoder_new(osdear__pq_decoder *decoder, const osdear__pq_leaf *leaf, const osdear__pq_dictionary *dictionary);
void osdear__pq_decoder_drop(osdear__pq_decoder *decoder);
/* A page's values; `limit`: it has at most so many. `data` is followed by PQ_PADDING readable bytes. */
MUST_USE osdear_status osdear__pq_decoder_start(osdear__pq_decoder *decoder, int32_t encoding, const uint8_t *data, size_t size,
                                                int32_t limit, osdear_error **error);
/* Appends `count` values at slot `at`, for which the sink has room. When the sink becomes full the decoder is of no use any more. */
MUST_USE osdear_status osdear__pq_decoder_read(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                               osdear_error **error);
MUST_USE osdear_status osdear__pq_decoder_skip(osdear__pq_decoder *decoder, size_t count, osdear_error **error);

/* Shared by the files that decode. */
osdear_status osdear__pq_cut_short(osdear_error **error); /* values end before their count */
/* `count` physical values to where they belong. */
MUST_USE osdear_status osdear__pq_put(const osdear__pq_decoder *decoder, const uint8_t *from, uint8_t *to, size_t count,
                                      osdear_error **error);
osdear_status osdear__pq_decode_dictionary(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                           osdear_error **error);
osdear_status osdear__pq_decode_delta_length(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                             osdear_error **error);
osdear_status osdear__pq_decode_delta_bytes(osdear__pq_decoder *decoder, osdear__pq_sink *sink, int64_t at, size_t count,
                                            osdear_error **error);
MUST_USE osdear_status osdear__pq_skip_delta_length(osdear__pq_decoder *decoder, size_t count, osdear_error **error);
MUST_USE osdear_status osdear__pq_skip_delta_bytes(osdear__pq_decoder *decoder, size_t count, osdear_error **error);
MUST_USE osdear_status osdear__pq_start_delta_length(osdear__pq_decoder *decoder, const uint8_t *data, size_t size,
                                                     uint64_t limit, osdear_error **error);
MUST_USE osdear_status osdear__pq_start_delta_bytes(osdear__pq_decoder *decoder, const uint8_t *data, size_t size, uint64_t limit,
                                                    osdear_error **error);

#endif
