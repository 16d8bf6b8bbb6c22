/* Values as text: numbers and times are put digit by digit where the library's own printers would be called a million times. */
#include "text.h"

#include <math.h>
#include <stdlib.h>

/* ---- numbers ---- */

static const char digit_pairs[] =
    "0001020304050607080910111213141516171819202122232425262728293031323334353637383940414243444546474849"
    "5051525354555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";

static char *put_u64(char *end, uint64_t value)
{
  while (value >= 100) {
    end -= 2;
    memcpy(end, digit_pairs + value % 100 * 2, 2);
    value /= 100;
  }
  if (value >= 10) {
    end -= 2;
    memcpy(end, digit_pairs + value * 2, 2);
  } else {
    *--end = (char)('0' + value);
  }
  return end;
}

static void text_u64(osdear__buf *out, uint64_t value)
{
  char digits[24], *end = digits + sizeof digits, *at = put_u64(end, value);

  osdear__buf_append(out, at, (size_t)(end - at));
}

static void text_i64(osdear__buf *out, int64_t value)
{
  char digits[24], *end = digits + sizeof digits, *at = put_u64(end, value < 0 ? -(uint64_t)value : (uint64_t)value);

  if (value < 0)
    *--at = '-';
  osdear__buf_append(out, at, (size_t)(end - at));
}

/* A fraction of few digits, which most are: the first k for which round(value * 10^k) / 10^k is the value again. That number is below
 * 10^15 and the power exact, so one division gives what reading the text would; and no text of up to 15 digits is as near but another. */
static size_t short_fraction(double value, char out[32])
{
  static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8, 1e9,
                                   1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18 };
  double size = fabs(value);

  if (!(size >= 1e-4 && size < 1e14))
    return 0;
  for (size_t k = 1; k < COUNT_OF(powers); k++) {
    double scaled = size * powers[k], whole;
    char digits[24], *end = digits + sizeof digits, *at;
    size_t count, put = 0;
    if (scaled >= 1e15)
      return 0;
    whole = nearbyint(scaled);
    if (whole / powers[k] != size)
      continue;
    at = put_u64(end, (uint64_t)whole);
    count = (size_t)(end - at);
    while (count <= k) {
      *--at = '0';
      count++;
    }
    if (value < 0)
      out[put++] = '-';
    memcpy(out + put, at, count - k);
    out[put + count - k] = '.';
    memcpy(out + put + count - k + 1, end - k, k);
    return put + count + 1;
  }
  return 0;
}

void osdear__text_f64(osdear__buf *out, double value)
{
  char text[32];
  size_t size = short_fraction(value, text);

  osdear__buf_append(out, text, size ? size : osdear__format_f64(value, text));
}

/* ---- strings ---- */

static const char hex_digits[] = "0123456789abcdef";

