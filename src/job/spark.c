/* Spark standalone clusters, over the REST server of their masters: submit, follow, cancel. */
#include <job/spark.h>

#include <stdio.h>

enum { LOOK_AFTER_US = 10000000 }; /* how long a driver waits before the master is asked why */

static const char *const settings[] = { OSDEAR__SERVICE_SETTINGS, "token", "jws_key", "web", NULL };

/* ---- the runner ---- */

static osdear_status add_master(osdear_runner *runner, const char *host, size_t length, const osdear__http_config *settings_of,
                                osdear_error **error)
{
  osdear__spark *spark = runner->own;
  osdear__http_config config = *settings_of;
  const char *token = osdear__runner_setting(runner, "token");

  if (!length)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" has a host without a name", runner->address);
  if (spark->count == SPARK_MASTERS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "\"%s\" names more than %d masters", runner->address, SPARK_MASTERS);
  config.base_url = osdear__arena_printf(
      &spark->arena, "%s://%.*s", osdear__starts_with(runner->address, "spark+https:") ? "https" : "http", (int)length, host);
  if (!config.base_url)
    return osdear__fail_memory(error);
  config.auth = token ? HTTP_AUTH_BEARER : HTTP_AUTH_NONE;
  config.secret = token;
  if (osdear__runner_setting(runner, "jws_key"))
    config.hooks = osdear__token_hooks(&spark->token);
  return osdear__http_client_new(&config, &spark->masters[spark->count++], error);
}

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  osdear__spark *spark = runner->own;
  osdear__http_config config = { 0 };
  const char *hosts = strstr(runner->address, "://");
  osdear_status st;

  if (!hosts || strchr(hosts + 3, '/'))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is not of the form spark+http://host:6066[,host2:6066]",
                        runner->address);
  spark->hosts = hosts += 3;
  st = osdear__service_config(runner, &config, error);
  if (!st && osdear__runner_setting(runner, "jws_key")) {
    spark->token = osdear__spark_jws(runner);
    st = osdear__runner_setting(runner, "token")
             ? osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"token\" and \"jws_key\" are two ways to the same: give one")
             : osdear__spark_check_key(runner, error);
  }
  while (!st) {
    size_t length = strcspn(hosts, ",");
    st = add_master(runner, hosts, length, &config, error);
    if (!hosts[length])
      break;
    hosts += length + 1;
  }
  return st ? st : osdear__http_client_new(&config, &spark->pages, error);
}

static void close_runner(osdear_runner *runner)
{
  osdear__spark *spark = runner->own;

  for (size_t i = 0; i < spark->count; i++)
    osdear__http_client_unref(spark->masters[i]);
  osdear__http_client_unref(spark->pages);
  osdear__token_drop(&spark->token);
  osdear__arena_drop(&spark->arena);
}

/* ---- answers ---- */

static const char *words_of(const osdear__json *body)
{
  return osdear__json_text(body, "message");
}

/* A master that stands by, or is still taking over, says so with status 200. */
static bool is_standby(const osdear__json *answer)
{
  const char *message = osdear__json_text(answer, "message");

  return message && strstr(message, "is not alive");
}

/* Asks the masters in turn, from the one that answered last, until one that is alive has answered. Only what may be asked twice. */
static osdear_status ask_masters(osdear_runner *runner, const osdear__call *call, osdear__arena *arena, osdear__json **out,
                                 osdear_error **error)
{
  osdear__spark *spark = runner->own;
  AUTO(error) last = NULL;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < spark->count; i++) {
    osdear_error_free(last);
    last = NULL;
    st = osdear__service_call(runner, spark->masters[spark->current], call, words_of, arena, out, &last);
    if (!st && is_standby(*out))
      st = osdear__fail(&last, OSDEAR_ERR_UNAVAILABLE, "no master is alive: %s", osdear__json_text(*out, "message"));
    if (!st || !osdear__is_no_answer(runner, st))
      break;
    spark->current = (spark->current + 1) % spark->count;
  }
  return osdear__fail_on(error, st, &last);
}

/* ---- submitting ---- */

