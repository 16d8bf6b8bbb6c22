/* Bloom filters: the format's own hash and blocks, and what of a damaged one is believed. */
#include <criterion/criterion.h>

#include "../../support/assembled.h"

static const uint32_t salts[] = {
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
};

/* As BloomFilter.md writes it down: one block of eight words, a bit of each. */
static void insert(uint32_t block[8], const void *value, size_t size)
{
  uint32_t hash = (uint32_t)osdear__xxh64(value, size, 0);

  for (int i = 0; i < 8; i++)
    block[i] |= UINT32_C(1) << (hash * salts[i] >> 27);
}

/* What the column of a filter is like, and what of the filter is a lie. */
typedef struct filtered_column {
  osdear__pq_physical physical;
  osdear__pq_converted converted; /* 0 with no precision: none */
  int32_t precision, scale, width;
  uint32_t logical;
  uint32_t algorithm, hash, compression; /* 0: the known one */
  int32_t lie;                           /* added to the length that the header says */
  int32_t length;                        /* that the footer says; 0: none */
  int64_t chunk;                         /* its bytes; 0: plenty */
} filtered_column;

static void annotate(osdear__assembled *file, const filtered_column *of, osdear__pq_schema_element *element)
{
  if (of->width) {
    element->set |= ELEMENT_TYPE_LENGTH;
    element->type_length = of->width;
  }
  if (of->converted || of->precision) {
    element->set |= ELEMENT_CONVERTED | ELEMENT_PRECISION | ELEMENT_SCALE;
    element->converted_type = (int32_t)of->converted;
    element->precision = of->precision;
    element->scale = of->scale;
  }
  if (of->logical)
    assembled_logical(file, element, of->logical);
}

/* A column with a filter of one block, which holds `value`. */
static void filtered(osdear__assembled *file, const filtered_column *of, const void *value, size_t size)
{
  osdear__pq_bloom_choice algorithm = { .set = SET(of->algorithm ? of->algorithm : 1) };
  osdear__pq_bloom_choice hash = { .set = SET(of->hash ? of->hash : 1) };
  osdear__pq_bloom_choice compression = { .set = SET(of->compression ? of->compression : 1) };
  osdear__pq_bloom_header header = {
    .num_bytes = 32 + of->lie, .algorithm = &algorithm, .hash = &hash, .compression = &compression
  };
  osdear__pq_column_chunk *chunk;
  uint32_t block[8] = { 0 };

  insert(block, value, size);
  assembled_start(file, 1);
  annotate(file, of, assembled_column(file, "c", PQ_REQUIRED, of->physical));
  chunk = assembled_chunk(file, of->physical, CODEC_NONE, 0);
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET | (of->length ? COLUMN_META_BLOOM_LENGTH : 0);
  chunk->meta_data->bloom_filter_offset = (int64_t)file->bytes.size;
  chunk->meta_data->bloom_filter_length = of->length;
  osdear__thrift_write(&osdear__pq_bloom_header_thrift, &header, &file->bytes);
  osdear__buf_append(&file->bytes, block, sizeof block);
  assembled_end_group(file, 0);
  chunk->meta_data->total_compressed_size = of->chunk ? of->chunk : 1 << 20;
  assembled_finish(file);
}

static bool may_hold(const osdear__assembled *file, const osdear__scalar *value, bool *is_there)
{
  SCOPED(arena) arena = { 0 };
  AUTO(parquet) parquet = NULL;
  osdear__parquet_bloom *bloom;
  size_t path = 0;

  cr_assert_eq(assembled_open(file, &parquet, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_has_bloom(parquet, 0, &path, 1));
  cr_assert_eq(osdear__parquet_bloom_open(parquet, 0, &path, 1, &arena, &bloom, NULL), OSDEAR_OK);
  *is_there = bloom != NULL;
  return !bloom || osdear__parquet_bloom_may_hold(bloom, value);
}

Test(bloom, holds_what_was_put_in_and_little_else)
{
  int64_t inside = 42;
  int others = 0;
  bool is_there;
  SCOPED(assembled) file = { 0 };

  filtered(&file, &(filtered_column){ .physical = PQ_INT64 }, &inside, sizeof inside);
  cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 42 }, &is_there));
  cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_INTEGER, .i64 = 42 }, &is_there), "an integer of another width");
  cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_DOUBLE, .f64 = 7 }, &is_there), "a kind that it cannot tell");
  for (int64_t i = 100; i < 200; i++)
    others += may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = i }, &is_there);
  cr_assert(is_there);
  cr_assert_eq(others, 0);
}

