#include "written.h"

#include <math.h>

/* ---- outputs ---- */

static osdear_status memory_write(osdear__output *output, const void *data, size_t size, osdear_error **error)
{
  memory_output *mine = (memory_output *)output;

  if (mine->writes++ == mine->fail_at)
    return osdear__fail(error, OSDEAR_ERR_IO, "%s: the disk is full", output->name);
  osdear__buf_append(&mine->bytes, data, size);
  return osdear__buf_check(&mine->bytes, error);
}

static osdear_status memory_finish(osdear__output *output, osdear_error **error)
{
  (void)output;
  (void)error;
  return OSDEAR_OK;
}

static void memory_close(osdear__output *output)
{
  (void)output;
}

void memory_output_init(memory_output *output)
{
  *output = (memory_output){ .output = { memory_write, memory_finish, memory_close, 0, "memory" }, .fail_at = -1 };
}

void memory_output_drop(memory_output *output)
{
  osdear__buf_drop(&output->bytes);
}

/* ---- rows ---- */

static uint32_t next_random(uint32_t *seed)
{
  *seed = *seed * 1664525 + 1013904223;
  return *seed >> 8 ^ *seed << 20;
}

static osdear_status add_text(osdear__builder *builder, uint32_t *seed, bool is_text, osdear_error **error)
{
  static const char *const texts[] = { "", "a", "same", "\u00e9t\u00e9", "\U0010ffff\U0010ffff" };
  char text[300];
  size_t size = 0;

  switch (next_random(seed) % 4) {
  case 0: return osdear__builder_bytes(builder, osdear__str_of(texts[next_random(seed) % COUNT_OF(texts)]), error);
  case 1: /* long, with a beginning shared by all */
    for (size = next_random(seed) % sizeof text; size < 70;)
      size++;
    memset(text, 'l', size);
    text[size - 1] = (char)('a' + next_random(seed) % 26);
    break;
  default:
    for (size = 0; size < 1 + next_random(seed) % 20; size++)
      text[size] = (char)(is_text ? 'a' + next_random(seed) % 26 : next_random(seed) % 256);
    break;
  }
  return osdear__builder_bytes(builder, (osdear__str){ text, size }, error);
}

static int64_t integer_of(osdear__kind kind, uint32_t *seed)
{
  uint64_t bits = (uint64_t)next_random(seed) << 32 | next_random(seed);

  if (next_random(seed) % 2)
    bits %= 20; /* so that dictionaries are worth it */
  switch (kind) {
  case KIND_BOOLEAN: return bits & 1;
  case KIND_BYTE: return (int8_t)bits;
  case KIND_SHORT: return (int16_t)bits;
  case KIND_UINT8: return (uint8_t)bits;
  case KIND_UINT16: return (uint16_t)bits;
  case KIND_UINT32: return (uint32_t)bits;
  case KIND_INTEGER:
  case KIND_DATE: return (int32_t)bits;
  case KIND_TIME: return (int64_t)(bits % OSDEAR__DAY_US);
  default: return (int64_t)bits;
  }
}

static double float_of(uint32_t *seed)
{
  static const double special[] = { 0.0, -0.0, 1.5, -2.25, (double)INFINITY, (double)NAN };
  return next_random(seed) % 3 ? (double)(int32_t)next_random(seed) / 1024 : special[next_random(seed) % COUNT_OF(special)];
}

static osdear__int128 decimal_of(int32_t precision, uint32_t *seed)
{
  osdear__uint128 bits = 0;
  osdear__int128 value;

  for (int i = 0; i < 4; i++)
    bits = bits << 32 | next_random(seed);
  value = (osdear__int128)(bits % (osdear__uint128)osdear__pow10(next_random(seed) % 2 ? precision : 1));
  return next_random(seed) % 2 ? value : -value;
}

static osdear_status add_value(osdear__builder *builder, const osdear__type *type, uint32_t nulls, uint32_t *seed,
                               osdear_error **error);

