/* Many requests from one thread: starting them, moving their bytes, and ending them when time is up. */
#include <http/internal.h>

#include <stdio.h>

enum {
  DEFAULT_RUNNING = 64,
  SLICE_MS = 50,        /* how long cancellation may go unseen */
  LOOK_EVERY_US = 20000 /* how often timers are looked at */
};

/* ---- lists ---- */

static void list_remove(osdear__exchange_list *list, osdear__http_exchange *exchange)
{
  if (exchange->previous)
    exchange->previous->next = exchange->next;
  else
    list->first = exchange->next;
  if (exchange->next)
    exchange->next->previous = exchange->previous;
  else
    list->last = exchange->previous;
  exchange->next = exchange->previous = NULL;
  list->count--;
}

static void list_append(osdear__exchange_list *list, osdear__http_exchange *exchange)
{
  exchange->previous = list->last;
  exchange->next = NULL;
  if (list->last)
    list->last->next = exchange;
  else
    list->first = exchange;
  list->last = exchange;
  list->count++;
}

void osdear__loop_move(osdear__http_exchange *exchange, osdear__exchange_state state)
{
  list_remove(&exchange->loop->lists[exchange->state], exchange);
  exchange->state = state;
  list_append(&exchange->loop->lists[state], exchange);
}

/* ---- loops ---- */

static void set_multi(CURLM *multi, size_t max_running)
{
  osdear__curl.multi_setopt(multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
  osdear__curl.multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)(max_running < 8 ? 8 : max_running));
}

osdear_status osdear__http_loop_new(osdear_context *context, int32_t max_running, osdear__http_loop **out, osdear_error **error)
{
  osdear__http_loop *loop;
  osdear_status st = osdear__curl_open(error);

  if (st)
    return st;
  loop = osdear__alloc_zeroed(1, sizeof *loop);
  if (!loop)
    return osdear__fail_memory(error);
  loop->context = osdear_context_ref(context);
  loop->max_running = max_running > 0 ? (size_t)max_running : DEFAULT_RUNNING;
  loop->multi = osdear__curl.multi_init();
  if (!loop->multi) {
    osdear__http_loop_free(loop);
    return osdear__fail_memory(error);
  }
  set_multi(loop->multi, loop->max_running);
  *out = loop;
  return OSDEAR_OK;
}

void osdear__http_loop_free(osdear__http_loop *loop)
{
  osdear__pipe_guard guard;

  if (!loop)
    return;
  for (size_t i = 0; i < COUNT_OF(loop->lists); i++)
    while (loop->lists[i].first)
      osdear__http_exchange_free(loop->lists[i].first);
  guard = osdear__pipe_hold(loop->has_tls);
  for (size_t i = 0; i < loop->spare_count; i++)
    osdear__curl.easy_cleanup(loop->spare[i]);
  if (loop->multi)
    osdear__curl.multi_cleanup(loop->multi);
  osdear__pipe_release(&guard);
  if (!loop->is_lane)
    osdear_context_unref(loop->context);
  osdear__free(loop);
}

void osdear__http_loop_auto(osdear__http_loop **loop)
{
  osdear__http_loop_free(*loop);
}

CURL *osdear__loop_handle(osdear__http_loop *loop)
{
  return loop->spare_count > 0 ? loop->spare[--loop->spare_count] : osdear__curl.easy_init();
}

/* A handle keeps nothing of an exchange but its place in the pool. */
static void release_handle(osdear__http_exchange *exchange)
{
  osdear__http_loop *loop = exchange->loop;
  CURL *easy = exchange->easy;
  osdear__pipe_guard guard;

  exchange->easy = NULL;
  if (!easy)
    return;
  guard = osdear__pipe_hold(loop->has_tls);
  osdear__curl.multi_remove_handle(loop->multi, easy);
  if (loop->spare_count < SPARE_HANDLES) {
    osdear__curl.easy_reset(easy);
    osdear__curl.easy_setopt(easy, CURLOPT_SHARE,
                             NULL); /* which a reset leaves: the next client has its own, and this one may go */
    loop->spare[loop->spare_count++] = easy;
  } else {
    osdear__curl.easy_cleanup(easy);
  }
  osdear__pipe_release(&guard);
}

/* ---- exchanges in a loop ---- */

osdear_status osdear__http_submit(osdear__http_loop *loop, osdear__http_client *client, const osdear__http_request *request,
                                  osdear__http_exchange **out, osdear_error **error)
{
  osdear__http_exchange *exchange = NULL;
  osdear_status st = osdear__exchange_new(client, request, &exchange, error);

  if (st)
    return st;
  exchange->loop = loop;
  exchange->deadline_us = -1;
  list_append(&loop->lists[EXCHANGE_QUEUED], exchange);
  *out = exchange;
  return OSDEAR_OK;
}

