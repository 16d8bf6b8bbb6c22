/* The way in to a Portainer: an API key, or a token for user and password; and the number of an environment. */
#include <container/container.h>

#include <pthread.h>
#include <stdlib.h>

#define LOGIN_TIMEOUT_MS 30000

struct osdear__portainer {
  osdear_context *context;
  osdear__http_client *client;
  pthread_mutex_t lock; /* over `token` */
  char *api_key;
  char *username, *password;
  char *token;
  char *prefix;
  int64_t environment;
};
typedef osdear__portainer osdear__portainer_handle;

static void osdear__portainer_handle_auto(osdear__portainer **portainer)
{
  osdear__portainer_free(*portainer);
}

void osdear__portainer_free(osdear__portainer *portainer)
{
  if (!portainer)
    return;
  osdear__http_client_unref(portainer->client);
  osdear_context_unref(portainer->context);
  pthread_mutex_destroy(&portainer->lock);
  osdear__free(portainer->api_key);
  osdear__free(portainer->username);
  osdear__free(portainer->password);
  osdear__free(portainer->token);
  osdear__free(portainer->prefix);
  osdear__free(portainer);
}

osdear__http_client *osdear__portainer_client(osdear__portainer *portainer)
{
  return portainer->client;
}

const char *osdear__portainer_prefix(const osdear__portainer *portainer)
{
  return portainer->prefix;
}

int64_t osdear__portainer_environment(const osdear__portainer *portainer)
{
  return portainer->environment;
}

/* ---- logging in: `lock` is held ---- */

static osdear_status read_token(osdear__portainer *portainer, const osdear__http_response *response, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *answer = NULL;
  osdear_status st;

  /* Wrong credentials are 422 here, not 401. */
  if (response->status == 422)
    return osdear__http_fail(response, OSDEAR_ERR_DENIED, NULL, error, "Portainer does not know this user and password");
  if (response->status != 200)
    return osdear__engine_fail(response, error);
  st = osdear__json_read((osdear__str){ response->body.data ? response->body.data : "", response->body.size },
                         "Portainer's token", &arena, &answer, error);
  if (st)
    return st;
  if (osdear__json_str(answer, "jwt").size == 0)
    return osdear__fail(error, OSDEAR_ERR_UNAVAILABLE,
                        "Portainer let the user in, but gave no token: is there a proxy before it?");
  portainer->token = osdear__strdup(osdear__json_str(answer, "jwt").data);
  return portainer->token ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status log_in(osdear__portainer *portainer, osdear_error **error)
{
  static const osdear__http_header type = { "Content-Type", "application/json" };
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) body = { 0 };
  osdear__http_request request = { .method = "POST",
                                   .url = "/api/auth",
                                   .headers = &type,
                                   .header_count = 1,
                                   .repeat = HTTP_REPEAT_SAFE,
                                   .timeout_ms = LOGIN_TIMEOUT_MS };
  const osdear_pair pairs[] = { { "Username", portainer->username }, { "Password", portainer->password } };
  osdear_status st;

  osdear__json_put_pairs(&body, pairs, COUNT_OF(pairs));
  st = osdear__buf_check(&body, error);
  if (st)
    return st;
  request.body = body.data;
  request.body_size = body.size;
  st = osdear__http_send(portainer->client, portainer->context, &request, &response, error);
  return st ? st : read_token(portainer, &response, error);
}

osdear_status osdear__portainer_credentials(osdear__portainer *portainer, const char **header, osdear__buf *out,
                                            osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (portainer->api_key) {
    *header = "X-API-KEY";
    osdear__buf_puts(out, portainer->api_key);
    return osdear__buf_check(out, error);
  }
  pthread_mutex_lock(&portainer->lock);
  if (!portainer->token)
    st = log_in(portainer, error);
  if (!st)
    osdear__buf_printf(out, "Bearer %s", portainer->token);
  pthread_mutex_unlock(&portainer->lock);
  *header = "Authorization";
  return st ? st : osdear__buf_check(out, error);
}

