#include "fixture.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

static osdear_source_options defaults(void)
{
  return (osdear_source_options)OSDEAR_SOURCE_OPTIONS_INIT;
}

/* ---- records ---- */

Test(csv, rows_end_in_lf_crlf_or_cr)
{
  const char *rows = "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n";

  expect_rows("a,b\n1,x\n2,y\n", NULL, rows);
  expect_rows("a,b\r\n1,x\r\n2,y\r\n", NULL, rows);
  expect_rows("a,b\r1,x\r2,y\r", NULL, rows);
  expect_rows("a\r\n1\r\n2\r\n", NULL, "{\"a\":1}\n{\"a\":2}\n");
}

Test(csv, the_last_line_may_lack_its_end)
{
  expect_rows("a,b\n1,x", NULL, "{\"a\":1,\"b\":\"x\"}\n");
  expect_rows("a,b\n1,", NULL, "{\"a\":1,\"b\":null}\n");
  expect_rows("a,b\n1,\"x\"", NULL, "{\"a\":1,\"b\":\"x\"}\n");
}

Test(csv, empty_lines_are_skipped)
{
  expect_rows("\n\na,b\n\n1,x\n\r\n2,y\n\n\n", NULL, "{\"a\":1,\"b\":\"x\"}\n{\"a\":2,\"b\":\"y\"}\n");
  expect_rows("a\n1\n\n2\n", NULL, "{\"a\":1}\n{\"a\":2}\n");
}

Test(csv, quotes_hold_delimiters_lines_and_doubled_quotes)
{
  expect_rows("a,b\n1,\"x,\"\"y\"\"\nz\"\n2,\"\"\"\"\n", NULL, "{\"a\":1,\"b\":\"x,\\\"y\\\"\\nz\"}\n{\"a\":2,\"b\":\"\\\"\"}\n");
}

Test(csv, a_quote_inside_of_a_field_is_that_character)
{
  expect_rows("a,b\n1,5\" pipe\n", NULL, "{\"a\":1,\"b\":\"5\\\" pipe\"}\n");
}

Test(csv, an_empty_quoted_text_is_no_null)
{
  expect_rows("a,b\n1,\"\"\n2,\n3,x\n", NULL, "{\"a\":1,\"b\":\"\"}\n{\"a\":2,\"b\":null}\n{\"a\":3,\"b\":\"x\"}\n");
  expect_rows("a,b\n1,\"NA\"\n2,NA\n3,x\n", NULL, "{\"a\":1,\"b\":\"NA\"}\n{\"a\":2,\"b\":null}\n{\"a\":3,\"b\":\"x\"}\n");
}

Test(csv, a_quoted_null_among_numbers_is_null)
{
  expect_rows("\"a\",\"b\"\n\"1\",\"x\"\n\"\",\"y\"\n\"NA\",\"z\"\n", NULL,
              "{\"a\":1,\"b\":\"x\"}\n{\"a\":null,\"b\":\"y\"}\n{\"a\":null,\"b\":\"z\"}\n");
}

Test(csv, ragged_rows_are_refused_with_their_line)
{
  expect_failure("a,b\n1,x\n2\n", NULL, OSDEAR_ERR_CORRUPT, "line 3: 1 fields where 2 were expected");
  expect_failure("a,b\n1,x\n2,y,z\n", NULL, OSDEAR_ERR_CORRUPT, "line 3: 3 fields where 2 were expected");
  expect_failure("a,b\n\"1\n1\",x\n2\n", NULL, OSDEAR_ERR_CORRUPT, "line 4");
}

Test(csv, quotes_that_do_not_close_are_refused_with_their_line)
{
  expect_failure("a,b\n1,x\n2,\"y\n3,z\n", NULL, OSDEAR_ERR_CORRUPT, "line 3: a quote opens here and is never closed");
  expect_failure("a,b\n1,\"x\"y\n", NULL, OSDEAR_ERR_CORRUPT, "line 2: text after a closing quote");
}

Test(csv, blanks_after_a_closing_quote_are_skipped)
{
  expect_rows("a,b\n\"x\" ,1\n\"y\",2\n", NULL, "{\"a\":\"x\",\"b\":1}\n{\"a\":\"y\",\"b\":2}\n");
}

