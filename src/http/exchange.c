/* One attempt at a request: what curl is told, and what it calls back. */
#include <http/internal.h>

#include <stdio.h>

enum {
  MOST_WORDS = 64 << 10, /* of a body that tells what went wrong */
  MOST_HEADED = 256 << 10,
  MOST_DISCARDED = 1 << 20, /* what more of it is read only to keep the connection */
  IN_ONE_PIECE = 60 << 10,  /* a body that curl sends together with its headers, in one packet if it fits */
  LARGE_BUFFER = 256 << 10,
  DEFAULT_MAX_BODY = 64 << 20
};

/* ---- making and freeing ---- */

static const osdear__http_header *copy_headers(osdear__arena *arena, const osdear__http_header *headers, size_t count)
{
  osdear__http_header *copies = osdear__arena_zeroed(arena, count + 1, sizeof *copies);

  for (size_t i = 0; copies && i < count; i++) {
    copies[i].name = osdear__arena_strdup(arena, headers[i].name);
    copies[i].value = osdear__arena_strdup(arena, headers[i].value);
    if (!copies[i].name || !copies[i].value)
      return NULL;
  }
  return copies;
}

static osdear_status copy_request(osdear__http_exchange *exchange, const osdear__http_request *request, osdear_error **error)
{
  osdear__http_request *own = &exchange->request;
  osdear_status st;

  *own = *request;
  own->method = osdear__arena_strdup(&exchange->arena, request->method ? request->method : "GET");
  if (!own->method)
    return osdear__fail_memory(error);
  st = osdear__http_check_method(own->method, error);
  if (!st)
    st = osdear__http_check_headers(request->headers, request->header_count, error);
  if (!st)
    st = osdear__client_url(exchange->client, request->url, &exchange->arena, &own->url, error);
  if (st)
    return st;
  own->headers = copy_headers(&exchange->arena, request->headers, request->header_count);
  if (!own->headers)
    return osdear__fail_memory(error);
  own->timeout_ms = own->timeout_ms ? own->timeout_ms : exchange->client->config.timeout_ms;
  own->idle_timeout_ms = own->idle_timeout_ms ? own->idle_timeout_ms : exchange->client->config.idle_timeout_ms;
  own->max_body = own->max_body ? own->max_body : DEFAULT_MAX_BODY;
  exchange->method = own->method;
  exchange->url = own->url;
  return OSDEAR_OK;
}

osdear_status osdear__exchange_new(osdear__http_client *client, const osdear__http_request *request, osdear__http_exchange **out,
                                   osdear_error **error)
{
  osdear__http_exchange *exchange = osdear__alloc_zeroed(1, sizeof *exchange);
  osdear_status st;

  if (!exchange)
    return osdear__fail_memory(error);
  exchange->client = osdear__http_client_ref(client);
  st = copy_request(exchange, request, error);
  if (st) {
    osdear__exchange_drop(exchange);
    return st;
  }
  *out = exchange;
  return OSDEAR_OK;
}

void osdear__exchange_drop(osdear__http_exchange *exchange)
{
  if (exchange->header_list)
    osdear__curl.slist_free_all(exchange->header_list);
  osdear__http_response_drop(&exchange->response);
  osdear__arena_drop(&exchange->arena);
  osdear__arena_drop(&exchange->attempt_arena);
  osdear_error_free(exchange->failure);
  osdear__http_client_unref(exchange->client);
  osdear__free(exchange);
}

/* ---- what curl calls back: anything but its normal return ends the transfer, and `failed` says why ---- */

static osdear_status fail_callback(osdear__http_exchange *exchange, osdear_status status)
{
  exchange->failed = status;
  return status;
}

static void note_byte(osdear__http_exchange *exchange)
{
  exchange->last_byte_us = osdear__monotonic_us();
}

/* Before the request is sent on a connection. curl sends it again by itself where a connection that was kept breaks before an answer:
 * right for what may be repeated, wrong for what may not. */
static int before_request(void *argument, char *address, char *local_address, int port, int local_port)
{
  osdear__http_exchange *exchange = argument;
  bool was_lost = exchange->begun > 0 && !exchange->answered;

  (void)address;
  (void)local_address;
  (void)port;
  (void)local_port;
  exchange->begun++;
  exchange->answered = false;
  note_byte(exchange);
  if (osdear__fault_hit(FAULT_WRITE))
    return CURL_PREREQFUNC_ABORT;
  if (was_lost && !osdear__exchange_is_repeatable(exchange))
    return CURL_PREREQFUNC_ABORT;
  exchange->response.maybe_done_before = exchange->response.maybe_done_before || was_lost;
  return CURL_PREREQFUNC_OK;
}

