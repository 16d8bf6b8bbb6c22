#include <http/http.h>

#include <criterion/criterion.h>

static const char *shown(const char *url)
{
  static char text[512];
  SCOPED(buf) out = { 0 };

  osdear__http_put_url(&out, url);
  cr_assert_lt(out.size, sizeof text);
  memcpy(text, out.data, out.size + 1);
  return text;
}

Test(text, addresses_are_shown_without_what_is_secret)
{
  cr_assert_str_eq(shown("https://h/p"), "https://h/p");
  cr_assert_str_eq(shown("https://me:pass@h:1/p?a=b"), "https://***@h:1/p?a=b");
  cr_assert_str_eq(shown("http://a@b@h/p@q"), "http://***@h/p@q");
  cr_assert_str_eq(shown("http://h?X-Amz-Signature=abc&x=1&X-Amz-Security-Token=t"),
                   "http://h?X-Amz-Signature=***&x=1&X-Amz-Security-Token=***");
  cr_assert_str_eq(shown("http://h/?token&access_token=&y"), "http://h/?token&access_token=***&y");
}

Test(text, names_of_secrets_are_known_in_any_case)
{
  cr_assert(osdear__http_is_secret(STR("AUTHORIZATION")));
  cr_assert(osdear__http_is_secret(STR("X-Api-Key")));
  cr_assert(osdear__http_is_secret(STR("x-registry-auth")));
  cr_assert_not(osdear__http_is_secret(STR("Content-Type")));
}

Test(text, this_machine_is_known_by_its_addresses_and_names)
{
  static const char *const here[] = { "127.0.0.1",   "127.255.3.4:9000", "[::1]",          "[::1]:9000",
                                      "LOCALHOST:1", "localhost",        "lake.localhost", "a.b.localhost:80" };
  static const char *const elsewhere[] = {
    "127.evil.net", "127.0.0.1.evil.net", "127.1",         "128.0.0.1",  "[::12]", "[::1]x",
    "localhosts",   "localhost.evil.net", "evillocalhost", ".localhost", "",       "nas"
  };

  for (size_t i = 0; i < COUNT_OF(here); i++)
    cr_assert(osdear__http_is_loopback(osdear__str_of(here[i])), "%s", here[i]);
  for (size_t i = 0; i < COUNT_OF(elsewhere); i++)
    cr_assert_not(osdear__http_is_loopback(osdear__str_of(elsewhere[i])), "%s", elsewhere[i]);
}

Test(text, percent_encoding_leaves_the_unreserved)
{
  SCOPED(buf) out = { 0 };

  osdear__http_put_encoded(&out, STR("a b/c=\xC3\xBC~"), "/");
  cr_assert_str_eq(out.data, "a%20b/c%3D%C3%BC~");
}

Test(text, dates_are_read_in_the_three_forms_of_the_standard)
{
  const int64_t expected = INT64_C(784111777000000);
  int64_t us;

  cr_assert(osdear__http_parse_date(STR("Sun, 06 Nov 1994 08:49:37 GMT"), &us));
  cr_assert_eq(us, expected);
  cr_assert(osdear__http_parse_date(STR("Sunday, 06-Nov-94 08:49:37 GMT"), &us));
  cr_assert_eq(us, expected);
  cr_assert(osdear__http_parse_date(STR("Sun Nov  6 08:49:37 1994"), &us));
  cr_assert_eq(us, expected);
  cr_assert_not(osdear__http_parse_date(STR("Sun, 06 Nox 1994 08:49:37 GMT"), &us));
  cr_assert_not(osdear__http_parse_date(STR("tomorrow"), &us));
  cr_assert_not(osdear__http_parse_date(STR(""), &us));
}

Test(text, statuses_say_what_to_do)
{
  cr_assert_eq(osdear__http_status_of(403), OSDEAR_ERR_DENIED);
  cr_assert_eq(osdear__http_status_of(404), OSDEAR_ERR_NOT_FOUND);
  cr_assert_eq(osdear__http_status_of(412), OSDEAR_ERR_CONFLICT);
  cr_assert_eq(osdear__http_status_of(503), OSDEAR_ERR_UNAVAILABLE);
  cr_assert_eq(osdear__http_status_of(418), OSDEAR_ERR_ARGUMENT);
  cr_assert(osdear__http_is_retryable(429));
  cr_assert_not(osdear__http_is_retryable(404));
}
