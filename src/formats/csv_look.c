/* The columns of delimited files: names from the headers of all, types from the values of the first rows of each. */
#include "csv.h"

typedef struct looker {
  osdear__source *source;
  osdear__csv *csv;
  osdear__evidence *evidence; /* by column of the source */
  osdear__field *fields;
  size_t field_count, field_capacity;
  osdear__map by_name; /* field number + 1, by name in lower case */
  size_t line_row;     /* of the block in hand: the row whose line was asked for last, */
  int64_t line;        /* and that line; 0: none was */
} looker;

static void looker_drop(looker *look)
{
  osdear__free(look->evidence);
  osdear__free(look->fields);
  osdear__map_drop(&look->by_name);
}

/* ---- names ---- */

static osdear_status lower_name(looker *look, osdear__str name, osdear__str *out, osdear_error **error)
{
  char *copy = osdear__arena_strndup(&look->source->arena, name.data, name.size);

  if (!copy)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < name.size; i++) {
    if (copy[i] >= 'A' && copy[i] <= 'Z')
      copy[i] = (char)(copy[i] - 'A' + 'a');
  }
  *out = (osdear__str){ copy, name.size };
  return OSDEAR_OK;
}

static osdear_status add_field(looker *look, const char *name, size_t *out, osdear_error **error)
{
  if (look->field_count == look->field_capacity) {
    size_t capacity = look->field_capacity ? look->field_capacity * 2 : 32;
    osdear__field *fields;
    osdear__evidence *evidence;
    if (look->field_count >= OSDEAR__COLUMNS)
      return osdear__fail(error, OSDEAR_ERR_LIMIT, "more than %zu columns", OSDEAR__COLUMNS);
    fields = osdear__realloc_array(look->fields, capacity, sizeof *fields);
    if (!fields)
      return osdear__fail_memory(error);
    look->fields = fields;
    evidence = osdear__realloc_array(look->evidence, capacity, sizeof *evidence);
    if (!evidence)
      return osdear__fail_memory(error);
    look->evidence = evidence;
    look->field_capacity = capacity;
  }
  look->fields[look->field_count] =
      (osdear__field){ .name = name, .nullable = true, .field_id = -1, .type = { .kind = KIND_STRING } };
  look->evidence[look->field_count] = (osdear__evidence){ 0 };
  *out = look->field_count++;
  return OSDEAR_OK;
}

/* The source's column of that name, made if it is not there. `seen` is of this file: a name that stands twice gets a number, since tables
 * tell names apart only by more than case. */
static osdear_status target_of(looker *look, const char *file, const char *name, uint8_t *seen, int32_t *out,
                               osdear_error **error)
{
  osdear__map_entry *entry;
  osdear__str key;
  size_t index;
  bool is_new;

  for (int64_t number = 1;; number++) {
    const char *tried = number == 1 ? name : osdear__arena_printf(&look->source->arena, "%s_%" PRId64, name, number);
    osdear_status st = tried ? lower_name(look, osdear__str_of(tried), &key, error) : osdear__fail_memory(error);
    if (st)
      return st;
    entry = osdear__map_add(&look->by_name, key, &is_new);
    if (!entry)
      return osdear__fail_memory(error);
    if (is_new) {
      if (look->source->has_schema)
        return osdear__source_fail_column(file, osdear__str_of(tried), error);
      st = add_field(look, tried, &index, error);
      if (st)
        return st;
      entry->value = (void *)(uintptr_t)(index + 1);
    }
    index = (size_t)(uintptr_t)entry->value - 1;
    if (!(seen[index >> 3] >> (index & 7) & 1))
      break;
  }
  seen[index >> 3] |= (uint8_t)(1u << (index & 7));
  *out = (int32_t)index;
  return OSDEAR_OK;
}

