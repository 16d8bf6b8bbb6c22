/* Log replay: newest commit first, the first action seen of a key wins. What is remembered are the commits after the checkpoint. */
#ifndef OSDEAR_SRC_DELTA_REPLAY_H
#define OSDEAR_SRC_DELTA_REPLAY_H

#include <delta/log/log.h>

/* A file action of the tail, the newest of its key. */
typedef struct osdear__tail_entry {
  osdear__file file; /* without statistics and tags unless the tail `is_full` */
  int64_t version;   /* of the commit it stands in */
  int64_t ordinal;   /* among the file actions of that commit */
  bool is_add;
} osdear__tail_entry;

/* Immutable once its snapshot is made. */
typedef struct osdear__tail {
  osdear__arena arena;
  osdear__map keys;             /* to osdear__tail_entry */
  osdear__tail_entry **entries; /* newest commit first */
  size_t entry_count, entry_room;
  bool is_full;
} osdear__tail;

/* What replay found besides files; texts in `arena`. */
typedef struct osdear__replay {
  osdear__store *store;
  osdear__arena *arena;
  osdear__tail *tail;
  int64_t version;   /* of the commit being read; -1: the checkpoint */
  bool is_compacted; /* what is read stands for several commits: then each key is in it once */
  int64_t ordinal;
  bool has_protocol, has_metadata;
  int64_t protocol_version, metadata_version; /* where they were found */
  osdear__protocol protocol;
  osdear__metadata metadata;
  osdear__map txn_keys, domain_keys;
  osdear__txn *txns;
  size_t txn_count, txn_room;
  osdear__domain *domains; /* removed ones included */
  size_t domain_count, domain_room;
  osdear__buf key;
} osdear__replay;
void osdear__replay_drop(osdear__replay *replay);

MUST_USE osdear_status osdear__tail_new(bool is_full, osdear__tail **out, osdear_error **error);
void osdear__tail_auto(osdear__tail **tail);

/* Both are visitors of actions; calls must come newest commit first, the checkpoint last. */
MUST_USE osdear_status osdear__replay_action(void *replay, const osdear__action *action, osdear_error **error);
/* The commits of `commits`, newest first. After a failure `is_compacted` tells whether a compaction was at fault. */
MUST_USE osdear_status osdear__replay_commits(osdear__replay *replay, osdear_context *context, const osdear__commit_file *commits,
                                              size_t count, osdear_error **error);
/* An older snapshot's state, as if its commits and its checkpoint had been read. */
MUST_USE osdear_status osdear__replay_snapshot(osdear__replay *replay, const osdear_snapshot *older, osdear_error **error);

/* ---- keys ---- */

/* The path by which Spark knows a file. Relative paths are compared as they are written, but for `.`, `..`, empty components and the case
 * of escapes; absolute ones without their escapes, and `file:` stands before all of them. One of each kind never name one file, even
 * where they lead to the same place. `*out` is `path` itself where nothing changes, else text in `scratch`. */
MUST_USE osdear_status osdear__canonical_path(osdear__str path, osdear__buf *scratch, osdear__str *out, osdear_error **error);
/* The key of a file action: the canonical path, and the deletion vector's unique id where there is one. */
MUST_USE osdear_status osdear__file_key(const osdear__file *file, osdear__buf *scratch, osdear__str *out, osdear_error **error);
/* The tail's action for the key of `file`; NULL: none. */
MUST_USE osdear_status osdear__tail_find(const osdear__tail *tail, const osdear__file *file, osdear__buf *scratch,
                                         const osdear__tail_entry **out, osdear_error **error);

/* ---- the state from elsewhere, and its end (snapshot_load.c) ---- */

/* The same version from what else the log holds: another checkpoint that ranks below the snapshot's own, or commits alone. */
MUST_USE osdear_status osdear__snapshot_fall_back(const osdear_snapshot *snapshot, osdear_snapshot **out, osdear_error **error);
/* May there be another way to the same state after a failure of this kind? */
bool osdear__may_fall_back(osdear_status status);
/* What the last reference leaves. */
void osdear__snapshot_drop(osdear_snapshot *snapshot);

#endif
