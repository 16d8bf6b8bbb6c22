/** @file file.c Folders of the file system. A file appears under its name only when all of it is on disk. */
#include <store/backend.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct file_store {
  osdear__store base;
  char *root; /* absolute; "" for the root of the file system */
} file_store;

static const file_store *file_store_of(const osdear__store *store)
{
  return (const file_store *)(const void *)store;
}

/* ---- system calls that tests can make fail ---- */

static ssize_t read_some(int fd, void *out, size_t size, int64_t offset)
{
  ssize_t got;

  if (osdear__fault_hit(FAULT_READ)) {
    errno = EIO;
    return -1;
  }
  if (osdear__fault_hit(FAULT_SHORT))
    size = (size + 1) / 2;
  do
    got = pread(fd, out, size, (off_t)offset);
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
    size = (size + 1) / 2;
  do
    put = write(fd, data, size);
  while (put < 0 && errno == EINTR);
  return put;
}

static int sync_file(int fd)
{
  int failed;

  if (osdear__fault_hit(FAULT_WRITE)) {
    errno = EIO;
    return -1;
  }
  do
    failed = fsync(fd);
  while (failed && errno == EINTR);
  return failed;
}

static int open_for_reading(const char *path)
{
  int fd;

  if (osdear__fault_hit(FAULT_READ)) {
    errno = EIO;
    return -1;
  }
  do /* O_NONBLOCK: a FIFO put there under a file's name must not block us */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  while (fd < 0 && errno == EINTR);
  return fd;
}

/* ---- names ---- */

enum { NAME_SIZE = 4096 }; /* PATH_MAX */

/* What an absolute address names; other paths are below the root. */
static const char *strip_scheme(const char *path)
{
  const char *slash;

  if (!osdear__starts_with(path, "file:"))
    return path;
  path += 5;
  slash = osdear__starts_with(path, "//") ? strchr(path + 2, '/') : NULL;
  return slash ? slash : path;
}

static osdear_status full_path(const osdear__store *store, const char *path, osdear__buf *out, osdear_error **error)
{
  path = strip_scheme(path);
  if (path[0] != '/') {
    osdear__buf_puts(out, file_store_of(store)->root);
    osdear__buf_putc(out, '/');
  }
  osdear__buf_puts(out, path);
  return osdear__buf_check(out, error);
}

/* Without asking for memory: to see whether a file is there, and to take it away, must be possible when there is none. */
static osdear_status name_of(const osdear__store *store, const char *path, char out[NAME_SIZE], osdear_error **error)
{
  bool is_below = strip_scheme(path)[0] != '/';
  int length =
      snprintf(out, NAME_SIZE, "%s%s%s", is_below ? file_store_of(store)->root : "", is_below ? "/" : "", strip_scheme(path));

  if (length < 0 || length >= NAME_SIZE)
    return osdear__fail_errno(error, ENAMETOOLONG, "cannot use \"%s\"", path);
  return OSDEAR_OK;
}

static bool accepts(const char *address)
{
  return address[0] == '/' || osdear__starts_with(address, "file:/");
}

/* A name below something that is a file is a name of nothing. */
static osdear_status fail_reading(osdear_error **error, int number, const char *what, const char *path)
{
  return osdear__fail_errno(error, number == ENOTDIR ? ENOENT : number, "cannot %s \"%s\"", what, path);
}

/* ---- reading ---- */

/* Folders, pipes and devices are not files of a store. */
static osdear_status open_regular(const char *path, int *fd, struct stat *info, osdear_error **error)
{
  int got = open_for_reading(path);

  if (got < 0)
    return fail_reading(error, errno, "open", path);
  if (fstat(got, info) != 0) {
    int number = errno;
    close(got);
    return fail_reading(error, number, "look at", path);
  }
  if (!S_ISREG(info->st_mode)) {
    close(got);
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "\"%s\" is not a file", path);
  }
  *fd = got;
  return OSDEAR_OK;
}

static osdear_status read_fully(int fd, int64_t offset, void *out, size_t size, const char *path, osdear_error **error)
{
  size_t done = 0;

  while (done < size) {
    ssize_t got = read_some(fd, (char *)out + done, size - done, offset + (int64_t)done);
    if (got < 0)
      return osdear__fail_errno(error, errno, "cannot read \"%s\" at byte %" PRId64, path, offset + (int64_t)done);
    if (got == 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s\" ends at byte %" PRId64 ", %zu more were expected", path,
                          offset + (int64_t)done, size - done);
    done += (size_t)got;
  }
  return OSDEAR_OK;
}

