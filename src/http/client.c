/* One service: its address, its credentials, its patience, and the connections that are kept for it. */
#include <http/internal.h>

#include <stdio.h>

/* ---- checks ---- */

static bool is_visible(const char *text)
{
  for (; *text; text++)
    if (*text <= ' ' || *text > '~')
      return false;
  return true;
}

static osdear_status check_url(const char *url, osdear_error **error)
{
  const char *host = strstr(url, "://");
  size_t authority = host ? strcspn(host + 3, "/?#") : 0;

  if (!osdear__starts_with(url, "http://") && !osdear__starts_with(url, "https://"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%.20s…\" is no address of http: or https:", host ? url : "");
  if (authority == 0 || memchr(host + 3, '@', authority))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "an address of http: needs a host, and must hold no user or password: give them as settings");
  if (!is_visible(url) || strchr(url, '#'))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "an address holds a character that must be percent-encoded");
  return OSDEAR_OK;
}

static bool is_token(const char *text)
{
  for (const char *at = text; *at; at++)
    if (*at <= ' ' || *at > '~' || strchr("()<>@,;:\\\"/[]?={}", *at))
      return false;
  return *text != '\0';
}

osdear_status osdear__http_check_method(const char *method, osdear_error **error)
{
  size_t size = strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

  if (size == 0 || method[size] || size >= sizeof((osdear__http_response *)0)->method)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%.20s\" is no method of HTTP", method);
  return OSDEAR_OK;
}

/* A value that ends its line would be a header of its own, or a request. */
osdear_status osdear__http_check_headers(const osdear__http_header *headers, size_t count, osdear_error **error)
{
  for (size_t i = 0; i < count; i++) {
    if (!headers[i].name || !headers[i].value || !is_token(headers[i].name))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a header without a name or a value, or whose name is none");
    for (const char *at = headers[i].value; *at; at++)
      if (((unsigned char)*at < 32 && *at != '\t') || *at == 127)
        return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the value of the header %s holds a control character", headers[i].name);
  }
  return OSDEAR_OK;
}

osdear_status osdear__client_url(const osdear__http_client *client, const char *url, osdear__arena *arena, const char **out,
                                 osdear_error **error)
{
  const char *base = client->config.base_url;
  const char *whole;
  osdear_status st;

  if (!url || (url[0] == '/' && !base))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a request needs an absolute URL where the client has no address");
  if (url[0] == '/') {
    size_t size = strlen(base);
    while (size > 0 && base[size - 1] == '/')
      size--;
    whole = osdear__arena_printf(arena, "%.*s%s", (int)size, base, url);
  } else {
    whole = osdear__arena_strdup(arena, url);
  }
  if (!whole)
    return osdear__fail_memory(error);
  st = check_url(whole, error);
  if (!st)
    *out = whole;
  return st;
}

/* ---- configuration ---- */

static bool copy_text(osdear__arena *arena, const char **text)
{
  if (*text)
    *text = osdear__arena_strdup(arena, *text);
  return *text != NULL;
}

static bool copy_texts(osdear__http_client *client, const osdear__http_config *given)
{
  osdear__http_config *own = &client->config;
  const char **texts[] = {
    &own->base_url, &own->unix_socket, &own->ca_file, &own->client_cert_file, &own->client_key_file, &own->client_key_password,
    &own->proxy,    &own->no_proxy,    &own->user,    &own->secret,           &own->user_agent
  };

  *own = *given;
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    if (*texts[i] && !copy_text(&client->texts, texts[i]))
      return false;
  if (!own->user_agent)
    own->user_agent = osdear__arena_printf(&client->texts, "libosdear/%s", osdear_version());
  return own->user_agent != NULL;
}

static void fill_defaults(osdear__http_config *config)
{
  config->connect_timeout_ms = config->connect_timeout_ms ? config->connect_timeout_ms : 10000;
  config->idle_timeout_ms = config->idle_timeout_ms ? config->idle_timeout_ms : 60000;
  config->timeout_ms = config->timeout_ms ? config->timeout_ms : -1;
  config->max_attempts = config->max_attempts > 0 ? config->max_attempts : 3;
  config->max_retry_wait_ms = config->max_retry_wait_ms > 0 ? config->max_retry_wait_ms : 20000;
}

