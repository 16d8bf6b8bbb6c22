/** @file spark.h Spark standalone clusters: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_SPARK_H
#define OSDEAR_SRC_JOB_SPARK_H

#include <job/token.h>

enum { SPARK_MASTERS = 8 };

typedef struct osdear__spark {
  osdear__http_client *masters[SPARK_MASTERS]; /* their REST servers */
  const char *hosts;                           /* "h:6066,h2:6066", within the runner's address */
  size_t count, current;                       /* `current` answered last */
  osdear__http_client *pages;                  /* the web pages of master and workers: no credentials */
  osdear__arena arena;
  osdear__token token; /* of the setting jws_key */
} osdear__spark;

typedef struct osdear__spark_job {
  int32_t tries;        /* masters asked in this poll */
  int64_t submitted_us; /* since when it was seen waiting; 0: it was not */
  int64_t looked_us;    /* when the master was last asked why */
} osdear__spark_job;

extern const osdear__spec_member osdear__spark_members[];
MUST_USE osdear_status osdear__spark_check(osdear_runner *runner, const osdear__json *spec, osdear_error **error);
/* The request that submits it. */
MUST_USE osdear_status osdear__spark_put_submission(const osdear_runner *runner, const osdear__submission *submission,
                                                    osdear__buf *out, osdear_error **error);

/* spark_jws.c */
osdear__token osdear__spark_jws(osdear_runner *runner);
MUST_USE osdear_status osdear__spark_check_key(const osdear_runner *runner, osdear_error **error);

/* spark_pages.c: what the web pages tell, as JSON and as text */

/* The master's summary of workers, drivers and applications. */
MUST_USE osdear_status osdear__spark_summary(osdear_runner *runner, osdear__arena *arena, osdear__json **out,
                                             osdear_error **error);
/* The entry of a driver, NULL: not there. */
const osdear__json *osdear__spark_driver(const osdear__json *summary, const char *id);
/* Why a driver waits, if no worker could ever take it: appends nothing when one could. */
void osdear__spark_put_reason(osdear__buf *out, const osdear__json *summary, const char *id);
/* Piece of a driver's log from `offset` on: appends the bytes, and says where the next piece starts. NOT_FOUND: no worker has it. */
MUST_USE osdear_status osdear__spark_read_log(osdear_runner *runner, const char *id, const char *stream, int64_t offset,
                                              osdear__buf *out, int64_t *next, osdear_error **error);

#endif
