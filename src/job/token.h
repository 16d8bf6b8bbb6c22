/** @file token.h Tokens that a service gives for a login, fetched when they are needed and renewed before they end. */
#ifndef OSDEAR_SRC_JOB_TOKEN_H
#define OSDEAR_SRC_JOB_TOKEN_H

#include <job/service.h>

typedef struct osdear__token osdear__token;
struct osdear__token {
  osdear_runner *runner;
  /* Logs in: appends the value of `Authorization`, and says how long it is good, -1 for not known. An empty value sends no header. */
  osdear_status (*fetch)(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error);
  /* Whether an answer means that the token is not taken (any more). */
  bool (*is_refusal)(const osdear__http_response *answer);
  char *value;        /* NULL: none yet */
  int64_t fetched_us; /* monotonic */
  int64_t renew_us;   /* monotonic; INT64_MAX: when it is refused */
};
/* The hooks of a client whose requests carry the token. */
osdear__http_hooks osdear__token_hooks(osdear__token *token);
/* Two clients for `base_url`, after the runner's settings: `client` carries the token, `plain` nothing: it logs in. */
MUST_USE osdear_status osdear__token_clients(osdear__token *token, const char *base_url, osdear__http_client **plain,
                                             osdear__http_client **client, osdear_error **error);
void osdear__token_drop(osdear__token *token);

#endif
