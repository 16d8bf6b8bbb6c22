/* Answers: their headers, and what they mean as an error. */
#include <http/response.h>

#include <stdarg.h>
#include <stdio.h>

void osdear__http_response_drop(osdear__http_response *response)
{
  osdear__buf_drop(&response->body);
  osdear__buf_drop(&response->head);
  osdear__free(response->url);
  memset(response, 0, sizeof *response);
}

/* ---- headers: each kept as `name NUL value NUL` ---- */

static int32_t status_of_line(osdear__str line)
{
  const char *space = memchr(line.data, ' ', line.size);
  int64_t status;

  if (!space || line.data + line.size - space < 4 || !osdear__parse_i64((osdear__str){ space + 1, 3 }, &status))
    return 0;
  return (int32_t)status;
}

osdear_status osdear__response_add_line(osdear__http_response *response, osdear__str line, osdear_error **error)
{
  enum { MOST_HEAD = 64 << 10 };
  osdear__buf *head = &response->head;
  const char *colon = memchr(line.data, ':', line.size);
  size_t value;

  if (line.size >= 5 && memcmp(line.data, "HTTP/", 5) == 0) { /* the first, or the one after 100 or 401 */
    osdear__buf_clear(head);
    response->status = status_of_line(line);
    return OSDEAR_OK;
  }
  if (!colon || colon == line.data)
    return OSDEAR_OK;
  if (head->size + line.size > MOST_HEAD)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the answer has more than %d bytes of headers", MOST_HEAD);
  value = (size_t)(colon - line.data) + 1;
  while (value < line.size && (line.data[value] == ' ' || line.data[value] == '\t'))
    value++;
  osdear__buf_append(head, line.data, (size_t)(colon - line.data));
  osdear__buf_putc(head, '\0');
  osdear__buf_append(head, line.data + value, strnlen(line.data + value, line.size - value));
  osdear__buf_putc(head, '\0');
  return osdear__buf_check(head, error);
}

bool osdear__http_header_next(const osdear__http_response *response, size_t *cursor, osdear__http_header *out)
{
  const char *at = response->head.data;

  if (*cursor >= response->head.size)
    return false;
  out->name = at + *cursor;
  *cursor += strlen(out->name) + 1;
  out->value = at + *cursor;
  *cursor += strlen(out->value) + 1;
  return true;
}

const char *osdear__http_header_get(const osdear__http_response *response, const char *name)
{
  osdear__http_header header;
  size_t cursor = 0;

  while (osdear__http_header_next(response, &cursor, &header))
    if (osdear__str_equal_nocase(osdear__str_of(header.name), osdear__str_of(name)))
      return header.value;
  return NULL;
}

bool osdear__http_header_time(const osdear__http_response *response, const char *name, int64_t *us)
{
  const char *value = osdear__http_header_get(response, name);

  return value && osdear__http_parse_date(osdear__str_of(value), us);
}

/* ---- as failures ---- */

osdear_status osdear__http_status_of(int32_t http_status)
{
  switch (http_status) {
  case 401:
  case 403:
  case 407: return OSDEAR_ERR_DENIED;
  case 404:
  case 410: return OSDEAR_ERR_NOT_FOUND;
  case 405:
  case 501:
  case 505: return OSDEAR_ERR_UNSUPPORTED;
  case 408:
  case 504: return OSDEAR_ERR_TIMEOUT;
  case 409:
  case 412:
  case 423: return OSDEAR_ERR_CONFLICT;
  case 413: return OSDEAR_ERR_LIMIT;
  case 425:
  case 429: return OSDEAR_ERR_UNAVAILABLE;
  default: break;
  }
  if (http_status >= 500 && http_status <= 599)
    return OSDEAR_ERR_UNAVAILABLE;
  return http_status >= 400 && http_status <= 499 ? OSDEAR_ERR_ARGUMENT : OSDEAR_ERR_IO;
}

bool osdear__http_is_retryable(int32_t http_status)
{
  switch (http_status) {
  case 408:
  case 425:
  case 429:
  case 500:
  case 502:
  case 503:
  case 504: return true;
  default: return false;
  }
}

static const char *request_id_of(const osdear__http_response *response)
{
  static const char *const names[] = { "x-amz-request-id", "x-request-id", "request-id", "x-correlation-id" };

  for (size_t i = 0; i < COUNT_OF(names); i++) {
    const char *value = osdear__http_header_get(response, names[i]);
    if (value)
      return value;
  }
  return NULL;
}

/* A stranger's words, fit for a message: valid UTF-8 on one line. */
static void put_words(osdear__buf *out, const char *text, size_t size)
{
  size_t start = out->size;

  for (size_t i = 0; i < size; i++)
    osdear__buf_putc(out, (unsigned char)text[i] < 32 || text[i] == 127 ? ' ' : text[i]);
  if (!out->failed && size > 0 && !osdear__utf8_is_valid(out->data + start, out->size - start))
    for (size_t i = start; i < out->size; i++)
      out->data[i] = (unsigned char)out->data[i] < 128 ? out->data[i] : '?';
}

osdear_status osdear__http_fail(const osdear__http_response *response, osdear_status status, const char *code,
                                osdear_error **error, const char *format, ...)
{
  enum { WORDS = 1024 };
  osdear__service_answer answer = { code, request_id_of(response), response->status,
                                    osdear__http_is_retryable(response->status) };
  SCOPED(buf) words = { 0 };
  char text[WORDS];
  va_list arguments;

  if (status == OSDEAR_OK)
    status = osdear__http_status_of(response->status);
  if (code) {
    osdear__buf_puts(&words, " (");
    put_words(&words, code, strnlen(code, 100));
    osdear__buf_putc(&words, ')');
  }
  if (format) {
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    osdear__buf_puts(&words, ": ");
    put_words(&words, text, strlen(text));
  }
  if (response->advice)
    osdear__buf_printf(&words, "; %s", response->advice);
  if (response->attempts > 1)
    osdear__buf_printf(&words, " [%d attempts]", response->attempts);
  osdear__buf_puts(&words, "");
  if (words.failed)
    return osdear__fail_memory(error);
  return osdear__fail_service(error, status, &answer, "%s %s: %d %s%s", response->method, response->url ? response->url : "",
                              response->status, osdear__http_reason(response->status), words.data);
}

osdear_status osdear__http_expect(const osdear__http_response *response, osdear_error **error)
{
  const char *text = response->body.data;
  size_t size = 0;

  if (response->status >= 200 && response->status <= 299)
    return OSDEAR_OK;
  while (text && size < response->body.size && size < 300 && text[size] != '\n' && text[size] != '\r' && text[size])
    size++;
  if (size == 0 || text[0] == '<') /* pages say nothing in their first line */
    return osdear__http_fail(response, OSDEAR_OK, NULL, error, NULL);
  return osdear__http_fail(response, OSDEAR_OK, NULL, error, "%.*s", (int)size, text);
}
