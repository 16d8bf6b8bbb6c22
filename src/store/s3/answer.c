/** @file answer.c Signing an attempt, and what an answer means: again, elsewhere, with other keys, or failed. */
#include <store/s3/internal.h>

#include <stdio.h>
#include <xml/xml.h>

enum { MOST_TURNS = 2 };
#define TOLERATED_US (INT64_C(10) * 60 * 1000000) /* S3 takes 15 minutes */

/* ---- signing ---- */

static int64_t service_now_us(osdear__s3 *s3)
{
  int64_t skew_us;

  pthread_mutex_lock(&s3->lock);
  skew_us = s3->skew_us;
  pthread_mutex_unlock(&s3->lock);
  return osdear__now_us() + skew_us;
}

static osdear_status set_authorization(osdear__s3_call *call, osdear__http_attempt *attempt, const osdear__sigv4_scope *scope,
                                       osdear_error **error)
{
  osdear__sigv4_pair headers[OSDEAR__S3_MOST_PAIRS + 8];
  osdear__sigv4_request request = { .method = attempt->method,
                                    .path = { call->path.data, call->path.size },
                                    .headers = headers,
                                    .query = call->request->query,
                                    .query_count = call->request->query_count };
  SCOPED(buf) authorization = { 0 };
  size_t count = 0;
  osdear_status st;

  headers[count++] = (osdear__sigv4_pair){ STR("host"), { call->host.data, call->host.size } };
  headers[count++] = (osdear__sigv4_pair){ STR("x-amz-date"), osdear__str_of(scope->date) };
  headers[count++] = (osdear__sigv4_pair){ STR("x-amz-content-sha256"), osdear__str_of(call->payload) };
  if (scope->token.size > 0)
    headers[count++] = (osdear__sigv4_pair){ STR("x-amz-security-token"), scope->token };
  for (size_t i = 0; i < call->request->header_count; i++)
    headers[count++] =
        (osdear__sigv4_pair){ osdear__str_of(call->request->headers[i].name), osdear__str_of(call->request->headers[i].value) };
  request.header_count = count;
  request.payload = osdear__str_of(call->payload);
  st = osdear__sigv4_authorization(&call->s3->key, scope, &request, &authorization, NULL, error);
  return st ? st : osdear__http_attempt_set(attempt, "Authorization", authorization.data, error);
}

osdear_status osdear__s3_sign(void *argument, osdear__http_attempt *attempt, osdear_error **error)
{
  osdear__s3_call *call = (osdear__s3_call *)(uintptr_t)attempt->tag;
  osdear__s3 *s3 = argument;
  osdear__sigv4_scope scope = { .service = "s3" };
  osdear_status st;

  osdear__identity_auto(&call->identity);
  st = osdear__identities_get(s3->identities, call->context, &call->identity, error);
  if (st || !call->identity)
    return st;
  scope.access_key = call->identity->access_key;
  scope.secret_key = call->identity->secret_key.hidden;
  scope.token = call->identity->token.hidden;
  scope.region = call->region;
  osdear__sigv4_date(service_now_us(s3), scope.date);
  st = osdear__http_attempt_set(attempt, "X-Amz-Date", scope.date, error);
  if (!st)
    st = osdear__http_attempt_set(attempt, "X-Amz-Content-Sha256", call->payload, error);
  if (!st && scope.token.size > 0)
    st = osdear__http_attempt_set(attempt, "X-Amz-Security-Token", scope.token.data, error);
  return st ? st : set_authorization(call, attempt, &scope, error);
}

osdear_status osdear__s3_presign(osdear__s3 *s3, osdear_context *context, const char *method, const char *key, int64_t expires_s,
                                 osdear__buf *out, osdear_error **error)
{
  AUTO(identity) identity = NULL;
  SCOPED(buf) host = { 0 };
  SCOPED(buf) path = { 0 };
  osdear__sigv4_pair header = { STR("host"), { 0 } };
  osdear__sigv4_scope scope = { .service = "s3" };
  osdear__sigv4_request request = {
    .method = method, .headers = &header, .header_count = 1, .payload = STR(OSDEAR__SIGV4_UNSIGNED)
  };
  char region[OSDEAR__S3_REGION], signature[OSDEAR__SHA256_HEX];
  osdear_status st;

  osdear__s3_region(s3, region);
  st = osdear__identities_get(s3->identities, context, &identity, error);
  if (!st)
    st = osdear__s3_locate(s3, region, key, &host, &path, error);
  if (st)
    return st;
  if (!identity)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a URL cannot be signed without credentials (aws_skip_signature is set)");
  scope.access_key = identity->access_key;
  scope.secret_key = identity->secret_key.hidden;
  scope.token = identity->token.hidden;
  scope.region = region;
  osdear__sigv4_date(service_now_us(s3), scope.date);
  header.value = (osdear__str){ host.data, host.size };
  request.path = (osdear__str){ path.data, path.size };
  osdear__buf_printf(out, "%s://%s", s3->is_plain ? "http" : "https", host.data);
  return osdear__sigv4_presign(&s3->key, &scope, &request, expires_s, false, out, signature, error);
}

