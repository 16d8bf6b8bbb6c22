#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

fixture fixture_open(const char *name)
{
  fixture f = { .name = name };
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;

  options.threads = 1;
  snprintf(f.uri, sizeof f.uri, "memory://%s", name);
  cr_assert_eq(osdear_context_new(&options, &f.context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__store_open(f.context, f.uri, NULL, 0, &f.store, NULL), OSDEAR_OK);
  return f;
}

void fixture_close(fixture *f)
{
  osdear__store_unref(f->store);
  osdear_context_unref(f->context);
  osdear__memory_store_forget(f->name);
}

void fixture_put(fixture *f, const char *path, const char *text)
{
  cr_assert_eq(osdear__store_put(f->store, path, text, strlen(text), NULL), OSDEAR_OK);
}

void fixture_commit(fixture *f, int64_t version, const char *lines)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_commit_path(version, path);
  fixture_put(f, path, lines);
}

/* ---- Parquet out of JSON ---- */

static void put_json(osdear__builder *builder, const osdear__type *type, const osdear__json *value);

static void put_container(osdear__builder *builder, const osdear__type *type, const osdear__json *value)
{
  for (size_t i = 0; i < value->count && type->kind == KIND_ARRAY; i++)
    put_json(osdear__builder_child(builder, 0), &type->fields[0].type, &value->items[i]);
  for (size_t i = 0; i < value->count && type->kind == KIND_MAP; i++) {
    cr_assert_eq(osdear__builder_bytes(osdear__builder_child(builder, 0), value->keys[i], NULL), OSDEAR_OK);
    put_json(osdear__builder_child(builder, 1), &type->fields[1].type, &value->items[i]);
  }
  for (size_t i = 0; i < type->field_count && type->kind == KIND_STRUCT; i++)
    put_json(osdear__builder_child(builder, i), &type->fields[i].type, osdear__json_get(value, type->fields[i].name));
  cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
}

static void put_json(osdear__builder *builder, const osdear__type *type, const osdear__json *value)
{
  osdear__int128 decimal;
  osdear_status st = OSDEAR_OK;

  if (!value || value->kind == JSON_IS_NULL)
    st = osdear__builder_null(builder, NULL);
  else if (value->kind == JSON_IS_OBJECT || value->kind == JSON_IS_ARRAY)
    put_container(builder, type, value);
  else if (value->kind == JSON_IS_BOOL)
    st = osdear__builder_i64(builder, value->truth, NULL);
  else if (value->kind == JSON_IS_STRING)
    st = osdear__builder_bytes(builder, value->text, NULL);
  else if (type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE)
    st = osdear__builder_f64(builder, strtod(value->text.data, NULL), NULL);
  else if (type->kind == KIND_DECIMAL && osdear__parse_decimal(value->text, type->precision, type->scale, &decimal))
    st = osdear__builder_decimal(builder, decimal, NULL);
  else
    st = osdear__builder_i64(builder, strtoll(value->text.data, NULL, 10), NULL);
  cr_assert_eq(st, OSDEAR_OK);
}

static void write_parquet(fixture *f, const char *path, const osdear__type *type, const struct ArrowArray *batch,
                          int64_t group_rows)
{
  osdear__parquet_write options = { .codec = CODEC_NONE, .row_group_rows = group_rows };
  AUTO(output) output = NULL;
  AUTO(parquet_writer) writer = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__store_create(f->store, path, &output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_writer_new(f->context, output, type, &options, &writer, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  cr_assert_eq(osdear__parquet_writer_add(writer, batch, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(osdear__parquet_writer_finish(writer, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(output->finish(output, NULL), OSDEAR_OK);
}

void fixture_parquet(fixture *f, const char *path, const char *fields, const char *rows, int64_t group_rows)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) schema = { 0 };
  SCOPED(array) batch = { 0 };
  AUTO(builder) builder = NULL;
  osdear__json *json = NULL;
  osdear__type type;
  osdear_error *error = NULL;
  osdear_status forgotten;

  osdear__buf_printf(&schema, "{\"type\":\"struct\",\"fields\":%s}", fields);
  cr_assert_eq(osdear__delta_schema_parse(schema.data, &arena, &type, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(osdear__json_read(osdear__str_of(rows), "rows", &arena, &json, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  for (size_t i = 0; i < json->count; i++)
    put_json(builder, &type, &json->items[i]);
  cr_assert_eq(osdear__builder_finish(builder, &batch, NULL), OSDEAR_OK);
  forgotten = osdear__store_delete(f->store, path, NULL); /* a test may replace a file */
  cr_assert(forgotten == OSDEAR_OK || forgotten == OSDEAR_ERR_NOT_FOUND);
  write_parquet(f, path, &type, &batch, group_rows);
}

void fixture_checkpoint(fixture *f, int64_t version, const char *rows)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_checkpoint_path(version, path);
  fixture_parquet(f, path, CHECKPOINT_FIELDS, rows, 0);
}

/* ---- snapshots ---- */

osdear_snapshot *fixture_load(fixture *f, int64_t version)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;
  osdear_error *error = NULL;

  options.version = version;
  cr_assert_eq(osdear__snapshot_load(f->context, f->store, &options, NULL, &snapshot, &error), OSDEAR_OK, "%s",
               osdear_error_message(error));
  return snapshot;
}

void fixture_refuse(fixture *f, int64_t version, osdear_status status, const char *words)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;
  osdear_error *error = NULL;
  osdear_status st;

  options.version = version;
  st = osdear__snapshot_load(f->context, f->store, &options, NULL, &snapshot, &error);
  cr_assert_eq(st, status, "%s: %s", osdear_status_name(st), osdear_error_message(error));
  cr_assert_null(snapshot);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "`%s` is not in: %s", words, osdear_error_message(error));
  osdear_error_free(error);
}

static int compare_texts(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

char *fixture_files(osdear_snapshot *snapshot, const char *where, unsigned want)
{
  SCOPED(arena) arena = { 0 };
  AUTO(file_iterator) files = NULL;
  osdear__buf out = { 0 };
  osdear__expr *expr = NULL;
  osdear_error *error = NULL;
  const osdear__file *file = NULL;
  char *paths[256];
  size_t count = 0;

  if (where)
    cr_assert_eq(osdear__expr_new(where, &snapshot->metadata.schema, &arena, &expr, &error), OSDEAR_OK, "%s",
                 osdear_error_message(error));
  cr_assert_eq(osdear__file_iterator_open(snapshot, expr, want, &files, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  do {
    cr_assert_eq(osdear__file_iterator_next(files, &file, &error), OSDEAR_OK, "%s", osdear_error_message(error));
    if (file)
      paths[count++] = osdear__arena_strndup(&arena, file->path.data, file->path.size);
    cr_assert_lt(count, COUNT_OF(paths));
  } while (file);
  qsort(paths, count, sizeof(char *), compare_texts);
  osdear__buf_puts(&out, "");
  for (size_t i = 0; i < count; i++)
    osdear__buf_printf(&out, "%s%s", i ? " " : "", paths[i]);
  return osdear__buf_take(&out);
}
