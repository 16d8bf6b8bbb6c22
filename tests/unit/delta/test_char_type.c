/* Spark's CHAR(n): what the schema says of it, at any depth, and what rows, partitions and predicates make of that. */
#include "lake.h"

#include <osdear/table.h>

#define CHAR_TEXT(type) "{\"__CHAR_VARCHAR_TYPE_STRING\":\"" type "\"}"
#define FIELD(name, type, metadata) "{\"name\":\"" name "\",\"type\":" type ",\"nullable\":true,\"metadata\":" metadata "}"

/* ---- the type's text ---- */

static int32_t width_of(const char *text, const osdear__type *type)
{
  osdear__field inner[2] = { type->fields[0], type->fields[1] };
  osdear__type copy = { .kind = KIND_STRUCT, .field_count = 2, .fields = inner };

  inner[0].type.width = 0;
  osdear__char_lengths(osdear__str_of(text), &copy);
  return inner[0].type.width;
}

Test(char_type, lengths_are_found_by_name)
{
  osdear__field fields[] = { { "c,", true, -1, NULL, { .kind = KIND_STRING } },
                             { "v", true, -1, NULL, { .kind = KIND_STRING } } };
  const osdear__type type = { .kind = KIND_STRUCT, .field_count = 2, .fields = fields };

  cr_assert_eq(width_of("struct<`c,`:char(4),v:varchar(9)>", &type), 4);
  cr_assert_eq(width_of("struct<other:map<char(1),char(2)>,`c,`:char(5)>", &type), 5);
  fields[0].name = "c";
  cr_assert_eq(width_of("struct<v:varchar(9),c:char(7)>", &type), 7);
  cr_assert_eq(width_of("struct<v:char(9)>", &type), 0);
}

Test(char_type, text_that_is_no_type_says_nothing)
{
  static const char *const texts[] = { "",
                                       "<",
                                       ">",
                                       "struct",
                                       "struct<",
                                       "struct<>",
                                       "struct<c",
                                       "struct<c:",
                                       "struct<c:char(4)",
                                       "struct<`c:char(4)>",
                                       "struct<c:char()>",
                                       "struct<c:char(0)>",
                                       "struct<c:char(-1)>",
                                       "struct<c:char(4294967296)>",
                                       "struct<c:varchar(4)>",
                                       "struct<c:char(4>",
                                       "struct<:char(4)>",
                                       "struct<c:array<char(4)>>",
                                       "char(4)" };
  osdear__field fields[] = { { "c", true, -1, NULL, { .kind = KIND_STRING } }, { "v", true, -1, NULL, { .kind = KIND_STRING } } };
  const osdear__type type = { .kind = KIND_STRUCT, .field_count = 2, .fields = fields };

  for (size_t i = 0; i < COUNT_OF(texts); i++)
    cr_assert_eq(width_of(texts[i], &type), 0, "%s", texts[i]);
}

/* ---- tables ---- */

