#include "made.h"

#include <criterion/criterion.h>

void made_start(made *file)
{
  memset(file, 0, sizeof *file);
  osdear__buf_puts(&file->bytes, "PAR1");
  file->meta.version = 1;
  file->meta.schema = file->schema;
  file->meta.schema_count = 1;
  file->schema[0].name = STR("root");
  file->schema[0].set = ELEMENT_NUM_CHILDREN;
  file->meta.row_groups = file->groups;
  file->meta.column_orders = file->orders;
  file->chunk_start = 4;
}

osdear__pq_schema_element *made_field(made *file, const char *name, osdear__pq_repetition repetition, int32_t physical, int32_t children)
{
  osdear__pq_schema_element *element = &file->schema[file->meta.schema_count++];
  static const char *const nested[] = { "list", "element", "key_value", "key", "value", "inside" };
  bool is_nested = false;

  for (size_t i = 0; i < COUNT_OF(nested); i++)
    is_nested |= !strcmp(name, nested[i]);
  file->schema[0].num_children += !is_nested;
  element->name = osdear__str_of(name);
  element->set = ELEMENT_REPETITION;
  element->repetition_type = (int32_t)repetition;
  if (children) {
    element->set |= ELEMENT_NUM_CHILDREN;
    element->num_children = children;
  } else {
    element->set |= ELEMENT_TYPE;
    element->type = physical;
    file->orders[file->meta.column_order_count++].set = COLUMN_ORDER_TYPE;
  }
  return element;
}

void made_page(made *file, osdear__pq_page_header *header, const osdear__buf *body)
{
  header->compressed_page_size = (int32_t)body->size;
  header->uncompressed_page_size = (int32_t)body->size;
  if (file->with_crc && !(header->set & PAGE_HEADER_CRC)) {
    header->set |= PAGE_HEADER_CRC;
    header->crc = (int32_t)osdear__crc32(0, body->data, body->size);
  }
  osdear__thrift_write(&osdear__pq_page_header_thrift, header, &file->bytes);
  osdear__buf_append(&file->bytes, body->data, body->size);
}

static void append(osdear__buf *out, const osdear__buf *more)
{
  if (more)
    osdear__buf_append(out, more->data, more->size);
}

void made_page_v1(made *file, int32_t encoding, int32_t count, const osdear__buf *levels, const osdear__buf *values)
{
  SCOPED(buf) body = { 0 };
  osdear__pq_data_page page = { 0, count, encoding, PQ_RLE, PQ_RLE, NULL };
  osdear__pq_page_header header = { .type = PQ_DATA_PAGE, .data_page = &page };

  append(&body, levels);
  append(&body, values);
  made_page(file, &header, &body);
  file->chunk_values += count;
}

void made_page_v2(made *file, int32_t encoding, int32_t count, int32_t nulls, int32_t rows, const osdear__buf *reps, const osdear__buf *defs,
                  const osdear__buf *values)
{
  SCOPED(buf) body = { 0 };
  osdear__pq_data_page_v2 page = { 0, count, nulls, rows, encoding, defs ? (int32_t)defs->size : 0, reps ? (int32_t)reps->size : 0, false, NULL };
  osdear__pq_page_header header = { .type = PQ_DATA_PAGE_V2, .data_page_v2 = &page };

  append(&body, reps);
  append(&body, defs);
  append(&body, values);
  made_page(file, &header, &body);
  file->chunk_values += count;
}

void made_dictionary(made *file, int32_t count, const osdear__buf *values)
{
  osdear__pq_dictionary_page page = { 0, count, PQ_PLAIN, false };
  osdear__pq_page_header header = { .type = PQ_DICTIONARY_PAGE, .dictionary_page = &page };

  made_page(file, &header, values);
}

