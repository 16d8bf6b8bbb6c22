#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(cast, .fini = check_released);

static osdear__type type_of(const char *word)
{
  osdear__type type = { .kind = KIND_VOID };

  for (int kind = 0; kind <= KIND_TIME; kind++)
    if (osdear__str_is(osdear__str_of(word), osdear__kind_name((osdear__kind)kind)))
      return (osdear__type){ .kind = (osdear__kind)kind, .width = 2 };
  cr_assert(osdear__type_parse(osdear__str_of(word), &type), "%s", word);
  return type;
}

/* What a file may have where the table has something else, and nobody may append. */
static bool is_leniency_of_reading(osdear__kind from, osdear__kind to)
{
  static const osdear__kind pairs[][2] = {
    { KIND_TIMESTAMP_NTZ, KIND_TIMESTAMP },
    { KIND_TIMESTAMP, KIND_TIMESTAMP_NTZ },
    { KIND_STRING, KIND_BINARY },
    { KIND_BINARY, KIND_STRING },
    { KIND_INTEGER, KIND_DATE },
    { KIND_SHORT, KIND_BYTE },
    { KIND_INTEGER, KIND_BYTE },
    { KIND_INTEGER, KIND_SHORT },
    { KIND_UINT8, KIND_BYTE },
    { KIND_UINT16, KIND_BYTE },
    { KIND_UINT16, KIND_SHORT },
  };

  for (size_t i = 0; i < COUNT_OF(pairs); i++)
    if (pairs[i][0] == from && pairs[i][1] == to)
      return true;
  return false;
}

/* The values after the cast as text, or the error's message. Both ways of asking must agree. */
static const char *cast(const osdear__type *from, const osdear__type *to, struct ArrowArray *array)
{
  static char printed[1024];
  SCOPED(array) out = { 0 };
  SCOPED(buf) text = { 0 };
  osdear_error *error = NULL;
  bool is_read_only = is_leniency_of_reading(from->kind, to->kind);
  osdear_status st = osdear__array_cast(from, array, to, &out, &error);

  cr_assert_null(array->release);
  cr_assert_eq(osdear__type_can_cast(from, to), st != OSDEAR_ERR_UNSUPPORTED && !is_read_only);
  if (st)
    osdear__buf_puts(&text, osdear_error_message(error));
  else
    print_rows(to, &out, &text);
  osdear_error_free(error);
  memcpy(printed, text.data, text.size + 1);
  return printed;
}

static const char *cast_values(const char *from_word, const char *values, const char *to_word)
{
  osdear__type from = type_of(from_word);
  osdear__type to = type_of(to_word);
  struct ArrowArray array;

  array_of(&from, values, &array);
  return cast(&from, &to, &array);
}

Test(cast, integers_widen)
{
  static const char *const signed_kinds[] = { "byte", "short", "integer", "long" };
  static const char *const unsigned_kinds[] = { "uint8", "uint16", "uint32", "uint64" };

  for (size_t i = 0; i < 4; i++)
    for (size_t j = i; j < 4; j++) {
      cr_assert_str_eq(cast_values(signed_kinds[i], "-128,null,127", signed_kinds[j]), "[-128,null,127]");
      cr_assert_str_eq(cast_values(unsigned_kinds[i], "0,null,255", unsigned_kinds[j]), "[0,null,255]");
      if (j > i)
        cr_assert_str_eq(cast_values(unsigned_kinds[i], "0,null,255", signed_kinds[j]), "[0,null,255]");
    }
  cr_assert_str_eq(cast_values("uint64", "-1,null", "decimal(20,0)"), "[18446744073709551615,null]");
  cr_assert_str_eq(cast_values("byte", "-128,null,127", "double"), "[-128.0,null,127.0]");
  cr_assert_str_eq(cast_values("short", "-128,null,127", "float"), "[-128.0,null,127.0]");
  cr_assert_str_eq(cast_values("integer", "-2147483648,null,127", "double"), "[-2147483648.0,null,127.0]");
  cr_assert_str_eq(cast_values("byte", "-128,null", "decimal(5,2)"), "[-128.00,null]");
  cr_assert_str_eq(cast_values("integer", "-2147483648,null", "decimal(12,2)"), "[-2147483648.00,null]");
  cr_assert_str_eq(cast_values("long", "-9223372036854775808,null", "decimal(38,19)"),
                   "[-9223372036854775808.0000000000000000000,null]");
}

