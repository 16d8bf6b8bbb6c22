/* Airbyte: a sync, refresh, clear or reset of a connection is a job. The public API knows of jobs; checks, logs and failures are the config API's. */
#include <job/airbyte.h>

#include <container/container.h>
#include <stdio.h>

enum { PAGE = 100, MOST_PAGES = 1000, ATTEMPTS_TO_TRIGGER = 3 };

static const char *const settings[] = {
  OSDEAR__SERVICE_SETTINGS, "client_id", "client_secret", "token", "username", "password", NULL
};

static const osdear__spec_member members[] = {
  { "name", SPEC_TEXT }, { "connection", SPEC_TEXT }, { "workspace", SPEC_TEXT },
  { "type", SPEC_TEXT }, { "attach", SPEC_BOOL },     { NULL, SPEC_TEXT },
};

/* ---- the service ---- */

/* The public API tells problems after RFC 9457, the config API by `message`, with a stack trace besides. */
const char *osdear__airbyte_words(const osdear__json *body)
{
  static const char *const names[] = { "detail", "message", "title", NULL };
  const char *found = NULL;

  for (size_t i = 0; names[i] && !(found && found[0]); i++)
    found = osdear__json_text(body, names[i]);
  return found;
}

/* The schema of a token's request requires `grant_type`, and defines `grant-type`: both are sent. */
static osdear_status put_login(const osdear_runner *runner, osdear__buf *out, osdear_error **error)
{
  bool first = true;

  osdear__buf_putc(out, '{');
  osdear__json_put_text(out, &first, "client_id", osdear__runner_setting(runner, "client_id"));
  osdear__json_put_text(out, &first, "client_secret", osdear__runner_setting(runner, "client_secret"));
  osdear__json_put_text(out, &first, "grant-type", "client_credentials");
  osdear__json_put_text(out, &first, "grant_type", "client_credentials");
  osdear__buf_putc(out, '}');
  return osdear__buf_check(out, error);
}

static osdear_status log_in(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error)
{
  const osdear__airbyte *airbyte = runner->own;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__call call = { .method = "POST", .may_repeat = true };
  osdear__json *answer;
  int64_t life_s;
  osdear_status st = put_login(runner, &body, error);

  osdear__buf_printf(&path, "%s/applications/token", airbyte->public_path);
  if (!st)
    st = osdear__buf_check(&path, error);
  if (st)
    return st;
  call.path = path.data;
  call.body = body.data;
  st = osdear__service_call(runner, airbyte->plain, &call, osdear__airbyte_words, &arena, &answer, error);
  if (st)
    return st;
  if (!osdear__json_text(answer, "access_token"))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airbyte's login gives no token");
  life_s = osdear__json_int(answer, "expires_in", -1);
  *life_ms = life_s > 0 && life_s < INT64_MAX / 1000 ? life_s * 1000 : -1;
  osdear__buf_printf(value, "Bearer %s", osdear__json_text(answer, "access_token"));
  return OSDEAR_OK;
}

/* An installation without authentication wants no header at all. */
static osdear_status credentials(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error)
{
  const char *token = osdear__runner_setting(runner, "token"), *user = osdear__runner_setting(runner, "username");
  const char *password = osdear__runner_setting(runner, "password");
  SCOPED(buf) pair = { 0 };

  if (osdear__runner_setting(runner, "client_id"))
    return log_in(runner, value, life_ms, error);
  if (token)
    osdear__buf_printf(value, "Bearer %s", token);
  else if (user) {
    osdear__buf_printf(&pair, "%s:%s", user, password ? password : "");
    osdear__buf_puts(value, "Basic ");
    osdear__base64_put(value, pair.data ? pair.data : "", pair.size, false);
  }
  return osdear__buf_check(&pair, error);
}

