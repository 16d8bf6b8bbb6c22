/* Statistics of row groups and pages: which bounds are believed, by which order, and what of an index is not. */
#include <math.h>

#include "rows.h"

/* A column, what its file says of itself, and the bounds in it. */
typedef struct column {
  osdear__pq_physical physical;
  int32_t converted; /* -1: none */
  uint32_t logical;
  int32_t precision, width;
  const char *created_by;
  uint32_t order; /* of the column; 0: none is said */
} column;

/* clang-format off */
#define PLAIN(physical) { physical, -1, 0, 0, 0, NULL, COLUMN_ORDER_TYPE }
#define FULL(physical, converted, logical, precision, width) { physical, converted, logical, precision, width, NULL, COLUMN_ORDER_TYPE }
#define AS(physical, converted) { physical, converted, 0, 9, 0, NULL, COLUMN_ORDER_TYPE }
/* clang-format on */

static void assemble(osdear__assembled *file, const column *of, const osdear__pq_statistics *stats)
{
  osdear__pq_column_order *order = osdear__arena_zeroed(&file->arena, 1, sizeof *order);
  osdear__pq_schema_element *element;
  osdear__pq_column_chunk *chunk;

  assembled_start(file, 1);
  element = assembled_column(file, "c", PQ_OPTIONAL, of->physical);
  if (of->converted >= 0) {
    element->set |= ELEMENT_CONVERTED | ELEMENT_PRECISION;
    element->converted_type = of->converted;
    element->precision = of->precision;
  }
  if (of->width) {
    element->set |= ELEMENT_TYPE_LENGTH;
    element->type_length = of->width;
  }
  if (of->logical)
    assembled_logical(file, element, of->logical);
  chunk = assembled_chunk(file, of->physical, CODEC_NONE, 10);
  chunk->meta_data->statistics = osdear__arena_zeroed(&file->arena, 1, sizeof *stats);
  *chunk->meta_data->statistics = *stats;
  if (of->created_by)
    file->meta.created_by = osdear__str_of(of->created_by);
  order->set = of->order;
  file->meta.column_orders = order;
  file->meta.column_order_count = of->order ? 1 : 0;
}

static osdear__parquet_stats stats_of(const column *of, osdear__pq_statistics stats)
{
  SCOPED(assembled) file = { 0 };
  AUTO(parquet) parquet = NULL;
  osdear__parquet_stats found;
  size_t path = 0;

  assemble(&file, of, &stats);
  assembled_end_group(&file, 10);
  assembled_finish(&file);
  cr_assert_eq(assembled_open(&file, &parquet, NULL), OSDEAR_OK);
  cr_assert(osdear__parquet_group_stats(parquet, 0, &path, 1, &found));
  found.min.bytes = found.max.bytes = (osdear__str){ 0 }; /* they lie in the file */
  return found;
}

#define NEW(low, high)                            \
  (osdear__pq_statistics)                         \
  {                                               \
    .min_value = STR(low), .max_value = STR(high) \
  }
#define OLD(low, high)                \
  (osdear__pq_statistics)             \
  {                                   \
    .min = STR(low), .max = STR(high) \
  }
#define BOTH(of, given) stats_has(of, given, true, true)
#define NONE(of, given) stats_has(of, given, false, false)

static osdear__parquet_stats stats_has(const column *of, osdear__pq_statistics given, bool min, bool max)
{
  osdear__parquet_stats found = stats_of(of, given);

  cr_assert(found.has_min == min && found.has_max == max, "%d %d", found.has_min, found.has_max);
  return found;
}

#define ONE "\1\0\0\0"
#define MINUS "\xff\xff\xff\xff"

