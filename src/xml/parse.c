/* Documents as events: where we are as a path, and the text of each leaf. */
#include <xml/expat.h>

enum { DEFAULT_DEPTH = 32, DEFAULT_TEXT = 1 << 20, DEFAULT_DOCUMENT = 64 << 20, PIECE = 1 << 20, MOST_PATH = 16 << 10 };

struct osdear__xml_parser {
  XML_Parser expat;
  osdear__xml_limits limits;
  osdear__xml_handler handler;
  void *argument;
  const char *name;
  osdear__buf path;
  osdear__buf text;
  int32_t depth;
  bool is_leaf; /* nothing but text has come since the last start of an element */
  bool has_begun;
  size_t size;
  osdear_status failed;
  osdear_error *failure;
};

/* expat's memory is ours, so that it is counted and can be made to fail. */
static void *allocate(size_t size)
{
  return osdear__alloc(size);
}

static void *reallocate(void *block, size_t size)
{
  return osdear__realloc(block, size);
}

static void release(void *block)
{
  osdear__free(block);
}

/* ---- failing from within a callback: expat calls a few more, which must do nothing ---- */

static void stop(osdear__xml_parser *parser, osdear_status status)
{
  parser->failed = status;
  osdear__expat.StopParser(parser->expat, XML_FALSE);
}

static void check(osdear__xml_parser *parser, osdear_status status)
{
  if (status)
    stop(parser, status);
}

static void emit(osdear__xml_parser *parser, osdear__xml_event event, osdear__str text)
{
  osdear__str path = { parser->path.data, parser->path.size };

  check(parser, parser->handler(parser->argument, event, path, text, &parser->failure));
}

/* ---- what expat calls back ---- */

static void on_start(void *argument, const XML_Char *name, const XML_Char **attributes)
{
  osdear__xml_parser *parser = argument;
  const char *colon = strrchr(name, ':');
  const char *local = colon && colon[1] ? colon + 1 : name; /* `a:` has no prefix that could be left out */

  (void)attributes;
  if (parser->failed)
    return;
  if (parser->depth >= parser->limits.max_depth) {
    stop(parser,
         osdear__fail(&parser->failure, OSDEAR_ERR_LIMIT, "elements are nested deeper than %" PRId32, parser->limits.max_depth));
    return;
  }
  parser->depth++;
  parser->is_leaf = true;
  osdear__buf_clear(&parser->text);
  if (parser->path.size > 0)
    osdear__buf_putc(&parser->path, '/');
  osdear__buf_puts(&parser->path, local);
  if (osdear__buf_check(&parser->path, &parser->failure))
    stop(parser, parser->path.failed);
  else
    emit(parser, XML_START, STR(""));
}

static void leave(osdear__xml_parser *parser)
{
  size_t size = parser->path.size;

  while (size > 0 && parser->path.data[size - 1] != '/')
    size--;
  parser->path.size = size > 0 ? size - 1 : 0;
  parser->path.data[parser->path.size] = '\0';
  parser->depth--;
  parser->is_leaf = false;
}

static void on_end(void *argument, const XML_Char *name)
{
  osdear__xml_parser *parser = argument;
  osdear__str text = STR("");

  (void)name;
  if (parser->failed)
    return;
  if (parser->is_leaf && parser->text.size > 0)
    text = (osdear__str){ parser->text.data, parser->text.size };
  emit(parser, XML_END, text);
  leave(parser);
}

static void on_text(void *argument, const XML_Char *text, int size)
{
  osdear__xml_parser *parser = argument;

  if (parser->failed || !parser->is_leaf)
    return;
  osdear__buf_append(&parser->text, text, (size_t)size);
  check(parser, osdear__buf_check(&parser->text, &parser->failure));
}

/* Entities could be declared there, and files of the machine be named. */
static void on_doctype(void *argument, const XML_Char *name, const XML_Char *system_id, const XML_Char *public_id, int has_subset)
{
  osdear__xml_parser *parser = argument;

  (void)name;
  (void)system_id;
  (void)public_id;
  (void)has_subset;
  stop(parser, osdear__fail(&parser->failure, OSDEAR_ERR_CORRUPT, "a document type declaration is not taken from a stranger"));
}

/* ---- parsers ---- */

static void fill_limits(osdear__xml_parser *parser, const osdear__xml_limits *limits)
{
  if (limits)
    parser->limits = *limits;
  if (parser->limits.max_depth <= 0)
    parser->limits.max_depth = DEFAULT_DEPTH;
  if (parser->limits.max_document == 0)
    parser->limits.max_document = DEFAULT_DOCUMENT;
  parser->text.limit = parser->limits.max_text > 0 ? parser->limits.max_text : DEFAULT_TEXT;
  parser->path.limit = MOST_PATH;
}

