/** @file data_writer.c Rows into data files, each into its partition's, within the context's memory budget. */
#include <delta/write.h>

enum {
  MAX_OPEN = 512,     /* files being written at once */
  DRAIN_ROWS = 16384, /* rows of a partition that are worth encoding together */
  DRAIN_BYTES = 2 << 20,
  SMALL_CHUNK_ROWS = 1024, /* chunks below are joined before they are encoded */
  MAX_FOLDER_NAME = 240,   /* bytes; file systems end at 255 */
};
#define DEFAULT_FILE_BYTES (INT64_C(128) << 20)
#define MAX_GROUP_BYTES (INT64_C(128) << 20)
#define MIN_GROUP_BYTES (INT64_C(1) << 20)

/* A data file being written. */
typedef struct data_file {
  osdear__output *output;
  osdear__parquet_writer *writer;
  osdear__leaf_facts facts;
  char *path;   /* relative to the table, not encoded; in the writer's arena */
  int64_t held; /* bytes not yet written out */
} data_file;

typedef struct partition {
  struct partition *newer, *older; /* among those with an open file, by last use */
  osdear__partition_value *values; /* NULL until the first row */
  const char *folder;              /* "" or ends in a slash */
  data_file file;                  /* output NULL: none is open */
  struct ArrowArray *chunks;       /* rows not yet encoded */
  size_t chunk_count;
  size_t chunk_room;
  int64_t pending_rows;
  int64_t pending_bytes;
} partition;

struct osdear__data_writer {
  osdear_snapshot *snapshot;
  osdear__arena arena;
  osdear__type file_type; /* the table's columns but those that partition it and those of type void */
  size_t *file_columns;   /* which they are */
  size_t *partition_columns;
  size_t partition_column_count;
  osdear__parquet_write format;
  const char *suffix; /* "-c000.zstd.parquet" */
  int64_t target_file_bytes;
  int64_t max_pending;
  int64_t max_held;
  bool random_folders;
  int64_t random_length;

  osdear__router *router; /* NULL: not partitioned */
  partition **partitions; /* by the router's number */
  size_t partition_count;
  size_t partition_room;
  partition *newest, *oldest; /* with an open file */
  size_t open_count;
  int64_t total_pending;
  int64_t total_held;
  osdear__buf ids; /* scratch of add() */
  osdear__buf starts;
  osdear__buf rows;

  osdear__file *files;
  char **paths; /* of `files`, not encoded */
  size_t file_count;
  size_t file_room;
  int64_t row_count;
  int64_t next_number;
  bool keep;
};

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

/* ---- files ---- */

static void unlink_partition(osdear__data_writer *self, partition *part)
{
  if (part->newer)
    part->newer->older = part->older;
  else if (self->newest == part)
    self->newest = part->older;
  if (part->older)
    part->older->newer = part->newer;
  else if (self->oldest == part)
    self->oldest = part->newer;
  part->newer = part->older = NULL;
}

static void make_newest(osdear__data_writer *self, partition *part)
{
  if (self->newest == part)
    return;
  unlink_partition(self, part);
  part->older = self->newest;
  if (self->newest)
    self->newest->newer = part;
  self->newest = part;
  if (!self->oldest)
    self->oldest = part;
}

/* Unfinished, it leaves nothing behind. */
static void close_file(osdear__data_writer *self, partition *part)
{
  data_file *file = &part->file;

  if (!file->output)
    return;
  unlink_partition(self, part);
  self->open_count--;
  self->total_held -= file->held;
  osdear__parquet_writer_auto(&file->writer);
  osdear__output_auto(&file->output);
  osdear__leaf_facts_drop(&file->facts);
  *file = (data_file){ 0 };
}

static osdear_status make_file_room(osdear__data_writer *self, osdear_error **error)
{
  size_t room = self->file_room ? self->file_room * 2 : 16;
  osdear__file *files;
  char **paths;

  if (self->file_count < self->file_room)
    return OSDEAR_OK;
  files = osdear__realloc_array(self->files, room, sizeof *files);
  if (!files)
    return osdear__fail_memory(error);
  self->files = files;
  paths = osdear__realloc_array(self->paths, room, sizeof *paths);
  if (!paths)
    return osdear__fail_memory(error);
  self->paths = paths;
  self->file_room = room;
  return OSDEAR_OK;
}

