/* What Airbyte does besides jobs: checks, discovery, states, and sources, destinations and connections that are made once by their names. */
#include <job/airbyte.h>

#include <stdio.h>

static osdear_status need(const osdear__json *arguments, const char *name, const char *verb, const char **out,
                          osdear_error **error)
{
  *out = osdear__json_text(arguments, name);
  return *out && (*out)[0] ? OSDEAR_OK : osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s wants the \"%s\"", verb, name);
}

/* Of a name, an id, or where nothing is given of the only workspace that there is. */
static osdear_status workspace_of(osdear_runner *runner, const osdear__json *arguments, osdear__arena *arena, const char **out,
                                  osdear_error **error)
{
  const char *given = osdear__json_text(arguments, "workspace");
  osdear__call call = { .method = "GET", .path = "/workspaces?limit=2" };
  const osdear__json *data;
  osdear__json *answer;
  osdear_status st;

  if (given)
    return osdear__airbyte_find(runner, "workspace", given, NULL, arena, out, error);
  st = osdear__airbyte_public(runner, &call, arena, &answer, error);
  if (st)
    return st;
  data = osdear__json_list(answer, "data");
  if (data && data->count == 1)
    *out = osdear__json_text(&data->items[0], "workspaceId");
  return data && data->count == 1 && *out && osdear__airbyte_is_id(*out)
             ? OSDEAR_OK
             : osdear__fail(error, OSDEAR_ERR_ARGUMENT, "Airbyte does not have just one workspace: name the \"workspace\"");
}

/* The id of the one that a name or an id stands for. */
static osdear_status actor_of(osdear_runner *runner, const osdear__json *arguments, const char *kind, osdear__arena *arena,
                              const char **out, osdear_error **error)
{
  const char *workspace = osdear__json_text(arguments, "workspace"), *name;
  osdear_status st = need(arguments, kind, "the call", &name, error);

  if (!st && workspace)
    st = osdear__airbyte_find(runner, "workspace", workspace, NULL, arena, &workspace, error);
  return st ? st : osdear__airbyte_find(runner, kind, name, workspace, arena, out, error);
}

/* ---- check and discover: a connector runs, and that takes time ---- */

