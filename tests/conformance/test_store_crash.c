/* A writer is killed at random moments: what it was writing is whole or not there, and what it was told is written is there. */
#include <store/store.h>

#include "../support/victim.h"

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 60, FILE_SIZE = 300000 };

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info, (void)kind, (void)walk;
  return remove(path);
}

static void fill(char *data, int number)
{
  for (int i = 0; i < FILE_SIZE; i++)
    data[i] = (char)(i * 31 + number);
}

static void name_of(int number, char path[40])
{
  snprintf(path, 40, "f%d/%08d", number % 3, number);
}

static osdear_status write_one(osdear__store *store, const char *path, const char *data, bool streamed)
{
  AUTO(output) output = NULL;
  osdear_status st;

  if (!streamed)
    return osdear__store_put_if_absent(store, path, data, FILE_SIZE, NULL);
  st = osdear__store_create(store, path, &output, NULL);
  for (int at = 0; at < FILE_SIZE && !st; at += 10000)
    st = osdear__output_write(output, data + at, 10000, NULL);
  return st ? st : output->finish(output, NULL);
}

/* The next file that no writer was given, and how many were acknowledged. */
typedef struct writing {
  osdear__store *store;
  int next;
  int acknowledged;
} writing;

/* Writes file after file and tells the number of each that is done. */
static void write_files(void *argument, int tell)
{
  static char data[FILE_SIZE];
  const writing *self = argument;

  for (int number = self->next;; number++) {
    char path[40];
    name_of(number, path);
    fill(data, number);
    if (write_one(self->store, path, data, number % 2) != OSDEAR_OK)
      _exit(1);
    victim_tell(tell, number);
  }
}

static void check_contents(osdear__store *store, const char *path, int number)
{
  static char wanted[FILE_SIZE];
  SCOPED(buf) got = { 0 };

  cr_assert_eq(osdear__store_get(store, path, FILE_SIZE, &got, NULL), OSDEAR_OK, "%s was acknowledged and is not there", path);
  fill(wanted, number);
  cr_assert_eq(got.size, FILE_SIZE, "%s has %zu bytes", path, got.size);
  cr_assert_eq(memcmp(got.data, wanted, FILE_SIZE), 0, "%s", path);
}

static void heard(void *argument, int64_t number)
{
  writing *self = argument;
  char path[40];

  name_of((int)number, path);
  check_contents(self->store, path, (int)number);
  self->acknowledged++;
  self->next = (int)number + 1;
}

typedef struct found {
  osdear__store *store;
  int count;
} found;

static osdear_status check_listed(void *argument, const osdear__store_item *item, osdear_error **error)
{
  found *self = argument;

  (void)error;
  check_contents(self->store, item->path, atoi(strrchr(item->path, '/') + 1));
  self->count++;
  return OSDEAR_OK;
}

Test(store_crash, never_shows_half_a_file, .timeout = 120)
{
  char folder[] = "/tmp/osdear-crash-XXXXXX";
  writing self = { 0 };
  found listed = { 0 };

  cr_assert_not_null(mkdtemp(folder));
  cr_assert_eq(osdear__store_open(NULL, folder, NULL, 0, &self.store, NULL), OSDEAR_OK);
  srandom(20261123);
  for (int round = 0; round < ROUNDS; round++) {
    cr_assert(WIFSIGNALED(victim_kill(write_files, heard, &self)), "round %d: the writer failed by itself", round);
    self.next++; /* the one that was cut off may be there or not */
  }
  listed.store = self.store;
  cr_assert_eq(osdear__store_list(self.store, "", NULL, true, check_listed, &listed, NULL), OSDEAR_OK);
  cr_assert(listed.count >= self.acknowledged && listed.count <= self.acknowledged + ROUNDS, "%d files, %d acknowledged",
            listed.count, self.acknowledged);
  cr_assert(self.acknowledged > ROUNDS / 2);
  osdear__store_unref(self.store);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
