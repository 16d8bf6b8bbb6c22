/** @file row_set.h Sets of row numbers, as deletion vectors hold them: 64-bit roaring bitmaps, kept in the form they are stored in. */
#ifndef OSDEAR_SRC_DELTA_ROW_SET_H
#define OSDEAR_SRC_DELTA_ROW_SET_H

#include <delta/delta.h>

/* Immutable: any thread may ask. */
typedef struct osdear__row_set osdear__row_set;

/* `data`: magic number and bitmaps, allocated; taken over in every case. Every bound in it is checked here, once. */
MUST_USE osdear_status osdear__row_set_open(char *data, size_t size, osdear__row_set **out, osdear_error **error);
void osdear__row_set_free(osdear__row_set *set);
void osdear__row_set_auto(osdear__row_set **set);

int64_t osdear__row_set_count(const osdear__row_set *set);                                  /* of all rows in it */
int64_t osdear__row_set_count_within(const osdear__row_set *set, int64_t from, int64_t to); /* of those in [from, to) */
int64_t osdear__row_set_last(const osdear__row_set *set);                                   /* the greatest; -1: it is empty */
/* marks[i] = 1 for each row from + i that is in the set, i < count; others stay as they are. */
void osdear__row_set_mark(const osdear__row_set *set, int64_t from, int64_t count, uint8_t *marks);

/* The rows that a descriptor of the log names. CORRUPT: what is stored is not what the descriptor says. */
MUST_USE osdear_status osdear__deletion_vector_read(osdear__store *store, const osdear__deletion_vector *dv,
                                                    osdear__row_set **out, osdear_error **error);

#endif
