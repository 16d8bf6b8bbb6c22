/* When versions came to be. */
#include <delta/log/log.h>

#define US_PER_MS 1000

osdear_status osdear__commit_times(const osdear__listing *listing, int64_t **out, osdear_error **error)
{
  size_t count = listing->commit_count;
  int64_t *times = osdear__realloc_array(NULL, count ? count : 1, sizeof *times);

  if (!times)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    times[i] = listing->commits[i].modified_ms;
    if (i > 0 && times[i] <= times[i - 1])
      times[i] = times[i - 1] + 1;
  }
  *out = times;
  return OSDEAR_OK;
}

/* ---- timestamps in commits ---- */

static osdear_status on_info(void *argument, const osdear__action *action, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *json = NULL;
  const osdear__json *value;
  osdear_status st = osdear__json_read(action->info, "commitInfo", &arena, &json, error);

  if (st)
    return st;
  value = osdear__json_get(json, "inCommitTimestamp");
  if (value && value->kind == JSON_IS_NUMBER && !osdear__parse_i64(value->text, argument))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "commitInfo.inCommitTimestamp is not an integer of 64 bits");
  return OSDEAR_OK;
}

/* Where commits carry timestamps, commitInfo is their first line: no more is parsed. */
static osdear_status in_commit_time(osdear__store *store, const osdear__commit_file *file, osdear__json_parser **parser,
                                    int64_t *out, osdear_error **error)
{
  AUTO(log_text) commit = NULL;
  char path[OSDEAR__LOG_PATH];
  osdear__str text;
  const char *end;
  int64_t line;
  osdear_status st;

  osdear__log_commit_path(file->version, path);
  st = osdear__log_text_open(store, path, file->size_bytes, &commit, error);
  if (!st)
    st = osdear__log_text_next(commit, &text, &line, error);
  if (st)
    return st;
  end = text.size ? memchr(text.data, '\n', text.size) : NULL;
  if (end)
    text.size = (size_t)(end - text.data);
  *out = INT64_MIN;
  st = osdear__actions_parse(text, path, 1, COMMIT_INFO, parser, on_info, out, error);
  if (!st && *out == INT64_MIN)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT,
                      "%s: the table has in-commit timestamps, but the first line is no commitInfo with an inCommitTimestamp",
                      path);
  return st;
}

/* The last of the commits [from, to) whose own timestamp is not after `ms`; `from` - 1 when there is none. They ascend. */
static osdear_status search_commits(osdear__store *store, const osdear__listing *listing, size_t from, size_t to, int64_t ms,
                                    size_t *out, osdear_error **error)
{
  AUTO(json_parser) parser = NULL;
  int64_t time = 0;
  osdear_status st;

  while (from < to) {
    size_t middle = from + (to - from) / 2;
    st = in_commit_time(store, &listing->commits[middle], &parser, &time, error);
    if (st)
      return st;
    if (time <= ms)
      from = middle + 1;
    else
      to = middle;
  }
  *out = from; /* one past the last that fits */
  return OSDEAR_OK;
}

static osdear_status search_files(const osdear__listing *listing, size_t from, size_t to, int64_t ms, size_t *out,
                                  osdear_error **error)
{
  int64_t *times = NULL;
  osdear_status st = osdear__commit_times(listing, &times, error);

  if (st)
    return st;
  while (to > from && times[to - 1] > ms)
    to--;
  *out = to;
  osdear__free(times);
  return OSDEAR_OK;
}

static size_t first_at_least(const osdear__listing *listing, int64_t version)
{
  size_t i = 0;

  while (i < listing->commit_count && listing->commits[i].version < version)
    i++;
  return i;
}

static int64_t floor_ms(int64_t us)
{
  return us / US_PER_MS - (us % US_PER_MS < 0);
}

/* Commits from the enablement version on are judged by what they say, older ones by their files: PROTOCOL.md, "Reader Requirements for
 * In-Commit Timestamps". */
osdear_status osdear__version_at(osdear__store *store, const osdear__listing *listing, const osdear_snapshot *newest,
                                 int64_t timestamp_us, int64_t *version, osdear_error **error)
{
  const osdear__metadata *metadata = &newest->metadata;
  bool in_commit = osdear__metadata_property_bool(metadata, "delta.enableInCommitTimestamps", false);
  int64_t since = osdear__metadata_property_i64(metadata, "delta.inCommitTimestampEnablementVersion", 0);
  int64_t since_ms = osdear__metadata_property_i64(metadata, "delta.inCommitTimestampEnablementTimestamp", INT64_MIN);
  size_t first = first_at_least(listing, osdear__listing_earliest(listing));
  size_t enabled = in_commit ? first_at_least(listing, since) : listing->commit_count;
  int64_t ms = floor_ms(timestamp_us);
  size_t found;
  osdear_status st;

  if (enabled < first)
    enabled = first;
  if (in_commit && enabled < listing->commit_count && (ms >= since_ms || enabled == first))
    st = search_commits(store, listing, enabled, listing->commit_count, ms, &found, error);
  else
    st = search_files(listing, first, enabled, ms, &found, error);
  if (st)
    return st;
  if (found <= first) {
    char text[OSDEAR__TIME_TEXT];
    osdear__format_timestamp(timestamp_us, 'T', "Z", text);
    return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "%s: no version is as old as %s; the log starts with version %" PRId64,
                        osdear__store_uri(store), text, osdear__listing_earliest(listing));
  }
  *version = listing->commits[found - 1].version;
  return OSDEAR_OK;
}
