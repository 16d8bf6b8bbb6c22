/** @file job.h Work that a service does for us: where it stands, waiting, cancelling, its log and its result. */
#ifndef OSDEAR_JOB_H
#define OSDEAR_JOB_H

#include <osdear/arrow.h>
#include <osdear/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One job of a runner. Confined: a runner and all its jobs belong to one thread at a time. */
typedef struct osdear_job osdear_job;

/** Where a job stands, in the same words for every service; numbers never change, later releases may add some. */
typedef int32_t osdear_job_state;
enum {
  OSDEAR_JOB_UNKNOWN = 0,   /**< Not asked yet, or the service says something this build does not know. Not an end. */
  OSDEAR_JOB_PENDING = 1,   /**< Taken, not yet running. */
  OSDEAR_JOB_RUNNING = 2,   /**< Running, or about to be tried once more by the service itself. */
  OSDEAR_JOB_SUCCEEDED = 3, /**< Over, and good. */
  OSDEAR_JOB_FAILED = 4,    /**< Over, and not good: osdear_job_message() says what the service says. */
  OSDEAR_JOB_CANCELLED = 5  /**< Over, because somebody gave it up. */
};

/** The name of a state, such as "succeeded"; "unknown" for a number this build does not know. Static. Any thread. @since 0.1 */
OSDEAR_API const char *osdear_job_state_name(osdear_job_state state);
/** 1 for SUCCEEDED, FAILED and CANCELLED: the job never leaves these. Any thread. @since 0.1 */
OSDEAR_API int32_t osdear_job_state_is_final(osdear_job_state state);

OSDEAR_API void osdear_job_free(osdear_job *job); /**< NULL is a no-op. The job itself goes on. */

OSDEAR_API const char *osdear_job_id(const osdear_job *job); /**< By it any later process can attach. Lives as long as `job`. */
OSDEAR_API osdear_job_state osdear_job_state_get(const osdear_job *job); /**< As of the last poll or wait. */
/** The service's own word, such as "RELAUNCHING"; "" before the first poll. Borrowed until the next poll. @since 0.1 */
OSDEAR_API const char *osdear_job_native_state(const osdear_job *job);
OSDEAR_API const char *osdear_job_message(const osdear_job *job); /**< What the service says about it, or NULL. Until the next poll. */
OSDEAR_API int32_t osdear_job_was_found(const osdear_job *job);   /**< 1: submit found it by its key, and sent nothing. */

/**
 * Ask the service once where the job stands.
 *
 * @retval OSDEAR_ERR_UNAVAILABLE  The service did not answer. That says nothing about the job: ask again.
 * @retval OSDEAR_ERR_NOT_FOUND    The service does not know the job, or has forgotten it.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_poll(osdear_job *job, osdear_error **error);

/** How long to wait, and what then. */
typedef struct osdear_job_wait_options {
  size_t size;               /**< sizeof this struct as the caller compiled it. */
  int64_t timeout_ms;        /**< -1 (default): as long as it takes, or until the context's token ends the call. */
  int32_t cancel_on_timeout; /**< 1: once the time is up, cancel the job and see that it ended; 0 (default): leave it running. */
  int32_t max_failed_polls;  /**< Give up when the service failed to answer so often in a row; 0 (default): never before the deadline. */
} osdear_job_wait_options;
#define OSDEAR_JOB_WAIT_OPTIONS_INIT { sizeof(osdear_job_wait_options), -1, 0, 0 }

/**
 * Wait until the job is over, however it ended: osdear_job_state_get() tells. Polls seldom, and ever more seldom.
 * A service that does not answer is asked again: that is no failure of the job.
 *
 * @retval OSDEAR_ERR_TIMEOUT      Not over in time. With `cancel_on_timeout` the state tells whether the cancelling is confirmed.
 * @retval OSDEAR_ERR_CANCELLED    The context's token was thrown. The job goes on.
 * @retval OSDEAR_ERR_UNAVAILABLE  `max_failed_polls` was reached.
 * @retval OSDEAR_ERR_NOT_FOUND    The service does not know the job.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_wait(osdear_job *job, const osdear_job_wait_options *options, osdear_error **error);

/** How long to see to it that a cancelled job ended. */
typedef struct osdear_job_cancel_options {
  size_t size;        /**< sizeof this struct as the caller compiled it. */
  int64_t timeout_ms; /**< How long to wait for the end; -1 (default): a minute; 0: ask only, do not wait. */
} osdear_job_cancel_options;
#define OSDEAR_JOB_CANCEL_OPTIONS_INIT { sizeof(osdear_job_cancel_options), -1 }

/**
 * Ask the service to end the job, and wait until it says that it did. A job that is over already stays what it is. A container that was
 * cancelled is removed once it is seen to have ended, by this call or by one that is made again.
 *
 * @retval OSDEAR_ERR_TIMEOUT  Asked for, but not seen to end in time. Call again, or wait.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_cancel(osdear_job *job, const osdear_job_cancel_options *options, osdear_error **error);

/**
 * What came of the job, and what it took, as a JSON object: "state", "native_state", "message", and what the runner knows, such
 * as "exit_code", "started_us", "ended_us", "rows", "max_rss_bytes". The page of each runner lists its members.
 *
 * @param[out] out  Released with osdear_text_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_result(osdear_job *job, char **out, osdear_error **error);

/**
 * The rows that are a job's result, typed, of a runner whose jobs have some: statements of Dremio. They are fetched a page at a time, as the
 * stream is read; the stream belongs to the runner's thread.
 *
 * @param[out] out  A struct of columns for each row; release it with its own `release`.
 * @retval OSDEAR_ERR_STATE        The job has not succeeded: wait for it first.
 * @retval OSDEAR_ERR_UNSUPPORTED  Jobs of this runner have no rows.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_rows(osdear_job *job, struct ArrowArrayStream *out, osdear_error **error);

/** A job's log, read piece by piece. Confined, with its job. */
typedef struct osdear_job_log osdear_job_log;

/** Which log, and whether to wait for more. */
typedef struct osdear_job_log_options {
  size_t size;        /**< sizeof this struct as the caller compiled it. */
  const char *stream; /**< "stdout", "stderr", or a name the runner has (a task of Airflow); NULL (default): what the runner thinks best. */
  int32_t follow;     /**< 1: go on until the job is over; 0 (default): what there is now. */
} osdear_job_log_options;
#define OSDEAR_JOB_LOG_OPTIONS_INIT { sizeof(osdear_job_log_options), NULL, 0 }

/**
 * Open a job's log. Reading it and waiting for the job do not disturb each other.
 *
 * @param[out] out  Released with osdear_job_log_free(); it may outlive the handle `job`.
 * @retval OSDEAR_ERR_ARGUMENT  The runner has no stream of that name; the message lists those it has.
 * @retval OSDEAR_ERR_NOT_FOUND There is no log: not yet, or no longer.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_logs(osdear_job *job, const osdear_job_log_options *options, osdear_job_log **out, osdear_error **error);
/**
 * The next bytes of the log, as the job wrote them. With `follow` it waits for them, and answers to the context's token.
 *
 * @param[out] data  Borrowed until the next call on `log`.
 * @param[out] size  0: the end.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_job_log_next(osdear_job_log *log, const char **data, size_t *size, osdear_error **error);
OSDEAR_API void osdear_job_log_free(osdear_job_log *log); /**< NULL is a no-op. */

#ifdef __cplusplus
}
#endif
#endif
