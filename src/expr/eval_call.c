/** @file eval_call.c Functions on text and dates, and concatenation. */
#include "vector.h"

/* ---- letters ---- */

/* Capital letters of two bytes in UTF-8 and how far their small ones are: Latin-1, Latin Extended-A, Greek, Cyrillic, Armenian. */
static const struct {
  uint16_t from, to;
  int16_t distance;
  uint16_t step;
} cases[] = {
  { 0xC0, 0xD6, 32, 1 },   { 0xD8, 0xDE, 32, 1 },     { 0x100, 0x12E, 1, 2 },  { 0x132, 0x136, 1, 2 },  { 0x139, 0x147, 1, 2 },
  { 0x14A, 0x176, 1, 2 },  { 0x178, 0x178, -121, 1 }, { 0x179, 0x17D, 1, 2 },  { 0x386, 0x386, 38, 1 }, { 0x388, 0x38A, 37, 1 },
  { 0x38C, 0x38C, 64, 1 }, { 0x38E, 0x38F, 63, 1 },   { 0x391, 0x3A1, 32, 1 }, { 0x3A3, 0x3AB, 32, 1 }, { 0x400, 0x40F, 80, 1 },
  { 0x410, 0x42F, 32, 1 }, { 0x460, 0x480, 1, 2 },    { 0x48A, 0x4BE, 1, 2 },  { 0x531, 0x556, 48, 1 },
};

static int32_t fold_character(int32_t c, bool upper)
{
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    int32_t capital = upper ? c - cases[i].distance : c;
    if (capital >= cases[i].from && capital <= cases[i].to && (capital - cases[i].from) % cases[i].step == 0)
      return upper ? capital : c + cases[i].distance;
  }
  return c;
}

static void fold_case(char *text, size_t size, bool upper)
{
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    if (c < 0x80) {
      bool is_other = upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z';
      text[i] = (char)(is_other ? c ^ 0x20 : c);
    } else if (c >= 0xC2 && c <= 0xDF && i + 1 < size) {
      int32_t folded = fold_character((c & 0x1F) << 6 | (text[i + 1] & 0x3F), upper);
      text[i] = (char)(0xC0 | folded >> 6);
      text[i + 1] = (char)(0x80 | (folded & 0x3F));
      i++;
    }
  }
}

/* ---- text ---- */

/* Where the character of that number begins. */
static size_t character_at(osdear__str text, int64_t number)
{
  size_t at = 0;
  while (at < text.size && number > 0) {
    at++;
    while (at < text.size && ((unsigned char)text.data[at] & 0xC0) == 0x80)
      at++;
    number--;
  }
  return at;
}

/* Spark's SUBSTRING: positions from 1, 0 is 1, negative ones count from the end; what lies before the text is cut off. */
static osdear__str substring(osdear__str text, int64_t position, int64_t length)
{
  int64_t start = position > 0 ? position - 1 : position;
  if (start < 0)
    start += osdear__utf8_length(text);
  int64_t end = start + (length < 0 ? 0 : length);
  if (start < 0)
    start = 0;
  if (end <= start)
    return (osdear__str){ text.data, 0 };
  size_t from = character_at(text, start);
  osdear__str rest = { text.data + from, text.size - from };
  return (osdear__str){ rest.data, character_at(rest, end - start) };
}

static osdear__str trim_blanks(osdear__str text)
{
  while (text.size > 0 && text.data[0] == ' ') {
    text.data++;
    text.size--;
  }
  while (text.size > 0 && text.data[text.size - 1] == ' ')
    text.size--;
  return text;
}

static int64_t integer_at(const osdear__vector *v, int64_t row)
{
  return ((const int32_t *)v->values)[v->constant ? 0 : row];
}

static osdear_status add_blanks(const osdear__frame *frame, osdear__text_out *text, int64_t count, osdear_error **error)
{
  static const char blanks[] = "                                                                ";
  osdear_status st = OSDEAR_OK;

  for (int64_t size; count > 0 && !st; count -= size) {
    size = count < (int64_t)sizeof blanks - 1 ? count : (int64_t)sizeof blanks - 1;
    st = osdear__text_add(frame, text, blanks, (size_t)size, error);
  }
  return st;
}

static osdear_status call_text(const osdear__expr *expr, const osdear__frame *frame, const osdear__vector *arguments,
                               osdear__vector *out, osdear_error **error)
{
  osdear__text_out text;
  osdear_status st = osdear__text_new(frame, &text, error);
  for (int64_t i = 0; i < frame->length && !st; i++) {
    text.starts[i] = (int32_t)text.size;
    if (osdear__vector_is_null(&arguments[0], i))
      continue;
    osdear__str value = osdear__vector_bytes(&arguments[0], i);
    if (expr->function == FUNCTION_SUBSTRING)
      value = substring(value, integer_at(&arguments[1], i), expr->child_count > 2 ? integer_at(&arguments[2], i) : INT32_MAX);
    else if (expr->function == FUNCTION_TRIM)
      value = trim_blanks(value);
    st = osdear__text_add(frame, &text, value.data, value.size, error);
    if (!st && (expr->function == FUNCTION_LOWER || expr->function == FUNCTION_UPPER))
      fold_case(text.data + text.size - value.size, value.size, expr->function == FUNCTION_UPPER);
    if (!st && expr->function == FUNCTION_PAD)
      st = add_blanks(frame, &text, expr->type.width - osdear__utf8_length(value), error);
  }
  if (st)
    return st;
  text.starts[frame->length] = (int32_t)text.size;
  osdear__text_done(&text, out);
  return OSDEAR_OK;
}

