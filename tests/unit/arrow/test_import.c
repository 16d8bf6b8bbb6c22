#include "stranger.h"

#include <criterion/criterion.h>

TestSuite(import, .fini = check_released);

/* A batch of one column of fixed width: validity 0b…0111_0101 over eight rows of which the array shows five from row 2 on. */
static stranger sliced(const char *format, const void *bytes, size_t size)
{
  stranger column = stranger_new(format, "x", 3);

  column.array->offset = 2;
  stranger_put(column, 1, bytes, size);
  PUT(column, 0, uint8_t, 0x15);
  return stranger_batch(column);
}
#define SLICED(format, type, ...) sliced(format, (type[]){ __VA_ARGS__ }, sizeof((type[]){ __VA_ARGS__ }))

Test(import, numbers_of_every_width_with_an_offset_and_nulls)
{
  cr_assert_str_eq(rows_of(SLICED("c", int8_t, 0, 0, -1, 7, 127)), "[-1,null,127]");
  cr_assert_str_eq(rows_of(SLICED("C", uint8_t, 0, 0, 255, 7, 1)), "[255,null,1]");
  cr_assert_str_eq(rows_of(SLICED("s", int16_t, 0, 0, INT16_MIN, 7, 1)), "[-32768,null,1]");
  cr_assert_str_eq(rows_of(SLICED("S", uint16_t, 0, 0, UINT16_MAX, 7, 1)), "[65535,null,1]");
  cr_assert_str_eq(rows_of(SLICED("i", int32_t, 0, 0, INT32_MIN, 7, 1)), "[-2147483648,null,1]");
  cr_assert_str_eq(rows_of(SLICED("I", uint32_t, 0, 0, UINT32_MAX, 7, 1)), "[4294967295,null,1]");
  cr_assert_str_eq(rows_of(SLICED("l", int64_t, 0, 0, INT64_MIN, 7, 1)), "[-9223372036854775808,null,1]");
  cr_assert_str_eq(rows_of(SLICED("L", uint64_t, 0, 0, UINT64_MAX, 7, 1)), "[18446744073709551615,null,1]");
  cr_assert_str_eq(rows_of(SLICED("e", uint16_t, 0, 0, 0x3e00, 7, 0xfc00)), "[1.5,null,-Infinity]");
  cr_assert_str_eq(rows_of(SLICED("f", float, 0, 0, 0.25f, 7, 1)), "[0.25,null,1.0]");
  cr_assert_str_eq(rows_of(SLICED("g", double, 0, 0, -0.25, 7, 1)), "[-0.25,null,1.0]");
  cr_assert_str_eq(rows_of(SLICED("b", uint8_t, 0x0c)), "[1,null,0]");
  cr_assert_str_eq(rows_of(SLICED("w:3", char, "012345abcdefghi")), "[\"abc\",null,\"ghi\"]");
  cr_assert_str_eq(rows_of(SLICED("w:0", char, 0)), "[\"\",null,\"\"]");
}

Test(import, dates_and_times_of_every_unit_become_days_and_microseconds)
{
  cr_assert_str_eq(rows_of(SLICED("tdD", int32_t, 0, 0, -1, 7, 1)), "[-1,null,1]");
  cr_assert_str_eq(rows_of(SLICED("tdm", int64_t, 0, 0, -1, INT64_MAX, 86400000)), "[-1,null,1]");
  cr_assert_str_eq(rows_of(SLICED("tts", int32_t, 0, 0, 1, 7, 86399)), "[1000000,null,86399000000]");
  cr_assert_str_eq(rows_of(SLICED("ttm", int32_t, 0, 0, 1, 7, 2)), "[1000,null,2000]");
  cr_assert_str_eq(rows_of(SLICED("ttu", int64_t, 0, 0, 1, 7, 2)), "[1,null,2]");
  cr_assert_str_eq(rows_of(SLICED("ttn", int64_t, 0, 0, 1999, 7, 2000)), "[1,null,2]");
  cr_assert_str_eq(rows_of(SLICED("tss:", int64_t, 0, 0, -1, INT64_MAX, 2)), "[-1000000,null,2000000]");
  cr_assert_str_eq(rows_of(SLICED("tsm:UTC", int64_t, 0, 0, -1, INT64_MIN, 2)), "[-1000,null,2000]");
  cr_assert_str_eq(rows_of(SLICED("tsu:Europe/Berlin", int64_t, 0, 0, -1, 7, 2)), "[-1,null,2]");
  cr_assert_str_eq(rows_of(SLICED("tsn:", int64_t, 0, 0, -1, 7, -1000)), "[-1,null,-1]");
}

