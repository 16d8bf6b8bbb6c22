#include <container/stack.h>
#include <criterion/criterion.h>

/* ---- order ---- */

Test(stack, each_comes_behind_those_that_it_needs)
{
  const osdear__node nodes[] = {
    { "web", "db:healthy,cache" }, { "db", "" }, { "cache", "db:service_started:false" }, { "x", NULL }
  };
  size_t order[4];

  cr_assert(osdear__order(nodes, 4, order));
  cr_assert_eq(order[0], 1);
  cr_assert_eq(order[1], 2);
  cr_assert_eq(order[2], 0);
  cr_assert_eq(order[3], 3);
}

Test(stack, who_wait_for_each_other_come_last)
{
  const osdear__node nodes[] = { { "a", "b" }, { "b", "a" }, { "c", "nobody" } }, own[] = { { "a", "a" } };
  size_t order[3];

  cr_assert_not(osdear__order(nodes, 3, order));
  cr_assert_eq(order[0], 2);
  cr_assert_not(osdear__order(own, 1, order));
}

Test(stack, needs_are_told_with_their_word)
{
  const char *at = "db:healthy,cache,log:service_started:false";
  osdear__str name, word;

  cr_assert(osdear__needs_next(&at, &name, &word));
  cr_assert(osdear__str_is(name, "db") && osdear__str_is(word, "healthy"));
  cr_assert(osdear__needs_next(&at, &name, &word));
  cr_assert(osdear__str_is(name, "cache") && word.size == 0);
  cr_assert(osdear__needs_next(&at, &name, &word));
  cr_assert(osdear__str_is(name, "log") && osdear__str_is(word, "service_started"));
  cr_assert_not(osdear__needs_next(&at, &name, &word));
}

/* ---- services of a Compose file ---- */

/* "a,b", or "?" when they cannot be told. */
static void expect(const char *file, const char *expected)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) found = { 0 };
  const char *const *names;
  size_t count;

  if (!osdear__compose_services(osdear__str_of(file), &arena, &names, &count))
    osdear__buf_puts(&found, "?");
  else
    for (size_t i = 0; i < count; i++)
      osdear__buf_printf(&found, "%s%s", i ? "," : "", names[i]);
  cr_assert_str_eq(found.data, expected, "%s\n%s", found.data, file);
}

Test(stack, services_in_the_plain_form_are_told)
{
  expect("services:\n  a:\n    image: x\n  b:\n    image: y\n", "a,b");
  expect(
      "version: '3'\nservices: # ours\n    'a-1':\n        image: x\n\n    # no: service\n    \"b\": {image: y}\r\nvolumes:\n  c:\n",
      "a-1,b");
  expect("---\nvolumes:\n  v:\nservices:\n a:\n  command: |\n    services:\n      no:\n", "a");
  expect("x-y: |\n  services:\n    no:\nservices:\n  a: &anchor\n    image: x\n", "a");
  expect("{\"services\":{\"a\":{},\"b\":{}}}", "a,b");
}

Test(stack, what_is_not_certain_is_not_guessed)
{
  expect("", "?");
  expect("volumes:\n  a:\n", "?");
  expect("services: {a: {image: x}}\n", "?");
  expect("services:\n  <<: *base\n  a:\n", "?");
  expect("services:\n  ? a\n  : b\n", "?");
  expect("services:\n  - a\n", "?");
  expect("services:\n  a:\nservices:\n  b:\n", "?");
  expect("services:\n  a:\n---\nservices:\n  b:\n", "?");
  expect("services:\n    a:\n  b:\n", "?");
  expect("services:\n\ta:\n", "?");
  expect("include:\n  - other.yml\nservices:\n  a:\n", "?");
  expect("services:\n  a:\ninclude: [b.yml]\n", "?");
  expect("services: &all\n  a:\n", "?");
  expect("services:\n  a b:\n", "?");
  expect("services:\n  \"a:\n", "?");
  expect("{\"services\":{}}", "?");
  expect("{\"services\":[1]}", "?");
  expect("{services: {a: b}}", "?");
}

/* ---- names ---- */

Test(stack, names_that_portainer_would_change_are_refused)
{
  static const char *const good[] = { "a", "0", "shop-1_x" }, *const bad[] = { "", "Shop", "-a", "_a", "a b", "a.b", "\xc3\xa4" };

  for (size_t i = 0; i < COUNT_OF(good); i++)
    cr_assert_eq(osdear__stack_check_name(good[i], NULL), OSDEAR_OK, "%s", good[i]);
  for (size_t i = 0; i < COUNT_OF(bad); i++)
    cr_assert_eq(osdear__stack_check_name(bad[i], NULL), OSDEAR_ERR_ARGUMENT, "%s", bad[i]);
  cr_assert_eq(osdear__stack_check_name(NULL, NULL), OSDEAR_ERR_ARGUMENT);
}
