#include "fixture.h"

#include <http/internal.h>

#include <stdio.h>

static void start(void)
{
  fixture_fake_clock();
  fixture_start();
}

TestSuite(retry, .init = start, .fini = fixture_stop, .timeout = 60);

Test(retry, what_may_pass_is_tried_again)
{
  expect_answer(get("/status/503?times=2"), 200);
  cr_assert_eq(response.attempts, 3);
  cr_assert_str_eq(response.body.data, "3");
  cr_assert_gt(slept_us, 0);
}

Test(retry, the_last_answer_stands_when_attempts_are_used_up)
{
  expect_answer(get("/status/500"), 500);
  cr_assert_eq(response.attempts, 3);
  cr_assert_eq(osdear__http_expect(&response, &error), OSDEAR_ERR_UNAVAILABLE);
  cr_assert_not_null(strstr(osdear_error_message(error), "500 Internal Server Error [3 attempts]"), "%s",
                     osdear_error_message(error));
  cr_assert_eq(osdear_error_retryable(error), 1);
}

Test(retry, what_will_not_pass_is_not)
{
  expect_answer(get("/status/403"), 403);
  cr_assert_eq(response.attempts, 1);
  expect_answer(get("/status/501?key=x"), 501);
  cr_assert_eq(response.attempts, 1);
}

Test(retry, a_post_is_not_repeated_after_it_may_have_been_carried_out)
{
  osdear__http_request request = { .method = "POST", .url = "/status/503?times=1" };

  expect_answer(ask(&request), 503);
  request.url = "/drop?times=1&key=a";
  expect_failure(ask(&request), OSDEAR_ERR_UNAVAILABLE, "POST");
  expect_answer(get("/count/a"), 200);
  cr_assert_str_eq(response.body.data, "1");
  request.url = "/status/429?times=1&key=b";
  expect_answer(ask(&request), 200);
  cr_assert_eq(response.attempts, 2);
  request.url = "/status/503?times=1&key=c";
  request.repeat = HTTP_REPEAT_SAFE;
  expect_answer(ask(&request), 200);
}

/* curl itself sends a request anew when a kept connection breaks before the answer. */
Test(retry, a_post_on_a_connection_that_was_kept_is_not_repeated_behind_our_back)
{
  osdear__http_request request = { .method = "POST", .url = "/drop?key=a" };

  expect_answer(get("/echo"), 200);
  expect_failure(ask(&request), OSDEAR_ERR_UNAVAILABLE, "POST");
  expect_answer(get("/count/a"), 200);
  cr_assert_str_eq(response.body.data, "1");
}

Test(retry, a_put_that_curl_repeats_on_a_new_connection_counts_as_maybe_done)
{
  expect_answer(get("/echo"), 200);
  expect_answer(ask(&(osdear__http_request){ .method = "PUT", .url = "/drop?times=1", .body = "x", .body_size = 1 }), 200);
  cr_assert(response.maybe_done_before);
}

Test(retry, a_first_attempt_leaves_nothing_in_doubt)
{
  expect_answer(get("/echo"), 200);
  cr_assert_not(response.maybe_done_before);
}

Test(retry, a_server_that_says_when_is_obeyed_up_to_a_ceiling)
{
  expect_answer(get("/status/429?times=1&retry_after=7"), 200);
  cr_assert_geq(slept_us, 6500000); /* the real clock runs on besides */
  cr_assert_lt(slept_us, 8000000);
  slept_us = 0;
  expect_answer(get("/status/503?times=1&key=b&retry_after=3600"), 200);
  cr_assert_geq(slept_us, 19500000);
  cr_assert_lt(slept_us, 21000000);
  slept_us = 0;
  expect_answer(get("/status/503?times=1&key=c&retry_after=Sun,%2006%20Nov%201994%2008:49:49%20GMT"), 200);
  cr_assert_gt(slept_us, 0);
}

Test(retry, no_attempt_is_waited_for_beyond_the_deadline)
{
  osdear__http_request request = { .url = "/status/503?times=1&retry_after=9", .timeout_ms = 5000 };

  expect_answer(ask(&request), 503);
  cr_assert_eq(response.attempts, 1);
  cr_assert_eq(slept_us, 0);
}

Test(retry, a_budget_ends_the_repetitions_of_a_service_that_is_down)
{
  int attempts = 0;

  config.max_attempts = 100;
  fixture_client();
  expect_answer(get("/status/500"), 500);
  attempts = response.attempts;
  cr_assert_eq(attempts, 1 + RETRY_TOKENS / RETRY_COST);
  expect_answer(get("/status/500"), 500);
  cr_assert_eq(response.attempts, 1);
  for (int i = 0; i < RETRY_COST; i++)
    expect_answer(get("/echo"), 200);
  expect_answer(get("/status/500"), 500);
  cr_assert_eq(response.attempts, 2);
}

Test(retry, waits_double_up_to_the_ceiling_and_are_spread)
{
  int64_t most[6] = { 0 };

  for (int i = 0; i < 200; i++)
    for (int32_t next = 2; next < 8; next++) {
      int64_t wait = osdear__retry_wait_us(client, next, false, NULL);
      most[next - 2] = wait > most[next - 2] ? wait : most[next - 2];
    }
  for (int i = 0; i < 6; i++) {
    cr_assert_leq(most[i], 50000 << i);
    cr_assert_gt(most[i], (50000 << i) / 2);
  }
  cr_assert_leq(osdear__retry_wait_us(client, 40, true, NULL), 20000000);
}

