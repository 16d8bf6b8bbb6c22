/* Results of statements: pages of JSON rows, handed out as lines of JSON, or typed by the schema that comes with them. */
#include <arrow/arrow.h>
#include <container/container.h>
#include <job/dremio.h>

#include <stdio.h>

osdear_status osdear__dremio_page(osdear_runner *runner, const char *id, int64_t offset, int64_t limit, osdear__arena *arena,
                                  osdear__json **out, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear_status st;

  osdear__buf_printf(&path, "/api/v3/job/%s/results?offset=%" PRId64 "&limit=%" PRId64, id, offset, limit);
  st = osdear__buf_check(&path, error);
  if (!st)
    st = osdear__dremio_call(runner, "GET", path.data, NULL, arena, out, error);
  if (!st && !osdear__json_list(*out, "rows"))
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio's answer about the rows of %s has none", id);
  return st;
}

/* ---- as lines ---- */

osdear_status osdear__dremio_log_open(osdear_job_log *log, osdear_error **error)
{
  if (!log->stream || strcmp(log->stream, "rows") == 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a statement has the stream rows, not \"%s\"", log->stream);
}

osdear_status osdear__dremio_log_read(osdear_job_log *log, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  const osdear__json *rows;
  osdear__json *page;
  osdear_status st = osdear_job_poll(log->job, error);

  if (st || log->job->state != OSDEAR_JOB_SUCCEEDED)
    return st;
  st = osdear__dremio_page(log->job->runner, log->job->id, log->offset, DREMIO_PAGE, &arena, &page, error);
  if (st)
    return st;
  rows = osdear__json_list(page, "rows");
  for (size_t i = 0; i < rows->count; i++) {
    osdear__json_put_value(&log->data, &rows->items[i]);
    osdear__buf_putc(&log->data, '\n');
  }
  log->offset += (int64_t)rows->count;
  return osdear__buf_check(&log->data, error);
}

/* ---- as columns ---- */

typedef struct dremio_rows {
  osdear_runner *runner;
  char *id;
  osdear__arena arena; /* of the type */
  osdear__type type;
  osdear__builder *builder;
  osdear__arena page_arena;
  osdear__json *page; /* the next one, where it is there already */
  int64_t offset;
} dremio_rows;

static void close_rows(void *state)
{
  dremio_rows *self = state;

  osdear__builder_auto(&self->builder);
  osdear__arena_drop(&self->page_arena);
  osdear__arena_drop(&self->arena);
  osdear__free(self->id);
  osdear_runner_free(self->runner);
  osdear__free(self);
}

/* What has no type of its own here (maps, intervals) becomes text, JSON where it is nested. */
static osdear__type scalar_of(const osdear__json *column)
{
  static const struct {
    const char *name;
    osdear__kind kind;
  } kinds[] = {
    { "BOOLEAN", KIND_BOOLEAN }, { "INTEGER", KIND_INTEGER }, { "BIGINT", KIND_LONG },      { "FLOAT", KIND_FLOAT },
    { "DOUBLE", KIND_DOUBLE },   { "DATE", KIND_DATE },       { "TIME", KIND_TIME },        { "TIMESTAMP", KIND_TIMESTAMP_NTZ },
    { "DECIMAL", KIND_DECIMAL }, { "VARCHAR", KIND_STRING },  { "VARBINARY", KIND_BINARY },
  };
  const osdear__json *type = osdear__json_get(column, "type");
  const char *name = osdear__json_text(type, "name");
  osdear__type out = { .kind = KIND_STRING };

  for (size_t i = 0; name && i < COUNT_OF(kinds); i++)
    if (strcmp(kinds[i].name, name) == 0)
      out.kind = kinds[i].kind;
  if (out.kind == KIND_DECIMAL) {
    int64_t precision = osdear__json_int(type, "precision", 38), scale = osdear__json_int(type, "scale", 0);
    out.precision = precision >= 1 && precision <= 38 ? (int32_t)precision : 38;
    out.scale = scale >= 0 && scale <= out.precision ? (int32_t)scale : 0;
  }
  return out;
}

