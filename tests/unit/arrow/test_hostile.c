/* Arrays that lie about themselves: one test for each thing that is checked before a value is believed. */
#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(hostile, .fini = check_released);

static stranger integers(int64_t length)
{
  stranger column = stranger_new("i", "x", length);

  PUT(column, 1, int32_t, 0, 1, 2, 3);
  return column;
}

static stranger text(void)
{
  stranger column = stranger_new("u", "x", 3);

  PUT(column, 1, int32_t, 0, 1, 2, 3);
  stranger_put(column, 2, "abc", 3);
  return column;
}

static stranger list_of(const char *format, stranger child)
{
  stranger column = stranger_new(format, "x", 2);

  stranger_child(column, child);
  return column;
}

static void no_schema_release(struct ArrowSchema *schema)
{
  schema->release = NULL;
}

Test(hostile, a_released_array_is_refused)
{
  struct ArrowSchema schema = { .format = "+s", .release = no_schema_release };
  struct ArrowArray array = { 0 };
  struct ArrowArray out;
  osdear__type type = { .kind = KIND_STRUCT };

  cr_assert_eq(osdear__array_import(&schema, &type, &array, &out, NULL), OSDEAR_ERR_ARGUMENT);
}

Test(hostile, lengths_and_offsets_must_not_be_negative_or_overflow)
{
  stranger column = integers(4);

  column.array->length = -1;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "the Arrow array has length -1 and offset 0");
  column = integers(4);
  column.array->offset = -2;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has length 4 and offset -2");
  column = integers(4);
  column.array->offset = INT64_MAX;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has length 4 and offset 9223372036854775807");
}

Test(hostile, more_rows_than_a_batch_can_have_are_refused_before_memory_is_asked_for)
{
  stranger column = stranger_new("n", "x", (int64_t)INT32_MAX + 1);

  cr_assert_str_eq(rows_of(stranger_batch(column)), "2147483648 rows or elements in one batch; use smaller batches");
}

Test(hostile, the_count_of_nulls_must_be_true)
{
  stranger column = integers(4);

  column.array->null_count = 5;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array claims 5 nulls in 4 rows");
  column = integers(4);
  column.array->null_count = -2;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array claims -2 nulls in 4 rows");
  column = integers(4);
  column.array->null_count = 1;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array claims 1 nulls but has no validity buffer");
  column = integers(4);
  column.array->null_count = 1;
  PUT(column, 0, uint8_t, 0x03);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array claims 1 nulls but has 2");
}

Test(hostile, the_number_of_buffers_must_be_that_of_the_format)
{
  static const struct {
    const char *format;
    int64_t buffers;
  } wrong[] = {
    { "n", 2 },  { "i", 1 },   { "i", 3 },   { "u", 2 },    { "vu", 2 },    { "b", 0 },
    { "n", -1 }, { "vu", -1 }, { "w:3", 3 }, { "tsu:", 1 }, { "d:5,2", 8 },
  };

  for (size_t i = 0; i < COUNT_OF(wrong); i++) {
    stranger column = stranger_new(wrong[i].format, "x", 1);

    stranger_buffers(column, wrong[i].buffers);
    cr_assert_not_null(strstr(rows_of(stranger_batch(column)), "buffers where format"), "%zu", i);
  }
}

Test(hostile, buffers_that_rows_need_must_be_there)
{
  static const char *const formats[] = { "b", "i", "l", "d:5,2", "u", "U", "vu", "w:3", "tdm", "tsn:" };
  stranger column;

  for (size_t i = 0; i < COUNT_OF(formats); i++)
    cr_assert_str_eq(rows_of(stranger_batch(stranger_new(formats[i], "x", 1))), "column x: buffer 1 of the Arrow array is NULL");
  column = stranger_new("u", "x", 1);
  PUT(column, 1, int32_t, 0, 4);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: buffer 2 of the Arrow array is NULL");
  column = list_of("+vl", integers(4));
  PUT(column, 1, int32_t, 0, 1);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: buffer 2 of the Arrow array is NULL");
  column = integers(1);
  column.array->buffers = NULL;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has no list of buffers");
}

Test(hostile, children_must_be_those_of_the_schema)
{
  stranger column = list_of("+l", integers(4));
  stranger child;

  column.array->n_children = 0;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has 0 children where its schema has 1");
  column = list_of("+l", integers(4));
  column.array->children = NULL;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has no list of children");
  child = integers(4);
  column = list_of("+l", child);
  child.array->release(child.array);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: a child of the Arrow array is NULL or was released already");
}

Test(hostile, a_struct_needs_children_of_its_own_length)
{
  stranger batch = stranger_batch(integers(4));

  batch.array->length = 3;
  batch.array->offset = 2;
  cr_assert_str_eq(rows_of(batch), "column x: the Arrow array has 4 rows where its parent needs 5");
}

