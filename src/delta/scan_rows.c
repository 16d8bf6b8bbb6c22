/* One row group of a scan: batches out of the file, as the table's types, filtered, in the order of the result's columns. */
#include <delta/scan.h>

struct osdear__scan_unit {
  osdear__scan_file *file;
  osdear__arena arena;
  osdear__parquet_cursor *cursor; /* NULL: no column of the file is read */
  int64_t rows_left;              /* without a cursor */
  osdear__expr *where;            /* NULL: every row matches */
  osdear__expr_state state;
  int32_t *selected;
  bool is_pruned;
};

void osdear__scan_unit_free(osdear__scan_unit *unit)
{
  if (!unit)
    return;
  osdear__parquet_cursor_auto(&unit->cursor);
  osdear__expr_state_drop(&unit->state);
  osdear__free(unit->selected);
  osdear__scan_file_unref(unit->file);
  osdear__arena_drop(&unit->arena);
  osdear__free(unit);
}

static osdear_status open_unit(osdear__scan_unit *unit, size_t group, bool *skip, osdear_error **error)
{
  osdear__scan_file *f = unit->file;
  osdear__parquet_read read = { .want = &f->want };
  osdear__row_range *ranges;
  bool all_match;
  osdear_status st = osdear__scan_file_prune(f, group, &unit->arena, skip, &all_match, &ranges, &read.range_count, error);

  if (st || *skip)
    return st;
  read.rows = ranges;
  unit->where = all_match ? NULL : f->plan->where;
  unit->rows_left = osdear__parquet_group_rows(f->parquet, group);
  if (unit->where) {
    unit->selected = osdear__alloc((size_t)f->plan->batch_rows * sizeof *unit->selected);
    if (!unit->selected)
      return osdear__fail_memory(error);
  }
  return f->want.field_count ? osdear__parquet_cursor_new(f->parquet, group, &read, &unit->cursor, error) : OSDEAR_OK;
}

osdear_status osdear__scan_unit_new(osdear__scan_file *file, size_t group, osdear__scan_unit **out, osdear_error **error)
{
  osdear__scan_unit *unit = osdear__alloc_zeroed(1, sizeof *unit);
  bool skip = false;
  osdear_status st;

  *out = NULL;
  if (!unit)
    return osdear__fail_memory(error);
  atomic_fetch_add(&file->references, 1);
  unit->file = file;
  st = open_unit(unit, group, &skip, error);
  atomic_fetch_add(&file->plan->counts.row_groups, 1);
  if (skip)
    atomic_fetch_add(&file->plan->counts.row_groups_skipped, 1);
  if (st || skip)
    osdear__scan_unit_free(unit);
  else
    *out = unit;
  return st;
}

/* Rows as the file has them; without a column to read only their number. */
static osdear_status read_rows(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *rows, osdear_error **error)
{
  int64_t most = unit->file->plan->batch_rows, first_row;
  osdear_status st = OSDEAR_OK;

  if (unit->cursor) {
    st = osdear__parquet_cursor_next(unit->cursor, most, out, &first_row, error);
    *rows = out->release ? out->length : 0;
  } else {
    *rows = unit->rows_left < most ? unit->rows_left : most;
    unit->rows_left -= *rows;
  }
  return st;
}

/* The table's columns, as far as they are needed, into columns[]; `raw` is moved in. */
static osdear_status fill_columns(const osdear__scan_file *f, struct ArrowArray *raw, int64_t rows, struct ArrowArray *columns,
                                  osdear_error **error)
{
  const osdear__type *schema = &f->plan->snapshot->metadata.schema;
  size_t next = 0;

  for (size_t i = 0; i < schema->field_count; i++) {
    const osdear__type *type = &schema->fields[i].type;
    osdear_status st;
    if (!f->plan->needed[i])
      continue;
    if (f->is_constant[i]) {
      st = osdear__array_repeat(type, &f->constants[i], rows, &columns[i], error);
    } else if (f->from[i] < 0) {
      st = osdear__array_nulls(type, rows, &columns[i], error);
    } else {
      struct ArrowArray moved = *raw->children[next];
      raw->children[next]->release = NULL;
      st = osdear__array_cast(&f->want.fields[next].type, &moved, type, &columns[i], error);
      next++;
      if (!st && osdear__char_length(&schema->fields[i]))
        st = osdear__char_pad(&schema->fields[i], osdear__char_length(&schema->fields[i]), &columns[i], error);
    }
    if (st)
      return osdear__fail_within(error, st, "data file %s, column %s", f->name, schema->fields[i].name);
  }
  return OSDEAR_OK;
}

