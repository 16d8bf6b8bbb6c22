/* What local programs wrote. */
#include <job/process.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { CHUNK = 65536, LAST_WORDS = 400 };

typedef struct process_log {
  int fd;
} process_log;

static int open_output(const char *folder, const char *name)
{
  char path[4096];
  int length = snprintf(path, sizeof path, "%s/%s", folder, name);

  if (length < 0 || (size_t)length >= sizeof path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
}

static ssize_t read_at(int fd, void *out, size_t size, int64_t offset)
{
  ssize_t got;

  if (osdear__fault_hit(FAULT_READ)) {
    errno = EIO;
    return -1;
  }
  if (osdear__fault_hit(FAULT_SHORT))
    size = 1;
  do
    got = pread(fd, out, size, (off_t)offset);
  while (got < 0 && errno == EINTR);
  return got;
}

osdear_status osdear__process_log_open(osdear_job_log *log, osdear_error **error)
{
  const char *name = log->stream ? log->stream : "stdout";
  process_log *own;

  if (strcmp(name, "stdout") != 0 && strcmp(name, "stderr") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a local job has the logs stdout and stderr, not \"%s\"", name);
  own = osdear__alloc(sizeof *own);
  if (!own)
    return osdear__fail_memory(error);
  log->own = own;
  own->fd = open_output(log->job->own, name);
  if (own->fd < 0)
    return osdear__fail_errno(error, errno, "cannot open the %s of job %s", name, log->job->id);
  return OSDEAR_OK;
}

osdear_status osdear__process_log_read(osdear_job_log *log, osdear_error **error)
{
  const process_log *own = log->own;
  char *room = osdear__buf_reserve(&log->data, CHUNK + 1);
  ssize_t got;

  if (!room)
    return osdear__buf_check(&log->data, error);
  got = read_at(own->fd, room, CHUNK, log->offset);
  if (got < 0)
    return osdear__fail_errno(error, errno, "cannot read the output of job %s", log->job->id);
  log->data.size += (size_t)got;
  log->data.data[log->data.size] = '\0';
  log->offset += got;
  return OSDEAR_OK;
}

void osdear__process_log_close(osdear_job_log *log)
{
  process_log *own = log->own;

  if (own->fd >= 0)
    close(own->fd);
}

osdear_status osdear__process_last_words(const char *folder, osdear__buf *out, osdear_error **error)
{
  char text[LAST_WORDS];
  int fd = open_output(folder, "stderr");
  off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
  off_t from = end > LAST_WORDS ? end - LAST_WORDS : 0;
  size_t size = 0, start;
  ssize_t got = end > from ? 1 : 0;

  for (; got > 0 && size < (size_t)(end - from); size += (size_t)got) {
    got = read_at(fd, text + size, (size_t)(end - from) - size, from + (off_t)size);
    if (got <= 0)
      break;
  }
  if (fd >= 0)
    close(fd);
  if (got < 0)
    return osdear__fail_errno(error, EIO, "cannot read the output in \"%s\"", folder);
  while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
    size--;
  for (start = size; start > 0 && text[start - 1] != '\n'; start--)
    continue;
  if (size > start && osdear__utf8_is_valid(text + start, size - start)) {
    osdear__buf_puts(out, ": ");
    osdear__buf_append(out, text + start, size - start);
  }
  return OSDEAR_OK;
}
