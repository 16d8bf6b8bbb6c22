/** @file object.h What is done to objects: read, written, looked at, deleted, copied, listed. Keys are whole, from the bucket's root. */
#ifndef OSDEAR_SRC_STORE_S3_OBJECT_H
#define OSDEAR_SRC_STORE_S3_OBJECT_H

#include <store/s3/s3.h>
#include <store/store.h>

enum { OSDEAR__S3_ETAG = 128 };

typedef struct osdear__s3_info {
  int64_t size_bytes;
  int64_t modified_ms;
  char etag[OSDEAR__S3_ETAG]; /* with its quotes; "" if the service gives none */
  char nonce[40];             /* what osdear__s3_put was given */
} osdear__s3_info;

/* NOT_FOUND when there is none. */
MUST_USE osdear_status osdear__s3_head(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *out,
                                       osdear_error **error);
/* The whole object, appended to `out`: LIMIT if it is larger than `max_size`. */
MUST_USE osdear_status osdear__s3_get(osdear__s3 *s3, osdear_context *context, const char *key, size_t max_size, osdear__buf *out,
                                      osdear_error **error);
/* `size` bytes from `offset`, in pieces side by side where they are many. Of the version that `info->etag` names, which is filled in when it is
 * "" (CORRUPT if the object was replaced meanwhile); `info->size_bytes` is checked when it is not -1. */
MUST_USE osdear_status osdear__s3_get_range(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *info,
                                            int64_t offset, void *out, size_t size, osdear_error **error);
/* The first bytes, at most `room`, of an object whose size is not known; its size and version go to `info`. */
MUST_USE osdear_status osdear__s3_get_start(osdear__s3 *s3, osdear_context *context, const char *key, void *out, size_t room,
                                            osdear__s3_info *info, osdear_error **error);
/* `if_absent`: EXISTS when something is there already, whoever asked before; an answer that was lost is found again by its nonce. */
MUST_USE osdear_status osdear__s3_put(osdear__s3 *s3, osdear_context *context, const char *key, const void *data, size_t size,
                                      bool if_absent, osdear_error **error);
/* Whether `If-None-Match: *` is obeyed here: tried once for each endpoint and bucket with a file of its own beside `key`. UNSUPPORTED with the
 * way out when it is not. */
MUST_USE osdear_status osdear__s3_need_conditional(osdear__s3 *s3, osdear_context *context, const char *key,
                                                   osdear_error **error);
/* Also when it is not there. */
MUST_USE osdear_status osdear__s3_delete(osdear__s3 *s3, osdear_context *context, const char *key, osdear_error **error);
/* A thousand a request. Goes on after a failure and returns the first; `deleted` counts. */
MUST_USE osdear_status osdear__s3_delete_many(osdear__s3 *s3, osdear_context *context, const char *const *keys, size_t count,
                                              int64_t *deleted, osdear_error **error);
/* Within the service; up to 5 GiB. */
MUST_USE osdear_status osdear__s3_copy(osdear__s3 *s3, osdear_context *context, const char *from_bucket, const char *from_key,
                                       const char *key, osdear_error **error);

typedef struct osdear__s3_listed {
  const char *key; /* lives during the callback; of a folder it ends in a slash */
  int64_t size_bytes;
  int64_t modified_ms;
  bool is_folder;
} osdear__s3_listed;
typedef osdear_status (*osdear__s3_visit)(void *argument, const osdear__s3_listed *item, osdear_error **error);
/* In bytewise order. `recursive` false: what has a further slash after `prefix` is told once, as a folder. */
MUST_USE osdear_status osdear__s3_list(osdear__s3 *s3, osdear_context *context, const char *prefix, const char *start_after,
                                       bool recursive, osdear__s3_visit visit, void *argument, osdear_error **error);

/* A key as a listing has it, into `out`: percent-encoded where we asked for it and the service said that it did; some write spaces as `+`. */
MUST_USE osdear_status osdear__s3_read_key(const osdear__s3 *s3, osdear__str text, bool is_encoded, osdear__buf *out,
                                           osdear_error **error);

/* An upload in parts that was begun, and neither finished nor given up. */
typedef struct osdear__s3_begun {
  const char *key, *id; /* live during the callback */
  int64_t begun_ms;
} osdear__s3_begun;
/* *give_up true: it is to be given up. */
typedef osdear_status (*osdear__s3_visit_begun)(void *argument, const osdear__s3_begun *begun, bool *give_up,
                                                osdear_error **error);
MUST_USE osdear_status osdear__s3_uploads(osdear__s3 *s3, osdear_context *context, const char *prefix,
                                          osdear__s3_visit_begun visit, void *argument, osdear_error **error);

/* A large object, written from front to back in parts that are sent side by side. `if_absent` as above. */
MUST_USE osdear_status osdear__s3_upload(osdear__s3 *s3, osdear_context *context, const char *key, bool if_absent,
                                         osdear__output **out, osdear_error **error);
/* The whole of `input`, whose bytes go from it to the network without resting in memory. Where osdear__s3_may_stream(); of two parts or more. */
MUST_USE osdear_status osdear__s3_upload_input(osdear__s3 *s3, osdear_context *context, const char *key, osdear__input *input,
                                               bool if_absent, osdear_error **error);
#define OSDEAR__S3_STREAM ((int64_t)16 << 20) /* from here on */

/* The headers that every write carries: encryption, storage class, who pays. */
void osdear__s3_add_write_headers(const osdear__s3 *s3, osdear__s3_request *request);
/* Content-MD5 or a checksum of the body, as the settings say; `text` holds its value. */
MUST_USE osdear_status osdear__s3_add_checksum(const osdear__s3 *s3, osdear__s3_request *request, osdear__buf *text,
                                               osdear_error **error);
void osdear__s3_add_payer(const osdear__s3 *s3, osdear__s3_request *request);
/* `"etag"` and size as an answer's headers give them. */
void osdear__s3_read_info(const osdear__http_response *response, osdear__s3_info *out);
#define OSDEAR__S3_NONCE "x-amz-meta-osdear-nonce"

#endif
