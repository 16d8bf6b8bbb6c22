/* Opening an engine: the way there, and a version of the API that both sides know. */
#include <container/container.h>

#include <stdio.h>
#include <unistd.h>

/* What this library was written against. An engine takes any version between its lowest and its own. */
#define OLDEST_MINOR 41
#define NEWEST_MINOR 51
#define DEFAULT_TIMEOUT_MS 60000

/* An engine's 500 is its last word. Where something stands before the engine, that may be passing. */
static osdear__http_verdict judge_answer(void *argument, const osdear__http_attempt *attempt)
{
  int32_t status = attempt->answer ? attempt->answer->status : 0;

  (void)argument;
  return status == 500 || status == 503 || status == 501 ? HTTP_DONE : HTTP_AS_USUAL;
}

static void engine_free(osdear_engine *engine)
{
  osdear__http_client_unref(engine->client);
  if (!engine->origin)
    osdear__portainer_free(engine->portainer);
  osdear__ssh_auto(&engine->ssh);
  osdear_context_unref(engine->context);
  osdear__free(engine->address);
  osdear__free(engine->docker_folder);
  osdear__free(engine->prefix);
  osdear_engine_unref(engine->origin);
  osdear__free(engine);
}

osdear_engine *osdear_engine_ref(osdear_engine *engine)
{
  if (engine)
    atomic_fetch_add(&engine->references, 1);
  return engine;
}

void osdear_engine_unref(osdear_engine *engine)
{
  if (engine && atomic_fetch_sub(&engine->references, 1) == 1)
    engine_free(engine);
}

void osdear__engine_auto(osdear_engine **engine)
{
  osdear_engine_unref(*engine);
}

const char *osdear_engine_address(const osdear_engine *engine)
{
  return engine->address;
}

const char *osdear_engine_kind(const osdear_engine *engine)
{
  return engine->is_podman ? "podman" : "docker";
}

const char *osdear_engine_api_version(const osdear_engine *engine)
{
  return engine->api_version;
}

int64_t osdear__engine_bound(osdear_engine *engine, int64_t deadline_us)
{
  int64_t before = engine->deadline_us;

  if (deadline_us != INT64_MAX && (before == 0 || deadline_us < before))
    engine->deadline_us = deadline_us;
  return before;
}

/* ---- versions ---- */

/* "1.41" to 41; -1 for what is none. */
static int32_t minor_of(const char *version)
{
  int64_t minor;

  if (!version || !osdear__starts_with(version, "1.") || !osdear__parse_i64(osdear__str_of(version + 2), &minor) || minor < 0 ||
      minor > 999)
    return -1;
  return (int32_t)minor;
}

static osdear_status agree(osdear_engine *engine, const osdear__http_response *ping, osdear_error **error)
{
  const char *theirs = osdear__http_header_get(ping, "Api-Version");
  int32_t minor = minor_of(theirs);

  if (!theirs)
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "%s answers, but not as a container engine does: is something else there?",
                        engine->address);
  if (minor < OLDEST_MINOR)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s speaks version %.16s of the Engine API; 1.%d is the oldest that will do", engine->address, theirs,
                        OLDEST_MINOR);
  engine->api_minor = minor < NEWEST_MINOR ? minor : NEWEST_MINOR;
  engine->is_podman = osdear__http_header_get(ping, "Libpod-API-Version") != NULL;
  snprintf(engine->api_version, sizeof engine->api_version, "1.%d", engine->api_minor);
  return OSDEAR_OK;
}

void osdear__engine_put_prefix(const osdear_engine *engine, const char *version, osdear__buf *out)
{
  if (!version) {
    osdear__buf_puts(out, engine->prefix);
    return;
  }
  if (engine->portainer)
    osdear__buf_printf(out, "%s/docker", osdear__portainer_prefix(engine->portainer));
  osdear__buf_puts(out, version);
}

