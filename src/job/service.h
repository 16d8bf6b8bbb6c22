/** @file service.h Services over HTTP with JSON: what their runners have in common. */
#ifndef OSDEAR_SRC_JOB_SERVICE_H
#define OSDEAR_SRC_JOB_SERVICE_H

#include <http/http.h>
#include <job/job.h>

/* Settings that every service over HTTP has; a kind's list of settings starts with them. */
#define OSDEAR__SERVICE_SETTINGS "ca_file", "client_cert_file", "client_key_file", "insecure", "proxy", "timeout_ms"

/* Fills what those settings say; `config` is zero-initialised. */
MUST_USE osdear_status osdear__service_config(const osdear_runner *runner, osdear__http_config *config, osdear_error **error);

/* One request with JSON, and its answer. `body` NULL: none. A method other than GET is not repeated once bytes have left, unless
 * `may_repeat`. */
typedef struct osdear__call {
  const char *method, *path, *body;
  bool may_repeat;
  int64_t timeout_ms; /* 0: as the settings say */
  const char *accept; /* NULL: application/json */
} osdear__call;
MUST_USE osdear_status osdear__service_send(const osdear_runner *runner, osdear__http_client *client, const osdear__call *call,
                                            osdear__http_response *response, osdear_error **error);
/* The body as a tree; what is no JSON (a proxy's page) is an error that tells the status. An empty body is null. */
MUST_USE osdear_status osdear__service_json(const osdear__http_response *response, osdear__arena *arena, osdear__json **out,
                                            osdear_error **error);
/* Sends, expects 2xx, reads the body as JSON. `words` finds the message in the body of an error; NULL: its first line. */
typedef const char *(*osdear__error_words)(const osdear__json *body);
MUST_USE osdear_status osdear__service_call(const osdear_runner *runner, osdear__http_client *client, const osdear__call *call,
                                            osdear__error_words words, osdear__arena *arena, osdear__json **out,
                                            osdear_error **error);
/* What a runner's hear() begins with: *out is NULL when there was no answer, and the body of one that is 200. */
MUST_USE osdear_status osdear__service_hear(const osdear_runner *runner, const osdear__http_response *response,
                                            osdear__error_words words, osdear__arena *arena, osdear__json **out,
                                            osdear_error **error);
/* Fails as osdear__http_fail() does, with the words found in the body, or its first line. */
osdear_status osdear__service_fail(const osdear_runner *runner, const osdear__http_response *response, osdear__error_words words,
                                   osdear_error **error);

/* Whether a request may have been carried out whose answer did not come. */
bool osdear__service_is_unknown(osdear_status status);

/* One line, at most `most` bytes, of what may be a page of stack trace. */
osdear__str osdear__first_line(osdear__str text, size_t most);

#endif
