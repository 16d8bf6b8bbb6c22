/** @file flat.h A FlatBuffer being built, from its end to its front as the format wants it. */
#ifndef OSDEAR_SRC_FORMATS_FLAT_H
#define OSDEAR_SRC_FORMATS_FLAT_H

#include <base/base.h>

#define OSDEAR__FLAT_SLOTS 8

/* A place in the buffer: how far its first byte is from the end. 0 is none. */
typedef uint32_t osdear__flat_place;

/* Zero-initialise. Failure is sticky. One table is open at a time: what it points to is put before. */
typedef struct osdear__flat {
  uint8_t *data;
  size_t capacity;
  size_t used; /* at the end of data */
  osdear__flat_place slots[OSDEAR__FLAT_SLOTS];
  size_t table_start;
  osdear_status failed;
} osdear__flat;
void osdear__flat_drop(osdear__flat *flat);
void osdear__flat_clear(osdear__flat *flat);

osdear__flat_place osdear__flat_string(osdear__flat *flat, osdear__str text);
osdear__flat_place osdear__flat_places(osdear__flat *flat, const osdear__flat_place *places,
                                       size_t count); /* a vector of what is there */
osdear__flat_place osdear__flat_structs(osdear__flat *flat, const void *data, size_t count,
                                        size_t size); /* of structs of int64 */

void osdear__flat_open(osdear__flat *flat);
void osdear__flat_put(osdear__flat *flat, size_t slot, int64_t value, size_t size); /* 1, 2, 4 or 8 bytes */
void osdear__flat_point(osdear__flat *flat, size_t slot, osdear__flat_place place); /* 0: left out */
osdear__flat_place osdear__flat_close(osdear__flat *flat);

/* Ends the buffer with what points to its root. The bytes live until the next call. */
MUST_USE osdear_status osdear__flat_finish(osdear__flat *flat, osdear__flat_place root, osdear__str *out, osdear_error **error);

#endif
