/* Threads of our own. */
#include <base/thread.h>

#include <signal.h>

int osdear__thread_start(pthread_t *out, void *(*run)(void *), void *argument)
{
  sigset_t all, before;
  int failed;

  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  failed = pthread_create(out, NULL, run, argument);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failed;
}
