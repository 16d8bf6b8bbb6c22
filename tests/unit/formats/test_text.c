#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <formats/text.h>
#include <formats/value.h>

/* ---- doubles ---- */

static void expect_f64(double value, const char *wanted)
{
  SCOPED(buf) text = { 0 };

  osdear__text_f64(&text, value);
  cr_expect_str_eq(text.data, wanted);
}

Test(text, doubles_are_as_python_prints_them)
{
  expect_f64(0, "0.0");
  expect_f64(-0.0, "-0.0");
  expect_f64(1, "1.0");
  expect_f64(0.1, "0.1");
  expect_f64(-1234.5678, "-1234.5678");
  expect_f64(0.1 + 0.2, "0.30000000000000004");
  expect_f64(0.0001, "0.0001");
  expect_f64(0.00001, "1e-05");
  expect_f64(0.00012345, "0.00012345");
  expect_f64(1e15, "1000000000000000.0");
  expect_f64(1e16, "1e+16");
  expect_f64(123456789012345680.0, "1.2345678901234568e+17");
  expect_f64(1e300, "1e+300");
  expect_f64(5e-324, "5e-324");
  expect_f64((double)0.1f, "0.10000000149011612");
  expect_f64(99999999999999.9, "99999999999999.9");
  expect_f64(NAN, "NaN");
  expect_f64(-INFINITY, "-Infinity");
}

static uint64_t next_random(uint64_t *state)
{
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* Texts that people write: both directions against the C library. */
Test(text, doubles_read_and_print_as_the_c_library_does)
{
  uint64_t state = 88172645463325252u;

  for (int i = 0; i < 300000; i++) {
    SCOPED(buf) text = { 0 };
    uint64_t digits = next_random(&state) >> (next_random(&state) % 64);
    int behind = (int)(next_random(&state) % 20);
    char written[64];
    double ours = 0, theirs;
    int size = snprintf(written, sizeof written, "%s%0*" PRIu64, i & 1 ? "-" : "", behind + 1, digits);
    memmove(written + size - behind + 1, written + size - behind, (size_t)behind + 1);
    written[size - behind] = '.';
    theirs = strtod(written, NULL);
    cr_assert(osdear__quick_f64(written, strlen(written), &ours), "%s", written);
    cr_assert_eq(memcmp(&ours, &theirs, sizeof ours), 0, "%s: %.17g, not %.17g", written, ours, theirs);
    osdear__text_f64(&text, ours);
    theirs = strtod(text.data, NULL);
    cr_assert_eq(memcmp(&ours, &theirs, sizeof ours), 0, "%s became %s", written, text.data);
  }
}

/* ---- other values ---- */

Test(text, whole_numbers_read_exactly_or_not_at_all)
{
  static const struct {
    const char *text;
    int64_t value;
    bool is_good;
  } cases[] = {
    { "0", 0, true },
    { "-1", -1, true },
    { "12345678", 12345678, true },
    { "123456789012345678", 123456789012345678, true },
    { "9223372036854775807", INT64_MAX, true },
    { "-9223372036854775808", INT64_MIN, true },
    { "9223372036854775808", 0, false },
    { "", 0, false },
    { "-", 0, false },
    { "1a", 0, false },
    { "1234567x", 0, false },
    { "1234567/", 0, false },
    { "12345678:", 0, false },
  };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    char padded[40] = { 0 };
    int64_t value = 0;
    memcpy(padded, cases[i].text, strlen(cases[i].text));
    cr_expect_eq(osdear__quick_i64(padded, strlen(cases[i].text), &value), cases[i].is_good, "%s", cases[i].text);
    if (cases[i].is_good)
      cr_expect_eq(value, cases[i].value);
  }
}

Test(text, dates_keep_their_months_apart)
{
  osdear__date_cache cache = { 0 };
  int32_t days;

  cr_expect(osdear__quick_date(&cache, "2024-02-28", 10, &days) && days == 19781);
  cr_expect(osdear__quick_date(&cache, "2024-02-29", 10, &days) && days == 19782);
  cr_expect_not(osdear__quick_date(&cache, "2024-02-30", 10, &days));
  cr_expect(osdear__quick_date(&cache, "2024-04-30", 10, &days) && days == 19843);
  cr_expect_not(osdear__quick_date(&cache, "2024-04-31", 10, &days));
  cr_expect_not(osdear__quick_date(&cache, "2024-04-00", 10, &days));
  cr_expect_not(osdear__quick_date(&cache, "2024-13-01", 10, &days));
  cr_expect_not(osdear__quick_date(&cache, "2024x04-01", 10, &days));
  cr_expect(osdear__quick_date(&cache, "1969-12-31", 10, &days) && days == -1);
}

