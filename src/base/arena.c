/* Blocks freed together: each is twice as large as the one before, up to a bound, so that few are needed. */
#include <base/base.h>

#include <stdalign.h>
#include <stdio.h>

#define FIRST_BLOCK ((size_t)4096)
#define LARGEST_BLOCK ((size_t)1 << 20)
#define ALIGNMENT alignof(max_align_t)

struct osdear__arena_block {
  osdear__arena_block *next;
  size_t size; /* of the bytes behind this header */
  alignas(max_align_t) char bytes[];
};

static osdear__arena_block *add_block(osdear__arena *arena, size_t size)
{
  size_t grown = arena->blocks ? arena->blocks->size * 2 : FIRST_BLOCK;
  osdear__arena_block *block;

  if (grown > LARGEST_BLOCK)
    grown = LARGEST_BLOCK;
  if (grown < size)
    grown = size;
  if (grown > SIZE_MAX / 2)
    return NULL;
  block = osdear__alloc(sizeof *block + grown);
  if (!block)
    return NULL;
  block->size = grown;
  block->next = arena->blocks;
  arena->blocks = block;
  arena->total_bytes += grown;
  return block;
}

static void *take(osdear__arena *arena, size_t size, size_t alignment)
{
  size_t skip = arena->next ? (size_t)(-(uintptr_t)arena->next & (alignment - 1)) : 0;
  osdear__arena_block *block;
  char *at;

  if (arena->next && (size_t)(arena->end - arena->next) >= skip && (size_t)(arena->end - arena->next) - skip >= size) {
    at = arena->next + skip;
    arena->next = at + size;
    return at;
  }
  block = add_block(arena, size);
  if (!block)
    return NULL;
  arena->next = block->bytes + size;
  arena->end = block->bytes + block->size;
  return block->bytes;
}

void *osdear__arena_alloc(osdear__arena *arena, size_t size)
{
  return take(arena, size ? size : 1, ALIGNMENT);
}

void *osdear__arena_zeroed(osdear__arena *arena, size_t count, size_t size)
{
  size_t bytes;
  void *at;

  if (__builtin_mul_overflow(count, size, &bytes))
    return NULL;
  at = osdear__arena_alloc(arena, bytes);
  if (at)
    memset(at, 0, bytes);
  return at;
}

char *osdear__arena_strndup(osdear__arena *arena, const char *text, size_t size)
{
  char *copy = size < SIZE_MAX ? take(arena, size + 1, 1) : NULL;

  if (!copy)
    return NULL;
  if (size)
    memcpy(copy, text, size);
  copy[size] = '\0';
  return copy;
}

char *osdear__arena_strdup(osdear__arena *arena, const char *text)
{
  return osdear__arena_strndup(arena, text, strlen(text));
}

char *osdear__arena_printf(osdear__arena *arena, const char *format, ...)
{
  va_list arguments;
  char *text;
  int size;

  va_start(arguments, format);
  size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  text = size < 0 ? NULL : take(arena, (size_t)size + 1, 1);
  if (!text)
    return NULL;
  va_start(arguments, format);
  vsnprintf(text, (size_t)size + 1, format, arguments);
  va_end(arguments);
  return text;
}

static void free_blocks(osdear__arena_block *block)
{
  while (block) {
    osdear__arena_block *next = block->next;
    osdear__free(block);
    block = next;
  }
}

void osdear__arena_drop(osdear__arena *arena)
{
  free_blocks(arena->blocks);
  *arena = (osdear__arena){ 0 };
}

void osdear__arena_reset(osdear__arena *arena)
{
  osdear__arena_block *kept = arena->blocks;

  if (!kept)
    return;
  free_blocks(kept->next);
  kept->next = NULL;
  arena->next = kept->bytes;
  arena->end = kept->bytes + kept->size;
  arena->total_bytes = kept->size;
}
