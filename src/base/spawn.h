/** @file spawn.h Programs beside this one. */
#ifndef OSDEAR_SRC_BASE_SPAWN_H
#define OSDEAR_SRC_BASE_SPAWN_H

#include <base/base.h>

#include <sys/types.h>

#define SPAWN_MOST_FDS 6

typedef struct osdear__spawn_options {
  const char *program;      /* looked for along PATH when it has no slash */
  const char *const *words; /* ends with NULL */
  char **environment;       /* NULL: ours */
  int fds[SPAWN_MOST_FDS];  /* its descriptors from 0 on; -1: it has the one that is ours */
  size_t fd_count;
  bool has_session; /* its own: what a terminal sends to this process does not reach it, and its number is that of its group */
} osdear__spawn_options;

/* Starts it without copying this process. No signal is blocked or ignored in it, whatever thread starts it. Returns an errno, 0 for success. */
int osdear__spawn(const osdear__spawn_options *options, pid_t *out);

#endif