Test(bloom, knows_texts_and_reals_by_the_bytes_that_files_have)
{
  double real = 0.0;
  bool is_there;
  SCOPED(assembled) text = { 0 };
  SCOPED(assembled) zero = { 0 };

  filtered(&text, &(filtered_column){ .physical = PQ_BYTE_ARRAY }, "abc", 3);
  cr_assert(may_hold(&text, &(osdear__scalar){ .kind = KIND_BINARY, .bytes = STR("abc") }, &is_there));
  cr_assert_not(may_hold(&text, &(osdear__scalar){ .kind = KIND_BINARY, .bytes = STR("abd") }, &is_there));
  filtered(&zero, &(filtered_column){ .physical = PQ_DOUBLE }, &real, sizeof real);
  cr_assert(may_hold(&zero, &(osdear__scalar){ .kind = KIND_DOUBLE, .f64 = -0.0 }, &is_there), "two zeros are equal");
  cr_assert_not(may_hold(&zero, &(osdear__scalar){ .kind = KIND_DOUBLE, .f64 = 1 }, &is_there));
}

/* A value in the file's form, and what may and what cannot be it. */
typedef struct form {
  filtered_column of;
  const char *stored;
  size_t size;
  osdear__scalar same, other;
} form;

/* clang-format off */
#define LONG_OF(value) { .kind = KIND_LONG, .i64 = value }
#define DECIMAL_OF(value, digits) { .kind = KIND_DECIMAL, .decimal = value, .scale = digits }
#define BYTES_OF(of, text) { .kind = of, .bytes = { text, sizeof text - 1 } }
/* clang-format on */

static const form forms[] = {
  { { .physical = PQ_INT32, PQ_INT_8, .precision = 1 }, "\xff\xff\xff\xff", 4, { .kind = KIND_BYTE, .i64 = -1 }, LONG_OF(255) },
  { { .physical = PQ_INT32 }, "\x05\0\0\0", 4, LONG_OF(5), LONG_OF(INT64_C(0x100000005)) },
  { { .physical = PQ_INT32 }, "\x05\0\0\0", 4, DECIMAL_OF(500, 2), DECIMAL_OF(501, 2) },
  { { .physical = PQ_INT64 }, "\x05\0\0\0\0\0\0\0", 8, DECIMAL_OF(5, 0), DECIMAL_OF((osdear__int128)1 << 100, 0) },
  { { .physical = PQ_INT32, PQ_DECIMAL, 9, 2 }, "\x96\0\0\0", 4, DECIMAL_OF(15, 1), DECIMAL_OF(1501, 3) },
  { { .physical = PQ_INT64, PQ_DECIMAL, 18, 0 }, "\x02\0\0\0\0\0\0\0", 8, LONG_OF(2), LONG_OF(3) },
  { { .physical = PQ_FIXED, PQ_DECIMAL, 5, 2, 3 }, "\xff\xff\x6a", 3, DECIMAL_OF(-150, 2), DECIMAL_OF(-151, 2) },
  { { .physical = PQ_FIXED, PQ_DECIMAL, 5, 2, 3 },
    "\xff\xff\x6a",
    3,
    DECIMAL_OF(-15, 1),
    DECIMAL_OF((osdear__int128)1 << 60, 2) },
  { { .physical = PQ_INT32, PQ_DATE }, "\x10\0\0\0", 4, { .kind = KIND_DATE, .i64 = 16 }, { .kind = KIND_DATE, .i64 = 17 } },
  { { .physical = PQ_INT64, PQ_TIMESTAMP_MICROS },
    "\x07\0\0\0\0\0\0\0",
    8,
    { .kind = KIND_TIMESTAMP, .i64 = 7 },
    { .kind = KIND_TIMESTAMP, .i64 = 8 } },
  { { .physical = PQ_INT64, PQ_TIMESTAMP_MILLIS },
    "\x07\0\0\0\0\0\0\0",
    8,
    { .kind = KIND_TIMESTAMP, .i64 = 7000 },
    { .kind = KIND_TIMESTAMP, .i64 = 7001 } },
  { { .physical = PQ_FLOAT },
    "\0\0\xc0\x3f",
    4,
    { .kind = KIND_DOUBLE, .f64 = 1.5 },
    { .kind = KIND_DOUBLE, .f64 = 1.5000000001 } },
  { { .physical = PQ_FLOAT }, "\0\0\xc0\x3f", 4, { .kind = KIND_FLOAT, .f64 = 1.5 }, { .kind = KIND_DOUBLE, .f64 = 1e300 } },
  { { .physical = PQ_BYTE_ARRAY, .logical = LOGICAL_STRING }, "", 0, BYTES_OF(KIND_STRING, ""), BYTES_OF(KIND_STRING, "a") },
  { { .physical = PQ_FIXED, .width = 4 }, "abcd", 4, BYTES_OF(KIND_BINARY, "abcd"), BYTES_OF(KIND_BINARY, "abc") },
};

