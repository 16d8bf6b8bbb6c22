/* The adds or removes of a checkpoint, streamed: a batch of rows is in memory, whatever the size of the table. */
#include <delta/log/log.h>

#define BATCH_ROWS 8192

/* clang-format off */
#define LEAF(name_, kind_) { .name = (name_), .nullable = true, .field_id = -1, .type = { .kind = (kind_) } }
#define NEST(name_, kind_, fields_) \
  { .name = (name_), .nullable = true, .field_id = -1, .type = { .kind = (kind_), .field_count = COUNT_OF(fields_), .fields = (fields_) } }
/* clang-format on */

static osdear__field text_pair[] = { { .name = "key", .field_id = -1, .type = { .kind = KIND_STRING } },
                                     LEAF("value", KIND_STRING) };

enum { VECTOR_STORAGE, VECTOR_PATH, VECTOR_OFFSET, VECTOR_SIZE, VECTOR_CARDINALITY };
static osdear__field vector_fields[] = {
  LEAF("storageType", KIND_STRING), LEAF("pathOrInlineDv", KIND_STRING), LEAF("offset", KIND_LONG),
  LEAF("sizeInBytes", KIND_LONG),   LEAF("cardinality", KIND_LONG),
};

/* The fields up to FILE_TAGS are always read. */
enum {
  FILE_PATH,
  FILE_PARTITION,
  FILE_SIZE,
  FILE_TIME,
  FILE_DATA_CHANGE,
  FILE_VECTOR,
  FILE_ROW_ID,
  FILE_ROW_VERSION,
  FILE_CLUSTERING,
  FILE_TAGS,
  FILE_STATS,
  FILE_STATS_PARSED,
  FILE_FIELDS
};
static const osdear__field file_fields[FILE_FIELDS - 1] = {
  LEAF("path", KIND_STRING),
  NEST("partitionValues", KIND_MAP, text_pair),
  LEAF("size", KIND_LONG),
  LEAF("modificationTime", KIND_LONG),
  LEAF("dataChange", KIND_BOOLEAN),
  NEST("deletionVector", KIND_STRUCT, vector_fields),
  LEAF("baseRowId", KIND_LONG),
  LEAF("defaultRowCommitVersion", KIND_LONG),
  LEAF("clusteringProvider", KIND_STRING),
  NEST("tags", KIND_MAP, text_pair),
  LEAF("stats", KIND_STRING),
};

struct osdear__checkpoint_rows {
  osdear__checkpoint *checkpoint;
  bool adds;
  unsigned want;
  size_t next_part;                    /* the tops come first, then the sidecars */
  const osdear__checkpoint_part *part; /* being read; NULL: none */
  osdear__parquet *file_of_part;       /* open; NULL: the part is JSON */
  size_t next_group;
  osdear__text_files text;
  osdear__arena arena; /* the types below, made for each row group */
  osdear__type want_type, shape;
  int places[FILE_FIELDS]; /* of the fields above among the struct's children; -1: not read */
  osdear__parquet_cursor *cursor;
  struct ArrowArray batch;
  int64_t row; /* the next of the batch */
  osdear__file file;
  osdear__partition_value *values;
  size_t value_room;
  osdear__buf tags, stats;
};

static osdear_status pick(void *argument, const osdear__action *action, int64_t ordinal, bool *wanted, osdear_error **error)
{
  const osdear__checkpoint_rows *rows = argument;

  (void)ordinal;
  (void)error;
  *wanted = action->kind == (rows->adds ? ACTION_ADD : ACTION_REMOVE);
  return OSDEAR_OK;
}

osdear_status osdear__checkpoint_rows_new(osdear__checkpoint *checkpoint, bool adds, unsigned want, osdear__checkpoint_rows **out,
                                          osdear_error **error)
{
  osdear__checkpoint_rows *rows = osdear__alloc_zeroed(1, sizeof *rows);

  if (!rows)
    return osdear__fail_memory(error);
  rows->checkpoint = osdear__checkpoint_ref(checkpoint);
  rows->adds = adds;
  rows->want = want;
  rows->text.pick = pick;
  rows->text.argument = rows;
  rows->text.keep =
      COMMIT_FILES | (want & FILES_STATS ? (unsigned)COMMIT_STATS : 0) | (want & FILES_TAGS ? (unsigned)COMMIT_TAGS : 0);
  *out = rows;
  return OSDEAR_OK;
}

