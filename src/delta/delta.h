/** @file delta.h The Delta protocol: actions, log, snapshots, commits. Its face is public: snapshot.h, scan.h, table.h, transaction.h. */
#ifndef OSDEAR_SRC_DELTA_H
#define OSDEAR_SRC_DELTA_H

#include <arrow/arrow.h>
#include <expr/expr.h>
#include <json/json.h>
#include <osdear/transaction.h>
#include <parquet/parquet.h>
#include <store/store.h>

/* ---- actions ---- */

/* Text is borrowed from whoever made the action: an arena, or the batch being streamed. */
typedef struct osdear__partition_value {
  osdear__str column; /* physical name */
  osdear__str value;
  bool is_null; /* JSON null or "" */
} osdear__partition_value;

typedef struct osdear__deletion_vector {
  char storage;     /* 'u', 'i', 'p'; 0: none */
  osdear__str path; /* pathOrInlineDv */
  int64_t offset;   /* -1: absent */
  int64_t size_bytes;
  int64_t cardinality;
} osdear__deletion_vector;

/* add and remove. */
typedef struct osdear__file {
  osdear__str path; /* as in the log: URI-encoded */
  osdear__partition_value *partition;
  size_t partition_count;
  int64_t size_bytes;  /* -1: absent */
  int64_t modified_ms; /* add */
  int64_t deleted_ms;  /* remove; 0: absent */
  bool data_change;
  osdear__str stats; /* JSON text, unparsed; empty: none */
  osdear__str tags;  /* JSON text; empty: none */
  osdear__deletion_vector dv;
  int64_t base_row_id;                /* -1: absent */
  int64_t default_row_commit_version; /* -1: absent */
  osdear__str clustering_provider;
} osdear__file;

typedef struct osdear__protocol {
  int32_t min_reader, min_writer;
  const char **reader_features; /* NULL-terminated; NULL: the field is absent */
  const char **writer_features;
} osdear__protocol;

/* delta.columnMapping.mode, where the protocol lets it count. */
typedef enum osdear__mapping { MAPPING_NONE, MAPPING_NAME, MAPPING_ID } osdear__mapping;

typedef struct osdear__metadata {
  const char *id, *name, *description; /* name, description: NULL when absent */
  const char *schema_json;
  const char **partition_columns; /* NULL-terminated */
  osdear_pair *properties;
  size_t property_count;
  int64_t created_ms;  /* -1: absent */
  osdear__type schema; /* parsed; a struct, partition columns in their places, field metadata kept as JSON */
  /* The same fields in the same places by the names that data files, statistics and partition values have, with their field ids:
   * osdear__map_columns(). Until it is called, and where columns are not mapped, the schema itself. */
  osdear__type physical;
  osdear__mapping mapping;
} osdear__metadata;

typedef struct osdear__txn {
  const char *app_id;
  int64_t version;
  int64_t updated_ms; /* -1: absent */
} osdear__txn;

typedef struct osdear__domain {
  const char *name;
  const char *configuration;
  bool removed;
} osdear__domain;

/* What a writer says about its commit. NULL and -1: left out. */
typedef struct osdear__commit_info {
  int64_t timestamp_ms;
  int64_t in_commit_timestamp_ms;
  const char *operation;
  const char *operation_parameters; /* JSON object text, as are operation_metrics */
  int64_t read_version;
  const char *isolation_level;
  int32_t is_blind_append; /* 0, 1, -1 */
  const char *operation_metrics;
  const char *engine_info;
  const char *user_metadata;
  const char *txn_id;
} osdear__commit_info;

/* ---- paths of files (file_key.c) ---- */

/* As a URI of the log: has it a scheme, or does it start at the root? Then it does not lie below the table: shallow clones. */
bool osdear__path_is_absolute(osdear__str uri);
/* Takes `.`, `..` and empty components out of a path that has at least one byte. False: it climbs above where it starts, or nothing is
 * left of it. */
bool osdear__path_resolve(osdear__buf *path);
/* What the store is asked for, into `out`, which is emptied first: percent-decoded once. CORRUPT: it climbs out of where it starts. */
MUST_USE osdear_status osdear__data_path(osdear__str uri, osdear__buf *out, osdear_error **error);

