/* The files of a snapshot, one after the other: the tail's from memory, or from their commits where more is wanted than is kept, then
 * the checkpoint's. */
#include <delta/prune.h>
#include <delta/replay.h>

#define US_PER_MS 1000
#define DEFAULT_RETENTION_MS (INT64_C(7) * 24 * 3600 * 1000)

struct osdear__file_iterator {
  osdear_snapshot *snapshot;
  unsigned want; /* FILES_…, as asked */
  bool tombstones;
  int64_t oldest_ms; /* tombstones deleted before have expired */
  bool reread;       /* the tail lacks what is wanted */
  size_t position;   /* of the tail's next entry, or how many of the commits were opened, newest first */
  osdear__text_files commit;
  int64_t version; /* of `commit` */
  bool tail_is_done;
  osdear__checkpoint_rows *rows;
  int64_t taken;                /* of them, so far */
  osdear__file_iterator *other; /* once the checkpoint failed: the same state from what else the log holds */
  osdear__map taken_keys;       /* what came before; its texts in the arena */
  osdear__arena arena;
  osdear__prune prune;
  osdear__buf key;
  int64_t seen;
};

void osdear__file_iterator_auto(osdear__file_iterator **at)
{
  osdear__file_iterator *it = *at;

  if (!it)
    return;
  osdear__text_files_drop(&it->commit);
  osdear__checkpoint_rows_auto(&it->rows);
  osdear__file_iterator_auto(&it->other);
  osdear__map_drop(&it->taken_keys);
  osdear__arena_drop(&it->arena);
  osdear__prune_drop(&it->prune);
  osdear__buf_drop(&it->key);
  osdear_snapshot_unref(it->snapshot);
  osdear__free(it);
  *at = NULL;
}

int64_t osdear__file_iterator_seen(const osdear__file_iterator *iterator)
{
  return iterator->seen;
}

/* ---- making one ---- */

/* Of a commit that is read again: is it the action that the tail says is live? */
static osdear_status is_live(void *argument, const osdear__action *action, int64_t ordinal, bool *wanted, osdear_error **error)
{
  osdear__file_iterator *it = argument;
  const osdear__tail_entry *entry = NULL;
  osdear_status st = OSDEAR_OK;

  if (action->kind == ACTION_ADD)
    st = osdear__tail_find(it->snapshot->tail, &action->file, &it->key, &entry, error);
  *wanted = !st && entry && entry->is_add && entry->version == it->version && entry->ordinal == ordinal;
  return st;
}

static osdear_status iterator_new(osdear_snapshot *snapshot, const osdear__expr *where, unsigned want, bool tombstones,
                                  osdear__file_iterator **out, osdear_error **error)
{
  AUTO(file_iterator) it = osdear__alloc_zeroed(1, sizeof *it);
  unsigned extras;
  osdear_status st;

  if (!it)
    return osdear__fail_memory(error);
  it->snapshot = osdear_snapshot_ref(snapshot);
  it->want = want;
  it->tombstones = tombstones;
  osdear__prune_init(&it->prune, where, &snapshot->metadata);
  extras = (want & (FILES_STATS | FILES_TAGS)) | (it->prune.needs_stats ? (unsigned)FILES_STATS : 0);
  it->reread = extras && !tombstones && !snapshot->tail->is_full;
  it->commit.pick = is_live;
  it->commit.argument = it;
  it->commit.keep = COMMIT_FILES | COMMIT_STATS | COMMIT_TAGS;
  if (snapshot->checkpoint) {
    st = osdear__checkpoint_rows_new(snapshot->checkpoint, !tombstones, extras, &it->rows, error);
    if (st)
      return st;
  }
  *out = it;
  it = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__file_iterator_open(osdear_snapshot *snapshot, const osdear__expr *where, unsigned want,
                                         osdear__file_iterator **out, osdear_error **error)
{
  return iterator_new(snapshot, where, want, false, out, error);
}

osdear_status osdear__file_iterator_new(osdear_snapshot *snapshot, const osdear__expr *where, osdear__file_iterator **out,
                                        osdear_error **error)
{
  return iterator_new(snapshot, where, FILES_STATS | FILES_TAGS, false, out, error);
}

osdear_status osdear__tombstone_iterator_new(osdear_snapshot *snapshot, osdear__file_iterator **out, osdear_error **error)
{
  int64_t retention =
      osdear__metadata_property_ms(&snapshot->metadata, "delta.deletedFileRetentionDuration", DEFAULT_RETENTION_MS);
  osdear_status st = iterator_new(snapshot, NULL, 0, true, out, error);

  if (!st)
    (*out)->oldest_ms = osdear__now_us() / US_PER_MS - retention;
  return st;
}

/* ---- the next file ---- */

/* From the commits, newest first. */
static osdear_status read_again(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const osdear__segment *segment = &it->snapshot->segment;
  char path[OSDEAR__LOG_PATH];
  osdear_status st = OSDEAR_OK;

  while (!st && !*out) {
    if (!it->commit.text) {
      const osdear__commit_file *file;

      if (it->position == segment->commit_count)
        return OSDEAR_OK;
      file = &segment->commits[segment->commit_count - 1 - it->position++];
      it->version = file->version;
      osdear__log_file_path(file, path);
      st = osdear__text_files_open(&it->commit, it->snapshot->store, path, file->size_bytes, error);
    }
    if (!st)
      st = osdear__text_files_next(&it->commit, out, error);
  }
  return st;
}

static osdear_status next_of_tail(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const osdear__tail *tail = it->snapshot->tail;

  *out = NULL;
  if (it->reread)
    return read_again(it, out, error);
  while (it->position < tail->entry_count && !*out) {
    const osdear__tail_entry *entry = tail->entries[it->position++];
    if (entry->is_add != it->tombstones)
      *out = &entry->file;
  }
  return OSDEAR_OK;
}

/* ---- the checkpoint, and what takes its place ---- */

/* The next of the checkpoint's rows for which the tail has no newer action. */
static osdear_status next_row(osdear__file_iterator *it, osdear__checkpoint_rows *rows, int64_t *taken, const osdear__file **out,
                              osdear_error **error)
{
  const osdear__tail_entry *newer;
  osdear_status st;

  for (;;) {
    st = osdear__checkpoint_rows_next(rows, out, error);
    if (st || !*out)
      return st;
    st = osdear__tail_find(it->snapshot->tail, *out, &it->key, &newer, error);
    if (st || newer)
      *out = NULL;
    if (st)
      return st;
    if (!newer)
      break;
  }
  ++*taken;
  return OSDEAR_OK;
}

/* Reads again what came out of the checkpoint before it failed, so that none of it comes a second time. */
static osdear_status remember_taken(osdear__file_iterator *it, osdear_error **error)
{
  AUTO(checkpoint_rows) rows = NULL;
  const osdear__file *file;
  osdear__str key = { NULL, 0 };
  int64_t count = 0;
  osdear_status st = osdear__checkpoint_rows_new(it->snapshot->checkpoint, !it->tombstones, 0, &rows, error);

  while (!st && count < it->taken) {
    osdear__map_entry *entry;
    bool is_new;

    st = next_row(it, rows, &count, &file, error);
    if (!st && !file)
      st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "the checkpoint changed while it was read");
    if (!st)
      st = osdear__file_key(file, &it->key, &key, error);
    if (st)
      return st;
    key.data = osdear__arena_strndup(&it->arena, key.data, key.size);
    entry = key.data ? osdear__map_add(&it->taken_keys, key, &is_new) : NULL;
    if (!entry)
      return osdear__fail_memory(error);
  }
  return st;
}

