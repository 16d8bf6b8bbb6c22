#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

osdear_context *test_context(void)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;

  options.threads = 1;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  return context;
}

/* ---- files ---- */

static void add_path(files *all, int descriptor)
{
  cr_assert_lt(all->count, MOST_FILES);
  snprintf(all->texts[all->count], sizeof all->texts[0], "/proc/self/fd/%d", descriptor);
  all->paths[all->count] = all->texts[all->count];
  all->count++;
}

static void write_all(int descriptor, const char *bytes, size_t size)
{
  while (size) {
    ssize_t count = write(descriptor, bytes, size);
    cr_assert_gt(count, 0);
    bytes += count;
    size -= (size_t)count;
  }
}

void files_add(files *all, const void *bytes, size_t size)
{
  int descriptor = memfd_create("file", MFD_CLOEXEC);

  cr_assert_geq(descriptor, 0);
  write_all(descriptor, bytes, size);
  all->descriptors[all->descriptor_count++] = descriptor;
  add_path(all, descriptor);
}

void files_add_pipe(files *all, const void *bytes, size_t size)
{
  int ends[2];

  cr_assert_eq(pipe(ends), 0);
  write_all(ends[1], bytes, size);
  close(ends[1]);
  all->descriptors[all->descriptor_count++] = ends[0];
  add_path(all, ends[0]);
}

void files_drop(files *all)
{
  while (all->descriptor_count)
    close(all->descriptors[--all->descriptor_count]);
  all->count = 0;
}

/* ---- sinks ---- */

int32_t output_write(void *argument, const void *data, size_t size)
{
  output *out = argument;

  if (out->size + size + 1 > out->room) {
    out->room = (out->size + size + 1) * 2;
    out->data = realloc(out->data, out->room);
    cr_assert_not_null(out->data);
  }
  memcpy(out->data + out->size, data, size);
  out->size += size;
  out->data[out->size] = '\0';
  return 0;
}

void output_drop(output *out)
{
  free(out->data);
  *out = (output){ 0 };
}

osdear_status sink_text(const char *text, const osdear_source_options *source_options, const char *format,
                        const osdear_sink_options *options, output *out, osdear_error **error)
{
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  files all = { 0 };
  osdear_status st;

  output_write(out, "", 0);
  files_add(&all, text, strlen(text));
  st = osdear_source_open(context, all.paths, all.count, source_options, &source, error);
  if (!st) {
    SCOPED(stream) stream = { 0 };
    st = osdear_source_stream(source, &stream, error);
    if (!st)
      st = osdear_sink_write(context, &stream, format, options, output_write, out, &out->rows, error);
  }
  osdear_source_free(source);
  osdear_context_unref(context);
  files_drop(&all);
  return st;
}

void expect_output(const char *text, const char *format, const osdear_sink_options *options, const char *wanted)
{
  output out = { 0 };
  osdear_error *error = NULL;
  osdear_status st = sink_text(text, NULL, format, options, &out, &error);

  cr_expect_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_expect_str_eq(out.data, wanted);
  osdear_error_free(error);
  output_drop(&out);
}

/* ---- sources ---- */

static char *print_types(const osdear_source *source)
{
  struct ArrowSchema schema = { 0 };
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) text = { 0 };
  osdear__type type;

  cr_assert_eq(osdear_source_schema(source, &schema, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__schema_import(&schema, &arena, &type, NULL), OSDEAR_OK);
  for (size_t i = 0; i < type.field_count; i++) {
    osdear__buf_printf(&text, "%s%s ", i ? ", " : "", type.fields[i].name);
    osdear__type_name(&type.fields[i].type, &text);
  }
  schema.release(&schema);
  return strdup(text.data);
}

static void read_stream(osdear_context *context, osdear_source *source, outcome *result, osdear_error **error)
{
  SCOPED(stream) stream = { 0 };
  output out = { 0 };

  output_write(&out, "", 0);
  result->report = strdup(osdear_source_report(source));
  result->types = print_types(source);
  result->status = osdear_source_stream(source, &stream, error);
  if (!result->status)
    result->status = osdear_sink_write(context, &stream, "jsonl", NULL, output_write, &out, NULL, error);
  if (!result->status)
    result->rows = strdup(out.data);
  output_drop(&out);
}

outcome read_files(files *all, const osdear_source_options *options)
{
  outcome result = { 0 };
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  osdear_error *error = NULL;

  result.status = osdear_source_open(context, all->paths, all->count, options, &source, &error);
  if (!result.status)
    read_stream(context, source, &result, &error);
  result.message = strdup(osdear_error_message(error));
  if (!result.rows)
    result.rows = strdup("");
  osdear_error_free(error);
  osdear_source_free(source);
  osdear_context_unref(context);
  files_drop(all);
  return result;
}

outcome read_text(const char *text, const osdear_source_options *options)
{
  files all = { 0 };

  files_add(&all, text, strlen(text));
  return read_files(&all, options);
}

void outcome_drop(outcome *result)
{
  free(result->rows);
  free(result->message);
  free(result->report);
  free(result->types);
}

void expect_rows(const char *text, const osdear_source_options *options, const char *rows)
{
  outcome result = read_text(text, options);

  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, rows, "%s", result.message);
  outcome_drop(&result);
}

void expect_failure(const char *text, const osdear_source_options *options, osdear_status status, const char *words)
{
  outcome result = read_text(text, options);

  cr_expect_eq(result.status, status, "%d instead of %d: %s", result.status, status, result.message);
  cr_expect_not_null(strstr(result.message, words), "\"%s\" lacks \"%s\"", result.message, words);
  outcome_drop(&result);
}

void expect_types(const char *text, const osdear_source_options *options, const char *types)
{
  outcome result = read_text(text, options);

  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  if (result.types)
    cr_expect_str_eq(result.types, types);
  outcome_drop(&result);
}
