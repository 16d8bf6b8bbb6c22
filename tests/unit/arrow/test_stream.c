#include "stranger.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <osdear/stream.h>
#include <pthread.h> /* the thread sanitizer does not see C11's threads */
#include <stdlib.h>

TestSuite(stream, .fini = check_released);

static osdear__field id_field = { .name = "id", .type = { .kind = KIND_LONG } };
static const osdear__type row_type = { .kind = KIND_STRUCT, .field_count = 1, .fields = &id_field };

/* Counts down, one batch for each number; at `fails_at` it fails instead. */
typedef struct countdown {
  int64_t left;
  int64_t fails_at;
  osdear_status status;
  int calls;
  int closed;
} countdown;

static osdear_status next(void *state, struct ArrowArray *out, osdear_error **error)
{
  countdown *count = state;
  osdear_status st;

  count->calls++;
  if (count->left == count->fails_at)
    return osdear__fail(error, count->status, "no more at %" PRId64, count->left);
  if (count->left == 0)
    return OSDEAR_OK;
  st = osdear__array_new(&row_type, 1, false, 0, out, error);
  if (!st)
    *(int64_t *)(uintptr_t)out->children[0]->buffers[1] = count->left--;
  return st;
}

static void close_countdown(void *state)
{
  ((countdown *)state)->closed++;
}

