/** @file eval.c Evaluation: which kernel for which node, three-valued logic, parts of nested values, selection of rows.
 *
 * A truth value is two bitmaps: the value, 0 where null, and the validity. So TRUE is the value bit alone. */
#include "vector.h"

/* A conjunct is worth gathering its columns' survivors for when fewer than one row in so many is left. */
#define GATHER_BELOW 8
/* … and when it costs at least so much a row. */
#define GATHER_COST 4

osdear_status osdear__vector_eval_where(const osdear__expr *expr, const osdear__frame *frame, const uint8_t *active,
                                        osdear__vector *out, osdear_error **error)
{
  osdear__frame narrowed = *frame;
  osdear_status st = osdear__bits_and(frame, frame->active, active, &narrowed.active, error);
  return st ? st : osdear__vector_eval(expr, &narrowed, out, error);
}

/* ---- columns and parts of nested values ---- */

/* A value inside of a null struct is null, whatever the child's own bits say. */
static osdear_status eval_column(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  static const osdear__type wrapper = { .kind = KIND_STRUCT };
  const struct ArrowArray *array = frame->batch->children[expr->path[0]];
  const uint8_t *validity = NULL;
  osdear__vector parent;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 1; i < expr->path_depth && !st; i++) {
    st = osdear__vector_load(frame, &wrapper, array, frame->rows, &parent, error);
    if (!st)
      st = osdear__bits_and(frame, validity, parent.validity, &validity, error);
    array = array->children[expr->path[i]];
  }
  if (!st)
    st = osdear__vector_load(frame, &expr->type, array, frame->rows, out, error);
  if (st || !validity || out->constant)
    return st;
  st = osdear__bits_and(frame, validity, out->validity, &out->validity, error);
  return st ? st : osdear__vector_mask(frame, out, error);
}

static osdear_status eval_field(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector parent;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &parent, error);
  if (!st)
    st = osdear__vector_load(frame, &expr->type, parent.array->children[expr->path[0]], parent.rows, out, error);
  if (st || out->constant)
    return st;
  st = osdear__bits_and(frame, parent.validity, out->validity, &out->validity, error);
  return st ? st : osdear__vector_mask(frame, out, error);
}

/* Which row of the list's values each row means; -1 where the list is null or shorter. */
static osdear_status eval_element(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector list;
  osdear__vector position;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &list, error);
  if (!st)
    st = osdear__vector_eval_rows(expr->children[1], frame, &position, error);
  if (st)
    return st;
  int32_t *rows = osdear__values_new(frame, 4, error);
  if (!rows)
    return OSDEAR_ERR_NO_MEMORY;
  const int32_t *offsets = list.array->buffers[1];
  const int64_t *at = position.values;
  for (int64_t i = 0; i < frame->length; i++) {
    int64_t row = list.rows ? list.rows[i] : i;
    rows[i] = -1;
    if (osdear__vector_is_null(&list, i) || osdear__vector_is_null(&position, i))
      continue;
    if (at[i] >= 0 && at[i] < offsets[row + 1] - offsets[row])
      rows[i] = offsets[row] + (int32_t)at[i];
  }
  return osdear__vector_load(frame, &expr->type, list.array->children[0], rows, out, error);
}

/* The entry of a map under a constant key: the keys of all rows are compared at once. */
static osdear_status eval_entry(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector map;
  osdear__vector key;
  osdear__vector keys;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &map, error);
  if (!st)
    st = osdear__vector_eval(expr->children[1], frame, &key, error);
  if (st)
    return st;
  const struct ArrowArray *entries = map.array->children[0];
  osdear__frame inner = { .arena = frame->arena, .length = entries->length };
  int32_t *rows = osdear__values_new(frame, 4, error);
  uint64_t *equal = osdear__bits_new(&inner, error);
  if (!rows || !equal)
    return OSDEAR_ERR_NO_MEMORY;
  bool has_key = !osdear__vector_is_null(&key, 0);
  if (has_key && entries->length > 0) {
    st = osdear__vector_load(&inner, key.type, entries->children[0], NULL, &keys, error);
    if (!st && key.type->kind == KIND_BOOLEAN)
      st = osdear__vector_expand(&inner, &key, error);
    if (st)
      return st;
    osdear__compare_equal(&keys, &key, entries->length, equal);
  }
  const int32_t *offsets = map.array->buffers[1];
  for (int64_t i = 0; i < frame->length; i++) {
    int64_t row = map.rows ? map.rows[i] : i;
    rows[i] = -1;
    if (!has_key || osdear__vector_is_null(&map, i))
      continue;
    for (int32_t k = offsets[row]; k < offsets[row + 1] && rows[i] < 0; k++) {
      if (osdear__bit((const uint8_t *)equal, k))
        rows[i] = k;
    }
  }
  return osdear__vector_load(frame, &expr->type, entries->children[1], rows, out, error);
}

/* ---- logic ---- */

/* What the operands so far come to. */
typedef struct verdict {
  uint64_t *value;
  uint64_t *valid;
  uint64_t *open; /* rows that are undecided: not FALSE for AND, not TRUE for OR */
} verdict;

