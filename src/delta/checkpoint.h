/** @file checkpoint.h What the files that write checkpoints share. Private to this layer. */
#ifndef OSDEAR_SRC_DELTA_CHECKPOINT_H
#define OSDEAR_SRC_DELTA_CHECKPOINT_H

#include <delta/write.h>

/* The last is of V2 checkpoints only. */
enum {
  COLUMN_TXN,
  COLUMN_ADD,
  COLUMN_REMOVE,
  COLUMN_METADATA,
  COLUMN_PROTOCOL,
  COLUMN_DOMAIN,
  COLUMN_CHECKPOINT,
  CHECKPOINT_COLUMNS
};

/* The columns of a table's checkpoint, and where in `add` those stand that not every table has; -1: nowhere. */
typedef struct osdear__checkpoint_shape {
  osdear__type type;
  int stats;
  int stats_parsed;
  int partition_parsed;
} osdear__checkpoint_shape;
MUST_USE osdear_status osdear__checkpoint_shape_new(const osdear__metadata *table, bool is_v2, osdear__arena *arena,
                                                    osdear__checkpoint_shape *out, osdear_error **error);

/* Rows of one column each (checkpoint_rows.c). `builder` is that of the column's type; the row is closed. */
MUST_USE osdear_status osdear__checkpoint_put_txn(osdear__builder *builder, const osdear__txn *txn, osdear_error **error);
MUST_USE osdear_status osdear__checkpoint_put_metadata(osdear__builder *builder, const osdear__metadata *metadata,
                                                       osdear_error **error);
MUST_USE osdear_status osdear__checkpoint_put_protocol(osdear__builder *builder, const osdear__protocol *protocol,
                                                       osdear_error **error);
MUST_USE osdear_status osdear__checkpoint_put_domain(osdear__builder *builder, const osdear__domain *domain,
                                                     osdear_error **error);
MUST_USE osdear_status osdear__checkpoint_put_version(osdear__builder *builder, int64_t version, osdear_error **error);
MUST_USE osdear_status osdear__checkpoint_put_remove(osdear__builder *builder, const osdear__file *file, osdear_error **error);
/* `arena` is for what parsing needs; it may be emptied afterwards. */
MUST_USE osdear_status osdear__checkpoint_put_add(osdear__builder *builder, const osdear__checkpoint_shape *shape,
                                                  const osdear__metadata *metadata, const osdear__file *file,
                                                  osdear__arena *arena, osdear_error **error);

#endif
