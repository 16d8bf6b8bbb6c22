/** @file column_levels.c Nested leaves: definition and repetition levels of a batch, and the values that are not null, without gaps. */
#include <parquet/column.h>

static osdear_status malformed(const osdear__pq_column *column, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 ": its levels end early or are out of range",
                      column->page.offset);
}

static bool are_within(const int16_t *levels, size_t count, int32_t max)
{
  int16_t most = 0;
  int16_t least = 0;

  for (size_t i = 0; i < count; i++) {
    most = levels[i] > most ? levels[i] : most;
    least = levels[i] < least ? levels[i] : least;
  }
  return least >= 0 && most <= max;
}

static int64_t count_level(const int16_t *levels, size_t count, int32_t level)
{
  int64_t found = 0;
  int16_t wanted = (int16_t)level;

  for (size_t i = 0; i < count; i++)
    found += levels[i] == wanted;
  return found;
}

/* Levels of the page's next entries. */
static osdear_status take_levels(osdear__pq_column *column, int16_t *reps, int16_t *defs, size_t count, osdear_error **error)
{
  const osdear__pq_leaf *leaf = column->leaf;

  column->page_left -= (int64_t)count;
  if (leaf->max_rep && (!osdear__pq_hybrid_levels(&column->rep, reps, count) || !are_within(reps, count, leaf->max_rep)))
    return malformed(column, error);
  if (column->page_is_full) {
    for (size_t i = 0; i < count; i++)
      defs[i] = (int16_t)leaf->max_def;
    return OSDEAR_OK;
  }
  if (!osdear__pq_hybrid_levels(&column->def, defs, count) || !are_within(defs, count, leaf->max_def))
    return malformed(column, error);
  return OSDEAR_OK;
}

static osdear_status reserve_levels(osdear__pq_column *column, int64_t more, osdear_error **error)
{
  int64_t need = column->level_count + more;
  int64_t size = column->level_capacity * 2 > need ? column->level_capacity * 2 : need;
  int16_t *bigger;

  if (need <= column->level_capacity)
    return OSDEAR_OK;
  bigger = osdear__realloc_array(column->defs, (size_t)size, sizeof *bigger);
  if (!bigger)
    return osdear__fail_memory(error);
  column->defs = bigger;
  if (column->leaf->max_rep) {
    bigger = osdear__realloc_array(column->reps, (size_t)size, sizeof *bigger);
    if (!bigger)
      return osdear__fail_memory(error);
    column->reps = bigger;
  }
  column->level_capacity = size;
  return OSDEAR_OK;
}

/* The values of entries whose definition levels are the last `entries` of the batch. */
static osdear_status take_values(osdear__pq_column *column, size_t entries, osdear_error **error)
{
  int64_t values = count_level(column->defs + column->level_count - (int64_t)entries, entries, column->leaf->max_def);
  int64_t need = column->count + values;
  osdear_status st;

  if (column->levels_only || !values)
    return OSDEAR_OK;
  if (need > column->sink.slots) {
    st = osdear__pq_sink_reserve(&column->sink, need > column->sink.slots * 2 ? need : column->sink.slots * 2, 0, error);
    if (st)
      return st;
  }
  st = osdear__pq_column_values(column, values, error);
  if (!st && !column->sink.is_full)
    column->count += values;
  return st;
}

static bool is_beyond(const osdear__pq_column *column, osdear__pq_allowance allowance)
{
  return column->sink.is_full || column->sink.bytes > allowance.bytes || column->level_count > allowance.levels;
}

/* Levels of the next entries, those first that skipping read ahead. Gives how many came. */
static osdear_status next_levels(osdear__pq_column *column, int64_t most, int64_t *taken, osdear_error **error)
{
  int64_t ahead = (int64_t)(column->ahead_to - column->ahead_from);
  int64_t there = ahead ? ahead : column->page_left < PQ_STRIP ? column->page_left : PQ_STRIP;
  int16_t *to = column->defs + column->level_count;

  *taken = there < most ? there : most;
  if (!ahead)
    return take_levels(column, NULL, to, (size_t)*taken, error);
  memcpy(to, column->ahead_def + column->ahead_from, (size_t)*taken * sizeof *to);
  column->ahead_from += (size_t)*taken;
  return OSDEAR_OK;
}