/* Which rows match; `*count` -1: all of them. */
static osdear_status select_rows(osdear__scan_unit *unit, struct ArrowArray *columns, int64_t rows, int64_t *count, osdear_error **error)
{
  size_t field_count = unit->file->plan->snapshot->metadata.schema.field_count;
  struct ArrowArray **children;
  const void *no_buffers[1] = { NULL };
  struct ArrowArray batch = { .length = rows, .n_buffers = 1, .buffers = no_buffers, .n_children = (int64_t)field_count };
  osdear_status st;

  *count = -1;
  if (!unit->where)
    return OSDEAR_OK;
  children = osdear__alloc(field_count * sizeof(struct ArrowArray *) + 1);
  if (!children)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < field_count; i++)
    children[i] = &columns[i];
  batch.children = children;
  st = osdear__expr_select(unit->where, &unit->state, &batch, unit->selected, count, error);
  osdear__free(children);
  if (!st && *count == rows)
    *count = -1;
  return st;
}

/* The result's columns, of the selected rows. A column that the result has twice is copied. */
static osdear_status make_batch(osdear__scan_unit *unit, struct ArrowArray *columns, int64_t rows, int64_t selected,
                                struct ArrowArray *out, osdear_error **error)
{
  const osdear__scan_plan *plan = unit->file->plan;
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
    if (selected >= 0) {
      st = osdear__array_take(&plan->type.fields[i].type, from, unit->selected, selected, &made[i], error);
    } else if (again) {
      st = osdear__array_slice(&plan->type.fields[i].type, from, 0, rows, &made[i], error);
    } else {
      made[i] = *from;
      from->release = NULL;
    }
  }
  if (!st)
    st = osdear__array_adopt(selected < 0 ? rows : selected, 0, no_buffers, 1, made, (int64_t)count, out, error);
  for (size_t i = 0; i < count; i++)
    osdear__array_drop(&made[i]);
  osdear__free(made);
  return st;
}

/* `*rows` 0: the end of the row group. *out stays released where no row matches. */
static osdear_status next_step(osdear__scan_unit *unit, struct ArrowArray *out, int64_t *rows, osdear_error **error)
{
  const osdear__type *schema = &unit->file->plan->snapshot->metadata.schema;
  struct ArrowArray raw = { .release = NULL }, *columns;
  int64_t selected;
  osdear_status st = osdear__context_check(unit->file->plan->snapshot->context, error);

  if (!st)
    st = read_rows(unit, &raw, rows, error);
  if (st || *rows == 0)
    return st;
  columns = osdear__alloc_zeroed(schema->field_count + 1, sizeof *columns);
  st = columns ? fill_columns(unit->file, &raw, *rows, columns, error) : osdear__fail_memory(error);
  if (!st)
    st = select_rows(unit, columns, *rows, &selected, error);
  if (!st && selected != 0)
    st = make_batch(unit, columns, *rows, selected, out, error);
  for (size_t i = 0; columns && i < schema->field_count; i++)
    osdear__array_drop(&columns[i]);
  osdear__free(columns);
  osdear__array_drop(&raw);
  return st;
}

osdear_status osdear__scan_unit_next(osdear__scan_unit *unit, struct ArrowArray *out, osdear_error **error)
{
  int64_t rows = 1;
  osdear_status st = OSDEAR_OK;

  out->release = NULL;
  while (!st && rows > 0 && !out->release)
    st = next_step(unit, out, &rows, error);
  return st;
}
