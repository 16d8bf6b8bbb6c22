/* Airflow: a run of a DAG is a job. The run's id is the key: Airflow itself refuses a second run under it. */
#include <job/airflow.h>

#include <stdio.h>

enum { TASKS_PAGE = 100, TASKS_MOST_PAGES = 100 }; /* as many as Airflow gives at once by default; a server may give fewer */

static const char *const settings[] = { OSDEAR__SERVICE_SETTINGS, "username", "password", "token", "api", NULL };

static const osdear__spec_member members[] = {
  { "name", SPEC_TEXT },         { "dag", SPEC_TEXT },     { "conf", SPEC_OBJECT }, { "note", SPEC_TEXT },
  { "logical_date", SPEC_TEXT }, { "unpause", SPEC_BOOL }, { "clear", SPEC_TEXT },  { "tasks", SPEC_TEXTS },
  { "only_failed", SPEC_BOOL },  { NULL, SPEC_TEXT },
};

/* A run that is failed by us bears these words, so that whoever looks later knows it for cancelled. */
static const char cancelled_note[] = "cancelled through osdear";

/* ---- the service ---- */

const char *osdear__airflow_words(const osdear__json *body)
{
  const osdear__json *detail = osdear__json_get(body, "detail");

  if (detail && detail->kind == JSON_IS_ARRAY && detail->count)
    return osdear__json_text(&detail->items[0], "msg");
  if (detail && detail->kind == JSON_IS_OBJECT)
    return osdear__json_text(detail, "reason");
  return osdear__json_text(body, "detail") ? osdear__json_text(body, "detail") : osdear__json_text(body, "title");
}

static osdear_status log_in(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error)
{
  const osdear__airflow *airflow = runner->own;
  const char *user = osdear__runner_setting(runner, "username"), *password = osdear__runner_setting(runner, "password");
  const char *token = osdear__runner_setting(runner, "token");
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__call call = { .method = "POST", .path = "/auth/token", .may_repeat = true };
  osdear__json *answer;
  bool first = true;
  osdear_status st;

  (void)life_ms; /* by default a day; what is refused is renewed */
  if (token)
    osdear__buf_printf(value, "Bearer %s", token);
  if (token || !user)
    return OSDEAR_OK;
  osdear__buf_putc(&body, '{');
  osdear__json_put_key(&body, &first, "username");
  osdear__json_put_string(&body, osdear__str_of(user));
  osdear__json_put_key(&body, &first, "password");
  osdear__json_put_string(&body, osdear__str_of(password));
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  call.body = body.data;
  st = osdear__service_call(runner, airflow->plain, &call, osdear__airflow_words, &arena, &answer, error);
  if (st)
    return st;
  if (!osdear__json_text(answer, "access_token"))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airflow's login gives no token");
  osdear__buf_printf(value, "Bearer %s", osdear__json_text(answer, "access_token"));
  return OSDEAR_OK;
}

/* What is wrong with a token is told with 401, or with 403 and these words; another 403 is about what the user may do. */
static bool is_refusal(const osdear__http_response *answer)
{
  return answer->status == 401 || (answer->status == 403 && answer->body.data && strstr(answer->body.data, "Invalid JWT"));
}

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  osdear__airflow *airflow = runner->own;
  const char *api = osdear__runner_setting(runner, "api"), *base_url = runner->address + strlen("airflow+");
  osdear__http_config config = { 0 };
  osdear_status st;

  airflow->token = (osdear__token){ .runner = runner, .fetch = log_in, .is_refusal = is_refusal };
  if (api && strcmp(api, "v1") != 0 && strcmp(api, "v2") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting \"api\" is v1 or v2, not \"%s\"", api);
  airflow->version = api ? api[1] - '0' : 0;
  st = osdear__token_clients(&airflow->token, base_url, &airflow->plain, &airflow->client, error);
  if (!st)
    st = osdear__service_config(runner, &config, error);
  if (st)
    return st;
  config.base_url = base_url;
  config.user = osdear__runner_setting(runner, "username");
  config.secret = osdear__runner_setting(runner, "password");
  config.auth = config.user ? HTTP_AUTH_BASIC : HTTP_AUTH_NONE;
  return osdear__http_client_new(&config, &airflow->basic, error);
}

static void close_runner(osdear_runner *runner)
{
  osdear__airflow *airflow = runner->own;

  osdear__http_client_unref(airflow->plain);
  osdear__http_client_unref(airflow->client);
  osdear__http_client_unref(airflow->basic);
  osdear__token_drop(&airflow->token);
}

