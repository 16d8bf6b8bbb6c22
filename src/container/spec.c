/* A container's description as the body that the Engine API wants. */
#include <container/container.h>

#include <stdio.h>

typedef struct writer {
  osdear__buf *out;
  bool first;
} writer;

static void put_text(writer *w, const char *key, const char *value)
{
  if (!value)
    return;
  osdear__json_put_key(w->out, &w->first, key);
  osdear__json_put_string(w->out, osdear__str_of(value));
}

static void put_number(writer *w, const char *key, int64_t value)
{
  if (value == 0)
    return;
  osdear__json_put_key(w->out, &w->first, key);
  osdear__json_put_i64(w->out, value);
}

static void put_true(writer *w, const char *key, int32_t value)
{
  if (!value)
    return;
  osdear__json_put_key(w->out, &w->first, key);
  osdear__buf_puts(w->out, "true");
}

static void put_texts(writer *w, const char *key, const char *const *texts, size_t count)
{
  if (count == 0)
    return;
  osdear__json_put_key(w->out, &w->first, key);
  osdear__json_put_texts(w->out, texts, count);
}

static writer open_object(writer *w, const char *key)
{
  if (key)
    osdear__json_put_key(w->out, &w->first, key);
  osdear__buf_putc(w->out, '{');
  return (writer){ w->out, true };
}

static void close_object(writer *w)
{
  osdear__buf_putc(w->out, '}');
}

/* ---- parts ---- */

static void put_environment(writer *w, const osdear_pair *pairs, size_t count)
{
  bool first = true;

  if (count == 0)
    return;
  osdear__json_put_key(w->out, &w->first, "Env");
  osdear__buf_putc(w->out, '[');
  for (size_t i = 0; i < count; i++) {
    SCOPED(buf) text = { 0 };
    osdear__buf_printf(&text, "%s=%s", pairs[i].key, pairs[i].value);
    if (text.failed)
      w->out->failed = text.failed;
    osdear__json_put_comma(w->out, &first);
    osdear__json_put_string(w->out, (osdear__str){ text.data ? text.data : "", text.size });
  }
  osdear__buf_putc(w->out, ']');
}

static void put_labels(writer *w, const osdear_container_spec *spec, const osdear_pair *more, size_t count)
{
  writer labels;

  if (spec->label_count + count == 0)
    return;
  labels = open_object(w, "Labels");
  for (size_t i = 0; i < spec->label_count; i++)
    put_text(&labels, spec->labels[i].key, spec->labels[i].value);
  for (size_t i = 0; i < count; i++)
    put_text(&labels, more[i].key, more[i].value);
  close_object(&labels);
}

static void put_health(writer *w, const osdear_container_spec *spec)
{
  static const char *const none[] = { "NONE" };
  writer health;
  bool first = true;

  if (spec->health_count == 0)
    return;
  health = open_object(w, "Healthcheck");
  if (spec->health_count == 1 && strcmp(spec->health[0], "NONE") == 0) {
    put_texts(&health, "Test", none, 1);
  } else {
    osdear__json_put_key(health.out, &health.first, "Test");
    osdear__buf_puts(w->out, spec->health_count == 1 ? "[\"CMD-SHELL\"" : "[\"CMD\"");
    first = false;
    for (size_t i = 0; i < spec->health_count; i++) {
      osdear__json_put_comma(w->out, &first);
      osdear__json_put_string(w->out, osdear__str_of(spec->health[i]));
    }
    osdear__buf_putc(w->out, ']');
  }
  put_number(&health, "Interval", spec->health_interval_ms * 1000000);
  put_number(&health, "Timeout", spec->health_timeout_ms * 1000000);
  put_number(&health, "StartPeriod", spec->health_start_ms * 1000000);
  put_number(&health, "Retries", spec->health_retries);
  close_object(&health);
}

static void put_port_name(osdear__buf *out, bool *first, const osdear_port *port)
{
  osdear__json_put_comma(out, first);
  osdear__buf_printf(out, "\"%" PRId32 "/%s\":", port->container_port, port->protocol ? port->protocol : "tcp");
}

static bool same_port(const osdear_port *a, const osdear_port *b)
{
  return a->container_port == b->container_port &&
         strcmp(a->protocol ? a->protocol : "tcp", b->protocol ? b->protocol : "tcp") == 0;
}

static bool was_put(const osdear_container_spec *spec, size_t index)
{
  for (size_t i = 0; i < index; i++)
    if (same_port(&spec->ports[i], &spec->ports[index]))
      return true;
  return false;
}

