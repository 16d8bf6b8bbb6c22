/** @file fixture.h Six rows of every type that expressions know, and what a predicate says of each of them. */
#ifndef OSDEAR_TESTS_EXPR_FIXTURE_H
#define OSDEAR_TESTS_EXPR_FIXTURE_H

#include <expr/expr.h>

#include <criterion/criterion.h>

#define ROWS 6

static osdear__field list_fields[] = { { "element", true, -1, NULL, { .kind = KIND_INTEGER } } };
static osdear__field map_fields[] = { { "key", false, -1, NULL, { .kind = KIND_STRING } },
                                      { "value", true, -1, NULL, { .kind = KIND_INTEGER } } };
static osdear__field inner_fields[] = { { "x", true, -1, NULL, { .kind = KIND_STRING } } };
static osdear__field struct_fields[] = {
  { "a", true, -1, NULL, { .kind = KIND_INTEGER } },
  { "in", true, -1, NULL, { .kind = KIND_STRUCT, .field_count = 1, .fields = inner_fields } },
};
static osdear__field fixture_fields[] = {
  { "b", true, -1, NULL, { .kind = KIND_BOOLEAN } },
  { "i8", true, -1, NULL, { .kind = KIND_BYTE } },
  { "i16", true, -1, NULL, { .kind = KIND_SHORT } },
  { "i32", true, -1, NULL, { .kind = KIND_INTEGER } },
  { "i64", true, -1, NULL, { .kind = KIND_LONG } },
  { "f32", true, -1, NULL, { .kind = KIND_FLOAT } },
  { "f64", true, -1, NULL, { .kind = KIND_DOUBLE } },
  { "dec", true, -1, NULL, { .kind = KIND_DECIMAL, .precision = 10, .scale = 2 } },
  { "wide", true, -1, NULL, { .kind = KIND_DECIMAL, .precision = 38, .scale = 10 } },
  { "s", true, -1, NULL, { .kind = KIND_STRING } },
  { "bin", true, -1, NULL, { .kind = KIND_BINARY } },
  { "d", true, -1, NULL, { .kind = KIND_DATE } },
  { "ts", true, -1, NULL, { .kind = KIND_TIMESTAMP } },
  { "ntz", true, -1, NULL, { .kind = KIND_TIMESTAMP_NTZ } },
  { "c3", true, -1, NULL, { .kind = KIND_STRING, .width = 3 } },
  { "c5", true, -1, NULL, { .kind = KIND_STRING, .width = 5 } },
  { "l", true, -1, NULL, { .kind = KIND_ARRAY, .field_count = 1, .fields = list_fields } },
  { "m", true, -1, NULL, { .kind = KIND_MAP, .field_count = 2, .fields = map_fields } },
  { "st", true, -1, NULL, { .kind = KIND_STRUCT, .field_count = 2, .fields = struct_fields } },
  { "a b", true, -1, NULL, { .kind = KIND_INTEGER } },
};
static const osdear__type fixture_type = { .kind = KIND_STRUCT,
                                           .field_count = COUNT_OF(fixture_fields),
                                           .fields = fixture_fields };

/* Column by column, a text for each row, NULL for null; the nested ones apart. */
static const char *const fixture_rows[][ROWS] = {
  { "true", "false", NULL, "true", "false", "true" },
  { "1", "-128", "127", NULL, "0", "5" },
  { "1", "-32768", "32767", NULL, "0", "5" },
  { "1", "2", "3", NULL, "-5", "100" },
  { "10", "20", NULL, "40", "50", "9007199254740993" },
  { "1.5", "NaN", "-0.0", NULL, "Infinity", "0.1" },
  { "1.5", "NaN", "-0.0", NULL, "Infinity", "2.0" },
  { "1.00", "1.50", NULL, "-2.25", "99999999.99", "0.00" },
  { "1", "1.5", NULL, "-2.25", "9999999999999999999999999999.9999999999", "0" },
  { "abc", "ABC", "", NULL, "äöü%_x", "zebra" },
  { "abc", "ABC", "", NULL, "äöü%_x", "zebra" },
  { "2024-01-01", "2024-02-29", "1969-12-31", NULL, "2024-12-31", "2000-01-01" },
  { "2024-01-01 00:00:00", "2024-01-01 12:00:00", NULL, "1969-12-31 23:59:59.999999", "2024-12-31 23:00:00",
    "2000-01-01 00:00:00" },
  { "2024-01-01 00:00:00", "2024-01-01 12:00:00", NULL, "1969-12-31 23:59:59.999999", "2024-12-31 23:00:00",
    "2000-01-01 00:00:00" },
  { "a  ", "ab ", "abc", NULL, "   ", "a\t " },
  { "a    ", "abc  ", "abc  ", NULL, "     ", "a\t   " },
};

