#include "victim.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_PIECES = 3, FIRST_PACE_US = 10000 };

static int64_t now_us(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void victim_tell(int tell, int64_t number)
{
  if (write(tell, &number, sizeof number) != (ssize_t)sizeof number)
    _exit(1);
}

int victim_kill(victim_work work, void (*heard)(void *argument, int64_t number), void *argument)
{
  static int64_t pace_us = FIRST_PACE_US; /* of the newest piece that was waited for */
  int64_t number, before = now_us();
  int tell[2], status = 0;
  pid_t child;

  if (pipe(tell) != 0)
    abort();
  child = fork();
  if (child < 0)
    abort();
  if (child == 0)
    work(argument, tell[1]);
  close(tell[1]);
  for (long pieces = random() % MOST_PIECES; pieces > 0; pieces--, before = now_us()) {
    if (read(tell[0], &number, sizeof number) != (ssize_t)sizeof number)
      break;
    heard(argument, number);
    pace_us = now_us() - before;
  }
  usleep((useconds_t)(random() % (2 * pace_us + 1)));
  kill(child, SIGKILL);
  if (waitpid(child, &status, 0) != child)
    abort();
  while (read(tell[0], &number, sizeof number) == (ssize_t)sizeof number)
    heard(argument, number);
  close(tell[0]);
  return status;
}
