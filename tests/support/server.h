/* Starts tests/support/http_server.py for a test, on a free port; it ends with the test, however that ends. */
#ifndef OSDEAR_TESTS_SERVER_H
#define OSDEAR_TESTS_SERVER_H

#include <sys/types.h>

typedef struct test_server {
  char url[64]; /* http://127.0.0.1:PORT, https://localhost:PORT, or http://localhost for a unix socket */
  int port;
  int input; /* closed: the server ends */
  pid_t pid;
} test_server;

/* `arguments`: the server's own, up to a NULL; NULL for none. Fails the test when it does not start. */
void test_server_start(test_server *server, const char *const *arguments);
/* The same with another program of tests/support, which says its port in its first line and ends with its standard input. */
void test_server_start_script(test_server *server, const char *program, const char *const *arguments);
void test_server_stop(test_server *server);

#endif
