/** @file stream.h Arrow streams: making one from arrays, and what went wrong in one. */
#ifndef OSDEAR_STREAM_H
#define OSDEAR_STREAM_H

#include <osdear/arrow.h>
#include <osdear/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A stream of the batches given, in their order.
 *
 * @param schema   An Arrow struct. Taken over: released in every case.
 * @param arrays   `count` batches of that schema, taken over likewise; the array of them stays the caller's. NULL if `count` is 0.
 * @param[out] out Released by the caller.
 * @retval OSDEAR_ERR_ARGUMENT  Something is NULL or released already.
 * @note What a batch holds is checked when it is read from the stream. Any thread.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_stream_new(struct ArrowSchema *schema, struct ArrowArray *arrays, size_t count,
                                           struct ArrowArrayStream *out, osdear_error **error);

/**
 * The failure behind an error that a stream of this library returned, with all its accessors.
 *
 * @param stream  A stream that this library exported; its last call must have failed.
 * @return Borrowed until the stream's next call; NULL where there was no failure or the stream is not ours.
 * @since 0.1
 */
OSDEAR_API const osdear_error *osdear_stream_error(const struct ArrowArrayStream *stream);

#ifdef __cplusplus
}
#endif
#endif
