/* From a log to a snapshot: which version, which checkpoint, and what to do when a checkpoint turns out to be of no use. */
#include <delta/replay.h>

#include <stdatomic.h>

/* Below this much log text, statistics and tags are kept with the tail; above, they are read again by whoever needs them. */
#define FULL_TAIL_BYTES ((int64_t)4 << 20)
/* From this many file actions on, a state that grew commit by commit is given up for a newer checkpoint. */
#define LONG_TAIL 1000

typedef struct load {
  osdear_context *context;
  osdear__store *store;
  const char *uri;
  int64_t wanted;                       /* version; -1: the newest */
  const osdear__checkpoint_file *below; /* only checkpoints that rank below it; NULL: all */
  bool checkpoint_failed;               /* the attempt failed because of its checkpoint: another one may do */
  bool compaction_failed;               /* or because of a compaction: the commits it stands for may do */
} load;

void osdear__snapshot_drop(osdear_snapshot *snapshot)
{
  osdear__checkpoint_unref(snapshot->checkpoint);
  osdear__tail_auto(&snapshot->tail);
  osdear__segment_drop(&snapshot->segment);
  osdear__arena_drop(&snapshot->arena);
  osdear__store_unref(snapshot->store);
  osdear_context_unref(snapshot->context);
  osdear__free(snapshot);
}

/* Takes `segment` over. */
static osdear_status snapshot_new(const load *l, osdear__segment *segment, osdear_snapshot **out, osdear_error **error)
{
  osdear_snapshot *snapshot = osdear__alloc_zeroed(1, sizeof *snapshot);

  if (!snapshot) {
    osdear__segment_drop(segment);
    return osdear__fail_memory(error);
  }
  atomic_init(&snapshot->references, 1);
  snapshot->context = osdear_context_ref(l->context);
  snapshot->store = osdear__store_ref(l->store);
  snapshot->segment = *segment;
  *segment = (osdear__segment){ 0 };
  *out = snapshot;
  return OSDEAR_OK;
}

/* ---- state ---- */

static osdear_status read_checkpoint(osdear_snapshot *snapshot, osdear__replay *replay, osdear_error **error)
{
  replay->version = -1;
  return snapshot->checkpoint ? osdear__checkpoint_table(snapshot->checkpoint, osdear__replay_action, replay, error) : OSDEAR_OK;
}

/* Every state has a protocol and a metadata. A checkpoint without them can be read and says something wrong: what else of it is missing
 * nobody knows, so an older one is not taken in its place. */
static osdear_status check_whole(const osdear_snapshot *snapshot, const osdear__replay *replay, osdear_error **error)
{
  const char *missing = replay->has_protocol ? "metaData" : "protocol";

  if (replay->has_protocol && replay->has_metadata)
    return OSDEAR_OK;
  if (snapshot->checkpoint)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: the checkpoint holds no %s", snapshot->checkpoint->first.path, missing);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: no %s in the log up to version %" PRId64,
                      osdear__store_uri(snapshot->store), missing, snapshot->segment.version);
}

/* Domains that were removed are not part of the state. */
static osdear_status keep_lists(osdear_snapshot *snapshot, const osdear__replay *replay, osdear_error **error)
{
  snapshot->txns = osdear__arena_zeroed(&snapshot->arena, replay->txn_count + 1, sizeof *snapshot->txns);
  snapshot->domains = osdear__arena_zeroed(&snapshot->arena, replay->domain_count + 1, sizeof *snapshot->domains);
  snapshot->domain_pairs = osdear__arena_zeroed(&snapshot->arena, replay->domain_count + 1, sizeof *snapshot->domain_pairs);
  if (!snapshot->txns || !snapshot->domains || !snapshot->domain_pairs)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < replay->txn_count; i++)
    snapshot->txns[snapshot->txn_count++] = replay->txns[i];
  for (size_t i = 0; i < replay->domain_count; i++) {
    const osdear__domain *domain = &replay->domains[i];

    if (domain->removed)
      continue;
    snapshot->domain_pairs[snapshot->domain_count] = (osdear_pair){ domain->name, domain->configuration };
    snapshot->domains[snapshot->domain_count++] = *domain;
  }
  return OSDEAR_OK;
}

