/* Writes the tar of a file or of a folder with all below it, piece by piece, as the request that carries it asks for more. */
#include <container/tar.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_DEPTH 128
#define MOST_USTAR_NUMBER INT64_C(8589934591) /* eleven octal digits */

struct osdear__tar {
  char *path;  /* of what is written, without slashes at its end */
  size_t base; /* where its last name starts in `path` */
  DIR *folders[MOST_DEPTH];
  size_t lengths[MOST_DEPTH]; /* of `current` up to each of them */
  size_t depth;
  osdear__buf current; /* path of the entry at hand */
  bool has_started, has_ended;
  osdear__buf block; /* headers, padding and the end, to be handed out from `at` on */
  size_t at;
  int file; /* whose content comes next; -1: none */
  int64_t left;
  size_t padding;
};

osdear_status osdear__tar_new(const char *path, osdear__tar **out, osdear_error **error)
{
  AUTO(tar) made = osdear__alloc_zeroed(1, sizeof *made);
  size_t size = strlen(path);
  struct stat status;

  if (!made)
    return osdear__fail_memory(error);
  made->file = -1;
  while (size > 1 && path[size - 1] == '/')
    size--;
  made->path = osdear__strndup(path, size);
  if (!made->path)
    return osdear__fail_memory(error);
  made->base = size;
  while (made->base > 0 && path[made->base - 1] != '/')
    made->base--;
  if (made->base == size || strcmp(made->path + made->base, ".") == 0 || strcmp(made->path + made->base, "..") == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "copying `%s`: give a path that ends in a name", path);
  if (lstat(made->path, &status) != 0)
    return osdear__fail_errno(error, errno, "cannot copy %s", path);
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}

static void close_all(osdear__tar *tar)
{
  while (tar->depth)
    closedir(tar->folders[--tar->depth]);
  if (tar->file >= 0)
    close(tar->file);
  tar->file = -1;
}

void osdear__tar_auto(osdear__tar **at)
{
  osdear__tar *tar = *at;

  if (!tar)
    return;
  close_all(tar);
  osdear__buf_drop(&tar->current);
  osdear__buf_drop(&tar->block);
  osdear__free(tar->path);
  osdear__free(tar);
  *at = NULL;
}

osdear_status osdear__tar_rewind(void *argument, osdear_error **error)
{
  osdear__tar *tar = argument;

  (void)error;
  close_all(tar);
  osdear__buf_clear(&tar->current);
  osdear__buf_clear(&tar->block);
  tar->at = 0;
  tar->left = 0;
  tar->padding = 0;
  tar->has_started = tar->has_ended = false;
  return OSDEAR_OK;
}

/* ---- headers ---- */

static void put_block(osdear__tar *tar, osdear__tar_header *header)
{
  char sum[8];

  memcpy(header->magic, "ustar", 6);
  memcpy(header->version, "00", 2);
  snprintf(sum, sizeof sum, "%06o", osdear__tar_sum(header));
  memcpy(header->checksum, sum, 7);
  header->checksum[7] = ' ';
  osdear__buf_append(&tar->block, header, sizeof *header);
}

static void put_octal(char *to, size_t size, int64_t value)
{
  char text[24];

  snprintf(text, sizeof text, "%0*" PRIo64, (int)size - 1, (uint64_t)value);
  memcpy(to, text, size);
}

static void pad(osdear__buf *out, size_t size)
{
  static const char zeros[TAR_BLOCK];

  if (size % TAR_BLOCK)
    osdear__buf_append(out, zeros, TAR_BLOCK - size % TAR_BLOCK);
}

/* What is beyond the header's room is in a record. */
static int64_t in_ustar(int64_t number)
{
  return number < 0 || number > MOST_USTAR_NUMBER ? 0 : number;
}

/* The length counts its own digits. */
static void put_record(osdear__buf *out, const char *key, const char *value)
{
  size_t rest = strlen(key) + strlen(value) + 3, size = rest + 1;

  while (size != rest + (size_t)snprintf(NULL, 0, "%zu", size))
    size = rest + (size_t)snprintf(NULL, 0, "%zu", size);
  osdear__buf_printf(out, "%zu %s=%s\n", size, key, value);
}

/* What the header has no room for goes into records before it. */
static osdear_status put_extended(osdear__tar *tar, const char *name, const char *link, int64_t size, int64_t mtime,
                                  osdear_error **error)
{
  osdear__tar_header header = { .type = 'x' };
  SCOPED(buf) records = { 0 };
  char number[24];

  if (strlen(name) > sizeof header.name)
    put_record(&records, "path", name);
  if (strlen(link) > sizeof header.link)
    put_record(&records, "linkpath", link);
  osdear__format_i64(size, number);
  if (size > MOST_USTAR_NUMBER)
    put_record(&records, "size", number);
  osdear__format_i64(mtime, number);
  if (mtime < 0 || mtime > MOST_USTAR_NUMBER)
    put_record(&records, "mtime", number);
  if (records.size == 0)
    return osdear__buf_check(&records, error);
  memcpy(header.name, "record", 6);
  put_octal(header.mode, sizeof header.mode, 0644);
  put_octal(header.size, sizeof header.size, (int64_t)records.size);
  put_octal(header.mtime, sizeof header.mtime, 0);
  put_block(tar, &header);
  osdear__buf_append(&tar->block, records.data, records.size);
  pad(&tar->block, records.size);
  return osdear__buf_check(&records, error);
}

