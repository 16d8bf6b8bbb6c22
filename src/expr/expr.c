/** @file expr.c From SQL text to an expression that is ready to be evaluated, and what callers ask of it. */
#include "node.h"

/* Conjuncts that cannot fail come first, the cheapest of them ahead. Those that can fail keep their order behind them: `d <> 0 AND n / d > 1`
 * divides only where it may, in whatever order it was written. Insertion keeps the sort stable. */
static void order_conjuncts(osdear__expr *expr)
{
  for (size_t i = 1; i < expr->child_count; i++) {
    osdear__expr *moved = expr->children[i];
    size_t at = i;
    while (at > 0 && !moved->fallible && (expr->children[at - 1]->fallible || expr->children[at - 1]->cost > moved->cost)) {
      expr->children[at] = expr->children[at - 1];
      at--;
    }
    expr->children[at] = moved;
  }
}

osdear_status osdear__expr_new(const char *sql, const osdear__type *struct_type, osdear__arena *arena, osdear__expr **out,
                               osdear_error **error)
{
  size_t size = strlen(sql);
  osdear__expr *tree = NULL;
  osdear__expr *bound = NULL;

  if (size > OSDEAR__EXPR_TEXT)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "an expression of %zu bytes is too long (limit: %zu)", size, OSDEAR__EXPR_TEXT);
  if (!osdear__utf8_is_valid(sql, size))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the expression is not UTF-8");
  const char *copy = osdear__arena_strndup(arena, sql, size);
  if (!copy)
    return osdear__fail_memory(error);
  osdear__expr_maker maker = { .sql = { copy, size }, .schema = struct_type, .arena = arena };
  osdear_status st = osdear__expr_parse(&maker, &tree, error);
  if (!st)
    st = osdear__expr_bind(&maker, tree, &bound, error);
  if (st)
    return st;
  if (bound->op == OP_AND && bound->child_count <= 1000)
    order_conjuncts(bound);
  *out = bound;
  return OSDEAR_OK;
}

const osdear__type *osdear__expr_type(const osdear__expr *expr)
{
  return &expr->type;
}

void osdear__expr_columns(const osdear__expr *expr, bool *used)
{
  if (expr->op == OP_COLUMN)
    used[expr->path[0]] = true;
  for (size_t i = 0; i < expr->child_count; i++)
    osdear__expr_columns(expr->children[i], used);
}

void osdear__expr_paths(const osdear__expr *expr, osdear__expr_visit visit, void *argument)
{
  if (expr->op == OP_COLUMN)
    visit(argument, expr->path, expr->path_depth, &expr->type);
  for (size_t i = 0; i < expr->child_count; i++)
    osdear__expr_paths(expr->children[i], visit, argument);
}

osdear_status osdear__expr_residual(const osdear__expr *expr, osdear__range_of range_of, void *argument, osdear__arena *arena,
                                    const osdear__expr **out, osdear_error **error)
{
  if (expr->op != OP_AND) {
    *out = osdear__expr_must_match(expr, range_of, argument) ? NULL : expr;
    return OSDEAR_OK;
  }
  osdear__expr *rest = osdear__expr_node(arena, OP_AND, expr->source, expr->child_count);
  if (!rest)
    return osdear__fail_memory(error);
  rest->type = expr->type;
  rest->child_count = 0;
  for (size_t i = 0; i < expr->child_count; i++) {
    if (!osdear__expr_must_match(expr->children[i], range_of, argument))
      rest->children[rest->child_count++] = expr->children[i];
  }
  *out = rest->child_count == expr->child_count ? expr
         : rest->child_count == 1               ? rest->children[0]
         : rest->child_count                    ? rest
                                                : NULL;
  return OSDEAR_OK;
}
