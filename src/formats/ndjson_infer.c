/* What the objects look like: for each member, and each member of those, which values were seen. */
#include "ndjson.h"

#define SHAPES OSDEAR__COLUMNS

static osdear_status new_shape(osdear__shaper *shaper, osdear__shape *parent, osdear__str name, osdear__shape **out,
                               osdear_error **error)
{
  osdear__shape *shape;
  char *copy;

  if (shaper->shape_count >= SHAPES)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %zu different members; are keys data here?", SHAPES);
  if (memchr(name.data, '\0', name.size))
    return osdear__fail(error, OSDEAR_ERR_DATA, "a key holds the character U+0000, which no column's name can");
  shape = osdear__arena_zeroed(shaper->arena, 1, sizeof *shape);
  copy = shape ? osdear__arena_strndup(shaper->arena, name.data, name.size) : NULL;
  if (!copy)
    return osdear__fail_memory(error);
  shape->name = (osdear__str){ copy, name.size };
  shaper->shape_count++;
  if (parent->last)
    parent->last->next = shape;
  else
    parent->first = shape;
  parent->last = shape;
  parent->child_count++;
  *out = shape;
  return OSDEAR_OK;
}

static osdear_status find_member(osdear__shaper *shaper, osdear__str key, osdear_error **error)
{
  osdear__shape *object = shaper->open[shaper->depth];
  osdear__shape *guess = shaper->member ? shaper->member->next : NULL;
  osdear__map_entry *entry;
  osdear_status st = OSDEAR_OK;
  bool is_new;

  /* Objects mostly have the members of the one before, in its order. */
  if (guess && osdear__str_equal(guess->name, key)) {
    shaper->member = guess;
    return OSDEAR_OK;
  }
  entry = osdear__map_find(&object->by_name, key);
  if (!entry) {
    osdear__shape *shape = NULL;
    st = new_shape(shaper, object, key, &shape, error);
    if (st)
      return st;
    entry = osdear__map_add(&object->by_name, shape->name, &is_new);
    if (!entry)
      return osdear__fail_memory(error);
    entry->value = shape;
  }
  shaper->member = entry->value;
  return OSDEAR_OK;
}

/* Where the value at hand belongs. */
static osdear_status place_of(osdear__shaper *shaper, osdear__json_event event, osdear__shape **out, osdear_error **error)
{
  osdear__shape *around;

  if (shaper->depth == 0) {
    if (event != JSON_OBJECT_START)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "each line must hold one JSON object");
    shaper->rows++;
    *out = shaper->root;
    return OSDEAR_OK;
  }
  around = shaper->open[shaper->depth];
  if (shaper->is_object[shaper->depth]) {
    *out = shaper->member;
    return OSDEAR_OK;
  }
  *out = around->first;
  return *out ? OSDEAR_OK : new_shape(shaper, around, STR("element"), out, error);
}

static osdear__class class_of(osdear__json_event event, osdear__str text)
{
  switch (event) {
  case JSON_TRUE:
  case JSON_FALSE: return CLASS_BOOLEAN;
  case JSON_NUMBER: return osdear__classify(text);
  case JSON_STRING: return osdear__classify_time(text);
  case JSON_OBJECT_START: return CLASS_OBJECT;
  default: return CLASS_ARRAY;
  }
}

/* An array in an array has both in one shape's children: an object there and an array are told apart by the evidence, and a place that
 * has both becomes text. */
static void open_container(osdear__shaper *shaper, osdear__shape *shape, bool is_object)
{
  shaper->depth++;
  shaper->open[shaper->depth] = shape;
  shaper->is_object[shaper->depth] = is_object;
  shaper->member = NULL;
}

osdear_status osdear__shape_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  osdear__shaper *shaper = argument;
  osdear__shape *place = NULL;
  osdear_status st;

  (void)depth;
  if (event == JSON_KEY)
    return find_member(shaper, text, error);
  if (event == JSON_OBJECT_END || event == JSON_ARRAY_END) {
    /* The member around: the hint for the key that follows. */
    shaper->member = shaper->depth > 1 && shaper->is_object[shaper->depth - 1] ? shaper->open[shaper->depth] : NULL;
    shaper->depth--;
    return OSDEAR_OK;
  }
  st = place_of(shaper, event, &place, error);
  if (st)
    return st;
  if (event == JSON_NULL) {
    osdear__evidence_null(&place->evidence, "null");
    return OSDEAR_OK;
  }
  osdear__evidence_add(&place->evidence, class_of(event, text), text, shaper->rows);
  if (event == JSON_OBJECT_START || event == JSON_ARRAY_START)
    open_container(shaper, place, event == JSON_OBJECT_START);
  return OSDEAR_OK;
}

void osdear__shape_drop(osdear__shape *shape)
{
  osdear__map_drop(&shape->by_name);
  for (osdear__shape *child = shape->first; child; child = child->next)
    osdear__shape_drop(child);
}

osdear_status osdear__shape_type(const osdear__shape *shape, osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  osdear__kind kind = osdear__evidence_kind(&shape->evidence);
  osdear_status st = OSDEAR_OK;
  size_t i = 0;

  *out = (osdear__type){ .kind = kind };
  /* An object that never has a member has no columns: its text is kept instead. */
  if (kind == KIND_STRUCT && !shape->child_count)
    out->kind = KIND_STRING;
  if (kind != KIND_STRUCT && kind != KIND_ARRAY)
    return OSDEAR_OK;
  if (kind == KIND_ARRAY && !shape->child_count) {
    static const osdear__field text = { .name = "element", .nullable = true, .field_id = -1, .type = { .kind = KIND_STRING } };
    out->fields = osdear__arena_alloc(arena, sizeof text);
    if (!out->fields)
      return osdear__fail_memory(error);
    out->fields[0] = text;
    out->field_count = 1;
    return OSDEAR_OK;
  }
  if (!shape->child_count)
    return OSDEAR_OK;
  out->field_count = shape->child_count;
  out->fields = osdear__arena_zeroed(arena, shape->child_count, sizeof *out->fields);
  if (!out->fields)
    return osdear__fail_memory(error);
  for (const osdear__shape *child = shape->first; !st && child; child = child->next) {
    osdear__field *field = &out->fields[i++];
    *field = (osdear__field){ .name = child->name.data, .nullable = true, .field_id = -1 };
    st = osdear__shape_type(child, arena, &field->type, error);
  }
  return st;
}
