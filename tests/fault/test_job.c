#include "bodies.h"

#include <base/base.h>
#include <criterion/criterion.h>
#include <unistd.h>

static void must(osdear_status status, osdear_error *const *error)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(*error));
}

static void prepare_runner(fault_fixture *fixture)
{
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  osdear_error *error = NULL;

  prepare_context(fixture);
  options.state_folder = fixture->folder;
  must(osdear_runner_open(fixture->context, "process:", &options, &fixture->runner, &error), &error);
}

static void prepare_job_of(fault_fixture *fixture, const char *spec)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_error *error = NULL;

  prepare_runner(fixture);
  options.key = "key";
  must(osdear_runner_submit(fixture->runner, spec, &options, &fixture->job, &error), &error);
}

static void prepare_failed_job(fault_fixture *fixture)
{
  osdear_error *error = NULL;
  osdear_job *job = NULL;

  prepare_job_of(fixture, "{\"command\":[\"/bin/sh\",\"-c\",\"echo out; echo bad >&2; exit 3\"]}");
  must(osdear_job_wait(fixture->job, NULL, &error), &error);
  /* One that was not asked yet takes its place. */
  must(osdear_runner_attach(fixture->runner, osdear_job_id(fixture->job), &job, &error), &error);
  osdear_job_free(fixture->job);
  fixture->job = job;
}

static void prepare_running_job(fault_fixture *fixture)
{
  prepare_job_of(fixture, "{\"command\":[\"sleep\",\"60\"]}");
}

static osdear_status open_runner(fault_fixture *fixture, osdear_error **error)
{
  static const osdear_pair settings[] = { { "python", "python3" } };
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  osdear_runner *runner = NULL;
  osdear_status status;

  options.state_folder = fixture->folder;
  options.settings = settings;
  options.setting_count = 1;
  status = osdear_runner_open(fixture->context, "process:", &options, &runner, error);
  cr_assert_eq(status == OSDEAR_OK, runner != NULL);
  osdear_runner_free(runner);
  return status;
}
BODY(osdear_runner_open, .prepare = prepare_context, .run = open_runner)

static osdear_status submit(fault_fixture *fixture, osdear_error **error)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_status status;

  options.key = "key";
  status = osdear_runner_submit(fixture->runner, "{\"name\":\"n\",\"command\":[\"/bin/true\"],\"environment\":{\"A\":\"b\"}}",
                                &options, &fixture->job, error);
  cr_assert_eq(status == OSDEAR_OK, fixture->job != NULL);
  return status;
}

/* Whatever failed, a second call under the same key has the job, and it ran no more than once. */
static void check_submit(fault_fixture *fixture, osdear_status status)
{
  osdear_error *error = NULL;
  osdear_job_list *list = NULL;

  osdear_job_free(fixture->job);
  fixture->job = NULL;
  (void)status;
  must(submit(fixture, &error), &error);
  must(osdear_job_wait(fixture->job, NULL, &error), &error);
  cr_assert_eq(osdear_job_state_get(fixture->job), OSDEAR_JOB_SUCCEEDED, "%s: %s", fixture->fault,
               osdear_job_native_state(fixture->job));
  must(osdear_runner_jobs(fixture->runner, &list, &error), &error);
  cr_assert(osdear_job_list_get(list, 0));
  cr_assert_null(osdear_job_list_get(list, 1));
  osdear_job_list_free(list);
}
BODY(osdear_runner_submit, .prepare = prepare_runner, .run = submit, .check = check_submit, .changes_state = 1)

static osdear_status attach(fault_fixture *fixture, osdear_error **error)
{
  osdear_job *job = NULL;
  osdear_status status = osdear_runner_attach(fixture->runner, "00000000-0000-4000-8000-000000000000", &job, error);

  cr_assert_eq(status == OSDEAR_OK, job != NULL);
  osdear_job_free(job);
  return status;
}
BODY(osdear_runner_attach, .prepare = prepare_runner, .run = attach)

static osdear_status prune(fault_fixture *fixture, osdear_error **error)
{
  osdear_prune_options options = OSDEAR_PRUNE_OPTIONS_INIT;
  int64_t removed = 0;
  osdear_status status;

  options.min_age_ms = 0;
  status = osdear_runner_prune(fixture->runner, &options, &removed, error);
  if (!status)
    cr_assert_eq(removed, 1);
  return status;
}

/* What could not be removed is removed the next time. */
static void check_prune(fault_fixture *fixture, osdear_status status)
{
  osdear_job_list *list = NULL;
  osdear_error *error = NULL;

  if (status)
    must(prune(fixture, &error), &error);
  must(osdear_runner_jobs(fixture->runner, &list, &error), &error);
  cr_assert_null(osdear_job_list_get(list, 0));
  osdear_job_list_free(list);
}
BODY(osdear_runner_prune, .prepare = prepare_failed_job, .run = prune, .check = check_prune, .changes_state = 1)

static osdear_status list_jobs(fault_fixture *fixture, osdear_error **error)
{
  osdear_job_list *list = NULL;
  osdear_status status = osdear_runner_jobs(fixture->runner, &list, error);

  cr_assert_eq(status == OSDEAR_OK, list != NULL);
  if (list)
    cr_assert_str_eq(osdear_job_list_get(list, 0)->key, "key");
  osdear_job_list_free(list);
  return status;
}
BODY(osdear_runner_jobs, .prepare = prepare_failed_job, .run = list_jobs)

