/** @file thrift.c The compact protocol: https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md */
#include <parquet/thrift.h>

/* Types as the wire numbers them. */
enum {
  WIRE_STOP = 0,
  WIRE_TRUE = 1,
  WIRE_FALSE = 2,
  WIRE_I8 = 3,
  WIRE_I16 = 4,
  WIRE_I32 = 5,
  WIRE_I64 = 6,
  WIRE_DOUBLE = 7,
  WIRE_BINARY = 8,
  WIRE_LIST = 9,
  WIRE_SET = 10,
  WIRE_MAP = 11,
  WIRE_STRUCT = 12,
  WIRE_UUID = 13
};

/* Deeper than any struct of Parquet's; a hostile file must not use up the stack. */
#define MAX_DEPTH 64

typedef struct wire {
  const uint8_t *at;
  const uint8_t *end;
  osdear__arena *arena;
  int depth;
} wire;

static size_t left(const wire *in)
{
  return (size_t)(in->end - in->at);
}

static bool read_byte(wire *in, uint8_t *out)
{
  if (in->at == in->end)
    return false;
  *out = *in->at++;
  return true;
}

/* At most ten bytes, as 64 bits need; the bits beyond are cut. */
static bool read_varint(wire *in, uint64_t *out)
{
  uint64_t value = 0;

  for (int shift = 0; shift < 70; shift += 7) {
    uint8_t byte;

    if (!read_byte(in, &byte))
      return false;
    value |= (uint64_t)(byte & 0x7f) << (shift < 64 ? shift : 63);
    if (!(byte & 0x80)) {
      *out = value;
      return true;
    }
  }
  return false;
}

static bool read_zigzag(wire *in, int64_t *out)
{
  uint64_t raw;

  if (!read_varint(in, &raw))
    return false;
  *out = (int64_t)((raw >> 1) ^ (0 - (raw & 1)));
  return true;
}

static bool read_binary(wire *in, osdear__str *out)
{
  uint64_t size;

  if (!read_varint(in, &size) || size > left(in))
    return false;
  out->data = (const char *)in->at;
  out->size = (size_t)size;
  in->at += size;
  return true;
}

/* Every element of a list takes at least a byte, so a count above what is left is a lie. */
static bool read_list_head(wire *in, uint8_t *type, size_t *count)
{
  uint8_t head;
  uint64_t size;

  if (!read_byte(in, &head))
    return false;
  *type = head & 0x0f;
  size = head >> 4;
  if (size == 15 && !read_varint(in, &size))
    return false;
  if (size > left(in))
    return false;
  *count = (size_t)size;
  return true;
}

/* The id is given as a step from the one before, or in full when the step does not fit. WIRE_STOP ends the struct. */
static bool read_field_head(wire *in, uint8_t *type, int64_t *id)
{
  uint8_t head;

  if (!read_byte(in, &head))
    return false;
  *type = head & 0x0f;
  if (*type == WIRE_STOP)
    return true;
  if (head >> 4) {
    *id += head >> 4;
    return true;
  }
  return read_zigzag(in, id) && *id >= INT16_MIN && *id <= INT16_MAX;
}

static bool skip(wire *in, uint8_t type, bool in_list);

static bool skip_bytes(wire *in, size_t size)
{
  if (size > left(in))
    return false;
  in->at += size;
  return true;
}

static bool skip_list(wire *in)
{
  uint8_t type;
  size_t count;

  if (!read_list_head(in, &type, &count))
    return false;
  for (size_t i = 0; i < count; i++)
    if (!skip(in, type, true))
      return false;
  return true;
}

static bool skip_map(wire *in)
{
  uint64_t count;
  uint8_t types;

  if (!read_varint(in, &count))
    return false;
  if (count == 0)
    return true;
  if (count > left(in) || !read_byte(in, &types))
    return false;
  for (uint64_t i = 0; i < count; i++)
    if (!skip(in, types >> 4, true) || !skip(in, types & 0x0f, true))
      return false;
  return true;
}

static bool skip_struct(wire *in)
{
  int64_t id = 0;

  for (;;) {
    uint8_t type;

    if (!read_field_head(in, &type, &id))
      return false;
    if (type == WIRE_STOP)
      return true;
    if (!skip(in, type, false))
      return false;
  }
}

