/* Events out of yajl. */
#include <json/json.h>
#include <json/scan.h>

#include <setjmp.h>
#include <stdalign.h>
#include <yajl/yajl_parse.h>

#define DEFAULT_DEPTH 200

struct osdear__json_parser {
  int32_t max_depth;
  bool allow_many;
  osdear__json_handler handler;
  void *argument;
  osdear__arena memory; /* all that yajl allocates during one parse */
  osdear__buf repaired; /* see osdear__json_scan() */
  jmp_buf no_memory;
  yajl_handle yajl;
  int64_t first_line;
  int32_t depth;        /* of the container that the next value stands in */
  osdear_status status; /* why the parse was stopped from inside */
  osdear_error **error;
};

/* yajl does not look whether it got memory. It holds nothing besides what these functions gave it, so a parse that runs out of memory
 * is left by a jump, and its memory dropped as a whole. No function of ours stands between the two ends of the jump. */
typedef union block_header {
  size_t size;
  max_align_t align;
} block_header;

static void *yajl_allocate(void *context, size_t size)
{
  osdear__json_parser *parser = context;
  block_header *header = NULL;

  if (size <= SIZE_MAX - sizeof *header)
    header = osdear__arena_alloc(&parser->memory, size + sizeof *header);
  if (!header)
    longjmp(parser->no_memory, 1);
  header->size = size;
  return header + 1;
}

static void *yajl_reallocate(void *context, void *block, size_t size)
{
  const block_header *header = block ? (block_header *)block - 1 : NULL;
  void *grown;

  if (header && header->size >= size)
    return block;
  grown = yajl_allocate(context, size); /* yajl doubles, so what is left behind is never more than what is in use */
  if (header)
    memcpy(grown, block, header->size);
  return grown;
}

static void yajl_release(void *context, void *block)
{
  (void)context;
  (void)block;
}

static int emit(osdear__json_parser *parser, osdear__json_event event, const void *text, size_t size)
{
  parser->status = parser->handler(parser->argument, event, (osdear__str){ text, size }, parser->depth, parser->error);
  return parser->status == OSDEAR_OK;
}

static int on_null(void *context)
{
  return emit(context, JSON_NULL, NULL, 0);
}

static int on_boolean(void *context, int truth)
{
  return emit(context, truth ? JSON_TRUE : JSON_FALSE, NULL, 0);
}

static int on_number(void *context, const char *text, size_t size)
{
  return emit(context, JSON_NUMBER, text, size);
}

static int on_string(void *context, const unsigned char *text, size_t size)
{
  return emit(context, JSON_STRING, text, size);
}

static int on_key(void *context, const unsigned char *text, size_t size)
{
  return emit(context, JSON_KEY, text, size);
}

static int on_start(osdear__json_parser *parser, osdear__json_event event)
{
  if (parser->depth >= parser->max_depth) {
    parser->status = osdear__fail(parser->error, OSDEAR_ERR_LIMIT, "nested deeper than %" PRId32, parser->max_depth);
    return 0;
  }
  if (!emit(parser, event, NULL, 0))
    return 0;
  parser->depth++;
  return 1;
}

static int on_end(osdear__json_parser *parser, osdear__json_event event)
{
  parser->depth--;
  return emit(parser, event, NULL, 0);
}

static int on_start_map(void *context)
{
  return on_start(context, JSON_OBJECT_START);
}

static int on_end_map(void *context)
{
  return on_end(context, JSON_OBJECT_END);
}

static int on_start_array(void *context)
{
  return on_start(context, JSON_ARRAY_START);
}

static int on_end_array(void *context)
{
  return on_end(context, JSON_ARRAY_END);
}

/* Numbers come as text: yajl's own conversions would lose digits, and refuse what does not fit. */
static const yajl_callbacks callbacks = {
  on_null, on_boolean, NULL, NULL, on_number, on_string, on_start_map, on_key, on_end_map, on_start_array, on_end_array,
};

