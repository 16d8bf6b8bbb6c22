/* Dremio's catalog: sources, spaces, folders, views and promoted tables, made once by their names. */
#include <job/dremio.h>

#include <stdio.h>

/* ---- the catalog ---- */

/* What stands at a path; *out is NULL where nothing does. */
static osdear_status look_up(osdear_runner *runner, const osdear__json *path, osdear__arena *arena, osdear__json **out,
                             osdear_error **error)
{
  AUTO(error) failure = NULL;
  SCOPED(buf) url = { 0 };
  osdear_status st;

  *out = NULL;
  osdear__buf_puts(&url, "/api/v3/catalog/by-path");
  for (size_t i = 0; i < path->count; i++) {
    osdear__buf_putc(&url, '/');
    osdear__http_put_encoded(&url, path->items[i].text, "");
  }
  st = osdear__buf_check(&url, error);
  if (st)
    return st;
  st = osdear__dremio_call(runner, "GET", url.data, NULL, arena, out, &failure);
  if (st == OSDEAR_ERR_NOT_FOUND) {
    *out = NULL;
    return OSDEAR_OK;
  }
  return osdear__fail_on(error, st, &failure);
}

static void put_entity(osdear__buf *out, const osdear__json *entity, bool was_made)
{
  static const char *const names[] = { "id", "tag", "path", "name", NULL };
  bool first = true;

  osdear__buf_putc(out, '{');
  osdear__json_put_members(out, &first, entity, names);
  osdear__json_put_key(out, &first, "was_made");
  osdear__buf_puts(out, was_made ? "true}" : "false}");
}

/* "/api/v3/catalog/ID": an id may hold slashes and colons. */
static void put_url(osdear__buf *out, const char *id)
{
  osdear__buf_puts(out, "/api/v3/catalog/");
  osdear__http_put_encoded(out, osdear__str_of(id), "");
}

/* Makes it at `url`. Where somebody else was first, what he made is as good. */
static osdear_status make(osdear_runner *runner, const osdear__json *path, const char *url, const osdear__buf *body,
                          osdear__arena *arena, osdear__buf *out, osdear_error **error)
{
  AUTO(error) failure = NULL;
  osdear__json *entity;
  osdear_status st = osdear__dremio_call(runner, "POST", url, body, arena, &entity, &failure);

  if (!st) {
    put_entity(out, entity, true);
    return OSDEAR_OK;
  }
  if ((st == OSDEAR_ERR_CONFLICT || st == OSDEAR_ERR_ARGUMENT) && look_up(runner, path, arena, &entity, NULL) == OSDEAR_OK &&
      entity) {
    put_entity(out, entity, false);
    return OSDEAR_OK;
  }
  return osdear__fail_on(error, st, &failure);
}

/* An entity is replaced as a whole, with the tag that it had when it was read: who was faster meanwhile is not overwritten. */
static osdear_status replace(osdear_runner *runner, const osdear__json *old, osdear__buf *body, osdear__arena *arena,
                             osdear__buf *out, osdear_error **error)
{
  static const char *const kept[] = { "id", "tag", NULL };
  SCOPED(buf) url = { 0 };
  const char *id = osdear__json_text(old, "id");
  osdear__json *entity;
  bool first = false;
  osdear_status st;

  if (!id)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio's catalog has an entity without an id");
  body->size--; /* its brace */
  osdear__json_put_members(body, &first, old, kept);
  osdear__buf_putc(body, '}');
  put_url(&url, id);
  st = osdear__buf_check(&url, error);
  if (!st)
    st = osdear__dremio_call(runner, "PUT", url.data, body, arena, &entity, error);
  if (!st)
    put_entity(out, entity, false);
  return st;
}

/* A member of the arguments that must be there. */
static osdear_status need(const osdear__json *arguments, const char *name, const osdear__json **out, osdear_error **error)
{
  *out = osdear__json_get(arguments, name);
  if (*out && ((*out)->kind == JSON_IS_STRING ? (*out)->text.size : (*out)->count) > 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the call wants the \"%s\"", name);
}

/* What has a path, or a name alone, is made unless it is there; then it is left as it is, or replaced. */
static osdear_status ensure(osdear_runner *runner, const osdear__json *path, osdear__buf *body, bool replaces, osdear__buf *out,
                            osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *found;
  osdear_status st = osdear__buf_check(body, error);

  if (!st)
    st = look_up(runner, path, &arena, &found, error);
  if (st)
    return st;
  if (found && replaces)
    return replace(runner, found, body, &arena, out, error);
  if (!found)
    return make(runner, path, "/api/v3/catalog", body, &arena, out, error);
  put_entity(out, found, false);
  return OSDEAR_OK;
}

/* A path of one name. */
static osdear__json path_of_name(const osdear__json *name)
{
  return (osdear__json){ .kind = JSON_IS_ARRAY, .count = 1, .items = (osdear__json *)(uintptr_t)name };
}

/* ---- verbs ---- */

static osdear_status source(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  static const char *const passed[] = {
    "name", "type", "config", "metadataPolicy", "accelerationRefreshPeriodMs", "accelerationGracePeriodMs", NULL
  };
  const osdear__json *name, *type;
  SCOPED(buf) body = { 0 };
  osdear__json path;
  bool first = false;
  osdear_status st = need(arguments, "name", &name, error);

  if (!st)
    st = need(arguments, "type", &type, error);
  if (st)
    return st;
  path = path_of_name(name);
  osdear__buf_puts(&body, "{\"entityType\":\"source\"");
  osdear__json_put_members(&body, &first, arguments, passed);
  osdear__buf_putc(&body, '}');
  return ensure(runner, &path, &body, osdear__json_flag(arguments, "update", false), out, error);
}

