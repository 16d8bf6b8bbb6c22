/** @file profile.c Reading AWS's shared configuration files. */
#include <store/s3/profile.h>

#include <stdio.h>
#include <stdlib.h>

#include <base/crypto.h>
#include <store/store.h>

#define MOST_BYTES ((size_t)1 << 20)
#define MOST_ENTRIES 10000

typedef struct reader {
  osdear__aws_profiles *profiles;
  bool is_credentials;
  const char *name;
  int line;
  const char *section; /* NULL before the first, and in sections that are not looked at */
  const char *parent;  /* key whose value was empty: what is indented belongs to it */
} reader;

static osdear__str trimmed(osdear__str text)
{
  while (text.size > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
    text = (osdear__str){ text.data + 1, text.size - 1 };
  while (text.size > 0 &&
         (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t' || text.data[text.size - 1] == '\r'))
    text.size--;
  return text;
}

static osdear_status add(reader *self, const char *key, const char *value, osdear_error **error)
{
  osdear__aws_profiles *profiles = self->profiles;

  if (profiles->count == MOST_ENTRIES)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s: more than %d settings", self->name, MOST_ENTRIES);
  if (profiles->count == profiles->capacity) {
    size_t capacity = profiles->capacity ? 2 * profiles->capacity : 16;
    osdear__aws_entry *entries = osdear__realloc_array(profiles->entries, capacity, sizeof *entries);
    if (!entries)
      return osdear__fail_memory(error);
    profiles->entries = entries;
    profiles->capacity = capacity;
  }
  profiles->entries[profiles->count++] = (osdear__aws_entry){ self->section, key, value, self->is_credentials };
  return OSDEAR_OK;
}

/* `[default]`, `[profile name]`, `[services name]`; the credentials file has `[name]`. Others are passed over. */
static osdear_status read_section(reader *self, osdear__str line, osdear_error **error)
{
  const char *end = memchr(line.data, ']', line.size);
  osdear__str name;

  if (!end)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s, line %d: a section's name must end in ]", self->name, self->line);
  name = trimmed((osdear__str){ line.data + 1, (size_t)(end - line.data) - 1 });
  self->parent = NULL;
  self->section = NULL;
  if (name.size > 8 && memcmp(name.data, "profile", 7) == 0 && (name.data[7] == ' ' || name.data[7] == '\t')) {
    if (self->is_credentials)
      return OSDEAR_OK;
    name = trimmed((osdear__str){ name.data + 8, name.size - 8 });
  } else if (!self->is_credentials && !osdear__str_is(name, "default") &&
             !(name.size > 9 && memcmp(name.data, "services ", 9) == 0)) {
    return OSDEAR_OK;
  }
  self->section = osdear__arena_strndup(&self->profiles->texts, name.data, name.size);
  return self->section ? add(self, "", "", error) : osdear__fail_memory(error);
}

static osdear_status read_setting(reader *self, osdear__str line, bool is_indented, osdear_error **error)
{
  osdear__arena *texts = &self->profiles->texts;
  const char *equals = memchr(line.data, '=', line.size);
  const char *prefix = is_indented && self->parent ? self->parent : "";
  osdear__str key, value;
  char *name, *text;

  if (!self->section)
    return OSDEAR_OK;
  if (!equals)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s, line %d: neither a section nor a setting (name = value)", self->name,
                        self->line);
  key = trimmed((osdear__str){ line.data, (size_t)(equals - line.data) });
  value = trimmed((osdear__str){ equals + 1, line.size - (size_t)(equals - line.data) - 1 });
  name = osdear__arena_printf(texts, "%s%s%.*s", prefix, prefix[0] ? "." : "", (int)key.size, key.data);
  text = osdear__arena_strndup(texts, value.size ? value.data : "", value.size);
  if (!name || !text)
    return osdear__fail_memory(error);
  for (char *c = name; *c; c++)
    *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
  if (!is_indented)
    self->parent = value.size == 0 ? name : NULL;
  return add(self, name, text, error);
}

osdear_status osdear__aws_profiles_parse(osdear__aws_profiles *profiles, osdear__str text, bool is_credentials, const char *name,
                                         osdear_error **error)
{
  reader self = { .profiles = profiles, .is_credentials = is_credentials, .name = name };
  const char *at = text.data, *end = text.data + text.size;

  while (at < end) {
    const char *stop = memchr(at, '\n', (size_t)(end - at));
    osdear__str whole = { at, (size_t)((stop ? stop : end) - at) };
    osdear__str line = trimmed(whole);
    bool is_indented = whole.size > 0 && (whole.data[0] == ' ' || whole.data[0] == '\t');
    osdear_status st = OSDEAR_OK;
    self.line++;
    at = stop ? stop + 1 : end;
    if (line.size > 0 && line.data[0] == '[')
      st = read_section(&self, line, error);
    else if (line.size > 0 && line.data[0] != '#' && line.data[0] != ';')
      st = read_setting(&self, line, is_indented, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status read_file(osdear__aws_profiles *profiles, const char *path, bool is_credentials, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  AUTO(store) store = NULL;
  osdear_status st;

  st = osdear__store_open(NULL, "/", NULL, 0, &store, error);
  if (!st)
    st = osdear__store_get(store, path, MOST_BYTES, &text, error);
  if (!st)
    st = osdear__aws_profiles_parse(profiles, (osdear__str){ text.data, text.size }, is_credentials, path, error);
  osdear__wipe(text.data, text.size);
  return st;
}

/* `given` may start with `~/`. Only a file that was named must be there. */
static osdear_status read_one(osdear__aws_profiles *profiles, const char *given, const char *usual, bool is_credentials,
                              osdear_error **error)
{
  AUTO(error) failure = NULL;
  const char *home = getenv("HOME");
  bool is_below_home = !given || osdear__starts_with(given, "~/");
  char path[4096];
  osdear_status st;
  int length;

  if (is_below_home && (!home || home[0] != '/'))
    return OSDEAR_OK;
  length = snprintf(path, sizeof path, "%s%s%s", is_below_home ? home : "", is_below_home ? "/" : "",
                    !given          ? usual
                    : is_below_home ? given + 2
                                    : given);
  if (length < 0 || (size_t)length >= sizeof path || path[0] != '/')
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "\"%s\" is no absolute path of an AWS configuration file",
                        given ? given : usual);
  st = read_file(profiles, path, is_credentials, &failure);
  if (st == OSDEAR_ERR_NOT_FOUND && !given)
    return OSDEAR_OK;
  return st ? osdear__fail(error, st, "the AWS configuration cannot be read: %s", osdear_error_message(failure)) : st;
}

osdear_status osdear__aws_profiles_read(const osdear__s3_settings *settings, osdear__aws_profiles *out, osdear_error **error)
{
  osdear_status st;

  *out = (osdear__aws_profiles){ 0 };
  st = read_one(out, settings->values[S3_CREDENTIALS_FILE], ".aws/credentials", true, error);
  if (!st)
    st = read_one(out, settings->values[S3_CONFIG_FILE], ".aws/config", false, error);
  if (st)
    osdear__aws_profiles_drop(out);
  return st;
}

void osdear__aws_profiles_drop(osdear__aws_profiles *profiles)
{
  for (size_t i = 0; i < profiles->count; i++)
    osdear__wipe((void *)(uintptr_t)profiles->entries[i].value, strlen(profiles->entries[i].value));
  osdear__arena_drop(&profiles->texts);
  osdear__free(profiles->entries);
  *profiles = (osdear__aws_profiles){ 0 };
}

bool osdear__aws_profile_is_there(const osdear__aws_profiles *profiles, const char *profile)
{
  for (size_t i = 0; i < profiles->count; i++)
    if (strcmp(profiles->entries[i].section, profile) == 0)
      return true;
  return false;
}

/* The last of doubled settings wins, as in AWS's own readers. */
static const char *last_of(const osdear__aws_profiles *profiles, const char *section, const char *key, bool of_credentials)
{
  for (size_t i = profiles->count; i > 0; i--) {
    const osdear__aws_entry *entry = &profiles->entries[i - 1];
    if (entry->is_of_credentials == of_credentials && strcmp(entry->key, key) == 0 && strcmp(entry->section, section) == 0)
      return entry->value;
  }
  return NULL;
}

const char *osdear__aws_profile_get(const osdear__aws_profiles *profiles, const char *profile, const char *key)
{
  const char *value = last_of(profiles, profile, key, true);

  if (!value)
    value = last_of(profiles, profile, key, false);
  return value && value[0] ? value : NULL;
}

/* Of a section `[services NAME]`, which is of the configuration file only. */
static const char *service_value(const osdear__aws_profiles *profiles, const char *services, const char *key)
{
  static const char word[] = "services ";
  const char *value = NULL;

  for (size_t i = 0; i < profiles->count; i++) {
    const osdear__aws_entry *entry = &profiles->entries[i];
    if (osdear__starts_with(entry->section, word) && strcmp(entry->section + strlen(word), services) == 0 &&
        strcmp(entry->key, key) == 0)
      value = entry->value;
  }
  return value && value[0] ? value : NULL;
}

const char *osdear__aws_profile_get_s3(const osdear__aws_profiles *profiles, const char *profile, const char *key)
{
  const char *services = osdear__aws_profile_get(profiles, profile, "services");
  char below[80]; /* `key` is one of ours, and short */
  const char *value;

  snprintf(below, sizeof below, "s3.%s", key);
  value = services ? service_value(profiles, services, below) : NULL;
  if (!value)
    value = osdear__aws_profile_get(profiles, profile, below);
  return value ? value : osdear__aws_profile_get(profiles, profile, key);
}
