/* The attempts of a job and what they wrote, one after the other: a log only grows at its end. */
#include <job/airbyte.h>

static osdear_status post(osdear_runner *runner, const char *path, const osdear__buf *body, osdear__arena *arena,
                          osdear__json **out, osdear_error **error)
{
  osdear__call call = { .method = "POST", .path = path, .body = body->data, .may_repeat = true };
  osdear_status st = osdear__buf_check(body, error);

  return st ? st : osdear__airbyte_config(runner, &call, arena, out, error);
}

osdear_status osdear__airbyte_attempts(osdear_job *job, osdear__arena *arena, const osdear__json **out, osdear_error **error)
{
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&body, "{\"id\":%s}", job->id);
  st = post(job->runner, "/jobs/get", &body, arena, &answer, error);
  if (st)
    return st;
  *out = osdear__json_list(answer, "attempts");
  return *out ? OSDEAR_OK
              : osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airbyte's answer about the attempts of job %s is no list", job->id);
}

/* Lines, or since 1.4 events with time and level. */
static void put_lines(osdear__buf *out, const osdear__json *logs)
{
  const osdear__json *lines = osdear__json_list(logs, "logLines"), *events = osdear__json_list(logs, "events");

  for (size_t i = 0; lines && i < lines->count; i++)
    if (lines->items[i].kind == JSON_IS_STRING) {
      osdear__buf_append(out, lines->items[i].text.data, lines->items[i].text.size);
      osdear__buf_putc(out, '\n');
    }
  for (size_t i = 0; events && i < events->count; i++) {
    const char *level = osdear__json_text(&events->items[i], "level"), *message = osdear__json_text(&events->items[i], "message");
    osdear__buf_printf(out, "%s%s%s\n", level ? level : "", level ? " " : "", message ? message : "");
  }
}

static osdear_status put_attempt(osdear_job *job, size_t number, osdear__buf *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&body, "{\"jobId\":%s,\"attemptNumber\":%zu}", job->id, number);
  st = post(job->runner, "/attempt/get_for_job", &body, &arena, &answer, error);
  if (st)
    return st;
  put_lines(out, osdear__json_get(answer, "logs"));
  return osdear__buf_check(out, error);
}

osdear_status osdear__airbyte_log_read(osdear_job_log *log, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) text = { 0 };
  const osdear__json *attempts;
  int64_t wanted = -1;
  osdear_status st = osdear__airbyte_attempts(log->job, &arena, &attempts, error);

  if (st)
    return st;
  if (log->stream &&
      (!osdear__parse_i64(osdear__str_of(log->stream), &wanted) || wanted < 0 || (size_t)wanted >= attempts->count))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job %s has no attempt \"%s\": the streams of its log are 0 to %zu",
                        log->job->id, log->stream, attempts->count ? attempts->count - 1 : 0);
  for (size_t i = 0; !st && i < attempts->count; i++)
    if (wanted < 0 || (size_t)wanted == i)
      st = put_attempt(log->job, i, &text, error);
  if (!st && (int64_t)text.size > log->offset) {
    osdear__buf_append(&log->data, text.data + log->offset, text.size - (size_t)log->offset);
    log->offset = (int64_t)text.size;
    st = osdear__buf_check(&log->data, error);
  }
  return st;
}