osdear_status osdear__airflow_open_api(osdear_runner *runner, osdear_error **error)
{
  osdear__airflow *airflow = runner->own;
  SCOPED(http_response) response = { 0 };
  osdear__call call = { .method = "GET", .path = "/api/v2/version" };
  osdear_status st;

  if (airflow->version)
    return OSDEAR_OK;
  st = osdear__service_send(runner, airflow->plain, &call, &response, error);
  if (st)
    return st;
  if (response.status != 200 && response.status != 401 && response.status != 403 && response.status != 404)
    return osdear__service_fail(runner, &response, osdear__airflow_words, error);
  airflow->version = response.status == 404 ? 1 : 2;
  return OSDEAR_OK;
}

osdear__http_client *osdear__airflow_client(const osdear_runner *runner)
{
  const osdear__airflow *airflow = runner->own;

  return airflow->version == 1 ? airflow->basic : airflow->client;
}

/* ---- submitting ---- */

/* "." and ".." would lead out of where they stand in a path. */
static bool is_name(const char *text, size_t size)
{
  return size > 0 && strspn(text, ".") < size;
}

static osdear_status check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  const char *dag = osdear__json_text(spec, "dag");

  if (!dag || !is_name(dag, strlen(dag)) || strchr(dag, '/'))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s names its \"dag\"", runner->kind->what);
  if (osdear__json_get(spec, "clear") && (osdear__json_get(spec, "conf") || osdear__json_get(spec, "logical_date")))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "\"clear\" runs an earlier run again: \"conf\" and \"logical_date\" are that run's");
  if (!osdear__json_get(spec, "clear") && (osdear__json_get(spec, "tasks") || osdear__json_get(spec, "only_failed")))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"tasks\" and \"only_failed\" go with \"clear\"");
  return OSDEAR_OK;
}

static void put_dag(osdear__buf *out, const osdear_runner *runner, const char *dag)
{
  const osdear__airflow *airflow = runner->own;

  osdear__buf_printf(out, "/api/v%d/dags/", (int)airflow->version);
  osdear__http_put_encoded(out, osdear__str_of(dag), "");
}

/* The run's id: the key itself, so that callers without a common state folder meet, too. */
static void put_run_id(osdear__buf *out, const osdear__submission *submission)
{
  if (submission->key)
    osdear__buf_puts(out, submission->key);
  else
    osdear__buf_printf(out, "osdear__%s", submission->name);
}

static osdear_status call(osdear_runner *runner, const char *method, const osdear__buf *path, const char *body,
                          osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  osdear__call request = { .method = method, .path = path->data, .body = body, .may_repeat = true };
  osdear_status st = osdear__buf_check(path, error);

  return st ? st
            : osdear__service_call(runner, osdear__airflow_client(runner), &request, osdear__airflow_words, arena, out, error);
}

/* Whether the run is there. */
static osdear_status has_run(osdear_runner *runner, const char *dag, const char *run, bool *has, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  AUTO(error) failure = NULL;
  osdear__json *answer;
  osdear_status st;

  put_dag(&path, runner, dag);
  osdear__buf_puts(&path, "/dagRuns/");
  osdear__http_put_encoded(&path, osdear__str_of(run), "");
  st = call(runner, "GET", &path, NULL, &arena, &answer, &failure);
  *has = st == OSDEAR_OK;
  if (st == OSDEAR_OK || st == OSDEAR_ERR_NOT_FOUND)
    return OSDEAR_OK;
  return osdear__fail_on(error, st, &failure);
}

/* Both ways may be asked for again without harm. */
static osdear_status set_paused(osdear_runner *runner, const char *dag, bool paused, osdear__arena *arena, osdear__json **answer,
                                osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear_status st = osdear__airflow_open_api(runner, error);

  if (st)
    return st;
  put_dag(&path, runner, dag);
  osdear__buf_puts(&path, "?update_mask=is_paused");
  return call(runner, "PATCH", &path, paused ? "{\"is_paused\":true}" : "{\"is_paused\":false}", arena, answer, error);
}

