/* Bytes that grow. A failure sticks, so that text can be put together without asking after each piece. */
#include <base/base.h>

#include <stdio.h>

static size_t limit_of(const osdear__buf *buf)
{
  return buf->limit ? buf->limit : OSDEAR__BUF_LIMIT;
}

char *osdear__buf_reserve(osdear__buf *buf, size_t more)
{
  size_t limit = limit_of(buf);
  size_t wanted;
  char *data;

  if (buf->failed)
    return NULL;
  if (more > limit || buf->size > limit - more) {
    buf->failed = OSDEAR_ERR_LIMIT;
    return NULL;
  }
  wanted = buf->size + more + 1; /* the NUL is not counted against the limit */
  if (wanted > buf->capacity) {
    size_t grown = buf->capacity + buf->capacity / 2 + 64;
    if (grown < wanted)
      grown = wanted;
    data = osdear__realloc(buf->data, grown);
    if (!data) {
      buf->failed = OSDEAR_ERR_NO_MEMORY;
      return NULL;
    }
    buf->data = data;
    buf->capacity = grown;
  }
  return buf->data + buf->size;
}

void osdear__buf_append(osdear__buf *buf, const void *data, size_t size)
{
  char *at = osdear__buf_reserve(buf, size);

  if (!at)
    return;
  if (size)
    memcpy(at, data, size);
  buf->size += size;
  buf->data[buf->size] = '\0';
}

void osdear__buf_puts(osdear__buf *buf, const char *text)
{
  osdear__buf_append(buf, text, strlen(text));
}

void osdear__buf_putc(osdear__buf *buf, char c)
{
  if (LIKELY(!buf->failed && buf->size + 1 < buf->capacity && buf->size < limit_of(buf))) {
    buf->data[buf->size++] = c;
    buf->data[buf->size] = '\0';
  } else {
    osdear__buf_append(buf, &c, 1);
  }
}

void osdear__buf_printf(osdear__buf *buf, const char *format, ...)
{
  va_list arguments;
  char *at;
  int size;

  va_start(arguments, format);
  size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  at = osdear__buf_reserve(buf, size < 0 ? SIZE_MAX : (size_t)size);
  if (!at)
    return;
  va_start(arguments, format);
  vsnprintf(at, (size_t)size + 1, format, arguments);
  va_end(arguments);
  buf->size += (size_t)size;
}

void osdear__buf_clear(osdear__buf *buf)
{
  buf->size = 0;
  buf->failed = OSDEAR_OK;
  if (buf->data)
    buf->data[0] = '\0';
}

void osdear__buf_drop(osdear__buf *buf)
{
  osdear__free(buf->data);
  *buf = (osdear__buf){ .limit = buf->limit };
}

char *osdear__buf_take(osdear__buf *buf)
{
  char *data;

  if (!buf->data)
    osdear__buf_append(buf, "", 0);
  if (buf->failed)
    return NULL;
  data = buf->data;
  *buf = (osdear__buf){ .limit = buf->limit };
  return data;
}

osdear_status osdear__buf_check(const osdear__buf *buf, osdear_error **error)
{
  if (buf->failed == OSDEAR_ERR_LIMIT)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %zu bytes would be needed in one piece", limit_of(buf));
  if (buf->failed)
    return osdear__fail_memory(error);
  return OSDEAR_OK;
}
