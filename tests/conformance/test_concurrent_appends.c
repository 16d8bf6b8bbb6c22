/* Many processes append to one table at the same time: every append is there, once. */
#include <arrow/arrow.h>
#include <osdear.h>

#include "../support/rows.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WRITERS = 8, APPENDS = 100 };

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

static void create(const char *folder)
{
  osdear_context *context = new_context();
  osdear_table *table = NULL;
  struct ArrowSchema schema;

  rows_schema(&schema);
  cr_assert_eq(osdear_table_create(context, folder, &schema, NULL, &table, NULL), OSDEAR_OK);
  schema.release(&schema);
  osdear_table_free(table);
  osdear_context_unref(context);
}

/* The exit code says what went wrong. */
static int append_rows(const char *folder, int64_t first)
{
  osdear_context *context = new_context();
  osdear_table *table = NULL;
  osdear_error *error = NULL;
  int failed = osdear_table_open(context, folder, NULL, &table, &error) != OSDEAR_OK;

  for (int64_t i = 0; i < APPENDS && !failed; i++) {
    struct ArrowArrayStream rows;
    rows_stream(first + i, 1, 1, &rows);
    failed = osdear_table_append(table, &rows, NULL, NULL, &error) != OSDEAR_OK;
  }
  if (failed)
    fprintf(stderr, "writer: %s\n", osdear_error_message(error));
  osdear_error_free(error);
  osdear_table_free(table);
  osdear_context_unref(context);
  return failed;
}

static void expect_each_once(const char *folder)
{
  osdear_context *context = new_context();
  osdear_snapshot *snapshot = NULL;
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream;
  AUTO(reader) reader = NULL;
  int seen[WRITERS * APPENDS] = { 0 };

  cr_assert_eq(osdear_snapshot_open(context, folder, NULL, &snapshot, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_snapshot_version(snapshot), WRITERS * APPENDS);
  cr_assert_eq(osdear_scan_new(snapshot, NULL, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  for (;;) {
    struct ArrowArray batch = { 0 };
    cr_assert_eq(osdear__reader_next(reader, &batch, NULL), OSDEAR_OK);
    if (!batch.release)
      break;
    for (int64_t i = 0; i < batch.length; i++) {
      int64_t id = ((const int64_t *)batch.children[0]->buffers[1])[i];
      cr_assert(id >= 0 && id < WRITERS * APPENDS);
      seen[id]++;
    }
    osdear__array_drop(&batch);
  }
  for (int i = 0; i < WRITERS * APPENDS; i++)
    cr_assert_eq(seen[i], 1, "row %d is there %d times", i, seen[i]);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
  osdear_context_unref(context);
}

Test(concurrent_appends, are_each_there_once, .timeout = 600)
{
  char folder[] = "/tmp/osdear-appends-XXXXXX";
  pid_t writers[WRITERS];

  cr_assert_not_null(mkdtemp(folder));
  create(folder);
  for (int i = 0; i < WRITERS; i++) {
    writers[i] = fork();
    cr_assert(writers[i] >= 0);
    if (writers[i] == 0)
      _exit(append_rows(folder, (int64_t)i * APPENDS));
  }
  for (int i = 0; i < WRITERS; i++) {
    int status = 0;
    cr_assert_eq(waitpid(writers[i], &status, 0), writers[i]);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "writer %d failed", i);
  }
  expect_each_once(folder);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
