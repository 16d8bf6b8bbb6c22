#include <parquet/writer_jobs.h>

#include <pthread.h>

/* Shared with the helpers, some of which may start only after all is done: they find it closed and leave. */
typedef struct crew {
  pthread_mutex_t lock;
  pthread_cond_t idle;
  size_t references;
  size_t working; /* helpers */
  size_t next_thread;
  bool closed;

  osdear__pq_job job;
  void *context;
  size_t next_item;
  size_t items;
  size_t failed_item;
  osdear_status status;
  osdear_error *error;
} crew;

static void crew_unref(crew *shared)
{
  bool last;

  pthread_mutex_lock(&shared->lock);
  last = --shared->references == 0;
  pthread_mutex_unlock(&shared->lock);
  if (!last)
    return;
  pthread_cond_destroy(&shared->idle);
  pthread_mutex_destroy(&shared->lock);
  osdear_error_free(shared->error);
  osdear__free(shared);
}

/* Called with the lock held, as is all that follows but the job itself. */
static void note_failure(crew *shared, size_t item, osdear_status status, osdear_error *error)
{
  if (shared->status && shared->failed_item < item) {
    osdear_error_free(error);
    return;
  }
  osdear_error_free(shared->error);
  shared->status = status;
  shared->error = error;
  shared->failed_item = item;
}

/* Items before a failed one are still done: one of them may fail too, and then counts. */
static bool take_item(crew *shared, size_t *item)
{
  if (shared->next_item >= shared->items || shared->status)
    return false;
  *item = shared->next_item++;
  return true;
}

static void work_off(crew *shared, size_t thread)
{
  size_t item = 0;

  while (take_item(shared, &item)) {
    osdear_error *error = NULL;
    osdear_status st;
    pthread_mutex_unlock(&shared->lock);
    st = shared->job(shared->context, item, thread, &error);
    pthread_mutex_lock(&shared->lock);
    if (st)
      note_failure(shared, item, st, error);
  }
}

static void help(void *argument)
{
  crew *shared = argument;

  pthread_mutex_lock(&shared->lock);
  if (!shared->closed) {
    shared->working++;
    work_off(shared, shared->next_thread++);
    shared->working--;
    pthread_cond_signal(&shared->idle);
  }
  pthread_mutex_unlock(&shared->lock);
  crew_unref(shared);
}

static osdear_status run_alone(osdear__pq_job job, void *context, size_t items, osdear_error **error)
{
  for (size_t i = 0; i < items; i++) {
    osdear_status st = job(context, i, 0, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static crew *crew_new(osdear__pq_job job, void *context, size_t items)
{
  crew *shared = osdear__alloc_zeroed(1, sizeof *shared);

  if (!shared)
    return NULL;
  if (pthread_mutex_init(&shared->lock, NULL) != 0) {
    osdear__free(shared);
    return NULL;
  }
  if (pthread_cond_init(&shared->idle, NULL) != 0) {
    pthread_mutex_destroy(&shared->lock);
    osdear__free(shared);
    return NULL;
  }
  shared->references = 1;
  shared->next_thread = 1; /* 0 is the caller */
  shared->job = job;
  shared->context = context;
  shared->items = items;
  return shared;
}

/* Helpers are a gain, not a need: whoever cannot be had is done without. */
static void call_helpers(osdear_context *pool, crew *shared, size_t count)
{
  for (size_t i = 0; i < count; i++) {
    osdear_status st;
    shared->references++;
    pthread_mutex_unlock(&shared->lock);
    st = osdear__context_submit(pool, help, shared, NULL);
    pthread_mutex_lock(&shared->lock);
    if (st) {
      shared->references--;
      return;
    }
  }
}

osdear_status osdear__pq_jobs_run(osdear_context *pool, osdear__pq_job job, void *context, size_t items, size_t threads,
                                  osdear_error **error)
{
  size_t workers = threads < items ? threads : items;
  crew *shared = workers > 1 ? crew_new(job, context, items) : NULL;
  osdear_status st;

  if (!shared)
    return run_alone(job, context, items, error);
  pthread_mutex_lock(&shared->lock);
  call_helpers(pool, shared, workers - 1);
  work_off(shared, 0);
  shared->closed = true;
  while (shared->working > 0)
    pthread_cond_wait(&shared->idle, &shared->lock);
  st = shared->status;
  if (st && error) {
    *error = shared->error;
    shared->error = NULL;
  }
  pthread_mutex_unlock(&shared->lock);
  crew_unref(shared);
  return st;
}
