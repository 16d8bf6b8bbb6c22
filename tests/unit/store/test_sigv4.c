/* Signatures against AWS's own test suite and the S3 examples in its documentation, both in the folder `shared`, and a few kept here. */
#include "../../support/folder.h"
#include <json/json.h>
#include <store/s3/sigv4.h>

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 32 };

typedef struct a_case {
  osdear__sigv4_scope scope;
  osdear__sigv4_request request;
  osdear__sigv4_pair query[MOST], headers[MOST];
} a_case;

static void fits(osdear_status st, osdear_error *error)
{
  cr_assert_eq(st, OSDEAR_OK, "%s", osdear_error_message(error));
}

static void add_header(a_case *self, osdear__str name, osdear__str value)
{
  cr_assert_lt(self->request.header_count, MOST);
  self->headers[self->request.header_count++] = (osdear__sigv4_pair){ name, value };
}

static void add_query(a_case *self, osdear__str name, osdear__str value)
{
  cr_assert_lt(self->request.query_count, MOST);
  self->query[self->request.query_count++] = (osdear__sigv4_pair){ name, value };
}

static void begin(a_case *self)
{
  *self = (a_case){ .request.payload = STR(OSDEAR__SIGV4_EMPTY) };
  self->request.headers = self->headers;
  self->request.query = self->query;
}

static void expect_steps(const a_case *self, osdear__str canonical, osdear__str to_sign, const char *name)
{
  SCOPED(buf) got = { 0 };
  SCOPED(buf) names = { 0 };
  SCOPED(buf) text = { 0 };
  osdear_error *error = NULL;

  fits(osdear__sigv4_canonical(&self->request, &got, &names, &error), error);
  cr_assert(osdear__str_equal((osdear__str){ got.data, got.size }, canonical),
            "%s: the canonical request is\n%s\ninstead of\n%.*s", name, got.data, (int)canonical.size, canonical.data);
  fits(osdear__sigv4_string_to_sign(&self->scope, &got, &text, &error), error);
  cr_assert(osdear__str_equal((osdear__str){ text.data, text.size }, to_sign), "%s: the string to sign is\n%s", name, text.data);
}

static void expect_header_signature(const a_case *self, osdear__str wanted, const char *name)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  osdear_error *error = NULL;

  for (int turn = 0; turn < 2; turn++) { /* with the key derived, and with the key kept */
    SCOPED(buf) authorization = { 0 };
    char signature[OSDEAR__SHA256_HEX];
    fits(osdear__sigv4_authorization(&key, &self->scope, &self->request, &authorization, signature, &error), error);
    cr_assert(osdear__str_is(wanted, signature), "%s: %s instead of %.*s", name, signature, (int)wanted.size, wanted.data);
    cr_assert(osdear__ends_with(authorization.data, signature));
  }
  osdear__sigv4_key_drop(&key);
}

/* ---- aws-signing-test-suite: a folder a case ---- */

/* The vectors, unpacked; NULL when the folder `shared` is not there. */
static const char *unpack(char folder[64])
{
  const char *given = getenv("OSDEAR_SHARED");
  const char *source = getenv("OSDEAR_SOURCE");
  char archive[500], command[700];

  if (given && given[0])
    snprintf(archive, sizeof archive, "%s/data/sigv4-vectors.tar.gz", given);
  else
    snprintf(archive, sizeof archive, "%s/../shared/data/sigv4-vectors.tar.gz", source ? source : ".");
  if (access(archive, R_OK) != 0)
    return NULL;
  folder_make("sigv4", folder);
  snprintf(command, sizeof command, "tar -xzf '%s' -C %s", archive, folder);
  cr_assert_eq(system(command), 0, "%s", command);
  return folder;
}