/* The body that triggers a run. What Airflow 3 does not know it refuses; `logical_date` it wants to see even if it is null. */
static void put_trigger(osdear__buf *out, const osdear_runner *runner, const osdear__submission *submission, const char *run)
{
  const osdear__airflow *airflow = runner->own;
  const osdear__json *conf = osdear__json_get(submission->spec, "conf");
  const char *date = osdear__json_text(submission->spec, "logical_date"), *note = osdear__json_text(submission->spec, "note");
  bool first = true;

  osdear__buf_putc(out, '{');
  osdear__json_put_text(out, &first, "dag_run_id", run);
  if (date) {
    osdear__json_put_text(out, &first, "logical_date", date);
  } else if (airflow->version > 1) {
    osdear__json_put_key(out, &first, "logical_date");
    osdear__buf_puts(out, "null");
  }
  osdear__json_put_key(out, &first, "conf");
  if (conf)
    osdear__json_put_value(out, conf);
  else
    osdear__buf_puts(out, "{}");
  if (note)
    osdear__json_put_text(out, &first, "note", note);
  osdear__buf_putc(out, '}');
}

/* A repetition that finds the run there is answered with 409, and so is another run of the same logical date. */
static osdear_status trigger(osdear_runner *runner, const osdear__submission *submission, const char *dag, const char *run,
                             osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  AUTO(error) failure = NULL;
  osdear__json *answer;
  bool has = false;
  osdear_status st;

  put_dag(&path, runner, dag);
  osdear__buf_puts(&path, "/dagRuns");
  put_trigger(&body, runner, submission, run);
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  st = call(runner, "POST", &path, body.data, &arena, &answer, &failure);
  if (st == OSDEAR_ERR_CONFLICT && has_run(runner, dag, run, &has, NULL) == OSDEAR_OK && has)
    return OSDEAR_OK;
  return osdear__fail_on(error, st, &failure);
}

/* Runs tasks of an earlier run again. Both versions only tell what they would do, unless they are told otherwise. */
static osdear_status clear(osdear_runner *runner, const osdear__json *spec, const char *dag, const char *run,
                           osdear_error **error)
{
  const osdear__json *tasks = osdear__json_get(spec, "tasks");
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  bool first = true;
  osdear_status st;

  put_dag(&path, runner, dag);
  osdear__buf_puts(&path, "/clearTaskInstances");
  osdear__buf_puts(&body, "{\"dry_run\":false,\"reset_dag_runs\":true");
  first = false;
  osdear__json_put_text(&body, &first, "dag_run_id", run);
  osdear__json_put_key(&body, &first, "only_failed");
  osdear__buf_puts(&body, osdear__json_flag(spec, "only_failed", true) ? "true" : "false");
  if (tasks) {
    osdear__json_put_key(&body, &first, "task_ids");
    osdear__json_put_value(&body, tasks);
  }
  osdear__buf_putc(&body, '}');
  st = osdear__buf_check(&body, error);
  return st ? st : call(runner, "POST", &path, body.data, &arena, &answer, error);
}

static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  const char *dag = osdear__json_text(submission->spec, "dag"), *cleared = osdear__json_text(submission->spec, "clear");
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) run = { 0 };
  osdear__json *answer;
  osdear_status st;

  *outcome = SEND_REFUSED;
  if (cleared)
    osdear__buf_puts(&run, cleared);
  else
    put_run_id(&run, submission);
  st = osdear__buf_check(&run, error);
  if (!st)
    st = osdear__airflow_open_api(runner, error);
  if (!st && osdear__json_flag(submission->spec, "unpause", false))
    st = set_paused(runner, dag, false, &arena, &answer, error);
  if (st)
    return st;
  st = cleared ? clear(runner, submission->spec, dag, run.data, error) : trigger(runner, submission, dag, run.data, error);
  if (st) {
    *outcome = osdear__service_is_unknown(st) ? SEND_UNKNOWN : SEND_REFUSED;
    return st;
  }
  osdear__buf_printf(id, "%s/%s", dag, run.data);
  return OSDEAR_OK;
}