/* The columns of a schema, or of what is nested in one, as fields of *out. How deep they go is bounded by how deep JSON is read. */
static osdear_status read_fields(dremio_rows *self, const osdear__json *schema, osdear__type *out, osdear_error **error)
{
  osdear__field *fields = osdear__arena_zeroed(&self->arena, schema->count, sizeof *fields);
  osdear_status st = OSDEAR_OK;

  if (!fields)
    return osdear__fail_memory(error);
  out->fields = fields;
  out->field_count = schema->count;
  for (size_t i = 0; !st && i < schema->count; i++) {
    const osdear__json *column = &schema->items[i], *type = osdear__json_get(column, "type");
    const osdear__json *nested = osdear__json_list(type, "subSchema");
    const char *name = osdear__json_text(column, "name"), *kind = osdear__json_text(type, "name");
    bool is_list = kind && strcmp(kind, "LIST") == 0 && nested && nested->count == 1;
    bool is_struct = kind && strcmp(kind, "STRUCT") == 0 && nested && nested->count > 0;

    name = out->kind == KIND_ARRAY ? "element" : name ? name : "";
    fields[i] = (osdear__field){ osdear__arena_strdup(&self->arena, name), true, -1, NULL, scalar_of(column) };
    if (!fields[i].name)
      return osdear__fail_memory(error);
    if (!is_list && !is_struct)
      continue;
    fields[i].type.kind = is_list ? KIND_ARRAY : KIND_STRUCT;
    st = read_fields(self, nested, &fields[i].type, error);
  }
  return st;
}

static osdear_status read_schema(dremio_rows *self, osdear_error **error)
{
  const osdear__json *schema = osdear__json_list(self->page, "schema");
  osdear_status st;

  if (!schema || schema->count == 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio's answer about the rows of %s has no schema", self->id);
  self->type.kind = KIND_STRUCT;
  st = read_fields(self, schema, &self->type, error);
  return st ? st : osdear__builder_new(&self->type, &self->builder, error);
}

static osdear_status fail_cell(const osdear__field *field, const osdear__json *value, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  osdear__json_put_value(&text, value);
  st = osdear__buf_check(&text, error);
  return st ? st
            : osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio gives %.60s for column \"%s\", which is none of its type",
                           text.data, field->name);
}

/* "03:04:05.678" */
static bool parse_time(osdear__str text, int64_t *us)
{
  char whole[48];
  bool has_zone;
  int length = snprintf(whole, sizeof whole, "1970-01-01 %.*s", (int)(text.size < 32 ? text.size : 32), text.data);

  return osdear__parse_timestamp((osdear__str){ whole, (size_t)length }, us, &has_zone) && !has_zone;
}

static bool whole_number(osdear__kind kind, osdear__str text, int64_t *out)
{
  int32_t days;
  bool has_zone;

  switch (kind) {
  case KIND_DATE: *out = osdear__parse_date(text, &days) ? days : 0; return osdear__parse_date(text, &days);
  case KIND_TIME: return parse_time(text, out);
  case KIND_TIMESTAMP_NTZ: return osdear__parse_timestamp(text, out, &has_zone) && !has_zone;
  case KIND_INTEGER: return osdear__parse_i64(text, out) && *out >= INT32_MIN && *out <= INT32_MAX;
  default: return osdear__parse_i64(text, out);
  }
}

static osdear_status put_text(osdear__builder *builder, const osdear__field *field, const osdear__json *value,
                              osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  if (value->kind == JSON_IS_STRING && field->type.kind == KIND_BINARY) {
    if (!osdear__base64_get(value->text, &text))
      return fail_cell(field, value, error);
  } else if (value->kind == JSON_IS_STRING) {
    return osdear__builder_bytes(builder, value->text, error);
  } else {
    osdear__json_put_value(&text, value);
  }
  st = osdear__buf_check(&text, error);
  return st ? st : osdear__builder_bytes(builder, (osdear__str){ text.data ? text.data : "", text.size }, error);
}