Test(cast, what_would_lose_something_is_refused)
{
  static const char *const pairs[][2] = {
    { "byte", "uint8" },
    { "uint64", "long" },
    { "long", "double" },
    { "integer", "float" },
    { "double", "float" },
    { "byte", "decimal(2,0)" },
    { "long", "decimal(20,2)" },
    { "date", "timestamp" },
    { "decimal(10,2)", "decimal(10,3)" },
    { "decimal(10,2)", "decimal(11,1)" },
    { "decimal(5,0)", "long" },
    { "boolean", "byte" },
    { "time", "long" },
    { "long", "string" },
    { "float", "integer" },
    { "timestamp_ntz", "date" },
    { "long", "void" },
  };

  for (size_t i = 0; i < COUNT_OF(pairs); i++)
    cr_assert_not_null(strstr(cast_values(pairs[i][0], "", pairs[i][1]), " without loss"), "%s to %s", pairs[i][0], pairs[i][1]);
}

Test(cast, floats_decimals_and_dates_widen)
{
  cr_assert_str_eq(cast_values("float", "0.5,null,-2", "double"), "[0.5,null,-2.0]");
  cr_assert_str_eq(cast_values("decimal(5,2)", "1.25,null,-999.99", "decimal(8,4)"), "[1.2500,null,-999.9900]");
  cr_assert_str_eq(cast_values("decimal(5,2)", "1.25,null,-999.99", "decimal(38,2)"), "[1.25,null,-999.99]");
  cr_assert_str_eq(cast_values("date", "1,null,-1", "timestamp_ntz"), "[86400000000,null,-86400000000]");
  cr_assert_str_eq(cast_values("date", "1,null,106751992", "timestamp_ntz"),
                   "row 2: the date of day 106751992 is beyond timestamp_ntz");
  cr_assert_str_eq(cast_values("fixed", "ab,null,cd", "binary"), "[\"ab\",null,\"cd\"]");
  cr_assert_str_eq(cast_values("void", "null,null", "decimal(5,2)"), "[null,null]");
}

Test(cast, what_files_leave_unsaid_is_read_as_the_table_has_it_but_may_not_be_appended)
{
  cr_assert_str_eq(cast_values("integer", "1,null,-128", "byte"), "[1,null,-128]");
  cr_assert_str_eq(cast_values("uint8", "1,null,127", "byte"), "[1,null,127]");
  cr_assert_str_eq(cast_values("uint16", "1,null,32767", "short"), "[1,null,32767]");
  cr_assert_str_eq(cast_values("integer", "1,null,32768", "short"), "row 2: 32768 is beyond short");
  cr_assert_str_eq(cast_values("short", "-129", "byte"), "row 0: -129 is beyond byte");
  cr_assert_str_eq(cast_values("integer", "1,null,-1", "date"), "[1,null,-1]");
  cr_assert_str_eq(cast_values("string", "a,null", "binary"), "[\"a\",null]");
  cr_assert_str_eq(cast_values("binary", "a,null,\xc3\xa9", "string"), "[\"a\",null,\"\\xc3\\xa9\"]");
  cr_assert_str_eq(cast_values("binary", "a,\xff", "string"), "a string of the table is not valid UTF-8 in its file");
  cr_assert_str_eq(cast_values("timestamp", "1,null,-1", "timestamp_ntz"), "[1,null,-1]");
  cr_assert_str_eq(cast_values("timestamp_ntz", "1,null,-1", "timestamp"), "[1,null,-1]");
}

Test(cast, halves_widen)
{
  static const uint16_t halves[] = { 0x3c00, 0xc000 };
  osdear__type from = type_of("float16");
  osdear__type to_float = type_of("float");
  osdear__type to_double = type_of("double");

  for (int i = 0; i < 2; i++) {
    struct ArrowArray array;

    cr_assert_eq(osdear__array_new(&from, 2, false, 0, &array, NULL), OSDEAR_OK);
    memcpy((void *)(uintptr_t)array.buffers[1], halves, sizeof halves);
    cr_assert_str_eq(cast(&from, i ? &to_float : &to_double, &array), "[1.0,-2.0]");
  }
}

Test(cast, thousands_of_values_pass_block_by_block)
{
  osdear__type from = type_of("short");
  osdear__type to = type_of("long");
  struct ArrowArray array;
  SCOPED(array) out = { 0 };

  cr_assert_eq(osdear__array_new(&from, 5000, false, 0, &array, NULL), OSDEAR_OK);
  for (int64_t i = 0; i < 5000; i++)
    ((int16_t *)(uintptr_t)array.buffers[1])[i] = (int16_t)(i - 2500);
  cr_assert_eq(osdear__array_cast(&from, &array, &to, &out, NULL), OSDEAR_OK);
  for (int64_t i = 0; i < 5000; i++)
    cr_assert_eq(((const int64_t *)out.buffers[1])[i], i - 2500);
}

