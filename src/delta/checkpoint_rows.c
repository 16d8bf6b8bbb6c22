/** @file checkpoint_rows.c Actions as rows of a checkpoint. */
#include <delta/checkpoint.h>

/* The fields of a struct row, put one after the other. A failure is kept and ends the rest. */
typedef struct row {
  osdear__builder *builder;
  size_t next;
  osdear_status st;
  osdear_error **error;
} row;

static osdear__builder *next_field(row *self)
{
  return osdear__builder_child(self->builder, self->next++);
}

static void put_null(row *self)
{
  osdear__builder *field = next_field(self);

  if (!self->st)
    self->st = osdear__builder_null(field, self->error);
}

static void put_text(row *self, osdear__str text)
{
  osdear__builder *field = next_field(self);

  if (!self->st)
    self->st = osdear__builder_bytes(field, text, self->error);
}

static void put_name(row *self, const char *text)
{
  if (text)
    put_text(self, osdear__str_of(text));
  else
    put_null(self);
}

/* Null where it is `absent`. */
static void put_number(row *self, int64_t value, int64_t absent)
{
  osdear__builder *field = next_field(self);

  if (!self->st)
    self->st = value == absent ? osdear__builder_null(field, self->error) : osdear__builder_i64(field, value, self->error);
}

static void put_bool(row *self, bool value)
{
  put_number(self, value, -1);
}

static void put_list(row *self, const char *const *items)
{
  osdear__builder *field = next_field(self);

  if (!items) {
    if (!self->st)
      self->st = osdear__builder_null(field, self->error);
    return;
  }
  for (; *items && !self->st; items++)
    self->st = osdear__builder_bytes(osdear__builder_child(field, 0), osdear__str_of(*items), self->error);
  if (!self->st)
    self->st = osdear__builder_close(field, self->error);
}

static void put_entry(row *self, osdear__builder *map, osdear__str key, osdear__str value, bool is_null)
{
  if (!self->st)
    self->st = osdear__builder_bytes(osdear__builder_child(map, 0), key, self->error);
  if (self->st)
    return;
  if (is_null)
    self->st = osdear__builder_null(osdear__builder_child(map, 1), self->error);
  else
    self->st = osdear__builder_bytes(osdear__builder_child(map, 1), value, self->error);
}

static void close_map(row *self, osdear__builder *map)
{
  if (!self->st)
    self->st = osdear__builder_close(map, self->error);
}

static void put_partition(row *self, const osdear__file *file)
{
  osdear__builder *map = next_field(self);

  for (size_t i = 0; i < file->partition_count; i++)
    put_entry(self, map, file->partition[i].column, file->partition[i].value, file->partition[i].is_null);
  close_map(self, map);
}

/* Values that are no text are kept as the JSON they are. */
static void put_tags(row *self, const osdear__file *file, osdear__arena *arena)
{
  SCOPED(buf) text = { 0 };
  osdear__builder *map;
  osdear__json *tags = NULL;

  if (file->tags.size == 0) {
    put_null(self);
    return;
  }
  map = next_field(self);
  if (!self->st)
    self->st = osdear__json_read(file->tags, "tags", arena, &tags, self->error);
  for (size_t i = 0; !self->st && tags->kind == JSON_IS_OBJECT && i < tags->count; i++) {
    const osdear__json *value = &tags->items[i];
    osdear__buf_clear(&text);
    if (value->kind != JSON_IS_STRING && value->kind != JSON_IS_NULL)
      osdear__json_put_value(&text, value);
    self->st = osdear__buf_check(&text, self->error);
    put_entry(self, map, tags->keys[i],
              value->kind == JSON_IS_STRING ? value->text : (osdear__str){ text.data ? text.data : "", text.size },
              value->kind == JSON_IS_NULL);
  }
  close_map(self, map);
}

static void put_vector(row *self, const osdear__deletion_vector *dv)
{
  row inner = { .error = self->error, .st = self->st };

  if (!dv->storage) {
    put_null(self);
    return;
  }
  inner.builder = next_field(self);
  put_text(&inner, (osdear__str){ &dv->storage, 1 });
  put_text(&inner, dv->path);
  put_number(&inner, dv->offset, -1);
  put_number(&inner, dv->size_bytes, -1);
  put_number(&inner, dv->cardinality, -1);
  self->st = inner.st ? inner.st : osdear__builder_close(inner.builder, self->error);
}

