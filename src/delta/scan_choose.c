/* Which rows of a row group may match, by its statistics and by those of its pages. What is not known is read. */
#include <delta/scan.h>

/* A bloom filter that is opened when it is first asked. */
typedef struct column_filter column_filter;
struct column_filter {
  column_filter *next;
  const osdear__scan_file *file;
  size_t group;
  osdear__arena *arena;
  size_t *path; /* in the file */
  size_t depth;
  bool is_open;
  osdear__parquet_bloom *bloom; /* NULL: none of use */
  osdear_status status;
};

typedef struct group_facts {
  const osdear__scan_file *file;
  size_t group;
  int64_t row;                  /* with pages: the row that is asked about; -1: the whole group */
  osdear__parquet_page **pages; /* by index in the table's schema; NULL: no index */
  size_t *page_counts;
  osdear__arena *arena; /* of the filters; NULL: they are not asked */
  column_filter *filters;
  osdear_status status;
} group_facts;

static bool is_float(osdear__kind kind)
{
  return kind == KIND_FLOAT || kind == KIND_DOUBLE;
}

static void constant_range(const osdear__scalar *value, osdear__kind kind, osdear__range *out)
{
  *out = (osdear__range){ .null_count = value->is_null, .row_count = 1, .may_be_nan = is_float(kind) };
  if (value->is_null)
    return;
  out->has_min = out->has_max = true;
  out->min = out->max = *value;
}

/* The page that holds the row, if the column has an index. */
static const osdear__parquet_page *page_at(const group_facts *facts, size_t column)
{
  size_t low = 0, high = facts->page_counts[column];
  const osdear__parquet_page *pages = facts->pages[column];

  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (pages[middle].rows.to <= facts->row)
      low = middle + 1;
    else
      high = middle;
  }
  return low < facts->page_counts[column] && pages[low].rows.from <= facts->row ? &pages[low] : NULL;
}

/* Walks both types at once. False where the file's column differs: then its statistics are not the table's. */
static bool file_path(const group_facts *facts, const size_t *path, size_t depth, size_t *out, const osdear__type **type)
{
  const osdear__scan_plan *plan = facts->file->plan;
  const osdear__type *ours = &plan->physical, *theirs = osdear__parquet_type(facts->file->parquet);

  for (size_t i = 0; i < depth; i++) {
    int64_t at = osdear__scan_find_field(plan->snapshot->metadata.mapping, theirs, &ours->fields[path[i]]);
    if (at < 0)
      return false;
    out[i] = (size_t)at;
    ours = &ours->fields[path[i]].type;
    theirs = &theirs->fields[at].type;
  }
  *type = ours;
  if (ours->kind == KIND_BINARY && theirs->kind == KIND_FIXED)
    return true;
  return ours->kind == theirs->kind && ours->scale == theirs->scale && ours->precision == theirs->precision;
}

static bool may_hold(void *argument, const osdear__scalar *value)
{
  column_filter *filter = argument;

  if (!filter->is_open)
    filter->status = osdear__parquet_bloom_open(filter->file->parquet, filter->group, filter->path, filter->depth, filter->arena,
                                                &filter->bloom, NULL);
  filter->is_open = true;
  return !filter->bloom || osdear__parquet_bloom_may_hold(filter->bloom, value);
}

/* The column's filter, if the footer says that there is one. A predicate may ask for it more than once. */
static void add_filter(group_facts *facts, const size_t *path, size_t depth, osdear__range *out)
{
  column_filter *filter = facts->filters;

  if (!osdear__parquet_has_bloom(facts->file->parquet, facts->group, path, depth))
    return;
  while (filter && (filter->depth != depth || memcmp(filter->path, path, depth * sizeof *path) != 0))
    filter = filter->next;
  if (!filter) {
    filter = osdear__arena_zeroed(facts->arena, 1, sizeof *filter);
    size_t *copy = osdear__arena_alloc(facts->arena, depth * sizeof *copy);
    if (!filter || !copy) {
      facts->status = OSDEAR_ERR_NO_MEMORY;
      return;
    }
    memcpy(copy, path, depth * sizeof *copy);
    *filter = (column_filter){
      .next = facts->filters, .file = facts->file, .group = facts->group, .arena = facts->arena, .path = copy, .depth = depth
    };
    facts->filters = filter;
  }
  out->may_hold = may_hold;
  out->filter = filter;
}

static bool group_range(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  group_facts *facts = argument;
  const osdear__scan_file *f = facts->file;
  osdear__parquet_stats stats;
  const osdear__type *type;
  size_t theirs[100];

  if (f->is_constant[path[0]]) {
    constant_range(&f->constants[path[0]], f->plan->schema.fields[path[0]].type.kind, out);
    return depth == 1;
  }
  if (f->plan->kind == SCAN_ROW_IDS && path[0] >= f->plan->own_columns)
    return false; /* what the file has of them is not all */
  if (f->columns.from[path[0]] < 0) {
    *out = (osdear__range){ .null_count = 1, .row_count = 1 }; /* not in the file: null in every row */
    return true;
  }
  if (depth > COUNT_OF(theirs) || !file_path(facts, path, depth, theirs, &type) || osdear__is_char(type))
    return false;
  if (facts->row >= 0 && depth == 1 && facts->pages[path[0]]) {
    const osdear__parquet_page *page = page_at(facts, path[0]);
    if (!page)
      return false;
    *out = (osdear__range){ .has_min = page->has_min,
                            .has_max = page->has_max,
                            .may_be_nan = is_float(type->kind),
                            .min = page->min,
                            .max = page->max,
                            .null_count = page->null_count,
                            .row_count = page->rows.to - page->rows.from };
    return true;
  }
  if (!osdear__parquet_group_stats(f->parquet, facts->group, theirs, depth, &stats))
    return false;
  *out = (osdear__range){ .has_min = stats.has_min,
                          .has_max = stats.has_max,
                          .may_be_nan = is_float(type->kind),
                          .min = stats.min,
                          .max = stats.max,
                          .null_count = stats.null_count,
                          .row_count = stats.row_count };
  if (facts->arena)
    add_filter(facts, theirs, depth, out);
  return true;
}

