/** @file store.h Files below one address, on this machine or at S3: listed, read, written, copied, deleted. */
#ifndef OSDEAR_STORE_H
#define OSDEAR_STORE_H

#include <osdear/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A folder of files: `file:///p` or a path, `s3://bucket/p`, `memory://name/p`. Synchronised: any thread may use it. */
typedef struct osdear_store osdear_store;

/** How to reach a store. */
typedef struct osdear_store_options {
  size_t size;                /**< sizeof this struct as the caller compiled it. */
  const osdear_pair *storage; /**< Settings such as {"aws_endpoint", "http://…"}; NULL (default): those of the environment. */
  size_t storage_count;       /**< Length of `storage`. */
} osdear_store_options;
#define OSDEAR_STORE_OPTIONS_INIT { sizeof(osdear_store_options), NULL, 0 }

/** A file, or a folder in a listing that does not go into folders. */
typedef struct osdear_store_item {
  const char *path;    /**< Relative to the store's address; of a folder it ends in `/`. */
  int64_t size_bytes;  /**< 0 for folders. */
  int64_t modified_ms; /**< Milliseconds UTC since 1970; 0 for folders. */
} osdear_store_item;

/** Sees one item of a listing, which lives during the call only. Returns 0 to go on; anything else ends the listing, which then succeeds. */
typedef int32_t (*osdear_store_visit)(void *argument, const osdear_store_item *item);

/** What to list. */
typedef struct osdear_store_list_options {
  size_t size;             /**< sizeof this struct as the caller compiled it. */
  int32_t recursive;       /**< 1: all files below; 0 (default): files and folders right below the prefix's last `/`. */
  const char *start_after; /**< Only files whose paths are bytewise greater; NULL (default): all. */
} osdear_store_list_options;
#define OSDEAR_STORE_LIST_OPTIONS_INIT { sizeof(osdear_store_list_options), 0, NULL }

/** Takes bytes of a file in their order. Returns 0 to go on; anything else ends the call with OSDEAR_ERR_CANCELLED. */
typedef int32_t (*osdear_store_write)(void *argument, const void *data, size_t size);

/** Gives the next bytes: at most `room` of them to `out`, their number to `*got`, 0 at the end. Returns 0, or anything else to give up. */
typedef int32_t (*osdear_store_read)(void *argument, void *out, size_t room, size_t *got);

/** What to read of a file. */
typedef struct osdear_store_get_options {
  size_t size;            /**< sizeof this struct as the caller compiled it. */
  int64_t offset;         /**< The first byte; 0 (default): from the start. */
  int64_t length_bytes;   /**< At most so many; -1 (default): to the end. */
} osdear_store_get_options;
#define OSDEAR_STORE_GET_OPTIONS_INIT { sizeof(osdear_store_get_options), 0, -1 }

/** How to write files. */
typedef struct osdear_store_put_options {
  size_t size;         /**< sizeof this struct as the caller compiled it. */
  int32_t if_absent;   /**< 1: OSDEAR_ERR_EXISTS when something of that name is there; 0 (default): replace it. */
  int32_t concurrency; /**< Trees only: files under way at once; 0 (default): 16. */
} osdear_store_put_options;
#define OSDEAR_STORE_PUT_OPTIONS_INIT { sizeof(osdear_store_put_options), 0, 0 }

/** What a copy or a deletion of many files did. */
typedef struct osdear_store_result {
  size_t size;   /**< sizeof this struct as the caller compiled it; set it before the call. */
  int64_t files; /**< Files copied or deleted. */
  int64_t bytes; /**< Bytes copied. */
} osdear_store_result;
#define OSDEAR_STORE_RESULT_INIT { sizeof(osdear_store_result), 0, 0 }

/**
 * A store at an address. Nothing is created, and no network is touched.
 *
 * @param[out] out  On success the store: release with osdear_store_free().
 * @retval OSDEAR_ERR_ARGUMENT     The address or a setting makes no sense; the message names it.
 * @retval OSDEAR_ERR_UNSUPPORTED  No such kind of store in this build.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_open(osdear_context *context, const char *uri, const osdear_store_options *options,
                                           osdear_store **out, osdear_error **error);
OSDEAR_API void osdear_store_free(osdear_store *store);             /**< NULL is a no-op. */
OSDEAR_API const char *osdear_store_uri(const osdear_store *store); /**< Without a slash at its end; lives as long as `store`. */

