/* What kind of file this is, by its first records: delimiter, header, names. */
#include "csv.h"

#define SAMPLE_RECORDS ((size_t)100)

/* The first records of the window cut by one delimiter. */
static osdear_status sample(const osdear__csv_window *window, const osdear__csv_dialect *dialect, osdear__csv_block *block,
                            osdear_error **error)
{
  osdear__csv_trouble trouble = { 0 };
  osdear_status st = osdear__csv_block_new(block, 0, error);

  if (st)
    return st;
  block->base = window->data;
  block->from = window->begin;
  block->first_line = window->line;
  block->row_capacity = SAMPLE_RECORDS;
  /* Other trouble is no matter here: whatever was cut before it is sample enough, and reading meets it again. */
  while (osdear__csv_scan(dialect, block, window->end, window->is_ended, &trouble) == SCAN_CELLS &&
         block->cell_capacity <= OSDEAR__COLUMNS) {
    st = osdear__csv_block_widen(block, error);
    if (st)
      return st;
  }
  return OSDEAR_OK;
}

static size_t fields_of(const osdear__csv_block *block, size_t row)
{
  return block->ends[row] - (row ? block->ends[row - 1] : 0);
}

/* Records that have as many fields as the first, in thousandths of all: the measure of a delimiter. One field only counts for nothing. */
static size_t agreement(const osdear__csv_block *block)
{
  size_t agreeing = 0;

  if (!block->rows || fields_of(block, 0) < 2)
    return 0;
  for (size_t r = 0; r < block->rows; r++)
    agreeing += fields_of(block, r) == fields_of(block, 0);
  return agreeing * 1000 / block->rows;
}

static osdear_status find_delimiter(const osdear__csv_window *window, osdear__csv_dialect *dialect, osdear_error **error)
{
  static const char candidates[] = { ',', ';', '\t', '|' };
  size_t best = 0, best_fields = 0;
  osdear_status st = OSDEAR_OK;
  char found = ',';

  for (size_t i = 0; !st && i < sizeof candidates; i++) {
    osdear__csv_block block = { 0 };
    osdear__csv_dialect tried = { candidates[i], dialect->quote, false };
    st = sample(window, &tried, &block, error);
    if (!st) {
      size_t measure = agreement(&block), fields = measure ? fields_of(&block, 0) : 0;
      if (measure > best || (measure == best && fields > best_fields)) {
        found = candidates[i];
        best = measure;
        best_fields = fields;
      }
    }
    osdear__csv_block_drop(&block);
  }
  dialect->delimiter = found;
  return st;
}

static osdear__class cell_class(const osdear__csv_nulls *nulls, const osdear__csv_block *block, size_t cell)
{
  osdear__str text = osdear__csv_text(block, &block->cells[cell]);

  return osdear__csv_is_null(nulls, text) ? CLASS_NULL : osdear__classify(osdear__trim(text));
}

/* A name among the first record speaks for a header where the column below holds something else than text, against it where it would
 * fit in there. */
static void weigh_column(const osdear__csv_nulls *nulls, const osdear__csv_block *block, size_t column, int *votes_for,
                         int *votes_against)
{
  osdear__evidence with = { 0 }, below = { 0 };
  size_t columns = fields_of(block, 0);
  osdear__class first = cell_class(nulls, block, column);

  for (size_t r = 0; r < block->rows; r++) {
    osdear__class class_;
    if (fields_of(block, r) != columns)
      continue;
    class_ = cell_class(nulls, block, (r ? block->ends[r - 1] : 0) + column);
    with.counts[class_]++;
    below.counts[class_] += r != 0;
  }
  if (first == CLASS_NULL)
    return;
  if (osdear__evidence_kind(&below) == KIND_STRING)
    *votes_against += first != CLASS_TEXT && below.counts[CLASS_TEXT] == 0;
  else if (osdear__evidence_kind(&with) == osdear__evidence_kind(&below))
    ++*votes_against;
  else if (first == CLASS_TEXT)
    ++*votes_for;
}

/* Could the first record be names, if nothing below tells? All of them text, different, and none missing but the first, over row numbers. */
static bool looks_like_names(const osdear__csv_nulls *nulls, const osdear__csv_block *block)
{
  size_t columns = fields_of(block, 0);

  for (size_t i = 0; i < columns; i++) {
    osdear__class class_ = cell_class(nulls, block, i);
    if (class_ != CLASS_TEXT && (i || columns == 1 || class_ != CLASS_NULL))
      return false;
    for (size_t j = 0; j < i && columns <= 1000; j++) {
      if (osdear__str_equal(osdear__csv_text(block, &block->cells[i]), osdear__csv_text(block, &block->cells[j])))
        return false;
    }
  }
  return true;
}

/* Does the first record hold names of the columns that were given? */
static bool names_columns(const osdear__source *source, const osdear__csv_block *block)
{
  for (size_t i = 0; i < fields_of(block, 0); i++) {
    if (osdear__type_find(&source->type, osdear__trim(osdear__csv_text(block, &block->cells[i]))) >= 0)
      return true;
  }
  return false;
}

static osdear_status find_header(const osdear__source *source, const osdear__csv_nulls *nulls, const osdear__csv_window *window,
                                 osdear__csv_dialect *dialect, const char **why, osdear_error **error)
{
  osdear__csv_block block = { 0 };
  int votes_for = 0, votes_against = 0;
  osdear_status st = sample(window, dialect, &block, error);

  if (!st && block.rows && source->has_schema) {
    dialect->has_header = names_columns(source, &block);
    *why =
        dialect->has_header ? "the first record names columns of the schema" : "the first record names no column of the schema";
  } else if (!st && block.rows) {
    for (size_t i = 0; i < fields_of(&block, 0); i++)
      weigh_column(nulls, &block, i, &votes_for, &votes_against);
    if (votes_for || votes_against) {
      dialect->has_header = votes_for >= votes_against;
      *why = dialect->has_header ? "the first record is text above values that are not"
                                 : "the first record has values like the others";
    } else {
      dialect->has_header = looks_like_names(nulls, &block);
      *why = dialect->has_header ? "the first record could be names" : "the first record could not be names";
    }
  }
  osdear__csv_block_drop(&block);
  return st;
}

osdear_status osdear__csv_find_dialect(osdear__source *source, const osdear__csv_nulls *nulls, osdear__csv_window *window,
                                       osdear__csv_dialect *out, const char **why_header, osdear_error **error)
{
  const osdear_source_options *options = &source->options;
  osdear__csv_dialect dialect = { options->delimiter, options->quote ? options->quote : '"', options->header == 1 };
  osdear_status st = OSDEAR_OK;

  *why_header = "as asked";
  if (!options->delimiter)
    st = find_delimiter(window, &dialect, error);
  if (!st && options->header < 0)
    st = find_header(source, nulls, window, &dialect, why_header, error);
  if (st)
    return st;
  *out = dialect;
  return OSDEAR_OK;
}