/* A boolean field lies in its head; a boolean in a list takes a byte. */
static bool skip(wire *in, uint8_t type, bool in_list)
{
  uint64_t number;
  osdear__str text;
  bool ok = false;

  if (in->depth >= MAX_DEPTH)
    return false;
  in->depth++;
  switch (type) {
  case WIRE_TRUE:
  case WIRE_FALSE: ok = !in_list || skip_bytes(in, 1); break;
  case WIRE_I8: ok = skip_bytes(in, 1); break;
  case WIRE_I16:
  case WIRE_I32:
  case WIRE_I64: ok = read_varint(in, &number); break;
  case WIRE_DOUBLE: ok = skip_bytes(in, 8); break;
  case WIRE_BINARY: ok = read_binary(in, &text); break;
  case WIRE_LIST:
  case WIRE_SET: ok = skip_list(in); break;
  case WIRE_MAP: ok = skip_map(in); break;
  case WIRE_STRUCT: ok = skip_struct(in); break;
  case WIRE_UUID: ok = skip_bytes(in, 16); break;
  default: break;
  }
  in->depth--;
  return ok;
}

static uint8_t wire_type(osdear__thrift_kind kind)
{
  switch (kind) {
  case THRIFT_BOOL: return WIRE_TRUE;
  case THRIFT_I8: return WIRE_I8;
  case THRIFT_I16: return WIRE_I16;
  case THRIFT_I32: return WIRE_I32;
  case THRIFT_I64: return WIRE_I64;
  case THRIFT_BINARY: return WIRE_BINARY;
  default: return WIRE_STRUCT;
  }
}

static bool type_fits(const osdear__thrift_field *field, uint8_t type)
{
  if (field->is_list)
    return type == WIRE_LIST;
  if (field->kind == THRIFT_BOOL)
    return type == WIRE_TRUE || type == WIRE_FALSE;
  return type == wire_type(field->kind);
}

static size_t kind_size(const osdear__thrift_field *field)
{
  switch (field->kind) {
  case THRIFT_BOOL: return sizeof(bool);
  case THRIFT_I8: return sizeof(int8_t);
  case THRIFT_I16: return sizeof(int16_t);
  case THRIFT_I32: return sizeof(int32_t);
  case THRIFT_I64: return sizeof(int64_t);
  case THRIFT_BINARY: return sizeof(osdear__str);
  default: return field->of->size;
  }
}

static osdear_status read_struct(wire *in, const osdear__thrift_struct *of, void *out, osdear_error **error);

static osdear_status cut_short(const osdear__thrift_struct *of, int16_t id, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Thrift %s: field %d is cut short or malformed", of->name, id);
}

/* One number or text, to where it belongs. */
static bool read_scalar(wire *in, osdear__thrift_kind kind, void *to)
{
  int64_t number;
  uint8_t byte;

  switch (kind) {
  case THRIFT_BOOL:
    if (!read_byte(in, &byte))
      return false;
    *(bool *)to = byte == WIRE_TRUE;
    return true;
  case THRIFT_I8:
    if (!read_byte(in, &byte))
      return false;
    *(int8_t *)to = (int8_t)byte;
    return true;
  case THRIFT_BINARY: return read_binary(in, to);
  default: break;
  }
  if (!read_zigzag(in, &number))
    return false;
  if (kind == THRIFT_I16) {
    if (number < INT16_MIN || number > INT16_MAX)
      return false;
    *(int16_t *)to = (int16_t)number;
  } else if (kind == THRIFT_I32) {
    if (number < INT32_MIN || number > INT32_MAX)
      return false;
    *(int32_t *)to = (int32_t)number;
  } else {
    *(int64_t *)to = number;
  }
  return true;
}

/* The least a struct takes on the wire: two bytes a required field, and the stop. Keeps what a count may allocate near what was sent. */
static size_t least_bytes(const osdear__thrift_field *field)
{
  size_t bytes = 1;

  if (field->kind != THRIFT_STRUCT)
    return 1;
  for (size_t i = 0; i < field->of->field_count; i++)
    bytes += field->of->fields[i].required ? 2 : 0;
  return bytes;
}

