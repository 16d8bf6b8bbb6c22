/* Any bytes as ~/.aws/config and as ~/.aws/credentials: settings that can be asked for come out, or a typed failure. */
#include <store/s3/profile.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const osdear__aws_profiles *profiles)
{
  static const char *const keys[] = { "aws_access_key_id", "region", "services", "addressing_style", "role_arn" };

  for (size_t i = 0; i < profiles->count; i++) {
    const osdear__aws_entry *entry = &profiles->entries[i];
    bool is_asked_by_name = strncmp(entry->section, "services ", 9) != 0 && entry->value[0];

    if (!osdear__aws_profile_is_there(profiles, entry->section))
      abort();
    if (is_asked_by_name && !osdear__aws_profile_get(profiles, entry->section, entry->key) && profiles->count == 1)
      abort();
    for (size_t k = 0; k < COUNT_OF(keys); k++)
      (void)osdear__aws_profile_get_s3(profiles, entry->section, keys[k]);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  osdear__str text = { (const char *)data, size };
  osdear__aws_profiles profiles = { 0 };
  bool is_read = osdear__aws_profiles_parse(&profiles, text, true, "credentials", NULL) == OSDEAR_OK;

  if (is_read)
    is_read = osdear__aws_profiles_parse(&profiles, text, false, "config", NULL) == OSDEAR_OK;
  if (is_read)
    ask(&profiles);
  osdear__aws_profiles_drop(&profiles);
  return 0;
}
