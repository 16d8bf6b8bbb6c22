/** @file parquet.h Parquet files: their schema and statistics, rows out of them as Arrow batches, batches into them. */
#ifndef OSDEAR_SRC_PARQUET_H
#define OSDEAR_SRC_PARQUET_H

#include <arrow/arrow.h>
#include <codec/codec.h>

/* ---- reading ---- */

/* An open file: footer parsed and checked. Immutable; any thread may read. Counted by reference. */
typedef struct osdear__parquet osdear__parquet;

typedef struct osdear__parquet_options {
  bool skip_checksums; /* page CRCs are verified unless set */
} osdear__parquet_options;

/* `input` is taken over in every case. CORRUPT messages name file, row group, column and offset. */
MUST_USE osdear_status osdear__parquet_open(osdear__input *input, const osdear__parquet_options *options, osdear__parquet **out,
                                            osdear_error **error);
osdear__parquet *osdear__parquet_ref(osdear__parquet *file);
void osdear__parquet_unref(osdear__parquet *file);
void osdear__parquet_auto(osdear__parquet **file);

const osdear__type *osdear__parquet_type(const osdear__parquet *file); /* a struct of the file's columns, as the file says */
int64_t osdear__parquet_rows(const osdear__parquet *file);
size_t osdear__parquet_group_count(const osdear__parquet *file);
int64_t osdear__parquet_group_rows(const osdear__parquet *file, size_t group);
int64_t osdear__parquet_group_start(const osdear__parquet *file, size_t group);     /* number of its first row in the file */
const char *osdear__parquet_metadata(const osdear__parquet *file, const char *key); /* key_value_metadata; NULL: not there */
const char *osdear__parquet_created_by(const osdear__parquet *file);                /* NULL: not there */

/* What the footer knows of a leaf column in one row group. `path`: field indices into osdear__parquet_type(), through structs only.
 * Bounds that cannot be trusted (see reference: deprecated orders, NaN, INT96) are left out. Text is borrowed from the file. */
typedef struct osdear__parquet_stats {
  bool has_min, has_max;
  osdear__scalar min, max;
  int64_t null_count; /* -1: unknown */
  int64_t row_count;
} osdear__parquet_stats;
MUST_USE bool osdear__parquet_group_stats(const osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                          osdear__parquet_stats *out);

/* Row ranges, ascending and apart, within a row group: [from, to). */
typedef struct osdear__row_range {
  int64_t from, to;
} osdear__row_range;
/* The page index's answer: for each page of the leaf at `path` its rows and bounds, in order. Fills at most `capacity` entries and sets
 * `*count` to how many there are. NOT_FOUND where there is no (sound) index. */
typedef struct osdear__parquet_page {
  osdear__row_range rows;
  bool has_min, has_max;
  osdear__scalar min, max;
  int64_t null_count; /* -1: unknown */
} osdear__parquet_page;
MUST_USE osdear_status osdear__parquet_pages(osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                             osdear__arena *arena, osdear__parquet_page **pages, size_t *count,
                                             osdear_error **error);

/* The bloom filter of a leaf in one row group; *out NULL: there is none, or none that is sound and smaller than its column. Lies in the
 * arena, which it goes on using; borrows the file. */
typedef struct osdear__parquet_bloom osdear__parquet_bloom;
bool osdear__parquet_has_bloom(const osdear__parquet *file, size_t group, const size_t *path, size_t depth); /* says the footer */
MUST_USE osdear_status osdear__parquet_bloom_open(osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                                  osdear__arena *arena, osdear__parquet_bloom **out, osdear_error **error);
/* False only where no row equals the value: one of the column's kind, or another number. May read a block of the filter. */
MUST_USE bool osdear__parquet_bloom_may_hold(osdear__parquet_bloom *bloom, const osdear__scalar *value);

/* One row group being decoded. Confined. Memory: the pages in hand and one batch. */
typedef struct osdear__parquet_cursor osdear__parquet_cursor;

typedef struct osdear__parquet_read {
  const osdear__type *want;      /* a struct type pruned to the fields wanted, names as in the file's type; NULL: all */
  const osdear__row_range *rows; /* only these rows of the group; NULL: all. Skips pages by the offset index */
  size_t range_count;
  int64_t read_ahead_bytes; /* how much of a column chunk is read at once; 0: 1 MiB */
  int64_t fetch_bytes;      /* what an input that fetches ahead may hold for all columns; 0: 16 MiB */
  int64_t batch_bytes;      /* of one column's strings in a batch of more than a row, about; 0: 64 MiB */
} osdear__parquet_read;
MUST_USE osdear_status osdear__parquet_cursor_new(osdear__parquet *file, size_t group, const osdear__parquet_read *read,
                                                  osdear__parquet_cursor **out, osdear_error **error);
/* The next at most `max_rows` rows as a canonical struct array of `want`; rows of *out 0 at the end (*out stays released).
 * `*first_row`: number of the batch's first row in the file; a batch never spans a gap between ranges. */
MUST_USE osdear_status osdear__parquet_cursor_next(osdear__parquet_cursor *cursor, int64_t max_rows, struct ArrowArray *out,
                                                   int64_t *first_row, osdear_error **error);
void osdear__parquet_cursor_auto(osdear__parquet_cursor **cursor);
int64_t osdear__parquet_bytes_read(const osdear__parquet *file); /* so far, over all cursors */

/* ---- writing ---- */

typedef struct osdear__parquet_writer osdear__parquet_writer;

typedef struct osdear__parquet_write {
  osdear__codec codec;         /* default by osdear__parquet_write_init: ZSTD */
  int level;                   /* 0: the codec's default */
  int64_t row_group_rows;      /* 0: 1 Mi */
  int64_t row_group_bytes;     /* 0: 128 MiB, of encoded data held back */
  int64_t page_bytes;          /* 0: 1 MiB */
  int64_t page_rows;           /* 0: 20,000 */
  int64_t dictionary_bytes;    /* 0: 1 MiB; -1: no dictionaries */
  bool format_v2;              /* data page v2 and the DELTA encodings */
  const osdear_pair *metadata; /* key_value_metadata */
  size_t metadata_count;
} osdear__parquet_write;
void osdear__parquet_write_init(osdear__parquet_write *options); /* zstd, all else 0 */

/* `output` stays the caller's. `type` is copied; field_id >= 0 is written. */
MUST_USE osdear_status osdear__parquet_writer_new(osdear_context *context, osdear__output *output, const osdear__type *type,
                                                  const osdear__parquet_write *options, osdear__parquet_writer **out,
                                                  osdear_error **error);
/* A canonical struct array of the writer's type; stays the caller's. A null in a field that is not nullable is DATA. */
MUST_USE osdear_status osdear__parquet_writer_add(osdear__parquet_writer *writer, const struct ArrowArray *batch,
                                                  osdear_error **error);
MUST_USE osdear_status osdear__parquet_writer_finish(osdear__parquet_writer *writer,
                                                     osdear_error **error); /* writes the footer; not output->finish */
void osdear__parquet_writer_auto(osdear__parquet_writer **writer);
int64_t osdear__parquet_writer_rows(const osdear__parquet_writer *writer);
int64_t osdear__parquet_writer_bytes(const osdear__parquet_writer *writer); /* written and held back */
/* Over the whole file, exact (not truncated), for Delta's statistics; by leaf, `path` as for osdear__parquet_group_stats().
 * has_min false: all null, NaN only, or no order. Text is borrowed from the writer. */
MUST_USE bool osdear__parquet_writer_stats(const osdear__parquet_writer *writer, const size_t *path, size_t depth,
                                           osdear__parquet_stats *out);

#endif
