/** @file variant.c Shredded variants put together again, after VariantShredding.md of the format. */
#include <stdlib.h>

#include <parquet/variant.h>

#define MOST_VALUE ((size_t)128 << 20) /* bytes of one variant, as the encoding's own readers limit it */
#define SHORT_STRING 63

/* A field of an object in the making: where its value lies in the buffer. */
typedef struct member {
  osdear__str name;
  uint32_t id;
  size_t at, size;
} member;

typedef struct osdear__pq_making {
  const osdear__pq_column *columns;
  osdear__str metadata; /* of the row at hand, and what is known of it */
  osdear__variant_names names;
  osdear__map ids;     /* by name: id + 1, as a pointer */
  osdear__buf extra;   /* osdear__str: names of shredded fields that the metadata lacks */
  osdear__buf members; /* a stack of them */
  osdear__buf value;   /* of the row at hand */
  osdear__buf rebuilt; /* metadata with the extra names */
} osdear__pq_making;
typedef osdear__pq_making making;

static void osdear__pq_making_drop(making *in)
{
  osdear__map_drop(&in->ids);
  osdear__buf_drop(&in->extra);
  osdear__buf_drop(&in->members);
  osdear__buf_drop(&in->value);
  osdear__buf_drop(&in->rebuilt);
}

static osdear_status unsound(const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a variant %s", what);
}

/* ---- which groups hold variants ---- */

static bool has_annotation(const osdear__pq_leaf *leaf, uint32_t bit)
{
  return leaf->element->logical_type && leaf->element->logical_type->set & bit;
}

/* The primitive that a typed column's values become; -1: VariantShredding.md has none for it. */
static int primitive_of(const osdear__pq_leaf *leaf)
{
  bool is_nanos = leaf->unit == UNIT_NANOS && has_annotation(leaf, LOGICAL_TIMESTAMP);

  switch (leaf->type->kind) {
  case KIND_BOOLEAN: return VARIANT_TRUE;
  case KIND_BYTE: return VARIANT_INT8;
  case KIND_SHORT: return VARIANT_INT16;
  case KIND_INTEGER: return VARIANT_INT32;
  case KIND_LONG:
    if (is_nanos)
      return leaf->element->logical_type->timestamp->is_adjusted_to_utc ? VARIANT_TIMESTAMP_NANOS : VARIANT_TIMESTAMP_NTZ_NANOS;
    return VARIANT_INT64;
  case KIND_FLOAT: return VARIANT_FLOAT;
  case KIND_DOUBLE: return VARIANT_DOUBLE;
  case KIND_DECIMAL:
    return leaf->physical == PQ_INT32 ? VARIANT_DECIMAL4 : leaf->physical == PQ_INT64 ? VARIANT_DECIMAL8 : VARIANT_DECIMAL16;
  case KIND_STRING: return VARIANT_STRING;
  case KIND_BINARY: return VARIANT_BINARY;
  case KIND_DATE: return VARIANT_DATE;
  case KIND_TIMESTAMP: return leaf->unit == UNIT_MICROS ? VARIANT_TIMESTAMP : -1;
  case KIND_TIMESTAMP_NTZ: return leaf->unit == UNIT_MICROS ? VARIANT_TIMESTAMP_NTZ : -1;
  case KIND_TIME: return leaf->unit == UNIT_MICROS && leaf->physical == PQ_INT64 ? VARIANT_TIME : -1;
  case KIND_FIXED: return leaf->width == 16 && has_annotation(leaf, LOGICAL_UUID) ? VARIANT_UUID : -1;
  default: return -1;
  }
}

static osdear_status check_typed(const osdear__pq_schema *schema, const osdear__pq_node *node, const osdear__type *type,
                                 osdear_error **error)
{
  SCOPED(buf) name = { 0 };

  if (type->kind == KIND_VOID && !node->leaf_count)
    return OSDEAR_OK;
  if (type->kind == KIND_ARRAY)
    return osdear__pq_variant_check(schema, &node->children[0], &type->fields[0].type, error);
  if (type->kind == KIND_STRUCT) {
    for (size_t i = 0; i < type->field_count; i++) {
      osdear_status st = osdear__pq_variant_check(schema, &node->children[i], &type->fields[i].type, error);
      if (st)
        return osdear__fail_within(error, st, "%s", type->fields[i].name);
    }
    return OSDEAR_OK;
  }
  if (!node->child_count && node->leaf_count && primitive_of(&schema->leaves[node->leaf]) >= 0)
    return OSDEAR_OK;
  osdear__type_name(type, &name);
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a variant cannot be shredded into a %s column",
                      name.data ? name.data : "?");
}

