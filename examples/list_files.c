/* Prints the data files that a table consists of, one JSON object each, and of which version.
 *
 * usage: list_files TABLE [PREDICATE]
 * With a predicate: only files that may hold rows for which it is true. */
#include "need.h"

static int32_t print(void *argument, const void *data, size_t size)
{
  (void)argument;
  return fwrite(data, 1, size, stdout) != size;
}

int main(int count, char **words)
{
  osdear_context *context;
  osdear_snapshot *snapshot;
  osdear_error *error = NULL;
  struct ArrowArrayStream files;
  int64_t rows;

  if (count < 2)
    usage("list_files TABLE [PREDICATE]");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_snapshot_open(context, words[1], NULL, &snapshot, &error), &error);
  need(osdear_snapshot_files(snapshot, count > 2 ? words[2] : NULL, &files, &error), &error);
  need(osdear_sink_write(context, &files, "jsonl", NULL, print, NULL, &rows, &error), &error);
  fprintf(stderr, "version %lld: %lld files\n", (long long)osdear_snapshot_version(snapshot), (long long)rows);

  osdear_snapshot_unref(snapshot);
  osdear_context_unref(context);
  return 0;
}
