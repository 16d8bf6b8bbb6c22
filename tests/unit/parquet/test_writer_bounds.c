/* Least and greatest values, and how text is cut. */
#include <parquet/writer.h>

#include <criterion/criterion.h>
#include <math.h>

static osdear__pq_leaf leaf_of(osdear__type *type, osdear__pq_physical physical, int32_t width)
{
  return (osdear__pq_leaf){ .physical = physical, .width = width, .type = type };
}

static void add_fixed(osdear__pq_bounds *bounds, osdear__pq_order order, const void *values, size_t count)
{
  const osdear__pq_values dense = { .count = count, .fixed = values };
  osdear__pq_bounds_add(bounds, order, &dense);
}

Test(bounds, leave_nan_out)
{
  static const double some[] = { NAN, 3, NAN, -1 }, none[] = { NAN, NAN };
  SCOPED(pq_bounds) bounds = { 0 };

  add_fixed(&bounds, ORDER_DOUBLE, none, 2);
  cr_assert_not(bounds.has);
  add_fixed(&bounds, ORDER_DOUBLE, some, 4);
  cr_assert(bounds.has && bounds.min.f64 == -1 && bounds.max.f64 == 3);
  add_fixed(&bounds, ORDER_DOUBLE, none, 2);
  cr_assert(bounds.min.f64 == -1 && bounds.max.f64 == 3);
}

Test(bounds, of_infinities_are_infinite)
{
  static const float values[] = { INFINITY, INFINITY };
  SCOPED(pq_bounds) bounds = { 0 };

  add_fixed(&bounds, ORDER_FLOAT, values, 2);
  cr_assert(bounds.has && isinf(bounds.min.f64) && isinf(bounds.max.f64));
}

Test(bounds, write_a_least_zero_negative_and_a_greatest_zero_positive)
{
  static const double zeros[] = { 0.0, -0.0 };
  osdear__type type = { .kind = KIND_DOUBLE };
  osdear__pq_leaf leaf = leaf_of(&type, PQ_DOUBLE, 8);
  SCOPED(arena) arena = { 0 };
  bool exact;

  for (size_t i = 0; i < 2; i++) {
    SCOPED(pq_bounds) bounds = { 0 };
    osdear__str min, max;
    add_fixed(&bounds, ORDER_DOUBLE, zeros + i, 1);
    min = osdear__pq_bounds_encode(&bounds, ORDER_DOUBLE, &leaf, false, 64, &arena, &exact);
    max = osdear__pq_bounds_encode(&bounds, ORDER_DOUBLE, &leaf, true, 64, &arena, &exact);
    cr_assert_eq(memcmp(min.data, "\0\0\0\0\0\0\0\x80", 8), 0);
    cr_assert_eq(memcmp(max.data, "\0\0\0\0\0\0\0\0", 8), 0);
  }
}

Test(bounds, order_unsigned_numbers_as_such)
{
  static const uint32_t narrow[] = { 1, UINT32_MAX };
  static const uint64_t wide[] = { UINT64_MAX, 1 };
  SCOPED(pq_bounds) bounds = { 0 };
  SCOPED(pq_bounds) more = { 0 };

  add_fixed(&bounds, ORDER_UINT32, narrow, 2);
  cr_assert(bounds.min.i64 == 1 && bounds.max.i64 == UINT32_MAX);
  add_fixed(&more, ORDER_UINT64, wide, 2);
  cr_assert(more.min.u64 == 1 && more.max.u64 == UINT64_MAX);
  cr_assert_lt(
      osdear__pq_bounds_compare(ORDER_UINT64, (osdear__str){ (char *)&wide[1], 8 }, (osdear__str){ (char *)&wide[0], 8 }), 0);
  cr_assert_gt(osdear__pq_bounds_compare(ORDER_INT64, (osdear__str){ (char *)&wide[1], 8 }, (osdear__str){ (char *)&wide[0], 8 }),
               0);
}

