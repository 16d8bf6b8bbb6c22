/* Where fields begin and end: eight bytes are compared at once, and only what ends a field is looked at. */
#include "csv.h"

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

typedef struct scanner {
  const osdear__csv_dialect *dialect;
  osdear__csv_block *block;
  const char *base;
  size_t size;
  bool is_last;
  uint64_t delimiters; /* the byte in each of eight places; so are the next two */
  uint64_t feeds;
  uint64_t returns;
  osdear__csv_cell *cells;
  size_t count;     /* cells so far */
  size_t row_start; /* cells when the record began */
  size_t at;        /* where the field begins */
  int64_t lines;
} scanner;

/* The high bit of each byte of `word` that equals the one in `pattern`; exact, unlike the shorter form that lets a borrow through. */
static inline uint64_t equal_bytes(uint64_t word, uint64_t pattern)
{
  uint64_t x = word ^ pattern;

  return ~(((x & ~HIGHS) + ~HIGHS) | x | ~HIGHS);
}

static inline void put_cell(scanner *scan, size_t from, size_t size, uint32_t flags)
{
  scan->cells[scan->count++] = (osdear__csv_cell){ (uint32_t)from, (uint32_t)size | flags };
}

/* Ends a record before base[next]. -1: go on; else the outcome. */
static inline int end_record(scanner *scan, size_t next)
{
  osdear__csv_block *block = scan->block;
  size_t fields = scan->count - scan->row_start;
  const osdear__csv_cell *first = &scan->cells[scan->row_start];

  scan->lines++;
  scan->at = next;
  if (UNLIKELY(fields == 1 && first->size == 0)) {
    scan->count = scan->row_start; /* an empty line; a lone "" has its flag and stays */
    block->to = next;
    block->lines = scan->lines;
    return -1;
  }
  if (UNLIKELY(fields != block->columns && block->columns))
    return SCAN_RAGGED;
  if (block->ends)
    block->ends[block->rows] = (uint32_t)scan->count;
  block->rows++;
  block->to = next;
  block->lines = scan->lines;
  scan->row_start = scan->count;
  return block->rows == block->row_capacity ? SCAN_FULL : -1;
}

/* The line's end at base[at]: LF, CR LF or CR. -1: go on. */
static int end_line(scanner *scan, size_t at)
{
  if (scan->base[at] == '\r') {
    if (at + 1 == scan->size && !scan->is_last)
      return SCAN_MORE; /* a line feed may follow */
    if (at + 1 < scan->size && scan->base[at + 1] == '\n')
      at++;
  }
  return end_record(scan, at + 1);
}

static int64_t feeds_in(const char *from, const char *to)
{
  int64_t count = 0;

  while (from < to) {
    const char *found = memchr(from, '\n', (size_t)(to - from));
    if (!found)
      break;
    count++;
    from = found + 1;
  }
  return count;
}

/* The field whose opening quote is base[scan->at]. -1: go on. */
static int quoted_field(scanner *scan, osdear__csv_trouble *trouble)
{
  const char *end = scan->base + scan->size, *open = scan->base + scan->at + 1, *at = open;
  char quote = scan->dialect->quote;
  uint32_t flags = OSDEAR__CELL_QUOTED;
  size_t close;

  for (;;) {
    at = at < end ? memchr(at, quote, (size_t)(end - at)) : NULL;
    if (!at || (at + 1 == end && !scan->is_last)) {
      trouble->at = scan->at;
      return scan->is_last ? SCAN_UNCLOSED : SCAN_MORE;
    }
    if (at + 1 == end || at[1] != quote)
      break;
    flags |= OSDEAR__CELL_DOUBLED;
    at += 2;
  }
  scan->lines += feeds_in(open, at);
  put_cell(scan, (size_t)(open - scan->base), (size_t)(at - open), flags);
  close = (size_t)(at + 1 - scan->base);
  while (close < scan->size && (scan->base[close] == ' ' || scan->base[close] == '\t') &&
         scan->base[close] != scan->dialect->delimiter)
    close++;
  if (close == scan->size)
    return scan->is_last ? end_record(scan, close) : SCAN_MORE;
  if (scan->base[close] == scan->dialect->delimiter) {
    scan->at = close + 1;
    return -1;
  }
  if (scan->base[close] == '\n' || scan->base[close] == '\r')
    return end_line(scan, close);
  trouble->at = close;
  return SCAN_QUOTE;
}

static int cells_used_up(const scanner *scan)
{
  return scan->block->rows ? SCAN_FULL : SCAN_CELLS;
}

