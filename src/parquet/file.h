/** @file file.h An open file, as the parts of the reader see it. */
#ifndef OSDEAR_SRC_PARQUET_FILE_H
#define OSDEAR_SRC_PARQUET_FILE_H

#include <stdatomic.h>

#include <parquet/parquet.h>
#include <parquet/schema.h>

struct osdear__parquet {
  atomic_size_t references;
  atomic_llong bytes_read;
  osdear__input *input;
  const char *name; /* the input's */
  bool skip_checksums;
  bool is_always_compressed; /* written by one whose pages v2 deny it */
  bool trusts_old_stats;     /* written by one whose deprecated min and max are known to be sound */
  int64_t footer_at;         /* pages end before it */
  uint8_t *footer;           /* text of the metadata lies in it */
  osdear__arena arena;
  osdear__pq_file_meta meta;
  osdear__pq_schema schema;
  int64_t *group_starts;  /* one more than there are groups */
  const char *created_by; /* NULL: not there */
};

/* Counts what is read, here of another input over the same file. */
MUST_USE osdear_status osdear__pq_input_read(osdear__parquet *file, osdear__input *input, int64_t offset, void *out, size_t size,
                                             osdear_error **error);
MUST_USE osdear_status osdear__pq_file_read(osdear__parquet *file, int64_t offset, void *out, size_t size, osdear_error **error);
/* The leaf at a path of field indices through structs; NULL: there is none. */
const osdear__pq_leaf *osdear__pq_leaf_at(const osdear__parquet *file, const size_t *path, size_t depth, size_t *column);
/* "a.b.c", for messages. */
void osdear__pq_leaf_name(const osdear__pq_leaf *leaf, osdear__buf *out);

/* Bounds and null count as a footer or a page index has them. */
typedef struct osdear__pq_bounds {
  osdear__str min, max; /* data NULL: not there */
  bool has_min, has_max;
  osdear__scalar min_value, max_value;
} osdear__pq_bounds;
/* Turns bytes into scalars where they can be trusted, and drops them where not: NaN, disorder, lengths that do not fit. (stats.c) */
void osdear__pq_bounds_read(const osdear__pq_leaf *leaf, osdear__pq_bounds *bounds);
/* Does the file's order of this column let new-style bounds be used? */
bool osdear__pq_is_ordered(const osdear__parquet *file, size_t column);

/* The chunk's offset index, checked: pages in order, within the chunk, rows rising from 0. NOT_FOUND: none, or not sound. (page_index.c) */
MUST_USE osdear_status osdear__pq_offset_index_read(osdear__parquet *file, size_t group, size_t column, osdear__arena *arena,
                                                    osdear__pq_offset_index *out, osdear_error **error);

#endif
