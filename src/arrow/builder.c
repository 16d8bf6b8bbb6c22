/** @file builder.c Arrays built row by row. After a failure a builder can only be freed. */
#include <arrow/internal.h>

#define FIRST_ROWS 64
#define FIRST_BYTES 256

struct osdear__builder {
  osdear__type type;
  int64_t length;
  int64_t capacity;
  int64_t null_count;
  uint8_t *validity; /* NULL before the first null */
  char *values;      /* bits, values, or capacity + 1 offsets */
  char *bytes;
  int64_t bytes_size;
  int64_t bytes_capacity;
  size_t child_count; /* ARRAY 1, MAP 2, STRUCT n, VARIANT 2 */
  osdear__builder *children;
};

/* ---- life ---- */

static void clear(osdear__builder *builder)
{
  osdear__free(builder->validity);
  osdear__free(builder->values);
  osdear__free(builder->bytes);
  builder->validity = NULL;
  builder->values = NULL;
  builder->bytes = NULL;
  builder->length = builder->capacity = builder->null_count = 0;
  builder->bytes_size = builder->bytes_capacity = 0;
  for (size_t i = 0; i < builder->child_count; i++)
    clear(&builder->children[i]);
}

static void destroy(osdear__builder *builder)
{
  clear(builder);
  for (size_t i = 0; i < builder->child_count; i++)
    destroy(&builder->children[i]);
  osdear__free(builder->children);
}

static osdear_status init(const osdear__type *type, osdear__builder *builder, osdear_error **error)
{
  size_t count = type->kind == KIND_VARIANT ? 2 : type->field_count;

  builder->type = *type;
  if (!count)
    return OSDEAR_OK;
  builder->children = osdear__alloc_zeroed(count, sizeof *builder->children);
  if (!builder->children)
    return osdear__fail_memory(error);
  builder->child_count = count;
  for (size_t i = 0; i < count; i++) {
    osdear__type child = type->kind == KIND_VARIANT ? (osdear__type){ .kind = KIND_BINARY } : type->fields[i].type;
    osdear_status st = init(&child, &builder->children[i], error);

    if (st)
      return st;
  }
  return OSDEAR_OK;
}

osdear_status osdear__builder_new(const osdear__type *type, osdear__builder **out, osdear_error **error)
{
  AUTO(builder) builder = osdear__alloc_zeroed(1, sizeof *builder);
  osdear_status st;

  if (!builder)
    return osdear__fail_memory(error);
  st = init(type, builder, error);
  if (st)
    return st;
  *out = builder;
  builder = NULL;
  return OSDEAR_OK;
}

void osdear__builder_auto(osdear__builder **builder)
{
  if (!*builder)
    return;
  destroy(*builder);
  osdear__free(*builder);
  *builder = NULL;
}

/* ---- room ---- */

/* Bytes that `rows` rows take in `values`. */
static size_t values_size(const osdear__type *type, int64_t rows)
{
  int32_t width = osdear__type_width(type);

  if (type->kind == KIND_BOOLEAN)
    return osdear__bits_size(rows);
  if (osdear__kind_has_offsets(type->kind))
    return ((size_t)rows + 1) * sizeof(int32_t);
  return width > 0 ? (size_t)rows * (size_t)width : 0;
}

static bool has_values(const osdear__type *type)
{
  return type->kind != KIND_VOID && type->kind != KIND_STRUCT && type->kind != KIND_VARIANT;
}

static osdear_status resize(osdear__builder *builder, int64_t capacity, osdear_error **error)
{
  size_t used = builder->values ? values_size(&builder->type, builder->capacity) : 0;
  size_t size = values_size(&builder->type, capacity);

  if (builder->validity) {
    uint8_t *validity = osdear__buffer_grow(builder->validity, osdear__bits_size(capacity));

    if (!validity)
      return osdear__fail_memory(error);
    builder->validity = validity;
  }
  if (has_values(&builder->type)) {
    char *values = osdear__buffer_grow(builder->values, size);

    if (!values)
      return osdear__fail_memory(error);
    builder->values = values;
    if (!used && size) /* the first offset, and the bits that only ones are written into */
      memset(values, 0, builder->type.kind == KIND_BOOLEAN ? size : values_size(&builder->type, 0));
  }
  builder->capacity = capacity;
  return OSDEAR_OK;
}