bool osdear__portainer_forget(osdear__portainer *portainer)
{
  if (portainer->api_key)
    return false;
  pthread_mutex_lock(&portainer->lock);
  osdear__free(portainer->token);
  portainer->token = NULL;
  pthread_mutex_unlock(&portainer->lock);
  return true;
}

/* ---- opening ---- */

static osdear_status get(osdear__portainer *portainer, const char *path, osdear__arena *arena, osdear__json **out,
                         osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) value = { 0 };
  osdear__http_header header = { NULL, NULL };
  osdear__http_request request = { .url = path, .headers = &header, .header_count = 1 };
  osdear_status st = osdear__portainer_credentials(portainer, &header.name, &value, error);

  if (st)
    return st;
  header.value = value.data;
  st = osdear__http_send(portainer->client, portainer->context, &request, &response, error);
  if (st)
    return st;
  if (response.status != 200)
    return osdear__engine_fail(&response, error);
  return osdear__json_read((osdear__str){ response.body.data ? response.body.data : "", response.body.size }, path, arena, out,
                           error);
}

/* By number, or by name. */
static osdear_status find_environment(osdear__portainer *portainer, const char *wanted, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *all = NULL;
  int64_t number = -1;
  bool is_number = osdear__parse_i64(osdear__str_of(wanted), &number);
  osdear_status st = get(portainer, "/api/endpoints?excludeSnapshots=true", &arena, &all, error);

  if (st)
    return st;
  for (size_t i = 0; all->kind == JSON_IS_ARRAY && i < all->count; i++) {
    int64_t id = osdear__json_int(&all->items[i], "Id", -1);
    if (id >= 0 && (osdear__str_is(osdear__json_str(&all->items[i], "Name"), wanted) || (is_number && id == number))) {
      portainer->environment = id;
      return OSDEAR_OK;
    }
  }
  return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "Portainer has no environment `%s` that this user may see", wanted);
}

static osdear_status copy_text(const char *text, char **out, osdear_error **error)
{
  if (!text || !*text)
    return OSDEAR_OK;
  *out = osdear__strdup(text);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status take_credentials(osdear__portainer *portainer, const osdear__engine_settings *settings, osdear_error **error)
{
  const char *key = settings->portainer_api_key, *user = settings->portainer_username, *password = settings->portainer_password;
  osdear_status st;

  if (!key && !user) {
    key = getenv("PORTAINER_API_KEY");
    user = getenv("PORTAINER_USERNAME");
    password = getenv("PORTAINER_PASSWORD");
  }
  if (key && *key)
    return copy_text(key, &portainer->api_key, error);
  st = copy_text(user, &portainer->username, error);
  if (!st)
    st = copy_text(password, &portainer->password, error);
  if (!st && (!portainer->username || !portainer->password))
    st = osdear__fail(
        error, OSDEAR_ERR_DENIED,
        "Portainer wants credentials: give the setting portainer_api_key (PORTAINER_API_KEY), or username and password");
  return st;
}

osdear_status osdear__portainer_open(osdear_context *context, const osdear__place *place, const osdear__engine_settings *settings,
                                     const osdear__http_config *config, osdear__portainer **out, osdear_error **error)
{
  AUTO(portainer_handle) made = osdear__alloc_zeroed(1, sizeof *made);
  SCOPED(buf) prefix = { 0 };
  osdear_status st;

  if (!made)
    return osdear__fail_memory(error);
  pthread_mutex_init(&made->lock, NULL);
  made->context = osdear_context_ref(context);
  st = take_credentials(made, settings, error);
  if (!st)
    st = osdear__http_client_new(config, &made->client, error);
  if (!st)
    st = find_environment(made, place->environment, error);
  if (st)
    return st;
  osdear__buf_printf(&prefix, "/api/endpoints/%" PRId64, made->environment);
  st = osdear__buf_check(&prefix, error);
  if (st)
    return st;
  made->prefix = osdear__buf_take(&prefix);
  *out = made;
  made = NULL;
  return OSDEAR_OK;
}
