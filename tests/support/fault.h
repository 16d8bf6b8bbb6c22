/* One driver for every call that can fail: it replays a body with the n-th allocation failing, once and from then on, for every
 * n until none is left to fail; the same for reads, writes and a full disk; and with reads and writes that move one byte.
 * After each replay no memory may be held that was not held before, and what the body guards must be as it was, or as it
 * should be after success. */
#ifndef OSDEAR_TESTS_FAULT_H
#define OSDEAR_TESTS_FAULT_H

#include <osdear.h>

/* What a body works on. Whatever it leaves here is released for it. */
typedef struct fault_fixture {
  char folder[128]; /* empty and its own; removed afterwards */
  char table_uri[160];
  char file[160];
  char fault[64]; /* what is made to fail, for messages */
  osdear_context *context;
  osdear_table *table;
  osdear_snapshot *snapshot;
  osdear_scan *scan;
  osdear_source *source;
  osdear_transaction *transaction;
  osdear_runner *runner;
  osdear_job *job;
  osdear_engine *engine;
  osdear_container *container;
  osdear_stack *stack;
  osdear_engine_stream *stream;
} fault_fixture;

typedef struct fault_body {
  const char *function;                    /* the public call it is about */
  void (*prepare)(fault_fixture *fixture); /* what must stand before; nothing fails here */
  osdear_status (*run)(fault_fixture *fixture, osdear_error **error);
  void (*check)(fault_fixture *fixture, osdear_status status); /* looks at what is there afterwards; optional */
  int changes_state;                                           /* 1: prepared anew for each replay */
} fault_body;

void fault_replay(const fault_body *body);
void fault_replay_allocations(
    const fault_body *body); /* allocations only: what a body waits for may never come without the rest */

/* A test by the name of the call. tests/style looks for this word followed by every public call that can fail. */
#define BODY(function_, ...)                                        \
  Test(fault, function_, .timeout = 600)                            \
  {                                                                 \
    static const fault_body replayed = { #function_, __VA_ARGS__ }; \
    fault_replay(&replayed);                                        \
  }

/* A further one of the same call, on another way. */
#define BODY_OF_WAY(function_, way_, ...)                           \
  Test(fault, function_##_##way_, .timeout = 600)                   \
  {                                                                 \
    static const fault_body replayed = { #function_, __VA_ARGS__ }; \
    fault_replay(&replayed);                                        \
  }

#endif
