/* A stream of batches that are there already. */
#include <arrow/arrow.h>
#include <osdear/stream.h>

typedef struct batches {
  struct ArrowSchema schema;
  osdear__arena arena; /* holds what `type` points to */
  osdear__type type;
  size_t next, count;
  struct ArrowArray items[];
} batches;

static void close_batches(void *state)
{
  batches *all = state;

  osdear__schema_drop(&all->schema);
  for (size_t i = all->next; i < all->count; i++)
    osdear__array_drop(&all->items[i]);
  osdear__arena_drop(&all->arena);
  osdear__free(all);
}

static osdear_status next_batch(void *state, struct ArrowArray *out, osdear_error **error)
{
  batches *all = state;

  if (all->next == all->count)
    return OSDEAR_OK;
  return osdear__array_import(&all->schema, &all->type, &all->items[all->next++], out, error);
}

static void drop_inputs(struct ArrowSchema *schema, struct ArrowArray *arrays, size_t count)
{
  if (schema)
    osdear__schema_drop(schema);
  for (size_t i = 0; arrays && i < count; i++)
    osdear__array_drop(&arrays[i]);
}

osdear_status osdear_stream_new(struct ArrowSchema *schema, struct ArrowArray *arrays, size_t count, struct ArrowArrayStream *out,
                                osdear_error **error)
{
  bool is_whole = schema && schema->release && out && (arrays || count == 0);
  batches *all;
  osdear_status st;

  for (size_t i = 0; is_whole && i < count; i++)
    is_whole = arrays[i].release != NULL;
  if (!is_whole) {
    drop_inputs(schema, arrays, count);
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "schema, out and each of the %zu batches must be there and not released",
                        count);
  }
  all = count < SIZE_MAX / 2 / sizeof *arrays ? osdear__alloc_zeroed(1, sizeof *all + count * sizeof *arrays) : NULL;
  if (!all) {
    drop_inputs(schema, arrays, count);
    return osdear__fail_memory(error);
  }
  /* Moved as the specification has it: the bits are copied, the source is marked as released. */
  all->schema = *schema;
  schema->release = NULL;
  for (; all->count < count; all->count++) {
    all->items[all->count] = arrays[all->count];
    arrays[all->count].release = NULL;
  }
  st = osdear__schema_import(&all->schema, &all->arena, &all->type, error);
  if (st) {
    close_batches(all);
    return st;
  }
  return osdear__stream_export(&all->type, next_batch, close_batches, all, out, error);
}