static size_t on_header(char *line, size_t one, size_t size, void *argument)
{
  osdear__http_exchange *exchange = argument;
  size_t length = size * one;
  osdear_status st;

  if (osdear__fault_hit(FAULT_READ))
    return 0;
  exchange->answered = true;
  exchange->headed += length;
  note_byte(exchange);
  if (exchange->headed > MOST_HEADED) { /* each of them short, and no end of them: 100 Continue for ever, or trailers */
    fail_callback(exchange, osdear__fail(&exchange->failure, OSDEAR_ERR_LIMIT,
                                         "the answer has more than %d bytes of headers and trailers", MOST_HEADED));
    return 0;
  }
  if (exchange->body_begun) /* a trailer */
    return size * one;
  while (length > 0 && (line[length - 1] == '\r' || line[length - 1] == '\n'))
    length--;
  st = osdear__response_add_line(&exchange->response, (osdear__str){ line, length }, &exchange->failure);
  exchange->head_done = length == 0 && exchange->response.status >= 200;
  if (st) {
    fail_callback(exchange, st);
    return 0;
  }
  return size * one;
}

static osdear_status keep_into(osdear__http_exchange *exchange, const char *data, size_t size)
{
  size_t have = (size_t)exchange->response.body_size;

  if (size > exchange->request.into_size - have)
    return osdear__fail(&exchange->failure, OSDEAR_ERR_LIMIT, "the answer is longer than the %zu bytes that were expected",
                        exchange->request.into_size);
  memcpy((char *)exchange->request.into + have, data, size);
  return OSDEAR_OK;
}

static osdear_status keep_body(osdear__http_exchange *exchange, const char *data, size_t size)
{
  osdear__buf *body = &exchange->response.body;

  if (size > exchange->request.max_body - body->size)
    return osdear__fail(&exchange->failure, OSDEAR_ERR_LIMIT, "the answer is longer than %zu bytes, the most that is taken",
                        exchange->request.max_body);
  osdear__buf_append(body, data, size);
  return osdear__buf_check(body, &exchange->failure);
}

/* Who answers with an error may say a lot: the head of it is kept, and not all the rest is listened to. */
static osdear_status keep_words(osdear__http_exchange *exchange, const char *data, size_t size)
{
  osdear__buf *body = &exchange->response.body;
  size_t room = body->size < MOST_WORDS ? MOST_WORDS - body->size : 0;

  osdear__buf_append(body, data, size < room ? size : room);
  if (exchange->response.body_size > MOST_DISCARDED) {
    exchange->is_cut = true;
    return OSDEAR_ERR_LIMIT;
  }
  return osdear__buf_check(body, &exchange->failure);
}

static osdear_status keep(osdear__http_exchange *exchange, const char *data, size_t size)
{
  const osdear__http_sink *sink = &exchange->request.sink;

  if (exchange->response.status < 200 || exchange->response.status > 299)
    return keep_words(exchange, data, size);
  if (exchange->request.into)
    return keep_into(exchange, data, size);
  if (sink->write)
    return sink->write(sink->argument, data, size, &exchange->paused, &exchange->failure);
  return keep_body(exchange, data, size);
}

static size_t on_body(char *data, size_t one, size_t size, void *argument)
{
  osdear__http_exchange *exchange = argument;
  osdear_status st;

  if (exchange->paused)
    return CURL_WRITEFUNC_PAUSE;
  if (osdear__fault_hit(FAULT_READ))
    return 0;
  exchange->body_begun = true;
  note_byte(exchange);
  st = keep(exchange, data, size * one);
  if (st) {
    fail_callback(exchange, st);
    return 0;
  }
  exchange->response.body_size += (int64_t)(size * one);
  return size * one;
}

