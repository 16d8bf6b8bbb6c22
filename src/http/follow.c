/* What comes after an attempt: the end, another attempt, another address. */
#include <http/internal.h>

bool osdear__exchange_is_repeatable(const osdear__http_exchange *exchange)
{
  static const char *const methods[] = { "GET", "HEAD", "OPTIONS", "PUT", "DELETE" };

  if (exchange->request.repeat != HTTP_REPEAT_BY_METHOD)
    return exchange->request.repeat == HTTP_REPEAT_SAFE;
  for (size_t i = 0; i < COUNT_OF(methods); i++)
    if (strcmp(exchange->method, methods[i]) == 0)
      return true;
  return false;
}

void osdear__exchange_end(osdear__http_exchange *exchange, osdear_status status)
{
  SCOPED(buf) url = { 0 };

  exchange->failed = status;
  if (!status) {
    osdear__http_put_url(&url, exchange->url);
    exchange->response.url = osdear__buf_take(&url);
    if (!exchange->response.url)
      exchange->failed = osdear__fail_memory(&exchange->failure);
    memcpy(exchange->response.method, exchange->method, strlen(exchange->method) + 1);
    if (exchange->response.status == 401 && exchange->client->config.auth == HTTP_AUTH_NEGOTIATE && !exchange->is_elsewhere)
      exchange->response.advice = "there was no Kerberos ticket that this host takes: klist shows what there is, kinit gets one";
  }
  osdear__loop_move(exchange, EXCHANGE_ENDED);
}

/* ---- what went wrong, by curl's words ---- */

/* A server that wants a certificate says so by an alert, which TLS 1.3 lets us see only when we read. */
static bool tells_of_certificate(const char *words)
{
  return strstr(words, "alert") && (strstr(words, "certificate") || strstr(words, "unknown ca"));
}

osdear_status osdear__curl_status(CURLcode code, const char *words)
{
  switch (code) {
  case CURLE_OUT_OF_MEMORY: return OSDEAR_ERR_NO_MEMORY;
  case CURLE_OPERATION_TIMEDOUT: return OSDEAR_ERR_TIMEOUT;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_AUTH_ERROR:
  case CURLE_LOGIN_DENIED: return OSDEAR_ERR_DENIED;
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_URL_MALFORMAT: return OSDEAR_ERR_ARGUMENT;
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY: return OSDEAR_ERR_CORRUPT;
  default: return tells_of_certificate(words) ? OSDEAR_ERR_DENIED : OSDEAR_ERR_UNAVAILABLE;
  }
}