/* The action that will name the file. Everything that can fail happens before the file is made visible. */
static osdear_status describe_file(osdear__data_writer *self, const partition *part, osdear__file *out, osdear_error **error)
{
  SCOPED(buf) stats = { 0 };
  SCOPED(buf) path = { 0 };
  char *text;
  osdear_status st;

  st = make_file_room(self, error);
  if (st)
    return st;
  st = osdear__stats_print_with(&self->snapshot->metadata, &self->file_type, part->file.writer, &part->file.facts, &stats, error);
  if (st)
    return st;
  osdear__uri_encode(&path, osdear__str_of(part->file.path));
  st = osdear__buf_check(&path, error);
  if (st)
    return st;
  *out = (osdear__file){ .partition = part->values,
                         .partition_count = self->partition_column_count,
                         .data_change = true,
                         .dv = { .offset = -1 },
                         .base_row_id = -1,
                         .default_row_commit_version = -1 };
  text = osdear__arena_strndup(&self->arena, stats.data, stats.size);
  out->stats = (osdear__str){ text, stats.size };
  out->path = (osdear__str){ osdear__arena_strndup(&self->arena, path.data, path.size), path.size };
  return text && out->path.data ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status finish_file(osdear__data_writer *self, partition *part, osdear_error **error)
{
  data_file *file = &part->file;
  osdear__file action;
  osdear_status st;

  if (!file->output)
    return OSDEAR_OK;
  st = osdear__parquet_writer_finish(file->writer, error);
  if (!st)
    st = describe_file(self, part, &action, error);
  if (!st)
    st = file->output->finish(file->output, error);
  if (st)
    return st;
  action.size_bytes = file->output->written;
  action.modified_ms = osdear__now_us() / 1000;
  self->files[self->file_count] = action;
  self->paths[self->file_count++] = file->path;
  close_file(self, part);
  return OSDEAR_OK;
}

static osdear_status choose_path(osdear__data_writer *self, const partition *part, char **out, osdear_error **error)
{
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  char unique[37];
  char prefix[40] = "";

  osdear__uuid(unique);
  if (self->random_folders) {
    size_t length = self->random_length > 0 && self->random_length < 32 ? (size_t)self->random_length : 2;
    for (size_t i = 0; i < length; i++)
      prefix[i] = letters[osdear__random_u64() % (sizeof letters - 1)];
    prefix[length] = '/';
    prefix[length + 1] = '\0';
  }
  *out = osdear__arena_printf(&self->arena, "%spart-%05" PRId64 "-%s%s", self->random_folders ? prefix : part->folder,
                              self->next_number, unique, self->suffix);
  self->next_number++;
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status open_file(osdear__data_writer *self, partition *part, osdear_error **error)
{
  data_file *file = &part->file;
  osdear__parquet_write format = self->format;
  int64_t sharers = self->router ? (int64_t)self->open_count + 1 : 1;
  osdear_status st;

  if (self->open_count == MAX_OPEN) {
    st = finish_file(self, self->oldest, error);
    if (st)
      return st;
  }
  if (self->router && sharers < 32)
    sharers = 32;
  format.row_group_bytes = self->max_held / sharers;
  if (format.row_group_bytes > MAX_GROUP_BYTES)
    format.row_group_bytes = MAX_GROUP_BYTES;
  if (format.row_group_bytes < MIN_GROUP_BYTES)
    format.row_group_bytes = MIN_GROUP_BYTES;
  st = choose_path(self, part, &file->path, error);
  if (!st)
    st = osdear__store_create(self->snapshot->store, file->path, &file->output, error);
  if (st)
    return st;
  self->open_count++;
  make_newest(self, part);
  st = osdear__leaf_facts_init(&file->facts, &self->file_type, error);
  if (!st)
    st = osdear__parquet_writer_new(self->snapshot->context, file->output, &self->file_type, &format, &file->writer, error);
  return st;
}

static osdear_status write_rows(osdear__data_writer *self, partition *part, const struct ArrowArray *rows, osdear_error **error)
{
  data_file *file = &part->file;
  int64_t held;
  osdear_status st = OSDEAR_OK;

  if (!file->output)
    st = open_file(self, part, error);
  if (!st)
    st = osdear__parquet_writer_add(file->writer, rows, error);
  if (st)
    return st;
  make_newest(self, part);
  osdear__leaf_facts_add(&file->facts, &self->file_type, rows);
  held = osdear__parquet_writer_bytes(file->writer) - file->output->written;
  self->total_held += held - file->held;
  file->held = held;
  if (osdear__parquet_writer_bytes(file->writer) >= self->target_file_bytes)
    return finish_file(self, part, error);
  return OSDEAR_OK;
}

/* ---- rows that wait ---- */

static void drop_chunks(osdear__data_writer *self, partition *part)
{
  for (size_t i = 0; i < part->chunk_count; i++)
    osdear__array_drop(&part->chunks[i]);
  osdear__free(part->chunks);
  part->chunks = NULL;
  part->chunk_count = part->chunk_room = 0;
  self->total_pending -= part->pending_bytes;
  part->pending_bytes = part->pending_rows = 0;
}

static osdear_status write_chunks(osdear__data_writer *self, partition *part, osdear_error **error)
{
  struct ArrowArray joined = { 0 };
  osdear_status st = OSDEAR_OK;

  if (part->chunk_count > 1 && part->pending_rows < (int64_t)part->chunk_count * SMALL_CHUNK_ROWS) {
    st = osdear__array_concat(&self->file_type, part->chunks, part->chunk_count, &joined, error);
    if (!st)
      st = write_rows(self, part, &joined, error);
    osdear__array_drop(&joined);
    return st;
  }
  for (size_t i = 0; i < part->chunk_count && !st; i++)
    st = write_rows(self, part, &part->chunks[i], error);
  return st;
}

static osdear_status drain(osdear__data_writer *self, partition *part, osdear_error **error)
{
  osdear_status st;

  if (part->chunk_count == 0)
    return OSDEAR_OK;
  st = write_chunks(self, part, error);
  drop_chunks(self, part);
  return st;
}

/* Takes `rows` over in every case. */
static osdear_status hold_back(osdear__data_writer *self, partition *part, struct ArrowArray *rows, int64_t bytes,
                               osdear_error **error)
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
    return drain(self, part, error);
  return OSDEAR_OK;
}

/* The partitions with the most are written out: at least those above the average, until half of the budget is free again. */
static osdear_status reduce_pending(osdear__data_writer *self, osdear_error **error)
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
        st = drain(self, self->partitions[i], error);
      if (st)
        return st;
    }
  }
  return OSDEAR_OK;
}

