/** @file plan.c Which columns of the file a wanted type takes. */
#include <parquet/variant.h>

typedef struct planning {
  const osdear__pq_schema *schema;
  osdear__arena *arena;
  osdear__pq_choice *choices;
  size_t choice_count;
} planning;

static const char *const variant_names[] = { "metadata", "value" };
static const osdear__type binary_type = { .kind = KIND_BINARY };

static osdear_status mismatch(const osdear__pq_plan *plan, osdear_error **error)
{
  SCOPED(buf) found = { 0 };
  SCOPED(buf) wanted = { 0 };

  osdear__type_name(plan->node->type, &found);
  osdear__type_name(plan->type, &wanted);
  return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "field \"%s\" is wanted as %s, the file has it as %s", plan->name,
                      wanted.data ? wanted.data : "?", found.data ? found.data : "?");
}

static osdear_status new_children(planning *in, osdear__pq_plan *plan, size_t count, osdear_error **error)
{
  plan->children = osdear__arena_zeroed(in->arena, count ? count : 1, sizeof *plan->children);
  plan->child_count = count;
  return plan->children ? OSDEAR_OK : osdear__fail_memory(error);
}

/* At the same place first: a file may have a name twice. */
static const osdear__pq_node *child_named(const osdear__pq_node *node, const char *name, size_t place)
{
  if (place < node->child_count && !strcmp(node->children[place].name, name))
    return &node->children[place];
  for (size_t i = 0; i < node->child_count; i++)
    if (!strcmp(node->children[i].name, name))
      return &node->children[i];
  return NULL;
}

/* Each leaf is chosen once, so more choices than leaves mean that a name is wanted twice. */
static osdear_status choose(planning *in, const osdear__pq_plan *plan, bool levels_only, osdear_error **error)
{
  if (in->choice_count == in->schema->leaf_count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "field \"%s\" is wanted more than once", plan->name);
  in->choices[in->choice_count++] = (osdear__pq_choice){ plan->node->leaf, levels_only };
  return OSDEAR_OK;
}

static osdear_status plan_field(planning *in, osdear__pq_plan *plan, osdear_error **error);

static void set_child(osdear__pq_plan *child, const osdear__pq_node *node, const osdear__type *type, const char *name,
                      bool nullable)
{
  child->node = node;
  child->type = type;
  child->name = name;
  child->nullable = nullable;
}

static osdear_status plan_struct(planning *in, osdear__pq_plan *plan, osdear_error **error)
{
  osdear_status st = new_children(in, plan, plan->type->field_count, error);

  for (size_t i = 0; i < plan->child_count && !st; i++) {
    const osdear__field *field = &plan->type->fields[i];
    const osdear__pq_node *node = child_named(plan->node, field->name, i);

    if (!node)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "field \"%s\" is wanted, but not in the file", field->name);
    set_child(&plan->children[i], node, &field->type, field->name, field->nullable);
    st = plan_field(in, &plan->children[i], error);
  }
  return st;
}

/* The columns of a shredded variant, or of one that is not annotated, are read as the struct that they are in the file. */
static osdear_status plan_storage(planning *in, osdear__pq_plan *plan, const osdear__type *storage, osdear_error **error)
{
  osdear_status st = osdear__pq_variant_check(in->schema, plan->node, storage, error);

  if (!st)
    st = new_children(in, plan, 1, error);
  if (st)
    return st;
  set_child(&plan->children[0], plan->node, storage, plan->name, plan->nullable);
  plan->children[0].column = in->choice_count;
  st = plan_struct(in, &plan->children[0], error);
  plan->children[0].column_count = in->choice_count - plan->children[0].column;
  return st;
}

static bool has_value_and_metadata(const osdear__pq_node *node)
{
  bool has_all = true;

  for (size_t i = 0; i < COUNT_OF(variant_names); i++)
    has_all &= child_named(node, variant_names[i], i) != NULL;
  return has_all;
}

/* Also for a group that holds the binaries without being annotated, as Spark 4.0 makes it. */
static osdear_status plan_variant(planning *in, osdear__pq_plan *plan, osdear_error **error)
{
  const osdear__type *storage = plan->node->storage ? plan->node->storage : plan->node->type;
  osdear_status st;

  if (!child_named(plan->node, variant_names[0], 0))
    return mismatch(plan, error);
  if (storage->field_count != COUNT_OF(variant_names) || !has_value_and_metadata(plan->node))
    return plan_storage(in, plan, storage, error);
  st = new_children(in, plan, COUNT_OF(variant_names), error);
  for (size_t i = 0; i < COUNT_OF(variant_names) && !st; i++) {
    const osdear__pq_node *node = child_named(plan->node, variant_names[i], i);

    if (node->type->kind != KIND_BINARY)
      return mismatch(plan, error);
    set_child(&plan->children[i], node, &binary_type, variant_names[i], node->nullable);
    st = plan_field(in, &plan->children[i], error);
  }
  return st;
}

static osdear_status plan_entries(planning *in, osdear__pq_plan *plan, osdear_error **error)
{
  osdear_status st;

  if (plan->type->field_count != plan->node->child_count)
    return mismatch(plan, error);
  st = new_children(in, plan, plan->node->child_count, error);
  for (size_t i = 0; i < plan->child_count && !st; i++) {
    const osdear__field *field = &plan->type->fields[i];

    set_child(&plan->children[i], &plan->node->children[i], &field->type, field->name, field->nullable);
    st = plan_field(in, &plan->children[i], error);
  }
  return st;
}

static osdear_status plan_field(planning *in, osdear__pq_plan *plan, osdear_error **error)
{
  const osdear__type *found = plan->node->type;
  osdear__kind kind = plan->type->kind;
  osdear_status st = OSDEAR_OK;

  plan->column = in->choice_count;
  if (kind != found->kind && !(kind == KIND_VARIANT && found->kind == KIND_STRUCT))
    return mismatch(plan, error);
  if (kind == KIND_VARIANT)
    st = plan_variant(in, plan, error);
  else if (kind == KIND_STRUCT)
    st = plan_struct(in, plan, error);
  else if (kind == KIND_ARRAY || kind == KIND_MAP)
    st = plan_entries(in, plan, error);
  else if (!osdear__type_equal(plan->type, found))
    return mismatch(plan, error);
  else if (plan->node->leaf_count)
    st = choose(in, plan, false, error);
  if (st)
    return st;
  /* A struct of which nothing is wanted, or only what the file lacks, still has its nulls; any column below it knows them. */
  if (in->choice_count == plan->column && plan->node->leaf_count)
    st = choose(in, plan, true, error);
  plan->column_count = in->choice_count - plan->column;
  return st;
}

osdear_status osdear__pq_plan_new(const osdear__pq_schema *schema, const osdear__type *want, osdear__arena *arena,
                                  osdear__pq_plan **out, osdear__pq_choice **choices, size_t *choice_count, osdear_error **error)
{
  planning in = { .schema = schema, .arena = arena };
  osdear__pq_plan *plan = osdear__arena_zeroed(arena, 1, sizeof *plan);
  osdear_status st;

  in.choices = osdear__arena_zeroed(arena, schema->leaf_count + 1, sizeof *in.choices);
  if (!plan || !in.choices)
    return osdear__fail_memory(error);
  if (want->kind != KIND_STRUCT)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "what is wanted of a file must be a struct of its columns");
  set_child(plan, &schema->root, want, "", false);
  st = plan_struct(&in, plan, error);
  if (st)
    return st;
  plan->column_count = in.choice_count;
  *out = plan;
  *choices = in.choices;
  *choice_count = in.choice_count;
  return OSDEAR_OK;
}
