/* A container engine in a thread, for what a real one cannot be asked for: to answer just so, thousands of times, within a test that makes
 * memory run out. It knows one container and one stack, and answers from a table; tests/containers has the real engines. */
#ifndef OSDEAR_TESTS_ENGINE_STANDIN_H
#define OSDEAR_TESTS_ENGINE_STANDIN_H

#include <pthread.h>

#define STANDIN_ID "c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00"

typedef struct engine_standin {
  char address[128];  /* unix:///… */
  char portainer[64]; /* portainer+http://…: the same engine through Portainer, which has a stack `shop` */
  char socket[108];
  int listener, portainer_listener;
  int stopping[2];
  pthread_t thread;
} engine_standin;

/* Its socket lies in `folder`. Fails the test when it cannot start. */
void engine_standin_start(engine_standin *standin, const char *folder);
void engine_standin_stop(engine_standin *standin);

#endif
