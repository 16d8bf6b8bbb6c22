/** @file page_index.c Offset and column indexes. One that contradicts itself or its chunk counts as none: it only ever saves work. */
#include <parquet/file.h>

static osdear_status none(const char *why, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_NOT_FOUND, "%s", why);
}

/* An index lies anywhere in the file and is small against it. */
static osdear_status read_struct(osdear__parquet *file, int64_t offset, int32_t length, const osdear__thrift_struct *of,
                                 osdear__arena *arena, void *out, osdear_error **error)
{
  AUTO(error) why = NULL;
  osdear_status st;
  char *bytes;

  if (offset < 0 || length <= 0 || offset > file->footer_at || length > file->footer_at - offset)
    return none("the page index lies outside of the file", error);
  bytes = osdear__arena_alloc(arena, (size_t)length);
  if (!bytes)
    return osdear__fail_memory(error);
  st = osdear__pq_file_read(file, offset, bytes, (size_t)length, error);
  if (st)
    return st;
  st = osdear__thrift_read(of, (osdear__str){ bytes, (size_t)length }, arena, out, NULL, &why);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  return st ? none("the page index is malformed", error) : OSDEAR_OK;
}

static bool is_sound(const osdear__parquet *file, size_t group, const osdear__pq_column_meta *meta,
                     const osdear__pq_offset_index *index)
{
  int64_t rows = file->meta.row_groups[group].num_rows;
  int64_t end = rows ? rows : 1; /* a group without rows may have a page without rows */
  int64_t from = meta->data_page_offset;
  int64_t row = 0;

  if (index->page_count == 0 || index->page_locations[0].first_row_index != 0)
    return false;
  for (size_t i = 0; i < index->page_count; i++) {
    const osdear__pq_page_location *page = &index->page_locations[i];

    if (page->offset < from || page->compressed_page_size <= 0 || page->offset > file->footer_at ||
        page->compressed_page_size > file->footer_at - page->offset)
      return false;
    if (page->first_row_index < row || page->first_row_index >= end)
      return false;
    from = page->offset + page->compressed_page_size;
    row = page->first_row_index;
  }
  return true;
}

osdear_status osdear__pq_offset_index_read(osdear__parquet *file, size_t group, size_t column, osdear__arena *arena,
                                           osdear__pq_offset_index *out, osdear_error **error)
{
  const osdear__pq_column_chunk *chunk = &file->meta.row_groups[group].columns[column];
  osdear_status st;

  if ((chunk->set & CHUNK_OFFSET_INDEX) != CHUNK_OFFSET_INDEX)
    return none("the column has no offset index", error);
  st = read_struct(file, chunk->offset_index_offset, chunk->offset_index_length, &osdear__pq_offset_index_thrift, arena, out,
                   error);
  if (st)
    return st;
  return is_sound(file, group, chunk->meta_data, out) ? OSDEAR_OK : none("the offset index contradicts its chunk", error);
}

static osdear_status read_column_index(osdear__parquet *file, size_t group, size_t column, size_t pages, osdear__arena *arena,
                                       osdear__pq_column_index *out, osdear_error **error)
{
  const osdear__pq_column_chunk *chunk = &file->meta.row_groups[group].columns[column];
  osdear_status st;

  if ((chunk->set & CHUNK_COLUMN_INDEX) != CHUNK_COLUMN_INDEX)
    return none("the column has no column index", error);
  st = read_struct(file, chunk->column_index_offset, chunk->column_index_length, &osdear__pq_column_index_thrift, arena, out,
                   error);
  if (st)
    return st;
  if (out->null_page_count != pages || out->min_count != pages || out->max_count != pages ||
      (out->null_counts && out->null_count_count != pages))
    return none("the column index and the offset index disagree", error);
  return OSDEAR_OK;
}

static void fill_page(const osdear__parquet *file, const osdear__pq_leaf *leaf, size_t column,
                      const osdear__pq_column_index *index, size_t i, osdear__parquet_page *page)
{
  osdear__pq_bounds bounds = { 0 };
  int64_t nulls = index->null_counts ? index->null_counts[i] : -1;

  page->null_count = nulls >= 0 ? nulls : leaf->max_def ? -1 : 0;
  if (index->null_pages[i]) {
    page->null_count = page->rows.to - page->rows.from;
    return;
  }
  if (!osdear__pq_is_ordered(file, column))
    return;
  bounds.min = index->min_values[i];
  bounds.max = index->max_values[i];
  osdear__pq_bounds_read(leaf, &bounds);
  page->has_min = bounds.has_min;
  page->has_max = bounds.has_max;
  page->min = bounds.min_value;
  page->max = bounds.max_value;
}

osdear_status osdear__parquet_pages(osdear__parquet *file, size_t group, const size_t *path, size_t depth, osdear__arena *arena,
                                    osdear__parquet_page **pages, size_t *count, osdear_error **error)
{
  const osdear__pq_leaf *leaf;
  osdear__pq_offset_index offsets;
  osdear__pq_column_index index;
  osdear__parquet_page *made;
  osdear_status st;
  size_t column;

  leaf = group < file->meta.row_group_count ? osdear__pq_leaf_at(file, path, depth, &column) : NULL;
  if (!leaf)
    return none("there is no such column", error);
  st = osdear__pq_offset_index_read(file, group, column, arena, &offsets, error);
  if (!st)
    st = read_column_index(file, group, column, offsets.page_count, arena, &index, error);
  if (st)
    return osdear__fail_within(error, st, "%s: row group %zu, column %zu", file->name, group, column);
  made = osdear__arena_zeroed(arena, offsets.page_count, sizeof *made);
  if (!made)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < offsets.page_count; i++) {
    made[i].rows.from = offsets.page_locations[i].first_row_index;
    made[i].rows.to =
        i + 1 < offsets.page_count ? offsets.page_locations[i + 1].first_row_index : file->meta.row_groups[group].num_rows;
    fill_page(file, leaf, column, &index, i, &made[i]);
  }
  *pages = made;
  *count = offsets.page_count;
  return OSDEAR_OK;
}
