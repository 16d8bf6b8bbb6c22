/* One column of a batch: a loop for each type, over the cells of a block, straight into Arrow's buffers. */
#include "csv.h"

#include <math.h>

#define NO_MEMORY (-2)

void osdear__csv_nulls_init(osdear__csv_nulls *nulls, const char *const *texts, size_t count)
{
  *nulls = (osdear__csv_nulls){ .texts = texts, .count = count };
  for (size_t i = 0; i < count; i++) {
    size_t size = strlen(texts[i]);
    nulls->sizes[size < 255 ? size : 255] = 1;
    if (size)
      nulls->by_first[(unsigned char)texts[i][0]] = true;
  }
}

const char *osdear__csv_null_find(const osdear__csv_nulls *nulls, osdear__str text)
{
  for (size_t i = 0; i < nulls->count; i++) {
    if (osdear__str_is(text, nulls->texts[i]))
      return nulls->texts[i];
  }
  return NULL;
}

static size_t value_width(const osdear__csv_column *column)
{
  return column->type->kind == KIND_STRING || column->type->kind == KIND_BINARY ? 4 : (size_t)osdear__type_width(column->type);
}

/* Bytes of `rows` values; booleans are bits, and offsets one more than rows. */
static size_t values_size(const osdear__csv_column *column, size_t rows)
{
  return column->type->kind == KIND_BOOLEAN ? (rows + 7) / 8 : (rows + 1) * value_width(column);
}

bool osdear__csv_column_reserve(osdear__csv_column *column, size_t more_rows)
{
  size_t rows = column->rows + more_rows, capacity = column->row_capacity * 2;
  uint8_t *block;

  if (rows <= column->row_capacity)
    return true;
  capacity = capacity < rows ? rows : capacity;
  block = osdear__buffer_grow(column->values, values_size(column, capacity));
  if (!block)
    return false;
  column->values = block;
  block = osdear__buffer_grow(column->validity, (capacity + 7) / 8);
  if (!block)
    return false;
  column->validity = block;
  /* Valid until proven null; booleans false until proven true. */
  memset(block + (column->rows + 7) / 8, 0xff, (capacity + 7) / 8 - (column->rows + 7) / 8);
  if (column->type->kind == KIND_BOOLEAN)
    memset(column->values + (column->rows + 7) / 8, 0, (capacity + 7) / 8 - (column->rows + 7) / 8);
  if (column->rows == 0)
    memset(column->values, 0, value_width(column)); /* the first offset */
  column->row_capacity = capacity;
  return true;
}

static inline void set_null(osdear__csv_column *column, size_t row)
{
  column->validity[row >> 3] &= (uint8_t) ~(1u << (row & 7));
  column->null_count++;
}

/* ---- fixed widths: a null text counts as such also between quotes ---- */

static inline void store_integer(osdear__csv_column *column, size_t row, int64_t value, size_t width)
{
  memcpy(column->values + row * width, &value, width); /* little-endian: the low bytes come first */
}

static inline int64_t parse_integers(osdear__csv_column *column, const osdear__csv_block *block, size_t index, size_t width)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;
  const int64_t most = width == 8 ? INT64_MAX : ((int64_t)1 << (width * 8 - 1)) - 1;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    int64_t value = 0;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text))) {
      set_null(column, base + r);
    } else if (UNLIKELY(!osdear__quick_i64(text.data, text.size, &value))) {
      text = osdear__trim(text);
      if (!osdear__quick_i64(text.data, text.size, &value))
        return (int64_t)r;
    }
    if (value > most || value < -most - 1)
      return (int64_t)r;
    store_integer(column, base + r, value, width);
  }
  return -1;
}

static int64_t parse_bytes1(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_integers(column, block, index, 1);
}

static int64_t parse_bytes2(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_integers(column, block, index, 2);
}

static int64_t parse_bytes4(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_integers(column, block, index, 4);
}

static int64_t parse_bytes8(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_integers(column, block, index, 8);
}

