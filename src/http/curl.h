/** @file curl.h libcurl as this layer sees it: a table that is filled when the first request is made. Private to this layer. */
#ifndef OSDEAR_SRC_HTTP_CURL_H
#define OSDEAR_SRC_HTTP_CURL_H

#include <curl/curl.h>

#include <http/http.h>

/* Members go without their prefix: some of the names with it are macros. */
#define CURL_FUNCTIONS(function)                                                                                          \
  function(global_init) function(version_info) function(slist_append) function(slist_free_all) function(easy_init)        \
      function(easy_setopt) function(easy_getinfo) function(easy_reset) function(easy_cleanup) function(easy_pause)       \
          function(easy_perform) function(easy_strerror) function(easy_send) function(easy_recv) function(multi_init)     \
              function(multi_setopt) function(multi_add_handle) function(multi_remove_handle) function(multi_perform)     \
                  function(multi_poll) function(multi_wakeup) function(multi_info_read) function(multi_cleanup)           \
                      function(share_init) function(share_setopt) function(share_cleanup) function(url) function(url_set) \
                          function(url_get) function(url_cleanup)

typedef struct osdear__curl_calls {
#define CURL_MEMBER(name) __typeof__(curl_##name) *name;
  CURL_FUNCTIONS(CURL_MEMBER)
#undef CURL_MEMBER
  void (*release)(void *text); /* of a text that curl made */
} osdear__curl_calls;
extern osdear__curl_calls osdear__curl; /* of use after osdear__curl_open() */

/* Loads and starts libcurl. UNSUPPORTED when it is missing or too old. */
MUST_USE osdear_status osdear__curl_open(osdear_error **error);
/* Tells the peer of a TLS connection that no more will come, while more may come from there. curl has no call for it, the OpenSSL below it has.
 * 0 or 1: told; -1: not yet; -2: there is no OpenSSL below this curl. */
int osdear__curl_end_tls(CURL *easy);

/* curl takes options through `...`: these say what type each must have. A failure is remembered in *failed. */
void osdear__curl_set_long(CURL *easy, CURLoption option, long value, CURLcode *failed);
void osdear__curl_set_size(CURL *easy, CURLoption option, int64_t value, CURLcode *failed);
void osdear__curl_set_text(CURL *easy, CURLoption option, const char *value,
                           CURLcode *failed); /* curl copies it; NULL is skipped */
void osdear__curl_set_data(CURL *easy, CURLoption option, const void *value, CURLcode *failed); /* a pointer that curl keeps */
void osdear__curl_set_call(CURL *easy, CURLoption option, void (*function)(void), CURLcode *failed);

#endif
