/** @file settings.c Options and environment variables of stores at S3. */
#include <store/s3/settings.h>

#include <stdlib.h>

#include <base/crypto.h>

typedef enum kind { TEXT, SECRET, FLAG, DURATION, COUNT } kind;

enum { MOST_NAMES = 4 };

/* Without `aws_`. The first name is the one that messages use; where several are given, the one that stands first here wins. */
static const struct {
  kind kind;
  const char *names[MOST_NAMES];
} known[S3_KEY_COUNT] = {
  [S3_ACCESS_KEY_ID] = { TEXT, { "access_key_id" } },
  [S3_SECRET_ACCESS_KEY] = { SECRET, { "secret_access_key" } },
  [S3_SESSION_TOKEN] = { SECRET, { "session_token", "token", "security_token" } },
  [S3_SKIP_SIGNATURE] = { FLAG, { "skip_signature" } },
  [S3_PROFILE] = { TEXT, { "profile" } },
  [S3_CREDENTIALS_FILE] = { TEXT, { "shared_credentials_file" } },
  [S3_CONFIG_FILE] = { TEXT, { "config_file" } },
  [S3_ROLE_ARN] = { TEXT, { "role_arn" } },
  [S3_ROLE_SESSION_NAME] = { TEXT, { "role_session_name" } },
  [S3_WEB_IDENTITY_TOKEN_FILE] = { TEXT, { "web_identity_token_file" } },
  [S3_ASSUME_ROLE_ARN] = { TEXT, { "iam_role_arn", "assume_role_arn", "s3_assume_role_arn" } },
  [S3_ASSUME_ROLE_SESSION_NAME] = { TEXT, { "iam_role_session_name", "s3_role_session_name" } },
  [S3_EXTERNAL_ID] = { TEXT, { "external_id" } },
  [S3_CONTAINER_RELATIVE_URI] = { TEXT, { "container_credentials_relative_uri" } },
  [S3_CONTAINER_FULL_URI] = { TEXT, { "container_credentials_full_uri" } },
  [S3_CONTAINER_TOKEN_FILE] = { TEXT, { "container_authorization_token_file" } },
  [S3_CONTAINER_TOKEN] = { SECRET, { "container_authorization_token" } },
  [S3_METADATA_ENDPOINT] = { TEXT, { "metadata_endpoint", "ec2_metadata_service_endpoint" } },
  [S3_METADATA_DISABLED] = { FLAG, { "ec2_metadata_disabled" } },
  [S3_REGION] = { TEXT, { "region", "default_region" } },
  [S3_ENDPOINT] = { TEXT, { "endpoint", "endpoint_url_s3", "endpoint_url" } },
  [S3_ENDPOINT_STS] = { TEXT, { "endpoint_url_sts", "sts_endpoint" } },
  [S3_ALLOW_HTTP] = { FLAG, { "allow_http" } },
  [S3_VIRTUAL_HOST] = { FLAG, { "virtual_hosted_style_request" } },
  [S3_FORCE_PATH_STYLE] = { FLAG, { "force_path_style", "s3_force_path_style" } },
  [S3_CA_BUNDLE] = { TEXT, { "ca_bundle" } },
  [S3_ALLOW_INVALID_CERTIFICATES] = { FLAG, { "allow_invalid_certificates" } },
  [S3_PROXY] = { TEXT, { "proxy_url" } },
  [S3_CONNECT_TIMEOUT] = { DURATION, { "connect_timeout" } },
  [S3_TIMEOUT] = { DURATION, { "timeout" } },
  [S3_MAX_ATTEMPTS] = { COUNT, { "max_attempts" } },
  [S3_UNSIGNED_PAYLOAD] = { FLAG, { "unsigned_payload" } },
  [S3_CHECKSUM] = { TEXT, { "checksum_algorithm", "checksum" } },
  [S3_CONDITIONAL_PUT] = { TEXT, { "conditional_put" } },
  [S3_SINGLE_WRITER] = { FLAG, { "single_writer", "s3_allow_unsafe_rename" } },
  [S3_REQUEST_PAYER] = { FLAG, { "request_payer" } },
  [S3_SSE] = { TEXT, { "server_side_encryption" } },
  [S3_SSE_KMS_KEY] = { TEXT, { "sse_kms_key_id" } },
  [S3_SSE_BUCKET_KEY] = { FLAG, { "sse_bucket_key_enabled" } },
  [S3_STORAGE_CLASS] = { TEXT, { "storage_class" } },
  [S3_PART_SIZE] = { COUNT, { "part_size" } },
  [S3_CONCURRENCY] = { COUNT, { "max_concurrency" } },
};

