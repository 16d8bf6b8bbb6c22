/* Redirects: followed as attempts of our own, so that nothing secret goes to another host. */
#include <http/internal.h>

static bool is_redirect(int32_t status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Scheme, host and port: what credentials were given for. */
static bool is_same_place(CURLU *one, CURLU *other)
{
  static const CURLUPart parts[] = { CURLUPART_SCHEME, CURLUPART_HOST, CURLUPART_PORT };
  bool same = true;

  for (size_t i = 0; same && i < COUNT_OF(parts); i++) {
    char *a = NULL, *b = NULL;
    same = osdear__curl.url_get(one, parts[i], &a, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           osdear__curl.url_get(other, parts[i], &b, CURLU_DEFAULT_PORT) == CURLUE_OK &&
           osdear__str_equal_nocase(osdear__str_of(a), osdear__str_of(b));
    osdear__curl.release(a);
    osdear__curl.release(b);
  }
  return same;
}

/* What was encrypted stays so. */
static const char *resolve(osdear__http_exchange *exchange, CURLU *from, CURLU *to, const char *location, bool *is_elsewhere)
{
  const char *next = NULL;
  char *text = NULL;
  AUTO(error) ignored = NULL;

  if (osdear__curl.url_set(from, CURLUPART_URL, exchange->url, CURLU_PATH_AS_IS) != CURLUE_OK ||
      osdear__curl.url_set(to, CURLUPART_URL, exchange->url, CURLU_PATH_AS_IS) != CURLUE_OK ||
      osdear__curl.url_set(to, CURLUPART_URL, location, CURLU_PATH_AS_IS | CURLU_URLENCODE) != CURLUE_OK ||
      osdear__curl.url_set(to, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
      osdear__curl.url_get(to, CURLUPART_URL, &text, 0) != CURLUE_OK)
    return NULL;
  *is_elsewhere = !is_same_place(from, to);
  if (!osdear__starts_with(exchange->url, "https:") || osdear__starts_with(text, "https:")) {
    if (osdear__client_url(exchange->client, text, &exchange->arena, &next, &ignored))
      next = NULL;
  }
  osdear__curl.release(text);
  return next;
}

static bool becomes_get(const osdear__http_exchange *exchange)
{
  int32_t status = exchange->response.status;

  if (strcmp(exchange->method, "GET") == 0 || strcmp(exchange->method, "HEAD") == 0)
    return false;
  return status == 303 || ((status == 301 || status == 302) && strcmp(exchange->method, "POST") == 0);
}

bool osdear__redirect_follow(osdear__http_exchange *exchange)
{
  const char *location = osdear__http_header_get(&exchange->response, "Location");
  const char *next = NULL;
  bool is_elsewhere = false, to_get;
  CURLU *from, *to;

  if (!is_redirect(exchange->response.status) || !location || exchange->redirects >= exchange->client->config.max_redirects)
    return false;
  to_get = becomes_get(exchange);
  if (!to_get && exchange->request.source.read && exchange->sent > 0 &&
      (!exchange->request.source.rewind || exchange->request.source.rewind(exchange->request.source.argument, NULL)))
    return false;
  from = osdear__curl.url();
  to = osdear__curl.url();
  if (from && to)
    next = resolve(exchange, from, to, location, &is_elsewhere);
  osdear__curl.url_cleanup(from);
  osdear__curl.url_cleanup(to);
  if (!next)
    return false;
  exchange->url = next;
  exchange->is_elsewhere = exchange->is_elsewhere || is_elsewhere;
  if (to_get) {
    exchange->method = "GET";
    exchange->drops_body = true;
  }
  exchange->redirects++;
  exchange->due_us = 0;
  osdear__loop_move(exchange, EXCHANGE_WAITING);
  return true;
}
