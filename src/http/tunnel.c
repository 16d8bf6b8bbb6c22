/* A connection taken over: curl makes it (with its proxies, its TLS, its sockets), the request and all that follows are ours. */
#include <http/internal.h>

#include <poll.h>
#include <sys/socket.h>

enum { SLICE_MS = 50, MOST_HEAD = 64 << 10, MOST_WORDS = 64 << 10 };

struct osdear__http_tunnel {
  osdear__http_client *client;
  osdear_context *context; /* a reference is held */
  CURLM *multi;
  CURL *easy;
  pthread_mutex_t lock; /* curl's handle is not for two threads at once */
  int socket;
  bool is_tls;
  int64_t idle_ms;
  osdear__arena arena;
  const char *url;
  char words[CURL_ERROR_SIZE];
  osdear__buf early; /* came together with the head, and were not read from `taken` on */
  size_t taken;
};

static osdear_status fail_broken(const osdear__http_tunnel *tunnel, osdear_status status, const char *why, osdear_error **error)
{
  SCOPED(buf) url = { 0 };

  osdear__http_put_url(&url, tunnel->url);
  return url.failed ? osdear__fail_memory(error) : osdear__fail(error, status, "%s: %s", url.data, why);
}

static osdear_status check_context(const osdear__http_tunnel *tunnel, osdear_error **error)
{
  return tunnel->context ? osdear__context_check(tunnel->context, error) : OSDEAR_OK;
}

/* ---- bytes ---- */

/* Waits a slice; `*end_us` is when patience ends. */
static osdear_status wait_for(osdear__http_tunnel *tunnel, short events, int64_t end_us, osdear_error **error)
{
  struct pollfd ready = { .fd = tunnel->socket, .events = events };
  int64_t left_ms = end_us == INT64_MAX ? SLICE_MS : (end_us - osdear__monotonic_us() + 999) / 1000;
  osdear_status st = check_context(tunnel, error);

  if (st)
    return st;
  if (left_ms <= 0)
    return fail_broken(tunnel, OSDEAR_ERR_TIMEOUT, "nothing came or went for too long", error);
  poll(&ready, 1, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));
  return OSDEAR_OK;
}

static int64_t end_of(const osdear__http_tunnel *tunnel, int64_t timeout_ms)
{
  int64_t ms = timeout_ms < 0 ? tunnel->idle_ms : timeout_ms;

  return ms < 0 ? INT64_MAX : osdear__monotonic_us() + ms * 1000;
}

static CURLcode receive(osdear__http_tunnel *tunnel, void *out, size_t room, size_t *got)
{
  osdear__pipe_guard guard;
  CURLcode code;

  if (osdear__fault_hit(FAULT_READ))
    return CURLE_RECV_ERROR;
  pthread_mutex_lock(&tunnel->lock);
  guard = osdear__pipe_hold(tunnel->is_tls);
  code = osdear__curl.easy_recv(tunnel->easy, out, room, got);
  osdear__pipe_release(&guard);
  pthread_mutex_unlock(&tunnel->lock);
  return code;
}

static CURLcode transmit(osdear__http_tunnel *tunnel, const void *data, size_t size, size_t *put)
{
  osdear__pipe_guard guard;
  CURLcode code;

  if (osdear__fault_hit(FAULT_WRITE))
    return CURLE_SEND_ERROR;
  pthread_mutex_lock(&tunnel->lock);
  guard = osdear__pipe_hold(tunnel->is_tls);
  code = osdear__curl.easy_send(tunnel->easy, data, size, put);
  osdear__pipe_release(&guard);
  pthread_mutex_unlock(&tunnel->lock);
  return code;
}

static osdear_status read_some(osdear__http_tunnel *tunnel, void *out, size_t room, int64_t timeout_ms, size_t *got,
                               osdear_error **error)
{
  int64_t end_us = end_of(tunnel, timeout_ms);

  for (;;) {
    CURLcode code = receive(tunnel, out, room, got);
    osdear_status st;
    if (code == CURLE_OK)
      return OSDEAR_OK;
    if (code != CURLE_AGAIN)
      return fail_broken(tunnel, OSDEAR_ERR_UNAVAILABLE, "the connection broke", error);
    st = wait_for(tunnel, POLLIN, end_us, error);
    if (st)
      return st;
  }
}

