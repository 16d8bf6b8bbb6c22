/** @file reader.c A stranger's stream, checked batch by batch. */
#include <errno.h>

#include <arrow/import.h>
#include <osdear/stream.h>

/* Batches of more rows are handed on in pieces, so that what is converted takes bounded memory; a multiple of 8, so that bitmaps
 * need no shifting. */
#define PIECE_ROWS (INT64_C(1) << 17)

struct osdear__reader {
  struct ArrowArrayStream stream;
  struct ArrowSchema schema;
  osdear__arena arena;
  osdear__type type;
  osdear__batch *batch; /* the one that pieces are taken from */
  int64_t done_rows;    /* of that batch */
  int64_t past_rows;    /* of those before */
  bool ended;
  bool failed;
};

static osdear_status status_of(int number)
{
  switch (number) {
  case ENOMEM: return OSDEAR_ERR_NO_MEMORY;
  case EINVAL: return OSDEAR_ERR_DATA;
  case ENOSYS: return OSDEAR_ERR_UNSUPPORTED;
  case ECANCELED: return OSDEAR_ERR_CANCELLED;
  case ETIMEDOUT: return OSDEAR_ERR_TIMEOUT;
  default: return OSDEAR_ERR_IO;
  }
}

/* One of our own streams has the whole failure; of others there is a number and a text. */
static osdear_status stream_failed(osdear__reader *reader, int number, const char *doing, osdear_error **error)
{
  const osdear_error *ours = osdear_stream_error(&reader->stream);
  const char *text = NULL;

  reader->failed = true;
  if (ours) {
    if (error)
      *error = osdear__error_copy(ours);
    return osdear_error_status(ours);
  }
  if (reader->stream.get_last_error)
    text = reader->stream.get_last_error(&reader->stream);
  if (!text || !text[0] || !osdear__utf8_is_valid(text, strlen(text)))
    text = "it says nothing more";
  return osdear__fail(error, status_of(number), "%s the Arrow stream failed with errno %d: %.1000s", doing, number, text);
}

static osdear_status open_stream(osdear__reader *reader, osdear_error **error)
{
  int failed;

  if (!reader->stream.get_schema || !reader->stream.get_next)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the Arrow stream lacks one of its functions");
  failed = reader->stream.get_schema(&reader->stream, &reader->schema);
  if (failed) {
    reader->schema.release = NULL;
    return stream_failed(reader, failed, "asked for its schema,", error);
  }
  return osdear__schema_import(&reader->schema, &reader->arena, &reader->type, error);
}

osdear_status osdear__reader_new(struct ArrowArrayStream *stream, osdear__reader **out, osdear_error **error)
{
  AUTO(reader) reader = NULL;
  osdear_status st;

  if (!stream || !stream->release)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the Arrow stream is NULL or was released already");
  reader = osdear__alloc_zeroed(1, sizeof *reader);
  if (!reader) {
    osdear__stream_drop(stream);
    return osdear__fail_memory(error);
  }
  reader->stream = *stream;
  stream->release = NULL;
  st = open_stream(reader, error);
  if (st)
    return st;
  *out = reader;
  reader = NULL;
  return OSDEAR_OK;
}

const osdear__type *osdear__reader_type(const osdear__reader *reader)
{
  return &reader->type;
}

/* Leaves reader->batch NULL at the end of the stream. */
static osdear_status next_batch(osdear__reader *reader, osdear_error **error)
{
  struct ArrowArray array = { 0 };
  int failed;

  if (reader->batch)
    reader->past_rows += osdear__batch_rows(reader->batch);
  osdear__batch_auto(&reader->batch);
  reader->done_rows = 0;
  failed = reader->stream.get_next(&reader->stream, &array);
  if (failed)
    return stream_failed(reader, failed, "asked for its next batch,", error);
  reader->ended = !array.release;
  if (reader->ended)
    return OSDEAR_OK;
  return osdear__batch_new(&reader->schema, &reader->type, &array, &reader->batch, error);
}

static osdear_status next_piece(osdear__reader *reader, struct ArrowArray *out, osdear_error **error)
{
  int64_t left = osdear__batch_rows(reader->batch) - reader->done_rows;
  int64_t count = left < PIECE_ROWS ? left : PIECE_ROWS;

  for (;;) {
    osdear_error *failure = NULL;
    osdear_status st = osdear__batch_read(reader->batch, reader->done_rows, count, reader->past_rows, out, &failure);

    /* Too much text or too many elements for int32 offsets: fewer rows have fewer. */
    if (st == OSDEAR_ERR_LIMIT && count > 1) {
      osdear_error_free(failure);
      count /= 2;
      continue;
    }
    if (st && error)
      *error = failure;
    else
      osdear_error_free(failure);
    if (!st)
      reader->done_rows += count;
    return st;
  }
}

osdear_status osdear__reader_next(osdear__reader *reader, struct ArrowArray *out, osdear_error **error)
{
  struct ArrowArray array = { 0 };
  osdear_status st = OSDEAR_OK;

  if (reader->failed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "the Arrow stream failed before");
  if (reader->ended)
    return OSDEAR_OK; /* and `out` stays released */
  if (!reader->batch || reader->done_rows >= osdear__batch_rows(reader->batch))
    st = next_batch(reader, error);
  if (!st && reader->batch)
    st = next_piece(reader, &array, error);
  reader->failed = st != OSDEAR_OK;
  if (!st)
    *out = array;
  return st;
}

void osdear__reader_auto(osdear__reader **reader)
{
  if (!*reader)
    return;
  osdear__batch_auto(&(*reader)->batch);
  osdear__schema_drop(&(*reader)->schema);
  osdear__stream_drop(&(*reader)->stream);
  osdear__arena_drop(&(*reader)->arena);
  osdear__free(*reader);
  *reader = NULL;
}