static bool is_refusal(const osdear__http_response *answer)
{
  return answer->status == 401;
}

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  osdear__airbyte *airbyte = runner->own;
  const char *base_url = runner->address + strlen("airbyte+");

  if (!osdear__runner_setting(runner, "client_id") != !osdear__runner_setting(runner, "client_secret"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"client_id\" and \"client_secret\" go together");
  airbyte->has_config = !osdear__starts_with(base_url, "https://api.airbyte.com");
  airbyte->public_path = airbyte->has_config ? "/api/public/v1" : "/v1";
  airbyte->token = (osdear__token){ .runner = runner, .fetch = credentials, .is_refusal = is_refusal };
  return osdear__token_clients(&airbyte->token, base_url, &airbyte->plain, &airbyte->client, error);
}

static void close_runner(osdear_runner *runner)
{
  osdear__airbyte *airbyte = runner->own;

  osdear__http_client_unref(airbyte->plain);
  osdear__http_client_unref(airbyte->client);
  osdear__token_drop(&airbyte->token);
}

static osdear_status call_below(osdear_runner *runner, const char *start, const osdear__call *given, osdear__arena *arena,
                                osdear__json **out, osdear_error **error)
{
  const osdear__airbyte *airbyte = runner->own;
  osdear__call call = *given;
  SCOPED(buf) path = { 0 };
  osdear_status st;

  osdear__buf_printf(&path, "%s%s", start, given->path);
  st = osdear__buf_check(&path, error);
  call.path = path.data;
  return st ? st : osdear__service_call(runner, airbyte->client, &call, osdear__airbyte_words, arena, out, error);
}

osdear_status osdear__airbyte_public(osdear_runner *runner, const osdear__call *call, osdear__arena *arena, osdear__json **out,
                                     osdear_error **error)
{
  const osdear__airbyte *airbyte = runner->own;

  return call_below(runner, airbyte->public_path, call, arena, out, error);
}

osdear_status osdear__airbyte_get(osdear_runner *runner, const osdear__buf *path, int64_t timeout_ms, osdear__arena *arena,
                                  osdear__json **out, osdear_error **error)
{
  osdear__call call = { .method = "GET", .path = path->data, .timeout_ms = timeout_ms };
  osdear_status st = osdear__buf_check(path, error);

  return st ? st : osdear__airbyte_public(runner, &call, arena, out, error);
}

osdear_status osdear__airbyte_config(osdear_runner *runner, const osdear__call *call, osdear__arena *arena, osdear__json **out,
                                     osdear_error **error)
{
  const osdear__airbyte *airbyte = runner->own;

  if (!airbyte->has_config)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "Airbyte Cloud has no config API, which tells of checks, attempts and logs");
  return call_below(runner, "/api/v1", call, arena, out, error);
}

/* ---- names ---- */

bool osdear__airbyte_is_id(const char *text)
{
  return strlen(text) == 36 && strspn(text, "0123456789abcdefABCDEF-") == 36;
}

/* Looks through one page. *found counts those of the name. */
static void look_through(const osdear__json *data, const char *id_member, const char *name, const char **id, size_t *found)
{
  for (size_t i = 0; i < data->count; i++) {
    const char *its = osdear__json_text(&data->items[i], "name"), *its_id = osdear__json_text(&data->items[i], id_member);
    if (!its || !its_id || strcmp(its, name) != 0 || !osdear__airbyte_is_id(its_id)) /* it goes into paths */
      continue;
    *id = its_id;
    ++*found;
  }
}

osdear_status osdear__airbyte_find(osdear_runner *runner, const char *kind, const char *name, const char *workspace,
                                   osdear__arena *arena, const char **id, osdear_error **error)
{
  char id_member[24];
  size_t found = 0, seen = 0;

  *id = name;
  if (osdear__airbyte_is_id(name))
    return OSDEAR_OK;
  snprintf(id_member, sizeof id_member, "%sId", kind);
  for (int page = 0; page < MOST_PAGES; page++) {
    SCOPED(buf) path = { 0 };
    const osdear__json *data;
    osdear__json *answer;
    osdear_status st;

    osdear__buf_printf(&path, "/%ss?limit=%d&offset=%zu", kind, PAGE, seen);
    if (workspace)
      osdear__buf_printf(&path, "&workspaceIds=%s", workspace);
    st = osdear__airbyte_get(runner, &path, 0, arena, &answer, error);
    if (st)
      return st;
    data = osdear__json_list(answer, "data");
    if (data)
      look_through(data, id_member, name, id, &found);
    if (!data || data->count == 0) /* a page may be shorter than was asked for, and not be the last */
      break;
    seen += data->count;
  }
  if (found == 1)
    return OSDEAR_OK;
  return osdear__fail(error, found ? OSDEAR_ERR_CONFLICT : OSDEAR_ERR_NOT_FOUND,
                      found ? "Airbyte has more than one %s \"%s\": give its id" : "Airbyte has no %s \"%s\"", kind, name);
}