static size_t read_source(osdear__http_exchange *exchange, char *out, size_t room)
{
  const osdear__http_source *source = &exchange->request.source;
  size_t got = 0;
  osdear_status st = source->read(source->argument, out, room, &got, &exchange->failure);

  if (!st && got > room)
    st = osdear__fail(&exchange->failure, OSDEAR_ERR_INTERNAL, "a body gave more bytes than it was asked for");
  if (!st && source->size_bytes >= 0 &&
      (got > (uint64_t)source->size_bytes - exchange->sent || (got == 0 && exchange->sent < (uint64_t)source->size_bytes)))
    st = osdear__fail(&exchange->failure, OSDEAR_ERR_STATE, "a body of %" PRId64 " bytes was announced, another length came",
                      source->size_bytes);
  if (st) {
    fail_callback(exchange, st);
    return CURL_READFUNC_ABORT;
  }
  return got;
}

static size_t on_source(char *out, size_t one, size_t count, void *argument)
{
  osdear__http_exchange *exchange = argument;
  size_t room = one * count, got;

  if (osdear__fault_hit(FAULT_WRITE))
    return CURL_READFUNC_ABORT;
  if (exchange->request.source.read) {
    got = read_source(exchange, out, room);
    if (got == CURL_READFUNC_ABORT)
      return got;
  } else {
    got = exchange->request.body_size - exchange->sent;
    got = got < room ? got : room;
    memcpy(out, (const char *)exchange->request.body + exchange->sent, got);
  }
  exchange->sent += got;
  note_byte(exchange);
  return got;
}

/* curl goes back to the start where it repeats a request on a new connection or with credentials. */
static int on_seek(void *argument, curl_off_t offset, int origin)
{
  osdear__http_exchange *exchange = argument;
  const osdear__http_source *source = &exchange->request.source;

  if (offset != 0 || origin != SEEK_SET)
    return CURL_SEEKFUNC_CANTSEEK;
  if (source->read && exchange->sent > 0) {
    osdear_status st = source->rewind ? source->rewind(source->argument, &exchange->failure) : OSDEAR_OK;
    if (st || !source->rewind)
      return CURL_SEEKFUNC_FAIL;
  }
  exchange->sent = 0;
  return CURL_SEEKFUNC_OK;
}

/* Bodies that curl sends without asking us are seen here only. */
static int on_progress(void *argument, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
  osdear__http_exchange *exchange = argument;

  (void)down_total;
  (void)up_total;
  if (down + up != exchange->moved) {
    exchange->moved = down + up;
    note_byte(exchange);
  }
  return 0;
}

/* ---- setting up ---- */

osdear_status osdear__http_attempt_set(osdear__http_attempt *attempt, const char *name, const char *value, osdear_error **error)
{
  osdear__http_exchange *exchange = (osdear__http_exchange *)(void *)((char *)attempt - offsetof(osdear__http_exchange, attempt));
  osdear__http_header *header = NULL;
  osdear_status st = osdear__http_check_headers(&(osdear__http_header){ name, value }, 1, error);

  enum { MOST_SIGNED = 24 };
  if (st)
    return st;
  if (!exchange->signed_headers)
    exchange->signed_headers = osdear__arena_zeroed(&exchange->attempt_arena, MOST_SIGNED, sizeof *header);
  if (!exchange->signed_headers)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < exchange->signed_count; i++)
    if (osdear__str_equal_nocase(osdear__str_of(exchange->signed_headers[i].name), osdear__str_of(name)))
      header = &exchange->signed_headers[i];
  if (!header && exchange->signed_count == MOST_SIGNED)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %d headers are set on an attempt", MOST_SIGNED);
  header = header ? header : &exchange->signed_headers[exchange->signed_count++];
  header->name = osdear__arena_strdup(&exchange->attempt_arena, name);
  header->value = osdear__arena_strdup(&exchange->attempt_arena, value);
  return header->name && header->value ? OSDEAR_OK : osdear__fail_memory(error);
}

static bool has_header(const osdear__http_header *headers, size_t count, const char *name)
{
  for (size_t i = 0; i < count; i++)
    if (headers[i].name && osdear__str_equal_nocase(osdear__str_of(headers[i].name), osdear__str_of(name)))
      return true;
  return false;
}

static bool sends(const osdear__http_exchange *exchange, const char *name)
{
  return has_header(exchange->request.headers, exchange->request.header_count, name) ||
         has_header(exchange->signed_headers, exchange->signed_count, name);
}

/* `Name: value`, or as curl wants it: `Name;` for an empty value, `Name:` to leave out what it would send by itself. */
static bool add_line(osdear__http_exchange *exchange, osdear__buf *line, const char *name, const char *value)
{
  struct curl_slist *longer;

  osdear__buf_clear(line);
  if (!value)
    osdear__buf_printf(line, "%s:", name);
  else if (!*value)
    osdear__buf_printf(line, "%s;", name);
  else
    osdear__buf_printf(line, "%s: %s", name, value);
  longer = line->failed ? NULL : osdear__curl.slist_append(exchange->header_list, line->data);
  if (longer)
    exchange->header_list = longer;
  return longer != NULL;
}