/* ---- hooks ---- */

static int signs;

static osdear_status sign(void *argument, osdear__http_attempt *attempt, osdear_error **failure)
{
  char value[64];

  (void)argument;
  snprintf(value, sizeof value, "%s-%d-%d", attempt->method, attempt->number, attempt->answer ? attempt->answer->status : 0);
  signs++;
  return osdear__http_attempt_set(attempt, "X-Signature", value, failure);
}

static osdear__http_verdict judge(void *argument, const osdear__http_attempt *attempt)
{
  (void)argument;
  if (attempt->answer->status == 400)
    return HTTP_RETRY_AT_ONCE;
  return attempt->answer->status == 503 ? HTTP_DONE : HTTP_AS_USUAL;
}

Test(retry, hooks_sign_each_attempt_and_judge_each_answer)
{
  osdear__http_header replaced = { "x-signature", "mine" };

  config.hooks = (osdear__http_hooks){ .sign = sign, .judge = judge };
  fixture_client();
  expect_answer(ask(&(osdear__http_request){ .url = "/echo", .headers = &replaced, .header_count = 1 }), 200);
  cr_assert_not_null(strstr(response.body.data, "\nX-Signature: GET-1-0\n"));
  cr_assert_null(strstr(response.body.data, "mine"));
  expect_answer(get("/status/503?key=a"), 503);
  cr_assert_eq(response.attempts, 1);
  signs = 0;
  expect_answer(get("/status/400?key=b"), 400);
  cr_assert_eq(response.attempts, 3, "at once, but twice at most");
  cr_assert_eq(signs, 3);
  cr_assert_eq(slept_us, 0);
}

static osdear_status refuse(void *argument, osdear__http_attempt *attempt, osdear_error **failure)
{
  (void)argument;
  (void)attempt;
  return osdear__fail(failure, OSDEAR_ERR_DENIED, "no credentials are left");
}

Test(retry, what_cannot_be_signed_is_not_sent)
{
  config.hooks = (osdear__http_hooks){ .sign = refuse };
  fixture_client();
  expect_failure(get("/drop?key=a"), OSDEAR_ERR_DENIED, "no credentials are left");
}

/* ---- redirects ---- */

Test(retry, a_redirect_is_an_answer_unless_it_may_be_followed)
{
  expect_answer(get("/redirect?to=/echo"), 302);
  cr_assert_str_eq(osdear__http_header_get(&response, "location"), "/echo");
  config.max_redirects = 3;
  fixture_client();
  expect_answer(get("/redirect?to=/echo"), 200);
  cr_assert(osdear__ends_with(response.url, "/echo"));
  expect_answer(
      ask(&(osdear__http_request){ .method = "POST", .url = "/redirect?to=/echo&code=307", .body = "b", .body_size = 1 }), 200);
  cr_assert(osdear__starts_with(response.body.data, "POST /echo\n") && osdear__ends_with(response.body.data, "\n\nb"));
  expect_answer(
      ask(&(osdear__http_request){ .method = "POST", .url = "/redirect?to=/echo&code=303", .body = "b", .body_size = 1 }), 200);
  cr_assert(osdear__starts_with(response.body.data, "GET /echo\n"));
  cr_assert_null(strstr(response.body.data, "Content-Length"));
}

Test(retry, redirects_end_at_their_ceiling)
{
  config.max_redirects = 3;
  fixture_client();
  expect_answer(get("/loop"), 302);
  expect_answer(get("/requests"), 200);
  cr_assert_str_eq(response.body.data, "1 5", "%s", response.body.data);
}

Test(retry, credentials_do_not_follow_to_another_host)
{
  osdear__http_header secrets[] = { { "X-API-Key", "key-1" }, { "Cookie", "c" }, { "X-Plain", "p" } };
  char url[200];
  test_server other;

  test_server_start(&other, NULL);
  config.auth = HTTP_AUTH_BEARER;
  config.secret = "token-1";
  config.max_redirects = 3;
  config.hooks = (osdear__http_hooks){ .sign = sign };
  fixture_client();
  snprintf(url, sizeof url, "/redirect?to=%s/echo", other.url);
  expect_answer(ask(&(osdear__http_request){ .url = url, .headers = secrets, .header_count = COUNT_OF(secrets) }), 200);
  cr_assert_null(strstr(response.body.data, "token-1"));
  cr_assert_null(strstr(response.body.data, "key-1"));
  cr_assert_null(strstr(response.body.data, "Cookie"));
  cr_assert_null(strstr(response.body.data, "X-Signature"));
  cr_assert_not_null(strstr(response.body.data, "X-Plain: p"));
  snprintf(url, sizeof url, "/redirect?to=/echo");
  expect_answer(ask(&(osdear__http_request){ .url = url, .headers = secrets, .header_count = COUNT_OF(secrets) }), 200);
  cr_assert_not_null(strstr(response.body.data, "token-1"));
  cr_assert_not_null(strstr(response.body.data, "key-1"));
  test_server_stop(&other);
}

Test(retry, a_redirect_to_what_is_no_http_is_not_followed)
{
  config.max_redirects = 3;
  fixture_client();
  expect_answer(get("/redirect?to=file:///etc/passwd"), 302);
  expect_answer(get("/redirect?to=http://me:pass@127.0.0.1/"), 302);
}
