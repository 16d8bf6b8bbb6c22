/* A scan's stream: row groups in order, decoded by the consumer or ahead of it by the context's workers.
 *
 * A worker never waits. Its task decodes one batch into the unit's queue and hands itself in again while there is room; once the queue is
 * full the consumer hands it in, when it takes a batch. So a stream that nobody reads holds no worker. */
#include <delta/scan.h>

#include <pthread.h>

enum { QUEUE = 4, MOST_UNITS = 64, WAITING_SHARE = 4 };

typedef struct lane {
  struct scan_stream *stream;
  osdear__scan_unit *unit;
  struct ArrowArray batches[QUEUE];
  int64_t bytes[QUEUE];
  size_t first, count;
  bool is_running; /* a task of it is in the pool */
  bool is_done;    /* nothing more comes: the end, or a failure */
  osdear_status status;
  osdear_error *error;
} lane;

typedef struct scan_stream {
  osdear__scan_plan *plan;
  osdear__scan_source source;
  osdear__scan_file *file; /* whose row groups are handed out */
  size_t next_group;
  bool no_more_files;
  osdear_status planned; /* why planning ended, told once the lanes before it are read */
  osdear_error *plan_error;
  int64_t rows_left; /* of the limit; -1: no limit */
  bool has_workers;
  size_t lane_limit;
  int64_t bytes_limit; /* no more is decoded ahead once so much waits in the lanes */
  int64_t bytes_waiting;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool is_closing;
  lane *lanes[MOST_UNITS]; /* a ring, in the order of the rows */
  size_t first_lane, lane_count;
} scan_stream;

/* ---- planning: on the consumer's thread ---- */

static osdear_status next_file(scan_stream *s, osdear_error **error)
{
  osdear_status st = s->source.next(s->source.state, s->plan, &s->file, error);

  s->no_more_files = !st && !s->file;
  s->next_group = 0;
  return st;
}

