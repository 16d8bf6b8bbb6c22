/** @file writer_page.c A page: levels and values encoded, compressed, with header and checksum. */
#include <parquet/writer.h>

static osdear_status check_buf(const osdear__pq_encoder *column, const osdear__buf *buf, osdear_error **error)
{
  osdear_status st = osdear__buf_check(buf, error);
  return st ? osdear__fail_within(error, st, "column %s", column->path.name) : OSDEAR_OK;
}

/* ---- levels ---- */

/* RLE, in a page of version 1 with its length in front. `levels` NULL: all are `uniform`. */
static void write_levels(const uint8_t *levels, size_t count, int32_t max, bool with_length, osdear__pq_scratch *scratch,
                         osdear__buf *out)
{
  int width = osdear__pq_bit_width((uint64_t)max);
  size_t length_at = out->size;
  uint32_t *words;

  if (max == 0)
    return;
  if (with_length)
    osdear__buf_append(out, "\0\0\0\0", 4);
  if (!levels) {
    osdear__pq_hybrid_write_run((uint32_t)max, count, width, out);
  } else {
    osdear__buf_clear(&scratch->words);
    words = (uint32_t *)(void *)osdear__buf_reserve(&scratch->words, count * sizeof *words);
    if (!words) {
      out->failed = scratch->words.failed;
      return;
    }
    for (size_t i = 0; i < count; i++)
      words[i] = levels[i];
    osdear__pq_hybrid_write(words, count, width, out);
  }
  if (with_length && !out->failed)
    osdear__store_u32(out->data + length_at, (uint32_t)(out->size - length_at - 4));
}

static void write_all_levels(const osdear__pq_encoder *column, bool with_length, osdear__pq_scratch *scratch, osdear__buf *out,
                             size_t *rep_bytes, size_t *def_bytes)
{
  const osdear__pq_page_in *page = &column->page;

  write_levels((const uint8_t *)page->reps.data, page->level_count, column->leaf->max_rep, with_length, scratch, out);
  *rep_bytes = out->size;
  write_levels(page->all_defined ? NULL : (const uint8_t *)page->defs.data, page->level_count, column->leaf->max_def, with_length,
               scratch, out);
  *def_bytes = out->size - *rep_bytes;
}

/* ---- values ---- */

static void write_indices(const osdear__pq_encoder *column, osdear__buf *out)
{
  int width = osdear__pq_bit_width(column->dictionary.count - 1);

  if (width == 0)
    width = 1; /* some readers trip over width 0 */
  osdear__buf_putc(out, (char)width);
  osdear__pq_hybrid_write((const uint32_t *)(const void *)column->page.indices.data, column->page.value_count, width, out);
}

static void write_booleans(const osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__buf *out)
{
  const osdear__pq_page_in *page = &column->page;

  if (column->options->format_v2 && page->value_count == 0)
    osdear__buf_append(out, "\0\0\0\0", 4);
  else if (column->options->format_v2) /* written as levels of at most 1 are, always with the length */
    write_levels((const uint8_t *)page->plain.data, page->value_count, 1, true, scratch, out);
  else if (page->value_count > 0)
    osdear__pq_plain_write_bits((const uint8_t *)page->plain.data, page->value_count, out);
}

/* One of the two for all of a chunk, pages of nulls included: not every reader takes them mixed. */
static osdear__pq_encoding write_text(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__buf *out)
{
  const uint8_t *plain = (const uint8_t *)column->page.plain.data;
  size_t count = column->page.value_count;

  if (column->delta_text == PQ_PLAIN)
    column->delta_text = osdear__pq_delta_shares_prefixes(plain, count) ? PQ_DELTA_BYTE_ARRAY : PQ_DELTA_LENGTH_BYTE_ARRAY;
  osdear__pq_delta_write_bytes(plain, count, column->delta_text == PQ_DELTA_BYTE_ARRAY, &scratch->words, out);
  return column->delta_text;
}

