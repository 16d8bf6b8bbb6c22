/** @file leaf.c What a column's physical type and annotations mean, and which of them we write.
 * Rules: LogicalTypes.md of the format. An annotation that does not go with its physical type is ignored, as an unknown one is. */
#include <parquet/schema.h>

#define MAX_PRECISION 38

int32_t osdear__pq_decimal_bytes(int32_t precision)
{
  osdear__int128 most = osdear__pow10(precision) - 1;
  int32_t bytes = 1;

  while (bytes < 16 && most >> (8 * bytes - 1))
    bytes++;
  return bytes;
}

static bool has_converted(const osdear__pq_schema_element *element, osdear__pq_converted converted)
{
  return element->set & ELEMENT_CONVERTED && element->converted_type == (int32_t)converted;
}

static uint32_t logical_set(const osdear__pq_schema_element *element)
{
  return element->logical_type ? element->logical_type->set : 0;
}

/* The annotation's digits, if they are a decimal of ours; wider ones stay bytes. */
static bool read_decimal(const osdear__pq_schema_element *element, osdear__type *type)
{
  int32_t precision = element->precision;
  int32_t scale = element->set & ELEMENT_SCALE ? element->scale : 0;

  if (logical_set(element) & LOGICAL_DECIMAL) {
    precision = element->logical_type->decimal->precision;
    scale = element->logical_type->decimal->scale;
  } else if (!has_converted(element, PQ_DECIMAL)) {
    return false;
  }
  if (precision < 1 || precision > MAX_PRECISION || scale < 0 || scale > precision)
    return false;
  type->kind = KIND_DECIMAL;
  type->precision = precision;
  type->scale = scale;
  return true;
}

static osdear__pq_unit unit_of(const osdear__pq_time_type *time)
{
  if (time->unit->set & TIME_UNIT_MILLIS)
    return UNIT_MILLIS;
  if (time->unit->set & TIME_UNIT_MICROS)
    return UNIT_MICROS;
  return time->unit->set & TIME_UNIT_NANOS ? UNIT_NANOS : UNIT_NONE;
}

/* Width and sign of an integer annotation; false: none. */
static bool read_integer(const osdear__pq_schema_element *element, int32_t *bits, bool *is_signed)
{
  if (logical_set(element) & LOGICAL_INTEGER) {
    *bits = element->logical_type->integer->bit_width;
    *is_signed = element->logical_type->integer->is_signed;
    return true;
  }
  if (!(element->set & ELEMENT_CONVERTED) || element->converted_type < PQ_UINT_8 || element->converted_type > PQ_INT_64)
    return false;
  *is_signed = element->converted_type >= PQ_INT_8;
  *bits = 8 << ((element->converted_type - PQ_UINT_8) & 3);
  return true;
}

static osdear__kind int32_kind(const osdear__pq_schema_element *element)
{
  int32_t bits;
  bool is_signed;

  if (logical_set(element) & LOGICAL_DATE || has_converted(element, PQ_DATE))
    return KIND_DATE;
  if (logical_set(element) & LOGICAL_UNKNOWN)
    return KIND_VOID;
  if (!read_integer(element, &bits, &is_signed))
    return KIND_INTEGER;
  if (bits == 8)
    return is_signed ? KIND_BYTE : KIND_UINT8;
  if (bits == 16)
    return is_signed ? KIND_SHORT : KIND_UINT16;
  return is_signed || bits != 32 ? KIND_INTEGER : KIND_UINT32;
}

static void read_int32(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf)
{
  bool is_time = logical_set(element) & LOGICAL_TIME && unit_of(element->logical_type->time) == UNIT_MILLIS;

  if (is_time || has_converted(element, PQ_TIME_MILLIS)) {
    type->kind = KIND_TIME;
    leaf->unit = UNIT_MILLIS;
  } else if (!read_decimal(element, type)) {
    type->kind = int32_kind(element);
  }
}

/* Of the two annotations the newer rules; the older ones mean UTC, as the format's table of compatibility says. */
static bool read_timestamp(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf)
{
  if (logical_set(element) & LOGICAL_TIMESTAMP) {
    type->kind = element->logical_type->timestamp->is_adjusted_to_utc ? KIND_TIMESTAMP : KIND_TIMESTAMP_NTZ;
    leaf->unit = unit_of(element->logical_type->timestamp);
    return leaf->unit != UNIT_NONE;
  }
  type->kind = KIND_TIMESTAMP;
  leaf->unit = has_converted(element, PQ_TIMESTAMP_MILLIS) ? UNIT_MILLIS : UNIT_MICROS;
  return has_converted(element, PQ_TIMESTAMP_MILLIS) || has_converted(element, PQ_TIMESTAMP_MICROS);
}

