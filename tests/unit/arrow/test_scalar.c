#include "stranger.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(scalar, .fini = check_released);

#define LESS -1
#define EQUAL 0
#define GREATER 1
#define NEVER 9

static int compared(osdear__scalar a, osdear__scalar b)
{
  int result = 7;
  int reverse = 7;

  if (!osdear__scalar_compare(&a, &b, &result)) {
    cr_assert_not(osdear__scalar_compare(&b, &a, &reverse));
    return NEVER;
  }
  cr_assert(osdear__scalar_compare(&b, &a, &reverse));
  cr_assert_eq(result, -reverse);
  return result;
}

static osdear__scalar integer(osdear__kind kind, int64_t value)
{
  return (osdear__scalar){ .kind = kind, .i64 = value };
}

static osdear__scalar real(double value)
{
  return (osdear__scalar){ .kind = KIND_DOUBLE, .f64 = value };
}

static osdear__scalar decimal(const char *digits, int32_t scale)
{
  osdear__scalar value = { .kind = KIND_DECIMAL, .scale = scale };

  cr_assert(osdear__parse_decimal(osdear__str_of(digits), 38, scale, &value.decimal));
  return value;
}

static osdear__scalar bytes(osdear__kind kind, const char *text)
{
  return (osdear__scalar){ .kind = kind, .bytes = osdear__str_of(text) };
}

Test(scalar, numbers_compare_whatever_their_kinds)
{
  cr_assert_eq(compared(integer(KIND_BYTE, -1), integer(KIND_LONG, 0)), LESS);
  cr_assert_eq(compared(integer(KIND_LONG, -1), integer(KIND_UINT64, -1)), LESS); /* the greatest uint64 */
  cr_assert_eq(compared(integer(KIND_INTEGER, 5), decimal("5.00", 2)), EQUAL);
  cr_assert_eq(compared(integer(KIND_INTEGER, 5), decimal("5.01", 2)), LESS);
  cr_assert_eq(compared(integer(KIND_INTEGER, -5), decimal("-5.01", 2)), GREATER);
  cr_assert_eq(compared(decimal("0.1", 1), decimal("0.10000000000000000000000000000000000000", 38)), EQUAL);
  cr_assert_eq(
      compared(decimal("99999999999999999999999999999999999999", 0), decimal("0.99999999999999999999999999999999999999", 38)),
      GREATER);
  cr_assert_eq(compared(decimal("0.1", 1), real(0.1)), EQUAL);
  cr_assert_eq(compared(integer(KIND_LONG, 1), real(1.5)), LESS);
}

Test(scalar, nan_is_greatest_and_zeros_are_equal)
{
  cr_assert_eq(compared(real((double)NAN), real((double)INFINITY)), GREATER);
  cr_assert_eq(compared(real((double)NAN), real((double)NAN)), EQUAL);
  cr_assert_eq(compared(real((double)NAN), integer(KIND_LONG, INT64_MAX)), GREATER);
  cr_assert_eq(compared(real(-0.0), real(0.0)), EQUAL);
}

Test(scalar, text_bytes_and_times_compare_with_their_like)
{
  cr_assert_eq(compared(bytes(KIND_STRING, "a"), bytes(KIND_STRING, "\xc3\xbc")), LESS);
  cr_assert_eq(compared(bytes(KIND_STRING, "ab"), bytes(KIND_STRING, "a")), GREATER);
  cr_assert_eq(compared(bytes(KIND_BINARY, "ab"), bytes(KIND_FIXED, "ab")), EQUAL);
  cr_assert_eq(compared(integer(KIND_DATE, 1), integer(KIND_TIMESTAMP_NTZ, OSDEAR__DAY_US)), EQUAL);
  cr_assert_eq(compared(integer(KIND_DATE, 1), integer(KIND_TIMESTAMP, OSDEAR__DAY_US + 1)), LESS);
  cr_assert_eq(compared(integer(KIND_DATE, INT32_MAX), integer(KIND_TIMESTAMP, INT64_MAX)), GREATER);
  cr_assert_eq(compared(integer(KIND_BOOLEAN, 0), integer(KIND_BOOLEAN, 1)), LESS);
  cr_assert_eq(compared(integer(KIND_TIME, 0), integer(KIND_TIME, 1)), LESS);
}

