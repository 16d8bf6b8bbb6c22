/** @file follower.h Thousands of jobs followed by one thread, which may have other things to do. */
#ifndef OSDEAR_FOLLOWER_H
#define OSDEAR_FOLLOWER_H

#include <osdear/job.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Polls many jobs and tells what changed. Confined, together with the jobs it follows and their runners. */
typedef struct osdear_follower osdear_follower;

/** How to follow. */
typedef struct osdear_follower_options {
  size_t size;           /**< sizeof this struct as the caller compiled it. */
  int32_t max_requests;  /**< Requests on their way at the same time; 0 (default): 16. */
} osdear_follower_options;
#define OSDEAR_FOLLOWER_OPTIONS_INIT { sizeof(osdear_follower_options), 0 }

/** Something that became of a job. */
typedef struct osdear_job_change {
  osdear_job *job;             /**< As it was given to osdear_follower_add(). */
  void *tag;                   /**< As it was given to osdear_follower_add(). */
  osdear_job_state state;      /**< Where the job stands now. Once it is final, the job is no longer followed. */
  const osdear_error *failure; /**< Not NULL: the job cannot be followed any more, and why. Borrowed until the next call. */
} osdear_job_change;

/**
 * Make a follower that follows nothing.
 *
 * @param context  A reference is kept.
 * @param options  NULL for defaults.
 * @param[out] out Released with osdear_follower_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_follower_new(osdear_context *context, const osdear_follower_options *options, osdear_follower **out,
                                             osdear_error **error);
OSDEAR_API void osdear_follower_free(osdear_follower *follower); /**< NULL is a no-op. Gives up requests that are on their way. */

/**
 * Follow a job from now on, until it is over or removed.
 *
 * @param job  Borrowed: it must stay until then, and nobody else may poll it.
 * @param tag  Handed back with every change.
 * @retval OSDEAR_ERR_EXISTS  It is followed already.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_follower_add(osdear_follower *follower, osdear_job *job, void *tag, osdear_error **error);
OSDEAR_API void osdear_follower_remove(osdear_follower *follower, const osdear_job *job); /**< Not followed: a no-op. */
OSDEAR_API size_t osdear_follower_count(const osdear_follower *follower);                 /**< How many jobs are followed. */

/** The descriptor for poll(), epoll or an event loop: readable whenever osdear_follower_step() has something to do. Owned by the
 * follower. @since 0.1 */
OSDEAR_API int osdear_follower_descriptor(const osdear_follower *follower);

/**
 * Do what there is to do.
 *
 * @param wait_ms  How long to wait for something; 0: not at all; -1: until there is a change, or the context's token ends the call.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_follower_step(osdear_follower *follower, int64_t wait_ms, osdear_error **error);

/** Take the next change that steps have found; 0 when there is none. @since 0.1 */
OSDEAR_API int32_t osdear_follower_next(osdear_follower *follower, osdear_job_change *change);

#ifdef __cplusplus
}
#endif
#endif
