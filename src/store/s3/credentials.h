/** @file credentials.h Who we are towards S3: the chain of sources, and keys that are renewed before they expire. */
#ifndef OSDEAR_SRC_STORE_S3_CREDENTIALS_H
#define OSDEAR_SRC_STORE_S3_CREDENTIALS_H

#include <pthread.h>

#include <store/s3/profile.h>
#include <store/s3/sigv4.h>

/* Immutable and counted: a request keeps the one it was signed with. */
typedef struct osdear__identity {
  atomic_int_fast64_t references;
  osdear__str access_key;
  osdear__secret secret_key;
  osdear__secret token;
  int64_t expires_us; /* INT64_MAX: never */
  size_t size;
  char texts[];
} osdear__identity;
/* `token` may be empty. */
MUST_USE osdear_status osdear__identity_new(osdear__str access_key, osdear__str secret_key, osdear__str token, int64_t expires_us,
                                            osdear__identity **out, osdear_error **error);
osdear__identity *osdear__identity_ref(osdear__identity *identity);
void osdear__identity_auto(osdear__identity **identity);

/* Where identities come from. Any thread may ask. */
typedef struct osdear__identities osdear__identities;
/* `settings` and `profiles` outlive it. `endpoint` (NULL: AWS's own) is where the token service is, if no other was set. */
MUST_USE osdear_status osdear__identities_new(const osdear__s3_settings *settings, const osdear__aws_profiles *profiles,
                                              const char *endpoint, const char *region, osdear__identities **out,
                                              osdear_error **error);
void osdear__identities_free(osdear__identities *identities);
/* One that holds for at least two more minutes. *out NULL: requests are not to be signed. */
MUST_USE osdear_status osdear__identities_get(osdear__identities *identities, osdear_context *context, osdear__identity **out,
                                              osdear_error **error);
/* The service refused this one as expired: the next one is fetched anew. */
void osdear__identities_refuse(osdear__identities *identities, const osdear__identity *identity);

/* ---- the sources, each in its own file: NOT_FOUND when it is not set up ---- */

/* What a source may look at. */
typedef struct osdear__identity_source {
  osdear_context *context;
  const osdear__s3_settings *settings;
  const osdear__aws_profiles *profiles;
  const char *profile;
  const char *sts; /* NULL: AWS's own for the region */
  const char *region;
} osdear__identity_source;
MUST_USE osdear_status osdear__identity_of_command(const osdear__identity_source *source, const char *command,
                                                   osdear__identity **out, osdear_error **error);
MUST_USE osdear_status osdear__identity_of_web_token(const osdear__identity_source *source, const char *role, const char *session,
                                                     const char *token_file, osdear__identity **out, osdear_error **error);
MUST_USE osdear_status osdear__identity_of_role(const osdear__identity_source *source, const osdear__identity *base,
                                                const char *role, const char *session, const char *external_id,
                                                osdear__identity **out, osdear_error **error);
MUST_USE osdear_status osdear__identity_of_container(const osdear__identity_source *source, osdear__identity **out,
                                                     osdear_error **error);
MUST_USE osdear_status osdear__identity_of_instance(const osdear__identity_source *source, osdear__identity **out,
                                                    osdear_error **error);

/* {"AccessKeyId", "SecretAccessKey", "Token" or "SessionToken", "Expiration"}: what commands, containers and instances answer. `origin` is for
 * messages. */
MUST_USE osdear_status osdear__identity_of_json(osdear__str text, const char *origin, osdear__identity **out,
                                                osdear_error **error);

#endif
