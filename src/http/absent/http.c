/* In place of requests, where they were switched off or libcurl's headers were not there to build with. No client can be made, so that
 * nothing else here is ever reached. */
#include <http/http.h>

static osdear_status refuse(osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "this build cannot reach the network: build with -Dhttp=enabled");
}

osdear_status osdear__http_client_new(const osdear__http_config *config, osdear__http_client **out, osdear_error **error)
{
  (void)config;
  (void)out;
  return refuse(error);
}

osdear__http_client *osdear__http_client_ref(osdear__http_client *client)
{
  return client;
}

void osdear__http_client_unref(osdear__http_client *client)
{
  (void)client;
}

void osdear__http_client_auto(osdear__http_client **client)
{
  (void)client;
}

osdear_status osdear__http_attempt_set(osdear__http_attempt *attempt, const char *name, const char *value, osdear_error **error)
{
  (void)attempt;
  (void)name;
  (void)value;
  return refuse(error);
}

osdear_status osdear__http_send(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                osdear__http_response *response, osdear_error **error)
{
  (void)client;
  (void)context;
  (void)request;
  (void)response;
  return refuse(error);
}

osdear_status osdear__http_loop_new(osdear_context *context, int32_t max_running, osdear__http_loop **out, osdear_error **error)
{
  (void)context;
  (void)max_running;
  (void)out;
  return refuse(error);
}

void osdear__http_loop_free(osdear__http_loop *loop)
{
  (void)loop;
}

void osdear__http_loop_auto(osdear__http_loop **loop)
{
  (void)loop;
}

osdear_status osdear__http_submit(osdear__http_loop *loop, osdear__http_client *client, const osdear__http_request *request,
                                  osdear__http_exchange **out, osdear_error **error)
{
  (void)loop;
  (void)client;
  (void)request;
  (void)out;
  return refuse(error);
}

osdear_status osdear__http_step(osdear__http_loop *loop, int64_t timeout_ms, osdear_error **error)
{
  (void)loop;
  (void)timeout_ms;
  return refuse(error);
}

osdear__http_exchange *osdear__http_collect(osdear__http_loop *loop)
{
  (void)loop;
  return NULL;
}

size_t osdear__http_pending(const osdear__http_loop *loop)
{
  (void)loop;
  return 0;
}

void osdear__http_wake(osdear__http_loop *loop)
{
  (void)loop;
}

const void *osdear__http_exchange_tag(const osdear__http_exchange *exchange)
{
  (void)exchange;
  return NULL;
}

osdear_status osdear__http_exchange_take(osdear__http_exchange *exchange, osdear__http_response *response, osdear_error **error)
{
  (void)exchange;
  (void)response;
  return refuse(error);
}

void osdear__http_resume(osdear__http_exchange *exchange)
{
  (void)exchange;
}

void osdear__http_exchange_free(osdear__http_exchange *exchange)
{
  (void)exchange;
}

osdear_status osdear__http_open(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                osdear__http_response *response, osdear__http_reader **out, osdear_error **error)
{
  (void)client;
  (void)context;
  (void)request;
  (void)response;
  (void)out;
  return refuse(error);
}

osdear_status osdear__http_read(osdear__http_reader *reader, void *out, size_t room, int64_t timeout_ms, size_t *got,
                                osdear_error **error)
{
  (void)reader;
  (void)out;
  (void)room;
  (void)timeout_ms;
  (void)got;
  return refuse(error);
}

bool osdear__http_reader_has_ended(const osdear__http_reader *reader)
{
  (void)reader;
  return true;
}

const osdear__http_response *osdear__http_reader_refusal(const osdear__http_reader *reader)
{
  (void)reader;
  return NULL;
}

void osdear__http_reader_free(osdear__http_reader *reader)
{
  (void)reader;
}

void osdear__http_reader_auto(osdear__http_reader **reader)
{
  (void)reader;
}

osdear_status osdear__http_upgrade(osdear__http_client *client, osdear_context *context, const osdear__http_request *request,
                                   osdear__http_response *response, osdear__http_tunnel **out, osdear_error **error)
{
  (void)client;
  (void)context;
  (void)request;
  (void)response;
  (void)out;
  return refuse(error);
}

osdear_status osdear__http_tunnel_read(osdear__http_tunnel *tunnel, void *out, size_t room, int64_t timeout_ms, size_t *got,
                                       osdear_error **error)
{
  (void)tunnel;
  (void)out;
  (void)room;
  (void)timeout_ms;
  (void)got;
  return refuse(error);
}

osdear_status osdear__http_tunnel_write(osdear__http_tunnel *tunnel, const void *data, size_t size, osdear_error **error)
{
  (void)tunnel;
  (void)data;
  (void)size;
  return refuse(error);
}

osdear_status osdear__http_tunnel_write_some(osdear__http_tunnel *tunnel, const void *data, size_t size, int64_t timeout_ms,
                                             size_t *put, osdear_error **error)
{
  (void)tunnel;
  (void)data;
  (void)size;
  (void)timeout_ms;
  (void)put;
  return refuse(error);
}

osdear_status osdear__http_tunnel_finish(osdear__http_tunnel *tunnel, osdear_error **error)
{
  (void)tunnel;
  return refuse(error);
}

void osdear__http_tunnel_free(osdear__http_tunnel *tunnel)
{
  (void)tunnel;
}

void osdear__http_tunnel_auto(osdear__http_tunnel **tunnel)
{
  (void)tunnel;
}
