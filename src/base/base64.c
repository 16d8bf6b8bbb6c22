/* Bytes as text: base64 after RFC 4648 in both alphabets, and hexadecimal. */
#include <base/base.h>

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char for_url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void osdear__base64_put(osdear__buf *out, const void *data, size_t size, bool for_urls)
{
  const unsigned char *bytes = data;
  const char *alphabet = for_urls ? for_url : plain;

  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    uint32_t bits = (uint32_t)bytes[i] << 16 | (left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0) | (left > 2 ? bytes[i + 2] : 0);
    char text[4] = { alphabet[bits >> 18], alphabet[bits >> 12 & 63], left > 1 ? alphabet[bits >> 6 & 63] : '=',
                     left > 2 ? alphabet[bits & 63] : '=' };
    osdear__buf_append(out, text, sizeof text);
  }
}

static int32_t value_of(char c)
{
  if (c >= 'A' && c <= 'Z')
    return c - 'A';
  if (c >= 'a' && c <= 'z')
    return c - 'a' + 26;
  if (c >= '0' && c <= '9')
    return c - '0' + 52;
  if (c == '+' || c == '-')
    return 62;
  return c == '/' || c == '_' ? 63 : -1;
}

bool osdear__base64_get(osdear__str text, osdear__buf *out)
{
  uint32_t bits = 0;
  size_t count = 0;

  for (size_t padding = 0; text.size && text.data[text.size - 1] == '=' && padding < 2; padding++)
    text.size--;
  for (size_t i = 0; i < text.size; i++) {
    int32_t value = value_of(text.data[i]);

    if (value < 0)
      return false;
    bits = bits << 6 | (uint32_t)value;
    count++;
    if (count % 4 != 1)
      osdear__buf_putc(out, (char)(bits >> (6 - 2 * ((count - 1) % 4)) & 0xFF));
  }
  return count % 4 != 1;
}

void osdear__hex(const unsigned char *bytes, size_t size, char *out)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < size; i++) {
    *out++ = digits[bytes[i] >> 4];
    *out++ = digits[bytes[i] & 15];
  }
  *out = '\0';
}
