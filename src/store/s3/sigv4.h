/** @file sigv4.h AWS Signature Version 4: headers, presigned URLs, chunked bodies and their trailers. Knows no network. */
#ifndef OSDEAR_SRC_STORE_S3_SIGV4_H
#define OSDEAR_SRC_STORE_S3_SIGV4_H

#include <pthread.h>

#include <base/crypto.h>

#define OSDEAR__SIGV4_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* SHA-256 of nothing */
#define OSDEAR__SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"
#define OSDEAR__SIGV4_DATE 17 /* 20130524T000000Z and the NUL */

typedef struct osdear__sigv4_pair {
  osdear__str name;
  osdear__str value;
} osdear__sigv4_pair;

/* A request before it is signed. Nothing in it is encoded. */
typedef struct osdear__sigv4_request {
  const char *method;
  osdear__str path; /* starts with `/` */
  bool normalize;   /* every service but S3: `.`, `..` and doubled slashes are resolved */
  const osdear__sigv4_pair *query;
  size_t query_count;
  const osdear__sigv4_pair
      *headers; /* any case, in the order they are sent; `host` among them. Those that proxies change are not signed */
  size_t header_count;
  osdear__str payload; /* hexadecimal SHA-256 of the body, or one of the words such as UNSIGNED-PAYLOAD */
} osdear__sigv4_request;

/* Who signs, for where and when. `token` may be empty. */
typedef struct osdear__sigv4_scope {
  osdear__str access_key;
  osdear__str secret_key;
  osdear__str token;
  const char *region;
  const char *service;
  char date[OSDEAR__SIGV4_DATE];
} osdear__sigv4_scope;
void osdear__sigv4_date(int64_t now_us, char out[OSDEAR__SIGV4_DATE]);

/* The signing key of one day, kept: deriving it takes four HMACs, signing with it one. Zero-initialise with OSDEAR__SIGV4_KEY_INIT. */
typedef struct osdear__sigv4_key {
  pthread_mutex_t lock;
  osdear__buf made_for; /* date, region, service, secret */
  unsigned char key[OSDEAR__SHA256_SIZE];
} osdear__sigv4_key;
#define OSDEAR__SIGV4_KEY_INIT        \
  {                                   \
    PTHREAD_MUTEX_INITIALIZER, { 0 }, \
    {                                 \
      0                               \
    }                                 \
  }
void osdear__sigv4_key_drop(osdear__sigv4_key *key);

/* The steps, which the test vectors look at one by one. `signed_headers` is the list `a;b;c`. */
MUST_USE osdear_status osdear__sigv4_canonical(const osdear__sigv4_request *request, osdear__buf *out,
                                               osdear__buf *signed_headers, osdear_error **error);
MUST_USE osdear_status osdear__sigv4_string_to_sign(const osdear__sigv4_scope *scope, const osdear__buf *canonical,
                                                    osdear__buf *out, osdear_error **error);

/* The value of `Authorization`, appended. The headers must already hold `x-amz-date`, and for S3 `x-amz-content-sha256` and the token. `signature`
 * may be NULL; it is what the chunks of the body start from. */
MUST_USE osdear_status osdear__sigv4_authorization(osdear__sigv4_key *key, const osdear__sigv4_scope *scope,
                                                   const osdear__sigv4_request *request, osdear__buf *out,
                                                   char signature[OSDEAR__SHA256_HEX], osdear_error **error);
/* The path and query of a URL that carries its own signature and holds for `expires_s` seconds (1 to 604800), appended to `out`.
 * `token_unsigned`: for the services that want the token after the signature was made. */
MUST_USE osdear_status osdear__sigv4_presign(osdear__sigv4_key *key, const osdear__sigv4_scope *scope,
                                             const osdear__sigv4_request *request, int64_t expires_s, bool token_unsigned,
                                             osdear__buf *out, char signature[OSDEAR__SHA256_HEX], osdear_error **error);
/* One chunk of a body sent as `aws-chunked`, and the trailer ("name:value\n") after the last, empty, one. `signature` holds the one before and
 * gets the new one. */
MUST_USE osdear_status osdear__sigv4_chunk(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, const void *data,
                                           size_t size, char signature[OSDEAR__SHA256_HEX], osdear_error **error);
MUST_USE osdear_status osdear__sigv4_trailer(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, osdear__str trailer,
                                             char signature[OSDEAR__SHA256_HEX], osdear_error **error);

#endif
