/** @file cursor.c A row group as a sequence of batches. */
#include <parquet/read.h>

#define DEFAULT_READ_AHEAD (INT64_C(1) << 20)
#define DEFAULT_FETCH (INT64_C(16) << 20)
#define BATCH_ROWS (INT64_C(1) << 20)        /* more are never given at once */
#define BATCH_BYTES (INT64_C(64) << 20)      /* of one column's strings, where rows allow */
#define BATCH_LEVELS (INT64_C(1) << 22)      /* of one column's lists */
#define ROW_LEVELS (INT64_C(1) << 26)        /* where it is a single row */
#define MAX_FIXED (INT32_C(1) << 24)         /* bytes of a FIXED value */
#define FIXED_BATCH_BYTES (INT64_C(1) << 26) /* of one column of wide FIXED values */

struct osdear__parquet_cursor {
  osdear__parquet *file;
  size_t group;
  osdear__arena arena;
  osdear__pq_plan *plan;
  osdear__input *ahead; /* that the columns read from; NULL: the file's own */
  osdear__pq_column *columns;
  size_t column_count;
  osdear__row_range *ranges;
  size_t range_count;
  size_t range;       /* at hand */
  int64_t row;        /* of the group, that comes next */
  int64_t cap_rows;   /* of any batch */
  size_t batch_bytes; /* of one column's strings, of more than a row */
  int64_t most_rows;  /* that the next can hold, as the ones before tell */
  bool failed;
  osdear__codec_state codecs;
};

static osdear_status within_column(const osdear__parquet_cursor *cursor, const osdear__pq_column *column, osdear_status st,
                                   osdear_error **error)
{
  SCOPED(buf) name = { 0 };

  osdear__pq_leaf_name(column->leaf, &name);
  return osdear__fail_within(error, st, "%s: row group %zu, column %s", cursor->file->name, cursor->group,
                             name.data ? name.data : "?");
}

/* ---- opening ---- */

static osdear_status check_ranges(const osdear__parquet_cursor *cursor, const osdear__parquet_read *read, osdear_error **error)
{
  int64_t rows = cursor->file->meta.row_groups[cursor->group].num_rows;
  int64_t last = 0;

  for (size_t i = 0; i < read->range_count; i++) {
    const osdear__row_range *range = &read->rows[i];

    if (range->from < last || range->to < range->from || range->to > rows)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "rows %" PRId64 " to %" PRId64 " do not ascend within a row group of %" PRId64, range->from, range->to,
                          rows);
    last = range->to;
  }
  return OSDEAR_OK;
}

static osdear_status take_ranges(osdear__parquet_cursor *cursor, const osdear__parquet_read *read, osdear_error **error)
{
  size_t count = read && read->rows ? read->range_count : 1;
  osdear_status st = read && read->rows ? check_ranges(cursor, read, error) : OSDEAR_OK;

  if (st)
    return st;
  cursor->ranges = osdear__arena_zeroed(&cursor->arena, count ? count : 1, sizeof *cursor->ranges);
  if (!cursor->ranges)
    return osdear__fail_memory(error);
  cursor->range_count = count;
  if (read && read->rows)
    memcpy(cursor->ranges, read->rows, count * sizeof *cursor->ranges);
  else
    cursor->ranges[0].to = cursor->file->meta.row_groups[cursor->group].num_rows;
  return OSDEAR_OK;
}

/* Only where rows are left out is the offset index worth its reading; without a sound one pages are passed over by their headers. */
static osdear_status read_index(osdear__parquet_cursor *cursor, osdear__pq_column *column, osdear_error **error)
{
  AUTO(error) why = NULL;
  osdear_status st =
      osdear__pq_offset_index_read(cursor->file, cursor->group, column->index, &cursor->arena, &column->index_pages, &why);

  column->has_index = st == OSDEAR_OK;
  if (st == OSDEAR_OK || st == OSDEAR_ERR_NOT_FOUND)
    return OSDEAR_OK;
  return osdear__fail_because(error, st, "the offset index cannot be read");
}

static osdear_status start_column(osdear__parquet_cursor *cursor, osdear__pq_column *column, const osdear__pq_choice *choice,
                                  const osdear__parquet_read *read, osdear_error **error)
{
  int64_t read_ahead = read && read->read_ahead_bytes > 0 ? read->read_ahead_bytes : DEFAULT_READ_AHEAD;
  int32_t width = cursor->file->schema.leaves[choice->leaf].width;
  osdear_status st;

  column->levels_only = choice->levels_only;
  st = osdear__pq_column_start(column, cursor->file, cursor->group, choice->leaf, &cursor->codecs, read_ahead, error);
  if (st)
    return st;
  if (width > MAX_FIXED)
    return osdear__fail(error, OSDEAR_ERR_LIMIT, "its values of %d bytes each are larger than %d", width, MAX_FIXED);
  if (width > 16 && FIXED_BATCH_BYTES / width < cursor->cap_rows)
    cursor->cap_rows = FIXED_BATCH_BYTES / width;
  return read && read->rows ? read_index(cursor, column, error) : OSDEAR_OK;
}