static osdear__str text_of(const char *folder, const char *name, osdear__arena *arena)
{
  SCOPED(buf) text = { 0 };
  char path[600];
  FILE *file;
  int c;

  snprintf(path, sizeof path, "%s/%s", folder, name);
  file = fopen(path, "rb");
  cr_assert_not_null(file, "%s", path);
  for (c = fgetc(file); c != EOF; c = fgetc(file))
    osdear__buf_putc(&text, (char)c);
  fclose(file);
  osdear__buf_puts(&text, "");
  return (osdear__str){ osdear__arena_strndup(arena, text.data, text.size), text.size };
}

static osdear__str member(const osdear__json *value, const char *name)
{
  const osdear__json *found = osdear__json_get(value, name);

  return found ? found->text : (osdear__str){ "", 0 };
}

static osdear__str decoded(osdear__str text, osdear__arena *arena)
{
  char *out = osdear__arena_strndup(arena, text.data, text.size);
  size_t n = 0;

  for (size_t i = 0; i < text.size; i++) {
    unsigned byte = (unsigned char)text.data[i];
    if (byte == '%' && i + 2 < text.size && sscanf(text.data + i + 1, "%2x", &byte) == 1)
      i += 2;
    out[n++] = (char)byte;
  }
  return (osdear__str){ out, n };
}

static void read_query(a_case *self, osdear__str text, osdear__arena *arena)
{
  const char *at = text.data, *end = text.data + text.size;

  while (at < end) {
    const char *stop = memchr(at, '&', (size_t)(end - at));
    const char *equals;
    stop = stop ? stop : end;
    equals = memchr(at, '=', (size_t)(stop - at));
    equals = equals ? equals : stop;
    add_query(self, decoded((osdear__str){ at, (size_t)(equals - at) }, arena),
              decoded((osdear__str){ equals + (equals < stop), equals < stop ? (size_t)(stop - equals) - 1 : 0 }, arena));
    at = stop + 1;
  }
}

/* "GET /path?query HTTP/1.1", headers (a line that starts with a space goes on with the one before), an empty line, the body. */
static osdear__str read_request(a_case *self, osdear__str text, osdear__arena *arena)
{
  const char *at = strchr(text.data, ' ');
  const char *end = strstr(text.data, " HTTP/1.1\n");
  const char *target = at + 1;
  const char *question = memchr(target, '?', (size_t)(end - target));

  self->request.method = osdear__arena_strndup(arena, text.data, (size_t)(at - text.data));
  self->request.path = (osdear__str){ target, (size_t)((question ? question : end) - target) };
  if (question)
    read_query(self, (osdear__str){ question + 1, (size_t)(end - question) - 1 }, arena);
  at = end + 10;
  while (*at && *at != '\n') {
    const char *colon = strchr(at, ':');
    const char *stop = strchr(at, '\n');
    while (stop && (stop[1] == ' ' || stop[1] == '\t'))
      stop = strchr(stop + 1, '\n');
    stop = stop ? stop : at + strlen(at);
    add_header(self, (osdear__str){ at, (size_t)(colon - at) }, (osdear__str){ colon + 1, (size_t)(stop - colon) - 1 });
    at = *stop ? stop + 1 : stop;
  }
  return osdear__str_of(*at ? at + 1 : at);
}

static bool is_true(const osdear__json *value, const char *name)
{
  const osdear__json *found = osdear__json_get(value, name);

  return found && found->truth;
}

static void read_context(a_case *self, const osdear__json *context, osdear__arena *arena)
{
  const osdear__json *credentials = osdear__json_get(context, "credentials");
  int64_t us;
  bool has_zone;

  cr_assert(osdear__parse_timestamp(member(context, "timestamp"), &us, &has_zone));
  self->scope.access_key = member(credentials, "access_key_id");
  self->scope.secret_key = member(credentials, "secret_access_key");
  self->scope.token = member(credentials, "token");
  self->scope.region = osdear__arena_strdup(arena, member(context, "region").data);
  self->scope.service = osdear__arena_strdup(arena, member(context, "service").data);
  osdear__sigv4_date(us, self->scope.date);
  self->request.normalize = is_true(context, "normalize");
}

