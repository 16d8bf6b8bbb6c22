/** @file column.h One leaf of a row group on its way into batches: its pages, where it stands in them, and what of it the batch has. */
#ifndef OSDEAR_SRC_PARQUET_COLUMN_H
#define OSDEAR_SRC_PARQUET_COLUMN_H

#include <parquet/decode.h>
#include <parquet/page.h>

/* A place to come back to, between two rows. */
typedef struct osdear__pq_mark {
  int64_t at;     /* header of the page it is in, or of the next one */
  int64_t passed; /* entries of that page that lie before it */
  int64_t row;
  int64_t seen;
} osdear__pq_mark;

typedef struct osdear__pq_column {
  const osdear__pq_leaf *leaf;
  const osdear__pq_column_meta *meta;
  size_t index; /* of the leaf */
  int64_t group_rows;
  bool levels_only; /* its values are not wanted */
  bool is_flat;     /* not nested at all: levels go straight into validity bits */
  osdear__pq_pages pages;
  osdear__pq_dictionary dictionary;
  osdear__pq_decoder decoder;
  bool has_index;
  osdear__pq_offset_index index_pages;

  /* Where it stands. */
  osdear__pq_page page;
  int64_t page_left; /* entries of it not yet taken out of its levels */
  bool page_is_full; /* it has no nulls: its definition levels need not be looked at */
  osdear__pq_hybrid rep, def;
  uint8_t *legacy; /* BIT_PACKED levels of old files, turned around */
  int64_t seen;    /* entries of all pages so far; -1: pages were jumped over */
  int64_t row;     /* of the group, that comes next */
  osdear__pq_mark mark;
  size_t ahead_from, ahead_to; /* levels of lists are read ahead, to see where a row ends */
  int16_t ahead_rep[PQ_STRIP], ahead_def[PQ_STRIP];

  /* What the batch has of it. */
  osdear__pq_sink sink;
  int64_t count;        /* flat: rows; nested: values that are not null */
  int64_t nulls;        /* flat */
  uint8_t *validity;    /* flat; NULL as long as there are no nulls */
  int16_t *reps, *defs; /* nested; reps only within lists */
  int64_t level_count, level_capacity;
  double bytes_a_row; /* of strings, seen so far: what the next batch will need */
} osdear__pq_column;

/* How much a batch may take of one column before it has to end. */
typedef struct osdear__pq_allowance {
  size_t bytes;
  int64_t levels;
} osdear__pq_allowance;

MUST_USE osdear_status osdear__pq_column_start(osdear__pq_column *column, osdear__parquet *file, size_t group, size_t index,
                                               osdear__codec_state *codecs, int64_t read_ahead, osdear_error **error);
void osdear__pq_column_drop(osdear__pq_column *column);
/* Stand at `row`, which is not behind; reading will go on up to `until`. */
MUST_USE osdear_status osdear__pq_column_seek(osdear__pq_column *column, int64_t row, int64_t until, osdear_error **error);
/* Read the next `rows` rows as the whole of a new batch. `*got` is less when the allowance did not suffice; what was read is then of no use,
 * and osdear__pq_column_return() goes back to where it began. */
MUST_USE osdear_status osdear__pq_column_read(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance,
                                              int64_t *got, osdear_error **error);
MUST_USE osdear_status osdear__pq_column_return(osdear__pq_column *column, osdear_error **error);
/* At the last row of the group: is there nothing left over? */
MUST_USE osdear_status osdear__pq_column_finish(const osdear__pq_column *column, osdear_error **error);

/* ---- within the reader: pages (column_page.c) and levels (column_levels.c) ---- */

/* The page that holds a row, of a sound index. */
size_t osdear__pq_page_of(const osdear__pq_offset_index *index, int64_t row);
/* The next data page with entries, loaded, its levels and values started. */
MUST_USE osdear_status osdear__pq_column_open_page(osdear__pq_column *column, osdear_error **error);
/* The same, but only its header. */
MUST_USE osdear_status osdear__pq_column_next_page(osdear__pq_column *column, osdear_error **error);
MUST_USE osdear_status osdear__pq_column_load_page(osdear__pq_column *column, osdear_error **error);
bool osdear__pq_column_is_at_end(const osdear__pq_column *column); /* all pages were opened and used up */
MUST_USE osdear_status osdear__pq_column_read_levels(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance,
                                                     int64_t *got, osdear_error **error);
/* Entries of the page at hand, which are not to be read. */
MUST_USE osdear_status osdear__pq_column_pass_levels(osdear__pq_column *column, int64_t entries, osdear_error **error);
MUST_USE osdear_status osdear__pq_column_skip_levels(osdear__pq_column *column, int64_t rows, osdear_error **error);
/* Reads or skips so many of the page's values, into slot column->count. */
MUST_USE osdear_status osdear__pq_column_values(osdear__pq_column *column, int64_t count, osdear_error **error);
MUST_USE osdear_status osdear__pq_column_pass_values(osdear__pq_column *column, int64_t count, osdear_error **error);

#endif
