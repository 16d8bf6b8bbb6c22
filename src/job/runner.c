/* Runners by address; submitting, attaching, listing. */
#include <job/job.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static const osdear__runner_kind *const kinds[] = { &osdear__runner_process, &osdear__runner_container, &osdear__runner_spark,
                                                    &osdear__runner_airbyte, &osdear__runner_airflow,   &osdear__runner_dremio };

/* ---- opening ---- */

static const osdear__runner_kind *kind_of(const char *address)
{
  for (size_t i = 0; i < COUNT_OF(kinds); i++)
    if (osdear__starts_with(address, kinds[i]->scheme))
      return kinds[i];
  return NULL;
}

static osdear_status check_address(const char *address, osdear_error **error)
{
  const char *host = strstr(address, "://");
  const char *at = host ? strchr(host, '@') : NULL;

  /* The address of an engine by ssh names a user, and its own layer refuses passwords. */
  if (at && kind_of(address) != &osdear__runner_container && at < host + 3 + strcspn(host + 3, "/"))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "an address holds no user or password: give them as settings");
  if (kind_of(address))
    return OSDEAR_OK;
  return osdear__fail(
      error, OSDEAR_ERR_ARGUMENT,
      "there is no runner for \"%s\": use process:, container+docker, spark+http://host:6066, airbyte+https://host, "
      "airflow+http://host:8080 or dremio+http://host:9047",
      address);
}

static bool has_setting(const osdear__runner_kind *kind, const char *key)
{
  for (size_t i = 0; kind->settings[i]; i++)
    if (strcmp(kind->settings[i], key) == 0)
      return true;
  return false;
}

static osdear_status copy_settings(osdear_runner *runner, const osdear_runner_options *options, osdear_error **error)
{
  if (!options->setting_count)
    return OSDEAR_OK;
  runner->settings = osdear__alloc_zeroed(options->setting_count, sizeof *runner->settings);
  if (!runner->settings)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < options->setting_count; i++) {
    const osdear_pair *pair = &options->settings[i];
    if (!pair->key || !pair->value)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "setting %zu has no %s", i, pair->key ? "value" : "name");
    if (!has_setting(runner->kind, pair->key))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a %s runner has no setting \"%s\"", runner->kind->name, pair->key);
    runner->settings[i].key = osdear__strdup(pair->key);
    runner->settings[i].value = osdear__strdup(pair->value);
    runner->setting_count++;
    if (!runner->settings[i].key || !runner->settings[i].value)
      return osdear__fail_memory(error);
  }
  return OSDEAR_OK;
}

const char *osdear__runner_setting(const osdear_runner *runner, const char *key)
{
  char variable[64];
  int length;

  for (size_t i = runner->setting_count; i-- > 0;)
    if (strcmp(runner->settings[i].key, key) == 0)
      return runner->settings[i].value;
  length = snprintf(variable, sizeof variable, "OSDEAR_%s_%s", runner->kind->name, key);
  for (int i = 0; i < length; i++)
    variable[i] = (char)toupper((unsigned char)variable[i]);
  return getenv(variable);
}

void osdear__runner_blot(const osdear_runner *runner, char *words)
{
  static const char *const secrets[] = { "password", "token", "client_secret", "jws_key" };
  enum { LEAST = 4 }; /* a shorter one would blot out half of every sentence */

  for (size_t i = 0; i < COUNT_OF(secrets); i++) {
    const char *secret = has_setting(runner->kind, secrets[i]) ? osdear__runner_setting(runner, secrets[i]) : NULL;
    size_t length = secret ? strlen(secret) : 0;
    for (char *at = length < LEAST ? NULL : strstr(words, secret); at; at = strstr(at + length, secret))
      memset(at, '*', length);
  }
  for (; *words; words++)
    if ((unsigned char)*words < ' ' || *words == 127)
      *words = ' ';
}

/* The folder that holds what must outlive this process. */
static osdear_status state_folder(const char *given, osdear__buf *out, osdear_error **error)
{
  const char *own = getenv("OSDEAR_STATE"), *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

  if (given && given[0])
    osdear__buf_puts(out, given);
  else if (own && own[0])
    osdear__buf_puts(out, own);
  else if (xdg && xdg[0] == '/')
    osdear__buf_printf(out, "%s/osdear", xdg);
  else if (home && home[0] == '/')
    osdear__buf_printf(out, "%s/.local/state/osdear", home);
  else
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "neither HOME nor OSDEAR_STATE is set: give the runner a state_folder");
  return osdear__buf_check(out, error);
}

