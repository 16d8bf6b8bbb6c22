/** @file identity_service.c Keys that a service gives: the token service (STS), a container's agent, an instance's metadata. */
#include <stdio.h>

#include <http/http.h>
#include <store/s3/credentials.h>
#include <store/store.h>
#include <xml/xml.h>

#define MOST_TOKEN 65536
#define METADATA_HOST "http://169.254.169.254"
#define CONTAINER_HOST "http://169.254.170.2"

static osdear_status read_token(const char *path, osdear__buf *out, osdear_error **error)
{
  AUTO(store) store = NULL;
  osdear_status st = osdear__store_open(NULL, "/", NULL, 0, &store, error);

  if (!st && path[0] != '/')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no absolute path of a token's file", path);
  if (!st)
    st = osdear__store_get(store, path, MOST_TOKEN, out, error);
  while (!st && out->size > 0 && strchr("\r\n \t", out->data[out->size - 1]))
    out->data[--out->size] = '\0';
  return st;
}

/* ---- the token service ---- */

static void put_parameter(osdear__buf *form, const char *name, osdear__str value)
{
  osdear__buf_printf(form, "%s%s=", form->size > 0 ? "&" : "", name);
  osdear__http_put_encoded(form, value, "");
}

/* The answer holds the keys below `result`; MinIO and AWS agree on that. */
static osdear_status read_sts(const osdear__http_response *response, const char *result, osdear__identity **out,
                              osdear_error **error)
{
  static const char *const names[] = { "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration" };
  osdear__xml_want wants[COUNT_OF(names)];
  char paths[COUNT_OF(names)][120];
  osdear__arena arena = { 0 };
  int64_t expires_us = INT64_MAX;
  bool has_zone;
  osdear_status st;

  for (size_t i = 0; i < COUNT_OF(names); i++) {
    snprintf(paths[i], sizeof paths[i], "*/%s/Credentials/%s", result, names[i]);
    wants[i] = (osdear__xml_want){ .path = paths[i] };
  }
  st = osdear__xml_pick((osdear__str){ response->body.data, response->body.size }, "the token service's answer", wants,
                        COUNT_OF(wants), &arena, error);
  if (!st && (wants[0].text.size == 0 || wants[1].text.size == 0))
    st = osdear__fail(error, OSDEAR_ERR_DENIED, "the token service answered without keys");
  if (!st && wants[3].text.size > 0 && !osdear__parse_timestamp(wants[3].text, &expires_us, &has_zone))
    st = osdear__fail(error, OSDEAR_ERR_DENIED, "the token service answered an Expiration that is no time");
  if (!st)
    st = osdear__identity_new(wants[0].text, wants[1].text, wants[2].text.data ? wants[2].text : STR(""), expires_us, out, error);
  osdear__arena_drop(&arena);
  return st;
}

static osdear_status fail_sts(const osdear__http_response *response, const char *role, osdear_error **error)
{
  osdear__xml_want wants[] = { { .path = "*/Error/Code" }, { .path = "*/Error/Message" } };
  osdear__arena arena = { 0 };
  const char *code = NULL, *words = "";
  osdear_status st;

  if (osdear__xml_pick((osdear__str){ response->body.data, response->body.size }, "", wants, COUNT_OF(wants), &arena, NULL) ==
      OSDEAR_OK) {
    code = wants[0].text.data;
    words = wants[1].text.data ? wants[1].text.data : "";
  }
  st = osdear__http_fail(response, OSDEAR_ERR_DENIED, code, error, "the role %s was not given: %.300s", role, words);
  osdear__arena_drop(&arena);
  return st;
}

static osdear_status new_client(const osdear__identity_source *source, const char *url, bool is_local, osdear__http_client **out,
                                osdear_error **error)
{
  osdear__http_config config = { .base_url = url, .max_attempts = 3, .timeout_ms = 30000, .connect_timeout_ms = 10000 };

  if (is_local) { /* in the same machine: what does not answer at once is not there, and no proxy leads to it */
    config.proxy = "";
    config.max_attempts = 2;
    config.connect_timeout_ms = 1000;
    config.timeout_ms = 5000;
    config.idle_timeout_ms = 1000;
  } else {
    config.ca_file = source->settings->values[S3_CA_BUNDLE];
    config.insecure = source->settings->allow_invalid_certificates;
    config.proxy = source->settings->values[S3_PROXY];
  }
  return osdear__http_client_new(&config, out, error);
}

