#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(builder, .fini = check_released);

static osdear_status put(osdear__kind kind, int64_t value, osdear_error **error)
{
  osdear__type type = { .kind = kind, .precision = 4, .scale = 1, .width = 2 };
  AUTO(builder) builder = NULL;

  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  return osdear__builder_i64(builder, value, error);
}

Test(builder, integers_must_fit_their_kind)
{
  static const struct {
    osdear__kind kind;
    int64_t least, greatest;
  } kinds[] = {
    { KIND_BYTE, INT8_MIN, INT8_MAX },   { KIND_SHORT, INT16_MIN, INT16_MAX }, { KIND_INTEGER, INT32_MIN, INT32_MAX },
    { KIND_DATE, INT32_MIN, INT32_MAX }, { KIND_UINT8, 0, UINT8_MAX },         { KIND_UINT16, 0, UINT16_MAX },
    { KIND_UINT32, 0, UINT32_MAX },
  };
  osdear_error *error = NULL;

  for (size_t i = 0; i < COUNT_OF(kinds); i++) {
    cr_assert_eq(put(kinds[i].kind, kinds[i].least, NULL), OSDEAR_OK);
    cr_assert_eq(put(kinds[i].kind, kinds[i].greatest, NULL), OSDEAR_OK);
    cr_assert_eq(put(kinds[i].kind, kinds[i].least - 1, NULL), OSDEAR_ERR_DATA);
    cr_assert_eq(put(kinds[i].kind, kinds[i].greatest + 1, NULL), OSDEAR_ERR_DATA);
  }
  cr_assert_eq(put(KIND_BYTE, 128, &error), OSDEAR_ERR_DATA);
  cr_assert_str_eq(osdear_error_message(error), "128 does not fit a byte");
  osdear_error_free(error);
}

