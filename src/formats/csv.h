/** @file csv.h Delimited text, after RFC 4180 and what people really write. */
#ifndef OSDEAR_SRC_FORMATS_CSV_H
#define OSDEAR_SRC_FORMATS_CSV_H

#include "source.h"
#include "value.h"

/* ---- records out of bytes (csv_scan.c, csv_window.c) ---- */

typedef struct osdear__csv_dialect {
  char delimiter;
  char quote;
  bool has_header;
} osdear__csv_dialect;

/* Where the text of a field stands: without the quotes around it, but with doubled quotes still doubled. */
typedef struct osdear__csv_cell {
  uint32_t at;   /* from the block's base */
  uint32_t size; /* and flags */
} osdear__csv_cell;
#define OSDEAR__CELL_QUOTED (1u << 31)
#define OSDEAR__CELL_DOUBLED (1u << 30)
#define OSDEAR__CELL_SIZE (OSDEAR__CELL_DOUBLED - 1)

/* Some whole records. Field `c` of record `r` is cells[r * columns + c]. */
typedef struct osdear__csv_block {
  const char *base;
  osdear__csv_cell *cells;
  size_t cell_capacity;
  size_t columns; /* 0: records may differ; then `ends` says where each one's cells end */
  uint32_t *ends;
  size_t rows;
  size_t row_capacity;
  size_t from, to;    /* the bytes the records take, from base */
  int64_t first_line; /* counted from 1 */
  int64_t lines;      /* how many lines they take */
  bool is_ascii;
} osdear__csv_block;

typedef enum osdear__csv_outcome {
  SCAN_FULL,    /* row_capacity records */
  SCAN_MORE,    /* the next record goes on behind the bytes at hand, or they are used up */
  SCAN_CELLS,   /* cell_capacity is too small for even one record */
  SCAN_RAGGED,  /* a record has not `columns` fields: `bad_count` */
  SCAN_QUOTE,   /* text follows a closing quote at `bad_at` */
  SCAN_UNCLOSED /* the file ends inside of quotes that open at `bad_at` */
} osdear__csv_outcome;

typedef struct osdear__csv_trouble {
  size_t at; /* from base */
  size_t count;
  int64_t line;
} osdear__csv_trouble;

/* Takes records out of base[from, size) into the block, whose `from` and `first_line` are set; sets rows, to, lines. 8 bytes past `size`
 * may be read. Empty lines are skipped. */
osdear__csv_outcome osdear__csv_scan(const osdear__csv_dialect *dialect, osdear__csv_block *block, size_t size, bool is_last,
                                     osdear__csv_trouble *trouble);

/* The bytes of a file around the records in hand. */
typedef struct osdear__csv_window {
  osdear__feed *feed; /* borrowed */
  char *data;
  size_t capacity;
  size_t begin, end;
  bool is_ended;
  int64_t line; /* of data[begin], from 1 */
  osdear__csv_dialect dialect;
} osdear__csv_window;
MUST_USE osdear_status osdear__csv_window_open(osdear__csv_window *window, osdear__feed *feed, osdear_error **error);
void osdear__csv_window_drop(osdear__csv_window *window);
MUST_USE osdear_status osdear__csv_window_fill(osdear__csv_window *window,
                                               osdear_error **error); /* more bytes, growing where it must */

/* The next at least one, at most row_capacity records; rows 0 at the end. They live until the next call. */
MUST_USE osdear_status osdear__csv_next(osdear__csv_window *window, osdear__csv_block *block, osdear_error **error);
/* A block for records of `columns` fields (0: any). */
MUST_USE osdear_status osdear__csv_block_new(osdear__csv_block *block, size_t columns, osdear_error **error);
MUST_USE osdear_status osdear__csv_block_widen(osdear__csv_block *block, osdear_error **error); /* twice as many cells */
void osdear__csv_block_drop(osdear__csv_block *block);
int64_t osdear__csv_line_at(const osdear__csv_block *block, size_t at); /* the line of base[at] */

static inline osdear__str osdear__csv_text(const osdear__csv_block *block, const osdear__csv_cell *cell)
{
  return (osdear__str){ block->base + cell->at, cell->size & OSDEAR__CELL_SIZE };
}
/* Halves doubled quotes; `out` has room for text.size. Returns the size. */
size_t osdear__csv_unquote(osdear__str text, char quote, char *out);

/* ---- which texts are null ---- */

typedef struct osdear__csv_nulls {
  const char *const *texts;
  size_t count;
  uint8_t sizes[256]; /* 1: some null text has this size (the last stands for all longer ones) */
  bool by_first[256]; /* a null text begins with this byte */
} osdear__csv_nulls;
void osdear__csv_nulls_init(osdear__csv_nulls *nulls, const char *const *texts, size_t count);
const char *osdear__csv_null_find(const osdear__csv_nulls *nulls, osdear__str text);
static inline bool osdear__csv_is_null(const osdear__csv_nulls *nulls, osdear__str text)
{
  if (LIKELY(text.size && !nulls->by_first[(unsigned char)text.data[0]]))
    return false;
  return nulls->sizes[text.size < 255 ? text.size : 255] && osdear__csv_null_find(nulls, text) != NULL;
}

/* ---- typed columns (csv_column.c) ---- */

typedef struct osdear__csv_column osdear__csv_column;
/* Appends the cells of one column. Returns the row that does not fit, -1 when all did, -2 when there is no memory. */
typedef int64_t (*osdear__csv_parse)(osdear__csv_column *column, const osdear__csv_block *block, size_t index);
struct osdear__csv_column {
  const osdear__type *type;
  const osdear__csv_nulls *nulls;
  osdear__csv_parse parse;
  char quote;
  bool bad_utf8; /* why the last row did not fit */
  uint8_t *validity;
  uint8_t *values; /* strings and binaries: int32 offsets */
  char *bytes;
  size_t rows, row_capacity;
  size_t byte_count, byte_capacity;
  int64_t null_count;
  osdear__date_cache dates;
};
void osdear__csv_column_init(osdear__csv_column *column, const osdear__type *type, const osdear__csv_nulls *nulls, char quote);
void osdear__csv_column_drop(osdear__csv_column *column);
MUST_USE bool osdear__csv_column_reserve(osdear__csv_column *column, size_t more_rows);
void osdear__csv_column_nulls(osdear__csv_column *column, size_t rows); /* reserved before */
MUST_USE osdear_status osdear__csv_column_finish(osdear__csv_column *column, struct ArrowArray *out, osdear_error **error);
size_t osdear__csv_column_bytes(const osdear__csv_column *column);

/* ---- the columns of all files (csv_dialect.c, csv_look.c) ---- */

/* Delimiter, header and names by the first records. */
MUST_USE osdear_status osdear__csv_find_dialect(osdear__source *source, const osdear__csv_nulls *nulls,
                                                osdear__csv_window *window, osdear__csv_dialect *out, const char **why_header,
                                                osdear_error **error);

typedef struct osdear__csv_file {
  size_t columns;
  int32_t *targets; /* the source's column for each of the file's */
} osdear__csv_file;

typedef struct osdear__csv {
  osdear__csv_dialect dialect;
  osdear__csv_nulls nulls;
} osdear__csv;
MUST_USE osdear_status osdear__csv_look(osdear__source *source, osdear_error **error);

#endif
