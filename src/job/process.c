/* Local programs as jobs. All there is to know of one is in its folder of the journal: `alive` is locked while its supervisor lives,
 * `started` and `ended` are the supervisor's notes, `stdout` and `stderr` what the program wrote. */
#include <job/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

static const char *const settings[] = { "python", "java", NULL };

static const osdear__spec_member members[] = {
  { "name", SPEC_TEXT },
  { "command", SPEC_TEXTS },
  { "python", SPEC_TEXT },
  { "jar", SPEC_TEXT },
  { "class", SPEC_TEXT },
  { "args", SPEC_TEXTS },
  { "properties", SPEC_PAIRS },
  { "environment", SPEC_PAIRS },
  { "directory", SPEC_TEXT },
  { "input", SPEC_TEXT },
  { "clear_environment", SPEC_BOOL },
  { "limits", SPEC_OBJECT },
  { "grace_ms", SPEC_INT },
  { "attached", SPEC_BOOL },
  { NULL, SPEC_TEXT },
};
static const osdear__spec_member limit_members[] = {
  { "memory_bytes", SPEC_INT }, { "cpu_seconds", SPEC_INT }, { "file_bytes", SPEC_INT },
  { "open_files", SPEC_INT },   { "processes", SPEC_INT },   { NULL, SPEC_TEXT },
};

static osdear_status open_runner(osdear_runner *runner, osdear_error **error)
{
  osdear__process_runner *own = runner->own;

  own->leash = own->leash_end = -1;
  if (strcmp(runner->address, "process:") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\": the address of local programs is process: and nothing else",
                        runner->address);
  return OSDEAR_OK;
}

/* Jobs on a leash feel that it is let go. */
static void close_runner(osdear_runner *runner)
{
  osdear__process_runner *own = runner->own;

  if (own->leash >= 0) {
    close(own->leash);
    close(own->leash_end);
  }
}

static osdear_status check(osdear_runner *runner, const osdear__json *spec, osdear_error **error)
{
  const osdear__json *limits = osdear__json_get(spec, "limits");
  int ways = (osdear__json_get(spec, "command") != NULL) + (osdear__json_get(spec, "python") != NULL) +
             (osdear__json_get(spec, "jar") != NULL);

  if (ways != 1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s has just one of \"command\", \"python\" and \"jar\"", runner->kind->what);
  if (osdear__json_get(spec, "command") && osdear__spec_count(spec, "command") == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the \"command\" is empty: its first word names the program");
  if (osdear__json_get(spec, "command") && (osdear__json_get(spec, "properties") || osdear__json_get(spec, "class")))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "\"properties\" and \"class\" go with \"python\" or \"jar\", not with \"command\"");
  return limits ? osdear__spec_check(limits, "\"limits\"", limit_members, error) : OSDEAR_OK;
}

static osdear_status submit(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id,
                            osdear__send_outcome *outcome, osdear_error **error)
{
  osdear_status st = osdear__process_start(runner, submission, outcome, error);

  if (!st)
    osdear__buf_puts(id, submission->name);
  return st;
}

static osdear_status has_file(const char *folder, const char *name, bool *is_there, osdear_error **error)
{
  SCOPED(buf) text = { 0 };

  return osdear__small_file_read(folder, name, &text, is_there, error);
}

/* It was started if a supervisor said so, even one that is gone. */
static osdear_status find(osdear_runner *runner, const osdear__submission *submission, osdear__buf *id, osdear_error **error)
{
  bool is_started, is_alive = false;
  osdear_status st = has_file(submission->folder, "started", &is_started, error);

  (void)runner;
  if (!st && !is_started)
    st = osdear__process_is_alive(submission->folder, &is_alive, error);
  if (!st && (is_started || is_alive))
    osdear__buf_puts(id, submission->name);
  return st;
}

/* ---- a job ---- */

static osdear_status attach(osdear_job *job, osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  size_t length = strlen(job->id);
  osdear_status st;

  if (length != 36 || strspn(job->id, "0123456789abcdef-") != length)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no id of a local job, which looks like a UUID", job->id);
  osdear__buf_printf(&folder, "%s/%s", job->runner->journal.folder, job->id);
  st = osdear__buf_check(&folder, error);
  if (!st)
    job->own = osdear__buf_take(&folder);
  return st;
}

