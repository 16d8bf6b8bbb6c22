/* Text of cells as values. */
#include "value.h"

#include <math.h>

/* ---- floating point ---- */

typedef struct decimal_text {
  uint64_t digits;
  int32_t exponent; /* value = digits * 10^exponent */
  bool is_negative;
} decimal_text;

/* [-+]digits[.digits], at most 19 significant digits; anything else is for the careful parser. */
static bool read_plain_decimal(const char *at, const char *end, decimal_text *out)
{
  uint64_t digits = 0;
  int32_t count = 0, behind = 0;
  bool has_point = false, any = false;

  out->is_negative = at < end && *at == '-';
  at += at < end && (*at == '-' || *at == '+');
  for (; at < end; at++) {
    unsigned digit = (unsigned char)*at - (unsigned)'0';
    if (digit > 9) {
      if (*at != '.' || has_point)
        return false;
      has_point = true;
      continue;
    }
    digits = digits * 10 + digit;
    count += count || digits;
    behind += has_point;
    any = true;
  }
  if (!any || count > 19 || behind > 19)
    return false;
  out->digits = digits;
  out->exponent = -behind;
  return true;
}

static const uint64_t powers_of_ten[20] = {
  1u,
  10u,
  100u,
  1000u,
  10000u,
  100000u,
  1000000u,
  10000000u,
  100000000u,
  1000000000u,
  10000000000u,
  100000000000u,
  1000000000000u,
  10000000000000u,
  100000000000000u,
  1000000000000000u,
  10000000000000000u,
  100000000000000000u,
  1000000000000000000u,
  10000000000000000000u,
};

/* digits / 10^k, rounded once: a quotient of 64 bits or more, its last bit set for a remainder, is far more than the 53 that stay. */
static double divide_exactly(uint64_t digits, int32_t k)
{
  uint64_t divisor = powers_of_ten[k];
  int shift = __builtin_clzll(digits) + 64;
  osdear__uint128 numerator = (osdear__uint128)digits << (shift - 64) << 63;
  osdear__uint128 quotient = numerator / divisor;
  bool has_rest = quotient * divisor != numerator;
  int spare = 0;
  uint64_t top;

  /* The numerator has 127 bits and the divisor at most 64, so the quotient has 63 at least. */
  if (quotient >> 64)
    spare = 64 - __builtin_clzll((uint64_t)(quotient >> 64));
  top = (uint64_t)(quotient >> spare);
  if (has_rest || ((osdear__uint128)top << spare) != quotient)
    top |= 1;
  return ldexp((double)top, spare - (shift - 1));
}

bool osdear__quick_f64(const char *at, size_t size, double *out)
{
  static const double small_powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
  decimal_text text;
  double value;

  if (!read_plain_decimal(at, at + size, &text))
    return osdear__parse_f64((osdear__str){ at, size }, out);
  if (text.digits >> 53 == 0)
    value = (double)text.digits / small_powers[-text.exponent]; /* both exact, so one operation rounds once */
  else
    value = divide_exactly(text.digits, -text.exponent);
  *out = text.is_negative ? -value : value;
  return true;
}

/* ---- dates and times ---- */

bool osdear__quick_date(osdear__date_cache *cache, const char *at, size_t size, int32_t *out)
{
  uint64_t month;
  int32_t day;

  if (size != 10)
    return osdear__parse_date((osdear__str){ at, size }, out);
  month = osdear__load_u64(at);
  if (UNLIKELY(month != cache->text || !cache->month_days)) {
    int32_t first, next, number;
    char text[11];
    memcpy(text, at, 8);
    memcpy(text + 8, "01", 3);
    if (at[4] != '-' || at[7] != '-' || !osdear__two_digits(at + 5, &number) ||
        !osdear__parse_date((osdear__str){ text, 10 }, &first))
      return false;
    next = first + 28; /* the months differ in days 29 to 31: ask for each */
    for (day = 29; day <= 31; day++) {
      int32_t found;
      text[8] = (char)('0' + day / 10);
      text[9] = (char)('0' + day % 10);
      if (!osdear__parse_date((osdear__str){ text, 10 }, &found))
        break;
      next = found + 1;
    }
    *cache = (osdear__date_cache){ month, first, next - first };
  }
  if (!osdear__two_digits(at + 8, &day) || day < 1 || day > cache->month_days)
    return false;
  *out = cache->first + day - 1;
  return true;
}

