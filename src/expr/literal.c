/** @file literal.c Constants as SQL writes them: numbers, bytes, dates and times. */
#include "node.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Where the digits end and a suffix such as L or BD begins. */
static size_t suffix_at(osdear__str source)
{
  size_t i = source.size;
  while (i > 0 && !is_digit(source.data[i - 1]) && source.data[i - 1] != '.')
    i--;
  return i;
}

static osdear_status bad_number(const osdear__expr_maker *maker, osdear__str source, osdear_error **error)
{
  return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, source.data, error, "'%.*s' is not a number, or too large for its type",
                           (int)(source.size < 100 ? source.size : 100), source.data);
}

static bool integer_in(osdear__int128 value, osdear__kind kind)
{
  int32_t bits = kind == KIND_BYTE ? 7 : kind == KIND_SHORT ? 15 : kind == KIND_INTEGER ? 31 : 63;
  osdear__int128 limit = (osdear__int128)1 << bits;
  return value >= -limit && value < limit;
}

static void set_integer(osdear__expr *out, osdear__kind kind, osdear__int128 value)
{
  out->type = osdear__type_of(kind);
  out->value = (osdear__scalar){ .kind = kind, .i64 = (int64_t)value };
}

static osdear_status set_decimal(const osdear__expr_maker *maker, osdear__str source, osdear__str digits, bool negative,
                                 osdear__expr *out, osdear_error **error)
{
  const char *point = memchr(digits.data, '.', digits.size);
  size_t scale = point ? digits.size - (size_t)(point - digits.data) - 1 : 0;
  osdear__int128 value;

  if (scale > 38 || !osdear__parse_decimal(digits, 38, (int32_t)scale, &value))
    return bad_number(maker, source, error);
  int32_t precision = 1;
  while (precision < 38 && value >= osdear__pow10(precision))
    precision++;
  if (precision < (int32_t)scale)
    precision = (int32_t)scale;
  out->type = osdear__type_decimal(precision, (int32_t)scale);
  out->value = (osdear__scalar){ .kind = KIND_DECIMAL, .scale = (int32_t)scale, .decimal = negative ? -value : value };
  return OSDEAR_OK;
}

/* An integer without suffix is the first of int, long and decimal that holds it, as in Spark. */
static osdear_status set_whole(const osdear__expr_maker *maker, osdear__str source, osdear__str digits, bool negative,
                               osdear__kind kind, osdear__expr *out, osdear_error **error)
{
  osdear__int128 value;
  if (!osdear__parse_decimal(digits, 38, 0, &value))
    return bad_number(maker, source, error);
  if (negative)
    value = -value;
  if (kind != KIND_VOID && !integer_in(value, kind))
    return bad_number(maker, source, error);
  if (kind == KIND_VOID && integer_in(value, KIND_INTEGER))
    kind = KIND_INTEGER;
  else if (kind == KIND_VOID && integer_in(value, KIND_LONG))
    kind = KIND_LONG;
  if (kind == KIND_VOID)
    return set_decimal(maker, source, digits, negative, out, error);
  set_integer(out, kind, value);
  return OSDEAR_OK;
}

static osdear_status set_float(const osdear__expr_maker *maker, osdear__str source, osdear__str digits, bool negative,
                               osdear__kind kind, osdear__expr *out, osdear_error **error)
{
  double value;
  if (!osdear__parse_f64(digits, &value))
    return bad_number(maker, source, error);
  if (kind == KIND_FLOAT)
    value = (float)value;
  out->type = osdear__type_of(kind);
  out->value = (osdear__scalar){ .kind = kind, .f64 = negative ? -value : value };
  return OSDEAR_OK;
}

osdear_status osdear__literal_number(const osdear__expr_maker *maker, osdear__str source, bool negative, osdear__expr *out,
                                     osdear_error **error)
{
  static const struct {
    const char *text;
    osdear__kind kind;
  } suffixes[] = { { "", KIND_VOID },   { "y", KIND_BYTE },   { "s", KIND_SHORT },   { "l", KIND_LONG },
                   { "f", KIND_FLOAT }, { "d", KIND_DOUBLE }, { "bd", KIND_DECIMAL } };
  size_t end = suffix_at(source);
  osdear__str digits = { source.data, end };
  osdear__str suffix = { source.data + end, source.size - end };
  bool has_exponent = memchr(digits.data, 'e', digits.size) || memchr(digits.data, 'E', digits.size);
  bool has_point = memchr(digits.data, '.', digits.size);

  for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
    osdear__kind kind = suffixes[i].kind;
    if (!osdear__str_equal_nocase(suffix, osdear__str_of(suffixes[i].text)))
      continue;
    if (osdear__kind_is_float(kind) || (kind == KIND_VOID && has_exponent))
      return set_float(maker, source, digits, negative, kind == KIND_FLOAT ? KIND_FLOAT : KIND_DOUBLE, out, error);
    if (has_exponent)
      break;
    if (kind == KIND_DECIMAL || (kind == KIND_VOID && has_point))
      return set_decimal(maker, source, digits, negative, out, error);
    if (has_point)
      break;
    return set_whole(maker, source, digits, negative, kind, out, error);
  }
  return bad_number(maker, source, error);
}

static int hex_value(char c)
{
  if (is_digit(c))
    return c - '0';
  c = (char)(c | 0x20);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An odd number of digits has a 0 put before it, as in Spark. */
osdear_status osdear__literal_hex(const osdear__expr_maker *maker, osdear__token text, osdear__expr *out, osdear_error **error)
{
  osdear__str digits = text.value;
  size_t size = (digits.size + 1) / 2;
  char *bytes = osdear__arena_zeroed(maker->arena, size + 1, 1);
  if (!bytes)
    return osdear__fail_memory(error);
  size_t nibble = digits.size & 1;
  for (size_t i = 0; i < digits.size; i++, nibble++) {
    int value = hex_value(digits.data[i]);
    if (value < 0)
      return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, text.source.data, error,
                               "X'…' holds something other than hexadecimal digits");
    bytes[nibble / 2] = (char)(nibble & 1 ? bytes[nibble / 2] | value : value << 4);
  }
  out->type = osdear__type_of(KIND_BINARY);
  out->value = (osdear__scalar){ .kind = KIND_BINARY, .bytes = { bytes, size } };
  return OSDEAR_OK;
}

osdear_status osdear__literal_time(const osdear__expr_maker *maker, osdear__kind kind, osdear__token text, osdear__expr *out,
                                   osdear_error **error)
{
  osdear__scalar value = { .kind = kind };
  int32_t days = 0;
  bool has_zone = false;
  bool ok;

  if (kind == KIND_DATE) {
    ok = osdear__parse_date(text.value, &days);
    value.i64 = days;
  } else {
    /* A time without a zone is UTC, which is the session's zone here; a day alone is its midnight. */
    ok = osdear__parse_timestamp(text.value, &value.i64, &has_zone);
    if (!ok && osdear__parse_date(text.value, &days))
      ok = osdear__mul_i64(days, OSDEAR__DAY_US, &value.i64);
    if (kind == KIND_TIMESTAMP_NTZ && has_zone)
      ok = false;
  }
  if (!ok)
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, text.source.data, error, "not a valid %s%s", osdear__kind_name(kind),
                             kind == KIND_DATE ? " (YYYY-MM-DD)" : " (YYYY-MM-DD HH:MM:SS)");
  out->type = osdear__type_of(kind);
  out->value = value;
  return OSDEAR_OK;
}