/* The next row group that may hold rows; *out NULL when there is none. */
static osdear_status next_unit(scan_stream *s, osdear__scan_unit **out, osdear_error **error)
{
  *out = NULL;
  while (!*out && !s->no_more_files) {
    osdear_status st = OSDEAR_OK;
    if (s->file && s->next_group == osdear__parquet_group_count(s->file->parquet)) {
      osdear__scan_file_unref(s->file);
      s->file = NULL;
    }
    if (s->file)
      st = osdear__scan_unit_new(s->file, s->next_group++, out, error);
    else
      st = next_file(s, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- workers ---- */

/* With the lock held. Where the pool takes nothing the consumer decodes. */
static void submit(lane *l, osdear__work work)
{
  scan_stream *s = l->stream;

  if (!s->has_workers || l->is_running || l->is_done || l->count == QUEUE || s->is_closing)
    return;
  if (s->bytes_waiting >= s->bytes_limit)
    return;
  l->is_running = osdear__context_submit(s->plan->snapshot->context, work, l, NULL) == OSDEAR_OK;
}

/* Decodes one batch. With the lock held on entry and exit, but not meanwhile. */
static void decode(lane *l)
{
  scan_stream *s = l->stream;
  struct ArrowArray batch;
  int64_t bytes;
  osdear_error *error = NULL;
  osdear_status st;

  pthread_mutex_unlock(&s->lock);
  st = osdear__scan_unit_next(l->unit, &batch, &bytes, &error);
  pthread_mutex_lock(&s->lock);
  if (st || !batch.release) {
    l->is_done = true;
    l->status = st;
    l->error = error;
  } else {
    l->bytes[(l->first + l->count) % QUEUE] = bytes;
    l->batches[(l->first + l->count++) % QUEUE] = batch;
    s->bytes_waiting += bytes;
  }
}

static void work(void *argument)
{
  lane *l = argument;
  scan_stream *s = l->stream;

  pthread_mutex_lock(&s->lock);
  if (!s->is_closing)
    decode(l);
  l->is_running = false;
  submit(l, work);
  pthread_cond_broadcast(&s->changed);
  pthread_mutex_unlock(&s->lock);
}

/* ---- the consumer ---- */

static void free_lane(lane *l)
{
  for (; l->count; l->count--, l->first++)
    osdear__array_drop(&l->batches[l->first % QUEUE]);
  osdear__scan_unit_free(l->unit);
  osdear_error_free(l->error);
  osdear__free(l);
}

static osdear_status add_lane(scan_stream *s, osdear_error **error)
{
  osdear__scan_unit *unit;
  lane *l;
  osdear_status st = next_unit(s, &unit, error);

  if (st || !unit)
    return st;
  l = osdear__alloc_zeroed(1, sizeof *l);
  if (!l) {
    osdear__scan_unit_free(unit);
    return osdear__fail_memory(error);
  }
  l->stream = s;
  l->unit = unit;
  pthread_mutex_lock(&s->lock);
  s->lanes[(s->first_lane + s->lane_count++) % MOST_UNITS] = l;
  submit(l, work);
  pthread_mutex_unlock(&s->lock);
  return OSDEAR_OK;
}

static void fill_lanes(scan_stream *s)
{
  while (!s->planned && !s->no_more_files && s->lane_count < s->lane_limit)
    s->planned = add_lane(s, &s->plan_error);
}

/* The next batch of a lane; *out stays released at its end. */
static osdear_status take_batch(lane *l, struct ArrowArray *out, osdear_error **error)
{
  scan_stream *s = l->stream;
  osdear_status st = OSDEAR_OK;

  pthread_mutex_lock(&s->lock);
  while (l->count == 0 && !l->is_done) {
    submit(l, work);
    if (l->is_running)
      pthread_cond_wait(&s->changed, &s->lock);
    else
      decode(l);
  }
  if (l->count) {
    *out = l->batches[l->first];
    s->bytes_waiting -= l->bytes[l->first];
    l->first = (l->first + 1) % QUEUE;
    l->count--;
    for (size_t i = 0; i < s->lane_count; i++)
      submit(s->lanes[(s->first_lane + i) % MOST_UNITS], work);
  } else if (l->status) {
    st = l->status;
    if (error)
      *error = osdear__error_copy(l->error);
  }
  pthread_mutex_unlock(&s->lock);
  return st;
}

static osdear_status cut_to_limit(scan_stream *s, struct ArrowArray *batch, osdear_error **error)
{
  struct ArrowArray whole = *batch;
  osdear_status st = OSDEAR_OK;

  if (s->rows_left >= 0 && batch->length > s->rows_left) {
    batch->release = NULL;
    st = osdear__array_slice(&s->plan->type, &whole, 0, s->rows_left, batch, error);
    osdear__array_drop(&whole);
  }
  if (!st && s->rows_left >= 0)
    s->rows_left -= batch->length;
  if (!st)
    atomic_fetch_add(&s->plan->counts.rows, batch->length);
  return st;
}

static osdear_status scan_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  scan_stream *s = state;

  out->release = NULL;
  while (s->rows_left != 0) {
    lane *head;
    osdear_status st;
    fill_lanes(s);
    if (s->lane_count == 0) {
      st = s->planned;
      if (error && st)
        *error = osdear__error_copy(s->plan_error);
      return st;
    }
    head = s->lanes[s->first_lane];
    st = take_batch(head, out, error);
    if (st)
      return st;
    if (out->release)
      return cut_to_limit(s, out, error);
    s->first_lane = (s->first_lane + 1) % MOST_UNITS;
    s->lane_count--;
    free_lane(head);
  }
  return OSDEAR_OK;
}

static void scan_close(void *state)
{
  scan_stream *s = state;

  pthread_mutex_lock(&s->lock);
  s->is_closing = true;
  for (size_t i = 0; i < s->lane_count; i++)
    while (s->lanes[(s->first_lane + i) % MOST_UNITS]->is_running)
      pthread_cond_wait(&s->changed, &s->lock);
  pthread_mutex_unlock(&s->lock);
  for (; s->lane_count; s->lane_count--, s->first_lane++)
    free_lane(s->lanes[s->first_lane % MOST_UNITS]);
  osdear__scan_file_unref(s->file);
  s->source.close(s->source.state);
  osdear__scan_plan_unref(s->plan);
  osdear_error_free(s->plan_error);
  pthread_cond_destroy(&s->changed);
  pthread_mutex_destroy(&s->lock);
  osdear__free(s);
}

/* How many row groups may be in hand: two for each worker, of a remote table four more whose bytes are on their way, and no more than the budget
 * bears. One more on its way is not enough: small ones take less time than it takes to ask for the next. */
static size_t lanes_of(const osdear__scan_plan *plan, bool has_workers)
{
  enum { ON_THEIR_WAY = 4 };
  const osdear_context *context = plan->snapshot->context;
  int64_t bearable = osdear__context_budget(context) / OSDEAR__SCAN_LANE;
  int64_t wanted = has_workers ? (int64_t)osdear__context_threads(context) * 2 : 1;

  if (osdear__store_is_remote(plan->snapshot->store) && plan->limit < 0)
    wanted += ON_THEIR_WAY;
  wanted = wanted < bearable ? wanted : bearable;
  return wanted < 1 ? 1 : wanted > MOST_UNITS ? MOST_UNITS : (size_t)wanted;
}

osdear_status osdear__scan_export(osdear__scan_plan *plan, const osdear__scan_source *source, struct ArrowArrayStream *out,
                                  osdear_error **error)
{
  scan_stream *s = osdear__alloc_zeroed(1, sizeof *s);

  if (!s) {
    source->close(source->state);
    return osdear__fail_memory(error);
  }
  s->source = *source;
  s->plan = osdear__scan_plan_ref(plan);
  s->rows_left = plan->limit;
  /* The first rows of a table are one batch: not worth a worker's while. */
  s->has_workers =
      osdear__context_threads(plan->snapshot->context) > 1 && (plan->where || plan->limit < 0 || plan->limit > plan->batch_rows);
  s->lane_limit = lanes_of(plan, s->has_workers);
  s->bytes_limit = osdear__context_budget(plan->snapshot->context) / WAITING_SHARE;
  pthread_mutex_init(&s->lock, NULL);
  pthread_cond_init(&s->changed, NULL);
  return osdear__stream_export(&plan->type, scan_next, scan_close, s, out, error);
}
