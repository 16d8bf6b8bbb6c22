/** @file sink.h Rows into text, Parquet or Arrow's stream format. */
#ifndef OSDEAR_SINK_H
#define OSDEAR_SINK_H

#include <osdear/arrow.h>
#include <osdear/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Takes the next bytes of the output. Returns 0, or an errno value that ends the call with OSDEAR_ERR_IO. */
typedef int32_t (*osdear_write_callback)(void *argument, const void *data, size_t size);

/** What the output looks like. */
typedef struct osdear_sink_options {
  size_t size;            /**< sizeof this struct as the caller compiled it. */
  int32_t header;         /**< csv: 1 (default) writes the names first. */
  char delimiter;         /**< csv: 0 (default): `,`. */
  const char *null_text;  /**< csv and table: what stands for null; NULL (default): nothing in csv, `NULL` in a table. */
  int64_t max_rows;       /**< table: rows shown before the rest is only counted; 0 (default): all. */
  int32_t max_width;      /**< table: columns of the terminal; 0 (default): no bound. */
  const char *compression; /**< parquet: "zstd" (default where it was built in), "snappy", "gzip", "lz4", "none". */
} osdear_sink_options;
#define OSDEAR_SINK_OPTIONS_INIT { sizeof(osdear_sink_options), 1, 0, NULL, 0, 0, NULL }

/**
 * Write all rows of a stream.
 *
 * @param data      Consumed: released in every case.
 * @param format    "jsonl", "csv", "parquet", "arrow" (IPC stream) or "table" (for people).
 * @param options   NULL for defaults.
 * @param write     Receives the output in pieces, in order, from the calling thread.
 * @param[out] rows Optional: how many rows were written.
 * @retval OSDEAR_ERR_ARGUMENT  No such format.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_sink_write(osdear_context *context, struct ArrowArrayStream *data, const char *format,
                                           const osdear_sink_options *options, osdear_write_callback write, void *argument,
                                           int64_t *rows, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
