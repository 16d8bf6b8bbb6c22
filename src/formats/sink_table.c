/* Rows for people: aligned columns under a rule. */
#include "cells.h"
#include "infer.h"
#include "sink.h"

#define HELD_BYTES \
  ((size_t)16 << 20) /* widths are found from the rows that fit in here; longer cells further down push the line out */
#define GAP 2
#define NARROWEST ((size_t)12) /* no column of text is cut below this for the sake of others */

typedef struct table_cell {
  size_t to; /* in `text`; it begins where the one before ends */
  size_t width;
} table_cell;

typedef struct table_state {
  osdear__buf text;  /* of the cells held */
  osdear__buf cells; /* table_cell, the names first */
  size_t *widths;    /* by column; once laid out, what is shown of it */
  size_t shown;      /* columns, once laid out */
  bool is_laid_out;
  bool *is_right;
  osdear__buf scratch;
  int64_t hidden; /* rows past max_rows */
} table_state;

static bool is_number(const osdear__type *type)
{
  return (type->kind >= KIND_BYTE && type->kind <= KIND_DECIMAL) || (type->kind >= KIND_UINT8 && type->kind <= KIND_FLOAT16);
}

/* ---- holding ---- */

/* Characters that would move the cursor are shown as escapes. */
static void put_visible(osdear__buf *out, osdear__str text)
{
  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c >= 0x20 && c != 0x7f)
      osdear__buf_putc(out, (char)c);
    else if (c == '\n')
      osdear__buf_puts(out, "\\n");
    else if (c == '\t')
      osdear__buf_puts(out, "\\t");
    else if (c == '\r')
      osdear__buf_puts(out, "\\r");
    else
      osdear__buf_printf(out, "\\x%02x", c);
  }
}

static void hold(table_state *state, size_t column, osdear__str text)
{
  size_t from = state->text.size;
  table_cell cell;

  put_visible(&state->text, text);
  if (state->text.failed)
    return;
  cell.to = state->text.size;
  cell.width = osdear__cells_of((osdear__str){ state->text.data + from, cell.to - from });
  if (!state->is_laid_out && cell.width > state->widths[column])
    state->widths[column] = cell.width;
  osdear__buf_append(&state->cells, &cell, sizeof cell);
}

static void hold_row(osdear__sink *sink, const struct ArrowArray *batch, int64_t row)
{
  table_state *state = sink->state;

  for (size_t i = 0; i < sink->type->field_count; i++) {
    const osdear__type *type = &sink->type->fields[i].type;
    const struct ArrowArray *array = batch->children[i];
    osdear__text text = { .out = &state->scratch };
    osdear__buf_clear(&state->scratch);
    if (type->kind == KIND_VOID || !osdear__is_valid(array, row))
      osdear__buf_puts(&state->scratch, sink->options.null_text ? sink->options.null_text : "NULL");
    else
      osdear__text_plain(&text, type, array, row);
    if (state->scratch.failed)
      state->text.failed = state->scratch.failed;
    hold(state, i, (osdear__str){ state->scratch.data ? state->scratch.data : "", state->scratch.size });
  }
}

/* ---- laying out ---- */

/* A number that was cut would be another number: only text gives way. */
static size_t width_within(const table_state *state, size_t column, size_t most)
{
  size_t width = state->widths[column];

  return state->is_right[column] || width < most ? width : most;
}

static size_t total_width(const table_state *state, size_t columns, size_t most)
{
  size_t total = columns ? (columns - 1) * GAP : 0;

  for (size_t i = 0; i < columns; i++)
    total += width_within(state, i, most);
  return total;
}

/* The widest texts give way first; if that is not enough, the last columns are left out, and the others take what room that made. */
static void lay_out(osdear__sink *sink)
{
  table_state *state = sink->state;
  size_t room = (size_t)sink->options.max_width, most = room;

  state->shown = sink->type->field_count;
  state->is_laid_out = true;
  if (!room || total_width(state, state->shown, SIZE_MAX) <= room)
    return;
  while (most > NARROWEST && total_width(state, state->shown, most) > room)
    most--;
  while (state->shown > 1 && total_width(state, state->shown, most) > room)
    state->shown--;
  while (most < room && total_width(state, state->shown, most + 1) <= room)
    most++;
  for (size_t i = 0; i < state->shown; i++)
    state->widths[i] = width_within(state, i, most);
  if (state->shown == 1 && state->widths[0] > room)
    state->widths[0] = room;
}

static void put_spaces(osdear__buf *out, size_t count)
{
  while (count--)
    osdear__buf_putc(out, ' ');
}

