/** @file type_changes.c What `delta.typeChanges` says of the types that a column had before: reference §11. Files keep the types they were
 * written with, so a change that is not among those of the protocol would make them unreadable, or worse, readable as something else. */
#include <delta/delta.h>

static bool parse_word(const osdear__json *change, const char *key, osdear__type *out)
{
  const osdear__json *word = osdear__json_get(change, key);

  return word && word->kind == JSON_IS_STRING && osdear__type_parse(word->text, out);
}

static bool is_small_integer(osdear__kind kind)
{
  return kind == KIND_BYTE || kind == KIND_SHORT || kind == KIND_INTEGER;
}

static bool is_integer(osdear__kind kind)
{
  return is_small_integer(kind) || kind == KIND_LONG;
}

/* A decimal with as many digits before the point, and after it. */
static bool holds_decimal(const osdear__type *to, int32_t before, int32_t after)
{
  return to->kind == KIND_DECIMAL && to->scale >= after && to->precision - to->scale >= before;
}

static bool is_allowed(const osdear__type *from, const osdear__type *to)
{
  if (is_integer(from->kind) && is_integer(to->kind))
    return to->kind >= from->kind;
  if (is_small_integer(from->kind))
    return to->kind == KIND_DOUBLE || holds_decimal(to, 10, 0);
  switch (from->kind) {
  case KIND_LONG: return holds_decimal(to, 20, 0);
  case KIND_FLOAT: return to->kind == KIND_FLOAT || to->kind == KIND_DOUBLE;
  case KIND_DATE: return to->kind == KIND_DATE || to->kind == KIND_TIMESTAMP_NTZ;
  case KIND_DECIMAL: return holds_decimal(to, from->precision - from->scale, from->scale);
  default: return false;
  }
}

static osdear_status check_change(const osdear__json *change, const char *path, osdear_error **error)
{
  const osdear__json *from_word = osdear__json_get(change, "fromType"), *to_word = osdear__json_get(change, "toType");
  osdear__type from = { 0 }, to = { 0 };

  if (parse_word(change, "fromType", &from) && parse_word(change, "toType", &to) && is_allowed(&from, &to))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                      "column `%s` was changed from %s to %s, which this build does not know as a widening", path,
                      from_word && from_word->kind == JSON_IS_STRING ? from_word->text.data : "an unknown type",
                      to_word && to_word->kind == JSON_IS_STRING ? to_word->text.data : "an unknown type");
}

static osdear_status check_field(const osdear__field *field, const char *path, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *json = NULL;
  const osdear__json *changes;
  osdear_status st;

  if (!field->metadata || !strstr(field->metadata, "\"delta.typeChanges\""))
    return OSDEAR_OK;
  st = osdear__json_read(osdear__str_of(field->metadata), "field metadata", &arena, &json, error);
  if (st)
    return st;
  changes = osdear__json_get(json, "delta.typeChanges");
  if (changes && changes->kind != JSON_IS_ARRAY)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "column `%s`: delta.typeChanges is no list", path);
  for (size_t i = 0; changes && i < changes->count && !st; i++)
    st = check_change(&changes->items[i], path, error);
  return st;
}

static osdear_status check_type(const osdear__type *type, osdear__buf *path, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < type->field_count && !st; i++) {
    size_t before = path->size;
    osdear__buf_printf(path, "%s%s", before ? "." : "", type->fields[i].name);
    st = check_field(&type->fields[i], path->data ? path->data : "", error);
    if (!st)
      st = check_type(&type->fields[i].type, path, error);
    path->size = before;
  }
  return st;
}

osdear_status osdear__type_changes_check(const osdear__type *schema, osdear_error **error)
{
  SCOPED(buf) path = { 0 };

  return check_type(schema, &path, error);
}
