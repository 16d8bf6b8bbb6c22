/* Objects into columns: a place in the type for each value, found by what the parser says. */
#include "ndjson.h"

/* One node of the type, with where its values go. */
typedef struct slot {
  const osdear__type *type;
  osdear__str name;
  osdear__builder *builder;
  struct slot *children;
  size_t child_count;
  osdear__map by_name; /* STRUCT: the child's number + 1 */
  int64_t *seen;       /* STRUCT: the object in which each child came last */
  int64_t object;      /* STRUCT: the number of the object in hand */
  size_t hint;         /* STRUCT: the child that comes next if the order is as before */
} slot;

typedef enum frame_kind { FRAME_STRUCT, FRAME_ARRAY, FRAME_MAP, FRAME_PAIRS, FRAME_PAIR } frame_kind;

typedef struct frame {
  frame_kind kind;
  slot *slot;
  size_t child; /* STRUCT: whose value comes; PAIR: how many came */
} frame;

struct osdear__json_rows {
  const osdear__source *source;
  osdear__arena arena;
  slot root;
  osdear__builder *builder;
  frame frames[OSDEAR__NDJSON_DEPTH + 2];
  int32_t depth;
  int32_t raw_depth; /* containers open in a value that is kept as text; 0: none */
  slot *raw_slot;
  bool raw_first; /* the next item in it is the first of its container */
  osdear__buf raw;
  osdear__buf scratch;
};

/* ---- the tree of slots ---- */

static bool can_be_read(const osdear__type *type)
{
  if (type->kind == KIND_MAP)
    return osdear__text_can_be(&type->fields[0].type) && can_be_read(&type->fields[1].type);
  for (size_t i = 0; i < type->field_count; i++) {
    if (!can_be_read(&type->fields[i].type))
      return false;
  }
  return type->kind == KIND_STRUCT || type->kind == KIND_ARRAY || osdear__text_can_be(type);
}

static void drop_slot(slot *place)
{
  osdear__map_drop(&place->by_name);
  for (size_t i = 0; place->children && i < place->child_count; i++)
    drop_slot(&place->children[i]);
}

static osdear_status fill_slot(osdear__arena *arena, slot *place, osdear_error **error)
{
  const osdear__type *type = place->type;
  bool is_struct = type->kind == KIND_STRUCT;
  osdear_status st = OSDEAR_OK;

  if (!type->field_count)
    return OSDEAR_OK;
  place->children = osdear__arena_zeroed(arena, type->field_count, sizeof *place->children);
  place->seen = is_struct ? osdear__arena_zeroed(arena, type->field_count, sizeof *place->seen) : NULL;
  if (!place->children || (is_struct && !place->seen))
    return osdear__fail_memory(error);
  place->child_count = type->field_count;
  for (size_t i = 0; !st && i < type->field_count; i++) {
    slot *child = &place->children[i];
    child->type = &type->fields[i].type;
    child->name = osdear__str_of(type->fields[i].name);
    child->builder = osdear__builder_child(place->builder, i);
    if (is_struct) {
      bool is_new;
      osdear__map_entry *entry = osdear__map_add(&place->by_name, child->name, &is_new);
      if (!entry)
        return osdear__fail_memory(error);
      entry->value = (void *)(uintptr_t)(i + 1);
    }
    st = fill_slot(arena, child, error);
  }
  return st;
}

osdear_status osdear__json_rows_new(const osdear__source *source, osdear__json_rows **out, osdear_error **error)
{
  AUTO(json_rows) rows = osdear__alloc_zeroed(1, sizeof *rows);
  osdear_status st;

  if (!rows)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < source->type.field_count; i++) {
    if (!can_be_read(&source->type.fields[i].type))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column %s: JSON has no values of its type", source->type.fields[i].name);
  }
  rows->source = source;
  st = osdear__builder_new(&source->type, &rows->builder, error);
  if (st)
    return st;
  rows->root.type = &source->type;
  rows->root.builder = rows->builder;
  st = fill_slot(&rows->arena, &rows->root, error);
  if (st)
    return st;
  *out = rows;
  rows = NULL;
  return OSDEAR_OK;
}

void osdear__json_rows_auto(osdear__json_rows **rows_at)
{
  osdear__json_rows *rows = *rows_at;

  if (!rows)
    return;
  drop_slot(&rows->root);
  osdear__builder_auto(&rows->builder);
  osdear__buf_drop(&rows->raw);
  osdear__buf_drop(&rows->scratch);
  osdear__arena_drop(&rows->arena);
  osdear__free(rows);
  *rows_at = NULL;
}

int64_t osdear__json_rows_count(const osdear__json_rows *rows)
{
  return osdear__builder_length(rows->builder);
}

int64_t osdear__json_rows_bytes(const osdear__json_rows *rows)
{
  return osdear__builder_bytes_used(rows->builder);
}

osdear_status osdear__json_rows_finish(osdear__json_rows *rows, struct ArrowArray *out, osdear_error **error)
{
  return osdear__builder_finish(rows->builder, out, error);
}