static osdear_status file_get(osdear__store *store, const char *path, size_t max_size, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) name = { 0 };
  struct stat info;
  char *room;
  size_t size;
  int fd = -1;
  osdear_status st;

  st = full_path(store, path, &name, error);
  if (st)
    return st;
  st = open_regular(name.data, &fd, &info, error);
  if (st)
    return st;
  size = (size_t)info.st_size;
  room = size <= max_size ? osdear__buf_reserve(out, size + 1) : NULL;
  if (size > max_size)
    st = osdear__fail(error, OSDEAR_ERR_LIMIT, "\"%s\" has %zu bytes, at most %zu are read at once", name.data, size, max_size);
  else if (!room)
    st = osdear__buf_check(out, error);
  else
    st = read_fully(fd, 0, room, size, name.data, error);
  close(fd);
  if (st)
    return st;
  out->size += size;
  out->data[out->size] = '\0';
  return OSDEAR_OK;
}

typedef struct file_input {
  osdear__input base;
  int fd;
  char *name;
} file_input;

static osdear_status input_read_at(osdear__input *input, int64_t offset, void *out, size_t size, osdear_error **error)
{
  const file_input *self = (const file_input *)(void *)input;

  return read_fully(self->fd, offset, out, size, self->name, error);
}

static void input_close(osdear__input *input)
{
  file_input *self = (file_input *)(void *)input;

  close(self->fd);
  osdear__free(self->name);
  osdear__free(self);
}

static osdear_status file_open_input(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                                     osdear_error **error)
{
  SCOPED(buf) name = { 0 };
  file_input *input;
  struct stat info;
  int fd = -1;
  osdear_status st;

  st = full_path(store, path, &name, error);
  if (st)
    return st;
  st = open_regular(name.data, &fd, &info, error);
  if (st)
    return st;
  input = osdear__alloc_zeroed(1, sizeof *input);
  if (!input) {
    close(fd);
    return osdear__fail_memory(error);
  }
  input->fd = fd;
  input->name = osdear__buf_take(&name);
  input->base.read_at = input_read_at;
  input->base.close = input_close;
  input->base.size_bytes = size_bytes >= 0 ? size_bytes : (int64_t)info.st_size;
  input->base.name = input->name;
  *out = &input->base;
  return OSDEAR_OK;
}

static osdear_status file_stat(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error)
{
  char name[NAME_SIZE];
  struct stat info;
  osdear_status st = name_of(store, path, name, error);

  if (st)
    return st;
  if (stat(name, &info) != 0)
    return fail_reading(error, errno, "look at", name);
  if (!S_ISREG(info.st_mode))
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "\"%s\" is not a file", name);
  out->path = path;
  out->size_bytes = (int64_t)info.st_size;
  out->modified_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
  return OSDEAR_OK;
}

/* ---- writing: a hidden file in the same folder, made durable, then given its name ---- */

typedef struct temp_file {
  int fd;
  bool exists;  /* `name` is still to be removed */
  bool visible; /* it has its final name */
  osdear__buf name;
  osdear__buf final; /* the name it is to get */
  size_t folder;     /* length of the folder's part of both names, with its slash */
} temp_file;

static void temp_drop(temp_file *temp)
{
  if (temp->fd >= 0)
    close(temp->fd);
  if (temp->exists)
    unlink(temp->name.data);
  osdear__buf_drop(&temp->name);
  osdear__buf_drop(&temp->final);
}

/* The entry of a new name is on disk only once its folder is. */
static osdear_status sync_folder(const char *path, size_t length, osdear_error **error)
{
  char name[NAME_SIZE]; /* the file has its name already: a want of memory must not make a failure of that */
  int fd, failed, number;

  if (length >= sizeof name)
    return osdear__fail_errno(error, ENAMETOOLONG, "cannot open folder \"%s\"", path);
  memcpy(name, path, length);
  name[length] = '\0';
  fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return osdear__fail_errno(error, errno, "cannot open folder \"%s\"", name);
  failed = sync_file(fd);
  number = errno;
  close(fd);
  if (failed && number != EINVAL) /* EINVAL: a file system whose folders cannot be synced */
    return osdear__fail_errno(error, number, "cannot bring folder \"%s\" to disk", name);
  return OSDEAR_OK;
}

/* The folders of the first `length` bytes of `path`, which end in a slash. Others may be making the same. */
static osdear_status make_folders(char *path, size_t length, osdear_error **error)
{
  size_t missing = length;
  size_t parent = 0;
  struct stat info;

  while (missing > 1) { /* find the deepest that is there */
    size_t end = missing - 1;
    bool there;
    path[end] = '\0';
    there = stat(path, &info) == 0;
    path[end] = '/';
    if (there)
      break;
    while (end > 0 && path[end - 1] != '/')
      end--;
    missing = end;
  }
  parent = missing;
  while (parent < length) {
    size_t end = parent;
    int failed;
    while (path[end] != '/')
      end++;
    path[end] = '\0';
    failed = end > parent && mkdir(path, 0777) != 0 && errno != EEXIST ? errno : 0;
    path[end] = '/';
    if (failed)
      return osdear__fail_errno(error, failed, "cannot make folder \"%.*s\"", (int)end, path);
    if (end > parent) {
      osdear_status st = sync_folder(path, parent > 0 ? parent : 1, error);
      if (st)
        return st;
    }
    parent = end + 1;
  }
  return OSDEAR_OK;
}

