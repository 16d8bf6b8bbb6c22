/** @file create.c A table's version 0. */
#include <delta/write.h>

typedef struct creation {
  osdear_context *context;
  osdear__store *store;
  osdear_table_create_options options;
  osdear__arena arena;
  osdear__metadata metadata;
  osdear__protocol_draft draft;
  osdear__protocol protocol;
} creation;

/* ---- what the table is to be ---- */

static bool holds(const osdear__type *type, osdear__kind kind)
{
  if (type->kind == kind)
    return true;
  for (size_t i = 0; i < type->field_count; i++)
    if (holds(&type->fields[i].type, kind))
      return true;
  return false;
}

static osdear_status check_types(creation *self, osdear_error **error)
{
  const osdear__type *schema = &self->metadata.schema;

  if (schema->field_count == 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a table needs at least one column");
  for (size_t i = 0; i < schema->field_count; i++) {
    if (holds(&schema->fields[i].type, KIND_VARIANT))
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                          "column \"%s\" holds a variant: this build lacks the table feature variantType",
                          schema->fields[i].name);
    if (holds(&schema->fields[i].type, KIND_VOID))
      return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                          "column \"%s\" holds the type void (Arrow's null), which no data file can", schema->fields[i].name);
  }
  return holds(schema, KIND_TIMESTAMP_NTZ) ? osdear__draft_add_feature(&self->draft, "timestampNtz", error) : OSDEAR_OK;
}

static osdear_status read_schema(creation *self, const struct ArrowSchema *schema, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  osdear__type given;
  osdear_status st = osdear__schema_import(schema, &self->arena, &given, error);

  if (!st)
    st = osdear__delta_schema_of(&given, &self->arena, &self->metadata.schema, error);
  if (!st)
    st = check_types(self, error);
  if (st)
    return st;
  osdear__delta_schema_print(&self->metadata.schema, &text);
  st = osdear__buf_check(&text, error);
  if (st)
    return st;
  self->metadata.schema_json = osdear__arena_strndup(&self->arena, text.data, text.size);
  return self->metadata.schema_json ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status check_partition_column(const creation *self, const char *name, const char *const *before, size_t count,
                                            const osdear__field **out, osdear_error **error)
{
  const osdear__type *schema = &self->metadata.schema;
  int64_t at = name ? osdear__type_find(schema, osdear__str_of(name)) : -1;

  if (at < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "there is no column \"%s\" to partition by", name ? name : "");
  *out = &schema->fields[at];
  if ((*out)->type.field_count > 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column \"%s\" is nested: a table cannot be partitioned by it", (*out)->name);
  for (size_t i = 0; i < count; i++)
    if (strcmp(before[i], (*out)->name) == 0)
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "column \"%s\" is named twice among the partition columns", (*out)->name);
  return OSDEAR_OK;
}

static osdear_status read_partition_columns(creation *self, osdear_error **error)
{
  size_t count = self->options.partition_columns ? self->options.partition_count : 0;
  const char **names;

  names = osdear__arena_zeroed(&self->arena, count + 1, sizeof *names);
  if (!names)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count; i++) {
    const osdear__field *field;
    osdear_status st = check_partition_column(self, self->options.partition_columns[i], names, i, &field, error);
    if (st)
      return st;
    names[i] = field->name;
  }
  if (count >= self->metadata.schema.field_count)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT,
                        "the table would be partitioned by all of its columns: one must be left for its rows");
  self->metadata.partition_columns = names;
  return OSDEAR_OK;
}

static osdear_status read_texts(creation *self, osdear_error **error)
{
  osdear__metadata *metadata = &self->metadata;
  char id[37];

  if ((self->options.name && !osdear__utf8_is_valid(self->options.name, strlen(self->options.name))) ||
      (self->options.description && !osdear__utf8_is_valid(self->options.description, strlen(self->options.description))))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the table's name or description is not UTF-8");
  osdear__uuid(id);
  metadata->id = osdear__arena_strdup(&self->arena, id);
  metadata->name = self->options.name;
  metadata->description = self->options.description;
  metadata->created_ms = osdear__now_us() / 1000;
  return metadata->id ? OSDEAR_OK : osdear__fail_memory(error);
}

