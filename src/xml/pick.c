/* A few texts out of a small document. */
#include <xml/xml.h>

typedef struct picking {
  osdear__xml_want *wants;
  size_t count;
  osdear__arena *arena;
} picking;

static bool is_wanted(const char *wanted, osdear__str path)
{
  const char *slash;

  if (wanted[0] != '*')
    return osdear__str_is(path, wanted);
  slash = memchr(path.data, '/', path.size);
  return slash && strcmp(slash, wanted + 1) == 0;
}

static osdear_status on_event(void *argument, osdear__xml_event event, osdear__str path, osdear__str text, osdear_error **error)
{
  picking *self = argument;

  for (size_t i = 0; event == XML_END && i < self->count; i++) {
    osdear__xml_want *want = &self->wants[i];
    if (want->text.data || !is_wanted(want->path, path))
      continue;
    want->text.data = osdear__arena_strndup(self->arena, text.data, text.size);
    want->text.size = text.size;
    if (!want->text.data)
      return osdear__fail_memory(error);
  }
  return OSDEAR_OK;
}

osdear_status osdear__xml_pick(osdear__str document, const char *name, osdear__xml_want *wants, size_t count,
                               osdear__arena *arena, osdear_error **error)
{
  picking self = { wants, count, arena };

  for (size_t i = 0; i < count; i++)
    wants[i].text = (osdear__str){ NULL, 0 };
  return osdear__xml_parse(document, name, NULL, on_event, &self, error);
}
