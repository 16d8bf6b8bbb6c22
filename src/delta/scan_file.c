/* One data file of a scan: which of its columns are read, which are constant, and which of its rows may match. */
#include <delta/scan.h>

/* How much larger rows are in memory than in a file, commonly. */
#define EXPANSION 4

/* A file that is not of the size that the log gives is another file, or half of one: that tells more than what its bytes look like. */
static osdear_status explain(osdear__scan_file *f, const osdear__file *file, osdear_status status, osdear_error **error)
{
  osdear__store_item item;

  if (status != OSDEAR_ERR_CORRUPT && status != OSDEAR_ERR_IO)
    return status;
  if (file->size_bytes < 0 || osdear__store_stat(f->plan->snapshot->store, f->name, &item, NULL) || item.size_bytes == file->size_bytes)
    return osdear__fail_within(error, status, "version %" PRId64, f->plan->snapshot->segment.version);
  return osdear__fail_because(error, OSDEAR_ERR_CORRUPT,
                              "data file %s has %" PRId64 " bytes where version %" PRId64 " says %" PRId64 ": it was cut or replaced",
                              f->name, item.size_bytes, f->plan->snapshot->segment.version, file->size_bytes);
}

static osdear_status open_parquet(osdear__scan_file *f, const osdear__file *file, osdear_error **error)
{
  SCOPED(buf) path = { 0 };
  osdear__input *input;
  osdear_status st = osdear__data_path(file->path, &path, error);

  if (st)
    return osdear__fail_within(error, st, "version %" PRId64, f->plan->snapshot->segment.version);
  f->name = osdear__arena_strndup(&f->arena, path.data, path.size);
  if (!f->name)
    return osdear__fail_memory(error);
  st = osdear__store_open_input(f->plan->snapshot->store, f->name, file->size_bytes, &input, error);
  if (st)
    return osdear__fail_within(error, st, "data file %s of version %" PRId64, f->name, f->plan->snapshot->segment.version);
  st = osdear__parquet_open(input, NULL, &f->parquet, error);
  return st ? explain(f, file, st, error) : OSDEAR_OK;
}

static osdear_status take_constant(osdear__scan_file *f, const osdear__file *file, size_t column, osdear_error **error)
{
  const osdear__field *field = &f->plan->snapshot->metadata.schema.fields[column];
  osdear_status st;

  f->is_constant[column] = true;
  for (size_t i = 0; i < file->partition_count; i++) {
    const osdear__partition_value *value = &file->partition[i];
    char *text;
    if (!osdear__str_equal_nocase(value->column, osdear__str_of(field->name)))
      continue;
    text = osdear__arena_strndup(&f->arena, value->value.data, value->value.size);
    if (!text)
      return osdear__fail_memory(error);
    st = osdear__partition_parse(&field->type, (osdear__str){ text, value->value.size }, value->is_null, &f->arena, &f->constants[column],
                                 error);
    return st ? osdear__fail_within(error, st, "data file %s, partition column %s", f->name, field->name) : OSDEAR_OK;
  }
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "data file %s: the log gives no value for partition column %s", f->name, field->name);
}

static osdear_status match_columns(osdear__scan_file *f, const osdear__file *file, osdear_error **error)
{
  const osdear__metadata *metadata = &f->plan->snapshot->metadata;
  const osdear__type *schema = &metadata->schema, *theirs = osdear__parquet_type(f->parquet);

  f->from = osdear__arena_alloc(&f->arena, schema->field_count * sizeof *f->from);
  f->constants = osdear__arena_zeroed(&f->arena, schema->field_count, sizeof *f->constants);
  f->is_constant = osdear__arena_zeroed(&f->arena, schema->field_count, sizeof *f->is_constant);
  if (!f->from || !f->constants || !f->is_constant)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < schema->field_count; i++) {
    osdear__str name = osdear__str_of(schema->fields[i].name);
    bool is_partition = osdear__delta_partition_index(metadata, name) >= 0;
    osdear_status st = is_partition && f->plan->needed[i] ? take_constant(f, file, i, error) : OSDEAR_OK;
    if (st)
      return st;
    f->from[i] = is_partition ? -1 : osdear__type_find(theirs, name);
  }
  return OSDEAR_OK;
}

/* A row past the end of the file means that the vector belongs to another file: what else it would hide is anyone's guess. */
static osdear_status read_deleted(osdear__scan_file *f, const osdear__deletion_vector *dv, osdear_error **error)
{
  osdear_status st;

  if (!dv->storage)
    return OSDEAR_OK;
  st = osdear__deletion_vector_read(f->plan->snapshot->store, dv, &f->deleted, error);
  if (!st && osdear__row_set_last(f->deleted) >= osdear__parquet_rows(f->parquet))
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "its deletion vector has row %" PRId64 ", the file has %" PRId64 " rows",
                      osdear__row_set_last(f->deleted), osdear__parquet_rows(f->parquet));
  return st ? osdear__fail_within(error, st, "data file %s of version %" PRId64, f->name, f->plan->snapshot->segment.version) : OSDEAR_OK;
}