osdear_status osdear__http_tunnel_read(osdear__http_tunnel *tunnel, void *out, size_t room, int64_t timeout_ms, size_t *got,
                                       osdear_error **error)
{
  size_t early = tunnel->early.size - tunnel->taken;

  if (early == 0)
    return read_some(tunnel, out, room, timeout_ms, got, error);
  *got = early < room ? early : room;
  memcpy(out, tunnel->early.data + tunnel->taken, *got);
  tunnel->taken += *got;
  return OSDEAR_OK;
}

osdear_status osdear__http_tunnel_write_some(osdear__http_tunnel *tunnel, const void *data, size_t size, int64_t timeout_ms,
                                             size_t *put, osdear_error **error)
{
  int64_t end_us = end_of(tunnel, timeout_ms);

  for (;;) {
    CURLcode code = transmit(tunnel, data, size, put);
    osdear_status st;
    if (code == CURLE_OK)
      return OSDEAR_OK;
    if (code != CURLE_AGAIN)
      return fail_broken(tunnel, OSDEAR_ERR_UNAVAILABLE, "the connection broke", error);
    st = wait_for(tunnel, POLLOUT, end_us, error);
    if (st)
      return st;
  }
}

osdear_status osdear__http_tunnel_write(osdear__http_tunnel *tunnel, const void *data, size_t size, osdear_error **error)
{
  const char *at = data;

  while (size > 0) {
    size_t put = 0;
    osdear_status st = osdear__http_tunnel_write_some(tunnel, at, size, -1, &put, error);
    if (st)
      return st;
    at += put;
    size -= put;
  }
  return OSDEAR_OK;
}

static int end_tls(osdear__http_tunnel *tunnel)
{
  osdear__pipe_guard guard;
  int told;

  pthread_mutex_lock(&tunnel->lock);
  guard = osdear__pipe_hold(true);
  told = osdear__curl_end_tls(tunnel->easy);
  osdear__pipe_release(&guard);
  pthread_mutex_unlock(&tunnel->lock);
  return told;
}

/* Where the peer is gone already nothing can be told, and reading will tell it to us. */
osdear_status osdear__http_tunnel_finish(osdear__http_tunnel *tunnel, osdear_error **error)
{
  int64_t end_us = end_of(tunnel, -1);
  int told = -1;

  if (!tunnel->is_tls) {
    shutdown(tunnel->socket, SHUT_WR);
    return OSDEAR_OK;
  }
  for (;;) {
    struct pollfd broken = { .fd = tunnel->socket };
    osdear_status st = wait_for(tunnel, POLLOUT, end_us, error);

    if (st)
      return st;
    told = end_tls(tunnel);
    if (told == -2)
      return fail_broken(tunnel, OSDEAR_ERR_UNSUPPORTED, "this libcurl cannot close a TLS connection on one side only", error);
    if (told >= 0 || (poll(&broken, 1, 0) > 0 && broken.revents))
      return OSDEAR_OK;
  }
}

/* ---- connecting ---- */

static osdear_status fail_connect(const osdear__http_tunnel *tunnel, CURLcode code, osdear_error **error)
{
  osdear_status status = osdear__curl_status(code, tunnel->words);
  const char *words = tunnel->words[0] ? tunnel->words : osdear__curl.easy_strerror(code);

  return fail_broken(tunnel, status, words, error);
}

static osdear_status run_until_connected(osdear__http_tunnel *tunnel, osdear_error **error)
{
  for (;;) {
    int running, left;
    osdear__pipe_guard guard = osdear__pipe_hold(tunnel->is_tls);
    CURLMcode failed = osdear__curl.multi_perform(tunnel->multi, &running);
    CURLMsg *message = osdear__curl.multi_info_read(tunnel->multi, &left);
    osdear_status st;
    osdear__pipe_release(&guard);
    if (failed != CURLM_OK)
      return osdear__fail_memory(error);
    if (message)
      return message->data.result == CURLE_OK ? OSDEAR_OK : fail_connect(tunnel, message->data.result, error);
    st = check_context(tunnel, error);
    if (st)
      return st;
    osdear__curl.multi_poll(tunnel->multi, NULL, 0, SLICE_MS, NULL);
  }
}

