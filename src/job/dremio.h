/** @file dremio.h Dremio: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_DREMIO_H
#define OSDEAR_SRC_JOB_DREMIO_H

#include <job/token.h>

enum { DREMIO_PAGE = 500 }; /* rows: the server refuses more */

typedef struct osdear__dremio {
  osdear__http_client *plain; /* without credentials: logs in */
  osdear__http_client *client;
  osdear__token token;
} osdear__dremio;

const char *osdear__dremio_words(const osdear__json *body);
MUST_USE osdear_status osdear__dremio_call(osdear_runner *runner, const char *method, const char *path, const osdear__buf *body,
                                           osdear__arena *arena, osdear__json **out, osdear_error **error);
/* "a"."b": a path as SQL names it. */
void osdear__dremio_put_name(osdear__buf *out, const osdear__json *path);

/* dremio_rows.c: results, a page at a time. An answer has `rowCount`, `schema` and `rows`. */
MUST_USE osdear_status osdear__dremio_page(osdear_runner *runner, const char *id, int64_t offset, int64_t limit,
                                           osdear__arena *arena, osdear__json **out, osdear_error **error);
osdear_status osdear__dremio_log_open(osdear_job_log *log, osdear_error **error);
/* The result as a stream. */
osdear_status osdear__dremio_rows(osdear_job *job, struct ArrowArrayStream *out, osdear_error **error);
osdear_status osdear__dremio_log_read(osdear_job_log *log, osdear_error **error);

/* dremio_verbs.c */
extern const osdear__verb osdear__dremio_verbs[];

#endif
