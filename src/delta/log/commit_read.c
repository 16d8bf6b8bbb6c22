/* The lines of the log's files, in pieces that fit into memory, and a commit's actions gathered. */
#include <delta/log/log.h>

#include <stdio.h>

/* A commit may hold millions of lines, and a line may hold much; both have to fit somewhere. */
#define PIECE_BYTES ((size_t)4 << 20)
#define LONGEST_LINE ((size_t)1 << 30)

struct osdear__log_text {
  char name[OSDEAR__LOG_PATH];
  osdear__input *input;
  int64_t offset; /* of what was not read yet */
  osdear__buf piece;
  size_t taken; /* bytes of `piece` that were handed out */
  int64_t next_line;
};

osdear_status osdear__log_text_open(osdear__store *store, const char *path, int64_t size_bytes, osdear__log_text **out,
                                    osdear_error **error)
{
  AUTO(log_text) file = osdear__alloc_zeroed(1, sizeof *file);
  osdear_status st;

  if (!file)
    return osdear__fail_memory(error);
  snprintf(file->name, sizeof file->name, "%s", path);
  file->next_line = 1;
  file->piece.limit = LONGEST_LINE + PIECE_BYTES;
  st = osdear__store_open_input(store, path, size_bytes, &file->input, error);
  if (st)
    return st;
  *out = file;
  file = NULL;
  return OSDEAR_OK;
}

void osdear__log_text_auto(osdear__log_text **file)
{
  if (!*file)
    return;
  osdear__input_auto(&(*file)->input);
  osdear__buf_drop(&(*file)->piece);
  osdear__free(*file);
  *file = NULL;
}

const char *osdear__log_text_name(const osdear__log_text *file)
{
  return file->name;
}

/* What was handed out goes; what is left of a line moves to the front. */
static void drop_taken(osdear__log_text *file)
{
  osdear__buf *piece = &file->piece;

  if (!file->taken)
    return;
  for (const char *at = piece->data; at < piece->data + file->taken; at++) {
    at = memchr(at, '\n', (size_t)(piece->data + file->taken - at));
    if (!at)
      break;
    file->next_line++;
  }
  memmove(piece->data, piece->data + file->taken, piece->size - file->taken);
  piece->size -= file->taken;
  file->taken = 0;
}

static osdear_status read_more(osdear__log_text *file, osdear_error **error)
{
  int64_t left = file->input->size_bytes - file->offset;
  size_t size = left < (int64_t)PIECE_BYTES ? (size_t)left : PIECE_BYTES;
  char *room = osdear__buf_reserve(&file->piece, size);
  osdear_status st;

  if (!room)
    return osdear__buf_check(&file->piece, error);
  st = osdear__input_read(file->input, file->offset, room, size, error);
  if (st)
    return st;
  file->piece.size += size;
  file->offset += (int64_t)size;
  return OSDEAR_OK;
}

/* Up to and with the last newline, so that lines stay whole. */
static size_t whole_lines(const osdear__buf *piece)
{
  const char *end = piece->size ? memrchr(piece->data, '\n', piece->size) : NULL;

  return end ? (size_t)(end + 1 - piece->data) : 0;
}

/* A byte order mark before the first line says nothing. Spark reads on behind it. */
static void pass_mark(osdear__str *text)
{
  static const char mark[] = "\xef\xbb\xbf";

  if (text->size < sizeof mark - 1 || memcmp(text->data, mark, sizeof mark - 1) != 0)
    return;
  text->data += sizeof mark - 1;
  text->size -= sizeof mark - 1;
}

osdear_status osdear__log_text_next(osdear__log_text *file, osdear__str *text, int64_t *first_line, osdear_error **error)
{
  osdear_status st;

  drop_taken(file);
  while (file->offset < file->input->size_bytes && file->taken == 0) {
    st = read_more(file, error);
    if (st)
      return st;
    file->taken = whole_lines(&file->piece);
  }
  if (file->offset >= file->input->size_bytes)
    file->taken = file->piece.size; /* the last line may lack its newline */
  *text = (osdear__str){ file->piece.data, file->taken };
  *first_line = file->next_line;
  if (file->next_line == 1)
    pass_mark(text);
  return OSDEAR_OK;
}

osdear_status osdear__log_visit(osdear__store *store, const char *path, int64_t size_bytes, unsigned keep,
                                osdear__json_parser **parser, osdear__action_visit visit, void *argument, osdear_error **error)
{
  AUTO(log_text) file = NULL;
  osdear__str text;
  int64_t line;
  osdear_status st = osdear__log_text_open(store, path, size_bytes, &file, error);

  if (st)
    return st;
  for (;;) {
    st = osdear__log_text_next(file, &text, &line, error);
    if (st || !text.size)
      return st;
    st = osdear__actions_parse(text, path, line, keep, parser, visit, argument, error);
    if (st)
      return st;
  }
}