Test(import, a_time_beyond_microseconds_is_named_by_column_and_row)
{
  cr_assert_str_eq(rows_of(SLICED("tss:UTC", int64_t, 0, 0, 1, 7, INT64_MAX)),
                   "column x, row 2: 9223372036854775807 (tss:UTC) does not fit 64 bits in microseconds");
  cr_assert_str_eq(rows_of(SLICED("tdm", int64_t, 0, 0, INT64_MIN, 7, 1)),
                   "column x, row 0: -9223372036854775808 (tdm) does not fit 32 bits in days");
}

Test(import, decimals_of_every_width)
{
  const int64_t wide[] = { 0, 0, 0, 0, 0, 0, 0, 0, -125, -1, -1, -1, 9, 9, 9, 9, 125, 0, 0, 0 };

  cr_assert_str_eq(rows_of(SLICED("d:5,2,32", int32_t, 0, 0, -125, INT32_MAX, 99999)), "[-1.25,null,999.99]");
  cr_assert_str_eq(rows_of(SLICED("d:5,2,64", int64_t, 0, 0, -125, INT64_MAX, 99999)), "[-1.25,null,999.99]");
  cr_assert_str_eq(rows_of(SLICED("d:5,2", osdear__int128, 0, 0, -125, INT64_MAX, 99999)), "[-1.25,null,999.99]");
  cr_assert_str_eq(rows_of(sliced("d:50,2,256", wide, sizeof wide)), "[-1.25,null,1.25]");
  cr_assert_str_eq(rows_of(SLICED("d:2,3", osdear__int128, 0, 0, -125, 7, 99)), "[-0.125,null,0.099]");
}

Test(import, a_decimal_with_too_many_digits_is_refused)
{
  const int64_t wide[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 9, 9, 9, 9, 125, 0, 0, 0 };

  cr_assert_str_eq(rows_of(SLICED("d:5,2", osdear__int128, 0, 0, 1, 7, 100000)),
                   "column x, row 2: the value has more digits than decimal(5,2) holds");
  cr_assert_str_eq(rows_of(SLICED("d:5,2,32", int32_t, 0, 0, -100000, 7, 1)),
                   "column x, row 0: the value has more digits than decimal(5,2) holds");
  cr_assert_str_eq(rows_of(sliced("d:50,2,256", wide, sizeof wide)), "column x, row 0: the decimal has more than 38 digits");
}

static stranger strings(const char *format, bool is_large)
{
  stranger column = stranger_new(format, "x", 4);

  column.array->offset = 1;
  PUT(column, 0, uint8_t, 0x1b);
  if (is_large)
    PUT(column, 1, int64_t, 0, 2, 5, 6, 6, 8);
  else
    PUT(column, 1, int32_t, 0, 2, 5, 6, 6, 8);
  stranger_put(column, 2, "zzabc\xff\xc3\xbc", 8);
  return stranger_batch(column);
}

