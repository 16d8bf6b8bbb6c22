#include "fixture.h"

#include <criterion/criterion.h>
#include <errno.h>

static osdear_sink_options defaults(void)
{
  return (osdear_sink_options)OSDEAR_SINK_OPTIONS_INIT;
}

/* ---- csv ---- */

Test(sink, csv_quotes_what_needs_it)
{
  expect_output("{\"a\":1,\"b\":\"x,\\\"y\\\"\"}\n{\"a\":null,\"b\":\"\"}\n{\"a\":3,\"b\":null}\n{\"a\":4,\"b\":\"l\\r\"}\n",
                "csv", NULL, "a,b\n1,\"x,\"\"y\"\"\"\n,\"\"\n3,\n4,\"l\r\"\n");
}

Test(sink, csv_comes_back_as_it_was)
{
  const char *rows =
      "{\"a\":1,\"b\":\"x,\\n\\\"y\",\"c\":\"2024-01-02\"}\n{\"a\":null,\"b\":\"\",\"c\":null}\n{\"a\":3,\"b\":null,\"c\":null}\n";
  output out = { 0 };

  cr_assert_eq(sink_text(rows, NULL, "csv", NULL, &out, NULL), OSDEAR_OK);
  cr_expect_eq(out.rows, 3);
  expect_rows(out.data, NULL, rows);
  output_drop(&out);
}

Test(sink, csv_takes_its_options)
{
  osdear_sink_options options = defaults();

  options.header = 0;
  options.delimiter = ';';
  options.null_text = "NA";
  expect_output("{\"a\":1,\"b\":\"x;y\"}\n{\"a\":null,\"b\":\"NA\"}\n", "csv", &options, "1;\"x;y\"\nNA;\"NA\"\n");
}

Test(sink, csv_quotes_numbers_that_have_the_delimiter)
{
  osdear_sink_options options = defaults();

  options.delimiter = '.';
  expect_output("{\"a\":1.5,\"b\":2}\n", "csv", &options, "a.b\n\"1.5\".2\n");
}

Test(sink, csv_of_one_column_has_no_empty_line)
{
  expect_output("{\"a\":1}\n{\"a\":null}\n", "csv", NULL, "a\n1\n\"\"\n");
}

Test(sink, csv_has_nested_values_as_json)
{
  expect_output("{\"a\":{\"x\":[1,null]}}\n", "csv", NULL, "a\n\"{\"\"x\"\":[1,null]}\"\n");
}

/* ---- table ---- */

Test(sink, tables_align_numbers_right_and_count_the_rest)
{
  osdear_sink_options options = defaults();

  options.max_rows = 2;
  expect_output("n,name\n1,Ann\n200,\n3,x\n4,y\n", "table", &options,
                "  n  name\n"
                "───  ────\n"
                "  1  Ann\n"
                "200  NULL\n"
                "… 2 more rows\n");
}

Test(sink, tables_without_rows_have_names)
{
  expect_output("a,b\n", "table", NULL, "a  b\n─  ─\n");
}

Test(sink, tables_know_wide_and_combining_characters)
{
  expect_output("{\"a\":\"日本\",\"b\":\"x\"}\n{\"a\":\"e\xcc\x81\",\"b\":\"y\"}\n", "table", NULL,
                "a     b\n"
                "────  ─\n"
                "日本  x\n"
                "e\xcc\x81     y\n");
}

Test(sink, tables_show_control_characters)
{
  expect_output("{\"a\":\"x\\ny\\u001b[31m\"}\n", "table", NULL, "a\n────────────\nx\\ny\\x1b[31m\n");
}

Test(sink, tables_cut_text_before_leaving_columns_out)
{
  osdear_sink_options options = defaults();
  const char *text = "{\"a\":\"abcdefghijklmnopqrstuvwxyz\",\"n\":123456789,\"z\":1}\n";

  options.max_width = 30;
  expect_output(text, "table", &options,
                "a                         n  z\n"
                "────────────────  ─────────  ─\n"
                "abcdefghijklmno…  123456789  1\n");
  options.max_width = 25;
  expect_output(text, "table", &options,
                "a                       n\n"
                "──────────────  ─────────\n"
                "abcdefghijklm…  123456789\n"
                "… 1 more column: z\n");
}

/* ---- the rest ---- */

Test(sink, wrong_calls_release_the_stream)
{
  osdear_context *context = test_context();
  osdear_source *source = NULL;
  struct ArrowArrayStream stream = { 0 };
  files all = { 0 };
  output out = { 0 };

  files_add(&all, "a\n1\n", 4);
  cr_assert_eq(osdear_source_open(context, all.paths, 1, NULL, &source, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_source_stream(source, &stream, NULL), OSDEAR_OK);
  cr_expect_eq(osdear_sink_write(context, &stream, "xml", NULL, output_write, &out, NULL, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_null(stream.release);
  cr_expect_eq(osdear_sink_write(context, &stream, "csv", NULL, output_write, &out, NULL, NULL), OSDEAR_ERR_ARGUMENT);
  cr_expect_eq(osdear_sink_write(context, NULL, "csv", NULL, output_write, &out, NULL, NULL), OSDEAR_ERR_ARGUMENT);
  osdear_source_free(source);
  osdear_context_unref(context);
  files_drop(&all);
  output_drop(&out);
}

static int32_t full(void *argument, const void *data, size_t size)
{
  (void)argument, (void)data, (void)size;
  return ENOSPC;
}

Test(sink, a_refused_write_ends_every_format)
{
  static const char *const formats[] = { "jsonl", "csv", "table", "arrow", "parquet" };

  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    osdear_context *context = test_context();
    osdear_source *source = NULL;
    struct ArrowArrayStream stream = { 0 };
    files all = { 0 };

    files_add(&all, "a\n1\n", 4);
    cr_assert_eq(osdear_source_open(context, all.paths, 1, NULL, &source, NULL), OSDEAR_OK);
    cr_assert_eq(osdear_source_stream(source, &stream, NULL), OSDEAR_OK);
    cr_expect_eq(osdear_sink_write(context, &stream, formats[i], NULL, full, NULL, NULL, NULL), OSDEAR_ERR_IO, "%s", formats[i]);
    cr_expect_null(stream.release);
    osdear_source_free(source);
    osdear_context_unref(context);
    files_drop(&all);
  }
}