static inline osdear__scalar scalar_of_text(const osdear__type *type, const char *text)
{
  osdear__scalar value = { .kind = type->kind, .is_null = !text, .scale = type->scale };
  osdear__str str = osdear__str_of(text);
  int32_t days = 0;
  bool has_zone;
  bool ok = true;

  if (!text)
    return value;
  switch (type->kind) {
  case KIND_BOOLEAN: value.i64 = osdear__str_is(str, "true"); break;
  case KIND_FLOAT:
  case KIND_DOUBLE: ok = osdear__parse_f64(str, &value.f64); break;
  case KIND_DECIMAL: ok = osdear__parse_decimal(str, type->precision, type->scale, &value.decimal); break;
  case KIND_STRING:
  case KIND_BINARY: value.bytes = str; break;
  case KIND_DATE:
    ok = osdear__parse_date(str, &days);
    value.i64 = days;
    break;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: ok = osdear__parse_timestamp(str, &value.i64, &has_zone); break;
  default: ok = osdear__parse_i64(str, &value.i64); break;
  }
  cr_assert(ok, "%s", text);
  return value;
}

static inline void add_integer(osdear__builder *builder, const char *text)
{
  osdear__scalar value = scalar_of_text(&list_fields[0].type, text);
  cr_assert_eq(osdear__builder_scalar(builder, &value, NULL), OSDEAR_OK);
}

static inline void add_list(osdear__builder *builder, size_t row)
{
  static const char *const lists[ROWS][3] = { { "1", "2" }, { NULL }, { NULL }, { "3", "null" }, { "7" }, { "1" } };
  if (row == 2) {
    cr_assert_eq(osdear__builder_null(builder, NULL), OSDEAR_OK);
    return;
  }
  for (size_t i = 0; lists[row][i]; i++)
    add_integer(osdear__builder_child(builder, 0), strcmp(lists[row][i], "null") == 0 ? NULL : lists[row][i]);
  cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
}

static inline void add_map(osdear__builder *builder, size_t row)
{
  static const char *const maps[ROWS][5] = { { "k", "1" }, { NULL },    { NULL }, { "k", "null", "j", "2" },
                                             { "j", "3" }, { "k", "9" } };
  if (row == 2) {
    cr_assert_eq(osdear__builder_null(builder, NULL), OSDEAR_OK);
    return;
  }
  for (size_t i = 0; maps[row][i]; i += 2) {
    cr_assert_eq(osdear__builder_bytes(osdear__builder_child(builder, 0), osdear__str_of(maps[row][i]), NULL), OSDEAR_OK);
    add_integer(osdear__builder_child(builder, 1), strcmp(maps[row][i + 1], "null") == 0 ? NULL : maps[row][i + 1]);
  }
  cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
}

/* {1,{p}} {null,null} null {4,{null}} {5,{q}} {6,{p}} */
static inline void add_struct(osdear__builder *builder, size_t row)
{
  static const char *const numbers[ROWS] = { "1", NULL, NULL, "4", "5", "6" };
  static const char *const texts[ROWS] = { "p", NULL, NULL, NULL, "q", "p" };
  osdear__builder *inner = osdear__builder_child(builder, 1);
  if (row == 2) {
    cr_assert_eq(osdear__builder_null(builder, NULL), OSDEAR_OK);
    return;
  }
  add_integer(osdear__builder_child(builder, 0), numbers[row]);
  if (row == 1) {
    cr_assert_eq(osdear__builder_null(inner, NULL), OSDEAR_OK);
  } else {
    osdear__scalar text = scalar_of_text(&inner_fields[0].type, texts[row]);
    cr_assert_eq(osdear__builder_scalar(osdear__builder_child(inner, 0), &text, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__builder_close(inner, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
}

/* The six rows, `copies` times over. */
static inline void fixture_batch(int64_t copies, struct ArrowArray *out)
{
  osdear__builder *builder = NULL;
  size_t flat = COUNT_OF(fixture_rows);
  cr_assert_eq(osdear__builder_new(&fixture_type, &builder, NULL), OSDEAR_OK);
  for (int64_t i = 0; i < copies * ROWS; i++) {
    size_t row = (size_t)(i % ROWS);
    for (size_t c = 0; c < flat; c++) {
      osdear__scalar value = scalar_of_text(&fixture_fields[c].type, fixture_rows[c][row]);
      cr_assert_eq(osdear__builder_scalar(osdear__builder_child(builder, c), &value, NULL), OSDEAR_OK);
    }
    add_list(osdear__builder_child(builder, flat), row);
    add_map(osdear__builder_child(builder, flat + 1), row);
    add_struct(osdear__builder_child(builder, flat + 2), row);
    add_integer(osdear__builder_child(builder, flat + 3), "7");
    cr_assert_eq(osdear__builder_close(builder, NULL), OSDEAR_OK);
  }
  cr_assert_eq(osdear__builder_finish(builder, out, NULL), OSDEAR_OK);
  osdear__builder_auto(&builder);
}

#endif