void osdear__checkpoint_rows_auto(osdear__checkpoint_rows **at)
{
  osdear__checkpoint_rows *rows = *at;

  if (!rows)
    return;
  osdear__parquet_cursor_auto(&rows->cursor);
  osdear__parquet_auto(&rows->file_of_part);
  osdear__text_files_drop(&rows->text);
  osdear__array_drop(&rows->batch);
  osdear__arena_drop(&rows->arena);
  osdear__free(rows->values);
  osdear__buf_drop(&rows->tags);
  osdear__buf_drop(&rows->stats);
  osdear__checkpoint_unref(rows->checkpoint);
  osdear__free(rows);
  *at = NULL;
}

/* ---- row groups ---- */

/* Statistics may be there as text, as columns, or as both; the columns are only read where some file lacks the text. */
static const osdear__field *parsed_stats(const osdear__parquet *part, size_t group)
{
  const osdear__type *type = osdear__parquet_type(part);
  int64_t add = osdear__type_find(type, STR("add"));
  const osdear__type *fields = add < 0 ? NULL : &type->fields[add].type;
  int64_t text = fields ? osdear__type_find(fields, STR("stats")) : -1;
  int64_t parsed = fields ? osdear__type_find(fields, STR("stats_parsed")) : -1;
  int64_t path = fields ? osdear__type_find(fields, STR("path")) : -1;
  osdear__parquet_stats text_stats, path_stats;

  if (parsed < 0 || fields->fields[parsed].type.kind != KIND_STRUCT)
    return NULL;
  if (text >= 0 && path >= 0 &&
      osdear__parquet_group_stats(part, group, (size_t[]){ (size_t)add, (size_t)text }, 2, &text_stats) &&
      osdear__parquet_group_stats(part, group, (size_t[]){ (size_t)add, (size_t)path }, 2, &path_stats) &&
      text_stats.null_count >= 0 && text_stats.null_count == path_stats.null_count)
    return NULL;
  return &fields->fields[parsed];
}

static void want_field(osdear__checkpoint_rows *rows, osdear__type *type, int which, const osdear__field *field)
{
  rows->places[which] = (int)type->field_count;
  type->fields[type->field_count++] = *field;
}

/* What is read of this group, as it is to be; `want_type` is the same as the file has it. */
static osdear_status choose_columns(osdear__checkpoint_rows *rows, const osdear__parquet *part, size_t group,
                                    osdear_error **error)
{
  static const osdear__field deleted = LEAF("deletionTimestamp", KIND_LONG);
  osdear__type inner = { .kind = KIND_STRUCT };
  const osdear__field *parsed = rows->adds && (rows->want & FILES_STATS) ? parsed_stats(part, group) : NULL;
  osdear__field *outer;

  osdear__arena_reset(&rows->arena);
  inner.fields = osdear__arena_zeroed(&rows->arena, FILE_FIELDS, sizeof *inner.fields);
  outer = osdear__arena_zeroed(&rows->arena, 1, sizeof *outer);
  if (!inner.fields || !outer)
    return osdear__fail_memory(error);
  for (int i = 0; i < FILE_FIELDS; i++)
    rows->places[i] = -1;
  for (int i = 0; i < FILE_TAGS; i++)
    want_field(rows, &inner, i, i == FILE_TIME && !rows->adds ? &deleted : &file_fields[i]);
  if (rows->want & FILES_TAGS)
    want_field(rows, &inner, FILE_TAGS, &file_fields[FILE_TAGS]);
  if (rows->adds && (rows->want & FILES_STATS))
    want_field(rows, &inner, FILE_STATS, &file_fields[FILE_STATS]);
  if (parsed)
    want_field(rows, &inner, FILE_STATS_PARSED, parsed);
  *outer = (osdear__field){ .name = rows->adds ? "add" : "remove", .nullable = true, .field_id = -1, .type = inner };
  rows->shape = (osdear__type){ .kind = KIND_STRUCT, .field_count = 1, .fields = outer };
  return osdear__checkpoint_prune(osdear__parquet_type(part), &rows->shape, &rows->arena, &rows->want_type, error);
}

