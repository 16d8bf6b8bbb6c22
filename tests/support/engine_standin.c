#include "engine_standin.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 32, HEAD_ROOM = 8192 };

/* What comes first in the table answers; `%s` of a path stands for any name. */
static const struct {
  const char *method, *path, *answer;
} answers[] = {
  { "GET", "/_ping", "OK" },
  { "GET", "/containers/json",
    "[{\"Id\":\"" STANDIN_ID "\",\"Names\":[\"/one\"],\"Image\":\"i:1\",\"State\":\"exited\",\"Status\":\"Exited\",\"Created\":1,"
    "\"Labels\":{\"org.osdear.run\":\"r1\",\"org.osdear.owner\":\"x\"}}]" },
  { "GET", "/containers/well/json", "{\"Id\":\"well\",\"State\":{\"Status\":\"running\",\"Health\":{\"Status\":\"healthy\"}}}" },
  { "GET", "/containers/*/json",
    "{\"Id\":\"" STANDIN_ID "\",\"Config\":{\"Tty\":false,\"Labels\":{}},\"State\":{\"Status\":\"exited\",\"ExitCode\":3,"
    "\"StartedAt\":\"2024-01-02T03:04:05Z\",\"FinishedAt\":\"2024-01-02T03:04:06Z\",\"Health\":{\"Status\":\"healthy\"}}}" },
  { "POST", "/containers/create", "{\"Id\":\"" STANDIN_ID "\",\"Warnings\":[]}" },
  { "POST", "/containers/*/wait", "{\"StatusCode\":3}" },
  { "POST", "/containers/*/exec", "{\"Id\":\"abc\"}" },
  { "GET", "/exec/*/json", "{\"Running\":false,\"ExitCode\":5}" },
  { "GET", "/containers/*/stats", "{\"read\":\"now\"}{\"read\":\"then\"}" },
  { "GET", "/events", "{\"Type\":\"container\",\"timeNano\":5}\n{\"Type\":\"network\",\"timeNano\":6}\n" },
  { "POST", "/images/create",
    "{\"status\":\"Downloading\",\"id\":\"a\",\"progressDetail\":{\"current\":1,\"total\":2}}\n{\"status\":\"done\"}\n" },
  { "POST", "/images/load", "{\"stream\":\"Loaded\"}" },
  { "GET", "/images/json", "[]" },
  { "GET", "/volumes/", "{\"message\":\"no such volume\"}" },
  { "GET", "/volumes", "{\"Volumes\":null}" },
  { "GET", "/networks", "[]" },
  { "GET", "", "{}" },
  { "POST", "", "{}" },
  { "PUT", "", "" },
  { "DELETE", "", "" },
};

static bool matches(const char *path, const char *pattern)
{
  for (; *pattern; pattern++) {
    if (*pattern == '*') {
      while (*path && *path != '/')
        path++;
    } else if (*path++ != *pattern) {
      return false;
    }
  }
  return true;
}

static void put(int fd, const void *data, size_t size)
{
  const char *at = data;

  while (size) {
    ssize_t wrote = send(fd, at, size, MSG_NOSIGNAL);
    if (wrote <= 0)
      return;
    at += wrote;
    size -= (size_t)wrote;
  }
}

static void answer_with(int fd, int status, const void *body, size_t size)
{
  char head[256];
  int length = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\nApi-Version: 1.41\r\nContent-Length: %zu\r\n\r\n", status, size);

  put(fd, head, (size_t)length);
  put(fd, body, size);
}

/* A file `f` of three bytes. */
static void answer_archive(int fd)
{
  static char tar[2048] = "f";
  unsigned sum = 0;

  memcpy(tar + 100, "0000644", 8);
  memcpy(tar + 124, "00000000003", 12);
  memcpy(tar + 136, "00000000001", 12);
  memset(tar + 148, ' ', 8);
  tar[156] = '0';
  for (int i = 0; i < 512; i++)
    sum += (unsigned char)tar[i];
  snprintf(tar + 148, 8, "%06o", sum);
  memcpy(tar + 512, "abc", 3);
  answer_with(fd, 200, tar, sizeof tar);
}

/* Log messages carry their times. */
static const char log_frames[] = "\1\0\0\0\0\0\0\043"
                                 "2024-01-02T03:04:05.000000001Z out\n"
                                 "\2\0\0\0\0\0\0\043"
                                 "2024-01-02T03:04:05.000000002Z err\n";
static const char upgraded[] = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
static const char plain_frames[] = "\1\0\0\0\0\0\0\004out\n\2\0\0\0\0\0\0\004err\n";

/* False when the connection is not HTTP any more. */
static bool answer(int fd, const char *method, const char *path, bool upgrades)
{
  if (upgrades) {
    put(fd, upgraded, sizeof upgraded - 1);
    put(fd, plain_frames, sizeof plain_frames - 1);
    return false;
  }
  if (strcmp(method, "GET") == 0 && matches(path, "/containers/*/logs")) {
    answer_with(fd, 200, log_frames, sizeof log_frames - 1);
  } else if (strcmp(method, "GET") == 0 && matches(path, "/containers/*/archive")) {
    answer_archive(fd);
  } else if (strcmp(method, "POST") == 0 && matches(path, "/exec/*/start")) {
    answer_with(fd, 200, plain_frames, sizeof plain_frames - 1);
  } else {
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
      if (strcmp(answers[i].method, method) == 0 && matches(path, answers[i].path)) {
        answer_with(fd, strncmp(path, "/volumes/", 9) == 0 && method[0] == 'G' ? 404 : 200, answers[i].answer,
                    strlen(answers[i].answer));
        break;
      }
  }
  return true;
}

