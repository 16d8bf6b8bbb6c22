/** @file http.h Requests over libcurl, which is loaded with the first of them: HTTP/1.1 and 2, TCP, TLS and unix sockets. */
#ifndef OSDEAR_SRC_HTTP_H
#define OSDEAR_SRC_HTTP_H

#include <base/base.h>

/* What is promised everywhere below:
 *
 * - A call returns OSDEAR_OK when the server answered, with any status: what a 404 means, its caller knows. osdear__http_expect() and
 *   osdear__http_fail() turn an answer into an error. Without an answer the status is UNAVAILABLE (no connection, or it broke),
 *   TIMEOUT, DENIED (a certificate that cannot be trusted, or none of ours that the server wants), CANCELLED, LIMIT, or what a callback
 *   returned.
 * - Attempts are repeated with jitter while the client's budget of retries lasts: after answers 429, 500, 502, 503 and 504 and
 *   after broken connections if the request is idempotent; after 429, and where no byte had left, in any case. `Retry-After` is obeyed.
 * - Cancellation and the deadline of the call's context end a call within about 100 ms, whatever the peer does.
 * - Secrets (see osdear__http_is_secret) stand in no message and no log line; user names and passwords in URLs are refused.
 * - Redirects are answers like any other unless `max_redirects` allows them; what is secret never follows to another host.
 */

typedef struct osdear__http_header {
  const char *name;
  const char *value;
} osdear__http_header;

/* ---- answers ---- */

/* Zero-initialise; SCOPED(http_response) frees it. Used again, it is emptied first. */
typedef struct osdear__http_response {
  int32_t status;         /* 200 … */
  int32_t attempts;       /* how often the request was made, 1 or more */
  bool maybe_done_before; /* an attempt before the last one may have been carried out although its answer was lost */
  int64_t body_size;      /* bytes of body received, wherever they went */
  osdear__buf body;       /* of statuses other than 2xx at most the first 64 KiB; of 2xx what no sink and no `into` took */
  osdear__buf head;       /* header lines; look them up below */
  char *url;              /* what was asked last, after redirects; secrets removed */
  const char *advice;     /* what to do about a refusal, for the end of a message; NULL: nothing is known */
  char method[16];
} osdear__http_response;
void osdear__http_response_drop(osdear__http_response *response);
/* The value of the first header of that name, in any case, or NULL. NUL-terminated; lives as long as the answer. */
const char *osdear__http_header_get(const osdear__http_response *response, const char *name);
/* Each header in turn: start with *cursor 0; false at the end. */
bool osdear__http_header_next(const osdear__http_response *response, size_t *cursor, osdear__http_header *out);
/* The moment of its `Date` (or any other) header, microseconds UTC; false when there is none or it cannot be read. */
bool osdear__http_header_time(const osdear__http_response *response, const char *name, int64_t *us);

/* OSDEAR_OK for 2xx; otherwise fails as osdear__http_fail() does, with the body's first line for words. */
MUST_USE osdear_status osdear__http_expect(const osdear__http_response *response, osdear_error **error);
/* The answer as a failure: "GET URL: 404 Not Found (code): text", with HTTP status, request id and `retryable`. `code` is the service's own,
 * or NULL; `format` NULL adds no words. `status` OSDEAR_OK: by the answer's status (osdear__http_status_of). */
osdear_status osdear__http_fail(const osdear__http_response *response, osdear_status status, const char *code,
                                osdear_error **error, const char *format, ...) PRINTF_LIKE(5, 6);
/* 401 403 407 DENIED, 404 410 NOT_FOUND, 409 412 CONFLICT, 408 504 TIMEOUT, 413 LIMIT, 405 501 505 UNSUPPORTED, 429 and other 5xx UNAVAILABLE,
 * other 4xx ARGUMENT, the rest IO. */
osdear_status osdear__http_status_of(int32_t http_status);
/* Whether the same request may succeed later: 408 425 429 500 502 503 504. */
bool osdear__http_is_retryable(int32_t http_status);

/* ---- clients: one service, its address, its credentials, its patience ---- */

/* What a hook sees of an attempt that is about to be made, or was. */
typedef struct osdear__http_attempt osdear__http_attempt;
struct osdear__http_attempt {
  const char *method;
  const char *url;                    /* absolute, as it goes out */
  const osdear__http_header *headers; /* the request's own */
  size_t header_count;
  const void *tag;                     /* the request's */
  int32_t number;                      /* 1 for the first */
  const osdear__http_response *answer; /* of the attempt before (sign), of this one (judge); NULL: there was none */
};
/* For sign: sends this header, in place of one of that name. */
MUST_USE osdear_status osdear__http_attempt_set(osdear__http_attempt *attempt, const char *name, const char *value,
                                                osdear_error **error);

