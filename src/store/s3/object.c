/** @file object.c Single objects: head, get, put, delete, copy. */
#include <store/s3/object.h>

#include <codec/codec.h>
#include <stdio.h>
#include <xml/xml.h>

#define PIECE_BYTES ((size_t)8 << 20) /* of a large read; what S3's own guidance suggests */
enum { MOST_AT_ONCE = 8 };

/* ---- headers ---- */

void osdear__s3_add_payer(const osdear__s3 *s3, osdear__s3_request *request)
{
  if (osdear__s3_settings_of(s3)->values[S3_REQUEST_PAYER])
    osdear__s3_add_header(request, "x-amz-request-payer", "requester");
}

void osdear__s3_add_write_headers(const osdear__s3 *s3, osdear__s3_request *request)
{
  const osdear__s3_settings *settings = osdear__s3_settings_of(s3);

  osdear__s3_add_payer(s3, request);
  if (settings->values[S3_SSE])
    osdear__s3_add_header(request, "x-amz-server-side-encryption", settings->values[S3_SSE]);
  if (settings->values[S3_SSE_KMS_KEY])
    osdear__s3_add_header(request, "x-amz-server-side-encryption-aws-kms-key-id", settings->values[S3_SSE_KMS_KEY]);
  if (settings->sse_bucket_key)
    osdear__s3_add_header(request, "x-amz-server-side-encryption-bucket-key-enabled", "true");
  if (settings->values[S3_STORAGE_CLASS])
    osdear__s3_add_header(request, "x-amz-storage-class", settings->values[S3_STORAGE_CLASS]);
}

static int hex_digit(char c)
{
  return c <= '9' ? c - '0' : c - 'a' + 10;
}

static void put_md5(osdear__buf *out, const void *data, size_t size)
{
  unsigned char digest[16];
  char hex[33];

  osdear__md5_hex(data, size, hex);
  for (size_t i = 0; i < sizeof digest; i++)
    digest[i] = (unsigned char)(hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]));
  osdear__base64(out, digest, sizeof digest);
}

/* Other makers' services have stored the checksums of newer clients within the object, or refused them: they get none unless asked for. */
osdear_status osdear__s3_add_checksum(const osdear__s3 *s3, osdear__s3_request *request, osdear__buf *text, osdear_error **error)
{
  osdear__s3_checksum checksum = osdear__s3_settings_of(s3)->checksum;
  unsigned char digest[OSDEAR__SHA256_SIZE];
  osdear_status st = OSDEAR_OK;
  uint32_t crc;

  if (checksum == S3_CHECKSUM_AUTO)
    checksum = osdear__s3_endpoint(s3) ? S3_CHECKSUM_NONE : S3_CHECKSUM_CRC32;
  if (checksum == S3_CHECKSUM_NONE)
    return OSDEAR_OK;
  if (checksum == S3_CHECKSUM_MD5) {
    put_md5(text, request->body, request->body_size);
  } else if (checksum == S3_CHECKSUM_CRC32) {
    crc = osdear__crc32(0, request->body, request->body_size);
    for (int i = 0; i < 4; i++)
      digest[i] = (unsigned char)(crc >> (24 - 8 * i));
    osdear__base64(text, digest, 4);
  } else {
    st = osdear__sha256(request->body, request->body_size, digest, error);
    osdear__base64(text, digest, sizeof digest);
  }
  if (!st)
    st = osdear__buf_check(text, error);
  osdear__s3_add_header(request,
                        checksum == S3_CHECKSUM_MD5     ? "Content-MD5"
                        : checksum == S3_CHECKSUM_CRC32 ? "x-amz-checksum-crc32"
                                                        : "x-amz-checksum-sha256",
                        text->data);
  return st;
}

static void copy_header(const osdear__http_response *response, const char *name, char *out, size_t size)
{
  const char *value = osdear__http_header_get(response, name);
  size_t n = value ? strlen(value) : 0;

  n = n < size ? n : 0; /* half a value is worse than none */
  if (n > 0)
    memcpy(out, value, n);
  out[n] = '\0';
}

/* "bytes 0-9/1234" or "bytes * /1234" when nothing of it was in the range. */
static int64_t size_of_range(const osdear__http_response *response)
{
  const char *range = osdear__http_header_get(response, "Content-Range");
  const char *slash = range ? strrchr(range, '/') : NULL;
  int64_t size;

  return slash && osdear__parse_i64(osdear__str_of(slash + 1), &size) && size >= 0 ? size : -1;
}

