/** @file format.c Format strings of the C Data Interface: what a stranger's column is made of, and what it becomes here. */
#include <arrow/internal.h>

typedef struct known_format {
  const char *text;
  osdear__layout layout;
  osdear__kind kind;
  int32_t width;
  int64_t multiplier;
  int64_t divisor;
} known_format;

/* Whole format strings, in the order of the specification. */
static const known_format known_formats[] = {
  { "n", LAYOUT_NULL, KIND_VOID, 0, 1, 1 },
  { "b", LAYOUT_BITS, KIND_BOOLEAN, 0, 1, 1 },
  { "c", LAYOUT_FIXED, KIND_BYTE, 1, 1, 1 },
  { "C", LAYOUT_FIXED, KIND_UINT8, 1, 1, 1 },
  { "s", LAYOUT_FIXED, KIND_SHORT, 2, 1, 1 },
  { "S", LAYOUT_FIXED, KIND_UINT16, 2, 1, 1 },
  { "i", LAYOUT_FIXED, KIND_INTEGER, 4, 1, 1 },
  { "I", LAYOUT_FIXED, KIND_UINT32, 4, 1, 1 },
  { "l", LAYOUT_FIXED, KIND_LONG, 8, 1, 1 },
  { "L", LAYOUT_FIXED, KIND_UINT64, 8, 1, 1 },
  { "e", LAYOUT_FIXED, KIND_FLOAT16, 2, 1, 1 },
  { "f", LAYOUT_FIXED, KIND_FLOAT, 4, 1, 1 },
  { "g", LAYOUT_FIXED, KIND_DOUBLE, 8, 1, 1 },
  { "z", LAYOUT_BYTES, KIND_BINARY, 0, 1, 1 },
  { "Z", LAYOUT_BYTES_LARGE, KIND_BINARY, 0, 1, 1 },
  { "vz", LAYOUT_VIEWS, KIND_BINARY, 0, 1, 1 },
  { "u", LAYOUT_BYTES, KIND_STRING, 0, 1, 1 },
  { "U", LAYOUT_BYTES_LARGE, KIND_STRING, 0, 1, 1 },
  { "vu", LAYOUT_VIEWS, KIND_STRING, 0, 1, 1 },
  { "tdD", LAYOUT_FIXED, KIND_DATE, 4, 1, 1 },
  { "tdm", LAYOUT_FIXED, KIND_DATE, 8, 1, INT64_C(86400000) },
  { "tts", LAYOUT_FIXED, KIND_TIME, 4, 1000000, 1 },
  { "ttm", LAYOUT_FIXED, KIND_TIME, 4, 1000, 1 },
  { "ttu", LAYOUT_FIXED, KIND_TIME, 8, 1, 1 },
  { "ttn", LAYOUT_FIXED, KIND_TIME, 8, 1, 1000 },
  { "+l", LAYOUT_LIST, KIND_ARRAY, 0, 1, 1 },
  { "+L", LAYOUT_LIST_LARGE, KIND_ARRAY, 0, 1, 1 },
  { "+vl", LAYOUT_LIST_VIEW, KIND_ARRAY, 0, 1, 1 },
  { "+vL", LAYOUT_LIST_VIEW_LARGE, KIND_ARRAY, 0, 1, 1 },
  { "+s", LAYOUT_STRUCT, KIND_STRUCT, 0, 1, 1 },
  { "+m", LAYOUT_MAP, KIND_MAP, 0, 1, 1 },
  { "+r", LAYOUT_RUNS, KIND_VOID, 0, 1, 1 },
};

/* The number up to the next comma or the end; *text is moved there. */
static bool take_number(const char **text, int64_t *out)
{
  size_t size = strcspn(*text, ",");
  osdear__str number = { *text, size };

  *text += size;
  return size && (number.data[0] == '-' || (number.data[0] >= '0' && number.data[0] <= '9')) && osdear__parse_i64(number, out);
}

