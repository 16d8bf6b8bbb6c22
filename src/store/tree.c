/** @file tree.c Copying and deleting: one file, or all below a prefix with many under way at once. */
#include <store/handle.h>

#include <pthread.h>

enum { DEFAULT_CONCURRENCY = 16, MOST_CONCURRENCY = 256, DELETE_BATCH = 1000 };
#define NEAR_PIECE ((size_t)128 << 10) /* that is still in the processor's cache when it is written */

/* ---- one file ---- */

typedef struct file_copy {
  osdear_context *context;
  osdear__store *from, *to;
  const char *from_path, *to_path;
  int64_t size_bytes; /* -1: not known */
  bool if_absent;
  size_t piece_bytes;
} file_copy;

/* What fits one piece crosses by one read and one put. */
static osdear_status copy_small(const file_copy *self, osdear__input *input, char *piece, osdear_error **error)
{
  size_t size = (size_t)input->size_bytes;
  osdear_status st = osdear__input_read(input, 0, piece, size, error);

  if (st)
    return st;
  return self->if_absent ? osdear__store_put_if_absent(self->to, self->to_path, piece, size, error)
                         : osdear__store_put(self->to, self->to_path, piece, size, error);
}

static osdear_status copy_large(const file_copy *self, osdear__input *input, char *piece, osdear_error **error)
{
  bool is_near = !osdear__store_is_remote(self->from), done = false;
  size_t most = is_near && self->piece_bytes > NEAR_PIECE ? NEAR_PIECE : self->piece_bytes;
  AUTO(output) output = NULL;
  osdear_status st = OSDEAR_OK;

  if (is_near) /* what is far comes in large pieces side by side, not as the network out takes it */
    st = osdear__store_upload(self->to, self->to_path, input, !self->if_absent, &done, error);
  if (st || done)
    return st;
  st = self->if_absent ? osdear__store_create(self->to, self->to_path, &output, error)
                       : osdear__store_replace(self->to, self->to_path, &output, error);
  for (int64_t at = 0; !st && at < input->size_bytes;) {
    size_t size = input->size_bytes - at < (int64_t)most ? (size_t)(input->size_bytes - at) : most;
    st = osdear__context_check(self->context, error);
    if (!st)
      st = osdear__input_read(input, at, piece, size, error);
    if (!st)
      st = osdear__output_write(output, piece, size, error);
    at += (int64_t)size;
  }
  return st ? st : output->finish(output, error);
}

static osdear_status copy_file(const file_copy *self, int64_t *bytes, osdear_error **error)
{
  AUTO(input) input = NULL;
  bool done = false;
  char *piece;
  osdear_status st = OSDEAR_OK;

  *bytes = self->size_bytes > 0 ? self->size_bytes : 0;
  if (!self->if_absent)
    st = osdear__store_copy_inside(self->from, self->from_path, self->to, self->to_path, &done, error);
  if (st || done)
    return st;
  st = osdear__store_open_input(self->from, self->from_path, self->size_bytes, &input, error);
  if (st)
    return st;
  *bytes = input->size_bytes;
  piece = osdear__alloc(input->size_bytes < (int64_t)self->piece_bytes ? (size_t)input->size_bytes + 1 : self->piece_bytes);
  if (!piece)
    return osdear__fail_memory(error);
  st = input->size_bytes <= (int64_t)self->piece_bytes && input->size_bytes <= 8 << 20 ? copy_small(self, input, piece, error)
                                                                                       : copy_large(self, input, piece, error);
  osdear__free(piece);
  return st;
}

static osdear_status read_options(const osdear_store_put_options *given, osdear_store_put_options *known, osdear_error **error)
{
  osdear_status st = osdear__options_read(known, sizeof *known, given, error);

  if (!st && (known->concurrency < 0 || known->concurrency > MOST_CONCURRENCY))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a concurrency of %" PRId32 ": 1 to %d, or 0 for %d", known->concurrency,
                        MOST_CONCURRENCY, DEFAULT_CONCURRENCY);
  return st;
}