Test(scalar, others_do_not_compare)
{
  osdear__scalar null = { .kind = KIND_LONG, .is_null = true };

  cr_assert_eq(compared(bytes(KIND_STRING, "1"), integer(KIND_LONG, 1)), NEVER);
  cr_assert_eq(compared(bytes(KIND_STRING, "1"), bytes(KIND_BINARY, "1")), NEVER);
  cr_assert_eq(compared(integer(KIND_TIMESTAMP, 1), integer(KIND_TIMESTAMP_NTZ, 1)), NEVER);
  cr_assert_eq(compared(integer(KIND_BOOLEAN, 1), integer(KIND_LONG, 1)), NEVER);
  cr_assert_eq(compared(integer(KIND_DATE, 1), integer(KIND_LONG, 1)), NEVER);
  cr_assert_eq(compared(null, integer(KIND_LONG, 1)), NEVER);
}

Test(scalar, halves_are_widened_exactly)
{
  static const uint16_t halves[] = { 0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x7c00, 0x7e00 };
  static const double values[] = { 1, -2, 0x1p-24, 65504, -0.0, (double)INFINITY, (double)NAN };
  const void *buffers[] = { NULL, halves };
  struct ArrowArray array = { .length = COUNT_OF(halves), .n_buffers = 2, .buffers = buffers };
  osdear__type type = { .kind = KIND_FLOAT16 };

  for (size_t i = 0; i < COUNT_OF(halves); i++) {
    osdear__scalar value;

    osdear__scalar_at(&type, &array, (int64_t)i, &value);
    cr_assert(isnan(values[i]) ? isnan(value.f64) : value.f64 == values[i] && signbit(value.f64) == signbit(values[i]));
  }
}

static const char *repeated(osdear__type type, const char *value, int64_t length)
{
  static char printed[256];
  SCOPED(array) one = { 0 };
  SCOPED(array) many = { 0 };
  SCOPED(buf) out = { 0 };
  osdear__scalar scalar;

  array_of(&type, value, &one);
  osdear__scalar_at(&type, &one, 0, &scalar);
  cr_assert_eq(osdear__array_repeat(&type, &scalar, length, &many, NULL), OSDEAR_OK);
  print_rows(&type, &many, &out);
  memcpy(printed, out.data, out.size + 1);
  return printed;
}

Test(scalar, a_value_is_repeated)
{
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_BOOLEAN }, "1", 3), "[1,1,1]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_BOOLEAN }, "0", 3), "[0,0,0]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_BYTE }, "-7", 5), "[-7,-7,-7,-7,-7]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_DATE }, "-7", 3), "[-7,-7,-7]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_TIMESTAMP }, "-7", 3), "[-7,-7,-7]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_FLOAT }, "0.5", 3), "[0.5,0.5,0.5]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_DOUBLE }, "0.5", 3), "[0.5,0.5,0.5]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_DECIMAL, .precision = 9, .scale = 2 }, "-0.5", 3),
                   "[-0.50,-0.50,-0.50]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_STRING }, "ab", 3), "[\"ab\",\"ab\",\"ab\"]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_FIXED, .width = 2 }, "ab", 3), "[\"ab\",\"ab\",\"ab\"]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_LONG }, "null", 2), "[null,null]");
  cr_assert_str_eq(repeated((osdear__type){ .kind = KIND_LONG }, "1", 0), "[]");
}

Test(scalar, too_much_text_is_refused)
{
  osdear__type type = { .kind = KIND_STRING };
  osdear__scalar value = { .kind = KIND_STRING, .bytes = STR("abcd") };
  struct ArrowArray array;

  cr_assert_eq(osdear__array_repeat(&type, &value, INT64_C(1) << 30, &array, NULL), OSDEAR_ERR_LIMIT);
}
