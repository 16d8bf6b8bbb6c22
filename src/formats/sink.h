/** @file sink.h What the output formats share behind osdear/sink.h. */
#ifndef OSDEAR_SRC_FORMATS_SINK_H
#define OSDEAR_SRC_FORMATS_SINK_H

#include <formats/formats.h>

#include "text.h"

#define OSDEAR__SINK_BYTES ((size_t)256 << 10) /* so much is gathered before it is handed on */

typedef struct osdear__sink osdear__sink;

/* One format. Rows come in batches of the sink's type between `begin` and `end`; `drop` frees the state, also after a failure. */
typedef struct osdear__sink_format {
  const char *name;
  osdear_status (*begin)(osdear__sink *sink, osdear_error **error);
  osdear_status (*add)(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error);
  osdear_status (*end)(osdear__sink *sink, osdear_error **error);
  void (*drop)(osdear__sink *sink); /* NULL: there is no state */
} osdear__sink_format;
extern const osdear__sink_format osdear__sink_jsonl, osdear__sink_csv, osdear__sink_table, osdear__sink_arrow,
    osdear__sink_parquet;

struct osdear__sink {
  osdear_context *context;
  osdear_sink_options options;
  osdear_write_callback write;
  void *argument;
  const osdear__type *type;
  osdear__buf out;
  osdear__text text; /* over `out` */
  int64_t rows;      /* written */
  void *state;       /* the format's own */
};

MUST_USE osdear_status osdear__sink_write(osdear__sink *sink, const void *data, size_t size, osdear_error **error);
/* Hands on what was gathered in `out`. */
MUST_USE osdear_status osdear__sink_flush(osdear__sink *sink, osdear_error **error);
/* The same, once it is worth it. To be asked after each row. */
static inline osdear_status osdear__sink_spill(osdear__sink *sink, osdear_error **error)
{
  return LIKELY(sink->out.size < OSDEAR__SINK_BYTES && !sink->out.failed) ? OSDEAR_OK : osdear__sink_flush(sink, error);
}

#endif
