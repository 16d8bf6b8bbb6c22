/* A stack from descriptions of its containers: what is to be there is compared with what is, and only the difference is made. */
#include <container/stack.h>

#define MOST_SERVICES 1000

/* A service with its container's description as the engine is to see it. Texts live in the arena. */
typedef struct service {
  const char *name, *container, *after;
  osdear_container_spec spec;
  char hash[17];
  char *needs; /* `after` in Compose's words */
} service;

typedef struct up {
  osdear_engine *engine;
  osdear__arena *arena;
  osdear_stack_spec spec;
  osdear_stack_options options;
  service *services;
  size_t *order;
  int64_t deadline;
} up;

/* ---- what makes no sense ---- */

static bool is_service_name(const char *name)
{
  size_t size = name ? strlen(name) : 0;

  return size && size <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == size &&
         !strchr("-_.", *name);
}

static osdear_status check_names(const char *const *names, size_t count, const char *what, osdear_error **error)
{
  for (size_t i = 0; i < count; i++) {
    if (!names || !is_service_name(names[i]))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "stack: %s %zu has no name, or one with other than letters, digits, -, _ and .", what, i);
    for (size_t j = 0; j < i; j++)
      if (strcmp(names[i], names[j]) == 0)
        return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: the %s `%s` is there twice", what, names[i]);
  }
  return OSDEAR_OK;
}

static const service *find_service(const up *u, osdear__str name)
{
  for (size_t i = 0; i < u->spec.service_count; i++)
    if (osdear__str_is(name, u->services[i].name))
      return &u->services[i];
  return NULL;
}

static const char *compose_word(osdear__str word)
{
  if (osdear__str_is(word, "healthy"))
    return "service_healthy";
  if (osdear__str_is(word, "ended"))
    return "service_completed_successfully";
  return word.size == 0 || osdear__str_is(word, "started") ? "service_started" : NULL;
}

static osdear_status read_needs(const up *u, service *s, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  const char *at = s->after;
  osdear__str name, word;
  osdear_status st;

  while (osdear__needs_next(&at, &name, &word)) {
    const char *condition = compose_word(word);

    if (!condition)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "stack: the service `%s` waits for `%.*s`: give healthy, ended or nothing behind the colon", s->name,
                          (int)(word.size < 40 ? word.size : 40), word.data);
    if (!find_service(u, name))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: the service `%s` waits for `%.*s`, which is none of it", s->name,
                          (int)(name.size < 63 ? name.size : 63), name.data);
    osdear__buf_printf(&text, "%s%.*s:%s:false", text.size ? "," : "", (int)name.size, name.data, condition);
  }
  osdear__buf_append(&text, "", 0);
  st = osdear__buf_check(&text, error);
  if (st)
    return st;
  s->needs = osdear__arena_strdup(u->arena, text.data ? text.data : "");
  return s->needs ? OSDEAR_OK : osdear__fail_memory(error);
}

/* ---- descriptions ---- */