static void put_cell(osdear__sink *sink, size_t column, osdear__str text, size_t width)
{
  const table_state *state = sink->state;
  size_t room = state->widths[column];
  bool is_cut = width > room && sink->options.max_width;
  size_t pad;

  if (is_cut) {
    text.size = osdear__cells_cut(text, room - 1);
    width = osdear__cells_of(text) + 1;
  }
  pad = width < room ? room - width : 0;
  if (column)
    put_spaces(&sink->out, GAP);
  if (state->is_right[column])
    put_spaces(&sink->out, pad);
  osdear__buf_append(&sink->out, text.data, text.size);
  if (is_cut)
    osdear__buf_puts(&sink->out, "…");
  if (!state->is_right[column] && column + 1 < state->shown)
    put_spaces(&sink->out, pad);
}

static void put_rule(osdear__sink *sink)
{
  const table_state *state = sink->state;

  for (size_t i = 0; i < state->shown; i++) {
    if (i)
      put_spaces(&sink->out, GAP);
    for (size_t j = 0; j < state->widths[i]; j++)
      osdear__buf_puts(&sink->out, "─");
  }
  osdear__buf_putc(&sink->out, '\n');
}

/* Everything held, and the rule under the names. */
static osdear_status print_held(osdear__sink *sink, bool has_names, osdear_error **error)
{
  table_state *state = sink->state;
  const table_cell *cells = (const table_cell *)(const void *)state->cells.data;
  size_t columns = sink->type->field_count, rows, from = 0;
  osdear_status st = osdear__text_check(&state->text, error);

  if (!st)
    st = osdear__buf_check(&state->cells, error);
  rows = columns ? state->cells.size / sizeof *cells / columns : 0;
  for (size_t r = 0; !st && r < rows; r++) {
    for (size_t i = 0; i < columns; i++) {
      const table_cell *cell = &cells[r * columns + i];
      if (i < state->shown)
        put_cell(sink, i, (osdear__str){ state->text.data + from, cell->to - from }, cell->width);
      from = cell->to;
    }
    osdear__buf_putc(&sink->out, '\n');
    if (r == 0 && has_names)
      put_rule(sink);
    st = osdear__sink_spill(sink, error);
  }
  osdear__buf_clear(&state->text);
  osdear__buf_clear(&state->cells);
  return st;
}

/* ---- the format ---- */

static osdear_status table_begin(osdear__sink *sink, osdear_error **error)
{
  size_t count = sink->type->field_count;
  table_state *state = osdear__alloc_zeroed(1, sizeof *state);

  if (!state)
    return osdear__fail_memory(error);
  sink->state = state;
  state->widths = osdear__alloc_zeroed(count + 1, sizeof *state->widths);
  state->is_right = osdear__alloc_zeroed(count + 1, sizeof *state->is_right);
  if (!state->widths || !state->is_right)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    state->is_right[i] = is_number(&sink->type->fields[i].type);
    hold(state, i, osdear__str_of(sink->type->fields[i].name));
  }
  return OSDEAR_OK;
}

static osdear_status table_add(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error)
{
  table_state *state = sink->state;
  osdear_status st = OSDEAR_OK;

  for (int64_t row = 0; !st && row < batch->length; row++) {
    if (sink->options.max_rows && sink->rows == sink->options.max_rows) {
      state->hidden += batch->length - row;
      break;
    }
    hold_row(sink, batch, row);
    sink->rows++;
    if (state->is_laid_out) {
      st = print_held(sink, false, error);
    } else if (state->text.failed || state->text.size + state->cells.size > HELD_BYTES) {
      lay_out(sink);
      st = print_held(sink, true, error);
    }
  }
  return st;
}

static void put_rest(osdear__sink *sink)
{
  const table_state *state = sink->state;
  size_t columns = sink->type->field_count;

  if (state->shown < columns) {
    osdear__buf_printf(&sink->out, "… %zu more column%s:", columns - state->shown, columns - state->shown == 1 ? "" : "s");
    for (size_t i = state->shown; i < columns; i++)
      osdear__buf_printf(&sink->out, "%s %s", i > state->shown ? "," : "", sink->type->fields[i].name);
    osdear__buf_putc(&sink->out, '\n');
  }
  if (state->hidden) {
    osdear__buf_puts(&sink->out, "… ");
    osdear__put_count(&sink->out, state->hidden);
    osdear__buf_puts(&sink->out, state->hidden == 1 ? " more row\n" : " more rows\n");
  }
}

static osdear_status table_end(osdear__sink *sink, osdear_error **error)
{
  table_state *state = sink->state;
  osdear_status st = OSDEAR_OK;

  if (!state->is_laid_out) {
    lay_out(sink);
    st = print_held(sink, true, error);
  }
  put_rest(sink);
  return st ? st : osdear__sink_flush(sink, error);
}

static void table_drop(osdear__sink *sink)
{
  table_state *state = sink->state;

  if (!state)
    return;
  osdear__buf_drop(&state->text);
  osdear__buf_drop(&state->cells);
  osdear__buf_drop(&state->scratch);
  osdear__free(state->widths);
  osdear__free(state->is_right);
  osdear__free(state);
}

const osdear__sink_format osdear__sink_table = { "table", table_begin, table_add, table_end, table_drop };