/* ---- is there something already ---- */

static osdear_status stop_at_file(void *argument, const osdear__store_item *item, osdear_error **error)
{
  const creation *self = argument;

  if (item->path[0] == '.' || item->path[0] == '_')
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_EXISTS, "\"%s\" holds files that belong to no table, such as \"%s\": create it elsewhere",
                      osdear__store_uri(self->store), item->path);
}

static osdear_status check_free(creation *self, osdear_error **error)
{
  return osdear__store_list(self->store, "", NULL, true, stop_at_file, self, error);
}

static bool same_names(const char *const *a, const char *const *b)
{
  for (; *a && *b; a++, b++)
    if (strcmp(*a, *b) != 0)
      return false;
  return !*a && !*b;
}

/* `if_not_exists`: what is there will do if it is the same. */
static osdear_status check_same(const creation *self, const osdear_table *table, osdear_error **error)
{
  const osdear__metadata *there = &table->snapshot->metadata;

  if (!osdear__type_equal(&there->schema, &self->metadata.schema) ||
      !same_names(there->partition_columns, self->metadata.partition_columns))
    return osdear__fail(error, OSDEAR_ERR_EXISTS,
                        "a table with another schema or other partition columns is there already: \"%s\"",
                        osdear__store_uri(self->store));
  return OSDEAR_OK;
}

static osdear_status open_existing(const creation *self, osdear_table **out, osdear_error **error)
{
  osdear_table *table = NULL;
  osdear_status st;

  if (!self->options.if_not_exists)
    return osdear__fail(error, OSDEAR_ERR_EXISTS, "a table is there already: \"%s\"", osdear__store_uri(self->store));
  st = osdear__table_new(self->context, self->store, &table, error);
  if (!st)
    st = check_same(self, table, error);
  if (st)
    osdear_table_free(table);
  else
    *out = table;
  return st;
}

/* ---- the commit ---- */

static void print_properties(const osdear__metadata *metadata, osdear__buf *out)
{
  bool first = true;

  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < metadata->property_count; i++) {
    osdear__json_put_comma(out, &first);
    osdear__json_put_string(out, osdear__str_of(metadata->properties[i].key));
    osdear__buf_putc(out, ':');
    osdear__json_put_string(out, osdear__str_of(metadata->properties[i].value));
  }
  osdear__buf_putc(out, '}');
}

/* {"isManaged":"false","description":…,"partitionBy":"[…]","properties":"{…}"}: JSON within text, as Spark writes it. */
static void print_parameters(const osdear__metadata *metadata, osdear__buf *out)
{
  SCOPED(buf) inner = { 0 };
  bool first = true;

  osdear__buf_puts(out, "{\"partitionBy\":");
  osdear__buf_putc(&inner, '[');
  for (const char **column = metadata->partition_columns; *column; column++) {
    osdear__json_put_comma(&inner, &first);
    osdear__json_put_string(&inner, osdear__str_of(*column));
  }
  osdear__buf_putc(&inner, ']');
  osdear__json_put_string(out, (osdear__str){ inner.data ? inner.data : "", inner.size });
  osdear__buf_puts(out, ",\"clusterBy\":\"[]\",\"description\":");
  if (metadata->description)
    osdear__json_put_string(out, osdear__str_of(metadata->description));
  else
    osdear__buf_puts(out, "null");
  osdear__buf_puts(out, ",\"isManaged\":\"false\",\"properties\":");
  osdear__buf_clear(&inner);
  print_properties(metadata, &inner);
  osdear__json_put_string(out, (osdear__str){ inner.data ? inner.data : "", inner.size });
  osdear__buf_putc(out, '}');
  if (inner.failed)
    out->failed = inner.failed;
}