/* Signed once for all attempts: they come within the quarter of an hour that a signature holds for. */
static osdear_status sign_form(const osdear__identity_source *source, const osdear__identity *base, const char *host,
                               const osdear__buf *form, char date[OSDEAR__SIGV4_DATE], osdear__buf *authorization,
                               osdear_error **error)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  osdear__sigv4_scope scope = { base->access_key, base->secret_key.hidden, base->token.hidden, source->region, "sts", { 0 } };
  osdear__sigv4_pair headers[] = {
    { STR("host"), osdear__str_of(host) },
    { STR("content-type"), STR("application/x-www-form-urlencoded") },
    { STR("x-amz-date"), { date, OSDEAR__SIGV4_DATE - 1 } },
    { STR("x-amz-security-token"), base->token.hidden },
  };
  osdear__sigv4_request request = { .method = "POST", .path = STR("/"), .normalize = true, .headers = headers };
  char digest[OSDEAR__SHA256_HEX];
  osdear_status st;

  osdear__sigv4_date(osdear__now_us(), scope.date);
  memcpy(date, scope.date, sizeof scope.date);
  request.header_count = COUNT_OF(headers) - (base->token.hidden.size == 0);
  st = osdear__sha256_hex(form->data, form->size, digest, error);
  request.payload = osdear__str_of(digest);
  if (!st)
    st = osdear__sigv4_authorization(&key, &scope, &request, authorization, NULL, error);
  osdear__sigv4_key_drop(&key);
  return st;
}

/* `base` NULL: unsigned. */
static osdear_status ask_sts(const osdear__identity_source *source, const osdear__identity *base, const osdear__buf *form,
                             const char *role, const char *result, osdear__identity **out, osdear_error **error)
{
  AUTO(http_client) client = NULL;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) authorization = { 0 };
  SCOPED(buf) url = { 0 };
  char date[OSDEAR__SIGV4_DATE];
  osdear__http_header headers[4] = { { "Content-Type", "application/x-www-form-urlencoded" } };
  osdear__http_request request = { .method = "POST",
                                   .url = "/",
                                   .headers = headers,
                                   .header_count = 1,
                                   .body = form->data,
                                   .body_size = form->size,
                                   .repeat = HTTP_REPEAT_SAFE };
  osdear_status st;

  if (source->sts)
    osdear__buf_append(&url, source->sts, strlen(source->sts) - osdear__ends_with(source->sts, "/"));
  else
    osdear__buf_printf(&url, "https://sts.%s.amazonaws.com%s", source->region,
                       osdear__starts_with(source->region, "cn-") ? ".cn" : "");
  st = osdear__buf_check(&url, error);
  if (!st)
    st = osdear__buf_check(form, error);
  if (!st)
    st = new_client(source, url.data, false, &client, error);
  if (!st && base) {
    const char *host = strstr(url.data, "://");
    st = sign_form(source, base, host ? host + 3 : url.data, form, date, &authorization, error);
    headers[1] = (osdear__http_header){ "X-Amz-Date", date };
    headers[2] = (osdear__http_header){ "Authorization", authorization.data };
    headers[3] = (osdear__http_header){ "X-Amz-Security-Token", base->token.hidden.data };
    request.header_count = base->token.hidden.size > 0 ? 4 : 3;
  }
  if (!st)
    st = osdear__http_send(client, source->context, &request, &response, error);
  if (st)
    return osdear__fail_within(error, st, "the role %s", role);
  st = response.status == 200 ? read_sts(&response, result, out, error) : fail_sts(&response, role, error);
  osdear__wipe(response.body.data, response.body.size);
  return st;
}

static void begin_form(osdear__buf *form, const char *action, const char *role, const char *session)
{
  put_parameter(form, "Action", osdear__str_of(action));
  put_parameter(form, "Version", STR("2011-06-15"));
  put_parameter(form, "RoleArn", osdear__str_of(role));
  put_parameter(form, "RoleSessionName", session ? osdear__str_of(session) : STR("osdear"));
}

