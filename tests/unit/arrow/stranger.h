/* What strangers hand in, made by hand: schemas and arrays of the C Data Interface whose every buffer is a block of just its size, so
 * that the sanitizer sees a read past its end, and whose releases are counted. */
#ifndef OSDEAR_TESTS_STRANGER_H
#define OSDEAR_TESTS_STRANGER_H

#include <arrow/arrow.h>

typedef struct stranger {
  struct ArrowSchema *schema;
  struct ArrowArray *array;
} stranger;

/* A column of that format, nullable, with the buffers that its layout has, all NULL. */
stranger stranger_new(const char *format, const char *name, int64_t length);
void stranger_put(stranger column, int64_t buffer, const void *bytes, size_t size);
#define PUT(column, buffer, type, ...) stranger_put(column, buffer, (type[]){ __VA_ARGS__ }, sizeof((type[]){ __VA_ARGS__ }))
void stranger_child(stranger parent, stranger child);        /* moves it in */
void stranger_dictionary(stranger indices, stranger values); /* likewise */
void stranger_buffers(stranger column, int64_t count);       /* another number of them, new ones NULL */
void stranger_metadata(stranger column, const char *key, const char *value);
/* A struct of that one column; its rows are the column's. */
stranger stranger_batch(stranger column);
void stranger_free(stranger column);
int64_t stranger_held(void); /* blocks that were not released yet */
void check_released(void);   /* for the end of each test: neither theirs nor ours is left */

/* Imports the batch, which is used up in every case; the arena holds the type. */
osdear_status stranger_import(stranger batch, osdear__arena *arena, osdear__type *type, struct ArrowArray *out,
                              osdear_error **error);
/* The rows as text: [1,null,"a",[2],{"a":1},{"key":"k","value":1}]; also checks what the canonical layout promises. */
void print_rows(const osdear__type *type, const struct ArrowArray *array, osdear__buf *out);
/* The first column of the batch, imported, as text; on failure the error's message. Nothing is left. */
const char *rows_of(stranger batch);
/* An array of `type` from the same text without nested values: "1,null,3"; strings without quotes. */
void array_of(const osdear__type *type, const char *values, struct ArrowArray *out);

#endif
