/** @file cast.h Between cast.c, cast_values.c and variant_json.c. */
#ifndef OSDEAR_SRC_ARROW_CAST_H
#define OSDEAR_SRC_ARROW_CAST_H

#include <arrow/internal.h>

/* Fills `out`, a node of `to` without buffers, from `array`, whose kind is not nested and can be cast to that of `to`.
 * `array` is used up. */
MUST_USE osdear_status osdear__cast_values(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                           const osdear__place *place, struct ArrowArray *out, osdear_error **error);

/* Variants to their JSON text, as a new array. */
MUST_USE osdear_status osdear__cast_variants(const struct ArrowArray *array, const osdear__place *place, struct ArrowArray *out,
                                             osdear_error **error);

/* "column a.b" for messages; empty where a column by itself is cast. */
#define OSDEAR__CAST_PLACE (OSDEAR__PLACE_TEXT + 8)
void osdear__cast_place(const osdear__place *place, char out[OSDEAR__CAST_PLACE]);

#endif