/* Kleene's tables, a word at a time. */
static void combine(osdear__op op, const osdear__vector *v, int64_t words, verdict *out)
{
  for (int64_t i = 0; i < words; i++) {
    uint64_t x = out->value[i];
    uint64_t y = osdear__word(v->values, i);
    uint64_t x_valid = out->valid[i];
    uint64_t y_valid = v->validity ? osdear__word(v->validity, i) : UINT64_MAX;
    uint64_t decided = op == OP_AND ? (x_valid & ~x) | (y_valid & ~y) : x | y;
    out->value[i] = op == OP_AND ? x & y : x | y;
    out->valid[i] = (x_valid & y_valid) | decided;
    out->open[i] = op == OP_AND ? out->value[i] | ~out->valid[i] : ~out->value[i];
  }
}

static osdear_status add_operand(osdear__op op, const osdear__expr *operand, const osdear__frame *frame, verdict *out,
                                 osdear_error **error)
{
  osdear__vector v;
  osdear_status st = operand->fallible ? osdear__vector_eval_where(operand, frame, (const uint8_t *)out->open, &v, error)
                                       : osdear__vector_eval(operand, frame, &v, error);
  if (!st)
    st = osdear__vector_expand(frame, &v, error);
  if (!st)
    combine(op, &v, osdear__words(frame->length), out);
  return st;
}

/* An operand is not evaluated where none of its rows could matter, and may not fail on rows that do not. */
static osdear_status eval_logic(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  SCOPED(arena) scratch = { 0 };
  osdear__frame inner = *frame;
  size_t bytes = (size_t)osdear__words(frame->length) * 8;
  verdict v = { osdear__bits_new(frame, error), osdear__bits_new(frame, error), osdear__bits_new(frame, error) };

  if (!v.value || !v.valid || !v.open)
    return OSDEAR_ERR_NO_MEMORY;
  memset(v.value, expr->op == OP_AND ? 0xFF : 0, bytes);
  memset(v.valid, 0xFF, bytes);
  memset(v.open, 0xFF, bytes);
  if (expr->weight > OSDEAR__EXPR_LARGE)
    inner.arena = &scratch;
  for (size_t i = 0; i < expr->child_count && osdear__bits_any((const uint8_t *)v.open, frame->length); i++) {
    osdear_status st = add_operand(expr->op, expr->children[i], &inner, &v, error);
    if (st)
      return st;
    osdear__arena_reset(&scratch);
  }
  *out = (osdear__vector){ .type = &expr->type, .values = v.value, .validity = (const uint8_t *)v.valid };
  return OSDEAR_OK;
}

static osdear_status eval_not(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear_status st = osdear__vector_eval_rows(expr->children[0], frame, out, error);
  if (st)
    return st;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < osdear__words(frame->length); i++)
    bits[i] = ~osdear__word(out->values, i);
  out->values = bits;
  return osdear__vector_mask(frame, out, error);
}

/* IS NULL, IS TRUE, IS FALSE: never null themselves. */
static osdear_status eval_is(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval(expr->children[0], frame, &v, error);
  if (!st && (v.type->kind == KIND_BOOLEAN || v.constant))
    st = osdear__vector_expand(frame, &v, error);
  if (st)
    return st;
  uint64_t *bits = osdear__bits_new(frame, error);
  if (!bits)
    return OSDEAR_ERR_NO_MEMORY;
  for (int64_t i = 0; i < osdear__words(frame->length); i++) {
    uint64_t valid = v.validity ? osdear__word(v.validity, i) : UINT64_MAX;
    uint64_t word = expr->op == OP_IS_NULL ? ~valid : osdear__word(v.values, i);
    if (expr->op == OP_IS_FALSE)
      word = valid & ~word;
    bits[i] = expr->negated ? ~word : word;
  }
  *out = (osdear__vector){ .type = &expr->type, .values = bits };
  return OSDEAR_OK;
}

osdear_status osdear__vector_eval(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  switch (expr->op) {
  case OP_LITERAL: return osdear__vector_constant(frame, &expr->type, &expr->value, out, error);
  case OP_COLUMN: return eval_column(expr, frame, out, error);
  case OP_FIELD: return eval_field(expr, frame, out, error);
  case OP_ELEMENT: return eval_element(expr, frame, out, error);
  case OP_ENTRY: return eval_entry(expr, frame, out, error);
  case OP_AND:
  case OP_OR: return eval_logic(expr, frame, out, error);
  case OP_NOT: return eval_not(expr, frame, out, error);
  case OP_EQUAL:
  case OP_NOT_EQUAL:
  case OP_LESS:
  case OP_LESS_EQUAL:
  case OP_GREATER:
  case OP_GREATER_EQUAL:
  case OP_SAME: return osdear__eval_compare(expr, frame, out, error);
  case OP_IN: return osdear__eval_in(expr, frame, out, error);
  case OP_LIKE: return osdear__eval_like(expr, frame, out, error);
  case OP_IS_NULL:
  case OP_IS_TRUE:
  case OP_IS_FALSE: return eval_is(expr, frame, out, error);
  case OP_CONCAT: return osdear__eval_concat(expr, frame, out, error);
  case OP_CAST: return osdear__eval_cast(expr, frame, out, error);
  case OP_CASE: return osdear__eval_case(expr, frame, out, error);
  case OP_CALL: return osdear__eval_call(expr, frame, out, error);
  default: return osdear__eval_arithmetic(expr, frame, out, error);
  }
}