static osdear_status start_cursor(osdear__parquet_cursor *cursor, const osdear__parquet_read *read, osdear_error **error)
{
  const osdear__type *want = read && read->want ? read->want : &cursor->file->schema.type;
  osdear__pq_choice *choices;
  osdear_status st;

  st = osdear__pq_plan_new(&cursor->file->schema, want, &cursor->arena, &cursor->plan, &choices, &cursor->column_count, error);
  if (!st)
    st = take_ranges(cursor, read, error);
  if (st)
    return osdear__fail_within(error, st, "%s", cursor->file->name);
  cursor->columns = osdear__alloc_zeroed(cursor->column_count ? cursor->column_count : 1, sizeof *cursor->columns);
  if (!cursor->columns)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < cursor->column_count; i++) {
    st = start_column(cursor, &cursor->columns[i], &choices[i], read, error);
    if (st)
      return within_column(cursor, &cursor->columns[i], st, error);
  }
  st = osdear__pq_columns_ahead(cursor->file, cursor->columns, cursor->column_count, cursor->ranges, cursor->range_count,
                                read && read->fetch_bytes > 0 ? read->fetch_bytes : DEFAULT_FETCH, &cursor->ahead, error);
  return st ? osdear__fail_within(error, st, "%s: row group %zu", cursor->file->name, cursor->group) : OSDEAR_OK;
}

osdear_status osdear__parquet_cursor_new(osdear__parquet *file, size_t group, const osdear__parquet_read *read,
                                         osdear__parquet_cursor **out, osdear_error **error)
{
  AUTO(parquet_cursor) cursor = NULL;
  osdear_status st;

  if (group >= file->meta.row_group_count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "%s: row group %zu asked, there are %zu", file->name, group,
                        file->meta.row_group_count);
  cursor = osdear__alloc_zeroed(1, sizeof *cursor);
  if (!cursor)
    return osdear__fail_memory(error);
  cursor->file = osdear__parquet_ref(file);
  cursor->group = group;
  cursor->cap_rows = BATCH_ROWS;
  cursor->batch_bytes =
      read && read->batch_bytes > 0 && read->batch_bytes < BATCH_BYTES ? (size_t)read->batch_bytes : (size_t)BATCH_BYTES;
  st = start_cursor(cursor, read, error);
  if (st)
    return st;
  cursor->most_rows = cursor->cap_rows;
  *out = cursor;
  cursor = NULL;
  return OSDEAR_OK;
}

void osdear__parquet_cursor_auto(osdear__parquet_cursor **cursor)
{
  osdear__parquet_cursor *mine = *cursor;

  *cursor = NULL;
  if (!mine)
    return;
  for (size_t i = 0; mine->columns && i < mine->column_count; i++)
    osdear__pq_column_drop(&mine->columns[i]);
  osdear__free(mine->columns);
  osdear__input_auto(&mine->ahead);
  osdear__codec_state_drop(&mine->codecs);
  osdear__arena_drop(&mine->arena);
  osdear__parquet_unref(mine->file);
  osdear__free(mine);
}

/* ---- batches ---- */

static osdear_status seek_columns(osdear__parquet_cursor *cursor, int64_t until, osdear_error **error)
{
  for (size_t i = 0; i < cursor->column_count; i++) {
    osdear__pq_column *column = &cursor->columns[i];
    osdear_status st = osdear__pq_column_seek(column, cursor->row, until, error);

    if (st)
      return within_column(cursor, column, st, error);
  }
  return OSDEAR_OK;
}

