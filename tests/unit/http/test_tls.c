#include "fixture.h"
#include "../../support/folder.h"

#include <arpa/inet.h>
#include <http/internal.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[FOLDER_ROOM];
static char ca[64], stranger[64], server_pem[64], server_key[64], client_pem[64], client_key[64];

static void make_certificates(void)
{
  char command[4200];

  folder_make("tls", folder);
  snprintf(command, sizeof command, "sh '%s/tests/support/make_certificates.sh' %s", getenv("OSDEAR_SOURCE"), folder);
  cr_assert_eq(system(command), 0, "openssl makes the certificates");
  snprintf(ca, sizeof ca, "%s/ca.pem", folder);
  snprintf(stranger, sizeof stranger, "%s/stranger.pem", folder);
  snprintf(server_pem, sizeof server_pem, "%s/server.pem", folder);
  snprintf(server_key, sizeof server_key, "%s/server.key", folder);
  snprintf(client_pem, sizeof client_pem, "%s/client.pem", folder);
  snprintf(client_key, sizeof client_key, "%s/client.key", folder);
}

static void start_server(bool wants_client)
{
  const char *arguments[] = { "--cert", server_pem, "--key", server_key, wants_client ? "--client-ca" : NULL, ca, NULL };

  test_server_start(&server, arguments);
  config.max_attempts = 1;
}

static void start(void)
{
  make_certificates();
  start_server(false);
  config.ca_file = ca;
  fixture_client();
}

static void stop(void)
{
  fixture_stop();
  folder_remove(folder);
}

TestSuite(tls, .init = start, .fini = stop, .timeout = 60);

Test(tls, a_server_is_trusted_by_its_authority)
{
  expect_answer(get("/echo"), 200);
  expect_answer(get("/requests"), 200);
  cr_assert_str_eq(response.body.data, "1 2");
}

Test(tls, a_server_that_nobody_vouches_for_is_not_talked_to)
{
  config.ca_file = stranger;
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_DENIED, "give the file of the authority");
  cr_assert_eq(osdear_error_retryable(error), 0);
  config.ca_file = NULL;
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_DENIED, "give the file of the authority");
  config.insecure = true;
  fixture_client();
  expect_answer(get("/echo"), 200);
}

Test(tls, a_certificate_holds_for_its_own_host_only)
{
  char url[64];

  snprintf(url, sizeof url, "https://127.0.0.1:%d/echo", server.port);
  expect_failure(get(url), OSDEAR_ERR_DENIED, "127.0.0.1");
}

Test(tls, files_that_are_no_certificates_are_told)
{
  config.ca_file = "/nowhere/ca.pem";
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_ARGUMENT, "/nowhere/ca.pem");
  config.ca_file = ca;
  config.client_cert_file = "/nowhere/cert.pem";
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_ARGUMENT, "check the client's certificate and key");
}

Test(tls, a_server_that_wants_a_certificate_gets_it_or_refuses)
{
  test_server_stop(&server);
  start_server(true);
  fixture_client();
  expect_failure(get("/echo"), OSDEAR_ERR_DENIED, "/echo");
  config.client_cert_file = client_pem;
  config.client_key_file = client_key;
  fixture_client();
  expect_answer(get("/echo"), 200);
}

Test(tls, plain_and_encrypted_do_not_understand_each_other)
{
  char url[64];
  test_server plain;
  osdear_status status;

  config.connect_timeout_ms = 2000; /* the server may wait for the end of what it takes for a line */
  fixture_client();
  snprintf(url, sizeof url, "http://localhost:%d/echo", server.port);
  cr_assert_neq(get(url), OSDEAR_OK);
  test_server_start(&plain, NULL);
  snprintf(url, sizeof url, "https://127.0.0.1:%d/echo", plain.port);
  status = get(url);
  cr_assert(status == OSDEAR_ERR_UNAVAILABLE || status == OSDEAR_ERR_TIMEOUT, "%s", osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), url));
  test_server_stop(&plain);
}

/* OpenSSL writes without MSG_NOSIGNAL: a peer that goes away must not take the process along. */
Test(tls, a_peer_that_goes_away_while_we_write_is_an_error_and_no_signal)
{
  enum { SIZE = 8 << 20 };
  char *body = calloc(1, SIZE);

  expect_answer(get("/echo"), 200);
  for (int i = 0; i < 5; i++)
    cr_assert_eq(ask(&(osdear__http_request){ .method = "POST", .url = "/drop?after_body=0", .body = body, .body_size = SIZE }),
                 OSDEAR_ERR_UNAVAILABLE);
  free(body);
}

