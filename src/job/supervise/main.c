/* osdear-supervise: starts one program, watches it, and writes down how it ended. A program of its own, so that the library forks nothing:
 * it is built into the library as bytes, and run from memory by posix_spawn(), which copies no address space and heeds no other thread.
 *
 * It finds its arguments as words, its environment as the program is to have it, and these descriptors:
 *   3  the job's folder                      4  the leash, or /dev/null: a pipe whose other end is the caller's while it lives
 *   5  a pipe for a `struct supervise_report`: how the start went
 *
 * Whether it lives is told by the lock on `alive`, which the kernel drops with the process: no process number is ever trusted. */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef struct task {
  char **command;
  const char *directory, *input;
  int64_t limits[SUPERVISE_LIMITS];
  int64_t grace_ms;
  pid_t program;
  int64_t started_us;
  int64_t kill_at_us; /* monotonic; 0: nobody asked it to end */
  bool is_asked;
} task;

static int64_t clock_us(clockid_t clock)
{
  struct timespec now;

  clock_gettime(clock, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void report(int number, const char *step)
{
  struct supervise_report words = { .number = number };
  ssize_t put;

  strncpy(words.step, step, sizeof words.step - 1);
  put = write(SUPERVISE_REPORT, &words, sizeof words);
  (void)put; /* the caller may be gone: then nobody wants to know */
}

static _Noreturn void give_up(const char *step)
{
  report(errno ? errno : EINVAL, step);
  _exit(1);
}

/* Whole or not at all, and on disk before it is seen. */
static bool write_file(const char *name, const char *format, ...)
{
  char text[512];
  va_list arguments;
  bool is_written;
  int fd, length;

  va_start(arguments, format);
  length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  fd = openat(SUPERVISE_FOLDER, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0)
    return false;
  is_written = write(fd, text, (size_t)length) == length && fsync(fd) == 0 &&
               renameat(SUPERVISE_FOLDER, "new", SUPERVISE_FOLDER, name) == 0 && fsync(SUPERVISE_FOLDER) == 0;
  close(fd);
  return is_written;
}

/* ---- the program ---- */

/* Unsigned as glibc has its resources. */
static void limit(unsigned resource, int64_t most)
{
  struct rlimit value = { (rlim_t)most, (rlim_t)most };

  if (most >= 0 && setrlimit(resource, &value) != 0)
    give_up("limit it");
}

static int open_in_folder(const char *name, int flags)
{
  int fd = openat(SUPERVISE_FOLDER, name, flags | O_NOFOLLOW, 0600);

  if (fd < 0)
    give_up(name);
  return fd;
}

static void take(int fd, int as)
{
  if (dup2(fd, as) < 0)
    give_up("take its files over");
}

/* In the child. The report's pipe closes when the program takes the process over: that tells that it did. */
static _Noreturn void become_program(const task *t, pid_t supervisor)
{
  sigset_t none;
  int input = open(t->input, O_RDONLY | O_CLOEXEC);

  if (input < 0)
    give_up("open its input");
  if (setpgid(0, 0) != 0)
    give_up("make its process group");
  /* Without its supervisor nobody would see how it ends: then it ends, too. */
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != supervisor)
    _exit(1);
  take(input, STDIN_FILENO);
  take(open_in_folder("stdout", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC), STDOUT_FILENO);
  take(open_in_folder("stderr", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC), STDERR_FILENO);
  if (t->directory[0] && chdir(t->directory) != 0)
    give_up("enter its directory");
  limit(RLIMIT_AS, t->limits[SUPERVISE_MEMORY]);
  limit(RLIMIT_CPU, t->limits[SUPERVISE_CPU]);
  limit(RLIMIT_FSIZE, t->limits[SUPERVISE_FILE]);
  limit(RLIMIT_NOFILE, t->limits[SUPERVISE_OPEN_FILES]);
  limit(RLIMIT_NPROC, t->limits[SUPERVISE_PROCESSES]);
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  execvp(t->command[0], t->command);
  give_up(t->command[0]);
}

/* `started` is there before the program is: whoever finds it does not start it once more. */
static void start(task *t)
{
  pid_t self = getpid();

  t->started_us = clock_us(CLOCK_REALTIME);
  if (!write_file("started", "{\"supervisor\":%d,\"started_us\":%" PRId64 "}\n", (int)self, t->started_us))
    give_up("note that it starts");
  t->program = fork();
  if (t->program < 0)
    give_up("fork");
  if (t->program == 0)
    become_program(t, self);
  close(SUPERVISE_REPORT);
}

/* ---- its end ---- */

/* Whoever left the program's group is still our descendant: children whose parents are gone come to us. */
static void kill_descendants(void)
{
  char path[64], text[4096], *at, *end;
  ssize_t got;
  int fd;

  for (int round = 0; round < 100; round++) {
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
      return;
    got = read(fd, text, sizeof text - 1);
    close(fd);
    if (got <= 0)
      return;
    text[got] = '\0';
    for (at = text; *at; at = end + (*end == ' ')) {
      long pid = strtol(at, &end, 10);
      if (end == at)
        break;
      kill((pid_t)pid, SIGKILL);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
      continue;
    poll(NULL, 0, 5);
  }
}

/* It keeps its number until it is reaped. */
static bool has_ended(const task *t)
{
  siginfo_t info = { .si_pid = 0 };

  return waitid(P_PID, (id_t)t->program, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

static void ask_to_end(task *t)
{
  if (t->is_asked || has_ended(t))
    return; /* what has ended by itself was not cancelled */
  t->is_asked = true;
  t->kill_at_us = clock_us(CLOCK_MONOTONIC) + t->grace_ms * 1000;
  kill(-t->program, SIGTERM);
}

static int64_t microseconds(struct timeval time)
{
  return (int64_t)time.tv_sec * 1000000 + time.tv_usec;
}

/* A full disk may have room again in a minute. */
static void write_end(const task *t, int status, const struct rusage *usage)
{
  int64_t ended_us = clock_us(CLOCK_REALTIME);

  for (int i = 0; i < 60; i++) {
    if (write_file("ended",
                   "{\"%s\":%d,\"cancelled\":%s,\"started_us\":%" PRId64 ",\"ended_us\":%" PRId64 ",\"user_us\":%" PRId64
                   ",\"system_us\":%" PRId64 ",\"max_rss_bytes\":%" PRId64 "}\n",
                   WIFSIGNALED(status) ? "signal" : "exit_code", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
                   t->is_asked ? "true" : "false", t->started_us, ended_us, microseconds(usage->ru_utime),
                   microseconds(usage->ru_stime), (int64_t)usage->ru_maxrss * 1024))
      return;
    poll(NULL, 0, 1000);
  }
}

/* True when the program has ended: it is reaped, and so are those it left to us. */
static bool reap(const task *t)
{
  struct rusage usage;
  int status;
  pid_t pid;

  if (t->is_asked && has_ended(t))
    kill(-t->program, SIGKILL); /* while the number is still that of its group */
  for (pid = wait4(-1, &status, WNOHANG, &usage); pid > 0; pid = wait4(-1, &status, WNOHANG, &usage)) {
    if (pid != t->program)
      continue;
    if (t->is_asked)
      kill_descendants();
    write_end(t, status, &usage);
    return true;
  }
  return false;
}

static int until_kill_ms(const task *t)
{
  int64_t left_us = t->kill_at_us - clock_us(CLOCK_MONOTONIC);

  if (!t->kill_at_us)
    return -1;
  return left_us < 0 ? 0 : (int)(left_us / 1000 + 1);
}

static void watch(task *t, int signals)
{
  struct pollfd wanted[2] = { { signals, POLLIN, 0 },
                              { SUPERVISE_LEASH, 0, 0 } }; /* only its end matters, and /dev/null could always be read */
  struct signalfd_siginfo info;

  while (!reap(t)) {
    poll(wanted, 2, until_kill_ms(t));
    while (read(signals, &info, sizeof info) == (ssize_t)sizeof info)
      if (info.ssi_signo == SIGTERM)
        ask_to_end(t);
    if (wanted[1].revents & (POLLHUP | POLLERR)) {
      wanted[1].fd = -1;
      ask_to_end(t);
    }
    if (t->kill_at_us && until_kill_ms(t) == 0) {
      kill(-t->program, SIGKILL);
      t->kill_at_us = clock_us(CLOCK_MONOTONIC) + 1000000;
    }
  }
}

/* ---- the start ---- */

/* Waits for a look that somebody takes at the lock; whoever supervised this job before has left `started`. */
static void lock_folder(void)
{
  int fd = openat(SUPERVISE_FOLDER, "alive", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat info;

  if (fd < 0 || flock(fd, LOCK_EX) != 0)
    give_up("lock its folder");
  if (fstatat(SUPERVISE_FOLDER, "started", &info, 0) == 0) {
    errno = EEXIST;
    give_up("start it a second time");
  }
}

static int take_signals(void)
{
  sigset_t set;
  int fd;

  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGCHLD);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGHUP);
  sigprocmask(SIG_BLOCK, &set, NULL);
  fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0)
    give_up("take signals");
  return fd;
}

static int64_t number(const char *text)
{
  return strtoll(text, NULL, 10);
}

int main(int count, char **words)
{
  task t = { 0 };
  int signals;

  if (count <= SUPERVISE_WORDS)
    return 2;
  t.directory = words[1];
  t.input = words[2];
  t.grace_ms = number(words[3]);
  for (int i = 0; i < SUPERVISE_LIMITS; i++)
    t.limits[i] = number(words[4 + i]);
  t.command = words + SUPERVISE_WORDS;

  /* The caller waits for this process only: the one that goes on is nobody's child, and no SIGCHLD of the caller's. */
  if (fork() != 0)
    return 0;
  for (int fd = SUPERVISE_FOLDER; fd <= SUPERVISE_REPORT; fd++)
    fcntl(fd, F_SETFD, FD_CLOEXEC);
  syscall(SYS_close_range, SUPERVISE_REPORT + 1, ~0U, 0);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signals = take_signals();
  lock_folder();
  start(&t);
  watch(&t, signals);
  return 0;
}