Test(stats, new_bounds_go_by_the_types_own_order)
{
  osdear__parquet_stats found = BOTH(&(column)PLAIN(PQ_INT32), NEW(MINUS, ONE));

  cr_assert(found.min.i64 == -1 && found.max.i64 == 1);
  NONE(&(column)PLAIN(PQ_INT32), NEW(ONE, MINUS));
  found = BOTH(&(column)AS(PQ_INT32, PQ_UINT_32), NEW(ONE, MINUS));
  cr_assert(found.min.i64 == 1 && found.max.i64 == UINT32_MAX);
  NONE(&(column)AS(PQ_INT32, PQ_UINT_32), NEW(MINUS, ONE));
  BOTH(&(column)AS(PQ_INT64, PQ_UINT_64), NEW(ONE "\0\0\0\0", MINUS MINUS));
  BOTH(&(column)AS(PQ_BYTE_ARRAY, PQ_UTF8), NEW("a", "\xc3\xa4"));
  NONE(&(column)AS(PQ_BYTE_ARRAY, PQ_UTF8), NEW("\xc3\xa4", "a"));
  found = BOTH(&(column)AS(PQ_BYTE_ARRAY, PQ_DECIMAL), NEW("\xff", "\1\2"));
  cr_assert(found.min.decimal == -1 && found.max.decimal == 258);
  found = BOTH(&(column)FULL(PQ_FIXED, PQ_DECIMAL, 0, 4, 2), NEW("\xff\xfe", "\1\2"));
  cr_assert(found.min.decimal == -2 && found.max.decimal == 258);
}

Test(stats, bounds_without_an_order_are_not_believed)
{
  const column unsaid = { PQ_INT32, -1, 0, 0, 0, NULL, 0 }, unknown = { PQ_INT32, -1, 0, 0, 0, NULL, SET(7) };

  NONE(&unsaid, NEW(ONE, ONE));
  NONE(&unknown, NEW(ONE, ONE));
  NONE(&(column)PLAIN(PQ_INT96), NEW("123456789012", "123456789012"));
  NONE(&(column)FULL(PQ_FIXED, PQ_INTERVAL, 0, 0, 12), NEW("123456789012", "123456789012"));
  NONE(&(column)FULL(PQ_FIXED, -1, LOGICAL_FLOAT16, 0, 2), NEW("\0\0", "\0\x3c"));
  NONE(&(column)FULL(PQ_BYTE_ARRAY, -1, LOGICAL_GEOMETRY, 0, 0), NEW("a", "b"));
}

Test(stats, bounds_of_another_length_than_the_type_are_not_believed)
{
  stats_has(&(column)PLAIN(PQ_INT32), NEW("\1\0\0", ONE), false, true);
  stats_has(&(column)PLAIN(PQ_INT64), NEW(ONE "\0\0\0\0", ONE), true, false);
  NONE(&(column)PLAIN(PQ_DOUBLE), NEW(ONE, ONE));
  NONE(&(column)PLAIN(PQ_BOOLEAN), NEW("", "\1\1"));
  stats_has(&(column)AS(PQ_BYTE_ARRAY, PQ_DECIMAL), NEW("", "\1"), false, true);
  NONE(&(column)AS(PQ_BYTE_ARRAY, PQ_DECIMAL), NEW("12345678901234567890", "x2345678901234567890"));
  stats_has(&(column)AS(PQ_INT32, PQ_INT_8), NEW("\1\1\0\0", ONE), false, true);
}

/* Truncated bounds are bounds all the same, and one may be there without the other. */
Test(stats, truncated_and_single_bounds_are_used)
{
  osdear__pq_statistics inexact = NEW("ab", "ac");

  inexact.set = STATISTICS_MIN_EXACT | STATISTICS_MAX_EXACT;
  BOTH(&(column)AS(PQ_BYTE_ARRAY, PQ_UTF8), inexact);
  stats_has(&(column)AS(PQ_BYTE_ARRAY, PQ_UTF8), (osdear__pq_statistics){ .min_value = STR("ab") }, true, false);
  stats_has(&(column)AS(PQ_BYTE_ARRAY, PQ_UTF8), (osdear__pq_statistics){ .max_value = STR("") }, false, true);
}

static osdear__pq_statistics reals(const double *low, const double *high)
{
  return (osdear__pq_statistics){ .min_value = { (const char *)low, 8 }, .max_value = { (const char *)high, 8 } };
}

/* With any NaN the writer's care is in doubt, under either order; a zero may have lost its sign. */
Test(stats, reals_are_taken_with_care)
{
  const double not = NAN, zero = 0.0, negative = -0.0, one = 1;
  column by_type = PLAIN(PQ_DOUBLE), by_ieee = { PQ_DOUBLE, -1, 0, 0, 0, NULL, COLUMN_ORDER_IEEE754 };
  osdear__parquet_stats found;

  for (int i = 0; i < 2; i++) {
    const column *of = i ? &by_ieee : &by_type;

    NONE(of, reals(&not, &one));
    NONE(of, reals(&one, &not ));
    NONE(of, reals(&not, &not ));
    found = BOTH(of, reals(&zero, &negative));
    cr_assert(signbit(found.min.f64) && !signbit(found.max.f64));
    found = BOTH(of, reals(&negative, &one));
    cr_assert(found.max.f64 > 0);
    NONE(of, reals(&one, &zero));
  }
}

