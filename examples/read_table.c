/* Reads some rows of a table: the smallest whole program.
 *
 * usage: read_table TABLE [PREDICATE] */
#include <osdear.h>

#include <stdio.h>

static int fail(osdear_error *error)
{
  fprintf(stderr, "%s\n", osdear_error_message(error));
  osdear_error_free(error);
  return 1;
}

int main(int count, char **words)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_context *context;
  osdear_snapshot *snapshot;
  osdear_scan *scan;
  osdear_error *error = NULL;
  struct ArrowArrayStream rows;
  struct ArrowArray batch;
  long long total = 0;

  if (count < 2) {
    fprintf(stderr, "usage: read_table TABLE [PREDICATE]\n");
    return 2;
  }
  if (osdear_context_new(NULL, &context, &error))
    return fail(error);
  if (osdear_snapshot_open(context, words[1], NULL, &snapshot, &error))
    return fail(error);
  options.where = count > 2 ? words[2] : NULL;
  if (osdear_scan_new(snapshot, &options, &scan, &error) || osdear_scan_stream(scan, &rows, &error))
    return fail(error);
  while (rows.get_next(&rows, &batch) == 0 && batch.release) {
    total += batch.length; /* batch.children[i] are the columns, as Arrow lays them out */
    batch.release(&batch);
  }
  if (osdear_stream_error(&rows))
    fprintf(stderr, "%s\n", osdear_error_message(osdear_stream_error(&rows)));
  else
    printf("version %lld: %lld rows\n", (long long)osdear_snapshot_version(snapshot), total);
  rows.release(&rows);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  osdear_context_unref(context);
  return 0;
}
