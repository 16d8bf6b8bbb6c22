/** @file source.h Rows out of files that are not tables: CSV, NDJSON, Parquet. */
#ifndef OSDEAR_SOURCE_H
#define OSDEAR_SOURCE_H

#include <osdear/arrow.h>
#include <osdear/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Files of one format, read as one stream of rows. Confined: one thread at a time. */
typedef struct osdear_source osdear_source;

/** How to read them. What is left 0 or NULL is found out from the file's name and first bytes. */
typedef struct osdear_source_options {
  size_t size;                    /**< sizeof this struct as the caller compiled it. */
  const char *format;             /**< "csv", "ndjson" or "parquet"; NULL (default): by name, then by content. */
  const char *compression;        /**< "none", "gzip" or "zstd"; NULL (default): by content. */
  const char *encoding;           /**< CSV: "utf-8", "latin1", "windows-1252", "utf-16le", "utf-16be"; NULL: by byte order mark, else utf-8. */
  int32_t header;                 /**< CSV: 1 the first record holds names, 0 it does not, -1 (default) find out. */
  char delimiter;                 /**< CSV: 0 (default): the one of `,` `;` tab `|` that fits the first records. */
  char quote;                     /**< CSV: 0 (default): `"`. Doubled inside a quoted field it stands for itself. */
  const char *const *nulls;       /**< Texts that mean null; NULL (default): the empty field, and NA, N/A, NULL, null. */
  size_t null_count;              /**< Length of `nulls`. */
  const osdear_pair *types;       /**< Column name to type in Delta's words ("long", "decimal(10,2)", "timestamp"); over what is inferred. */
  size_t type_count;              /**< Length of `types`. */
  int64_t infer_rows;             /**< Rows looked at to infer types; 0 (default): 100,000; -1: all (not from a pipe). */
  int64_t batch_rows;             /**< The most rows in one batch; 0 (default): 65,536. */
  const struct ArrowSchema *schema; /**< CSV, NDJSON: the columns to read, nested ones included, instead of inferring them; further
                                         ones are refused, absent ones are null. NULL (default): infer. Used during the call. */
} osdear_source_options;
#define OSDEAR_SOURCE_OPTIONS_INIT { sizeof(osdear_source_options), NULL, NULL, NULL, -1, 0, 0, NULL, 0, NULL, 0, 0, 0, NULL }

/**
 * Open the files and find their columns.
 *
 * @param uris      Paths; "-" is standard input. All of one format; columns are matched by name, absent ones are null.
 * @param uri_count At least 1.
 * @param options   NULL for defaults. Copied.
 * @param[out] out  Release with osdear_source_free().
 * @retval OSDEAR_ERR_CORRUPT   Not of the format; the message names file, line and column.
 * @retval OSDEAR_ERR_ARGUMENT  A column in `types` is not there, or a type is none of Delta's.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_source_open(osdear_context *context, const char *const *uris, size_t uri_count,
                                            const osdear_source_options *options, osdear_source **out, osdear_error **error);
OSDEAR_API void osdear_source_free(osdear_source *source); /**< NULL is a no-op. A stream made from it lives on. */
/** The columns as an Arrow struct. @param[out] out  Released by the caller. @since 0.1 */
OSDEAR_API osdear_status osdear_source_schema(const osdear_source *source, struct ArrowSchema *out, osdear_error **error);
/**
 * What was found out and why, a line for each column: `name type: reason`; first the format, delimiter, encoding and header.
 *
 * @return Borrowed, UTF-8, lines end in a newline.
 * @since 0.1
 */
OSDEAR_API const char *osdear_source_report(const osdear_source *source);
/**
 * Read the rows, once.
 *
 * @param[out] out  Released by the caller. A value that does not fit its column's type is an error naming file, line and column.
 * @retval OSDEAR_ERR_STATE  The rows were read before.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_source_stream(osdear_source *source, struct ArrowArrayStream *out, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
