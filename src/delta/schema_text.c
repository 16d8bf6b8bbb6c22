/* Columns as SQL writes them, and instants: the texts that people type. */
#include <delta/delta.h>
#include <osdear/schema.h>

#include <string.h>

#define DEEPEST 100

/* A place in the text, and where the types made from it live. */
typedef struct reader {
  const char *text, *at;
  osdear__arena *arena;
  int depth;
} reader;

static osdear_status fail_at(const reader *in, const char *wanted, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column definition, character %td: %s wanted before `%.20s`",
                      in->at - in->text + 1, wanted, *in->at ? in->at : "the end");
}

static bool is_word_char(char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (unsigned char)c >= 0x80;
}

static void skip_space(reader *in)
{
  while (*in->at == ' ' || *in->at == '\t' || *in->at == '\n' || *in->at == '\r')
    in->at++;
}

static bool take_char(reader *in, char c)
{
  skip_space(in);
  if (*in->at != c)
    return false;
  in->at++;
  return true;
}

static osdear__str peek_word(reader *in)
{
  const char *end;

  skip_space(in);
  for (end = in->at; is_word_char(*end); end++)
    continue;
  return (osdear__str){ in->at, (size_t)(end - in->at) };
}

static bool take_word(reader *in, const char *word)
{
  osdear__str next = peek_word(in);

  if (!osdear__str_equal_nocase(next, osdear__str_of(word)))
    return false;
  in->at += next.size;
  return true;
}

/* A plain word, or anything between backquotes or double quotes, where a doubled quote stands for itself. */
static osdear_status read_name(reader *in, const char **name, osdear_error **error)
{
  osdear__str word = peek_word(in);
  char quote = *in->at;
  char *copy;
  size_t size = 0;

  if (word.size) {
    in->at += word.size;
    *name = osdear__arena_strndup(in->arena, word.data, word.size);
    return *name ? OSDEAR_OK : osdear__fail_memory(error);
  }
  if (quote != '`' && quote != '"')
    return fail_at(in, "a column's name", error);
  copy = osdear__arena_alloc(in->arena, strlen(in->at));
  if (!copy)
    return osdear__fail_memory(error);
  for (in->at++; *in->at && (*in->at != quote || in->at[1] == quote); in->at++) {
    in->at += *in->at == quote;
    copy[size++] = *in->at;
  }
  if (*in->at != quote || size == 0)
    return fail_at(in, "the closing quote of a name", error);
  in->at++;
  copy[size] = '\0';
  *name = copy;
  return OSDEAR_OK;
}

static osdear_status read_type(reader *in, osdear__type *out, osdear_error **error);

static osdear_status make_fields(reader *in, osdear__type *out, size_t count, osdear_error **error)
{
  out->field_count = count;
  out->fields = osdear__arena_zeroed(in->arena, count, sizeof *out->fields);
  return out->fields ? OSDEAR_OK : osdear__fail_memory(error);
}

/* <type> or <type, type>, for arrays and maps. */
static osdear_status read_elements(reader *in, osdear__type *out, osdear_error **error)
{
  static const char *const array_names[] = { "element" }, *const map_names[] = { "key", "value" };
  const char *const *names = out->kind == KIND_MAP ? map_names : array_names;
  osdear_status st = make_fields(in, out, out->kind == KIND_MAP ? 2 : 1, error);

  if (st)
    return st;
  if (!take_char(in, '<'))
    return fail_at(in, "`<`", error);
  for (size_t i = 0; i < out->field_count; i++) {
    out->fields[i] = (osdear__field){ .name = names[i], .nullable = out->kind == KIND_ARRAY || i == 1, .field_id = -1 };
    if (i > 0 && !take_char(in, ','))
      return fail_at(in, "`,` and the type of the values", error);
    st = read_type(in, &out->fields[i].type, error);
    if (st)
      return st;
  }
  return take_char(in, '>') ? OSDEAR_OK : fail_at(in, "`>`", error);
}

/* name type [NOT NULL]; in a struct a colon may stand behind the name. */
static osdear_status read_field(reader *in, osdear__field *field, osdear_error **error)
{
  osdear_status st;

  *field = (osdear__field){ .nullable = true, .field_id = -1 };
  st = read_name(in, &field->name, error);
  if (st)
    return st;
  take_char(in, ':');
  st = read_type(in, &field->type, error);
  if (st)
    return st;
  if (take_word(in, "NOT")) {
    if (!take_word(in, "NULL"))
      return fail_at(in, "NULL", error);
    field->nullable = false;
  }
  return OSDEAR_OK;
}

