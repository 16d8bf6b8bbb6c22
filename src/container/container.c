/* Containers: made, found, looked at. */
#include <container/container.h>

#define MANY_NETWORKS_MINOR 44 /* before, an engine takes one when a container is made; it joins the others afterwards */

/* ---- handles ---- */

osdear_status osdear__container_of(osdear_engine *engine, osdear__str id, osdear_container **out, osdear_error **error)
{
  AUTO(container) made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  made->engine = osdear_engine_ref(engine);
  if (id.size == 0 || id.size > 128 || memchr(id.data, '/', id.size) || memchr(id.data, '?', id.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "engine %s: a container without a sensible id", engine->address);
  made->id = osdear__strndup(id.data, id.size);
  if (!made->id)
    return osdear__fail_memory(error);
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

void osdear_container_free(osdear_container *container)
{
  if (!container)
    return;
  osdear_engine_unref(container->engine);
  osdear__free(container->id);
  osdear__free(container);
}

void osdear__container_auto(osdear_container **container)
{
  osdear_container_free(*container);
}

const char *osdear_container_id(const osdear_container *container)
{
  return container->id;
}

static osdear_status inspect_name(osdear_engine *engine, const char *name, osdear__arena *arena, const osdear__json **out,
                                  osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { 0 };
  osdear_status st;

  osdear__buf_puts(&path, "/containers/");
  osdear__put_name(&path, name, "");
  osdear__buf_puts(&path, "/json");
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_ask(engine, &request, arena, out, error);
  if (!st && !*out)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "engine %s says nothing about container %s", engine->address, name);
  return st;
}

osdear_status osdear__container_inspect(osdear_container *container, osdear__arena *arena, const osdear__json **out,
                                        osdear_error **error)
{
  return inspect_name(container->engine, container->id, arena, out, error);
}

osdear_status osdear_container_get(osdear_engine *engine, const char *name, osdear_container **out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree;
  osdear_status st;

  if (!engine || !name || !*name || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, name and out must not be NULL or empty");
  st = inspect_name(engine, name, &arena, &tree, error);
  return st ? st : osdear__container_of(engine, osdear__json_str(tree, "Id"), out, error);
}

/* ---- making ---- */

static void put_aliases(osdear__buf *out, const char *aliases)
{
  bool first = true;

  osdear__buf_putc(out, '[');
  for (const char *at = aliases ? aliases : ""; *at;) {
    size_t size = strcspn(at, ",");
    osdear__json_put_comma(out, &first);
    osdear__json_put_string(out, (osdear__str){ at, size });
    at += size + (at[size] == ',');
  }
  osdear__buf_putc(out, ']');
}

static osdear_status join_network(osdear_container *container, const osdear_network *network, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__engine_request request = { .method = "POST" };
  const char *id;
  osdear_status st = osdear__engine_id(container->engine, OSDEAR_NETWORKS, network->name, &arena, &id, error);

  if (st)
    return st;
  osdear__buf_puts(&path, "/networks/");
  osdear__put_name(&path, id, "");
  osdear__buf_puts(&path, "/connect");
  osdear__buf_printf(&body, "{\"Container\":\"%s\",\"EndpointConfig\":{\"Aliases\":", container->id);
  put_aliases(&body, network->aliases);
  osdear__buf_puts(&body, "}}");
  st = osdear__buf_check(&path, error);
  if (!st)
    st = osdear__buf_check(&body, error);
  request.path = path.data;
  request.body = body.data;
  if (!st)
    st = osdear__engine_send(container->engine, &request, &response, error);
  if (st == OSDEAR_ERR_UNSUPPORTED)
    return osdear__fail_because(
        error, st, "Portainer lets only administrators join a container to a second network, such as `%s`", network->name);
  return st;
}

/* Those from number `from` on. */
static osdear_status join_networks(osdear_container *container, const osdear_container_spec *spec, size_t from,
                                   osdear_error **error)
{
  osdear_remove_options remove = OSDEAR_REMOVE_OPTIONS_INIT;
  osdear_status st = OSDEAR_OK;

  for (size_t i = from; !st && i < spec->network_count; i++)
    st = join_network(container, &spec->networks[i], error);
  /* Half of what was asked for is nothing to be left behind. */
  remove.force = remove.volumes = remove.missing = 1;
  if (st && osdear_engine_remove(container->engine, OSDEAR_CONTAINERS, container->id, &remove, NULL) != OSDEAR_OK)
    osdear__log(container->engine->context, OSDEAR_LOG_WARNING, "container", "%s could not be removed", container->id);
  return st;
}

static osdear_status put_create_path(const osdear_container_spec *spec, osdear__buf *out, osdear_error **error)
{
  osdear__buf_puts(out, "/containers/create?");
  if (spec->name) {
    osdear__buf_puts(out, "name=");
    osdear__put_name(out, spec->name, "");
  }
  if (spec->platform) {
    osdear__buf_puts(out, "&platform=");
    osdear__put_name(out, spec->platform, "");
  }
  return osdear__buf_check(out, error);
}

osdear_status osdear__container_make(osdear_engine *engine, const osdear_container_spec *spec, const osdear_pair *labels,
                                     size_t label_count, osdear_container **out, osdear_error **error)
{
  AUTO(container) made = NULL;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__engine_request request = { .method = "POST" };
  const osdear__json *answer;
  size_t at_once = engine->api_minor < MANY_NETWORKS_MINOR && spec->network_count > 1 ? 1 : spec->network_count;
  osdear_status st = osdear__spec_print(spec, labels, label_count, at_once, &body, error);

  if (!st)
    st = put_create_path(spec, &path, error);
  request.path = path.data;
  request.body = body.data;
  if (!st)
    st = osdear__engine_ask(engine, &request, &arena, &answer, error);
  if (!st)
    st = osdear__container_of(engine, osdear__json_str(answer, "Id"), &made, error);
  if (!st)
    st = join_networks(made, spec, at_once, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

osdear_status osdear_container_create(osdear_engine *engine, const osdear_container_spec *spec, osdear_container **out,
                                      osdear_error **error)
{
  osdear_container_spec known = OSDEAR_CONTAINER_SPEC_INIT;
  osdear_status st;

  if (!engine || !spec || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, spec and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, spec, error);
  return st ? st : osdear__container_make(engine, &known, NULL, 0, out, error);
}

/* ---- how it is ---- */

osdear_container_state osdear__state_of(osdear__str word)
{
  static const struct {
    const char *word;
    osdear_container_state state;
  } known[] = {
    { "created", OSDEAR_CONTAINER_CREATED },    { "initialized", OSDEAR_CONTAINER_CREATED },
    { "configured", OSDEAR_CONTAINER_CREATED }, { "running", OSDEAR_CONTAINER_RUNNING },
    { "restarting", OSDEAR_CONTAINER_RUNNING }, { "stopping", OSDEAR_CONTAINER_RUNNING },
    { "paused", OSDEAR_CONTAINER_PAUSED },      { "exited", OSDEAR_CONTAINER_EXITED },
    { "stopped", OSDEAR_CONTAINER_EXITED },     { "dead", OSDEAR_CONTAINER_EXITED },
    { "removing", OSDEAR_CONTAINER_REMOVED },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++)
    if (osdear__str_is(word, known[i].word))
      return known[i].state;
  return OSDEAR_CONTAINER_OTHER;
}

static osdear_health health_of(osdear__str word)
{
  if (osdear__str_is(word, "starting"))
    return OSDEAR_HEALTH_STARTING;
  if (osdear__str_is(word, "healthy"))
    return OSDEAR_HEALTH_HEALTHY;
  return osdear__str_is(word, "unhealthy") ? OSDEAR_HEALTH_UNHEALTHY : OSDEAR_HEALTH_NONE;
}

/* The year 1 is how engines say never. */
static int64_t time_of(osdear__str text)
{
  bool has_zone;
  int64_t us;

  return text.size && osdear__parse_timestamp(text, &us, &has_zone) && us > 0 ? us : 0;
}

void osdear__status_of(const osdear__json *inspected, osdear_container_status_result *out)
{
  const osdear__json *state = osdear__json_get(inspected, "State"), *health = osdear__json_get(state, "Health");

  int64_t code = osdear__json_int(state, "ExitCode", 0);

  if (!health)
    health = osdear__json_get(state, "Healthcheck");
  out->state = osdear__state_of(osdear__json_str(state, "Status"));
  out->health = health_of(osdear__json_str(health, "Status"));
  out->exit_code = code >= 0 && code <= INT32_MAX ? (int32_t)code : -1;
  out->was_out_of_memory = osdear__json_flag(state, "OOMKilled", false);
  out->started_us = time_of(osdear__json_str(state, "StartedAt"));
  out->finished_us = time_of(osdear__json_str(state, "FinishedAt"));
  /* A Docker that was killed before it had noted an end down says 0 of it, and no time. */
  if (out->state == OSDEAR_CONTAINER_EXITED && out->started_us && !out->finished_us)
    out->exit_code = -1;
}

osdear_status osdear_container_status(osdear_container *container, osdear_container_status_result *result, osdear_error **error)
{
  osdear_container_status_result known = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree;
  osdear_status st;

  if (!container || !result)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and result must not be NULL");
  st = osdear__container_inspect(container, &arena, &tree, error);
  if (st)
    return st;
  osdear__status_of(tree, &known);
  return osdear__result_write(result, &known, sizeof known, error);
}