static osdear_status status_of(const osdear__http_exchange *exchange, CURLcode code)
{
  osdear_status status = osdear__curl_status(code, exchange->curl_words);
  long proxy_status = 0;

  if (status == OSDEAR_ERR_NO_MEMORY && exchange->begun > 0) /* curl's word for a header line without end, too */
    return OSDEAR_ERR_LIMIT;
  osdear__curl.easy_getinfo(exchange->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  return status == OSDEAR_ERR_UNAVAILABLE && (proxy_status == 403 || proxy_status == 407) ? OSDEAR_ERR_DENIED : status;
}

static const char *remedy_of(CURLcode code)
{
  switch (code) {
  case CURLE_PEER_FAILED_VERIFICATION: return ": give the file of the authority that signed its certificate";
  case CURLE_SSL_CACERT_BADFILE: return ": check the file of authorities";
  case CURLE_SSL_CERTPROBLEM: return ": check the client's certificate and key";
  default: return "";
  }
}

static osdear_status fail_transport(osdear__http_exchange *exchange, CURLcode code, osdear_status status, bool retryable)
{
  osdear__service_answer answer = { .retryable = retryable };
  const char *words = exchange->curl_words[0] ? exchange->curl_words : osdear__curl.easy_strerror(code);
  SCOPED(buf) url = { 0 };

  if (code == CURLE_ABORTED_BY_CALLBACK || code == CURLE_READ_ERROR || code == CURLE_WRITE_ERROR)
    words = "the connection broke";
  osdear__http_put_url(&url, exchange->url);
  if (url.failed || status == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(&exchange->failure);
  return osdear__fail_service(&exchange->failure, status, &answer, "%s %s: %s%s", exchange->method, url.data, words,
                              remedy_of(code));
}

/* ---- another attempt ---- */

/* Bodies that went and came are put back to their start. false: they cannot be. */
static bool rewind_bodies(osdear__http_exchange *exchange)
{
  const osdear__http_source *source = &exchange->request.source;
  const osdear__http_sink *sink = &exchange->request.sink;
  bool took =
      sink->write && exchange->response.body_size > 0 && exchange->response.status >= 200 && exchange->response.status <= 299;
  AUTO(error) ignored = NULL;

  if (source->read && exchange->sent > 0 && (!source->rewind || source->rewind(source->argument, &ignored)))
    return false;
  return !took || (sink->rewind && !sink->rewind(sink->argument, &ignored));
}

static void wait_until(osdear__http_exchange *exchange, int64_t wait_us)
{
  exchange->due_us = osdear__monotonic_us() + wait_us;
  osdear__loop_move(exchange, EXCHANGE_WAITING);
}

static void log_repetition(const osdear__http_exchange *exchange, int64_t wait_us)
{
  SCOPED(buf) url = { 0 };

  osdear__http_put_url(&url, exchange->url);
  if (url.failed)
    return;
  osdear__log(exchange->loop->context, OSDEAR_LOG_INFO, "http", "%s %s: %s, again in %" PRId64 " ms (attempt %d of %d was made)",
              exchange->method, url.data,
              exchange->response.status > 0 ? osdear__http_reason(exchange->response.status) : "no answer", wait_us / 1000,
              exchange->response.attempts, exchange->client->config.max_attempts);
}

static bool try_again(osdear__http_exchange *exchange, bool throttled, const osdear__http_response *answer)
{
  int32_t cost = throttled ? RETRY_COST_THROTTLED : RETRY_COST;
  int64_t wait_us = osdear__retry_wait_us(exchange->client, exchange->response.attempts + 1, throttled, answer);

  if (exchange->response.attempts >= exchange->client->config.max_attempts + exchange->at_once + exchange->redirects)
    return false;
  if (osdear__monotonic_us() + wait_us >= exchange->deadline_us || !rewind_bodies(exchange))
    return false;
  if (!osdear__retry_pay(exchange->client, cost))
    return false;
  exchange->paid = cost;
  exchange->response.status = answer ? answer->status : 0;
  log_repetition(exchange, wait_us);
  wait_until(exchange, wait_us);
  return true;
}

static bool try_at_once(osdear__http_exchange *exchange)
{
  enum { MOST_AT_ONCE = 2 };

  if (exchange->at_once >= MOST_AT_ONCE || !rewind_bodies(exchange))
    return false;
  exchange->at_once++;
  wait_until(exchange, 0);
  return true;
}

/* ---- the two ways an attempt ends ---- */

static osdear__http_verdict judge(osdear__http_exchange *exchange)
{
  const osdear__http_hooks *hooks = &exchange->client->config.hooks;
  int32_t status = exchange->response.status;
  osdear__http_verdict verdict = HTTP_AS_USUAL;

  exchange->attempt.number = exchange->response.attempts;
  exchange->attempt.answer = &exchange->response;
  if (hooks->judge && !exchange->is_elsewhere)
    verdict = hooks->judge(hooks->argument, &exchange->attempt);
  if (verdict != HTTP_AS_USUAL)
    return verdict;
  if (status == 429) /* refused before anything was done */
    return HTTP_RETRY_THROTTLED;
  if ((status == 500 || status == 502 || status == 503 || status == 504) && osdear__exchange_is_repeatable(exchange))
    return status == 503 ? HTTP_RETRY_THROTTLED : HTTP_RETRY;
  return HTTP_DONE;
}

static void follow_answer(osdear__http_exchange *exchange)
{
  osdear__http_verdict verdict;

  if (osdear__redirect_follow(exchange))
    return;
  verdict = judge(exchange);
  if (verdict == HTTP_RETRY_AT_ONCE && try_at_once(exchange))
    return;
  if ((verdict == HTTP_RETRY || verdict == HTTP_RETRY_THROTTLED) &&
      try_again(exchange, verdict == HTTP_RETRY_THROTTLED, &exchange->response)) {
    exchange->response.maybe_done_before = exchange->response.maybe_done_before || exchange->response.status >= 500;
    return;
  }
  if (exchange->response.status < 500)
    osdear__retry_refund(exchange->client, exchange->paid);
  osdear__exchange_end(exchange, OSDEAR_OK);
}

/* The same request may succeed where there was no answer, unless what is wrong will stay so. */
static bool may_pass(osdear_status status)
{
  return status == OSDEAR_ERR_UNAVAILABLE || status == OSDEAR_ERR_TIMEOUT;
}

static void follow_failure(osdear__http_exchange *exchange, CURLcode code, osdear_status status)
{
  bool was_begun = exchange->begun > 0;
  bool is_safe = !was_begun || osdear__exchange_is_repeatable(exchange);
  bool is_final = status == OSDEAR_ERR_TIMEOUT && exchange->client->config.silence_is_final;

  status = status ? status : status_of(exchange, code);
  if (may_pass(status) && is_safe && !is_final && try_again(exchange, false, NULL)) {
    exchange->response.maybe_done_before = exchange->response.maybe_done_before || was_begun;
    return;
  }
  osdear__exchange_end(exchange, fail_transport(exchange, code, status, may_pass(status)));
}

void osdear__exchange_follow(osdear__http_exchange *exchange, CURLcode code, osdear_status status)
{
  if (exchange->is_cut || (code == CURLE_OK && !status))
    follow_answer(exchange);
  else if (exchange->failed)
    osdear__exchange_end(exchange, exchange->failed);
  else
    follow_failure(exchange, code, status);
}
