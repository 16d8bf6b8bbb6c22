/** @file memory.c Files that live as long as the process: for tests, and for tables that are not to be kept. */
#include <store/backend.h>

#include <pthread.h>

/* The bytes of a file, shared by the store and by whoever reads them. Immutable. */
typedef struct blob {
  atomic_int_fast64_t references;
  size_t size;
  char *data;
} blob;

typedef struct memory_file {
  char *path;
  blob *content;
  int64_t modified_ms;
} memory_file;

/* All files under one name, in bytewise order of their paths. */
typedef struct space {
  struct space *next;
  int64_t references; /* guarded by `registry_lock` */
  char *name;
  pthread_mutex_t lock; /* guards what follows */
  memory_file *files;
  size_t count;
  size_t capacity;
} space;

typedef struct memory_store {
  osdear__store base;
  space *space;
  char *prefix; /* what the paths of this store start with: "" or "p/" */
} memory_store;

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static space *registry;

/* ---- contents ---- */

static void blob_unref(blob *content)
{
  if (!content || atomic_fetch_sub_explicit(&content->references, 1, memory_order_acq_rel) != 1)
    return;
  osdear__free(content->data);
  osdear__free(content);
}

/* Takes `data` over in every case; NULL only for no bytes. */
static blob *blob_new(char *data, size_t size)
{
  blob *content = osdear__alloc_zeroed(1, sizeof *content);

  if (!content) {
    osdear__free(data);
    return NULL;
  }
  atomic_init(&content->references, 1);
  content->data = data;
  content->size = size;
  return content;
}

static blob *blob_of(const void *data, size_t size)
{
  char *copy = NULL;

  if (size > 0) {
    copy = osdear__alloc(size);
    if (!copy)
      return NULL;
    memcpy(copy, data, size);
  }
  return blob_new(copy, size);
}

/* ---- names ---- */

static void space_unref(space *self)
{
  pthread_mutex_lock(&registry_lock);
  if (--self->references > 0) {
    pthread_mutex_unlock(&registry_lock);
    return;
  }
  pthread_mutex_unlock(&registry_lock);
  for (size_t i = 0; i < self->count; i++) {
    osdear__free(self->files[i].path);
    blob_unref(self->files[i].content);
  }
  pthread_mutex_destroy(&self->lock);
  osdear__free(self->files);
  osdear__free(self->name);
  osdear__free(self);
}

/* With the lock held. The registry's own reference keeps a space until it is forgotten. */
static space *space_find_or_add(osdear__str name)
{
  space *self;

  for (self = registry; self; self = self->next)
    if (osdear__str_is(name, self->name)) {
      self->references++;
      return self;
    }
  self = osdear__alloc_zeroed(1, sizeof *self);
  if (!self)
    return NULL;
  self->name = osdear__strndup(name.data, name.size);
  if (!self->name || pthread_mutex_init(&self->lock, NULL) != 0) {
    osdear__free(self->name);
    osdear__free(self);
    return NULL;
  }
  self->references = 2;
  self->next = registry;
  registry = self;
  return self;
}

void osdear__memory_store_forget(const char *name)
{
  space *found = NULL;

  pthread_mutex_lock(&registry_lock);
  for (space **at = &registry; *at; at = &(*at)->next)
    if (strcmp((*at)->name, name) == 0) {
      found = *at;
      *at = found->next;
      break;
    }
  pthread_mutex_unlock(&registry_lock);
  if (found)
    space_unref(found);
}

static memory_store *memory_store_of(osdear__store *store)
{
  return (memory_store *)(void *)store;
}

static osdear_status full_path(osdear__store *store, const char *path, osdear__buf *out, osdear_error **error)
{
  osdear__buf_puts(out, memory_store_of(store)->prefix);
  osdear__buf_puts(out, path);
  osdear__buf_puts(out, "");
  return osdear__buf_check(out, error);
}

/* The place of `path`, or where it would stand. With the lock held. */
static size_t place_of(const space *self, const char *path, bool *found)
{
  size_t low = 0, high = self->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (strcmp(self->files[middle].path, path) < 0)
      low = middle + 1;
    else
      high = middle;
  }
  *found = low < self->count && strcmp(self->files[low].path, path) == 0;
  return low;
}

/* A reference to the contents of the file, NULL when there is none. */
static blob *find_content(space *self, const char *path, int64_t *modified_ms)
{
  blob *content = NULL;
  size_t at;
  bool found;

  pthread_mutex_lock(&self->lock);
  at = place_of(self, path, &found);
  if (found) {
    content = self->files[at].content;
    atomic_fetch_add_explicit(&content->references, 1, memory_order_relaxed);
    *modified_ms = self->files[at].modified_ms;
  }
  pthread_mutex_unlock(&self->lock);
  return content;
}

