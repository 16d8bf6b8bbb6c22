/* Any bytes as a schemaString: what is read must print to text that reads back the same. */
#include <delta/delta.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) once = { 0 };
  SCOPED(buf) twice = { 0 };
  char *text = osdear__arena_strndup(&arena, size ? (const char *)data : "", size);
  osdear__type type;

  if (!text || osdear__delta_schema_parse(text, &arena, &type, NULL))
    return 0;
  osdear__delta_schema_print(&type, &once);
  if (osdear__delta_schema_parse(once.data, &arena, &type, NULL))
    abort();
  osdear__delta_schema_print(&type, &twice);
  if (strcmp(once.data, twice.data) != 0)
    abort();
  return 0;
}
