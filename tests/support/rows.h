/* Rows that a test hands to the library as a stranger would: Arrow structures of its own making, from its own memory, so that
 * faults that are injected into the library do not hit them. Columns: id (long), name (string, every third null), day (date). */
#ifndef OSDEAR_TESTS_ROWS_H
#define OSDEAR_TESTS_ROWS_H

#include <osdear/arrow.h>
#include <stdbool.h>

#define ROWS_DAYS 3 /* ids are spread over this many days */

void rows_schema(struct ArrowSchema *out);
/* `count` rows with ids from `first` on, in batches of `batch` rows. */
void rows_stream(int64_t first, int64_t count, int64_t batch, struct ArrowArrayStream *out);
/* Reads a stream of them to its end and releases it. Returns the number of rows, -1 when the stream failed. `*id_sum` is optional. */
int64_t rows_drain(struct ArrowArrayStream *stream, int64_t *id_sum);

#endif
