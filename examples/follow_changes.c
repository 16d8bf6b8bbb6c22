/* Prints what happened to the rows of a table since a version, as CSV.
 *
 * usage: follow_changes TABLE VERSION
 * The table needs the property delta.enableChangeDataFeed. */
#include "need.h"

static int32_t print(void *argument, const void *data, size_t size)
{
  (void)argument;
  return fwrite(data, 1, size, stdout) != size;
}

int main(int count, char **words)
{
  osdear_changes_options options = OSDEAR_CHANGES_OPTIONS_INIT;
  osdear_context *context;
  osdear_table *table;
  osdear_error *error = NULL;
  struct ArrowArrayStream changes;

  if (count != 3)
    usage("follow_changes TABLE VERSION");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_table_open(context, words[1], NULL, &table, &error), &error);
  options.from_version = strtoll(words[2], NULL, 10);
  need(osdear_table_changes(table, &options, &changes, &error), &error);
  need(osdear_sink_write(context, &changes, "csv", NULL, print, NULL, NULL, &error), &error);

  osdear_table_free(table);
  osdear_context_unref(context);
  return 0;
}
