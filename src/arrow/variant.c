/** @file variant.c Variants taken apart, after Parquet's VariantEncoding.md, and whether they are sound. */
#include <arrow/arrow.h>

#define VERSION 1
#define MAX_SCALE 38

/* A little-endian number of 1 to 4 bytes. */
static uint32_t number_at(const char *at, size_t width)
{
  uint32_t number = 0;

  memcpy(&number, at, width);
  return number;
}

/* ---- the dictionary of names ---- */

bool osdear__variant_names_read(osdear__str metadata, osdear__variant_names *out)
{
  uint8_t head = metadata.size ? (uint8_t)metadata.data[0] : 0;
  size_t width = (size_t)(head >> 6) + 1;
  uint64_t texts_at;

  if ((head & 0x0f) != VERSION || metadata.size < 1 + width)
    return false;
  out->count = number_at(metadata.data + 1, width);
  texts_at = 1 + width * ((uint64_t)out->count + 2);
  if (texts_at > metadata.size)
    return false;
  out->width = width;
  out->offsets = metadata.data + 1 + width;
  out->texts = (osdear__str){ metadata.data + texts_at, metadata.size - texts_at };
  return true;
}

bool osdear__variant_name(const osdear__variant_names *names, uint32_t id, osdear__str *out)
{
  uint32_t from, to;

  if (id >= names->count)
    return false;
  from = number_at(names->offsets + id * names->width, names->width);
  to = number_at(names->offsets + (id + (size_t)1) * names->width, names->width);
  if (from > to || to > names->texts.size)
    return false;
  *out = (osdear__str){ names->texts.data + from, to - from };
  return true;
}

/* ---- objects and arrays ---- */

bool osdear__variant_items_read(osdear__str value, osdear__variant_items *out)
{
  uint8_t head = value.size ? (uint8_t)value.data[0] : 0;
  uint8_t bits = head >> 2;
  size_t count_width;
  uint64_t at;

  out->is_object = (head & 3) == VARIANT_OBJECT;
  if (!out->is_object && (head & 3) != VARIANT_ARRAY)
    return false;
  count_width = bits >> (out->is_object ? 4 : 2) & 1 ? 4 : 1;
  if (value.size < 1 + count_width)
    return false;
  out->offset_width = (size_t)(bits & 3) + 1;
  out->id_width = out->is_object ? (size_t)(bits >> 2 & 3) + 1 : 0;
  out->count = number_at(value.data + 1, count_width);
  at = 1 + count_width;
  out->ids = value.data + at;
  at += (uint64_t)out->count * out->id_width;
  if (at > value.size)
    return false;
  out->offsets = value.data + at;
  at += ((uint64_t)out->count + 1) * out->offset_width;
  if (at > value.size)
    return false;
  out->values = (osdear__str){ value.data + at, number_at(out->offsets + out->count * out->offset_width, out->offset_width) };
  out->size = at + out->values.size;
  return out->size <= value.size;
}

uint32_t osdear__variant_item_id(const osdear__variant_items *items, uint32_t index)
{
  return number_at(items->ids + index * items->id_width, items->id_width);
}

bool osdear__variant_item(const osdear__variant_items *items, uint32_t index, osdear__str *out)
{
  uint32_t offset = number_at(items->offsets + index * items->offset_width, items->offset_width);

  if (offset >= items->values.size)
    return false;
  *out = (osdear__str){ items->values.data + offset, items->values.size - offset };
  out->size = osdear__variant_size(*out);
  return out->size > 0;
}

/* ---- values ---- */

/* Bytes of a primitive behind its head, by type. */
static const uint8_t primitive_sizes[] = {
  [VARIANT_NULL] = 0,      [VARIANT_TRUE] = 0,          [VARIANT_FALSE] = 0,           [VARIANT_INT8] = 1,
  [VARIANT_INT16] = 2,     [VARIANT_INT32] = 4,         [VARIANT_INT64] = 8,           [VARIANT_DOUBLE] = 8,
  [VARIANT_DECIMAL4] = 5,  [VARIANT_DECIMAL8] = 9,      [VARIANT_DECIMAL16] = 17,      [VARIANT_DATE] = 4,
  [VARIANT_TIMESTAMP] = 8, [VARIANT_TIMESTAMP_NTZ] = 8, [VARIANT_FLOAT] = 4,           [VARIANT_BINARY] = 4,
  [VARIANT_STRING] = 4,    [VARIANT_TIME] = 8,          [VARIANT_TIMESTAMP_NANOS] = 8, [VARIANT_TIMESTAMP_NTZ_NANOS] = 8,
  [VARIANT_UUID] = 16,
};

size_t osdear__variant_primitive_size(int primitive)
{
  return primitive >= 0 && (size_t)primitive < COUNT_OF(primitive_sizes) ? primitive_sizes[primitive] : 0;
}

