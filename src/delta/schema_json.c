/* Delta's schemaString, both ways, and the Delta types of others' Arrow types. */
#include <delta/delta.h>

/* As deep as columns of Arrow may be nested. */
#define DEEPEST 100

typedef struct parse {
  osdear__arena *arena;
  osdear__buf path; /* of the field at hand, for messages */
} parse;

static const char *path_of(const parse *p)
{
  return p->path.size ? p->path.data : "the table";
}

/* Leaves the path as it was before a field was entered. */
static void leave(parse *p, size_t size)
{
  p->path.size = size;
  if (p->path.data)
    p->path.data[size] = '\0';
}

static size_t enter(parse *p, osdear__str name)
{
  size_t before = p->path.size;

  if (before)
    osdear__buf_putc(&p->path, '.');
  osdear__buf_append(&p->path, name.data, name.size);
  return before;
}

static osdear_status fail_schema(const parse *p, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "schemaString: %s: %s", path_of(p), what);
}

static osdear_status parse_type(parse *p, const osdear__json *json, int depth, osdear__type *out, osdear_error **error);

static osdear_status new_fields(parse *p, size_t count, osdear__field **out, osdear_error **error)
{
  *out = osdear__arena_zeroed(p->arena, count ? count : 1, sizeof **out);
  if (!*out)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++)
    (*out)[i].field_id = -1;
  return OSDEAR_OK;
}

static osdear_status parse_bool(const parse *p, const osdear__json *json, const char *key, bool *out, osdear_error **error)
{
  const osdear__json *value = osdear__json_get(json, key);

  if (value && value->kind != JSON_IS_BOOL)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "schemaString: %s: `%s` is not true or false", path_of(p), key);
  *out = !value || value->truth; /* what is not said to be required may be null */
  return OSDEAR_OK;
}

/* The element of an array, the key or the value of a map. */
static osdear_status parse_inner(parse *p, const osdear__json *json, const char *key, const char *name, int depth,
                                 osdear__field *out, osdear_error **error)
{
  const osdear__json *type = osdear__json_get(json, key);
  size_t before = enter(p, osdear__str_of(name));
  osdear_status st = parse_type(p, type, depth + 1, &out->type, error);

  leave(p, before);
  out->name = name;
  return st;
}

static osdear_status parse_array(parse *p, const osdear__json *json, int depth, osdear__type *out, osdear_error **error)
{
  osdear__type type = { .kind = KIND_ARRAY, .field_count = 1 };
  osdear_status st = new_fields(p, 1, &type.fields, error);

  if (!st)
    st = parse_bool(p, json, "containsNull", &type.fields[0].nullable, error);
  if (!st)
    st = parse_inner(p, json, "elementType", "element", depth, &type.fields[0], error);
  if (!st)
    *out = type;
  return st;
}

static osdear_status parse_map(parse *p, const osdear__json *json, int depth, osdear__type *out, osdear_error **error)
{
  osdear__type type = { .kind = KIND_MAP, .field_count = 2 };
  osdear_status st = new_fields(p, 2, &type.fields, error);

  if (!st)
    st = parse_bool(p, json, "valueContainsNull", &type.fields[1].nullable, error);
  if (!st)
    st = parse_inner(p, json, "keyType", "key", depth, &type.fields[0], error);
  if (!st)
    st = parse_inner(p, json, "valueType", "value", depth, &type.fields[1], error);
  if (!st)
    *out = type;
  return st;
}

