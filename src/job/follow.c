/* Many jobs, one thread: a heap of who is to be polled next, and one descriptor that is readable when somebody is. */
#include <job/job.h>

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum { POLLS_AT_ONCE = 64, SLICE_MS = 100, DEFAULT_REQUESTS = 16, LOOK_US = 10000 };

typedef struct osdear__followed osdear__followed;
struct osdear__followed {
  osdear_follower *follower;
  osdear_job *job;
  void *tag;
  int64_t due_us; /* monotonic */
  osdear__pace pace;
  size_t at;                       /* in the heap; NOWHERE: it is asked, or it is over and waits to be told */
  osdear__http_exchange *exchange; /* while it is asked */
  osdear__followed *next_asked;
  bool is_queued;
  osdear__followed *next; /* in the queue of changes */
  osdear_error *failure;
};
#define NOWHERE SIZE_MAX

struct osdear_follower {
  osdear_context *context;
  osdear__followed **heap;
  size_t count, room;      /* room for those that are asked, too */
  osdear__followed *asked; /* whose answer is on its way */
  size_t asked_count, most_asked;
  osdear__http_loop *loop;        /* NULL: nobody was asked yet */
  osdear__followed *first, *last; /* changes to be told */
  osdear_error *told;             /* the failure of the change that was told last */
  int timer, descriptor;
};

/* ---- the heap: the smallest due_us is at 0 ---- */

static void put_at(osdear_follower *follower, size_t at, osdear__followed *item)
{
  follower->heap[at] = item;
  item->at = at;
}

static void sift_up(osdear_follower *follower, osdear__followed *item)
{
  size_t at = item->at;

  while (at > 0 && follower->heap[(at - 1) / 2]->due_us > item->due_us) {
    put_at(follower, at, follower->heap[(at - 1) / 2]);
    at = (at - 1) / 2;
  }
  put_at(follower, at, item);
}

static void sift_down(osdear_follower *follower, osdear__followed *item)
{
  size_t at = item->at;

  for (;;) {
    size_t child = 2 * at + 1;
    if (child + 1 < follower->count && follower->heap[child + 1]->due_us < follower->heap[child]->due_us)
      child++;
    if (child >= follower->count || follower->heap[child]->due_us >= item->due_us)
      break;
    put_at(follower, at, follower->heap[child]);
    at = child;
  }
  put_at(follower, at, item);
}

static void take_out(osdear_follower *follower, osdear__followed *item)
{
  osdear__followed *last = follower->heap[--follower->count];
  size_t at = item->at;

  item->at = NOWHERE;
  if (last == item)
    return;
  put_at(follower, at, last);
  sift_up(follower, last);
  sift_down(follower, last);
}

/* ---- the timer ---- */

/* When there is something to do, or -1: never. While answers are on their way their sockets are looked at often, and not watched:
 * libcurl before 8.8 tells of no more than 1,024 of them. */
static int64_t due_at(const osdear_follower *follower, int64_t now)
{
  int64_t due = follower->count && follower->asked_count < follower->most_asked ? follower->heap[0]->due_us : INT64_MAX;

  if (follower->asked_count && due > now + LOOK_US)
    due = now + LOOK_US;
  return due == INT64_MAX ? -1 : due;
}

/* A failure of timerfd_settime() is none that a timer of ours can have: all its arguments are sound. */
static void set_timer(const osdear_follower *follower)
{
  struct itimerspec when = { { 0, 0 }, { 0, 0 } };
  int64_t now = osdear__monotonic_us(), due = due_at(follower, now);

  if (due >= 0) {
    int64_t left_us = due - now < 1 ? 1 : due - now;

    when.it_value.tv_sec = (time_t)(left_us / 1000000);
    when.it_value.tv_nsec = (long)(left_us % 1000000) * 1000;
  }
  timerfd_settime(follower->timer, 0, &when, NULL);
}

/* ---- opening ---- */

static osdear_status open_descriptors(osdear_follower *follower, osdear_error **error)
{
  struct epoll_event event = { .events = EPOLLIN };

  follower->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  follower->descriptor = epoll_create1(EPOLL_CLOEXEC);
  if (follower->timer < 0 || follower->descriptor < 0 ||
      epoll_ctl(follower->descriptor, EPOLL_CTL_ADD, follower->timer, &event) != 0)
    return osdear__fail_errno(error, errno, "cannot make the follower's descriptors");
  return OSDEAR_OK;
}

