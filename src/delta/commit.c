/** @file commit.c The next version of a table: put-if-absent of its commit file, and what to do when another writer was first. */
#include <delta/write.h>

enum { DEFAULT_ATTEMPTS = 1000, HEAD_BYTES = 65536 };

typedef struct attempt {
  const osdear__proposal *proposal;
  osdear_context *context;
  osdear__store *store;
  osdear__json_parser *parser;
  int64_t next;         /* the version to be made */
  int64_t previous_ict; /* in-commit timestamp of the version before; -1: the table has none */
  char txn_id[37];
} attempt;

/* ---- in-commit timestamps: reference §12 ---- */

static osdear_status read_ict(const osdear__commit *commit, int64_t *out, osdear_error **error)
{
  const osdear__json *value = commit->info ? osdear__json_get(commit->info, "inCommitTimestamp") : NULL;

  if (!value || value->kind != JSON_IS_NUMBER || !osdear__parse_i64(value->text, out))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "version %" PRId64 " has no inCommitTimestamp, though the table has them enabled", commit->version);
  return OSDEAR_OK;
}

static osdear_status start_ict(attempt *self, osdear_error **error)
{
  const osdear_snapshot *snapshot = self->proposal->claims->snapshot;
  osdear__commit last = { 0 };
  osdear_status st;

  self->previous_ict = -1;
  if (!osdear__protocol_has_writer_feature(&snapshot->protocol, "inCommitTimestamp") ||
      !osdear__metadata_property_bool(&snapshot->metadata, "delta.enableInCommitTimestamps", false))
    return OSDEAR_OK;
  st = osdear__commit_read(self->store, snapshot->segment.version, COMMIT_INFO, &self->parser, &last, error);
  if (!st)
    st = read_ict(&last, &self->previous_ict, error);
  osdear__commit_drop(&last);
  return st;
}

/* ---- losing ---- */

/* A version that is not there although ours took no place: the log was cleaned up behind our back. Putting the version after ours
 * would then fork the table, so the newest version is looked for. */
static osdear_status check_base(const attempt *self, osdear_error **error)
{
  const osdear_snapshot *snapshot = self->proposal->claims->snapshot;
  osdear_snapshot *newest = NULL;
  osdear__store_item item;
  char path[OSDEAR__LOG_PATH];
  int64_t version;
  osdear_status st;

  osdear__log_commit_path(snapshot->segment.version, path);
  st = osdear__store_stat(self->store, path, &item, NULL);
  if (st == OSDEAR_OK)
    return OSDEAR_OK;
  st = osdear__snapshot_load(self->context, self->store, NULL, NULL, &newest, error);
  if (st)
    return st;
  version = newest->segment.version;
  osdear_snapshot_unref(newest);
  if (version == snapshot->segment.version)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                      "version %" PRId64 " of the table is gone from the log, the newest is %" PRId64 ": read the table again",
                      snapshot->segment.version, version);
}

static osdear_status check_winner(attempt *self, osdear__outcome *out, osdear_error **error)
{
  const osdear__claims *claims = self->proposal->claims;
  osdear__commit winner = { 0 };
  osdear_status st;

  st = osdear__commit_read(self->store, self->next, osdear__conflict_needs(claims), &self->parser, &winner, error);
  if (!st)
    st = osdear__conflict_check(claims, &winner, &out->was_done, error);
  if (!st && self->previous_ict >= 0 && !out->was_done)
    st = read_ict(&winner, &self->previous_ict, error);
  osdear__commit_drop(&winner);
  return st;
}

/* Reads only what came since. Ends at the first version that is not there, which is the next to try. */
static osdear_status catch_up(attempt *self, osdear__outcome *out, osdear_error **error)
{
  for (;;) {
    AUTO(error) failure = NULL;
    osdear_status st = osdear__context_check(self->context, error);

    if (st)
      return st;
    st = check_winner(self, out, &failure);
    if (st == OSDEAR_ERR_NOT_FOUND)
      return OSDEAR_OK;
    if (st) {
      if (error) {
        osdear_error_free(*error);
        *error = failure;
        failure = NULL;
      }
      return st;
    }
    if (out->was_done) {
      out->version = self->next;
      return OSDEAR_OK;
    }
    self->next++;
  }
}

/* The put failed in a way that leaves open whether it took place: the file itself knows. But a request whose answer was lost may yet be carried
 * out by a service far away, after we have looked. */
