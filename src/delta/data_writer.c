/** @file data_writer.c Rows into data files, each into its partition's, within the context's memory budget. */
#include "data_writer.h"

#define DEFAULT_FILE_BYTES (INT64_C(128) << 20)

/* ---- setting up ---- */

static bool holds_void(const osdear__type *type)
{
  for (size_t i = 0; i < type->field_count; i++)
    if (type->fields[i].type.kind == KIND_VOID || holds_void(&type->fields[i].type))
      return true;
  return false;
}

static osdear_status split_columns(osdear__data_writer *self, osdear_error **error)
{
  const osdear__metadata *metadata = &self->snapshot->metadata;
  const osdear__type *schema = &metadata->schema;
  size_t count = schema->field_count;
  osdear__field *fields = osdear__arena_zeroed(&self->arena, count + 1, sizeof *fields);

  self->file_columns = osdear__arena_zeroed(&self->arena, count + 1, sizeof *self->file_columns);
  self->partition_columns = osdear__arena_zeroed(&self->arena, count + 1, sizeof *self->partition_columns);
  if (!fields || !self->file_columns || !self->partition_columns)
    return osdear__fail_memory(error);
  self->file_type = (osdear__type){ .kind = KIND_STRUCT, .fields = fields };
  for (size_t i = 0; i < count; i++) {
    const osdear__field *field = &schema->fields[i];
    int64_t place = osdear__delta_partition_index(metadata, osdear__str_of(field->name));
    if (place >= 0) {
      self->partition_columns[place] = i;
      self->partition_column_count++;
    } else if (holds_void(&field->type)) {
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "column \"%s\" holds the type void, which cannot be written there",
                          field->name);
    } else if (field->type.kind != KIND_VOID) { /* void is never in data files: reference §7 */
      self->file_columns[self->file_type.field_count] = i;
      fields[self->file_type.field_count++] = metadata->physical.fields[i];
    }
  }
  if (self->file_type.field_count == 0)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the table has no column that data files could hold");
  return OSDEAR_OK;
}

static osdear_status read_properties(osdear__data_writer *self, int64_t target_file_bytes, osdear_error **error)
{
  const osdear__metadata *metadata = &self->snapshot->metadata;
  const char *codec = osdear__metadata_property(metadata, "delta.parquet.compression.codec");
  const char *version = osdear__metadata_property(metadata, "delta.parquet.format.version");

  osdear__parquet_write_init(&self->format);
  if (codec && (!osdear__codec_of_name(codec, &self->format.codec) || !osdear__codec_is_written(self->format.codec)))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "delta.parquet.compression.codec is \"%s\": this build cannot write it",
                        codec);
  if (version)
    self->format.format_v2 = version[0] == '2';
  self->suffix = "-c000.parquet";
  if (self->format.codec != CODEC_NONE) {
    self->suffix = osdear__arena_printf(&self->arena, "-c000.%s.parquet", osdear__codec_name(self->format.codec));
    if (!self->suffix)
      return osdear__fail_memory(error);
  }
  self->target_file_bytes = target_file_bytes;
  if (self->target_file_bytes <= 0)
    self->target_file_bytes = osdear__metadata_property_bytes(metadata, "delta.targetFileSize", DEFAULT_FILE_BYTES);
  /* Folders named after physical names would tell nobody anything. */
  self->random_folders =
      metadata->mapping != MAPPING_NONE || osdear__metadata_property_bool(metadata, "delta.randomizeFilePrefixes", false);
  self->random_length = osdear__metadata_property_i64(metadata, "delta.randomPrefixLength", 2);
  return OSDEAR_OK;
}

osdear_status osdear__data_writer_new(osdear_snapshot *snapshot, int64_t target_file_bytes, osdear__data_writer **out,
                                      osdear_error **error)
{
  AUTO(data_writer) self = osdear__alloc_zeroed(1, sizeof *self);
  int64_t budget = osdear__context_budget(snapshot->context);
  osdear_status st;

  if (!self)
    return osdear__fail_memory(error);
  self->snapshot = snapshot;
  self->max_pending = budget / 4;
  self->max_held = budget / 2;
  st = split_columns(self, error);
  if (!st)
    st = read_properties(self, target_file_bytes, error);
  if (!st && self->partition_column_count > 0)
    st = osdear__router_new(&snapshot->metadata.schema, self->partition_columns, self->partition_column_count, &self->router,
                            error);
  if (st)
    return st;
  *out = self;
  self = NULL;
  return OSDEAR_OK;
}

