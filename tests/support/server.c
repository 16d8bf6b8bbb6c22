#include "server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ARGUMENTS = 16 };

static const char *script(const char *program)
{
  const char *root = getenv("OSDEAR_SOURCE");
  static char path[4096];

  cr_assert_not_null(root, "OSDEAR_SOURCE must name the checkout, as `meson test` sets it");
  snprintf(path, sizeof path, "%s/tests/support/%s", root, program);
  return path;
}

static void become_server(int input, int output, char **arguments)
{
  dup2(input, 0);
  dup2(output, 1);
  for (int fd = 3; fd < 256; fd++)
    close(fd);
  unsetenv("LD_PRELOAD");
  execvp("python3", arguments);
  _exit(127);
}

static int read_port(int fd)
{
  char text[16] = "";
  size_t size = 0;

  while (size < sizeof text - 1 && read(fd, text + size, 1) == 1 && text[size] != '\n')
    size++;
  cr_assert_gt(size, 0, "the test's server does not start");
  return atoi(text);
}

void test_server_start_script(test_server *server, const char *program, const char *const *given)
{
  char *arguments[MOST_ARGUMENTS] = { (char *)"python3", (char *)script(program) };
  const char *scheme = "http", *host = "127.0.0.1";
  int in[2], out[2], count = 2;

  for (; given && *given && count < MOST_ARGUMENTS - 1; given++) {
    arguments[count++] = (char *)(uintptr_t)*given;
    if (strcmp(*given, "--cert") == 0) {
      scheme = "https";
      host = "localhost";
    }
  }
  cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
  server->pid = fork();
  if (server->pid == 0)
    become_server(in[0], out[1], arguments);
  close(in[0]);
  close(out[1]);
  server->input = in[1];
  server->port = read_port(out[0]);
  close(out[0]);
  if (server->port == 0)
    snprintf(server->url, sizeof server->url, "http://localhost");
  else
    snprintf(server->url, sizeof server->url, "%s://%s:%d", scheme, host, server->port);
}

void test_server_start(test_server *server, const char *const *arguments)
{
  test_server_start_script(server, "http_server.py", arguments);
}

void test_server_stop(test_server *server)
{
  close(server->input);
  waitpid(server->pid, NULL, 0);
}
