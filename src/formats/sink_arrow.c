/* Arrow's IPC streaming format: a message with the schema, one for each batch with its buffers behind it, an end mark.
 * Numbers of fields and enums are those of the format's Schema.fbs and Message.fbs. */
#include "flat.h"
#include "sink.h"

enum { HEADER_SCHEMA = 1, HEADER_BATCH = 3, METADATA_V5 = 4 };
enum {
  TYPE_NULL = 1,
  TYPE_INT = 2,
  TYPE_FLOAT = 3,
  TYPE_BINARY = 4,
  TYPE_UTF8 = 5,
  TYPE_BOOL = 6,
  TYPE_DECIMAL = 7,
  TYPE_DATE = 8,
  TYPE_TIME = 9,
  TYPE_TIMESTAMP = 10,
  TYPE_LIST = 12,
  TYPE_STRUCT = 13,
  TYPE_FIXED = 15,
  TYPE_MAP = 17
};
enum { UNIT_DAY = 0, UNIT_MICROSECOND = 2 };

typedef struct arrow_buffer {
  int64_t offset;
  int64_t size;
} arrow_buffer;

typedef struct arrow_state {
  osdear__flat flat;
  osdear__buf nodes;   /* of length and null count: two int64 each */
  osdear__buf buffers; /* arrow_buffer */
  osdear__buf data;    /* const void * of each buffer */
  int64_t body_size;
} arrow_state;

/* A Variant travels as the struct that it is stored as. */
static const osdear__field variant_fields[2] = {
  { .name = "metadata", .field_id = -1, .type = { .kind = KIND_BINARY } },
  { .name = "value", .field_id = -1, .type = { .kind = KIND_BINARY } },
};

static const osdear__field *fields_of(const osdear__type *type, size_t *count)
{
  *count = type->kind == KIND_VARIANT ? COUNT_OF(variant_fields) : type->field_count;
  return type->kind == KIND_VARIANT ? variant_fields : type->fields;
}

/* ---- the schema ---- */

static osdear__flat_place int_type(osdear__flat *flat, int64_t bits, bool is_signed)
{
  osdear__flat_open(flat);
  osdear__flat_put(flat, 0, bits, 4);
  osdear__flat_put(flat, 1, is_signed, 1);
  return osdear__flat_close(flat);
}

/* A type table of one number: the precision of a float, the unit of a date, the width of fixed bytes. */
static osdear__flat_place plain_type(osdear__flat *flat, int64_t number, size_t size)
{
  osdear__flat_open(flat);
  if (size)
    osdear__flat_put(flat, 0, number, size);
  return osdear__flat_close(flat);
}

static osdear__flat_place decimal_type(osdear__flat *flat, const osdear__type *type)
{
  osdear__flat_open(flat);
  osdear__flat_put(flat, 0, type->precision, 4);
  osdear__flat_put(flat, 1, type->scale, 4);
  osdear__flat_put(flat, 2, 128, 4);
  return osdear__flat_close(flat);
}

static osdear__flat_place timestamp_type(osdear__flat *flat, bool has_zone)
{
  osdear__flat_place zone = has_zone ? osdear__flat_string(flat, STR("UTC")) : 0;

  osdear__flat_open(flat);
  osdear__flat_put(flat, 0, UNIT_MICROSECOND, 2);
  osdear__flat_point(flat, 1, zone);
  return osdear__flat_close(flat);
}

static osdear__flat_place time_type(osdear__flat *flat)
{
  osdear__flat_open(flat);
  osdear__flat_put(flat, 0, UNIT_MICROSECOND, 2);
  osdear__flat_put(flat, 1, 64, 4);
  return osdear__flat_close(flat);
}

