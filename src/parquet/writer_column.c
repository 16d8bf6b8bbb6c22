/** @file writer_column.c A column taking rows in: they are cut into pages, put in a dictionary or written plainly. */
#include <parquet/writer.h>

void osdear__pq_scratch_drop(osdear__pq_scratch *scratch)
{
  osdear__codec_state_drop(&scratch->codec);
  osdear__pq_entries_drop(&scratch->now);
  osdear__pq_entries_drop(&scratch->next);
  osdear__pq_gathered_drop(&scratch->gathered);
  osdear__buf_drop(&scratch->words);
  osdear__buf_drop(&scratch->body);
  osdear__buf_drop(&scratch->packed);
  osdear__buf_drop(&scratch->header);
}

/* A new chunk tries again, unless a dictionary cannot help: two booleans, or halves, are shorter than an index. */
static osdear__pq_distinct_use first_use(const osdear__pq_encoder *column)
{
  bool useless = column->dense == DENSE_BOOLEAN || column->order == ORDER_FLOAT16 || column->leaf->type->kind == KIND_VOID;
  return column->options->dictionary_bytes < 0 || useless ? DICTIONARY_OFF : DICTIONARY_UNDECIDED;
}

void osdear__pq_encoder_init(osdear__pq_encoder *column, const osdear__pq_path *path, bool in_variant,
                             const osdear__parquet_write *options)
{
  const osdear__pq_leaf *leaf = path->leaf;

  *column = (osdear__pq_encoder){ .path = *path, .leaf = leaf, .options = options, .dense = osdear__pq_dense_of(leaf) };
  column->order = in_variant ? ORDER_NONE : osdear__pq_order_of(leaf); /* a variant's bytes have no order */
  column->width = leaf->physical == PQ_FIXED ? leaf->width : 0;
  column->dictionary.dense = column->dense;
  column->dictionary.has_lengths = leaf->physical == PQ_BYTE_ARRAY;
  column->page.all_defined = true;
  column->use = first_use(column);
}

void osdear__pq_encoder_drop(osdear__pq_encoder *column)
{
  osdear__buf_drop(&column->page.defs);
  osdear__buf_drop(&column->page.reps);
  osdear__buf_drop(&column->page.plain);
  osdear__buf_drop(&column->page.indices);
  osdear__pq_bounds_drop(&column->page.bounds);
  osdear__pq_bounds_drop(&column->chunk_bounds);
  osdear__pq_bounds_drop(&column->file_bounds);
  osdear__pq_distinct_drop(&column->dictionary);
  for (size_t i = 0; i < column->page_count; i++)
    osdear__free(column->pages[i].bytes);
  osdear__free(column->pages);
  osdear__free(column->dictionary_page.bytes);
  osdear__arena_drop(&column->arena);
}

/* ---- taking rows in ---- */

static void append_levels(osdear__pq_encoder *column, const osdear__pq_levels *levels)
{
  osdear__pq_page_in *page = &column->page;
  char *to;

  if (page->all_defined && levels->defs && page->level_count > 0) { /* the first null: what came before has to be said now */
    to = osdear__buf_reserve(&page->defs, page->level_count);
    if (to) {
      memset(to, column->leaf->max_def, page->level_count);
      page->defs.size += page->level_count;
    }
  }
  page->all_defined = page->all_defined && !levels->defs;
  if (!page->all_defined && levels->defs) {
    osdear__buf_append(&page->defs, levels->defs, levels->count);
  } else if (!page->all_defined) {
    to = osdear__buf_reserve(&page->defs, levels->count);
    if (to) {
      memset(to, column->leaf->max_def, levels->count);
      page->defs.size += levels->count;
    }
  }
  if (levels->reps)
    osdear__buf_append(&page->reps, levels->reps, levels->count);
  page->level_count += levels->count;
}

static osdear_status append_indices(osdear__pq_encoder *column, const osdear__pq_values *values, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  size_t bytes = values->count * sizeof(uint32_t);
  uint32_t *indices = (uint32_t *)(void *)osdear__buf_reserve(&page->indices, bytes);

  if (!indices)
    return osdear__buf_check(&page->indices, error);
  if (!osdear__pq_distinct_add(&column->dictionary, values, indices))
    return osdear__fail_memory(error);
  page->indices.size += bytes;
  return OSDEAR_OK;
}

/* Decimals of up to 18 digits lie in integers that could hold more. */
static osdear_status check_decimal(const osdear__pq_encoder *column, osdear_error **error)
{
  const osdear__type *type = column->leaf->type;
  const osdear__pq_bounds *bounds = &column->page.bounds;
  osdear__int128 limit;

  if (type->kind != KIND_DECIMAL || column->order == ORDER_DECIMAL || !bounds->has)
    return OSDEAR_OK;
  limit = osdear__pow10(type->precision);
  if (bounds->min.i64 <= -limit || bounds->max.i64 >= limit)
    return osdear__fail(error, OSDEAR_ERR_DATA, "column %s: a value has more digits than decimal(%d,%d) holds", column->path.name,
                        type->precision, type->scale);
  return OSDEAR_OK;
}