static bool declares(const char *const *names, size_t count, const char *name)
{
  for (size_t i = 0; name && i < count; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

/* In networks of the stack a service is known by its name, besides other names that it has. */
static osdear_status resolve_networks(const up *u, service *s, osdear_error **error)
{
  size_t count = s->spec.network_count ? s->spec.network_count : 1;
  osdear_network *networks = osdear__arena_zeroed(u->arena, count, sizeof *networks);

  if (!networks)
    return osdear__fail_memory(error);
  if (s->spec.network_count)
    memcpy(networks, s->spec.networks, count * sizeof *networks);
  else
    networks[0].name = "default";
  for (size_t i = 0; i < count; i++) {
    const char *aliases = networks[i].aliases;
    bool is_ours = s->spec.network_count == 0 || declares(u->spec.networks, u->spec.network_count, networks[i].name);

    if (!is_ours)
      continue;
    networks[i].name = osdear__arena_printf(u->arena, "%s_%s", u->spec.name, networks[i].name);
    networks[i].aliases =
        osdear__arena_printf(u->arena, "%s%s%s", s->name, aliases && *aliases ? "," : "", aliases ? aliases : "");
    if (!networks[i].name || !networks[i].aliases)
      return osdear__fail_memory(error);
  }
  s->spec.networks = networks;
  s->spec.network_count = count;
  return OSDEAR_OK;
}

static osdear_status resolve_mounts(const up *u, service *s, osdear_error **error)
{
  osdear_mount *mounts = osdear__arena_zeroed(u->arena, s->spec.mount_count + 1, sizeof *mounts);

  if (!mounts)
    return osdear__fail_memory(error);
  for (size_t i = 0; s->spec.mounts && i < s->spec.mount_count; i++) {
    mounts[i] = s->spec.mounts[i];
    if (!declares(u->spec.volumes, u->spec.volume_count, mounts[i].source))
      continue;
    mounts[i].source = osdear__arena_printf(u->arena, "%s_%s", u->spec.name, mounts[i].source);
    if (!mounts[i].source)
      return osdear__fail_memory(error);
  }
  if (s->spec.mounts)
    s->spec.mounts = mounts;
  return OSDEAR_OK;
}

static osdear_status describe(const up *u, const osdear_service *given, service *s, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  s->spec = (osdear_container_spec)OSDEAR_CONTAINER_SPEC_INIT;
  st = osdear__options_read(&s->spec, sizeof s->spec, given->spec, error);
  if (!st && (!given->spec || s->spec.name || (s->spec.network_count && !s->spec.networks)))
    st =
        osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: the service `%s` has no `spec`, or one with a name of its own", s->name);
  if (!st)
    st = resolve_networks(u, s, error);
  if (!st)
    st = resolve_mounts(u, s, error);
  if (!st)
    st = osdear__spec_print(&s->spec, NULL, 0, s->spec.network_count, &text, error);
  if (st)
    return osdear__fail_within(error, st, "service `%s` of stack `%s`", s->name, u->spec.name);
  osdear__lasting_hash(text.data, text.size, s->hash);
  s->container = osdear__arena_printf(u->arena, "%s-%s-1", u->spec.name, s->name);
  s->spec.name = s->container;
  return s->container ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status order_services(up *u, osdear_error **error)
{
  osdear__node *nodes = osdear__arena_zeroed(u->arena, u->spec.service_count, sizeof *nodes);
  osdear_status st = OSDEAR_OK;

  u->order = osdear__arena_zeroed(u->arena, u->spec.service_count, sizeof *u->order);
  if (!nodes || !u->order)
    return osdear__fail_memory(error);
  for (size_t i = 0; !st && i < u->spec.service_count; i++) {
    st = read_needs(u, &u->services[i], error);
    nodes[i] = (osdear__node){ u->services[i].name, u->services[i].needs };
  }
  if (!st && !osdear__order(nodes, u->spec.service_count, u->order))
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: services wait for each other in a circle");
  return st;
}

static osdear_status prepare(up *u, osdear_error **error)
{
  const char **names;
  osdear_status st = osdear__stack_check_name(u->spec.name, error);

  if (!st && (u->spec.service_count == 0 || u->spec.service_count > MOST_SERVICES || !u->spec.services))
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack `%s` has %zu services: give 1 to %d", u->spec.name,
                      u->spec.service_count, MOST_SERVICES);
  if (st)
    return st;
  names = osdear__arena_zeroed(u->arena, u->spec.service_count, sizeof *names);
  u->services = osdear__arena_zeroed(u->arena, u->spec.service_count, sizeof *u->services);
  if (!names || !u->services)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < u->spec.service_count; i++) {
    names[i] = u->services[i].name = u->spec.services[i].name;
    u->services[i].after = u->spec.services[i].after;
  }
  st = check_names(names, u->spec.service_count, "service", error);
  if (!st)
    st = check_names(u->spec.networks, u->spec.network_count, "network", error);
  if (!st)
    st = check_names(u->spec.volumes, u->spec.volume_count, "volume", error);
  if (!st)
    st = order_services(u, error);
  for (size_t i = 0; !st && i < u->spec.service_count; i++)
    st = describe(u, &u->spec.services[i], &u->services[i], error);
  return st;
}

/* ---- networks and volumes ---- */

/* One that is there already must be the stack's own. */
static osdear_status check_owner(const up *u, osdear_object_kind kind, const char *name, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *tree = NULL;
  char *json = NULL;
  osdear_status st = osdear_engine_inspect(u->engine, kind, name, &json, error);

  if (!st)
    st = osdear__json_read(osdear__str_of(json), name, &arena, &tree, error);
  osdear_text_free(json);
  if (!st && !osdear__str_is(osdear__json_str(osdear__json_get(tree, "Labels"), OSDEAR__LABEL_PROJECT), u->spec.name))
    st = osdear__fail(error, OSDEAR_ERR_EXISTS, "there is a %s `%s` already, which is not of stack `%s`",
                      kind == OSDEAR_NETWORKS ? "network" : "volume", name, u->spec.name);
  return st;
}

static osdear_status make_object(const up *u, osdear_object_kind kind, const char *name, osdear_error **error)
{
  osdear_object_options options = OSDEAR_OBJECT_OPTIONS_INIT;
  const osdear_pair labels[] = { { OSDEAR__LABEL_PROJECT, u->spec.name },
                                 { kind == OSDEAR_NETWORKS ? "com.docker.compose.network" : "com.docker.compose.volume", name } };
  const char *full = osdear__arena_printf(u->arena, "%s_%s", u->spec.name, name);
  osdear_status st;

  if (!full)
    return osdear__fail_memory(error);
  options.labels = labels;
  options.label_count = COUNT_OF(labels);
  st = kind == OSDEAR_NETWORKS ? osdear_engine_network_create(u->engine, full, &options, error)
                               : osdear_engine_volume_create(u->engine, full, &options, error);
  if (st != OSDEAR_ERR_EXISTS)
    return st;
  osdear__error_forget(error);
  return check_owner(u, kind, full, error);
}

static osdear_status make_objects(const up *u, osdear_error **error)
{
  bool needs_default = false;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < u->spec.service_count; i++) {
    osdear_container_spec given = OSDEAR_CONTAINER_SPEC_INIT;
    if (osdear__options_read(&given, sizeof given, u->spec.services[i].spec, NULL) == OSDEAR_OK)
      needs_default = needs_default || given.network_count == 0;
  }
  if (needs_default)
    st = make_object(u, OSDEAR_NETWORKS, "default", error);
  for (size_t i = 0; !st && i < u->spec.network_count; i++)
    st = make_object(u, OSDEAR_NETWORKS, u->spec.networks[i], error);
  for (size_t i = 0; !st && i < u->spec.volume_count; i++)
    st = make_object(u, OSDEAR_VOLUMES, u->spec.volumes[i], error);
  return st;
}