/* Sidecars hold files, never sidecars: what those would hold is not to be lost silently. */
static osdear_status check_group(const osdear__checkpoint_rows *rows, size_t group, osdear_error **error)
{
  const osdear__type *type = osdear__parquet_type(rows->file_of_part);
  int64_t sidecar = osdear__type_find(type, STR("sidecar"));
  int64_t path = sidecar < 0 ? -1 : osdear__type_find(&type->fields[sidecar].type, STR("path"));
  osdear__parquet_stats stats;

  if (rows->part->open || path < 0 ||
      !osdear__parquet_group_stats(rows->file_of_part, group, (size_t[]){ (size_t)sidecar, (size_t)path }, 2, &stats) ||
      stats.null_count < 0 || stats.null_count >= osdear__parquet_group_rows(rows->file_of_part, group))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the sidecar names sidecars of its own");
}

/* The cursor of the part's next row group that holds any; NULL at its end. */
static osdear_status next_group(osdear__checkpoint_rows *rows, osdear_error **error)
{
  osdear__parquet_read read = { .want = &rows->want_type };
  osdear__parquet *file = rows->file_of_part;
  osdear_status st;

  osdear__parquet_cursor_auto(&rows->cursor);
  while (rows->next_group < osdear__parquet_group_count(file)) {
    size_t group = rows->next_group++;

    st = check_group(rows, group, error);
    if (st)
      return st;
    if (osdear__checkpoint_group_lacks(file, group, rows->adds ? "add" : "remove", "path"))
      continue;
    st = choose_columns(rows, file, group, error);
    return st ? st : osdear__parquet_cursor_new(file, group, &read, &rows->cursor, error);
  }
  return OSDEAR_OK;
}

static osdear_status next_batch(osdear__checkpoint_rows *rows, osdear_error **error)
{
  SCOPED(array) raw = { 0 };
  int64_t first_row;
  osdear_status st;

  osdear__array_drop(&rows->batch);
  rows->batch = (struct ArrowArray){ 0 };
  rows->row = 0;
  for (;;) {
    if (!rows->cursor) {
      st = next_group(rows, error);
      if (st || !rows->cursor)
        return st;
    }
    st = osdear__parquet_cursor_next(rows->cursor, BATCH_ROWS, &raw, &first_row, error);
    if (st)
      return st;
    if (raw.release)
      return osdear__array_cast(&rows->want_type, &raw, &rows->shape, &rows->batch, error);
    osdear__parquet_cursor_auto(&rows->cursor);
  }
}

/* ---- rows ---- */

static const struct ArrowArray *column(const osdear__checkpoint_rows *rows, int which)
{
  return rows->places[which] < 0 ? NULL : rows->batch.children[0]->children[rows->places[which]];
}

static int64_t integer_at(const struct ArrowArray *array, int64_t row, int64_t otherwise)
{
  return osdear__is_valid(array, row) ? ((const int64_t *)array->buffers[1])[row] : otherwise;
}

static osdear__str text_at(const struct ArrowArray *array, int64_t row)
{
  return array && osdear__is_valid(array, row) ? osdear__string_at(array, row) : (osdear__str){ NULL, 0 };
}

