#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static osdear__http_loop *loop;

static void start(void)
{
  fixture_start();
  cr_assert_eq(osdear__http_loop_new(NULL, 8, &loop, &error), OSDEAR_OK);
}

static void stop(void)
{
  osdear__http_loop_free(loop);
  fixture_stop();
}

TestSuite(loop, .init = start, .fini = stop, .timeout = 60);

static osdear__http_exchange *submit(const osdear__http_request *request)
{
  osdear__http_exchange *exchange;

  cr_assert_eq(osdear__http_submit(loop, client, request, &exchange, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  return exchange;
}

static int64_t milliseconds(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

Test(loop, many_requests_are_under_way_at_once_on_few_connections)
{
  enum { COUNT = 200 };
  int64_t sum = 0, started = milliseconds();
  size_t collected = 0;

  for (intptr_t i = 0; i < COUNT; i++)
    submit(&(osdear__http_request){ .url = "/slow?ms=100", .tag = (const void *)(i + 1) });
  cr_assert_eq(osdear__http_pending(loop), COUNT);
  while (collected < COUNT) {
    osdear__http_exchange *exchange;
    cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK);
    for (exchange = osdear__http_collect(loop); exchange; exchange = osdear__http_collect(loop)) {
      sum += (intptr_t)osdear__http_exchange_tag(exchange);
      expect_answer(osdear__http_exchange_take(exchange, &response, &error), 200);
      osdear__http_exchange_free(exchange);
      collected++;
    }
  }
  cr_assert_eq(sum, COUNT * (COUNT + 1) / 2);
  cr_assert_lt(milliseconds() - started, COUNT * 100 / 2, "one after the other");
  expect_answer(get("/requests"), 200);
  cr_assert(osdear__starts_with(response.body.data, "9 "), "8 and this one's: %s", response.body.data);
}

Test(loop, ranges_of_one_file_come_in_parallel_into_one_place)
{
  static char place[100000];
  osdear__http_exchange *parts[10];

  for (size_t i = 0; i < 10; i++) {
    char range[64];
    osdear__http_header header = { "Range", range };
    snprintf(range, sizeof range, "bytes=%zu-%zu", i * 10000, i * 10000 + 9999);
    parts[i] = submit(&(osdear__http_request){
        .url = "/bytes/100000?range=1", .headers = &header, .header_count = 1, .into = place + i * 10000, .into_size = 10000 });
  }
  while (osdear__http_pending(loop) > 0)
    cr_assert_eq(osdear__http_step(loop, 100, &error), OSDEAR_OK);
  for (size_t i = 0; i < 10; i++) {
    expect_answer(osdear__http_exchange_take(parts[i], &response, &error), 200);
    cr_assert_eq(response.body_size, 10000);
  }
  for (size_t i = 0; i < sizeof place; i++)
    cr_assert_eq(place[i], (char)(i % 251));
}

Test(loop, a_failure_is_one_exchanges_own)
{
  osdear__http_exchange *good = submit(&(osdear__http_request){ .url = "/echo" });
  osdear__http_exchange *bad = submit(&(osdear__http_request){ .method = "POST", .url = "/drop" });

  while (osdear__http_pending(loop) > 0)
    cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK);
  expect_answer(osdear__http_exchange_take(good, &response, &error), 200);
  expect_failure(osdear__http_exchange_take(bad, &response, &error), OSDEAR_ERR_UNAVAILABLE, "/drop");
  cr_assert_eq(osdear__http_exchange_take(good, &response, &error), OSDEAR_ERR_STATE);
}

Test(loop, one_that_waits_for_its_next_attempt_holds_nobody_up)
{
  osdear__http_exchange *slow = submit(&(osdear__http_request){ .url = "/status/503?times=1&retry_after=1" });
  osdear__http_exchange *quick = submit(&(osdear__http_request){ .url = "/echo" });

  cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_collect(loop), quick);
  cr_assert_eq(osdear__http_pending(loop), 1);
  cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_collect(loop), slow);
  expect_answer(osdear__http_exchange_take(slow, &response, &error), 200);
}

Test(loop, a_step_returns_in_time)
{
  int64_t started = milliseconds();

  cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK, "nothing to wait for");
  submit(&(osdear__http_request){ .url = "/slow?ms=20000" });
  cr_assert_eq(osdear__http_step(loop, 100, &error), OSDEAR_OK);
  cr_assert_lt(milliseconds() - started, 8000);
  cr_assert_null(osdear__http_collect(loop));
  osdear__http_wake(loop);
  cr_assert_eq(osdear__http_step(loop, 20000, &error), OSDEAR_OK);
  cr_assert_lt(milliseconds() - started, 16000);
}