/* ---- errors ---- */

static void copy_text(osdear__str text, char *out, size_t size)
{
  size_t n = text.size < size - 1 ? text.size : size - 1;

  if (n > 0)
    memcpy(out, text.data, n);
  out[n] = '\0';
}

/* One element below the root; "" when the body is not XML, as from a proxy in front of the service. */
static void pick_text(const osdear__http_response *response, const char *path, char *out, size_t size)
{
  osdear__xml_want want = { .path = path };
  osdear__arena arena = { 0 };

  out[0] = '\0';
  if (response->body.size > 0 &&
      osdear__xml_pick((osdear__str){ response->body.data, response->body.size }, "", &want, 1, &arena, NULL) == OSDEAR_OK)
    copy_text(want.text, out, size);
  osdear__arena_drop(&arena);
}

void osdear__s3_code(const osdear__http_response *response, char *out, size_t size)
{
  const char *header = osdear__http_header_get(response, "X-Minio-Error-Code"); /* where HEAD leaves no body */

  pick_text(response, "*/Code", out, size);
  if (out[0] == '\0' && header)
    copy_text(osdear__str_of(header), out, size);
}

static bool is_one_of(const char *code, const char *const *codes, size_t count)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(code, codes[i]) == 0)
      return true;
  return false;
}

/* For a body that may be an error although the status is 200: white space may come before it. */
static bool is_late_error(const osdear__s3_request *request, const osdear__http_response *response)
{
  bool may_be = request->may_fail_late && response->status == 200 && response->body.size > 0;
  const char *found = may_be ? strstr(response->body.data, "<Error") : NULL;

  return found && strchr("> \t\r\n", found[6]);
}

static osdear_status status_of(const char *code, int32_t http_status)
{
  static const struct {
    const char *code;
    osdear_status status;
  } known[] = {
    { "NoSuchBucket", OSDEAR_ERR_NOT_FOUND },
    { "NoSuchKey", OSDEAR_ERR_NOT_FOUND },
    { "NoSuchUpload", OSDEAR_ERR_NOT_FOUND },
    { "NoSuchVersion", OSDEAR_ERR_NOT_FOUND },
    { "AccessDenied", OSDEAR_ERR_DENIED },
    { "ExpiredToken", OSDEAR_ERR_DENIED },
    { "InvalidToken", OSDEAR_ERR_DENIED },
    { "InvalidTokenId", OSDEAR_ERR_DENIED },
    { "AuthorizationHeaderMalformed", OSDEAR_ERR_DENIED },
    { "BadDigest", OSDEAR_ERR_IO },
    { "XAmzContentSHA256Mismatch", OSDEAR_ERR_IO },
    { "XAmzContentChecksumMismatch", OSDEAR_ERR_IO },
    { "IncompleteBody", OSDEAR_ERR_IO },
    { "EntityTooLarge", OSDEAR_ERR_LIMIT },
    { "KeyTooLongError", OSDEAR_ERR_LIMIT },
    { "BucketAlreadyExists", OSDEAR_ERR_EXISTS },
    { "BucketNotEmpty", OSDEAR_ERR_STATE },
    { "InvalidObjectState", OSDEAR_ERR_STATE },
    { "NotImplemented", OSDEAR_ERR_UNSUPPORTED },
    { "SlowDown", OSDEAR_ERR_UNAVAILABLE },
    { "InternalError", OSDEAR_ERR_UNAVAILABLE },
    { "RequestTimeout", OSDEAR_ERR_UNAVAILABLE },
    { "XMinioStorageFull", OSDEAR_ERR_LIMIT },
    { "InvalidRange", OSDEAR_ERR_CORRUPT },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++)
    if (strcmp(code, known[i].code) == 0)
      return known[i].status;
  return http_status == 416 ? OSDEAR_ERR_CORRUPT : osdear__http_status_of(http_status);
}

/* What a person can do about it. */
static const char *remedy(const char *code, int32_t status)
{
  static const struct {
    const char *code, *words;
  } known[] = {
    { "SignatureDoesNotMatch", "; is aws_secret_access_key right?" },
    { "InvalidAccessKeyId", "; is aws_access_key_id right?" },
    { "RequestTimeTooSkewed", "; set this machine's clock" },
    { "ExpiredToken", "; get new temporary credentials" },
    { "AuthorizationHeaderMalformed", "; is aws_region right?" },
    { "NoSuchBucket", "; create the bucket first" },
    { "InvalidObjectState", "; the object is archived: restore it first" },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++)
    if (strcmp(code, known[i].code) == 0)
      return known[i].words;
  return status == 301 ? "; the bucket is in another region: set aws_region" : "";
}

