/* Small texts as trees. */
#include <json/json.h>

/* Values and keys of the containers that are still open lie on two stacks; a container that closes moves its own into the arena. */
typedef struct frame {
  osdear__json_kind kind;
  size_t first_value;
  size_t first_key;
} frame;

typedef struct builder {
  osdear__arena *arena;
  osdear__json *values;
  size_t value_count, value_room;
  osdear__str *keys;
  size_t key_count, key_room;
  frame *frames;
  size_t frame_count, frame_room;
} builder;

static void builder_drop(builder *b)
{
  osdear__free(b->values);
  osdear__free(b->keys);
  osdear__free(b->frames);
}

/* Room for one more of `size` bytes at `*block`. */
static bool grow(void **block, size_t *room, size_t count, size_t size)
{
  size_t wanted = *room ? *room * 2 : 16;
  void *grown;

  if (count < *room)
    return true;
  grown = osdear__realloc_array(*block, wanted, size);
  if (!grown)
    return false;
  *block = grown;
  *room = wanted;
  return true;
}

static bool push_value(builder *b, const osdear__json *value)
{
  void *block = b->values;
  bool ok = grow(&block, &b->value_room, b->value_count, sizeof *b->values);

  b->values = block;
  if (ok)
    b->values[b->value_count++] = *value;
  return ok;
}

static bool push_key(builder *b, osdear__str key)
{
  void *block = b->keys;
  bool ok = grow(&block, &b->key_room, b->key_count, sizeof *b->keys);

  b->keys = block;
  if (ok)
    b->keys[b->key_count++] = key;
  return ok;
}

static bool open_container(builder *b, osdear__json_kind kind)
{
  void *block = b->frames;
  bool ok = grow(&block, &b->frame_room, b->frame_count, sizeof *b->frames);

  b->frames = block;
  if (ok)
    b->frames[b->frame_count++] = (frame){ kind, b->value_count, b->key_count };
  return ok;
}

static bool close_container(builder *b)
{
  frame f = b->frames[--b->frame_count];
  osdear__json value = { .kind = f.kind, .count = b->value_count - f.first_value };

  if (value.count) {
    value.items = osdear__arena_alloc(b->arena, value.count * sizeof *value.items);
    if (!value.items)
      return false;
    memcpy(value.items, b->values + f.first_value, value.count * sizeof *value.items);
  }
  if (value.count && f.kind == JSON_IS_OBJECT) {
    value.keys = osdear__arena_alloc(b->arena, value.count * sizeof *value.keys);
    if (!value.keys)
      return false;
    memcpy(value.keys, b->keys + f.first_key, value.count * sizeof *value.keys);
  }
  b->value_count = f.first_value;
  b->key_count = f.first_key;
  return push_value(b, &value);
}

static bool add_text(builder *b, osdear__json_event event, osdear__str text)
{
  osdear__str copy = { osdear__arena_strndup(b->arena, text.data, text.size), text.size };
  osdear__json value = { .kind = event == JSON_NUMBER ? JSON_IS_NUMBER : JSON_IS_STRING, .text = copy };

  if (!copy.data)
    return false;
  return event == JSON_KEY ? push_key(b, copy) : push_value(b, &value);
}

static osdear_status on_event(void *argument, osdear__json_event event, osdear__str text, int32_t depth, osdear_error **error)
{
  builder *b = argument;
  osdear__json value = { .kind = JSON_IS_NULL };
  bool ok = false;

  (void)depth;
  switch (event) {
  case JSON_TRUE:
  case JSON_FALSE:
    value = (osdear__json){ .kind = JSON_IS_BOOL, .truth = event == JSON_TRUE };
    ok = push_value(b, &value);
    break;
  case JSON_NULL: ok = push_value(b, &value); break;
  case JSON_NUMBER:
  case JSON_STRING:
  case JSON_KEY: ok = add_text(b, event, text); break;
  case JSON_OBJECT_START: ok = open_container(b, JSON_IS_OBJECT); break;
  case JSON_ARRAY_START: ok = open_container(b, JSON_IS_ARRAY); break;
  case JSON_OBJECT_END:
  case JSON_ARRAY_END: ok = close_container(b); break;
  }
  return ok ? OSDEAR_OK : osdear__fail_memory(error);
}

osdear_status osdear__json_read(osdear__str text, const char *name, osdear__arena *arena, osdear__json **out,
                                osdear_error **error)
{
  builder b = { .arena = arena };
  AUTO(json_parser) parser = NULL;
  osdear__json *root;
  osdear_status st;

  st = osdear__json_parser_new(NULL, on_event, &b, &parser, error);
  if (st)
    return st;
  st = osdear__json_parse(parser, text, name, error);
  if (!st) {
    root = osdear__arena_alloc(arena, sizeof *root);
    if (root) {
      *root = b.values[0];
      *out = root;
    } else {
      st = osdear__fail_memory(error);
    }
  }
  builder_drop(&b);
  return st;
}

const osdear__json *osdear__json_get(const osdear__json *value, const char *key)
{
  osdear__str wanted = osdear__str_of(key);

  if (!value || value->kind != JSON_IS_OBJECT)
    return NULL;
  for (size_t i = value->count; i > 0; i--)
    if (osdear__str_equal(value->keys[i - 1], wanted))
      return &value->items[i - 1];
  return NULL;
}

const char *osdear__json_text(const osdear__json *value, const char *key)
{
  const osdear__json *member = osdear__json_get(value, key);

  return member && member->kind == JSON_IS_STRING ? member->text.data : NULL;
}

osdear__str osdear__json_str(const osdear__json *value, const char *key)
{
  const osdear__json *member = osdear__json_get(value, key);

  return member && member->kind == JSON_IS_STRING ? member->text : (osdear__str){ "", 0 };
}

int64_t osdear__json_int(const osdear__json *value, const char *key, int64_t otherwise)
{
  const osdear__json *member = osdear__json_get(value, key);
  int64_t number;

  return member && member->kind == JSON_IS_NUMBER && osdear__parse_i64(member->text, &number) ? number : otherwise;
}

bool osdear__json_flag(const osdear__json *value, const char *key, bool otherwise)
{
  const osdear__json *member = osdear__json_get(value, key);

  return member && member->kind == JSON_IS_BOOL ? member->truth : otherwise;
}

const osdear__json *osdear__json_list(const osdear__json *value, const char *key)
{
  const osdear__json *member = osdear__json_get(value, key);

  return member && member->kind == JSON_IS_ARRAY ? member : NULL;
}