void osdear__s3_read_info(const osdear__http_response *response, osdear__s3_info *out)
{
  const char *length = osdear__http_header_get(response, "Content-Length");
  int64_t us = 0;

  out->size_bytes = size_of_range(response);
  if (out->size_bytes < 0 && response->status != 206 && length && !osdear__parse_i64(osdear__str_of(length), &out->size_bytes))
    out->size_bytes = -1;
  out->modified_ms = osdear__http_header_time(response, "Last-Modified", &us) ? us / 1000 : 0;
  copy_header(response, "ETag", out->etag, sizeof out->etag);
  copy_header(response, OSDEAR__S3_NONCE, out->nonce, sizeof out->nonce);
}

/* ---- reading ---- */

osdear_status osdear__s3_head(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *out,
                              osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .method = "HEAD", .key = key };
  osdear_status st;

  osdear__s3_add_payer(s3, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  if (!st)
    st = osdear__s3_expect(s3, &request, &response, error);
  if (!st)
    osdear__s3_read_info(&response, out);
  if (!st && out->size_bytes < 0)
    st = osdear__fail(error, OSDEAR_ERR_IO, "s3://%s/%s: the answer has no length", osdear__s3_bucket(s3), key);
  return st;
}

osdear_status osdear__s3_get(osdear__s3 *s3, osdear_context *context, const char *key, size_t max_size, osdear__buf *out,
                             osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .key = key, .max_body = max_size > 0 ? max_size : 1 };
  osdear_status st;

  osdear__s3_add_payer(s3, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  if (!st)
    st = osdear__s3_expect(s3, &request, &response, error);
  if (st)
    return st;
  if (response.body.size > max_size)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "s3://%s/%s has more than %zu bytes", osdear__s3_bucket(s3), key, max_size);
  if (out->size == 0 && out->limit == 0) { /* nothing to keep: no copy */
    osdear__buf_drop(out);
    *out = response.body;
    response.body = (osdear__buf){ 0 };
  }
  osdear__buf_append(out, response.body.data, response.body.size);
  return osdear__buf_check(out, error);
}

static osdear_status check_version(osdear__s3 *s3, const char *key, const osdear__s3_info *got, osdear__s3_info *info,
                                   osdear_error **error)
{
  if (info->size_bytes >= 0 && got->size_bytes >= 0 && got->size_bytes != info->size_bytes)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "s3://%s/%s has %" PRId64 " bytes, %" PRId64 " were expected",
                        osdear__s3_bucket(s3), key, got->size_bytes, info->size_bytes);
  if (info->etag[0] && got->etag[0] && strcmp(info->etag, got->etag) != 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "s3://%s/%s was replaced while it was being read", osdear__s3_bucket(s3), key);
  if (!info->etag[0])
    memcpy(info->etag, got->etag, sizeof info->etag);
  if (info->size_bytes < 0)
    info->size_bytes = got->size_bytes;
  return OSDEAR_OK;
}

static void range_request(const osdear__s3 *s3, const char *key, const osdear__s3_info *info, int64_t offset, void *out,
                          size_t size, char range[64], osdear__s3_request *request)
{
  *request = (osdear__s3_request){ .key = key, .into = out, .into_size = size };
  snprintf(range, 64, "bytes=%" PRId64 "-%" PRId64, offset, offset + (int64_t)size - 1);
  osdear__s3_add_header(request, "Range", range);
  if (info->etag[0])
    osdear__s3_add_header(request, "If-Match", info->etag);
  osdear__s3_add_payer(s3, request);
}

/* `size` bytes must have come, and from the version that the others came from. */
static osdear_status check_range(osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                                 size_t size, osdear__s3_info *info, osdear_error **error)
{
  osdear__s3_info got = { .size_bytes = -1 };
  osdear_status st = OSDEAR_OK;

  if (response->status == 412)
    return osdear__s3_fail(s3, request, response, OSDEAR_ERR_CORRUPT, error);
  st = osdear__s3_expect(s3, request, response, error);
  if (st)
    return st;
  osdear__s3_read_info(response, &got);
  st = check_version(s3, request->key, &got, info, error);
  if (!st && response->body_size != (int64_t)size)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "s3://%s/%s: %" PRId64 " bytes came, %zu were asked for", osdear__s3_bucket(s3),
                      request->key, response->body_size, size);
  return st;
}