/* Outside of lists an entry is a row. */
static osdear_status read_structs(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance, int64_t *got,
                                  osdear_error **error)
{
  osdear_status st = reserve_levels(column, rows, error);

  if (st)
    return st;
  while (column->level_count < rows && !is_beyond(column, allowance)) {
    int64_t take;

    if (column->page_left == 0 && column->ahead_from == column->ahead_to) {
      st = osdear__pq_column_open_page(column, error);
      if (st)
        return st;
    }
    st = next_levels(column, rows - column->level_count, &take, error);
    if (st)
      return st;
    column->level_count += take;
    st = take_values(column, (size_t)take, error);
    if (st)
      return st;
    column->row += take;
    *got = column->sink.is_full ? *got : column->level_count;
  }
  return OSDEAR_OK;
}

/* Makes sure that an entry is read ahead, from the next page if need be. At the end of the chunk there is none. */
static osdear_status look_ahead(osdear__pq_column *column, osdear_error **error)
{
  size_t take;
  osdear_status st;

  if (column->ahead_from < column->ahead_to)
    return OSDEAR_OK;
  if (column->page_left == 0) {
    if (osdear__pq_column_is_at_end(column))
      return OSDEAR_OK;
    st = osdear__pq_column_open_page(column, error);
    if (st)
      return st;
  }
  take = column->page_left < PQ_STRIP ? (size_t)column->page_left : PQ_STRIP;
  st = take_levels(column, column->ahead_rep, column->ahead_def, take, error);
  if (st)
    return st;
  column->ahead_from = 0;
  column->ahead_to = take;
  return OSDEAR_OK;
}

/* How many of the entries ahead belong to the rows wanted; *rows sinks with each row that begins among them, and the entry that would begin
 * one more is where it ends. */
static size_t entries_of(const osdear__pq_column *column, int64_t *rows)
{
  size_t i = column->ahead_from;
  int64_t left = *rows;

  for (; i < column->ahead_to; i++) {
    if (column->ahead_rep[i] == 0) {
      if (left == 0)
        break;
      left--;
    }
  }
  *rows = left;
  return i - column->ahead_from;
}

static osdear_status must_begin_row(const osdear__pq_column *column, osdear_error **error)
{
  if (column->ahead_from == column->ahead_to || column->ahead_rep[column->ahead_from] == 0)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "page at offset %" PRId64 " begins inside a list that nothing began",
                      column->page.offset);
}

static osdear_status append_ahead(osdear__pq_column *column, size_t entries, osdear_error **error)
{
  osdear_status st = reserve_levels(column, (int64_t)entries, error);

  if (st)
    return st;
  memcpy(column->reps + column->level_count, column->ahead_rep + column->ahead_from, entries * sizeof *column->reps);
  memcpy(column->defs + column->level_count, column->ahead_def + column->ahead_from, entries * sizeof *column->defs);
  column->level_count += (int64_t)entries;
  column->ahead_from += entries;
  return take_values(column, entries, error);
}

/* A row ends where the next one begins, maybe pages later. */
static osdear_status read_lists(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance, int64_t *got,
                                osdear_error **error)
{
  int64_t left = rows;
  bool is_first = true;

  for (;;) {
    size_t entries;
    osdear_status st = look_ahead(column, error);

    if (st)
      return st;
    st = is_first ? must_begin_row(column, error) : OSDEAR_OK;
    if (st)
      return st;
    is_first = false;
    entries = entries_of(column, &left);
    if (entries == 0)
      break;
    st = append_ahead(column, entries, error);
    if (st)
      return st;
    if (is_beyond(column, allowance)) { /* the last row that began may go on */
      *got = rows - left > 0 ? rows - left - 1 : 0;
      return OSDEAR_OK;
    }
  }
  column->row += rows - left;
  *got = rows - left;
  if (left)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "it has values for %" PRId64 " rows, its row group has %" PRId64, column->row,
                        column->group_rows);
  return OSDEAR_OK;
}

