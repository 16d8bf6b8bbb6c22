#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(type, .fini = check_released);

static const char *parsed(const char *text)
{
  static char name[64];
  SCOPED(buf) out = { 0 };
  osdear__type type;

  if (!osdear__type_parse(osdear__str_of(text), &type))
    return "no";
  osdear__type_name(&type, &out);
  memcpy(name, out.data, out.size + 1);
  return name;
}

Test(type, words_of_delta_and_of_sql_are_understood)
{
  cr_assert_str_eq(parsed("long"), "long");
  cr_assert_str_eq(parsed("BigInt"), "long");
  cr_assert_str_eq(parsed("int"), "integer");
  cr_assert_str_eq(parsed("tinyint"), "byte");
  cr_assert_str_eq(parsed("smallint"), "short");
  cr_assert_str_eq(parsed("real"), "float");
  cr_assert_str_eq(parsed("bool"), "boolean");
  cr_assert_str_eq(parsed("timestamp_ntz"), "timestamp_ntz");
  cr_assert_str_eq(parsed(" decimal( 10 , 2 ) "), "decimal(10,2)");
  cr_assert_str_eq(parsed("decimal(7)"), "decimal(7,0)");
  cr_assert_str_eq(parsed("numeric"), "decimal(10,0)");
}

Test(type, other_words_are_not)
{
  static const char *const words[] = { "",
                                       " ",
                                       "struct",
                                       "array<int>",
                                       "decimal(",
                                       "decimal()",
                                       "decimal(39)",
                                       "decimal(0)",
                                       "decimal(2,3)",
                                       "decimal(5,-1)",
                                       "decimal(5,1",
                                       "decimal(5,1,1)",
                                       "string(5)",
                                       "long long" };

  for (size_t i = 0; i < COUNT_OF(words); i++)
    cr_assert_str_eq(parsed(words[i]), "no", "%s", words[i]);
}

static osdear__field fields_of_person[] = {
  { .name = "Name", .field_id = 7, .metadata = "{}", .type = { .kind = KIND_STRING } },
  { .name = "name", .field_id = -1, .type = { .kind = KIND_DECIMAL, .precision = 5, .scale = 2 } },
};
static const osdear__type person = { .kind = KIND_STRUCT, .field_count = 2, .fields = fields_of_person };

Test(type, fields_are_found_by_exact_name_before_any_case)
{
  cr_assert_eq(osdear__type_find(&person, STR("name")), 1);
  cr_assert_eq(osdear__type_find(&person, STR("NAME")), 0);
  cr_assert_eq(osdear__type_find(&person, STR("nam")), -1);
}

Test(type, a_copy_is_equal_and_its_own)
{
  SCOPED(arena) arena = { 0 };
  osdear__type copy;

  cr_assert_eq(osdear__type_copy(&person, &arena, &copy, NULL), OSDEAR_OK);
  cr_assert(osdear__type_equal(&person, &copy));
  cr_assert_neq(copy.fields[0].name, person.fields[0].name);
  cr_assert_str_eq(copy.fields[0].metadata, "{}");
  cr_assert_eq(copy.fields[0].field_id, 7);
  copy.fields[1].type.scale = 1;
  cr_assert_not(osdear__type_equal(&person, &copy));
  copy.fields[1].type.scale = 2;
  copy.fields[1].name = "nome";
  cr_assert_not(osdear__type_equal(&person, &copy));
}

Test(type, messages_do_not_list_a_thousand_columns)
{
  SCOPED(buf) out = { 0 };
  osdear__field fields[10];
  osdear__type type = { .kind = KIND_STRUCT, .field_count = 10, .fields = fields };

  for (size_t i = 0; i < 10; i++)
    fields[i] = (osdear__field){ .name = "c", .type = { .kind = KIND_LONG } };
  osdear__type_name(&type, &out);
  cr_assert_str_eq(out.data, "struct<c:long,c:long,c:long,c:long,c:long,c:long,c:long,c:long,…>");
}

Test(type, widths_are_those_of_the_layout)
{
  cr_assert_eq(osdear__type_width(&(osdear__type){ .kind = KIND_BOOLEAN }), 0);
  cr_assert_eq(osdear__type_width(&(osdear__type){ .kind = KIND_DECIMAL }), 16);
  cr_assert_eq(osdear__type_width(&(osdear__type){ .kind = KIND_FIXED, .width = 5 }), 5);
  cr_assert_eq(osdear__type_width(&(osdear__type){ .kind = KIND_STRING }), -1);
}
