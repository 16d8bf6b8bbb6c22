/* One operation, timed: what run.py sets beside the same operation of other engines.
 *
 *   osdear-bench list TABLE                       open, and list the active files
 *   osdear-bench scan TABLE [COLUMNS] [WHERE]     read all rows as Arrow; COLUMNS is a,b or * for all
 *   osdear-bench append TABLE FILE [PARTITION]    rows of a Parquet file, already in memory, into a new table as one commit
 *   osdear-bench small TABLE COMMITS              so many commits of one row into a new table
 *
 * OSDEAR_BENCH_THREADS: worker threads, 0 (default) for one each processor. Prints `OP <wall s> <cpu s> <note>`. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <osdear.h>

#include "../support/rows.h"

#define MOST_COLUMNS 64
#define MOST_BATCHES 65536

typedef struct moment {
  double wall;
  double cpu;
} moment;

static double seconds(clockid_t clock)
{
  struct timespec at;

  clock_gettime(clock, &at);
  return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

static moment now(void)
{
  return (moment){ seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID) };
}

static void report(moment start, const char *what, int64_t count)
{
  moment end = now();

  printf("OP %.4f %.4f %s=%" PRId64 "\n", end.wall - start.wall, end.cpu - start.cpu, what, count);
}

/* The error by its address: it is set by the call that gives the status. */
static void must(osdear_status status, osdear_error *const *error)
{
  if (status == OSDEAR_OK)
    return;
  fprintf(stderr, "osdear-bench: %s: %s\n", osdear_status_name(status), osdear_error_message(*error));
  exit(EXIT_FAILURE);
}

static int64_t drain(struct ArrowArrayStream *stream)
{
  struct ArrowArray batch;
  int64_t rows = 0;

  for (;;) {
    if (stream->get_next(stream, &batch) != 0) {
      fprintf(stderr, "osdear-bench: %s\n", stream->get_last_error(stream));
      exit(EXIT_FAILURE);
    }
    if (!batch.release)
      break;
    rows += batch.length;
    batch.release(&batch);
  }
  stream->release(stream);
  return rows;
}

static void list(osdear_context *context, const char *uri)
{
  moment start = now();
  osdear_snapshot *snapshot = NULL;
  struct ArrowArrayStream files;
  osdear_error *error = NULL;

  must(osdear_snapshot_open(context, uri, NULL, &snapshot, &error), &error);
  must(osdear_snapshot_files(snapshot, NULL, &files, &error), &error);
  report(start, "n", drain(&files));
  osdear_snapshot_unref(snapshot);
}

static size_t split(char *names, const char *columns[MOST_COLUMNS])
{
  size_t count = 0;
  char *rest = names;

  for (char *name = strsep(&rest, ","); name && count < MOST_COLUMNS; name = strsep(&rest, ","))
    columns[count++] = name;
  return count;
}

static void scan(osdear_context *context, const char *uri, char *names, const char *where)
{
  moment start = now();
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  const char *columns[MOST_COLUMNS];
  osdear_snapshot *snapshot = NULL;
  osdear_scan *plan = NULL;
  struct ArrowArrayStream rows;
  osdear_error *error = NULL;

  if (names && strcmp(names, "*") != 0) {
    options.column_count = split(names, columns);
    options.columns = columns;
  }
  options.where = where;
  must(osdear_snapshot_open(context, uri, NULL, &snapshot, &error), &error);
  must(osdear_scan_new(snapshot, &options, &plan, &error), &error);
  must(osdear_scan_stream(plan, &rows, &error), &error);
  report(start, "rows", drain(&rows));
  osdear_scan_free(plan);
  osdear_snapshot_unref(snapshot);
}

/* All of a Parquet file as one stream of batches that are in memory. */
static void load(osdear_context *context, const char *file, struct ArrowSchema *schema, struct ArrowArrayStream *out)
{
  struct ArrowArray *batches = calloc(MOST_BATCHES, sizeof *batches);
  osdear_source *source = NULL;
  struct ArrowArrayStream rows;
  struct ArrowSchema copy;
  osdear_error *error = NULL;
  size_t count = 0;

  if (!batches)
    exit(EXIT_FAILURE);
  must(osdear_source_open(context, &file, 1, NULL, &source, &error), &error);
  must(osdear_source_schema(source, schema, &error), &error);
  must(osdear_source_schema(source, &copy, &error), &error);
  must(osdear_source_stream(source, &rows, &error), &error);
  while (count < MOST_BATCHES && rows.get_next(&rows, &batches[count]) == 0 && batches[count].release)
    count++;
  rows.release(&rows);
  must(osdear_stream_new(&copy, batches, count, out, &error), &error);
  free(batches);
  osdear_source_free(source);
}

static void append(osdear_context *context, const char *uri, const char *file, const char *partition)
{
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  struct ArrowSchema schema;
  struct ArrowArrayStream rows;
  osdear_table *table = NULL;
  osdear_error *error = NULL;
  moment start;

  load(context, file, &schema, &rows);
  if (partition) {
    options.partition_columns = &partition;
    options.partition_count = 1;
  }
  start = now();
  must(osdear_table_create(context, uri, &schema, &options, &table, &error), &error);
  must(osdear_table_append(table, &rows, NULL, &result, &error), &error);
  report(start, "rows", result.rows);
  schema.release(&schema);
  osdear_table_free(table);
}

static void small(osdear_context *context, const char *uri, int64_t commits)
{
  struct ArrowSchema schema;
  osdear_table *table = NULL;
  osdear_error *error = NULL;
  moment start;

  rows_schema(&schema);
  must(osdear_table_create(context, uri, &schema, NULL, &table, &error), &error);
  schema.release(&schema);
  start = now();
  for (int64_t i = 0; i < commits; i++) {
    struct ArrowArrayStream rows;

    rows_stream(i, 1, 1, &rows);
    must(osdear_table_append(table, &rows, NULL, NULL, &error), &error);
  }
  report(start, "commits", commits);
  osdear_table_free(table);
}

int main(int argc, char **argv)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  const char *threads = getenv("OSDEAR_BENCH_THREADS");
  const char *verb = argc > 2 ? argv[1] : "";
  osdear_context *context = NULL;
  osdear_error *error = NULL;

  options.threads = threads ? (int32_t)strtol(threads, NULL, 10) : 0;
  must(osdear_context_new(&options, &context, &error), &error);
  if (strcmp(verb, "list") == 0)
    list(context, argv[2]);
  else if (strcmp(verb, "scan") == 0)
    scan(context, argv[2], argc > 3 ? argv[3] : NULL, argc > 4 ? argv[4] : NULL);
  else if (strcmp(verb, "append") == 0 && argc > 3)
    append(context, argv[2], argv[3], argc > 4 ? argv[4] : NULL);
  else if (strcmp(verb, "small") == 0 && argc > 3)
    small(context, argv[2], strtoll(argv[3], NULL, 10));
  else
    fprintf(stderr, "usage: osdear-bench list|scan|append|small TABLE ...\n");
  osdear_context_unref(context);
  return verb[0] ? EXIT_SUCCESS : 2;
}
