/* Any bytes as JSON: events, and where they parse, a tree that must print to text which reads back the same. */
#include <json/json.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static osdear_status count(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  int64_t *strings = argument;

  (void)depth;
  (void)error;
  if ((event == JSON_STRING || event == JSON_KEY) && !osdear__utf8_is_valid(text.data, text.size))
    abort();
  *strings += event == JSON_STRING;
  return OSDEAR_OK;
}

static void print_again(osdear__str text)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) once = { 0 };
  SCOPED(buf) twice = { 0 };
  osdear__json *root;

  if (osdear__json_read(text, "input", &arena, &root, NULL))
    return;
  osdear__json_put_value(&once, root);
  if (osdear__json_read((osdear__str){ once.data, once.size }, "printed", &arena, &root, NULL))
    abort();
  osdear__json_put_value(&twice, root);
  if (once.size != twice.size || memcmp(once.data, twice.data, once.size) != 0)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  osdear__json_limits limits = { .allow_many = true };
  osdear__str text = { (const char *)data, size };
  AUTO(json_parser) parser = NULL;
  int64_t strings = 0;

  if (osdear__json_parser_new(&limits, count, &strings, &parser, NULL))
    return 0;
  if (osdear__json_parse(parser, text, "input", NULL) == OSDEAR_OK)
    print_again(text);
  return 0;
}
