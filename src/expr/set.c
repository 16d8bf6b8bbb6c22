/** @file set.c The constants of an IN list, indexed for lookup. */
#include <stdlib.h>

#include "node.h"

/* Fewer are compared one by one. */
#define INDEX_FROM 8
/* Integers that span no more than this are kept as bits. */
#define SPAN_MAX ((uint64_t)1 << 16)

static int compare_values(const void *a, const void *b)
{
  int order = 0;
  bool comparable = osdear__scalar_compare(a, b, &order);
  return comparable ? order : 0;
}

static bool is_i64(osdear__kind kind)
{
  return kind == KIND_BOOLEAN || osdear__kind_is_integer(kind) || kind == KIND_DATE || osdear__kind_is_timestamp(kind);
}

static uint64_t hash_i64(int64_t value)
{
  uint64_t x = (uint64_t)value * UINT64_C(0x9E3779B97F4A7C15);
  return x ^ (x >> 32);
}

static bool make_bits(osdear__arena *arena, osdear__set *set)
{
  set->bits = osdear__arena_zeroed(arena, (size_t)set->span / 8 + 1, 1);
  for (size_t i = 0; i < set->count && set->bits; i++) {
    uint64_t at = (uint64_t)set->values[i].i64 - (uint64_t)set->values[0].i64;
    set->bits[at >> 3] = (uint8_t)(set->bits[at >> 3] | 1 << (at & 7));
  }
  return set->bits;
}

static bool make_slots(osdear__arena *arena, osdear__set *set, bool of_bytes)
{
  size_t capacity = 16;
  while (capacity < set->count * 2)
    capacity *= 2;
  set->slots = osdear__arena_zeroed(arena, capacity, sizeof *set->slots);
  set->mask = capacity - 1;
  for (size_t i = 0; i < set->count && set->slots; i++) {
    const osdear__scalar *value = &set->values[i];
    size_t at = (size_t)(of_bytes ? osdear__hash(value->bytes.data, value->bytes.size) : hash_i64(value->i64)) & set->mask;
    while (set->slots[at])
      at = (at + 1) & set->mask;
    set->slots[at] = (uint32_t)i + 1;
  }
  return set->slots;
}

osdear__set *osdear__set_new(osdear__arena *arena, osdear__scalar *values, size_t count, bool has_null)
{
  osdear__set *set = osdear__arena_zeroed(arena, 1, sizeof *set);
  if (!set)
    return NULL;
  set->has_null = has_null;
  set->values = values;
  if (count == 0)
    return set;

  qsort(values, count, sizeof *values, compare_values);
  set->count = 1;
  for (size_t i = 1; i < count; i++) {
    if (compare_values(&values[set->count - 1], &values[i]) != 0)
      values[set->count++] = values[i];
  }
  osdear__kind kind = values[0].kind;
  if (set->count < INDEX_FROM || !(is_i64(kind) || osdear__kind_is_bytes(kind)))
    return set;
  if (is_i64(kind)) {
    set->span = (uint64_t)values[set->count - 1].i64 - (uint64_t)values[0].i64;
    if (set->span < SPAN_MAX)
      return make_bits(arena, set) ? set : NULL;
  }
  return make_slots(arena, set, osdear__kind_is_bytes(kind)) ? set : NULL;
}

bool osdear__set_has(const osdear__set *set, const osdear__scalar *value)
{
  size_t low = 0;
  size_t high = set->count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    int order = compare_values(&set->values[middle], value);
    if (order == 0)
      return true;
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return false;
}

bool osdear__set_has_i64(const osdear__set *set, int64_t value)
{
  size_t at = (size_t)hash_i64(value) & set->mask;
  while (set->slots[at]) {
    if (set->values[set->slots[at] - 1].i64 == value)
      return true;
    at = (at + 1) & set->mask;
  }
  return false;
}

bool osdear__set_has_bytes(const osdear__set *set, const char *data, size_t size)
{
  size_t at = (size_t)osdear__hash(data, size) & set->mask;
  while (set->slots[at]) {
    osdear__str value = set->values[set->slots[at] - 1].bytes;
    if (value.size == size && memcmp(value.data, data, size) == 0)
      return true;
    at = (at + 1) & set->mask;
  }
  return false;
}
