/** @file table.h A Delta table one can write to. */
#ifndef OSDEAR_TABLE_H
#define OSDEAR_TABLE_H

#include <osdear/scan.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A table's address, and the newest state of it that was seen. Confined: one thread at a time. */
typedef struct osdear_table osdear_table;

/** How to reach a table. */
typedef struct osdear_table_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *storage; /**< Settings of the store; NULL (default): none. */
  size_t storage_count;       /**< Length of `storage`. */
} osdear_table_options;
#define OSDEAR_TABLE_OPTIONS_INIT { sizeof(osdear_table_options), NULL, 0 }

/** What a new table is like. */
typedef struct osdear_table_create_options {
  size_t size;                          /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *storage;           /**< Settings of the store; NULL (default): none. */
  size_t storage_count;                 /**< Length of `storage`. */
  const char *const *partition_columns; /**< Names of top-level columns; NULL (default): not partitioned. */
  size_t partition_count;               /**< Length of `partition_columns`. */
  const osdear_pair *properties;        /**< Delta table properties, such as {"delta.checkpointInterval", "100"}. */
  size_t property_count;                /**< Length of `properties`. */
  const char *name;                     /**< NULL (default): none. */
  const char *description;              /**< NULL (default): none. */
  int32_t if_not_exists;                /**< 1: open the table that is there instead of failing; its schema must be the same. */
} osdear_table_create_options;
#define OSDEAR_TABLE_CREATE_OPTIONS_INIT { sizeof(osdear_table_create_options), NULL, 0, NULL, 0, NULL, 0, NULL, NULL, 0 }

/** How rows are written and committed. */
typedef struct osdear_write_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  const char *app_id;         /**< With `app_version`: commit only once. NULL (default): no such guard. */
  int64_t app_version;        /**< Not above the one recorded for `app_id`: the call succeeds and writes nothing. */
  const char *user_metadata;  /**< Kept in the commit's history; NULL (default): none. */
  const char *where;          /**< Overwrite only: replace the rows for which this predicate on partition columns is true. */
  int32_t dynamic_partitions; /**< Overwrite only: 1 replaces just the partitions that the new rows belong to. */
  int32_t max_attempts;       /**< How often a commit that lost a race is tried; 0 (default): 1,000. */
  int64_t target_file_bytes;  /**< Start a new file past this size; 0 (default): `delta.targetFileSize`, or 128 MiB. */
} osdear_write_options;
#define OSDEAR_WRITE_OPTIONS_INIT { sizeof(osdear_write_options), NULL, 0, NULL, NULL, 0, 0, 0 }

/** What a write did. */
typedef struct osdear_write_result {
  size_t size;           /**< sizeof this struct as the caller compiled it; set it before the call. */
  int64_t version;       /**< The version that holds the write; the newest one where nothing was written. */
  int64_t rows;          /**< Rows written. */
  int64_t bytes;         /**< Bytes of data files written. */
  int64_t files_added;   /**< Data files added. */
  int64_t files_removed; /**< Data files no longer part of the table. */
  int32_t attempts;      /**< Commits tried; more than 1 where other writers won first. */
  int32_t was_done;      /**< 1: `app_version` was recorded already, and nothing was written. */
} osdear_write_result;
#define OSDEAR_WRITE_RESULT_INIT { sizeof(osdear_write_result), 0, 0, 0, 0, 0, 0, 0 }

/**
 * Open a table at its newest version.
 *
 * @param context  A reference is kept.
 * @param uri      A path, or a `file:`, `s3:` or `memory:` address; UTF-8.
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_NOT_FOUND  No table there.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_open(osdear_context *context, const char *uri, const osdear_table_options *options,
                                           osdear_table **out, osdear_error **error);

/**
 * Create an empty table: version 0 with protocol and metadata. Of two creators exactly one wins.
 *
 * @param schema  An Arrow struct; every type that Delta has. Not released.
 * @retval OSDEAR_ERR_EXISTS       A table is there already.
 * @retval OSDEAR_ERR_UNSUPPORTED  A type that Delta does not have; the message names column and type.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_create(osdear_context *context, const char *uri, const struct ArrowSchema *schema,
                                             const osdear_table_create_options *options, osdear_table **out,
                                             osdear_error **error);
OSDEAR_API void osdear_table_free(osdear_table *table); /**< NULL is a no-op. */

/** The state the table was last seen in, as a new reference. @since 0.1 */
OSDEAR_API osdear_snapshot *osdear_table_snapshot(osdear_table *table);
/** See the newest state. Reads only commits that came since. @since 0.1 */
OSDEAR_API osdear_status osdear_table_refresh(osdear_table *table, osdear_error **error);

/**
 * Add rows in one commit.
 *
 * Columns are matched by name, case-insensitively; a nullable column may be absent. Memory stays within the context's budget.
 *
 * @param data     Consumed: released in every case.
 * @param options  NULL for defaults.
 * @param[in,out] result  Optional; its `size` must be set.
 * @retval OSDEAR_ERR_DATA      The rows do not fit: a type, a null where none may be, an unknown column. Nothing is committed.
 * @retval OSDEAR_ERR_CONFLICT  The table changed in a way that makes this write wrong (its schema, its protocol, its app_id).
 * @retval OSDEAR_ERR_IO        Not written; or, if the message says so, written but not known to be on disk.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_append(osdear_table *table, struct ArrowArrayStream *data,
                                             const osdear_write_options *options, osdear_write_result *result,
                                             osdear_error **error);

/**
 * Replace rows in one commit: all of them, those in the partitions `options->where` selects, or those in the partitions the new
 * rows belong to (`dynamic_partitions`). Earlier versions stay readable.
 *
 * @retval OSDEAR_ERR_ARGUMENT  `where` names a column that is not a partition column, or both ways of choosing were given.
 * @retval OSDEAR_ERR_DATA      As for osdear_table_append(); also a row for which `where` is not true.
 * @retval OSDEAR_ERR_CONFLICT  Rows that would be replaced were added or removed by another writer meanwhile.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_overwrite(osdear_table *table, struct ArrowArrayStream *data,
                                                const osdear_write_options *options, osdear_write_result *result,
                                                osdear_error **error);

/**
 * The commits of the table, newest first: version (int64), timestamp (microseconds UTC), operation, operation_parameters and
 * operation_metrics (each a JSON object), read_version (int64), is_blind_append (bool), user_metadata, engine_info, txn_id.
 *
 * @param limit     The newest so many; -1 for all that the log still has.
 * @param[out] out  Released by the caller.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_table_history(osdear_table *table, int64_t limit, struct ArrowArrayStream *out,
                                              osdear_error **error);

/** Write a checkpoint of the state last seen, so that opening the table reads less. Done by itself every
 * `delta.checkpointInterval` commits (10). @since 0.1 */
OSDEAR_API osdear_status osdear_table_checkpoint(osdear_table *table, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