osdear_status osdear__vector_eval_rows(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out,
                                       osdear_error **error)
{
  osdear_status st = osdear__vector_eval(expr, frame, out, error);
  return st ? st : osdear__vector_expand(frame, out, error);
}

/* ---- what callers ask for ---- */

void osdear__expr_state_drop(osdear__expr_state *state)
{
  osdear__arena_drop(&state->arena);
}

osdear_status osdear__expr_eval(const osdear__expr *expr, osdear__expr_state *state, const struct ArrowArray *batch,
                                struct ArrowArray *out, osdear_error **error)
{
  osdear__frame frame = { .arena = &state->arena, .batch = batch, .length = batch->length };
  osdear__vector v;
  if (batch->length == 0)
    return osdear__array_new(&expr->type, 0, false, 0, out, error);
  if (batch->length > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a batch of %" PRId64 " rows is too long", batch->length);
  osdear__arena_reset(&state->arena);
  osdear_status st = osdear__vector_eval(expr, &frame, &v, error);
  return st ? st : osdear__vector_to_array(&frame, &v, out, error);
}

/* Row numbers of the bits that are set. Full words are filled, sparse ones walked. */
static int64_t rows_of_bits(const uint8_t *bits, int64_t length, int32_t *rows)
{
  int64_t count = 0;
  for (int64_t i = 0; i < length; i += 64) {
    uint64_t word = osdear__word(bits, i / 64);
    if (length - i < 64)
      word &= (UINT64_C(1) << (length - i)) - 1;
    if (word == UINT64_MAX) {
      for (int32_t k = 0; k < 64; k++)
        rows[count + k] = (int32_t)i + k;
      count += 64;
      continue;
    }
    for (; word; word &= word - 1)
      rows[count++] = (int32_t)i + __builtin_ctzll(word);
  }
  return count;
}

/* Leaves those of `rows` whose bit (by position, not by row number) is set. */
static int64_t keep_rows(const uint8_t *bits, int32_t *rows, int64_t count)
{
  int64_t kept = 0;
  for (int64_t i = 0; i < count; i++) {
    rows[kept] = rows[i];
    kept += osdear__bit(bits, i);
  }
  return kept;
}

typedef struct selection {
  const uint8_t *bits; /* of the whole batch, until rows are gathered */
  bool gathered;
  int32_t *rows;
  int64_t count;
} selection;

/* Narrows the selection by one more conjunct. */
static osdear_status select_by(const osdear__expr *expr, osdear__frame *frame, selection *s, osdear_error **error)
{
  osdear__vector v;
  bool is_first = !s->bits && !s->gathered;

  if (!is_first && !s->gathered && (expr->fallible || (expr->cost >= GATHER_COST && s->count < frame->length / GATHER_BELOW))) {
    (void)rows_of_bits(s->bits, frame->length, s->rows);
    s->gathered = true;
    frame->rows = s->rows;
    frame->length = s->count;
  }
  osdear_status st = osdear__vector_eval_rows(expr, frame, &v, error);
  if (st)
    return st;
  if (s->gathered) {
    s->count = keep_rows(v.values, s->rows, s->count);
    frame->length = s->count;
    return OSDEAR_OK;
  }
  st = osdear__bits_and(frame, s->bits, v.values, &s->bits, error);
  if (!st)
    s->count = osdear__bits_count(s->bits, 0, frame->length);
  return st;
}

/* Cheap conjuncts that cannot fail come first; those that can fail see only rows that all of the others let through, as do the
 * costly ones once few are left. */
osdear_status osdear__expr_select(const osdear__expr *expr, osdear__expr_state *state, const struct ArrowArray *batch,
                                  int32_t *rows, int64_t *count, osdear_error **error)
{
  osdear__frame frame = { .arena = &state->arena, .batch = batch, .length = batch->length };
  selection s = { .rows = rows, .count = batch->length };
  osdear_status st = OSDEAR_OK;

  *count = 0;
  if (batch->length > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a batch of %" PRId64 " rows is too long", batch->length);
  osdear__arena_reset(&state->arena);
  if (expr->op != OP_AND)
    st = batch->length > 0 ? select_by(expr, &frame, &s, error) : OSDEAR_OK;
  for (size_t i = 0; expr->op == OP_AND && i < expr->child_count && s.count > 0 && !st; i++)
    st = select_by(expr->children[i], &frame, &s, error);
  if (st)
    return st;
  if (s.count > 0 && !s.gathered)
    (void)rows_of_bits(s.bits, batch->length, rows);
  *count = s.count;
  return OSDEAR_OK;
}
