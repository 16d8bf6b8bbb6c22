/* One request to an engine: its path behind the version, its answer as it is, as JSON, or pulled piece by piece. */
#include <container/container.h>

void osdear__put_name(osdear__buf *out, const char *name, const char *keep)
{
  osdear__http_put_encoded(out, osdear__str_of(name), keep);
}

/* {"key":["value","value"]}: one key may come several times. */
void osdear__put_filters(osdear__buf *out, char before, const osdear_pair *filters, size_t count)
{
  SCOPED(buf) text = { 0 };
  bool first = true;

  if (count == 0)
    return;
  osdear__buf_putc(&text, '{');
  for (size_t i = 0; i < count; i++) {
    bool was_put = false, first_value = true;

    for (size_t j = 0; j < i && !was_put; j++)
      was_put = strcmp(filters[j].key, filters[i].key) == 0;
    if (was_put)
      continue;
    osdear__json_put_key(&text, &first, filters[i].key);
    osdear__buf_putc(&text, '[');
    for (size_t j = i; j < count; j++) {
      if (strcmp(filters[j].key, filters[i].key) != 0)
        continue;
      osdear__json_put_comma(&text, &first_value);
      osdear__json_put_string(&text, osdear__str_of(filters[j].value));
    }
    osdear__buf_putc(&text, ']');
  }
  osdear__buf_putc(&text, '}');
  if (text.failed) {
    out->failed = text.failed;
    return;
  }
  osdear__buf_printf(out, "%cfilters=", before);
  osdear__http_put_encoded(out, (osdear__str){ text.data, text.size }, "");
}

#define MOST_HEADERS 3

typedef struct prepared {
  osdear__buf url;
  osdear__buf credentials; /* Portainer's */
  osdear__http_header headers[MOST_HEADERS];
  osdear__http_request request;
} osdear__prepared;

static void osdear__prepared_drop(osdear__prepared *p)
{
  osdear__buf_drop(&p->url);
  osdear__buf_drop(&p->credentials);
}

static void add_header(osdear__prepared *p, const char *name, const char *value)
{
  p->headers[p->request.header_count++] = (osdear__http_header){ name, value };
}

/* At least a moment: what is too late by then is told by its own deadline. */
static int64_t time_for(const osdear_engine *engine, const osdear__engine_request *given)
{
  int64_t left_ms;

  if (engine->deadline_us == 0 || given->is_quiet)
    return given->timeout_ms;
  left_ms = (engine->deadline_us - osdear__monotonic_us()) / 1000;
  left_ms = left_ms > 1 ? left_ms : 1;
  return given->timeout_ms > 0 && given->timeout_ms < left_ms ? given->timeout_ms : left_ms;
}

static osdear_status prepare(osdear_engine *engine, const osdear__engine_request *given, osdear__prepared *p,
                             osdear_error **error)
{
  const char *header = NULL;
  osdear_status st;

  if (given->of_portainer)
    osdear__buf_puts(&p->url, "/api");
  else
    osdear__engine_put_prefix(engine, given->version, &p->url);
  osdear__buf_puts(&p->url, given->path);
  st = osdear__buf_check(&p->url, error);
  if (!st && engine->portainer)
    st = osdear__portainer_credentials(engine->portainer, &header, &p->credentials, error);
  if (st)
    return st;
  p->request.method = given->method;
  p->request.url = p->url.data;
  p->request.headers = p->headers;
  p->request.body = given->body;
  p->request.body_size = given->body ? strlen(given->body) : 0;
  p->request.source = given->source;
  p->request.idle_timeout_ms = given->is_quiet ? -1 : given->idle_timeout_ms;
  p->request.timeout_ms = time_for(engine, given);
  p->request.is_early = given->is_quiet;
  p->request.repeat = given->repeat ? HTTP_REPEAT_SAFE : HTTP_REPEAT_BY_METHOD;
  if (header)
    add_header(p, header, p->credentials.data);
  if (given->body)
    add_header(p, "Content-Type", "application/json");
  if (given->source.read)
    add_header(p, "Content-Type", "application/x-tar");
  if (given->registry_auth)
    add_header(p, "X-Registry-Auth", given->registry_auth);
  return OSDEAR_OK;
}

/* 304: it is in that state already. */
static osdear_status judge(const osdear__engine_request *given, const osdear__http_response *response, osdear_error **error)
{
  if ((response->status >= 200 && response->status < 300) || response->status == 304 ||
      (response->status == 404 && given->missing_is_fine))
    return OSDEAR_OK;
  return osdear__engine_fail(response, error);
}

/* A token of Portainer's lives for some hours: when it has run out, another is asked for, once. */
static bool should_log_in_again(osdear_engine *engine, const osdear__engine_request *given, const osdear__http_response *response,
                                int32_t attempt)
{
  return attempt == 0 && response->status == 401 && engine->portainer && osdear__portainer_forget(engine->portainer) &&
         !given->source.read;
}

osdear_status osdear__engine_lost(const osdear_engine *engine, osdear_status st, osdear_error **error)
{
  SCOPED(buf) words = { 0 };
  osdear_status meaning;

  while (engine->origin)
    engine = engine->origin;
  if (!engine->ssh || st != OSDEAR_ERR_UNAVAILABLE)
    return st;
  osdear__ssh_take_words(engine->ssh, &words);
  osdear__buf_append(&words, "", 0);
  if (words.failed) {
    osdear__error_forget(error);
    return osdear__buf_check(&words, error);
  }
  if (words.size == 0)
    return st;
  osdear__error_forget(error);
  meaning = osdear__engine_meaning((osdear__str){ words.data, words.size }, 0);
  return osdear__fail(error, meaning ? meaning : OSDEAR_ERR_UNAVAILABLE, "%s%s",
                      osdear__starts_with(words.data, "ssh: ") ? "" : "ssh: ", words.data);
}

