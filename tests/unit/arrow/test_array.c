#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(array, .fini = check_released);

static const char *text_of(const osdear__type *type, struct ArrowArray *array)
{
  static char printed[1 << 14];
  SCOPED(buf) out = { 0 };

  print_rows(type, array, &out);
  cr_assert_lt(out.size, sizeof printed);
  memcpy(printed, out.data, out.size + 1);
  osdear__array_drop(array);
  return printed;
}

static const osdear__type long_type = { .kind = KIND_LONG };
static const osdear__type string_type = { .kind = KIND_STRING };

/* What every operation is tried on, with its values as text. */
static const struct {
  osdear__type type;
  const char *values;
  const char *shown[6];
} plain[] = {
  { { .kind = KIND_VOID }, "null,null,null,null,null,null", { "null", "null", "null", "null", "null", "null" } },
  { { .kind = KIND_BOOLEAN }, "1,null,0,1,1,0", { "1", "null", "0", "1", "1", "0" } },
  { { .kind = KIND_BYTE }, "1,null,-3,4,5,6", { "1", "null", "-3", "4", "5", "6" } },
  { { .kind = KIND_SHORT }, "1,null,-3,4,5,6", { "1", "null", "-3", "4", "5", "6" } },
  { { .kind = KIND_INTEGER }, "1,2,3,4,5,6", { "1", "2", "3", "4", "5", "6" } },
  { { .kind = KIND_LONG }, "1,null,-3,4,5,6", { "1", "null", "-3", "4", "5", "6" } },
  { { .kind = KIND_DOUBLE }, "1,null,-3,4,5,6", { "1.0", "null", "-3.0", "4.0", "5.0", "6.0" } },
  { { .kind = KIND_DECIMAL, .precision = 5, .scale = 1 }, "1,null,-3,4,5,6", { "1.0", "null", "-3.0", "4.0", "5.0", "6.0" } },
  { { .kind = KIND_FIXED, .width = 3 },
    "abc,null,def,ghi,jkl,mno",
    { "\"abc\"", "null", "\"def\"", "\"ghi\"", "\"jkl\"", "\"mno\"" } },
  { { .kind = KIND_STRING }, "a,null,,bcd,e,fg", { "\"a\"", "null", "\"\"", "\"bcd\"", "\"e\"", "\"fg\"" } },
};

Test(array, a_slice_is_an_array_of_its_own)
{
  for (size_t i = 0; i < COUNT_OF(plain); i++)
    for (int64_t from = 0; from <= 6; from++)
      for (int64_t length = 0; from + length <= 6; length++) {
        SCOPED(buf) expected = { 0 };
        struct ArrowArray whole;
        struct ArrowArray slice;

        array_of(&plain[i].type, plain[i].values, &whole);
        osdear__buf_putc(&expected, '[');
        for (int64_t row = from; row < from + length; row++)
          osdear__buf_printf(&expected, "%s%s", row > from ? "," : "", plain[i].shown[row]);
        osdear__buf_putc(&expected, ']');
        cr_assert_eq(osdear__array_slice(&plain[i].type, &whole, from, length, &slice, NULL), OSDEAR_OK);
        osdear__array_drop(&whole);
        cr_assert_str_eq(text_of(&plain[i].type, &slice), expected.data);
      }
}

