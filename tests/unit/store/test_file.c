#include "../../support/folder.h"
#include <store/store.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct place {
  char folder[FOLDER_ROOM];
  osdear__store *store;
} place;

static void enter(place *self)
{
  *self = (place){ 0 };
  folder_make("file", self->folder);
  cr_assert_eq(osdear__store_open(NULL, self->folder, NULL, 0, &self->store, NULL), OSDEAR_OK);
}

static void leave(place *self)
{
  osdear__store_unref(self->store);
  folder_remove(self->folder);
}

static void touch(const place *self, const char *name, const char *text)
{
  char path[300];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", self->folder, name);
  file = fopen(path, "w");
  cr_assert_not_null(file);
  fputs(text, file);
  fclose(file);
}

static void make_link(const place *self, const char *target, const char *name)
{
  char path[300];

  snprintf(path, sizeof path, "%s/%s", self->folder, name);
  cr_assert_eq(symlink(target, path), 0);
}

static void make_folder(const place *self, const char *name)
{
  char path[300];

  snprintf(path, sizeof path, "%s/%s", self->folder, name);
  cr_assert_eq(mkdir(path, 0777), 0);
}

static osdear_status gather(void *argument, const osdear__store_item *item, osdear_error **error)
{
  (void)error;
  osdear__buf_printf(argument, "%s ", item->path);
  return OSDEAR_OK;
}

