/** @file folder.h A test's own folder below /tmp, which goes with the test. */
#ifndef OSDEAR_TESTS_SUPPORT_FOLDER_H
#define OSDEAR_TESTS_SUPPORT_FOLDER_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

#define FOLDER_ROOM 48

/* "/tmp/osdear-NAME-…", made. Ends the process where there is none to be had. */
static inline void folder_make(const char *name, char out[FOLDER_ROOM])
{
  snprintf(out, FOLDER_ROOM, "/tmp/osdear-%s-XXXXXX", name);
  if (!mkdtemp(out)) {
    perror(out);
    abort();
  }
}

static inline int folder_remove_entry(const char *path, const struct stat *info, int kind, struct FTW *walk)
{
  (void)info, (void)kind, (void)walk;
  return remove(path);
}

/* With all that is in it. */
static inline void folder_remove(const char *path)
{
  nftw(path, folder_remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