/* ---- submitting ---- */

static const osdear__state_word state_words[] = {
  { "pending", OSDEAR_JOB_PENDING },     { "queued", OSDEAR_JOB_PENDING },
  { "running", OSDEAR_JOB_RUNNING },     { "incomplete", OSDEAR_JOB_RUNNING }, /* an attempt failed, and another follows */
  { "succeeded", OSDEAR_JOB_SUCCEEDED }, { "failed", OSDEAR_JOB_FAILED },
  { "cancelled", OSDEAR_JOB_CANCELLED }, { NULL, OSDEAR_JOB_UNKNOWN },
};

static const char *type_of(const osdear__json *spec)
{
  const char *type = osdear__json_text(spec, "type");

  return type ? type : "sync";
}

static osdear_status check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  static const char *const types[] = { "sync", "reset", "refresh", "clear" };
  const char *connection = osdear__json_text(spec, "connection"), *type = type_of(spec);

  if (!connection || !connection[0])
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s names its \"connection\"", runner->kind->what);
  for (size_t i = 0; i < COUNT_OF(types); i++)
    if (strcmp(type, types[i]) == 0)
      return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"type\" is sync, reset, refresh or clear, not \"%s\"", type);
}

static osdear_status connection_of(osdear_runner *runner, const osdear__json *spec, osdear__arena *arena, const char **id,
                                   osdear_error **error)
{
  const char *workspace = osdear__json_text(spec, "workspace");
  osdear_status st = workspace ? osdear__airbyte_find(runner, "workspace", workspace, NULL, arena, &workspace, error) : OSDEAR_OK;

  return st ? st : osdear__airbyte_find(runner, "connection", osdear__json_text(spec, "connection"), workspace, arena, id, error);
}

/* The connection's latest jobs, newest first. */
static osdear_status latest_jobs(osdear_runner *runner, const char *connection, osdear__arena *arena, const osdear__json **out,
                                 osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&path, "/jobs?connectionId=%s&limit=%d&orderBy=createdAt%%7CDESC", connection, PAGE);
  st = osdear__airbyte_get(runner, &path, 0, arena, &answer, error);
  if (st)
    return st;
  *out = osdear__json_list(answer, "data");
  return *out ? OSDEAR_OK
              : osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airbyte's answer about the jobs of %s is no list", connection);
}

/* Airbyte has no key for a submission. The newest job of before is noted down, so that one that came since is known. */
static osdear_status note_newest(osdear_runner *runner, const osdear__submission *submission, const char *connection,
                                 osdear__arena *arena, osdear_error **error)
{
  const osdear__json *jobs;
  char text[24];
  size_t length;
  osdear_status st = latest_jobs(runner, connection, arena, &jobs, error);

  if (st)
    return st;
  length = osdear__format_i64(jobs->count ? osdear__json_int(&jobs->items[0], "jobId", 0) : 0, text);
  return osdear__small_file_write(submission->folder, OSDEAR__NEWEST, (osdear__str){ text, length }, error);
}

