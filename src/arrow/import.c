/** @file import.c A stranger's batch: what every column must have, and where to go on for each layout. */
#include <stdio.h>

#include <arrow/import.h>

/* No honest array comes near; below it no sum or product of row numbers and widths overflows. */
#define LENGTH_MAX (INT64_C(1) << 40)

osdear_status osdear__import_fail(osdear__batch *batch, int64_t row, const char *format, ...)
{
  char text[OSDEAR__PLACE_TEXT];
  va_list arguments;

  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  batch->bad_row = row;
  return osdear__fail(batch->error, OSDEAR_ERR_DATA, "%s", text);
}

/* ---- what every column must have ---- */

static int64_t buffers_needed(const osdear__format *format)
{
  switch (format->layout) {
  case LAYOUT_NULL:
  case LAYOUT_RUNS: return 0;
  case LAYOUT_LIST_FIXED:
  case LAYOUT_STRUCT: return 1;
  case LAYOUT_BYTES:
  case LAYOUT_BYTES_LARGE:
  case LAYOUT_VIEWS: /* and one for each buffer of bytes */
  case LAYOUT_LIST_VIEW:
  case LAYOUT_LIST_VIEW_LARGE: return 3;
  default: return 2;
  }
}

static bool has_validity(const osdear__format *format)
{
  return buffers_needed(format) > 0;
}

static osdear_status check_counts(osdear__batch *batch, const osdear__column *column)
{
  const struct ArrowArray *array = column->array;

  if (array->length < 0 || array->length > LENGTH_MAX || array->offset < 0 || array->offset > LENGTH_MAX)
    return osdear__import_fail(batch, -1, "the Arrow array has length %" PRId64 " and offset %" PRId64, array->length,
                               array->offset);
  if (array->null_count < -1 || array->null_count > array->length)
    return osdear__import_fail(batch, -1, "the Arrow array claims %" PRId64 " nulls in %" PRId64 " rows", array->null_count,
                               array->length);
  if (array->null_count > 0 && has_validity(&column->format) && array->n_buffers > 0 && array->buffers && !array->buffers[0])
    return osdear__import_fail(batch, -1, "the Arrow array claims %" PRId64 " nulls but has no validity buffer",
                               array->null_count);
  return OSDEAR_OK;
}

static osdear_status check_shape(osdear__batch *batch, const osdear__column *column)
{
  const struct ArrowArray *array = column->array;
  int64_t needed = buffers_needed(&column->format);
  int64_t most = needed;

  if (column->format.layout == LAYOUT_VIEWS)
    most = INT32_MAX;
  else if (column->format.layout == LAYOUT_NULL)
    most = 1; /* a validity that the specification does not have, but Polars hands out */
  if (array->n_buffers < needed || array->n_buffers > most)
    return osdear__import_fail(batch, -1, "the Arrow array has %" PRId64 " buffers where format \"%s\" has %" PRId64,
                               array->n_buffers, column->schema->format, needed);
  if (array->n_buffers && !array->buffers)
    return osdear__import_fail(batch, -1, "the Arrow array has no list of buffers");
  if (array->n_children != column->schema->n_children)
    return osdear__import_fail(batch, -1, "the Arrow array has %" PRId64 " children where its schema has %" PRId64,
                               array->n_children, column->schema->n_children);
  if (array->n_children && !array->children)
    return osdear__import_fail(batch, -1, "the Arrow array has no list of children");
  for (int64_t i = 0; i < array->n_children; i++)
    if (!array->children[i] || !array->children[i]->release)
      return osdear__import_fail(batch, -1, "a child of the Arrow array is NULL or was released already");
  if (!array->dictionary != !column->schema->dictionary || (array->dictionary && !array->dictionary->release))
    return osdear__import_fail(batch, -1, "the Arrow array's dictionary is not what its schema says");
  return OSDEAR_OK;
}