typedef enum osdear__http_verdict {
  HTTP_AS_USUAL,        /* decide by status and idempotence, as promised above */
  HTTP_DONE,            /* no further attempt */
  HTTP_RETRY,           /* again, if attempts, budget and deadline allow, after the usual wait */
  HTTP_RETRY_THROTTLED, /* the same after the longer wait that throttling asks for */
  HTTP_RETRY_AT_ONCE /* again without waiting and without cost: new credentials, another region, a corrected clock. At most twice a request */
} osdear__http_verdict;

typedef struct osdear__http_hooks {
  /* Before each attempt to the host of the request: the place to sign, or to add a token that may have been renewed. NULL: none. */
  osdear_status (*sign)(void *argument, osdear__http_attempt *attempt, osdear_error **error);
  /* After each answer: what it means for trying again. NULL: as usual. */
  osdear__http_verdict (*judge)(void *argument, const osdear__http_attempt *attempt);
  void *argument;
} osdear__http_hooks;

typedef enum osdear__http_auth { HTTP_AUTH_NONE, HTTP_AUTH_BASIC, HTTP_AUTH_BEARER, HTTP_AUTH_NEGOTIATE } osdear__http_auth;
typedef enum osdear__http_version { HTTP_VERSION_ANY, HTTP_VERSION_1_1, HTTP_VERSION_2_PLAIN } osdear__http_version;

/* Texts are copied. Zero-initialise; what is 0 or NULL takes the default. A time of -1 is no limit. */
typedef struct osdear__http_config {
  const char *base_url;    /* `http://` or `https://` host [:port] [/prefix]; needed unless every request has an absolute URL */
  const char *unix_socket; /* its path: connections go there, whatever host the URL names */
  const char *ca_file;     /* PEM bundle in place of the system's */
  const char *client_cert_file, *client_key_file, *client_key_password; /* PEM */
  bool insecure;                                                        /* take any certificate */
  const char *proxy;    /* NULL: by the environment as curl reads it (http_proxy, https_proxy, no_proxy); "": none */
  const char *no_proxy; /* hosts, comma-separated, that `proxy` is not for */
  osdear__http_auth auth;
  const char *user;             /* BASIC */
  const char *secret;           /* BASIC: the password; BEARER: the token. NEGOTIATE takes the user's Kerberos ticket */
  const char *user_agent;       /* default: libosdear/VERSION */
  osdear__http_version version; /* ANY: HTTP/2 where TLS agrees on it */
  int64_t connect_timeout_ms;   /* default 10,000 */
  int64_t idle_timeout_ms;      /* without a byte in either direction; default 60,000 */
  int64_t timeout_ms;           /* all of a call, with its repetitions; default no limit beyond the context's */
  int32_t max_attempts;         /* default 3; 1: never again */
  bool silence_is_final;        /* no further attempt after one that fell idle: a peer that hangs is found out in one patience */
  int32_t max_redirects;        /* default 0: not followed */
  int64_t max_retry_wait_ms;    /* longest wait between attempts, also if Retry-After asks for more; default 20,000 */
  osdear__http_hooks hooks;
} osdear__http_config;

/* Counted by reference; any thread may use it. Keeps connections for later requests. Making one touches neither the network nor libcurl. */
typedef struct osdear__http_client osdear__http_client;
MUST_USE osdear_status osdear__http_client_new(const osdear__http_config *config, osdear__http_client **out,
                                               osdear_error **error);
osdear__http_client *osdear__http_client_ref(osdear__http_client *client);
void osdear__http_client_unref(osdear__http_client *client);
void osdear__http_client_auto(osdear__http_client **client);

/* ---- requests ---- */

/* Where a body comes from, if not from memory. */
typedef struct osdear__http_source {
  osdear_status (*read)(void *argument, void *out, size_t room, size_t *got, osdear_error **error); /* *got 0: the end */
  osdear_status (*rewind)(void *argument,
                          osdear_error **error); /* back to the start, for another attempt; NULL: there can be none */
  void *argument;
  int64_t size_bytes; /* -1: unknown, sent in chunks */
} osdear__http_source;

