/* One-shot containers as jobs, on any engine. A job is a container whose name is made from the key, so that a second one cannot be: the engine
 * refuses it. It stays when it ended, with its log, until it is cancelled or pruned; how it ended is noted down in the journal's folder, too. */
#include <job/container_runner.h>

#include <stdio.h>

enum { ID_LENGTH = 43, DEFAULT_GRACE_MS = 10000, NAME_ATTEMPTS = 100, NAME_WAIT_US = 100000 };
#define PREFIX "osdear-"

static const char *const settings[] = { "docker_config",
                                        "tls_ca",
                                        "tls_cert",
                                        "tls_key",
                                        "tls_verify",
                                        "ssh_program",
                                        "portainer_api_key",
                                        "portainer_username",
                                        "portainer_password",
                                        "timeout_ms",
                                        NULL };

/* ---- the runner ---- */

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  const char *timeout = osdear__runner_setting(runner, "timeout_ms");
  int64_t ms = 0;

  if (timeout && (!osdear__parse_i64(osdear__str_of(timeout), &ms) || ms < 1))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting \"timeout_ms\" is a number above 0, not \"%s\"", timeout);
  return OSDEAR_OK;
}

static void close_runner(osdear_runner *runner)
{
  osdear__container_runner *own = runner->own;

  osdear_engine_unref(own->engine);
}

osdear_status osdear__container_engine(osdear_runner *runner, osdear_engine **out, osdear_error **error)
{
  osdear__container_runner *own = runner->own;
  osdear_engine_options options = OSDEAR_ENGINE_OPTIONS_INIT;
  osdear_pair pairs[COUNT_OF(settings)];
  int64_t ms;
  osdear_status st;

  *out = own->engine;
  if (own->engine)
    return OSDEAR_OK;
  options.settings = pairs;
  for (size_t i = 0; settings[i]; i++) {
    const char *value = osdear__runner_setting(runner, settings[i]);
    if (value && strcmp(settings[i], "timeout_ms") == 0)
      options.timeout_ms = osdear__parse_i64(osdear__str_of(value), &ms) ? ms : 0;
    else if (value)
      pairs[options.setting_count++] = (osdear_pair){ settings[i], value };
  }
  st = osdear_engine_open(runner->context, runner->address + strlen(runner->kind->scheme), &options, &own->engine, error);
  *out = own->engine;
  return st;
}

/* ---- submitting ---- */

static osdear_status name_of(const osdear__submission *submission, osdear__buf *out, osdear_error **error)
{
  osdear__buf_printf(out, PREFIX "%s", submission->name);
  return osdear__buf_check(out, error);
}

static osdear_status pull(osdear_engine *engine, const osdear_container_spec *spec, osdear_error **error)
{
  osdear_pull_options options = OSDEAR_PULL_OPTIONS_INIT;

  options.platform = spec->platform;
  return osdear_image_pull(engine, spec->image, &options, error);
}

/* There is one of our name: somebody else who shares the key and the engine, but not the state folder, was first. */
static osdear_status adopt(osdear_engine *engine, const char *name, const char *digest, osdear_container **out,
                           osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree, *labels;
  osdear_status st = osdear_container_get(engine, name, out, error);

  if (!st)
    st = osdear__container_inspect(*out, &arena, &tree, error);
  if (st)
    return st;
  labels = osdear__json_get(osdear__json_get(tree, "Config"), "Labels");
  if (osdear__str_is(osdear__json_str(labels, OSDEAR__LABEL_JOB), name) &&
      osdear__str_is(osdear__json_str(labels, OSDEAR__LABEL_SPEC), digest))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CONFLICT, "there is a container `%s` already, made from another spec: choose another key",
                      name);
}

typedef struct making {
  osdear_engine *engine;
  osdear_container_spec spec;
  osdear_pair labels[3];
  bool pulls_missing;
} making;