static osdear_status read_list(wire *in, const osdear__thrift_struct *of, const osdear__thrift_field *field, char *out,
                               osdear_error **error)
{
  size_t step = kind_size(field);
  size_t count;
  uint8_t type;
  char *items;

  if (!read_list_head(in, &type, &count))
    return cut_short(of, field->id, error);
  if (count == 0)
    type = wire_type(field->kind);
  if (type != wire_type(field->kind) && !(field->kind == THRIFT_BOOL && type == WIRE_FALSE))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Thrift %s: field %d is a list of type %d", of->name, field->id, type);
  if (count > left(in) / least_bytes(field))
    return cut_short(of, field->id, error);

  items = osdear__arena_zeroed(in->arena, count ? count : 1, step);
  if (!items)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    if (field->kind == THRIFT_STRUCT) {
      osdear_status st = read_struct(in, field->of, items + i * step, error);
      if (st)
        return st;
    } else if (!read_scalar(in, field->kind, items + i * step)) {
      return cut_short(of, field->id, error);
    }
  }
  memcpy(out + field->offset, &items, sizeof items);
  memcpy(out + field->count_offset, &count, sizeof count);
  return OSDEAR_OK;
}

static osdear_status read_field(wire *in, const osdear__thrift_struct *of, const osdear__thrift_field *field, uint8_t type,
                                char *out, osdear_error **error)
{
  if (field->is_list)
    return read_list(in, of, field, out, error);
  if (field->kind == THRIFT_BOOL) {
    *(bool *)(out + field->offset) = type == WIRE_TRUE;
    return OSDEAR_OK;
  }
  if (field->kind == THRIFT_EMPTY)
    return skip(in, WIRE_STRUCT, false) ? OSDEAR_OK : cut_short(of, field->id, error);
  if (field->kind == THRIFT_STRUCT) {
    void *value = osdear__arena_zeroed(in->arena, 1, field->of->size);

    if (!value)
      return osdear__fail_memory(error);
    memcpy(out + field->offset, &value, sizeof value);
    return read_struct(in, field->of, value, error);
  }
  return read_scalar(in, field->kind, out + field->offset) ? OSDEAR_OK : cut_short(of, field->id, error);
}

static const osdear__thrift_field *find_field(const osdear__thrift_struct *of, int64_t id)
{
  for (size_t i = 0; i < of->field_count; i++)
    if (of->fields[i].id == id)
      return &of->fields[i];
  return NULL;
}

static osdear_status check_required(const osdear__thrift_struct *of, uint32_t set, osdear_error **error)
{
  for (size_t i = 0; i < of->field_count; i++)
    if (of->fields[i].required && !(set >> of->fields[i].id & 1))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Thrift %s: required field %d is missing", of->name, of->fields[i].id);
  return OSDEAR_OK;
}

/* `out` is zeroed. */
static osdear_status read_struct(wire *in, const osdear__thrift_struct *of, void *out, osdear_error **error)
{
  uint32_t *set = out;
  int64_t id = 0;

  if (in->depth >= MAX_DEPTH)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "Thrift %s: nested more than %d deep", of->name, MAX_DEPTH);
  in->depth++;
  for (;;) {
    const osdear__thrift_field *field;
    osdear_status st;
    uint8_t type;

    if (!read_field_head(in, &type, &id))
      return cut_short(of, (int16_t)id, error);
    if (type == WIRE_STOP)
      break;
    field = find_field(of, id);
    if (!field || !type_fits(field, type)) {
      if (!skip(in, type, false))
        return cut_short(of, (int16_t)id, error);
      continue;
    }
    st = read_field(in, of, field, type, out, error);
    if (st)
      return st;
    *set |= UINT32_C(1) << field->id;
  }
  in->depth--;
  return check_required(of, *set, error);
}

osdear_status osdear__thrift_read(const osdear__thrift_struct *of, osdear__str in, osdear__arena *arena, void *out, size_t *used,
                                  osdear_error **error)
{
  static const uint8_t nothing[1];
  const uint8_t *start = in.data ? (const uint8_t *)in.data : nothing;
  wire from = { start, start + in.size, arena, 0 };
  osdear_status st;

  memset(out, 0, of->size);
  st = read_struct(&from, of, out, error);
  if (st)
    return st;
  if (used)
    *used = (size_t)(from.at - start);
  return OSDEAR_OK;
}

