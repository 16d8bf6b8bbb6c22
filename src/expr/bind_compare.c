/** @file bind_compare.c Comparisons: both sides are brought to one type without changing what is true.
 *
 * A constant is brought to the column's type wherever that is exact, so that columns are compared as they are stored and
 * statistics apply: `n > 1.5` on an int is `n > 1`, and `n < 3000000000` is true for every n that is not null. */
#include "vector.h"

static bool is_literal(const osdear__expr *node)
{
  return node->op == OP_LITERAL;
}

static osdear_status literal_of(const osdear__expr_maker *maker, const osdear__expr *like, osdear__type type,
                                osdear__scalar value, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(maker->arena, OP_LITERAL, like->source, 0);
  if (!node)
    return osdear__fail_memory(error);
  node->type = type;
  node->value = value;
  node->value.kind = type.kind;
  *out = node;
  return osdear__expr_settle(maker, node, error);
}

static osdear_status boolean_of(const osdear__expr_maker *maker, const osdear__expr *like, bool is_null, bool value,
                                osdear__expr **out, osdear_error **error)
{
  return literal_of(maker, like, osdear__type_of(KIND_BOOLEAN), (osdear__scalar){ .is_null = is_null, .i64 = value }, out, error);
}

/* ---- text against other types ---- */

/* The number that a text holds, in the narrowest exact type. */
static bool number_of_text(osdear__str text, osdear__type *type, osdear__scalar *value)
{
  const char *point = memchr(text.data, '.', text.size);
  size_t scale = point ? text.size - (size_t)(point - text.data) - 1 : 0;
  if (osdear__parse_i64(text, &value->i64)) {
    *type = osdear__type_of(KIND_LONG);
    return true;
  }
  if (scale > 38 || !osdear__parse_decimal(text, 38, (int32_t)scale, &value->decimal))
    return false;
  *type = osdear__type_decimal(38, (int32_t)scale);
  value->scale = (int32_t)scale;
  return true;
}

/* A text constant read as the other side's type. What does not parse is a mistake in the predicate, not a matter of rows. */
static osdear_status read_text(const osdear__expr_maker *maker, osdear__expr *literal, const osdear__type *wanted,
                               osdear__expr **out, osdear_error **error)
{
  osdear__str text = osdear__strip(literal->value.bytes);
  osdear__type type;
  osdear__scalar value = { 0 };

  if ((osdear__kind_is_integer(wanted->kind) || wanted->kind == KIND_DECIMAL) && number_of_text(text, &type, &value))
    return literal_of(maker, literal, type, value, out, error);
  if (!osdear__kind_is_integer(wanted->kind) && wanted->kind != KIND_DECIMAL) {
    osdear_status st = osdear__expr_cast_to(maker, literal, wanted, false, out, error);
    if (st || is_literal(*out))
      return st;
  }
  SCOPED(buf) name = { 0 };
  osdear__type_name(wanted, &name);
  return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, literal->source.data, error, "'%.*s' is not a valid %s",
                           (int)(text.size < 60 ? text.size : 60), text.data, name.data ? name.data : "value");
}

/* ---- exact constants for integers and decimals ---- */

typedef enum place { PLACE_BELOW, PLACE_AT, PLACE_BETWEEN, PLACE_ABOVE } place;

static void bounds_of(const osdear__type *type, osdear__int128 *low, osdear__int128 *high)
{
  if (type->kind == KIND_DECIMAL) {
    *high = osdear__pow10(type->precision) - 1;
    *low = -*high;
    return;
  }
  int32_t bits = type->kind == KIND_BYTE ? 7 : type->kind == KIND_SHORT ? 15 : type->kind == KIND_INTEGER ? 31 : 63;
  *high = ((osdear__int128)1 << bits) - 1;
  *low = -*high - 1;
}

