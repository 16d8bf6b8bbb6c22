/* Logs: pulled piece by piece, and followed until the job is over. */
#include <job/job.h>

osdear_status osdear_job_logs(osdear_job *job, const osdear_job_log_options *options, osdear_job_log **out, osdear_error **error)
{
  osdear_job_log_options opts = OSDEAR_JOB_LOG_OPTIONS_INIT;
  osdear_job_log *log;
  osdear_status st;

  if (!job || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "job and out must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  log = osdear__alloc_zeroed(1, sizeof *log);
  if (!log)
    return osdear__fail_memory(error);
  log->job = job;
  job->references++;
  log->follow = opts.follow != 0;
  log->own = job->runner->kind->log_size ? osdear__alloc_zeroed(1, job->runner->kind->log_size) : NULL;
  log->stream = opts.stream ? osdear__strdup(opts.stream) : NULL;
  if ((opts.stream && !log->stream) || (job->runner->kind->log_size && !log->own))
    st = osdear__fail_memory(error);
  else if (job->runner->kind->log_open)
    st = job->runner->kind->log_open(log, error);
  if (st) {
    osdear_job_log_free(log);
    return st;
  }
  *out = log;
  return OSDEAR_OK;
}

void osdear_job_log_free(osdear_job_log *log)
{
  if (!log)
    return;
  if (log->job->runner->kind->log_close && log->own)
    log->job->runner->kind->log_close(log);
  osdear__free(log->own);
  osdear__buf_drop(&log->data);
  osdear__free(log->stream);
  osdear__job_unref(log->job);
  osdear__free(log);
}

/* Sees whether the job is over; whoever follows a log goes on while the service is away. */
static osdear_status look_after_job(osdear_job_log *log, osdear_error **error)
{
  AUTO(error) failure = NULL;
  osdear_status st = osdear_job_poll(log->job, &failure);

  if (st && !osdear__is_no_answer(log->job->runner, st)) {
    return osdear__fail_on(error, st, &failure);
  }
  log->was_over = osdear_job_state_is_final(log->job->state);
  return OSDEAR_OK;
}

static osdear_status read_some(osdear_job_log *log, osdear_error **error)
{
  AUTO(error) failure = NULL;
  osdear_status st = osdear__context_check(log->job->runner->context, error);

  if (st)
    return st;
  st = log->job->runner->kind->log_read(log, &failure);
  if (st && log->follow && osdear__is_no_answer(log->job->runner, st)) {
    osdear__buf_clear(&log->data);
    log->was_over = false;
    return OSDEAR_OK;
  }
  return osdear__fail_on(error, st, &failure);
}

osdear_status osdear_job_log_next(osdear_job_log *log, const char **data, size_t *size, osdear_error **error)
{
  osdear__pace pace = { 0 };

  if (!log || !data || !size)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "log, data and size must not be NULL");
  osdear__buf_clear(&log->data);
  for (;;) {
    osdear_status st = read_some(log, error);
    if (st)
      return st;
    if (log->data.size || !log->follow || log->was_over)
      break;
    st = look_after_job(log, error);
    if (!st && !log->was_over)
      st = osdear__sleep(log->job->runner->context, osdear__pace_next(&pace, log->job->runner->kind), error);
    if (st)
      return st;
  }
  *data = log->data.data ? log->data.data : "";
  *size = log->data.size;
  return OSDEAR_OK;
}
