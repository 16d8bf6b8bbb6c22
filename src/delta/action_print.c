/* Actions as lines of a commit, with the names and the order of fields that Spark writes. */
#include <delta/delta.h>

static void put_text(osdear__buf *out, bool *first, const char *key, osdear__str text)
{
  osdear__json_put_key(out, first, key);
  osdear__json_put_string(out, text);
}

static void put_name(osdear__buf *out, bool *first, const char *key, const char *text)
{
  if (text)
    put_text(out, first, key, osdear__str_of(text));
}

static void put_json(osdear__buf *out, bool *first, const char *key, osdear__str json)
{
  if (!json.size)
    return;
  osdear__json_put_key(out, first, key);
  osdear__buf_append(out, json.data, json.size);
}

static void put_i64(osdear__buf *out, bool *first, const char *key, int64_t value)
{
  osdear__json_put_key(out, first, key);
  osdear__json_put_i64(out, value);
}

/* Left out where it is -1. */
static void put_known(osdear__buf *out, bool *first, const char *key, int64_t value)
{
  if (value != -1)
    put_i64(out, first, key, value);
}

static void put_bool(osdear__buf *out, bool *first, const char *key, bool value)
{
  osdear__json_put_key(out, first, key);
  osdear__buf_puts(out, value ? "true" : "false");
}

static void put_names(osdear__buf *out, bool *first, const char *key, const char *const *names)
{
  bool first_name = true;

  if (!names)
    return;
  osdear__json_put_key(out, first, key);
  osdear__buf_putc(out, '[');
  for (size_t i = 0; names[i]; i++) {
    osdear__json_put_comma(out, &first_name);
    osdear__json_put_string(out, osdear__str_of(names[i]));
  }
  osdear__buf_putc(out, ']');
}

static void put_partition(osdear__buf *out, bool *first, const osdear__file *file)
{
  bool first_value = true;

  osdear__json_put_key(out, first, "partitionValues");
  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < file->partition_count; i++) {
    const osdear__partition_value *value = &file->partition[i];
    osdear__json_put_comma(out, &first_value);
    osdear__json_put_string(out, value->column);
    osdear__buf_putc(out, ':');
    if (value->is_null)
      osdear__buf_puts(out, "null");
    else
      osdear__json_put_string(out, value->value);
  }
  osdear__buf_putc(out, '}');
}

static void put_vector(osdear__buf *out, bool *first, const osdear__deletion_vector *dv)
{
  bool first_field = true;

  if (!dv->storage)
    return;
  osdear__json_put_key(out, first, "deletionVector");
  osdear__buf_putc(out, '{');
  put_text(out, &first_field, "storageType", (osdear__str){ &dv->storage, 1 });
  put_text(out, &first_field, "pathOrInlineDv", dv->path);
  put_known(out, &first_field, "offset", dv->offset);
  put_i64(out, &first_field, "sizeInBytes", dv->size_bytes);
  put_i64(out, &first_field, "cardinality", dv->cardinality);
  osdear__buf_putc(out, '}');
}

static void put_row_ids(osdear__buf *out, bool *first, const osdear__file *file)
{
  put_known(out, first, "baseRowId", file->base_row_id);
  put_known(out, first, "defaultRowCommitVersion", file->default_row_commit_version);
}

void osdear__action_print_add(const osdear__file *file, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"add\":{");
  put_text(out, &first, "path", file->path);
  put_partition(out, &first, file);
  put_i64(out, &first, "size", file->size_bytes);
  put_i64(out, &first, "modificationTime", file->modified_ms);
  put_bool(out, &first, "dataChange", file->data_change);
  if (file->stats.size)
    put_text(out, &first, "stats", file->stats);
  put_json(out, &first, "tags", file->tags);
  put_vector(out, &first, &file->dv);
  put_row_ids(out, &first, file);
  if (file->clustering_provider.size)
    put_text(out, &first, "clusteringProvider", file->clustering_provider);
  osdear__buf_puts(out, "}}\n");
}