/* Moves what replay found into the snapshot, whose arena already holds the text. */
static osdear_status finish(osdear_snapshot *snapshot, osdear__replay *replay, osdear_error **error)
{
  const char *uri = osdear__store_uri(snapshot->store);
  osdear_status st;

  snapshot->protocol = replay->protocol;
  snapshot->metadata = replay->metadata;
  snapshot->tail = replay->tail;
  replay->tail = NULL;
  st = keep_lists(snapshot, replay, error);
  if (!st)
    st = osdear__protocol_check_table(&snapshot->protocol, &snapshot->metadata, uri, error);
  if (st)
    return st;
  st = osdear__map_columns(&snapshot->protocol, &snapshot->metadata, &snapshot->arena, error);
  return st ? osdear__fail_within(error, st, "%s", uri) : OSDEAR_OK;
}

static bool is_full_tail(const osdear__segment *segment)
{
  int64_t total = 0;

  for (size_t i = 0; i < segment->commit_count; i++)
    total += segment->commits[i].size_bytes;
  return total <= FULL_TAIL_BYTES;
}

/* `checkpoint`: the first of its files; NULL: none. */
static osdear_status fill(load *l, osdear_snapshot *snapshot, const osdear__checkpoint_file *checkpoint, osdear_error **error)
{
  osdear__replay replay = { .store = l->store, .arena = &snapshot->arena };
  osdear_status st = osdear__tail_new(is_full_tail(&snapshot->segment), &replay.tail, error);

  if (!st && checkpoint) {
    st = osdear__checkpoint_open(l->store, checkpoint, &snapshot->checkpoint, error);
    l->checkpoint_failed = st != OSDEAR_OK;
  }
  if (!st) {
    st = osdear__replay_commits(&replay, l->context, snapshot->segment.commits, snapshot->segment.commit_count, error);
    l->compaction_failed = st && replay.is_compacted;
  }
  if (!st) {
    st = read_checkpoint(snapshot, &replay, error);
    l->checkpoint_failed = st != OSDEAR_OK;
  }
  if (!st)
    st = check_whole(snapshot, &replay, error);
  if (!st)
    st = finish(snapshot, &replay, error);
  osdear__replay_drop(&replay);
  return st;
}

/* ---- which checkpoint ---- */

static osdear_status try_segment(load *l, const osdear__listing *listing, const osdear__checkpoint_file *checkpoint,
                                 int64_t version, bool compact, osdear_snapshot **out, osdear_error **error)
{
  osdear__segment segment = { 0 };
  osdear_snapshot *snapshot = NULL;
  osdear_status st =
      osdear__segment_new(listing, checkpoint ? checkpoint->version : -1, version, compact, l->uri, &segment, error);

  l->compaction_failed = false;
  l->checkpoint_failed = st == OSDEAR_ERR_CORRUPT; /* an older one may still do, if only by being told apart in the message */
  if (st)
    return st;
  st = snapshot_new(l, &segment, &snapshot, error);
  if (!st)
    st = fill(l, snapshot, checkpoint, error);
  if (st && snapshot)
    osdear__snapshot_drop(snapshot);
  if (!st)
    *out = snapshot;
  return st;
}

/* Hands a failure on to the caller. */
static osdear_status give(osdear_error **from, osdear_status st, osdear_error **error)
{
  if (error) {
    osdear_error_free(*error);
    *error = *from;
    *from = NULL;
  }
  return st;
}

bool osdear__may_fall_back(osdear_status st)
{
  return st == OSDEAR_ERR_CORRUPT || st == OSDEAR_ERR_UNSUPPORTED || st == OSDEAR_ERR_NOT_FOUND || st == OSDEAR_ERR_LIMIT;
}

/* A compaction only saves work, as long as the commits it stands for are there. */
static osdear_status try_checkpoint(load *l, const osdear__listing *listing, const osdear__checkpoint_file *checkpoint,
                                    int64_t version, osdear_snapshot **out, osdear_error **error)
{
  AUTO(error) why = NULL;
  osdear_status st = try_segment(l, listing, checkpoint, version, listing->compacted_count > 0, out, &why);

  if (st && l->compaction_failed && osdear__may_fall_back(st)) {
    osdear__log(l->context, OSDEAR_LOG_WARNING, "delta", "compaction passed over: %s", osdear_error_message(why));
    return try_segment(l, listing, checkpoint, version, false, out, error);
  }
  return st ? give(&why, st, error) : OSDEAR_OK;
}

/* The first file of the checkpoint that ranks below the listing's `*left`-th file, which becomes the place of the next call. NULL after
 * the last one. */
static const osdear__checkpoint_file *next_checkpoint(const osdear__listing *listing, size_t *left)
{
  if (!*left)
    return NULL;
  *left -= (size_t)listing->checkpoints[*left - 1].part_count;
  return &listing->checkpoints[*left];
}