static osdear_status grow(osdear__builder *builder, osdear_error **error)
{
  int64_t capacity = builder->capacity ? builder->capacity * 2 : FIRST_ROWS;

  if (builder->length >= OSDEAR__ROWS_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %d rows or elements of a %s column in one batch; use smaller batches",
                        OSDEAR__ROWS_MAX, osdear__kind_name(builder->type.kind));
  return resize(builder, capacity < OSDEAR__ROWS_MAX ? capacity : OSDEAR__ROWS_MAX, error);
}

static osdear_status grow_bytes(osdear__builder *builder, size_t more, osdear_error **error)
{
  int64_t capacity = builder->bytes_capacity ? builder->bytes_capacity : FIRST_BYTES;
  int64_t needed;
  char *bytes;

  if (more > INT32_MAX || builder->bytes_size + (int64_t)more > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %d bytes of a %s column in one batch; use smaller batches", INT32_MAX,
                        osdear__kind_name(builder->type.kind));
  needed = builder->bytes_size + (int64_t)more;
  while (capacity < needed)
    capacity *= 2;
  bytes = osdear__buffer_grow(builder->bytes, (size_t)capacity);
  if (!bytes)
    return osdear__fail_memory(error);
  builder->bytes = bytes;
  builder->bytes_capacity = capacity;
  return OSDEAR_OK;
}

/* Room for one more row. */
static inline osdear_status ready(osdear__builder *builder, osdear_error **error)
{
  return LIKELY(builder->length < builder->capacity) ? OSDEAR_OK : grow(builder, error);
}

/* The row whose value was just written stands. */
static inline void commit_valid(osdear__builder *builder)
{
  if (builder->validity)
    osdear__bit_set(builder->validity, builder->length);
  builder->length++;
}

static osdear_status wrong_kind(const osdear__builder *builder, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_INTERNAL, "a %s column cannot take %s", osdear__kind_name(builder->type.kind), what);
}

/* ---- values ---- */

static osdear_status first_null(osdear__builder *builder, osdear_error **error)
{
  builder->validity = osdear__buffer_new(osdear__bits_size(builder->capacity));
  if (!builder->validity)
    return osdear__fail_memory(error);
  osdear__bits_fill(builder->validity, 0, builder->length);
  return OSDEAR_OK;
}

static void null_value(osdear__builder *builder)
{
  if (osdear__kind_has_offsets(builder->type.kind)) {
    int32_t *offsets = (int32_t *)(void *)builder->values;

    offsets[builder->length + 1] = offsets[builder->length];
  } else if (builder->type.kind == KIND_BOOLEAN) {
    uint8_t *bits = (uint8_t *)builder->values;

    bits[builder->length >> 3] = (uint8_t)(bits[builder->length >> 3] & ~(1u << (builder->length & 7)));
  } else if (has_values(&builder->type)) {
    size_t width = values_size(&builder->type, 1);

    memset(builder->values + (size_t)builder->length * width, 0, width);
  }
}

osdear_status osdear__builder_null(osdear__builder *builder, osdear_error **error)
{
  osdear_status st = ready(builder, error);

  if (!st && !builder->validity && builder->type.kind != KIND_VOID)
    st = first_null(builder, error);
  if (st)
    return st;
  if (builder->type.kind == KIND_STRUCT || builder->type.kind == KIND_VARIANT)
    for (size_t i = 0; !st && i < builder->child_count; i++)
      st = osdear__builder_null(&builder->children[i], error);
  if (st)
    return st;
  null_value(builder);
  if (builder->validity) {
    uint8_t *byte = &builder->validity[builder->length >> 3];

    *byte = (uint8_t)(*byte & ~(1u << (builder->length & 7)));
  }
  builder->null_count++;
  builder->length++;
  return OSDEAR_OK;
}

static bool fits(osdear__kind kind, int64_t value)
{
  switch (kind) {
  case KIND_BYTE: return value >= INT8_MIN && value <= INT8_MAX;
  case KIND_SHORT: return value >= INT16_MIN && value <= INT16_MAX;
  case KIND_INTEGER:
  case KIND_DATE: return value >= INT32_MIN && value <= INT32_MAX;
  case KIND_UINT8: return value >= 0 && value <= UINT8_MAX;
  case KIND_UINT16: return value >= 0 && value <= UINT16_MAX;
  case KIND_UINT32: return value >= 0 && value <= UINT32_MAX;
  default: return true;
  }
}

