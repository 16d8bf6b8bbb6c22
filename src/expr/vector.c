/** @file vector.c Columns of an evaluation: loaded from arrays, spread from constants, handed out as arrays. */
#include "vector.h"

/* ---- bitmaps ---- */

uint64_t *osdear__bits_new(const osdear__frame *frame, osdear_error **error)
{
  uint64_t *bits = osdear__arena_alloc(frame->arena, (size_t)osdear__words(frame->length) * 8 + 8);
  if (!bits)
    (void)osdear__fail_memory(error);
  return bits;
}

void *osdear__values_new(const osdear__frame *frame, size_t width, osdear_error **error)
{
  void *values = osdear__arena_alloc(frame->arena, (size_t)frame->length * width + 16);
  if (!values)
    (void)osdear__fail_memory(error);
  return values;
}

bool osdear__bits_any(const uint8_t *bits, int64_t length)
{
  int64_t full = length / 64;
  for (int64_t i = 0; i < full; i++) {
    if (osdear__word(bits, i))
      return true;
  }
  return length % 64 && (osdear__word(bits, full) & ((UINT64_C(1) << length % 64) - 1));
}

osdear_status osdear__bits_and(const osdear__frame *frame, const uint8_t *a, const uint8_t *b, const uint8_t **out,
                               osdear_error **error)
{
  *out = a ? a : b;
  if (!a || !b || a == b)
    return OSDEAR_OK;
  uint64_t *both = osdear__bits_new(frame, error);
  if (!both)
    return OSDEAR_ERR_NO_MEMORY;
  int64_t words = osdear__words(frame->length);
  for (int64_t i = 0; i < words; i++)
    both[i] = osdear__word(a, i) & osdear__word(b, i);
  *out = (const uint8_t *)both;
  return OSDEAR_OK;
}

/* ---- loading ---- */

/* Bit i is bit rows[i]; 0 where the row is -1. `bits` NULL: all ones. */
static uint64_t *gather_bits(const osdear__frame *frame, const uint8_t *bits, const int32_t *rows, osdear_error **error)
{
  uint64_t *out = osdear__bits_new(frame, error);
  if (!out)
    return NULL;
  for (int64_t i = 0; i < frame->length; i += 64) {
    int64_t count = frame->length - i < 64 ? frame->length - i : 64;
    uint64_t word = 0;
    for (int64_t k = 0; k < count; k++) {
      int32_t row = rows[i + k];
      uint64_t bit = row >= 0 && (!bits || osdear__bit(bits, row));
      word |= bit << k;
    }
    out[i / 64] = word;
  }
  return out;
}

#define GATHER(name, type)                                                          \
  static void name(const void *from, const int32_t *rows, int64_t length, void *to) \
  {                                                                                 \
    const type *a = from;                                                           \
    type *b = to;                                                                   \
    for (int64_t i = 0; i < length; i++)                                            \
      b[i] = rows[i] >= 0 ? a[rows[i]] : 0;                                         \
  }
GATHER(gather_8, uint8_t)
GATHER(gather_16, uint16_t)
GATHER(gather_32, uint32_t)
GATHER(gather_64, uint64_t)

static void gather_128(const char *from, const int32_t *rows, int64_t length, char *to)
{
  static const char zero[16];
  for (int64_t i = 0; i < length; i++)
    memcpy(to + i * 16, rows[i] >= 0 ? from + (int64_t)rows[i] * 16 : zero, 16);
}

static osdear_status gather_values(const osdear__frame *frame, int32_t width, const void *from, const int32_t *rows,
                                   const void **out, osdear_error **error)
{
  void *to = osdear__values_new(frame, (size_t)width, error);
  if (!to)
    return OSDEAR_ERR_NO_MEMORY;
  *out = to;
  if (width == 1)
    gather_8(from, rows, frame->length, to);
  else if (width == 2)
    gather_16(from, rows, frame->length, to);
  else if (width == 4)
    gather_32(from, rows, frame->length, to);
  else if (width == 8)
    gather_64(from, rows, frame->length, to);
  else
    gather_128(from, rows, frame->length, to);
  return OSDEAR_OK;
}