/* `path` of `store` as a key of some space: this store's, for absolute addresses too. */
static osdear_status find_file(osdear__store *store, const char *path, blob **content, int64_t *modified_ms, osdear_error **error)
{
  SCOPED(buf) name = { 0 };
  space *self = memory_store_of(store)->space;
  osdear_status st;

  if (osdear__starts_with(path, "memory://")) {
    const char *slash = strchr(path + 9, '/');
    size_t length = slash ? (size_t)(slash - path) - 9 : 0;
    if (length != strlen(self->name) || memcmp(path + 9, self->name, length) != 0)
      return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "\"%s\" is not in the memory store \"%s\"", path, self->name);
    osdear__buf_puts(&name, slash + 1);
    st = osdear__buf_check(&name, error);
  } else {
    st = full_path(store, path, &name, error);
  }
  if (st)
    return st;
  *content = find_content(self, name.data ? name.data : "", modified_ms);
  if (!*content)
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "no file \"%s\" in \"%s\"", path, store->uri);
  return OSDEAR_OK;
}

static bool accepts(const char *address)
{
  return osdear__starts_with(address, "memory://");
}

/* ---- reading ---- */

static osdear_status memory_get(osdear__store *store, const char *path, size_t max_size, osdear__buf *out, osdear_error **error)
{
  blob *content = NULL;
  int64_t modified_ms;
  osdear_status st = find_file(store, path, &content, &modified_ms, error);

  if (st)
    return st;
  if (content->size > max_size) {
    st = osdear__fail(error, OSDEAR_ERR_LIMIT, "\"%s\" has %zu bytes, at most %zu are read at once", path, content->size,
                      max_size);
  } else {
    char *room = osdear__buf_reserve(out, content->size + 1);
    st = osdear__buf_check(out, error);
    if (!st && room) {
      if (content->size > 0)
        memcpy(room, content->data, content->size);
      room[content->size] = '\0';
      out->size += content->size;
    }
  }
  blob_unref(content);
  return st;
}

typedef struct memory_input {
  osdear__input base;
  blob *content;
  char *name;
} memory_input;

static osdear_status input_read_at(osdear__input *input, int64_t offset, void *out, size_t size, osdear_error **error)
{
  const memory_input *self = (const memory_input *)(void *)input;

  if (offset < 0 || (uint64_t)offset > self->content->size || size > self->content->size - (size_t)offset)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s\" has %zu bytes, %zu at byte %" PRId64 " were expected", self->name,
                        self->content->size, size, offset);
  if (size > 0)
    memcpy(out, self->content->data + offset, size);
  return OSDEAR_OK;
}

static void input_close(osdear__input *input)
{
  memory_input *self = (memory_input *)(void *)input;

  blob_unref(self->content);
  osdear__free(self->name);
  osdear__free(self);
}

static osdear_status memory_open_input(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                                       osdear_error **error)
{
  memory_input *input;
  blob *content = NULL;
  int64_t modified_ms;
  osdear_status st = find_file(store, path, &content, &modified_ms, error);

  if (st)
    return st;
  input = osdear__alloc_zeroed(1, sizeof *input);
  if (!input) {
    blob_unref(content);
    return osdear__fail_memory(error);
  }
  input->content = content;
  input->name = osdear__strdup(path);
  input->base.read_at = input_read_at;
  input->base.close = input_close;
  input->base.size_bytes = size_bytes >= 0 ? size_bytes : (int64_t)content->size;
  input->base.name = input->name;
  if (!input->name) {
    input_close(&input->base);
    return osdear__fail_memory(error);
  }
  *out = &input->base;
  return OSDEAR_OK;
}

static osdear_status memory_stat(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error)
{
  blob *content = NULL;
  int64_t modified_ms = 0;
  osdear_status st = find_file(store, path, &content, &modified_ms, error);

  if (st)
    return st;
  out->path = path;
  out->size_bytes = (int64_t)content->size;
  out->modified_ms = modified_ms;
  blob_unref(content);
  return OSDEAR_OK;
}

/* ---- writing ---- */

static bool grow(space *self)
{
  size_t capacity = self->capacity ? self->capacity * 2 : 16;
  memory_file *files;

  if (self->count < self->capacity)
    return true;
  files = osdear__realloc_array(self->files, capacity, sizeof *files);
  if (!files)
    return false;
  self->files = files;
  self->capacity = capacity;
  return true;
}