static inline int64_t parse_floats(osdear__csv_column *column, const osdear__csv_block *block, size_t index, bool is_single)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    double value = 0;
    float single;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text))) {
      set_null(column, base + r);
    } else if (UNLIKELY(!osdear__quick_f64(text.data, text.size, &value))) {
      text = osdear__trim(text);
      if (!osdear__quick_f64(text.data, text.size, &value))
        return (int64_t)r;
    }
    single = (float)value;
    if (is_single && isinf(single) && !isinf(value))
      return (int64_t)r;
    if (is_single)
      memcpy(column->values + (base + r) * sizeof single, &single, sizeof single);
    else
      memcpy(column->values + (base + r) * sizeof value, &value, sizeof value);
  }
  return -1;
}

static int64_t parse_singles(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_floats(column, block, index, true);
}

static int64_t parse_doubles(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  return parse_floats(column, block, index, false);
}

static int64_t parse_dates(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    int32_t value = 0;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text))) {
      set_null(column, base + r);
    } else if (UNLIKELY(!osdear__quick_date(&column->dates, text.data, text.size, &value))) {
      text = osdear__trim(text);
      if (!osdear__quick_date(&column->dates, text.data, text.size, &value))
        return (int64_t)r;
    }
    memcpy(column->values + (base + r) * sizeof value, &value, sizeof value);
  }
  return -1;
}

static int64_t parse_timestamps(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;
  const bool takes_zone = column->type->kind == KIND_TIMESTAMP;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    int64_t value = 0;
    bool has_zone = false;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text))) {
      set_null(column, base + r);
    } else if (UNLIKELY(!osdear__quick_timestamp(&column->dates, text.data, text.size, &value, &has_zone))) {
      text = osdear__trim(text);
      if (!osdear__quick_timestamp(&column->dates, text.data, text.size, &value, &has_zone))
        return (int64_t)r;
    }
    if (UNLIKELY(has_zone && !takes_zone))
      return (int64_t)r;
    memcpy(column->values + (base + r) * sizeof value, &value, sizeof value);
  }
  return -1;
}

static int64_t parse_decimals(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    osdear__int128 value = 0;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text)))
      set_null(column, base + r);
    else if (UNLIKELY(!osdear__parse_decimal(osdear__trim(text), column->type->precision, column->type->scale, &value)))
      return (int64_t)r;
    memcpy(column->values + (base + r) * sizeof value, &value, sizeof value);
  }
  return -1;
}

static int64_t parse_booleans(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    bool value = false;
    if (UNLIKELY(osdear__csv_is_null(column->nulls, text)))
      set_null(column, base + r);
    else if (UNLIKELY(!osdear__text_boolean(osdear__trim(text), &value)))
      return (int64_t)r;
    if (value)
      column->values[(base + r) >> 3] |= (uint8_t)(1u << ((base + r) & 7));
  }
  return -1;
}

/* ---- text ---- */

static bool grow_bytes(osdear__csv_column *column, size_t more)
{
  size_t capacity = column->byte_capacity * 2, wanted = column->byte_count + more;
  char *bytes;

  capacity = capacity < wanted ? wanted : capacity;
  capacity = capacity < 256 ? 256 : capacity;
  bytes = osdear__buffer_grow(column->bytes, capacity);
  if (!bytes)
    return false;
  column->bytes = bytes;
  column->byte_capacity = capacity;
  return true;
}

static inline void set_end(osdear__csv_column *column, size_t row)
{
  uint32_t end = (uint32_t)column->byte_count;

  memcpy(column->values + (row + 1) * sizeof end, &end, sizeof end);
}

/* Short texts, most of all, are copied by two whole words: cheaper than a call. The window and the buffers have the room behind. */
static inline void copy_text(char *out, const char *from, size_t size)
{
  if (LIKELY(size <= 16)) {
    memcpy(out, from, 8);
    if (size > 8)
      memcpy(out + size - 8, from + size - 8, 8);
    return;
  }
  memcpy(out, from, size);
}