/* A connection does one thing at a time: of its jobs at most one goes on. */
static osdear_status running_job(osdear_runner *runner, const char *connection, const char *type, osdear__arena *arena,
                                 osdear__buf *id, osdear_error **error)
{
  const osdear__json *jobs;
  osdear_status st = latest_jobs(runner, connection, arena, &jobs, error);

  for (size_t i = 0; !st && i < jobs->count && id->size == 0; i++) {
    const char *status = osdear__json_text(&jobs->items[i], "status"), *its_type = osdear__json_text(&jobs->items[i], "jobType");
    int64_t number = osdear__json_int(&jobs->items[i], "jobId", -1);

    if (number < 0 || !status || osdear_job_state_is_final(osdear__state_of_word(state_words, status)))
      continue;
    if (its_type && strcmp(its_type, type) != 0)
      return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                          "job %" PRId64 " of the connection is a %s, and goes on: wait for it, or cancel it", number, its_type);
    osdear__buf_printf(id, "%" PRId64, number);
  }
  return st ? st : osdear__buf_check(id, error);
}

static osdear_status trigger(osdear_runner *runner, const char *connection, const char *type, osdear__arena *arena,
                             osdear__buf *id, osdear_error **error)
{
  SCOPED(buf) body = { 0 };
  osdear__call call = { .method = "POST", .path = "/jobs" };
  osdear__json *answer;
  bool first = true;
  int64_t number;
  osdear_status st;

  osdear__buf_putc(&body, '{');
  osdear__json_put_text(&body, &first, "connectionId", connection);
  osdear__json_put_text(&body, &first, "jobType", type);
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  call.body = body.data;
  if (!st)
    st = osdear__airbyte_public(runner, &call, arena, &answer, error);
  if (st)
    return st;
  number = osdear__json_int(answer, "jobId", -1);
  if (number < 0)
    return osdear__fail(error, OSDEAR_ERR_IO, "Airbyte took the job, but its answer names none");
  osdear__buf_printf(id, "%" PRId64, number);
  return osdear__buf_check(id, error);
}

/* A 409 says that a job goes on already: that one is taken up. It may have ended before it was looked for: then there is room for ours. */
static osdear_status trigger_or_attach(osdear_runner *runner, const osdear__submission *submission, const char *connection,
                                       osdear__arena *arena, osdear__buf *id, bool *unknown, osdear_error **error)
{
  const char *type = type_of(submission->spec);

  for (int attempt = 1;; attempt++) {
    AUTO(error) failure = NULL;
    osdear_status st = trigger(runner, connection, type, arena, id, &failure);

    *unknown = osdear__service_is_unknown(st);
    if (st != OSDEAR_ERR_CONFLICT || !osdear__json_flag(submission->spec, "attach", true))
      return osdear__fail_on(error, st, &failure);
    st = running_job(runner, connection, type, arena, id, error);
    if (st)
      return st;
    if (id->size) {
      *submission->was_found = true;
      return OSDEAR_OK;
    }
    if (attempt == ATTEMPTS_TO_TRIGGER)
      return osdear__fail_on(error, OSDEAR_ERR_CONFLICT, &failure);
  }
}

static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const char *connection;
  bool unknown = false;
  osdear_status st = connection_of(runner, submission->spec, &arena, &connection, error);

  if (!st)
    st = note_newest(runner, submission, connection, &arena, error);
  if (!st)
    st = trigger_or_attach(runner, submission, connection, &arena, id, &unknown, error);
  *outcome = unknown ? SEND_UNKNOWN : SEND_REFUSED;
  return st;
}

/* The first job since then is ours, or one that began after we had asked for ours, which is as good. */
static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) text = { 0 };
  const osdear__json *jobs;
  const char *connection;
  int64_t newest, found = INT64_MAX;
  bool is_there;
  osdear_status st = osdear__small_file_read(submission->folder, OSDEAR__NEWEST, &text, &is_there, error);

  if (st || !is_there || !osdear__parse_i64((osdear__str){ text.data, text.size }, &newest))
    return st;
  st = connection_of(runner, submission->spec, &arena, &connection, error);
  if (!st)
    st = latest_jobs(runner, connection, &arena, &jobs, error);
  for (size_t i = 0; !st && i < jobs->count; i++) {
    const char *type = osdear__json_text(&jobs->items[i], "jobType");
    int64_t number = osdear__json_int(&jobs->items[i], "jobId", -1);
    if (number > newest && number < found && (!type || strcmp(type, type_of(submission->spec)) == 0))
      found = number;
  }
  if (!st && found != INT64_MAX)
    osdear__buf_printf(id, "%" PRId64, found);
  return st;
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  size_t length = strlen(job->id);

  if (length && length <= 18 && strspn(job->id, "0123456789") == length)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a job of Airbyte's, which is a number", job->id);
}