osdear_status osdear__builder_i64(osdear__builder *builder, int64_t value, osdear_error **error)
{
  osdear_status st = ready(builder, error);
  char *values = builder->values;
  int64_t at = builder->length;

  if (st)
    return st;
  if (!fits(builder->type.kind, value))
    return osdear__fail(error, OSDEAR_ERR_DATA, "%" PRId64 " does not fit a %s", value, osdear__kind_name(builder->type.kind));
  switch (builder->type.kind) {
  case KIND_BOOLEAN: {
    uint8_t *bits = (uint8_t *)values;
    unsigned bit = 1u << (at & 7);

    bits[at >> 3] = (uint8_t)(value ? bits[at >> 3] | bit : bits[at >> 3] & ~bit);
    break;
  }
  case KIND_BYTE:
  case KIND_UINT8: values[at] = (char)value; break;
  case KIND_SHORT:
  case KIND_UINT16: ((int16_t *)(void *)values)[at] = (int16_t)value; break;
  case KIND_INTEGER:
  case KIND_UINT32:
  case KIND_DATE: ((int32_t *)(void *)values)[at] = (int32_t)value; break;
  case KIND_LONG:
  case KIND_UINT64:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: ((int64_t *)(void *)values)[at] = value; break;
  default: return wrong_kind(builder, "an integer", error);
  }
  commit_valid(builder);
  return OSDEAR_OK;
}

osdear_status osdear__builder_f64(osdear__builder *builder, double value, osdear_error **error)
{
  osdear_status st = ready(builder, error);

  if (st)
    return st;
  if (builder->type.kind == KIND_DOUBLE)
    ((double *)(void *)builder->values)[builder->length] = value;
  else if (builder->type.kind == KIND_FLOAT)
    ((float *)(void *)builder->values)[builder->length] = (float)value;
  else
    return wrong_kind(builder, "a floating-point number", error);
  commit_valid(builder);
  return OSDEAR_OK;
}

osdear_status osdear__builder_decimal(osdear__builder *builder, osdear__int128 value, osdear_error **error)
{
  osdear_status st = ready(builder, error);
  osdear__int128 bound;

  if (st)
    return st;
  if (builder->type.kind != KIND_DECIMAL)
    return wrong_kind(builder, "a decimal", error);
  bound = osdear__pow10(builder->type.precision);
  if (value >= bound || value <= -bound)
    return osdear__fail(error, OSDEAR_ERR_DATA, "a value has more than the %" PRId32 " digits of its decimal column",
                        builder->type.precision);
  memcpy(builder->values + builder->length * 16, &value, sizeof value);
  commit_valid(builder);
  return OSDEAR_OK;
}

static osdear_status append_fixed(osdear__builder *builder, osdear__str value, osdear_error **error)
{
  size_t width = (size_t)builder->type.width;

  if (value.size != width)
    return osdear__fail(error, OSDEAR_ERR_DATA, "%zu bytes for a column of %zu bytes each", value.size, width);
  if (width)
    memcpy(builder->values + (size_t)builder->length * width, value.data, width);
  commit_valid(builder);
  return OSDEAR_OK;
}

osdear_status osdear__builder_bytes(osdear__builder *builder, osdear__str value, osdear_error **error)
{
  osdear_status st = ready(builder, error);

  if (st)
    return st;
  if (builder->type.kind == KIND_FIXED)
    return append_fixed(builder, value, error);
  if (!osdear__kind_has_bytes(builder->type.kind))
    return wrong_kind(builder, "bytes", error);
  if (value.size > (size_t)(builder->bytes_capacity - builder->bytes_size))
    st = grow_bytes(builder, value.size, error);
  if (st)
    return st;
  if (value.size)
    memcpy(builder->bytes + builder->bytes_size, value.data, value.size);
  builder->bytes_size += (int64_t)value.size;
  ((int32_t *)(void *)builder->values)[builder->length + 1] = (int32_t)builder->bytes_size;
  commit_valid(builder);
  return OSDEAR_OK;
}

osdear_status osdear__builder_scalar(osdear__builder *builder, const osdear__scalar *value, osdear_error **error)
{
  if (value->is_null || builder->type.kind == KIND_VOID)
    return osdear__builder_null(builder, error);
  switch (builder->type.kind) {
  case KIND_FLOAT:
  case KIND_DOUBLE: return osdear__builder_f64(builder, value->f64, error);
  case KIND_DECIMAL: return osdear__builder_decimal(builder, value->decimal, error);
  case KIND_STRING:
  case KIND_BINARY:
  case KIND_FIXED: return osdear__builder_bytes(builder, value->bytes, error);
  default: return osdear__builder_i64(builder, value->i64, error);
  }
}

/* ---- nested ---- */