Test(hostile, a_batch_has_no_null_rows)
{
  stranger batch = stranger_batch(integers(4));

  PUT(batch, 0, uint8_t, 0x0b);
  cr_assert_str_eq(rows_of(batch), "row 2: the row itself is null, which a batch of columns cannot have");
}

Test(hostile, offsets_must_ascend_and_stay_within_the_child)
{
  stranger column = text();

  PUT(column, 1, int32_t, -1, 1, 2, 3);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 0: the offset -1 is negative");
  column = text();
  PUT(column, 1, int32_t, 0, 2, 1, 3);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 1: the offsets fall from 2 to 1");
  column = stranger_new("Z", "x", 2);
  PUT(column, 1, int64_t, 0, INT64_MAX, INT64_MIN);
  stranger_put(column, 2, "", 1);
  cr_assert_str_eq(rows_of(stranger_batch(column)),
                   "column x, row 1: the offsets fall from 9223372036854775807 to -9223372036854775808");
  column = list_of("+l", integers(4));
  PUT(column, 1, int32_t, 0, 1, 5);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x.element: the Arrow array has 4 rows where its parent needs 5");
  column = list_of("+L", integers(4));
  PUT(column, 1, int64_t, 0, 1, INT64_C(1) << 40);
  cr_assert_str_eq(rows_of(stranger_batch(column)),
                   "column x: more than 2147483647 bytes or elements in one batch; use smaller batches");
}

Test(hostile, spans_of_list_views_must_lie_within_the_child)
{
  static const int64_t spans[][2] = { { -1, 1 }, { 0, -1 }, { 3, 2 }, { 5, 0 }, { INT64_MAX, 1 }, { 1, INT64_MAX } };

  for (size_t i = 0; i < COUNT_OF(spans); i++) {
    stranger column = list_of("+vL", integers(4));

    PUT(column, 1, int64_t, 0, spans[i][0]);
    PUT(column, 2, int64_t, 1, spans[i][1]);
    cr_assert_not_null(strstr(rows_of(stranger_batch(column)), "column x, row 1: the list's "));
  }
}

Test(hostile, views_that_repeat_a_list_are_bounded)
{
  stranger column = stranger_new("+vl", "x", 3000);
  stranger child = stranger_new("n", "", 1000000);
  int32_t numbers[3000] = { 0 };

  stranger_put(column, 1, numbers, sizeof numbers);
  for (size_t i = 0; i < COUNT_OF(numbers); i++)
    numbers[i] = 1000000;
  stranger_put(column, 2, numbers, sizeof numbers);
  stranger_child(column, child);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: more than 2147483647 elements in one batch; use smaller batches");
}

Test(hostile, fixed_lists_need_enough_elements)
{
  stranger column = list_of("+w:3", integers(4));
  stranger wide = list_of("+w:2147483647", integers(4));
  stranger far = list_of("+w:2147483647", integers(4));

  cr_assert_str_eq(rows_of(stranger_batch(column)),
                   "column x, row 1: the list's 3 elements from 3 on are not among the child's 4");
  cr_assert_not_null(strstr(rows_of(stranger_batch(wide)), "column x, row 0: the list's 2147483647 elements"));
  far.array->offset = INT64_C(1) << 40;
  cr_assert_not_null(strstr(rows_of(stranger_batch(far)), "column x, row 0: the list's 2147483647 elements"));
}

static stranger one_view(int32_t size, int32_t buffer, int32_t offset)
{
  stranger column = stranger_new("vu", "x", 1);

  stranger_buffers(column, 4);
  PUT(column, 1, int32_t, size, 0, buffer, offset);
  stranger_put(column, 2, "0123456789abcdef", 16);
  PUT(column, 3, int64_t, 16);
  return column;
}

Test(hostile, views_must_stay_within_their_buffers)
{
  static const int32_t bad[][3] = {
    { -1, 0, 0 }, { 13, 1, 0 }, { 13, -1, 0 }, { 13, 0, 4 }, { 13, 0, -1 }, { 17, 0, 0 }, { INT32_MAX, 0, INT32_MAX }
  };
  stranger column;

  for (size_t i = 0; i < COUNT_OF(bad); i++)
    cr_assert_not_null(strstr(rows_of(stranger_batch(one_view(bad[i][0], bad[i][1], bad[i][2]))), "is out of bounds"));
  cr_assert_str_eq(rows_of(stranger_batch(one_view(13, 0, 3))), "[\"3456789abcdef\"]");
  column = one_view(13, 0, 3);
  column.array->buffers[2] = NULL;
  cr_assert_not_null(strstr(rows_of(stranger_batch(column)), "is out of bounds"));
  column = one_view(13, 0, 3);
  column.array->buffers[3] = NULL;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array of views does not say how long its buffers are");
  column = one_view(13, 0, 3);
  PUT(column, 3, int64_t, -1);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: buffer 2 of the Arrow array claims a negative size");
}

