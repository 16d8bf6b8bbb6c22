/** @file column_page.c A column's pages: dictionary first, then each page's levels and values made ready. */
#include <parquet/calendar.h>
#include <parquet/column.h>

static osdear_status within_page(const osdear__pq_column *column, osdear_status st, osdear_error **error)
{
  return osdear__fail_within(error, st, "page at offset %" PRId64, column->page.offset);
}

static osdear_status page_corrupt(const osdear__pq_column *column, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 " %s", column->page.offset, what);
}

static osdear_status read_dictionary(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  uint8_t *owned;
  osdear_status st;

  if (page->offset != column->pages.start)
    return page_corrupt(column, "is a dictionary, but not the first of its chunk", error);
  if (page->encoding != PQ_PLAIN && page->encoding != PQ_PLAIN_DICTIONARY)
    return page_corrupt(column, "is a dictionary that is not encoded as PLAIN", error);
  if (column->levels_only)
    return OSDEAR_OK;
  st = osdear__pq_pages_load(&column->pages, page, error);
  if (st)
    return st;
  owned = osdear__pq_pages_take(&column->pages, page);
  st = osdear__pq_dictionary_read(&column->dictionary, column->leaf, page->data, page->size, page->values, &owned, error);
  osdear__free(owned);
  return st ? within_page(column, st, error) : OSDEAR_OK;
}

bool osdear__pq_column_is_at_end(const osdear__pq_column *column)
{
  return column->page_left == 0 && column->ahead_from == column->ahead_to &&
         (column->seen >= 0 ? column->seen == column->meta->num_values : column->pages.at >= column->pages.read_to);
}

osdear_status osdear__pq_column_next_page(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  osdear_status st;

  do {
    st = osdear__pq_pages_next(&column->pages, page, error);
    if (!st && page->type == PQ_DICTIONARY_PAGE)
      st = read_dictionary(column, error);
    if (st)
      return st;
  } while (page->type == PQ_DICTIONARY_PAGE || page->values == 0);

  column->page_left = page->values;
  if (column->seen < 0)
    return OSDEAR_OK;
  column->seen += page->values;
  if (column->seen > column->meta->num_values)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "page at offset %" PRId64 ": up to it are %" PRId64 " values, the footer says %" PRId64, page->offset,
                        column->seen, column->meta->num_values);
  return OSDEAR_OK;
}

static uint32_t width_of(int32_t max_level)
{
  return max_level ? 32 - (uint32_t)__builtin_clz((uint32_t)max_level) : 0;
}

/* The deprecated BIT_PACKED packs from the most significant bit on, and has no length. Turned around it is one packed run of the hybrid. */
static osdear_status start_bit_packed(osdear__pq_column *column, osdear__pq_hybrid *levels, uint32_t width, uint8_t *to,
                                      osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  uint64_t bits = (uint64_t)page->values * width;
  size_t size = (size_t)((bits + 7) / 8);

  if (size > page->size)
    return page_corrupt(column, "is too short for its levels", error);
  memset(to, 0, size + PQ_PADDING);
  for (uint64_t i = 0; i < bits; i++) {
    uint64_t place = i / width * width + (width - 1 - i % width);

    if (page->data[i >> 3] >> (7 - (i & 7)) & 1)
      to[place >> 3] = (uint8_t)(to[place >> 3] | 1u << (place & 7));
  }
  osdear__pq_hybrid_start(levels, to, size, width);
  levels->packed = (uint64_t)page->values;
  page->data += size;
  page->size -= size;
  return OSDEAR_OK;
}

/* v1: the levels' length, then they; what follows is the rest of the page. */
static osdear_status start_prefixed(osdear__pq_column *column, osdear__pq_hybrid *levels, uint32_t width, osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  uint32_t size = page->size >= 4 ? osdear__load_u32(page->data) : UINT32_MAX;

  if (page->size < 4 || size > page->size - 4)
    return page_corrupt(column, "is too short for its levels", error);
  osdear__pq_hybrid_start(levels, page->data + 4, size, width);
  page->data += 4 + size;
  page->size -= 4 + size;
  return OSDEAR_OK;
}

