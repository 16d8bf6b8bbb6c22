/* What engines answer: JSON looked into, and failures in words that all of them share. */
#include <container/container.h>

void osdear__json_put_pairs(osdear__buf *out, const osdear_pair *pairs, size_t count)
{
  bool first = true;

  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < count; i++) {
    osdear__json_put_key(out, &first, pairs[i].key);
    osdear__json_put_string(out, osdear__str_of(pairs[i].value));
  }
  osdear__buf_putc(out, '}');
}

void osdear__json_put_texts(osdear__buf *out, const char *const *texts, size_t count)
{
  bool first = true;

  osdear__buf_putc(out, '[');
  for (size_t i = 0; i < count; i++) {
    osdear__json_put_comma(out, &first);
    osdear__json_put_string(out, osdear__str_of(texts[i]));
  }
  osdear__buf_putc(out, ']');
}

void osdear__json_put_merged(osdear__buf *out, const osdear__json *base, const osdear__json *over)
{
  bool first = true;

  if (!base || base->kind != JSON_IS_OBJECT || over->kind != JSON_IS_OBJECT) {
    osdear__json_put_value(out, over);
    return;
  }
  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < base->count; i++) {
    const osdear__json *changed = osdear__json_get(over, base->keys[i].data);
    osdear__json_put_key(out, &first, base->keys[i].data);
    if (changed)
      osdear__json_put_merged(out, &base->items[i], changed);
    else
      osdear__json_put_value(out, &base->items[i]);
  }
  for (size_t i = 0; i < over->count; i++)
    if (!osdear__json_get(base, over->keys[i].data)) {
      osdear__json_put_key(out, &first, over->keys[i].data);
      osdear__json_put_value(out, &over->items[i]);
    }
  osdear__buf_putc(out, '}');
}

/* ---- failures ---- */

/* Podman answers 500 where Docker has a number of its own, and Docker 500 for what a registry said: the words tell more. First match wins. */
static const struct {
  const char *words;
  osdear_status status;
} meanings[] = {
  { "is already in use", OSDEAR_ERR_EXISTS },
  { "already exists", OSDEAR_ERR_EXISTS },
  { "name is in use", OSDEAR_ERR_EXISTS },
  { "volume is in use", OSDEAR_ERR_CONFLICT },
  { "is being used", OSDEAR_ERR_CONFLICT },
  { "in use by", OSDEAR_ERR_CONFLICT },
  { "has active endpoints", OSDEAR_ERR_CONFLICT },
  { "has associated containers", OSDEAR_ERR_CONFLICT },
  { "cannot remove a running container", OSDEAR_ERR_CONFLICT },
  { "cannot remove container", OSDEAR_ERR_CONFLICT },
  { "is already in progress", OSDEAR_ERR_CONFLICT },
  { "is not running", OSDEAR_ERR_STATE },
  { "can only kill running", OSDEAR_ERR_STATE },
  { "container state improper", OSDEAR_ERR_STATE },
  { "is paused", OSDEAR_ERR_STATE },
  { "is not paused", OSDEAR_ERR_STATE },
  { "is already paused", OSDEAR_ERR_STATE },
  { "no basic auth credentials", OSDEAR_ERR_DENIED },
  { "unauthorized", OSDEAR_ERR_DENIED },
  { "authentication required", OSDEAR_ERR_DENIED },
  { "access to the resource is denied", OSDEAR_ERR_DENIED },
  { "forbidden to use", OSDEAR_ERR_DENIED },    /* Portainer, of what an environment keeps from its users */
  { "mime: no media type", OSDEAR_ERR_DENIED }, /* Portainer 2.23, failing to say that it denies something */
  { "network connect not found",
    OSDEAR_ERR_UNSUPPORTED }, /* Portainer, which takes `/networks/ID/connect` for a network's name */
  { "manifest unknown", OSDEAR_ERR_NOT_FOUND },
  { "no such image", OSDEAR_ERR_NOT_FOUND },
  { "no such container", OSDEAR_ERR_NOT_FOUND },
  { "image not known", OSDEAR_ERR_NOT_FOUND },
  { "does not support reading", OSDEAR_ERR_UNSUPPORTED },
  { "cannot read logs", OSDEAR_ERR_UNSUPPORTED },
  { "connection refused", OSDEAR_ERR_UNAVAILABLE },
  { "i/o timeout", OSDEAR_ERR_UNAVAILABLE },
  { "no such host", OSDEAR_ERR_UNAVAILABLE },
  { "tls handshake timeout", OSDEAR_ERR_UNAVAILABLE },
  { "executable file not found", OSDEAR_ERR_ARGUMENT },
  { "oci runtime", OSDEAR_ERR_ARGUMENT },
  { "invalid signal", OSDEAR_ERR_ARGUMENT },
  { "permission denied", OSDEAR_ERR_DENIED }, /* of ssh, as the next */
  { "host key verification failed", OSDEAR_ERR_DENIED },
};

static bool holds(osdear__str text, const char *words)
{
  size_t size = strlen(words);

  for (size_t i = 0; i + size <= text.size; i++)
    if (osdear__str_equal_nocase((osdear__str){ text.data + i, size }, (osdear__str){ words, size }))
      return true;
  return false;
}

osdear_status osdear__engine_meaning(osdear__str words, int32_t http_status)
{
  /* What has a number of its own needs no guess. */
  if (http_status == 404)
    return OSDEAR_ERR_NOT_FOUND;
  if (http_status == 401 || http_status == 403)
    return OSDEAR_ERR_DENIED;
  for (size_t i = 0; i < COUNT_OF(meanings); i++)
    if (holds(words, meanings[i].words))
      return meanings[i].status;
  return OSDEAR_OK;
}

/* {"message"} of Docker and Portainer, which adds "details"; Podman adds "cause" and "response". Anything else is shown as it is. */
osdear_status osdear__engine_fail(const osdear__http_response *response, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) words = { 0 };
  osdear__str body = { response->body.data ? response->body.data : "", response->body.size };
  osdear__json *tree = NULL;
  osdear_error *ignored = NULL;
  osdear__str message = { "", 0 }, details = { "", 0 };
  osdear_status st;

  if (body.size && body.data[0] == '{')
    st = osdear__json_read(body, "answer", &arena, &tree, &ignored);
  else
    st = OSDEAR_ERR_CORRUPT;
  osdear_error_free(ignored);
  if (st == OSDEAR_ERR_NO_MEMORY)
    return osdear__fail_memory(error);
  if (!st) {
    message = osdear__json_str(tree, "message");
    details = osdear__json_str(tree, "details");
  } else {
    message = (osdear__str){ body.data, body.size < 400 ? body.size : 400 };
    while (message.size && (message.data[message.size - 1] == '\n' || message.data[message.size - 1] == '\r'))
      message.size--;
  }
  osdear__buf_append(&words, message.data, message.size);
  if (details.size && !osdear__str_equal(details, message)) {
    osdear__buf_puts(&words, ": ");
    osdear__buf_append(&words, details.data, details.size);
  }
  st = osdear__buf_check(&words, error);
  if (st)
    return st;
  st = osdear__engine_meaning((osdear__str){ words.data ? words.data : "", words.size }, response->status);
  return osdear__http_fail(response, st, NULL, error, "%s", words.data ? words.data : "");
}
