#include "jobs.h"
#include "../../support/folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void jobs_must(osdear_status status, osdear_error *const *error)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(*error));
}

void jobs_sleep_ms(int ms)
{
  usleep((useconds_t)ms * 1000);
}

jobs jobs_open(const char *address)
{
  osdear_runner_options options = OSDEAR_RUNNER_OPTIONS_INIT;
  jobs set = { 0 };
  osdear_error *error = NULL;

  folder_make("jobs", set.folder);
  options.state_folder = set.folder;
  jobs_must(osdear_context_new(NULL, &set.context, &error), &error);
  jobs_must(osdear_runner_open(set.context, address, &options, &set.runner, &error), &error);
  return set;
}

void jobs_close(jobs *set)
{
  osdear_runner_free(set->runner);
  osdear_context_unref(set->context);
  folder_remove(set->folder);
}

osdear_job *jobs_shell(const jobs *set, const char *script, const char *more, const char *key)
{
  osdear_submit_options options = OSDEAR_SUBMIT_OPTIONS_INIT;
  osdear__buf spec = { 0 };
  osdear_error *error = NULL;
  osdear_job *job = NULL;

  options.key = key;
  osdear__buf_puts(&spec, "{\"name\":\"shell\",\"command\":[\"/bin/sh\",\"-c\",");
  osdear__json_put_string(&spec, osdear__str_of(script));
  osdear__buf_printf(&spec, "]%s}", more);
  jobs_must(osdear_runner_submit(set->runner, spec.data, &options, &job, &error), &error);
  osdear__buf_drop(&spec);
  return job;
}

void jobs_wait(osdear_job *job)
{
  osdear_job_wait_options options = OSDEAR_JOB_WAIT_OPTIONS_INIT;
  osdear_error *error = NULL;

  options.timeout_ms = 30000;
  jobs_must(osdear_job_wait(job, &options, &error), &error);
}

const char *jobs_log(osdear_job *job, const char *stream, int follow)
{
  static char text[65536];
  osdear_job_log_options options = OSDEAR_JOB_LOG_OPTIONS_INIT;
  osdear_job_log *log = NULL;
  osdear_error *error = NULL;
  const char *data;
  size_t length = 0, size = 1;

  options.stream = stream;
  options.follow = follow;
  jobs_must(osdear_job_logs(job, &options, &log, &error), &error);
  while (size) {
    jobs_must(osdear_job_log_next(log, &data, &size, &error), &error);
    cr_assert_lt(length + size, sizeof text);
    memcpy(text + length, data, size);
    length += size;
  }
  text[length] = '\0';
  osdear_job_log_free(log);
  return text;
}
