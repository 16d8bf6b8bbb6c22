/* Whole lines, as many as are at hand. */
#include "ndjson.h"

#define LINES_BYTES ((size_t)256 << 10)

osdear_status osdear__lines_open(osdear__lines *lines, osdear__feed *feed, osdear_error **error)
{
  *lines = (osdear__lines){ .feed = feed, .line = 1, .capacity = LINES_BYTES };
  lines->data = osdear__alloc(LINES_BYTES);
  return lines->data ? OSDEAR_OK : osdear__fail_memory(error);
}

void osdear__lines_drop(osdear__lines *lines)
{
  osdear__free(lines->data);
  lines->data = NULL;
}

static osdear_status fill(osdear__lines *lines, osdear_error **error)
{
  size_t held = lines->end - lines->begin, got = 0;
  osdear_status st;

  memmove(lines->data, lines->data + lines->begin, held);
  lines->begin = 0;
  lines->end = held;
  if (lines->capacity - held < 4) {
    char *data;
    if (lines->capacity >= OSDEAR__RECORD_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s, line %" PRId64 ": the line is longer than %zu MiB",
                          osdear__feed_name(lines->feed), lines->line, OSDEAR__RECORD_BYTES >> 20);
    data = osdear__realloc(lines->data, lines->capacity * 2);
    if (!data)
      return osdear__fail_memory(error);
    lines->data = data;
    lines->capacity *= 2;
  }
  st = osdear__feed_read(lines->feed, lines->data + held, lines->capacity - held, &got, error);
  if (st)
    return st;
  lines->end += got;
  lines->is_ended = got == 0;
  return OSDEAR_OK;
}

osdear_status osdear__lines_next(osdear__lines *lines, int64_t most, osdear__str *out, int64_t *first, int64_t *count,
                                 osdear_error **error)
{
  int64_t taken = 0;
  size_t at;

  for (;;) {
    osdear_status st;
    at = lines->begin;
    while (taken < most && at < lines->end) {
      const char *found = memchr(lines->data + at, '\n', lines->end - at);
      if (!found)
        break;
      at = (size_t)(found + 1 - lines->data);
      taken++;
    }
    if (taken || lines->is_ended)
      break;
    st = fill(lines, error);
    if (st)
      return st;
  }
  if (!taken && lines->end > lines->begin) {
    at = lines->end; /* the last line lacks its end */
    taken = 1;
  }
  *out = (osdear__str){ lines->data + lines->begin, at - lines->begin };
  *first = lines->line;
  *count = taken;
  lines->begin = at;
  lines->line += taken;
  return OSDEAR_OK;
}
