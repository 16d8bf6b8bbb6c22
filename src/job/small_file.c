/* Small files of a folder, read and written whole. */
#include <job/job.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20, PATH_SIZE = 4096 };

static osdear_status path_of(const char *folder, const char *name, const char *suffix, char out[PATH_SIZE], osdear_error **error)
{
  int length = snprintf(out, PATH_SIZE, "%s/%s%s", folder, name, suffix);

  if (length < 0 || length >= PATH_SIZE)
    return osdear__fail_errno(error, ENAMETOOLONG, "cannot use \"%s/%s\"", folder, name);
  return OSDEAR_OK;
}

/* ---- system calls that tests can make fail ---- */

static ssize_t read_some(int fd, void *out, size_t size)
{
  ssize_t got;

  if (osdear__fault_hit(FAULT_READ)) {
    errno = EIO;
    return -1;
  }
  if (osdear__fault_hit(FAULT_SHORT))
    size = 1;
  do
    got = read(fd, out, size);
  while (got < 0 && errno == EINTR);
  return got;
}

static ssize_t write_some(int fd, const void *data, size_t size)
{
  ssize_t put;

  if (osdear__fault_hit(FAULT_WRITE)) {
    errno = ENOSPC;
    return -1;
  }
  if (osdear__fault_hit(FAULT_SHORT))
    size = 1;
  do
    put = write(fd, data, size);
  while (put < 0 && errno == EINTR);
  return put;
}

/* ---- reading ---- */

static osdear_status read_all(int fd, const char *path, osdear__buf *out, osdear_error **error)
{
  for (;;) {
    char *room = osdear__buf_reserve(out, 4097);
    ssize_t got;

    if (!room)
      return osdear__buf_check(out, error);
    got = read_some(fd, room, 4096);
    if (got < 0 && errno == EISDIR)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s\" is a folder, which we never make: remove it", path);
    if (got < 0)
      return osdear__fail_errno(error, errno, "cannot read \"%s\"", path);
    if (got == 0) {
      out->data[out->size] = '\0';
      return OSDEAR_OK;
    }
    out->size += (size_t)got;
    if (out->size > MOST_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "\"%s\" is longer than the %d bytes that we ever write there", path,
                          MOST_BYTES);
  }
}

osdear_status osdear__small_file_read(const char *folder, const char *name, osdear__buf *out, bool *is_there,
                                      osdear_error **error)
{
  char path[PATH_SIZE];
  osdear_status st;
  int fd;

  st = path_of(folder, name, "", path, error);
  if (st)
    return st;
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
  *is_there = fd >= 0;
  if (fd < 0 && errno == ELOOP)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s\" is a link, which we never make: remove it", path);
  if (fd < 0)
    return errno == ENOENT ? OSDEAR_OK : osdear__fail_errno(error, errno, "cannot open \"%s\"", path);
  st = read_all(fd, path, out, error);
  close(fd);
  return st;
}

/* ---- writing ---- */

static osdear_status write_all(int fd, const char *path, osdear__str text, osdear_error **error)
{
  size_t done = 0;

  while (done < text.size) {
    ssize_t put = write_some(fd, text.data + done, text.size - done);
    if (put < 0)
      return osdear__fail_errno(error, errno, "cannot write \"%s\"", path);
    done += (size_t)put;
  }
  if (fsync(fd) != 0)
    return osdear__fail_errno(error, errno, "cannot sync \"%s\"", path);
  return OSDEAR_OK;
}

static osdear_status sync_folder(const char *folder, osdear_error **error)
{
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int failed = fd < 0 || fsync(fd) != 0;
  int number = errno;

  if (fd >= 0)
    close(fd);
  return failed ? osdear__fail_errno(error, number, "cannot sync \"%s\"", folder) : OSDEAR_OK;
}

osdear_status osdear__small_file_write(const char *folder, const char *name, osdear__str text, osdear_error **error)
{
  char path[PATH_SIZE], hidden[PATH_SIZE];
  osdear_status st;
  int fd;

  st = path_of(folder, name, "", path, error);
  if (!st)
    st = path_of(folder, name, ".new", hidden, error);
  if (st)
    return st;
  fd = open(hidden, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return osdear__fail_errno(error, errno, "cannot make \"%s\"", hidden);
  st = write_all(fd, hidden, text, error);
  close(fd);
  if (!st && rename(hidden, path) != 0)
    st = osdear__fail_errno(error, errno, "cannot rename \"%s\"", hidden);
  if (st) {
    unlink(hidden);
    return st;
  }
  return sync_folder(folder, error);
}

/* ---- folders ---- */

osdear_status osdear__make_folders(const char *path, osdear_error **error)
{
  char at[PATH_SIZE];
  size_t length = strlen(path);

  if (length >= sizeof at)
    return osdear__fail_errno(error, ENAMETOOLONG, "cannot use \"%s\"", path);
  for (size_t i = 1; i <= length; i++) {
    if (path[i] != '/' && path[i] != '\0')
      continue;
    memcpy(at, path, i);
    at[i] = '\0';
    if (mkdir(at, 0700) != 0 && errno != EEXIST)
      return osdear__fail_errno(error, errno, "cannot make the folder \"%s\"", at);
  }
  return OSDEAR_OK;
}
