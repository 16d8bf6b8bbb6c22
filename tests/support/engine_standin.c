#include "engine_standin.h"

#include <criterion/criterion.h>
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { MOST_CONNECTIONS = 32, HEAD_ROOM = 8192, FIRST = 3 /* descriptors that are no connections */ };

/* A stack's container: there unless it was stopped or removed, and for the stack `fresh` not before it was made. */
#define WELL_LIST "[{\"Id\":\"well\",\"State\":\"running\",\"Labels\":{\"com.docker.compose.project\":\"shop\"}}]"
#define OF_STACK "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project"
static bool is_down, is_fresh_made;

/* What comes first in the table answers; `*` of a path stands for any name. */
static const struct {
  const char *method, *path, *answer;
} answers[] = {
  { "GET", "/_ping", "OK" },
  { "GET", OF_STACK, WELL_LIST },
  { "GET", "/containers/json",
    "[{\"Id\":\"" STANDIN_ID "\",\"Names\":[\"/one\"],\"Image\":\"i:1\",\"State\":\"exited\",\"Status\":\"Exited\",\"Created\":1,"
    "\"Labels\":{\"org.osdear.run\":\"r1\",\"org.osdear.owner\":\"x\"}}]" },
  { "GET", "/containers/well/json",
    "{\"Id\":\"well\",\"Config\":{\"Labels\":{\"com.docker.compose.service\":\"web\"}},\"State\":{\"Status\":\"running\","
    "\"Health\":{\"Status\":\"healthy\"}}}" },
  { "POST", "/api/auth", "{\"jwt\":\"t\"}" },
  { "GET", "/api/endpoints", "[{\"Id\":1,\"Name\":\"local\"}]" },
  { "GET", "/api/stacks?", "[{\"Id\":3,\"Name\":\"shop\",\"Status\":1,\"EndpointId\":1}]" },
  { "GET", "/api/stacks/3/file", "{\"StackFileContent\":\"services:\\n  web:\\n    image: i:1\\n\"}" },
  { "GET", "/api/stacks/3", "{\"Id\":3,\"Env\":[{\"name\":\"A\",\"value\":\"1\"}]}" },
  { "POST", "/api/stacks/create/", "{\"Id\":4,\"Name\":\"fresh\"}" },
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
  { "GET", "/networks/", "{\"Id\":\"" STANDIN_ID "\"}" },
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

static bool ends_path(const char *path, const char *word)
{
  size_t size = strcspn(path, "?"), word_size = strlen(word);

  return size >= word_size && strncmp(path + size - word_size, word, word_size) == 0;
}

/* What a request changes. An engine that is opened anew finds all as it was. */
static void note(const char *method, const char *path)
{
  if (strcmp(path, "/_ping") == 0)
    is_down = is_fresh_made = false;
  else if (strcmp(method, "DELETE") == 0 || ends_path(path, "/stop"))
    is_down = true;
  else if (strcmp(method, "POST") == 0 && (ends_path(path, "/start") || ends_path(path, "/create")))
    is_down = false;
  if (strcmp(method, "POST") == 0 && ends_path(path, "/string"))
    is_fresh_made = true;
}

static const char *answer_of(const char *path, const char *usual)
{
  if (strncmp(path, OF_STACK, strlen(OF_STACK)) != 0)
    return usual;
  return is_down || (strstr(path, "%3Dfresh") && !is_fresh_made) ? "[]" : usual;
}

/* False when the connection is not HTTP any more. */
static bool answer(int fd, const char *method, const char *path, bool upgrades)
{
  note(method, path);
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
        const char *body = answer_of(path, answers[i].answer);
        answer_with(fd, strncmp(path, "/volumes/", 9) == 0 && method[0] == 'G' ? 404 : 200, body, strlen(body));
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

/* Behind Portainer's prefix and the version. */
static const char *path_of(const char *target)
{
  static const char proxy[] = "/api/endpoints/1/docker";
  const char *path = strncmp(target, proxy, sizeof proxy - 1) == 0 ? target + sizeof proxy - 1 : target;
  const char *behind = strncmp(path, "/v1.", 4) == 0 ? strchr(path + 4, '/') : path;

  return behind ? behind : path;
}

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
      char *length = strcasestr(c->head, "\r\nContent-Length:");
      const char *path = path_of(target);
      size_t body = length ? strtoul(length + 17, NULL, 10) : 0, used = (size_t)(end + 4 - c->head);
      bool upgrades = strcasestr(c->head, "\r\nUpgrade: tcp") != NULL;

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
    struct pollfd waiting[MOST_CONNECTIONS + FIRST] = { { .fd = standin->listener, .events = POLLIN },
                                                        { .fd = standin->portainer_listener, .events = POLLIN },
                                                        { .fd = standin->stopping[0], .events = POLLIN } };

    for (size_t i = 0; i < count; i++)
      waiting[i + FIRST] = (struct pollfd){ .fd = connections[i].fd, .events = POLLIN };
    poll(waiting, (nfds_t)count + FIRST, -1);
    if (waiting[2].revents)
      break;
    for (size_t i = count; i-- > 0;)
      if (waiting[i + FIRST].revents && !take(&connections[i])) {
        close(connections[i].fd);
        connections[i] = connections[--count];
      }
    for (int i = 0; i < 2; i++)
      if (waiting[i].revents && count < MOST_CONNECTIONS) {
        memset(&connections[count], 0, sizeof connections[count]);
        connections[count++].fd = accept(waiting[i].fd, NULL, NULL);
      }
  }
  while (count)
    close(connections[--count].fd);
  return NULL;
}

/* On a free port of the loopback. */
static void listen_as_portainer(engine_standin *standin)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;

  standin->portainer_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  /* Heads and bodies are sent one by one: the second must not wait until the first was acknowledged. */
  cr_assert_eq(setsockopt(standin->portainer_listener, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)), 0);
  cr_assert_eq(bind(standin->portainer_listener, (struct sockaddr *)&address, size), 0);
  cr_assert_eq(listen(standin->portainer_listener, 1024), 0);
  cr_assert_eq(getsockname(standin->portainer_listener, (struct sockaddr *)&address, &size), 0);
  snprintf(standin->portainer, sizeof standin->portainer, "portainer+http://127.0.0.1:%d/local", ntohs(address.sin_port));
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
  listen_as_portainer(standin);
  cr_assert_eq(pipe2(standin->stopping, O_CLOEXEC), 0);
  cr_assert_eq(pthread_create(&standin->thread, NULL, run, standin), 0);
}

void engine_standin_stop(engine_standin *standin)
{
  cr_assert_eq(write(standin->stopping[1], "", 1), 1);
  pthread_join(standin->thread, NULL);
  close(standin->listener);
  close(standin->portainer_listener);
  close(standin->stopping[0]);
  close(standin->stopping[1]);
  unlink(standin->socket);
}