/* A null text is null only without quotes here: between quotes it is that text. */
static int64_t parse_strings(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    if (UNLIKELY(!(cell->size & OSDEAR__CELL_QUOTED) && osdear__csv_is_null(column->nulls, text))) {
      set_null(column, base + r);
      set_end(column, base + r);
      continue;
    }
    if (UNLIKELY(column->byte_count + text.size >= column->byte_capacity) && !grow_bytes(column, text.size + 1))
      return NO_MEMORY;
    if (UNLIKELY(!block->is_ascii) && !osdear__utf8_is_valid(text.data, text.size)) {
      column->bad_utf8 = true;
      return (int64_t)r;
    }
    if (UNLIKELY(cell->size & OSDEAR__CELL_DOUBLED)) {
      column->byte_count += osdear__csv_unquote(text, column->quote, column->bytes + column->byte_count);
    } else {
      copy_text(column->bytes + column->byte_count, text.data, text.size);
      column->byte_count += text.size;
    }
    set_end(column, base + r);
  }
  return -1;
}

static int64_t parse_binaries(osdear__csv_column *column, const osdear__csv_block *block, size_t index)
{
  const osdear__csv_cell *cell = block->cells + index;
  const size_t step = block->columns, base = column->rows;

  for (size_t r = 0; r < block->rows; r++, cell += step) {
    osdear__str text = osdear__csv_text(block, cell);
    if (!(cell->size & OSDEAR__CELL_QUOTED) && osdear__csv_is_null(column->nulls, text)) {
      set_null(column, base + r);
      set_end(column, base + r);
      continue;
    }
    if (column->byte_count + text.size >= column->byte_capacity && !grow_bytes(column, text.size + 1))
      return NO_MEMORY;
    if (!osdear__text_hex(text, (uint8_t *)column->bytes + column->byte_count))
      return (int64_t)r;
    column->byte_count += text.size / 2;
    set_end(column, base + r);
  }
  return -1;
}

/* ---- the column ---- */

static osdear__csv_parse parser_of(osdear__kind kind)
{
  switch (kind) {
  case KIND_BOOLEAN: return parse_booleans;
  case KIND_BYTE: return parse_bytes1;
  case KIND_SHORT: return parse_bytes2;
  case KIND_INTEGER: return parse_bytes4;
  case KIND_LONG: return parse_bytes8;
  case KIND_FLOAT: return parse_singles;
  case KIND_DOUBLE: return parse_doubles;
  case KIND_DECIMAL: return parse_decimals;
  case KIND_DATE: return parse_dates;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return parse_timestamps;
  case KIND_BINARY: return parse_binaries;
  default: return parse_strings;
  }
}

void osdear__csv_column_init(osdear__csv_column *column, const osdear__type *type, const osdear__csv_nulls *nulls, char quote)
{
  *column = (osdear__csv_column){ .type = type, .nulls = nulls, .quote = quote, .parse = parser_of(type->kind) };
}

void osdear__csv_column_drop(osdear__csv_column *column)
{
  osdear__free(column->values);
  osdear__free(column->validity);
  osdear__free(column->bytes);
  column->values = column->validity = NULL;
  column->bytes = NULL;
}

void osdear__csv_column_nulls(osdear__csv_column *column, size_t rows)
{
  size_t width = value_width(column);

  for (size_t r = 0; r < rows; r++) {
    set_null(column, column->rows + r);
    if (column->type->kind == KIND_STRING || column->type->kind == KIND_BINARY)
      set_end(column, column->rows + r);
    else if (column->type->kind != KIND_BOOLEAN)
      memset(column->values + (column->rows + r) * width, 0, width);
  }
}

size_t osdear__csv_column_bytes(const osdear__csv_column *column)
{
  return values_size(column, column->rows) + column->byte_count;
}

osdear_status osdear__csv_column_finish(osdear__csv_column *column, struct ArrowArray *out, osdear_error **error)
{
  bool has_bytes = column->type->kind == KIND_STRING || column->type->kind == KIND_BINARY;
  void *buffers[3] = { column->validity, column->values, column->bytes };
  int64_t rows = (int64_t)column->rows, nulls = column->null_count;

  if (has_bytes && !column->bytes && !grow_bytes(column, 0))
    return osdear__fail_memory(error);
  buffers[2] = column->bytes;
  if (!nulls) {
    osdear__free(column->validity);
    buffers[0] = NULL;
  }
  osdear__csv_column_init(column, column->type, column->nulls, column->quote); /* the buffers are the array's now */
  return osdear__array_adopt(rows, nulls, buffers, has_bytes ? 3 : 2, NULL, 0, out, error);
}
