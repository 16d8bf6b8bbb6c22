/** @file crypto.h SHA-256 and HMAC by OpenSSL, which comes in with the first signature. */
#ifndef OSDEAR_SRC_STORE_S3_CRYPTO_H
#define OSDEAR_SRC_STORE_S3_CRYPTO_H

#include <base/base.h>

#define OSDEAR__SHA256_SIZE 32
#define OSDEAR__SHA256_HEX 65 /* with the NUL */

MUST_USE osdear_status osdear__sha256(const void *data, size_t size, unsigned char out[OSDEAR__SHA256_SIZE],
                                      osdear_error **error);
MUST_USE osdear_status osdear__sha256_hex(const void *data, size_t size, char out[OSDEAR__SHA256_HEX], osdear_error **error);
MUST_USE osdear_status osdear__hmac_sha256(const void *key, size_t key_size, const void *data, size_t size,
                                           unsigned char out[OSDEAR__SHA256_SIZE], osdear_error **error);
void osdear__hex(const unsigned char *bytes, size_t size, char *out); /* lower case, 2 * size digits and the NUL */
void osdear__base64(osdear__buf *out, const unsigned char *bytes, size_t size);
/* Overwrites what was secret, in a way that the compiler may not leave out. */
void osdear__wipe(void *data, size_t size);

#endif
