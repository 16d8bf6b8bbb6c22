/** @file writer_levels.c Definition and repetition levels, as the Dremel paper has them, from Arrow's validity and offsets. */
#include <parquet/writer.h>

static osdear_status reserve(osdear__pq_entries *entries, size_t count, osdear_error **error)
{
  uint8_t *defs, *reps;
  int32_t *slots;

  if (count <= entries->capacity)
    return OSDEAR_OK;
  count += count / 2 + 64;
  defs = osdear__realloc(entries->defs, count);
  if (defs)
    entries->defs = defs;
  reps = osdear__realloc(entries->reps, count);
  if (reps)
    entries->reps = reps;
  slots = osdear__realloc_array(entries->slots, count, sizeof *slots);
  if (slots)
    entries->slots = slots;
  if (!defs || !reps || !slots)
    return osdear__fail_memory(error);
  entries->capacity = count;
  return OSDEAR_OK;
}

void osdear__pq_entries_drop(osdear__pq_entries *entries)
{
  osdear__free(entries->defs);
  osdear__free(entries->reps);
  osdear__free(entries->slots);
  *entries = (osdear__pq_entries){ 0 };
}

static bool is_list(const osdear__pq_node *node)
{
  return node->type->kind == KIND_ARRAY || node->type->kind == KIND_MAP;
}

/* The array of a step, below that of the step before it (a map's two lie in a struct of their own). */
static const struct ArrowArray *array_of(const osdear__pq_path *path, size_t step, const struct ArrowArray *parent)
{
  if (step > 0 && path->steps[step - 1].node->type->kind == KIND_MAP)
    parent = parent->children[0];
  return parent->children[path->steps[step].child];
}

/* Void has no buffers: all of it is null. */
static const uint8_t *validity_of(const osdear__pq_node *node, const struct ArrowArray *array)
{
  return node->type->kind == KIND_VOID || array->null_count == 0 ? NULL : array->buffers[0];
}

static osdear_status fail_null(const osdear__pq_path *path, const osdear__pq_node *node, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_DATA,
                      "column %s: null in \"%s\", which is not nullable: give a value, or make the column nullable", path->name,
                      node->name);
}

static inline uint8_t bit_at(const uint8_t *bits, int64_t at)
{
  return bits[at >> 3] >> (at & 7) & 1;
}

/* ---- columns outside of lists: a level for each row ---- */

/* `alive`: 1 where the value is there so far. */
static bool flat_step(const osdear__pq_step *step, const struct ArrowArray *array, int64_t from, size_t rows, uint8_t *defs,
                      uint8_t *alive)
{
  const uint8_t *bits = validity_of(step->node, array);
  uint8_t missing = 0;

  if (step->node->type->kind == KIND_VOID) {
    for (size_t i = 0; i < rows; i++)
      missing |= alive[i];
    memset(alive, 0, rows);
  } else if (bits) {
    for (size_t i = 0; i < rows; i++) {
      uint8_t valid = bit_at(bits, from + (int64_t)i);
      missing |= alive[i] & (valid ^ 1);
      alive[i] &= valid;
    }
  }
  if (!step->node->nullable)
    return !missing;
  for (size_t i = 0; i < rows; i++)
    defs[i] = (uint8_t)(defs[i] + alive[i]);
  return true;
}

static osdear_status build_flat(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, size_t rows,
                                osdear__pq_entries *now, osdear__pq_levels *out, osdear_error **error)
{
  const struct ArrowArray *array = batch;
  bool any_null = false;
  osdear_status st;

  for (size_t i = 0; i < path->count; i++) {
    array = array_of(path, i, array);
    any_null = any_null || array->null_count != 0 || path->steps[i].node->type->kind == KIND_VOID;
  }
  *out = (osdear__pq_levels){ .count = rows, .array = array, .base = from, .value_count = rows };
  if (!any_null)
    return OSDEAR_OK;

  st = reserve(now, rows, error);
  if (st)
    return st;
  memset(now->defs, 0, rows);
  memset(now->reps, 1, rows); /* serves as `alive` */
  array = batch;
  for (size_t i = 0; i < path->count; i++) {
    array = array_of(path, i, array);
    if (!flat_step(&path->steps[i], array, from, rows, now->defs, now->reps))
      return fail_null(path, path->steps[i].node, error);
  }
  out->value_count = 0;
  for (size_t i = 0; i < rows; i++) {
    now->slots[out->value_count] = (int32_t)i;
    out->value_count += now->reps[i];
  }
  if (out->value_count < rows) {
    out->defs = now->defs;
    out->slots = now->slots;
  }
  return OSDEAR_OK;
}

/* ---- columns in lists ---- */

/* Entries whose value at this step is there rise by a level; the others have no place any more. */
static bool nested_nulls(const osdear__pq_node *node, const struct ArrowArray *array, int64_t base, size_t count,
                         osdear__pq_entries *now)
{
  const uint8_t *bits = validity_of(node, array);
  bool is_void = node->type->kind == KIND_VOID;

  for (size_t i = 0; i < count; i++) {
    if (now->slots[i] < 0)
      continue;
    if (is_void || (bits && !bit_at(bits, base + now->slots[i]))) {
      if (!node->nullable)
        return false;
      now->slots[i] = -1;
    } else {
      now->defs[i] = (uint8_t)(now->defs[i] + node->nullable);
    }
  }
  return true;
}

