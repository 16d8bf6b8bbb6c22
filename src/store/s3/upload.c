/** @file upload.c Writing large objects: parts are gathered in memory and sent side by side while the next is filled. */
#include <store/s3/object.h>

#include <stdio.h>
#include <xml/xml.h>

#define PART_BYTES ((int64_t)8 << 20)
#define LEAST_PART ((int64_t)5 << 20) /* S3 takes none that are smaller, but for the last */
enum { MOST_PARTS = 10000, MOST_AT_ONCE = 4, GROW_EVERY = 1000 };

typedef struct part {
  osdear__s3_call *call; /* NULL: not under way */
  osdear__buf bytes;
  osdear__buf checksum;
  osdear__input *from; /* where it is read as it goes out, `size` bytes from `at` on */
  int64_t at, size, sent;
  int32_t number;
  char number_text[12];
} part;

typedef struct upload {
  osdear__output base;
  osdear__s3 *s3;
  osdear_context *context;
  char *key, *name;
  char *id; /* of the multipart upload; NULL: none was begun */
  bool if_absent, is_finished, has_failed;
  char nonce[37];
  size_t part_bytes;
  int32_t most_at_once;
  osdear__http_loop *loop;
  osdear__buf filling;
  part parts[MOST_AT_ONCE];
  int32_t last_number;
  char (*etags)[OSDEAR__S3_ETAG]; /* of the parts, by number - 1 */
  size_t etag_capacity;
} upload;

static upload *upload_of(osdear__output *output)
{
  return (upload *)(void *)output;
}

/* ---- requests ---- */

static osdear_status begin(upload *self, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .method = "POST", .key = self->key };
  osdear__xml_want want = { .path = "*/UploadId" };
  osdear__arena arena = { 0 };
  osdear_status st;

  osdear__s3_add_query(&request, "uploads", "");
  osdear__s3_add_header(&request, OSDEAR__S3_NONCE, self->nonce);
  osdear__s3_add_write_headers(self->s3, &request);
  st = osdear__s3_send(self->s3, self->context, &request, &response, error);
  if (!st)
    st = osdear__s3_expect(self->s3, &request, &response, error);
  if (!st)
    st = osdear__xml_pick((osdear__str){ response.body.data, response.body.size }, "the answer to CreateMultipartUpload", &want,
                          1, &arena, error);
  if (!st && want.text.size == 0)
    st = osdear__fail(error, OSDEAR_ERR_IO, "%s: the service began an upload without an id", self->name);
  if (!st) {
    self->id = osdear__strdup(want.text.data);
    st = self->id ? OSDEAR_OK : osdear__fail_memory(error);
  }
  osdear__arena_drop(&arena);
  if (!st && !self->loop)
    st = osdear__s3_borrow_loop(self->s3, self->context, &self->loop, error);
  return st;
}

/* With no context: what was cancelled is still to be cleared away. */
static void abandon(upload *self)
{
  SCOPED(http_response) response = { 0 };
  AUTO(error) failure = NULL;
  osdear__s3_request request = { .method = "DELETE", .key = self->key };
  osdear_status st;

  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    osdear__s3_call_free(self->parts[i].call);
    self->parts[i].call = NULL;
  }
  if (!self->id)
    return;
  osdear__s3_add_query(&request, "uploadId", self->id);
  osdear__s3_add_payer(self->s3, &request);
  st = osdear__s3_send(self->s3, NULL, &request, &response, &failure);
  if (!st && response.status != 404)
    st = osdear__s3_expect(self->s3, &request, &response, &failure);
  if (st)
    osdear__log(self->context, OSDEAR_LOG_WARNING, "s3", "an upload was given up and could not be cleared away: %s",
                osdear_error_message(failure));
  osdear__free(self->id);
  self->id = NULL;
}

static osdear_status keep_etag(upload *self, const part *p, const osdear__http_response *response, osdear_error **error)
{
  osdear__s3_info info = { 0 };

  osdear__s3_read_info(response, &info);
  if (info.etag[0] == '\0')
    return osdear__fail(error, OSDEAR_ERR_IO, "%s: the service took part %d without naming it (ETag)", self->name, p->number);
  memcpy(self->etags[p->number - 1], info.etag, sizeof info.etag);
  return OSDEAR_OK;
}

