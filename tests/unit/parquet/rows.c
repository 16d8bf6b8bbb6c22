#include "rows.h"

static void print_value(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  osdear__scalar value;

  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    osdear__buf_puts(out, "null");
  } else if (type->kind == KIND_STRUCT) {
    for (size_t i = 0; i < type->field_count; i++) {
      osdear__buf_putc(out, i ? ',' : '{');
      print_value(&type->fields[i].type, array->children[i], row, out);
    }
    osdear__buf_putc(out, '}');
  } else if (type->kind == KIND_ARRAY || type->kind == KIND_MAP) {
    const int32_t *offsets = array->buffers[1];
    osdear__type entry = { .kind = KIND_STRUCT, .field_count = 2, .fields = type->fields };

    osdear__buf_putc(out, '[');
    for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
      osdear__buf_puts(out, i > offsets[row] ? "," : "");
      print_value(type->kind == KIND_MAP ? &entry : &type->fields[0].type, array->children[0], i, out);
    }
    osdear__buf_putc(out, ']');
  } else {
    osdear__scalar_at(type, array, row, &value);
    if (value.bytes.data)
      osdear__buf_append(out, value.bytes.data, value.bytes.size);
    else if (type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE || type->kind == KIND_FLOAT16)
      osdear__buf_printf(out, "%g", value.f64);
    else
      osdear__buf_printf(out, "%" PRId64, type->kind == KIND_DECIMAL ? (int64_t)value.decimal : value.i64);
  }
}

osdear_status rows_read(const osdear__assembled *file, const osdear__row_range *ranges, size_t range_count, osdear__buf *out,
                        osdear_error **error)
{
  osdear__parquet_read read = { .rows = ranges, .range_count = range_count };
  AUTO(parquet) parquet = NULL;
  osdear_status st = assembled_open(file, &parquet, error);

  for (size_t group = 0; !st && group < osdear__parquet_group_count(parquet); group++) {
    AUTO(parquet_cursor) cursor = NULL;
    bool is_end = false;

    st = osdear__parquet_cursor_new(parquet, group, &read, &cursor, error);
    while (!st && !is_end) {
      SCOPED(array) batch = { 0 };
      int64_t first;

      st = osdear__parquet_cursor_next(cursor, 3, &batch, &first, error);
      is_end = !batch.release;
      for (int64_t row = 0; !st && !is_end && row < batch.length; row++) {
        const osdear__type *type = osdear__parquet_type(parquet);

        osdear__buf_puts(out, out->size ? "," : "");
        for (size_t i = 0; i < type->field_count; i++)
          print_value(&type->fields[i].type, batch.children[i], row, out);
      }
    }
  }
  return st;
}

void rows_expect(const osdear__assembled *file, const char *wanted)
{
  AUTO(error) error = NULL;
  SCOPED(buf) out = { 0 };
  osdear_status st = rows_read(file, NULL, 0, &out, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(out.data ? out.data : "", wanted);
}

void rows_refuse(const osdear__assembled *file, osdear_status status, const char *words)
{
  AUTO(error) error = NULL;
  SCOPED(buf) out = { 0 };

  cr_assert_eq(rows_read(file, NULL, 0, &out, &error), status, "%s", osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
}
