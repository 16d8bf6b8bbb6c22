/** @file scan.h Reading rows: some columns, some rows, as Arrow. */
#ifndef OSDEAR_SCAN_H
#define OSDEAR_SCAN_H

#include <osdear/snapshot.h>
#include <osdear/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What to read of a snapshot. Confined: one thread at a time. */
typedef struct osdear_scan osdear_scan;

/** Which columns and which rows. */
typedef struct osdear_scan_options {
  size_t size;                 /**< sizeof this struct as the caller compiled it. */
  const char *const *columns;  /**< Names, in the order wanted; NULL (default): all, as the table has them. */
  size_t column_count;         /**< Length of `columns`; with `columns` set, 0 reads no column but counts rows. */
  const char *where;           /**< SQL predicate; rows for which it is not true are left out. NULL (default): all rows. */
  int64_t limit;               /**< The first so many rows only; -1 (default): all. */
  int64_t batch_rows;          /**< The most rows in one batch; 0 (default): 65,536. */
  int32_t variant_as_json;     /**< 1: variants, at any depth, come as JSON text in a string; 0 (default): as Arrow's `arrow.parquet.variant`. */
  int32_t row_ids;             /**< Not 0: two more columns, `_row_id` and `_row_commit_version`; the table must track its rows. */
} osdear_scan_options;
#define OSDEAR_SCAN_OPTIONS_INIT { sizeof(osdear_scan_options), NULL, 0, NULL, -1, 0, 0, 0 }

/** What a scan read and what it could leave unread. Counted while its stream is consumed. */
typedef struct osdear_scan_metrics {
  size_t size;                /**< sizeof this struct as the caller compiled it; set it before the call. */
  int64_t files;              /**< Files of the snapshot seen so far. */
  int64_t files_skipped;      /**< Of them, never opened: partition or statistics excluded them. */
  int64_t row_groups;         /**< Row groups of the opened files. */
  int64_t row_groups_skipped; /**< Of them, not decoded. */
  int64_t rows;               /**< Rows handed out. */
  int64_t bytes_read;         /**< Bytes read from data files. */
} osdear_scan_metrics;

/**
 * Plan a scan: parse and check the predicate, resolve the columns (case-insensitively).
 *
 * The predicate is SQL text over the table's columns: comparison (= <> != < <= > >= <=>), BETWEEN, IN, LIKE, IS [NOT] NULL,
 * AND, OR, NOT, + - * / %, CAST(x AS type), nested fields (a.b, m['k'], l[0]), literals (1, 1.5, 'text', TRUE, NULL,
 * DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00Z', X'00ff'). Names are quoted with backquotes or double quotes.
 * It follows SQL's three-valued logic. With `row_ids` it may name `_row_id` and `_row_commit_version` too.
 *
 * @param snapshot  A reference is kept.
 * @param options   NULL for all columns and rows. Copied.
 * @param[out] out  Release with osdear_scan_free().
 * @retval OSDEAR_ERR_ARGUMENT  A column is not there, or the predicate does not parse or does not fit the types; the message points at the place.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_scan_new(osdear_snapshot *snapshot, const osdear_scan_options *options,
                                         osdear_scan **out, osdear_error **error);
OSDEAR_API void osdear_scan_free(osdear_scan *scan); /**< NULL is a no-op. Streams made from it live on. */

/** The columns of the result as an Arrow struct. @param[out] out  Released by the caller. @since 0.1 */
OSDEAR_API osdear_status osdear_scan_schema(const osdear_scan *scan, struct ArrowSchema *out, osdear_error **error);

/**
 * Start reading. Batches come in the order of the log's files and of the rows in them; memory stays within the context's budget.
 * Where the context has more than one thread, later row groups are decoded ahead by its workers.
 *
 * @param[out] out  Released by the caller, who may do so before the end. May be moved to another thread.
 * @retval OSDEAR_ERR_NOT_FOUND  Also told by the stream: a data file of the snapshot is missing.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_scan_stream(osdear_scan *scan, struct ArrowArrayStream *out, osdear_error **error);

/** What the newest stream of the scan did so far. @param[in,out] out  Its `size` must be set. Any thread. @since 0.1 */
OSDEAR_API osdear_status osdear_scan_metrics_get(const osdear_scan *scan, osdear_scan_metrics *out, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
