/** @file response.h How an answer is put together from its lines. Private to this layer. */
#ifndef OSDEAR_SRC_HTTP_RESPONSE_H
#define OSDEAR_SRC_HTTP_RESPONSE_H

#include <http/http.h>

/* Takes in one line of an answer's head, without its end: a status line starts the head anew. LIMIT when it grows too long. */
MUST_USE osdear_status osdear__response_add_line(osdear__http_response *response, osdear__str line, osdear_error **error);

#endif
