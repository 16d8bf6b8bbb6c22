/* Objects fetched ahead by the bucket's own thread, whatever becomes of the reader meanwhile. */
#include <store/s3/range.h>

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../support/server.h"

enum { SIZE = 3000000, RANGES = 6, READERS = 4, SMALL_MEMORY = 1 << 20, LARGE_MEMORY = 8 << 20 };

static test_server server;
static osdear_cancel *cancel;
static osdear_context *context;
static osdear__s3 *s3;
static osdear_error *error;

static void start(void)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_pair settings[] = {
    { "aws_endpoint", server.url }, { "aws_skip_signature", "true" }, { "proxy_url", "" }, { "aws_max_attempts", "1" }
  };

  test_server_start_script(&server, "s3_standin.py", NULL);
  cr_assert_eq(osdear_cancel_new(-1, &cancel, NULL), OSDEAR_OK);
  options.cancel = cancel;
  options.threads = 1;
  cr_assert_eq(osdear_context_new(&options, &context, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__s3_open("lake", settings, COUNT_OF(settings), &s3, &error), OSDEAR_OK, "%s", osdear_error_message(error));
}

static void stop(void)
{
  osdear__s3_unref(s3);
  osdear_context_unref(context);
  osdear_cancel_unref(cancel);
  osdear_error_free(error);
  test_server_stop(&server);
}

TestSuite(s3_ahead, .init = start, .fini = stop, .timeout = 60);

typedef struct reading {
  osdear__input *whole, *ahead;
} reading;

