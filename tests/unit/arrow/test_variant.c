/* Variants: what is sound, by VariantEncoding.md, and what only looks so. */
#include <arrow/arrow.h>

#include <criterion/criterion.h>

#define TWO_NAMES        \
  "\x11\x02\x00\x01\x02" \
  "ab"

static bool is_sound(osdear__str metadata, osdear__str value)
{
  osdear__variant_names names;

  return osdear__variant_names_read(metadata, &names) && osdear__variant_names_are_sound(&names) &&
         osdear__variant_is_sound(&names, value);
}

#define SOUND(value) cr_assert(is_sound(STR(TWO_NAMES), STR(value)))
#define UNSOUND(value) cr_assert_not(is_sound(STR(TWO_NAMES), STR(value)))

Test(variant, every_primitive_has_its_size)
{
  static const uint8_t sizes[] = { 0, 0, 0, 1, 2, 4, 8, 8, 5, 9, 17, 4, 8, 8, 4, 4, 4, 8, 8, 8, 16 };
  char value[32] = { 0 };

  for (size_t type = 0; type < COUNT_OF(sizes); type++) {
    value[0] = (char)(uint8_t)(type << 2);
    cr_assert_eq(osdear__variant_size((osdear__str){ value, sizeof value }), 1 + (size_t)sizes[type], "type %zu", type);
    cr_assert(is_sound(STR(TWO_NAMES), (osdear__str){ value, 1 + (size_t)sizes[type] }));
    if (sizes[type])
      cr_assert_not(is_sound(STR(TWO_NAMES), (osdear__str){ value, sizes[type] }), "type %zu, cut short", type);
  }
  value[0] = (char)(uint8_t)(COUNT_OF(sizes) << 2);
  cr_assert_eq(osdear__variant_size((osdear__str){ value, sizeof value }), 0);
}

Test(variant, texts_end_where_they_say_and_are_utf8)
{
  SOUND("\x0d"
        "abc");
  UNSOUND("\x11"
          "abc");
  UNSOUND("\x05\xff");
  SOUND("\x40\x03\x00\x00\x00"
        "abc");
  UNSOUND("\x40\x04\x00\x00\x00"
          "abc");
  UNSOUND("\x40\xff\xff\xff\xff"
          "abc");
  UNSOUND("\x40\x01\x00\x00\x00\xff");
  SOUND("\x3c\x01\x00\x00\x00\xff"); /* binary */
  SOUND("\x44\xff\x5f\xd7\x1d\x14\x00\x00\x00");
  UNSOUND("\x44\x00\x60\xd7\x1d\x14\x00\x00\x00"); /* past midnight */
  UNSOUND("\x20\x27\x00\x00\x00\x00");             /* 39 digits of fraction */
}

Test(variant, items_lie_within_their_object_or_array)
{
  SOUND("\x02\x02\x00\x01\x00\x01\x02\x04\x00");
  SOUND("\x03\x02\x00\x01\x02\x04\x08");
  SOUND("\x03\x00\x00");
  SOUND("\x02\x02\x00\x01\x01\x00\x02\x04\x00"); /* values need not lie in the order of their names */
  UNSOUND("\x02\x01\x02\x00\x01\x00");           /* a name past the dictionary */
  UNSOUND("\x03\x02\x00\x01\x03\x04\x08");       /* ends past the value */
  UNSOUND("\x03\x02\x00\x02\x02\x04\x08");       /* an offset past the end */
  UNSOUND("\x03\x02\x00\x00\x01\x04");           /* one item twice */
  UNSOUND("\x03\xff\x00");
  UNSOUND("\x13\xff\xff\xff\xff\x00");
  UNSOUND("\x03\x01\x00\x01\x0d"); /* an item that is cut short */
}

Test(variant, a_depth_of_a_hundred_is_the_most)
{
  for (int depth = 99; depth < 102; depth++) {
    char value[4 * 128];
    size_t at = sizeof value - 1;

    value[at] = 0;
    for (int i = 0; i < depth; i++) {
      size_t size = sizeof value - at;

      at -= size < 256 ? 4 : 6;
      value[at] = (char)(size < 256 ? VARIANT_ARRAY : VARIANT_ARRAY | 1 << 2);
      value[at + 1] = 1;
      memset(value + at + 2, 0, size < 256 ? 2 : 4);
      memcpy(value + at + (size < 256 ? 3 : 4), &size, size < 256 ? 1 : 2);
    }
    cr_assert_eq(is_sound(STR(TWO_NAMES), (osdear__str){ value + at, sizeof value - at }), depth <= OSDEAR__VARIANT_DEPTH, "%d",
                 depth);
  }
}

Test(variant, names_lie_within_the_metadata)
{
  osdear__variant_names names;
  osdear__str name;

  cr_assert(osdear__variant_names_read(STR(TWO_NAMES), &names));
  cr_assert(osdear__variant_name(&names, 1, &name));
  cr_assert(osdear__str_is(name, "b"));
  cr_assert_not(osdear__variant_name(&names, 2, &name));
  cr_assert_not(osdear__variant_names_read(STR(""), &names));
  cr_assert_not(osdear__variant_names_read(STR("\x02\x00\x00"), &names)); /* another version */
  cr_assert_not(osdear__variant_names_read(STR("\xc1\xff\xff\xff\xff"), &names));
  cr_assert_not(is_sound(STR("\x01\x01\x00\x02"
                             "a"),
                         STR("\x00"))); /* a name past the end */
  cr_assert_not(is_sound(STR("\x01\x02\x00\x02\x01"
                             "ab"),
                         STR("\x00"))); /* one that ends before it begins */
  cr_assert_not(is_sound(STR("\x01\x01\x00\x01\xff"), STR("\x00")));
}
