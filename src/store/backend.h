/** @file backend.h What a kind of store provides. Private to this layer. */
#ifndef OSDEAR_SRC_STORE_BACKEND_H
#define OSDEAR_SRC_STORE_BACKEND_H

#include <stdatomic.h>

#include <store/store.h>

/* Paths arrive checked: relative and without `..`, or for the calls that read one that accepts() said yes to. */
typedef struct osdear__store_backend {
  const char *scheme;                   /* for messages */
  bool (*accepts)(const char *address); /* an absolute address that this store can read */
  osdear_status (*get)(osdear__store *store, const char *path, size_t max_size, osdear__buf *out, osdear_error **error);
  osdear_status (*open_input)(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                              osdear_error **error);
  osdear_status (*put)(osdear__store *store, const char *path, const void *data, size_t size, bool replace, osdear_error **error);
  osdear_status (*create)(osdear__store *store, const char *path, bool replace, osdear__output **out, osdear_error **error);
  osdear_status (*remove)(osdear__store *store, const char *path, osdear_error **error);
  osdear_status (*list)(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                        osdear__store_visit visit, void *argument, osdear_error **error);
  osdear_status (*stat)(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error);
  /* What only some can do better than by the calls above; NULL where not. */
  osdear_status (*list_folders)(osdear__store *store, const char *prefix, osdear__store_visit visit, void *argument,
                                osdear_error **error);
  osdear_status (*remove_many)(osdear__store *store, const char *const *paths, size_t count, int64_t *removed,
                               osdear_error **error);
  /* Within the service. *done false: not between these two, or not this file. */
  osdear_status (*copy)(osdear__store *from, const char *from_path, osdear__store *to, const char *to_path, bool *done,
                        osdear_error **error);
  /* The whole of `input`, straight from it. *done false: it is not worth it, or not possible; nothing was done. */
  osdear_status (*upload)(osdear__store *store, const char *path, osdear__input *input, bool replace, bool *done,
                          osdear_error **error);
  /* Only of stores that are elsewhere. */
  void (*expect)(osdear__store *store, const osdear__store_item *items, size_t count);
  osdear_status (*uploads)(osdear__store *store, const char *prefix, osdear__store_visit_upload visit, void *argument,
                           osdear_error **error);
  osdear_status (*presign)(osdear__store *store, const char *path, const char *method, int64_t expires_s, osdear__buf *out,
                           osdear_error **error);
  void (*free)(osdear__store *store); /* what the backend holds and the store itself; not `uri` and `context` */
} osdear__store_backend;

/* The head of every store's own struct. */
struct osdear__store {
  const osdear__store_backend *backend;
  atomic_int_fast64_t references;
  osdear_context *context; /* NULL: none */
  char *uri;
};

/* `path` as an absolute or relative path of the file system, already percent-decoded. */
MUST_USE osdear_status osdear__file_store_new(const char *path, osdear__store **out, osdear_error **error);
/* `address` is what follows `memory://`. */
MUST_USE osdear_status osdear__memory_store_new(const char *address, osdear__store **out, osdear_error **error);

/* `address` is what follows `s3://`. */
MUST_USE osdear_status osdear__s3_store_new(const char *address, const osdear_pair *settings, size_t setting_count,
                                            osdear__store **out, osdear_error **error);

/* The file store's listing, in a file of its own. `root` ends without a slash. */
MUST_USE osdear_status osdear__file_list(const osdear_context *context, const char *root, const char *prefix,
                                         const char *start_after, bool recursive, osdear__store_visit visit, void *argument,
                                         osdear_error **error);
/* Files being written have names such as `.0d9…f1.osdear-tmp`; what a crash leaves of them is nobody's file. */
#define OSDEAR__TEMP_SUFFIX ".osdear-tmp"

#endif
