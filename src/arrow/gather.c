/** @file gather.c Ranges of arrays, one after another, as one array: slices and concatenations. */
#include <arrow/internal.h>

static osdear_status too_big(const osdear__type *type, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %d bytes or elements of a %s column in one batch; use smaller batches",
                      INT32_MAX, osdear__kind_name(type->kind));
}

static osdear_status gather_validity(const osdear__range *ranges, size_t range_count, struct ArrowArray *out,
                                     osdear_error **error)
{
  uint8_t *bits = NULL;
  int64_t done = 0;

  for (size_t i = 0; i < range_count; i++) {
    const uint8_t *validity = ranges[i].array->buffers[0];

    if (validity && !bits) {
      bits = osdear__array_buffer(out, 0, osdear__bits_size(out->length));
      if (!bits)
        return osdear__fail_memory(error);
      osdear__bits_fill(bits, 0, done);
    }
    if (validity)
      osdear__bits_copy(validity, ranges[i].from, bits, done, ranges[i].length);
    else if (bits)
      osdear__bits_fill(bits, done, ranges[i].length);
    done += ranges[i].length;
  }
  if (!bits)
    return OSDEAR_OK;
  out->null_count = out->length - osdear__bits_count(bits, 0, out->length);
  if (!out->null_count)
    osdear__array_own(out, 0, NULL);
  return OSDEAR_OK;
}

static osdear_status gather_booleans(const osdear__range *ranges, size_t range_count, struct ArrowArray *out,
                                     osdear_error **error)
{
  uint8_t *bits = osdear__array_buffer(out, 1, osdear__bits_size(out->length));
  int64_t done = 0;

  if (!bits)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < range_count; i++) {
    osdear__bits_copy(ranges[i].array->buffers[1], ranges[i].from, bits, done, ranges[i].length);
    done += ranges[i].length;
  }
  return OSDEAR_OK;
}

static osdear_status gather_fixed(int64_t width, const osdear__range *ranges, size_t range_count, struct ArrowArray *out,
                                  osdear_error **error)
{
  int64_t size;
  char *values;

  if (!osdear__mul_i64(out->length, width, &size))
    return osdear__fail_memory(error);
  values = osdear__buffer_new((size_t)size);
  if (!values)
    return osdear__fail_memory(error);
  osdear__array_own(out, 1, values);
  for (size_t i = 0; i < range_count; i++) {
    const char *from = ranges[i].array->buffers[1];
    size_t bytes = (size_t)(ranges[i].length * width);

    if (bytes)
      memcpy(values, from + ranges[i].from * width, bytes);
    values += bytes;
  }
  return OSDEAR_OK;
}

/* The offsets of the ranges, moved together; *total is where they end. */
static osdear_status gather_offsets(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                    struct ArrowArray *out, int64_t *total, osdear_error **error)
{
  int32_t *offsets = osdear__buffer_new(((size_t)out->length + 1) * sizeof *offsets);
  int64_t end = 0;

  if (!offsets)
    return osdear__fail_memory(error);
  osdear__array_own(out, 1, offsets);
  *offsets++ = 0;
  for (size_t i = 0; i < range_count; i++) {
    const int32_t *from = (const int32_t *)ranges[i].array->buffers[1] + ranges[i].from;
    int64_t length = ranges[i].length;
    int64_t bytes = from[length] - from[0];

    if (end + bytes > INT32_MAX)
      return too_big(type, error);
    int32_t shift = (int32_t)(end - from[0]);
    for (int64_t row = 1; row <= length; row++)
      *offsets++ = from[row] + shift;
    end += bytes;
  }
  *total = end;
  return OSDEAR_OK;
}

static osdear_status gather_bytes(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                  struct ArrowArray *out, osdear_error **error)
{
  int64_t total = 0;
  osdear_status st = gather_offsets(type, ranges, range_count, out, &total, error);
  char *bytes;

  if (st)
    return st;
  bytes = osdear__buffer_new((size_t)total);
  if (!bytes)
    return osdear__fail_memory(error);
  osdear__array_own(out, 2, bytes);
  for (size_t i = 0; i < range_count; i++) {
    const int32_t *offsets = (const int32_t *)ranges[i].array->buffers[1] + ranges[i].from;
    const char *from = ranges[i].array->buffers[2];
    size_t size = (size_t)(offsets[ranges[i].length] - offsets[0]);

    if (size)
      memcpy(bytes, from + offsets[0], size);
    bytes += size;
  }
  return OSDEAR_OK;
}

