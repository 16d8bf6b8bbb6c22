/* Tickets of Kerberos against a real KDC and a real web server, which tests/support/kerberos.py starts. */
#include "fixture.h"

#include <stdlib.h>

static void start(void)
{
  config = (osdear__http_config){
    .base_url = getenv("OSDEAR_TEST_KERBEROS"), .auth = HTTP_AUTH_NEGOTIATE, .proxy = "", .max_redirects = 1
  };
  cr_assert_not_null(config.base_url, "tests/support/kerberos.py runs this program");
  cr_assert_eq(osdear__http_client_new(&config, &client, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

static void stop(void)
{
  osdear__http_response_drop(&response);
  osdear__http_client_unref(client);
  osdear_error_free(error);
}

TestSuite(negotiate, .init = start, .fini = stop, .timeout = 60);

static void expect_header(const char *name, const char *expected)
{
  const char *value = osdear__http_header_get(&response, name);

  cr_assert(value && strcmp(value, expected) == 0, "%s: %s", name, value ? value : "none");
}

Test(negotiate, a_ticket_opens_what_asks_for_one)
{
  for (int turn = 0; turn < 3; turn++) {
    expect_answer(get("/guarded/page"), 200);
    cr_assert_str_eq(response.body.data, "for alice\n");
    expect_header("X-User", "alice@OSDEAR.TEST");
  }
}

Test(negotiate, a_ticket_goes_along_with_a_body)
{
  static char body[200 << 10];

  expect_answer(ask(&(osdear__http_request){ .method = "PUT", .url = "/guarded/page", .body = body, .body_size = sizeof body }),
                405);
  expect_header("X-User", "alice@OSDEAR.TEST");
}

Test(negotiate, a_ticket_does_not_follow_to_another_host)
{
  expect_answer(get("/open"), 200);
  expect_header("X-Ticket", "yes");
  expect_answer(get("/guarded/away"), 200);
  cr_assert_str_eq(response.body.data, "open to all\n");
  expect_header("X-Ticket", "");
}

Test(negotiate, without_a_ticket_it_is_said_how_to_get_one)
{
  setenv("KRB5CCNAME", "FILE:/nonexistent/tickets", 1);
  expect_answer(get("/guarded/page"), 401);
  expect_failure(osdear__http_expect(&response, &error), OSDEAR_ERR_DENIED, "kinit");
  cr_assert_not_null(strstr(osdear_error_message(error), "/guarded/page"), "%s", osdear_error_message(error));
}

Test(negotiate, the_advice_is_for_those_who_use_tickets_only)
{
  config.auth = HTTP_AUTH_NONE;
  osdear__http_client_unref(client);
  cr_assert_eq(osdear__http_client_new(&config, &client, &error), OSDEAR_OK);
  expect_answer(get("/guarded/page"), 401);
  expect_failure(osdear__http_expect(&response, &error), OSDEAR_ERR_DENIED, "401");
  cr_assert_null(strstr(osdear_error_message(error), "kinit"), "%s", osdear_error_message(error));
}
