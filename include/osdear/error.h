/** @file error.h What went wrong, as a value. */
#ifndef OSDEAR_ERROR_H
#define OSDEAR_ERROR_H

#include <osdear/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A failure. Written only when a call fails, and only if the caller passed somewhere to put it.
 * Immutable: any thread may read it. The caller owns it. Text never holds a secret.
 */
typedef struct osdear_error osdear_error;

OSDEAR_API osdear_status osdear_error_status(const osdear_error *error);       /**< Never OSDEAR_OK. NULL: OSDEAR_OK. */
OSDEAR_API const char *osdear_error_message(const osdear_error *error);        /**< UTF-8, never NULL; lives as long as `error`. */
OSDEAR_API const char *osdear_error_code(const osdear_error *error);           /**< The service's own code, or NULL. */
OSDEAR_API int32_t osdear_error_http_status(const osdear_error *error);        /**< 0 where no HTTP answer was involved. */
OSDEAR_API const char *osdear_error_request_id(const osdear_error *error);     /**< The service's id of the request, or NULL. */
OSDEAR_API int32_t osdear_error_retryable(const osdear_error *error);          /**< 1 if the same call may succeed later. */
OSDEAR_API const osdear_error *osdear_error_cause(const osdear_error *error);  /**< What led to it, borrowed, or NULL. */
OSDEAR_API void osdear_error_free(osdear_error *error);                        /**< NULL is a no-op. Frees the causes too. */

#ifdef __cplusplus
}
#endif
#endif