static osdear_status connect_to(osdear__http_tunnel *tunnel, osdear_error **error)
{
  CURLcode failed = CURLE_OK;
  curl_socket_t socket = CURL_SOCKET_BAD;
  osdear_status st;

  tunnel->multi = osdear__curl.multi_init();
  tunnel->easy = osdear__curl.easy_init();
  if (!tunnel->multi || !tunnel->easy)
    return osdear__fail_memory(error);
  osdear__client_setup(tunnel->client, tunnel->url, tunnel->easy, &failed);
  osdear__curl_set_text(tunnel->easy, CURLOPT_URL, tunnel->url, &failed);
  osdear__curl_set_long(tunnel->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1, &failed);
  osdear__curl_set_long(tunnel->easy, CURLOPT_CONNECT_ONLY, 1, &failed);
  osdear__curl_set_long(tunnel->easy, CURLOPT_HTTPPROXYTUNNEL, 1, &failed);
  osdear__curl_set_data(tunnel->easy, CURLOPT_ERRORBUFFER, tunnel->words, &failed);
  if (failed != CURLE_OK)
    return fail_connect(tunnel, failed, error);
  if (osdear__fault_hit(FAULT_WRITE))
    return fail_broken(tunnel, OSDEAR_ERR_UNAVAILABLE, "the connection broke", error);
  if (osdear__curl.multi_add_handle(tunnel->multi, tunnel->easy) != CURLM_OK)
    return osdear__fail_memory(error);
  st = run_until_connected(tunnel, error);
  if (st)
    return st;
  osdear__curl.easy_getinfo(tunnel->easy, CURLINFO_ACTIVESOCKET, &socket);
  tunnel->socket = (int)socket;
  return socket == CURL_SOCKET_BAD ? fail_broken(tunnel, OSDEAR_ERR_UNAVAILABLE, "the connection broke", error) : OSDEAR_OK;
}

/* ---- the request and the head of its answer ---- */

static osdear_status send_request(osdear__http_tunnel *tunnel, const osdear__http_request *request, const char *method,
                                  osdear_error **error)
{
  const char *host = strstr(tunnel->url, "://") + 3;
  const char *path = host + strcspn(host, "/?");
  const char *authorization = tunnel->client->authorization;
  SCOPED(buf) text = { 0 };
  osdear_status st;

  osdear__buf_printf(&text, "%s %s%s HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: %s\r\n", method, *path == '/' ? "" : "/", path,
                     (int)(path - host), host, tunnel->client->config.user_agent);
  for (size_t i = 0; i < request->header_count; i++) {
    osdear__buf_printf(&text, "%s: %s\r\n", request->headers[i].name, request->headers[i].value);
    if (osdear__str_equal_nocase(osdear__str_of(request->headers[i].name), STR("Authorization")))
      authorization = NULL;
  }
  if (authorization)
    osdear__buf_printf(&text, "Authorization: %s\r\n", authorization);
  if (request->body || strcmp(method, "POST") == 0)
    osdear__buf_printf(&text, "Content-Length: %zu\r\n", request->body_size);
  osdear__buf_puts(&text, "\r\n");
  osdear__buf_append(&text, request->body, request->body_size);
  st = osdear__buf_check(&text, error);
  if (!st)
    st = osdear__http_tunnel_write(tunnel, text.data, text.size, error);
  if (text.data)
    explicit_bzero(text.data, text.capacity);
  return st;
}

/* One more read at the end of `early`, from which what was taken is gone then. */
static osdear_status read_more(osdear__http_tunnel *tunnel, size_t *got, osdear_error **error)
{
  enum { PIECE = 4096 };
  char *room;
  osdear_status st;

  if (tunnel->taken > 0) {
    tunnel->early.size -= tunnel->taken;
    memmove(tunnel->early.data, tunnel->early.data + tunnel->taken, tunnel->early.size);
    tunnel->taken = 0;
  }
  room = osdear__buf_reserve(&tunnel->early, PIECE);
  if (!room)
    return osdear__buf_check(&tunnel->early, error);
  st = read_some(tunnel, room, PIECE, -1, got, error);
  if (!st) {
    tunnel->early.size += *got;
    tunnel->early.data[tunnel->early.size] = '\0';
  }
  return st;
}

static osdear_status fail_long_head(const osdear__http_tunnel *tunnel, osdear_error **error)
{
  return fail_broken(tunnel, OSDEAR_ERR_LIMIT, "the answer's head is too long", error);
}