/* One line of a commit each, newline included, appended (action_print.c). */
void osdear__action_print_add(const osdear__file *file, osdear__buf *out);
void osdear__action_print_remove(const osdear__file *file, osdear__buf *out);
void osdear__action_print_protocol(const osdear__protocol *protocol, osdear__buf *out);
void osdear__action_print_metadata(const osdear__metadata *metadata, osdear__buf *out);
void osdear__action_print_txn(const osdear__txn *txn, osdear__buf *out);
void osdear__action_print_domain(const osdear__domain *domain, osdear__buf *out);
void osdear__action_print_commit_info(const osdear__commit_info *info, osdear__buf *out);

/* ---- schema text (schema_json.c) ---- */

MUST_USE osdear_status osdear__delta_schema_parse(const char *text, osdear__arena *arena, osdear__type *out,
                                                  osdear_error **error);
void osdear__delta_schema_print(const osdear__type *struct_type, osdear__buf *out);
/* Is there a Delta type for each Arrow type; names legal and unique case-insensitively. Maps what has a lossless home (uint8 to short, …). */
MUST_USE osdear_status osdear__delta_schema_of(const osdear__type *arrow_type, osdear__arena *arena, osdear__type *out,
                                               osdear_error **error);
int64_t osdear__delta_partition_index(const osdear__metadata *metadata, osdear__str column); /* -1: not a partition column */

/* ---- names in files (column_mapping.c, type_changes.c) ---- */

/* Fills `physical` and `mapping`. CORRUPT: columns are mapped, and one lacks its id or name or shares them with another. */
MUST_USE osdear_status osdear__map_columns(const osdear__protocol *protocol, osdear__metadata *metadata, osdear__arena *arena,
                                           osdear_error **error);
/* What answers to a field of the schema's top. */
const osdear__field *osdear__physical_field(const osdear__metadata *metadata, const osdear__field *field);
/* UNSUPPORTED: a column was changed from a type that this build cannot widen. */
MUST_USE osdear_status osdear__type_changes_check(const osdear__type *schema, osdear_error **error);

/* ---- partition values (partition.c) ---- */

/* The value that an action gives for a column by its physical name; NULL: none. */
const osdear__partition_value *osdear__partition_find(const osdear__file *file, const char *physical_name);

/* Text of the log to a value of the column's type, in both ways of writing timestamps. Bytes of text are borrowed or from `arena`. */
MUST_USE osdear_status osdear__partition_parse(const osdear__type *type, osdear__str text, bool is_null, osdear__arena *arena,
                                               osdear__scalar *out, osdear_error **error);
/* A value to the log's text; "" never comes out of a value that is not null, except for empty strings, which Delta reads as null. */
void osdear__partition_print(const osdear__type *type, const osdear__scalar *value, osdear__buf *out, bool *is_null);
/* `col=value/` as Hive escapes it (not yet URI-encoded), appended. */
void osdear__partition_path(osdear__str column, osdear__str value, bool is_null, osdear__buf *out);

/* ---- CHAR(n) (char_type.c) ---- */

/* Sets the width of each string of `type` that Spark's text of it calls a CHAR(n). What does not go together is let be. */
void osdear__char_lengths(osdear__str text, osdear__type *type);
/* Whether it is a CHAR(n): bounds in the log and in files are those of the texts without their padding, and go by another order. */
static inline bool osdear__is_char(const osdear__type *type)
{
  return type->kind == KIND_STRING && type->width > 0;
}
/* Pads each text of a CHAR(n) in the array to n characters. */
MUST_USE osdear_status osdear__char_pad(const osdear__type *type, struct ArrowArray *array, osdear_error **error);
/* The same for one value; what it becomes is of `arena`. */
MUST_USE osdear_status osdear__char_pad_value(const osdear__type *type, osdear__arena *arena, osdear__scalar *value,
                                              osdear_error **error);

/* ---- statistics (stats.c) ---- */

