/* The folder _delta_log: what lies in it, which of its files make up a version, and when versions came to be. */
#ifndef OSDEAR_SRC_DELTA_LOG_H
#define OSDEAR_SRC_DELTA_LOG_H

#include <delta/action.h>

/* ---- what lies in the folder (list.c) ---- */

/* By rank: of several checkpoints of one version that of the higher form is taken. */
typedef enum osdear__checkpoint_form { CHECKPOINT_MULTI_PART, CHECKPOINT_CLASSIC, CHECKPOINT_V2 } osdear__checkpoint_form;

typedef struct osdear__checkpoint_file {
  int64_t version;
  osdear__checkpoint_form form;
  int64_t part, part_count; /* MULTI_PART: from 1 on; others are part 1 of 1 */
  const char *path;         /* relative to the table */
  int64_t size_bytes;
} osdear__checkpoint_file;
/* As the listing orders them: by version, then by rank; the parts of one checkpoint follow each other. */
int osdear__checkpoint_file_compare(const osdear__checkpoint_file *a, const osdear__checkpoint_file *b);

/* All lists ascend. */
typedef struct osdear__listing {
  osdear__arena arena; /* paths */
  osdear__commit_file *commits;
  size_t commit_count, commit_room;
  osdear__commit_file *compacted; /* by first version, then by last */
  size_t compacted_count, compacted_room;
  osdear__checkpoint_file *checkpoints; /* those of which all parts are there */
  size_t checkpoint_count, checkpoint_room;
} osdear__listing;
/* Only files of `from` and later versions; 0: all. */
MUST_USE osdear_status osdear__listing_read(osdear__store *store, int64_t from, osdear__listing *out, osdear_error **error);
void osdear__listing_drop(osdear__listing *listing);
int64_t osdear__listing_newest(const osdear__listing *listing);   /* -1: there is nothing */
int64_t osdear__listing_earliest(const osdear__listing *listing); /* the oldest version that its files may lead to */

/* The version _last_checkpoint names (checkpoint_hint.c). It is a hint: whatever is wrong with it, its checksum included, the answer is
 * -1 and the log is listed as a whole. */
MUST_USE osdear_status osdear__checkpoint_hint_read(osdear__str text, int64_t *version, osdear_error **error);
MUST_USE osdear_status osdear__last_checkpoint(osdear__store *store, int64_t *version, osdear_error **error);

/* ---- what its writer counted (checksum.c) ---- */

/* Holds the version's checksum, if there is one, against the snapshot, whose live files are `files` of `size_bytes` in all. What differs is
 * told as warnings of the context's log, and no failure. */
MUST_USE osdear_status osdear__checksum_check(const osdear_snapshot *snapshot, int64_t files, int64_t size_bytes,
                                              osdear_error **error);

/* ---- which files make up a version (segment.c) ---- */

/* The commits after the version `checkpoint` (-1: from version 0) up to `version`; with `compact` those of which a compaction holds many
 * at once are replaced by it. CORRUPT where one is missing. */
MUST_USE osdear_status osdear__segment_new(const osdear__listing *listing, int64_t checkpoint, int64_t version, bool compact,
                                           const char *uri, osdear__segment *out, osdear_error **error);
/* That of an older version, carried on by the commits of `listing`. */
MUST_USE osdear_status osdear__segment_extend(const osdear__segment *base, const osdear__listing *listing, int64_t version,
                                              const char *uri, osdear__segment *out, osdear_error **error);

/* ---- when (time.c) ---- */

/* Modification times, raised where they do not ascend, as Spark does: milliseconds for each commit of the listing. */
MUST_USE osdear_status osdear__commit_times(const osdear__listing *listing, int64_t **out, osdear_error **error);
/* The newest version not after `timestamp_us`. `newest` tells whether commits carry their own timestamps. */
MUST_USE osdear_status osdear__version_at(osdear__store *store, const osdear__listing *listing, const osdear_snapshot *newest,
                                          int64_t timestamp_us, int64_t *version, osdear_error **error);

/* ---- a checkpoint (checkpoint_open.c) ---- */

/* One of its files. */
typedef struct osdear__checkpoint_part {
  const char *path; /* relative to the table */
  int64_t size_bytes;
  osdear__parquet *open; /* of a top file that is Parquet; NULL otherwise */
} osdear__checkpoint_part;

/* What is at its top is open: one file, or all parts of many. Sidecars, which hold the files of most V2 checkpoints, are known once
 * osdear__checkpoint_table() has run, and opened by whoever reads them. Immutable from then on, and counted by reference. */