static size_t primitive_size(osdear__str value, uint8_t type)
{
  uint64_t size;

  if (type >= COUNT_OF(primitive_sizes))
    return 0;
  size = 1 + (uint64_t)primitive_sizes[type];
  if (size > value.size)
    return 0;
  if (type == VARIANT_BINARY || type == VARIANT_STRING)
    size += number_at(value.data + 1, 4);
  return size <= value.size ? (size_t)size : 0;
}

size_t osdear__variant_size(osdear__str value)
{
  osdear__variant_items items;
  uint8_t head;

  if (!value.size)
    return 0;
  head = (uint8_t)value.data[0];
  if ((head & 3) == VARIANT_PRIMITIVE)
    return primitive_size(value, head >> 2);
  if ((head & 3) == VARIANT_SHORT_STRING)
    return (size_t)(head >> 2) + 1 <= value.size ? (size_t)(head >> 2) + 1 : 0;
  return osdear__variant_items_read(value, &items) ? items.size : 0;
}

/* ---- soundness ---- */

static bool is_scalar_sound(osdear__str value)
{
  uint8_t head = (uint8_t)value.data[0];
  uint8_t type = head >> 2;

  if ((head & 3) == VARIANT_SHORT_STRING)
    return osdear__utf8_is_valid(value.data + 1, value.size - 1);
  if (type == VARIANT_STRING)
    return osdear__utf8_is_valid(value.data + 5, value.size - 5);
  if (type == VARIANT_TIME) /* microseconds of a day */
    return osdear__load_u64(value.data + 1) < (uint64_t)OSDEAR__DAY_US;
  if (type >= VARIANT_DECIMAL4 && type <= VARIANT_DECIMAL16)
    return (uint8_t)value.data[1] <= MAX_SCALE;
  return true;
}

/* `value` is of its own size. Items may lie in any order but not in each other: together they are no longer than the room for them, which
 * keeps the work in bounds however offsets are chosen. */
static bool is_value_sound(const osdear__variant_names *names, osdear__str value, int depth)
{
  osdear__variant_items items;
  uint64_t total = 0;

  if (((uint8_t)value.data[0] & 3) < VARIANT_OBJECT)
    return is_scalar_sound(value);
  if (depth == OSDEAR__VARIANT_DEPTH || !osdear__variant_items_read(value, &items))
    return false;
  for (uint32_t i = 0; i < items.count; i++) {
    osdear__str item;

    if (!osdear__variant_item(&items, i, &item) || (items.is_object && osdear__variant_item_id(&items, i) >= names->count))
      return false;
    total += item.size;
    if (total > items.values.size || !is_value_sound(names, item, depth + 1))
      return false;
  }
  return true;
}

bool osdear__variant_names_are_sound(const osdear__variant_names *names)
{
  for (uint32_t id = 0; id < names->count; id++) {
    osdear__str name;

    if (!osdear__variant_name(names, id, &name) || !osdear__utf8_is_valid(name.data, name.size))
      return false;
  }
  return true;
}

bool osdear__variant_is_sound(const osdear__variant_names *names, osdear__str value)
{
  size_t size = osdear__variant_size(value);

  return size && is_value_sound(names, (osdear__str){ value.data, size }, 0);
}

/* ---- columns ---- */

static osdear_status unsound(int64_t row, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the variant of row %" PRId64 " of the batch %s", row, what);
}

osdear__str osdear__variant_bytes(const struct ArrowArray *array, int64_t row)
{
  const int32_t *offsets = array->buffers[1];
  const char *bytes = array->buffers[2] ? array->buffers[2] : "";

  return (osdear__str){ bytes + offsets[row], (size_t)(offsets[row + 1] - offsets[row]) };
}

osdear_status osdear__variants_check(const struct ArrowArray *variants, osdear_error **error)
{
  const struct ArrowArray *metadata = variants->children[0], *values = variants->children[1];
  osdear__variant_names names = { 0 };
  osdear__str known = { NULL, 0 };

  for (int64_t row = 0; row < variants->length; row++) {
    osdear__str bytes;

    if (!osdear__is_valid(variants, row))
      continue;
    if (!osdear__is_valid(metadata, row) || !osdear__is_valid(values, row))
      return unsound(row, "lacks its metadata or its value", error);
    bytes = osdear__variant_bytes(metadata, row);
    if (!known.data || !osdear__str_equal(known, bytes)) {
      if (!osdear__variant_names_read(bytes, &names) || !osdear__variant_names_are_sound(&names))
        return unsound(row, "has metadata that contradicts its encoding", error);
      known = bytes;
    }
    if (!osdear__variant_is_sound(&names, osdear__variant_bytes(values, row)))
      return unsound(row, "has bytes that contradict its encoding", error);
  }
  return OSDEAR_OK;
}