static bool is_leaf(const osdear__type *type)
{
  return type->field_count == 0 && type->kind != KIND_VARIANT;
}

/* The page indexes of the predicate's plain columns. What is missing or unsound is only not used. */
static osdear_status read_pages(group_facts *facts, const bool *used, osdear__arena *arena, bool *any, osdear_error **error)
{
  const osdear__scan_file *f = facts->file;
  const osdear__type *schema = &f->plan->schema;

  *any = false;
  for (size_t i = 0; i < schema->field_count; i++) {
    size_t path = (size_t)f->columns.from[i];
    osdear_status st;
    if (!used[i] || f->columns.from[i] < 0 || !is_leaf(&osdear__parquet_type(f->parquet)->fields[f->columns.from[i]].type))
      continue;
    st = osdear__parquet_pages(f->parquet, facts->group, &path, 1, arena, &facts->pages[i], &facts->page_counts[i], NULL);
    if (st == OSDEAR_ERR_NO_MEMORY)
      return osdear__fail_memory(error);
    if (st)
      facts->pages[i] = NULL;
    *any |= facts->pages[i] != NULL;
  }
  return OSDEAR_OK;
}

/* The next row after `row` at which a page of some column starts. */
static int64_t next_start(const group_facts *facts, int64_t row, int64_t rows)
{
  size_t columns = facts->file->plan->schema.field_count;
  group_facts at = *facts;
  int64_t next = rows;

  at.row = row;
  for (size_t i = 0; i < columns; i++) {
    const osdear__parquet_page *page = facts->pages[i] ? page_at(&at, i) : NULL;
    if (page && page->rows.to < next)
      next = page->rows.to;
  }
  return next;
}

static osdear_status choose_ranges(group_facts *facts, const osdear__expr *where, osdear__arena *arena,
                                   osdear__row_range **ranges, size_t *count, osdear_error **error)
{
  int64_t rows = osdear__parquet_group_rows(facts->file->parquet, facts->group), next;
  size_t room = 0;

  *count = 0;
  for (int64_t row = 0; row < rows; row = next) {
    next = next_start(facts, row, rows);
    facts->row = row;
    if (!osdear__expr_may_match(where, group_range, facts))
      continue;
    if (*count && (*ranges)[*count - 1].to == row) {
      (*ranges)[*count - 1].to = next;
      continue;
    }
    if (*count == room) {
      osdear__row_range *grown = osdear__arena_alloc(arena, (room * 2 + 16) * sizeof *grown);
      if (!grown)
        return osdear__fail_memory(error);
      if (room)
        memcpy(grown, *ranges, room * sizeof *grown);
      *ranges = grown;
      room = room * 2 + 16;
    }
    (*ranges)[(*count)++] = (osdear__row_range){ row, next };
  }
  return OSDEAR_OK;
}

/* Page by page, where statistics of the row group leave something open. */
static osdear_status choose_pages(group_facts *facts, osdear__arena *arena, osdear__scan_choice *out, osdear_error **error)
{
  size_t columns = facts->file->plan->schema.field_count;
  bool *used = osdear__arena_zeroed(arena, columns, sizeof *used);
  bool any;
  osdear_status st;

  facts->pages = osdear__arena_zeroed(arena, columns, sizeof *facts->pages);
  facts->page_counts = osdear__arena_zeroed(arena, columns, sizeof *facts->page_counts);
  if (!used || !facts->pages || !facts->page_counts)
    return osdear__fail_memory(error);
  osdear__expr_columns(out->where, used);
  st = read_pages(facts, used, arena, &any, error);
  if (st || !any)
    return st;
  st = choose_ranges(facts, out->where, arena, &out->ranges, &out->range_count, error);
  out->skip = !st && out->range_count == 0;
  return st;
}

/* Bloom filters have to be read, so they come last: for what statistics leave open. */
static osdear_status ask_filters(group_facts *facts, osdear__scan_choice *out, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };

  facts->row = -1;
  facts->arena = &arena;
  out->skip = !osdear__expr_may_match(out->where, group_range, facts);
  for (const column_filter *filter = facts->filters; filter && !facts->status; filter = filter->next)
    facts->status = filter->status;
  return facts->status ? osdear__fail_memory(error) : OSDEAR_OK;
}

osdear_status osdear__scan_file_choose(osdear__scan_file *file, size_t group, osdear__arena *arena, osdear__scan_choice *out,
                                       osdear_error **error)
{
  size_t columns = file->plan->schema.field_count;
  group_facts facts = { .file = file, .group = group, .row = -1 };
  osdear_status st;

  *out = (osdear__scan_choice){ .needed = file->plan->wanted };
  if (!file->plan->where)
    return OSDEAR_OK;
  out->skip = !osdear__expr_may_match(file->plan->where, group_range, &facts);
  if (out->skip)
    return OSDEAR_OK;
  st = osdear__expr_residual(file->plan->where, group_range, &facts, arena, &out->where, error);
  if (st || !out->where)
    return st;
  out->needed = osdear__arena_alloc(arena, columns * sizeof *out->needed + 1);
  if (!out->needed)
    return osdear__fail_memory(error);
  memcpy(out->needed, file->plan->wanted, columns * sizeof *out->needed);
  osdear__expr_columns(out->where, out->needed);
  st = choose_pages(&facts, arena, out, error);
  return st || out->skip ? st : ask_filters(&facts, out, error);
}