Test(stream, batches_come_in_order_and_then_the_end_for_good)
{
  countdown count = { .left = 2, .fails_at = -1 };
  struct ArrowArrayStream stream = { 0 };
  struct ArrowSchema schema = { 0 };

  cr_assert_eq(osdear__stream_export(&row_type, next, close_countdown, &count, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(stream.get_schema(&stream, &schema), 0);
  cr_assert_str_eq(schema.children[0]->name, "id");
  osdear__schema_drop(&schema);
  for (int64_t expected = 2; expected > -2; expected--) {
    struct ArrowArray array = { 0 };

    cr_assert_eq(stream.get_next(&stream, &array), 0);
    cr_assert_eq(array.release != NULL, expected > 0);
    if (array.release)
      cr_assert_eq(*(const int64_t *)array.children[0]->buffers[1], expected);
    osdear__array_drop(&array);
  }
  cr_assert_eq(count.calls, 3, "the end was asked for again");
  cr_assert_null(stream.get_last_error(&stream));
  cr_assert_null(osdear_stream_error(&stream));
  stream.release(&stream);
  cr_assert_null(stream.release);
  cr_assert_eq(count.closed, 1);
}

Test(stream, a_failure_stays_and_keeps_all_its_parts)
{
  static const struct {
    osdear_status status;
    int number;
  } known[] = {
    { OSDEAR_ERR_ARGUMENT, EINVAL },     { OSDEAR_ERR_NO_MEMORY, ENOMEM },
    { OSDEAR_ERR_NOT_FOUND, ENOENT },    { OSDEAR_ERR_EXISTS, EEXIST },
    { OSDEAR_ERR_CONFLICT, EBUSY },      { OSDEAR_ERR_CORRUPT, EIO },
    { OSDEAR_ERR_UNSUPPORTED, ENOSYS },  { OSDEAR_ERR_IO, EIO },
    { OSDEAR_ERR_LIMIT, EOVERFLOW },     { OSDEAR_ERR_DENIED, EACCES },
    { OSDEAR_ERR_UNAVAILABLE, EAGAIN },  { OSDEAR_ERR_TIMEOUT, ETIMEDOUT },
    { OSDEAR_ERR_CANCELLED, ECANCELED }, { OSDEAR_ERR_DATA, EINVAL },
    { OSDEAR_ERR_STATE, EINVAL },        { OSDEAR_ERR_INTERNAL, EIO },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++) {
    countdown count = { .left = 1, .fails_at = 1, .status = known[i].status };
    struct ArrowArrayStream stream = { 0 };
    struct ArrowSchema schema = { 0 };
    struct ArrowArray array = { 0 };

    cr_assert_eq(osdear__stream_export(&row_type, next, close_countdown, &count, &stream, NULL), OSDEAR_OK);
    for (int again = 0; again < 2; again++) {
      cr_assert_eq(stream.get_next(&stream, &array), known[i].number);
      cr_assert_null(array.release);
      cr_assert_str_eq(stream.get_last_error(&stream), known[i].status == OSDEAR_ERR_NO_MEMORY
                                                           ? "out of memory: free some, or lower the context's budget"
                                                           : "no more at 1");
      cr_assert_eq(osdear_error_status(osdear_stream_error(&stream)), known[i].status);
    }
    cr_assert_eq(stream.get_schema(&stream, &schema), known[i].number);
    cr_assert_eq(count.calls, 1);
    stream.release(&stream);
  }
}

Test(stream, others_streams_have_no_error_of_ours)
{
  struct ArrowArrayStream stream = { 0 };

  cr_assert_null(osdear_stream_error(&stream));
  cr_assert_null(osdear_stream_error(NULL));
}

typedef struct reading {
  struct ArrowArrayStream stream;
  int64_t rows;
} reading;

static void *read_to_the_end(void *argument)
{
  reading *self = argument;

  for (;;) {
    struct ArrowArray array = { 0 };

    if (self->stream.get_next(&self->stream, &array) || !array.release)
      break;
    self->rows += array.length;
    array.release(&array);
  }
  self->stream.release(&self->stream);
  return NULL;
}

Test(stream, another_thread_may_read_what_one_has_made)
{
  countdown count = { .left = 5, .fails_at = -1 };
  reading self = { 0 };
  pthread_t thread;

  cr_assert_eq(osdear__stream_export(&row_type, next, close_countdown, &count, &self.stream, NULL), OSDEAR_OK);
  cr_assert_eq(pthread_create(&thread, NULL, read_to_the_end, &self), 0);
  cr_assert_eq(pthread_join(thread, NULL), 0);
  cr_assert_eq(self.rows, 5);
  cr_assert_eq(count.closed, 1);
}

/* ---- a stranger's stream ---- */

typedef struct foreign {
  int fails_schema;
  int fails_at; /* the call of get_next that fails */
  int number;   /* with which errno */
  const char *text;
  int calls;
  int batches;
  int64_t rows; /* of each batch */
  int closed;
} foreign;

static int foreign_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  foreign *state = stream->private_data;
  stranger batch = stranger_batch(stranger_new("i", "x", 0));

  if (!state->fails_schema) {
    *out = *batch.schema;
    batch.schema->release = NULL;
  }
  stranger_free(batch);
  return state->fails_schema;
}

static int foreign_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  foreign *state = stream->private_data;

  if (++state->calls == state->fails_at)
    return state->number;
  if (state->calls > state->batches) {
    out->release = NULL;
    return 0;
  }
  stranger column = stranger_new("i", "x", state->rows);
  stranger batch = stranger_batch(column);
  int32_t *values = calloc((size_t)state->rows + 1, sizeof *values);
  cr_assert_not_null(values);
  for (int64_t i = 0; i < state->rows; i++)
    values[i] = (int32_t)i;
  stranger_put(column, 1, values, (size_t)state->rows * sizeof *values);
  free(values);
  *out = *batch.array;
  batch.array->release = NULL;
  stranger_free(batch);
  return 0;
}

static const char *foreign_error(struct ArrowArrayStream *stream)
{
  return ((foreign *)stream->private_data)->text;
}

static void foreign_release(struct ArrowArrayStream *stream)
{
  ((foreign *)stream->private_data)->closed++;
  stream->release = NULL;
}

static struct ArrowArrayStream foreign_stream(foreign *state)
{
  return (struct ArrowArrayStream){ foreign_schema, foreign_next, foreign_error, foreign_release, state };
}

