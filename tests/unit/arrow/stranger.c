#include "stranger.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#define MOST_CHILDREN 8
#define MOST_BUFFERS 8

typedef struct holder {
  const void *buffers[MOST_BUFFERS];
  void *blocks[MOST_BUFFERS];
  struct ArrowArray *children[MOST_CHILDREN];
} holder;

typedef struct schema_holder {
  char *format;
  char *name;
  char *metadata;
  struct ArrowSchema *children[MOST_CHILDREN];
} schema_holder;

static int64_t held;

static void *block(size_t size)
{
  void *made = calloc(1, size ? size : 1);

  cr_assert_not_null(made);
  held++;
  return made;
}

static void unblock(void *made)
{
  held -= made != NULL;
  free(made);
}

int64_t stranger_held(void)
{
  return held;
}

static void release_array(struct ArrowArray *array)
{
  holder *holds = array->private_data;

  for (int64_t i = 0; i < MOST_CHILDREN; i++) {
    if (holds->children[i] && holds->children[i]->release)
      holds->children[i]->release(holds->children[i]);
    unblock(holds->children[i]);
  }
  if (array->dictionary) {
    if (array->dictionary->release)
      array->dictionary->release(array->dictionary);
    unblock(array->dictionary);
  }
  for (int64_t i = 0; i < MOST_BUFFERS; i++)
    unblock(holds->blocks[i]);
  unblock(holds);
  array->release = NULL;
}

static void release_schema(struct ArrowSchema *schema)
{
  schema_holder *holds = schema->private_data;

  for (int64_t i = 0; i < MOST_CHILDREN; i++) {
    if (holds->children[i] && holds->children[i]->release)
      holds->children[i]->release(holds->children[i]);
    unblock(holds->children[i]);
  }
  if (schema->dictionary) {
    if (schema->dictionary->release)
      schema->dictionary->release(schema->dictionary);
    unblock(schema->dictionary);
  }
  unblock(holds->format);
  unblock(holds->name);
  unblock(holds->metadata);
  unblock(holds);
  schema->release = NULL;
}

static char *text(const char *from)
{
  char *copy = block(strlen(from) + 1);

  memcpy(copy, from, strlen(from));
  return copy;
}

static int64_t buffers_of(const char *format)
{
  if (strcmp(format, "n") == 0 || strcmp(format, "+r") == 0)
    return 0;
  if (strcmp(format, "+s") == 0 || strncmp(format, "+w:", 3) == 0)
    return 1;
  if (strchr("uUzZ", format[0]) || format[0] == 'v' || strncmp(format, "+v", 2) == 0)
    return 3;
  return 2;
}

stranger stranger_new(const char *format, const char *name, int64_t length)
{
  stranger column = { block(sizeof *column.schema), block(sizeof *column.array) };
  schema_holder *schema = block(sizeof *schema);
  holder *array = block(sizeof *array);

  schema->format = text(format);
  schema->name = text(name);
  *column.schema = (struct ArrowSchema){ .format = schema->format,
                                         .name = schema->name,
                                         .flags = ARROW_FLAG_NULLABLE,
                                         .release = release_schema,
                                         .private_data = schema };
  *column.array = (struct ArrowArray){ .length = length,
                                       .null_count = -1,
                                       .n_buffers = buffers_of(format),
                                       .buffers = array->buffers,
                                       .release = release_array,
                                       .private_data = array };
  return column;
}

void stranger_put(stranger column, int64_t buffer, const void *bytes, size_t size)
{
  holder *array = column.array->private_data;

  unblock(array->blocks[buffer]);
  array->blocks[buffer] = block(size);
  memcpy(array->blocks[buffer], bytes, size);
  array->buffers[buffer] = array->blocks[buffer];
}

void stranger_child(stranger parent, stranger child)
{
  schema_holder *schema = parent.schema->private_data;
  holder *array = parent.array->private_data;

  schema->children[parent.schema->n_children++] = child.schema;
  array->children[parent.array->n_children++] = child.array;
  parent.schema->children = schema->children;
  parent.array->children = array->children;
}

void stranger_dictionary(stranger indices, stranger values)
{
  indices.schema->dictionary = values.schema;
  indices.array->dictionary = values.array;
}

void stranger_buffers(stranger column, int64_t count)
{
  cr_assert(count <= MOST_BUFFERS);
  column.array->n_buffers = count;
}

