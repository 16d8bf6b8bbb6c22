/* What is left of runs: found by labels, removed. */
#include <container/container.h>

static bool is_to_go(const osdear__json *container, const char *run_id)
{
  const osdear__json *labels = osdear__json_get(container, "Labels");

  if (run_id)
    return osdear__str_is(osdear__json_str(labels, OSDEAR__LABEL_RUN), run_id);
  if (osdear__json_get(labels, OSDEAR__LABEL_LASTING) && !osdear__str_is(osdear__json_str(container, "State"), "created"))
    return false;
  return osdear__owner_look(osdear__json_str(labels, OSDEAR__LABEL_OWNER)) == OWNER_DEAD;
}

osdear_status osdear__run_remove(osdear_engine *engine, const char *name, osdear_error **error)
{
  osdear_remove_options remove = OSDEAR_REMOVE_OPTIONS_INIT;
  osdear__patience patience = { 0 };
  osdear_status st = OSDEAR_ERR_UNAVAILABLE;

  remove.force = remove.volumes = remove.missing = 1;
  for (int attempt = 0; attempt < 200; attempt++) {
    st = osdear_engine_remove(engine, OSDEAR_CONTAINERS, name, &remove, error);
    /* CONFLICT: somebody is removing it already, and until that is done the name is taken. STATE: Podman is still busy with it. TIMEOUT: an
     * engine that hangs may go on. */
    if (st != OSDEAR_ERR_UNAVAILABLE && st != OSDEAR_ERR_TIMEOUT && st != OSDEAR_ERR_CONFLICT && st != OSDEAR_ERR_STATE)
      return st;
    if (osdear__patience_wait(&patience, engine, NULL) != OSDEAR_OK)
      return st;
    osdear__error_forget(error);
  }
  return st;
}

static bool is_leftover(const osdear__json *entry, const char *name)
{
  const osdear__json *names = osdear__json_list(entry, "Names"), *command = osdear__json_list(entry, "Command");

  if (!osdear__str_is(osdear__json_str(entry, "State"), "storage") || !command || command->count != 1 ||
      command->items[0].kind != JSON_IS_STRING || !osdear__str_is(command->items[0].text, "storage"))
    return false; /* a container, or Buildah's work */
  for (size_t i = 0; names && i < names->count; i++)
    if (names->items[i].kind == JSON_IS_STRING && osdear__str_is(names->items[i].text, name))
      return true;
  return false;
}

osdear_status osdear__leftover_find(osdear_engine *engine, const char *name, char id[OSDEAR__ID_ROOM], osdear_error **error)
{
  static const osdear__engine_request request = { .path = "/libpod/containers/json?all=true&external=true" };
  SCOPED(arena) arena = { 0 };
  const osdear__json *all = NULL;
  osdear_status st = osdear__engine_ask(engine, &request, &arena, &all, error);

  id[0] = '\0';
  for (size_t i = 0; !st && all && all->kind == JSON_IS_ARRAY && i < all->count; i++) {
    osdear__str its_id = osdear__json_str(&all->items[i], "Id");
    if (is_leftover(&all->items[i], name) && its_id.size < OSDEAR__ID_ROOM) {
      memcpy(id, its_id.data, its_id.size);
      id[its_id.size] = '\0';
      break;
    }
  }
  return st;
}

osdear_status osdear_container_sweep(osdear_engine *engine, const char *run_id, int32_t *removed, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear_pair filter = { "label", OSDEAR__LABEL_RUN };
  osdear__engine_request request = { 0 };
  const osdear__json *all = NULL;
  int32_t count = 0;
  osdear_status st;

  if (!engine)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine must not be NULL");
  osdear__buf_puts(&path, "/containers/json?all=1");
  osdear__put_filters(&path, '&', &filter, 1);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_ask(engine, &request, &arena, &all, error);
  for (size_t i = 0; !st && all && all->kind == JSON_IS_ARRAY && i < all->count; i++)
    if (is_to_go(&all->items[i], run_id) && osdear__json_str(&all->items[i], "Id").size) {
      st = osdear__run_remove(engine, osdear__json_str(&all->items[i], "Id").data, error);
      count += st == OSDEAR_OK;
    }
  if (!st && removed)
    *removed = count;
  return st;
}
