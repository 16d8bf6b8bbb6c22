/** @file s3.h One bucket at one endpoint: requests that are signed, sent to the right region, and understood when they fail. */
#ifndef OSDEAR_SRC_STORE_S3_S3_H
#define OSDEAR_SRC_STORE_S3_S3_H

#include <http/http.h>
#include <store/s3/credentials.h>

enum { OSDEAR__S3_MOST_PAIRS = 8 };

/* Counted by reference; any thread may use it. */
typedef struct osdear__s3 osdear__s3;
MUST_USE osdear_status osdear__s3_open(const char *bucket, const osdear_pair *settings, size_t setting_count, osdear__s3 **out,
                                       osdear_error **error);
osdear__s3 *osdear__s3_ref(osdear__s3 *s3);
void osdear__s3_unref(osdear__s3 *s3);
void osdear__s3_auto(osdear__s3 **s3);
const osdear__s3_settings *osdear__s3_settings_of(const osdear__s3 *s3);
const char *osdear__s3_bucket(const osdear__s3 *s3);
const char *osdear__s3_endpoint(const osdear__s3 *s3); /* NULL: AWS */
/* Whether bodies need not be looked at before they go out: no signature and no checksum covers them. */
bool osdear__s3_may_stream(const osdear__s3 *s3);
/* Whether one of them may ask for what the other holds. */
bool osdear__s3_is_same_service(const osdear__s3 *a, const osdear__s3 *b);

/* One operation. Zero-initialise. Texts and bytes must outlive the call. */
typedef struct osdear__s3_request {
  const char *method; /* default GET */
  const char *key;    /* NULL: the bucket itself */
  osdear__sigv4_pair query[OSDEAR__S3_MOST_PAIRS];
  size_t query_count;
  osdear__http_header headers[OSDEAR__S3_MOST_PAIRS + 4];
  size_t header_count;
  const void *body;
  size_t body_size;
  osdear__http_source source; /* in place of `body` when `read` is set: goes out unsigned, so see osdear__s3_may_stream() */
  osdear__http_sink sink;
  void *into;
  size_t into_size;
  size_t max_body;
  bool may_fail_late; /* 200 may come with an error for a body: CopyObject, CompleteMultipartUpload */
  bool is_repeatable; /* although its method does not say so */
} osdear__s3_request;
void osdear__s3_add_query(osdear__s3_request *request, const char *name, const char *value);
void osdear__s3_add_header(osdear__s3_request *request, const char *name, const char *value);

/* The answer, whatever its status; what region, clock and credentials needed was put right on the way. */
MUST_USE osdear_status osdear__s3_send(osdear__s3 *s3, osdear_context *context, const osdear__s3_request *request,
                                       osdear__http_response *response, osdear_error **error);
/* The answer as an error, with the service's code and request id. `status` OSDEAR_OK: what code and HTTP status mean. */
osdear_status osdear__s3_fail(const osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                              osdear_status status, osdear_error **error);
/* OSDEAR_OK for a 2xx answer that holds no error. */
MUST_USE osdear_status osdear__s3_expect(const osdear__s3 *s3, const osdear__s3_request *request,
                                         const osdear__http_response *response, osdear_error **error);
/* The service's code in an answer's body, "" if there is none; cut to fit. */
void osdear__s3_code(const osdear__http_response *response, char *out, size_t size);

/* Many at once, from one thread: a prepared call lives until its exchange has ended. */
typedef struct osdear__s3_call osdear__s3_call;
MUST_USE osdear_status osdear__s3_submit(osdear__s3 *s3, osdear_context *context, osdear__http_loop *loop,
                                         const osdear__s3_request *request, osdear__s3_call **out, osdear_error **error);
bool osdear__s3_call_is(const osdear__s3_call *call, const osdear__http_exchange *exchange);
/* Once its exchange was collected: the answer, whatever its status. *is_again: it told of another region, and the request is under way to there. */
MUST_USE osdear_status osdear__s3_call_take(osdear__s3_call *call, osdear__http_response *response, bool *is_again,
                                            osdear_error **error);
void osdear__s3_call_free(osdear__s3_call *call); /* gives it up when it still runs */

/* A loop with nothing in it, and giving it back once that is so again: its connections serve the next. */
MUST_USE osdear_status osdear__s3_borrow_loop(osdear__s3 *s3, osdear_context *context, osdear__http_loop **out,
                                              osdear_error **error);
void osdear__s3_return_loop(osdear__s3 *s3, osdear_context *context, osdear__http_loop *loop);

/* A URL that anybody may use for `expires_s` seconds. */
MUST_USE osdear_status osdear__s3_presign(osdear__s3 *s3, osdear_context *context, const char *method, const char *key,
                                          int64_t expires_s, osdear__buf *out, osdear_error **error);

#endif
