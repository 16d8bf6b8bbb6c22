/** @file data_writer_partitions.c The partitions of a data writer: their values and folders, and rows that wait until they are worth a page. */
#include "data_writer.h"

enum {
  DRAIN_ROWS = 16384, /* rows of a partition that are worth encoding together */
  DRAIN_BYTES = 2 << 20,
  SMALL_CHUNK_ROWS = 1024, /* chunks below are joined before they are encoded */
  MAX_FOLDER_NAME = 240,   /* bytes; file systems end at 255 */
};

/* ---- values and folders ---- */

/* Delta has no way to write bytes that are not text, nor empty text that is not null. */
static osdear_status check_value(const osdear__field *field, const osdear__scalar *value, osdear_error **error)
{
  if (value->is_null && !field->nullable)
    return osdear__fail(error, OSDEAR_ERR_DATA, "partition column \"%s\" may not be null, and empty text counts as null",
                        field->name);
  if (!value->is_null && field->type.kind == KIND_BINARY && !osdear__utf8_is_valid(value->bytes.data, value->bytes.size))
    return osdear__fail(error, OSDEAR_ERR_DATA, "a value of binary partition column \"%s\" is not UTF-8: Delta cannot hold it",
                        field->name);
  return OSDEAR_OK;
}

static osdear_status name_partition(osdear__data_writer *self, uint32_t id, osdear__data_partition *part, osdear_error **error)
{
  const osdear__type *schema = &self->snapshot->metadata.schema;
  size_t count = self->partition_column_count;
  SCOPED(buf) folder = { 0 };
  bool is_short = true;

  part->values = osdear__arena_zeroed(&self->arena, count, sizeof *part->values);
  if (!part->values)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const osdear__field *field = &schema->fields[self->partition_columns[i]];
    osdear__partition_value *value = &part->values[i];
    SCOPED(buf) text = { 0 };
    size_t from = folder.size;
    osdear__scalar scalar;
    char *copy;
    osdear_status st;

    osdear__router_value(self->router, id, i, &scalar);
    st = check_value(field, &scalar, error);
    if (st)
      return st;
    osdear__partition_print(&field->type, &scalar, &text, &value->is_null);
    copy = osdear__arena_strndup(&self->arena, text.data ? text.data : "", text.size);
    if (text.failed || !copy)
      return osdear__fail_memory(error);
    value->column = osdear__str_of(osdear__physical_field(&self->snapshot->metadata, field)->name);
    value->value = (osdear__str){ copy, text.size };
    osdear__partition_path(value->column, value->value, value->is_null, &folder);
    is_short = is_short && folder.size - from <= MAX_FOLDER_NAME;
  }
  if (folder.failed)
    return osdear__buf_check(&folder, error);
  /* Folders are a custom that the protocol does not need: a value that no folder's name can hold goes without. */
  part->folder = is_short && folder.size < 2048 ? osdear__arena_strndup(&self->arena, folder.data, folder.size) : "";
  return part->folder ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__data_partition_find(osdear__data_writer *self, uint32_t id, osdear__data_partition **out,
                                          osdear_error **error)
{
  osdear__data_partition *part = self->partitions[id];

  if (!part) {
    osdear_status st = OSDEAR_OK;
    part = osdear__arena_zeroed(&self->arena, 1, sizeof *part);
    if (!part)
      return osdear__fail_memory(error);
    part->folder = "";
    if (self->router)
      st = name_partition(self, id, part, error);
    if (st)
      return st;
    self->partitions[id] = part;
  }
  *out = part;
  return OSDEAR_OK;
}

osdear_status osdear__data_writer_expect(osdear__data_writer *self, size_t count, osdear_error **error)
{
  if (count > self->partition_room) {
    size_t room = self->partition_room * 2 > count ? self->partition_room * 2 : count + 16;
    osdear__data_partition **partitions = osdear__realloc_array(self->partitions, room, sizeof(osdear__data_partition *));
    if (!partitions)
      return osdear__fail_memory(error);
    self->partitions = partitions;
    self->partition_room = room;
  }
  for (size_t i = self->partition_count; i < count; i++)
    self->partitions[i] = NULL;
  if (count > self->partition_count)
    self->partition_count = count;
  return OSDEAR_OK;
}