/* Takes `content` over in every case. */
static osdear_status insert(osdear__store *store, const char *path, blob *content, bool replace, osdear_error **error)
{
  space *self = memory_store_of(store)->space;
  SCOPED(buf) name = { 0 };
  blob *dropped = content;
  size_t at;
  bool found;
  osdear_status st = full_path(store, path, &name, error);

  if (st) {
    blob_unref(content);
    return st;
  }
  pthread_mutex_lock(&self->lock);
  at = place_of(self, name.data, &found);
  if (found && !replace) {
    st = OSDEAR_ERR_EXISTS;
  } else if (found) {
    dropped = self->files[at].content;
    self->files[at].content = content;
    self->files[at].modified_ms = osdear__now_us() / 1000;
  } else if (!grow(self)) {
    st = OSDEAR_ERR_NO_MEMORY;
  } else {
    memmove(self->files + at + 1, self->files + at, (self->count - at) * sizeof *self->files);
    self->files[at] = (memory_file){ osdear__buf_take(&name), content, osdear__now_us() / 1000 };
    self->count++;
    dropped = NULL;
  }
  pthread_mutex_unlock(&self->lock);
  blob_unref(dropped);
  if (st == OSDEAR_ERR_EXISTS)
    return osdear__fail(error, st, "\"%s\" is in \"%s\" already", path, store->uri);
  return st ? osdear__fail_memory(error) : OSDEAR_OK;
}

static osdear_status memory_put(osdear__store *store, const char *path, const void *data, size_t size, bool replace,
                                osdear_error **error)
{
  blob *content = blob_of(data, size);

  if (!content)
    return osdear__fail_memory(error);
  return insert(store, path, content, replace, error);
}

typedef struct memory_output {
  osdear__output base;
  osdear__store *store;
  char *path;
  osdear__buf data;
  bool replace;
  bool finished;
} memory_output;

static osdear_status output_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  memory_output *self = (memory_output *)(void *)output;

  if (self->finished)
    return osdear__fail(error, OSDEAR_ERR_STATE, "\"%s\" is finished already", self->path);
  osdear__buf_append(&self->data, data, size);
  return osdear__buf_check(&self->data, error);
}

static osdear_status output_finish(osdear__output *output, osdear_error **error)
{
  memory_output *self = (memory_output *)(void *)output;
  size_t size = self->data.size;
  blob *content;
  osdear_status st = osdear__buf_check(&self->data, error);

  if (st)
    return st;
  if (self->finished)
    return osdear__fail(error, OSDEAR_ERR_STATE, "\"%s\" is finished already", self->path);
  self->finished = true;
  content = blob_new(size > 0 ? osdear__buf_take(&self->data) : NULL, size);
  if (!content)
    return osdear__fail_memory(error);
  return insert(self->store, self->path, content, self->replace, error);
}

static void output_close(osdear__output *output)
{
  memory_output *self = (memory_output *)(void *)output;

  osdear__store_unref(self->store);
  osdear__free(self->path);
  osdear__buf_drop(&self->data);
  osdear__free(self);
}

static osdear_status memory_create(osdear__store *store, const char *path, bool replace, osdear__output **out,
                                   osdear_error **error)
{
  memory_output *output = osdear__alloc_zeroed(1, sizeof *output);

  if (!output)
    return osdear__fail_memory(error);
  output->store = osdear__store_ref(store);
  output->path = osdear__strdup(path);
  output->replace = replace;
  output->base.write = output_write;
  output->base.finish = output_finish;
  output->base.close = output_close;
  output->base.name = output->path;
  if (!output->path) {
    output_close(&output->base);
    return osdear__fail_memory(error);
  }
  *out = &output->base;
  return OSDEAR_OK;
}

static osdear_status memory_remove(osdear__store *store, const char *path, osdear_error **error)
{
  space *self = memory_store_of(store)->space;
  SCOPED(buf) name = { 0 };
  memory_file gone = { 0 };
  size_t at;
  bool found;
  osdear_status st = full_path(store, path, &name, error);

  if (st)
    return st;
  pthread_mutex_lock(&self->lock);
  at = place_of(self, name.data, &found);
  if (found) {
    gone = self->files[at];
    memmove(self->files + at, self->files + at + 1, (self->count - at - 1) * sizeof *self->files);
    self->count--;
  }
  pthread_mutex_unlock(&self->lock);
  osdear__free(gone.path);
  blob_unref(gone.content);
  return found ? OSDEAR_OK : osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "no file \"%s\" in \"%s\"", path, store->uri);
}

