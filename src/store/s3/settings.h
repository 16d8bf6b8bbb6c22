/** @file settings.h How a store at S3 is reached: options under the names deltalake and object_store use, then the environment. */
#ifndef OSDEAR_SRC_STORE_S3_SETTINGS_H
#define OSDEAR_SRC_STORE_S3_SETTINGS_H

#include <base/base.h>

/* Text that no message, log line or listing may show. Only what signs or sends it takes it out. */
typedef struct osdear__secret {
  osdear__str hidden;
} osdear__secret;
void osdear__secret_put(osdear__buf *out, const osdear__secret *secret); /* three stars, whatever it is; nothing for nothing */

/* What can be set. Each is a text, NULL where it was not given. */
typedef enum osdear__s3_key {
  S3_ACCESS_KEY_ID,
  S3_SECRET_ACCESS_KEY,
  S3_SESSION_TOKEN,
  S3_SKIP_SIGNATURE,
  S3_PROFILE,
  S3_CREDENTIALS_FILE,
  S3_CONFIG_FILE,
  S3_ROLE_ARN,
  S3_ROLE_SESSION_NAME,
  S3_WEB_IDENTITY_TOKEN_FILE,
  S3_ASSUME_ROLE_ARN,
  S3_ASSUME_ROLE_SESSION_NAME,
  S3_EXTERNAL_ID,
  S3_CONTAINER_RELATIVE_URI,
  S3_CONTAINER_FULL_URI,
  S3_CONTAINER_TOKEN_FILE,
  S3_CONTAINER_TOKEN,
  S3_METADATA_ENDPOINT,
  S3_METADATA_DISABLED,
  S3_REGION,
  S3_ENDPOINT,
  S3_ENDPOINT_STS,
  S3_ALLOW_HTTP,
  S3_VIRTUAL_HOST,
  S3_FORCE_PATH_STYLE,
  S3_CA_BUNDLE,
  S3_ALLOW_INVALID_CERTIFICATES,
  S3_PROXY,
  S3_CONNECT_TIMEOUT,
  S3_TIMEOUT,
  S3_MAX_ATTEMPTS,
  S3_UNSIGNED_PAYLOAD,
  S3_CHECKSUM,
  S3_CONDITIONAL_PUT,
  S3_SINGLE_WRITER,
  S3_REQUEST_PAYER,
  S3_SSE,
  S3_SSE_KMS_KEY,
  S3_SSE_BUCKET_KEY,
  S3_STORAGE_CLASS,
  S3_PART_SIZE,
  S3_CONCURRENCY,
  S3_KEY_COUNT
} osdear__s3_key;

typedef enum osdear__s3_checksum {
  S3_CHECKSUM_AUTO,
  S3_CHECKSUM_NONE,
  S3_CHECKSUM_MD5,
  S3_CHECKSUM_CRC32,
  S3_CHECKSUM_SHA256
} osdear__s3_checksum;
typedef enum osdear__s3_payload {
  S3_PAYLOAD_BY_WAY,
  S3_PAYLOAD_UNSIGNED,
  S3_PAYLOAD_SIGNED
} osdear__s3_payload; /* of large bodies */
typedef enum osdear__s3_conditional { S3_CONDITIONAL_PROBE, S3_CONDITIONAL_TRUST, S3_CONDITIONAL_OFF } osdear__s3_conditional;

/* Immutable once read. `values` of secrets are only in `secrets`. */
typedef struct osdear__s3_settings {
  osdear__arena texts;
  const char *values[S3_KEY_COUNT];
  osdear__secret secret_key, session_token, container_token;
  bool is_from_environment; /* access key, secret and token were */
  /* Those that are no texts, checked and with their defaults. */
  bool skip_signature, allow_http, virtual_host, force_path_style, metadata_disabled, allow_invalid_certificates;
  bool single_writer, sse_bucket_key;
  int64_t connect_timeout_ms, timeout_ms;       /* 0: not given */
  int64_t max_attempts, part_size, concurrency; /* 0: not given */
  osdear__s3_payload payload;
  osdear__s3_checksum checksum;
  osdear__s3_conditional conditional;
} osdear__s3_settings;

/* Names are looked up without regard to case and with or without `aws_` before them. What is not given is taken from the environment variable
 * of that name, in capitals. Names that are not known, and values that make no sense, are refused. */
MUST_USE osdear_status osdear__s3_settings_read(osdear__s3_settings *settings, const osdear_pair *pairs, size_t count,
                                                osdear_error **error);
void osdear__s3_settings_drop(osdear__s3_settings *settings);
/* "aws_endpoint", for messages. */
const char *osdear__s3_key_name(osdear__s3_key key);

#endif
