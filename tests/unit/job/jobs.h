/* What tests of jobs share: a state folder of their own, runners, and specs of shell scripts. */
#ifndef OSDEAR_TESTS_UNIT_JOB_H
#define OSDEAR_TESTS_UNIT_JOB_H

#include <job/job.h>
#include <osdear.h>

typedef struct jobs {
  char folder[64];
  osdear_context *context;
  osdear_runner *runner;
} jobs;
jobs jobs_open(const char *address);
void jobs_close(jobs *set); /* and takes the folder away */

/* A shell script as a job. `more` are further members of the spec, with a comma before each; "" for none. */
osdear_job *jobs_shell(const jobs *set, const char *script, const char *more, const char *key);
void jobs_wait(osdear_job *job);
/* All of a log, in a buffer that the next call uses again. */
const char *jobs_log(osdear_job *job, const char *stream, int follow);
/* Fails the test with the error's words. */
void jobs_must(osdear_status status, osdear_error *const *error);
void jobs_sleep_ms(int ms);

#endif
