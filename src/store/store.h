/** @file store.h Files by name below one address: `file:`, `s3:` and `memory:` behind one vtable. */
#ifndef OSDEAR_SRC_STORE_H
#define OSDEAR_SRC_STORE_H

#include <base/base.h>

/* Counted by reference; any thread may use it. Paths are relative to its root, use `/`, are UTF-8 and never start with `/`;
 * `..` as a component is refused with ARGUMENT. An absolute address (`file:///x`, `/x`) names a file outside of the root: the
 * calls that read accept it, for shallow clones. */
typedef struct osdear__store osdear__store;

/* `uri`: a path (absolute or relative), `file:///p`, `s3://bucket/p` (also s3a:; nothing in it is percent-decoded), `memory://name/p`. Creates
 * nothing and touches no network. Unknown schemes and settings are refused by name.
 * `memory:` stores of one name are shared within the process and live until osdear__memory_store_forget(). */
MUST_USE osdear_status osdear__store_open(osdear_context *context, const char *uri, const osdear_pair *settings,
                                          size_t setting_count, osdear__store **out, osdear_error **error);
osdear__store *osdear__store_ref(osdear__store *store);
void osdear__store_unref(osdear__store *store);
void osdear__store_auto(osdear__store **store);
const char *osdear__store_uri(const osdear__store *store); /* normalised: no trailing slash; borrowed */
void osdear__memory_store_forget(const char *name);

/* The whole of a file that is small by nature (a commit, a hint): LIMIT if larger than `max_size`. Appended to `out`. */
MUST_USE osdear_status osdear__store_get(osdear__store *store, const char *path, size_t max_size, osdear__buf *out,
                                         osdear_error **error);
/* Open for ranged reads. `size_bytes` -1: ask the store. With a known size, that it is wrong or nothing is there may be found on reading. */
MUST_USE osdear_status osdear__store_open_input(osdear__store *store, const char *path, int64_t size_bytes, osdear__input **out,
                                                osdear_error **error);
/* Write the whole file if nothing of that name is there: EXISTS otherwise. Atomic towards readers, other writers and crashes at any
 * instant; durable once it has returned. The primitive behind commits. Makes folders as needed. */
MUST_USE osdear_status osdear__store_put_if_absent(osdear__store *store, const char *path, const void *data, size_t size,
                                                   osdear_error **error);
/* The same, replacing what is there. For hints. */
MUST_USE osdear_status osdear__store_put(osdear__store *store, const char *path, const void *data, size_t size,
                                         osdear_error **error);
/* A large file of a name nobody else uses; visible and durable once finished, removed if closed before. */
MUST_USE osdear_status osdear__store_create(osdear__store *store, const char *path, osdear__output **out, osdear_error **error);
/* The same, in place of what may be there. */
MUST_USE osdear_status osdear__store_replace(osdear__store *store, const char *path, osdear__output **out, osdear_error **error);
/* What create (or, with `replace`, replace) and writing all of `input` would do, by a shorter way. *done false: there is none, nothing was done. */
MUST_USE osdear_status osdear__store_upload(osdear__store *store, const char *path, osdear__input *input, bool replace,
                                            bool *done, osdear_error **error);
/* Within the service that both stores are at. *done false: not between these two, or not this file; nothing was done. */
MUST_USE osdear_status osdear__store_copy_inside(osdear__store *from, const char *from_path, osdear__store *to,
                                                 const char *to_path, bool *done, osdear_error **error);
/* Many, in few requests; those that were not there count as deleted. Goes on after a failure and returns the first. `removed` is added to. */
MUST_USE osdear_status osdear__store_delete_many(osdear__store *store, const char *const *paths, size_t count, int64_t *removed,
                                                 osdear_error **error);
/* Appends a URL for GET or PUT; UNSUPPORTED where files have none. */
MUST_USE osdear_status osdear__store_presign(osdear__store *store, const char *path, const char *method, int64_t expires_s,
                                             osdear__buf *out, osdear_error **error);
/* NOT_FOUND when it was not there. */
MUST_USE osdear_status osdear__store_delete(osdear__store *store, const char *path, osdear_error **error);

typedef struct osdear__store_item {
  const char *path; /* relative to the root; lives during the callback */
  int64_t size_bytes;
  int64_t modified_ms;
} osdear__store_item;
/* Non-zero status from the callback stops the listing and becomes its result. */
typedef osdear_status (*osdear__store_visit)(void *argument, const osdear__store_item *item, osdear_error **error);
/* Whether each request has a way to go, so that files are better asked for before they are needed. */
bool osdear__store_is_remote(const osdear__store *store);
/* A hint: files of these sizes (-1: not known) will be opened soon, and in this order. Where that helps they are sent for side by side. No more than
 * OSDEAR__STORE_EXPECTED are remembered. */
#define OSDEAR__STORE_EXPECTED 16
void osdear__store_expect(osdear__store *store, const osdear__store_item *items, size_t count);
/* Files (not folders) whose path starts with `prefix` and, unless it is NULL, is bytewise greater than `start_after`, in bytewise order.
 * `recursive` false: only those without a further `/` after the prefix. A folder that is not there holds nothing. */
MUST_USE osdear_status osdear__store_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                                          osdear__store_visit visit, void *argument, osdear_error **error);
/* Large files that somebody began to write and neither finished nor gave up; `modified_ms` says when. *give_up true: what is there of it goes. */
typedef osdear_status (*osdear__store_visit_upload)(void *argument, const osdear__store_item *item, bool *give_up,
                                                    osdear_error **error);
/* UNSUPPORTED where nothing is left of such files, or nothing can be told from others'. */
MUST_USE osdear_status osdear__store_uploads(osdear__store *store, const char *prefix, osdear__store_visit_upload visit,
                                             void *argument, osdear_error **error);
/* The folders right below `prefix`, which is empty or ends in `/`: their paths end in `/`, too. */
MUST_USE osdear_status osdear__store_folders(osdear__store *store, const char *prefix, osdear__store_visit visit, void *argument,
                                             osdear_error **error);
MUST_USE osdear_status osdear__store_stat(osdear__store *store, const char *path, osdear__store_item *out, osdear_error **error);

bool osdear__path_climbs(const char *path); /* holds `..` as a component */

/* Path names as URIs (RFC 3986): what Delta's log holds. */
MUST_USE osdear_status osdear__uri_decode(osdear__str text, osdear__buf *out, osdear_error **error); /* percent-decodes once */
void osdear__uri_encode(
    osdear__buf *out,
    osdear__str path); /* all but unreserved characters, `/`, and those Spark leaves: ! $ & ' ( ) * + , ; = : @ */

#endif
