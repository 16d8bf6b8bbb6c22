/* The run of commits that leads from a checkpoint, or from nothing, to a version. */
#include <delta/log/log.h>

void osdear__segment_drop(osdear__segment *segment)
{
  osdear__free(segment->commits);
  *segment = (osdear__segment){ 0 };
}

/* The widest compaction that starts with `version` and does not go past `last`; NULL: none. `*at` moves forward from call to call. */
static const osdear__commit_file *find_compacted(const osdear__listing *listing, int64_t version, int64_t last, size_t *at)
{
  const osdear__commit_file *widest = NULL;

  while (*at < listing->compacted_count && listing->compacted[*at].first_version < version)
    ++*at;
  for (size_t i = *at; i < listing->compacted_count && listing->compacted[i].first_version == version; i++)
    if (listing->compacted[i].version <= last)
      widest = &listing->compacted[i];
  return widest;
}

static osdear_status fail_gap(int64_t missing, int64_t version, const osdear__commit_file *after, const char *uri,
                              osdear_error **error)
{
  if (after)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%s: commit %" PRId64 " is missing from _delta_log, though %" PRId64 " is there", uri, missing,
                        after->version);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: commits %" PRId64 " to %" PRId64 " are missing from _delta_log", uri,
                      missing, version);
}

/* Appends what leads from version `after` to the segment's. */
static osdear_status add_commits(const osdear__listing *listing, int64_t after, bool compact, const char *uri,
                                 osdear__segment *segment, osdear_error **error)
{
  const osdear__commit_file *end = listing->commits + listing->commit_count;
  const osdear__commit_file *commit = listing->commits;
  osdear__commit_file *grown;
  size_t at = 0;

  if (after >= segment->version)
    return OSDEAR_OK;
  grown = osdear__realloc_array(
      segment->commits, segment->commit_count + (size_t)listing->commit_count + listing->compacted_count + 1, sizeof *grown);
  if (!grown)
    return osdear__fail_memory(error);
  segment->commits = grown;
  for (int64_t next = after + 1; next <= segment->version;) {
    const osdear__commit_file *found = compact ? find_compacted(listing, next, segment->version, &at) : NULL;

    while (commit < end && commit->version < next)
      commit++;
    if (!found && commit < end && commit->version == next)
      found = commit;
    if (!found)
      return fail_gap(next, segment->version, commit < end ? commit : NULL, uri, error);
    segment->commits[segment->commit_count++] = *found;
    next = found->version + 1;
  }
  return OSDEAR_OK;
}

/* The commit itself may have gone with the clean-up of the log. */
static void set_newest(const osdear__listing *listing, osdear__segment *segment)
{
  segment->newest = (osdear__commit_file){ segment->version, segment->version, -1, 0 };
  for (size_t i = listing->commit_count; i > 0 && listing->commits[i - 1].version >= segment->version; i--)
    if (listing->commits[i - 1].version == segment->version)
      segment->newest = listing->commits[i - 1];
}

osdear_status osdear__segment_new(const osdear__listing *listing, int64_t checkpoint, int64_t version, bool compact,
                                  const char *uri, osdear__segment *out, osdear_error **error)
{
  osdear__segment segment = { .version = version, .checkpoint_version = checkpoint };
  osdear_status st = add_commits(listing, checkpoint, compact, uri, &segment, error);

  set_newest(listing, &segment);
  if (st)
    osdear__segment_drop(&segment);
  else
    *out = segment;
  return st;
}

osdear_status osdear__segment_extend(const osdear__segment *base, const osdear__listing *listing, int64_t version,
                                     const char *uri, osdear__segment *out, osdear_error **error)
{
  osdear__segment segment = { .version = version, .checkpoint_version = base->checkpoint_version };
  osdear_status st = OSDEAR_OK;

  if (base->commit_count) {
    segment.commits = osdear__realloc_array(NULL, base->commit_count, sizeof *segment.commits);
    if (!segment.commits)
      return osdear__fail_memory(error);
    memcpy(segment.commits, base->commits, base->commit_count * sizeof *segment.commits);
    segment.commit_count = base->commit_count;
  }
  st = add_commits(listing, base->version, false, uri, &segment, error);
  set_newest(listing, &segment);
  if (st)
    osdear__segment_drop(&segment);
  else
    *out = segment;
  return st;
}