void made_chunk(made *file, int32_t physical)
{
  static int32_t encodings[] = { PQ_PLAIN };
  static osdear__str path[] = { { "c", 1 } };
  osdear__pq_row_group *group = &file->groups[file->meta.row_group_count];
  osdear__pq_column_meta *meta = &file->metas[file->meta.row_group_count][group->column_count];
  osdear__pq_column_chunk *chunk = &file->chunks[file->meta.row_group_count][group->column_count];

  group->columns = file->chunks[file->meta.row_group_count];
  group->column_count++;
  meta->type = physical;
  meta->encodings = encodings;
  meta->encoding_count = COUNT_OF(encodings);
  meta->path_in_schema = path;
  meta->path_count = COUNT_OF(path);
  meta->num_values = file->chunk_values;
  meta->data_page_offset = file->chunk_start;
  meta->total_compressed_size = (int64_t)file->bytes.size - file->chunk_start;
  meta->total_uncompressed_size = meta->total_compressed_size;
  chunk->meta_data = meta;
  file->chunk_start = (int64_t)file->bytes.size;
  file->chunk_values = 0;
}

void made_group(made *file, int64_t rows)
{
  file->groups[file->meta.row_group_count].num_rows = rows;
  file->meta.row_group_count++;
  file->meta.num_rows += rows;
}

void made_finish(made *file)
{
  size_t start = file->bytes.size;
  uint32_t size;

  osdear__thrift_write(&osdear__pq_file_meta_thrift, &file->meta, &file->bytes);
  size = (uint32_t)(file->bytes.size - start);
  osdear__buf_append(&file->bytes, &size, sizeof size);
  osdear__buf_puts(&file->bytes, "PAR1");
  cr_assert_eq(osdear__buf_check(&file->bytes, NULL), OSDEAR_OK);
}

void made_drop(made *file)
{
  osdear__buf_drop(&file->bytes);
  osdear__arena_drop(&file->arena);
}

osdear_status made_open(made *file, osdear__parquet **out, osdear_error **error)
{
  osdear__input *input;
  osdear_status st = osdear__input_of_bytes(file->bytes.data, file->bytes.size, "made", &input, error);

  return st ? st : osdear__parquet_open(input, NULL, out, error);
}

/* ---- rows as text ---- */

static void print_value(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out);

static void print_range(const osdear__type *type, const struct ArrowArray *array, int64_t from, int64_t to, osdear__buf *out)
{
  osdear__buf_putc(out, '[');
  for (int64_t i = from; i < to; i++) {
    if (i > from)
      osdear__buf_putc(out, ',');
    print_value(type, array, i, out);
  }
  osdear__buf_putc(out, ']');
}

static void print_nested(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  const int32_t *offsets = type->kind == KIND_STRUCT ? NULL : array->buffers[1];

  if (type->kind == KIND_ARRAY) {
    print_range(&type->fields[0].type, array->children[0], offsets[row], offsets[row + 1], out);
    return;
  }
  osdear__buf_putc(out, '{');
  if (type->kind == KIND_STRUCT) {
    for (size_t i = 0; i < type->field_count; i++) {
      osdear__buf_printf(out, "%s%s:", i ? "," : "", type->fields[i].name);
      print_value(&type->fields[i].type, array->children[i], row, out);
    }
  } else {
    for (int64_t i = offsets[row]; i < offsets[row + 1]; i++) {
      osdear__buf_puts(out, i > offsets[row] ? "," : "");
      print_value(&type->fields[0].type, array->children[0]->children[0], i, out);
      osdear__buf_putc(out, ':');
      print_value(&type->fields[1].type, array->children[0]->children[1], i, out);
    }
  }
  osdear__buf_putc(out, '}');
}

