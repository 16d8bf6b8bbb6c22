/** @file take.c The rows of an array that a list of row numbers names. */
#include <arrow/internal.h>

static osdear_status take_validity(const struct ArrowArray *array, const int32_t *rows, int64_t count, struct ArrowArray *out,
                                   osdear_error **error)
{
  const uint8_t *validity = array->buffers[0];
  int32_t least = 0;
  int64_t valid = 0;
  uint8_t *bits;

  for (int64_t i = 0; i < count; i++)
    least = rows[i] < least ? rows[i] : least;
  if (!validity && least == 0)
    return OSDEAR_OK;
  bits = osdear__array_buffer(out, 0, osdear__bits_size(count));
  if (!bits)
    return osdear__fail_memory(error);
  for (int64_t i = 0; i < count; i++) {
    unsigned is_valid = rows[i] >= 0 && (!validity || osdear__bit(validity, rows[i]));

    bits[i >> 3] = (uint8_t)(bits[i >> 3] | is_valid << (i & 7));
    valid += is_valid;
  }
  out->null_count = count - valid;
  if (!out->null_count)
    osdear__array_own(out, 0, NULL);
  return OSDEAR_OK;
}

static osdear_status take_booleans(const struct ArrowArray *array, const int32_t *rows, int64_t count, struct ArrowArray *out,
                                   osdear_error **error)
{
  const uint8_t *values = array->buffers[1];
  uint8_t *bits = osdear__array_buffer(out, 1, osdear__bits_size(count));

  if (!bits)
    return osdear__fail_memory(error);
  for (int64_t i = 0; i < count; i++) {
    unsigned value = rows[i] >= 0 && osdear__bit(values, rows[i]);

    bits[i >> 3] = (uint8_t)(bits[i >> 3] | value << (i & 7));
  }
  return OSDEAR_OK;
}

static void take_1(const uint8_t *values, const int32_t *rows, int64_t count, uint8_t *out)
{
  for (int64_t i = 0; i < count; i++)
    out[i] = rows[i] < 0 ? 0 : values[rows[i]];
}

static void take_2(const uint16_t *values, const int32_t *rows, int64_t count, uint16_t *out)
{
  for (int64_t i = 0; i < count; i++)
    out[i] = rows[i] < 0 ? 0 : values[rows[i]];
}

static void take_4(const uint32_t *values, const int32_t *rows, int64_t count, uint32_t *out)
{
  for (int64_t i = 0; i < count; i++)
    out[i] = rows[i] < 0 ? 0 : values[rows[i]];
}

static void take_8(const uint64_t *values, const int32_t *rows, int64_t count, uint64_t *out)
{
  for (int64_t i = 0; i < count; i++)
    out[i] = rows[i] < 0 ? 0 : values[rows[i]];
}

static void take_wide(const char *values, size_t width, const int32_t *rows, int64_t count, char *out)
{
  for (int64_t i = 0; i < count; i++, out += width) {
    if (rows[i] < 0)
      memset(out, 0, width);
    else
      memcpy(out, values + (size_t)rows[i] * width, width);
  }
}

static osdear_status take_fixed(int32_t width, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                struct ArrowArray *out, osdear_error **error)
{
  const void *values = array->buffers[1];
  int64_t size;
  void *taken;

  if (!osdear__mul_i64(count, width, &size))
    return osdear__fail_memory(error);
  taken = osdear__buffer_new((size_t)size);
  if (!taken)
    return osdear__fail_memory(error);
  osdear__array_own(out, 1, taken);
  if (width == 1)
    take_1(values, rows, count, taken);
  else if (width == 2)
    take_2(values, rows, count, taken);
  else if (width == 4)
    take_4(values, rows, count, taken);
  else if (width == 8)
    take_8(values, rows, count, taken);
  else if (width == 16)
    take_wide(values, 16, rows, count, taken); /* the constant lets the copies be two moves */
  else if (width > 0)
    take_wide(values, (size_t)width, rows, count, taken);
  return OSDEAR_OK;
}