static osdear_status make_once(const making *m, osdear_container **out, osdear_error **error)
{
  osdear_status st = osdear__container_make(m->engine, &m->spec, m->labels, COUNT_OF(m->labels), out, error);

  if (st != OSDEAR_ERR_NOT_FOUND || !m->pulls_missing)
    return st;
  osdear__error_forget(error);
  st = pull(m->engine, &m->spec, error);
  return st ? st : osdear__container_make(m->engine, &m->spec, m->labels, COUNT_OF(m->labels), out, error);
}

/* An engine takes a name before it has made the container, and may keep it longer: what is taken and not there comes, or its name gets free. */
static osdear_status make_or_adopt(const making *m, const char *digest, osdear_container **out, osdear_error **error)
{
  for (int attempt = 0;; attempt++) {
    osdear_status st = make_once(m, out, error);

    if (st != OSDEAR_ERR_EXISTS)
      return st;
    osdear__error_forget(error);
    st = adopt(m->engine, m->spec.name, digest, out, error);
    if (st != OSDEAR_ERR_NOT_FOUND || attempt == NAME_ATTEMPTS)
      return st;
    osdear__error_forget(error);
    osdear_container_free(*out);
    *out = NULL;
    st = osdear__sleep(m->engine->context, NAME_WAIT_US, error);
    if (st)
      return st;
  }
}

static osdear_status make(osdear_engine *engine, const osdear__submission *submission, const char *name, osdear_container **out,
                          osdear_error **error)
{
  const char *when = osdear__json_text(submission->spec, "pull");
  SCOPED(arena) arena = { 0 };
  char digest[17], grace[24];
  making m = { .engine = engine,
               .spec = OSDEAR_CONTAINER_SPEC_INIT,
               .labels = { { OSDEAR__LABEL_JOB, name }, { OSDEAR__LABEL_SPEC, digest }, { OSDEAR__LABEL_GRACE, grace } },
               .pulls_missing = !when || strcmp(when, "missing") == 0 };
  osdear_status st = osdear__container_describe(submission->spec, &arena, &m.spec, error);

  snprintf(digest, sizeof digest, "%016" PRIx64, submission->digest);
  osdear__format_i64(osdear__json_int(submission->spec, "grace_ms", DEFAULT_GRACE_MS), grace);
  m.spec.name = name;
  if (!st && when && strcmp(when, "always") == 0)
    st = pull(engine, &m.spec, error);
  return st ? st : make_or_adopt(&m, digest, out, error);
}

/* Only what never ran is started: one that ended must not run again. */
static osdear_status start(osdear_container *container, osdear_error **error)
{
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  osdear_status st = osdear_container_status(container, &status, error);

  return st || status.state != OSDEAR_CONTAINER_CREATED ? st : osdear_container_start(container, error);
}

static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  AUTO(container) container = NULL;
  AUTO(error) failure = NULL;
  osdear_engine *engine;
  osdear_status st = name_of(submission, id, error);

  *outcome = SEND_REFUSED;
  if (!st)
    st = osdear__container_engine(runner, &engine, error);
  if (st)
    return st;
  st = make(engine, submission, id->data, &container, &failure);
  if (!st)
    st = start(container, &failure);
  if (osdear__service_is_unknown(st))
    *outcome = SEND_UNKNOWN;
  else if (st && container && st != OSDEAR_ERR_CONFLICT) /* what cannot be started is nothing to be left behind */
    *outcome = osdear__run_remove(engine, container->id, NULL) ? SEND_UNKNOWN : SEND_REFUSED;
  return osdear__fail_on(error, st, &failure);
}

