/** @file writer_jobs.h The same work on each of a number of columns, by several threads where there are some. */
#ifndef OSDEAR_SRC_PARQUET_WRITER_JOBS_H
#define OSDEAR_SRC_PARQUET_WRITER_JOBS_H

#include <base/base.h>

/* `thread` is below the number of threads asked for, and no two calls at the same time have the same. */
typedef osdear_status (*osdear__pq_job)(void *context, size_t item, size_t thread, osdear_error **error);

/* Returns when all is done; of several failures that of the first item counts, so that it does not depend on chance. */
MUST_USE osdear_status osdear__pq_jobs_run(osdear_context *pool, osdear__pq_job job, void *context, size_t items, size_t threads,
                                           osdear_error **error);

#endif