static osdear_status check(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  const char *kind = osdear__json_get(arguments, "source") ? "source" : "destination", *id;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__call call = { .method = "POST", .may_repeat = true, .timeout_ms = AIRBYTE_PATIENCE_MS };
  static const char *const names[] = { "status", "message", NULL };
  osdear__json *answer;
  char path[48];
  osdear_status st;

  if (!osdear__json_get(arguments, "source") == !osdear__json_get(arguments, "destination"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "check wants just one of \"source\" and \"destination\"");
  st = actor_of(runner, arguments, kind, &arena, &id, error);
  if (st)
    return st;
  snprintf(path, sizeof path, "/%ss/check_connection", kind);
  osdear__buf_printf(&body, "{\"%sId\":\"%s\"}", kind, id);
  st = osdear__buf_check(&body, error);
  call.path = path;
  call.body = body.data;
  if (!st)
    st = osdear__airbyte_config(runner, &call, &arena, &answer, error);
  if (!st)
    osdear__json_put_object(out, answer, names);
  return st;
}

static osdear_status discover(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const char *source, *destination;
  osdear__json *answer;
  osdear_status st = actor_of(runner, arguments, "source", &arena, &source, error);

  if (st)
    return st;
  osdear__buf_printf(&path, "/streams?sourceId=%s&ignoreCache=%s", source,
                     osdear__json_flag(arguments, "refresh", true) ? "true" : "false");
  if (osdear__json_get(arguments, "destination")) {
    st = actor_of(runner, arguments, "destination", &arena, &destination, error);
    if (st)
      return st;
    osdear__buf_printf(&path, "&destinationId=%s", destination);
  }
  st = osdear__airbyte_get(runner, &path, AIRBYTE_PATIENCE_MS, &arena, &answer, error);
  if (!st)
    osdear__json_put_value(out, answer);
  return st;
}

/* ---- states: how far the streams of a connection have come ---- */

static osdear_status call_state(osdear_runner *runner, const char *path, const osdear__json *arguments, osdear__buf *out,
                                osdear_error **error)
{
  const osdear__json *state = osdear__json_get(arguments, "state");
  osdear__call call = { .method = "POST", .path = path, .may_repeat = true };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  const char *connection;
  osdear__json *answer;
  osdear_status st = actor_of(runner, arguments, "connection", &arena, &connection, error);

  if (st)
    return st;
  osdear__buf_printf(&body, "{\"connectionId\":\"%s\"", connection);
  if (state) {
    osdear__buf_puts(&body, ",\"connectionState\":");
    osdear__json_put_value(&body, state);
  }
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  call.body = body.data;
  if (!st)
    st = osdear__airbyte_config(runner, &call, &arena, &answer, error);
  if (!st)
    osdear__json_put_value(out, answer);
  return st;
}

static osdear_status get_state(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  return call_state(runner, "/state/get", arguments, out, error);
}

/* The safe one of the two calls: it is refused while the connection is being synced, which would write its own state in the end. */
static osdear_status set_state(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  if (!osdear__json_get(arguments, "state"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "set_state wants the \"state\"");
  return call_state(runner, "/state/create_or_update_safe", arguments, out, error);
}

/* ---- made once ---- */

/* Tells the id, and whether it was made just now. */
static void put_made(osdear__buf *out, const char *kind, const char *id, bool was_made)
{
  char member[24];
  bool first = true;

  snprintf(member, sizeof member, "%sId", kind);
  osdear__buf_putc(out, '{');
  osdear__json_put_text(out, &first, member, id);
  osdear__json_put_key(out, &first, "was_made");
  osdear__buf_puts(out, was_made ? "true}" : "false}");
}

/* Names are not unique in Airbyte, so that a POST must not be repeated: a call that is made again finds what the first one made. */
static osdear_status make(osdear_runner *runner, const char *kind, const osdear__buf *body, osdear__buf *out,
                          osdear_error **error)
{
  osdear__call call = { .method = "POST", .body = body->data, .timeout_ms = AIRBYTE_PATIENCE_MS };
  SCOPED(arena) arena = { 0 };
  char path[24], member[24];
  osdear__json *answer;
  osdear_status st = osdear__buf_check(body, error);

  if (st)
    return st;
  snprintf(path, sizeof path, "/%ss", kind);
  snprintf(member, sizeof member, "%sId", kind);
  call.path = path;
  st = osdear__airbyte_public(runner, &call, &arena, &answer, error);
  if (st)
    return st;
  if (!osdear__json_text(answer, member))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airbyte made the %s, but its answer has no id", kind);
  put_made(out, kind, osdear__json_text(answer, member), true);
  return OSDEAR_OK;
}

/* *id is NULL where there is none of the name. */
static osdear_status find(osdear_runner *runner, const char *kind, const char *name, const char *workspace, osdear__arena *arena,
                          const char **id, osdear_error **error)
{
  AUTO(error) failure = NULL;
  osdear_status st = osdear__airbyte_find(runner, kind, name, workspace, arena, id, &failure);

  if (st != OSDEAR_ERR_NOT_FOUND)
    return osdear__fail_on(error, st, &failure);
  *id = NULL;
  return OSDEAR_OK;
}

/* What is there is left as it is, but for a new configuration where that is wished: what is secret in the old one is not shown, so that the
 * two cannot be compared. */
static osdear_status update(osdear_runner *runner, const char *kind, const char *id, const osdear__json *arguments,
                            osdear_error **error)
{
  const osdear__json *configuration = osdear__json_get(arguments, "configuration");
  osdear__call call = { .method = "PATCH", .may_repeat = true, .timeout_ms = AIRBYTE_PATIENCE_MS };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  char path[80];
  osdear__json *answer;
  osdear_status st;

  if (!configuration || !osdear__json_flag(arguments, "update", false))
    return OSDEAR_OK;
  osdear__buf_puts(&body, "{\"configuration\":");
  osdear__json_put_value(&body, configuration);
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  snprintf(path, sizeof path, "/%ss/%s", kind, id);
  call.path = path;
  call.body = body.data;
  return st ? st : osdear__airbyte_public(runner, &call, &arena, &answer, error);
}

static osdear_status actor(osdear_runner *runner, const char *kind, const osdear__json *arguments, osdear__buf *out,
                           osdear_error **error)
{
  const osdear__json *configuration = osdear__json_get(arguments, "configuration");
  const char *name, *workspace, *id, *definition = osdear__json_text(arguments, "definition");
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  bool first = true;
  osdear_status st = need(arguments, "name", kind, &name, error);

  if (!st)
    st = workspace_of(runner, arguments, &arena, &workspace, error);
  if (!st)
    st = find(runner, kind, name, workspace, &arena, &id, error);
  if (!st && id)
    st = update(runner, kind, id, arguments, error);
  if (st)
    return st;
  if (id) {
    put_made(out, kind, id, false);
    return OSDEAR_OK;
  }
  if (!configuration)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "Airbyte has no %s \"%s\", and without a \"configuration\" none can be made",
                        kind, name);
  osdear__buf_putc(&body, '{');
  osdear__json_put_text(&body, &first, "name", name);
  osdear__json_put_text(&body, &first, "workspaceId", workspace);
  if (definition)
    osdear__json_put_text(&body, &first, "definitionId", definition);
  osdear__json_put_key(&body, &first, "configuration");
  osdear__json_put_value(&body, configuration);
  osdear__buf_putc(&body, '}');
  return make(runner, kind, &body, out, error);
}

static osdear_status source(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  return actor(runner, "source", arguments, out, error);
}

static osdear_status destination(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  return actor(runner, "destination", arguments, out, error);
}

static osdear_status connection(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  static const char *const passed[] = {
    "schedule", "namespaceDefinition", "namespaceFormat", "prefix", "status", "nonBreakingSchemaUpdatesBehavior", NULL
  };
  const osdear__json *streams = osdear__json_get(arguments, "streams");
  const char *name, *workspace, *id, *from, *to;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  bool first = true;
  osdear_status st = need(arguments, "name", "connection", &name, error);

  if (!st)
    st = workspace_of(runner, arguments, &arena, &workspace, error);
  if (!st)
    st = find(runner, "connection", name, workspace, &arena, &id, error);
  if (st)
    return st;
  if (id) {
    put_made(out, "connection", id, false);
    return OSDEAR_OK;
  }
  st = actor_of(runner, arguments, "source", &arena, &from, error);
  if (!st)
    st = actor_of(runner, arguments, "destination", &arena, &to, error);
  if (st)
    return st;
  osdear__buf_putc(&body, '{');
  osdear__json_put_text(&body, &first, "name", name);
  osdear__json_put_text(&body, &first, "sourceId", from);
  osdear__json_put_text(&body, &first, "destinationId", to);
  if (streams) { /* else all that the source has */
    osdear__json_put_key(&body, &first, "configurations");
    osdear__buf_puts(&body, "{\"streams\":");
    osdear__json_put_value(&body, streams);
    osdear__buf_putc(&body, '}');
  }
  osdear__json_put_members(&body, &first, arguments, passed);
  osdear__buf_putc(&body, '}');
  return make(runner, "connection", &body, out, error);
}

static const osdear__spec_member check_members[] = {
  { "source", SPEC_TEXT }, { "destination", SPEC_TEXT }, { "workspace", SPEC_TEXT }, { NULL, SPEC_TEXT }
};
static const osdear__spec_member discover_members[] = {
  { "source", SPEC_TEXT }, { "destination", SPEC_TEXT }, { "workspace", SPEC_TEXT }, { "refresh", SPEC_BOOL }, { NULL, SPEC_TEXT }
};
static const osdear__spec_member state_members[] = { { "connection", SPEC_TEXT },
                                                     { "workspace", SPEC_TEXT },
                                                     { NULL, SPEC_TEXT } };
static const osdear__spec_member set_state_members[] = {
  { "connection", SPEC_TEXT }, { "workspace", SPEC_TEXT }, { "state", SPEC_OBJECT }, { NULL, SPEC_TEXT }
};
static const osdear__spec_member actor_members[] = {
  { "name", SPEC_TEXT },       { "workspace", SPEC_TEXT }, { "configuration", SPEC_OBJECT },
  { "definition", SPEC_TEXT }, { "update", SPEC_BOOL },    { NULL, SPEC_TEXT },
};
static const osdear__spec_member connection_members[] = {
  { "name", SPEC_TEXT },
  { "source", SPEC_TEXT },
  { "destination", SPEC_TEXT },
  { "workspace", SPEC_TEXT },
  { "streams", SPEC_OBJECTS },
  { "schedule", SPEC_OBJECT },
  { "namespaceDefinition", SPEC_TEXT },
  { "namespaceFormat", SPEC_TEXT },
  { "prefix", SPEC_TEXT },
  { "status", SPEC_TEXT },
  { "nonBreakingSchemaUpdatesBehavior", SPEC_TEXT },
  { NULL, SPEC_TEXT },
};

const osdear__verb osdear__airbyte_verbs[] = {
  { "check", check_members, check },
  { "discover", discover_members, discover },
  { "source", actor_members, source },
  { "destination", actor_members, destination },
  { "connection", connection_members, connection },
  { "state", state_members, get_state },
  { "set_state", set_state_members, set_state },
  { NULL, NULL, NULL },
};
