/** @file assemble.c Arrow arrays out of levels and dense values, after the Dremel paper: an entry of a leaf is a slot of one of its ancestors
 * when its repetition level is not above the ancestor's, and what holds the ancestor is there at all. */
#include <parquet/variant.h>

/* The slots of a node: those entries whose repetition level is at most `rep` and whose definition level is at least `def`. */
typedef struct context {
  osdear__pq_column *columns;
  int32_t rep;
  int32_t def;
  int64_t slots;
} context;

/* Buffers in the making; what is left in it is freed. */
typedef struct osdear__pq_parts {
  void *buffers[3];
  struct ArrowArray children[2];
} osdear__pq_parts;

static void osdear__pq_parts_drop(osdear__pq_parts *parts)
{
  for (size_t i = 0; i < COUNT_OF(parts->buffers); i++)
    osdear__free(parts->buffers[i]);
  for (size_t i = 0; i < COUNT_OF(parts->children); i++)
    osdear__array_drop(&parts->children[i]);
}

static osdear_status disagree(const osdear__pq_plan *plan, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the columns below \"%s\" disagree on how many entries there are", plan->name);
}

static osdear_status adopt(osdear__pq_parts *parts, int64_t length, int64_t nulls, int64_t buffer_count, int64_t child_count,
                           struct ArrowArray *out, osdear_error **error)
{
  void *buffers[3];

  if (nulls == 0) {
    osdear__free(parts->buffers[0]);
    parts->buffers[0] = NULL;
  }
  memcpy(buffers, parts->buffers, sizeof buffers);
  memset(parts->buffers, 0, sizeof parts->buffers);
  return osdear__array_adopt(length, nulls, buffers, buffer_count, parts->children, child_count, out, error);
}

/* A bit for each slot: is the definition level at least `def`? Without lists every entry is a slot. */
static int64_t mark_flat(const int16_t *defs, int64_t slots, int32_t def, uint8_t *bits)
{
  int64_t set = 0;
  int64_t i = 0;

  for (; i + 8 <= slots; i += 8) {
    uint32_t byte = 0;

    for (int j = 0; j < 8; j++)
      byte |= (uint32_t)(defs[i + j] >= def) << j;
    bits[i >> 3] = (uint8_t)byte;
    set += __builtin_popcount(byte);
  }
  for (; i < slots; i++) {
    if (defs[i] >= def) {
      bits[i >> 3] = (uint8_t)(bits[i >> 3] | 1u << (i & 7));
      set++;
    }
  }
  return set;
}

/* False: the column has another number of slots. */
static bool mark_slots(const context *in, const osdear__pq_column *column, int32_t def, uint8_t *bits, int64_t *set)
{
  int64_t slot = 0;

  *set = 0;
  if (column->leaf->max_rep == 0) {
    if (column->level_count != in->slots)
      return false;
    *set = mark_flat(column->defs, in->slots, def, bits);
    return true;
  }
  for (int64_t i = 0; i < column->level_count; i++) {
    if (column->reps[i] > in->rep || column->defs[i] < in->def)
      continue;
    if (slot == in->slots)
      return false;
    if (column->defs[i] >= def) {
      bits[slot >> 3] = (uint8_t)(bits[slot >> 3] | 1u << (slot & 7));
      ++*set;
    }
    slot++;
  }
  return slot == in->slots;
}

/* Validity of a node, by the levels of its first column. */
static osdear_status make_validity(const context *in, const osdear__pq_plan *plan, uint8_t **bits, int64_t *nulls,
                                   osdear_error **error)
{
  size_t size = osdear__pq_bitmap_size(in->slots);
  int64_t set;

  *bits = osdear__buffer_new(size);
  if (!*bits)
    return osdear__fail_memory(error);
  memset(*bits, 0, size);
  if (!mark_slots(in, &in->columns[plan->column], plan->node->def, *bits, &set))
    return disagree(plan, error);
  *nulls = in->slots - set;
  return OSDEAR_OK;
}

static osdear_status assemble(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out, osdear_error **error);

/* Moves the values out of the sink, spread over the slots. */
static osdear_status assemble_leaf(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out, osdear_error **error)
{
  osdear__pq_column *column = &in->columns[plan->column];
  osdear__pq_sink *sink = &column->sink;
  SCOPED(pq_parts) parts = { 0 };
  int64_t nulls;
  osdear_status st = make_validity(in, plan, (uint8_t **)&parts.buffers[0], &nulls, error);

  if (!st)
    st = osdear__pq_sink_reserve(sink, in->slots, 0, error);
  if (st)
    return st;
  if (in->slots - nulls != column->count)
    return disagree(plan, error);
  if (nulls)
    osdear__pq_sink_spread(sink, 0, in->slots, column->count, parts.buffers[0], 0);
  parts.buffers[1] = sink->width == SINK_BYTES ? (void *)sink->offsets : (void *)sink->values;
  parts.buffers[2] = sink->width == SINK_BYTES ? sink->values : NULL;
  *sink = (osdear__pq_sink){ .width = sink->width };
  return adopt(&parts, in->slots, nulls, parts.buffers[2] ? 3 : 2, 0, out, error);
}

/* Offsets of a list: an entry that repeats at most one level deeper and is defined down to it is an element. */
static osdear_status make_offsets(const context *in, const osdear__pq_plan *plan, int32_t *offsets, int64_t *total,
                                  osdear_error **error)
{
  const osdear__pq_column *column = &in->columns[plan->column];
  int64_t elements = 0;
  int64_t slot = 0;

  for (int64_t i = 0; i < column->level_count; i++) {
    if (column->reps[i] > in->rep + 1)
      continue;
    if (column->reps[i] <= in->rep && column->defs[i] >= in->def) {
      if (slot == in->slots)
        return disagree(plan, error);
      offsets[slot++] = (int32_t)elements;
    }
    if (column->defs[i] >= plan->node->item_def)
      elements++;
  }
  if (slot != in->slots)
    return disagree(plan, error);
  offsets[slot] = (int32_t)elements;
  *total = elements;
  return OSDEAR_OK;
}

