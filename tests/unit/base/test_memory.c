#include <base/base.h>

#include <criterion/criterion.h>
#include <stdalign.h>
#include <sys/resource.h>

Test(buf, a_ceiling_is_kept_and_the_failure_sticks)
{
  SCOPED(buf) buf = { .limit = 10 };
  osdear_error *error = NULL;

  osdear__buf_puts(&buf, "0123456789");
  cr_assert_eq(osdear__buf_check(&buf, &error), OSDEAR_OK);
  osdear__buf_putc(&buf, 'x');
  osdear__buf_puts(&buf, "");
  cr_assert_eq(osdear__buf_check(&buf, &error), OSDEAR_ERR_LIMIT);
  cr_assert_str_eq(osdear_error_message(error), "more than 10 bytes would be needed in one piece");
  cr_assert_eq(buf.size, 10);
  osdear_error_free(error);
}

Test(buf, text_is_always_terminated_and_can_be_taken)
{
  SCOPED(buf) buf = { 0 };
  char *text;

  for (int i = 0; i < 1000; i++)
    osdear__buf_printf(&buf, "%d,", i);
  cr_assert_eq(strlen(buf.data), buf.size);
  text = osdear__buf_take(&buf);
  cr_assert_str_eq(text + 3886, "999,");
  osdear__free(text);
  text = osdear__buf_take(&buf);
  cr_assert_str_eq(text, "");
  osdear__free(text);
}

Test(arena, blocks_are_aligned_and_apart)
{
  SCOPED(arena) arena = { 0 };

  for (size_t i = 1; i < 5000; i += 7) {
    char *at = osdear__arena_alloc(&arena, i);
    cr_assert_eq((uintptr_t)at % alignof(max_align_t), 0);
    memset(at, (int)(i & 0xff), i);
    cr_assert_not_null(osdear__arena_strndup(&arena, "xyz", i % 3));
  }
  osdear__arena_reset(&arena);
  cr_assert_str_eq(osdear__arena_printf(&arena, "%d-%s", 7, "a"), "7-a");
}

Test(map, every_key_is_found_again)
{
  SCOPED(map) map = { 0 };
  SCOPED(arena) arena = { 0 };
  bool is_new;

  for (intptr_t i = 1; i <= 10000; i++) {
    char *key = osdear__arena_printf(&arena, "key-%" PRIdPTR, i);
    osdear__map_entry *entry = osdear__map_add(&map, osdear__str_of(key), &is_new);
    cr_assert(is_new);
    entry->value = (void *)i;
  }
  cr_assert_not_null(osdear__map_add(&map, STR("key-77"), &is_new));
  cr_assert_not(is_new);
  cr_assert_eq(map.count, 10000);
  for (intptr_t i = 1; i <= 10000; i++) {
    char *key = osdear__arena_printf(&arena, "key-%" PRIdPTR, i);
    cr_assert_eq((intptr_t)osdear__map_find(&map, osdear__str_of(key))->value, i);
  }
  cr_assert_null(osdear__map_find(&map, STR("key-0")));
}

Test(error, a_place_is_put_in_front_and_the_cause_is_kept)
{
  osdear_error *error = NULL;

  cr_assert_eq(osdear__fail(&error, OSDEAR_ERR_CORRUPT, "byte %d", 7), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(osdear__fail_within(&error, OSDEAR_ERR_CORRUPT, "file %s", "a"), OSDEAR_ERR_CORRUPT);
  cr_assert_str_eq(osdear_error_message(error), "file a: byte 7");
  cr_assert_eq(osdear__fail_because(&error, OSDEAR_ERR_IO, "no copy"), OSDEAR_ERR_IO);
  cr_assert_str_eq(osdear_error_message(osdear_error_cause(error)), "file a: byte 7");
  cr_assert_eq(osdear_error_status(error), OSDEAR_ERR_IO);
  osdear_error_free(error);
  cr_assert_eq(osdear__fail(NULL, OSDEAR_ERR_IO, "nobody listens"), OSDEAR_ERR_IO);
}

Test(options, what_an_older_caller_does_not_know_keeps_its_default)
{
  struct {
    size_t size;
    int64_t a, b;
  } known = { sizeof known, 1, 2 }, given = { 2 * sizeof(int64_t), 7, 99 };

  cr_assert_eq(osdear__options_read(&known, sizeof known, &given, NULL), OSDEAR_OK);
  cr_assert_eq(known.a, 7);
  cr_assert_eq(known.b, 2);
  cr_assert_eq(known.size, sizeof known);
}

Test(options, a_field_newer_than_the_library_is_refused_only_when_set)
{
  struct {
    size_t size;
    int64_t a;
  } known = { sizeof known, 1 };
  struct {
    size_t size;
    int64_t a, newer;
  } given = { sizeof given, 7, 0 };

  cr_assert_eq(osdear__options_read(&known, sizeof known, &given, NULL), OSDEAR_OK);
  given.newer = 1;
  cr_assert_eq(osdear__options_read(&known, sizeof known, &given, NULL), OSDEAR_ERR_ARGUMENT);
  given.size = 0;
  cr_assert_eq(osdear__options_read(&known, sizeof known, &given, NULL), OSDEAR_ERR_ARGUMENT);
}

#ifdef OSDEAR_FAULTS
Test(alloc, a_fault_strikes_once_or_for_ever)
{
  void *first, *second;

  osdear__fault_arm(FAULT_ALLOC, 1, true);
  first = osdear__alloc(8);
  cr_assert_not_null(first);
  cr_assert_null(osdear__alloc(8));
  second = osdear__alloc(8);
  cr_assert_not_null(second);
  cr_assert_eq(osdear__fault_count(), 1);
  osdear__fault_arm(FAULT_ALLOC, 0, false);
  cr_assert_null(osdear__alloc(8));
  cr_assert_null(osdear__alloc(8));
  osdear__fault_disarm();
  cr_assert_eq(osdear__live(), 2);
  osdear__free(first);
  osdear__free(second);
  cr_assert_eq(osdear__live(), 0);
}

Test(error, out_of_memory_can_be_told_without_memory)
{
  osdear_error *error = NULL;

  osdear__fault_arm(FAULT_ALLOC, 0, false);
  cr_assert_eq(osdear__fail(&error, OSDEAR_ERR_CORRUPT, "a message"), OSDEAR_ERR_NO_MEMORY);
  osdear__fault_disarm();
  cr_assert_eq(osdear_error_status(error), OSDEAR_ERR_NO_MEMORY);
  osdear_error_free(error);
  cr_assert_eq(osdear__live(), 0);
}
#endif

/* Sanitizers bring an allocator of their own. gcc tells of them by a macro, clang by a feature. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define IS_SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(IS_SANITIZED)
static long faults(void)
{
  struct rusage usage;

  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

/* Batches come and go: their pages must not be asked of the kernel for each anew. */
Test(alloc, what_is_given_back_is_taken_again_without_the_kernel)
{
  void *blocks[40];
  long before = 0;

  for (int round = 0; round < 20; round++) {
    before = round == 1 ? faults() : before;
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
      blocks[i] = osdear__alloc(100 << 10);
      memset(blocks[i], 1, 100 << 10);
    }
    for (size_t i = 0; i < COUNT_OF(blocks); i++)
      osdear__free(blocks[i]);
  }
  cr_assert_lt(faults() - before, 2000, "%ld of 19 times 1000 pages were asked for", faults() - before);
}
#endif
