#include "fixture.h"

#include <criterion/criterion.h>

/* The type found for a column of these values, one a line. */
static void expect_type(const char *values, const char *type)
{
  SCOPED(buf) text = { 0 };
  SCOPED(buf) wanted = { 0 };
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.header = 1;
  options.format = "csv";
  options.delimiter = ';';
  osdear__buf_printf(&text, "x\n%s\n", values);
  osdear__buf_printf(&wanted, "x %s", type);
  expect_types(text.data, &options, wanted.data);
}

Test(infer, whole_numbers_are_long)
{
  expect_type("1\n-5\n0", "long");
  expect_type("9223372036854775807\n-9223372036854775808", "long");
}

Test(infer, numbers_whose_digits_matter_stay_text)
{
  expect_type("007\n8", "string");
  expect_type("9223372036854775808", "string");
  expect_type("12345678901234567890123", "string");
  expect_type("+49301234\n5", "string");
  expect_type("01.5\n2", "string");
}

Test(infer, fractions_and_exponents_are_double)
{
  expect_type("1\n2.5", "double");
  expect_type(".5\n1.\n-1e5\n2E-3", "double");
  expect_type("-0\n1", "double");
  expect_type("1.5\nNaN\n-inf", "double");
  expect_type("12345678901234567890123\n0.5", "double");
}

Test(infer, words_for_numbers_are_no_numbers_alone)
{
  expect_type("NaN\ninf", "string");
}

Test(infer, almost_numbers_are_text)
{
  expect_type("1e\n2", "string");
  expect_type("1.2.3", "string");
  expect_type("-\n1", "string");
  expect_type(".", "string");
  expect_type("1 2", "string");
  expect_type("0x1f", "string");
}

Test(infer, booleans_are_words)
{
  expect_type("true\nFalse\nTRUE", "boolean");
  expect_type("true\n1", "string");
}

Test(infer, dates_and_times)
{
  expect_type("2024-02-29\n1999-12-31", "date");
  expect_type("2023-02-29", "string");
  expect_type("2024-01-01 10:00:00\n2024-01-01T10:00", "timestamp_ntz");
  expect_type("2024-01-01T10:00:00Z\n2024-01-01 10:00:00.5+02:00", "timestamp");
  expect_type("2024-01-01\n2024-01-01 10:00:00", "timestamp_ntz");
  expect_type("2024-01-01\n2024-01-01 10:00:00Z", "timestamp");
  expect_type("2024-01-01 10:00:00\n2024-01-01 10:00:00Z", "string");
  expect_type("2024-1-1", "string");
}

Test(infer, nulls_alone_are_text)
{
  expect_type("NA\nNULL", "string");
}

Test(infer, the_report_says_why)
{
  outcome result = read_text("a;b;c\n1;x;2\nNA;y;z\n3;;4\n", NULL);

  cr_assert_eq(result.status, OSDEAR_OK, "%s", result.message);
  cr_expect_str_eq(
      result.report,
      "format: csv\n"
      "delimiter: ; (fits the first records best)\n"
      "encoding: utf-8\n"
      "header: yes (the first record is text above values that are not)\n"
      "a long: 2 of 2 values looked at are whole numbers; 1 null (NA)\n"
      "b string: 2 of 2 values looked at are text; 1 null (empty)\n"
      "c string: 2 of 3 values looked at are whole numbers (first \"2\", line 2), 1 are text (first \"z\", line 3)\n");
  outcome_drop(&result);
}

Test(infer, only_so_many_rows_are_looked_at)
{
  osdear_source_options options = OSDEAR_SOURCE_OPTIONS_INIT;

  options.infer_rows = 2;
  expect_types("a,b\n1,x\n2,y\n3,z\n", &options, "a long, b string");
  expect_failure("a,b\n1,x\n2,y\nq,z\n", &options, OSDEAR_ERR_DATA, "line 4");
  options.infer_rows = -1;
  expect_types("a,b\n1,x\n2,y\nq,z\n", &options, "a string, b string");
}
