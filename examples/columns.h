/* Arrow arrays by hand: what a program needs to hand rows to libosdear, in plain C. */
#ifndef OSDEAR_EXAMPLES_COLUMNS_H
#define OSDEAR_EXAMPLES_COLUMNS_H

#include "need.h"

/* An array of `length` rows that owns `values` (from malloc), and `offsets` for strings (NULL for numbers). No nulls. */
void make_column(struct ArrowArray *out, int64_t length, void *offsets, void *values);
/* A batch of `count` columns, moved in from `columns`. */
void make_batch(struct ArrowArray *out, int64_t length, struct ArrowArray *columns, int64_t count);
/* As malloc, but ends the program where there is no memory. */
void *get_memory(size_t size);

/* Column `name` of a batch with that schema; ends the program where there is none. */
const struct ArrowArray *column(const struct ArrowSchema *schema, const struct ArrowArray *batch, const char *name);
int64_t number_at(const struct ArrowArray *column, int64_t row); /* of an int64 column */
const char *text_at(const struct ArrowArray *column, int64_t row, int *size);

#endif