static int create_exclusively(const char *name)
{
  int fd;

  if (osdear__fault_hit(FAULT_WRITE)) {
    errno = ENOSPC;
    return -1;
  }
  do
    fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  while (fd < 0 && errno == EINTR);
  return fd;
}

static osdear_status temp_open(temp_file *temp, const osdear__store *store, const char *path, osdear_error **error)
{
  char unique[37];
  osdear_status st;

  temp->fd = -1;
  st = full_path(store, path, &temp->final, error);
  if (st)
    return st;
  temp->folder = (size_t)(strrchr(temp->final.data, '/') - temp->final.data) + 1;
  osdear__uuid(unique);
  osdear__buf_append(&temp->name, temp->final.data, temp->folder);
  osdear__buf_printf(&temp->name, ".%s" OSDEAR__TEMP_SUFFIX, unique);
  st = osdear__buf_check(&temp->name, error);
  if (st)
    return st;
  temp->fd = create_exclusively(temp->name.data);
  if (temp->fd < 0 && errno == ENOENT) {
    st = make_folders(temp->name.data, temp->folder, error);
    if (st)
      return st;
    temp->fd = create_exclusively(temp->name.data);
  }
  if (temp->fd < 0)
    return osdear__fail_errno(error, errno, "cannot create a file in \"%.*s\"", (int)temp->folder, temp->name.data);
  temp->exists = true;
  return OSDEAR_OK;
}

static osdear_status temp_write(temp_file *temp, const void *data, size_t size, osdear_error **error)
{
  const char *at = data;

  while (size > 0) {
    ssize_t put = write_some(temp->fd, at, size);
    if (put < 0)
      return osdear__fail_errno(error, errno, "cannot write \"%s\"", temp->final.data);
    at += put;
    size -= (size_t)put;
  }
  return OSDEAR_OK;
}

/* The classic way where renameat2() does not do it (NFS). A link count of 2 tells a link whose answer was lost from another's file. */
static int link_into_place(const temp_file *temp)
{
  struct stat info;

  if (link(temp->name.data, temp->final.data) == 0)
    return 0;
  if (errno == EEXIST) {
    bool ours = stat(temp->name.data, &info) == 0 && info.st_nlink == 2;
    errno = EEXIST;
    return ours ? 0 : -1;
  }
  return -1;
}

static int move_into_place(temp_file *temp, bool replace)
{
  enum { NO_REPLACE = 1 }; /* RENAME_NOREPLACE; not every C library declares it */

  if (osdear__fault_hit(FAULT_WRITE)) {
    errno = EIO;
    return -1;
  }
  if (replace) {
    if (rename(temp->name.data, temp->final.data) != 0)
      return -1;
    temp->exists = false;
    return 0;
  }
  if (syscall(SYS_renameat2, AT_FDCWD, temp->name.data, AT_FDCWD, temp->final.data, NO_REPLACE) == 0) {
    temp->exists = false;
    return 0;
  }
  return errno == EINVAL || errno == ENOSYS ? link_into_place(temp) : -1;
}

/* Contents first, then the name, then the folder: at no instant does the name stand for half a file. */
static osdear_status temp_publish(temp_file *temp, bool replace, osdear_error **error)
{
  int failed;

  if (sync_file(temp->fd) != 0)
    return osdear__fail_errno(error, errno, "cannot bring \"%s\" to disk", temp->final.data);
  failed = close(temp->fd); /* NFS tells of a full disk here */
  temp->fd = -1;
  if (failed && errno != EINTR)
    return osdear__fail_errno(error, errno, "cannot close \"%s\"", temp->final.data);
  if (move_into_place(temp, replace) != 0) {
    if (errno == EPERM || errno == EOPNOTSUPP)
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                          "the file system of \"%s\" can neither rename without replacing nor link: it cannot hold a table's log",
                          temp->final.data);
    return osdear__fail_errno(error, errno, "cannot write \"%s\"", temp->final.data);
  }
  temp->visible = true;
  if (temp->exists) {
    unlink(temp->name.data);
    temp->exists = false;
  }
  return sync_folder(temp->final.data, temp->folder, error);
}

static osdear_status file_put(osdear__store *store, const char *path, const void *data, size_t size, bool replace,
                              osdear_error **error)
{
  temp_file temp = { .fd = -1 };
  osdear_status st;

  st = temp_open(&temp, store, path, error);
  if (!st)
    st = temp_write(&temp, data, size, error);
  if (!st)
    st = temp_publish(&temp, replace, error);
  temp_drop(&temp);
  return st;
}