osdear_status osdear__process_is_alive(const char *folder, bool *is_alive, osdear_error **error)
{
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/alive", folder);
  int fd = length > 0 && (size_t)length < sizeof path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;

  *is_alive = false;
  if (fd < 0)
    return errno == ENOENT ? OSDEAR_OK : osdear__fail_errno(error, errno, "cannot open \"%s\"", path);
  *is_alive = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return OSDEAR_OK;
}

/* What the supervisor noted at the end, if it did. */
static osdear_status read_end(const char *folder, osdear__arena *arena, osdear__json **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  bool is_there;
  osdear_status st = osdear__small_file_read(folder, "ended", &text, &is_there, error);

  *out = NULL;
  if (st || !is_there)
    return st;
  return osdear__json_read((osdear__str){ text.data, text.size }, folder, arena, out, error);
}

static osdear_status set_ended(osdear_job *job, const osdear__json *end, osdear_error **error)
{
  int64_t code = osdear__json_int(end, "exit_code", -1), signal = osdear__json_int(end, "signal", 0);
  bool was_cancelled = osdear__json_flag(end, "cancelled", false);
  SCOPED(buf) message = { 0 };
  char native[40];
  osdear_status st;

  if (code < 0 && signal <= 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s/ended\" does not tell how the job ended: it is no note of ours",
                        (const char *)job->own);
  snprintf(native, sizeof native, code >= 0 ? "exit %d" : "signal %d", code >= 0 ? (int)code : (int)signal);
  if (was_cancelled)
    return osdear__job_set(job, OSDEAR_JOB_CANCELLED, osdear__str_of(native), NULL, error);
  if (code == 0)
    return osdear__job_set(job, OSDEAR_JOB_SUCCEEDED, osdear__str_of(native), NULL, error);
  osdear__buf_puts(&message, code >= 0 ? "ended with " : "ended by ");
  osdear__buf_puts(&message, native);
  st = osdear__process_last_words(job->own, &message, error);
  if (!st)
    st = osdear__buf_check(&message, error);
  return st ? st : osdear__job_set(job, OSDEAR_JOB_FAILED, osdear__str_of(native), message.data, error);
}

static osdear_status set_lost(osdear_job *job, osdear_error **error)
{
  bool is_started;
  osdear_status st = has_file(job->own, "started", &is_started, error);

  if (st)
    return st;
  if (!is_started)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "there is no local job %s in \"%s\", or it was never started", job->id,
                        job->runner->journal.folder);
  return osdear__job_set(job, OSDEAR_JOB_FAILED, STR("lost"),
                         "its supervisor is gone without having seen its end: the machine was restarted, or somebody killed it",
                         error);
}

static osdear_status poll(osdear_job *job, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *end;
  bool is_alive = false, is_started;
  osdear_status st = read_end(job->own, &arena, &end, error);

  if (st)
    return st;
  if (!end) {
    st = osdear__process_is_alive(job->own, &is_alive, error);
    if (!st && !is_alive)
      st = read_end(job->own, &arena, &end, error); /* it may have ended just now */
  }
  if (st)
    return st;
  if (end)
    return set_ended(job, end, error);
  if (!is_alive)
    return set_lost(job, error);
  st = has_file(job->own, "started", &is_started, error);
  if (st)
    return st;
  return is_started ? osdear__job_set(job, OSDEAR_JOB_RUNNING, STR("running"), NULL, error)
                    : osdear__job_set(job, OSDEAR_JOB_PENDING, STR("starting"), NULL, error);
}

static osdear_status cancel(osdear_job *job, osdear_error **error)
{
  return osdear__process_end(job->own, error);
}

static osdear_status result(osdear_job *job, osdear__buf *out, bool *first, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *end;
  osdear_status st = read_end(job->own, &arena, &end, error);

  for (size_t i = 0; !st && end && i < end->count; i++) {
    if (osdear__str_is(end->keys[i], "cancelled"))
      continue;
    osdear__json_put_key(out, first, end->keys[i].data);
    osdear__json_put_value(out, &end->items[i]);
  }
  return st;
}

const osdear__runner_kind osdear__runner_process = {
  OSDEAR__RUNNER_VERBS,
  .name = "process",
  .scheme = "process:",
  .settings = settings,
  .spec = members,
  .what = "a spec for local programs",
  .first_poll_us = 10000,
  .slowest_poll_us = 500000,
  .own_size = sizeof(osdear__process_runner),
  .close = close_runner,
  .check = check,
  .poll = poll,
  .log_open = osdear__process_log_open,
  .log_read = osdear__process_log_read,
  .log_close = osdear__process_log_close,
};
