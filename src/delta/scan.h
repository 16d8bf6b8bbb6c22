/** @file scan.h How a scan is put together. Only for src/delta/scan*.c. */
#ifndef OSDEAR_SRC_DELTA_SCAN_H
#define OSDEAR_SRC_DELTA_SCAN_H

#include <delta/row_set.h>
#include <osdear/scan.h>

#include <stdatomic.h>

/* What one row group in hand may take of the budget, its queue of batches apart. */
#define OSDEAR__SCAN_LANE (INT64_C(32) << 20)

typedef struct osdear__scan_counts {
  _Atomic int64_t files, files_skipped, row_groups, row_groups_skipped, rows, bytes_read;
} osdear__scan_counts;

/* What a scan is asked for, checked. Immutable and counted: the scan and its streams share it, workers read it. */
typedef struct osdear__scan_plan {
  _Atomic int64_t references;
  osdear_snapshot *snapshot;
  osdear__arena arena;
  osdear__type type;        /* of the result */
  size_t *columns;          /* of each field of the result: its index in the table's schema */
  bool *wanted;             /* by index in the schema: in the result */
  bool *needed;             /* by index in the schema: in the result or read by the predicate */
  osdear__expr *where;      /* bound to the table's schema; NULL: all rows */
  int64_t limit, batch_rows;
  osdear__scan_counts counts;
} osdear__scan_plan;
osdear__scan_plan *osdear__scan_plan_ref(osdear__scan_plan *plan);
void osdear__scan_plan_unref(osdear__scan_plan *plan);

/* How a file's fields answer to the table's, by index in the table's schema. */
typedef struct osdear__scan_columns {
  int64_t *from;       /* the file's field, or -1: partition columns, void, what is not needed or not there */
  osdear__field *want; /* that field, without what the table does not have */
  osdear__type *as;    /* its type by the table's physical names */
} osdear__scan_columns;
/* `ours`: the physical schema. Columns that are not `needed` are left out. */
MUST_USE osdear_status osdear__scan_bind(osdear__mapping mapping, const osdear__type *ours, const osdear__type *theirs, const bool *needed,
                                         osdear__arena *arena, osdear__scan_columns *out, osdear_error **error);
/* The file's field for one of ours; -1: none. */
int64_t osdear__scan_find_field(osdear__mapping mapping, const osdear__type *theirs, const osdear__field *ours);

/* One data file, open. Counted: its units share it. */
typedef struct osdear__scan_file {
  _Atomic int64_t references;
  osdear__scan_plan *plan;
  osdear__arena arena;
  osdear__parquet *parquet;
  const char *name;
  osdear__scan_columns columns;
  osdear__scalar *constants; /* by index in the table's schema: a partition column's value */
  bool *is_constant;
  osdear__row_set *deleted; /* rows that are no longer in the table; NULL: none */
  int64_t row_bytes;        /* about how much a row of the result takes, from the file's size: for the first batch */
} osdear__scan_file;
/* Opens the file: footer and schema are read. */
MUST_USE osdear_status osdear__scan_file_open(osdear__scan_plan *plan, const osdear__file *file, osdear__scan_file **out,
                                              osdear_error **error);
void osdear__scan_file_unref(osdear__scan_file *file);

/* What is to be read of one row group. In the arena it was chosen with. */
typedef struct osdear__scan_choice {
  bool skip;                  /* no row matches */
  const osdear__expr *where;  /* what statistics leave undecided; NULL: every row matches */
  bool *needed;               /* by index in the table's schema: in the result or read by `where` */
  osdear__row_range *ranges;  /* the rows that may match; NULL: all */
  size_t range_count;
} osdear__scan_choice;
MUST_USE osdear_status osdear__scan_file_choose(osdear__scan_file *file, size_t group, osdear__arena *arena, osdear__scan_choice *out,
                                                osdear_error **error);

/* One row group being read. Confined. */
typedef struct osdear__scan_unit osdear__scan_unit;
/* *out NULL: no row of the group can match. */
MUST_USE osdear_status osdear__scan_unit_new(osdear__scan_file *file, size_t group, osdear__scan_unit **out, osdear_error **error);
/* The next batch of the result that has rows; *out stays released at the end. `*bytes`: what its buffers hold. */
MUST_USE osdear_status osdear__scan_unit_next(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *bytes, osdear_error **error);
void osdear__scan_unit_free(osdear__scan_unit *unit);

/* The whole pipeline as a stream. */
MUST_USE osdear_status osdear__scan_export(osdear__scan_plan *plan, struct ArrowArrayStream *out, osdear_error **error);

#endif