/* ---- services ---- */

/* The image's id; fetched before if that is asked for. */
static osdear_status fetch_image(const up *u, const service *s, const char **id, osdear_error **error)
{
  osdear_pull_options pull = OSDEAR_PULL_OPTIONS_INIT;
  osdear__json *tree = NULL;
  char *json = NULL;
  osdear_status st = OSDEAR_OK;

  pull.platform = s->spec.platform;
  pull.only_if_missing = u->options.pull == OSDEAR_STACK_PULL_MISSING;
  if (u->options.pull != OSDEAR_STACK_PULL_NEVER)
    st = osdear_image_pull(u->engine, s->spec.image, &pull, error);
  if (!st)
    st = osdear_engine_inspect(u->engine, OSDEAR_IMAGES, s->spec.image, &json, error);
  if (!st)
    st = osdear__json_read(osdear__str_of(json), "image", u->arena, &tree, error);
  osdear_text_free(json);
  if (!st)
    *id = osdear__json_str(tree, "Id").size ? osdear__json_str(tree, "Id").data : "";
  return st;
}

/* Engines differ in whether "sha256:" stands before an id. */
static bool is_same_image(const char *a, const char *b)
{
  a += osdear__starts_with(a, "sha256:") ? 7 : 0;
  b += osdear__starts_with(b, "sha256:") ? 7 : 0;
  return strcmp(a, b) == 0;
}

static osdear_status make_container(const up *u, const service *s, const char *image, osdear_container **out,
                                    osdear_error **error)
{
  const osdear_pair labels[] = { { OSDEAR__LABEL_PROJECT, u->spec.name },
                                 { OSDEAR__LABEL_SERVICE, s->name },
                                 { OSDEAR__LABEL_HASH, s->hash },
                                 { OSDEAR__LABEL_NEEDS, s->needs },
                                 { "com.docker.compose.container-number", "1" },
                                 { "com.docker.compose.oneoff", "False" },
                                 { "com.docker.compose.image", image } };

  return osdear__container_make(u->engine, &s->spec, labels, COUNT_OF(labels), out, error);
}

/* What stands in the way of the container that is to be: older ones of the service. *kept: one that is right as it is. */
static osdear_status clear_way(const up *u, const service *s, const char *image, const osdear__members *members,
                               const osdear__member **kept, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  *kept = NULL;
  for (size_t i = 0; !st && i < members->count; i++) {
    osdear__member *member = &members->items[i];
    const osdear__members one = { member, 1 };

    if (strcmp(member->service, s->name) != 0)
      continue;
    if (!*kept && strcmp(member->hash, s->hash) == 0 && is_same_image(member->image, image))
      *kept = member;
    else
      st = osdear__members_stop(u->engine, &one, true, error);
  }
  return st;
}

static osdear_status await_needs(const up *u, const service *s, osdear_error **error)
{
  const char *at = s->needs;
  osdear__str name, word;
  osdear_status st = OSDEAR_OK;

  while (!st && osdear__needs_next(&at, &name, &word)) {
    AUTO(container) container = NULL;

    st = osdear_container_get(u->engine, find_service(u, name)->container, &container, error);
    if (!st)
      st = osdear__member_await(u->engine, osdear_container_id(container), word, u->deadline, error);
    if (st)
      st = osdear__fail_within(error, st, "it waits for `%.*s`", (int)name.size, name.data);
  }
  return st;
}

