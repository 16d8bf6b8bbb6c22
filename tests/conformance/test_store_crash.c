/* A writer is killed at random moments: what it was writing is whole or not there, and what it was told is written is there. */
#include <store/store.h>

#include <criterion/criterion.h>
#include <ftw.h>
#include <signal.h>
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

/* Writes file after file and tells the number of each that is done, until it is killed. */
static void write_until_killed(osdear__store *store, int from, int tell)
{
  static char data[FILE_SIZE];

  for (int number = from;; number++) {
    char path[40];
    name_of(number, path);
    fill(data, number);
    if (write_one(store, path, data, number % 2) != OSDEAR_OK)
      _exit(1);
    if (write(tell, &number, sizeof number) != (ssize_t)sizeof number)
      _exit(1);
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
  osdear__store *store = NULL;
  found listed = { 0 };
  int next = 0, acknowledged = 0;

  cr_assert_not_null(mkdtemp(folder));
  cr_assert_eq(osdear__store_open(NULL, folder, NULL, 0, &store, NULL), OSDEAR_OK);
  srandom(20261123);
  for (int round = 0; round < ROUNDS; round++) {
    int tell[2];
    int number;
    pid_t child;
    cr_assert_eq(pipe(tell), 0);
    child = fork();
    if (child == 0)
      write_until_killed(store, next, tell[1]);
    close(tell[1]);
    usleep((useconds_t)(random() % 20000));
    kill(child, SIGKILL);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    while (read(tell[0], &number, sizeof number) == (ssize_t)sizeof number) {
      char path[40];
      name_of(number, path);
      check_contents(store, path, number);
      acknowledged++;
      next = number + 1;
    }
    close(tell[0]);
    next++; /* the one that was cut off may be there or not */
  }
  listed.store = store;
  cr_assert_eq(osdear__store_list(store, "", NULL, true, check_listed, &listed, NULL), OSDEAR_OK);
  cr_assert(listed.count >= acknowledged && listed.count <= acknowledged + ROUNDS, "%d files, %d acknowledged", listed.count,
            acknowledged);
  cr_assert(acknowledged > ROUNDS / 2);
  osdear__store_unref(store);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
