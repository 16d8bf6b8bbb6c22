/* Rows out: a stream is read to its end, batch by batch. */
#include "sink.h"

static const osdear__sink_format *const formats[] = { &osdear__sink_jsonl, &osdear__sink_csv, &osdear__sink_parquet,
                                                      &osdear__sink_arrow, &osdear__sink_table };

osdear_status osdear__sink_write(osdear__sink *sink, const void *data, size_t size, osdear_error **error)
{
  int32_t number;

  if (!size)
    return OSDEAR_OK;
  number = sink->write(sink->argument, data, size);
  return number ? osdear__fail_errno(error, number, "writing %zu bytes of output", size) : OSDEAR_OK;
}

osdear_status osdear__sink_flush(osdear__sink *sink, osdear_error **error)
{
  osdear_status st = osdear__text_check(&sink->out, error);

  if (!st)
    st = osdear__sink_write(sink, sink->out.data, sink->out.size, error);
  osdear__buf_clear(&sink->out);
  return st;
}

static osdear_status write_batches(osdear__sink *sink, const osdear__sink_format *format, osdear__reader *reader,
                                   osdear_error **error)
{
  osdear_status st = format->begin(sink, error);

  while (!st) {
    SCOPED(array) batch = { 0 };
    st = osdear__context_check(sink->context, error);
    if (!st)
      st = osdear__reader_next(reader, &batch, error);
    if (st || !batch.release)
      break;
    st = format->add(sink, &batch, error);
  }
  if (!st)
    st = format->end(sink, error);
  return st ? st : osdear__sink_flush(sink, error);
}

static osdear_status check(const osdear_sink_options *options, osdear_error **error)
{
  char delimiter = options->delimiter;

  if (options->header < 0 || options->header > 1 || options->max_rows < 0 || options->max_width < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "header is 0 or 1, max_rows and max_width are not negative");
  if (delimiter == '"' || delimiter == '\n' || delimiter == '\r' || (delimiter & 0x80))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a delimiter is one ASCII character, not the quote and no line's end");
  return OSDEAR_OK;
}

/* Everything but the stream, which the caller of this gives back. */
static osdear_status prepare(osdear__sink *sink, const char *name, const osdear_sink_options *options,
                             const osdear__sink_format **format, osdear_error **error)
{
  osdear_status st;

  if (!sink->context || !name || !sink->write)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, format and write must not be NULL");
  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    if (strcmp(name, formats[i]->name) == 0)
      *format = formats[i];
  }
  if (!*format)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "format \"%s\" is none of jsonl, csv, parquet, arrow, table", name);
  st = osdear__options_read(&sink->options, sizeof sink->options, options, error);
  return st ? st : check(&sink->options, error);
}

osdear_status osdear_sink_write(osdear_context *context, struct ArrowArrayStream *data, const char *format,
                                const osdear_sink_options *options, osdear_write_callback write, void *argument, int64_t *rows,
                                osdear_error **error)
{
  osdear__sink sink = { .context = context, .options = OSDEAR_SINK_OPTIONS_INIT, .write = write, .argument = argument };
  const osdear__sink_format *chosen = NULL;
  AUTO(reader) reader = NULL;
  osdear_status st;

  if (!data || !data->release)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "data must be a stream that was not released");
  st = prepare(&sink, format, options, &chosen, error);
  if (st) {
    osdear__stream_drop(data);
    return st;
  }
  st = osdear__reader_new(data, &reader, error);
  if (st)
    return st;
  sink.type = osdear__reader_type(reader);
  sink.text.out = &sink.out;
  st = write_batches(&sink, chosen, reader, error);
  if (chosen->drop)
    chosen->drop(&sink);
  osdear__buf_drop(&sink.out);
  if (!st && rows)
    *rows = sink.rows;
  return st;
}