static osdear_status space(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  static const char *const passed[] = { "name", NULL };
  const osdear__json *name;
  SCOPED(buf) body = { 0 };
  osdear__json path;
  bool first = false;
  osdear_status st = need(arguments, "name", &name, error);

  if (st)
    return st;
  path = path_of_name(name);
  osdear__buf_puts(&body, "{\"entityType\":\"space\"");
  osdear__json_put_members(&body, &first, arguments, passed);
  osdear__buf_putc(&body, '}');
  return ensure(runner, &path, &body, false, out, error);
}

static osdear_status folder(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  static const char *const passed[] = { "path", NULL };
  const osdear__json *path;
  SCOPED(buf) body = { 0 };
  bool first = false;
  osdear_status st = need(arguments, "path", &path, error);

  if (st)
    return st;
  osdear__buf_puts(&body, "{\"entityType\":\"folder\"");
  osdear__json_put_members(&body, &first, arguments, passed);
  osdear__buf_putc(&body, '}');
  return ensure(runner, path, &body, false, out, error);
}

/* A view that is there becomes the new one. */
static osdear_status view(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  static const char *const passed[] = { "path", "sql", NULL };
  const osdear__json *path, *sql;
  SCOPED(buf) body = { 0 };
  bool first = false;
  osdear_status st = need(arguments, "path", &path, error);

  if (!st)
    st = need(arguments, "sql", &sql, error);
  if (st)
    return st;
  osdear__buf_puts(&body, "{\"entityType\":\"dataset\",\"type\":\"VIRTUAL_DATASET\"");
  osdear__json_put_members(&body, &first, arguments, passed);
  if (osdear__json_get(arguments, "context")) {
    osdear__json_put_key(&body, &first, "sqlContext");
    osdear__json_put_value(&body, osdear__json_get(arguments, "context"));
  }
  osdear__buf_putc(&body, '}');
  return ensure(runner, path, &body, true, out, error);
}

/* The id that a folder of a source has before it is a table: "dremio:/source/folder". */
static void put_folder_id(osdear__buf *out, const osdear__json *path)
{
  osdear__buf_puts(out, "dremio:");
  for (size_t i = 0; i < path->count; i++)
    osdear__buf_printf(out, "/%s", path->items[i].text.data);
}

static osdear_status promote(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  const char *format = osdear__json_text(arguments, "format"), *type;
  const osdear__json *path;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) id = { 0 };
  SCOPED(buf) url = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *found;
  bool first = false;
  osdear_status st = need(arguments, "path", &path, error);

  if (!st)
    st = look_up(runner, path, &arena, &found, error);
  if (st)
    return st;
  type = osdear__json_text(found, "type");
  if (type && strcmp(type, "PHYSICAL_DATASET") == 0) {
    put_entity(out, found, false);
    return OSDEAR_OK;
  }
  if (found && osdear__json_text(found, "id"))
    osdear__buf_puts(&id, osdear__json_text(found, "id"));
  else
    put_folder_id(&id, path);
  st = osdear__buf_check(&id, error);
  if (st)
    return st;
  put_url(&url, id.data);
  osdear__buf_puts(&body, "{\"entityType\":\"dataset\",\"type\":\"PHYSICAL_DATASET\"");
  osdear__json_put_text(&body, &first, "id", id.data);
  osdear__json_put_key(&body, &first, "path");
  osdear__json_put_value(&body, path);
  osdear__buf_puts(&body, ",\"format\":{\"type\":");
  osdear__json_put_string(&body, osdear__str_of(format ? format : "Delta"));
  osdear__buf_puts(&body, "}}");
  st = osdear__buf_check(&url, error);
  return st ? st : make(runner, path, url.data, &body, &arena, out, error);
}

static const osdear__spec_member source_members[] = {
  { "name", SPEC_TEXT },
  { "type", SPEC_TEXT },
  { "config", SPEC_OBJECT },
  { "metadataPolicy", SPEC_OBJECT },
  { "accelerationRefreshPeriodMs", SPEC_INT },
  { "accelerationGracePeriodMs", SPEC_INT },
  { "update", SPEC_BOOL },
  { NULL, SPEC_TEXT },
};
static const osdear__spec_member space_members[] = { { "name", SPEC_TEXT }, { NULL, SPEC_TEXT } };
static const osdear__spec_member folder_members[] = { { "path", SPEC_TEXTS }, { NULL, SPEC_TEXT } };
static const osdear__spec_member view_members[] = {
  { "path", SPEC_TEXTS }, { "sql", SPEC_TEXT }, { "context", SPEC_TEXTS }, { NULL, SPEC_TEXT }
};
static const osdear__spec_member promote_members[] = { { "path", SPEC_TEXTS }, { "format", SPEC_TEXT }, { NULL, SPEC_TEXT } };

const osdear__verb osdear__dremio_verbs[] = {
  { "source", source_members, source }, { "space", space_members, space },       { "folder", folder_members, folder },
  { "view", view_members, view },       { "promote", promote_members, promote }, { NULL, NULL, NULL },
};