osdear__builder *osdear__builder_child(osdear__builder *builder, size_t index)
{
  return &builder->children[index];
}

/* What the row's children must have before it may be closed; the same for all but maps' and structs' is trivial. */
static bool children_agree(const osdear__builder *builder)
{
  bool is_list = osdear__kind_has_offsets(builder->type.kind);
  int64_t expected = is_list ? builder->children[0].length : builder->length + 1;

  for (size_t i = 0; i < builder->child_count; i++)
    if (builder->children[i].length != expected)
      return false;
  return true;
}

osdear_status osdear__builder_close(osdear__builder *builder, osdear_error **error)
{
  osdear__kind kind = builder->type.kind;
  osdear_status st;

  if (kind != KIND_ARRAY && kind != KIND_MAP && kind != KIND_STRUCT && kind != KIND_VARIANT)
    return wrong_kind(builder, "a nested row", error);
  if (!children_agree(builder))
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "a row of a %s column was closed whose children have unequal lengths",
                        osdear__kind_name(kind));
  st = ready(builder, error);
  if (st)
    return st;
  if (kind == KIND_ARRAY || kind == KIND_MAP)
    ((int32_t *)(void *)builder->values)[builder->length + 1] = (int32_t)builder->children[0].length;
  commit_valid(builder);
  return OSDEAR_OK;
}

int64_t osdear__builder_length(const osdear__builder *builder)
{
  return builder->length;
}

int64_t osdear__builder_bytes_used(const osdear__builder *builder)
{
  int64_t total = (int64_t)values_size(&builder->type, builder->length) + builder->bytes_size;

  if (builder->validity)
    total += (int64_t)osdear__bits_size(builder->length);
  for (size_t i = 0; i < builder->child_count; i++)
    total += osdear__builder_bytes_used(&builder->children[i]);
  return total;
}

/* ---- the array ---- */

/* Gives back what doubling took too much; shrinking that fails has changed nothing. */
static void *trimmed(void *buffer, size_t size)
{
  void *smaller = buffer ? osdear__buffer_grow(buffer, size) : NULL;

  return smaller ? smaller : buffer;
}

static osdear_status finish(osdear__builder *builder, struct ArrowArray *out, osdear_error **error);

static osdear_status finish_children(osdear__builder *builder, struct ArrowArray *children, osdear_error **error)
{
  int64_t length = builder->child_count ? builder->children[0].length : 0;
  void *no_validity = NULL;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < builder->child_count; i++)
    st = finish(&builder->children[i], &children[i], error);
  if (st || builder->type.kind != KIND_MAP)
    return st;
  struct ArrowArray entries = { 0 };
  st = osdear__array_adopt(length, 0, &no_validity, 1, children, 2, &entries, error);
  children[0] = entries;
  children[1].release = NULL;
  return st;
}

static osdear_status finish(osdear__builder *builder, struct ArrowArray *out, osdear_error **error)
{
  bool has_bytes = osdear__kind_has_bytes(builder->type.kind);
  struct ArrowArray *children = osdear__alloc_zeroed(builder->child_count + 1, sizeof *children);
  osdear_status st = children ? OSDEAR_OK : osdear__fail_memory(error);
  int64_t child_count = builder->type.kind == KIND_MAP ? 1 : (int64_t)builder->child_count;

  /* Arrays without rows have buffers too. */
  if (!st && !builder->values && has_values(&builder->type))
    st = resize(builder, builder->capacity, error);
  if (!st && !builder->bytes && has_bytes)
    st = grow_bytes(builder, 0, error);
  if (!st)
    st = finish_children(builder, children, error);
  if (!st) {
    void *buffers[3] = {
      trimmed(builder->validity, osdear__bits_size(builder->length)),
      trimmed(builder->values, values_size(&builder->type, builder->length)),
      trimmed(builder->bytes, (size_t)builder->bytes_size),
    };

    builder->validity = NULL;
    builder->values = builder->bytes = NULL;
    st = osdear__array_adopt(builder->length, builder->null_count, buffers, osdear__buffer_count(&builder->type), children,
                             child_count, out, error);
  } else if (children) {
    for (size_t i = 0; i < builder->child_count; i++)
      osdear__array_drop(&children[i]);
  }
  osdear__free(children);
  return st;
}

osdear_status osdear__builder_finish(osdear__builder *builder, struct ArrowArray *out, osdear_error **error)
{
  struct ArrowArray array;
  osdear_status st = finish(builder, &array, error);

  clear(builder);
  if (!st)
    *out = array;
  return st;
}
