/* One JSON object a row, columns in the schema's order. */
#include "sink.h"

/* What stands before each value: `{"a":`, then `,"b":`. */
typedef struct jsonl_state {
  osdear__buf text;
  size_t ends[]; /* of each column's piece in `text` */
} jsonl_state;

static osdear_status jsonl_begin(osdear__sink *sink, osdear_error **error)
{
  size_t count = sink->type->field_count;
  jsonl_state *state = osdear__alloc_zeroed(1, sizeof *state + count * sizeof state->ends[0]);

  if (!state)
    return osdear__fail_memory(error);
  sink->state = state;
  for (size_t i = 0; i < count; i++) {
    osdear__buf_putc(&state->text, i ? ',' : '{');
    osdear__text_string(&state->text, osdear__str_of(sink->type->fields[i].name));
    osdear__buf_putc(&state->text, ':');
    state->ends[i] = state->text.size;
  }
  return osdear__buf_check(&state->text, error);
}

static osdear_status jsonl_add(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error)
{
  const jsonl_state *state = sink->state;
  size_t count = sink->type->field_count;

  for (int64_t row = 0; row < batch->length; row++) {
    size_t from = 0;
    osdear_status st;
    if (!count)
      osdear__buf_putc(&sink->out, '{');
    for (size_t i = 0; i < count; i++) {
      osdear__buf_append(&sink->out, state->text.data + from, state->ends[i] - from);
      from = state->ends[i];
      osdear__text_json(&sink->text, &sink->type->fields[i].type, batch->children[i], row);
    }
    osdear__buf_append(&sink->out, "}\n", 2);
    st = osdear__sink_spill(sink, error);
    if (st)
      return st;
    sink->rows++;
  }
  return OSDEAR_OK;
}

static osdear_status jsonl_end(osdear__sink *sink, osdear_error **error)
{
  return osdear__sink_flush(sink, error);
}

static void jsonl_drop(osdear__sink *sink)
{
  jsonl_state *state = sink->state;

  if (state)
    osdear__buf_drop(&state->text);
  osdear__free(state);
}

const osdear__sink_format osdear__sink_jsonl = { "jsonl", jsonl_begin, jsonl_add, jsonl_end, jsonl_drop };