static osdear_status gather_children(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                     struct ArrowArray *out, osdear_error **error)
{
  bool is_list = osdear__kind_has_offsets(type->kind);
  int64_t total = 0;
  osdear__range *inner;
  osdear_status st = OSDEAR_OK;

  if (is_list)
    st = gather_offsets(type, ranges, range_count, out, &total, error);
  if (st || !out->n_children)
    return st;
  inner = osdear__alloc_zeroed(range_count + 1, sizeof *inner);
  if (!inner)
    return osdear__fail_memory(error);
  for (int64_t child = 0; !st && child < out->n_children; child++) {
    osdear__type child_type = osdear__child_type(type, child);

    for (size_t i = 0; i < range_count; i++) {
      const struct ArrowArray *array = ranges[i].array;
      const int32_t *offsets = is_list ? (const int32_t *)array->buffers[1] + ranges[i].from : NULL;

      inner[i].array = array->children[child];
      inner[i].from = is_list ? offsets[0] : ranges[i].from;
      inner[i].length = is_list ? offsets[ranges[i].length] - offsets[0] : ranges[i].length;
    }
    st = osdear__array_gather(&child_type, inner, range_count, out->children[child], error);
  }
  osdear__free(inner);
  return st;
}

static osdear_status gather_values(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                   struct ArrowArray *out, osdear_error **error)
{
  switch (type->kind) {
  case KIND_VOID: return OSDEAR_OK;
  case KIND_BOOLEAN: return gather_booleans(ranges, range_count, out, error);
  case KIND_STRING:
  case KIND_BINARY: return gather_bytes(type, ranges, range_count, out, error);
  case KIND_ARRAY:
  case KIND_MAP:
  case KIND_STRUCT:
  case KIND_VARIANT: return gather_children(type, ranges, range_count, out, error);
  default: return gather_fixed(osdear__type_width(type), ranges, range_count, out, error);
  }
}

osdear_status osdear__array_gather(const osdear__type *type, const osdear__range *ranges, size_t range_count,
                                   struct ArrowArray *out, osdear_error **error)
{
  SCOPED(array) array = { 0 };
  int64_t length = 0;
  osdear_status st;

  for (size_t i = 0; i < range_count; i++)
    if (!osdear__add_i64(length, ranges[i].length, &length) || length > OSDEAR__ROWS_MAX)
      return too_big(type, error);
  st = osdear__array_node(type, length, &array, error);
  if (!st && type->kind != KIND_VOID)
    st = gather_validity(ranges, range_count, &array, error);
  if (!st)
    st = gather_values(type, ranges, range_count, &array, error);
  if (!st)
    osdear__array_move(&array, out);
  return st;
}

osdear_status osdear__array_slice(const osdear__type *type, const struct ArrowArray *array, int64_t from, int64_t length,
                                  struct ArrowArray *out, osdear_error **error)
{
  osdear__range range = { array, from, length };

  if (from < 0 || length < 0 || from > array->length || length > array->length - from)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "rows %" PRId64 "+%" PRId64 " asked of an array of %" PRId64, from, length,
                        array->length);
  return osdear__array_gather(type, &range, 1, out, error);
}

osdear_status osdear__array_concat(const osdear__type *type, const struct ArrowArray *arrays, size_t array_count,
                                   struct ArrowArray *out, osdear_error **error)
{
  osdear__range *ranges = osdear__alloc_zeroed(array_count + 1, sizeof *ranges);
  osdear_status st;

  if (!ranges)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < array_count; i++)
    ranges[i] = (osdear__range){ &arrays[i], 0, arrays[i].length };
  st = osdear__array_gather(type, ranges, array_count, out, error);
  osdear__free(ranges);
  return st;
}
