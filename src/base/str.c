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

/* A state is the place of its successor in a byte's word, so that a step is one shift, and no step waits for a table (Per Vognsen, "Shift-based
 * DFAs with 64-bit shifts"). Which sequences there are: RFC 3629, or table 3-7 of the Unicode standard. */
enum {
  BROKEN = 0,
  WHOLE = 6,
  TAIL_1 = 12,
  TAIL_2 = 18,
  TAIL_3 = 24,
  BEHIND_E0 = 30,
  BEHIND_ED = 36,
  BEHIND_F0 = 42,
  BEHIND_F4 = 48
};
#define STEP(from, to) ((uint64_t)(to) << (from))
#define TAIL (STEP(TAIL_1, WHOLE) | STEP(TAIL_2, TAIL_1) | STEP(TAIL_3, TAIL_2))
#define X2(step) (step), (step)
#define X4(step) X2(step), X2(step)
#define X8(step) X4(step), X4(step)
#define X16(step) X8(step), X8(step)
#define X64(step) X16(step), X16(step), X16(step), X16(step)
#define LEAD(to) STEP(WHOLE, to)

static const uint64_t steps[256] = {
  X64(LEAD(WHOLE)),
  X64(LEAD(WHOLE)),                                              /* 00…7F */
  X16(TAIL | STEP(BEHIND_ED, TAIL_1) | STEP(BEHIND_F4, TAIL_2)), /* 80…8F */
  X16(TAIL | STEP(BEHIND_ED, TAIL_1) | STEP(BEHIND_F0, TAIL_2)), /* 90…9F */
  X16(TAIL | STEP(BEHIND_E0, TAIL_1) | STEP(BEHIND_F0, TAIL_2)), /* A0…AF */
  X16(TAIL | STEP(BEHIND_E0, TAIL_1) | STEP(BEHIND_F0, TAIL_2)), /* B0…BF */
  X2(BROKEN),
  X16(LEAD(TAIL_1)),
  X8(LEAD(TAIL_1)),
  X4(LEAD(TAIL_1)),
  X2(LEAD(TAIL_1)), /* C0…DF */
  LEAD(BEHIND_E0),
  X8(LEAD(TAIL_2)),
  X4(LEAD(TAIL_2)),
  LEAD(BEHIND_ED),
  X2(LEAD(TAIL_2)), /* E0…EF */
  LEAD(BEHIND_F0),
  X2(LEAD(TAIL_3)),
  LEAD(TAIL_3),
  LEAD(BEHIND_F4),
  X8(BROKEN),
  X2(BROKEN),
  BROKEN, /* F0…FF */
};

bool osdear__utf8_is_valid(const char *data, size_t size)
{
  const unsigned char *s = (const unsigned char *)data;
  uint64_t state = WHOLE;
  size_t i = 0;

  while (size - i >= 16 && state != BROKEN) {
    bool is_ascii = ((osdear__load_u64(s + i) | osdear__load_u64(s + i + 8)) & UINT64_C(0x8080808080808080)) == 0;

    for (size_t k = 0; k < 16 && !(is_ascii && state == WHOLE); k++)
      state = steps[s[i + k]] >> state & 63;
    i += 16;
  }
  for (; i < size; i++)
    state = steps[s[i]] >> state & 63;
  return state == WHOLE;
}

bool osdear__is_ascii(const char *data, size_t size)
{
  uint64_t seen = 0;
  size_t i = 0;

  for (; size - i >= 32; i += 32) {
    seen |= osdear__load_u64(data + i) | osdear__load_u64(data + i + 8);
    seen |= osdear__load_u64(data + i + 16) | osdear__load_u64(data + i + 24);
  }
  for (; i < size; i++)
    seen |= (uint64_t)(unsigned char)data[i];
  return !(seen & UINT64_C(0x8080808080808080));
}

/* Text that is valid as a whole is valid in each row if no row begins within a character. */
bool osdear__utf8_rows_are_valid(const char *data, const int32_t *offsets, int64_t rows)
{
  size_t size = (size_t)(offsets[rows] - offsets[0]);
  bool within = false;

  if (osdear__is_ascii(data + offsets[0], size))
    return true;
  if (!osdear__utf8_is_valid(data + offsets[0], size))
    return false;
  for (int64_t i = 0; i < rows; i++)
    if (offsets[i] < offsets[rows])
      within |= ((unsigned char)data[offsets[i]] & 0xC0) == 0x80;
  return !within;
}

void osdear__make_showable(char *text)
{
  unsigned char *s = (unsigned char *)text;
  size_t left = strlen(text);

  while (left > 0) {
    bool is_control = (s[0] < ' ' && s[0] != '\n' && s[0] != '\t') || s[0] == 0x7F || (s[0] == 0xC2 && s[1] < 0xA0);
    bool is_ill_formed;
    size_t length = 1;

    while (length < 4 && length < left && !osdear__utf8_is_valid((const char *)s, length))
      length++;
    is_ill_formed = !osdear__utf8_is_valid((const char *)s, length);
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
