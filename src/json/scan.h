/* What yajl gets wrong or takes on trust is settled before it sees the text. */
#ifndef OSDEAR_SRC_JSON_SCAN_H
#define OSDEAR_SRC_JSON_SCAN_H

#include <base/base.h>

/* CORRUPT unless `text` is valid UTF-8. Escapes of half a surrogate pair, which name no character, are replaced by `\ufffd`:
 * `*out` is then a copy in `copy`, of the same size so that offsets still hold, else `text` itself. */
MUST_USE osdear_status osdear__json_scan(osdear__str text, const char *name, osdear__buf *copy, osdear__str *out,
                                         osdear_error **error);

#endif