static osdear_status read_partition(osdear__checkpoint_rows *rows, int64_t row, osdear_error **error)
{
  const struct ArrowArray *map = column(rows, FILE_PARTITION);
  const int32_t *offsets = map->buffers[1];
  const struct ArrowArray *keys = map->children[0]->children[0], *values = map->children[0]->children[1];
  size_t count;

  rows->file.partition = rows->values;
  if (!osdear__is_valid(map, row))
    return OSDEAR_OK;
  count = (size_t)(offsets[row + 1] - offsets[row]);
  if (count > rows->value_room) {
    osdear__partition_value *grown = osdear__realloc_array(rows->values, count, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    rows->values = grown;
    rows->value_room = count;
    rows->file.partition = grown;
  }
  for (size_t i = 0; i < count; i++) {
    int64_t at = offsets[row] + (int64_t)i;
    osdear__str value = text_at(values, at);
    rows->values[i] = (osdear__partition_value){ osdear__string_at(keys, at), value, value.size == 0 };
  }
  rows->file.partition_count = count;
  return OSDEAR_OK;
}

static osdear_status read_vector(osdear__checkpoint_rows *rows, int64_t row, osdear_error **error)
{
  const struct ArrowArray *vector = column(rows, FILE_VECTOR);
  osdear__deletion_vector *dv = &rows->file.dv;
  osdear__str storage;

  if (vector->null_count == vector->length || !osdear__is_valid(vector, row))
    return OSDEAR_OK;
  storage = text_at(vector->children[VECTOR_STORAGE], row);
  if (!storage.data && !osdear__is_valid(vector->children[VECTOR_PATH], row))
    return OSDEAR_OK; /* a struct that is there but empty stands for none */
  if (storage.size != 1 || !memchr("uip", storage.data[0], 3) || !osdear__is_valid(vector->children[VECTOR_PATH], row))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "deletionVector.storageType is not u, i or p, or its path is missing");
  if (integer_at(vector->children[VECTOR_OFFSET], row, 0) < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "deletionVector.offset is negative");
  *dv = (osdear__deletion_vector){
    .storage = storage.data[0],
    .path = text_at(vector->children[VECTOR_PATH], row),
    .offset = integer_at(vector->children[VECTOR_OFFSET], row, -1),
    .size_bytes = integer_at(vector->children[VECTOR_SIZE], row, -1),
    .cardinality = integer_at(vector->children[VECTOR_CARDINALITY], row, -1),
  };
  return OSDEAR_OK;
}

static osdear_status read_tags(osdear__checkpoint_rows *rows, int64_t row, osdear_error **error)
{
  const struct ArrowArray *map = column(rows, FILE_TAGS);
  const int32_t *offsets;
  bool first = true;

  if (!map || !osdear__is_valid(map, row))
    return OSDEAR_OK;
  offsets = map->buffers[1];
  osdear__buf_clear(&rows->tags);
  osdear__buf_putc(&rows->tags, '{');
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    osdear__json_put_comma(&rows->tags, &first);
    osdear__json_put_string(&rows->tags, osdear__string_at(map->children[0]->children[0], i));
    osdear__buf_putc(&rows->tags, ':');
    if (osdear__is_valid(map->children[0]->children[1], i))
      osdear__json_put_string(&rows->tags, osdear__string_at(map->children[0]->children[1], i));
    else
      osdear__buf_puts(&rows->tags, "null");
  }
  osdear__buf_putc(&rows->tags, '}');
  rows->file.tags = (osdear__str){ rows->tags.data, rows->tags.size };
  return osdear__buf_check(&rows->tags, error);
}

static osdear_status read_stats(osdear__checkpoint_rows *rows, int64_t row, osdear_error **error)
{
  const struct ArrowArray *parsed = column(rows, FILE_STATS_PARSED);

  rows->file.stats = text_at(column(rows, FILE_STATS), row);
  if (rows->file.stats.size || !parsed || !osdear__is_valid(parsed, row))
    return OSDEAR_OK;
  osdear__buf_clear(&rows->stats);
  osdear__checkpoint_stats_print(&rows->shape.fields[0].type.fields[rows->places[FILE_STATS_PARSED]].type, parsed, row,
                                 &rows->stats);
  rows->file.stats = (osdear__str){ rows->stats.data, rows->stats.size };
  return osdear__buf_check(&rows->stats, error);
}

