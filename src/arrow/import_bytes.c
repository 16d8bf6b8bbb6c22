/** @file import_bytes.c Strings and binaries, with offsets of 32 or 64 bits or as views. */
#include <arrow/import.h>

/* A view: its length, then either up to 12 bytes, or 4 bytes to compare by, the buffer and the offset in it. */
#define VIEW_SIZE 16
#define VIEW_INLINE 12

/* ---- text ---- */

static osdear_status check_text(osdear__batch *batch, const struct ArrowArray *array)
{
  const int32_t *offsets = array->buffers[1];
  const char *data = array->buffers[2];

  if (offsets[array->length] == 0 || osdear__utf8_rows_are_valid(data, offsets, array->length))
    return OSDEAR_OK;
  for (int64_t i = 0; i < array->length; i++)
    if (osdear__is_valid(array, i) && !osdear__utf8_is_valid(data + offsets[i], (size_t)(offsets[i + 1] - offsets[i])))
      return osdear__import_fail(batch, i, "the text is not valid UTF-8");
  return OSDEAR_OK;
}

/* ---- offsets ---- */

static bool are_ascending_32(const char *offsets, int64_t count)
{
  bool falls = osdear__index_at(offsets, 4, 0) < 0;

  for (int64_t i = 0; i < count; i++)
    falls |= osdear__index_at(offsets, 4, i + 1) < osdear__index_at(offsets, 4, i);
  return !falls;
}

static bool are_ascending_64(const char *offsets, int64_t count)
{
  bool falls = osdear__index_at(offsets, 8, 0) < 0;

  for (int64_t i = 0; i < count; i++)
    falls |= osdear__index_at(offsets, 8, i + 1) < osdear__index_at(offsets, 8, i);
  return !falls;
}

static osdear_status falling_offset(osdear__batch *batch, const char *offsets, int32_t width)
{
  int64_t i = 0;

  if (osdear__index_at(offsets, width, 0) < 0)
    return osdear__import_fail(batch, 0, "the offset %" PRId64 " is negative", osdear__index_at(offsets, width, 0));
  while (osdear__index_at(offsets, width, i + 1) >= osdear__index_at(offsets, width, i))
    i++;
  return osdear__import_fail(batch, i, "the offsets fall from %" PRId64 " to %" PRId64, osdear__index_at(offsets, width, i),
                             osdear__index_at(offsets, width, i + 1));
}

osdear_status osdear__import_offsets(osdear__batch *batch, const void *buffer, int32_t width, struct ArrowArray *out,
                                     int64_t *first, int64_t *last)
{
  const char *from = buffer;
  int64_t length = out->length;
  int32_t *offsets;

  if (!(width == 4 ? are_ascending_32(from, length) : are_ascending_64(from, length)))
    return falling_offset(batch, from, width);
  *first = osdear__index_at(from, width, 0);
  *last = osdear__index_at(from, width, length);
  if (*last - *first > INT32_MAX)
    return osdear__fail(batch->error, OSDEAR_ERR_LIMIT, "more than %d bytes or elements in one batch; use smaller batches",
                        INT32_MAX);
  if (width == 4 && *first == 0 && (uintptr_t)from % 4 == 0) {
    osdear__array_borrow(out, 1, from, batch->lender);
    return OSDEAR_OK;
  }
  offsets = osdear__buffer_new(((size_t)length + 1) * sizeof *offsets);
  if (!offsets)
    return osdear__fail_memory(batch->error);
  osdear__array_own(out, 1, offsets);
  if (width == 4)
    for (int64_t i = 0; i <= length; i++)
      offsets[i] = (int32_t)(osdear__index_at(from, 4, i) - *first);
  else
    for (int64_t i = 0; i <= length; i++)
      offsets[i] = (int32_t)(osdear__index_at(from, 8, i) - *first);
  return OSDEAR_OK;
}

osdear_status osdear__import_bytes(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  int32_t width = column->format.layout == LAYOUT_BYTES ? 4 : 8;
  const char *data = column->array->buffers[2];
  int64_t first = 0;
  int64_t last = 0;
  osdear_status st =
      osdear__import_offsets(batch, (const char *)column->array->buffers[1] + at * width, width, out, &first, &last);

  if (st)
    return st;
  if (last > first && !data)
    return osdear__import_fail(batch, -1, "buffer 2 of the Arrow array is NULL");
  if (last > first)
    osdear__array_borrow(out, 2, data + first, batch->lender);
  else if (!osdear__array_buffer(out, 2, 0))
    return osdear__fail_memory(batch->error);
  return column->format.kind == KIND_STRING ? check_text(batch, out) : OSDEAR_OK;
}

