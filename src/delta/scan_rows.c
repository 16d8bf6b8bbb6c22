/* One row group of a scan: batches out of the file, as the table's types, filtered, in the order of the result's columns. */
#include <delta/scan.h>

/* One batch takes no more than this part of the budget, unless that would leave it fewer rows than the other. */
#define BATCH_SHARE 16
#define FEWEST_ROWS 64
#define LEAST_BATCH (INT64_C(1) << 20) /* bytes of a column of strings that are always allowed */
/* Bytes of a column chunk that are read at once. */
#define LEAST_READ (INT64_C(16) << 10)
#define MOST_READ (INT64_C(1) << 20)

struct osdear__scan_unit {
  osdear__scan_file *file;
  osdear__arena arena;
  osdear__scan_choice choice;
  osdear__type want;              /* the file's fields that are read, in the order of the table's schema */
  osdear__parquet_cursor *cursor; /* NULL: no column of the file is read */
  int64_t rows_left, next_row;    /* without a cursor */
  int64_t batch_rows;             /* of the next batch: wide rows come in shorter ones */
  osdear__expr_state state;
  int32_t *selected;
  int64_t first_row; /* of the batch at hand, in the file */
  bool is_thinned;   /* of its rows only those in `live` are there */
  osdear__buf live;
};

static int32_t *live_rows(const osdear__scan_unit *unit)
{
  return (int32_t *)(void *)unit->live.data;
}

void osdear__scan_unit_free(osdear__scan_unit *unit)
{
  if (!unit)
    return;
  osdear__parquet_cursor_auto(&unit->cursor);
  osdear__expr_state_drop(&unit->state);
  osdear__free(unit->selected);
  osdear__buf_drop(&unit->live);
  osdear__scan_file_unref(unit->file);
  osdear__arena_drop(&unit->arena);
  osdear__free(unit);
}

/* How many rows make a batch of no more than its share of the budget. */
static int64_t rows_within(const osdear__scan_plan *plan, int64_t row_bytes)
{
  int64_t most = osdear__context_budget(plan->snapshot->context) / BATCH_SHARE / (row_bytes + 1);

  if (most < FEWEST_ROWS)
    most = FEWEST_ROWS;
  return most < plan->batch_rows ? most : plan->batch_rows;
}

/* What a row group in hand may take of the budget. */
static int64_t lane_bytes(const osdear__scan_unit *unit)
{
  int64_t budget = osdear__context_budget(unit->file->plan->snapshot->context);

  return budget < OSDEAR__SCAN_LANE ? budget : OSDEAR__SCAN_LANE;
}

/* How much of each column is read at once, so that wide tables do not take a MiB for each of a thousand columns. */
static int64_t read_ahead(const osdear__scan_unit *unit)
{
  int64_t share = lane_bytes(unit) / 4 / ((int64_t)unit->want.field_count + 1);

  return share < LEAST_READ ? LEAST_READ : share > MOST_READ ? MOST_READ : share;
}

static osdear_status choose_fields(osdear__scan_unit *unit, osdear_error **error)
{
  const osdear__scan_file *f = unit->file;
  size_t columns = f->plan->schema.field_count;

  unit->want = (osdear__type){ .kind = KIND_STRUCT };
  unit->want.fields = osdear__arena_alloc(&unit->arena, columns * sizeof *unit->want.fields + 1);
  if (!unit->want.fields)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < columns; i++)
    if (unit->choice.needed[i] && f->columns.from[i] >= 0)
      unit->want.fields[unit->want.field_count++] = f->columns.want[i];
  return OSDEAR_OK;
}

static osdear_status open_unit(osdear__scan_unit *unit, size_t group, osdear_error **error)
{
  osdear__scan_file *f = unit->file;
  osdear__parquet_read read = { .want = &unit->want };
  osdear_status st = osdear__scan_file_choose(f, group, &unit->arena, &unit->choice, error);

  if (st || unit->choice.skip)
    return st;
  st = choose_fields(unit, error);
  if (st)
    return st;
  read.rows = unit->choice.ranges;
  read.read_ahead_bytes = read_ahead(unit);
  read.fetch_bytes = lane_bytes(unit) / 2;
  read.batch_bytes = osdear__context_budget(f->plan->snapshot->context) / BATCH_SHARE;
  read.batch_bytes = read.batch_bytes < LEAST_BATCH ? LEAST_BATCH : read.batch_bytes;
  read.range_count = unit->choice.range_count;
  unit->rows_left = osdear__parquet_group_rows(f->parquet, group);
  unit->next_row = osdear__parquet_group_start(f->parquet, group);
  unit->batch_rows = rows_within(f->plan, f->row_bytes);
  if (unit->choice.where) {
    unit->selected = osdear__alloc((size_t)f->plan->batch_rows * sizeof *unit->selected);
    if (!unit->selected)
      return osdear__fail_memory(error);
  }
  return unit->want.field_count ? osdear__parquet_cursor_new(f->parquet, group, &read, &unit->cursor, error) : OSDEAR_OK;
}

