/* Types from values. The lattice: boolean; long, then double; date, then timestamp_ntz or timestamp; string above all. */
#include "infer.h"

#include "value.h"

static bool is_digit(char c)
{
  return c >= '0' && c <= '9';
}

static osdear__class classify_word(osdear__str text)
{
  static const char *const words[] = { "nan", "inf", "infinity", "-inf", "-infinity" };

  if (text.size > 9)
    return CLASS_TEXT;
  if (osdear__str_equal_nocase(text, STR("true")) || osdear__str_equal_nocase(text, STR("false")))
    return CLASS_BOOLEAN;
  for (size_t i = 0; i < COUNT_OF(words); i++) {
    if (osdear__str_equal_nocase(text, osdear__str_of(words[i])))
      return CLASS_WORD;
  }
  return CLASS_TEXT;
}

osdear__class osdear__classify_time(osdear__str text)
{
  const char *at = text.data;
  int32_t days;
  int64_t us;
  bool has_zone;

  if (text.size < 10 || text.size > 40 || at[4] != '-' || at[7] != '-' || !is_digit(at[0]))
    return CLASS_TEXT;
  if (text.size == 10)
    return osdear__parse_date(text, &days) ? CLASS_DATE : CLASS_TEXT;
  if (text.size < 16 || !osdear__parse_timestamp(text, &us, &has_zone))
    return CLASS_TEXT;
  return has_zone ? CLASS_TIMESTAMP : CLASS_TIMESTAMP_NTZ;
}

/* Whole numbers of `digits` digits at `first`. Leading zeros ("007") and wide numbers are identifiers, whose digits must stay. */
static osdear__class classify_whole(osdear__str text, const char *first, size_t digits)
{
  int64_t value;

  if (*first == '0' && digits > 1)
    return CLASS_TEXT;
  if (*first == '0' && first != text.data)
    return CLASS_DOUBLE; /* a long has no -0 */
  return digits < 19 || osdear__parse_i64(text, &value) ? CLASS_LONG : CLASS_BIG;
}

osdear__class osdear__classify(osdear__str text)
{
  const char *at = text.data, *end = text.data + text.size, *first;
  size_t whole, behind = 0;

  if (!text.size)
    return CLASS_TEXT;
  at += *at == '-';
  first = at;
  while (at < end && is_digit(*at))
    at++;
  whole = (size_t)(at - first);
  if (at == end && whole)
    return classify_whole(text, first, whole);
  if (!whole && (at == end || *at != '.'))
    return classify_word(text);
  if (*at == '-' && whole == 4)
    return osdear__classify_time(text);
  if (whole > 1 && *first == '0')
    return CLASS_TEXT;
  if (*at == '.') {
    at++;
    while (at < end && is_digit(*at)) {
      at++;
      behind++;
    }
    if (whole + behind == 0)
      return CLASS_TEXT;
  }
  if (at < end && (*at == 'e' || *at == 'E')) {
    at++;
    at += at < end && (*at == '-' || *at == '+');
    if (at == end)
      return CLASS_TEXT;
    while (at < end && is_digit(*at))
      at++;
  }
  return at == end ? CLASS_DOUBLE : CLASS_TEXT;
}