static osdear_status add_field(osdear__builder *builder, const osdear__field *field, uint32_t nulls, uint32_t *seed,
                               osdear_error **error)
{
  bool only_null = field->type.kind == KIND_VOID || field->type.kind == KIND_FLOAT16; /* builders take no halves */

  if (field->nullable && (next_random(seed) % 100 < nulls || only_null))
    return osdear__builder_null(builder, error);
  return add_value(builder, &field->type, nulls, seed, error);
}

static osdear_status add_children(osdear__builder *builder, const osdear__type *type, uint32_t nulls, uint32_t *seed,
                                  osdear_error **error)
{
  static const uint32_t lengths[] = { 0, 0, 1, 2, 5 };
  uint32_t count = type->kind == KIND_STRUCT ? 1 : lengths[next_random(seed) % COUNT_OF(lengths)];

  for (uint32_t k = 0; k < count; k++) {
    for (size_t i = 0; i < type->field_count; i++) {
      osdear_status st = add_field(osdear__builder_child(builder, i), &type->fields[i], nulls, seed, error);
      if (st)
        return st;
    }
  }
  return osdear__builder_close(builder, error);
}

static osdear_status add_variant(osdear__builder *builder, uint32_t *seed, osdear_error **error)
{
  char text[4] = { 3 << 2 | VARIANT_SHORT_STRING };
  osdear_status st = osdear__builder_bytes(osdear__builder_child(builder, 0), STR("\1\0\0"), error);

  for (size_t i = 1; i < sizeof text; i++)
    text[i] = (char)('a' + next_random(seed) % 26);
  if (!st)
    st = osdear__builder_bytes(osdear__builder_child(builder, 1), (osdear__str){ text, sizeof text }, error);
  return st ? st : osdear__builder_close(builder, error);
}

static osdear_status add_value(osdear__builder *builder, const osdear__type *type, uint32_t nulls, uint32_t *seed,
                               osdear_error **error)
{
  char fixed[64];

  switch (type->kind) {
  case KIND_VOID: return osdear__builder_null(builder, error);
  case KIND_STRING:
  case KIND_BINARY: return add_text(builder, seed, type->kind == KIND_STRING, error);
  case KIND_FIXED:
    for (int32_t i = 0; i < type->width; i++)
      fixed[i] = (char)(next_random(seed) % 4);
    return osdear__builder_bytes(builder, (osdear__str){ fixed, (size_t)type->width }, error);
  case KIND_FLOAT:
  case KIND_DOUBLE: return osdear__builder_f64(builder, (double)(float)float_of(seed), error);
  case KIND_DECIMAL: return osdear__builder_decimal(builder, decimal_of(type->precision, seed), error);
  case KIND_ARRAY:
  case KIND_MAP:
  case KIND_STRUCT: return add_children(builder, type, nulls, seed, error);
  case KIND_VARIANT: return add_variant(builder, seed, error);
  default: return osdear__builder_i64(builder, integer_of(type->kind, seed), error);
  }
}

osdear_status make_rows(const osdear__type *type, int64_t rows, uint32_t nulls, uint32_t seed, struct ArrowArray *out,
                        osdear_error **error)
{
  AUTO(builder) builder = NULL;
  osdear_status st = osdear__builder_new(type, &builder, error);

  for (int64_t i = 0; i < rows && !st; i++)
    st = add_value(builder, type, nulls, &seed, error);
  return st ? st : osdear__builder_finish(builder, out, error);
}

/* ---- files ---- */

osdear_status write_file(const osdear__type *type, const struct ArrowArray *rows, int64_t step,
                         const osdear__parquet_write *options, osdear__output *output, osdear_error **error)
{
  osdear_context_options alone = OSDEAR_CONTEXT_OPTIONS_INIT;
  AUTO(parquet_writer) writer = NULL;
  osdear_context *context = NULL;
  osdear_status st;

  alone.threads = 1;
  st = osdear_context_new(&alone, &context, error);
  if (!st)
    st = osdear__parquet_writer_new(context, output, type, options, &writer, error);
  osdear_context_unref(context); /* the writer has its own */
  for (int64_t from = 0; from < rows->length && !st; from += step) {
    SCOPED(array) batch = { 0 };
    st = osdear__array_slice(type, rows, from, rows->length - from < step ? rows->length - from : step, &batch, error);
    if (!st)
      st = osdear__parquet_writer_add(writer, &batch, error);
  }
  return st ? st : osdear__parquet_writer_finish(writer, error);
}