/* One that was made and not started by who died in between is started now. */
static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  AUTO(container) container = NULL;
  AUTO(error) failure = NULL;
  SCOPED(buf) name = { 0 };
  osdear_engine *engine;
  osdear_status st = name_of(submission, &name, error);

  if (!st)
    st = osdear__container_engine(runner, &engine, error);
  if (st)
    return st;
  st = osdear_container_get(engine, name.data, &container, &failure);
  if (st == OSDEAR_ERR_NOT_FOUND)
    return OSDEAR_OK;
  if (!st)
    st = start(container, &failure);
  if (!st)
    osdear__buf_puts(id, name.data);
  return osdear__fail_on(error, st, &failure);
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  size_t length = strlen(job->id);

  if (length == ID_LENGTH && osdear__starts_with(job->id, PREFIX) &&
      strspn(job->id + strlen(PREFIX), "0123456789abcdef-") == length - strlen(PREFIX))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a container's job, which is " PREFIX " and a UUID",
                      job->id);
}

osdear_status osdear__container_of_job(osdear_job *job, osdear_container **out, osdear_error **error)
{
  osdear_engine *engine;
  osdear_status st = osdear__container_engine(job->runner, &engine, error);

  return st ? st : osdear__container_of(engine, osdear__str_of(job->id), out, error);
}

/* Where the journal has the job: there stand `cancelled`, which is written before a container is stopped, and `ended`. */
static osdear_status folder_of(const osdear_job *job, osdear__buf *out, osdear_error **error)
{
  osdear__buf_printf(out, "%s/%s", job->runner->journal.folder, job->id + strlen(PREFIX));
  return osdear__buf_check(out, error);
}

static osdear_status has_note(const osdear_job *job, const char *name, osdear__buf *text, bool *has, osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  osdear_status st = folder_of(job, &folder, error);

  return st ? st : osdear__small_file_read(folder.data, name, text, has, error);
}

static osdear_status write_note(const osdear_job *job, const char *name, const osdear__buf *text, osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  osdear_status st = folder_of(job, &folder, error);

  if (!st)
    st = osdear__make_folders(folder.data, error); /* a job of somebody with another state folder has none here */
  return st ? st : osdear__small_file_write(folder.data, name, (osdear__str){ text->data, text->size }, error);
}

/* ---- where it stands ---- */

static void put_time(osdear__buf *out, bool *first, const char *key, int64_t us)
{
  if (us == 0)
    return;
  osdear__json_put_key(out, first, key);
  osdear__json_put_i64(out, us);
}

/* What the result tells, and what is kept of a container that is gone. */
static void put_facts(osdear__buf *out, bool *first, const osdear__json *inspected)
{
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;

  osdear__status_of(inspected, &status);
  osdear__json_put_text(out, first, "container_id", osdear__json_text(inspected, "Id"));
  osdear__json_put_text(out, first, "image", osdear__json_text(osdear__json_get(inspected, "Config"), "Image"));
  put_time(out, first, "started_us", status.started_us);
  if (status.state != OSDEAR_CONTAINER_EXITED)
    return;
  put_time(out, first, "ended_us", status.finished_us);
  osdear__json_put_key(out, first, "exit_code");
  osdear__json_put_i64(out, status.exit_code);
  osdear__json_put_key(out, first, "was_out_of_memory");
  osdear__buf_puts(out, status.was_out_of_memory ? "true" : "false");
}

static const char *const kept_members[] = { "container_id",      "image", "started_us", "ended_us", "exit_code",
                                            "was_out_of_memory", NULL };

/* `inspected` NULL: it is as it was made, and never ran. */
static osdear_status keep_end(const osdear_job *job, const osdear__json *inspected, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  bool first = true;
  osdear_status st;

  osdear__buf_putc(&text, '{');
  osdear__json_put_text(&text, &first, "state", osdear_job_state_name(job->state));
  osdear__json_put_text(&text, &first, "native_state", job->native);
  osdear__json_put_text(&text, &first, "message", job->message);
  put_facts(&text, &first, inspected);
  osdear__buf_putc(&text, '}');
  st = osdear__buf_check(&text, error);
  return st ? st : write_note(job, "ended", &text, error);
}

static const osdear__state_word state_words[] = { { "succeeded", OSDEAR_JOB_SUCCEEDED },
                                                  { "failed", OSDEAR_JOB_FAILED },
                                                  { "cancelled", OSDEAR_JOB_CANCELLED },
                                                  { NULL, OSDEAR_JOB_UNKNOWN } };

