/** @file arrow.h Types, and columns of them in Arrow's C Data Interface.
 *
 * Inside the library a column is a `struct ArrowArray` in the canonical layout of its type, which every layer relies on:
 *   offset is 0; null_count is exact; buffers[0] (validity) is NULL when there are no nulls;
 *   boolean bits; byte..long, uint*, float, double little-endian; float16 as 2 bytes; decimal 16-byte two's complement;
 *   string, binary: int32 offsets (length + 1, first is 0) and bytes; fixed: width bytes each; date int32 days;
 *   timestamp, timestamp_ntz, time int64 microseconds; list int32 offsets; map int32 offsets over a struct of key and value;
 *   struct children of the same length; void has no buffers; variant a struct of two binaries (metadata, value).
 * A list's child ends where its last offset does. A null list or map holds no elements; what stands in the children of a null struct
 * has no meaning. At most INT32_MAX rows. Buffers are aligned to their values.
 * Arrays that this library filled (decoded, gathered, built) have buffers padded so that 8 bytes past their end may be read. Imported
 * arrays point into the stranger's memory where its layout was canonical already, and that memory ends where the last value does:
 * whoever may be handed an imported array (writers, expressions, casts) must not read past the end.
 * What a stranger hands in is checked and brought into that layout by osdear__array_import(). */
#ifndef OSDEAR_SRC_ARROW_H
#define OSDEAR_SRC_ARROW_H

#include <base/base.h>
#include <osdear/arrow.h>

typedef enum osdear__kind {
  KIND_VOID,
  KIND_BOOLEAN,
  KIND_BYTE,
  KIND_SHORT,
  KIND_INTEGER,
  KIND_LONG,
  KIND_FLOAT,
  KIND_DOUBLE,
  KIND_DECIMAL,
  KIND_STRING,
  KIND_BINARY,
  KIND_DATE,
  KIND_TIMESTAMP,
  KIND_TIMESTAMP_NTZ,
  KIND_ARRAY,
  KIND_MAP,
  KIND_STRUCT,
  KIND_VARIANT,
  /* Not Delta's: only in Parquet files and Arrow data of others. */
  KIND_UINT8,
  KIND_UINT16,
  KIND_UINT32,
  KIND_UINT64,
  KIND_FLOAT16,
  KIND_FIXED,
  KIND_TIME
} osdear__kind;

typedef struct osdear__field osdear__field;

/* A type tree lives in an arena and is immutable once made. */
typedef struct osdear__type {
  osdear__kind kind;
  int32_t precision;  /* DECIMAL 1..38 */
  int32_t scale;      /* DECIMAL 0..precision */
  int32_t width;      /* FIXED: bytes; STRING: the n of a CHAR(n), whose values have that many characters at least; else 0 */
  size_t field_count; /* ARRAY 1 (element), MAP 2 (key, value), STRUCT n */
  osdear__field *fields;
} osdear__type;

struct osdear__field {
  const char *name; /* UTF-8, NUL-terminated; "element", "key", "value" inside arrays and maps */
  bool nullable;
  int32_t field_id;     /* Parquet's; -1: none */
  const char *metadata; /* Delta's field metadata as JSON object text; NULL: none */
  osdear__type type;
};

const char *osdear__kind_name(osdear__kind kind);                   /* Delta's word for it */
void osdear__type_name(const osdear__type *type, osdear__buf *out); /* "decimal(10,2)", "array<struct<a:int,…>>" for messages */
bool osdear__type_equal(const osdear__type *a,
                        const osdear__type *b); /* shape, names and parameters; not nullability or metadata */
MUST_USE osdear_status osdear__type_copy(const osdear__type *type, osdear__arena *arena, osdear__type *out, osdear_error **error);
/* By name, exact match first, then ASCII case-insensitive; -1: not there. */
int64_t osdear__type_find(const osdear__type *struct_type, osdear__str name);
/* One type in Delta's or SQL's words: "long", "bigint", "int", "decimal(10,2)", "timestamp_ntz", "string", … Scalars only. */
MUST_USE bool osdear__type_parse(osdear__str text, osdear__type *out);
/* Bytes of one value of a fixed-width kind (boolean 0: bits; string, binary and nested -1). */
int32_t osdear__type_width(const osdear__type *type);

