/* Decimals: integers of up to 38 digits, scaled by a power of ten. */
#include <base/base.h>

#define MOST_DIGITS 38

osdear__int128 osdear__pow10(int32_t exponent)
{
  static const int64_t small[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000 };
  osdear__int128 value = 1;

  for (; exponent >= 9; exponent -= 9)
    value *= small[9];
  return value * small[exponent < 0 ? 0 : exponent];
}

/* Digits with an optional point, as one integer and the number of digits behind the point. False past 38 significant digits;
 * zeros behind those that fit are cut instead. */
static bool read_mantissa(const char **at, const char *end, osdear__uint128 *value, int32_t *fraction)
{
  const osdear__uint128 most = (osdear__uint128)osdear__pow10(MOST_DIGITS - 1);
  bool any = false, is_behind = false;

  *value = 0;
  *fraction = 0;
  for (; *at < end; (*at)++) {
    unsigned digit = (unsigned)(**at - '0');
    if (**at == '.' && !is_behind) {
      is_behind = true;
      continue;
    }
    if (digit > 9)
      break;
    any = true;
    if (*value >= most) {
      if (digit != 0 || !is_behind)
        return false;
      continue;
    }
    *value = *value * 10 + digit;
    *fraction += is_behind;
  }
  return any;
}

static bool read_exponent(const char **at, const char *end, int64_t *exponent)
{
  osdear__str rest;

  *exponent = 0;
  if (*at == end)
    return true;
  if (**at != 'e' && **at != 'E')
    return false;
  rest = (osdear__str){ *at + 1, (size_t)(end - *at - 1) };
  *at = end;
  return osdear__parse_i64(rest, exponent) && *exponent > -10000 && *exponent < 10000;
}

bool osdear__parse_decimal(osdear__str text, int32_t precision, int32_t scale, osdear__int128 *out)
{
  const char *at = text.data, *end = text.data + text.size;
  osdear__uint128 value;
  int64_t exponent, shift;
  int32_t fraction;
  bool negative = text.size && *at == '-';

  if (text.size == 0)
    return false;
  if (*at == '-' || *at == '+')
    at++;
  if (!read_mantissa(&at, end, &value, &fraction) || !read_exponent(&at, end, &exponent) || at != end)
    return false;
  for (shift = scale - fraction + exponent; shift > 0 && value; shift--) {
    if (value >= (osdear__uint128)osdear__pow10(MOST_DIGITS - 1))
      return false;
    value *= 10;
  }
  for (; shift < 0 && value; shift++) {
    if (value % 10 != 0)
      return false;
    value /= 10;
  }
  if (value >= (osdear__uint128)osdear__pow10(precision))
    return false;
  *out = negative ? -(osdear__int128)value : (osdear__int128)value;
  return true;
}

size_t osdear__format_decimal(osdear__int128 value, int32_t scale, char out[OSDEAR__DECIMAL_TEXT])
{
  osdear__uint128 rest = value < 0 ? -(osdear__uint128)value : (osdear__uint128)value;
  char digits[OSDEAR__DECIMAL_TEXT];
  size_t count = 0, size = 0;

  /* Backwards; a zero before the point where there is no digit. */
  do {
    if (scale > 0 && count == (size_t)scale)
      digits[count++] = '.';
    digits[count++] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest || (scale > 0 && count <= (size_t)scale + 1 && count < OSDEAR__DECIMAL_TEXT - 2));
  if (value < 0)
    out[size++] = '-';
  while (count)
    out[size++] = digits[--count];
  out[size] = '\0';
  return size;
}