/* A driver must not be started twice, so that the master is found first by a question that does no harm. */
static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  osdear__spark *spark = runner->own;
  osdear__call harmless = { .method = "GET", .path = "/v1/submissions/status/driver-0" };
  osdear__call create = { .method = "POST", .path = "/v1/submissions/create" };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__json *answer;
  const char *found;
  osdear_status st = osdear__spark_put_submission(runner, submission, &body, error);

  *outcome = SEND_REFUSED;
  if (!st)
    st = ask_masters(runner, &harmless, &arena, &answer, error);
  if (st)
    return st;
  create.body = body.data;
  st = osdear__service_call(runner, spark->masters[spark->current], &create, words_of, &arena, &answer, error);
  if (st) {
    *outcome = osdear__service_is_unknown(st) ? SEND_UNKNOWN : SEND_REFUSED;
    return st;
  }
  found = osdear__json_text(answer, "submissionId");
  if (!osdear__json_flag(answer, "success", false)) {
    osdear__str words = osdear__first_line(osdear__str_of(words_of(answer)), 500);
    return osdear__fail(error, is_standby(answer) ? OSDEAR_ERR_UNAVAILABLE : OSDEAR_ERR_ARGUMENT,
                        "Spark refuses the application: %.*s", (int)words.size, words.size ? words.data : "");
  }
  *outcome = SEND_UNKNOWN;
  if (!found)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Spark took the application, but its answer names no driver");
  osdear__buf_puts(id, found);
  return OSDEAR_OK;
}

/* ---- finding what was sent ---- */

/* driver-YYYYMMDDhhmmss-NNNN is named by the master's own clock and zone; the summary tells when it came. */
static bool came_after(const osdear__json *driver, int64_t created_us)
{
  const osdear__json *date = osdear__json_get(driver, "submitdate");
  int64_t ms;

  if (!date)
    return true;
  if (date->kind == JSON_IS_NUMBER && osdear__parse_i64(date->text, &ms))
    return ms > created_us / 1000 - 300000; /* clocks differ */
  return true;
}

/* Whether the driver's command line has our mark. What cannot be read yet may have it. */
static osdear_status has_mark(osdear_runner *runner, const char *id, const char *mark, bool *has, bool *is_sure,
                              osdear_error **error)
{
  SCOPED(buf) log = { 0 };
  SCOPED(buf) wanted = { 0 };
  int64_t next;
  osdear_status st;

  osdear__buf_printf(&wanted, "spark.osdear.submission=%s", mark);
  st = osdear__buf_check(&wanted, error);
  if (!st)
    st = osdear__spark_read_log(runner, id, "stderr", 0, &log, &next, NULL);
  *is_sure = st == OSDEAR_OK && log.size > 0;
  *has = *is_sure && strstr(log.data, wanted.data) != NULL;
  return st == OSDEAR_ERR_NO_MEMORY ? osdear__fail_memory(error) : OSDEAR_OK;
}

/* Looks through a list of drivers. *unsure: one that may be ours, and has written nothing yet. One that is over and wrote nothing never ran. */
static osdear_status find_in(osdear_runner *runner, const osdear__json *drivers, const osdear__submission *submission,
                             osdear__buf *id, const char **unsure, osdear_error **error)
{
  for (size_t i = 0; drivers && i < drivers->count && id->size == 0; i++) {
    const char *name = osdear__json_text(&drivers->items[i], "id");
    bool has, is_sure;
    osdear_status st;
    if (!name || !came_after(&drivers->items[i], submission->created_us))
      continue;
    st = has_mark(runner, name, submission->name, &has, &is_sure, error);
    if (st)
      return st;
    if (has)
      osdear__buf_puts(id, name);
    else if (!is_sure && unsure)
      *unsure = name;
  }
  return osdear__buf_check(id, error);
}

