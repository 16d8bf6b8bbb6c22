/* Telling a container what to do. */
#include <container/container.h>

enum { ASK_MS = 1000 }; /* how long an answer is waited for that only comes when all is done */

/* POST /containers/ID<tail>, waiting `patience_ms` longer than usual. */
static osdear_status post(osdear_container *container, const char *tail, const char *body, int64_t patience_ms, bool repeat,
                          osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "POST", .body = body, .repeat = repeat };
  osdear_status st;

  if (!container)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container must not be NULL");
  osdear__buf_printf(&path, "/containers/%s%s", container->id, tail);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  request.idle_timeout_ms = container->engine->timeout_ms + patience_ms;
  return st ? st : osdear__engine_send(container->engine, &request, &response, error);
}

/* As post(), with the words put together here. */
static osdear_status post_with(osdear_container *container, const char *verb, const char *parameter, const char *value,
                               int64_t patience_ms, osdear_error **error)
{
  SCOPED(buf) tail = { 0 };
  osdear_status st;

  osdear__buf_puts(&tail, verb);
  if (value) {
    osdear__buf_printf(&tail, "?%s=", parameter);
    osdear__http_put_encoded(&tail, osdear__str_of(value), "");
  }
  st = osdear__buf_check(&tail, error);
  return st ? st : post(container, tail.data, NULL, patience_ms, false, error);
}

osdear_status osdear_container_start(osdear_container *container, osdear_error **error)
{
  return post(container, "/start", NULL, 0, false, error); /* what has ended meanwhile would run a second time */
}

static osdear_status stop_like(osdear_container *container, const char *verb, int32_t grace_s, osdear_error **error)
{
  /* The container's own patience is not known here: ten minutes are more than a sensible one has. */
  int64_t patience_ms = grace_s < 0 ? 600000 : (int64_t)grace_s * 1000;
  char seconds[24];

  if (grace_s < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "grace_s is %" PRId32 ": -1 for the container's own, or more", grace_s);
  osdear__format_i64(grace_s, seconds);
  return post_with(container, verb, "t", grace_s < 0 ? NULL : seconds, patience_ms, error);
}

osdear_status osdear_container_stop(osdear_container *container, int32_t grace_s, osdear_error **error)
{
  return stop_like(container, "/stop", grace_s, error);
}

osdear_status osdear__container_ask_to_stop(osdear_container *container, int32_t grace_s, osdear_error **error)
{
  AUTO(error) failure = NULL;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "POST", .idle_timeout_ms = ASK_MS };
  osdear_status st;

  osdear__buf_printf(&path, "/containers/%s/stop?t=%" PRId32, container->id, grace_s);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (st)
    return st;
  st = osdear__engine_send(container->engine, &request, &response, &failure);
  if (st == OSDEAR_ERR_TIMEOUT && osdear__context_check(container->engine->context, NULL) == OSDEAR_OK)
    return OSDEAR_OK;
  return osdear__fail_on(error, st, &failure);
}

osdear_status osdear_container_restart(osdear_container *container, int32_t grace_s, osdear_error **error)
{
  return stop_like(container, "/restart", grace_s, error);
}

osdear_status osdear_container_kill(osdear_container *container, const char *signal, osdear_error **error)
{
  osdear_status st = post_with(container, "/kill", "signal", signal, 0, error);

  if (st == OSDEAR_ERR_CONFLICT)
    return osdear__fail_because(error, OSDEAR_ERR_STATE, "container %.12s does not run", container->id);
  return st;
}

osdear_status osdear_container_pause(osdear_container *container, osdear_error **error)
{
  return post(container, "/pause", NULL, 0, false, error);
}

osdear_status osdear_container_unpause(osdear_container *container, osdear_error **error)
{
  return post(container, "/unpause", NULL, 0, false, error);
}

osdear_status osdear_container_rename(osdear_container *container, const char *name, osdear_error **error)
{
  if (!name || !*name)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "name must not be NULL or empty");
  return post_with(container, "/rename", "name", name, 0, error);
}

osdear_status osdear_container_update(osdear_container *container, const osdear_container_spec *spec, osdear_error **error)
{
  osdear_container_spec known = OSDEAR_CONTAINER_SPEC_INIT;
  SCOPED(buf) body = { 0 };
  osdear_status st;

  if (!spec)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "spec must not be NULL");
  st = osdear__options_read(&known, sizeof known, spec, error);
  if (!st)
    st = osdear__spec_print_limits(&known, &body, error);
  if (!st)
    st = post(container, "/update", body.data, 0, true, error);
  /* "no such container" is not what a server says that does not know the path. */
  if (st == OSDEAR_ERR_NOT_FOUND && container->engine->is_podman && error &&
      !strstr(osdear_error_message(*error), "no such container"))
    return osdear__fail_because(error, OSDEAR_ERR_UNSUPPORTED, "this Podman cannot change a container: 4.4 or later can");
  return st;
}

osdear_status osdear_container_remove(osdear_container *container, const osdear_remove_options *options, osdear_error **error)
{
  if (!container)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container must not be NULL");
  return osdear_engine_remove(container->engine, OSDEAR_CONTAINERS, container->id, options, error);
}