static void put_exposed(writer *w, const osdear_container_spec *spec)
{
  bool first = true;

  if (spec->port_count == 0)
    return;
  osdear__json_put_key(w->out, &w->first, "ExposedPorts");
  osdear__buf_putc(w->out, '{');
  for (size_t i = 0; i < spec->port_count; i++)
    if (!was_put(spec, i)) {
      put_port_name(w->out, &first, &spec->ports[i]);
      osdear__buf_puts(w->out, "{}");
    }
  osdear__buf_putc(w->out, '}');
}

/* One port inside may be bound to several outside. */
static void put_bindings_of(osdear__buf *out, const osdear_container_spec *spec, size_t index)
{
  bool first = true;

  osdear__buf_putc(out, '[');
  for (size_t i = index; i < spec->port_count; i++) {
    const osdear_port *port = &spec->ports[i];
    if (!same_port(port, &spec->ports[index]) || port->host_port < 0)
      continue;
    osdear__json_put_comma(out, &first);
    osdear__buf_puts(out, "{\"HostIp\":");
    osdear__json_put_string(out, osdear__str_of(port->host_ip ? port->host_ip : ""));
    osdear__buf_printf(out, ",\"HostPort\":\"%" PRId32 "\"}", port->host_port);
  }
  osdear__buf_putc(out, ']');
}

static void put_bindings(writer *w, const osdear_container_spec *spec)
{
  bool first = true;

  if (spec->port_count == 0)
    return;
  osdear__json_put_key(w->out, &w->first, "PortBindings");
  osdear__buf_putc(w->out, '{');
  for (size_t i = 0; i < spec->port_count; i++)
    if (!was_put(spec, i)) {
      put_port_name(w->out, &first, &spec->ports[i]);
      put_bindings_of(w->out, spec, i);
    }
  osdear__buf_putc(w->out, '}');
}

static void put_mounts(writer *w, const osdear_container_spec *spec)
{
  bool first = true;

  if (spec->mount_count == 0)
    return;
  osdear__json_put_key(w->out, &w->first, "Mounts");
  osdear__buf_putc(w->out, '[');
  for (size_t i = 0; i < spec->mount_count; i++) {
    const osdear_mount *mount = &spec->mounts[i];
    writer one;

    osdear__json_put_comma(w->out, &first);
    one = open_object(w, NULL);
    put_text(&one, "Type", !mount->source ? "tmpfs" : mount->source[0] == '/' ? "bind" : "volume");
    put_text(&one, "Source", mount->source);
    put_text(&one, "Target", mount->target);
    put_true(&one, "ReadOnly", mount->read_only);
    close_object(&one);
  }
  osdear__buf_putc(w->out, ']');
}

static void put_restart(writer *w, const char *restart)
{
  const char *colon = restart ? strchr(restart, ':') : NULL;
  writer policy;

  if (!restart)
    return;
  policy = open_object(w, "RestartPolicy");
  osdear__json_put_key(policy.out, &policy.first, "Name");
  osdear__json_put_string(policy.out, colon ? (osdear__str){ restart, (size_t)(colon - restart) } : osdear__str_of(restart));
  if (colon)
    osdear__buf_printf(policy.out, ",\"MaximumRetryCount\":%s", colon + 1);
  close_object(&policy);
}

static void put_gpus(writer *w, int32_t gpus)
{
  if (gpus == 0)
    return;
  osdear__json_put_key(w->out, &w->first, "DeviceRequests");
  osdear__buf_printf(w->out, "[{\"Driver\":\"\",\"Count\":%" PRId32 ",\"Capabilities\":[[\"gpu\"]]}]", gpus);
}

static void put_limits(writer *w, const osdear_container_spec *spec)
{
  put_number(w, "Memory", spec->memory_bytes);
  put_number(w, "NanoCpus", spec->cpu_milli * 1000000);
  put_number(w, "PidsLimit", spec->pids);
  put_restart(w, spec->restart);
}

static void put_endpoint(writer *endpoints, const osdear_network *network)
{
  writer endpoint = open_object(endpoints, network->name);
  bool first = true;

  if (network->aliases) {
    osdear__json_put_key(endpoint.out, &endpoint.first, "Aliases");
    osdear__buf_putc(endpoint.out, '[');
    for (const char *at = network->aliases; *at;) {
      size_t size = strcspn(at, ",");
      osdear__json_put_comma(endpoint.out, &first);
      osdear__json_put_string(endpoint.out, (osdear__str){ at, size });
      at += size + (at[size] == ',');
    }
    osdear__buf_putc(endpoint.out, ']');
  }
  close_object(&endpoint);
}

