#include <base/base.h>

#include <criterion/criterion.h>

static const char *const cosine[] = { "cos" };
static const char *const nonsense[] = { "cos", "cosinus" };
static double (*functions[2])(double);
static int starts;

static osdear_status start(osdear_error **error)
{
  (void)error;
  starts++;
  return OSDEAR_OK;
}

Test(library, functions_are_there_after_the_first_use_and_it_starts_once)
{
  osdear__library library = { .purpose = "a test",
                              .package = "libc6",
                              .files = { "libnot-there.so.1", "libm.so.6" },
                              .symbols = cosine,
                              .symbol_count = 1,
                              .table = functions,
                              .start = start };

  cr_assert_eq(osdear__library_open(&library, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__library_open(&library, NULL), OSDEAR_OK);
  cr_assert_eq(starts, 1);
  cr_assert_eq(functions[0](0.0), 1.0);
}

Test(library, one_that_is_missing_is_told_with_its_package)
{
  osdear__library library = { .purpose = "s3:",
                              .package = "libnot6",
                              .files = { "libnot-there.so.1" },
                              .symbols = cosine,
                              .symbol_count = 1,
                              .table = functions };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__library_open(&library, &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_str_eq(osdear_error_message(error),
                   "s3: needs the library libnot-there.so.1, which cannot be loaded: install it (Debian: libnot6)");
  osdear_error_free(error);
}

Test(library, one_that_is_too_old_is_told_with_what_it_lacks)
{
  osdear__library library = {
    .purpose = "s3:", .package = "libc6", .files = { "libm.so.6" }, .symbols = nonsense, .symbol_count = 2, .table = functions
  };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__library_open(&library, &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_not_null(strstr(osdear_error_message(error), "the one there has no cosinus"));
  osdear_error_free(error);
}