void stranger_metadata(stranger column, const char *key, const char *value)
{
  schema_holder *schema = column.schema->private_data;
  int32_t sizes[] = { (int32_t)strlen(key), (int32_t)strlen(value) };
  int32_t pairs = 1;
  char *at = block(12 + (size_t)sizes[0] + (size_t)sizes[1]);

  unblock(schema->metadata);
  schema->metadata = at;
  column.schema->metadata = at;
  memcpy(at, &pairs, 4);
  memcpy(at + 4, &sizes[0], 4);
  memcpy(at + 8, key, (size_t)sizes[0]);
  memcpy(at + 8 + sizes[0], &sizes[1], 4);
  memcpy(at + 12 + sizes[0], value, (size_t)sizes[1]);
}

stranger stranger_batch(stranger column)
{
  stranger batch = stranger_new("+s", "", column.array->length);

  stranger_child(batch, column);
  return batch;
}

void stranger_free(stranger column)
{
  if (column.schema->release)
    column.schema->release(column.schema);
  if (column.array->release)
    column.array->release(column.array);
  unblock(column.schema);
  unblock(column.array);
}

osdear_status stranger_import(stranger batch, osdear__arena *arena, osdear__type *type, struct ArrowArray *out,
                              osdear_error **error)
{
  osdear_status st = osdear__schema_import(batch.schema, arena, type, error);

  if (!st) {
    st = osdear__array_import(batch.schema, type, batch.array, out, error);
    cr_assert_null(batch.array->release, "the array was not taken over");
  }
  stranger_free(batch);
  return st;
}

void check_released(void)
{
  cr_assert_eq(held, 0, "something of the stranger's was not released");
#ifdef OSDEAR_FAULTS
  cr_assert_eq(osdear__live(), 0);
#endif
}

/* ---- text ---- */

static void print_bytes(osdear__str bytes, osdear__buf *out)
{
  osdear__buf_putc(out, '"');
  for (size_t i = 0; i < bytes.size; i++)
    if ((unsigned char)bytes.data[i] < ' ' || (unsigned char)bytes.data[i] >= 0x7f)
      osdear__buf_printf(out, "\\x%02x", (unsigned)(unsigned char)bytes.data[i]);
    else
      osdear__buf_putc(out, bytes.data[i]);
  osdear__buf_putc(out, '"');
}

static void print_scalar(const osdear__scalar *value, osdear__buf *out)
{
  char text_of[64];

  switch (value->kind) {
  case KIND_STRING:
  case KIND_BINARY:
  case KIND_FIXED: print_bytes(value->bytes, out); return;
  case KIND_DECIMAL: osdear__format_decimal(value->decimal, value->scale, text_of); break;
  case KIND_FLOAT:
  case KIND_DOUBLE:
  case KIND_FLOAT16: osdear__format_f64(value->f64, text_of); break;
  case KIND_UINT64: osdear__buf_printf(out, "%" PRIu64, (uint64_t)value->i64); return;
  default: osdear__format_i64(value->i64, text_of);
  }
  osdear__buf_puts(out, text_of);
}

static void print_row(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  const int32_t *offsets = array->n_buffers > 1 ? array->buffers[1] : NULL;
  osdear__scalar value;

  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    osdear__buf_puts(out, "null");
  } else if (type->kind == KIND_STRUCT || type->kind == KIND_VARIANT) {
    static const osdear__field variant[] = { { .name = "metadata", .type = { .kind = KIND_BINARY } },
                                             { .name = "value", .type = { .kind = KIND_BINARY } } };
    const osdear__field *fields = type->kind == KIND_VARIANT ? variant : type->fields;

    osdear__buf_putc(out, '{');
    for (int64_t i = 0; i < array->n_children; i++) {
      osdear__buf_printf(out, "%s\"%s\":", i ? "," : "", fields[i].name);
      print_row(&fields[i].type, array->children[i], row, out);
    }
    osdear__buf_putc(out, '}');
  } else if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
    osdear__type entries = { .kind = KIND_STRUCT, .field_count = 2, .fields = type->fields };

    osdear__buf_putc(out, '[');
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
      if (i > offsets[row])
        osdear__buf_putc(out, ',');
      print_row(type->kind == KIND_MAP ? &entries : &type->fields[0].type, array->children[0], i, out);
    }
    osdear__buf_putc(out, ']');
  } else {
    osdear__scalar_at(type, array, row, &value);
    print_scalar(&value, out);
  }
}