Test(loop, an_exchange_can_be_given_up_at_any_time)
{
  osdear__http_exchange *running = submit(&(osdear__http_request){ .url = "/slow?ms=20000" });
  osdear__http_exchange *queued = submit(&(osdear__http_request){ .url = "/echo" });

  osdear__http_exchange_free(queued);
  cr_assert_eq(osdear__http_step(loop, 100, &error), OSDEAR_OK);
  osdear__http_exchange_free(running);
  cr_assert_eq(osdear__http_pending(loop), 0);
  osdear__http_exchange_free(NULL);
}

typedef struct holding {
  size_t size;
  int pauses;
} holding;

static osdear_status hold(void *argument, const void *data, size_t size, bool *pause, osdear_error **failure)
{
  holding *self = argument;

  (void)data;
  (void)failure;
  self->size += size;
  self->pauses++;
  *pause = true;
  return OSDEAR_OK;
}

Test(loop, a_sink_that_pauses_gets_no_more_until_it_is_resumed)
{
  holding state = { 0 };
  osdear__http_exchange *exchange = submit(
      &(osdear__http_request){ .url = "/bytes/5000000", .sink = { .write = hold, .argument = &state }, .idle_timeout_ms = 2000 });

  cr_assert_eq(osdear__http_step(loop, 3000, &error), OSDEAR_OK, "longer than the idle time, which does not run meanwhile");
  cr_assert_eq(state.pauses, 1);
  while (osdear__http_pending(loop) > 0) {
    osdear__http_resume(exchange);
    cr_assert_eq(osdear__http_step(loop, 10, &error), OSDEAR_OK);
  }
  expect_answer(osdear__http_exchange_take(exchange, &response, &error), 200);
  cr_assert_eq(state.size, 5000000);
  cr_assert_gt(state.pauses, 10);
}

/* ---- time and cancellation: limits are wide, for machines that do much else ---- */

static void expect_end(const osdear__http_request *request, osdear_context *context, osdear_status expected, int64_t most_ms)
{
  int64_t started = milliseconds();
  osdear_status status = osdear__http_send(client, context, request, &response, &error);
  int64_t took = milliseconds() - started;

  cr_assert_eq(status, expected, "%s: %s", osdear_status_name(status), osdear_error_message(error));
  cr_assert_lt(took, most_ms, "%lld ms", (long long)took);
  osdear_error_free(error);
  error = NULL;
}

Test(loop, an_answer_that_does_not_come_ends_with_the_deadline)
{
  expect_end(&(osdear__http_request){ .url = "/slow?ms=20000", .timeout_ms = 200 }, NULL, OSDEAR_ERR_TIMEOUT, 8000);
}

Test(loop, a_peer_that_falls_silent_ends_the_transfer)
{
  config.max_attempts = 1;
  fixture_client();
  expect_end(&(osdear__http_request){ .url = "/stall/10?of=100", .idle_timeout_ms = 200 }, NULL, OSDEAR_ERR_TIMEOUT, 8000);
  expect_end(&(osdear__http_request){ .url = "/slow?ms=20000", .idle_timeout_ms = 200 }, NULL, OSDEAR_ERR_TIMEOUT, 8000);
}

Test(loop, a_slow_answer_that_keeps_coming_is_not_idle)
{
  expect_answer(ask(&(osdear__http_request){ .url = "/bytes/1000?piece=100&delay_ms=300", .idle_timeout_ms = 2500 }), 200);
  cr_assert_eq(response.body_size, 1000);
}

Test(loop, cancelling_ends_a_call_at_once_whatever_it_waits_for)
{
  static const char *const urls[] = { "/slow?ms=20000", "/stall/10?of=100", "/status/503?retry_after=19" };

  for (size_t i = 0; i < COUNT_OF(urls); i++) {
    osdear_context *context = fixture_cancelled_after(150);
    expect_end(&(osdear__http_request){ .url = urls[i] }, context, OSDEAR_ERR_CANCELLED, 8000);
    osdear_context_unref(context);
  }
}

/* A queue of connections that is full takes no more, and says nothing. */
static int listen_deaf(char url[64], int filler[8])
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert_eq(bind(listener, (struct sockaddr *)&address, size), 0);
  cr_assert_eq(listen(listener, 0), 0);
  cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
  for (int i = 0; i < 8; i++) {
    filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(filler[i], (struct sockaddr *)&address, size);
  }
  snprintf(url, 64, "http://127.0.0.1:%d/", ntohs(address.sin_port));
  return listener;
}

Test(loop, a_connection_that_is_never_made_ends_with_its_own_limit_or_by_cancelling)
{
  char url[64];
  int filler[8], listener = listen_deaf(url, filler);
  osdear_context *context = fixture_cancelled_after(50);

  expect_end(&(osdear__http_request){ .url = url }, context, OSDEAR_ERR_CANCELLED, 8000);
  config.connect_timeout_ms = 100;
  config.max_attempts = 1;
  fixture_client();
  expect_end(&(osdear__http_request){ .url = url }, NULL, OSDEAR_ERR_TIMEOUT, 8000);
  osdear_context_unref(context);
  for (int i = 0; i < 8; i++)
    close(filler[i]);
  close(listener);
}
