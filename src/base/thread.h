/** @file thread.h Threads of our own. */
#ifndef OSDEAR_SRC_BASE_THREAD_H
#define OSDEAR_SRC_BASE_THREAD_H

#include <pthread.h>

/* As pthread_create(); signals belong to the host program, and the thread takes none. Returns an errno, 0 for success. */
int osdear__thread_start(pthread_t *out, void *(*run)(void *), void *argument);

#endif
