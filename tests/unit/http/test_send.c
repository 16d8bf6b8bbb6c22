#include "../../support/server.h"

#include <http/http.h>

#include <criterion/criterion.h>
#include <stdio.h>

static test_server server;
static osdear__http_client *client;
static osdear__http_response response;
static osdear_error *error;

static void start(void)
{
  osdear__http_config config = { 0 };

  test_server_start(&server, NULL);
  config.base_url = server.url;
  cr_assert_eq(osdear__http_client_new(&config, &client, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

static void stop(void)
{
  osdear__http_response_drop(&response);
  osdear__http_client_unref(client);
  osdear_error_free(error);
  error = NULL;
  test_server_stop(&server);
}

TestSuite(send, .init = start, .fini = stop, .timeout = 30);

static osdear_status ask(const osdear__http_request *request)
{
  return osdear__http_send(client, NULL, request, &response, &error);
}

static osdear_status get(const char *url)
{
  return ask(&(osdear__http_request){ .url = url });
}

static void expect_answer(osdear_status status, int32_t http_status)
{
  cr_assert_eq(status, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(response.status, http_status, "%d: %s", response.status, response.body.data ? response.body.data : "");
}

Test(send, an_answer_has_status_headers_and_body)
{
  osdear__http_header header;
  size_t cursor = 0, things = 0;

  expect_answer(get("/echo?a=%2F/../b"), 200);
  cr_assert(osdear__starts_with(response.body.data, "GET /echo?a=%2F/../b\n"));
  cr_assert_str_eq(osdear__http_header_get(&response, "X-AMZ-request-id"), "req-1");
  while (osdear__http_header_next(&response, &cursor, &header))
    things += osdear__str_equal_nocase(osdear__str_of(header.name), STR("X-Thing"));
  cr_assert_eq(things, 2);
  cr_assert_null(osdear__http_header_get(&response, "X-Nothing"));
  cr_assert_eq(response.attempts, 1);
}

Test(send, a_body_goes_out_as_it_is_and_with_no_header_that_was_not_asked_for)
{
  osdear__http_header header = { "X-Empty", "" };

  expect_answer(ask(&(osdear__http_request){
                    .method = "POST", .url = "/echo", .headers = &header, .header_count = 1, .body = "a=b", .body_size = 3 }),
                200);
  cr_assert(osdear__ends_with(response.body.data, "\n\na=b"));
  cr_assert_not_null(strstr(response.body.data, "\nContent-Length: 3\n"));
  cr_assert_not_null(strstr(response.body.data, "\nX-Empty: \n"));
  cr_assert_null(strstr(response.body.data, "Content-Type"));
  cr_assert_null(strstr(response.body.data, "Expect"));
}
