/** @file prune.c What a predicate can come to over a set of rows of which only bounds are known.
 *
 * Every node gives the set of outcomes that some row may have: TRUE, FALSE, null. Rows need not be read where TRUE is not among
 * them; they need not be filtered where it is the only one. Where nothing is known, everything is possible. */
#include "vector.h"

enum { MAY_TRUE = 1, MAY_FALSE = 2, MAY_NULL = 4, MAY_ALL = 7 };

/* What values a node may have. NaN is the greatest: where it may be, there is no upper bound. */
typedef struct bounds {
  bool has_low, has_high;
  osdear__scalar low, high;
  bool may_be_null, may_be_value;
  bool (*may_hold)(void *filter, const osdear__scalar *value); /* as a range has them */
  void *filter;
} bounds;

typedef struct pruner {
  osdear__range_of range_of;
  void *argument;
} pruner;

/* Is `a` before, at or after `b`? 2: not known. */
static int order(const osdear__scalar *a, const osdear__scalar *b)
{
  int result = 0;
  return osdear__scalar_compare(a, b, &result) ? result : 2;
}

static bounds anything(void)
{
  return (bounds){ .may_be_null = true, .may_be_value = true };
}

/* ---- values ---- */

static bounds bounds_of_column(const pruner *p, const osdear__expr *expr)
{
  osdear__range range = { .null_count = -1, .row_count = -1 };
  if (!p->range_of(p->argument, expr->path, expr->path_depth, &range))
    return anything();
  bounds b = { .has_low = range.has_min, .has_high = range.has_max && !range.may_be_nan, .low = range.min, .high = range.max };
  b.may_be_null = range.null_count != 0;
  b.may_be_value = range.null_count < 0 || range.row_count < 0 || range.null_count < range.row_count;
  b.may_hold = range.may_hold;
  b.filter = range.filter;
  return b;
}

static bounds bounds_of_literal(const osdear__expr *expr)
{
  bool is_null = expr->value.is_null;
  return (bounds){ .has_low = !is_null,
                   .has_high = !is_null,
                   .low = expr->value,
                   .high = expr->value,
                   .may_be_null = is_null,
                   .may_be_value = !is_null };
}

static bool integer_fits(osdear__kind kind, int64_t value)
{
  int32_t bits = kind == KIND_BYTE ? 7 : kind == KIND_SHORT ? 15 : kind == KIND_LONG ? 63 : 31;
  return bits == 63 || (value >= -(INT64_C(1) << bits) && value < INT64_C(1) << bits);
}

/* A bound taken through a cast that keeps the order of values. False: it does not, or the bound has no place there. */
static bool cast_bound(const osdear__type *from, const osdear__type *to, osdear__scalar *value)
{
  bool from_integer = osdear__kind_is_integer(from->kind);
  osdear__scalar result = { .kind = to->kind, .scale = to->scale, .i64 = value->i64, .f64 = value->f64 };
  bool ok = false;

  if (to->kind == KIND_DECIMAL && (from_integer || from->kind == KIND_DECIMAL)) {
    osdear__int128 exact = from_integer ? value->i64 : value->decimal;
    ok = osdear__decimal_rescale(exact, from_integer ? 0 : value->scale, to->scale, to->precision, &result.decimal);
  } else if (osdear__kind_is_float(to->kind) && osdear__kind_is_numeric(from->kind)) {
    if (from_integer)
      result.f64 = (double)value->i64;
    else if (from->kind == KIND_DECIMAL)
      result.f64 = osdear__decimal_to_f64(value->decimal, value->scale);
    if (to->kind == KIND_FLOAT)
      result.f64 = (double)(float)result.f64;
    ok = true;
  } else if (from_integer && osdear__kind_is_integer(to->kind)) {
    ok = integer_fits(to->kind, value->i64);
  } else if (from->kind == KIND_DATE && osdear__kind_is_timestamp(to->kind)) {
    ok = osdear__mul_i64(value->i64, OSDEAR__DAY_US, &result.i64);
  } else if (osdear__kind_is_timestamp(from->kind) && to->kind == KIND_DATE) {
    result.i64 = value->i64 / OSDEAR__DAY_US - (value->i64 % OSDEAR__DAY_US < 0);
    ok = true;
  } else if (osdear__kind_is_timestamp(from->kind) && osdear__kind_is_timestamp(to->kind)) {
    ok = true;
  }
  *value = result;
  return ok;
}

