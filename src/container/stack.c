/* Stacks of any engine: found, listed, started, stopped, removed, waited for. Portainer's own calls are in portainer_stack.c. */
#include <container/stack.h>

#include <stdlib.h>

#define MOST_NAME 128

/* ---- handles ---- */

osdear_status osdear__stack_check_name(const char *name, osdear_error **error)
{
  size_t size = name ? strlen(name) : 0;

  if (size && size <= MOST_NAME && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == size && *name != '-' && *name != '_')
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                      "`%.40s` names no stack: use a-z, 0-9, `-` and `_`, %d at most, a letter or digit first", name ? name : "",
                      MOST_NAME);
}

int64_t osdear__stack_deadline(int64_t timeout_ms)
{
  return osdear__monotonic_us() + (timeout_ms ? timeout_ms : OSDEAR__STACK_TIMEOUT_MS) * 1000;
}

osdear_status osdear__stack_of(osdear_engine *engine, const char *name, int64_t id, osdear_stack **out, osdear_error **error)
{
  AUTO(stack) made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  made->engine = osdear_engine_ref(engine);
  made->id = id;
  made->name = osdear__strdup(name);
  if (!made->name)
    return osdear__fail_memory(error);
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

void osdear_stack_free(osdear_stack *stack)
{
  if (!stack)
    return;
  osdear_engine_unref(stack->engine);
  osdear__free(stack->name);
  osdear__free(stack);
}

void osdear__stack_auto(osdear_stack **stack)
{
  osdear_stack_free(*stack);
}

const char *osdear_stack_name(const osdear_stack *stack)
{
  return stack->name;
}

/* Whether anything carries the label: a stack may be nothing but its volumes. */
static osdear_status has_objects(osdear_engine *engine, const char *name, bool *is_there, osdear_error **error)
{
  static const osdear_object_kind kinds[] = { OSDEAR_CONTAINERS, OSDEAR_NETWORKS, OSDEAR_VOLUMES };
  SCOPED(buf) label = { 0 };
  osdear_pair filter = { "label", NULL };
  osdear_status st;

  osdear__buf_printf(&label, OSDEAR__LABEL_PROJECT "=%s", name);
  st = osdear__buf_check(&label, error);
  filter.value = label.data;
  *is_there = false;
  for (size_t i = 0; !st && !*is_there && i < COUNT_OF(kinds); i++) {
    char *json = NULL;
    st = osdear_engine_list(engine, kinds[i], &filter, 1, &json, error);
    *is_there = !st && strchr(json, '{') != NULL;
    osdear_text_free(json);
  }
  return st;
}

osdear_status osdear_stack_get(osdear_engine *engine, const char *name, osdear_stack **out, osdear_error **error)
{
  bool is_wanted_up, is_there = false;
  int64_t id = 0;
  osdear_status st;

  if (!engine || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and out must not be NULL");
  st = osdear__stack_check_name(name, error);
  if (!st && engine->portainer)
    st = osdear__portainer_stack_find(engine, name, 0, &id, &is_wanted_up, error);
  if (!st && !id)
    st = has_objects(engine, name, &is_there, error);
  if (!st && !id && !is_there)
    st = osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "engine %s has no stack `%s`", engine->address, name);
  return st ? st : osdear__stack_of(engine, name, id, out, error);
}

/* ---- lists ---- */

/* Entries are gathered in an arena, by name, and then copied into one block. */
typedef struct gathering {
  osdear__arena *arena;
  osdear__map names;
  osdear_stack_entry *items;
  size_t capacity, count;
} osdear__gathering;

static void osdear__gathering_drop(osdear__gathering *g)
{
  osdear__map_drop(&g->names);
}

static osdear_stack_entry *entry_of(osdear__gathering *g, osdear__str name)
{
  bool is_new;
  osdear__map_entry *found = osdear__map_add(&g->names, name, &is_new);

  if (!found || g->count > g->capacity)
    return NULL;
  if (is_new) {
    g->items[g->count].name = name.data;
    g->items[g->count].is_wanted_up = 1;
    found->value = &g->items[g->count++];
  }
  return found->value;
}

static osdear_status gather(osdear_engine *engine, osdear__gathering *g, osdear_error **error)
{
  static const osdear__engine_request request = {
    .path = "/containers/json?all=1&filters=%7B%22label%22%3A%5B%22com.docker.compose.project%22%5D%7D"
  };
  const osdear__json *containers = NULL, *rows = NULL;
  osdear_status st = osdear__engine_ask(engine, &request, g->arena, &containers, error);

  if (!st && engine->portainer)
    st = osdear__portainer_stacks(engine, g->arena, &rows, error);
  if (st)
    return st;
  g->capacity = (containers && containers->kind == JSON_IS_ARRAY ? containers->count : 0) + (rows ? rows->count : 0);
  g->items = osdear__arena_zeroed(g->arena, g->capacity + 1, sizeof *g->items);
  if (!g->items)
    return osdear__fail_memory(error);
  for (size_t i = 0; containers && containers->kind == JSON_IS_ARRAY && i < containers->count; i++) {
    const osdear__json *item = &containers->items[i], *labels = osdear__json_get(item, "Labels");
    osdear_stack_entry *entry = entry_of(g, osdear__json_str(labels, OSDEAR__LABEL_PROJECT));
    if (!entry)
      return osdear__fail_memory(error);
    entry->containers++;
    entry->running += osdear__state_of(osdear__json_str(item, "State")) == OSDEAR_CONTAINER_RUNNING;
  }
  for (size_t i = 0; rows && i < rows->count; i++) {
    int64_t id = osdear__json_int(&rows->items[i], "Id", 0);
    osdear_stack_entry *entry = entry_of(g, osdear__json_str(&rows->items[i], "Name"));
    if (!entry)
      return osdear__fail_memory(error);
    if (entry->id && entry->id < id)
      continue;
    entry->id = id;
    entry->is_wanted_up = osdear__portainer_row_is_active(&rows->items[i]);
  }
  return OSDEAR_OK;
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const osdear_stack_entry *)a)->name, ((const osdear_stack_entry *)b)->name);
}

