/* libcurl, loaded with the first request. */
#include <http/curl.h>

osdear__curl_calls osdear__curl;

/* Global initialisation counts its callers and is safe to repeat beside other users of libcurl in the process; what it allocates stays
 * until the process ends. It gets no allocator of ours: that one would be everybody's. */
static osdear_status start(osdear_error **error)
{
  const curl_version_info_data *info;

  if (osdear__curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "libcurl does not start");
  info = osdear__curl.version_info(CURLVERSION_NOW);
  if (!(info->features & CURL_VERSION_SSL))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the libcurl that is installed (%s) cannot do TLS", info->version);
  if (info->version_num < 0x075000)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the libcurl that is installed (%s) is older than 7.80.0", info->version);
  return OSDEAR_OK;
}

#define CURL_NAME(name) "curl_" #name,
static const char *const symbols[] = { CURL_FUNCTIONS(CURL_NAME) "curl_free" };
#undef CURL_NAME
_Static_assert(sizeof osdear__curl == sizeof symbols, "a name for each member, and no room between them");

static osdear__library library = {
  .purpose = "an address on the network",
  .package = "libcurl4",
  .files = { "libcurl.so.4" },
  .symbols = symbols,
  .symbol_count = COUNT_OF(symbols),
  .table = &osdear__curl,
  .start = start,
};

osdear_status osdear__curl_open(osdear_error **error)
{
  return osdear__library_open(&library, error);
}

int osdear__curl_end_tls(CURL *easy)
{
  struct curl_tlssessioninfo *session = NULL;
  int (*end)(void *session) = (int (*)(void *))osdear__library_find(&library, "SSL_shutdown");

  if (!end || osdear__curl.easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session ||
      session->backend != CURLSSLBACKEND_OPENSSL || !session->internals)
    return -2;
  return end(session->internals);
}

static void note(CURLcode code, CURLcode *failed)
{
  if (code != CURLE_OK && *failed == CURLE_OK)
    *failed = code;
}

void osdear__curl_set_long(CURL *easy, CURLoption option, long value, CURLcode *failed)
{
  note(osdear__curl.easy_setopt(easy, option, value), failed);
}

void osdear__curl_set_size(CURL *easy, CURLoption option, int64_t value, CURLcode *failed)
{
  note(osdear__curl.easy_setopt(easy, option, (curl_off_t)value), failed);
}

void osdear__curl_set_text(CURL *easy, CURLoption option, const char *value, CURLcode *failed)
{
  if (value)
    note(osdear__curl.easy_setopt(easy, option, value), failed);
}

void osdear__curl_set_data(CURL *easy, CURLoption option, const void *value, CURLcode *failed)
{
  note(osdear__curl.easy_setopt(easy, option, value), failed);
}

void osdear__curl_set_call(CURL *easy, CURLoption option, void (*function)(void), CURLcode *failed)
{
  note(osdear__curl.easy_setopt(easy, option, function), failed);
}
