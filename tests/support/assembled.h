/** @file assembled.h Parquet files put together from bytes, sound or not: for tests and fuzz targets of the reader. */
#ifndef OSDEAR_TESTS_SUPPORT_ASSEMBLED_H
#define OSDEAR_TESTS_SUPPORT_ASSEMBLED_H

#include <parquet/file.h>

enum { ASSEMBLED_ELEMENTS = 512, ASSEMBLED_CHUNKS = 16, ASSEMBLED_GROUPS = 4 };

typedef struct osdear__assembled {
  osdear__buf bytes; /* the file so far */
  osdear__arena arena;
  osdear__pq_file_meta meta;
  osdear__pq_schema_element elements[ASSEMBLED_ELEMENTS];
  osdear__pq_row_group groups[ASSEMBLED_GROUPS];
  osdear__pq_column_chunk chunks[ASSEMBLED_CHUNKS];
  size_t chunk_count;
  size_t group_first; /* chunk of the group at hand */
} osdear__assembled;
void osdear__assembled_drop(osdear__assembled *file);

/* The magic and the root of a schema, which will have `columns` children. */
void assembled_start(osdear__assembled *file, int32_t columns);
/* The next element of the schema: a column of `physical` type, or a group of `children`. Annotate what comes back. */
osdear__pq_schema_element *assembled_column(osdear__assembled *file, const char *name, osdear__pq_repetition repetition,
                                            osdear__pq_physical physical);
osdear__pq_schema_element *assembled_group(osdear__assembled *file, const char *name, osdear__pq_repetition repetition,
                                           int32_t children);
osdear__pq_logical_type *assembled_logical(osdear__assembled *file, osdear__pq_schema_element *element, uint32_t bit);

/* A page's body as it stands in the file. v1: levels and values in one; v2: apart. */
typedef struct assembled_page {
  osdear__pq_page_type type;
  int32_t values, nulls, rows; /* nulls and rows: v2 */
  int32_t encoding;
  int32_t level_encoding; /* 0: RLE */
  osdear__str rep, def;   /* v2 */
  osdear__str body;
  int32_t uncompressed; /* 0: as long as what is stored */
  bool with_crc;
  uint32_t crc_error;     /* added to the checksum */
  bool is_not_compressed; /* v2 says so */
} assembled_page;

/* The next chunk, of the next column; pages follow. */
osdear__pq_column_chunk *assembled_chunk(osdear__assembled *file, osdear__pq_physical physical, osdear__codec codec,
                                         int64_t values);
/* Returns the offset of its header. */
int64_t assembled_add(osdear__assembled *file, const assembled_page *page);
/* A bloom filter of one block behind what is there so far, which holds `value` and hardly anything else. Once the chunk's pages are there. */
void assembled_bloom(osdear__assembled *file, osdear__pq_column_chunk *chunk, int64_t value);
/* All chunks since the last one are a row group. */
void assembled_end_group(osdear__assembled *file, int64_t rows);
/* The footer; *bytes is the file. */
void assembled_finish(osdear__assembled *file);

/* A file of one flat column "c" and one page. */
void assembled_flat(osdear__assembled *file, osdear__pq_repetition repetition, osdear__pq_physical physical,
                    const assembled_page *page);

/* Opens a finished file; it must live on. */
MUST_USE osdear_status assembled_open(const osdear__assembled *file, osdear__parquet **out, osdear_error **error);

#endif