static bool read_time(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf)
{
  type->kind = KIND_TIME;
  leaf->unit = UNIT_MICROS;
  if (!(logical_set(element) & LOGICAL_TIME))
    return has_converted(element, PQ_TIME_MICROS);
  leaf->unit = unit_of(element->logical_type->time);
  return leaf->unit == UNIT_MICROS || leaf->unit == UNIT_NANOS;
}

static void read_int64(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf)
{
  int32_t bits;
  bool is_signed;

  if (read_timestamp(element, type, leaf) || read_time(element, type, leaf))
    return;
  leaf->unit = UNIT_NONE;
  if (read_decimal(element, type))
    return;
  type->kind = KIND_LONG;
  if (read_integer(element, &bits, &is_signed) && bits == 64 && !is_signed)
    type->kind = KIND_UINT64;
}

static void read_fixed(const osdear__pq_schema_element *element, osdear__type *type)
{
  if (read_decimal(element, type))
    return;
  type->kind = KIND_FIXED;
  type->width = element->type_length;
  if (element->type_length == 2 && logical_set(element) & LOGICAL_FLOAT16) {
    type->kind = KIND_FLOAT16;
    type->width = 0;
  }
}

static void read_bytes(const osdear__pq_schema_element *element, osdear__type *type)
{
  bool is_text = logical_set(element) & (LOGICAL_STRING | LOGICAL_ENUM | LOGICAL_JSON);

  if (!is_text && !element->logical_type)
    is_text = has_converted(element, PQ_UTF8) || has_converted(element, PQ_ENUM) || has_converted(element, PQ_JSON);
  if (is_text)
    type->kind = KIND_STRING;
  else if (!read_decimal(element, type))
    type->kind = KIND_BINARY;
}

bool osdear__pq_leaf_read(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf)
{
  static const int32_t widths[PQ_PHYSICALS] = { 0, 4, 8, 12, 4, 8, 0, 0 };

  if (!(element->set & ELEMENT_TYPE) || element->type < 0 || element->type >= PQ_PHYSICALS)
    return false;
  memset(type, 0, sizeof *type);
  leaf->physical = (osdear__pq_physical)element->type;
  leaf->width = widths[element->type];
  leaf->unit = UNIT_NONE;
  switch (leaf->physical) {
  case PQ_BOOLEAN: type->kind = KIND_BOOLEAN; break;
  case PQ_INT32: read_int32(element, type, leaf); break;
  case PQ_INT64: read_int64(element, type, leaf); break;
  case PQ_INT96: type->kind = KIND_TIMESTAMP; break;
  case PQ_FLOAT: type->kind = KIND_FLOAT; break;
  case PQ_DOUBLE: type->kind = KIND_DOUBLE; break;
  case PQ_BYTE_ARRAY: read_bytes(element, type); break;
  case PQ_FIXED:
    if (!(element->set & ELEMENT_TYPE_LENGTH) || element->type_length < 1)
      return false;
    leaf->width = element->type_length;
    read_fixed(element, type);
    break;
  default: return false;
  }
  return true;
}

/* ---- writing ---- */

static void set_physical(osdear__pq_schema_element *element, osdear__pq_physical physical)
{
  element->set |= ELEMENT_TYPE;
  element->type = (int32_t)physical;
}

static void set_converted(osdear__pq_schema_element *element, osdear__pq_converted converted)
{
  element->set |= ELEMENT_CONVERTED;
  element->converted_type = (int32_t)converted;
}

static void set_fixed(osdear__pq_schema_element *element, int32_t width)
{
  set_physical(element, PQ_FIXED);
  element->set |= ELEMENT_TYPE_LENGTH;
  element->type_length = width;
}

static osdear__pq_logical_type *set_logical(osdear__pq_schema_element *element, uint32_t bit, osdear__arena *arena)
{
  element->logical_type = osdear__arena_zeroed(arena, 1, sizeof *element->logical_type);
  if (element->logical_type)
    element->logical_type->set = bit;
  return element->logical_type;
}

/* Both annotations, since old readers know only the converted type. */
static bool set_integer(osdear__pq_schema_element *element, int8_t bits, bool is_signed, osdear__arena *arena)
{
  osdear__pq_logical_type *logical = set_logical(element, LOGICAL_INTEGER, arena);
  int32_t step = bits == 8 ? 0 : bits == 16 ? 1 : bits == 32 ? 2 : 3;

  if (!logical)
    return false;
  logical->integer = osdear__arena_zeroed(arena, 1, sizeof *logical->integer);
  if (!logical->integer)
    return false;
  logical->integer->bit_width = bits;
  logical->integer->is_signed = is_signed;
  set_physical(element, bits == 64 ? PQ_INT64 : PQ_INT32);
  set_converted(element, (osdear__pq_converted)((is_signed ? PQ_INT_8 : PQ_UINT_8) + step));
  return true;
}