/* Buffers may only be NULL where no row would be read from them. */
static osdear_status check_buffers(osdear__batch *batch, const osdear__column *column)
{
  const struct ArrowArray *array = column->array;
  int64_t needed = buffers_needed(&column->format);

  if (array->length == 0 || (column->format.layout == LAYOUT_FIXED && column->format.width == 0))
    return OSDEAR_OK;
  for (int64_t i = 1; i < needed; i++) {
    bool is_bytes = i == 2 && (column->format.layout == LAYOUT_BYTES || column->format.layout == LAYOUT_BYTES_LARGE);
    bool is_variadic = i == 2 && column->format.layout == LAYOUT_VIEWS;

    if (!array->buffers[i] && !is_bytes && !is_variadic)
      return osdear__import_fail(batch, -1, "buffer %" PRId64 " of the Arrow array is NULL", i);
  }
  return OSDEAR_OK;
}

/* ---- validity ---- */

static osdear_status import_validity(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  const struct ArrowArray *array = column->array;
  const uint8_t *bits = has_validity(&column->format) ? array->buffers[0] : NULL;
  uint8_t *copy;

  if (!bits || array->null_count == 0)
    return OSDEAR_OK;
  out->null_count = out->length - osdear__bits_count(bits, at, out->length);
  if (out->length == array->length && array->null_count > 0 && array->null_count != out->null_count)
    return osdear__import_fail(batch, -1, "the Arrow array claims %" PRId64 " nulls but has %" PRId64, array->null_count,
                               out->null_count);
  if (!out->null_count)
    return OSDEAR_OK;
  if (!(at & 7)) {
    osdear__array_borrow(out, 0, bits + (at >> 3), batch->lender);
    return OSDEAR_OK;
  }
  copy = osdear__array_buffer(out, 0, osdear__bits_size(out->length));
  if (!copy)
    return osdear__fail_memory(batch->error);
  osdear__bits_copy(bits, at, copy, 0, out->length);
  return OSDEAR_OK;
}

/* ---- columns ---- */

osdear__column osdear__column_child(const osdear__column *column, int64_t index, const osdear__type *type, const char *name)
{
  const struct ArrowSchema *schema = column->schema->children[index];

  return (osdear__column){
    .schema = schema,
    .array = column->array->children[index],
    .type = type,
    .place = { &column->place, name           ? name
                               : schema->name ? schema->name
                                              : "" },
  };
}

static osdear_status import_values(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  switch (column->format.layout) {
  case LAYOUT_NULL: return OSDEAR_OK;
  case LAYOUT_BITS: return osdear__import_bits(batch, column, at, out);
  case LAYOUT_FIXED: return osdear__import_fixed(batch, column, at, out);
  case LAYOUT_BYTES:
  case LAYOUT_BYTES_LARGE: return osdear__import_bytes(batch, column, at, out);
  case LAYOUT_VIEWS: return osdear__import_views(batch, column, at, out);
  case LAYOUT_STRUCT: return osdear__import_struct(batch, column, at, out);
  default: return osdear__import_list(batch, column, at, out);
  }
}

static osdear_status import_plain(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                  struct ArrowArray *out)
{
  int64_t at = column->array->offset + from;
  osdear_status st = osdear__array_node(column->type, count, out, batch->error);

  if (!st)
    st = import_validity(batch, column, at, out);
  if (!st)
    st = import_values(batch, column, at, out);
  return st;
}

static osdear_status import_range(osdear__batch *batch, osdear__column *column, int64_t from, int64_t count,
                                  struct ArrowArray *out)
{
  osdear_status st;

  if (!osdear__format_parse(column->schema->format, &column->format))
    return osdear__fail(batch->error, OSDEAR_ERR_UNSUPPORTED, "the Arrow format \"%.40s\" has no type here",
                        column->schema->format);
  st = check_counts(batch, column);
  if (!st)
    st = check_shape(batch, column);
  if (!st)
    st = check_buffers(batch, column);
  if (st)
    return st;
  if (from < 0 || count < 0 || from > column->array->length || count > column->array->length - from)
    return osdear__import_fail(batch, -1, "the Arrow array has %" PRId64 " rows where its parent needs %" PRId64,
                               column->array->length, from + count);
  if (count > OSDEAR__ROWS_MAX)
    return osdear__fail(batch->error, OSDEAR_ERR_LIMIT, "%" PRId64 " rows or elements in one batch; use smaller batches", count);
  if (count == 0)
    return osdear__array_new(column->type, 0, false, 0, out, batch->error);
  if (column->schema->dictionary)
    return osdear__import_dictionary(batch, column, from, count, out);
  if (column->format.layout == LAYOUT_RUNS)
    return osdear__import_runs(batch, column, from, count, out);
  return import_plain(batch, column, from, count, out);
}

