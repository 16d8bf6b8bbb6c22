#include "bodies.h"

#include <criterion/criterion.h>

static osdear_status parse_schema(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowSchema schema = { 0 };
  osdear_status status =
      osdear_schema_parse("id BIGINT NOT NULL, m MAP<STRING, ARRAY<STRUCT<a: INT, b: DECIMAL(10,2)>>>", &schema, error);

  (void)fixture;
  cr_assert_eq(status == OSDEAR_OK, schema.release != NULL);
  if (schema.release)
    schema.release(&schema);
  return status;
}
BODY(osdear_schema_parse, .run = parse_schema)

static osdear_status print_schema(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowSchema schema;
  char *text = NULL;
  osdear_status status;

  (void)fixture;
  rows_schema(&schema);
  status = osdear_schema_print(&schema, &text, error);
  schema.release(&schema);
  cr_assert_eq(status == OSDEAR_OK, text != NULL);
  osdear_text_free(text);
  return status;
}
BODY(osdear_schema_print, .run = print_schema)

static osdear_status parse_timestamp(fault_fixture *fixture, osdear_error **error)
{
  int64_t at = 0;

  (void)fixture;
  return osdear_timestamp_parse("2024-01-31T12:00:00.5+02:00", &at, error);
}
BODY(osdear_timestamp_parse, .run = parse_timestamp)

static osdear_status new_stream(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream rows;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowSchema schema;
  struct ArrowArray batch;
  osdear_status status;

  (void)fixture;
  rows_schema(&schema);
  rows_stream(0, 9, 9, &rows);
  cr_assert_eq(rows.get_next(&rows, &batch), 0);
  rows.release(&rows);
  status = osdear_stream_new(&schema, &batch, 1, &stream, error);
  cr_assert_null(schema.release, "the schema was not taken over");
  cr_assert_null(batch.release, "the batch was not taken over");
  return status == OSDEAR_OK ? drain(&stream, 9, error) : status;
}
BODY(osdear_stream_new, .run = new_stream)