static void print_value(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  osdear__scalar value;
  char text[OSDEAR__DECIMAL_TEXT];

  cr_assert_lt(row, array->length);
  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    osdear__buf_puts(out, "null");
    return;
  }
  if (type->field_count) {
    print_nested(type, array, row, out);
    return;
  }
  osdear__scalar_at(type, array, row, &value);
  switch (type->kind) {
  case KIND_FLOAT:
  case KIND_DOUBLE:
    osdear__format_f64(value.f64, text);
    osdear__buf_puts(out, text);
    break;
  case KIND_DECIMAL:
    osdear__format_decimal(value.decimal, type->scale, text);
    osdear__buf_puts(out, text);
    break;
  case KIND_STRING:
  case KIND_BINARY:
  case KIND_FIXED: osdear__buf_printf(out, "\"%.*s\"", (int)value.bytes.size, value.bytes.data); break;
  default: osdear__buf_printf(out, "%" PRId64, value.i64); break;
  }
}

/* The columns of all batches; more than one batch are shown after each other, apart by "|". */
static void print_batch(const osdear__type *type, const struct ArrowArray *batch, osdear__buf *out)
{
  if (out->size)
    osdear__buf_putc(out, '|');
  if (type->field_count != 1)
    osdear__buf_putc(out, '[');
  for (size_t i = 0; i < type->field_count; i++) {
    osdear__buf_puts(out, i ? "," : "");
    print_range(&type->fields[i].type, batch->children[i], 0, batch->length, out);
  }
  if (type->field_count != 1)
    osdear__buf_putc(out, ']');
}

const char *read_group(osdear__parquet *file, size_t group, const osdear__parquet_read *read, int64_t max_rows)
{
  static char shown[1 << 16];
  SCOPED(buf) out = { 0 };
  AUTO(parquet_cursor) cursor = NULL;
  AUTO(error) error = NULL;
  osdear_status st = osdear__parquet_cursor_new(file, group, read, &cursor, &error);
  const osdear__type *type = read && read->want ? read->want : osdear__parquet_type(file);

  while (!st) {
    struct ArrowArray batch;
    int64_t first_row;

    st = osdear__parquet_cursor_next(cursor, max_rows, &batch, &first_row, &error);
    if (st || !batch.release)
      break;
    print_batch(type, &batch, &out);
    osdear__array_drop(&batch);
  }
  snprintf(shown, sizeof shown, "%s", st ? osdear_error_message(error) : out.data ? out.data : "");
  return shown;
}

const char *made_read(made *file, size_t group, const osdear__parquet_read *read, int64_t max_rows)
{
  static char message[1024];
  AUTO(parquet) parquet = NULL;
  AUTO(error) error = NULL;

  if (made_open(file, &parquet, &error)) {
    snprintf(message, sizeof message, "%s", osdear_error_message(error));
    return message;
  }
  return read_group(parquet, group, read, max_rows);
}

/* ---- bytes ---- */

void put_i32(osdear__buf *out, int32_t value)
{
  osdear__buf_append(out, &value, sizeof value);
}

void put_i64(osdear__buf *out, int64_t value)
{
  osdear__buf_append(out, &value, sizeof value);
}

void put_f64(osdear__buf *out, double value)
{
  osdear__buf_append(out, &value, sizeof value);
}

void put_text(osdear__buf *out, const char *text)
{
  put_i32(out, (int32_t)strlen(text));
  osdear__buf_puts(out, text);
}

void put_varint(osdear__buf *out, uint64_t value)
{
  for (; value >= 0x80; value >>= 7)
    osdear__buf_putc(out, (char)(uint8_t)(value | 0x80));
  osdear__buf_putc(out, (char)value);
}

void put_runs(osdear__buf *out, const char *digits)
{
  while (*digits) {
    size_t run = 1;

    while (digits[run] == *digits)
      run++;
    put_varint(out, run << 1);
    osdear__buf_putc(out, (char)(*digits - '0'));
    digits += run;
  }
}

void put_levels(osdear__buf *out, const char *digits)
{
  SCOPED(buf) runs = { 0 };

  put_runs(&runs, digits);
  put_i32(out, (int32_t)runs.size);
  osdear__buf_append(out, runs.data, runs.size);
}
