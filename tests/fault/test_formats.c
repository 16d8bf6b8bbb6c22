#include "bodies.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

static void prepare_file(fault_fixture *fixture)
{
  FILE *file = fopen(fixture->file, "w");

  prepare_context(fixture);
  cr_assert_not_null(file);
  for (int i = 0; i < 20; i++)
    fprintf(file, i == 0 ? "id;name;at\n" : "%d;\"name %d\";2024-01-%02d 10:00:00\n", i, i, i);
  cr_assert_eq(fclose(file), 0);
}

static osdear_status open_source(fault_fixture *fixture, osdear_source **out, osdear_error **error)
{
  const char *uri = fixture->file;

  return osdear_source_open(fixture->context, &uri, 1, NULL, out, error);
}

static osdear_status source_open(fault_fixture *fixture, osdear_error **error)
{
  osdear_source *source = NULL;
  osdear_status status = open_source(fixture, &source, error);

  cr_assert_eq(status == OSDEAR_OK, source != NULL);
  osdear_source_free(source);
  return status;
}
BODY(osdear_source_open, .prepare = prepare_file, .run = source_open)

static void prepare_source(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_file(fixture);
  cr_assert_eq(open_source(fixture, &fixture->source, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

static osdear_status source_schema(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowSchema schema = { 0 };
  osdear_status status = osdear_source_schema(fixture->source, &schema, error);

  cr_assert_eq(status == OSDEAR_OK, schema.release != NULL);
  if (schema.release)
    schema.release(&schema);
  return status;
}
BODY(osdear_source_schema, .prepare = prepare_source, .run = source_schema)

static osdear_status source_stream(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream stream = { 0 };
  osdear_status status = osdear_source_stream(fixture->source, &stream, error);

  cr_assert_eq(status == OSDEAR_OK, stream.release != NULL);
  return status == OSDEAR_OK ? drain(&stream, 19, error) : status;
}
BODY(osdear_source_stream, .prepare = prepare_source, .run = source_stream, .changes_state = 1)

static int32_t count_bytes(void *argument, const void *data, size_t size)
{
  size_t *bytes = argument;

  (void)data;
  *bytes += size;
  return 0;
}

static osdear_status write_all_formats(fault_fixture *fixture, osdear_error **error)
{
  static const char *const formats[] = { "jsonl", "csv", "parquet", "arrow", "table" };
  osdear_status status = OSDEAR_OK;

  for (size_t i = 0; i < sizeof formats / sizeof *formats && status == OSDEAR_OK; i++) {
    struct ArrowArrayStream rows;
    size_t bytes = 0;
    int64_t count = 0;

    rows_stream(0, 9, 5, &rows);
    status = osdear_sink_write(fixture->context, &rows, formats[i], NULL, count_bytes, &bytes, &count, error);
    cr_assert_null(rows.release, "the rows were not consumed");
    cr_assert(status != OSDEAR_OK || (count == 9 && bytes > 0), "%s: %lld rows", formats[i], (long long)count);
  }
  return status;
}
BODY(osdear_sink_write, .prepare = prepare_context, .run = write_all_formats)

static int32_t refuse(void *argument, const void *data, size_t size)
{
  (void)argument;
  (void)data;
  (void)size;
  return ENOSPC;
}

Test(fault, a_sink_that_takes_no_more_ends_the_call_with_an_io_error)
{
  struct ArrowArrayStream rows;
  osdear_context *context = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear_context_new(NULL, &context, NULL), OSDEAR_OK);
  rows_stream(0, 9, 5, &rows);
  cr_assert_eq(osdear_sink_write(context, &rows, "csv", NULL, refuse, NULL, NULL, &error), OSDEAR_ERR_IO);
  cr_assert_null(rows.release);
  osdear_error_free(error);
  osdear_context_unref(context);
}