/* The same names with `AWS_` before them, as the environment has them. */
#define ENVIRONMENT_NAME 64

void osdear__secret_put(osdear__buf *out, const osdear__secret *secret)
{
  if (secret->hidden.size > 0)
    osdear__buf_puts(out, "***");
}

/* ---- names ---- */

static osdear__str without_prefix(const char *name)
{
  osdear__str text = osdear__str_of(name);

  if (text.size > 4 && osdear__str_equal_nocase((osdear__str){ text.data, 4 }, STR("aws_")))
    return (osdear__str){ text.data + 4, text.size - 4 };
  return text;
}

/* S3_KEY_COUNT when nothing has that name. */
static size_t find_key(const char *name, size_t *alias)
{
  osdear__str wanted = without_prefix(name);

  for (size_t key = 0; key < S3_KEY_COUNT; key++)
    for (size_t i = 0; i < MOST_NAMES && known[key].names[i]; i++)
      if (osdear__str_equal_nocase(wanted, osdear__str_of(known[key].names[i]))) {
        *alias = i;
        return key;
      }
  return S3_KEY_COUNT;
}

const char *osdear__s3_key_name(osdear__s3_key key)
{
  static const char *const long_names[S3_KEY_COUNT] = {
    [S3_ACCESS_KEY_ID] = "aws_access_key_id",
    [S3_SECRET_ACCESS_KEY] = "aws_secret_access_key",
    [S3_ENDPOINT] = "aws_endpoint",
    [S3_REGION] = "aws_region",
  };

  return long_names[key] ? long_names[key] : known[key].names[0];
}

static const char *environment_value(osdear__s3_key key)
{
  for (size_t i = 0; i < MOST_NAMES && known[key].names[i]; i++) {
    char name[ENVIRONMENT_NAME] = "AWS_";
    const char *value;
    size_t n = 4;
    for (const char *c = known[key].names[i]; *c && n < sizeof name - 1; c++)
      name[n++] = *c >= 'a' && *c <= 'z' ? (char)(*c - ('a' - 'A')) : *c;
    name[n] = '\0';
    value = getenv(name);
    if (value && value[0])
      return value;
  }
  return NULL;
}

/* ---- values ---- */

static osdear_status read_flag(osdear__s3_key key, const char *text, bool *out, osdear_error **error)
{
  static const char *const yes[] = { "true", "1", "yes", "on", "y", "requester" }, *const no[] = { "false", "0", "no", "off",
                                                                                                   "n" };

  for (size_t i = 0; i < COUNT_OF(yes); i++)
    if (osdear__str_equal_nocase(osdear__str_of(text), osdear__str_of(yes[i]))) {
      *out = true;
      return OSDEAR_OK;
    }
  for (size_t i = 0; i < COUNT_OF(no); i++)
    if (osdear__str_equal_nocase(osdear__str_of(text), osdear__str_of(no[i]))) {
      *out = false;
      return OSDEAR_OK;
    }
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting %s is \"%s\": write true or false", osdear__s3_key_name(key),
                      text);
}

/* "30s", "500ms", "2m", "1h"; a number alone means seconds. */
static osdear_status read_duration(osdear__s3_key key, const char *text, int64_t *ms, osdear_error **error)
{
  static const struct {
    const char *name;
    int64_t ms;
  } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "", 1000 } };
  size_t digits = strspn(text, "0123456789");
  int64_t number;

  for (size_t i = 0; i < COUNT_OF(units); i++)
    if (strcmp(text + digits, units[i].name) == 0 && osdear__parse_i64((osdear__str){ text, digits }, &number) &&
        osdear__mul_i64(number, units[i].ms, ms) && *ms > 0)
      return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting %s is \"%s\": write a time such as 30s, 500ms or 2m",
                      osdear__s3_key_name(key), text);
}

static osdear_status read_count(osdear__s3_key key, const char *text, int64_t *out, osdear_error **error)
{
  if (osdear__parse_i64(osdear__str_of(text), out) && *out > 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the setting %s is \"%s\": write a number above 0", osdear__s3_key_name(key),
                      text);
}

