/* In place of the reader of XML, where it was switched off or expat's header was not there to build with. */
#include <xml/xml.h>

osdear_status osdear__xml_parser_new(const char *name, const osdear__xml_limits *limits, osdear__xml_handler handler,
                                     void *argument, osdear__xml_parser **out, osdear_error **error)
{
  (void)limits;
  (void)handler;
  (void)argument;
  (void)out;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s: this build cannot read XML: build with -Dxml=enabled", name);
}

osdear_status osdear__xml_feed(osdear__xml_parser *parser, const void *data, size_t size, osdear_error **error)
{
  (void)parser;
  (void)data;
  (void)size;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "this build cannot read XML");
}

osdear_status osdear__xml_finish(osdear__xml_parser *parser, osdear_error **error)
{
  return osdear__xml_feed(parser, NULL, 0, error);
}

void osdear__xml_parser_free(osdear__xml_parser *parser)
{
  (void)parser;
}

void osdear__xml_parser_auto(osdear__xml_parser **parser)
{
  (void)parser;
}

osdear_status osdear__xml_parse(osdear__str document, const char *name, const osdear__xml_limits *limits,
                                osdear__xml_handler handler, void *argument, osdear_error **error)
{
  osdear__xml_parser *parser;

  (void)document;
  return osdear__xml_parser_new(name, limits, handler, argument, &parser, error);
}
