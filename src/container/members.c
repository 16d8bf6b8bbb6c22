/* The containers of a stack: found by their label, started and stopped in order, waited for. */
#include <container/stack.h>

#define LOOK_US 500000
#define STEADY_US 1000000
#define EMPTY_US 5000000

/* ---- finding ---- */

static const char *label_of(const osdear__json *inspected, const char *key)
{
  osdear__str text = osdear__json_str(osdear__json_get(osdear__json_get(inspected, "Config"), "Labels"), key);

  return text.size ? text.data : "";
}

static void read_member(const osdear__json *inspected, osdear__member *out)
{
  const osdear__json *policy = osdear__json_get(osdear__json_get(inspected, "HostConfig"), "RestartPolicy");
  osdear__str word = osdear__json_str(osdear__json_get(inspected, "State"), "Status"), restart = osdear__json_str(policy, "Name"),
              image = osdear__json_str(inspected, "Image");

  out->service = label_of(inspected, OSDEAR__LABEL_SERVICE);
  out->needs = label_of(inspected, OSDEAR__LABEL_NEEDS);
  out->hash = label_of(inspected, OSDEAR__LABEL_HASH);
  out->image = image.size ? image.data : "";
  out->status = (osdear_container_status_result)OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  osdear__status_of(inspected, &out->status);
  out->is_restarting = osdear__str_is(word, "restarting");
  out->will_restart = osdear__str_is(restart, "always") || osdear__str_is(restart, "unless-stopped") ||
                      (osdear__str_is(restart, "on-failure") && out->status.exit_code != 0);
}

/* One that went away since the list was made is none of them. */
static osdear_status look_at(osdear_engine *engine, osdear__str id, osdear__arena *arena, osdear__members *out,
                             osdear_error **error)
{
  AUTO(container) container = NULL;
  osdear__member *member = &out->items[out->count];
  const osdear__json *tree;
  osdear_status st = osdear__container_of(engine, id, &container, error);

  if (!st)
    st = osdear__health_provoke(container, error);
  if (!st)
    st = osdear__container_inspect(container, arena, &tree, error);
  if (st == OSDEAR_ERR_NOT_FOUND) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  if (st)
    return st;
  member->id = osdear__arena_strdup(arena, container->id);
  if (!member->id)
    return osdear__fail_memory(error);
  read_member(tree, member);
  out->count++;
  return OSDEAR_OK;
}

static osdear_status put_path(osdear__buf *out, const char *path, char before, const char *project, osdear_error **error)
{
  SCOPED(buf) label = { 0 };
  osdear_pair filter = { "label", NULL };
  osdear_status st;

  osdear__buf_printf(&label, OSDEAR__LABEL_PROJECT "=%s", project);
  st = osdear__buf_check(&label, error);
  if (st)
    return st;
  filter.value = label.data;
  osdear__buf_puts(out, path);
  osdear__put_filters(out, before, &filter, 1);
  return osdear__buf_check(out, error);
}

osdear_status osdear__members_find(osdear_engine *engine, const char *project, osdear__arena *arena, osdear__members *out,
                                   osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { 0 };
  const osdear__json *all = NULL;
  osdear_status st = put_path(&path, "/containers/json?all=1", '&', project, error);

  *out = (osdear__members){ NULL, 0 };
  request.path = path.data;
  if (!st)
    st = osdear__engine_ask(engine, &request, arena, &all, error);
  if (st || !all || all->kind != JSON_IS_ARRAY || all->count == 0)
    return st;
  out->items = osdear__arena_zeroed(arena, all->count, sizeof *out->items);
  if (!out->items)
    return osdear__fail_memory(error);
  for (size_t i = 0; !st && i < all->count; i++) {
    const osdear__json *labels = osdear__json_get(&all->items[i], "Labels");
    if (!osdear__str_is(osdear__json_str(labels, "com.docker.compose.oneoff"), "True"))
      st = look_at(engine, osdear__json_str(&all->items[i], "Id"), arena, out, error);
  }
  return st;
}

bool osdear__member_runs(const osdear__member *member)
{
  return member->status.state == OSDEAR_CONTAINER_RUNNING || member->status.state == OSDEAR_CONTAINER_PAUSED;
}

/* ---- waiting ---- */

/* What keeps it from being up, or NULL. */
static const char *obstacle(const osdear__member *member)
{
  if (member->status.state == OSDEAR_CONTAINER_EXITED)
    return member->will_restart ? "is not restarted yet" : NULL;
  if (member->is_restarting)
    return "is being restarted again and again";
  if (member->status.state != OSDEAR_CONTAINER_RUNNING)
    return member->status.state == OSDEAR_CONTAINER_PAUSED ? "is paused" : "is not started yet";
  if (member->status.health == OSDEAR_HEALTH_STARTING)
    return "is not healthy yet";
  return member->status.health == OSDEAR_HEALTH_UNHEALTHY ? "is unhealthy" : NULL;
}