static void put_networks(writer *w, const osdear_container_spec *spec, size_t count)
{
  writer networking, endpoints;

  if (count == 0 || (count == 1 && !spec->networks[0].aliases))
    return;
  networking = open_object(w, "NetworkingConfig");
  endpoints = open_object(&networking, "EndpointsConfig");
  for (size_t i = 0; i < count; i++)
    put_endpoint(&endpoints, &spec->networks[i]);
  close_object(&endpoints);
  close_object(&networking);
}

static void put_host(writer *w, const osdear_container_spec *spec)
{
  writer host = open_object(w, "HostConfig");

  put_mounts(&host, spec);
  put_bindings(&host, spec);
  put_limits(&host, spec);
  put_gpus(&host, spec->gpus);
  put_number(&host, "ShmSize", spec->shm_bytes);
  if (spec->network_count)
    put_text(&host, "NetworkMode", spec->networks[0].name);
  put_texts(&host, "CapAdd", spec->cap_add, spec->cap_add_count);
  put_texts(&host, "CapDrop", spec->cap_drop, spec->cap_drop_count);
  put_true(&host, "Init", spec->init);
  put_true(&host, "ReadonlyRootfs", spec->read_only);
  put_true(&host, "Privileged", spec->privileged);
  close_object(&host);
}

static void put_spec(const osdear_container_spec *spec, const osdear_pair *labels, size_t label_count, size_t network_count,
                     osdear__buf *out)
{
  writer outside = { out, true }, w = open_object(&outside, NULL);

  put_text(&w, "Image", spec->image);
  put_texts(&w, "Cmd", spec->command, spec->command_count);
  put_texts(&w, "Entrypoint", spec->entrypoint, spec->entrypoint_count);
  put_environment(&w, spec->environment, spec->environment_count);
  put_labels(&w, spec, labels, label_count);
  put_text(&w, "User", spec->user);
  put_text(&w, "WorkingDir", spec->folder);
  put_text(&w, "Hostname", spec->hostname);
  put_text(&w, "StopSignal", spec->stop_signal);
  put_true(&w, "Tty", spec->tty);
  put_true(&w, "OpenStdin", spec->open_stdin);
  put_true(&w, "StdinOnce", spec->open_stdin);
  put_exposed(&w, spec);
  put_health(&w, spec);
  put_host(&w, spec);
  put_networks(&w, spec, network_count);
  close_object(&w);
}

/* ---- what makes no sense ---- */

static osdear_status bad(osdear_error **error, const char *field, const char *why)
{
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: %s %s", field, why);
}

static osdear_status check_pairs(const osdear_pair *pairs, size_t count, const char *field, osdear_error **error)
{
  for (size_t i = 0; i < count; i++)
    if (!pairs || !pairs[i].key || !pairs[i].value || !pairs[i].key[0] || strchr(pairs[i].key, '='))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: %s %zu has no name, no value, or a name with `=`", field, i);
  return OSDEAR_OK;
}

static osdear_status check_texts(const char *const *texts, size_t count, const char *field, osdear_error **error)
{
  for (size_t i = 0; i < count; i++)
    if (!texts || !texts[i])
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: %s %zu is NULL", field, i);
  return OSDEAR_OK;
}

static osdear_status check_restart(const char *restart, osdear_error **error)
{
  static const char *const names[] = { "no", "always", "unless-stopped", "on-failure" };
  int64_t count;

  if (!restart)
    return OSDEAR_OK;
  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (strcmp(restart, names[i]) == 0)
      return OSDEAR_OK;
  if (osdear__starts_with(restart, "on-failure:") && osdear__parse_i64(osdear__str_of(restart + strlen("on-failure:")), &count) &&
      count >= 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                      "container: restart is `%s`: give no, always, unless-stopped, on-failure or on-failure:N", restart);
}

static osdear_status check_limits(const osdear_container_spec *spec, osdear_error **error)
{
  if (spec->memory_bytes < 0 || spec->cpu_milli < 0 || spec->cpu_milli > INT64_MAX / 1000000 || spec->pids < 0 ||
      spec->shm_bytes < 0)
    return bad(error, "a limit", "is negative or too large: 0 means none");
  return check_restart(spec->restart, error);
}

