#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

test_server server;
osdear__http_config config;
osdear__http_client *client;
osdear__http_response response;
osdear_error *error;
int64_t slept_us;

void fixture_client(void)
{
  osdear__http_client_unref(client);
  client = NULL;
  config.base_url = server.url;
  cr_assert_eq(osdear__http_client_new(&config, &client, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

void fixture_start(void)
{
  test_server_start(&server, NULL);
  fixture_client();
}

void fixture_stop(void)
{
  osdear__http_response_drop(&response);
  osdear__http_client_unref(client);
  osdear_error_free(error);
  test_server_stop(&server);
}

osdear_status ask(const osdear__http_request *request)
{
  osdear_error_free(error);
  error = NULL;
  return osdear__http_send(client, NULL, request, &response, &error);
}

osdear_status get(const char *url)
{
  return ask(&(osdear__http_request){ .url = url });
}

void expect_answer(osdear_status status, int32_t http_status)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(response.status, http_status, "%d: %s", response.status, response.body.data ? response.body.data : "");
}

void expect_failure(osdear_status status, osdear_status expected, const char *words)
{
  cr_assert_eq(status, expected, "%s: %s", osdear_status_name(status), osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
}

static int64_t real_monotonic_us(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + slept_us;
}

static int64_t fixed_now_us(void)
{
  return INT64_C(784111777000000) + slept_us;
}

static void sleep_at_once(int64_t us)
{
  slept_us += us;
}

static void count_up(void *out, size_t size)
{
  static unsigned char next = 7;

  for (size_t i = 0; i < size; i++)
    ((unsigned char *)out)[i] = next = (unsigned char)(next * 29 + 3);
}

void fixture_fake_clock(void)
{
  static const osdear__world world = { fixed_now_us, real_monotonic_us, sleep_at_once, count_up };

  osdear__the_world = &world;
}

static int64_t cancel_ms;

static void *throw_later(void *argument)
{
  usleep((useconds_t)(cancel_ms * 1000));
  osdear_cancel_throw(argument);
  osdear_cancel_unref(argument);
  return NULL;
}

osdear_context *fixture_cancelled_after(int64_t ms)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context;
  osdear_cancel *cancel;
  pthread_t thread;

  cr_assert_eq(osdear_cancel_new(-1, &cancel, NULL), OSDEAR_OK);
  cancel_ms = ms;
  options.cancel = cancel;
  options.threads = 1;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(pthread_create(&thread, NULL, throw_later, cancel), 0);
  pthread_detach(thread);
  return context;
}