Test(import, strings_with_offsets_of_either_width_and_bad_bytes_under_a_null)
{
  cr_assert_str_eq(rows_of(strings("u", false)), "[\"abc\",null,\"\",\"\\xc3\\xbc\"]");
  cr_assert_str_eq(rows_of(strings("U", true)), "[\"abc\",null,\"\",\"\\xc3\\xbc\"]");
  cr_assert_str_eq(rows_of(strings("z", false)), "[\"abc\",null,\"\",\"\\xc3\\xbc\"]");
  cr_assert_str_eq(rows_of(strings("Z", true)), "[\"abc\",null,\"\",\"\\xc3\\xbc\"]");
}

Test(import, text_must_be_utf8_in_each_row_not_only_as_a_whole)
{
  stranger column = stranger_new("u", "x", 2);

  PUT(column, 1, int32_t, 0, 1, 2);
  stranger_put(column, 2, "\xc3\xbc", 2); /* one character, cut between the rows */
  cr_assert_str_eq(rows_of(stranger_batch(column)), "column x, row 0: the text is not valid UTF-8");
}

static void put_view(char *out, int32_t size, const char *bytes, int32_t buffer, int32_t offset)
{
  memcpy(out, &size, 4);
  memcpy(out + 4, bytes, size <= 12 ? (size_t)size : 4);
  if (size > 12) {
    memcpy(out + 8, &buffer, 4);
    memcpy(out + 12, &offset, 4);
  }
}

static stranger views(const char *format)
{
  stranger column = stranger_new(format, "x", 5);
  char bytes[6 * 16];

  memset(bytes, 0x7f, sizeof bytes); /* under the null and past short strings stands anything */
  put_view(bytes + 16, 3, "abc", 0, 0);
  put_view(bytes + 32, 12, "exactly 12 b", 0, 0);
  put_view(bytes + 64, 13, "more", 1, 2);
  put_view(bytes + 80, 0, "", 0, 0);
  column.array->offset = 1;
  stranger_buffers(column, 5);
  PUT(column, 0, uint8_t, 0x36);
  stranger_put(column, 1, bytes, sizeof bytes);
  stranger_put(column, 2, "?", 1);
  stranger_put(column, 3, "--more than 12!", 15);
  PUT(column, 4, int64_t, 1, 15);
  return stranger_batch(column);
}

Test(import, views_short_and_long)
{
  cr_assert_str_eq(rows_of(views("vu")), "[\"abc\",\"exactly 12 b\",null,\"more than 12!\",\"\"]");
  cr_assert_str_eq(rows_of(views("vz")), "[\"abc\",\"exactly 12 b\",null,\"more than 12!\",\"\"]");
}

