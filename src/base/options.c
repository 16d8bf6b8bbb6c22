/* Structs that grow from release to release, on either side of the border. */
#include <base/base.h>

osdear_status osdear__options_read(void *known, size_t known_size, const void *given, osdear_error **error)
{
  const unsigned char *bytes = given;
  size_t given_size;

  if (!given)
    return OSDEAR_OK;
  memcpy(&given_size, given, sizeof given_size);
  if (given_size < sizeof given_size || given_size > 4096)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "an options struct of %zu bytes: set `size` with its _INIT macro",
                        given_size);
  for (size_t i = known_size; i < given_size; i++)
    if (bytes[i] != 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "options byte %zu is newer than this library, which knows %zu", i,
                          known_size);
  memcpy(known, given, given_size < known_size ? given_size : known_size);
  memcpy(known, &known_size, sizeof known_size);
  return OSDEAR_OK;
}

osdear_status osdear__result_write(void *given, const void *known, size_t known_size, osdear_error **error)
{
  size_t given_size, size;

  if (!given)
    return OSDEAR_OK;
  memcpy(&given_size, given, sizeof given_size);
  if (given_size < sizeof given_size || given_size > 4096)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a result struct of %zu bytes: set `size` with its _INIT macro", given_size);
  size = given_size < known_size ? given_size : known_size;
  memcpy((char *)given + sizeof size, (const char *)known + sizeof size, size - sizeof size);
  return OSDEAR_OK;
}
