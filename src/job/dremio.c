/* Dremio: a statement of SQL is a job. */
#include <job/dremio.h>

#include <stdio.h>

enum { LOOK_UP_MS = 60000 }; /* how long the question whether a statement was sent before may take */

static const char *const settings[] = { OSDEAR__SERVICE_SETTINGS, "username", "password", "token", NULL };

static const osdear__spec_member members[] = {
  { "name", SPEC_TEXT },   { "sql", SPEC_TEXT },      { "context", SPEC_TEXTS }, { "references", SPEC_OBJECT },
  { "engine", SPEC_TEXT }, { "refresh", SPEC_TEXTS }, { "force", SPEC_BOOL },    { NULL, SPEC_TEXT },
};

/* ---- the service ---- */

const char *osdear__dremio_words(const osdear__json *body)
{
  return osdear__json_text(body, "errorMessage");
}

/* 401 says that the password is wrong, 5xx that the server is not up yet: the first is DENIED, the second UNAVAILABLE and worth waiting for. */
static osdear_status log_in(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error)
{
  const osdear__dremio *dremio = runner->own;
  const char *token = osdear__runner_setting(runner, "token"), *user = osdear__runner_setting(runner, "username");
  const char *password = osdear__runner_setting(runner, "password");
  osdear__call call = { .method = "POST", .path = "/apiv2/login", .may_repeat = true };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  int64_t expires_ms;
  bool first = true;
  osdear_status st;

  if (token) /* a personal access token */
    osdear__buf_printf(value, "Bearer %s", token);
  if (token || !user)
    return OSDEAR_OK;
  osdear__buf_putc(&body, '{');
  osdear__json_put_text(&body, &first, "userName", user);
  osdear__json_put_text(&body, &first, "password", password ? password : "");
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  call.body = body.data;
  if (!st)
    st = osdear__service_call(runner, dremio->plain, &call, osdear__dremio_words, &arena, &answer, error);
  if (st)
    return osdear__fail_within(error, st, "Dremio's login");
  if (!osdear__json_text(answer, "token"))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio's login gives no token");
  expires_ms = osdear__json_int(answer, "expires", 0);
  *life_ms = expires_ms > osdear__now_us() / 1000 ? expires_ms - osdear__now_us() / 1000 : -1;
  osdear__buf_printf(value, "_dremio%s", osdear__json_text(answer, "token"));
  return OSDEAR_OK;
}

static bool is_refusal(const osdear__http_response *answer)
{
  return answer->status == 401;
}

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  osdear__dremio *dremio = runner->own;

  dremio->token = (osdear__token){ .runner = runner, .fetch = log_in, .is_refusal = is_refusal };
  return osdear__token_clients(&dremio->token, runner->address + strlen("dremio+"), &dremio->plain, &dremio->client, error);
}

static void close_runner(osdear_runner *runner)
{
  osdear__dremio *dremio = runner->own;

  osdear__http_client_unref(dremio->plain);
  osdear__http_client_unref(dremio->client);
  osdear__token_drop(&dremio->token);
}

osdear_status osdear__dremio_call(osdear_runner *runner, const char *method, const char *path, const osdear__buf *body,
                                  osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  const osdear__dremio *dremio = runner->own;
  osdear__call call = { .method = method, .path = path, .body = body ? body->data : NULL };
  osdear_status st = body ? osdear__buf_check(body, error) : OSDEAR_OK;

  return st ? st : osdear__service_call(runner, dremio->client, &call, osdear__dremio_words, arena, out, error);
}

/* ---- statements ---- */

void osdear__dremio_put_name(osdear__buf *out, const osdear__json *path)
{
  for (size_t i = 0; i < path->count; i++) {
    osdear__buf_puts(out, i ? ".\"" : "\"");
    for (const char *c = path->items[i].text.data; *c; c++) {
      if (*c == '"')
        osdear__buf_putc(out, '"');
      osdear__buf_putc(out, *c);
    }
    osdear__buf_putc(out, '"');
  }
}