static stranger integers(const char *name, int64_t length)
{
  stranger column = stranger_new("i", name, length);

  PUT(column, 1, int32_t, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
  return column;
}

Test(import, lists_of_every_layout)
{
  stranger list = stranger_new("+l", "x", 3);
  stranger large = stranger_new("+L", "x", 3);
  stranger view = stranger_new("+vl", "x", 3);
  stranger large_view = stranger_new("+vL", "x", 3);
  stranger fixed = stranger_new("+w:2", "x", 3);

  PUT(list, 1, int32_t, 1, 3, 3, 6);
  PUT(large, 1, int64_t, 1, 3, 3, 6);
  PUT(view, 1, int32_t, 4, 0, 3);
  PUT(view, 2, int32_t, 2, 1, 3);
  PUT(large_view, 1, int64_t, 4, 0, 3);
  PUT(large_view, 2, int64_t, 2, 1, 3);
  stranger_child(list, integers("item", 10));
  stranger_child(large, integers("item", 10));
  stranger_child(view, integers("item", 10));
  stranger_child(large_view, integers("item", 10));
  stranger_child(fixed, integers("item", 10));
  fixed.array->offset = 1;
  cr_assert_str_eq(rows_of(stranger_batch(list)), "[[1,2],[],[3,4,5]]");
  cr_assert_str_eq(rows_of(stranger_batch(large)), "[[1,2],[],[3,4,5]]");
  cr_assert_str_eq(rows_of(stranger_batch(view)), "[[4,5],[0],[3,4,5]]");
  cr_assert_str_eq(rows_of(stranger_batch(large_view)), "[[4,5],[0],[3,4,5]]");
  cr_assert_str_eq(rows_of(stranger_batch(fixed)), "[[2,3],[4,5],[6,7]]");
}

Test(import, what_lies_under_null_lists_is_left_out)
{
  stranger list = stranger_new("+l", "x", 3);
  stranger fixed = stranger_new("+w:2", "x", 4);
  stranger view = stranger_new("+vl", "x", 3);

  PUT(list, 0, uint8_t, 0x05);
  PUT(list, 1, int32_t, 1, 3, 5, 6);
  PUT(fixed, 0, uint8_t, 0x0d);
  PUT(view, 0, uint8_t, 0x05);
  PUT(view, 1, int32_t, 1, -7, 5);
  PUT(view, 2, int32_t, 1, 99, 1);
  stranger_child(list, integers("item", 10));
  stranger_child(fixed, integers("item", 10));
  stranger_child(view, integers("item", 10));
  cr_assert_str_eq(rows_of(stranger_batch(list)), "[[1,2],null,[5]]");
  cr_assert_str_eq(rows_of(stranger_batch(fixed)), "[[0,1],null,[4,5],[6,7]]");
  cr_assert_str_eq(rows_of(stranger_batch(view)), "[[1],null,[5]]");
}

static stranger map_of(int64_t length, uint8_t key_validity)
{
  stranger map = stranger_new("+m", "x", length);
  stranger entries = stranger_new("+s", "whatever", 5);
  stranger keys = stranger_new("u", "its keys", 5);

  PUT(map, 1, int32_t, 0, 2, 3, 4, 5);
  PUT(keys, 0, uint8_t, key_validity);
  PUT(keys, 1, int32_t, 0, 1, 2, 3, 4, 5);
  stranger_put(keys, 2, "abcde", 5);
  stranger_child(entries, keys);
  stranger_child(entries, integers("its values", 5));
  stranger_child(map, entries);
  return map;
}

Test(import, maps_with_children_of_any_name)
{
  stranger map = map_of(3, 0xff);

  map.array->offset = 1;
  cr_assert_str_eq(rows_of(stranger_batch(map)),
                   "[[{\"key\":\"c\",\"value\":2}],[{\"key\":\"d\",\"value\":3}],[{\"key\":\"e\",\"value\":4}]]");
}

Test(import, a_null_key_matters_only_where_a_map_has_it)
{
  stranger map = map_of(4, 0xfb);

  cr_assert_str_eq(rows_of(stranger_batch(map_of(4, 0xfb))), "column x, row 1: a map has a null key or entry");
  PUT(map, 0, uint8_t, 0x0d);
  cr_assert_str_eq(rows_of(stranger_batch(map)), "[[{\"key\":\"a\",\"value\":0},{\"key\":\"b\",\"value\":1}],null,"
                                                 "[{\"key\":\"d\",\"value\":3}],[{\"key\":\"e\",\"value\":4}]]");
}

Test(import, the_offset_of_a_struct_counts_in_its_children_too)
{
  stranger pair = stranger_new("+s", "x", 3);
  stranger first = integers("a", 8);
  stranger text = stranger_new("u", "b", 6);

  pair.array->offset = 2;
  PUT(pair, 0, uint8_t, 0x17);
  first.array->offset = 1;
  PUT(text, 1, int32_t, 0, 1, 2, 3, 4, 5, 6);
  stranger_put(text, 2, "uvwxyz", 6);
  stranger_child(pair, first);
  stranger_child(pair, text);
  cr_assert_str_eq(rows_of(stranger_batch(pair)), "[{\"a\":3,\"b\":\"w\"},null,{\"a\":5,\"b\":\"y\"}]");
}

static stranger indices(const char *format)
{
  stranger column = stranger_new(format, "x", 4);

  PUT(column, 0, uint8_t, 0x0d);
  switch (format[0] | 0x20) {
  case 'c': PUT(column, 1, int8_t, 2, -1, 0, 1); break;
  case 's': PUT(column, 1, int16_t, 2, -1, 0, 1); break;
  case 'i': PUT(column, 1, int32_t, 2, -1, 0, 1); break;
  default: PUT(column, 1, int64_t, 2, -1, 0, 1);
  }
  return column;
}

static stranger words(void)
{
  stranger column = stranger_new("u", "", 3);

  column.array->offset = 1;
  PUT(column, 0, uint8_t, 0x0b);
  PUT(column, 1, int32_t, 0, 1, 3, 5, 6);
  stranger_put(column, 2, "_abcdz", 6);
  return column;
}

Test(import, dictionaries_are_decoded_whatever_their_indices)
{
  static const char *const formats[] = { "c", "C", "s", "S", "i", "I", "l", "L" };

  for (size_t i = 0; i < COUNT_OF(formats); i++) {
    stranger column = indices(formats[i]);

    stranger_dictionary(column, words());
    cr_assert_str_eq(rows_of(stranger_batch(column)), "[\"z\",null,\"ab\",null]");
  }
}

Test(import, dictionaries_of_dictionaries_and_of_lists)
{
  stranger outer = indices("c");
  stranger inner = stranger_new("S", "", 3);
  stranger lists = indices("i");
  stranger list = stranger_new("+l", "", 3);

  PUT(inner, 1, uint16_t, 2, 1, 0);
  stranger_dictionary(inner, words());
  stranger_dictionary(outer, inner);
  cr_assert_str_eq(rows_of(stranger_batch(outer)), "[\"ab\",null,\"z\",null]");
  PUT(list, 1, int32_t, 0, 1, 1, 4);
  stranger_child(list, integers("", 10));
  stranger_dictionary(lists, list);
  cr_assert_str_eq(rows_of(stranger_batch(lists)), "[[1,2,3],null,[0],[]]");
}

static stranger runs(const char *format)
{
  stranger column = stranger_new("+r", "x", 6);
  stranger ends = stranger_new(format, "run_ends", 3);

  column.array->offset = 1;
  if (format[0] == 's')
    PUT(ends, 1, int16_t, 2, 3, 7);
  else if (format[0] == 'i')
    PUT(ends, 1, int32_t, 2, 3, 7);
  else
    PUT(ends, 1, int64_t, 2, 3, 7);
  stranger_child(column, ends);
  stranger_child(column, words());
  return column;
}

Test(import, runs_are_decoded)
{
  cr_assert_str_eq(rows_of(stranger_batch(runs("s"))), "[\"ab\",null,\"z\",\"z\",\"z\",\"z\"]");
  cr_assert_str_eq(rows_of(stranger_batch(runs("i"))), "[\"ab\",null,\"z\",\"z\",\"z\",\"z\"]");
  cr_assert_str_eq(rows_of(stranger_batch(runs("l"))), "[\"ab\",null,\"z\",\"z\",\"z\",\"z\"]");
}

static stranger variant(const char *first, const char *second)
{
  stranger column = stranger_new("+s", "x", 2);
  stranger children[2] = { stranger_new("z", first, 2), stranger_new("Z", second, 2) };

  PUT(children[0], 1, int32_t, 0, 1, 2);
  PUT(children[1], 1, int64_t, 0, 1, 2);
  stranger_put(children[0], 2, "mn", 2);
  stranger_put(children[1], 2, "vw", 2);
  stranger_child(column, children[0]);
  stranger_child(column, children[1]);
  stranger_metadata(column, "ARROW:extension:name", "arrow.parquet.variant");
  return column;
}

Test(import, variants_with_their_binaries_in_either_order)
{
  cr_assert_str_eq(rows_of(stranger_batch(variant("metadata", "value"))),
                   "[{\"metadata\":\"m\",\"value\":\"v\"},{\"metadata\":\"n\",\"value\":\"w\"}]");
  cr_assert_str_eq(rows_of(stranger_batch(variant("value", "metadata"))),
                   "[{\"metadata\":\"v\",\"value\":\"m\"},{\"metadata\":\"w\",\"value\":\"n\"}]");
}

Test(import, other_extensions_are_their_storage)
{
  stranger column = integers("x", 2);

  stranger_metadata(column, "ARROW:extension:name", "arrow.bool8");
  cr_assert_str_eq(rows_of(stranger_batch(column)), "[0,1]");
}

Test(import, arrays_without_rows_need_no_buffers)
{
  static const char *const formats[] = { "n", "b", "i", "d:5,2,256", "u", "U", "vu", "tdm", "tsn:", "w:4" };
  stranger list = stranger_new("+l", "x", 0);
  stranger view = stranger_new("+vL", "x", 0);

  for (size_t i = 0; i < COUNT_OF(formats); i++)
    cr_assert_str_eq(rows_of(stranger_batch(stranger_new(formats[i], "x", 0))), "[]");
  stranger_child(list, stranger_new("u", "", 0));
  cr_assert_str_eq(rows_of(stranger_batch(list)), "[]");
  stranger_child(view, stranger_new("u", "", 0));
  cr_assert_str_eq(rows_of(stranger_batch(view)), "[]");
}

Test(import, empty_strings_need_no_bytes)
{
  stranger column = stranger_new("u", "x", 2);

  PUT(column, 1, int32_t, 0, 0, 0);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "[\"\",\"\"]");
}