typedef struct osdear__checkpoint {
  _Atomic int64_t references;
  osdear__store *store;
  osdear__arena arena;
  osdear__checkpoint_file first; /* of its top files, as it was listed */
  osdear__checkpoint_part *tops;
  size_t top_count;
  osdear__checkpoint_part *sidecars;
  size_t sidecar_count, sidecar_room;
  osdear__map sidecar_paths;
  bool has_metadata; /* a checkpointMetadata was seen */
} osdear__checkpoint;
/* `files`: the parts of one checkpoint of a listing. */
MUST_USE osdear_status osdear__checkpoint_open(osdear__store *store, const osdear__checkpoint_file *files,
                                               osdear__checkpoint **out, osdear_error **error);
osdear__checkpoint *osdear__checkpoint_ref(osdear__checkpoint *checkpoint); /* NULL stays NULL */
void osdear__checkpoint_unref(osdear__checkpoint *checkpoint);
void osdear__checkpoint_auto(osdear__checkpoint **checkpoint);
/* Hands out protocol, metadata, transactions and domains, and learns of the sidecars. Called once, before the checkpoint is shared. */
MUST_USE osdear_status osdear__checkpoint_table(osdear__checkpoint *checkpoint, osdear__action_visit visit, void *argument,
                                                osdear_error **error);

/* ---- what its files hold (checkpoint_table.c, checkpoint_files.c) ---- */

/* The actions of an open part that are not files, sidecars included. Only row groups that hold any of them are read. */
MUST_USE osdear_status osdear__checkpoint_part_table(osdear__parquet *part, osdear__action_visit visit, void *argument,
                                                     osdear_error **error);

/* The adds or the removes of a checkpoint, row by row. */
typedef struct osdear__checkpoint_rows osdear__checkpoint_rows;
/* `want`: FILES_STATS, FILES_TAGS. Holds a reference. */
MUST_USE osdear_status osdear__checkpoint_rows_new(osdear__checkpoint *checkpoint, bool adds, unsigned want,
                                                   osdear__checkpoint_rows **out, osdear_error **error);
/* *out NULL at the end. Valid until the next call. A failure names the file. */
MUST_USE osdear_status osdear__checkpoint_rows_next(osdear__checkpoint_rows *rows, const osdear__file **out,
                                                    osdear_error **error);
void osdear__checkpoint_rows_auto(osdear__checkpoint_rows **rows);

/* ---- file actions out of JSON (text_files.c) ---- */

/* Is the action wanted? `ordinal` counts the file actions of the text. */
typedef osdear_status (*osdear__text_pick)(void *argument, const osdear__action *action, int64_t ordinal, bool *wanted,
                                           osdear_error **error);
/* A text at a time, and of it a piece at a time. Zero-initialise, and set pick, argument and keep. */
typedef struct osdear__text_files {
  osdear__text_pick pick;
  void *argument;
  unsigned keep;          /* COMMIT_… */
  osdear__log_text *text; /* NULL: none is open */
  osdear__json_parser *parser;
  osdear__arena arena; /* of the piece at hand */
  osdear__file *files;
  size_t count, room, next;
  int64_t ordinal;
} osdear__text_files;
MUST_USE osdear_status osdear__text_files_open(osdear__text_files *files, osdear__store *store, const char *path,
                                               int64_t size_bytes, osdear_error **error);
/* *out NULL, and nothing open any more, at the end of the text. Valid until the next call. */
MUST_USE osdear_status osdear__text_files_next(osdear__text_files *files, const osdear__file **out, osdear_error **error);
void osdear__text_files_drop(osdear__text_files *files);

/* ---- columns of checkpoints (checkpoint_columns.c) ---- */

/* The columns of `wanted` that the file has, as the file has them, for a cursor; further fields of structs are left out. */
MUST_USE osdear_status osdear__checkpoint_prune(const osdear__type *file, const osdear__type *wanted, osdear__arena *arena,
                                                osdear__type *out, osdear_error **error);
/* Are all rows of the group null at `path` (names, through structs)? False also where it is not known; true where there is no such column. */
bool osdear__checkpoint_group_lacks(const osdear__parquet *file, size_t group, const char *column, const char *field);

/* One row of a stats_parsed column as the JSON text it stands for. */
void osdear__checkpoint_stats_print(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out);

/* ---- access to canonical arrays ---- */

static inline osdear__str osdear__string_at(const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = array->buffers[1];
  const char *bytes = array->buffers[2];

  return (osdear__str){ bytes ? bytes + offsets[row] : NULL, (size_t)(offsets[row + 1] - offsets[row]) };
}

#endif