Test(builder, a_value_of_another_kind_is_refused)
{
  osdear__type type = { .kind = KIND_LONG };
  AUTO(builder) builder = NULL;

  cr_assert_eq(put(KIND_STRING, 1, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(put(KIND_DOUBLE, 1, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(put(KIND_DECIMAL, 1, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_f64(builder, 1, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__builder_bytes(builder, STR("1"), NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__builder_decimal(builder, 1, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_ERR_INTERNAL);
}

Test(builder, decimals_and_fixed_bytes_must_fit)
{
  osdear__type decimal = { .kind = KIND_DECIMAL, .precision = 4, .scale = 1 };
  osdear__type fixed = { .kind = KIND_FIXED, .width = 2 };
  AUTO(builder) decimals = NULL;
  AUTO(builder) fixeds = NULL;

  cr_assert_eq(osdear__builder_new(&decimal, &decimals, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_decimal(decimals, -9999, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_decimal(decimals, 10000, NULL), OSDEAR_ERR_DATA);
  cr_assert_eq(osdear__builder_new(&fixed, &fixeds, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_bytes(fixeds, STR("abc"), NULL), OSDEAR_ERR_DATA);
}

Test(builder, ten_thousand_rows_grow_and_the_builder_is_empty_again)
{
  osdear__type type = { .kind = KIND_STRING };
  AUTO(builder) builder = NULL;
  char text[24];

  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  for (int round = 0; round < 2; round++) {
    SCOPED(array) array = { 0 };
    int64_t bytes = 0;

    for (int64_t i = 0; i < 10000; i++) {
      osdear__str value = { text, osdear__format_i64(i, text) };
      osdear_status st = i % 7 == 5 ? osdear__builder_null(builder, NULL) : osdear__builder_bytes(builder, value, NULL);

      cr_assert_eq(st, OSDEAR_OK);
      bytes += i % 7 == 5 ? 0 : (int64_t)value.size;
    }
    cr_assert_eq(osdear__builder_length(builder), 10000);
    cr_assert_eq(osdear__builder_bytes_used(builder), bytes + 10001 * 4 + 1250);
    cr_assert_eq(osdear__builder_finish(builder, &array, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__builder_length(builder), 0);
    cr_assert_eq(array.null_count, 1429 - (10000 % 7 <= 5));
    for (int64_t i = 0; i < 10000; i++) {
      osdear__scalar value;
      osdear__str expected = { text, osdear__format_i64(i, text) };

      osdear__scalar_at(&type, &array, i, &value);
      cr_assert_eq(value.is_null, i % 7 == 5);
      cr_assert(value.is_null || osdear__str_equal(value.bytes, expected));
    }
  }
}

Test(builder, booleans_stay_apart_when_the_bitmap_grows)
{
  osdear__type type = { .kind = KIND_BOOLEAN };
  AUTO(builder) builder = NULL;
  SCOPED(array) array = { 0 };

  cr_assert_eq(osdear__builder_new(&type, &builder, NULL), OSDEAR_OK);
  for (int64_t i = 0; i < 1000; i++)
    cr_assert_eq(i % 5 == 4 ? osdear__builder_null(builder, NULL) : osdear__builder_i64(builder, i % 3 == 0, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_finish(builder, &array, NULL), OSDEAR_OK);
  for (int64_t i = 0; i < 1000; i++) {
    osdear__scalar value;

    osdear__scalar_at(&type, &array, i, &value);
    cr_assert_eq(value.is_null, i % 5 == 4);
    cr_assert(value.is_null || value.i64 == (i % 3 == 0));
  }
}

Test(builder, scalars_of_every_plain_kind_go_in_as_they_came_out)
{
  static const struct {
    osdear__type type;
    const char *values;
  } columns[] = {
    { { .kind = KIND_VOID }, "null,null" },
    { { .kind = KIND_BOOLEAN }, "1,null,0" },
    { { .kind = KIND_LONG }, "1,null,-5" },
    { { .kind = KIND_FLOAT }, "0.5,null" },
    { { .kind = KIND_DOUBLE }, "0.5,null" },
    { { .kind = KIND_STRING }, "a,null,bc" },
    { { .kind = KIND_FIXED, .width = 2 }, "ab,null" },
    { { .kind = KIND_DECIMAL, .precision = 9, .scale = 3 }, "1.5,null" },
    { { .kind = KIND_TIMESTAMP }, "1,null" },
    { { .kind = KIND_DATE }, "1,null" },
  };

  for (size_t i = 0; i < COUNT_OF(columns); i++) {
    AUTO(builder) builder = NULL;
    SCOPED(array) from = { 0 };
    SCOPED(array) to = { 0 };
    SCOPED(buf) expected = { 0 };
    SCOPED(buf) actual = { 0 };

    array_of(&columns[i].type, columns[i].values, &from);
    cr_assert_eq(osdear__builder_new(&columns[i].type, &builder, NULL), OSDEAR_OK);
    for (int64_t row = 0; row < from.length; row++) {
      osdear__scalar value;

      osdear__scalar_at(&columns[i].type, &from, row, &value);
      cr_assert_eq(osdear__builder_scalar(builder, &value, NULL), OSDEAR_OK);
    }
    cr_assert_eq(osdear__builder_finish(builder, &to, NULL), OSDEAR_OK);
    print_rows(&columns[i].type, &from, &expected);
    print_rows(&columns[i].type, &to, &actual);
    cr_assert_str_eq(actual.data, expected.data);
  }
}

Test(builder, children_of_unequal_length_do_not_make_a_row)
{
  osdear__field fields[] = { { .name = "key", .type = { .kind = KIND_LONG } },
                             { .name = "value", .type = { .kind = KIND_LONG } } };
  osdear__type map = { .kind = KIND_MAP, .field_count = 2, .fields = fields };
  osdear__type pair = { .kind = KIND_STRUCT, .field_count = 2, .fields = fields };
  AUTO(builder) maps = NULL;
  AUTO(builder) pairs = NULL;

  cr_assert_eq(osdear__builder_new(&map, &maps, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_i64(osdear__builder_child(maps, 0), 1, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_close(maps, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__builder_new(&pair, &pairs, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_i64(osdear__builder_child(pairs, 0), 1, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__builder_close(pairs, NULL), OSDEAR_ERR_INTERNAL);
}
