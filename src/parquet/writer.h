/** @file writer.h What the files of the writer share: levels, values, bounds, dictionaries, columns. Private to this layer. */
#ifndef OSDEAR_SRC_PARQUET_WRITER_H
#define OSDEAR_SRC_PARQUET_WRITER_H

#include <parquet/encode.h>
#include <parquet/parquet.h>
#include <parquet/schema.h>

/* ---- levels (writer_levels.c): which rows of a batch give a column which levels and values ---- */

/* One step from a column of the batch down to the leaf. */
typedef struct osdear__pq_step {
  const osdear__pq_node *node;
  size_t child; /* place among its parent's children */
} osdear__pq_step;

typedef struct osdear__pq_path {
  const osdear__pq_step *steps;
  size_t count;
  const osdear__pq_leaf *leaf;
  const char *name; /* dotted, for messages */
} osdear__pq_path;

/* Entries of a column: a definition level, a repetition level, and where its value lies (-1: nowhere). */
typedef struct osdear__pq_entries {
  uint8_t *defs, *reps;
  int32_t *slots;
  size_t capacity;
} osdear__pq_entries;

typedef struct osdear__pq_levels {
  size_t count;
  const uint8_t *defs;            /* NULL: all are the leaf's max_def */
  const uint8_t *reps;            /* NULL: all are 0 */
  const struct ArrowArray *array; /* the leaf's: value i lies at base + slots[i] */
  int64_t base;
  const int32_t *slots; /* NULL: value i lies at base + i */
  size_t value_count;
} osdear__pq_levels;

/* For the rows [from, from + rows) of a batch. The result lies in `now` or `next` and in the batch. A null where the type allows none
 * is DATA. */
MUST_USE osdear_status osdear__pq_levels_build(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from,
                                               int64_t rows, osdear__pq_entries *now, osdear__pq_entries *next,
                                               osdear__pq_levels *out, osdear_error **error);
void osdear__pq_entries_drop(osdear__pq_entries *entries);
/* Bytes that the rows take in the PLAIN encoding, or a little more. */
int64_t osdear__pq_plain_bytes(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, int64_t rows);
/* How many of `rows` rows from `from` on fit into `bytes`: 0 if not even the first does. */
int64_t osdear__pq_rows_fitting(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, int64_t rows,
                                int64_t bytes);

/* ---- values (writer_values.c) ---- */

typedef struct osdear__pq_gathered {
  osdear__buf fixed, starts, ends;
} osdear__pq_gathered;
void osdear__pq_gathered_drop(osdear__pq_gathered *gathered);
osdear__pq_dense osdear__pq_dense_of(const osdear__pq_leaf *leaf);
/* The values that `levels` points at, as the file stores them; in the batch itself where they lie so there. */
MUST_USE osdear_status osdear__pq_values_gather(const osdear__pq_path *path, const osdear__pq_levels *levels,
                                                osdear__pq_gathered *gathered, osdear__pq_values *out, osdear_error **error);

/* ---- bounds (writer_bounds.c) ---- */

typedef enum osdear__pq_order {
  ORDER_NONE,
  ORDER_BOOLEAN,
  ORDER_INT32,
  ORDER_UINT32,
  ORDER_INT64,
  ORDER_UINT64,
  ORDER_FLOAT,
  ORDER_DOUBLE,
  ORDER_FLOAT16,
  ORDER_DECIMAL,
  ORDER_BYTES
} osdear__pq_order;

/* By order: INT and BOOLEAN i64, FLOAT and DOUBLE f64, FLOAT16 i64 (its bits, made to sort), DECIMAL i128, BYTES the buffers. */
typedef union osdear__pq_number {
  int64_t i64;
  uint64_t u64;
  double f64;
  osdear__int128 i128;
} osdear__pq_number;

