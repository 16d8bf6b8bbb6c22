/** @file range.c Parts of objects, all of one version: one range, or many side by side. */
#include <store/s3/range.h>

#include <stdio.h>

enum { MOST_AT_ONCE = 8 };

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
  if (info->etag[0] && !osdear__starts_with(info->etag, "W/")) /* a weak one matches nothing, not even itself */
    osdear__s3_add_header(request, "If-Match", info->etag);
  osdear__s3_add_payer(s3, request);
}

/* Whether the answer says that it starts where it was asked to: "bytes 10-19/1234", or all from the start where ranges are not known. */
static bool starts_at(const osdear__http_response *response, int64_t offset)
{
  const char *range = osdear__http_header_get(response, "Content-Range");
  int64_t first;

  if (response->status != 206)
    return offset == 0;
  if (!range || !osdear__starts_with(range, "bytes "))
    return false;
  return osdear__parse_i64((osdear__str){ range + 6, strspn(range + 6, "0123456789") }, &first) && first == offset;
}

static osdear_status check_place(const osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                                 int64_t offset, osdear_error **error)
{
  if (starts_at(response, offset))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "s3://%s/%s: what came is not the part from %" PRId64 " on that was asked for",
                      osdear__s3_bucket(s3), request->key, offset);
}

/* `size` bytes from `offset` on must have come, and from the version that the others came from. */
static osdear_status check_range(osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                                 int64_t offset, size_t size, osdear__s3_info *info, osdear_error **error)
{
  osdear__s3_info got = { .size_bytes = -1 };
  osdear_status st = OSDEAR_OK;

  if (response->status == 412) {
    st = osdear__s3_fail(s3, request, response, OSDEAR_ERR_CORRUPT, error);
    return osdear__fail_within(error, st, "the object was replaced while it was being read");
  }
  st = osdear__s3_expect(s3, request, response, error);
  if (st)
    return st;
  osdear__s3_read_info(response, &got);
  st = check_version(s3, request->key, &got, info, error);
  if (!st)
    st = check_place(s3, request, response, offset, error);
  if (!st && response->body_size != (int64_t)size)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "s3://%s/%s: %" PRId64 " bytes came, %zu were asked for", osdear__s3_bucket(s3),
                      request->key, response->body_size, size);
  return st;
}

/* All that the object has, up to `room` bytes, must have come. */
static osdear_status check_start(osdear__s3 *s3, const osdear__s3_request *request, const osdear__http_response *response,
                                 size_t room, osdear__s3_info *info, osdear_error **error)
{
  osdear_status st = osdear__s3_expect(s3, request, response, error);

  if (!st && response->status == 206 && osdear__http_header_get(response, "Content-Range"))
    st = check_place(s3, request, response, 0, error);
  if (st)
    return st;
  osdear__s3_read_info(response, info);
  if (info->size_bytes < 0 || response->body_size != (info->size_bytes < (int64_t)room ? info->size_bytes : (int64_t)room))
    return osdear__fail(error, OSDEAR_ERR_IO, "s3://%s/%s: %" PRId64 " bytes came of an object of %" PRId64,
                        osdear__s3_bucket(s3), request->key, response->body_size, info->size_bytes);
  return OSDEAR_OK;
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
  return st ? st : check_range(s3, &request, &response, offset, size, info, error);
}

/* ---- one of many ---- */

osdear_status osdear__s3_fetch_start(osdear__s3_object *object, osdear__http_loop *loop, int64_t offset, void *out, size_t size,
                                     osdear__s3_fetch *fetch, osdear_error **error)
{
  osdear__s3_request request;

  range_request(object->s3, object->key, object->info, offset, out, size, fetch->range, &request);
  fetch->offset = offset;
  fetch->size = size;
  fetch->is_start = object->info->size_bytes < 0;
  return osdear__s3_submit(object->s3, object->context, loop, &request, &fetch->call, error);
}

osdear_status osdear__s3_fetch_end(osdear__s3_object *object, osdear__s3_fetch *fetch, bool *is_again, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .key = object->key };
  osdear_status st = osdear__s3_call_take(fetch->call, &response, is_again, error);

  if (!st && *is_again)
    return OSDEAR_OK;
  if (!st)
    st = fetch->is_start ? check_start(object->s3, &request, &response, fetch->size, object->info, error)
                         : check_range(object->s3, &request, &response, fetch->offset, fetch->size, object->info, error);
  osdear__s3_call_free(fetch->call);
  fetch->call = NULL;
  return st;
}

/* ---- one that is large, in pieces ---- */

typedef struct pieces {
  osdear__s3_object object;
  osdear__http_loop *loop;
  osdear__s3_fetch fetches[MOST_AT_ONCE];
  size_t idle[MOST_AT_ONCE]; /* which of them */
  size_t idle_count;
} pieces;

static osdear_status end_piece(pieces *self, const osdear__http_exchange *exchange, osdear_error **error)
{
  bool is_again = false;
  size_t slot = 0;
  osdear_status st;

  while (!osdear__s3_call_is(self->fetches[slot].call, exchange))
    slot++;
  st = osdear__s3_fetch_end(&self->object, &self->fetches[slot], &is_again, error);
  if (!is_again)
    self->idle[self->idle_count++] = slot;
  return st;
}

static osdear_status get_pieces(pieces *self, int64_t offset, char *out, size_t size, osdear_error **error)
{
  size_t started = 0;
  osdear_status st = OSDEAR_OK;

  for (self->idle_count = 0; self->idle_count < MOST_AT_ONCE; self->idle_count++)
    self->idle[self->idle_count] = self->idle_count;
  while (!st && (started < size || self->idle_count < MOST_AT_ONCE)) {
    osdear__http_exchange *ended;
    while (!st && started < size && self->idle_count > 0) {
      size_t piece = size - started < OSDEAR__S3_PIECE ? size - started : OSDEAR__S3_PIECE;
      st = osdear__s3_fetch_start(&self->object, self->loop, offset + (int64_t)started, out + started, piece,
                                  &self->fetches[self->idle[--self->idle_count]], error);
      started += piece;
    }
    if (!st)
      st = osdear__http_step(self->loop, -1, error);
    for (ended = st ? NULL : osdear__http_collect(self->loop); ended; ended = st ? NULL : osdear__http_collect(self->loop))
      st = end_piece(self, ended, error);
  }
  for (size_t i = 0; i < MOST_AT_ONCE; i++)
    osdear__s3_call_free(self->fetches[i].call);
  return st;
}

osdear_status osdear__s3_get_range(osdear__s3 *s3, osdear_context *context, const char *key, osdear__s3_info *info,
                                   int64_t offset, void *out, size_t size, osdear_error **error)
{
  pieces self = { .object = { s3, context, key, info } };
  osdear_status st;

  if (size < 2 * OSDEAR__S3_PIECE || !info->etag[0]) { /* the first read tells the version that the others must have */
    size_t first = size < 2 * OSDEAR__S3_PIECE ? size : OSDEAR__S3_PIECE;
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
  return check_start(s3, &request, &response, room, info, error);
}
