#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rows.h"

#define COLUMNS 3
#define NAME_BYTES 12

static const char *const formats[COLUMNS] = { "l", "u", "tdD" };
static const char *const names[COLUMNS] = { "id", "name", "day" };

/* Tests do not survive a lack of their own memory. */
static void *take(size_t count, size_t size)
{
  void *block = calloc(count > 0 ? count : 1, size);

  if (!block)
    abort();
  return block;
}

static void release_schema(struct ArrowSchema *schema)
{
  for (int64_t i = 0; i < schema->n_children; i++) {
    if (schema->children[i]->release)
      schema->children[i]->release(schema->children[i]);
    free(schema->children[i]);
  }
  free(schema->children);
  schema->release = NULL;
}

void rows_schema(struct ArrowSchema *out)
{
  *out = (struct ArrowSchema){ .format = "+s", .name = "", .n_children = COLUMNS, .release = release_schema };
  out->children = take(COLUMNS, sizeof *out->children);
  for (size_t i = 0; i < COLUMNS; i++) {
    out->children[i] = take(1, sizeof *out->children[i]);
    *out->children[i] =
        (struct ArrowSchema){ .format = formats[i], .name = names[i], .release = release_schema, .flags = ARROW_FLAG_NULLABLE };
  }
}

static void release_array(struct ArrowArray *array)
{
  for (int64_t i = 0; i < array->n_buffers; i++)
    free((void *)(intptr_t)array->buffers[i]);
  free(array->buffers);
  for (int64_t i = 0; i < array->n_children; i++) {
    if (array->children[i]->release)
      array->children[i]->release(array->children[i]);
    free(array->children[i]);
  }
  free(array->children);
  array->release = NULL;
}

static struct ArrowArray *new_array(int64_t length, int64_t buffers, int64_t children)
{
  struct ArrowArray *array = take(1, sizeof *array);

  array->length = length;
  array->n_buffers = buffers;
  array->buffers = take((size_t)buffers, sizeof *array->buffers);
  array->n_children = children;
  array->children = take((size_t)children, sizeof *array->children);
  array->release = release_array;
  return array;
}

static struct ArrowArray *id_column(int64_t first, int64_t count)
{
  struct ArrowArray *array = new_array(count, 2, 0);
  int64_t *values = take((size_t)count, sizeof *values);

  for (int64_t i = 0; i < count; i++)
    values[i] = first + i;
  array->buffers[1] = values;
  return array;
}

static struct ArrowArray *name_column(int64_t first, int64_t count)
{
  struct ArrowArray *array = new_array(count, 3, 0);
  uint8_t *validity = take((size_t)count / 8 + 1, 1);
  int32_t *ends = take((size_t)count + 1, sizeof *ends);
  char *text = take((size_t)count * NAME_BYTES, 1);

  for (int64_t i = 0; i < count; i++) {
    bool is_null = (first + i) % 3 == 0;
    int size = is_null ? 0 : snprintf(text + ends[i], NAME_BYTES, "name-%lld", (long long)(first + i) % 100000);

    ends[i + 1] = ends[i] + size;
    array->null_count += is_null;
    if (!is_null)
      validity[i / 8] |= (uint8_t)(1u << (i % 8));
  }
  array->buffers[0] = validity;
  array->buffers[1] = ends;
  array->buffers[2] = text;
  return array;
}

static struct ArrowArray *day_column(int64_t first, int64_t count)
{
  struct ArrowArray *array = new_array(count, 2, 0);
  int32_t *values = take((size_t)count, sizeof *values);

  for (int64_t i = 0; i < count; i++)
    values[i] = 19000 + (int32_t)((first + i) % ROWS_DAYS);
  array->buffers[1] = values;
  return array;
}

typedef struct source {
  int64_t next;
  int64_t end;
  int64_t batch;
} source;

static int source_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  (void)stream;
  rows_schema(out);
  return 0;
}

static int source_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  source *state = stream->private_data;
  int64_t count = state->end - state->next < state->batch ? state->end - state->next : state->batch;
  struct ArrowArray *rows;

  *out = (struct ArrowArray){ 0 };
  if (count <= 0)
    return 0;
  rows = new_array(count, 1, COLUMNS);
  rows->children[0] = id_column(state->next, count);
  rows->children[1] = name_column(state->next, count);
  rows->children[2] = day_column(state->next, count);
  state->next += count;
  *out = *rows;
  free(rows);
  return 0;
}

static const char *source_error(struct ArrowArrayStream *stream)
{
  (void)stream;
  return NULL;
}

static void source_release(struct ArrowArrayStream *stream)
{
  free(stream->private_data);
  stream->release = NULL;
}

void rows_stream(int64_t first, int64_t count, int64_t batch, struct ArrowArrayStream *out)
{
  source *state = take(1, sizeof *state);

  *state = (source){ first, first + count, batch };
  *out = (struct ArrowArrayStream){ source_schema, source_next, source_error, source_release, state };
}

static int64_t sum_ids(const struct ArrowArray *rows)
{
  const struct ArrowArray *ids = rows->children[0];
  const int64_t *values = (const int64_t *)ids->buffers[1] + ids->offset;
  int64_t sum = 0;

  for (int64_t i = 0; i < rows->length; i++)
    sum += values[rows->offset + i];
  return sum;
}

int64_t rows_drain(struct ArrowArrayStream *stream, int64_t *id_sum)
{
  struct ArrowArray rows = { 0 };
  int64_t count = 0;
  int failure = 0;

  if (id_sum)
    *id_sum = 0;
  for (;;) {
    failure = stream->get_next(stream, &rows);
    if (failure || !rows.release)
      break;
    count += rows.length;
    if (id_sum)
      *id_sum += sum_ids(&rows);
    rows.release(&rows);
  }
  stream->release(stream);
  return failure ? -1 : count;
}