/* What was seen in one look. */
typedef struct sight {
  const osdear__member *late; /* the first that is not as it should be; NULL: none */
  const char *why;
  size_t running, count;
  uint64_t identity; /* of those that run: whether they are the same as a moment ago */
} sight;

static osdear_status look(osdear_engine *engine, const char *project, bool up, osdear__arena *arena, sight *seen,
                          osdear_error **error)
{
  osdear__members members;
  osdear_status st = osdear__members_find(engine, project, arena, &members, error);

  *seen = (sight){ 0 };
  seen->count = members.count;
  for (size_t i = 0; !st && i < members.count; i++) {
    const osdear__member *member = &members.items[i];
    const char *why = up ? obstacle(member) : osdear__member_runs(member) ? "runs" : NULL;

    if (up && member->status.state == OSDEAR_CONTAINER_EXITED && !member->will_restart && member->status.exit_code != 0)
      st = osdear__fail(error, OSDEAR_ERR_STATE, "stack `%s`: the service `%s` ended with exit code %" PRId32 "%s", project,
                        member->service, member->status.exit_code, member->status.was_out_of_memory ? ", out of memory" : "");
    if (why && !seen->late) {
      seen->late = member;
      seen->why = why;
    }
    if (osdear__member_runs(member)) {
      seen->running++;
      seen->identity ^= osdear__hash(member->id, strlen(member->id)) + (uint64_t)member->status.started_us;
    }
  }
  return st;
}

/* OSDEAR_OK with *is_over false: look again. */
static osdear_status judge(const char *project, const sight *seen, int64_t began, int64_t steady_since, int64_t deadline, bool up,
                           bool *is_over, osdear_error **error)
{
  int64_t now = osdear__monotonic_us();

  if (!up && !seen->late) {
    *is_over = true;
    return OSDEAR_OK;
  }
  if (up && !seen->late && now - steady_since >= STEADY_US && seen->count) {
    *is_over = true;
    return seen->running ? OSDEAR_OK : osdear__fail(error, OSDEAR_ERR_STATE, "stack `%s`: all its services have ended", project);
  }
  if (seen->late && now >= deadline)
    return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "stack `%s` is not %s in time: the service `%s` %s", project,
                        up ? "up" : "down", seen->late->service, seen->why);
  if (up && seen->count == 0 && (now >= deadline || now - began >= EMPTY_US))
    return osdear__fail(error, OSDEAR_ERR_STATE, "stack `%s` has no containers", project);
  return OSDEAR_OK;
}

osdear_status osdear__members_await(osdear_engine *engine, const char *project, bool up, int64_t deadline, osdear_error **error)
{
  int64_t began = osdear__monotonic_us(), steady_since = began;
  osdear__patience patience = { 0 };
  uint64_t steady = 0;
  bool is_over = false;

  for (;;) {
    SCOPED(arena) arena = { 0 };
    sight seen;
    osdear_status st = look(engine, project, up, &arena, &seen, error);

    if (st == OSDEAR_ERR_UNAVAILABLE && osdear__monotonic_us() < deadline) {
      osdear__error_forget(error);
      st = osdear__patience_wait(&patience, engine, error);
      if (st)
        return st;
      continue;
    }
    if (st)
      return st;
    if (seen.identity != steady || seen.late) {
      steady = seen.identity;
      steady_since = osdear__monotonic_us();
    }
    st = judge(project, &seen, began, steady_since, deadline, up, &is_over, error);
    if (!st && !is_over)
      st = osdear__sleep(engine->context, LOOK_US, error);
    if (st || is_over)
      return st;
  }
}

/* In Compose's words, or shorter. */
osdear_status osdear__member_await(osdear_engine *engine, const char *id, osdear__str word, int64_t deadline,
                                   osdear_error **error)
{
  int64_t left_ms = deadline == INT64_MAX ? -1 : (deadline - osdear__monotonic_us()) / 1000;
  int32_t exit_code = 0;
  AUTO(container) container = NULL;
  osdear_status st = osdear__container_of(engine, osdear__str_of(id), &container, error);

  if (st)
    return st;
  if (osdear__str_is(word, "healthy") || osdear__str_is(word, "service_healthy"))
    return osdear_container_wait_healthy(container, left_ms < -1 ? 0 : left_ms, error);
  if (!osdear__str_is(word, "ended") && !osdear__str_is(word, "service_completed_successfully"))
    return OSDEAR_OK;
  st = osdear_container_wait(container, left_ms < -1 ? 0 : left_ms, &exit_code, error);
  if (!st && exit_code != 0)
    st = osdear__fail(error, OSDEAR_ERR_STATE, "it ended with exit code %" PRId32, exit_code);
  return st;
}

/* ---- in order ---- */

