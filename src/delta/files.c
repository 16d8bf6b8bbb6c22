/* The files of a snapshot, one after the other: the tail's from memory, or from their commits where more is wanted than is kept, then
 * the checkpoint's. */
#include <delta/prune.h>
#include <delta/replay.h>

#define US_PER_MS 1000
#define DEFAULT_RETENTION_MS (INT64_C(7) * 24 * 3600 * 1000)

/* The tail's adds out of one piece of a commit. */
typedef struct piece {
  osdear__arena arena;
  osdear__file *files;
  size_t count, room;
  size_t next;
} piece;

struct osdear__file_iterator {
  osdear_snapshot *snapshot;
  unsigned want;             /* FILES_…, as asked */
  bool tombstones;
  int64_t oldest_ms;         /* tombstones deleted before have expired */
  bool reread;               /* the tail lacks what is wanted */
  size_t position;           /* of the tail's next entry, or how many of the commits were opened, newest first */
  osdear__commit_text *commit;
  osdear__json_parser *parser;
  int64_t version;           /* of `commit` */
  int64_t ordinal;           /* of its next file action */
  piece piece;
  bool tail_is_done;
  osdear__checkpoint_rows *rows;
  osdear__prune prune;
  osdear__buf key;
  int64_t seen;
};

void osdear__file_iterator_auto(osdear__file_iterator **at)
{
  osdear__file_iterator *it = *at;

  if (!it)
    return;
  osdear__commit_text_auto(&it->commit);
  osdear__json_parser_auto(&it->parser);
  osdear__arena_drop(&it->piece.arena);
  osdear__free(it->piece.files);
  osdear__checkpoint_rows_auto(&it->rows);
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
  st = osdear__prune_init(&it->prune, where, &snapshot->metadata, error);
  if (st)
    return st;
  extras = (want & (FILES_STATS | FILES_TAGS)) | (it->prune.needs_stats ? (unsigned)FILES_STATS : 0);
  it->reread = extras && !tombstones && !snapshot->tail->is_full;
  if (snapshot->segment.part_count) {
    st = osdear__checkpoint_rows_new(snapshot->parts, snapshot->segment.part_count, !tombstones, extras, &it->rows, error);
    if (st)
      return st;
  }
  *out = it;
  it = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__file_iterator_open(osdear_snapshot *snapshot, const osdear__expr *where, unsigned want, osdear__file_iterator **out,
                                         osdear_error **error)
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
  int64_t retention = osdear__metadata_property_ms(&snapshot->metadata, "delta.deletedFileRetentionDuration", DEFAULT_RETENTION_MS);
  osdear_status st = iterator_new(snapshot, NULL, 0, true, out, error);

  if (!st)
    (*out)->oldest_ms = osdear__now_us() / US_PER_MS - retention;
  return st;
}

/* ---- the tail, from its commits ---- */

/* Takes the action if it is the one that the tail says is live. */
static osdear_status on_action(void *argument, const osdear__action *action, osdear_error **error)
{
  osdear__file_iterator *it = argument;
  const osdear__tail_entry *entry;
  int64_t ordinal = it->ordinal++;
  osdear_status st;

  if (action->kind != ACTION_ADD)
    return OSDEAR_OK;
  st = osdear__tail_find(it->snapshot->tail, &action->file, osdear__store_uri(it->snapshot->store), &it->key, &entry, error);
  if (st || !entry || !entry->is_add || entry->version != it->version || entry->ordinal != ordinal)
    return st;
  if (it->piece.count == it->piece.room) {
    size_t room = it->piece.room ? it->piece.room * 2 : 64;
    osdear__file *grown = osdear__realloc_array(it->piece.files, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    it->piece.files = grown;
    it->piece.room = room;
  }
  st = osdear__file_copy(&action->file, &it->piece.arena, &it->piece.files[it->piece.count], error);
  if (!st)
    it->piece.count++;
  return st;
}

static osdear_status open_next_commit(osdear__file_iterator *it, osdear_error **error)
{
  const osdear__segment *segment = &it->snapshot->segment;
  const osdear__commit_file *file = &segment->commits[segment->commit_count - 1 - it->position];

  it->position++;
  it->version = file->version;
  it->ordinal = 0;
  return osdear__commit_text_open(it->snapshot->store, file->version, file->size_bytes, &it->commit, error);
}

/* Leaves `piece` empty at the end of all commits. */
static osdear_status next_piece(osdear__file_iterator *it, osdear_error **error)
{
  unsigned keep = COMMIT_FILES | COMMIT_STATS | COMMIT_TAGS;
  osdear__str text;
  int64_t line;
  osdear_status st;

  it->piece.count = it->piece.next = 0;
  osdear__arena_reset(&it->piece.arena);
  while (!it->piece.count) {
    if (!it->commit) {
      if (it->position == it->snapshot->segment.commit_count)
        return OSDEAR_OK;
      st = open_next_commit(it, error);
      if (st)
        return st;
    }
    st = osdear__commit_text_next(it->commit, &text, &line, error);
    if (st)
      return st;
    if (!text.size) {
      osdear__commit_text_auto(&it->commit);
      continue;
    }
    st = osdear__actions_parse(text, osdear__commit_text_name(it->commit), line, keep, &it->parser, on_action, it, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- the next file ---- */

static osdear_status next_of_tail(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const osdear__tail *tail = it->snapshot->tail;
  osdear_status st;

  *out = NULL;
  if (it->reread) {
    if (it->piece.next == it->piece.count) {
      st = next_piece(it, error);
      if (st || !it->piece.count)
        return st;
    }
    *out = &it->piece.files[it->piece.next++];
    return OSDEAR_OK;
  }
  while (it->position < tail->entry_count && !*out) {
    const osdear__tail_entry *entry = tail->entries[it->position++];
    if (entry->is_add != it->tombstones)
      *out = &entry->file;
  }
  return OSDEAR_OK;
}

/* Rows of the checkpoint for which the tail has a newer action do not count. */
static osdear_status next_of_checkpoint(osdear__file_iterator *it, const osdear__file **out, osdear_error **error)
{
  const char *root = osdear__store_uri(it->snapshot->store);
  const osdear__tail_entry *newer;
  osdear_status st;

  *out = NULL;
  if (!it->rows)
    return OSDEAR_OK;
  for (;;) {
    st = osdear__checkpoint_rows_next(it->rows, out, error);
    if (st)
      return osdear__fail_within(error, st, "%s", it->snapshot->segment.parts[0].path);
    if (!*out)
      return OSDEAR_OK;
    st = osdear__tail_find(it->snapshot->tail, *out, root, &it->key, &newer, error);
    if (st || !newer)
      return st;
  }
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
