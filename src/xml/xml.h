/** @file xml.h XML over expat, which is loaded with the first document: names and texts as they come, with ceilings. */
#ifndef OSDEAR_SRC_XML_H
#define OSDEAR_SRC_XML_H

#include <base/base.h>

/* Documents are small or streamed, and hostile: a DTD (and with it every entity beyond the five of XML) is refused, depth, size and the
 * length of texts are bounded. Namespaces are not looked at: an element is called by what follows its prefix. Attributes are passed over. */

typedef enum osdear__xml_event { XML_START, XML_END } osdear__xml_event;
/* `path`: the names from the root to the element, "ListBucketResult/Contents/Key". `text`: with XML_END of an element without children its
 * text, with entities resolved, white space kept; empty otherwise. Both NUL-terminated, and live during the call only. Anything but OSDEAR_OK
 * stops the parse and becomes its result. */
typedef osdear_status (*osdear__xml_handler)(void *argument, osdear__xml_event event, osdear__str path, osdear__str text,
                                             osdear_error **error);

/* Fields left 0 take the default. */
typedef struct osdear__xml_limits {
  int32_t max_depth;   /* 32 */
  size_t max_text;     /* of one element; 1 MiB */
  size_t max_document; /* 64 MiB */
} osdear__xml_limits;

/* A whole document. White space before it is passed over: servers send it to keep a connection alive. Bad XML, none at all, or a limit that is
 * passed: CORRUPT or LIMIT, with line and column. `name` is for messages; `limits` may be NULL. */
MUST_USE osdear_status osdear__xml_parse(osdear__str document, const char *name, const osdear__xml_limits *limits,
                                         osdear__xml_handler handler, void *argument, osdear_error **error);

/* The same for a document that comes in pieces. */
typedef struct osdear__xml_parser osdear__xml_parser;
MUST_USE osdear_status osdear__xml_parser_new(const char *name, const osdear__xml_limits *limits, osdear__xml_handler handler,
                                              void *argument, osdear__xml_parser **out, osdear_error **error);
MUST_USE osdear_status osdear__xml_feed(osdear__xml_parser *parser, const void *data, size_t size, osdear_error **error);
MUST_USE osdear_status osdear__xml_finish(osdear__xml_parser *parser, osdear_error **error); /* CORRUPT when more was to come */
void osdear__xml_parser_free(osdear__xml_parser *parser);
void osdear__xml_parser_auto(osdear__xml_parser **parser);

/* Some texts of a small document: of each path the first. A path that starts with `*` stands below any root: "*" "/Code" matches Error/Code.
 * Texts that are not there stay empty with a NULL `data`; the others live in the arena, NUL-terminated. */
typedef struct osdear__xml_want {
  const char *path;
  osdear__str text;
} osdear__xml_want;
MUST_USE osdear_status osdear__xml_pick(osdear__str document, const char *name, osdear__xml_want *wants, size_t count,
                                        osdear__arena *arena, osdear_error **error);

/* Appends text with & < > " ' and control characters escaped. */
void osdear__xml_put_text(osdear__buf *out, osdear__str text);

#endif
