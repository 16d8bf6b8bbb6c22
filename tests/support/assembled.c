#include "assembled.h"

static void *zeroed(osdear__assembled *file, size_t size)
{
  void *block = osdear__arena_zeroed(&file->arena, 1, size);

  if (!block)
    __builtin_trap();
  return block;
}

void osdear__assembled_drop(osdear__assembled *file)
{
  osdear__buf_drop(&file->bytes);
  osdear__arena_drop(&file->arena);
}

/* ---- the schema ---- */

static osdear__pq_schema_element *next_element(osdear__assembled *file, const char *name)
{
  osdear__pq_schema_element *element = &file->elements[file->meta.schema_count++];

  if (file->meta.schema_count > ASSEMBLED_ELEMENTS)
    __builtin_trap();
  element->name = osdear__str_of(name);
  return element;
}

void assembled_start(osdear__assembled *file, int32_t columns)
{
  osdear__pq_schema_element *root;

  file->meta.version = 1;
  file->meta.schema = file->elements;
  file->meta.row_groups = file->groups;
  osdear__buf_puts(&file->bytes, "PAR1");
  root = next_element(file, "schema");
  root->set = ELEMENT_NUM_CHILDREN;
  root->num_children = columns;
}

osdear__pq_schema_element *assembled_column(osdear__assembled *file, const char *name, osdear__pq_repetition repetition,
                                            osdear__pq_physical physical)
{
  osdear__pq_schema_element *element = next_element(file, name);

  element->set = ELEMENT_TYPE | ELEMENT_REPETITION;
  element->type = (int32_t)physical;
  element->repetition_type = (int32_t)repetition;
  return element;
}

osdear__pq_schema_element *assembled_group(osdear__assembled *file, const char *name, osdear__pq_repetition repetition,
                                           int32_t children)
{
  osdear__pq_schema_element *element = next_element(file, name);

  element->set = ELEMENT_NUM_CHILDREN | ELEMENT_REPETITION;
  element->num_children = children;
  element->repetition_type = (int32_t)repetition;
  return element;
}

osdear__pq_logical_type *assembled_logical(osdear__assembled *file, osdear__pq_schema_element *element, uint32_t bit)
{
  element->logical_type = zeroed(file, sizeof *element->logical_type);
  element->logical_type->set = bit;
  return element->logical_type;
}

/* ---- pages ---- */

osdear__pq_column_chunk *assembled_chunk(osdear__assembled *file, osdear__pq_physical physical, osdear__codec codec,
                                         int64_t values)
{
  osdear__pq_column_chunk *chunk = &file->chunks[file->chunk_count++];
  osdear__pq_column_meta *meta = zeroed(file, sizeof *meta);

  if (file->chunk_count > ASSEMBLED_CHUNKS)
    __builtin_trap();
  meta->type = (int32_t)physical;
  meta->codec = (int32_t)codec;
  meta->num_values = values;
  meta->data_page_offset = (int64_t)file->bytes.size;
  chunk->meta_data = meta;
  return chunk;
}

static void fill_header(osdear__assembled *file, const assembled_page *page, osdear__pq_page_header *header)
{
  int32_t level_encoding = page->level_encoding ? page->level_encoding : PQ_RLE;

  header->type = (int32_t)page->type;
  if (page->type == PQ_DATA_PAGE) {
    header->data_page = zeroed(file, sizeof *header->data_page);
    *header->data_page = (osdear__pq_data_page){ .num_values = page->values,
                                                 .encoding = page->encoding,
                                                 .definition_level_encoding = level_encoding,
                                                 .repetition_level_encoding = level_encoding };
  } else if (page->type == PQ_DATA_PAGE_V2) {
    header->data_page_v2 = zeroed(file, sizeof *header->data_page_v2);
    *header->data_page_v2 = (osdear__pq_data_page_v2){ .set = page->is_not_compressed ? DATA_PAGE_V2_COMPRESSED : 0,
                                                       .num_values = page->values,
                                                       .num_nulls = page->nulls,
                                                       .num_rows = page->rows,
                                                       .encoding = page->encoding,
                                                       .definition_levels_byte_length = (int32_t)page->def.size,
                                                       .repetition_levels_byte_length = (int32_t)page->rep.size };
  } else if (page->type == PQ_DICTIONARY_PAGE) {
    header->dictionary_page = zeroed(file, sizeof *header->dictionary_page);
    *header->dictionary_page = (osdear__pq_dictionary_page){ .num_values = page->values, .encoding = page->encoding };
  }
}