osdear_status osdear__identity_of_web_token(const osdear__identity_source *source, const char *role, const char *session,
                                            const char *token_file, osdear__identity **out, osdear_error **error)
{
  SCOPED(buf) token = { 0 };
  SCOPED(buf) form = { 0 };
  osdear_status st = read_token(token_file, &token, error); /* anew each time: whoever put it there renews it */

  if (st)
    return osdear__fail_because(error, OSDEAR_ERR_DENIED, "the web identity token cannot be read");
  begin_form(&form, "AssumeRoleWithWebIdentity", role, session);
  put_parameter(&form, "WebIdentityToken", (osdear__str){ token.data, token.size });
  st = ask_sts(source, NULL, &form, role, "AssumeRoleWithWebIdentityResult", out, error);
  osdear__wipe(form.data, form.size);
  osdear__wipe(token.data, token.size);
  return st;
}

osdear_status osdear__identity_of_role(const osdear__identity_source *source, const osdear__identity *base, const char *role,
                                       const char *session, const char *external_id, osdear__identity **out, osdear_error **error)
{
  SCOPED(buf) form = { 0 };

  if (!base)
    return osdear__fail(error, OSDEAR_ERR_DENIED, "the role %s needs credentials to be taken with", role);
  begin_form(&form, "AssumeRole", role, session);
  put_parameter(&form, "DurationSeconds", STR("3600"));
  if (external_id)
    put_parameter(&form, "ExternalId", osdear__str_of(external_id));
  return ask_sts(source, base, &form, role, "AssumeRoleResult", out, error);
}

/* ---- a container's agent ---- */

/* Keys cross in the clear only within the machine, and to the addresses that the container services have for it. */
static bool may_be_plain(const char *url)
{
  static const char *const hosts[] = { "169.254.170.2", "169.254.170.23", "[fd00:ec2::23]" };
  const char *host = url + 7;

  for (size_t i = 0; i < COUNT_OF(hosts); i++)
    if (osdear__starts_with(host, hosts[i]) && strchr("/:?", host[strlen(hosts[i])]))
      return true;
  return osdear__http_is_loopback((osdear__str){ host, strcspn(host, "/?#") });
}

static osdear_status container_token(const osdear__s3_settings *settings, osdear__buf *out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (settings->values[S3_CONTAINER_TOKEN_FILE])
    st = read_token(settings->values[S3_CONTAINER_TOKEN_FILE], out, error);
  else
    osdear__buf_append(out, settings->container_token.hidden.data, settings->container_token.hidden.size);
  if (!st && memchr(out->data ? out->data : "", '\n', out->size))
    st = osdear__fail(error, OSDEAR_ERR_DENIED, "the container's token holds a line break");
  return st ? st : osdear__buf_check(out, error);
}

osdear_status osdear__identity_of_container(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  const osdear__s3_settings *settings = source->settings;
  const char *relative = settings->values[S3_CONTAINER_RELATIVE_URI];
  AUTO(http_client) client = NULL;
  SCOPED(http_response) response = { 0 };
  SCOPED(buf) token = { 0 };
  SCOPED(buf) url = { 0 };
  osdear__http_header headers[] = { { "Authorization", NULL } };
  osdear__http_request request = { .headers = headers };
  osdear_status st;

  if (!relative && !settings->values[S3_CONTAINER_FULL_URI])
    return OSDEAR_ERR_NOT_FOUND;
  osdear__buf_printf(&url, "%s%s", relative ? CONTAINER_HOST : "", relative ? relative : settings->values[S3_CONTAINER_FULL_URI]);
  st = osdear__buf_check(&url, error);
  if (st)
    return st;
  if ((relative && relative[0] != '/') ||
      (!osdear__starts_with(url.data, "https://") && !(osdear__starts_with(url.data, "http://") && may_be_plain(url.data))))
    return osdear__fail(
        error, OSDEAR_ERR_ARGUMENT, "container credentials come over https:, or over http: from this machine, not from %s",
        relative ? "a path without a slash before it" : "the address that aws_container_credentials_full_uri has");
  st = container_token(settings, &token, error);
  if (!st)
    st = new_client(source, NULL, osdear__starts_with(url.data, "http:"), &client, error);
  request.url = url.data;
  headers[0].value = token.data;
  request.header_count = token.size > 0;
  if (!st)
    st = osdear__http_send(client, source->context, &request, &response, error);
  if (!st)
    st = osdear__http_expect(&response, error);
  if (st)
    st = osdear__fail_because(error, OSDEAR_ERR_DENIED, "the container's credentials cannot be had");
  else
    st = osdear__identity_of_json((osdear__str){ response.body.data, response.body.size }, "the container's agent", out, error);
  osdear__wipe(token.data, token.size);
  osdear__wipe(response.body.data, response.body.size);
  return st;
}

