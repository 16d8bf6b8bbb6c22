/** @file page.c Pages out of a file, through a window that moves over the chunk. */
#include <parquet/page.h>

#define FIRST_HEADER 256              /* most headers are below 100 bytes */
#define MAX_HEADER ((size_t)16 << 20) /* long statistics make long headers; more is no header */
#define BELIEVED 100                  /* a page that claims to become so many times larger must prove it, */
#define PIECE ((size_t)4 << 20)       /* unless it is no larger than this; as much is given to it at first */
#define OLD_WRITERS_SLACK 100 /* parquet-mr before 1.2.9 left the dictionary's header out of the chunk's size (PARQUET-816) */

osdear_status osdear__pq_pages_start(osdear__pq_pages *pages, osdear__parquet *file, const osdear__pq_column_meta *meta,
                                     osdear__codec_state *codecs, int64_t read_ahead, osdear_error **error)
{
  int64_t start = meta->data_page_offset;
  int64_t end;

  /* An offset of 0, where the magic is, stands for none. */
  if (meta->set & COLUMN_META_DICTIONARY_PAGE && meta->dictionary_page_offset > 0 && meta->dictionary_page_offset < start)
    start = meta->dictionary_page_offset;
  if (!osdear__add_i64(start, meta->total_compressed_size, &end) || start > file->footer_at || end > file->footer_at)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%" PRId64 " bytes at offset %" PRId64 " reach past the pages, which end at %" PRId64,
                        meta->total_compressed_size, start, file->footer_at);
  if (!osdear__codec_name((osdear__codec)meta->codec))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "its pages are compressed by codec %d, which is unknown", meta->codec);
  if (!osdear__codec_is_built((osdear__codec)meta->codec))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "its pages are compressed by %s, which this build cannot read",
                        osdear__codec_name((osdear__codec)meta->codec));
  end = end < file->footer_at - OLD_WRITERS_SLACK ? end + OLD_WRITERS_SLACK : file->footer_at;
  *pages = (osdear__pq_pages){ .file = file,
                               .input = file->input,
                               .codec = (osdear__codec)meta->codec,
                               .start = start,
                               .end = end,
                               .at = start,
                               .read_to = start + meta->total_compressed_size,
                               .read_ahead = read_ahead,
                               .codecs = codecs };
  return OSDEAR_OK;
}

void osdear__pq_pages_drop(osdear__pq_pages *pages)
{
  osdear__arena_drop(&pages->arena);
  osdear__free(pages->window);
  osdear__free(pages->raw);
  pages->window = NULL;
  pages->raw = NULL;
}

void osdear__pq_pages_seek(osdear__pq_pages *pages, int64_t at, int64_t read_to)
{
  pages->at = at;
  pages->read_to = read_to;
}

uint8_t *osdear__pq_pages_take(osdear__pq_pages *pages, const osdear__pq_page *page)
{
  uint8_t *block = page->data == pages->raw ? pages->raw : NULL;

  if (block) {
    pages->raw = NULL;
    pages->raw_capacity = 0;
  }
  return block;
}

/* Room for `size` bytes and the padding. What was in it is kept only by the window. */
static bool grow(uint8_t **buffer, size_t *capacity, size_t size, size_t keep)
{
  uint8_t *bigger;

  if (size <= *capacity)
    return true;
  bigger = osdear__alloc(size + PQ_PADDING);
  if (!bigger)
    return false;
  if (keep)
    memcpy(bigger, *buffer, keep);
  memset(bigger + size, 0, PQ_PADDING);
  osdear__free(*buffer);
  *buffer = bigger;
  *capacity = size;
  return true;
}

static size_t in_window(const osdear__pq_pages *pages, int64_t offset)
{
  int64_t from = offset - pages->window_at;

  return from < 0 || from >= (int64_t)pages->window_size ? 0 : pages->window_size - (size_t)from;
}

/* At least `size` bytes at `offset`, which lie within the chunk. What the window has of them is kept, the rest is read together with as much
 * as reading ahead allows. */
static osdear_status ensure(osdear__pq_pages *pages, int64_t offset, size_t size, const uint8_t **out, osdear_error **error)
{
  size_t there = in_window(pages, offset);
  int64_t ahead = pages->read_to - offset;
  osdear_status st;
  size_t goal;

  if (there >= size && there) {
    *out = pages->window + (offset - pages->window_at);
    return OSDEAR_OK;
  }
  ahead = ahead < pages->read_ahead ? ahead : pages->read_ahead;
  goal = ahead > (int64_t)size ? (size_t)ahead : size;
  if (there)
    memmove(pages->window, pages->window + (offset - pages->window_at), there);
  pages->window_at = offset;
  pages->window_size = there;
  if (!grow(&pages->window, &pages->window_capacity, goal ? goal : 1, there))
    return osdear__fail_memory(error);
  st = osdear__pq_input_read(pages->file, pages->input, offset + (int64_t)there, pages->window + there, goal - there, error);
  if (st)
    return st;
  pages->window_size = goal;
  *out = pages->window;
  return OSDEAR_OK;
}

