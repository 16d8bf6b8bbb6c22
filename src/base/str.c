/* Bytes by reference: comparing, hashing, UTF-8. */
#include <base/base.h>

#include <pthread.h>

osdear__str osdear__str_of(const char *text)
{
  return (osdear__str){ text, text ? strlen(text) : 0 };
}

bool osdear__str_equal(osdear__str a, osdear__str b)
{
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool osdear__str_is(osdear__str a, const char *text)
{
  return osdear__str_equal(a, osdear__str_of(text));
}

static unsigned char fold(char c)
{
  return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool osdear__str_equal_nocase(osdear__str a, osdear__str b)
{
  if (a.size != b.size)
    return false;
  for (size_t i = 0; i < a.size; i++)
    if (fold(a.data[i]) != fold(b.data[i]))
      return false;
  return true;
}

int osdear__str_compare(osdear__str a, osdear__str b)
{
  size_t common = a.size < b.size ? a.size : b.size;
  int order = common ? memcmp(a.data, b.data, common) : 0;

  if (order)
    return order < 0 ? -1 : 1;
  return a.size < b.size ? -1 : a.size > b.size;
}

bool osdear__starts_with(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool osdear__ends_with(const char *text, const char *suffix)
{
  size_t size = strlen(text), tail = strlen(suffix);

  return size >= tail && memcmp(text + size - tail, suffix, tail) == 0;
}

/* How many bytes the character at `s` has, of which `left` are there; 0 when it is none. RFC 3629: no surrogates, no overlong forms,
 * nothing above U+10FFFF, all of which show in the second byte. */
static size_t sequence_length(const unsigned char *s, size_t left)
{
  unsigned char lead = s[0], low = 0x80, high = 0xBF;
  size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;

  if (length == 0 || length > left)
    return 0;
  if (length == 1)
    return 1;
  if (lead == 0xE0)
    low = 0xA0;
  else if (lead == 0xED)
    high = 0x9F;
  else if (lead == 0xF0)
    low = 0x90;
  else if (lead == 0xF4)
    high = 0x8F;
  if (s[1] < low || s[1] > high)
    return 0;
  for (size_t i = 2; i < length; i++)
    if ((s[i] & 0xC0) != 0x80)
      return 0;
  return length;
}

bool osdear__utf8_is_valid(const char *data, size_t size)
{
  const unsigned char *s = (const unsigned char *)data;
  size_t i = 0;

  while (i < size) {
    size_t length;
    /* Most text is ASCII: take sixteen bytes at a time while it is. */
    while (size - i >= 16 && ((osdear__load_u64(s + i) | osdear__load_u64(s + i + 8)) & UINT64_C(0x8080808080808080)) == 0)
      i += 16;
    if (i == size)
      break;
    length = sequence_length(s + i, size - i);
    if (length == 0)
      return false;
    i += length;
  }
  return true;
}

void osdear__make_showable(char *text)
{
  unsigned char *s = (unsigned char *)text;
  size_t left = strlen(text);

  while (left > 0) {
    size_t length = sequence_length(s, left);
    bool is_ill_formed = length == 0;
    bool is_control = (s[0] < ' ' && s[0] != '\n' && s[0] != '\t') || s[0] == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0);

    length = is_ill_formed ? 1 : length;
    if (is_ill_formed || is_control)
      memset(s, '?', length);
    s += length;
    left -= length;
  }
}

osdear__str osdear__strip(osdear__str text)
{
  while (text.size > 0 && (unsigned char)text.data[0] <= ' ') {
    text.data++;
    text.size--;
  }
  while (text.size > 0 && (unsigned char)text.data[text.size - 1] <= ' ')
    text.size--;
  return text;
}

int64_t osdear__utf8_length(osdear__str text)
{
  int64_t count = 0;

  for (size_t i = 0; i < text.size; i++)
    count += ((unsigned char)text.data[i] & 0xC0) != 0x80;
  return count;
}

/* A seed that a stranger cannot know, so that chosen keys do not collide. */
static uint64_t hash_seed;
static pthread_once_t hash_once = PTHREAD_ONCE_INIT;

static void make_seed(void)
{
  osdear__the_world->random(&hash_seed, sizeof hash_seed);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
  osdear__uint128 product = (osdear__uint128)a * b;

  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Multiply-and-fold over 16 bytes a step. */
uint64_t osdear__hash(const void *data, size_t size)
{
  const unsigned char *s = data;
  const uint64_t k1 = UINT64_C(0x9E3779B97F4A7C15), k2 = UINT64_C(0xD6E8FEB86659FD93);
  uint64_t hash, tail[2] = { 0, 0 };
  size_t left = size;

  pthread_once(&hash_once, make_seed);
  hash = hash_seed ^ (size * k1);
  for (; left >= 16; left -= 16, s += 16)
    hash = mix(osdear__load_u64(s) ^ k1 ^ hash, osdear__load_u64(s + 8) ^ k2);
  if (left)
    memcpy(tail, s, left);
  hash = mix(tail[0] ^ k2 ^ hash, tail[1] ^ k1);
  return mix(hash ^ k2, k1);
}
