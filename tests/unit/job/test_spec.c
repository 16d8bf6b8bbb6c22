#include "jobs.h"

#include <criterion/criterion.h>

static const osdear__spec_member members[] = {
  { "text", SPEC_TEXT },   { "number", SPEC_INT },    { "flag", SPEC_BOOL }, { "list", SPEC_TEXTS },
  { "pairs", SPEC_PAIRS }, { "object", SPEC_OBJECT }, { NULL, SPEC_TEXT },
};

static osdear_status check(const char *text, const char *words)
{
  osdear__arena arena = { 0 };
  osdear__json *spec = NULL;
  osdear_error *error = NULL;
  osdear_status status = osdear__spec_read(text, "a spec", members, &arena, &spec, &error);

  cr_assert_eq(status == OSDEAR_OK, words == NULL);
  if (words)
    cr_assert(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
  osdear__arena_drop(&arena);
  return status;
}

Test(spec, members_have_the_types_that_the_table_says)
{
  check("{\"text\":\"a\",\"number\":3,\"flag\":false,\"list\":[\"x\"],\"pairs\":{\"k\":\"v\"},\"object\":{\"any\":[1]}}", NULL);
  check("{}", NULL);
  check("{\"text\":3}", "\"text\" of a spec must be a string");
  check("{\"number\":-3}", "\"number\" of a spec must be a whole number");
  check("{\"number\":1.5}", "\"number\"");
  check("{\"number\":99999999999999999999}", "\"number\"");
  check("{\"flag\":1}", "true or false");
  check("{\"list\":[1]}", "a list of strings");
  check("{\"pairs\":{\"k\":1}}", "an object of strings");
  check("{\"object\":null}", "an object");
  check("[]", "a JSON object");
  check("{\"txet\":\"a\"}", "no member \"txet\"; it has text, number, flag, list, pairs, object");
  check("{\"text\":\"a\\u0000b\"}", "\"text\"");
  check("", "no JSON");
}

Test(pace, polls_become_seldom_but_stay_within_the_bounds)
{
  osdear__runner_kind kind = { .first_poll_us = 1000, .slowest_poll_us = 20000 };
  osdear__pace pace = { 0 };
  int64_t first = osdear__pace_next(&pace, &kind), last = 0;

  cr_assert(first >= 800 && first <= 1200, "%lld", (long long)first);
  for (int i = 0; i < 50; i++) {
    last = osdear__pace_next(&pace, &kind);
    cr_assert_leq(last, 24000);
  }
  cr_assert_geq(last, 16000);
}
