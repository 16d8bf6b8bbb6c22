/** @file partition_filter.c Which files a predicate on partition columns chooses. The predicate is evaluated, not pruned by: its answer
 * is exact, and remembered for every partition, as tables have far more files than partitions. */
#include <delta/write.h>

struct osdear__partition_filter {
  const osdear__metadata *metadata;
  osdear__arena arena;
  osdear__expr *expr;
  osdear__expr_state state;
  bool *used;          /* by column of the table */
  osdear__map answers; /* by partition key: &yes or &no */
  osdear__buf rows;    /* scratch of check() */
};

static char yes, no;

/* The value of a partition column in a file; columns that a file does not name are null. */
static osdear_status value_of(const osdear__metadata *metadata, const osdear__file *file, const osdear__field *field,
                              osdear__scalar *out, osdear_error **error)
{
  const osdear__partition_value *value = osdear__partition_find(file, osdear__physical_field(metadata, field)->name);
  osdear_status st;

  *out = (osdear__scalar){ .kind = field->type.kind, .is_null = true };
  if (!value)
    return OSDEAR_OK;
  st = osdear__partition_parse(&field->type, value->value, value->is_null, NULL, out, error);
  return st ? osdear__fail_within(error, st, "file \"%.*s\", column \"%s\"", (int)file->path.size, file->path.data, field->name)
            : st;
}

osdear_status osdear__partition_key(const osdear__metadata *metadata, const osdear__file *file, osdear__buf *out,
                                    osdear_error **error)
{
  for (size_t i = 0; metadata->partition_columns[i]; i++) {
    int64_t at = osdear__type_find(&metadata->schema, osdear__str_of(metadata->partition_columns[i]));
    SCOPED(buf) text = { 0 };
    osdear__scalar value;
    bool is_null;
    osdear_status st;

    if (at < 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "partition column \"%s\" is not in the schema",
                          metadata->partition_columns[i]);
    st = value_of(metadata, file, &metadata->schema.fields[at], &value, error);
    if (st)
      return st;
    osdear__partition_print(&metadata->schema.fields[at].type, &value, &text, &is_null);
    if (text.failed)
      return osdear__fail_memory(error);
    osdear__buf_printf(out, "%zu%c", text.size, is_null ? 'n' : ':');
    osdear__buf_append(out, text.data, text.size);
  }
  osdear__buf_puts(out, "");
  return osdear__buf_check(out, error);
}

static osdear_status check_columns(const osdear__partition_filter *self, const char *where, osdear_error **error)
{
  const osdear__type *schema = &self->metadata->schema;

  for (size_t i = 0; i < schema->field_count; i++)
    if (self->used[i] && osdear__delta_partition_index(self->metadata, osdear__str_of(schema->fields[i].name)) < 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                          "`%s` reads column \"%s\", which does not partition the table: rows can be replaced by "
                          "whole partitions only",
                          where, schema->fields[i].name);
  return OSDEAR_OK;
}

osdear_status osdear__partition_filter_new(const osdear__metadata *metadata, const char *where, osdear__partition_filter **out,
                                           osdear_error **error)
{
  AUTO(partition_filter) self = osdear__alloc_zeroed(1, sizeof *self);
  osdear_status st;

  if (!self)
    return osdear__fail_memory(error);
  self->metadata = metadata;
  self->used = osdear__arena_zeroed(&self->arena, metadata->schema.field_count + 1, sizeof *self->used);
  if (!self->used)
    return osdear__fail_memory(error);
  st = osdear__expr_new(where, &metadata->schema, &self->arena, &self->expr, error);
  if (st)
    return st;
  if (osdear__expr_type(self->expr)->kind != KIND_BOOLEAN)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "`%s` is a value and no condition", where);
  osdear__expr_columns(self->expr, self->used);
  st = check_columns(self, where, error);
  if (st)
    return st;
  *out = self;
  self = NULL;
  return OSDEAR_OK;
}

void osdear__partition_filter_auto(osdear__partition_filter **filter)
{
  osdear__partition_filter *self = *filter;

  if (!self)
    return;
  osdear__expr_state_drop(&self->state);
  osdear__map_drop(&self->answers);
  osdear__buf_drop(&self->rows);
  osdear__arena_drop(&self->arena);
  osdear__free(self);
  *filter = NULL;
}

