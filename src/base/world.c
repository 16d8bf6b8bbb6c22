/* The outside world: clock, sleep, randomness, UUIDs. Tests put another in its place. */
#include <base/base.h>

#include <errno.h>
#include <sys/random.h>
#include <time.h>
#include <uuid/uuid.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the formats are little-endian, and so must the machine be");

static int64_t clock_us(clockid_t clock)
{
  struct timespec now;

  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t real_now_us(void)
{
  return clock_us(CLOCK_REALTIME);
}

static int64_t real_monotonic_us(void)
{
  return clock_us(CLOCK_MONOTONIC);
}

static void real_sleep_us(int64_t us)
{
  struct timespec left = { (time_t)(us / 1000000), (long)(us % 1000000) * 1000 };

  while (nanosleep(&left, &left) == -1 && errno == EINTR)
    continue;
}

static void real_random(void *out, size_t size)
{
  unsigned char *at = out;

  while (size > 0) {
    ssize_t got = getrandom(at, size, 0);
    if (got > 0) {
      at += got;
      size -= (size_t)got;
    }
  }
}

static const osdear__world real_world = { real_now_us, real_monotonic_us, real_sleep_us, real_random };
const osdear__world *osdear__the_world = &real_world;

int64_t osdear__now_us(void)
{
  return osdear__the_world->now_us();
}

int64_t osdear__monotonic_us(void)
{
  return osdear__the_world->monotonic_us();
}

uint64_t osdear__random_u64(void)
{
  uint64_t value;

  osdear__the_world->random(&value, sizeof value);
  return value;
}

void osdear__uuid(char out[37])
{
  uuid_t bytes;

  /* Random bits come from our world, so that tests can fix them; RFC 4122 wants version 4 and variant 1 marked. */
  osdear__the_world->random(bytes, sizeof bytes);
  bytes[6] = (unsigned char)((bytes[6] & 0x0F) | 0x40);
  bytes[8] = (unsigned char)((bytes[8] & 0x3F) | 0x80);
  uuid_unparse_lower(bytes, out);
}
