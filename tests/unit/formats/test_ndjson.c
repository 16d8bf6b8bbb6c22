#include "fixture.h"

#include <criterion/criterion.h>

Test(ndjson, objects_are_rows)
{
  const char *text = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":null}\n";

  expect_rows(text, NULL, text);
  expect_types(text, NULL, "a long, b string");
}

Test(ndjson, members_may_be_missing_come_late_and_change_places)
{
  expect_rows("{\"a\":1}\n\n{\"c\":true,\"a\":2}\n{}\n", NULL,
              "{\"a\":1,\"c\":null}\n{\"a\":2,\"c\":true}\n{\"a\":null,\"c\":null}\n");
}

Test(ndjson, objects_and_arrays_nest)
{
  const char *text =
      "{\"s\":{\"x\":1,\"t\":[{\"y\":\"2024-01-02\"},{\"y\":null}]},\"l\":[[1,2],[],null]}\n{\"s\":null,\"l\":null}\n";

  expect_types(text, NULL, "s struct<x:long,t:array<struct<y:date>>>, l array<array<long>>");
  expect_rows(text, NULL, text);
}

Test(ndjson, numbers_widen_and_other_mixtures_become_text)
{
  expect_rows(
      "{\"a\":1,\"b\":1,\"c\":\"x\"}\n{\"a\":2.5,\"b\":\"q\",\"c\":{\"k\":[1,true,null,\"\\n\"]}}\n{\"a\":3,\"b\":true,\"c\":[]}\n",
      NULL,
      "{\"a\":1.0,\"b\":\"1\",\"c\":\"x\"}\n"
      "{\"a\":2.5,\"b\":\"q\",\"c\":\"{\\\"k\\\":[1,true,null,\\\"\\\\n\\\"]}\"}\n"
      "{\"a\":3.0,\"b\":\"true\",\"c\":\"[]\"}\n");
}

Test(ndjson, what_has_no_members_is_kept_as_text)
{
  expect_rows("{\"a\":{},\"b\":[]}\n", NULL, "{\"a\":\"{}\",\"b\":[]}\n");
  expect_types("{\"a\":{},\"b\":[]}\n", NULL, "a string, b array<string>");
}

Test(ndjson, strings_are_times_only_if_all_are)
{
  expect_types(
      "{\"a\":\"2024-01-02T03:04:05Z\",\"b\":\"2024-01-02\",\"c\":\"12\"}\n{\"a\":\"2024-01-02T03:04:05.1+01:00\",\"b\":\"x\"}\n",
      NULL, "a timestamp, b string, c string");
}

Test(ndjson, types_that_were_given_win)
{
  const osdear_pair types[] = { { "a", "decimal(6,2)" }, { "b", "string" }, { "c", "int" } };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.types = types;
  options.type_count = 3;
  expect_rows("{\"a\":1.5,\"b\":{\"x\":1},\"c\":\"7\"}\n", &options, "{\"a\":\"1.50\",\"b\":\"{\\\"x\\\":1}\",\"c\":7}\n");
}

Test(ndjson, what_is_no_object_is_refused_with_its_line)
{
  expect_failure("{\"a\":1}\n[1]\n", NULL, OSDEAR_ERR_CORRUPT, "line 2");
  expect_failure("{\"a\":1}\n{\"a\":}\n", NULL, OSDEAR_ERR_CORRUPT, "line 2");
  expect_failure("{\"a\":1\n", NULL, OSDEAR_ERR_CORRUPT, "");
}

Test(ndjson, later_values_that_do_not_fit_name_their_place)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.infer_rows = 1;
  expect_failure("{\"a\":1}\n{\"a\":\"x\"}\n", &options, OSDEAR_ERR_DATA, "column a: \"x\" is no long");
  expect_failure("{\"a\":{\"b\":1}}\n{\"a\":{\"b\":[]}}\n", &options, OSDEAR_ERR_DATA, "column a.b: \"[…]\" is no long");
  expect_failure("{\"a\":1}\n{\"z\":1}\n", &options, OSDEAR_ERR_DATA, "\"z\" comes here for the first time");
  expect_failure("{\"a\":[1]}\n{\"a\":3}\n", &options, OSDEAR_ERR_DATA, "is no array");
}

Test(ndjson, a_key_that_stands_twice_is_refused)
{
  expect_failure("{\"a\":1,\"a\":2}\n", NULL, OSDEAR_ERR_DATA, "stands twice");
}

Test(ndjson, depth_is_bounded)
{
  SCOPED(buf) text = { 0 };

  osdear__buf_puts(&text, "{\"a\":");
  for (int i = 0; i < 300; i++)
    osdear__buf_putc(&text, '[');
  for (int i = 0; i < 300; i++)
    osdear__buf_putc(&text, ']');
  osdear__buf_puts(&text, "}\n");
  {
    outcome result = read_text(text.data, NULL);
    cr_expect_neq(result.status, OSDEAR_OK);
    outcome_drop(&result);
  }
}

Test(ndjson, a_schema_can_have_maps)
{
  osdear__field pair[] = { { .name = "key", .field_id = -1, .type = { .kind = KIND_STRING } },
                           { .name = "value", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } } };
  osdear__field fields[] = { { .name = "M", .field_id = -1, .type = { .kind = KIND_MAP, .field_count = 2, .fields = pair } } };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = 1, .fields = fields };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  SCOPED(schema) schema = { 0 };

  cr_assert_eq(osdear__schema_export(&type, &schema, NULL), OSDEAR_OK);
  options.schema = &schema;
  expect_rows("{\"m\":{\"b\":1,\"a\":null}}\n{\"M\":[[\"c\",3]]}\n{}\n", &options,
              "{\"M\":[[\"a\",null],[\"b\",1]]}\n{\"M\":[[\"c\",3]]}\n{\"M\":null}\n");
  expect_failure("{\"m\":[[\"c\"]]}\n", &options, OSDEAR_ERR_DATA, "a pair of a map");
  expect_failure("{\"m\":[1]}\n", &options, OSDEAR_ERR_DATA, "a map is an object");
  expect_failure("{\"x\":1}\n", &options, OSDEAR_ERR_DATA, "not in the schema");
}

Test(ndjson, lines_longer_than_the_buffer_are_read_whole)
{
  SCOPED(buf) text = { 0 };

  for (int i = 0; i < 3; i++) {
    osdear__buf_puts(&text, "{\"a\":\"");
    for (int j = 0; j < 400000; j++)
      osdear__buf_putc(&text, 'x');
    osdear__buf_puts(&text, "\"}\n");
  }
  expect_rows(text.data, NULL, text.data);
}
