/** @file schema.h From the flat list of SchemaElements to a tree of types with levels, and back. */
#ifndef OSDEAR_SRC_PARQUET_SCHEMA_H
#define OSDEAR_SRC_PARQUET_SCHEMA_H

#include <arrow/arrow.h>
#include <parquet/format.h>

typedef enum osdear__pq_unit { UNIT_NONE, UNIT_MILLIS, UNIT_MICROS, UNIT_NANOS } osdear__pq_unit;

typedef struct osdear__pq_calendar osdear__pq_calendar;

/* A column as the file stores it. */
typedef struct osdear__pq_leaf {
  osdear__pq_physical physical;
  int32_t width;        /* bytes of a value: FIXED its length, BYTE_ARRAY and BOOLEAN 0 */
  osdear__pq_unit unit; /* of times and timestamps as stored */
  int32_t max_def;
  int32_t max_rep;
  const osdear__type *type; /* what its values become */
  const osdear__pq_schema_element *element;
  const osdear__str *path; /* path_in_schema */
  size_t path_count;
  const osdear__pq_calendar *calendar; /* of old dates and timestamps; NULL: as everywhere */
} osdear__pq_leaf;

/* A type with the levels that tell it apart from what holds it. The children are as the type's fields; those of a VARIANT are as the
 * fields of its storage, which its type does not show: metadata, value and, where it is shredded, typed_value. A group without any column
 * below it becomes a VOID without a leaf. */
typedef struct osdear__pq_node osdear__pq_node;
struct osdear__pq_node {
  const char *name;
  const osdear__type *type;
  bool nullable;
  int32_t def;      /* definition level from which on the value is there; below: it, or what holds it, is null or empty */
  int32_t rep;      /* lists it is in: its repetition level */
  int32_t item_def; /* ARRAY, MAP: definition level from which on there is an entry */
  const osdear__type *storage; /* VARIANT: the struct that it is in the file */
  size_t leaf;                 /* first leaf below it, or its own */
  size_t leaf_count;
  osdear__pq_node *children;
  size_t child_count;
};

typedef struct osdear__pq_schema {
  osdear__type type; /* a struct of the columns */
  osdear__pq_node root;
  osdear__pq_leaf *leaves;
  size_t leaf_count;
} osdear__pq_schema;

/* All of the format's rules for lists and maps, old ones included. Elements must outlive the schema, which lies in the arena. */
MUST_USE osdear_status osdear__pq_schema_read(const osdear__pq_schema_element *elements, size_t count, osdear__arena *arena,
                                              osdear__pq_schema *out, osdear_error **error);
/* The elements that describe a struct type, root first; osdear__pq_schema_read() makes the same type of them again. */
MUST_USE osdear_status osdear__pq_schema_write(const osdear__type *type, osdear__arena *arena,
                                               osdear__pq_schema_element **elements, size_t *count, osdear_error **error);
/* What a column's values become, by its annotations. False: it is no column. (leaf.c) */
MUST_USE bool osdear__pq_leaf_read(const osdear__pq_schema_element *element, osdear__type *type, osdear__pq_leaf *leaf);
/* The other way: physical type and annotations of a type that is not nested. False: there is none. */
MUST_USE bool osdear__pq_leaf_write(const osdear__type *type, osdear__arena *arena, osdear__pq_schema_element *element);
/* Bytes that hold every decimal of so many digits. */
int32_t osdear__pq_decimal_bytes(int32_t precision);

#endif
