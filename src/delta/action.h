/* Actions out of the log's JSON, one after the other, and copies of them that last. */
#ifndef OSDEAR_SRC_DELTA_ACTION_H
#define OSDEAR_SRC_DELTA_ACTION_H

#include <delta/delta.h>

typedef enum osdear__action_kind {
  ACTION_ADD,
  ACTION_REMOVE,
  ACTION_PROTOCOL,
  ACTION_METADATA,
  ACTION_TXN,
  ACTION_DOMAIN,
  ACTION_COMMIT_INFO,
  ACTION_SIDECAR,
  ACTION_CHECKPOINT /* of V2 checkpoints */,
  ACTION_CDC
} osdear__action_kind;

/* A file that holds files of a checkpoint. */
typedef struct osdear__sidecar {
  osdear__str path; /* as in the checkpoint: URI-encoded */
  int64_t size_bytes;
} osdear__sidecar;

/* Valid during the visit only. Of the members only that of `kind` is filled. */
typedef struct osdear__action {
  osdear__action_kind kind;
  osdear__file file; /* ADD, REMOVE, CDC */
  osdear__protocol protocol;
  osdear__metadata metadata; /* its `schema` is not parsed */
  osdear__txn txn;
  osdear__domain domain;
  osdear__str info; /* COMMIT_INFO: JSON object text */
  osdear__sidecar sidecar;
  int64_t checkpoint_version; /* CHECKPOINT */
} osdear__action;
typedef osdear_status (*osdear__action_visit)(void *argument, const osdear__action *action, osdear_error **error);

/* Kept beside those of delta.h: tags of files; what only checkpoints hold. */
enum { COMMIT_TAGS = 16, COMMIT_CHECKPOINT = 32 };

/* Parse a whole number of lines. Actions that `keep` does not ask for, and actions and fields that are unknown, are passed over.
 * `*parser` is made when it is NULL, and used again when not. CORRUPT names file and line. */
MUST_USE osdear_status osdear__actions_parse(osdear__str text, const char *name, int64_t first_line, unsigned keep,
                                             osdear__json_parser **parser, osdear__action_visit visit, void *argument,
                                             osdear_error **error);
/* The same for a commit in the store, a few MiB of it in memory at a time. `size_bytes` -1: unknown. */
MUST_USE osdear_status osdear__commit_visit(osdear__store *store, int64_t version, int64_t size_bytes, unsigned keep,
                                            osdear__json_parser **parser, osdear__action_visit visit, void *argument,
                                            osdear_error **error);
/* The same for any file of the log that holds lines of JSON: a compaction, the top of a V2 checkpoint. */
MUST_USE osdear_status osdear__log_visit(osdear__store *store, const char *path, int64_t size_bytes, unsigned keep,
                                         osdear__json_parser **parser, osdear__action_visit visit, void *argument,
                                         osdear_error **error);

/* Such a file taken piece by piece, for whoever pulls. */
typedef struct osdear__log_text osdear__log_text;
MUST_USE osdear_status osdear__log_text_open(osdear__store *store, const char *path, int64_t size_bytes, osdear__log_text **out,
                                             osdear_error **error);
/* The next lines; *text empty at the end. Valid until the next call. */
MUST_USE osdear_status osdear__log_text_next(osdear__log_text *file, osdear__str *text, int64_t *first_line,
                                             osdear_error **error);
const char *osdear__log_text_name(const osdear__log_text *file);
void osdear__log_text_auto(osdear__log_text **file);

/* Deep copies into an arena; NO_MEMORY is the only failure, but for the metadata's schema text, which is parsed into `out->schema`. */
MUST_USE osdear_status osdear__file_copy(const osdear__file *file, osdear__arena *arena, osdear__file *out, osdear_error **error);
MUST_USE osdear_status osdear__protocol_copy(const osdear__protocol *protocol, osdear__arena *arena, osdear__protocol *out,
                                             osdear_error **error);
MUST_USE osdear_status osdear__metadata_copy(const osdear__metadata *metadata, osdear__arena *arena, osdear__metadata *out,
                                             osdear_error **error);
MUST_USE osdear_status osdear__txn_copy(const osdear__txn *txn, osdear__arena *arena, osdear__txn *out, osdear_error **error);
MUST_USE osdear_status osdear__domain_copy(const osdear__domain *domain, osdear__arena *arena, osdear__domain *out,
                                           osdear_error **error);

/* A file before any of its fields is known: numbers that may be absent are -1. */
/* clang-format off */
#define OSDEAR__FILE_BLANK \
  ((osdear__file){ .size_bytes = -1, .data_change = true, .dv = { .offset = -1 }, .base_row_id = -1, .default_row_commit_version = -1 })
/* clang-format on */
/* What every action must obey, from wherever it came: fields that are there but make no sense are CORRUPT. */
MUST_USE osdear_status osdear__file_check(const osdear__file *file, const char *what, bool is_add, osdear_error **error);

#endif
