/** @file credentials.c The chain of sources, in AWS's order, and renewal. */
#include <store/s3/credentials.h>

#define SOON_US (INT64_C(5) * 60 * 1000000)     /* renewed when somebody asks */
#define TOO_LATE_US (INT64_C(2) * 60 * 1000000) /* not used any more */
#define MOST_HOPS 5                             /* source_profile of a source_profile … */

struct osdear__identities {
  const osdear__s3_settings *settings;
  const osdear__aws_profiles *profiles;
  char *sts;
  char *region;
  pthread_mutex_t lock;     /* of `current` */
  pthread_mutex_t fetching; /* held while one is fetched: the others wait, or go on with what they have */
  osdear__identity *current;
};

static char *copy_or_null(const char *text)
{
  return text ? osdear__strdup(text) : NULL;
}

osdear_status osdear__identities_new(const osdear__s3_settings *settings, const osdear__aws_profiles *profiles,
                                     const char *endpoint, const char *region, osdear__identities **out, osdear_error **error)
{
  const char *sts = settings->values[S3_ENDPOINT_STS] ? settings->values[S3_ENDPOINT_STS] : endpoint;
  osdear__identities *made = osdear__alloc_zeroed(1, sizeof *made);

  if (!made)
    return osdear__fail_memory(error);
  made->settings = settings;
  made->profiles = profiles;
  pthread_mutex_init(&made->lock, NULL);
  pthread_mutex_init(&made->fetching, NULL);
  made->sts = copy_or_null(sts);
  made->region = osdear__strdup(region);
  if ((sts && !made->sts) || !made->region) {
    osdear__identities_free(made);
    return osdear__fail_memory(error);
  }
  *out = made;
  return OSDEAR_OK;
}

void osdear__identities_free(osdear__identities *identities)
{
  if (!identities)
    return;
  osdear__identity_auto(&identities->current);
  osdear__free(identities->sts);
  osdear__free(identities->region);
  pthread_mutex_destroy(&identities->lock);
  pthread_mutex_destroy(&identities->fetching);
  osdear__free(identities);
}

/* ---- profiles ---- */

static osdear_status of_profile(const osdear__identity_source *source, const char *profile, int hops, osdear__identity **out,
                                osdear_error **error);

/* What `credential_source` names. */
static osdear_status of_named_source(const osdear__identity_source *source, const char *name, osdear__identity **out,
                                     osdear_error **error)
{
  const osdear__s3_settings *settings = source->settings;

  if (strcmp(name, "Ec2InstanceMetadata") == 0)
    return osdear__identity_of_instance(source, out, error);
  if (strcmp(name, "EcsContainer") == 0)
    return osdear__identity_of_container(source, out, error);
  if (strcmp(name, "Environment") != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "profile \"%s\": credential_source \"%s\" is not known: Environment, EcsContainer or "
                        "Ec2InstanceMetadata",
                        source->profile, name);
  if (!settings->values[S3_ACCESS_KEY_ID])
    return osdear__fail(error, OSDEAR_ERR_DENIED, "profile \"%s\" takes its credentials from the environment, which has none",
                        source->profile);
  return osdear__identity_new(osdear__str_of(settings->values[S3_ACCESS_KEY_ID]), settings->secret_key.hidden,
                              settings->session_token.hidden, INT64_MAX, out, error);
}

static osdear_status of_profile_role(const osdear__identity_source *source, const char *profile, const char *role, int hops,
                                     osdear__identity **out, osdear_error **error)
{
  const char *from = osdear__aws_profile_get(source->profiles, profile, "source_profile");
  const char *named = osdear__aws_profile_get(source->profiles, profile, "credential_source");
  const char *token_file = osdear__aws_profile_get(source->profiles, profile, "web_identity_token_file");
  const char *session = osdear__aws_profile_get(source->profiles, profile, "role_session_name");
  AUTO(identity) base = NULL;
  osdear_status st;

  if (token_file)
    return osdear__identity_of_web_token(source, role, session, token_file, out, error);
  if (osdear__aws_profile_get(source->profiles, profile, "mfa_serial"))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "profile \"%s\" asks for a code from a device (mfa_serial), which nobody can type here: "
                        "export temporary credentials instead",
                        profile);
  if (!from == !named)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "profile \"%s\" has a role_arn and needs one of source_profile and credential_source", profile);
  if (hops == MOST_HOPS)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "profile \"%s\": more than %d source_profiles after each other", profile,
                        MOST_HOPS);
  st = named ? of_named_source(source, named, &base, error) : of_profile(source, from, hops + 1, &base, error);
  if (st)
    return st == OSDEAR_ERR_NOT_FOUND ? osdear__fail(error, OSDEAR_ERR_DENIED,
                                                     "profile \"%s\" has no credentials to take the role %s with", profile, role)
                                      : st;
  return osdear__identity_of_role(source, base, role, session, osdear__aws_profile_get(source->profiles, profile, "external_id"),
                                  out, error);
}

