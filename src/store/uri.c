/** @file uri.c Path names as URIs, the way Delta's log holds them. */
#include <store/store.h>

/* RFC 3986 unreserved, the separator, and the sub-delimiters that java.net.URI leaves alone in a path. */
static bool stays_as_is(unsigned char c)
{
  if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
    return true;
  return c != 0 && strchr("-._~/!$&'()*+,;=:@", c) != NULL;
}

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

void osdear__uri_encode(osdear__buf *out, osdear__str path)
{
  static const char digits[] = "0123456789ABCDEF";

  for (size_t i = 0; i < path.size; i++) {
    unsigned char c = (unsigned char)path.data[i];
    if (stays_as_is(c)) {
      osdear__buf_putc(out, (char)c);
    } else {
      char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };
      osdear__buf_append(out, escaped, sizeof escaped);
    }
  }
}

/* A NUL would cut the name short for the system's calls, and so name another file than the log does. */
static osdear_status decode_escape(osdear__str text, size_t at, char *out, osdear_error **error)
{
  int high = at + 2 < text.size ? hex_digit(text.data[at + 1]) : -1;
  int low = at + 2 < text.size ? hex_digit(text.data[at + 2]) : -1;

  if (high < 0 || low < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "bad percent escape at byte %zu of path \"%.*s\"", at, (int)text.size,
                        text.data);
  *out = (char)(high * 16 + low);
  if (*out == '\0')
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "path \"%.*s\" holds an escaped NUL", (int)text.size, text.data);
  return OSDEAR_OK;
}

osdear_status osdear__uri_decode(osdear__str text, osdear__buf *out, osdear_error **error)
{
  size_t from = out->size;
  osdear_status st;

  if (text.size > 65536)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a path of %zu bytes is longer than 65536", text.size);
  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (c == '\0')
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a path holds a NUL byte");
    if (c == '%') {
      st = decode_escape(text, i, &c, error);
      if (st)
        return st;
      i += 2;
    }
    osdear__buf_putc(out, c);
  }
  st = osdear__buf_check(out, error);
  if (st)
    return st;
  if (!osdear__utf8_is_valid(out->data ? out->data + from : "", out->size - from))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "path \"%.*s\" is not UTF-8 once decoded", (int)text.size, text.data);
  return OSDEAR_OK;
}
