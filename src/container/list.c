/* Containers as a list of what a person looks for. One block of memory holds the entries and their texts. */
#include <container/container.h>

static osdear__str name_of(const osdear__json *item)
{
  const osdear__json *names = osdear__json_get(item, "Names");
  osdear__str name = { "", 0 };

  if (names && names->kind == JSON_IS_ARRAY && names->count && names->items[0].kind == JSON_IS_STRING)
    name = names->items[0].text;
  return name.size && name.data[0] == '/' ? (osdear__str){ name.data + 1, name.size - 1 } : name;
}

static const char *put_text(char **at, osdear__str text)
{
  char *start = *at;

  memcpy(start, text.data, text.size);
  start[text.size] = '\0';
  *at = start + text.size + 1;
  return start;
}

static osdear_container_entry *copy_entries(const osdear__json *all)
{
  size_t bytes = all->count * sizeof(osdear_container_entry);
  osdear_container_entry *entries;
  char *at;

  for (size_t i = 0; i < all->count; i++)
    bytes += osdear__json_str(&all->items[i], "Id").size + name_of(&all->items[i]).size +
             osdear__json_str(&all->items[i], "Image").size + osdear__json_str(&all->items[i], "Status").size + 4;
  entries = osdear__alloc(bytes);
  if (!entries)
    return NULL;
  at = (char *)(entries + all->count);
  for (size_t i = 0; i < all->count; i++) {
    const osdear__json *item = &all->items[i];
    int64_t created_s = osdear__json_int(item, "Created", 0);

    entries[i].id = put_text(&at, osdear__json_str(item, "Id"));
    entries[i].name = put_text(&at, name_of(item));
    entries[i].image = put_text(&at, osdear__json_str(item, "Image"));
    entries[i].status = put_text(&at, osdear__json_str(item, "Status"));
    entries[i].state = osdear__state_of(osdear__json_str(item, "State"));
    entries[i].created_us = created_s > 0 && created_s < INT64_MAX / 1000000 ? created_s * 1000000 : 0;
  }
  return entries;
}

osdear_status osdear_container_list(osdear_engine *engine, const osdear_pair *filters, size_t filter_count,
                                    osdear_container_entry **out, size_t *count, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear_container_entry *entries;
  osdear__json *all = NULL;
  char *json = NULL;
  osdear_status st;

  if (!out || !count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "out and count must not be NULL");
  st = osdear_engine_list(engine, OSDEAR_CONTAINERS, filters, filter_count, &json, error);
  if (!st)
    st = osdear__json_read(osdear__str_of(json), "/containers/json", &arena, &all, error);
  osdear__free(json);
  if (st)
    return st;
  if (all->kind != JSON_IS_ARRAY || all->count == 0) {
    *out = NULL;
    *count = 0;
    return OSDEAR_OK;
  }
  entries = copy_entries(all);
  if (!entries)
    return osdear__fail_memory(error);
  *out = entries;
  *count = all->count;
  return OSDEAR_OK;
}

void osdear_container_entries_free(osdear_container_entry *entries)
{
  osdear__free(entries);
}