static osdear_status read_group(osdear__parquet *file, size_t group, struct ArrowArray *parts, size_t *count,
                                osdear_error **error)
{
  osdear__parquet_read all = { 0 };
  AUTO(parquet_cursor) cursor = NULL;
  int64_t first_row;
  osdear_status st = osdear__parquet_cursor_new(file, group, &all, &cursor, error);

  while (!st) {
    struct ArrowArray *part = &parts[*count];
    st = osdear__parquet_cursor_next(cursor, 1000, part, &first_row, error);
    if (st || !part->release)
      break;
    ++*count;
  }
  return st;
}

osdear_status read_file(const osdear__buf *bytes, const osdear__type *type, struct ArrowArray *out, osdear_error **error)
{
  enum { MOST = 10000 };
  struct ArrowArray *parts = NULL;
  osdear__input *input = NULL;
  AUTO(parquet) file = NULL;
  size_t count = 0;
  osdear_status st = osdear__input_of_bytes(bytes->data, bytes->size, "memory", &input, error);

  if (!st)
    st = osdear__parquet_open(input, NULL, &file, error);
  if (st)
    return st;
  parts = osdear__alloc_zeroed(MOST, sizeof *parts);
  if (!parts)
    return osdear__fail_memory(error);
  for (size_t group = 0; group < osdear__parquet_group_count(file) && !st; group++)
    st = read_group(file, group, parts, &count, error);
  if (!st)
    st = osdear__array_concat(type, parts, count, out, error);
  for (size_t i = 0; i < count; i++)
    osdear__array_drop(&parts[i]);
  osdear__free(parts);
  return st;
}

/* ---- comparing ---- */

static bool same_value(const osdear__type *type, const struct ArrowArray *a, int64_t at, const struct ArrowArray *b, int64_t bt);

static bool same_items(const osdear__type *type, const struct ArrowArray *a, int64_t at, const struct ArrowArray *b, int64_t bt)
{
  const int32_t *left = a->buffers[1], *right = b->buffers[1];
  const struct ArrowArray *as = a->children[0], *bs = b->children[0];
  int32_t count = left[at + 1] - left[at];

  if (right[bt + 1] - right[bt] != count)
    return false;
  for (int32_t k = 0; k < count; k++) {
    if (type->kind == KIND_ARRAY && !same_value(&type->fields[0].type, as, left[at] + k, bs, right[bt] + k))
      return false;
    for (size_t i = 0; i < type->field_count && type->kind == KIND_MAP; i++)
      if (!same_value(&type->fields[i].type, as->children[i], left[at] + k, bs->children[i], right[bt] + k))
        return false;
  }
  return true;
}

static bool same_scalar(const osdear__type *type, const struct ArrowArray *a, int64_t at, const struct ArrowArray *b, int64_t bt)
{
  osdear__scalar left, right;

  osdear__scalar_at(type, a, at, &left);
  osdear__scalar_at(type, b, bt, &right);
  return left.i64 == right.i64 && memcmp(&left.f64, &right.f64, sizeof left.f64) == 0 && left.decimal == right.decimal &&
         osdear__str_equal(left.bytes, right.bytes);
}

static bool same_value(const osdear__type *type, const struct ArrowArray *a, int64_t at, const struct ArrowArray *b, int64_t bt)
{
  static const osdear__type binary = { .kind = KIND_BINARY };

  if (type->kind == KIND_VOID)
    return true;
  if (osdear__is_valid(a, at) != osdear__is_valid(b, bt))
    return false;
  if (!osdear__is_valid(a, at))
    return true;
  switch (type->kind) {
  case KIND_ARRAY:
  case KIND_MAP: return same_items(type, a, at, b, bt);
  case KIND_STRUCT:
    for (size_t i = 0; i < type->field_count; i++)
      if (!same_value(&type->fields[i].type, a->children[i], at, b->children[i], bt))
        return false;
    return true;
  case KIND_VARIANT:
    return same_value(&binary, a->children[0], at, b->children[0], bt) &&
           same_value(&binary, a->children[1], at, b->children[1], bt);
  default: return same_scalar(type, a, at, b, bt);
  }
}

