/* Any bytes as the offset index, the column index and the bloom filter of a column that is sound itself. The first byte is the physical
 * type, the next two are the lengths of the first two; the rest is the filter. */
#include "../support/assembled.h"
#include "read_parquet.h"

#define VALUES 24
#define PAGES 3

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void add_pages(osdear__assembled *file, osdear__pq_physical physical)
{
  static const char zeros[VALUES / PAGES * 12];
  size_t bytes = physical == PQ_INT32 || physical == PQ_FLOAT || physical == PQ_BYTE_ARRAY ? 4 : 8;

  for (int i = 0; i < PAGES; i++) {
    assembled_page page = { .values = VALUES / PAGES, .body = { zeros, VALUES / PAGES * bytes } };
    assembled_add(file, &page);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const osdear__pq_physical physicals[] = { PQ_INT32, PQ_INT64, PQ_FLOAT, PQ_DOUBLE, PQ_BYTE_ARRAY };
  SCOPED(assembled) file = { 0 };
  osdear__pq_column_chunk *chunk;
  osdear__pq_physical physical;
  osdear__input *input;
  size_t offsets, bounds;

  if (size < 3)
    return 0;
  physical = physicals[data[0] % COUNT_OF(physicals)];
  offsets = data[1] < size - 3 ? data[1] : size - 3;
  bounds = data[2] < size - 3 - offsets ? data[2] : size - 3 - offsets;
  assembled_start(&file, 1);
  assembled_column(&file, "c", PQ_REQUIRED, physical);
  chunk = assembled_chunk(&file, physical, CODEC_NONE, VALUES);
  add_pages(&file, physical);
  chunk->set = CHUNK_OFFSET_INDEX | CHUNK_COLUMN_INDEX;
  chunk->offset_index_offset = (int64_t)file.bytes.size;
  chunk->offset_index_length = (int32_t)offsets;
  chunk->column_index_offset = chunk->offset_index_offset + (int64_t)offsets;
  chunk->column_index_length = (int32_t)bounds;
  chunk->meta_data->set |= COLUMN_META_BLOOM_OFFSET;
  chunk->meta_data->bloom_filter_offset = chunk->column_index_offset + (int64_t)bounds;
  osdear__buf_append(&file.bytes, data + 3, size - 3);
  file.meta.column_orders = &(osdear__pq_column_order){ .set = COLUMN_ORDER_TYPE };
  file.meta.column_order_count = 1;
  assembled_end_group(&file, VALUES);
  assembled_finish(&file);
  if (osdear__input_of_bytes(file.bytes.data, file.bytes.size, "input", &input, NULL) == OSDEAR_OK)
    read_everything(input);
  return 0;
}