typedef struct file_output {
  osdear__output base;
  temp_file temp;
  bool replace;
  bool finished;
} file_output;

static osdear_status output_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  file_output *self = (file_output *)(void *)output;

  if (self->finished)
    return osdear__fail(error, OSDEAR_ERR_STATE, "\"%s\" is finished already", self->temp.final.data);
  return temp_write(&self->temp, data, size, error);
}

static osdear_status output_finish(osdear__output *output, osdear_error **error)
{
  file_output *self = (file_output *)(void *)output;
  osdear_status st;

  if (self->finished)
    return osdear__fail(error, OSDEAR_ERR_STATE, "\"%s\" is finished already", self->temp.final.data);
  self->finished = true;
  st = temp_publish(&self->temp, self->replace, error);
  if (st && self->temp.visible && !self->replace)
    unlink(self->temp.final.data); /* not known to be on disk, and nobody waits for its name */
  return st;
}

static void output_close(osdear__output *output)
{
  file_output *self = (file_output *)(void *)output;

  temp_drop(&self->temp);
  osdear__free(self);
}

static osdear_status file_create(osdear__store *store, const char *path, bool replace, osdear__output **out, osdear_error **error)
{
  file_output *output = osdear__alloc_zeroed(1, sizeof *output);
  osdear_status st;

  if (!output)
    return osdear__fail_memory(error);
  st = temp_open(&output->temp, store, path, error);
  if (st) {
    output_close(&output->base);
    return st;
  }
  output->replace = replace;
  output->base.write = output_write;
  output->base.finish = output_finish;
  output->base.close = output_close;
  output->base.name = output->temp.final.data;
  *out = &output->base;
  return OSDEAR_OK;
}

static osdear_status file_remove(osdear__store *store, const char *path, osdear_error **error)
{
  char name[NAME_SIZE];
  osdear_status st = name_of(store, path, name, error);

  if (st)
    return st;
  if (unlink(name) != 0)
    return fail_reading(error, errno == EISDIR ? ENOENT : errno, "delete", name);
  return OSDEAR_OK;
}

static osdear_status file_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                               osdear__store_visit visit, void *argument, osdear_error **error)
{
  return osdear__file_list(store->context, file_store_of(store)->root, prefix, start_after, recursive, visit, argument, error);
}

static void file_free(osdear__store *store)
{
  file_store *self = (file_store *)(void *)store;

  osdear__free(self->root);
  osdear__free(self);
}

static const osdear__store_backend file_backend = {
  .scheme = "file:",
  .accepts = accepts,
  .get = file_get,
  .open_input = file_open_input,
  .put = file_put,
  .create = file_create,
  .remove = file_remove,
  .list = file_list,
  .stat = file_stat,
  .free = file_free,
};

/* ---- opening ---- */

static osdear_status append_working_folder(osdear__buf *out, osdear_error **error)
{
  char folder[4096];

  if (!getcwd(folder, sizeof folder))
    return osdear__fail_errno(error, errno, "cannot tell the working folder, which a relative path starts from");
  osdear__buf_puts(out, folder);
  return OSDEAR_OK;
}

/* Appends the components of `path`, leaving out empty ones and `.`. `..` stays: after a symbolic link only the system can resolve it. */
static void append_components(osdear__buf *out, const char *path)
{
  while (*path) {
    size_t length = strcspn(path, "/");
    if (length > 0 && !(length == 1 && path[0] == '.')) {
      osdear__buf_putc(out, '/');
      osdear__buf_append(out, path, length);
    }
    path += length;
    path += path[0] == '/';
  }
}

osdear_status osdear__file_store_new(const char *path, osdear__store **out, osdear_error **error)
{
  SCOPED(buf) root = { 0 };
  file_store *store;
  osdear_status st = OSDEAR_OK;

  if (path[0] != '/') {
    SCOPED(buf) folder = { 0 };
    st = append_working_folder(&folder, error);
    if (!st)
      st = osdear__buf_check(&folder, error);
    if (st)
      return st;
    append_components(&root, folder.data);
  }
  append_components(&root, path);
  osdear__buf_puts(&root, "");
  st = osdear__buf_check(&root, error);
  if (st)
    return st;
  store = osdear__alloc_zeroed(1, sizeof *store);
  if (!store)
    return osdear__fail_memory(error);
  atomic_init(&store->base.references, 1);
  store->base.backend = &file_backend;
  store->base.uri = osdear__strdup(root.size > 0 ? root.data : "/");
  store->root = osdear__strdup(root.size > 0 ? root.data : "");
  if (!store->base.uri || !store->root) {
    osdear__store_unref(&store->base);
    return osdear__fail_memory(error);
  }
  *out = &store->base;
  return OSDEAR_OK;
}