static osdear__commit_state look_back(const attempt *self, const char *path, osdear_status failure)
{
  bool is_under_way = failure == OSDEAR_ERR_UNAVAILABLE || failure == OSDEAR_ERR_TIMEOUT || failure == OSDEAR_ERR_CANCELLED;
  AUTO(input) input = NULL;
  SCOPED(buf) head = { 0 };
  osdear__store_item item;
  size_t size;
  char *room;

  if (osdear__store_stat(self->store, path, &item, NULL) == OSDEAR_ERR_NOT_FOUND)
    return is_under_way ? COMMIT_UNKNOWN : COMMIT_NOT_MADE;
  if (osdear__store_open_input(self->store, path, -1, &input, NULL))
    return COMMIT_UNKNOWN;
  size = input->size_bytes < HEAD_BYTES ? (size_t)input->size_bytes : HEAD_BYTES;
  room = osdear__buf_reserve(&head, size + 1);
  if (!room || osdear__input_read(input, 0, room, size, NULL))
    return COMMIT_UNKNOWN;
  room[size] = '\0';
  return strstr(room, self->txn_id) ? COMMIT_UNKNOWN : COMMIT_NOT_MADE;
}

/* ---- trying ---- */

static osdear_status print_commit(attempt *self, osdear__buf *out, osdear_error **error)
{
  osdear__commit_info info = self->proposal->info;
  int64_t now_ms = osdear__now_us() / 1000;

  info.in_commit_timestamp_ms = -1;
  if (self->previous_ict >= 0) {
    if (now_ms <= self->previous_ict)
      now_ms = self->previous_ict + 1;
    info.in_commit_timestamp_ms = now_ms;
  }
  info.timestamp_ms = now_ms;
  info.read_version = self->proposal->claims->snapshot->segment.version;
  info.txn_id = self->txn_id;
  osdear__buf_clear(out);
  osdear__action_print_commit_info(&info, out);
  osdear__buf_append(out, self->proposal->actions.data, self->proposal->actions.size);
  return osdear__buf_check(out, error);
}

/* The first retries come at once: reading the winners took its time. Then writers step out of each other's way. */
static osdear_status wait_a_little(const attempt *self, int32_t attempts, osdear_error **error)
{
  uint64_t most_us = attempts < 3 ? 0 : attempts < 20 ? (uint64_t)attempts * 500 : 10000;

  if (most_us == 0)
    return OSDEAR_OK;
  return osdear__sleep(self->context, (int64_t)(osdear__random_u64() % most_us), error);
}

static osdear_status try_until_settled(attempt *self, osdear__outcome *out, osdear_error **error)
{
  int32_t limit = self->proposal->max_attempts > 0 ? self->proposal->max_attempts : DEFAULT_ATTEMPTS;
  SCOPED(buf) text = { 0 };
  char path[OSDEAR__LOG_PATH];
  osdear_status st;

  while (out->attempts < limit) {
    AUTO(error) lost = NULL;

    st = print_commit(self, &text, error);
    if (st)
      return st;
    osdear__log_commit_path(self->next, path);
    out->attempts++;
    st = osdear__store_put_if_absent(self->store, path, text.data, text.size, &lost);
    if (st == OSDEAR_OK) {
      out->state = COMMIT_MADE;
      out->version = self->next;
      return OSDEAR_OK;
    }
    if (st != OSDEAR_ERR_EXISTS) {
      out->state = look_back(self, path, st);
      return osdear__fail(error, st, "version %" PRId64 " %s: %s", self->next,
                          out->state == COMMIT_NOT_MADE ? "was not written"
                                                        : "may have been written, but is not known to be on disk",
                          osdear_error_message(lost));
    }
    st = catch_up(self, out, error);
    if (st || out->was_done)
      return st;
    st = wait_a_little(self, out->attempts, error);
    if (st)
      return st;
  }
  return osdear__fail(error, OSDEAR_ERR_CONFLICT,
                      "other writers were first %" PRId32 " times, up to version %" PRId64 ": raise max_attempts or try again",
                      out->attempts, self->next - 1);
}

osdear_status osdear__propose(const osdear__proposal *proposal, osdear__outcome *out, osdear_error **error)
{
  const osdear_snapshot *snapshot = proposal->claims->snapshot;
  attempt self = {
    .proposal = proposal, .context = snapshot->context, .store = snapshot->store, .next = snapshot->segment.version + 1
  };
  osdear_status st;

  *out = (osdear__outcome){ .state = COMMIT_NOT_MADE, .version = -1 };
  osdear__uuid(self.txn_id);
  st = check_base(&self, error);
  if (!st)
    st = start_ict(&self, error);
  if (!st)
    st = try_until_settled(&self, out, error);
  osdear__json_parser_auto(&self.parser);
  return st;
}