static osdear_status read_checksum(const char *text, osdear__s3_checksum *out, osdear_error **error)
{
  static const char *const names[] = { "auto", "none", "md5", "crc32", "sha256" };

  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (osdear__str_equal_nocase(osdear__str_of(text), osdear__str_of(names[i]))) {
      *out = (osdear__s3_checksum)i;
      return OSDEAR_OK;
    }
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                      "the setting checksum_algorithm is \"%s\": write auto, none, md5, crc32 or sha256", text);
}

static osdear_status read_conditional(const char *text, osdear__s3_conditional *out, osdear_error **error)
{
  if (osdear__str_equal_nocase(osdear__str_of(text), STR("etag")))
    *out = S3_CONDITIONAL_TRUST;
  else if (osdear__str_equal_nocase(osdear__str_of(text), STR("disabled")))
    *out = S3_CONDITIONAL_OFF;
  else if (!osdear__str_equal_nocase(osdear__str_of(text), STR("auto")))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "the setting conditional_put is \"%s\": write auto (the store is tried), etag (it is known to "
                        "work) or disabled",
                        text);
  return OSDEAR_OK;
}

static bool *flag_of(osdear__s3_settings *settings, osdear__s3_key key, bool *other)
{
  switch (key) {
  case S3_SKIP_SIGNATURE: return &settings->skip_signature;
  case S3_METADATA_DISABLED: return &settings->metadata_disabled;
  case S3_ALLOW_HTTP: return &settings->allow_http;
  case S3_VIRTUAL_HOST: return &settings->virtual_host;
  case S3_FORCE_PATH_STYLE: return &settings->force_path_style;
  case S3_ALLOW_INVALID_CERTIFICATES: return &settings->allow_invalid_certificates;
  case S3_SINGLE_WRITER: return &settings->single_writer;
  case S3_SSE_BUCKET_KEY: return &settings->sse_bucket_key;
  default: return other;
  }
}

static osdear_status read_value(osdear__s3_settings *settings, osdear__s3_key key, const char *text, osdear_error **error)
{
  bool other = false;
  osdear_status st;

  if (known[key].kind == FLAG) {
    st = read_flag(key, text, flag_of(settings, key, &other), error);
    if (!st && key == S3_REQUEST_PAYER && !other)
      settings->values[key] = NULL;
    if (!st && key == S3_UNSIGNED_PAYLOAD)
      settings->payload = other ? S3_PAYLOAD_UNSIGNED : S3_PAYLOAD_SIGNED;
    return st;
  }
  if (known[key].kind == DURATION)
    return read_duration(key, text, key == S3_TIMEOUT ? &settings->timeout_ms : &settings->connect_timeout_ms, error);
  if (known[key].kind == COUNT)
    return read_count(key, text,
                      key == S3_MAX_ATTEMPTS ? &settings->max_attempts
                      : key == S3_PART_SIZE  ? &settings->part_size
                                             : &settings->concurrency,
                      error);
  if (key == S3_CHECKSUM)
    return read_checksum(text, &settings->checksum, error);
  if (key == S3_CONDITIONAL_PUT)
    return read_conditional(text, &settings->conditional, error);
  return OSDEAR_OK;
}

/* ---- gathering ---- */

static osdear_status check_text(const char *name, const char *value, osdear_error **error)
{
  if (!osdear__utf8_is_valid(value, strlen(value)) || value[strcspn(value, "\r\n")] != '\0')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the value of the setting \"%s\" is not one line of UTF-8", name);
  return OSDEAR_OK;
}

static osdear_status take_options(osdear__s3_settings *settings, const osdear_pair *pairs, size_t count, osdear_error **error)
{
  size_t best[S3_KEY_COUNT];

  for (size_t i = 0; i < S3_KEY_COUNT; i++)
    best[i] = MOST_NAMES;
  for (size_t i = 0; i < count; i++) {
    size_t alias = 0, key;
    osdear_status st;
    if (!pairs[i].key || !pairs[i].value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "storage setting %zu has no %s", i, pairs[i].key ? "value" : "name");
    key = find_key(pairs[i].key, &alias);
    if (key == S3_KEY_COUNT)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "s3: stores have no setting \"%s\"; those they have stand in the page \"Use S3\"", pairs[i].key);
    st = check_text(pairs[i].key, pairs[i].value, error);
    if (st)
      return st;
    if (alias <= best[key]) {
      best[key] = alias;
      settings->values[key] = pairs[i].value;
    }
  }
  return OSDEAR_OK;
}