static osdear_status print_commit(const creation *self, osdear__buf *out, osdear_error **error)
{
  SCOPED(buf) parameters = { 0 };
  osdear__commit_info info = { .in_commit_timestamp_ms = -1,
                               .operation = "CREATE TABLE",
                               .read_version = -1,
                               .isolation_level = "Serializable",
                               .is_blind_append = 1,
                               .operation_metrics = "{}",
                               .engine_info = OSDEAR__ENGINE_INFO };
  char txn_id[37];
  osdear_status st;

  print_parameters(&self->metadata, &parameters);
  st = osdear__buf_check(&parameters, error);
  if (st)
    return st;
  osdear__uuid(txn_id);
  info.txn_id = txn_id;
  info.operation_parameters = parameters.data;
  info.timestamp_ms = self->metadata.created_ms;
  if (osdear__metadata_property_bool(&self->metadata, "delta.enableInCommitTimestamps", false))
    info.in_commit_timestamp_ms = info.timestamp_ms;
  osdear__action_print_commit_info(&info, out);
  osdear__action_print_protocol(&self->protocol, out);
  osdear__action_print_metadata(&self->metadata, out);
  return osdear__buf_check(out, error);
}

static osdear_status commit(creation *self, osdear_table **out, osdear_error **error)
{
  SCOPED(buf) text = { 0 };
  AUTO(error) lost = NULL;
  char path[OSDEAR__LOG_PATH];
  osdear_status st = print_commit(self, &text, error);

  if (st)
    return st;
  osdear__log_commit_path(0, path);
  st = osdear__store_put_if_absent(self->store, path, text.data, text.size, &lost);
  if (st == OSDEAR_ERR_EXISTS) /* another creator was first */
    return open_existing(self, out, error);
  if (st)
    return osdear__fail(error, st, "cannot create the table: %s", osdear_error_message(lost));
  return osdear__table_new(self->context, self->store, out, error);
}

static osdear_status describe(creation *self, const struct ArrowSchema *schema, osdear_error **error)
{
  osdear_status st = read_schema(self, schema, error);

  if (!st)
    st = read_partition_columns(self, error);
  if (!st)
    st = osdear__properties_check(self->options.properties, self->options.properties ? self->options.property_count : 0,
                                  &self->metadata.schema, &self->arena, &self->metadata.properties,
                                  &self->metadata.property_count, &self->draft, error);
  if (!st)
    st = osdear__draft_finish(&self->draft, &self->arena, &self->protocol, error);
  return st ? st : read_texts(self, error);
}

static osdear_status create(creation *self, const struct ArrowSchema *schema, osdear_table **out, osdear_error **error)
{
  osdear_snapshot *there = NULL;
  AUTO(error) why = NULL;
  osdear_status st = describe(self, schema, error);

  if (st)
    return st;
  st = osdear__snapshot_load(self->context, self->store, NULL, NULL, &there, &why);
  osdear_snapshot_unref(there);
  if (st == OSDEAR_OK)
    return open_existing(self, out, error);
  if (st != OSDEAR_ERR_NOT_FOUND)
    return osdear__fail(error, st, "cannot tell what is there already: %s", osdear_error_message(why));
  st = check_free(self, error);
  return st ? st : commit(self, out, error);
}

osdear_status osdear_table_create(osdear_context *context, const char *uri, const struct ArrowSchema *schema,
                                  const osdear_table_create_options *options, osdear_table **out, osdear_error **error)
{
  creation self = { .context = context, .options = OSDEAR_TABLE_CREATE_OPTIONS_INIT };
  osdear_status st;

  if (!context || !uri || !schema || !schema->release || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, uri, schema and out must not be NULL, nor schema released");
  st = osdear__options_read(&self.options, sizeof self.options, options, error);
  if (!st)
    st = osdear__store_open(context, uri, self.options.storage, self.options.storage_count, &self.store, error);
  if (!st)
    st = create(&self, schema, out, error);
  osdear__store_unref(self.store);
  osdear__arena_drop(&self.arena);
  return st;
}
