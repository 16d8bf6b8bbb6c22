/** @file writer_dictionary.c Distinct values of a chunk, in the order of their first appearance. */
#include <parquet/writer.h>

#include <stdatomic.h>

#define TABLE_BITS 12
#define BLOCK 1024 /* values between two looks at how full the table is */

/* Multipliers of the hash, drawn once: nobody who does not know them can send values that all collide. The order of the dictionary
 * does not depend on them. */
static atomic_uint_fast64_t drawn[2];

static uint64_t multiplier(size_t which)
{
  uint_fast64_t now = atomic_load_explicit(&drawn[which], memory_order_relaxed);
  uint_fast64_t mine = osdear__random_u64() | 1;

  if (now != 0)
    return now;
  if (atomic_compare_exchange_strong(&drawn[which], &now, mine))
    return mine;
  return now;
}

typedef struct hasher {
  uint64_t a, b;
  int shift;
} hasher;

static hasher hasher_of(const osdear__pq_distinct *dictionary)
{
  return (hasher){ multiplier(0), multiplier(1), 64 - dictionary->table_bits };
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
  osdear__uint128 product = (osdear__uint128)a * b;
  return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline size_t hash_64(const hasher *h, uint64_t value)
{
  return (size_t)(value * h->a >> h->shift);
}

static inline size_t hash_128(const hasher *h, uint64_t first, uint64_t second)
{
  return (size_t)(fold(first ^ h->a, second ^ h->b) * h->a >> h->shift);
}

static inline size_t hash_wide(const hasher *h, osdear__pq_int128 value)
{
  return hash_128(h, (uint64_t)(osdear__uint128)value, (uint64_t)((osdear__uint128)value >> 64));
}

static inline size_t hash_key(const hasher *h, const osdear__pq_text_key *key)
{
  return hash_128(h, key->first + key->size, key->second);
}

static size_t key_size(const osdear__pq_distinct *dictionary)
{
  return dictionary->dense == DENSE_BYTES ? sizeof(osdear__pq_text_key) : osdear__pq_dense_size(dictionary->dense);
}

void osdear__pq_distinct_drop(osdear__pq_distinct *dictionary)
{
  osdear__free(dictionary->table);
  osdear__free(dictionary->keys);
  osdear__free(dictionary->stamps);
  osdear__free(dictionary->used);
  osdear__buf_drop(&dictionary->text);
  *dictionary = (osdear__pq_distinct){ .dense = dictionary->dense, .has_lengths = dictionary->has_lengths };
}

void osdear__pq_distinct_clear(osdear__pq_distinct *dictionary)
{
  if (dictionary->table)
    memset(dictionary->table, 0, sizeof *dictionary->table << dictionary->table_bits);
  if (dictionary->stamps)
    memset(dictionary->stamps, 0, dictionary->count * sizeof *dictionary->stamps);
  dictionary->count = 0;
  dictionary->used_count = 0;
  dictionary->page = 0;
  osdear__buf_clear(&dictionary->text);
}

/* ---- growing ---- */

static size_t hash_at(const osdear__pq_distinct *dictionary, const hasher *h, size_t index)
{
  switch (dictionary->dense) {
  case DENSE_32: return hash_64(h, ((const uint32_t *)dictionary->keys)[index]);
  case DENSE_64: return hash_64(h, ((const uint64_t *)dictionary->keys)[index]);
  case DENSE_128: return hash_wide(h, ((const osdear__pq_int128 *)dictionary->keys)[index]);
  default: return hash_key(h, (const osdear__pq_text_key *)dictionary->keys + index);
  }
}

static bool grow_table(osdear__pq_distinct *dictionary, int bits)
{
  uint32_t *table = osdear__alloc_zeroed((size_t)1 << bits, sizeof *table);
  size_t mask = ((size_t)1 << bits) - 1;
  hasher h;

  if (!table)
    return false;
  osdear__free(dictionary->table);
  dictionary->table = table;
  dictionary->table_bits = bits;
  h = hasher_of(dictionary);
  for (size_t i = 0; i < dictionary->count; i++) {
    size_t at = hash_at(dictionary, &h, i);
    while (table[at])
      at = (at + 1) & mask;
    table[at] = (uint32_t)i + 1;
  }
  return true;
}

static bool grow_keys(osdear__pq_distinct *dictionary, size_t wanted)
{
  bool is_text = dictionary->dense == DENSE_BYTES;
  size_t capacity = wanted + wanted / 2;
  void *keys = osdear__realloc_array(dictionary->keys, capacity, key_size(dictionary));
  uint32_t *grown;

  if (!keys)
    return false;
  dictionary->keys = keys;
  if (is_text) {
    grown = osdear__realloc_array(dictionary->used, capacity, sizeof *grown);
    if (!grown)
      return false;
    dictionary->used = grown;
    grown = osdear__realloc_array(dictionary->stamps, capacity, sizeof *grown);
    if (!grown)
      return false;
    dictionary->stamps = grown;
    memset(grown + dictionary->capacity, 0, (capacity - dictionary->capacity) * sizeof *grown);
  }
  dictionary->capacity = capacity;
  return true;
}

/* Room for `more` new values with the table at most half full. */
static bool make_room(osdear__pq_distinct *dictionary, size_t more)
{
  size_t wanted = dictionary->count + more;
  int bits = dictionary->table_bits > TABLE_BITS ? dictionary->table_bits : TABLE_BITS;

  if (wanted >= UINT32_MAX)
    return false;
  while ((size_t)1 << bits < 2 * wanted)
    bits++;
  if ((!dictionary->table || bits > dictionary->table_bits) && !grow_table(dictionary, bits))
    return false;
  return wanted <= dictionary->capacity || grow_keys(dictionary, wanted);
}

/* ---- looking up ---- */

#define ADD(name, type, hash)                                                                                  \
  static void add_##name(osdear__pq_distinct *dictionary, const type *values, size_t count, uint32_t *indices) \
  {                                                                                                            \
    const hasher h = hasher_of(dictionary);                                                                    \
    const size_t mask = ((size_t)1 << dictionary->table_bits) - 1;                                             \
    uint32_t *table = dictionary->table;                                                                       \
    type *keys = dictionary->keys;                                                                             \
    uint32_t known = (uint32_t)dictionary->count;                                                              \
                                                                                                               \
    for (size_t i = 0; i < count; i++) {                                                                       \
      size_t at = hash(&h, values[i]);                                                                         \
      while (table[at] && keys[table[at] - 1] != values[i])                                                    \
        at = (at + 1) & mask;                                                                                  \
      if (UNLIKELY(!table[at])) {                                                                              \
        keys[known] = values[i];                                                                               \
        table[at] = ++known;                                                                                   \
      }                                                                                                        \
      indices[i] = table[at] - 1;                                                                              \
    }                                                                                                          \
    dictionary->count = known;                                                                                 \
  }

ADD(32, uint32_t, hash_64)
ADD(64, uint64_t, hash_64)
ADD(128, osdear__pq_int128, hash_wide)

static inline uint64_t first_bytes(const uint8_t *at, size_t size)
{
  return osdear__load_u64(at) & (size >= 8 ? UINT64_MAX : (UINT64_C(1) << (8 * size)) - 1);
}

static uint64_t hash_long(const hasher *h, const uint8_t *data, size_t size)
{
  uint64_t hash = size;
  size_t at = 0;

  for (; at + 16 < size; at += 16)
    hash = fold(hash ^ osdear__load_u64(data + at) ^ h->a, osdear__load_u64(data + at + 8) ^ h->b);
  /* the last sixteen, some of which were seen already */
  return fold(hash ^ osdear__load_u64(data + size - 16) ^ h->b, osdear__load_u64(data + size - 8) ^ h->a);
}

static inline osdear__pq_text_key key_of(const hasher *h, const uint8_t *data, size_t size)
{
  osdear__pq_text_key key = { first_bytes(data, size), 0, (uint32_t)size, 0 };
  if (size > 16)
    key.second = hash_long(h, data, size);
  else if (size > 8)
    key.second = osdear__load_u64(data + size - 8); /* overlaps the first word: together they still tell all bytes */
  return key;
}

static inline bool is_same(const osdear__pq_distinct *dictionary, const osdear__pq_text_key *a, const osdear__pq_text_key *b,
                           const uint8_t *data)
{
  return a->first == b->first && a->second == b->second && a->size == b->size &&
         (a->size <= 16 || memcmp(dictionary->text.data + a->at, data, a->size) == 0);
}

static bool add_text(osdear__pq_distinct *dictionary, osdear__pq_text_key key, const uint8_t *data)
{
  size_t size = key.size, length = dictionary->has_lengths ? 4 : 0;
  uint8_t *to = (uint8_t *)osdear__buf_reserve(&dictionary->text, size + length + 8);

  if (!to)
    return false;
  if (length > 0)
    osdear__store_u32(to, key.size);
  osdear__pq_copy_short(to + length, data, size);
  key.at = (uint32_t)(dictionary->text.size + length);
  dictionary->text.size += length + size;
  ((osdear__pq_text_key *)dictionary->keys)[dictionary->count++] = key;
  return true;
}

static bool add_bytes(osdear__pq_distinct *dictionary, const osdear__pq_values *values, size_t from, size_t count,
                      uint32_t *indices)
{
  const hasher h = hasher_of(dictionary);
  const size_t mask = ((size_t)1 << dictionary->table_bits) - 1;
  const osdear__pq_text_key *keys = dictionary->keys;
  uint32_t *table = dictionary->table, *stamps = dictionary->stamps;
  const uint32_t page = dictionary->page + 1;

  for (size_t i = from; i < from + count; i++) {
    const uint8_t *data = values->bytes + values->starts[i];
    osdear__pq_text_key key = key_of(&h, data, (size_t)(values->ends[i] - values->starts[i]));
    size_t at = hash_key(&h, &key);
    uint32_t index;
    while (table[at] && !is_same(dictionary, &keys[table[at] - 1], &key, data))
      at = (at + 1) & mask;
    if (UNLIKELY(!table[at])) {
      if (!add_text(dictionary, key, data))
        return false;
      table[at] = (uint32_t)dictionary->count;
    }
    index = table[at] - 1;
    if (stamps[index] != page) {
      stamps[index] = page;
      dictionary->used[dictionary->used_count++] = index;
    }
    indices[i] = index;
  }
  return true;
}

bool osdear__pq_distinct_add(osdear__pq_distinct *dictionary, const osdear__pq_values *values, uint32_t *indices)
{
  for (size_t at = 0; at < values->count; at += BLOCK) {
    size_t left = values->count - at, count = left < BLOCK ? left : BLOCK;
    if (!make_room(dictionary, count))
      return false;
    switch (dictionary->dense) {
    case DENSE_32: add_32(dictionary, (const uint32_t *)values->fixed + at, count, indices + at); break;
    case DENSE_64: add_64(dictionary, (const uint64_t *)values->fixed + at, count, indices + at); break;
    case DENSE_128: add_128(dictionary, (const osdear__pq_int128 *)values->fixed + at, count, indices + at); break;
    default:
      if (!add_bytes(dictionary, values, at, count, indices))
        return false;
      break;
    }
  }
  return true;
}

/* ---- writing ---- */

size_t osdear__pq_distinct_bytes(const osdear__pq_distinct *dictionary, int32_t width)
{
  if (dictionary->dense == DENSE_BYTES)
    return dictionary->text.size;
  return dictionary->count * (width > 0 ? (size_t)width : osdear__pq_dense_size(dictionary->dense));
}

void osdear__pq_distinct_write(const osdear__pq_distinct *dictionary, int32_t width, osdear__buf *out)
{
  if (dictionary->dense == DENSE_BYTES)
    osdear__buf_append(out, dictionary->text.data, dictionary->text.size);
  else if (dictionary->dense == DENSE_128)
    osdear__pq_plain_write_128(dictionary->keys, dictionary->count, width, out);
  else
    osdear__buf_append(out, dictionary->keys, dictionary->count * osdear__pq_dense_size(dictionary->dense));
}

static void expand_text(const osdear__pq_distinct *dictionary, const uint32_t *indices, size_t count, osdear__buf *out)
{
  const osdear__pq_text_key *keys = dictionary->keys;
  const uint8_t *text = (const uint8_t *)dictionary->text.data;
  size_t length = dictionary->has_lengths ? 4 : 0, total = 0;
  uint8_t *to;

  for (size_t i = 0; i < count; i++)
    total += keys[indices[i]].size + length;
  to = (uint8_t *)osdear__buf_reserve(out, total + 8);
  if (!to)
    return;
  for (size_t i = 0; i < count; i++) {
    const osdear__pq_text_key *key = &keys[indices[i]];
    osdear__pq_copy_short(to, text + key->at - length, key->size + length); /* the length stands in front there too */
    to += key->size + length;
  }
  out->size += total;
}

void osdear__pq_distinct_expand(const osdear__pq_distinct *dictionary, const uint32_t *indices, size_t count, int32_t width,
                                osdear__buf *out)
{
  size_t size = osdear__pq_dense_size(dictionary->dense);
  uint8_t *to;

  if (dictionary->dense == DENSE_BYTES) {
    expand_text(dictionary, indices, count, out);
    return;
  }
  if (dictionary->dense == DENSE_128) {
    for (size_t i = 0; i < count; i++)
      osdear__pq_plain_write_128((const osdear__pq_int128 *)dictionary->keys + indices[i], 1, width, out);
    return;
  }
  to = (uint8_t *)osdear__buf_reserve(out, count * size);
  if (!to)
    return;
  for (size_t i = 0; i < count && size == 4; i++)
    osdear__store_u32(to + 4 * i, ((const uint32_t *)dictionary->keys)[indices[i]]);
  for (size_t i = 0; i < count && size == 8; i++)
    osdear__store_u64(to + 8 * i, ((const uint64_t *)dictionary->keys)[indices[i]]);
  out->size += count * size;
}

void osdear__pq_distinct_page_bounds(osdear__pq_distinct *dictionary, osdear__pq_bounds *bounds)
{
  const osdear__pq_text_key *keys = dictionary->keys;
  osdear__pq_text_range range = { 0 };

  for (size_t i = 0; i < dictionary->used_count; i++) {
    const osdear__pq_text_key *key = &keys[dictionary->used[i]];
    osdear__pq_text_range_add(&range, (const uint8_t *)dictionary->text.data + key->at, key->size);
  }
  if (range.has)
    osdear__pq_bounds_add_text(bounds, range.min, range.max);
  dictionary->used_count = 0;
  dictionary->page++;
}
