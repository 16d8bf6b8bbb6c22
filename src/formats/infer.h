/** @file infer.h Finding a column's type from the values seen, and saying why. */
#ifndef OSDEAR_SRC_FORMATS_INFER_H
#define OSDEAR_SRC_FORMATS_INFER_H

#include <arrow/arrow.h>

/* What one value could be. In order: a reason lists them so. */
typedef enum osdear__class {
  CLASS_NULL,
  CLASS_BOOLEAN, /* true, false in any case */
  CLASS_LONG,    /* whole, no leading zero or plus sign, fits 64 bits */
  CLASS_BIG,     /* whole, but wider: an identifier more often than a quantity */
  CLASS_DOUBLE,
  CLASS_WORD,          /* NaN, Infinity: numbers only among numbers */
  CLASS_DATE,          /* YYYY-MM-DD */
  CLASS_TIMESTAMP_NTZ, /* ISO 8601 without a zone */
  CLASS_TIMESTAMP,     /* with one */
  CLASS_TEXT,
  CLASS_OBJECT, /* JSON only, so is the next */
  CLASS_ARRAY,
  CLASS_COUNT
} osdear__class;

osdear__class osdear__classify(osdear__str text);      /* never NULL, OBJECT, ARRAY */
osdear__class osdear__classify_time(osdear__str text); /* DATE, TIMESTAMP(_NTZ) or TEXT */

#define OSDEAR__EXAMPLE_BYTES 31
typedef struct osdear__evidence {
  int64_t counts[CLASS_COUNT];
  int64_t lines[CLASS_COUNT]; /* where each class was seen first */
  char examples[CLASS_COUNT][OSDEAR__EXAMPLE_BYTES + 1];
  const char *null_texts[3]; /* the first different texts that stood for null, borrowed */
} osdear__evidence;

/* Notes one value. `text` is looked at only for the first of its class. */
void osdear__evidence_add(osdear__evidence *evidence, osdear__class class_, osdear__str text, int64_t line);
void osdear__evidence_null(osdear__evidence *evidence, const char *text);
/* The narrowest kind that takes every value seen without loss; STRING where there is none, or nothing was seen.
 * STRUCT and ARRAY only where all are OBJECT, or ARRAY. */
osdear__kind osdear__evidence_kind(const osdear__evidence *evidence);
/* "8 of 8 values looked at are whole numbers; 2 null (NA)". */
void osdear__evidence_reason(const osdear__evidence *evidence, osdear__buf *out);
/* 336776 as "336,776". */
void osdear__put_count(osdear__buf *out, int64_t count);

#endif