static osdear_status gather_offsets(const osdear__frame *frame, const int32_t *offsets, const int32_t *rows, osdear__vector *out,
                                    osdear_error **error)
{
  int32_t *starts = osdear__values_new(frame, 8, error);
  if (!starts)
    return OSDEAR_ERR_NO_MEMORY;
  int32_t *ends = starts + frame->length;
  for (int64_t i = 0; i < frame->length; i++) {
    starts[i] = rows[i] >= 0 ? offsets[rows[i]] : 0;
    ends[i] = rows[i] >= 0 ? offsets[rows[i] + 1] : 0;
  }
  out->starts = starts;
  out->ends = ends;
  return OSDEAR_OK;
}

osdear_status osdear__vector_mask(const osdear__frame *frame, osdear__vector *v, osdear_error **error)
{
  const uint8_t *masked = NULL;
  if (v->type->kind != KIND_BOOLEAN || v->constant)
    return OSDEAR_OK;
  osdear_status st = osdear__bits_and(frame, v->values, v->validity, &masked, error);
  v->values = masked;
  return st;
}

/* An imported array's bitmap ends with its last byte. */
static osdear_status pad_bits(const osdear__frame *frame, const void *given, const uint8_t **out, osdear_error **error)
{
  *out = given;
  if (!given || frame->length % 64 == 0)
    return OSDEAR_OK;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;
  memcpy(bits, given, (size_t)(frame->length + 7) / 8);
  *out = (const uint8_t *)bits;
  return OSDEAR_OK;
}

static bool has_gaps(const int32_t *rows, int64_t length)
{
  int32_t any = 0;
  for (int64_t i = 0; i < length; i++)
    any |= rows[i];
  return any < 0;
}

osdear_status osdear__vector_load(const osdear__frame *frame, const osdear__type *type, const struct ArrowArray *array,
                                  const int32_t *rows, osdear__vector *out, osdear_error **error)
{
  static const int32_t no_offsets[2] = { 0, 0 };
  int32_t width = osdear__type_width(type);
  osdear_status st = OSDEAR_OK;

  *out = (osdear__vector){ .type = type };
  if (type->kind == KIND_VOID) {
    osdear__scalar null = { .kind = KIND_VOID, .is_null = true };
    return osdear__vector_constant(frame, type, &null, out, error);
  }
  const uint8_t *validity = NULL;
  if (!rows) {
    st = pad_bits(frame, array->buffers[0], &validity, error);
  } else if (array->buffers[0] || has_gaps(rows, frame->length)) {
    validity = (const uint8_t *)gather_bits(frame, array->buffers[0], rows, error);
    st = validity ? OSDEAR_OK : OSDEAR_ERR_NO_MEMORY;
  }
  if (st)
    return st;
  out->validity = validity;
  if (type->kind >= KIND_ARRAY && type->kind <= KIND_VARIANT) {
    out->array = array;
    out->rows = rows;
    return OSDEAR_OK;
  }
  if (osdear__kind_is_bytes(type->kind)) {
    const int32_t *offsets = array->buffers[1] ? array->buffers[1] : no_offsets;
    out->values = array->buffers[2] ? array->buffers[2] : (const void *)"";
    out->starts = offsets;
    out->ends = offsets + 1;
    out->value_bytes = array->length > 0 ? offsets[array->length] : 0;
    return rows ? gather_offsets(frame, offsets, rows, out, error) : OSDEAR_OK;
  }
  if (type->kind == KIND_BOOLEAN) {
    const uint8_t *bits = NULL;
    if (rows)
      bits = (const uint8_t *)gather_bits(frame, array->buffers[1], rows, error);
    else
      st = pad_bits(frame, array->buffers[1], &bits, error);
    if (!bits)
      return OSDEAR_ERR_NO_MEMORY;
    out->values = bits;
    return st ? st : osdear__vector_mask(frame, out, error);
  }
  if (type->kind > KIND_TIMESTAMP_NTZ)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "expressions do not know the type %s", osdear__kind_name(type->kind));
  out->values = array->buffers[1];
  if (rows)
    st = gather_values(frame, width, array->buffers[1], rows, &out->values, error);
  return st;
}

