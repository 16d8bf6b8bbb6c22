/** @file supervise.h What the library and osdear-supervise agree on: descriptors, and the order of words. */
#ifndef OSDEAR_SRC_JOB_SUPERVISE_H
#define OSDEAR_SRC_JOB_SUPERVISE_H

#include <stdint.h>

enum { SUPERVISE_FOLDER = 3, SUPERVISE_LEASH = 4, SUPERVISE_REPORT = 5 };
/* Limits, each -1 for none. */
enum { SUPERVISE_MEMORY, SUPERVISE_CPU, SUPERVISE_FILE, SUPERVISE_OPEN_FILES, SUPERVISE_PROCESSES, SUPERVISE_LIMITS };
/* Words: its own name, directory ("": the caller's), input, grace in ms, the limits, and then the command. */
enum { SUPERVISE_WORDS = 4 + SUPERVISE_LIMITS };

/* What failed; nothing is written when nothing did: the pipe just closes. */
struct supervise_report {
  int32_t number; /* errno */
  char step[60];
};

#endif
