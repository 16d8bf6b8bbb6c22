/** @file list.c Listing keys, page by page. */
#include <store/s3/object.h>

#include <stdio.h>
#include <xml/xml.h>

/* One page, while it is parsed. */
typedef struct page {
  osdear__s3 *s3;
  osdear_context *context;
  osdear__s3_visit visit;
  void *argument;
  const char *prefix;
  osdear__buf key, token;
  int64_t size_bytes, modified_ms;
  bool is_encoded, is_truncated;
  osdear__http_response *response;
  osdear_status visited; /* what ended the listing from outside, told as it was */
  osdear_error *visitors_error;
} page;

static bool path_ends(osdear__str path, const char *name)
{
  size_t size = strlen(name);

  return path.size > size && memcmp(path.data + path.size - size, name, size) == 0 && path.data[path.size - size - 1] == '/';
}

osdear_status osdear__s3_read_key(const osdear__s3 *s3, osdear__str text, bool is_encoded, osdear__buf *out, osdear_error **error)
{
  osdear__buf_clear(out);
  if (!is_encoded) {
    osdear__buf_append(out, text.data, text.size);
    return osdear__buf_check(out, error);
  }
  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (c == '+') {
      c = ' ';
    } else if (c == '%' && i + 2 < text.size) {
      unsigned byte = 0;
      for (size_t k = i + 1; k <= i + 2; k++) {
        char digit = text.data[k];
        unsigned value = digit >= '0' && digit <= '9'   ? (unsigned)(digit - '0')
                         : digit >= 'A' && digit <= 'F' ? (unsigned)(digit - 'A') + 10
                         : digit >= 'a' && digit <= 'f' ? (unsigned)(digit - 'a') + 10
                                                        : 256;
        byte = byte << 4 | value;
      }
      if (byte > 255)
        return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the listing of bucket %s holds a key that is not well encoded: %s",
                            osdear__s3_bucket(s3), text.data);
      c = (char)byte;
      i += 2;
    }
    osdear__buf_putc(out, c);
  }
  osdear__buf_puts(out, "");
  return osdear__buf_check(out, error);
}

static osdear_status tell(page *self, bool is_folder, osdear_error **error)
{
  osdear__s3_listed item = { self->key.data ? self->key.data : "", self->size_bytes, self->modified_ms, is_folder };

  if (!osdear__utf8_is_valid(item.key, self->key.size) || strlen(item.key) != self->key.size) {
    osdear__log(self->context, OSDEAR_LOG_WARNING, "s3", "a key of bucket %s that is not UTF-8 was passed over",
                osdear__s3_bucket(self->s3));
    return OSDEAR_OK;
  }
  if (!osdear__starts_with(item.key, self->prefix)) /* whoever asked cuts it off */
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the listing of s3://%s/%s holds a key from elsewhere: %.100s",
                        osdear__s3_bucket(self->s3), self->prefix, item.key);
  self->visited = self->visit(self->argument, &item, &self->visitors_error);
  return self->visited;
}

static osdear_status read_element(void *argument, osdear__xml_event event, osdear__str path, osdear__str text,
                                  osdear_error **error)
{
  page *self = argument;
  int64_t us;
  bool has_zone;

  if (event == XML_START) {
    if (!memchr(path.data, '/', path.size) &&
        !osdear__str_is(path, "ListBucketResult")) /* a page of a proxy's is no empty bucket */
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "what came for a listing of bucket %s is none: <%.*s>",
                          osdear__s3_bucket(self->s3), (int)(path.size < 60 ? path.size : 60), path.data);
    if (path_ends(path, "Contents") || path_ends(path, "CommonPrefixes")) {
      osdear__buf_clear(&self->key);
      self->size_bytes = self->modified_ms = 0;
    }
    return OSDEAR_OK;
  }
  if (path_ends(path, "Contents/Key") || path_ends(path, "CommonPrefixes/Prefix"))
    return osdear__s3_read_key(self->s3, text, self->is_encoded, &self->key, error);
  if (path_ends(path, "Contents/Size")) {
    if (!osdear__parse_i64(text, &self->size_bytes) || self->size_bytes < 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the size of s3://%s/%s is \"%s\"", osdear__s3_bucket(self->s3),
                          self->key.data, text.data);
  } else if (path_ends(path, "Contents/LastModified")) {
    if (osdear__parse_timestamp(text, &us, &has_zone))
      self->modified_ms = us / 1000;
  } else if (path_ends(path, "Contents")) {
    return tell(self, false, error);
  } else if (path_ends(path, "CommonPrefixes")) {
    return tell(self, true, error);
  }
  return OSDEAR_OK;
}