osdear_status osdear__scan_unit_new(osdear__scan_file *file, size_t group, osdear__scan_unit **out, osdear_error **error)
{
  osdear__scan_unit *unit = osdear__alloc_zeroed(1, sizeof *unit);
  osdear_status st;

  *out = NULL;
  if (!unit)
    return osdear__fail_memory(error);
  atomic_fetch_add(&file->references, 1);
  unit->file = file;
  st = open_unit(unit, group, error);
  atomic_fetch_add(&file->plan->counts.row_groups, 1);
  if (unit->choice.skip)
    atomic_fetch_add(&file->plan->counts.row_groups_skipped, 1);
  if (st || unit->choice.skip)
    osdear__scan_unit_free(unit);
  else
    *out = unit;
  return st;
}

/* Rows as the file has them; without a column to read only their number. */
static osdear_status read_rows(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *rows, osdear_error **error)
{
  int64_t most = unit->cursor ? unit->batch_rows : unit->file->plan->batch_rows;
  osdear_status st = OSDEAR_OK;

  if (unit->cursor) {
    st = osdear__parquet_cursor_next(unit->cursor, most, out, &unit->first_row, error);
    *rows = out->release ? out->length : 0;
  } else {
    *rows = unit->rows_left < most ? unit->rows_left : most;
    unit->first_row = unit->next_row;
    unit->rows_left -= *rows;
    unit->next_row += *rows;
  }
  return st;
}

/* Marks the rows that are not to be seen. False: there are none. */
static bool mark_hidden(const osdear__scan_file *f, int64_t from, int64_t rows, uint8_t *marks)
{
  int64_t chosen = f->chosen ? osdear__row_set_count_within(f->chosen, from, from + rows) : rows;
  int64_t deleted = f->deleted ? osdear__row_set_count_within(f->deleted, from, from + rows) : 0;

  if (chosen == rows && deleted == 0)
    return false;
  memset(marks, 0, (size_t)rows);
  if (f->chosen) {
    osdear__row_set_mark(f->chosen, from, rows, marks);
    for (int64_t i = 0; i < rows; i++)
      marks[i] = !marks[i];
  }
  if (f->deleted)
    osdear__row_set_mark(f->deleted, from, rows, marks);
  return true;
}

/* Which of the rows are to be seen, into unit->live; `*count` -1: all of them. */
static osdear_status find_live(osdear__scan_unit *unit, int64_t rows, int64_t *count, osdear_error **error)
{
  uint8_t *marks;

  *count = -1;
  if (!unit->file->deleted && !unit->file->chosen)
    return OSDEAR_OK;
  osdear__buf_clear(&unit->live);
  if (!osdear__buf_reserve(&unit->live, (size_t)rows * (sizeof(int32_t) + 1)))
    return osdear__buf_check(&unit->live, error);
  marks = (uint8_t *)unit->live.data + (size_t)rows * sizeof(int32_t);
  if (!mark_hidden(unit->file, unit->first_row, rows, marks))
    return OSDEAR_OK;
  *count = 0;
  for (int64_t i = 0; i < rows; i++) {
    live_rows(unit)[*count] = (int32_t)i;
    *count += !marks[i];
  }
  return OSDEAR_OK;
}

/* Deleted rows go before anything looks at them: a predicate might fail on them. `*rows` may become 0. */
static osdear_status drop_deleted(osdear__scan_unit *unit, struct ArrowArray *raw, int64_t *rows, osdear_error **error)
{
  struct ArrowArray all = *raw;
  int64_t count;
  osdear_status st = find_live(unit, *rows, &count, error);

  unit->is_thinned = !st && count >= 0;
  if (!unit->is_thinned)
    return st;
  *rows = count;
  if (!unit->cursor || count == 0)
    return OSDEAR_OK;
  raw->release = NULL;
  st = osdear__array_take(&unit->want, &all, live_rows(unit), count, raw, error);
  osdear__array_drop(&all);
  return st;
}

