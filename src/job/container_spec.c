/* A spec for a container, as the container layer wants it. */
#include <job/container_runner.h>

const osdear__spec_member osdear__container_members[] = {
  { "name", SPEC_TEXT },         { "image", SPEC_TEXT },       { "command", SPEC_TEXTS },    { "entrypoint", SPEC_TEXTS },
  { "environment", SPEC_PAIRS }, { "labels", SPEC_PAIRS },     { "mounts", SPEC_OBJECTS },   { "ports", SPEC_OBJECTS },
  { "networks", SPEC_TEXTS },    { "gpus", SPEC_INT },         { "memory_bytes", SPEC_INT }, { "cpu_milli", SPEC_INT },
  { "pids", SPEC_INT },          { "shm_bytes", SPEC_INT },    { "user", SPEC_TEXT },        { "folder", SPEC_TEXT },
  { "hostname", SPEC_TEXT },     { "stop_signal", SPEC_TEXT }, { "cap_add", SPEC_TEXTS },    { "cap_drop", SPEC_TEXTS },
  { "init", SPEC_BOOL },         { "read_only", SPEC_BOOL },   { "privileged", SPEC_BOOL },  { "platform", SPEC_TEXT },
  { "extra", SPEC_OBJECT },      { "pull", SPEC_TEXT },        { "grace_ms", SPEC_INT },     { NULL, SPEC_TEXT },
};
static const osdear__spec_member mount_members[] = {
  { "source", SPEC_TEXT }, { "target", SPEC_TEXT }, { "read_only", SPEC_BOOL }, { NULL, SPEC_TEXT }
};
static const osdear__spec_member port_members[] = { { "container_port", SPEC_INT },
                                                    { "host_port", SPEC_INT },
                                                    { "host_ip", SPEC_TEXT },
                                                    { "protocol", SPEC_TEXT },
                                                    { NULL, SPEC_TEXT } };

static osdear_status check_each(const osdear__json *spec, const char *name, const char *what, const osdear__spec_member *members,
                                osdear_error **error)
{
  const osdear__json *list = osdear__json_get(spec, name);
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; list && !st && i < list->count; i++)
    st = osdear__spec_check(&list->items[i], what, members, error);
  return st;
}

osdear_status osdear__container_check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  const char *image = osdear__json_text(spec, "image"), *pull = osdear__json_text(spec, "pull");
  osdear_status st;

  if (!image || !image[0])
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s names its \"image\"", runner->kind->what);
  if (pull && strcmp(pull, "missing") != 0 && strcmp(pull, "always") != 0 && strcmp(pull, "never") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"pull\" is missing, always or never, not \"%s\"", pull);
  if (osdear__json_int(spec, "grace_ms", 0) > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"grace_ms\" is longer than any grace");
  st = check_each(spec, "mounts", "a mount", mount_members, error);
  return st ? st : check_each(spec, "ports", "a port", port_members, error);
}

/* ---- lists ---- */

/* Room for the items of a list of the spec; NULL where it is empty or missing. */
static void *items_of(const osdear__json *list, size_t size, osdear__arena *arena, size_t *count, bool *failed)
{
  void *items;

  *count = list ? list->count : 0;
  if (!*count)
    return NULL;
  items = osdear__arena_zeroed(arena, *count, size);
  *failed |= items == NULL;
  return items;
}

static const char *const *texts_of(const osdear__json *list, osdear__arena *arena, size_t *count, bool *failed)
{
  const char **items = items_of(list, sizeof *items, arena, count, failed);

  for (size_t i = 0; items && i < *count; i++)
    items[i] = list->items[i].text.data;
  return items;
}

static const osdear_pair *pairs_of(const osdear__json *list, osdear__arena *arena, size_t *count, bool *failed)
{
  osdear_pair *items = items_of(list, sizeof *items, arena, count, failed);

  for (size_t i = 0; items && i < *count; i++)
    items[i] = (osdear_pair){ list->keys[i].data, list->items[i].text.data };
  return items;
}

