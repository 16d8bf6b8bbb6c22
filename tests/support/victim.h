/** @file victim.h For tests of what a kill leaves behind: a child that works and tells, and is killed at a random moment. */
#ifndef OSDEAR_TESTS_SUPPORT_VICTIM_H
#define OSDEAR_TESTS_SUPPORT_VICTIM_H

#include <stdint.h>

/* Work that never returns. Each piece that is done is told by its number. */
typedef void (*victim_work)(void *argument, int tell);
void victim_tell(int tell, int64_t number);

/* Lets `work` run in a child and kills it: after none, one or two pieces and a random part of the time that pieces take, so that a busy
 * machine is struck at the same places as an idle one. `heard` is called for every number that was told. Returns what waitpid() gave. */
int victim_kill(victim_work work, void (*heard)(void *argument, int64_t number), void *argument);

#endif
