/* Which process a run belongs to, and whether it still lives: boot, name space of processes, process, and when that started. */
#include <container/container.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* The 22nd word of /proc/PID/stat, in ticks since the boot; 0 when there is no such process. */
static uint64_t start_of(int64_t pid)
{
  SCOPED(buf) text = { 0 };
  osdear_error *ignored = NULL;
  char path[48];
  const char *at;
  int64_t start = 0;

  snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
  if (osdear__small_file(path, 4096, &text, &ignored) != OSDEAR_OK || !text.data) {
    osdear_error_free(ignored);
    return 0;
  }
  /* The second word is the program's name in parentheses, and may hold anything. */
  at = strrchr(text.data, ')');
  for (int word = 2; at && word < 22; word++)
    at = strchr(at + 1, ' ');
  if (!at || !osdear__parse_i64((osdear__str){ at + 1, strspn(at + 1, "0123456789") }, &start))
    return 0;
  return (uint64_t)start;
}

/* "BOOT:NAMESPACE:", which two processes have in common if they can see each other. */
static void put_realm(osdear__buf *out)
{
  SCOPED(buf) boot = { 0 };
  osdear_error *ignored = NULL;
  char space[64];
  ssize_t size = readlink("/proc/self/ns/pid", space, sizeof space);

  if (osdear__small_file("/proc/sys/kernel/random/boot_id", 64, &boot, &ignored) == OSDEAR_OK && boot.data)
    osdear__buf_append(out, boot.data, strcspn(boot.data, "\n"));
  osdear_error_free(ignored);
  osdear__buf_putc(out, '/');
  if (size > 0)
    osdear__buf_append(out, space, (size_t)size);
  osdear__buf_putc(out, '/');
}

void osdear__owner_put(osdear__buf *out)
{
  put_realm(out);
  osdear__buf_printf(out, "%ld/%" PRIu64, (long)getpid(), start_of(getpid()));
}

osdear__owner_life osdear__owner_look(osdear__str owner)
{
  SCOPED(buf) realm = { 0 };
  const char *slash;
  int64_t pid, start;

  put_realm(&realm);
  if (realm.failed || owner.size <= realm.size || memcmp(owner.data, realm.data, realm.size) != 0)
    return OWNER_UNKNOWN;
  owner = (osdear__str){ owner.data + realm.size, owner.size - realm.size };
  slash = memchr(owner.data, '/', owner.size);
  if (!slash || !osdear__parse_i64((osdear__str){ owner.data, (size_t)(slash - owner.data) }, &pid) || pid <= 0 ||
      !osdear__parse_i64((osdear__str){ slash + 1, owner.size - (size_t)(slash - owner.data) - 1 }, &start))
    return OWNER_UNKNOWN;
  if ((kill((pid_t)pid, 0) != 0 && errno == ESRCH) || start_of(pid) != (uint64_t)start)
    return OWNER_DEAD;
  return OWNER_ALIVE;
}