void osdear__evidence_add(osdear__evidence *evidence, osdear__class class_, osdear__str text, int64_t line)
{
  size_t size = text.size;

  if (evidence->counts[class_]++)
    return;
  evidence->lines[class_] = line;
  if (size > OSDEAR__EXAMPLE_BYTES) {
    size = OSDEAR__EXAMPLE_BYTES;
    while (size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
      size--; /* not in the middle of a character */
  }
  if (size)
    memcpy(evidence->examples[class_], text.data, size);
  evidence->examples[class_][size] = '\0';
}

void osdear__evidence_null(osdear__evidence *evidence, const char *text)
{
  evidence->counts[CLASS_NULL]++;
  for (size_t i = 0; i < COUNT_OF(evidence->null_texts); i++) {
    if (!evidence->null_texts[i])
      evidence->null_texts[i] = text;
    if (evidence->null_texts[i] == text)
      return;
  }
}

/* The kinds each class fits into, as bits by kind. */
static uint32_t kinds_of(osdear__class class_)
{
  static const uint32_t kinds[CLASS_COUNT] = {
    [CLASS_BOOLEAN] = 1u << KIND_BOOLEAN,
    [CLASS_LONG] = 1u << KIND_LONG | 1u << KIND_DOUBLE,
    [CLASS_BIG] = 1u << KIND_DOUBLE,
    [CLASS_DOUBLE] = 1u << KIND_DOUBLE,
    [CLASS_WORD] = 1u << KIND_DOUBLE,
    [CLASS_DATE] = 1u << KIND_DATE | 1u << KIND_TIMESTAMP_NTZ | 1u << KIND_TIMESTAMP,
    [CLASS_TIMESTAMP_NTZ] = 1u << KIND_TIMESTAMP_NTZ,
    [CLASS_TIMESTAMP] = 1u << KIND_TIMESTAMP,
    [CLASS_OBJECT] = 1u << KIND_STRUCT,
    [CLASS_ARRAY] = 1u << KIND_ARRAY,
  };

  return kinds[class_];
}

osdear__kind osdear__evidence_kind(const osdear__evidence *evidence)
{
  static const osdear__kind order[] = { KIND_BOOLEAN,       KIND_LONG,      KIND_DOUBLE, KIND_DATE,
                                        KIND_TIMESTAMP_NTZ, KIND_TIMESTAMP, KIND_STRUCT, KIND_ARRAY };
  uint32_t fits = UINT32_MAX;
  bool any = false;

  for (size_t i = CLASS_NULL + 1; i < CLASS_COUNT; i++) {
    if (!evidence->counts[i])
      continue;
    fits &= kinds_of((osdear__class)i);
    any = true;
  }
  /* Whole numbers past 64 bits stay text, digit for digit, unless fractions among them show that they are measures; and words such as
   * NaN make no column of numbers by themselves. */
  if (!evidence->counts[CLASS_DOUBLE] && (evidence->counts[CLASS_BIG] || !evidence->counts[CLASS_LONG]))
    fits &= ~(1u << KIND_DOUBLE);
  if (!any)
    return KIND_STRING;
  for (size_t i = 0; i < COUNT_OF(order); i++) {
    if (fits >> order[i] & 1)
      return order[i];
  }
  return KIND_STRING;
}

void osdear__put_count(osdear__buf *out, int64_t count)
{
  char digits[24];
  size_t size = osdear__format_i64(count, digits);

  for (size_t i = 0; i < size; i++) {
    if (i && (size - i) % 3 == 0 && digits[i - 1] != '-')
      osdear__buf_putc(out, ',');
    osdear__buf_putc(out, digits[i]);
  }
}

static const char *const class_words[CLASS_COUNT] = {
  "null",
  "true or false",
  "whole numbers",
  "whole numbers past 64 bits",
  "numbers with a fraction",
  "NaN or Infinity",
  "dates",
  "times without a zone",
  "times with a zone",
  "text",
  "objects",
  "arrays",
};

static void put_nulls(const osdear__evidence *evidence, osdear__buf *out)
{
  bool is_first = true;

  if (!evidence->counts[CLASS_NULL])
    return;
  osdear__buf_puts(out, "; ");
  osdear__put_count(out, evidence->counts[CLASS_NULL]);
  osdear__buf_puts(out, " null");
  for (size_t i = 0; i < COUNT_OF(evidence->null_texts) && evidence->null_texts[i]; i++) {
    osdear__buf_puts(out, is_first ? " (" : ", ");
    osdear__buf_puts(out, *evidence->null_texts[i] ? evidence->null_texts[i] : "empty");
    is_first = false;
  }
  if (!is_first)
    osdear__buf_putc(out, ')');
}

void osdear__evidence_reason(const osdear__evidence *evidence, osdear__buf *out)
{
  int64_t total = 0;
  bool is_first = true;

  for (size_t i = CLASS_NULL + 1; i < CLASS_COUNT; i++)
    total += evidence->counts[i];
  if (!total)
    osdear__buf_puts(out, "no value was looked at");
  for (size_t i = CLASS_NULL + 1; i < CLASS_COUNT; i++) {
    if (!evidence->counts[i])
      continue;
    if (!is_first)
      osdear__buf_puts(out, ", ");
    osdear__put_count(out, evidence->counts[i]);
    if (is_first) {
      osdear__buf_puts(out, " of ");
      osdear__put_count(out, total);
      osdear__buf_puts(out, " values looked at");
    }
    osdear__buf_puts(out, " are ");
    osdear__buf_puts(out, class_words[i]);
    if (evidence->counts[i] != total)
      osdear__buf_printf(out, " (first \"%s\", line %" PRId64 ")", evidence->examples[i], evidence->lines[i]);
    is_first = false;
  }
  put_nulls(evidence, out);
}
