/* What bodies share: fixtures to start from, and reading a stream to its end. */
#ifndef OSDEAR_TESTS_FAULT_BODIES_H
#define OSDEAR_TESTS_FAULT_BODIES_H

#include "../support/fault.h"
#include "../support/rows.h"

#define BEFORE_ROWS 7 /* rows in the table that prepare_table() makes */

void prepare_context(fault_fixture *fixture);  /* a context with one thread */
void prepare_table(fault_fixture *fixture);    /* a table partitioned by day, with rows, opened */
void prepare_snapshot(fault_fixture *fixture); /* its snapshot, too */
void prepare_scan(fault_fixture *fixture);     /* and a scan of it */

/* Reads the stream to its end and releases it. Its failure becomes the call's. */
osdear_status drain(struct ArrowArrayStream *stream, int64_t expected_rows, osdear_error **error);

/* A table read anew has just so many rows, and its folder no file that no version ever named. */
int64_t table_rows(const fault_fixture *fixture);
void expect_table(const fault_fixture *fixture, int64_t rows);

#endif