static osdear_stack_entry *copy_entries(const osdear__gathering *g)
{
  size_t bytes = g->count * sizeof(osdear_stack_entry);
  osdear_stack_entry *entries;
  char *at;

  for (size_t i = 0; i < g->count; i++)
    bytes += strlen(g->items[i].name) + 1;
  entries = osdear__alloc(bytes);
  if (!entries)
    return NULL;
  memcpy(entries, g->items, g->count * sizeof *entries);
  at = (char *)(entries + g->count);
  for (size_t i = 0; i < g->count; i++) {
    size_t size = strlen(g->items[i].name) + 1;
    memcpy(at, g->items[i].name, size);
    entries[i].name = at;
    at += size;
  }
  return entries;
}

osdear_status osdear_stack_list(osdear_engine *engine, osdear_stack_entry **out, size_t *count, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(gathering) g = { .arena = &arena };
  osdear_stack_entry *entries = NULL;
  osdear_status st;

  if (!engine || !out || !count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine, out and count must not be NULL");
  st = gather(engine, &g, error);
  if (st)
    return st;
  if (g.count) {
    qsort(g.items, g.count, sizeof *g.items, by_name);
    entries = copy_entries(&g);
    if (!entries)
      return osdear__fail_memory(error);
  }
  *out = entries;
  *count = g.count;
  return OSDEAR_OK;
}

void osdear_stack_entries_free(osdear_stack_entry *entries)
{
  osdear__free(entries);
}

/* ---- how it is ---- */

osdear_status osdear_stack_status(osdear_stack *stack, osdear_stack_status_result *result, osdear_error **error)
{
  osdear_stack_status_result known = OSDEAR_STACK_STATUS_RESULT_INIT;
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  bool is_wanted_up = true;
  osdear_status st = OSDEAR_OK;

  if (!stack || !result)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack and result must not be NULL");
  if (stack->engine->portainer)
    st = osdear__portainer_stack_find(stack->engine, stack->name, 0, &known.id, &is_wanted_up, error);
  if (!st)
    st = osdear__members_find(stack->engine, stack->name, &arena, &members, error);
  if (st)
    return st;
  known.is_wanted_up = is_wanted_up;
  known.containers = (int32_t)members.count;
  for (size_t i = 0; i < members.count; i++) {
    const osdear_container_status_result *status = &members.items[i].status;
    bool runs = status->state == OSDEAR_CONTAINER_RUNNING && !members.items[i].is_restarting;

    known.running += runs;
    known.ready += runs && (status->health == OSDEAR_HEALTH_NONE || status->health == OSDEAR_HEALTH_HEALTHY);
    known.failed += status->state == OSDEAR_CONTAINER_EXITED && status->exit_code != 0;
  }
  return osdear__result_write(result, &known, sizeof known, error);
}

osdear_status osdear_stack_verify(osdear_stack *stack, int32_t up, int64_t timeout_ms, osdear_error **error)
{
  if (!stack || timeout_ms < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack must not be NULL, timeout_ms not negative");
  return osdear__members_await(stack->engine, stack->name, up != 0, osdear__monotonic_us() + timeout_ms * 1000, error);
}

/* ---- what is done to it ---- */

static osdear_status check(const osdear_stack *stack, int64_t timeout_ms, osdear_error **error)
{
  if (!stack || timeout_ms < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "stack must not be NULL, timeout_ms not negative");
  return OSDEAR_OK;
}

osdear_status osdear_stack_start(osdear_stack *stack, int64_t timeout_ms, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  int64_t deadline = osdear__stack_deadline(timeout_ms > 0 ? timeout_ms : 0);
  osdear_status st = check(stack, timeout_ms, error);

  if (!st && stack->id)
    return osdear__portainer_stack_start(stack, deadline, error);
  if (!st)
    st = osdear__members_find(stack->engine, stack->name, &arena, &members, error);
  if (!st)
    st = osdear__members_start(stack->engine, &members, deadline, error);
  return st ? st : osdear__members_await(stack->engine, stack->name, true, deadline, error);
}

osdear_status osdear_stack_stop(osdear_stack *stack, int64_t timeout_ms, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__members members;
  int64_t deadline = osdear__stack_deadline(timeout_ms > 0 ? timeout_ms : 0);
  osdear_status st = check(stack, timeout_ms, error);

  if (!st && stack->id)
    return osdear__portainer_stack_stop(stack, deadline, error);
  if (!st)
    st = osdear__members_find(stack->engine, stack->name, &arena, &members, error);
  if (!st)
    st = osdear__members_stop(stack->engine, &members, false, error);
  return st ? st : osdear__members_await(stack->engine, stack->name, false, deadline, error);
}

osdear_status osdear_stack_remove(osdear_stack *stack, int32_t volumes, osdear_error **error)
{
  osdear_status st = check(stack, 0, error);

  if (!st && stack->id)
    st = osdear__portainer_stack_delete(stack->engine, stack->id, error);
  return st ? st : osdear__members_remove(stack->engine, stack->name, volumes != 0, error);
}
