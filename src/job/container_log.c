/* What a container wrote. One that is followed is one stream; else it is read to its end as often as it is asked for, and what was given out
 * before is passed over: its order in the engine's log never changes. */
#include <job/container_runner.h>

enum { QUIET_MS = 100 }; /* a log that is followed and silent for so long has nothing now */

osdear_status osdear__container_log_open(osdear_job_log *log, osdear_error **error)
{
  const char *name = log->stream ? log->stream : "stdout";

  if (strcmp(name, "stdout") != 0 && strcmp(name, "stderr") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a container has the logs stdout and stderr, not \"%s\"", name);
  return OSDEAR_OK;
}

static void drop_stream(osdear__container_log *own)
{
  osdear_engine_stream_free(own->stream);
  own->stream = NULL;
}

void osdear__container_log_close(osdear_job_log *log)
{
  drop_stream(log->own);
}

static osdear_status open_stream(osdear_job_log *log, osdear_error **error)
{
  osdear__container_log *own = log->own;
  osdear_logs_options options = OSDEAR_LOGS_OPTIONS_INIT;
  bool is_stderr = log->stream && strcmp(log->stream, "stderr") == 0;
  AUTO(container) container = NULL;
  osdear_status st = osdear__container_of_job(log->job, &container, error);

  options.follow = log->follow;
  options.no_stdout = is_stderr;
  options.no_stderr = !is_stderr;
  own->left = log->offset;
  return st ? st : osdear_container_logs(container, &options, &own->stream, error);
}

/* One piece; *more false: the end, or nothing now. */
static osdear_status read_piece(osdear_job_log *log, bool *more, osdear_error **error)
{
  osdear__container_log *own = log->own;
  osdear_chunk chunk = OSDEAR_CHUNK_INIT;
  osdear_status st = osdear__stream_poll(own->stream, log->follow ? QUIET_MS : -1, &chunk, error);
  size_t passed;

  *more = false;
  if (st == OSDEAR_ERR_TIMEOUT && log->follow && osdear__context_check(log->job->runner->context, NULL) == OSDEAR_OK) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  if (st || !chunk.data) {
    drop_stream(own);
    return st;
  }
  passed = (int64_t)chunk.data_size < own->left ? chunk.data_size : (size_t)own->left;
  own->left -= (int64_t)passed;
  osdear__buf_append(&log->data, chunk.data + passed, chunk.data_size - passed);
  log->offset += (int64_t)(chunk.data_size - passed);
  *more = passed == chunk.data_size;
  return osdear__buf_check(&log->data, error);
}

osdear_status osdear__container_log_read(osdear_job_log *log, osdear_error **error)
{
  osdear__container_log *own = log->own;
  bool more = true;
  osdear_status st = own->stream ? OSDEAR_OK : open_stream(log, error);

  while (!st && more)
    st = read_piece(log, &more, error);
  /* Whoever follows a job that is cancelled sees its end with the next poll: the log went with the container. */
  if (st == OSDEAR_ERR_NOT_FOUND && log->follow) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  return st;
}
