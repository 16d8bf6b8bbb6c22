/* Runs the cases that plain/criterion/criterion.h registered. */
#include <criterion/criterion.h>

#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT 300
#define SKIPPED 77

static struct plain_test *first_test;
static struct plain_test **last_test = &first_test;
static int test_count;
static struct plain_suite *suites;
static bool has_failed;

void plain_register(struct plain_test *test)
{
  *last_test = test;
  last_test = &test->next;
  test_count++;
}

void plain_register_suite(struct plain_suite *suite)
{
  suite->next = suites;
  suites = suite;
}

void plain_fail(const char *file, int line, const char *expression, bool is_fatal)
{
  fprintf(stderr, "\n%s:%d: not so: %s\n", file, line, expression);
  has_failed = true;
  if (is_fatal)
    exit(EXIT_FAILURE);
}

void plain_skip(const char *format, ...)
{
  va_list arguments;

  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  exit(SKIPPED);
}

static struct plain_options options_of(const struct plain_test *test)
{
  struct plain_options options = test->options;

  for (const struct plain_suite *suite = suites; suite; suite = suite->next) {
    if (strcmp(suite->name, test->suite) != 0)
      continue;
    options.init = options.init ? options.init : suite->options.init;
    options.fini = options.fini ? options.fini : suite->options.fini;
    options.timeout = options.timeout > 0 ? options.timeout : suite->options.timeout;
  }
  return options;
}

static void run_in_child(const struct plain_test *test)
{
  struct plain_options options = options_of(test);

  alarm(options.timeout > 0 ? (unsigned)options.timeout : DEFAULT_TIMEOUT);
  if (options.init)
    options.init();
  test->run();
  if (options.fini)
    options.fini();
  exit(has_failed ? EXIT_FAILURE : EXIT_SUCCESS);
}

enum outcome { FAILED, PASSED, LEFT_OUT };

static enum outcome outcome_of(const struct plain_test *test)
{
  int status = 0;
  pid_t child;

  fflush(stdout);
  child = fork();
  if (child == 0)
    run_in_child(test);
  if (child < 0 || waitpid(child, &status, 0) != child)
    return FAILED;
  if (WIFSIGNALED(status))
    return WTERMSIG(status) == test->options.signal ? PASSED : FAILED;
  if (WEXITSTATUS(status) == SKIPPED)
    return LEFT_OUT;
  return test->options.signal == 0 && WEXITSTATUS(status) == test->options.exit_code ? PASSED : FAILED;
}

int main(void)
{
  int number = 0;
  int failed = 0;

  printf("1..%d\n", test_count);
  for (const struct plain_test *test = first_test; test; test = test->next) {
    enum outcome outcome = test->options.disabled ? LEFT_OUT : outcome_of(test);

    printf("%s %d - %s::%s%s\n", outcome == FAILED ? "not ok" : "ok", ++number, test->suite, test->name,
           outcome == LEFT_OUT ? " # SKIP" : "");
    failed += outcome == FAILED;
  }
  return failed > 0;
}
