/** @file column.c A leaf from the first row wanted to the last: seeking, flat columns, going back. */
#include <parquet/column.h>

/* Rows of strings decoded before it is asked how many bytes they were. */
#define STRING_STRIP 4096

osdear_status osdear__pq_column_start(osdear__pq_column *column, osdear__parquet *file, size_t group, size_t index,
                                      osdear__codec_state *codecs, int64_t read_ahead, osdear_error **error)
{
  const osdear__pq_leaf *leaf = &file->schema.leaves[index];

  column->leaf = leaf;
  column->index = index;
  column->meta = file->meta.row_groups[group].columns[index].meta_data;
  column->group_rows = file->meta.row_groups[group].num_rows;
  column->is_flat = leaf->max_rep == 0 && leaf->max_def <= 1 && leaf->path_count == 1;
  column->levels_only = column->levels_only || leaf->type->kind == KIND_VOID;
  column->sink.width = osdear__pq_sink_width(leaf->type);
  osdear__pq_decoder_new(&column->decoder, leaf, &column->dictionary);
  return osdear__pq_pages_start(&column->pages, file, column->meta, codecs, read_ahead, error);
}

void osdear__pq_column_drop(osdear__pq_column *column)
{
  osdear__pq_pages_drop(&column->pages);
  osdear__pq_dictionary_drop(&column->dictionary);
  osdear__pq_decoder_drop(&column->decoder);
  osdear__pq_sink_drop(&column->sink);
  osdear__free(column->legacy);
  osdear__free(column->validity);
  osdear__free(column->reps);
  osdear__free(column->defs);
}

/* ---- flat columns ---- */

/* The first null makes the bitmap, with all rows before it valid. */
static osdear_status need_validity(osdear__pq_column *column, int64_t rows, osdear_error **error)
{
  if (column->validity)
    return OSDEAR_OK;
  column->validity = osdear__buffer_new(osdear__pq_bitmap_size(rows));
  if (!column->validity)
    return osdear__fail_memory(error);
  memset(column->validity, 0, osdear__pq_bitmap_size(rows));
  osdear__pq_bits_fill(column->validity, 0, column->count, true);
  return OSDEAR_OK;
}

/* Rows of the page at hand. */
static osdear_status read_flat_piece(osdear__pq_column *column, int64_t rows, int64_t batch_rows, osdear_error **error)
{
  int64_t set = 0;
  osdear_status st;

  if (column->page_is_full) {
    st = osdear__pq_column_values(column, rows, error);
    if (!st && column->validity)
      osdear__pq_bits_fill(column->validity, column->count, rows, true);
    return st;
  }
  st = need_validity(column, batch_rows, error);
  if (st)
    return st;
  if (!osdear__pq_hybrid_bits(&column->def, column->validity, column->count, (size_t)rows, &set))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": its definition levels are malformed",
                        column->page.offset);
  st = osdear__pq_column_values(column, set, error);
  if (st || column->sink.is_full)
    return st;
  if (set < rows && !column->levels_only)
    osdear__pq_sink_spread(&column->sink, column->count, rows, set, column->validity, column->count);
  column->nulls += rows - set;
  return OSDEAR_OK;
}

static osdear_status read_flat(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance, int64_t *got,
                               osdear_error **error)
{
  bool is_strings = column->sink.width == SINK_BYTES;

  while (column->count < rows) {
    int64_t take = rows - column->count;
    osdear_status st;

    if (is_strings && column->sink.bytes > allowance.bytes)
      break;
    if (column->page_left == 0) {
      st = osdear__pq_column_open_page(column, error);
      if (st)
        return st;
    }
    take = take < column->page_left ? take : column->page_left;
    take = is_strings && take > STRING_STRIP ? STRING_STRIP : take;
    st = read_flat_piece(column, take, rows, error);
    if (st)
      return st;
    if (column->sink.is_full)
      break;
    column->page_left -= take;
    column->count += take;
    column->row += take;
  }
  *got = column->count;
  return OSDEAR_OK;
}

/* ---- skipping ---- */

