/** @file data_writer_files.c The files of a data writer: opened, filled, finished; how many are open at once, and how large their row groups. */
#include "data_writer.h"

#define MAX_OPEN 512 /* files being written at once */
#define MAX_GROUP_BYTES (INT64_C(128) << 20)
#define MIN_GROUP_BYTES (INT64_C(1) << 20)

/* ---- which of them was used last ---- */

static void unlink_partition(osdear__data_writer *self, osdear__data_partition *part)
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

static void make_newest(osdear__data_writer *self, osdear__data_partition *part)
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

/* ---- their end ---- */

void osdear__data_file_close(osdear__data_writer *self, osdear__data_partition *part)
{
  osdear__data_file *file = &part->file;

  if (!file->output)
    return;
  unlink_partition(self, part);
  self->open_count--;
  self->total_held -= file->held;
  osdear__parquet_writer_auto(&file->writer);
  osdear__output_auto(&file->output);
  osdear__leaf_facts_drop(&file->facts);
  *file = (osdear__data_file){ 0 };
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
static osdear_status describe_file(osdear__data_writer *self, const osdear__data_partition *part, osdear__file *out,
                                   osdear_error **error)
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

osdear_status osdear__data_file_finish(osdear__data_writer *self, osdear__data_partition *part, osdear_error **error)
{
  osdear__data_file *file = &part->file;
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
  osdear__data_file_close(self, part);
  return OSDEAR_OK;
}

/* ---- their beginning ---- */

static osdear_status choose_path(osdear__data_writer *self, const osdear__data_partition *part, char **out, osdear_error **error)
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

static osdear_status open_file(osdear__data_writer *self, osdear__data_partition *part, osdear_error **error)
{
  osdear__data_file *file = &part->file;
  osdear__parquet_write format = self->format;
  int64_t sharers = self->router ? (int64_t)self->open_count + 1 : 1;
  osdear_status st;

  if (self->open_count == MAX_OPEN) {
    st = osdear__data_file_finish(self, self->oldest, error);
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

osdear_status osdear__data_file_write(osdear__data_writer *self, osdear__data_partition *part, const struct ArrowArray *rows,
                                      osdear_error **error)
{
  osdear__data_file *file = &part->file;
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
    return osdear__data_file_finish(self, part, error);
  return OSDEAR_OK;
}
