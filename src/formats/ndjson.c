/* JSON objects, one a line: looked at first, then read. */
#include "ndjson.h"

#define LOOK_LINES INT64_C(4096)

static const osdear__json_limits limits = { OSDEAR__NDJSON_DEPTH, true };

/* ---- looking ---- */

static osdear_status look_at_lines(osdear__source *source, osdear__shaper *shaper, osdear__lines *lines, int64_t rows,
                                   osdear_error **error)
{
  AUTO(json_parser) parser = NULL;
  int64_t first = 0, count = 0, left = rows;
  osdear__str text = { 0 };
  osdear_status st = osdear__json_parser_new(&limits, osdear__shape_event, shaper, &parser, error);

  while (!st && left > 0) {
    if (osdear__feed_is_pipe(lines->feed) && osdear__feed_kept_bytes(lines->feed) > osdear__context_budget(source->context) / 4)
      break; /* it is all kept in memory */
    st = osdear__lines_next(lines, left < LOOK_LINES ? left : LOOK_LINES, &text, &first, &count, error);
    if (st || !count)
      break;
    shaper->rows = first - 1;
    shaper->depth = 0;
    st = osdear__json_parse_from(parser, text, osdear__feed_name(lines->feed), first, error);
    left -= count;
    if (!st)
      st = osdear__context_check(source->context, error);
  }
  return st;
}

static osdear_status look_at_file(osdear__source *source, osdear__shaper *shaper, size_t index, int64_t *looked,
                                  osdear_error **error)
{
  osdear__source_file *file = &source->files[index];
  osdear__lines lines = { 0 };
  osdear__feed *feed = NULL;
  osdear_status st = osdear__source_look(source, file, &feed, error);

  if (st)
    return st;
  if (osdear__feed_is_pipe(feed) && source->options.infer_rows < 0)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "all rows were to be looked at, but %s is a pipe, which is read only once",
                      osdear__feed_name(feed));
  if (index == 0) {
    osdear__codec codec = osdear__feed_codec(feed);
    osdear__buf_printf(&source->report, "format: ndjson%s%s\nencoding: %s\n", codec ? ", compressed by " : "",
                       codec ? osdear__codec_name(codec) : "", osdear__encoding_name(osdear__feed_encoding(feed)));
  }
  if (!st && !source->has_schema)
    st = osdear__lines_open(&lines, feed, error);
  if (!st && !source->has_schema)
    st = look_at_lines(source, shaper, &lines, osdear__source_look_rows(source, index, *looked), error);
  *looked += lines.line - 1;
  osdear__lines_drop(&lines);
  osdear__source_looked(file, &feed);
  return st;
}

static osdear_status finish_type(osdear__source *source, const osdear__shape *root, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  if (!source->has_schema) {
    if (!root->child_count)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: no object with a member in it", source->files[0].path);
    st = osdear__shape_type(root, &source->arena, &source->type, error);
  }
  if (!st)
    st = osdear__source_override(source, error);
  if (st)
    return st;
  if (source->has_schema) {
    for (size_t i = 0; i < source->type.field_count; i++)
      (void)osdear__source_report_column(source, i);
    return OSDEAR_OK;
  }
  for (const osdear__shape *shape = root->first; shape; shape = shape->next) {
    if (osdear__source_report_column(source, (size_t)osdear__type_find(&source->type, shape->name))) {
      osdear__evidence_reason(&shape->evidence, &source->report);
      osdear__buf_putc(&source->report, '\n');
    }
  }
  return OSDEAR_OK;
}

static osdear_status ndjson_look(osdear__source *source, osdear_error **error)
{
  osdear__shape *root = osdear__arena_zeroed(&source->arena, 1, sizeof *root);
  osdear__shaper shaper = { .arena = &source->arena, .root = root };
  osdear_status st = OSDEAR_OK;
  int64_t looked = 0;

  if (!root)
    return osdear__fail_memory(error);
  for (size_t i = 0; !st && i < source->file_count; i++)
    st = look_at_file(source, &shaper, i, &looked, error);
  if (!st)
    st = finish_type(source, root, error);
  osdear__shape_drop(root);
  return st;
}

/* ---- reading ---- */

typedef struct ndjson_reader {
  osdear__source *source; /* the stream holds the reference */
  osdear__json_parser *parser;
  osdear__json_rows *rows;
  size_t file;
  osdear__feed *feed;
  osdear__lines lines;
} ndjson_reader;

static void close_file(ndjson_reader *reader)
{
  osdear__lines_drop(&reader->lines);
  osdear__feed_auto(&reader->feed);
}

static void ndjson_close(void *state)
{
  ndjson_reader *reader = state;

  close_file(reader);
  osdear__json_parser_auto(&reader->parser);
  osdear__json_rows_auto(&reader->rows);
  osdear__free(reader);
}

static osdear_status ndjson_start(osdear__source *source, void **state, osdear_error **error)
{
  ndjson_reader *reader = osdear__alloc_zeroed(1, sizeof *reader);
  osdear_status st;

  if (!reader)
    return osdear__fail_memory(error);
  reader->source = source;
  st = osdear__json_rows_new(source, &reader->rows, error);
  if (!st)
    st = osdear__json_parser_new(&limits, osdear__json_rows_event, reader->rows, &reader->parser, error);
  if (st) {
    ndjson_close(reader);
    return st;
  }
  *state = reader;
  return OSDEAR_OK;
}

static osdear_status open_file(ndjson_reader *reader, osdear_error **error)
{
  osdear_status st = osdear__source_feed(reader->source, &reader->source->files[reader->file], &reader->feed, error);

  if (st)
    return st;
  reader->file++;
  return osdear__lines_open(&reader->lines, reader->feed, error);
}

static osdear_status read_lines(ndjson_reader *reader, int64_t most, osdear_error **error)
{
  int64_t first = 0, count = 0;
  osdear__str text = { 0 };
  osdear_status st = osdear__lines_next(&reader->lines, most, &text, &first, &count, error);

  if (st)
    return st;
  if (!count) {
    close_file(reader);
    return OSDEAR_OK;
  }
  return osdear__json_parse_from(reader->parser, text, osdear__feed_name(reader->feed), first, error);
}

static osdear_status ndjson_next(void *state, struct ArrowArray *out, osdear_error **error)
{
  ndjson_reader *reader = state;
  int64_t most = reader->source->options.batch_rows;
  osdear_status st = osdear__context_check(reader->source->context, error);

  while (!st && osdear__json_rows_count(reader->rows) < most &&
         osdear__json_rows_bytes(reader->rows) < (int64_t)OSDEAR__BATCH_BYTES) {
    if (reader->feed)
      st = read_lines(reader, most - osdear__json_rows_count(reader->rows), error);
    else if (reader->file < reader->source->file_count)
      st = open_file(reader, error);
    else
      break;
  }
  if (st || !osdear__json_rows_count(reader->rows))
    return st;
  return osdear__json_rows_finish(reader->rows, out, error);
}

const osdear__format osdear__format_ndjson = { "ndjson", ndjson_look, ndjson_start, ndjson_next, ndjson_close };
