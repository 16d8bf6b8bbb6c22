/** @file page.h The pages of a column chunk, one after the other: read ahead, checked, decompressed into memory that is used again. */
#ifndef OSDEAR_SRC_PARQUET_PAGE_H
#define OSDEAR_SRC_PARQUET_PAGE_H

#include <parquet/bits.h>
#include <parquet/file.h>

typedef struct osdear__pq_page {
  int64_t offset; /* of its header in the file */
  osdear__pq_page_type type;
  int32_t values; /* entries: nulls and ends of lists count */
  int32_t nulls;  /* v2; -1: unknown */
  int32_t rows;   /* v2; -1: unknown */
  int32_t encoding;
  int32_t rep_encoding, def_encoding;
  /* After loading. v1: levels and values together in `data`; v2: apart. PQ_PADDING bytes past the end of each may be read. */
  const uint8_t *rep, *def, *data;
  size_t rep_size, def_size, size;
  /* For loading. */
  int64_t body_at;
  osdear__pq_page_header header;
} osdear__pq_page;

typedef struct osdear__pq_pages {
  osdear__parquet *file;
  osdear__input *input; /* the file's, or one that fetches ahead */
  osdear__codec codec;
  int64_t start, end; /* of the chunk in the file */
  int64_t at;         /* next page's header */
  int64_t read_to;    /* reading ahead stops here */
  int64_t read_ahead;
  uint8_t *window; /* bytes of the file from window_at on */
  size_t window_capacity, window_size;
  int64_t window_at;
  uint8_t *raw; /* a page decompressed */
  size_t raw_capacity;
  osdear__arena arena; /* of the header at hand */
  osdear__codec_state *codecs;
} osdear__pq_pages;

MUST_USE osdear_status osdear__pq_pages_start(osdear__pq_pages *pages, osdear__parquet *file, const osdear__pq_column_meta *meta,
                                              osdear__codec_state *codecs, int64_t read_ahead, osdear_error **error);
void osdear__pq_pages_drop(osdear__pq_pages *pages);
/* The next data or dictionary page's header; others are passed over. What was loaded before is gone. */
MUST_USE osdear_status osdear__pq_pages_next(osdear__pq_pages *pages, osdear__pq_page *page, osdear_error **error);
/* Its body. Valid until the next call of either. */
MUST_USE osdear_status osdear__pq_pages_load(osdear__pq_pages *pages, osdear__pq_page *page, osdear_error **error);
/* The block that holds a loaded page, decompressed, and nothing else; NULL: it lies elsewhere. Now the caller's. */
uint8_t *osdear__pq_pages_take(osdear__pq_pages *pages, const osdear__pq_page *page);
/* Go on at a page header known from an index; `read_to`: end of what will be wanted. */
void osdear__pq_pages_seek(osdear__pq_pages *pages, int64_t at, int64_t read_to);

#endif
