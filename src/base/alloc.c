/* The one place that asks for memory. */
#include <base/base.h>

#include <stdatomic.h>
#include <stdlib.h>

#define LARGE_BLOCK ((size_t)8 << 20)

#ifdef OSDEAR_FAULTS
static _Atomic int64_t live_blocks;
static _Atomic int64_t fault_after[FAULT_KINDS] = { -1, -1, -1, -1 };
static _Atomic int64_t fault_hits;
static _Atomic bool fault_once;
#endif

static void *default_allocate(void *context, size_t size)
{
  (void)context;
  return malloc(size);
}

static void *default_reallocate(void *context, void *block, size_t size)
{
  (void)context;
  return realloc(block, size);
}

static void default_release(void *context, void *block)
{
  (void)context;
  free(block);
}

static osdear_allocator the_allocator = { sizeof(osdear_allocator), NULL, default_allocate, default_reallocate, default_release };
static _Atomic bool was_used;

osdear_status osdear_allocator_set(const osdear_allocator *allocator)
{
  if (!allocator || allocator->size != sizeof *allocator || !allocator->allocate || !allocator->reallocate || !allocator->release)
    return OSDEAR_ERR_ARGUMENT;
  if (atomic_load(&was_used))
    return OSDEAR_ERR_STATE;
  the_allocator = *allocator;
  return OSDEAR_OK;
}

/* glibc gives what is freed back to the kernel unless it has seen a block so large be freed; batch after batch of a scan the kernel would
 * clear the same pages, which takes more time than decoding them. This block is never touched, so that it takes no memory. */
static void show_large_block(void)
{
  void *volatile block = the_allocator.allocate == default_allocate ? malloc(LARGE_BLOCK) : NULL;

  free(block);
}

static void note_use(void)
{
  if (UNLIKELY(!atomic_load_explicit(&was_used, memory_order_relaxed)) && !atomic_exchange(&was_used, true))
    show_large_block();
}

static void *count_block(void *block)
{
#ifdef OSDEAR_FAULTS
  if (block)
    atomic_fetch_add(&live_blocks, 1);
#endif
  return block;
}

void *osdear__alloc(size_t size)
{
  note_use();
  if (size == 0 || osdear__fault_hit(FAULT_ALLOC))
    return NULL;
  return count_block(the_allocator.allocate(the_allocator.context, size));
}

void *osdear__alloc_zeroed(size_t count, size_t size)
{
  size_t bytes;
  void *block;

  if (__builtin_mul_overflow(count, size, &bytes))
    return NULL;
  block = osdear__alloc(bytes);
  if (block)
    memset(block, 0, bytes);
  return block;
}

void *osdear__realloc(void *block, size_t size)
{
  void *moved;

  if (!block)
    return osdear__alloc(size);
  if (size == 0 || osdear__fault_hit(FAULT_ALLOC))
    return NULL;
  moved = the_allocator.reallocate(the_allocator.context, block, size);
  return moved;
}

void *osdear__realloc_array(void *block, size_t count, size_t size)
{
  size_t bytes;

  if (__builtin_mul_overflow(count, size, &bytes))
    return NULL;
  return osdear__realloc(block, bytes);
}

void osdear__free(void *block)
{
  if (!block)
    return;
#ifdef OSDEAR_FAULTS
  atomic_fetch_sub(&live_blocks, 1);
#endif
  the_allocator.release(the_allocator.context, block);
}

char *osdear__strndup(const char *text, size_t size)
{
  char *copy = size < SIZE_MAX ? osdear__alloc(size + 1) : NULL;

  if (!copy)
    return NULL;
  memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

char *osdear__strdup(const char *text)
{
  return osdear__strndup(text, strlen(text));
}

#ifdef OSDEAR_FAULTS
void osdear__fault_arm(osdear__fault_kind kind, int64_t after, bool once)
{
  atomic_store(&fault_hits, 0);
  atomic_store(&fault_once, once);
  atomic_store(&fault_after[kind], after);
}

void osdear__fault_disarm(void)
{
  for (size_t i = 0; i < FAULT_KINDS; i++)
    atomic_store(&fault_after[i], -1);
}

/* A counter runs down to 0 and stays there: every call from then on fails. With `once`, the call that finds it at 0 turns it off. */
bool osdear__fault_hit(osdear__fault_kind kind)
{
  int64_t left = atomic_load(&fault_after[kind]);

  for (;;) {
    int64_t next = left > 0 ? left - 1 : atomic_load(&fault_once) ? -1 : 0;
    if (left < 0)
      return false;
    if (atomic_compare_exchange_weak(&fault_after[kind], &left, next))
      break;
  }
  if (left > 0)
    return false;
  atomic_fetch_add(&fault_hits, 1);
  return true;
}

int64_t osdear__fault_count(void)
{
  return atomic_load(&fault_hits);
}

int64_t osdear__live(void)
{
  return atomic_load(&live_blocks);
}
#endif

void osdear__wipe(void *data, size_t size)
{
  if (size > 0)
    explicit_bzero(data, size);
}
