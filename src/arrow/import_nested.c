/** @file import_nested.c Structs, variants, lists of every layout, and maps. */
#include <arrow/import.h>

/* ---- structs ---- */

/* A variant's storage may have its two binaries in any order; ours is metadata, value. */
static int64_t source_index(const osdear__column *column, int64_t index)
{
  const char *first = column->schema->children[0]->name;

  if (column->type->kind == KIND_VARIANT && (!first || strcmp(first, "metadata") != 0))
    return 1 - index;
  return index;
}

osdear_status osdear__import_struct(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  for (int64_t i = 0; i < out->n_children; i++) {
    osdear__type type = osdear__child_type(column->type, i);
    osdear__column child = osdear__column_child(column, source_index(column, i), &type, NULL);
    osdear_status st = osdear__import_range(batch, &child, at, out->length, out->children[i]);

    if (st)
      return st;
  }
  return OSDEAR_OK;
}

/* ---- lists and maps ---- */

/* The list that holds an element; what failed in the child failed in that row. */
static int64_t row_of_element(const int32_t *offsets, int64_t length, int64_t element)
{
  int64_t low = 0;
  int64_t high = length;

  while (low < high) {
    int64_t middle = low + (high - low) / 2;

    if (offsets[middle + 1] <= element)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static osdear_status import_elements(osdear__batch *batch, const osdear__column *column, int64_t from, int64_t count,
                                     struct ArrowArray *out)
{
  osdear__type type = osdear__child_type(column->type, 0);
  bool is_map = column->type->kind == KIND_MAP;
  osdear__column child = osdear__column_child(column, 0, &type, "element");

  if (is_map) /* its entries are no place of their own */
    child.place = column->place;
  return osdear__import_range(batch, &child, from, count, out);
}

static osdear_status check_entries(osdear__batch *batch, const struct ArrowArray *map)
{
  const struct ArrowArray *entries = map->children[0];
  const struct ArrowArray *keys = entries->children[0];
  const struct ArrowArray *bad = entries->null_count ? entries : keys->null_count ? keys : NULL;
  int64_t element = 0;

  if (!bad)
    return OSDEAR_OK;
  while (bad->buffers[0] && osdear__is_valid(bad, element))
    element++;
  return osdear__import_fail(batch, row_of_element(map->buffers[1], map->length, element), "a map has a null key or entry");
}

/* Where the elements of a row lie. */
typedef struct span {
  int64_t from;
  int64_t count;
} span;

static span span_at(const osdear__column *column, int64_t at)
{
  const struct ArrowArray *array = column->array;

  switch (column->format.layout) {
  case LAYOUT_LIST_FIXED: {
    int64_t from;

    return (span){ osdear__mul_i64(at, column->format.width, &from) ? from : -1, column->format.width };
  }
  case LAYOUT_LIST_VIEW: return (span){ osdear__index_at(array->buffers[1], 4, at), osdear__index_at(array->buffers[2], 4, at) };
  case LAYOUT_LIST_VIEW_LARGE:
    return (span){ osdear__index_at(array->buffers[1], 8, at), osdear__index_at(array->buffers[2], 8, at) };
  case LAYOUT_LIST_LARGE: {
    int64_t from = osdear__index_at(array->buffers[1], 8, at);

    return (span){ from, osdear__index_at(array->buffers[1], 8, at + 1) - from };
  }
  default: {
    int64_t from = osdear__index_at(array->buffers[1], 4, at);

    return (span){ from, osdear__index_at(array->buffers[1], 4, at + 1) - from };
  }
  }
}

/* What the rows of a list are made of: spans of the child, those that follow one another joined. */
typedef struct spans {
  osdear__range *ranges;
  size_t count;
  int64_t from; /* they all lie in [from, to) */
  int64_t to;
} spans;

static osdear_status check_span(osdear__batch *batch, const osdear__column *column, int64_t row, const span *it)
{
  int64_t available = column->array->children[0]->length;

  if (it->from < 0 || it->count < 0 || it->from > available || it->count > available - it->from)
    return osdear__import_fail(batch, row,
                               "the list's %" PRId64 " elements from %" PRId64 " on are not among the child's %" PRId64,
                               it->count, it->from, available);
  return OSDEAR_OK;
}

static void add_span(spans *all, const span *it)
{
  osdear__range *last = all->count ? &all->ranges[all->count - 1] : NULL;

  if (!it->count)
    return;
  if (!last || it->from < all->from)
    all->from = it->from;
  if (!last || it->from + it->count > all->to)
    all->to = it->from + it->count;
  if (last && last->from + last->length == it->from)
    last->length += it->count;
  else
    all->ranges[all->count++] = (osdear__range){ NULL, it->from, it->count };
}

static osdear_status collect_spans(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out,
                                   spans *all)
{
  int32_t *offsets = osdear__array_buffer(out, 1, ((size_t)out->length + 1) * sizeof *offsets);
  int64_t end = 0;

  all->ranges = osdear__alloc_zeroed((size_t)out->length + 1, sizeof *all->ranges);
  if (!offsets || !all->ranges)
    return osdear__fail_memory(batch->error);
  for (int64_t i = 0; i < out->length; i++) {
    if (osdear__is_valid(out, i)) {
      span it = span_at(column, at + i);
      osdear_status st = check_span(batch, column, i, &it);

      if (st)
        return st;
      add_span(all, &it);
      end += it.count;
      if (end > INT32_MAX)
        return osdear__fail(batch->error, OSDEAR_ERR_LIMIT, "more than %d elements in one batch; use smaller batches", INT32_MAX);
    }
    offsets[i + 1] = (int32_t)end;
  }
  return OSDEAR_OK;
}

/* Lists whose elements do not simply follow one another: views, and nulls that hold elements, which ours do not. */
static osdear_status import_scattered(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  osdear__type type = osdear__child_type(column->type, 0);
  SCOPED(array) elements = { 0 };
  spans all = { 0 };
  osdear_status st = collect_spans(batch, column, at, out, &all);

  if (!st) {
    st = import_elements(batch, column, all.from, all.to - all.from, &elements);
    if (st && batch->bad_row >= 0) /* scattered elements may belong to several rows, or to none */
      batch->bad_row = all.count == 1 ? row_of_element(out->buffers[1], out->length, batch->bad_row) : -1;
  }
  if (!st && all.count == 1) {
    osdear__array_move(&elements, out->children[0]);
  } else if (!st) {
    for (size_t i = 0; i < all.count; i++) {
      all.ranges[i].array = &elements;
      all.ranges[i].from -= all.from;
    }
    st = osdear__array_gather(&type, all.ranges, all.count, out->children[0], batch->error);
  }
  osdear__free(all.ranges);
  return st;
}

static bool nulls_hold_elements(const struct ArrowArray *array)
{
  const int32_t *offsets = array->buffers[1];
  bool some = false;

  if (!array->null_count)
    return false;
  for (int64_t i = 0; i < array->length; i++)
    some |= offsets[i + 1] != offsets[i] && !osdear__is_valid(array, i);
  return some;
}

static osdear_status import_offset_list(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  int32_t width = column->format.layout == LAYOUT_LIST_LARGE ? 8 : 4;
  int64_t first = 0;
  int64_t last = 0;
  osdear_status st =
      osdear__import_offsets(batch, (const char *)column->array->buffers[1] + at * width, width, out, &first, &last);

  if (st)
    return st;
  if (nulls_hold_elements(out))
    return import_scattered(batch, column, at, out);
  st = import_elements(batch, column, first, last - first, out->children[0]);
  if (st && batch->bad_row >= 0)
    batch->bad_row = row_of_element(out->buffers[1], out->length, batch->bad_row);
  return st;
}

osdear_status osdear__import_list(osdear__batch *batch, const osdear__column *column, int64_t at, struct ArrowArray *out)
{
  bool has_offsets =
      column->format.layout == LAYOUT_LIST || column->format.layout == LAYOUT_LIST_LARGE || column->format.layout == LAYOUT_MAP;
  osdear_status st;

  st = has_offsets ? import_offset_list(batch, column, at, out) : import_scattered(batch, column, at, out);
  if (!st && column->type->kind == KIND_MAP)
    st = check_entries(batch, out);
  return st;
}