/* All columns, or up to the one of which a batch of so many rows cannot be made: then *rows becomes what can, and all go back. */
static osdear_status try_columns(osdear__parquet_cursor *cursor, int64_t *rows, bool *done, osdear_error **error)
{
  osdear__pq_allowance allowance = { *rows == 1 ? SINK_MOST : cursor->batch_bytes, *rows == 1 ? ROW_LEVELS : BATCH_LEVELS };
  int64_t got = *rows;
  size_t read = 0;
  osdear_status st;

  for (; read < cursor->column_count && got == *rows; read++) {
    st = osdear__pq_column_read(&cursor->columns[read], *rows, allowance, &got, error);
    if (st)
      return within_column(cursor, &cursor->columns[read], st, error);
  }
  *done = got == *rows;
  if (*done)
    return OSDEAR_OK;
  if (*rows == 1)
    return within_column(cursor, &cursor->columns[read - 1],
                         osdear__fail(error, OSDEAR_ERR_LIMIT, "row %" PRId64 " alone has more than a batch can hold",
                                      cursor->file->group_starts[cursor->group] + cursor->row),
                         error);
  *rows = got > 0 ? got : *rows / 2;
  for (size_t i = 0; i < read; i++) {
    st = osdear__pq_column_return(&cursor->columns[i], error);
    if (st)
      return within_column(cursor, &cursor->columns[i], st, error);
  }
  return OSDEAR_OK;
}

static osdear_status read_columns(osdear__parquet_cursor *cursor, int64_t *rows, osdear_error **error)
{
  int64_t asked = *rows;
  bool done = false;

  while (!done) {
    osdear_status st = try_columns(cursor, rows, &done, error);
    if (st)
      return st;
  }
  if (*rows < asked)
    cursor->most_rows = *rows;
  else if (cursor->most_rows < cursor->cap_rows)
    cursor->most_rows = cursor->most_rows < cursor->cap_rows / 2 ? cursor->most_rows * 2 : cursor->cap_rows;
  return OSDEAR_OK;
}

static osdear_status make_batch(osdear__parquet_cursor *cursor, int64_t rows, struct ArrowArray *out, osdear_error **error)
{
  const osdear__pq_plan *plan = cursor->plan;
  struct ArrowArray *children = osdear__alloc_zeroed(plan->child_count ? plan->child_count : 1, sizeof *children);
  void *no_validity = NULL;
  osdear_status st = children ? OSDEAR_OK : osdear__fail_memory(error);

  for (size_t i = 0; i < plan->child_count && !st; i++) {
    st = osdear__pq_assemble(&plan->children[i], cursor->columns, rows, &children[i], error);
    if (st)
      osdear__fail_within(error, st, "%s: row group %zu, column %s", cursor->file->name, cursor->group, plan->children[i].name);
  }
  if (!st)
    st = osdear__array_adopt(rows, 0, &no_validity, 1, children, (int64_t)plan->child_count, out, error);
  for (size_t i = 0; children && i < plan->child_count; i++)
    osdear__array_drop(&children[i]);
  osdear__free(children);
  return st;
}

static osdear_status finish_columns(osdear__parquet_cursor *cursor, osdear_error **error)
{
  for (size_t i = 0; i < cursor->column_count; i++) {
    osdear_status st = osdear__pq_column_finish(&cursor->columns[i], error);
    if (st)
      return within_column(cursor, &cursor->columns[i], st, error);
  }
  return OSDEAR_OK;
}

/* Steps to the range that has rows left. False: all were given. */
static bool find_range(osdear__parquet_cursor *cursor, int64_t *left)
{
  for (; cursor->range < cursor->range_count; cursor->range++) {
    const osdear__row_range *range = &cursor->ranges[cursor->range];

    cursor->row = cursor->row > range->from ? cursor->row : range->from;
    *left = range->to - cursor->row;
    if (*left > 0)
      return true;
  }
  return false;
}

static osdear_status next_batch(osdear__parquet_cursor *cursor, int64_t rows, struct ArrowArray *out, osdear_error **error)
{
  osdear_status st = seek_columns(cursor, cursor->ranges[cursor->range].to, error);

  if (!st)
    st = read_columns(cursor, &rows, error);
  if (!st)
    st = finish_columns(cursor, error);
  if (!st)
    st = make_batch(cursor, rows, out, error);
  if (!st)
    cursor->row += rows;
  return st;
}

osdear_status osdear__parquet_cursor_next(osdear__parquet_cursor *cursor, int64_t max_rows, struct ArrowArray *out,
                                          int64_t *first_row, osdear_error **error)
{
  int64_t left = 0;
  osdear_status st;

  if (max_rows < 1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a batch of %" PRId64 " rows was asked, at least one is given", max_rows);
  if (cursor->failed)
    return osdear__fail(error, OSDEAR_ERR_STATE, "%s: reading row group %zu has failed before", cursor->file->name,
                        cursor->group);
  if (!find_range(cursor, &left)) {
    memset(out, 0, sizeof *out);
    return OSDEAR_OK;
  }
  left = left < max_rows ? left : max_rows;
  left = left < cursor->most_rows ? left : cursor->most_rows;
  *first_row = cursor->file->group_starts[cursor->group] + cursor->row;
  st = next_batch(cursor, left, out, error);
  cursor->failed = st != OSDEAR_OK;
  return st;
}
