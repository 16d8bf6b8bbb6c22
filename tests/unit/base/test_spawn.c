#include <base/spawn.h>
#include <base/thread.h>

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int memory_file(const char *text)
{
  int fd = memfd_create("test", MFD_CLOEXEC);

  cr_assert_geq(fd, 0);
  cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
  cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
  return fd;
}

static void expect_text(int fd, const char *expected)
{
  char text[256] = { 0 };

  cr_assert_geq(pread(fd, text, sizeof text - 1, 0), 0);
  cr_assert_str_eq(text, expected);
}

static void end_well(pid_t pid)
{
  int status = -1;

  cr_assert_eq(waitpid(pid, &status, 0), pid);
  cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
}

Test(spawn, descriptors_that_stand_in_each_others_way_arrive)
{
  static const char *const words[] = { "cat", NULL };
  const osdear__spawn_options options = { .program = "cat", .words = words, .fds = { 1, 0 }, .fd_count = 2 };
  int input = memory_file("crossed"), output = memory_file("");
  pid_t pid;

  cr_assert_eq(dup2(input, 1), 1);
  cr_assert_eq(dup2(output, 0), 0);
  cr_assert_eq(osdear__spawn(&options, &pid), 0);
  end_well(pid);
  expect_text(output, "crossed");
}

/* The masks of the program, as the system tells them: bits, the lowest for signal 1. */
static void *spawn_and_look(void *argument)
{
  static const char script[] =
      "while read -r key value; do case $key in SigBlk:|SigIgn:) echo $key $value ;; esac; done < /proc/$$/status";
  static const char *const words[] = { "sh", "-c", script, NULL };
  const osdear__spawn_options options = {
    .program = "sh", .words = words, .fds = { -1, *(int *)argument }, .fd_count = 2, .has_session = true
  };
  pid_t pid;

  cr_assert_eq(osdear__spawn(&options, &pid), 0);
  cr_assert_eq(getpgid(pid), pid);
  end_well(pid);
  return NULL;
}

Test(spawn, no_signal_is_blocked_or_ignored_whatever_thread_starts_it)
{
  int output = memory_file("");
  uint64_t blocked, ignored;
  char text[256] = { 0 };
  pthread_t thread;

  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);
  cr_assert_eq(osdear__thread_start(&thread, spawn_and_look, &output), 0);
  pthread_join(thread, NULL);
  cr_assert_gt(pread(output, text, sizeof text - 1, 0), 0);
  cr_assert_eq(sscanf(text, "SigBlk: %" SCNx64 " SigIgn: %" SCNx64, &blocked, &ignored), 2, "%s", text);
  cr_assert_eq(blocked, 0);
  cr_assert_eq(ignored & 0x7FFFFFFF, 0, "%s", text); /* above are signals of the C library's own */
}

Test(spawn, what_cannot_be_run_is_told)
{
  static const char *const words[] = { "no-such-program-of-osdear", NULL };
  const osdear__spawn_options options = { .program = words[0], .words = words };
  pid_t pid;

  cr_assert_eq(osdear__spawn(&options, &pid), ENOENT);
}
