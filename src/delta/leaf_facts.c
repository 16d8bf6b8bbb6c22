/** @file leaf_facts.c What statistics need to know of a file's columns and its Parquet writer does not say. */
#include <delta/write.h>

static size_t count_leaves(const osdear__type *type)
{
  size_t count = 0;

  for (size_t i = 0; i < type->field_count; i++)
    count += type->fields[i].type.kind == KIND_STRUCT ? count_leaves(&type->fields[i].type) : 1;
  return count;
}

osdear_status osdear__leaf_facts_init(osdear__leaf_facts *facts, const osdear__type *type, osdear_error **error)
{
  size_t count = count_leaves(type);

  *facts = (osdear__leaf_facts){ .count = count };
  if (count == 0)
    return OSDEAR_OK;
  facts->has_nan = osdear__alloc_zeroed(count, sizeof *facts->has_nan);
  facts->null_count = osdear__alloc_zeroed(count, sizeof *facts->null_count);
  if (facts->has_nan && facts->null_count)
    return OSDEAR_OK;
  osdear__leaf_facts_drop(facts);
  return osdear__fail_memory(error);
}

void osdear__leaf_facts_drop(osdear__leaf_facts *facts)
{
  osdear__free(facts->has_nan);
  osdear__free(facts->null_count);
  *facts = (osdear__leaf_facts){ 0 };
}

/* Comparing with itself is what a vectoriser understands. */
static bool any_nan_f32(const float *values, int64_t count)
{
  int found = 0;

  for (int64_t i = 0; i < count; i++)
    found |= values[i] != values[i];
  return found;
}

static bool any_nan_f64(const double *values, int64_t count)
{
  int found = 0;

  for (int64_t i = 0; i < count; i++)
    found |= values[i] != values[i];
  return found;
}

/* Callers leave NaN behind nulls: where both are there each row is looked at. */
static bool has_nan(const osdear__type *type, const struct ArrowArray *array)
{
  bool is_float = type->kind == KIND_FLOAT;
  const void *values = array->buffers[1];

  if (!(is_float ? any_nan_f32(values, array->length) : any_nan_f64(values, array->length)))
    return false;
  if (array->null_count == 0)
    return true;
  for (int64_t i = 0; i < array->length; i++) {
    bool is_nan = is_float ? any_nan_f32((const float *)values + i, 1) : any_nan_f64((const double *)values + i, 1);
    if (is_nan && osdear__is_valid(array, i))
      return true;
  }
  return false;
}

/* The structs that a column lies in. */
typedef struct nest {
  const struct nest *outer;
  const struct ArrowArray *array;
} nest;

static bool is_there(const nest *self, int64_t row)
{
  for (; self; self = self->outer)
    if (!osdear__is_valid(self->array, row))
      return false;
  return true;
}

static int64_t count_nulls(const nest *outer, const struct ArrowArray *array)
{
  int64_t count = 0;
  bool inherits = false;

  for (const nest *at = outer; at; at = at->outer)
    inherits |= at->array->null_count > 0;
  if (!inherits)
    return array->null_count;
  for (int64_t i = 0; i < array->length; i++)
    count += !osdear__is_valid(array, i) || !is_there(outer, i);
  return count;
}

static size_t add_fields(osdear__leaf_facts *facts, size_t leaf, const osdear__type *type, const struct ArrowArray *array,
                         const nest *outer)
{
  nest self = { outer, array };

  for (size_t i = 0; i < type->field_count; i++) {
    const osdear__type *child_type = &type->fields[i].type;
    const struct ArrowArray *child = array->children[i];

    if (child_type->kind == KIND_STRUCT) {
      leaf = add_fields(facts, leaf, child_type, child, &self);
      continue;
    }
    if (child_type->kind == KIND_ARRAY || child_type->kind == KIND_MAP)
      facts->null_count[leaf] += count_nulls(&self, child);
    else if ((child_type->kind == KIND_FLOAT || child_type->kind == KIND_DOUBLE) && !facts->has_nan[leaf])
      facts->has_nan[leaf] = has_nan(child_type, child);
    leaf++;
  }
  return leaf;
}

void osdear__leaf_facts_add(osdear__leaf_facts *facts, const osdear__type *type, const struct ArrowArray *batch)
{
  add_fields(facts, 0, type, batch, NULL);
}
