/** @file thrift.h Thrift's compact protocol, driven by tables: one descriptor for each struct, used to read and to write it. */
#ifndef OSDEAR_SRC_PARQUET_THRIFT_H
#define OSDEAR_SRC_PARQUET_THRIFT_H

#include <base/base.h>

/* What a field holds, and as what it lies in the C struct. */
typedef enum osdear__thrift_kind {
  THRIFT_BOOL,   /* bool */
  THRIFT_I8,     /* int8_t */
  THRIFT_I16,    /* int16_t */
  THRIFT_I32,    /* int32_t */
  THRIFT_I64,    /* int64_t */
  THRIFT_BINARY, /* osdear__str, borrowed from the input; data NULL: absent */
  THRIFT_STRUCT, /* pointer to a struct described by `of`; NULL: absent */
  THRIFT_EMPTY   /* a struct of which only the presence matters; nothing but the bit in `set` */
} osdear__thrift_kind;

typedef struct osdear__thrift_struct osdear__thrift_struct;

/* One field. A list lies as a pointer to its elements at `offset` and a size_t at `count_offset`; structs lie in it by value. */
typedef struct osdear__thrift_field {
  int16_t id; /* 1..31 */
  osdear__thrift_kind kind;
  bool is_list;
  bool required; /* absence is CORRUPT; written always */
  size_t offset;
  size_t count_offset;
  const osdear__thrift_struct *of;
} osdear__thrift_field;

/* Every C struct described here begins with `uint32_t set`: bit `1 << id` of each field that was there. For writing it matters only for
 * optional numbers, booleans and empty structs; text, structs and lists are absent when they are NULL. */
struct osdear__thrift_struct {
  const char *name;
  size_t size;
  const osdear__thrift_field *fields; /* ascending by id */
  size_t field_count;
};

/* Reads one struct from the front of `in` into `out` (of->size bytes). Lists and structs go into the arena, text is borrowed from `in`.
 * Unknown fields, and known ones of another type, are skipped as Thrift's own readers do. `*used`, which may be NULL: bytes read. */
MUST_USE osdear_status osdear__thrift_read(const osdear__thrift_struct *of, osdear__str in, osdear__arena *arena, void *out,
                                           size_t *used, osdear_error **error);
/* Appends one struct; failures are the buffer's, sticky. */
void osdear__thrift_write(const osdear__thrift_struct *of, const void *value, osdear__buf *out);

#endif