static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *summary;
  const char *unsure = NULL;
  osdear_status st = osdear__spark_summary(runner, &arena, &summary, error);

  if (!st)
    st = find_in(runner, osdear__json_get(summary, "activedrivers"), submission, id, &unsure, error);
  if (!st)
    st = find_in(runner, osdear__json_get(summary, "completeddrivers"), submission, id, NULL, error);
  if (st)
    return osdear__fail_within(error, st, "whether it was submitted before is not known");
  if (id->size || !unsure)
    return OSDEAR_OK;
  return osdear__fail(
      error, OSDEAR_ERR_UNAVAILABLE,
      "the answer to an earlier submission was lost, and %s may be its driver, which has written nothing yet: try again later",
      unsure);
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  size_t length = strlen(job->id);

  if (!length || length > 128 || strspn(job->id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") != length ||
      strspn(job->id, ".") == length)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a driver, such as driver-20240501120000-0003", job->id);
  return OSDEAR_OK;
}

static osdear_status ask(osdear_job *job, osdear__ask *out, osdear_error **error)
{
  const osdear__spark *spark = job->runner->own;

  out->client = spark->masters[spark->current];
  osdear__buf_printf(&out->path, "/v1/submissions/status/%s", job->id);
  return osdear__buf_check(&out->path, error);
}

static const osdear__state_word state_words[] = {
  { "SUBMITTED", OSDEAR_JOB_PENDING },  { "RUNNING", OSDEAR_JOB_RUNNING }, { "RELAUNCHING", OSDEAR_JOB_RUNNING },
  { "FINISHED", OSDEAR_JOB_SUCCEEDED }, { "FAILED", OSDEAR_JOB_FAILED },   { "ERROR", OSDEAR_JOB_FAILED },
  { "KILLED", OSDEAR_JOB_CANCELLED },   { NULL, OSDEAR_JOB_UNKNOWN }, /* UNKNOWN itself: the master is taking over from another */
};

/* A driver that waits for long is looked after: perhaps no worker is large enough. */
static void explain_waiting(osdear_job *job, osdear__buf *reason)
{
  osdear__spark_job *own = job->own;
  int64_t now = osdear__monotonic_us();
  SCOPED(arena) arena = { 0 };
  osdear__json *summary;

  own->submitted_us = own->submitted_us ? own->submitted_us : now;
  if (now - own->submitted_us < LOOK_AFTER_US || now - own->looked_us < LOOK_AFTER_US) {
    if (job->message)
      osdear__buf_puts(reason, job->message); /* what was found at the last look */
    return;
  }
  own->looked_us = now;
  if (osdear__spark_summary(job->runner, &arena, &summary, NULL) == OSDEAR_OK)
    osdear__spark_put_reason(reason, summary, job->id);
}

static osdear_status set_state(osdear_job *job, const osdear__json *answer, osdear_error **error)
{
  const char *native = osdear__json_text(answer, "driverState");
  osdear__str words = osdear__first_line(osdear__str_of(osdear__json_text(answer, "message")), 500);
  SCOPED(buf) message = { 0 };
  osdear_job_state state;
  osdear_status st;

  if (!native)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "Spark does not know driver %s, or has forgotten it", job->id);
  state = osdear__state_of_word(state_words, native);
  if (words.size && osdear__str_is(words, "Exception from the cluster:")) /* the exception is in the next line */
    words = osdear__first_line((osdear__str){ words.data + words.size + 1, strlen(words.data + words.size + 1) }, 500);
  osdear__buf_append(&message, words.data, words.size);
  if (state == OSDEAR_JOB_FAILED && !words.size)
    osdear__buf_puts(&message, "the driver failed: its logs stdout and stderr say why");
  if (state == OSDEAR_JOB_PENDING && !words.size)
    explain_waiting(job, &message);
  st = osdear__buf_check(&message, error);
  return st ? st : osdear__job_set(job, state, osdear__str_of(native), message.size ? message.data : NULL, error);
}

static osdear_status next_master(osdear_job *job, bool *again)
{
  osdear__spark *spark = job->runner->own;
  osdear__spark_job *own = job->own;

  spark->current = (spark->current + 1) % spark->count;
  *again = (size_t)++own->tries < spark->count;
  if (!*again)
    own->tries = 0;
  return OSDEAR_OK;
}