int64_t assembled_add(osdear__assembled *file, const assembled_page *page)
{
  osdear__pq_column_meta *meta = file->chunks[file->chunk_count - 1].meta_data;
  int64_t at = (int64_t)file->bytes.size;
  size_t size = page->rep.size + page->def.size + page->body.size;
  osdear__pq_page_header header = { .compressed_page_size = (int32_t)size,
                                    .uncompressed_page_size = page->uncompressed ? page->uncompressed : (int32_t)size };

  fill_header(file, page, &header);
  if (page->with_crc) {
    uint32_t crc = osdear__crc32(0, page->rep.data, page->rep.size);

    crc = osdear__crc32(crc, page->def.data, page->def.size);
    header.set = PAGE_HEADER_CRC;
    header.crc = (int32_t)(osdear__crc32(crc, page->body.data, page->body.size) + page->crc_error);
  }
  osdear__thrift_write(&osdear__pq_page_header_thrift, &header, &file->bytes);
  osdear__buf_append(&file->bytes, page->rep.data, page->rep.size);
  osdear__buf_append(&file->bytes, page->def.data, page->def.size);
  osdear__buf_append(&file->bytes, page->body.data, page->body.size);
  if (page->type == PQ_DICTIONARY_PAGE && !(meta->set & COLUMN_META_DICTIONARY_PAGE)) {
    meta->set |= COLUMN_META_DICTIONARY_PAGE;
    meta->dictionary_page_offset = at;
    meta->data_page_offset = (int64_t)file->bytes.size;
  }
  meta->total_compressed_size += (int64_t)file->bytes.size - at;
  meta->total_uncompressed_size += (int64_t)file->bytes.size - at;
  return at;
}

/* ---- the footer ---- */

void assembled_bloom(osdear__assembled *file, osdear__pq_column_chunk *chunk, int64_t value)
{
  static const uint32_t salts[] = {
    0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
  };
  osdear__pq_bloom_choice choice = { .set = SET(1) };
  osdear__pq_bloom_header header = { .num_bytes = 32, .algorithm = &choice, .hash = &choice, .compression = &choice };
  uint32_t hash = (uint32_t)osdear__xxh64(&value, sizeof value, 0), block[8];

  for (int i = 0; i < 8; i++)
    block[i] = UINT32_C(1) << (hash * salts[i] >> 27);
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET | COLUMN_META_BLOOM_LENGTH;
  chunk->meta_data->bloom_filter_offset = (int64_t)file->bytes.size;
  osdear__thrift_write(&osdear__pq_bloom_header_thrift, &header, &file->bytes);
  osdear__buf_append(&file->bytes, block, sizeof block);
  chunk->meta_data->bloom_filter_length = (int32_t)((int64_t)file->bytes.size - chunk->meta_data->bloom_filter_offset);
}

void assembled_end_group(osdear__assembled *file, int64_t rows)
{
  osdear__pq_row_group *group = &file->groups[file->meta.row_group_count++];

  if (file->meta.row_group_count > ASSEMBLED_GROUPS)
    __builtin_trap();
  group->columns = &file->chunks[file->group_first];
  group->column_count = file->chunk_count - file->group_first;
  group->num_rows = rows;
  file->group_first = file->chunk_count;
  file->meta.num_rows += rows;
}

void assembled_finish(osdear__assembled *file)
{
  size_t from = file->bytes.size;
  char length[4];

  osdear__thrift_write(&osdear__pq_file_meta_thrift, &file->meta, &file->bytes);
  osdear__store_u32(length, (uint32_t)(file->bytes.size - from));
  osdear__buf_append(&file->bytes, length, sizeof length);
  osdear__buf_puts(&file->bytes, "PAR1");
  if (file->bytes.failed)
    __builtin_trap();
}

void assembled_flat(osdear__assembled *file, osdear__pq_repetition repetition, osdear__pq_physical physical,
                    const assembled_page *page)
{
  assembled_start(file, 1);
  assembled_column(file, "c", repetition, physical);
  assembled_chunk(file, physical, CODEC_NONE, page->values);
  assembled_add(file, page);
  assembled_end_group(file, page->values);
  assembled_finish(file);
}

osdear_status assembled_open(const osdear__assembled *file, osdear__parquet **out, osdear_error **error)
{
  osdear__input *input;
  osdear_status st = osdear__input_of_bytes(file->bytes.data, file->bytes.size, "assembled", &input, error);

  return st ? st : osdear__parquet_open(input, NULL, out, error);
}