/* Least and greatest value. Zero-initialise. Failures are the buffers', sticky: ask osdear__pq_bounds_check(). */
typedef struct osdear__pq_bounds {
  bool has;
  osdear__pq_number min, max;
  osdear__buf min_bytes, max_bytes;
} osdear__pq_bounds;
osdear__pq_order osdear__pq_order_of(const osdear__pq_leaf *leaf);
void osdear__pq_bounds_add(osdear__pq_bounds *bounds, osdear__pq_order order, const osdear__pq_values *values);
void osdear__pq_bounds_add_text(osdear__pq_bounds *bounds, osdear__str min, osdear__str max);
void osdear__pq_bounds_merge(osdear__pq_bounds *into, osdear__pq_order order, const osdear__pq_bounds *from);
MUST_USE osdear_status osdear__pq_bounds_check(const osdear__pq_bounds *bounds, osdear_error **error);
void osdear__pq_bounds_clear(osdear__pq_bounds *bounds);
void osdear__pq_bounds_drop(osdear__pq_bounds *bounds);
/* One bound in the PLAIN encoding, in the arena. Text longer than `limit` is cut: a least value down, a greatest one up; *exact says
 * whether it was. data NULL: no memory. A greatest value that cannot be cut upwards stays whole. */
osdear__str osdear__pq_bounds_encode(const osdear__pq_bounds *bounds, osdear__pq_order order, const osdear__pq_leaf *leaf,
                                     bool is_max, size_t limit, osdear__arena *arena, bool *exact);
/* How two encoded bounds of a column compare. */
int osdear__pq_bounds_compare(osdear__pq_order order, osdear__str a, osdear__str b);
void osdear__pq_bounds_scalar(const osdear__pq_bounds *bounds, const osdear__type *type, bool is_max, osdear__scalar *out);
/* Least and greatest of text by reference: starts empty. */
typedef struct osdear__pq_text_range {
  bool has;
  uint64_t min_prefix, max_prefix;
  osdear__str min, max;
} osdear__pq_text_range;
void osdear__pq_text_range_add(osdear__pq_text_range *range, const uint8_t *data,
                               size_t size); /* 8 bytes past the end are read */

/* ---- dictionaries (writer_dictionary.c) ---- */

/* A text by its length and two words: all of it up to 16 bytes; else its first eight bytes and its hash. */
typedef struct osdear__pq_text_key {
  uint64_t first, second;
  uint32_t size;
  uint32_t at; /* in `text` */
} osdear__pq_text_key;

typedef struct osdear__pq_distinct {
  osdear__pq_dense dense;
  bool has_lengths; /* BYTE_ARRAY: in `text` each value has its length in front */
  uint32_t *table;  /* open addressing: 1 + index of the value, 0 for a free place */
  int table_bits;
  size_t count;
  size_t capacity;  /* of the three below */
  void *keys;       /* 32, 64, 128: the values; BYTES: osdear__pq_text_key */
  uint32_t *stamps; /* BYTES: the page that used it last */
  uint32_t *used;   /* BYTES: those that this page uses */
  size_t used_count;
  uint32_t page;
  osdear__buf text; /* BYTES: the values in the PLAIN encoding */
} osdear__pq_distinct;
void osdear__pq_distinct_drop(osdear__pq_distinct *dictionary);
void osdear__pq_distinct_clear(osdear__pq_distinct *dictionary); /* memory is kept */
/* indices[i]: of values i, which is added if it is new. False: no memory, or more text than one piece can hold. */
MUST_USE bool osdear__pq_distinct_add(osdear__pq_distinct *dictionary, const osdear__pq_values *values, uint32_t *indices);
size_t osdear__pq_distinct_bytes(const osdear__pq_distinct *dictionary, int32_t width); /* in the PLAIN encoding */
void osdear__pq_distinct_write(const osdear__pq_distinct *dictionary, int32_t width, osdear__buf *out);
/* What the indices stand for, in the PLAIN encoding. */
void osdear__pq_distinct_expand(const osdear__pq_distinct *dictionary, const uint32_t *indices, size_t count, int32_t width,
                                osdear__buf *out);
/* BYTES: the bounds of what the page used, which is forgotten. */
void osdear__pq_distinct_page_bounds(osdear__pq_distinct *dictionary, osdear__pq_bounds *bounds);

/* ---- a column (writer_column.c, writer_page.c, writer_chunk.c) ---- */

#define OSDEAR__PQ_BOUND_BYTES 64 /* longer bounds are cut in chunks and indexes */

/* Memory that encoding uses and leaves for the next time. One per thread. Zero-initialise. */
typedef struct osdear__pq_scratch {
  osdear__codec_state codec;
  osdear__pq_entries now, next;
  osdear__pq_gathered gathered;
  osdear__buf words;  /* uint32: levels made wide */
  osdear__buf body;   /* a page before compression */
  osdear__buf packed; /* and after */
  osdear__buf header;
} osdear__pq_scratch;
void osdear__pq_scratch_drop(osdear__pq_scratch *scratch);

