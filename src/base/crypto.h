/** @file crypto.h SHA-256 and HMAC by OpenSSL, which comes in with the first signature. Without it: UNSUPPORTED. */
#ifndef OSDEAR_SRC_BASE_CRYPTO_H
#define OSDEAR_SRC_BASE_CRYPTO_H

#include <base/base.h>

#define OSDEAR__SHA256_SIZE 32
#define OSDEAR__SHA256_HEX 65 /* with the NUL */

MUST_USE osdear_status osdear__sha256(const void *data, size_t size, unsigned char out[OSDEAR__SHA256_SIZE],
                                      osdear_error **error);
MUST_USE osdear_status osdear__sha256_hex(const void *data, size_t size, char out[OSDEAR__SHA256_HEX], osdear_error **error);
MUST_USE osdear_status osdear__hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                                           unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error);

#endif
