/* Names, addresses, dates: the small texts of HTTP. */
#include <http/http.h>

#include <arpa/inet.h>
#include <stdio.h>

bool osdear__http_is_secret(osdear__str name)
{
  static const char *const names[] = {
    "authorization",
    "proxy-authorization",
    "cookie",
    "set-cookie",
    "x-api-key",
    "x-registry-auth",
    "x-registry-config",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-credential",
    "x-aws-ec2-metadata-token",
    "x-auth-token",
    "x-csrftoken",
    "x-amz-server-side-encryption-customer-key",
    "signature",
    "sig",
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "api_key",
    "apikey",
    "key",
    "password",
    "passwd",
    "secret",
    "client_secret",
    "webidentitytoken",
    "authentication",
  };

  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (osdear__str_equal_nocase(name, osdear__str_of(names[i])))
      return true;
  return false;
}

/* By the text alone: what a name server answers for other names may be another machine's address the next time. */
bool osdear__http_is_loopback(osdear__str host)
{
  const osdear__str below = STR(".localhost");
  const char *colon = memchr(host.data, ':', host.size);
  osdear__str name = { host.data, colon ? (size_t)(colon - host.data) : host.size };
  char text[INET_ADDRSTRLEN];
  struct in_addr address;

  if (host.size >= 5 && memcmp(host.data, "[::1]", 5) == 0)
    return host.size == 5 || host.data[5] == ':';
  if (osdear__str_equal_nocase(name, STR("localhost")))
    return true;
  if (name.size > below.size && osdear__str_equal_nocase((osdear__str){ name.data + name.size - below.size, below.size }, below))
    return true;
  if (name.size >= sizeof text)
    return false;
  memcpy(text, name.data, name.size);
  text[name.size] = '\0';
  return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/* One `name=value` of a query. */
static void put_parameter(osdear__buf *out, const char *text, size_t size)
{
  const char *equals = memchr(text, '=', size);
  size_t name = equals ? (size_t)(equals - text) : size;

  if (equals && osdear__http_is_secret((osdear__str){ text, name })) {
    osdear__buf_append(out, text, name + 1);
    osdear__buf_puts(out, "***");
  } else {
    osdear__buf_append(out, text, size);
  }
}

void osdear__http_put_url(osdear__buf *out, const char *url)
{
  const char *host = strstr(url, "://");
  size_t path, at;

  host = host ? host + 3 : url;
  osdear__buf_append(out, url, (size_t)(host - url));
  path = strcspn(host, "/?#");
  for (size_t i = path; i > 0; i--)
    if (host[i - 1] == '@') { /* the last one ends user and password */
      osdear__buf_puts(out, "***@");
      host += i;
      path -= i;
      break;
    }
  at = strcspn(host, "?");
  osdear__buf_append(out, host, at);
  while (host[at]) {
    size_t size = strcspn(host + at + 1, "&");
    osdear__buf_putc(out, host[at]);
    put_parameter(out, host + at + 1, size);
    at += 1 + size;
  }
  osdear__buf_puts(out, "");
}

static bool is_unreserved(char c)
{
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~';
}

void osdear__http_put_encoded(osdear__buf *out, osdear__str text, const char *keep)
{
  static const char digits[] = "0123456789ABCDEF";

  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (is_unreserved(c) || (c && strchr(keep, c))) {
      osdear__buf_putc(out, c);
    } else {
      osdear__buf_putc(out, '%');
      osdear__buf_putc(out, digits[(unsigned char)c >> 4]);
      osdear__buf_putc(out, digits[(unsigned char)c & 15]);
    }
  }
  osdear__buf_puts(out, "");
}

const char *osdear__http_reason(int32_t http_status)
{
  static const struct {
    int32_t status;
    const char *words;
  } reasons[] = {
    { 200, "OK" },
    { 201, "Created" },
    { 202, "Accepted" },
    { 204, "No Content" },
    { 206, "Partial Content" },
    { 301, "Moved Permanently" },
    { 302, "Found" },
    { 303, "See Other" },
    { 304, "Not Modified" },
    { 307, "Temporary Redirect" },
    { 308, "Permanent Redirect" },
    { 400, "Bad Request" },
    { 401, "Unauthorized" },
    { 403, "Forbidden" },
    { 404, "Not Found" },
    { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" },
    { 407, "Proxy Authentication Required" },
    { 408, "Request Timeout" },
    { 409, "Conflict" },
    { 410, "Gone" },
    { 411, "Length Required" },
    { 412, "Precondition Failed" },
    { 413, "Content Too Large" },
    { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" },
    { 416, "Range Not Satisfiable" },
    { 421, "Misdirected Request" },
    { 422, "Unprocessable Content" },
    { 423, "Locked" },
    { 425, "Too Early" },
    { 429, "Too Many Requests" },
    { 431, "Request Header Fields Too Large" },
    { 500, "Internal Server Error" },
    { 501, "Not "
           "Implemented" },
    { 502, "Bad Gateway" },
    { 503, "Service Unavailable" },
    { 504, "Gateway Timeout" },
    { 505, "HTTP Version Not Supported" },
    { 507, "Insufficient Storage" },
  };

  for (size_t i = 0; i < COUNT_OF(reasons); i++)
    if (reasons[i].status == http_status)
      return reasons[i].words;
  return "";
}

/* ---- dates (RFC 9110, 5.6.7) ---- */

static bool month_of(const char *name, int32_t *month)
{
  static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

  for (int32_t i = 0; i < 12; i++)
    if (memcmp(names + 3 * i, name, 3) == 0) {
      *month = i + 1;
      return true;
    }
  return false;
}

bool osdear__http_parse_date(osdear__str text, int64_t *us)
{
  char copy[64], month_name[4] = "";
  int day, year, hour, minute, second;
  int32_t month;
  bool found;

  if (text.size == 0 || text.size >= sizeof copy)
    return false;
  memcpy(copy, text.data, text.size);
  copy[text.size] = '\0';
  found = sscanf(copy, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &day, month_name, &year, &hour, &minute, &second) == 6;
  if (!found &&
      sscanf(copy, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &day, month_name, &year, &hour, &minute, &second) == 6) {
    found = true;
    year += year < 70 ? 2000 : 1900;
  }
  if (!found)
    found = sscanf(copy, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month_name, &day, &hour, &minute, &second, &year) == 6;
  if (!found || strlen(month_name) != 3 || !month_of(month_name, &month) || day < 1 || day > 31 || hour < 0 || hour > 23 ||
      minute < 0 || minute > 59 || second < 0 || second > 60)
    return false;
  *us = osdear__days_of(year, month, day) * OSDEAR__DAY_US + (((int64_t)hour * 60 + minute) * 60 + second) * 1000000;
  return true;
}