/* How long a header is, only reading it tells: when it seems cut short, more is read before it is believed. */
static osdear_status read_header(osdear__pq_pages *pages, osdear__pq_page *page, osdear_error **error)
{
  size_t left = (size_t)(pages->end - pages->at);
  size_t wanted =
      pages->read_to > pages->at ? (size_t)(pages->read_to - pages->at) : left; /* not past what will be read anyway */
  size_t want = wanted < FIRST_HEADER ? wanted : FIRST_HEADER;

  for (;;) {
    const uint8_t *bytes;
    size_t used;
    AUTO(error) why = NULL;
    osdear_status st = ensure(pages, pages->at, want, &bytes, error);

    if (st)
      return st;
    if (in_window(pages, pages->at) > want)
      want = in_window(pages, pages->at) < left ? in_window(pages, pages->at) : left;
    osdear__arena_reset(&pages->arena);
    st = osdear__thrift_read(&osdear__pq_page_header_thrift, (osdear__str){ (const char *)bytes, want }, &pages->arena,
                             &page->header, &used, &why);
    if (!st) {
      page->body_at = pages->at + (int64_t)used;
      return OSDEAR_OK;
    }
    if (st != OSDEAR_ERR_CORRUPT || want == left || want >= MAX_HEADER)
      return osdear__fail_because(error, st, "page header at offset %" PRId64 ": %s", pages->at, osdear_error_message(why));
    want = want < left / 4 ? want * 4 : left;
  }
}

/* How much a codec can make of a byte at most; a header that claims more lies, and must not make us allocate. 0: no bound. */
static int64_t most_expansion(osdear__codec codec)
{
  switch (codec) {
  case CODEC_SNAPPY: return 22; /* 64 bytes by 3 */
  case CODEC_GZIP: return 1033;
  case CODEC_LZ4_HADOOP:
  case CODEC_LZ4_RAW: return 256;
  case CODEC_ZSTD: return 1 << 15; /* a block of 128 KiB by 4 bytes */
  default: return 0;
  }
}

static osdear_status check_sizes(const osdear__pq_pages *pages, const osdear__pq_page *page, osdear_error **error)
{
  const osdear__pq_page_header *header = &page->header;
  int64_t most = most_expansion(pages->codec);

  if (header->compressed_page_size < 0 || header->uncompressed_page_size < 0 ||
      header->compressed_page_size > pages->end - page->body_at)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "page at offset %" PRId64 " has %d bytes (%d decompressed), its chunk %" PRId64 " more", page->offset,
                        header->compressed_page_size, header->uncompressed_page_size, pages->end - page->body_at);
  if (most && header->uncompressed_page_size > (header->compressed_page_size + INT64_C(64)) * most)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": %d bytes cannot become %d by %s", page->offset,
                        header->compressed_page_size, header->uncompressed_page_size, osdear__codec_name(pages->codec));
  return OSDEAR_OK;
}

static osdear_status missing(const osdear__pq_page *page, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 " has no %s header", page->offset, what);
}

/* Copies out of the header what the kinds of pages have in common. */
static osdear_status take_header(osdear__pq_page *page, osdear_error **error)
{
  const osdear__pq_page_header *header = &page->header;

  page->nulls = -1;
  page->rows = -1;
  page->rep_encoding = PQ_RLE;
  page->def_encoding = PQ_RLE;
  if (page->type == PQ_DATA_PAGE) {
    if (!header->data_page)
      return missing(page, "data page", error);
    page->values = header->data_page->num_values;
    page->encoding = header->data_page->encoding;
    page->rep_encoding = header->data_page->repetition_level_encoding;
    page->def_encoding = header->data_page->definition_level_encoding;
  } else if (page->type == PQ_DATA_PAGE_V2) {
    if (!header->data_page_v2)
      return missing(page, "data page v2", error);
    page->values = header->data_page_v2->num_values;
    page->encoding = header->data_page_v2->encoding;
    page->nulls = header->data_page_v2->num_nulls;
    page->rows = header->data_page_v2->num_rows;
  } else {
    if (!header->dictionary_page)
      return missing(page, "dictionary page", error);
    page->values = header->dictionary_page->num_values;
    page->encoding = header->dictionary_page->encoding;
  }
  if (page->values < 0 || page->nulls < -1 || page->nulls > page->values || page->rows < -1 || page->rows > page->values)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 " has %d values, %d nulls and %d rows", page->offset,
                        page->values, page->nulls, page->rows);
  return OSDEAR_OK;
}

osdear_status osdear__pq_pages_next(osdear__pq_pages *pages, osdear__pq_page *page, osdear_error **error)
{
  for (;;) {
    osdear_status st;

    if (pages->at >= pages->end)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the chunk ends at offset %" PRId64 " before all of its values came",
                          pages->end);
    memset(page, 0, sizeof *page);
    page->offset = pages->at;
    st = read_header(pages, page, error);
    if (!st)
      st = check_sizes(pages, page, error);
    if (st)
      return st;
    pages->at = page->body_at + page->header.compressed_page_size;
    page->type = (osdear__pq_page_type)page->header.type;
    if (page->type == PQ_DATA_PAGE || page->type == PQ_DATA_PAGE_V2 || page->type == PQ_DICTIONARY_PAGE)
      return take_header(page, error);
  }
}