static osdear_status order_of(const osdear__members *members, osdear__arena *arena, size_t **out, osdear_error **error)
{
  osdear__node *nodes = osdear__arena_zeroed(arena, members->count + 1, sizeof *nodes);
  size_t *order = osdear__arena_zeroed(arena, members->count + 1, sizeof *order);

  if (!nodes || !order)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < members->count; i++)
    nodes[i] = (osdear__node){ members->items[i].service, members->items[i].needs };
  if (!osdear__order(nodes, members->count, order)) {
    /* A stranger's labels: any order is as good as another. */
  }
  *out = order;
  return OSDEAR_OK;
}

static osdear_status await_needs(osdear_engine *engine, const osdear__members *members, const osdear__member *member,
                                 int64_t deadline, osdear_error **error)
{
  const char *at = member->needs;
  osdear__str name, word;
  osdear_status st = OSDEAR_OK;

  while (!st && osdear__needs_next(&at, &name, &word))
    for (size_t i = 0; !st && i < members->count; i++)
      if (osdear__str_is(name, members->items[i].service)) {
        st = osdear__member_await(engine, members->items[i].id, word, deadline, error);
        if (st)
          st = osdear__fail_within(error, st, "the service `%s` waits for `%s`", member->service, members->items[i].service);
      }
  return st;
}

osdear_status osdear__members_start(osdear_engine *engine, const osdear__members *members, int64_t deadline, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  size_t *order;
  osdear_status st = order_of(members, &arena, &order, error);

  for (size_t i = 0; !st && i < members->count; i++) {
    const osdear__member *member = &members->items[order[i]];
    AUTO(container) container = NULL;

    st = await_needs(engine, members, member, deadline, error);
    if (!st)
      st = osdear__container_of(engine, osdear__str_of(member->id), &container, error);
    if (!st && member->status.state == OSDEAR_CONTAINER_PAUSED)
      st = osdear_container_unpause(container, error);
    else if (!st)
      st = osdear_container_start(container, error);
  }
  return st;
}

osdear_status osdear__members_stop(osdear_engine *engine, const osdear__members *members, bool remove, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  size_t *order;
  osdear_status st = order_of(members, &arena, &order, error);

  for (size_t i = members->count; !st && i-- > 0;) {
    const osdear__member *member = &members->items[order[i]];
    AUTO(container) container = NULL;

    st = osdear__container_of(engine, osdear__str_of(member->id), &container, error);
    if (!st && osdear__member_runs(member))
      st = osdear_container_stop(container, -1, error);
    if (st == OSDEAR_ERR_NOT_FOUND) {
      osdear__error_forget(error);
      st = OSDEAR_OK;
    }
    if (!st && remove)
      st = osdear__run_remove(engine, member->id, error);
  }
  return st;
}

osdear_status osdear__members_drop(osdear_engine *engine, const char *project, const char *const *services, size_t count,
                                   osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members, dropped = { NULL, 0 };
  osdear_status st = osdear__members_find(engine, project, &arena, &members, error);

  for (size_t i = 0; !st && i < members.count; i++) {
    bool is_kept = false;

    for (size_t j = 0; j < count; j++)
      is_kept = is_kept || strcmp(members.items[i].service, services[j]) == 0;
    if (!is_kept)
      members.items[dropped.count++] = members.items[i];
  }
  dropped.items = members.items;
  return st ? st : osdear__members_stop(engine, &dropped, true, error);
}

/* ---- all of it ---- */

/* Networks, volumes: what of one kind carries the label. */
static osdear_status remove_objects(osdear_engine *engine, osdear_object_kind kind, const char *key, const char *project,
                                    osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) label = { 0 };
  osdear_remove_options options = OSDEAR_REMOVE_OPTIONS_INIT;
  osdear_pair filter = { "label", NULL };
  osdear__json *all = NULL;
  char *json = NULL;
  osdear_status st;

  osdear__buf_printf(&label, OSDEAR__LABEL_PROJECT "=%s", project);
  st = osdear__buf_check(&label, error);
  filter.value = label.data;
  options.missing = 1;
  if (!st)
    st = osdear_engine_list(engine, kind, &filter, 1, &json, error);
  if (!st)
    st = osdear__json_read(osdear__str_of(json), key, &arena, &all, error);
  osdear_text_free(json);
  for (size_t i = 0; !st && all->kind == JSON_IS_ARRAY && i < all->count; i++)
    if (osdear__json_str(&all->items[i], key).size)
      st = osdear_engine_remove(engine, kind, osdear__json_str(&all->items[i], key).data, &options, error);
  return st;
}

osdear_status osdear__members_remove(osdear_engine *engine, const char *project, bool volumes, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  osdear_status st = osdear__members_find(engine, project, &arena, &members, error);

  if (!st)
    st = osdear__members_stop(engine, &members, true, error);
  if (!st)
    st = remove_objects(engine, OSDEAR_NETWORKS, "Id", project, error);
  if (!st && volumes)
    st = remove_objects(engine, OSDEAR_VOLUMES, "Name", project, error);
  return st;
}