static osdear_status keep_metadata(parse *p, const osdear__json *metadata, const char **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (!metadata || metadata->kind == JSON_IS_NULL)
    return OSDEAR_OK;
  if (metadata->kind != JSON_IS_OBJECT)
    return fail_schema(p, "`metadata` is not an object", error);
  if (!metadata->count)
    return OSDEAR_OK;
  osdear__json_put_value(&text, metadata);
  st = osdear__buf_check(&text, error);
  if (st)
    return st;
  *out = osdear__arena_strndup(p->arena, text.data, text.size);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

static void find_chars(const osdear__json *metadata, osdear__type *type)
{
  const osdear__json *text = osdear__json_get(metadata, "__CHAR_VARCHAR_TYPE_STRING");

  if (text && text->kind == JSON_IS_STRING)
    osdear__char_lengths(text->text, type);
}

static osdear_status parse_field(parse *p, const osdear__json *json, int depth, osdear__field *out, osdear_error **error)
{
  const osdear__json *name = osdear__json_get(json, "name");
  osdear_status st;
  size_t before;

  if (!name || name->kind != JSON_IS_STRING || memchr(name->text.data, '\0', name->text.size))
    return fail_schema(p, "a field has no `name`", error);
  before = enter(p, name->text);
  out->name = osdear__arena_strndup(p->arena, name->text.data, name->text.size);
  st = out->name ? OSDEAR_OK : osdear__fail_memory(error);
  if (!st)
    st = parse_bool(p, json, "nullable", &out->nullable, error);
  if (!st)
    st = keep_metadata(p, osdear__json_get(json, "metadata"), &out->metadata, error);
  if (!st)
    st = parse_type(p, osdear__json_get(json, "type"), depth + 1, &out->type, error);
  if (!st && out->metadata)
    find_chars(osdear__json_get(json, "metadata"), &out->type);
  leave(p, before);
  return st;
}

static char *folded(osdear__arena *arena, const char *name)
{
  char *text = osdear__arena_strdup(arena, name);

  for (char *at = text; at && *at; at++)
    if (*at >= 'A' && *at <= 'Z')
      *at = (char)(*at + ('a' - 'A'));
  return text;
}

/* Lookups fold case, so names that differ by case only would be one column. NULL: they are apart. */
static osdear_status find_double(const osdear__field *fields, size_t count, const char **out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(map) seen = { 0 };

  *out = NULL;
  for (size_t i = 0; i < count && !*out; i++) {
    char *name = folded(&arena, fields[i].name);
    bool is_new = false;

    if (!name || !osdear__map_add(&seen, osdear__str_of(name), &is_new))
      return osdear__fail_memory(error);
    if (!is_new)
      *out = fields[i].name;
  }
  return OSDEAR_OK;
}

static osdear_status parse_struct(parse *p, const osdear__json *json, int depth, osdear__type *out, osdear_error **error)
{
  const osdear__json *fields = osdear__json_get(json, "fields");
  osdear__type type = { .kind = KIND_STRUCT };
  const char *doubled;
  osdear_status st;

  if (!fields || fields->kind != JSON_IS_ARRAY)
    return fail_schema(p, "a struct without `fields`", error);
  type.field_count = fields->count;
  st = new_fields(p, fields->count, &type.fields, error);
  for (size_t i = 0; i < fields->count && !st; i++)
    st = parse_field(p, &fields->items[i], depth, &type.fields[i], error);
  if (!st)
    st = find_double(type.fields, type.field_count, &doubled, error);
  if (st)
    return st;
  if (doubled)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "schemaString: %s: two fields are named `%s` (case does not count)",
                        path_of(p), doubled);
  *out = type;
  return OSDEAR_OK;
}

static osdear_status parse_primitive(const parse *p, osdear__str word, osdear__type *out, osdear_error **error)
{
  osdear__type type = { 0 };

  if (osdear__str_is(word, "variant"))
    type.kind = KIND_VARIANT;
  else if (!osdear__type_parse(word, &type) || type.kind > KIND_VARIANT)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "schemaString: %s: the type `%.*s` is not known to this build", path_of(p),
                        (int)word.size, word.data);
  *out = type;
  return OSDEAR_OK;
}

static osdear_status parse_type(parse *p, const osdear__json *json, int depth, osdear__type *out, osdear_error **error)
{
  const osdear__json *word = osdear__json_get(json, "type");

  if (depth > DEEPEST)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "schemaString: types are nested deeper than %d", DEEPEST);
  if (json && json->kind == JSON_IS_STRING)
    return parse_primitive(p, json->text, out, error);
  if (!word || word->kind != JSON_IS_STRING)
    return fail_schema(p, "no `type`", error);
  if (osdear__str_is(word->text, "struct"))
    return parse_struct(p, json, depth, out, error);
  if (osdear__str_is(word->text, "array"))
    return parse_array(p, json, depth, out, error);
  if (osdear__str_is(word->text, "map"))
    return parse_map(p, json, depth, out, error);
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "schemaString: %s: the type `%.*s` is not known to this build", path_of(p),
                      (int)word->text.size, word->text.data);
}

osdear_status osdear__delta_schema_parse(const char *text, osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  SCOPED(arena) tree = { 0 };
  osdear__json *json = NULL;
  osdear__type type = { 0 };
  parse p = { .arena = arena };
  osdear_status st = osdear__json_read(osdear__str_of(text), "schemaString", &tree, &json, error);

  if (st)
    return st;
  st = parse_type(&p, json, 0, &type, error);
  if (!st && type.kind != KIND_STRUCT)
    st = fail_schema(&p, "not a struct", error);
  osdear__buf_drop(&p.path);
  if (!st)
    *out = type;
  return st;
}

/* ---- printing ---- */

static void print_type(const osdear__type *type, osdear__buf *out);

static void print_inner(const osdear__field *field, const char *type_key, const char *null_key, bool *first, osdear__buf *out)
{
  osdear__json_put_key(out, first, type_key);
  print_type(&field->type, out);
  if (!null_key)
    return;
  osdear__json_put_key(out, first, null_key);
  osdear__buf_puts(out, field->nullable ? "true" : "false");
}

