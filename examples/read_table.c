/* Reads some rows of a table: the smallest whole program.
 *
 * usage: read_table TABLE [PREDICATE] */
#include "need.h"

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

  if (count < 2)
    usage("read_table TABLE [PREDICATE]");
  need(osdear_context_new(NULL, &context, &error), &error);
  need(osdear_snapshot_open(context, words[1], NULL, &snapshot, &error), &error);
  options.where = count > 2 ? words[2] : NULL;
  need(osdear_scan_new(snapshot, &options, &scan, &error), &error);
  need(osdear_scan_stream(scan, &rows, &error), &error);
  while (rows.get_next(&rows, &batch) == 0 && batch.release) {
    total += batch.length; /* batch.children[i] are the columns, as Arrow lays them out */
    batch.release(&batch);
  }
  need_rows(&rows);
  printf("version %lld: %lld rows\n", (long long)osdear_snapshot_version(snapshot), total);
  rows.release(&rows);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  osdear_context_unref(context);
  return 0;
}
