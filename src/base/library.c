/* Shared libraries that come in with their first use: who never needs them pays neither their memory nor their start-up. */
#include <base/base.h>

#include <dlfcn.h>
#include <pthread.h>

/* One at a time: two threads that need a library first must not both fill its table. */
static pthread_mutex_t opening = PTHREAD_MUTEX_INITIALIZER;

static void *open_any(const osdear__library *library)
{
  void *handle = NULL;

  for (size_t i = 0; !handle && i < COUNT_OF(library->files) && library->files[i]; i++)
    handle = dlopen(library->files[i], RTLD_NOW | RTLD_LOCAL);
  return handle;
}

/* POSIX lets a pointer to a function pass through one to an object; ISO C wants it copied, not cast. */
static const char *look_up(void *handle, const osdear__library *library)
{
  char *at = library->table;

  for (size_t i = 0; i < library->symbol_count; i++, at += sizeof(void *)) {
    void *symbol = dlsym(handle, library->symbols[i]);
    if (!symbol)
      return library->symbols[i];
    memcpy(at, &symbol, sizeof symbol);
  }
  return NULL;
}

static osdear_status open_now(osdear__library *library, osdear_error **error)
{
  void *handle = open_any(library);
  const char *missing;

  if (!handle)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s needs the library %s, which cannot be loaded: install it (Debian: %s)",
                        library->purpose, library->files[0], library->package);
  missing = look_up(handle, library);
  if (missing)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s needs a newer %s: the one there has no %s", library->purpose,
                        library->files[0], missing);
  library->handle = handle;
  return library->start ? library->start(error) : OSDEAR_OK;
}

osdear__library_call osdear__library_find(const osdear__library *library, const char *symbol)
{
  void *found = library->handle ? dlsym(library->handle, symbol) : NULL;
  osdear__library_call call = NULL;

  if (found)
    memcpy(&call, &found, sizeof call);
  return call;
}

osdear_status osdear__library_open(osdear__library *library, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (LIKELY(atomic_load_explicit(&library->is_open, memory_order_acquire)))
    return OSDEAR_OK;
  pthread_mutex_lock(&opening);
  if (!atomic_load_explicit(&library->is_open, memory_order_relaxed)) {
    st = open_now(library, error);
    if (!st)
      atomic_store_explicit(&library->is_open, true, memory_order_release);
  }
  pthread_mutex_unlock(&opening);
  return st;
}