/* YYYY-MM-DD(T| )HH:MM:SS[Z]; other forms are for the careful parser. */
bool osdear__quick_timestamp(osdear__date_cache *cache, const char *at, size_t size, int64_t *out, bool *has_zone)
{
  int32_t days, hour, minute, second;

  if ((size != 19 && (size != 20 || at[19] != 'Z')) || (at[10] != 'T' && at[10] != ' ') || at[13] != ':' || at[16] != ':')
    return osdear__parse_timestamp((osdear__str){ at, size }, out, has_zone);
  if (!osdear__quick_date(cache, at, 10, &days) || !osdear__two_digits(at + 11, &hour) || !osdear__two_digits(at + 14, &minute) ||
      !osdear__two_digits(at + 17, &second) || hour > 23 || minute > 59 || second > 59)
    return osdear__parse_timestamp((osdear__str){ at, size }, out, has_zone);
  *has_zone = size == 20;
  *out = (int64_t)days * OSDEAR__DAY_US + ((int64_t)hour * 3600 + minute * 60 + second) * 1000000;
  return true;
}

/* ---- the rest ---- */

bool osdear__text_boolean(osdear__str text, bool *out)
{
  static const struct {
    const char *text;
    bool value;
  } words[] = {
    { "true", true }, { "false", false }, { "t", true },   { "f", false }, { "1", true },
    { "0", false },   { "yes", true },    { "no", false }, { "y", true },  { "n", false },
  };

  for (size_t i = 0; i < COUNT_OF(words); i++) {
    if (osdear__str_equal_nocase(text, osdear__str_of(words[i].text))) {
      *out = words[i].value;
      return true;
    }
  }
  return false;
}

static int hex_digit(char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool osdear__text_hex(osdear__str text, uint8_t *out)
{
  if (text.size % 2)
    return false;
  for (size_t i = 0; i < text.size; i += 2) {
    int high = hex_digit(text.data[i]), low = hex_digit(text.data[i + 1]);
    if (high < 0 || low < 0)
      return false;
    *out++ = (uint8_t)(high << 4 | low);
  }
  return true;
}

static bool integer_fits(osdear__kind kind, int64_t value)
{
  switch (kind) {
  case KIND_BYTE: return value >= INT8_MIN && value <= INT8_MAX;
  case KIND_SHORT: return value >= INT16_MIN && value <= INT16_MAX;
  case KIND_INTEGER: return value >= INT32_MIN && value <= INT32_MAX;
  default: return true;
  }
}

bool osdear__text_can_be(const osdear__type *type)
{
  return type->kind >= KIND_BOOLEAN && type->kind <= KIND_TIMESTAMP_NTZ;
}

static bool text_scalar(osdear__str text, const osdear__type *type, osdear__scalar *out)
{
  osdear__date_cache cache = { 0 };
  int32_t days = 0;
  bool truth = false, has_zone = false, is_good;

  switch (type->kind) {
  case KIND_BOOLEAN:
    is_good = osdear__text_boolean(text, &truth);
    out->i64 = truth;
    return is_good;
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG: return osdear__quick_i64(text.data, text.size, &out->i64) && integer_fits(type->kind, out->i64);
  case KIND_FLOAT:
  case KIND_DOUBLE: return osdear__quick_f64(text.data, text.size, &out->f64);
  case KIND_DECIMAL: return osdear__parse_decimal(text, type->precision, type->scale, &out->decimal);
  case KIND_DATE:
    is_good = osdear__quick_date(&cache, text.data, text.size, &days);
    out->i64 = days;
    return is_good;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
    return osdear__parse_timestamp(text, &out->i64, &has_zone) && (type->kind == KIND_TIMESTAMP || !has_zone);
  default: return false;
  }
}

bool osdear__text_value(osdear__str text, const osdear__type *type, osdear__buf *scratch, osdear__scalar *out)
{
  *out = (osdear__scalar){ .kind = type->kind, .scale = type->scale };
  if (type->kind == KIND_STRING) {
    out->bytes = text;
    return true;
  }
  if (type->kind == KIND_BINARY) {
    char *bytes;
    osdear__buf_clear(scratch);
    bytes = osdear__buf_reserve(scratch, text.size / 2 + 1);
    if (!bytes || !osdear__text_hex(text, (uint8_t *)bytes))
      return false;
    out->bytes = (osdear__str){ bytes, text.size / 2 };
    return true;
  }
  return text_scalar(osdear__trim(text), type, out);
}