osdear_status osdear__pq_column_read_levels(osdear__pq_column *column, int64_t rows, osdear__pq_allowance allowance, int64_t *got,
                                            osdear_error **error)
{
  *got = 0;
  return column->leaf->max_rep ? read_lists(column, rows, allowance, got, error)
                               : read_structs(column, rows, allowance, got, error);
}

/* ---- skipping ---- */

static osdear_status pass_ahead(osdear__pq_column *column, size_t entries, osdear_error **error)
{
  int64_t values = count_level(column->ahead_def + column->ahead_from, entries, column->leaf->max_def);

  column->ahead_from += entries;
  return osdear__pq_column_pass_values(column, values, error);
}

osdear_status osdear__pq_column_pass_levels(osdear__pq_column *column, int64_t entries, osdear_error **error)
{
  while (entries) {
    size_t there;
    osdear_status st = look_ahead(column, error);

    if (st)
      return st;
    there = column->ahead_to - column->ahead_from;
    if (there == 0)
      return malformed(column, error);
    there = (int64_t)there < entries ? there : (size_t)entries;
    st = pass_ahead(column, there, error);
    if (st)
      return st;
    entries -= (int64_t)there;
  }
  return OSDEAR_OK;
}

/* A whole page that is not wanted, told by its header. Pages v2 hold whole rows. */
static osdear_status skip_page(osdear__pq_column *column, int64_t *rows, bool *skipped, osdear_error **error)
{
  int64_t page_rows;
  osdear_status st;

  if (column->page_left || column->ahead_from < column->ahead_to || osdear__pq_column_is_at_end(column))
    return OSDEAR_OK;
  st = osdear__pq_column_next_page(column, error);
  if (st)
    return st;
  page_rows = column->leaf->max_rep ? column->page.rows : column->page.values;
  if (page_rows < 0 || page_rows > *rows)
    return osdear__pq_column_load_page(column, error);
  *rows -= page_rows;
  column->row += page_rows;
  column->page_left = 0;
  *skipped = true;
  return OSDEAR_OK;
}

/* Rows of the entries ahead. Outside of lists each is one. */
static osdear_status skip_ahead(osdear__pq_column *column, int64_t *rows, bool *done, osdear_error **error)
{
  int64_t before = *rows;
  size_t entries;
  osdear_status st = look_ahead(column, error);

  if (st)
    return st;
  entries = column->ahead_to - column->ahead_from;
  if (column->leaf->max_rep == 0) {
    entries = (int64_t)entries < *rows ? entries : (size_t)*rows;
    *rows -= (int64_t)entries;
  } else {
    entries = entries_of(column, rows);
  }
  *done = entries == 0;
  column->row += before - *rows;
  return pass_ahead(column, entries, error);
}

osdear_status osdear__pq_column_skip_levels(osdear__pq_column *column, int64_t rows, osdear_error **error)
{
  bool done = rows == 0;

  while (!done) {
    bool skipped = false;
    osdear_status st = rows ? skip_page(column, &rows, &skipped, error) : OSDEAR_OK;

    if (st)
      return st;
    if (rows == 0 && (column->leaf->max_rep == 0 || skipped))
      return OSDEAR_OK;
    if (skipped)
      continue;
    st = skip_ahead(column, &rows, &done, error);
    if (st)
      return st;
  }
  if (rows)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "it has values for %" PRId64 " rows, its row group has %" PRId64, column->row,
                        column->group_rows);
  return OSDEAR_OK;
}
