#include "lake.h"
#include "../../support/folder.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- the folder ---- */

void lake_open(lake *self)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;

  *self = (lake){ 0 };
  options.threads = 1;
  folder_make("delta", self->folder);
  OK(osdear_context_new(&options, &self->context, WHY));
  OK(osdear__store_open(self->context, self->folder, NULL, 0, &self->store, WHY));
}

void lake_close(lake *self)
{
  osdear__store_unref(self->store);
  osdear_context_unref(self->context);
  osdear__arena_drop(&self->arena);
  folder_remove(self->folder);
}

/* ---- types ---- */

typedef struct type_text {
  lake *lake;
  const char *at;
} type_text;

static void parse_type(type_text *self, osdear__type *out);

static bool take(type_text *self, const char *word)
{
  while (*self->at == ' ')
    self->at++;
  if (!osdear__starts_with(self->at, word))
    return false;
  self->at += strlen(word);
  return true;
}

static osdear__field *new_fields(type_text *self, osdear__type *out, osdear__kind kind, size_t count)
{
  *out = (osdear__type){ .kind = kind, .field_count = count };
  out->fields = osdear__arena_zeroed(&self->lake->arena, count, sizeof *out->fields);
  for (size_t i = 0; i < count; i++)
    out->fields[i] = (osdear__field){ .nullable = true, .field_id = -1 };
  return out->fields;
}

static const char *take_name(type_text *self, const char *end)
{
  size_t length;
  const char *name;

  while (*self->at == ' ')
    self->at++;
  length = strcspn(self->at, end);
  name = osdear__arena_strndup(&self->lake->arena, self->at, length);
  self->at += length;
  return name;
}

/* `a<separator>type, b<separator>type` up to `end`. */
static void parse_fields(type_text *self, char separator, char end, osdear__type *out)
{
  const char separators[] = { separator, '\0' };
  size_t count = 0;

  new_fields(self, out, KIND_STRUCT, 64);
  while (*self->at != end && count < 64) {
    osdear__field *field = &out->fields[count++];
    field->name = take_name(self, separators);
    self->at++;
    parse_type(self, &field->type);
    if (take(self, "!"))
      field->nullable = false;
    take(self, ",");
  }
  out->field_count = count;
  self->at += *self->at != '\0';
}

static void parse_type(type_text *self, osdear__type *out)
{
  size_t length;

  if (take(self, "struct<")) {
    parse_fields(self, ':', '>', out);
  } else if (take(self, "array<")) {
    new_fields(self, out, KIND_ARRAY, 1)->name = "element";
    parse_type(self, &out->fields[0].type);
    take(self, ">");
  } else if (take(self, "map<")) {
    new_fields(self, out, KIND_MAP, 2)->name = "key";
    out->fields[0].nullable = false;
    out->fields[1].name = "value";
    parse_type(self, &out->fields[0].type);
    take(self, ",");
    parse_type(self, &out->fields[1].type);
    take(self, ">");
  } else {
    take(self, "");
    length = osdear__starts_with(self->at, "decimal(") ? strcspn(self->at, ")") + 1 : strcspn(self->at, ",!> ");
    cr_assert(osdear__type_parse((osdear__str){ self->at, length }, out), "no type: %s", self->at);
    self->at += length;
  }
}

const osdear__type *lake_type(lake *self, const char *text)
{
  type_text parser = { self, text };
  osdear__type *type = osdear__arena_zeroed(&self->arena, 1, sizeof *type);

  parse_fields(&parser, ' ', '\0', type);
  return type;
}

/* ---- rows ---- */

static void put_value(lake *self, osdear__builder *builder, const osdear__type *type, const osdear__json *value);

static void put_scalar(osdear__builder *builder, const osdear__type *type, const osdear__json *value)
{
  osdear__scalar scalar;
  osdear__str text = value->kind == JSON_IS_BOOL ? osdear__str_of(value->truth ? "true" : "false") : value->text;
  osdear__type as = *type;

  if (text.size == 0) { /* partition values know no empty text, rows do */
    OK(osdear__builder_bytes(builder, STR(""), WHY));
    return;
  }
  OK(osdear__partition_parse(&as, text, false, NULL, &scalar, WHY));
  OK(osdear__builder_scalar(builder, &scalar, WHY));
}

static void put_struct(lake *self, osdear__builder *builder, const osdear__type *type, const osdear__json *value)
{
  for (size_t i = 0; i < type->field_count; i++)
    put_value(self, osdear__builder_child(builder, i), &type->fields[i].type, osdear__json_get(value, type->fields[i].name));
}