Test(reader, batches_of_others_are_read_to_the_end, .fini = check_released)
{
  foreign state = { .batches = 3, .rows = 2 };
  struct ArrowArrayStream stream = foreign_stream(&state);
  AUTO(reader) reader = NULL;
  int64_t rows = 0;

  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  cr_assert_null(stream.release);
  cr_assert_eq(osdear__reader_type(reader)->fields[0].type.kind, KIND_INTEGER);
  for (;;) {
    SCOPED(array) array = { 0 };

    cr_assert_eq(osdear__reader_next(reader, &array, NULL), OSDEAR_OK);
    if (!array.release)
      break;
    rows += array.length;
  }
  cr_assert_eq(rows, 6);
  for (int i = 0; i < 2; i++) {
    struct ArrowArray array = { 0 };

    cr_assert_eq(osdear__reader_next(reader, &array, NULL), OSDEAR_OK);
    cr_assert_null(array.release);
  }
  cr_assert_eq(state.calls, 4);
  osdear__reader_auto(&reader);
  cr_assert_eq(state.closed, 1);
}

Test(reader, great_batches_come_in_pieces_that_outlive_the_reader, .fini = check_released)
{
  foreign state = { .batches = 1, .rows = 300001 };
  struct ArrowArrayStream stream = foreign_stream(&state);
  AUTO(reader) reader = NULL;
  struct ArrowArray pieces[4] = { 0 };
  int64_t expected = 0;

  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  for (size_t i = 0; i < 4; i++)
    cr_assert_eq(osdear__reader_next(reader, &pieces[i], NULL), OSDEAR_OK);
  cr_assert_null(pieces[3].release);
  osdear__reader_auto(&reader);
  for (size_t i = 0; i < 3; i++) {
    const int32_t *values = pieces[i].children[0]->buffers[1];

    for (int64_t row = 0; row < pieces[i].length; row++)
      cr_assert_eq(values[row], expected++);
    osdear__array_drop(&pieces[i]);
  }
  cr_assert_eq(expected, state.rows);
}

Test(reader, an_empty_batch_is_not_the_end, .fini = check_released)
{
  foreign state = { .batches = 2, .rows = 0 };
  struct ArrowArrayStream stream = foreign_stream(&state);
  AUTO(reader) reader = NULL;

  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  for (int i = 0; i < 3; i++) {
    SCOPED(array) array = { 0 };

    cr_assert_eq(osdear__reader_next(reader, &array, NULL), OSDEAR_OK);
    cr_assert_eq(array.release != NULL, i < 2);
    cr_assert_eq(array.length, 0);
  }
}

Test(reader, failures_of_others_keep_their_text_and_class, .fini = check_released)
{
  static const struct {
    int number;
    const char *text;
    osdear_status status;
    const char *message;
  } known[] = {
    { EINVAL, "bad", OSDEAR_ERR_DATA, "asked for its next batch, the Arrow stream failed with errno 22: bad" },
    { ENOMEM, "gone", OSDEAR_ERR_NO_MEMORY, "out of memory: free some, or lower the context's budget" },
    { EIO, NULL, OSDEAR_ERR_IO, "asked for its next batch, the Arrow stream failed with errno 5: it says nothing more" },
    { ECANCELED, "\xff", OSDEAR_ERR_CANCELLED,
      "asked for its next batch, the Arrow stream failed with errno 125: it says nothing more" },
    { ETIMEDOUT, "slow", OSDEAR_ERR_TIMEOUT, "asked for its next batch, the Arrow stream failed with errno 110: slow" },
    { ENOSYS, "new", OSDEAR_ERR_UNSUPPORTED, "asked for its next batch, the Arrow stream failed with errno 38: new" },
    { -7, "odd", OSDEAR_ERR_IO, "asked for its next batch, the Arrow stream failed with errno -7: odd" },
  };

  for (size_t i = 0; i < COUNT_OF(known); i++) {
    foreign state = { .batches = 2, .rows = 1, .fails_at = 2, .number = known[i].number, .text = known[i].text };
    struct ArrowArrayStream stream = foreign_stream(&state);
    AUTO(reader) reader = NULL;
    SCOPED(array) array = { 0 };
    struct ArrowArray nothing = { 0 };
    osdear_error *error = NULL;

    cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__reader_next(reader, &array, NULL), OSDEAR_OK);
    cr_assert_eq(osdear__reader_next(reader, &nothing, &error), known[i].status);
    cr_assert_str_eq(osdear_error_message(error), known[i].message);
    osdear_error_free(error);
    cr_assert_eq(osdear__reader_next(reader, &nothing, NULL), OSDEAR_ERR_STATE);
    cr_assert_eq(state.calls, 2, "a stream that failed was asked again");
  }
}

