/* Delimited text after RFC 4180, but for the line's end, which is one line feed. */
#include "sink.h"

static char delimiter_of(const osdear__sink *sink)
{
  return sink->options.delimiter ? sink->options.delimiter : ',';
}

static const char *null_of(const osdear__sink *sink)
{
  return sink->options.null_text ? sink->options.null_text : "";
}

static bool must_be_quoted(const osdear__sink *sink, osdear__str text)
{
  char delimiter = delimiter_of(sink);

  for (size_t i = 0; i < text.size; i++) {
    char c = text.data[i];
    if (c == delimiter || c == '"' || c == '\n' || c == '\r')
      return true;
  }
  return false;
}

static void put_quoted(osdear__buf *out, osdear__str text)
{
  size_t from = 0;

  osdear__buf_putc(out, '"');
  for (size_t i = 0; i < text.size; i++) {
    if (text.data[i] != '"')
      continue;
    osdear__buf_append(out, text.data + from, i + 1 - from);
    from = i; /* once more */
  }
  osdear__buf_append(out, text.data + from, text.size - from);
  osdear__buf_putc(out, '"');
}

/* What could be taken for null is quoted: a text between quotes is that text. */
static void put_text(osdear__sink *sink, osdear__str text)
{
  if (must_be_quoted(sink, text) || osdear__str_is(text, null_of(sink)))
    put_quoted(&sink->out, text);
  else
    osdear__buf_append(&sink->out, text.data, text.size);
}

static osdear_status csv_begin(osdear__sink *sink, osdear_error **error)
{
  if (!sink->options.header)
    return OSDEAR_OK;
  for (size_t i = 0; i < sink->type->field_count; i++) {
    if (i)
      osdear__buf_putc(&sink->out, delimiter_of(sink));
    put_text(sink, osdear__str_of(sink->type->fields[i].name));
  }
  osdear__buf_putc(&sink->out, '\n');
  return osdear__sink_spill(sink, error);
}

/* Numbers and times need no quotes, unless the delimiter is of their characters. */
static bool is_text(const osdear__type *type)
{
  return type->kind == KIND_STRING || type->field_count || type->kind == KIND_VARIANT;
}

static void put_cell(osdear__sink *sink, osdear__text *scratch, size_t column, const struct ArrowArray *array, int64_t row)
{
  const osdear__type *type = &sink->type->fields[column].type;

  if (type->kind == KIND_VOID || !osdear__is_valid(array, row)) {
    const char *text = null_of(sink);
    /* An empty line would be no row at all. */
    osdear__buf_puts(&sink->out, *text || sink->type->field_count > 1 ? text : "\"\"");
    return;
  }
  if (!is_text(type) && !sink->options.delimiter) {
    osdear__text_plain(&sink->text, type, array, row);
    return;
  }
  osdear__buf_clear(scratch->out);
  osdear__text_plain(scratch, type, array, row);
  if (scratch->out->failed)
    sink->out.failed = scratch->out->failed;
  else
    put_text(sink, (osdear__str){ scratch->out->data, scratch->out->size });
}

static osdear_status csv_add(osdear__sink *sink, const struct ArrowArray *batch, osdear_error **error)
{
  SCOPED(buf) bytes = { 0 };
  osdear__text scratch = { .out = &bytes };
  osdear_status st = OSDEAR_OK;

  for (int64_t row = 0; !st && row < batch->length; row++) {
    for (size_t i = 0; i < sink->type->field_count; i++) {
      if (i)
        osdear__buf_putc(&sink->out, delimiter_of(sink));
      put_cell(sink, &scratch, i, batch->children[i], row);
    }
    osdear__buf_putc(&sink->out, '\n');
    st = osdear__sink_spill(sink, error);
    sink->rows += !st;
  }
  return st;
}

static osdear_status csv_end(osdear__sink *sink, osdear_error **error)
{
  return osdear__sink_flush(sink, error);
}

const osdear__sink_format osdear__sink_csv = { "csv", csv_begin, csv_add, csv_end, NULL };