int64_t first_difference(const osdear__type *type, const struct ArrowArray *a, const struct ArrowArray *b)
{
  int64_t rows = a->length < b->length ? a->length : b->length;

  for (int64_t row = 0; row < rows; row++)
    if (!same_value(type, a, row, b, row))
      return row;
  return a->length == b->length ? -1 : rows;
}

/* ---- types ---- */

osdear__type one_column(osdear__field *field, osdear__type type, bool required)
{
  *field = (osdear__field){ .name = "c", .nullable = !required, .field_id = -1, .type = type };
  return (osdear__type){ .kind = KIND_STRUCT, .field_count = 1, .fields = field };
}

/* clang-format off */
#define OF(given) { .name = #given, .nullable = true, .field_id = -1, .type = { .kind = KIND_##given } }
#define DECIMAL(digits, fraction)                                                      \
  {                                                                                    \
    .name = "decimal" #digits, .nullable = true, .field_id = -1,                       \
    .type = { .kind = KIND_DECIMAL, .precision = (digits), .scale = (fraction) }       \
  }
#define NESTED(given, called, inner)                                                                                        \
  {                                                                                                                         \
    .name = (called), .nullable = true, .field_id = -1, .type = { .kind = KIND_##given, .field_count = COUNT_OF(inner), .fields = (inner) } \
  }
/* clang-format on */

static osdear__field number_element[] = {
  { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_INTEGER } }
};
static osdear__field text_element[] = {
  { .name = "element", .nullable = false, .field_id = -1, .type = { .kind = KIND_STRING } }
};
static osdear__field lists_element[] = { NESTED(ARRAY, "element", number_element) };
static osdear__field entry[] = { { .name = "key", .nullable = false, .field_id = -1, .type = { .kind = KIND_STRING } },
                                 { .name = "value", .nullable = true, .field_id = -1, .type = { .kind = KIND_LONG } } };
static osdear__field entry_of_lists[] = { { .name = "key", .nullable = false, .field_id = -1, .type = { .kind = KIND_INTEGER } },
                                          NESTED(ARRAY, "value", lists_element) };
static osdear__field members[] = { { .name = "required", .nullable = false, .field_id = -1, .type = { .kind = KIND_LONG } },
                                   NESTED(ARRAY, "texts", text_element),
                                   NESTED(MAP, "map", entry),
                                   OF(BOOLEAN) };
static osdear__field structs_element[] = { NESTED(STRUCT, "element", members) };
static osdear__field columns[] = {
  OF(BOOLEAN),
  OF(BYTE),
  OF(SHORT),
  OF(INTEGER),
  OF(LONG),
  OF(FLOAT),
  OF(DOUBLE),
  OF(STRING),
  OF(BINARY),
  OF(DATE),
  OF(TIMESTAMP),
  OF(TIMESTAMP_NTZ),
  OF(VARIANT),
  OF(VOID),
  OF(UINT8),
  OF(UINT16),
  OF(UINT32),
  OF(UINT64),
  OF(FLOAT16),
  OF(TIME),
  { .name = "FIXED", .nullable = true, .field_id = -1, .type = { .kind = KIND_FIXED, .width = 5 } },
  DECIMAL(1, 0),
  DECIMAL(9, 2),
  DECIMAL(10, 10),
  DECIMAL(18, 3),
  DECIMAL(19, 0),
  DECIMAL(38, 18),
  { .name = "required", .nullable = false, .field_id = 7, .type = { .kind = KIND_INTEGER } },
  NESTED(ARRAY, "numbers", number_element),
  NESTED(ARRAY, "lists", lists_element),
  NESTED(MAP, "map", entry),
  NESTED(MAP, "map_of_lists", entry_of_lists),
  NESTED(STRUCT, "struct", members),
  NESTED(ARRAY, "structs", structs_element),
};

const osdear__type *every_type(void)
{
  static const osdear__type table = { .kind = KIND_STRUCT, .field_count = COUNT_OF(columns), .fields = columns };
  return &table;
}
