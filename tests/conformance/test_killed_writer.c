/* A writer is killed 200 times, at random moments: the table can always be read, and what the writer was told is committed is there. */
#include <arrow/arrow.h>
#include <osdear.h>

#include "../support/rows.h"
#include "../support/victim.h"

#include <criterion/criterion.h>
#include <ftw.h>
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

/* The folder of the table, the next row that was not given to any writer, and how many commits were acknowledged. */
typedef struct writing {
  const char *folder;
  int64_t next;
  int64_t told;
} writing;

/* Appends three rows at a time and tells the first of them once they are committed. */
static void write_rows(void *argument, int tell)
{
  const writing *self = argument;
  osdear_context *context = new_context();
  osdear_table *table = NULL;

  if (osdear_table_open(context, self->folder, NULL, &table, NULL))
    _exit(2);
  for (int64_t next = self->next;; next += 3) {
    struct ArrowArrayStream rows;
    rows_stream(next, 3, 3, &rows);
    if (osdear_table_append(table, &rows, NULL, NULL, NULL))
      _exit(3);
    victim_tell(tell, next);
  }
}

static void heard(void *argument, int64_t number)
{
  writing *self = argument;

  acknowledged[number] = 1;
  self->next = number + 3;
  self->told++;
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
  writing self = { .folder = folder };

  cr_assert_not_null(mkdtemp(folder));
  create(folder);
  srandom(SEED);
  for (int round = 0; round < KILLS; round++) {
    int status = victim_kill(write_rows, heard, &self);
    cr_assert(WIFSIGNALED(status), "round %d: the writer failed by itself: %d", round, WEXITSTATUS(status));
    self.next += 3; /* those that were under way may be there or not */
    if (round % 10 == 9)
      check_table(folder, self.next);
  }
  check_table(folder, self.next);
  cr_assert(self.told > KILLS / 2, "only %lld commits in %d rounds", (long long)self.told, KILLS);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