/* ---- rows that wait ---- */

void osdear__data_partition_forget(osdear__data_writer *self, osdear__data_partition *part)
{
  for (size_t i = 0; i < part->chunk_count; i++)
    osdear__array_drop(&part->chunks[i]);
  osdear__free(part->chunks);
  part->chunks = NULL;
  part->chunk_count = part->chunk_room = 0;
  self->total_pending -= part->pending_bytes;
  part->pending_bytes = part->pending_rows = 0;
}

static osdear_status write_chunks(osdear__data_writer *self, osdear__data_partition *part, osdear_error **error)
{
  struct ArrowArray joined = { 0 };
  osdear_status st = OSDEAR_OK;

  if (part->chunk_count > 1 && part->pending_rows < (int64_t)part->chunk_count * SMALL_CHUNK_ROWS) {
    st = osdear__array_concat(&self->file_type, part->chunks, part->chunk_count, &joined, error);
    if (!st)
      st = osdear__data_file_write(self, part, &joined, error);
    osdear__array_drop(&joined);
    return st;
  }
  for (size_t i = 0; i < part->chunk_count && !st; i++)
    st = osdear__data_file_write(self, part, &part->chunks[i], error);
  return st;
}

osdear_status osdear__data_partition_drain(osdear__data_writer *self, osdear__data_partition *part, osdear_error **error)
{
  osdear_status st;

  if (part->chunk_count == 0)
    return OSDEAR_OK;
  st = write_chunks(self, part, error);
  osdear__data_partition_forget(self, part);
  return st;
}

osdear_status osdear__data_partition_hold(osdear__data_writer *self, osdear__data_partition *part, struct ArrowArray *rows,
                                          int64_t bytes, osdear_error **error)
{
  if (part->chunk_count == part->chunk_room) {
    size_t room = part->chunk_room ? part->chunk_room * 2 : 4;
    struct ArrowArray *chunks = osdear__realloc_array(part->chunks, room, sizeof *chunks);
    if (!chunks) {
      osdear__array_drop(rows);
      return osdear__fail_memory(error);
    }
    part->chunks = chunks;
    part->chunk_room = room;
  }
  part->chunks[part->chunk_count++] = *rows;
  part->pending_rows += rows->length;
  part->pending_bytes += bytes;
  self->total_pending += bytes;
  if (part->pending_rows >= DRAIN_ROWS || part->pending_bytes >= DRAIN_BYTES)
    return osdear__data_partition_drain(self, part, error);
  return OSDEAR_OK;
}

osdear_status osdear__data_writer_reduce_pending(osdear__data_writer *self, osdear_error **error)
{
  if (self->total_pending <= self->max_pending)
    return OSDEAR_OK;
  while (self->total_pending > self->max_pending / 2) {
    size_t waiting = 0;
    int64_t average;
    for (size_t i = 0; i < self->partition_count; i++)
      waiting += self->partitions[i] && self->partitions[i]->chunk_count > 0;
    average = self->total_pending / (int64_t)(waiting ? waiting : 1);
    for (size_t i = 0; i < self->partition_count; i++) {
      osdear_status st = OSDEAR_OK;
      if (self->partitions[i] && self->partitions[i]->chunk_count > 0 && self->partitions[i]->pending_bytes >= average)
        st = osdear__data_partition_drain(self, self->partitions[i], error);
      if (st)
        return st;
    }
  }
  return OSDEAR_OK;
}

osdear_status osdear__data_writer_reduce_held(osdear__data_writer *self, osdear_error **error)
{
  while (self->total_held > self->max_held && self->open_count > 1) {
    osdear__data_partition *largest = self->newest;
    osdear_status st;
    for (osdear__data_partition *part = self->newest; part; part = part->older)
      if (part->file.held > largest->file.held)
        largest = part;
    st = osdear__data_file_finish(self, largest, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}
