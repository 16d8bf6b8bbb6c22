/** @file uploads.c Uploads that nobody finished: their parts are stored and paid for until somebody gives them up. */
#include <store/s3/object.h>

#include <xml/xml.h>

typedef struct page {
  osdear__s3 *s3;
  osdear_context *context;
  osdear__arena arena; /* of what follows */
  osdear__s3_begun *found;
  size_t count, room;
  const char *next_key, *next_id; /* where the next page starts; "" at the end */
  osdear__buf key;
  osdear__s3_begun at_hand;
  bool is_encoded;
} page;

static bool ends_in(osdear__str path, const char *name)
{
  size_t size = strlen(name);

  return path.size > size && memcmp(path.data + path.size - size, name, size) == 0 && path.data[path.size - size - 1] == '/';
}

static osdear_status keep(page *self, osdear_error **error)
{
  if (self->count == self->room) {
    size_t room = self->room ? 2 * self->room : 64;
    osdear__s3_begun *grown = osdear__arena_zeroed(&self->arena, room, sizeof *grown);
    if (!grown)
      return osdear__fail_memory(error);
    if (self->count)
      memcpy(grown, self->found, self->count * sizeof *grown);
    self->found = grown;
    self->room = room;
  }
  if (self->at_hand.key && self->at_hand.id)
    self->found[self->count++] = self->at_hand;
  return OSDEAR_OK;
}

static osdear_status keep_text(page *self, osdear__str text, const char **out, osdear_error **error)
{
  *out = osdear__arena_strndup(&self->arena, text.data, text.size);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status read_element(void *argument, osdear__xml_event event, osdear__str path, osdear__str text,
                                  osdear_error **error)
{
  page *self = argument;
  int64_t us;
  bool has_zone;
  osdear_status st;

  if (event == XML_START) {
    if (!memchr(path.data, '/', path.size) && !osdear__str_is(path, "ListMultipartUploadsResult"))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "what came for a listing of uploads to bucket %s is none: <%.*s>",
                          osdear__s3_bucket(self->s3), (int)(path.size < 60 ? path.size : 60), path.data);
    if (ends_in(path, "Upload"))
      self->at_hand = (osdear__s3_begun){ 0 };
    return OSDEAR_OK;
  }
  if (ends_in(path, "Upload/Key")) {
    st = osdear__s3_read_key(self->s3, text, self->is_encoded, &self->key, error);
    return st ? st : keep_text(self, (osdear__str){ self->key.data, self->key.size }, &self->at_hand.key, error);
  }
  if (ends_in(path, "Upload/UploadId"))
    return keep_text(self, text, &self->at_hand.id, error);
  if (ends_in(path, "Upload/Initiated"))
    self->at_hand.begun_ms = osdear__parse_timestamp(text, &us, &has_zone) ? us / 1000 : 0;
  return ends_in(path, "Upload") ? keep(self, error) : OSDEAR_OK;
}

/* What must be known before the keys are read may stand behind them. */
static osdear_status read_frame(page *self, osdear__str text, const char **next_key, const char **next_id, osdear_error **error)
{
  osdear__xml_want wants[] = {
    { .path = "*/EncodingType" }, { .path = "*/IsTruncated" }, { .path = "*/NextKeyMarker" }, { .path = "*/NextUploadIdMarker" }
  };
  bool goes_on;
  osdear_status st = osdear__xml_pick(text, "the listing of uploads", wants, COUNT_OF(wants), &self->arena, error);

  if (st)
    return st;
  self->is_encoded = osdear__str_is(wants[0].text, "url");
  goes_on = osdear__str_is(wants[1].text, "true");
  *next_key = *next_id = "";
  if (!goes_on)
    return OSDEAR_OK;
  if (wants[2].text.size == 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the listing of uploads to bucket %s goes on, but does not say where",
                        osdear__s3_bucket(self->s3));
  st = osdear__s3_read_key(self->s3, wants[2].text, self->is_encoded, &self->key, error);
  if (!st)
    st = keep_text(self, (osdear__str){ self->key.data, self->key.size }, next_key, error);
  return st || wants[3].text.size == 0 ? st : keep_text(self, wants[3].text, next_id, error);
}

static osdear_status ask(page *self, const char *prefix, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { 0 };
  osdear__str text;
  const char *next_key, *next_id;
  osdear_status st;

  osdear__s3_add_query(&request, "uploads", "");
  osdear__s3_add_query(&request, "encoding-type", "url");
  if (prefix[0] && !osdear__s3_endpoint(self->s3)) /* MinIO takes it for a whole key, and finds nothing below it */
    osdear__s3_add_query(&request, "prefix", prefix);
  if (self->next_key && self->next_key[0])
    osdear__s3_add_query(&request, "key-marker", self->next_key);
  if (self->next_id && self->next_id[0])
    osdear__s3_add_query(&request, "upload-id-marker", self->next_id);
  osdear__s3_add_payer(self->s3, &request);
  st = osdear__s3_send(self->s3, self->context, &request, &response, error);
  if (!st)
    st = osdear__s3_expect(self->s3, &request, &response, error);
  if (st)
    return st;
  text = (osdear__str){ response.body.data, response.body.size };
  st = read_frame(self, text, &next_key, &next_id, error);
  if (!st && next_key[0] && self->next_key && strcmp(next_key, self->next_key) == 0 && strcmp(next_id, self->next_id) == 0)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "the listing of uploads to bucket %s goes on, but always from the same place",
                      osdear__s3_bucket(self->s3));
  if (!st)
    st = osdear__xml_parse(text, "the listing of uploads", NULL, read_element, self, error);
  self->next_key = st ? "" : next_key;
  self->next_id = st ? "" : next_id;
  return st;
}

/* Also where somebody else has finished it or given it up meanwhile. */
static osdear_status give_up(page *self, const osdear__s3_begun *begun, osdear_error **error)
{
  SCOPED(http_response) response = { 0 };
  osdear__s3_request request = { .method = "DELETE", .key = begun->key };
  osdear_status st;

  osdear__s3_add_query(&request, "uploadId", begun->id);
  osdear__s3_add_payer(self->s3, &request);
  st = osdear__s3_send(self->s3, self->context, &request, &response, error);
  return st || response.status == 404 ? st : osdear__s3_expect(self->s3, &request, &response, error);
}

/* The texts of a page are needed until the next one was asked for: a page has a thousand uploads at most, so they are kept to the end. */
osdear_status osdear__s3_uploads(osdear__s3 *s3, osdear_context *context, const char *prefix, osdear__s3_visit_begun visit,
                                 void *argument, osdear_error **error)
{
  page self = { .s3 = s3, .context = context };
  osdear_status st;

  do {
    self.count = 0;
    st = osdear__context_check(context, error);
    if (!st)
      st = ask(&self, prefix, error);
    for (size_t i = 0; !st && i < self.count; i++) {
      bool is_over = false;
      if (!osdear__starts_with(self.found[i].key, prefix))
        continue;
      st = visit(argument, &self.found[i], &is_over, error);
      if (!st && is_over)
        st = give_up(&self, &self.found[i], error);
    }
  } while (!st && self.next_key[0]);
  osdear__buf_drop(&self.key);
  osdear__arena_drop(&self.arena);
  return st;
}
