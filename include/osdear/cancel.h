/** @file cancel.h Giving a call up, from any thread. */
#ifndef OSDEAR_CANCEL_H
#define OSDEAR_CANCEL_H

#include <osdear/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A switch, and a deadline. Counted by reference; every call is safe from any thread. */
typedef struct osdear_cancel osdear_cancel;

/**
 * Make a token that no one has cancelled.
 *
 * @param timeout_ms  Calls that carry the token end with OSDEAR_ERR_TIMEOUT this long from now; -1 for never.
 * @param[out] out    A new reference: release with osdear_cancel_unref().
 * @retval OSDEAR_ERR_ARGUMENT  `timeout_ms` is below -1, or `out` is NULL.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_cancel_new(int64_t timeout_ms, osdear_cancel **out, osdear_error **error);
/** Make every call that carries the token end with OSDEAR_ERR_CANCELLED. Safe in a signal handler. */
OSDEAR_API void osdear_cancel_throw(osdear_cancel *cancel);
/** Make a thrown token good again, once no call carries it any more. A deadline that has passed stays passed. */
OSDEAR_API void osdear_cancel_reset(osdear_cancel *cancel);
OSDEAR_API int32_t osdear_cancel_is_thrown(const osdear_cancel *cancel); /**< 1 after osdear_cancel_throw(); a deadline does not show here. */
OSDEAR_API osdear_cancel *osdear_cancel_ref(osdear_cancel *cancel); /**< Another reference, returned. */
OSDEAR_API void osdear_cancel_unref(osdear_cancel *cancel); /**< NULL is a no-op. */

#ifdef __cplusplus
}
#endif
#endif