static osdear_status skip_flat_piece(osdear__pq_column *column, int64_t rows, osdear_error **error)
{
  int64_t set = column->page_is_full ? rows : 0;
  uint8_t bits[PQ_STRIP / 8];

  for (int64_t done = 0; done < rows && !column->page_is_full; done += PQ_STRIP) {
    size_t take = rows - done < PQ_STRIP ? (size_t)(rows - done) : PQ_STRIP;

    if (!osdear__pq_hybrid_bits(&column->def, bits, 0, take, &set))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": its definition levels are malformed",
                          column->page.offset);
  }
  return osdear__pq_column_pass_values(column, set, error);
}

/* Pages that lie before the row wanted are not even read as far as they are not in the window. */
static osdear_status skip_flat(osdear__pq_column *column, int64_t rows, osdear_error **error)
{
  while (rows) {
    int64_t take = rows;
    osdear_status st;

    if (column->page_left == 0) {
      if (osdear__pq_column_is_at_end(column))
        return osdear__pq_column_open_page(column, error);
      st = osdear__pq_column_next_page(column, error);
      if (!st && column->page_left > rows)
        st = osdear__pq_column_load_page(column, error);
      if (st)
        return st;
      if (column->page_left <= rows) {
        rows -= column->page_left;
        column->row += column->page_left;
        column->page_left = 0;
        continue;
      }
    }
    take = take < column->page_left ? take : column->page_left;
    st = skip_flat_piece(column, take, error);
    if (st)
      return st;
    column->page_left -= take;
    column->row += take;
    rows -= take;
  }
  return OSDEAR_OK;
}

static osdear_status skip_rows(osdear__pq_column *column, int64_t rows, osdear_error **error)
{
  return column->is_flat ? skip_flat(column, rows, error) : osdear__pq_column_skip_levels(column, rows, error);
}

/* ---- seeking by the offset index ---- */

/* The page that holds a row. */
size_t osdear__pq_page_of(const osdear__pq_offset_index *index, int64_t row)
{
  size_t low = 0;
  size_t high = index->page_count;

  while (high - low > 1) {
    size_t middle = low + (high - low) / 2;

    if (index->page_locations[middle].first_row_index <= row)
      low = middle;
    else
      high = middle;
  }
  return low;
}

static void leave_page(osdear__pq_column *column)
{
  column->page_left = 0;
  column->ahead_from = 0;
  column->ahead_to = 0;
}

/* A dictionary lies in front of the first page. */
static osdear_status need_dictionary(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_pages *pages = &column->pages;

  if (column->dictionary.is_loaded || column->levels_only || column->index_pages.page_locations[0].offset <= pages->start)
    return OSDEAR_OK;
  osdear__pq_pages_seek(pages, pages->start, column->index_pages.page_locations[0].offset);
  return osdear__pq_column_next_page(column, error);
}

static int64_t rows_of_page(const osdear__pq_column *column, size_t page)
{
  const osdear__pq_page_location *at = &column->index_pages.page_locations[page];
  int64_t end = page + 1 < column->index_pages.page_count ? at[1].first_row_index : column->group_rows;

  return end - at->first_row_index;
}

/* Does the page that the index led to have the rows that the index says? Otherwise the index is no longer used. */
static bool index_lies(const osdear__pq_column *column, size_t page)
{
  if (column->leaf->max_rep == 0)
    return column->page.values != rows_of_page(column, page);
  return column->page.rows >= 0 && column->page.rows != rows_of_page(column, page);
}

static osdear_status start_over(osdear__pq_column *column)
{
  column->has_index = false;
  leave_page(column);
  osdear__pq_pages_seek(&column->pages, column->pages.start, column->pages.start + column->meta->total_compressed_size);
  column->seen = 0;
  column->row = 0;
  return OSDEAR_OK;
}

