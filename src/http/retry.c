/* Trying again: how long to wait, and when a client has tried enough. */
#include <http/internal.h>

/* A service that is down must not be asked three times as often as one that works: repetitions are paid from a bucket that only
 * success fills. */
bool osdear__retry_pay(osdear__http_client *client, int32_t cost)
{
  int32_t left = atomic_load(&client->retry_tokens);

  do {
    if (left < cost)
      return false;
  } while (!atomic_compare_exchange_weak(&client->retry_tokens, &left, left - cost));
  return true;
}

void osdear__retry_refund(osdear__http_client *client, int32_t paid)
{
  int32_t more = paid > 0 ? paid : 1;
  int32_t have = atomic_load(&client->retry_tokens);
  int32_t sum;

  do {
    if (have >= RETRY_TOKENS)
      return;
    sum = have + more > RETRY_TOKENS ? RETRY_TOKENS : have + more;
  } while (!atomic_compare_exchange_weak(&client->retry_tokens, &have, sum));
}

/* Seconds or a date (RFC 9110, 10.2.3); -1 when it does not say. */
static int64_t asked_wait_us(const osdear__http_response *answer)
{
  const char *value = answer ? osdear__http_header_get(answer, "Retry-After") : NULL;
  int64_t number;

  if (!value)
    return -1;
  if (osdear__parse_i64(osdear__str_of(value), &number))
    return number < 0 ? -1 : number > 86400 ? OSDEAR__DAY_US : number * 1000000;
  if (!osdear__http_parse_date(osdear__str_of(value), &number))
    return -1;
  number -= osdear__now_us();
  return number < 0 ? 0 : number;
}

int64_t osdear__retry_wait_us(const osdear__http_client *client, int32_t next, bool throttled,
                              const osdear__http_response *answer)
{
  const int64_t scale = throttled ? 1000000 : 50000;
  const int64_t most = client->config.max_retry_wait_ms * 1000;
  int64_t doublings = next > 2 ? next - 2 : 0;
  int64_t ceiling = doublings > 20 ? most : scale << doublings;
  int64_t wait, asked = asked_wait_us(answer);

  if (ceiling > most)
    ceiling = most;
  wait = (int64_t)(osdear__random_u64() % (uint64_t)(ceiling + 1));
  if (asked > wait)
    wait = asked;
  return wait < most ? wait : most;
}