static bool is_candidate(const load *l, const osdear__checkpoint_file *checkpoint, int64_t version)
{
  return checkpoint->version <= version && (!l->below || osdear__checkpoint_file_compare(checkpoint, l->below) < 0);
}

/* Newest checkpoint first, none at all last. Where all fail because of their checkpoints, the first failure is the one to tell: later
 * ones are about files that only matter because of it. */
static osdear_status load_version(load *l, const osdear__listing *listing, int64_t version, osdear_snapshot **out,
                                  osdear_error **error)
{
  const osdear__checkpoint_file *checkpoint;
  AUTO(error) told = NULL;
  osdear_status told_status = OSDEAR_OK;
  size_t left = listing->checkpoint_count;
  bool is_final = false;

  do {
    AUTO(error) now = NULL;
    osdear_status st;

    checkpoint = next_checkpoint(listing, &left);
    if (checkpoint && !is_candidate(l, checkpoint, version))
      continue;
    st = try_checkpoint(l, listing, checkpoint, version, out, &now);
    if (!st)
      return OSDEAR_OK;
    is_final = !l->checkpoint_failed || !osdear__may_fall_back(st); /* the log itself is at fault, or the machine */
    if (!is_final)
      osdear__log(l->context, OSDEAR_LOG_WARNING, "delta", "passed over: %s", osdear_error_message(now));
    if (is_final || !told_status) {
      osdear_error_free(told);
      told = now;
      now = NULL;
      told_status = st;
    }
  } while (checkpoint && !is_final);
  return give(&told, told_status, error);
}

/* ---- which version ---- */

static osdear_status fail_empty(const load *l, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "%s: no Delta table there: _delta_log holds no commit and no checkpoint",
                      l->uri);
}

/* `listing` is whole. */
static osdear_status check_version(const load *l, const osdear__listing *listing, int64_t version, osdear_error **error)
{
  int64_t earliest = osdear__listing_earliest(listing), newest = osdear__listing_newest(listing);

  if (newest < 0)
    return fail_empty(l, error);
  if (version <= newest && (version >= earliest || earliest > newest))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "%s: version %" PRId64 " asked, %" PRId64 "..%" PRId64 " are there", l->uri,
                      version, earliest, newest);
}

static osdear_status load_whole(load *l, osdear_snapshot **out, osdear_error **error)
{
  SCOPED(listing) listing = { 0 };
  int64_t version;
  osdear_status st = osdear__listing_read(l->store, 0, &listing, error);

  if (st)
    return st;
  version = l->wanted < 0 ? osdear__listing_newest(&listing) : l->wanted;
  st = check_version(l, &listing, version, error);
  return st ? st : load_version(l, &listing, version, out, error);
}

/* What _last_checkpoint points at need not be there, nor be of use; *out NULL then. */
static osdear_status load_hinted(load *l, osdear_snapshot **out, osdear_error **error)
{
  SCOPED(listing) listing = { 0 };
  int64_t hint, version;
  osdear_status st = osdear__last_checkpoint(l->store, &hint, error);

  if (st || hint <= 0 || (l->wanted >= 0 && l->wanted < hint))
    return st;
  st = osdear__listing_read(l->store, hint, &listing, error);
  if (st)
    return st;
  version = l->wanted < 0 ? osdear__listing_newest(&listing) : l->wanted;
  if (version < hint || version > osdear__listing_newest(&listing) || !listing.checkpoint_count)
    return OSDEAR_OK;
  l->checkpoint_failed = false;
  st = load_version(l, &listing, version, out, error);
  if (st && l->checkpoint_failed && osdear__may_fall_back(st)) {
    if (error) {
      osdear_error_free(*error);
      *error = NULL;
    }
    return OSDEAR_OK;
  }
  return st;
}

static osdear_status load_afresh(load *l, osdear_snapshot **out, osdear_error **error)
{
  osdear_status st;

  *out = NULL;
  st = load_hinted(l, out, error);
  if (st || *out)
    return st;
  return load_whole(l, out, error);
}

static osdear_status load_at(load *l, int64_t timestamp_us, osdear_snapshot **out, osdear_error **error)
{
  SCOPED(listing) listing = { 0 };
  osdear_snapshot *newest = NULL;
  osdear_status st = load_afresh(l, &newest, error);

  if (!st)
    st = osdear__listing_read(l->store, 0, &listing, error);
  if (!st)
    st = osdear__version_at(l->store, &listing, newest, timestamp_us, &l->wanted, error);
  if (!st && l->wanted == newest->segment.version) {
    *out = newest;
    return OSDEAR_OK;
  }
  if (!st)
    st = check_version(l, &listing, l->wanted, error);
  if (!st)
    st = load_version(l, &listing, l->wanted, out, error);
  osdear_snapshot_unref(newest);
  return st;
}