/* Length of the line at `taken`, without its end; false when its end has not come yet. */
static bool find_line(const osdear__http_tunnel *tunnel, size_t *size, size_t *next)
{
  const char *start = tunnel->early.data + tunnel->taken;
  const char *end = tunnel->early.size > tunnel->taken ? memchr(start, '\n', tunnel->early.size - tunnel->taken) : NULL;

  if (!end)
    return false;
  *next = tunnel->taken + (size_t)(end - start) + 1;
  *size = (size_t)(end - start) - (end > start && end[-1] == '\r');
  return true;
}

static osdear_status read_line(osdear__http_tunnel *tunnel, osdear__str *line, osdear_error **error)
{
  size_t size, next;

  while (!find_line(tunnel, &size, &next)) {
    size_t got;
    osdear_status st =
        tunnel->early.size - tunnel->taken < MOST_HEAD ? read_more(tunnel, &got, error) : fail_long_head(tunnel, error);
    if (st)
      return st;
    if (got == 0)
      return fail_broken(tunnel, OSDEAR_ERR_UNAVAILABLE, "the connection was closed without an answer", error);
  }
  *line = (osdear__str){ tunnel->early.data + tunnel->taken, size };
  tunnel->taken = next;
  return OSDEAR_OK;
}

static osdear_status read_head(osdear__http_tunnel *tunnel, osdear__http_response *response, osdear_error **error)
{
  osdear__str line;
  size_t size = 0;
  bool is_interim;
  osdear_status st;

  do {
    st = read_line(tunnel, &line, error);
    size += st ? 0 : line.size + 1;
    if (!st)
      st = osdear__response_add_line(response, line, error);
    if (!st && size > MOST_HEAD)
      st = fail_long_head(tunnel, error);
    if (!st && response->status == 0)
      st = fail_broken(tunnel, OSDEAR_ERR_CORRUPT, "what answers does not speak HTTP", error);
    is_interim = !st && line.size == 0 && response->status < 200 && response->status != 101;
    if (is_interim) /* another head follows */
      response->status = 0;
  } while (!st && (line.size > 0 || is_interim));
  return st;
}

/* ---- a refusal: its words ---- */

static osdear_status keep_words(osdear__http_tunnel *tunnel, osdear__http_response *response, int64_t size, osdear_error **error)
{
  size_t got = 1;
  osdear_status st = OSDEAR_OK;

  while (!st && got > 0 && size != 0 && response->body.size < MOST_WORDS) {
    size_t have = tunnel->early.size - tunnel->taken, room = MOST_WORDS - response->body.size;
    if (have == 0) {
      st = read_more(tunnel, &got, error);
      continue;
    }
    have = have < room ? have : room;
    have = size >= 0 && have > (uint64_t)size ? (size_t)size : have;
    osdear__buf_append(&response->body, tunnel->early.data + tunnel->taken, have);
    tunnel->taken += have;
    size -= size > 0 ? (int64_t)have : 0;
    st = osdear__buf_check(&response->body, error);
  }
  return st;
}

static bool chunk_size(osdear__str line, int64_t *size)
{
  *size = 0;
  for (size_t i = 0; i < line.size && line.data[i] != ';' && line.data[i] != ' '; i++) {
    const char *digit = memchr("0123456789abcdef0123456789ABCDEF", line.data[i], 32);
    if (!digit || *size > MOST_WORDS)
      return false;
    *size = *size * 16 + (digit - "0123456789abcdef0123456789ABCDEF") % 16;
  }
  return line.size > 0;
}

static osdear_status keep_chunks(osdear__http_tunnel *tunnel, osdear__http_response *response, osdear_error **error)
{
  int64_t size = 1;
  osdear_status st = OSDEAR_OK;

  while (!st && size > 0 && response->body.size < MOST_WORDS) {
    osdear__str line;
    st = read_line(tunnel, &line, error);
    if (!st && !chunk_size(line, &size))
      st = fail_broken(tunnel, OSDEAR_ERR_CORRUPT, "the answer's chunks are broken", error);
    if (!st)
      st = keep_words(tunnel, response, size, error);
    if (!st && size > 0)
      st = read_line(tunnel, &line, error); /* the end of the chunk */
  }
  return st;
}

