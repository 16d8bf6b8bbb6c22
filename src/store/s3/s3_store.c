/** @file s3_store.c The `s3:` store: keys below one prefix of one bucket, behind the vtable that all stores have. */
#include <store/backend.h>
#include <store/s3/range.h>

typedef struct s3_store {
  osdear__store base;
  osdear__s3 *s3;
  osdear__s3_expected *expected;
  char *root; /* what keys start with, with its slash at the end; "" for the whole bucket */
} s3_store;

static const s3_store *store_of(const osdear__store *store)
{
  return (const s3_store *)(const void *)store;
}

/* ---- keys ---- */

static const char *after_scheme(const char *address)
{
  return osdear__starts_with(address, "s3://") ? address + 5 : osdear__starts_with(address, "s3a://") ? address + 6 : NULL;
}

/* Any bucket is asked for by its own name, so only addresses within this one can be read through it. */
static bool accepts(const char *address)
{
  return after_scheme(address) != NULL;
}

static osdear_status key_of(const osdear__store *store, const char *path, osdear__buf *out, osdear_error **error)
{
  const s3_store *self = store_of(store);
  const char *rest = after_scheme(path);
  const char *bucket = osdear__s3_bucket(self->s3);
  size_t length = strlen(bucket);

  if (rest && (strncmp(rest, bucket, length) != 0 || rest[length] != '/'))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "\"%s\" is in another bucket than \"%s\"", path, store->uri);
  if (!rest)
    osdear__buf_puts(out, self->root);
  osdear__buf_puts(out, rest ? rest + length + 1 : path);
  return osdear__buf_check(out, error);
}

/* ---- the vtable ---- */

static osdear_status s3_get(osdear__store *store, const char *path, size_t max_size, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st = key_of(store, path, &key, error);

  return st ? st : osdear__s3_get(store_of(store)->s3, store->context, key.data, max_size, out, error);
}

static osdear_status s3_open_input(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                                   osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st = key_of(store, path, &key, error);

  return st ? st
            : osdear__s3_input(store_of(store)->s3, store->context, key.data, size_bytes, store_of(store)->expected, out, error);
}

static void s3_expect(osdear__store *store, const osdear__store_item *items, size_t count)
{
  const s3_store *self = store_of(store);

  for (size_t i = 0; i < count; i++) {
    SCOPED(buf) key = { 0 };
    if (key_of(store, items[i].path, &key, NULL) == OSDEAR_OK)
      osdear__s3_expect_object(self->expected, store->context, key.data, items[i].size_bytes);
  }
}

static osdear_status s3_put(osdear__store *store, const char *path, const void *data, size_t size, bool replace,
                            osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st = key_of(store, path, &key, error);

  return st ? st : osdear__s3_put(store_of(store)->s3, store->context, key.data, data, size, !replace, error);
}

/* Whether a large object is written on condition that there is none: where the service can do that. Names of data files are random; commits are
 * what must not be overwritten. */
static osdear_status condition_of(osdear__store *store, const char *key, bool replace, bool *if_absent, osdear_error **error)
{
  osdear__s3 *s3 = store_of(store)->s3;
  osdear_status st;

  *if_absent = !replace && !osdear__s3_settings_of(s3)->single_writer;
  if (!*if_absent)
    return OSDEAR_OK;
  st = osdear__s3_need_conditional(s3, store->context, key, error);
  if (st != OSDEAR_ERR_UNSUPPORTED)
    return st;
  if (error) {
    osdear_error_free(*error);
    *error = NULL;
  }
  *if_absent = false;
  return OSDEAR_OK;
}

static osdear_status s3_create(osdear__store *store, const char *path, bool replace, osdear__output **out, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  bool if_absent;
  osdear_status st = key_of(store, path, &key, error);

  if (!st)
    st = condition_of(store, key.data, replace, &if_absent, error);
  return st ? st : osdear__s3_upload(store_of(store)->s3, store->context, key.data, if_absent, out, error);
}

static osdear_status s3_upload(osdear__store *store, const char *path, osdear__input *input, bool replace, bool *done,
                               osdear_error **error)
{
  osdear__s3 *s3 = store_of(store)->s3;
  SCOPED(buf) key = { 0 };
  bool if_absent;
  osdear_status st;

  if (input->size_bytes < OSDEAR__S3_STREAM || !osdear__s3_may_stream(s3))
    return OSDEAR_OK;
  *done = true;
  st = key_of(store, path, &key, error);
  if (!st)
    st = condition_of(store, key.data, replace, &if_absent, error);
  return st ? st : osdear__s3_upload_input(s3, store->context, key.data, input, if_absent, error);
}

