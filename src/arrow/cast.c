/** @file cast.c Arrays as another type: which casts there are, and how nested arrays are taken apart and put together. */
#include <arrow/cast.h>

/* ---- which casts there are ---- */

/* Integers by what they hold: bits of magnitude, and whether there is a sign. */
static int magnitude_bits(osdear__kind kind)
{
  switch (kind) {
  case KIND_BYTE: return 7;
  case KIND_UINT8: return 8;
  case KIND_SHORT: return 15;
  case KIND_UINT16: return 16;
  case KIND_INTEGER: return 31;
  case KIND_UINT32: return 32;
  case KIND_LONG: return 63;
  case KIND_UINT64: return 64;
  default: return 0;
  }
}

static bool is_signed(osdear__kind kind)
{
  return kind >= KIND_BYTE && kind <= KIND_LONG;
}

/* Decimal digits of the greatest value. */
static int32_t integer_digits(osdear__kind kind)
{
  static const int32_t digits[] = { [7] = 3, [8] = 3, [15] = 5, [16] = 5, [31] = 10, [32] = 10, [63] = 19, [64] = 20 };

  return digits[magnitude_bits(kind)];
}

static bool can_cast_integer(osdear__kind from, const osdear__type *to)
{
  if (to->kind == KIND_DOUBLE)
    return magnitude_bits(from) <= 53;
  if (to->kind == KIND_FLOAT)
    return magnitude_bits(from) <= 24;
  if (to->kind == KIND_DECIMAL)
    return to->precision - to->scale >= integer_digits(from);
  return magnitude_bits(to->kind) >= magnitude_bits(from) && (is_signed(to->kind) || !is_signed(from));
}

static bool can_cast_struct(const osdear__type *from, const osdear__type *to)
{
  for (size_t i = 0; i < to->field_count; i++) {
    int64_t index = osdear__type_find(from, osdear__str_of(to->fields[i].name));

    if (index >= 0 && !osdear__type_can_cast(&from->fields[index].type, &to->fields[i].type))
      return false;
  }
  return true;
}

/* Only what loses nothing: the widenings that Delta allows, and those of the kinds Delta does not have. */
bool osdear__type_can_cast(const osdear__type *from, const osdear__type *to)
{
  if (from->kind == KIND_VOID)
    return true;
  if (magnitude_bits(from->kind))
    return can_cast_integer(from->kind, to);
  switch (from->kind) {
  case KIND_FLOAT16: return to->kind == KIND_FLOAT16 || to->kind == KIND_FLOAT || to->kind == KIND_DOUBLE;
  case KIND_FLOAT: return to->kind == KIND_FLOAT || to->kind == KIND_DOUBLE;
  case KIND_DECIMAL:
    return to->kind == KIND_DECIMAL && to->scale >= from->scale && to->precision - to->scale >= from->precision - from->scale;
  case KIND_DATE: return to->kind == KIND_DATE || to->kind == KIND_TIMESTAMP_NTZ;
  case KIND_FIXED: return to->kind == KIND_BINARY || (to->kind == KIND_FIXED && to->width == from->width);
  case KIND_ARRAY: return to->kind == KIND_ARRAY && osdear__type_can_cast(&from->fields[0].type, &to->fields[0].type);
  case KIND_MAP:
    return to->kind == KIND_MAP && osdear__type_can_cast(&from->fields[0].type, &to->fields[0].type) &&
           osdear__type_can_cast(&from->fields[1].type, &to->fields[1].type);
  case KIND_STRUCT: return to->kind == KIND_STRUCT && can_cast_struct(from, to);
  default: return from->kind == to->kind;
  }
}

void osdear__cast_place(const osdear__place *place, char out[OSDEAR__CAST_PLACE])
{
  static const char word[] = "column ";
  char where[OSDEAR__PLACE_TEXT];

  osdear__place_text(place, where);
  out[0] = '\0';
  if (!where[0])
    return;
  memcpy(out, word, sizeof word - 1);
  memcpy(out + sizeof word - 1, where, strlen(where) + 1);
}

