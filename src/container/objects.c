/* What an engine holds, of whatever kind: looked at, listed, made, removed, pruned. */
#include <container/container.h>

enum { ID_SIZE = OSDEAR__ID_ROOM - 1 };

typedef struct kind_paths {
  const char *folder;  /* "/containers" */
  const char *inspect; /* behind the name */
  const char *list;
  const char *keep; /* characters of a name that are not encoded */
} kind_paths;

static const kind_paths kinds[] = {
  [OSDEAR_CONTAINERS] = { "/containers/", "/json", "/containers/json?all=1", "" },
  [OSDEAR_IMAGES] = { "/images/", "/json", "/images/json?all=0", "/:@" },
  [OSDEAR_NETWORKS] = { "/networks/", "", "/networks?dangling=", "" },
  [OSDEAR_VOLUMES] = { "/volumes/", "", "/volumes?dangling=", "" },
};

static osdear_status check_kind(const osdear_engine *engine, osdear_object_kind kind, osdear_error **error)
{
  if (!engine)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine must not be NULL");
  if (kind < 0 || (size_t)kind >= COUNT_OF(kinds))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "kind %" PRId32 ": give OSDEAR_CONTAINERS, _IMAGES, _NETWORKS or _VOLUMES",
                        kind);
  return OSDEAR_OK;
}

static osdear_status check_name(const char *name, osdear_error **error)
{
  if (!name || !*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a name is missing");
  return OSDEAR_OK;
}

static osdear_status check_filters(const osdear_pair *filters, size_t count, osdear_error **error)
{
  for (size_t i = 0; i < count; i++)
    if (!filters || !filters[i].key || !filters[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "filter %zu has no name or no value", i);
  return OSDEAR_OK;
}

static osdear_status take_text(osdear__http_response *response, char **out, osdear_error **error)
{
  char *text = response->body.data ? osdear__buf_take(&response->body) : osdear__strdup("");

  if (!text)
    return osdear__fail_memory(error);
  *out = text;
  return OSDEAR_OK;
}

static osdear_status inspect_path(osdear_object_kind kind, const char *name, osdear__buf *out, osdear_error **error)
{
  osdear__buf_puts(out, kinds[kind].folder);
  osdear__put_name(out, name, kinds[kind].keep);
  osdear__buf_puts(out, kinds[kind].inspect);
  return osdear__buf_check(out, error);
}

static bool is_id(const char *name)
{
  return strlen(name) == ID_SIZE && strspn(name, "0123456789abcdef") == ID_SIZE;
}

osdear_status osdear__engine_id(osdear_engine *engine, osdear_object_kind kind, const char *name, osdear__arena *arena,
                                const char **out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .missing_is_fine = true };
  const osdear__json *tree = NULL;
  const char *id;
  osdear_status st;

  *out = name;
  if (!engine->portainer || (kind != OSDEAR_CONTAINERS && kind != OSDEAR_NETWORKS) || is_id(name))
    return OSDEAR_OK;
  st = inspect_path(kind, name, &path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_ask(engine, &request, arena, &tree, error);
  id = st ? NULL : osdear__json_text(tree, "Id");
  if (id && is_id(id))
    *out = id;
  return st;
}

osdear_status osdear_engine_inspect(osdear_engine *engine, osdear_object_kind kind, const char *name, char **json,
                                    osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { 0 };
  osdear_status st = check_kind(engine, kind, error);

  if (!st)
    st = check_name(name, error);
  if (!st && !json)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "json must not be NULL");
  if (st)
    return st;
  st = inspect_path(kind, name, &path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_send(engine, &request, &response, error);
  return st ? st : take_text(&response, json, error);
}

/* Volumes come wrapped: {"Volumes":[…]}, or null for none. */
static osdear_status unwrap_volumes(osdear__http_response *response, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *tree = NULL;
  const osdear__json *volumes;
  osdear_status st = osdear__json_read((osdear__str){ response->body.data ? response->body.data : "", response->body.size },
                                       "/volumes", &arena, &tree, error);

  if (st)
    return st;
  volumes = osdear__json_get(tree, "Volumes");
  osdear__buf_clear(&response->body);
  if (volumes && volumes->kind == JSON_IS_ARRAY)
    osdear__json_put_value(&response->body, volumes);
  else
    osdear__buf_puts(&response->body, "[]");
  return osdear__buf_check(&response->body, error);
}

osdear_status osdear_engine_list(osdear_engine *engine, osdear_object_kind kind, const osdear_pair *filters, size_t filter_count,
                                 char **json, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { 0 };
  osdear_status st = check_kind(engine, kind, error);

  if (!st)
    st = check_filters(filters, filter_count, error);
  if (!st && !json)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "json must not be NULL");
  if (st)
    return st;
  osdear__buf_puts(&path, kinds[kind].list);
  osdear__put_filters(&path, '&', filters, filter_count);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_send(engine, &request, &response, error);
  if (!st && kind == OSDEAR_VOLUMES)
    st = unwrap_volumes(&response, error);
  return st ? st : take_text(&response, json, error);
}

osdear_status osdear_engine_remove(osdear_engine *engine, osdear_object_kind kind, const char *name,
                                   const osdear_remove_options *options, osdear_error **error)
{
  osdear_remove_options known = OSDEAR_REMOVE_OPTIONS_INIT;
  SCOPED(http_response) response = { 0 };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "DELETE" };
  osdear_status st = check_kind(engine, kind, error);

  if (!st)
    st = check_name(name, error);
  if (!st)
    st = osdear__options_read(&known, sizeof known, options, error);
  if (!st)
    st = osdear__engine_id(engine, kind, name, &arena, &name, error);
  if (st)
    return st;
  osdear__buf_puts(&path, kinds[kind].folder);
  osdear__put_name(&path, name, kinds[kind].keep);
  if (kind != OSDEAR_NETWORKS)
    osdear__buf_printf(&path, "?force=%d", known.force != 0);
  if (kind == OSDEAR_CONTAINERS)
    osdear__buf_printf(&path, "&v=%d", known.volumes != 0);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  request.missing_is_fine = known.missing != 0;
  return st ? st : osdear__engine_send(engine, &request, &response, error);
}