/* A cleared run is there in any case, and clearing it once more does no harm: nothing is found, and it is sent. */
static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  const char *dag = osdear__json_text(submission->spec, "dag");
  SCOPED(buf) run = { 0 };
  bool has = false;
  osdear_status st;

  if (osdear__json_get(submission->spec, "clear"))
    return OSDEAR_OK;
  put_run_id(&run, submission);
  st = osdear__buf_check(&run, error);
  if (!st)
    st = osdear__airflow_open_api(runner, error);
  if (!st)
    st = has_run(runner, dag, run.data, &has, error);
  if (!st && has)
    osdear__buf_printf(id, "%s/%s", dag, run.data);
  return st;
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  const char *slash = strchr(job->id, '/');
  osdear__airflow_job *own = job->own;
  SCOPED(buf) dag = { 0 };
  SCOPED(buf) run = { 0 };
  osdear_status st;

  if (!slash || !is_name(job->id, (size_t)(slash - job->id)) || !is_name(slash + 1, strlen(slash + 1)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a run, which is DAG/RUN", job->id);
  osdear__http_put_encoded(&dag, (osdear__str){ job->id, (size_t)(slash - job->id) }, "");
  osdear__http_put_encoded(&run, osdear__str_of(slash + 1), "");
  st = osdear__buf_check(&dag, error);
  if (!st)
    st = osdear__buf_check(&run, error);
  if (st)
    return st;
  own->dag = osdear__buf_take(&dag);
  own->run = osdear__buf_take(&run);
  return OSDEAR_OK;
}

static void detach(osdear_job *job)
{
  osdear__airflow_job *own = job->own;

  osdear__free(own->dag);
  osdear__free(own->run);
}

void osdear__airflow_put_run(const osdear_job *job, osdear__buf *out)
{
  const osdear__airflow *airflow = job->runner->own;
  const osdear__airflow_job *own = job->own;

  osdear__buf_printf(out, "/api/v%d/dags/%s/dagRuns/%s", (int)airflow->version, own->dag, own->run);
}

static osdear_status ask(osdear_job *job, osdear__ask *out, osdear_error **error)
{
  osdear_status st = osdear__airflow_open_api(job->runner, error);

  if (st)
    return st;
  out->client = osdear__airflow_client(job->runner);
  osdear__airflow_put_run(job, &out->path);
  return osdear__buf_check(&out->path, error);
}

static const osdear__state_word state_words[] = {
  { "queued", OSDEAR_JOB_PENDING }, { "running", OSDEAR_JOB_RUNNING }, { "success", OSDEAR_JOB_SUCCEEDED },
  { "failed", OSDEAR_JOB_FAILED },  { NULL, OSDEAR_JOB_UNKNOWN },
};

static osdear_status hear(osdear_job *job, const osdear__http_response *response, bool *again, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  const char *native, *note;
  osdear_job_state state;
  osdear_status st = osdear__service_hear(job->runner, response, osdear__airflow_words, &arena, &answer, error);

  *again = false;
  if (st || !answer)
    return st;
  native = osdear__json_text(answer, "state");
  note = osdear__json_text(answer, "note");
  if (!native)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airflow's answer about %s has no state", job->id);
  state = osdear__state_of_word(state_words, native);
  if (state == OSDEAR_JOB_FAILED && note && strcmp(note, cancelled_note) == 0)
    state = OSDEAR_JOB_CANCELLED;
  return osdear__job_set(
      job, state, osdear__str_of(native),
      state == OSDEAR_JOB_FAILED ? "a task of the run failed: the result lists them, and their logs say why" : NULL, error);
}

/* Airflow has no word for cancelled: the run is set to failed, which ends its tasks, and bears a note. A run that is over is left alone. */
static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  const osdear__airflow *airflow = job->runner->own;
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  SCOPED(buf) note = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  osdear_status st = osdear_job_poll(job, error);

  if (st || osdear_job_state_is_final(job->state))
    return st;
  osdear__airflow_put_run(job, &path);
  osdear__buf_printf(&note, "{\"note\":\"%s\"}", cancelled_note);
  osdear__buf_printf(&body, "{\"state\":\"failed\"%s%s%s}", airflow->version > 1 ? ",\"note\":\"" : "",
                     airflow->version > 1 ? cancelled_note : "", airflow->version > 1 ? "\"" : "");
  st = osdear__buf_check(&body, error);
  if (!st)
    st = osdear__buf_check(&note, error);
  if (!st && airflow->version == 1) { /* the note first: who sees the state must see the note */
    SCOPED(buf) note_path = { 0 };
    osdear__airflow_put_run(job, &note_path);
    osdear__buf_puts(&note_path, "/setNote");
    st = call(job->runner, "PATCH", &note_path, note.data, &arena, &answer, error);
  }
  return st ? st : call(job->runner, "PATCH", &path, body.data, &arena, &answer, error);
}

/* ---- tasks and the result ---- */