static void expect_files(place *self, const char *wanted)
{
  SCOPED(buf) got = { 0 };
  osdear_error *error = NULL;
  osdear_status st = osdear__store_list(self->store, "", NULL, true, gather, &got, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(got.data ? got.data : "", wanted);
}

Test(file_store, leaves_out_what_a_crash_left)
{
  place here;

  enter(&here);
  touch(&here, ".3b1f.osdear-tmp", "half a fi");
  touch(&here, ".other", "");
  touch(&here, "visible.osdear-tmp", "");
  expect_files(&here, ".other visible.osdear-tmp ");
  leave(&here);
}

Test(file_store, follows_links_but_no_loops)
{
  place here;

  enter(&here);
  make_folder(&here, "a");
  touch(&here, "a/file", "x");
  make_link(&here, "..", "a/up");
  make_link(&here, "a", "b");
  make_link(&here, "self", "self");
  make_link(&here, "nowhere", "broken");
  make_link(&here, "a/file", "link");
  expect_files(&here, "a/file b/file link ");
  leave(&here);
}

Test(file_store, does_not_wait_for_a_pipe, .timeout = 10)
{
  SCOPED(buf) got = { 0 };
  osdear__input *input = NULL;
  char path[100];
  place here;

  enter(&here);
  snprintf(path, sizeof path, "%s/pipe", here.folder);
  cr_assert_eq(mkfifo(path, 0666), 0);
  cr_assert_eq(osdear__store_get(here.store, "pipe", 10, &got, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_open_input(here.store, "pipe", 10, &input, NULL), OSDEAR_ERR_NOT_FOUND);
  expect_files(&here, "");
  leave(&here);
}

Test(file_store, reads_absolute_addresses)
{
  SCOPED(buf) got = { 0 };
  osdear__store_item item;
  char address[200];
  place here, there;

  enter(&here);
  enter(&there);
  touch(&there, "a %20b", "text");
  snprintf(address, sizeof address, "%s/a %%20b", there.folder);
  cr_assert_eq(osdear__store_get(here.store, address, 10, &got, NULL), OSDEAR_OK);
  snprintf(address, sizeof address, "file://%s/a %%20b", there.folder);
  cr_assert_eq(osdear__store_get(here.store, address, 10, &got, NULL), OSDEAR_OK);
  snprintf(address, sizeof address, "file:%s/a %%20b", there.folder);
  cr_assert_eq(osdear__store_get(here.store, address, 20, &got, NULL), OSDEAR_OK);
  cr_assert_str_eq(got.data, "texttexttext");
  cr_assert_eq(osdear__store_stat(here.store, address, &item, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__store_get(here.store, "s3://bucket/key", 10, &got, NULL), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_eq(osdear__store_get(here.store, "/tmp/../etc/passwd", 10, &got, NULL), OSDEAR_ERR_ARGUMENT);
  leave(&here);
  leave(&there);
}

Test(file_store, is_found_from_a_relative_path)
{
  AUTO(store) store = NULL;
  char wanted[100];
  place here;

  enter(&here);
  cr_assert_eq(chdir(here.folder), 0);
  cr_assert_eq(osdear__store_open(NULL, "./sub/", NULL, 0, &store, NULL), OSDEAR_OK);
  cr_assert_eq(chdir("/"), 0);
  snprintf(wanted, sizeof wanted, "%s/sub", here.folder);
  cr_assert_str_eq(osdear__store_uri(store), wanted);
  cr_assert_eq(osdear__store_put(store, "x", "1", 1, NULL), OSDEAR_OK);
  expect_files(&here, "sub/x ");
  leave(&here);
}

Test(file_store, tells_a_folder_that_may_not_be_written)
{
  osdear_error *error = NULL;
  place here;

  enter(&here);
  touch(&here, "file", "");
  cr_assert_eq(osdear__store_put(here.store, "file/below", "1", 1, &error), OSDEAR_ERR_NOT_FOUND);
  cr_assert_not_null(strstr(osdear_error_message(error), "file/"), "%s", osdear_error_message(error));
  osdear_error_free(error);
  leave(&here);
}

Test(file_store, lists_a_large_folder_quickly, .timeout = 60)
{
  enum { FILES = 20000 };
  SCOPED(buf) got = { 0 };
  int64_t start, took;
  place here;

  enter(&here);
  for (int i = 0; i < FILES; i++) {
    char path[100];
    int fd;
    snprintf(path, sizeof path, "%s/%020d.json", here.folder, (i * 7919) % FILES);
    fd = open(path, O_CREAT | O_WRONLY, 0666);
    cr_assert(fd >= 0);
    close(fd);
  }
  start = osdear__monotonic_us();
  cr_assert_eq(osdear__store_list(here.store, "", "00000000000000019990.json", false, gather, &got, NULL), OSDEAR_OK);
  cr_assert_eq(got.size, 9 * 26);
  osdear__buf_clear(&got);
  cr_assert_eq(osdear__store_list(here.store, "", NULL, false, gather, &got, NULL), OSDEAR_OK);
  took = osdear__monotonic_us() - start;
  cr_assert_eq(got.size, FILES * 26);
  cr_assert(took < 2000000, "%lld us", (long long)took);
  leave(&here);
}

#ifdef OSDEAR_FAULTS
/* How many entries of any name the folder has. */
static int count_entries;
static int count_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)path, (void)info, (void)walk;
  count_entries += kind == FTW_F;
  return 0;
}

static int entries_of(const place *self)
{
  count_entries = 0;
  nftw(self->folder, count_entry, 16, FTW_PHYS);
  return count_entries;
}

typedef osdear_status (*fault_body)(place *here, osdear_error **error);

static osdear_status put_and_get(place *here, osdear_error **error)
{
  SCOPED(buf) got = { 0 };
  osdear_status st = osdear__store_put_if_absent(here->store, "deep/er/file", "0123456789", 10, error);

  if (st)
    return st;
  st = osdear__store_get(here->store, "deep/er/file", 100, &got, error);
  if (st)
    return st;
  cr_assert_str_eq(got.data, "0123456789");
  return osdear__store_delete(here->store, "deep/er/file", error);
}

static osdear_status stream_and_read(place *here, osdear_error **error)
{
  AUTO(output) output = NULL;
  AUTO(input) input = NULL;
  char got[11] = { 0 };
  osdear_status st = osdear__store_create(here->store, "deep/file", &output, error);

  if (!st)
    st = osdear__output_write(output, "0123", 4, error);
  if (!st)
    st = osdear__output_write(output, "456789", 6, error);
  if (!st)
    st = output->finish(output, error);
  if (!st)
    st = osdear__store_open_input(here->store, "deep/file", 10, &input, error);
  if (!st)
    st = osdear__input_read(input, 0, got, 10, error);
  if (st)
    return st;
  cr_assert_str_eq(got, "0123456789");
  return osdear__store_delete(here->store, "deep/file", error);
}

static osdear_status open_and_list(place *here, osdear_error **error)
{
  AUTO(store) store = NULL;
  SCOPED(buf) got = { 0 };
  osdear_status st = osdear__store_open(NULL, here->folder, NULL, 0, &store, error);

  touch(here, "a", "");
  if (!st)
    st = osdear__store_list(store, "", NULL, true, gather, &got, error);
  if (!st)
    st = osdear__buf_check(&got, error);
  return st;
}

/* Each call in turn fails, once and from there on for ever; what failed must leave no half file and no block of memory. */
static void torture(fault_body body, osdear__fault_kind kind, bool once)
{
  for (int64_t n = 0;; n++) {
    osdear_error *error = NULL;
    int64_t live, failed;
    osdear_status st;
    place here;

    enter(&here);
    live = osdear__live();
    osdear__fault_arm(kind, n, once);
    st = body(&here, &error);
    failed = osdear__fault_count();
    osdear__fault_disarm();
    cr_assert_eq(st, osdear_error_status(error));
    osdear_error_free(error);
    cr_assert_eq(osdear__live(), live, "leak when call %lld of kind %d fails", (long long)n, (int)kind);
    if (st)
      cr_assert(entries_of(&here) <= 1, "a failed call left %d files", entries_of(&here));
    leave(&here);
    if (failed == 0)
      break;
    if (kind == FAULT_SHORT)
      cr_assert_eq(st, OSDEAR_OK, "a short read or write goes on");
    if (kind == FAULT_READ || kind == FAULT_WRITE)
      cr_assert_eq(st, OSDEAR_ERR_IO);
    cr_assert(n < 1000);
  }
}

Test(file_store, survives_every_fault, .timeout = 120)
{
  static const fault_body bodies[] = { put_and_get, stream_and_read, open_and_list };

  for (size_t i = 0; i < COUNT_OF(bodies); i++)
    for (int kind = FAULT_ALLOC; kind < FAULT_KINDS; kind++) {
      torture(bodies[i], (osdear__fault_kind)kind, true);
      torture(bodies[i], (osdear__fault_kind)kind, false);
    }
}

Test(file_store, leaves_nothing_of_a_stream_that_failed)
{
  for (int64_t n = 0; n < 6; n++) {
    AUTO(output) output = NULL;
    osdear_status st;
    place here;

    enter(&here);
    osdear__fault_arm(FAULT_WRITE, n, true);
    st = osdear__store_create(here.store, "file", &output, NULL);
    if (!st)
      st = osdear__output_write(output, "0123", 4, NULL);
    if (!st)
      st = output->finish(output, NULL);
    osdear__fault_disarm();
    osdear__output_auto(&output);
    cr_assert_eq(entries_of(&here), st ? 0 : 1, "call %lld", (long long)n);
    cr_assert_eq(st, n < 5 ? OSDEAR_ERR_IO : OSDEAR_OK);
    leave(&here);
  }
}

Test(memory_store, survives_every_failing_allocation)
{
  osdear__store *keep = NULL;

  cr_assert_eq(osdear__store_open(NULL, "memory://oom", NULL, 0, &keep, NULL), OSDEAR_OK);
  for (int64_t n = 0;; n++) {
    SCOPED(buf) got = { 0 };
    int64_t live = osdear__live();
    int64_t failed;
    osdear__store *store = NULL;
    osdear_error *error = NULL;
    osdear_status st;
    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = osdear__store_open(NULL, "memory://oom/a", NULL, 0, &store, &error);
    if (!st)
      st = osdear__store_put(store, "x", "1", 1, &error);
    if (!st)
      st = osdear__store_list(store, "", NULL, true, gather, &got, &error);
    if (!st)
      st = osdear__buf_check(&got, &error);
    failed = osdear__fault_count();
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
    if (store)
      cr_assert_neq(osdear__store_delete(store, "x", NULL), OSDEAR_ERR_IO);
    osdear__store_unref(store);
    osdear_error_free(error);
    osdear__buf_drop(&got);
    cr_assert(osdear__live() <= live + 1, "leak at allocation %lld", (long long)n); /* the list of files grows once */
    if (failed == 0)
      break;
  }
  osdear__store_unref(keep);
  osdear__memory_store_forget("oom");
  cr_assert_eq(osdear__live(), 0);
}

#endif