static osdear__flat_place put_type(osdear__flat *flat, const osdear__type *type, int64_t *number)
{
  static const struct {
    int64_t number, bits;
    bool is_signed;
  } integers[] = {
    [KIND_BYTE] = { TYPE_INT, 8, true },     [KIND_SHORT] = { TYPE_INT, 16, true },   [KIND_INTEGER] = { TYPE_INT, 32, true },
    [KIND_LONG] = { TYPE_INT, 64, true },    [KIND_UINT8] = { TYPE_INT, 8, false },   [KIND_UINT16] = { TYPE_INT, 16, false },
    [KIND_UINT32] = { TYPE_INT, 32, false }, [KIND_UINT64] = { TYPE_INT, 64, false },
  };
  static const int64_t numbers[] = {
    [KIND_VOID] = TYPE_NULL,
    [KIND_BOOLEAN] = TYPE_BOOL,
    [KIND_FLOAT] = TYPE_FLOAT,
    [KIND_DOUBLE] = TYPE_FLOAT,
    [KIND_FLOAT16] = TYPE_FLOAT,
    [KIND_DECIMAL] = TYPE_DECIMAL,
    [KIND_STRING] = TYPE_UTF8,
    [KIND_BINARY] = TYPE_BINARY,
    [KIND_DATE] = TYPE_DATE,
    [KIND_TIMESTAMP] = TYPE_TIMESTAMP,
    [KIND_TIMESTAMP_NTZ] = TYPE_TIMESTAMP,
    [KIND_TIME] = TYPE_TIME,
    [KIND_ARRAY] = TYPE_LIST,
    [KIND_MAP] = TYPE_MAP,
    [KIND_STRUCT] = TYPE_STRUCT,
    [KIND_VARIANT] = TYPE_STRUCT,
    [KIND_FIXED] = TYPE_FIXED,
  };

  if ((size_t)type->kind < COUNT_OF(integers) && integers[type->kind].number) {
    *number = TYPE_INT;
    return int_type(flat, integers[type->kind].bits, integers[type->kind].is_signed);
  }
  *number = numbers[type->kind];
  switch (type->kind) {
  case KIND_FLOAT16: return plain_type(flat, 0, 2);
  case KIND_FLOAT: return plain_type(flat, 1, 2);
  case KIND_DOUBLE: return plain_type(flat, 2, 2);
  case KIND_DECIMAL: return decimal_type(flat, type);
  case KIND_DATE: return plain_type(flat, UNIT_DAY, 2); /* not the default, which is milliseconds */
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return timestamp_type(flat, type->kind == KIND_TIMESTAMP);
  case KIND_TIME: return time_type(flat);
  case KIND_FIXED: return plain_type(flat, type->width, 4);
  default: return plain_type(flat, 0, 0);
  }
}

static osdear__flat_place key_value(osdear__flat *flat, osdear__str key, osdear__str value)
{
  osdear__flat_place key_at = osdear__flat_string(flat, key), value_at = osdear__flat_string(flat, value);

  osdear__flat_open(flat);
  osdear__flat_point(flat, 0, key_at);
  osdear__flat_point(flat, 1, value_at);
  return osdear__flat_close(flat);
}

static osdear__flat_place variant_metadata(osdear__flat *flat)
{
  osdear__flat_place pairs[2];

  pairs[0] = key_value(flat, STR("ARROW:extension:name"), STR("arrow.parquet.variant"));
  pairs[1] = key_value(flat, STR("ARROW:extension:metadata"), STR(""));
  return osdear__flat_places(flat, pairs, 2);
}

static osdear__flat_place put_field(osdear__flat *flat, const osdear__field *field);

static osdear__flat_place put_fields(osdear__flat *flat, const osdear__field *fields, size_t count)
{
  osdear__flat_place *places = count ? osdear__alloc_zeroed(count, sizeof *places) : NULL, all;

  if (count && !places) {
    flat->failed = OSDEAR_ERR_NO_MEMORY;
    return 0;
  }
  for (size_t i = 0; i < count; i++)
    places[i] = put_field(flat, &fields[i]);
  all = osdear__flat_places(flat, places, count);
  osdear__free(places);
  return all;
}

/* A map's only child is the struct of its keys and values. */
static osdear__flat_place put_children(osdear__flat *flat, const osdear__type *type)
{
  osdear__field entries = { .name = "entries", .field_id = -1, .type = { .kind = KIND_STRUCT } };
  size_t count;
  const osdear__field *fields = fields_of(type, &count);

  if (type->kind != KIND_MAP)
    return put_fields(flat, fields, count);
  entries.type.field_count = type->field_count;
  entries.type.fields = type->fields;
  return put_fields(flat, &entries, 1);
}

