/** @file store.c Addresses, path rules and counting of references: what all kinds of store share. */
#include <store/backend.h>

/* Length of the scheme of "scheme://…" or "file:/…", 0 when there is none. */
static size_t scheme_length(const char *text)
{
  size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-");

  if (n == 0 || text[n] != ':')
    return 0;
  if (text[n + 1] == '/' && text[n + 2] == '/')
    return n;
  return n == 4 && strncmp(text, "file", 4) == 0 ? n : 0;
}

/* `file:` URIs hold percent escapes, plain paths do not. */
static osdear_status open_file_uri(const char *uri, osdear__store **out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  const char *rest = uri + 5;
  osdear_status st;

  if (osdear__starts_with(rest, "//localhost/"))
    rest += 11;
  else if (osdear__starts_with(rest, "//"))
    rest += 2;
  if (rest[0] != '/')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" names another host or a relative path: write file:///path", uri);
  st = osdear__uri_decode(osdear__str_of(rest), &path, error);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return st;
  if (st)
    return osdear__fail_because(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no valid file: URI", uri);
  return osdear__file_store_new(path.data, out, error);
}

/* Only some kinds of store have settings. */
static osdear_status refuse_settings(const char *scheme, const char *uri, const osdear_pair *settings, size_t setting_count,
                                     osdear_error **error)
{
  if (setting_count == 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s stores have no setting \"%s\" (address \"%s\")", scheme,
                      settings[0].key ? settings[0].key : "", uri);
}

static osdear_status open_backend(const char *uri, const osdear_pair *settings, size_t setting_count, osdear__store **out,
                                  osdear_error **error)
{
  size_t scheme = scheme_length(uri);
  osdear_status st;

  if ((scheme == 2 && strncmp(uri, "s3", 2) == 0) || (scheme == 3 && strncmp(uri, "s3a", 3) == 0))
    return osdear__s3_store_new(uri + scheme + 3, settings, setting_count, out, error);
  st = refuse_settings(scheme == 6 ? "memory:" : "file:", uri, settings, setting_count, error);
  if (st)
    return st;
  if (scheme == 0)
    return osdear__file_store_new(uri, out, error);
  if (scheme == 4 && strncmp(uri, "file", 4) == 0)
    return open_file_uri(uri, out, error);
  if (scheme == 6 && strncmp(uri, "memory", 6) == 0)
    return osdear__memory_store_new(uri + 9, out, error);
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                      "this build has no store for \"%.*s:\" addresses (\"%s\"); it has file:, s3: and memory:", (int)scheme, uri,
                      uri);
}

osdear_status osdear__store_open(osdear_context *context, const char *uri, const osdear_pair *settings, size_t setting_count,
                                 osdear__store **out, osdear_error **error)
{
  osdear__store *store = NULL;
  osdear_status st;

  if (!uri || uri[0] == '\0')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the address of the store must not be empty");
  if (!osdear__utf8_is_valid(uri, strlen(uri)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the address of the store is not UTF-8");
  if (setting_count > 0 && !settings)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%zu storage settings were announced and none given", setting_count);
  st = open_backend(uri, settings, setting_count, &store, error);
  if (st)
    return st;
  if (context)
    store->context = osdear_context_ref(context);
  *out = store;
  return OSDEAR_OK;
}

osdear__store *osdear__store_ref(osdear__store *store)
{
  atomic_fetch_add_explicit(&store->references, 1, memory_order_relaxed);
  return store;
}

void osdear__store_unref(osdear__store *store)
{
  osdear_context *context;
  char *uri;

  if (!store || atomic_fetch_sub_explicit(&store->references, 1, memory_order_acq_rel) != 1)
    return;
  context = store->context;
  uri = store->uri;
  store->backend->free(store);
  osdear__free(uri);
  osdear_context_unref(context);
}

void osdear__store_auto(osdear__store **store)
{
  osdear__store_unref(*store);
}

const char *osdear__store_uri(const osdear__store *store)
{
  return store->uri;
}

/* `..` could leave the root; nothing that writes or lists needs it. */
bool osdear__path_climbs(const char *path)
{
  const char *at = path;

  while (at) {
    if (at[0] == '.' && at[1] == '.' && (at[2] == '/' || at[2] == '\0'))
      return true;
    at = strchr(at, '/');
    at = at ? at + 1 : NULL;
  }
  return false;
}

static osdear_status check_relative(const osdear__store *store, const char *path, osdear_error **error)
{
  size_t length = path ? strlen(path) : 0;

  if (length == 0 || path[0] == '/' || path[length - 1] == '/')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no path of a file below \"%s\"", path ? path : "", store->uri);
  if (scheme_length(path) > 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is an absolute address: only what is below \"%s\" can be written",
                        path, store->uri);
  if (osdear__path_climbs(path))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "path \"%s\" holds `..`: what is outside of \"%s\" is not touched", path,
                        store->uri);
  return OSDEAR_OK;
}

