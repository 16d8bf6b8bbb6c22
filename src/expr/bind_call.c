/** @file bind_call.c Types of arithmetic, CASE and functions; those that are short for something else are spelled out. */
#include "vector.h"

static osdear_status wrong_operands(const osdear__expr_maker *maker, const osdear__expr *node, osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  for (size_t i = 0; i < node->child_count; i++) {
    if (i > 0)
      osdear__buf_puts(&names, " and ");
    osdear__type_name(&node->children[i]->type, &names);
  }
  osdear_status st = osdear__buf_check(&names, error);
  return st ? st
            : osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "this operation does not go with %.300s",
                                names.data);
}

static osdear_status cast_children(const osdear__expr_maker *maker, osdear__expr *node, size_t from, const osdear__type *type,
                                   osdear_error **error)
{
  for (size_t i = from; i < node->child_count; i++) {
    osdear_status st = osdear__expr_cast_to(maker, node->children[i], type, false, &node->children[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- arithmetic ---- */

static int32_t min_i32(int32_t a, int32_t b)
{
  return a < b ? a : b;
}

static int32_t max_i32(int32_t a, int32_t b)
{
  return a > b ? a : b;
}

/* Spark's rule where the exact result has more than 38 digits: whole digits first, then up to six of the fraction. */
static osdear__type fit_decimal(int32_t precision, int32_t scale)
{
  if (precision <= 38)
    return osdear__type_decimal(precision, scale);
  int32_t least_scale = min_i32(scale, 6);
  return osdear__type_decimal(38, max_i32(38 - (precision - scale), least_scale));
}

static osdear__type decimal_result(osdear__op op, const osdear__type *a, const osdear__type *b)
{
  int32_t scale = max_i32(a->scale, b->scale);
  switch (op) {
  case OP_MULTIPLY: return fit_decimal(a->precision + b->precision + 1, a->scale + b->scale);
  case OP_DIVIDE:
    scale = max_i32(6, a->scale + b->precision + 1);
    return fit_decimal(a->precision - a->scale + b->scale + scale, scale);
  case OP_REMAINDER: return fit_decimal(min_i32(a->precision - a->scale, b->precision - b->scale) + scale, scale);
  default: return fit_decimal(max_i32(a->precision - a->scale, b->precision - b->scale) + scale + 1, scale);
  }
}

/* A whole constant beside a decimal has only the digits that it shows. */
static osdear__type decimal_operand(const osdear__expr *node)
{
  if (node->op != OP_LITERAL || !osdear__kind_is_integer(node->type.kind) || node->value.is_null)
    return osdear__type_as_decimal(&node->type);
  int64_t magnitude = node->value.i64 < 0 ? -(node->value.i64 + 1) : node->value.i64;
  int32_t digits = 1;
  while (digits < 19 && magnitude >= osdear__pow10(digits))
    digits++;
  return osdear__type_decimal(digits + (node->value.i64 < 0 && digits < 19), 0);
}

static osdear_status bind_decimal(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  for (size_t i = 0; i < 2; i++) {
    osdear__type type = decimal_operand(node->children[i]);
    osdear_status st = osdear__expr_cast_to(maker, node->children[i], &type, false, &node->children[i], error);
    if (st)
      return st;
  }
  node->type = decimal_result(node->op, &node->children[0]->type, &node->children[1]->type);
  return OSDEAR_OK;
}

/* date + days, days + date, date - days. */
static bool is_day_count(const osdear__expr *node)
{
  const osdear__type *a = &node->children[0]->type;
  const osdear__type *b = &node->children[1]->type;
  bool b_is_small = osdear__kind_is_integer(b->kind) && b->kind != KIND_LONG;
  bool a_is_small = osdear__kind_is_integer(a->kind) && a->kind != KIND_LONG;
  return (a->kind == KIND_DATE && b_is_small && (node->op == OP_ADD || node->op == OP_SUBTRACT)) ||
         (b->kind == KIND_DATE && a_is_small && node->op == OP_ADD);
}

static osdear_status bind_days(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  osdear__type days = osdear__type_of(KIND_INTEGER);
  size_t count_at = node->children[0]->type.kind == KIND_DATE ? 1 : 0;
  node->type = osdear__type_of(KIND_DATE);
  return osdear__expr_cast_to(maker, node->children[count_at], &days, false, &node->children[count_at], error);
}

/* Text is read as a number, as Spark does. */
static osdear_status read_numbers(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  osdear__type type = osdear__type_of(KIND_DOUBLE);
  for (size_t i = 0; i < node->child_count; i++) {
    osdear__kind kind = node->children[i]->type.kind;
    if (kind == KIND_STRING || (kind == KIND_VOID && node->child_count == 1)) {
      osdear_status st = osdear__expr_cast_to(maker, node->children[i], &type, false, &node->children[i], error);
      if (st)
        return st;
    } else if (!osdear__kind_is_numeric(kind) && kind != KIND_VOID) {
      return wrong_operands(maker, node, error);
    }
  }
  return OSDEAR_OK;
}

static osdear_status bind_numbers(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  const osdear__type *a = &node->children[0]->type;
  const osdear__type *b = &node->children[1]->type;
  osdear__type type;
  if (!osdear__common_type(a, b, &type))
    return wrong_operands(maker, node, error);
  if (type.kind == KIND_DECIMAL && a->kind != KIND_VOID && b->kind != KIND_VOID)
    return bind_decimal(maker, node, error);
  if (type.kind == KIND_VOID || (node->op == OP_DIVIDE && type.kind != KIND_DECIMAL))
    type = osdear__type_of(KIND_DOUBLE);
  node->type = type;
  return cast_children(maker, node, 0, &type, error);
}

static osdear_status bind_concat(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  bool all_binary = true;
  for (size_t i = 0; i < node->child_count; i++)
    all_binary &= node->children[i]->type.kind == KIND_BINARY;
  node->type = osdear__type_of(all_binary ? KIND_BINARY : KIND_STRING);
  osdear__type type = node->type;
  osdear_status st = cast_children(maker, node, 0, &type, error);
  return st ? st : osdear__expr_fold(maker, node, out, error);
}

osdear_status osdear__bind_arithmetic(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out,
                                      osdear_error **error)
{
  osdear_status st;
  if (node->op == OP_CONCAT)
    return bind_concat(maker, node, out, error);
  if (node->op != OP_NEGATE && is_day_count(node)) {
    st = bind_days(maker, node, error);
  } else {
    st = read_numbers(maker, node, error);
    if (!st && node->op == OP_NEGATE)
      node->type = node->children[0]->type;
    else if (!st)
      st = bind_numbers(maker, node, error);
  }
  return st ? st : osdear__expr_fold(maker, node, out, error);
}

/* ---- CASE ---- */

static osdear_status bind_conditions(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr *operand,
                                     osdear_error **error)
{
  osdear__type boolean = osdear__type_of(KIND_BOOLEAN);
  for (size_t i = 0; i + 1 < node->child_count; i += 2) {
    osdear_status st = OSDEAR_OK;
    if (operand) {
      osdear__expr *equal = osdear__expr_node(maker->arena, OP_EQUAL, node->children[i]->source, 2);
      if (!equal)
        return osdear__fail_memory(error);
      equal->children[0] = operand;
      equal->children[1] = node->children[i];
      st = osdear__bind_compare(maker, equal, &node->children[i], error);
    } else if (node->children[i]->type.kind != KIND_BOOLEAN && node->children[i]->type.kind != KIND_VOID) {
      return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->children[i]->source.data, error,
                               "expected a condition behind WHEN");
    }
    if (!st)
      st = osdear__expr_cast_to(maker, node->children[i], &boolean, false, &node->children[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static bool is_value(const osdear__expr *node, size_t child)
{
  return child % 2 == 1 || child + 1 == node->child_count;
}

osdear_status osdear__bind_case(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *operand = NULL;
  osdear__type type = osdear__type_of(KIND_VOID);
  if (node->has_operand) {
    operand = node->children[0];
    node->children++;
    node->child_count--;
    node->has_operand = false;
  }
  osdear_status st = bind_conditions(maker, node, operand, error);
  if (st)
    return st;
  for (size_t i = 0; i < node->child_count; i++) {
    if (is_value(node, i) && (!osdear__common_type(&type, &node->children[i]->type, &type) || type.kind > KIND_TIMESTAMP_NTZ))
      return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->children[i]->source.data, error,
                               "its values have no common type");
  }
  for (size_t i = 0; i < node->child_count; i++) {
    if (is_value(node, i))
      st = osdear__expr_cast_to(maker, node->children[i], &type, false, &node->children[i], error);
    if (st)
      return st;
  }
  node->type = type;
  return osdear__expr_fold(maker, node, out, error);
}

/* ---- functions ---- */

typedef enum call_kind {
  CALL_NUMBER,
  CALL_DATE_PART,
  CALL_TEXT,
  CALL_LENGTH,
  CALL_COALESCE,
  CALL_NULLIF,
  CALL_IF,
  CALL_MATCH,
  CALL_CONCAT
} call_kind;

typedef struct callable {
  const char *name;
  call_kind kind;
  int detail; /* osdear__function or osdear__like_kind */
  size_t least, most;
} callable;

static const callable callables[] = {
  { "abs", CALL_NUMBER, FUNCTION_ABS, 1, 1 },
  { "year", CALL_DATE_PART, FUNCTION_YEAR, 1, 1 },
  { "month", CALL_DATE_PART, FUNCTION_MONTH, 1, 1 },
  { "day", CALL_DATE_PART, FUNCTION_DAY, 1, 1 },
  { "dayofmonth", CALL_DATE_PART, FUNCTION_DAY, 1, 1 },
  { "lower", CALL_TEXT, FUNCTION_LOWER, 1, 1 },
  { "upper", CALL_TEXT, FUNCTION_UPPER, 1, 1 },
  { "trim", CALL_TEXT, FUNCTION_TRIM, 1, 1 },
  { "substring", CALL_TEXT, FUNCTION_SUBSTRING, 2, 3 },
  { "substr", CALL_TEXT, FUNCTION_SUBSTRING, 2, 3 },
  { "length", CALL_LENGTH, FUNCTION_LENGTH, 1, 1 },
  { "char_length", CALL_LENGTH, FUNCTION_LENGTH, 1, 1 },
  { "coalesce", CALL_COALESCE, 0, 1, 100 },
  { "ifnull", CALL_COALESCE, 0, 2, 2 },
  { "nvl", CALL_COALESCE, 0, 2, 2 },
  { "nullif", CALL_NULLIF, 0, 2, 2 },
  { "if", CALL_IF, 0, 3, 3 },
  { "concat", CALL_CONCAT, 0, 1, 100 },
  { "starts_with", CALL_MATCH, LIKE_PREFIX, 2, 2 },
  { "startswith", CALL_MATCH, LIKE_PREFIX, 2, 2 },
  { "ends_with", CALL_MATCH, LIKE_SUFFIX, 2, 2 },
  { "endswith", CALL_MATCH, LIKE_SUFFIX, 2, 2 },
  { "contains", CALL_MATCH, LIKE_CONTAINS, 2, 2 },
};

static osdear_status find_callable(const osdear__expr_maker *maker, const osdear__expr *node, const callable **out,
                                   osdear_error **error)
{
  for (size_t i = 0; i < COUNT_OF(callables); i++) {
    if (!osdear__str_equal_nocase(node->name, osdear__str_of(callables[i].name)))
      continue;
    *out = &callables[i];
    if (node->child_count >= callables[i].least && node->child_count <= callables[i].most)
      return OSDEAR_OK;
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "%s takes %zu to %zu arguments, not %zu",
                             callables[i].name, callables[i].least, callables[i].most, node->child_count);
  }
  return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "there is no function '%.*s'",
                           (int)(node->name.size < 60 ? node->name.size : 60), node->name.data);
}

static osdear_status is_null(const osdear__expr_maker *maker, osdear__expr *value, osdear__expr **out, osdear_error **error)
{
  osdear__expr *node = osdear__expr_node(maker->arena, OP_IS_NULL, value->source, 1);
  if (!node)
    return osdear__fail_memory(error);
  node->type = osdear__type_of(KIND_BOOLEAN);
  node->children[0] = value;
  node->negated = true;
  return osdear__expr_fold(maker, node, out, error);
}

/* COALESCE(a, b, c): CASE WHEN a IS NOT NULL THEN a WHEN b IS NOT NULL THEN b ELSE c END. */
static osdear_status spell_coalesce(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  size_t count = node->child_count;
  osdear__expr *result = osdear__expr_node(maker->arena, OP_CASE, node->source, count * 2 - 1);
  if (!result)
    return osdear__fail_memory(error);
  for (size_t i = 0; i + 1 < count; i++) {
    osdear_status st = is_null(maker, node->children[i], &result->children[i * 2], error);
    if (st)
      return st;
    result->children[i * 2 + 1] = node->children[i];
  }
  result->children[count * 2 - 2] = node->children[count - 1];
  return osdear__bind_case(maker, result, out, error);
}

/* NULLIF(a, b): CASE WHEN a = b THEN NULL ELSE a END. */
static osdear_status spell_nullif(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *result = osdear__expr_node(maker->arena, OP_CASE, node->source, 3);
  osdear__expr *equal = osdear__expr_node(maker->arena, OP_EQUAL, node->source, 2);
  osdear__expr *null = osdear__expr_node(maker->arena, OP_LITERAL, node->source, 0);
  if (!result || !equal || !null)
    return osdear__fail_memory(error);
  memcpy(equal->children, node->children, 2 * sizeof *equal->children);
  null->value.is_null = true;
  result->children[1] = null;
  result->children[2] = node->children[0];
  osdear_status st = osdear__bind_compare(maker, equal, &result->children[0], error);
  return st ? st : osdear__bind_case(maker, result, out, error);
}

/* starts_with and its like are LIKE without a pattern to take apart. */
static osdear_status spell_match(const osdear__expr_maker *maker, osdear__expr *node, int kind, osdear__expr **out,
                                 osdear_error **error)
{
  osdear__type string = osdear__type_of(KIND_STRING);
  osdear_status st = cast_children(maker, node, 0, &string, error);
  if (st)
    return st;
  osdear__expr *text = node->children[1];
  if (text->op != OP_LITERAL || text->value.is_null)
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, text->source.data, error, "this function needs a constant text here");
  osdear__like *like = osdear__arena_zeroed(maker->arena, 1, sizeof *like);
  if (!like)
    return osdear__fail_memory(error);
  like->kind = (osdear__like_kind)kind;
  like->fixed = text->value.bytes;
  node->op = OP_LIKE;
  node->type = osdear__type_of(KIND_BOOLEAN);
  node->child_count = 1;
  node->like = like;
  return osdear__expr_fold(maker, node, out, error);
}

static osdear_status bind_text(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  osdear__type string = osdear__type_of(KIND_STRING);
  osdear__type position = osdear__type_of(KIND_INTEGER);
  node->type = string;
  osdear_status st = osdear__expr_cast_to(maker, node->children[0], &string, false, &node->children[0], error);
  return st ? st : cast_children(maker, node, 1, &position, error);
}

static osdear_status bind_length(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  osdear__type string = osdear__type_of(KIND_STRING);
  node->type = osdear__type_of(KIND_INTEGER);
  if (node->children[0]->type.kind == KIND_BINARY)
    return OSDEAR_OK;
  return cast_children(maker, node, 0, &string, error);
}

osdear_status osdear__bind_call(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  const callable *found = NULL;
  osdear__type date = osdear__type_of(KIND_DATE);
  osdear_status st = find_callable(maker, node, &found, error);
  if (st)
    return st;
  switch (found->kind) {
  case CALL_COALESCE: return spell_coalesce(maker, node, out, error);
  case CALL_NULLIF: return spell_nullif(maker, node, out, error);
  case CALL_MATCH: return spell_match(maker, node, found->detail, out, error);
  case CALL_IF: node->op = OP_CASE; return osdear__bind_case(maker, node, out, error);
  case CALL_CONCAT: node->op = OP_CONCAT; return bind_concat(maker, node, out, error);
  case CALL_NUMBER:
    st = read_numbers(maker, node, error);
    node->type = node->children[0]->type;
    break;
  case CALL_DATE_PART:
    node->type = osdear__type_of(KIND_INTEGER);
    st = cast_children(maker, node, 0, &date, error);
    break;
  case CALL_TEXT: st = bind_text(maker, node, error); break;
  case CALL_LENGTH: st = bind_length(maker, node, error); break;
  }
  node->function = (osdear__function)found->detail;
  return st ? st : osdear__expr_fold(maker, node, out, error);
}