/* Fields without quotes, until one begins with a quote, the bytes end, or a record decides otherwise. -1: a quote.
 * What the loop needs is held in locals: a store of a cell could change anything behind a pointer, as far as the compiler knows. */
static int plain_fields(scanner *scan)
{
  const uint64_t delimiters = scan->delimiters, feeds = scan->feeds, returns = scan->returns;
  const char *const base = scan->base;
  const size_t size = scan->size, limit = scan->block->cell_capacity;
  const char delimiter = scan->dialect->delimiter, quote = scan->dialect->quote;
  osdear__csv_cell *const cells = scan->cells;
  size_t at = scan->at, count = scan->count;

  for (size_t from = at; from < size; from += 8) {
    uint64_t word = osdear__load_u64(base + from);
    uint64_t bits = equal_bytes(word, delimiters) | equal_bytes(word, feeds) | equal_bytes(word, returns);
    if (UNLIKELY(from + 8 > size))
      bits &= ((uint64_t)1 << (size - from) * 8) - 1;
    for (; bits; bits &= bits - 1) {
      size_t hit = from + (size_t)(__builtin_ctzll(bits) >> 3);
      if (UNLIKELY(hit < at))
        continue; /* the line feed of a pair */
      if (UNLIKELY(count >= limit)) {
        scan->at = at;
        scan->count = count;
        return cells_used_up(scan);
      }
      cells[count++] = (osdear__csv_cell){ (uint32_t)at, (uint32_t)(hit - at) };
      at = hit + 1;
      if (UNLIKELY(base[hit] != delimiter)) {
        int outcome;
        scan->count = count;
        outcome = end_line(scan, hit);
        if (UNLIKELY(outcome >= 0))
          return outcome;
        at = scan->at;
        count = scan->count;
      }
      if (UNLIKELY(base[at] == quote && at < size)) {
        scan->at = at;
        scan->count = count;
        return -1;
      }
    }
  }
  scan->at = at;
  scan->count = count;
  return SCAN_MORE;
}

/* Everything that is left, when no more bytes come: the last line may lack its end. */
static int last_field(scanner *scan)
{
  if (!scan->is_last)
    return SCAN_MORE;
  if (scan->at == scan->size && scan->count == scan->row_start)
    return SCAN_MORE;
  if (scan->count >= scan->block->cell_capacity)
    return cells_used_up(scan);
  put_cell(scan, scan->at, scan->size - scan->at, 0);
  return end_record(scan, scan->size);
}

static bool is_ascii(const char *at, size_t size)
{
  uint64_t seen = 0;
  size_t i = 0;

  for (; i + 8 <= size; i += 8)
    seen |= osdear__load_u64(at + i);
  for (; i < size; i++)
    seen |= (uint64_t)(unsigned char)at[i];
  return (seen & HIGHS) == 0;
}

osdear__csv_outcome osdear__csv_scan(const osdear__csv_dialect *dialect, osdear__csv_block *block, size_t size, bool is_last,
                                     osdear__csv_trouble *trouble)
{
  scanner scan = { .dialect = dialect,
                   .block = block,
                   .base = block->base,
                   .size = size,
                   .is_last = is_last,
                   .cells = block->cells,
                   .delimiters = ONES * (unsigned char)dialect->delimiter,
                   .feeds = ONES * (unsigned char)'\n',
                   .returns = ONES * (unsigned char)'\r',
                   .at = block->from };
  int outcome = -1;

  block->rows = 0;
  block->to = block->from;
  block->lines = 0;
  while (outcome < 0) {
    if (scan.count >= block->cell_capacity) {
      outcome = cells_used_up(&scan);
    } else if (scan.at < size && scan.base[scan.at] == dialect->quote) {
      outcome = quoted_field(&scan, trouble);
    } else {
      outcome = plain_fields(&scan);
      if (outcome == SCAN_MORE)
        outcome = last_field(&scan);
    }
  }
  if (outcome == SCAN_RAGGED)
    trouble->count = scan.count - scan.row_start;
  trouble->line = block->first_line + block->lines;
  block->is_ascii = is_ascii(block->base + block->from, block->to - block->from);
  return (osdear__csv_outcome)outcome;
}

size_t osdear__csv_unquote(osdear__str text, char quote, char *out)
{
  const char *at = text.data, *end = text.data + text.size;
  char *put = out;

  while (at < end) {
    const char *found = memchr(at, quote, (size_t)(end - at));
    size_t size = (size_t)((found ? found + 1 : end) - at);
    memcpy(put, at, size);
    put += size;
    at += size + (found != NULL);
  }
  return (size_t)(put - out);
}
