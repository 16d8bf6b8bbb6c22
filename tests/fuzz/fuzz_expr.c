/* Any text as an expression over rows at the edges of their types. What bounds say of a predicate must not contradict what the rows say. */
#include <expr/expr.h>

#include <math.h>
#include <stdlib.h>

#define ROWS 4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELD(name_, ...)                                                    \
  {                                                                          \
    .name = name_, .nullable = true, .field_id = -1, .type = { __VA_ARGS__ } \
  }

static osdear__field inner[] = { FIELD("x", .kind = KIND_INTEGER) };
static osdear__field fields[] = {
  FIELD("b", .kind = KIND_BOOLEAN),
  FIELD("y", .kind = KIND_BYTE),
  FIELD("i", .kind = KIND_INTEGER),
  FIELD("l", .kind = KIND_LONG),
  FIELD("f", .kind = KIND_FLOAT),
  FIELD("g", .kind = KIND_DOUBLE),
  FIELD("e", .kind = KIND_DECIMAL, .precision = 9, .scale = 2),
  FIELD("w", .kind = KIND_DECIMAL, .precision = 38, .scale = 10),
  FIELD("s", .kind = KIND_STRING),
  FIELD("c", .kind = KIND_STRING, .width = 3),
  FIELD("n", .kind = KIND_BINARY),
  FIELD("d", .kind = KIND_DATE),
  FIELD("t", .kind = KIND_TIMESTAMP),
  FIELD("z", .kind = KIND_TIMESTAMP_NTZ),
  FIELD("a", .kind = KIND_ARRAY, .field_count = 1, .fields = inner),
  FIELD("r", .kind = KIND_STRUCT, .field_count = 1, .fields = inner),
};
static const osdear__type table = { .kind = KIND_STRUCT, .field_count = COUNT_OF(fields), .fields = fields };

static void must(osdear_status status)
{
  if (status)
    abort();
}

static int64_t integer_of(osdear__kind kind, int row)
{
  static const int64_t bytes[] = { INT8_MIN, 0, INT8_MAX }, integers[] = { INT32_MIN, 0, INT32_MAX },
                       longs[] = { INT64_MIN, 0, INT64_MAX };

  if (kind == KIND_BOOLEAN)
    return row == 2;
  return kind == KIND_BYTE ? bytes[row] : kind == KIND_INTEGER || kind == KIND_DATE ? integers[row] : longs[row];
}

static osdear__int128 decimal_of(const osdear__type *type, int row)
{
  osdear__int128 greatest = 1;

  for (int32_t i = 0; i < type->precision; i++)
    greatest *= 10;
  return (row - 1) * (greatest - 1);
}

static osdear__scalar value_of(const osdear__type *type, int row)
{
  static const char *const texts[] = { "", "a%_", "\xc3\xa4z " };
  static const double floats[] = { -INFINITY, -0.0, NAN };
  osdear__scalar value = { .kind = type->kind, .is_null = row == 3, .scale = type->scale };

  if (value.is_null)
    return value;
  switch (type->kind) {
  case KIND_FLOAT:
  case KIND_DOUBLE: value.f64 = floats[row]; break;
  case KIND_DECIMAL: value.decimal = decimal_of(type, row); break;
  case KIND_STRING:
  case KIND_BINARY: value.bytes = osdear__str_of(type->width ? "ab " : texts[row]); break;
  default: value.i64 = integer_of(type->kind, row); break;
  }
  return value;
}

static void add_value(osdear__builder *builder, const osdear__type *type, int row)
{
  osdear__scalar value;

  if (type->kind != KIND_ARRAY && type->kind != KIND_STRUCT) {
    value = value_of(type, row);
    must(osdear__builder_scalar(builder, &value, NULL));
  } else if (row == 3) {
    must(osdear__builder_null(builder, NULL));
  } else {
    add_value(osdear__builder_child(builder, 0), &type->fields[0].type, row);
    must(osdear__builder_close(builder, NULL));
  }
}

static void make_batch(struct ArrowArray *out)
{
  osdear__builder *builder = NULL;

  must(osdear__builder_new(&table, &builder, NULL));
  for (int row = 0; row < ROWS; row++) {
    for (size_t i = 0; i < table.field_count; i++)
      add_value(osdear__builder_child(builder, i), &fields[i].type, row);
    must(osdear__builder_close(builder, NULL));
  }
  must(osdear__builder_finish(builder, out, NULL));
  osdear__builder_auto(&builder);
}

/* As a writer tells them: without NaN. */
static bool range_of(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  const osdear__type *type = &fields[path[0]].type;
  int order;

  (void)argument;
  if (depth != 1 || type->kind == KIND_ARRAY || type->kind == KIND_STRUCT)
    return false;
  *out = (osdear__range){ .null_count = 1, .row_count = ROWS };
  for (int row = 0; row < ROWS - 1; row++) {
    osdear__scalar value = value_of(type, row);
    if ((type->kind == KIND_FLOAT || type->kind == KIND_DOUBLE) && isnan(value.f64)) {
      out->may_be_nan = true;
      continue;
    }
    if (!out->has_min || (osdear__scalar_compare(&value, &out->min, &order) && order < 0))
      out->min = value;
    if (!out->has_max || (osdear__scalar_compare(&value, &out->max, &order) && order > 0))
      out->max = value;
    out->has_min = out->has_max = true;
  }
  return true;
}

static void check_bounds(const osdear__expr *expr, const struct ArrowArray *batch, osdear__arena *arena)
{
  osdear__expr_state state = { 0 };
  const osdear__expr *rest = NULL;
  int32_t rows[ROWS], others[ROWS];
  int64_t count = 0, other_count = ROWS;
  osdear_status st = osdear__expr_select(expr, &state, batch, rows, &count, NULL);

  if (!st && count > 0 && !osdear__expr_may_match(expr, range_of, NULL))
    abort();
  if (!st && count < ROWS && osdear__expr_must_match(expr, range_of, NULL))
    abort();
  if (!st)
    must(osdear__expr_residual(expr, range_of, NULL, arena, &rest, NULL));
  if (!st && rest)
    must(osdear__expr_select(rest, &state, batch, others, &other_count, NULL));
  if (!st && other_count != count)
    abort();
  osdear__expr_state_drop(&state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct ArrowArray batch;
  SCOPED(arena) arena = { 0 };
  osdear__expr_state state = { 0 };
  struct ArrowArray values = { 0 };
  char *sql = osdear__arena_strndup(&arena, size ? (const char *)data : "", size);
  osdear__expr *expr = NULL;

  if (!sql || osdear__expr_new(sql, &table, &arena, &expr, NULL))
    return 0;
  make_batch(&batch);
  if (osdear__expr_eval(expr, &state, &batch, &values, NULL) == OSDEAR_OK)
    values.release(&values);
  osdear__expr_state_drop(&state);
  if (osdear__expr_type(expr)->kind == KIND_BOOLEAN)
    check_bounds(expr, &batch, &arena);
  batch.release(&batch);
  return 0;
}
