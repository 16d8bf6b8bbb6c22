/** @file eval_case.c CASE: each branch is evaluated for the rows that reach it, and may fail on no other. */
#include "vector.h"

typedef struct chooser {
  const osdear__frame *frame;
  osdear__vector *out;
  uint64_t *validity;
  uint64_t *bits;      /* boolean */
  char *values;        /* fixed width */
  osdear__str *texts;  /* string, binary */
  int32_t width;
} chooser;

static osdear_status chooser_new(const osdear__frame *frame, const osdear__type *type, chooser *out, osdear_error **error)
{
  size_t bitmap_bytes = (size_t)osdear__words(frame->length) * 8;
  chooser c = { .frame = frame, .width = type->kind == KIND_VOID ? 0 : osdear__type_width(type) };

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
    c.texts = osdear__arena_zeroed(frame->arena, (size_t)frame->length, sizeof *c.texts);
    if (!c.texts)
      return osdear__fail_memory(error);
  } else {
    c.values = osdear__arena_zeroed(frame->arena, (size_t)frame->length + 1, c.width ? (size_t)c.width : 1);
    if (!c.values)
      return osdear__fail_memory(error);
  }
  *out = c;
  return OSDEAR_OK;
}

static void take_rows(chooser *c, const osdear__vector *v, uint64_t word, int64_t base)
{
  for (; word; word &= word - 1) {
    int64_t row = base + __builtin_ctzll(word);
    if (c->texts)
      c->texts[row] = osdear__vector_bytes(v, row);
    else if (c->width > 0)
      memcpy(c->values + row * c->width, (const char *)v->values + (v->constant ? 0 : row) * c->width, (size_t)c->width);
  }
}

/* The value of one branch for the rows that chose it. */
static osdear_status choose(chooser *c, const osdear__expr *value, const uint8_t *chosen, osdear_error **error)
{
  osdear__vector v;
  osdear_status st = osdear__vector_eval_where(value, c->frame, chosen, &v, error);
  if (!st && v.constant && v.validity && !osdear__bit(v.validity, 0))
    return OSDEAR_OK; /* the rows stay null */
  if (!st && c->bits)
    st = osdear__vector_expand(c->frame, &v, error);
  if (st)
    return st;
  for (int64_t i = 0; i < osdear__words(c->frame->length); i++) {
    uint64_t word = osdear__word(chosen, i);
    if (v.validity && !v.constant)
      word &= osdear__word(v.validity, i);
    if (c->frame->length - i * 64 < 64)
      word &= (UINT64_C(1) << c->frame->length % 64) - 1;
    c->validity[i] |= word;
    if (c->bits)
      c->bits[i] |= osdear__word(v.values, i) & word;
    else
      take_rows(c, &v, word, i * 64);
  }
  return OSDEAR_OK;
}

static osdear_status finish(const chooser *c, const osdear__expr *expr, osdear__vector *out, osdear_error **error)
{
  *out = (osdear__vector){ .type = &expr->type, .validity = (const uint8_t *)c->validity, .values = c->bits ? (void *)c->bits : c->values };
  if (!c->texts)
    return OSDEAR_OK;
  osdear__text_out text;
  osdear_status st = osdear__text_new(c->frame, &text, error);
  for (int64_t i = 0; i < c->frame->length && !st; i++) {
    text.starts[i] = (int32_t)text.size;
    st = osdear__text_add(c->frame, &text, c->texts[i].data, c->texts[i].size, error);
  }
  if (st)
    return st;
  text.starts[c->frame->length] = (int32_t)text.size;
  osdear__text_done(&text, out);
  return OSDEAR_OK;
}

osdear_status osdear__eval_case(const osdear__expr *expr, const osdear__frame *frame, osdear__vector *out, osdear_error **error)
{
  chooser c;
  uint64_t *open = osdear__bits_new(frame, error);
  uint64_t *chosen = osdear__bits_new(frame, error);
  int64_t words = osdear__words(frame->length);
  if (!open || !chosen)
    return OSDEAR_ERR_NO_MEMORY;
  osdear_status st = chooser_new(frame, &expr->type, &c, error);
  if (st)
    return st;
  memset(open, 0xFF, (size_t)words * 8);
  for (size_t i = 0; i + 1 < expr->child_count; i += 2) {
    osdear__vector condition;
    st = osdear__vector_eval_where(expr->children[i], frame, (const uint8_t *)open, &condition, error);
    if (!st)
      st = osdear__vector_expand(frame, &condition, error);
    if (st)
      return st;
    for (int64_t k = 0; k < words; k++) {
      chosen[k] = osdear__word(condition.values, k) & open[k];
      open[k] &= ~chosen[k];
    }
    if (osdear__bits_any((const uint8_t *)chosen, frame->length))
      st = choose(&c, expr->children[i + 1], (const uint8_t *)chosen, error);
    if (st)
      return st;
  }
  if (osdear__bits_any((const uint8_t *)open, frame->length))
    st = choose(&c, expr->children[expr->child_count - 1], (const uint8_t *)open, error);
  return st ? st : finish(&c, expr, out, error);
}
