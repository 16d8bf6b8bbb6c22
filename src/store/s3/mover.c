/** @file mover.c A bucket's own thread: it fetches what was ordered while who ordered it decodes what came before. */
#include <store/s3/internal.h>
#include <store/s3/range.h>

#include <base/thread.h>
#include <unistd.h>

enum { MOST_RUNNING = 16 };

struct osdear__s3_mover {
  osdear__http_loop *loop; /* the thread's alone, but for waking it */
  pthread_t thread;
  pid_t process;        /* that has the thread: a fork has none */
  pthread_mutex_t lock; /* of what follows, and of all orders' states */
  pthread_cond_t has_work, has_ended;
  osdear__s3_order *first, **last; /* neither ended nor dropped */
  bool is_closing;
};

/* ---- the thread; with the lock held where nothing else is said ---- */

static void end(osdear__s3_mover *self, osdear__s3_order *order, osdear_status status)
{
  osdear__s3_order **at = &self->first;

  while (*at != order)
    at = &(*at)->next;
  *at = order->next;
  if (!*at)
    self->last = at;
  order->failed = status;
  order->state = ORDER_ENDED;
  pthread_cond_broadcast(&self->has_ended);
}

/* What nobody wants any more is let go, what is new is begun. Returns whether anything is under way. */
static bool look_through(osdear__s3_mover *self)
{
  osdear__s3_order *next;
  bool is_busy = false;

  for (osdear__s3_order *order = self->first; order; order = next) {
    osdear_status st = OSDEAR_OK;
    next = order->next;
    if (order->is_unwanted) {
      osdear__s3_call_free(order->fetch.call);
      order->fetch.call = NULL;
      end(self, order, OSDEAR_ERR_CANCELLED);
    } else if (order->state == ORDER_PLACED) {
      st = osdear__s3_fetch_start(order->object, self->loop, order->offset, order->out, order->size, &order->fetch,
                                  &order->failure);
      order->state = ORDER_MOVING;
      if (st)
        end(self, order, st);
    }
    is_busy = is_busy || order->state == ORDER_MOVING;
  }
  return is_busy;
}

static void finish(osdear__s3_mover *self, const osdear__http_exchange *exchange)
{
  osdear__s3_order *order = self->first;
  bool is_again = false;
  osdear_status st;

  while (!osdear__s3_call_is(order->fetch.call, exchange))
    order = order->next;
  st = osdear__s3_fetch_end(order->object, &order->fetch, &is_again, &order->failure);
  if (!is_again)
    end(self, order, st);
}

/* The context was cancelled, or its time is up: so it is for all who wait. */
static void fail_all(osdear__s3_mover *self, osdear_status status, const osdear_error *failure)
{
  osdear__s3_order *next;

  for (osdear__s3_order *order = self->first; order; order = next) {
    next = order->next;
    osdear__s3_call_free(order->fetch.call);
    order->fetch.call = NULL;
    order->failure = osdear__error_copy(failure);
    end(self, order, status);
  }
}

static void *run(void *argument)
{
  osdear__s3_mover *self = argument;

  pthread_mutex_lock(&self->lock);
  while (!self->is_closing) {
    AUTO(error) failure = NULL;
    osdear__http_exchange *ended;
    osdear_status st;

    if (!look_through(self)) {
      pthread_cond_wait(&self->has_work, &self->lock);
      continue;
    }
    pthread_mutex_unlock(&self->lock);
    st = osdear__http_step(self->loop, -1, &failure);
    pthread_mutex_lock(&self->lock);
    if (st)
      fail_all(self, st, failure);
    for (ended = st ? NULL : osdear__http_collect(self->loop); ended; ended = osdear__http_collect(self->loop))
      finish(self, ended);
  }
  pthread_mutex_unlock(&self->lock);
  return NULL;
}

static void wake(osdear__s3_mover *self)
{
  pthread_cond_signal(&self->has_work);
  osdear__http_wake(self->loop);
}

/* ---- starting and ending it ---- */