void osdear__http_exchange_free(osdear__http_exchange *exchange)
{
  if (!exchange)
    return;
  release_handle(exchange);
  list_remove(&exchange->loop->lists[exchange->state], exchange);
  osdear__exchange_drop(exchange);
}

const void *osdear__http_exchange_tag(const osdear__http_exchange *exchange)
{
  return exchange->request.tag;
}

osdear_status osdear__http_exchange_take(osdear__http_exchange *exchange, osdear__http_response *response, osdear_error **error)
{
  if (exchange->state != EXCHANGE_ENDED)
    return osdear__fail(error, OSDEAR_ERR_STATE,
                        exchange->state == EXCHANGE_TAKEN ? "an answer is taken once only" : "no answer yet");
  osdear__loop_move(exchange, EXCHANGE_TAKEN);
  if (exchange->failed) {
    if (error) {
      osdear_error_free(*error);
      *error = exchange->failure;
      exchange->failure = NULL;
    }
    return exchange->failed;
  }
  osdear__http_response_drop(response);
  *response = exchange->response;
  memset(&exchange->response, 0, sizeof exchange->response);
  return OSDEAR_OK;
}

osdear__http_exchange *osdear__http_collect(osdear__http_loop *loop)
{
  osdear__http_exchange *exchange = loop->lists[EXCHANGE_ENDED].first;

  while (exchange && exchange->is_collected)
    exchange = exchange->next;
  if (exchange)
    exchange->is_collected = true;
  return exchange;
}

size_t osdear__http_pending(const osdear__http_loop *loop)
{
  return loop->lists[EXCHANGE_QUEUED].count + loop->lists[EXCHANGE_WAITING].count + loop->lists[EXCHANGE_RUNNING].count;
}

void osdear__http_wake(osdear__http_loop *loop)
{
  atomic_store(&loop->woken, true);
  osdear__curl.multi_wakeup(loop->multi);
}

void osdear__http_resume(osdear__http_exchange *exchange)
{
  osdear__pipe_guard guard;

  if (exchange->state != EXCHANGE_RUNNING || !exchange->paused)
    return;
  exchange->paused = false;
  exchange->last_byte_us = osdear__monotonic_us();
  guard = osdear__pipe_hold(exchange->loop->has_tls);
  osdear__curl.easy_pause(exchange->easy, CURLPAUSE_CONT); /* may hand on what was held back, and be paused again */
  osdear__pipe_release(&guard);
}

/* ---- moving ---- */

static void start(osdear__http_exchange *exchange)
{
  osdear__http_loop *loop = exchange->loop;
  osdear_status st;

  if (exchange->deadline_us < 0)
    exchange->deadline_us =
        exchange->request.timeout_ms < 0 ? INT64_MAX : osdear__monotonic_us() + exchange->request.timeout_ms * 1000;
  loop->has_tls = loop->has_tls || osdear__starts_with(exchange->url, "https:");
  st = osdear__exchange_prepare(exchange, loop);
  if (!st && osdear__curl.multi_add_handle(loop->multi, exchange->easy) != CURLM_OK)
    st = osdear__fail_memory(&exchange->failure);
  if (st) {
    release_handle(exchange);
    osdear__exchange_end(exchange, st);
  } else {
    osdear__loop_move(exchange, EXCHANGE_RUNNING);
  }
}

/* Those whose wait is over go before new ones. Returns when the next of the others is due. */
static int64_t start_due(osdear__http_loop *loop)
{
  osdear__http_exchange *next, *exchange = loop->lists[EXCHANGE_WAITING].first;
  int64_t now = exchange ? osdear__monotonic_us() : 0, due = INT64_MAX;

  for (; exchange; exchange = next) {
    next = exchange->next;
    if (exchange->due_us > now)
      due = exchange->due_us < due ? exchange->due_us : due;
    else if (loop->lists[EXCHANGE_RUNNING].count < loop->max_running)
      start(exchange);
  }
  while (loop->lists[EXCHANGE_QUEUED].first && loop->lists[EXCHANGE_RUNNING].count < loop->max_running)
    start(loop->lists[EXCHANGE_QUEUED].first);
  return due;
}

static void reap(osdear__http_loop *loop)
{
  int left;
  CURLMsg *message = osdear__curl.multi_info_read(loop->multi, &left);

  for (; message; message = osdear__curl.multi_info_read(loop->multi, &left)) {
    osdear__http_exchange *exchange = NULL;
    CURLcode code = message->data.result;
    osdear__curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
    osdear__exchange_follow(exchange, code, OSDEAR_OK);
    release_handle(exchange);
  }
}

static bool is_idle(const osdear__http_exchange *exchange, int64_t now)
{
  int64_t idle_ms = exchange->request.idle_timeout_ms;

  return idle_ms > 0 && exchange->begun > 0 && !exchange->paused && now - exchange->last_byte_us > idle_ms * 1000;
}