/* Rows that were rewritten carry their ids with them; others count from the file's first id, by their place in it. Commit versions
 * likewise, but all are the same. */
static osdear_status complete_ids(const osdear__scan_unit *unit, bool are_ids, struct ArrowArray *column, osdear_error **error)
{
  static const osdear__type type = { .kind = KIND_LONG };
  int64_t otherwise = are_ids ? unit->file->base_row_id : unit->file->row_commit_version;
  struct ArrowArray made;
  const int64_t *from = column->buffers[1];
  int64_t *to;
  osdear_status st;

  if (column->null_count == 0)
    return OSDEAR_OK;
  if (otherwise < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "the log gives no %s, and rows have none of their own",
                        are_ids ? "baseRowId" : "defaultRowCommitVersion");
  st = osdear__array_new(&type, column->length, false, 0, &made, error);
  if (st)
    return st;
  made.null_count = 0;
  to = (int64_t *)(uintptr_t)made.buffers[1];
  for (int64_t i = 0; i < column->length; i++) {
    int64_t place = are_ids ? unit->first_row + (unit->is_thinned ? live_rows(unit)[i] : i) : 0;
    to[i] = osdear__is_valid(column, i) ? from[i] : otherwise + place;
  }
  osdear__array_drop(column);
  *column = made;
  return OSDEAR_OK;
}

/* The plan's columns, as far as they are needed, into columns[]; `raw` is moved in. */
static osdear_status fill_columns(const osdear__scan_unit *unit, struct ArrowArray *raw, int64_t rows, struct ArrowArray *columns,
                                  osdear_error **error)
{
  const osdear__scan_file *f = unit->file;
  const osdear__type *schema = &f->plan->schema;
  size_t next = 0;

  for (size_t i = 0; i < schema->field_count; i++) {
    const osdear__type *type = &schema->fields[i].type;
    osdear_status st;
    if (!unit->choice.needed[i])
      continue;
    if (f->is_constant[i]) {
      st = osdear__array_repeat(type, &f->constants[i], rows, &columns[i], error);
    } else if (f->columns.from[i] < 0) {
      st = osdear__array_nulls(type, rows, &columns[i], error);
    } else {
      struct ArrowArray moved = *raw->children[next];
      raw->children[next++]->release = NULL;
      st = osdear__array_cast(&f->columns.as[i], &moved, &f->plan->physical.fields[i].type, &columns[i], error);
      if (!st)
        st = osdear__char_pad(type, &columns[i], error);
    }
    if (!st && f->plan->kind == SCAN_ROW_IDS && i >= f->plan->own_columns)
      st = complete_ids(unit, i == f->plan->own_columns, &columns[i], error);
    if (st)
      return osdear__fail_within(error, st, "data file %s, column %s", f->name, schema->fields[i].name);
  }
  return OSDEAR_OK;
}

/* Which rows match; `*count` -1: all of them. */
static osdear_status select_rows(osdear__scan_unit *unit, struct ArrowArray *columns, int64_t rows, int64_t *count,
                                 osdear_error **error)
{
  size_t field_count = unit->file->plan->schema.field_count;
  struct ArrowArray **children;
  const void *no_buffers[1] = { NULL };
  struct ArrowArray batch = { .length = rows, .n_buffers = 1, .buffers = no_buffers, .n_children = (int64_t)field_count };
  osdear_status st;

  *count = -1;
  if (!unit->choice.where)
    return OSDEAR_OK;
  children = osdear__alloc(field_count * sizeof(struct ArrowArray *) + 1);
  if (!children)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < field_count; i++)
    children[i] = &columns[i];
  batch.children = children;
  st = osdear__expr_select(unit->choice.where, &unit->state, &batch, unit->selected, count, error);
  osdear__free(children);
  if (!st && *count == rows)
    *count = -1;
  return st;
}

/* The selected rows of a column; `again`: it will be asked for once more. */
static osdear_status make_column(const osdear__scan_unit *unit, size_t column, struct ArrowArray *from, bool again, int64_t rows,
                                 int64_t selected, struct ArrowArray *out, osdear_error **error)
{
  const osdear__type *type = &unit->file->plan->schema.fields[column].type;

  if (selected >= 0)
    return osdear__array_take(type, from, unit->selected, selected, out, error);
  if (again)
    return osdear__array_slice(type, from, 0, rows, out, error);
  *out = *from;
  from->release = NULL;
  return OSDEAR_OK;
}