static osdear_status header_name(looker *look, const osdear__csv_block *block, size_t column, const char *file, const char **out,
                                 osdear_error **error)
{
  osdear__arena *arena = &look->source->arena;
  osdear__str text = osdear__trim(osdear__csv_text(block, &block->cells[column]));
  char *name;

  if (!look->csv->dialect.has_header && look->source->has_schema && column < look->source->type.field_count) {
    *out = look->source->type.fields[column].name; /* by position */
    return OSDEAR_OK;
  }
  if (!look->csv->dialect.has_header || !text.size) {
    *out = osdear__arena_printf(arena, "column_%zu", column + 1);
    return *out ? OSDEAR_OK : osdear__fail_memory(error);
  }
  if (!osdear__utf8_is_valid(text.data, text.size) || memchr(text.data, '\0', text.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%s, line %" PRId64 ": the name of column %zu is not UTF-8; give the encoding the file has", file,
                        block->first_line, column + 1);
  name = osdear__arena_strndup(arena, text.data, text.size);
  if (!name)
    return osdear__fail_memory(error);
  if (block->cells[column].size & OSDEAR__CELL_DOUBLED)
    name[osdear__csv_unquote(text, look->csv->dialect.quote, name)] = '\0';
  *out = name;
  return OSDEAR_OK;
}

/* The first record's fields to columns of the source. An empty file has none, which is no error beside others. */
static osdear_status name_columns(looker *look, osdear__csv_window *window, osdear__csv_file *file, osdear_error **error)
{
  osdear__csv_block block = { 0 };
  uint8_t *seen = osdear__alloc_zeroed(OSDEAR__COLUMNS / 8 + 1, 1);
  osdear_status st = seen ? osdear__csv_block_new(&block, 0, error) : osdear__fail_memory(error);
  size_t begin = window->begin;
  int64_t line = window->line;

  if (!st) {
    block.row_capacity = 1;
    st = osdear__csv_next(window, &block, error);
  }
  if (!st && block.rows) {
    file->columns = block.ends[0];
    file->targets = osdear__arena_alloc(&look->source->arena, file->columns * sizeof *file->targets);
    if (!file->targets)
      st = osdear__fail_memory(error);
  }
  for (size_t i = 0; !st && i < file->columns; i++) {
    const char *name = NULL;
    st = header_name(look, &block, i, osdear__feed_name(window->feed), &name, error);
    if (!st)
      st = target_of(look, osdear__feed_name(window->feed), name, seen, &file->targets[i], error);
  }
  if (!st && !look->csv->dialect.has_header) {
    /* That record is a row: it is looked at again. Filling may have moved it, but only to the front. */
    window->begin = block.rows ? block.from : begin;
    window->line = line;
  }
  osdear__csv_block_drop(&block);
  osdear__free(seen);
  return st;
}

/* The columns that were given: the files' are looked up among them. */
static osdear_status take_schema(looker *look, osdear_error **error)
{
  const osdear__type *type = &look->source->type;
  osdear_status st = OSDEAR_OK;

  for (size_t i = 0; !st && look->source->has_schema && i < type->field_count; i++) {
    osdear__map_entry *entry;
    osdear__str key;
    size_t index;
    bool is_new;
    if (!osdear__text_can_be(&type->fields[i].type))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column %s: delimited text has no values of its type",
                          type->fields[i].name);
    st = lower_name(look, osdear__str_of(type->fields[i].name), &key, error);
    if (st)
      return st;
    entry = osdear__map_add(&look->by_name, key, &is_new);
    if (!entry)
      return osdear__fail_memory(error);
    if (!is_new)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column %s stands twice in the schema given", type->fields[i].name);
    st = add_field(look, type->fields[i].name, &index, error);
    if (!st) {
      entry->value = (void *)(uintptr_t)(index + 1);
      look->fields[index].type = type->fields[i].type;
    }
  }
  return st;
}

/* ---- types ---- */

/* Where a row begins. Remembered, since many columns ask for the same row, and finding it means counting. */
static int64_t line_of_row(looker *look, const osdear__csv_block *block, size_t row)
{
  if (!look->line || look->line_row != row) {
    look->line_row = row;
    look->line = osdear__csv_line_at(block, block->cells[row * block->columns].at);
  }
  return look->line;
}

static void look_at_column(looker *look, const osdear__csv_block *block, size_t column, size_t target)
{
  const osdear__csv_cell *cell = block->cells + column;
  osdear__evidence *evidence = &look->evidence[target];

  for (size_t r = 0; r < block->rows; r++, cell += block->columns) {
    osdear__str text = osdear__csv_text(block, cell);
    osdear__class class_;
    if (osdear__csv_is_null(&look->csv->nulls, text)) {
      osdear__evidence_null(evidence, osdear__csv_null_find(&look->csv->nulls, text));
      continue;
    }
    class_ = osdear__classify(osdear__trim(text));
    if (LIKELY(evidence->counts[class_]))
      evidence->counts[class_]++;
    else
      osdear__evidence_add(evidence, class_, text, line_of_row(look, block, r));
  }
}

/* A pipe keeps what is looked at: a part of the budget is the most it may take. */
static bool is_enough(const looker *look, const osdear__feed *feed)
{
  return osdear__feed_is_pipe(feed) && osdear__feed_kept_bytes(feed) > osdear__context_budget(look->source->context) / 4;
}

static osdear_status look_at_rows(looker *look, osdear__csv_window *window, const osdear__csv_file *file, int64_t rows,
                                  int64_t *looked, osdear_error **error)
{
  osdear__csv_block block = { 0 };
  osdear_status st = osdear__csv_block_new(&block, file->columns, error);
  int64_t left = rows;

  while (!st && left > 0 && !is_enough(look, window->feed)) {
    if ((int64_t)block.row_capacity > left)
      block.row_capacity = (size_t)left;
    st = osdear__csv_next(window, &block, error);
    if (st || !block.rows)
      break;
    look->line = 0;
    for (size_t i = 0; i < file->columns; i++)
      look_at_column(look, &block, i, (size_t)file->targets[i]);
    left -= (int64_t)block.rows;
    st = osdear__context_check(look->source->context, error);
  }
  *looked += rows - left;
  osdear__csv_block_drop(&block);
  return st;
}

