/** @file input.c Reading objects at offsets, with few requests: what is small comes as a whole. */
#include <store/s3/object.h>

#define WHOLE_BYTES ((int64_t)1 << 20) /* up to here one request for all costs less than two for parts */

typedef struct input {
  osdear__input base;
  osdear__s3 *s3;
  osdear_context *context;
  char *key, *name;
  pthread_mutex_t lock; /* of what follows */
  osdear__s3_info info;
  char *held; /* the first bytes of the object, or NULL */
  size_t held_size;
} input;

static input *input_of(osdear__input *base)
{
  return (input *)(void *)base;
}

static bool copy_held(input *self, int64_t offset, void *out, size_t size)
{
  bool is_held;

  pthread_mutex_lock(&self->lock);
  is_held = self->held && offset + (int64_t)size <= (int64_t)self->held_size;
  pthread_mutex_unlock(&self->lock);
  if (is_held) /* once there, it stays as it is */
    memcpy(out, self->held + offset, size);
  return is_held;
}

/* Several threads may find it missing at once: one fetches, the others wait for it. */
static osdear_status hold_all(input *self, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  pthread_mutex_lock(&self->lock);
  if (!self->held || (int64_t)self->held_size < self->base.size_bytes) {
    char *bytes = osdear__alloc((size_t)self->base.size_bytes);
    st = bytes ? osdear__s3_get_range(self->s3, self->context, self->key, &self->info, 0, bytes, (size_t)self->base.size_bytes,
                                      error)
               : osdear__fail_memory(error);
    if (st) {
      osdear__free(bytes);
    } else {
      self->held = bytes;
      self->held_size = (size_t)self->base.size_bytes;
    }
  }
  pthread_mutex_unlock(&self->lock);
  return st;
}

static osdear_status input_read_at(osdear__input *base, int64_t offset, void *out, size_t size, osdear_error **error)
{
  input *self = input_of(base);
  osdear__s3_info info;
  osdear_status st;

  if (copy_held(self, offset, out, size))
    return OSDEAR_OK;
  if (base->size_bytes <= WHOLE_BYTES && !self->held) {
    st = hold_all(self, error);
    if (!st)
      memcpy(out, self->held + offset, size);
    return st;
  }
  pthread_mutex_lock(&self->lock);
  info = self->info;
  pthread_mutex_unlock(&self->lock);
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
  char *bytes = osdear__alloc((size_t)WHOLE_BYTES);
  osdear_status st;

  if (!bytes)
    return osdear__fail_memory(error);
  st = osdear__s3_get_start(self->s3, self->context, self->key, bytes, (size_t)WHOLE_BYTES, &self->info, error);
  if (st) {
    osdear__free(bytes);
    return st;
  }
  self->base.size_bytes = self->info.size_bytes;
  self->held = bytes;
  self->held_size = (size_t)(self->info.size_bytes < WHOLE_BYTES ? self->info.size_bytes : WHOLE_BYTES);
  return OSDEAR_OK;
}

osdear_status osdear__s3_input(osdear__s3 *s3, osdear_context *context, const char *key, int64_t size_bytes, osdear__input **out,
                               osdear_error **error)
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
  self->base = (osdear__input){ input_read_at, input_close, size_bytes, self->name };
  if (!self->key || !self->name)
    st = osdear__fail_memory(error);
  else if (size_bytes < 0)
    st = look_first(self, error);
  if (st) {
    input_close(&self->base);
    return st;
  }
  *out = &self->base;
  return OSDEAR_OK;
}
