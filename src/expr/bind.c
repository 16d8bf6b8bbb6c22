/** @file bind.c Names to columns, types to nodes; what is constant is worked out, NOT goes down to the leaves. */
#include "vector.h"

static osdear_status bind_children(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  for (size_t i = 0; i < node->child_count; i++) {
    osdear_status st = osdear__expr_bind(maker, node->children[i], &node->children[i], error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- settling and folding ---- */

static int32_t cost_of(const osdear__expr *node)
{
  bool on_bytes = node->child_count > 0 && osdear__kind_is_bytes(node->children[0]->type.kind);
  switch (node->op) {
  case OP_LITERAL:
  case OP_COLUMN: return 0;
  case OP_LIKE:
  case OP_CALL:
  case OP_CONCAT: return 8;
  case OP_IN:
  case OP_CASE: return 4;
  case OP_CAST: return on_bytes || osdear__kind_is_bytes(node->type.kind) ? 20 : 2;
  default: return node->type.kind == KIND_DECIMAL ? 10 : on_bytes ? 4 : 1;
  }
}

/* Can this operation fail on some row, whatever its operands do? */
static bool may_fail(const osdear__expr *node)
{
  const osdear__expr *last = node->child_count > 0 ? node->children[node->child_count - 1] : NULL;
  switch (node->op) {
  case OP_ADD:
  case OP_SUBTRACT:
  case OP_MULTIPLY:
  case OP_NEGATE: return !osdear__kind_is_float(node->type.kind);
  case OP_DIVIDE:
  case OP_REMAINDER:
    return !(osdear__kind_is_float(node->type.kind) && last->op == OP_LITERAL && !last->value.is_null && last->value.f64 != 0);
  case OP_CAST: return !node->is_try;
  case OP_CONCAT: return true;
  case OP_CALL: return node->function == FUNCTION_ABS;
  default: return false;
  }
}

osdear_status osdear__expr_settle(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  int64_t cost = cost_of(node);
  int64_t weight = 1;
  node->depth = 0;
  node->fallible = may_fail(node);
  for (size_t i = 0; i < node->child_count; i++) {
    const osdear__expr *child = node->children[i];
    if (child->depth > node->depth)
      node->depth = child->depth;
    node->fallible |= child->fallible;
    cost += child->cost;
    weight += child->weight;
  }
  node->depth++;
  node->cost = cost > INT32_MAX ? INT32_MAX : (int32_t)cost;
  if (weight > OSDEAR__EXPR_WEIGHT)
    return osdear__expr_fail(maker, OSDEAR_ERR_LIMIT, node->source.data, error, "more than %d operations", OSDEAR__EXPR_WEIGHT);
  node->weight = (int32_t)weight;
  /* Casts that are put in may double what the parser allowed. */
  if (node->depth > 2 * OSDEAR__EXPR_DEPTH)
    return osdear__expr_fail(maker, OSDEAR_ERR_LIMIT, node->source.data, error, "nested deeper than %d levels",
                             OSDEAR__EXPR_DEPTH);
  return OSDEAR_OK;
}

static void scalar_of(const osdear__vector *v, osdear__scalar *out)
{
  const osdear__type *type = v->type;
  *out = (osdear__scalar){ .kind = type->kind, .is_null = osdear__vector_is_null(v, 0) || type->kind == KIND_VOID };
  if (out->is_null)
    return;
  switch (type->kind) {
  case KIND_BOOLEAN: out->i64 = osdear__bit(v->values, 0); break;
  case KIND_BYTE: out->i64 = ((const int8_t *)v->values)[0]; break;
  case KIND_SHORT: out->i64 = ((const int16_t *)v->values)[0]; break;
  case KIND_INTEGER:
  case KIND_DATE: out->i64 = ((const int32_t *)v->values)[0]; break;
  case KIND_FLOAT: out->f64 = (double)((const float *)v->values)[0]; break;
  case KIND_DOUBLE: out->f64 = ((const double *)v->values)[0]; break;
  case KIND_DECIMAL:
    out->scale = type->scale;
    out->decimal = osdear__load_i128(v->values, 0);
    break;
  case KIND_STRING:
  case KIND_BINARY: out->bytes = osdear__vector_bytes(v, 0); break;
  default: out->i64 = ((const int64_t *)v->values)[0]; break;
  }
}

osdear_status osdear__expr_fold(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__frame frame = { .arena = maker->arena, .length = 1 };
  osdear__vector value;
  AUTO(error) failure = NULL;

  osdear_status st = osdear__expr_settle(maker, node, error);
  if (st)
    return st;
  *out = node;
  if (node->op == OP_LITERAL || node->child_count == 0)
    return OSDEAR_OK;
  for (size_t i = 0; i < node->child_count; i++) {
    if (node->children[i]->op != OP_LITERAL)
      return OSDEAR_OK;
  }
  st = osdear__vector_eval(node, &frame, &value, &failure);
  if (st == OSDEAR_ERR_DATA)
    return OSDEAR_OK; /* 1/0 fails where it is reached, not where it is written */
  if (st)
    return osdear__fail(error, st, "%s", osdear_error_message(failure));
  osdear__expr *literal = osdear__expr_node(maker->arena, OP_LITERAL, node->source, 0);
  if (!literal)
    return osdear__fail_memory(error);
  literal->type = node->type;
  scalar_of(&value, &literal->value);
  *out = literal;
  return osdear__expr_settle(maker, literal, error);
}

/* ---- logic ---- */

/* `node` as a truth value; NULL alone is the unknown one. */
static osdear_status need_boolean(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__type boolean = osdear__type_of(KIND_BOOLEAN);
  *out = node;
  if (node->type.kind == KIND_BOOLEAN)
    return OSDEAR_OK;
  if (node->type.kind == KIND_VOID)
    return osdear__expr_cast_to(maker, node, &boolean, false, out, error);
  SCOPED(buf) name = { 0 };
  osdear__type_name(&node->type, &name);
  return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "expected a condition, found %s",
                           name.data ? name.data : "a value");
}

static osdear__expr *copy_of(const osdear__expr_maker *maker, const osdear__expr *node)
{
  osdear__expr *copy = osdear__arena_alloc(maker->arena, sizeof *copy);
  if (copy)
    *copy = *node;
  return copy;
}

static osdear_status negate_all(const osdear__expr_maker *maker, const osdear__expr *node, osdear__expr **out,
                                osdear_error **error)
{
  osdear__op op = node->op == OP_AND ? OP_OR : OP_AND;
  osdear__expr *result = osdear__expr_node(maker->arena, op, node->source, node->child_count);
  if (!result)
    return osdear__fail_memory(error);
  result->type = node->type;
  for (size_t i = 0; i < node->child_count; i++) {
    osdear_status st = osdear__expr_negate(maker, node->children[i], &result->children[i], error);
    if (st)
      return st;
  }
  *out = result;
  return osdear__expr_settle(maker, result, error);
}

osdear_status osdear__expr_negate(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *copy;
  switch (node->op) {
  case OP_AND:
  case OP_OR: return negate_all(maker, node, out, error);
  case OP_NOT: *out = node->children[0]; return OSDEAR_OK;
  case OP_LITERAL:
  case OP_EQUAL:
  case OP_NOT_EQUAL:
  case OP_LESS:
  case OP_LESS_EQUAL:
  case OP_GREATER:
  case OP_GREATER_EQUAL:
  case OP_SAME:
  case OP_IN:
  case OP_LIKE:
  case OP_IS_NULL:
  case OP_IS_TRUE:
  case OP_IS_FALSE: copy = copy_of(maker, node); break;
  default:
    copy = osdear__expr_node(maker->arena, OP_NOT, node->source, 1);
    if (!copy)
      break;
    copy->type = node->type;
    copy->children[0] = node;
    *out = copy;
    return osdear__expr_settle(maker, copy, error);
  }
  if (!copy)
    return osdear__fail_memory(error);
  static const osdear__op opposite[] = {
    [OP_EQUAL] = OP_NOT_EQUAL,    [OP_NOT_EQUAL] = OP_EQUAL,    [OP_LESS] = OP_GREATER_EQUAL,
    [OP_GREATER_EQUAL] = OP_LESS, [OP_LESS_EQUAL] = OP_GREATER, [OP_GREATER] = OP_LESS_EQUAL
  };
  if (node->op == OP_LITERAL)
    copy->value.i64 = !copy->value.i64;
  else if (node->op >= OP_EQUAL && node->op <= OP_GREATER_EQUAL)
    copy->op = opposite[node->op];
  else
    copy->negated = !copy->negated;
  *out = copy;
  return OSDEAR_OK;
}

/* Appends the operand; the operands of an operand with the same operator are taken up. */
static void gather(osdear__expr *node, osdear__expr *child, bool *decided)
{
  bool is_and = node->op == OP_AND;
  if (child->op == node->op) {
    for (size_t i = 0; i < child->child_count; i++)
      node->children[node->child_count++] = child->children[i];
  } else if (child->op == OP_LITERAL && !child->value.is_null && (child->value.i64 != 0) == is_and) {
    /* TRUE AND x, FALSE OR x: x */
  } else {
    *decided |= child->op == OP_LITERAL && !child->value.is_null;
    node->children[node->child_count++] = child;
  }
}

static osdear_status bind_logic(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  size_t room = 0;
  bool decided = false;
  for (size_t i = 0; i < node->child_count; i++) {
    osdear_status st = need_boolean(maker, node->children[i], &node->children[i], error);
    if (st)
      return st;
    room += node->children[i]->op == node->op ? node->children[i]->child_count : 1;
  }
  osdear__expr *result = osdear__expr_node(maker->arena, node->op, node->source, room);
  if (!result)
    return osdear__fail_memory(error);
  result->type = osdear__type_of(KIND_BOOLEAN);
  result->child_count = 0;
  for (size_t i = 0; i < node->child_count; i++)
    gather(result, node->children[i], &decided);
  if (result->child_count == 1) {
    *out = result->children[0];
    return OSDEAR_OK;
  }
  if (decided || result->child_count == 0) {
    result->value = (osdear__scalar){ .kind = KIND_BOOLEAN, .i64 = (node->op == OP_AND) != decided };
    result->op = OP_LITERAL;
    result->child_count = 0;
  }
  return osdear__expr_fold(maker, result, out, error);
}

static osdear_status bind_not(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *child = NULL;
  osdear_status st = need_boolean(maker, node->children[0], &child, error);
  return st ? st : osdear__expr_negate(maker, child, out, error);
}

/* x BETWEEN a AND b is x >= a AND x <= b; x is one node in both. */
static osdear_status bind_between(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *both = osdear__expr_node(maker->arena, OP_AND, node->source, 2);
  if (!both)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < 2; i++) {
    osdear__expr *side = osdear__expr_node(maker->arena, i == 0 ? OP_GREATER_EQUAL : OP_LESS_EQUAL, node->source, 2);
    if (!side)
      return osdear__fail_memory(error);
    side->children[0] = node->children[0];
    side->children[1] = node->children[i + 1];
    osdear_status st = osdear__bind_compare(maker, side, &both->children[i], error);
    if (st)
      return st;
  }
  return bind_logic(maker, both, out, error);
}

static osdear_status bind_is(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;
  if (node->op != OP_IS_NULL)
    st = need_boolean(maker, node->children[0], &node->children[0], error);
  node->type = osdear__type_of(KIND_BOOLEAN);
  return st ? st : osdear__expr_fold(maker, node, out, error);
}

static osdear_status bind_like(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__type string = osdear__type_of(KIND_STRING);
  osdear__str escape = STR("\\");
  const char *bad = NULL;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < node->child_count && !st; i++)
    st = osdear__expr_cast_to(maker, node->children[i], &string, false, &node->children[i], error);
  if (st)
    return st;
  for (size_t i = 1; i < node->child_count; i++) {
    if (node->children[i]->op != OP_LITERAL)
      return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->children[i]->source.data, error,
                               "LIKE needs a constant pattern");
  }
  if (node->child_count == 3)
    escape = node->children[2]->value.bytes;
  node->type = osdear__type_of(KIND_BOOLEAN);
  osdear__expr *pattern = node->children[1];
  if (pattern->value.is_null) {
    *out = pattern;
    osdear__type boolean = node->type;
    return osdear__expr_cast_to(maker, pattern, &boolean, true, out, error);
  }
  node->child_count = 1;
  if (!osdear__like_new(maker->arena, pattern->value.bytes, escape, &node->like, &bad))
    return bad ? osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, pattern->source.data, error, "%s", bad)
               : osdear__fail_memory(error);
  return osdear__expr_fold(maker, node, out, error);
}