/* ---- constants ---- */

osdear_status osdear__vector_constant(const osdear__frame *frame, const osdear__type *type, const osdear__scalar *value,
                                      osdear__vector *out, osdear_error **error)
{
  static const uint8_t none[8] = { 0 };
  struct constant {
    union {
      osdear__int128 i128;
      int64_t i64;
      int32_t i32;
      int16_t i16;
      int8_t i8;
      float f32;
      double f64;
    } value;
    int32_t ends[2];
  } *c = osdear__arena_zeroed(frame->arena, 1, sizeof *c);
  if (!c)
    return osdear__fail_memory(error);

  *out = (osdear__vector){ .type = type, .constant = true, .values = &c->value, .validity = value->is_null ? none : NULL };
  if (value->is_null) {
    out->starts = c->ends;
    out->ends = c->ends;
    return OSDEAR_OK;
  }
  switch (type->kind) {
  case KIND_BOOLEAN:
  case KIND_BYTE: c->value.i8 = (int8_t)value->i64; break;
  case KIND_SHORT: c->value.i16 = (int16_t)value->i64; break;
  case KIND_INTEGER:
  case KIND_DATE: c->value.i32 = (int32_t)value->i64; break;
  case KIND_FLOAT: c->value.f32 = (float)value->f64; break;
  case KIND_DOUBLE: c->value.f64 = value->f64; break;
  case KIND_DECIMAL: c->value.i128 = value->decimal; break;
  case KIND_STRING:
  case KIND_BINARY:
    if (value->bytes.size > INT32_MAX)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "a constant of %zu bytes is too long", value->bytes.size);
    c->ends[0] = (int32_t)value->bytes.size;
    out->values = value->bytes.data ? value->bytes.data : "";
    out->starts = &c->ends[1];
    out->ends = c->ends;
    out->value_bytes = c->ends[0];
    break;
  default: c->value.i64 = value->i64; break;
  }
  return OSDEAR_OK;
}

#define FILL(name, type)                                       \
  static void name(void *to, const void *from, int64_t length) \
  {                                                            \
    type value;                                                \
    type *values = to;                                         \
    memcpy(&value, from, sizeof value);                        \
    for (int64_t i = 0; i < length; i++)                       \
      values[i] = value;                                       \
  }
FILL(fill_8, uint8_t)
FILL(fill_16, uint16_t)
FILL(fill_32, uint32_t)
FILL(fill_64, uint64_t)
FILL(fill_128, osdear__uint128)

static void fill(void *to, const void *from, int32_t width, int64_t length)
{
  if (width == 1)
    fill_8(to, from, length);
  else if (width == 2)
    fill_16(to, from, length);
  else if (width == 4)
    fill_32(to, from, length);
  else if (width == 8)
    fill_64(to, from, length);
  else
    fill_128(to, from, length);
}

