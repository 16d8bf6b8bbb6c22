/* Which services a Compose file has. No YAML is parsed: the plain form is recognised, and anything else is left alone. */
#include <container/stack.h>

typedef struct names {
  osdear__arena *arena;
  const char **items;
  size_t count, capacity;
} names;

static bool add(names *found, osdear__str name)
{
  if (found->count == found->capacity) {
    size_t capacity = found->capacity ? 2 * found->capacity : 16;
    const char **items = osdear__arena_zeroed(found->arena, capacity, sizeof *items);

    if (!items)
      return false;
    if (found->count)
      memcpy(items, found->items, found->count * sizeof *items);
    found->items = items;
    found->capacity = capacity;
  }
  found->items[found->count] = osdear__arena_strndup(found->arena, name.data, name.size);
  return found->items[found->count++] != NULL;
}

static bool is_name(osdear__str text)
{
  for (size_t i = 0; i < text.size; i++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", text.data[i]) || !text.data[i])
      return false;
  return text.size > 0;
}

/* "name:" or "'name':", with anything behind a space. */
static bool read_key(osdear__str line, osdear__str *name, osdear__str *rest)
{
  size_t quote = line.size && (line.data[0] == '"' || line.data[0] == '\'');
  const char *end = memchr(line.data + quote, quote ? line.data[0] : ':', line.size - quote);
  size_t used;

  if (!end)
    return false;
  *name = (osdear__str){ line.data + quote, (size_t)(end - line.data) - quote };
  used = (size_t)(end - line.data) + quote;
  if (used >= line.size || line.data[used] != ':' || (used + 1 < line.size && line.data[used + 1] != ' '))
    return false;
  *rest = (osdear__str){ line.data + used + 1, line.size - used - 1 };
  return is_name(*name);
}

static osdear__str trim(osdear__str text)
{
  while (text.size && text.data[0] == ' ')
    text = (osdear__str){ text.data + 1, text.size - 1 };
  while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\r'))
    text.size--;
  return text;
}

static bool is_empty(osdear__str text)
{
  return text.size == 0 || text.data[0] == '#';
}

typedef struct place {
  bool is_within, was_within;
  size_t indent; /* of the services; 0: not seen yet */
} place;

/* One line. False when the file is of no plain form. */
static bool read_line(place *at, osdear__str line, names *found)
{
  size_t indent = 0;
  osdear__str text = trim(line), name, rest;

  while (indent < line.size && line.data[indent] == ' ')
    indent++;
  if (is_empty(text) || (indent == 0 && !at->is_within && !at->was_within && osdear__str_is(text, "---")))
    return true;
  if (text.data[0] == '\t')
    return false;
  if (indent == 0) {
    at->is_within = false;
    if (!read_key(text, &name, &rest) || osdear__str_is(name, "include"))
      return false;
    if (!osdear__str_is(name, "services"))
      return true;
    if (at->was_within || !is_empty(trim(rest)))
      return false;
    at->is_within = at->was_within = true;
    return true;
  }
  if (!at->is_within)
    return true;
  if (at->indent == 0)
    at->indent = indent;
  if (indent != at->indent)
    return indent > at->indent;
  return read_key(text, &name, &rest) && add(found, name);
}

static bool read_json(osdear__str file, names *found)
{
  osdear__json *tree = NULL;
  const osdear__json *services;

  if (osdear__json_read(file, "the file", found->arena, &tree, NULL) != OSDEAR_OK)
    return false;
  services = osdear__json_get(tree, "services");
  if (!services || services->kind != JSON_IS_OBJECT || osdear__json_get(tree, "include"))
    return false;
  for (size_t i = 0; i < services->count; i++)
    if (!add(found, services->keys[i]))
      return false;
  return true;
}

bool osdear__compose_services(osdear__str file, osdear__arena *arena, const char *const **out, size_t *count)
{
  names found = { .arena = arena };
  place at = { 0 };
  osdear__str rest = trim(file);

  if (rest.size && rest.data[0] == '{') {
    if (!read_json(rest, &found))
      return false;
    rest.size = 0;
  } else {
    rest = file;
  }
  while (rest.size) {
    const char *newline = memchr(rest.data, '\n', rest.size);
    size_t size = newline ? (size_t)(newline - rest.data) : rest.size;

    if (!read_line(&at, (osdear__str){ rest.data, size }, &found))
      return false;
    size += newline != NULL;
    rest = (osdear__str){ rest.data + size, rest.size - size };
  }
  *out = found.items;
  *count = found.count;
  return found.count > 0;
}
