/* Files that cannot hold a row for which a predicate is true, by partition values first and statistics second. */
#ifndef OSDEAR_SRC_DELTA_PRUNE_H
#define OSDEAR_SRC_DELTA_PRUNE_H

#include <delta/delta.h>

typedef struct osdear__prune {
  const osdear__expr *where; /* NULL: all files may match */
  const osdear__metadata *metadata;
  bool needs_partition, needs_stats; /* what kinds of columns the predicate reads */
  osdear__arena arena;               /* of the file at hand */
  const osdear__file *file;
  const osdear__file_stats *stats;
} osdear__prune;

/* `where`: bound to the table's schema, or to one that starts with its columns. */
void osdear__prune_init(osdear__prune *prune, const osdear__expr *where, const osdear__metadata *metadata);
/* `*keep` false: no row of the file can match. */
MUST_USE osdear_status osdear__prune_file(osdear__prune *prune, const osdear__file *file, bool *keep, osdear_error **error);
void osdear__prune_drop(osdear__prune *prune);

#endif