osdear_status osdear__vector_expand(const osdear__frame *frame, osdear__vector *v, osdear_error **error)
{
  int32_t width = v->type->kind == KIND_VOID ? 0 : osdear__type_width(v->type);
  if (!v->constant)
    return OSDEAR_OK;
  if (v->validity) {
    bool valid = osdear__bit(v->validity, 0);
    uint64_t *bits = valid ? NULL : osdear__bits_new(frame, error);
    if (!valid && !bits)
      return OSDEAR_ERR_NO_MEMORY;
    if (bits)
      memset(bits, 0, (size_t)osdear__words(frame->length) * 8);
    v->validity = (const uint8_t *)bits;
  }
  v->constant = false;
  if (width < 0) {
    int32_t *starts = osdear__values_new(frame, 8, error);
    if (!starts)
      return OSDEAR_ERR_NO_MEMORY;
    fill(starts, v->starts, 4, frame->length);
    fill(starts + frame->length, v->ends, 4, frame->length);
    v->starts = starts;
    v->ends = starts + frame->length;
    return OSDEAR_OK;
  }
  if (v->type->kind == KIND_BOOLEAN) {
    uint64_t *bits = osdear__bits_new(frame, error);
    if (!bits)
      return OSDEAR_ERR_NO_MEMORY;
    bool value = osdear__bit(v->values, 0) && !v->validity;
    memset(bits, value ? 0xFF : 0, (size_t)osdear__words(frame->length) * 8);
    v->values = bits;
    return OSDEAR_OK;
  }
  void *values = osdear__values_new(frame, (size_t)(width ? width : 1), error);
  if (!values)
    return OSDEAR_ERR_NO_MEMORY;
  if (width > 0)
    fill(values, v->values, width, frame->length);
  v->values = values;
  return OSDEAR_OK;
}

osdear_status osdear__vector_validity(const osdear__frame *frame, const osdear__vector *a, const osdear__vector *b,
                                      const uint8_t **out, osdear_error **error)
{
  const uint8_t *sides[2] = { a->validity, b ? b->validity : NULL };
  const osdear__vector *vectors[2] = { a, b };
  for (size_t i = 0; i < 2; i++) {
    if (!sides[i] || !vectors[i]->constant)
      continue;
    if (osdear__bit(sides[i], 0)) {
      sides[i] = NULL;
      continue;
    }
    uint64_t *none = osdear__bits_new(frame, error);
    if (!none)
      return OSDEAR_ERR_NO_MEMORY;
    memset(none, 0, (size_t)osdear__words(frame->length) * 8);
    sides[i] = (const uint8_t *)none;
  }
  return osdear__bits_and(frame, sides[0], sides[1], out, error);
}

osdear_status osdear__vector_verdict(const osdear__frame *frame, const osdear__expr *expr, const char *what, const uint8_t *ok,
                                     osdear__vector *v, osdear_error **error)
{
  if (!ok)
    return OSDEAR_OK;
  int64_t words = osdear__words(frame->length);
  for (int64_t i = 0; i < words && !expr->is_try; i++) {
    uint64_t failed = ~osdear__word(ok, i);
    if (v->validity)
      failed &= osdear__word(v->validity, i);
    if (frame->active)
      failed &= osdear__word(frame->active, i);
    if (i == words - 1 && frame->length % 64)
      failed &= (UINT64_C(1) << frame->length % 64) - 1;
    if (failed)
      return osdear__fail(error, OSDEAR_ERR_DATA, "%s in %.*s (use TRY_CAST or a condition before it to leave such rows out)",
                          what, (int)(expr->source.size < 200 ? expr->source.size : 200), expr->source.data);
  }
  return osdear__bits_and(frame, v->validity, ok, &v->validity, error);
}

/* ---- handing out ---- */

static void set_null_count(struct ArrowArray *array, const uint8_t *validity, int64_t length)
{
  array->null_count = validity ? length - osdear__bits_count(validity, 0, length) : 0;
}

/* The bytes past the length are not to be seen by others. */
static void copy_bits(uint8_t *to, const void *from, int64_t length)
{
  memcpy(to, from, (size_t)(length + 7) / 8);
  if (length % 8)
    to[length / 8] = (uint8_t)(to[length / 8] & ((1 << length % 8) - 1));
}

static osdear_status bytes_to_array(const osdear__vector *v, int64_t length, bool with_validity, struct ArrowArray *out,
                                    osdear_error **error)
{
  int64_t total = 0;
  for (int64_t i = 0; i < length; i++)
    total += osdear__vector_is_null(v, i) ? 0 : v->ends[i] - v->starts[i];
  if (total > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a column of text would hold %" PRId64 " bytes in one batch: ask for fewer rows",
                        total);
  osdear_status st = osdear__array_new(v->type, length, with_validity, total, out, error);
  if (st)
    return st;
  int32_t *offsets = (int32_t *)(uintptr_t)out->buffers[1];
  char *bytes = (char *)(uintptr_t)out->buffers[2];
  int32_t at = 0;
  for (int64_t i = 0; i < length; i++) {
    size_t size = osdear__vector_is_null(v, i) ? 0 : (size_t)(v->ends[i] - v->starts[i]);
    offsets[i] = at;
    if (size > 0)
      memcpy(bytes + at, (const char *)v->values + v->starts[i], size);
    at += (int32_t)size;
  }
  offsets[length] = at;
  return OSDEAR_OK;
}