/* Where a number lies among the values of `type`: at one of them, between `*floor` and the next, or outside of all. */
static place place_among(const osdear__type *type, const osdear__scalar *number, osdear__int128 *floor)
{
  int32_t scale = type->kind == KIND_DECIMAL ? type->scale : 0;
  int32_t number_scale = number->kind == KIND_DECIMAL ? number->scale : 0;
  osdear__int128 value = number->kind == KIND_DECIMAL ? number->decimal : number->i64;
  osdear__int128 low;
  osdear__int128 high;
  bool exact = true;

  bounds_of(type, &low, &high);
  if (number_scale > scale) {
    osdear__int128 unit = osdear__pow10(number_scale - scale);
    osdear__int128 rest = value % unit;
    exact = rest == 0;
    value = value / unit - (rest < 0);
  } else if (__builtin_mul_overflow(value, osdear__pow10(scale - number_scale), &value)) {
    return (number->kind == KIND_DECIMAL ? number->decimal : number->i64) < 0 ? PLACE_BELOW : PLACE_ABOVE;
  }
  *floor = value;
  if (value < low)
    return PLACE_BELOW;
  if (value > high || (value == high && !exact))
    return PLACE_ABOVE;
  return exact ? PLACE_AT : PLACE_BETWEEN;
}

/* False (true when negated) for every value, unknown for null: IN of an empty list. */
static osdear_status never(const osdear__expr_maker *maker, osdear__expr *node, bool negated, osdear__expr **out,
                           osdear_error **error)
{
  osdear__expr *result = osdear__expr_node(maker->arena, OP_IN, node->source, 1);
  osdear__set *set = osdear__set_new(maker->arena, NULL, 0, false);
  if (!result || !set)
    return osdear__fail_memory(error);
  result->type = osdear__type_of(KIND_BOOLEAN);
  result->children[0] = node->children[0];
  result->set = set;
  result->negated = negated;
  *out = result;
  return osdear__expr_settle(maker, result, error);
}

/* Compares an integer or decimal with a constant integer or decimal; sets *out only where more than the constant changes. */
static osdear_status place_constant(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  const osdear__type *type = &node->children[0]->type;
  osdear__int128 floor = 0;
  place where = place_among(type, &node->children[1]->value, &floor);
  osdear__op op = node->op;

  if (where != PLACE_AT && op == OP_SAME)
    return boolean_of(maker, node, false, node->negated, out, error);
  if (where != PLACE_AT && (op == OP_EQUAL || op == OP_NOT_EQUAL))
    return never(maker, node, op == OP_NOT_EQUAL, out, error);
  if (where == PLACE_BELOW)
    return never(maker, node, op == OP_GREATER || op == OP_GREATER_EQUAL, out, error);
  if (where == PLACE_ABOVE)
    return never(maker, node, op == OP_LESS || op == OP_LESS_EQUAL, out, error);
  if (where == PLACE_BETWEEN)
    node->op = op == OP_LESS || op == OP_LESS_EQUAL ? OP_LESS_EQUAL : OP_GREATER;

  osdear__scalar value = { .kind = type->kind };
  if (type->kind == KIND_DECIMAL) {
    value.decimal = floor;
    value.scale = type->scale;
  } else {
    value.i64 = (int64_t)floor;
  }
  return literal_of(maker, node->children[1], *type, value, &node->children[1], error);
}

/* ---- comparisons ---- */

static osdear_status not_comparable(const osdear__expr_maker *maker, const osdear__expr *node, osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  osdear__type_name(&node->children[0]->type, &names);
  osdear__buf_puts(&names, " and ");
  osdear__type_name(&node->children[1]->type, &names);
  osdear_status st = osdear__buf_check(&names, error);
  return st ? st
            : osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "%.300s cannot be compared", names.data);
}

static void swap_sides(osdear__expr *node)
{
  osdear__expr *left = node->children[0];
  node->children[0] = node->children[1];
  node->children[1] = left;
  switch (node->op) {
  case OP_LESS: node->op = OP_GREATER; break;
  case OP_LESS_EQUAL: node->op = OP_GREATER_EQUAL; break;
  case OP_GREATER: node->op = OP_LESS; break;
  case OP_GREATER_EQUAL: node->op = OP_LESS_EQUAL; break;
  default: break;
  }
}

