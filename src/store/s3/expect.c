/** @file expect.c Objects that will be opened soon: sent for side by side, so that whoever opens one after the other waits once for all. */
#include <store/s3/range.h>

/* Of the budget, what may wait for being opened. */
#define SHARE 8

/* One object. It stays where it is until its order is dropped. */
typedef struct entry {
  osdear__s3_order order;
  osdear__s3_object object;
  osdear__s3_info info;
  char *key;
  char *bytes;
  int64_t size_bytes; /* as it was told; -1: not known */
  int64_t number;     /* older ones make room for newer ones */
} entry;

struct osdear__s3_expected {
  osdear__s3 *s3;
  pthread_mutex_t lock;                       /* of what follows */
  entry *entries[2 * OSDEAR__STORE_EXPECTED]; /* files of deletion vectors come besides those that were told of */
  int64_t count, bytes;                       /* `bytes` of all entries */
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

static void free_entry(entry *e)
{
  if (!e)
    return;
  osdear__s3_order_drop(&e->order);
  osdear__free(e->key);
  osdear__free(e->bytes);
  osdear__free(e);
}

void osdear__s3_expected_free(osdear__s3_expected *expected)
{
  if (!expected)
    return;
  for (size_t i = 0; i < COUNT_OF(expected->entries); i++)
    if (expected->entries[i])
      osdear__s3_order_cancel(&expected->entries[i]->order);
  for (size_t i = 0; i < COUNT_OF(expected->entries); i++)
    free_entry(expected->entries[i]);
  pthread_mutex_destroy(&expected->lock);
  osdear__free(expected);
}

/* ---- with the lock held ---- */

/* The entry of a key, taken out; NULL: there is none. */
static entry *take_out(osdear__s3_expected *self, const char *key)
{
  for (size_t i = 0; i < COUNT_OF(self->entries); i++) {
    entry *e = self->entries[i];
    if (e && strcmp(e->key, key) == 0) {
      self->entries[i] = NULL;
      self->bytes -= (int64_t)e->order.size;
      return e;
    }
  }
  return NULL;
}

static bool holds(const osdear__s3_expected *self, const char *key)
{
  for (size_t i = 0; i < COUNT_OF(self->entries); i++)
    if (self->entries[i] && strcmp(self->entries[i]->key, key) == 0)
      return true;
  return false;
}

/* A free place, or that of the oldest, which nobody asked for. */
static entry **find_room(osdear__s3_expected *self)
{
  entry **room = &self->entries[0];

  for (size_t i = 0; i < COUNT_OF(self->entries) && *room; i++)
    if (!self->entries[i] || self->entries[i]->number < (*room)->number)
      room = &self->entries[i];
  if (*room) {
    self->bytes -= (int64_t)(*room)->order.size;
    free_entry(*room);
    *room = NULL;
  }
  return room;
}

static void send_for(osdear__s3_expected *self, osdear_context *context, const char *key, int64_t size_bytes)
{
  int64_t size = size_bytes < 0 ? OSDEAR__S3_WHOLE : size_bytes <= OSDEAR__S3_WHOLE ? size_bytes : OSDEAR__S3_BLOCK;
  int64_t at = size_bytes < 0 ? 0 : size_bytes - size;
  entry **room = find_room(self);
  entry *e;

  if (size == 0 || self->bytes + size > osdear__context_budget(context) / SHARE)
    return;
  e = osdear__alloc_zeroed(1, sizeof *e);
  if (!e)
    return;
  e->key = osdear__strdup(key);
  e->bytes = osdear__alloc((size_t)size);
  e->info = (osdear__s3_info){ .size_bytes = size_bytes };
  e->object = (osdear__s3_object){ self->s3, context, e->key, &e->info };
  e->size_bytes = size_bytes;
  e->number = ++self->count;
  if (!e->key || !e->bytes || osdear__s3_order_place(&e->order, &e->object, at, e->bytes, (size_t)size, NULL)) {
    free_entry(e);
    return;
  }
  self->bytes += size;
  *room = e;
}

/* ---- from outside ---- */

void osdear__s3_expect_object(osdear__s3_expected *expected, osdear_context *context, const char *key, int64_t size_bytes)
{
  pthread_mutex_lock(&expected->lock);
  if (!holds(expected, key))
    send_for(expected, context, key, size_bytes);
  pthread_mutex_unlock(&expected->lock);
}

char *osdear__s3_expected_take(osdear__s3_expected *expected, const char *key, int64_t size_bytes, osdear__byte_range *held,
                               osdear__s3_info *info)
{
  char *bytes = NULL;
  entry *e;

  pthread_mutex_lock(&expected->lock);
  e = take_out(expected, key);
  pthread_mutex_unlock(&expected->lock);
  if (e && osdear__s3_order_wait(&e->order, NULL) == OSDEAR_OK && e->size_bytes == size_bytes) {
    int64_t left = e->info.size_bytes - e->order.offset;
    bytes = e->bytes;
    *held = (osdear__byte_range){ e->order.offset, left < (int64_t)e->order.size ? left : (int64_t)e->order.size };
    *info = e->info;
    e->bytes = NULL;
  }
  free_entry(e);
  return bytes;
}