Test(text, timestamps_in_the_short_form_equal_the_careful_ones)
{
  static const char *const texts[] = { "2024-01-02T03:04:05Z",   "2024-01-02 03:04:05", "1900-12-31T23:59:59Z",
                                       "2024-01-02 24:00:00",    "2024-01-02 23:60:00", "2024-01-02 03:04:05.123456",
                                       "2024-01-02T03:04+05:30", "2024-01-02" };

  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    osdear__date_cache cache = { 0 };
    int64_t quick = 0, careful = 0;
    bool quick_zone = false, careful_zone = false;
    bool is_good = osdear__parse_timestamp(osdear__str_of(texts[i]), &careful, &careful_zone);
    cr_expect_eq(osdear__quick_timestamp(&cache, texts[i], strlen(texts[i]), &quick, &quick_zone), is_good, "%s", texts[i]);
    if (is_good)
      cr_expect(quick == careful && quick_zone == careful_zone, "%s", texts[i]);
  }
}

Test(text, strings_are_escaped_as_little_as_json_allows)
{
  SCOPED(buf) text = { 0 };

  osdear__text_string(&text, STR("a\"\\/\b\f\n\r\t\x01\x7fé😀"));
  cr_expect_str_eq(text.data, "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7fé😀\"");
}

/* ---- variants ---- */

static void expect_variant(const char *value, size_t size, const char *wanted)
{
  /* version 1, one byte offsets, keys "a" and "b" */
  const osdear__str metadata = STR("\x01\x02\x00\x01\x02"
                                   "ab");
  SCOPED(buf) text = { 0 };
  bool is_good = osdear__variant_json(metadata, (osdear__str){ value, size }, &text);

  cr_expect_eq(is_good, wanted != NULL);
  if (wanted && is_good)
    cr_expect_str_eq(text.data, wanted);
}
#define VARIANT(bytes, wanted) expect_variant(bytes, sizeof(bytes) - 1, wanted)

Test(text, variants_are_read_by_their_encoding)
{
  VARIANT("\x00", "null");
  VARIANT("\x04", "true");
  VARIANT("\x0c\xff", "-1");
  VARIANT("\x10\x00\x80", "-32768");
  VARIANT("\x18\xff\xff\xff\xff\xff\xff\xff\x7f", "9223372036854775807");
  VARIANT("\x1c\x00\x00\x00\x00\x00\x00\xf8\x3f", "1.5");
  VARIANT("\x20\x02\x7d\x00\x00\x00", "1.25");
  VARIANT("\x2c\x00\x00\x00\x00", "\"1970-01-01\"");
  VARIANT("\x30\x00\x00\x00\x00\x00\x00\x00\x00", "\"1970-01-01 00:00:00+00:00\"");
  VARIANT("\x34\x01\x00\x00\x00\x00\x00\x00\x00", "\"1970-01-01 00:00:00.000001\"");
  VARIANT("\x34\x00\x00\x00\x00\x00\x00\x00\x80", "\"-290308-12-21 19:59:05.224192\"");
  VARIANT("\x4c\xff\xff\xff\xff\xff\xff\xff\xff", "\"1969-12-31 23:59:59.999999999\"");
  VARIANT("\x48\x00\x00\x00\x00\x00\x00\x00\x80", "\"1677-09-21 00:12:43.145224192+00:00\"");
  VARIANT("\x3c\x02\x00\x00\x00\x00\xff", "\"AP8=\"");
  VARIANT("\x09\xc3\xa9", "\"\\u00e9\"");
  VARIANT("\x02\x02\x00\x01\x00\x01\x02\x04\x00", "{\"a\":true,\"b\":null}");
  VARIANT("\x03\x02\x00\x01\x02\x04\x08", "[true,false]");
  VARIANT("\x03\x00\x00", "[]");
}

Test(text, broken_variants_are_refused)
{
  VARIANT("", NULL);
  VARIANT("\x10\x00", NULL);
  VARIANT("\x09\xc3", NULL);
  VARIANT("\x09\xff\xff", NULL);
  VARIANT("\x02\x01\x07\x00\x01\x00", NULL); /* a key past the dictionary */
  VARIANT("\x03\x01\x09\x0a", NULL);         /* an offset past the end */
  VARIANT("\x03\xff", NULL);
  VARIANT("\xfc", NULL);
}

/* Each array holds the one that begins after it, twice: the text would double with every level. */
Test(text, a_variant_cannot_swell_without_bound, .timeout = 60)
{
  char value[400];
  size_t at = 0;

  while (at + 6 < sizeof value) {
    memcpy(value + at, "\x03\x02\x00\x00\x01", 5);
    at += 5;
  }
  value[at++] = '\x04';
  VARIANT("\x00", "null");
  expect_variant(value, at, NULL);
}