/* On a copy: the query form starts from the same request. */
static void sign_in_headers(a_case self, const osdear__json *context, const char *folder, osdear__arena *arena, const char *name)
{
  self.request.headers = self.headers;
  add_header(&self, STR("X-Amz-Date"), osdear__str_of(self.scope.date));
  if (self.scope.token.size > 0 && !is_true(context, "omit_session_token"))
    add_header(&self, STR("X-Amz-Security-Token"), self.scope.token);
  if (is_true(context, "sign_body"))
    add_header(&self, STR("x-amz-content-sha256"), self.request.payload);
  expect_steps(&self, text_of(folder, "header-canonical-request.txt", arena), text_of(folder, "header-string-to-sign.txt", arena),
               name);
  expect_header_signature(&self, text_of(folder, "header-signature.txt", arena), name);
}

static void sign_in_query(const a_case *self, const osdear__json *context, const char *folder, osdear__arena *arena,
                          const char *name)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  SCOPED(buf) url = { 0 };
  char signature[OSDEAR__SHA256_HEX], ending[90];
  osdear_error *error = NULL;
  int64_t expires;

  cr_assert(osdear__parse_i64(member(context, "expiration_in_seconds"), &expires));
  fits(osdear__sigv4_presign(&key, &self->scope, &self->request, expires, is_true(context, "omit_session_token"), &url, signature,
                             &error),
       error);
  cr_assert(osdear__str_is(text_of(folder, "query-signature.txt", arena), signature), "%s: %s", name, signature);
  snprintf(ending, sizeof ending, "&X-Amz-Signature=%s", signature);
  cr_assert(osdear__ends_with(url.data, ending));
  osdear__sigv4_key_drop(&key);
}

static void one_folder(const char *folder, const char *name)
{
  osdear__arena arena = { 0 };
  osdear__json *context;
  char digest[OSDEAR__SHA256_HEX];
  osdear_error *error = NULL;
  osdear__str body;
  a_case self;

  begin(&self);
  fits(osdear__json_read(text_of(folder, "context.json", &arena), name, &arena, &context, &error), error);
  read_context(&self, context, &arena);
  body = read_request(&self, text_of(folder, "request.txt", &arena), &arena);
  if (is_true(context, "sign_body")) {
    fits(osdear__sha256_hex(body.data, body.size, digest, &error), error);
    self.request.payload = osdear__str_of(digest);
  }
  sign_in_headers(self, context, folder, &arena, name);
  sign_in_query(&self, context, folder, &arena, name);
  osdear__arena_drop(&arena);
}

Test(sigv4, passes_aws_own_suite, .timeout = 60)
{
  char place[64], folder[800];
  struct dirent *entry;
  int count = 0;
  DIR *cases;

  if (!unpack(place))
    cr_skip_test("no folder `shared` with the signing vectors beside the checkout");
  snprintf(folder, sizeof folder, "%s/aws-signing-test-suite/v4", place);
  cases = opendir(folder);
  cr_assert_not_null(cases, "%s", folder);
  for (entry = readdir(cases); entry; entry = readdir(cases)) {
    if (entry->d_name[0] == '.')
      continue;
    snprintf(folder, sizeof folder, "%s/aws-signing-test-suite/v4/%s", place, entry->d_name);
    one_folder(folder, entry->d_name);
    count++;
  }
  closedir(cases);
  folder_remove(place);
  cr_assert_eq(count, 38);
}

/* ---- the S3 cases ---- */

static void chain(const osdear__json *item, const osdear__sigv4_scope *scope, const char *name)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  const osdear__json *sizes = osdear__json_get(item, "chunk_sizes");
  const osdear__json *signatures = osdear__json_get(item, "chunk_signatures");
  SCOPED(buf) trailer = { 0 };
  char signature[OSDEAR__SHA256_HEX];
  osdear_error *error = NULL;

  snprintf(signature, sizeof signature, "%s", member(item, "seed").data);
  for (size_t i = 0; i < sizes->count; i++) {
    static char fill[1 << 16];
    int64_t size;
    memset(fill, 'a', sizeof fill);
    cr_assert(osdear__parse_i64(sizes->items[i].text, &size));
    fits(osdear__sigv4_chunk(&key, scope, fill, (size_t)size, signature, &error), error);
    cr_assert(osdear__str_is(signatures->items[i].text, signature), "%s: chunk %zu", name, i);
  }
  if (osdear__json_get(item, "trailer")) {
    osdear__buf_printf(&trailer, "%s\n", member(item, "trailer").data);
    fits(osdear__sigv4_trailer(&key, scope, (osdear__str){ trailer.data, trailer.size }, signature, &error), error);
    cr_assert(osdear__str_is(member(item, "trailer_signature"), signature), "%s", name);
  }
  osdear__sigv4_key_drop(&key);
}