static osdear_status reduce_held(osdear__data_writer *self, osdear_error **error)
{
  while (self->total_held > self->max_held && self->open_count > 1) {
    partition *largest = self->newest;
    osdear_status st;
    for (partition *part = self->newest; part; part = part->older)
      if (part->file.held > largest->file.held)
        largest = part;
    st = finish_file(self, largest, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- partitions ---- */

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

static osdear_status name_partition(osdear__data_writer *self, uint32_t id, partition *part, osdear_error **error)
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

static osdear_status find_partition(osdear__data_writer *self, uint32_t id, partition **out, osdear_error **error)
{
  partition *part = self->partitions[id];

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

static osdear_status make_partition_room(osdear__data_writer *self, size_t count, osdear_error **error)
{
  if (count > self->partition_room) {
    size_t room = self->partition_room * 2 > count ? self->partition_room * 2 : count + 16;
    partition **partitions = osdear__realloc_array(self->partitions, room, sizeof(partition *));
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
  partition *part = NULL;
  osdear_status st = find_partition(self, id, &part, error);

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
  return hold_back(self, part, &taken, bytes, error);
}

/* Takes `rows` over in every case. */
static osdear_status route_rows(osdear__data_writer *self, const uint32_t *ids, struct ArrowArray *rows, osdear_error **error)
{
  size_t count = osdear__router_count(self->router);
  int64_t bytes = bytes_of(&self->file_type, rows);
  int64_t length = rows->length;
  const int32_t *starts, *sorted;
  osdear_status st;

  st = make_partition_room(self, count, error);
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
    st = reduce_pending(self, error);
  return st ? st : reduce_held(self, error);
}

static osdear_status add_plain(osdear__data_writer *self, struct ArrowArray *batch, osdear_error **error)
{
  struct ArrowArray rows = { 0 };
  partition *part = NULL;
  osdear_status st;

  st = make_partition_room(self, 1, error);
  if (!st)
    st = find_partition(self, 0, &part, error);
  if (!st)
    st = take_file_columns(self, batch, &rows, error);
  if (!st)
    st = write_rows(self, part, &rows, error);
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
    st = drain(writer, writer->partitions[i], error);
    if (!st)
      st = finish_file(writer, writer->partitions[i], error);
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
      drop_chunks(self, self->partitions[i]);
      close_file(self, self->partitions[i]);
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