static void make_table(lake *here, osdear_table **table)
{
  SCOPED(buf) commit = { 0 };
  /* clang-format off */
  static const char schema[] =
      "{\"type\":\"struct\",\"fields\":[" FIELD("id", "\"long\"", "{}") "," FIELD("c", "\"string\"", CHAR_TEXT("char(3)")) ","
      FIELD("d", "\"string\"", CHAR_TEXT("char(5)")) ","
      FIELD("n", "{\"type\":\"struct\",\"fields\":[" FIELD("c", "\"string\"", "{}") "," FIELD("v", "\"string\"", "{}") "]}",
            CHAR_TEXT("struct<c:char(2),v:varchar(2)>")) ","
      FIELD("m", "{\"type\":\"map\",\"keyType\":\"string\",\"valueType\":{\"type\":\"array\",\"elementType\":\"string\",\"containsNull\":true},"
            "\"valueContainsNull\":true}", CHAR_TEXT("map<char(2),array<char(3)>>")) ","
      FIELD("q", "\"string\"", CHAR_TEXT("char(2)")) "]}";
  /* clang-format on */

  lake_open(here);
  osdear__buf_puts(
      &commit, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n{\"metaData\":{\"id\":\"0-1\",\"format\":"
               "{\"provider\":\"parquet\",\"options\":{}},\"partitionColumns\":[\"q\"],\"configuration\":{},\"schemaString\":");
  osdear__json_put_string(&commit, osdear__str_of(schema));
  osdear__buf_puts(&commit, "}}\n");
  OK(osdear__store_put(here->store, "_delta_log/00000000000000000000.json", commit.data, commit.size, WHY));
  OK(osdear_table_open(here->context, here->folder, NULL, table, WHY));
  OK(lake_append(here, *table,
                 "[{\"id\":1,\"c\":\"a\",\"d\":\"a\",\"n\":{\"c\":\"x\",\"v\":\"x\"},\"m\":{\"k\":[\"v\",null]},\"q\":\"p\"},"
                 "{\"id\":2,\"c\":\"\xc3\xa4\",\"d\":\"ab\",\"q\":\"pp\"},{\"id\":3}]",
                 NULL, NULL, WHY));
}

Test(char_type, is_padded_at_every_depth_when_it_is_read)
{
  osdear_table *table = NULL;
  lake here;

  make_table(&here, &table);
  cr_assert_str_eq(
      lake_read(&here),
      "{\"id\":1,\"c\":\"a  \",\"d\":\"a    \",\"n\":{\"c\":\"x \",\"v\":\"x\"},\"m\":{\"k \":[\"v  \",null]},\"q\":\"p \"}\n"
      "{\"id\":2,\"c\":\"\xc3\xa4  \",\"d\":\"ab   \",\"n\":null,\"m\":null,\"q\":\"pp\"}\n"
      "{\"id\":3,\"c\":null,\"d\":null,\"n\":null,\"m\":null,\"q\":null}\n");
  osdear_table_free(table);
  lake_close(&here);
}

static void expect_id(lake *here, const char *where, int64_t id)
{
  SCOPED(buf) start = { 0 };
  const char *rows = lake_read_where(here, where);

  osdear__buf_printf(&start, "{\"id\":%" PRId64 ",", id);
  cr_assert_eq(lake_count(rows, "\n"), id ? 1 : 0, "%s: %s", where, rows);
  cr_assert(!id || osdear__starts_with(rows, start.data), "%s: %s", where, rows);
}

/* Files are chosen by statistics and partitions, row groups by statistics and pages: none of that may lose a row. */
Test(char_type, is_compared_as_it_is_read)
{
  osdear_table *table = NULL;
  lake here;

  make_table(&here, &table);
  expect_id(&here, "c = 'a'", 1);
  expect_id(&here, "c = 'a  '", 1);
  expect_id(&here, "c = '\xc3\xa4'", 2);
  expect_id(&here, "c > 'a' AND c <> 'b'", 2);
  expect_id(&here, "c = d", 1);
  expect_id(&here, "n.c = 'x '", 1);
  expect_id(&here, "n.c = 'x'", 0);
  expect_id(&here, "m['k '] IS NOT NULL", 1);
  expect_id(&here, "q = 'p'", 1);
  expect_id(&here, "q = 'p   '", 1);
  expect_id(&here, "q IN ('pp', 'z')", 2);
  expect_id(&here, "length(q) = 2 AND q > 'p'", 2);
  osdear_table_free(table);
  lake_close(&here);
}

Test(char_type, partitions_are_replaced_as_they_are_read)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  make_table(&here, &table);
  options.where = "q = 'p'";
  OK(lake_overwrite(&here, table, "[{\"id\":9,\"q\":\"p\"}]", &options, &result, WHY));
  cr_assert_eq(result.files_removed, 1);
  expect_id(&here, "id > 3", 9);
  FAILS(lake_overwrite(&here, table, "[{\"id\":9,\"q\":\"pp\"}]", &options, &result, WHY), OSDEAR_ERR_DATA, "does not fulfil");
  osdear_table_free(table);
  lake_close(&here);
}
