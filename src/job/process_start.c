/* Starting a local program under its supervisor, and ending it. */
#include <base/spawn.h>
#include <job/process.h>
#include <job/supervise/supervise.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { DEFAULT_GRACE_MS = 10000, SLICE_MS = 100, CLEAN_UP_MS = 2000 };

/* What is handed to the supervisor. */
typedef struct hand {
  int program, folder, leash, report, nothing;
  int report_end; /* ours */
} hand;

static void hand_close(hand *h)
{
  int *all[] = { &h->program, &h->folder, &h->leash, &h->report, &h->nothing, &h->report_end };

  for (size_t i = 0; i < COUNT_OF(all); i++) {
    if (*all[i] >= 0)
      close(*all[i]);
    *all[i] = -1;
  }
}

/* ---- the supervisor's own file: memory ---- */

/* Its descriptor is above those that it is started with: by its number it is found. */
static osdear_status open_program(int *out, osdear_error **error)
{
  int low = memfd_create("osdear-supervise", MFD_CLOEXEC), fd = low < 0 ? -1 : fcntl(low, F_DUPFD_CLOEXEC, SPAWN_MOST_FDS);
  int number = errno;
  size_t done = 0;

  if (low >= 0)
    close(low);
  errno = number;
  *out = fd;
  while (fd >= 0 && done < osdear__supervise_size) {
    ssize_t put = write(fd, osdear__supervise_program + done, osdear__supervise_size - done);
    if (put < 0 && errno != EINTR)
      break;
    done += put > 0 ? (size_t)put : 0;
  }
  if (fd < 0 || done < osdear__supervise_size)
    return osdear__fail_errno(error, errno, "cannot make the supervisor's file in memory");
  return OSDEAR_OK;
}

/* ---- descriptors ---- */

static osdear_status open_leash(osdear_runner *runner, const osdear__json *spec, hand *h, osdear_error **error)
{
  osdear__process_runner *own = runner->own;
  int ends[2];

  if (!osdear__json_flag(spec, "attached", false))
    return OSDEAR_OK; /* /dev/null never hangs up */
  if (own->leash < 0) {
    if (pipe2(ends, O_CLOEXEC) != 0)
      return osdear__fail_errno(error, errno, "cannot make a pipe");
    own->leash_end = ends[0];
    own->leash = ends[1];
  }
  close(h->leash);
  h->leash = fcntl(own->leash_end, F_DUPFD_CLOEXEC, 0);
  return h->leash < 0 ? osdear__fail_errno(error, errno, "cannot hand a pipe over") : OSDEAR_OK;
}