Test(bounds, of_half_floats_order_as_numbers)
{
  /* 1.0, -2.0, NaN, 0.5, -0.0 */
  static const uint8_t halves[] = { 0, 0x3c, 0, 0xc0, 1, 0x7c, 0, 0x38, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0 };
  static const int32_t starts[] = { 0, 2, 4, 6, 8, 10 };
  const osdear__pq_values values = { .dense = DENSE_BYTES, .count = 5, .starts = starts, .ends = starts + 1, .bytes = halves };
  osdear__type type = { .kind = KIND_FLOAT16 };
  osdear__pq_leaf leaf = leaf_of(&type, PQ_FIXED, 2);
  SCOPED(pq_bounds) bounds = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__scalar scalar;
  osdear__str min, max;
  bool exact;

  osdear__pq_bounds_add(&bounds, ORDER_FLOAT16, &values);
  min = osdear__pq_bounds_encode(&bounds, ORDER_FLOAT16, &leaf, false, 64, &arena, &exact);
  max = osdear__pq_bounds_encode(&bounds, ORDER_FLOAT16, &leaf, true, 64, &arena, &exact);
  cr_assert_eq(memcmp(min.data, "\0\xc0", 2), 0);
  cr_assert_eq(memcmp(max.data, "\0\x3c", 2), 0);
  cr_assert_lt(osdear__pq_bounds_compare(ORDER_FLOAT16, min, max), 0);
  osdear__pq_bounds_scalar(&bounds, &type, false, &scalar);
  cr_assert_eq(scalar.f64, -2.0);
}

Test(bounds, of_wide_decimals_are_big_endian_and_signed)
{
  static const osdear__pq_int128 values[] = { 5, -3 };
  osdear__type type = { .kind = KIND_DECIMAL, .precision = 20 };
  osdear__pq_leaf leaf = leaf_of(&type, PQ_FIXED, 9);
  SCOPED(pq_bounds) bounds = { 0 };
  SCOPED(arena) arena = { 0 };
  osdear__str min, max;
  bool exact;

  add_fixed(&bounds, ORDER_DECIMAL, values, 2);
  min = osdear__pq_bounds_encode(&bounds, ORDER_DECIMAL, &leaf, false, 64, &arena, &exact);
  max = osdear__pq_bounds_encode(&bounds, ORDER_DECIMAL, &leaf, true, 64, &arena, &exact);
  cr_assert(min.size == 9 && memcmp(min.data, "\xff\xff\xff\xff\xff\xff\xff\xff\xfd", 9) == 0);
  cr_assert(max.size == 9 && memcmp(max.data, "\0\0\0\0\0\0\0\0\5", 9) == 0);
  cr_assert_lt(osdear__pq_bounds_compare(ORDER_DECIMAL, min, max), 0);
}

Test(text_range, compares_past_the_first_eight_bytes_and_against_prefixes)
{
  static const char *const texts[] = { "middle", "aaaaaaaab", "aaaaaaaa", "zzzzzzzza", "zzzzzzzzb", "" };
  osdear__pq_text_range range = { 0 };
  char padded[6][32] = { { 0 } };

  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    size_t size = strlen(texts[i]);
    memcpy(padded[i], texts[i], size);
    if (i < 5)
      osdear__pq_text_range_add(&range, (const uint8_t *)padded[i], size);
  }
  cr_assert(osdear__str_is(range.min, "aaaaaaaa"));
  cr_assert(osdear__str_is(range.max, "zzzzzzzzb"));
  osdear__pq_text_range_add(&range, (const uint8_t *)padded[5], 0);
  cr_assert_eq(range.min.size, 0);
}

Test(text_range, tells_a_zero_byte_from_the_end)
{
  static const uint8_t with_zero[16] = "ab\0", bytes_high[16] = "\xff\xff";
  osdear__pq_text_range range = { 0 };

  osdear__pq_text_range_add(&range, with_zero, 3);
  osdear__pq_text_range_add(&range, with_zero, 2);
  osdear__pq_text_range_add(&range, bytes_high, 2);
  cr_assert_eq(range.min.size, 2);
  cr_assert_eq((uint8_t)range.max.data[0], 0xff); /* bytes are unsigned */
}

/* ---- cutting ---- */

static osdear__str cut_at(osdear__kind kind, const char *text, size_t size, bool is_max, size_t limit, osdear__arena *arena,
                          bool *exact)
{
  osdear__type type = { .kind = kind };
  osdear__pq_leaf leaf = leaf_of(&type, PQ_BYTE_ARRAY, 0);
  SCOPED(pq_bounds) bounds = { 0 };
  osdear__str value = { text, size };

  osdear__pq_bounds_add_text(&bounds, value, value);
  return osdear__pq_bounds_encode(&bounds, ORDER_BYTES, &leaf, is_max, limit, arena, exact);
}

