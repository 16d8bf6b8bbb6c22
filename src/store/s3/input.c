/** @file input.c Reading objects at offsets, with few requests: what is small comes as a whole, and around a small read a block is kept. */
#include <store/s3/range.h>

typedef struct input {
  osdear__input base;
  osdear__s3 *s3;
  osdear_context *context;
  char *key, *name;
  osdear__s3_object object; /* for who fetches ahead: `info` is final once its ETag is there */
  pthread_mutex_t lock;     /* of what follows */
  osdear__s3_info info;
  char *held; /* bytes of the object from held_at on, or NULL */
  int64_t held_at;
  size_t held_size;
} input;

static input *input_of(osdear__input *base)
{
  return (input *)(void *)base;
}

/* With the lock held. */
static bool copy_held(const input *self, int64_t offset, void *out, size_t size)
{
  int64_t from = offset - self->held_at;

  if (!self->held || from < 0 || from + (int64_t)size > (int64_t)self->held_size)
    return false;
  memcpy(out, self->held + from, size);
  return true;
}

/* What is fetched for a read: the whole object, where it is small; a block that starts there, where the read is. Nothing otherwise. */
static osdear__byte_range block_for(const input *self, int64_t offset, size_t size)
{
  int64_t left = self->base.size_bytes - offset;

  if (self->base.size_bytes <= OSDEAR__S3_WHOLE)
    return (osdear__byte_range){ 0, self->base.size_bytes };
  if ((int64_t)size > OSDEAR__S3_BLOCK)
    return (osdear__byte_range){ 0, 0 };
  return (osdear__byte_range){ offset, left < OSDEAR__S3_BLOCK ? left : OSDEAR__S3_BLOCK };
}

/* With the lock held: several threads may want the same block at once, and one fetches it for all. */
static osdear_status hold(input *self, osdear__byte_range block, osdear_error **error)
{
  char *bytes = osdear__alloc((size_t)block.size);
  osdear_status st = bytes ? osdear__s3_get_range(self->s3, self->context, self->key, &self->info, block.offset, bytes,
                                                  (size_t)block.size, error)
                           : osdear__fail_memory(error);

  if (st) {
    osdear__free(bytes);
    return st;
  }
  osdear__free(self->held);
  self->held = bytes;
  self->held_at = block.offset;
  self->held_size = (size_t)block.size;
  return OSDEAR_OK;
}

static osdear_status read_held(input *self, int64_t offset, void *out, size_t size, bool *is_done, osdear_error **error)
{
  osdear__byte_range block = block_for(self, offset, size);
  osdear_status st = OSDEAR_OK;

  *is_done = copy_held(self, offset, out, size);
  if (*is_done || block.size == 0)
    return OSDEAR_OK;
  st = hold(self, block, error);
  *is_done = !st && copy_held(self, offset, out, size);
  return st;
}

static osdear_status input_read_at(osdear__input *base, int64_t offset, void *out, size_t size, osdear_error **error)
{
  input *self = input_of(base);
  bool is_done;
  osdear__s3_info info;
  osdear_status st;

  pthread_mutex_lock(&self->lock);
  st = read_held(self, offset, out, size, &is_done, error);
  info = self->info;
  pthread_mutex_unlock(&self->lock);
  if (st || is_done)
    return st;
  st = osdear__s3_get_range(self->s3, self->context, self->key, &info, offset, out, size, error);
  if (st)
    return st;
  pthread_mutex_lock(&self->lock);
  if (!self->info.etag[0])
    self->info = info;
  else if (strcmp(self->info.etag, info.etag) != 0) /* two first reads side by side, of two versions */
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s was replaced while it was being read", self->name);
  pthread_mutex_unlock(&self->lock);
  return st;
}

/* Only once the version is known that all must be of: then nobody changes `info` any more, and others may look at it without the lock. */
static osdear_status input_ahead(osdear__input *base, const osdear__byte_range *ranges, size_t count, int64_t memory,
                                 osdear__input **out, osdear_error **error)
{
  input *self = input_of(base);
  int64_t most = osdear__context_budget(self->context) / 4;
  bool is_known;

  pthread_mutex_lock(&self->lock);
  is_known = self->info.etag[0] != '\0';
  pthread_mutex_unlock(&self->lock);
  if (!is_known || base->size_bytes <= OSDEAR__S3_WHOLE)
    return OSDEAR_OK;
  return osdear__s3_ahead(&self->object, base, ranges, count, memory < most ? memory : most, out, error);
}

static void input_close(osdear__input *base)
{
  input *self = input_of(base);

  pthread_mutex_destroy(&self->lock);
  osdear__free(self->held);
  osdear__free(self->key);
  osdear__free(self->name);
  osdear_context_unref(self->context);
  osdear__s3_unref(self->s3);
  osdear__free(self);
}

/* The size comes with the first bytes, which a reader of a file that was never seen before wants anyway. */
static osdear_status look_first(input *self, osdear_error **error)
{
  char *bytes = osdear__alloc((size_t)OSDEAR__S3_WHOLE);
  osdear_status st;

  if (!bytes)
    return osdear__fail_memory(error);
  st = osdear__s3_get_start(self->s3, self->context, self->key, bytes, (size_t)OSDEAR__S3_WHOLE, &self->info, error);
  if (st) {
    osdear__free(bytes);
    return st;
  }
  self->base.size_bytes = self->info.size_bytes;
  self->held = bytes;
  self->held_size = (size_t)(self->info.size_bytes < OSDEAR__S3_WHOLE ? self->info.size_bytes : OSDEAR__S3_WHOLE);
  return OSDEAR_OK;
}

static void take_expected(input *self, osdear__s3_expected *expected)
{
  osdear__byte_range held;

  self->held = osdear__s3_expected_take(expected, self->key, self->base.size_bytes, &held, &self->info);
  if (self->held) {
    self->base.size_bytes = self->info.size_bytes;
    self->held_at = held.offset;
    self->held_size = (size_t)held.size;
  }
}

osdear_status osdear__s3_input(osdear__s3 *s3, osdear_context *context, const char *key, int64_t size_bytes,
                               osdear__s3_expected *expected, osdear__input **out, osdear_error **error)
{
  input *self = osdear__alloc_zeroed(1, sizeof *self);
  SCOPED(buf) name = { 0 };
  osdear_status st = OSDEAR_OK;

  if (!self)
    return osdear__fail_memory(error);
  pthread_mutex_init(&self->lock, NULL);
  self->s3 = osdear__s3_ref(s3);
  self->context = context ? osdear_context_ref(context) : NULL;
  self->info.size_bytes = size_bytes;
  osdear__buf_printf(&name, "s3://%s/%s", osdear__s3_bucket(s3), key);
  self->key = osdear__strdup(key);
  self->name = osdear__buf_take(&name);
  self->base = (osdear__input){ input_read_at, input_close, size_bytes, self->name, input_ahead };
  self->object = (osdear__s3_object){ s3, self->context, self->key, &self->info };
  if (!self->key || !self->name)
    st = osdear__fail_memory(error);
  else if (expected)
    take_expected(self, expected);
  if (!st && self->base.size_bytes < 0)
    st = look_first(self, error);
  if (st) {
    input_close(&self->base);
    return st;
  }
  *out = &self->base;
  return OSDEAR_OK;
}
