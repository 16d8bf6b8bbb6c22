/** @file written.h For tests of the writer: rows of any type, files in memory, outputs that fail, and comparing what comes back. */
#ifndef OSDEAR_TESTS_UNIT_PARQUET_WRITTEN_H
#define OSDEAR_TESTS_UNIT_PARQUET_WRITTEN_H

#include <parquet/parquet.h>

/* An output into memory. The write number `fail_at`, counted from 0, fails; -1: none does. */
typedef struct memory_output {
  osdear__output output;
  osdear__buf bytes;
  int64_t fail_at;
  int64_t writes;
} memory_output;
void memory_output_init(memory_output *output);
void memory_output_drop(memory_output *output);

/* `nulls`: of a hundred values of a nullable field so many are null. The same seed gives the same rows. */
MUST_USE osdear_status make_rows(const osdear__type *type, int64_t rows, uint32_t nulls, uint32_t seed, struct ArrowArray *out,
                                 osdear_error **error);

/* The whole file into `output`, in batches of `step` rows. */
MUST_USE osdear_status write_file(const osdear__type *type, const struct ArrowArray *rows, int64_t step,
                                  const osdear__parquet_write *options, osdear__output *output, osdear_error **error);
/* All rows of a file in memory. */
MUST_USE osdear_status read_file(const osdear__buf *bytes, const osdear__type *type, struct ArrowArray *out,
                                 osdear_error **error);

/* The first row in which they differ; -1: they are equal. NaN equals NaN, -0.0 does not equal 0.0. */
int64_t first_difference(const osdear__type *type, const struct ArrowArray *a, const struct ArrowArray *b);

/* A struct type of one column, nullable unless `required`, called "c". */
osdear__type one_column(osdear__field *field, osdear__type type, bool required);
/* Every type that can be written, nested ones too, as the columns of one table. Static. */
const osdear__type *every_type(void);

#endif