static osdear__pq_encoding write_values(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__buf *out)
{
  const osdear__pq_page_in *page = &column->page;
  /* Pages of nulls that came before the decision are PLAIN, and not every reader takes that mixed with the DELTA encodings. */
  bool v2 = column->options->format_v2 && column->encoded_pages[PQ_PLAIN] == 0;

  if (column->use == DICTIONARY_UNDECIDED)
    return PQ_PLAIN;
  if (column->use == DICTIONARY_USED) {
    write_indices(column, out);
    return PQ_RLE_DICTIONARY;
  }
  if (column->dense == DENSE_BOOLEAN) {
    write_booleans(column, scratch, out);
    return column->options->format_v2 ? PQ_RLE : PQ_PLAIN;
  }
  if (v2 && (column->leaf->physical == PQ_INT32 || column->leaf->physical == PQ_INT64)) {
    osdear__pq_delta_write(page->plain.data, page->value_count, column->dense == DENSE_64, out);
    return PQ_DELTA_BINARY_PACKED;
  }
  if (v2 && column->leaf->physical == PQ_BYTE_ARRAY)
    return write_text(column, scratch, out);
  if (page->value_count > 0)
    osdear__buf_append(out, page->plain.data, page->plain.size);
  return PQ_PLAIN;
}

/* ---- the page as bytes ---- */

static osdear_status compress(const osdear__pq_encoder *column, osdear__pq_scratch *scratch, const char *in, size_t in_size,
                              size_t *out_size, osdear_error **error)
{
  size_t bound = osdear__compress_bound(column->options->codec, in_size);
  char *out;
  osdear_status st;

  osdear__buf_clear(&scratch->packed);
  out = osdear__buf_reserve(&scratch->packed, bound > in_size ? bound : in_size);
  if (!out)
    return check_buf(column, &scratch->packed, error);
  st = osdear__compress(&scratch->codec, column->options->codec, column->options->level, in, in_size, out, out_size, error);
  return st ? osdear__fail_within(error, st, "column %s", column->path.name) : OSDEAR_OK;
}

/* Header, `lead` (stored as it is) and `rest` as one block. */
static osdear_status assemble(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__pq_page_header *header,
                              osdear__str lead, osdear__str rest, osdear__pq_page_out *out, osdear_error **error)
{
  uint32_t crc = osdear__crc32(osdear__crc32(0, lead.data, lead.size), rest.data, rest.size);
  osdear_status st;

  header->compressed_page_size = (int32_t)(lead.size + rest.size);
  header->set = PAGE_HEADER_CRC;
  header->crc = (int32_t)crc;
  osdear__buf_clear(&scratch->header);
  osdear__thrift_write(&osdear__pq_page_header_thrift, header, &scratch->header);
  st = check_buf(column, &scratch->header, error);
  if (st)
    return st;
  out->size = scratch->header.size + lead.size + rest.size;
  if (lead.size + rest.size > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT,
                        "column %s: a page of %zu bytes is more than Parquet allows: one row is too large", column->path.name,
                        out->size);
  out->bytes = osdear__alloc(out->size);
  if (!out->bytes)
    return osdear__fail_memory(error);
  memcpy(out->bytes, scratch->header.data, scratch->header.size);
  if (lead.size > 0)
    memcpy(out->bytes + scratch->header.size, lead.data, lead.size);
  if (rest.size > 0)
    memcpy(out->bytes + scratch->header.size + lead.size, rest.data, rest.size);
  column->held_bytes += (int64_t)out->size;
  column->uncompressed_bytes += (int64_t)scratch->header.size + header->uncompressed_page_size;
  return OSDEAR_OK;
}

static osdear_status check_size(const osdear__pq_encoder *column, size_t size, osdear_error **error)
{
  if (size > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT,
                        "column %s: a page of %zu bytes is more than Parquet allows: one row is too large", column->path.name,
                        size);
  return OSDEAR_OK;
}