static const osdear_mount *mounts_of(const osdear__json *list, osdear__arena *arena, size_t *count, bool *failed)
{
  osdear_mount *items = items_of(list, sizeof *items, arena, count, failed);

  for (size_t i = 0; items && i < *count; i++)
    items[i] = (osdear_mount){ osdear__json_text(&list->items[i], "source"), osdear__json_text(&list->items[i], "target"),
                               osdear__json_flag(&list->items[i], "read_only", false) };
  return items;
}

static int32_t to_i32(int64_t value)
{
  return value > INT32_MAX ? INT32_MAX : (int32_t)value; /* which the container layer refuses by name where it is too much */
}

static const osdear_port *ports_of(const osdear__json *list, osdear__arena *arena, size_t *count, bool *failed)
{
  osdear_port *items = items_of(list, sizeof *items, arena, count, failed);

  for (size_t i = 0; items && i < *count; i++)
    items[i] = (osdear_port){ to_i32(osdear__json_int(&list->items[i], "container_port", 0)),
                              to_i32(osdear__json_int(&list->items[i], "host_port", 0)),
                              osdear__json_text(&list->items[i], "host_ip"), osdear__json_text(&list->items[i], "protocol") };
  return items;
}

static const osdear_network *networks_of(const osdear__json *list, osdear__arena *arena, size_t *count, bool *failed)
{
  osdear_network *items = items_of(list, sizeof *items, arena, count, failed);

  for (size_t i = 0; items && i < *count; i++)
    items[i] = (osdear_network){ list->items[i].text.data, NULL };
  return items;
}

static const char *extra_of(const osdear__json *spec, osdear__arena *arena, bool *failed)
{
  const osdear__json *extra = osdear__json_get(spec, "extra");
  SCOPED(buf) text = { 0 };
  const char *kept;

  if (!extra)
    return NULL;
  osdear__json_put_value(&text, extra);
  kept = text.failed || !text.data ? NULL : osdear__arena_strdup(arena, text.data);
  *failed |= kept == NULL;
  return kept;
}

osdear_status osdear__container_describe(const osdear__json *spec, osdear__arena *arena, osdear_container_spec *out,
                                         osdear_error **error)
{
  bool failed = false;

  out->image = osdear__json_text(spec, "image");
  out->command = texts_of(osdear__json_get(spec, "command"), arena, &out->command_count, &failed);
  out->entrypoint = texts_of(osdear__json_get(spec, "entrypoint"), arena, &out->entrypoint_count, &failed);
  out->environment = pairs_of(osdear__json_get(spec, "environment"), arena, &out->environment_count, &failed);
  out->labels = pairs_of(osdear__json_get(spec, "labels"), arena, &out->label_count, &failed);
  out->mounts = mounts_of(osdear__json_get(spec, "mounts"), arena, &out->mount_count, &failed);
  out->ports = ports_of(osdear__json_get(spec, "ports"), arena, &out->port_count, &failed);
  out->networks = networks_of(osdear__json_get(spec, "networks"), arena, &out->network_count, &failed);
  out->gpus = to_i32(osdear__json_int(spec, "gpus", 0));
  out->memory_bytes = osdear__json_int(spec, "memory_bytes", 0);
  out->cpu_milli = osdear__json_int(spec, "cpu_milli", 0);
  out->pids = osdear__json_int(spec, "pids", 0);
  out->shm_bytes = osdear__json_int(spec, "shm_bytes", 0);
  out->user = osdear__json_text(spec, "user");
  out->folder = osdear__json_text(spec, "folder");
  out->hostname = osdear__json_text(spec, "hostname");
  out->stop_signal = osdear__json_text(spec, "stop_signal");
  out->cap_add = texts_of(osdear__json_get(spec, "cap_add"), arena, &out->cap_add_count, &failed);
  out->cap_drop = texts_of(osdear__json_get(spec, "cap_drop"), arena, &out->cap_drop_count, &failed);
  out->init = osdear__json_flag(spec, "init", false);
  out->read_only = osdear__json_flag(spec, "read_only", false);
  out->privileged = osdear__json_flag(spec, "privileged", false);
  out->platform = osdear__json_text(spec, "platform");
  out->extra_json = extra_of(spec, arena, &failed);
  return failed ? osdear__fail_memory(error) : OSDEAR_OK;
}