static osdear_status append_values(osdear__pq_encoder *column, const osdear__pq_values *values, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  bool to_dictionary = column->use != DICTIONARY_OFF;
  osdear_status st = OSDEAR_OK;

  if (values->count == 0)
    return OSDEAR_OK;
  if (column->order != ORDER_BYTES || !to_dictionary) /* the dictionary knows the text that a page uses */
    osdear__pq_bounds_add(&page->bounds, column->order, values);
  if (to_dictionary)
    st = append_indices(column, values, error);
  else
    osdear__pq_plain_write(values, column->width, &page->plain);
  if (!st)
    st = osdear__buf_check(&page->plain, error);
  if (!st)
    st = check_decimal(column, error);
  page->value_count += values->count;
  return st;
}

static osdear_status add_slice(osdear__pq_encoder *column, osdear__pq_scratch *scratch, const struct ArrowArray *batch,
                               int64_t from, int64_t rows, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  osdear__pq_levels levels;
  osdear__pq_values values;
  osdear_status st = osdear__pq_levels_build(&column->path, batch, from, rows, &scratch->now, &scratch->next, &levels, error);

  if (st)
    return st;
  st = osdear__pq_values_gather(&column->path, &levels, &scratch->gathered, &values, error);
  if (st)
    return st;
  append_levels(column, &levels);
  st = osdear__buf_check(&page->defs, error);
  if (!st)
    st = osdear__buf_check(&page->reps, error);
  if (!st)
    st = append_values(column, &values, error);
  page->plain_bytes += (size_t)osdear__pq_plain_bytes(&column->path, batch, from, rows);
  page->rows += rows;
  return st;
}

/* ---- pages ---- */

static int64_t page_bytes(const osdear__pq_encoder *column)
{
  const osdear__pq_page_in *page = &column->page;
  return (int64_t)(page->plain.size + page->indices.size + page->reps.size);
}

/* The dictionary is complete: the page it is used by last ends here. */
static osdear_status leave_dictionary(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error)
{
  osdear_status st = osdear__pq_page_end(column, scratch, error);

  if (!st && column->use == DICTIONARY_USED)
    st = osdear__pq_page_write_dictionary(column, scratch, error);
  column->use = DICTIONARY_OFF;
  osdear__pq_distinct_clear(&column->dictionary);
  return st;
}

static osdear_status end_full_page(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error)
{
  const osdear__parquet_write *options = column->options;
  size_t dictionary_bytes = osdear__pq_distinct_bytes(&column->dictionary, column->width);

  if (column->use != DICTIONARY_OFF && dictionary_bytes > (size_t)options->dictionary_bytes)
    return leave_dictionary(column, scratch, error);
  if (column->page.rows >= options->page_rows || page_bytes(column) >= options->page_bytes)
    return osdear__pq_page_end(column, scratch, error);
  return OSDEAR_OK;
}

/* How many of the rows go into the open page at once. A record is never split: the least is one row, in a page of its own if it
 * fills one, and then past the dictionary. */
static osdear_status choose_rows(osdear__pq_encoder *column, osdear__pq_scratch *scratch, const struct ArrowArray *batch,
                                 int64_t from, int64_t left, int64_t *out, osdear_error **error)
{
  const osdear__parquet_write *options = column->options;
  int64_t rows = options->page_rows - column->page.rows;
  int64_t bytes = column->use == DICTIONARY_OFF ? options->page_bytes - page_bytes(column) : options->page_bytes;
  osdear_status st = OSDEAR_OK;

  rows = left < rows ? left : rows;
  *out = osdear__pq_rows_fitting(&column->path, batch, from, rows, bytes);
  if (*out > 0)
    return OSDEAR_OK;
  if (column->use != DICTIONARY_OFF)
    st = leave_dictionary(column, scratch, error);
  else if (column->page.rows > 0)
    st = osdear__pq_page_end(column, scratch, error);
  if (st)
    return st;
  rows = left < options->page_rows ? left : options->page_rows;
  *out = osdear__pq_rows_fitting(&column->path, batch, from, rows, options->page_bytes);
  *out = *out > 0 ? *out : 1;
  return OSDEAR_OK;
}

osdear_status osdear__pq_encoder_add(osdear__pq_encoder *column, osdear__pq_scratch *scratch, const struct ArrowArray *batch,
                                     int64_t from, int64_t rows, osdear_error **error)
{
  while (rows > 0) {
    int64_t now = 0;
    osdear_status st = choose_rows(column, scratch, batch, from, rows, &now, error);
    if (!st)
      st = add_slice(column, scratch, batch, from, now, error);
    if (!st)
      st = end_full_page(column, scratch, error);
    if (st)
      return st;
    from += now;
    rows -= now;
  }
  return OSDEAR_OK;
}

osdear_status osdear__pq_encoder_end(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error)
{
  osdear_status st = leave_dictionary(column, scratch, error);

  if (st)
    return st;
  osdear__pq_bounds_merge(&column->file_bounds, column->order, &column->chunk_bounds);
  column->file_rows += column->chunk_rows;
  column->file_levels += column->chunk_levels;
  column->file_values += column->chunk_values;
  column->use = first_use(column);
  return osdear__pq_bounds_check(&column->file_bounds, error);
}

int64_t osdear__pq_encoder_bytes(const osdear__pq_encoder *column)
{
  const osdear__pq_distinct *dictionary = &column->dictionary;
  return column->held_bytes + page_bytes(column) + (int64_t)column->page.defs.size +
         (int64_t)osdear__pq_distinct_bytes(dictionary, column->width);
}
