/* The part of Criterion that our tests use, for builds that Criterion cannot run in: under the thread sanitizer it aborts
 * before the first test. Each case runs in a child of its own, as with Criterion, and reports as TAP. */
#ifndef OSDEAR_TESTS_PLAIN_CRITERION_H
#define OSDEAR_TESTS_PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

struct plain_options {
  int unused;
  double timeout; /* seconds */
  int exit_code;
  int signal;
  void (*init)(void);
  void (*fini)(void);
  bool disabled;
};

struct plain_test {
  const char *suite;
  const char *name;
  void (*run)(void);
  struct plain_options options;
  struct plain_test *next;
};

/* What the cases of a suite have in common, unless they say otherwise. */
struct plain_suite {
  const char *name;
  struct plain_options options;
  struct plain_suite *next;
};

void plain_register(struct plain_test *test);
void plain_register_suite(struct plain_suite *suite);
void plain_fail(const char *file, int line, const char *expression, bool is_fatal);
void plain_skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#define PLAIN_TEST(suite_, name_, ...)                                                                                   \
  static void suite_##_##name_##_run(void);                                                                              \
  static struct plain_test suite_##_##name_##_case = { #suite_, #name_, suite_##_##name_##_run, { __VA_ARGS__ }, NULL }; \
  __attribute__((constructor)) static void suite_##_##name_##_register(void)                                             \
  {                                                                                                                      \
    plain_register(&suite_##_##name_##_case);                                                                            \
  }                                                                                                                      \
  static void suite_##_##name_##_run(void)
#define Test(...) PLAIN_TEST(__VA_ARGS__, .unused = 0)

#define PLAIN_SUITE(name_, ...)                                                \
  static struct plain_suite name_##_suite = { #name_, { __VA_ARGS__ }, NULL }; \
  __attribute__((constructor)) static void name_##_suite_register(void)        \
  {                                                                            \
    plain_register_suite(&name_##_suite);                                      \
  }                                                                            \
  struct plain_suite
#define TestSuite(...) PLAIN_SUITE(__VA_ARGS__, .unused = 0)

#define PLAIN_CHECK(is_fatal, condition, text, ...)   \
  do {                                                \
    if (!(condition)) {                               \
      fprintf(stderr, "" __VA_ARGS__);                \
      plain_fail(__FILE__, __LINE__, text, is_fatal); \
    }                                                 \
  } while (0)

#define cr_assert(condition, ...) PLAIN_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) PLAIN_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_null(a, ...) PLAIN_CHECK(true, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...) PLAIN_CHECK(true, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_eq(a, b, ...) PLAIN_CHECK(true, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN_CHECK(true, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) PLAIN_CHECK(true, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN_CHECK(true, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) PLAIN_CHECK(true, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN_CHECK(true, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) PLAIN_CHECK(true, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN_CHECK(true, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) PLAIN_CHECK(true, memcmp(a, b, n) == 0, #a " holds " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, e, ...) PLAIN_CHECK(true, (a) - (b) <= (e) && (b) - (a) <= (e), #a " is near " #b, __VA_ARGS__)
#define cr_skip_test(...) plain_skip(__VA_ARGS__)
#define cr_assert_fail(...) PLAIN_CHECK(true, false, "reached", __VA_ARGS__)
#define cr_expect(condition, ...) PLAIN_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_expect_eq(a, b, ...) PLAIN_CHECK(false, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_not(condition, ...) PLAIN_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_null(a, ...) PLAIN_CHECK(false, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_expect_not_null(a, ...) PLAIN_CHECK(false, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN_CHECK(false, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN_CHECK(false, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...) PLAIN_CHECK(false, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)

#endif