/* ---- messages ---- */

/* "a.b" of the place in hand. */
static void put_path(const osdear__json_rows *rows, const slot *place, osdear__buf *out)
{
  for (int32_t i = 2; i <= rows->depth; i++) {
    osdear__buf_append(out, rows->frames[i].slot->name.data, rows->frames[i].slot->name.size);
    osdear__buf_putc(out, '.');
  }
  osdear__buf_append(out, place->name.data, place->name.size);
}

static osdear_status fail_value(const osdear__json_rows *rows, const slot *place, osdear__str text, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  SCOPED(buf) type = { 0 };
  const char *column = rows->depth >= 2 ? rows->frames[2].slot->name.data : place->name.data;
  int shown = text.size > 80 ? 80 : (int)text.size;

  put_path(rows, place, &path);
  osdear__type_name(place->type, &type);
  return osdear__fail(error, OSDEAR_ERR_DATA, "column %s: \"%.*s%s\" is no %s; give the type with --type %s=string",
                      path.data ? path.data : "?", shown, text.data, text.size > 80 ? "…" : "",
                      type.data ? type.data : "such value", column);
}

static osdear_status fail_key(const osdear__json_rows *rows, osdear__str key, osdear_error **error)
{
  int shown = key.size > 80 ? 80 : (int)key.size;

  if (rows->source->has_schema)
    return osdear__fail(error, OSDEAR_ERR_DATA, "\"%.*s\" is not in the schema given", shown, key.data);
  return osdear__fail(error, OSDEAR_ERR_DATA,
                      "\"%.*s\" comes here for the first time, past the rows that were looked at; look at more with --infer-rows",
                      shown, key.data);
}

/* ---- scalars ---- */

static osdear__str word_of(osdear__json_event event, osdear__str text)
{
  switch (event) {
  case JSON_TRUE: return STR("true");
  case JSON_FALSE: return STR("false");
  case JSON_NULL: return STR("null");
  default: return text;
  }
}

static osdear_status put_scalar(osdear__json_rows *rows, const slot *place, osdear__json_event event, osdear__str text,
                                osdear_error **error)
{
  osdear__scalar value;
  osdear_status st;

  if (place->type->kind == KIND_STRING)
    return osdear__builder_bytes(place->builder, word_of(event, text), error);
  if (place->type->kind == KIND_DOUBLE && event == JSON_NUMBER) {
    double number;
    if (osdear__quick_f64(text.data, text.size, &number))
      return osdear__builder_f64(place->builder, number, error);
  }
  text = word_of(event, text);
  if (osdear__text_value(text, place->type, &rows->scratch, &value))
    return osdear__builder_scalar(place->builder, &value, error);
  st = osdear__buf_check(&rows->scratch, error);
  return st ? st : fail_value(rows, place, text, error);
}

/* ---- containers kept as text ---- */

static osdear_status raw_event(osdear__json_rows *rows, osdear__json_event event, osdear__str text, osdear_error **error)
{
  osdear__buf *raw = &rows->raw;
  bool is_end = event == JSON_OBJECT_END || event == JSON_ARRAY_END;
  osdear_status st;

  /* A key has its colon behind it, and a value after a colon no comma before it. */
  if (!is_end && !rows->raw_first && raw->size && raw->data[raw->size - 1] != ':')
    osdear__buf_putc(raw, ',');
  rows->raw_first = false;
  switch (event) {
  case JSON_OBJECT_START:
  case JSON_ARRAY_START:
    osdear__buf_putc(raw, event == JSON_OBJECT_START ? '{' : '[');
    rows->raw_first = true;
    rows->raw_depth++;
    break;
  case JSON_OBJECT_END:
  case JSON_ARRAY_END:
    osdear__buf_putc(raw, event == JSON_OBJECT_END ? '}' : ']');
    rows->raw_depth--;
    break;
  case JSON_KEY:
    osdear__json_put_string(raw, text);
    osdear__buf_putc(raw, ':');
    break;
  case JSON_STRING: osdear__json_put_string(raw, text); break;
  default:
    text = word_of(event, text);
    osdear__buf_append(raw, text.data, text.size);
    break;
  }
  if (rows->raw_depth)
    return OSDEAR_OK;
  st = osdear__buf_check(raw, error);
  return st ? st : osdear__builder_bytes(rows->raw_slot->builder, (osdear__str){ raw->data, raw->size }, error);
}

/* ---- structs ---- */