static osdear_status ask(osdear_job *job, osdear__ask *out, osdear_error **error)
{
  const osdear__airbyte *airbyte = job->runner->own;

  out->client = airbyte->client;
  osdear__buf_printf(&out->path, "%s/jobs/%s", airbyte->public_path, job->id);
  return osdear__buf_check(&out->path, error);
}

static osdear_status hear(osdear_job *job, const osdear__http_response *response, bool *again, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  const char *native;
  osdear_job_state state;
  osdear_status st = osdear__service_hear(job->runner, response, osdear__airbyte_words, &arena, &answer, error);

  *again = false;
  if (st || !answer)
    return st;
  native = osdear__json_text(answer, "status");
  if (!native)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airbyte's answer about job %s has no status", job->id);
  state = osdear__state_of_word(state_words, native);
  return osdear__job_set(job, state, osdear__str_of(native),
                         state == OSDEAR_JOB_FAILED ? "all attempts failed: the result says why, and their logs say more" : NULL,
                         error);
}

/* 409 is the answer for a job that has ended: the polls that follow tell how. */
static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  AUTO(error) failure = NULL;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__call call = { .method = "DELETE" };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&path, "/jobs/%s", job->id);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  call.path = path.data;
  st = osdear__airbyte_public(job->runner, &call, &arena, &answer, &failure);
  return st == OSDEAR_ERR_CONFLICT ? OSDEAR_OK : osdear__fail_on(error, st, &failure);
}

static void put_attempts(osdear__buf *out, const osdear__json *attempts)
{
  static const char *const names[] = { "id", "status", "bytesSynced", "recordsSynced", NULL };
  static const char *const reasons[] = { "failureOrigin", "failureType", "externalMessage", NULL };
  bool first = true;

  osdear__buf_putc(out, '[');
  for (size_t i = 0; i < attempts->count; i++) {
    const osdear__json *attempt = osdear__json_get(&attempts->items[i], "attempt");
    const osdear__json *failures = osdear__json_list(osdear__json_get(attempt, "failureSummary"), "failures");
    bool first_member = true;

    osdear__json_put_comma(out, &first);
    osdear__buf_putc(out, '{');
    osdear__json_put_members(out, &first_member, attempt ? attempt : &attempts->items[i], names);
    osdear__json_put_key(out, &first_member, "failures");
    osdear__json_put_objects(out, failures, reasons);
    osdear__buf_putc(out, '}');
  }
  osdear__buf_putc(out, ']');
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  static const char *const names[] = { "jobType",  "connectionId", "startTime",  "lastUpdatedAt",
                                       "duration", "bytesSynced",  "rowsSynced", NULL };
  const osdear__airbyte *airbyte = job->runner->own;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  const osdear__json *attempts;
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&path, "/jobs/%s", job->id);
  st = osdear__airbyte_get(job->runner, &path, 0, &arena, &answer, error);
  if (st)
    return st;
  osdear__json_put_members(out, first, answer, names);
  if (!airbyte->has_config)
    return OSDEAR_OK;
  st = osdear__airbyte_attempts(job, &arena, &attempts, error);
  if (st)
    return st;
  osdear__json_put_key(out, first, "attempts");
  put_attempts(out, attempts);
  return OSDEAR_OK;
}

const osdear__runner_kind osdear__runner_airbyte = {
  OSDEAR__SERVICE_VERBS,
  .name = "airbyte",
  .scheme = "airbyte+http",
  .settings = settings,
  .spec = members,
  .what = "a spec for Airbyte",
  .verbs = osdear__airbyte_verbs,
  .own_size = sizeof(osdear__airbyte),
  .check = check,
  .log_read = osdear__airbyte_log_read,
};
