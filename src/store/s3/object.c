/** @file object.c Single objects: head, get, put, delete, copy. */
#include <store/s3/object.h>

#include <codec/codec.h>
#include <stdio.h>
#include <xml/xml.h>

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
  osdear__base64_put(out, digest, sizeof digest, false);
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
    osdear__base64_put(text, digest, 4, false);
  } else {
    st = osdear__sha256(request->body, request->body_size, digest, error);
    osdear__base64_put(text, digest, sizeof digest, false);
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

  if (event == XML_START && !memchr(path.data, '/', path.size) && !osdear__str_is(path, "DeleteResult"))
    return osdear__fail(error, OSDEAR_ERR_IO, "what came for a deletion in bucket %s is no result of it: <%.*s>",
                        osdear__s3_bucket(self->s3), (int)(path.size < 60 ? path.size : 60), path.data);
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
