/** @file process.h Local programs: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_PROCESS_H
#define OSDEAR_SRC_JOB_PROCESS_H

#include <job/job.h>

extern const unsigned char osdear__supervise_program[];
extern const size_t osdear__supervise_size;

typedef struct osdear__process_runner {
  int leash; /* the end of the pipe that is ours while we live; -1: no job wanted one yet */
  int leash_end;
} osdear__process_runner;

/* Whether a supervisor lives that watches the job of this folder. */
MUST_USE osdear_status osdear__process_is_alive(const char *folder, bool *is_alive, osdear_error **error);

/* process_command.c: the words and the environment of what a spec describes, in `arena`. */
typedef struct osdear__process_command {
  char **words;       /* ended by NULL */
  char **environment; /* ended by NULL */
} osdear__process_command;
MUST_USE osdear_status osdear__process_command_make(const osdear_runner *runner, const osdear__json *spec, osdear__arena *arena,
                                                    osdear__process_command *out, osdear_error **error);

/* process_start.c */
MUST_USE osdear_status osdear__process_start(osdear_runner *runner, const osdear__submission *submission,
                                             osdear__send_outcome *outcome, osdear_error **error);
/* Ends it by its supervisor; UNAVAILABLE while that is only about to start. */
MUST_USE osdear_status osdear__process_end(const char *folder, osdear_error **error);

/* process_log.c */
osdear_status osdear__process_log_open(osdear_job_log *log, osdear_error **error);
osdear_status osdear__process_log_read(osdear_job_log *log, osdear_error **error);
void osdear__process_log_close(osdear_job_log *log);
/* The last line that a program wrote to standard error, at most 400 bytes of it. */
MUST_USE osdear_status osdear__process_last_words(const char *folder, osdear__buf *out, osdear_error **error);

#endif
