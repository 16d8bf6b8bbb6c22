/** @file s3_absent.c In place of the s3: store in builds without OpenSSL. */
#include <store/backend.h>

osdear_status osdear__s3_store_new(const char *address, const osdear_pair *settings, size_t setting_count, osdear__store **out,
                                   osdear_error **error)
{
  (void)settings, (void)setting_count, (void)out;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "this build has no store for \"s3://%s\": it was made without OpenSSL",
                      address);
}