static bool is_credential(osdear__s3_key key)
{
  return key == S3_ACCESS_KEY_ID || key == S3_SECRET_ACCESS_KEY || key == S3_SESSION_TOKEN;
}

/* A key from here with a token from there would only be refused by the service: the three come from one place. A profile that was asked for
 * by an option comes before keys of the environment. */
static osdear_status take_environment(osdear__s3_settings *settings, osdear_error **error)
{
  bool has_keys = settings->values[S3_ACCESS_KEY_ID] || settings->values[S3_SECRET_ACCESS_KEY] || settings->values[S3_PROFILE];

  for (size_t key = 0; key < S3_KEY_COUNT; key++) {
    osdear_status st;
    if (settings->values[key] || (has_keys && is_credential((osdear__s3_key)key)))
      continue;
    settings->values[key] = environment_value((osdear__s3_key)key);
    if (!settings->values[key])
      continue;
    settings->is_from_environment |= key == S3_ACCESS_KEY_ID;
    st = check_text(osdear__s3_key_name((osdear__s3_key)key), settings->values[key], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear__secret *secret_of(osdear__s3_settings *settings, size_t key)
{
  return key == S3_SECRET_ACCESS_KEY ? &settings->secret_key
         : key == S3_SESSION_TOKEN   ? &settings->session_token
                                     : &settings->container_token;
}

/* From here on nothing points into the caller's texts or the environment. */
static osdear_status keep(osdear__s3_settings *settings, osdear_error **error)
{
  for (size_t key = 0; key < S3_KEY_COUNT; key++) {
    const char *value = settings->values[key];
    if (!value || value[0] == '\0') {
      settings->values[key] = NULL;
      continue;
    }
    value = osdear__arena_strdup(&settings->texts, value);
    if (!value)
      return osdear__fail_memory(error);
    settings->values[key] = known[key].kind == SECRET ? NULL : value;
    if (known[key].kind == SECRET)
      secret_of(settings, key)->hidden = osdear__str_of(value);
  }
  return OSDEAR_OK;
}

static osdear_status check_together(const osdear__s3_settings *settings, osdear_error **error)
{
  bool has_id = settings->values[S3_ACCESS_KEY_ID] != NULL;

  if (has_id != (settings->secret_key.hidden.size > 0))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s is set%s and %s is not: credentials need both",
                        osdear__s3_key_name(has_id ? S3_ACCESS_KEY_ID : S3_SECRET_ACCESS_KEY),
                        settings->is_from_environment ? " in the environment" : "",
                        osdear__s3_key_name(has_id ? S3_SECRET_ACCESS_KEY : S3_ACCESS_KEY_ID));
  if (settings->virtual_host && settings->force_path_style)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "virtual_hosted_style_request and force_path_style exclude each other");
  if (settings->part_size > 0 && (settings->part_size < (5 << 20) || settings->part_size > (INT64_C(5) << 30)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "the setting part_size is %" PRId64 " bytes: S3 takes parts of 5 MiB to 5 GiB", settings->part_size);
  return OSDEAR_OK;
}

osdear_status osdear__s3_settings_read(osdear__s3_settings *settings, const osdear_pair *pairs, size_t count,
                                       osdear_error **error)
{
  osdear_status st;

  *settings = (osdear__s3_settings){ 0 };
  st = take_options(settings, pairs, count, error);
  if (!st)
    st = take_environment(settings, error);
  if (!st)
    st = keep(settings, error);
  for (size_t key = 0; !st && key < S3_KEY_COUNT; key++)
    if (settings->values[key])
      st = read_value(settings, (osdear__s3_key)key, settings->values[key], error);
  if (!st)
    st = check_together(settings, error);
  if (st)
    osdear__s3_settings_drop(settings);
  return st;
}

void osdear__s3_settings_drop(osdear__s3_settings *settings)
{
  osdear__secret *secrets[] = { &settings->secret_key, &settings->session_token, &settings->container_token };

  for (size_t i = 0; i < COUNT_OF(secrets); i++)
    osdear__wipe((void *)(uintptr_t)secrets[i]->hidden.data, secrets[i]->hidden.size);
  osdear__arena_drop(&settings->texts);
  *settings = (osdear__s3_settings){ 0 };
}
