/** @file variant_json.c A variant's two byte strings as JSON text. */
#include <arrow/cast.h>

#define TEXT_BYTES ((size_t)256 << 20) /* offsets may point to one value many times: the text is bounded, not only the bytes */

typedef struct variant {
  osdear__str metadata;
  osdear__str value;
  osdear__buf *out;
} variant;

/* A little-endian number of 1 to 4 bytes. */
static bool read_number(osdear__str bytes, size_t at, size_t size, uint32_t *out)
{
  uint32_t number = 0;

  if (at > bytes.size || size > bytes.size - at)
    return false;
  memcpy(&number, bytes.data + at, size);
  *out = number;
  return true;
}

static bool read_bytes(osdear__str bytes, size_t at, size_t size, void *out)
{
  if (at > bytes.size || size > bytes.size - at)
    return false;
  memcpy(out, bytes.data + at, size);
  return true;
}

/* ---- text ---- */

static void put_unit(osdear__buf *out, uint32_t unit)
{
  osdear__buf_printf(out, "\\u%04x", unit);
}

static void put_ascii(osdear__buf *out, osdear__str text)
{
  size_t at = 0;

  osdear__buf_putc(out, '"');
  while (at < text.size) {
    unsigned char lead = (unsigned char)text.data[at];
    size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t point = size == 1 ? lead : lead & (0x7fu >> size);
    for (size_t i = 1; i < size; i++)
      point = point << 6 | ((unsigned char)text.data[at + i] & 0x3f);
    at += size;
    if (point == '"' || point == '\\') {
      osdear__buf_putc(out, '\\');
      osdear__buf_putc(out, (char)point);
    } else if (point >= 0x20 && point < 0x7f) {
      osdear__buf_putc(out, (char)point);
    } else if (point == '\n' || point == '\t' || point == '\r' || point == '\b' || point == '\f') {
      osdear__buf_putc(out, '\\');
      osdear__buf_putc(out, point == '\n' ? 'n' : point == '\t' ? 't' : point == '\r' ? 'r' : point == '\b' ? 'b' : 'f');
    } else if (point < 0x10000) {
      put_unit(out, point);
    } else {
      put_unit(out, 0xd800 + ((point - 0x10000) >> 10));
      put_unit(out, 0xdc00 + ((point - 0x10000) & 0x3ff));
    }
  }
  osdear__buf_putc(out, '"');
}

static bool put_string(const variant *v, size_t at, size_t size)
{
  osdear__str text;

  if (at > v->value.size || size > v->value.size - at)
    return false;
  text = (osdear__str){ v->value.data + at, size };
  if (!osdear__utf8_is_valid(text.data, text.size))
    return false;
  put_ascii(v->out, text);
  return true;
}

static bool put_base64(const variant *v, size_t at, size_t size)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const unsigned char *bytes = (const unsigned char *)v->value.data + at;

  if (at > v->value.size || size > v->value.size - at)
    return false;
  osdear__buf_putc(v->out, '"');
  for (size_t i = 0; i < size; i += 3) {
    uint32_t group = (uint32_t)bytes[i] << 16;
    group |= i + 1 < size ? (uint32_t)bytes[i + 1] << 8 : 0;
    group |= i + 2 < size ? bytes[i + 2] : 0;
    osdear__buf_putc(v->out, digits[group >> 18]);
    osdear__buf_putc(v->out, digits[group >> 12 & 63]);
    osdear__buf_putc(v->out, i + 1 < size ? digits[group >> 6 & 63] : '=');
    osdear__buf_putc(v->out, i + 2 < size ? digits[group & 63] : '=');
  }
  osdear__buf_putc(v->out, '"');
  return true;
}

/* ---- scalars ---- */

static bool put_integer(const variant *v, size_t at, size_t size)
{
  int64_t number = 0;
  char text[24];

  if (!read_bytes(v->value, at, size, &number))
    return false;
  number = (int64_t)((uint64_t)number << (64 - size * 8)) >> (64 - size * 8); /* its sign */
  osdear__buf_append(v->out, text, osdear__format_i64(number, text));
  return true;
}

