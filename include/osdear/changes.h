/** @file changes.h What happened to a table's rows between two versions. */
#ifndef OSDEAR_CHANGES_H
#define OSDEAR_CHANGES_H

#include <osdear/table.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Which changes. */
typedef struct osdear_changes_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  int64_t from_version;       /**< The first version whose changes are told; 0 by default. */
  int64_t to_version;         /**< The last one; -1 (default): the one that the table's handle is at. */
  const char *const *columns; /**< Names, in the order wanted; NULL (default): the table's and the three of the feed. */
  size_t column_count;        /**< Length of `columns`. */
  const char *where;          /**< SQL predicate over all of these columns; NULL (default): all changes. */
  int64_t batch_rows;         /**< The most rows in one batch; 0 (default): 65,536. */
} osdear_changes_options;
#define OSDEAR_CHANGES_OPTIONS_INIT { sizeof(osdear_changes_options), 0, -1, NULL, 0, NULL, 0 }

/**
 * The rows that were inserted, deleted and updated by the commits of a range, oldest commit first.
 *
 * Behind the table's columns, which are those of the last version, stand `_change_type` (insert, delete, update_preimage,
 * update_postimage), `_commit_version` (int64) and `_commit_timestamp` (microseconds UTC). Commits that left the rows as they were, such
 * as a compaction, have no changes.
 *
 * @param options   NULL for all changes.
 * @param[out] out  Released by the caller, who may do so before the end.
 * @retval OSDEAR_ERR_ARGUMENT     The range is none, a column is not there, or the predicate does not parse.
 * @retval OSDEAR_ERR_NOT_FOUND    A version was never written or has expired. Also told by the stream: a file is missing.
 * @retval OSDEAR_ERR_UNSUPPORTED  A version of the range, which is named, has no change feed (`delta.enableChangeDataFeed`), or columns
 *                                 that the last version lacks, names otherwise or has as narrower types, or other partition columns.
 *                                 Also told by the stream.
 * @note Blocks on input.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_changes(osdear_table *table, const osdear_changes_options *options,
                                              struct ArrowArrayStream *out, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
