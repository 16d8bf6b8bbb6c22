/* Values as JSON text. */
#include <json/json.h>

#include <math.h>

static const char hex[] = "0123456789abcdef";

/* What stands for each byte below 0x20 after the backslash; 0: \u00XX. */
static const char short_escapes[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

static void put_escape(osdear__buf *out, unsigned char c)
{
  char text[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };

  if (c == '"' || c == '\\') {
    text[1] = (char)c;
    osdear__buf_append(out, text, 2);
  } else if (short_escapes[c]) {
    text[1] = short_escapes[c];
    osdear__buf_append(out, text, 2);
  } else {
    osdear__buf_append(out, text, 6);
  }
}

/* Bytes of the valid character at `at`, 0 when there is none. */
static size_t character_size(const char *at, size_t left)
{
  for (size_t size = 1; size <= 4 && size <= left; size++)
    if (osdear__utf8_is_valid(at, size))
      return size;
  return 0;
}

static void put_repaired(osdear__buf *out, const char *data, size_t size)
{
  size_t i = 0;

  while (i < size) {
    size_t length = character_size(data + i, size - i);
    if (length)
      osdear__buf_append(out, data + i, length);
    else
      osdear__buf_puts(out, "\xef\xbf\xbd");
    i += length ? length : 1;
  }
}

void osdear__json_put_string(osdear__buf *out, osdear__str text)
{
  bool is_valid = osdear__utf8_is_valid(text.data, text.size);
  size_t start = 0;

  osdear__buf_putc(out, '"');
  for (size_t i = 0; i <= text.size; i++) {
    unsigned char c = i < text.size ? (unsigned char)text.data[i] : 0;

    if (i < text.size && c >= 0x20 && c != '"' && c != '\\')
      continue;
    if (i > start && is_valid)
      osdear__buf_append(out, text.data + start, i - start);
    else if (i > start)
      put_repaired(out, text.data + start, i - start);
    if (i < text.size)
      put_escape(out, c);
    start = i + 1;
  }
  osdear__buf_putc(out, '"');
}

void osdear__json_put_i64(osdear__buf *out, int64_t value)
{
  char text[24];

  osdear__buf_append(out, text, osdear__format_i64(value, text));
}

void osdear__json_put_f64(osdear__buf *out, double value)
{
  char text[32];
  size_t size = osdear__format_f64(value, text);

  if (isfinite(value))
    osdear__buf_append(out, text, size);
  else
    osdear__json_put_string(out, (osdear__str){ text, size });
}

void osdear__json_put_comma(osdear__buf *out, bool *first)
{
  if (!*first)
    osdear__buf_putc(out, ',');
  *first = false;
}

void osdear__json_put_key(osdear__buf *out, bool *first, const char *key)
{
  osdear__json_put_comma(out, first);
  osdear__json_put_string(out, osdear__str_of(key));
  osdear__buf_putc(out, ':');
}

void osdear__json_put_text(osdear__buf *out, bool *first, const char *key, const char *text)
{
  osdear__json_put_key(out, first, key);
  if (text)
    osdear__json_put_string(out, osdear__str_of(text));
  else
    osdear__buf_puts(out, "null");
}

void osdear__json_put_members(osdear__buf *out, bool *first, const osdear__json *from, const char *const *keys)
{
  for (; *keys; keys++) {
    const osdear__json *member = osdear__json_get(from, *keys);
    if (!member)
      continue;
    osdear__json_put_key(out, first, *keys);
    osdear__json_put_value(out, member);
  }
}

void osdear__json_put_object(osdear__buf *out, const osdear__json *from, const char *const *keys)
{
  bool first = true;

  osdear__buf_putc(out, '{');
  osdear__json_put_members(out, &first, from, keys);
  osdear__buf_putc(out, '}');
}

void osdear__json_put_objects(osdear__buf *out, const osdear__json *from, const char *const *keys)
{
  bool first = true;

  osdear__buf_putc(out, '[');
  for (size_t i = 0; from && i < from->count; i++) {
    osdear__json_put_comma(out, &first);
    osdear__json_put_object(out, &from->items[i], keys);
  }
  osdear__buf_putc(out, ']');
}

/* Recursion is bounded by the depth at which osdear__json_read() refuses. */
void osdear__json_put_value(osdear__buf *out, const osdear__json *value)
{
  bool first = true;

  switch (value->kind) {
  case JSON_IS_NULL: osdear__buf_puts(out, "null"); break;
  case JSON_IS_BOOL: osdear__buf_puts(out, value->truth ? "true" : "false"); break;
  case JSON_IS_NUMBER: osdear__buf_append(out, value->text.data, value->text.size); break;
  case JSON_IS_STRING: osdear__json_put_string(out, value->text); break;
  case JSON_IS_ARRAY:
    osdear__buf_putc(out, '[');
    for (size_t i = 0; i < value->count; i++) {
      osdear__json_put_comma(out, &first);
      osdear__json_put_value(out, &value->items[i]);
    }
    osdear__buf_putc(out, ']');
    break;
  case JSON_IS_OBJECT:
    osdear__buf_putc(out, '{');
    for (size_t i = 0; i < value->count; i++) {
      osdear__json_put_comma(out, &first);
      osdear__json_put_string(out, value->keys[i]);
      osdear__buf_putc(out, ':');
      osdear__json_put_value(out, &value->items[i]);
    }
    osdear__buf_putc(out, '}');
    break;
  }
}
