/** @file schema.c The file's schema as a tree of types with levels. */
#include <parquet/schema.h>

/* Deeper than any type of ours; each list takes three groups of the file. */
#define MAX_GROUPS 400

/* An element with its place in the tree. */
typedef struct group group;
struct group {
  const osdear__pq_schema_element *element;
  group *first; /* child */
  group *next;  /* sibling */
  size_t child_count;
};

typedef struct reading {
  osdear__arena *arena;
  const osdear__pq_schema_element *elements;
  size_t count;
  size_t next;
  group *groups;
  osdear__pq_leaf *leaves;
  size_t leaf_count;
  osdear__str path[MAX_GROUPS]; /* down to where we are */
  size_t depth;
  size_t variants; /* that we are in */
} reading;

static bool is_leaf(const osdear__pq_schema_element *element)
{
  return element->set & ELEMENT_TYPE && !(element->set & ELEMENT_NUM_CHILDREN && element->num_children > 0);
}

/* The list is in depth-first order, each group saying how many children follow. */
static osdear_status link_group(reading *in, size_t depth, group **out, osdear_error **error)
{
  group *self;
  group **link;
  int32_t children;

  if (in->next == in->count)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the schema ends inside a group");
  if (depth >= MAX_GROUPS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "the schema nests more than %d groups", MAX_GROUPS);
  self = &in->groups[in->next];
  self->element = &in->elements[in->next++];
  children = self->element->set & ELEMENT_NUM_CHILDREN ? self->element->num_children : 0;
  if (children < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "schema element %zu has %d children", in->next - 1, children);

  link = &self->first;
  for (int32_t i = 0; i < children; i++) {
    osdear_status st = link_group(in, depth + 1, link, error);
    if (st)
      return st;
    link = &(*link)->next;
  }
  self->child_count = (size_t)children;
  *out = self;
  return OSDEAR_OK;
}

/* Which annotation a group carries; of the two the newer counts. */
static bool is_annotated(const group *of, uint32_t logical, osdear__pq_converted converted)
{
  const osdear__pq_schema_element *element = of->element;

  if (element->logical_type && element->logical_type->set & (LOGICAL_LIST | LOGICAL_MAP | LOGICAL_VARIANT))
    return element->logical_type->set & logical;
  return element->set & ELEMENT_CONVERTED && element->converted_type == (int32_t)converted;
}

static bool is_list(const group *of)
{
  return is_annotated(of, LOGICAL_LIST, PQ_LIST);
}

static bool is_map(const group *of)
{
  return is_annotated(of, LOGICAL_MAP, PQ_MAP) || is_annotated(of, 0, PQ_MAP_KEY_VALUE);
}

static bool is_repeated(const group *of)
{
  return of->element->set & ELEMENT_REPETITION && of->element->repetition_type == PQ_REPEATED;
}

static bool is_optional(const group *of)
{
  return of->element->set & ELEMENT_REPETITION && of->element->repetition_type == PQ_OPTIONAL;
}

/* LogicalTypes.md, backward compatibility of lists: is the repeated field the element itself, rather than a wrapper around it? */
static bool repeated_is_element(const group *list, const group *repeated)
{
  const char *suffix = "_tuple";
  osdear__str list_name = list->element->name;
  osdear__str name = repeated->element->name;

  if (is_leaf(repeated->element) || repeated->child_count != 1)
    return true;
  if (is_repeated(repeated->first) || is_list(repeated) || is_map(repeated))
    return true;
  if (osdear__str_is(name, "array"))
    return true;
  return name.size == list_name.size + strlen(suffix) && !memcmp(name.data, list_name.data, list_name.size) &&
         !memcmp(name.data + list_name.size, suffix, strlen(suffix));
}

static const group *child_named(const group *of, const char *name)
{
  for (const group *child = of->first; child; child = child->next)
    if (osdear__str_is(child->element->name, name))
      return child;
  return NULL;
}

/* Where a value stands: the levels of what holds it. */
typedef struct levels {
  int32_t def;
  int32_t rep;
} levels;

/* One slot of the type tree, and of the node tree beside it. */
typedef struct slot {
  osdear__type *type;
  osdear__pq_node *node;
} slot;

static osdear_status read_value(reading *in, const group *from, levels at, slot to, osdear_error **error);
static osdear_status read_field(reading *in, const group *from, levels at, const char *name, osdear__field *field,
                                osdear__pq_node *node, osdear_error **error);