/* ---- listing: from a copy, so that the visitor may use the store ---- */

static osdear_status copy_items(space *self, const char *from, size_t prefix, osdear__arena *arena, osdear__store_item **items,
                                size_t *count)
{
  size_t first, last;
  size_t length = strlen(from);
  bool found;
  osdear_status st = OSDEAR_OK;

  pthread_mutex_lock(&self->lock);
  first = place_of(self, from, &found);
  for (last = first; last < self->count && strncmp(self->files[last].path, from, length) == 0; last++)
    continue;
  *items = osdear__arena_zeroed(arena, last - first + 1, sizeof **items);
  if (!*items)
    st = OSDEAR_ERR_NO_MEMORY;
  for (size_t i = first; i < last && !st; i++) {
    osdear__store_item *item = *items + (i - first);
    item->path = osdear__arena_strdup(arena, self->files[i].path + prefix);
    item->size_bytes = (int64_t)self->files[i].content->size;
    item->modified_ms = self->files[i].modified_ms;
    if (!item->path)
      st = OSDEAR_ERR_NO_MEMORY;
  }
  pthread_mutex_unlock(&self->lock);
  *count = last - first;
  return st;
}

static osdear_status memory_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                                 osdear__store_visit visit, void *argument, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) from = { 0 };
  osdear__store_item *items = NULL;
  size_t count = 0;
  size_t length = strlen(prefix);
  osdear_status st = full_path(store, prefix, &from, error);

  if (st)
    return st;
  st = copy_items(memory_store_of(store)->space, from.data ? from.data : "", strlen(memory_store_of(store)->prefix), &arena,
                  &items, &count);
  if (st)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    if (start_after && strcmp(items[i].path, start_after) <= 0)
      continue;
    if (!recursive && strchr(items[i].path + length, '/'))
      continue;
    st = visit(argument, &items[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static void memory_free(osdear__store *store)
{
  memory_store *self = memory_store_of(store);

  if (self->space)
    space_unref(self->space);
  osdear__free(self->prefix);
  osdear__free(self);
}

static const osdear__store_backend memory_backend = {
  .scheme = "memory:",
  .accepts = accepts,
  .get = memory_get,
  .open_input = memory_open_input,
  .put = memory_put,
  .create = memory_create,
  .remove = memory_remove,
  .list = memory_list,
  .stat = memory_stat,
  .free = memory_free,
};

/* ---- opening ---- */

/* What follows the name, without empty components and `.`, each with a slash behind it. */
static void append_prefix(osdear__buf *out, const char *path)
{
  while (*path) {
    size_t length = strcspn(path, "/");
    if (length > 0 && !(length == 1 && path[0] == '.')) {
      osdear__buf_append(out, path, length);
      osdear__buf_putc(out, '/');
    }
    path += length;
    path += path[0] == '/';
  }
}

osdear_status osdear__memory_store_new(const char *address, osdear__store **out, osdear_error **error)
{
  osdear__str name = { address, strcspn(address, "/") };
  SCOPED(buf) prefix = { 0 };
  SCOPED(buf) uri = { 0 };
  memory_store *store;
  osdear_status st;

  if (name.size == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"memory://%s\" has no name: write memory://name/path", address);
  append_prefix(&prefix, address + name.size);
  osdear__buf_printf(&uri, "memory://%.*s/", (int)name.size, name.data);
  osdear__buf_append(&uri, prefix.data ? prefix.data : "", prefix.size);
  st = osdear__buf_check(&prefix, error);
  if (!st)
    st = osdear__buf_check(&uri, error);
  if (st)
    return st;
  uri.data[--uri.size] = '\0'; /* the trailing slash */
  store = osdear__alloc_zeroed(1, sizeof *store);
  if (!store)
    return osdear__fail_memory(error);
  atomic_init(&store->base.references, 1);
  store->base.backend = &memory_backend;
  store->prefix = prefix.size > 0 ? osdear__buf_take(&prefix) : osdear__strdup("");
  store->base.uri = osdear__buf_take(&uri);
  pthread_mutex_lock(&registry_lock);
  store->space = store->prefix && store->base.uri ? space_find_or_add(name) : NULL;
  pthread_mutex_unlock(&registry_lock);
  if (!store->space) {
    osdear__store_unref(&store->base);
    return osdear__fail_memory(error);
  }
  *out = &store->base;
  return OSDEAR_OK;
}
