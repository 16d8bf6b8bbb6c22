#include "fixture.h"

static void expect_round(const char *text)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) out = { 0 };
  osdear__type type;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__delta_schema_parse(text, &arena, &type, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  osdear__delta_schema_print(&type, &out);
  cr_assert_str_eq(out.data, text);
}

static void refuse(const char *text, osdear_status status, const char *words)
{
  SCOPED(arena) arena = { 0 };
  osdear__type type;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__delta_schema_parse(text, &arena, &type, &error), status, "%s", osdear_error_message(error));
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
  osdear_error_free(error);
}

#define FIELD(name, type) "{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":{}}"
#define STRUCT(fields) "{\"type\":\"struct\",\"fields\":[" fields "]}"

Test(schema_json, every_type_goes_through_unchanged)
{
  static const char *const types[] = { "string", "long",      "integer",        "short",   "byte",
                                       "float",  "double",    "decimal(38,10)", "boolean", "binary",
                                       "date",   "timestamp", "timestamp_ntz",  "variant", "void" };

  for (size_t i = 0; i < COUNT_OF(types); i++) {
    SCOPED(buf) text = { 0 };
    osdear__buf_printf(&text, STRUCT("{\"name\":\"c\",\"type\":\"%s\",\"nullable\":false,\"metadata\":{}}"), types[i]);
    expect_round(text.data);
  }
  expect_round(STRUCT(""));
  expect_round(STRUCT(FIELD("a", "{\"type\":\"array\",\"elementType\":\"long\",\"containsNull\":false}")));
  expect_round(STRUCT(FIELD("m", "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":" STRUCT(
                                     FIELD("x", "\"date\"")) ",\"valueContainsNull\":true}")));
}

Test(schema_json, field_metadata_is_kept_verbatim)
{
  expect_round("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":"
               "{\"x\":[1,2.50,{\"y\":null}],\"comment\":\"caf\xc3\xa9 \\\"q\\\"\"}}]}");
}

Test(schema_json, old_spellings_are_understood)
{
  SCOPED(arena) arena = { 0 };
  osdear__type type;

  cr_assert_eq(
      osdear__delta_schema_parse("{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"decimal\"}]}", &arena, &type, NULL),
      OSDEAR_OK);
  cr_assert_eq(type.fields[0].type.precision, 10);
  cr_assert_eq(type.fields[0].type.scale, 0);
  cr_assert(type.fields[0].nullable);
  cr_assert_null(type.fields[0].metadata);
}

Test(schema_json, bad_schemas_are_named_by_column)
{
  refuse("", OSDEAR_ERR_CORRUPT, "schemaString");
  refuse("7", OSDEAR_ERR_CORRUPT, "no `type`");
  refuse("\"long\"", OSDEAR_ERR_CORRUPT, "not a struct");
  refuse("{\"type\":\"struct\"}", OSDEAR_ERR_CORRUPT, "without `fields`");
  refuse(STRUCT("{\"type\":\"long\"}"), OSDEAR_ERR_CORRUPT, "no `name`");
  refuse(STRUCT("{\"name\":\"a\\u0000b\",\"type\":\"long\"}"), OSDEAR_ERR_CORRUPT, "no `name`");
  refuse(STRUCT(FIELD("a", STRUCT("{\"name\":\"b\"}"))), OSDEAR_ERR_CORRUPT, "a.b: no `type`");
  refuse(STRUCT(FIELD("a", "\"long\"") "," FIELD("A", "\"long\"")), OSDEAR_ERR_CORRUPT, "two fields are named `A`");
  refuse(STRUCT("{\"name\":\"a\",\"type\":\"long\",\"nullable\":3}"), OSDEAR_ERR_CORRUPT, "`nullable`");
  refuse(STRUCT("{\"name\":\"a\",\"type\":\"long\",\"metadata\":3}"), OSDEAR_ERR_CORRUPT, "`metadata`");
  refuse(STRUCT(FIELD("a", "\"geometry(4326)\"")), OSDEAR_ERR_UNSUPPORTED, "a: the type `geometry(4326)`");
  refuse(STRUCT(FIELD("a", "\"decimal(39,0)\"")), OSDEAR_ERR_UNSUPPORTED, "decimal(39,0)");
  refuse(STRUCT(FIELD("a", "{\"type\":\"udt\"}")), OSDEAR_ERR_UNSUPPORTED, "`udt`");
}

Test(schema_json, depth_is_bounded)
{
  SCOPED(buf) text = { 0 };

  osdear__buf_puts(&text, "{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":");
  for (int i = 0; i < 150; i++)
    osdear__buf_puts(&text, "{\"type\":\"array\",\"containsNull\":true,\"elementType\":");
  osdear__buf_puts(&text, "\"long\"");
  for (int i = 0; i < 150; i++)
    osdear__buf_putc(&text, '}');
  osdear__buf_puts(&text, "}]}");
  refuse(text.data, OSDEAR_ERR_LIMIT, "deeper than 100");
}

Test(schema_json, others_types_find_their_home)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) out = { 0 };
  osdear__field fields[] = {
    { .name = "a", .type = { .kind = KIND_UINT8 } },   { .name = "b", .type = { .kind = KIND_UINT16 } },
    { .name = "c", .type = { .kind = KIND_UINT32 } },  { .name = "d", .type = { .kind = KIND_UINT64 } },
    { .name = "e", .type = { .kind = KIND_FLOAT16 } }, { .name = "f", .type = { .kind = KIND_FIXED, .width = 3 } },
  };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = COUNT_OF(fields), .fields = fields }, delta;

  cr_assert_eq(osdear__delta_schema_of(&type, &arena, &delta, NULL), OSDEAR_OK);
  osdear__type_name(&delta, &out);
  cr_assert_str_eq(out.data, "struct<a:short,b:integer,c:long,d:decimal(20,0),e:float,f:binary>");
}

Test(schema_json, types_and_names_that_delta_lacks_are_refused)
{
  SCOPED(arena) arena = { 0 };
  osdear__field field = { .name = "t", .type = { .kind = KIND_TIME } };
  osdear__type type = { .kind = KIND_STRUCT, .field_count = 1, .fields = &field }, delta;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__delta_schema_of(&type, &arena, &delta, &error), OSDEAR_ERR_UNSUPPORTED);
  cr_assert_not_null(strstr(osdear_error_message(error), "column `t`"), "%s", osdear_error_message(error));
  field = (osdear__field){ .name = "a b", .type = { .kind = KIND_LONG } };
  cr_assert_eq(osdear__delta_schema_of(&type, &arena, &delta, &error), OSDEAR_ERR_ARGUMENT);
  field.name = "";
  cr_assert_eq(osdear__delta_schema_of(&type, &arena, &delta, &error), OSDEAR_ERR_ARGUMENT);
  osdear_error_free(error);
}

#ifdef OSDEAR_FAULTS
Test(schema_json, survives_every_failing_allocation)
{
  static const char text[] =
      STRUCT(FIELD("a", "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":" STRUCT(
                            FIELD("x", "\"date\"")) "}") ",{\"name\":\"b\",\"type\":\"long\",\"metadata\":{\"k\":1}}");
  int64_t live = osdear__live();
  osdear_status st = OSDEAR_ERR_NO_MEMORY;

  for (int64_t n = 0; st && n < 1000; n++) {
    osdear__arena arena = { 0 };
    osdear__type type;
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = osdear__delta_schema_parse(text, &arena, &type, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY);
    osdear_error_free(error);
    osdear__arena_drop(&arena);
    cr_assert_eq(osdear__live(), live);
  }
  cr_assert_eq(st, OSDEAR_OK);
}
#endif
