/** @file sigv4.c AWS Signature Version 4. */
#include <store/s3/sigv4.h>

#include <http/http.h>
#include <stdio.h>

enum { MOST_PAIRS = 64 };

static const char algorithm[] = "AWS4-HMAC-SHA256";

/* What the hops between us and the service may change or drop (the list that AWS's own signers keep). */
static const char *const unsigned_headers[] = {
  "authorization", "connection", "expect",     "user-agent",         "transfer-encoding",   "te",
  "trailer",       "upgrade",    "keep-alive", "proxy-authenticate", "proxy-authorization", "x-amzn-trace-id",
  "traceparent",   "tracestate", "baggage",
};

void osdear__sigv4_date(int64_t now_us, char out[OSDEAR__SIGV4_DATE])
{
  int64_t days = now_us / OSDEAR__DAY_US;
  int64_t second = now_us % OSDEAR__DAY_US / 1000000;
  int64_t year;
  int32_t month, day;

  osdear__civil_of(days, &year, &month, &day);
  snprintf(out, OSDEAR__SIGV4_DATE, "%04u%02u%02uT%02u%02u%02uZ", (unsigned)year % 10000U, (unsigned)month % 100U,
           (unsigned)day % 100U, (unsigned)(second / 3600) % 100U, (unsigned)(second / 60 % 60), (unsigned)(second % 60));
}

/* ---- the canonical request ---- */

/* RFC 3986, section 5.2.4, and no empty segments. */
static void append_normalized(osdear__buf *out, osdear__str path)
{
  size_t root = out->size;
  size_t at = 0;
  bool ends_in_slash = path.size > 0;

  while (at < path.size) {
    const char *segment = path.data + at;
    const char *slash = memchr(segment, '/', path.size - at);
    size_t length = slash ? (size_t)(slash - segment) : path.size - at;
    bool is_dot = length == 1 && segment[0] == '.';
    bool is_up = length == 2 && segment[0] == '.' && segment[1] == '.';
    at += length + 1;
    ends_in_slash = slash || is_dot || is_up;
    if (is_up) {
      while (out->size > root && out->data[--out->size] != '/')
        continue;
    } else if (length > 0 && !is_dot) {
      osdear__buf_putc(out, '/');
      osdear__http_put_encoded(out, (osdear__str){ segment, length }, "");
    }
  }
  if (ends_in_slash || out->size == root)
    osdear__buf_putc(out, '/');
}

static void append_path(osdear__buf *out, const osdear__sigv4_request *request)
{
  if (request->normalize)
    append_normalized(out, request->path);
  else if (request->path.size == 0)
    osdear__buf_putc(out, '/');
  else
    osdear__http_put_encoded(out, request->path, "/");
}

/* A pair's place in the text that holds all of them encoded. */
typedef struct encoded_pair {
  size_t name_start, name_size, value_size; /* the value follows its `=` */
} encoded_pair;

static bool is_before(const char *text, const encoded_pair *a, const encoded_pair *b)
{
  int order = osdear__str_compare((osdear__str){ text + a->name_start, a->name_size },
                                  (osdear__str){ text + b->name_start, b->name_size });

  if (order == 0)
    order = osdear__str_compare((osdear__str){ text + a->name_start + a->name_size + 1, a->value_size },
                                (osdear__str){ text + b->name_start + b->name_size + 1, b->value_size });
  return order < 0;
}

