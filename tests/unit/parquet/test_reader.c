/* The reader on files put together byte by byte: encodings, levels, shapes, and what must be refused with its place. */
#include "rows.h"

TestSuite(reader, .timeout = 60);

/* A flat column of one page. */
static void expect_page(osdear__pq_repetition repetition, osdear__pq_physical physical, assembled_page page, const char *wanted)
{
  SCOPED(assembled) file = { 0 };

  assembled_flat(&file, repetition, physical, &page);
  rows_expect(&file, wanted);
}

static void refuse_page(osdear__pq_repetition repetition, osdear__pq_physical physical, assembled_page page, const char *words)
{
  SCOPED(assembled) file = { 0 };

  assembled_flat(&file, repetition, physical, &page);
  rows_refuse(&file, OSDEAR_ERR_CORRUPT, words);
}

#define INTS "\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"
#define BODY(text) STR(text)

Test(reader, every_encoding_of_a_flat_column)
{
  expect_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 4, .body = BODY(INTS) }, "1,2,3,4");
  expect_page(PQ_REQUIRED, PQ_BOOLEAN, (assembled_page){ .values = 5, .body = BODY("\x15") }, "1,0,1,0,1");
  expect_page(PQ_REQUIRED, PQ_BOOLEAN,
              (assembled_page){ .values = 5, .encoding = PQ_RLE, .body = BODY("\4\0\0\0\x06\x01\x04\x00") }, "1,1,1,0,0");
  expect_page(PQ_REQUIRED, PQ_BYTE_ARRAY, (assembled_page){ .values = 2, .body = BODY("\1\0\0\0a\0\0\0\0") }, "a,");
  expect_page(
      PQ_REQUIRED, PQ_INT32,
      (assembled_page){ .values = 4, .encoding = PQ_DELTA_BINARY_PACKED, .body = BODY("\x80\x01\x04\x04\x02\x02\0\0\0\0") },
      "1,2,3,4");
  expect_page(PQ_REQUIRED, PQ_BYTE_ARRAY,
              (assembled_page){
                  .values = 2, .encoding = PQ_DELTA_LENGTH_BYTE_ARRAY, .body = BODY("\x80\x01\x04\x02\x02\x02\0\0\0\0abb") },
              "a,bb");
  expect_page(PQ_REQUIRED, PQ_BYTE_ARRAY,
              (assembled_page){ .values = 2,
                                .encoding = PQ_DELTA_BYTE_ARRAY,
                                .body = BODY("\x80\x01\x04\x02\x00\x04\0\0\0\0\x80\x01\x04\x02\x04\x01\0\0\0\0xyz") },
              "xy,xyz");
  expect_page(PQ_REQUIRED, PQ_FLOAT,
              (assembled_page){ .values = 2, .encoding = PQ_BYTE_STREAM_SPLIT, .body = BODY("\0\0\0\0\x80\0\x3f\xc0") }, "1,-2");
}

Test(reader, nulls_of_both_kinds_of_pages)
{
  expect_page(PQ_OPTIONAL, PQ_INT32, (assembled_page){ .values = 4, .body = BODY("\2\0\0\0\x03\x0d" INTS) }, "1,null,2,3");
  expect_page(PQ_OPTIONAL, PQ_INT32, (assembled_page){ .values = 3, .body = BODY("\2\0\0\0\x06\x00") }, "null,null,null");
  expect_page(
      PQ_OPTIONAL, PQ_INT32,
      (assembled_page){ .type = PQ_DATA_PAGE_V2, .values = 4, .nulls = 1, .rows = 4, .def = STR("\x03\x0d"), .body = BODY(INTS) },
      "1,null,2,3");
  expect_page(PQ_OPTIONAL, PQ_INT32, (assembled_page){ .values = 4, .level_encoding = PQ_BIT_PACKED, .body = BODY("\xb0" INTS) },
              "1,null,2,3");
  expect_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 0 }, "");
}

