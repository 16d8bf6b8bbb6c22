/* Masters that want each request signed (spark.master.rest.filters=org.apache.spark.ui.JWSFilter): a JSON Web Signature after RFC 7515, with
 * the key that they have, too. */
#include <base/crypto.h>
#include <job/spark.h>

enum { LIFE_S = 3600, LEAST_KEY = 32 };

static void put_part(osdear__buf *out, const osdear__buf *part)
{
  if (part->failed)
    out->failed = part->failed;
  else
    osdear__base64_put(out, part->data, part->size, true);
}

static osdear_status read_key(const osdear_runner *runner, osdear__buf *out, osdear_error **error)
{
  osdear__str text = osdear__str_of(osdear__runner_setting(runner, "jws_key"));

  if (!osdear__base64_get(text, out) || (!out->failed && out->size < LEAST_KEY))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "the setting \"jws_key\" is no key: it is base64url of 32 bytes or more, as in the master's secretKey");
  return osdear__buf_check(out, error);
}

osdear_status osdear__spark_check_key(const osdear_runner *runner, osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear_status st = read_key(runner, &key, error);

  osdear__wipe(key.data, key.size);
  return st;
}

static osdear_status sign(osdear_runner *runner, osdear__buf *value, int64_t *life_ms, osdear_error **error)
{
  const int64_t now_s = osdear__now_us() / 1000000;
  SCOPED(buf) head = { 0 };
  SCOPED(buf) claims = { 0 };
  SCOPED(buf) text = { 0 };
  SCOPED(buf) key = { 0 };
  unsigned char signature[OSDEAR__SHA256_SIZE];
  osdear_status st = read_key(runner, &key, error);

  osdear__buf_puts(&head, "{\"alg\":\"HS256\"}");
  osdear__buf_printf(&claims, "{\"iss\":\"osdear\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", now_s, now_s + LIFE_S);
  put_part(&text, &head);
  osdear__buf_putc(&text, '.');
  put_part(&text, &claims);
  if (!st)
    st = osdear__buf_check(&text, error);
  if (!st)
    st = osdear__hmac_sha256(key.data, key.size, text.data, text.size, signature, error);
  osdear__wipe(key.data, key.size);
  if (st)
    return st;
  osdear__buf_printf(value, "Bearer %s.", text.data);
  osdear__base64_put(value, signature, sizeof signature, true);
  *life_ms = LIFE_S * INT64_C(1000);
  return OSDEAR_OK;
}

/* By its words: another 403 is not about the signature. */
static bool is_refusal(const osdear__http_response *answer)
{
  return answer->status == 403 && answer->body.data && strstr(answer->body.data, "JWT");
}

osdear__token osdear__spark_jws(osdear_runner *runner)
{
  return (osdear__token){ .runner = runner, .fetch = sign, .is_refusal = is_refusal };
}
