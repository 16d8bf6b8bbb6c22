/* What a container wrote. A log that came to its end, or was cut, is read on from there when it is asked for once more. */
#include <job/container_runner.h>

enum { QUIET_MS = 100 }; /* a log that is followed and silent for so long has nothing now */

osdear_status osdear__container_log_open(osdear_job_log *log, osdear_error **error)
{
  const char *name = log->stream ? log->stream : "stdout";

  if (strcmp(name, "stdout") != 0 && strcmp(name, "stderr") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a container has the logs stdout and stderr, not \"%s\"", name);
  return OSDEAR_OK;
}

void osdear__container_log_close(osdear_job_log *log)
{
  osdear__container_log *own = log->own;

  osdear_engine_stream_free(own->stream);
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
  return st ? st : osdear__container_read_log(container, &options, &own->stream, error);
}

/* One piece, or nothing: the end, or nothing now. */
static osdear_status read_piece(osdear_job_log *log, osdear_error **error)
{
  osdear__container_log *own = log->own;
  osdear_chunk chunk = OSDEAR_CHUNK_INIT;
  bool is_silent;
  osdear_status st = osdear__stream_poll(own->stream, log->follow ? QUIET_MS : -1, &chunk, &is_silent, error);

  if (!st && is_silent)
    return OSDEAR_OK;
  own->has_ended = st || !chunk.data;
  if (own->has_ended)
    return st;
  osdear__buf_append(&log->data, chunk.data, chunk.data_size);
  return osdear__buf_check(&log->data, error);
}

osdear_status osdear__container_log_read(osdear_job_log *log, osdear_error **error)
{
  osdear__container_log *own = log->own;
  osdear_status st = OSDEAR_OK;

  if (!own->stream)
    st = open_stream(log, error);
  else if (own->has_ended)
    st = osdear__container_read_on(own->stream, error);
  if (!st)
    st = read_piece(log, error);
  /* Whoever follows a job that is cancelled sees its end with the next poll: the log went with the container. */
  if (st == OSDEAR_ERR_NOT_FOUND && log->follow) {
    osdear__error_forget(error);
    return OSDEAR_OK;
  }
  return st;
}
