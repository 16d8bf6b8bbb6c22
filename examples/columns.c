#include "columns.h"

#include <string.h>

void *get_memory(size_t size)
{
  void *block = malloc(size ? size : 1);

  if (!block) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return block;
}

static void release_array(struct ArrowArray *array)
{
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release)
      array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  for (int64_t i = 0; i < array->n_buffers; i++)
    free((void *)(uintptr_t)array->buffers[i]);
  free(array->children);
  free(array->buffers);
  array->release = NULL;
}

void make_column(struct ArrowArray *out, int64_t length, void *offsets, void *values)
{
  const void **buffers = get_memory(3 * sizeof *buffers);

  buffers[0] = NULL; /* no validity: no nulls */
  buffers[1] = offsets ? offsets : values;
  buffers[2] = values;
  *out = (struct ArrowArray){ .length = length, .n_buffers = offsets ? 3 : 2, .buffers = buffers, .release = release_array };
}

void make_batch(struct ArrowArray *out, int64_t length, struct ArrowArray *columns, int64_t count)
{
  struct ArrowArray **children = get_memory((size_t)count * sizeof *children);
  const void **buffers = get_memory(sizeof *buffers);

  buffers[0] = NULL;
  for (int64_t i = 0; i < count; i++) {
    children[i] = get_memory(sizeof *children[i]);
    *children[i] = columns[i];
  }
  *out = (struct ArrowArray){
    .length = length,
    .n_buffers = 1,
    .buffers = buffers,
    .n_children = count,
    .children = children,
    .release = release_array,
  };
}

const struct ArrowArray *column(const struct ArrowSchema *schema, const struct ArrowArray *batch, const char *name)
{
  for (int64_t i = 0; i < schema->n_children; i++)
    if (strcmp(schema->children[i]->name, name) == 0)
      return batch->children[i];
  fprintf(stderr, "there is no column %s\n", name);
  exit(1);
}

int64_t number_at(const struct ArrowArray *array, int64_t row)
{
  return ((const int64_t *)array->buffers[1])[array->offset + row];
}

const char *text_at(const struct ArrowArray *array, int64_t row, int *size)
{
  const int32_t *offsets = (const int32_t *)array->buffers[1] + array->offset;

  *size = offsets[row + 1] - offsets[row];
  return (const char *)array->buffers[2] + offsets[row];
}