osdear_status osdear__json_parser_new(const osdear__json_limits *limits, osdear__json_handler handler, void *argument,
                                      osdear__json_parser **out, osdear_error **error)
{
  osdear__json_parser *parser = osdear__alloc_zeroed(1, sizeof *parser);

  if (!parser)
    return osdear__fail_memory(error);
  parser->max_depth = limits && limits->max_depth > 0 ? limits->max_depth : DEFAULT_DEPTH;
  parser->allow_many = limits && limits->allow_many;
  parser->handler = handler;
  parser->argument = argument;
  *out = parser;
  return OSDEAR_OK;
}

void osdear__json_parser_bind(osdear__json_parser *parser, osdear__json_handler handler, void *argument)
{
  parser->handler = handler;
  parser->argument = argument;
}

void osdear__json_parser_auto(osdear__json_parser **parser)
{
  if (!*parser)
    return;
  osdear__arena_drop(&(*parser)->memory);
  osdear__buf_drop(&(*parser)->repaired);
  osdear__free(*parser);
  *parser = NULL;
}

static bool is_blank(osdear__str text)
{
  for (size_t i = 0; i < text.size; i++)
    if (text.data[i] != ' ' && text.data[i] != '\n' && text.data[i] != '\r' && text.data[i] != '\t')
      return false;
  return true;
}

static osdear_status fail_at(const osdear__json_parser *parser, osdear__str text, size_t offset, const char *name,
                             osdear_error **error)
{
  int64_t line = parser->first_line;
  size_t start = 0;

  if (!parser->allow_many)
    return osdear__fail_within(error, parser->status, "%s, byte %zu", name, offset);
  for (size_t i = 0; i < offset && i < text.size; i++) {
    if (text.data[i] == '\n') {
      line++;
      start = i + 1;
    }
  }
  return osdear__fail_within(error, parser->status, "%s, line %" PRId64 ", byte %zu", name, line, offset - start);
}

static osdear_status fail_syntax(osdear__json_parser *parser, osdear_error **error)
{
  unsigned char *words = yajl_get_error(parser->yajl, 0, NULL, 0);
  size_t size = words ? strcspn((char *)words, "\n") : 0;

  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "not JSON: %.*s", size ? (int)size : 9, size ? (char *)words : "bad input");
}

/* All calls of yajl: memory may run out in any of them. */
static osdear_status run(osdear__json_parser *parser, osdear__str text, const char *name, osdear_error **error)
{
  yajl_alloc_funcs memory = { yajl_allocate, yajl_reallocate, yajl_release, parser };
  yajl_status result;
  size_t offset;

  if (setjmp(parser->no_memory))
    return osdear__fail_memory(error);
  parser->yajl = yajl_alloc(&callbacks, &memory, parser);
  yajl_config(parser->yajl, yajl_dont_validate_strings, 1); /* osdear__json_scan() did */
  if (parser->allow_many)
    yajl_config(parser->yajl, yajl_allow_multiple_values, 1);
  result = yajl_parse(parser->yajl, (const unsigned char *)text.data, text.size);
  offset = yajl_get_bytes_consumed(parser->yajl);
  if (result == yajl_status_ok) {
    result = yajl_complete_parse(parser->yajl);
    offset = text.size;
  }
  if (result == yajl_status_ok)
    return OSDEAR_OK;
  if (result == yajl_status_error)
    parser->status = fail_syntax(parser, error);
  if (parser->status == OSDEAR_ERR_NO_MEMORY)
    return OSDEAR_ERR_NO_MEMORY; /* its message is fixed */
  return fail_at(parser, text, offset, name, error);
}

osdear_status osdear__json_parse(osdear__json_parser *parser, osdear__str text, const char *name, osdear_error **error)
{
  return osdear__json_parse_from(parser, text, name, 1, error);
}

osdear_status osdear__json_parse_from(osdear__json_parser *parser, osdear__str text, const char *name, int64_t first_line,
                                      osdear_error **error)
{
  osdear_error *unused = NULL;
  osdear_status st = osdear__json_scan(text, name, &parser->repaired, &text, error);

  if (st)
    return st;
  if (parser->allow_many && is_blank(text))
    return OSDEAR_OK;
  parser->first_line = first_line;
  parser->depth = 0;
  parser->status = OSDEAR_OK;
  parser->error = error ? error : &unused;
  st = run(parser, text, name, parser->error);
  osdear_error_free(unused);
  parser->yajl = NULL;
  osdear__arena_reset(&parser->memory);
  return st;
}
