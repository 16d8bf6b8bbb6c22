/** @file identity.c Keys as values: made, counted, wiped. */
#include <json/json.h>
#include <store/s3/credentials.h>

static char *place(char *at, osdear__str text, osdear__str *out)
{
  if (text.size > 0)
    memcpy(at, text.data, text.size);
  at[text.size] = '\0';
  *out = (osdear__str){ at, text.size };
  return at + text.size + 1;
}

osdear_status osdear__identity_new(osdear__str access_key, osdear__str secret_key, osdear__str token, int64_t expires_us,
                                   osdear__identity **out, osdear_error **error)
{
  size_t size = access_key.size + secret_key.size + token.size + 3;
  osdear__identity *made = osdear__alloc(sizeof *made + size);
  char *at;

  if (!made)
    return osdear__fail_memory(error);
  atomic_init(&made->references, 1);
  made->size = size;
  made->expires_us = expires_us;
  at = place(made->texts, access_key, &made->access_key);
  at = place(at, secret_key, &made->secret_key.hidden);
  place(at, token, &made->token.hidden);
  *out = made;
  return OSDEAR_OK;
}

osdear__identity *osdear__identity_ref(osdear__identity *identity)
{
  if (identity)
    atomic_fetch_add_explicit(&identity->references, 1, memory_order_relaxed);
  return identity;
}

void osdear__identity_auto(osdear__identity **identity)
{
  osdear__identity *self = *identity;

  *identity = NULL;
  if (!self || atomic_fetch_sub_explicit(&self->references, 1, memory_order_acq_rel) != 1)
    return;
  osdear__wipe(self->texts, self->size);
  osdear__free(self);
}

static osdear__str text_of(const osdear__json *answer, const char *name)
{
  const osdear__json *found = osdear__json_get(answer, name);

  return found && found->kind == JSON_IS_STRING ? found->text : (osdear__str){ "", 0 };
}

osdear_status osdear__identity_of_json(osdear__str text, const char *origin, osdear__identity **out, osdear_error **error)
{
  osdear__arena arena = { 0 };
  osdear__json *answer = NULL;
  osdear_error *failure = NULL;
  int64_t expires_us = INT64_MAX;
  bool has_zone = true;
  osdear_status st = osdear__json_read(text, origin, &arena, &answer, &failure);

  osdear_error_free(failure); /* it may quote what is secret */
  if (st == OSDEAR_ERR_NO_MEMORY) {
    st = osdear__fail_memory(error);
  } else if (st) {
    st = osdear__fail(error, OSDEAR_ERR_DENIED, "%s answered no JSON", origin);
  } else {
    osdear__str key = text_of(answer, "AccessKeyId"), secret = text_of(answer, "SecretAccessKey"),
                token = text_of(answer, "SessionToken");
    osdear__str expires = text_of(answer, "Expiration"), code = text_of(answer, "Code");
    if (token.size == 0)
      token = text_of(answer, "Token");
    if (code.size > 0 && !osdear__str_is(code, "Success"))
      st = osdear__fail(error, OSDEAR_ERR_DENIED, "%s has no credentials: %.60s", origin, code.data);
    else if (key.size == 0 || secret.size == 0)
      st = osdear__fail(error, OSDEAR_ERR_DENIED, "%s answered without AccessKeyId and SecretAccessKey", origin);
    else if (expires.size > 0 && !osdear__parse_timestamp(expires, &expires_us, &has_zone))
      st = osdear__fail(error, OSDEAR_ERR_DENIED, "%s answered an Expiration that is no time: \"%.40s\"", origin, expires.data);
    else
      st = osdear__identity_new(key, secret, token, expires_us, out, error);
  }
  osdear__arena_drop(&arena);
  return st;
}