Test(import, a_null_column_may_bring_a_validity_buffer)
{
  stranger column = stranger_new("n", "x", 2);

  stranger_buffers(column, 1);
  cr_assert_str_eq(rows_of(stranger_batch(column)), "[null,null]");
}

Test(import, a_canonical_column_is_kept_where_it_lies_and_released_once)
{
  SCOPED(arena) arena = { 0 };
  struct ArrowArray array = { 0 };
  struct ArrowArray child;
  stranger column = integers("x", 10);
  stranger batch = stranger_batch(column);
  const void *values = column.array->buffers[1];
  osdear__type type;

  column.array->length = 3;
  column.array->offset = 4;
  batch.array->length = 3;
  cr_assert_eq(stranger_import(batch, &arena, &type, &array, NULL), OSDEAR_OK);
  cr_assert_eq(array.children[0]->buffers[1], (const void *)((const int32_t *)values + 4));
  /* A consumer may move a child out and let its parent go. */
  child = *array.children[0];
  array.children[0]->release = NULL;
  osdear__array_drop(&array);
  cr_assert_eq(((const int32_t *)child.buffers[1])[2], 6);
  cr_assert_gt(stranger_held(), 0);
  osdear__array_drop(&child);
  cr_assert_eq(stranger_held(), 0);
}

Test(import, values_that_lie_askew_are_copied)
{
  stranger column = stranger_new("l", "x", 2);
  char bytes[20] = { 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2 };

  stranger_put(column, 1, bytes, sizeof bytes);
  column.array->buffers[1] = (const char *)column.array->buffers[1] + 4;
  cr_assert_str_eq(rows_of(stranger_batch(column)), "[1,2]");
}

Test(import, bad_text_inside_lists_is_named_by_the_row_of_the_batch)
{
  stranger list = stranger_new("+l", "x", 4);
  stranger text = stranger_new("u", "item", 4);

  PUT(list, 1, int32_t, 0, 2, 2, 3, 4);
  PUT(text, 1, int32_t, 0, 1, 2, 3, 4);
  stranger_put(text, 2,
               "ab\xff"
               "d",
               4);
  stranger_child(list, text);
  cr_assert_str_eq(rows_of(stranger_batch(list)), "column x.element, row 2: the text is not valid UTF-8");
}