/* The result's columns, of the selected rows, variants as text where that is asked. A column that the result has twice is copied. */
static osdear_status make_batch(osdear__scan_unit *unit, struct ArrowArray *columns, int64_t rows, int64_t selected,
                                struct ArrowArray *out, osdear_error **error)
{
  const osdear__scan_plan *plan = unit->file->plan;
  const osdear__type *schema = &plan->schema;
  size_t count = plan->type.field_count;
  struct ArrowArray *made = osdear__alloc_zeroed(count + 1, sizeof *made);
  void *no_buffers[1] = { NULL };
  osdear_status st = OSDEAR_OK;

  if (!made)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count && !st; i++) {
    struct ArrowArray *from = &columns[plan->columns[i]];
    bool again = false;
    for (size_t k = i + 1; k < count; k++)
      again |= plan->columns[k] == plan->columns[i];
    st = make_column(unit, plan->columns[i], from, again, rows, selected, &made[i], error);
    if (!st)
      st = osdear__array_cast(&schema->fields[plan->columns[i]].type, &made[i], &plan->type.fields[i].type, &made[i], error);
  }
  if (!st)
    st = osdear__array_adopt(selected < 0 ? rows : selected, 0, no_buffers, 1, made, (int64_t)count, out, error);
  for (size_t i = 0; i < count; i++)
    osdear__array_drop(&made[i]);
  osdear__free(made);
  return st;
}

/* From rows as the file has them to rows of the result. *out stays released where none matches. */
static osdear_status convert_rows(osdear__scan_unit *unit, struct ArrowArray *raw, int64_t rows, struct ArrowArray *out,
                                  osdear_error **error)
{
  const osdear__type *schema = &unit->file->plan->schema;
  struct ArrowArray *columns = osdear__alloc_zeroed(schema->field_count + 1, sizeof *columns);
  int64_t selected;
  osdear_status st = columns ? fill_columns(unit, raw, rows, columns, error) : osdear__fail_memory(error);

  if (!st)
    st = select_rows(unit, columns, rows, &selected, error);
  if (!st && selected != 0)
    st = make_batch(unit, columns, rows, selected, out, error);
  for (size_t i = 0; columns && i < schema->field_count; i++)
    osdear__array_drop(&columns[i]);
  osdear__free(columns);
  return st;
}

/* `*is_end`: the row group has no more rows. *out stays released where none of those read is in the result. */
static osdear_status next_step(osdear__scan_unit *unit, struct ArrowArray *out, bool *is_end, osdear_error **error)
{
  SCOPED(array) raw = { 0 };
  int64_t rows = 0;
  osdear_status st = osdear__context_check(unit->file->plan->snapshot->context, error);

  if (!st)
    st = read_rows(unit, &raw, &rows, error);
  *is_end = rows == 0;
  if (!st)
    st = drop_deleted(unit, &raw, &rows, error);
  return st || rows == 0 ? st : convert_rows(unit, &raw, rows, out, error);
}

/* What the buffers of an array hold. */
static int64_t bytes_of(const osdear__type *type, const struct ArrowArray *array)
{
  int32_t width = osdear__type_width(type);
  int64_t bytes = array->length / 8;

  if (array->length == 0 || type->kind == KIND_VOID)
    return 0;
  if (width >= 0)
    return bytes + array->length * width;
  if (type->kind != KIND_STRUCT && type->kind != KIND_VARIANT)
    bytes += array->length * 4;
  if (type->kind == KIND_STRING || type->kind == KIND_BINARY)
    bytes += ((const int32_t *)array->buffers[1])[array->length];
  else if (type->kind == KIND_STRUCT)
    for (size_t i = 0; i < type->field_count; i++)
      bytes += bytes_of(&type->fields[i].type, array->children[i]);
  else if (type->kind == KIND_ARRAY)
    bytes += bytes_of(&type->fields[0].type, array->children[0]);
  else if (type->kind == KIND_MAP)
    for (size_t i = 0; i < 2; i++)
      bytes += bytes_of(&type->fields[i].type, array->children[0]->children[i]);
  return bytes;
}

osdear_status osdear__scan_unit_next(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *bytes, osdear_error **error)
{
  bool is_end = false;
  osdear_status st = OSDEAR_OK;

  out->release = NULL;
  *bytes = 0;
  while (!st && !is_end && !out->release)
    st = next_step(unit, out, &is_end, error);
  if (st || !out->release)
    return st;
  *bytes = bytes_of(&unit->file->plan->type, out);
  unit->batch_rows = rows_within(unit->file->plan, *bytes / (out->length + 1));
  return OSDEAR_OK;
}
