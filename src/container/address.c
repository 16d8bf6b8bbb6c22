/* Where an engine is: addresses, the environment, and what is usual. */
#include <container/container.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static osdear_status copy_setting(osdear__arena *arena, const char *value, const char **out, osdear_error **error)
{
  *out = osdear__arena_strdup(arena, value);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__engine_settings_read(const osdear_pair *pairs, size_t count, osdear__arena *arena,
                                           osdear__engine_settings *out, osdear_error **error)
{
  const struct {
    const char *name;
    const char **value;
  } known[] = {
    { "docker_config", &out->docker_config },
    { "tls_ca", &out->tls_ca },
    { "tls_cert", &out->tls_cert },
    { "tls_key", &out->tls_key },
    { "tls_verify", &out->tls_verify },
    { "portainer_api_key", &out->portainer_api_key },
    { "portainer_username", &out->portainer_username },
    { "portainer_password", &out->portainer_password },
    { "ssh_program", &out->ssh_program },
  };

  for (size_t i = 0; i < count; i++) {
    size_t at = 0;
    osdear_status st;

    if (!pairs[i].key || !pairs[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "setting %zu of the engine has no name or no value", i);
    while (at < COUNT_OF(known) && strcmp(known[at].name, pairs[i].key) != 0)
      at++;
    if (at == COUNT_OF(known))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "an engine has no setting `%s`: see osdear_engine_open()", pairs[i].key);
    st = copy_setting(arena, pairs[i].value, known[at].value, error);
    if (st)
      return st;
  }
  if (out->tls_verify && strcmp(out->tls_verify, "true") != 0 && strcmp(out->tls_verify, "false") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "tls_verify is `%s`: give true or false", out->tls_verify);
  return OSDEAR_OK;
}

osdear_status osdear__docker_folder(const osdear__engine_settings *settings, osdear__arena *arena, const char **out,
                                    osdear_error **error)
{
  const char *named = settings->docker_config ? settings->docker_config : getenv("DOCKER_CONFIG");
  const char *home = getenv("HOME");

  *out = NULL;
  if (named && *named)
    *out = osdear__arena_strdup(arena, named);
  else if (home && *home)
    *out = osdear__arena_printf(arena, "%s/.docker", home);
  else
    return OSDEAR_OK;
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

/* ---- one address ---- */

static osdear_status bad_address(const char *address, const char *why, osdear_error **error)
{
  return osdear__fail(
      error, OSDEAR_ERR_ARGUMENT,
      "engine address `%s`: %s; give unix:///path, tcp://host:port, ssh://user@host, podman, docker, context:name or "
      "portainer+https://host:9443/environment",
      address, why);
}

static osdear_status parse_unix(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  const char *path = address + strlen("unix:");

  if (osdear__starts_with(path, "//"))
    path += 2;
  if (path[0] != '/')
    return bad_address(address, "the path of the socket is not absolute", error);
  /* What sockaddr_un holds. */
  if (strlen(path) > 107)
    return bad_address(address, "the path of a socket has at most 107 bytes", error);
  out->kind = PLACE_UNIX;
  out->socket = osdear__arena_strdup(arena, path);
  return out->socket ? OSDEAR_OK : osdear__fail_memory(error);
}

/* HOST or [V6], then perhaps :PORT; nothing but that. */
static bool split_host(const char *text, osdear__str *host, osdear__str *port)
{
  const char *end = text;

  if (*text == '[') {
    end = strchr(text, ']');
    if (!end)
      return false;
    end++;
  } else {
    end += strcspn(text, ":/?#@ ");
  }
  *host = (osdear__str){ text, (size_t)(end - text) };
  *port = (osdear__str){ end, 0 };
  if (host->size == 0)
    return false;
  if (*end == ':') {
    int64_t number;
    *port = (osdear__str){ end + 1, strspn(end + 1, "0123456789") };
    end += 1 + port->size;
    if (!osdear__parse_i64(*port, &number) || number < 1 || number > 65535)
      return false;
  }
  return *end == '\0' || strcmp(end, "/") == 0;
}

static osdear_status parse_tcp(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  const char *rest = strstr(address, "://");
  bool is_https = osdear__starts_with(address, "https:");
  osdear__str host, port;

  if (!rest || !split_host(rest + 3, &host, &port))
    return bad_address(address, "it is not host:port", error);
  if (port.size == 0)
    port = is_https ? STR("2376") : STR("2375");
  out->kind = PLACE_TCP;
  /* 2376 is the port registered for the API over TLS. */
  out->base_url = osdear__arena_printf(arena, "%s://%.*s:%.*s", is_https || osdear__str_is(port, "2376") ? "https" : "http",
                                       (int)host.size, host.data, (int)port.size, port.data);
  return out->base_url ? OSDEAR_OK : osdear__fail_memory(error);
}

/* A host that starts with a dash would be an option of ssh. */
static bool is_safe_word(const char *text)
{
  return text[0] && text[0] != '-' && strcspn(text, " \t\r\n'\"\\$`;|&<>()") == strlen(text);
}

static osdear_status parse_ssh(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  const char *rest = address + strlen("ssh://");
  const char *at = strchr(rest, '@');
  osdear__str host, port;

  if (at && memchr(rest, ':', (size_t)(at - rest)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "an ssh: address with a password: use a key, and the address ssh://user@host");
  if (!split_host(at ? at + 1 : rest, &host, &port))
    return bad_address(address, "it is not ssh://user@host:port", error);
  if (host.data[0] == '[')
    host = (osdear__str){ host.data + 1, host.size - 2 };
  out->kind = PLACE_SSH;
  out->ssh_host = osdear__arena_strndup(arena, host.data, host.size);
  out->ssh_user = at ? osdear__arena_strndup(arena, rest, (size_t)(at - rest)) : "";
  out->ssh_port = osdear__arena_strndup(arena, port.data, port.size);
  if (!out->ssh_host || !out->ssh_user || !out->ssh_port)
    return osdear__fail_memory(error);
  if (!is_safe_word(out->ssh_host) || (at && !is_safe_word(out->ssh_user)))
    return bad_address(address, "host or user is none", error);
  return OSDEAR_OK;
}

static osdear_status parse_portainer(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  const char *url = address + strlen("portainer+");
  const char *host = strstr(url, "://") + 3;
  const char *slash = strrchr(host, '/');

  if (strchr(host, '@'))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "a Portainer address with credentials in it: give the setting portainer_api_key");
  if (!slash || !slash[1] || slash == host || strpbrk(host, "?# "))
    return bad_address(address, "the name or number of the environment is missing: portainer+https://host:9443/local", error);
  out->kind = PLACE_PORTAINER;
  out->base_url = osdear__arena_strndup(arena, url, (size_t)(slash - url));
  out->environment = osdear__arena_strdup(arena, slash + 1);
  return out->base_url && out->environment ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__place_parse(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  out->shown = osdear__arena_strdup(arena, address);
  if (!out->shown)
    return osdear__fail_memory(error);
  if (osdear__starts_with(address, "unix:"))
    return parse_unix(address, arena, out, error);
  if (osdear__starts_with(address, "tcp://") || osdear__starts_with(address, "http://") ||
      osdear__starts_with(address, "https://"))
    return parse_tcp(address, arena, out, error);
  if (osdear__starts_with(address, "ssh://"))
    return parse_ssh(address, arena, out, error);
  if (osdear__starts_with(address, "portainer+https://") || osdear__starts_with(address, "portainer+http://"))
    return parse_portainer(address, arena, out, error);
  return bad_address(address, "no such kind", error);
}

/* ---- what is usual on this machine ---- */

static bool is_socket(const char *path)
{
  struct stat status;

  return stat(path, &status) == 0 && S_ISSOCK(status.st_mode);
}

/* The first of the sockets that is there; the first of all when none is, so that the message names it. */
static osdear_status use_socket(const char *const *formats, size_t count, osdear__arena *arena, osdear__place *out,
                                osdear_error **error)
{
  const char *runtime = getenv("XDG_RUNTIME_DIR");
  const char *found = NULL;

  for (size_t i = 0; i < count && !found; i++) {
    const char *path = formats[i];
    if (path[0] != '/' && (!runtime || runtime[0] != '/'))
      continue;
    path = path[0] == '/' ? path : osdear__arena_printf(arena, "%s/%s", runtime, path);
    if (!path)
      return osdear__fail_memory(error);
    if (is_socket(path))
      found = path;
  }
  found = osdear__arena_printf(arena, "unix://%s", found ? found : formats[0]);
  return found ? osdear__place_parse(found, arena, out, error) : osdear__fail_memory(error);
}

static osdear_status use_tls(osdear__place *place, osdear__arena *arena, osdear_error **error)
{
  if (place->kind != PLACE_TCP || !osdear__starts_with(place->base_url, "http://"))
    return OSDEAR_OK;
  place->base_url = osdear__arena_printf(arena, "https://%s", place->base_url + strlen("http://"));
  return place->base_url ? OSDEAR_OK : osdear__fail_memory(error);
}

/* An address that was given, here or by DOCKER_HOST: DOCKER_TLS_VERIFY says that it is one with TLS, whatever its port. */
static osdear_status use_address(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  const char *verify = getenv("DOCKER_TLS_VERIFY");
  osdear_status st = osdear__place_parse(address, arena, out, error);

  return st || !verify || !*verify ? st : use_tls(out, arena, error);
}

static osdear_status use_docker_host(const char *address, osdear__arena *arena, osdear__place *out, osdear_error **error)
{
  osdear_status st;

  if (strstr(address, "://") == NULL) {
    address = osdear__arena_printf(arena, "tcp://%s", address);
    if (!address)
      return osdear__fail_memory(error);
  }
  st = use_address(address, arena, out, error);
  return st ? osdear__fail_within(error, st, "DOCKER_HOST") : OSDEAR_OK;
}

static osdear_status use_context(const char *name, const osdear__engine_settings *settings, osdear__arena *arena,
                                 osdear__place *out, osdear_error **error)
{
  static const char *const sockets[] = { "/var/run/docker.sock", "docker.sock" };
  const char *folder, *address = NULL;
  osdear__place certificates = { 0 };
  osdear_status st = osdear__docker_folder(settings, arena, &folder, error);

  if (st)
    return st;
  if (folder || name) {
    st = osdear__docker_context(folder, name, arena, &address, &certificates, error);
    if (st)
      return st;
  }
  if (!address)
    return use_socket(sockets, COUNT_OF(sockets), arena, out, error);
  st = osdear__place_parse(address, arena, out, error);
  if (st)
    return osdear__fail_within(error, st, "Docker's context `%s`", name ? name : "(current)");
  out->ca = certificates.ca;
  out->cert = certificates.cert;
  out->key = certificates.key;
  out->insecure = certificates.insecure;
  return out->ca ? use_tls(out, arena, error) : OSDEAR_OK;
}

/* What the settings say goes over what a context or DOCKER_CERT_PATH said. */
static osdear_status add_certificates(const osdear__engine_settings *settings, osdear__arena *arena, osdear__place *out,
                                      osdear_error **error)
{
  const char *folder = getenv("DOCKER_CERT_PATH");

  if (out->kind == PLACE_TCP && !out->ca && folder && *folder && osdear__starts_with(out->base_url, "https:")) {
    out->ca = osdear__arena_printf(arena, "%s/ca.pem", folder);
    out->cert = osdear__arena_printf(arena, "%s/cert.pem", folder);
    out->key = osdear__arena_printf(arena, "%s/key.pem", folder);
    if (!out->ca || !out->cert || !out->key)
      return osdear__fail_memory(error);
  }
  if (settings->tls_ca)
    out->ca = settings->tls_ca;
  if (settings->tls_cert)
    out->cert = settings->tls_cert;
  if (settings->tls_key)
    out->key = settings->tls_key;
  if (settings->tls_verify)
    out->insecure = strcmp(settings->tls_verify, "false") == 0;
  return settings->tls_ca || settings->tls_cert ? use_tls(out, arena, error) : OSDEAR_OK;
}

osdear_status osdear__place_find(const char *address, const osdear__engine_settings *settings, osdear__arena *arena,
                                 osdear__place *out, osdear_error **error)
{
  static const char *const podman_sockets[] = { "/run/podman/podman.sock", "podman/podman.sock" };
  const char *host = getenv("DOCKER_HOST"), *context = getenv("DOCKER_CONTEXT");
  osdear_status st;

  memset(out, 0, sizeof *out);
  if (address && osdear__starts_with(address, "context:"))
    st = use_context(address + strlen("context:"), settings, arena, out, error);
  else if (address && strcmp(address, "podman") == 0)
    st = use_socket(podman_sockets, COUNT_OF(podman_sockets), arena, out, error);
  else if (address && strcmp(address, "docker") != 0)
    st = use_address(address, arena, out, error);
  else if (host && *host)
    st = use_docker_host(host, arena, out, error);
  else
    st = use_context(context && *context ? context : NULL, settings, arena, out, error);
  return st ? st : add_certificates(settings, arena, out, error);
}