Test(stats, old_bounds_are_believed_of_signed_numbers_by_known_writers)
{
  column known = { PQ_INT32, -1, 0, 0, 0, "parquet-mr version 1.6.0", 0 };
  column stranger = { PQ_INT32, -1, 0, 0, 0, "somebody", 0 };
  column without_sign = { PQ_INT32, PQ_UINT_32, 0, 0, 0, "parquet-mr version 1.6.0", 0 };
  column text = { PQ_BYTE_ARRAY, PQ_UTF8, 0, 0, 0, "parquet-mr version 1.6.0", 0 };
  column decimal = { PQ_FIXED, PQ_DECIMAL, 0, 4, 2, "parquet-mr version 1.6.0", 0 };
  osdear__parquet_stats found = BOTH(&known, OLD(MINUS, ONE));

  cr_assert(found.min.i64 == -1 && found.max.i64 == 1);
  NONE(&stranger, OLD(MINUS, ONE));
  NONE(&without_sign, OLD(ONE, ONE));
  NONE(&text, OLD("a", "b"));
  NONE(&decimal, OLD("\0\1", "\0\2"));
  NONE(&known, (osdear__pq_statistics){ .min = STR(ONE) });
}

Test(stats, new_bounds_go_before_old_ones)
{
  column both = { PQ_INT32, -1, 0, 0, 0, "parquet-mr version 1.12.0", COLUMN_ORDER_TYPE };
  osdear__pq_statistics given = { .min = STR(ONE), .max = STR(ONE), .min_value = STR(MINUS), .max_value = STR(ONE) };

  cr_assert_eq(BOTH(&both, given).min.i64, -1);
}

Test(stats, null_counts_are_unknown_unless_they_can_be_true)
{
  column of = PLAIN(PQ_INT32);

  cr_assert_eq(stats_of(&of, (osdear__pq_statistics){ 0 }).null_count, -1);
  cr_assert_eq(stats_of(&of, (osdear__pq_statistics){ .set = STATISTICS_NULL_COUNT }).null_count, 0);
  cr_assert_eq(stats_of(&of, (osdear__pq_statistics){ .set = STATISTICS_NULL_COUNT, .null_count = 10 }).null_count, 10);
  cr_assert_eq(stats_of(&of, (osdear__pq_statistics){ .set = STATISTICS_NULL_COUNT, .null_count = 11 }).null_count, -1);
  cr_assert_eq(stats_of(&of, (osdear__pq_statistics){ .set = STATISTICS_NULL_COUNT, .null_count = -3 }).null_count, -1);
}

/* ---- page indexes ---- */

typedef struct indexed {
  int32_t offset_shift; /* lies: added to the second page's offset, */
  int64_t second_row;   /* where it is said to begin; 0: 5 */
  int32_t size_shift;   /* its size, */
  size_t columns_pages; /* pages that the column index has; 0: 2 */
  size_t null_counts;   /* counts of nulls; 0: none */
  int32_t length_shift; /* and the length of the column index */
  bool null_page;       /* the second has only nulls */
  osdear__str min;      /* of the first page; data NULL: 1 */
} indexed;

static const column numbers = PLAIN(PQ_INT32);

