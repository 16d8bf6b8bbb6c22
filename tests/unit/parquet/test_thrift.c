#include "made.h"

#include <criterion/criterion.h>

static osdear_status read_meta(const void *data, size_t size, osdear__pq_file_meta *out)
{
  SCOPED(arena) arena = { 0 };

  return osdear__thrift_read(&osdear__pq_file_meta_thrift, (osdear__str){ data, size }, &arena, out, NULL, NULL);
}

Test(thrift, a_footer_reads_back_as_it_was_written)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) once = { 0 };
  SCOPED(buf) twice = { 0 };
  osdear__pq_decimal_type decimal = { 0, 2, 9 };
  osdear__pq_logical_type logical = { LOGICAL_DECIMAL, .decimal = &decimal };
  osdear__pq_schema_element schema[20] = { 0 };
  osdear__pq_key_value pairs[] = { { 0, STR("k"), STR("v") }, { 0, STR("alone"), { NULL, 0 } } };
  osdear__pq_file_meta meta = { .version = 2, .schema = schema, .schema_count = 20, .num_rows = INT64_C(-5000000000), .created_by = STR("us") };
  osdear__pq_file_meta got;
  size_t used;

  for (size_t i = 0; i < COUNT_OF(schema); i++)
    schema[i].name = STR("name");
  schema[1].set = ELEMENT_TYPE | ELEMENT_FIELD_ID;
  schema[1].type = PQ_INT64;
  schema[1].field_id = INT32_MIN;
  schema[1].logical_type = &logical;
  meta.key_value_metadata = pairs;
  meta.key_value_count = COUNT_OF(pairs);
  osdear__thrift_write(&osdear__pq_file_meta_thrift, &meta, &once);
  cr_assert_eq(osdear__thrift_read(&osdear__pq_file_meta_thrift, (osdear__str){ once.data, once.size }, &arena, &got, &used, NULL), OSDEAR_OK);
  cr_assert_eq(used, once.size);
  cr_assert_eq(got.schema_count, 20);
  cr_assert_eq(got.num_rows, INT64_C(-5000000000));
  cr_assert_eq(got.schema[1].field_id, INT32_MIN);
  cr_assert_eq(got.schema[1].logical_type->decimal->precision, 9);
  cr_assert(!(got.schema[2].set & ELEMENT_FIELD_ID));
  cr_assert_null(got.key_value_metadata[1].value.data);
  cr_assert_null(got.column_orders);
  osdear__thrift_write(&osdear__pq_file_meta_thrift, &got, &twice);
  cr_assert_eq(twice.size, once.size);
  cr_assert_eq(memcmp(twice.data, once.data, once.size), 0);
}

Test(thrift, booleans_lie_in_heads_and_in_lists)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) out = { 0 };
  bool nulls[] = { true, false, true };
  osdear__str none[] = { STR(""), STR(""), STR("") };
  osdear__pq_column_index index = { .null_pages = nulls, .null_page_count = 3, .min_values = none, .min_count = 3, .max_values = none, .max_count = 3 };
  osdear__pq_column_index got;
  osdear__pq_sorting_column sorting = { 0, 4, true, false };
  osdear__pq_row_group group = { .sorting_columns = &sorting, .sorting_count = 1 };
  osdear__pq_file_meta meta = { .row_groups = &group, .row_group_count = 1 };
  osdear__pq_file_meta again;

  osdear__thrift_write(&osdear__pq_column_index_thrift, &index, &out);
  cr_assert_eq(osdear__thrift_read(&osdear__pq_column_index_thrift, (osdear__str){ out.data, out.size }, &arena, &got, NULL, NULL), OSDEAR_OK);
  cr_assert(got.null_pages[0] && !got.null_pages[1] && got.null_pages[2]);
  osdear__buf_clear(&out);
  osdear__thrift_write(&osdear__pq_file_meta_thrift, &meta, &out);
  cr_assert_eq(osdear__thrift_read(&osdear__pq_file_meta_thrift, (osdear__str){ out.data, out.size }, &arena, &again, NULL, NULL), OSDEAR_OK);
  cr_assert(again.row_groups[0].sorting_columns[0].descending && !again.row_groups[0].sorting_columns[0].nulls_first);
}

/* version 1, no schema, no rows, no groups; then a field of each type that no version of the format has, and the stop. */
Test(thrift, fields_that_nobody_knows_are_passed_over)
{
  static const uint8_t unknown[] = {
    0x15, 2, 0x19, 0x0c, 0x16, 0, 0x19, 0x0c, 0xd1, 0x12, 0x13, 7, 0x14, 1, 0x15, 1, 0x16, 1, 0x17, 1, 2, 3, 4, 5, 6, 7, 8,
    0x18, 2, 'a', 'b', 0x19, 0x21, 1, 2, 0x1a, 0x18, 1, 'x', 0x1b, 1, 0x85, 1, 'k', 4, 0x1c, 0x15, 2, 0x00,
    0x1d, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0x00,
  };
  osdear__pq_file_meta meta;

  cr_assert_eq(read_meta(unknown, sizeof unknown, &meta), OSDEAR_OK);
  cr_assert_eq(meta.version, 1);
  for (size_t size = 0; size < sizeof unknown; size++)
    cr_assert_eq(read_meta(unknown, size, &meta), OSDEAR_ERR_CORRUPT, "cut at %zu", size);
}

Test(thrift, what_contradicts_itself_is_corrupt)
{
  static const struct { const char *why; uint8_t bytes[24]; size_t size; } bad[] = {
    { "the rows are missing", { 0x15, 2, 0x19, 0x0c, 0x29, 0x0c, 0x00 }, 7 },
    { "a list is longer than what follows", { 0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0x0f, 0x00 }, 9 },
    { "a list of structs is a list of numbers", { 0x15, 2, 0x19, 0x15, 2, 0x16, 0, 0x19, 0x0c, 0x00 }, 10 },
    { "a number is longer than ten bytes", { 0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x00 }, 14 },
    { "an int32 does not fit", { 0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 0x00 }, 8 },
    { "text is longer than what follows", { 0x68, 0xff, 0x7f, 'a', 0x00 }, 5 },
    { "a type that there is not", { 0x1f, 1, 0x00 }, 3 },
  };
  osdear__pq_file_meta meta;

  for (size_t i = 0; i < COUNT_OF(bad); i++)
    cr_assert_eq(read_meta(bad[i].bytes, bad[i].size, &meta), OSDEAR_ERR_CORRUPT, "%s", bad[i].why);
}

Test(thrift, depth_is_bounded)
{
  char nested[20000];
  osdear__pq_file_meta meta;

  memset(nested, 0x1c, sizeof nested); /* a struct in a struct in a struct … under an unknown id */
  nested[0] = (char)0xbc;
  cr_assert_eq(read_meta(nested, sizeof nested, &meta), OSDEAR_ERR_CORRUPT);
  memset(nested, 0x19, sizeof nested); /* a list of lists */
  nested[0] = (char)0xb9;
  cr_assert_eq(read_meta(nested, sizeof nested, &meta), OSDEAR_ERR_CORRUPT);
}