/* Nested values: the rows that a vector means, null where its validity says so. */
static osdear_status nested_to_array(const osdear__frame *frame, const osdear__vector *v, struct ArrowArray *out,
                                     osdear_error **error)
{
  int32_t *rows = osdear__values_new(frame, 4, error);
  if (!rows)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < frame->length; i++)
    rows[i] = osdear__vector_is_null(v, i) ? -1 : v->rows ? v->rows[i] : (int32_t)i;
  return osdear__array_take(v->type, v->array, rows, frame->length, out, error);
}

osdear_status osdear__vector_to_array(const osdear__frame *frame, const osdear__vector *given, struct ArrowArray *out,
                                      osdear_error **error)
{
  osdear__vector v = *given;
  int64_t length = frame->length;
  osdear_status st;

  if (v.type->kind == KIND_VOID)
    return osdear__array_nulls(v.type, length, out, error);
  if (v.array)
    return nested_to_array(frame, &v, out, error);
  st = osdear__vector_expand(frame, &v, error);
  if (st)
    return st;
  bool with_validity = v.validity && osdear__bits_count(v.validity, 0, length) < length;
  if (osdear__kind_is_bytes(v.type->kind))
    st = bytes_to_array(&v, length, with_validity, out, error);
  else
    st = osdear__array_new(v.type, length, with_validity, 0, out, error);
  if (st)
    return st;
  if (v.type->kind == KIND_BOOLEAN && length > 0)
    copy_bits((uint8_t *)(uintptr_t)out->buffers[1], v.values, length);
  else if (!osdear__kind_is_bytes(v.type->kind) && length > 0)
    memcpy((void *)(uintptr_t)out->buffers[1], v.values, (size_t)length * (size_t)osdear__type_width(v.type));
  if (with_validity)
    copy_bits((uint8_t *)(uintptr_t)out->buffers[0], v.validity, length);
  set_null_count(out, with_validity ? v.validity : NULL, length);
  return OSDEAR_OK;
}

/* ---- text put together row by row ---- */

osdear_status osdear__text_new(const osdear__frame *frame, osdear__text_out *out, osdear_error **error)
{
  *out = (osdear__text_out){ .capacity = (size_t)frame->length * 16 + 64 };
  out->starts = osdear__values_new(frame, 4, error);
  if (!out->starts)
    return OSDEAR_ERR_NO_MEMORY;
  out->data = osdear__arena_alloc(frame->arena, out->capacity + 8);
  return out->data ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__text_add(const osdear__frame *frame, osdear__text_out *out, const char *data, size_t size,
                               osdear_error **error)
{
  if (size > INT32_MAX - out->size)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the text of one batch would not fit 2 GiB: ask for fewer rows");
  if (size > out->capacity - out->size) {
    size_t capacity = out->capacity * 2 > out->size + size ? out->capacity * 2 : out->size + size;
    char *grown = osdear__arena_alloc(frame->arena, capacity + 8);
    if (!grown)
      return osdear__fail_memory(error);
    memcpy(grown, out->data, out->size);
    out->data = grown;
    out->capacity = capacity;
  }
  if (size > 0)
    memcpy(out->data + out->size, data, size);
  out->size += size;
  return OSDEAR_OK;
}

void osdear__text_done(const osdear__text_out *text, osdear__vector *out)
{
  out->values = text->data;
  out->value_bytes = (int64_t)text->size;
  out->starts = text->starts;
  out->ends = text->starts + 1;
}