/* d:precision,scale[,bits] */
static bool parse_decimal(const char *text, osdear__format *out)
{
  int64_t precision;
  int64_t scale;
  int64_t bits = 128;

  if (!take_number(&text, &precision) || *text++ != ',' || !take_number(&text, &scale))
    return false;
  if (*text == ',') {
    text++;
    if (!take_number(&text, &bits))
      return false;
  }
  if (*text)
    return false;
  if ((bits != 32 && bits != 64 && bits != 128 && bits != 256) || precision < 1 || scale < 0 || scale > 38)
    return false;
  if (precision > (bits == 256 ? 76 : 38))
    return false;
  /* Wider ones are welcome as long as their values fit; digits only right of the point need a precision of that many. */
  if (precision > 38)
    precision = 38;
  if (precision < scale)
    precision = scale;
  *out = (osdear__format){ .layout = LAYOUT_FIXED,
                           .kind = KIND_DECIMAL,
                           .width = (int32_t)(bits / 8),
                           .precision = (int32_t)precision,
                           .scale = (int32_t)scale,
                           .multiplier = 1,
                           .divisor = 1 };
  return true;
}

/* ts[smun]:[zone] */
static bool parse_timestamp(const char *text, osdear__format *out)
{
  static const char units[] = "smun";
  static const int64_t multipliers[] = { 1000000, 1000, 1, 1 };
  const char *unit = text[0] ? strchr(units, text[0]) : NULL;

  if (!unit || text[1] != ':')
    return false;
  *out = (osdear__format){ .layout = LAYOUT_FIXED,
                           .kind = text[2] ? KIND_TIMESTAMP : KIND_TIMESTAMP_NTZ,
                           .width = 8,
                           .multiplier = multipliers[unit - units],
                           .divisor = *unit == 'n' ? 1000 : 1 };
  return true;
}

/* w:bytes and +w:elements */
static bool parse_width(const char *text, osdear__layout layout, osdear__kind kind, osdear__format *out)
{
  int64_t width;

  if (!take_number(&text, &width) || *text || width < 0 || width > INT32_MAX)
    return false;
  *out = (osdear__format){ .layout = layout, .kind = kind, .width = (int32_t)width, .multiplier = 1, .divisor = 1 };
  return true;
}

bool osdear__format_parse(const char *text, osdear__format *out)
{
  if (osdear__starts_with(text, "d:"))
    return parse_decimal(text + 2, out);
  if (osdear__starts_with(text, "ts"))
    return parse_timestamp(text + 2, out);
  if (osdear__starts_with(text, "w:"))
    return parse_width(text + 2, LAYOUT_FIXED, KIND_FIXED, out);
  if (osdear__starts_with(text, "+w:"))
    return parse_width(text + 3, LAYOUT_LIST_FIXED, KIND_ARRAY, out);
  for (size_t i = 0; i < COUNT_OF(known_formats); i++) {
    const known_format *known = &known_formats[i];

    if (strcmp(text, known->text) != 0)
      continue;
    *out = (osdear__format){ .layout = known->layout,
                             .kind = known->kind,
                             .width = known->width,
                             .multiplier = known->multiplier,
                             .divisor = known->divisor };
    return true;
  }
  return false;
}

/* Names from the root on; one that does not fit any more is cut, at a whole character. */
void osdear__place_text(const osdear__place *place, char out[OSDEAR__PLACE_TEXT])
{
  size_t used;
  size_t size;

  out[0] = '\0';
  if (!place || !place->name)
    return;
  if (place->parent && place->parent->name) {
    osdear__place_text(place->parent, out);
    used = strlen(out);
    if (used + 1 < OSDEAR__PLACE_TEXT && used)
      out[used++] = '.';
  } else {
    used = 0;
  }
  size = strlen(place->name);
  if (size > OSDEAR__PLACE_TEXT - 1 - used)
    size = OSDEAR__PLACE_TEXT - 1 - used;
  while (size && ((unsigned char)place->name[size] & 0xc0) == 0x80)
    size--;
  memcpy(out + used, place->name, size);
  out[used + size] = '\0';
}
