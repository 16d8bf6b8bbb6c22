#include <base/base.h>

#include <criterion/criterion.h>
#include <float.h>
#include <locale.h>
#include <math.h>

static void reads_back(double value, const char *text)
{
  char out[32];
  double back;
  size_t size = osdear__format_f64(value, out);

  cr_assert_str_eq(out, text);
  cr_assert(osdear__parse_f64((osdear__str){ out, size }, &back) && back == value);
}

Test(number, doubles_are_written_in_the_shortest_text_that_reads_back)
{
  reads_back(0.1, "0.1");
  reads_back(1, "1.0");
  reads_back(-0.0, "-0.0");
  reads_back(1e300, "1e+300");
  reads_back(123456789012345.0, "123456789012345.0");
  reads_back(5e-324, "5e-324");
  reads_back(9007199254740993.0, "9007199254740992.0");
  reads_back(12345678901234568.0, "1.2345678901234568e+16");
  reads_back(1e-5, "1e-05");
  reads_back(DBL_MAX, "1.7976931348623157e+308");
}

Test(number, a_comma_in_the_locale_changes_nothing)
{
  double value;

  if (!setlocale(LC_ALL, "de_DE.UTF-8"))
    setlocale(LC_ALL, "C.UTF-8");
  reads_back(0.30000000000000004, "0.30000000000000004");
  cr_assert(osdear__parse_f64(STR("123456789.123456789123"), &value));
  cr_assert_eq(value, 123456789.123456789123);
}

Test(number, integers_are_exact_up_to_their_bounds)
{
  int64_t value;

  cr_assert(osdear__parse_i64(STR("-9223372036854775808"), &value) && value == INT64_MIN);
  cr_assert(osdear__parse_i64(STR("+9223372036854775807"), &value) && value == INT64_MAX);
  cr_assert_not(osdear__parse_i64(STR("9223372036854775808"), &value));
  cr_assert_not(osdear__parse_i64(STR("-9223372036854775809"), &value));
  cr_assert_not(osdear__parse_i64(STR(""), &value));
  cr_assert_not(osdear__parse_i64(STR("-"), &value));
  cr_assert_not(osdear__parse_i64(STR("1 "), &value));
}

Test(number, text_that_is_no_number_is_refused)
{
  double value;

  cr_assert_not(osdear__parse_f64(STR("1e"), &value));
  cr_assert_not(osdear__parse_f64(STR("."), &value));
  cr_assert_not(osdear__parse_f64(STR("0x10"), &value));
  cr_assert_not(osdear__parse_f64(STR("12345678901234567890123x"), &value));
  cr_assert(osdear__parse_f64(STR("-inf"), &value) && isinf(value) && value < 0);
  cr_assert(osdear__parse_f64(STR("NaN"), &value) && isnan(value));
}

Test(decimal, digits_are_kept_or_refused_never_rounded)
{
  osdear__int128 value;
  char out[OSDEAR__DECIMAL_TEXT];

  cr_assert(osdear__parse_decimal(STR("-12.30"), 5, 2, &value) && value == -1230);
  cr_assert(osdear__parse_decimal(STR("1.2e3"), 6, 2, &value) && value == 120000);
  cr_assert(osdear__parse_decimal(STR("12.3000"), 5, 2, &value) && value == 1230);
  cr_assert_not(osdear__parse_decimal(STR("12.345"), 5, 2, &value), "a digit would be lost");
  cr_assert_not(osdear__parse_decimal(STR("1000"), 5, 2, &value), "six digits in five");
  cr_assert(osdear__parse_decimal(STR("99999999999999999999999999999999999999"), 38, 0, &value));
  cr_assert_eq(osdear__format_decimal(value, 38, out), 40);
  cr_assert_str_eq(out, "0.99999999999999999999999999999999999999");
  cr_assert_not(osdear__parse_decimal(STR("100000000000000000000000000000000000000"), 38, 0, &value));
  osdear__format_decimal(-5, 2, out);
  cr_assert_str_eq(out, "-0.05");
  osdear__format_decimal(0, 0, out);
  cr_assert_str_eq(out, "0");
}

Test(decimal, an_exponent_cannot_make_it_work_for_ever)
{
  osdear__int128 value;

  cr_assert_not(osdear__parse_decimal(STR("1e9999"), 38, 0, &value));
  cr_assert_not(osdear__parse_decimal(STR("1e99999999999"), 38, 0, &value));
  cr_assert(osdear__parse_decimal(STR("0e9999"), 38, 0, &value) && value == 0);
}

Test(civil, days_and_dates_agree_over_ten_thousand_years)
{
  int64_t days = osdear__days_of(-4000, 1, 1);

  cr_assert_eq(osdear__days_of(1970, 1, 1), 0);
  cr_assert_eq(osdear__days_of(2000, 3, 1), 11017);
  for (; days < osdear__days_of(6000, 1, 1); days += 13) {
    int64_t year;
    int32_t month, day;
    osdear__civil_of(days, &year, &month, &day);
    cr_assert_eq(osdear__days_of(year, month, day), days);
  }
}

