/* An answer that is pulled: what came is kept until it is asked for, and the peer waits meanwhile. */
#include <http/internal.h>

enum { ENOUGH = 256 << 10, EARLY_US = 100000 }; /* enough for a request to be sent */

struct osdear__http_reader {
  osdear__http_client *client;
  osdear_context *context; /* a reference is held: a lane only borrows it */
  osdear__http_loop *loop;
  osdear__http_exchange *exchange;
  osdear__buf bytes; /* came, and were not read from `taken` on */
  size_t taken;
};

static osdear_status keep(void *argument, const void *data, size_t size, bool *pause, osdear_error **error)
{
  osdear__http_reader *reader = argument;

  osdear__buf_append(&reader->bytes, data, size);
  *pause = reader->bytes.size >= ENOUGH;
  return osdear__buf_check(&reader->bytes, error);
}

static bool is_good(const osdear__http_exchange *exchange)
{
  return exchange->head_done && exchange->response.status >= 200 && exchange->response.status <= 299;
}

static bool has_head(const osdear__http_loop *loop, const void *argument)
{
  const osdear__http_exchange *exchange = argument;

  (void)loop;
  return exchange->state == EXCHANGE_ENDED || is_good(exchange);
}

static bool has_bytes(const osdear__http_loop *loop, const void *argument)
{
  const osdear__http_reader *reader = argument;

  (void)loop;
  return reader->bytes.size > reader->taken || reader->exchange->state == EXCHANGE_ENDED;
}

/* The exchange goes on, and keeps what it has: the caller gets a copy. */
static osdear_status copy_head(const osdear__http_exchange *exchange, osdear__http_response *out, osdear_error **error)
{
  const osdear__http_response *from = &exchange->response;
  SCOPED(buf) url = { 0 };

  osdear__http_response_drop(out);
  osdear__http_put_url(&url, exchange->url);
  out->url = osdear__buf_take(&url);
  osdear__buf_append(&out->head, from->head.data, from->head.size);
  out->status = from->status;
  out->attempts = from->attempts;
  out->maybe_done_before = from->maybe_done_before;
  memcpy(out->method, exchange->method, strlen(exchange->method) + 1);
  if (out->url && !out->head.failed)
    return OSDEAR_OK;
  osdear__http_response_drop(out);
  return osdear__fail_memory(error);
}

static osdear_status start(osdear__http_reader *reader, osdear_context *context, const osdear__http_request *request,
                           osdear_error **error)
{
  osdear__http_request own = *request;
  osdear_status st = osdear__client_borrow(reader->client, context, &reader->loop, error);

  if (st)
    return st;
  own.sink = (osdear__http_sink){ .write = keep, .argument = reader };
  own.into = NULL;
  st = osdear__http_submit(reader->loop, reader->client, &own, &reader->exchange, error);
  if (!st)
    st = osdear__loop_run(reader->loop, request->is_early ? osdear__monotonic_us() + EARLY_US : INT64_MAX, has_head,
                          reader->exchange, error);
  return st;
}

osdear_status osdear__http_open(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                osdear__http_response *response, osdear__http_reader **out, osdear_error **error)
{
  AUTO(http_reader) reader = osdear__alloc_zeroed(1, sizeof *reader);
  osdear_status st;

  *out = NULL;
  if (!reader)
    return osdear__fail_memory(error);
  reader->client = osdear__http_client_ref(client);
  reader->context = osdear_context_ref(context);
  st = start(reader, context, request, error);
  if (st)
    return st;
  if (!is_good(reader->exchange) && (!request->is_early || reader->exchange->state == EXCHANGE_ENDED))
    return osdear__http_exchange_take(reader->exchange, response, error);
  /* Bytes may have been seen: from here on there is no other attempt. */
  reader->exchange->request.repeat = HTTP_REPEAT_NEVER;
  st = copy_head(reader->exchange, response, error);
  if (st)
    return st;
  *out = reader;
  reader = NULL;
  return OSDEAR_OK;
}

static osdear_status wait_for_bytes(osdear__http_reader *reader, int64_t timeout_ms, osdear_error **error)
{
  int64_t end = timeout_ms < 0 ? INT64_MAX : osdear__monotonic_us() + timeout_ms * 1000;
  osdear_status st;

  osdear__buf_clear(&reader->bytes);
  reader->taken = 0;
  osdear__http_resume(reader->exchange);
  st = osdear__loop_run(reader->loop, end, has_bytes, reader, error);
  if (st)
    return st;
  if (!has_bytes(reader->loop, reader))
    return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "%s: nothing came within %" PRId64 " ms", reader->exchange->method,
                        timeout_ms);
  return OSDEAR_OK;
}

osdear_status osdear__http_read(osdear__http_reader *reader, void *out, size_t room, int64_t timeout_ms, size_t *got,
                                osdear_error **error)
{
  osdear__http_exchange *exchange = reader->exchange;
  size_t size;

  if (reader->bytes.size == reader->taken && exchange->state != EXCHANGE_ENDED) {
    osdear_status st = wait_for_bytes(reader, timeout_ms, error);
    if (st)
      return st;
  }
  if (reader->bytes.size == reader->taken && exchange->failed) {
    if (error) {
      osdear_error_free(*error);
      *error = osdear__error_copy(exchange->failure);
    }
    return exchange->failed;
  }
  if (reader->bytes.size == reader->taken && exchange->response.status > 299)
    return osdear__http_expect(&exchange->response, error);
  size = reader->bytes.size - reader->taken;
  size = size < room ? size : room;
  if (size > 0)
    memcpy(out, reader->bytes.data + reader->taken, size);
  reader->taken += size;
  *got = size;
  return OSDEAR_OK;
}

bool osdear__http_reader_has_ended(const osdear__http_reader *reader)
{
  return reader->exchange->state == EXCHANGE_ENDED;
}

const osdear__http_response *osdear__http_reader_refusal(const osdear__http_reader *reader)
{
  const osdear__http_exchange *exchange = reader->exchange;

  return exchange->state == EXCHANGE_ENDED && !exchange->failed && exchange->response.status > 299 ? &exchange->response : NULL;
}

void osdear__http_reader_free(osdear__http_reader *reader)
{
  if (!reader)
    return;
  osdear__http_exchange_free(reader->exchange);
  if (reader->loop)
    osdear__client_return(reader->client, reader->loop);
  osdear__http_client_unref(reader->client);
  osdear_context_unref(reader->context);
  osdear__buf_drop(&reader->bytes);
  osdear__free(reader);
}

void osdear__http_reader_auto(osdear__http_reader **reader)
{
  osdear__http_reader_free(*reader);
}
