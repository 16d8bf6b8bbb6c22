/** @file crypto_absent.c Where OpenSSL's headers were not there to build with. */
#include <base/crypto.h>

static osdear_status fail(osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "this library was built without OpenSSL, which signing needs");
}

osdear_status osdear__sha256(const void *data, size_t size, unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error)
{
  (void)data;
  (void)size;
  (void)out;
  return fail(error);
}

osdear_status osdear__sha256_hex(const void *data, size_t size, char out[OSDEAR__SHA256_HEX], osdear_error **error)
{
  (void)data;
  (void)size;
  (void)out;
  return fail(error);
}

osdear_status osdear__hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                                  unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error)
{
  (void)key;
  (void)key_size;
  (void)data;
  (void)size;
  (void)out;
  return fail(error);
}
