/** @file crypto.c SHA-256 and HMAC by OpenSSL. Its algorithms are fetched once: looking one up costs more than hashing a request. */
#include <base/crypto.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

static struct {
  __typeof__(EVP_MD_fetch) *fetch;
  __typeof__(EVP_Digest) *digest;
  __typeof__(HMAC) *hmac;
} libcrypto;
static EVP_MD *sha256;

static osdear_status start(osdear_error **error)
{
  sha256 = libcrypto.fetch(NULL, "SHA256", NULL);
  return sha256 ? OSDEAR_OK : osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "OpenSSL, which signs requests, has no SHA-256");
}

static osdear_status need_libcrypto(osdear_error **error)
{
  static const char *const symbols[] = { "EVP_MD_fetch", "EVP_Digest", "HMAC" };
  static osdear__library library = {
    .purpose = "signing",
    .package = "libssl3",
    .files = { "libcrypto.so.3" },
    .symbols = symbols,
    .symbol_count = COUNT_OF(symbols),
    .table = &libcrypto,
    .start = start,
  };

  return osdear__library_open(&library, error);
}

osdear_status osdear__sha256(const void *data, size_t size, unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error)
{
  osdear_status st = need_libcrypto(error);

  if (st)
    return st;
  if (!libcrypto.digest(size > 0 ? data : "", size, out, NULL, sha256, NULL))
    return osdear__fail_memory(error);
  return OSDEAR_OK;
}

osdear_status osdear__sha256_hex(const void *data, size_t size, char out[OSDEAR__SHA256_HEX], osdear_error **error)
{
  unsigned char digest[OSDEAR__SHA256_SIZE];
  osdear_status st = osdear__sha256(data, size, digest, error);

  if (!st)
    osdear__hex(digest, sizeof digest, out);
  return st;
}

osdear_status osdear__hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                                  unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error)
{
  unsigned char digest[OSDEAR__SHA256_SIZE]; /* `out` may be `key` */
  osdear_status st = need_libcrypto(error);

  if (st)
    return st;
  if (key_size > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a key of %zu bytes", key_size);
  if (!libcrypto.hmac(sha256, key_size > 0 ? key : "", (int)key_size, data, size, digest, NULL))
    return osdear__fail_memory(error);
  memcpy(out, digest, sizeof digest);
  osdear__wipe(digest, sizeof digest);
  return OSDEAR_OK;
}