static osdear_status build_v1(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__pq_encoding *encoding,
                              osdear__pq_page_out *out, osdear_error **error)
{
  osdear__buf *body = &scratch->body;
  osdear__pq_data_page data = { .num_values = (int32_t)column->page.level_count,
                                .definition_level_encoding = PQ_RLE,
                                .repetition_level_encoding = PQ_RLE };
  osdear__pq_page_header header = { .type = PQ_DATA_PAGE, .data_page = &data };
  osdear__str rest;
  size_t rep_bytes, def_bytes;
  osdear_status st;

  write_all_levels(column, true, scratch, body, &rep_bytes, &def_bytes);
  *encoding = write_values(column, scratch, body);
  st = check_buf(column, body, error);
  if (!st)
    st = check_size(column, body->size, error);
  if (st)
    return st;
  data.encoding = (int32_t)*encoding;
  header.uncompressed_page_size = (int32_t)body->size;
  rest = (osdear__str){ body->data, body->size };
  if (column->options->codec != CODEC_NONE) {
    st = compress(column, scratch, body->data, body->size, &rest.size, error);
    if (st)
      return st;
    rest.data = scratch->packed.data;
  }
  return assemble(column, scratch, &header, (osdear__str){ NULL, 0 }, rest, out, error);
}

/* Version 2 leaves the levels uncompressed, and the values too where compression would only make them larger. */
static osdear_status build_v2(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear__pq_encoding *encoding,
                              osdear__pq_page_out *out, osdear_error **error)
{
  const osdear__pq_page_in *page = &column->page;
  osdear__buf *body = &scratch->body;
  osdear__pq_data_page_v2 data = { .set = DATA_PAGE_V2_COMPRESSED,
                                   .num_values = (int32_t)page->level_count,
                                   .num_nulls = (int32_t)(page->level_count - page->value_count),
                                   .num_rows = (int32_t)page->rows };
  osdear__pq_page_header header = { .type = PQ_DATA_PAGE_V2, .data_page_v2 = &data };
  size_t rep_bytes, def_bytes, packed_size = 0;
  osdear__str lead, rest;
  osdear_status st;

  write_all_levels(column, false, scratch, body, &rep_bytes, &def_bytes);
  *encoding = write_values(column, scratch, body);
  st = check_buf(column, body, error);
  if (!st)
    st = check_size(column, body->size, error);
  if (st)
    return st;
  data.encoding = (int32_t)*encoding;
  data.repetition_levels_byte_length = (int32_t)rep_bytes;
  data.definition_levels_byte_length = (int32_t)def_bytes;
  header.uncompressed_page_size = (int32_t)body->size;
  lead = (osdear__str){ body->data, rep_bytes + def_bytes };
  rest = (osdear__str){ body->data + lead.size, body->size - lead.size };
  if (column->options->codec != CODEC_NONE && rest.size > 0) {
    st = compress(column, scratch, rest.data, rest.size, &packed_size, error);
    if (st)
      return st;
    data.is_compressed = packed_size < rest.size;
  }
  if (data.is_compressed)
    rest = (osdear__str){ scratch->packed.data, packed_size };
  return assemble(column, scratch, &header, lead, rest, out, error);
}

/* ---- the dictionary's page ---- */

osdear_status osdear__pq_page_write_dictionary(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error)
{
  osdear__buf *body = &scratch->body;
  osdear__pq_dictionary_page data = { .num_values = (int32_t)column->dictionary.count, .encoding = PQ_PLAIN };
  osdear__pq_page_header header = { .type = PQ_DICTIONARY_PAGE, .dictionary_page = &data };
  osdear__str rest;
  osdear_status st;

  osdear__buf_clear(body);
  osdear__pq_distinct_write(&column->dictionary, column->width, body);
  st = check_buf(column, body, error);
  if (!st)
    st = check_size(column, body->size, error);
  if (st)
    return st;
  header.uncompressed_page_size = (int32_t)body->size;
  rest = (osdear__str){ body->data, body->size };
  if (column->options->codec != CODEC_NONE) {
    st = compress(column, scratch, body->data, body->size, &rest.size, error);
    if (st)
      return st;
    rest.data = scratch->packed.data;
  }
  return assemble(column, scratch, &header, (osdear__str){ NULL, 0 }, rest, &column->dictionary_page, error);
}

/* ---- the end of a page ---- */

