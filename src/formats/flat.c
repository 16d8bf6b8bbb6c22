/* FlatBuffers: tables, vectors and strings that point forward, so they are put down back to front. */
#include "flat.h"

#define FLAT_BYTES ((size_t)64 << 20) /* a schema of 65,536 columns takes a tenth of it */

void osdear__flat_drop(osdear__flat *flat)
{
  osdear__free(flat->data);
  *flat = (osdear__flat){ 0 };
}

void osdear__flat_clear(osdear__flat *flat)
{
  flat->used = 0;
  flat->failed = OSDEAR_OK;
}

/* Room for `more` bytes in front of what is there; NULL once something failed. */
static uint8_t *reserve(osdear__flat *flat, size_t more)
{
  if (flat->failed)
    return NULL;
  if (more > FLAT_BYTES || flat->used + more > FLAT_BYTES) {
    flat->failed = OSDEAR_ERR_LIMIT;
    return NULL;
  }
  if (flat->used + more > flat->capacity) {
    size_t capacity = (flat->used + more) * 2 + 256;
    uint8_t *data = osdear__alloc(capacity);
    if (!data) {
      flat->failed = OSDEAR_ERR_NO_MEMORY;
      return NULL;
    }
    if (flat->used)
      memcpy(data + capacity - flat->used, flat->data + flat->capacity - flat->used, flat->used);
    osdear__free(flat->data);
    flat->data = data;
    flat->capacity = capacity;
  }
  return flat->data + flat->capacity - flat->used - more;
}

static void push(osdear__flat *flat, const void *bytes, size_t size)
{
  uint8_t *at = reserve(flat, size);

  if (!at)
    return;
  if (size)
    memcpy(at, bytes, size);
  flat->used += size;
}

/* Zeros, so that what follows `ahead` further bytes begins at a multiple of `alignment` from the end. */
static void align(osdear__flat *flat, size_t alignment, size_t ahead)
{
  static const uint8_t zeros[8];

  push(flat, zeros, (0 - (flat->used + ahead)) & (alignment - 1));
}

static osdear__flat_place here(const osdear__flat *flat)
{
  return (osdear__flat_place)flat->used;
}

static void push_place(osdear__flat *flat, osdear__flat_place place)
{
  uint32_t distance;

  align(flat, 4, 0);
  distance = here(flat) + 4 - place;
  push(flat, &distance, 4);
}

osdear__flat_place osdear__flat_string(osdear__flat *flat, osdear__str text)
{
  uint32_t size = (uint32_t)text.size;

  align(flat, 4, text.size + 1);
  push(flat, "", 1);
  push(flat, text.data, text.size);
  push(flat, &size, 4);
  return here(flat);
}

osdear__flat_place osdear__flat_places(osdear__flat *flat, const osdear__flat_place *places, size_t count)
{
  uint32_t size = (uint32_t)count;

  align(flat, 4, 0);
  for (size_t i = count; i > 0; i--)
    push_place(flat, places[i - 1]);
  push(flat, &size, 4);
  return here(flat);
}

osdear__flat_place osdear__flat_structs(osdear__flat *flat, const void *data, size_t count, size_t size)
{
  uint32_t number = (uint32_t)count;

  align(flat, 8, 0); /* the structs are of whole eights: their count then stands before an eighth byte */
  push(flat, data, count * size);
  push(flat, &number, 4);
  return here(flat);
}

void osdear__flat_open(osdear__flat *flat)
{
  memset(flat->slots, 0, sizeof flat->slots);
  flat->table_start = flat->used;
}

void osdear__flat_put(osdear__flat *flat, size_t slot, int64_t value, size_t size)
{
  align(flat, size, 0);
  push(flat, &value, size); /* little-endian: the low bytes come first */
  flat->slots[slot] = here(flat);
}

void osdear__flat_point(osdear__flat *flat, size_t slot, osdear__flat_place place)
{
  if (!place)
    return;
  push_place(flat, place);
  flat->slots[slot] = here(flat);
}

osdear__flat_place osdear__flat_close(osdear__flat *flat)
{
  uint16_t entries[OSDEAR__FLAT_SLOTS + 2], count = 0;
  osdear__flat_place table;
  int32_t distance = 0;

  align(flat, 4, 0);
  push(flat, &distance, 4);
  table = here(flat);
  for (uint16_t i = 0; i < OSDEAR__FLAT_SLOTS; i++) {
    entries[i + 2] = flat->slots[i] ? (uint16_t)(table - flat->slots[i]) : 0;
    if (flat->slots[i])
      count = (uint16_t)(i + 1);
  }
  entries[0] = (uint16_t)((count + 2) * 2);
  entries[1] = (uint16_t)(table - flat->table_start);
  push(flat, entries, entries[0]);
  if (flat->failed)
    return 0;
  distance = (int32_t)(here(flat) - table);
  memcpy(flat->data + flat->capacity - table, &distance, 4);
  return table;
}

osdear_status osdear__flat_finish(osdear__flat *flat, osdear__flat_place root, osdear__str *out, osdear_error **error)
{
  align(flat, 8, 4);
  push_place(flat, root);
  if (flat->failed == OSDEAR_ERR_LIMIT)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the description of the columns is larger than %zu MiB", FLAT_BYTES >> 20);
  if (flat->failed)
    return osdear__fail_memory(error);
  *out = (osdear__str){ (const char *)flat->data + flat->capacity - flat->used, flat->used };
  return OSDEAR_OK;
}
