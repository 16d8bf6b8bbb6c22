/* Small files that claim, or truly hold, very much: a claim takes no memory, and what is truly there comes in pieces. */
#include <malloc.h>
#include <stdlib.h>

#include "rows.h"

#include <parquet/encode.h>

TestSuite(bombs, .timeout = 120);

#define MIB ((size_t)1 << 20)

/* ---- memory, counted ---- */

static struct {
  size_t now, peak;
} held;

static void *count(void *block)
{
  held.now += malloc_usable_size(block);
  held.peak = held.now > held.peak ? held.now : held.peak;
  return block;
}

static void *allocate(void *context, size_t size)
{
  (void)context;
  return size > 512 * MIB ? NULL : count(malloc(size)); /* what should never be asked for need not be given */
}

static void *reallocate(void *context, void *block, size_t size)
{
  size_t before = malloc_usable_size(block);
  void *moved = size > 512 * MIB ? NULL : realloc(block, size);

  (void)context;
  held.now -= moved ? before : 0;
  return moved ? count(moved) : NULL;
}

static void release(void *context, void *block)
{
  (void)context;
  held.now -= malloc_usable_size(block);
  free(block);
}

static void count_memory(void)
{
  static const osdear_allocator counting = { sizeof counting, NULL, allocate, reallocate, release };

  cr_assert_eq(osdear_allocator_set(&counting), OSDEAR_OK);
}

/* From here on: what the test's own file takes is not counted. */
static void start_counting(void)
{
  held.now = held.peak = 0;
}

/* ---- pages ---- */

static void one_column(osdear__assembled *file, osdear__pq_physical physical, osdear__codec codec, int32_t values,
                       osdear__str body, int32_t claimed)
{
  assembled_start(file, 1);
  assembled_column(file, "c", PQ_REQUIRED, physical);
  assembled_chunk(file, physical, codec, values);
  assembled_add(file, &(assembled_page){ .values = values, .body = body, .uncompressed = claimed });
  assembled_end_group(file, values);
  assembled_finish(file);
}

static void compress(osdear__codec codec, size_t zeros, osdear__buf *out)
{
  osdear__codec_state state = { 0 };
  void *plain = osdear__alloc_zeroed(1, zeros);
  size_t size;

  cr_assert_not_null(osdear__buf_reserve(out, osdear__compress_bound(codec, zeros)) ? plain : NULL);
  cr_assert_eq(osdear__compress(&state, codec, 0, plain, zeros, out->data, &size, NULL), OSDEAR_OK);
  out->size = size;
  osdear__free(plain);
  osdear__codec_state_drop(&state);
}

/* "hello", as a stream of Brotli (RFC 7932) with one block that is not compressed. */
#define BROTLI_HELLO "\x0b\x02\x80hello\x03"

static void claim(osdear__codec codec, osdear__str body, int32_t claimed, osdear_status status, const char *words)
{
  SCOPED(assembled) file = { 0 };

  one_column(&file, PQ_INT64, codec, claimed / 8, body, claimed);
  start_counting();
  rows_refuse(&file, status, words);
  rows_refuse(&file, status, "assembled: row group 0, column c: page at offset 4");
  cr_assert_lt(held.peak, 24 * MIB, "%s: %zu", osdear__codec_name(codec), held.peak);
}

Test(bombs, a_page_that_claims_too_much_takes_no_memory)
{
  static const osdear__codec codecs[] = { CODEC_SNAPPY, CODEC_GZIP, CODEC_LZ4_RAW, CODEC_LZ4_HADOOP, CODEC_ZSTD };

  count_memory();
  for (size_t i = 0; i < COUNT_OF(codecs); i++) {
    SCOPED(buf) body = { 0 };

    if (!osdear__codec_is_written(codecs[i]))
      continue;
    compress(codecs[i], 64 << 10, &body);
    claim(codecs[i], (osdear__str){ body.data, body.size }, INT32_MAX, OSDEAR_ERR_CORRUPT, osdear__codec_name(codecs[i]));
    osdear__buf_drop(&body);
    compress(codecs[i], 3 * MIB, &body); /* a claim that would be possible */
    claim(codecs[i], (osdear__str){ body.data, body.size }, 8 << 20, OSDEAR_ERR_CORRUPT, osdear__codec_name(codecs[i]));
  }
  if (osdear__codec_is_built(CODEC_BROTLI))
    claim(CODEC_BROTLI, (osdear__str){ BROTLI_HELLO, sizeof BROTLI_HELLO - 1 }, INT32_MAX, OSDEAR_ERR_CORRUPT, "brotli");
}