osdear_status osdear__import_range(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                   struct ArrowArray *out)
{
  SCOPED(array) array = { 0 };
  osdear__column known = *column;
  osdear_status st = import_range(batch, &known, from, count, &array);

  if (st && !batch->bad_place[0])
    osdear__place_text(&column->place, batch->bad_place);
  if (!st)
    osdear__array_move(&array, out);
  return st;
}

/* ---- batches ---- */

osdear_status osdear__batch_new(const struct ArrowSchema *schema, const osdear__type *type, struct ArrowArray *array,
                                osdear__batch **out, osdear_error **error)
{
  AUTO(batch) batch = NULL;
  osdear_status st;

  if (!array->release)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the Arrow array was released already");
  batch = osdear__alloc_zeroed(1, sizeof *batch);
  if (!batch) {
    osdear__array_drop(array);
    return osdear__fail_memory(error);
  }
  batch->schema = schema;
  batch->type = type;
  st = osdear__lender_new(array, &batch->lender, error);
  if (st)
    return st;
  *out = batch;
  batch = NULL;
  return OSDEAR_OK;
}

void osdear__batch_auto(osdear__batch **batch)
{
  if (!*batch)
    return;
  while ((*batch)->dictionaries) {
    osdear__dictionary *dictionary = (*batch)->dictionaries;

    (*batch)->dictionaries = dictionary->next;
    osdear__array_drop(&dictionary->values);
    osdear__free(dictionary);
  }
  osdear__lender_auto(&(*batch)->lender);
  osdear__free(*batch);
  *batch = NULL;
}

int64_t osdear__batch_rows(const osdear__batch *batch)
{
  return osdear__lender_array(batch->lender)->length;
}

/* The failure, with the column and row that the way up has found. */
static osdear_status located(osdear__batch *batch, osdear_status status, int64_t rows_before)
{
  const char *place = batch->bad_place[0] ? batch->bad_place : NULL;

  if (place && batch->bad_row >= 0)
    return osdear__fail_within(batch->error, status, "column %s, row %" PRId64, place, rows_before + batch->bad_row);
  if (place)
    return osdear__fail_within(batch->error, status, "column %s", place);
  if (batch->bad_row >= 0)
    return osdear__fail_within(batch->error, status, "row %" PRId64, rows_before + batch->bad_row);
  return status;
}

osdear_status osdear__batch_read(osdear__batch *batch, int64_t from, int64_t count, int64_t rows_before, struct ArrowArray *out,
                                 osdear_error **error)
{
  SCOPED(array) array = { 0 };
  osdear__column root = {
    .schema = batch->schema, .array = osdear__lender_array(batch->lender), .type = batch->type, .place = { NULL, NULL }
  };
  osdear_status st;

  batch->error = error;
  batch->bad_row = -1;
  batch->bad_place[0] = '\0';
  st = osdear__import_range(batch, &root, from, count, &array);
  if (!st && array.null_count) {
    int64_t row = 0;

    while (osdear__is_valid(&array, row))
      row++;
    st = osdear__import_fail(batch, row, "the row itself is null, which a batch of columns cannot have");
  }
  if (st)
    return located(batch, st, rows_before + from);
  osdear__array_move(&array, out);
  return OSDEAR_OK;
}

osdear_status osdear__array_import(const struct ArrowSchema *schema, const osdear__type *type, struct ArrowArray *array,
                                   struct ArrowArray *out, osdear_error **error)
{
  AUTO(batch) batch = NULL;
  osdear_status st = osdear__batch_new(schema, type, array, &batch, error);

  if (st)
    return st;
  return osdear__batch_read(batch, 0, osdear__batch_rows(batch), 0, out, error);
}