/* At most six bytes for each. */
static char *escape(char *put, const char *at, const char *end)
{
  static const char short_escapes[32] = { ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r' };

  for (; at < end; at++) {
    unsigned char c = (unsigned char)*at;
    if (LIKELY(c >= 0x20 && c != '"' && c != '\\')) {
      *put++ = (char)c;
      continue;
    }
    *put++ = '\\';
    if (c >= 0x20) {
      *put++ = (char)c;
    } else if (short_escapes[c]) {
      *put++ = short_escapes[c];
    } else {
      memcpy(put, "u00", 3);
      put[3] = hex_digits[c >> 4];
      put[4] = hex_digits[c & 15];
      put += 5;
    }
  }
  return put;
}

void osdear__text_string(osdear__buf *out, osdear__str value)
{
  const char *at = value.data, *end = value.data + value.size;
  const size_t piece = 4096; /* so that room for the worst case is not much */

  osdear__buf_putc(out, '"');
  while (at < end) {
    const char *stop = (size_t)(end - at) > piece ? at + piece : end;
    char *put = osdear__buf_reserve(out, (size_t)(stop - at) * 6);
    if (!put)
      return;
    put = escape(put, at, stop);
    *put = '\0';
    out->size = (size_t)(put - out->data);
    at = stop;
  }
  osdear__buf_putc(out, '"');
}

static void text_hex(osdear__buf *out, osdear__str value)
{
  char *put = osdear__buf_reserve(out, value.size * 2);

  if (!put)
    return;
  for (size_t i = 0; i < value.size; i++) {
    unsigned char c = (unsigned char)value.data[i];
    *put++ = hex_digits[c >> 4];
    *put++ = hex_digits[c & 15];
  }
  *put = '\0';
  out->size += value.size * 2;
}

/* ---- dates and times ---- */

static void put_day(osdear__text *text, int64_t day)
{
  if (!text->has_day || text->day != day) {
    text->day_size = osdear__format_date(day, text->day_text);
    text->day = day;
    text->has_day = true;
  }
  osdear__buf_append(text->out, text->day_text, text->day_size);
}

static void put_clock(osdear__buf *out, int64_t us)
{
  char clock[15];
  uint64_t seconds = (uint64_t)us / 1000000, fraction = (uint64_t)us % 1000000;

  memcpy(clock, digit_pairs + seconds / 3600 % 100 * 2, 2);
  clock[2] = ':';
  memcpy(clock + 3, digit_pairs + seconds / 60 % 60 * 2, 2);
  clock[5] = ':';
  memcpy(clock + 6, digit_pairs + seconds % 60 * 2, 2);
  clock[8] = '.';
  memcpy(clock + 9, digit_pairs + fraction / 10000 * 2, 2);
  memcpy(clock + 11, digit_pairs + fraction / 100 % 100 * 2, 2);
  memcpy(clock + 13, digit_pairs + fraction % 100 * 2, 2);
  osdear__buf_append(out, clock, sizeof clock);
}

static void put_timestamp(osdear__text *text, int64_t us, bool has_zone)
{
  int64_t rest;

  put_day(text, osdear__split_day(us, &rest));
  osdear__buf_putc(text->out, 'T');
  put_clock(text->out, rest);
  if (has_zone)
    osdear__buf_putc(text->out, 'Z');
}

/* ---- scalars ---- */

static osdear__str bytes_at(const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = array->buffers[1];
  const char *bytes = array->buffers[2];

  return (osdear__str){ offsets[row + 1] > offsets[row] ? bytes + offsets[row] : "", (size_t)(offsets[row + 1] - offsets[row]) };
}

static void put_decimal(osdear__buf *out, const osdear__type *type, const void *values, int64_t row)
{
  char digits[OSDEAR__DECIMAL_TEXT];
  osdear__int128 value;

  memcpy(&value, (const char *)values + row * 16, sizeof value);
  osdear__buf_append(out, digits, osdear__format_decimal(value, type->scale, digits));
}

static void plain_number(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  const void *values = array->buffers[1];
  osdear__scalar scalar;

  switch (type->kind) {
  case KIND_BOOLEAN: osdear__buf_puts(text->out, ((const uint8_t *)values)[row >> 3] >> (row & 7) & 1 ? "true" : "false"); return;
  case KIND_BYTE: text_i64(text->out, ((const int8_t *)values)[row]); return;
  case KIND_SHORT: text_i64(text->out, ((const int16_t *)values)[row]); return;
  case KIND_INTEGER: text_i64(text->out, ((const int32_t *)values)[row]); return;
  case KIND_LONG: text_i64(text->out, ((const int64_t *)values)[row]); return;
  case KIND_FLOAT: osdear__text_f64(text->out, (double)((const float *)values)[row]); return;
  case KIND_DOUBLE: osdear__text_f64(text->out, ((const double *)values)[row]); return;
  case KIND_FLOAT16:
    osdear__scalar_at(type, array, row, &scalar);
    osdear__text_f64(text->out, scalar.f64);
    return;
  default: /* UINT8 to UINT64 */
    osdear__scalar_at(type, array, row, &scalar);
    text_u64(text->out, (uint64_t)scalar.i64);
    return;
  }
}

void osdear__text_plain(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  osdear__str bytes;

  switch (type->kind) {
  case KIND_STRING:
    bytes = bytes_at(array, row);
    osdear__buf_append(text->out, bytes.data, bytes.size);
    return;
  case KIND_BINARY: text_hex(text->out, bytes_at(array, row)); return;
  case KIND_FIXED:
    text_hex(text->out, (osdear__str){ (const char *)array->buffers[1] + row * type->width, (size_t)type->width });
    return;
  case KIND_DECIMAL: put_decimal(text->out, type, array->buffers[1], row); return;
  case KIND_DATE: put_day(text, ((const int32_t *)array->buffers[1])[row]); return;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: put_timestamp(text, ((const int64_t *)array->buffers[1])[row], type->kind == KIND_TIMESTAMP); return;
  case KIND_TIME: put_clock(text->out, ((const int64_t *)array->buffers[1])[row]); return;
  case KIND_VOID: return;
  case KIND_ARRAY:
  case KIND_MAP:
  case KIND_STRUCT:
  case KIND_VARIANT: osdear__text_json(text, type, array, row); return;
  default: plain_number(text, type, array, row); return;
  }
}

/* ---- nested ---- */

static void json_struct(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  osdear__buf_putc(text->out, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    if (i)
      osdear__buf_putc(text->out, ',');
    osdear__text_string(text->out, osdear__str_of(type->fields[i].name));
    osdear__buf_putc(text->out, ':');
    osdear__text_json(text, &type->fields[i].type, array->children[i], row);
  }
  osdear__buf_putc(text->out, '}');
}

static void json_array(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = array->buffers[1];

  osdear__buf_putc(text->out, '[');
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    if (i > offsets[row])
      osdear__buf_putc(text->out, ',');
    osdear__text_json(text, &type->fields[0].type, array->children[0], i);
  }
  osdear__buf_putc(text->out, ']');
}

