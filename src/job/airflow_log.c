/* The logs of a run's tasks, one after the other in the order in which they started; or that of one task. */
#include <job/airflow.h>

#include <stdio.h>

void osdear__airflow_log_close(osdear_job_log *log)
{
  osdear__airflow_log *own = log->own;

  osdear__buf_drop(&own->told);
  osdear__buf_drop(&own->current);
}

/* One event a line: Airflow 3 gives objects, one of each try. */
static osdear_status put_events(osdear__buf *out, const osdear__http_response *response, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  const osdear__json *content;
  osdear_status st = osdear__service_json(response, &arena, &answer, error);

  if (st)
    return st;
  content = osdear__json_get(answer, "content");
  if (content && content->kind == JSON_IS_STRING)
    osdear__buf_append(out, content->text.data, content->text.size);
  for (size_t i = 0; content && content->kind == JSON_IS_ARRAY && i < content->count; i++) {
    const osdear__json *item = &content->items[i];
    const char *time = osdear__json_text(item, "timestamp"), *level = osdear__json_text(item, "level");
    const char *event = item->kind == JSON_IS_STRING ? item->text.data : osdear__json_text(item, "event");
    osdear__buf_printf(out, "%s%s%s%s%s\n", time ? time : "", time ? " " : "", level ? level : "", level ? " " : "",
                       event ? event : "");
  }
  return osdear__buf_check(out, error);
}

static osdear_status fetch(osdear_job *job, const char *task, int64_t map_index, int64_t attempt, osdear__buf *out,
                           osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear__airflow *airflow = job->runner->own;
  osdear__call call = { .method = "GET" };
  osdear_status st;

  osdear__airflow_put_run(job, &path);
  osdear__buf_puts(&path, "/taskInstances/");
  osdear__http_put_encoded(&path, osdear__str_of(task), "");
  osdear__buf_printf(&path, "/logs/%" PRId64 "?full_content=true&map_index=%" PRId64, attempt, map_index);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  call.path = path.data;
  call.accept = airflow->version == 1 ? "text/plain" : NULL;
  st = osdear__service_send(job->runner, osdear__airflow_client(job->runner), &call, &response, error);
  if (st)
    return st;
  if (response.status != 200)
    return osdear__service_fail(job->runner, &response, osdear__airflow_words, error);
  if (airflow->version > 1)
    return put_events(out, &response, error);
  osdear__buf_append(out, response.body.data ? response.body.data : "", response.body.size);
  return osdear__buf_check(out, error);
}

/* Gives out what there is of one task's log behind what was given before. *done: there will be no more of it. */
static osdear_status tell(osdear_job_log *log, const osdear__json *task, const char *name, bool *done, osdear_error **error)
{
  osdear__airflow_log *own = log->own;
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (!own->current.data || strcmp(own->current.data, name) != 0) {
    osdear__buf_clear(&own->current);
    osdear__buf_puts(&own->current, name);
    log->offset = 0;
  }
  st = osdear__buf_check(&own->current, error);
  if (!st)
    st = fetch(log->job, osdear__json_text(task, "task_id"), osdear__json_int(task, "map_index", -1),
               osdear__json_int(task, "try_number", 1), &text, error);
  if (st)
    return st;
  if ((int64_t)text.size > log->offset) {
    osdear__buf_append(&log->data, text.data + log->offset, text.size - (size_t)log->offset);
    log->offset = (int64_t)text.size;
  }
  *done = osdear__airflow_task_is_over(task);
  return osdear__buf_check(&log->data, error);
}

static bool is_told(const osdear__airflow_log *own, const char *name)
{
  SCOPED(buf) line = { 0 };

  osdear__buf_printf(&line, "\n%s\n", name);
  return line.data && own->told.data && strstr(own->told.data, line.data);
}

osdear_status osdear__airflow_log_read(osdear_job_log *log, osdear_error **error)
{
  osdear__airflow_log *own = log->own;
  SCOPED(arena) arena = { 0 };
  osdear__json *tasks;
  osdear_status st = osdear__airflow_tasks(log->job, &arena, &tasks, error);
  bool is_known = false;

  for (size_t i = 0; !st && i < tasks->count && log->data.size == 0; i++) {
    const osdear__json *task = &tasks->items[i];
    const char *id = osdear__json_text(task, "task_id");
    int64_t attempt = osdear__json_int(task, "try_number", 0);
    char name[400];
    bool done = false;

    if (!id || (log->stream && strcmp(id, log->stream) != 0))
      continue;
    is_known = true;
    if (attempt < 1 || !osdear__json_text(task, "start_date"))
      continue;
    snprintf(name, sizeof name, "%s/%" PRId64 "/%" PRId64, id, osdear__json_int(task, "map_index", -1), attempt);
    if (is_told(own, name))
      continue;
    st = tell(log, task, name, &done, error);
    if (!st && !done)
      break; /* the next task's log comes when this one's is over */
    if (!st && log->data.size == 0) {
      osdear__buf_printf(&own->told, "\n%s\n", name);
      st = osdear__buf_check(&own->told, error);
    }
  }
  if (!st && log->stream && !is_known)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the run %s has no task \"%s\": the streams of its log are its tasks",
                        log->job->id, log->stream);
  return st;
}