/* A profile that names itself as the source of its role means its own keys. */
static osdear_status of_profile(const osdear__identity_source *source, const char *profile, int hops, osdear__identity **out,
                                osdear_error **error)
{
  const char *key = osdear__aws_profile_get(source->profiles, profile, "aws_access_key_id");
  const char *secret = osdear__aws_profile_get(source->profiles, profile, "aws_secret_access_key");
  const char *role = osdear__aws_profile_get(source->profiles, profile, "role_arn");
  const char *command = osdear__aws_profile_get(source->profiles, profile, "credential_process");

  if (role && !(hops > 0 && key))
    return of_profile_role(source, profile, role, hops, out, error);
  if (key && secret)
    return osdear__identity_new(osdear__str_of(key), osdear__str_of(secret),
                                osdear__str_of(osdear__aws_profile_get(source->profiles, profile, "aws_session_token")),
                                INT64_MAX, out, error);
  if (key || secret)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "profile \"%s\" has only one of aws_access_key_id and aws_secret_access_key",
                        profile);
  if (command)
    return osdear__identity_of_command(source, command, out, error);
  if (osdear__aws_profile_get(source->profiles, profile, "sso_session") ||
      osdear__aws_profile_get(source->profiles, profile, "sso_start_url"))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "profile \"%s\" signs in with a browser (SSO), which this library cannot: run `aws "
                        "configure export-credentials --profile %s --format env` and use what it prints",
                        profile, profile);
  return OSDEAR_ERR_NOT_FOUND;
}

/* ---- the chain ---- */

static osdear_status of_settings(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  const osdear__s3_settings *settings = source->settings;

  if (!settings->values[S3_ACCESS_KEY_ID])
    return OSDEAR_ERR_NOT_FOUND;
  return osdear__identity_new(osdear__str_of(settings->values[S3_ACCESS_KEY_ID]), settings->secret_key.hidden,
                              settings->session_token.hidden, INT64_MAX, out, error);
}

static osdear_status of_the_profile(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  if (source->settings->values[S3_PROFILE] && !osdear__aws_profile_is_there(source->profiles, source->profile))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "there is no profile \"%s\" in the AWS configuration files", source->profile);
  return of_profile(source, source->profile, 0, out, error);
}

static osdear_status of_web_identity(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  const osdear__s3_settings *settings = source->settings;

  if (!settings->values[S3_WEB_IDENTITY_TOKEN_FILE] || !settings->values[S3_ROLE_ARN])
    return OSDEAR_ERR_NOT_FOUND;
  return osdear__identity_of_web_token(source, settings->values[S3_ROLE_ARN], settings->values[S3_ROLE_SESSION_NAME],
                                       settings->values[S3_WEB_IDENTITY_TOKEN_FILE], out, error);
}

/* The first that is set up decides: what it cannot give, no later one makes good. */
static osdear_status of_chain(const osdear__identity_source *source, osdear__identity **out, osdear_error **error)
{
  static osdear_status (*const chain[])(const osdear__identity_source *, osdear__identity **, osdear_error **) = {
    of_settings, of_the_profile, of_web_identity, osdear__identity_of_container, osdear__identity_of_instance,
  };

  for (size_t i = 0; i < COUNT_OF(chain); i++) {
    AUTO(error) failure = NULL;
    osdear_status st = chain[i](source, out, &failure);
    if (st == OSDEAR_ERR_NOT_FOUND && !failure)
      continue;
    if (st && error) {
      osdear_error_free(*error);
      *error = failure;
      failure = NULL;
    }
    return st;
  }
  return osdear__fail(
      error, OSDEAR_ERR_DENIED,
      "no credentials for s3: were found: not in the options (aws_access_key_id, …), the environment "
      "(AWS_ACCESS_KEY_ID, …), profile \"%s\" of ~/.aws, a web identity, a container or an instance. A public bucket needs "
      "none: aws_skip_signature=true",
      source->profile);
}

