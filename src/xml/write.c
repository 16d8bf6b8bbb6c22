/* Text on its way into a document. */
#include <xml/xml.h>

/* Control characters go as references: servers take them so in keys, although XML 1.0 has no place for them. */
void osdear__xml_put_text(osdear__buf *out, osdear__str text)
{
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    switch (c) {
    case '&': osdear__buf_puts(out, "&amp;"); break;
    case '<': osdear__buf_puts(out, "&lt;"); break;
    case '>': osdear__buf_puts(out, "&gt;"); break;
    case '"': osdear__buf_puts(out, "&quot;"); break;
    case '\'': osdear__buf_puts(out, "&apos;"); break;
    default:
      if (c < 32 || c == 127)
        osdear__buf_printf(out, "&#x%x;", (unsigned)c);
      else
        osdear__buf_putc(out, (char)c);
    }
  }
  osdear__buf_puts(out, "");
}
