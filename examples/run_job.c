/* Submits a job once, follows its log, and says how it ended.
 *
 * usage: run_job RUNNER SPEC KEY
 * such as: run_job process: '{"command": ["sort", "-o", "/data/sorted", "/data/all"]}' sort-2024-01-31
 * Killed and started again with the same key it takes up the job it had submitted; the same spec goes to a cluster by another RUNNER. */
#include "need.h"

static void print_log(osdear_job *job)
{
  osdear_job_log_options options = OSDEAR_JOB_LOG_OPTIONS_INIT;
  osdear_job_log *log;
  osdear_error *error = NULL;
  const char *data;
  size_t size = 0;

  options.follow = 1;
  need(osdear_job_logs(job, &options, &log, &error), &error);
  do {
    need(osdear_job_log_next(log, &data, &size, &error), &error);
    fwrite(data, 1, size, stdout);
  } while (size);
  osdear_job_log_free(log);
}

int main(int count, char **words)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear_context *context;
  osdear_runner *runner;
  osdear_job *job;
  osdear_error *error = NULL;
  osdear_job_state state;

  if (count != 4)
    usage("run_job RUNNER SPEC KEY");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_runner_open(context, words[1], NULL, &runner, &error), &error);
  options.key = words[3];
  need(osdear_runner_submit(runner, words[2], &options, &job, &error), &error);
  fprintf(stderr, "%s %s\n", osdear_job_was_found(job) ? "found" : "submitted", osdear_job_id(job));
  print_log(job);
  need(osdear_job_wait(job, NULL, &error), &error);
  state = osdear_job_state_get(job);
  fprintf(stderr, "%s\n", osdear_job_state_name(state));

  osdear_job_free(job);
  osdear_runner_free(runner);
  osdear_context_unref(context);
  return state == OSDEAR_JOB_SUCCEEDED ? 0 : 1;
}
