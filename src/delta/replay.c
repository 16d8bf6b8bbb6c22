/* Actions put in their places as they come, newest commit first. */
#include <delta/replay.h>

/* Where in its list a transaction or a domain stands, and which commit said so. */
typedef struct list_entry {
  size_t index;
  int64_t version;
} list_entry;

void osdear__replay_drop(osdear__replay *replay)
{
  osdear__tail_auto(&replay->tail);
  osdear__map_drop(&replay->txn_keys);
  osdear__map_drop(&replay->domain_keys);
  osdear__free(replay->txns);
  osdear__free(replay->domains);
  osdear__buf_drop(&replay->key);
}

osdear_status osdear__tail_new(bool is_full, osdear__tail **out, osdear_error **error)
{
  osdear__tail *tail = osdear__alloc_zeroed(1, sizeof *tail);

  if (!tail)
    return osdear__fail_memory(error);
  tail->is_full = is_full;
  *out = tail;
  return OSDEAR_OK;
}

void osdear__tail_auto(osdear__tail **tail)
{
  if (!*tail)
    return;
  osdear__arena_drop(&(*tail)->arena);
  osdear__map_drop(&(*tail)->keys);
  osdear__free((*tail)->entries);
  osdear__free(*tail);
  *tail = NULL;
}

/* ---- files ---- */

/* An entry of its own for a key that is new. The key is kept with it, unless it is the path as the entry holds it. */
static osdear_status add_entry(osdear__tail *tail, osdear__str key, const osdear__file *file, osdear__map_entry *place,
                               osdear__tail_entry **out, osdear_error **error)
{
  osdear__tail_entry *entry = osdear__arena_zeroed(&tail->arena, 1, sizeof *entry);
  osdear_status st;

  if (!entry)
    return osdear__fail_memory(error);
  if (tail->entry_count == tail->entry_room) {
    size_t room = tail->entry_room ? tail->entry_room * 2 : 32;
    osdear__tail_entry **grown = osdear__realloc_array(tail->entries, room, sizeof(osdear__tail_entry *));
    if (!grown)
      return osdear__fail_memory(error);
    tail->entries = grown;
    tail->entry_room = room;
  }
  st = osdear__file_copy(file, &tail->arena, &entry->file, error);
  if (st)
    return st;
  if (osdear__str_equal(key, entry->file.path)) {
    place->key = entry->file.path;
  } else {
    place->key.data = osdear__arena_strndup(&tail->arena, key.data, key.size);
    if (!place->key.data)
      return osdear__fail_memory(error);
  }
  place->value = entry;
  tail->entries[tail->entry_count++] = entry;
  *out = entry;
  return OSDEAR_OK;
}

/* A commit should not name a key twice; where it does, its later line counts, as in Spark. A failure leaves a map that must not be
 * used further: the replay is given up then. */
static osdear_status see_file(osdear__replay *replay, const osdear__file *seen, bool is_add, int64_t version, int64_t ordinal,
                              osdear_error **error)
{
  osdear__tail *tail = replay->tail;
  osdear__file file = *seen;
  osdear__map_entry *place;
  osdear__tail_entry *entry = NULL;
  osdear__str key;
  bool is_new;
  osdear_status st = osdear__file_key(seen, &replay->key, &key, error);

  if (st)
    return st;
  if (!tail->is_full)
    file.stats = file.tags = (osdear__str){ NULL, 0 };
  place = osdear__map_add(&tail->keys, key, &is_new);
  if (!place)
    return osdear__fail_memory(error);
  if (is_new) {
    st = add_entry(tail, key, &file, place, &entry, error);
  } else {
    entry = place->value;
    if (entry->version != version)
      return OSDEAR_OK;
    if (replay->is_compacted)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                          "a compaction with two actions of the file `%.*s`: which one came last is not told",
                          (int)file.path.size, file.path.data);
    st = osdear__file_copy(&file, &tail->arena, &entry->file, error);
  }
  if (st)
    return st;
  entry->is_add = is_add;
  entry->version = version;
  entry->ordinal = ordinal;
  return OSDEAR_OK;
}