static osdear_status check_readable(const osdear__store *store, const char *path, osdear_error **error)
{
  bool absolute = path && (path[0] == '/' || scheme_length(path) > 0);

  if (!absolute)
    return check_relative(store, path, error);
  if (osdear__path_climbs(path))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "address \"%s\" holds `..`", path);
  if (!store->backend->accepts(path))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "\"%s\" cannot be read through the %s store \"%s\"", path,
                        store->backend->scheme, store->uri);
  return OSDEAR_OK;
}

osdear_status osdear__store_get(osdear__store *store, const char *path, size_t max_size, osdear__buf *out, osdear_error **error)
{
  osdear_status st = check_readable(store, path, error);

  return st ? st : store->backend->get(store, path, max_size, out, error);
}

osdear_status osdear__store_open_input(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                                       osdear_error **error)
{
  osdear_status st = check_readable(store, path, error);

  if (st)
    return st;
  if (size_bytes < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" cannot have %" PRId64 " bytes", path, size_bytes);
  return store->backend->open_input(store, path, size_bytes, out, error);
}

osdear_status osdear__store_upload(osdear__store *store, const char *path, osdear__input *input, bool replace, bool *done,
                                   osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  *done = false;
  return st || !store->backend->upload ? st : store->backend->upload(store, path, input, replace, done, error);
}

bool osdear__store_is_remote(const osdear__store *store)
{
  return store->backend->expect != NULL;
}

void osdear__store_expect(osdear__store *store, const osdear__store_item *items, size_t count)
{
  if (store->backend->expect)
    store->backend->expect(store, items, count);
}

osdear_status osdear__store_stat(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error)
{
  osdear_status st = check_readable(store, path, error);

  return st ? st : store->backend->stat(store, path, out, error);
}

osdear_status osdear__store_put_if_absent(osdear__store *store, const char *path, const void *data, size_t size,
                                          osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  return st ? st : store->backend->put(store, path, data, size, false, error);
}

osdear_status osdear__store_put(osdear__store *store, const char *path, const void *data, size_t size, osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  return st ? st : store->backend->put(store, path, data, size, true, error);
}

osdear_status osdear__store_create(osdear__store *store, const char *path, osdear__output **out, osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  return st ? st : store->backend->create(store, path, false, out, error);
}

osdear_status osdear__store_replace(osdear__store *store, const char *path, osdear__output **out, osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  return st ? st : store->backend->create(store, path, true, out, error);
}

osdear_status osdear__store_copy_inside(osdear__store *from, const char *from_path, osdear__store *to, const char *to_path,
                                        bool *done, osdear_error **error)
{
  osdear_status st = check_readable(from, from_path, error);

  *done = false;
  if (!st)
    st = check_relative(to, to_path, error);
  if (st || from->backend != to->backend || !from->backend->copy)
    return st;
  return from->backend->copy(from, from_path, to, to_path, done, error);
}

osdear_status osdear__store_presign(osdear__store *store, const char *path, const char *method, int64_t expires_s,
                                    osdear__buf *out, osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  if (st)
    return st;
  if (!store->backend->presign)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "files of %s stores have no URLs that others could use",
                        store->backend->scheme);
  return store->backend->presign(store, path, method, expires_s, out, error);
}

osdear_status osdear__store_uploads(osdear__store *store, const char *prefix, osdear__store_visit_upload visit, void *argument,
                                    osdear_error **error)
{
  if (!store->backend->uploads)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s stores keep nothing of files that were not finished",
                        store->backend->scheme);
  return store->backend->uploads(store, prefix, visit, argument, error);
}