static void expect_zeros(osdear__codec codec, osdear__str body, size_t zeros, int32_t claimed)
{
  SCOPED(assembled) file = { 0 };
  AUTO(parquet) parquet = NULL;
  AUTO(parquet_cursor) cursor = NULL;
  AUTO(error) error = NULL;
  SCOPED(array) batch = { 0 };
  int64_t first;
  osdear_status st;

  one_column(&file, PQ_INT64, codec, (int32_t)(zeros / 8), body, claimed);
  cr_assert_eq(assembled_open(&file, &parquet, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_cursor_new(parquet, 0, NULL, &cursor, NULL), OSDEAR_OK);
  st = osdear__parquet_cursor_next(cursor, 100, &batch, &first, &error);
  cr_assert_eq(st, claimed == (int32_t)zeros ? OSDEAR_OK : OSDEAR_ERR_CORRUPT, "%s", osdear_error_message(error));
  if (!st)
    cr_assert_eq(((const int64_t *)batch.children[0]->buffers[1])[99], 0);
}

Test(bombs, a_page_that_truly_becomes_so_large_is_read)
{
  static const osdear__codec codecs[] = { CODEC_GZIP, CODEC_ZSTD };
  static const size_t sizes[] = { 4 << 20, (4 << 20) + 8, 8 << 20, 40 << 20 };

  for (size_t i = 0; i < COUNT_OF(codecs); i++)
    for (size_t k = 0; k < COUNT_OF(sizes) && osdear__codec_is_written(codecs[i]); k++) {
      SCOPED(buf) body = { 0 };
      osdear__str bytes;

      compress(codecs[i], sizes[k], &body);
      bytes = (osdear__str){ body.data, body.size };
      expect_zeros(codecs[i], bytes, sizes[k], (int32_t)sizes[k]);
      expect_zeros(codecs[i], bytes, sizes[k], (int32_t)sizes[k] - 8);
      expect_zeros(codecs[i], bytes, sizes[k], (int32_t)sizes[k] + 8);
      bytes.size--;
      expect_zeros(codecs[i], bytes, sizes[k], (int32_t)sizes[k] + 1);
    }
}

/* ---- values that are made of very few bytes ---- */

#define LONG_TEXT MIB
#define MANY 100000

/* Reads up to `batches` batches of rows of one long text each. */
static void expect_pieces(const osdear__assembled *file, const osdear__row_range *range, int batches)
{
  osdear__parquet_read read = { .batch_bytes = 4 << 20, .rows = range, .range_count = range ? 1 : 0 };
  AUTO(parquet) parquet = NULL;
  AUTO(parquet_cursor) cursor = NULL;

  cr_assert_eq(assembled_open(file, &parquet, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_cursor_new(parquet, 0, &read, &cursor, NULL), OSDEAR_OK);
  for (int i = 0; i < batches; i++) {
    AUTO(error) error = NULL;
    SCOPED(array) batch = { 0 };
    int64_t first;

    cr_assert_eq(osdear__parquet_cursor_next(cursor, MANY, &batch, &first, &error), OSDEAR_OK, "%s", osdear_error_message(error));
    cr_assert(batch.length >= 1 && batch.length <= 8, "%" PRId64, batch.length);
    cr_assert_eq(((const int32_t *)batch.children[0]->buffers[1])[1], LONG_TEXT);
  }
  cr_assert_lt(held.peak, 48 * MIB, "%zu", held.peak);
}

Test(bombs, a_run_of_one_long_text_comes_in_pieces)
{
  static const osdear__row_range late = { MANY - 3, MANY };
  SCOPED(buf) page = { 0 };
  SCOPED(buf) indices = { 0 };
  SCOPED(assembled) file = { 0 };
  uint32_t length = LONG_TEXT;

  count_memory();
  osdear__buf_append(&page, &length, 4);
  for (size_t i = 0; i < LONG_TEXT; i++)
    osdear__buf_putc(&page, 'x');
  osdear__buf_putc(&indices, 1);
  osdear__pq_hybrid_write_run(0, MANY, 1, &indices);
  assembled_start(&file, 1);
  assembled_column(&file, "c", PQ_REQUIRED, PQ_BYTE_ARRAY);
  assembled_chunk(&file, PQ_BYTE_ARRAY, CODEC_NONE, MANY);
  assembled_add(&file, &(assembled_page){ .type = PQ_DICTIONARY_PAGE, .values = 1, .body = { page.data, page.size } });
  assembled_add(&file,
                &(assembled_page){ .values = MANY, .encoding = PQ_RLE_DICTIONARY, .body = { indices.data, indices.size } });
  assembled_end_group(&file, MANY);
  assembled_finish(&file);
  start_counting();
  expect_pieces(&file, NULL, 4);
  expect_pieces(&file, &late, 1);
}

/* DELTA_BYTE_ARRAY: the first value is long, all others are the same again. */
Test(bombs, a_text_that_is_repeated_by_its_prefix_comes_in_pieces)
{
  static const osdear__row_range late = { MANY - 3, MANY };
  SCOPED(buf) body = { 0 };
  SCOPED(assembled) file = { 0 };
  int32_t *lengths = calloc(MANY, sizeof *lengths);

  count_memory();
  for (size_t i = 1; i < MANY; i++)
    lengths[i] = LONG_TEXT;
  osdear__pq_delta_write(lengths, MANY, false, &body);
  memset(lengths, 0, MANY * sizeof *lengths);
  lengths[0] = LONG_TEXT;
  osdear__pq_delta_write(lengths, MANY, false, &body);
  for (size_t i = 0; i < LONG_TEXT; i++)
    osdear__buf_putc(&body, 'x');
  assembled_start(&file, 1);
  assembled_column(&file, "c", PQ_REQUIRED, PQ_BYTE_ARRAY);
  assembled_chunk(&file, PQ_BYTE_ARRAY, CODEC_NONE, MANY);
  assembled_add(&file, &(assembled_page){ .values = MANY, .encoding = PQ_DELTA_BYTE_ARRAY, .body = { body.data, body.size } });
  assembled_end_group(&file, MANY);
  assembled_finish(&file);
  free(lengths);
  start_counting();
  expect_pieces(&file, NULL, 4);
  expect_pieces(&file, &late, 1);
}

/* Rows and entries of lists that a few bytes of levels stand for. */
Test(bombs, a_list_without_end_is_refused_and_rows_without_end_are_read)
{
  SCOPED(buf) levels = { 0 };
  SCOPED(assembled) list = { 0 };
  AUTO(parquet) parquet = NULL;
  AUTO(parquet_cursor) cursor = NULL;
  AUTO(error) error = NULL;
  SCOPED(array) batch = { 0 };
  const int32_t entries = INT32_MAX;
  int64_t first;

  count_memory();
  for (int side = 0; side < 2; side++) { /* the first entry begins the row; all are null */
    SCOPED(buf) runs = { 0 };
    uint32_t size;

    osdear__pq_hybrid_write_run(side ? 2 : 0, 8, side ? 2 : 1, &runs);
    osdear__pq_hybrid_write_run(side ? 2 : 1, (size_t)entries - 8, side ? 2 : 1, &runs);
    size = (uint32_t)runs.size;
    osdear__buf_append(&levels, &size, 4);
    osdear__buf_append(&levels, runs.data, runs.size);
  }
  assembled_start(&list, 1);
  assembled_group(&list, "c", PQ_OPTIONAL, 1)->set |= ELEMENT_CONVERTED;
  list.elements[1].converted_type = PQ_LIST;
  assembled_group(&list, "list", PQ_REPEATED, 1);
  assembled_column(&list, "element", PQ_OPTIONAL, PQ_INT64);
  assembled_chunk(&list, PQ_INT64, CODEC_NONE, entries);
  assembled_add(&list, &(assembled_page){ .values = entries, .body = { levels.data, levels.size } });
  assembled_end_group(&list, 8);
  assembled_finish(&list);
  start_counting();
  cr_assert_eq(assembled_open(&list, &parquet, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_cursor_new(parquet, 0, NULL, &cursor, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__parquet_cursor_next(cursor, 7, &batch, &first, NULL), OSDEAR_OK);
  cr_assert_eq(batch.length, 7);
  osdear__array_drop(&batch);
  cr_assert_eq(osdear__parquet_cursor_next(cursor, 7, &batch, &first, &error), OSDEAR_ERR_LIMIT);
  cr_assert_not_null(strstr(osdear_error_message(error), "row 7 alone"), "%s", osdear_error_message(error));
  cr_assert_lt(held.peak, 512 * MIB, "%zu", held.peak);
}