/* ---- report ---- */

static void report_format(looker *look, const osdear__feed *feed, const char *why_header)
{
  osdear__buf *report = &look->source->report;
  char delimiter = look->csv->dialect.delimiter;
  osdear__codec codec = osdear__feed_codec(feed);

  osdear__buf_printf(report, "format: csv%s%s\n", codec ? ", compressed by " : "", codec ? osdear__codec_name(codec) : "");
  if (delimiter == '\t')
    osdear__buf_puts(report, "delimiter: tab");
  else
    osdear__buf_printf(report, "delimiter: %c", delimiter);
  osdear__buf_printf(report, " (%s)\n", look->source->options.delimiter ? "as asked" : "fits the first records best");
  osdear__buf_printf(report, "encoding: %s\n", osdear__encoding_name(osdear__feed_encoding(feed)));
  osdear__buf_printf(report, "header: %s (%s)\n", look->csv->dialect.has_header ? "yes" : "no", why_header);
}

static osdear_status finish_types(looker *look, osdear_error **error)
{
  osdear__source *source = look->source;
  osdear_status st;

  if (!look->field_count)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: no record in it", source->files[0].path);
  for (size_t i = 0; i < look->field_count && !source->has_schema; i++)
    look->fields[i].type.kind = osdear__evidence_kind(&look->evidence[i]);
  source->type = (osdear__type){ .kind = KIND_STRUCT, .field_count = look->field_count };
  source->type.fields = osdear__arena_alloc(&source->arena, look->field_count * sizeof *look->fields);
  if (!source->type.fields)
    return osdear__fail_memory(error);
  memcpy(source->type.fields, look->fields, look->field_count * sizeof *look->fields);
  st = osdear__source_override(source, error);
  for (size_t i = 0; !st && i < look->field_count; i++) {
    if (osdear__source_report_column(source, i)) {
      osdear__evidence_reason(&look->evidence[i], &source->report);
      osdear__buf_putc(&source->report, '\n');
    }
  }
  return st ? st : osdear__buf_check(&source->report, error);
}

/* ---- all files ---- */

static osdear_status look_at_window(looker *look, size_t index, osdear__csv_window *window, int64_t *looked, osdear_error **error)
{
  osdear__csv_file *file = osdear__arena_zeroed(&look->source->arena, 1, sizeof *file);
  const char *why_header = "";
  osdear_status st = OSDEAR_OK;

  if (!file)
    return osdear__fail_memory(error);
  look->source->files[index].details = file;
  if (index == 0) {
    st = osdear__csv_find_dialect(look->source, &look->csv->nulls, window, &look->csv->dialect, &why_header, error);
    if (!st)
      report_format(look, window->feed, why_header);
  }
  window->dialect = look->csv->dialect;
  if (!st)
    st = name_columns(look, window, file, error);
  if (!st && file->columns && !look->source->has_schema)
    st = look_at_rows(look, window, file, osdear__source_look_rows(look->source, index, *looked), looked, error);
  return st;
}

static osdear_status look_at_file(looker *look, size_t index, int64_t *looked, osdear_error **error)
{
  osdear__source_file *file = &look->source->files[index];
  osdear__csv_window window = { 0 };
  osdear__feed *feed = NULL;
  osdear_status st = osdear__source_look(look->source, file, &feed, error);

  if (st)
    return st;
  if (osdear__feed_is_pipe(feed) && look->source->options.infer_rows < 0)
    st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "all rows were to be looked at, but %s is a pipe, which is read only once",
                      osdear__feed_name(feed));
  if (!st)
    st = osdear__csv_window_open(&window, feed, error);
  if (!st)
    st = look_at_window(look, index, &window, looked, error);
  osdear__csv_window_drop(&window);
  osdear__source_looked(file, &feed);
  return st;
}

osdear_status osdear__csv_look(osdear__source *source, osdear_error **error)
{
  looker look = { .source = source, .csv = osdear__arena_zeroed(&source->arena, 1, sizeof(osdear__csv)) };
  osdear_status st = OSDEAR_OK;
  int64_t looked = 0;

  if (!look.csv)
    return osdear__fail_memory(error);
  source->details = look.csv;
  osdear__csv_nulls_init(&look.csv->nulls, source->options.nulls, source->options.null_count);
  st = take_schema(&look, error);
  for (size_t i = 0; !st && i < source->file_count; i++)
    st = look_at_file(&look, i, &looked, error);
  if (!st)
    st = finish_types(&look, error);
  looker_drop(&look);
  return st;
}
