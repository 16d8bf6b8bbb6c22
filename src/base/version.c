#include <osdear/base.h>

const char *osdear_version(void)
{
  return "0.1.0";
}
