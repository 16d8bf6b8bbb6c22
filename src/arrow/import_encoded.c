/** @file import_encoded.c Dictionaries and runs, decoded: we keep neither. */
#include <arrow/import.h>

/* ---- dictionaries ---- */

static osdear_status decode_dictionary(osdear__batch *batch, const osdear__column *column, const struct ArrowArray **out)
{
  osdear__dictionary *dictionary = batch->dictionaries;
  osdear__column values = {
    .schema = column->schema->dictionary,
    .array = column->array->dictionary,
    .type = column->type,
    .place = column->place,
  };
  osdear_status st;

  while (dictionary && (dictionary->source != values.array || dictionary->schema != values.schema))
    dictionary = dictionary->next;
  if (dictionary) {
    *out = &dictionary->values;
    return OSDEAR_OK;
  }
  dictionary = osdear__alloc_zeroed(1, sizeof *dictionary);
  if (!dictionary)
    return osdear__fail_memory(batch->error);
  st = osdear__import_range(batch, &values, 0, values.array->length, &dictionary->values);
  if (st) {
    osdear__free(dictionary);
    batch->bad_row = -1; /* a place in the dictionary is no row */
    return st;
  }
  dictionary->source = values.array;
  dictionary->schema = values.schema;
  dictionary->next = batch->dictionaries;
  batch->dictionaries = dictionary;
  *out = &dictionary->values;
  return OSDEAR_OK;
}

/* One index, whatever its width; those that no dictionary is long enough for come out negative. */
static int64_t index_at(osdear__kind kind, const char *indices, int64_t at)
{
  switch (kind) {
  case KIND_BYTE: return ((const int8_t *)indices)[at];
  case KIND_UINT8: return ((const uint8_t *)indices)[at];
  case KIND_SHORT: return osdear__index_at(indices, 2, at);
  case KIND_UINT16: return osdear__index_at(indices, 2, at) & UINT16_MAX;
  case KIND_INTEGER: return osdear__index_at(indices, 4, at);
  case KIND_UINT32: return osdear__index_at(indices, 4, at) & UINT32_MAX;
  default: return osdear__index_at(indices, 8, at);
  }
}

static osdear_status decode_indices(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count, int64_t size,
                                    int32_t *rows)
{
  const struct ArrowArray *array = column->array;
  const uint8_t *validity = array->null_count ? array->buffers[0] : NULL;
  osdear__kind kind = column->format.kind;

  for (int64_t i = 0; i < count; i++) {
    int64_t at = array->offset + from + i;
    int64_t index = index_at(kind, array->buffers[1], at);

    if (validity && !osdear__bit(validity, at)) {
      rows[i] = -1;
      continue;
    }
    if (index < 0 || index >= size)
      return osdear__import_fail(batch, i, "the index %" PRId64 " is not in the dictionary of %" PRId64 " values", index, size);
    rows[i] = (int32_t)index;
  }
  return OSDEAR_OK;
}

osdear_status osdear__import_dictionary(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                        struct ArrowArray *out)
{
  const struct ArrowArray *values = NULL;
  osdear_status st = decode_dictionary(batch, column, &values);
  int32_t *rows;

  if (st)
    return st;
  rows = osdear__alloc((size_t)count * sizeof *rows);
  if (!rows)
    return osdear__fail_memory(batch->error);
  st = decode_indices(batch, column, from, count, values->length, rows);
  if (!st)
    st = osdear__array_take(column->type, values, rows, count, out, batch->error);
  osdear__free(rows);
  return st;
}

/* ---- runs ---- */

typedef struct run_ends {
  const char *values;
  int32_t width;
  int64_t count;
} run_ends;

static osdear_status run_ends_of(osdear__batch *batch, const osdear__column *column, run_ends *out)
{
  const struct ArrowArray *ends = column->array->children[0];
  osdear__format format;
  bool has_nulls = ends->null_count > 0;

  if (!osdear__format_parse(column->schema->children[0]->format, &format) || ends->n_buffers != 2 || !ends->buffers ||
      ends->length < 0 || ends->offset < 0 || ends->length > OSDEAR__ROWS_MAX || ends->offset > OSDEAR__ROWS_MAX)
    return osdear__import_fail(batch, -1, "the run ends of the Arrow array are not a plain array of integers");
  if (ends->null_count < 0 && ends->buffers[0])
    has_nulls = osdear__bits_count(ends->buffers[0], ends->offset, ends->length) != ends->length;
  if (has_nulls || (ends->length && !ends->buffers[1]))
    return osdear__import_fail(batch, -1, "the run ends of the Arrow array have nulls or no buffer");
  out->values = ends->length ? (const char *)ends->buffers[1] + ends->offset * format.width : NULL;
  out->width = format.width;
  out->count = ends->length;
  return OSDEAR_OK;
}

/* The run that a row is in: the first whose end lies behind it. */
static int64_t run_of(const run_ends *ends, int64_t row)
{
  int64_t low = 0;
  int64_t high = ends->count;

  while (low < high) {
    int64_t middle = low + (high - low) / 2;

    if (osdear__index_at(ends->values, ends->width, middle) <= row)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* For each row the number of its run, counted from `first`; *runs is how many there are. */
static osdear_status expand_runs(osdear__batch *batch, const run_ends *ends, int64_t at, int64_t count, int64_t first,
                                 int32_t *rows, int64_t *runs)
{
  int64_t run = first;
  int64_t done = 0;

  for (; done < count; run++) {
    int64_t end = run < ends->count ? osdear__index_at(ends->values, ends->width, run) : 0;

    if (run >= ends->count)
      return osdear__import_fail(batch, done, "the runs of the Arrow array end before its rows do");
    if (end - at <= done)
      return osdear__import_fail(batch, done, "the run ends of the Arrow array do not ascend");
    if (end - at > count)
      end = at + count;
    for (; done < end - at; done++)
      rows[done] = (int32_t)(run - first);
  }
  *runs = run - first;
  return OSDEAR_OK;
}

osdear_status osdear__import_runs(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                  struct ArrowArray *out)
{
  osdear__column child = osdear__column_child(column, 1, column->type, "values");
  int64_t at = column->array->offset + from;
  SCOPED(array) values = { 0 };
  run_ends ends = { 0 };
  osdear_status st = run_ends_of(batch, column, &ends);
  int64_t first = 0;
  int64_t runs = 0;
  int32_t *rows;

  if (st)
    return st;
  child.place = column->place; /* what is run-end encoded is a matter of layout, not of place */
  first = run_of(&ends, at);
  rows = osdear__alloc((size_t)count * sizeof *rows);
  if (!rows)
    return osdear__fail_memory(batch->error);
  st = expand_runs(batch, &ends, at, count, first, rows, &runs);
  if (!st) {
    st = osdear__import_range(batch, &child, first, runs, &values);
    if (st && batch->bad_row >= 0) {
      int64_t row = 0;

      while (row < count - 1 && rows[row] < batch->bad_row)
        row++;
      batch->bad_row = row;
    }
  }
  if (!st)
    st = osdear__array_take(column->type, &values, rows, count, out, batch->error);
  osdear__free(rows);
  return st;
}