static osdear__flat_place put_field(osdear__flat *flat, const osdear__field *field)
{
  osdear__flat_place children = put_children(flat, &field->type);
  osdear__flat_place metadata = field->type.kind == KIND_VARIANT ? variant_metadata(flat) : 0;
  osdear__flat_place name = osdear__flat_string(flat, osdear__str_of(field->name)), type;
  int64_t number;

  type = put_type(flat, &field->type, &number);
  osdear__flat_open(flat);
  osdear__flat_point(flat, 0, name);
  osdear__flat_point(flat, 3, type);
  osdear__flat_point(flat, 5, children);
  osdear__flat_point(flat, 6, metadata);
  osdear__flat_put(flat, 1, field->nullable, 1);
  osdear__flat_put(flat, 2, number, 1);
  return osdear__flat_close(flat);
}

/* ---- messages ---- */

/* Metadata with its size before it, padded so that what follows begins at a multiple of eight. */
static osdear_status write_message(osdear__sink *sink, int64_t header_type, osdear__flat_place header, int64_t body_size,
                                   osdear_error **error)
{
  static const char zeros[8];
  arrow_state *state = sink->state;
  osdear__flat *flat = &state->flat;
  osdear__str bytes = { 0 };
  uint32_t prefix[2] = { UINT32_MAX, 0 };
  osdear_status st;

  osdear__flat_open(flat);
  osdear__flat_put(flat, 3, body_size, 8);
  osdear__flat_point(flat, 2, header);
  osdear__flat_put(flat, 0, METADATA_V5, 2);
  osdear__flat_put(flat, 1, header_type, 1);
  st = osdear__flat_finish(flat, osdear__flat_close(flat), &bytes, error);
  if (st)
    return st;
  prefix[1] = (uint32_t)((bytes.size + 7) & ~(size_t)7);
  osdear__buf_append(&sink->out, prefix, sizeof prefix);
  osdear__buf_append(&sink->out, bytes.data, bytes.size);
  osdear__buf_append(&sink->out, zeros, prefix[1] - bytes.size);
  osdear__flat_clear(flat);
  return osdear__sink_spill(sink, error);
}

static osdear_status arrow_begin(osdear__sink *sink, osdear_error **error)
{
  arrow_state *state = osdear__alloc_zeroed(1, sizeof *state);
  osdear__flat_place fields;

  if (!state)
    return osdear__fail_memory(error);
  sink->state = state;
  fields = put_fields(&state->flat, sink->type->fields, sink->type->field_count);
  osdear__flat_open(&state->flat);
  osdear__flat_point(&state->flat, 1, fields);
  return write_message(sink, HEADER_SCHEMA, osdear__flat_close(&state->flat), 0, error);
}

/* ---- batches ---- */

static void add_buffer(arrow_state *state, const void *data, int64_t size)
{
  arrow_buffer buffer = { state->body_size, data ? size : 0 };

  osdear__buf_append(&state->buffers, &buffer, sizeof buffer);
  osdear__buf_append(&state->data, &data, sizeof(data));
  state->body_size += (buffer.size + 7) & ~INT64_C(7);
}

static void add_values(arrow_state *state, const osdear__type *type, const struct ArrowArray *array)
{
  int64_t length = array->length;
  const int32_t *offsets;

  switch (type->kind) {
  case KIND_STRING:
  case KIND_BINARY:
    offsets = array->buffers[1];
    add_buffer(state, offsets, (length + 1) * 4);
    add_buffer(state, array->buffers[2], offsets ? offsets[length] : 0);
    return;
  case KIND_ARRAY:
  case KIND_MAP: add_buffer(state, array->buffers[1], (length + 1) * 4); return;
  case KIND_STRUCT:
  case KIND_VARIANT: return;
  case KIND_BOOLEAN: add_buffer(state, array->buffers[1], (length + 7) / 8); return;
  default: add_buffer(state, array->buffers[1], length * osdear__type_width(type)); return;
  }
}

