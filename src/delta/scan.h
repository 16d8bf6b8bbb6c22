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

/* Columns that no table has and a scan may add, behind the table's: ids and commit versions of rows, or what a change feed tells. */
typedef enum osdear__scan_kind { SCAN_ROWS, SCAN_ROW_IDS, SCAN_CHANGES } osdear__scan_kind;

typedef struct osdear__scan_request {
  osdear__scan_kind kind;
  const char *const *columns; /* NULL: all */
  size_t column_count;
  const char *where;    /* NULL: all rows */
  int64_t limit;        /* -1: all */
  int64_t batch_rows;   /* 0: the default */
  bool variant_as_json; /* variants come as text */
} osdear__scan_request;

/* What a scan is asked for, checked. Immutable and counted: the scan and its streams share it, workers read it. */
typedef struct osdear__scan_plan {
  _Atomic int64_t references;
  osdear_snapshot *snapshot;
  osdear__arena arena;
  osdear__scan_kind kind;
  osdear__type schema;   /* the table's columns, and behind them those that the kind adds */
  osdear__type physical; /* the same as files have them */
  size_t own_columns;    /* how many of them are the table's */
  osdear__type type;     /* of the result */
  size_t *columns;       /* of each field of the result: its index in `schema`, as below */
  bool *wanted;          /* in the result */
  bool *needed;          /* in the result or read by the predicate */
  osdear__expr *where;   /* bound to `schema`; NULL: all rows */
  int64_t limit, batch_rows;
  osdear__scan_counts counts;
} osdear__scan_plan;
MUST_USE osdear_status osdear__scan_plan_new(osdear_snapshot *snapshot, const osdear__scan_request *request,
                                             osdear__scan_plan **out, osdear_error **error);
osdear__scan_plan *osdear__scan_plan_ref(osdear__scan_plan *plan);
void osdear__scan_plan_unref(osdear__scan_plan *plan);

/* How a file's fields answer to the plan's, by index in its schema. */
typedef struct osdear__scan_columns {
  int64_t *from;       /* the file's field, or -1: partition columns, void, what is not needed or not there */
  osdear__field *want; /* that field, without what the table does not have */
  osdear__type *as;    /* its type by the table's physical names */
} osdear__scan_columns;
/* `ours`: by physical names. Columns that are not `needed` are left out. */
MUST_USE osdear_status osdear__scan_bind(osdear__mapping mapping, const osdear__type *ours, const osdear__type *theirs,
                                         const bool *needed, osdear__arena *arena, osdear__scan_columns *out,
                                         osdear_error **error);
/* The file's field for one of ours; -1: none. */
int64_t osdear__scan_find_field(osdear__mapping mapping, const osdear__type *theirs, const osdear__field *ours);

/* One file to be read, and which of its rows. */
typedef struct osdear__scan_task {
  const osdear__file *file;            /* its deletion vector takes rows out */
  const osdear__deletion_vector *only; /* NULL: all others are read; else only those that this one names, too */
  const char *change;                  /* of a change feed: what happened to the rows; NULL: the file says so itself */
  int64_t version, timestamp_us;       /* of a change feed */
  osdear__vector_files *vectors;       /* the source's */
} osdear__scan_task;

/* One data file, open. Counted: its units share it. */
typedef struct osdear__scan_file {
  _Atomic int64_t references;
  osdear__scan_plan *plan;
  osdear__arena arena;
  osdear__parquet *parquet;
  const char *name;
  osdear__scan_columns columns;
  osdear__scalar *constants; /* by index in the plan's schema: values that all rows have */
  bool *is_constant;
  osdear__row_set *deleted;                /* rows that are no longer in the table; NULL: none */
  osdear__row_set *chosen;                 /* of the others only these; NULL: all */
  int64_t base_row_id, row_commit_version; /* of rows that carry none of their own; -1: the log gives none */
  int64_t row_bytes; /* about how much a row of the result takes, from the file's size: for the first batch */
} osdear__scan_file;
/* Opens the file: footer and schema are read. */
MUST_USE osdear_status osdear__scan_file_open(osdear__scan_plan *plan, const osdear__scan_task *task, osdear__scan_file **out,
                                              osdear_error **error);
void osdear__scan_file_unref(osdear__scan_file *file);

/* What is to be read of one row group. In the arena it was chosen with. */
typedef struct osdear__scan_choice {
  bool skip;                 /* no row matches */
  const osdear__expr *where; /* what statistics leave undecided; NULL: every row matches */
  bool *needed;              /* by index in the plan's schema: in the result or read by `where` */
  osdear__row_range *ranges; /* the rows that may match; NULL: all */
  size_t range_count;
} osdear__scan_choice;
MUST_USE osdear_status osdear__scan_file_choose(osdear__scan_file *file, size_t group, osdear__arena *arena,
                                                osdear__scan_choice *out, osdear_error **error);

/* One row group being read. Confined. */
typedef struct osdear__scan_unit osdear__scan_unit;
/* *out NULL: no row of the group can match. */
MUST_USE osdear_status osdear__scan_unit_new(osdear__scan_file *file, size_t group, osdear__scan_unit **out,
                                             osdear_error **error);
/* The next batch of the result that has rows; *out stays released at the end. `*bytes`: what its buffers hold. */
MUST_USE osdear_status osdear__scan_unit_next(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *bytes,
                                              osdear_error **error);
void osdear__scan_unit_free(osdear__scan_unit *unit);

/* Where the files come from: the next one, opened; *out NULL at the end. */
typedef struct osdear__scan_source {
  osdear_status (*next)(void *state, osdear__scan_plan *plan, osdear__scan_file **out, osdear_error **error);
  void (*close)(void *state);
  void *state;
} osdear__scan_source;
/* The snapshot's live files that the plan's predicate leaves. (scan_source.c) */
MUST_USE osdear_status osdear__scan_files(osdear__scan_plan *plan, osdear__scan_source *out, osdear_error **error);
/* The whole pipeline as a stream. The source is closed with it, also when this fails. */
MUST_USE osdear_status osdear__scan_export(osdear__scan_plan *plan, const osdear__scan_source *source,
                                           struct ArrowArrayStream *out, osdear_error **error);

#endif
