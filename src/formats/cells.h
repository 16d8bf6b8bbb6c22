/** @file cells.h How much room text takes on a terminal. */
#ifndef OSDEAR_SRC_FORMATS_CELLS_H
#define OSDEAR_SRC_FORMATS_CELLS_H

#include <base/base.h>

/* Columns of a terminal that valid UTF-8 takes: 2 for East Asian wide characters and emoji, 0 for marks that combine. An approximation. */
size_t osdear__cells_of(osdear__str text);
/* Bytes of the longest front of `text` that takes at most `cells`. */
size_t osdear__cells_cut(osdear__str text, size_t cells);

#endif