typedef struct map_entry {
  const char *base; /* of all the entries' text */
  size_t from, key_to, to;
} map_entry;

static int compare_keys(const void *a, const void *b)
{
  const map_entry *x = a, *y = b;

  return osdear__str_compare((osdear__str){ x->base + x->from, x->key_to - x->from },
                             (osdear__str){ y->base + y->from, y->key_to - y->from });
}

/* Each entry is put apart as `key,value`, since its place is known only when all keys are. */
static void json_map(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  SCOPED(buf) pairs = { 0 };
  const int32_t *offsets = array->buffers[1];
  const struct ArrowArray *entries = array->children[0];
  size_t count = (size_t)(offsets[row + 1] - offsets[row]);
  map_entry *places = count ? osdear__alloc_zeroed(count, sizeof *places) : NULL;
  osdear__text inner = { .out = &pairs };

  for (size_t i = 0; places && i < count; i++) {
    places[i].from = pairs.size;
    osdear__text_json(&inner, &type->fields[0].type, entries->children[0], offsets[row] + (int32_t)i);
    places[i].key_to = pairs.size;
    osdear__buf_putc(&pairs, ',');
    osdear__text_json(&inner, &type->fields[1].type, entries->children[1], offsets[row] + (int32_t)i);
    places[i].to = pairs.size;
  }
  if (pairs.failed || (count && !places)) {
    text->out->failed = pairs.failed ? pairs.failed : OSDEAR_ERR_NO_MEMORY;
    osdear__free(places);
    return;
  }
  for (size_t i = 0; i < count; i++)
    places[i].base = pairs.data;
  if (count)
    qsort(places, count, sizeof *places, compare_keys);
  osdear__buf_putc(text->out, '[');
  for (size_t i = 0; i < count; i++) {
    osdear__buf_puts(text->out, i ? ",[" : "[");
    osdear__buf_append(text->out, pairs.data + places[i].from, places[i].to - places[i].from);
    osdear__buf_putc(text->out, ']');
  }
  osdear__buf_putc(text->out, ']');
  osdear__free(places);
}

static void json_variant(osdear__text *text, const struct ArrowArray *array, int64_t row)
{
  SCOPED(buf) json = { 0 };
  bool is_good = osdear__variant_json(bytes_at(array->children[0], row), bytes_at(array->children[1], row), &json);

  osdear__buf_puts(text->out, "{\"variant\":");
  osdear__text_string(text->out, (osdear__str){ json.data ? json.data : "", json.size });
  osdear__buf_putc(text->out, '}');
  if (json.failed)
    text->out->failed = json.failed;
  else if (!is_good)
    text->out->failed = OSDEAR_ERR_CORRUPT;
}

osdear_status osdear__text_check(const osdear__buf *out, osdear_error **error)
{
  if (out->failed == OSDEAR_ERR_CORRUPT)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a variant's bytes contradict its encoding");
  return osdear__buf_check(out, error);
}

static bool is_quoted(const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  switch (type->kind) {
  case KIND_BINARY:
  case KIND_FIXED:
  case KIND_DECIMAL:
  case KIND_DATE:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: return true;
  case KIND_FLOAT: return !isfinite(((const float *)array->buffers[1])[row]);
  case KIND_DOUBLE: return !isfinite(((const double *)array->buffers[1])[row]);
  case KIND_FLOAT16:
    return (((const uint16_t *)array->buffers[1])[row] >> 10 & 31) == 31; /* the exponent of infinities and NaN */
  default: return false;
  }
}

void osdear__text_json(osdear__text *text, const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    osdear__buf_append(text->out, "null", 4);
    return;
  }
  switch (type->kind) {
  case KIND_STRING: osdear__text_string(text->out, bytes_at(array, row)); return;
  case KIND_STRUCT: json_struct(text, type, array, row); return;
  case KIND_ARRAY: json_array(text, type, array, row); return;
  case KIND_MAP: json_map(text, type, array, row); return;
  case KIND_VARIANT: json_variant(text, array, row); return;
  default: break;
  }
  if (is_quoted(type, array, row)) {
    osdear__buf_putc(text->out, '"');
    osdear__text_plain(text, type, array, row);
    osdear__buf_putc(text->out, '"');
  } else {
    osdear__text_plain(text, type, array, row);
  }
}
