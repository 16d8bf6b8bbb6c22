#include <json/json.h>

#include <criterion/criterion.h>

Test(json_tree, values_are_found_by_key_and_the_last_of_doubled_keys_wins)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *root = NULL;

  cr_assert_eq(osdear__json_read(STR("{\"a\":1,\"b\":[true,null,\"x\"],\"a\":2}"), "t", &arena, &root, NULL), OSDEAR_OK);
  cr_assert_eq(root->kind, JSON_IS_OBJECT);
  cr_assert_eq(root->count, 3);
  cr_assert_str_eq(osdear__json_get(root, "a")->text.data, "2");
  cr_assert_eq(osdear__json_get(root, "b")->count, 3);
  cr_assert(osdear__json_get(root, "b")->items[0].truth);
  cr_assert_eq(osdear__json_get(root, "b")->items[1].kind, JSON_IS_NULL);
  cr_assert_null(osdear__json_get(root, "c"));
  cr_assert_null(osdear__json_get(osdear__json_get(root, "b"), "a"));
  cr_assert_null(osdear__json_get(NULL, "a"));
}

Test(json_tree, text_goes_through_unchanged)
{
  static const char *const texts[] = { "{}", "[]", "null", "{\"a\":{\"b\":[1,2.50,{\"c\":\"\\\"\\u0001\"}]},\"d\":false}" };

  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    SCOPED(arena) arena = { 0 };
    SCOPED(buf) out = { 0 };
    osdear__json *root = NULL;

    cr_assert_eq(osdear__json_read(osdear__str_of(texts[i]), "t", &arena, &root, NULL), OSDEAR_OK);
    osdear__json_put_value(&out, root);
    cr_assert_str_eq(out.data, texts[i]);
  }
}

Test(json_tree, wide_containers_are_held)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) text = { 0 };
  osdear__json *root = NULL;

  osdear__buf_puts(&text, "[0");
  for (int i = 1; i < 10000; i++)
    osdear__buf_printf(&text, ",[%d]", i);
  osdear__buf_putc(&text, ']');
  cr_assert_eq(osdear__json_read((osdear__str){ text.data, text.size }, "t", &arena, &root, NULL), OSDEAR_OK);
  cr_assert_eq(root->count, 10000);
  cr_assert_str_eq(root->items[9999].items[0].text.data, "9999");
}

#ifdef OSDEAR_FAULTS
Test(json_tree, survives_every_failing_allocation)
{
  int64_t live = osdear__live();
  osdear_status st = OSDEAR_ERR_NO_MEMORY;

  for (int64_t n = 0; st != OSDEAR_OK && n < 1000; n++) {
    osdear__arena arena = { 0 };
    osdear__json *root = NULL;
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = osdear__json_read(STR("{\"a\":[1,{\"b\":\"c\"}],\"d\":null}"), "t", &arena, &root, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
    cr_assert_eq(st == OSDEAR_OK, root != NULL);
    osdear_error_free(error);
    osdear__arena_drop(&arena);
    cr_assert_eq(osdear__live(), live);
  }
  cr_assert_eq(st, OSDEAR_OK);
}
#endif
