/** @file source.h What the formats share behind osdear/source.h. */
#ifndef OSDEAR_SRC_FORMATS_SOURCE_H
#define OSDEAR_SRC_FORMATS_SOURCE_H

#include <formats/formats.h>
#include <stdatomic.h>

#include "feed.h"
#include "infer.h"

#define OSDEAR__INFER_ROWS INT64_C(100000)
#define OSDEAR__BATCH_ROWS INT64_C(65536)
#define OSDEAR__BATCH_BYTES ((size_t)32 << 20) /* a batch ends here even if rows are left: memory is bounded by it */
#define OSDEAR__FIELD_BYTES ((size_t)16 << 20) /* a longer field is rather a lost quote */
#define OSDEAR__RECORD_BYTES ((size_t)64 << 20)
#define OSDEAR__COLUMNS ((size_t)65536)

typedef struct osdear__source_file {
  const char *path;
  osdear__feed *feed; /* a pipe or standard input, kept open between the look and the rows; else NULL */
  void *details;      /* the format's own, in the arena */
} osdear__source_file;

typedef struct osdear__override {
  osdear__str name;
  osdear__type type;
} osdear__override;

typedef struct osdear_source osdear__source;

/* One format. `look` finds the columns: fills source->type and the report. Then `start` makes what `next` pulls from. */
typedef struct osdear__format {
  const char *name;
  osdear_status (*look)(osdear__source *source, osdear_error **error);
  osdear_status (*start)(osdear__source *source, void **state, osdear_error **error);
  osdear__stream_next next;
  osdear__stream_close close;
} osdear__format;
extern const osdear__format osdear__format_csv, osdear__format_ndjson, osdear__format_parquet;

struct osdear_source {
  _Atomic int64_t references; /* the handle's and the stream's */
  osdear_context *context;
  osdear__arena arena;
  osdear_source_options options; /* texts are copies */
  osdear__feed_options feed_options;
  const osdear__format *format;
  osdear__source_file *files;
  size_t file_count;
  osdear__override *overrides;
  size_t override_count;
  osdear__meter meter;
  osdear__type type; /* a struct of the columns */
  bool has_schema;   /* it was given: there is nothing to infer, and nothing to add */
  osdear__buf report;
  void *details; /* the format's own, in the arena */
  bool is_taken;
};

/* The file from its front, whether it is opened again or a pipe that was kept. Owned by the caller, a pipe's no longer by `file`. */
MUST_USE osdear_status osdear__source_feed(osdear__source *source, osdear__source_file *file, osdear__feed **out,
                                           osdear_error **error);
/* For the look: like the above, but what cannot be opened twice stays with `file`. Give it back with osdear__source_looked(). */
MUST_USE osdear_status osdear__source_look(osdear__source *source, osdear__source_file *file, osdear__feed **out,
                                           osdear_error **error);
void osdear__source_looked(osdear__source_file *file, osdear__feed **feed);
/* Puts the caller's types over what was inferred. ARGUMENT for a column that is not there. */
MUST_USE osdear_status osdear__source_override(osdear__source *source, osdear_error **error);
bool osdear__source_is_given(const osdear__source *source, size_t column); /* the caller gave its type */
/* "name type: " and, for a type that was given, the rest of the line; false then. */
bool osdear__source_report_column(osdear__source *source, size_t column);
/* DATA: `text` at that place is not of the column's type, and what to do. */
osdear_status osdear__source_fail_value(const osdear__source *source, size_t column, const char *file, int64_t line,
                                        osdear__str text, osdear_error **error);
/* DATA: the file has a column that the schema given has not. */
osdear_status osdear__source_fail_column(const char *file, osdear__str name, osdear_error **error);
/* How many rows to look at in file `index`, when `looked` were looked at before: each file gets a share, so that a column that only
 * later files have is seen too. */
int64_t osdear__source_look_rows(const osdear__source *source, size_t index, int64_t looked);

#endif
