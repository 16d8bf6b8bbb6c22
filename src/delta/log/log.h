/* The folder _delta_log: what lies in it, which of its files make up a version, and when versions came to be. */
#ifndef OSDEAR_SRC_DELTA_LOG_H
#define OSDEAR_SRC_DELTA_LOG_H

#include <delta/action.h>

/* ---- what lies in the folder (list.c) ---- */

typedef enum osdear__checkpoint_form { CHECKPOINT_CLASSIC, CHECKPOINT_MULTI_PART, CHECKPOINT_V2 } osdear__checkpoint_form;

typedef struct osdear__checkpoint_file {
  int64_t version;
  osdear__checkpoint_form form;
  char *path;         /* relative to the table, in the listing's arena */
  int64_t size_bytes;
} osdear__checkpoint_file;

/* Both lists ascend. */
typedef struct osdear__listing {
  osdear__arena arena;
  osdear__commit_file *commits;
  size_t commit_count, commit_room;
  osdear__checkpoint_file *checkpoints;
  size_t checkpoint_count, checkpoint_room;
} osdear__listing;
/* Only files of `from` and later versions; 0: all. */
MUST_USE osdear_status osdear__listing_read(osdear__store *store, int64_t from, osdear__listing *out, osdear_error **error);
void osdear__listing_drop(osdear__listing *listing);
int64_t osdear__listing_newest(const osdear__listing *listing);   /* -1: there is nothing */
int64_t osdear__listing_earliest(const osdear__listing *listing); /* the oldest version that its files may lead to */

/* The version _last_checkpoint names. It is a hint: whatever is wrong with it, the answer is -1 and the log is listed as a whole. */
MUST_USE osdear_status osdear__last_checkpoint(osdear__store *store, int64_t *version, osdear_error **error);

/* ---- which files make up a version (segment.c) ---- */

/* The commits after `checkpoint` (NULL: from version 0) up to `version`. CORRUPT where one is missing. */
MUST_USE osdear_status osdear__segment_new(const osdear__listing *listing, const osdear__checkpoint_file *checkpoint, int64_t version,
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

/* ---- what a checkpoint holds (checkpoint_table.c, checkpoint_files.c) ---- */

/* Protocol, metadata, transactions and domains of an open part. Only row groups that hold any of them are read.
 * UNSUPPORTED where the rest of the checkpoint lies in sidecars. */
MUST_USE osdear_status osdear__checkpoint_table(osdear__parquet *part, osdear__action_visit visit, void *argument, osdear_error **error);

/* The adds or the removes of a checkpoint, row by row. */
typedef struct osdear__checkpoint_rows osdear__checkpoint_rows;
/* `want`: FILES_STATS, FILES_TAGS. `parts` outlives it. */
MUST_USE osdear_status osdear__checkpoint_rows_new(osdear__parquet *const *parts, size_t part_count, bool adds, unsigned want,
                                                   osdear__checkpoint_rows **out, osdear_error **error);
/* *out NULL at the end. Valid until the next call. */
MUST_USE osdear_status osdear__checkpoint_rows_next(osdear__checkpoint_rows *rows, const osdear__file **out, osdear_error **error);
void osdear__checkpoint_rows_auto(osdear__checkpoint_rows **rows);

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