static osdear_status fall_back(osdear__file_iterator *it, osdear_error **error)
{
  unsigned want = it->want | (it->prune.needs_stats ? (unsigned)FILES_STATS : 0);
  osdear_snapshot *other = NULL;
  osdear_status st = remember_taken(it, error);

  if (!st)
    st = osdear__snapshot_fall_back(it->snapshot, &other, error);
  if (!st)
    st = iterator_new(other, NULL, want, it->tombstones, &it->other, error);
  osdear_snapshot_unref(other);
  return st;
}

/* What neither the tail had nor the checkpoint before it failed. */
static osdear_status next_of_other(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const osdear__tail_entry *newer = NULL;
  osdear__str key;
  osdear_status st;

  for (;;) {
    st = osdear__file_iterator_next(it->other, out, error);
    if (st || !*out)
      return st;
    st = osdear__tail_find(it->snapshot->tail, *out, &it->key, &newer, error);
    if (!st)
      st = osdear__file_key(*out, &it->key, &key, error);
    if (st || (!newer && !osdear__map_find(&it->taken_keys, key)))
      return st;
  }
}

/* A checkpoint may turn out to be damaged anywhere. As long as the log holds another way to the same state, that one is taken. */
static osdear_status next_of_checkpoint(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  AUTO(error) damage = NULL;
  AUTO(error) why = NULL;
  osdear_status st;

  *out = NULL;
  if (!it->rows)
    return OSDEAR_OK;
  if (it->other)
    return next_of_other(it, out, error);
  st = next_row(it, it->rows, &it->taken, out, &damage);
  if (!st)
    return OSDEAR_OK;
  if (osdear__may_fall_back(st) && fall_back(it, &why) == OSDEAR_OK) {
    osdear__log(it->snapshot->context, OSDEAR_LOG_WARNING, "delta", "passed over: %s", osdear_error_message(damage));
    return next_of_other(it, out, error);
  }
  if (error) {
    osdear_error_free(*error);
    *error = damage;
    damage = NULL;
  }
  return st;
}

static osdear_status next_any(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  osdear_status st;

  if (!it->tail_is_done) {
    st = next_of_tail(it, out, error);
    if (st || *out)
      return st;
    it->tail_is_done = true;
  }
  return next_of_checkpoint(it, out, error);
}

osdear_status osdear__file_iterator_next(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const osdear__file *file;
  osdear_status st;
  bool keep;

  for (;;) {
    if ((it->seen & 1023) == 0) {
      st = osdear__context_check(it->snapshot->context, error);
      if (st)
        return st;
    }
    st = next_any(it, &file, error);
    if (st)
      return st;
    if (!file)
      break;
    it->seen++;
    keep = !it->tombstones || file->deleted_ms >= it->oldest_ms;
    if (keep)
      st = osdear__prune_file(&it->prune, file, &keep, error);
    if (st)
      return st;
    if (keep)
      break;
  }
  *out = file;
  return OSDEAR_OK;
}
