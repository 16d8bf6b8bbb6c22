/* Rows into one Parquet file, whose bytes go out as they come. */
#include "sink.h"

typedef struct parquet_state {
  osdear__output output;
  osdear__sink *sink;
  osdear__parquet_writer *writer;
} parquet_state;

static osdear_status output_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  parquet_state *state = (parquet_state *)output;

  return osdear__sink_write(state->sink, data, size, error);
}

/* There is nothing to make visible: the bytes are with the caller. */
static osdear_status output_finish(osdear__output *output, osdear_error **error)
{
  (void)output;
  (void)error;
  return OSDEAR_OK;
}

static void output_close(osdear__output *output)
{
  (void)output; /* a part of the state */
}

static osdear_status parquet_begin(osdear__sink *sink, osdear_error **error)
{
  osdear__parquet_write options;
  const char *wanted = sink->options.compression;
  parquet_state *state;

  osdear__parquet_write_init(&options);
  if (wanted && !osdear__codec_of_name(wanted, &options.codec))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "compression \"%s\" is none of zstd, snappy, gzip, lz4, none", wanted);
  state = osdear__alloc_zeroed(1, sizeof *state);
  if (!state)
    return osdear__fail_memory(error);
  sink->state = state;
  state->sink = sink;
  state->output = (osdear__output){ .write = output_write, .finish = output_finish, .close = output_close, .name = "output" };
  return osdear__parquet_writer_new(sink->context, &state->output, sink->type, &options, &state->writer, error);
}

static osdear_status parquet_add(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error)
{
  parquet_state *state = sink->state;
  osdear_status st = osdear__parquet_writer_add(state->writer, batch, error);

  if (!st)
    sink->rows += batch->length;
  return st;
}

static osdear_status parquet_end(osdear__sink *sink, osdear_error **error)
{
  parquet_state *state = sink->state;

  return osdear__parquet_writer_finish(state->writer, error);
}

static void parquet_drop(osdear__sink *sink)
{
  parquet_state *state = sink->state;

  if (state)
    osdear__parquet_writer_auto(&state->writer);
  osdear__free(state);
}

const osdear__sink_format osdear__sink_parquet = { "parquet", parquet_begin, parquet_add, parquet_end, parquet_drop };