/* ---- writing ---- */

static void write_varint(osdear__buf *out, uint64_t value)
{
  while (value >= 0x80) {
    osdear__buf_putc(out, (char)(uint8_t)(value | 0x80));
    value >>= 7;
  }
  osdear__buf_putc(out, (char)value);
}

static void write_zigzag(osdear__buf *out, int64_t value)
{
  write_varint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

static void write_scalar(osdear__buf *out, osdear__thrift_kind kind, const void *from)
{
  const osdear__str *text = from;

  switch (kind) {
  case THRIFT_BOOL: osdear__buf_putc(out, *(const bool *)from ? WIRE_TRUE : WIRE_FALSE); break;
  case THRIFT_I8: osdear__buf_putc(out, *(const char *)from); break;
  case THRIFT_I16: write_zigzag(out, *(const int16_t *)from); break;
  case THRIFT_I32: write_zigzag(out, *(const int32_t *)from); break;
  case THRIFT_I64: write_zigzag(out, *(const int64_t *)from); break;
  case THRIFT_BINARY:
    write_varint(out, text->size);
    osdear__buf_append(out, text->data, text->size);
    break;
  default: break;
  }
}

static void write_list(osdear__buf *out, const osdear__thrift_field *field, const char *items, size_t count)
{
  size_t step = kind_size(field);
  uint8_t type = wire_type(field->kind);

  if (count < 15) {
    osdear__buf_putc(out, (char)(uint8_t)(count << 4 | type));
  } else {
    osdear__buf_putc(out, (char)(uint8_t)(0xf0 | type));
    write_varint(out, count);
  }
  for (size_t i = 0; i < count; i++) {
    if (field->kind == THRIFT_STRUCT)
      osdear__thrift_write(field->of, items + i * step, out);
    else
      write_scalar(out, field->kind, items + i * step);
  }
}

static const void *load_pointer(const char *at)
{
  const void *pointer;

  memcpy(&pointer, at, sizeof pointer);
  return pointer;
}

static bool is_absent(const osdear__thrift_field *field, const char *value)
{
  const uint32_t *set = (const void *)value;

  if (field->is_list || field->kind == THRIFT_STRUCT)
    return !load_pointer(value + field->offset) && !(field->is_list && field->required);
  if (field->required)
    return false;
  if (field->kind == THRIFT_BINARY)
    return !((const osdear__str *)(const void *)(value + field->offset))->data;
  return !(*set >> field->id & 1);
}

static void write_field_head(osdear__buf *out, int16_t last, int16_t id, uint8_t type)
{
  if (id > last && id - last <= 15) {
    osdear__buf_putc(out, (char)(uint8_t)((id - last) << 4 | type));
    return;
  }
  osdear__buf_putc(out, (char)type);
  write_zigzag(out, id);
}

void osdear__thrift_write(const osdear__thrift_struct *of, const void *value, osdear__buf *out)
{
  const char *from = value;
  int16_t last = 0;

  for (size_t i = 0; i < of->field_count; i++) {
    const osdear__thrift_field *field = &of->fields[i];
    uint8_t type = wire_type(field->kind);
    size_t count;

    if (is_absent(field, from))
      continue;
    if (field->is_list)
      type = WIRE_LIST;
    else if (field->kind == THRIFT_BOOL)
      type = *(const bool *)(from + field->offset) ? WIRE_TRUE : WIRE_FALSE;
    write_field_head(out, last, field->id, type);
    last = field->id;
    if (field->is_list) {
      memcpy(&count, from + field->count_offset, sizeof count);
      write_list(out, field, load_pointer(from + field->offset), count);
    } else if (field->kind == THRIFT_STRUCT) {
      osdear__thrift_write(field->of, load_pointer(from + field->offset), out);
    } else if (field->kind == THRIFT_EMPTY) {
      osdear__buf_putc(out, WIRE_STOP);
    } else if (field->kind != THRIFT_BOOL) {
      write_scalar(out, field->kind, from + field->offset);
    }
  }
  osdear__buf_putc(out, WIRE_STOP);
}
