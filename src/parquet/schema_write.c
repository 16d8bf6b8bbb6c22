/** @file schema_write.c Types as the list of elements that a footer holds: three-level lists, key_value maps, the root as Spark names it. */
#include <parquet/schema.h>

#define MAX_DEPTH 128

typedef struct writing {
  osdear__arena *arena;
  osdear__pq_schema_element *elements;
  size_t count;
} writing;

/* Elements that a type takes beside its own. 0 for one too deep, which the writing then refuses. */
static size_t count_below(const osdear__type *type, size_t depth)
{
  size_t count = type->kind == KIND_ARRAY || type->kind == KIND_MAP ? 1 : 0;

  if (type->kind == KIND_VARIANT)
    return 2;
  for (size_t i = 0; i < type->field_count && depth < MAX_DEPTH; i++)
    count += 1 + count_below(&type->fields[i].type, depth + 1);
  return count;
}

static osdear__pq_schema_element *add(writing *out, const char *name, osdear__pq_repetition repetition)
{
  osdear__pq_schema_element *element = &out->elements[out->count++];

  element->name = osdear__str_of(name);
  element->set = ELEMENT_REPETITION;
  element->repetition_type = (int32_t)repetition;
  return element;
}

/* `logical` 0: a plain group. */
static osdear_status make_group(writing *out, osdear__pq_schema_element *element, size_t children, uint32_t logical,
                                osdear_error **error)
{
  element->set |= ELEMENT_NUM_CHILDREN;
  element->num_children = (int32_t)children;
  if (!logical)
    return OSDEAR_OK;
  element->logical_type = osdear__arena_zeroed(out->arena, 1, sizeof *element->logical_type);
  if (!element->logical_type)
    return osdear__fail_memory(error);
  element->logical_type->set = logical;
  if (logical == LOGICAL_VARIANT)
    return OSDEAR_OK;
  element->set |= ELEMENT_CONVERTED;
  element->converted_type = logical == LOGICAL_LIST ? PQ_LIST : PQ_MAP;
  return OSDEAR_OK;
}

static osdear_status write_type(writing *out, const osdear__type *type, osdear__pq_schema_element *element, size_t depth,
                                osdear_error **error);

static osdear_status write_field(writing *out, const osdear__field *field, const char *name, bool nullable, size_t depth,
                                 osdear_error **error)
{
  osdear__pq_schema_element *element = add(out, name, nullable ? PQ_OPTIONAL : PQ_REQUIRED);

  if (field->field_id >= 0) {
    element->set |= ELEMENT_FIELD_ID;
    element->field_id = field->field_id;
  }
  return write_type(out, &field->type, element, depth + 1, error);
}

static osdear_status write_list(writing *out, const osdear__type *type, osdear__pq_schema_element *element, size_t depth,
                                osdear_error **error)
{
  osdear_status st = make_group(out, element, 1, LOGICAL_LIST, error);

  if (!st)
    st = make_group(out, add(out, "list", PQ_REPEATED), 1, 0, error);
  if (!st)
    st = write_field(out, &type->fields[0], "element", type->fields[0].nullable, depth, error);
  return st;
}

static osdear_status write_map(writing *out, const osdear__type *type, osdear__pq_schema_element *element, size_t depth,
                               osdear_error **error)
{
  osdear_status st = make_group(out, element, 1, LOGICAL_MAP, error);

  if (!st)
    st = make_group(out, add(out, "key_value", PQ_REPEATED), 2, 0, error);
  if (!st)
    st = write_field(out, &type->fields[0], "key", false, depth, error);
  if (!st)
    st = write_field(out, &type->fields[1], "value", type->fields[1].nullable, depth, error);
  return st;
}

static osdear_status write_variant(writing *out, osdear__pq_schema_element *element, osdear_error **error)
{
  static const char *const names[] = { "metadata", "value" };
  osdear__pq_variant_type *variant = osdear__arena_zeroed(out->arena, 1, sizeof *variant);
  osdear_status st = make_group(out, element, COUNT_OF(names), LOGICAL_VARIANT, error);

  if (st)
    return st;
  if (!variant)
    return osdear__fail_memory(error);
  variant->set = VARIANT_VERSION;
  variant->specification_version = 1;
  element->logical_type->variant = variant;
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    osdear__pq_schema_element *child = add(out, names[i], PQ_REQUIRED);

    child->set |= ELEMENT_TYPE;
    child->type = PQ_BYTE_ARRAY;
  }
  return OSDEAR_OK;
}

static osdear_status write_type(writing *out, const osdear__type *type, osdear__pq_schema_element *element, size_t depth,
                                osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (depth >= MAX_DEPTH)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the type nests more than %d deep at \"%.*s\"", MAX_DEPTH,
                        (int)element->name.size, element->name.data);
  switch (type->kind) {
  case KIND_ARRAY: return write_list(out, type, element, depth, error);
  case KIND_MAP: return write_map(out, type, element, depth, error);
  case KIND_VARIANT: return write_variant(out, element, error);
  case KIND_STRUCT:
    if (type->field_count == 0)
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "Parquet has no struct without fields, as \"%.*s\" is: give it one",
                          (int)element->name.size, element->name.data);
    st = make_group(out, element, type->field_count, 0, error);
    for (size_t i = 0; i < type->field_count && !st; i++)
      st = write_field(out, &type->fields[i], type->fields[i].name, type->fields[i].nullable, depth, error);
    return st;
  default:
    if (!osdear__pq_leaf_write(type, out->arena, element))
      return osdear__fail_memory(error);
    return OSDEAR_OK;
  }
}

osdear_status osdear__pq_schema_write(const osdear__type *type, osdear__arena *arena, osdear__pq_schema_element **elements,
                                      size_t *count, osdear_error **error)
{
  writing out = { .arena = arena };
  osdear_status st;

  out.elements = osdear__arena_zeroed(arena, 1 + count_below(type, 0), sizeof *out.elements);
  if (!out.elements)
    return osdear__fail_memory(error);
  out.elements[0].name = STR("spark_schema");
  out.elements[0].set = ELEMENT_NUM_CHILDREN;
  out.elements[0].num_children = (int32_t)type->field_count;
  out.count = 1;
  for (size_t i = 0; i < type->field_count; i++) {
    st = write_field(&out, &type->fields[i], type->fields[i].name, type->fields[i].nullable, 0, error);
    if (st)
      return st;
  }
  *elements = out.elements;
  *count = out.count;
  return OSDEAR_OK;
}