/* "" for no version. */
static osdear_status set_prefix(osdear_engine *engine, const char *version, osdear_error **error)
{
  SCOPED(buf) prefix = { 0 };
  osdear_status st;

  osdear__engine_put_prefix(engine, version, &prefix);
  osdear__buf_append(&prefix, "", 0);
  st = osdear__buf_check(&prefix, error);
  if (st)
    return st;
  osdear__free(engine->prefix);
  engine->prefix = prefix.data ? osdear__buf_take(&prefix) : osdear__strdup("");
  return engine->prefix ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status negotiate(osdear_engine *engine, osdear_error **error)
{
  const osdear__engine_request request = { .path = "/_ping" };
  SCOPED(http_response) ping = { 0 };
  char version[sizeof engine->api_version + 2];
  osdear_status st = set_prefix(engine, "", error);

  if (!st)
    st = osdear__engine_send(engine, &request, &ping, error);
  if (st)
    return st == OSDEAR_ERR_NO_MEMORY ? st : osdear__fail_within(error, st, "engine %s", engine->address);
  st = agree(engine, &ping, error);
  if (st)
    return st;
  snprintf(version, sizeof version, "/v%s", engine->api_version);
  return set_prefix(engine, version, error);
}

/* ---- the way there ---- */

static osdear_status connect_to(osdear_engine *engine, const osdear__place *place, const osdear__engine_settings *settings,
                                osdear_error **error)
{
  osdear__http_config config = {
    .base_url = "http://localhost", .idle_timeout_ms = engine->timeout_ms, .silence_is_final = true, .proxy = ""
  };
  osdear_status st = OSDEAR_OK;

  config.hooks.judge = judge_answer;
  config.ca_file = place->ca;
  config.client_cert_file = place->cert;
  config.client_key_file = place->key;
  config.insecure = place->insecure;
  switch (place->kind) {
  case PLACE_UNIX: config.unix_socket = place->socket; break;
  case PLACE_SSH:
    st = osdear__ssh_open(place, settings->ssh_program, &engine->ssh, error);
    config.unix_socket = st ? NULL : osdear__ssh_socket(engine->ssh);
    break;
  case PLACE_TCP: config.base_url = place->base_url; break;
  case PLACE_PORTAINER:
    config.base_url = place->base_url;
    config.proxy = NULL;
    st = osdear__portainer_open(engine->context, place, settings, &config, &engine->portainer, error);
    if (!st)
      engine->client = osdear__http_client_ref(osdear__portainer_client(engine->portainer));
    return st ? (st == OSDEAR_ERR_NO_MEMORY ? st : osdear__fail_within(error, st, "engine %s", engine->address)) : OSDEAR_OK;
  }
  return st ? st : osdear__http_client_new(&config, &engine->client, error);
}

static osdear_status read_options(const osdear_engine_options *given, osdear_engine_options *known, osdear_error **error)
{
  osdear_status st = osdear__options_read(known, sizeof *known, given, error);

  if (st)
    return st;
  if (known->timeout_ms < 0 || (known->setting_count && !known->settings))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine: timeout_ms is negative, or settings is NULL");
  return OSDEAR_OK;
}

static osdear_status open_place(osdear_context *context, const char *address, const osdear_engine_options *options,
                                osdear_engine *made, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__engine_settings settings = { 0 };
  osdear__place place;
  const char *folder = NULL;
  osdear_status st = osdear__engine_settings_read(options->settings, options->setting_count, &arena, &settings, error);

  if (!st)
    st = osdear__place_find(address, &settings, &arena, &place, error);
  if (!st)
    st = osdear__docker_folder(&settings, &arena, &folder, error);
  if (st)
    return st;
  made->context = osdear_context_ref(context);
  made->timeout_ms = options->timeout_ms ? options->timeout_ms : DEFAULT_TIMEOUT_MS;
  made->address = osdear__strdup(place.shown);
  made->docker_folder = folder ? osdear__strdup(folder) : NULL;
  if (!made->address || (folder && !made->docker_folder))
    return osdear__fail_memory(error);
  st = connect_to(made, &place, &settings, error);
  return st ? st : negotiate(made, error);
}

osdear_status osdear_engine_open(osdear_context *context, const char *address, const osdear_engine_options *options,
                                 osdear_engine **out, osdear_error **error)
{
  osdear_engine_options known = OSDEAR_ENGINE_OPTIONS_INIT;
  AUTO(engine) made = NULL;
  osdear_status st;

  if (!context || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context and out must not be NULL");
  st = read_options(options, &known, error);
  if (st)
    return st;
  made = osdear__alloc_zeroed(1, sizeof *made);
  if (!made)
    return osdear__fail_memory(error);
  atomic_init(&made->references, 1);
  st = open_place(context, address, &known, made, error);
  if (st)
    return st;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__engine_with(osdear_engine *engine, osdear_context *context, osdear_engine **out, osdear_error **error)
{
  AUTO(engine) made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  atomic_init(&made->references, 1);
  made->origin = osdear_engine_ref(engine);
  made->context = osdear_context_ref(context);
  made->client = osdear__http_client_ref(engine->client);
  made->timeout_ms = engine->timeout_ms;
  made->api_minor = engine->api_minor;
  made->is_podman = engine->is_podman;
  memcpy(made->api_version, engine->api_version, sizeof made->api_version);
  made->address = osdear__strdup(engine->address);
  made->prefix = osdear__strdup(engine->prefix);
  made->docker_folder = engine->docker_folder ? osdear__strdup(engine->docker_folder) : NULL;
  if (!made->address || !made->prefix || (engine->docker_folder && !made->docker_folder))
    return osdear__fail_memory(error);
  made->portainer = engine->portainer;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__engine_for_tidying(osdear_engine *engine, int64_t timeout_ms, osdear_engine **out, osdear_error **error)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_cancel *cancel = NULL;
  osdear_status st = osdear_cancel_new(timeout_ms, &cancel, error);

  if (st)
    return st;
  options.cancel = cancel;
  st = osdear_context_fork(engine->context, &options, &context, error);
  osdear_cancel_unref(cancel);
  if (st)
    return st;
  st = osdear__engine_with(engine, context, out, error);
  osdear_context_unref(context);
  return st;
}