static osdear_status keep_refusal(osdear__http_tunnel *tunnel, osdear__http_response *response, osdear_error **error)
{
  const char *length = osdear__http_header_get(response, "Content-Length");
  int64_t size = -1;

  if (osdear__http_header_get(response, "Transfer-Encoding"))
    return keep_chunks(tunnel, response, error);
  if (length && (!osdear__parse_i64(osdear__str_of(length), &size) || size < 0))
    return fail_broken(tunnel, OSDEAR_ERR_CORRUPT, "the answer's length is none", error);
  if (response->status == 204 || response->status == 304)
    return OSDEAR_OK;
  return keep_words(tunnel, response, size, error);
}

/* ---- the whole ---- */

static bool is_taken_over(const osdear__http_response *response)
{
  return response->status == 101 || (response->status == 200 && !osdear__http_header_get(response, "Content-Length") &&
                                     !osdear__http_header_get(response, "Transfer-Encoding"));
}

static osdear_status name_response(const osdear__http_tunnel *tunnel, const char *method, osdear__http_response *response,
                                   osdear_error **error)
{
  SCOPED(buf) url = { 0 };

  osdear__http_put_url(&url, tunnel->url);
  response->url = osdear__buf_take(&url);
  response->attempts = 1;
  response->body_size = (int64_t)response->body.size;
  memcpy(response->method, method, strlen(method) + 1);
  return response->url ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status open_tunnel(osdear__http_tunnel *tunnel, const osdear__http_request *request,
                                 osdear__http_response *response, osdear_error **error)
{
  const char *method = request->method ? request->method : "GET";
  osdear_status st = osdear__http_check_method(method, error);

  if (!st)
    st = osdear__http_check_headers(request->headers, request->header_count, error);
  if (!st)
    st = osdear__client_url(tunnel->client, request->url, &tunnel->arena, &tunnel->url, error);
  if (st)
    return st;
  tunnel->is_tls = osdear__starts_with(tunnel->url, "https:");
  st = connect_to(tunnel, error);
  if (!st)
    st = send_request(tunnel, request, method, error);
  if (!st)
    st = read_head(tunnel, response, error);
  if (!st && !is_taken_over(response))
    st = keep_refusal(tunnel, response, error);
  return st ? st : name_response(tunnel, method, response, error);
}

osdear_status osdear__http_upgrade(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                   osdear__http_response *response, osdear__http_tunnel **out, osdear_error **error)
{
  AUTO(http_tunnel) tunnel = NULL;
  SCOPED(http_response) answer = { 0 };
  osdear_status st;

  *out = NULL;
  if (client->config.auth == HTTP_AUTH_NEGOTIATE || request->source.read)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a connection is taken over without Negotiate, with a body from memory");
  st = osdear__curl_open(error);
  if (st)
    return st;
  tunnel = osdear__alloc_zeroed(1, sizeof *tunnel);
  if (!tunnel)
    return osdear__fail_memory(error);
  pthread_mutex_init(&tunnel->lock, NULL);
  tunnel->client = osdear__http_client_ref(client);
  tunnel->context = osdear_context_ref(context);
  tunnel->idle_ms = request->idle_timeout_ms ? request->idle_timeout_ms : client->config.idle_timeout_ms;
  st = open_tunnel(tunnel, request, &answer, error);
  if (st)
    return st;
  osdear__http_response_drop(response);
  *response = answer;
  memset(&answer, 0, sizeof answer);
  if (is_taken_over(response)) {
    *out = tunnel;
    tunnel = NULL;
  }
  return OSDEAR_OK;
}

void osdear__http_tunnel_free(osdear__http_tunnel *tunnel)
{
  osdear__pipe_guard guard;

  if (!tunnel)
    return;
  guard = osdear__pipe_hold(tunnel->is_tls);
  if (tunnel->easy && tunnel->multi)
    osdear__curl.multi_remove_handle(tunnel->multi, tunnel->easy);
  if (tunnel->easy)
    osdear__curl.easy_cleanup(tunnel->easy);
  if (tunnel->multi)
    osdear__curl.multi_cleanup(tunnel->multi);
  osdear__pipe_release(&guard);
  osdear__buf_drop(&tunnel->early);
  osdear__arena_drop(&tunnel->arena);
  pthread_mutex_destroy(&tunnel->lock);
  osdear_context_unref(tunnel->context);
  osdear__http_client_unref(tunnel->client);
  osdear__free(tunnel);
}

void osdear__http_tunnel_auto(osdear__http_tunnel **tunnel)
{
  osdear__http_tunnel_free(*tunnel);
}