static void put_base64(osdear__buf *out, osdear__str text)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  for (size_t i = 0; i < text.size; i += 3) {
    size_t left = text.size - i;
    uint32_t bits = (uint32_t)(unsigned char)text.data[i] << 16;
    bits |= left > 1 ? (uint32_t)(unsigned char)text.data[i + 1] << 8 : 0;
    bits |= left > 2 ? (uint32_t)(unsigned char)text.data[i + 2] : 0;
    osdear__buf_putc(out, digits[bits >> 18]);
    osdear__buf_putc(out, digits[bits >> 12 & 63]);
    osdear__buf_putc(out, left > 1 ? digits[bits >> 6 & 63] : '=');
    osdear__buf_putc(out, left > 2 ? digits[bits & 63] : '=');
  }
}

static osdear_status make_authorization(osdear__http_client *client, osdear_error **error)
{
  const osdear__http_config *config = &client->config;
  osdear__buf value = { 0 };

  if (config->auth != HTTP_AUTH_BASIC && config->auth != HTTP_AUTH_BEARER)
    return OSDEAR_OK;
  if (!config->secret || (config->auth == HTTP_AUTH_BASIC && (!config->user || strchr(config->user, ':'))))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "Basic authentication needs a user without a colon and a password, Bearer a token");
  if (config->auth == HTTP_AUTH_BEARER) {
    osdear__buf_printf(&value, "Bearer %s", config->secret);
  } else {
    SCOPED(buf) pair = { 0 };
    osdear__buf_printf(&pair, "%s:%s", config->user, config->secret);
    if (!pair.failed) {
      osdear__buf_puts(&value, "Basic ");
      put_base64(&value, (osdear__str){ pair.data, pair.size });
      explicit_bzero(pair.data, pair.size);
    }
    value.failed = value.failed ? value.failed : pair.failed;
  }
  client->authorization = osdear__buf_take(&value);
  if (!client->authorization)
    return osdear__fail_memory(error);
  return osdear__http_check_headers(&(osdear__http_header){ "Authorization", client->authorization }, 1, error);
}

osdear_status osdear__http_client_new(const osdear__http_config *config, osdear__http_client **out, osdear_error **error)
{
  osdear__http_client *client;
  osdear_status st = config->base_url ? check_url(config->base_url, error) : OSDEAR_OK;

  if (st)
    return st;
  client = osdear__alloc_zeroed(1, sizeof *client);
  if (!client)
    return osdear__fail_memory(error);
  atomic_init(&client->references, 1);
  atomic_init(&client->retry_tokens, RETRY_TOKENS);
  pthread_mutex_init(&client->lock, NULL);
  pthread_mutex_init(&client->session_lock, NULL);
  st = copy_texts(client, config) ? make_authorization(client, error) : osdear__fail_memory(error);
  if (st) {
    osdear__http_client_unref(client);
    return st;
  }
  fill_defaults(&client->config);
  *out = client;
  return OSDEAR_OK;
}

osdear__http_client *osdear__http_client_ref(osdear__http_client *client)
{
  if (client)
    atomic_fetch_add(&client->references, 1);
  return client;
}

static void forget(const char *secret)
{
  if (secret)
    explicit_bzero((char *)(uintptr_t)secret, strlen(secret));
}

void osdear__http_client_unref(osdear__http_client *client)
{
  if (!client || atomic_fetch_sub(&client->references, 1) > 1)
    return;
  for (size_t i = 0; i < client->idle_count; i++)
    osdear__http_loop_free(client->idle[i]);
  if (client->sessions)
    osdear__curl.share_cleanup(client->sessions);
  forget(client->authorization);
  if (client->config.user_agent) { /* the last text copied: the others are copies, too */
    forget(client->config.secret);
    forget(client->config.client_key_password);
  }
  osdear__free(client->authorization);
  osdear__arena_drop(&client->texts);
  pthread_mutex_destroy(&client->lock);
  pthread_mutex_destroy(&client->session_lock);
  osdear__free(client);
}

void osdear__http_client_auto(osdear__http_client **client)
{
  osdear__http_client_unref(*client);
}

/* ---- lanes: loops for blocking calls, each with its warm connections ---- */

osdear_status osdear__client_borrow(osdear__http_client *client, osdear_context *context, osdear__http_loop **out,
                                    osdear_error **error)
{
  osdear__http_loop *loop = NULL;
  osdear_status st;

  pthread_mutex_lock(&client->lock);
  if (client->idle_count > 0)
    loop = client->idle[--client->idle_count];
  pthread_mutex_unlock(&client->lock);
  if (!loop) {
    st = osdear__http_loop_new(NULL, 1, &loop, error);
    if (st)
      return st;
    loop->is_lane = true;
  }
  loop->context = context;
  *out = loop;
  return OSDEAR_OK;
}

