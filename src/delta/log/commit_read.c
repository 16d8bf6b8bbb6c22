/* A commit's lines, in pieces that fit into memory, and all of them gathered. */
#include <delta/log/log.h>

/* A commit may hold millions of lines, and a line may hold much; both have to fit somewhere. */
#define PIECE_BYTES ((size_t)4 << 20)
#define LONGEST_LINE ((size_t)1 << 30)

struct osdear__commit_text {
  char name[OSDEAR__LOG_PATH];
  osdear__input *input;
  int64_t offset;     /* of what was not read yet */
  osdear__buf piece;
  size_t taken;       /* bytes of `piece` that were handed out */
  int64_t next_line;
};

osdear_status osdear__commit_text_open(osdear__store *store, int64_t version, int64_t size_bytes, osdear__commit_text **out,
                                       osdear_error **error)
{
  AUTO(commit_text) commit = osdear__alloc_zeroed(1, sizeof *commit);
  osdear_status st;

  if (!commit)
    return osdear__fail_memory(error);
  osdear__log_commit_path(version, commit->name);
  commit->next_line = 1;
  commit->piece.limit = LONGEST_LINE + PIECE_BYTES;
  st = osdear__store_open_input(store, commit->name, size_bytes, &commit->input, error);
  if (st)
    return st;
  *out = commit;
  commit = NULL;
  return OSDEAR_OK;
}

void osdear__commit_text_auto(osdear__commit_text **commit)
{
  if (!*commit)
    return;
  osdear__input_auto(&(*commit)->input);
  osdear__buf_drop(&(*commit)->piece);
  osdear__free(*commit);
  *commit = NULL;
}

const char *osdear__commit_text_name(const osdear__commit_text *commit)
{
  return commit->name;
}

/* What was handed out goes; what is left of a line moves to the front. */
static void drop_taken(osdear__commit_text *commit)
{
  osdear__buf *piece = &commit->piece;

  if (!commit->taken)
    return;
  for (const char *at = piece->data; at < piece->data + commit->taken; at++) {
    at = memchr(at, '\n', (size_t)(piece->data + commit->taken - at));
    if (!at)
      break;
    commit->next_line++;
  }
  memmove(piece->data, piece->data + commit->taken, piece->size - commit->taken);
  piece->size -= commit->taken;
  commit->taken = 0;
}

static osdear_status read_more(osdear__commit_text *commit, osdear_error **error)
{
  int64_t left = commit->input->size_bytes - commit->offset;
  size_t size = left < (int64_t)PIECE_BYTES ? (size_t)left : PIECE_BYTES;
  char *room = osdear__buf_reserve(&commit->piece, size);
  osdear_status st;

  if (!room)
    return osdear__buf_check(&commit->piece, error);
  st = osdear__input_read(commit->input, commit->offset, room, size, error);
  if (st)
    return st;
  commit->piece.size += size;
  commit->offset += (int64_t)size;
  return OSDEAR_OK;
}

/* Up to and with the last newline, so that lines stay whole. */
static size_t whole_lines(const osdear__buf *piece)
{
  const char *end = piece->size ? memrchr(piece->data, '\n', piece->size) : NULL;

  return end ? (size_t)(end + 1 - piece->data) : 0;
}

osdear_status osdear__commit_text_next(osdear__commit_text *commit, osdear__str *text, int64_t *first_line, osdear_error **error)
{
  osdear_status st;

  drop_taken(commit);
  while (commit->offset < commit->input->size_bytes && commit->taken == 0) {
    st = read_more(commit, error);
    if (st)
      return st;
    commit->taken = whole_lines(&commit->piece);
  }
  if (commit->offset >= commit->input->size_bytes)
    commit->taken = commit->piece.size; /* the last line may lack its newline */
  *text = (osdear__str){ commit->piece.data, commit->taken };
  *first_line = commit->next_line;
  return OSDEAR_OK;
}

osdear_status osdear__commit_visit(osdear__store *store, int64_t version, int64_t size_bytes, unsigned keep, osdear__json_parser **parser,
                                   osdear__action_visit visit, void *argument, osdear_error **error)
{
  AUTO(commit_text) commit = NULL;
  osdear__str text;
  int64_t line;
  osdear_status st = osdear__commit_text_open(store, version, size_bytes, &commit, error);

  if (st)
    return st;
  for (;;) {
    st = osdear__commit_text_next(commit, &text, &line, error);
    if (st || !text.size)
      return st;
    st = osdear__actions_parse(text, commit->name, line, keep, parser, visit, argument, error);
    if (st)
      return st;
  }
}

/* ---- gathered ---- */

typedef struct gather {
  osdear__commit *commit;
  size_t add_room, remove_room, txn_room, domain_room;
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

static osdear_status gather_file(gather *g, const osdear__action *action, osdear_error **error)
{
  osdear__commit *c = g->commit;
  bool is_add = action->kind == ACTION_ADD;
  size_t *count = is_add ? &c->add_count : &c->remove_count;
  osdear_status st = more_room(&c->arena, is_add ? &c->adds : &c->removes, *count, is_add ? &g->add_room : &g->remove_room,
                               sizeof(osdear__file), error);

  if (!st)
    st = osdear__file_copy(&action->file, &c->arena, is_add ? &c->adds[*count] : &c->removes[*count], error);
  if (!st)
    (*count)++;
  return st;
}

static osdear_status gather_protocol(osdear__commit *c, const osdear__action *action, osdear_error **error)
{
  osdear__protocol *copy;

  if (c->protocol)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a second protocol in one commit: which one counts is not defined");
  copy = osdear__arena_zeroed(&c->arena, 1, sizeof *copy);
  if (!copy)
    return osdear__fail_memory(error);
  c->protocol = copy;
  return osdear__protocol_copy(&action->protocol, &c->arena, copy, error);
}

static osdear_status gather_metadata(osdear__commit *c, const osdear__action *action, osdear_error **error)
{
  osdear__metadata *copy;

  if (c->metadata)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a second metaData in one commit: which one counts is not defined");
  copy = osdear__arena_zeroed(&c->arena, 1, sizeof *copy);
  if (!copy)
    return osdear__fail_memory(error);
  c->metadata = copy;
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

  switch (action->kind) {
  case ACTION_ADD:
  case ACTION_REMOVE: return gather_file(g, action, error);
  case ACTION_PROTOCOL: return gather_protocol(g->commit, action, error);
  case ACTION_METADATA: return gather_metadata(g->commit, action, error);
  case ACTION_TXN: return gather_txn(g, action, error);
  case ACTION_DOMAIN: return gather_domain(g, action, error);
  case ACTION_COMMIT_INFO: break;
  }
  return osdear__json_read(action->info, "commitInfo", &g->commit->arena, &g->commit->info, error);
}

osdear_status osdear__commit_read(osdear__store *store, int64_t version, unsigned keep, osdear__json_parser **parser, osdear__commit *out,
                                  osdear_error **error)
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
