/* What can be done with any job: asking, waiting, cancelling, its result. */
#include <job/job.h>

enum { CANCEL_MS = 60000 };

static const char *const state_names[] = { "unknown", "pending", "running", "succeeded", "failed", "cancelled" };

const char *osdear_job_state_name(osdear_job_state state)
{
  return state >= 0 && (size_t)state < COUNT_OF(state_names) ? state_names[state] : "unknown";
}

int32_t osdear_job_state_is_final(osdear_job_state state)
{
  return state == OSDEAR_JOB_SUCCEEDED || state == OSDEAR_JOB_FAILED || state == OSDEAR_JOB_CANCELLED;
}

void osdear__job_unref(osdear_job *job)
{
  osdear_runner *runner = job->runner;

  if (--job->references > 0)
    return;
  if (runner->kind->detach && job->own)
    runner->kind->detach(job);
  osdear__free(job->own);
  osdear__free(job->id);
  osdear__free(job->message);
  osdear__free(job);
  osdear_runner_free(runner);
}

void osdear_job_free(osdear_job *job)
{
  if (!job)
    return;
  osdear__unfollow(job);
  osdear__job_unref(job);
}

const char *osdear_job_id(const osdear_job *job)
{
  return job->id;
}

osdear_job_state osdear_job_state_get(const osdear_job *job)
{
  return job->state;
}

const char *osdear_job_native_state(const osdear_job *job)
{
  return job->native;
}

const char *osdear_job_message(const osdear_job *job)
{
  return job->message;
}

int32_t osdear_job_was_found(const osdear_job *job)
{
  return job->was_found;
}

/* ---- asking ---- */

osdear_job_state osdear__state_of_word(const osdear__state_word *words, const char *native)
{
  for (; words->native; words++)
    if (strcmp(words->native, native) == 0)
      return words->state;
  return OSDEAR_JOB_UNKNOWN;
}

osdear_status osdear__job_set(osdear_job *job, osdear_job_state state, osdear__str native, const char *message,
                              osdear_error **error)
{
  size_t length = native.size < sizeof job->native ? native.size : sizeof job->native - 1;
  char *copy = message ? osdear__strdup(message) : NULL;

  if (message && !copy)
    return osdear__fail_memory(error);
  if (copy)
    osdear__runner_blot(job->runner, copy);
  osdear__free(job->message);
  job->message = copy;
  job->state = state;
  if (length)
    memcpy(job->native, native.data, length);
  job->native[length] = '\0';
  osdear__runner_blot(job->runner, job->native);
  return OSDEAR_OK;
}

void osdear__ask_drop(osdear__ask *ask)
{
  osdear__buf_drop(&ask->path);
  osdear__buf_drop(&ask->value);
}

void osdear__ask_request(osdear__ask *ask, const osdear_job *job, osdear__http_request *out)
{
  ask->headers[0] = (osdear__http_header){ "Accept", "application/json" };
  ask->headers[1] = (osdear__http_header){ ask->header, ask->value.data };
  *out =
      (osdear__http_request){ .url = ask->path.data, .headers = ask->headers, .header_count = ask->header ? 2 : 1, .tag = job };
}

/* Asks and hears, until there is nothing more to ask. */
static osdear_status poll_service(osdear_job *job, osdear_error **error)
{
  const osdear__runner_kind *kind = job->runner->kind;

  for (;;) {
    SCOPED(http_response) response = { 0 };
    SCOPED(ask) ask = { 0 };
    osdear__http_request request;
    bool again = false;
    osdear_status st = kind->ask(job, &ask, error);

    if (st)
      return st;
    osdear__ask_request(&ask, job, &request);
    st = osdear__http_send(ask.client, job->runner->context, &request, &response, error);
    if (!st)
      st = kind->hear(job, &response, &again, error);
    else if (osdear__is_no_answer(job->runner, st) && kind->hear(job, NULL, &again, NULL) == OSDEAR_OK && again)
      osdear__error_forget(error);
    if (!again)
      return st;
  }
}

osdear_status osdear_job_poll(osdear_job *job, osdear_error **error)
{
  osdear_status st;

  if (!job)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job must not be NULL");
  if (osdear_job_state_is_final(job->state))
    return OSDEAR_OK;
  st = osdear__context_check(job->runner->context, error);
  if (st)
    return st;
  return job->runner->kind->poll ? job->runner->kind->poll(job, error) : poll_service(job, error);
}

/* A service that does not answer says nothing about the job. Anything else that goes wrong is the caller's to know. */
bool osdear__is_no_answer(const osdear_runner *runner, osdear_status status)
{
  return status == OSDEAR_ERR_UNAVAILABLE ||
         (status == OSDEAR_ERR_TIMEOUT && osdear__context_check(runner->context, NULL) == OSDEAR_OK);
}

/* ---- waiting ---- */

/* When so many milliseconds will have passed; INT64_MAX for -1 and for what lies beyond all clocks. */
static int64_t deadline_of(int64_t timeout_ms)
{
  int64_t now = osdear__monotonic_us();
  int64_t us, deadline;

  if (timeout_ms < 0 || !osdear__mul_i64(timeout_ms, 1000, &us) || !osdear__add_i64(now, us, &deadline))
    return INT64_MAX;
  return deadline;
}

/* One poll of a wait. False: it is over, with the status in *status. */
static bool goes_on(osdear_job *job, int32_t max_failed_polls, osdear_status *status, osdear_error **error)
{
  AUTO(error) failure = NULL;

  *status = osdear_job_poll(job, &failure);
  if (*status == OSDEAR_OK) {
    job->failed_polls = 0;
    return !osdear_job_state_is_final(job->state);
  }
  if (osdear__is_no_answer(job->runner, *status)) {
    job->failed_polls++;
    osdear__log(job->runner->context, OSDEAR_LOG_INFO, "job", "%s: poll %d failed: %s", job->id, (int)job->failed_polls,
                osdear_error_message(failure));
    if (max_failed_polls <= 0 || job->failed_polls < max_failed_polls)
      return true;
  }
  osdear__fail_on(error, *status, &failure);
  return false;
}