Test(csv, a_field_past_the_ceiling_is_refused)
{
  size_t size = ((size_t)16 << 20) + 100;
  char *text = malloc(size + 20);

  memset(text, 'x', size + 19);
  memcpy(text, "a,b\n1,", 6);
  text[size + 19] = '\0';
  expect_failure(text, NULL, OSDEAR_ERR_LIMIT, "16 MiB");
  free(text);
}

Test(csv, fields_as_long_as_windows_are_read_whole)
{
  const size_t size = (size_t)5 << 20;
  char *text = malloc(size + 20);
  outcome result;

  memset(text, 'x', size);
  memcpy(text, "a,b\n1,", 6);
  memcpy(text + size, "\n2,y\n", 6);
  result = read_text(text, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_eq(strlen(result.rows), size - 6 + strlen("{\"a\":1,\"b\":\"\"}\n{\"a\":2,\"b\":\"y\"}\n"));
  outcome_drop(&result);
  free(text);
}

/* Rows of many lengths, so that the window's and the blocks' ends fall everywhere. */
Test(csv, rows_across_all_borders_are_whole)
{
  SCOPED(buf) text = { 0 };
  SCOPED(buf) rows = { 0 };
  outcome result;

  osdear__buf_puts(&text, "n,t,u\n");
  for (int i = 0; i < 60000; i++) {
    int width = i % 97;
    osdear__buf_printf(&text, "%d,%.*s,\"%.*s\"\"\"\r\n", i, width,
                       "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw",
                       width % 13, "0123456789012");
    osdear__buf_printf(&rows, "{\"n\":%d,\"t\":", i);
    if (width)
      osdear__buf_printf(&rows, "\"%.*s\"", width,
                         "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvw");
    else
      osdear__buf_puts(&rows, "null");
    osdear__buf_printf(&rows, ",\"u\":\"%.*s\\\"\"}\n", width % 13, "0123456789012");
  }
  result = read_text(text.data, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect(strcmp(result.rows, rows.data) == 0);
  outcome_drop(&result);
}

Test(csv, many_columns_are_read_and_too_many_refused)
{
  SCOPED(buf) text = { 0 };
  outcome result;

  for (int i = 0; i < 65536; i++)
    osdear__buf_printf(&text, "%sc%d", i ? "," : "", i);
  osdear__buf_putc(&text, '\n');
  for (int i = 0; i < 65536; i++)
    osdear__buf_printf(&text, "%s%d", i ? "," : "", i % 7);
  osdear__buf_putc(&text, '\n');
  result = read_text(text.data, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_not_null(strstr(result.rows, "\"c65535\":1}"));
  outcome_drop(&result);
  osdear__buf_clear(&text);
  for (int i = 0; i < 65537; i++)
    osdear__buf_printf(&text, "%sc%d", i ? "," : "", i);
  expect_failure(text.data, NULL, OSDEAR_ERR_LIMIT, "65536");
}

/* ---- what kind of file ---- */

Test(csv, the_delimiter_is_found)
{
  expect_rows("a;b\n1;x,y\n2;z,\n", NULL, "{\"a\":1,\"b\":\"x,y\"}\n{\"a\":2,\"b\":\"z,\"}\n");
  expect_rows("a\tb\n1\tx\n", NULL, "{\"a\":1,\"b\":\"x\"}\n");
  expect_rows("a|b\n1|x\n", NULL, "{\"a\":1,\"b\":\"x\"}\n");
}

Test(csv, the_delimiter_and_the_quote_can_be_given)
{
  osdear_source_options options = defaults();

  options.delimiter = ':';
  options.quote = '\'';
  expect_rows("a:b\n1:'x:y'\n", &options, "{\"a\":1,\"b\":\"x:y\"}\n");
  options.quote = ':';
  expect_failure("a:b\n", &options, OSDEAR_ERR_ARGUMENT, "delimiter");
}

Test(csv, a_header_is_found_by_what_stands_below)
{
  expect_types("1,x\n2,y\n", NULL, "column_1 long, column_2 string");
  expect_types("id,x\n2,y\n", NULL, "id long, x string");
  expect_types("name,city\nBob,Rome\n", NULL, "name string, city string");
  expect_types(",name\n0,Bob\n1,Ann\n", NULL, "column_1 long, name string");
}

Test(csv, a_header_can_be_said_to_be_there_or_not)
{
  osdear_source_options options = defaults();

  options.header = 0;
  expect_rows("a,b\n1,x\n", &options, "{\"column_1\":\"a\",\"column_2\":\"b\"}\n{\"column_1\":\"1\",\"column_2\":\"x\"}\n");
  options.header = 1;
  expect_rows("1,2\n3,4\n", &options, "{\"1\":3,\"2\":4}\n");
}

Test(csv, a_header_alone_is_a_table_without_rows)
{
  expect_rows("a,b\n", NULL, "");
  expect_types("a,b\n", NULL, "a string, b string");
}

Test(csv, names_that_stand_twice_or_are_missing_get_numbers)
{
  expect_types("a,A,a,\n1,2,3,4\n", NULL, "a long, A_2 long, a_3 long, column_4 long");
}

Test(csv, an_empty_file_is_refused)
{
  expect_failure("", NULL, OSDEAR_ERR_CORRUPT, "no record");
  expect_failure("\n\n", NULL, OSDEAR_ERR_CORRUPT, "no record");
}

/* ---- values ---- */

Test(csv, types_that_were_given_win)
{
  const osdear_pair types[] = { { "a", "decimal(5,2)" }, { "B", "string" }, { "c", "timestamp" }, { "d", "binary" },
                                { "e", "byte" },         { "f", "float" },  { "g", "boolean" } };
  osdear_source_options options = defaults();

  options.types = types;
  options.type_count = COUNT_OF(types);
  expect_rows(
      "a,b,c,d,e,f,g\n1.5,007,2024-01-02,00ff,-128,0.1,Y\n,,,,,,\n", &options,
      "{\"a\":\"1.50\",\"b\":\"007\",\"c\":\"2024-01-02T00:00:00.000000Z\",\"d\":\"00ff\",\"e\":-128,\"f\":0.10000000149011612,"
      "\"g\":true}\n{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null,\"f\":null,\"g\":null}\n");
}

Test(csv, types_for_columns_that_are_not_there_are_refused)
{
  const osdear_pair missing = { "x", "long" }, unknown = { "a", "wide" }, nested = { "a", "array" };
  osdear_source_options options = defaults();

  options.types = &missing;
  options.type_count = 1;
  expect_failure("a\n1\n", &options, OSDEAR_ERR_ARGUMENT, "column x");
  options.types = &unknown;
  expect_failure("a\n1\n", &options, OSDEAR_ERR_ARGUMENT, "\"wide\"");
  options.types = &nested;
  expect_failure("a\n1\n", &options, OSDEAR_ERR_ARGUMENT, "\"array\"");
}

Test(csv, a_value_that_does_not_fit_names_its_place_and_the_remedy)
{
  osdear_source_options options = defaults();

  options.infer_rows = 2;
  expect_failure("a,b\n1,x\n2,y\nabc,z\n", &options, OSDEAR_ERR_DATA,
                 "line 4, column a: \"abc\" is no long; give the type with --type a=string");
}

Test(csv, values_past_a_type_s_range_do_not_fit)
{
  const char *const types[] = { "byte", "short", "int", "float", "decimal(3,1)", "date", "timestamp_ntz", "boolean", "binary" };
  const char *const texts[] = { "128",   "-32769", "2147483648", "1e300", "100.0", "2023-02-29", "2024-01-01 00:00:00Z",
                                "maybe", "abc" };

  for (size_t i = 0; i < COUNT_OF(types); i++) {
    osdear_pair pair = { "a", types[i] };
    osdear_source_options options = defaults();
    char text[64];
    options.types = &pair;
    options.type_count = 1;
    snprintf(text, sizeof text, "a,b\n%s,x\n", texts[i]);
    expect_failure(text, &options, OSDEAR_ERR_DATA, "column a");
  }
}

Test(csv, blanks_around_numbers_are_no_matter)
{
  expect_rows("a,b\n 1 , 2.5\n2,\t3\n", NULL, "{\"a\":1,\"b\":2.5}\n{\"a\":2,\"b\":3.0}\n");
}

Test(csv, null_texts_can_be_given)
{
  const char *const nulls[] = { "-", "n.a." };
  osdear_source_options options = defaults();

  options.nulls = nulls;
  options.null_count = 2;
  expect_rows("a,b\n1,\n-,n.a.\n", &options, "{\"a\":1,\"b\":\"\"}\n{\"a\":null,\"b\":null}\n");
}

Test(csv, text_that_is_not_utf8_names_its_place)
{
  expect_failure("a,b\n1,x\n2,caf\xe9\n", NULL, OSDEAR_ERR_CORRUPT, "line 3, column b: the text is not UTF-8");
  expect_failure("a,caf\xe9\n1,x\n", NULL, OSDEAR_ERR_CORRUPT, "the name of column 2 is not UTF-8");
}

/* ---- several files, batches, schemas ---- */

Test(csv, files_are_joined_by_the_names_of_their_columns)
{
  files all = { 0 };
  outcome result;

  files_add(&all, "a,b\n1,x\n", 8);
  files_add(&all, "B,c\ny,2.5\n", 10);
  files_add(&all, "", 0);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.types, "a long, b string, c double");
  cr_expect_str_eq(result.rows, "{\"a\":1,\"b\":\"x\",\"c\":null}\n{\"a\":null,\"b\":\"y\",\"c\":2.5}\n");
  outcome_drop(&result);
}

Test(csv, batches_have_no_more_rows_than_asked_for)
{
  osdear_source_options options = defaults();
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  SCOPED(stream) stream = { 0 };
  files all = { 0 };
  int64_t rows = 0;

  options.batch_rows = 2;
  files_add(&all, "a\n1\n2\n3\n", 8);
  cr_assert_eq(osdear_source_open(context, all.paths, 1, &options, &source, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_source_stream(source, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_source_stream(source, &stream, NULL), OSDEAR_ERR_STATE);
  osdear_source_free(source); /* the stream lives on */
  for (;;) {
    struct ArrowArray batch = { 0 };
    cr_assert_eq(stream.get_next(&stream, &batch), 0);
    if (!batch.release)
      break;
    cr_expect_leq(batch.length, 2);
    rows += batch.length;
    batch.release(&batch);
  }
  cr_expect_eq(rows, 3);
  files_drop(&all);
  osdear_context_unref(context);
}

static osdear_source_options with_schema(struct ArrowSchema *schema, osdear__field *fields, size_t count)
{
  osdear__type type = { .kind = KIND_STRUCT, .field_count = count, .fields = fields };
  osdear_source_options options = defaults();

  cr_assert_eq(osdear__schema_export(&type, schema, NULL), OSDEAR_OK);
  options.schema = schema;
  return options;
}

Test(csv, a_schema_that_was_given_is_not_inferred)
{
  osdear__field fields[] = { { .name = "id", .field_id = -1, .type = { .kind = KIND_STRING } },
                             { .name = "n", .field_id = -1, .type = { .kind = KIND_SHORT } } };
  SCOPED(schema) schema = { 0 };
  osdear_source_options options = with_schema(&schema, fields, 2);

  expect_rows("n,ID\n1,2\n", &options, "{\"id\":\"2\",\"n\":1}\n");
  expect_rows("n\n1\n", &options, "{\"id\":null,\"n\":1}\n");
  expect_rows("7,8\n", &options, "{\"id\":\"7\",\"n\":8}\n");
  expect_failure("n,x\n1,2\n", &options, OSDEAR_ERR_DATA, "column x is not in the schema");
}

Test(csv, a_schema_with_nested_columns_is_refused)
{
  osdear__field element = { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } };
  osdear__field fields[] = {
    { .name = "a", .field_id = -1, .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &element } }
  };
  SCOPED(schema) schema = { 0 };
  osdear_source_options options = with_schema(&schema, fields, 1);

  options.format = "csv";
  expect_failure("a\n1\n", &options, OSDEAR_ERR_ARGUMENT, "column a");
}