/* ---- adding rows ---- */

/* Bytes of an array, roughly. */
static int64_t bytes_of(const osdear__type *type, const struct ArrowArray *array)
{
  int64_t bytes = 160 + array->length / 8;
  int32_t width = osdear__type_width(type);

  if (width > 0)
    bytes += array->length * width;
  if ((type->kind == KIND_STRING || type->kind == KIND_BINARY) && array->length > 0)
    bytes += array->length * 4 + ((const int32_t *)array->buffers[1])[array->length];
  for (int64_t i = 0; i < array->n_children && (size_t)i < type->field_count && type->kind == KIND_STRUCT; i++)
    bytes += bytes_of(&type->fields[i].type, array->children[i]);
  if (type->kind == KIND_ARRAY && array->n_children == 1)
    bytes += array->length * 4 + bytes_of(&type->fields[0].type, array->children[0]);
  if (type->kind == KIND_MAP && array->n_children == 1 && array->children[0]->n_children == 2)
    for (int i = 0; i < 2; i++)
      bytes += array->length * 4 + bytes_of(&type->fields[i].type, array->children[0]->children[i]);
  return bytes;
}

/* The columns that data files hold, moved out of `batch`. */
static osdear_status take_file_columns(osdear__data_writer *self, struct ArrowArray *batch, struct ArrowArray *out,
                                       osdear_error **error)
{
  size_t count = self->file_type.field_count;
  struct ArrowArray *columns = osdear__alloc_zeroed(count, sizeof *columns);
  void *no_validity[1] = { NULL };
  osdear_status st;

  if (!columns)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    struct ArrowArray *child = batch->children[self->file_columns[i]];
    columns[i] = *child;
    child->release = NULL;
  }
  st = osdear__array_adopt(batch->length, 0, no_validity, 1, columns, (int64_t)count, out, error);
  osdear__free(columns);
  return st;
}

/* Counting sort: rows[starts[id] .. starts[id + 1]) are those of partition `id`, ascending. */
static osdear_status sort_rows(osdear__data_writer *self, const uint32_t *ids, int64_t length, size_t count, osdear_error **error)
{
  int32_t *starts, *rows;

  osdear__buf_clear(&self->starts);
  osdear__buf_clear(&self->rows);
  starts = (int32_t *)(void *)osdear__buf_reserve(&self->starts, (count + 2) * sizeof *starts);
  rows = (int32_t *)(void *)osdear__buf_reserve(&self->rows, (size_t)length * sizeof *rows);
  if (!starts || !rows)
    return osdear__fail_memory(error);
  memset(starts, 0, (count + 2) * sizeof *starts);
  for (int64_t i = 0; i < length; i++)
    starts[ids[i] + 2]++;
  for (size_t i = 2; i < count + 2; i++)
    starts[i] += starts[i - 1];
  for (int64_t i = 0; i < length; i++)
    rows[starts[ids[i] + 1]++] = (int32_t)i;
  return OSDEAR_OK;
}

/* `rows` of the batch go to partition `id`; all of them when rows_count is the batch's length. */
static osdear_status give_rows(osdear__data_writer *self, uint32_t id, struct ArrowArray *batch, int64_t batch_bytes,
                               const int32_t *rows, int64_t row_count, osdear_error **error)
{
  struct ArrowArray taken = { 0 };
  int64_t bytes;
  osdear__data_partition *part = NULL;
  osdear_status st = osdear__data_partition_find(self, id, &part, error);

  if (st)
    return st;
  bytes = batch_bytes * row_count / batch->length + 200 * (int64_t)self->file_type.field_count;
  if (row_count == batch->length) {
    taken = *batch;
    batch->release = NULL;
  } else {
    st = osdear__array_take(&self->file_type, batch, rows, row_count, &taken, error);
    if (st)
      return st;
  }
  return osdear__data_partition_hold(self, part, &taken, bytes, error);
}