osdear_status osdear__pq_variant_check(const osdear__pq_schema *schema, const osdear__pq_node *node, const osdear__type *storage,
                                       osdear_error **error)
{
  if (storage->kind == KIND_VOID && !node->leaf_count)
    return OSDEAR_OK;
  if (storage->kind != KIND_STRUCT)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a shredded variant must be a group of value and typed_value");
  for (size_t i = 0; i < storage->field_count; i++) {
    const osdear__field *field = &storage->fields[i];
    osdear_status st = OSDEAR_OK;

    if (!strcmp(field->name, "typed_value"))
      st = check_typed(schema, &node->children[i], &field->type, error);
    else if ((!strcmp(field->name, "value") || !strcmp(field->name, "metadata")) && field->type.kind != KIND_BINARY)
      st = osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "a variant's %s must be binary", field->name);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- names ---- */

/* Rows commonly share their metadata: it is looked at once. */
static osdear_status take_metadata(making *in, osdear__str metadata, osdear_error **error)
{
  if (in->metadata.data && osdear__str_equal(in->metadata, metadata))
    return OSDEAR_OK;
  if (!osdear__variant_names_read(metadata, &in->names) || !osdear__variant_names_are_sound(&in->names))
    return unsound("has metadata that contradicts its encoding", error);
  in->metadata = metadata;
  osdear__map_drop(&in->ids);
  in->ids = (osdear__map){ 0 };
  for (uint32_t id = 0; id < in->names.count; id++) {
    osdear__map_entry *entry;
    osdear__str name;
    bool is_new;

    if (!osdear__variant_name(&in->names, id, &name))
      continue;
    entry = osdear__map_add(&in->ids, name.size ? name : STR(""), &is_new);
    if (!entry)
      return osdear__fail_memory(error);
    if (is_new)
      entry->value = (void *)(uintptr_t)(id + (uintptr_t)1);
  }
  return OSDEAR_OK;
}

/* Writers put every name into the metadata; what one forgot is added to it. */
static osdear_status id_of(making *in, osdear__str name, uint32_t *id, osdear_error **error)
{
  const osdear__map_entry *entry = osdear__map_find(&in->ids, name);
  const osdear__str *extra = (const void *)in->extra.data;
  size_t count = in->extra.size / sizeof *extra;

  if (entry) {
    *id = (uint32_t)((uintptr_t)entry->value - 1);
    return OSDEAR_OK;
  }
  for (size_t i = 0; i < count; i++) {
    if (osdear__str_equal(extra[i], name)) {
      *id = in->names.count + (uint32_t)i;
      return OSDEAR_OK;
    }
  }
  *id = in->names.count + (uint32_t)count;
  osdear__buf_append(&in->extra, &name, sizeof name);
  return osdear__buf_check(&in->extra, error);
}

static size_t width_of(uint64_t most)
{
  return most < 1 << 8 ? 1 : most < 1 << 16 ? 2 : most < 1 << 24 ? 3 : 4;
}

static void put_number(osdear__buf *out, uint64_t number, size_t width)
{
  osdear__buf_append(out, &number, width); /* little-endian */
}

/* The row's metadata, with the names that it lacked behind those that it has. */
static osdear_status rebuild_metadata(making *in, osdear__str *out, osdear_error **error)
{
  const osdear__str *extra = (const void *)in->extra.data;
  size_t extra_count = in->extra.size / sizeof *extra;
  uint64_t count = in->names.count + (uint64_t)extra_count;
  uint64_t total = in->names.texts.size;
  size_t width;

  *out = in->metadata;
  if (!extra_count)
    return OSDEAR_OK;
  for (size_t i = 0; i < extra_count; i++)
    total += extra[i].size;
  width = width_of(total > count ? total : count);
  osdear__buf_clear(&in->rebuilt);
  osdear__buf_putc(&in->rebuilt, (char)(uint8_t)((width - 1) << 6 | 1));
  put_number(&in->rebuilt, count, width);
  total = 0;
  for (uint64_t id = 0; id <= count; id++) {
    osdear__str name = { NULL, 0 };

    put_number(&in->rebuilt, total, width);
    if (id < in->names.count)
      total += osdear__variant_name(&in->names, (uint32_t)id, &name) ? name.size : 0;
    else if (id < count)
      total += extra[id - in->names.count].size;
  }
  for (uint64_t id = 0; id < count; id++) {
    osdear__str name = { NULL, 0 };

    if (id >= in->names.count)
      name = extra[id - in->names.count];
    else if (!osdear__variant_name(&in->names, (uint32_t)id, &name))
      continue;
    osdear__buf_append(&in->rebuilt, name.data, name.size);
  }
  *out = (osdear__str){ in->rebuilt.data, in->rebuilt.size };
  return osdear__buf_check(&in->rebuilt, error);
}

/* ---- scalars ---- */

static void put_head(osdear__buf *out, int primitive)
{
  osdear__buf_putc(out, (char)(uint8_t)(primitive << 2));
}

static void put_text(osdear__buf *out, int primitive, osdear__str text)
{
  if (primitive == VARIANT_STRING && text.size <= SHORT_STRING) {
    osdear__buf_putc(out, (char)(uint8_t)(text.size << 2 | VARIANT_SHORT_STRING));
  } else {
    put_head(out, primitive);
    put_number(out, text.size, 4);
  }
  osdear__buf_append(out, text.data, text.size);
}

static osdear_status put_primitive(making *in, const osdear__pq_plan *typed, const struct ArrowArray *array, int64_t row,
                                   osdear_error **error)
{
  int primitive = primitive_of(in->columns[typed->column].leaf);
  osdear__buf *out = &in->value;
  osdear__scalar value;
  float narrow;

  osdear__scalar_at(typed->type, array, row, &value);
  switch (primitive) {
  case VARIANT_STRING:
  case VARIANT_BINARY: put_text(out, primitive, value.bytes); break;
  case VARIANT_TIME:
    if (value.i64 < 0 || value.i64 >= OSDEAR__DAY_US)
      return unsound("has a typed_value that is no time of a day", error);
    put_head(out, primitive);
    put_number(out, (uint64_t)value.i64, sizeof value.i64);
    break;
  case VARIANT_TRUE: put_head(out, value.i64 ? VARIANT_TRUE : VARIANT_FALSE); break;
  case VARIANT_UUID:
    put_head(out, primitive);
    osdear__buf_append(out, value.bytes.data, value.bytes.size);
    break;
  case VARIANT_FLOAT:
    narrow = (float)value.f64;
    put_head(out, primitive);
    osdear__buf_append(out, &narrow, sizeof narrow);
    break;
  case VARIANT_DOUBLE:
    put_head(out, primitive);
    osdear__buf_append(out, &value.f64, sizeof value.f64);
    break;
  case VARIANT_DECIMAL4:
  case VARIANT_DECIMAL8:
  case VARIANT_DECIMAL16:
    put_head(out, primitive);
    osdear__buf_putc(out, (char)(uint8_t)typed->type->scale);
    osdear__buf_append(out, &value.decimal, (size_t)4 << (primitive - VARIANT_DECIMAL4));
    break;
  default:
    put_head(out, primitive);
    put_number(out, (uint64_t)value.i64, osdear__variant_primitive_size(primitive));
    break;
  }
  return OSDEAR_OK;
}

/* ---- objects and arrays ---- */

static osdear_status put_group(making *in, const osdear__pq_plan *group, const struct ArrowArray *array, int64_t row,
                               bool *is_missing, osdear_error **error);

static int compare_members(const void *a, const void *b)
{
  return osdear__str_compare(((const member *)a)->name, ((const member *)b)->name);
}

static osdear_status push_member(making *in, osdear__str name, size_t at, osdear_error **error)
{
  member made = { name, 0, at, in->value.size - at };
  osdear_status st = id_of(in, name, &made.id, error);

  osdear__buf_append(&in->members, &made, sizeof made);
  return st ? st : osdear__buf_check(&in->members, error);
}

/* What lies in the value's buffer from `from` on becomes the items of an object or array: its head goes in front of them. */
static osdear_status close_items(making *in, size_t from, size_t first_member, bool is_object, osdear_error **error)
{
  member *members = (member *)(void *)(in->members.data + first_member);
  size_t count = (in->members.size - first_member) / sizeof *members;
  size_t room = in->value.size - from;
  size_t offset_width = width_of(room), id_width = 1, bits;
  SCOPED(buf) head = { 0 };
  bool is_large = count > UINT8_MAX;
  osdear_status st;

  if (is_object && count) {
    qsort(members, count, sizeof *members, compare_members);
    for (size_t i = 0; i < count; i++)
      id_width = width_of(members[i].id) > id_width ? width_of(members[i].id) : id_width;
  }
  bits = (offset_width - 1) << 2;
  bits |= is_object ? (size_t)is_large << 6 | (id_width - 1) << 4 | VARIANT_OBJECT : (size_t)is_large << 4 | VARIANT_ARRAY;
  osdear__buf_putc(&head, (char)(uint8_t)bits);
  put_number(&head, count, is_large ? 4 : 1);
  for (size_t i = 0; is_object && i < count; i++)
    put_number(&head, members[i].id, id_width);
  for (size_t i = 0; i < count; i++)
    put_number(&head, members[i].at - from, offset_width);
  put_number(&head, room, offset_width);
  in->members.size = first_member;
  st = osdear__buf_check(&head, error);
  if (st)
    return st;
  if (!osdear__buf_reserve(&in->value, head.size))
    return osdear__buf_check(&in->value, error);
  memmove(in->value.data + from + head.size, in->value.data + from, room);
  memcpy(in->value.data + from, head.data, head.size);
  in->value.size += head.size;
  return OSDEAR_OK;
}

static bool is_shredded(const osdear__pq_plan *typed, osdear__str name)
{
  for (size_t i = 0; i < typed->child_count; i++)
    if (osdear__str_is(name, typed->children[i].name))
      return true;
  return false;
}

/* The fields that were not shredded. Of one that is in both places, which no writer should do, the shredded one counts. */
static osdear_status put_rest(making *in, const osdear__pq_plan *typed, osdear__str rest, osdear_error **error)
{
  osdear__variant_items items;
  osdear_status st = OSDEAR_OK;

  if (!osdear__variant_items_read(rest, &items) || !items.is_object)
    return unsound("that is no object has shredded fields", error);
  for (uint32_t i = 0; i < items.count && !st; i++) {
    size_t at = in->value.size;
    osdear__str name, item;

    if (!osdear__variant_name(&in->names, osdear__variant_item_id(&items, i), &name) || !osdear__variant_item(&items, i, &item))
      return unsound("has bytes that contradict its encoding", error);
    if (is_shredded(typed, name))
      continue;
    osdear__buf_append(&in->value, item.data, item.size);
    st = push_member(in, name, at, error);
  }
  return st;
}

static osdear_status put_object(making *in, const osdear__pq_plan *typed, const struct ArrowArray *array, int64_t row,
                                osdear__str rest, osdear_error **error)
{
  size_t from = in->value.size, first_member = in->members.size;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; i < typed->child_count && !st; i++) {
    size_t at = in->value.size;
    bool is_missing = true;

    st = put_group(in, &typed->children[i], array->children[i], row, &is_missing, error);
    if (!st && !is_missing)
      st = push_member(in, osdear__str_of(typed->children[i].name), at, error);
  }
  if (!st && rest.data)
    st = put_rest(in, typed, rest, error);
  return st ? st : close_items(in, from, first_member, true, error);
}

