/* Any text as columns in SQL's words, or in Delta's, the types of which have names; and as an instant. */
#include <base/base.h>

#include <osdear.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct ArrowSchema columns;
  osdear_error *error = NULL;
  char *text = osdear__strndup(size ? (const char *)data : "", size);
  int64_t us;

  if (!text)
    return 0;
  if (osdear_schema_parse(text, &columns, &error) == OSDEAR_OK) {
    char *name = NULL;
    if (osdear_schema_print(&columns, &name, NULL) == OSDEAR_OK)
      osdear_text_free(name);
    columns.release(&columns);
  }
  osdear_error_free(error);
  if (osdear_timestamp_parse(text, &us, NULL) == OSDEAR_OK && size == 0)
    abort();
  osdear__free(text);
  return 0;
}