static bool list_headers(osdear__http_exchange *exchange, bool has_body)
{
  const osdear__http_request *request = &exchange->request;
  const osdear__http_client *client = exchange->client;
  SCOPED(buf) line = { 0 };
  bool ok = true;

  for (size_t i = 0; ok && i < request->header_count; i++) {
    const osdear__http_header *header = &request->headers[i];
    bool is_kept = !has_header(exchange->signed_headers, exchange->signed_count, header->name) &&
                   !(exchange->is_elsewhere && osdear__http_is_secret(osdear__str_of(header->name))) &&
                   !(exchange->drops_body && osdear__str_equal_nocase(osdear__str_of(header->name), STR("Content-Type")));
    ok = !is_kept || add_line(exchange, &line, header->name, header->value);
  }
  for (size_t i = 0; ok && i < exchange->signed_count; i++)
    ok = add_line(exchange, &line, exchange->signed_headers[i].name, exchange->signed_headers[i].value);
  if (ok && client->authorization && !exchange->is_elsewhere && !sends(exchange, "Authorization"))
    ok = add_line(exchange, &line, "Authorization", client->authorization);
  if (ok && has_body)
    ok = add_line(exchange, &line, "Expect", request->expect_continue ? "100-continue" : NULL);
  if (ok && has_body && !sends(exchange, "Content-Type"))
    ok = add_line(exchange, &line, "Content-Type", NULL);
  if (line.data)
    explicit_bzero(line.data, line.capacity);
  return ok;
}

static bool has_body(const osdear__http_exchange *exchange)
{
  const osdear__http_request *request = &exchange->request;

  return !exchange->drops_body && (request->body || request->source.read || strcmp(request->method, "POST") == 0 ||
                                   strcmp(request->method, "PUT") == 0 || strcmp(request->method, "PATCH") == 0);
}

static void set_body(osdear__http_exchange *exchange, CURLcode *failed)
{
  const osdear__http_request *request = &exchange->request;
  CURL *easy = exchange->easy;

  if (!request->source.read && request->body_size <= IN_ONE_PIECE) {
    osdear__curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, (int64_t)request->body_size, failed);
    osdear__curl_set_data(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "", failed);
    return;
  }
  osdear__curl_set_long(easy, CURLOPT_UPLOAD, 1, failed);
  osdear__curl_set_size(easy, CURLOPT_INFILESIZE_LARGE,
                        request->source.read ? request->source.size_bytes : (int64_t)request->body_size, failed);
  osdear__curl_set_call(easy, CURLOPT_READFUNCTION, (void (*)(void))on_source, failed);
  osdear__curl_set_data(easy, CURLOPT_READDATA, exchange, failed);
  osdear__curl_set_long(easy, CURLOPT_UPLOAD_BUFFERSIZE, LARGE_BUFFER, failed);
}

static void set_callbacks(osdear__http_exchange *exchange, CURLcode *failed)
{
  CURL *easy = exchange->easy;

  osdear__curl_set_data(easy, CURLOPT_PRIVATE, exchange, failed);
  osdear__curl_set_data(easy, CURLOPT_ERRORBUFFER, exchange->curl_words, failed);
  osdear__curl_set_call(easy, CURLOPT_PREREQFUNCTION, (void (*)(void))before_request, failed);
  osdear__curl_set_data(easy, CURLOPT_PREREQDATA, exchange, failed);
  osdear__curl_set_call(easy, CURLOPT_HEADERFUNCTION, (void (*)(void))on_header, failed);
  osdear__curl_set_data(easy, CURLOPT_HEADERDATA, exchange, failed);
  osdear__curl_set_call(easy, CURLOPT_WRITEFUNCTION, (void (*)(void))on_body, failed);
  osdear__curl_set_data(easy, CURLOPT_WRITEDATA, exchange, failed);
  osdear__curl_set_call(easy, CURLOPT_SEEKFUNCTION, (void (*)(void))on_seek, failed);
  osdear__curl_set_data(easy, CURLOPT_SEEKDATA, exchange, failed);
  osdear__curl_set_call(easy, CURLOPT_XFERINFOFUNCTION, (void (*)(void))on_progress, failed);
  osdear__curl_set_data(easy, CURLOPT_XFERINFODATA, exchange, failed);
  osdear__curl_set_long(easy, CURLOPT_NOPROGRESS, 0, failed);
}