static bool start_expat(osdear__xml_parser *parser)
{
  static const XML_Memory_Handling_Suite memory = { allocate, reallocate, release };

  parser->expat = osdear__expat.ParserCreate_MM(NULL, &memory, NULL);
  if (!parser->expat)
    return false;
  osdear__expat.SetHashSalt(parser->expat, (unsigned long)osdear__random_u64() | 1); /* 0: it would look for its own */
  osdear__expat.SetUserData(parser->expat, parser);
  osdear__expat.SetElementHandler(parser->expat, on_start, on_end);
  osdear__expat.SetCharacterDataHandler(parser->expat, on_text);
  osdear__expat.SetStartDoctypeDeclHandler(parser->expat, on_doctype);
  return true;
}

osdear_status osdear__xml_parser_new(const char *name, const osdear__xml_limits *limits, osdear__xml_handler handler,
                                     void *argument, osdear__xml_parser **out, osdear_error **error)
{
  osdear__xml_parser *parser;
  osdear_status st = osdear__expat_open(error);

  if (st)
    return st;
  parser = osdear__alloc_zeroed(1, sizeof *parser);
  if (!parser)
    return osdear__fail_memory(error);
  parser->handler = handler;
  parser->argument = argument;
  parser->name = name;
  fill_limits(parser, limits);
  if (!start_expat(parser)) {
    osdear__xml_parser_free(parser);
    return osdear__fail_memory(error);
  }
  *out = parser;
  return OSDEAR_OK;
}

void osdear__xml_parser_free(osdear__xml_parser *parser)
{
  if (!parser)
    return;
  if (parser->expat)
    osdear__expat.ParserFree(parser->expat);
  osdear__buf_drop(&parser->path);
  osdear__buf_drop(&parser->text);
  osdear_error_free(parser->failure);
  osdear__free(parser);
}

void osdear__xml_parser_auto(osdear__xml_parser **parser)
{
  osdear__xml_parser_free(*parser);
}

/* ---- feeding ---- */

static osdear_status fail_here(osdear__xml_parser *parser, osdear_error **error)
{
  unsigned long line = osdear__expat.GetCurrentLineNumber(parser->expat);
  unsigned long column = osdear__expat.GetCurrentColumnNumber(parser->expat);
  enum XML_Error code = osdear__expat.GetErrorCode(parser->expat);

  if (!parser->failed && code == XML_ERROR_NO_MEMORY)
    parser->failed = osdear__fail_memory(&parser->failure);
  if (!parser->failed)
    parser->failed = osdear__fail(&parser->failure, OSDEAR_ERR_CORRUPT, "%s", osdear__expat.ErrorString(code));
  if (error) {
    osdear_error_free(*error);
    *error = parser->failure;
    parser->failure = NULL;
  }
  return osdear__fail_within(error, parser->failed, "%s, line %lu, column %lu", parser->name, line, column + 1);
}

static osdear_status parse_piece(osdear__xml_parser *parser, const char *data, size_t size, bool is_last, osdear_error **error)
{
  if (parser->failed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s: nothing can follow what has failed", parser->name);
  if (osdear__expat.Parse(parser->expat, data, (int)size, is_last) != XML_STATUS_OK || parser->failed)
    return fail_here(parser, error);
  return OSDEAR_OK;
}

static size_t white_space(const char *data, size_t size)
{
  size_t count = 0;

  while (count < size && (data[count] == ' ' || data[count] == '\t' || data[count] == '\r' || data[count] == '\n'))
    count++;
  return count;
}

osdear_status osdear__xml_feed(osdear__xml_parser *parser, const void *data, size_t size, osdear_error **error)
{
  const char *at = data;
  osdear_status st = OSDEAR_OK;

  if (size > parser->limits.max_document - parser->size)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s has more than %zu bytes", parser->name, parser->limits.max_document);
  parser->size += size;
  if (!parser->has_begun) {
    size_t blank = white_space(at, size);
    at += blank;
    size -= blank;
    parser->has_begun = size > 0;
  }
  while (!st && size > 0) {
    size_t piece = size < PIECE ? size : PIECE;
    st = parse_piece(parser, at, piece, false, error);
    at += piece;
    size -= piece;
  }
  return st;
}

osdear_status osdear__xml_finish(osdear__xml_parser *parser, osdear_error **error)
{
  return parse_piece(parser, "", 0, true, error);
}

osdear_status osdear__xml_parse(osdear__str document, const char *name, const osdear__xml_limits *limits,
                                osdear__xml_handler handler, void *argument, osdear_error **error)
{
  AUTO(xml_parser) parser = NULL;
  osdear_status st = osdear__xml_parser_new(name, limits, handler, argument, &parser, error);

  if (!st)
    st = osdear__xml_feed(parser, document.data, document.size, error);
  if (!st)
    st = osdear__xml_finish(parser, error);
  return st;
}
