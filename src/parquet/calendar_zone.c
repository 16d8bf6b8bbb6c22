/** @file calendar_zone.c What clocks of a time zone showed before 1900, and what Java's old calendar took them to have shown.
 *
 * That calendar (java.util.GregorianCalendar) knows a zone from 1900 on; before, it takes today's standard time. The truth stands in the
 * system's time zone database (RFC 8536). */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <parquet/calendar.h>

#define DATABASE "/usr/share/zoneinfo/"
#define MOST_NAME 64
#define MOST_BYTES (16 << 10) /* of a zone's file; the largest have 4 KiB */
#define HEADER 44
#define SECOND INT64_C(1000000)
#define GREGORIAN_AT (INT64_C(-12219292800) * SECOND) /* 1582-10-15 */
#define JAVA_AT (INT64_C(-2208988800) * SECOND)       /* 1900-01-01 */

static uint32_t big_u32(const uint8_t *at)
{
  return __builtin_bswap32(osdear__load_u32(at));
}

static int64_t big_i64(const uint8_t *at)
{
  return (int64_t)__builtin_bswap64(osdear__load_u64(at));
}

static osdear_status fixed_zone(int64_t offset, osdear__arena *arena, osdear__pq_calendar *out, osdear_error **error)
{
  osdear__pq_shift *shift = osdear__arena_alloc(arena, sizeof *shift);

  if (!shift)
    return osdear__fail_memory(error);
  *shift = (osdear__pq_shift){ INT64_MIN, offset };
  out->is_known = true;
  out->offset = offset;
  out->same_from = GREGORIAN_AT - offset;
  out->shifts = shift;
  out->shift_count = 1;
  return OSDEAR_OK;
}

/* Digits, at most two. */
static int64_t read_two(const char **at)
{
  int64_t value = 0;

  for (int i = 0; i < 2 && **at >= '0' && **at <= '9'; i++, (*at)++)
    value = value * 10 + (**at - '0');
  return value;
}

/* Java's own form: GMT+h, GMT+hh:mm, GMT-hhmm. */
static bool is_custom(const char *zone, int64_t *offset)
{
  const char *at = zone + 4;
  int64_t seconds;

  if (strncmp(zone, "GMT", 3) != 0 || (zone[3] != '+' && zone[3] != '-') || *at < '0' || *at > '9')
    return false;
  seconds = read_two(&at) * 3600;
  at += *at == ':';
  seconds += read_two(&at) * 60;
  *offset = (zone[3] == '-' ? -seconds : seconds) * SECOND;
  return *at == 0;
}

/* Names of UTC, and those that Java does not know, which it takes for it. */
static bool is_utc(const char *zone)
{
  static const char *const names[] = {
    "UTC", "GMT", "Z", "UT", "Etc/UTC", "Etc/GMT", "Etc/UCT", "Etc/Zulu", "Zulu", "UCT", "GMT0"
  };

  for (size_t i = 0; i < COUNT_OF(names); i++)
    if (!strcmp(zone, names[i]))
      return true;
  return *zone == '+' || *zone == '-' || !strncmp(zone, "UTC+", 4) || !strncmp(zone, "UTC-", 4) || !strncmp(zone, "UT+", 3) ||
         !strncmp(zone, "UT-", 3);
}