static osdear_status close_row(row *self)
{
  return self->st ? self->st : osdear__builder_close(self->builder, self->error);
}

/* ---- actions ---- */

osdear_status osdear__checkpoint_put_txn(osdear__builder *builder, const osdear__txn *txn, osdear_error **error)
{
  row self = { .builder = builder, .error = error };

  put_name(&self, txn->app_id);
  put_number(&self, txn->version, INT64_MIN);
  put_number(&self, txn->updated_ms, -1);
  return close_row(&self);
}

osdear_status osdear__checkpoint_put_domain(osdear__builder *builder, const osdear__domain *domain, osdear_error **error)
{
  row self = { .builder = builder, .error = error };

  put_name(&self, domain->name);
  put_name(&self, domain->configuration);
  put_bool(&self, domain->removed);
  return close_row(&self);
}

osdear_status osdear__checkpoint_put_version(osdear__builder *builder, int64_t version, osdear_error **error)
{
  row self = { .builder = builder, .error = error };

  put_number(&self, version, -1);
  return close_row(&self);
}

osdear_status osdear__checkpoint_put_protocol(osdear__builder *builder, const osdear__protocol *protocol, osdear_error **error)
{
  row self = { .builder = builder, .error = error };

  put_number(&self, protocol->min_reader, -1);
  put_number(&self, protocol->min_writer, -1);
  put_list(&self, protocol->min_reader == 3 ? protocol->reader_features : NULL);
  put_list(&self, protocol->min_writer == 7 ? protocol->writer_features : NULL);
  return close_row(&self);
}

osdear_status osdear__checkpoint_put_metadata(osdear__builder *builder, const osdear__metadata *metadata, osdear_error **error)
{
  row self = { .builder = builder, .error = error };
  row format = { .error = error };
  osdear__builder *map;

  put_name(&self, metadata->id);
  put_name(&self, metadata->name);
  put_name(&self, metadata->description);
  format.builder = next_field(&self);
  format.st = self.st;
  put_text(&format, STR("parquet"));
  map = next_field(&format);
  close_map(&format, map);
  self.st = close_row(&format);
  put_name(&self, metadata->schema_json);
  put_list(&self, metadata->partition_columns);
  map = next_field(&self);
  for (size_t i = 0; i < metadata->property_count; i++)
    put_entry(&self, map, osdear__str_of(metadata->properties[i].key), osdear__str_of(metadata->properties[i].value), false);
  close_map(&self, map);
  put_number(&self, metadata->created_ms, -1);
  return close_row(&self);
}

/* Neither statistics nor tags, whose use ended with the file: reference §5. */
osdear_status osdear__checkpoint_put_remove(osdear__builder *builder, const osdear__file *file, osdear_error **error)
{
  row self = { .builder = builder, .error = error };

  put_text(&self, file->path);
  put_number(&self, file->deleted_ms, 0);
  put_bool(&self, false);
  put_bool(&self, file->size_bytes >= 0);
  put_partition(&self, file);
  put_number(&self, file->size_bytes, -1);
  put_vector(&self, &file->dv);
  put_number(&self, file->base_row_id, -1);
  put_number(&self, file->default_row_commit_version, -1);
  return close_row(&self);
}

/* ---- what is parsed of an add ---- */

static osdear_status put_typed_partition(osdear__builder *builder, const osdear__type *type, const osdear__file *file,
                                         osdear__arena *arena, osdear_error **error)
{
  for (size_t i = 0; i < type->field_count; i++) {
    osdear__scalar value = { .kind = type->fields[i].type.kind, .is_null = true };
    osdear_status st = OSDEAR_OK;

    for (size_t j = 0; j < file->partition_count && !st; j++)
      if (osdear__str_is(file->partition[j].column, type->fields[i].name))
        st = osdear__partition_parse(&type->fields[i].type, file->partition[j].value, file->partition[j].is_null, arena, &value,
                                     error);
    if (!st)
      st = osdear__builder_scalar(osdear__builder_child(builder, i), &value, error);
    if (st)
      return st;
  }
  return osdear__builder_close(builder, error);
}

typedef enum stats_member { STATS_MIN, STATS_MAX, STATS_NULLS } stats_member;

typedef struct stats_place {
  const osdear__file_stats *stats;
  stats_member member;
  size_t path[100]; /* as deep as schemas may be */
} stats_place;