/* The first page with values shows whether the dictionary saves anything; if not, its values are written plainly after all. */
static osdear_status decide(osdear__pq_encoder *column, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  size_t index_bits = page->value_count * (size_t)osdear__pq_bit_width(column->dictionary.count - 1);
  size_t with_dictionary = osdear__pq_distinct_bytes(&column->dictionary, column->width) + index_bits / 8;

  if (with_dictionary < page->plain_bytes) {
    column->use = DICTIONARY_USED;
    return OSDEAR_OK;
  }
  column->use = DICTIONARY_OFF;
  osdear__pq_distinct_expand(&column->dictionary, (const uint32_t *)(const void *)page->indices.data, page->value_count,
                             column->width, &page->plain);
  osdear__pq_distinct_clear(&column->dictionary);
  return check_buf(column, &page->plain, error);
}

static osdear_status new_page(osdear__pq_encoder *column, osdear__pq_page_out **out, osdear_error **error)
{
  osdear__pq_page_out *pages;
  size_t capacity = column->page_capacity * 2 + 16;

  if (column->page_count == column->page_capacity) {
    pages = osdear__realloc_array(column->pages, capacity, sizeof *pages);
    if (!pages)
      return osdear__fail_memory(error);
    column->pages = pages;
    column->page_capacity = capacity;
  }
  *out = &column->pages[column->page_count];
  memset(*out, 0, sizeof **out);
  return OSDEAR_OK;
}

/* Bounds of the page for the index, and into those of the chunk. */
static osdear_status note_bounds(osdear__pq_encoder *column, osdear__pq_page_out *out, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  bool exact;
  osdear_status st = osdear__pq_bounds_check(&page->bounds, error);

  if (st || !page->bounds.has)
    return st;
  out->has_bounds = true;
  out->min =
      osdear__pq_bounds_encode(&page->bounds, column->order, column->leaf, false, OSDEAR__PQ_BOUND_BYTES, &column->arena, &exact);
  out->max =
      osdear__pq_bounds_encode(&page->bounds, column->order, column->leaf, true, OSDEAR__PQ_BOUND_BYTES, &column->arena, &exact);
  if (!out->min.data || !out->max.data)
    return osdear__fail_memory(error);
  osdear__pq_bounds_merge(&column->chunk_bounds, column->order, &page->bounds);
  return osdear__pq_bounds_check(&column->chunk_bounds, error);
}

static void clear_page(osdear__pq_page_in *page)
{
  page->rows = 0;
  page->level_count = 0;
  page->value_count = 0;
  page->plain_bytes = 0;
  page->all_defined = true;
  osdear__buf_clear(&page->defs);
  osdear__buf_clear(&page->reps);
  osdear__buf_clear(&page->plain);
  osdear__buf_clear(&page->indices);
  osdear__pq_bounds_clear(&page->bounds);
}

osdear_status osdear__pq_page_end(osdear__pq_encoder *column, osdear__pq_scratch *scratch, osdear_error **error)
{
  osdear__pq_page_in *page = &column->page;
  osdear__pq_page_out *out = NULL;
  osdear__pq_encoding encoding = PQ_PLAIN;
  osdear_status st;

  if (page->rows == 0)
    return OSDEAR_OK;
  if (page->level_count > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "column %s: one row holds %zu values, more than a page can", column->path.name,
                        page->level_count);
  if (column->order == ORDER_BYTES && column->use != DICTIONARY_OFF)
    osdear__pq_distinct_page_bounds(&column->dictionary, &page->bounds);
  st = new_page(column, &out, error);
  if (!st && column->use == DICTIONARY_UNDECIDED && page->value_count > 0)
    st = decide(column, error);
  if (!st)
    st = note_bounds(column, out, error);
  if (st)
    return st;
  osdear__buf_clear(&scratch->body);
  st = column->options->format_v2 ? build_v2(column, scratch, &encoding, out, error)
                                  : build_v1(column, scratch, &encoding, out, error);
  if (st)
    return st;
  out->first_row = column->chunk_rows;
  out->null_count = (int64_t)(page->level_count - page->value_count);
  out->has_values = page->value_count > 0;
  column->page_count++;
  column->encoded_pages[encoding]++;
  column->chunk_rows += page->rows;
  column->chunk_levels += (int64_t)page->level_count;
  column->chunk_values += (int64_t)page->value_count;
  clear_page(page);
  return OSDEAR_OK;
}