osdear_status osdear__tail_find(const osdear__tail *tail, const osdear__file *file, osdear__buf *scratch,
                                const osdear__tail_entry **out, osdear_error **error)
{
  const osdear__map_entry *place;
  osdear__str key;
  osdear_status st;

  *out = NULL;
  if (!tail->keys.count)
    return OSDEAR_OK;
  st = osdear__file_key(file, scratch, &key, error);
  if (st)
    return st;
  place = osdear__map_find(&tail->keys, key);
  if (place)
    *out = place->value;
  return OSDEAR_OK;
}

/* ---- the rest ---- */

/* Of two actions of a commit the later counts. Rows of checkpoints and lines of compactions come in no order. */
static bool has_order(const osdear__replay *replay, int64_t version)
{
  return version >= 0 && !replay->is_compacted;
}

static osdear_status see_protocol(osdear__replay *replay, const osdear__protocol *protocol, int64_t version, osdear_error **error)
{
  osdear_status st;

  if (replay->has_protocol && replay->protocol_version != version)
    return OSDEAR_OK;
  if (replay->has_protocol && !has_order(replay, version))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a second protocol: which one counts is not defined");
  st = osdear__protocol_copy(protocol, replay->arena, &replay->protocol, error);
  replay->has_protocol = !st;
  replay->protocol_version = version;
  return st;
}

static osdear_status see_metadata(osdear__replay *replay, const osdear__metadata *metadata, int64_t version, osdear_error **error)
{
  osdear_status st;

  if (replay->has_metadata && replay->metadata_version != version)
    return OSDEAR_OK;
  if (replay->has_metadata && !has_order(replay, version))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a second metaData: which one counts is not defined");
  st = osdear__metadata_copy(metadata, replay->arena, &replay->metadata, error);
  replay->has_metadata = !st;
  replay->metadata_version = version;
  return st;
}

/* The place of `key` in a list that grows: *index is its own, `count` where it is new. Of two actions of a commit the later counts, as
 * for files; *is_kept tells whether a newer commit has one. */
static osdear_status list_place(osdear__replay *replay, osdear__map *keys, const char *key, void *list_at, size_t count,
                                size_t *room, size_t size, size_t *index, bool *is_kept, osdear_error **error)
{
  const osdear__map_entry *place = osdear__map_find(keys, osdear__str_of(key));
  const list_entry *entry = place ? place->value : NULL;
  void *list;

  *index = entry ? entry->index : count;
  *is_kept = entry && entry->version != replay->version;
  if (count < *room)
    return OSDEAR_OK;
  memcpy(&list, list_at, sizeof list);
  list = osdear__realloc_array(list, *room ? *room * 2 : 8, size);
  if (!list)
    return osdear__fail_memory(error);
  memcpy(list_at, &list, sizeof list);
  *room = *room ? *room * 2 : 8;
  return OSDEAR_OK;
}

/* `key` is the copy that lasts. */
static osdear_status note_place(osdear__replay *replay, osdear__map *keys, const char *key, size_t index, size_t *count,
                                osdear_error **error)
{
  list_entry *entry;
  osdear__map_entry *place;
  bool is_new;

  if (index < *count)
    return OSDEAR_OK;
  entry = osdear__arena_zeroed(replay->arena, 1, sizeof *entry);
  place = entry ? osdear__map_add(keys, osdear__str_of(key), &is_new) : NULL;
  if (!place)
    return osdear__fail_memory(error);
  *entry = (list_entry){ index, replay->version };
  place->value = entry;
  ++*count;
  return OSDEAR_OK;
}

static osdear_status see_txn(osdear__replay *replay, const osdear__txn *txn, osdear_error **error)
{
  size_t index;
  bool is_kept;
  osdear_status st = list_place(replay, &replay->txn_keys, txn->app_id, &replay->txns, replay->txn_count, &replay->txn_room,
                                sizeof *replay->txns, &index, &is_kept, error);

  if (st || is_kept)
    return st;
  st = osdear__txn_copy(txn, replay->arena, &replay->txns[index], error);
  return st ? st : note_place(replay, &replay->txn_keys, replay->txns[index].app_id, index, &replay->txn_count, error);
}