/* ---- names ---- */

static osdear_status append_path(const osdear__expr_maker *maker, osdear__expr *node, const osdear__expr *parent, size_t index,
                                 osdear_error **error)
{
  size_t depth = parent ? parent->path_depth : 0;
  size_t *path = osdear__arena_alloc(maker->arena, (depth + 1) * sizeof *path);
  if (!path)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < depth; i++)
    path[i] = parent->path[i];
  path[depth] = index;
  node->path = path;
  node->path_depth = depth + 1;
  return OSDEAR_OK;
}

static osdear_status unknown_name(const osdear__expr_maker *maker, const osdear__expr *node, const osdear__type *type,
                                  osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  for (size_t i = 0; i < type->field_count && i < 20; i++)
    osdear__buf_printf(&names, "%s%s", i > 0 ? ", " : "", type->fields[i].name);
  if (type->field_count > 20)
    osdear__buf_puts(&names, ", …");
  const char *place = node->op == OP_DOT ? node->source.data + node->source.size : node->source.data;
  if (node->op == OP_DOT && node->name.data >= node->source.data && node->name.data < place)
    place = node->name.data;
  return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, place, error, "no column '%.*s'; there are: %s",
                           (int)(node->name.size < 100 ? node->name.size : 100), node->name.data,
                           names.data ? names.data : "none");
}