/* Numbers come as numbers or as strings, whichever loses nothing. */
static osdear_status put_scalar(osdear__builder *builder, const osdear__field *field, const osdear__json *value,
                                osdear_error **error)
{
  osdear__int128 decimal;
  int64_t number;
  double real;

  switch (field->type.kind) {
  case KIND_STRING:
  case KIND_BINARY: return put_text(builder, field, value, error);
  case KIND_BOOLEAN:
    return value->kind == JSON_IS_BOOL ? osdear__builder_i64(builder, value->truth, error) : fail_cell(field, value, error);
  default: break;
  }
  if (value->kind != JSON_IS_NUMBER && value->kind != JSON_IS_STRING)
    return fail_cell(field, value, error);
  if (field->type.kind == KIND_DECIMAL)
    return osdear__parse_decimal(value->text, field->type.precision, field->type.scale, &decimal)
               ? osdear__builder_decimal(builder, decimal, error)
               : fail_cell(field, value, error);
  if (field->type.kind == KIND_FLOAT || field->type.kind == KIND_DOUBLE)
    return osdear__parse_f64(value->text, &real) ? osdear__builder_f64(builder, real, error) : fail_cell(field, value, error);
  return whole_number(field->type.kind, value->text, &number) ? osdear__builder_i64(builder, number, error)
                                                              : fail_cell(field, value, error);
}

static osdear_status put_cell(osdear__builder *builder, const osdear__field *field, const osdear__json *value,
                              osdear_error **error);

static osdear_status put_struct(osdear__builder *builder, const osdear__type *type, const osdear__json *row, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < type->field_count; i++)
    st = put_cell(osdear__builder_child(builder, i), &type->fields[i], osdear__json_get(row, type->fields[i].name), error);
  return st ? st : osdear__builder_close(builder, error);
}

static osdear_status put_list(osdear__builder *builder, const osdear__field *element, const osdear__json *items,
                              osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < items->count; i++)
    st = put_cell(osdear__builder_child(builder, 0), element, &items->items[i], error);
  return st ? st : osdear__builder_close(builder, error);
}

static osdear_status put_cell(osdear__builder *builder, const osdear__field *field, const osdear__json *value,
                              osdear_error **error)
{
  if (!value || value->kind == JSON_IS_NULL)
    return osdear__builder_null(builder, error);
  if (field->type.kind == KIND_ARRAY)
    return value->kind == JSON_IS_ARRAY ? put_list(builder, &field->type.fields[0], value, error)
                                        : fail_cell(field, value, error);
  if (field->type.kind == KIND_STRUCT)
    return value->kind == JSON_IS_OBJECT ? put_struct(builder, &field->type, value, error) : fail_cell(field, value, error);
  return put_scalar(builder, field, value, error);
}

static osdear_status next_page(dremio_rows *self, osdear_error **error)
{
  if (self->page)
    return OSDEAR_OK;
  osdear__arena_drop(&self->page_arena);
  return osdear__dremio_page(self->runner, self->id, self->offset, DREMIO_PAGE, &self->page_arena, &self->page, error);
}

static osdear_status next_rows(void *state, struct ArrowArray *out, osdear_error **error)
{
  dremio_rows *self = state;
  const osdear__json *rows;
  osdear_status st = next_page(self, error);

  if (st)
    return st;
  rows = osdear__json_list(self->page, "rows");
  for (size_t i = 0; !st && i < rows->count; i++)
    st = rows->items[i].kind != JSON_IS_OBJECT
             ? osdear__fail(error, OSDEAR_ERR_CORRUPT, "Dremio gives a row of %s that is no object", self->id)
             : put_struct(self->builder, &self->type, &rows->items[i], error);
  if (st)
    return st;
  self->offset += (int64_t)rows->count;
  self->page = NULL;
  return rows->count ? osdear__builder_finish(self->builder, out, error) : OSDEAR_OK;
}

osdear_status osdear__dremio_rows(osdear_job *job, struct ArrowArrayStream *out, osdear_error **error)
{
  dremio_rows *self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st;

  if (!self)
    return osdear__fail_memory(error);
  self->runner = job->runner;
  job->runner->references++;
  self->id = osdear__strdup(job->id);
  st = self->id ? next_page(self, error) : osdear__fail_memory(error);
  if (!st)
    st = read_schema(self, error);
  if (!st)
    return osdear__stream_export(&self->type, next_rows, close_rows, self, out, error);
  close_rows(self);
  return st;
}
