/** @file rows.h What the reader makes of an assembled file, as text: "1,null,[2,3]"; strings as they are. */
#ifndef OSDEAR_TESTS_UNIT_PARQUET_ROWS_H
#define OSDEAR_TESTS_UNIT_PARQUET_ROWS_H

#include <criterion/criterion.h>

#include "../../support/assembled.h"

osdear_status rows_read(const osdear__assembled *file, const osdear__row_range *ranges, size_t range_count, osdear__buf *out,
                        osdear_error **error);
void rows_expect(const osdear__assembled *file, const char *wanted);
/* Fails with `status`, and with `words` somewhere in its message. */
void rows_refuse(const osdear__assembled *file, osdear_status status, const char *words);

#endif