Test(reader, dictionaries_with_their_oddities)
{
  const struct {
    const char *name;
    osdear__str indices;
    const char *wanted;
  } cases[] = {
    { "packed", STR("\x01\x03\x06"), "1,2,2,1" },
    { "a width of none: all are the first", STR("\x00\x08"), "1,1,1,1" },
    { "a run", STR("\x01\x08\x01"), "2,2,2,2" },
    { "a run of no length before", STR("\x01\x00\x01\x08\x01"), "2,2,2,2" },
    { "wider than needed", STR("\x08\x08\x01"), "2,2,2,2" },
  };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    SCOPED(assembled) file = { 0 };
    assembled_page dictionary = { .type = PQ_DICTIONARY_PAGE, .values = 2, .body = BODY("\1\0\0\0\2\0\0\0") };
    assembled_page page = { .values = 4, .encoding = PQ_RLE_DICTIONARY, .body = cases[i].indices };

    assembled_start(&file, 1);
    assembled_column(&file, "c", PQ_REQUIRED, PQ_INT32);
    assembled_chunk(&file, PQ_INT32, CODEC_NONE, 8);
    assembled_add(&file, &dictionary);
    assembled_add(&file, &page);
    assembled_add(&file, &(assembled_page){ .values = 0 });
    assembled_add(&file, &(assembled_page){ .type = PQ_INDEX_PAGE });
    assembled_add(&file, &(assembled_page){ .values = 4, .body = BODY(INTS) }); /* falls back */
    assembled_end_group(&file, 8);
    assembled_finish(&file);
    {
      SCOPED(buf) out = { 0 };
      AUTO(error) error = NULL;

      cr_assert_eq(rows_read(&file, NULL, 0, &out, &error), OSDEAR_OK, "%s: %s", cases[i].name, osdear_error_message(error));
      cr_assert_eq(strncmp(out.data, cases[i].wanted, 7), 0, "%s: %s", cases[i].name, out.data);
      cr_assert_str_eq(out.data + 7, ",1,2,3,4", "%s", cases[i].name);
    }
  }
}

/* A column of strings of one page, behind a dictionary if there is one. */
static void make_text(osdear__assembled *file, const assembled_page *dictionary, const assembled_page *page)
{
  assembled_start(file, 1);
  assembled_logical(file, assembled_column(file, "c", PQ_REQUIRED, PQ_BYTE_ARRAY), LOGICAL_STRING);
  assembled_chunk(file, PQ_BYTE_ARRAY, CODEC_NONE, page->values);
  if (dictionary)
    assembled_add(file, dictionary);
  assembled_add(file, page);
  assembled_end_group(file, page->values);
  assembled_finish(file);
}

static void expect_text(const assembled_page *dictionary, assembled_page page, const char *wanted)
{
  SCOPED(assembled) file = { 0 };

  make_text(&file, dictionary, &page);
  rows_expect(&file, wanted);
}

static void refuse_text(const assembled_page *dictionary, assembled_page page)
{
  SCOPED(assembled) file = { 0 };

  make_text(&file, dictionary, &page);
  rows_refuse(&file, OSDEAR_ERR_CORRUPT, "row group 0, column c: page at offset");
}

/* "é" is C3 A9: it may not be divided between two strings either. */
Test(reader, strings_are_utf8_each_by_itself)
{
  const assembled_page bad = { .type = PQ_DICTIONARY_PAGE, .values = 2, .body = BODY("\2\0\0\0\xc3\xa9\1\0\0\0\xff") };

  expect_text(NULL, (assembled_page){ .values = 3, .body = BODY("\2\0\0\0\xc3\xa9\0\0\0\0\1\0\0\0x") }, "é,,x");
  refuse_text(NULL, (assembled_page){ .values = 1, .body = BODY("\1\0\0\0\xff") });
  refuse_text(NULL, (assembled_page){ .values = 2, .body = BODY("\1\0\0\0\xc3\1\0\0\0\xa9") });
  refuse_text(NULL, (assembled_page){ .values = 2,
                                      .encoding = PQ_DELTA_LENGTH_BYTE_ARRAY,
                                      .body = BODY("\x80\x01\x04\x02\x02\x00\0\0\0\0\xc3\xa9") });
  refuse_text(NULL, (assembled_page){ .values = 2,
                                      .encoding = PQ_DELTA_BYTE_ARRAY,
                                      .body = BODY("\x80\x01\x04\x02\x00\x04\0\0\0\0\x80\x01\x04\x02\x04\x01\0\0\0\0x\xc3z") });
  expect_text(&bad, (assembled_page){ .values = 4, .encoding = PQ_RLE_DICTIONARY, .body = STR("\x01\x08\x00") }, "é,é,é,é");
  refuse_text(&bad, (assembled_page){ .values = 4, .encoding = PQ_RLE_DICTIONARY, .body = STR("\x01\x03\x06") });
}

