/* The state of a table at one version: its face. */
#include <delta/replay.h>

#include <stdatomic.h>

osdear_status osdear_snapshot_open(osdear_context *context, const char *table_uri, const osdear_snapshot_options *options,
                                   osdear_snapshot **out, osdear_error **error)
{
  osdear_snapshot_options opts = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  AUTO(store) store = NULL;
  osdear_status st;

  if (!context || !table_uri || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "context, table_uri and out must not be NULL");
  st = osdear__options_read(&opts, sizeof opts, options, error);
  if (st)
    return st;
  st = osdear__store_open(context, table_uri, opts.storage, opts.storage_count, &store, error);
  return st ? st : osdear__snapshot_load(context, store, &opts, NULL, out, error);
}

osdear_snapshot *osdear_snapshot_ref(osdear_snapshot *snapshot)
{
  if (snapshot)
    atomic_fetch_add_explicit(&snapshot->references, 1, memory_order_relaxed);
  return snapshot;
}

void osdear_snapshot_unref(osdear_snapshot *snapshot)
{
  if (snapshot && atomic_fetch_sub_explicit(&snapshot->references, 1, memory_order_acq_rel) == 1)
    osdear__snapshot_drop(snapshot);
}

int64_t osdear_snapshot_version(const osdear_snapshot *snapshot)
{
  return snapshot->segment.version;
}

const char *osdear_snapshot_uri(const osdear_snapshot *snapshot)
{
  return osdear__store_uri(snapshot->store);
}

const char *osdear_snapshot_id(const osdear_snapshot *snapshot)
{
  return snapshot->metadata.id;
}

const char *osdear_snapshot_name(const osdear_snapshot *snapshot)
{
  return snapshot->metadata.name;
}

const char *osdear_snapshot_description(const osdear_snapshot *snapshot)
{
  return snapshot->metadata.description;
}

int64_t osdear_snapshot_created_ms(const osdear_snapshot *snapshot)
{
  return snapshot->metadata.created_ms;
}

const char *osdear_snapshot_schema_json(const osdear_snapshot *snapshot)
{
  return snapshot->metadata.schema_json;
}

int32_t osdear_snapshot_min_reader_version(const osdear_snapshot *snapshot)
{
  return snapshot->protocol.min_reader;
}

int32_t osdear_snapshot_min_writer_version(const osdear_snapshot *snapshot)
{
  return snapshot->protocol.min_writer;
}

static const char *name_at(const char *const *names, size_t index)
{
  for (size_t i = 0; names && names[i]; i++)
    if (i == index)
      return names[i];
  return NULL;
}

const char *osdear_snapshot_reader_feature(const osdear_snapshot *snapshot, size_t index)
{
  return name_at(snapshot->protocol.reader_features, index);
}

const char *osdear_snapshot_writer_feature(const osdear_snapshot *snapshot, size_t index)
{
  return name_at(snapshot->protocol.writer_features, index);
}

const char *osdear_snapshot_partition_column(const osdear_snapshot *snapshot, size_t index)
{
  return name_at(snapshot->metadata.partition_columns, index);
}

const osdear_pair *osdear_snapshot_property(const osdear_snapshot *snapshot, size_t index)
{
  return index < snapshot->metadata.property_count ? &snapshot->metadata.properties[index] : NULL;
}

const osdear_pair *osdear_snapshot_domain(const osdear_snapshot *snapshot, size_t index)
{
  return index < snapshot->domain_count ? &snapshot->domain_pairs[index] : NULL;
}

osdear_status osdear_snapshot_schema(const osdear_snapshot *snapshot, struct ArrowSchema *out, osdear_error **error)
{
  if (!snapshot || !out)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "snapshot and out must not be NULL");
  return osdear__schema_export(&snapshot->metadata.schema, out, error);
}