static osdear_status cannot_cast(const osdear__type *from, const osdear__type *to, const osdear__place *place,
                                 osdear_error **error)
{
  SCOPED(buf) from_name = { 0 };
  SCOPED(buf) to_name = { 0 };
  char where[OSDEAR__CAST_PLACE];
  osdear_status st;

  osdear__cast_place(place, where);
  osdear__type_name(from, &from_name);
  osdear__type_name(to, &to_name);
  st = osdear__buf_check(&from_name, error);
  if (!st)
    st = osdear__buf_check(&to_name, error);
  if (st)
    return st;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s%sa %s cannot become a %s without loss", where, where[0] ? ": " : "",
                      from_name.data, to_name.data);
}

/* ---- nested arrays ---- */

static osdear_status cast_array(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                const osdear__place *place, struct ArrowArray *out, osdear_error **error);

static osdear_status cast_field(const osdear__type *from, struct ArrowArray *array, const osdear__field *to,
                                const osdear__place *parent, struct ArrowArray *out, osdear_error **error)
{
  int64_t index = osdear__type_find(from, osdear__str_of(to->name));
  osdear__place place = { parent, to->name };

  /* One column of theirs answers to one of ours: the second that would match finds it gone. */
  if (index < 0 || !array->children[index]->release)
    return osdear__array_nulls(&to->type, array->length, out, error);
  return cast_array(&from->fields[index].type, array->children[index], &to->type, &place, out, error);
}

static osdear_status cast_children(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                   const osdear__place *place, struct ArrowArray *out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (to->kind == KIND_STRUCT) {
    for (size_t i = 0; !st && i < to->field_count; i++)
      st = cast_field(from, array, &to->fields[i], place, out->children[i], error);
  } else {
    osdear__type from_child = osdear__child_type(from, 0);
    osdear__type to_child = osdear__child_type(to, 0);
    osdear__place element = { place, "element" };

    st = cast_array(&from_child, array->children[0], &to_child, to->kind == KIND_MAP ? place : &element, out->children[0], error);
  }
  return st;
}

/* The children move on; validity and offsets stay where they are, in what is left of `array`. */
static osdear_status cast_nested(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                 const osdear__place *place, struct ArrowArray *out, osdear_error **error)
{
  bool has_offsets = osdear__kind_has_offsets(to->kind);
  const void *validity = array->buffers[0];
  const void *offsets = has_offsets ? array->buffers[1] : NULL;
  AUTO(lender) rest = NULL;
  osdear_status st = cast_children(from, array, to, place, out, error);

  out->null_count = array->null_count;
  if (st || (!validity && !offsets))
    return st;
  st = osdear__lender_new(array, &rest, error);
  if (st)
    return st;
  if (validity)
    osdear__array_borrow(out, 0, validity, rest);
  if (offsets)
    osdear__array_borrow(out, 1, offsets, rest);
  return OSDEAR_OK;
}

/* More digits at the same scale: the values are the same. */
static bool is_same_decimal(const osdear__type *from, const osdear__type *to)
{
  return from->kind == KIND_DECIMAL && to->kind == KIND_DECIMAL && from->scale == to->scale && from->precision <= to->precision;
}

/* Variants as text are for who asks for them so; no append turns one into the other. */
static bool is_json_of_variant(const osdear__type *from, const osdear__type *to)
{
  return from->kind == KIND_VARIANT && to->kind == KIND_STRING;
}

/* The group that a variant is in a file, where it is not annotated as one: Spark 4.0 leaves that out. */
static bool is_bare_variant(const osdear__type *from, const osdear__type *to)
{
  bool is_it = to->kind == KIND_VARIANT && from->kind == KIND_STRUCT && from->field_count == 2;

  for (size_t i = 0; is_it && i < from->field_count; i++)
    is_it = from->fields[i].type.kind == KIND_BINARY;
  return is_it && osdear__type_find(from, STR("metadata")) >= 0 && osdear__type_find(from, STR("value")) >= 0;
}

/* `array` keeps its validity; what stands in it changes places where it must. */
static osdear_status cast_bare_variants(const osdear__type *from, struct ArrowArray *array, struct ArrowArray *out,
                                        osdear_error **error)
{
  osdear_status st;

  if (osdear__type_find(from, STR("value")) == 0) {
    struct ArrowArray value = *array->children[0];

    *array->children[0] = *array->children[1];
    *array->children[1] = value;
  }
  st = osdear__variants_check(array, error);
  if (!st)
    osdear__array_move(array, out);
  return st;
}