osdear_status osdear_store_copy(osdear_store *from, const char *from_path, osdear_store *to, const char *to_path,
                                const osdear_store_put_options *options, osdear_error **error)
{
  osdear_store_put_options known = OSDEAR_STORE_PUT_OPTIONS_INIT;
  file_copy copy = { .size_bytes = -1 };
  int64_t bytes;
  osdear_status st;

  if (!from || !from_path || !to || !to_path)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "from, from_path, to and to_path must not be NULL");
  st = read_options(options, &known, error);
  if (st)
    return st;
  copy.context = to->context;
  copy.from = from->store;
  copy.to = to->store;
  copy.from_path = from_path;
  copy.to_path = to_path;
  copy.if_absent = known.if_absent != 0;
  copy.piece_bytes = osdear__piece_bytes(to->context, 4);
  return copy_file(&copy, &bytes, error);
}

/* ---- a tree ---- */

/* Shared by the lister, which is the caller, and the workers. */
typedef struct tree_copy {
  file_copy each;
  const char *to_prefix;
  size_t prefix_size;
  osdear_context *workers; /* NULL: the caller does the work */
  int32_t concurrency;
  pthread_mutex_t lock; /* of what follows */
  pthread_cond_t changed;
  int32_t pending;
  osdear_store_result result;
  osdear_status failed;
  osdear_error *error;
} tree_copy;

typedef struct tree_file {
  tree_copy *tree;
  int64_t size_bytes;
  char *to_path;
  char from_path[];
} tree_file;

static void copy_one(void *argument)
{
  tree_file *file = argument;
  tree_copy *tree = file->tree;
  file_copy copy = tree->each;
  osdear_error *error = NULL;
  int64_t bytes = 0;
  osdear_status st;

  copy.from_path = file->from_path;
  copy.to_path = file->to_path;
  copy.size_bytes = file->size_bytes;
  st = copy_file(&copy, &bytes, &error);
  pthread_mutex_lock(&tree->lock);
  if (st && !tree->failed) {
    tree->failed = st;
    tree->error = error;
    error = NULL;
  }
  tree->result.files += !st;
  tree->result.bytes += st ? 0 : bytes;
  tree->pending--;
  bytes = tree->result.bytes;
  pthread_cond_broadcast(&tree->changed);
  pthread_mutex_unlock(&tree->lock);
  osdear__context_progress(copy.context, "copy", bytes, -1);
  osdear_error_free(error);
  osdear__free(file);
}

/* Waits while as many are under way as may be; counts one more. False: one has failed. */
static bool take_place(tree_copy *tree)
{
  bool goes_on;

  pthread_mutex_lock(&tree->lock);
  while (tree->pending >= tree->concurrency && !tree->failed)
    pthread_cond_wait(&tree->changed, &tree->lock);
  goes_on = !tree->failed;
  tree->pending += goes_on;
  pthread_mutex_unlock(&tree->lock);
  return goes_on;
}

static osdear_status copy_listed(void *argument, const osdear__store_item *item, osdear_error **error)
{
  tree_copy *tree = argument;
  size_t length = strlen(item->path), to_length = strlen(tree->to_prefix) + length - tree->prefix_size;
  tree_file *file = osdear__alloc(sizeof *file + length + to_length + 2);

  if (!file)
    return osdear__fail_memory(error);
  file->tree = tree;
  file->size_bytes = item->size_bytes;
  memcpy(file->from_path, item->path, length + 1);
  file->to_path = file->from_path + length + 1;
  memcpy(file->to_path, tree->to_prefix, strlen(tree->to_prefix));
  memcpy(file->to_path + strlen(tree->to_prefix), item->path + tree->prefix_size, length - tree->prefix_size + 1);
  if (!take_place(tree)) {
    osdear__free(file);
    return osdear__fail(error, OSDEAR_ERR_STATE, "a file could not be copied");
  }
  if (!tree->workers || osdear__context_submit(tree->workers, copy_one, file, NULL))
    copy_one(file);
  return OSDEAR_OK;
}

