/** @file airbyte.h Airbyte servers: what the parts of the runner know of each other. */
#ifndef OSDEAR_SRC_JOB_AIRBYTE_H
#define OSDEAR_SRC_JOB_AIRBYTE_H

#include <job/token.h>

/* Checking and discovering run a connector, which may have to be fetched first. */
#define AIRBYTE_PATIENCE_MS 900000

typedef struct osdear__airbyte {
  osdear__http_client *plain; /* without credentials: logs in */
  osdear__http_client *client;
  osdear__token token;
  const char *public_path; /* what the public API's paths start with */
  bool has_config;         /* the config API is there, too: Airbyte Cloud shows the public one alone */
} osdear__airbyte;

const char *osdear__airbyte_words(const osdear__json *body);
/* A call of the public API: `path` behind its start. */
MUST_USE osdear_status osdear__airbyte_public(osdear_runner *runner, const osdear__call *call, osdear__arena *arena,
                                              osdear__json **out, osdear_error **error);
/* GET of the public API. `timeout_ms` 0: as the settings say. */
MUST_USE osdear_status osdear__airbyte_get(osdear_runner *runner, const osdear__buf *path, int64_t timeout_ms,
                                           osdear__arena *arena, osdear__json **out, osdear_error **error);
/* A call of the config API: always a POST. UNSUPPORTED where there is none. */
MUST_USE osdear_status osdear__airbyte_config(osdear_runner *runner, const osdear__call *call, osdear__arena *arena,
                                              osdear__json **out, osdear_error **error);
bool osdear__airbyte_is_id(const char *text); /* a UUID */
/* Finds what `kind` ("source", "destination", "connection", "workspace") has this name, or is this id. NOT_FOUND: none; CONFLICT: several.
 * `workspace` NULL: in all of them. The id is in the arena, or what was given. */
MUST_USE osdear_status osdear__airbyte_find(osdear_runner *runner, const char *kind, const char *name, const char *workspace,
                                            osdear__arena *arena, const char **id, osdear_error **error);

/* airbyte_verbs.c */
extern const osdear__verb osdear__airbyte_verbs[];

/* airbyte_log.c: what the attempts of a job wrote, and how they failed */
MUST_USE osdear_status osdear__airbyte_attempts(osdear_job *job, osdear__arena *arena, const osdear__json **out,
                                                osdear_error **error);
osdear_status osdear__airbyte_log_read(osdear_job_log *log, osdear_error **error);

#endif
