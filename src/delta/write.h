/** @file write.h What the files of the writing side share. Private to this layer. */
#ifndef OSDEAR_SRC_DELTA_WRITE_H
#define OSDEAR_SRC_DELTA_WRITE_H

#include <delta/delta.h>

#define OSDEAR__ENGINE_INFO "libosdear/0.1.0"

/* ---- a table's handle (table.c) ---- */

struct osdear_table {
  osdear_context *context;
  osdear__store *store;
  osdear_snapshot *snapshot;
  bool is_behind; /* a newer version is known to be there, but could not be loaded yet */
};
MUST_USE osdear_status osdear__table_new(osdear_context *context, osdear__store *store, osdear_table **out, osdear_error **error);
/* After a commit, whether ours or another's: the newest state. On failure the handle stays as it was. */
MUST_USE osdear_status osdear__table_sync(osdear_table *table, osdear_error **error);

/* ---- properties (properties.c) ---- */

/* The protocol of a table that is being made. Zero-initialise. */
typedef struct osdear__protocol_draft {
  int32_t min_reader, min_writer; /* at least these */
  bool wanted[32];                /* table features, by their place in properties.c */
} osdear__protocol_draft;
MUST_USE osdear_status osdear__draft_add_feature(osdear__protocol_draft *draft, const char *name, osdear_error **error);
/* The oldest protocol that has all of it: 1 and 2 where nothing more is asked. */
MUST_USE osdear_status osdear__draft_finish(const osdear__protocol_draft *draft, osdear__arena *arena, osdear__protocol *out,
                                            osdear_error **error);
/* Known `delta.*` properties are checked and given their usual spelling, unknown ones refused by name. What only asks for protocol
 * (`delta.feature.x`, `delta.minReaderVersion`, …) goes into `draft` and is left out. Lists live in the arena. */
MUST_USE osdear_status osdear__properties_check(const osdear_pair *given, size_t given_count, const osdear__type *schema,
                                                osdear__arena *arena, osdear_pair **out, size_t *out_count,
                                                osdear__protocol_draft *draft, osdear_error **error);
/* "134217728", "128mb". `otherwise` when it is not set or no size. */
int64_t osdear__metadata_property_bytes(const osdear__metadata *metadata, const char *key, int64_t otherwise);
/* `a, b.c, \`odd.name\`` as paths, whose names are set apart by OSDEAR__PATH_SEPARATOR, which no name holds (stats_print.c). */
#define OSDEAR__PATH_SEPARATOR '\1'
MUST_USE osdear_status osdear__column_list_parse(const char *list, osdear__arena *arena, osdear__str **out, size_t *count,
                                                 osdear_error **error);

/* ---- rows of a caller, made to fit the table (fit.c) ---- */

/* How the columns of an input become those of the table. */
typedef struct osdear__fit osdear__fit;
/* DATA names the column that does not fit. `input` and `table` outlive it. */
MUST_USE osdear_status osdear__fit_new(const osdear__type *input, const osdear__type *table, osdear__fit **out,
                                       osdear_error **error);
void osdear__fit_auto(osdear__fit **fit);
/* Moves `batch` in. `first_row`: number of its first row, for messages. */
MUST_USE osdear_status osdear__fit_batch(const osdear__fit *fit, struct ArrowArray *batch, int64_t first_row,
                                         struct ArrowArray *out, osdear_error **error);

/* ---- what a Parquet writer does not tell of a file (leaf_facts.c) ---- */

/* By leaf, in the order of the schema, structs opened and lists and maps not. */
typedef struct osdear__leaf_facts {
  size_t count;
  bool *has_nan;       /* FLOAT, DOUBLE: the greatest value is then none of the numbers */
  int64_t *null_count; /* ARRAY, MAP: null themselves or within a null struct */
} osdear__leaf_facts;
MUST_USE osdear_status osdear__leaf_facts_init(osdear__leaf_facts *facts, const osdear__type *type, osdear_error **error);
void osdear__leaf_facts_add(osdear__leaf_facts *facts, const osdear__type *type, const struct ArrowArray *batch);
void osdear__leaf_facts_drop(osdear__leaf_facts *facts);
/* As osdear__stats_print(), which knows no facts. */
MUST_USE osdear_status osdear__stats_print_with(const osdear__metadata *metadata, const osdear__type *file_type,
                                                const osdear__parquet_writer *writer, const osdear__leaf_facts *facts,
                                                osdear__buf *out, osdear_error **error);

/* ---- partitions of rows (route.c) ---- */

/* Numbers the combinations of partition values, in the order they are met. */
typedef struct osdear__router osdear__router;
/* `columns`: which fields of `type` are partition columns; `column_count` of them. `type` outlives it. */
MUST_USE osdear_status osdear__router_new(const osdear__type *type, const size_t *columns, size_t column_count,
                                          osdear__router **out, osdear_error **error);
void osdear__router_auto(osdear__router **router);
/* The partition of each row, into `ids` (room for batch->length). */
MUST_USE osdear_status osdear__router_route(osdear__router *router, const struct ArrowArray *batch, uint32_t *ids,
                                            osdear_error **error);
size_t osdear__router_count(const osdear__router *router);
/* The value of the `column`-th partition column; text is borrowed from the router. */
void osdear__router_value(const osdear__router *router, uint32_t id, size_t column, osdear__scalar *out);

/* ---- data files (data_writer.c) ---- */

