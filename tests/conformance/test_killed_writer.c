/* A writer is killed 200 times, at random moments: the table can always be read, and what the writer was told is committed is there. */
#include <arrow/arrow.h>
#include <osdear.h>

#include "../support/rows.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { KILLS = 200, MAX_ROWS = 1 << 20, SEED = 20261123 };

/* How often each row was seen, and which were acknowledged. */
static unsigned char seen[MAX_ROWS], acknowledged[MAX_ROWS];

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info, (void)kind, (void)walk;
  return remove(path);
}

static osdear_context *new_context(void)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;

  options.threads = 1;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  return context;
}

/* Checkpoints come often, so that many kills fall into one. Partitions make one commit several files. */
static void create(const char *folder)
{
  static const osdear_pair properties[] = { { "delta.checkpointInterval", "3" } };
  static const char *const columns[] = { "day" };
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  osdear_context *context = new_context();
  osdear_table *table = NULL;
  struct ArrowSchema schema;

  options.properties = properties;
  options.property_count = 1;
  options.partition_columns = columns;
  options.partition_count = 1;
  rows_schema(&schema);
  cr_assert_eq(osdear_table_create(context, folder, &schema, &options, &table, NULL), OSDEAR_OK);
  schema.release(&schema);
  osdear_table_free(table);
  osdear_context_unref(context);
}

/* Appends three rows at a time and tells the first of them once they are committed, until it is killed. */
static void write_until_killed(const char *folder, int64_t next, int tell)
{
  osdear_context *context = new_context();
  osdear_table *table = NULL;

  if (osdear_table_open(context, folder, NULL, &table, NULL))
    _exit(2);
  for (;; next += 3) {
    struct ArrowArrayStream rows;
    rows_stream(next, 3, 3, &rows);
    if (osdear_table_append(table, &rows, NULL, NULL, NULL))
      _exit(3);
    if (write(tell, &next, sizeof next) != (ssize_t)sizeof next)
      _exit(4);
  }
}

static void count_rows(const char *folder)
{
  osdear_context *context = new_context();
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  osdear_error *error = NULL;
  struct ArrowArrayStream stream;
  AUTO(reader) reader = NULL;

  memset(seen, 0, sizeof seen);
  cr_assert_eq(osdear_snapshot_open(context, folder, NULL, &snapshot, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(osdear_scan_new(snapshot, NULL, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  for (;;) {
    struct ArrowArray batch = { 0 };
    cr_assert_eq(osdear__reader_next(reader, &batch, &error), OSDEAR_OK, "%s", osdear_error_message(error));
    if (!batch.release)
      break;
    for (int64_t i = 0; i < batch.length; i++)
      seen[((const int64_t *)batch.children[0]->buffers[1])[i]]++;
    osdear__array_drop(&batch);
  }
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  osdear_context_unref(context);
}

static void check_table(const char *folder, int64_t next)
{
  count_rows(folder);
  for (int64_t i = 0; i < next; i += 3) {
    cr_assert(seen[i] <= 1 && seen[i] == seen[i + 1] && seen[i] == seen[i + 2], "rows %lld are half there", (long long)i);
    cr_assert(seen[i] || !acknowledged[i], "rows %lld were acknowledged and are gone", (long long)i);
  }
}

Test(killed_writer, loses_nothing_that_was_acknowledged, .timeout = 600)
{
  char folder[] = "/tmp/osdear-killed-XXXXXX";
  int64_t next = 0, told = 0;

  cr_assert_not_null(mkdtemp(folder));
  create(folder);
  srandom(SEED);
  for (int round = 0; round < KILLS; round++) {
    int tell[2], status = 0;
    int64_t number;
    pid_t writer;
    cr_assert_eq(pipe(tell), 0);
    writer = fork();
    cr_assert(writer >= 0);
    if (writer == 0)
      write_until_killed(folder, next, tell[1]);
    close(tell[1]);
    usleep((useconds_t)(random() % 60000));
    kill(writer, SIGKILL);
    cr_assert_eq(waitpid(writer, &status, 0), writer);
    cr_assert(WIFSIGNALED(status), "round %d: the writer failed by itself: %d", round, WEXITSTATUS(status));
    while (read(tell[0], &number, sizeof number) == (ssize_t)sizeof number) {
      acknowledged[number] = 1;
      next = number + 3;
      told++;
    }
    close(tell[0]);
    next += 3; /* those that were under way may be there or not */
    if (round % 10 == 9)
      check_table(folder, next);
  }
  check_table(folder, next);
  cr_assert(told > KILLS / 4, "only %lld commits in %d rounds", (long long)told, KILLS);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