/* ---- schemas (schema.c) ---- */

/* `schema` must be a struct ("+s"). Everything is checked: formats, child counts, UTF-8, depth (100), NULLs. Types of Arrow that have a
 * lossless home here are mapped (large, view, dictionary, run-end, fixed-size list, decimal32..256 up to 38 digits, date64,
 * timestamps of any unit: with zone TIMESTAMP, without TIMESTAMP_NTZ); others are UNSUPPORTED by column and format. */
MUST_USE osdear_status osdear__schema_import(const struct ArrowSchema *schema, osdear__arena *arena, osdear__type *out,
                                             osdear_error **error);
/* TIMESTAMP becomes "tsu:UTC", TIMESTAMP_NTZ "tsu:"; VARIANT the extension "arrow.parquet.variant". Field metadata is not exported. */
MUST_USE osdear_status osdear__schema_export(const osdear__type *struct_type, struct ArrowSchema *out, osdear_error **error);

/* ---- columns (array.c) ---- */

/* A new canonical array, its buffers allocated and zeroed: `value_bytes` for the bytes of a string or binary, child arrays empty
 * (lists, maps) or of `length` rows (struct), with validity like their parent. Zeroed validity says null, and null_count says so too:
 * fill in place, then set null_count. Release with out->release. */
MUST_USE osdear_status osdear__array_new(const osdear__type *type, int64_t length, bool with_validity, int64_t value_bytes,
                                         struct ArrowArray *out, osdear_error **error);
/* For whoever fills buffers itself: an array that owns the buffers it is given (allocated by osdear__alloc, freed on release, also when
 * this fails) and the child arrays, moved in. `buffer_count` as the layout says. */
MUST_USE osdear_status osdear__array_adopt(int64_t length, int64_t null_count, void **buffers, int64_t buffer_count,
                                           struct ArrowArray *children, int64_t child_count, struct ArrowArray *out,
                                           osdear_error **error);
/* Allocates a buffer with the padding promised above; grow it with osdear__buffer_grow (the old bytes are kept). */
MUST_USE void *osdear__buffer_new(size_t size);
MUST_USE void *osdear__buffer_grow(void *buffer, size_t size);
typedef struct ArrowArray osdear__array;
typedef struct ArrowSchema osdear__schema;
typedef struct ArrowArrayStream osdear__stream;
void osdear__array_drop(struct ArrowArray *array); /* release unless released; so are the next two */
void osdear__schema_drop(struct ArrowSchema *schema);
void osdear__stream_drop(struct ArrowArrayStream *stream);
static inline bool osdear__is_valid(const struct ArrowArray *array, int64_t row)
{
  const uint8_t *bits = array->buffers[0];
  return !bits || (bits[row >> 3] >> (row & 7) & 1);
}

MUST_USE osdear_status osdear__array_nulls(const osdear__type *type, int64_t length, struct ArrowArray *out,
                                           osdear_error **error);
/* Rows [from, from + length) as a canonical array of its own. */
MUST_USE osdear_status osdear__array_slice(const osdear__type *type, const struct ArrowArray *array, int64_t from, int64_t length,
                                           struct ArrowArray *out, osdear_error **error);
/* The rows at `rows` (ascending or not), `count` of them. A row of -1 gives null. */
MUST_USE osdear_status osdear__array_take(const osdear__type *type, const struct ArrowArray *array, const int32_t *rows,
                                          int64_t count, struct ArrowArray *out, osdear_error **error);
MUST_USE osdear_status osdear__array_concat(const osdear__type *type, const struct ArrowArray *arrays, size_t array_count,
                                            struct ArrowArray *out, osdear_error **error);
/* As the table's type: widening of numbers, decimals and dates as Delta allows them, timestamps, FIXED to binary, UINT to the next
 * wider int, struct children matched by name (absent ones become nulls, further ones are left out), lists and maps by their elements.
 * Moves `array` in (released also on failure). UNSUPPORTED names path and both types. Where nothing changes nothing is copied. */
MUST_USE osdear_status osdear__array_cast(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                          struct ArrowArray *out, osdear_error **error);
/* Does it lose nothing? What rows may be appended as; osdear__array_cast() also reads a TIMESTAMP_NTZ as the UTC that other engines take
 * it for, and makes JSON text of a VARIANT. */