static void presigned(a_case *self, const osdear__json *item, const char *name)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  const osdear__json *query = osdear__json_get(item, "query");
  char signature[OSDEAR__SHA256_HEX];
  SCOPED(buf) url = { 0 };
  osdear_error *error = NULL;
  int64_t expires = 0;

  self->request.query_count = 0;
  for (size_t i = 0; i < query->count; i++) {
    osdear__str field = query->items[i].items[0].text, value = query->items[i].items[1].text;
    if (osdear__str_is(field, "X-Amz-Expires"))
      cr_assert(osdear__parse_i64(value, &expires));
    else if (osdear__str_is(field, "X-Amz-Security-Token"))
      self->scope.token = value;
    else if (!osdear__starts_with(field.data, "X-Amz-"))
      add_query(self, field, value);
  }
  fits(osdear__sigv4_presign(&key, &self->scope, &self->request, expires, false, &url, signature, &error), error);
  cr_assert(osdear__str_is(member(item, "signature"), signature), "%s: %s", name, url.data);
  osdear__sigv4_key_drop(&key);
}

static void s3_case(const osdear__json *item, const osdear__sigv4_scope *scope)
{
  const osdear__json *headers = osdear__json_get(item, "headers");
  const osdear__json *query = osdear__json_get(item, "query");
  const char *name = member(item, "name").data;
  a_case self;

  begin(&self);
  self.scope = *scope;
  if (osdear__json_get(item, "chunk_sizes")) {
    chain(item, scope, name);
    return;
  }
  self.request.method = member(item, "method").data;
  self.request.path = member(item, "path_decoded");
  self.request.payload = member(item, "payload_hash");
  for (size_t i = 0; i < headers->count; i++)
    add_header(&self, headers->keys[i], headers->items[i].text);
  for (size_t i = 0; i < query->count; i++)
    add_query(&self, query->items[i].items[0].text, query->items[i].items[1].text);
  expect_steps(&self, member(item, "canonical_request"), member(item, "string_to_sign"), name);
  if (osdear__starts_with(name, "presign"))
    presigned(&self, item, name);
  else
    expect_header_signature(&self, member(item, "signature"), name);
}

Test(sigv4, signs_what_s3_asks_for, .timeout = 60)
{
  osdear__arena arena = { 0 };
  osdear__sigv4_scope scope = { .region = "us-east-1", .service = "s3", .date = "20130524T000000Z" };
  const osdear__json *cases;
  osdear__json *all;
  osdear_error *error = NULL;
  char place[64];

  if (!unpack(place))
    cr_skip_test("no folder `shared` with the signing vectors beside the checkout");
  fits(osdear__json_read(text_of(place, "s3-sigv4-vectors.json", &arena), "vectors", &arena, &all, &error), error);
  scope.access_key = member(osdear__json_get(all, "credentials"), "access_key_id");
  scope.secret_key = member(osdear__json_get(all, "credentials"), "secret_access_key");
  cases = osdear__json_get(all, "cases");
  for (size_t i = 0; i < cases->count; i++)
    s3_case(&cases->items[i], &scope);
  cr_assert_eq(cases->count, 26);
  folder_remove(place);
  osdear__arena_drop(&arena);
}

/* ---- what a clone without `shared` sees ---- */