/* DELETE succeeds also where nothing was: looking first keeps the promise that all stores give. */
static osdear_status s3_remove(osdear__store *store, const char *path, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear__s3_info info;
  osdear_status st = key_of(store, path, &key, error);

  if (!st)
    st = osdear__s3_head(store_of(store)->s3, store->context, key.data, &info, error);
  return st ? st : osdear__s3_delete(store_of(store)->s3, store->context, key.data, error);
}

static osdear_status s3_stat(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear__s3_info info = { 0 };
  osdear_status st = key_of(store, path, &key, error);

  if (!st)
    st = osdear__s3_head(store_of(store)->s3, store->context, key.data, &info, error);
  if (st)
    return st;
  *out = (osdear__store_item){ .path = path, .size_bytes = info.size_bytes, .modified_ms = info.modified_ms };
  return OSDEAR_OK;
}

typedef struct listing {
  const s3_store *store;
  osdear__store_visit visit;
  void *argument;
} listing;

/* Consoles and Hadoop make objects whose names end in a slash to stand for folders: they are nobody's files. Neither is what was left of trying
 * the service out. */
static osdear_status tell(void *argument, const osdear__s3_listed *listed, osdear_error **error)
{
  const listing *self = argument;
  const char *path = listed->key + strlen(self->store->root);
  const char *name = strrchr(path, '/');
  osdear__store_item item = { .path = path, .size_bytes = listed->size_bytes, .modified_ms = listed->modified_ms };

  name = name ? name + 1 : path;
  if (listed->is_folder || name[0] == '\0' || (name[0] == '.' && osdear__ends_with(name, OSDEAR__TEMP_SUFFIX)))
    return OSDEAR_OK;
  return self->visit(self->argument, &item, error);
}

static osdear_status s3_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                             osdear__store_visit visit, void *argument, osdear_error **error)
{
  listing self = { store_of(store), visit, argument };
  SCOPED(buf) key = { 0 };
  SCOPED(buf) after = { 0 };
  osdear_status st;

  osdear__buf_printf(&key, "%s%s", self.store->root, prefix);
  osdear__buf_printf(&after, "%s%s", self.store->root, start_after ? start_after : "");
  st = osdear__buf_check(&key, error);
  if (!st)
    st = osdear__buf_check(&after, error);
  return st ? st
            : osdear__s3_list(self.store->s3, store->context, key.data, start_after ? after.data : NULL, recursive, tell, &self,
                              error);
}

typedef struct folders {
  const s3_store *store;
  osdear__store_visit visit;
  void *argument;
} folders;

static osdear_status tell_folder(void *argument, const osdear__s3_listed *listed, osdear_error **error)
{
  const folders *self = argument;
  osdear__store_item item = { .path = listed->key + strlen(self->store->root) };

  return listed->is_folder ? self->visit(self->argument, &item, error) : OSDEAR_OK;
}

static osdear_status s3_list_folders(osdear__store *store, const char *prefix, osdear__store_visit visit, void *argument,
                                     osdear_error **error)
{
  folders self = { store_of(store), visit, argument };
  SCOPED(buf) key = { 0 };
  osdear_status st;

  osdear__buf_printf(&key, "%s%s", self.store->root, prefix);
  st = osdear__buf_check(&key, error);
  return st ? st : osdear__s3_list(self.store->s3, store->context, key.data, NULL, false, tell_folder, &self, error);
}

typedef struct begun {
  const s3_store *store;
  osdear__store_visit_upload visit;
  void *argument;
} begun;

static osdear_status tell_begun(void *argument, const osdear__s3_begun *upload, bool *give_up, osdear_error **error)
{
  const begun *self = argument;
  osdear__store_item item = { .path = upload->key, .modified_ms = upload->begun_ms };

  item.path += strlen(self->store->root);
  return self->visit(self->argument, &item, give_up, error);
}

static osdear_status s3_uploads(osdear__store *store, const char *prefix, osdear__store_visit_upload visit, void *argument,
                                osdear_error **error)
{
  begun self = { store_of(store), visit, argument };
  SCOPED(buf) key = { 0 };
  osdear_status st;

  osdear__buf_printf(&key, "%s%s", self.store->root, prefix);
  st = osdear__buf_check(&key, error);
  return st ? st : osdear__s3_uploads(self.store->s3, store->context, key.data, tell_begun, &self, error);
}