/* A file's statistics, parsed when first asked. `schema` is the table's. */
typedef struct osdear__file_stats osdear__file_stats;
MUST_USE osdear_status
osdear__stats_parse(osdear__str text, const osdear__type *schema, osdear__arena *arena, osdear__file_stats **out,
                    osdear_error **error);                    /* OK with *out NULL when there are none or they are unreadable */
int64_t osdear__stats_rows(const osdear__file_stats *stats);  /* numRecords; -1: unknown */
int32_t osdear__stats_tight(const osdear__file_stats *stats); /* tightBounds as 0 or 1; -1: not said */
bool osdear__stats_range(const osdear__file_stats *stats, const size_t *path, size_t depth, osdear__range *out);
/* The JSON text for a file just written, from the writer's exact bounds, by the rules of reference delta §7. */
MUST_USE osdear_status osdear__stats_print(const osdear__metadata *metadata, const osdear__type *file_type,
                                           const osdear__parquet_writer *writer, osdear__buf *out, osdear_error **error);

/* ---- log (log/): which files make up a version, and what they say ---- */

/* A file of JSON lines: a commit, or a compaction, which says in one file what the commits of several versions did. */
typedef struct osdear__commit_file {
  int64_t version;       /* the last one, of a compaction */
  int64_t first_version; /* below `version`: a compaction */
  int64_t size_bytes;
  int64_t modified_ms;
} osdear__commit_file;

/* The files a snapshot is made of, besides its checkpoint. */
typedef struct osdear__segment {
  int64_t version;              /* of the snapshot */
  int64_t checkpoint_version;   /* -1: none */
  osdear__commit_file *commits; /* after the checkpoint, ascending, up to version */
  size_t commit_count;
  osdear__commit_file newest; /* the commit of `version`, whether or not it is needed; size_bytes -1 where it is gone */
} osdear__segment;
void osdear__segment_drop(osdear__segment *segment);

/* Path of a file of the log: "_delta_log/00000000000000000007.json". */
#define OSDEAR__LOG_PATH 96
void osdear__log_commit_path(int64_t version, char out[OSDEAR__LOG_PATH]);
void osdear__log_checkpoint_path(int64_t version, char out[OSDEAR__LOG_PATH]);
void osdear__log_file_path(const osdear__commit_file *file, char out[OSDEAR__LOG_PATH]); /* a compaction's too */

/* One commit's actions, filled by osdear__commit_read(); strings in `arena`. */
typedef struct osdear__commit {
  int64_t version;
  osdear__arena arena;
  osdear__protocol *protocol; /* NULL: none */
  osdear__metadata *metadata; /* NULL: none */
  osdear__file *adds;
  size_t add_count;
  osdear__file *removes;
  size_t remove_count;
  osdear__file *changes; /* cdc */
  size_t change_count;
  osdear__txn *txns;
  size_t txn_count;
  osdear__domain *domains;
  size_t domain_count;
  osdear__json *info; /* commitInfo as a tree; NULL: none */
} osdear__commit;
/* What to keep of a commit, so that nothing else costs memory. */
enum {
  COMMIT_FILES = 1,
  COMMIT_STATS = 2,
  COMMIT_TABLE = 4 /* protocol, metadata, txn, domains */,
  COMMIT_INFO = 8,
  COMMIT_CHANGES = 64 /* cdc */
};
MUST_USE osdear_status osdear__commit_read(osdear__store *store, int64_t version, unsigned keep, osdear__json_parser **parser,
                                           osdear__commit *out, osdear_error **error);
typedef struct osdear__commit osdear__commit_value;
void osdear__commit_drop(osdear__commit *commit);

/* ---- snapshot (snapshot.c) ---- */

