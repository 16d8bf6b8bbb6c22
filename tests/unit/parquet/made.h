/* Parquet files made by hand, page by page, so that the reader is tested against the format and not against our writer. */
#ifndef OSDEAR_TESTS_PARQUET_MADE_H
#define OSDEAR_TESTS_PARQUET_MADE_H

#include <parquet/parquet.h>
#include <parquet/schema.h>

typedef struct made {
  osdear__buf bytes;
  osdear__arena arena;
  osdear__pq_file_meta meta;
  osdear__pq_schema_element schema[16];
  osdear__pq_row_group groups[4];
  osdear__pq_column_chunk chunks[4][8];
  osdear__pq_column_meta metas[4][8];
  osdear__pq_column_order orders[8];
  bool with_crc;
  int64_t chunk_start;
  int64_t chunk_values;
} made;

void made_start(made *file);
/* Adds to the schema. `children` 0: a leaf. Returns it, for annotations. */
osdear__pq_schema_element *made_field(made *file, const char *name, osdear__pq_repetition repetition, int32_t physical, int32_t children);
/* Pages: `levels` and `values` as they lie in the file, not compressed. */
void made_page_v1(made *file, int32_t encoding, int32_t count, const osdear__buf *levels, const osdear__buf *values);
void made_page_v2(made *file, int32_t encoding, int32_t count, int32_t nulls, int32_t rows, const osdear__buf *reps, const osdear__buf *defs,
                  const osdear__buf *values);
void made_dictionary(made *file, int32_t count, const osdear__buf *values);
void made_page(made *file, osdear__pq_page_header *header, const osdear__buf *body); /* sizes and checksum are filled in */
void made_chunk(made *file, int32_t physical);  /* ends the chunk: its pages came since the one before */
void made_group(made *file, int64_t rows);      /* ends the row group */
void made_finish(made *file);                   /* the footer */
void made_drop(made *file);

osdear_status made_open(made *file, osdear__parquet **out, osdear_error **error);
/* All rows of a group as text, or the error's message: "[1,null,3]" for a file of one column, "[[1,2],[\"a\",\"b\"]]" for two. Static. */
const char *made_read(made *file, size_t group, const osdear__parquet_read *read, int64_t max_rows);
const char *read_group(osdear__parquet *file, size_t group, const osdear__parquet_read *read, int64_t max_rows);

/* Bytes. */
void put_i32(osdear__buf *out, int32_t value);
void put_i64(osdear__buf *out, int64_t value);
void put_f64(osdear__buf *out, double value);
void put_text(osdear__buf *out, const char *text); /* PLAIN: length and bytes */
void put_varint(osdear__buf *out, uint64_t value);
/* Levels as runs, each level given as a digit: "0112". */
void put_runs(osdear__buf *out, const char *digits);
void put_levels(osdear__buf *out, const char *digits); /* with their length in front, as v1 has them */

#endif
