/** @file put.c Writing small objects, and the promise that commits stand on: of all who write one key, one succeeds and knows it. */
#include <store/s3/object.h>

#include <stdio.h>

/* ---- whether the service can do it ---- */

/* Found out once in a process for each endpoint and bucket. */
enum { MOST_KNOWN = 64 };
static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
  uint64_t place; /* hash of endpoint and bucket */
  bool is_obeyed;
} known[MOST_KNOWN];
static size_t known_count;

static uint64_t place_of(const osdear__s3 *s3)
{
  const char *endpoint = osdear__s3_endpoint(s3), *bucket = osdear__s3_bucket(s3);

  return osdear__hash(endpoint, strlen(endpoint)) * 31 + osdear__hash(bucket, strlen(bucket));
}

static bool recall(uint64_t place, bool *is_obeyed)
{
  bool is_known = false;

  pthread_mutex_lock(&known_lock);
  for (size_t i = 0; i < known_count && !is_known; i++) {
    is_known = known[i].place == place;
    *is_obeyed = known[i].is_obeyed;
  }
  pthread_mutex_unlock(&known_lock);
  return is_known;
}

static void remember(uint64_t place, bool is_obeyed)
{
  pthread_mutex_lock(&known_lock);
  if (known_count < MOST_KNOWN) {
    known[known_count].place = place;
    known[known_count++].is_obeyed = is_obeyed;
  }
  pthread_mutex_unlock(&known_lock);
}

static osdear_status put_conditionally(osdear__s3 *s3, osdear_context *context, const char *key, osdear__http_response *response,
                                       osdear_error **error)
{
  osdear__s3_request request = { .method = "PUT", .key = key, .body = "probe", .body_size = 5 };

  osdear__s3_add_header(&request, "If-None-Match", "*");
  osdear__s3_add_write_headers(s3, &request);
  return osdear__s3_send(s3, context, &request, response, error);
}

/* A file of our own, written twice: where the second time succeeds, the condition was passed over. Where already the first is refused, it was
 * made twice because its answer had been lost. */
static osdear_status probe(osdear__s3 *s3, osdear_context *context, const char *key, bool *is_obeyed, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .method = "PUT", .key = key };
  osdear_status st = put_conditionally(s3, context, key, &response, error);

  *is_obeyed = false;
  if (st || response.status == 501)
    return st;
  if (response.status != 412) {
    st = osdear__s3_expect(s3, &request, &response, error);
    if (st)
      return st;
    st = put_conditionally(s3, context, key, &response, error);
  }
  *is_obeyed = !st && response.status == 412;
  if (!st && response.status != 412 && response.status != 501)
    st = osdear__s3_expect(s3, &request, &response, error);
  if (osdear__s3_delete(s3, context, key, NULL))
    osdear__log(context, OSDEAR_LOG_WARNING, "s3", "s3://%s/%s, made to try the service, could not be deleted",
                osdear__s3_bucket(s3), key);
  return st;
}

static osdear_status refuse(const osdear__s3 *s3, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                      "the service at %s does not obey \"If-None-Match: *\": two writers could overwrite each "
                      "other's commit on s3://%s. Where nobody else ever writes, set aws_single_writer=true",
                      osdear__s3_endpoint(s3) ? osdear__s3_endpoint(s3) : "AWS", osdear__s3_bucket(s3));
}

osdear_status osdear__s3_need_conditional(osdear__s3 *s3, osdear_context *context, const char *key, osdear_error **error)
{
  osdear__s3_conditional setting = osdear__s3_settings_of(s3)->conditional;
  const char *slash = strrchr(key, '/');
  SCOPED(buf) scratch = { 0 };
  char unique[37];
  bool is_obeyed = false;
  osdear_status st;
  uint64_t place;

  if (setting == S3_CONDITIONAL_OFF)
    return refuse(s3, error);
  if (setting == S3_CONDITIONAL_TRUST || !osdear__s3_endpoint(s3)) /* AWS obeys since 2024 */
    return OSDEAR_OK;
  place = place_of(s3);
  if (!recall(place, &is_obeyed)) {
    osdear__uuid(unique);
    osdear__buf_printf(&scratch, "%.*s.%s.osdear-tmp", (int)(slash ? slash + 1 - key : 0), key, unique);
    st = osdear__buf_check(&scratch, error);
    if (!st)
      st = probe(s3, context, scratch.data, &is_obeyed, error);
    if (st)
      return osdear__fail_within(error, st, "cannot find out whether the service can put what is absent");
    remember(place, is_obeyed);
  }
  return is_obeyed ? OSDEAR_OK : refuse(s3, error);
}