bool osdear__type_can_cast(const osdear__type *from, const osdear__type *to);

/* Check one batch from a stranger against `schema` (every buffer, offset, length and UTF-8) and bring it into the canonical layout of
 * `type`, which osdear__schema_import() gave for `schema`. Takes `array` over in every case. DATA names column and row. */
MUST_USE osdear_status osdear__array_import(const struct ArrowSchema *schema, const osdear__type *type, struct ArrowArray *array,
                                            struct ArrowArray *out, osdear_error **error);

/* ---- single values ---- */

/* Text and bytes are borrowed. */
typedef struct osdear__scalar {
  osdear__kind kind;
  bool is_null;
  int32_t scale;          /* DECIMAL */
  int64_t i64;            /* BOOLEAN (0, 1), integers, DATE days, TIMESTAMP(_NTZ) and TIME microseconds; UINT64 by its bits */
  double f64;             /* FLOAT, DOUBLE */
  osdear__int128 decimal; /* DECIMAL */
  osdear__str bytes;      /* STRING, BINARY, FIXED */
} osdear__scalar;
/* Not for nested kinds. */
void osdear__scalar_at(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__scalar *out);
/* -1, 0, 1 for two values of comparable kinds (numbers among each other, text with text, dates with timestamps of either kind as their
 * midnight, …), none of them null. A float among numbers: both as doubles, as Spark does; NaN is greatest and equal to itself, -0.0
 * equals 0.0. False: not comparable. */
MUST_USE bool osdear__scalar_compare(const osdear__scalar *a, const osdear__scalar *b, int *out);
/* An array of `length` times this value. */
MUST_USE osdear_status osdear__array_repeat(const osdear__type *type, const osdear__scalar *value, int64_t length,
                                            struct ArrowArray *out, osdear_error **error);

/* ---- variants, after Parquet's VariantEncoding.md (variant.c, variant_json.c) ---- */

#define OSDEAR__VARIANT_DEPTH 100
enum { VARIANT_PRIMITIVE = 0, VARIANT_SHORT_STRING = 1, VARIANT_OBJECT = 2, VARIANT_ARRAY = 3 };
enum {
  VARIANT_NULL = 0,
  VARIANT_TRUE = 1,
  VARIANT_FALSE = 2,
  VARIANT_INT8 = 3,
  VARIANT_INT16 = 4,
  VARIANT_INT32 = 5,
  VARIANT_INT64 = 6,
  VARIANT_DOUBLE = 7,
  VARIANT_DECIMAL4 = 8,
  VARIANT_DECIMAL8 = 9,
  VARIANT_DECIMAL16 = 10,
  VARIANT_DATE = 11,
  VARIANT_TIMESTAMP = 12,
  VARIANT_TIMESTAMP_NTZ = 13,
  VARIANT_FLOAT = 14,
  VARIANT_BINARY = 15,
  VARIANT_STRING = 16,
  VARIANT_TIME = 17,
  VARIANT_TIMESTAMP_NANOS = 18,
  VARIANT_TIMESTAMP_NTZ_NANOS = 19,
  VARIANT_UUID = 20
};
/* The dictionary of an object's names, which is a variant's metadata. Everything is borrowed. */
typedef struct osdear__variant_names {
  uint32_t count;
  size_t width;
  const char *offsets;
  osdear__str texts;
} osdear__variant_names;
MUST_USE bool osdear__variant_names_read(osdear__str metadata, osdear__variant_names *out);
MUST_USE bool osdear__variant_names_are_sound(const osdear__variant_names *names); /* all of them, as UTF-8 too */
MUST_USE bool osdear__variant_name(const osdear__variant_names *names, uint32_t id, osdear__str *out);
/* What an object or an array holds. */
typedef struct osdear__variant_items {
  bool is_object;
  uint32_t count;
  size_t id_width, offset_width;
  const char *ids, *offsets;
  osdear__str values;
  size_t size; /* of the whole */
} osdear__variant_items;
MUST_USE bool osdear__variant_items_read(osdear__str value, osdear__variant_items *out); /* false: it is neither, or broken */
uint32_t osdear__variant_item_id(const osdear__variant_items *items, uint32_t index);    /* of an object: the name's */
MUST_USE bool osdear__variant_item(const osdear__variant_items *items, uint32_t index, osdear__str *out); /* of just its size */
/* Bytes that the value takes which begins here; 0: it is cut short, or of no known type. */
size_t osdear__variant_size(osdear__str value);
size_t osdear__variant_primitive_size(int primitive); /* behind its head; of strings and binary, of their length */
/* Every offset, length, id and text in it, however deep. */
MUST_USE bool osdear__variant_is_sound(const osdear__variant_names *names, osdear__str value);
/* Each of an array in the canonical layout: CORRUPT where one is not sound. */
MUST_USE osdear_status osdear__variants_check(const struct ArrowArray *variants, osdear_error **error);
osdear__str osdear__variant_bytes(const struct ArrowArray *binary, int64_t row); /* one of the two binaries' */
/* As JSON text, appended: what lies beyond ASCII is escaped, times have a space in the middle, binary is base64, as in PySpark. False: the
 * bytes are broken, or the text failed. */