static osdear_status take_key(osdear__json_rows *rows, frame *around, osdear__str key, osdear_error **error)
{
  slot *place = around->slot;
  size_t index = place->hint;

  if (around->kind == FRAME_MAP)
    return put_scalar(rows, &place->children[0], JSON_STRING, key, error);
  if (index >= place->child_count || !osdear__str_equal(place->children[index].name, key)) {
    const osdear__map_entry *entry = osdear__map_find(&place->by_name, key);
    int64_t found = entry ? (int64_t)(uintptr_t)entry->value - 1 : -1;
    if (found < 0 && rows->source->has_schema)
      found = osdear__type_find(place->type, key); /* the schema may write it in another case */
    if (found < 0)
      return fail_key(rows, key, error);
    index = (size_t)found;
  }
  if (place->seen[index] == place->object)
    return osdear__fail(error, OSDEAR_ERR_DATA, "the key \"%.*s\" stands twice in one object", key.size > 80 ? 80 : (int)key.size,
                        key.data);
  place->seen[index] = place->object;
  place->hint = index + 1;
  around->child = index;
  return OSDEAR_OK;
}

static osdear_status end_struct(slot *place, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < place->child_count; i++) {
    if (place->seen[i] != place->object)
      st = osdear__builder_null(place->children[i].builder, error);
  }
  return st ? st : osdear__builder_close(place->builder, error);
}

/* ---- values ---- */

/* The slot of the value that comes now. */
static osdear_status place_of(osdear__json_rows *rows, osdear__json_event event, slot **out, osdear_error **error)
{
  frame *around = &rows->frames[rows->depth];

  if (rows->depth == 0) {
    if (event != JSON_OBJECT_START)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "each line must hold one JSON object");
    *out = &rows->root;
    return OSDEAR_OK;
  }
  switch (around->kind) {
  case FRAME_STRUCT: *out = &around->slot->children[around->child]; return OSDEAR_OK;
  case FRAME_ARRAY: *out = &around->slot->children[0]; return OSDEAR_OK;
  case FRAME_MAP: *out = &around->slot->children[1]; return OSDEAR_OK;
  case FRAME_PAIR:
    if (around->child < 2) {
      *out = &around->slot->children[around->child++];
      if (around->child == 2 || event != JSON_NULL)
        return OSDEAR_OK;
    }
    break;
  case FRAME_PAIRS: break;
  }
  return osdear__fail(error, OSDEAR_ERR_DATA, "column %s: a map is an object, or an array of [key,value] pairs",
                      rows->frames[2].slot->name.data);
}

static void push(osdear__json_rows *rows, frame_kind kind, slot *place)
{
  rows->frames[++rows->depth] = (frame){ kind, place, 0 };
  if (kind == FRAME_STRUCT) {
    place->object++;
    place->hint = 0;
  }
}

static osdear_status open_container(osdear__json_rows *rows, slot *place, osdear__json_event event, osdear_error **error)
{
  bool is_object = event == JSON_OBJECT_START;
  osdear__kind kind = place->type->kind;

  if (kind == KIND_STRUCT && is_object)
    push(rows, FRAME_STRUCT, place);
  else if (kind == KIND_ARRAY && !is_object)
    push(rows, FRAME_ARRAY, place);
  else if (kind == KIND_MAP)
    push(rows, is_object ? FRAME_MAP : FRAME_PAIRS, place);
  else if (kind == KIND_STRING) {
    rows->raw_slot = place;
    osdear__buf_clear(&rows->raw);
    rows->raw_first = true;
    return raw_event(rows, event, (osdear__str){ 0 }, error);
  } else
    return fail_value(rows, place, is_object ? STR("{…}") : STR("[…]"), error);
  return OSDEAR_OK;
}

static osdear_status close_container(osdear__json_rows *rows, osdear_error **error)
{
  frame *ended = &rows->frames[rows->depth--];

  switch (ended->kind) {
  case FRAME_STRUCT: return end_struct(ended->slot, error);
  case FRAME_PAIR:
    if (ended->child != 2)
      return osdear__fail(error, OSDEAR_ERR_DATA, "column %s: a pair of a map has a key and a value",
                          rows->frames[2].slot->name.data);
    return OSDEAR_OK;
  default: return osdear__builder_close(ended->slot->builder, error);
  }
}

osdear_status osdear__json_rows_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth,
                                      osdear_error **error)
{
  osdear__json_rows *rows = argument;
  frame *around = &rows->frames[rows->depth];
  slot *place = NULL;
  osdear_status st;

  (void)depth;
  if (rows->raw_depth)
    return raw_event(rows, event, text, error);
  if (event == JSON_KEY)
    return take_key(rows, around, text, error);
  if (event == JSON_OBJECT_END || event == JSON_ARRAY_END)
    return close_container(rows, error);
  if (rows->depth && around->kind == FRAME_PAIRS && event == JSON_ARRAY_START) {
    push(rows, FRAME_PAIR, around->slot);
    return OSDEAR_OK;
  }
  st = place_of(rows, event, &place, error);
  if (st)
    return st;
  if (event == JSON_OBJECT_START || event == JSON_ARRAY_START)
    return open_container(rows, place, event, error);
  if (event == JSON_NULL)
    return osdear__builder_null(place->builder, error);
  if (place->type->field_count)
    return fail_value(rows, place, word_of(event, text), error);
  return put_scalar(rows, place, event, text, error);
}