/* Does every value stay equal to what it was? */
static bool is_exact_cast(const osdear__type *from, const osdear__type *to)
{
  bool from_decimal = from->kind == KIND_DECIMAL;
  int32_t digits = from_decimal ? from->precision - from->scale : from->kind == KIND_LONG ? 19 : 10;

  if (osdear__kind_is_integer(from->kind) && osdear__kind_is_integer(to->kind))
    return from->kind <= to->kind;
  if (to->kind == KIND_DECIMAL && (from_decimal || osdear__kind_is_integer(from->kind)))
    return to->precision - to->scale >= digits && to->scale >= (from_decimal ? from->scale : 0);
  return from->kind == to->kind ? !osdear__kind_is_float(to->kind) : from->kind == KIND_FLOAT && to->kind == KIND_DOUBLE;
}

static bounds bounds_of(const pruner *p, const osdear__expr *expr);

static bounds bounds_of_cast(const pruner *p, const osdear__expr *expr)
{
  const osdear__expr *child = expr->children[0];
  bounds b = bounds_of(p, child);
  bool had_both = b.has_low && b.has_high;
  b.has_low = b.has_low && cast_bound(&child->type, &expr->type, &b.low);
  b.has_high = b.has_high && cast_bound(&child->type, &expr->type, &b.high);
  /* With a bound that has no place, rows beyond it may have become null. */
  if (!had_both || !b.has_low || !b.has_high)
    b.may_be_null = true;
  if (!is_exact_cast(&child->type, &expr->type))
    b.may_hold = NULL;
  return b;
}

/* The year grows with the date. */
static bounds bounds_of_year(const pruner *p, const osdear__expr *expr)
{
  bounds b = bounds_of(p, expr->children[0]);
  osdear__scalar *sides[] = { &b.low, &b.high };
  b.may_hold = NULL;
  for (size_t i = 0; i < 2; i++) {
    int64_t year = 0;
    int32_t month;
    int32_t day;
    osdear__civil_of(sides[i]->i64, &year, &month, &day);
    *sides[i] = (osdear__scalar){ .kind = KIND_INTEGER, .i64 = year };
  }
  return b;
}

static bounds bounds_of(const pruner *p, const osdear__expr *expr)
{
  switch (expr->op) {
  case OP_COLUMN: return bounds_of_column(p, expr);
  case OP_LITERAL: return bounds_of_literal(expr);
  case OP_CAST: return bounds_of_cast(p, expr);
  case OP_CALL: return expr->function == FUNCTION_YEAR ? bounds_of_year(p, expr) : anything();
  default: return anything();
  }
}

/* ---- comparisons ---- */

/* May some value of a be less than (or equal to) some value of b? */
static bool may_be_less(const bounds *a, const bounds *b, bool or_equal)
{
  if (!a->has_low || !b->has_high)
    return true;
  int where = order(&a->low, &b->high);
  return where == 2 || where < 0 || (or_equal && where == 0);
}

static bool is_single(const bounds *b)
{
  return b->has_low && b->has_high && order(&b->low, &b->high) == 0;
}

/* Says a filter of `a` that it does not hold the one value of `b`? */
static bool is_filtered(const bounds *a, const bounds *b)
{
  return a->may_hold && is_single(b) && !a->may_hold(a->filter, &b->low);
}

static bool may_be_equal(const bounds *a, const bounds *b)
{
  return may_be_less(a, b, true) && may_be_less(b, a, true) && !is_filtered(a, b) && !is_filtered(b, a);
}

static bool may_differ(const bounds *a, const bounds *b)
{
  return !(is_single(a) && is_single(b) && order(&a->low, &b->low) == 0);
}

