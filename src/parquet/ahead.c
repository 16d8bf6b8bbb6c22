/** @file ahead.c Which bytes of the file a row group's columns will read, told to an input that can fetch them ahead. */
#include <parquet/read.h>

typedef struct listing {
  osdear__byte_range *ranges;
  size_t count;
} listing;

static void add(listing *list, int64_t from, int64_t to)
{
  if (to > from)
    list->ranges[list->count++] = (osdear__byte_range){ from, to - from };
}

/* Pages by the offset index: the dictionary, and what the rows lie in. Ranges of rows may share a page. */
static void add_pages(listing *list, const osdear__pq_column *column, const osdear__row_range *rows, size_t row_count)
{
  const osdear__pq_page_location *pages = column->index_pages.page_locations;
  int64_t done = pages[0].offset;

  add(list, column->pages.start, done);
  for (size_t i = 0; i < row_count; i++) {
    const osdear__pq_page_location *first = &pages[osdear__pq_page_of(&column->index_pages, rows[i].from)];
    const osdear__pq_page_location *last = &pages[osdear__pq_page_of(&column->index_pages, rows[i].to - 1)];
    int64_t end = last->offset + last->compressed_page_size;

    if (rows[i].to <= rows[i].from)
      continue;
    add(list, first->offset > done ? first->offset : done, end);
    done = end > done ? end : done;
  }
}

osdear_status osdear__pq_columns_ahead(osdear__parquet *file, osdear__pq_column *columns, size_t count,
                                       const osdear__row_range *rows, size_t row_count, int64_t memory, osdear__input **out,
                                       osdear_error **error)
{
  listing list = { osdear__alloc_zeroed(count * (row_count + 1) + 1, sizeof *list.ranges), 0 };
  osdear_status st;

  if (!list.ranges)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    if (columns[i].has_index)
      add_pages(&list, &columns[i], rows, row_count);
    else
      add(&list, columns[i].pages.start, columns[i].pages.read_to);
  }
  st = osdear__input_ahead(file->input, list.ranges, list.count, memory, out, error);
  for (size_t i = 0; !st && *out && i < count; i++) {
    columns[i].pages.input = *out;
    columns[i].pages.read_ahead = 0; /* a page at a time: more would have to be waited for now instead of later */
  }
  osdear__free(list.ranges);
  return st;
}