static osdear_status take_offsets(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                  struct ArrowArray *out, osdear_error **error)
{
  const int32_t *offsets = array->buffers[1];
  int32_t *taken = osdear__buffer_new(((size_t)count + 1) * sizeof *taken);
  int64_t end = 0;

  if (!taken)
    return osdear__fail_memory(error);
  osdear__array_own(out, 1, taken);
  taken[0] = 0;
  for (int64_t i = 0; i < count; i++) {
    end += rows[i] < 0 ? 0 : offsets[rows[i] + 1] - offsets[rows[i]];
    if (end > INT32_MAX)
      return osdear__fail(error, OSDEAR_ERR_LIMIT,
                          "more than %d bytes or elements of a %s column in one batch; use smaller batches", INT32_MAX,
                          osdear__kind_name(type->kind));
    taken[i + 1] = (int32_t)end;
  }
  return OSDEAR_OK;
}

/* How many of the rows from `rows` on follow one another, so that what they hold lies in one piece. */
static int64_t run_length(const int32_t *rows, int64_t count)
{
  int64_t run = 1;

  while (run < count && rows[run] == rows[run - 1] + 1)
    run++;
  return run;
}

static osdear_status take_bytes(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                struct ArrowArray *out, osdear_error **error)
{
  osdear_status st = take_offsets(type, array, rows, count, out, error);
  const int32_t *offsets = array->buffers[1];
  const char *bytes = array->buffers[2];
  char *taken;

  if (st)
    return st;
  taken = osdear__buffer_new((size_t)((const int32_t *)out->buffers[1])[count]);
  if (!taken)
    return osdear__fail_memory(error);
  osdear__array_own(out, 2, taken);
  for (int64_t i = 0; i < count;) {
    int64_t run = 1;

    if (rows[i] >= 0) {
      run = run_length(rows + i, count - i);
      size_t size = (size_t)(offsets[rows[i] + run] - offsets[rows[i]]);

      if (size)
        memcpy(taken, bytes + offsets[rows[i]], size);
      taken += size;
    }
    i += run;
  }
  return OSDEAR_OK;
}

static osdear_status take_elements(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                   struct ArrowArray *out, osdear_error **error)
{
  osdear_status st = take_offsets(type, array, rows, count, out, error);
  const int32_t *offsets = array->buffers[1];
  osdear__type child = osdear__child_type(type, 0);
  osdear__range *ranges;
  size_t range_count = 0;

  if (st)
    return st;
  ranges = osdear__alloc_zeroed((size_t)count + 1, sizeof *ranges);
  if (!ranges)
    return osdear__fail_memory(error);
  for (int64_t i = 0; i < count;) {
    int64_t run = 1;

    if (rows[i] >= 0) {
      run = run_length(rows + i, count - i);
      int32_t from = offsets[rows[i]];

      ranges[range_count++] = (osdear__range){ array->children[0], from, offsets[rows[i] + run] - from };
    }
    i += run;
  }
  st = osdear__array_gather(&child, ranges, range_count, out->children[0], error);
  osdear__free(ranges);
  return st;
}

static osdear_status take_fields(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                 struct ArrowArray *out, osdear_error **error)
{
  for (int64_t i = 0; i < out->n_children; i++) {
    osdear__type child = osdear__child_type(type, i);
    osdear_status st = osdear__array_take(&child, array->children[i], rows, count, out->children[i], error);

    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static osdear_status take_values(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                 struct ArrowArray *out, osdear_error **error)
{
  switch (type->kind) {
  case KIND_VOID: return OSDEAR_OK;
  case KIND_BOOLEAN: return take_booleans(array, rows, count, out, error);
  case KIND_STRING:
  case KIND_BINARY: return take_bytes(type, array, rows, count, out, error);
  case KIND_ARRAY:
  case KIND_MAP: return take_elements(type, array, rows, count, out, error);
  case KIND_STRUCT:
  case KIND_VARIANT: return take_fields(type, array, rows, count, out, error);
  default: return take_fixed(osdear__type_width(type), array, rows, count, out, error);
  }
}

osdear_status osdear__array_take(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows, int64_t count,
                                 struct ArrowArray *out, osdear_error **error)
{
  SCOPED(array) taken = { 0 };
  osdear_status st;

  if (count < 0 || count > OSDEAR__ROWS_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%" PRId64 " rows in one batch; use smaller batches", count);
  st = osdear__array_node(type, count, &taken, error);
  if (!st && type->kind != KIND_VOID)
    st = take_validity(array, rows, count, &taken, error);
  if (!st)
    st = take_values(type, array, rows, count, &taken, error);
  if (!st)
    osdear__array_move(&taken, out);
  return st;
}