static osdear_status put_array(making *in, const osdear__pq_plan *typed, const struct ArrowArray *array, int64_t row,
                               osdear_error **error)
{
  const int32_t *offsets = array->buffers[1];
  size_t from = in->value.size, first_member = in->members.size;
  osdear_status st = OSDEAR_OK;

  for (int32_t i = offsets[row]; i < offsets[row + 1] && !st; i++) {
    member made = { .at = in->value.size };
    bool is_missing = true;

    st = put_group(in, &typed->children[0], array->children[0], i, &is_missing, error);
    if (is_missing) /* where an element must be, there is the variant null */
      put_head(&in->value, VARIANT_NULL);
    osdear__buf_append(&in->members, &made, sizeof made);
    if (!st)
      st = osdear__buf_check(&in->members, error);
  }
  return st ? st : close_items(in, from, first_member, false, error);
}

/* ---- groups of value and typed_value ---- */

static osdear_status put_typed(making *in, const osdear__pq_plan *typed, const struct ArrowArray *array, int64_t row,
                               osdear__str rest, osdear_error **error)
{
  if (typed->type->kind == KIND_STRUCT)
    return put_object(in, typed, array, row, rest, error);
  if (rest.data)
    return unsound("has both a value and a typed_value", error);
  if (typed->type->kind == KIND_ARRAY)
    return put_array(in, typed, array, row, error);
  return put_primitive(in, typed, array, row, error);
}

