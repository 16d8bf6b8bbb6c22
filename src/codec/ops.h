/** @file ops.h What each compressor gives to codec.c. Private to this layer. */
#ifndef OSDEAR_SRC_CODEC_OPS_H
#define OSDEAR_SRC_CODEC_OPS_H

#include <codec/codec.h>

/* Sizes are at least 1 and at most INT32_MAX for both: codec.c has seen to that. */
typedef struct osdear__codec_ops {
  osdear__library *library; /* opened before any of these but `bound` is called, */
  bool reads_alone;         /* and `decompress`, where it needs none */
  osdear_status (*decompress)(osdear__codec_state *state, const void *in, size_t in_size, void *out, size_t out_size,
                              osdear_error **error);
  osdear_status (*compress)(osdear__codec_state *state, int level, const void *in, size_t in_size, void *out, size_t *out_size,
                            osdear_error **error); /* NULL: this codec is only read */
  size_t (*bound)(size_t in_size);                 /* NULL: this codec is only read */
  void (*state_drop)(osdear__codec_state *state);  /* NULL: keeps nothing. Of a state that may be empty */
  osdear_status (*inflater_new)(osdear__inflater **out, osdear_error **error); /* NULL: no streams */
} osdear__codec_ops;

/* Each is defined once: by <codec>.c, or as NULL by absent/<codec>.c when the feature is off. */
extern const osdear__codec_ops *const osdear__brotli_ops;
extern const osdear__codec_ops *const osdear__gzip_ops;
extern const osdear__codec_ops *const osdear__lz4_hadoop_ops;
extern const osdear__codec_ops *const osdear__lz4_raw_ops;
extern const osdear__codec_ops *const osdear__snappy_ops;
extern const osdear__codec_ops *const osdear__zstd_ops;

/* The head of every inflater. */
struct osdear__inflater {
  osdear_status (*inflate)(osdear__inflater *inflater, const void *in, size_t in_size, size_t *in_used, void *out,
                           size_t out_size, size_t *out_used, bool is_last, bool *is_done, osdear_error **error);
  void (*free)(osdear__inflater *inflater);
};

/* The whole words of `data` by instructions made for it, on from the inverted remainder `crc`; `*done` says how many bytes that were:
 * 0 on processors without them. */
uint32_t osdear__crc32_wide(uint32_t crc, const uint8_t *data, size_t size, size_t *done);
/* The same by tables: what the above is tested against. Takes and returns the inverted remainder. */
uint32_t osdear__crc32_tables(uint32_t crc, const uint8_t *data, size_t size);

#endif
