/* A container's own output and input, further commands in it, and what it uses. */
#include <container/container.h>

static const osdear__http_header upgrade_headers[] = {
  { "Connection", "Upgrade" },
  { "Upgrade", "tcp" },
  { "Content-Type", "application/json" },
};

static osdear_status refuse_portainer(const osdear_engine *engine, const char *what, osdear_error **error)
{
  /* Measured: the answer is 101, and then no byte comes. */
  if (!engine->portainer)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                      "%s does not work through Portainer, whose proxy passes no such connection on", what);
}

/* Takes the connection over: output and input at once. */
static osdear_status take_over(osdear_engine_stream *stream, const char *path, const char *body, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) url = { 0 };
  osdear__http_request request = { .method = "POST", .headers = upgrade_headers, .header_count = COUNT_OF(upgrade_headers) };
  osdear_status st;

  osdear__buf_printf(&url, "%s%s", stream->engine->prefix, path);
  st = osdear__buf_check(&url, error);
  request.url = url.data;
  request.body = body;
  request.body_size = body ? strlen(body) : 0;
  if (!st)
    st = osdear__http_upgrade(stream->engine->client, stream->engine->context, &request, &response, &stream->tunnel, error);
  if (!st && !stream->tunnel)
    st = osdear__engine_fail(&response, error);
  return st;
}

osdear_status osdear_container_attach(osdear_container *container, osdear_engine_stream **out, osdear_error **error)
{
  AUTO(engine_stream) made = NULL;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear__json *tree;
  osdear_status st;

  if (!container || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and out must not be NULL");
  st = refuse_portainer(container->engine, "attaching", error);
  if (!st)
    st = osdear__container_inspect(container, &arena, &tree, error);
  if (!st)
    st = osdear__stream_new(container->engine, &made, error);
  if (st)
    return st;
  made->demux.is_raw = osdear__json_flag(osdear__json_get(tree, "Config"), "Tty", false);
  osdear__buf_printf(&path, "/containers/%s/attach?stream=1&stdin=1&stdout=1&stderr=1", container->id);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = take_over(made, path.data, NULL, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

/* ---- exec ---- */

static void put_exec(const char *const *command, size_t count, const osdear_exec_options *options, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"AttachStdout\":true,\"AttachStderr\":true,\"Cmd\":");
  osdear__json_put_texts(out, command, count);
  osdear__buf_printf(out, ",\"AttachStdin\":%s,\"Tty\":%s", options->open_stdin ? "true" : "false",
                     options->tty ? "true" : "false");
  if (options->user) {
    osdear__buf_puts(out, ",\"User\":");
    osdear__json_put_string(out, osdear__str_of(options->user));
  }
  if (options->folder) {
    osdear__buf_puts(out, ",\"WorkingDir\":");
    osdear__json_put_string(out, osdear__str_of(options->folder));
  }
  osdear__buf_puts(out, ",\"Env\":[");
  for (size_t i = 0; i < options->environment_count; i++) {
    SCOPED(buf) text = { 0 };
    osdear__buf_printf(&text, "%s=%s", options->environment[i].key, options->environment[i].value);
    if (text.failed)
      out->failed = text.failed;
    osdear__json_put_comma(out, &first);
    osdear__json_put_string(out, (osdear__str){ text.data ? text.data : "", text.size });
  }
  osdear__buf_puts(out, "]}");
}

static osdear_status create_exec(osdear_container *container, const char *const *command, size_t count,
                                 const osdear_exec_options *options, char **id, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__engine_request request = { .method = "POST" };
  const osdear__json *answer = NULL;
  osdear__str found;
  osdear_status st;

  osdear__buf_printf(&path, "/containers/%s/exec", container->id);
  put_exec(command, count, options, &body);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = osdear__buf_check(&body, error);
  request.path = path.data;
  request.body = body.data;
  if (!st)
    st = osdear__engine_ask(container->engine, &request, &arena, &answer, error);
  if (st == OSDEAR_ERR_CONFLICT)
    return osdear__fail_because(error, OSDEAR_ERR_STATE, "container %.12s does not run, or is paused", container->id);
  if (st)
    return st;
  found = osdear__json_str(answer, "Id");
  if (found.size == 0 || strspn(found.data, "0123456789abcdef") != found.size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "engine %s gives a command no id", container->engine->address);
  *id = osdear__strdup(found.data);
  return *id ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status start_exec(osdear_engine_stream *stream, bool tty, bool open_stdin, osdear_error **error)
{
  const char *body = tty ? "{\"Detach\":false,\"Tty\":true}" : "{\"Detach\":false,\"Tty\":false}";
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .method = "POST", .body = body, .is_quiet = true };
  osdear_status st;

  stream->demux.is_raw = tty;
  osdear__buf_printf(&path, "/exec/%s/start", stream->exec_id);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  request.path = path.data;
  return open_stdin ? take_over(stream, path.data, body, error)
                    : osdear__engine_pull(stream->engine, &request, &stream->reader, &response, error);
}

static osdear_status check_exec(osdear_container *container, const char *const *command, size_t count,
                                const osdear_exec_options *options, osdear_error **error)
{
  if (count == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "exec: there is no command");
  for (size_t i = 0; i < count; i++)
    if (!command || !command[i])
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "exec: word %zu of the command is NULL", i);
  for (size_t i = 0; i < options->environment_count; i++)
    if (!options->environment || !options->environment[i].key || !options->environment[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "exec: environment %zu has no name or no value", i);
  return options->open_stdin ? refuse_portainer(container->engine, "standard input", error) : OSDEAR_OK;
}

osdear_status osdear_container_exec(osdear_container *container, const char *const *command, size_t command_count,
                                    const osdear_exec_options *options, osdear_engine_stream **out, osdear_error **error)
{
  osdear_exec_options known = OSDEAR_EXEC_OPTIONS_INIT;
  AUTO(engine_stream) made = NULL;
  osdear_status st;

  if (!container || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (!st)
    st = check_exec(container, command, command_count, &known, error);
  if (!st)
    st = osdear__stream_new(container->engine, &made, error);
  if (!st)
    st = create_exec(container, command, command_count, &known, &made->exec_id, error);
  if (!st)
    st = start_exec(made, known.tty != 0, known.open_stdin != 0, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

/* ---- statistics ---- */

osdear_status osdear_container_stats(osdear_container *container, int32_t once, osdear_engine_stream **out, osdear_error **error)
{
  AUTO(engine_stream) made = NULL;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .is_quiet = true }; /* the first sample takes an engine some seconds */
  osdear_status st;

  if (!container || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container and out must not be NULL");
  osdear__buf_printf(&path, "/containers/%s/stats?stream=%d", container->id, once == 0);
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  if (!st)
    st = osdear__stream_new(container->engine, &made, error);
  if (st)
    return st;
  made->is_json = true;
  st = osdear__engine_pull(container->engine, &request, &made->reader, &response, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}
