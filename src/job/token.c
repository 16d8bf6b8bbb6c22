/* Tokens: fetched with the first request, renewed at two thirds of their life, and once when one is refused. */
#include <job/token.h>

enum { JUST_NOW_US = 1000000 };

static osdear_status fetch(osdear__token *token, osdear_error **error)
{
  SCOPED(buf) value = { 0 };
  int64_t life_ms = -1;
  osdear_status st = token->fetch(token->runner, &value, &life_ms, error);

  if (st)
    return st;
  osdear__buf_append(&value, "", 1);
  st = osdear__buf_check(&value, error);
  if (st)
    return st;
  osdear__free(token->value);
  token->value = osdear__buf_take(&value);
  token->fetched_us = osdear__monotonic_us();
  token->renew_us = life_ms > 0 && life_ms < INT64_MAX / 1000000 ? token->fetched_us + life_ms * 1000 / 3 * 2 : INT64_MAX;
  return OSDEAR_OK;
}

static osdear_status sign(void *argument, osdear__http_attempt *attempt, osdear_error **error)
{
  osdear__token *token = argument;
  osdear_status st = OSDEAR_OK;

  if (!token->value || osdear__monotonic_us() >= token->renew_us)
    st = fetch(token, error);
  if (st || !token->value[0])
    return st;
  return osdear__http_attempt_set(attempt, "Authorization", token->value, error);
}

/* A second refusal of one request is not about the token's age. Of many requests that are refused together, the first renews it. */
static osdear__http_verdict judge(void *argument, const osdear__http_attempt *attempt)
{
  osdear__token *token = argument;

  if (!attempt->answer || !token->is_refusal(attempt->answer))
    return HTTP_AS_USUAL;
  if (attempt->number > 1)
    return HTTP_DONE;
  if (osdear__monotonic_us() - token->fetched_us > JUST_NOW_US)
    osdear__token_drop(token);
  return HTTP_RETRY_AT_ONCE;
}

osdear__http_hooks osdear__token_hooks(osdear__token *token)
{
  return (osdear__http_hooks){ sign, judge, token };
}

osdear_status osdear__token_clients(osdear__token *token, const char *base_url, osdear__http_client **plain,
                                    osdear__http_client **client, osdear_error **error)
{
  osdear__http_config config = { 0 };
  osdear_status st = osdear__service_config(token->runner, &config, error);

  config.base_url = base_url;
  if (!st)
    st = osdear__http_client_new(&config, plain, error);
  config.hooks = osdear__token_hooks(token);
  return st ? st : osdear__http_client_new(&config, client, error);
}

void osdear__token_drop(osdear__token *token)
{
  osdear__free(token->value);
  token->value = NULL;
}
