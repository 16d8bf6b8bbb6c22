/* The web pages of Spark's master and workers: who is there, what waits, and what a driver wrote. */
#include <job/spark.h>

#include <stdio.h>

enum { PIECE = 65536, MOST_URL = 512 };

/* ---- the master's summary ---- */

/* By the setting `web`, else the master's host and its usual port. */
static osdear_status master_page(const osdear_runner *runner, osdear__buf *out, osdear_error **error)
{
  const osdear__spark *spark = runner->own;
  const char *given = osdear__runner_setting(runner, "web"), *host = spark->hosts;
  size_t length;

  if (given) {
    osdear__buf_puts(out, given);
    while (out->size && out->data[out->size - 1] == '/')
      out->data[--out->size] = '\0';
    return osdear__buf_check(out, error);
  }
  for (size_t i = 0; i < spark->current; i++)
    host = strchr(host, ',') + 1;
  length = strcspn(host, ",");
  for (size_t i = length; i-- > 0 && host[i] != ']';)
    if (host[i] == ':')
      length = i;
  osdear__buf_printf(out, "http://%.*s:8080", (int)length, host);
  return osdear__buf_check(out, error);
}

static osdear_status get_json(osdear_runner *runner, const char *url, osdear__arena *arena, osdear__json **out,
                              osdear_error **error)
{
  const osdear__spark *spark = runner->own;
  osdear__call call = { .method = "GET", .path = url };

  return osdear__service_call(runner, spark->pages, &call, NULL, arena, out, error);
}

osdear_status osdear__spark_summary(osdear_runner *runner, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  SCOPED(buf) url = { 0 };
  osdear_status st = master_page(runner, &url, error);

  if (!st) {
    osdear__buf_puts(&url, "/json/");
    st = osdear__buf_check(&url, error);
  }
  if (!st)
    st = get_json(runner, url.data, arena, out, error);
  return st ? osdear__fail_within(error, st, "the master's page (setting \"web\")") : st;
}

static const osdear__json *find_by(const osdear__json *list, const char *key, const char *value)
{
  for (size_t i = 0; list && i < list->count; i++) {
    const char *found = osdear__json_text(&list->items[i], key);
    if (found && strcmp(found, value) == 0)
      return &list->items[i];
  }
  return NULL;
}

const osdear__json *osdear__spark_driver(const osdear__json *summary, const char *id)
{
  const osdear__json *found = find_by(osdear__json_get(summary, "activedrivers"), "id", id);

  return found ? found : find_by(osdear__json_get(summary, "completeddrivers"), "id", id);
}

void osdear__spark_put_reason(osdear__buf *out, const osdear__json *summary, const char *id)
{
  const osdear__json *driver = osdear__spark_driver(summary, id), *workers = osdear__json_get(summary, "workers");
  int64_t cores = osdear__json_int(driver, "cores", 0), memory = osdear__json_int(driver, "memory", 0);
  int64_t alive = 0, most_cores = 0, most_memory = 0;

  if (!driver)
    return;
  for (size_t i = 0; workers && i < workers->count; i++) {
    const char *state = osdear__json_text(&workers->items[i], "state");
    int64_t its_cores = osdear__json_int(&workers->items[i], "cores", 0),
            its_memory = osdear__json_int(&workers->items[i], "memory", 0);
    if (!state || strcmp(state, "ALIVE") != 0)
      continue;
    alive++;
    most_cores = its_cores > most_cores ? its_cores : most_cores;
    most_memory = its_memory > most_memory ? its_memory : most_memory;
    if (its_cores >= cores && its_memory >= memory)
      return;
  }
  osdear__buf_printf(out,
                     "no worker can take the driver, which asks for %" PRId64 " cores and %" PRId64 " MB: %" PRId64
                     " workers are alive, with at most %" PRId64 " cores and %" PRId64 " MB",
                     cores, memory, alive, most_cores, most_memory);
}

/* ---- logs ---- */

/* The address of the page of the worker that has, or had, the driver. */
static osdear_status worker_page(osdear_runner *runner, const char *id, osdear__arena *arena, const char **out,
                                 osdear_error **error)
{
  const osdear__json *driver, *worker;
  const char *name;
  osdear__json *summary;
  osdear_status st = osdear__spark_summary(runner, arena, &summary, error);

  if (st)
    return st;
  driver = osdear__spark_driver(summary, id);
  if (!driver)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "the master does not list driver %s, or no longer", id);
  name = osdear__json_text(driver, "worker");
  worker = name ? find_by(osdear__json_get(summary, "workers"), "id", name) : NULL;
  *out = worker ? osdear__json_text(worker, "webuiaddress") : NULL;
  if (!*out || !(osdear__starts_with(*out, "http://") || osdear__starts_with(*out, "https://")) || strlen(*out) > MOST_URL)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "driver %s has no worker that is still there: there is no log of it", id);
  return OSDEAR_OK;
}

/* "==== Bytes 10-30 of 778 of /path ====", then the bytes. */
static bool read_head(osdear__str body, int64_t *from, int64_t *to, osdear__str *rest)
{
  const char *end = memchr(body.data, '\n', body.size);
  long long first, last;

  if (!end || sscanf(body.data, "==== Bytes %lld-%lld of ", &first, &last) != 2 || first < 0 || last < first)
    return false;
  *from = first;
  *to = last;
  *rest = (osdear__str){ end + 1, body.size - (size_t)(end + 1 - body.data) };
  return true;
}

static osdear_status take_piece(const osdear__http_response *response, const char *id, int64_t offset, osdear__buf *out,
                                int64_t *next, osdear_error **error)
{
  osdear__str body = { response->body.data ? response->body.data : "", response->body.size }, rest;
  int64_t from, to;

  *next = offset;
  if (!read_head(body, &from, &to, &rest))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the worker's answer is no log of driver %s", id);
  if (to == 0 && osdear__starts_with(rest.data, "Error: "))
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "the worker has no log of driver %s", id);
  if (to <= offset)
    return OSDEAR_OK;
  if (from < offset) { /* a log that is shorter than where we were is read from its start */
    size_t known = (size_t)(offset - from);
    rest = known < rest.size ? (osdear__str){ rest.data + known, rest.size - known } : (osdear__str){ rest.data, 0 };
  }
  osdear__buf_append(out, rest.data, rest.size);
  *next = to;
  return osdear__buf_check(out, error);
}

osdear_status osdear__spark_read_log(osdear_runner *runner, const char *id, const char *stream, int64_t offset, osdear__buf *out,
                                     int64_t *next, osdear_error **error)
{
  const osdear__spark *spark = runner->own;
  SCOPED(http_response) response = { 0 };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) url = { 0 };
  osdear__call call = { .method = "GET", .accept = "text/plain" };
  const char *page;
  osdear_status st = worker_page(runner, id, &arena, &page, error);

  if (st)
    return st;
  osdear__buf_printf(&url, "%s/log/?driverId=%s&logType=%s&offset=%" PRId64 "&byteLength=%d", page, id, stream, offset, PIECE);
  st = osdear__buf_check(&url, error);
  if (st)
    return st;
  call.path = url.data;
  st = osdear__service_send(runner, spark->pages, &call, &response, error);
  if (!st)
    st = osdear__http_expect(&response, error);
  return st ? st : take_piece(&response, id, offset, out, next, error);
}
