/** @file internal.h Clients, loops and exchanges, as the files of this layer share them. Private to this layer. */
#ifndef OSDEAR_SRC_HTTP_INTERNAL_H
#define OSDEAR_SRC_HTTP_INTERNAL_H

#include <pthread.h>
#include <signal.h>

#include <http/curl.h>
#include <http/response.h>

/* ---- clients (client.c) ---- */

enum { LANES = 16, SPARE_HANDLES = 16 };

struct osdear__http_client {
  _Atomic int64_t references;
  osdear__arena texts;            /* what `config` points to */
  osdear__http_config config;     /* with defaults filled in */
  char *authorization;            /* BASIC, BEARER: the header's value; NULL: none */
  pthread_mutex_t lock;           /* of `idle` and `sessions` */
  osdear__http_loop *idle[LANES]; /* with warm connections, the warmest last */
  size_t idle_count;
  CURLSH *sessions; /* TLS sessions, so that further connections need no full handshake */
  pthread_mutex_t session_lock;
  _Atomic int32_t retry_tokens;
};

/* A loop for one blocking call, and its way back. */
MUST_USE osdear_status osdear__client_borrow(osdear__http_client *client, osdear_context *context, osdear__http_loop **out,
                                             osdear_error **error);
void osdear__client_return(osdear__http_client *client, osdear__http_loop *loop);
/* What the client sets on every handle. */
void osdear__client_setup(osdear__http_client *client, const char *url, CURL *easy, CURLcode *failed);
/* The absolute URL of a request: UTF-8 is refused, as is anything that curl would change or a log should not see. */
MUST_USE osdear_status osdear__client_url(const osdear__http_client *client, const char *url, osdear__arena *arena,
                                          const char **out, osdear_error **error);
MUST_USE osdear_status osdear__http_check_method(const char *method, osdear_error **error);
MUST_USE osdear_status osdear__http_check_headers(const osdear__http_header *headers, size_t count, osdear_error **error);

/* ---- trying again (retry.c) ---- */

enum { RETRY_TOKENS = 500, RETRY_COST = 14, RETRY_COST_THROTTLED = 5 };
bool osdear__retry_pay(osdear__http_client *client, int32_t cost);
void osdear__retry_refund(osdear__http_client *client, int32_t paid);
/* How long to wait before attempt number `next`: random up to a ceiling that doubles. */
int64_t osdear__retry_wait_us(const osdear__http_client *client, int32_t next, bool throttled,
                              const osdear__http_response *answer);

/* ---- exchanges (exchange.c: one attempt; follow.c: what comes after it) ---- */

typedef enum osdear__exchange_state {
  EXCHANGE_QUEUED,
  EXCHANGE_WAITING,
  EXCHANGE_RUNNING,
  EXCHANGE_ENDED,
  EXCHANGE_TAKEN
} osdear__exchange_state;

struct osdear__http_exchange {
  osdear__http_loop *loop;
  osdear__http_client *client;
  osdear__http_exchange *next, *previous; /* in the loop's list of its state */
  osdear__exchange_state state;
  bool is_collected;
  osdear__arena arena; /* the request's copy; addresses after redirects */
  osdear__http_request request;
  osdear__http_attempt attempt; /* what hooks see */
  osdear__arena attempt_arena;  /* headers that sign has set */
  osdear__http_header *signed_headers;
  size_t signed_count;
  const char *method, *url; /* as they go out, after redirects */
  bool is_elsewhere;        /* redirected to another host: no credentials */
  bool drops_body;          /* redirected from POST to GET */

  CURL *easy;
  struct curl_slist *header_list;
  char curl_words[CURL_ERROR_SIZE];
  int32_t begun; /* how often curl has begun to send this attempt's request */
  bool answered; /* something of an answer has come since */
  bool head_done;
  bool body_begun;
  bool paused;
  bool is_cut;   /* more words came with an error than anyone wants: the answer stands, the connection goes */
  size_t headed; /* bytes of header lines, of all answers to this attempt and their trailers */
  size_t sent;   /* bytes of the body given to curl */
  int64_t moved; /* bytes of body that curl says went either way */
  int64_t last_byte_us, deadline_us, due_us;
  int32_t at_once, redirects;
  int32_t paid; /* tokens for the last repetition */

  osdear__http_response response;
  osdear_status failed; /* of a callback, or of the whole once it has ended */
  osdear_error *failure;
};

MUST_USE osdear_status osdear__exchange_new(osdear__http_client *client, const osdear__http_request *request,
                                            osdear__http_exchange **out, osdear_error **error);
void osdear__exchange_drop(osdear__http_exchange *exchange); /* not in any list any more */
/* Sets the handle up for the next attempt. A failure is the exchange's end. */
osdear_status osdear__exchange_prepare(osdear__http_exchange *exchange, osdear__http_loop *loop);
/* An attempt is over, by curl's word or by ours (`status` not OSDEAR_OK: idle, or the deadline): the next state is set. */
void osdear__exchange_follow(osdear__http_exchange *exchange, CURLcode code, osdear_status status);
void osdear__exchange_end(osdear__http_exchange *exchange, osdear_status status);
bool osdear__exchange_is_repeatable(const osdear__http_exchange *exchange);

/* What a failure of curl means to who called us; `words` are curl's own. */
osdear_status osdear__curl_status(CURLcode code, const char *words);

/* ---- redirects (redirect.c) ---- */

/* true: the exchange goes on to another address. */
bool osdear__redirect_follow(osdear__http_exchange *exchange);

/* ---- loops (loop.c) ---- */

typedef struct osdear__exchange_list {
  osdear__http_exchange *first, *last;
  size_t count;
} osdear__exchange_list;

struct osdear__http_loop {
  osdear_context *context; /* borrowed while a client's lane, else a reference is held */
  bool is_lane;
  CURLM *multi;
  size_t max_running;
  osdear__exchange_list lists[EXCHANGE_TAKEN + 1];
  CURL *spare[SPARE_HANDLES];
  size_t spare_count;
  int64_t looked_us; /* when timers were looked at last */
  bool has_tls;
  _Atomic bool woken;
};
void osdear__loop_move(osdear__http_exchange *exchange, osdear__exchange_state state);
CURL *osdear__loop_handle(osdear__http_loop *loop); /* NULL: no memory */
/* Until it is enough, nothing is pending, or end_us has come (INT64_MAX: never). */
typedef bool (*osdear__is_enough)(const osdear__http_loop *loop, const void *argument);
MUST_USE osdear_status osdear__loop_run(osdear__http_loop *loop, int64_t end_us, osdear__is_enough enough, const void *argument,
                                        osdear_error **error);

/* ---- SIGPIPE is held back while TLS may write (pipe.c) ---- */

typedef struct osdear__pipe_guard {
  sigset_t before;
  bool is_held, was_pending;
} osdear__pipe_guard;
osdear__pipe_guard osdear__pipe_hold(bool is_needed);
void osdear__pipe_release(const osdear__pipe_guard *guard);

#endif