static osdear_status hear(osdear_job *job, const osdear__http_response *response, bool *again, osdear_error **error)
{
  osdear__spark_job *own = job->own;
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  osdear_status st;

  if (!response)
    return next_master(job, again);
  if (response->status != 200)
    return osdear__service_fail(job->runner, response, words_of, error);
  st = osdear__service_json(response, &arena, &answer, error);
  if (st)
    return st;
  if (is_standby(answer)) {
    st = next_master(job, again);
    return *again ? st : osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "no master is alive: %s", words_of(answer));
  }
  own->tries = 0;
  return set_state(job, answer, error);
}

static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__call call = { .method = "POST", .body = "", .may_repeat = true };
  osdear__json *answer;
  osdear_status st;

  osdear__buf_printf(&path, "/v1/submissions/kill/%s", job->id);
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  call.path = path.data;
  /* "has already finished or does not exist" comes with success false: the polls that follow tell which. */
  return ask_masters(job->runner, &call, &arena, &answer, error);
}

/* ---- result and logs ---- */

static const char *const driver_members[] = { "cores", "memory", "worker", NULL };
static const char *const app_members[] = { "id", "name", "state", "cores", "memoryperexecutor", "starttime", "duration", NULL };

/* The driver's log names the application that it registered. */
static const osdear__json *find_app(const osdear__json *summary, const char *log)
{
  static const char *const lists[] = { "activeapps", "completedapps" };

  for (size_t l = 0; l < COUNT_OF(lists); l++) {
    const osdear__json *apps = osdear__json_get(summary, lists[l]);
    for (size_t i = 0; apps && i < apps->count; i++) {
      const char *id = osdear__json_text(&apps->items[i], "id");
      if (id && strstr(log, id))
        return &apps->items[i];
    }
  }
  return NULL;
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) log = { 0 };
  osdear__json *summary;
  const osdear__json *driver, *app;
  int64_t next = 0;
  osdear_status st = osdear__spark_summary(job->runner, &arena, &summary, error);

  /* Without the pages there is still the state. */
  if (st && osdear__is_no_answer(job->runner, st)) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  if (st)
    return st;
  driver = osdear__spark_driver(summary, job->id);
  osdear__json_put_members(out, first, driver, driver_members);
  if (osdear__spark_read_log(job->runner, job->id, "stderr", 0, &log, &next, NULL) || !log.size)
    return OSDEAR_OK;
  app = find_app(summary, log.data);
  if (app) {
    bool first_of_app = true;
    osdear__json_put_key(out, first, "application");
    osdear__buf_putc(out, '{');
    osdear__json_put_members(out, &first_of_app, app, app_members);
    osdear__buf_putc(out, '}');
  }
  return OSDEAR_OK;
}

static osdear_status log_open(osdear_job_log *log, osdear_error **error)
{
  const char *name = log->stream ? log->stream : "stdout";

  if (strcmp(name, "stdout") != 0 && strcmp(name, "stderr") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a driver has the logs stdout and stderr, not \"%s\"", name);
  return OSDEAR_OK;
}

/* A driver that waits for a worker has no log yet, which is no failure for who follows it. */
static osdear_status log_read(osdear_job_log *log, osdear_error **error)
{
  AUTO(error) failure = NULL;
  int64_t next = log->offset;
  osdear_status st = osdear__spark_read_log(log->job->runner, log->job->id, log->stream ? log->stream : "stdout", log->offset,
                                            &log->data, &next, &failure);

  if (st == OSDEAR_ERR_NOT_FOUND && log->follow && !osdear_job_state_is_final(log->job->state))
    return OSDEAR_OK;
  log->offset = st ? log->offset : next;
  return osdear__fail_on(error, st, &failure);
}

const osdear__runner_kind osdear__runner_spark = {
  OSDEAR__SERVICE_VERBS,
  .name = "spark",
  .scheme = "spark+http",
  .settings = settings,
  .spec = osdear__spark_members,
  .what = "a spec for Spark",
  .own_size = sizeof(osdear__spark),
  .job_size = sizeof(osdear__spark_job),
  .check = osdear__spark_check,
  .log_open = log_open,
  .log_read = log_read,
};
