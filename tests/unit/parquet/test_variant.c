/* Shredded variants, put together again after VariantShredding.md. */
#include <criterion/criterion.h>

#include "../../support/assembled.h"

#define NAMES            \
  "\x11\x02\x00\x01\x02" \
  "ab" /* a, b */

/* A column of one row. `def`: its definition level. */
typedef struct cell {
  const char *name;
  osdear__pq_repetition repetition;
  osdear__str bytes;
  char def;
  bool is_text;
} cell;

static void add_cell(osdear__assembled *file, const cell *of)
{
  char *levels = osdear__arena_alloc(&file->arena, 2), *plain = osdear__arena_alloc(&file->arena, of->bytes.size + 4);
  assembled_page page = { .type = PQ_DATA_PAGE_V2, .values = 1, .rows = 1 };

  levels[0] = 2; /* a run of one */
  levels[1] = of->def;
  page.def = (osdear__str){ levels, 2 };
  osdear__store_u32(plain, (uint32_t)of->bytes.size);
  memcpy(plain + 4, of->bytes.data ? of->bytes.data : "", of->bytes.size);
  if (of->bytes.data)
    page.body = (osdear__str){ plain, of->bytes.size + 4 };
  assembled_chunk(file, PQ_BYTE_ARRAY, CODEC_NONE, 1);
  assembled_add(file, &page);
}

/* v { metadata, value, typed_value { a { value, typed_value } } }. NULLs are left out of the file. */
static osdear_status read_object(osdear__str metadata, osdear__str value, bool has_fields, osdear__str field, osdear__str text,
                                 osdear__buf *json, osdear_error **error)
{
  SCOPED(assembled) file = { 0 };
  SCOPED(array) batch = { 0 };
  AUTO(parquet) parquet = NULL;
  AUTO(parquet_cursor) cursor = NULL;
  int64_t first;
  osdear_status st;
  char fields = has_fields ? 2 : 1;
  cell cells[] = { { "metadata", PQ_REQUIRED, metadata, 1, false },
                   { "value", PQ_OPTIONAL, value, value.data ? 2 : 1, false },
                   { "value", PQ_OPTIONAL, field, field.data ? 3 : fields, false },
                   { "typed_value", PQ_OPTIONAL, text, text.data ? 3 : fields, true } };

  assembled_start(&file, 1);
  assembled_logical(&file, assembled_group(&file, "v", PQ_OPTIONAL, 3), LOGICAL_VARIANT)->variant =
      osdear__arena_zeroed(&file.arena, 1, sizeof(osdear__pq_variant_type));
  for (size_t i = 0; i < COUNT_OF(cells); i++) {
    osdear__pq_schema_element *leaf;

    if (i == 2) {
      assembled_group(&file, "typed_value", PQ_OPTIONAL, 1);
      assembled_group(&file, "a", PQ_REQUIRED, 2);
    }
    leaf = assembled_column(&file, cells[i].name, cells[i].repetition, PQ_BYTE_ARRAY);
    if (cells[i].is_text)
      assembled_logical(&file, leaf, LOGICAL_STRING);
  }
  for (size_t i = 0; i < COUNT_OF(cells); i++)
    add_cell(&file, &cells[i]);
  assembled_end_group(&file, 1);
  assembled_finish(&file);
  st = assembled_open(&file, &parquet, error);
  if (!st)
    st = osdear__parquet_cursor_new(parquet, 0, NULL, &cursor, error);
  if (!st)
    st = osdear__parquet_cursor_next(cursor, 10, &batch, &first, error);
  if (!st) {
    const struct ArrowArray *both = batch.children[0];
    const int32_t *ends[2] = { both->children[0]->buffers[1], both->children[1]->buffers[1] };

    cr_assert(osdear__variant_json((osdear__str){ both->children[0]->buffers[2], (size_t)ends[0][1] },
                                   (osdear__str){ both->children[1]->buffers[2], (size_t)ends[1][1] }, json));
  }
  return st;
}

/* clang-format off */
#define NONE ((osdear__str){ NULL, 0 })
/* clang-format on */

static void expect(osdear__str metadata, osdear__str value, bool has_fields, osdear__str field, osdear__str text,
                   const char *wanted)
{
  SCOPED(buf) json = { 0 };
  AUTO(error) error = NULL;
  osdear_status st = read_object(metadata, value, has_fields, field, text, &json, &error);

  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
  cr_assert_str_eq(json.data, wanted);
}

static void refuse(osdear__str metadata, osdear__str value, bool has_fields, osdear__str field, osdear__str text,
                   const char *words)
{
  SCOPED(buf) json = { 0 };
  AUTO(error) error = NULL;

  cr_assert_eq(read_object(metadata, value, has_fields, field, text, &json, &error), OSDEAR_ERR_CORRUPT);
  cr_assert_not_null(strstr(osdear_error_message(error), words), "%s", osdear_error_message(error));
}

Test(pq_variant, fields_come_from_typed_columns_and_from_the_rest)
{
  expect(STR(NAMES), NONE, true, NONE, STR("x"), "{\"a\":\"x\"}");
  expect(STR(NAMES), NONE, true, STR("\x0c\x05"), NONE, "{\"a\":5}");
  expect(STR(NAMES), NONE, true, NONE, NONE, "{}");
  expect(STR(NAMES), STR("\x02\x01\x01\x00\x01\x04"), true, NONE, STR("x"), "{\"a\":\"x\",\"b\":true}");
  expect(STR(NAMES), STR("\x02\x01\x01\x00\x01\x04"), false, NONE, NONE, "{\"b\":true}");
  expect(STR(NAMES), STR("\x0c\x07"), false, NONE, NONE, "7");
  expect(STR(NAMES), NONE, false, NONE, NONE, "null"); /* where a variant must be */
}

Test(pq_variant, a_name_that_the_metadata_lacks_is_added_to_it)
{
  expect(STR("\x01\x00\x00"), NONE, true, NONE, STR("x"), "{\"a\":\"x\"}");
  expect(STR("\x01\x01\x00\x02"
             "zz"),
         STR("\x02\x01\x00\x00\x01\x04"), true, NONE, STR("x"), "{\"a\":\"x\",\"zz\":true}");
}

Test(pq_variant, of_a_field_in_both_places_the_shredded_one_counts)
{
  expect(STR(NAMES), STR("\x02\x01\x00\x00\x01\x04"), true, NONE, STR("x"), "{\"a\":\"x\"}");
  expect(STR(NAMES), STR("\x02\x01\x00\x00\x01\x04"), true, NONE, NONE, "{}");
}

Test(pq_variant, what_contradicts_itself_is_refused)
{
  refuse(STR(NAMES), NONE, true, STR("\x0c\x05"), STR("x"), "both a value and a typed_value");
  refuse(STR(NAMES), STR("\x0c\x07"), true, NONE, STR("x"), "no object has shredded fields");
  refuse(STR(NAMES),
         STR("\x0d"
             "ab"),
         false, NONE, NONE, "contradict its encoding");
  refuse(STR("\x07"), STR("\x00"), false, NONE, NONE, "metadata that contradicts its encoding");
  refuse(STR(NAMES), NONE, true, NONE, STR("\xff"), "not valid UTF-8");
}