static void print_field(const osdear__field *field, osdear__buf *out)
{
  bool first = true;

  osdear__buf_putc(out, '{');
  osdear__json_put_key(out, &first, "name");
  osdear__json_put_string(out, osdear__str_of(field->name));
  print_inner(field, "type", "nullable", &first, out);
  osdear__json_put_key(out, &first, "metadata");
  osdear__buf_puts(out, field->metadata ? field->metadata : "{}");
  osdear__buf_putc(out, '}');
}

static void print_struct(const osdear__type *type, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"type\":\"struct\",\"fields\":[");
  for (size_t i = 0; i < type->field_count; i++) {
    osdear__json_put_comma(out, &first);
    print_field(&type->fields[i], out);
  }
  osdear__buf_puts(out, "]}");
}

/* The name that stands before the other members of an array or a map. */
static void print_nested(const osdear__type *type, osdear__buf *out)
{
  bool first = false;

  if (type->kind == KIND_ARRAY) {
    osdear__buf_puts(out, "{\"type\":\"array\"");
    print_inner(&type->fields[0], "elementType", "containsNull", &first, out);
  } else {
    osdear__buf_puts(out, "{\"type\":\"map\"");
    print_inner(&type->fields[0], "keyType", NULL, &first, out);
    print_inner(&type->fields[1], "valueType", "valueContainsNull", &first, out);
  }
  osdear__buf_putc(out, '}');
}

static void print_type(const osdear__type *type, osdear__buf *out)
{
  switch (type->kind) {
  case KIND_STRUCT: print_struct(type, out); break;
  case KIND_ARRAY:
  case KIND_MAP: print_nested(type, out); break;
  case KIND_DECIMAL: osdear__buf_printf(out, "\"decimal(%" PRId32 ",%" PRId32 ")\"", type->precision, type->scale); break;
  default: osdear__json_put_string(out, osdear__str_of(osdear__kind_name(type->kind))); break;
  }
}

void osdear__delta_schema_print(const osdear__type *struct_type, osdear__buf *out)
{
  print_type(struct_type, out);
}

/* ---- others' types ---- */

/* The narrowest Delta type that holds every value. */
static bool map_leaf(osdear__type *type)
{
  switch (type->kind) {
  case KIND_UINT8: type->kind = KIND_SHORT; return true;
  case KIND_UINT16: type->kind = KIND_INTEGER; return true;
  case KIND_UINT32: type->kind = KIND_LONG; return true;
  case KIND_UINT64: *type = (osdear__type){ .kind = KIND_DECIMAL, .precision = 20 }; return true;
  case KIND_FLOAT16: type->kind = KIND_FLOAT; return true;
  case KIND_FIXED: *type = (osdear__type){ .kind = KIND_BINARY }; return true;
  case KIND_TIME: return false;
  default: return true;
  }
}

/* Without column mapping a column's name is its name in Parquet, where old readers cannot have these characters. */
static osdear_status check_names(const osdear__type *type, osdear_error **error)
{
  const char *doubled;
  osdear_status st = find_double(type->fields, type->field_count, &doubled, error);

  if (st)
    return st;
  if (doubled)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "two columns are named `%s` (case does not count)", doubled);
  for (size_t i = 0; i < type->field_count; i++)
    if (!type->fields[i].name[0] || strpbrk(type->fields[i].name, " ,;{}()\n\t="))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "column `%s`: a name must not be empty nor hold any of space , ; { } ( ) = tab or newline",
                          type->fields[i].name);
  return OSDEAR_OK;
}

static osdear_status map_types(osdear__type *type, osdear__buf *path, osdear_error **error)
{
  osdear_status st = type->kind == KIND_STRUCT ? check_names(type, error) : OSDEAR_OK;

  if (!st && !map_leaf(type)) {
    SCOPED(buf) name = { 0 };
    osdear__type_name(type, &name);
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "column `%s`: Delta has no type for %s", path->size ? path->data : "",
                        name.data ? name.data : "it");
  }
  for (size_t i = 0; i < type->field_count && !st; i++) {
    size_t before = path->size;
    osdear__buf_printf(path, "%s%s", before ? "." : "", type->fields[i].name);
    st = map_types(&type->fields[i].type, path, error);
    path->size = before;
    if (path->data)
      path->data[before] = '\0';
  }
  return st;
}

osdear_status osdear__delta_schema_of(const osdear__type *arrow_type, osdear__arena *arena, osdear__type *out,
                                      osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__type type;
  osdear_status st = osdear__type_copy(arrow_type, arena, &type, error);

  if (!st)
    st = map_types(&type, &path, error);
  if (!st)
    *out = type;
  return st;
}

int64_t osdear__delta_partition_index(const osdear__metadata *metadata, osdear__str column)
{
  for (int64_t i = 0; metadata->partition_columns[i]; i++)
    if (osdear__str_equal_nocase(column, osdear__str_of(metadata->partition_columns[i])))
      return i;
  return -1;
}