static osdear_status new_children(reading *in, slot to, size_t count, osdear_error **error)
{
  to.type->fields = osdear__arena_zeroed(in->arena, count ? count : 1, sizeof *to.type->fields);
  to.node->children = osdear__arena_zeroed(in->arena, count ? count : 1, sizeof *to.node->children);
  if (!to.type->fields || !to.node->children)
    return osdear__fail_memory(error);
  to.type->field_count = count;
  to.node->child_count = count;
  return OSDEAR_OK;
}

static osdear_status read_leaf(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  osdear__pq_leaf *leaf = &in->leaves[in->leaf_count];
  osdear__str *path;

  if (!osdear__pq_leaf_read(from->element, to.type, leaf))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "column \"%s\" has no known physical type, or a length below 1",
                        to.node->name);
  if (in->variants && leaf->unit == UNIT_NANOS) /* a variant keeps them, where microseconds would not */
    *to.type = (osdear__type){ .kind = KIND_LONG };
  path = osdear__arena_alloc(in->arena, in->depth * sizeof *path);
  if (!path)
    return osdear__fail_memory(error);
  memcpy(path, in->path, in->depth * sizeof *path);
  leaf->path = path;
  leaf->path_count = in->depth;
  leaf->element = from->element;
  leaf->type = to.type;
  leaf->max_def = at.def;
  leaf->max_rep = at.rep;
  to.node->leaf = in->leaf_count++;
  to.node->leaf_count = 1;
  return OSDEAR_OK;
}

/* A repeated field that stands for its own list: neither it nor its elements are ever null. */
static osdear_status read_bare_list(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  osdear__field *element;
  osdear_status st = new_children(in, to, 1, error);

  if (st)
    return st;
  element = &to.type->fields[0];
  to.type->kind = KIND_ARRAY;
  to.node->item_def = at.def + 1;
  element->name = "element";
  element->field_id = -1;
  to.node->children[0].name = element->name;
  to.node->children[0].def = at.def + 1;
  to.node->children[0].rep = at.rep + 1;
  return read_value(in, from, (levels){ at.def + 1, at.rep + 1 }, (slot){ &element->type, &to.node->children[0] }, error);
}

static void enter(reading *in, const group *from)
{
  in->path[in->depth++] = from->element->name;
}

static osdear_status read_list(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  const group *repeated = from->first;
  osdear_status st;

  enter(in, repeated);
  if (repeated_is_element(from, repeated)) {
    st = read_bare_list(in, repeated, at, to, error);
  } else {
    st = new_children(in, to, 1, error);
    if (st)
      return st;
    to.type->kind = KIND_ARRAY;
    to.node->item_def = at.def + 1;
    st = read_field(in, repeated->first, (levels){ at.def + 1, at.rep + 1 }, "element", &to.type->fields[0],
                    &to.node->children[0], error);
  }
  in->depth--;
  return st;
}

/* Keys and values are found by name, by place where a writer called them otherwise. Without values it is read as a list of keys. */
static osdear_status read_map(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  const group *entry = from->first;
  const group *key = child_named(entry, "key");
  const group *value = child_named(entry, "value");
  levels inside = { at.def + 1, at.rep + 1 };
  osdear_status st;

  if (entry->child_count == 1 || !key || !value) {
    key = entry->first;
    value = key->next;
  }
  st = new_children(in, to, value ? 2 : 1, error);
  if (st)
    return st;
  to.node->item_def = inside.def;
  to.type->kind = value ? KIND_MAP : KIND_ARRAY;
  enter(in, entry);
  for (const group *child = entry->first; child && !st; child = child->next) {
    size_t i = child == value;

    st = read_field(in, child, inside,
                    !value ? "element"
                    : i    ? "value"
                           : "key",
                    &to.type->fields[i], &to.node->children[i], error);
  }
  in->depth--;
  /* Some writers make keys optional; a null among them is refused when it is met. */
  to.type->fields[0].nullable = to.type->fields[0].nullable && !value;
  return st;
}

static osdear_status read_struct(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  size_t i = 0;
  osdear_status st = new_children(in, to, from->child_count, error);

  to.type->kind = KIND_STRUCT;
  for (const group *child = from->first; child && !st; child = child->next, i++)
    st = read_field(in, child, at, NULL, &to.type->fields[i], &to.node->children[i], error);
  return st;
}

/* Its columns are those of a struct, which only the node shows. */
static osdear_status read_variant(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  osdear__type *storage = osdear__arena_zeroed(in->arena, 1, sizeof *storage);
  osdear_status st;

  if (!storage)
    return osdear__fail_memory(error);
  in->variants++;
  st = read_struct(in, from, at, (slot){ storage, to.node }, error);
  in->variants--;
  to.node->storage = storage;
  to.type->kind = KIND_VARIANT;
  return st;
}