osdear_status osdear_engine_prune(osdear_engine *engine, osdear_object_kind kind, const osdear_pair *filters, size_t filter_count,
                                  char **json, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "POST", .repeat = true };
  osdear_status st = check_kind(engine, kind, error);

  if (!st)
    st = check_filters(filters, filter_count, error);
  if (st)
    return st;
  osdear__buf_printf(&path, "%sprune", kinds[kind].folder);
  osdear__put_filters(&path, '?', filters, filter_count);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__engine_send(engine, &request, &response, error);
  return st || !json ? st : take_text(&response, json, error);
}

/* ---- networks and volumes ---- */

static osdear_status print_object(const char *name, bool is_network, const osdear_object_options *options, osdear__buf *out,
                                  osdear_error **error)
{
  osdear__buf_puts(out, "{\"Name\":");
  osdear__json_put_string(out, osdear__str_of(name));
  if (options->driver) {
    osdear__buf_puts(out, ",\"Driver\":");
    osdear__json_put_string(out, osdear__str_of(options->driver));
  }
  osdear__buf_puts(out, is_network ? ",\"Options\":" : ",\"DriverOpts\":");
  osdear__json_put_pairs(out, options->options, options->option_count);
  osdear__buf_puts(out, ",\"Labels\":");
  osdear__json_put_pairs(out, options->labels, options->label_count);
  /* Engines before 1.44 let two networks have one name unless they are told to look. */
  if (is_network)
    osdear__buf_printf(out, ",\"CheckDuplicate\":true,\"Internal\":%s", options->internal ? "true" : "false");
  osdear__buf_putc(out, '}');
  return osdear__buf_check(out, error);
}

static osdear_status read_object_options(const char *name, const osdear_object_options *given, osdear_object_options *known,
                                         osdear_error **error)
{
  osdear_status st = check_name(name, error);

  if (!st)
    st = osdear__options_read(known, sizeof *known, given, error);
  if (!st)
    st = check_filters(known->options, known->option_count, error);
  return st ? st : check_filters(known->labels, known->label_count, error);
}

/* Engines that find it there say so with numbers of their own; the words are understood in answer.c. */
static osdear_status create_object(osdear_engine *engine, const char *path, const char *name, bool is_network,
                                   const osdear_object_options *options, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__engine_request request = { .method = "POST", .path = path };
  osdear_status st = print_object(name, is_network, options, &body, error);

  request.body = body.data;
  if (!st)
    st = osdear__engine_send(engine, &request, &response, error);
  if (st == OSDEAR_ERR_CONFLICT && response.status == 409)
    st = osdear__fail_because(error, OSDEAR_ERR_EXISTS, "the name `%s` is taken", name);
  if (st == OSDEAR_ERR_EXISTS && options->if_not_exists) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  return st;
}

osdear_status osdear_engine_network_create(osdear_engine *engine, const char *name, const osdear_object_options *options,
                                           osdear_error **error)
{
  osdear_object_options known = OSDEAR_OBJECT_OPTIONS_INIT;
  osdear_status st = check_kind(engine, OSDEAR_NETWORKS, error);

  if (!st)
    st = read_object_options(name, options, &known, error);
  return st ? st : create_object(engine, "/networks/create", name, true, &known, error);
}

osdear_status osdear_engine_volume_create(osdear_engine *engine, const char *name, const osdear_object_options *options,
                                          osdear_error **error)
{
  osdear_object_options known = OSDEAR_OBJECT_OPTIONS_INIT;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request look = { .missing_is_fine = true };
  osdear_status st = check_kind(engine, OSDEAR_VOLUMES, error);

  if (!st)
    st = read_object_options(name, options, &known, error);
  if (st)
    return st;
  /* Docker takes the making of a volume that is there for a wish that came true. */
  osdear__buf_puts(&path, "/volumes/");
  osdear__put_name(&path, name, "");
  st = osdear__buf_check(&path, error);
  look.path = path.data;
  if (!st)
    st = osdear__engine_send(engine, &look, &response, error);
  if (st || (response.status == 200 && known.if_not_exists))
    return st;
  if (response.status == 200)
    return osdear__fail(error, OSDEAR_ERR_EXISTS, "there is a volume `%s` already", name);
  return create_object(engine, "/volumes/create", name, false, &known, error);
}
