/** @file airflow.h Airflow 3 and 2: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_AIRFLOW_H
#define OSDEAR_SRC_JOB_AIRFLOW_H

#include <job/token.h>

typedef struct osdear__airflow {
  osdear__http_client *plain;  /* without credentials: logs in, and asks for the version */
  osdear__http_client *client; /* Airflow 3 takes a token, Airflow 2 user and password */
  osdear__http_client *basic;
  osdear__token token;
  int32_t version; /* of the API: 1 or 2; 0: not asked yet */
} osdear__airflow;

typedef struct osdear__airflow_job {
  char *dag, *run; /* percent-encoded, as in paths */
} osdear__airflow_job;

/* Finds out which Airflow it is, once. */
MUST_USE osdear_status osdear__airflow_open_api(osdear_runner *runner, osdear_error **error);
osdear__http_client *osdear__airflow_client(const osdear_runner *runner);
const char *osdear__airflow_words(const osdear__json *body);
/* Appends "/api/v2/dags/DAG/dagRuns/RUN". */
void osdear__airflow_put_run(const osdear_job *job, osdear__buf *out);
/* The task instances of a run, in the order in which they started. */
MUST_USE osdear_status osdear__airflow_tasks(osdear_job *job, osdear__arena *arena, osdear__json **out, osdear_error **error);
bool osdear__airflow_task_is_over(const osdear__json *task);

/* airflow_log.c */
/* What was told is remembered by "task/map index/try" and the bytes of it that were given out. */
typedef struct osdear__airflow_log {
  osdear__buf told;    /* names of the logs that are done, each with a newline around it */
  osdear__buf current; /* the name of the one that is being told */
} osdear__airflow_log;
osdear_status osdear__airflow_log_read(osdear_job_log *log, osdear_error **error);
void osdear__airflow_log_close(osdear_job_log *log);

#endif