static bool is_byte_array(const group *of)
{
  return of && is_leaf(of->element) && of->element->type == PQ_BYTE_ARRAY && !is_repeated(of);
}

/* A group may lack the value when all is shredded. */
static bool is_variant(const group *of)
{
  return is_annotated(of, LOGICAL_VARIANT, PQ_PHYSICALS + PQ_INTERVAL) && is_byte_array(child_named(of, "metadata")) &&
         (is_byte_array(child_named(of, "value")) || child_named(of, "typed_value"));
}

static bool is_whole_map(const group *of)
{
  return is_map(of) && of->child_count == 1 && is_repeated(of->first) && !is_leaf(of->first->element) &&
         (of->first->child_count == 1 || of->first->child_count == 2);
}

/* The value of a field, its repetition already accounted for in `at`. Annotations that do not fit their group are ignored. */
static osdear_status read_value(reading *in, const group *from, levels at, slot to, osdear_error **error)
{
  osdear_status st;

  to.node->type = to.type;
  if (is_leaf(from->element))
    return read_leaf(in, from, at, to, error);
  to.node->leaf = in->leaf_count;
  if (is_list(from) && from->child_count == 1 && is_repeated(from->first))
    st = read_list(in, from, at, to, error);
  else if (is_whole_map(from))
    st = read_map(in, from, at, to, error);
  else if (is_variant(from))
    st = read_variant(in, from, at, to, error);
  else
    st = read_struct(in, from, at, to, error);
  if (st)
    return st;
  to.node->leaf_count = in->leaf_count - to.node->leaf;
  return OSDEAR_OK;
}

static osdear_status check_name(reading *in, osdear__str name, const char **out, osdear_error **error)
{
  if (memchr(name.size ? name.data : "", 0, name.size) || !osdear__utf8_is_valid(name.data, name.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a name in the schema is not UTF-8 or contains a NUL");
  *out = osdear__arena_strndup(in->arena, name.data, name.size);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

/* `name` overrides the file's, NULL keeps it. */
static osdear_status read_field(reading *in, const group *from, levels at, const char *name, osdear__field *field,
                                osdear__pq_node *node, osdear_error **error)
{
  slot to = { &field->type, node };
  osdear_status st;

  field->name = name;
  if (!name) {
    st = check_name(in, from->element->name, &field->name, error);
    if (st)
      return st;
  }
  field->field_id = from->element->set & ELEMENT_FIELD_ID ? from->element->field_id : -1;
  field->nullable = is_optional(from);
  at.def += field->nullable;
  node->name = field->name;
  node->nullable = field->nullable;
  node->def = at.def;
  node->rep = at.rep;
  node->type = &field->type;
  node->leaf = in->leaf_count;
  enter(in, from);
  st = is_repeated(from) ? read_bare_list(in, from, at, to, error) : read_value(in, from, at, to, error);
  in->depth--;
  if (st)
    return st;
  if (is_repeated(from))
    node->leaf_count = in->leaf_count - node->leaf;
  if (node->leaf_count == 0) { /* nothing in the file says which of its rows are null, or how many entries they have */
    field->type = (osdear__type){ .kind = KIND_VOID };
    field->nullable = true;
  }
  return OSDEAR_OK;
}

osdear_status osdear__pq_schema_read(const osdear__pq_schema_element *elements, size_t count, osdear__arena *arena,
                                     osdear__pq_schema *out, osdear_error **error)
{
  reading in = { .arena = arena, .elements = elements, .count = count };
  osdear__pq_schema schema = { 0 };
  group *root;
  osdear_status st;

  in.groups = osdear__arena_zeroed(arena, count ? count : 1, sizeof *in.groups);
  in.leaves = osdear__arena_zeroed(arena, count ? count : 1, sizeof *in.leaves);
  if (!in.groups || !in.leaves)
    return osdear__fail_memory(error);
  st = link_group(&in, 0, &root, error);
  if (st)
    return st;
  if (in.next != count)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%zu schema elements are outside of the root", count - in.next);
  schema.root.name = "";
  schema.root.type = &out->type;
  st = read_struct(&in, root, (levels){ 0, 0 }, (slot){ &schema.type, &schema.root }, error);
  if (st)
    return st;
  schema.root.leaf_count = in.leaf_count;
  schema.leaves = in.leaves;
  schema.leaf_count = in.leaf_count;
  *out = schema;
  return OSDEAR_OK;
}
