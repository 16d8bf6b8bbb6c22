/* Services over HTTP with JSON: requests, answers, failures. */
#include <job/service.h>

enum { WORDS = 500 };

/* ---- settings ---- */

osdear_status osdear__service_config(const osdear_runner *runner, osdear__http_config *config, osdear_error **error)
{
  const char *insecure = osdear__runner_setting(runner, "insecure"), *timeout = osdear__runner_setting(runner, "timeout_ms");

  config->ca_file = osdear__runner_setting(runner, "ca_file");
  config->client_cert_file = osdear__runner_setting(runner, "client_cert_file");
  config->client_key_file = osdear__runner_setting(runner, "client_key_file");
  config->proxy = osdear__runner_setting(runner, "proxy");
  config->insecure = insecure && strcmp(insecure, "true") == 0;
  config->timeout_ms = 60000;
  config->max_attempts = 2;
  if (insecure && !config->insecure && strcmp(insecure, "false") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting \"insecure\" is true or false, not \"%s\"", insecure);
  if (timeout && (!osdear__parse_i64(osdear__str_of(timeout), &config->timeout_ms) || config->timeout_ms < 1))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting \"timeout_ms\" is a number above 0, not \"%s\"", timeout);
  return OSDEAR_OK;
}

/* ---- requests ---- */

osdear_status osdear__service_send(const osdear_runner *runner, osdear__http_client *client, const osdear__call *call,
                                   osdear__http_response *response, osdear_error **error)
{
  osdear__http_header headers[2] = { { "Accept", call->accept ? call->accept : "application/json" },
                                     { "Content-Type", "application/json" } };
  osdear__http_request request = { .method = call->method, .url = call->path, .headers = headers, .header_count = 1 };

  /* Without a type a service may take a body for something else, or refuse the credentials (Airbyte does). */
  if (call->body || (call->method && strcmp(call->method, "GET") != 0))
    request.header_count = 2;
  if (call->body) {
    request.body = call->body;
    request.body_size = strlen(call->body);
  }
  request.timeout_ms = request.idle_timeout_ms = call->timeout_ms;
  request.repeat = call->may_repeat ? HTTP_REPEAT_SAFE : HTTP_REPEAT_BY_METHOD;
  return osdear__http_send(client, runner->context, &request, response, error);
}

bool osdear__service_is_unknown(osdear_status status)
{
  return status == OSDEAR_ERR_UNAVAILABLE || status == OSDEAR_ERR_TIMEOUT || status == OSDEAR_ERR_CANCELLED ||
         status == OSDEAR_ERR_IO || status == OSDEAR_ERR_NO_MEMORY;
}

/* ---- answers ---- */

osdear_status osdear__service_json(const osdear__http_response *response, osdear__arena *arena, osdear__json **out,
                                   osdear_error **error)
{
  const char *name = response->url ? response->url : "the answer";
  osdear__str text = { response->body.data ? response->body.data : "", response->body.size };
  osdear_status st;

  if (text.size == 0)
    text = STR("null");
  st = osdear__json_read(text, name, arena, out, error);
  if (st == OSDEAR_ERR_CORRUPT)
    return osdear__fail_because(error, OSDEAR_ERR_CORRUPT,
                                "%s answers with status %d and what is no JSON: is that the right address?", name,
                                (int)response->status);
  return st;
}

osdear__str osdear__first_line(osdear__str text, size_t most)
{
  size_t end = 0;

  while (end < text.size && end < most && text.data[end] != '\n' && text.data[end] != '\r')
    end++;
  while (end > 0 && end < text.size && ((unsigned char)text.data[end] & 0xC0) == 0x80)
    end--; /* not within a character */
  return (osdear__str){ text.data, end };
}

/* The words that `words` finds in the body; else its first line, unless it is a page. */
static osdear_status put_failure(const osdear_runner *runner, const osdear__http_response *response, osdear__error_words words,
                                 osdear__buf *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *body = NULL;
  const char *found = NULL;
  osdear__str line = { response->body.data, response->body.size };
  osdear_status st;

  if (words && osdear__service_json(response, &arena, &body, NULL) == OSDEAR_OK)
    found = words(body);
  if (found)
    line = osdear__str_of(found);
  if (line.size && (found || line.data[0] != '<')) {
    line = osdear__first_line(line, WORDS);
    osdear__buf_append(out, line.data, line.size);
  }
  st = osdear__buf_check(out, error);
  if (!st && out->size)
    osdear__runner_blot(runner, out->data);
  return st;
}

osdear_status osdear__service_fail(const osdear_runner *runner, const osdear__http_response *response, osdear__error_words words,
                                   osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st = put_failure(runner, response, words, &text, error);

  if (st)
    return st;
  return text.size ? osdear__http_fail(response, OSDEAR_OK, NULL, error, "%s", text.data)
                   : osdear__http_fail(response, OSDEAR_OK, NULL, error, NULL);
}

osdear_status osdear__service_call(const osdear_runner *runner, osdear__http_client *client, const osdear__call *call,
                                   osdear__error_words words, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear_status st = osdear__service_send(runner, client, call, &response, error);

  if (st)
    return st;
  if (response.status < 200 || response.status > 299)
    return osdear__service_fail(runner, &response, words, error);
  return osdear__service_json(&response, arena, out, error);
}

osdear_status osdear__service_hear(const osdear_runner *runner, const osdear__http_response *response, osdear__error_words words,
                                   osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  *out = NULL;
  if (!response)
    return OSDEAR_OK;
  if (response->status != 200)
    return osdear__service_fail(runner, response, words, error);
  return osdear__service_json(response, arena, out, error);
}
