#include "fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(stream, .init = fixture_start, .fini = fixture_stop, .timeout = 60);

/* ---- readers ---- */

static osdear__http_reader *open_reader(const char *url, int32_t status)
{
  osdear__http_request request = { .url = url };
  osdear__http_reader *reader;
  osdear_status st = osdear__http_open(client, NULL, &request, &response, &reader, &error);

  expect_answer(st, status);
  cr_assert_eq(reader != NULL, status == 200);
  return reader;
}

Test(stream, an_answer_is_pulled_piece_by_piece_to_its_end)
{
  osdear__http_reader *reader = open_reader("/bytes/3000000", 200);
  char piece[7919];
  size_t got, size = 0;

  cr_assert_str_eq(osdear__http_header_get(&response, "Content-Length"), "3000000");
  do {
    cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_OK, "%s", osdear_error_message(error));
    for (size_t i = 0; i < got; i++)
      cr_assert_eq(piece[i], (char)((size + i) % 251));
    size += got;
  } while (got > 0);
  cr_assert_eq(size, 3000000);
  cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_OK);
  cr_assert_eq(got, 0);
  osdear__http_reader_free(reader);
}

Test(stream, headers_are_there_before_the_body_and_reading_can_run_out_of_patience)
{
  osdear__http_reader *reader = open_reader("/stall/3?of=100", 200);
  char piece[10];
  size_t got;

  cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, 20000, &got, &error), OSDEAR_OK);
  cr_assert_eq(got, 3);
  expect_failure(osdear__http_read(reader, piece, sizeof piece, 100, &got, &error), OSDEAR_ERR_TIMEOUT, "within 100 ms");
  expect_failure(osdear__http_read(reader, piece, sizeof piece, 100, &got, &error), OSDEAR_ERR_TIMEOUT, "within 100 ms");
  osdear__http_reader_free(reader);
}

Test(stream, an_answer_that_is_cut_short_is_no_end)
{
  osdear__http_reader *reader = open_reader("/cut/10?of=100", 200);
  char piece[100];
  size_t got;

  cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_OK);
  cr_assert_eq(got, 10);
  expect_failure(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_ERR_UNAVAILABLE, "/cut/10");
  expect_failure(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_ERR_UNAVAILABLE, "/cut/10");
  osdear__http_reader_free(reader);
}

Test(stream, a_refusal_is_an_answer_and_no_reader)
{
  open_reader("/status/404?body=gone", 404);
  cr_assert_str_eq(response.body.data, "gone");
}

Test(stream, a_reader_may_be_left_in_the_middle)
{
  osdear__http_reader *reader = open_reader("/bytes/50000000", 200);
  char piece[10];
  size_t got;

  cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_OK);
  osdear__http_reader_free(reader);
  expect_answer(get("/echo"), 200);
}

