#include "fixture.h"

#include <criterion/criterion.h>

#include <formats/flat.h>

/* ---- reading FlatBuffers back, just enough ---- */

static const uint8_t *indirect(const uint8_t *at)
{
  return at + osdear__load_u32(at);
}

static const uint8_t *field_of(const uint8_t *table, size_t slot)
{
  const uint8_t *vtable = table - (int32_t)osdear__load_u32(table);
  uint16_t size, offset;

  memcpy(&size, vtable, 2);
  if (4 + slot * 2 >= size)
    return NULL;
  memcpy(&offset, vtable + 4 + slot * 2, 2);
  return offset ? table + offset : NULL;
}

static int64_t number_of(const uint8_t *table, size_t slot, size_t size)
{
  const uint8_t *at = field_of(table, slot);
  int64_t value = 0;

  if (at)
    memcpy(&value, at, size);
  return value;
}

Test(flat, tables_strings_and_vectors_point_where_they_should)
{
  osdear__flat flat = { 0 };
  osdear__flat_place name = osdear__flat_string(&flat, STR("osdear")), inner, both;
  osdear__str bytes;
  const uint8_t *root, *vector, *text;

  osdear__flat_open(&flat);
  osdear__flat_put(&flat, 0, 7, 1);
  inner = osdear__flat_close(&flat);
  both = osdear__flat_places(&flat, (osdear__flat_place[]){ inner, inner }, 2);
  osdear__flat_open(&flat);
  osdear__flat_put(&flat, 1, -5, 8);
  osdear__flat_point(&flat, 2, name);
  osdear__flat_point(&flat, 3, both);
  cr_assert_eq(osdear__flat_finish(&flat, osdear__flat_close(&flat), &bytes, NULL), OSDEAR_OK);
  cr_expect_eq(bytes.size % 8, 0);
  root = indirect((const uint8_t *)bytes.data);
  cr_expect_null(field_of(root, 0));
  cr_expect_eq(number_of(root, 1, 8), -5);
  cr_expect_eq((size_t)(field_of(root, 1) - (const uint8_t *)bytes.data) % 8, 0);
  text = indirect(field_of(root, 2));
  cr_expect_eq(osdear__load_u32(text), 6);
  cr_expect_str_eq((const char *)text + 4, "osdear");
  vector = indirect(field_of(root, 3));
  cr_expect_eq(osdear__load_u32(vector), 2);
  cr_expect_eq(number_of(indirect(vector + 8), 0, 1), 7);
  osdear__flat_drop(&flat);
}

/* ---- the stream ---- */

typedef struct message {
  const uint8_t *table;  /* Message */
  const uint8_t *header; /* Schema or RecordBatch */
  int64_t kind;
  const uint8_t *body;
  int64_t body_size;
} message;

/* NULL at the end mark. */
static const uint8_t *read_message(const uint8_t *at, message *out)
{
  uint32_t size = osdear__load_u32(at + 4);

  cr_assert_eq(osdear__load_u32(at), UINT32_MAX);
  cr_assert_eq(size % 8, 0);
  if (!size)
    return NULL;
  out->table = indirect(at + 8);
  cr_expect_eq(number_of(out->table, 0, 2), 4, "metadata version 5 has number 4");
  out->kind = number_of(out->table, 1, 1);
  out->header = indirect(field_of(out->table, 2));
  out->body_size = number_of(out->table, 3, 8);
  out->body = at + 8 + size;
  return out->body + out->body_size;
}

Test(arrow_sink, has_a_schema_batches_and_an_end)
{
  output out = { 0 };
  message schema = { 0 }, batch = { 0 };
  const uint8_t *at, *fields, *field, *buffers;
  int64_t offset;

  cr_assert_eq(sink_text("{\"a\":1,\"b\":\"xy\"}\n{\"a\":null,\"b\":\"z\"}\n", NULL, "arrow", NULL, &out, NULL), OSDEAR_OK);
  cr_expect_eq(out.rows, 2);
  at = read_message((const uint8_t *)out.data, &schema);
  cr_assert_not_null(at);
  cr_expect_eq(schema.kind, 1);
  fields = indirect(field_of(schema.header, 1));
  cr_assert_eq(osdear__load_u32(fields), 2);
  field = indirect(fields + 4);
  cr_expect_str_eq((const char *)indirect(field_of(field, 0)) + 4, "a");
  cr_expect_eq(number_of(field, 2, 1), 2, "Int");
  cr_expect_eq(number_of(indirect(field_of(field, 3)), 0, 4), 64);
  at = read_message(at, &batch);
  cr_assert_not_null(at);
  cr_expect_eq(batch.kind, 3);
  cr_expect_eq(number_of(batch.header, 0, 8), 2);
  buffers = indirect(field_of(batch.header, 2));
  cr_assert_eq(osdear__load_u32(buffers), 5);
  cr_expect_eq((size_t)(buffers + 4 - (const uint8_t *)out.data) % 8, 0, "structs of int64 begin at a multiple of eight");
  cr_expect_eq((size_t)(indirect(field_of(batch.header, 1)) + 4 - (const uint8_t *)out.data) % 8, 0);
  memcpy(&offset, buffers + 4 + 4 * 16, sizeof offset);
  cr_expect_eq(memcmp(batch.body + offset, "xyz", 3), 0);
  memcpy(&offset, buffers + 4, sizeof offset);
  cr_expect_eq(batch.body[offset] & 3, 1, "the second is null");
  cr_expect_null(read_message(at, &batch));
  cr_expect_eq((const char *)at + 8, out.data + out.size);
  output_drop(&out);
}
