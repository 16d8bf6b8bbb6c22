/** @file s3.c Opening a bucket, its addresses, and sending requests to it. */
#include <store/s3/internal.h>

#include <codec/codec.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_URL = 8192, SMALL_BODY = 64 << 10, MOST_AT_ONCE = 8 };

/* ---- opening ---- */

/* The rules for names of buckets, as far as they keep a name from becoming another part of the URL. */
static osdear_status check_bucket(const char *bucket, osdear_error **error)
{
  size_t length = strlen(bucket);

  if (length < 3 || length > 255 ||
      strspn(bucket, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") != length || strstr(bucket, "..") ||
      bucket[0] == '.')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no name of a bucket (3 to 63 of a-z, 0-9, . and -)", bucket);
  return OSDEAR_OK;
}

static bool is_dns_label(const char *bucket)
{
  return strlen(bucket) <= 63 && strspn(bucket, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(bucket);
}

/* "https://host:port/prefix" into its parts. A port that goes without saying is left out, as in the Host header. */
static osdear_status read_endpoint(osdear__s3 *s3, const char *url, osdear_error **error)
{
  bool is_tls = osdear__starts_with(url, "https://");
  const char *host = url + (is_tls ? 8 : 7);
  size_t length;

  if (!is_tls && !osdear__starts_with(url, "http://")) /* which is not shown: it may hold a password */
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the endpoint must start with https:// or http://");
  length = strcspn(host, "/?#");
  if (length == 0 || length > 250 || host[strcspn(host, "@?#%\\ ")] != '\0')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the endpoint is no address of a server: %s://HOST[:PORT] is wanted",
                        is_tls ? "https" : "http");
  s3->is_plain = !is_tls;
  s3->prefix = osdear__strdup(host + length);
  if (length > 4 && is_tls && strncmp(host + length - 4, ":443", 4) == 0)
    length -= 4;
  else if (length > 3 && !is_tls && strncmp(host + length - 3, ":80", 3) == 0)
    length -= 3;
  s3->host = osdear__strndup(host, length);
  s3->endpoint = osdear__strdup(url);
  if (!s3->host || !s3->endpoint || !s3->prefix)
    return osdear__fail_memory(error);
  for (length = strlen(s3->prefix); length > 0 && s3->prefix[length - 1] == '/'; length--)
    s3->prefix[length - 1] = '\0';
  return OSDEAR_OK;
}

/* Whether the endpoint is this machine. A bucket's name before an address makes a name of it, which may be anybody's. */
static bool is_here(const osdear__s3 *s3)
{
  bool is_name = s3->host && strspn(s3->host, "[0123456789.") == 0;

  return s3->host && (is_name || !s3->is_virtual) && osdear__http_is_loopback(osdear__str_of(s3->host));
}

static const char *profile_of(const osdear__s3 *s3)
{
  return s3->settings.values[S3_PROFILE] ? s3->settings.values[S3_PROFILE] : "default";
}

static osdear_status find_place(osdear__s3 *s3, osdear_error **error)
{
  const char *endpoint = s3->settings.values[S3_ENDPOINT];
  const char *region = s3->settings.values[S3_REGION];
  const char *style = osdear__aws_profile_get_s3(&s3->profiles, profile_of(s3), "addressing_style");
  osdear_status st = OSDEAR_OK;

  if (!endpoint)
    endpoint = osdear__aws_profile_get_s3(&s3->profiles, profile_of(s3), "endpoint_url");
  if (!region)
    region = osdear__aws_profile_get(&s3->profiles, profile_of(s3), "region");
  s3->region_is_known = region != NULL;
  region = region ? region : "us-east-1";
  if (strlen(region) >= sizeof s3->region ||
      strspn(region, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != strlen(region))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no name of a region", region);
  memcpy(s3->region, region, strlen(region) + 1);
  if (endpoint)
    st = read_endpoint(s3, endpoint, error);
  if (st)
    return st;
  s3->is_virtual =
      s3->settings.virtual_host || (!s3->settings.force_path_style && style && strcmp(style, "virtual") == 0) ||
      (!endpoint && !s3->settings.force_path_style && !(style && strcmp(style, "path") == 0) && is_dns_label(s3->bucket));
  if (s3->is_plain && !s3->settings.allow_http && !is_here(s3))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "the endpoint \"%s\" is not encrypted: set aws_allow_http=true if that is meant", endpoint);
  return OSDEAR_OK;
}

/* What curl would send http: through. That a variable excepts this host is not looked at: then a body is signed that need not be. */
static bool has_proxy(const osdear__s3_settings *settings)
{
  static const char *const variables[] = { "http_proxy", "all_proxy", "ALL_PROXY" };

  for (size_t i = 0; i < COUNT_OF(variables); i++) {
    const char *value = getenv(variables[i]);
    if (value && value[0])
      return true;
  }
  return settings->values[S3_PROXY] != NULL;
}

/* A body's signature tells when somebody on the way has changed it: where nobody can stand there, or TLS tells the same, it is not needed. */
static bool signs_large(const osdear__s3 *s3)
{
  if (s3->settings.payload != S3_PAYLOAD_BY_WAY)
    return s3->settings.payload == S3_PAYLOAD_SIGNED;
  if (!s3->is_plain)
    return s3->settings.allow_invalid_certificates;
  return !is_here(s3) || has_proxy(&s3->settings);
}

static osdear_status make_client(osdear__s3 *s3, osdear_error **error)
{
  const osdear__s3_settings *settings = &s3->settings;
  osdear__http_config config = {
    .ca_file = settings->values[S3_CA_BUNDLE],
    .insecure = settings->allow_invalid_certificates,
    .proxy = settings->values[S3_PROXY],
    .connect_timeout_ms = settings->connect_timeout_ms,
    .idle_timeout_ms = settings->timeout_ms,
    .max_attempts = settings->max_attempts > 0 && settings->max_attempts < 100 ? (int32_t)settings->max_attempts : 5,
    .hooks = { osdear__s3_sign, osdear__s3_judge, s3 },
  };

  return osdear__http_client_new(&config, &s3->http, error);
}

osdear_status osdear__s3_open(const char *bucket, const osdear_pair *settings, size_t setting_count, osdear__s3 **out,
                              osdear_error **error)
{
  AUTO(s3) s3 = NULL;
  osdear_status st = check_bucket(bucket, error);

  if (st)
    return st;
  s3 = osdear__alloc_zeroed(1, sizeof *s3);
  if (!s3)
    return osdear__fail_memory(error);
  atomic_init(&s3->references, 1);
  pthread_mutex_init(&s3->lock, NULL);
  s3->key = (osdear__sigv4_key)OSDEAR__SIGV4_KEY_INIT;
  s3->bucket = osdear__strdup(bucket);
  if (!s3->bucket)
    return osdear__fail_memory(error);
  st = osdear__s3_settings_read(&s3->settings, settings, setting_count, error);
  if (!st)
    st = osdear__aws_profiles_read(&s3->settings, &s3->profiles, error);
  if (!st)
    st = find_place(s3, error);
  s3->signs_large = !st && signs_large(s3);
  if (!st)
    st = osdear__identities_new(&s3->settings, &s3->profiles, s3->endpoint, s3->region, &s3->identities, error);
  if (!st)
    st = make_client(s3, error);
  if (st)
    return st;
  *out = s3;
  s3 = NULL;
  return OSDEAR_OK;
}

osdear__s3 *osdear__s3_ref(osdear__s3 *s3)
{
  atomic_fetch_add_explicit(&s3->references, 1, memory_order_relaxed);
  return s3;
}

void osdear__s3_unref(osdear__s3 *s3)
{
  if (!s3 || atomic_fetch_sub_explicit(&s3->references, 1, memory_order_acq_rel) != 1)
    return;
  osdear__s3_mover_free(s3->mover);
  for (size_t i = 0; i < OSDEAR__S3_IDLE_LOOPS; i++)
    osdear__http_loop_free(s3->idle_loops[i]);
  osdear__http_client_unref(s3->http);
  osdear__identities_free(s3->identities);
  osdear__sigv4_key_drop(&s3->key);
  osdear__aws_profiles_drop(&s3->profiles);
  osdear__s3_settings_drop(&s3->settings);
  osdear__free(s3->bucket);
  osdear__free(s3->endpoint);
  osdear__free(s3->host);
  osdear__free(s3->prefix);
  pthread_mutex_destroy(&s3->lock);
  osdear__free(s3);
}

void osdear__s3_auto(osdear__s3 **s3)
{
  osdear__s3_unref(*s3);
  *s3 = NULL;
}

const osdear__s3_settings *osdear__s3_settings_of(const osdear__s3 *s3)
{
  return &s3->settings;
}

const char *osdear__s3_bucket(const osdear__s3 *s3)
{
  return s3->bucket;
}

const char *osdear__s3_endpoint(const osdear__s3 *s3)
{
  return s3->endpoint;
}

bool osdear__s3_may_stream(const osdear__s3 *s3)
{
  const osdear__s3_settings *settings = &s3->settings;
  bool has_checksum = settings->checksum != S3_CHECKSUM_NONE && (settings->checksum != S3_CHECKSUM_AUTO || !s3->endpoint);

  return !s3->signs_large && !has_checksum;
}

bool osdear__s3_is_same_service(const osdear__s3 *a, const osdear__s3 *b)
{
  const char *a_key = a->settings.values[S3_ACCESS_KEY_ID], *b_key = b->settings.values[S3_ACCESS_KEY_ID];

  return strcmp(a->endpoint ? a->endpoint : "", b->endpoint ? b->endpoint : "") == 0 && strcmp(a->region, b->region) == 0 &&
         strcmp(a_key ? a_key : "", b_key ? b_key : "") == 0 && strcmp(profile_of(a), profile_of(b)) == 0;
}

/* ---- addresses ---- */

void osdear__s3_region(osdear__s3 *s3, char out[OSDEAR__S3_REGION])
{
  pthread_mutex_lock(&s3->lock);
  memcpy(out, s3->region, OSDEAR__S3_REGION);
  pthread_mutex_unlock(&s3->lock);
}

/* The name of the host that a request goes to, and its path, not encoded. */
osdear_status osdear__s3_locate(osdear__s3 *s3, const char *region, const char *key, osdear__buf *host, osdear__buf *path,
                                osdear_error **error)
{
  osdear_status st;

  if (s3->is_virtual && !(s3->host && osdear__starts_with(s3->host, s3->bucket) && s3->host[strlen(s3->bucket)] == '.'))
    osdear__buf_printf(host, "%s.", s3->bucket);
  if (s3->host)
    osdear__buf_puts(host, s3->host);
  else
    osdear__buf_printf(host, "s3.%s.amazonaws.com%s", region, osdear__starts_with(region, "cn-") ? ".cn" : "");
  osdear__buf_puts(path, s3->prefix ? s3->prefix : "");
  if (!s3->is_virtual)
    osdear__buf_printf(path, "/%s", s3->bucket);
  if (key || path->size == 0)
    osdear__buf_putc(path, '/');
  osdear__buf_puts(path, key ? key : "");
  st = osdear__buf_check(host, error);
  return st ? st : osdear__buf_check(path, error);
}

static osdear_status build_url(osdear__s3_call *call, osdear_error **error)
{
  const osdear__s3_request *request = call->request;

  osdear__buf_clear(&call->host);
  osdear__buf_clear(&call->path);
  osdear__buf_clear(&call->url);
  osdear__s3_region(call->s3, call->region);
  osdear_status st = osdear__s3_locate(call->s3, call->region, request->key, &call->host, &call->path, error);
  if (st)
    return st;
  osdear__buf_printf(&call->url, "%s://%s", call->s3->is_plain ? "http" : "https", call->host.data);
  osdear__http_put_encoded(&call->url, (osdear__str){ call->path.data, call->path.size }, "/");
  for (size_t i = 0; i < request->query_count; i++) {
    osdear__buf_putc(&call->url, i == 0 ? '?' : '&');
    osdear__http_put_encoded(&call->url, request->query[i].name, "");
    osdear__buf_putc(&call->url, '=');
    osdear__http_put_encoded(&call->url, request->query[i].value, "");
  }
  if (call->url.size > MOST_URL)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a URL of %zu bytes: keys of at most 1024 bytes can be used", call->url.size);
  return osdear__buf_check(&call->url, error);
}

/* ---- what is asked ---- */

void osdear__s3_add_query(osdear__s3_request *request, const char *name, const char *value)
{
  request->query[request->query_count++] = (osdear__sigv4_pair){ osdear__str_of(name), osdear__str_of(value) };
}

void osdear__s3_add_header(osdear__s3_request *request, const char *name, const char *value)
{
  request->headers[request->header_count++] = (osdear__http_header){ name, value };
}

/* Small bodies, of which commits are made, the signature always covers: they cost next to nothing. */
static osdear_status hash_body(osdear__s3_call *call, osdear_error **error)
{
  const osdear__s3_request *request = call->request;
  bool is_empty = request->body_size == 0 && !request->source.read;

  if (request->body_size > 0 && (request->body_size <= SMALL_BODY || call->s3->signs_large))
    return osdear__sha256_hex(request->body, request->body_size, call->payload, error);
  snprintf(call->payload, sizeof call->payload, "%s", is_empty ? OSDEAR__SIGV4_EMPTY : OSDEAR__SIGV4_UNSIGNED);
  return OSDEAR_OK;
}

osdear_status osdear__s3_prepare(osdear__s3 *s3, osdear_context *context, const osdear__s3_request *request,
                                 osdear__s3_call *call, osdear_error **error)
{
  osdear_status st;

  call->s3 = s3;
  call->context = context;
  call->request = request;
  st = hash_body(call, error);
  if (!st)
    st = build_url(call, error);
  if (st)
    return st;
  call->http = (osdear__http_request){
    .method = request->method,
    .url = call->url.data,
    .headers = request->headers,
    .header_count = request->header_count,
    .body = request->body,
    .body_size = request->body_size,
    .source = request->source,
    .expect_continue = request->body_size > (1 << 20) || request->source.size_bytes > (1 << 20),
    .sink = request->sink,
    .into = request->into,
    .into_size = request->into_size,
    .max_body = request->max_body,
    .repeat = request->is_repeatable ? HTTP_REPEAT_SAFE : HTTP_REPEAT_BY_METHOD,
    .tag = call,
  };
  return OSDEAR_OK;
}

void osdear__s3_call_drop(osdear__s3_call *call)
{
  osdear__identity_auto(&call->identity);
  osdear__buf_drop(&call->host);
  osdear__buf_drop(&call->path);
  osdear__buf_drop(&call->url);
}

osdear_status osdear__s3_send(osdear__s3 *s3, osdear_context *context, const osdear__s3_request *request,
                              osdear__http_response *response, osdear_error **error)
{
  SCOPED(s3_call) call = { 0 };
  osdear_status st = osdear__s3_prepare(s3, context, request, &call, error);

  while (!st) {
    st = osdear__http_send(s3->http, context, &call.http, response, error);
    if (st || !osdear__s3_learn_region(&call, response))
      break;
    st = osdear__s3_prepare(s3, context, request, &call, error);
  }
  return st;
}

/* ---- many at once ---- */

osdear_status osdear__s3_submit(osdear__s3 *s3, osdear_context *context, osdear__http_loop *loop,
                                const osdear__s3_request *request, osdear__s3_call **out, osdear_error **error)
{
  osdear__s3_call *call = osdear__alloc_zeroed(1, sizeof *call);
  osdear_status st;

  if (!call)
    return osdear__fail_memory(error);
  call->kept = *request;
  call->loop = loop;
  st = osdear__s3_prepare(s3, context, &call->kept, call, error);
  if (!st)
    st = osdear__http_submit(loop, s3->http, &call->http, &call->exchange, error);
  if (st) {
    osdear__s3_call_free(call);
    return st;
  }
  *out = call;
  return OSDEAR_OK;
}

osdear_status osdear__s3_borrow_loop(osdear__s3 *s3, osdear_context *context, osdear__http_loop **out, osdear_error **error)
{
  osdear__http_loop *found = NULL;

  pthread_mutex_lock(&s3->lock);
  for (size_t i = 0; i < OSDEAR__S3_IDLE_LOOPS && !found; i++)
    if (s3->idle_loops[i] && s3->loop_contexts[i] == context) {
      found = s3->idle_loops[i];
      s3->idle_loops[i] = NULL;
    }
  pthread_mutex_unlock(&s3->lock);
  *out = found;
  return found ? OSDEAR_OK : osdear__http_loop_new(context, MOST_AT_ONCE, out, error);
}

void osdear__s3_return_loop(osdear__s3 *s3, osdear_context *context, osdear__http_loop *loop)
{
  bool is_kept = false;

  if (!loop || osdear__http_pending(loop) > 0) {
    osdear__http_loop_free(loop);
    return;
  }
  pthread_mutex_lock(&s3->lock);
  for (size_t i = 0; i < OSDEAR__S3_IDLE_LOOPS && !is_kept; i++)
    if (!s3->idle_loops[i]) {
      s3->idle_loops[i] = loop;
      s3->loop_contexts[i] = context;
      is_kept = true;
    }
  pthread_mutex_unlock(&s3->lock);
  if (!is_kept)
    osdear__http_loop_free(loop);
}

bool osdear__s3_call_is(const osdear__s3_call *call, const osdear__http_exchange *exchange)
{
  return call && call->exchange == exchange;
}

static osdear_status send_elsewhere(osdear__s3_call *call, osdear_error **error)
{
  const osdear__http_source *source = &call->kept.source;
  osdear_status st = osdear__s3_prepare(call->s3, call->context, &call->kept, call, error);

  osdear__http_exchange_free(call->exchange);
  call->exchange = NULL;
  if (!st && source->read)
    st = source->rewind(source->argument, error);
  return st ? st : osdear__http_submit(call->loop, call->s3->http, &call->http, &call->exchange, error);
}

osdear_status osdear__s3_call_take(osdear__s3_call *call, osdear__http_response *response, bool *is_again, osdear_error **error)
{
  osdear_status st = osdear__http_exchange_take(call->exchange, response, error);

  if (st || !osdear__s3_learn_region(call, response))
    return st;
  st = send_elsewhere(call, error);
  *is_again = st == OSDEAR_OK;
  return st;
}

void osdear__s3_call_free(osdear__s3_call *call)
{
  if (!call)
    return;
  osdear__http_exchange_free(call->exchange);
  osdear__s3_call_drop(call);
  osdear__free(call);
}