/* Those that were not there count as deleted, as at S3. */
static osdear_status delete_each(osdear__store *store, const char *const *paths, size_t count, int64_t *removed,
                                 osdear_error **error)
{
  osdear_status first = OSDEAR_OK;

  for (size_t i = 0; i < count; i++) {
    AUTO(error) failure = NULL;
    osdear_status st = osdear__context_check(store->context, first ? NULL : error);
    if (st)
      return first ? first : st;
    st = store->backend->remove(store, paths[i], &failure);
    *removed += !st || st == OSDEAR_ERR_NOT_FOUND;
    if (st && st != OSDEAR_ERR_NOT_FOUND && !first) {
      first = st;
      if (error) {
        osdear_error_free(*error);
        *error = failure;
        failure = NULL;
      }
    }
  }
  return first;
}

osdear_status osdear__store_delete_many(osdear__store *store, const char *const *paths, size_t count, int64_t *removed,
                                        osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < count; i++)
    st = check_relative(store, paths[i], error);
  if (st)
    return st;
  return store->backend->remove_many ? store->backend->remove_many(store, paths, count, removed, error)
                                     : delete_each(store, paths, count, removed, error);
}

osdear_status osdear__store_delete(osdear__store *store, const char *path, osdear_error **error)
{
  osdear_status st = check_relative(store, path, error);

  return st ? st : store->backend->remove(store, path, error);
}

osdear_status osdear__store_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                                 osdear__store_visit visit, void *argument, osdear_error **error)
{
  if (!prefix || prefix[0] == '/' || osdear__path_climbs(prefix))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no prefix of paths below \"%s\"", prefix ? prefix : "",
                        store->uri);
  return store->backend->list(store, prefix, start_after, recursive, visit, argument, error);
}

/* One folder's first file is enough: the next listing starts behind all that it holds. */
typedef struct folder_search {
  size_t prefix;
  osdear__buf folder;
  osdear__buf behind;
} folder_search;

static osdear_status find_folder(void *argument, const osdear__store_item *item, osdear_error **error)
{
  folder_search *self = argument;
  const char *slash = strchr(item->path + self->prefix, '/');

  (void)error;
  osdear__buf_clear(&self->behind);
  osdear__buf_puts(&self->behind, item->path);
  if (!slash)
    return OSDEAR_OK;
  osdear__buf_clear(&self->folder);
  osdear__buf_append(&self->folder, item->path, (size_t)(slash + 1 - item->path));
  osdear__buf_clear(&self->behind);
  osdear__buf_append(&self->behind, self->folder.data, self->folder.size);
  osdear__buf_puts(&self->behind, "\xf4\x8f\xbf\xbf"); /* the last of all characters */
  return OSDEAR_ERR_STATE;
}

static osdear_status search_folders(osdear__store *store, const char *prefix, folder_search *search, osdear__store_visit visit,
                                    void *argument, osdear_error **error)
{
  for (;;) {
    osdear_status st = store->backend->list(store, prefix, search->behind.size > 0 ? search->behind.data : NULL, true,
                                            find_folder, search, error);
    osdear__store_item item = { 0 };
    if (st != OSDEAR_ERR_STATE)
      return st;
    if (error) {
      osdear_error_free(*error);
      *error = NULL;
    }
    st = osdear__buf_check(&search->folder, error);
    if (!st)
      st = osdear__buf_check(&search->behind, error);
    item.path = search->folder.data;
    if (!st)
      st = visit(argument, &item, error);
    if (st)
      return st;
  }
}

osdear_status osdear__store_folders(osdear__store *store, const char *prefix, osdear__store_visit visit, void *argument,
                                    osdear_error **error)
{
  folder_search search = { .prefix = strlen(prefix) };
  osdear_status st;

  if (prefix[0] == '/' || osdear__path_climbs(prefix) || (search.prefix > 0 && prefix[search.prefix - 1] != '/'))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no folder below \"%s\"", prefix, store->uri);
  if (store->backend->list_folders)
    return store->backend->list_folders(store, prefix, visit, argument, error);
  st = search_folders(store, prefix, &search, visit, argument, error);
  osdear__buf_drop(&search.folder);
  osdear__buf_drop(&search.behind);
  return st;
}