Test(hostile, text_must_be_utf8)
{
  static const char *const bad[] = { "\x80zz",
                                     "\xc0\xaf"
                                     "z",
                                     "\xed\xa0\x80",
                                     "\xff"
                                     "zz",
                                     "zz\xc3" };

  for (size_t i = 0; i < COUNT_OF(bad); i++) {
    stranger column = stranger_new("U", "x", 2);
    stranger view = stranger_new("vu", "x", 1);

    PUT(column, 1, int64_t, 0, 0, 3);
    stranger_put(column, 2, bad[i], 3);
    cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 1: the text is not valid UTF-8");
    PUT(view, 1, int32_t, 3, 0, 0, 0);
    memcpy((char *)(uintptr_t)view.array->buffers[1] + 4, bad[i], 3);
    cr_assert_str_eq(rows_of(stranger_batch(view)), "column x, row 0: the text is not valid UTF-8");
  }
}

static stranger indexed(int8_t index)
{
  stranger column = stranger_new("c", "x", 3);

  PUT(column, 1, int8_t, 0, index, 0);
  stranger_dictionary(column, text());
  return column;
}

Test(hostile, indices_must_be_in_the_dictionary)
{
  stranger column = indexed(0);

  cr_assert_str_eq(rows_of(stranger_batch(indexed(3))), "column x, row 1: the index 3 is not in the dictionary of 3 values");
  cr_assert_str_eq(rows_of(stranger_batch(indexed(-1))), "column x, row 1: the index -1 is not in the dictionary of 3 values");
  column.schema->format = "L";
  PUT(column, 1, uint64_t, 0, UINT64_MAX, 0);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 1: the index -1 is not in the dictionary of 3 values");
}

Test(hostile, a_dictionary_must_be_where_the_schema_has_one)
{
  stranger column = indexed(0);
  stranger plain = stranger_new("c", "x", 3);
  struct ArrowArray *dictionary = column.array->dictionary;

  dictionary->release(dictionary);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array's dictionary is not what its schema says");
  column = indexed(0);
  cr_assert_str_eq(rows_of(stranger_batch((stranger){ plain.schema, column.array })),
                   "column x: the Arrow array's dictionary is not what its schema says");
  stranger_free((stranger){ column.schema, plain.array });
}

static stranger runs(int32_t first, int32_t second)
{
  stranger column = stranger_new("+r", "x", 4);
  stranger ends = stranger_new("i", "run_ends", 2);

  PUT(ends, 1, int32_t, first, second);
  stranger_child(column, ends);
  stranger_child(column, text());
  return column;
}

Test(hostile, run_ends_must_ascend_and_reach_the_end)
{
  stranger column = runs(2, 4);
  stranger ends = { column.schema->children[0], column.array->children[0] };

  cr_assert_str_eq(rows_of(stranger_batch(column)), "[\"a\",\"a\",\"b\",\"b\"]");
  cr_assert_str_eq(rows_of(stranger_batch(runs(2, 3))), "column x, row 3: the runs of the Arrow array end before its rows do");
  cr_assert_str_eq(rows_of(stranger_batch(runs(2, 2))), "column x, row 2: the run ends of the Arrow array do not ascend");
  cr_assert_str_eq(rows_of(stranger_batch(runs(0, -4))), "column x, row 0: the runs of the Arrow array end before its rows do");
  column = runs(2, 4);
  ends = (stranger){ column.schema->children[0], column.array->children[0] };
  PUT(ends, 0, uint8_t, 0x01);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the run ends of the Arrow array have nulls or no buffer");
  column = runs(2, 4);
  column.array->children[0]->buffers[1] = NULL;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the run ends of the Arrow array have nulls or no buffer");
  column = runs(2, 4);
  column.array->children[0]->offset = INT64_MAX;
  cr_assert_str_eq(rows_of(stranger_batch(column)),
                   "column x: the run ends of the Arrow array are not a plain array of integers");
  column = runs(2, 4);
  column.array->children[1]->length = 1;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x: the Arrow array has 1 rows where its parent needs 2");
}

Test(hostile, bad_text_in_a_run_is_named_by_its_row)
{
  stranger column = runs(3, 4);
  stranger values = { column.schema->children[1], column.array->children[1] };

  stranger_put(values, 2,
               "a\xff"
               "c",
               3);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 3: the text is not valid UTF-8");
}