/* A batch of one row that has the file's values; columns the predicate does not read stay released. */
static osdear_status make_row(const osdear__partition_filter *self, const osdear__file *file, struct ArrowArray *out,
                              osdear_error **error)
{
  const osdear__type *schema = &self->metadata->schema;
  struct ArrowArray *columns = osdear__alloc_zeroed(schema->field_count, sizeof *columns);
  void *no_validity[1] = { NULL };
  osdear_status st = OSDEAR_OK;

  if (!columns)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < schema->field_count && !st; i++) {
    osdear__scalar value = { .kind = schema->fields[i].type.kind, .is_null = true };
    if (self->used[i])
      st = value_of(self->metadata, file, &schema->fields[i], &value, error);
    if (!st && self->used[i])
      st = osdear__array_repeat(&schema->fields[i].type, &value, 1, &columns[i], error);
    else if (!st)
      st = osdear__array_nulls(&schema->fields[i].type, 1, &columns[i], error);
    if (!st && self->used[i])
      st = osdear__char_pad(&schema->fields[i].type, &columns[i], error);
  }
  if (!st) {
    st = osdear__array_adopt(1, 0, no_validity, 1, columns, (int64_t)schema->field_count, out, error);
  } else {
    for (size_t i = 0; i < schema->field_count; i++)
      osdear__array_drop(&columns[i]);
  }
  osdear__free(columns);
  return st;
}

static osdear_status evaluate(osdear__partition_filter *self, const osdear__file *file, bool *matches, osdear_error **error)
{
  struct ArrowArray row = { 0 };
  int32_t selected[1];
  int64_t count = 0;
  osdear_status st = make_row(self, file, &row, error);

  if (!st)
    st = osdear__expr_select(self->expr, &self->state, &row, selected, &count, error);
  osdear__array_drop(&row);
  *matches = count > 0;
  return st;
}

osdear_status osdear__partition_filter_test(osdear__partition_filter *filter, const osdear__file *file, bool *matches,
                                            osdear_error **error)
{
  SCOPED(buf) key = { 0 };
  osdear__map_entry *entry;
  char *copy;
  bool is_new;
  osdear_status st = osdear__partition_key(filter->metadata, file, &key, error);

  if (st)
    return st;
  entry = osdear__map_find(&filter->answers, (osdear__str){ key.data, key.size });
  if (entry) {
    *matches = entry->value == &yes;
    return OSDEAR_OK;
  }
  st = evaluate(filter, file, matches, error);
  if (st)
    return st;
  copy = osdear__arena_strndup(&filter->arena, key.data, key.size);
  entry = copy ? osdear__map_add(&filter->answers, (osdear__str){ copy, key.size }, &is_new) : NULL;
  if (!entry)
    return osdear__fail_memory(error);
  entry->value = *matches ? &yes : &no;
  return OSDEAR_OK;
}

/* Which rows match as they will be read, which pads a CHAR(n). */
static osdear_status select_as_read(osdear__partition_filter *self, const struct ArrowArray *batch, int32_t *rows, int64_t *count,
                                    osdear_error **error)
{
  const osdear__type *schema = &self->metadata->schema;
  struct ArrowArray **children = osdear__alloc(schema->field_count * sizeof(struct ArrowArray *) + 1);
  struct ArrowArray *padded = osdear__alloc_zeroed(schema->field_count, sizeof *padded);
  struct ArrowArray as_read = *batch;
  osdear_status st = children && padded ? OSDEAR_OK : osdear__fail_memory(error);

  for (size_t i = 0; i < schema->field_count && !st; i++) {
    const osdear__type *type = &schema->fields[i].type;
    bool is_padded = self->used[i] && osdear__is_char(type);
    children[i] = is_padded ? &padded[i] : batch->children[i];
    if (is_padded)
      st = osdear__array_slice(type, batch->children[i], 0, batch->length, &padded[i], error);
    if (is_padded && !st)
      st = osdear__char_pad(type, &padded[i], error);
  }
  as_read.children = children;
  if (!st)
    st = osdear__expr_select(self->expr, &self->state, &as_read, rows, count, error);
  for (size_t i = 0; padded && i < schema->field_count; i++)
    osdear__array_drop(&padded[i]);
  osdear__free(padded);
  osdear__free(children);
  return st;
}

osdear_status osdear__partition_filter_check(osdear__partition_filter *filter, const struct ArrowArray *batch, int64_t first_row,
                                             osdear_error **error)
{
  int32_t *rows;
  int64_t count = 0, row = 0;
  osdear_status st;

  if (batch->length == 0)
    return OSDEAR_OK;
  osdear__buf_clear(&filter->rows);
  rows = (int32_t *)(void *)osdear__buf_reserve(&filter->rows, (size_t)batch->length * sizeof *rows);
  if (!rows)
    return osdear__buf_check(&filter->rows, error);
  st = select_as_read(filter, batch, rows, &count, error);
  if (st || count == batch->length)
    return st;
  while (row < count && rows[row] == row)
    row++;
  return osdear__fail(error, OSDEAR_ERR_DATA, "row %" PRId64 " does not fulfil the predicate that says which rows are replaced",
                      first_row + row);
}
