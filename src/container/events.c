/* What happens in an engine, followed across its restarts. A Portainer passes on what it follows once it has some kilobytes of it: there an
 * engine is asked again and again for what happened since. */
#include <container/container.h>

#define ASK_AGAIN_US 500000
#define SAME_CLOCK_US 2000000 /* the engine's is known to the second */

static osdear_status open_events(osdear_engine_stream *stream, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__engine_request request = { .is_quiet = true };
  osdear_status st;

  osdear__buf_puts(&path, stream->path);
  if (stream->since_ns)
    osdear__buf_printf(&path, "&since=%" PRId64 ".%09" PRId64, stream->since_ns / 1000000000, stream->since_ns % 1000000000);
  if (stream->pause_us) {
    int64_t now_us = osdear__now_us() + stream->ahead_us;
    osdear__buf_printf(&path, "&until=%" PRId64 ".%06" PRId64, now_us / 1000000, now_us % 1000000);
  }
  st = osdear__buf_check(&path, error);
  request.path = path.data;
  return st ? st : osdear__engine_pull(stream->engine, &request, &stream->reader, &response, error);
}

/* `since` is inclusive: what came before the engine went away comes again. */
static bool is_new(osdear_engine_stream *stream, osdear__str text)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *event = NULL;
  osdear_error *ignored = NULL;
  int64_t time_ns = 0;

  if (osdear__json_read(text, "event", &arena, &event, &ignored) == OSDEAR_OK)
    time_ns = osdear__json_int(event, "timeNano", 0);
  osdear_error_free(ignored);
  if (time_ns && time_ns <= stream->since_ns && stream->was_reopened)
    return false;
  if (time_ns > stream->since_ns)
    stream->since_ns = time_ns;
  return true;
}

static osdear_status reopen_events(osdear_engine_stream *stream, osdear_error **error)
{
  stream->was_reopened = true;
  return open_events(stream, error);
}

/* From now on, by the engine's clock. */
static osdear_status begin_asking(osdear_engine_stream *stream, osdear_error **error)
{
  static const osdear__engine_request request = { .path = "/_ping" };
  SCOPED(http_response) response = { 0 };
  osdear_status st = osdear__engine_send(stream->engine, &request, &response, error);
  int64_t now_us = osdear__now_us(), theirs_us;

  if (st)
    return st;
  if (osdear__http_header_time(&response, "Date", &theirs_us) &&
      (theirs_us - now_us > SAME_CLOCK_US || now_us - theirs_us > SAME_CLOCK_US))
    stream->ahead_us = theirs_us - now_us;
  stream->pause_us = ASK_AGAIN_US;
  if (!stream->since_ns)
    stream->since_ns = (now_us + stream->ahead_us) * 1000;
  return OSDEAR_OK;
}

osdear_status osdear_engine_events(osdear_engine *engine, const osdear_events_options *options, osdear_engine_stream **out,
                                   osdear_error **error)
{
  osdear_events_options known = OSDEAR_EVENTS_OPTIONS_INIT;
  AUTO(engine_stream) made = NULL;
  SCOPED(buf) path = { 0 };
  osdear_status st;

  if (!engine || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "engine and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  for (size_t i = 0; i < known.filter_count; i++)
    if (!known.filters || !known.filters[i].key || !known.filters[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "filter %zu has no name or no value", i);
  if (known.since_us < 0 || known.until_us < 0 || known.since_us > INT64_MAX / 1000)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "events: since_us or until_us is negative or too large");
  osdear__buf_puts(&path, "/events?stream=1");
  osdear__put_filters(&path, '&', known.filters, known.filter_count);
  if (known.until_us)
    osdear__buf_printf(&path, "&until=%" PRId64 ".%06" PRId64, known.until_us / 1000000, known.until_us % 1000000);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = osdear__stream_new(engine, &made, error);
  if (st)
    return st;
  made->path = osdear__buf_take(&path);
  made->is_json = true;
  made->since_ns = known.since_us * 1000;
  made->accept = is_new;
  if (engine->portainer && !engine->is_podman && !known.until_us)
    st = begin_asking(made, error);
  if (!st)
    st = open_events(made, error);
  if (st)
    return st;
  if (!known.until_us)
    made->reopen = reopen_events;
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}