static osdear_status s3_remove_many(osdear__store *store, const char *const *paths, size_t count, int64_t *removed,
                                    osdear_error **error)
{
  const s3_store *self = store_of(store);
  osdear__arena arena = { 0 };
  const char **keys = count ? osdear__arena_alloc(&arena, count * sizeof *keys) : NULL;
  osdear_status st = count && !keys ? osdear__fail_memory(error) : OSDEAR_OK;

  for (size_t i = 0; !st && i < count; i++) {
    keys[i] = osdear__arena_printf(&arena, "%s%s", self->root, paths[i]);
    st = keys[i] ? OSDEAR_OK : osdear__fail_memory(error);
  }
  if (!st)
    st = osdear__s3_delete_many(self->s3, store->context, keys, count, removed, error);
  osdear__arena_drop(&arena);
  return st;
}

/* At one endpoint and with one set of credentials the service copies by itself, up to 5 GiB. */
static osdear_status s3_copy(osdear__store *from, const char *from_path, osdear__store *to, const char *to_path, bool *done,
                             osdear_error **error)
{
  const int64_t most = INT64_C(5) << 30;
  osdear__s3 *source = store_of(from)->s3, *target = store_of(to)->s3;
  SCOPED(buf) from_key = { 0 };
  SCOPED(buf) to_key = { 0 };
  osdear__s3_info info = { 0 };
  osdear_status st;

  if (!osdear__s3_is_same_service(source, target))
    return OSDEAR_OK;
  st = key_of(from, from_path, &from_key, error);
  if (!st)
    st = key_of(to, to_path, &to_key, error);
  if (!st)
    st = osdear__s3_head(source, from->context, from_key.data, &info, error);
  if (st || info.size_bytes > most)
    return st;
  *done = true;
  return osdear__s3_copy(target, to->context, osdear__s3_bucket(source), from_key.data, to_key.data, error);
}

static osdear_status s3_presign(osdear__store *store, const char *path, const char *method, int64_t expires_s, osdear__buf *out,
                                osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st = key_of(store, path, &key, error);

  return st ? st : osdear__s3_presign(store_of(store)->s3, store->context, method, key.data, expires_s, out, error);
}

static void s3_free(osdear__store *store)
{
  s3_store *self = (s3_store *)(void *)store;

  osdear__s3_expected_free(self->expected);
  osdear__s3_unref(self->s3);
  osdear__free(self->root);
  osdear__free(self);
}

static const osdear__store_backend s3_backend = {
  .scheme = "s3:",
  .accepts = accepts,
  .get = s3_get,
  .open_input = s3_open_input,
  .put = s3_put,
  .create = s3_create,
  .remove = s3_remove,
  .list = s3_list,
  .stat = s3_stat,
  .list_folders = s3_list_folders,
  .remove_many = s3_remove_many,
  .copy = s3_copy,
  .upload = s3_upload,
  .expect = s3_expect,
  .uploads = s3_uploads,
  .presign = s3_presign,
  .free = s3_free,
};

/* ---- opening ---- */

static osdear_status make(const char *bucket, const char *path, size_t path_size, const osdear_pair *settings,
                          size_t setting_count, osdear__store **out, osdear_error **error)
{
  SCOPED(buf) uri = { 0 };
  SCOPED(buf) root = { 0 };
  s3_store *self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st;

  if (!self)
    return osdear__fail_memory(error);
  atomic_init(&self->base.references, 1);
  self->base.backend = &s3_backend;
  osdear__buf_printf(&uri, "s3://%s%s%.*s", bucket, path_size ? "/" : "", (int)path_size, path);
  osdear__buf_printf(&root, "%.*s%s", (int)path_size, path, path_size ? "/" : "");
  self->base.uri = osdear__buf_take(&uri);
  self->root = osdear__buf_take(&root);
  st = self->base.uri && self->root ? osdear__s3_open(bucket, settings, setting_count, &self->s3, error)
                                    : osdear__fail_memory(error);
  if (!st)
    st = osdear__s3_expected_new(self->s3, &self->expected, error);
  if (st) {
    osdear__store_unref(&self->base);
    return st;
  }
  *out = &self->base;
  return OSDEAR_OK;
}

osdear_status osdear__s3_store_new(const char *address, const osdear_pair *settings, size_t setting_count, osdear__store **out,
                                   osdear_error **error)
{
  size_t length = strcspn(address, "/");
  char *bucket = osdear__strndup(address, length);
  const char *path = address + length + (address[length] == '/');
  size_t path_size = strlen(path);
  osdear_status st;

  if (!bucket)
    return osdear__fail_memory(error);
  while (path_size > 0 && path[path_size - 1] == '/')
    path_size--;
  if (path_size > 1024)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the address of the store has a key of %zu bytes; S3 takes 1024", path_size);
  else
    st = make(bucket, path, path_size, settings, setting_count, out, error);
  osdear__free(bucket);
  return st;
}
