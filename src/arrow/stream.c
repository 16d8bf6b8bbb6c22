/** @file stream.c Streams that this library hands out. */
#include <errno.h>

#include <arrow/internal.h>
#include <osdear/stream.h>

/* Confined, but to no thread in particular: a consumer may carry the stream elsewhere. */
typedef struct producer {
  osdear__arena arena;
  osdear__type type;
  osdear__stream_next next;
  osdear__stream_close close;
  void *state;
  osdear_error *error; /* of the call that failed; a stream that failed stays failed */
  osdear_status failed;
  bool ended;
} producer;

/* What the interface's callers understand, chosen so that pyarrow and others raise the fitting class of error. */
static int errno_of(osdear_status status)
{
  switch (status) {
  case OSDEAR_OK: return 0;
  case OSDEAR_ERR_ARGUMENT:
  case OSDEAR_ERR_DATA:
  case OSDEAR_ERR_STATE: return EINVAL;
  case OSDEAR_ERR_NO_MEMORY: return ENOMEM;
  case OSDEAR_ERR_NOT_FOUND: return ENOENT;
  case OSDEAR_ERR_EXISTS: return EEXIST;
  case OSDEAR_ERR_CONFLICT: return EBUSY;
  case OSDEAR_ERR_UNSUPPORTED: return ENOSYS;
  case OSDEAR_ERR_LIMIT: return EOVERFLOW;
  case OSDEAR_ERR_DENIED: return EACCES;
  case OSDEAR_ERR_UNAVAILABLE: return EAGAIN;
  case OSDEAR_ERR_TIMEOUT: return ETIMEDOUT;
  case OSDEAR_ERR_CANCELLED: return ECANCELED;
  default: return EIO;
  }
}

static int get_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  producer *source = stream->private_data;

  if (!source->failed)
    source->failed = osdear__schema_export(&source->type, out, &source->error);
  return errno_of(source->failed);
}

/* Below a null struct there is no value, and a decoder says so with a null there, even of a field that is not nullable. Others take such a
 * null for a broken promise; where a field has no nulls but those, it is handed out without validity. */
static void hide_nulls_of_parents(const osdear__type *type, struct ArrowArray *array)
{
  for (size_t i = 0; i < type->field_count && (int64_t)i < array->n_children; i++) {
    const osdear__field *field = &type->fields[i];
    struct ArrowArray *child = array->children[i];
    hide_nulls_of_parents(&field->type, child);
    if (type->kind == KIND_STRUCT && !field->nullable && array->null_count > 0 && child->null_count == array->null_count &&
        child->n_buffers > 0) {
      child->buffers[0] = NULL;
      child->null_count = 0;
    }
  }
}

static int get_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  producer *source = stream->private_data;
  struct ArrowArray array = { 0 };

  if (source->failed)
    return errno_of(source->failed);
  if (!source->ended)
    source->failed = source->next(source->state, &array, &source->error);
  if (source->failed)
    return errno_of(source->failed);
  source->ended = !array.release;
  if (!source->ended && source->type.kind == KIND_STRUCT)
    hide_nulls_of_parents(&source->type, &array);
  *out = array;
  return 0;
}

static const char *get_last_error(struct ArrowArrayStream *stream)
{
  const producer *source = stream->private_data;

  if (source->error)
    return osdear_error_message(source->error);
  return source->failed ? osdear_status_name(source->failed) : NULL;
}

static void producer_free(producer *source)
{
  if (source->close)
    source->close(source->state);
  osdear_error_free(source->error);
  osdear__arena_drop(&source->arena);
  osdear__free(source);
}

static void release(struct ArrowArrayStream *stream)
{
  producer_free(stream->private_data);
  stream->private_data = NULL;
  stream->release = NULL;
}

void osdear__stream_drop(struct ArrowArrayStream *stream)
{
  if (stream->release)
    stream->release(stream);
}

osdear_status osdear__stream_export(const osdear__type *type, osdear__stream_next next, osdear__stream_close close, void *state,
                                    struct ArrowArrayStream *out, osdear_error **error)
{
  producer *source = osdear__alloc_zeroed(1, sizeof *source);
  osdear_status st;

  if (!source) {
    if (close)
      close(state);
    return osdear__fail_memory(error);
  }
  source->next = next;
  source->close = close;
  source->state = state;
  st = osdear__type_copy(type, &source->arena, &source->type, error);
  if (st) {
    producer_free(source);
    return st;
  }
  *out = (struct ArrowArrayStream){
    .get_schema = get_schema,
    .get_next = get_next,
    .get_last_error = get_last_error,
    .release = release,
    .private_data = source,
  };
  return OSDEAR_OK;
}

/* A stream is ours if our function releases it; nothing else of it may be looked at before. */
const osdear_error *osdear_stream_error(const struct ArrowArrayStream *stream)
{
  if (!stream || stream->release != release)
    return NULL;
  return ((const producer *)stream->private_data)->error;
}
