/* osdear_snapshot_files(): the file iterator as an Arrow stream. */
#include <delta/delta.h>

#define BATCH_ROWS 4096
#define BATCH_BYTES ((int64_t)4 << 20)

/* clang-format off */
#define FIELD(name_, kind_, nullable_) { .name = (name_), .nullable = (nullable_), .field_id = -1, .type = { .kind = (kind_) } }
/* clang-format on */

static osdear__field pair_fields[] = { FIELD("key", KIND_STRING, false), FIELD("value", KIND_STRING, true) };
enum { PATH, PARTITION_VALUES, SIZE_BYTES, MODIFIED_MS, NUM_RECORDS, STATS, FIELDS };
static osdear__field row_fields[FIELDS] = {
  FIELD("path", KIND_STRING, false),
  { .name = "partition_values", .field_id = -1, .type = { .kind = KIND_MAP, .field_count = 2, .fields = pair_fields } },
  FIELD("size_bytes", KIND_LONG, false),
  FIELD("modified_ms", KIND_LONG, false),
  FIELD("num_records", KIND_LONG, true),
  FIELD("stats", KIND_STRING, true),
};
static const osdear__type row_type = { .kind = KIND_STRUCT, .field_count = FIELDS, .fields = row_fields };

typedef struct files_stream {
  const osdear__metadata *metadata; /* of the snapshot that `files` holds */
  osdear__arena arena;              /* of `where` */
  osdear__expr *where;
  osdear__file_iterator *files;
  osdear__builder *builder;
  osdear__json_parser *parser;
  osdear__buf path;
  bool is_records; /* the key before the value at hand is numRecords */
  int64_t records;
} files_stream;

static void files_close(void *state)
{
  files_stream *s = state;

  osdear__file_iterator_auto(&s->files);
  osdear__builder_auto(&s->builder);
  osdear__json_parser_auto(&s->parser);
  osdear__buf_drop(&s->path);
  osdear__arena_drop(&s->arena);
  osdear__free(s);
}

/* Only one number is wanted of the statistics: once it is found, failing ends the parse. */
static osdear_status on_stats(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  files_stream *s = argument;

  (void)error;
  if (depth != 1)
    return OSDEAR_OK;
  if (event == JSON_KEY)
    s->is_records = osdear__str_is(text, "numRecords");
  if (event != JSON_NUMBER || !s->is_records)
    return OSDEAR_OK;
  if (!osdear__parse_i64(text, &s->records))
    s->records = -1;
  return OSDEAR_ERR_STATE;
}

static osdear_status put_records(files_stream *s, osdear__str stats, osdear_error **error)
{
  osdear__builder *column = osdear__builder_child(s->builder, NUM_RECORDS);
  osdear_status st = OSDEAR_OK;

  s->records = -1;
  s->is_records = false;
  if (stats.size)
    st = osdear__json_parse(s->parser, stats, "stats", NULL);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  return s->records < 0 ? osdear__builder_null(column, error) : osdear__builder_i64(column, s->records, error);
}

static osdear_status put_path(files_stream *s, osdear__str path, osdear_error **error)
{
  osdear_status st;

  if (memchr(path.data, '%', path.size)) {
    osdear__buf_clear(&s->path);
    st = osdear__uri_decode(path, &s->path, error);
    if (st)
      return st;
    path = (osdear__str){ s->path.data, s->path.size };
  }
  return osdear__builder_bytes(osdear__builder_child(s->builder, PATH), path, error);
}

/* The name that the table knows the column by. */
static osdear__str column_name(const osdear__metadata *metadata, osdear__str physical)
{
  for (size_t i = 0; metadata->mapping != MAPPING_NONE && i < metadata->physical.field_count; i++)
    if (osdear__str_is(physical, metadata->physical.fields[i].name))
      return osdear__str_of(metadata->schema.fields[i].name);
  return physical;
}

static osdear_status put_partition(files_stream *s, const osdear__file *file, osdear_error **error)
{
  osdear__builder *map = osdear__builder_child(s->builder, PARTITION_VALUES);
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < file->partition_count && !st; i++) {
    const osdear__partition_value *value = &file->partition[i];
    st = osdear__builder_bytes(osdear__builder_child(map, 0), column_name(s->metadata, value->column), error);
    if (!st && value->is_null)
      st = osdear__builder_null(osdear__builder_child(map, 1), error);
    else if (!st)
      st = osdear__builder_bytes(osdear__builder_child(map, 1), value->value, error);
  }
  return st ? st : osdear__builder_close(map, error);
}

static osdear_status put_file(files_stream *s, const osdear__file *file, osdear_error **error)
{
  osdear__builder *stats = osdear__builder_child(s->builder, STATS);
  osdear_status st = put_path(s, file->path, error);

  if (!st)
    st = put_partition(s, file, error);
  if (!st)
    st = osdear__builder_i64(osdear__builder_child(s->builder, SIZE_BYTES), file->size_bytes, error);
  if (!st)
    st = osdear__builder_i64(osdear__builder_child(s->builder, MODIFIED_MS), file->modified_ms, error);
  if (!st)
    st = put_records(s, file->stats, error);
  if (!st)
    st = file->stats.size ? osdear__builder_bytes(stats, file->stats, error) : osdear__builder_null(stats, error);
  return st ? st : osdear__builder_close(s->builder, error);
}

static osdear_status files_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  files_stream *s = state;
  const osdear__file *file = NULL;
  osdear_status st;

  while (osdear__builder_length(s->builder) < BATCH_ROWS && osdear__builder_bytes_used(s->builder) < BATCH_BYTES) {
    st = osdear__file_iterator_next(s->files, &file, error);
    if (st)
      return st;
    if (!file)
      break;
    st = put_file(s, file, error);
    if (st)
      return st;
  }
  return osdear__builder_length(s->builder) ? osdear__builder_finish(s->builder, out, error) : OSDEAR_OK;
}

static osdear_status open_stream(files_stream *s, osdear_snapshot *snapshot, const char *where, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  s->metadata = &snapshot->metadata;
  if (where)
    st = osdear__expr_new(where, &snapshot->metadata.schema, &s->arena, &s->where, error);
  if (!st && s->where && osdear__expr_type(s->where)->kind != KIND_BOOLEAN)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is no predicate: its value is not true or false", where);
  if (!st)
    st = osdear__file_iterator_open(snapshot, s->where, FILES_STATS, &s->files, error);
  if (!st)
    st = osdear__builder_new(&row_type, &s->builder, error);
  return st ? st : osdear__json_parser_new(NULL, on_stats, s, &s->parser, error);
}

osdear_status osdear_snapshot_files(osdear_snapshot *snapshot, const char *where, struct ArrowArrayStream *out,
                                    osdear_error **error)
{
  files_stream *s;
  osdear_status st;

  if (!snapshot || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "snapshot and out must not be NULL");
  s = osdear__alloc_zeroed(1, sizeof *s);
  if (!s)
    return osdear__fail_memory(error);
  st = open_stream(s, snapshot, where, error);
  if (st) {
    files_close(s);
    return st;
  }
  return osdear__stream_export(&row_type, files_next, files_close, s, out, error);
}
