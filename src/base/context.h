/** @file context.h What the parts of a context know of each other. Only for src/base. */
#ifndef OSDEAR_SRC_BASE_CONTEXT_H
#define OSDEAR_SRC_BASE_CONTEXT_H

#include <base/base.h>

/* Worker threads and the settings that forked contexts share. Counted by reference. */
typedef struct osdear__pool osdear__pool;
MUST_USE osdear_status osdear__pool_new(int32_t threads, osdear__pool **out, osdear_error **error);
osdear__pool *osdear__pool_ref(osdear__pool *pool);
void osdear__pool_unref(osdear__pool *pool); /* the last one lets queued work run, then joins the workers */
MUST_USE osdear_status osdear__pool_submit(osdear__pool *pool, osdear__work work, void *argument, osdear_error **error);
int32_t osdear__pool_threads(const osdear__pool *pool);

MUST_USE osdear_status osdear__cancel_check(const osdear_cancel *cancel, osdear_error **error);

#endif