/* A list in any of its forms: `levels` says how many groups stand around the element. */
static void add_list(osdear__assembled *file, int form)
{
  osdear__pq_schema_element *list = NULL;

  assembled_start(file, 1);
  if (form > 0) {
    list = assembled_group(file, "c", PQ_OPTIONAL, 1);
    list->set |= ELEMENT_CONVERTED;
    list->converted_type = PQ_LIST;
  }
  if (form == 2)
    assembled_group(file, "list", PQ_REPEATED, 1);
  assembled_column(file, form ? "element" : "c", form == 2 ? PQ_OPTIONAL : PQ_REPEATED, PQ_INT32);
}

Test(reader, lists_of_two_and_three_levels_and_without_annotation)
{
  const struct {
    int form;
    osdear__str levels;
    const char *wanted;
  } cases[] = {
    { 0, STR("\2\0\0\0\x03\x02\2\0\0\0\x03\x07"), "[1,2],[3],[]" },
    { 1, STR("\2\0\0\0\x03\x02\3\0\0\0\x03\x2a\x00"), "[1,2],[3],null" },
    { 2, STR("\2\0\0\0\x03\x02\3\0\0\0\x03\x2f\x00"), "[1,2],[null],null" },
  };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    SCOPED(assembled) file = { 0 };
    SCOPED(buf) body = { 0 };

    osdear__buf_append(&body, cases[i].levels.data, cases[i].levels.size);
    osdear__buf_append(&body, INTS, 12);
    add_list(&file, cases[i].form);
    assembled_chunk(&file, PQ_INT32, CODEC_NONE, 4);
    assembled_add(&file, &(assembled_page){ .values = 4, .body = { body.data, body.size } });
    assembled_end_group(&file, 3);
    assembled_finish(&file);
    rows_expect(&file, cases[i].wanted);
  }
}

Test(reader, a_list_may_go_on_in_the_next_page)
{
  SCOPED(assembled) file = { 0 };

  add_list(&file, 0);
  assembled_chunk(&file, PQ_INT32, CODEC_NONE, 5);
  assembled_add(&file, &(assembled_page){ .values = 2, .body = BODY("\2\0\0\0\x03\x02\2\0\0\0\x04\x01" INTS) });
  assembled_add(&file, &(assembled_page){ .values = 3, .body = BODY("\2\0\0\0\x03\x03\2\0\0\0\x06\x01" INTS) });
  assembled_end_group(&file, 2);
  assembled_finish(&file);
  rows_expect(&file, "[1,2,1,2],[3]");
}

Test(reader, nests_a_hundred_deep)
{
  SCOPED(assembled) file = { 0 };

  assembled_start(&file, 1);
  for (int depth = 0; depth < 99; depth++)
    assembled_group(&file, "s", PQ_OPTIONAL, 1);
  assembled_column(&file, "leaf", PQ_OPTIONAL, PQ_INT32);
  assembled_chunk(&file, PQ_INT32, CODEC_NONE, 2);
  assembled_add(&file,
                &(assembled_page){
                    .type = PQ_DATA_PAGE_V2, .values = 2, .rows = 2, .def = STR("\x02\x64\x02\x32"), .body = BODY("\7\0\0\0") });
  assembled_end_group(&file, 2);
  assembled_finish(&file);
  {
    SCOPED(buf) out = { 0 };

    cr_assert_eq(rows_read(&file, NULL, 0, &out, NULL), OSDEAR_OK);
    cr_assert_not_null(strstr(out.data, "{7}"));
    cr_assert_not_null(strstr(out.data, "{null}"));
  }
}