Test(reader, a_stream_that_is_none_is_refused_and_taken_over, .fini = check_released)
{
  foreign state = { .fails_schema = EIO, .text = "no schema" };
  struct ArrowArrayStream stream = foreign_stream(&state);
  osdear__reader *reader = NULL;
  osdear_error *error = NULL;

  cr_assert_eq(osdear__reader_new(&stream, &reader, &error), OSDEAR_ERR_IO);
  cr_assert_str_eq(osdear_error_message(error), "asked for its schema, the Arrow stream failed with errno 5: no schema");
  osdear_error_free(error);
  cr_assert_null(stream.release);
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear__reader_new(NULL, &reader, NULL), OSDEAR_ERR_ARGUMENT);
  stream = foreign_stream(&state);
  stream.get_next = NULL;
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(state.closed, 2);
  cr_assert_null(reader);
}

Test(reader, a_failure_of_our_own_stream_comes_through_whole, .fini = check_released)
{
  countdown count = { .left = 1, .fails_at = 1, .status = OSDEAR_ERR_CONFLICT };
  struct ArrowArrayStream stream = { 0 };
  AUTO(reader) reader = NULL;
  struct ArrowArray array = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__stream_export(&row_type, next, close_countdown, &count, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__reader_next(reader, &array, &error), OSDEAR_ERR_CONFLICT);
  cr_assert_str_eq(osdear_error_message(error), "no more at 1");
  osdear_error_free(error);
}

/* A list of 2^29 elements in each of eight rows: together more than int32 offsets can name, but not in fewer rows. */
typedef struct great {
  stranger batch;
  bool is_done;
} great;

static int great_schema(struct ArrowArrayStream *stream, struct ArrowSchema *out)
{
  great *state = stream->private_data;

  *out = *state->batch.schema;
  state->batch.schema->release = NULL;
  return 0;
}

static int great_next(struct ArrowArrayStream *stream, struct ArrowArray *out)
{
  great *state = stream->private_data;

  if (!state->is_done) {
    *out = *state->batch.array;
    state->batch.array->release = NULL;
  }
  state->is_done = true;
  return 0;
}

static void great_release(struct ArrowArrayStream *stream)
{
  stream->release = NULL;
}

Test(reader, a_batch_too_great_for_int32_offsets_is_read_in_fewer_rows, .fini = check_released)
{
  stranger view = stranger_new("+vl", "x", 8);
  int32_t sizes[8];
  int32_t offsets[8] = { 0 };
  great state = { .is_done = false };
  struct ArrowArrayStream stream = { great_schema, great_next, NULL, great_release, &state };
  AUTO(reader) reader = NULL;
  int64_t rows = 0;
  int pieces = 0;

  for (size_t i = 0; i < 8; i++)
    sizes[i] = 1 << 29;
  stranger_put(view, 1, offsets, sizeof offsets);
  stranger_put(view, 2, sizes, sizeof sizes);
  stranger_child(view, stranger_new("n", "item", 1 << 29));
  state.batch = stranger_batch(view);
  cr_assert_eq(osdear__reader_new(&stream, &reader, NULL), OSDEAR_OK);
  for (;; pieces++) {
    SCOPED(array) array = { 0 };

    cr_assert_eq(osdear__reader_next(reader, &array, NULL), OSDEAR_OK);
    if (!array.release)
      break;
    cr_assert_eq(array.children[0]->children[0]->length, array.length << 29);
    rows += array.length;
  }
  cr_assert_eq(rows, 8);
  cr_assert_gt(pieces, 1);
  stranger_free(state.batch);
}