static void give_up(osdear__http_exchange *exchange, CURLcode code, const char *why)
{
  snprintf(exchange->curl_words, sizeof exchange->curl_words, "%s", why);
  osdear__exchange_follow(exchange, code, OSDEAR_ERR_TIMEOUT);
  release_handle(exchange);
}

/* An exchange that waits for its next attempt has a deadline, too, but try_again() does not let one wait beyond it. */
static void look_at_timers(osdear__http_loop *loop)
{
  osdear__http_exchange *next, *exchange;
  int64_t now = osdear__monotonic_us();

  if (now - loop->looked_us < LOOK_EVERY_US)
    return;
  loop->looked_us = now;
  for (exchange = loop->lists[EXCHANGE_RUNNING].first; exchange; exchange = next) {
    next = exchange->next;
    if (now >= exchange->deadline_us)
      give_up(exchange, CURLE_OPERATION_TIMEDOUT, "no answer within the time that was given");
    else if (is_idle(exchange, now))
      give_up(exchange, CURLE_OPERATION_TIMEDOUT, "nothing came or went for too long");
  }
}

static osdear_status move_bytes(osdear__http_loop *loop, osdear_error **error)
{
  int running;
  osdear__pipe_guard guard = osdear__pipe_hold(loop->has_tls);
  CURLMcode code = osdear__curl.multi_perform(loop->multi, &running);

  osdear__pipe_release(&guard);
  if (code == CURLM_OUT_OF_MEMORY)
    return osdear__fail_memory(error);
  if (code != CURLM_OK)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "libcurl cannot go on: code %d", (int)code);
  reap(loop);
  look_at_timers(loop);
  return OSDEAR_OK;
}

/* Sleeps until a socket is ready, an attempt is due, or a slice has passed. */
static void wait_a_slice(osdear__http_loop *loop, int64_t until_us)
{
  int64_t left = until_us == INT64_MAX ? INT64_MAX : until_us - osdear__monotonic_us();
  int64_t us = left < SLICE_MS * 1000 ? left : SLICE_MS * 1000;

  if (us <= 0)
    return;
  if (loop->lists[EXCHANGE_RUNNING].count > 0)
    osdear__curl.multi_poll(loop->multi, NULL, 0, (int)((us + 999) / 1000), NULL);
  else
    osdear__the_world->sleep_us(us);
}

osdear_status osdear__loop_run(osdear__http_loop *loop, int64_t end_us, osdear__is_enough enough, const void *argument,
                               osdear_error **error)
{
  for (;;) {
    int64_t due;
    osdear_status st = loop->context ? osdear__context_check(loop->context, error) : OSDEAR_OK;
    if (st)
      return st;
    due = start_due(loop);
    if (loop->lists[EXCHANGE_RUNNING].count > 0) {
      st = move_bytes(loop, error);
      if (st)
        return st;
      due = start_due(loop);
    }
    if (enough(loop, argument) || osdear__http_pending(loop) == 0 || atomic_exchange(&loop->woken, false))
      return OSDEAR_OK;
    if (end_us != INT64_MAX && osdear__monotonic_us() >= end_us)
      return OSDEAR_OK;
    wait_a_slice(loop, due < end_us ? due : end_us);
  }
}

static bool has_uncollected(const osdear__http_loop *loop, const void *argument)
{
  const osdear__http_exchange *exchange = loop->lists[EXCHANGE_ENDED].first;

  (void)argument;
  while (exchange && exchange->is_collected)
    exchange = exchange->next;
  return exchange != NULL;
}

osdear_status osdear__http_step(osdear__http_loop *loop, int64_t timeout_ms, osdear_error **error)
{
  int64_t end = timeout_ms < 0 ? INT64_MAX : osdear__monotonic_us() + timeout_ms * 1000;

  return osdear__loop_run(loop, end, has_uncollected, NULL, error);
}

static bool has_ended(const osdear__http_loop *loop, const void *argument)
{
  const osdear__http_exchange *exchange = argument;

  (void)loop;
  return exchange->state == EXCHANGE_ENDED;
}

/* ---- one request ---- */

osdear_status osdear__http_send(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                osdear__http_response *response, osdear_error **error)
{
  osdear__http_exchange *exchange = NULL;
  osdear__http_loop *loop = NULL;
  osdear_status st = osdear__client_borrow(client, context, &loop, error);

  if (st)
    return st;
  st = osdear__http_submit(loop, client, request, &exchange, error);
  if (!st)
    st = osdear__loop_run(loop, INT64_MAX, has_ended, exchange, error);
  if (!st)
    st = osdear__http_exchange_take(exchange, response, error);
  osdear__http_exchange_free(exchange);
  osdear__client_return(client, loop);
  return st;
}
