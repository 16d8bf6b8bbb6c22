/* The run of commits that leads from a checkpoint, or from nothing, to a version. */
#include <delta/log/log.h>

void osdear__segment_drop(osdear__segment *segment)
{
  for (size_t i = 0; i < segment->part_count; i++)
    osdear__free(segment->parts[i].path);
  osdear__free(segment->parts);
  osdear__free(segment->commits);
  *segment = (osdear__segment){ 0 };
}

static osdear_status set_part(const char *path, int64_t size_bytes, osdear__segment *segment, osdear_error **error)
{
  segment->parts = osdear__alloc_zeroed(1, sizeof *segment->parts);
  if (!segment->parts)
    return osdear__fail_memory(error);
  segment->part_count = 1;
  segment->parts[0].size_bytes = size_bytes;
  segment->parts[0].path = osdear__strdup(path);
  return segment->parts[0].path ? OSDEAR_OK : osdear__fail_memory(error);
}

/* Appends the commits of versions (after, version] to the segment's. */
static osdear_status add_commits(const osdear__listing *listing, int64_t after, int64_t version, const char *uri, osdear__segment *segment,
                                 osdear_error **error)
{
  int64_t next = after + 1;
  osdear__commit_file *commits;
  size_t first = 0, count = 0;

  while (first < listing->commit_count && listing->commits[first].version <= after)
    first++;
  for (size_t i = first; i < listing->commit_count && listing->commits[i].version <= version; i++, next++, count++)
    if (listing->commits[i].version != next)
      break;
  if (next <= version && first + count < listing->commit_count)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: commit %" PRId64 " is missing from _delta_log, though %" PRId64 " is there", uri, next,
                        listing->commits[first + count].version);
  if (next <= version)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: commits %" PRId64 " to %" PRId64 " are missing from _delta_log", uri, next, version);
  if (!count)
    return OSDEAR_OK;
  commits = osdear__realloc_array(segment->commits, segment->commit_count + count, sizeof *commits);
  if (!commits)
    return osdear__fail_memory(error);
  memcpy(commits + segment->commit_count, listing->commits + first, count * sizeof *commits);
  segment->commits = commits;
  segment->commit_count += count;
  return OSDEAR_OK;
}

osdear_status osdear__segment_new(const osdear__listing *listing, const osdear__checkpoint_file *checkpoint, int64_t version,
                                  const char *uri, osdear__segment *out, osdear_error **error)
{
  osdear__segment segment = { .version = version, .checkpoint_version = checkpoint ? checkpoint->version : -1 };
  osdear_status st = add_commits(listing, segment.checkpoint_version, version, uri, &segment, error);

  if (!st && checkpoint)
    st = set_part(checkpoint->path, checkpoint->size_bytes, &segment, error);
  if (st)
    osdear__segment_drop(&segment);
  else
    *out = segment;
  return st;
}

osdear_status osdear__segment_extend(const osdear__segment *base, const osdear__listing *listing, int64_t version, const char *uri,
                                     osdear__segment *out, osdear_error **error)
{
  osdear__segment segment = { .version = version, .checkpoint_version = base->checkpoint_version };
  osdear_status st = OSDEAR_OK;

  if (base->part_count)
    st = set_part(base->parts[0].path, base->parts[0].size_bytes, &segment, error);
  if (!st && base->commit_count) {
    segment.commits = osdear__realloc_array(NULL, base->commit_count, sizeof *segment.commits);
    if (segment.commits) {
      memcpy(segment.commits, base->commits, base->commit_count * sizeof *segment.commits);
      segment.commit_count = base->commit_count;
    } else {
      st = osdear__fail_memory(error);
    }
  }
  if (!st)
    st = add_commits(listing, base->version, version, uri, &segment, error);
  if (st)
    osdear__segment_drop(&segment);
  else
    *out = segment;
  return st;
}