static osdear_status call_integer(const osdear__expr *expr, const osdear__frame *frame, const osdear__vector *v,
                                  osdear__vector *out, osdear_error **error)
{
  int32_t *values = osdear__values_new(frame, 4, error);
  if (!values)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < frame->length; i++) {
    if (expr->function == FUNCTION_LENGTH) {
      osdear__str text = osdear__vector_bytes(v, i);
      values[i] = (int32_t)(v->type->kind == KIND_BINARY ? (int64_t)text.size : osdear__utf8_length(text));
      continue;
    }
    int64_t year;
    int32_t month;
    int32_t day;
    osdear__civil_of(integer_at(v, i), &year, &month, &day);
    values[i] = expr->function == FUNCTION_YEAR ? (int32_t)year : expr->function == FUNCTION_MONTH ? month : day;
  }
  out->values = values;
  return OSDEAR_OK;
}

/* ---- ABS ---- */

#define ABSOLUTE(name, type, lowest)                          \
  static uint64_t name(void *values, int64_t count)           \
  {                                                           \
    type *a = values;                                         \
    uint64_t bad = 0;                                         \
    for (int64_t i = 0; i < count; i++) {                     \
      bad |= (uint64_t)(a[i] == lowest) << i;                 \
      a[i] = a[i] < 0 && a[i] != lowest ? (type)-a[i] : a[i]; \
    }                                                         \
    return bad;                                               \
  }
ABSOLUTE(abs_i8, int8_t, INT8_MIN)
ABSOLUTE(abs_i16, int16_t, INT16_MIN)
ABSOLUTE(abs_i32, int32_t, INT32_MIN)
ABSOLUTE(abs_i64, int64_t, INT64_MIN)

/* The sign bit is cleared in floats; decimals have no lowest value of their own. */
static uint64_t abs_other(osdear__kind kind, char *values, int64_t count)
{
  for (int64_t i = 0; i < count; i++) {
    if (kind == KIND_FLOAT) {
      values[i * 4 + 3] = (char)(values[i * 4 + 3] & 0x7F);
    } else if (kind == KIND_DOUBLE) {
      values[i * 8 + 7] = (char)(values[i * 8 + 7] & 0x7F);
    } else {
      osdear__int128 v = osdear__load_i128(values, i);
      v = v < 0 ? -v : v;
      memcpy(values + i * 16, &v, sizeof v);
    }
  }
  return 0;
}

static osdear_status call_abs(const osdear__expr *expr, const osdear__frame *frame, const osdear__vector *v, osdear__vector *out,
                              osdear_error **error)
{
  size_t width = (size_t)osdear__type_width(&expr->type);
  char *values = osdear__values_new(frame, width, error);
  uint64_t *ok = osdear__bits_new(frame, error);
  if (!values || !ok)
    return OSDEAR_ERR_NO_MEMORY;
  memcpy(values, v->values, width * (size_t)frame->length);
  for (int64_t i = 0; i < frame->length; i += 64) {
    int64_t count = frame->length - i < 64 ? frame->length - i : 64;
    char *at = values + (size_t)i * width;
    switch (expr->type.kind) {
    case KIND_BYTE: ok[i / 64] = ~abs_i8(at, count); break;
    case KIND_SHORT: ok[i / 64] = ~abs_i16(at, count); break;
    case KIND_INTEGER: ok[i / 64] = ~abs_i32(at, count); break;
    case KIND_LONG: ok[i / 64] = ~abs_i64(at, count); break;
    default: ok[i / 64] = ~abs_other(expr->type.kind, at, count); break;
    }
  }
  out->values = values;
  return osdear__vector_verdict(frame, expr, "overflow", (const uint8_t *)ok, out, error);
}

osdear_status osdear__eval_call(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector arguments[3] = { { 0 } };
  *out = (osdear__vector){ .type = &expr->type };
  for (size_t i = 0; i < expr->child_count; i++) {
    osdear_status st = osdear__vector_eval_rows(expr->children[i], frame, &arguments[i], error);
    if (!st)
      st = osdear__bits_and(frame, out->validity, arguments[i].validity, &out->validity, error);
    if (st)
      return st;
  }
  switch (expr->function) {
  case FUNCTION_ABS: return call_abs(expr, frame, arguments, out, error);
  case FUNCTION_LENGTH:
  case FUNCTION_YEAR:
  case FUNCTION_MONTH:
  case FUNCTION_DAY: return call_integer(expr, frame, arguments, out, error);
  default: return call_text(expr, frame, arguments, out, error);
  }
}

osdear_status osdear__eval_concat(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector *parts = osdear__arena_alloc(frame->arena, expr->child_count * sizeof *parts);
  osdear__text_out text;
  if (!parts)
    return osdear__fail_memory(error);
  *out = (osdear__vector){ .type = &expr->type };
  for (size_t i = 0; i < expr->child_count; i++) {
    osdear_status st = osdear__vector_eval(expr->children[i], frame, &parts[i], error);
    if (!st)
      st = osdear__vector_validity(frame, &parts[i], out, &out->validity, error);
    if (st)
      return st;
  }
  osdear_status st = osdear__text_new(frame, &text, error);
  for (int64_t row = 0; row < frame->length && !st; row++) {
    text.starts[row] = (int32_t)text.size;
    for (size_t i = 0; i < expr->child_count && !st && !osdear__vector_is_null(out, row); i++) {
      osdear__str part = osdear__vector_bytes(&parts[i], row);
      st = osdear__text_add(frame, &text, part.data, part.size, error);
    }
  }
  if (st)
    return st;
  text.starts[frame->length] = (int32_t)text.size;
  osdear__text_done(&text, out);
  return OSDEAR_OK;
}