static osdear_status check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  const char *sql = osdear__json_text(spec, "sql");

  if (!osdear__json_get(spec, "sql") == !osdear__json_get(spec, "refresh"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has just one of \"sql\" and \"refresh\"", runner->kind->what);
  if (sql ? !sql[0] : osdear__spec_count(spec, "refresh") == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the \"%s\" is empty", sql ? "sql" : "refresh");
  if (sql && osdear__json_get(spec, "force"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"force\" goes with \"refresh\"");
  return OSDEAR_OK;
}

/* The comment is our mark: Dremio has no key for a submission, but keeps the text of its statements. */
static void put_statement(osdear__buf *out, const osdear__submission *submission)
{
  const osdear__json *refresh = osdear__json_get(submission->spec, "refresh");

  osdear__buf_printf(out, "/* osdear:%s */ ", submission->name);
  if (!refresh) {
    osdear__buf_puts(out, osdear__json_text(submission->spec, "sql"));
    return;
  }
  osdear__buf_puts(out, "ALTER TABLE ");
  osdear__dremio_put_name(out, refresh);
  osdear__buf_puts(out,
                   osdear__json_flag(submission->spec, "force", false) ? " REFRESH METADATA FORCE UPDATE" : " REFRESH METADATA");
}

/* Appends the id of the job that a statement has become. `spec` NULL: nothing besides the statement. */
static osdear_status send_statement(osdear_runner *runner, const char *sql, const osdear__json *spec, osdear__buf *id,
                                    osdear_error **error)
{
  static const char *const passed[] = { "context", "references", NULL };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  bool first = true;
  osdear_status st;

  osdear__buf_putc(&body, '{');
  osdear__json_put_text(&body, &first, "sql", sql);
  osdear__json_put_members(&body, &first, spec, passed);
  if (osdear__json_text(spec, "engine"))
    osdear__json_put_text(&body, &first, "engineName", osdear__json_text(spec, "engine"));
  osdear__buf_putc(&body, '}');
  st = osdear__dremio_call(runner, "POST", "/api/v3/sql", &body, &arena, &answer, error);
  if (st)
    return st;
  if (!osdear__json_text(answer, "id"))
    return osdear__fail(error, OSDEAR_ERR_IO, "Dremio took the statement, but its answer names no job");
  osdear__buf_puts(id, osdear__json_text(answer, "id"));
  return osdear__buf_check(id, error);
}

static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  SCOPED(buf) sql = { 0 };
  osdear_status st;

  put_statement(&sql, submission);
  st = osdear__buf_check(&sql, error);
  if (!st)
    st = send_statement(runner, sql.data, submission->spec, id, error);
  *outcome = osdear__service_is_unknown(st) ? SEND_UNKNOWN : SEND_REFUSED;
  return st;
}

/* ---- finding what was sent ---- */

static osdear_status first_cell(osdear_runner *runner, const char *id, osdear__buf *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const osdear__json *rows;
  osdear__json *page;
  osdear_status st = osdear__dremio_page(runner, id, 0, 1, &arena, &page, error);

  if (st)
    return st;
  rows = osdear__json_list(page, "rows");
  if (rows && rows->count && osdear__json_text(&rows->items[0], "job_id"))
    osdear__buf_puts(out, osdear__json_text(&rows->items[0], "job_id"));
  return osdear__buf_check(out, error);
}

/* The list of statements is a table. The mark is put together in SQL, so that the question does not find itself. */
static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  osdear_job_wait_options options = OSDEAR_JOB_WAIT_OPTIONS_INIT;
  SCOPED(buf) sql = { 0 };
  SCOPED(buf) question = { 0 };
  osdear_job *job = NULL;
  osdear_status st;

  osdear__buf_printf(&sql, "SELECT job_id FROM sys.jobs_recent WHERE query LIKE '%%osdear' || ':%s%%' LIMIT 1", submission->name);
  st = osdear__buf_check(&sql, error);
  if (!st)
    st = send_statement(runner, sql.data, NULL, &question, error);
  if (!st)
    st = osdear_runner_attach(runner, question.data, &job, error);
  options.timeout_ms = LOOK_UP_MS;
  options.cancel_on_timeout = 1;
  if (!st)
    st = osdear_job_wait(job, &options, error);
  if (!st && job->state != OSDEAR_JOB_SUCCEEDED)
    st = osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "sys.jobs_recent cannot be asked (%s)",
                      job->message ? job->message : job->native);
  if (!st)
    st = first_cell(runner, question.data, id, error);
  osdear_job_free(job);
  return st ? osdear__fail_within(error, st, "whether it was submitted before is not known") : st;
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  size_t length = strlen(job->id);

  if (length && length <= 64 && strspn(job->id, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == length)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a job of Dremio's, which looks like a UUID", job->id);
}