Test(cast, where_nothing_changes_nothing_is_copied)
{
  osdear__type from = type_of("decimal(5,2)");
  osdear__type to = type_of("decimal(9,2)");
  struct ArrowArray array;
  SCOPED(array) out = { 0 };
  const void *values;

  array_of(&from, "1,2", &array);
  values = array.buffers[1];
  cr_assert_eq(osdear__array_cast(&from, &array, &to, &out, NULL), OSDEAR_OK);
  cr_assert_eq(out.buffers[1], values);
}

/* struct<a: byte, l: array<byte>, m: map<string, byte>> with one row, and a null one. */
static osdear__field narrow_element[] = { { .name = "element", .type = { .kind = KIND_BYTE } } };
static osdear__field narrow_pair[] = { { .name = "key", .type = { .kind = KIND_STRING } },
                                       { .name = "value", .type = { .kind = KIND_BYTE } } };
static osdear__field narrow_fields[] = {
  { .name = "a", .type = { .kind = KIND_BYTE } },
  { .name = "l", .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = narrow_element } },
  { .name = "m", .type = { .kind = KIND_MAP, .field_count = 2, .fields = narrow_pair } },
};
static const osdear__type narrow = { .kind = KIND_STRUCT, .field_count = 3, .fields = narrow_fields };

static void narrow_rows(struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;
  osdear__builder *list;
  osdear__builder *map;
  osdear_status st = osdear__builder_new(&narrow, &builder, NULL);

  list = osdear__builder_child(builder, 1);
  map = osdear__builder_child(builder, 2);
  st |= osdear__builder_i64(osdear__builder_child(builder, 0), 1, NULL);
  st |= osdear__builder_i64(osdear__builder_child(list, 0), 2, NULL);
  st |= osdear__builder_i64(osdear__builder_child(list, 0), 3, NULL);
  st |= osdear__builder_close(list, NULL);
  st |= osdear__builder_bytes(osdear__builder_child(map, 0), STR("k"), NULL);
  st |= osdear__builder_i64(osdear__builder_child(map, 1), 4, NULL);
  st |= osdear__builder_close(map, NULL);
  st |= osdear__builder_close(builder, NULL);
  st |= osdear__builder_null(builder, NULL);
  st |= osdear__builder_finish(builder, out, NULL);
  cr_assert_eq(st, OSDEAR_OK);
}

Test(cast, structs_match_by_name_and_what_is_absent_is_null)
{
  osdear__field element = { .name = "element", .type = { .kind = KIND_LONG } };
  osdear__field pair[] = { { .name = "key", .type = { .kind = KIND_STRING } },
                           { .name = "value", .type = { .kind = KIND_DOUBLE } } };
  osdear__field fields[] = {
    { .name = "M", .type = { .kind = KIND_MAP, .field_count = 2, .fields = pair } },
    { .name = "z", .type = { .kind = KIND_STRING } },
    { .name = "L", .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &element } },
  };
  osdear__type to = { .kind = KIND_STRUCT, .field_count = 3, .fields = fields };
  struct ArrowArray array;

  narrow_rows(&array);
  cr_assert_str_eq(cast(&narrow, &to, &array), "[{\"M\":[{\"key\":\"k\",\"value\":4.0}],\"z\":null,\"L\":[2,3]},null]");
}

Test(cast, the_place_of_what_cannot_be_cast_is_named)
{
  osdear__field pair[] = { { .name = "key", .type = { .kind = KIND_STRING } },
                           { .name = "value", .type = { .kind = KIND_STRING } } };
  osdear__field element = { .name = "element", .type = { .kind = KIND_DATE } };
  osdear__field fields[] = { { .name = "m", .type = { .kind = KIND_MAP, .field_count = 2, .fields = pair } } };
  osdear__type to = { .kind = KIND_STRUCT, .field_count = 1, .fields = fields };
  struct ArrowArray array;

  narrow_rows(&array);
  cr_assert_str_eq(cast(&narrow, &to, &array), "column m.value: a byte cannot become a string without loss");
  fields[0] = (osdear__field){ .name = "l", .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &element } };
  narrow_rows(&array);
  cr_assert_str_eq(cast(&narrow, &to, &array), "column l.element: a byte cannot become a date without loss");
  fields[0] = (osdear__field){ .name = "a", .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &element } };
  narrow_rows(&array);
  cr_assert_str_eq(cast(&narrow, &to, &array), "column a: a byte cannot become a array<date> without loss");
}