static void example(a_case *self)
{
  begin(self);
  self->scope = (osdear__sigv4_scope){ .access_key = STR("AKIAIOSFODNN7EXAMPLE"),
                                       .secret_key = STR("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
                                       .region = "us-east-1",
                                       .service = "s3",
                                       .date = "20130524T000000Z" };
  self->request.method = "GET";
  self->request.path = STR("/test.txt");
  add_header(self, STR("host"), STR("examplebucket.s3.amazonaws.com"));
}

/* "GET Object" in the S3 API reference, section "Signature Calculations for the Authorization Header". */
Test(sigv4, gives_the_documented_signature)
{
  a_case self;

  example(&self);
  add_header(&self, STR("Range"), STR(" bytes=0-9"));
  add_header(&self, STR("X-Amz-Date"), STR("20130524T000000Z"));
  add_header(&self, STR("x-amz-content-sha256"), STR(OSDEAR__SIGV4_EMPTY));
  add_header(&self, STR("User-Agent"), STR("changes on the way"));
  expect_header_signature(&self, STR("f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"), "GET Object");
  self.scope.date[7] = '5'; /* another day has another key */
  self.headers[2].value = STR("20130525T000000Z");
  expect_header_signature(&self, STR("617b808c41bf86c08dca3fe393bda31a6228139c25611b4dd8149940e44c540e"), "the next day");
}

Test(sigv4, presigns_as_documented_and_for_a_week_at_most)
{
  osdear__sigv4_key key = OSDEAR__SIGV4_KEY_INIT;
  char signature[OSDEAR__SHA256_HEX];
  SCOPED(buf) url = { 0 };
  osdear_error *error = NULL;
  a_case self;

  example(&self);
  self.request.payload = STR(OSDEAR__SIGV4_UNSIGNED);
  fits(osdear__sigv4_presign(&key, &self.scope, &self.request, 86400, false, &url, signature, &error), error);
  cr_assert_str_eq(url.data,
                   "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"
                   "%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                   "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
  cr_assert_eq(osdear__sigv4_presign(&key, &self.scope, &self.request, 0, false, &url, signature, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear__sigv4_presign(&key, &self.scope, &self.request, 604801, false, &url, signature, NULL),
               OSDEAR_ERR_ARGUMENT);
  osdear__sigv4_key_drop(&key);
}

Test(sigv4, signs_no_more_than_fits)
{
  static osdear__sigv4_pair many[65];
  SCOPED(buf) out = { 0 };
  SCOPED(buf) names = { 0 };
  a_case self;

  for (size_t i = 0; i < COUNT_OF(many); i++)
    many[i] = (osdear__sigv4_pair){ STR("a"), STR("b") };
  example(&self);
  self.request.query = many;
  self.request.query_count = 65;
  cr_assert_eq(osdear__sigv4_canonical(&self.request, &out, &names, NULL), OSDEAR_ERR_LIMIT);
  self.request.query_count = 64;
  cr_assert_eq(osdear__sigv4_canonical(&self.request, &out, &names, NULL), OSDEAR_OK);
  self.request.headers = many;
  self.request.header_count = 65;
  cr_assert_eq(osdear__sigv4_canonical(&self.request, &out, &names, NULL), OSDEAR_ERR_LIMIT);
}

Test(sigv4, writes_the_date_of_any_second)
{
  char date[OSDEAR__SIGV4_DATE];

  osdear__sigv4_date(INT64_C(1440938160123456), date);
  cr_assert_str_eq(date, "20150830T123600Z");
  osdear__sigv4_date(INT64_C(951827696) * 1000000, date);
  cr_assert_str_eq(date, "20000229T123456Z");
}

Test(crypto, writes_base64_of_any_length)
{
  static const char *const wanted[] = { "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy" };

  for (size_t n = 0; n < COUNT_OF(wanted); n++) { /* RFC 4648, section 10 */
    SCOPED(buf) out = { 0 };
    osdear__buf_puts(&out, "");
    osdear__base64_put(&out, (const unsigned char *)"foobar", n, false);
    cr_assert_str_eq(out.data ? out.data : "", wanted[n]);
  }
}
