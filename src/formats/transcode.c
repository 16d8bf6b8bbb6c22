/* Other encodings to UTF-8, in pieces of any size. */
#include "feed.h"

static const char *const encoding_names[] = { "utf-8", "utf-8", "latin1", "windows-1252", "utf-16le", "utf-16be" };

const char *osdear__encoding_name(osdear__encoding encoding)
{
  return encoding_names[encoding];
}

bool osdear__encoding_of_name(const char *name, osdear__encoding *out)
{
  static const struct {
    const char *name;
    osdear__encoding encoding;
  } known[] = {
    { "utf-8", ENCODING_UTF8 },
    { "utf8", ENCODING_UTF8 },
    { "ascii", ENCODING_UTF8 },
    { "latin1", ENCODING_LATIN1 },
    { "latin-1", ENCODING_LATIN1 },
    { "iso-8859-1", ENCODING_LATIN1 },
    { "windows-1252", ENCODING_WINDOWS_1252 },
    { "cp1252", ENCODING_WINDOWS_1252 },
    { "utf-16le", ENCODING_UTF16LE },
    { "utf-16be", ENCODING_UTF16BE },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++) {
    if (osdear__str_equal_nocase(osdear__str_of(name), osdear__str_of(known[i].name))) {
      *out = known[i].encoding;
      return true;
    }
  }
  return false;
}

/* Bytes 0x80 to 0x9f of windows-1252; the five it leaves open are control characters, as the WHATWG's table has them. */
static const uint16_t windows_1252[32] = {
  0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030, 0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f,
  0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178,
};

static size_t put_utf8(char *out, uint32_t point)
{
  if (point < 0x80) {
    out[0] = (char)point;
    return 1;
  }
  if (point < 0x800) {
    out[0] = (char)(0xc0 | point >> 6);
    out[1] = (char)(0x80 | (point & 63));
    return 2;
  }
  if (point < 0x10000) {
    out[0] = (char)(0xe0 | point >> 12);
    out[1] = (char)(0x80 | (point >> 6 & 63));
    out[2] = (char)(0x80 | (point & 63));
    return 3;
  }
  out[0] = (char)(0xf0 | point >> 18);
  out[1] = (char)(0x80 | (point >> 12 & 63));
  out[2] = (char)(0x80 | (point >> 6 & 63));
  out[3] = (char)(0x80 | (point & 63));
  return 4;
}

static void one_byte(const uint16_t *high, const uint8_t *in, size_t in_size, size_t *in_used, char *out, size_t out_size,
                     size_t *out_used)
{
  size_t at = 0, put = 0;

  while (at < in_size && out_size - put >= 4) {
    uint32_t point = in[at++];
    if (point < 0x80) {
      out[put++] = (char)point;
      continue;
    }
    if (high && point < 0xa0)
      point = high[point - 0x80];
    put += put_utf8(out + put, point);
  }
  *in_used = at;
  *out_used = put;
}

static uint32_t unit_at(const uint8_t *in, bool is_big)
{
  return is_big ? (uint32_t)in[0] << 8 | in[1] : (uint32_t)in[1] << 8 | in[0];
}

static bool utf16(bool is_big, const uint8_t *in, size_t in_size, bool is_last, size_t *in_used, char *out, size_t out_size,
                  size_t *out_used)
{
  size_t at = 0, put = 0;
  bool is_good = true;

  while (in_size - at >= 2 && out_size - put >= 4) {
    uint32_t point = unit_at(in + at, is_big), low;
    size_t units = 2;
    if (point >= 0xdc00 && point < 0xe000) {
      is_good = false;
      break;
    }
    if (point >= 0xd800 && point < 0xdc00) {
      if (in_size - at < 4) {
        is_good = !is_last;
        break;
      }
      low = unit_at(in + at + 2, is_big);
      if (low < 0xdc00 || low > 0xdfff) {
        is_good = false;
        break;
      }
      point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
      units = 4;
    }
    put += put_utf8(out + put, point);
    at += units;
  }
  if (is_last && in_size - at == 1)
    is_good = false;
  *in_used = at;
  *out_used = put;
  return is_good;
}

bool osdear__transcode(osdear__encoding from, const uint8_t *in, size_t in_size, bool is_last, size_t *in_used, char *out,
                       size_t out_size, size_t *out_used)
{
  size_t size;

  switch (from) {
  case ENCODING_LATIN1: one_byte(NULL, in, in_size, in_used, out, out_size, out_used); return true;
  case ENCODING_WINDOWS_1252: one_byte(windows_1252, in, in_size, in_used, out, out_size, out_used); return true;
  case ENCODING_UTF16LE:
  case ENCODING_UTF16BE: return utf16(from == ENCODING_UTF16BE, in, in_size, is_last, in_used, out, out_size, out_used);
  case ENCODING_BY_MARK:
  case ENCODING_UTF8: break;
  }
  size = in_size < out_size ? in_size : out_size;
  memcpy(out, in, size);
  *in_used = *out_used = size;
  return true;
}
