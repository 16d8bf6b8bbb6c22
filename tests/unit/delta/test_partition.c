#include "lake.h"

#include <math.h>

static osdear__scalar parse(osdear__type type, const char *text)
{
  osdear__scalar value;

  OK(osdear__partition_parse(&type, osdear__str_of(text), false, NULL, &value, WHY));
  return value;
}

/* From text to a value and back: to what this library writes. */
static void expect(osdear__type type, const char *text, const char *wanted)
{
  SCOPED(buf) out = { 0 };
  osdear__scalar value = parse(type, text);
  bool is_null;

  osdear__partition_print(&type, &value, &out, &is_null);
  cr_assert(!is_null);
  cr_assert_str_eq(out.data, wanted, "%s: %s", text, out.data);
}

static osdear__type of(osdear__kind kind)
{
  return (osdear__type){ .kind = kind, .precision = 12, .scale = 3 };
}

Test(partition, values_of_every_type_come_back)
{
  expect(of(KIND_BOOLEAN), "true", "true");
  expect(of(KIND_BOOLEAN), "FALSE", "false");
  expect(of(KIND_BYTE), "-128", "-128");
  expect(of(KIND_SHORT), "32767", "32767");
  expect(of(KIND_INTEGER), "-2147483648", "-2147483648");
  expect(of(KIND_LONG), "9223372036854775807", "9223372036854775807");
  expect(of(KIND_FLOAT), "-1.0E30", "-1e+30");
  expect(of(KIND_FLOAT), "0.1", "0.1");
  expect(of(KIND_DOUBLE), "Infinity", "Infinity");
  expect(of(KIND_DOUBLE), "NaN", "NaN");
  expect(of(KIND_DECIMAL), "-123456789.123", "-123456789.123");
  expect(of(KIND_DECIMAL), "0", "0.000");
  expect(of(KIND_DATE), "0001-01-01", "0001-01-01");
  expect(of(KIND_STRING), " a\xc3\xa9", " a\xc3\xa9");
  expect(of(KIND_BINARY), "\xc3\xa9z", "\xc3\xa9z");
}

Test(partition, timestamps_are_read_in_both_spellings_and_written_in_utc)
{
  expect(of(KIND_TIMESTAMP), "2024-02-29 12:34:56.789012", "2024-02-29T12:34:56.789012Z");
  expect(of(KIND_TIMESTAMP), "2024-02-29T12:34:56Z", "2024-02-29T12:34:56.000000Z");
  expect(of(KIND_TIMESTAMP), "2024-02-29T12:34:56+02:00", "2024-02-29T10:34:56.000000Z");
  expect(of(KIND_TIMESTAMP_NTZ), "1960-01-01 00:00:00.1", "1960-01-01 00:00:00.100000");
}

Test(partition, nothing_is_null_whatever_the_type)
{
  static const osdear__kind kinds[] = {
    KIND_BOOLEAN, KIND_INTEGER, KIND_DOUBLE, KIND_DECIMAL, KIND_DATE, KIND_STRING, KIND_BINARY
  };

  for (size_t i = 0; i < COUNT_OF(kinds); i++) {
    osdear__type type = of(kinds[i]);
    osdear__scalar value;
    cr_assert(parse(type, "").is_null);
    OK(osdear__partition_parse(&type, STR("7"), true, NULL, &value, WHY));
    cr_assert(value.is_null);
  }
}

Test(partition, empty_text_is_written_as_null)
{
  osdear__type type = of(KIND_STRING);
  osdear__scalar value = { .kind = KIND_STRING, .bytes = STR("") };
  SCOPED(buf) out = { 0 };
  bool is_null = false;

  osdear__partition_print(&type, &value, &out, &is_null);
  cr_assert(is_null);
  cr_assert_eq(out.size, 0);
}

Test(partition, text_is_read_as_spark_casts_it)
{
  expect(of(KIND_BOOLEAN), " T ", "true");
  expect(of(KIND_BOOLEAN), "no", "false");
  expect(of(KIND_INTEGER), " 5", "5");
  expect(of(KIND_INTEGER), "\t+5\n", "5");
  expect(of(KIND_INTEGER), "-5.9", "-5");
  expect(of(KIND_LONG), "5.", "5");
  expect(of(KIND_DOUBLE), " 1.5d ", "1.5");
  expect(of(KIND_FLOAT), "1F", "1.0");
  expect(of(KIND_DECIMAL), " 1.5 ", "1.500");
  expect(of(KIND_DATE), " 2020-01-02T03:04:05", "2020-01-02");
  expect(of(KIND_DATE), "2020-01-02 junk", "2020-01-02");
  expect(of(KIND_TIMESTAMP_NTZ), " 2020-01-02 03:04:05 ", "2020-01-02 03:04:05.000000");
  cr_assert(osdear__str_is(parse(of(KIND_STRING), " x ").bytes, " x "));
}

Test(partition, refuses_text_that_is_no_such_value)
{
  static const struct {
    osdear__kind kind;
    const char *text;
  } bad[] = {
    { KIND_BOOLEAN, "maybe" },
    { KIND_BYTE, "128" },
    { KIND_SHORT, "-32769" },
    { KIND_INTEGER, "2147483648" },
    { KIND_LONG, "9223372036854775808" },
    { KIND_LONG, "1.x" },
    { KIND_LONG, "1.0.0" },
    { KIND_LONG, "." },
    { KIND_INTEGER, "  " },
    { KIND_DOUBLE, "f" },
    { KIND_DOUBLE, "1,5" },
    { KIND_DECIMAL, "1.2345" },
    { KIND_DATE, "T2024-01-01" },
    { KIND_DECIMAL, "1234567890" },
    { KIND_DATE, "2024-02-30" },
    { KIND_DATE, "today" },
    { KIND_TIMESTAMP, "2024-01-01T25:00:00Z" },
  };

  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    osdear__type type = of(bad[i].kind);
    osdear__scalar value;
    FAILS(osdear__partition_parse(&type, osdear__str_of(bad[i].text), false, NULL, &value, WHY), OSDEAR_ERR_CORRUPT, bad[i].text);
  }
}

static void expect_folder(const char *column, const char *value, bool is_null, const char *wanted)
{
  SCOPED(buf) out = { 0 };

  osdear__partition_path(osdear__str_of(column), osdear__str_of(value), is_null, &out);
  cr_assert_str_eq(out.data, wanted);
}

Test(partition, folders_are_escaped_as_hive_does)
{
  expect_folder("p", "a b", false, "p=a b/");
  expect_folder("p", "", false, "p=__HIVE_DEFAULT_PARTITION__/");
  expect_folder("p", "x", true, "p=__HIVE_DEFAULT_PARTITION__/");
  expect_folder("a=b", "\"#%'*/:=?\\{[]^\x01\x7f", false, "a%3Db=%22%23%25%27%2A%2F%3A%3D%3F%5C%7B%5B%5D%5E%01%7F/");
  expect_folder("p", "..", false, "p=../");
  expect_folder("p", "\xc3\xa9}~!$&(),;<>@`|+-", false, "p=\xc3\xa9}~!$&(),;<>@`|+-/");
}