static osdear_status check_crc(const osdear__pq_page *page, const uint8_t *body, osdear_error **error)
{
  uint32_t found = osdear__crc32(0, body, (size_t)page->header.compressed_page_size);

  if (found == (uint32_t)page->header.crc)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": its checksum is %08x, %08x was written",
                      page->offset, found, (uint32_t)page->header.crc);
}

/* Levels of a v2 page lie in front of its values and are never compressed. */
static osdear_status split_v2(osdear__pq_page *page, const uint8_t *body, osdear_error **error)
{
  const osdear__pq_data_page_v2 *v2 = page->header.data_page_v2;
  int64_t levels = (int64_t)v2->repetition_levels_byte_length + v2->definition_levels_byte_length;

  if (v2->repetition_levels_byte_length < 0 || v2->definition_levels_byte_length < 0 ||
      levels > page->header.compressed_page_size || levels > page->header.uncompressed_page_size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": levels of %d and %d bytes do not fit it",
                        page->offset, v2->repetition_levels_byte_length, v2->definition_levels_byte_length);
  page->rep = body;
  page->rep_size = (size_t)v2->repetition_levels_byte_length;
  page->def = body + page->rep_size;
  page->def_size = (size_t)v2->definition_levels_byte_length;
  return OSDEAR_OK;
}

/* Room for a page that claims to become very much larger is made as its bytes come, not by the claim; snappy and lz4, which cannot make so
 * much of so little, have no streams. One byte more than the claim is asked for, to see that there is none. */
static osdear_status inflate_by_pieces(osdear__pq_pages *pages, const osdear__pq_page *page, const uint8_t *body, size_t in_size,
                                       osdear_error **error)
{
  AUTO(inflater) inflater = NULL;
  size_t done = 0, taken = 0, got, used;
  bool is_done = false;
  osdear_status st = osdear__inflater_new(pages->codec, &inflater, error);

  while (!st && !is_done && done <= page->size) {
    size_t room =
        done < pages->raw_capacity / 2 || pages->raw_capacity >= page->size ? pages->raw_capacity : 2 * pages->raw_capacity;

    room = room > PIECE ? room : PIECE;
    room = room < page->size ? room : page->size;
    if (!grow(&pages->raw, &pages->raw_capacity, room, done))
      return osdear__fail_memory(error);
    st = osdear__inflate(inflater, body + taken, in_size - taken, &used, pages->raw + done, room + (room == page->size) - done,
                         &got, true, &is_done, error);
    taken += used;
    done += got;
  }
  if (!st && done != page->size)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s data of %zu bytes does not hold the %zu bytes announced",
                      osdear__codec_name(pages->codec), in_size, page->size);
  return st;
}

static osdear_status inflate(osdear__pq_pages *pages, const osdear__pq_page *page, const uint8_t *body, size_t in_size,
                             osdear_error **error)
{
  bool has_streams = pages->codec == CODEC_GZIP || pages->codec == CODEC_ZSTD || pages->codec == CODEC_BROTLI;

  if (has_streams && in_size && page->size > PIECE && page->size / in_size >= BELIEVED)
    return inflate_by_pieces(pages, page, body, in_size, error);
  if (!grow(&pages->raw, &pages->raw_capacity, page->size ? page->size : 1, 0))
    return osdear__fail_memory(error);
  return osdear__decompress(pages->codecs, pages->codec, body, in_size, pages->raw, page->size, error);
}

osdear_status osdear__pq_pages_load(osdear__pq_pages *pages, osdear__pq_page *page, osdear_error **error)
{
  const osdear__pq_page_header *header = &page->header;
  bool is_compressed = pages->codec != CODEC_NONE;
  const uint8_t *body;
  size_t in_size;
  osdear_status st;

  st = ensure(pages, page->body_at, (size_t)header->compressed_page_size, &body, error);
  if (!st && header->set & PAGE_HEADER_CRC && !pages->file->skip_checksums)
    st = check_crc(page, body, error);
  if (!st && page->type == PQ_DATA_PAGE_V2)
    st = split_v2(page, body, error);
  if (st)
    return st;

  if (page->type == PQ_DATA_PAGE_V2 && header->data_page_v2->set & DATA_PAGE_V2_COMPRESSED && !pages->file->is_always_compressed)
    is_compressed = is_compressed && header->data_page_v2->is_compressed;
  body += page->rep_size + page->def_size;
  in_size = (size_t)header->compressed_page_size - page->rep_size - page->def_size;
  page->size = (size_t)header->uncompressed_page_size - page->rep_size - page->def_size;
  if (!is_compressed ||
      (in_size == 0 && page->size == 0)) { /* the bytes are there: what the header says of their size is not needed */
    page->size = in_size;
    page->data = body;
    return OSDEAR_OK;
  }
  st = inflate(pages, page, body, in_size, error);
  page->data = pages->raw;
  return st ? osdear__fail_within(error, st, "page at offset %" PRId64, page->offset) : OSDEAR_OK;
}