/* The engine has no such container: what was kept of it tells how it ended. */
static osdear_status recall(osdear_job *job, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  const char *word, *native;
  bool has;
  osdear_status st = has_note(job, "ended", &text, &has, error);

  if (!st && has)
    st = osdear__json_read((osdear__str){ text.data, text.size }, job->id, arena, out, error);
  if (st)
    return st;
  if (!has)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "engine %s has no container %s: somebody removed it, or it never was",
                        job->runner->address, job->id);
  word = osdear__json_text(*out, "state");
  native = osdear__json_text(*out, "native_state");
  if (!word || !native)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "what was kept of %s is no note of ours", job->id);
  return osdear__job_set(job, osdear__state_of_word(state_words, word), osdear__str_of(native),
                         osdear__json_text(*out, "message"), error);
}

static osdear_status set_exited(osdear_job *job, const osdear__json *inspected, const osdear_container_status_result *status,
                                osdear_error **error)
{
  const char *failure = osdear__json_text(osdear__json_get(inspected, "State"), "Error");
  SCOPED(buf) note = { 0 };
  char native[24], message[80];
  bool was_cancelled, has_ended;
  osdear_job_state state;
  osdear_status st = has_note(job, "cancelled", &note, &was_cancelled, error);

  if (st)
    return st;
  snprintf(native, sizeof native, "exited %" PRId32, status->exit_code);
  snprintf(message, sizeof message, "ended with exit code %" PRId32 "%s", status->exit_code,
           status->was_out_of_memory ? ": it was killed for want of memory" : "");
  if (status->exit_code < 0)
    snprintf(message, sizeof message, "how it ended is not known: the engine was killed before it had noted that down");
  state = was_cancelled ? OSDEAR_JOB_CANCELLED : status->exit_code == 0 ? OSDEAR_JOB_SUCCEEDED : OSDEAR_JOB_FAILED;
  st = osdear__job_set(job, state, osdear__str_of(native),
                       state != OSDEAR_JOB_FAILED ? NULL
                       : failure && failure[0]    ? failure
                                                  : message,
                       error);
  osdear__buf_clear(&note);
  if (!st)
    st = has_note(job, "ended", &note, &has_ended, error);
  return st || has_ended ? st : keep_end(job, inspected, error);
}

static osdear_status set_state(osdear_job *job, const osdear__json *inspected, osdear_error **error)
{
  const osdear__json *state = osdear__json_get(inspected, "State");
  osdear_container_status_result status = OSDEAR_CONTAINER_STATUS_RESULT_INIT;
  const char *failure = osdear__json_text(state, "Error");
  osdear__str native = osdear__json_str(state, "Status");

  osdear__status_of(inspected, &status);
  switch (status.state) {
  case OSDEAR_CONTAINER_EXITED: return set_exited(job, inspected, &status, error);
  case OSDEAR_CONTAINER_CREATED:
    return failure && failure[0] ? osdear__job_set(job, OSDEAR_JOB_FAILED, native, failure, error)
                                 : osdear__job_set(job, OSDEAR_JOB_PENDING, native, NULL, error);
  case OSDEAR_CONTAINER_RUNNING:
  case OSDEAR_CONTAINER_PAUSED: return osdear__job_set(job, OSDEAR_JOB_RUNNING, native, NULL, error);
  default: return osdear__job_set(job, OSDEAR_JOB_UNKNOWN, native, NULL, error);
  }
}

static osdear_status ask(osdear_job *job, osdear__ask *out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear_engine *engine;
  osdear_status st = osdear__container_engine(job->runner, &engine, error);

  osdear__buf_printf(&path, "/containers/%s/json", job->id);
  if (!st)
    st = osdear__buf_check(&path, error);
  return st ? st : osdear__engine_question(engine, path.data, &out->client, &out->path, &out->header, &out->value, error);
}