static osdear_status end_part(upload *self, osdear__http_exchange *exchange, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .key = self->key };
  part *p = self->parts;
  bool is_again = false;
  osdear_status st;

  while (!osdear__s3_call_is(p->call, exchange))
    p++;
  st = osdear__s3_call_take(p->call, &response, &is_again, error);
  if (is_again)
    return OSDEAR_OK;
  if (!st)
    st = osdear__s3_expect(self->s3, &request, &response, error);
  if (!st)
    st = keep_etag(self, p, &response, error);
  osdear__s3_call_free(p->call);
  p->call = NULL;
  return st;
}

/* Moves bytes; waits until a part has ended if `wait`. */
static osdear_status advance(upload *self, bool wait, osdear_error **error)
{
  osdear_status st = osdear__http_step(self->loop, wait ? -1 : 0, error);
  osdear__http_exchange *ended;

  for (ended = st ? NULL : osdear__http_collect(self->loop); ended; ended = st ? NULL : osdear__http_collect(self->loop))
    st = end_part(self, ended, error);
  return st;
}

static part *free_part(upload *self)
{
  for (int32_t i = 0; i < self->most_at_once; i++)
    if (!self->parts[i].call)
      return &self->parts[i];
  return NULL;
}

static osdear_status room_for_etag(upload *self, osdear_error **error)
{
  size_t capacity = self->etag_capacity ? 2 * self->etag_capacity : 16;
  void *bigger;

  if ((size_t)self->last_number < self->etag_capacity)
    return OSDEAR_OK;
  bigger = osdear__realloc_array(self->etags, capacity, sizeof *self->etags);
  if (!bigger)
    return osdear__fail_memory(error);
  self->etags = bigger;
  self->etag_capacity = capacity;
  return OSDEAR_OK;
}

/* The place of the next part: waited for until one is free. */
static osdear_status next_part(upload *self, part **out, osdear_error **error)
{
  osdear_status st = self->id ? OSDEAR_OK : begin(self, error);

  if (!st && self->last_number == MOST_PARTS)
    st = osdear__fail(error, OSDEAR_ERR_LIMIT, "%s: more than %d parts; raise the setting part_size", self->name, MOST_PARTS);
  if (!st)
    st = room_for_etag(self, error);
  while (!st && !free_part(self))
    st = advance(self, true, error);
  if (st)
    return st;
  *out = free_part(self);
  (*out)->number = ++self->last_number;
  snprintf((*out)->number_text, sizeof(*out)->number_text, "%d", (*out)->number);
  return OSDEAR_OK;
}

static osdear_status submit_part(upload *self, part *p, osdear__s3_request *request, osdear_error **error)
{
  osdear_status st;

  request->method = "PUT";
  request->key = self->key;
  osdear__s3_add_query(request, "partNumber", p->number_text);
  osdear__s3_add_query(request, "uploadId", self->id);
  osdear__s3_add_payer(self->s3, request);
  st = osdear__s3_submit(self->s3, self->context, self->loop, request, &p->call, error);
  return st ? st : advance(self, false, error);
}

/* What was gathered goes out as the next part. */
static osdear_status send_part(upload *self, osdear_error **error)
{
  osdear__s3_request request = { 0 };
  osdear__buf empty;
  part *p;
  osdear_status st = next_part(self, &p, error);

  if (st)
    return st;
  empty = p->bytes;
  p->bytes = self->filling;
  self->filling = empty;
  osdear__buf_clear(&self->filling);
  osdear__buf_clear(&p->checksum);
  request.body = p->bytes.data;
  request.body_size = p->bytes.size;
  if (self->last_number % GROW_EVERY == 0 && self->part_bytes < ((size_t)1 << 30)) /* ten thousand parts hold what is to come */
    self->part_bytes *= 2;
  st = osdear__s3_add_checksum(self->s3, &request, &p->checksum, error);
  return st ? st : submit_part(self, p, &request, error);
}

