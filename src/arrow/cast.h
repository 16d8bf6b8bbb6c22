/** @file cast.h Between cast.c and cast_values.c. */
#ifndef OSDEAR_SRC_ARROW_CAST_H
#define OSDEAR_SRC_ARROW_CAST_H

#include <arrow/internal.h>

/* Fills `out`, a node of `to` without buffers, from `array`, whose kind is not nested and can be cast to that of `to`.
 * `array` is used up. */
MUST_USE osdear_status osdear__cast_values(const osdear__type *from, struct ArrowArray *array, const osdear__type *to,
                                           const osdear__place *place, struct ArrowArray *out, osdear_error **error);

#endif