static int compare(osdear__op op, const bounds *a, const bounds *b)
{
  int result = a->may_be_null || b->may_be_null ? MAY_NULL : 0;
  bool holds = true;
  bool fails = true;
  if (!a->may_be_value || !b->may_be_value)
    return result;
  switch (op) {
  case OP_EQUAL:
    holds = may_be_equal(a, b);
    fails = may_differ(a, b);
    break;
  case OP_NOT_EQUAL:
    holds = may_differ(a, b);
    fails = may_be_equal(a, b);
    break;
  case OP_LESS:
    holds = may_be_less(a, b, false);
    fails = may_be_less(b, a, true);
    break;
  case OP_LESS_EQUAL:
    holds = may_be_less(a, b, true);
    fails = may_be_less(b, a, false);
    break;
  case OP_GREATER:
    holds = may_be_less(b, a, false);
    fails = may_be_less(a, b, true);
    break;
  default:
    holds = may_be_less(b, a, true);
    fails = may_be_less(a, b, false);
    break;
  }
  return result | (holds ? MAY_TRUE : 0) | (fails ? MAY_FALSE : 0);
}

static int negate(int outcomes)
{
  return (outcomes & MAY_NULL) | (outcomes & MAY_TRUE ? MAY_FALSE : 0) | (outcomes & MAY_FALSE ? MAY_TRUE : 0);
}

/* a <=> b is never null: two nulls are the same, a null and a value are not. */
static int compare_same(const bounds *a, const bounds *b)
{
  int result = compare(OP_EQUAL, a, b) & ~MAY_NULL;
  if (a->may_be_null && b->may_be_null)
    result |= MAY_TRUE;
  if ((a->may_be_null && b->may_be_value) || (a->may_be_value && b->may_be_null))
    result |= MAY_FALSE;
  return result;
}

/* ---- lists and patterns ---- */

/* Is a constant of the set within the bounds, and not known to be missing? */
static bool set_meets(const osdear__set *set, const bounds *b)
{
  size_t from = 0;
  size_t to = set->count;
  while (b->has_low && from < to) {
    size_t middle = from + (to - from) / 2;
    int where = order(&set->values[middle], &b->low);
    if (where == 2)
      return true;
    if (where < 0)
      from = middle + 1;
    else
      to = middle;
  }
  for (; from < set->count; from++) {
    if (b->has_high && order(&set->values[from], &b->high) == 1)
      return false;
    if (!b->may_hold || b->may_hold(b->filter, &set->values[from]))
      return true;
  }
  return false;
}

static int in_set(const osdear__expr *expr, const bounds *b)
{
  const osdear__set *set = expr->set;
  int result = b->may_be_null ? MAY_NULL : 0;
  if (!b->may_be_value)
    return result;
  bool holds = set->count > 0 && set_meets(set, b);
  bool fails = !(holds && is_single(b));
  if (fails && set->has_null)
    result |= MAY_NULL;
  else if (fails)
    result |= MAY_FALSE;
  return result | (holds ? MAY_TRUE : 0);
}

static bool has_prefix(const osdear__scalar *value, osdear__str prefix)
{
  return value->bytes.size >= prefix.size && memcmp(value->bytes.data, prefix.data, prefix.size) == 0;
}

/* What matches starts with the pattern's fixed bytes, which is a range of texts. */
static int like(const osdear__like *pattern, const bounds *b)
{
  int result = b->may_be_null ? MAY_NULL : 0;
  osdear__str fixed = pattern->fixed;
  bool holds = true;
  bool fails = true;
  if (!b->may_be_value)
    return result;
  if (pattern->kind == LIKE_EXACT) {
    osdear__scalar value = { .kind = KIND_STRING, .bytes = fixed };
    bounds exact = { .has_low = true, .has_high = true, .low = value, .high = value };
    holds = may_be_equal(b, &exact);
    fails = may_differ(b, &exact);
  } else if (pattern->kind == LIKE_PREFIX || pattern->kind == LIKE_GENERAL) {
    osdear__str low = b->low.bytes;
    if (low.size > fixed.size)
      low.size = fixed.size;
    if ((b->has_low && osdear__str_compare(low, fixed) > 0) || (b->has_high && osdear__str_compare(b->high.bytes, fixed) < 0))
      holds = false;
    if (pattern->kind == LIKE_PREFIX && b->has_low && b->has_high)
      fails = !(has_prefix(&b->low, fixed) && has_prefix(&b->high, fixed));
  }
  return result | (holds ? MAY_TRUE : 0) | (fails ? MAY_FALSE : 0);
}

