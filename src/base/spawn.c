/* Programs beside this one. posix_spawn() copies no address space and heeds no other thread; its calls return their errno. */
#include <base/spawn.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <unistd.h>

extern char **environ;

/* A descriptor that stands where another is to go is moved out of the way. */
static int make_way(const osdear__spawn_options *options, int fds[SPAWN_MOST_FDS])
{
  for (size_t i = 0; i < options->fd_count; i++) {
    bool is_in_the_way = options->fds[i] >= 0 && (size_t)options->fds[i] < options->fd_count;

    fds[i] = is_in_the_way ? fcntl(options->fds[i], F_DUPFD_CLOEXEC, SPAWN_MOST_FDS) : options->fds[i];
    if (is_in_the_way && fds[i] < 0)
      return errno;
  }
  return 0;
}

static void close_moved(const osdear__spawn_options *options, const int fds[SPAWN_MOST_FDS])
{
  for (size_t i = 0; i < options->fd_count; i++)
    if (fds[i] >= 0 && fds[i] != options->fds[i])
      close(fds[i]);
}

static int set_attributes(const osdear__spawn_options *options, posix_spawnattr_t *attributes)
{
  short flags = (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | (options->has_session ? POSIX_SPAWN_SETSID : 0));
  sigset_t all, none;
  int failed = posix_spawnattr_setflags(attributes, flags);

  sigfillset(&all);
  sigemptyset(&none);
  if (!failed)
    failed = posix_spawnattr_setsigdefault(attributes, &all);
  return failed ? failed : posix_spawnattr_setsigmask(attributes, &none);
}

static int start(const osdear__spawn_options *options, const int fds[SPAWN_MOST_FDS], pid_t *out)
{
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  int failed = posix_spawn_file_actions_init(&actions);

  if (failed)
    return failed;
  failed = posix_spawnattr_init(&attributes);
  if (!failed) {
    failed = set_attributes(options, &attributes);
    for (size_t i = 0; !failed && i < options->fd_count; i++)
      if (fds[i] >= 0)
        failed = posix_spawn_file_actions_adddup2(&actions, fds[i], (int)i);
    if (!failed)
      failed = posix_spawnp(out, options->program, &actions, &attributes, (char *const *)(uintptr_t)options->words,
                            options->environment ? options->environment : environ);
    posix_spawnattr_destroy(&attributes);
  }
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

int osdear__spawn(const osdear__spawn_options *options, pid_t *out)
{
  int fds[SPAWN_MOST_FDS] = { -1, -1, -1, -1, -1, -1 };
  int failed = make_way(options, fds);

  if (!failed)
    failed = start(options, fds, out);
  close_moved(options, fds);
  return failed;
}
