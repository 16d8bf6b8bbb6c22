/** @file expect.c Objects that will be opened soon: sent for side by side, so that whoever opens one after the other waits once for all. */
#include <store/s3/range.h>

/* Of the budget, what may wait for being opened. */
#define SHARE 8

typedef struct entry {
  osdear__s3_fetch fetch;
  osdear__s3_object object;
  osdear__s3_info info;
  char *key;          /* NULL: free */
  char *bytes;
  int64_t at;
  bool has_come;
  int64_t number;     /* older ones make room for newer ones */
} entry;

struct osdear__s3_expected {
  osdear__s3 *s3;
  osdear_context *context; /* the store's, which outlives this */
  pthread_mutex_t lock;
  osdear__http_loop *loop; /* NULL until the first is sent for */
  entry entries[OSDEAR__STORE_EXPECTED];
  int64_t count, bytes;    /* `bytes` of all entries */
};

osdear_status osdear__s3_expected_new(osdear__s3 *s3, osdear__s3_expected **out, osdear_error **error)
{
  osdear__s3_expected *self = osdear__alloc_zeroed(1, sizeof *self);

  if (!self)
    return osdear__fail_memory(error);
  self->s3 = s3;
  pthread_mutex_init(&self->lock, NULL);
  *out = self;
  return OSDEAR_OK;
}

static void drop_entry(osdear__s3_expected *self, entry *e)
{
  if (!e->key)
    return;
  self->bytes -= (int64_t)e->fetch.size;
  osdear__s3_call_free(e->fetch.call);
  osdear__free(e->key);
  osdear__free(e->bytes);
  *e = (entry){ 0 };
}

void osdear__s3_expected_free(osdear__s3_expected *expected)
{
  if (!expected)
    return;
  for (size_t i = 0; i < COUNT_OF(expected->entries); i++)
    drop_entry(expected, &expected->entries[i]);
  osdear__http_loop_free(expected->loop);
  pthread_mutex_destroy(&expected->lock);
  osdear__free(expected);
}

/* ---- moving, with the lock held ---- */

static void move(osdear__s3_expected *self, int64_t timeout_ms, osdear_status *status)
{
  osdear__http_exchange *ended;

  *status = osdear__http_step(self->loop, timeout_ms, NULL);
  for (ended = *status ? NULL : osdear__http_collect(self->loop); ended; ended = osdear__http_collect(self->loop))
    for (size_t i = 0; i < COUNT_OF(self->entries); i++) {
      entry *e = &self->entries[i];
      bool is_again = false;
      if (!osdear__s3_call_is(e->fetch.call, ended))
        continue;
      e->has_come = osdear__s3_fetch_end(&e->object, &e->fetch, &is_again, NULL) == OSDEAR_OK && !is_again;
      if (!e->has_come && !is_again)
        drop_entry(self, e);
      break;
    }
}

/* The entry of a key; with `or_room` otherwise a free one, or the oldest, emptied. */
static entry *find(osdear__s3_expected *self, const char *key, bool or_room)
{
  entry *room = &self->entries[0];

  for (size_t i = 0; i < COUNT_OF(self->entries); i++) {
    entry *e = &self->entries[i];
    if (e->key && strcmp(e->key, key) == 0)
      return e;
    if (e->number < room->number)
      room = e;
  }
  if (!or_room)
    return NULL;
  drop_entry(self, room);
  return room;
}

static void send_for(osdear__s3_expected *self, entry *e, const char *key, int64_t size_bytes)
{
  int64_t size = size_bytes <= OSDEAR__S3_WHOLE ? size_bytes : OSDEAR__S3_BLOCK;

  if (size <= 0 || self->bytes + size > osdear__context_budget(self->context) / SHARE)
    return;
  if (!self->loop && osdear__s3_borrow_loop(self->s3, self->context, &self->loop, NULL))
    return;
  e->key = osdear__strdup(key);
  e->bytes = osdear__alloc((size_t)size);
  e->at = size_bytes - size;
  e->info = (osdear__s3_info){ .size_bytes = size_bytes };
  e->object = (osdear__s3_object){ self->s3, self->context, e->key, &e->info };
  e->number = ++self->count;
  if (!e->key || !e->bytes || osdear__s3_fetch_start(&e->object, self->loop, e->at, e->bytes, (size_t)size, &e->fetch, NULL)) {
    osdear__free(e->key);
    osdear__free(e->bytes);
    *e = (entry){ 0 };
    return;
  }
  self->bytes += size;
}

/* ---- from outside ---- */

void osdear__s3_expect_object(osdear__s3_expected *expected, osdear_context *context, const char *key, int64_t size_bytes)
{
  osdear_status st = OSDEAR_OK;
  entry *e;

  pthread_mutex_lock(&expected->lock);
  expected->context = context;
  e = find(expected, key, true);
  if (!e->key)
    send_for(expected, e, key, size_bytes);
  if (expected->loop)
    move(expected, 0, &st);
  pthread_mutex_unlock(&expected->lock);
}

char *osdear__s3_expected_take(osdear__s3_expected *expected, const char *key, int64_t size_bytes, osdear__byte_range *held,
                               osdear__s3_info *info)
{
  osdear_status st = OSDEAR_OK;
  char *bytes = NULL;
  entry *e;

  pthread_mutex_lock(&expected->lock);
  e = find(expected, key, false);
  while (e && !st && e->key && !e->has_come)
    move(expected, -1, &st);
  if (e && e->has_come && e->info.size_bytes == size_bytes) {
    bytes = e->bytes;
    *held = (osdear__byte_range){ e->at, (int64_t)e->fetch.size };
    *info = e->info;
    e->bytes = NULL;
  }
  if (e)
    drop_entry(expected, e);
  pthread_mutex_unlock(&expected->lock);
  return bytes;
}