/* extendedFileMetadata promises that partition values and size are there. */
void osdear__action_print_remove(const osdear__file *file, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"remove\":{");
  put_text(out, &first, "path", file->path);
  if (file->deleted_ms)
    put_i64(out, &first, "deletionTimestamp", file->deleted_ms);
  put_bool(out, &first, "dataChange", file->data_change);
  if (file->size_bytes >= 0) {
    put_bool(out, &first, "extendedFileMetadata", true);
    put_partition(out, &first, file);
    put_i64(out, &first, "size", file->size_bytes);
    put_json(out, &first, "tags", file->tags);
  }
  put_vector(out, &first, &file->dv);
  put_row_ids(out, &first, file);
  osdear__buf_puts(out, "}}\n");
}

/* The lists belong to versions 3 and 7 only. */
void osdear__action_print_protocol(const osdear__protocol *protocol, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"protocol\":{");
  put_i64(out, &first, "minReaderVersion", protocol->min_reader);
  put_i64(out, &first, "minWriterVersion", protocol->min_writer);
  if (protocol->min_reader >= 3)
    put_names(out, &first, "readerFeatures", protocol->reader_features);
  if (protocol->min_writer >= 7)
    put_names(out, &first, "writerFeatures", protocol->writer_features);
  osdear__buf_puts(out, "}}\n");
}

void osdear__action_print_metadata(const osdear__metadata *metadata, osdear__buf *out)
{
  bool first = true, first_property = true;

  osdear__buf_puts(out, "{\"metaData\":{");
  put_name(out, &first, "id", metadata->id);
  put_name(out, &first, "name", metadata->name);
  put_name(out, &first, "description", metadata->description);
  put_json(out, &first, "format", STR("{\"provider\":\"parquet\",\"options\":{}}"));
  put_name(out, &first, "schemaString", metadata->schema_json);
  put_names(out, &first, "partitionColumns", metadata->partition_columns);
  osdear__json_put_key(out, &first, "configuration");
  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < metadata->property_count; i++)
    put_name(out, &first_property, metadata->properties[i].key, metadata->properties[i].value);
  osdear__buf_putc(out, '}');
  put_known(out, &first, "createdTime", metadata->created_ms);
  osdear__buf_puts(out, "}}\n");
}

void osdear__action_print_txn(const osdear__txn *txn, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"txn\":{");
  put_name(out, &first, "appId", txn->app_id);
  put_i64(out, &first, "version", txn->version);
  put_known(out, &first, "lastUpdated", txn->updated_ms);
  osdear__buf_puts(out, "}}\n");
}

void osdear__action_print_domain(const osdear__domain *domain, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"domainMetadata\":{");
  put_name(out, &first, "domain", domain->name);
  put_name(out, &first, "configuration", domain->configuration);
  put_bool(out, &first, "removed", domain->removed);
  osdear__buf_puts(out, "}}\n");
}

void osdear__action_print_commit_info(const osdear__commit_info *info, osdear__buf *out)
{
  bool first = true;

  osdear__buf_puts(out, "{\"commitInfo\":{");
  put_known(out, &first, "inCommitTimestamp", info->in_commit_timestamp_ms);
  put_known(out, &first, "timestamp", info->timestamp_ms);
  put_name(out, &first, "operation", info->operation);
  put_json(out, &first, "operationParameters", osdear__str_of(info->operation_parameters));
  put_known(out, &first, "readVersion", info->read_version);
  put_name(out, &first, "isolationLevel", info->isolation_level);
  if (info->is_blind_append >= 0)
    put_bool(out, &first, "isBlindAppend", info->is_blind_append != 0);
  put_json(out, &first, "operationMetrics", osdear__str_of(info->operation_metrics));
  put_name(out, &first, "userMetadata", info->user_metadata);
  put_name(out, &first, "engineInfo", info->engine_info);
  put_name(out, &first, "txnId", info->txn_id);
  osdear__buf_puts(out, "}}\n");
}
