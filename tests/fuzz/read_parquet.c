#include "read_parquet.h"

#include <stdlib.h>

#define MOST_ROWS (INT64_C(1) << 16) /* of a row group: runs may stand for as many as they like */
#define BATCH 1000
#define DEEP 8

/* Rows of a batch lie where its type says; the sanitizer looks at every byte. */
static uint64_t touch(const osdear__type *type, const struct ArrowArray *array)
{
  static const osdear__type binary = { .kind = KIND_BINARY };
  int32_t width = osdear__type_width(type);
  uint64_t sum = 0;

  if (type->kind == KIND_VOID)
    return 0;
  for (int64_t i = 0; i < array->length; i++)
    sum += osdear__is_valid(array, i);
  if (sum + (uint64_t)array->null_count != (uint64_t)array->length)
    abort();
  if (width > 0)
    for (int64_t i = 0; i < array->length * width; i++)
      sum += ((const uint8_t *)array->buffers[1])[i];
  if (type->kind == KIND_STRING || type->kind == KIND_BINARY)
    for (int32_t i = 0; i < ((const int32_t *)array->buffers[1])[array->length]; i++)
      sum += ((const uint8_t *)array->buffers[2])[i];
  if (type->kind == KIND_VARIANT)
    return sum + touch(&binary, array->children[0]) + touch(&binary, array->children[1]);
  if (type->kind == KIND_MAP)
    return sum + touch(&type->fields[0].type, array->children[0]->children[0]) +
           touch(&type->fields[1].type, array->children[0]->children[1]);
  for (size_t i = 0; i < type->field_count; i++)
    sum += touch(&type->fields[i].type, array->children[i]);
  return sum;
}

static uint64_t read_group(osdear__parquet *file, size_t group, const osdear__parquet_read *read)
{
  AUTO(parquet_cursor) cursor = NULL;
  uint64_t sum = 0;
  int64_t first;

  if (osdear__parquet_cursor_new(file, group, read, &cursor, NULL))
    return 0;
  for (int64_t rows = 0; rows < MOST_ROWS; rows += BATCH) {
    SCOPED(array) batch = { 0 };

    if (osdear__parquet_cursor_next(cursor, BATCH, &batch, &first, NULL) || !batch.release)
      break;
    sum += touch(osdear__parquet_type(file), &batch) + (uint64_t)first;
  }
  return sum;
}

static void ask_filter(osdear__parquet *file, size_t group, const size_t *path, size_t depth, osdear__arena *arena)
{
  osdear__parquet_bloom *bloom;
  int found = 0;

  if (osdear__parquet_bloom_open(file, group, path, depth, arena, &bloom, NULL) || !bloom)
    return;
  for (int kind = 0; kind <= KIND_TIME; kind++) {
    osdear__scalar value = { .kind = (osdear__kind)kind, .i64 = kind, .f64 = kind, .bytes = { "ab", 2 } };

    found += osdear__parquet_bloom_may_hold(bloom, &value);
  }
  if (found == 0)
    abort(); /* of most kinds it knows nothing */
}

/* Statistics, filters and pages of all columns outside of lists. */
static void look_up(osdear__parquet *file, size_t group, const osdear__type *type, size_t *path, size_t depth)
{
  for (size_t i = 0; depth < DEEP && i < type->field_count; i++) {
    SCOPED(arena) arena = { 0 };
    osdear__parquet_stats stats;
    osdear__parquet_page *pages;
    size_t count;
    int order;

    path[depth] = i;
    if (type->fields[i].type.kind == KIND_STRUCT)
      look_up(file, group, &type->fields[i].type, path, depth + 1);
    if (osdear__parquet_group_stats(file, group, path, depth + 1, &stats) && stats.has_min && stats.has_max &&
        osdear__scalar_compare(&stats.min, &stats.max, &order) && order > 0)
      abort();
    ask_filter(file, group, path, depth + 1, &arena);
    if (osdear__parquet_pages(file, group, path, depth + 1, &arena, &pages, &count, NULL))
      continue;
    for (size_t k = 0; k < count; k++)
      if (pages[k].rows.from > pages[k].rows.to || pages[k].rows.to > osdear__parquet_group_rows(file, group))
        abort();
  }
}

void read_everything(osdear__input *input)
{
  static const osdear__parquet_options without_checksums = { .skip_checksums = true };
  AUTO(parquet) file = NULL;
  size_t path[DEEP];

  if (osdear__parquet_open(input, &without_checksums, &file, NULL))
    return;
  for (size_t group = 0; group < osdear__parquet_group_count(file) && group < 4; group++) {
    int64_t rows = osdear__parquet_group_rows(file, group);
    osdear__row_range some[] = { { rows / 3, rows / 2 }, { rows - rows / 4, rows } };
    osdear__parquet_read all = { 0 }, parts = { .rows = some, .range_count = COUNT_OF(some) };

    look_up(file, group, osdear__parquet_type(file), path, 0);
    read_group(file, group, &all);
    if (rows <= MOST_ROWS)
      read_group(file, group, &parts);
  }
}