/* Files and tables do not always agree on whether a timestamp knows of a zone. Spark takes the one for the other in UTC, and so do all who read
 * such tables. */
static bool is_same_instant(const osdear__type *from, const osdear__type *to)
{
  return (from->kind == KIND_TIMESTAMP_NTZ && to->kind == KIND_TIMESTAMP) ||
         (from->kind == KIND_TIMESTAMP && to->kind == KIND_TIMESTAMP_NTZ);
}

/* Days, of which the file says no more than that they are INT32. */
static bool is_same_days(const osdear__type *from, const osdear__type *to)
{
  return from->kind == KIND_INTEGER && to->kind == KIND_DATE;
}

/* Parquet has no smaller integer than INT32, and not every writer annotates one with what it is. */
static bool is_stored_wider(const osdear__type *from, const osdear__type *to)
{
  bool is_int32 = from->kind == KIND_SHORT || from->kind == KIND_INTEGER || from->kind == KIND_UINT8 || from->kind == KIND_UINT16;

  return is_int32 && (to->kind == KIND_BYTE || to->kind == KIND_SHORT);
}

/* Old writers do not say of a file's bytes that they are text, and some say it of what the table takes for bytes: the table's word counts, as
 * with Spark. */
static bool is_same_bytes(const osdear__type *from, const osdear__type *to)
{
  return (from->kind == KIND_STRING && to->kind == KIND_BINARY) || (from->kind == KIND_BINARY && to->kind == KIND_STRING);
}

static osdear_status cast_bytes(struct ArrowArray *array, const osdear__type *to, const osdear__place *place,
                                struct ArrowArray *out, osdear_error **error)
{
  const int32_t *offsets = array->buffers[1];
  char where[OSDEAR__CAST_PLACE];

  if (to->kind == KIND_STRING && array->length > 0 && !osdear__utf8_rows_are_valid(array->buffers[2], offsets, array->length)) {
    osdear__cast_place(place, where);
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s%sa string of the table is not valid UTF-8 in its file", where,
                        where[0] ? ": " : "");
  }
  osdear__array_move(array, out);
  return OSDEAR_OK;
}

static osdear_status cast_array(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                const osdear__place *place, struct ArrowArray *out, osdear_error **error)
{
  SCOPED(array) taken = { 0 };
  SCOPED(array) made = { 0 };
  bool is_nested = to->kind == KIND_STRUCT || to->kind == KIND_ARRAY || to->kind == KIND_MAP;
  osdear_status st;

  osdear__array_move(array, &taken);
  if (osdear__type_equal(from, to) || is_same_decimal(from, to) || is_same_instant(from, to) || is_same_days(from, to)) {
    osdear__array_move(&taken, out);
    return OSDEAR_OK;
  }
  if (from->kind == KIND_VOID)
    return osdear__array_nulls(to, taken.length, out, error);
  /* Structs and lists are asked only for their own part, so that the place named is the innermost. */
  if (is_bare_variant(from, to))
    return cast_bare_variants(from, &taken, out, error);
  if (is_same_bytes(from, to))
    return cast_bytes(&taken, to, place, out, error);
  if (is_json_of_variant(from, to))
    return osdear__cast_variants(&taken, place, out, error);
  if (is_nested ? from->kind != to->kind : !osdear__type_can_cast(from, to) && !is_stored_wider(from, to))
    return cannot_cast(from, to, place, error);
  st = osdear__array_node(to, taken.length, &made, error);
  if (!st && is_nested)
    st = cast_nested(from, &taken, to, place, &made, error);
  else if (!st)
    st = osdear__cast_values(from, &taken, to, place, &made, error);
  if (!st)
    osdear__array_move(&made, out);
  return st;
}

osdear_status osdear__array_cast(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                 struct ArrowArray *out, osdear_error **error)
{
  struct ArrowArray result;
  osdear_status st = cast_array(from, array, to, NULL, &result, error);

  if (!st)
    *out = result;
  return st;
}