static osdear_status put_stat(stats_place *self, osdear__builder *builder, size_t depth, osdear_error **error)
{
  osdear__scalar value;
  int64_t count;

  if (self->member == STATS_NULLS) {
    count = osdear__stats_null_count(self->stats, self->path, depth);
    return count < 0 ? osdear__builder_null(builder, error) : osdear__builder_i64(builder, count, error);
  }
  if (!osdear__stats_bound(self->stats, self->path, depth, self->member == STATS_MAX, &value))
    return osdear__builder_null(builder, error);
  return osdear__builder_scalar(builder, &value, error);
}

/* `type` holds some of the fields of `table`, in its order. */
static osdear_status put_stats(stats_place *self, osdear__builder *builder, const osdear__type *type, const osdear__type *table,
                               size_t depth, osdear_error **error)
{
  size_t at = 0;

  for (size_t i = 0; i < type->field_count; i++) {
    osdear__builder *child = osdear__builder_child(builder, i);
    osdear_status st;

    while (table->fields[at].name != type->fields[i].name)
      at++;
    self->path[depth] = at;
    if (type->fields[i].type.kind == KIND_STRUCT)
      st = put_stats(self, child, &type->fields[i].type, &table->fields[at].type, depth + 1, error);
    else
      st = put_stat(self, child, depth + 1, error);
    if (st)
      return st;
  }
  return osdear__builder_close(builder, error);
}

/* -1: not known. */
static osdear_status put_known(osdear__builder *builder, int64_t value, osdear_error **error)
{
  return value < 0 ? osdear__builder_null(builder, error) : osdear__builder_i64(builder, value, error);
}

static osdear_status put_parsed_stats(osdear__builder *builder, const osdear__type *type, const osdear__metadata *metadata,
                                      const osdear__file *file, osdear__arena *arena, osdear_error **error)
{
  size_t last = type->field_count - 1;
  osdear__file_stats *stats = NULL;
  stats_place self = { 0 };
  osdear_status st = osdear__stats_parse(file->stats, &metadata->physical, arena, &stats, error);

  if (st)
    return st;
  if (!stats)
    return osdear__builder_null(builder, error);
  self.stats = stats;
  st = put_known(osdear__builder_child(builder, 0), osdear__stats_rows(stats), error);
  if (!st)
    st = put_known(osdear__builder_child(builder, last), osdear__stats_tight(stats), error);
  for (size_t i = 1; i < last && !st; i++) {
    const char *name = type->fields[i].name;
    self.member = strcmp(name, "minValues") == 0 ? STATS_MIN : strcmp(name, "maxValues") == 0 ? STATS_MAX : STATS_NULLS;
    st = put_stats(&self, osdear__builder_child(builder, i), &type->fields[i].type, &metadata->physical, 0, error);
  }
  return st ? st : osdear__builder_close(builder, error);
}

osdear_status osdear__checkpoint_put_add(osdear__builder *builder, const osdear__checkpoint_shape *shape,
                                         const osdear__metadata *metadata, const osdear__file *file, osdear__arena *arena,
                                         osdear_error **error)
{
  const osdear__field *fields = shape->type.fields[COLUMN_ADD].type.fields;
  row self = { .builder = builder, .error = error };

  put_text(&self, file->path);
  put_partition(&self, file);
  put_number(&self, file->size_bytes, -1);
  put_number(&self, file->modified_ms, -1);
  put_bool(&self, false);
  put_tags(&self, file, arena);
  put_vector(&self, &file->dv);
  put_number(&self, file->base_row_id, -1);
  put_number(&self, file->default_row_commit_version, -1);
  if (file->clustering_provider.size > 0)
    put_text(&self, file->clustering_provider);
  else
    put_null(&self);
  if (shape->stats >= 0 && file->stats.size > 0)
    put_text(&self, file->stats);
  else if (shape->stats >= 0)
    put_null(&self);
  if (shape->partition_parsed >= 0 && !self.st)
    self.st = put_typed_partition(osdear__builder_child(builder, (size_t)shape->partition_parsed),
                                  &fields[shape->partition_parsed].type, file, arena, error);
  if (shape->stats_parsed >= 0 && !self.st)
    self.st = put_parsed_stats(osdear__builder_child(builder, (size_t)shape->stats_parsed), &fields[shape->stats_parsed].type,
                               metadata, file, arena, error);
  return close_row(&self);
}