static osdear_status put_group(making *in, const osdear__pq_plan *group, const struct ArrowArray *array, int64_t row,
                               bool *is_missing, osdear_error **error)
{
  const osdear__pq_plan *typed = NULL;
  const struct ArrowArray *typed_array = NULL;
  osdear__str rest = { NULL, 0 };

  *is_missing = true;
  if (group->type->kind != KIND_STRUCT || !osdear__is_valid(array, row))
    return OSDEAR_OK;
  for (size_t i = 0; i < group->child_count; i++) {
    const osdear__pq_plan *child = &group->children[i];

    if (child->type->kind == KIND_VOID || !osdear__is_valid(array->children[i], row))
      continue;
    if (!strcmp(child->name, "value")) {
      rest = osdear__variant_bytes(array->children[i], row);
    } else if (!strcmp(child->name, "typed_value")) {
      typed = child;
      typed_array = array->children[i];
    }
  }
  if (rest.data && !osdear__variant_is_sound(&in->names, rest))
    return unsound("has bytes that contradict its encoding", error);
  *is_missing = !typed && !rest.data;
  if (typed)
    return put_typed(in, typed, typed_array, row, rest, error);
  if (rest.data)
    osdear__buf_append(&in->value, rest.data, osdear__variant_size(rest));
  return OSDEAR_OK;
}

