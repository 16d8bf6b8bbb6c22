/** @file schema.h Columns and types as text. */
#ifndef OSDEAR_SCHEMA_H
#define OSDEAR_SCHEMA_H

#include <osdear/arrow.h>
#include <osdear/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Columns from text, in either of two forms: SQL's (`id BIGINT NOT NULL, name STRING, tags ARRAY<STRING>,
 * place STRUCT<lat: DOUBLE, lon: DOUBLE>, m MAP<STRING, INT>`, names in backquotes or double quotes where they need them),
 * or Delta's `schemaString` (JSON).
 *
 * @param text      UTF-8.
 * @param[out] out  An Arrow struct, released by the caller.
 * @retval OSDEAR_ERR_ARGUMENT  Not in one of the forms; the message points at the place.
 * @note Any thread.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_schema_parse(const char *text, struct ArrowSchema *out, osdear_error **error);

/**
 * A column's type in Delta's words, such as `decimal(10,2)` or `array<struct<a:integer,b:string>>`.
 *
 * @param column    One column: a child of a struct, or a struct.
 * @param[out] text Owned by the caller: release with osdear_text_free().
 * @retval OSDEAR_ERR_UNSUPPORTED  A type that has no such name.
 * @note Any thread.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_schema_print(const struct ArrowSchema *column, char **text, osdear_error **error);
OSDEAR_API void osdear_text_free(char *text); /**< Text that this library handed out. NULL is a no-op. */

/**
 * An instant from text: `2024-01-31`, `2024-01-31 12:00:00`, `2024-01-31T12:00:00.5+02:00`; UTC where no zone is given.
 *
 * @param[out] timestamp_us  Microseconds UTC since 1970.
 * @retval OSDEAR_ERR_ARGUMENT  Not in that form, or not in the calendar.
 * @note Any thread.
 * @since 0.1
 */
OSDEAR_API osdear_status osdear_timestamp_parse(const char *text, int64_t *timestamp_us, osdear_error **error);

#ifdef __cplusplus
}
#endif
#endif