/* A job that was not asked yet, each time. */
static osdear_status with_new_job(fault_fixture *fixture, osdear_status (*call)(osdear_job *job, osdear_error **error),
                                  osdear_error **error)
{
  osdear_job *job = NULL;
  osdear_status status = osdear_runner_attach(fixture->runner, osdear_job_id(fixture->job), &job, error);

  if (!status)
    status = call(job, error);
  if (!status)
    cr_assert_eq(osdear_job_state_get(job), OSDEAR_JOB_FAILED);
  osdear_job_free(job);
  return status;
}

static osdear_status poll_job(fault_fixture *fixture, osdear_error **error)
{
  return with_new_job(fixture, osdear_job_poll, error);
}
BODY(osdear_job_poll, .prepare = prepare_failed_job, .run = poll_job)

static osdear_status call_wait(osdear_job *job, osdear_error **error)
{
  return osdear_job_wait(job, NULL, error);
}

static osdear_status wait_job(fault_fixture *fixture, osdear_error **error)
{
  return with_new_job(fixture, call_wait, error);
}
BODY(osdear_job_wait, .prepare = prepare_failed_job, .run = wait_job)

static osdear_status call_result(osdear_job *job, osdear_error **error)
{
  char *text = NULL;
  osdear_status status = osdear_job_result(job, &text, error);

  cr_assert_eq(status == OSDEAR_OK, text != NULL);
  osdear_text_free(text);
  return status;
}

static osdear_status result_of_job(fault_fixture *fixture, osdear_error **error)
{
  return with_new_job(fixture, call_result, error);
}
BODY(osdear_job_result, .prepare = prepare_failed_job, .run = result_of_job)

static osdear_status cancel(fault_fixture *fixture, osdear_error **error)
{
  return osdear_job_cancel(fixture->job, NULL, error);
}

static void check_cancel(fault_fixture *fixture, osdear_status status)
{
  osdear_error *error = NULL;

  if (status == OSDEAR_OK)
    cr_assert_eq(osdear_job_state_get(fixture->job), OSDEAR_JOB_CANCELLED);
  must(osdear_job_cancel(fixture->job, NULL, &error), &error);
}
BODY(osdear_job_cancel, .prepare = prepare_running_job, .run = cancel, .check = check_cancel, .changes_state = 1)

static osdear_status open_log(fault_fixture *fixture, osdear_error **error)
{
  osdear_job_log_options options = OSDEAR_JOB_LOG_OPTIONS_INIT;
  osdear_job_log *log = NULL;
  osdear_status status;

  options.stream = "stderr";
  status = osdear_job_logs(fixture->job, &options, &log, error);
  cr_assert_eq(status == OSDEAR_OK, log != NULL);
  osdear_job_log_free(log);
  return status;
}
BODY(osdear_job_logs, .prepare = prepare_failed_job, .run = open_log)

static osdear_status read_log(fault_fixture *fixture, osdear_error **error)
{
  osdear_job_log *log = NULL;
  const char *data;
  size_t size = 1, total = 0;
  osdear_status status = osdear_job_logs(fixture->job, NULL, &log, error);

  while (status == OSDEAR_OK && size) {
    status = osdear_job_log_next(log, &data, &size, error);
    total += status == OSDEAR_OK ? size : 0;
  }
  if (status == OSDEAR_OK)
    cr_assert_eq(total, 4);
  osdear_job_log_free(log);
  return status;
}
BODY(osdear_job_log_next, .prepare = prepare_failed_job, .run = read_log)

static osdear_status new_follower(fault_fixture *fixture, osdear_error **error)
{
  osdear_follower *follower = NULL;
  osdear_status status = osdear_follower_new(fixture->context, NULL, &follower, error);

  cr_assert_eq(status == OSDEAR_OK, follower != NULL);
  osdear_follower_free(follower);
  return status;
}
BODY(osdear_follower_new, .prepare = prepare_context, .run = new_follower)

static osdear_status add_to_follower(fault_fixture *fixture, osdear_error **error)
{
  osdear_follower *follower = NULL;
  osdear_status status = osdear_follower_new(fixture->context, NULL, &follower, error);

  if (!status)
    status = osdear_follower_add(follower, fixture->job, NULL, error);
  osdear_follower_free(follower);
  return status;
}
BODY(osdear_follower_add, .prepare = prepare_failed_job, .run = add_to_follower)

/* A poll that fails for want of memory or by a disk is told as a change, not by the step. */
static osdear_status step(fault_fixture *fixture, osdear_error **error)
{
  osdear_follower *follower = NULL;
  osdear_job *job = NULL;
  osdear_job_change change;
  osdear_status status = osdear_follower_new(fixture->context, NULL, &follower, error);

  if (!status)
    status = osdear_runner_attach(fixture->runner, osdear_job_id(fixture->job), &job, error);
  if (!status)
    status = osdear_follower_add(follower, job, NULL, error);
  if (!status)
    status = osdear_follower_step(follower, -1, error);
  if (!status) {
    cr_assert(osdear_follower_next(follower, &change));
    status = osdear_error_status(change.failure);
    *error = osdear__error_copy(change.failure);
    cr_assert_eq(change.state, status ? OSDEAR_JOB_UNKNOWN : OSDEAR_JOB_FAILED);
  }
  osdear_job_free(job);
  osdear_follower_free(follower);
  return status;
}
BODY(osdear_follower_step, .prepare = prepare_failed_job, .run = step)