static void free_parts(osdear__s3_mover *self)
{
  osdear__http_loop_free(self->loop);
  pthread_cond_destroy(&self->has_work);
  pthread_cond_destroy(&self->has_ended);
  pthread_mutex_destroy(&self->lock);
  osdear__free(self);
}

static osdear_status start(osdear_context *context, osdear__s3_mover **out, osdear_error **error)
{
  osdear__s3_mover *self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st;
  int failed;

  if (!self)
    return osdear__fail_memory(error);
  pthread_mutex_init(&self->lock, NULL);
  pthread_cond_init(&self->has_work, NULL);
  pthread_cond_init(&self->has_ended, NULL);
  self->last = &self->first;
  self->process = getpid();
  st = osdear__http_loop_new(context, MOST_RUNNING, &self->loop, error);
  if (!st) {
    failed = osdear__thread_start(&self->thread, run, self);
    st = failed ? osdear__fail_errno(error, failed, "cannot start a thread to fetch ahead") : OSDEAR_OK;
  }
  if (st) {
    free_parts(self);
    return st;
  }
  *out = self;
  return OSDEAR_OK;
}

static bool is_here(const osdear__s3_mover *self)
{
  return self->process == getpid();
}

static osdear_status fail_forked(const osdear__s3 *s3, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_STATE, "s3://%s was opened before fork(): open it anew in the new process", s3->bucket);
}

static osdear_status mover_of(osdear__s3 *s3, osdear_context *context, osdear__s3_mover **out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  pthread_mutex_lock(&s3->lock);
  if (!s3->mover)
    st = start(context, &s3->mover, error);
  *out = s3->mover;
  pthread_mutex_unlock(&s3->lock);
  return st || is_here(*out) ? st : fail_forked(s3, error);
}

void osdear__s3_mover_free(osdear__s3_mover *self)
{
  if (!self || !is_here(self))
    return;
  pthread_mutex_lock(&self->lock);
  self->is_closing = true;
  wake(self);
  pthread_mutex_unlock(&self->lock);
  pthread_join(self->thread, NULL);
  free_parts(self);
}

/* ---- orders ---- */

osdear_status osdear__s3_order_place(osdear__s3_order *order, osdear__s3_object *object, int64_t offset, void *out, size_t size,
                                     osdear_error **error)
{
  osdear__s3_mover *mover;
  osdear_status st = mover_of(object->s3, object->context, &mover, error);

  if (st)
    return st;
  *order =
      (osdear__s3_order){ .mover = mover, .object = object, .offset = offset, .out = out, .size = size, .state = ORDER_PLACED };
  pthread_mutex_lock(&mover->lock);
  *mover->last = order;
  mover->last = &order->next;
  wake(mover);
  pthread_mutex_unlock(&mover->lock);
  return OSDEAR_OK;
}

/* The thread looks at the context by itself: a wait ends when it is cancelled. */
static void wait_for(osdear__s3_order *order)
{
  while (order->state != ORDER_ENDED)
    pthread_cond_wait(&order->mover->has_ended, &order->mover->lock);
}

osdear_status osdear__s3_order_wait(osdear__s3_order *order, osdear_error **error)
{
  if (!is_here(order->mover))
    return fail_forked(order->object->s3, error);
  pthread_mutex_lock(&order->mover->lock);
  wait_for(order);
  pthread_mutex_unlock(&order->mover->lock);
  if (order->failed && error)
    *error = osdear__error_copy(order->failure);
  return order->failed;
}

void osdear__s3_order_cancel(osdear__s3_order *order)
{
  if (!order->mover || !is_here(order->mover))
    return;
  pthread_mutex_lock(&order->mover->lock);
  order->is_unwanted = true;
  wake(order->mover);
  pthread_mutex_unlock(&order->mover->lock);
}

void osdear__s3_order_drop(osdear__s3_order *order)
{
  osdear__s3_order_cancel(order);
  if (order->mover && is_here(order->mover)) {
    pthread_mutex_lock(&order->mover->lock);
    wait_for(order);
    pthread_mutex_unlock(&order->mover->lock);
  }
  osdear_error_free(order->failure);
  *order = (osdear__s3_order){ 0 };
}
