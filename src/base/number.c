/* Numbers as text, both ways, without ever asking the locale. */
#include <base/base.h>

#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

bool osdear__parse_bool(osdear__str text, int64_t *out)
{
  static const char *const words[] = { "false", "true", "f", "t", "no", "yes", "n", "y", "0", "1" };

  for (size_t i = 0; i < COUNT_OF(words); i++) {
    if (osdear__str_equal_nocase(text, osdear__str_of(words[i]))) {
      *out = i % 2;
      return true;
    }
  }
  return false;
}

bool osdear__parse_i64(osdear__str text, int64_t *out)
{
  const char *at = text.data, *end = text.data + text.size;
  bool negative = text.size && *at == '-';
  int64_t value = 0; /* kept negative: that side reaches one further */

  if (text.size && (*at == '-' || *at == '+'))
    at++;
  if (at == end)
    return false;
  for (; at < end; at++) {
    int digit = *at - '0';
    if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_sub_overflow(value, digit, &value))
      return false;
  }
  if (!negative && value == INT64_MIN)
    return false;
  *out = negative ? value : -value;
  return true;
}

/* strtod in a locale of our own: the program's may use a comma. */
static locale_t c_locale;
static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;

static void make_c_locale(void)
{
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

static bool slow_parse_f64(osdear__str text, double *out)
{
  char small[64], *copy = small, *end;
  bool whole;

  if (text.size >= sizeof small) {
    copy = osdear__alloc(text.size + 1);
    if (!copy)
      return false;
  }
  memcpy(copy, text.data, text.size);
  copy[text.size] = '\0';
  pthread_once(&c_locale_once, make_c_locale);
  *out = c_locale ? strtod_l(copy, &end, c_locale) : strtod(copy, &end);
  whole = end == copy + text.size;
  if (copy != small)
    osdear__free(copy);
  return whole;
}

static bool parse_special(osdear__str text, bool negative, double *out)
{
  if (osdear__str_equal_nocase(text, STR("nan")))
    *out = NAN;
  else if (osdear__str_equal_nocase(text, STR("infinity")) || osdear__str_equal_nocase(text, STR("inf")))
    *out = negative ? -INFINITY : INFINITY;
  else
    return false;
  return true;
}

bool osdear__parse_f64(osdear__str text, double *out)
{
  static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
  const char *at = text.data, *end = text.data + text.size;
  bool negative = text.size && *at == '-', any = false, is_behind = false;
  int64_t mantissa = 0, exponent = 0, written = 0;

  if (text.size && (*at == '-' || *at == '+'))
    at++;
  if (at == end)
    return false;
  if (*at != '.' && (*at < '0' || *at > '9'))
    return parse_special((osdear__str){ at, (size_t)(end - at) }, negative, out);
  for (; at < end; at++) {
    if (*at == '.' && !is_behind) {
      is_behind = true;
      continue;
    }
    if (*at < '0' || *at > '9')
      break;
    any = true;
    if (mantissa > INT64_C(900719925474098)) /* the next digit could pass 2^53 */
      return slow_parse_f64(text, out);
    mantissa = mantissa * 10 + (*at - '0');
    exponent -= is_behind;
  }
  if (!any)
    return false;
  if (at < end) {
    if ((*at != 'e' && *at != 'E') || !osdear__parse_i64((osdear__str){ at + 1, (size_t)(end - at - 1) }, &written))
      return false;
    if (written < -400 || written > 400)
      return slow_parse_f64(text, out);
    exponent += written;
  }
  /* Both are exact as doubles, so one operation rounds once: the right answer (Clinger's fast path). */
  if (exponent < -22 || exponent > 22)
    return slow_parse_f64(text, out);
  *out = exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
  if (negative)
    *out = -*out;
  return true;
}

size_t osdear__format_i64(int64_t value, char out[24])
{
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  char digits[24];
  size_t count = 0, size = 0;

  do {
    digits[count++] = (char)('0' + (int)(rest % 10));
    rest /= 10;
  } while (rest);
  if (value < 0)
    out[size++] = '-';
  while (count)
    out[size++] = digits[--count];
  out[size] = '\0';
  return size;
}

static size_t put_text(char *out, const char *text)
{
  size_t size = strlen(text);

  memcpy(out, text, size + 1);
  return size;
}

/* Makes "1" a "1.0" and any locale's point a point. */
static size_t tidy(char *out, size_t size)
{
  bool is_plain = true;

  for (size_t i = 0; i < size; i++) {
    if (out[i] == ',')
      out[i] = '.';
    if (out[i] != '-' && (out[i] < '0' || out[i] > '9'))
      is_plain = false;
  }
  if (is_plain) {
    memcpy(out + size, ".0", 3);
    size += 2;
  }
  return size;
}

static size_t format_special(double value, char out[32])
{
  if (isnan(value))
    return put_text(out, "NaN");
  return put_text(out, value < 0 ? "-Infinity" : "Infinity");
}

/* As many digits as are needed to read the same value back. Numbers from 1e16 on have an exponent, as in Python and JavaScript. */
size_t osdear__format_f64(double value, char out[32])
{
  double size_of = fabs(value);
  size_t size = 0;

  if (!isfinite(value))
    return format_special(value, out);
  if (size_of < 1e16 && value == (double)(int64_t)value && !(value == 0 && signbit(value))) {
    size = osdear__format_i64((int64_t)value, out);
    return tidy(out, size);
  }
  /* Subnormal numbers have fewer than 15 digits to lose. */
  for (int digits = size_of < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
    double back;
    if (digits == 17 && size_of >= 1e16)
      size = (size_t)snprintf(out, 32, "%.16e", value);
    else
      size = (size_t)snprintf(out, 32, "%.*g", digits, value);
    size = tidy(out, size);
    if (digits == 17 || (osdear__parse_f64((osdear__str){ out, size }, &back) && back == value))
      break;
  }
  return size;
}

size_t osdear__format_f32(float value, char out[32])
{
  size_t size = 0;

  if (!isfinite(value))
    return format_special((double)value, out);
  for (int digits = 6; digits <= 9; digits++) {
    double back;
    size = (size_t)snprintf(out, 32, "%.*g", digits, (double)value);
    size = tidy(out, size);
    if (digits == 9 || (osdear__parse_f64((osdear__str){ out, size }, &back) && (float)back == value))
      break;
  }
  return size;
}
