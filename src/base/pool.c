/* Worker threads that start with the first work and take it in the order it came. */
#include <base/context.h>
#include <base/thread.h>

#include <stdatomic.h>

typedef struct task {
  struct task *next;
  osdear__work work;
  void *argument;
} task;

struct osdear__pool {
  _Atomic int64_t references;
  pthread_mutex_t lock;
  pthread_cond_t has_work;
  task *first, **last;
  int32_t threads; /* wanted; 1 means none besides the caller's */
  int32_t started;
  int32_t idle;
  bool is_closing;
  pthread_t workers[];
};

osdear_status osdear__pool_new(int32_t threads, osdear__pool **out, osdear_error **error)
{
  osdear__pool *pool = osdear__alloc_zeroed(1, sizeof *pool + (size_t)threads * sizeof pool->workers[0]);

  if (!pool)
    return osdear__fail_memory(error);
  atomic_init(&pool->references, 1);
  pool->last = &pool->first;
  pool->threads = threads;
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->has_work, NULL);
  *out = pool;
  return OSDEAR_OK;
}

osdear__pool *osdear__pool_ref(osdear__pool *pool)
{
  atomic_fetch_add(&pool->references, 1);
  return pool;
}

int32_t osdear__pool_threads(const osdear__pool *pool)
{
  return pool->threads;
}

/* With the lock held: the next task, or NULL when the pool closes and nothing is left. */
static task *wait_for_task(osdear__pool *pool)
{
  task *next;

  while (!pool->first && !pool->is_closing) {
    pool->idle++;
    pthread_cond_wait(&pool->has_work, &pool->lock);
    pool->idle--;
  }
  next = pool->first;
  if (next) {
    pool->first = next->next;
    if (!pool->first)
      pool->last = &pool->first;
  }
  return next;
}

static void *run_worker(void *argument)
{
  osdear__pool *pool = argument;
  task *next;

  pthread_mutex_lock(&pool->lock);
  for (next = wait_for_task(pool); next; next = wait_for_task(pool)) {
    pthread_mutex_unlock(&pool->lock);
    next->work(next->argument);
    osdear__free(next);
    pthread_mutex_lock(&pool->lock);
  }
  pthread_mutex_unlock(&pool->lock);
  return NULL;
}

static int start_worker(osdear__pool *pool)
{
  int failed = osdear__thread_start(&pool->workers[pool->started], run_worker, pool);

  if (!failed)
    pool->started++;
  return failed;
}

osdear_status osdear__pool_submit(osdear__pool *pool, osdear__work work, void *argument, osdear_error **error)
{
  task *added;
  int failed = 0;

  if (pool->threads <= 1)
    return osdear__fail(error, OSDEAR_ERR_STATE, "this context has no worker threads");
  added = osdear__alloc(sizeof *added);
  if (!added)
    return osdear__fail_memory(error);
  *added = (task){ NULL, work, argument };
  pthread_mutex_lock(&pool->lock);
  if (pool->idle == 0 && pool->started < pool->threads)
    failed = start_worker(pool);
  if (failed && pool->started == 0) {
    pthread_mutex_unlock(&pool->lock);
    osdear__free(added);
    return osdear__fail_errno(error, failed, "cannot start a worker thread");
  }
  *pool->last = added;
  pool->last = &added->next;
  pthread_cond_signal(&pool->has_work);
  pthread_mutex_unlock(&pool->lock);
  return OSDEAR_OK;
}

void osdear__pool_unref(osdear__pool *pool)
{
  if (!pool || atomic_fetch_sub(&pool->references, 1) > 1)
    return;
  pthread_mutex_lock(&pool->lock);
  pool->is_closing = true;
  pthread_cond_broadcast(&pool->has_work);
  pthread_mutex_unlock(&pool->lock);
  for (int32_t i = 0; i < pool->started; i++)
    pthread_join(pool->workers[i], NULL);
  pthread_cond_destroy(&pool->has_work);
  pthread_mutex_destroy(&pool->lock);
  osdear__free(pool);
}