Test(stream, a_reader_outlives_the_callers_hold_on_its_context)
{
  osdear__http_request request = { .url = "/bytes/100000?piece=10000&delay_ms=20" };
  osdear__http_reader *reader;
  osdear_context *context;
  char piece[1000];
  size_t got = 1, size = 0;

  cr_assert_eq(osdear_context_new(NULL, &context, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_open(client, context, &request, &response, &reader, &error), OSDEAR_OK);
  osdear_context_unref(context);
  for (; got > 0; size += got)
    cr_assert_eq(osdear__http_read(reader, piece, sizeof piece, -1, &got, &error), OSDEAR_OK);
  cr_assert_eq(size, 100000);
  osdear__http_reader_free(reader);
}

/* ---- tunnels ---- */

static osdear__http_tunnel *open_tunnel(const char *url, int32_t status)
{
  static const osdear__http_header headers[] = { { "Connection", "Upgrade" }, { "Upgrade", "tcp" } };
  osdear__http_request request = {
    .method = "POST", .url = url, .headers = headers, .header_count = COUNT_OF(headers), .body = "{}", .body_size = 2
  };
  osdear__http_tunnel *tunnel;
  osdear_status st = osdear__http_upgrade(client, NULL, &request, &response, &tunnel, &error);

  expect_answer(st, status);
  cr_assert_eq(tunnel != NULL, status == 101);
  return tunnel;
}

static void read_exactly(osdear__http_tunnel *tunnel, const char *expected)
{
  char text[64] = "";
  size_t size = 0, got = 1;

  while (size < strlen(expected) && got > 0) {
    cr_assert_eq(osdear__http_tunnel_read(tunnel, text + size, strlen(expected) - size, 20000, &got, &error), OSDEAR_OK, "%s",
                 osdear_error_message(error));
    size += got;
  }
  cr_assert_str_eq(text, expected);
}

Test(stream, a_connection_that_was_taken_over_carries_bytes_both_ways_and_ends_on_one_side_first)
{
  osdear__http_tunnel *tunnel = open_tunnel("/upgrade", 101);
  char rest[8];
  size_t got;

  cr_assert_str_eq(osdear__http_header_get(&response, "upgrade"), "tcp");
  read_exactly(tunnel, "hello ");
  expect_failure(osdear__http_tunnel_read(tunnel, rest, sizeof rest, 100, &got, &error), OSDEAR_ERR_TIMEOUT, "too long");
  cr_assert_eq(osdear__http_tunnel_write(tunnel, "ping", 4, &error), OSDEAR_OK);
  read_exactly(tunnel, "ping");
  cr_assert_eq(osdear__http_tunnel_finish(tunnel, &error), OSDEAR_OK);
  read_exactly(tunnel, "bye");
  cr_assert_eq(osdear__http_tunnel_read(tunnel, rest, sizeof rest, 20000, &got, &error), OSDEAR_OK);
  cr_assert_eq(got, 0);
  osdear__http_tunnel_free(tunnel);
}

enum { MANY = 4 << 20 };

static void *write_many(void *argument)
{
  static char bytes[1 << 16];
  osdear__http_tunnel *tunnel = argument;

  for (size_t sent = 0; sent < MANY; sent += sizeof bytes)
    if (osdear__http_tunnel_write(tunnel, bytes, sizeof bytes, NULL))
      return NULL;
  return osdear__http_tunnel_finish(tunnel, NULL) ? NULL : tunnel;
}

Test(stream, one_thread_may_write_while_another_reads)
{
  static char bytes[1 << 16];
  osdear__http_tunnel *tunnel = open_tunnel("/upgrade", 101);
  pthread_t writer;
  size_t size = 0, got = 1;
  void *result;

  cr_assert_eq(pthread_create(&writer, NULL, write_many, tunnel), 0);
  while (got > 0) {
    cr_assert_eq(osdear__http_tunnel_read(tunnel, bytes, sizeof bytes, 30000, &got, &error), OSDEAR_OK, "%s",
                 osdear_error_message(error));
    size += got;
  }
  pthread_join(writer, &result);
  cr_assert_eq(result, tunnel);
  cr_assert_eq(size, strlen("hello ") + MANY + strlen("bye"));
  osdear__http_tunnel_free(tunnel);
}

Test(stream, a_refused_upgrade_is_an_answer_with_its_words)
{
  open_tunnel("/status/409?body=not+running", 409);
  cr_assert_str_eq(response.body.data, "not running");
  cr_assert_eq(osdear__http_expect(&response, &error), OSDEAR_ERR_CONFLICT);
  open_tunnel(
      "/raw?text=HTTP/"
      "1.1+404+No%0d%0aTransfer-Encoding:+chunked%0d%0a%0d%0a4%0d%0agone%0d%0aB;x=y%0d%0a%20and+forgot%0d%0a0%0d%0a%0d%0a",
      404);
  cr_assert_str_eq(response.body.data, "gone and forgot", "%s", response.body.data);
}

/* Asks for a tunnel, and is answered with this. */
static osdear_status upgrade_to_raw(const char *text)
{
  char url[200];
  osdear__http_request request = { .method = "POST", .url = url };
  osdear__http_tunnel *tunnel;
  osdear_status status;

  osdear__error_forget(&error);
  snprintf(url, sizeof url, "/raw?text=%s", text);
  status = osdear__http_upgrade(client, NULL, &request, &response, &tunnel, &error);
  cr_assert_null(tunnel);
  return status;
}

Test(stream, nonsense_in_place_of_a_head_is_an_error)
{
  static const char *const texts[] = { "what%0d%0a", "HTTP/1.1+200",
                                       "HTTP/1.1+103+Early%0d%0a%0d%0a%0d%0aHTTP/1.1+101+Yes%0d%0a%0d%0a",
                                       "HTTP/1.1+404+No%0d%0aTransfer-Encoding:+chunked%0d%0a%0d%0ax%0d%0a" };

  for (size_t i = 0; i < COUNT_OF(texts); i++)
    cr_assert_neq(upgrade_to_raw(texts[i]), OSDEAR_OK);
}

/* Each has a limit of its own, but there is always another. */
Test(stream, heads_and_refusals_without_an_end_are_given_up, .timeout = 60)
{
  static const char *const texts[] = { "HTTP/1.1+200+OK%0d%0a&again=no+header%0d%0a", "HTTP/1.1+200+OK%0d%0a&again=X:+y%0d%0a",
                                       "HTTP/1.1+100+Continue%0d%0a%0d%0a&again=HTTP/1.1+100+Continue%0d%0a%0d%0a",
                                       "HTTP/1.1+200+OK%0d%0a&again=no+end" };

  for (size_t i = 0; i < COUNT_OF(texts); i++)
    expect_failure(upgrade_to_raw(texts[i]), OSDEAR_ERR_LIMIT, "head");
}

Test(stream, a_refusal_in_chunks_that_are_mostly_extensions_holds_no_more_memory_than_its_words, .timeout = 60)
{
  osdear__http_tunnel *tunnel = open_tunnel("/raw?text=HTTP/1.1+404+No%0d%0aTransfer-Encoding:+chunked%0d%0a%0d%0a&again=1;"
                                            "long-extension=of-which-nobody-knows-anything%0d%0ax%0d%0a",
                                            404);

  cr_assert_null(tunnel);
  cr_assert_eq(response.body.size, 64 << 10);
}

Test(stream, cancelling_ends_a_tunnels_wait)
{
  osdear_context *context = fixture_cancelled_after(150);
  osdear__http_request request = { .method = "POST", .url = "/upgrade", .idle_timeout_ms = -1 };
  osdear__http_tunnel *tunnel;
  char bytes[6];
  size_t got;

  cr_assert_eq(osdear__http_upgrade(client, context, &request, &response, &tunnel, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_tunnel_read(tunnel, bytes, sizeof bytes, -1, &got, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_tunnel_read(tunnel, bytes, sizeof bytes, -1, &got, &error), OSDEAR_ERR_CANCELLED);
  osdear__http_tunnel_free(tunnel);
  osdear_context_unref(context);
}

/* ---- unix sockets and proxies ---- */

Test(stream, a_unix_socket_is_reached_by_its_path)
{
  const char *const arguments[] = { "--unix", "/tmp/osdear-http-test.sock", NULL };
  test_server local;
  osdear__http_tunnel *tunnel;

  unlink(arguments[1]);
  test_server_start(&local, arguments);
  config.unix_socket = arguments[1];
  fixture_client();
  expect_answer(get("http://localhost/echo"), 200);
  cr_assert_not_null(strstr(response.body.data, "\nHost: localhost\n"));
  tunnel = open_tunnel("http://localhost/upgrade", 101);
  read_exactly(tunnel, "hello ");
  osdear__http_tunnel_free(tunnel);
  test_server_stop(&local);
  unlink(arguments[1]);
}

Test(stream, a_proxy_is_asked_for_all_but_what_is_excepted)
{
  const char *const arguments[] = { "--proxy", NULL };
  test_server proxy;
  osdear__http_tunnel *tunnel;

  test_server_start(&proxy, arguments);
  config.proxy = proxy.url;
  fixture_client();
  expect_answer(get("/echo"), 200);
  cr_assert_not_null(strstr(response.body.data, "\nVia: tiny\n"));
  tunnel = open_tunnel("/upgrade", 101);
  read_exactly(tunnel, "hello ");
  osdear__http_tunnel_free(tunnel);
  config.no_proxy = "127.0.0.1";
  fixture_client();
  expect_answer(get("/echo"), 200);
  cr_assert_null(strstr(response.body.data, "\nVia"));
  test_server_stop(&proxy);
}