/* Until the job is over (OSDEAR_OK) or the time is up (OSDEAR_ERR_TIMEOUT). */
static osdear_status wait_until(osdear_job *job, int64_t deadline_us, int32_t max_failed_polls, osdear_error **error)
{
  osdear__pace pace = { 0 };
  osdear_status st;

  while (goes_on(job, max_failed_polls, &st, error)) {
    int64_t left = deadline_us - osdear__monotonic_us();
    int64_t delay = osdear__pace_next(&pace, job->runner->kind);

    if (left <= 0)
      return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "job %s is still %s", job->id,
                          job->native[0] ? job->native : osdear_job_state_name(job->state));
    st = osdear__sleep(job->runner->context, delay < left ? delay : left, error);
    if (st)
      return st;
  }
  return st;
}

osdear_status osdear_job_wait(osdear_job *job, const osdear_job_wait_options *options, osdear_error **error)
{
  osdear_job_wait_options opts = OSDEAR_JOB_WAIT_OPTIONS_INIT;
  AUTO(error) failure = NULL;
  osdear_status st;

  if (!job)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  if (opts.timeout_ms < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "timeout_ms is %" PRId64 "; -1 waits as long as it takes", opts.timeout_ms);
  st = wait_until(job, deadline_of(opts.timeout_ms), opts.max_failed_polls, error);
  if (st != OSDEAR_ERR_TIMEOUT || !opts.cancel_on_timeout || osdear__context_check(job->runner->context, NULL))
    return st;
  if (osdear_job_cancel(job, NULL, &failure))
    return osdear__fail_within(error, st, "the cancelling is not confirmed (%s)", osdear_error_message(failure));
  return osdear__fail_within(error, st, "the time is up, and the job was ended (%s)", osdear_job_state_name(job->state));
}

/* ---- cancelling ---- */

/* Asks, and asks again while the service does not answer. */
static osdear_status request_cancel(osdear_job *job, int64_t deadline_us, osdear_error **error)
{
  osdear__pace pace = { 0 };

  for (;;) {
    AUTO(error) failure = NULL;
    osdear_status st = job->runner->kind->cancel(job, &failure);
    int64_t left = deadline_us - osdear__monotonic_us();

    if (!st)
      return OSDEAR_OK;
    if (!osdear__is_no_answer(job->runner, st) || left <= 0) {
      return osdear__fail_on(error, st, &failure);
    }
    st = osdear__sleep(job->runner->context, osdear__pace_next(&pace, job->runner->kind), error);
    if (st)
      return st;
  }
}

/* Until the job is seen to be over; a `timeout_ms` of 0 only asks. */
static osdear_status end(osdear_job *job, int64_t timeout_ms, osdear_error **error)
{
  const int64_t deadline_us = deadline_of(timeout_ms < 0 ? CANCEL_MS : timeout_ms);
  osdear_status st = osdear__context_check(job->runner->context, error);

  if (!st)
    st = request_cancel(job, deadline_us, error);
  if (st || timeout_ms == 0)
    return st;
  st = wait_until(job, deadline_us, 0, error);
  if (st == OSDEAR_ERR_TIMEOUT)
    return osdear__fail_within(error, st, "cancelling was asked for, but is not confirmed");
  return st;
}

osdear_status osdear_job_cancel(osdear_job *job, const osdear_job_cancel_options *options, osdear_error **error)
{
  osdear_job_cancel_options opts = OSDEAR_JOB_CANCEL_OPTIONS_INIT;
  osdear_status st;

  if (!job)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  if (opts.timeout_ms < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "timeout_ms is %" PRId64 "; -1 is the least", opts.timeout_ms);
  if (!osdear_job_state_is_final(job->state))
    st = end(job, opts.timeout_ms, error);
  if (!st && job->state == OSDEAR_JOB_CANCELLED && job->runner->kind->forget)
    st = job->runner->kind->forget(job, error);
  return st;
}

/* ---- its result ---- */

osdear_status osdear_job_result(osdear_job *job, char **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  bool first = true;
  osdear_status st;

  if (!job || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job and out must not be NULL");
  st = osdear_job_poll(job, error);
  if (st)
    return st;
  osdear__buf_putc(&text, '{');
  osdear__json_put_text(&text, &first, "id", job->id);
  osdear__json_put_text(&text, &first, "state", osdear_job_state_name(job->state));
  osdear__json_put_text(&text, &first, "native_state", job->native);
  osdear__json_put_text(&text, &first, "message", job->message);
  st = job->runner->kind->result(job, &text, &first, error);
  if (st)
    return st;
  osdear__buf_putc(&text, '}');
  st = osdear__buf_check(&text, error);
  if (!st)
    *out = osdear__buf_take(&text);
  return st;
}

osdear_status osdear_job_rows(osdear_job *job, struct ArrowArrayStream *out, osdear_error **error)
{
  osdear_status st;

  if (!job || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job and out must not be NULL");
  if (!job->runner->kind->rows)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "jobs of a %s runner have no rows", job->runner->kind->name);
  st = osdear_job_poll(job, error);
  if (st)
    return st;
  if (job->state != OSDEAR_JOB_SUCCEEDED)
    return osdear__fail(error, OSDEAR_ERR_STATE, "job %s is %s: it has rows once it has succeeded", job->id,
                        job->native[0] ? job->native : osdear_job_state_name(job->state));
  return job->runner->kind->rows(job, out, error);
}