osdear_status osdear__s3_fail(const osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                              osdear_status status, osdear_error **error)
{
  char code[OSDEAR__S3_CODE], message[400];

  osdear__s3_code(response, code, sizeof code);
  pick_text(response, "*/Message", message, sizeof message);
  if (!status)
    status = status_of(code, response->status);
  if (message[0] || remedy(code, response->status)[0])
    status = osdear__http_fail(response, status, code[0] ? code : NULL, error, "%s%s", message, remedy(code, response->status));
  else
    status = osdear__http_fail(response, status, code[0] ? code : NULL, error, NULL);
  return osdear__fail_within(error, status, "s3://%s%s%s", s3->bucket, request->key ? "/" : "", request->key ? request->key : "");
}

osdear_status osdear__s3_expect(const osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                                osdear_error **error)
{
  if (response->status >= 200 && response->status < 300 && !is_late_error(request, response))
    return OSDEAR_OK;
  return osdear__s3_fail(s3, request, response, OSDEAR_OK, error);
}

/* ---- what to do about an answer ---- */

/* Clocks that differ by more than S3 takes: the answer's own time says by how much. HEAD tells no code, so its time alone must do. */
static bool learn_skew(osdear__s3 *s3, const osdear__http_response *answer, const char *code)
{
  int64_t date_us, off_us, old_us;

  if (answer->status != 403 || !osdear__http_header_time(answer, "Date", &date_us))
    return false;
  if (code[0] && strcmp(code, "RequestTimeTooSkewed") != 0 && strcmp(code, "RequestExpired") != 0)
    return false;
  off_us = date_us - osdear__now_us();
  pthread_mutex_lock(&s3->lock);
  old_us = s3->skew_us;
  if (off_us - old_us > TOLERATED_US || old_us - off_us > TOLERATED_US)
    s3->skew_us = off_us;
  pthread_mutex_unlock(&s3->lock);
  return off_us - old_us > TOLERATED_US || old_us - off_us > TOLERATED_US;
}

osdear__http_verdict osdear__s3_judge(void *argument, const osdear__http_attempt *attempt)
{
  static const char *const expired[] = { "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired" };
  static const char *const throttled[] = { "SlowDown",
                                           "SlowDownRead",
                                           "SlowDownWrite",
                                           "Throttling",
                                           "ThrottlingException",
                                           "RequestLimitExceeded",
                                           "BandwidthLimitExceeded",
                                           "TooManyRequests",
                                           "TooManyRequestsException",
                                           "ThrottledException",
                                           "RequestThrottled",
                                           "EC2ThrottledException",
                                           "ServiceUnavailable" };
  static const char *const transient[] = {
    "RequestTimeout",   "RequestTimeoutException",    "PriorRequestNotComplete", "InternalError", "ConditionalRequestConflict",
    "OperationAborted", "XMinioServerNotInitialized", "IncompleteBody"
  };
  const osdear__s3_call *call = attempt->tag;
  char code[OSDEAR__S3_CODE];

  if (!attempt->answer || (attempt->answer->status < 300 && !is_late_error(call->request, attempt->answer)))
    return HTTP_AS_USUAL;
  osdear__s3_code(attempt->answer, code, sizeof code);
  if (learn_skew(argument, attempt->answer, code))
    return HTTP_RETRY_AT_ONCE;
  if (is_one_of(code, expired, COUNT_OF(expired)) && call->identity && call->identity->expires_us != INT64_MAX) {
    osdear__identities_refuse(call->s3->identities, call->identity);
    return HTTP_RETRY_AT_ONCE;
  }
  if (is_one_of(code, throttled, COUNT_OF(throttled)))
    return HTTP_RETRY_THROTTLED;
  if (is_one_of(code, transient, COUNT_OF(transient)))
    return HTTP_RETRY;
  return HTTP_AS_USUAL;
}

bool osdear__s3_learn_region(osdear__s3_call *call, const osdear__http_response *response)
{
  osdear__s3 *s3 = call->s3;
  const char *header = osdear__http_header_get(response, "x-amz-bucket-region");
  char region[OSDEAR__S3_REGION];
  bool is_new;

  if (call->turns == MOST_TURNS)
    return false;
  if (response->status != 301 && response->status != 302 && response->status != 307 && response->status != 400 &&
      response->status != 403)
    return false;
  if (header)
    copy_text(osdear__str_of(header), region, sizeof region);
  else
    pick_text(response, "*/Region", region, sizeof region);
  if (region[0] == '\0' || strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != strlen(region))
    return false;
  pthread_mutex_lock(&s3->lock);
  is_new = strcmp(s3->region, region) != 0;
  memcpy(s3->region, region, sizeof region);
  pthread_mutex_unlock(&s3->lock);
  call->turns++;
  if (is_new)
    osdear__log(call->context, OSDEAR_LOG_INFO, "s3", "bucket %s is in region %s: set aws_region to save a request", s3->bucket,
                region);
  return strcmp(call->region, region) != 0; /* of many that were under way each is told so */
}