bool osdear__airflow_task_is_over(const osdear__json *task)
{
  static const char *const over[] = { "success", "failed", "upstream_failed", "skipped", "removed" };
  const char *state = osdear__json_text(task, "state");

  for (size_t i = 0; state && i < COUNT_OF(over); i++)
    if (strcmp(state, over[i]) == 0)
      return true;
  return false;
}

/* Appends the page that begins behind what *all has. *total: how many there are, 0 when there are no more. */
static osdear_status add_tasks(osdear_job *job, osdear__arena *arena, osdear__json *all, int64_t *total, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__json *answer, *items;
  const osdear__json *page;
  osdear_status st;

  osdear__airflow_put_run(job, &path);
  osdear__buf_printf(&path, "/taskInstances?limit=%d&offset=%zu&order_by=start_date", TASKS_PAGE, all->count);
  st = call(job->runner, "GET", &path, NULL, arena, &answer, error);
  if (st)
    return st;
  page = osdear__json_list(answer, "task_instances");
  if (!page)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Airflow's answer about the tasks of %s is no list", job->id);
  *total = page->count ? osdear__json_int(answer, "total_entries", INT64_MAX) : 0;
  if (page->count == 0)
    return OSDEAR_OK;
  items = osdear__arena_zeroed(arena, all->count + page->count, sizeof *items);
  if (!items)
    return osdear__fail_memory(error);
  if (all->count)
    memcpy(items, all->items, all->count * sizeof *items);
  memcpy(items + all->count, page->items, page->count * sizeof *items);
  all->items = items;
  all->count += page->count;
  return OSDEAR_OK;
}

osdear_status osdear__airflow_tasks(osdear_job *job, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  osdear__json *all = osdear__arena_zeroed(arena, 1, sizeof *all);
  int64_t total = 1;
  osdear_status st = all ? osdear__airflow_open_api(job->runner, error) : osdear__fail_memory(error);

  for (int page = 0; !st && page < TASKS_MOST_PAGES && (int64_t)all->count < total; page++)
    st = add_tasks(job, arena, all, &total, error);
  if (st)
    return st;
  all->kind = JSON_IS_ARRAY;
  *out = all;
  return OSDEAR_OK;
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  static const char *const names[] = { "task_id",    "map_index", "state",    "try_number", "operator",
                                       "start_date", "end_date",  "duration", NULL };
  SCOPED(arena) arena = { 0 };
  osdear__json *tasks;
  osdear_status st = osdear__airflow_tasks(job, &arena, &tasks, error);

  if (st)
    return st;
  osdear__json_put_key(out, first, "tasks");
  osdear__json_put_objects(out, tasks, names);
  return OSDEAR_OK;
}

/* ---- verbs ---- */

static osdear_status pause_or_not(osdear_runner *runner, const osdear__json *arguments, bool paused, osdear__buf *out,
                                  osdear_error **error)
{
  static const char *const names[] = { "dag_id", "is_paused", NULL };
  const char *dag = osdear__json_text(arguments, "dag");
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  osdear_status st;

  if (!dag || !dag[0])
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s wants the \"dag\"", paused ? "pause" : "unpause");
  st = set_paused(runner, dag, paused, &arena, &answer, error);
  if (!st)
    osdear__json_put_object(out, answer, names);
  return st;
}

static osdear_status pause_dag(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  return pause_or_not(runner, arguments, true, out, error);
}

static osdear_status unpause_dag(osdear_runner *runner, const osdear__json *arguments, osdear__buf *out, osdear_error **error)
{
  return pause_or_not(runner, arguments, false, out, error);
}

static const osdear__spec_member pause_members[] = { { "dag", SPEC_TEXT }, { NULL, SPEC_TEXT } };
static const osdear__verb verbs[] = { { "pause", pause_members, pause_dag },
                                      { "unpause", pause_members, unpause_dag },
                                      { NULL, NULL, NULL } };

const osdear__runner_kind osdear__runner_airflow = {
  OSDEAR__SERVICE_VERBS,
  .name = "airflow",
  .scheme = "airflow+http",
  .settings = settings,
  .spec = members,
  .what = "a spec for Airflow",
  .verbs = verbs,
  .own_size = sizeof(osdear__airflow),
  .job_size = sizeof(osdear__airflow_job),
  .log_size = sizeof(osdear__airflow_log),
  .check = check,
  .detach = detach,
  .log_read = osdear__airflow_log_read,
  .log_close = osdear__airflow_log_close,
};