static osdear_status jump(osdear__pq_column *column, size_t page, int64_t until, osdear_error **error)
{
  const osdear__pq_page_location *last = &column->index_pages.page_locations[osdear__pq_page_of(&column->index_pages, until - 1)];
  osdear_status st = need_dictionary(column, error);

  if (st)
    return st;
  leave_page(column);
  osdear__pq_pages_seek(&column->pages, column->index_pages.page_locations[page].offset,
                        last->offset + last->compressed_page_size);
  column->seen = -1;
  st = osdear__pq_column_next_page(column, error);
  if (st)
    return st;
  if (index_lies(column, page))
    return start_over(column);
  column->row = column->index_pages.page_locations[page].first_row_index;
  return osdear__pq_column_load_page(column, error);
}

osdear_status osdear__pq_column_seek(osdear__pq_column *column, int64_t row, int64_t until, osdear_error **error)
{
  osdear_status st;

  if (column->has_index) {
    size_t page = osdear__pq_page_of(&column->index_pages, row);
    bool is_here = column->page_left + (int64_t)(column->ahead_to - column->ahead_from) > 0 &&
                   column->page.offset == column->index_pages.page_locations[page].offset;

    if (!is_here) {
      st = jump(column, page, until, error);
      if (st)
        return st;
    } else {
      const osdear__pq_page_location *last =
          &column->index_pages.page_locations[osdear__pq_page_of(&column->index_pages, until - 1)];

      column->pages.read_to = last->offset + last->compressed_page_size;
    }
  }
  return skip_rows(column, row - column->row, error);
}

/* ---- batches ---- */

static void set_mark(osdear__pq_column *column)
{
  int64_t left = column->page_left + (int64_t)(column->ahead_to - column->ahead_from);
  bool is_inside = left > 0;

  column->mark.at = is_inside ? column->page.offset : column->pages.at;
  column->mark.passed = is_inside ? column->page.values - left : 0;
  column->mark.row = column->row;
  column->mark.seen = is_inside && column->seen >= 0 ? column->seen - column->page.values : column->seen;
}

static void clear_batch(osdear__pq_column *column)
{
  column->count = 0;
  column->nulls = 0;
  column->level_count = 0;
  column->sink.bytes = 0;
  column->sink.is_full = false;
  osdear__free(column->validity);
  column->validity = NULL;
}

osdear_status osdear__pq_column_return(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_mark mark = column->mark;
  int64_t left = mark.passed;
  osdear_status st;

  clear_batch(column);
  leave_page(column);
  column->pages.at = mark.at;
  column->seen = mark.seen;
  column->row = mark.row;
  if (!left)
    return OSDEAR_OK;
  st = osdear__pq_column_open_page(column, error);
  if (st)
    return st;
  if (column->is_flat) {
    st = skip_flat_piece(column, left, error);
    column->page_left -= left;
    return st;
  }
  return osdear__pq_column_pass_levels(column, left, error);
}

osdear_status osdear__pq_column_read(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance, int64_t *got,
                                     osdear_error **error)
{
  size_t bytes = 0;
  osdear_status st;

  clear_batch(column);
  set_mark(column);
  column->sink.most = allowance.bytes < SINK_MOST / 2 ? 2 * allowance.bytes : SINK_MOST; /* the last piece may go beyond */
  if (column->sink.width == SINK_BYTES) {
    double guess = column->bytes_a_row * (double)rows * 1.1 + 64;

    bytes = guess < (double)allowance.bytes ? (size_t)guess : allowance.bytes;
  }
  if (!column->levels_only) {
    st = osdear__pq_sink_reserve(&column->sink, column->is_flat ? rows : 0, bytes, error);
    if (st)
      return st;
  }
  st = column->is_flat ? read_flat(column, rows, allowance, got, error)
                       : osdear__pq_column_read_levels(column, rows, allowance, got, error);
  if (!st && *got == rows)
    column->bytes_a_row = (double)column->sink.bytes / (double)rows;
  return st;
}

osdear_status osdear__pq_column_finish(const osdear__pq_column *column, osdear_error **error)
{
  int64_t left = column->page_left + (int64_t)(column->ahead_to - column->ahead_from);

  if (column->row != column->group_rows || (left == 0 && (column->seen < 0 || column->seen == column->meta->num_values)))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "its row group has %" PRId64 " rows, but it has values for more",
                      column->group_rows);
}
