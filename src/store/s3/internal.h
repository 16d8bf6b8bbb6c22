/** @file internal.h What the files about requests know of each other. Only for src/store/s3. */
#ifndef OSDEAR_SRC_STORE_S3_INTERNAL_H
#define OSDEAR_SRC_STORE_S3_INTERNAL_H

#include <store/s3/s3.h>

enum { OSDEAR__S3_REGION = 64, OSDEAR__S3_CODE = 64, OSDEAR__S3_IDLE_LOOPS = 32 };

typedef struct osdear__s3_mover osdear__s3_mover; /* what carries out orders (range.h) */
void osdear__s3_mover_free(osdear__s3_mover *mover);

struct osdear__s3 {
  atomic_int_fast64_t references;
  osdear__s3_settings settings;
  osdear__aws_profiles profiles;
  osdear__identities *identities;
  osdear__http_client *http;
  osdear__sigv4_key key;
  char *bucket;
  char *endpoint, *host,
      *prefix;          /* NULL: AWS's own. `prefix` is the path that stands before all others, without its last slash */
  bool is_virtual;      /* the bucket is part of the host's name */
  bool is_plain;        /* http: what is sent can be read and changed on the way */
  bool signs_large;     /* bodies of any size, that is */
  pthread_mutex_t lock; /* of what follows */
  char region[OSDEAR__S3_REGION];
  bool region_is_known;
  int64_t skew_us;                                      /* the service's clock minus ours */
  osdear__s3_mover *mover;                              /* NULL until something is ordered */
  osdear__http_loop *idle_loops[OSDEAR__S3_IDLE_LOOPS]; /* with their open connections, for the next who needs one */
  osdear_context *loop_contexts[OSDEAR__S3_IDLE_LOOPS]; /* that each was made for; compared only */
};

/* A request on its way. */
struct osdear__s3_call {
  osdear__s3 *s3;
  osdear_context *context;
  const osdear__s3_request *request;
  osdear__s3_request kept; /* where the request outlives its caller's */
  osdear__http_request http;
  osdear__buf host, path, url;
  char payload[OSDEAR__SHA256_HEX];
  char region[OSDEAR__S3_REGION]; /* that it was sent to */
  int turns;                      /* how often it was sent elsewhere */
  osdear__identity *identity;     /* that the last attempt was signed by */
  osdear__http_loop *loop;        /* of one among many */
  osdear__http_exchange *exchange;
};
MUST_USE osdear_status osdear__s3_prepare(osdear__s3 *s3, osdear_context *context, const osdear__s3_request *request,
                                          osdear__s3_call *call, osdear_error **error);
void osdear__s3_call_drop(osdear__s3_call *call);

void osdear__s3_region(osdear__s3 *s3, char out[OSDEAR__S3_REGION]);
MUST_USE osdear_status osdear__s3_locate(osdear__s3 *s3, const char *region, const char *key, osdear__buf *host,
                                         osdear__buf *path, osdear_error **error);
/* The hooks of the HTTP client; `argument` is the bucket, the attempt's tag the call. */
osdear_status osdear__s3_sign(void *argument, osdear__http_attempt *attempt, osdear_error **error);
osdear__http_verdict osdear__s3_judge(void *argument, const osdear__http_attempt *attempt);
/* Whether the answer says that the bucket is elsewhere than the call was sent to; then the request is to be made again, twice at most. */
bool osdear__s3_learn_region(osdear__s3_call *call, const osdear__http_response *response);

#endif