static osdear_status bring_up(const up *u, const service *s, const osdear__members *members, osdear_error **error)
{
  AUTO(container) container = NULL;
  const osdear__member *kept = NULL;
  const char *image = "";
  osdear_status st = fetch_image(u, s, &image, error);

  if (!st)
    st = await_needs(u, s, error);
  if (!st)
    st = clear_way(u, s, image, members, &kept, error);
  /* One that did what it was for is not run again. */
  if (!st && kept && kept->status.state == OSDEAR_CONTAINER_EXITED && kept->status.exit_code == 0 && !kept->will_restart)
    return OSDEAR_OK;
  if (!st)
    st = kept ? osdear__container_of(u->engine, osdear__str_of(kept->id), &container, error)
              : make_container(u, s, image, &container, error);
  if (!st && kept && kept->status.state == OSDEAR_CONTAINER_PAUSED)
    return osdear_container_unpause(container, error);
  return st ? st : osdear_container_start(container, error);
}

static osdear_status drop_others(const up *u, osdear_error **error)
{
  const char **names = osdear__arena_zeroed(u->arena, u->spec.service_count, sizeof *names);

  if (!names)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < u->spec.service_count; i++)
    names[i] = u->services[i].name;
  return osdear__members_drop(u->engine, u->spec.name, names, u->spec.service_count, error);
}

static osdear_status bring_all_up(const up *u, osdear_error **error)
{
  osdear__members members;
  osdear_status st = OSDEAR_OK;

  /* First, because what was dropped may hold a port that another service takes over. */
  if (!u->options.keep_dropped)
    st = drop_others(u, error);
  if (!st)
    st = osdear__members_find(u->engine, u->spec.name, u->arena, &members, error);
  if (!st)
    st = make_objects(u, error);
  for (size_t i = 0; !st && i < u->spec.service_count; i++) {
    const service *s = &u->services[u->order[i]];
    st = bring_up(u, s, &members, error);
    if (st)
      st = osdear__fail_within(error, st, "service `%s` of stack `%s`", s->name, u->spec.name);
  }
  return st ? st : osdear__members_await(u->engine, u->spec.name, true, u->deadline, error);
}

/* What was not there before is not left behind half-made. */
static void tear_down(const up *u)
{
  AUTO(engine) tidying = NULL;
  AUTO(error) failure = NULL;
  osdear_status st = osdear__engine_for_tidying(u->engine, OSDEAR__STACK_TIDYING_MS, &tidying, &failure);

  if (!st)
    st = osdear__members_remove(tidying, u->spec.name, false, &failure);
  if (st)
    osdear__log(u->engine->context, OSDEAR_LOG_WARNING, "container", "stack %s: something is left behind: %s", u->spec.name,
                osdear_error_message(failure));
}

static osdear_status read_given(up *u, const osdear_stack_spec *spec, const osdear_stack_options *options, osdear_error **error)
{
  osdear_status st = osdear__options_read(&u->spec, sizeof u->spec, spec, error);

  if (!st)
    st = osdear__options_read(&u->options, sizeof u->options, options, error);
  if (!st &&
      (u->options.pull < OSDEAR_STACK_PULL_MISSING || u->options.pull > OSDEAR_STACK_PULL_NEVER || u->options.timeout_ms < 0))
    st =
        osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack: pull is %" PRId32 ", timeout_ms %" PRId64 ": one of them makes no sense",
                     u->options.pull, u->options.timeout_ms);
  u->deadline = osdear__stack_deadline(u->options.timeout_ms);
  return st ? st : prepare(u, error);
}

osdear_status osdear_stack_up(osdear_engine *engine, const osdear_stack_spec *spec, const osdear_stack_options *options,
                              osdear_stack **out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  AUTO(stack) made = NULL;
  up u = { .engine = engine, .arena = &arena, .spec = OSDEAR_STACK_SPEC_INIT, .options = OSDEAR_STACK_OPTIONS_INIT };
  osdear__members before;
  int64_t id = 0;
  bool is_wanted_up;
  osdear_status st;

  if (!engine || !spec)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and spec must not be NULL");
  st = read_given(&u, spec, options, error);
  if (!st && engine->portainer)
    st = osdear__portainer_stack_find(engine, u.spec.name, 0, &id, &is_wanted_up, error);
  if (!st && id)
    st = osdear__fail(error, OSDEAR_ERR_EXISTS, "the stack `%s` is Portainer's: update it there, or take another name",
                      u.spec.name);
  if (!st)
    st = osdear__members_find(engine, u.spec.name, &arena, &before, error);
  if (!st)
    st = osdear__stack_of(engine, u.spec.name, 0, &made, error);
  if (st)
    return st;
  st = bring_all_up(&u, error);
  if (st && before.count == 0)
    tear_down(&u);
  if (st)
    return st;
  if (out) {
    *out = made;
    made = NULL;
  }
  return OSDEAR_OK;
}