osdear_status osdear__snapshot_fall_back(const osdear_snapshot *snapshot, osdear_snapshot **out, osdear_error **error)
{
  load l = { .context = snapshot->context,
             .store = snapshot->store,
             .uri = osdear__store_uri(snapshot->store),
             .wanted = snapshot->segment.version,
             .below = &snapshot->checkpoint->first };

  return load_whole(&l, out, error);
}

/* ---- from an older snapshot ---- */

static osdear_status extend(load *l, osdear_snapshot *base, const osdear__listing *listing, int64_t version,
                            osdear_snapshot **out, osdear_error **error)
{
  osdear__segment segment = { 0 };
  osdear_snapshot *snapshot = NULL;
  osdear__replay replay = { .store = l->store };
  size_t old = base->segment.commit_count;
  osdear_status st = osdear__segment_extend(&base->segment, listing, version, l->uri, &segment, error);

  if (st)
    return st;
  st = snapshot_new(l, &segment, &snapshot, error);
  if (st)
    return st;
  replay.arena = &snapshot->arena;
  st = osdear__tail_new(base->tail->is_full && is_full_tail(&snapshot->segment), &replay.tail, error);
  snapshot->checkpoint = osdear__checkpoint_ref(base->checkpoint);
  if (!st)
    st =
        osdear__replay_commits(&replay, l->context, snapshot->segment.commits + old, snapshot->segment.commit_count - old, error);
  if (!st)
    st = osdear__replay_snapshot(&replay, base, error);
  if (!st)
    st = finish(snapshot, &replay, error);
  osdear__replay_drop(&replay);
  if (st)
    osdear__snapshot_drop(snapshot);
  else
    *out = snapshot;
  return st;
}

/* Does the log still hold the commit that the older snapshot ends with? A table that was deleted and made anew does not. */
static bool continues(const osdear_snapshot *base, const osdear__listing *listing)
{
  const osdear__commit_file *last = &base->segment.newest, *first = listing->commits;

  return listing->commit_count && last->size_bytes >= 0 && first->version == last->version &&
         first->size_bytes == last->size_bytes && first->modified_ms == last->modified_ms;
}

/* *out NULL where the older snapshot is of no help. */
static osdear_status load_from(load *l, osdear_snapshot *base, osdear_snapshot **out, osdear_error **error)
{
  SCOPED(listing) listing = { 0 };
  int64_t version;
  osdear_status st = osdear__listing_read(l->store, base->segment.version, &listing, error);

  if (st || !continues(base, &listing))
    return st;
  version = l->wanted < 0 ? osdear__listing_newest(&listing) : l->wanted;
  if (version == base->segment.version) {
    *out = osdear_snapshot_ref(base);
    return OSDEAR_OK;
  }
  if (version < base->segment.version || version > osdear__listing_newest(&listing))
    return OSDEAR_OK;
  if (listing.checkpoint_count && base->tail->entry_count > LONG_TAIL)
    return OSDEAR_OK;
  return extend(l, base, &listing, version, out, error);
}

osdear_status osdear__snapshot_load(osdear_context *context, osdear__store *store, const osdear_snapshot_options *options,
                                    osdear_snapshot *base, osdear_snapshot **out, osdear_error **error)
{
  osdear_snapshot_options opts = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  load l = { .context = context, .store = store, .uri = osdear__store_uri(store) };
  osdear_snapshot *snapshot = NULL;
  osdear_status st = osdear__options_read(&opts, sizeof opts, options, error);

  if (st)
    return st;
  if (opts.version < -1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "version %" PRId64 " asked: versions count from 0, -1 is the newest",
                        opts.version);
  if (opts.version >= 0 && opts.timestamp_us != OSDEAR_NO_TIMESTAMP)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "version and timestamp_us exclude each other: set one of them");
  l.wanted = opts.version;
  if (opts.timestamp_us != OSDEAR_NO_TIMESTAMP)
    return load_at(&l, opts.timestamp_us, out, error);
  if (base)
    st = load_from(&l, base, &snapshot, error);
  if (!st && !snapshot)
    st = load_afresh(&l, &snapshot, error);
  if (!st)
    *out = snapshot;
  return st;
}