/* Each list becomes its elements, or one entry that says it is empty. */
static osdear_status expand(const osdear__pq_node *node, const struct ArrowArray *array, int64_t base, size_t *count,
                            osdear__pq_entries *now, osdear__pq_entries *next, osdear_error **error)
{
  const int32_t *offsets = (const int32_t *)array->buffers[1] + base;
  uint8_t item_rep = (uint8_t)(node->rep + 1), item_def = (uint8_t)node->item_def;
  size_t total = 0, at = 0;
  osdear_status st;

  for (size_t i = 0; i < *count; i++) {
    int32_t slot = now->slots[i];
    int32_t length = slot < 0 ? 0 : offsets[slot + 1] - offsets[slot];
    total += length > 0 ? (size_t)length : 1;
  }
  st = reserve(next, total, error);
  if (st)
    return st;
  for (size_t i = 0; i < *count; i++) {
    int32_t slot = now->slots[i];
    int32_t length = slot < 0 ? 0 : offsets[slot + 1] - offsets[slot];
    next->defs[at] = length > 0 ? item_def : now->defs[i];
    next->reps[at] = now->reps[i];
    next->slots[at] = length > 0 ? offsets[slot] : -1;
    at++;
    for (int32_t k = 1; k < length; k++, at++) {
      next->defs[at] = item_def;
      next->reps[at] = item_rep;
      next->slots[at] = offsets[slot] + k;
    }
  }
  *count = total;
  return OSDEAR_OK;
}

/* Values without gaps need no list of their places. */
static void find_values(osdear__pq_entries *now, int64_t base, osdear__pq_levels *out)
{
  size_t found = 0;

  for (size_t i = 0; i < out->count; i++) {
    int32_t slot = now->slots[i];
    now->slots[found] = slot;
    found += slot >= 0;
  }
  out->value_count = found;
  out->base = base;
  out->slots = now->slots;
  if (found > 0 && (size_t)(now->slots[found - 1] - now->slots[0]) == found - 1) {
    out->base = base + now->slots[0];
    out->slots = NULL;
  }
}

static osdear_status build_nested(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, size_t rows,
                                  osdear__pq_entries *now, osdear__pq_entries *next, osdear__pq_levels *out, osdear_error **error)
{
  const struct ArrowArray *array = batch;
  size_t count = rows;
  int64_t base = from;
  osdear_status st = reserve(now, rows, error);

  if (st)
    return st;
  memset(now->defs, 0, rows);
  memset(now->reps, 0, rows);
  for (size_t i = 0; i < rows; i++)
    now->slots[i] = (int32_t)i;
  for (size_t i = 0; i < path->count; i++) {
    const osdear__pq_node *node = path->steps[i].node;
    array = array_of(path, i, array);
    if (!nested_nulls(node, array, base, count, now))
      return fail_null(path, node, error);
    if (is_list(node)) {
      osdear__pq_entries swap;
      st = expand(node, array, base, &count, now, next, error);
      if (st)
        return st;
      swap = *now;
      *now = *next;
      *next = swap;
      base = 0;
    }
  }
  *out = (osdear__pq_levels){ .count = count, .array = array, .defs = now->defs, .reps = now->reps };
  find_values(now, base, out);
  if (out->value_count == count)
    out->defs = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__pq_levels_build(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, int64_t rows,
                                      osdear__pq_entries *now, osdear__pq_entries *next, osdear__pq_levels *out,
                                      osdear_error **error)
{
  if (path->leaf->max_rep == 0)
    return build_flat(path, batch, from, (size_t)rows, now, out, error);
  return build_nested(path, batch, from, (size_t)rows, now, next, out, error);
}

/* ---- sizes, from offsets alone ---- */

int64_t osdear__pq_plain_bytes(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, int64_t rows)
{
  const struct ArrowArray *array = batch;
  const osdear__kind kind = path->leaf->type->kind;
  int64_t first = from, last = from + rows;

  for (size_t i = 0; i < path->count; i++) {
    array = array_of(path, i, array);
    if (is_list(path->steps[i].node)) {
      const int32_t *offsets = array->buffers[1];
      first = offsets[first];
      last = offsets[last];
    }
  }
  if (kind == KIND_STRING || kind == KIND_BINARY) {
    const int32_t *offsets = array->buffers[1];
    return (int64_t)offsets[last] - offsets[first] + 4 * (last - first);
  }
  return (last - first) * (path->leaf->width > 0 ? path->leaf->width : 1);
}

int64_t osdear__pq_rows_fitting(const osdear__pq_path *path, const struct ArrowArray *batch, int64_t from, int64_t rows,
                                int64_t bytes)
{
  int64_t fit = 0, over = rows + 1; /* so many fit; so many do not */

  if (osdear__pq_plain_bytes(path, batch, from, rows) <= bytes)
    return rows;
  while (over - fit > 1) {
    int64_t middle = fit + (over - fit) / 2;
    if (osdear__pq_plain_bytes(path, batch, from, middle) <= bytes)
      fit = middle;
    else
      over = middle;
  }
  return fit;
}