Test(reader, annotations_say_what_values_become)
{
  const struct {
    osdear__pq_physical physical;
    osdear__pq_converted converted;
    osdear__str body;
    int32_t length;
    const char *wanted;
  } cases[] = {
    { PQ_INT32, PQ_INT_8, STR("\xff\xff\xff\xff"), 0, "-1" },
    { PQ_INT32, PQ_UINT_8, STR("\xff\0\0\0"), 0, "255" },
    { PQ_INT32, PQ_UINT_32, STR("\xff\xff\xff\xff"), 0, "4294967295" },
    { PQ_INT32, PQ_TIME_MILLIS, STR("\1\0\0\0"), 0, "1000" },
    { PQ_INT64, PQ_TIMESTAMP_MILLIS, STR("\xff\xff\xff\xff\xff\xff\xff\xff"), 0, "-1000" },
    { PQ_BYTE_ARRAY, PQ_DECIMAL, STR("\1\0\0\0\xfe"), 0, "-2" },
    { PQ_BYTE_ARRAY, PQ_DECIMAL, STR("\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"), 0, "5" },
    { PQ_FIXED, PQ_DECIMAL, STR("\xff\xfe"), 2, "-2" },
    { PQ_FIXED, PQ_INTERVAL, STR("abcdefghijkl"), 12, "abcdefghijkl" },
    { PQ_INT96, PQ_INTERVAL, STR("\xe8\3\0\0\0\0\0\0\x8c\x3d\x25\0"), 0, "1" },
  };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    SCOPED(assembled) file = { 0 };
    osdear__pq_schema_element *leaf;

    assembled_start(&file, 1);
    leaf = assembled_column(&file, "c", PQ_REQUIRED, cases[i].physical);
    leaf->set |= ELEMENT_CONVERTED | ELEMENT_PRECISION | (cases[i].length ? ELEMENT_TYPE_LENGTH : 0);
    leaf->converted_type = (int32_t)cases[i].converted;
    leaf->precision = 4;
    leaf->type_length = cases[i].length;
    assembled_chunk(&file, cases[i].physical, CODEC_NONE, 1);
    assembled_add(&file, &(assembled_page){ .values = 1, .body = cases[i].body });
    assembled_end_group(&file, 1);
    assembled_finish(&file);
    rows_expect(&file, cases[i].wanted);
  }
}

Test(reader, rows_are_left_out_with_and_without_an_index)
{
  static const osdear__row_range ranges[] = { { 1, 2 }, { 5, 7 } };
  osdear__pq_page_location locations[2] = { 0 };
  osdear__pq_offset_index index = { .page_locations = locations, .page_count = 2 };

  for (int with_index = 0; with_index < 3; with_index++) {
    SCOPED(assembled) file = { 0 };
    SCOPED(buf) out = { 0 };
    osdear__pq_column_chunk *chunk;

    assembled_start(&file, 1);
    assembled_column(&file, "c", PQ_REQUIRED, PQ_INT32);
    chunk = assembled_chunk(&file, PQ_INT32, CODEC_NONE, 8);
    for (int i = 0; i < 2; i++) {
      locations[i].offset = assembled_add(&file, &(assembled_page){ .values = 4, .body = BODY(INTS) });
      locations[i].compressed_page_size = (int32_t)((int64_t)file.bytes.size - locations[i].offset);
      locations[i].first_row_index = i * (with_index == 2 ? 3 : 4); /* one that lies is not used */
    }
    if (with_index) {
      chunk->set = CHUNK_OFFSET_INDEX;
      chunk->offset_index_offset = (int64_t)file.bytes.size;
      osdear__thrift_write(&osdear__pq_offset_index_thrift, &index, &file.bytes);
      chunk->offset_index_length = (int32_t)((int64_t)file.bytes.size - chunk->offset_index_offset);
    }
    assembled_end_group(&file, 8);
    assembled_finish(&file);
    cr_assert_eq(rows_read(&file, ranges, COUNT_OF(ranges), &out, NULL), OSDEAR_OK);
    cr_assert_str_eq(out.data, "2,2,3", "%d", with_index);
  }
}

/* ---- what is refused ---- */

Test(reader, damaged_pages_are_refused_with_their_place)
{
  refuse_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 5, .body = BODY(INTS) },
              "assembled: row group 0, column c: page at offset 4: its values end");
  refuse_page(PQ_OPTIONAL, PQ_INT32, (assembled_page){ .values = 4, .body = BODY("\xff\0\0\0") }, "too short for its levels");
  refuse_page(PQ_OPTIONAL, PQ_INT32, (assembled_page){ .values = 4, .body = BODY("\2\0\0\0\x08\x02" INTS) },
              "levels are malformed");
  refuse_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 4, .encoding = PQ_RLE_DICTIONARY, .body = BODY("\x01\x03\x06") },
              "no dictionary page came before");
  refuse_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 4, .encoding = PQ_DELTA_BYTE_ARRAY, .body = BODY(INTS) },
              "cannot be encoded as");
  refuse_page(PQ_REQUIRED, PQ_BYTE_ARRAY, (assembled_page){ .values = 1, .body = BODY("\xff\xff\xff\xff") }, "its values end");
  refuse_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .type = PQ_DATA_PAGE_V2, .values = 1, .nulls = 1, .rows = 1 },
              "nulls in a required column");
  refuse_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 4, .body = BODY(INTS), .with_crc = true, .crc_error = 1 },
              "checksum");
  expect_page(PQ_REQUIRED, PQ_INT32, (assembled_page){ .values = 4, .body = BODY(INTS), .with_crc = true }, "1,2,3,4");
}