static const struct ArrowArray *metadata_of(const osdear__pq_plan *plan, const struct ArrowArray *storage)
{
  for (size_t i = 0; i < plan->child_count; i++)
    if (!strcmp(plan->children[i].name, "metadata"))
      return storage->children[i];
  return NULL;
}

static osdear_status make_row(making *in, const osdear__pq_plan *plan, const struct ArrowArray *storage, int64_t row,
                              osdear__builder *builder, osdear_error **error)
{
  const struct ArrowArray *metadata = metadata_of(plan, storage);
  osdear__str names;
  bool is_missing;
  osdear_status st;

  if (!osdear__is_valid(storage, row))
    return osdear__builder_null(builder, error);
  if (!metadata || !osdear__is_valid(metadata, row))
    return unsound("has no metadata", error);
  osdear__buf_clear(&in->value);
  osdear__buf_clear(&in->members);
  osdear__buf_clear(&in->extra);
  st = take_metadata(in, osdear__variant_bytes(metadata, row), error);
  if (!st)
    st = put_group(in, plan, storage, row, &is_missing, error);
  if (st)
    return st;
  if (is_missing)
    put_head(&in->value, VARIANT_NULL);
  st = rebuild_metadata(in, &names, error);
  if (!st)
    st = osdear__buf_check(&in->value, error);
  if (!st)
    st = osdear__builder_bytes(osdear__builder_child(builder, 0), names, error);
  if (!st)
    st = osdear__builder_bytes(osdear__builder_child(builder, 1), (osdear__str){ in->value.data, in->value.size }, error);
  return st ? st : osdear__builder_close(builder, error);
}

osdear_status osdear__pq_variants_make(const osdear__pq_plan *plan, const osdear__pq_column *columns,
                                       const struct ArrowArray *storage, struct ArrowArray *out, osdear_error **error)
{
  static const osdear__type variant = { .kind = KIND_VARIANT };
  SCOPED(pq_making) in = { .columns = columns };
  AUTO(builder) builder = NULL;
  osdear_status st = osdear__builder_new(&variant, &builder, error);

  in.value.limit = MOST_VALUE;
  for (int64_t row = 0; row < storage->length && !st; row++)
    st = make_row(&in, plan, storage, row, builder, error);
  return st ? st : osdear__builder_finish(builder, out, error);
}
