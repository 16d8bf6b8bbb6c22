/** @file expr.h SQL expressions over columns: parse, check against a schema, evaluate a batch at a time, prune by statistics.
 *
 * What a row cannot answer is a failure, never a silent null, as in Spark's ANSI mode: integer and decimal overflow, division by zero
 * and a CAST of what does not fit end evaluation with DATA, naming the expression; TRY_CAST gives null. A filter that lost rows to
 * such a null would lose them from a DELETE, too. Only rows that the rest of the predicate leaves open count: `d <> 0 AND n / d > 1`
 * and `CASE WHEN d <> 0 THEN n / d END` never divide by zero. A list's element past its end and a map's missing key are null.
 * A column that is a CHAR(n) is compared with constants and with another CHAR(m) as if the shorter side were padded with spaces; IN and
 * BETWEEN are the comparisons that they stand for.
 * Unless it says otherwise a time is UTC. lower() and upper() know the letters of Latin-1, Latin Extended-A, Greek, Cyrillic, Armenian. */
#ifndef OSDEAR_SRC_EXPR_H
#define OSDEAR_SRC_EXPR_H

#include <arrow/arrow.h>

/* Checked, immutable, in an arena: any thread may evaluate it. */
typedef struct osdear__expr osdear__expr;

/* Parse `sql` and bind its names to the fields of `struct_type` (which outlives it), case-insensitively. Constants are folded, casts put in
 * where types differ, NOT pushed down. ARGUMENT: does not parse, unknown column, types that do not go together; the message shows the
 * text and points at the place. Depth and length are bounded. */
MUST_USE osdear_status osdear__expr_new(const char *sql, const osdear__type *struct_type, osdear__arena *arena,
                                        osdear__expr **out, osdear_error **error);
/* The type of its value; a predicate is KIND_BOOLEAN. */
const osdear__type *osdear__expr_type(const osdear__expr *expr);
/* Marks used[i] for each top-level field it reads. */
void osdear__expr_columns(const osdear__expr *expr, bool *used);

/* What evaluation needs from call to call. One per thread. Zero-initialise. */
typedef struct osdear__expr_state {
  osdear__arena arena;
} osdear__expr_state;
void osdear__expr_state_drop(osdear__expr_state *state);

/* `batch`: a canonical struct array of the bound type; children that osdear__expr_columns() did not mark may be released. */
MUST_USE osdear_status osdear__expr_eval(const osdear__expr *expr, osdear__expr_state *state, const struct ArrowArray *batch,
                                         struct ArrowArray *out, osdear_error **error);
/* The rows for which a predicate is TRUE (neither FALSE nor NULL), ascending, into `rows` (room for batch->length); returns their number. */
MUST_USE osdear_status osdear__expr_select(const osdear__expr *expr, osdear__expr_state *state, const struct ArrowArray *batch,
                                           int32_t *rows, int64_t *count, osdear_error **error);

/* What is known of one column over a set of rows (a file, a row group, a page). Kinds as the bound column's. */
typedef struct osdear__range {
  bool has_min, has_max; /* bounds, not necessarily values: min may be too low, max too high */
  bool may_be_nan;       /* FLOAT, DOUBLE: rows outside of the bounds may hold NaN */
  osdear__scalar min, max;
  int64_t null_count; /* -1: unknown */
  int64_t row_count;  /* -1: unknown */
  /* NULL: not known. False only where no row equals the value, which is of the column's kind or of a wider one. Asked for equality alone,
   * and only when the bounds leave it open. */
  bool (*may_hold)(void *filter, const osdear__scalar *value);
  void *filter;
} osdear__range;
/* `path`: field indices from the top-level column down through structs, `depth` of them. False: nothing is known. */
typedef bool (*osdear__range_of)(void *argument, const size_t *path, size_t depth, osdear__range *out);
/* False only when no row can make the predicate TRUE. A partition value is a range whose min and max are equal, or all null. */
bool osdear__expr_may_match(const osdear__expr *expr, osdear__range_of range_of, void *argument);
/* True only when every row makes it TRUE: the filter need not run. */
bool osdear__expr_must_match(const osdear__expr *expr, osdear__range_of range_of, void *argument);
/* The predicate without those of its conjuncts that every row makes TRUE; *out NULL when none is left. Lives no longer than `expr`. */
MUST_USE osdear_status osdear__expr_residual(const osdear__expr *expr, osdear__range_of range_of, void *argument,
                                             osdear__arena *arena, const osdear__expr **out, osdear_error **error);
/* Each place where the expression reads a column, or a field inside of one; the same path may come more than once. */
typedef void (*osdear__expr_visit)(void *argument, const size_t *path, size_t depth, const osdear__type *type);
void osdear__expr_paths(const osdear__expr *expr, osdear__expr_visit visit, void *argument);

#endif
