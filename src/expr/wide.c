/** @file wide.c Decimals of up to 38 digits: products and quotients of 256 bits, rounding half up. */
#include "vector.h"

typedef struct u256 {
  osdear__uint128 high, low;
} u256;

static u256 multiply(osdear__uint128 a, osdear__uint128 b)
{
  osdear__uint128 a_low = (uint64_t)a;
  osdear__uint128 a_high = a >> 64;
  osdear__uint128 b_low = (uint64_t)b;
  osdear__uint128 b_high = b >> 64;
  osdear__uint128 low = a_low * b_low;
  osdear__uint128 middle = a_high * b_low + (low >> 64);
  osdear__uint128 other = a_low * b_high + (uint64_t)middle;
  return (u256){ a_high * b_high + (middle >> 64) + (other >> 64), other << 64 | (uint64_t)low };
}

/* False when the quotient needs more than 128 bits. `b` is not 0 and below 2^127. */
static bool divide(u256 a, osdear__uint128 b, osdear__uint128 *quotient, osdear__uint128 *rest)
{
  if (a.high == 0) {
    *quotient = a.low / b;
    *rest = a.low % b;
    return true;
  }
  if (a.high >= b)
    return false;
  osdear__uint128 r = a.high;
  osdear__uint128 q = 0;
  for (int i = 127; i >= 0; i--) {
    r = r << 1 | (a.low >> i & 1);
    q <<= 1;
    if (r >= b) {
      r -= b;
      q |= 1;
    }
  }
  *quotient = q;
  *rest = r;
  return true;
}

static osdear__uint128 magnitude(osdear__int128 v)
{
  return v < 0 ? -(osdear__uint128)v : (osdear__uint128)v;
}

bool osdear__decimal_fits(osdear__int128 value, int32_t precision)
{
  return magnitude(value) < (osdear__uint128)osdear__pow10(precision);
}

static bool finish(osdear__uint128 quotient, bool round_up, bool negative, int32_t precision, osdear__int128 *out)
{
  osdear__uint128 limit = (osdear__uint128)osdear__pow10(precision);
  if (quotient >= limit || (round_up && quotient + 1 >= limit))
    return false;
  quotient += round_up;
  *out = negative ? -(osdear__int128)quotient : (osdear__int128)quotient;
  return true;
}

/* Where the one with fewer digits of fraction overflows when given as many, it is the larger one by far: its sign decides. */
int osdear__decimal_compare(osdear__int128 a, int32_t a_scale, osdear__int128 b, int32_t b_scale)
{
  osdear__int128 scaled;
  if (a_scale < b_scale) {
    if (__builtin_mul_overflow(a, osdear__pow10(b_scale - a_scale), &scaled))
      return a > 0 ? 1 : -1;
    return (scaled > b) - (scaled < b);
  }
  if (__builtin_mul_overflow(b, osdear__pow10(a_scale - b_scale), &scaled))
    return b > 0 ? -1 : 1;
  return (a > scaled) - (a < scaled);
}

bool osdear__decimal_rescale(osdear__int128 value, int32_t from, int32_t to, int32_t precision, osdear__int128 *out)
{
  osdear__int128 result;
  if (to >= from) {
    if (__builtin_mul_overflow(value, osdear__pow10(to - from), &result) || !osdear__decimal_fits(result, precision))
      return false;
    *out = result;
    return true;
  }
  osdear__uint128 unit = (osdear__uint128)osdear__pow10(from - to);
  osdear__uint128 rest = magnitude(value) % unit;
  return finish(magnitude(value) / unit, rest >= unit - rest, value < 0, precision, out);
}

/* Up to 76 digits are dropped in two steps; rounding half up looks only at the first digit dropped. */
bool osdear__decimal_multiply(osdear__int128 a, osdear__int128 b, int32_t drop, int32_t precision, osdear__int128 *out)
{
  int32_t step = drop > 38 ? drop - 38 : 0;
  u256 product = multiply(magnitude(a), magnitude(b));
  osdear__uint128 unit = (osdear__uint128)osdear__pow10(drop - step);
  osdear__uint128 quotient;
  osdear__uint128 rest;
  if (!divide(product, unit, &quotient, &rest))
    return false;
  if (step > 0) {
    unit = (osdear__uint128)osdear__pow10(step);
    rest = quotient % unit;
    quotient /= unit;
  }
  return finish(quotient, drop > 0 && rest >= unit - rest, (a < 0) != (b < 0), precision, out);
}