static void set_request(osdear__http_exchange *exchange, CURLcode *failed)
{
  const osdear__http_request *request = &exchange->request;
  CURL *easy = exchange->easy;
  bool is_large = request->sink.write || (request->into && request->into_size > IN_ONE_PIECE);

  osdear__curl_set_text(easy, CURLOPT_URL, exchange->url, failed);
  if (has_body(exchange))
    set_body(exchange, failed);
  if (strcmp(exchange->method, "HEAD") == 0)
    osdear__curl_set_long(easy, CURLOPT_NOBODY, 1, failed);
  else if (strcmp(exchange->method, "GET") != 0 || has_body(exchange))
    osdear__curl_set_text(easy, CURLOPT_CUSTOMREQUEST, exchange->method, failed);
  if (is_large)
    osdear__curl_set_long(easy, CURLOPT_BUFFERSIZE, LARGE_BUFFER, failed);
  if (exchange->header_list)
    osdear__curl_set_data(easy, CURLOPT_HTTPHEADER, exchange->header_list, failed);
  if (exchange->client->config.auth == HTTP_AUTH_NEGOTIATE && !exchange->is_elsewhere) {
    osdear__curl_set_long(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_NEGOTIATE, failed);
    osdear__curl_set_text(easy, CURLOPT_USERPWD, ":", failed);
  }
}

/* Forgets the attempt before. */
static void start_over(osdear__http_exchange *exchange)
{
  osdear__http_response *response = &exchange->response;

  osdear__curl.slist_free_all(exchange->header_list);
  exchange->header_list = NULL;
  osdear__buf_clear(&response->body);
  osdear__buf_clear(&response->head);
  response->status = 0;
  response->body_size = 0;
  response->attempts++;
  exchange->curl_words[0] = '\0';
  exchange->begun = 0;
  exchange->answered = exchange->head_done = exchange->body_begun = exchange->paused = exchange->is_cut = false;
  exchange->headed = 0;
  exchange->sent = 0;
  exchange->moved = 0;
  exchange->failed = OSDEAR_OK;
  osdear_error_free(exchange->failure);
  exchange->failure = NULL;
  note_byte(exchange);
}

static osdear_status sign(osdear__http_exchange *exchange)
{
  const osdear__http_hooks *hooks = &exchange->client->config.hooks;
  osdear__http_attempt *attempt = &exchange->attempt;

  osdear__arena_reset(&exchange->attempt_arena);
  exchange->signed_headers = NULL;
  exchange->signed_count = 0;
  attempt->method = exchange->method;
  attempt->url = exchange->url;
  attempt->headers = exchange->request.headers;
  attempt->header_count = exchange->request.header_count;
  attempt->tag = exchange->request.tag;
  attempt->number = exchange->response.attempts + 1;
  attempt->answer = exchange->response.status > 0 ? &exchange->response : NULL;
  return hooks->sign && !exchange->is_elsewhere ? hooks->sign(hooks->argument, attempt, &exchange->failure) : OSDEAR_OK;
}

static osdear_status fail_setup(osdear__http_exchange *exchange, CURLcode code)
{
  if (code == CURLE_OUT_OF_MEMORY)
    return osdear__fail_memory(&exchange->failure);
  return osdear__fail(&exchange->failure, OSDEAR_ERR_UNSUPPORTED, "libcurl refuses a setting: %s",
                      osdear__curl.easy_strerror(code));
}

osdear_status osdear__exchange_prepare(osdear__http_exchange *exchange, osdear__http_loop *loop)
{
  CURLcode failed = CURLE_OK;
  osdear_status st = sign(exchange);

  if (st)
    return st;
  start_over(exchange);
  if (!list_headers(exchange, has_body(exchange)))
    return osdear__fail_memory(&exchange->failure);
  exchange->easy = osdear__loop_handle(loop);
  if (!exchange->easy)
    return osdear__fail_memory(&exchange->failure);
  osdear__client_setup(exchange->client, exchange->url, exchange->easy, &failed);
  set_callbacks(exchange, &failed);
  set_request(exchange, &failed);
  return failed == CURLE_OK ? OSDEAR_OK : fail_setup(exchange, failed);
}