/* Where the body of a 2xx answer goes, if not into the response. */
typedef struct osdear__http_sink {
  /* All of `data` is taken. *pause true: no more until osdear__http_resume(). A failure ends the transfer and becomes its result. */
  osdear_status (*write)(void *argument, const void *data, size_t size, bool *pause, osdear_error **error);
  osdear_status (*rewind)(void *argument,
                          osdear_error **error); /* forget what came; NULL: once bytes came, there is no other attempt */
  void *argument;
} osdear__http_sink;

typedef enum osdear__http_repeat { HTTP_REPEAT_BY_METHOD, HTTP_REPEAT_SAFE, HTTP_REPEAT_NEVER } osdear__http_repeat;

/* Copied when it is given to a call, but for `body`, `into` and what the callbacks point to, which must outlive it. Zero-initialise. */
typedef struct osdear__http_request {
  const char *method; /* default GET */
  const char *url;    /* `/path?query`, put behind the base URL, or absolute. Percent-encoded already: goes out byte by byte */
  const osdear__http_header *headers;
  size_t header_count;
  const void *body; /* sent when not NULL, or for POST, PUT and PATCH */
  size_t body_size;
  osdear__http_source source; /* in place of `body` when `read` is set */
  bool expect_continue;       /* ask before sending the body (Expect: 100-continue): for big bodies that may be refused */
  osdear__http_sink sink;     /* when `write` is set */
  void *into;                 /* a 2xx body goes here: LIMIT if it is longer */
  size_t into_size;
  size_t max_body;                     /* of a 2xx body kept in the response; default 64 MiB */
  osdear__http_repeat repeat;          /* BY_METHOD: GET, HEAD, OPTIONS, PUT and DELETE may be repeated */
  int64_t timeout_ms, idle_timeout_ms; /* 0: the client's; -1: no limit */
  const void *tag;                     /* for hooks and for who collects answers */
  bool is_early; /* osdear__http_open() waits for the head of the answer 0.1 s only: one that is not 2xx may fail the reading */
} osdear__http_request;

/* One request, from sending to the end of its answer. `response` is written on success only. `context` may be NULL. */
MUST_USE osdear_status osdear__http_send(osdear__http_client *client, osdear_context *context,
                                         const osdear__http_request *request, osdear__http_response *response,
                                         osdear_error **error);

/* ---- many at once, from one thread ---- */

/* Transfers that share connections. Confined to one thread, but for osdear__http_wake(). */
typedef struct osdear__http_loop osdear__http_loop;
typedef struct osdear__http_exchange osdear__http_exchange;
/* At most `max_running` (0: 64) requests are under way at once; others wait for their turn, and time does not run for them. */
MUST_USE osdear_status osdear__http_loop_new(osdear_context *context, int32_t max_running, osdear__http_loop **out,
                                             osdear_error **error);
void osdear__http_loop_free(osdear__http_loop *loop); /* gives up and frees what is left in it */
void osdear__http_loop_auto(osdear__http_loop **loop);
/* Never waits. The exchange is the caller's, to be freed by osdear__http_exchange_free() at any time. */
MUST_USE osdear_status osdear__http_submit(osdear__http_loop *loop, osdear__http_client *client,
                                           const osdear__http_request *request, osdear__http_exchange **out,
                                           osdear_error **error);
/* Moves bytes until an exchange has ended, at most `timeout_ms` (-1: no limit; 0: what can be moved now). Failures of one exchange are its
 * own; this fails when the context was cancelled or out of time. Nothing submitted: returns at once. */
MUST_USE osdear_status osdear__http_step(osdear__http_loop *loop, int64_t timeout_ms, osdear_error **error);
/* The next exchange that has ended and was not collected yet, or NULL. */
osdear__http_exchange *osdear__http_collect(osdear__http_loop *loop);
size_t osdear__http_pending(const osdear__http_loop *loop); /* submitted and not ended */
void osdear__http_wake(osdear__http_loop *loop);            /* makes a step that waits return: from any thread */
const void *osdear__http_exchange_tag(const osdear__http_exchange *exchange);
/* Once it has ended: moves its answer to `response` (emptied before), or fails with what went wrong. Once only. */
MUST_USE osdear_status osdear__http_exchange_take(osdear__http_exchange *exchange, osdear__http_response *response,
                                                  osdear_error **error);