Test(tls, a_signal_that_was_held_back_is_not_left_over)
{
  osdear__pipe_guard guard = osdear__pipe_hold(true);
  sigset_t set;

  raise(SIGPIPE);
  osdear__pipe_release(&guard);
  sigpending(&set);
  cr_assert_eq(sigismember(&set, SIGPIPE), 0);
}

Test(tls, a_proxy_is_passed_through_without_reading_along)
{
  const char *const arguments[] = { "--proxy", NULL };
  test_server proxy;

  test_server_start(&proxy, arguments);
  config.proxy = proxy.url;
  fixture_client();
  expect_answer(get("/echo"), 200);
  cr_assert_null(strstr(response.body.data, "Via"));
  test_server_stop(&proxy);
}

Test(tls, a_connection_that_was_taken_over_ends_on_one_side_first)
{
  osdear__http_request request = { .method = "POST", .url = "/upgrade" };
  osdear__http_tunnel *tunnel;
  char text[64] = "";
  size_t size = 0, got = 1;

  cr_assert_eq(osdear__http_upgrade(client, NULL, &request, &response, &tunnel, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  cr_assert_eq(osdear__http_tunnel_write(tunnel, "ping", 4, &error), OSDEAR_OK);
  cr_assert_eq(osdear__http_tunnel_finish(tunnel, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  for (; got; size += got)
    cr_assert_eq(osdear__http_tunnel_read(tunnel, text + size, sizeof text - 1 - size, 5000, &got, &error), OSDEAR_OK, "%s",
                 osdear_error_message(error));
  cr_assert_str_eq(text, "hello pingbye");
  osdear__http_tunnel_free(tunnel);
}

Test(tls, a_client_may_go_before_the_loop_that_served_it)
{
  osdear__http_loop *loop;

  cr_assert_eq(osdear__http_loop_new(NULL, 0, &loop, &error), OSDEAR_OK);
  for (int i = 0; i < 3; i++) {
    osdear__http_exchange *exchange;
    fixture_client();
    cr_assert_eq(osdear__http_submit(loop, client, &(osdear__http_request){ .url = "/echo" }, &exchange, &error), OSDEAR_OK);
    cr_assert_eq(osdear__http_step(loop, -1, &error), OSDEAR_OK);
    expect_answer(osdear__http_exchange_take(exchange, &response, &error), 200);
    osdear__http_exchange_free(exchange);
  }
  osdear__http_loop_free(loop);
}

/* ---- HTTP/2, against a server that speaks nothing else ---- */

static int free_port(void)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM, 0);

  cr_assert(bind(fd, (struct sockaddr *)&address, size) == 0 && getsockname(fd, (struct sockaddr *)&address, &size) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

static pid_t start_nghttpd(int port)
{
  char number[16];
  pid_t pid;

  snprintf(number, sizeof number, "%d", port);
  pid = fork();
  if (pid == 0) {
    execlp("nghttpd", "nghttpd", "--address=127.0.0.1", "-d", folder, number, server_key, server_pem, (char *)NULL);
    _exit(127);
  }
  return pid;
}

Test(tls, http_2_is_spoken_where_both_can)
{
  enum { COUNT = 50 };
  int port = free_port();
  pid_t pid = start_nghttpd(port);
  osdear__http_loop *loop;
  char url[64];

  snprintf(url, sizeof url, "https://localhost:%d/ca.pem", port);
  for (int i = 0; i < 100 && get(url) != OSDEAR_OK; i++) {
    cr_assert_neq(waitpid(pid, NULL, WNOHANG), pid, "nghttpd (Debian: nghttp2-server) does not start");
    usleep(50000);
  }
  expect_answer(get(url), 200);
  cr_assert(osdear__starts_with(response.body.data, "-----BEGIN CERTIFICATE-----"));
  cr_assert_eq(osdear__http_loop_new(NULL, 0, &loop, &error), OSDEAR_OK);
  for (int i = 0; i < COUNT; i++) {
    osdear__http_exchange *exchange;
    cr_assert_eq(osdear__http_submit(loop, client, &(osdear__http_request){ .url = url }, &exchange, &error), OSDEAR_OK);
  }
  while (osdear__http_pending(loop) > 0)
    cr_assert_eq(osdear__http_step(loop, 1000, &error), OSDEAR_OK);
  for (int i = 0; i < COUNT; i++) {
    expect_answer(osdear__http_exchange_take(osdear__http_collect(loop), &response, &error), 200);
    cr_assert_not_null(osdear__http_header_get(&response, "server"));
  }
  osdear__http_loop_free(loop);
  kill(pid, SIGTERM);
  waitpid(pid, NULL, 0);
}