static bool put_decimal(const variant *v, size_t at, size_t size)
{
  char text[OSDEAR__DECIMAL_TEXT];
  osdear__int128 number = 0;
  uint8_t scale;

  if (!read_bytes(v->value, at, 1, &scale) || scale > 38 || !read_bytes(v->value, at + 1, size, &number))
    return false;
  number = (osdear__int128)((osdear__uint128)number << (128 - size * 8)) >> (128 - size * 8);
  osdear__buf_append(v->out, text, osdear__format_decimal(number, scale, text));
  return true;
}

static bool put_float(const variant *v, size_t at, size_t size)
{
  char text[32];
  double number;
  float single;

  if (size == sizeof single) {
    if (!read_bytes(v->value, at, sizeof single, &single))
      return false;
    number = (double)single;
  } else if (!read_bytes(v->value, at, sizeof number, &number)) {
    return false;
  }
  osdear__buf_append(v->out, text, osdear__format_f64(number, text));
  return true;
}

static bool put_date(const variant *v, size_t at)
{
  char text[OSDEAR__TIME_TEXT];
  int32_t days;

  if (!read_bytes(v->value, at, sizeof days, &days))
    return false;
  osdear__buf_putc(v->out, '"');
  osdear__buf_append(v->out, text, osdear__format_date(days, text));
  osdear__buf_putc(v->out, '"');
  return true;
}

/* Fractions of a second stand there only where there are any. `per_us`: 1000 for nanoseconds. */
static bool put_timestamp(const variant *v, size_t at, int64_t per_us, bool has_zone)
{
  char text[OSDEAR__TIME_TEXT];
  int64_t time, us, rest;
  size_t size;

  if (!read_bytes(v->value, at, sizeof time, &time))
    return false;
  us = time / per_us;
  rest = time % per_us;
  if (rest < 0) {
    rest += per_us;
    us--;
  }
  size = osdear__format_timestamp(us, ' ', "", text);
  if (us % 1000000 == 0 && !rest)
    size -= 7;
  osdear__buf_putc(v->out, '"');
  osdear__buf_append(v->out, text, size);
  if (rest)
    osdear__buf_printf(v->out, "%03d", (int)rest);
  osdear__buf_puts(v->out, has_zone ? "+00:00\"" : "\"");
  return true;
}

static bool put_time(const variant *v, size_t at)
{
  char text[OSDEAR__TIME_TEXT];
  int64_t us;
  size_t size;

  if (!read_bytes(v->value, at, sizeof us, &us) || us < 0 || us >= OSDEAR__DAY_US)
    return false;
  size = osdear__format_timestamp(us, ' ', "", text);
  osdear__buf_putc(v->out, '"');
  osdear__buf_append(v->out, text + 11, size - 11 - (us % 1000000 ? 0 : 7)); /* behind the date and the space */
  osdear__buf_putc(v->out, '"');
  return true;
}