static osdear_status check_places(const osdear_container_spec *spec, osdear_error **error)
{
  for (size_t i = 0; i < spec->mount_count; i++)
    if (!spec->mounts || !spec->mounts[i].target || spec->mounts[i].target[0] != '/' ||
        (spec->mounts[i].source && !spec->mounts[i].source[0]))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "container: mount %zu: the target must be an absolute path, the source not empty", i);
  for (size_t i = 0; i < spec->port_count; i++)
    if (!spec->ports || spec->ports[i].container_port < 1 || spec->ports[i].container_port > 65535 ||
        spec->ports[i].host_port < -1 || spec->ports[i].host_port > 65535)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: port %zu is not within 1 and 65535", i);
  for (size_t i = 0; i < spec->port_count; i++)
    if (spec->ports[i].protocol && strcmp(spec->ports[i].protocol, "tcp") != 0 && strcmp(spec->ports[i].protocol, "udp") != 0 &&
        strcmp(spec->ports[i].protocol, "sctp") != 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: port %zu: `%s` is none of tcp, udp, sctp", i,
                          spec->ports[i].protocol);
  for (size_t i = 0; i < spec->network_count; i++)
    if (!spec->networks || !spec->networks[i].name || !spec->networks[i].name[0])
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "container: network %zu has no name", i);
  return OSDEAR_OK;
}

static osdear_status check_health(const osdear_container_spec *spec, osdear_error **error)
{
  const int64_t most = INT64_MAX / 1000000;

  if (spec->health_interval_ms < 0 || spec->health_timeout_ms < 0 || spec->health_start_ms < 0 ||
      spec->health_interval_ms > most || spec->health_timeout_ms > most || spec->health_start_ms > most ||
      spec->health_retries < 0)
    return bad(error, "a time or a count of the health check", "is negative or too large");
  return check_texts(spec->health, spec->health_count, "health", error);
}

static osdear_status check_spec(const osdear_container_spec *spec, osdear_error **error)
{
  osdear_status st;

  if (!spec->image || !spec->image[0])
    return bad(error, "image", "is missing");
  st = check_texts(spec->command, spec->command_count, "command", error);
  if (!st)
    st = check_texts(spec->entrypoint, spec->entrypoint_count, "entrypoint", error);
  if (!st)
    st = check_texts(spec->cap_add, spec->cap_add_count, "cap_add", error);
  if (!st)
    st = check_texts(spec->cap_drop, spec->cap_drop_count, "cap_drop", error);
  if (!st)
    st = check_pairs(spec->environment, spec->environment_count, "environment", error);
  if (!st)
    st = check_pairs(spec->labels, spec->label_count, "label", error);
  if (!st)
    st = check_health(spec, error);
  if (!st)
    st = check_places(spec, error);
  return st ? st : check_limits(spec, error);
}

/* ---- all of it ---- */

osdear_status osdear__spec_print(const osdear_container_spec *spec, const osdear_pair *labels, size_t label_count,
                                 size_t network_count, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__json *base = NULL, *over = NULL;
  osdear_status st = check_spec(spec, error);

  if (st)
    return st;
  put_spec(spec, labels, label_count, network_count, spec->extra_json ? &text : out);
  st = osdear__buf_check(spec->extra_json ? &text : out, error);
  if (st || !spec->extra_json)
    return st;
  st = osdear__json_read((osdear__str){ text.data, text.size }, "the request", &arena, &base, error);
  if (!st)
    st = osdear__json_read(osdear__str_of(spec->extra_json), "extra_json", &arena, &over, error);
  if (st)
    return st == OSDEAR_ERR_CORRUPT ? osdear__fail_because(error, OSDEAR_ERR_ARGUMENT, "container: extra_json is no JSON") : st;
  if (over->kind != JSON_IS_OBJECT)
    return bad(error, "extra_json", "is no object");
  osdear__json_put_merged(out, base, over);
  return osdear__buf_check(out, error);
}

osdear_status osdear__spec_print_limits(const osdear_container_spec *spec, osdear__buf *out, osdear_error **error)
{
  writer outside = { out, true }, w;
  osdear_status st = check_limits(spec, error);

  if (st)
    return st;
  w = open_object(&outside, NULL);
  put_limits(&w, spec);
  /* Swap may not be left below memory: without limit of its own it goes along. */
  put_number(&w, "MemorySwap", spec->memory_bytes ? -1 : 0);
  close_object(&w);
  return osdear__buf_check(out, error);
}

/* FNV-1a, because the same description must have the same name in every process. */
void osdear__lasting_hash(const char *data, size_t size, char out[17])
{
  uint64_t hash = UINT64_C(14695981039346656037);

  for (size_t i = 0; i < size; i++)
    hash = (hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
  snprintf(out, 17, "%016" PRIx64, hash);
}
