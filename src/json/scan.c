/* One pass over a text before it is parsed. yajl lets overlong UTF-8 and surrogates through, and half a surrogate pair written as an
 * escape makes it swallow the byte behind it; here such text is refused or put right. */
#include <json/scan.h>

enum { HAS_HIGH = 1, HAS_ESCAPE = 2, BLOCK = 64 };

/* Plain loops of known length, so that compilers turn them into vector code. */
static unsigned block_flags(const unsigned char *at)
{
  unsigned char high = 0, escape = 0;

  for (int i = 0; i < BLOCK; i++) {
    high |= at[i];
    escape |= (unsigned char)((at[i] == '\\') & (at[i + 1] == 'u'));
  }
  return (high & 0x80 ? (unsigned)HAS_HIGH : 0) | (escape ? (unsigned)HAS_ESCAPE : 0);
}

static unsigned text_flags(osdear__str text)
{
  const unsigned char *data = (const unsigned char *)text.data;
  unsigned flags = 0;
  size_t i = 0;

  for (; i + BLOCK < text.size; i += BLOCK)
    flags |= block_flags(data + i);
  for (; i < text.size; i++) {
    if (data[i] & 0x80)
      flags |= HAS_HIGH;
    if (data[i] == '\\' && i + 1 < text.size && data[i + 1] == 'u')
      flags |= HAS_ESCAPE;
  }
  return flags;
}

/* The four digits after `\u`, or -1 where there is no such escape: yajl then says what is wrong. */
static int32_t escape_at(osdear__str text, size_t at)
{
  int32_t value = 0;

  if (at > text.size || text.size - at < 6 || text.data[at] != '\\' || text.data[at + 1] != 'u')
    return -1;
  for (size_t i = at + 2; i < at + 6; i++) {
    char c = text.data[i];
    if (c >= '0' && c <= '9')
      value = value * 16 + (c - '0');
    else if (c >= 'a' && c <= 'f')
      value = value * 16 + (c - 'a' + 10);
    else if (c >= 'A' && c <= 'F')
      value = value * 16 + (c - 'A' + 10);
    else
      return -1;
  }
  return value;
}

/* Makes the copy when it is first needed. */
static osdear_status replace_escape(osdear__str *text, size_t at, osdear__buf *copy, osdear_error **error)
{
  osdear_status st;

  if (text->data != copy->data || copy->size == 0) {
    osdear__buf_clear(copy);
    osdear__buf_append(copy, text->data, text->size);
    st = osdear__buf_check(copy, error);
    if (st)
      return st;
    text->data = copy->data;
  }
  memcpy(copy->data + at, "\\ufffd", 6);
  return OSDEAR_OK;
}

static osdear_status pair_surrogates(osdear__str *text, osdear__buf *copy, osdear_error **error)
{
  osdear_status st;
  size_t i = 0;

  while (i < text->size) {
    const char *found = memchr(text->data + i, '\\', text->size - i);
    int32_t code, next;

    if (!found)
      return OSDEAR_OK;
    i = (size_t)(found - text->data);
    code = escape_at(*text, i);
    if (code < 0xd800 || code > 0xdfff) {
      i += 2; /* past an escaped backslash as a whole */
      continue;
    }
    next = code < 0xdc00 ? escape_at(*text, i + 6) : -1;
    if (next >= 0xdc00 && next <= 0xdfff) {
      i += 12;
      continue;
    }
    st = replace_escape(text, i, copy, error);
    if (st)
      return st;
    i += 6;
  }
  return OSDEAR_OK;
}

osdear_status osdear__json_scan(osdear__str text, const char *name, osdear__buf *copy, osdear__str *out, osdear_error **error)
{
  unsigned flags = text_flags(text);
  osdear_status st;

  if ((flags & HAS_HIGH) && !osdear__utf8_is_valid(text.data, text.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: not valid UTF-8, which JSON must be", name);
  if (flags & HAS_ESCAPE) {
    st = pair_surrogates(&text, copy, error);
    if (st)
      return st;
  }
  *out = text;
  return OSDEAR_OK;
}