osdear_status osdear_follower_new(osdear_context *context, const osdear_follower_options *options, osdear_follower **out,
                                  osdear_error **error)
{
  osdear_follower_options opts = OSDEAR_FOLLOWER_OPTIONS_INIT;
  osdear_follower *follower;
  osdear_status st;

  if (!context || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context and out must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  if (opts.max_requests < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "max_requests is %d; 0 takes the default", (int)opts.max_requests);
  follower = osdear__alloc_zeroed(1, sizeof *follower);
  if (!follower)
    return osdear__fail_memory(error);
  follower->timer = follower->descriptor = -1;
  follower->context = osdear_context_ref(context);
  follower->most_asked = opts.max_requests ? (size_t)opts.max_requests : DEFAULT_REQUESTS;
  st = open_descriptors(follower, error);
  if (st) {
    osdear_follower_free(follower);
    return st;
  }
  *out = follower;
  return OSDEAR_OK;
}

static void drop(osdear__followed *item)
{
  item->job->followed = NULL;
  osdear__http_exchange_free(item->exchange);
  osdear_error_free(item->failure);
  osdear__free(item);
}

void osdear_follower_free(osdear_follower *follower)
{
  if (!follower)
    return;
  while (follower->count)
    osdear__unfollow(follower->heap[0]->job);
  while (follower->asked)
    osdear__unfollow(follower->asked->job);
  while (follower->first)
    osdear__unfollow(follower->first->job);
  osdear__http_loop_free(follower->loop);
  osdear_error_free(follower->told);
  if (follower->timer >= 0)
    close(follower->timer);
  if (follower->descriptor >= 0)
    close(follower->descriptor);
  osdear__free(follower->heap);
  osdear_context_unref(follower->context);
  osdear__free(follower);
}

/* ---- who is followed ---- */

osdear_status osdear_follower_add(osdear_follower *follower, osdear_job *job, void *tag, osdear_error **error)
{
  osdear__followed *item;

  if (!follower || !job)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "follower and job must not be NULL");
  if (job->followed)
    return osdear__fail(error, OSDEAR_ERR_EXISTS, "job %s is followed already", job->id);
  if (follower->count + follower->asked_count == follower->room) {
    size_t room = follower->room ? follower->room * 2 : 16;
    osdear__followed **grown = osdear__realloc_array(follower->heap, room, sizeof(osdear__followed *));
    if (!grown)
      return osdear__fail_memory(error);
    follower->heap = grown;
    follower->room = room;
  }
  item = osdear__alloc_zeroed(1, sizeof *item);
  if (!item)
    return osdear__fail_memory(error);
  *item = (osdear__followed){ .follower = follower, .job = job, .tag = tag, .due_us = osdear__monotonic_us() };
  job->followed = item;
  put_at(follower, follower->count++, item);
  sift_up(follower, item);
  set_timer(follower);
  return OSDEAR_OK;
}

static void take_from_queue(osdear_follower *follower, osdear__followed *item)
{
  osdear__followed **link = &follower->first, *before = NULL;

  while (*link && *link != item) {
    before = *link;
    link = &(*link)->next;
  }
  if (!*link)
    return;
  *link = item->next;
  if (follower->last == item)
    follower->last = before;
  item->next = NULL;
  item->is_queued = false;
}

static void take_from_asked(osdear_follower *follower, osdear__followed *item)
{
  osdear__followed **link = &follower->asked;

  while (*link && *link != item)
    link = &(*link)->next_asked;
  if (!*link)
    return;
  *link = item->next_asked;
  follower->asked_count--;
}

void osdear__unfollow(osdear_job *job)
{
  osdear__followed *item = job->followed;

  if (!item)
    return;
  if (item->at != NOWHERE)
    take_out(item->follower, item);
  take_from_asked(item->follower, item);
  if (item->is_queued)
    take_from_queue(item->follower, item);
  set_timer(item->follower);
  drop(item);
}

void osdear_follower_remove(osdear_follower *follower, const osdear_job *job)
{
  if (follower && job && job->followed && job->followed->follower == follower)
    osdear__unfollow(job->followed->job);
}

size_t osdear_follower_count(const osdear_follower *follower)
{
  return follower->count + follower->asked_count;
}

int osdear_follower_descriptor(const osdear_follower *follower)
{
  return follower->descriptor;
}

/* ---- steps ---- */

static void queue(osdear_follower *follower, osdear__followed *item)
{
  if (item->is_queued)
    return;
  item->is_queued = true;
  if (follower->last)
    follower->last->next = item;
  else
    follower->first = item;
  follower->last = item;
}

/* What a poll found. The job comes back into the heap while there is more to come. */
static void note(osdear_follower *follower, osdear__followed *item, osdear_job_state before, osdear_status status,
                 osdear_error *failure)
{
  bool is_over = osdear_job_state_is_final(item->job->state) || (status && !osdear__is_no_answer(item->job->runner, status));

  if (status && is_over) {
    item->failure = failure;
    failure = NULL;
  }
  if (failure)
    osdear__log(follower->context, OSDEAR_LOG_INFO, "job", "%s: a poll failed: %s", item->job->id, osdear_error_message(failure));
  osdear_error_free(failure);
  if (is_over || item->job->state != before)
    queue(follower, item);
  if (is_over)
    return;
  item->due_us = osdear__monotonic_us() + osdear__pace_next(&item->pace, item->job->runner->kind);
  put_at(follower, follower->count++, item);
  sift_up(follower, item);
}