/**
 * Every file whose path starts with `prefix` ("" for all), in bytewise order of paths.
 *
 * @param options  NULL for defaults.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_list(osdear_store *store, const char *prefix, const osdear_store_list_options *options,
                                           osdear_store_visit visit, void *argument, osdear_error **error);

/**
 * Size and time of one file.
 *
 * @param[out] out  Its `path` is the caller's.
 * @retval OSDEAR_ERR_NOT_FOUND  There is no such file.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_stat(osdear_store *store, const char *path, osdear_store_item *out, osdear_error **error);

/**
 * The bytes of a file, in pieces and in their order.
 *
 * @param options  NULL for the whole file.
 * @retval OSDEAR_ERR_NOT_FOUND  There is no such file.
 * @retval OSDEAR_ERR_CORRUPT    It was replaced while it was being read.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_get(osdear_store *store, const char *path, const osdear_store_get_options *options,
                                          osdear_store_write write, void *argument, osdear_error **error);

/**
 * Write a file from what `read` gives. It is seen only once all of it is there; large ones go up in parts, cleared away if anything fails.
 *
 * @param options  NULL for defaults.
 * @retval OSDEAR_ERR_EXISTS  `if_absent` is set and something of that name is there.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_put(osdear_store *store, const char *path, const osdear_store_put_options *options,
                                          osdear_store_read read, void *argument, osdear_error **error);

/**
 * Copy one file, between stores of any kind or within one.
 *
 * @param options  NULL for defaults.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_copy(osdear_store *from, const char *from_path, osdear_store *to, const char *to_path,
                                           const osdear_store_put_options *options, osdear_error **error);

/**
 * Copy every file of a store whose path starts with `prefix`, several at once, to the same path without the prefix below `to_prefix`. Ends at
 * the first failure; what was copied stays.
 *
 * @param options     NULL for defaults.
 * @param[out] result Optional: also filled when the call fails.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_copy_tree(osdear_store *from, const char *prefix, osdear_store *to, const char *to_prefix,
                                                const osdear_store_put_options *options, osdear_store_result *result,
                                                osdear_error **error);

/**
 * Delete one file.
 *
 * @retval OSDEAR_ERR_NOT_FOUND  There is no such file.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_delete(osdear_store *store, const char *path, osdear_error **error);

/**
 * Delete every file whose path starts with `prefix`, which must not be empty unless the store's address names a folder.
 *
 * @param[out] result Optional: also filled when the call fails.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_delete_tree(osdear_store *store, const char *prefix, osdear_store_result *result, osdear_error **error);

/**
 * Uploads in parts to an s3: store that were begun, and neither finished nor given up: what a process leaves behind that was killed. Their parts
 * are stored and paid for, and no listing shows them. Of each `visit` sees the path, when it was begun, and a size of 0.
 *
 * @param prefix  Only those whose paths start with it; "" for all below the address.
 * @retval OSDEAR_ERR_UNSUPPORTED  Not an s3: store.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_uploads(osdear_store *store, const char *prefix, osdear_store_visit visit, void *argument,
                                              osdear_error **error);
/**
 * Give up those that were begun at least `min_age_ms` ago. One that is still going on fails: choose an age that no upload reaches.
 *
 * @param[out] deleted  Optional: how many were given up.
 * @retval OSDEAR_ERR_UNSUPPORTED  Not an s3: store.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_delete_uploads(osdear_store *store, const char *prefix, int64_t min_age_ms, int64_t *deleted,
                                                     osdear_error **error);

/**
 * A URL by which anybody may read or write one file of an s3: store, without credentials of their own.
 *
 * @param method     "GET" or "PUT".
 * @param expires_s  How long it holds: 1 to 604800 seconds (7 days), but no longer than temporary credentials.
 * @param[out] url   Release with osdear_text_free().
 * @retval OSDEAR_ERR_UNSUPPORTED  Not an s3: store.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_store_presign(osdear_store *store, const char *path, const char *method, int64_t expires_s, char **url,
                                              osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