void osdear__client_return(osdear__http_client *client, osdear__http_loop *loop)
{
  loop->context = NULL;
  pthread_mutex_lock(&client->lock);
  if (client->idle_count < LANES) {
    client->idle[client->idle_count++] = loop;
    loop = NULL;
  }
  pthread_mutex_unlock(&client->lock);
  osdear__http_loop_free(loop);
}

/* ---- what every handle of a client gets ---- */

static void lock_sessions(CURL *easy, curl_lock_data data, curl_lock_access access, void *argument)
{
  osdear__http_client *client = argument;

  (void)easy;
  (void)data;
  (void)access;
  pthread_mutex_lock(&client->session_lock);
}

static void unlock_sessions(CURL *easy, curl_lock_data data, void *argument)
{
  osdear__http_client *client = argument;

  (void)easy;
  (void)data;
  pthread_mutex_unlock(&client->session_lock);
}

/* Sharing is an economy: without memory for it, every connection makes a full handshake. */
static CURLSH *sessions_of(osdear__http_client *client)
{
  CURLSH *sessions;

  pthread_mutex_lock(&client->lock);
  sessions = client->sessions ? client->sessions : osdear__curl.share_init();
  if (sessions && !client->sessions) {
    osdear__curl.share_setopt(sessions, CURLSHOPT_USERDATA, client);
    osdear__curl.share_setopt(sessions, CURLSHOPT_LOCKFUNC, lock_sessions);
    osdear__curl.share_setopt(sessions, CURLSHOPT_UNLOCKFUNC, unlock_sessions);
    osdear__curl.share_setopt(sessions, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    client->sessions = sessions;
  }
  pthread_mutex_unlock(&client->lock);
  return sessions;
}

static void set_tls(osdear__http_client *client, CURL *easy, CURLcode *failed)
{
  const osdear__http_config *config = &client->config;

  osdear__curl_set_long(easy, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2, failed);
  osdear__curl_set_text(easy, CURLOPT_CAINFO, config->ca_file, failed);
  osdear__curl_set_text(easy, CURLOPT_SSLCERT, config->client_cert_file, failed);
  osdear__curl_set_text(easy, CURLOPT_SSLKEY, config->client_key_file, failed);
  osdear__curl_set_text(easy, CURLOPT_KEYPASSWD, config->client_key_password, failed);
  if (config->ca_file)
    osdear__curl_set_data(easy, CURLOPT_CAPATH, NULL, failed);
  if (config->insecure) {
    osdear__curl_set_long(easy, CURLOPT_SSL_VERIFYPEER, 0, failed);
    osdear__curl_set_long(easy, CURLOPT_SSL_VERIFYHOST, 0, failed);
  }
}

void osdear__client_setup(osdear__http_client *client, const char *url, CURL *easy, CURLcode *failed)
{
  const osdear__http_config *config = &client->config;
  CURLSH *sessions = sessions_of(client);
  static const long versions[] = { CURL_HTTP_VERSION_2TLS, CURL_HTTP_VERSION_1_1, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE };

  if (sessions) /* not for https: only: libcurl loses the sessions of a handle that had its own before */
    osdear__curl_set_data(easy, CURLOPT_SHARE, sessions, failed);
  osdear__curl_set_long(easy, CURLOPT_NOSIGNAL, 1, failed);
  osdear__curl_set_long(easy, CURLOPT_PATH_AS_IS, 1, failed);
  osdear__curl_set_long(easy, CURLOPT_TCP_KEEPALIVE, 1, failed);
  osdear__curl_set_long(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1, failed);
  osdear__curl.easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* do not wait for a name that is being looked up; since 7.87 */
  osdear__curl_set_text(easy, CURLOPT_USERAGENT, config->user_agent, failed);
  osdear__curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, config->unix_socket, failed);
  osdear__curl_set_text(easy, CURLOPT_PROXY, config->unix_socket ? "" : config->proxy, failed);
  osdear__curl_set_text(easy, CURLOPT_NOPROXY, config->no_proxy, failed);
  osdear__curl_set_long(easy, CURLOPT_HTTP_VERSION, versions[config->version], failed);
  osdear__curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS,
                        config->connect_timeout_ms > 0 ? (long)config->connect_timeout_ms : INT32_MAX, failed);
  if (osdear__starts_with(url, "https:"))
    set_tls(client, easy, failed);
}