/* Sorted by what is sent, not by what it stands for: `%` comes before letters. */
static osdear_status append_query(osdear__buf *out, const osdear__sigv4_pair *pairs, size_t count, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  encoded_pair sorted[MOST_PAIRS];

  if (count > MOST_PAIRS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a request with %zu query parameters; %d can be signed", count, MOST_PAIRS);
  osdear__buf_puts(&text, ""); /* there is text to point into */
  for (size_t i = 0; i < count; i++) {
    encoded_pair pair = { .name_start = text.size };
    osdear__http_put_encoded(&text, pairs[i].name, "");
    pair.name_size = text.size - pair.name_start;
    osdear__buf_putc(&text, '=');
    osdear__http_put_encoded(&text, pairs[i].value, "");
    pair.value_size = text.size - pair.name_start - pair.name_size - 1;
    if (text.failed)
      break;
    size_t at = i;
    for (; at > 0 && is_before(text.data, &pair, &sorted[at - 1]); at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = pair;
  }
  if (text.failed)
    return osdear__buf_check(&text, error);
  for (size_t i = 0; i < count; i++) {
    if (i > 0)
      osdear__buf_putc(out, '&');
    osdear__buf_append(out, text.data + sorted[i].name_start, sorted[i].name_size + 1 + sorted[i].value_size);
  }
  return osdear__buf_check(out, error);
}

static char lower(char c)
{
  return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static int compare_names(osdear__str a, osdear__str b)
{
  for (size_t i = 0; i < a.size && i < b.size; i++) {
    int order = (unsigned char)lower(a.data[i]) - (unsigned char)lower(b.data[i]);
    if (order != 0)
      return order;
  }
  return (a.size > b.size) - (a.size < b.size);
}

static bool is_signed(osdear__str name)
{
  for (size_t i = 0; i < COUNT_OF(unsigned_headers); i++)
    if (osdear__str_equal_nocase(name, osdear__str_of(unsigned_headers[i])))
      return false;
  return true;
}

static bool is_space(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Trimmed, and with each run of white space as one space. */
static void append_value(osdear__buf *out, osdear__str value)
{
  bool is_first = true;
  size_t at = 0;

  while (at < value.size) {
    size_t start;
    while (at < value.size && is_space(value.data[at]))
      at++;
    start = at;
    while (at < value.size && !is_space(value.data[at]))
      at++;
    if (at > start && !is_first)
      osdear__buf_putc(out, ' ');
    osdear__buf_append(out, value.data + start, at - start);
    is_first = is_first && at == start;
  }
}

static size_t sort_headers(const osdear__sigv4_request *request, const osdear__sigv4_pair *sorted[MOST_PAIRS])
{
  size_t count = 0;

  for (size_t i = 0; i < request->header_count; i++) {
    const osdear__sigv4_pair *header = &request->headers[i];
    size_t at = count;
    if (!is_signed(header->name))
      continue;
    for (; at > 0 && compare_names(header->name, sorted[at - 1]->name) < 0; at--)
      sorted[at] = sorted[at - 1];
    sorted[at] = header;
    count++;
  }
  return count;
}

/* The headers' lines, and the list of their names. Doubled ones become one, in the order they are sent. */
static osdear_status append_headers(osdear__buf *out, osdear__buf *names, const osdear__sigv4_request *request,
                                    osdear_error **error)
{
  const osdear__sigv4_pair *sorted[MOST_PAIRS];
  size_t count;

  if (request->header_count > MOST_PAIRS)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a request with %zu headers; %d can be signed", request->header_count,
                        MOST_PAIRS);
  count = sort_headers(request, sorted);
  for (size_t i = 0; i < count; i++) {
    bool is_doubled = i > 0 && compare_names(sorted[i]->name, sorted[i - 1]->name) == 0;
    if (i > 0 && !is_doubled) {
      osdear__buf_putc(out, '\n');
      osdear__buf_putc(names, ';');
    }
    if (is_doubled)
      osdear__buf_putc(out, ',');
    for (size_t k = 0; !is_doubled && k < sorted[i]->name.size; k++) {
      osdear__buf_putc(out, lower(sorted[i]->name.data[k]));
      osdear__buf_putc(names, lower(sorted[i]->name.data[k]));
    }
    if (!is_doubled)
      osdear__buf_putc(out, ':');
    append_value(out, sorted[i]->value);
  }
  osdear__buf_puts(out, "\n\n");
  return osdear__buf_check(names, error);
}

osdear_status osdear__sigv4_canonical(const osdear__sigv4_request *request, osdear__buf *out, osdear__buf *signed_headers,
                                      osdear_error **error)
{
  osdear_status st;

  osdear__buf_puts(out, request->method);
  osdear__buf_putc(out, '\n');
  append_path(out, request);
  osdear__buf_putc(out, '\n');
  st = append_query(out, request->query, request->query_count, error);
  if (st)
    return st;
  osdear__buf_putc(out, '\n');
  st = append_headers(out, signed_headers, request, error);
  if (st)
    return st;
  osdear__buf_append(out, signed_headers->data, signed_headers->size);
  osdear__buf_putc(out, '\n');
  osdear__buf_append(out, request->payload.data, request->payload.size);
  return osdear__buf_check(out, error);
}

/* ---- signing ---- */

static void append_scope(osdear__buf *out, const osdear__sigv4_scope *scope)
{
  osdear__buf_printf(out, "%.8s/%s/%s/aws4_request", scope->date, scope->region, scope->service);
}

osdear_status osdear__sigv4_string_to_sign(const osdear__sigv4_scope *scope, const osdear__buf *canonical, osdear__buf *out,
                                           osdear_error **error)
{
  char digest[OSDEAR__SHA256_HEX];
  osdear_status st = osdear__sha256_hex(canonical->data, canonical->size, digest, error);

  if (st)
    return st;
  osdear__buf_printf(out, "%s\n%s\n", algorithm, scope->date);
  append_scope(out, scope);
  osdear__buf_printf(out, "\n%s", digest);
  return osdear__buf_check(out, error);
}

void osdear__sigv4_key_drop(osdear__sigv4_key *key)
{
  osdear__wipe(key->made_for.data, key->made_for.size);
  osdear__buf_drop(&key->made_for);
  osdear__wipe(key->key, sizeof key->key);
}

static osdear_status derive(const osdear__sigv4_scope *scope, unsigned char key[OSDEAR__SHA256_SIZE], osdear_error **error)
{
  SCOPED(buf) first = { 0 };
  osdear_status st;

  osdear__buf_puts(&first, "AWS4");
  osdear__buf_append(&first, scope->secret_key.data, scope->secret_key.size);
  st = osdear__buf_check(&first, error);
  if (!st)
    st = osdear__hmac_sha256(first.data, first.size, scope->date, 8, key, error);
  if (!st)
    st = osdear__hmac_sha256(key, OSDEAR__SHA256_SIZE, scope->region, strlen(scope->region), key, error);
  if (!st)
    st = osdear__hmac_sha256(key, OSDEAR__SHA256_SIZE, scope->service, strlen(scope->service), key, error);
  if (!st)
    st = osdear__hmac_sha256(key, OSDEAR__SHA256_SIZE, "aws4_request", 12, key, error);
  osdear__wipe(first.data, first.size);
  return st;
}

/* With the lock held. */
static osdear_status refresh_key(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, osdear_error **error)
{
  SCOPED(buf) wanted = { 0 };
  osdear_status st;

  osdear__buf_printf(&wanted, "%.8s/%s/%s/", scope->date, scope->region, scope->service);
  osdear__buf_append(&wanted, scope->secret_key.data, scope->secret_key.size);
  st = osdear__buf_check(&wanted, error);
  if (!st && (wanted.size != key->made_for.size || memcmp(wanted.data, key->made_for.data, wanted.size) != 0)) {
    osdear__sigv4_key_drop(key);
    st = derive(scope, key->key, error);
    if (!st) {
      key->made_for = wanted;
      wanted = (osdear__buf){ 0 };
    }
  }
  osdear__wipe(wanted.data, wanted.size);
  return st;
}

static osdear_status sign(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, osdear__str text,
                          char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  unsigned char secret[OSDEAR__SHA256_SIZE];
  unsigned char digest[OSDEAR__SHA256_SIZE];
  osdear_status st;

  pthread_mutex_lock(&key->lock);
  st = refresh_key(key, scope, error);
  memcpy(secret, key->key, sizeof secret);
  pthread_mutex_unlock(&key->lock);
  if (!st)
    st = osdear__hmac_sha256(secret, sizeof secret, text.data, text.size, digest, error);
  osdear__wipe(secret, sizeof secret);
  if (!st)
    osdear__hex(digest, sizeof digest, signature);
  return st;
}

static osdear_status sign_request(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, const osdear__sigv4_request *request,
                                  osdear__buf *names, char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  SCOPED(buf) canonical = { 0 };
  SCOPED(buf) text = { 0 };
  osdear_status st;

  st = osdear__sigv4_canonical(request, &canonical, names, error);
  if (st)
    return st;
  st = osdear__sigv4_string_to_sign(scope, &canonical, &text, error);
  return st ? st : sign(key, scope, (osdear__str){ text.data, text.size }, signature, error);
}

osdear_status osdear__sigv4_authorization(osdear__sigv4_key *key, const osdear__sigv4_scope *scope,
                                          const osdear__sigv4_request *request, osdear__buf *out,
                                          char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  char made[OSDEAR__SHA256_HEX];
  osdear_status st = sign_request(key, scope, request, &names, made, error);

  if (st)
    return st;
  osdear__buf_printf(out, "%s Credential=", algorithm);
  osdear__buf_append(out, scope->access_key.data, scope->access_key.size);
  osdear__buf_putc(out, '/');
  append_scope(out, scope);
  osdear__buf_printf(out, ", SignedHeaders=%s, Signature=%s", names.data, made);
  if (signature)
    memcpy(signature, made, sizeof made);
  return osdear__buf_check(out, error);
}

/* The parameters that stand for the Authorization header; their texts live in `texts`. */
static osdear_status presign_query(const osdear__sigv4_scope *scope, const osdear__sigv4_request *request, int64_t expires_s,
                                   bool with_token, osdear__buf texts[3], osdear__sigv4_pair pairs[MOST_PAIRS], size_t *count,
                                   osdear_error **error)
{
  SCOPED(buf) lines = { 0 };
  size_t n = request->query_count;
  osdear_status st;

  osdear__buf_append(&texts[0], scope->access_key.data, scope->access_key.size);
  osdear__buf_putc(&texts[0], '/');
  append_scope(&texts[0], scope);
  osdear__buf_printf(&texts[1], "%" PRId64, expires_s);
  st = append_headers(&lines, &texts[2], request, error);
  for (size_t i = 0; !st && i < 2; i++)
    st = osdear__buf_check(&texts[i], error);
  if (st)
    return st;
  if (n > 0)
    memcpy(pairs, request->query, n * sizeof *pairs);
  pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-Algorithm"), osdear__str_of(algorithm) };
  pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-Credential"), { texts[0].data, texts[0].size } };
  pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-Date"), osdear__str_of(scope->date) };
  pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-Expires"), { texts[1].data, texts[1].size } };
  if (with_token)
    pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-Security-Token"), scope->token };
  pairs[n++] = (osdear__sigv4_pair){ STR("X-Amz-SignedHeaders"), { texts[2].data, texts[2].size } };
  *count = n;
  return OSDEAR_OK;
}

static osdear_status presign(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, const osdear__sigv4_request *request,
                             int64_t expires_s, bool token_unsigned, osdear__buf texts[3], osdear__buf *out,
                             char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  SCOPED(buf) names = { 0 };
  osdear__sigv4_pair pairs[MOST_PAIRS];
  osdear__sigv4_request with_auth = *request;
  osdear_status st;

  with_auth.query = pairs;
  st = presign_query(scope, request, expires_s, scope->token.size > 0 && !token_unsigned, texts, pairs, &with_auth.query_count,
                     error);
  if (!st)
    st = sign_request(key, scope, &with_auth, &names, signature, error);
  if (st)
    return st;
  append_path(out, request);
  osdear__buf_putc(out, '?');
  st = append_query(out, with_auth.query, with_auth.query_count, error);
  if (st)
    return st;
  if (scope->token.size > 0 && token_unsigned) {
    osdear__buf_puts(out, "&X-Amz-Security-Token=");
    osdear__http_put_encoded(out, scope->token, "");
  }
  osdear__buf_printf(out, "&X-Amz-Signature=%s", signature);
  return osdear__buf_check(out, error);
}

osdear_status osdear__sigv4_presign(osdear__sigv4_key *key, const osdear__sigv4_scope *scope,
                                    const osdear__sigv4_request *request, int64_t expires_s, bool token_unsigned,
                                    osdear__buf *out, char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  osdear__buf texts[3] = { 0 };
  osdear_status st;

  if (expires_s < 1 || expires_s > 604800)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a signed URL can hold for 1 to 604800 seconds (7 days), not %" PRId64,
                        expires_s);
  if (request->query_count > MOST_PAIRS - 6)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "a request with %zu query parameters; %d can be signed", request->query_count,
                        MOST_PAIRS - 6);
  st = presign(key, scope, request, expires_s, token_unsigned, texts, out, signature, error);
  for (size_t i = 0; i < COUNT_OF(texts); i++)
    osdear__buf_drop(&texts[i]);
  return st;
}

/* ---- bodies in chunks ---- */

static osdear_status sign_piece(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, const char *kind, const char *digests,
                                char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear_status st;

  osdear__buf_printf(&text, "%s-%s\n%s\n", algorithm, kind, scope->date);
  append_scope(&text, scope);
  osdear__buf_printf(&text, "\n%s\n%s", signature, digests);
  st = osdear__buf_check(&text, error);
  return st ? st : sign(key, scope, (osdear__str){ text.data, text.size }, signature, error);
}

osdear_status osdear__sigv4_chunk(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, const void *data, size_t size,
                                  char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  char digests[2 * OSDEAR__SHA256_HEX] = OSDEAR__SIGV4_EMPTY "\n";
  osdear_status st = osdear__sha256_hex(data, size, digests + OSDEAR__SHA256_HEX, error);

  return st ? st : sign_piece(key, scope, "PAYLOAD", digests, signature, error);
}

osdear_status osdear__sigv4_trailer(osdear__sigv4_key *key, const osdear__sigv4_scope *scope, osdear__str trailer,
                                    char signature[OSDEAR__SHA256_HEX], osdear_error **error)
{
  char digest[OSDEAR__SHA256_HEX];
  osdear_status st = osdear__sha256_hex(trailer.data, trailer.size, digest, error);

  return st ? st : sign_piece(key, scope, "TRAILER", digest, signature, error);
}
