/* Settings and resources that calls share. */
#include <base/context.h>

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define DEFAULT_BUDGET (INT64_C(256) << 20)
#define MOST_THREADS 1024
#define PROGRESS_INTERVAL_US 200000

struct osdear_context {
  _Atomic int64_t references;
  osdear_context_options options; /* with defaults filled in; holds a reference to `cancel` */
  osdear__pool *pool;
  _Atomic int64_t last_progress_us;
};

static osdear_status check_options(const osdear_context_options *options, osdear_error **error)
{
  if (options->memory_budget_bytes < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a memory budget of %" PRId64 " bytes: give 0 for the default or more",
                        options->memory_budget_bytes);
  if (options->threads < 0 || options->threads > MOST_THREADS)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%" PRId32 " threads: 0 for one a processor, at most %d", options->threads,
                        MOST_THREADS);
  return OSDEAR_OK;
}

/* Takes over one reference to `pool`. */
static osdear_status make(const osdear_context_options *options, osdear__pool *pool, osdear_context **out, osdear_error **error)
{
  osdear_context *context = osdear__alloc_zeroed(1, sizeof *context);

  if (!context) {
    osdear__pool_unref(pool);
    return osdear__fail_memory(error);
  }
  atomic_init(&context->references, 1);
  context->options = *options;
  context->pool = pool;
  osdear_cancel_ref(context->options.cancel);
  *out = context;
  return OSDEAR_OK;
}

static int32_t processor_count(void)
{
  long count = sysconf(_SC_NPROCESSORS_ONLN);

  return count < 1 ? 1 : count > MOST_THREADS ? MOST_THREADS : (int32_t)count;
}

osdear_status osdear_context_new(const osdear_context_options *options, osdear_context **out, osdear_error **error)
{
  osdear_context_options known = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear__pool *pool;
  osdear_status st;

  if (!out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "out must not be NULL");
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  st = check_options(&known, error);
  if (st)
    return st;
  if (known.memory_budget_bytes == 0)
    known.memory_budget_bytes = DEFAULT_BUDGET;
  if (known.threads == 0)
    known.threads = processor_count();
  st = osdear__pool_new(known.threads, &pool, error);
  if (st)
    return st;
  return make(&known, pool, out, error);
}

osdear_status osdear_context_fork(osdear_context *parent, const osdear_context_options *options, osdear_context **out,
                                  osdear_error **error)
{
  osdear_context_options known;
  osdear_status st;

  if (!parent || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "parent and out must not be NULL");
  known = parent->options;
  known.cancel = NULL;
  known.memory_budget_bytes = 0;
  known.threads = 0;
  st = osdear__options_read(&known, sizeof known, options, error);
  if (st)
    return st;
  if (known.memory_budget_bytes != 0 || known.threads != 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a forked context has its parent's budget and threads: leave both 0");
  known.memory_budget_bytes = parent->options.memory_budget_bytes;
  known.threads = parent->options.threads;
  return make(&known, osdear__pool_ref(parent->pool), out, error);
}

osdear_context *osdear_context_ref(osdear_context *context)
{
  if (context)
    atomic_fetch_add(&context->references, 1);
  return context;
}

void osdear_context_unref(osdear_context *context)
{
  if (!context || atomic_fetch_sub(&context->references, 1) > 1)
    return;
  osdear__pool_unref(context->pool);
  osdear_cancel_unref(context->options.cancel);
  osdear__free(context);
}

int64_t osdear__context_budget(const osdear_context *context)
{
  return context ? context->options.memory_budget_bytes : DEFAULT_BUDGET;
}

int32_t osdear__context_threads(const osdear_context *context)
{
  return osdear__pool_threads(context->pool);
}

osdear_status osdear__context_check(const osdear_context *context, osdear_error **error)
{
  return context ? osdear__cancel_check(context->options.cancel, error) : OSDEAR_OK;
}

void osdear__context_progress(osdear_context *context, const char *step, int64_t done, int64_t total)
{
  int64_t now, last;

  if (!context->options.progress)
    return;
  now = osdear__monotonic_us();
  last = atomic_load(&context->last_progress_us);
  if (done != total &&
      (now - last < PROGRESS_INTERVAL_US || !atomic_compare_exchange_strong(&context->last_progress_us, &last, now)))
    return;
  context->options.progress(context->options.progress_argument, step, done, total);
}

void osdear__log(const osdear_context *context, osdear_log_level level, const char *component, const char *format, ...)
{
  char line[1024];
  va_list arguments;

  if (!context || !context->options.log || level < context->options.log_level)
    return;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  osdear__make_showable(line);
  context->options.log(context->options.log_argument, level, component, line);
}

osdear_status osdear__context_submit(osdear_context *context, osdear__work work, void *argument, osdear_error **error)
{
  return osdear__pool_submit(context->pool, work, argument, error);
}

osdear_status osdear__sleep(const osdear_context *context, int64_t us, osdear_error **error)
{
  const int64_t slice = 50000;

  while (us > 0) {
    osdear_status st = osdear__context_check(context, error);
    if (st)
      return st;
    osdear__the_world->sleep_us(us < slice ? us : slice);
    us -= slice;
  }
  return osdear__context_check(context, error);
}