static osdear_status bind_name(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  int64_t index = osdear__type_find(maker->schema, node->name);
  if (index < 0)
    return unknown_name(maker, node, maker->schema, error);
  node->op = OP_COLUMN;
  node->type = maker->schema->fields[index].type;
  osdear_status st = append_path(maker, node, NULL, (size_t)index, error);
  return st ? st : osdear__expr_settle(maker, node, error);
}

static osdear_status bind_dot(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  osdear__expr *parent = node->children[0];
  if (parent->type.kind != KIND_STRUCT) {
    SCOPED(buf) name = { 0 };
    osdear__type_name(&parent->type, &name);
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "'%.*s' has no fields: it is %s",
                             (int)(parent->source.size < 100 ? parent->source.size : 100), parent->source.data,
                             name.data ? name.data : "a value");
  }
  int64_t index = osdear__type_find(&parent->type, node->name);
  if (index < 0)
    return unknown_name(maker, node, &parent->type, error);
  bool is_column = parent->op == OP_COLUMN;
  node->type = parent->type.fields[index].type;
  node->op = is_column ? OP_COLUMN : OP_FIELD;
  if (is_column)
    node->child_count = 0;
  osdear_status st = append_path(maker, node, is_column ? parent : NULL, (size_t)index, error);
  return st ? st : osdear__expr_settle(maker, node, error);
}