/* x <=> NULL is x IS NULL; any other comparison with NULL is unknown. */
static osdear_status compare_null(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  if (node->op != OP_SAME)
    return boolean_of(maker, node, true, false, out, error);
  node->op = OP_IS_NULL;
  node->child_count = 1;
  return osdear__expr_fold(maker, node, out, error);
}

static osdear_status cast_both(const osdear__expr_maker *maker, osdear__expr *node, const osdear__type *type,
                               osdear_error **error)
{
  osdear_status st = osdear__expr_cast_to(maker, node->children[0], type, false, &node->children[0], error);
  return st ? st : osdear__expr_cast_to(maker, node->children[1], type, false, &node->children[1], error);
}

/* The type a column of text is read as when it meets another type: numbers of any size, else that type itself. */
static osdear__type type_for_text(const osdear__type *other)
{
  if (osdear__kind_is_integer(other->kind))
    return osdear__type_of(KIND_LONG);
  if (osdear__kind_is_numeric(other->kind))
    return osdear__type_of(KIND_DOUBLE);
  return *other;
}

/* Brings both sides to types that the kernels compare: one type, or decimals of two scales. */
static osdear_status unify(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  const osdear__type *a = &node->children[0]->type;
  const osdear__type *b = &node->children[1]->type;
  osdear__type type;

  if (a->kind == KIND_STRING && b->kind != KIND_STRING) {
    type = b->kind == KIND_BINARY ? *b : type_for_text(b);
    return cast_both(maker, node, &type, error);
  }
  if (b->kind == KIND_STRING && a->kind != KIND_STRING) {
    type = a->kind == KIND_BINARY ? *a : type_for_text(a);
    return cast_both(maker, node, &type, error);
  }
  if (!osdear__common_type(a, b, &type) || type.kind == KIND_VOID || type.kind > KIND_TIMESTAMP_NTZ)
    return not_comparable(maker, node, error);
  if (type.kind != KIND_DECIMAL)
    return cast_both(maker, node, &type, error);
  for (size_t i = 0; i < 2; i++) {
    osdear__type own = osdear__type_as_decimal(&node->children[i]->type);
    osdear_status st = osdear__expr_cast_to(maker, node->children[i], &own, false, &node->children[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- CHAR(n) ---- */

/* How long a side is padded to as it comes: the n of a column that is a CHAR(n), the characters of a constant. -1: it is no such side. */
static int64_t padded_length(const osdear__expr *node)
{
  if (node->type.kind != KIND_STRING)
    return -1;
  if (is_literal(node))
    return osdear__utf8_length(node->value.bytes);
  return node->op == OP_COLUMN && node->path_depth == 1 && node->type.width > 0 ? node->type.width : -1;
}

static osdear_status pad_to(const osdear__expr_maker *maker, int64_t length, osdear__expr **side, osdear_error **error)
{
  osdear__expr *call;

  if (padded_length(*side) >= length)
    return OSDEAR_OK;
  if (length > (int64_t)OSDEAR__EXPR_TEXT)
    return osdear__expr_fail(maker, OSDEAR_ERR_LIMIT, (*side)->source.data, error,
                             "compared with a CHAR(%" PRId64 "), which is too long", length);
  call = osdear__expr_node(maker->arena, OP_CALL, (*side)->source, 1);
  if (!call)
    return osdear__fail_memory(error);
  call->function = FUNCTION_PAD;
  call->type = (osdear__type){ .kind = KIND_STRING, .width = (int32_t)length };
  call->children[0] = *side;
  return osdear__expr_fold(maker, call, side, error);
}

/* As Spark compares a CHAR(n) with a constant and with another CHAR: the shorter side is padded. What is inside of a struct, or comes out
 * of a function, is compared as it is read. */
static osdear_status pad_sides(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  int64_t left = padded_length(node->children[0]), right = padded_length(node->children[1]);
  int64_t length = left > right ? left : right;
  osdear_status st;

  if (left < 0 || right < 0 || is_literal(node->children[0]))
    return OSDEAR_OK;
  st = pad_to(maker, length, &node->children[0], error);
  return st ? st : pad_to(maker, length, &node->children[1], error);
}

/* ---- comparisons of any kind ---- */

static bool is_exact_number(const osdear__expr *node)
{
  return osdear__kind_is_integer(node->type.kind) || node->type.kind == KIND_DECIMAL;
}

osdear_status osdear__bind_compare(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;
  *out = NULL;
  node->type = osdear__type_of(KIND_BOOLEAN);
  if (is_literal(node->children[0]))
    swap_sides(node);
  osdear__expr *right = node->children[1];
  if (is_literal(right) && right->value.is_null)
    return compare_null(maker, node, out, error);

  osdear__kind kind = node->children[0]->type.kind;
  if (is_literal(right) && right->type.kind == KIND_STRING && !osdear__kind_is_bytes(kind) && kind <= KIND_TIMESTAMP_NTZ &&
      kind != KIND_VOID)
    st = read_text(maker, right, &node->children[0]->type, &node->children[1], error);
  if (!st && is_literal(right) && is_exact_number(node->children[0]) && is_exact_number(node->children[1]))
    st = place_constant(maker, node, out, error);
  else if (!st)
    st = pad_sides(maker, node, error);
  if (!st && !*out)
    st = unify(maker, node, error);
  if (st || *out)
    return st;
  return osdear__expr_fold(maker, node, out, error);
}

/* ---- IN ---- */

/* A bound `x = item`, and what it became. */
static osdear_status compare_item(const osdear__expr_maker *maker, const osdear__expr *node, size_t item, osdear__expr **out,
                                  osdear_error **error)
{
  osdear__expr *equal = osdear__expr_node(maker->arena, OP_EQUAL, node->children[item]->source, 2);
  if (!equal)
    return osdear__fail_memory(error);
  equal->children[0] = node->children[0];
  equal->children[1] = node->children[item];
  return osdear__bind_compare(maker, equal, out, error);
}

static bool is_plain(const osdear__expr *equal, const osdear__expr *x)
{
  return equal->op == OP_EQUAL && equal->children[0] == x && equal->children[1]->op == OP_LITERAL &&
         osdear__type_equal(&equal->children[1]->type, &x->type);
}

/* x IN (a, b, …) is the set of the constants of x's own type, or else x = item for each of the others. */
osdear_status osdear__bind_in(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *x = node->children[0];
  osdear__expr *any = osdear__expr_node(maker->arena, OP_OR, node->source, node->child_count);
  osdear__scalar *values = osdear__arena_alloc(maker->arena, node->child_count * sizeof *values);
  size_t count = 0;
  bool has_null = false;
  if (!any || !values)
    return osdear__fail_memory(error);

  any->child_count = 1;
  for (size_t i = 1; i < node->child_count; i++) {
    osdear__expr *equal = NULL;
    osdear_status st = compare_item(maker, node, i, &equal, error);
    if (st)
      return st;
    if (is_plain(equal, x))
      values[count++] = equal->children[1]->value;
    else if (equal->op == OP_LITERAL && equal->value.is_null && node->children[i]->op == OP_LITERAL &&
             node->children[i]->value.is_null)
      has_null = true;
    else if (!(equal->op == OP_IN && equal->set->count == 0)) /* what no value can be equal to adds nothing */
      any->children[any->child_count++] = equal;
  }
  osdear__expr *in = osdear__expr_node(maker->arena, OP_IN, node->source, 1);
  osdear__set *set = osdear__set_new(maker->arena, values, count, has_null);
  if (!in || !set)
    return osdear__fail_memory(error);
  in->type = any->type = osdear__type_of(KIND_BOOLEAN);
  in->children[0] = x;
  in->set = set;
  osdear_status st = osdear__expr_fold(maker, in, &any->children[0], error);
  if (st || any->child_count == 1) {
    *out = any->children[0];
    return st;
  }
  return osdear__expr_fold(maker, any, out, error);
}
