/* Any bytes as a variant. The first two say how long its metadata is, a third what follows: where bit 0 is set the rest is the value,
 * otherwise the value and a typed_value of a shredded column, of the length that the next byte says. What is sound must print as JSON. */
#include "../support/assembled.h"
#include "read_parquet.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(osdear__str metadata, osdear__str value)
{
  osdear__variant_names names;
  SCOPED(buf) text = { 0 };

  if (!osdear__variant_names_read(metadata, &names) || !osdear__variant_names_are_sound(&names) ||
      !osdear__variant_is_sound(&names, value))
    return;
  if (!osdear__variant_json(metadata, value, &text) && !text.failed)
    abort();
}

static osdear__str plain(osdear__assembled *file, osdear__str bytes)
{
  char *made = osdear__arena_alloc(&file->arena, bytes.size + 4);

  if (!made)
    abort();
  osdear__store_u32(made, (uint32_t)bytes.size);
  memcpy(made + 4, bytes.data, bytes.size);
  return (osdear__str){ made, bytes.size + 4 };
}

static void add_leaf(osdear__assembled *file, osdear__str bytes, osdear__str def)
{
  assembled_page page = { .type = PQ_DATA_PAGE_V2, .values = 1, .rows = 1, .def = def, .body = plain(file, bytes) };

  if (def.size && def.data[1] < 2) { /* null */
    page.nulls = 1;
    page.body = (osdear__str){ NULL, 0 };
  }
  assembled_chunk(file, PQ_BYTE_ARRAY, CODEC_NONE, 1);
  assembled_add(file, &page);
}

/* group v (VARIANT) { metadata; value; typed_value { a { value; typed_value } } }: one row. */
static void shred(osdear__str metadata, osdear__str value, osdear__str field, osdear__str text)
{
  SCOPED(assembled) file = { 0 };
  osdear__input *input;

  assembled_start(&file, 1);
  assembled_logical(&file, assembled_group(&file, "v", PQ_OPTIONAL, 3), LOGICAL_VARIANT)->variant =
      osdear__arena_zeroed(&file.arena, 1, sizeof(osdear__pq_variant_type));
  assembled_column(&file, "metadata", PQ_REQUIRED, PQ_BYTE_ARRAY);
  assembled_column(&file, "value", PQ_OPTIONAL, PQ_BYTE_ARRAY);
  assembled_group(&file, "typed_value", PQ_OPTIONAL, 1);
  assembled_group(&file, "a", PQ_REQUIRED, 2);
  assembled_column(&file, "value", PQ_OPTIONAL, PQ_BYTE_ARRAY);
  assembled_logical(&file, assembled_column(&file, "typed_value", PQ_OPTIONAL, PQ_BYTE_ARRAY), LOGICAL_STRING);
  add_leaf(&file, metadata, STR("\2\1"));
  add_leaf(&file, value, value.size ? STR("\2\2") : STR("\2\1"));
  add_leaf(&file, field, field.size ? STR("\2\3") : STR("\2\2"));
  add_leaf(&file, text, text.size ? STR("\2\3") : STR("\2\2"));
  assembled_end_group(&file, 1);
  assembled_finish(&file);
  if (osdear__input_of_bytes(file.bytes.data, file.bytes.size, "input", &input, NULL) == OSDEAR_OK)
    read_everything(input);
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
  osdear__str rest = { (const char *)data, size };
  osdear__str metadata, value, field;

  if (size < 4)
    return 0;
  take(&rest, 4);
  metadata = take(&rest, data[0] | (size_t)data[1] << 8);
  if (data[2] & 1) {
    check(metadata, rest);
    return 0;
  }
  value = take(&rest, data[2] >> 1);
  field = take(&rest, data[3]);
  shred(metadata, value, field, rest);
  return 0;
}
