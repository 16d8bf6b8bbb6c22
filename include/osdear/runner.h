/** @file runner.h Services that run jobs, by address: one set of verbs over local processes, Spark, Airflow and others. */
#ifndef OSDEAR_RUNNER_H
#define OSDEAR_RUNNER_H

#include <osdear/job.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A service that runs jobs. Confined: a runner and all its jobs belong to one thread at a time. */
typedef struct osdear_runner osdear_runner;

/** How to reach a runner. */
typedef struct osdear_runner_options {
  size_t size;                 /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *settings; /**< Such as {"username", "…"}; the page of each runner lists them. NULL (default): none. */
  size_t setting_count;        /**< Length of `settings`. */
  const char *state_folder;    /**< Where submissions are noted down; NULL (default): $OSDEAR_STATE, or `osdear` in ~/.local/state. */
} osdear_runner_options;
#define OSDEAR_RUNNER_OPTIONS_INIT { sizeof(osdear_runner_options), NULL, 0, NULL }

/**
 * Open a runner. Nothing is sent yet: a service that is away shows with the first call that needs it.
 *
 * @param context  A reference is kept.
 * @param address  `process:`, `spark+http://host:6066[,host2:6066]`, …; UTF-8. Never holds a password.
 * @param options  NULL for defaults.
 * @param[out] out Released with osdear_runner_free().
 * @retval OSDEAR_ERR_ARGUMENT     No such kind of runner, or a setting that it does not have.
 * @retval OSDEAR_ERR_DENIED, OSDEAR_ERR_IO  The state folder cannot be made.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_open(osdear_context *context, const char *address, const osdear_runner_options *options,
                                            osdear_runner **out, osdear_error **error);
OSDEAR_API void osdear_runner_free(osdear_runner *runner); /**< NULL is a no-op. Jobs taken from it stay usable. */

/** How to submit. */
typedef struct osdear_submit_options {
  size_t size;     /**< sizeof this struct as the caller compiled it. */
  const char *key; /**< Names the submission: a second one under the same key finds the first job. NULL (default): none. */
} osdear_submit_options;
#define OSDEAR_SUBMIT_OPTIONS_INIT { sizeof(osdear_submit_options), NULL }

/**
 * Start a job. What is submitted is noted down in the state folder first, so that a caller that dies finds it again.
 *
 * @param spec     JSON text; its members depend on the runner, and a member that the runner does not have is refused.
 * @param options  NULL for defaults.
 * @param[out] out Released with osdear_job_free().
 * @retval OSDEAR_ERR_ARGUMENT     The spec is wrong; the message names the member.
 * @retval OSDEAR_ERR_CONFLICT     The key was used for another spec.
 * @retval OSDEAR_ERR_UNAVAILABLE  The service did not answer. With a key, call again: it is looked for before it is sent.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_submit(osdear_runner *runner, const char *spec, const osdear_submit_options *options,
                                              osdear_job **out, osdear_error **error);

/**
 * Take up a job by its id, whoever started it. Sends nothing: an id that the service does not know shows with the first poll.
 *
 * @retval OSDEAR_ERR_ARGUMENT  No id of this kind of runner has this form.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_attach(osdear_runner *runner, const char *id, osdear_job **out, osdear_error **error);

/**
 * Have the service do something that is no job, such as `pause` of Airflow, `source` of Airbyte, `view` of Dremio. The page of each runner
 * lists its verbs; what they make they make once, so that a call may be repeated.
 *
 * @param arguments  A JSON object; its members depend on the verb, and one that the verb does not have is refused. NULL: none.
 * @param[out] json  What the service says to it, as JSON text. Released with osdear_text_free().
 * @retval OSDEAR_ERR_ARGUMENT  No such verb, or arguments that it does not have; the message lists them.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_call(osdear_runner *runner, const char *verb, const char *arguments, char **json,
                                            osdear_error **error);

/** What is to be forgotten. */
typedef struct osdear_prune_options {
  size_t size;        /**< sizeof this struct as the caller compiled it. */
  int64_t min_age_ms; /**< Only of jobs that were submitted so long ago or longer; by default 30 days. */
} osdear_prune_options;
#define OSDEAR_PRUNE_OPTIONS_INIT { sizeof(osdear_prune_options), 2592000000 }

/**
 * Forget jobs of this runner's address that are over: their notes in the state folder with what is kept beside them, the output of local
 * programs and the containers that ended among it. Their keys may be used again. Jobs that go on are left alone, and so are those whose
 * service does not answer.
 *
 * @param options       NULL for defaults.
 * @param[out] removed  How many; may be NULL. Written on failure, too: what was forgotten before it.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_prune(osdear_runner *runner, const osdear_prune_options *options, int64_t *removed,
                                             osdear_error **error);

/** What was noted down of submissions to one runner's address, newest first. Immutable. */
typedef struct osdear_job_list osdear_job_list;

/** One submission. Texts are borrowed from the list. */
typedef struct osdear_job_note {
  const char *id;      /**< For osdear_runner_attach(); NULL where the service's answer never came. */
  const char *name;    /**< From the spec, or NULL. */
  const char *key;     /**< From the submission, or NULL. */
  int64_t created_us;  /**< When it was submitted. */
} osdear_job_note;

/**
 * List what this state folder knows of submissions to the runner. Asks no service.
 *
 * @param[out] out  Released with osdear_job_list_free().
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_runner_jobs(osdear_runner *runner, osdear_job_list **out, osdear_error **error);
OSDEAR_API const osdear_job_note *osdear_job_list_get(const osdear_job_list *list, size_t index); /**< NULL past the end. */
OSDEAR_API void osdear_job_list_free(osdear_job_list *list);                                      /**< NULL is a no-op. */

#ifdef __cplusplus
}
#endif
#endif