/* Fields with commas between them, up to `close` ('\0' for the whole text). */
static osdear_status read_fields(reader *in, char close, osdear__type *out, osdear_error **error)
{
  size_t room = 0;

  out->field_count = 0;
  do {
    osdear_status st;
    if (out->field_count == room) {
      osdear__field *grown = osdear__arena_zeroed(in->arena, room + room / 2 + 8, sizeof *grown);
      if (!grown)
        return osdear__fail_memory(error);
      if (room)
        memcpy(grown, out->fields, room * sizeof *grown);
      out->fields = grown;
      room += room / 2 + 8;
    }
    st = read_field(in, &out->fields[out->field_count++], error);
    if (st)
      return st;
  } while (take_char(in, ','));
  if (*in->at != close)
    return fail_at(in, close ? "`,` or `>`" : "`,` or the end", error);
  in->at += close != '\0';
  return OSDEAR_OK;
}

static osdear_status read_nested(reader *in, osdear__type *out, osdear_error **error)
{
  osdear_status st;

  if (++in->depth > DEEPEST)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "column definition, character %td: types nested more than %d deep",
                        in->at - in->text + 1, DEEPEST);
  if (out->kind != KIND_STRUCT)
    st = read_elements(in, out, error);
  else if (take_char(in, '<'))
    st = read_fields(in, '>', out, error);
  else
    st = fail_at(in, "`<`", error);
  in->depth--;
  return st;
}

static osdear_status read_type(reader *in, osdear__type *out, osdear_error **error)
{
  osdear__str word = peek_word(in);
  const char *start = in->at;

  *out = (osdear__type){ .kind = KIND_VOID };
  if (word.size == 0)
    return fail_at(in, "a type", error);
  in->at += word.size;
  if (osdear__str_equal_nocase(word, STR("array")))
    out->kind = KIND_ARRAY;
  else if (osdear__str_equal_nocase(word, STR("map")))
    out->kind = KIND_MAP;
  else if (osdear__str_equal_nocase(word, STR("struct")))
    out->kind = KIND_STRUCT;
  if (out->kind != KIND_VOID)
    return read_nested(in, out, error);
  if (take_char(in, '(')) {
    const char *close = strchr(in->at, ')');
    in->at = close ? close + 1 : in->at;
  }
  if (osdear__type_parse((osdear__str){ start, (size_t)(in->at - start) }, out))
    return OSDEAR_OK;
  in->at = start;
  return fail_at(in, "one of Delta's types", error);
}

osdear_status osdear_schema_parse(const char *text, struct ArrowSchema *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  reader in = { text, text, &arena, 0 };
  osdear__type columns = { .kind = KIND_STRUCT };
  osdear_status st;

  if (!text || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "text and out must not be NULL");
  if (!osdear__utf8_is_valid(text, strlen(text)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column definition: the text is not UTF-8");
  skip_space(&in);
  if (*in.at == '{') {
    st = osdear__delta_schema_parse(in.at, &arena, &columns, error);
    if (st == OSDEAR_ERR_CORRUPT)
      st = osdear__fail_because(error, OSDEAR_ERR_ARGUMENT, "column definition: not a schema in Delta's JSON form");
  } else {
    st = read_fields(&in, '\0', &columns, error);
  }
  return st ? st : osdear__schema_export(&columns, out, error);
}

osdear_status osdear_schema_print(const struct ArrowSchema *column, char **text, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) name = { 0 };
  struct ArrowSchema *child = (struct ArrowSchema *)(uintptr_t)column; /* borrowed: only read */
  struct ArrowSchema around = { .format = "+s", .name = "", .n_children = 1, .children = &child };
  osdear__type type;
  osdear_status st;

  if (!column || !text)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column and text must not be NULL");
  around.release = child->release; /* only says that it is not released */
  st = osdear__schema_import(&around, &arena, &type, error);
  if (st)
    return st;
  osdear__type_name(&type.fields[0].type, &name);
  st = osdear__buf_check(&name, error);
  if (st)
    return st;
  *text = osdear__buf_take(&name);
  return *text ? OSDEAR_OK : osdear__fail_memory(error);
}

void osdear_text_free(char *text)
{
  osdear__free(text);
}

osdear_status osdear_timestamp_parse(const char *text, int64_t *timestamp_us, osdear_error **error)
{
  bool has_zone;
  int64_t us;

  if (!text || !timestamp_us)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "text and timestamp_us must not be NULL");
  if (!osdear__parse_timestamp(osdear__str_of(text), &us, &has_zone))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is no time such as 2024-01-31T12:00:00Z", text);
  *timestamp_us = us;
  return OSDEAR_OK;
}
