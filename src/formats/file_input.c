/* A regular file read at offsets, by any number of threads. */
#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct file_input {
  osdear__input input;
  int descriptor;
  bool is_standard_input;
  char *name;
} file_input;

static osdear_status file_read_at(osdear__input *input, int64_t offset, void *out, size_t size, osdear_error **error)
{
  file_input *file = (file_input *)input;
  char *at = out;
  size_t left = size;

  while (left) {
    ssize_t count;
    if (osdear__fault_hit(FAULT_READ))
      return osdear__fail_errno(error, EIO, "reading %s at byte %" PRId64, input->name, offset);
    count = pread(file->descriptor, at, left, (off_t)offset);
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      return osdear__fail_errno(error, errno, "reading %s at byte %" PRId64, input->name, offset);
    if (count == 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s ends at byte %" PRId64 ", earlier than when it was opened", input->name,
                          offset);
    at += count;
    offset += count;
    left -= (size_t)count;
  }
  return OSDEAR_OK;
}

static void file_close(osdear__input *input)
{
  file_input *file = (file_input *)input;

  if (file->descriptor >= 0 && !file->is_standard_input)
    close(file->descriptor);
  osdear__free(file->name);
  osdear__free(file);
}

osdear_status osdear__file_input(const char *path, osdear__input **out, osdear_error **error)
{
  AUTO(input) input = NULL;
  file_input *file = osdear__alloc_zeroed(1, sizeof *file);
  struct stat about;

  if (!file)
    return osdear__fail_memory(error);
  input = &file->input;
  input->read_at = file_read_at;
  input->close = file_close;
  file->descriptor = -1;
  file->name = osdear__strdup(path);
  if (!file->name)
    return osdear__fail_memory(error);
  input->name = file->name;
  file->is_standard_input = strcmp(path, "-") == 0;
  file->descriptor = file->is_standard_input ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
  if (file->descriptor < 0)
    return osdear__fail_errno(error, errno, "opening %s", path);
  if (fstat(file->descriptor, &about) != 0)
    return osdear__fail_errno(error, errno, "looking at %s", path);
  if (!S_ISREG(about.st_mode))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: Parquet is read from its end, which a pipe does not have; save it to a file", path);
  input->size_bytes = (int64_t)about.st_size;
  *out = input;
  input = NULL;
  return OSDEAR_OK;
}