/* Sends the request that asks for a job. */
static osdear_status send_ask(osdear_follower *follower, osdear__followed *item, osdear_error **error)
{
  const osdear__runner_kind *kind = item->job->runner->kind;
  SCOPED(ask) ask = { 0 };
  osdear__http_request request;
  osdear_status st = OSDEAR_OK;

  if (!follower->loop)
    st = osdear__http_loop_new(follower->context, (int32_t)follower->most_asked, &follower->loop, error);
  if (!st)
    st = kind->ask(item->job, &ask, error);
  if (st)
    return st;
  osdear__ask_request(&ask, item->job, &request);
  st = osdear__http_submit(follower->loop, ask.client, &request, &item->exchange, error);
  if (st)
    return st;
  item->next_asked = follower->asked;
  follower->asked = item;
  follower->asked_count++;
  return OSDEAR_OK;
}

/* Polls a job that was taken out of the heap: a local one at once, one of a service by a request whose answer comes later. */
static void poll_one(osdear_follower *follower, osdear__followed *item)
{
  osdear_job_state before = item->job->state;
  osdear_error *failure = NULL;
  osdear_status st;

  if (item->job->runner->kind->poll) {
    st = osdear_job_poll(item->job, &failure);
    note(follower, item, before, st, failure);
    return;
  }
  st = send_ask(follower, item, &failure);
  if (st)
    note(follower, item, before, st, failure);
}

static void hear_one(osdear_follower *follower, osdear__followed *item)
{
  const osdear__runner_kind *kind = item->job->runner->kind;
  osdear_job_state before = item->job->state;
  SCOPED(http_response) response = { 0 };
  osdear_error *failure = NULL;
  bool again = false;
  osdear_status st = osdear__http_exchange_take(item->exchange, &response, &failure);

  osdear__http_exchange_free(item->exchange);
  item->exchange = NULL;
  take_from_asked(follower, item);
  if (!st)
    st = kind->hear(item->job, &response, &again, &failure);
  else if (osdear__is_no_answer(item->job->runner, st) && kind->hear(item->job, NULL, &again, NULL))
    again = false;
  if (!again) {
    note(follower, item, before, st, failure);
    return;
  }
  osdear_error_free(failure);
  poll_one(follower, item);
}

/* What becomes of one job is told as a change; this fails when the requests of all of them cannot go on. */
static osdear_status run_due(osdear_follower *follower, osdear_error **error)
{
  int64_t now = osdear__monotonic_us();
  osdear__http_exchange *exchange;
  osdear_status st = OSDEAR_OK;
  uint64_t ticks;
  ssize_t got = read(follower->timer, &ticks, sizeof ticks); /* it is set anew below */

  (void)got;
  for (int i = 0; i < POLLS_AT_ONCE && follower->count && follower->asked_count < follower->most_asked; i++) {
    osdear__followed *item = follower->heap[0];
    if (item->due_us > now)
      break;
    take_out(follower, item);
    poll_one(follower, item);
  }
  if (follower->asked_count)
    st = osdear__http_step(follower->loop, 0, error);
  if (follower->loop)
    for (exchange = osdear__http_collect(follower->loop); exchange; exchange = osdear__http_collect(follower->loop)) {
      const osdear_job *job = osdear__http_exchange_tag(exchange);
      hear_one(follower, job->followed);
    }
  set_timer(follower);
  return st;
}

/* Until something is due, or an answer comes. */
static osdear_status wait_for_work(const osdear_follower *follower, int64_t left_ms, osdear_error **error)
{
  struct pollfd wanted = { follower->descriptor, POLLIN, 0 };
  int64_t due_ms;

  left_ms = left_ms < SLICE_MS ? left_ms : SLICE_MS;
  if (!follower->asked_count) {
    poll(&wanted, 1, (int)left_ms);
    return OSDEAR_OK;
  }
  due_ms = left_ms;
  if (follower->count && follower->asked_count < follower->most_asked)
    due_ms = (follower->heap[0]->due_us - osdear__monotonic_us()) / 1000;
  left_ms = due_ms < left_ms ? due_ms : left_ms;
  return osdear__http_step(follower->loop, left_ms < 0 ? 0 : left_ms, error);
}

osdear_status osdear_follower_step(osdear_follower *follower, int64_t wait_ms, osdear_error **error)
{
  int64_t until = wait_ms < 0 || wait_ms > INT64_MAX / 2000 ? INT64_MAX : osdear__monotonic_us() + wait_ms * 1000;
  osdear_status st;

  if (!follower)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "follower must not be NULL");
  for (;;) {
    int64_t left_ms;

    st = osdear__context_check(follower->context, error);
    if (st)
      return st;
    st = run_due(follower, error);
    if (st)
      return st;
    left_ms = (until - osdear__monotonic_us()) / 1000;
    if (follower->first || !osdear_follower_count(follower) || left_ms <= 0)
      return OSDEAR_OK;
    st = wait_for_work(follower, left_ms, error);
    if (st)
      return st;
  }
}

int32_t osdear_follower_next(osdear_follower *follower, osdear_job_change *change)
{
  osdear__followed *item = follower->first;

  osdear_error_free(follower->told);
  follower->told = NULL;
  if (!item)
    return 0;
  take_from_queue(follower, item);
  *change = (osdear_job_change){ item->job, item->tag, item->job->state, item->failure };
  follower->told = item->failure;
  item->failure = NULL;
  if (change->failure || osdear_job_state_is_final(change->state))
    drop(item);
  return 1;
}