Test(reader, counts_that_contradict_each_other_are_refused)
{
  const struct {
    int64_t values, rows;
    const char *words;
  } cases[] = { { 4, 5, "its row group has 5" }, { 5, 5, "before all of its values came" }, { 4, 3, "it has values for more" } };

  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    SCOPED(assembled) file = { 0 };

    assembled_start(&file, 1);
    assembled_column(&file, "c", PQ_REQUIRED, PQ_INT32);
    assembled_chunk(&file, PQ_INT32, CODEC_NONE, cases[i].values);
    assembled_add(&file, &(assembled_page){ .values = 4, .body = BODY(INTS) });
    assembled_end_group(&file, cases[i].rows);
    assembled_finish(&file);
    rows_refuse(&file, OSDEAR_ERR_CORRUPT, cases[i].words);
  }
}

Test(reader, a_page_that_claims_more_than_its_codec_can_make_takes_no_memory)
{
  static const osdear__codec codecs[] = { CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_RAW, CODEC_LZ4_HADOOP };

  for (size_t i = 0; i < COUNT_OF(codecs); i++) {
    SCOPED(assembled) file = { 0 };

    if (!osdear__codec_is_built(codecs[i]))
      continue;
    assembled_start(&file, 1);
    assembled_column(&file, "c", PQ_REQUIRED, PQ_INT32);
    assembled_chunk(&file, PQ_INT32, codecs[i], 4);
    assembled_add(&file, &(assembled_page){ .values = 4, .body = BODY(INTS), .uncompressed = INT32_MAX });
    assembled_end_group(&file, 4);
    assembled_finish(&file);
    rows_refuse(&file, OSDEAR_ERR_CORRUPT, "cannot become");
  }
}

Test(reader, what_is_not_supported_is_named)
{
  SCOPED(assembled) lzo = { 0 };
  SCOPED(assembled) external = { 0 };
  SCOPED(assembled) encrypted = { 0 };

  assembled_start(&lzo, 1);
  assembled_column(&lzo, "c", PQ_REQUIRED, PQ_INT32);
  assembled_chunk(&lzo, PQ_INT32, CODEC_LZO, 4);
  assembled_add(&lzo, &(assembled_page){ .values = 4, .body = BODY(INTS) });
  assembled_end_group(&lzo, 4);
  assembled_finish(&lzo);
  rows_refuse(&lzo, OSDEAR_ERR_UNSUPPORTED, "lzo");

  assembled_start(&external, 1);
  assembled_column(&external, "c", PQ_REQUIRED, PQ_INT32);
  assembled_chunk(&external, PQ_INT32, CODEC_NONE, 0)->file_path = STR("elsewhere");
  assembled_end_group(&external, 0);
  assembled_finish(&external);
  rows_refuse(&external, OSDEAR_ERR_UNSUPPORTED, "\"elsewhere\"");

  assembled_flat(&encrypted, PQ_REQUIRED, PQ_INT32, &(assembled_page){ .values = 4, .body = BODY(INTS) });
  memcpy(encrypted.bytes.data + encrypted.bytes.size - 4, "PARE", 4);
  rows_refuse(&encrypted, OSDEAR_ERR_UNSUPPORTED, "encrypted");
}

Test(reader, a_file_cut_anywhere_is_refused)
{
  SCOPED(assembled) whole = { 0 };

  assembled_flat(&whole, PQ_REQUIRED, PQ_INT32, &(assembled_page){ .values = 4, .body = BODY(INTS) });
  for (size_t size = 0; size < whole.bytes.size; size++) {
    AUTO(parquet) file = NULL;
    osdear__input *input;

    cr_assert_eq(osdear__input_of_bytes(whole.bytes.data, size, "cut", &input, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__parquet_open(input, NULL, &file, NULL), OSDEAR_ERR_CORRUPT, "%zu bytes", size);
  }
}
