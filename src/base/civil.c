/* The proleptic Gregorian calendar, and dates and times as text. */
#include <base/base.h>

#include <stdio.h>

/* Years are counted from March, so that the leap day is the last of its year; 146,097 days make 400 years. */
int64_t osdear__days_of(int64_t year, int32_t month, int32_t day)
{
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

void osdear__civil_of(int64_t days, int64_t *year, int32_t *month, int32_t *day)
{
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t day_of_era = z - era * 146097;
  int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t shifted = (5 * day_of_year + 2) / 153;

  *day = (int32_t)(day_of_year - (153 * shifted + 2) / 5 + 1);
  *month = (int32_t)(shifted < 10 ? shifted + 3 : shifted - 9);
  *year = year_of_era + era * 400 + (*month <= 2 ? 1 : 0);
}

static int32_t days_in_month(int64_t year, int32_t month)
{
  static const int8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

  if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
    return 29;
  return days[month - 1];
}

/* Reads from `*at`, up to `end`: between `least` and `most` digits. */
static bool read_digits(const char **at, const char *end, int least, int most, int64_t *out)
{
  int count = 0;

  *out = 0;
  while (count < most && *at < end && **at >= '0' && **at <= '9') {
    *out = *out * 10 + (**at - '0');
    (*at)++;
    count++;
  }
  return count >= least;
}

static bool read_char(const char **at, const char *end, char c)
{
  if (*at == end || **at != c)
    return false;
  (*at)++;
  return true;
}

static bool read_date(const char **at, const char *end, int64_t *days)
{
  int64_t year, month, day;
  bool negative = read_char(at, end, '-');

  if (!negative)
    read_char(at, end, '+');
  if (!read_digits(at, end, 4, 6, &year) || !read_char(at, end, '-') || !read_digits(at, end, 2, 2, &month) ||
      !read_char(at, end, '-') || !read_digits(at, end, 2, 2, &day))
    return false;
  if (negative)
    year = -year;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, (int32_t)month))
    return false;
  *days = osdear__days_of(year, (int32_t)month, (int32_t)day);
  return true;
}

bool osdear__parse_date(osdear__str text, int32_t *days)
{
  const char *at = text.data, *end = text.data + text.size;
  int64_t value;

  if (text.size == 0 || !read_date(&at, end, &value) || at != end || value < INT32_MIN || value > INT32_MAX)
    return false;
  *days = (int32_t)value;
  return true;
}

/* HH:MM[:SS[.f…]]; 24:00 and leap seconds are refused. */
static bool read_time(const char **at, const char *end, int64_t *us)
{
  int64_t hour, minute, second = 0, fraction = 0, scale = 100000;

  if (!read_digits(at, end, 2, 2, &hour) || !read_char(at, end, ':') || !read_digits(at, end, 2, 2, &minute))
    return false;
  if (read_char(at, end, ':')) {
    if (!read_digits(at, end, 2, 2, &second))
      return false;
    if (read_char(at, end, '.')) {
      const char *first = *at;
      for (; *at < end && **at >= '0' && **at <= '9'; (*at)++, scale /= 10)
        fraction += (**at - '0') * scale;
      if (*at == first)
        return false;
    }
  }
  if (hour > 23 || minute > 59 || second > 59)
    return false;
  *us = ((hour * 60 + minute) * 60 + second) * 1000000 + fraction;
  return true;
}

/* Z or ±HH[:]MM or ±HH; what it says is how far ahead of UTC the clock was. */
static bool read_zone(const char **at, const char *end, int64_t *offset_us)
{
  int64_t hour, minute = 0;
  bool negative;

  *offset_us = 0;
  if (read_char(at, end, 'Z') || read_char(at, end, 'z'))
    return true;
  negative = read_char(at, end, '-');
  if (!negative && !read_char(at, end, '+'))
    return false;
  if (!read_digits(at, end, 2, 2, &hour))
    return false;
  if (*at < end) {
    read_char(at, end, ':');
    if (!read_digits(at, end, 2, 2, &minute))
      return false;
  }
  if (hour > 18 || minute > 59)
    return false;
  *offset_us = (hour * 60 + minute) * INT64_C(60000000);
  if (negative)
    *offset_us = -*offset_us;
  return true;
}

bool osdear__parse_timestamp(osdear__str text, int64_t *us, bool *has_zone)
{
  const char *at = text.data, *end = text.data + text.size;
  int64_t days, time = 0, offset = 0, total;

  *has_zone = false;
  if (text.size == 0 || !read_date(&at, end, &days))
    return false;
  if (at < end) {
    if (!read_char(&at, end, 'T') && !read_char(&at, end, ' '))
      return false;
    if (!read_time(&at, end, &time))
      return false;
    if (at < end) {
      *has_zone = true;
      if (!read_zone(&at, end, &offset))
        return false;
    }
  }
  if (at != end || !osdear__mul_i64(days, OSDEAR__DAY_US, &total) || !osdear__add_i64(total, time - offset, &total))
    return false;
  *us = total;
  return true;
}

/* Not by way of days * OSDEAR__DAY_US, which lies below INT64_MIN for the first instants that there are. */
int64_t osdear__split_day(int64_t us, int64_t *rest)
{
  int64_t days = us / OSDEAR__DAY_US;

  *rest = us % OSDEAR__DAY_US;
  if (*rest >= 0)
    return days;
  *rest += OSDEAR__DAY_US;
  return days - 1;
}

static size_t put_date(int64_t days, char *out, size_t size)
{
  int64_t year;
  int32_t month, day;

  osdear__civil_of(days, &year, &month, &day);
  return (size_t)snprintf(out, size, "%s%04" PRId64 "-%02" PRId32 "-%02" PRId32, year < 0 ? "-" : "", year < 0 ? -year : year,
                          month, day);
}

size_t osdear__format_date(int64_t days, char out[OSDEAR__TIME_TEXT])
{
  return put_date(days, out, OSDEAR__TIME_TEXT);
}

static void put_digits(char *out, int64_t value, int count)
{
  while (count-- > 0) {
    out[count] = (char)('0' + value % 10);
    value /= 10;
  }
}

size_t osdear__format_timestamp(int64_t us, char separator, const char *suffix, char out[OSDEAR__TIME_TEXT])
{
  int64_t rest;
  size_t size = put_date(osdear__split_day(us, &rest), out, OSDEAR__TIME_TEXT), tail = strlen(suffix);
  char *at = out + size;

  if (tail > 7)
    tail = 7;
  at[0] = separator;
  put_digits(at + 1, rest / INT64_C(3600000000), 2);
  at[3] = ':';
  put_digits(at + 4, rest / 60000000 % 60, 2);
  at[6] = ':';
  put_digits(at + 7, rest / 1000000 % 60, 2);
  at[9] = '.';
  put_digits(at + 10, rest % 1000000, 6);
  memcpy(at + 16, suffix, tail);
  at[16 + tail] = '\0';
  return size + 16 + tail;
}