void osdear__http_resume(osdear__http_exchange *exchange); /* after its sink had asked for a pause; not from within a callback */
void osdear__http_exchange_free(osdear__http_exchange *exchange); /* gives it up if it still runs. NULL is a no-op */

/* ---- an answer read piece by piece: logs, events, large files ---- */

typedef struct osdear__http_reader osdear__http_reader; /* confined */
/* Returns when status and headers are there. A 2xx body is then pulled; of others `response` holds it and *out stays NULL. */
MUST_USE osdear_status osdear__http_open(osdear__http_client *client, osdear_context *context,
                                         const osdear__http_request *request, osdear__http_response *response,
                                         osdear__http_reader **out, osdear_error **error);
/* Waits for at least one byte; *got 0: the end. `timeout_ms` -1: as long as the client's idle timeout allows; when it passes: TIMEOUT, and
 * reading may go on. */
MUST_USE osdear_status osdear__http_read(osdear__http_reader *reader, void *out, size_t room, int64_t timeout_ms, size_t *got,
                                         osdear_error **error);
bool osdear__http_reader_has_ended(const osdear__http_reader *reader); /* by itself or by a failure: reading cannot go on */
/* The answer when it is none of 2xx, which an early reader learns by a read that fails; else NULL. */
const osdear__http_response *osdear__http_reader_refusal(const osdear__http_reader *reader);
void osdear__http_reader_free(osdear__http_reader *reader); /* NULL is a no-op */
void osdear__http_reader_auto(osdear__http_reader **reader);

/* ---- a connection taken over (Connection: Upgrade): bytes both ways ---- */

typedef struct osdear__http_tunnel osdear__http_tunnel; /* one thread may read while another writes */
/* Sends the request with HTTP/1.1 as it stands: `Connection` and `Upgrade` are the caller's headers; a body comes from memory. On 101 (and on
 * 200 without a length, as old servers answer) *out is set; on others it stays NULL and `response` has the body. One attempt. No NEGOTIATE. */
MUST_USE osdear_status osdear__http_upgrade(osdear__http_client *client, osdear_context *context,
                                            const osdear__http_request *request, osdear__http_response *response,
                                            osdear__http_tunnel **out, osdear_error **error);
/* As osdear__http_read(). */
MUST_USE osdear_status osdear__http_tunnel_read(osdear__http_tunnel *tunnel, void *out, size_t room, int64_t timeout_ms,
                                                size_t *got, osdear_error **error);
MUST_USE osdear_status osdear__http_tunnel_write(osdear__http_tunnel *tunnel, const void *data, size_t size,
                                                 osdear_error **error);
/* At least one byte of it; *put: how many. `timeout_ms` as for reading: TIMEOUT says that nothing was written, and writing may go on. */
MUST_USE osdear_status osdear__http_tunnel_write_some(osdear__http_tunnel *tunnel, const void *data, size_t size,
                                                      int64_t timeout_ms, size_t *put, osdear_error **error);
/* No more will be written: the peer sees the end, and may go on itself. UNSUPPORTED over TLS where libcurl is not built on OpenSSL. */
MUST_USE osdear_status osdear__http_tunnel_finish(osdear__http_tunnel *tunnel, osdear_error **error);
void osdear__http_tunnel_free(osdear__http_tunnel *tunnel); /* NULL is a no-op */
void osdear__http_tunnel_auto(osdear__http_tunnel **tunnel);

/* ---- texts ---- */

/* Whether the values of this header or query parameter must never be shown: Authorization, Cookie, X-API-Key, X-Amz-Signature and their kin. */
bool osdear__http_is_secret(osdear__str name);
/* `url` without user, password and the values of secret parameters. */
void osdear__http_put_url(osdear__buf *out, const char *url);
/* Whether `host`, with its port or without, can be no other machine: an address of 127.0.0.0/8, [::1], localhost and what lies below it. */
bool osdear__http_is_loopback(osdear__str host);
/* Percent-encodes all but A-Z a-z 0-9 - . _ ~ (RFC 3986); `keep` names further characters that stay, such as "/". */
void osdear__http_put_encoded(osdear__buf *out, osdear__str text, const char *keep);
const char *osdear__http_reason(int32_t http_status); /* "Not Found"; "" when unknown */
/* RFC 9110's date, "Sun, 06 Nov 1994 08:49:37 GMT" and its two older forms, as microseconds UTC. */
MUST_USE bool osdear__http_parse_date(osdear__str text, int64_t *us);

#endif
