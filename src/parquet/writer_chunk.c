/** @file writer_chunk.c A column chunk: its pages to the file, and what the footer and the page indexes say of it. */
#include <parquet/writer.h>

/* Which encodings there are, and how many pages of each. */
static osdear_status describe_encodings(osdear__pq_encoder *column, osdear__pq_column_meta *meta, osdear_error **error)
{
  bool used[PQ_BYTE_STREAM_SPLIT + 1] = { false };
  bool has_dictionary = column->dictionary_page.bytes != NULL;

  meta->encodings = osdear__arena_zeroed(&column->arena, COUNT_OF(used), sizeof *meta->encodings);
  meta->encoding_stats = osdear__arena_zeroed(&column->arena, COUNT_OF(used) + 1, sizeof *meta->encoding_stats);
  if (!meta->encodings || !meta->encoding_stats)
    return osdear__fail_memory(error);
  if (has_dictionary)
    meta->encoding_stats[meta->encoding_stats_count++] =
        (osdear__pq_encoding_stats){ .page_type = PQ_DICTIONARY_PAGE, .encoding = PQ_PLAIN, .count = 1 };
  used[PQ_PLAIN] = has_dictionary;
  used[PQ_RLE] = column->leaf->max_def > 0;
  for (size_t i = 0; i < COUNT_OF(used); i++) {
    used[i] = used[i] || column->encoded_pages[i] > 0;
    if (used[i])
      meta->encodings[meta->encoding_count++] = (int32_t)i;
    if (column->encoded_pages[i] > 0)
      meta->encoding_stats[meta->encoding_stats_count++] =
          (osdear__pq_encoding_stats){ .page_type = column->options->format_v2 ? PQ_DATA_PAGE_V2 : PQ_DATA_PAGE,
                                       .encoding = (int32_t)i,
                                       .count = column->encoded_pages[i] };
  }
  return OSDEAR_OK;
}

static osdear_status describe_values(osdear__pq_encoder *column, osdear__pq_column_meta *meta, osdear_error **error)
{
  const osdear__pq_bounds *bounds = &column->chunk_bounds;
  osdear__pq_statistics *statistics = osdear__arena_zeroed(&column->arena, 1, sizeof *statistics);

  if (!statistics)
    return osdear__fail_memory(error);
  statistics->set = STATISTICS_NULL_COUNT;
  statistics->null_count = column->chunk_levels - column->chunk_values;
  if (bounds->has) {
    statistics->set |= STATISTICS_MIN_EXACT | STATISTICS_MAX_EXACT;
    statistics->min_value = osdear__pq_bounds_encode(bounds, column->order, column->leaf, false, OSDEAR__PQ_BOUND_BYTES,
                                                     &column->arena, &statistics->is_min_value_exact);
    statistics->max_value = osdear__pq_bounds_encode(bounds, column->order, column->leaf, true, OSDEAR__PQ_BOUND_BYTES,
                                                     &column->arena, &statistics->is_max_value_exact);
    if (!statistics->min_value.data || !statistics->max_value.data)
      return osdear__fail_memory(error);
  }
  meta->statistics = statistics;
  return OSDEAR_OK;
}

static osdear_status describe(osdear__pq_encoder *column, osdear__pq_column_meta **out, osdear_error **error)
{
  osdear__pq_column_meta *meta = osdear__arena_zeroed(&column->arena, 1, sizeof *meta);
  osdear__str *path = osdear__arena_zeroed(&column->arena, column->leaf->path_count, sizeof *path);
  osdear_status st;

  if (!meta || !path)
    return osdear__fail_memory(error);
  memcpy(path, column->leaf->path, column->leaf->path_count * sizeof *path);
  meta->type = (int32_t)column->leaf->physical;
  meta->path_in_schema = path;
  meta->path_count = column->leaf->path_count;
  meta->codec = (int32_t)column->options->codec;
  meta->num_values = column->chunk_levels;
  meta->total_uncompressed_size = column->uncompressed_bytes;
  meta->total_compressed_size = column->held_bytes;
  st = describe_encodings(column, meta, error);
  if (!st)
    st = describe_values(column, meta, error);
  *out = meta;
  return st;
}

/* ---- page indexes ---- */

static osdear_status to_bytes(osdear__pq_encoder *column, const osdear__thrift_struct *of, const void *value, osdear__str *out,
                              osdear_error **error)
{
  SCOPED(buf) bytes = { 0 };
  osdear_status st;

  osdear__thrift_write(of, value, &bytes);
  st = osdear__buf_check(&bytes, error);
  if (st)
    return st;
  out->data = osdear__arena_strndup(&column->arena, bytes.data, bytes.size);
  out->size = bytes.size;
  return out->data ? OSDEAR_OK : osdear__fail_memory(error);
}