typedef struct osdear__data_writer osdear__data_writer;
/* `snapshot` outlives it. */
MUST_USE osdear_status osdear__data_writer_new(osdear_snapshot *snapshot, int64_t target_file_bytes, osdear__data_writer **out,
                                               osdear_error **error);
/* Unless osdear__data_writer_keep() was called, the files written are deleted. */
void osdear__data_writer_auto(osdear__data_writer **writer);
/* A canonical struct array of the table's type, moved in. */
MUST_USE osdear_status osdear__data_writer_add(osdear__data_writer *writer, struct ArrowArray *batch, osdear_error **error);
/* All rows are in files that are durable and known by osdear__data_writer_files(). More may be added after it. */
MUST_USE osdear_status osdear__data_writer_flush(osdear__data_writer *writer, osdear_error **error);
const osdear__file *osdear__data_writer_files(const osdear__data_writer *writer, size_t *count);
int64_t osdear__data_writer_rows(const osdear__data_writer *writer);
void osdear__data_writer_keep(osdear__data_writer *writer);

/* ---- choosing partitions (partition_filter.c) ---- */

/* The partition values of a file in one text, the same for the same values however they are spelled in the log; appended. */
MUST_USE osdear_status osdear__partition_key(const osdear__metadata *metadata, const osdear__file *file, osdear__buf *out,
                                             osdear_error **error);

/* A predicate on partition columns, asked file by file. Confined. */
typedef struct osdear__partition_filter osdear__partition_filter;
/* ARGUMENT: the predicate does not parse, or reads a column that does not partition the table. `metadata` outlives it. */
MUST_USE osdear_status osdear__partition_filter_new(const osdear__metadata *metadata, const char *where,
                                                    osdear__partition_filter **out, osdear_error **error);
void osdear__partition_filter_auto(osdear__partition_filter **filter);
MUST_USE osdear_status osdear__partition_filter_test(osdear__partition_filter *filter, const osdear__file *file, bool *matches,
                                                     osdear_error **error);
/* DATA when it is not true for a row of the batch, whose first row has the number `first_row`. */
MUST_USE osdear_status osdear__partition_filter_check(osdear__partition_filter *filter, const struct ArrowArray *batch,
                                                      int64_t first_row, osdear_error **error);

/* ---- commits (commit.c, conflict.c) ---- */

typedef enum osdear__isolation { ISOLATION_SERIALIZABLE, ISOLATION_WRITE_SERIALIZABLE, ISOLATION_SNAPSHOT } osdear__isolation;

/* What a transaction read and wrote, as far as the conflict rules ask (reference §9). */
typedef struct osdear__claims {
  const osdear_snapshot *snapshot; /* what it was judged against */
  osdear__isolation isolation;
  bool reads_whole_table;
  osdear__partition_filter *reads; /* NULL: no predicate was read by */
  const osdear__map *read_keys;    /* of partitions, by osdear__partition_key(); NULL: none */
  const osdear__map *removes;      /* canonical paths of files that are removed; NULL: none */
  const char *app_id;              /* NULL: none */
  int64_t app_version;
} osdear__claims;

/* CONFLICT tells which rule and which file. `*was_done`: the winner is the same write, by its app_id. */
MUST_USE osdear_status osdear__conflict_check(const osdear__claims *claims, const osdear__commit *winner, bool *was_done,
                                              osdear_error **error);
/* What must be kept of a winner to check it. */
unsigned osdear__conflict_needs(const osdear__claims *claims);

/* A commit in the making. */
typedef struct osdear__proposal {
  const osdear__claims *claims;
  osdear__commit_info info; /* times, read_version and txn_id are filled in by osdear__propose() */
  osdear__str actions;      /* the lines after commitInfo */
  int32_t max_attempts;
} osdear__proposal;

typedef enum osdear__commit_state {
  COMMIT_NOT_MADE, /* nothing of it can be seen: its files are nobody's */
  COMMIT_MADE,
  COMMIT_UNKNOWN /* it may be there: its files must stay */
} osdear__commit_state;

typedef struct osdear__outcome {
  osdear__commit_state state; /* set in any case, … */
  int32_t attempts;           /* … as is this */
  int64_t version;            /* that was made */
  bool was_done;              /* another commit did the same before */
} osdear__outcome;

/* Put-if-absent of the next version until it succeeds, a conflict is found or the attempts are used up. */
MUST_USE osdear_status osdear__propose(const osdear__proposal *proposal, osdear__outcome *out, osdear_error **error);

/* ---- checkpoints (checkpoint_write.c, checkpoint_hint.c) ---- */

MUST_USE osdear_status osdear__checkpoint_write(osdear_snapshot *snapshot, osdear_error **error);
/* The content of `_last_checkpoint`, checksum included. */
MUST_USE osdear_status osdear__checkpoint_hint_print(int64_t version, int64_t actions, int64_t size_bytes, int64_t add_count,
                                                     osdear__buf *out, osdear_error **error);
/* MD5 of the canonical form of an object, `checksum` left out: the protocol's appendix on JSON checksums. CORRUPT: doubled keys. */
MUST_USE osdear_status osdear__json_checksum(const osdear__json *object, char out[33], osdear_error **error);

/* A file's statistics as they were written, without the room that osdear__stats_range() leaves for cut timestamps (stats.c). `path` must
 * lead to a leaf of the schema. -1: unknown. */
MUST_USE bool osdear__stats_bound(const osdear__file_stats *stats, const size_t *path, size_t depth, bool is_max,
                                  osdear__scalar *out);
int64_t osdear__stats_null_count(const osdear__file_stats *stats, const size_t *path, size_t depth);

#endif
