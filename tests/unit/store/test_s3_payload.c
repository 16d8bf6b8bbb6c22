/* Which bodies a signature covers: by their size, and by who could change them on the way. */
#include <store/s3/internal.h>

#include <criterion/criterion.h>
#include <stdlib.h>

enum { LARGE = 1 << 20, SMALL = 1000, MOST_SETTINGS = 8 };

typedef struct way {
  const char *endpoint;
  osdear_pair setting;     /* key NULL: none */
  const char *environment; /* a variable with a proxy in it; NULL: none */
  bool is_signed;
} way;

static osdear__s3 *open_bucket(const way *w)
{
  osdear_pair settings[MOST_SETTINGS] = { { "aws_access_key_id", "key" },
                                          { "aws_secret_access_key", "secret" },
                                          { "aws_allow_http", "true" } };
  osdear__s3 *s3 = NULL;
  osdear_error *error = NULL;
  size_t count = 3;

  if (w->endpoint)
    settings[count++] = (osdear_pair){ "aws_endpoint", w->endpoint };
  if (w->setting.key)
    settings[count++] = w->setting;
  cr_assert_eq(osdear__s3_open("lake", settings, count, &s3, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  return s3;
}

/* Whether a PUT of `size` bytes there goes out with its digest. */
static bool is_signed(osdear__s3 *s3, size_t size)
{
  static char body[LARGE];
  osdear__s3_request request = { .method = "PUT", .key = "a", .body = body, .body_size = size };
  osdear__s3_call call = { 0 };
  bool is_digest;

  cr_assert_eq(osdear__s3_prepare(s3, NULL, &request, &call, NULL), OSDEAR_OK);
  is_digest = strcmp(call.payload, OSDEAR__SIGV4_UNSIGNED) != 0;
  cr_assert(!is_digest || strlen(call.payload) == 64);
  osdear__s3_call_drop(&call);
  return is_digest;
}

static void check(const way *w)
{
  osdear__s3 *s3;

  unsetenv("http_proxy");
  unsetenv("all_proxy");
  unsetenv("ALL_PROXY");
  if (w->environment)
    setenv(w->environment, "http://proxy:3128", 1);
  s3 = open_bucket(w);
  cr_assert_eq(is_signed(s3, LARGE), w->is_signed, "%s %s", w->endpoint ? w->endpoint : "AWS",
               w->setting.key ? w->setting.value : "");
  cr_assert(is_signed(s3, SMALL), "a commit's body is signed wherever it goes");
  cr_assert(!osdear__s3_may_stream(s3) || !w->is_signed, "what is signed must be looked at first");
  cr_assert(osdear__s3_may_stream(s3) || w->is_signed || !w->endpoint);
  osdear__s3_unref(s3);
}

Test(s3_payload, large_bodies_are_signed_where_somebody_may_stand_on_the_way)
{
  static const way ways[] = {
    { "http://127.0.0.1:9000", { 0 }, NULL, false },
    { "http://127.8.9.1", { 0 }, NULL, false },
    { "http://[::1]:9000", { 0 }, NULL, false },
    { "http://localhost:9000/prefix", { 0 }, NULL, false },
    { "http://minio.localhost", { 0 }, NULL, false },
    { "http://localhost:9000", { "aws_virtual_hosted_style_request", "true" }, NULL, false },
    { "https://nas:9000", { 0 }, NULL, false },
    { NULL, { 0 }, NULL, false },
    { "http://nas:9000", { 0 }, NULL, true },
    { "http://192.168.1.2:9000", { 0 }, NULL, true },
    { "http://127.0.0.1.nas:9000", { 0 }, NULL, true },
    { "http://localhost.nas:9000", { 0 }, NULL, true },
    { "http://127.0.0.1:9000", { "aws_virtual_hosted_style_request", "true" }, NULL, true },
    { "https://nas:9000", { "aws_allow_invalid_certificates", "true" }, NULL, true },
  };

  for (size_t i = 0; i < COUNT_OF(ways); i++)
    check(&ways[i]);
}

Test(s3_payload, a_proxy_stands_on_the_way_to_this_machine_too)
{
  static const way ways[] = {
    { "http://127.0.0.1:9000", { "proxy_url", "http://proxy:3128" }, NULL, true },
    { "http://127.0.0.1:9000", { 0 }, "http_proxy", true },
    { "http://127.0.0.1:9000", { 0 }, "all_proxy", true },
    { "http://127.0.0.1:9000", { 0 }, "ALL_PROXY", true },
    { "https://nas:9000", { 0 }, "ALL_PROXY", false },
  };

  for (size_t i = 0; i < COUNT_OF(ways); i++)
    check(&ways[i]);
}

Test(s3_payload, the_setting_decides_for_every_way)
{
  static const way ways[] = {
    { "http://127.0.0.1:9000", { "aws_unsigned_payload", "false" }, NULL, true },
    { "https://nas:9000", { "aws_unsigned_payload", "false" }, NULL, true },
    { "http://nas:9000", { "aws_unsigned_payload", "true" }, NULL, false },
    { "http://127.0.0.1:9000", { "aws_unsigned_payload", "true" }, "http_proxy", false },
  };

  for (size_t i = 0; i < COUNT_OF(ways); i++)
    check(&ways[i]);
}

Test(s3_payload, plain_http_needs_a_word_unless_it_is_this_machine)
{
  static const struct {
    const char *endpoint, *is_virtual;
    bool is_here;
  } cases[] = {
    { "http://127.0.0.1:9000", "false", true }, { "http://lake.localhost:9000", "false", true },
    { "http://localhost:9000", "true", true },  { "http://127.0.0.1:9000", "true", false },
    { "http://127.evil.net", "false", false },  { "http://a.localhost.evil.net", "false", false },
  };

  unsetenv("AWS_ALLOW_HTTP");
  for (size_t i = 0; i < COUNT_OF(cases); i++) {
    osdear_pair settings[] = { { "aws_endpoint", cases[i].endpoint },
                               { "aws_virtual_hosted_style_request", cases[i].is_virtual } };
    AUTO(error) error = NULL;
    osdear__s3 *s3 = NULL;
    osdear_status st = osdear__s3_open("lake", settings, COUNT_OF(settings), &s3, &error);
    cr_assert_eq(st, cases[i].is_here ? OSDEAR_OK : OSDEAR_ERR_ARGUMENT, "%s", cases[i].endpoint);
    cr_assert(cases[i].is_here || strstr(osdear_error_message(error), "aws_allow_http"));
    osdear__s3_unref(s3);
  }
}