static osdear_status read_row(osdear__checkpoint_rows *rows, int64_t row, osdear_error **error)
{
  const struct ArrowArray *change = column(rows, FILE_DATA_CHANGE);
  osdear__file *file = &rows->file;
  int64_t time = integer_at(column(rows, FILE_TIME), row, 0);
  osdear_status st;

  *file = OSDEAR__FILE_BLANK;
  file->path = text_at(column(rows, FILE_PATH), row);
  file->size_bytes = integer_at(column(rows, FILE_SIZE), row, -1);
  if (rows->adds)
    file->modified_ms = time;
  else
    file->deleted_ms = time;
  if (osdear__is_valid(change, row))
    file->data_change = ((const uint8_t *)change->buffers[1])[row >> 3] >> (row & 7) & 1;
  file->base_row_id = integer_at(column(rows, FILE_ROW_ID), row, -1);
  file->default_row_commit_version = integer_at(column(rows, FILE_ROW_VERSION), row, -1);
  file->clustering_provider = text_at(column(rows, FILE_CLUSTERING), row);
  st = read_partition(rows, row, error);
  if (!st)
    st = read_vector(rows, row, error);
  if (!st)
    st = read_tags(rows, row, error);
  if (!st)
    st = read_stats(rows, row, error);
  return st ? st : osdear__file_check(file, rows->adds ? "add" : "remove", rows->adds, error);
}

/* *out NULL at the end of the part. */
static osdear_status next_of_parquet(osdear__checkpoint_rows *rows, const osdear__file **out, osdear_error **error)
{
  osdear_status st;

  for (;;) {
    if (rows->row >= rows->batch.length) {
      st = next_batch(rows, error);
      if (st || !rows->batch.release)
        return st;
    }
    while (rows->row < rows->batch.length) {
      const struct ArrowArray *file = rows->batch.children[0];
      int64_t row = rows->row++;

      if (!osdear__is_valid(file, row) || !osdear__is_valid(column(rows, FILE_PATH), row))
        continue; /* another action's row */
      st = read_row(rows, row, error);
      if (!st)
        *out = &rows->file;
      return st;
    }
  }
}

/* ---- parts ---- */

static osdear_status open_sidecar(osdear__checkpoint_rows *rows, osdear_error **error)
{
  osdear__input *input = NULL;
  osdear_status st = osdear__store_open_input(rows->checkpoint->store, rows->part->path, rows->part->size_bytes, &input, error);

  return st ? st : osdear__parquet_open(input, NULL, &rows->file_of_part, error);
}

static osdear_status open_part(osdear__checkpoint_rows *rows, osdear_error **error)
{
  const osdear__checkpoint *checkpoint = rows->checkpoint;
  size_t index = rows->next_part++;

  osdear__parquet_auto(&rows->file_of_part);
  rows->next_group = 0;
  rows->part = index < checkpoint->top_count ? &checkpoint->tops[index] : &checkpoint->sidecars[index - checkpoint->top_count];
  if (index >= checkpoint->top_count)
    return open_sidecar(rows, error);
  if (!rows->part->open)
    return osdear__text_files_open(&rows->text, checkpoint->store, rows->part->path, rows->part->size_bytes, error);
  rows->file_of_part = osdear__parquet_ref(rows->part->open);
  return OSDEAR_OK;
}

osdear_status osdear__checkpoint_rows_next(osdear__checkpoint_rows *rows, const osdear__file **out, osdear_error **error)
{
  const osdear__checkpoint *checkpoint = rows->checkpoint;
  osdear_status st = OSDEAR_OK;

  *out = NULL;
  while (!st) {
    if (!rows->part) {
      if (rows->next_part == checkpoint->top_count + checkpoint->sidecar_count)
        return OSDEAR_OK;
      st = open_part(rows, error);
    }
    if (!st)
      st = rows->file_of_part ? next_of_parquet(rows, out, error) : osdear__text_files_next(&rows->text, out, error);
    if (*out)
      return OSDEAR_OK;
    if (!st)
      rows->part = NULL;
  }
  return rows->file_of_part ? osdear__fail_within(error, st, "%s", rows->part->path) : st;
}
