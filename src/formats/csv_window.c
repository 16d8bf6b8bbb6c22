/* A file's bytes, as much of them as the records in hand need. */
#include "csv.h"

#define WINDOW_BYTES ((size_t)1 << 20)
#define PADDING 8
#define BLOCK_CELLS ((size_t)16384) /* 128 KiB: the cells and their bytes stay in the cache between the passes over them */
#define BLOCK_ROWS ((size_t)1024)

osdear_status osdear__csv_window_open(osdear__csv_window *window, osdear__feed *feed, osdear_error **error)
{
  *window = (osdear__csv_window){ .feed = feed, .line = 1, .capacity = WINDOW_BYTES };
  window->data = osdear__alloc(WINDOW_BYTES + PADDING);
  if (!window->data)
    return osdear__fail_memory(error);
  return osdear__csv_window_fill(window, error);
}

void osdear__csv_window_drop(osdear__csv_window *window)
{
  osdear__free(window->data);
  window->data = NULL;
}

osdear_status osdear__csv_window_fill(osdear__csv_window *window, osdear_error **error)
{
  size_t held = window->end - window->begin, got = 1;
  osdear_status st = OSDEAR_OK;

  if (held > window->capacity / 2) {
    size_t capacity = window->capacity * 2;
    char *data;
    if (capacity > OSDEAR__RECORD_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s, line %" PRId64 ": the record is longer than %zu MiB",
                          osdear__feed_name(window->feed), window->line, OSDEAR__RECORD_BYTES >> 21);
    data = osdear__realloc(window->data, capacity + PADDING);
    if (!data)
      return osdear__fail_memory(error);
    window->data = data;
    window->capacity = capacity;
  }
  memmove(window->data, window->data + window->begin, held);
  window->begin = 0;
  window->end = held;
  while (!st && got && window->capacity - window->end >= PADDING) {
    st = osdear__feed_read(window->feed, window->data + window->end, window->capacity - window->end, &got, error);
    if (!st)
      window->end += got;
  }
  if (!st && !got)
    window->is_ended = true;
  memset(window->data + window->end, 0, PADDING);
  return st;
}

osdear_status osdear__csv_block_new(osdear__csv_block *block, size_t columns, osdear_error **error)
{
  size_t rows = columns ? BLOCK_CELLS / columns : 0;

  if (columns > OSDEAR__COLUMNS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%zu columns; %zu are the most", columns, OSDEAR__COLUMNS);
  rows = rows < 1 ? 1 : rows > BLOCK_ROWS ? BLOCK_ROWS : rows;
  *block = (osdear__csv_block){ .columns = columns, .row_capacity = columns ? rows : BLOCK_ROWS };
  /* One more than a record may have, so that a longer one is seen to be so. */
  block->cell_capacity = rows * columns + 1 > BLOCK_CELLS ? rows * columns + 1 : BLOCK_CELLS;
  block->cells = osdear__alloc(block->cell_capacity * sizeof *block->cells);
  if (!columns)
    block->ends = osdear__alloc(BLOCK_ROWS * sizeof *block->ends);
  return block->cells && (columns || block->ends) ? OSDEAR_OK : osdear__fail_memory(error);
}

void osdear__csv_block_drop(osdear__csv_block *block)
{
  osdear__free(block->cells);
  osdear__free(block->ends);
  block->cells = NULL;
  block->ends = NULL;
}

int64_t osdear__csv_line_at(const osdear__csv_block *block, size_t at)
{
  int64_t line = block->first_line;

  for (size_t i = block->from; i < at; i++)
    line += block->base[i] == '\n' || (block->base[i] == '\r' && block->base[i + 1] != '\n');
  return line;
}

osdear_status osdear__csv_block_widen(osdear__csv_block *block, osdear_error **error)
{
  osdear__csv_cell *cells = osdear__realloc_array(block->cells, block->cell_capacity * 2, sizeof *cells);

  if (!cells)
    return osdear__fail_memory(error);
  block->cells = cells;
  block->cell_capacity *= 2;
  return OSDEAR_OK;
}

/* A record with more fields than there are cells: more cells, while the ceiling allows it. */
static osdear_status more_cells(osdear__csv_window *window, osdear__csv_block *block, osdear_error **error)
{
  if (block->columns)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s, line %" PRId64 ": more than the %zu fields of the records before",
                        osdear__feed_name(window->feed), window->line, block->columns);
  if (block->cell_capacity > OSDEAR__COLUMNS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s, line %" PRId64 ": more than %zu fields", osdear__feed_name(window->feed),
                        window->line, OSDEAR__COLUMNS);
  return osdear__csv_block_widen(block, error);
}

static osdear_status fail_scan(const osdear__csv_window *window, const osdear__csv_block *block, osdear__csv_outcome outcome,
                               const osdear__csv_trouble *trouble, osdear_error **error)
{
  const char *name = osdear__feed_name(window->feed);

  if (outcome == SCAN_RAGGED)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s, line %" PRId64 ": %zu fields where %zu were expected", name,
                        trouble->line, trouble->count, block->columns);
  if (outcome == SCAN_QUOTE)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%s, line %" PRId64 ": text after a closing quote; a quote inside of a quoted field is doubled", name,
                        osdear__csv_line_at(block, trouble->at));
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s, line %" PRId64 ": a quote opens here and is never closed", name,
                      osdear__csv_line_at(block, trouble->at));
}

/* Only a window that had to grow can hold a field past the ceiling. */
static osdear_status check_fields(const osdear__csv_window *window, const osdear__csv_block *block, osdear_error **error)
{
  size_t count = block->columns ? block->rows * block->columns : block->rows ? block->ends[block->rows - 1] : 0;

  for (size_t i = 0; window->capacity > OSDEAR__FIELD_BYTES && i < count; i++) {
    if ((block->cells[i].size & OSDEAR__CELL_SIZE) > OSDEAR__FIELD_BYTES)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "%s, line %" PRId64 ": a field is longer than %zu MiB; is a quote lost?",
                          osdear__feed_name(window->feed), osdear__csv_line_at(block, block->cells[i].at),
                          OSDEAR__FIELD_BYTES >> 20);
  }
  return OSDEAR_OK;
}

osdear_status osdear__csv_next(osdear__csv_window *window, osdear__csv_block *block, osdear_error **error)
{
  osdear__csv_trouble trouble = { 0 };
  osdear__csv_outcome outcome;
  osdear_status st;

  for (;;) {
    block->base = window->data;
    block->from = window->begin;
    block->first_line = window->line;
    outcome = osdear__csv_scan(&window->dialect, block, window->end, window->is_ended, &trouble);
    if (block->rows || (outcome == SCAN_MORE && window->is_ended))
      break; /* trouble behind good records is met again at the next call */
    window->begin = block->to;
    window->line += block->lines;
    if (outcome == SCAN_MORE)
      st = osdear__csv_window_fill(window, error);
    else if (outcome == SCAN_CELLS)
      st = more_cells(window, block, error);
    else
      st = fail_scan(window, block, outcome, &trouble, error);
    if (st)
      return st;
  }
  window->begin = block->to;
  window->line += block->lines;
  return check_fields(window, block, error);
}
