/** @file coerce.c Which types go together, and the casts that bring them together. */
#include "vector.h"

osdear__type osdear__type_as_decimal(const osdear__type *type)
{
  switch (type->kind) {
  case KIND_BYTE: return osdear__type_decimal(3, 0);
  case KIND_SHORT: return osdear__type_decimal(5, 0);
  case KIND_INTEGER: return osdear__type_decimal(10, 0);
  case KIND_LONG: return osdear__type_decimal(20, 0);
  default: return *type;
  }
}

static int32_t max_i32(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

/* Spark's order: byte, short, int, long, (decimal), float, double; a decimal and a float make a double. */
static osdear__type common_number(const osdear__type *a, const osdear__type *b)
{
  bool has_decimal = a->kind == KIND_DECIMAL || b->kind == KIND_DECIMAL;
  if (osdear__kind_is_float(a->kind) || osdear__kind_is_float(b->kind)) {
    bool is_double = has_decimal || a->kind == KIND_DOUBLE || b->kind == KIND_DOUBLE;
    return osdear__type_of(is_double ? KIND_DOUBLE : KIND_FLOAT);
  }
  if (!has_decimal)
    return a->kind > b->kind ? *a : *b;
  osdear__type left = osdear__type_as_decimal(a);
  osdear__type right = osdear__type_as_decimal(b);
  int32_t scale = max_i32(left.scale, right.scale);
  int32_t whole = max_i32(left.precision - left.scale, right.precision - right.scale);
  return osdear__type_decimal(whole + scale > 38 ? 38 : whole + scale, scale);
}

bool osdear__common_type(const osdear__type *a, const osdear__type *b, osdear__type *out)
{
  if (a->kind == KIND_VOID || osdear__type_equal(a, b)) {
    *out = *b;
    return true;
  }
  if (b->kind == KIND_VOID) {
    *out = *a;
    return true;
  }
  if (osdear__kind_is_numeric(a->kind) && osdear__kind_is_numeric(b->kind)) {
    *out = common_number(a, b);
    return true;
  }
  bool are_times = (a->kind == KIND_DATE || osdear__kind_is_timestamp(a->kind)) &&
                   (b->kind == KIND_DATE || osdear__kind_is_timestamp(b->kind));
  if (are_times) {
    bool has_zone = a->kind == KIND_TIMESTAMP || b->kind == KIND_TIMESTAMP;
    *out = osdear__type_of(has_zone ? KIND_TIMESTAMP : KIND_TIMESTAMP_NTZ);
    return true;
  }
  return false;
}

bool osdear__cast_exists(const osdear__type *from, const osdear__type *to)
{
  osdear__kind a = from->kind;
  osdear__kind b = to->kind;
  if (a == KIND_VOID || osdear__type_equal(from, to))
    return true;
  if (a > KIND_TIMESTAMP_NTZ || b > KIND_TIMESTAMP_NTZ || b == KIND_VOID)
    return false;
  if (a == KIND_STRING || b == KIND_STRING)
    return true;
  if (a == KIND_BINARY || b == KIND_BINARY)
    return false;
  bool a_is_number = a == KIND_BOOLEAN || osdear__kind_is_numeric(a);
  bool b_is_number = b == KIND_BOOLEAN || osdear__kind_is_numeric(b);
  if (a_is_number && b_is_number)
    return true;
  if (!a_is_number && !b_is_number)
    return true; /* dates and timestamps among each other */
  /* Seconds since 1970, as Spark counts them. */
  return (a == KIND_LONG && b == KIND_TIMESTAMP) || (a == KIND_TIMESTAMP && b == KIND_LONG);
}

/* Does every value of `from` have a place in `to`? Then the cast cannot fail on a row. */
static bool always_fits(const osdear__type *from, const osdear__type *to)
{
  osdear__kind a = from->kind;
  osdear__kind b = to->kind;
  if (a == KIND_VOID || (b == KIND_STRING && a != KIND_BINARY) || (a == KIND_STRING && b == KIND_BINARY))
    return true;
  if (a == KIND_BOOLEAN)
    return osdear__kind_is_integer(b) || osdear__kind_is_float(b);
  if (osdear__kind_is_integer(a) && osdear__kind_is_integer(b))
    return a <= b;
  if (osdear__kind_is_numeric(a) && osdear__kind_is_float(b))
    return true;
  if (b == KIND_BOOLEAN)
    return osdear__kind_is_numeric(a);
  if (b == KIND_DECIMAL && (osdear__kind_is_integer(a) || a == KIND_DECIMAL)) {
    osdear__type as_decimal = osdear__type_as_decimal(from);
    return to->precision - to->scale > as_decimal.precision - as_decimal.scale ||
           (to->precision - to->scale == as_decimal.precision - as_decimal.scale && to->scale >= as_decimal.scale);
  }
  return b == KIND_DATE && osdear__kind_is_timestamp(a);
}

static osdear_status no_cast(const osdear__expr_maker *maker, const osdear__expr *node, const osdear__type *type,
                             osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  osdear__type_name(&node->type, &names);
  osdear__buf_puts(&names, " cannot be cast to ");
  osdear__type_name(type, &names);
  osdear_status st = osdear__buf_check(&names, error);
  return st ? st : osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "%.300s", names.data);
}

osdear_status osdear__expr_cast_to(const osdear__expr_maker *maker, osdear__expr *node, const osdear__type *type, bool is_try,
                                   osdear__expr **out, osdear_error **error)
{
  *out = node;
  if (osdear__type_equal(&node->type, type))
    return OSDEAR_OK;
  if (!osdear__cast_exists(&node->type, type))
    return no_cast(maker, node, type, error);

  bool is_null = node->op == OP_LITERAL && node->value.is_null;
  osdear__expr *cast = osdear__expr_node(maker->arena, is_null ? OP_LITERAL : OP_CAST, node->source, is_null ? 0 : 1);
  if (!cast)
    return osdear__fail_memory(error);
  cast->type = *type;
  if (is_null) {
    cast->value = (osdear__scalar){ .kind = type->kind, .is_null = true, .scale = type->scale };
  } else {
    cast->children[0] = node;
    cast->is_try = is_try || always_fits(&node->type, type);
  }
  return osdear__expr_fold(maker, cast, out, error);
}
