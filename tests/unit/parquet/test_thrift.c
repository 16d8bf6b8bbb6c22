/* Thrift's compact protocol: every type read and passed over, and bytes that lie. */
#include <criterion/criterion.h>

#include <stddef.h>

#include <parquet/format.h>

typedef struct inner {
  uint32_t set;
  int32_t number;
} inner;

typedef struct outer {
  uint32_t set;
  bool flag;
  int8_t tiny;
  int16_t small;
  int32_t number;
  int64_t large;
  osdear__str text;
  inner *one;
  inner *many;
  size_t many_count;
  int64_t *larges;
  size_t large_count;
  bool *flags;
  size_t flag_count;
} outer;

static const osdear__thrift_field inner_fields[] = { { 1, THRIFT_I32, false, true, offsetof(inner, number), 0, NULL } };
static const osdear__thrift_struct inner_of = { "Inner", sizeof(inner), inner_fields, 1 };
static const osdear__thrift_field outer_fields[] = {
  { 1, THRIFT_BOOL, false, false, offsetof(outer, flag), 0, NULL },
  { 2, THRIFT_I8, false, false, offsetof(outer, tiny), 0, NULL },
  { 3, THRIFT_I16, false, false, offsetof(outer, small), 0, NULL },
  { 4, THRIFT_I32, false, true, offsetof(outer, number), 0, NULL },
  { 5, THRIFT_I64, false, false, offsetof(outer, large), 0, NULL },
  { 6, THRIFT_BINARY, false, false, offsetof(outer, text), 0, NULL },
  { 7, THRIFT_STRUCT, false, false, offsetof(outer, one), 0, &inner_of },
  { 8, THRIFT_STRUCT, true, false, offsetof(outer, many), offsetof(outer, many_count), &inner_of },
  { 9, THRIFT_I64, true, false, offsetof(outer, larges), offsetof(outer, large_count), NULL },
  { 10, THRIFT_BOOL, true, false, offsetof(outer, flags), offsetof(outer, flag_count), NULL },
  { 30, THRIFT_EMPTY, false, false, 0, 0, NULL },
};
static const osdear__thrift_struct outer_of = { "Outer", sizeof(outer), outer_fields, COUNT_OF(outer_fields) };

static osdear_status read_outer(osdear__str bytes, osdear__arena *arena, outer *out, size_t *used, osdear_error **error)
{
  return osdear__thrift_read(&outer_of, bytes, arena, out, used, error);
}

static void refuse(osdear__str bytes, const char *words)
{
  SCOPED(arena) arena = { 0 };
  AUTO(error) error = NULL;
  outer out;

  cr_assert_eq(read_outer(bytes, &arena, &out, NULL, &error), OSDEAR_ERR_CORRUPT);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
}

