/** @file file_list.c Listing a folder of the file system in bytewise order, as object stores do. */
#include <store/backend.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DEPTH = 100 };

/* A folder being listed, and those it is in: a symbolic link back to one of them would never end. */
typedef struct folder {
  const struct folder *parent;
  int fd;
  int32_t depth;
  dev_t device;
  ino_t inode;
  osdear__arena arena;
  char **names; /* a folder's name ends in a slash, which puts its files where their whole paths belong */
  size_t count;
  size_t capacity;
} folder;

typedef struct listing {
  const osdear_context *context;
  const char *start_after;
  bool recursive;
  osdear__store_visit visit;
  void *argument;
  osdear__buf path; /* relative to the store's root */
} listing;

typedef enum entry_kind { ENTRY_NONE, ENTRY_FILE, ENTRY_FOLDER } entry_kind;

static int compare_names(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_leftover(const char *name)
{
  return name[0] == '.' && osdear__ends_with(name, OSDEAR__TEMP_SUFFIX);
}

/* Symbolic links count as what they lead to; those that lead nowhere do not count. */
static entry_kind kind_of(const folder *self, const struct dirent *entry)
{
  struct stat info;

  if (entry->d_type == DT_REG)
    return ENTRY_FILE;
  if (entry->d_type == DT_DIR)
    return ENTRY_FOLDER;
  if (entry->d_type != DT_LNK && entry->d_type != DT_UNKNOWN)
    return ENTRY_NONE;
  if (fstatat(self->fd, entry->d_name, &info, 0) != 0)
    return ENTRY_NONE;
  if (S_ISREG(info.st_mode))
    return ENTRY_FILE;
  return S_ISDIR(info.st_mode) ? ENTRY_FOLDER : ENTRY_NONE;
}

static osdear_status remember(folder *self, const char *name, bool is_folder, osdear_error **error)
{
  size_t length = strlen(name);
  char *copy = osdear__arena_alloc(&self->arena, length + 2);

  if (copy && self->count == self->capacity) {
    size_t capacity = self->capacity ? self->capacity * 2 : 64;
    char **names = osdear__realloc_array(self->names, capacity, sizeof *names);
    if (!names)
      return osdear__fail_memory(error);
    self->names = names;
    self->capacity = capacity;
  }
  if (!copy)
    return osdear__fail_memory(error);
  memcpy(copy, name, length + 1);
  if (is_folder)
    memcpy(copy + length, "/", 2);
  self->names[self->count++] = copy;
  return OSDEAR_OK;
}

/* Could anything at or below this name come after `start_after`? `path` holds the folder's own path. */
static bool comes_after(const listing *list, const char *name, bool is_folder)
{
  size_t length = list->path.size;
  int order;

  if (!list->start_after)
    return true;
  order = length > 0 ? strncmp(list->path.data, list->start_after, length) : 0;
  if (order != 0)
    return order > 0;
  if (!is_folder)
    return strcmp(name, list->start_after + length) > 0;
  return strncmp(name, list->start_after + length, strlen(name)) >= 0;
}

static osdear_status collect(listing *list, folder *self, DIR *dir, const char *name_prefix, osdear_error **error)
{
  for (;;) {
    const struct dirent *entry;
    entry_kind kind;
    osdear_status st;

    errno = 0;
    entry = readdir(dir);
    if (!entry && errno)
      return osdear__fail_errno(error, errno, "cannot list folder \"%s\"", list->path.size ? list->path.data : ".");
    if (!entry)
      return OSDEAR_OK;
    if (!osdear__starts_with(entry->d_name, name_prefix) || strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
        is_leftover(entry->d_name))
      continue;
    if (!comes_after(list, entry->d_name, false) && (!list->recursive || !comes_after(list, entry->d_name, true)))
      continue;
    kind = kind_of(self, entry);
    if (kind == ENTRY_NONE || (kind == ENTRY_FOLDER && !list->recursive))
      continue;
    st = remember(self, entry->d_name, kind == ENTRY_FOLDER, error);
    if (st)
      return st;
  }
}

static osdear_status visit_file(listing *list, const folder *self, const char *name, osdear_error **error)
{
  osdear__store_item item;
  struct stat info;

  if (fstatat(self->fd, name, &info, 0) != 0) {
    if (errno == ENOENT || errno == ELOOP) /* deleted meanwhile */
      return OSDEAR_OK;
    return osdear__fail_errno(error, errno, "cannot look at \"%s\"", list->path.data);
  }
  item.path = list->path.data;
  item.size_bytes = (int64_t)info.st_size;
  item.modified_ms = (int64_t)info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
  return list->visit(list->argument, &item, error);
}

static bool is_loop(const folder *self)
{
  for (const folder *at = self->parent; at; at = at->parent)
    if (at->device == self->device && at->inode == self->inode)
      return true;
  return false;
}

static osdear_status list_folder(listing *list, folder *self, const char *name_prefix, osdear_error **error);

/* `at` and `name`: openat()'s. Takes nothing over; a folder that is gone holds nothing. */
static osdear_status open_and_list(listing *list, const folder *parent, int at, const char *name, const char *name_prefix,
                                   osdear_error **error)
{
  folder self = { .parent = parent, .depth = parent ? parent->depth + 1 : 0 };
  struct stat info;
  osdear_status st;

  if (osdear__fault_hit(FAULT_READ))
    return osdear__fail_errno(error, EIO, "cannot open folder \"%s\"", name);
  if (self.depth > MAX_DEPTH)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "folder \"%s\" is more than %d deep", list->path.data, MAX_DEPTH);
  self.fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (self.fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
    return OSDEAR_OK;
  if (self.fd < 0)
    return osdear__fail_errno(error, errno, "cannot open folder \"%s\"", name);
  if (fstat(self.fd, &info) == 0) {
    self.device = info.st_dev;
    self.inode = info.st_ino;
  }
  st = is_loop(&self) ? OSDEAR_OK : list_folder(list, &self, name_prefix, error);
  close(self.fd);
  osdear__free(self.names);
  osdear__arena_drop(&self.arena);
  return st;
}

static osdear_status visit_all(listing *list, const folder *self, osdear_error **error)
{
  size_t length = list->path.size;

  for (size_t i = 0; i < self->count; i++) {
    const char *name = self->names[i];
    bool is_folder = osdear__ends_with(name, "/");
    osdear_status st;

    if (!comes_after(list, name, is_folder))
      continue;
    osdear__buf_puts(&list->path, name);
    st = osdear__buf_check(&list->path, error);
    if (!st)
      st = is_folder ? open_and_list(list, self, self->fd, name, "", error) : visit_file(list, self, name, error);
    if (st)
      return st;
    list->path.size = length;
    list->path.data[length] = '\0';
  }
  return OSDEAR_OK;
}

static osdear_status list_folder(listing *list, folder *self, const char *name_prefix, osdear_error **error)
{
  int copy = fcntl(self->fd, F_DUPFD_CLOEXEC, 0); /* closedir() closes the one it has */
  DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
  osdear_status st;

  if (!dir) {
    int number = errno;
    if (copy >= 0)
      close(copy);
    return osdear__fail_errno(error, number, "cannot list folder \"%s\"", list->path.size ? list->path.data : ".");
  }
  st = collect(list, self, dir, name_prefix, error);
  closedir(dir);
  if (!st && list->context)
    st = osdear__context_check(list->context, error);
  if (st)
    return st;
  if (self->count > 1)
    qsort(self->names, self->count, sizeof *self->names, compare_names);
  return visit_all(list, self, error);
}

osdear_status osdear__file_list(const osdear_context *context, const char *root, const char *prefix, const char *start_after,
                                bool recursive, osdear__store_visit visit, void *argument, osdear_error **error)
{
  SCOPED(buf) start = { 0 };
  listing list = { .context = context, .start_after = start_after, .recursive = recursive, .visit = visit, .argument = argument };
  const char *slash = strrchr(prefix, '/');
  size_t folder_length = slash ? (size_t)(slash - prefix) + 1 : 0;
  osdear_status st;

  osdear__buf_puts(&start, root);
  osdear__buf_putc(&start, '/');
  osdear__buf_append(&start, prefix, folder_length);
  osdear__buf_append(&list.path, prefix, folder_length);
  osdear__buf_puts(&list.path, "");
  st = osdear__buf_check(&start, error);
  if (!st)
    st = osdear__buf_check(&list.path, error);
  if (!st)
    st = open_and_list(&list, NULL, AT_FDCWD, start.data, prefix + folder_length, error);
  osdear__buf_drop(&list.path);
  return st;
}