/* list[position], map[key]: null where there is no such element. */
static osdear_status bind_index(const osdear__expr_maker *maker, osdear__expr *node, osdear_error **error)
{
  const osdear__type *type = &node->children[0]->type;
  osdear__type position = osdear__type_of(KIND_LONG);
  if (type->kind != KIND_ARRAY && type->kind != KIND_MAP) {
    SCOPED(buf) name = { 0 };
    osdear__type_name(type, &name);
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->source.data, error, "only lists and maps have elements, not %s",
                             name.data ? name.data : "this");
  }
  bool is_list = type->kind == KIND_ARRAY;
  const osdear__type *key = is_list ? &position : &type->fields[0].type;
  if (is_list && !osdear__kind_is_integer(node->children[1]->type.kind))
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->children[1]->source.data, error,
                             "a position in a list is an integer");
  osdear_status st = osdear__expr_cast_to(maker, node->children[1], key, false, &node->children[1], error);
  if (st)
    return st;
  if (!is_list && node->children[1]->op != OP_LITERAL)
    return osdear__expr_fail(maker, OSDEAR_ERR_ARGUMENT, node->children[1]->source.data, error,
                             "a map is looked up by a constant");
  node->op = is_list ? OP_ELEMENT : OP_ENTRY;
  node->type = type->fields[is_list ? 0 : 1].type;
  return osdear__expr_settle(maker, node, error);
}

static osdear_status bind_cast(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear__expr *child = node->children[0];
  osdear_status st = osdear__expr_cast_to(maker, child, &node->type, node->is_try, out, error);
  if (!st && (*out)->op == OP_CAST && *out != child)
    (*out)->source = node->source;
  return st;
}

osdear_status osdear__expr_bind(const osdear__expr_maker *maker, osdear__expr *node, osdear__expr **out, osdear_error **error)
{
  osdear_status st = bind_children(maker, node, error);
  if (st)
    return st;
  *out = node;
  switch (node->op) {
  case OP_NAME: return bind_name(maker, node, error);
  case OP_DOT: return bind_dot(maker, node, error);
  case OP_INDEX: return bind_index(maker, node, error);
  case OP_BETWEEN: return bind_between(maker, node, out, error);
  case OP_AND:
  case OP_OR: return bind_logic(maker, node, out, error);
  case OP_NOT: return bind_not(maker, node, out, error);
  case OP_EQUAL:
  case OP_NOT_EQUAL:
  case OP_LESS:
  case OP_LESS_EQUAL:
  case OP_GREATER:
  case OP_GREATER_EQUAL:
  case OP_SAME: return osdear__bind_compare(maker, node, out, error);
  case OP_IN: return osdear__bind_in(maker, node, out, error);
  case OP_LIKE: return bind_like(maker, node, out, error);
  case OP_IS_NULL:
  case OP_IS_TRUE:
  case OP_IS_FALSE: return bind_is(maker, node, out, error);
  case OP_CAST: return bind_cast(maker, node, out, error);
  case OP_CASE: return osdear__bind_case(maker, node, out, error);
  case OP_CALL: return osdear__bind_call(maker, node, out, error);
  case OP_LITERAL:
  case OP_COLUMN: return OSDEAR_OK;
  default: return osdear__bind_arithmetic(maker, node, out, error);
  }
}