static osdear_status fetch(const osdear__identities *self, osdear_context *context, osdear__identity **out, osdear_error **error)
{
  const osdear__s3_settings *settings = self->settings;
  const char *role = settings->values[S3_ASSUME_ROLE_ARN];
  osdear__identity_source source = {
    .context = context, .settings = settings, .profiles = self->profiles, .sts = self->sts, .region = self->region
  };
  AUTO(identity) base = NULL;
  osdear_status st;

  source.profile = settings->values[S3_PROFILE] ? settings->values[S3_PROFILE] : "default";
  st = of_chain(&source, &base, error);
  if (!st && role)
    return osdear__identity_of_role(&source, base, role, settings->values[S3_ASSUME_ROLE_SESSION_NAME],
                                    settings->values[S3_EXTERNAL_ID], out, error);
  *out = base;
  base = NULL;
  return st;
}

/* ---- keeping them fresh ---- */

static osdear__identity *held(osdear__identities *self, int64_t *left_us)
{
  osdear__identity *identity;

  pthread_mutex_lock(&self->lock);
  identity = osdear__identity_ref(self->current);
  pthread_mutex_unlock(&self->lock);
  *left_us = !identity ? -1 : identity->expires_us == INT64_MAX ? INT64_MAX : identity->expires_us - osdear__now_us();
  return identity;
}

static void hold(osdear__identities *self, osdear__identity *identity)
{
  osdear__identity *old;

  pthread_mutex_lock(&self->lock);
  old = self->current;
  self->current = osdear__identity_ref(identity);
  pthread_mutex_unlock(&self->lock);
  osdear__identity_auto(&old);
}

/* With `fetching` held. Another may have done it in the meantime; an old one that still holds is better than none. */
static osdear_status renew(osdear__identities *self, osdear_context *context, osdear__identity **out, osdear_error **error)
{
  AUTO(identity) old = NULL;
  AUTO(error) failure = NULL;
  int64_t left_us;
  osdear_status st;

  old = held(self, &left_us);
  if (left_us > SOON_US) {
    *out = old;
    old = NULL;
    return OSDEAR_OK;
  }
  st = fetch(self, context, out, &failure);
  if (!st) {
    hold(self, *out);
  } else if (left_us > TOO_LATE_US) {
    osdear__log(context, OSDEAR_LOG_WARNING, "s3", "credentials end soon and could not be renewed: %s",
                osdear_error_message(failure));
    *out = old;
    old = NULL;
    st = OSDEAR_OK;
  } else if (error) {
    osdear_error_free(*error);
    *error = failure;
    failure = NULL;
  }
  return st;
}

osdear_status osdear__identities_get(osdear__identities *identities, osdear_context *context, osdear__identity **out,
                                     osdear_error **error)
{
  AUTO(identity) got = NULL;
  int64_t left_us;
  osdear_status st;

  *out = NULL;
  if (identities->settings->skip_signature)
    return OSDEAR_OK;
  got = held(identities, &left_us);
  if (left_us > SOON_US || (left_us > TOO_LATE_US && pthread_mutex_trylock(&identities->fetching) != 0)) {
    *out = got;
    got = NULL;
    return OSDEAR_OK;
  }
  if (left_us <= TOO_LATE_US)
    pthread_mutex_lock(&identities->fetching);
  st = renew(identities, context, out, error);
  pthread_mutex_unlock(&identities->fetching);
  return st;
}

void osdear__identities_refuse(osdear__identities *identities, const osdear__identity *identity)
{
  osdear__identity *old = NULL;

  pthread_mutex_lock(&identities->lock);
  if (identities->current == identity) {
    old = identities->current;
    identities->current = NULL;
  }
  pthread_mutex_unlock(&identities->lock);
  osdear__identity_auto(&old);
}
