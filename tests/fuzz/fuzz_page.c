/* Any bytes as a page of any kind, encoding and type, in a file that is sound apart from that: levels, decoders, decompressors.
 * The head says what kind of page it is; then come a dictionary's bytes, levels where the page keeps them apart, and the rest. */
#include "../support/assembled.h"
#include "read_parquet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct page_head {
  uint8_t version, shape, physical, annotation, encoding, level_encoding, values, codec, uncompressed, entries, dictionary, rep,
      def;
} page_head;

/* shape 0..2: a flat column of that repetition; 3: a list of it; 4: a struct of it. */
static void add_schema(osdear__assembled *file, const page_head *head, osdear__pq_physical physical)
{
  osdear__pq_schema_element *leaf;
  uint8_t shape = head->shape % 5;

  assembled_start(file, 1);
  if (shape == 3) {
    osdear__pq_schema_element *list = assembled_group(file, "c", PQ_OPTIONAL, 1);

    list->set |= ELEMENT_CONVERTED;
    list->converted_type = PQ_LIST;
    assembled_group(file, "list", PQ_REPEATED, 1);
  } else if (shape == 4) {
    assembled_group(file, "c", PQ_OPTIONAL, 1);
  }
  leaf = assembled_column(file, "leaf", shape > 2 ? PQ_OPTIONAL : (osdear__pq_repetition)shape, physical);
  if (physical == PQ_FIXED) {
    leaf->set |= ELEMENT_TYPE_LENGTH;
    leaf->type_length = head->annotation % 24 + 1;
  }
  if (head->annotation & 0x80) {
    leaf->set |= ELEMENT_CONVERTED | ELEMENT_PRECISION;
    leaf->converted_type = head->annotation % 22;
    leaf->precision = 9;
  }
}

static osdear__str take(osdear__str *from, size_t size)
{
  osdear__str taken = { from->data, size < from->size ? size : from->size };

  from->data += taken.size;
  from->size -= taken.size;
  return taken;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const osdear__codec codecs[] = { CODEC_NONE, CODEC_NONE, CODEC_SNAPPY, CODEC_LZ4_HADOOP, CODEC_ZSTD, CODEC_GZIP };
  osdear__str rest = { (const char *)data, size };
  SCOPED(assembled) file = { 0 };
  osdear__pq_physical physical;
  assembled_page page = { .type = PQ_DATA_PAGE };
  osdear__input *input;
  page_head head;

  if (size < sizeof head)
    return 0;
  memcpy(&head, take(&rest, sizeof head).data, sizeof head);
  physical = (osdear__pq_physical)(head.physical % PQ_PHYSICALS);
  page.values = head.values > 200 ? head.values * 100 : head.values;
  add_schema(&file, &head, physical);
  assembled_chunk(&file, physical, codecs[head.codec % COUNT_OF(codecs)], page.values);
  if (head.entries) {
    assembled_page dictionary = { .type = PQ_DICTIONARY_PAGE, .values = head.entries, .body = take(&rest, head.dictionary) };
    assembled_add(&file, &dictionary);
  }
  if (head.version & 1) {
    page.type = PQ_DATA_PAGE_V2;
    page.rows = page.values;
    page.rep = take(&rest, head.rep);
    page.def = take(&rest, head.def);
  }
  page.encoding = head.encoding % 10;
  page.level_encoding = head.level_encoding & 1 ? PQ_BIT_PACKED : PQ_RLE;
  page.uncompressed = head.uncompressed * 16;
  page.body = rest;
  assembled_add(&file, &page);
  assembled_end_group(&file, page.values);
  assembled_finish(&file);
  if (osdear__input_of_bytes(file.bytes.data, file.bytes.size, "input", &input, NULL) == OSDEAR_OK)
    read_everything(input);
  return 0;
}
