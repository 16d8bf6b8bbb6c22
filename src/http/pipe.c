/* SIGPIPE: OpenSSL writes to sockets without a word against it, and a library must neither end its process nor change its handlers. */
#include <http/internal.h>

#include <errno.h>
#include <time.h>

osdear__pipe_guard osdear__pipe_hold(bool is_needed)
{
  osdear__pipe_guard guard = { .is_held = is_needed };
  sigset_t set;

  if (!is_needed)
    return guard;
  sigpending(&set);
  guard.was_pending = sigismember(&set, SIGPIPE) == 1;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, &guard.before);
  return guard;
}

void osdear__pipe_release(const osdear__pipe_guard *guard)
{
  const struct timespec no_time = { 0, 0 };
  sigset_t set;

  if (!guard->is_held)
    return;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  if (!guard->was_pending)
    while (sigtimedwait(&set, NULL, &no_time) == -1 && errno == EINTR)
      continue;
  pthread_sigmask(SIG_SETMASK, &guard->before, NULL);
}
