/* expat, loaded with the first document. */
#include <xml/expat.h>

osdear__expat_calls osdear__expat;

osdear_status osdear__expat_open(osdear_error **error)
{
#define EXPAT_NAME(name) "XML_" #name,
  static const char *const symbols[] = { EXPAT_FUNCTIONS(EXPAT_NAME) };
#undef EXPAT_NAME
  static osdear__library library = {
    .purpose = "an answer in XML",
    .package = "libexpat1",
    .files = { "libexpat.so.1" },
    .symbols = symbols,
    .symbol_count = COUNT_OF(symbols),
    .table = &osdear__expat,
  };
  _Static_assert(sizeof osdear__expat == sizeof symbols, "a name for each member, and no room between them");

  return osdear__library_open(&library, error);
}