/* Nodes and buffers in the order of a walk through the schema, parents first. */
static void add_array(arrow_state *state, const osdear__type *type, const struct ArrowArray *array)
{
  int64_t node[2] = { array->length, type->kind == KIND_VOID ? array->length : array->null_count };
  size_t count;
  const osdear__field *fields = fields_of(type, &count);

  osdear__buf_append(&state->nodes, node, sizeof node);
  if (type->kind == KIND_VOID)
    return;
  add_buffer(state, node[1] ? array->buffers[0] : NULL, (array->length + 7) / 8);
  add_values(state, type, array);
  if (type->kind == KIND_MAP) {
    const osdear__type entries = { .kind = KIND_STRUCT, .field_count = type->field_count, .fields = type->fields };
    add_array(state, &entries, array->children[0]);
    return;
  }
  for (size_t i = 0; i < count; i++)
    add_array(state, &fields[i].type, array->children[i]);
}

static osdear_status write_body(osdear__sink *sink, osdear_error **error)
{
  static const char zeros[8];
  const arrow_state *state = sink->state;
  const arrow_buffer *buffers = (const arrow_buffer *)(const void *)state->buffers.data;
  const void *const *data = (const void *const *)(const void *)state->data.data;
  size_t count = state->buffers.size / sizeof *buffers;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && i < count; i++) {
    size_t size = (size_t)buffers[i].size;
    if (size >= OSDEAR__SINK_BYTES) {
      st = osdear__sink_flush(sink, error); /* long ones go out as they lie there */
      if (!st)
        st = osdear__sink_write(sink, data[i], size, error);
    } else if (size) {
      osdear__buf_append(&sink->out, data[i], size);
    }
    osdear__buf_append(&sink->out, zeros, (0 - size) & 7);
    if (!st)
      st = osdear__sink_spill(sink, error);
  }
  return st;
}

static osdear_status arrow_add(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error)
{
  arrow_state *state = sink->state;
  osdear__flat *flat = &state->flat;
  osdear__flat_place nodes, buffers;
  osdear_status st;

  osdear__buf_clear(&state->nodes);
  osdear__buf_clear(&state->buffers);
  osdear__buf_clear(&state->data);
  state->body_size = 0;
  for (size_t i = 0; i < sink->type->field_count; i++)
    add_array(state, &sink->type->fields[i].type, batch->children[i]);
  st = osdear__buf_check(&state->nodes, error);
  if (!st)
    st = osdear__buf_check(&state->buffers, error);
  if (!st)
    st = osdear__buf_check(&state->data, error);
  if (st)
    return st;
  nodes = osdear__flat_structs(flat, state->nodes.data, state->nodes.size / 16, 16);
  buffers = osdear__flat_structs(flat, state->buffers.data, state->buffers.size / 16, 16);
  osdear__flat_open(flat);
  osdear__flat_put(flat, 0, batch->length, 8);
  osdear__flat_point(flat, 1, nodes);
  osdear__flat_point(flat, 2, buffers);
  st = write_message(sink, HEADER_BATCH, osdear__flat_close(flat), state->body_size, error);
  if (!st)
    st = write_body(sink, error);
  sink->rows += st ? 0 : batch->length;
  return st;
}

static osdear_status arrow_end(osdear__sink *sink, osdear_error **error)
{
  static const uint32_t end_mark[2] = { UINT32_MAX, 0 };

  osdear__buf_append(&sink->out, end_mark, sizeof end_mark);
  return osdear__sink_flush(sink, error);
}

static void arrow_drop(osdear__sink *sink)
{
  arrow_state *state = sink->state;

  if (!state)
    return;
  osdear__flat_drop(&state->flat);
  osdear__buf_drop(&state->nodes);
  osdear__buf_drop(&state->buffers);
  osdear__buf_drop(&state->data);
  osdear__free(state);
}

const osdear__sink_format osdear__sink_arrow = { "arrow", arrow_begin, arrow_add, arrow_end, arrow_drop };