static int32_t number_of(osdear__str bytes)
{
  SCOPED(arena) arena = { 0 };
  AUTO(error) error = NULL;
  outer out;
  size_t used = 0;

  cr_assert_eq(read_outer(bytes, &arena, &out, &used, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_eq(used, bytes.size);
  return out.number;
}

Test(thrift, what_is_written_is_read)
{
  int64_t larges[20] = { INT64_MIN, INT64_MAX, -1, 0, 1 };
  bool flags[] = { true, false, true };
  inner many[2] = { { .number = INT32_MIN }, { .number = INT32_MAX } }, one = { .number = 7 };
  const outer given = { .set = SET(1) | SET(2) | SET(3) | SET(5) | SET(30),
                        .flag = true,
                        .tiny = -128,
                        .small = INT16_MIN,
                        .number = -5,
                        .large = INT64_MIN,
                        .text = STR("x\0y"),
                        .one = &one,
                        .many = many,
                        .many_count = 2,
                        .larges = larges,
                        .large_count = COUNT_OF(larges),
                        .flags = flags,
                        .flag_count = COUNT_OF(flags) };
  SCOPED(buf) bytes = { 0 };
  SCOPED(arena) arena = { 0 };
  outer read;

  osdear__thrift_write(&outer_of, &given, &bytes);
  cr_assert_eq(read_outer((osdear__str){ bytes.data, bytes.size }, &arena, &read, NULL, NULL), OSDEAR_OK);
  cr_assert(read.flag && read.tiny == -128 && read.small == INT16_MIN && read.number == -5 && read.large == INT64_MIN);
  cr_assert(read.text.size == 3 && !memcmp(read.text.data, "x\0y", 3) && read.one->number == 7 && read.set & SET(30));
  cr_assert(read.many_count == 2 && read.many[0].number == INT32_MIN && read.many[1].number == INT32_MAX);
  cr_assert(read.large_count == COUNT_OF(larges) && !memcmp(read.larges, larges, sizeof larges));
  cr_assert(read.flag_count == 3 && read.flags[0] && !read.flags[1] && read.flags[2]);
  for (size_t size = 0; size < bytes.size; size++) {
    SCOPED(arena) other = { 0 };

    cr_assert_eq(read_outer((osdear__str){ bytes.data, size }, &other, &read, NULL, NULL), OSDEAR_ERR_CORRUPT, "%zu", size);
  }
}

/* 0x45 0x0a: field 4, an i32 of 5. */
Test(thrift, unknown_fields_of_every_type_are_passed_over)
{
  const osdear__str unknown[] = {
    STR("\x45\x0a\xb1"),
    STR("\x45\x0a\xb2"),
    STR("\x45\x0a\xb3\7"),
    STR("\x45\x0a\xb4\x80\x01"),
    STR("\x45\x0a\xb5\1"),
    STR("\x45\x0a\xb6\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
    STR("\x45\x0a\xb7"
        "12345678"),
    STR("\x45\x0a\xb8\3abc"),
    STR("\x45\x0a\xb9\x35\1\2\3"),
    STR("\x45\x0a\xb9\x21\1\2"),
    STR("\x45\x0a\xba\x18\1a"),
    STR("\x45\x0a\xbb\0"),
    STR("\x45\x0a\xbb\1\x58\2\1a"),
    STR("\x45\x0a\xbc\x15\2\0"),
    STR("\x45\x0a\xbd"
        "0123456789abcdef"),
    STR("\x45\x0a\xb9\x1c\x19\x1c\x15\2\0\0"),
    STR("\x45\x0a\x05\xd0\x0f\1"),
    STR("\x45\x0a\x05\x01\1"),
  };

  for (size_t i = 0; i < COUNT_OF(unknown); i++) {
    SCOPED(buf) bytes = { 0 };

    osdear__buf_append(&bytes, unknown[i].data, unknown[i].size);
    refuse((osdear__str){ bytes.data, bytes.size }, "Thrift Outer");
    osdear__buf_putc(&bytes, 0);
    cr_assert_eq(number_of((osdear__str){ bytes.data, bytes.size }), 5, "%zu", i);
  }
}

Test(thrift, known_fields_of_another_type_are_passed_over_too)
{
  cr_assert_eq(number_of(STR("\x18\1x\x35\x0a\0")), 5, "text instead of a flag");
  cr_assert_eq(number_of(STR("\x45\x0a\x25\2\0")), 5, "a number instead of text");
  refuse(STR("\x48\1x\0"), "required field 4 is missing");
}

Test(thrift, a_field_that_comes_twice_counts_as_its_last)
{
  cr_assert_eq(number_of(STR("\x45\x02\x05\x08\x0a\0")), 5);
}

Test(thrift, bytes_that_lie_are_refused)
{
  refuse(STR(""), "Outer");
  refuse(STR("\0"), "required field 4");
  refuse(STR("\x4e\0"), "Outer");                                               /* no such type */
  refuse(STR("\x45\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\0"), "field 4"); /* more than ten bytes */
  refuse(STR("\x45\xff\xff\xff\xff\x7f\0"), "field 4");                         /* more than 32 bits */
  refuse(STR("\x45\x0a\x28\x7f"
             "abc"),
         "field 6"); /* text longer than what is left */
  refuse(STR("\x45\x0a\x28\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
             "abc"),
         "field 6");
  refuse(STR("\x45\x0a\x49\xfc\xff\xff\xff\xff\x0f\0"), "field 8"); /* four thousand million structs in no bytes */
  refuse(STR("\x45\x0a\x59\x35\1\2\3\0"), "list of type 5");
  refuse(STR("\x45\x0a\x05\x80\x80\x80\x01\1\0"), "Outer");       /* an id beyond 16 bits */
  refuse(STR("\x45\x0a\xbb\xff\xff\xff\xff\x0f\x55\0"), "Outer"); /* a map of more pairs than bytes */
}

/* Lists in lists, structs in structs: some are passed over, too many would use up the stack. */
Test(thrift, depth_is_bounded)
{
  for (int depth = 8; depth <= 4096; depth *= 8) {
    for (int kind = 0; kind < 2; kind++) {
      SCOPED(buf) bytes = { 0 };

      osdear__buf_append(&bytes, kind ? "\x45\x0a\xbc" : "\x45\x0a\xb9", 3);
      for (int i = 0; i < depth; i++)
        osdear__buf_putc(&bytes, kind ? 0x1c : 0x19);
      osdear__buf_putc(&bytes, kind ? 0 : 0x03);
      for (int i = 0; i <= depth; i++)
        osdear__buf_putc(&bytes, 0);
      if (depth < 64 && kind)
        cr_assert_eq(number_of((osdear__str){ bytes.data, bytes.size - 0 }), 5);
      else if (depth > 64)
        refuse((osdear__str){ bytes.data, bytes.size }, "Outer");
    }
  }
}