static void put_value(lake *self, osdear__builder *builder, const osdear__type *type, const osdear__json *value)
{
  if (!value || value->kind == JSON_IS_NULL) {
    OK(osdear__builder_null(builder, WHY));
    return;
  }
  if (type->kind == KIND_STRUCT) {
    put_struct(self, builder, type, value);
  } else if (type->kind == KIND_ARRAY) {
    for (size_t i = 0; i < value->count; i++)
      put_value(self, osdear__builder_child(builder, 0), &type->fields[0].type, &value->items[i]);
  } else if (type->kind == KIND_MAP) {
    for (size_t i = 0; i < value->count; i++) {
      osdear__json key = { .kind = JSON_IS_STRING, .text = value->keys[i] };
      put_value(self, osdear__builder_child(builder, 0), &type->fields[0].type, &key);
      put_value(self, osdear__builder_child(builder, 1), &type->fields[1].type, &value->items[i]);
    }
  } else {
    put_scalar(builder, type, value);
    return;
  }
  OK(osdear__builder_close(builder, WHY));
}

/* A stream of the one batch. */
typedef struct one_batch {
  struct ArrowArray batch;
} one_batch;

static osdear_status next_batch(void *state, struct ArrowArray *out, osdear_error **error)
{
  one_batch *self = state;

  (void)error;
  *out = self->batch;
  self->batch.release = NULL;
  return OSDEAR_OK;
}

static void close_batch(void *state)
{
  one_batch *self = state;

  osdear__array_drop(&self->batch);
  osdear__free(self);
}

void lake_rows(lake *self, const osdear__type *type, const char *json, struct ArrowArrayStream *out)
{
  AUTO(builder) builder = NULL;
  one_batch *state = osdear__alloc_zeroed(1, sizeof *state);
  osdear__json *rows = NULL;

  OK(osdear__json_read(osdear__str_of(json), "rows", &self->arena, &rows, WHY));
  OK(osdear__builder_new(type, &builder, WHY));
  for (size_t i = 0; i < rows->count; i++)
    put_value(self, builder, type, &rows->items[i]);
  OK(osdear__builder_finish(builder, &state->batch, WHY));
  OK(osdear__stream_export(type, next_batch, close_batch, state, out, WHY));
}

/* ---- tables ---- */

static size_t split(lake *self, const char *text, char separator, const char **out)
{
  const char separators[] = { separator, '\0' };
  size_t count = 0;

  while (text && *text) {
    size_t length = strcspn(text, separators);
    out[count++] = osdear__arena_strndup(&self->arena, text, length);
    text += length;
    text += *text == separator;
  }
  return count;
}

osdear_status lake_create(lake *self, const char *type, const char *partition_by, const char *properties, osdear_table **out,
                          osdear_error **error)
{
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  const char *columns[16], *texts[32];
  osdear_pair pairs[32];
  struct ArrowSchema schema = { 0 };
  osdear_status st;

  options.partition_columns = columns;
  options.partition_count = split(self, partition_by, ',', columns);
  options.properties = pairs;
  options.property_count = split(self, properties, ';', texts);
  for (size_t i = 0; i < options.property_count; i++) {
    char *equals = (char *)(intptr_t)strchr(texts[i], '=');
    *equals = '\0';
    pairs[i] = (osdear_pair){ texts[i], equals + 1 };
  }
  st = osdear__schema_export(lake_type(self, type), &schema, error);
  if (!st)
    st = osdear_table_create(self->context, self->folder, &schema, &options, out, error);
  osdear__schema_drop(&schema);
  return st;
}

static const osdear__type *type_of(lake *self, osdear_table *table)
{
  osdear_snapshot *snapshot = osdear_table_snapshot(table);
  osdear__type *type = osdear__arena_zeroed(&self->arena, 1, sizeof *type);

  OK(osdear__type_copy(&snapshot->metadata.schema, &self->arena, type, WHY));
  osdear_snapshot_unref(snapshot);
  return type;
}

osdear_status lake_append(lake *self, osdear_table *table, const char *json, const osdear_write_options *options,
                          osdear_write_result *result, osdear_error **error)
{
  struct ArrowArrayStream rows;

  lake_rows(self, type_of(self, table), json, &rows);
  return osdear_table_append(table, &rows, options, result, error);
}

