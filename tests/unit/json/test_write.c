#include <json/json.h>

#include <criterion/criterion.h>
#include <math.h>

static void expect_string(osdear__str text, const char *json)
{
  SCOPED(buf) out = { 0 };

  osdear__json_put_string(&out, text);
  cr_assert_str_eq(out.data, json);
}

Test(json_write, strings_are_escaped_as_little_as_json_asks)
{
  expect_string(STR(""), "\"\"");
  expect_string(STR("a\"b\\c/\xc3\xa9"), "\"a\\\"b\\\\c/\xc3\xa9\"");
  expect_string(STR("\b\t\n\f\r\x01\x1f\0z\x7f"), "\"\\b\\t\\n\\f\\r\\u0001\\u001f\\u0000z\x7f\"");
}

Test(json_write, bytes_that_are_not_utf8_become_the_replacement_character)
{
  expect_string(STR("a\xff\xc3\xa9\xed\xa0\x80\n"), "\"a\xef\xbf\xbd\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\\n\"");
  expect_string(STR("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
}

Test(json_write, numbers_that_json_lacks_are_strings)
{
  SCOPED(buf) out = { 0 };
  bool first = true;

  osdear__buf_putc(&out, '{');
  osdear__json_put_key(&out, &first, "a");
  osdear__json_put_i64(&out, INT64_MIN);
  osdear__json_put_key(&out, &first, "b");
  osdear__json_put_f64(&out, 0.1);
  osdear__json_put_key(&out, &first, "c");
  osdear__json_put_f64(&out, (double)NAN);
  osdear__json_put_key(&out, &first, "d");
  osdear__json_put_f64(&out, -(double)INFINITY);
  osdear__buf_putc(&out, '}');
  cr_assert_str_eq(out.data, "{\"a\":-9223372036854775808,\"b\":0.1,\"c\":\"NaN\",\"d\":\"-Infinity\"}");
}
