/** @file container_runner.h One-shot containers as jobs: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_CONTAINER_RUNNER_H
#define OSDEAR_SRC_JOB_CONTAINER_RUNNER_H

#include <container/container.h>
#include <job/service.h>

#define OSDEAR__LABEL_JOB "org.osdear.job"     /* the id of the job that a container is */
#define OSDEAR__LABEL_GRACE "org.osdear.grace" /* milliseconds between the request to end and the kill */

typedef struct osdear__container_runner {
  osdear_engine *engine; /* NULL: not asked for yet */
  bool is_refused;       /* the last answer was a refusal: another token was asked for, once */
} osdear__container_runner;

typedef struct osdear__container_log {
  osdear_engine_stream *stream; /* NULL: not open yet */
  bool has_ended;               /* it is to be asked for again before it is read on */
} osdear__container_log;

/* The engine, which is looked for with the first call that needs it. */
MUST_USE osdear_status osdear__container_engine(osdear_runner *runner, osdear_engine **out, osdear_error **error);
/* The container that a job is, by its name. */
MUST_USE osdear_status osdear__container_of_job(osdear_job *job, osdear_container **out, osdear_error **error);

/* container_spec.c */
extern const osdear__spec_member osdear__container_members[];
MUST_USE osdear_status osdear__container_check(osdear_runner *runner, const osdear__json *spec, osdear_error **error);
/* What osdear_container_create() is told; lists are in `arena`, texts are the spec's. */
MUST_USE osdear_status osdear__container_describe(const osdear__json *spec, osdear__arena *arena, osdear_container_spec *out,
                                                  osdear_error **error);

/* container_log.c */
osdear_status osdear__container_log_open(osdear_job_log *log, osdear_error **error);
osdear_status osdear__container_log_read(osdear_job_log *log, osdear_error **error);
void osdear__container_log_close(osdear_job_log *log);

#endif