/* Takes `rows` over in every case. */
static osdear_status route_rows(osdear__data_writer *self, const uint32_t *ids, struct ArrowArray *rows, osdear_error **error)
{
  size_t count = osdear__router_count(self->router);
  int64_t bytes = bytes_of(&self->file_type, rows);
  int64_t length = rows->length;
  const int32_t *starts, *sorted;
  osdear_status st;

  st = osdear__data_writer_expect(self, count, error);
  if (!st)
    st = sort_rows(self, ids, length, count, error);
  starts = (const int32_t *)(const void *)self->starts.data;
  sorted = (const int32_t *)(const void *)self->rows.data;
  for (size_t id = 0; id < count && !st; id++)
    if (starts[id + 1] > starts[id])
      st = give_rows(self, (uint32_t)id, rows, bytes, sorted + starts[id], starts[id + 1] - starts[id], error);
  osdear__array_drop(rows);
  return st;
}

static osdear_status add_partitioned(osdear__data_writer *self, struct ArrowArray *batch, osdear_error **error)
{
  struct ArrowArray rows = { 0 };
  uint32_t *ids;
  osdear_status st;

  osdear__buf_clear(&self->ids);
  ids = (uint32_t *)(void *)osdear__buf_reserve(&self->ids, (size_t)batch->length * sizeof *ids);
  if (!ids)
    return osdear__buf_check(&self->ids, error);
  st = osdear__router_route(self->router, batch, ids, error);
  if (!st)
    st = take_file_columns(self, batch, &rows, error);
  if (!st)
    st = route_rows(self, ids, &rows, error);
  if (!st)
    st = osdear__data_writer_reduce_pending(self, error);
  return st ? st : osdear__data_writer_reduce_held(self, error);
}

static osdear_status add_plain(osdear__data_writer *self, struct ArrowArray *batch, osdear_error **error)
{
  struct ArrowArray rows = { 0 };
  osdear__data_partition *part = NULL;
  osdear_status st;

  st = osdear__data_writer_expect(self, 1, error);
  if (!st)
    st = osdear__data_partition_find(self, 0, &part, error);
  if (!st)
    st = take_file_columns(self, batch, &rows, error);
  if (!st)
    st = osdear__data_file_write(self, part, &rows, error);
  osdear__array_drop(&rows);
  return st;
}

osdear_status osdear__data_writer_add(osdear__data_writer *writer, struct ArrowArray *batch, osdear_error **error)
{
  int64_t length = batch->length;
  osdear_status st = osdear__context_check(writer->snapshot->context, error);

  if (!st && length > 0)
    st = writer->router ? add_partitioned(writer, batch, error) : add_plain(writer, batch, error);
  osdear__array_drop(batch);
  if (!st)
    writer->row_count += length;
  return st;
}

osdear_status osdear__data_writer_flush(osdear__data_writer *writer, osdear_error **error)
{
  for (size_t i = 0; i < writer->partition_count; i++) {
    osdear_status st;
    if (!writer->partitions[i])
      continue;
    st = osdear__data_partition_drain(writer, writer->partitions[i], error);
    if (!st)
      st = osdear__data_file_finish(writer, writer->partitions[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- the end ---- */

const osdear__file *osdear__data_writer_files(const osdear__data_writer *writer, size_t *count)
{
  *count = writer->file_count;
  return writer->files;
}

int64_t osdear__data_writer_rows(const osdear__data_writer *writer)
{
  return writer->row_count;
}

void osdear__data_writer_keep(osdear__data_writer *writer)
{
  writer->keep = true;
}

void osdear__data_writer_auto(osdear__data_writer **writer)
{
  osdear__data_writer *self = *writer;

  if (!self)
    return;
  for (size_t i = 0; i < self->partition_count; i++)
    if (self->partitions[i]) {
      osdear__data_partition_forget(self, self->partitions[i]);
      osdear__data_file_close(self, self->partitions[i]);
    }
  for (size_t i = 0; i < self->file_count && !self->keep; i++)
    if (osdear__store_delete(self->snapshot->store, self->paths[i], NULL))
      osdear__log(self->snapshot->context, OSDEAR_LOG_WARNING, "delta", "cannot delete \"%s\", which no commit names",
                  self->paths[i]);
  osdear__router_auto(&self->router);
  osdear__free(self->partitions);
  osdear__free(self->files);
  osdear__free(self->paths);
  osdear__buf_drop(&self->ids);
  osdear__buf_drop(&self->starts);
  osdear__buf_drop(&self->rows);
  osdear__arena_drop(&self->arena);
  osdear__free(self);
  *writer = NULL;
}
