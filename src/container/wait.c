/* Waiting for containers: until one has ended, until one is healthy. */
#include <container/container.h>

#define HEALTH_INTERVAL_US 250000
#define LAST_LOOK_US 2000000
#define MOST_ANSWER_BYTES 4096
#define REST_MS 10000 /* for the rest of an answer that has begun */

static int64_t deadline_of(int64_t timeout_ms)
{
  return timeout_ms < 0 || timeout_ms > INT64_MAX / 4000 ? INT64_MAX : osdear__monotonic_us() + timeout_ms * 1000;
}

/* ---- the end ---- */

/* To Docker's call Podman says 0 of what was removed meanwhile. To its own call it tells the exit code. */
osdear_status osdear__end_ask(osdear_container *container, osdear__http_reader **out, osdear_error **error)
{
  bool is_podman = container->engine->is_podman;
  osdear__engine_request request = { .method = "POST", .version = is_podman ? "/v4.0.0" : NULL, .is_quiet = true };
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear_status st;

  osdear__buf_printf(&path, "%s/containers/%s/wait", is_podman ? "/libpod" : "", container->id);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  return st ? st : osdear__engine_pull(container->engine, &request, out, &response, error);
}

/* {"StatusCode":7,"Error":null}; Podman's own is 7. A container that could not be started has an exit code and an error. */
static osdear_status take_end(const osdear_container *container, osdear__str text, int32_t *exit_code, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer = NULL;
  osdear__str words;
  int64_t code = -1;
  osdear_status st = osdear__json_read(text, "a container's end", &arena, &answer, error);

  if (st)
    return st;
  if (answer->kind != JSON_IS_NUMBER || !osdear__parse_i64(answer->text, &code))
    code = osdear__json_int(answer, "StatusCode", -1);
  words = osdear__json_str(osdear__json_get(answer, "Error"), "Message");
  if (code < 0 || code > INT32_MAX || (code == 0 && words.size))
    return osdear__fail(error, OSDEAR_ERR_STATE, "how container %.12s ended is not known any more%s%.*s", container->id,
                        words.size ? ": " : "", (int)(words.size < 400 ? words.size : 400), words.data);
  *exit_code = (int32_t)code;
  return OSDEAR_OK;
}

osdear_status osdear__end_read(osdear_container *container, osdear__http_reader *reader, int64_t wait_ms, int32_t *exit_code,
                               bool *is_silent, osdear_error **error)
{
  char text[MOST_ANSWER_BYTES];
  size_t size = 0, got = 1;

  while (got && size < sizeof text) {
    osdear_status st = osdear__engine_read(container->engine, reader, text + size, sizeof text - size, size ? REST_MS : wait_ms,
                                           &got, is_silent, error);
    if (st || (*is_silent && size == 0))
      return st;
    size += got;
  }
  if (size == 0)
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "engine %s: the answer was cut", container->engine->address);
  *is_silent = false;
  return take_end(container, (osdear__str){ text, size }, exit_code, error);
}

osdear_status osdear__check_exit_code(const osdear_container *container, int32_t exit_code, osdear_error **error)
{
  if (exit_code >= 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_STATE,
                      "how container %.12s ended is not known: the engine was killed before it had noted that down",
                      container->id);
}

/* Whoever waits for what never ran is told 0 at once; and an end that was seen here is one, whatever the answer waits for. */
static osdear_status look_at_end(osdear_container *container, int32_t *exit_code, bool *has_ended, osdear_error **error)
{
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  osdear_status st = osdear_container_status(container, &status, error);

  if (st == OSDEAR_ERR_NOT_FOUND && *has_ended) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  if (!st && *has_ended && status.state == OSDEAR_CONTAINER_CREATED)
    return osdear__fail(error, OSDEAR_ERR_STATE, "container %.12s was never started: there is no end to wait for", container->id);
  if (st || status.state != OSDEAR_CONTAINER_EXITED)
    return st;
  *has_ended = true;
  *exit_code = status.exit_code;
  return osdear__check_exit_code(container, status.exit_code, error);
}

/* In slices, between which the engine is asked something that it answers at once: one that hangs is found out. */
static osdear_status wait_until(osdear_container *container, int64_t deadline, int32_t *exit_code, osdear_error **error)
{
  AUTO(http_reader) reader = NULL;
  osdear__patience patience = { 0 };

  for (;;) {
    int64_t left_ms = deadline == INT64_MAX ? INT64_MAX : (deadline - osdear__monotonic_us()) / 1000;
    bool is_silent = false, has_ended = false;
    osdear_status st = reader ? OSDEAR_OK : osdear__end_ask(container, &reader, error);

    left_ms = left_ms < 0 ? 0 : left_ms < OSDEAR__SILENCE_MS ? left_ms : OSDEAR__SILENCE_MS;
    if (!st)
      st = osdear__end_read(container, reader, left_ms, exit_code, &is_silent, error);
    has_ended = !st && !is_silent;
    if (!st && is_silent && osdear__monotonic_us() >= deadline)
      return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "container %.12s still runs", container->id);
    if (!st && (!has_ended || *exit_code == 0))
      st = look_at_end(container, exit_code, &has_ended, error);
    if (!st && has_ended)
      return OSDEAR_OK;
    if (st == OSDEAR_ERR_UNAVAILABLE && osdear__monotonic_us() < deadline) {
      osdear__http_reader_free(reader);
      reader = NULL;
      osdear__error_forget(error);
      st = osdear__patience_wait(&patience, container->engine, error);
    } else if (!st) {
      patience.wait_us = 0;
    }
    if (st)
      return st;
  }
}

