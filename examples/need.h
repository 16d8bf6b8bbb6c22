/* What a small program does about a failure: it says what went wrong and ends. */
#ifndef OSDEAR_EXAMPLES_NEED_H
#define OSDEAR_EXAMPLES_NEED_H

#include <osdear.h>

#include <stdio.h>
#include <stdlib.h>

static inline void give_up(const osdear_error *error)
{
  fprintf(stderr, "%s: %s\n", osdear_status_name(osdear_error_status(error)), osdear_error_message(error));
  exit(1);
}

/* Does nothing for OSDEAR_OK. Takes the error's address: the call that fills it in is an argument too, and which comes first is open. */
static inline void need(osdear_status status, osdear_error *const *error)
{
  if (status)
    give_up(*error);
}

/* The same for a stream whose rows have been read: did they end, or fail? */
static inline void need_rows(const struct ArrowArrayStream *rows)
{
  if (osdear_stream_error(rows))
    give_up(osdear_stream_error(rows));
}

/* Says how a program is called, and ends it. */
static inline void usage(const char *text)
{
  fprintf(stderr, "usage: %s\n", text);
  exit(2);
}

#endif
