/** @file conflict.c Whether another writer's commit makes ours wrong: the table in reference §9, row by row. */
#include <delta/replay.h>
#include <delta/write.h>

unsigned osdear__conflict_needs(const osdear__claims *claims)
{
  bool reads = claims->reads_whole_table || claims->reads || claims->read_keys;
  unsigned needs = COMMIT_TABLE | COMMIT_INFO;

  return reads || claims->removes ? needs | COMMIT_FILES : needs;
}

static bool is_blind_append(const osdear__commit *winner)
{
  const osdear__json *value = winner->info ? osdear__json_get(winner->info, "isBlindAppend") : NULL;

  return value && value->kind == JSON_IS_BOOL && value->truth;
}

/* Another protocol is no harm as long as it takes nothing away and asks for nothing that we cannot do. */
static osdear_status check_protocol(const osdear__claims *claims, const osdear__commit *winner, osdear_error **error)
{
  const osdear_snapshot *snapshot = claims->snapshot;
  const osdear__protocol *now = winner->protocol;
  AUTO(error) why = NULL;
  osdear_status st;

  if (!now)
    return OSDEAR_OK;
  st = osdear__protocol_check_write(now, &snapshot->metadata, osdear__store_uri(snapshot->store), &why);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  if (st)
    return osdear__fail(error, OSDEAR_ERR_CONFLICT, "ProtocolChanged: version %" PRId64 " changed the protocol: %s",
                        winner->version, osdear_error_message(why));
  for (size_t i = 0; snapshot->protocol.writer_features && snapshot->protocol.writer_features[i]; i++)
    if (!osdear__protocol_has_writer_feature(now, snapshot->protocol.writer_features[i]))
      return osdear__fail(error, OSDEAR_ERR_CONFLICT, "ProtocolChanged: version %" PRId64 " dropped the table feature %s",
                          winner->version, snapshot->protocol.writer_features[i]);
  return OSDEAR_OK;
}

static osdear_status check_txns(const osdear__claims *claims, const osdear__commit *winner, bool *was_done, osdear_error **error)
{
  for (size_t i = 0; i < winner->txn_count && claims->app_id; i++) {
    if (strcmp(winner->txns[i].app_id, claims->app_id) != 0)
      continue;
    if (winner->txns[i].version >= claims->app_version) {
      *was_done = true;
      return OSDEAR_OK;
    }
    return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                        "ConcurrentTransaction: version %" PRId64 " was written by \"%s\" too, as its %" PRId64
                        " (ours is %" PRId64 ")",
                        winner->version, claims->app_id, winner->txns[i].version, claims->app_version);
  }
  return OSDEAR_OK;
}

/* Is it among what we read? */
static osdear_status was_read(const osdear__claims *claims, const osdear__file *file, bool *out, osdear_error **error)
{
  osdear_status st;

  *out = claims->reads_whole_table;
  if (*out)
    return OSDEAR_OK;
  if (claims->reads) {
    st = osdear__partition_filter_test(claims->reads, file, out, error);
    if (st || *out)
      return st;
  }
  if (claims->read_keys) {
    SCOPED(buf) key = { 0 };
    st = osdear__partition_key(&claims->snapshot->metadata, file, &key, error);
    if (st)
      return st;
    *out = osdear__map_find(claims->read_keys, (osdear__str){ key.data, key.size }) != NULL;
  }
  return OSDEAR_OK;
}

static bool counts_as_added(const osdear__claims *claims, const osdear__commit *winner, const osdear__file *file)
{
  switch (claims->isolation) {
  case ISOLATION_SERIALIZABLE: return true;
  case ISOLATION_WRITE_SERIALIZABLE: /* a blind append may as well have come after us */
    return file->data_change && !is_blind_append(winner);
  case ISOLATION_SNAPSHOT: break;
  }
  return false;
}

static osdear_status check_adds(const osdear__claims *claims, const osdear__commit *winner, osdear_error **error)
{
  for (size_t i = 0; i < winner->add_count; i++) {
    const osdear__file *file = &winner->adds[i];
    bool read = false;
    osdear_status st;

    if (!counts_as_added(claims, winner, file))
      continue;
    st = was_read(claims, file, &read, error);
    if (st)
      return st;
    if (read)
      return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                          "ConcurrentAppend: version %" PRId64
                          " added \"%.*s\" to what this write replaces; read the table again",
                          winner->version, (int)file->path.size, file->path.data);
  }
  return OSDEAR_OK;
}

/* Writers may spell the path of one file differently. */
static osdear_status is_removed(const osdear__claims *claims, const osdear__file *file, bool *out, osdear_error **error)
{
  SCOPED(buf) scratch = { 0 };
  osdear__str path;
  osdear_status st;

  *out = false;
  if (!claims->removes)
    return OSDEAR_OK;
  st = osdear__canonical_path(file->path, &scratch, &path, error);
  if (!st)
    *out = osdear__map_find(claims->removes, path) != NULL;
  return st;
}

static osdear_status check_removes(const osdear__claims *claims, const osdear__commit *winner, osdear_error **error)
{
  for (size_t i = 0; i < winner->remove_count; i++) {
    const osdear__file *file = &winner->removes[i];
    bool ours = false;
    osdear_status st = is_removed(claims, file, &ours, error);

    if (st)
      return st;
    if (ours)
      return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                          "ConcurrentDeleteDelete: version %" PRId64 " removed \"%.*s\", which this write removes too",
                          winner->version, (int)file->path.size, file->path.data);
    if (claims->reads_whole_table)
      return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                          "ConcurrentDeleteRead: version %" PRId64 " removed \"%.*s\", which this write has read",
                          winner->version, (int)file->path.size, file->path.data);
  }
  return OSDEAR_OK;
}

osdear_status osdear__conflict_check(const osdear__claims *claims, const osdear__commit *winner, bool *was_done,
                                     osdear_error **error)
{
  osdear_status st;

  *was_done = false;
  st = check_txns(claims, winner, was_done, error);
  if (st || *was_done)
    return st;
  st = check_protocol(claims, winner, error);
  if (st)
    return st;
  if (winner->metadata)
    return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                        "MetadataChanged: version %" PRId64 " changed the table's schema or properties; read the table again",
                        winner->version);
  st = check_adds(claims, winner, error);
  return st ? st : check_removes(claims, winner, error);
}