/* ---- an instance's metadata (IMDSv2) ---- */

static osdear_status metadata_get(const osdear__identity_source *source, osdear__http_client *client, const char *token,
                                  const char *path, osdear__http_response *response, osdear_error **error)
{
  osdear__http_header header = { "X-aws-ec2-metadata-token", token };
  osdear__http_request request = { .url = path, .headers = &header, .header_count = 1, .max_body = MOST_TOKEN };
  osdear_status st = osdear__http_send(client, source->context, &request, response, error);

  return st ? st : osdear__http_expect(response, error);
}

static osdear_status metadata_token(const osdear__identity_source *source, osdear__http_client *client,
                                    osdear__http_response *response, osdear_error **error)
{
  osdear__http_header header = { "X-aws-ec2-metadata-token-ttl-seconds", "21600" };
  osdear__http_request request = {
    .method = "PUT", .url = "/latest/api/token", .headers = &header, .header_count = 1, .max_body = 4096
  };
  osdear_status st = osdear__http_send(client, source->context, &request, response, error);

  if (!st)
    st = osdear__http_expect(response, error);
  if (!st && (response->body.size == 0 || response->body.data[strcspn(response->body.data, "\r\n")] != '\0'))
    st = osdear__fail(error, OSDEAR_ERR_DENIED, "the instance's metadata gave no token");
  return st;
}

/* The name of the instance's role, then its keys. */
static osdear_status metadata_keys(const osdear__identity_source *source, osdear__http_client *client, const char *token,
                                   osdear__identity **out, osdear_error **error)
{
  static const char folder[] = "/latest/meta-data/iam/security-credentials/";
  SCOPED(http_response) role = { 0 };
  SCOPED(http_response) keys = { 0 };
  SCOPED(buf) path = { 0 };
  osdear_status st = metadata_get(source, client, token, folder, &role, error);

  if (st)
    return st;
  if (role.body.size == 0)
    return osdear__fail(error, OSDEAR_ERR_DENIED, "the instance has no role");
  osdear__buf_printf(&path, "%s%.*s", folder, (int)strcspn(role.body.data, "\r\n/?# "), role.body.data);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = metadata_get(source, client, token, path.data, &keys, error);
  if (!st)
    st = osdear__identity_of_json((osdear__str){ keys.body.data, keys.body.size }, "the instance's metadata", out, error);
  osdear__wipe(keys.body.data, keys.body.size);
  return st;
}

osdear_status osdear__identity_of_instance(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  const char *endpoint = source->settings->values[S3_METADATA_ENDPOINT];
  AUTO(http_client) client = NULL;
  AUTO(error) failure = NULL;
  SCOPED(http_response) token = { 0 };
  osdear_status st;

  if (source->settings->metadata_disabled)
    return OSDEAR_ERR_NOT_FOUND;
  st = new_client(source, endpoint ? endpoint : METADATA_HOST, true, &client, error);
  if (st)
    return st;
  st = metadata_token(source, client, &token, &failure);
  if (st == OSDEAR_ERR_UNAVAILABLE || st == OSDEAR_ERR_TIMEOUT || st == OSDEAR_ERR_NOT_FOUND) { /* not on an instance */
    osdear__log(source->context, OSDEAR_LOG_DEBUG, "s3", "no instance metadata: %s", osdear_error_message(failure));
    st = osdear__context_check(source->context, error);
    return st ? st : OSDEAR_ERR_NOT_FOUND;
  }
  if (!st)
    st = metadata_keys(source, client, token.body.data, out, &failure);
  if (st)
    st = osdear__fail(error, st == OSDEAR_ERR_NO_MEMORY ? st : OSDEAR_ERR_DENIED, "the instance's credentials cannot be had: %s",
                      osdear_error_message(failure));
  return st;
}
