/** @file expat.h expat as this layer sees it: a table that is filled when the first document is read. Private to this layer. */
#ifndef OSDEAR_SRC_XML_EXPAT_H
#define OSDEAR_SRC_XML_EXPAT_H

#include <expat.h>

#include <xml/xml.h>

/* The names without their `XML_`. */
#define EXPAT_FUNCTIONS(function)                                                                                              \
  function(ParserCreate_MM) function(ParserFree) function(Parse) function(StopParser) function(SetUserData)                    \
      function(SetHashSalt) function(SetElementHandler) function(SetCharacterDataHandler) function(SetStartDoctypeDeclHandler) \
          function(GetErrorCode) function(ErrorString) function(GetCurrentLineNumber) function(GetCurrentColumnNumber)

typedef struct osdear__expat_calls {
#define EXPAT_MEMBER(name) __typeof__(XML_##name) *name;
  EXPAT_FUNCTIONS(EXPAT_MEMBER)
#undef EXPAT_MEMBER
} osdear__expat_calls;
extern osdear__expat_calls osdear__expat; /* of use after osdear__expat_open() */

/* UNSUPPORTED when expat is missing or too old. */
MUST_USE osdear_status osdear__expat_open(osdear_error **error);

#endif