MUST_USE bool osdear__variant_json(osdear__str metadata, osdear__str value, osdear__buf *out);

/* ---- building row by row (builder.c) ---- */

/* Fills one canonical array of any type. */
typedef struct osdear__builder osdear__builder;
MUST_USE osdear_status osdear__builder_new(const osdear__type *type, osdear__builder **out,
                                           osdear_error **error); /* `type` outlives it */
void osdear__builder_auto(osdear__builder **builder);
MUST_USE osdear_status osdear__builder_null(osdear__builder *builder, osdear_error **error);
MUST_USE osdear_status osdear__builder_i64(osdear__builder *builder, int64_t value,
                                           osdear_error **error); /* booleans, ints, dates, times */
MUST_USE osdear_status osdear__builder_f64(osdear__builder *builder, double value, osdear_error **error);
MUST_USE osdear_status osdear__builder_decimal(osdear__builder *builder, osdear__int128 value, osdear_error **error);
MUST_USE osdear_status osdear__builder_bytes(osdear__builder *builder, osdear__str value, osdear_error **error);
MUST_USE osdear_status osdear__builder_scalar(osdear__builder *builder, const osdear__scalar *value, osdear_error **error);
/* Nested: fill the children, then close the row. ARRAY: child 0; MAP: child 0 keys, child 1 values; STRUCT: each child one value. */
osdear__builder *osdear__builder_child(osdear__builder *builder, size_t index);
MUST_USE osdear_status osdear__builder_close(osdear__builder *builder, osdear_error **error);
int64_t osdear__builder_length(const osdear__builder *builder);
int64_t osdear__builder_bytes_used(const osdear__builder *builder); /* for splitting batches */
/* The array; the builder is empty again. */
MUST_USE osdear_status osdear__builder_finish(osdear__builder *builder, struct ArrowArray *out, osdear_error **error);

/* ---- streams (stream.c) ---- */

/* Pulls the next batch of a struct type; *out stays released (release NULL) at the end. */
typedef osdear_status (*osdear__stream_next)(void *state, struct ArrowArray *out, osdear_error **error);
typedef void (*osdear__stream_close)(void *state);
/* Makes an ArrowArrayStream out of a pull function. `type` is copied. `state` is closed on release, also when this fails.
 * Its errors are kept for get_last_error and osdear_stream_error(), and mapped to errno. */
MUST_USE osdear_status osdear__stream_export(const osdear__type *type, osdear__stream_next next, osdear__stream_close close,
                                             void *state, struct ArrowArrayStream *out, osdear_error **error);
/* The other way: a stranger's stream, checked batch by batch. Takes `stream` over. */
typedef struct osdear__reader osdear__reader;
MUST_USE osdear_status osdear__reader_new(struct ArrowArrayStream *stream, osdear__reader **out, osdear_error **error);
const osdear__type *osdear__reader_type(const osdear__reader *reader);
MUST_USE osdear_status osdear__reader_next(osdear__reader *reader, struct ArrowArray *out, osdear_error **error);
void osdear__reader_auto(osdear__reader **reader);

#endif