/* ---- views ---- */

typedef struct view {
  int32_t size;
  int32_t prefix;
  int32_t buffer;
  int32_t offset;
} view;

typedef struct view_buffers {
  const struct ArrowArray *array;
  const char *sizes; /* int64 each; NULL where there are no buffers of bytes */
  int64_t count;
} view_buffers;

static osdear_status view_buffers_of(osdear__batch *batch, const osdear__column *column, view_buffers *out)
{
  const struct ArrowArray *array = column->array;

  *out = (view_buffers){ array, array->buffers[array->n_buffers - 1], array->n_buffers - 3 };
  if (out->count && !out->sizes)
    return osdear__import_fail(batch, -1, "the Arrow array of views does not say how long its buffers are");
  for (int64_t i = 0; i < out->count; i++)
    if (osdear__index_at(out->sizes, 8, i) < 0)
      return osdear__import_fail(batch, -1, "buffer %" PRId64 " of the Arrow array claims a negative size", i + 2);
  return OSDEAR_OK;
}

static bool view_is_sound(const view_buffers *buffers, const view *it)
{
  if (it->size <= VIEW_INLINE)
    return it->size >= 0;
  if (it->buffer < 0 || it->buffer >= buffers->count || it->offset < 0 || !buffers->array->buffers[2 + it->buffer])
    return false;
  return (int64_t)it->offset + it->size <= osdear__index_at(buffers->sizes, 8, it->buffer);
}

/* Checks each view and says where its bytes will lie. */
static osdear_status view_offsets(osdear__batch *batch, const view_buffers *buffers, const char *views, struct ArrowArray *out)
{
  int32_t *offsets = osdear__array_buffer(out, 1, ((size_t)out->length + 1) * sizeof *offsets);
  int64_t end = 0;

  if (!offsets)
    return osdear__fail_memory(batch->error);
  for (int64_t i = 0; i < out->length; i++) {
    view it;

    if (osdear__is_valid(out, i)) {
      memcpy(&it, views + i * VIEW_SIZE, sizeof it);
      if (!view_is_sound(buffers, &it))
        return osdear__import_fail(batch, i, "a view of %" PRId32 " bytes at %" PRId32 " of buffer %" PRId32 " is out of bounds",
                                   it.size, it.offset, it.buffer);
      end += it.size;
      if (end > INT32_MAX)
        return osdear__fail(batch->error, OSDEAR_ERR_LIMIT, "more than %d bytes in one batch; use smaller batches", INT32_MAX);
    }
    offsets[i + 1] = (int32_t)end;
  }
  return OSDEAR_OK;
}

osdear_status osdear__import_views(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  const char *views = (const char *)column->array->buffers[1] + at * VIEW_SIZE;
  view_buffers buffers = { 0 };
  osdear_status st = view_buffers_of(batch, column, &buffers);
  const int32_t *offsets;
  char *data;

  if (!st)
    st = view_offsets(batch, &buffers, views, out);
  if (st)
    return st;
  offsets = out->buffers[1];
  data = osdear__array_buffer(out, 2, (size_t)offsets[out->length] + VIEW_INLINE);
  if (!data)
    return osdear__fail_memory(batch->error);
  for (int64_t i = 0; i < out->length; i++) {
    int32_t size = offsets[i + 1] - offsets[i];
    view it;

    if (size == 0)
      continue;
    memcpy(&it, views + i * VIEW_SIZE, sizeof it);
    if (size <= VIEW_INLINE) /* always 12: a copy of constant size is two moves, and the next row overwrites the rest */
      memcpy(data + offsets[i], views + i * VIEW_SIZE + 4, VIEW_INLINE);
    else
      memcpy(data + offsets[i], (const char *)column->array->buffers[2 + it.buffer] + it.offset, (size_t)size);
  }
  return column->format.kind == KIND_STRING ? check_text(batch, out) : OSDEAR_OK;
}
