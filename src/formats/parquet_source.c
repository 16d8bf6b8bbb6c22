/* Parquet files as one stream: columns by name, of the widest type that any file gives them. */
#include "source.h"

typedef struct parquet_reader {
  osdear__source *source; /* the stream holds the reference */
  size_t file;            /* the next to be opened, or one past the one in hand */
  osdear__parquet *parquet;
  size_t group;
  osdear__parquet_cursor *cursor;
  int64_t done; /* bytes of the files before */
} parquet_reader;

static osdear_status open_parquet(const char *path, osdear__parquet **out, osdear_error **error)
{
  osdear__input *input = NULL;
  osdear_status st = osdear__file_input(path, &input, error);

  return st ? st : osdear__parquet_open(input, NULL, out, error);
}

/* ---- looking ---- */

/* The type that takes the values of both becomes ours. */
static osdear_status widen(osdear__source *source, osdear__field *ours, const osdear__field *theirs, const char *file,
                           osdear_error **error)
{
  SCOPED(buf) a = { 0 };
  SCOPED(buf) b = { 0 };

  ours->nullable |= theirs->nullable;
  if (osdear__type_equal(&ours->type, &theirs->type) || osdear__type_can_cast(&theirs->type, &ours->type))
    return OSDEAR_OK;
  if (osdear__type_can_cast(&ours->type, &theirs->type))
    return osdear__type_copy(&theirs->type, &source->arena, &ours->type, error);
  osdear__type_name(&ours->type, &a);
  osdear__type_name(&theirs->type, &b);
  return osdear__fail(error, OSDEAR_ERR_DATA, "%s, column %s: %s here, but %s in a file before; read them apart", file,
                      ours->name, b.data ? b.data : "?", a.data ? a.data : "?");
}

static osdear_status add_column(osdear__source *source, const osdear__field *field, size_t *capacity, osdear_error **error)
{
  osdear__type *type = &source->type;
  osdear__field *ours;

  if (type->field_count == *capacity) {
    size_t grown = *capacity * 2 + 16;
    osdear__field *fields = osdear__arena_zeroed(&source->arena, grown, sizeof *fields);
    if (!fields)
      return osdear__fail_memory(error);
    if (type->field_count)
      memcpy(fields, type->fields, type->field_count * sizeof *fields);
    type->fields = fields;
    *capacity = grown;
  }
  ours = &type->fields[type->field_count];
  *ours = (osdear__field){ .nullable = field->nullable, .field_id = -1 };
  ours->name = osdear__arena_strdup(&source->arena, field->name);
  if (!ours->name)
    return osdear__fail_memory(error);
  type->field_count++;
  return osdear__type_copy(&field->type, &source->arena, &ours->type, error);
}

/* The columns of one more file. One that a file lacks is null in its rows. */
static osdear_status add_columns(osdear__source *source, const osdear__type *type, const char *file, size_t *capacity,
                                 osdear_error **error)
{
  size_t before = source->type.field_count;
  bool is_first = *capacity == 0;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < before; i++)
    source->type.fields[i].nullable |= osdear__type_find(type, osdear__str_of(source->type.fields[i].name)) < 0;
  for (size_t i = 0; !st && i < type->field_count; i++) {
    int64_t at = osdear__type_find(&source->type, osdear__str_of(type->fields[i].name));
    if (at >= 0 && !is_first) {
      st = widen(source, &source->type.fields[at], &type->fields[i], file, error);
      continue;
    }
    st = add_column(source, &type->fields[i], capacity, error);
    if (!st && !is_first)
      source->type.fields[source->type.field_count - 1].nullable = true;
  }
  return st;
}

/* Types that were asked for are cast to, where that keeps every value. */
static osdear_status check_overrides(osdear__source *source, const osdear__type *found, osdear_error **error)
{
  for (size_t i = 0; i < source->type.field_count; i++) {
    const osdear__field *field = &source->type.fields[i];
    SCOPED(buf) from = { 0 };
    if (osdear__type_equal(&found->fields[i].type, &field->type) || osdear__type_can_cast(&found->fields[i].type, &field->type))
      continue;
    osdear__type_name(&found->fields[i].type, &from);
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column %s: the files have %s, which cannot be read as the type asked for",
                        field->name, from.data ? from.data : "another type");
  }
  return OSDEAR_OK;
}