/* A connection's bytes so far: heads are collected, bodies are skipped. */
typedef struct connection {
  int fd;
  char head[HEAD_ROOM];
  size_t size;
  size_t skip;
  bool is_chunked, is_raw;
} connection;

/* Whole requests at the front of what has come. */
static void serve(connection *c)
{
  char method[16], target[4096];
  char *end;

  for (;;) {
    if (c->is_chunked) {
      char *last = memmem(c->head, c->size, "0\r\n\r\n", 5);
      if (!last) {
        if (c->size > 4) {
          memmove(c->head, c->head + c->size - 4, 4);
          c->size = 4;
        }
        return;
      }
      c->is_chunked = false;
      c->size -= (size_t)(last + 5 - c->head);
      memmove(c->head, last + 5, c->size);
      c->is_raw = !answer(c->fd, "PUT", "/", false);
      continue;
    }
    end = memmem(c->head, c->size, "\r\n\r\n", 4);
    if (!end)
      return;
    *end = '\0';
    if (sscanf(c->head, "%15s %4095s", method, target) != 2)
      return;
    {
      char *length = strcasestr(c->head, "\r\nContent-Length:"),
           *path = strncmp(target, "/v1.", 4) == 0 ? strchr(target + 4, '/') : target;
      size_t body = length ? strtoul(length + 17, NULL, 10) : 0, used = (size_t)(end + 4 - c->head);
      bool upgrades = strcasestr(c->head, "\r\nUpgrade: tcp") != NULL;

      if (!path)
        path = target;
      c->is_chunked = strcasestr(c->head, "chunked") != NULL;
      if (strcasestr(c->head, "100-continue"))
        put(c->fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
      if (!c->is_chunked)
        c->is_raw = !answer(c->fd, method, path, upgrades);
      if (c->is_raw) {
        shutdown(c->fd, SHUT_WR);
        c->size = 0;
        return;
      }
      c->skip = body > c->size - used ? body - (c->size - used) : 0;
      used += body - c->skip;
      memmove(c->head, c->head + used, c->size - used);
      c->size -= used;
    }
  }
}

static bool take(connection *c)
{
  char waste[4096];
  ssize_t got;

  if (c->skip || c->is_raw) {
    got = recv(c->fd, waste, c->skip && c->skip < sizeof waste ? c->skip : sizeof waste, 0);
    if (got > 0 && c->skip)
      c->skip -= (size_t)got;
    return got > 0;
  }
  got = recv(c->fd, c->head + c->size, sizeof c->head - 1 - c->size, 0);
  if (got <= 0)
    return false;
  c->size += (size_t)got;
  serve(c);
  return true;
}

static void *run(void *argument)
{
  static connection connections[MOST_CONNECTIONS];
  engine_standin *standin = argument;
  size_t count = 0;

  for (;;) {
    struct pollfd waiting[MOST_CONNECTIONS + 2] = { { .fd = standin->listener, .events = POLLIN },
                                                    { .fd = standin->stopping[0], .events = POLLIN } };

    for (size_t i = 0; i < count; i++)
      waiting[i + 2] = (struct pollfd){ .fd = connections[i].fd, .events = POLLIN };
    poll(waiting, (nfds_t)count + 2, -1);
    if (waiting[1].revents)
      break;
    for (size_t i = count; i-- > 0;)
      if (waiting[i + 2].revents && !take(&connections[i])) {
        close(connections[i].fd);
        connections[i] = connections[--count];
      }
    if (waiting[0].revents && count < MOST_CONNECTIONS) {
      memset(&connections[count], 0, sizeof connections[count]);
      connections[count++].fd = accept(standin->listener, NULL, NULL);
    }
  }
  while (count)
    close(connections[--count].fd);
  return NULL;
}

void engine_standin_start(engine_standin *standin, const char *folder)
{
  struct sockaddr_un address = { .sun_family = AF_UNIX };

  snprintf(standin->socket, sizeof standin->socket, "%s/engine", folder);
  snprintf(standin->address, sizeof standin->address, "unix://%s", standin->socket);
  memcpy(address.sun_path, standin->socket, strlen(standin->socket) + 1);
  standin->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  cr_assert_eq(bind(standin->listener, (struct sockaddr *)&address, sizeof address), 0);
  cr_assert_eq(listen(standin->listener, 1024), 0);
  cr_assert_eq(pipe2(standin->stopping, O_CLOEXEC), 0);
  cr_assert_eq(pthread_create(&standin->thread, NULL, run, standin), 0);
}

void engine_standin_stop(engine_standin *standin)
{
  cr_assert_eq(write(standin->stopping[1], "", 1), 1);
  pthread_join(standin->thread, NULL);
  close(standin->listener);
  close(standin->stopping[0]);
  close(standin->stopping[1]);
  unlink(standin->socket);
}
