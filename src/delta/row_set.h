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

/* Files with deletion vectors that were opened lately: a file holds those of many data files. Zero-initialise; confined. */
enum { OSDEAR__VECTOR_FILES = 4 };
typedef struct osdear__vector_file {
  char *path; /* NULL: free */
  osdear__input *input;
} osdear__vector_file;
typedef struct osdear__vector_files {
  osdear__vector_file kept[OSDEAR__VECTOR_FILES];
  size_t oldest;
} osdear__vector_files;
void osdear__vector_files_drop(osdear__vector_files *files);
/* A hint: this vector will be read soon, see osdear__store_expect(). */
void osdear__vector_files_expect(const osdear__vector_files *files, osdear__store *store, const osdear__deletion_vector *dv);

/* The rows that a descriptor of the log names. CORRUPT: what is stored is not what the descriptor says. */
MUST_USE osdear_status osdear__deletion_vector_read(osdear__store *store, osdear__vector_files *files,
                                                    const osdear__deletion_vector *dv, osdear__row_set **out,
                                                    osdear_error **error);

#endif
