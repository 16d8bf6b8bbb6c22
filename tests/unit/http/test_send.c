#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

TestSuite(send, .init = fixture_start, .fini = fixture_stop, .timeout = 60);

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

Test(send, a_path_goes_out_byte_by_byte)
{
  expect_answer(get("/echo/a//b/./c/%2e%2E/d=1/%C3%BC?x=%2f&&y"), 200);
  cr_assert(osdear__starts_with(response.body.data, "GET /echo/a//b/./c/%2e%2E/d=1/%C3%BC?x=%2f&&y\n"), "%s", response.body.data);
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

Test(send, an_empty_body_has_a_length)
{
  expect_answer(ask(&(osdear__http_request){ .method = "PUT", .url = "/echo" }), 200);
  cr_assert_not_null(strstr(response.body.data, "\nContent-Length: 0\n"));
  expect_answer(ask(&(osdear__http_request){ .method = "DELETE", .url = "/echo" }), 200);
  cr_assert(osdear__starts_with(response.body.data, "DELETE /echo\n"));
  cr_assert_null(strstr(response.body.data, "Content-Length"));
}

Test(send, large_bodies_go_out_from_memory)
{
  enum { SIZE = 3 << 20 };
  char *body = malloc(SIZE);

  for (size_t i = 0; i < SIZE; i++)
    body[i] = (char)(i * 7 % 251);
  expect_answer(ask(&(osdear__http_request){ .method = "PUT", .url = "/upload", .body = body, .body_size = SIZE }), 200);
  cr_assert(osdear__starts_with(response.body.data, "3145728 "));
  expect_answer(
      ask(&(osdear__http_request){ .method = "PUT", .url = "/upload", .body = body, .body_size = SIZE, .expect_continue = true }),
      200);
  cr_assert(osdear__starts_with(response.body.data, "3145728 "));
  free(body);
}

Test(send, head_has_headers_but_no_body)
{
  expect_answer(ask(&(osdear__http_request){ .method = "HEAD", .url = "/bytes/1000" }), 200);
  cr_assert_str_eq(osdear__http_header_get(&response, "content-length"), "1000");
  cr_assert_eq(response.body_size, 0);
}

Test(send, connections_are_used_again)
{
  for (int i = 0; i < 5; i++)
    expect_answer(get("/echo"), 200);
  expect_answer(get("/requests"), 200);
  cr_assert_str_eq(response.body.data, "1 6");
}

Test(send, a_body_can_go_straight_to_its_place)
{
  char place[1000];

  expect_answer(ask(&(osdear__http_request){ .url = "/bytes/1000", .into = place, .into_size = sizeof place }), 200);
  cr_assert_eq(response.body_size, 1000);
  cr_assert_eq(response.body.size, 0);
  cr_assert_eq(place[250], (char)250);
  cr_assert_eq(place[999], (char)(999 % 251));
  expect_failure(ask(&(osdear__http_request){ .url = "/bytes/1001", .into = place, .into_size = sizeof place }), OSDEAR_ERR_LIMIT,
                 "longer than the 1000 bytes");
}

Test(send, sizes_of_strangers_have_ceilings)
{
  expect_failure(ask(&(osdear__http_request){ .url = "/bytes/5001", .max_body = 5000 }), OSDEAR_ERR_LIMIT,
                 "longer than 5000 bytes");
  expect_failure(get("/headers?count=40&size=3000"), OSDEAR_ERR_LIMIT, "bytes of headers");
  expect_answer(get("/headers?count=20&size=3000"), 200);
}

/* No idle time ends what always goes on. */
Test(send, heads_without_an_end_are_given_up, .timeout = 60)
{
  static const char *const urls[] = {
    "/raw?text=HTTP/1.1+200+OK%0d%0a&again=no+header%0d%0a", "/raw?text=HTTP/1.1+200+OK%0d%0a&again=X:+y%0d%0a",
    "/raw?text=HTTP/1.1+200+OK%0d%0a&again=no+end", "/raw?text=&again=HTTP/1.1+100+Continue%0d%0a%0d%0a",
    "/raw?text=HTTP/1.1+200+OK%0d%0aTransfer-Encoding:+chunked%0d%0a%0d%0a0%0d%0a&again=X:+y%0d%0a"
  };

  for (size_t i = 0; i < COUNT_OF(urls); i++)
    cr_assert_neq(get(urls[i]), OSDEAR_OK, "%s", urls[i]);
}

Test(send, an_error_keeps_the_first_words_of_its_body)
{
  expect_answer(get("/status/404?body=NoSuchThing"), 404);
  cr_assert_str_eq(response.body.data, "NoSuchThing");
  cr_assert_eq(osdear__http_expect(&response, &error), OSDEAR_ERR_NOT_FOUND);
  cr_assert_not_null(strstr(osdear_error_message(error), "/status/404?body=NoSuchThing: 404 Not Found: NoSuchThing"), "%s",
                     osdear_error_message(error));
  cr_assert_eq(osdear_error_http_status(error), 404);
  cr_assert_str_eq(osdear_error_request_id(error), "req-1");
}

Test(send, words_of_a_service_make_one_line_of_text)
{
  expect_answer(get("/status/400"), 400);
  osdear__http_fail(&response, OSDEAR_ERR_DATA, "Bad\nCode", &error, "%s", "two\nlines\x01\xFF");
  cr_assert_not_null(strstr(osdear_error_message(error), "(Bad Code): two lines ?"), "%s", osdear_error_message(error));
  cr_assert_eq(osdear_error_status(error), OSDEAR_ERR_DATA);
}

Test(send, what_could_smuggle_a_header_or_a_request_is_refused)
{
  static const osdear__http_header bad[] = { { "X-A", "1\r\nX-B: 2" }, { "X A", "1" }, { "", "1" }, { "X-A:", "1" } };

  for (size_t i = 0; i < COUNT_OF(bad); i++)
    expect_failure(ask(&(osdear__http_request){ .url = "/echo", .headers = &bad[i], .header_count = 1 }), OSDEAR_ERR_ARGUMENT,
                   "header");
  expect_failure(get("/echo a"), OSDEAR_ERR_ARGUMENT, "percent-encoded");
  expect_failure(get("/echo#f"), OSDEAR_ERR_ARGUMENT, "percent-encoded");
  expect_failure(get("/echo\r\nX: y"), OSDEAR_ERR_ARGUMENT, "percent-encoded");
  expect_failure(get("ftp://127.0.0.1/x"), OSDEAR_ERR_ARGUMENT, "no address of http");
  expect_failure(get("http://me:secret@127.0.0.1/"), OSDEAR_ERR_ARGUMENT, "no user or password");
  cr_assert_null(strstr(osdear_error_message(error), "secret"));
  expect_failure(ask(&(osdear__http_request){ .method = "GET /", .url = "/echo" }), OSDEAR_ERR_ARGUMENT, "no method");
}

Test(send, credentials_go_out_and_a_requests_own_come_first)
{
  osdear__http_header own = { "authorization", "Mine" };

  config.auth = HTTP_AUTH_BASIC;
  config.user = "Aladdin";
  config.secret = "open sesame";
  fixture_client();
  expect_answer(get("/echo"), 200);
  cr_assert_not_null(strstr(response.body.data, "\nAuthorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\n"), "%s",
                     response.body.data);
  expect_answer(ask(&(osdear__http_request){ .url = "/echo", .headers = &own, .header_count = 1 }), 200);
  cr_assert_null(strstr(response.body.data, "Basic"));
  config.auth = HTTP_AUTH_BEARER;
  config.secret = "token-1";
  fixture_client();
  expect_answer(get("/echo"), 200);
  cr_assert_not_null(strstr(response.body.data, "\nAuthorization: Bearer token-1\n"));
}

Test(send, who_does_not_speak_http_is_told_apart)
{
  osdear_status status = get("/raw?text=%16%03nothing%0d%0a%0d%0a");

  expect_failure(status, OSDEAR_ERR_CORRUPT, "/raw?text=");
}

Test(send, a_chunked_answer_and_its_trailer_are_read)
{
  expect_answer(get("/bytes/100000?chunked=1&piece=9999"), 200);
  cr_assert_eq(response.body.size, 100000);
  cr_assert_null(osdear__http_header_get(&response, "X-Trailer"));
}

Test(send, a_port_where_nobody_listens_is_unavailable)
{
  config.max_attempts = 2;
  fixture_fake_clock();
  test_server_stop(&server);
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_UNAVAILABLE, "GET http://127.0.0.1:");
  cr_assert_eq(osdear_error_retryable(error), 1);
  test_server_start(&server, NULL);
}

