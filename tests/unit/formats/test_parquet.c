#include "fixture.h"

#include <criterion/criterion.h>

/* Rows as a Parquet file among `all`. */
static void add_parquet(files *all, const char *text, const osdear_source_options *options)
{
  output out = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(sink_text(text, options, "parquet", NULL, &out, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  files_add(all, out.data, out.size);
  output_drop(&out);
}

Test(parquet, rows_come_back_as_they_were)
{
  const char *rows = "{\"a\":1,\"s\":{\"x\":[1.5,null]},\"t\":\"2024-01-02\"}\n{\"a\":null,\"s\":null,\"t\":null}\n";
  files all = { 0 };
  outcome result;

  add_parquet(&all, rows, NULL);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, rows);
  cr_expect_str_eq(result.report, "format: parquet, 2 rows\n"
                                  "a long: as the files say\n"
                                  "s struct<x:array<double>>: as the files say\n"
                                  "t date: as the files say\n");
  outcome_drop(&result);
}

Test(parquet, files_are_joined_by_name_under_the_wider_type)
{
  const osdear_pair narrow = { "a", "int" };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  files all = { 0 };
  outcome result;

  options.types = &narrow;
  options.type_count = 1;
  add_parquet(&all, "{\"a\":1,\"b\":\"x\"}\n", &options);
  add_parquet(&all, "{\"c\":true,\"a\":5000000000}\n", NULL);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, "{\"a\":1,\"b\":\"x\",\"c\":null}\n{\"a\":5000000000,\"b\":null,\"c\":true}\n");
  outcome_drop(&result);
}

Test(parquet, types_that_cannot_be_joined_are_named)
{
  files all = { 0 };
  outcome result;

  add_parquet(&all, "{\"a\":1}\n", NULL);
  add_parquet(&all, "{\"a\":\"x\"}\n", NULL);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_ERR_DATA);
  cr_expect_not_null(strstr(result.message, "column a: string here, but long"), "%s", result.message);
  outcome_drop(&result);
}

Test(parquet, types_asked_for_must_keep_every_value)
{
  osdear_pair type = { "a", "decimal(20,0)" };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  files all = { 0 };
  outcome result;

  options.types = &type;
  options.type_count = 1;
  add_parquet(&all, "{\"a\":1}\n", NULL);
  result = read_files(&all, &options);
  cr_expect_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(result.rows, "{\"a\":\"1\"}\n");
  outcome_drop(&result);
  type.value = "date";
  add_parquet(&all, "{\"a\":1}\n", NULL);
  result = read_files(&all, &options);
  cr_expect_eq(result.status, OSDEAR_ERR_ARGUMENT, "%s", result.message);
  outcome_drop(&result);
}

Test(parquet, a_pipe_or_a_cut_file_is_refused)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;
  files all = { 0 };
  outcome result;

  options.format = "parquet";
  files_add_pipe(&all, "PAR1", 4);
  result = read_files(&all, &options);
  cr_expect_eq(result.status, OSDEAR_ERR_UNSUPPORTED);
  cr_expect_not_null(strstr(result.message, "save it to a file"), "%s", result.message);
  outcome_drop(&result);
  files_add(&all, "PAR1", 4);
  result = read_files(&all, NULL);
  cr_expect_eq(result.status, OSDEAR_ERR_CORRUPT, "%s", result.message);
  outcome_drop(&result);
}
