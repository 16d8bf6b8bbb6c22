/** @file snapshot.h The state of a Delta table at one version. */
#ifndef OSDEAR_SNAPSHOT_H
#define OSDEAR_SNAPSHOT_H

#include <osdear/arrow.h>
#include <osdear/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Immutable and counted by reference: any thread may read it, any thread may drop it. */
typedef struct osdear_snapshot osdear_snapshot;

/** "No timestamp": what `timestamp_us` holds unless it is set. */
#define OSDEAR_NO_TIMESTAMP INT64_MIN

/** Which state to open. */
typedef struct osdear_snapshot_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  int64_t version;            /**< Version to load; -1 (default) for the newest. */
  int64_t timestamp_us;       /**< The newest version not after this instant (microseconds UTC); excludes `version`. */
  const osdear_pair *storage; /**< Settings of the store, such as {"aws_region", "…"}; NULL (default): none. */
  size_t storage_count;       /**< Length of `storage`. */
} osdear_snapshot_options;
#define OSDEAR_SNAPSHOT_OPTIONS_INIT { sizeof(osdear_snapshot_options), -1, OSDEAR_NO_TIMESTAMP, NULL, 0 }

/**
 * Load a table's state from its newest usable checkpoint and the commits after it.
 *
 * @param context    A reference is kept by the snapshot.
 * @param table_uri  Address of the folder that holds `_delta_log`: a path, `file:`, `s3:` or `memory:`; UTF-8.
 * @param options    NULL for defaults.
 * @param[out] out   On success a new reference: release with osdear_snapshot_unref().
 * @retval OSDEAR_ERR_NOT_FOUND    No table there, or the version was never written or has expired; the message says which are there.
 * @retval OSDEAR_ERR_CORRUPT      The log contradicts itself; the message names file and line.
 * @retval OSDEAR_ERR_UNSUPPORTED  The table asks for reader features this build lacks; the message lists them.
 * @note Blocks on input. Any thread.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_snapshot_open(osdear_context *context, const char *table_uri,
                                              const osdear_snapshot_options *options,
                                              osdear_snapshot **out, osdear_error **error);
OSDEAR_API osdear_snapshot *osdear_snapshot_ref(osdear_snapshot *snapshot); /**< Another reference, returned. */
OSDEAR_API void osdear_snapshot_unref(osdear_snapshot *snapshot); /**< NULL is a no-op. */

OSDEAR_API int64_t osdear_snapshot_version(const osdear_snapshot *snapshot);           /**< The version it is the state of. */
OSDEAR_API const char *osdear_snapshot_uri(const osdear_snapshot *snapshot);          /**< Borrowed, as are the texts below. */
OSDEAR_API const char *osdear_snapshot_id(const osdear_snapshot *snapshot);           /**< The table's UUID. */
OSDEAR_API const char *osdear_snapshot_name(const osdear_snapshot *snapshot);         /**< NULL where the table has none. */
OSDEAR_API const char *osdear_snapshot_description(const osdear_snapshot *snapshot);  /**< NULL where the table has none. */
OSDEAR_API int64_t osdear_snapshot_created_ms(const osdear_snapshot *snapshot);       /**< Milliseconds UTC; -1 where unknown. */
OSDEAR_API const char *osdear_snapshot_schema_json(const osdear_snapshot *snapshot);  /**< Delta's `schemaString`, as stored. */
OSDEAR_API int32_t osdear_snapshot_min_reader_version(const osdear_snapshot *snapshot); /**< 3: the reader features say more. */
OSDEAR_API int32_t osdear_snapshot_min_writer_version(const osdear_snapshot *snapshot); /**< 7: the writer features say more. */
/* Lists, in the log's order: the `index`-th entry, borrowed, or NULL past the end. */
OSDEAR_API const char *osdear_snapshot_reader_feature(const osdear_snapshot *snapshot, size_t index);   /**< What a reader must know. */
OSDEAR_API const char *osdear_snapshot_writer_feature(const osdear_snapshot *snapshot, size_t index);   /**< What a writer must know. */
OSDEAR_API const char *osdear_snapshot_partition_column(const osdear_snapshot *snapshot, size_t index); /**< Its name. */
OSDEAR_API const osdear_pair *osdear_snapshot_property(const osdear_snapshot *snapshot, size_t index);   /**< Of the table. */
/** Domain metadata, which table features and applications keep with the table: domain and configuration. @since 0.1 */
OSDEAR_API const osdear_pair *osdear_snapshot_domain(const osdear_snapshot *snapshot, size_t index);

/**
 * The columns of the table, partition columns included, as an Arrow struct.
 *
 * @param[out] out  Released by the caller through its `release`.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_snapshot_schema(const osdear_snapshot *snapshot, struct ArrowSchema *out, osdear_error **error);

/**
 * The data files that make up the table, one row each: path (string, as in the log, decoded), partition_values
 * (map of string to string), size_bytes (int64), modified_ms (int64), num_records (int64 or null), stats (JSON string or null).
 *
 * @param where     Only files that may hold rows for which this SQL predicate is true; NULL for all.
 * @param[out] out  Streams the log: nothing is gathered. Released by the caller. Holds a reference to the snapshot.
 * @retval OSDEAR_ERR_ARGUMENT  The predicate does not parse, or names no column of the table.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_snapshot_files(osdear_snapshot *snapshot, const char *where,
                                               struct ArrowArrayStream *out, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