static osdear_status look_at_file(osdear__source *source, size_t index, size_t *capacity, int64_t *rows, osdear_error **error)
{
  AUTO(parquet) parquet = NULL;
  osdear_status st = open_parquet(source->files[index].path, &parquet, error);

  if (st)
    return st;
  *rows += osdear__parquet_rows(parquet);
  return add_columns(source, osdear__parquet_type(parquet), source->files[index].path, capacity, error);
}

static osdear_status parquet_look(osdear__source *source, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;
  osdear__type found;
  size_t capacity = 0;
  int64_t rows = 0;

  source->type = (osdear__type){ .kind = KIND_STRUCT };
  source->has_schema = false; /* these files say themselves what they hold */
  for (size_t i = 0; !st && i < source->file_count; i++)
    st = look_at_file(source, i, &capacity, &rows, error);
  if (!st)
    st = osdear__type_copy(&source->type, &source->arena, &found, error);
  if (!st)
    st = osdear__source_override(source, error);
  if (!st)
    st = check_overrides(source, &found, error);
  if (st)
    return st;
  osdear__buf_puts(&source->report, "format: parquet, ");
  osdear__put_count(&source->report, rows);
  osdear__buf_puts(&source->report, " rows\n");
  for (size_t i = 0; i < source->type.field_count; i++) {
    if (osdear__source_report_column(source, i))
      osdear__buf_puts(&source->report, "as the files say\n");
  }
  return OSDEAR_OK;
}

/* ---- reading ---- */

static void close_file(parquet_reader *reader)
{
  osdear__parquet_cursor_auto(&reader->cursor);
  osdear__parquet_auto(&reader->parquet);
}

static void parquet_close(void *state)
{
  parquet_reader *reader = state;

  close_file(reader);
  osdear__free(reader);
}

static osdear_status parquet_start(osdear__source *source, void **state, osdear_error **error)
{
  parquet_reader *reader = osdear__alloc_zeroed(1, sizeof *reader);

  if (!reader)
    return osdear__fail_memory(error);
  reader->source = source;
  *state = reader;
  return OSDEAR_OK;
}

/* The next row group, of this file or a later one; no cursor at the end of all. */
static osdear_status next_group(parquet_reader *reader, osdear_error **error)
{
  osdear__parquet_read read = { .batch_bytes = osdear__context_budget(reader->source->context) / 8 };

  while (!reader->cursor) {
    osdear_status st;
    if (!reader->parquet) {
      if (reader->file == reader->source->file_count)
        return OSDEAR_OK;
      st = open_parquet(reader->source->files[reader->file].path, &reader->parquet, error);
      if (st)
        return st;
      reader->file++;
      reader->group = 0;
    }
    if (reader->group == osdear__parquet_group_count(reader->parquet)) {
      reader->done += osdear__parquet_bytes_read(reader->parquet);
      close_file(reader);
      continue;
    }
    st = osdear__parquet_cursor_new(reader->parquet, reader->group, &read, &reader->cursor, error);
    if (st)
      return st;
    reader->group++;
  }
  return OSDEAR_OK;
}

static osdear_status parquet_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  parquet_reader *reader = state;
  osdear__source *source = reader->source;

  for (;;) {
    SCOPED(array) batch = { 0 };
    int64_t first_row = 0;
    osdear_status st = osdear__context_check(source->context, error);
    if (!st)
      st = next_group(reader, error);
    if (st || !reader->cursor)
      return st;
    st = osdear__parquet_cursor_next(reader->cursor, source->options.batch_rows, &batch, &first_row, error);
    if (st)
      return st;
    if (batch.release) {
      osdear__context_progress(source->context, "reading", reader->done + osdear__parquet_bytes_read(reader->parquet),
                               source->meter.total);
      return osdear__array_cast(osdear__parquet_type(reader->parquet), &batch, &source->type, out, error);
    }
    osdear__parquet_cursor_auto(&reader->cursor);
  }
}

const osdear__format osdear__format_parquet = { "parquet", parquet_look, parquet_start, parquet_next, parquet_close };