osdear_status lake_overwrite(lake *self, osdear_table *table, const char *json, const osdear_write_options *options,
                             osdear_write_result *result, osdear_error **error)
{
  struct ArrowArrayStream rows;

  lake_rows(self, type_of(self, table), json, &rows);
  return osdear_table_overwrite(table, &rows, options, result, error);
}

/* ---- looks ---- */

const char *lake_text(lake *self, const char *path)
{
  SCOPED(buf) text = { 0 };

  if (osdear__store_get(self->store, path, 1 << 24, &text, NULL))
    return "";
  return osdear__arena_strndup(&self->arena, text.data, text.size);
}

const char *lake_commit(lake *self, int64_t version)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_commit_path(version, path);
  return lake_text(self, path);
}

static osdear_status count_data(void *argument, const osdear__store_item *item, osdear_error **error)
{
  int *count = argument;

  (void)error;
  *count += !osdear__starts_with(item->path, "_delta_log/");
  return OSDEAR_OK;
}

int lake_data_files(lake *self)
{
  int count = 0;

  OK(osdear__store_list(self->store, "", NULL, true, count_data, &count, WHY));
  return count;
}

int lake_count(const char *text, const char *part)
{
  int count = 0;

  for (const char *at = strstr(text, part); at; at = strstr(at + 1, part))
    count++;
  return count;
}

static void print_value(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out);

static void print_list(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  const int32_t *offsets = array->buffers[1];
  bool first = true;

  osdear__buf_putc(out, type->kind == KIND_MAP ? '{' : '[');
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    osdear__json_put_comma(out, &first);
    if (type->kind == KIND_MAP) {
      print_value(&type->fields[0].type, array->children[0]->children[0], i, out);
      osdear__buf_putc(out, ':');
      print_value(&type->fields[1].type, array->children[0]->children[1], i, out);
    } else {
      print_value(&type->fields[0].type, array->children[0], i, out);
    }
  }
  osdear__buf_putc(out, type->kind == KIND_MAP ? '}' : ']');
}

static void print_value(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  SCOPED(buf) text = { 0 };
  osdear__scalar value;
  bool first = true, is_null;

  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    osdear__buf_puts(out, "null");
  } else if (type->kind == KIND_STRUCT) {
    osdear__buf_putc(out, '{');
    for (size_t i = 0; i < type->field_count; i++) {
      osdear__json_put_key(out, &first, type->fields[i].name);
      print_value(&type->fields[i].type, array->children[i], row, out);
    }
    osdear__buf_putc(out, '}');
  } else if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
    print_list(type, array, row, out);
  } else {
    osdear__scalar_at(type, array, row, &value);
    osdear__partition_print(type, &value, &text, &is_null);
    if (type->kind == KIND_BOOLEAN || (type->kind >= KIND_BYTE && type->kind <= KIND_LONG))
      osdear__buf_append(out, text.data, text.size);
    else
      osdear__json_put_string(out, (osdear__str){ text.data ? text.data : "", text.size });
  }
}

static int compare_lines(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *lake_read(lake *self)
{
  return lake_read_where(self, NULL);
}

const char *lake_read_where(lake *self, const char *where)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  AUTO(reader) reader = NULL;
  SCOPED(buf) all = { 0 };
  struct ArrowArrayStream stream = { 0 };
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  const char **lines = osdear__arena_zeroed(&self->arena, 10000, sizeof *lines);
  size_t count = 0;

  OK(osdear_snapshot_open(self->context, self->folder, NULL, &snapshot, WHY));
  options.where = where;
  OK(osdear_scan_new(snapshot, &options, &scan, WHY));
  OK(osdear_scan_stream(scan, &stream, WHY));
  OK(osdear__reader_new(&stream, &reader, WHY));
  for (;;) {
    struct ArrowArray batch = { 0 };
    OK(osdear__reader_next(reader, &batch, WHY));
    if (!batch.release)
      break;
    for (int64_t row = 0; row < batch.length; row++) {
      SCOPED(buf) line = { 0 };
      print_value(osdear__reader_type(reader), &batch, row, &line);
      cr_assert(count < 10000);
      lines[count++] = osdear__arena_strdup(&self->arena, line.data);
    }
    osdear__array_drop(&batch);
  }
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  qsort(lines, count, sizeof *lines, compare_lines);
  for (size_t i = 0; i < count; i++)
    osdear__buf_printf(&all, "%s\n", lines[i]);
  return osdear__arena_strdup(&self->arena, all.data ? all.data : "");
}