/* In two steps where the shift is too far for 256 bits: what the first leaves over is divided again. */
bool osdear__decimal_divide(osdear__int128 a, osdear__int128 b, int32_t shift, int32_t precision, osdear__int128 *out)
{
  osdear__uint128 divisor = magnitude(b);
  osdear__uint128 quotient = 0;
  osdear__uint128 rest = magnitude(a);
  while (shift >= 0) {
    int32_t step = shift > 38 ? 38 : shift;
    osdear__uint128 unit = (osdear__uint128)osdear__pow10(step);
    osdear__uint128 more;
    u256 scaled = multiply(quotient, unit);
    if (scaled.high || !divide(multiply(rest, unit), divisor, &more, &rest))
      return false;
    quotient = scaled.low + more;
    if (quotient < more)
      return false;
    shift = shift > 38 ? shift - 38 : -1;
  }
  return finish(quotient, rest >= divisor - rest, (a < 0) != (b < 0), precision, out);
}

/* ---- text ---- */

/* Parts of a number as text: [sign] digits [. digits] [e exponent]. */
typedef struct number_text {
  bool negative;
  osdear__str mantissa; /* digits, and a point somewhere */
  int64_t last_weight;  /* power of ten of its last digit */
} number_text;

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static bool split_number(osdear__str text, number_text *out)
{
  int64_t exponent = 0;
  size_t i = 0;
  size_t digits = 0;
  size_t fraction = 0;
  bool has_point = false;

  *out = (number_text){ .negative = text.size > 0 && text.data[0] == '-' };
  if (text.size > 0 && (text.data[0] == '-' || text.data[0] == '+'))
    i++;
  size_t from = i;
  for (; i < text.size && (is_digit(text.data[i]) || (text.data[i] == '.' && !has_point)); i++) {
    has_point |= text.data[i] == '.';
    digits += is_digit(text.data[i]);
    fraction += has_point && is_digit(text.data[i]);
  }
  out->mantissa = (osdear__str){ text.data + from, i - from };
  if (digits == 0)
    return false;
  if (i < text.size) {
    osdear__str rest = { text.data + i + 1, text.size - i - 1 };
    if ((text.data[i] != 'e' && text.data[i] != 'E') || !osdear__parse_i64(rest, &exponent))
      return false;
    if (exponent > 100000 || exponent < -100000)
      exponent = exponent > 0 ? 100000 : -100000;
  }
  out->last_weight = exponent - (int64_t)fraction;
  return true;
}

bool osdear__decimal_of_text(osdear__str text, int32_t precision, int32_t scale, osdear__int128 *out)
{
  number_text number;
  osdear__uint128 value = 0;
  osdear__uint128 limit = (osdear__uint128)osdear__pow10(38);
  bool round_up = false;
  if (!split_number(text, &number))
    return false;

  int64_t digits = 0;
  for (size_t i = 0; i < number.mantissa.size; i++)
    digits += is_digit(number.mantissa.data[i]);
  /* Digits from this one on are worth less than the last place. */
  int64_t keep = digits + number.last_weight + scale;
  int64_t seen = 0;
  for (size_t i = 0; i < number.mantissa.size && seen <= keep; i++) {
    if (!is_digit(number.mantissa.data[i]))
      continue;
    uint32_t digit = (uint32_t)(number.mantissa.data[i] - '0');
    if (seen == keep)
      round_up = digit >= 5;
    else if (value >= limit / 10 && value * 10 + digit >= limit)
      return false;
    else
      value = value * 10 + digit;
    seen++;
  }
  for (; seen < keep && value > 0; seen++) {
    if (value >= limit / 10)
      return false;
    value *= 10;
  }
  return finish(value, round_up, number.negative, precision, out);
}

double osdear__decimal_to_f64(osdear__int128 value, int32_t scale)
{
  char text[OSDEAR__DECIMAL_TEXT];
  double result = 0;
  osdear__uint128 size = magnitude(value);
  if (size <= (UINT64_C(1) << 53) && scale <= 22) {
    /* Both are exact, so the quotient is rounded once. */
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    return (double)value / powers[scale];
  }
  size_t length = osdear__format_decimal(value, scale, text);
  bool ok = osdear__parse_f64((osdear__str){ text, length }, &result);
  return ok ? result : 0;
}