static void check_layout(const osdear__type *type, const struct ArrowArray *array)
{
  bool has_offsets = type->kind == KIND_STRING || type->kind == KIND_BINARY || type->kind == KIND_ARRAY || type->kind == KIND_MAP;
  int64_t nulls = 0;

  cr_assert_eq(array->offset, 0);
  cr_assert_null(array->dictionary);
  for (int64_t i = 0; type->kind != KIND_VOID && i < array->length; i++)
    nulls += !osdear__is_valid(array, i);
  cr_assert_eq(array->null_count, type->kind == KIND_VOID ? array->length : nulls);
  cr_assert(type->kind == KIND_VOID || (array->null_count > 0) == (array->buffers[0] != NULL));
  if (has_offsets)
    cr_assert_eq(((const int32_t *)array->buffers[1])[0], 0);
  if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
    const int32_t *offsets = array->buffers[1];

    cr_assert_eq(array->children[0]->length, offsets[array->length]);
    for (int64_t i = 0; i < array->length; i++)
      cr_assert(osdear__is_valid(array, i) || offsets[i + 1] == offsets[i]);
  }
  if (type->kind == KIND_ARRAY)
    check_layout(&type->fields[0].type, array->children[0]);
  if (type->kind == KIND_MAP) {
    cr_assert_eq(array->children[0]->children[0]->null_count, 0);
    check_layout(&type->fields[1].type, array->children[0]->children[1]);
  }
  for (size_t i = 0; type->kind == KIND_STRUCT && i < type->field_count; i++) {
    cr_assert_eq(array->children[i]->length, array->length);
    check_layout(&type->fields[i].type, array->children[i]);
  }
}

void print_rows(const osdear__type *type, const struct ArrowArray *array, osdear__buf *out)
{
  check_layout(type, array);
  osdear__buf_putc(out, '[');
  for (int64_t i = 0; i < array->length; i++) {
    if (i)
      osdear__buf_putc(out, ',');
    print_row(type, array, i, out);
  }
  osdear__buf_putc(out, ']');
}

const char *rows_of(stranger batch)
{
  static char printed[1 << 16];
  SCOPED(arena) arena = { 0 };
  SCOPED(array) array = { 0 };
  SCOPED(buf) out = { 0 };
  osdear_error *error = NULL;
  osdear__type type;

  if (stranger_import(batch, &arena, &type, &array, &error)) {
    cr_assert_null(array.release);
    osdear__buf_puts(&out, osdear_error_message(error));
  } else {
    print_rows(&type.fields[0].type, array.children[0], &out);
  }
  osdear_error_free(error);
  osdear__array_drop(&array);
  cr_assert_lt(out.size, sizeof printed);
  memcpy(printed, out.data, out.size + 1);
  return printed;
}

static void append(osdear__builder *builder, const osdear__type *type, osdear__str word)
{
  osdear__int128 decimal = 0;
  double real = 0;
  int64_t integer = 0;
  osdear_status st;

  if (osdear__str_is(word, "null")) {
    st = osdear__builder_null(builder, NULL);
  } else if (type->kind == KIND_STRING || type->kind == KIND_BINARY || type->kind == KIND_FIXED) {
    st = osdear__builder_bytes(builder, word, NULL);
  } else if (type->kind == KIND_DECIMAL) {
    cr_assert(osdear__parse_decimal(word, type->precision, type->scale, &decimal));
    st = osdear__builder_decimal(builder, decimal, NULL);
  } else if (type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE) {
    cr_assert(osdear__parse_f64(word, &real));
    st = osdear__builder_f64(builder, real, NULL);
  } else {
    cr_assert(osdear__parse_i64(word, &integer));
    st = osdear__builder_i64(builder, integer, NULL);
  }
  cr_assert_eq(st, OSDEAR_OK);
}

void array_of(const osdear__type *type, const char *values, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;

  cr_assert_eq(osdear__builder_new(type, &builder, NULL), OSDEAR_OK);
  while (*values) {
    size_t size = strcspn(values, ",");

    append(builder, type, (osdear__str){ values, size });
    values += size + (values[size] == ',');
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}
