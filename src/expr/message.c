/** @file message.c Failures that show the SQL text and point at the place. */
#include <stdio.h>

#include "node.h"

/* How much of a long text is shown on either side of the place. */
#define SHOWN_BYTES 60

static bool is_continuation(char c)
{
  return ((unsigned char)c & 0xC0) == 0x80;
}

/* One line of the text around the place, and a caret under it. */
static void show_place(osdear__str sql, size_t at, osdear__buf *out)
{
  size_t from = at > SHOWN_BYTES ? at - SHOWN_BYTES : 0;
  size_t to = sql.size - at > SHOWN_BYTES ? at + SHOWN_BYTES : sql.size;
  while (from > 0 && is_continuation(sql.data[from]))
    from--;
  while (to < sql.size && is_continuation(sql.data[to]))
    to++;

  osdear__buf_puts(out, from > 0 ? "\n  …" : "\n  ");
  for (size_t i = from; i < to; i++)
    osdear__buf_putc(out, (unsigned char)sql.data[i] < ' ' ? ' ' : sql.data[i]);
  osdear__buf_puts(out, to < sql.size ? "…\n  " : "\n  ");
  int64_t indent = osdear__utf8_length((osdear__str){ sql.data + from, at - from }) + (from > 0);
  for (int64_t i = 0; i < indent; i++)
    osdear__buf_putc(out, ' ');
  osdear__buf_putc(out, '^');
}

osdear_status osdear__expr_fail(const osdear__expr_maker *maker, osdear_status status, const char *place, osdear_error **error,
                                const char *format, ...)
{
  SCOPED(buf) text = { 0 };
  char message[400];
  va_list arguments;
  size_t at = (size_t)(place - maker->sql.data);

  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  show_place(maker->sql, at, &text);
  osdear_status st = osdear__buf_check(&text, error);
  if (st)
    return st;
  return osdear__fail(error, status, "%s at column %" PRId64 ":%s", message,
                      osdear__utf8_length((osdear__str){ maker->sql.data, at }) + 1, text.data);
}