struct osdear_snapshot {
  _Atomic int64_t references;
  osdear_context *context;
  osdear__store *store;
  osdear__segment segment;
  osdear__arena arena;
  osdear__protocol protocol;
  osdear__metadata metadata;
  osdear__txn *txns; /* newest of each app_id */
  size_t txn_count;
  osdear__domain *domains;   /* not removed */
  osdear_pair *domain_pairs; /* the same, as they are shown */
  size_t domain_count;
  struct osdear__tail *tail;             /* file actions of the commits after the checkpoint, reconciled */
  struct osdear__checkpoint *checkpoint; /* NULL: the log reaches back without one */
};
/* Open over a store that is open already; `base` (or NULL) is an older snapshot of the same table whose state is built on. */
MUST_USE osdear_status osdear__snapshot_load(osdear_context *context, osdear__store *store,
                                             const osdear_snapshot_options *options, osdear_snapshot *base, osdear_snapshot **out,
                                             osdear_error **error);

/* The live files, streamed: commits' adds first (newest first), then the checkpoint's rows that nothing removed. */
typedef struct osdear__file_iterator osdear__file_iterator;
/* `where` may be NULL; bound to the table's schema; files that it excludes by partition or statistics are not returned.
 * Every field is filled: the caller heeds `dv`. */
MUST_USE osdear_status osdear__file_iterator_new(osdear_snapshot *snapshot, const osdear__expr *where,
                                                 osdear__file_iterator **out, osdear_error **error);
/* The same with a say in what is read: a checkpoint's statistics are most of its bytes, so a scan leaves them out. Other fields
 * are always filled. */
enum { FILES_STATS = 1, FILES_TAGS = 2 };
MUST_USE osdear_status osdear__file_iterator_open(osdear_snapshot *snapshot, const osdear__expr *where, unsigned want,
                                                  osdear__file_iterator **out, osdear_error **error);
/* *out NULL at the end. Valid until the next call. */
MUST_USE osdear_status osdear__file_iterator_next(osdear__file_iterator *iterator, const osdear__file **out,
                                                  osdear_error **error);
int64_t osdear__file_iterator_seen(const osdear__file_iterator *iterator); /* live files so far, returned or not */
void osdear__file_iterator_auto(osdear__file_iterator **iterator);
/* The removes that a checkpoint must still carry (not older than delta.deletedFileRetentionDuration), streamed likewise. */
MUST_USE osdear_status osdear__tombstone_iterator_new(osdear_snapshot *snapshot, osdear__file_iterator **out,
                                                      osdear_error **error);

/* ---- protocol (protocol.c) ---- */

/* By version and feature names alone. */
MUST_USE osdear_status osdear__protocol_check_read(const osdear__protocol *protocol, const char *uri, osdear_error **error);
/* The same, and what the metadata turns on: column mapping, types. */
MUST_USE osdear_status osdear__protocol_check_table(const osdear__protocol *protocol, const osdear__metadata *metadata,
                                                    const char *uri, osdear_error **error);
/* Whether a checkpoint would keep all that the log says: what a feature that is not known has put there would be lost. */
MUST_USE osdear_status osdear__protocol_check_checkpoint(const osdear__protocol *protocol, const char *uri, osdear_error **error);
MUST_USE osdear_status osdear__protocol_check_write(const osdear__protocol *protocol, const osdear__metadata *metadata,
                                                    const char *uri, osdear_error **error);
const char *osdear__metadata_property(const osdear__metadata *metadata, const char *key); /* NULL: not set */
int64_t osdear__metadata_property_i64(const osdear__metadata *metadata, const char *key, int64_t otherwise);
bool osdear__metadata_property_bool(const osdear__metadata *metadata, const char *key, bool otherwise);
/* "interval 7 days", "30 hours", "interval 1 week 2 days": milliseconds. `otherwise` when it is not set or no interval. */
int64_t osdear__metadata_property_ms(const osdear__metadata *metadata, const char *key, int64_t otherwise);
/* Listed, or implied by a legacy writer version. */
bool osdear__protocol_has_reader_feature(const osdear__protocol *protocol,
                                         const char *name); /* listed, or implied by version 2 */
bool osdear__protocol_has_writer_feature(const osdear__protocol *protocol, const char *name);

/* ---- history (history.c) ---- */

/* What osdear_table_history() streams. `limit` -1: all. Holds references to context and store. */
MUST_USE osdear_status osdear__history_export(osdear_context *context, osdear__store *store, int64_t limit,
                                              struct ArrowArrayStream *out, osdear_error **error);

#endif