static osdear_status get_one_range(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *info,
                                   int64_t offset, void *out, size_t size, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request;
  char range[64];
  osdear_status st;

  range_request(s3, key, info, offset, out, size, range, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  return st ? st : check_range(s3, &request, &response, size, info, error);
}

/* The pieces of one large read that are under way. */
typedef struct pieces {
  osdear__s3 *s3;
  osdear_context *context;
  osdear__http_loop *loop;
  const char *key;
  osdear__s3_info *info;
  osdear__s3_call *calls[MOST_AT_ONCE];
  size_t sizes[MOST_AT_ONCE];
  char ranges[MOST_AT_ONCE][64];
} pieces;

static osdear_status start_piece(pieces *self, size_t slot, int64_t offset, char *out, size_t size, osdear_error **error)
{
  osdear__s3_request request;

  range_request(self->s3, self->key, self->info, offset, out, size, self->ranges[slot], &request);
  self->sizes[slot] = size;
  return osdear__s3_submit(self->s3, self->context, self->loop, &request, &self->calls[slot], error);
}

static osdear_status end_piece(pieces *self, osdear__http_exchange *exchange, size_t *slot, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .key = self->key };
  osdear_status st;

  for (*slot = 0; !osdear__s3_call_is(self->calls[*slot], exchange); ++*slot)
    continue;
  st = osdear__s3_call_take(self->calls[*slot], &response, error);
  if (!st)
    st = check_range(self->s3, &request, &response, self->sizes[*slot], self->info, error);
  osdear__s3_call_free(self->calls[*slot]);
  self->calls[*slot] = NULL;
  return st;
}

static osdear_status get_pieces(pieces *self, int64_t offset, char *out, size_t size, osdear_error **error)
{
  size_t started = 0, free_slots[MOST_AT_ONCE], free_count = MOST_AT_ONCE;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < MOST_AT_ONCE; i++)
    free_slots[i] = i;
  while (!st && (started < size || free_count < MOST_AT_ONCE)) {
    osdear__http_exchange *ended;
    while (!st && started < size && free_count > 0) {
      size_t piece = size - started < PIECE_BYTES ? size - started : PIECE_BYTES;
      st = start_piece(self, free_slots[--free_count], offset + (int64_t)started, out + started, piece, error);
      started += piece;
    }
    if (!st)
      st = osdear__http_step(self->loop, -1, error);
    for (ended = st ? NULL : osdear__http_collect(self->loop); ended; ended = st ? NULL : osdear__http_collect(self->loop))
      st = end_piece(self, ended, &free_slots[free_count++], error);
  }
  for (size_t i = 0; i < MOST_AT_ONCE; i++)
    osdear__s3_call_free(self->calls[i]);
  return st;
}

osdear_status osdear__s3_get_range(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *info,
                                   int64_t offset, void *out, size_t size, osdear_error **error)
{
  pieces self = { .s3 = s3, .context = context, .key = key, .info = info };
  osdear_status st;

  if (size < 2 * PIECE_BYTES || !info->etag[0]) { /* the first read tells the version that the others must have */
    size_t first = size < 2 * PIECE_BYTES ? size : PIECE_BYTES;
    st = get_one_range(s3, context, key, info, offset, out, first, error);
    if (st || first == size)
      return st;
    offset += (int64_t)first;
    out = (char *)out + first;
    size -= first;
  }
  st = osdear__s3_borrow_loop(s3, context, &self.loop, error);
  if (!st)
    st = get_pieces(&self, offset, out, size, error);
  osdear__s3_return_loop(s3, context, self.loop);
  return st;
}