static osdear_status open_runner(osdear_runner *runner, const char *address, const osdear_runner_options *options,
                                 osdear_error **error)
{
  SCOPED(buf) folder = { 0 };
  osdear_status st;

  runner->kind = kind_of(address);
  runner->address = osdear__strdup(address);
  if (!runner->address)
    return osdear__fail_memory(error);
  st = copy_settings(runner, options, error);
  if (!st)
    st = state_folder(options->state_folder, &folder, error);
  if (!st)
    st = osdear__journal_open(folder.data, &runner->journal, error);
  if (st)
    return st;
  runner->own = runner->kind->own_size ? osdear__alloc_zeroed(1, runner->kind->own_size) : NULL;
  return runner->kind->own_size && !runner->own ? osdear__fail_memory(error) : runner->kind->open(runner, error);
}

osdear_status osdear_runner_open(osdear_context *context, const char *address, const osdear_runner_options *options,
                                 osdear_runner **out, osdear_error **error)
{
  osdear_runner_options opts = OSDEAR_RUNNER_OPTIONS_INIT;
  osdear_runner *runner;
  osdear_status st;

  if (!context || !address || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, address and out must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (!st)
    st = check_address(address, error);
  if (st)
    return st;
  runner = osdear__alloc_zeroed(1, sizeof *runner);
  if (!runner)
    return osdear__fail_memory(error);
  runner->references = 1;
  runner->context = osdear_context_ref(context);
  st = open_runner(runner, address, &opts, error);
  if (st) {
    osdear_runner_free(runner);
    return st;
  }
  *out = runner;
  return OSDEAR_OK;
}

void osdear_runner_free(osdear_runner *runner)
{
  if (!runner || --runner->references > 0)
    return;
  if (runner->kind->close && runner->own)
    runner->kind->close(runner);
  osdear__free(runner->own);
  for (size_t i = 0; i < runner->setting_count; i++) {
    osdear__free((void *)(uintptr_t)runner->settings[i].key);
    osdear__free((void *)(uintptr_t)runner->settings[i].value);
  }
  osdear__free(runner->settings);
  osdear__free(runner->address);
  osdear__journal_drop(&runner->journal);
  osdear_context_unref(runner->context);
  osdear__free(runner);
}

/* ---- attaching ---- */

osdear_status osdear_runner_attach(osdear_runner *runner, const char *id, osdear_job **out, osdear_error **error)
{
  osdear_job *job;
  osdear_status st;

  if (!runner || !id || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "runner, id and out must not be NULL");
  job = osdear__alloc_zeroed(1, sizeof *job);
  if (!job)
    return osdear__fail_memory(error);
  job->references = 1;
  job->runner = runner;
  runner->references++;
  job->id = osdear__strdup(id);
  job->own = runner->kind->job_size ? osdear__alloc_zeroed(1, runner->kind->job_size) : NULL;
  st = job->id && (job->own || !runner->kind->job_size) ? runner->kind->attach(job, error) : osdear__fail_memory(error);
  if (st) {
    osdear_job_free(job);
    return st;
  }
  *out = job;
  return OSDEAR_OK;
}

/* ---- submitting ---- */

/* Spaces and the order of nothing but spaces do not make another spec. */
static osdear_status digest(const osdear__json *spec, uint64_t *out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a: the same in every process, which osdear__hash() is not */
  osdear_status st;

  osdear__json_put_value(&text, spec);
  st = osdear__buf_check(&text, error);
  for (size_t i = 0; i < text.size; i++)
    hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3);
  *out = hash;
  return st;
}

/* Finds the id of a submission that was noted down before, or sends it. */
static osdear_status find_or_send(osdear_runner *runner, osdear__entry *entry, osdear__submission *submission, osdear__buf *id,
                                  bool *was_found, osdear_error **error)
{
  osdear__send_outcome outcome = SEND_REFUSED;
  osdear_status st = OSDEAR_OK;

  if (entry->note.id) {
    *was_found = true;
    osdear__buf_puts(id, entry->note.id);
    return osdear__buf_check(id, error);
  }
  if (!entry->is_new) {
    submission->created_us = entry->note.created_us;
    st = runner->kind->find(runner, submission, id, error);
    *was_found = !st && id->size > 0;
  }
  submission->was_found = was_found;
  if (!st && id->size == 0) {
    st = runner->kind->submit(runner, submission, id, &outcome, error);
    if (st && outcome == SEND_REFUSED)
      osdear__entry_forget(entry);
  }
  if (st)
    return st;
  st = osdear__buf_check(id, error);
  if (!st)
    st = osdear__entry_sent(entry, id->data, error);
  return st ? osdear__fail_within(error, st, "the job runs as %s, but that could not be noted down", id->data ? id->data : "?")
            : st;
}

