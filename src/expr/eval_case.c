/** @file eval_case.c CASE: each branch is evaluated for the rows that reach it, and may fail on no other. */
#include "vector.h"

typedef struct chooser {
  const osdear__frame *frame;
  osdear__frame inner; /* of the branches: in large trees what one of them needs is freed before the next */
  uint64_t *validity;
  uint64_t *bits;        /* boolean */
  char *values;          /* fixed width */
  osdear__text_out text; /* string, binary: in the order they were chosen */
  int32_t *ends;
  int32_t width;
} chooser;

static osdear_status chooser_new(const osdear__frame *frame, const osdear__type *type, chooser *out, osdear_error **error)
{
  size_t bitmap_bytes = (size_t)osdear__words(frame->length) * 8;
  size_t offset_bytes = (size_t)frame->length * sizeof *out->ends;
  chooser c = { .frame = frame, .inner = *frame, .width = type->kind == KIND_VOID ? 0 : osdear__type_width(type) };

  c.validity = osdear__bits_new(frame, error);
  if (!c.validity)
    return OSDEAR_ERR_NO_MEMORY;
  memset(c.validity, 0, bitmap_bytes);
  if (type->kind == KIND_BOOLEAN) {
    c.bits = osdear__bits_new(frame, error);
    if (!c.bits)
      return OSDEAR_ERR_NO_MEMORY;
    memset(c.bits, 0, bitmap_bytes);
  } else if (c.width < 0) {
    osdear_status st = osdear__text_new(frame, &c.text, error);
    if (st)
      return st;
    c.ends = osdear__values_new(frame, sizeof *c.ends, error);
    if (!c.ends)
      return OSDEAR_ERR_NO_MEMORY;
    memset(c.text.starts, 0, offset_bytes);
    memset(c.ends, 0, offset_bytes);
  } else {
    c.values = osdear__arena_zeroed(frame->arena, (size_t)frame->length + 1, c.width ? (size_t)c.width : 1);
    if (!c.values)
      return osdear__fail_memory(error);
  }
  *out = c;
  return OSDEAR_OK;
}

static osdear_status take_rows(chooser *c, const osdear__vector *v, uint64_t word, int64_t base, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;
  for (; word && !st; word &= word - 1) {
    int64_t row = base + __builtin_ctzll(word);
    if (c->ends) {
      osdear__str text = osdear__vector_bytes(v, row);
      c->text.starts[row] = (int32_t)c->text.size;
      st = osdear__text_add(c->frame, &c->text, text.data, text.size, error);
      c->ends[row] = (int32_t)c->text.size;
    } else if (c->width > 0) {
      memcpy(c->values + row * c->width, (const char *)v->values + (v->constant ? 0 : row) * c->width, (size_t)c->width);
    }
  }
  return st;
}

/* The value of one branch for the rows that chose it. */
static osdear_status choose(chooser *c, const osdear__expr *value, const uint8_t *chosen, osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval_where(value, &c->inner, chosen, &v, error);
  if (!st && v.constant && v.validity && !osdear__bit(v.validity, 0))
    return OSDEAR_OK; /* the rows stay null */
  if (!st && c->bits)
    st = osdear__vector_expand(&c->inner, &v, error);
  for (int64_t i = 0; i < osdear__words(c->frame->length) && !st; i++) {
    uint64_t word = osdear__word(chosen, i);
    if (v.validity && !v.constant)
      word &= osdear__word(v.validity, i);
    if (c->frame->length - i * 64 < 64)
      word &= (UINT64_C(1) << c->frame->length % 64) - 1;
    c->validity[i] |= word;
    if (c->bits)
      c->bits[i] |= osdear__word(v.values, i) & word;
    else
      st = take_rows(c, &v, word, i * 64, error);
  }
  return st;
}

static void finish(const chooser *c, const osdear__expr *expr, osdear__vector *out)
{
  *out = (osdear__vector){ .type = &expr->type,
                           .validity = (const uint8_t *)c->validity,
                           .values = c->bits ? (void *)c->bits : c->values };
  if (!c->ends)
    return;
  out->values = c->text.data;
  out->value_bytes = (int64_t)c->text.size;
  out->starts = c->text.starts;
  out->ends = c->ends;
}

/* The rows that a condition holds for leave `open` for `chosen`. */
static osdear_status ask(const osdear__expr *condition, const osdear__frame *frame, uint64_t *open, uint64_t *chosen,
                         osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval_where(condition, frame, (const uint8_t *)open, &v, error);
  if (!st)
    st = osdear__vector_expand(frame, &v, error);
  for (int64_t i = 0; i < osdear__words(frame->length) && !st; i++) {
    chosen[i] = osdear__word(v.values, i) & open[i];
    open[i] &= ~chosen[i];
  }
  return st;
}

osdear_status osdear__eval_case(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  SCOPED(arena) scratch = { 0 };
  chooser c;
  uint64_t *open = osdear__bits_new(frame, error);
  uint64_t *chosen = osdear__bits_new(frame, error);
  if (!open || !chosen)
    return OSDEAR_ERR_NO_MEMORY;
  osdear_status st = chooser_new(frame, &expr->type, &c, error);
  if (st)
    return st;
  if (expr->weight > OSDEAR__EXPR_LARGE)
    c.inner.arena = &scratch;
  memset(open, 0xFF, (size_t)osdear__words(frame->length) * 8);
  for (size_t i = 0; i + 1 < expr->child_count; i += 2) {
    st = ask(expr->children[i], &c.inner, open, chosen, error);
    if (!st && osdear__bits_any((const uint8_t *)chosen, frame->length))
      st = choose(&c, expr->children[i + 1], (const uint8_t *)chosen, error);
    if (st)
      return st;
    osdear__arena_reset(&scratch);
  }
  if (osdear__bits_any((const uint8_t *)open, frame->length))
    st = choose(&c, expr->children[expr->child_count - 1], (const uint8_t *)open, error);
  if (!st)
    finish(&c, expr, out);
  return st;
}