/* Pages of nulls only are passed over. */
static osdear__pq_boundary boundary_of(const osdear__pq_encoder *column)
{
  const osdear__pq_page_out *before = NULL;
  bool ascending = true, descending = true;

  for (size_t i = 0; i < column->page_count; i++) {
    const osdear__pq_page_out *page = &column->pages[i];
    int min, max;
    if (!page->has_bounds)
      continue;
    min = before ? osdear__pq_bounds_compare(column->order, before->min, page->min) : 0;
    max = before ? osdear__pq_bounds_compare(column->order, before->max, page->max) : 0;
    ascending = ascending && min <= 0 && max <= 0;
    descending = descending && min >= 0 && max >= 0;
    before = page;
  }
  return ascending ? PQ_ASCENDING : descending ? PQ_DESCENDING : PQ_UNORDERED;
}

/* parquet.thrift: a column index needs bounds for every page that is not all null. */
static bool has_column_index(const osdear__pq_encoder *column)
{
  for (size_t i = 0; i < column->page_count; i++)
    if (column->pages[i].has_values && !column->pages[i].has_bounds)
      return false;
  return column->page_count > 0;
}

static osdear_status column_index(osdear__pq_encoder *column, osdear__arena *arena, osdear__str *out, osdear_error **error)
{
  const size_t count = column->page_count;
  bool *null_pages = osdear__arena_zeroed(arena, count, sizeof *null_pages);
  osdear__str *mins = osdear__arena_zeroed(arena, count, sizeof *mins);
  osdear__str *maxs = osdear__arena_zeroed(arena, count, sizeof *maxs);
  int64_t *nulls = osdear__arena_zeroed(arena, count, sizeof *nulls);
  osdear__pq_column_index index = { .null_pages = null_pages,
                                    .null_page_count = count,
                                    .min_values = mins,
                                    .min_count = count,
                                    .max_values = maxs,
                                    .max_count = count,
                                    .null_counts = nulls,
                                    .null_count_count = count,
                                    .boundary_order = (int32_t)boundary_of(column) };

  if (!null_pages || !mins || !maxs || !nulls)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const osdear__pq_page_out *page = &column->pages[i];
    null_pages[i] = !page->has_values;
    mins[i] = page->has_bounds ? page->min : STR("");
    maxs[i] = page->has_bounds ? page->max : STR("");
    nulls[i] = page->null_count;
  }
  return to_bytes(column, &osdear__pq_column_index_thrift, &index, out, error);
}

static osdear_status offset_index(osdear__pq_encoder *column, int64_t offset, osdear__arena *arena, osdear__str *out,
                                  osdear_error **error)
{
  const size_t count = column->page_count;
  osdear__pq_page_location *locations = osdear__arena_zeroed(arena, count, sizeof *locations);
  osdear__pq_offset_index index = { .page_locations = locations, .page_count = count };

  if (!locations)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    locations[i].offset = offset;
    locations[i].compressed_page_size = (int32_t)column->pages[i].size;
    locations[i].first_row_index = column->pages[i].first_row;
    offset += (int64_t)column->pages[i].size;
  }
  return to_bytes(column, &osdear__pq_offset_index_thrift, &index, out, error);
}

/* ---- to the file ---- */

static osdear_status write_pages(osdear__pq_encoder *column, osdear__output *output, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (column->dictionary_page.bytes)
    st = osdear__output_write(output, column->dictionary_page.bytes, column->dictionary_page.size, error);
  for (size_t i = 0; i < column->page_count && !st; i++) {
    st = osdear__output_write(output, column->pages[i].bytes, column->pages[i].size, error);
    osdear__free(column->pages[i].bytes);
    column->pages[i].bytes = NULL;
  }
  return st;
}

static void clear_chunk(osdear__pq_encoder *column)
{
  osdear__free(column->dictionary_page.bytes);
  column->dictionary_page = (osdear__pq_page_out){ 0 };
  column->page_count = 0;
  column->chunk_rows = 0;
  column->chunk_levels = 0;
  column->chunk_values = 0;
  column->held_bytes = 0;
  column->uncompressed_bytes = 0;
  column->delta_text = PQ_PLAIN;
  memset(column->encoded_pages, 0, sizeof column->encoded_pages);
  osdear__pq_bounds_clear(&column->chunk_bounds);
}

osdear_status osdear__pq_chunk_write(osdear__pq_encoder *column, osdear__output *output, int64_t *offset,
                                     osdear__pq_chunk_out *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__pq_column_meta *meta = NULL;
  osdear_status st = describe(column, &meta, error);

  if (st)
    return st;
  meta->data_page_offset = *offset + (int64_t)column->dictionary_page.size;
  if (column->dictionary_page.bytes) {
    meta->set |= COLUMN_META_DICTIONARY_PAGE;
    meta->dictionary_page_offset = *offset;
  }
  *out = (osdear__pq_chunk_out){ .chunk.meta_data = meta };
  if (has_column_index(column))
    st = column_index(column, &arena, &out->column_index, error);
  if (!st)
    st = offset_index(column, meta->data_page_offset, &arena, &out->offset_index, error);
  if (!st)
    st = write_pages(column, output, error);
  if (st)
    return st;
  *offset += column->held_bytes;
  clear_chunk(column);
  return OSDEAR_OK;
}