/* Keys that a file lets be null must not be. */
static osdear_status check_keys(const osdear__pq_plan *plan, const struct ArrowArray *keys, osdear_error **error)
{
  if (keys->null_count == 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the map \"%s\" has a key that is null", plan->name);
}

/* The struct of a map's keys and values, which has no nulls of its own. */
static osdear_status assemble_entries(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out,
                                      osdear_error **error)
{
  SCOPED(pq_parts) parts = { 0 };
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < 2 && !st; i++)
    st = assemble(in, &plan->children[i], &parts.children[i], error);
  if (!st)
    st = check_keys(plan, &parts.children[0], error);
  return st ? st : adopt(&parts, in->slots, 0, 1, 2, out, error);
}

static osdear_status assemble_list(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out, osdear_error **error)
{
  SCOPED(pq_parts) parts = { 0 };
  context inside = { in->columns, in->rep + 1, plan->node->item_def, 0 };
  int64_t nulls;
  osdear_status st = make_validity(in, plan, (uint8_t **)&parts.buffers[0], &nulls, error);

  if (st)
    return st;
  parts.buffers[1] = osdear__buffer_new(((size_t)in->slots + 1) * sizeof(int32_t));
  if (!parts.buffers[1])
    return osdear__fail_memory(error);
  st = make_offsets(in, plan, parts.buffers[1], &inside.slots, error);
  if (!st)
    st = plan->type->kind == KIND_MAP ? assemble_entries(&inside, plan, &parts.children[0], error)
                                      : assemble(&inside, &plan->children[0], &parts.children[0], error);
  return st ? st : adopt(&parts, in->slots, nulls, 2, 1, out, error);
}

static osdear_status assemble_children(const context *in, const osdear__pq_plan *plan, struct ArrowArray *children,
                                       osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < plan->child_count && !st; i++)
    st = assemble(in, &plan->children[i], &children[i], error);
  return st;
}

static osdear_status assemble_struct(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out, osdear_error **error)
{
  SCOPED(pq_parts) parts = { 0 };
  struct ArrowArray *children = osdear__alloc_zeroed(plan->child_count ? plan->child_count : 1, sizeof *children);
  void *validity = NULL;
  int64_t nulls = 0;
  osdear_status st;

  if (!children)
    return osdear__fail_memory(error);
  st = make_validity(in, plan, (uint8_t **)&parts.buffers[0], &nulls, error);
  if (!st)
    st = assemble_children(in, plan, children, error);
  if (!st) {
    validity = nulls ? parts.buffers[0] : NULL;
    parts.buffers[0] = nulls ? NULL : parts.buffers[0];
    st = osdear__array_adopt(in->slots, nulls, &validity, 1, children, (int64_t)plan->child_count, out, error);
  }
  for (size_t i = 0; i < plan->child_count; i++)
    osdear__array_drop(&children[i]);
  osdear__free(children);
  return st;
}

static osdear_status assemble_variants(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out,
                                       osdear_error **error)
{
  bool is_shredded = plan->child_count == 1;
  SCOPED(array) made = { 0 };
  osdear_status st = assemble_struct(in, is_shredded ? &plan->children[0] : plan, &made, error);

  if (st)
    return st;
  if (is_shredded)
    return osdear__pq_variants_make(&plan->children[0], in->columns, &made, out, error);
  st = osdear__variants_check(&made, error);
  if (st)
    return st;
  *out = made;
  made.release = NULL;
  return OSDEAR_OK;
}

static osdear_status assemble(const context *in, const osdear__pq_plan *plan, struct ArrowArray *out, osdear_error **error)
{
  if (plan->type->kind == KIND_VOID)
    return osdear__array_nulls(plan->type, in->slots, out, error);
  switch (plan->type->kind) {
  case KIND_ARRAY:
  case KIND_MAP: return assemble_list(in, plan, out, error);
  case KIND_STRUCT: return assemble_struct(in, plan, out, error);
  case KIND_VARIANT: return assemble_variants(in, plan, out, error);
  default: return assemble_leaf(in, plan, out, error);
  }
}

/* Validity was made while reading. */
static osdear_status take_flat(osdear__pq_column *column, int64_t rows, struct ArrowArray *out, osdear_error **error)
{
  SCOPED(pq_parts) parts = { 0 };
  osdear__pq_sink *sink = &column->sink;

  parts.buffers[0] = column->validity;
  column->validity = NULL;
  parts.buffers[1] = sink->width == SINK_BYTES ? (void *)sink->offsets : (void *)sink->values;
  parts.buffers[2] = sink->width == SINK_BYTES ? sink->values : NULL;
  *sink = (osdear__pq_sink){ .width = sink->width };
  return adopt(&parts, rows, column->nulls, parts.buffers[2] ? 3 : 2, 0, out, error);
}

osdear_status osdear__pq_assemble(const osdear__pq_plan *plan, osdear__pq_column *columns, int64_t rows, struct ArrowArray *out,
                                  osdear_error **error)
{
  context in = { columns, 0, 0, rows };

  if (plan->type->kind != KIND_VOID && !plan->child_count && columns[plan->column].is_flat)
    return take_flat(&columns[plan->column], rows, out, error);
  return assemble(&in, plan, out, error);
}