/* ---- putting ---- */

typedef struct attempt {
  osdear__s3 *s3;
  osdear_context *context;
  const char *key;
  const void *data;
  size_t size;
  char nonce[37]; /* in the object's metadata: by it we know our own again */
} attempt;

static osdear_status send(const attempt *self, bool if_absent, osdear__http_response *response, osdear__s3_request *request,
                          osdear_error **error)
{
  SCOPED(buf) checksum = { 0 };
  osdear_status st;

  *request = (osdear__s3_request){ .method = "PUT", .key = self->key, .body = self->data, .body_size = self->size };
  if (if_absent) {
    osdear__s3_add_header(request, "If-None-Match", "*");
    osdear__s3_add_header(request, OSDEAR__S3_NONCE, self->nonce);
  }
  osdear__s3_add_write_headers(self->s3, request);
  st = osdear__s3_add_checksum(self->s3, request, &checksum, error);
  if (!st)
    st = osdear__s3_send(self->s3, self->context, request, response, error);
  request->header_count = 0; /* their values are gone */
  return st;
}

/* Whether what is there now is what we sent; NOT_FOUND when nothing is. Also when the caller has given up: a commit that was made must not
 * be taken for one that was not. */
static osdear_status look(const attempt *self, bool *is_ours)
{
  osdear__s3_info info = { 0 };
  osdear_status st = osdear__s3_head(self->s3, NULL, self->key, &info, NULL);

  *is_ours = !st && strcmp(info.nonce, self->nonce) == 0;
  if (!st && !*is_ours && !info.nonce[0] && info.size_bytes == (int64_t)self->size) { /* a service that keeps no metadata */
    SCOPED(buf) there = { 0 };
    st = osdear__s3_get(self->s3, NULL, self->key, self->size, &there, NULL);
    *is_ours = !st && there.size == self->size && (self->size == 0 || memcmp(there.data, self->data, self->size) == 0);
  }
  return st;
}

static osdear_status exists(const attempt *self, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_EXISTS, "s3://%s/%s is there already", osdear__s3_bucket(self->s3), self->key);
}

static osdear_status put_if_absent(attempt *self, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request;
  bool is_ours = false;
  osdear_status st;

  osdear__uuid(self->nonce);
  st = send(self, true, &response, &request, error);
  if (st == OSDEAR_ERR_NO_MEMORY || st == OSDEAR_ERR_ARGUMENT || st == OSDEAR_ERR_UNSUPPORTED || st == OSDEAR_ERR_DENIED)
    return st;
  if (st) { /* no answer came: was it done? */
    osdear_status seen = look(self, &is_ours);
    return is_ours ? OSDEAR_OK : seen ? st : exists(self, error);
  }
  if (response.status == 412 || response.status == 409 || response.status >= 500) {
    bool is_open = response.maybe_done_before || response.status >= 500;
    osdear_status seen = is_open ? look(self, &is_ours) : OSDEAR_ERR_NOT_FOUND;
    if (is_ours)
      return OSDEAR_OK;
    if (response.status == 412 || (is_open && !seen))
      return exists(self, error);
  }
  return osdear__s3_expect(self->s3, &request, &response, error);
}

/* Looking first and writing then: sound only where the caller says that nobody else writes. */
static osdear_status put_alone(attempt *self, osdear_error **error)
{
  osdear__s3_info info;
  osdear_error *failure = NULL;
  osdear_status st = osdear__s3_head(self->s3, self->context, self->key, &info, &failure);

  if (!st)
    return exists(self, error);
  if (st != OSDEAR_ERR_NOT_FOUND && error) {
    osdear_error_free(*error);
    *error = failure;
    return st;
  }
  osdear_error_free(failure);
  return st == OSDEAR_ERR_NOT_FOUND ? osdear__s3_put(self->s3, self->context, self->key, self->data, self->size, false, error)
                                    : st;
}

osdear_status osdear__s3_put(osdear__s3 *s3, osdear_context *context, const char *key, const void *data, size_t size,
                             bool if_absent, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  attempt self = { .s3 = s3, .context = context, .key = key, .data = size > 0 ? data : "", .size = size };
  osdear__s3_request request;
  osdear_status st;

  if (if_absent && osdear__s3_settings_of(s3)->single_writer)
    return put_alone(&self, error);
  if (if_absent) {
    st = osdear__s3_need_conditional(s3, context, key, error);
    return st ? st : put_if_absent(&self, error);
  }
  st = send(&self, false, &response, &request, error);
  return st ? st : osdear__s3_expect(s3, &request, &response, error);
}