/* ---- bodies by callback ---- */

typedef struct feeding {
  size_t left, rewinds;
  bool short_by_one;
} feeding;

static osdear_status feed(void *argument, void *out, size_t room, size_t *got, osdear_error **failure)
{
  feeding *self = argument;

  (void)failure;
  *got = self->left < room ? self->left : room;
  *got = *got < 1000 ? *got : 1000;
  memset(out, 'f', *got);
  self->left -= *got;
  return OSDEAR_OK;
}

static osdear_status feed_again(void *argument, osdear_error **failure)
{
  feeding *self = argument;

  (void)failure;
  self->left = 100000;
  self->rewinds++;
  return OSDEAR_OK;
}

static osdear__http_request feeding_request(const char *url, feeding *state, int64_t size)
{
  return (osdear__http_request){ .method = "PUT",
                                 .url = url,
                                 .source = { .read = feed, .rewind = feed_again, .argument = state, .size_bytes = size } };
}

Test(send, a_body_can_be_streamed_with_and_without_a_length)
{
  feeding state = { .left = 100000 };
  osdear__http_request request = feeding_request("/upload", &state, 100000);

  expect_answer(ask(&request), 200);
  cr_assert(osdear__starts_with(response.body.data, "100000 "));
  state.left = 100000;
  request = feeding_request("/upload", &state, -1);
  expect_answer(ask(&request), 200);
  cr_assert(osdear__starts_with(response.body.data, "100000 "));
}

