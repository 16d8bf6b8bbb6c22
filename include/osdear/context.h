/** @file context.h Settings and resources that calls share. */
#ifndef OSDEAR_CONTEXT_H
#define OSDEAR_CONTEXT_H

#include <osdear/cancel.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Worker threads, a memory budget, a log callback, progress and cancellation.
 * Counted by reference. Any number of threads may use one context at the same time.
 */
typedef struct osdear_context osdear_context;

typedef int32_t osdear_log_level;
enum { OSDEAR_LOG_DEBUG = 0, OSDEAR_LOG_INFO = 1, OSDEAR_LOG_WARNING = 2, OSDEAR_LOG_ERROR = 3 };

/** Receives a line of log: a component such as "delta", and text without a newline. Called from any thread. */
typedef void (*osdear_log_callback)(void *argument, osdear_log_level level, const char *component, const char *message);

/** How far a long call is. `total` is -1 while unknown. Called from any thread, a few times a second at most. */
typedef void (*osdear_progress_callback)(void *argument, const char *step, int64_t done, int64_t total);

/** Fields left 0 or NULL take the default. */
typedef struct osdear_context_options {
  size_t size;                          /**< sizeof this struct as the caller compiled it. */
  int64_t memory_budget_bytes;          /**< What all calls together should stay within; 0 (default): 256 MiB. */
  int32_t threads;                      /**< Workers; 0 (default): one a processor; 1: none but what moves a remote store's bytes. */
  osdear_log_level log_level;           /**< The lowest level that reaches the callback. */
  osdear_log_callback log;              /**< NULL (default): silent. */
  void *log_argument;                   /**< Given to `log`. */
  osdear_progress_callback progress;    /**< NULL (default): none. */
  void *progress_argument;              /**< Given to `progress`. */
  osdear_cancel *cancel;                /**< Ends the calls made with this context; NULL (default): none. A reference is taken. */
} osdear_context_options;
#define OSDEAR_CONTEXT_OPTIONS_INIT { sizeof(osdear_context_options), 0, 0, OSDEAR_LOG_INFO, NULL, NULL, NULL, NULL, NULL }

/**
 * Make a context. Starts no thread: workers start with the first work.
 *
 * @param options   NULL for defaults.
 * @param[out] out  A new reference: release with osdear_context_unref().
 * @retval OSDEAR_ERR_ARGUMENT  A negative size, more than 1,024 threads, or an option newer than this library.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_context_new(const osdear_context_options *options, osdear_context **out, osdear_error **error);

/**
 * Make a context that shares the threads and the budget of another, with its own log, progress and cancellation:
 * the way to give one call a deadline.
 *
 * @param parent    A reference is taken.
 * @param options   `memory_budget_bytes` and `threads` must be 0: they are the parent's. NULL shares all but cancellation.
 * @param[out] out  A new reference.
 * @retval OSDEAR_ERR_ARGUMENT  `parent` is NULL, or a shared setting was given.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_context_fork(osdear_context *parent, const osdear_context_options *options,
                                             osdear_context **out, osdear_error **error);
OSDEAR_API osdear_context *osdear_context_ref(osdear_context *context); /**< Another reference, returned. */
OSDEAR_API void osdear_context_unref(osdear_context *context); /**< NULL is a no-op. The last one joins the workers. */

#ifdef __cplusplus
}
#endif
#endif