static osdear_status submit(osdear_runner *runner, const osdear__json *spec, const char *key, osdear_job **out,
                            osdear_error **error)
{
  SCOPED(buf) id = { 0 };
  osdear__note wanted = { .runner = runner->address, .key = key, .name = osdear__json_text(spec, "name") };
  osdear__submission submission = { .spec = spec, .key = key };
  osdear__entry entry;
  bool was_found = false;
  osdear_status st;

  wanted.created_us = submission.created_us = osdear__now_us();
  st = digest(spec, &wanted.spec, error);
  if (!st)
    st = osdear__journal_begin(&runner->journal, runner->context, &wanted, &entry, error);
  if (st)
    return st;
  submission.digest = wanted.spec;
  submission.folder = entry.folder;
  submission.name = entry.name;
  st = find_or_send(runner, &entry, &submission, &id, &was_found, error);
  osdear__entry_drop(&entry);
  if (!st)
    st = osdear_runner_attach(runner, id.data, out, error);
  if (!st)
    (*out)->was_found = was_found;
  return st;
}

osdear_status osdear_runner_submit(osdear_runner *runner, const char *spec, const osdear_submit_options *options,
                                   osdear_job **out, osdear_error **error)
{
  osdear_submit_options opts = OSDEAR_SUBMIT_OPTIONS_INIT;
  SCOPED(arena) arena = { 0 };
  osdear__json *value;
  osdear_status st;

  if (!runner || !spec || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "runner, spec and out must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (!st && opts.key && (!opts.key[0] || strlen(opts.key) > 200))
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a key has 1 to 200 bytes, not %zu", strlen(opts.key));
  if (!st)
    st = osdear__context_check(runner->context, error);
  if (!st)
    st = osdear__spec_read(spec, runner->kind->what, runner->kind->spec, &arena, &value, error);
  if (!st)
    st = runner->kind->check(runner, value, error);
  return st ? st : submit(runner, value, opts.key, out, error);
}

/* ---- listing ---- */

typedef struct list_item {
  osdear_job_note note;
  osdear__note owned;
} list_item;

struct osdear_job_list {
  list_item *items;
  size_t count, room;
};

static osdear_status take_note(void *argument, osdear__note *note, osdear_error **error)
{
  osdear_job_list *list = argument;

  if (list->count == list->room) {
    size_t room = list->room ? list->room * 2 : 16;
    list_item *grown = osdear__realloc_array(list->items, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    list->items = grown;
    list->room = room;
  }
  list->items[list->count++] = (list_item){ { note->id, note->name, note->key, note->created_us }, *note };
  *note = (osdear__note){ 0 };
  return OSDEAR_OK;
}

static int newest_first(const void *a, const void *b)
{
  int64_t left = ((const list_item *)a)->note.created_us, right = ((const list_item *)b)->note.created_us;

  return left < right ? 1 : left > right ? -1 : 0;
}

osdear_status osdear_runner_jobs(osdear_runner *runner, osdear_job_list **out, osdear_error **error)
{
  osdear_job_list *list;
  osdear_status st;

  if (!runner || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "runner and out must not be NULL");
  list = osdear__alloc_zeroed(1, sizeof *list);
  if (!list)
    return osdear__fail_memory(error);
  st = osdear__journal_each(&runner->journal, runner->context, runner->address, take_note, list, error);
  if (st) {
    osdear_job_list_free(list);
    return st;
  }
  if (list->count)
    qsort(list->items, list->count, sizeof *list->items, newest_first);
  *out = list;
  return OSDEAR_OK;
}

const osdear_job_note *osdear_job_list_get(const osdear_job_list *list, size_t index)
{
  return index < list->count ? &list->items[index].note : NULL;
}

void osdear_job_list_free(osdear_job_list *list)
{
  if (!list)
    return;
  for (size_t i = 0; i < list->count; i++)
    osdear__note_drop(&list->items[i].owned);
  osdear__free(list->items);
  osdear__free(list);
}