/* ---- logic ---- */

static int possible(const pruner *p, const osdear__expr *expr);

/* Kleene's AND over sets of outcomes; operands are taken as independent of each other, which only adds outcomes. */
static int both(int a, int b)
{
  int result = 0;
  if (a & b & MAY_TRUE)
    result |= MAY_TRUE;
  if ((a | b) & MAY_FALSE)
    result |= MAY_FALSE;
  if ((a & MAY_NULL && b & (MAY_NULL | MAY_TRUE)) || (b & MAY_NULL && a & MAY_TRUE))
    result |= MAY_NULL;
  return result;
}

static int fold(const pruner *p, const osdear__expr *expr)
{
  bool is_or = expr->op == OP_OR;
  int result = MAY_TRUE;
  for (size_t i = 0; i < expr->child_count; i++) {
    int outcomes = possible(p, expr->children[i]);
    result = both(result, is_or ? negate(outcomes) : outcomes);
  }
  return is_or ? negate(result) : result;
}

static int boolean(const bounds *b)
{
  int result = b->may_be_null ? MAY_NULL : 0;
  if (b->may_be_value && !(b->has_high && b->high.i64 == 0))
    result |= MAY_TRUE;
  if (b->may_be_value && !(b->has_low && b->low.i64 != 0))
    result |= MAY_FALSE;
  return result;
}

static int is_test(const pruner *p, const osdear__expr *expr)
{
  int wanted = expr->op == OP_IS_TRUE ? MAY_TRUE : expr->op == OP_IS_FALSE ? MAY_FALSE : MAY_NULL;
  int outcomes;
  if (expr->op == OP_IS_NULL && expr->children[0]->type.kind != KIND_BOOLEAN) {
    bounds b = bounds_of(p, expr->children[0]);
    outcomes = (b.may_be_null ? MAY_NULL : 0) | (b.may_be_value ? MAY_TRUE : 0);
  } else {
    outcomes = possible(p, expr->children[0]);
  }
  int result = (outcomes & wanted ? MAY_TRUE : 0) | (outcomes & ~wanted ? MAY_FALSE : 0);
  return expr->negated ? negate(result) : result;
}

static int possible(const pruner *p, const osdear__expr *expr)
{
  bounds a;
  bounds b;
  int result;
  switch (expr->op) {
  case OP_AND:
  case OP_OR: return fold(p, expr);
  case OP_NOT: return negate(possible(p, expr->children[0]));
  case OP_IS_NULL:
  case OP_IS_TRUE:
  case OP_IS_FALSE: return is_test(p, expr);
  case OP_LITERAL:
  case OP_COLUMN: a = bounds_of(p, expr); return boolean(&a);
  case OP_EQUAL:
  case OP_NOT_EQUAL:
  case OP_LESS:
  case OP_LESS_EQUAL:
  case OP_GREATER:
  case OP_GREATER_EQUAL:
    a = bounds_of(p, expr->children[0]);
    b = bounds_of(p, expr->children[1]);
    return compare(expr->op, &a, &b);
  case OP_SAME:
    a = bounds_of(p, expr->children[0]);
    b = bounds_of(p, expr->children[1]);
    result = compare_same(&a, &b);
    break;
  case OP_IN:
    a = bounds_of(p, expr->children[0]);
    result = in_set(expr, &a);
    break;
  case OP_LIKE:
    a = bounds_of(p, expr->children[0]);
    result = like(expr->like, &a);
    break;
  default: return MAY_ALL;
  }
  return expr->negated ? negate(result) : result;
}

bool osdear__expr_may_match(const osdear__expr *expr, osdear__range_of range_of, void *argument)
{
  const pruner p = { range_of, argument };
  return possible(&p, expr) & MAY_TRUE;
}

bool osdear__expr_must_match(const osdear__expr *expr, osdear__range_of range_of, void *argument)
{
  const pruner p = { range_of, argument };
  return !(possible(&p, expr) & (MAY_FALSE | MAY_NULL));
}