static osdear_status ask(osdear_job *job, osdear__ask *out, osdear_error **error)
{
  const osdear__dremio *dremio = job->runner->own;

  out->client = dremio->client;
  osdear__buf_printf(&out->path, "/api/v3/job/%s", job->id);
  return osdear__buf_check(&out->path, error);
}

static const osdear__state_word state_words[] = {
  { "NOT_SUBMITTED", OSDEAR_JOB_PENDING },
  { "STARTING", OSDEAR_JOB_PENDING },
  { "PENDING", OSDEAR_JOB_PENDING },
  { "METADATA_RETRIEVAL", OSDEAR_JOB_PENDING },
  { "PLANNING", OSDEAR_JOB_PENDING },
  { "ENQUEUED", OSDEAR_JOB_PENDING },
  { "QUEUED", OSDEAR_JOB_PENDING },
  { "ENGINE_START", OSDEAR_JOB_PENDING },
  { "EXECUTION_PLANNING", OSDEAR_JOB_PENDING },
  { "RUNNING", OSDEAR_JOB_RUNNING },
  { "CANCELLATION_REQUESTED", OSDEAR_JOB_RUNNING },
  { "COMPLETED", OSDEAR_JOB_SUCCEEDED },
  { "FAILED", OSDEAR_JOB_FAILED },
  { "INVALID_STATE", OSDEAR_JOB_FAILED },
  { "CANCELED", OSDEAR_JOB_CANCELLED },
  { NULL, OSDEAR_JOB_UNKNOWN },
};

static osdear_status hear(osdear_job *job, const osdear__http_response *response, bool *again, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  const char *native, *message;
  osdear_status st = osdear__service_hear(job->runner, response, osdear__dremio_words, &arena, &answer, error);

  *again = false;
  if (st || !answer)
    return st;
  native = osdear__json_text(answer, "jobState");
  message = osdear__json_text(answer, "errorMessage");
  if (!native)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio's answer about job %s has no state", job->id);
  if (!message || !message[0])
    message = osdear__json_text(answer, "cancellationReason");
  return osdear__job_set(job, osdear__state_of_word(state_words, native), osdear__str_of(native),
                         message && message[0] ? message : NULL, error);
}

/* What has ended cannot be cancelled, which different versions tell differently: a job that is over is left alone. */
static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  AUTO(error) failure = NULL;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  osdear_status st = osdear_job_poll(job, error);

  if (st || osdear_job_state_is_final(job->state))
    return st;
  osdear__buf_printf(&path, "/api/v3/job/%s/cancel", job->id);
  osdear__buf_puts(&body, "{}");
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  st = osdear__dremio_call(job->runner, "POST", path.data, &body, &arena, &answer, &failure);
  return st == OSDEAR_ERR_ARGUMENT || st == OSDEAR_ERR_CONFLICT
             ? OSDEAR_OK /* it ended meanwhile: the polls that follow tell how */
             : osdear__fail_on(error, st, &failure);
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  static const char *const names[] = { "rowCount",  "startedAt", "endedAt",      "queryType",
                                       "queueName", "queueId",   "acceleration", NULL };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&path, "/api/v3/job/%s", job->id);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = osdear__dremio_call(job->runner, "GET", path.data, NULL, &arena, &answer, error);
  if (!st)
    osdear__json_put_members(out, first, answer, names);
  return st;
}

const osdear__runner_kind osdear__runner_dremio = {
  OSDEAR__SERVICE_VERBS,
  .name = "dremio",
  .scheme = "dremio+http",
  .settings = settings,
  .spec = members,
  .what = "a spec for Dremio",
  .verbs = osdear__dremio_verbs,
  .own_size = sizeof(osdear__dremio),
  .check = check,
  .rows = osdear__dremio_rows,
  .log_open = osdear__dremio_log_open,
  .log_read = osdear__dremio_log_read,
};