static osdear_status start_v1(osdear__pq_column *column, osdear__pq_hybrid *levels, int32_t max_level, int32_t encoding,
                              uint8_t *legacy, osdear_error **error)
{
  if (max_level == 0)
    return OSDEAR_OK;
  if (encoding == PQ_BIT_PACKED)
    return start_bit_packed(column, levels, width_of(max_level), legacy, error);
  if (encoding != PQ_RLE)
    return page_corrupt(column, "has levels that are neither RLE nor BIT_PACKED", error);
  return start_prefixed(column, levels, width_of(max_level), error);
}

/* Memory for both kinds of levels turned around; its size is that of the page's bytes at most. */
static osdear_status legacy_levels(osdear__pq_column *column, size_t *half, osdear_error **error)
{
  osdear__free(column->legacy);
  *half = column->page.size + PQ_PADDING;
  column->legacy = osdear__alloc(2 * *half);
  return column->legacy ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status start_levels(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  const osdear__pq_leaf *leaf = column->leaf;
  size_t half = 0;
  osdear_status st = OSDEAR_OK;

  if (page->type == PQ_DATA_PAGE_V2) {
    osdear__pq_hybrid_start(&column->rep, page->rep, page->rep_size, width_of(leaf->max_rep));
    osdear__pq_hybrid_start(&column->def, page->def, page->def_size, width_of(leaf->max_def));
  } else {
    if ((leaf->max_rep && page->rep_encoding == PQ_BIT_PACKED) || (leaf->max_def && page->def_encoding == PQ_BIT_PACKED))
      st = legacy_levels(column, &half, error);
    if (!st)
      st = start_v1(column, &column->rep, leaf->max_rep, page->rep_encoding, column->legacy, error);
    if (!st)
      st = start_v1(column, &column->def, leaf->max_def, page->def_encoding, half ? column->legacy + half : NULL, error);
    if (st)
      return st;
  }
  /* One run over the whole page, as writers make it when there are no nulls, need not be looked at again. */
  column->page_is_full =
      leaf->max_def == 0 || (osdear__pq_hybrid_fill(&column->def) && column->def.run >= (uint64_t)page->values &&
                             column->def.value == (uint32_t)leaf->max_def);
  return OSDEAR_OK;
}

osdear_status osdear__pq_column_load_page(osdear__pq_column *column, osdear_error **error)
{
  osdear__pq_page *page = &column->page;
  osdear_status st;

  if (column->leaf->max_def == 0 && page->nulls > 0)
    return page_corrupt(column, "has nulls in a required column", error);
  st = osdear__pq_pages_load(&column->pages, page, error);
  if (!st)
    st = start_levels(column, error);
  if (st || column->levels_only)
    return st;
  st = osdear__pq_decoder_start(&column->decoder, page->encoding, page->data, page->size, page->values, error);
  return st ? within_page(column, st, error) : OSDEAR_OK;
}

osdear_status osdear__pq_column_open_page(osdear__pq_column *column, osdear_error **error)
{
  osdear_status st;

  if (osdear__pq_column_is_at_end(column))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "it has values for %" PRId64 " rows, its row group has %" PRId64, column->row,
                        column->group_rows);
  st = osdear__pq_column_next_page(column, error);
  return st ? st : osdear__pq_column_load_page(column, error);
}

osdear_status osdear__pq_column_values(osdear__pq_column *column, int64_t count, osdear_error **error)
{
  osdear_status st;

  if (column->levels_only)
    return OSDEAR_OK;
  st = osdear__pq_decoder_read(&column->decoder, &column->sink, column->count, (size_t)count, error);
  if (!st && UNLIKELY(column->leaf->calendar))
    st = osdear__pq_calendar_apply(column->leaf, column->sink.values + column->count * column->sink.width, (size_t)count, error);
  return st ? within_page(column, st, error) : OSDEAR_OK;
}

osdear_status osdear__pq_column_pass_values(osdear__pq_column *column, int64_t count, osdear_error **error)
{
  osdear_status st;

  if (column->levels_only)
    return OSDEAR_OK;
  st = osdear__pq_decoder_skip(&column->decoder, (size_t)count, error);
  return st ? within_page(column, st, error) : OSDEAR_OK;
}