/* Only letters, digits and a few signs: it becomes part of a path. */
static bool is_name(const char *zone)
{
  size_t size = strnlen(zone, MOST_NAME + 1);

  if (size == 0 || size > MOST_NAME || zone[0] == '/' || strstr(zone, ".."))
    return false;
  return strspn(zone, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/") == size;
}

static size_t read_file(const char *zone, uint8_t *bytes)
{
  char path[sizeof DATABASE + MOST_NAME];
  size_t size = 0;
  ssize_t got;
  int fd;

  snprintf(path, sizeof path, "%s%s", DATABASE, zone);
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return 0;
  do {
    got = read(fd, bytes + size, MOST_BYTES - size);
    size += got > 0 ? (size_t)got : 0;
  } while (got > 0 && size < MOST_BYTES);
  close(fd);
  return got < 0 ? 0 : size;
}

/* The blocks of a file: counts, and where the parts lie. */
typedef struct zone_file {
  uint32_t times, types;
  const uint8_t *at, *indices, *kinds; /* of times; types of them; types */
  const char *rule;                    /* for times after the last */
  size_t rule_size;
} zone_file;

/* Bytes of a block with times of `width`; 0: too many. */
static size_t block_size(const uint8_t *header, size_t width)
{
  uint64_t size = 0;
  const uint64_t each[] = { 1, 1, width + 4, width + 1, 6, 1 }; /* in the order of the header's counts */

  for (size_t i = 0; i < COUNT_OF(each); i++)
    size += each[i] * big_u32(header + 20 + 4 * i);
  return size > MOST_BYTES ? 0 : (size_t)size;
}

/* The second block, whose times have 64 bits. */
static bool find_parts(const uint8_t *bytes, size_t size, zone_file *out)
{
  size_t first, second;
  const uint8_t *header;

  if (size < 2 * HEADER || memcmp(bytes, "TZif", 4) != 0 || bytes[4] < '2')
    return false;
  first = block_size(bytes, 4);
  if (first == 0 || first > size - 2 * HEADER)
    return false;
  header = bytes + HEADER + first;
  second = block_size(header, 8);
  if (second == 0 || second > size - 2 * HEADER - first || memcmp(header, "TZif", 4) != 0)
    return false;
  out->times = big_u32(header + 32);
  out->types = big_u32(header + 36);
  out->at = header + HEADER;
  out->indices = out->at + (size_t)out->times * 8;
  out->kinds = out->indices + out->times;
  out->rule = (const char *)header + HEADER + second;
  out->rule_size = size - 2 * HEADER - first - second;
  for (uint32_t i = 0; i < out->times; i++)
    if (out->indices[i] >= out->types)
      return false;
  return out->types > 0;
}

static int64_t offset_of(const zone_file *file, size_t type)
{
  return (int32_t)big_u32(file->kinds + 6 * type) * SECOND;
}

/* A name, perhaps in <>, and hours[:minutes[:seconds]] west of Greenwich. */
static bool read_rule(const char **at, int64_t *offset)
{
  int64_t seconds, sign = -1;

  *at += **at == '<' ? strcspn(*at, ">") : strspn(*at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
  *at += **at == '>';
  if (**at == '+' || **at == '-')
    sign = *(*at)++ == '-' ? 1 : -1;
  if (**at < '0' || **at > '9')
    return false;
  seconds = read_two(at) * 3600;
  for (int64_t unit = 60; unit && **at == ':'; unit /= 60) {
    ++*at;
    seconds += read_two(at) * unit;
  }
  *offset = sign * seconds * SECOND;
  return true;
}

/* Standard time of today. Where a rule calls winter the exception, as Ireland's does, Java does not. */
static int64_t standard_offset(const zone_file *file)
{
  char rule[MOST_NAME + 1] = "";
  const char *at = rule;
  size_t size = file->rule_size > 1 && file->rule[0] == '\n' ? file->rule_size - 1 : 0;
  int64_t offset, other;

  size = size < MOST_NAME ? size : MOST_NAME;
  if (size)
    memcpy(rule, file->rule + 1, size);
  rule[strcspn(rule, "\n")] = 0;
  if (read_rule(&at, &offset))
    return read_rule(&at, &other) && other < offset ? other : offset;
  return offset_of(file, file->times ? file->indices[file->times - 1] : 0);
}

/* Up to 1900, in local time. What a clock showed twice counts as the second time; what it left out, as if it had not been set yet. */
static osdear_status take_shifts(const zone_file *file, osdear__arena *arena, osdear__pq_calendar *out, osdear_error **error)
{
  osdear__pq_shift *shifts = osdear__arena_alloc(arena, ((size_t)file->times + 1) * sizeof *shifts);
  size_t count = 1;

  if (!shifts)
    return osdear__fail_memory(error);
  shifts[0] = (osdear__pq_shift){ INT64_MIN, offset_of(file, 0) };
  for (uint32_t i = 0; i < file->times; i++) {
    int64_t at = big_i64(file->at + 8 * (size_t)i), after = offset_of(file, file->indices[i]);

    if (at > JAVA_AT / SECOND)
      break;
    if (at < GREGORIAN_AT / SECOND) /* some files begin with the beginning of time */
      shifts[0].offset = after;
    else
      shifts[count++] = (osdear__pq_shift){ at * SECOND + after, after };
  }
  out->shifts = shifts;
  out->shift_count = count;
  out->offset = standard_offset(file);
  out->is_known = true;
  return OSDEAR_OK;
}

osdear_status osdear__pq_zone_find(osdear__arena *arena, osdear__pq_calendar *out, osdear_error **error)
{
  zone_file file;
  uint8_t *bytes;
  int64_t offset;

  if (!out->zone || is_utc(out->zone))
    return fixed_zone(0, arena, out, error);
  if (is_custom(out->zone, &offset))
    return fixed_zone(offset, arena, out, error);
  out->same_from = JAVA_AT;
  if (!is_name(out->zone))
    return OSDEAR_OK;
  bytes = osdear__arena_alloc(arena, MOST_BYTES);
  if (!bytes)
    return osdear__fail_memory(error);
  return find_parts(bytes, read_file(out->zone, bytes), &file) ? take_shifts(&file, arena, out, error) : OSDEAR_OK;
}