/* Two pages of five rows, 1 and 2, with both indexes. */
static osdear_status pages_of(const indexed *lies, osdear__parquet_page *out)
{
  bool null_pages[3] = { false, lies->null_page, false };
  osdear__str bounds[3] = { lies->min.data ? lies->min : STR(ONE), STR("\2\0\0\0"), STR("\2\0\0\0") };
  int64_t nulls[3] = { 3, 5, 0 };
  osdear__pq_page_location places[2] = { { .first_row_index = 0 },
                                         { .first_row_index = lies->second_row ? lies->second_row : 5 } };
  osdear__pq_offset_index offsets = { .page_locations = places, .page_count = 2 };
  size_t count = lies->columns_pages ? lies->columns_pages : 2;
  osdear__pq_column_index columns = { .null_pages = null_pages,
                                      .null_page_count = count,
                                      .min_values = bounds,
                                      .min_count = count,
                                      .max_values = bounds,
                                      .max_count = count,
                                      .null_counts = lies->null_counts ? nulls : NULL,
                                      .null_count_count = lies->null_counts };
  SCOPED(assembled) file = { 0 };
  SCOPED(arena) arena = { 0 };
  AUTO(parquet) parquet = NULL;
  osdear__parquet_page *pages;
  osdear__pq_column_chunk *chunk;
  size_t path = 0, found;
  osdear_status st;

  assemble(&file, &numbers, &(osdear__pq_statistics){ 0 });
  chunk = &file.chunks[0];
  for (int i = 0; i < 2; i++) {
    places[i].offset = assembled_add(&file, &(assembled_page){ .values = 5, .body = STR("\2\0\0\0\x0a\1" ONE ONE ONE ONE ONE) });
    places[i].compressed_page_size = (int32_t)((int64_t)file.bytes.size - places[i].offset);
  }
  places[1].offset += lies->offset_shift;
  places[1].compressed_page_size += lies->size_shift;
  chunk->set |= CHUNK_OFFSET_INDEX | CHUNK_COLUMN_INDEX;
  chunk->offset_index_offset = (int64_t)file.bytes.size;
  osdear__thrift_write(&osdear__pq_offset_index_thrift, &offsets, &file.bytes);
  chunk->column_index_offset = (int64_t)file.bytes.size;
  chunk->offset_index_length = (int32_t)(chunk->column_index_offset - chunk->offset_index_offset);
  osdear__thrift_write(&osdear__pq_column_index_thrift, &columns, &file.bytes);
  chunk->column_index_length = (int32_t)((int64_t)file.bytes.size - chunk->column_index_offset) + lies->length_shift;
  assembled_end_group(&file, 10);
  assembled_finish(&file);
  cr_assert_eq(assembled_open(&file, &parquet, NULL), OSDEAR_OK);
  st = osdear__parquet_pages(parquet, 0, &path, 1, &arena, &pages, &found, NULL);
  if (!st)
    cr_assert_eq(found, 2);
  if (!st)
    memcpy(out, pages, 2 * sizeof *pages);
  return st;
}

Test(page_index, tells_rows_and_bounds_of_each_page)
{
  osdear__parquet_page pages[2];

  cr_assert_eq(pages_of(&(indexed){ 0 }, pages), OSDEAR_OK);
  cr_assert(pages[0].rows.from == 0 && pages[0].rows.to == 5 && pages[1].rows.from == 5 && pages[1].rows.to == 10);
  cr_assert(pages[0].has_min && pages[0].min.i64 == 1 && pages[1].max.i64 == 2);
  cr_assert(pages[0].null_count == -1 && pages[1].null_count == -1, "nothing was said of nulls");
  cr_assert_eq(pages_of(&(indexed){ .null_counts = 2 }, pages), OSDEAR_OK);
  cr_assert(pages[0].null_count == 3 && pages[1].null_count == 5);
}

Test(page_index, of_a_page_of_nulls_bounds_are_not_looked_at)
{
  osdear__parquet_page pages[2];

  cr_assert_eq(pages_of(&(indexed){ .null_page = true }, pages), OSDEAR_OK);
  cr_assert(!pages[1].has_min && !pages[1].has_max && pages[1].null_count == 5);
}

Test(page_index, bounds_that_cannot_be_are_left_out_of_their_page_alone)
{
  osdear__parquet_page pages[2];

  cr_assert_eq(pages_of(&(indexed){ .min = STR("\1\0") }, pages), OSDEAR_OK);
  cr_assert(!pages[0].has_min && !pages[0].has_max && pages[1].has_min);
}

Test(page_index, one_that_contradicts_itself_or_its_chunk_counts_as_none)
{
  static const indexed lies[] = {
    { .offset_shift = -1 },
    { .offset_shift = INT32_MAX / 2 },
    { .offset_shift = -100 },
    { .second_row = 11 },
    { .second_row = 10 },
    { .second_row = -1 },
    { .size_shift = -1000 },
    { .size_shift = INT32_MAX / 2 },
    { .columns_pages = 1 },
    { .columns_pages = 3 },
    { .null_counts = 1 },
    { .null_counts = 3 },
    { .length_shift = -1 },
    { .length_shift = 1 << 20 },
    { .length_shift = INT32_MIN / 2 },
  };
  osdear__parquet_page pages[2];

  for (size_t i = 0; i < COUNT_OF(lies); i++)
    cr_assert_eq(pages_of(&lies[i], pages), OSDEAR_ERR_NOT_FOUND, "%zu", i);
}
