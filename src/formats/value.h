/** @file value.h Text of a cell as a value. The short forms are inline: they are what a reader does a hundred million times. */
#ifndef OSDEAR_SRC_FORMATS_VALUE_H
#define OSDEAR_SRC_FORMATS_VALUE_H

#include <arrow/arrow.h>

static inline osdear__str osdear__trim(osdear__str text)
{
  while (text.size && (text.data[0] == ' ' || text.data[0] == '\t')) {
    text.data++;
    text.size--;
  }
  while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
    text.size--;
  return text;
}

/* Eight decimal digits at once, after Lemire: false unless all are digits. */
static inline bool osdear__eight_digits(const char *at, uint64_t *out)
{
  uint64_t v = osdear__load_u64(at);

  if (((v & 0xf0f0f0f0f0f0f0f0u) | (((v + 0x0606060606060606u) & 0xf0f0f0f0f0f0f0f0u) >> 4)) != 0x3333333333333333u)
    return false;
  v = (v & 0x0f0f0f0f0f0f0f0fu) * 2561 >> 8;
  v = (v & 0x00ff00ff00ff00ffu) * 6553601 >> 16;
  *out = (v & 0x0000ffff0000ffffu) * 42949672960001u >> 32;
  return true;
}

/* [-+]digits. */
static inline bool osdear__quick_i64(const char *at, size_t size, int64_t *out)
{
  const char *end = at + size;
  bool is_negative = size && *at == '-';
  uint64_t value = 0, eight;

  at += size && (*at == '-' || *at == '+');
  if (at == end || end - at > 18)
    return osdear__parse_i64((osdear__str){ end - size, size }, out);
  while (end - at >= 8) {
    if (!osdear__eight_digits(at, &eight))
      return false;
    value = value * 100000000 + eight;
    at += 8;
  }
  for (; at < end; at++) {
    unsigned digit = (unsigned char)*at - (unsigned)'0';
    if (digit > 9)
      return false;
    value = value * 10 + digit;
  }
  *out = is_negative ? -(int64_t)value : (int64_t)value;
  return true;
}

static inline bool osdear__two_digits(const char *at, int32_t *out)
{
  unsigned tens = (unsigned char)at[0] - (unsigned)'0', ones = (unsigned char)at[1] - (unsigned)'0';

  *out = (int32_t)(tens * 10 + ones);
  return tens < 10 && ones < 10;
}

/* The correctly rounded double; texts as osdear__parse_f64() takes them. */
MUST_USE bool osdear__quick_f64(const char *at, size_t size, double *out);

/* The last date that was asked for: neighbours in a column are often equal. Zero-initialise. */
typedef struct osdear__date_cache {
  uint64_t text; /* of YYYY-MM- */
  int32_t first; /* day 1 of that month */
  int32_t month_days;
} osdear__date_cache;
MUST_USE bool osdear__quick_date(osdear__date_cache *cache, const char *at, size_t size, int32_t *out);
/* Whole, as osdear__parse_timestamp(). */
MUST_USE bool osdear__quick_timestamp(osdear__date_cache *cache, const char *at, size_t size, int64_t *out, bool *has_zone);

/* true, false, t, f, yes, no, y, n, 1, 0 in any case: what a column that was declared boolean takes. */
MUST_USE bool osdear__text_boolean(osdear__str text, bool *out);
/* Pairs of hex digits; `out` has room for size / 2 bytes. */
MUST_USE bool osdear__text_hex(osdear__str text, uint8_t *out);

/* Any scalar type from text. Strings and binaries borrow `text` or `scratch`. False: it does not fit. */
MUST_USE bool osdear__text_value(osdear__str text, const osdear__type *type, osdear__buf *scratch, osdear__scalar *out);
/* Can osdear__text_value() do it at all? */
bool osdear__text_can_be(const osdear__type *type);

#endif