Test(send, a_streamed_body_is_rewound_for_another_attempt)
{
  feeding state = { .left = 100000 };
  osdear__http_request request = feeding_request("/drop?times=1", &state, 100000);

  fixture_fake_clock();
  expect_answer(ask(&request), 200);
  cr_assert_eq(state.rewinds, 1);
  cr_assert_eq(response.attempts, 2);
  cr_assert(response.maybe_done_before);
}

Test(send, a_streamed_body_of_another_length_than_announced_is_refused)
{
  feeding state = { .left = 99999 };
  osdear__http_request request = feeding_request("/upload", &state, 100000);

  expect_failure(ask(&request), OSDEAR_ERR_STATE, "a body of 100000 bytes was announced");
}

typedef struct swallowing {
  size_t size, rewinds, refuse_at;
} swallowing;

static osdear_status swallow(void *argument, const void *data, size_t size, bool *pause, osdear_error **failure)
{
  swallowing *self = argument;

  (void)data;
  (void)pause;
  self->size += size;
  if (self->refuse_at && self->size >= self->refuse_at)
    return osdear__fail(failure, OSDEAR_ERR_DATA, "enough");
  return OSDEAR_OK;
}

static osdear_status swallow_again(void *argument, osdear_error **failure)
{
  swallowing *self = argument;

  (void)failure;
  self->size = 0;
  self->rewinds++;
  return OSDEAR_OK;
}

Test(send, an_answer_can_be_streamed_and_stopped)
{
  swallowing state = { 0 };
  osdear__http_request request = { .url = "/bytes/1000000", .sink = { .write = swallow, .argument = &state } };

  expect_answer(ask(&request), 200);
  cr_assert_eq(state.size, 1000000);
  state.refuse_at = 2000000;
  request.url = "/bytes/9000000";
  expect_failure(ask(&request), OSDEAR_ERR_DATA, "enough");
}

Test(send, a_broken_stream_is_taken_up_only_by_who_can_forget)
{
  swallowing state = { 0 };
  osdear__http_request request = { .url = "/cut/10?of=1000&times=1", .sink = { .write = swallow, .argument = &state } };

  fixture_fake_clock();
  expect_failure(ask(&request), OSDEAR_ERR_UNAVAILABLE, "/cut/10");
  request.url = "/cut/10?of=1000&times=1&key=again";
  request.sink.rewind = swallow_again;
  expect_answer(ask(&request), 200);
  cr_assert_eq(state.size, 1000);
  cr_assert_eq(state.rewinds, 1);
}
