#include <base/base.h>

#include <criterion/criterion.h>

Test(error, what_a_service_said_stays_with_the_failure)
{
  const osdear__service_answer answer = { "SlowDown", "req-7", 503, 1 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__fail_service(&error, OSDEAR_ERR_UNAVAILABLE, &answer, "GET %s", "x"), OSDEAR_ERR_UNAVAILABLE);
  cr_assert_eq(osdear__fail_within(&error, OSDEAR_ERR_UNAVAILABLE, "listing"), OSDEAR_ERR_UNAVAILABLE);
  cr_assert_str_eq(osdear_error_message(error), "listing: GET x");
  cr_assert_str_eq(osdear_error_code(error), "SlowDown");
  cr_assert_str_eq(osdear_error_request_id(error), "req-7");
  cr_assert_eq(osdear_error_http_status(error), 503);
  cr_assert_eq(osdear_error_retryable(error), 1);
  osdear__fail_because(&error, OSDEAR_ERR_CONFLICT, "gave up");
  cr_assert_str_eq(osdear_error_code(error), "SlowDown");
  cr_assert_eq(osdear_error_http_status(error), 503);
  cr_assert_eq(osdear_error_retryable(error), 0);
  osdear_error_free(error);
}

Test(error, a_service_knows_better_than_the_status_whether_to_try_again)
{
  const osdear__service_answer answer = { .http_status = 501 };
  osdear_error *error = NULL;

  osdear__fail_service(&error, OSDEAR_ERR_UNAVAILABLE, &answer, "no");
  cr_assert_eq(osdear_error_retryable(error), 0);
  cr_assert_null(osdear_error_code(error));
  osdear__fail(&error, OSDEAR_ERR_UNAVAILABLE, "no");
  cr_assert_eq(osdear_error_retryable(error), 1);
  osdear_error_free(error);
}

Test(error, a_strangers_words_do_not_command_a_terminal)
{
  osdear_error *error = NULL;

  osdear__fail(&error, OSDEAR_ERR_CORRUPT, "\"%s\": line 1\n\tline 2", "a\x1b]0;b\a\r\x7f\xc2\x9b é漢😀 \xff\xc2");
  cr_assert_str_eq(osdear_error_message(error), "\"a?]0;b????? é漢😀 ??\": line 1\n\tline 2");
  osdear_error_free(error);
}
