/** @file profile.h The files that AWS's tools share: `~/.aws/credentials` and `~/.aws/config`. */
#ifndef OSDEAR_SRC_STORE_S3_PROFILE_H
#define OSDEAR_SRC_STORE_S3_PROFILE_H

#include <store/s3/settings.h>

typedef struct osdear__aws_entry {
  const char *section; /* "name" of `[name]` and `[profile name]`, "services name" of `[services name]` */
  const char *key;     /* lower case; "s3.addressing_style" for what is indented below `s3 =` */
  const char *value;
  bool is_of_credentials;
} osdear__aws_entry;

typedef struct osdear__aws_profiles {
  osdear__arena texts;
  osdear__aws_entry *entries;
  size_t count, capacity;
} osdear__aws_profiles;

/* Both files, as the settings or the environment place them. A file that is not there holds nothing. */
MUST_USE osdear_status osdear__aws_profiles_read(const osdear__s3_settings *settings, osdear__aws_profiles *out,
                                                 osdear_error **error);
/* The text of one of them; `name` is for messages. */
MUST_USE osdear_status osdear__aws_profiles_parse(osdear__aws_profiles *profiles, osdear__str text, bool is_credentials,
                                                  const char *name, osdear_error **error);
void osdear__aws_profiles_drop(osdear__aws_profiles *profiles);
bool osdear__aws_profile_is_there(const osdear__aws_profiles *profiles, const char *profile);
/* NULL when it is not set. What both files say, the credentials file decides. */
const char *osdear__aws_profile_get(const osdear__aws_profiles *profiles, const char *profile, const char *key);
/* The same for a setting of S3: directly in the profile, or in the services section that it names. */
const char *osdear__aws_profile_get_s3(const osdear__aws_profiles *profiles, const char *profile, const char *key);

#endif
