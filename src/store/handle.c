/** @file handle.c The public handle of a store. */
#include <store/handle.h>

#define PIECE_BYTES ((size_t)16 << 20) /* large enough that a remote store reads it in several requests side by side */

typedef struct osdear_store osdear__handle;

static void osdear__handle_auto(osdear__handle **handle)
{
  osdear_store_free(*handle);
}

osdear_status osdear_store_open(osdear_context *context, const char *uri, const osdear_store_options *options, osdear_store **out,
                                osdear_error **error)
{
  osdear_store_options known = OSDEAR_STORE_OPTIONS_INIT;
  AUTO(handle) handle = NULL;
  osdear_status st;

  if (!context || !uri || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, uri and out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  handle = osdear__alloc_zeroed(1, sizeof *handle);
  if (!handle)
    return osdear__fail_memory(error);
  handle->context = osdear_context_ref(context);
  st = osdear__store_open(context, uri, known.storage, known.storage_count, &handle->store, error);
  if (st)
    return st;
  *out = handle;
  handle = NULL;
  return OSDEAR_OK;
}

void osdear_store_free(osdear_store *store)
{
  if (!store)
    return;
  osdear__store_unref(store->store);
  osdear_context_unref(store->context);
  osdear__free(store);
}

const char *osdear_store_uri(const osdear_store *store)
{
  return osdear__store_uri(store->store);
}

/* ---- listing ---- */

typedef struct listing {
  osdear_store_visit visit;
  void *argument;
  bool is_stopped;
} listing;

static osdear_status tell(void *argument, const osdear__store_item *item, osdear_error **error)
{
  listing *self = argument;
  osdear_store_item public_item = { item->path, item->size_bytes, item->modified_ms };

  self->is_stopped = self->visit(self->argument, &public_item) != 0;
  return self->is_stopped ? osdear__fail(error, OSDEAR_ERR_STATE, "the listing was ended by its visitor") : OSDEAR_OK;
}

/* One that its visitor ended has succeeded; what else ended it is handed on. */
static osdear_status end_listing(const listing *self, osdear_status st, osdear_error **failure, osdear_error **error)
{
  if (self->is_stopped)
    return OSDEAR_OK;
  if (st && error) {
    osdear_error_free(*error);
    *error = *failure;
    *failure = NULL;
  }
  return st;
}

osdear_status osdear_store_list(osdear_store *store, const char *prefix, const osdear_store_list_options *options,
                                osdear_store_visit visit, void *argument, osdear_error **error)
{
  osdear_store_list_options known = OSDEAR_STORE_LIST_OPTIONS_INIT;
  listing self = { visit, argument, false };
  AUTO(error) failure = NULL;
  osdear_status st;

  if (!store || !prefix || !visit)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, prefix and visit must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  if (!known.recursive) {
    const char *slash = strrchr(prefix, '/');
    char *folder = osdear__strndup(prefix, slash ? (size_t)(slash + 1 - prefix) : 0);
    st = folder ? osdear__store_folders(store->store, folder, tell, &self, &failure) : osdear__fail_memory(&failure);
    osdear__free(folder);
  }
  if (!st)
    st = osdear__store_list(store->store, prefix, known.start_after, known.recursive != 0, tell, &self, &failure);
  return end_listing(&self, st, &failure, error);
}

/* ---- what was begun and not finished ---- */

static osdear_status tell_upload(void *argument, const osdear__store_item *item, bool *give_up, osdear_error **error)
{
  (void)give_up;
  return tell(argument, item, error);
}

osdear_status osdear_store_uploads(osdear_store *store, const char *prefix, osdear_store_visit visit, void *argument,
                                   osdear_error **error)
{
  listing self = { visit, argument, false };
  AUTO(error) failure = NULL;
  osdear_status st;

  if (!store || !prefix || !visit)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, prefix and visit must not be NULL");
  st = osdear__store_uploads(store->store, prefix, tell_upload, &self, &failure);
  return end_listing(&self, st, &failure, error);
}

typedef struct clearing {
  int64_t latest_ms, count;
} clearing;

static osdear_status clear_upload(void *argument, const osdear__store_item *item, bool *give_up, osdear_error **error)
{
  clearing *self = argument;

  (void)error;
  *give_up = item->modified_ms <= self->latest_ms;
  self->count += *give_up;
  return OSDEAR_OK;
}

osdear_status osdear_store_delete_uploads(osdear_store *store, const char *prefix, int64_t min_age_ms, int64_t *deleted,
                                          osdear_error **error)
{
  clearing self = { 0 };
  osdear_status st;

  if (!store || !prefix || min_age_ms < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store and prefix must not be NULL, nor the age negative");
  self.latest_ms = osdear__now_us() / 1000 - min_age_ms;
  st = osdear__store_uploads(store->store, prefix, clear_upload, &self, error);
  if (!st && deleted)
    *deleted = self.count;
  return st;
}

osdear_status osdear_store_stat(osdear_store *store, const char *path, osdear_store_item *out, osdear_error **error)
{
  osdear__store_item item = { 0 };
  osdear_status st;

  if (!store || !path || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, path and out must not be NULL");
  st = osdear__store_stat(store->store, path, &item, error);
  if (!st)
    *out = (osdear_store_item){ path, item.size_bytes, item.modified_ms };
  return st;
}

/* ---- reading and writing ---- */

size_t osdear__piece_bytes(const osdear_context *context, int64_t shares)
{
  int64_t share = osdear__context_budget(context) / shares;

  return share < (1 << 20) ? (size_t)1 << 20 : share > (int64_t)PIECE_BYTES ? PIECE_BYTES : (size_t)share;
}

osdear_status osdear_store_get(osdear_store *store, const char *path, const osdear_store_get_options *options,
                               osdear_store_write write, void *argument, osdear_error **error)
{
  osdear_store_get_options known = OSDEAR_STORE_GET_OPTIONS_INIT;
  AUTO(input) input = NULL;
  SCOPED(buf) piece = { 0 };
  int64_t at, end;
  osdear_status st;

  if (!store || !path || !write)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, path and write must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  if (known.offset < 0 || known.length_bytes < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a range of %" PRId64 " bytes from %" PRId64, known.length_bytes,
                        known.offset);
  st = osdear__store_open_input(store->store, path, -1, &input, error);
  if (st)
    return st;
  end = known.length_bytes < 0 || known.length_bytes > input->size_bytes - known.offset ? input->size_bytes
                                                                                        : known.offset + known.length_bytes;
  for (at = known.offset; at < end;) {
    size_t most = osdear__piece_bytes(store->context, 4);
    size_t size = end - at < (int64_t)most ? (size_t)(end - at) : most;
    osdear__buf_clear(&piece);
    char *room = osdear__buf_reserve(&piece, size);
    st = osdear__context_check(store->context, error);
    if (!st)
      st = room ? osdear__input_read(input, at, room, size, error) : osdear__buf_check(&piece, error);
    if (!st && write(argument, room, size) != 0)
      st = osdear__fail(error, OSDEAR_ERR_CANCELLED, "%s: who takes its bytes gave up at byte %" PRId64, path, at);
    if (st)
      return st;
    at += (int64_t)size;
    osdear__context_progress(store->context, path, at - known.offset, end - known.offset);
  }
  return OSDEAR_OK;
}

osdear_status osdear_store_put(osdear_store *store, const char *path, const osdear_store_put_options *options,
                               osdear_store_read read, void *argument, osdear_error **error)
{
  osdear_store_put_options known = OSDEAR_STORE_PUT_OPTIONS_INIT;
  const size_t room = (size_t)1 << 16;
  AUTO(output) output = NULL;
  SCOPED(buf) piece = { 0 };
  osdear_status st;
  size_t got = 1;

  if (!store || !path || !read)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, path and read must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (!st)
    st = known.if_absent ? osdear__store_create(store->store, path, &output, error)
                         : osdear__store_replace(store->store, path, &output, error);
  if (!st && !osdear__buf_reserve(&piece, room))
    st = osdear__buf_check(&piece, error);
  while (!st && got > 0) {
    st = osdear__context_check(store->context, error);
    if (!st && (read(argument, piece.data, room, &got) != 0 || got > room))
      st = osdear__fail(error, OSDEAR_ERR_CANCELLED, "%s: who gives its bytes gave up after %" PRId64, path, output->written);
    if (!st)
      st = osdear__output_write(output, piece.data, got, error);
    if (!st)
      osdear__context_progress(store->context, path, output->written, -1);
  }
  return st ? st : output->finish(output, error);
}

osdear_status osdear_store_delete(osdear_store *store, const char *path, osdear_error **error)
{
  if (!store || !path)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store and path must not be NULL");
  return osdear__store_delete(store->store, path, error);
}

osdear_status osdear_store_presign(osdear_store *store, const char *path, const char *method, int64_t expires_s, char **url,
                                   osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (!store || !path || !method || !url)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "store, path, method and url must not be NULL");
  if (strcmp(method, "GET") != 0 && strcmp(method, "PUT") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "URLs are signed for GET and PUT, not for \"%s\"", method);
  st = osdear__store_presign(store->store, path, method, expires_s, &text, error);
  if (!st)
    *url = osdear__buf_take(&text);
  return st;
}
