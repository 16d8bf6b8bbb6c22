/* Delimited files as batches: blocks of records, column by column, until a batch is full. */
#include "csv.h"

typedef struct csv_reader {
  osdear__source *source; /* the stream holds the reference */
  const osdear__csv *csv;
  osdear__csv_column *columns;
  size_t file; /* the next to be opened, or one past the one in hand */
  osdear__feed *feed;
  osdear__csv_window window;
  osdear__csv_block block;
  uint8_t *in_file; /* by column of the source: does the file in hand have it */
} csv_reader;

static void close_file(csv_reader *reader)
{
  osdear__csv_window_drop(&reader->window);
  osdear__csv_block_drop(&reader->block);
  osdear__feed_auto(&reader->feed);
}

static void csv_close(void *state)
{
  csv_reader *reader = state;

  close_file(reader);
  for (size_t i = 0; reader->columns && i < reader->source->type.field_count; i++)
    osdear__csv_column_drop(&reader->columns[i]);
  osdear__free(reader->columns);
  osdear__free(reader->in_file);
  osdear__free(reader);
}

static osdear_status csv_start(osdear__source *source, void **state, osdear_error **error)
{
  size_t count = source->type.field_count;
  csv_reader *reader = osdear__alloc_zeroed(1, sizeof *reader);

  if (!reader)
    return osdear__fail_memory(error);
  reader->source = source;
  reader->csv = source->details;
  reader->columns = osdear__alloc_zeroed(count, sizeof *reader->columns);
  reader->in_file = osdear__alloc_zeroed(count, 1);
  if (!reader->columns || !reader->in_file) {
    csv_close(reader);
    return osdear__fail_memory(error);
  }
  for (size_t i = 0; i < count; i++)
    osdear__csv_column_init(&reader->columns[i], &source->type.fields[i].type, &reader->csv->nulls, reader->csv->dialect.quote);
  *state = reader;
  return OSDEAR_OK;
}

/* Past the header, to the first row. */
static osdear_status skip_header(csv_reader *reader, osdear_error **error)
{
  size_t rows = reader->block.row_capacity;
  osdear_status st;

  if (!reader->csv->dialect.has_header)
    return OSDEAR_OK;
  reader->block.row_capacity = 1;
  st = osdear__csv_next(&reader->window, &reader->block, error);
  reader->block.row_capacity = rows;
  return st;
}

static osdear_status open_file(csv_reader *reader, osdear_error **error)
{
  osdear__source_file *file = &reader->source->files[reader->file];
  const osdear__csv_file *shape = file->details;
  osdear_status st = osdear__source_feed(reader->source, file, &reader->feed, error);

  if (st)
    return st;
  reader->file++;
  if (!shape->columns) {
    osdear__feed_auto(&reader->feed); /* empty */
    return OSDEAR_OK;
  }
  memset(reader->in_file, 0, reader->source->type.field_count);
  for (size_t i = 0; i < shape->columns; i++)
    reader->in_file[shape->targets[i]] = 1;
  st = osdear__csv_window_open(&reader->window, reader->feed, error);
  if (st)
    return st;
  reader->window.dialect = reader->csv->dialect;
  st = osdear__csv_block_new(&reader->block, shape->columns, error);
  return st ? st : skip_header(reader, error);
}

static osdear_status fail_cell(const csv_reader *reader, size_t index, size_t target, size_t row, osdear_error **error)
{
  const osdear__csv_block *block = &reader->block;
  const osdear__csv_cell *cell = &block->cells[row * block->columns + index];
  const osdear__field *field = &reader->source->type.fields[target];
  osdear__str text = osdear__csv_text(block, cell);
  int64_t line = osdear__csv_line_at(block, cell->at);
  const char *file = osdear__feed_name(reader->feed);

  if (reader->columns[target].bad_utf8)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%s, line %" PRId64 ", column %s: the text is not UTF-8; give the encoding the file has", file, line,
                        field->name);
  return osdear__source_fail_value(reader->source, target, file, line, text, error);
}

static osdear_status parse_block(csv_reader *reader, osdear_error **error)
{
  const osdear__csv_file *shape = reader->source->files[reader->file - 1].details;
  size_t rows = reader->block.rows, count = reader->source->type.field_count;

  for (size_t i = 0; i < count; i++) {
    if (!osdear__csv_column_reserve(&reader->columns[i], rows))
      return osdear__fail_memory(error);
    if (!reader->in_file[i])
      osdear__csv_column_nulls(&reader->columns[i], rows);
  }
  for (size_t i = 0; i < shape->columns; i++) {
    size_t target = (size_t)shape->targets[i];
    osdear__csv_column *column = &reader->columns[target];
    int64_t failed = column->parse(column, &reader->block, i);
    if (failed == -2)
      return osdear__fail_memory(error);
    if (failed >= 0)
      return fail_cell(reader, i, target, (size_t)failed, error);
  }
  for (size_t i = 0; i < count; i++)
    reader->columns[i].rows += rows;
  return OSDEAR_OK;
}

static size_t bytes_held(const csv_reader *reader)
{
  size_t bytes = 0;

  for (size_t i = 0; i < reader->source->type.field_count; i++)
    bytes += osdear__csv_column_bytes(&reader->columns[i]);
  return bytes;
}

static osdear_status finish_batch(csv_reader *reader, struct ArrowArray *out, osdear_error **error)
{
  size_t count = reader->source->type.field_count, done;
  int64_t rows = (int64_t)reader->columns[0].rows;
  void *no_validity = NULL;
  struct ArrowArray *children = osdear__alloc_zeroed(count, sizeof *children);
  osdear_status st = OSDEAR_OK;

  if (!children)
    return osdear__fail_memory(error);
  for (done = 0; !st && done < count; done++)
    st = osdear__csv_column_finish(&reader->columns[done], &children[done], error);
  if (!st)
    st = osdear__array_adopt(rows, 0, &no_validity, 1, children, (int64_t)count, out, error);
  else
    for (size_t i = 0; i < count; i++)
      osdear__array_drop(&children[i]);
  osdear__free(children);
  return st;
}

static osdear_status csv_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  csv_reader *reader = state;
  int64_t most = reader->source->options.batch_rows, rows = 0;
  osdear_status st = osdear__context_check(reader->source->context, error);

  while (!st && rows < most && bytes_held(reader) < OSDEAR__BATCH_BYTES) {
    size_t capacity;
    if (!reader->feed) {
      if (reader->file == reader->source->file_count)
        break;
      st = open_file(reader, error);
      continue;
    }
    capacity = reader->block.row_capacity;
    if ((int64_t)capacity > most - rows)
      reader->block.row_capacity = (size_t)(most - rows);
    st = osdear__csv_next(&reader->window, &reader->block, error);
    reader->block.row_capacity = capacity;
    if (!st && !reader->block.rows)
      close_file(reader);
    else if (!st)
      st = parse_block(reader, error);
    rows = (int64_t)reader->columns[0].rows;
  }
  return st || !rows ? st : finish_batch(reader, out, error);
}

const osdear__format osdear__format_csv = { "csv", osdear__csv_look, csv_start, csv_next, csv_close };
