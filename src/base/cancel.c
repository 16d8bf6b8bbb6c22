/* A token: one flag and one deadline. */
#include <base/base.h>
#include <base/context.h>

#include <stdatomic.h>

struct osdear_cancel {
  _Atomic int64_t references;
  _Atomic int32_t is_thrown;
  int64_t deadline_us; /* on the monotonic clock; INT64_MAX: never */
};

osdear_status osdear_cancel_new(int64_t timeout_ms, osdear_cancel **out, osdear_error **error)
{
  osdear_cancel *cancel;
  int64_t deadline = INT64_MAX, timeout_us;

  if (timeout_ms < -1 || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "a timeout of %" PRId64 " ms: -1 for never, else 0 or more; out must not be NULL", timeout_ms);
  if (timeout_ms >= 0 &&
      (!osdear__mul_i64(timeout_ms, 1000, &timeout_us) || !osdear__add_i64(osdear__monotonic_us(), timeout_us, &deadline)))
    deadline = INT64_MAX;
  cancel = osdear__alloc(sizeof *cancel);
  if (!cancel)
    return osdear__fail_memory(error);
  atomic_init(&cancel->references, 1);
  atomic_init(&cancel->is_thrown, 0);
  cancel->deadline_us = deadline;
  *out = cancel;
  return OSDEAR_OK;
}

void osdear_cancel_throw(osdear_cancel *cancel)
{
  if (cancel)
    atomic_store(&cancel->is_thrown, 1);
}

void osdear_cancel_reset(osdear_cancel *cancel)
{
  if (cancel)
    atomic_store(&cancel->is_thrown, 0);
}

int32_t osdear_cancel_is_thrown(const osdear_cancel *cancel)
{
  return cancel ? atomic_load(&cancel->is_thrown) : 0;
}

osdear_cancel *osdear_cancel_ref(osdear_cancel *cancel)
{
  if (cancel)
    atomic_fetch_add(&cancel->references, 1);
  return cancel;
}

void osdear_cancel_unref(osdear_cancel *cancel)
{
  if (cancel && atomic_fetch_sub(&cancel->references, 1) == 1)
    osdear__free(cancel);
}

osdear_status osdear__cancel_check(const osdear_cancel *cancel, osdear_error **error)
{
  if (!cancel)
    return OSDEAR_OK;
  if (atomic_load_explicit(&cancel->is_thrown, memory_order_relaxed))
    return osdear__fail(error, OSDEAR_ERR_CANCELLED, "the call was cancelled");
  if (cancel->deadline_us != INT64_MAX && osdear__monotonic_us() >= cancel->deadline_us)
    return osdear__fail(error, OSDEAR_ERR_TIMEOUT, "the deadline of the call has passed: give it more time");
  return OSDEAR_OK;
}