osdear_status osdear__commit_visit(osdear__store *store, int64_t version, int64_t size_bytes, unsigned keep,
                                   osdear__json_parser **parser, osdear__action_visit visit, void *argument, osdear_error **error)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_commit_path(version, path);
  return osdear__log_visit(store, path, size_bytes, keep, parser, visit, argument, error);
}

/* ---- gathered ---- */

typedef struct gather {
  osdear__commit *commit;
  size_t add_room, remove_room, change_room, txn_room, domain_room;
} gather;

/* Room for one more in a list of the commit. The old list stays in the arena: all of them together are as large as the last. */
static osdear_status more_room(osdear__arena *arena, void *list_at, size_t count, size_t *room, size_t size, osdear_error **error)
{
  size_t wanted = *room ? *room * 2 : 16;
  void *old, *grown;

  if (count < *room)
    return OSDEAR_OK;
  memcpy(&old, list_at, sizeof old);
  grown = osdear__arena_zeroed(arena, wanted, size);
  if (!grown)
    return osdear__fail_memory(error);
  if (count)
    memcpy(grown, old, count * size);
  memcpy(list_at, &grown, sizeof grown);
  *room = wanted;
  return OSDEAR_OK;
}

static osdear_status gather_file(osdear__commit *c, const osdear__action *action, osdear__file **files, size_t *count,
                                 size_t *room, osdear_error **error)
{
  osdear_status st = more_room(&c->arena, files, *count, room, sizeof(osdear__file), error);

  if (!st)
    st = osdear__file_copy(&action->file, &c->arena, &(*files)[*count], error);
  if (!st)
    (*count)++;
  return st;
}

static osdear_status gather_protocol(osdear__commit *c, const osdear__action *action, osdear_error **error)
{
  osdear__protocol *copy;

  copy = osdear__arena_zeroed(&c->arena, 1, sizeof *copy);
  if (!copy)
    return osdear__fail_memory(error);
  c->protocol = copy; /* of two the later counts */
  return osdear__protocol_copy(&action->protocol, &c->arena, copy, error);
}

static osdear_status gather_metadata(osdear__commit *c, const osdear__action *action, osdear_error **error)
{
  osdear__metadata *copy;

  copy = osdear__arena_zeroed(&c->arena, 1, sizeof *copy);
  if (!copy)
    return osdear__fail_memory(error);
  c->metadata = copy; /* of two the later counts */
  return osdear__metadata_copy(&action->metadata, &c->arena, copy, error);
}

static osdear_status gather_txn(gather *g, const osdear__action *action, osdear_error **error)
{
  osdear__commit *c = g->commit;
  osdear_status st = more_room(&c->arena, &c->txns, c->txn_count, &g->txn_room, sizeof *c->txns, error);

  if (!st)
    st = osdear__txn_copy(&action->txn, &c->arena, &c->txns[c->txn_count], error);
  if (!st)
    c->txn_count++;
  return st;
}

static osdear_status gather_domain(gather *g, const osdear__action *action, osdear_error **error)
{
  osdear__commit *c = g->commit;
  osdear_status st = more_room(&c->arena, &c->domains, c->domain_count, &g->domain_room, sizeof *c->domains, error);

  if (!st)
    st = osdear__domain_copy(&action->domain, &c->arena, &c->domains[c->domain_count], error);
  if (!st)
    c->domain_count++;
  return st;
}

static osdear_status on_action(void *argument, const osdear__action *action, osdear_error **error)
{
  gather *g = argument;
  osdear__commit *c = g->commit;

  switch (action->kind) {
  case ACTION_ADD: return gather_file(c, action, &c->adds, &c->add_count, &g->add_room, error);
  case ACTION_REMOVE: return gather_file(c, action, &c->removes, &c->remove_count, &g->remove_room, error);
  case ACTION_CDC: return gather_file(c, action, &c->changes, &c->change_count, &g->change_room, error);
  case ACTION_PROTOCOL: return gather_protocol(g->commit, action, error);
  case ACTION_METADATA: return gather_metadata(g->commit, action, error);
  case ACTION_TXN: return gather_txn(g, action, error);
  case ACTION_DOMAIN: return gather_domain(g, action, error);
  case ACTION_SIDECAR:
  case ACTION_CHECKPOINT: return OSDEAR_OK; /* not asked for */
  case ACTION_COMMIT_INFO: break;
  }
  return osdear__json_read(action->info, "commitInfo", &g->commit->arena, &g->commit->info, error);
}

osdear_status osdear__commit_read(osdear__store *store, int64_t version, unsigned keep, osdear__json_parser **parser,
                                  osdear__commit *out, osdear_error **error)
{
  osdear__commit commit = { .version = version };
  gather g = { .commit = &commit };
  osdear_status st = osdear__commit_visit(store, version, -1, keep, parser, on_action, &g, error);

  if (st)
    osdear__commit_drop(&commit);
  else
    *out = commit;
  return st;
}

void osdear__commit_drop(osdear__commit *commit)
{
  osdear__arena_drop(&commit->arena);
  *commit = (osdear__commit){ 0 };
}
