/* Distinct values in the order of their appearance. */
#include <parquet/writer.h>

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Texts after each other, with the bytes behind them that may be read. */
typedef struct texts {
  osdear__buf bytes;
  int32_t *offsets;
  size_t count;
} texts;

static void texts_add(texts *all, const char *data, size_t size)
{
  all->offsets = realloc(all->offsets, (all->count + 2) * sizeof *all->offsets);
  all->offsets[all->count++] = (int32_t)all->bytes.size;
  osdear__buf_append(&all->bytes, data, size);
  all->offsets[all->count] = (int32_t)all->bytes.size;
}

static osdear__pq_values texts_values(texts *all)
{
  cr_assert_not_null(osdear__buf_reserve(&all->bytes, 8));
  return (osdear__pq_values){ .dense = DENSE_BYTES,
                              .count = all->count,
                              .starts = all->offsets,
                              .ends = all->offsets + 1,
                              .bytes = (const uint8_t *)all->bytes.data };
}

static void texts_drop(texts *all)
{
  osdear__buf_drop(&all->bytes);
  free(all->offsets);
}

Test(distinct, numbers_values_by_their_first_appearance)
{
  static const uint32_t narrow[] = { 7, 7, 3, 0, 3, UINT32_MAX };
  static const uint64_t wide[] = { 7, 7, 3, 0, 3, UINT64_MAX };
  static const osdear__pq_int128 widest[] = { 7, 7, 3, 0, 3, -1 };
  static const uint32_t wanted[] = { 0, 0, 1, 2, 1, 3 };
  const osdear__pq_values all[] = { { .dense = DENSE_32, .count = 6, .fixed = narrow },
                                    { .dense = DENSE_64, .count = 6, .fixed = wide },
                                    { .dense = DENSE_128, .count = 6, .fixed = widest } };

  for (size_t i = 0; i < COUNT_OF(all); i++) {
    SCOPED(pq_distinct) dictionary = { .dense = all[i].dense };
    uint32_t indices[6];
    cr_assert(osdear__pq_distinct_add(&dictionary, &all[i], indices));
    cr_assert_eq(memcmp(indices, wanted, sizeof wanted), 0);
    cr_assert_eq(dictionary.count, 4);
  }
}

Test(distinct, tells_texts_apart_that_share_ends_or_lengths)
{
  static const char *const some[] = { "",
                                      "a",
                                      "aa",
                                      "12345678",
                                      "123456789",
                                      "123456780",
                                      "x23456789",
                                      "1234567890123456",
                                      "12345678901234567",
                                      "12345678901234568",
                                      "1234567890123456X7890123456",
                                      "1234567890123456Y7890123456" };
  SCOPED(pq_distinct) dictionary = { .dense = DENSE_BYTES, .has_lengths = true };
  texts all = { 0 };
  uint32_t indices[2 * COUNT_OF(some)];
  osdear__pq_values values;

  texts_add(&all, "a\0", 2); /* not "a" */
  for (size_t i = 0; i < 2 * COUNT_OF(some) - 1; i++)
    texts_add(&all, some[i % COUNT_OF(some)], strlen(some[i % COUNT_OF(some)]));
  values = texts_values(&all);
  cr_assert(osdear__pq_distinct_add(&dictionary, &values, indices));
  cr_assert_eq(dictionary.count, COUNT_OF(some) + 1);
  for (size_t i = 1; i < 2 * COUNT_OF(some); i++)
    cr_assert_eq(indices[i], (i - 1) % COUNT_OF(some) + 1);
  texts_drop(&all);
}

Test(distinct, grows_past_any_table_and_gives_the_values_back)
{
  enum { COUNT = 70000 };
  SCOPED(pq_distinct) numbers = { .dense = DENSE_64 };
  SCOPED(pq_distinct) words = { .dense = DENSE_BYTES, .has_lengths = true };
  SCOPED(buf) plain = { 0 };
  SCOPED(buf) expanded = { 0 };
  uint64_t *values = malloc(COUNT * sizeof *values);
  uint32_t *indices = malloc(COUNT * sizeof *indices);
  osdear__pq_values dense = { .dense = DENSE_64, .count = COUNT, .fixed = values };
  texts all = { 0 };
  char text[40];

  for (size_t i = 0; i < COUNT; i++) {
    values[i] = i % 50000 * 64;
    texts_add(&all, text, (size_t)snprintf(text, sizeof text, i % 2 ? "%zu" : "a longer text with the number %zu", i % 50000));
  }
  cr_assert(osdear__pq_distinct_add(&numbers, &dense, indices));
  cr_assert_eq(numbers.count, 50000);
  osdear__pq_distinct_expand(&numbers, indices, COUNT, 0, &expanded);
  cr_assert_eq(memcmp(expanded.data, values, COUNT * sizeof *values), 0);

  dense = texts_values(&all);
  cr_assert(osdear__pq_distinct_add(&words, &dense, indices));
  cr_assert_eq(words.count, 50000);
  osdear__buf_clear(&expanded);
  osdear__pq_distinct_expand(&words, indices, COUNT, 0, &expanded);
  osdear__pq_plain_write(&dense, 0, &plain);
  cr_assert_eq(expanded.size, plain.size);
  cr_assert_eq(memcmp(expanded.data, plain.data, plain.size), 0);
  texts_drop(&all);
  free(values);
  free(indices);
}

