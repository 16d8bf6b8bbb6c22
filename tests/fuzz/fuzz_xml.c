/* Any bytes as XML, whole and in pieces: both must say the same, and what is said must be text. */
#include <xml/xml.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct digest {
  uint64_t sum;
  int32_t depth;
} digest;

static osdear_status on_event(void *argument, osdear__xml_event event, osdear__str path, osdear__str text, osdear_error **error)
{
  digest *self = argument;

  (void)error;
  self->depth += event == XML_START ? 1 : -1;
  if (self->depth < 0 || path.size == 0 || path.data[path.size] || text.data[text.size])
    abort();
  if (!osdear__utf8_is_valid(path.data, path.size) || !osdear__utf8_is_valid(text.data, text.size))
    abort();
  self->sum = self->sum * 31 + osdear__hash(path.data, path.size) + osdear__hash(text.data, text.size) + (uint64_t)event;
  return OSDEAR_OK;
}

static osdear_status parse_in_pieces(const uint8_t *data, size_t size, const osdear__xml_limits *limits, digest *out)
{
  AUTO(xml_parser) parser = NULL;
  osdear_status st = osdear__xml_parser_new("input", limits, on_event, out, &parser, NULL);

  for (size_t at = 0; !st && at < size; at += 3)
    st = osdear__xml_feed(parser, data + at, size - at < 3 ? size - at : 3, NULL);
  return st ? st : osdear__xml_finish(parser, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  const osdear__xml_limits limits = { .max_depth = 8, .max_text = 256, .max_document = 1 << 16 };
  digest whole = { 0 }, pieces = { 0 };
  SCOPED(buf) again = { 0 };
  osdear_status st = osdear__xml_parse((osdear__str){ (const char *)data, size }, "input", &limits, on_event, &whole, NULL);

  if ((parse_in_pieces(data, size, &limits, &pieces) == OSDEAR_OK) != (st == OSDEAR_OK))
    abort();
  if (st == OSDEAR_OK && (whole.sum != pieces.sum || whole.depth != 0))
    abort();
  osdear__buf_puts(&again, "<a>");
  osdear__xml_put_text(&again, (osdear__str){ (const char *)data, size });
  osdear__buf_puts(&again, "</a>");
  return 0;
}