static osdear_status hear(osdear_job *job, const osdear__http_response *response, bool *again, osdear_error **error)
{
  osdear__container_runner *own = job->runner->own;
  SCOPED(arena) arena = { 0 };
  osdear__json *answer;
  osdear_status st;

  *again = response && !own->is_refused && osdear__engine_is_to_log_in(own->engine, response);
  own->is_refused = *again;
  if (!response || *again)
    return OSDEAR_OK;
  if (response->status == 404)
    return recall(job, &arena, &answer, error);
  if (response->status != 200)
    return osdear__engine_fail(response, error);
  st = osdear__service_json(response, &arena, &answer, error);
  return st ? st : set_state(job, answer, error);
}

/* ---- cancelling ---- */

/* That it was asked for is noted down first: whoever sees the container end then knows why. The engine itself waits for the grace to pass, and
 * kills what has not ended by then; the polls that follow see it end. */
static osdear_status stop(osdear_job *job, osdear_container *container, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) note = { 0 };
  const osdear__json *tree, *labels;
  int64_t grace_ms;
  osdear_status st;

  osdear__buf_puts(&note, "{}\n");
  st = osdear__buf_check(&note, error);
  if (!st)
    st = write_note(job, "cancelled", &note, error);
  if (!st)
    st = osdear__container_inspect(container, &arena, &tree, error);
  if (st)
    return st;
  labels = osdear__json_get(osdear__json_get(tree, "Config"), "Labels");
  if (!osdear__parse_i64(osdear__json_str(labels, OSDEAR__LABEL_GRACE), &grace_ms) || grace_ms < 0 || grace_ms > INT32_MAX)
    grace_ms = DEFAULT_GRACE_MS;
  st = osdear__container_ask_to_stop(container, (int32_t)((grace_ms + 999) / 1000), error);
  if (st || job->state != OSDEAR_JOB_PENDING)
    return st;
  /* what never ran never ends */
  st = osdear__job_set(job, OSDEAR_JOB_CANCELLED, osdear__json_str(osdear__json_get(tree, "State"), "Status"), NULL, error);
  return st ? st : keep_end(job, tree, error);
}

static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  AUTO(container) container = NULL;
  osdear_status st = osdear_job_poll(job, error);

  if (st || osdear_job_state_is_final(job->state))
    return st;
  st = osdear__container_of_job(job, &container, error);
  return st ? st : stop(job, container, error);
}

static osdear_status forget(osdear_job *job, osdear_error **error)
{
  osdear_engine *engine;
  osdear_status st = osdear__container_engine(job->runner, &engine, error);

  return st ? st : osdear__run_remove(engine, job->id, error);
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  AUTO(container) container = NULL;
  AUTO(error) failure = NULL;
  SCOPED(arena) arena = { 0 };
  const osdear__json *tree;
  osdear__json *kept;
  osdear_status st = osdear__container_of_job(job, &container, error);

  if (st)
    return st;
  st = osdear__container_inspect(container, &arena, &tree, &failure);
  if (!st)
    put_facts(out, first, tree);
  if (st != OSDEAR_ERR_NOT_FOUND)
    return osdear__fail_on(error, st, &failure);
  st = recall(job, &arena, &kept, error);
  if (!st)
    osdear__json_put_members(out, first, kept, kept_members);
  return st;
}

const osdear__runner_kind osdear__runner_container = {
  OSDEAR__RUNNER_VERBS,
  .name = "container",
  .scheme = "container+",
  .settings = settings,
  .spec = osdear__container_members,
  .what = "a spec for a container",
  .first_poll_us = 100000,
  .slowest_poll_us = 5000000,
  .own_size = sizeof(osdear__container_runner),
  .log_size = sizeof(osdear__container_log),
  .close = close_runner,
  .check = osdear__container_check,
  .ask = ask,
  .hear = hear,
  .forget = forget,
  .log_open = osdear__container_log_open,
  .log_read = osdear__container_log_read,
  .log_close = osdear__container_log_close,
};