Test(distinct, writes_its_values_as_a_plain_page)
{
  static const uint32_t numbers[] = { 5, 6, 5 };
  static const osdear__pq_int128 decimals[] = { -2, 1 };
  const osdear__pq_values narrow = { .dense = DENSE_32, .count = 3, .fixed = numbers };
  const osdear__pq_values wide = { .dense = DENSE_128, .count = 2, .fixed = decimals };
  SCOPED(pq_distinct) a = { .dense = DENSE_32 };
  SCOPED(pq_distinct) b = { .dense = DENSE_128 };
  SCOPED(buf) out = { 0 };
  uint32_t indices[3];

  cr_assert(osdear__pq_distinct_add(&a, &narrow, indices));
  osdear__pq_distinct_write(&a, 0, &out);
  cr_assert(out.size == 8 && osdear__pq_distinct_bytes(&a, 0) == 8 && memcmp(out.data, "\5\0\0\0\6\0\0\0", 8) == 0);
  osdear__buf_clear(&out);
  cr_assert(osdear__pq_distinct_add(&b, &wide, indices));
  osdear__pq_distinct_write(&b, 9, &out);
  cr_assert(out.size == 18 && osdear__pq_distinct_bytes(&b, 9) == 18 && (uint8_t)out.data[8] == 0xfe && out.data[17] == 1);
}

Test(distinct, knows_the_bounds_of_each_page)
{
  SCOPED(pq_distinct) dictionary = { .dense = DENSE_BYTES, .has_lengths = true };
  SCOPED(pq_bounds) first = { 0 };
  SCOPED(pq_bounds) second = { 0 };
  texts all = { 0 };
  osdear__pq_values values, rest;
  uint32_t indices[5];

  texts_add(&all, "m", 1);
  texts_add(&all, "a", 1);
  texts_add(&all, "z", 1);
  texts_add(&all, "m", 1); /* page 2 */
  texts_add(&all, "n", 1);
  values = rest = texts_values(&all);
  values.count = 3;
  rest.starts += 3;
  rest.ends += 3;
  rest.count = 2;
  cr_assert(osdear__pq_distinct_add(&dictionary, &values, indices));
  osdear__pq_distinct_page_bounds(&dictionary, &first);
  cr_assert(osdear__pq_distinct_add(&dictionary, &rest, indices));
  osdear__pq_distinct_page_bounds(&dictionary, &second);
  cr_assert_str_eq(first.min_bytes.data, "a");
  cr_assert_str_eq(first.max_bytes.data, "z");
  cr_assert_str_eq(second.min_bytes.data, "m");
  cr_assert_str_eq(second.max_bytes.data, "n");
  texts_drop(&all);
}

Test(distinct, starts_afresh_when_cleared)
{
  static const uint64_t values[] = { 1, 2 }, others[] = { 2 };
  const osdear__pq_values dense = { .dense = DENSE_64, .count = 2, .fixed = values };
  const osdear__pq_values other = { .dense = DENSE_64, .count = 1, .fixed = others };
  SCOPED(pq_distinct) dictionary = { .dense = DENSE_64 };
  uint32_t indices[2];

  cr_assert(osdear__pq_distinct_add(&dictionary, &dense, indices));
  osdear__pq_distinct_clear(&dictionary);
  cr_assert(osdear__pq_distinct_add(&dictionary, &other, indices));
  cr_assert(indices[0] == 0 && dictionary.count == 1);
}

#ifdef OSDEAR_FAULTS
Test(distinct, survives_every_failing_allocation)
{
  int64_t before = osdear__live();
  bool done = false;
  texts all = { 0 };
  osdear__pq_values values;
  uint32_t *indices = malloc(3000 * sizeof *indices);
  char text[20];

  for (size_t i = 0; i < 3000; i++)
    texts_add(&all, text, (size_t)snprintf(text, sizeof text, "%zu", i));
  values = texts_values(&all);
  before = osdear__live();
  for (int64_t n = 0; !done; n++) {
    SCOPED(pq_distinct) dictionary = { .dense = DENSE_BYTES, .has_lengths = true };
    osdear__fault_arm(FAULT_ALLOC, n, false);
    done = osdear__pq_distinct_add(&dictionary, &values, indices);
    osdear__fault_disarm();
    osdear__pq_distinct_drop(&dictionary);
    cr_assert_eq(osdear__live(), before);
  }
  texts_drop(&all);
  free(indices);
}
#endif