static osdear_status hand_open(osdear_runner *runner, const osdear__submission *submission, hand *h, osdear_error **error)
{
  int ends[2] = { -1, -1 };
  osdear_status st = open_program(&h->program, error);

  if (st)
    return st;
  h->folder = open(submission->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (h->folder < 0)
    return osdear__fail_errno(error, errno, "cannot open \"%s\"", submission->folder);
  h->nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
  h->leash = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (h->nothing < 0 || h->leash < 0)
    return osdear__fail_errno(error, errno, "cannot open /dev/null");
  if (pipe2(ends, O_CLOEXEC) != 0)
    return osdear__fail_errno(error, errno, "cannot make a pipe");
  h->report = ends[1];
  h->report_end = ends[0];
  return open_leash(runner, submission->spec, h, error);
}

/* ---- words for the supervisor ---- */

static char *number(osdear__arena *arena, int64_t value)
{
  return osdear__arena_printf(arena, "%" PRId64, value);
}

static osdear_status make_words(const osdear__json *spec, char *const *command, osdear__arena *arena, char ***out,
                                osdear_error **error)
{
  static const char *const limit_names[SUPERVISE_LIMITS] = { "memory_bytes", "cpu_seconds", "file_bytes", "open_files",
                                                             "processes" };
  const osdear__json *limits = osdear__json_get(spec, "limits");
  const char *directory = osdear__json_text(spec, "directory"), *input = osdear__json_text(spec, "input");
  size_t count = 0;
  char **words;

  while (command[count])
    count++;
  words = osdear__arena_zeroed(arena, SUPERVISE_WORDS + count + 1, sizeof *words);
  if (!words)
    return osdear__fail_memory(error);
  words[0] = osdear__arena_strdup(arena, "osdear-supervise");
  words[1] = osdear__arena_strdup(arena, directory ? directory : "");
  words[2] = osdear__arena_strdup(arena, input ? input : "/dev/null");
  words[3] = number(arena, osdear__json_int(spec, "grace_ms", DEFAULT_GRACE_MS));
  for (int i = 0; i < SUPERVISE_LIMITS; i++)
    words[4 + i] = number(arena, osdear__json_int(limits, limit_names[i], -1));
  for (size_t i = 0; i < SUPERVISE_WORDS; i++)
    if (!words[i])
      return osdear__fail_memory(error);
  memcpy(words + SUPERVISE_WORDS, command, count * sizeof *words);
  *out = words;
  return OSDEAR_OK;
}

/* ---- starting ---- */

static int spawn(const hand *h, char **words, char **environment)
{
  char path[40];
  const osdear__spawn_options options = {
    .program = path,
    .words = (const char *const *)words,
    .environment = environment,
    .fds = { h->nothing, h->nothing, h->nothing, h->folder, h->leash, h->report },
    .fd_count = 6,
    .has_session = true,
  };
  pid_t pid;
  int failed;

  snprintf(path, sizeof path, "/proc/self/fd/%d", h->program);
  failed = osdear__spawn(&options, &pid);
  /* It leaves a supervisor behind and ends at once. A caller that reaps all its children may be quicker: that is as good. */
  while (!failed && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
    continue;
  return failed;
}

/* How it went: *number 0 when the program runs. */
static osdear_status hear(const osdear_context *context, int fd, struct supervise_report *out, osdear_error **error)
{
  struct pollfd wanted = { fd, POLLIN, 0 };
  ssize_t got;

  memset(out, 0, sizeof *out);
  while (poll(&wanted, 1, SLICE_MS) <= 0) {
    osdear_status st = osdear__context_check(context, error);
    if (st)
      return st;
  }
  do
    got = read(fd, out, sizeof *out);
  while (got < 0 && errno == EINTR);
  out->step[sizeof out->step - 1] = '\0';
  if (got != 0 && got != (ssize_t)sizeof *out)
    return osdear__fail(error, OSDEAR_ERR_INTERNAL, "the supervisor's report is cut");
  return OSDEAR_OK;
}

/* After a start that failed: waits for the supervisor to go, and takes its files away. */
static void clean_up(const char *folder)
{
  static const char *const names[] = { "alive", "started", "ended", "stdout", "stderr", "new" };
  bool is_alive = true;
  int fd;

  for (int waited = 0; waited < CLEAN_UP_MS && is_alive; waited += 5) {
    if (osdear__process_is_alive(folder, &is_alive, NULL))
      return;
    if (is_alive)
      osdear__the_world->sleep_us(5000);
  }
  fd = is_alive ? -1 : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  for (size_t i = 0; i < COUNT_OF(names); i++)
    unlinkat(fd, names[i], 0);
  close(fd);
}

static osdear_status start(osdear_runner *runner, const osdear__submission *submission, hand *h, osdear__send_outcome *outcome,
                           osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__process_command command;
  struct supervise_report report;
  char **words;
  int failed;
  osdear_status st = osdear__process_command_make(runner, submission->spec, &arena, &command, error);

  if (!st)
    st = make_words(submission->spec, command.words, &arena, &words, error);
  if (!st)
    st = hand_open(runner, submission, h, error);
  if (st)
    return st;
  failed = spawn(h, words, command.environment);
  if (failed)
    return osdear__fail_errno(error, failed, "cannot run the supervisor from memory");
  close(h->report);
  h->report = -1;
  *outcome = SEND_UNKNOWN;
  st = hear(runner->context, h->report_end, &report, error);
  if (st || report.number == 0)
    return st;
  *outcome = SEND_REFUSED;
  clean_up(submission->folder);
  return osdear__fail_errno(error, report.number, "cannot start the program: %s", report.step);
}

osdear_status osdear__process_start(osdear_runner *runner, const osdear__submission *submission, osdear__send_outcome *outcome,
                                    osdear_error **error)
{
  hand h = { -1, -1, -1, -1, -1, -1 };
  osdear_status st;

  *outcome = SEND_REFUSED;
  st = start(runner, submission, &h, outcome, error);
  hand_close(&h);
  return st;
}

/* ---- ending ---- */

osdear_status osdear__process_end(const char *folder, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  SCOPED(buf) text = { 0 };
  osdear__json *started;
  bool is_there, is_alive;
  int64_t pid;
  int fd;
  osdear_status st = osdear__process_is_alive(folder, &is_alive, error);

  if (st || !is_alive)
    return st;
  st = osdear__small_file_read(folder, "started", &text, &is_there, error);
  if (!st && !is_there)
    st = osdear__fail(error, OSDEAR_ERR_UNAVAILABLE, "the job in \"%s\" is only about to start", folder);
  if (!st)
    st = osdear__json_read((osdear__str){ text.data, text.size }, folder, &arena, &started, error);
  if (st)
    return st;
  pid = osdear__json_int(started, "supervisor", 0);
  if (pid < 2 || pid > INT32_MAX)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "\"%s/started\" names no process", folder);
  fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
  /* The number may be another's by now, unless the supervisor still lives that wrote it down. */
  st = osdear__process_is_alive(folder, &is_alive, error);
  if (!st && is_alive && (fd < 0 || syscall(SYS_pidfd_send_signal, fd, SIGTERM, NULL, 0) != 0))
    st = osdear__fail_errno(error, errno, "cannot signal the supervisor of the job in \"%s\"", folder);
  if (fd >= 0)
    close(fd);
  return st;
}
