/** @file read.h From columns to batches: what a cursor reads, and how nested columns are put together. */
#ifndef OSDEAR_SRC_PARQUET_READ_H
#define OSDEAR_SRC_PARQUET_READ_H

#include <parquet/column.h>

/* A wanted field: where the file has it, and which columns it takes. */
typedef struct osdear__pq_plan osdear__pq_plan;
struct osdear__pq_plan {
  const osdear__pq_node *node;
  const osdear__type *type; /* as wanted */
  const char *name;
  bool nullable;
  size_t column;       /* its own, or the first of those below it, whose levels tell where it is null */
  size_t column_count; /* 0: the file has nothing of it, all is null */
  osdear__pq_plan *children;
  size_t child_count;
};

/* Leaves that a plan takes, in order. */
typedef struct osdear__pq_choice {
  size_t leaf;
  bool levels_only;
} osdear__pq_choice;

/* Matches `want`, a struct, with the schema by names. ARGUMENT: the file has no such field, or of another type. Lies in the arena. */
MUST_USE osdear_status osdear__pq_plan_new(const osdear__pq_schema *schema, const osdear__type *want, osdear__arena *arena,
                                           osdear__pq_plan **out, osdear__pq_choice **choices, size_t *choice_count,
                                           osdear_error **error);

/* The array of a plan's top-level field, of `rows` rows, out of what its columns have read. */
MUST_USE osdear_status osdear__pq_assemble(const osdear__pq_plan *plan, osdear__pq_column *columns, int64_t rows,
                                           struct ArrowArray *out, osdear_error **error);

/* Where the file's input can fetch ahead: *out is the input that does, the columns read from it, and the caller closes it after them. NULL
 * where it cannot. `rows`: as the cursor reads them. (ahead.c) */
MUST_USE osdear_status osdear__pq_columns_ahead(osdear__parquet *file, osdear__pq_column *columns, size_t count,
                                                const osdear__row_range *rows, size_t row_count, int64_t memory,
                                                osdear__input **out, osdear_error **error);

#endif