/* An encoded page, and what the indexes say of it. */
typedef struct osdear__pq_page_out {
  uint8_t *bytes; /* header and data; NULL once written */
  size_t size;
  int64_t first_row; /* in the row group */
  int64_t null_count;
  bool has_values;
  bool has_bounds;
  osdear__str min, max;
} osdear__pq_page_out;

/* The page that is being filled. */
typedef struct osdear__pq_page_in {
  int64_t rows;
  size_t level_count;
  size_t value_count;
  bool all_defined; /* `defs` is not filled: all are max_def */
  osdear__buf defs, reps;
  osdear__buf plain;   /* values in the PLAIN encoding (booleans as bytes), or … */
  osdear__buf indices; /* … uint32 into the dictionary */
  size_t plain_bytes;  /* what the values take in the PLAIN encoding */
  osdear__pq_bounds bounds;
} osdear__pq_page_in;

/* A chunk starts UNDECIDED; its first page with values shows whether a dictionary is worth it. */
typedef enum osdear__pq_distinct_use { DICTIONARY_UNDECIDED, DICTIONARY_USED, DICTIONARY_OFF } osdear__pq_distinct_use;

typedef struct osdear__pq_encoder {
  osdear__pq_path path;
  const osdear__pq_leaf *leaf;
  const osdear__parquet_write *options;
  osdear__pq_dense dense;
  osdear__pq_order order;
  int32_t width; /* FIXED: bytes of a value; else 0 */

  osdear__pq_page_in page;
  osdear__pq_distinct dictionary;
  osdear__pq_distinct_use use;

  /* The chunk. */
  osdear__pq_page_out *pages;
  size_t page_count;
  size_t page_capacity;
  osdear__pq_page_out dictionary_page; /* bytes NULL: none */
  int64_t chunk_rows;
  int64_t chunk_levels;
  int64_t chunk_values;
  int64_t held_bytes;             /* of the pages */
  int64_t uncompressed_bytes;     /* of the pages with their headers, before compression */
  osdear__pq_encoding delta_text; /* version 2, of text: chosen for the chunk by its first page; PLAIN: not yet */
  int32_t encoded_pages[PQ_BYTE_STREAM_SPLIT + 1]; /* data pages by encoding */
  osdear__pq_bounds chunk_bounds;

  /* The file. */
  osdear__pq_bounds file_bounds;
  int64_t file_rows;
  int64_t file_levels;
  int64_t file_values;
  osdear__arena arena; /* metadata of its chunks and pages, until the footer is written */
} osdear__pq_encoder;

void osdear__pq_encoder_init(osdear__pq_encoder *column, const osdear__pq_path *path, bool in_variant,
                             const osdear__parquet_write *options);
void osdear__pq_encoder_drop(osdear__pq_encoder *column);
/* Rows [from, from + rows) of a batch. */
MUST_USE osdear_status osdear__pq_encoder_add(osdear__pq_encoder *column, osdear__pq_scratch *scratch,
                                              const struct ArrowArray *batch, int64_t from, int64_t rows, osdear_error **error);
/* The last page and the dictionary: the chunk can be written. */
MUST_USE osdear_status osdear__pq_encoder_end(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error);
int64_t osdear__pq_encoder_bytes(const osdear__pq_encoder *column); /* held back, encoded and not */

/* The open page becomes the last of `pages`; empty, it does not. */
MUST_USE osdear_status osdear__pq_page_end(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error);
MUST_USE osdear_status osdear__pq_page_write_dictionary(osdear__pq_encoder *column, osdear__pq_scratch *scratch,
                                                        osdear_error **error);

/* A chunk's place among the others of its row group, with its indexes as bytes: they are written behind the last row group. */
typedef struct osdear__pq_chunk_out {
  osdear__pq_column_chunk chunk;
  osdear__str column_index; /* data NULL: none, for a page has values without bounds */
  osdear__str offset_index;
} osdear__pq_chunk_out;
/* Writes the pages from file position `offset` on, and forgets them. Everything `out` points to lies in the column's arena. */
MUST_USE osdear_status osdear__pq_chunk_write(osdear__pq_encoder *column, osdear__output *output, int64_t *offset,
                                              osdear__pq_chunk_out *out, osdear_error **error);

#endif