/* Where the next page starts. One that starts where this one did would come for ever. */
static osdear_status take_token(page *self, osdear__str token, osdear_error **error)
{
  bool is_same = token.size > 0 && osdear__str_is(token, self->token.data ? self->token.data : "");

  osdear__buf_clear(&self->token);
  osdear__buf_append(&self->token, token.data, token.size);
  if (self->is_truncated && (token.size == 0 || is_same))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the listing of bucket %s goes on, but %s", osdear__s3_bucket(self->s3),
                        is_same ? "always from the same place" : "does not say where");
  return osdear__buf_check(&self->token, error);
}

/* What must be known before the keys are read may stand behind them. */
static osdear_status read_frame(page *self, osdear_error **error)
{
  osdear__xml_want wants[] = { { .path = "*/EncodingType" }, { .path = "*/IsTruncated" }, { .path = "*/NextContinuationToken" } };
  osdear__arena arena = { 0 };
  osdear_status st = osdear__xml_pick((osdear__str){ self->response->body.data, self->response->body.size }, "the listing", wants,
                                      COUNT_OF(wants), &arena, error);

  if (!st) {
    self->is_encoded = osdear__str_is(wants[0].text, "url");
    self->is_truncated = osdear__str_is(wants[1].text, "true");
    st = take_token(self, wants[2].text, error);
  }
  osdear__arena_drop(&arena);
  return st;
}

static osdear_status read_page(page *self, osdear_error **error)
{
  osdear_status st = read_frame(self, error);

  if (!st)
    st = osdear__xml_parse((osdear__str){ self->response->body.data, self->response->body.size }, "the listing", NULL,
                           read_element, self, error);
  if (self->visited && error) {
    osdear_error_free(*error);
    *error = self->visitors_error;
    self->visitors_error = NULL;
  }
  return self->visited ? self->visited : st;
}

static osdear_status ask(page *self, const char *prefix, const char *start_after, bool recursive, osdear_error **error)
{
  osdear__s3_request request = { 0 };
  osdear_status st;

  osdear__s3_add_query(&request, "list-type", "2");
  osdear__s3_add_query(&request, "encoding-type", "url");
  if (prefix[0])
    osdear__s3_add_query(&request, "prefix", prefix);
  if (!recursive)
    osdear__s3_add_query(&request, "delimiter", "/");
  if (self->token.size > 0)
    osdear__s3_add_query(&request, "continuation-token", self->token.data);
  else if (start_after)
    osdear__s3_add_query(&request, "start-after", start_after);
  osdear__s3_add_payer(self->s3, &request);
  st = osdear__s3_send(self->s3, self->context, &request, self->response, error);
  return st ? st : osdear__s3_expect(self->s3, &request, self->response, error);
}

osdear_status osdear__s3_list(osdear__s3 *s3, osdear_context *context, const char *prefix, const char *start_after,
                              bool recursive, osdear__s3_visit visit, void *argument, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  page self = { .s3 = s3, .context = context, .visit = visit, .argument = argument, .prefix = prefix, .response = &response };
  osdear_status st;

  do {
    st = osdear__context_check(context, error);
    if (!st)
      st = ask(&self, prefix, start_after, recursive, error);
    if (!st)
      st = read_page(&self, error);
  } while (!st && self.is_truncated);
  osdear__buf_drop(&self.key);
  osdear__buf_drop(&self.token);
  osdear_error_free(self.visitors_error);
  return st;
}