static osdear_status put_header(osdear__tar *tar, const struct stat *status, char type, const char *link, osdear_error **error)
{
  osdear__tar_header header = { .type = type };
  const char *name = tar->current.data + tar->base;
  int64_t size = type == '0' ? status->st_size : 0;
  osdear_status st = put_extended(tar, name, link, size, status->st_mtime, error);

  if (st)
    return st;
  memcpy(header.name, name, strlen(name) < sizeof header.name ? strlen(name) : sizeof header.name);
  memcpy(header.link, link, strlen(link) < sizeof header.link ? strlen(link) : sizeof header.link);
  put_octal(header.mode, sizeof header.mode, status->st_mode & 07777);
  put_octal(header.uid, sizeof header.uid, 0);
  put_octal(header.gid, sizeof header.gid, 0);
  put_octal(header.size, sizeof header.size, in_ustar(size));
  put_octal(header.mtime, sizeof header.mtime, in_ustar(status->st_mtime));
  put_block(tar, &header);
  return osdear__buf_check(&tar->block, error);
}

/* ---- entries ---- */

static osdear_status begin_folder(osdear__tar *tar, const struct stat *status, osdear_error **error)
{
  int fd = open(tar->current.data, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;

  if (!folder) {
    int number = errno;
    if (fd >= 0)
      close(fd);
    return osdear__fail_errno(error, number, "cannot open the folder %s", tar->current.data);
  }
  if (tar->depth == MOST_DEPTH) {
    closedir(folder);
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s: more than %d folders deep", tar->current.data, MOST_DEPTH);
  }
  tar->folders[tar->depth] = folder;
  tar->lengths[tar->depth++] = tar->current.size;
  return put_header(tar, status, '5', "", error);
}

static osdear_status begin_file(osdear__tar *tar, osdear_error **error)
{
  struct stat status;

  tar->file = open(tar->current.data, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (tar->file < 0 || fstat(tar->file, &status) != 0)
    return osdear__fail_errno(error, errno, "cannot open %s", tar->current.data);
  tar->left = status.st_size;
  tar->padding = (TAR_BLOCK - (size_t)(status.st_size % TAR_BLOCK)) % TAR_BLOCK;
  return put_header(tar, &status, '0', "", error);
}

static osdear_status begin_entry(osdear__tar *tar, osdear_error **error)
{
  char link[4096];
  struct stat status;
  ssize_t size;

  if (lstat(tar->current.data, &status) != 0)
    return osdear__fail_errno(error, errno, "cannot copy %s", tar->current.data);
  if (S_ISDIR(status.st_mode))
    return begin_folder(tar, &status, error);
  if (S_ISREG(status.st_mode))
    return begin_file(tar, error);
  if (!S_ISLNK(status.st_mode))
    return OSDEAR_OK; /* sockets, pipes and devices mean nothing elsewhere */
  size = readlink(tar->current.data, link, sizeof link - 1);
  if (size < 0)
    return osdear__fail_errno(error, errno, "cannot read the link %s", tar->current.data);
  link[size] = '\0';
  return put_header(tar, &status, '2', link, error);
}

static osdear_status set_current(osdear__tar *tar, size_t length, const char *name, osdear_error **error)
{
  tar->current.size = length;
  if (length)
    osdear__buf_putc(&tar->current, '/');
  osdear__buf_puts(&tar->current, name);
  return osdear__buf_check(&tar->current, error);
}

static osdear_status next_entry(osdear__tar *tar, osdear_error **error)
{
  struct dirent *entry;
  osdear_status st;

  if (!tar->has_started) {
    tar->has_started = true;
    st = set_current(tar, 0, tar->path, error);
    return st ? st : begin_entry(tar, error);
  }
  while (tar->depth) {
    entry = readdir(tar->folders[tar->depth - 1]);
    if (!entry) {
      closedir(tar->folders[--tar->depth]);
      continue;
    }
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
      continue;
    st = set_current(tar, tar->lengths[tar->depth - 1], entry->d_name, error);
    return st ? st : begin_entry(tar, error);
  }
  tar->has_ended = true;
  for (int i = 0; i < 2 * TAR_BLOCK; i++)
    osdear__buf_putc(&tar->block, '\0');
  return osdear__buf_check(&tar->block, error);
}

/* ---- bytes ---- */

static osdear_status read_file(osdear__tar *tar, void *out, size_t room, size_t *got, osdear_error **error)
{
  size_t wanted = (uint64_t)tar->left < room ? (size_t)tar->left : room;
  ssize_t count;

  if (tar->left == 0) {
    close(tar->file);
    tar->file = -1;
    pad(&tar->block, TAR_BLOCK - tar->padding);
    return osdear__buf_check(&tar->block, error);
  }
  do
    count = osdear__fault_hit(FAULT_READ) ? (errno = EIO, -1) : read(tar->file, out, wanted);
  while (count < 0 && errno == EINTR);
  if (count < 0)
    return osdear__fail_errno(error, errno, "cannot read %s", tar->current.data);
  if (count == 0)
    return osdear__fail(error, OSDEAR_ERR_CONFLICT, "%s became shorter while it was copied", tar->current.data);
  tar->left -= count;
  *got = (size_t)count;
  return OSDEAR_OK;
}

osdear_status osdear__tar_read(void *argument, void *out, size_t room, size_t *got, osdear_error **error)
{
  osdear__tar *tar = argument;

  *got = 0;
  for (;;) {
    osdear_status st;

    if (tar->at < tar->block.size) {
      size_t size = tar->block.size - tar->at < room ? tar->block.size - tar->at : room;
      memcpy(out, tar->block.data + tar->at, size);
      tar->at += size;
      *got = size;
      return OSDEAR_OK;
    }
    osdear__buf_clear(&tar->block);
    tar->at = 0;
    if (tar->file >= 0)
      st = read_file(tar, out, room, got, error);
    else if (tar->has_ended)
      return OSDEAR_OK;
    else
      st = next_entry(tar, error);
    if (st || *got)
      return st;
  }
}