Test(bloom, knows_each_type_by_the_form_that_files_have)
{
  for (size_t i = 0; i < COUNT_OF(forms); i++) {
    SCOPED(assembled) file = { 0 };
    bool is_there;

    filtered(&file, &forms[i].of, forms[i].stored, forms[i].size);
    cr_assert(may_hold(&file, &forms[i].same, &is_there), "form %zu", i);
    cr_assert_not(may_hold(&file, &forms[i].other, &is_there), "form %zu", i);
    cr_assert(is_there);
  }
}

/* No form, or one of many: these are never excluded. */
Test(bloom, excludes_nothing_whose_form_it_does_not_know)
{
  static const form unknown[] = {
    { { .physical = PQ_INT96 }, "123456789012", 12, { .kind = KIND_TIMESTAMP, .i64 = 1 }, { 0 } },
    { { .physical = PQ_BYTE_ARRAY, PQ_DECIMAL, 5, 2 }, "x", 1, DECIMAL_OF(5, 2), { 0 } },
    { { .physical = PQ_INT32, PQ_UINT_32 }, "1234", 4, LONG_OF(5), { 0 } },
    { { .physical = PQ_DOUBLE }, "12345678", 8, { .kind = KIND_DOUBLE, .f64 = __builtin_nan("") }, { 0 } },
    { { .physical = PQ_DOUBLE }, "12345678", 8, LONG_OF(5), { 0 } },
    { { .physical = PQ_INT64 }, "12345678", 8, { .kind = KIND_LONG, .is_null = true }, { 0 } },
    { { .physical = PQ_INT64, PQ_TIMESTAMP_MICROS }, "12345678", 8, { .kind = KIND_DATE, .i64 = 5 }, { 0 } },
    { { .physical = PQ_BYTE_ARRAY, .logical = LOGICAL_STRING }, "x", 1, BYTES_OF(KIND_BINARY, "y"), { 0 } },
  };

  for (size_t i = 0; i < COUNT_OF(unknown); i++) {
    SCOPED(assembled) file = { 0 };
    bool is_there;

    filtered(&file, &unknown[i].of, unknown[i].stored, unknown[i].size);
    cr_assert(may_hold(&file, &unknown[i].same, &is_there), "form %zu", i);
    cr_assert(is_there);
  }
}

Test(bloom, one_that_cannot_be_sound_counts_as_none)
{
  static const filtered_column hostile[] = {
    { .physical = PQ_INT64, .lie = 1 },
    { .physical = PQ_INT64, .lie = -32 },
    { .physical = PQ_INT64, .lie = -64 },
    { .physical = PQ_INT64, .lie = 32 << 10 },
    { .physical = PQ_INT64, .lie = INT32_MAX - 63 },
    { .physical = PQ_INT64, .lie = INT32_MIN + 32 },
    { .physical = PQ_INT64, .algorithm = 2 },
    { .physical = PQ_INT64, .hash = 2 },
    { .physical = PQ_INT64, .compression = 2 },
    { .physical = PQ_INT64, .length = 5 },
    { .physical = PQ_INT64, .chunk = 32 },
  };
  int64_t inside = 42;

  for (size_t i = 0; i < COUNT_OF(hostile); i++) {
    SCOPED(assembled) file = { 0 };
    bool is_there;

    filtered(&file, &hostile[i], &inside, sizeof inside);
    cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 100 }, &is_there), "%zu", i);
    cr_assert_not(is_there, "%zu", i);
  }
}