static osdear_status print_parts(const upload *self, osdear__buf *body, osdear_error **error)
{
  osdear__buf_puts(body, "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
  for (int32_t i = 0; i < self->last_number; i++) {
    osdear__buf_printf(body, "<Part><PartNumber>%d</PartNumber><ETag>", i + 1);
    osdear__xml_put_text(body, osdear__str_of(self->etags[i]));
    osdear__buf_puts(body, "</ETag></Part>");
  }
  osdear__buf_puts(body, "</CompleteMultipartUpload>");
  return osdear__buf_check(body, error);
}

/* The answer to an earlier attempt may have been lost: the object then bears our mark. */
static bool was_completed(const upload *self)
{
  osdear__s3_info info = { 0 };

  return osdear__s3_head(self->s3, NULL, self->key, &info, NULL) == OSDEAR_OK && strcmp(info.nonce, self->nonce) == 0 &&
         info.size_bytes == self->base.written;
}

static osdear_status ask_to_join(upload *self, const osdear__buf *body, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = {
    .method = "POST", .key = self->key, .body = body->data, .body_size = body->size, .may_fail_late = true, .is_repeatable = true
  };
  osdear_status st;

  osdear__s3_add_query(&request, "uploadId", self->id);
  osdear__s3_add_header(&request, "Content-Type", "application/xml");
  if (self->if_absent)
    osdear__s3_add_header(&request, "If-None-Match", "*");
  osdear__s3_add_payer(self->s3, &request);
  st = osdear__s3_send(self->s3, self->context, &request, &response, error);
  if (!st && response.status == 412)
    return osdear__fail(error, OSDEAR_ERR_EXISTS, "%s is there already", self->name);
  if (!st)
    st = osdear__s3_expect(self->s3, &request, &response, error);
  if (!st && (response.body.size == 0 || !strstr(response.body.data, "CompleteMultipartUploadResult")))
    st = osdear__fail(error, OSDEAR_ERR_IO, "%s: the service does not say that the parts were joined", self->name);
  return st;
}

static osdear_status complete(upload *self, osdear_error **error)
{
  SCOPED(buf) body = { 0 };
  AUTO(error) failure = NULL;
  osdear_status st = print_parts(self, &body, error);

  if (st)
    return st;
  st = ask_to_join(self, &body, &failure);
  if (!st || (st != OSDEAR_ERR_NO_MEMORY && was_completed(self)))
    return OSDEAR_OK;
  if (error) {
    osdear_error_free(*error);
    *error = failure;
    failure = NULL;
  }
  return st;
}

/* ---- the output ---- */

static osdear_status upload_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  upload *self = upload_of(output);
  const char *at = data;
  osdear_status st = OSDEAR_OK;

  if (self->is_finished || self->has_failed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s %s already", self->name, self->is_finished ? "is finished" : "has failed");
  while (!st && size > 0) {
    size_t room = self->part_bytes > self->filling.size ? self->part_bytes - self->filling.size : 0;
    size_t piece = size < room ? size : room;
    osdear__buf_append(&self->filling, at, piece);
    st = osdear__buf_check(&self->filling, error);
    at += piece;
    size -= piece;
    if (!st && self->filling.size >= self->part_bytes)
      st = send_part(self, error);
  }
  self->has_failed = st != OSDEAR_OK;
  return st;
}

static osdear_status wait_for_parts(upload *self, osdear_error **error)
{
  osdear_status st;

  do
    st = advance(self, osdear__http_pending(self->loop) > 0, error);
  while (!st && osdear__http_pending(self->loop) > 0);
  return st;
}

/* All parts are on their way: what makes them one object. */
static osdear_status join(upload *self, osdear_error **error)
{
  osdear_status st = wait_for_parts(self, error);

  if (!st)
    st = complete(self, error);
  if (st)
    return st;
  osdear__free(self->id); /* nothing left to give up */
  self->id = NULL;
  return OSDEAR_OK;
}

static osdear_status upload_finish(osdear__output *output, osdear_error **error)
{
  upload *self = upload_of(output);
  osdear_status st = OSDEAR_OK;

  if (self->is_finished || self->has_failed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s %s already", self->name, self->is_finished ? "is finished" : "has failed");
  if (!self->id) { /* all of it fits one request */
    st = osdear__s3_put(self->s3, self->context, self->key, self->filling.data, self->filling.size, self->if_absent, error);
  } else {
    if (self->filling.size > 0)
      st = send_part(self, error);
    if (!st)
      st = join(self, error);
  }
  self->is_finished = !st;
  self->has_failed = st != OSDEAR_OK;
  return st;
}

static void upload_close(osdear__output *output)
{
  upload *self = upload_of(output);

  abandon(self);
  for (size_t i = 0; i < MOST_AT_ONCE; i++) {
    osdear__buf_drop(&self->parts[i].bytes);
    osdear__buf_drop(&self->parts[i].checksum);
  }
  osdear__s3_return_loop(self->s3, self->context, self->loop);
  osdear__buf_drop(&self->filling);
  osdear__free(self->etags);
  osdear__free(self->key);
  osdear__free(self->name);
  osdear_context_unref(self->context);
  osdear__s3_unref(self->s3);
  osdear__free(self);
}

/* The parts in memory, one filling and the others under way, take a quarter of the budget at most. */
static void share_budget(upload *self)
{
  const osdear__s3_settings *settings = osdear__s3_settings_of(self->s3);
  int64_t budget = osdear__context_budget(self->context) / 4;
  int64_t bytes = settings->part_size > 0 ? settings->part_size : PART_BYTES;
  int64_t at_once = settings->concurrency > 0 && settings->concurrency < MOST_AT_ONCE ? settings->concurrency : MOST_AT_ONCE;

  while (at_once > 1 && bytes * (at_once + 1) > budget)
    at_once--;
  if (settings->part_size == 0 && bytes * 2 > budget)
    bytes = LEAST_PART;
  self->part_bytes = (size_t)bytes;
  self->most_at_once = (int32_t)at_once;
}

osdear_status osdear__s3_upload(osdear__s3 *s3, osdear_context *context, const char *key, bool if_absent, osdear__output **out,
                                osdear_error **error)
{
  upload *self = osdear__alloc_zeroed(1, sizeof *self);
  SCOPED(buf) name = { 0 };

  if (!self)
    return osdear__fail_memory(error);
  self->s3 = osdear__s3_ref(s3);
  self->context = context ? osdear_context_ref(context) : NULL;
  self->if_absent = if_absent;
  osdear__uuid(self->nonce);
  share_budget(self);
  osdear__buf_printf(&name, "s3://%s/%s", osdear__s3_bucket(s3), key);
  self->key = osdear__strdup(key);
  self->name = osdear__buf_take(&name);
  self->base = (osdear__output){ upload_write, upload_finish, upload_close, 0, self->name };
  if (!self->key || !self->name) {
    upload_close(&self->base);
    return osdear__fail_memory(error);
  }
  *out = &self->base;
  return OSDEAR_OK;
}

/* ---- of what can be read again ---- */

static osdear_status read_part(void *argument, void *out, size_t room, size_t *got, osdear_error **error)
{
  part *p = argument;
  int64_t left = p->size - p->sent;
  osdear_status st;

  *got = left < (int64_t)room ? (size_t)left : room;
  st = osdear__input_read(p->from, p->at + p->sent, out, *got, error);
  if (!st)
    p->sent += (int64_t)*got;
  return st;
}

static osdear_status rewind_part(void *argument, osdear_error **error)
{
  part *p = argument;

  (void)error;
  p->sent = 0;
  return OSDEAR_OK;
}

static osdear_status stream_part(upload *self, osdear__input *input, osdear_error **error)
{
  osdear__s3_request request = { 0 };
  int64_t left = input->size_bytes - self->base.written;
  part *p;
  osdear_status st = next_part(self, &p, error);

  if (st)
    return st;
  p->from = input;
  p->at = self->base.written;
  p->size = left < (int64_t)self->part_bytes ? left : (int64_t)self->part_bytes;
  p->sent = 0;
  request.source = (osdear__http_source){ read_part, rewind_part, p, p->size };
  self->base.written += p->size;
  return submit_part(self, p, &request, error);
}

osdear_status osdear__s3_upload_input(osdear__s3 *s3, osdear_context *context, const char *key, osdear__input *input,
                                      bool if_absent, osdear_error **error)
{
  AUTO(output) output = NULL;
  osdear_status st = osdear__s3_upload(s3, context, key, if_absent, &output, error);
  upload *self;

  if (st)
    return st;
  self = upload_of(output);
  if ((int64_t)self->part_bytes < input->size_bytes / MOST_PARTS + 1)
    self->part_bytes = (size_t)(input->size_bytes / MOST_PARTS + 1);
  while (!st && self->base.written < input->size_bytes)
    st = stream_part(self, input, error);
  return st ? st : join(self, error);
}
