/* Open addressing with linear steps, at most three quarters full. */
#include <base/base.h>

static osdear__map_entry *place_of(osdear__map_entry *entries, size_t capacity, osdear__str key, uint64_t hash)
{
  size_t at = (size_t)hash & (capacity - 1);

  while (entries[at].key.data && (entries[at].hash != hash || !osdear__str_equal(entries[at].key, key)))
    at = (at + 1) & (capacity - 1);
  return &entries[at];
}

osdear__map_entry *osdear__map_find(const osdear__map *map, osdear__str key)
{
  osdear__map_entry *entry;

  if (map->count == 0)
    return NULL;
  entry = place_of(map->entries, map->capacity, key, osdear__hash(key.data, key.size));
  return entry->key.data ? entry : NULL;
}

static bool grow(osdear__map *map)
{
  size_t capacity = map->capacity ? map->capacity * 2 : 16;
  osdear__map_entry *entries = osdear__alloc_zeroed(capacity, sizeof *entries);

  if (!entries)
    return false;
  for (size_t i = 0; i < map->capacity; i++)
    if (map->entries[i].key.data)
      *place_of(entries, capacity, map->entries[i].key, map->entries[i].hash) = map->entries[i];
  osdear__free(map->entries);
  map->entries = entries;
  map->capacity = capacity;
  return true;
}

osdear__map_entry *osdear__map_add(osdear__map *map, osdear__str key, bool *is_new)
{
  uint64_t hash = osdear__hash(key.data, key.size);
  osdear__map_entry *entry;

  if (map->count >= map->capacity / 4 * 3 && !grow(map))
    return NULL;
  entry = place_of(map->entries, map->capacity, key, hash);
  *is_new = !entry->key.data;
  if (*is_new) {
    *entry = (osdear__map_entry){ { key.data ? key.data : "", key.size }, hash, NULL };
    map->count++;
  }
  return entry;
}

void osdear__map_drop(osdear__map *map)
{
  osdear__free(map->entries);
  *map = (osdear__map){ 0 };
}
