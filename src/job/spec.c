/* Specs: JSON objects whose members a table names, so that a misspelt one is refused instead of ignored. */
#include <job/job.h>

size_t osdear__spec_count(const osdear__json *spec, const char *name)
{
  const osdear__json *member = osdear__json_get(spec, name);

  return member ? member->count : 0;
}

/* ---- checking them ---- */

static const char *const type_names[] = {
  [SPEC_TEXT] = "a string",
  [SPEC_INT] = "a whole number of 0 or more",
  [SPEC_BOOL] = "true or false",
  [SPEC_TEXTS] = "a list of strings",
  [SPEC_PAIRS] = "an object of strings",
  [SPEC_OBJECT] = "an object",
  [SPEC_OBJECTS] = "a list of objects",
};

/* A NUL would cut the text short for everything that is told it as a C string. */
static bool is_text(const osdear__json *value)
{
  return value->kind == JSON_IS_STRING && !memchr(value->text.data, '\0', value->text.size);
}

static bool all_texts(const osdear__json *value)
{
  for (size_t i = 0; i < value->count; i++)
    if (!is_text(&value->items[i]) || (value->keys && memchr(value->keys[i].data, '\0', value->keys[i].size)))
      return false;
  return true;
}

static bool all_objects(const osdear__json *value)
{
  for (size_t i = 0; i < value->count; i++)
    if (value->items[i].kind != JSON_IS_OBJECT)
      return false;
  return true;
}

static bool has_type(const osdear__json *value, osdear__spec_type type)
{
  int64_t number;

  switch (type) {
  case SPEC_TEXT: return is_text(value);
  case SPEC_INT: return value->kind == JSON_IS_NUMBER && osdear__parse_i64(value->text, &number) && number >= 0;
  case SPEC_BOOL: return value->kind == JSON_IS_BOOL;
  case SPEC_TEXTS: return value->kind == JSON_IS_ARRAY && all_texts(value);
  case SPEC_PAIRS: return value->kind == JSON_IS_OBJECT && all_texts(value);
  case SPEC_OBJECT: return value->kind == JSON_IS_OBJECT;
  case SPEC_OBJECTS: return value->kind == JSON_IS_ARRAY && all_objects(value);
  }
  return false;
}

static osdear_status fail_unknown(const char *what, osdear__str key, const osdear__spec_member *members, osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  osdear_status st;

  for (const osdear__spec_member *m = members; m->name; m++)
    osdear__buf_printf(&names, "%s%s", m == members ? "" : ", ", m->name);
  st = osdear__buf_check(&names, error);
  if (st)
    return st;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has no member \"%s\"; it has %s", what, key.data, names.data);
}

osdear_status osdear__spec_check(const osdear__json *value, const char *what, const osdear__spec_member *members,
                                 osdear_error **error)
{
  if (value->kind != JSON_IS_OBJECT)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s is a JSON object", what);
  for (size_t i = 0; i < value->count; i++) {
    const osdear__spec_member *member = members;
    while (member->name && !osdear__str_is(value->keys[i], member->name))
      member++;
    if (!member->name)
      return fail_unknown(what, value->keys[i], members, error);
    if (!has_type(&value->items[i], member->type))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" of %s must be %s", member->name, what, type_names[member->type]);
  }
  return OSDEAR_OK;
}

osdear_status osdear__spec_read(const char *text, const char *what, const osdear__spec_member *members, osdear__arena *arena,
                                osdear__json **out, osdear_error **error)
{
  osdear__json *value;
  osdear_status st = osdear__json_read(osdear__str_of(text), what, arena, &value, error);

  if (st == OSDEAR_ERR_CORRUPT)
    return osdear__fail_because(error, OSDEAR_ERR_ARGUMENT, "%s is no JSON", what);
  if (!st)
    st = osdear__spec_check(value, what, members, error);
  if (!st)
    *out = value;
  return st;
}