static osdear_status see_domain(osdear__replay *replay, const osdear__domain *domain, osdear_error **error)
{
  size_t index;
  bool is_kept;
  osdear_status st = list_place(replay, &replay->domain_keys, domain->name, &replay->domains, replay->domain_count,
                                &replay->domain_room, sizeof *replay->domains, &index, &is_kept, error);

  if (st || is_kept)
    return st;
  st = osdear__domain_copy(domain, replay->arena, &replay->domains[index], error);
  return st ? st : note_place(replay, &replay->domain_keys, replay->domains[index].name, index, &replay->domain_count, error);
}

osdear_status osdear__replay_action(void *argument, const osdear__action *action, osdear_error **error)
{
  osdear__replay *replay = argument;

  switch (action->kind) {
  case ACTION_ADD:
  case ACTION_REMOVE:
    return see_file(replay, &action->file, action->kind == ACTION_ADD, replay->version, replay->ordinal++, error);
  case ACTION_PROTOCOL: return see_protocol(replay, &action->protocol, replay->version, error);
  case ACTION_METADATA: return see_metadata(replay, &action->metadata, replay->version, error);
  case ACTION_TXN: return see_txn(replay, &action->txn, error);
  case ACTION_DOMAIN: return see_domain(replay, &action->domain, error);
  case ACTION_COMMIT_INFO:
  case ACTION_SIDECAR:
  case ACTION_CDC:
  case ACTION_CHECKPOINT: break;
  }
  return OSDEAR_OK;
}

/* The commits before commits[left], which come next. */
static void expect_commits(osdear__store *store, const osdear__commit_file *commits, size_t left)
{
  osdear__store_item items[OSDEAR__STORE_EXPECTED / 2];
  char paths[COUNT_OF(items)][OSDEAR__LOG_PATH];
  size_t count = 0;

  for (; count < COUNT_OF(items) && count < left; count++) {
    osdear__log_file_path(&commits[left - 1 - count], paths[count]);
    items[count] = (osdear__store_item){ .path = paths[count], .size_bytes = commits[left - 1 - count].size_bytes };
  }
  osdear__store_expect(store, items, count);
}

osdear_status osdear__replay_commits(osdear__replay *replay, osdear_context *context, const osdear__commit_file *commits,
                                     size_t count, osdear_error **error)
{
  unsigned keep = COMMIT_FILES | COMMIT_TABLE | (replay->tail->is_full ? (unsigned)(COMMIT_STATS | COMMIT_TAGS) : 0);
  bool is_remote = osdear__store_is_remote(replay->store);
  AUTO(json_parser) parser = NULL;
  char path[OSDEAR__LOG_PATH];
  osdear_status st = OSDEAR_OK;

  for (size_t i = count; i > 0 && !st; i--) {
    st = osdear__context_check(context, error);
    if (st)
      return st;
    osdear__context_progress(context, "replay", (int64_t)(count - i), (int64_t)count);
    replay->version = commits[i - 1].version;
    replay->is_compacted = commits[i - 1].first_version < commits[i - 1].version;
    replay->ordinal = 0;
    osdear__log_file_path(&commits[i - 1], path);
    if (is_remote && (count - i) % (OSDEAR__STORE_EXPECTED / 2) == 0) { /* half of them while the other half is read */
      if (i == count)
        expect_commits(replay->store, commits, i);
      if (i > OSDEAR__STORE_EXPECTED / 2)
        expect_commits(replay->store, commits, i - OSDEAR__STORE_EXPECTED / 2);
    }
    st = osdear__log_visit(replay->store, path, commits[i - 1].size_bytes, keep, &parser, osdear__replay_action, replay, error);
  }
  replay->version = -1;
  if (!st)
    replay->is_compacted = false;
  return st;
}

osdear_status osdear__replay_snapshot(osdear__replay *replay, const osdear_snapshot *older, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  replay->version = -1;
  for (size_t i = 0; i < older->tail->entry_count && !st; i++) {
    const osdear__tail_entry *entry = older->tail->entries[i];
    st = see_file(replay, &entry->file, entry->is_add, entry->version, entry->ordinal, error);
  }
  if (!st)
    st = see_protocol(replay, &older->protocol, -1, error);
  if (!st)
    st = see_metadata(replay, &older->metadata, -1, error);
  for (size_t i = 0; i < older->txn_count && !st; i++)
    st = see_txn(replay, &older->txns[i], error);
  for (size_t i = 0; i < older->domain_count && !st; i++)
    st = see_domain(replay, &older->domains[i], error);
  return st;
}
