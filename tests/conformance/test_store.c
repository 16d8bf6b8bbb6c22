/* What every kind of store must do, run on each of them. */
#include <store/store.h>

#include <criterion/criterion.h>
#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

typedef void (*store_body)(osdear__store *store);

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info, (void)kind, (void)walk;
  return remove(path);
}

static void on_the_file_store(store_body body)
{
  char folder[] = "/tmp/osdear-store-XXXXXX";
  osdear__store *store = NULL;

  cr_assert_not_null(mkdtemp(folder));
  cr_assert_eq(osdear__store_open(NULL, folder, NULL, 0, &store, NULL), OSDEAR_OK);
  body(store);
  osdear__store_unref(store);
  nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void on_the_memory_store(store_body body)
{
  osdear__store *store = NULL;

  cr_assert_eq(osdear__store_open(NULL, "memory://conformance/some/folder", NULL, 0, &store, NULL), OSDEAR_OK);
  body(store);
  osdear__store_unref(store);
  osdear__memory_store_forget("conformance");
}

/* Each line of OSDEAR_TEST_S3, which tests/support/s3_servers.py sets: NAME ENDPOINT KEY SECRET BUCKET. */
static void on_the_s3_stores(store_body body)
{
  const char *at = getenv("OSDEAR_TEST_S3");
  char name[40], endpoint[200], key[100], secret[100], bucket[64];
  int length = 0;

  while (at && sscanf(at, "%39s %199s %99s %99s %63s%n", name, endpoint, key, secret, bucket, &length) == 5) {
    osdear_pair settings[] = { { "aws_endpoint", endpoint }, { "aws_access_key_id", key }, { "aws_secret_access_key", secret } };
    osdear__store *store = NULL;
    osdear_error *error = NULL;
    char uri[150], unique[37];
    osdear__uuid(unique);
    snprintf(uri, sizeof uri, "s3://%s/conformance/%s", bucket, unique);
    cr_assert_eq(osdear__store_open(NULL, uri, settings, COUNT_OF(settings), &store, &error), OSDEAR_OK, "%s: %s", name,
                 osdear_error_message(error));
    body(store);
    osdear__store_unref(store);
    at += length;
  }
}

static void on_every_store(store_body body)
{
  if (getenv("OSDEAR_TEST_S3")) {
    on_the_s3_stores(body);
    return;
  }
  on_the_file_store(body);
  on_the_memory_store(body);
}

static void put(osdear__store *store, const char *path, const char *text)
{
  osdear_error *error = NULL;
  osdear_status st = osdear__store_put_if_absent(store, path, text, strlen(text), &error);

  cr_assert_eq(st, OSDEAR_OK, "%s: %s", path, osdear_error_message(error));
}

static void expect(osdear__store *store, const char *path, const char *text)
{
  SCOPED(buf) got = { 0 };
  osdear_error *error = NULL;
  osdear_status st = osdear__store_get(store, path, 1 << 20, &got, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s: %s", path, osdear_error_message(error));
  cr_assert_str_eq(got.data, text);
}

static osdear_status gather(void *argument, const osdear__store_item *item, osdear_error **error)
{
  (void)error;
  osdear__buf_printf(argument, "%s:%lld ", item->path, (long long)item->size_bytes);
  return OSDEAR_OK;
}

static void expect_list(osdear__store *store, const char *prefix, const char *after, bool recursive, const char *wanted)
{
  SCOPED(buf) got = { 0 };
  osdear_error *error = NULL;
  osdear_status st = osdear__store_list(store, prefix, after, recursive, gather, &got, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(got.data ? got.data : "", wanted, "prefix \"%s\" after \"%s\": \"%s\" instead of \"%s\"", prefix,
                   after ? after : "(none)", got.data ? got.data : "", wanted);
}

static void what_is_put(osdear__store *store)
{
  SCOPED(buf) got = { 0 };

  put(store, "a/b/c.json", "text");
  put(store, "empty", "");
  expect(store, "a/b/c.json", "text");
  expect(store, "empty", "");
  osdear__buf_puts(&got, "before ");
  cr_assert_eq(osdear__store_get(store, "a/b/c.json", 4, &got, NULL), OSDEAR_OK);
  cr_assert_str_eq(got.data, "before text");
}

Test(store, gives_back_what_was_put)
{
  on_every_store(what_is_put);
}

static void second_put(osdear__store *store)
{
  osdear_error *error = NULL;

  put(store, "log/0.json", "first");
  cr_assert_eq(osdear__store_put_if_absent(store, "log/0.json", "second", 6, &error), OSDEAR_ERR_EXISTS);
  cr_assert_eq(osdear_error_status(error), OSDEAR_ERR_EXISTS);
  osdear_error_free(error);
  expect(store, "log/0.json", "first");
  expect_list(store, "", NULL, true, "log/0.json:5 ");
}

Test(store, never_puts_over_what_is_there)
{
  on_every_store(second_put);
}

static void replacing(osdear__store *store)
{
  cr_assert_eq(osdear__store_put(store, "log/hint", "first", 5, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__store_put(store, "log/hint", "second", 6, NULL), OSDEAR_OK);
  expect(store, "log/hint", "second");
  expect_list(store, "", NULL, true, "log/hint:6 ");
}

Test(store, replaces_a_hint)
{
  on_every_store(replacing);
}

static void listing(osdear__store *store)
{
  put(store, "a.txt", "1");
  put(store, "a/x", "22");
  put(store, "a/y/z", "333");
  put(store, "ab", "4444");
  put(store, "b/\xc3\xa9 %+#?", "55555");
  put(store, ".hidden/_f", "");
  expect_list(store, "", NULL, true, ".hidden/_f:0 a.txt:1 a/x:2 a/y/z:3 ab:4 b/\xc3\xa9 %+#?:5 ");
  expect_list(store, "", NULL, false, "a.txt:1 ab:4 ");
  expect_list(store, "a", NULL, true, "a.txt:1 a/x:2 a/y/z:3 ab:4 ");
  expect_list(store, "a", NULL, false, "a.txt:1 ab:4 ");
  expect_list(store, "a/", NULL, false, "a/x:2 ");
  expect_list(store, "a/", NULL, true, "a/x:2 a/y/z:3 ");
  expect_list(store, "a/y/z", NULL, false, "a/y/z:3 ");
  expect_list(store, "no/such/folder/", NULL, true, "");
  expect_list(store, "a.txt/", NULL, true, "");
}

Test(store, lists_in_bytewise_order)
{
  on_every_store(listing);
}

static void listing_after(osdear__store *store)
{
  put(store, "a.txt", "1");
  put(store, "a/x", "22");
  put(store, "a/y/z", "333");
  put(store, "ab", "4444");
  expect_list(store, "", "a.txt", true, "a/x:2 a/y/z:3 ab:4 ");
  expect_list(store, "", "a/x", true, "a/y/z:3 ab:4 ");
  expect_list(store, "", "a/y", true, "a/y/z:3 ab:4 ");
  expect_list(store, "", "a/y/z", true, "ab:4 ");
  expect_list(store, "", "a/", true, "a/x:2 a/y/z:3 ab:4 ");
  expect_list(store, "", "a0", true, "ab:4 ");
  expect_list(store, "a/", "a/x", false, "");
  expect_list(store, "a/", "Z", false, "a/x:2 ");
  expect_list(store, "a/", "b", true, "");
}

Test(store, lists_what_comes_after_a_path)
{
  on_every_store(listing_after);
}

static osdear_status stop_at_second(void *argument, const osdear__store_item *item, osdear_error **error)
{
  int *seen = argument;

  (void)item;
  return ++*seen == 2 ? osdear__fail(error, OSDEAR_ERR_LIMIT, "enough") : OSDEAR_OK;
}

static void stopped_listing(osdear__store *store)
{
  osdear_error *error = NULL;
  int seen = 0;

  put(store, "a", "");
  put(store, "b/c", "");
  put(store, "d", "");
  cr_assert_eq(osdear__store_list(store, "", NULL, true, stop_at_second, &seen, &error), OSDEAR_ERR_LIMIT);
  cr_assert_eq(seen, 2);
  cr_assert_str_eq(osdear_error_message(error), "enough");
  osdear_error_free(error);
}

Test(store, ends_a_listing_when_the_visitor_fails)
{
  on_every_store(stopped_listing);
}

/* That nothing is there, opening tells or the first read. */
static osdear_status open_and_read(osdear__store *store, const char *path, int64_t size)
{
  AUTO(input) input = NULL;
  char byte;
  osdear_status st = osdear__store_open_input(store, path, size, &input, NULL);

  return st ? st : osdear__input_read(input, 0, &byte, 1, NULL);
}

static void missing(osdear__store *store)
{
  SCOPED(buf) got = { 0 };
  osdear__input *input = NULL;
  osdear__store_item item;

  put(store, "folder/file", "x");
  cr_assert_eq(osdear__store_get(store, "no", 10, &got, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_get(store, "folder", 10, &got, NULL), OSDEAR_ERR_NOT_FOUND, "a folder is no file");
  cr_assert_eq(osdear__store_get(store, "folder/file/below", 10, &got, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_open_input(store, "no", -1, &input, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(open_and_read(store, "folder", 4), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_stat(store, "no", &item, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_stat(store, "folder", &item, NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_delete(store, "no", NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__store_delete(store, "folder", NULL), OSDEAR_ERR_NOT_FOUND);
  cr_assert_null(input);
  cr_assert_eq(osdear__store_delete(store, "folder/file", NULL), OSDEAR_OK);
  cr_assert_eq(osdear__store_delete(store, "folder/file", NULL), OSDEAR_ERR_NOT_FOUND);
  expect_list(store, "", NULL, true, "");
}

Test(store, says_not_found_for_what_is_not_a_file)
{
  on_every_store(missing);
}

static void too_large(osdear__store *store)
{
  SCOPED(buf) got = { 0 };

  put(store, "file", "12345");
  cr_assert_eq(osdear__store_get(store, "file", 5, &got, NULL), OSDEAR_OK);
  osdear__buf_clear(&got);
  cr_assert_eq(osdear__store_get(store, "file", 4, &got, NULL), OSDEAR_ERR_LIMIT);
  cr_assert_eq(got.size, 0);
}

Test(store, refuses_to_get_more_than_the_limit)
{
  on_every_store(too_large);
}

static void ranges(osdear__store *store)
{
  AUTO(input) input = NULL;
  AUTO(input) longer = NULL;
  osdear__store_item item;
  char got[6] = { 0 };

  put(store, "file", "0123456789");
  cr_assert_eq(osdear__store_stat(store, "file", &item, NULL), OSDEAR_OK);
  cr_assert_eq(item.size_bytes, 10);
  cr_assert(item.modified_ms > INT64_C(1600000000000));
  cr_assert_eq(osdear__store_open_input(store, "file", -1, &input, NULL), OSDEAR_OK);
  cr_assert_eq(input->size_bytes, 10);
  cr_assert_eq(osdear__input_read(input, 3, got, 5, NULL), OSDEAR_OK);
  cr_assert_str_eq(got, "34567");
  cr_assert_eq(osdear__input_read(input, 6, got, 5, NULL), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(osdear__store_delete(store, "file", NULL), OSDEAR_OK);
  cr_assert_eq(osdear__input_read(input, 5, got, 5, NULL), OSDEAR_OK, "an open file outlives its name");
  cr_assert_str_eq(got, "56789");
  put(store, "file", "short");
  cr_assert_eq(osdear__store_open_input(store, "file", 10, &longer, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__input_read(longer, 3, got, 5, NULL), OSDEAR_ERR_CORRUPT, "a wrong size is found on reading");
}

Test(store, reads_ranges_of_a_file)
{
  on_every_store(ranges);
}

static void streaming(osdear__store *store)
{
  AUTO(output) output = NULL;
  AUTO(output) given_up = NULL;
  AUTO(output) late = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__store_create(store, "p=1/data.parquet", &output, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__output_write(output, "abc", 3, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__output_write(output, "def", 3, NULL), OSDEAR_OK);
  cr_assert_eq(output->written, 6);
  expect_list(store, "", NULL, true, "");
  cr_assert_eq(output->finish(output, NULL), OSDEAR_OK);
  expect(store, "p=1/data.parquet", "abcdef");
  cr_assert_eq(osdear__output_write(output, "x", 1, NULL), OSDEAR_ERR_STATE);

  cr_assert_eq(osdear__store_create(store, "p=2/data.parquet", &given_up, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__output_write(given_up, "abc", 3, NULL), OSDEAR_OK);
  given_up->close(given_up);
  given_up = NULL;

  cr_assert_eq(osdear__store_create(store, "p=1/data.parquet", &late, NULL), OSDEAR_OK);
  cr_assert_eq(late->finish(late, &error), OSDEAR_ERR_EXISTS, "names of data files are never used twice");
  osdear_error_free(error);
  expect_list(store, "", NULL, true, "p=1/data.parquet:6 ");
}

Test(store, shows_a_streamed_file_once_it_is_finished)
{
  on_every_store(streaming);
}

static void bad_paths(osdear__store *store)
{
  static const char *const bad[] = { "", "/a", "../a", "a/../b", "a/..", "..", "a/", "file:///x", "s3://b/k" };
  osdear__output *output = NULL;

  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    cr_assert_eq(osdear__store_put_if_absent(store, bad[i], "x", 1, NULL), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
    cr_assert_eq(osdear__store_put(store, bad[i], "x", 1, NULL), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
    cr_assert_eq(osdear__store_create(store, bad[i], &output, NULL), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
    cr_assert_eq(osdear__store_delete(store, bad[i], NULL), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
  }
  put(store, "a..b/..c/d..", "dots within a name are harmless");
  expect_list(store, "", NULL, true, "a..b/..c/d..:31 ");
  cr_assert_eq(osdear__store_list(store, "../", NULL, true, gather, NULL, NULL), OSDEAR_ERR_ARGUMENT);
}

Test(store, refuses_paths_that_lead_outside)
{
  on_every_store(bad_paths);
}

enum { WRITERS = 8, ROUNDS = 50 };

typedef struct contest {
  osdear__store *store;
  atomic_int won;
  atomic_int lost;
  atomic_int failed;
} contest;

static void *compete(void *argument)
{
  contest *self = argument;

  for (int i = 0; i < ROUNDS; i++) {
    char path[32];
    osdear_status st;
    snprintf(path, sizeof path, "log/%05d", i);
    st = osdear__store_put_if_absent(self->store, path, path, strlen(path), NULL);
    atomic_fetch_add(st == OSDEAR_OK ? &self->won : st == OSDEAR_ERR_EXISTS ? &self->lost : &self->failed, 1);
  }
  return NULL;
}

static void racing(osdear__store *store)
{
  contest self = { .store = store };
  pthread_t threads[WRITERS];

  for (int i = 0; i < WRITERS; i++)
    cr_assert_eq(pthread_create(&threads[i], NULL, compete, &self), 0);
  for (int i = 0; i < WRITERS; i++)
    pthread_join(threads[i], NULL);
  cr_assert_eq(self.failed, 0);
  cr_assert_eq(self.won, ROUNDS);
  cr_assert_eq(self.lost, (WRITERS - 1) * ROUNDS);
}

Test(store, lets_exactly_one_writer_win, .timeout = 60)
{
  on_every_store(racing);
}