static void expect_cut(osdear__kind kind, const char *text, bool is_max, size_t limit, const char *wanted, bool wanted_exact)
{
  SCOPED(arena) arena = { 0 };
  bool exact;
  osdear__str cut = cut_at(kind, text, strlen(text), is_max, limit, &arena, &exact);

  cr_assert(osdear__str_is(cut, wanted), "\"%s\" was cut to \"%.*s\"", text, (int)cut.size, cut.data);
  cr_assert_eq(exact, wanted_exact);
}

Test(bounds, that_fit_stay_whole)
{
  expect_cut(KIND_STRING, "abcd", false, 4, "abcd", true);
  expect_cut(KIND_STRING, "abcd", true, 4, "abcd", true);
  expect_cut(KIND_STRING, "", true, 4, "", true);
}

Test(bounds, are_cut_down_below_and_up_above)
{
  expect_cut(KIND_STRING, "abcdefgh", false, 4, "abcd", false);
  expect_cut(KIND_STRING, "abcdefgh", true, 4, "abce", false);
  expect_cut(KIND_BINARY, "abc\xff\xff\xff", true, 4, "abd", false);
}

Test(bounds, never_cut_through_a_character)
{
  expect_cut(KIND_STRING, "abc\u00e9\u00e9\u00e9", false, 4, "abc", false);
  expect_cut(KIND_STRING, "abc\u00e9\u00e9\u00e9", true, 4, "abd", false);
  expect_cut(KIND_BINARY, "abc\xc3\xa9", false, 4, "abc\xc3", false);
}

Test(bounds, raise_a_character_to_the_next_one_there_is)
{
  expect_cut(KIND_STRING, "ab\x7fzzzz", true, 3, "ab\xc2\x80", false);
  expect_cut(KIND_STRING, "a\u07ffzzzz", true, 3, "a\u0800", false);
  expect_cut(KIND_STRING, "\ud7ffzzzz", true, 3, "\ue000", false); /* over the surrogates */
  expect_cut(KIND_STRING, "\uffffzzzz", true, 3, "\U00010000", false);
  expect_cut(KIND_STRING, "a\U0010ffffzzzz", true, 5, "b", false); /* the last one has none: the one before */
}

Test(bounds, that_cannot_be_raised_stay_whole)
{
  expect_cut(KIND_STRING, "\U0010ffff\U0010ffff", true, 4, "\U0010ffff\U0010ffff", true);
  expect_cut(KIND_BINARY, "\xff\xff\xff", true, 2, "\xff\xff\xff", true);
}

Test(bounds, when_cut_still_bound_what_they_came_from)
{
  SCOPED(arena) arena = { 0 };
  uint32_t seed = 9;
  char text[100];

  for (int round = 0; round < 2000; round++) {
    osdear__str whole, min, max;
    size_t size = 0;
    bool exact;
    while (size < 90) { /* valid UTF-8 of all lengths */
      static const char *const characters[] = { "a",      "\x7f",   "\xc2\x80", "\u07ff",     "\u0800",
                                                "\ud7ff", "\ue000", "\uffff",   "\U00010000", "\U0010ffff" };
      const char *character = characters[(seed = seed * 1664525 + 1013904223) >> 16 & 7 ? seed >> 20 & 7 : 8 + (seed >> 24 & 1)];
      memcpy(text + size, character, strlen(character));
      size += strlen(character);
    }
    whole = (osdear__str){ text, size };
    min = cut_at(KIND_STRING, text, size, false, 64, &arena, &exact);
    max = cut_at(KIND_STRING, text, size, true, 64, &arena, &exact);
    cr_assert_leq(osdear__str_compare(min, whole), 0);
    cr_assert_geq(osdear__str_compare(max, whole), 0);
    cr_assert(osdear__utf8_is_valid(min.data, min.size) && osdear__utf8_is_valid(max.data, max.size));
  }
}

#ifdef OSDEAR_FAULTS
Test(bounds, say_when_memory_ran_out)
{
  SCOPED(pq_bounds) bounds = { 0 };

  osdear__fault_arm(FAULT_ALLOC, 0, false);
  osdear__pq_bounds_add_text(&bounds, STR("a"), STR("b"));
  osdear__fault_disarm();
  cr_assert_eq(osdear__pq_bounds_check(&bounds, NULL), OSDEAR_ERR_NO_MEMORY);
}
#endif