/* Opened, its version known, and ranges of half a million bytes each told ahead. */
static reading begin(const char *key, int64_t memory)
{
  osdear__byte_range ranges[RANGES];
  reading r = { 0 };
  char byte;

  for (int i = 0; i < RANGES; i++)
    ranges[i] = (osdear__byte_range){ (int64_t)i * (SIZE / RANGES), SIZE / RANGES };
  cr_assert_eq(osdear__s3_input(s3, context, key, SIZE, NULL, &r.whole, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__input_read(r.whole, 0, &byte, 1, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__input_ahead(r.whole, ranges, RANGES, memory, &r.ahead, NULL), OSDEAR_OK);
  cr_assert_not_null(r.ahead);
  return r;
}

static void end(reading *r)
{
  osdear__input_auto(&r->ahead);
  osdear__input_auto(&r->whole);
}

static bool is_right(osdear__input *input, int64_t offset, size_t size)
{
  static _Thread_local unsigned char bytes[SIZE];
  bool is_same = osdear__input_read(input, offset, bytes, size, NULL) == OSDEAR_OK;

  for (size_t i = 0; is_same && i < size; i++)
    is_same = bytes[i] == (offset + (int64_t)i) % 251;
  return is_same;
}

/* All ranges side by side, as a reader of columns goes through them; every third step is larger than a piece. */
static bool read_side_by_side(osdear__input *input)
{
  bool is_same = true;
  int64_t at = 0;

  for (int step = 0; at < SIZE / RANGES; step++) {
    int64_t size = step % 3 == 2 ? 200000 : 30000;
    size = size < SIZE / RANGES - at ? size : SIZE / RANGES - at;
    for (int i = 0; i < RANGES; i++)
      is_same = is_same && is_right(input, (int64_t)i * (SIZE / RANGES) + at, (size_t)size);
    at += size;
  }
  return is_same;
}

static void *read_one(void *argument)
{
  reading *r = argument;

  return read_side_by_side(r->ahead) ? r : NULL;
}

Test(s3_ahead, many_readers_get_every_byte_whatever_the_memory)
{
  static const int64_t memory[READERS] = { SMALL_MEMORY, LARGE_MEMORY, SMALL_MEMORY * 2, LARGE_MEMORY };
  reading readings[READERS];
  pthread_t threads[READERS];

  for (int i = 0; i < READERS; i++) {
    readings[i] = begin("object", memory[i]);
    cr_assert_eq(pthread_create(&threads[i], NULL, read_one, &readings[i]), 0);
  }
  for (int i = 0; i < READERS; i++) {
    void *is_same;
    pthread_join(threads[i], &is_same);
    cr_assert_not_null(is_same, "reader %d", i);
    end(&readings[i]);
  }
}

Test(s3_ahead, jumps_and_what_was_not_told_are_read_all_the_same)
{
  reading r = begin("object", SMALL_MEMORY);

  cr_assert(is_right(r.ahead, 499000, 1000));
  cr_assert(is_right(r.ahead, 10, 1000));
  cr_assert(is_right(r.ahead, 900000, 1500000));
  cr_assert(is_right(r.ahead, 0, 5000));
  end(&r);
}

Test(s3_ahead, bytes_come_while_nobody_asks_for_them)
{
  reading r = begin("slow", LARGE_MEMORY);
  int64_t before;

  usleep(1500000);
  before = osdear__monotonic_us();
  cr_assert(is_right(r.ahead, 1000000, 1000000));
  cr_assert_lt(osdear__monotonic_us() - before, 150000, "they are asked for now only");
  end(&r);
}

Test(s3_ahead, a_reader_who_goes_away_early_leaves_nothing_behind)
{
  for (int turn = 0; turn < 20; turn++) {
    reading r = begin(turn % 2 ? "slow" : "object", turn % 3 ? SMALL_MEMORY : LARGE_MEMORY);
    if (turn % 4 == 0)
      cr_assert(is_right(r.ahead, 0, 10));
    end(&r);
  }
}

Test(s3_ahead, a_failure_is_told_to_who_reads_there_and_to_nobody_else)
{
  reading r = begin("broken", SMALL_MEMORY);
  char byte;

  cr_assert(is_right(r.ahead, 0, 400000));
  cr_assert_eq(osdear__input_read(r.ahead, 1600000, &byte, 1, &error), OSDEAR_ERR_DENIED);
  cr_assert_not_null(strstr(osdear_error_message(error), "broken"), "%s", osdear_error_message(error));
  cr_assert(is_right(r.ahead, 2500000, 400000));
  end(&r);
}

static void *cancel_soon(void *argument)
{
  usleep(200000);
  osdear_cancel_throw(cancel);
  return argument;
}

Test(s3_ahead, who_waits_is_let_go_when_the_context_is_cancelled_and_goes_on_after_it)
{
  osdear__s3_info info = { .size_bytes = SIZE, .etag = "\"one\"" };
  osdear__s3_object never = { s3, context, "never", &info }, object = { s3, context, "object", &info };
  osdear__s3_order order = { 0 };
  unsigned char byte = 0;
  pthread_t thread;

  cr_assert_eq(osdear__s3_order_place(&order, &never, 5, &byte, 1, NULL), OSDEAR_OK);
  cr_assert_eq(pthread_create(&thread, NULL, cancel_soon, NULL), 0);
  cr_assert_eq(osdear__s3_order_wait(&order, NULL), OSDEAR_ERR_CANCELLED);
  osdear__s3_order_drop(&order);
  pthread_join(thread, NULL);
  osdear_cancel_reset(cancel);
  cr_assert_eq(osdear__s3_order_place(&order, &object, 5, &byte, 1, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__s3_order_wait(&order, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(byte, 5);
  osdear__s3_order_drop(&order);
}

Test(s3_ahead, an_order_is_dropped_at_once_while_it_is_under_way)
{
  osdear__s3_info info = { .size_bytes = SIZE, .etag = "\"one\"" };
  osdear__s3_object never = { s3, context, "never", &info };
  osdear__s3_order order = { 0 };
  int64_t before;
  char byte;

  cr_assert_eq(osdear__s3_order_place(&order, &never, 5, &byte, 1, NULL), OSDEAR_OK);
  usleep(200000);
  before = osdear__monotonic_us();
  osdear__s3_order_drop(&order);
  cr_assert_lt(osdear__monotonic_us() - before, 2000000);
  cr_assert_null(order.mover);
}

Test(s3_ahead, after_a_fork_it_is_said_that_the_thread_stayed_behind)
{
  reading r = begin("slow", LARGE_MEMORY);
  int status = -1;
  pid_t child = fork();

  if (child == 0) {
    char byte;
    osdear_status st = osdear__input_read(r.ahead, 0, &byte, 1, &error);
    bool is_told = st == OSDEAR_ERR_STATE && strstr(osdear_error_message(error), "fork");
    end(&r);
    osdear__s3_unref(s3);
    _exit(is_told ? 0 : 1);
  }
  waitpid(child, &status, 0);
  cr_assert_eq(status, 0);
  end(&r);
}

Test(s3_ahead, expected_objects_that_nobody_opens_are_given_up)
{
  osdear__s3_expected *expected = NULL;
  osdear__byte_range held;
  osdear__s3_info info;
  char *bytes;

  cr_assert_eq(osdear__s3_expected_new(s3, &expected, NULL), OSDEAR_OK);
  osdear__s3_expect_object(expected, context, "never", SIZE);
  for (int i = 0; i < 100; i++) {
    char key[20];
    snprintf(key, sizeof key, "object-%d", i);
    osdear__s3_expect_object(expected, context, key, SIZE);
  }
  osdear__s3_expect_object(expected, context, "gone", SIZE);
  cr_assert_null(osdear__s3_expected_take(expected, "never", SIZE, &held, &info), "newer ones took its place");
  cr_assert_null(osdear__s3_expected_take(expected, "gone", SIZE, &held, &info));
  bytes = osdear__s3_expected_take(expected, "object-99", SIZE, &held, &info);
  cr_assert_not_null(bytes);
  cr_assert_eq((unsigned char)bytes[0], held.offset % 251);
  cr_assert_str_eq(info.etag, "\"one\"");
  osdear__free(bytes);
  osdear__s3_expected_free(expected);
}