osdear_status osdear__scan_file_open(osdear__scan_plan *plan, const osdear__file *file, osdear__scan_file **out, osdear_error **error)
{
  osdear__scan_file *f = osdear__alloc_zeroed(1, sizeof *f);
  osdear_status st;

  if (!f)
    return osdear__fail_memory(error);
  atomic_init(&f->references, 1);
  f->plan = osdear__scan_plan_ref(plan);
  st = open_parquet(f, file, error);
  if (!st)
    st = read_deleted(f, &file->dv, error);
  if (!st)
    st = match_columns(f, file, error);
  if (!st && osdear__parquet_rows(f->parquet) > 0 && file->size_bytes > 0)
    f->row_bytes = file->size_bytes / osdear__parquet_rows(f->parquet) * EXPANSION;
  if (st) {
    osdear__scan_file_unref(f);
    return st;
  }
  *out = f;
  return OSDEAR_OK;
}

void osdear__scan_file_unref(osdear__scan_file *file)
{
  if (!file || atomic_fetch_sub(&file->references, 1) > 1)
    return;
  if (file->parquet)
    atomic_fetch_add(&file->plan->counts.bytes_read, osdear__parquet_bytes_read(file->parquet));
  osdear__parquet_unref(file->parquet);
  osdear__row_set_free(file->deleted);
  osdear__scan_plan_unref(file->plan);
  osdear__arena_drop(&file->arena);
  osdear__free(file);
}

/* ---- what is known of a row group, and of the pages in it ---- */

typedef struct group_facts {
  const osdear__scan_file *file;
  size_t group;
  int64_t row;                   /* with pages: the row that is asked about; -1: the whole group */
  osdear__parquet_page **pages;  /* by index in the table's schema; NULL: no index */
  size_t *page_counts;
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

/* Walks both types at once, by name. False where the file's column differs: then its statistics are not the table's. */
static bool file_path(const group_facts *facts, const size_t *path, size_t depth, size_t *out, const osdear__type **type)
{
  const osdear__type *ours = &facts->file->plan->snapshot->metadata.schema, *theirs = osdear__parquet_type(facts->file->parquet);

  for (size_t i = 0; i < depth; i++) {
    const osdear__field *field = &ours->fields[path[i]];
    int64_t at = theirs->kind == KIND_STRUCT ? osdear__type_find(theirs, osdear__str_of(field->name)) : -1;
    if (at < 0)
      return false;
    out[i] = (size_t)at;
    ours = &field->type;
    theirs = &theirs->fields[at].type;
  }
  *type = ours;
  return ours->kind == theirs->kind && ours->scale == theirs->scale && ours->precision == theirs->precision;
}

static bool group_range(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  const group_facts *facts = argument;
  const osdear__scan_file *f = facts->file;
  osdear__parquet_stats stats;
  const osdear__type *type;
  size_t theirs[100];

  if (f->is_constant[path[0]]) {
    constant_range(&f->constants[path[0]], f->plan->snapshot->metadata.schema.fields[path[0]].type.kind, out);
    return depth == 1;
  }
  if (f->from[path[0]] < 0) {
    *out = (osdear__range){ .null_count = 1, .row_count = 1 }; /* not in the file: null in every row */
    return true;
  }
  if (osdear__char_length(&f->plan->snapshot->metadata.schema.fields[path[0]]) || depth > COUNT_OF(theirs)
      || !file_path(facts, path, depth, theirs, &type))
    return false;
  if (facts->row >= 0 && depth == 1 && facts->pages[path[0]]) {
    const osdear__parquet_page *page = page_at(facts, path[0]);
    if (!page)
      return false;
    *out = (osdear__range){ page->has_min, page->has_max, is_float(type->kind), page->min, page->max, page->null_count,
                            page->rows.to - page->rows.from };
    return true;
  }
  if (!osdear__parquet_group_stats(f->parquet, facts->group, theirs, depth, &stats))
    return false;
  *out = (osdear__range){ stats.has_min, stats.has_max, is_float(type->kind), stats.min, stats.max, stats.null_count, stats.row_count };
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
  const osdear__type *schema = &f->plan->snapshot->metadata.schema;

  *any = false;
  for (size_t i = 0; i < schema->field_count; i++) {
    size_t path = (size_t)f->from[i];
    osdear_status st;
    if (!used[i] || f->from[i] < 0 || !is_leaf(&osdear__parquet_type(f->parquet)->fields[f->from[i]].type))
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
  size_t columns = facts->file->plan->snapshot->metadata.schema.field_count;
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

static osdear_status choose_ranges(group_facts *facts, const osdear__expr *where, osdear__arena *arena, osdear__row_range **ranges,
                                   size_t *count, osdear_error **error)
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
  size_t columns = facts->file->plan->snapshot->metadata.schema.field_count;
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

osdear_status osdear__scan_file_choose(osdear__scan_file *file, size_t group, osdear__arena *arena, osdear__scan_choice *out,
                                       osdear_error **error)
{
  size_t columns = file->plan->snapshot->metadata.schema.field_count;
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
  return choose_pages(&facts, arena, out, error);
}