osdear_status osdear__s3_get_start(osdear__s3 *s3, osdear_context *context, const char *key, void *out, size_t room,
                                   osdear__s3_info *info, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request;
  char range[64];
  osdear_status st;

  *info = (osdear__s3_info){ .size_bytes = -1 };
  range_request(s3, key, info, 0, out, room, range, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  if (st)
    return st;
  if (response.status == 416) { /* no range can be had of an empty object; that it is one, only its length tells */
    return osdear__s3_head(s3, context, key, info, error);
  }
  st = osdear__s3_expect(s3, &request, &response, error);
  if (st)
    return st;
  osdear__s3_read_info(&response, info);
  if (info->size_bytes < 0 || response.body_size != (info->size_bytes < (int64_t)room ? info->size_bytes : (int64_t)room))
    return osdear__fail(error, OSDEAR_ERR_IO, "s3://%s/%s: %" PRId64 " bytes came of an object of %" PRId64,
                        osdear__s3_bucket(s3), key, response.body_size, info->size_bytes);
  return OSDEAR_OK;
}

/* ---- deleting and copying ---- */

osdear_status osdear__s3_delete(osdear__s3 *s3, osdear_context *context, const char *key, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .method = "DELETE", .key = key };
  osdear_status st;

  osdear__s3_add_payer(s3, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  if (st || response.status == 404)
    return st;
  return osdear__s3_expect(s3, &request, &response, error);
}

typedef struct refusals {
  osdear__s3 *s3;
  int64_t count;
  char key[1100], code[64], message[300];
  osdear_error **error;
  osdear_status first;
} refusals;

static bool ends_in(osdear__str path, const char *name)
{
  size_t size = strlen(name);

  return path.size >= size && memcmp(path.data + path.size - size, name, size) == 0;
}

static osdear_status read_refusal(void *argument, osdear__xml_event event, osdear__str path, osdear__str text,
                                  osdear_error **error)
{
  refusals *self = argument;

  (void)error;
  if (event == XML_START && ends_in(path, "/Error")) {
    self->key[0] = self->code[0] = self->message[0] = '\0';
    return OSDEAR_OK;
  }
  if (event != XML_END)
    return OSDEAR_OK;
  if (ends_in(path, "/Error/Key"))
    snprintf(self->key, sizeof self->key, "%s", text.data);
  else if (ends_in(path, "/Error/Code"))
    snprintf(self->code, sizeof self->code, "%s", text.data);
  else if (ends_in(path, "/Error/Message"))
    snprintf(self->message, sizeof self->message, "%s", text.data);
  else if (ends_in(path, "/Error")) {
    self->count++;
    if (!self->first)
      self->first = osdear__fail_service(self->error, strcmp(self->code, "AccessDenied") == 0 ? OSDEAR_ERR_DENIED : OSDEAR_ERR_IO,
                                         &(osdear__service_answer){ .code = self->code, .http_status = 200, .retryable = -1 },
                                         "s3://%s/%s was not deleted: %s (%s)", osdear__s3_bucket(self->s3), self->key,
                                         self->message, self->code);
  }
  return OSDEAR_OK;
}

static osdear_status delete_batch(osdear__s3 *s3, osdear_context *context, const char *const *keys, size_t count,
                                  int64_t *deleted, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) body = { 0 };
  SCOPED(buf) digest = { 0 };
  osdear__s3_request request = { .method = "POST", .is_repeatable = true, .may_fail_late = false };
  refusals refused = { .s3 = s3, .error = error };
  osdear_status st;

  osdear__buf_puts(&body, "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>");
  for (size_t i = 0; i < count; i++) {
    osdear__buf_puts(&body, "<Object><Key>");
    osdear__xml_put_text(&body, osdear__str_of(keys[i]));
    osdear__buf_puts(&body, "</Key></Object>");
  }
  osdear__buf_puts(&body, "</Delete>");
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  put_md5(&digest, body.data, body.size); /* older services insist on it */
  st = osdear__buf_check(&digest, error);
  request.body = body.data;
  request.body_size = body.size;
  osdear__s3_add_query(&request, "delete", "");
  osdear__s3_add_header(&request, "Content-MD5", digest.data);
  osdear__s3_add_header(&request, "Content-Type", "application/xml");
  osdear__s3_add_payer(s3, &request);
  if (!st)
    st = osdear__s3_send(s3, context, &request, &response, error);
  if (!st)
    st = osdear__s3_expect(s3, &request, &response, error);
  if (!st && response.body.size > 0)
    st = osdear__xml_parse((osdear__str){ response.body.data, response.body.size }, "the answer to DeleteObjects", NULL,
                           read_refusal, &refused, error);
  if (st)
    return st;
  *deleted += (int64_t)count - refused.count;
  return refused.first;
}

osdear_status osdear__s3_delete_many(osdear__s3 *s3, osdear_context *context, const char *const *keys, size_t count,
                                     int64_t *deleted, osdear_error **error)
{
  enum { MOST_KEYS = 1000 };
  osdear_status first = OSDEAR_OK;

  for (size_t at = 0; at < count; at += MOST_KEYS) {
    size_t batch = count - at < MOST_KEYS ? count - at : MOST_KEYS;
    osdear_status st = osdear__context_check(context, first ? NULL : error);
    if (!st)
      st = delete_batch(s3, context, keys + at, batch, deleted, first ? NULL : error);
    first = first ? first : st;
    if (st == OSDEAR_ERR_CANCELLED || st == OSDEAR_ERR_TIMEOUT)
      break;
  }
  return first;
}

osdear_status osdear__s3_copy(osdear__s3 *s3, osdear_context *context, const char *from_bucket, const char *from_key,
                              const char *key, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) source = { 0 };
  osdear__s3_request request = { .method = "PUT", .key = key, .may_fail_late = true };
  osdear_status st;

  osdear__buf_printf(&source, "/%s/", from_bucket);
  osdear__http_put_encoded(&source, osdear__str_of(from_key), "/");
  st = osdear__buf_check(&source, error);
  if (st)
    return st;
  osdear__s3_add_header(&request, "x-amz-copy-source", source.data);
  osdear__s3_add_write_headers(s3, &request);
  st = osdear__s3_send(s3, context, &request, &response, error);
  return st ? st : osdear__s3_expect(s3, &request, &response, error);
}