static osdear_status run_tree(tree_copy *tree, osdear__store *from, const char *prefix, osdear_error **error)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  AUTO(error) failure = NULL;
  osdear_status st = OSDEAR_OK;

  options.threads = tree->concurrency;
  if (tree->concurrency > 1)
    st = osdear_context_new(&options, &tree->workers, error);
  if (st)
    return st;
  st = osdear__store_list(from, prefix, NULL, true, copy_listed, tree, &failure);
  pthread_mutex_lock(&tree->lock);
  while (tree->pending > 0)
    pthread_cond_wait(&tree->changed, &tree->lock);
  pthread_mutex_unlock(&tree->lock);
  osdear_context_unref(tree->workers);
  if (tree->failed) { /* what a worker met says more than that the listing was ended */
    st = tree->failed;
    osdear_error_free(failure);
    failure = tree->error;
    tree->error = NULL;
  }
  if (st && error) {
    osdear_error_free(*error);
    *error = failure;
    failure = NULL;
  }
  return st;
}

osdear_status osdear_store_copy_tree(osdear_store *from, const char *prefix, osdear_store *to, const char *to_prefix,
                                     const osdear_store_put_options *options, osdear_store_result *result, osdear_error **error)
{
  osdear_store_put_options known = OSDEAR_STORE_PUT_OPTIONS_INIT;
  tree_copy tree = { .to_prefix = to_prefix, .result = { .size = sizeof tree.result } };
  osdear_status st, written = OSDEAR_OK;

  if (!from || !prefix || !to || !to_prefix)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "from, prefix, to and to_prefix must not be NULL");
  st = read_options(options, &known, error);
  if (st)
    return st;
  tree.prefix_size = strlen(prefix);
  tree.concurrency = known.concurrency ? known.concurrency : DEFAULT_CONCURRENCY;
  tree.each = (file_copy){ .context = to->context, .from = from->store, .to = to->store, .if_absent = known.if_absent != 0 };
  tree.each.piece_bytes = osdear__piece_bytes(to->context, 4 * (int64_t)tree.concurrency);
  pthread_mutex_init(&tree.lock, NULL);
  pthread_cond_init(&tree.changed, NULL);
  st = run_tree(&tree, from->store, prefix, error);
  osdear_error_free(tree.error);
  pthread_cond_destroy(&tree.changed);
  pthread_mutex_destroy(&tree.lock);
  if (result)
    written = osdear__result_write(result, &tree.result, sizeof tree.result, st ? NULL : error);
  return st ? st : written;
}

/* ---- deleting a tree ---- */

typedef struct tree_delete {
  osdear__store *store;
  osdear_context *context;
  osdear__arena arena;
  const char *paths[DELETE_BATCH];
  size_t count;
  osdear_store_result result;
} tree_delete;

static osdear_status delete_gathered(tree_delete *self, osdear_error **error)
{
  osdear_status st = osdear__store_delete_many(self->store, self->paths, self->count, &self->result.files, error);

  self->count = 0;
  osdear__arena_reset(&self->arena);
  osdear__context_progress(self->context, "delete", self->result.files, -1);
  return st;
}

static osdear_status gather(void *argument, const osdear__store_item *item, osdear_error **error)
{
  tree_delete *self = argument;

  self->paths[self->count] = osdear__arena_strdup(&self->arena, item->path);
  if (!self->paths[self->count])
    return osdear__fail_memory(error);
  return ++self->count == DELETE_BATCH ? delete_gathered(self, error) : OSDEAR_OK;
}

/* The root of a bucket or of the file system is too much to lose by an empty text. */
static bool is_whole(const char *uri)
{
  const char *rest = strstr(uri, "://");

  return strcmp(uri, "/") == 0 || (rest && !strchr(rest + 3, '/'));
}

osdear_status osdear_store_delete_tree(osdear_store *store, const char *prefix, osdear_store_result *result, osdear_error **error)
{
  tree_delete *self;
  osdear_status st, written = OSDEAR_OK;

  if (!store || !prefix)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store and prefix must not be NULL");
  if (prefix[0] == '\0' && is_whole(osdear_store_uri(store)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "all of %s is not deleted at once: name a prefix", osdear_store_uri(store));
  self = osdear__alloc_zeroed(1, sizeof *self);
  if (!self)
    return osdear__fail_memory(error);
  self->store = store->store;
  self->context = store->context;
  self->result.size = sizeof self->result;
  st = osdear__store_list(store->store, prefix, NULL, true, gather, self, error);
  if (!st && self->count > 0)
    st = delete_gathered(self, error);
  if (result)
    written = osdear__result_write(result, &self->result, sizeof self->result, st ? NULL : error);
  osdear__arena_drop(&self->arena);
  osdear__free(self);
  return st ? st : written;
}