osdear_status osdear_container_wait(osdear_container *container, int64_t timeout_ms, int32_t *exit_code, osdear_error **error)
{
  int64_t deadline = deadline_of(timeout_ms), before;
  int32_t code = -1;
  osdear_status st;

  if (!container || !exit_code || timeout_ms < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and exit_code must not be NULL, timeout_ms not below -1");
  before = osdear__engine_bound(container->engine, deadline);
  st = wait_until(container, deadline, &code, error);
  container->engine->deadline_us = before;
  if (!st)
    *exit_code = code;
  else if (st == OSDEAR_ERR_TIMEOUT && timeout_ms >= 0 && osdear__monotonic_us() >= deadline)
    st = osdear__fail_within(error, st, "waited %" PRId64 " ms", timeout_ms);
  return st;
}

/* ---- health ---- */

osdear_status osdear__health_provoke(osdear_container *container, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .version = "/v4.0.0", .missing_is_fine = true };
  osdear_status st;

  if (!container->engine->is_podman)
    return OSDEAR_OK;
  osdear__buf_printf(&path, "/libpod/containers/%s/healthcheck", container->id);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_send(container->engine, &request, &response, error);
  if (st == OSDEAR_ERR_CONFLICT || st == OSDEAR_ERR_STATE || st == OSDEAR_ERR_UNAVAILABLE) {
    osdear__error_forget(error);
    st = OSDEAR_OK;
  }
  return st;
}

static osdear__str last_check(const osdear__json *tree)
{
  const osdear__json *log = osdear__json_get(osdear__json_get(osdear__json_get(tree, "State"), "Health"), "Log");

  if (!log || log->kind != JSON_IS_ARRAY || log->count == 0)
    return (osdear__str){ "nothing", 7 };
  return osdear__json_str(&log->items[log->count - 1], "Output");
}

static osdear_status look_at_health(osdear_container *container, int64_t deadline, bool *is_healthy, osdear_error **error)
{
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree;
  osdear__str said;
  osdear_status st = osdear__container_inspect(container, &arena, &tree, error);

  if (st)
    return st;
  osdear__status_of(tree, &status);
  *is_healthy = status.health == OSDEAR_HEALTH_HEALTHY && status.state == OSDEAR_CONTAINER_RUNNING;
  if (*is_healthy)
    return OSDEAR_OK;
  if (status.state == OSDEAR_CONTAINER_EXITED || status.state == OSDEAR_CONTAINER_REMOVED)
    return osdear__fail(error, OSDEAR_ERR_STATE, "container %.12s ended with exit code %" PRId32 " before it was healthy",
                        container->id, status.exit_code);
  if (status.health == OSDEAR_HEALTH_NONE)
    return osdear__fail(error, OSDEAR_ERR_STATE, "container %.12s has no health check to wait for", container->id);
  if (osdear__monotonic_us() < deadline)
    return OSDEAR_OK;
  said = last_check(tree);
  return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "container %.12s is not healthy in time; its check says: %.*s", container->id,
                      (int)(said.size < 400 ? said.size : 400), said.data);
}

static osdear_status wait_until_healthy(osdear_container *container, int64_t deadline, osdear_error **error)
{
  osdear__patience patience = { 0 };
  bool is_healthy = false;

  for (;;) {
    osdear_status st = osdear__health_provoke(container, error);

    if (!st)
      st = look_at_health(container, deadline, &is_healthy, error);
    if (is_healthy)
      return st;
    if (st == OSDEAR_ERR_UNAVAILABLE && osdear__monotonic_us() < deadline) {
      osdear__error_forget(error);
      st = osdear__patience_wait(&patience, container->engine, error);
    } else if (!st) {
      st = osdear__sleep(container->engine->context, HEALTH_INTERVAL_US, error);
    }
    if (st)
      return st;
  }
}

osdear_status osdear_container_wait_healthy(osdear_container *container, int64_t timeout_ms, osdear_error **error)
{
  int64_t deadline = deadline_of(timeout_ms), before;
  osdear_status st;

  if (!container || timeout_ms < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container must not be NULL, timeout_ms not below -1");
  /* A moment more than the deadline: the last look tells what the check said. */
  before = osdear__engine_bound(container->engine, deadline == INT64_MAX ? deadline : deadline + LAST_LOOK_US);
  st = wait_until_healthy(container, deadline, error);
  container->engine->deadline_us = before;
  return st;
}