Test(civil, dates_that_are_not_in_the_calendar_are_refused)
{
  int32_t days;

  cr_assert(osdear__parse_date(STR("2024-02-29"), &days));
  cr_assert_not(osdear__parse_date(STR("2023-02-29"), &days));
  cr_assert_not(osdear__parse_date(STR("2023-13-01"), &days));
  cr_assert_not(osdear__parse_date(STR("2023-1-01"), &days));
  cr_assert_not(osdear__parse_date(STR("2023-01-01x"), &days));
  cr_assert_not(osdear__parse_date(STR(""), &days));
}

Test(civil, timestamps_are_read_in_every_form_and_written_in_one)
{
  char out[OSDEAR__TIME_TEXT];
  bool has_zone;
  int64_t us;

  cr_assert(osdear__parse_timestamp(STR("2024-01-02 03:04:05.678901"), &us, &has_zone));
  cr_assert_not(has_zone);
  osdear__format_timestamp(us, 'T', "Z", out);
  cr_assert_str_eq(out, "2024-01-02T03:04:05.678901Z");
  cr_assert(osdear__parse_timestamp(STR("2024-01-02T05:04:05.678901+02:00"), &us, &has_zone));
  cr_assert(has_zone);
  osdear__format_timestamp(us, ' ', "", out);
  cr_assert_str_eq(out, "2024-01-02 03:04:05.678901");
  cr_assert(osdear__parse_timestamp(STR("1969-12-31T23:59:59.999999Z"), &us, &has_zone) && us == -1);
  osdear__format_timestamp(us, 'T', "Z", out);
  cr_assert_str_eq(out, "1969-12-31T23:59:59.999999Z");
  osdear__format_timestamp(INT64_MIN, 'T', "Z", out);
  cr_assert_str_eq(out, "-290308-12-21T19:59:05.224192Z");
  osdear__format_timestamp(INT64_MAX, 'T', "Z", out);
  cr_assert_str_eq(out, "294247-01-10T04:00:54.775807Z");
  cr_assert(osdear__parse_timestamp(STR("2024-01-02"), &us, &has_zone));
  cr_assert_not(osdear__parse_timestamp(STR("2024-01-02T24:00:00"), &us, &has_zone));
  cr_assert_not(osdear__parse_timestamp(STR("2024-01-02T03:04:05."), &us, &has_zone));
  cr_assert_not(osdear__parse_timestamp(STR("999999-01-01 00:00:00"), &us, &has_zone));
}

/* The bytes of a code point, as RFC 3629 lays them out. */
static size_t encode(uint32_t point, char out[4])
{
  size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;

  for (size_t i = size - 1; i > 0; i--, point >>= 6)
    out[i] = (char)(0x80 | (point & 0x3F));
  out[0] = (char)(size == 1 ? point : (0xF00 >> size & 0xFF) | point);
  return size;
}

/* Of all texts of `size` bytes whose first is `first` or more, how many are valid. */
static int64_t count_valid(size_t size, uint32_t first)
{
  uint32_t from = first << (8 * (size - 1));
  int64_t count = 0;

  for (uint64_t text = from; text < UINT64_C(1) << (8 * size); text++) {
    char bytes[4];
    for (size_t i = 0; i < size; i++)
      bytes[i] = (char)(text >> (8 * (size - 1 - i)));
    count += osdear__utf8_is_valid(bytes, size);
  }
  return count;
}

/* As many texts as there should be, and all that should be: these are the ones. */
Test(str, utf8_is_what_the_standard_says, .timeout = 120)
{
  const int64_t one = 0x80, two = 0x800 - 0x80, three = 0x10000 - 0x800 - 0x800, four = 0x110000 - 0x10000;

  for (uint32_t point = 0; point < 0x110000; point++) {
    char bytes[4];
    bool is_surrogate = point >= 0xD800 && point < 0xE000;
    size_t size = encode(point, bytes);
    cr_assert_eq(osdear__utf8_is_valid(bytes, size), !is_surrogate, "U+%04X", point);
  }
  cr_assert_eq(count_valid(1, 0), one);
  cr_assert_eq(count_valid(2, 0), one * one + two);
  cr_assert_eq(count_valid(3, 0), one * one * one + 2 * one * two + three);
  cr_assert_eq(count_valid(4, 0xF0), four);
}

Test(str, text_that_is_not_utf8_is_seen_wherever_it_stands)
{
  static const char *const bad[] = { "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE0\x80\x80", "\xFF", "\xC3" };
  char text[40];

  cr_assert(osdear__utf8_is_valid("aé漢😀 and sixteen more bytes", 34));
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    for (size_t at = 0; at < 20; at++) {
      memset(text, 'x', sizeof text);
      memcpy(text + at, bad[i], strlen(bad[i]));
      cr_assert_not(osdear__utf8_is_valid(text, at + strlen(bad[i])));
    }
}