Test(bloom, is_read_at_once_where_the_footer_says_its_length)
{
  static const int32_t lengths[] = { 0, 47, 60, 1 << 20, INT32_MAX, -1 };
  int64_t inside = 42;

  for (size_t i = 0; i < COUNT_OF(lengths); i++) {
    SCOPED(assembled) file = { 0 };
    bool is_there;

    filtered(&file, &(filtered_column){ .physical = PQ_INT64, .length = lengths[i] }, &inside, sizeof inside);
    cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 42 }, &is_there));
    cr_assert_not(may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 43 }, &is_there), "%d", lengths[i]);
    cr_assert(is_there);
  }
}

/* A filter of many blocks, all of them zero but those of `count` values from `first`. */
static void put_large(osdear__assembled *file, uint32_t blocks, int64_t first, int64_t count)
{
  osdear__pq_bloom_choice choice = { .set = SET(1) };
  osdear__pq_bloom_header header = {
    .num_bytes = (int32_t)(blocks * 32), .algorithm = &choice, .hash = &choice, .compression = &choice
  };
  osdear__pq_column_chunk *chunk;
  size_t at;

  assembled_start(file, 1);
  assembled_column(file, "c", PQ_REQUIRED, PQ_INT64);
  chunk = assembled_chunk(file, PQ_INT64, CODEC_NONE, 0);
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET;
  chunk->meta_data->bloom_filter_offset = (int64_t)file->bytes.size;
  osdear__thrift_write(&osdear__pq_bloom_header_thrift, &header, &file->bytes);
  at = file->bytes.size;
  for (uint32_t i = 0; i < blocks * 32; i++)
    osdear__buf_putc(&file->bytes, 0);
  for (int64_t value = first; value < first + count; value++) {
    uint64_t block = (osdear__xxh64(&value, sizeof value, 0) >> 32) * blocks >> 32;
    uint32_t words[8];

    memcpy(words, file->bytes.data + at + block * 32, sizeof words);
    insert(words, &value, sizeof value);
    memcpy(file->bytes.data + at + block * 32, words, sizeof words);
  }
  assembled_end_group(file, 0);
  chunk->meta_data->total_compressed_size = INT64_C(1) << 30;
  assembled_finish(file);
}

static void ask_large(const osdear__assembled *file, int64_t missing, int64_t *bytes, int64_t *others)
{
  SCOPED(arena) arena = { 0 };
  AUTO(parquet) parquet = NULL;
  osdear__parquet_bloom *bloom;
  size_t path = 0;

  cr_assert_eq(assembled_open(file, &parquet, NULL), OSDEAR_OK);
  *bytes = osdear__parquet_bytes_read(parquet);
  cr_assert_eq(osdear__parquet_bloom_open(parquet, 0, &path, 1, &arena, &bloom, NULL), OSDEAR_OK);
  cr_assert_not_null(bloom);
  *others = 0;
  for (int64_t i = 0; i < missing; i++)
    *others += osdear__parquet_bloom_may_hold(bloom, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 1000000 + i });
  for (int64_t i = 0; i < 100; i++)
    cr_assert(osdear__parquet_bloom_may_hold(bloom, &(osdear__scalar){ .kind = KIND_LONG, .i64 = i }));
  *bytes = osdear__parquet_bytes_read(parquet) - *bytes;
}

Test(bloom, of_a_large_one_only_what_is_asked_for_is_read)
{
  SCOPED(assembled) middle = { 0 };
  SCOPED(assembled) huge = { 0 };
  int64_t bytes, others;

  put_large(&middle, 4096, 0, 100);
  ask_large(&middle, 3, &bytes, &others);
  cr_assert_eq(others, 0);
  ask_large(&middle, 20, &bytes, &others);
  cr_assert_eq(others, 0);
  cr_assert_lt(bytes, 128 + 9 * 32 + 4096 * 32 + 1);
  put_large(&huge, 65536, 0, 100);
  ask_large(&huge, 20, &bytes, &others);
  cr_assert_eq(others, 12, "a larger one is not read whole");
  cr_assert_lt(bytes, 128 + 9 * 32);
}
