/* One data file of a scan: which of its columns are read, which are constant, and which of its rows are deleted. */
#include <delta/scan.h>

/* How much larger rows are in memory than in a file, commonly. */
#define EXPANSION 4

/* A file that is not of the size that the log gives is another file, or half of one: that tells more than what its bytes look like. */
static osdear_status explain(osdear__scan_file *f, const osdear__file *file, osdear_status status, osdear_error **error)
{
  osdear__store_item item;

  if (status != OSDEAR_ERR_CORRUPT && status != OSDEAR_ERR_IO)
    return status;
  if (file->size_bytes < 0 || osdear__store_stat(f->plan->snapshot->store, f->name, &item, NULL) ||
      item.size_bytes == file->size_bytes)
    return osdear__fail_within(error, status, "version %" PRId64, f->plan->snapshot->segment.version);
  return osdear__fail_because(error, OSDEAR_ERR_CORRUPT,
                              "data file %s has %" PRId64 " bytes where version %" PRId64 " says %" PRId64
                              ": it was cut or replaced",
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

static osdear_status take_partition(osdear__scan_file *f, const osdear__file *file, size_t column, osdear_error **error)
{
  const osdear__field *field = &f->plan->schema.fields[column];
  const osdear__partition_value *value = osdear__partition_find(file, f->plan->physical.fields[column].name);
  char *text;
  osdear_status st;

  f->is_constant[column] = true;
  if (!value) { /* as with columns that a file lacks, and as Spark reads it */
    f->constants[column] = (osdear__scalar){ .kind = field->type.kind, .is_null = true };
    return OSDEAR_OK;
  }
  text = osdear__arena_strndup(&f->arena, value->value.data, value->value.size);
  if (!text)
    return osdear__fail_memory(error);
  st = osdear__partition_parse(&field->type, (osdear__str){ text, value->value.size }, value->is_null, &f->arena,
                               &f->constants[column], error);
  if (!st)
    st = osdear__char_pad_value(&field->type, &f->arena, &f->constants[column], error);
  return st ? osdear__fail_within(error, st, "data file %s, partition column %s", f->name, field->name) : OSDEAR_OK;
}

/* What a change feed tells of all rows of the file. */
static void take_change(osdear__scan_file *f, const osdear__scan_task *task)
{
  osdear__scalar *first = &f->constants[f->plan->own_columns];
  bool *is_first = &f->is_constant[f->plan->own_columns];

  if (f->plan->kind != SCAN_CHANGES)
    return;
  is_first[0] = task->change != NULL;
  is_first[1] = is_first[2] = true;
  first[0] = (osdear__scalar){ .kind = KIND_STRING, .bytes = osdear__str_of(task->change) };
  first[1] = (osdear__scalar){ .kind = KIND_LONG, .i64 = task->version };
  first[2] = (osdear__scalar){ .kind = KIND_TIMESTAMP, .i64 = task->timestamp_us };
}

static osdear_status bind_columns(osdear__scan_file *f, const bool *stored, osdear_error **error)
{
  const osdear__scan_plan *plan = f->plan;
  size_t change = plan->own_columns;
  osdear_status st = osdear__scan_bind(plan->snapshot->metadata.mapping, &plan->physical, osdear__parquet_type(f->parquet),
                                       stored, &f->arena, &f->columns, error);

  if (!st && plan->kind == SCAN_CHANGES && stored[change] && f->columns.from[change] < 0)
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "a file of changes without the column _change_type");
  return st ? osdear__fail_within(error, st, "data file %s", f->name) : OSDEAR_OK;
}

static osdear_status match_columns(osdear__scan_file *f, const osdear__scan_task *task, osdear_error **error)
{
  const osdear__scan_plan *plan = f->plan;
  size_t count = plan->schema.field_count;
  bool *stored = osdear__arena_zeroed(&f->arena, count + 1, sizeof *stored);
  osdear_status st = OSDEAR_OK;

  f->constants = osdear__arena_zeroed(&f->arena, count + 1, sizeof *f->constants);
  f->is_constant = osdear__arena_zeroed(&f->arena, count + 1, sizeof *f->is_constant);
  if (!stored || !f->constants || !f->is_constant)
    return osdear__fail_memory(error);
  take_change(f, task);
  for (size_t i = 0; i < count && !st; i++) {
    osdear__str name = osdear__str_of(plan->schema.fields[i].name);
    bool is_partition = i < plan->own_columns && osdear__delta_partition_index(&plan->snapshot->metadata, name) >= 0;
    if (plan->needed[i] && is_partition)
      st = take_partition(f, task->file, i, error);
    stored[i] = plan->needed[i] && !f->is_constant[i];
  }
  return st ? st : bind_columns(f, stored, error);
}

/* A row past the end of the file means that the vector belongs to another file: what else it would hide is anyone's guess. */
static osdear_status read_rows_of(osdear__scan_file *f, osdear__vector_files *vectors, const osdear__deletion_vector *dv,
                                  osdear__row_set **out, osdear_error **error)
{
  osdear_status st;

  if (!dv || !dv->storage)
    return OSDEAR_OK;
  st = osdear__deletion_vector_read(f->plan->snapshot->store, vectors, dv, out, error);
  if (!st && osdear__row_set_last(*out) >= osdear__parquet_rows(f->parquet))
    st = osdear__fail(error, OSDEAR_ERR_CORRUPT, "its deletion vector has row %" PRId64 ", the file has %" PRId64 " rows",
                      osdear__row_set_last(*out), osdear__parquet_rows(f->parquet));
  return st ? osdear__fail_within(error, st, "data file %s of version %" PRId64, f->name, f->plan->snapshot->segment.version)
            : OSDEAR_OK;
}

osdear_status osdear__scan_file_open(osdear__scan_plan *plan, const osdear__scan_task *task, osdear__scan_file **out,
                                     osdear_error **error)
{
  osdear__scan_file *f = osdear__alloc_zeroed(1, sizeof *f);
  osdear_status st;

  if (!f)
    return osdear__fail_memory(error);
  atomic_init(&f->references, 1);
  f->plan = osdear__scan_plan_ref(plan);
  f->base_row_id = task->file->base_row_id;
  f->row_commit_version = task->file->default_row_commit_version;
  st = open_parquet(f, task->file, error);
  if (!st)
    st = read_rows_of(f, task->vectors, &task->file->dv, &f->deleted, error);
  if (!st)
    st = read_rows_of(f, task->vectors, task->only, &f->chosen, error);
  if (!st)
    st = match_columns(f, task, error);
  if (!st && osdear__parquet_rows(f->parquet) > 0 && task->file->size_bytes > 0)
    f->row_bytes = task->file->size_bytes / osdear__parquet_rows(f->parquet) * EXPANSION;
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
  osdear__row_set_free(file->chosen);
  osdear__scan_plan_unref(file->plan);
  osdear__arena_drop(&file->arena);
  osdear__free(file);
}