osdear_status osdear__engine_send(osdear_engine *engine, const osdear__engine_request *given, osdear__http_response *response,
                                  osdear_error **error)
{
  for (int32_t attempt = 0;; attempt++) {
    SCOPED(prepared) p = { .request = { 0 } };
    osdear_status st = prepare(engine, given, &p, error);

    if (!st)
      st = osdear__http_send(engine->client, engine->context, &p.request, response, error);
    if (st)
      return osdear__engine_lost(engine, st, error);
    if (!should_log_in_again(engine, given, response, attempt))
      return judge(given, response, error);
  }
}

osdear_status osdear__engine_ask(osdear_engine *engine, const osdear__engine_request *given, osdear__arena *arena,
                                 const osdear__json **out, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__json *tree = NULL;
  osdear_status st = osdear__engine_send(engine, given, &response, error);

  *out = NULL;
  if (st || response.body.size == 0 || response.status == 404)
    return st;
  st = osdear__json_read((osdear__str){ response.body.data, response.body.size }, given->path, arena, &tree, error);
  *out = tree;
  return st;
}

osdear_status osdear__engine_pull(osdear_engine *engine, const osdear__engine_request *given, osdear__http_reader **out,
                                  osdear__http_response *response, osdear_error **error)
{
  for (int32_t attempt = 0;; attempt++) {
    SCOPED(prepared) p = { .request = { 0 } };
    osdear_status st = prepare(engine, given, &p, error);

    if (!st)
      st = osdear__http_open(engine->client, engine->context, &p.request, response, out, error);
    if (st || *out)
      return osdear__engine_lost(engine, st, error);
    if (!should_log_in_again(engine, given, response, attempt)) {
      st = judge(given, response, error);
      return st ? st
                : osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "%s: the engine sends nothing (status %" PRId32 ")", given->path,
                               response->status);
    }
  }
}

osdear_status osdear__engine_read(osdear_engine *engine, osdear__http_reader *reader, void *out, size_t room, int64_t wait_ms,
                                  size_t *got, bool *is_silent, osdear_error **error)
{
  const osdear__http_response *refusal;
  osdear_status st = osdear__http_read(reader, out, room, wait_ms, got, error);

  *is_silent = st == OSDEAR_ERR_TIMEOUT && !osdear__http_reader_has_ended(reader) &&
               osdear__context_check(engine->context, NULL) == OSDEAR_OK;
  if (*is_silent) {
    osdear__error_forget(error);
    *got = 0;
    return OSDEAR_OK;
  }
  refusal = st ? osdear__http_reader_refusal(reader) : NULL;
  if (!refusal)
    return osdear__engine_lost(engine, st, error);
  osdear__error_forget(error);
  if (osdear__engine_is_to_log_in(engine, refusal))
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "engine %s: the token has run out", engine->address);
  return osdear__engine_fail(refusal, error);
}

osdear_status osdear__engine_check(osdear_engine *engine, osdear_error **error)
{
  static const osdear__engine_request request = { .path = "/_ping" };
  SCOPED(http_response) response = { 0 };
  osdear_status st = osdear__engine_send(engine, &request, &response, error);

  if (st == OSDEAR_ERR_TIMEOUT)
    return osdear__fail_within(error, st, "engine %s hangs", engine->address);
  if (st == OSDEAR_ERR_CANCELLED || st == OSDEAR_ERR_NO_MEMORY)
    return st;
  osdear__error_forget(error);
  return OSDEAR_OK;
}

osdear_status osdear__engine_question(osdear_engine *engine, const char *path, osdear__http_client **client, osdear__buf *url,
                                      const char **header, osdear__buf *value, osdear_error **error)
{
  osdear_status st;

  *client = engine->client;
  *header = NULL;
  osdear__buf_printf(url, "%s%s", engine->prefix, path);
  st = osdear__buf_check(url, error);
  return st || !engine->portainer ? st : osdear__portainer_credentials(engine->portainer, header, value, error);
}

bool osdear__engine_is_to_log_in(osdear_engine *engine, const osdear__http_response *response)
{
  return response->status == 401 && engine->portainer && osdear__portainer_forget(engine->portainer);
}

osdear_status osdear_engine_request(osdear_engine *engine, const char *method, const char *path, const char *body, char **json,
                                    osdear_error **error)
{
  static const char *const methods[] = { "GET", "POST", "PUT", "DELETE", "HEAD" };
  SCOPED(http_response) response = { 0 };
  osdear__engine_request request = { .path = path, .body = body };
  osdear_status st;

  if (!engine || !method || !path || !json)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, method, path and json must not be NULL");
  for (size_t i = 0; i < COUNT_OF(methods); i++)
    if (strcmp(method, methods[i]) == 0)
      request.method = methods[i];
  if (!request.method)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "method `%s`: give GET, POST, PUT, DELETE or HEAD", method);
  if (path[0] != '/' || strpbrk(path, " \r\n\t#"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "path `%s` does not start with `/`, or has a character that must be encoded",
                        path);
  st = osdear__engine_send(engine, &request, &response, error);
  if (st)
    return st;
  osdear__buf_append(&response.body, "", 0);
  *json = response.body.data ? osdear__buf_take(&response.body) : osdear__strdup("");
  return *json ? OSDEAR_OK : osdear__fail_memory(error);
}
