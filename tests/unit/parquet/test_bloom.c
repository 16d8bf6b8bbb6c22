/* Bloom filters: the format's own hash and blocks, and what of a damaged one is believed. */
#include <criterion/criterion.h>

#include "../../support/assembled.h"

static const uint32_t salts[] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };

/* As BloomFilter.md writes it down: one block of eight words, a bit of each. */
static void insert(uint32_t block[8], const void *value, size_t size)
{
  uint32_t hash = (uint32_t)osdear__xxh64(value, size, 0);

  for (int i = 0; i < 8; i++)
    block[i] |= UINT32_C(1) << (hash * salts[i] >> 27);
}

/* A column with a filter of one block, which holds `value`; `lie` is added to the length that the header says. */
static void filtered(osdear__assembled *file, osdear__pq_physical physical, const void *value, size_t size, int32_t lie)
{
  osdear__pq_bloom_choice first = { .set = SET(1) };
  osdear__pq_bloom_header header = { .num_bytes = 32 + lie, .algorithm = &first, .hash = &first, .compression = &first };
  osdear__pq_column_chunk *chunk;
  uint32_t block[8] = { 0 };

  insert(block, value, size);
  assembled_start(file, 1);
  assembled_column(file, "c", PQ_REQUIRED, physical);
  chunk = assembled_chunk(file, physical, CODEC_NONE, 0);
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET;
  chunk->meta_data->bloom_filter_offset = (int64_t)file->bytes.size;
  osdear__thrift_write(&osdear__pq_bloom_header_thrift, &header, &file->bytes);
  osdear__buf_append(&file->bytes, block, sizeof block);
  assembled_end_group(file, 0);
  assembled_finish(file);
}

static bool may_hold(const osdear__assembled *file, const osdear__scalar *value, bool *is_there)
{
  SCOPED(arena) arena = { 0 };
  AUTO(parquet) parquet = NULL;
  osdear__parquet_bloom *bloom;
  size_t path = 0;

  cr_assert_eq(assembled_open(file, &parquet, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_bloom_read(parquet, 0, &path, 1, &arena, &bloom, NULL), OSDEAR_OK);
  *is_there = bloom != NULL;
  return !bloom || osdear__parquet_bloom_may_hold(bloom, value);
}

Test(bloom, holds_what_was_put_in_and_little_else)
{
  int64_t inside = 42;
  int others = 0;
  bool is_there;
  SCOPED(assembled) file = { 0 };

  filtered(&file, PQ_INT64, &inside, sizeof inside, 0);
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

  filtered(&text, PQ_BYTE_ARRAY, "abc", 3, 0);
  cr_assert(may_hold(&text, &(osdear__scalar){ .kind = KIND_BINARY, .bytes = STR("abc") }, &is_there));
  cr_assert_not(may_hold(&text, &(osdear__scalar){ .kind = KIND_BINARY, .bytes = STR("abd") }, &is_there));
  filtered(&zero, PQ_DOUBLE, &real, sizeof real, 0);
  cr_assert(may_hold(&zero, &(osdear__scalar){ .kind = KIND_DOUBLE, .f64 = -0.0 }, &is_there), "two zeros are equal");
  cr_assert_not(may_hold(&zero, &(osdear__scalar){ .kind = KIND_DOUBLE, .f64 = 1 }, &is_there));
}

Test(bloom, one_that_lies_of_its_length_counts_as_none)
{
  static const int32_t lies[] = { 1, -32, -64, 32 << 10, INT32_MAX - 32 };
  int64_t inside = 42;

  for (size_t i = 0; i < COUNT_OF(lies); i++) {
    SCOPED(assembled) file = { 0 };
    bool is_there;

    filtered(&file, PQ_INT64, &inside, sizeof inside, lies[i]);
    cr_assert(may_hold(&file, &(osdear__scalar){ .kind = KIND_LONG, .i64 = 100 }, &is_there));
    cr_assert_not(is_there, "%d", lies[i]);
  }
}