static bool set_decimal(osdear__pq_schema_element *element, const osdear__type *type, osdear__arena *arena)
{
  osdear__pq_logical_type *logical = set_logical(element, LOGICAL_DECIMAL, arena);

  if (!logical)
    return false;
  logical->decimal = osdear__arena_zeroed(arena, 1, sizeof *logical->decimal);
  if (!logical->decimal)
    return false;
  logical->decimal->precision = type->precision;
  logical->decimal->scale = type->scale;
  element->set |= ELEMENT_PRECISION | ELEMENT_SCALE;
  element->precision = type->precision;
  element->scale = type->scale;
  set_converted(element, PQ_DECIMAL);
  if (type->precision <= 9)
    set_physical(element, PQ_INT32);
  else if (type->precision <= 18)
    set_physical(element, PQ_INT64);
  else
    set_fixed(element, osdear__pq_decimal_bytes(type->precision));
  return true;
}

static osdear__pq_time_type *new_micros(bool is_utc, osdear__arena *arena)
{
  osdear__pq_time_type *time = osdear__arena_zeroed(arena, 1, sizeof *time);
  osdear__pq_time_unit *unit = osdear__arena_zeroed(arena, 1, sizeof *unit);

  if (!time || !unit)
    return NULL;
  unit->set = TIME_UNIT_MICROS;
  time->is_adjusted_to_utc = is_utc;
  time->unit = unit;
  return time;
}

/* Microseconds. The converted types mean UTC, so a local timestamp gets none. */
static bool set_time(osdear__pq_schema_element *element, osdear__kind kind, osdear__arena *arena)
{
  osdear__pq_logical_type *logical = set_logical(element, kind == KIND_TIME ? LOGICAL_TIME : LOGICAL_TIMESTAMP, arena);
  osdear__pq_time_type *time = new_micros(kind == KIND_TIMESTAMP, arena);

  if (!logical || !time)
    return false;
  if (kind == KIND_TIME)
    logical->time = time;
  else
    logical->timestamp = time;
  set_physical(element, PQ_INT64);
  if (kind == KIND_TIMESTAMP)
    set_converted(element, PQ_TIMESTAMP_MICROS);
  return true;
}

static bool set_annotated(osdear__pq_schema_element *element, osdear__pq_physical physical, uint32_t bit, osdear__arena *arena)
{
  set_physical(element, physical);
  return set_logical(element, bit, arena) != NULL;
}

bool osdear__pq_leaf_write(const osdear__type *type, osdear__arena *arena, osdear__pq_schema_element *element)
{
  switch (type->kind) {
  case KIND_VOID: return set_annotated(element, PQ_INT32, LOGICAL_UNKNOWN, arena);
  case KIND_BOOLEAN: set_physical(element, PQ_BOOLEAN); return true;
  case KIND_BYTE: return set_integer(element, 8, true, arena);
  case KIND_SHORT: return set_integer(element, 16, true, arena);
  case KIND_INTEGER: set_physical(element, PQ_INT32); return true;
  case KIND_LONG: set_physical(element, PQ_INT64); return true;
  case KIND_UINT8: return set_integer(element, 8, false, arena);
  case KIND_UINT16: return set_integer(element, 16, false, arena);
  case KIND_UINT32: return set_integer(element, 32, false, arena);
  case KIND_UINT64: return set_integer(element, 64, false, arena);
  case KIND_FLOAT: set_physical(element, PQ_FLOAT); return true;
  case KIND_DOUBLE: set_physical(element, PQ_DOUBLE); return true;
  case KIND_BINARY: set_physical(element, PQ_BYTE_ARRAY); return true;
  case KIND_FIXED: set_fixed(element, type->width); return type->width > 0;
  case KIND_DECIMAL: return set_decimal(element, type, arena);
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: return set_time(element, type->kind, arena);
  case KIND_STRING: set_converted(element, PQ_UTF8); return set_annotated(element, PQ_BYTE_ARRAY, LOGICAL_STRING, arena);
  case KIND_DATE: set_converted(element, PQ_DATE); return set_annotated(element, PQ_INT32, LOGICAL_DATE, arena);
  case KIND_FLOAT16: set_fixed(element, 2); return set_annotated(element, PQ_FIXED, LOGICAL_FLOAT16, arena);
  default: return false;
  }
}