Test(array, a_slice_past_the_end_is_refused)
{
  struct ArrowArray whole;
  struct ArrowArray slice;

  array_of(&long_type, "1,2", &whole);
  cr_assert_eq(osdear__array_slice(&long_type, &whole, 1, 2, &slice, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__array_slice(&long_type, &whole, -1, 1, &slice, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__array_slice(&long_type, &whole, 1, -1, &slice, NULL), OSDEAR_ERR_INTERNAL);
  osdear__array_drop(&whole);
}

Test(array, rows_are_taken_in_any_order_and_minus_one_is_null)
{
  static const int32_t rows[] = { 5, -1, 2, 3, 4, 0, 0, 1, -1 };

  for (size_t i = 0; i < COUNT_OF(plain); i++) {
    SCOPED(buf) expected = { 0 };
    struct ArrowArray whole;
    struct ArrowArray taken;

    array_of(&plain[i].type, plain[i].values, &whole);
    for (size_t row = 0; row < COUNT_OF(rows); row++)
      osdear__buf_printf(&expected, "%c%s", row ? ',' : '[', rows[row] < 0 ? "null" : plain[i].shown[rows[row]]);
    osdear__buf_putc(&expected, ']');
    cr_assert_eq(osdear__array_take(&plain[i].type, &whole, rows, COUNT_OF(rows), &taken, NULL), OSDEAR_OK);
    osdear__array_drop(&whole);
    cr_assert_str_eq(text_of(&plain[i].type, &taken), expected.data);
  }
}

Test(array, what_was_taken_without_nulls_has_no_validity)
{
  static const int32_t rows[] = { 0, 2 };
  struct ArrowArray whole;
  struct ArrowArray taken;

  array_of(&long_type, "1,null,3", &whole);
  cr_assert_eq(osdear__array_take(&long_type, &whole, rows, 2, &taken, NULL), OSDEAR_OK);
  cr_assert_null(taken.buffers[0]);
  osdear__array_drop(&whole);
  cr_assert_str_eq(text_of(&long_type, &taken), "[1,3]");
}

Test(array, arrays_are_joined_with_and_without_nulls)
{
  struct ArrowArray parts[4];
  struct ArrowArray whole;

  array_of(&string_type, "a,b,c", &parts[0]);
  array_of(&string_type, "d,null", &parts[1]);
  array_of(&string_type, "", &parts[2]);
  array_of(&string_type, "e", &parts[3]);
  cr_assert_eq(osdear__array_concat(&string_type, parts, 4, &whole, NULL), OSDEAR_OK);
  for (size_t i = 0; i < 4; i++)
    osdear__array_drop(&parts[i]);
  cr_assert_str_eq(text_of(&string_type, &whole), "[\"a\",\"b\",\"c\",\"d\",null,\"e\"]");
  cr_assert_eq(osdear__array_concat(&string_type, NULL, 0, &whole, NULL), OSDEAR_OK);
  cr_assert_str_eq(text_of(&string_type, &whole), "[]");
}

Test(array, joined_text_beyond_int32_is_refused)
{
  struct ArrowArray parts[2] = { { 0 } };
  struct ArrowArray whole;
  osdear_error *error = NULL;
  int32_t *offsets;

  cr_assert_eq(osdear__array_new(&string_type, 1, false, 0, &parts[0], NULL), OSDEAR_OK);
  offsets = (int32_t *)(uintptr_t)parts[0].buffers[1];
  offsets[1] = INT32_MAX; /* nobody gets as far as reading them */
  parts[1] = parts[0];
  cr_assert_eq(osdear__array_concat(&string_type, parts, 2, &whole, &error), OSDEAR_ERR_LIMIT);
  cr_assert_str_eq(osdear_error_message(error),
                   "more than 2147483647 bytes or elements of a string column in one batch; use smaller batches");
  osdear_error_free(error);
  osdear__array_drop(&parts[0]);
}

/* ---- nested ---- */

static osdear__field tags_element = { .name = "element", .nullable = true, .type = { .kind = KIND_STRING } };
static osdear__field pair_fields[] = { { .name = "key", .type = { .kind = KIND_STRING } },
                                       { .name = "value", .nullable = true, .type = { .kind = KIND_LONG } } };
static osdear__field nested_fields[] = {
  { .name = "tags", .nullable = true, .type = { .kind = KIND_ARRAY, .field_count = 1, .fields = &tags_element } },
  { .name = "pairs", .nullable = true, .type = { .kind = KIND_MAP, .field_count = 2, .fields = pair_fields } },
  { .name = "doc", .nullable = true, .type = { .kind = KIND_VARIANT } },
};
static const osdear__type nested_type = { .kind = KIND_STRUCT, .field_count = 3, .fields = nested_fields };

/* Row i: i tags, i pairs; every third row is null, every fourth has null children. */
static void nested_array(int64_t length, struct ArrowArray *out)
{
  AUTO(builder) builder = NULL;
  osdear_status st = osdear__builder_new(&nested_type, &builder, NULL);

  for (int64_t i = 0; !st && i < length; i++) {
    osdear__builder *tags = osdear__builder_child(builder, 0);
    osdear__builder *pairs = osdear__builder_child(builder, 1);
    osdear__builder *doc = osdear__builder_child(builder, 2);

    if (i % 3 == 2) {
      st = osdear__builder_null(builder, NULL);
      continue;
    }
    for (int64_t j = 0; !st && j < i && i % 4; j++) {
      st = osdear__builder_bytes(osdear__builder_child(tags, 0), (osdear__str){ "abcdef", (size_t)(j % 6) }, NULL);
      if (!st)
        st = osdear__builder_bytes(osdear__builder_child(pairs, 0), STR("k"), NULL);
      if (!st)
        st = osdear__builder_i64(osdear__builder_child(pairs, 1), i * 10 + j, NULL);
    }
    if (!st)
      st = i % 4 ? osdear__builder_close(tags, NULL) : osdear__builder_null(tags, NULL);
    if (!st)
      st = i % 4 ? osdear__builder_close(pairs, NULL) : osdear__builder_null(pairs, NULL);
    if (!st)
      st = osdear__builder_bytes(osdear__builder_child(doc, 0), STR("m"), NULL);
    if (!st)
      st = osdear__builder_bytes(osdear__builder_child(doc, 1), STR("v"), NULL);
    if (!st)
      st = osdear__builder_close(doc, NULL);
    if (!st)
      st = osdear__builder_close(builder, NULL);
  }
  cr_assert_eq(st, OSDEAR_OK);
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
}

Test(array, nested_rows_are_sliced_taken_and_joined)
{
  static const int32_t rows[] = { 3, 0, -1, 1, 2 };
  static const char doc[] = ",\"doc\":{\"metadata\":\"m\",\"value\":\"v\"}}";
  SCOPED(buf) expected = { 0 };
  struct ArrowArray parts[2];
  struct ArrowArray whole;
  struct ArrowArray out;

  nested_array(4, &whole);
  cr_assert_eq(osdear__array_take(&nested_type, &whole, rows, COUNT_OF(rows), &out, NULL), OSDEAR_OK);
  osdear__buf_printf(&expected,
                     "[{\"tags\":[\"\",\"a\",\"ab\"],\"pairs\":[{\"key\":\"k\",\"value\":30},{\"key\":\"k\",\"value\":31},"
                     "{\"key\":\"k\",\"value\":32}]%s,",
                     doc);
  osdear__buf_printf(&expected,
                     "{\"tags\":null,\"pairs\":null%s,null,{\"tags\":[\"\"],\"pairs\":[{\"key\":\"k\",\"value\":10}]%s,null]",
                     doc, doc);
  cr_assert_str_eq(text_of(&nested_type, &out), expected.data);
  cr_assert_eq(osdear__array_slice(&nested_type, &whole, 0, 2, &parts[0], NULL), OSDEAR_OK);
  cr_assert_eq(osdear__array_slice(&nested_type, &whole, 2, 2, &parts[1], NULL), OSDEAR_OK);
  cr_assert_eq(osdear__array_concat(&nested_type, parts, 2, &out, NULL), OSDEAR_OK);
  osdear__array_drop(&parts[0]);
  osdear__array_drop(&parts[1]);
  osdear__buf_clear(&expected);
  osdear__buf_puts(&expected, text_of(&nested_type, &whole));
  cr_assert_str_eq(text_of(&nested_type, &out), expected.data);
}

Test(array, nulls_of_any_type)
{
  struct ArrowArray array;

  cr_assert_eq(osdear__array_nulls(&nested_type, 2, &array, NULL), OSDEAR_OK);
  cr_assert_str_eq(text_of(&nested_type, &array), "[null,null]");
  cr_assert_eq(osdear__array_nulls(&nested_type, 0, &array, NULL), OSDEAR_OK);
  cr_assert_str_eq(text_of(&nested_type, &array), "[]");
  for (size_t i = 0; i < COUNT_OF(plain); i++) {
    cr_assert_eq(osdear__array_nulls(&plain[i].type, 3, &array, NULL), OSDEAR_OK);
    cr_assert_str_eq(text_of(&plain[i].type, &array), "[null,null,null]");
  }
}

Test(array, a_new_array_is_zeroed_and_padded)
{
  struct ArrowArray array;

  cr_assert_eq(osdear__array_new(&string_type, 3, true, 5, &array, NULL), OSDEAR_OK);
  cr_assert_eq(array.null_count, 3);
  cr_assert_eq(osdear__load_u64((const char *)array.buffers[0] + 1), 0);
  cr_assert_eq(osdear__load_u64((const char *)array.buffers[1] + 16), 0);
  cr_assert_eq(osdear__load_u64((const char *)array.buffers[2] + 5), 0);
  cr_assert_str_eq(text_of(&string_type, &array), "[null,null,null]");
  cr_assert_eq(osdear__array_new(&string_type, -1, true, 5, &array, NULL), OSDEAR_ERR_INTERNAL);
  cr_assert_eq(osdear__array_new(&string_type, (int64_t)INT32_MAX + 1, true, 5, &array, NULL), OSDEAR_ERR_INTERNAL);
}

Test(array, buffers_that_are_adopted_are_freed_with_the_array)
{
  void *buffers[] = { NULL, osdear__buffer_new(16) };
  struct ArrowArray array;

  cr_assert_not_null(buffers[1]);
  memset(buffers[1], 0, 16);
  buffers[1] = osdear__buffer_grow(buffers[1], 24);
  cr_assert_not_null(buffers[1]);
  ((int64_t *)buffers[1])[2] = 9;
  cr_assert_eq(osdear__load_u64((char *)buffers[1] + 24), 0);
  cr_assert_eq(osdear__array_adopt(3, 0, buffers, 2, NULL, 0, &array, NULL), OSDEAR_OK);
  cr_assert_str_eq(text_of(&long_type, &array), "[0,0,9]");
  cr_assert_null(osdear__buffer_new(SIZE_MAX - 4));
}

Test(array, children_that_were_moved_out_outlive_their_parent)
{
  struct ArrowArray array;
  struct ArrowArray child;

  nested_array(2, &array);
  child = *array.children[0];
  array.children[0]->release = NULL;
  osdear__array_drop(&array);
  cr_assert_str_eq(text_of(&nested_fields[0].type, &child), "[null,[\"\"]]");
}