static bool put_uuid(const variant *v, size_t at)
{
  uint8_t bytes[16];

  if (!read_bytes(v->value, at, sizeof bytes, bytes))
    return false;
  osdear__buf_putc(v->out, '"');
  for (size_t i = 0; i < sizeof bytes; i++)
    osdear__buf_printf(v->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
  osdear__buf_putc(v->out, '"');
  return true;
}

static bool put_primitive(const variant *v, size_t at, unsigned type)
{
  static const char *const words[] = { "null", "true", "false" };
  uint32_t size;

  switch (type) {
  case 0:
  case 1:
  case 2: osdear__buf_puts(v->out, words[type]); return true;
  case 3:
  case 4:
  case 5:
  case 6: return put_integer(v, at, (size_t)1 << (type - 3));
  case 7: return put_float(v, at, 8);
  case 8:
  case 9:
  case 10: return put_decimal(v, at, (size_t)4 << (type - 8));
  case 11: return put_date(v, at);
  case 12:
  case 13: return put_timestamp(v, at, 1, type == 12);
  case 14: return put_float(v, at, 4);
  case 15: return read_number(v->value, at, 4, &size) && put_base64(v, at + 4, size);
  case 16: return read_number(v->value, at, 4, &size) && put_string(v, at + 4, size);
  case 17: return put_time(v, at);
  case 18:
  case 19: return put_timestamp(v, at, 1000, type == 18);
  case 20: return put_uuid(v, at);
  default: return false;
  }
}

/* ---- containers ---- */

static bool put_value(const variant *v, size_t at, int depth);

static bool put_key(const variant *v, uint32_t id)
{
  osdear__str metadata = v->metadata, key;
  size_t width, bytes_at;
  uint32_t count, from, to;

  if (!metadata.size)
    return false;
  width = (size_t)((unsigned char)metadata.data[0] >> 6) + 1;
  if (!read_number(metadata, 1, width, &count) || id >= count)
    return false;
  bytes_at = 1 + ((size_t)count + 2) * width;
  if (!read_number(metadata, 1 + ((size_t)id + 1) * width, width, &from) ||
      !read_number(metadata, 1 + ((size_t)id + 2) * width, width, &to) || from > to || bytes_at > metadata.size ||
      to > metadata.size - bytes_at)
    return false;
  key = (osdear__str){ metadata.data + bytes_at + from, to - from };
  if (!osdear__utf8_is_valid(key.data, key.size))
    return false;
  put_ascii(v->out, key);
  osdear__buf_putc(v->out, ':');
  return true;
}

/* Both kinds: a count, an object's ids, offsets, and the values that the offsets count from. */
static bool put_container(const variant *v, size_t at, unsigned header, bool is_object, int depth)
{
  size_t offset_width = (header & 3) + 1, id_width = is_object ? (header >> 2 & 3) + 1 : 0;
  bool is_large = header >> (is_object ? 4 : 2) & 1;
  size_t ids, offsets, values;
  uint32_t count, offset, id;

  if (!read_number(v->value, at, is_large ? 4 : 1, &count) || count > v->value.size)
    return false;
  ids = at + (is_large ? 4 : 1);
  offsets = ids + count * id_width;
  values = offsets + ((size_t)count + 1) * offset_width;
  osdear__buf_putc(v->out, is_object ? '{' : '[');
  for (size_t i = 0; i < count; i++) {
    if (i)
      osdear__buf_putc(v->out, ',');
    if (is_object && (!read_number(v->value, ids + i * id_width, id_width, &id) || !put_key(v, id)))
      return false;
    if (!read_number(v->value, offsets + i * offset_width, offset_width, &offset) || !put_value(v, values + offset, depth + 1))
      return false;
  }
  osdear__buf_putc(v->out, is_object ? '}' : ']');
  return true;
}

static bool put_value(const variant *v, size_t at, int depth)
{
  unsigned first;

  if (at >= v->value.size || depth > OSDEAR__VARIANT_DEPTH || v->out->failed)
    return false;
  first = (unsigned char)v->value.data[at];
  switch (first & 3) {
  case 0: return put_primitive(v, at + 1, first >> 2);
  case 1: return put_string(v, at + 1, first >> 2);
  default: return put_container(v, at + 1, first >> 2, (first & 3) == 2, depth);
  }
}

bool osdear__variant_json(osdear__str metadata, osdear__str value, osdear__buf *out)
{
  const variant v = { metadata, value, out };

  out->limit = TEXT_BYTES;
  return put_value(&v, 0, 0);
}

/* ---- columns ---- */

static osdear_status broken(int64_t row, const osdear__place *place, const osdear__buf *text, osdear_error **error)
{
  char where[OSDEAR__CAST_PLACE];
  osdear_status st = osdear__buf_check(text, error);

  if (st)
    return st;
  osdear__cast_place(place, where);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s%srow %" PRId64 ": a variant's bytes contradict its encoding", where,
                      where[0] ? ", " : "", row);
}

osdear_status osdear__cast_variants(const struct ArrowArray *array, const osdear__place *place, struct ArrowArray *out,
                                    osdear_error **error)
{
  static const osdear__type string = { .kind = KIND_STRING };
  AUTO(builder) builder = NULL;
  SCOPED(buf) text = { 0 };
  osdear_status st = osdear__builder_new(&string, &builder, error);

  for (int64_t row = 0; row < array->length && !st; row++) {
    osdear__buf_clear(&text);
    if (!osdear__is_valid(array, row))
      st = osdear__builder_null(builder, error);
    else if (!osdear__variant_json(osdear__variant_bytes(array->children[0], row), osdear__variant_bytes(array->children[1], row),
                                   &text))
      st = broken(row, place, &text, error);
    else
      st = osdear__builder_bytes(builder, (osdear__str){ text.data, text.size }, error);
  }
  return st ? st : osdear__builder_finish(builder, out, error);
}
