/* The fields of actions, as PROTOCOL.md names them. */
#include <delta/action_fields.h>

#define FILE_AT(member) (offsetof(osdear__action, file) + offsetof(osdear__file, member))
#define VECTOR_AT(member) (FILE_AT(dv) + offsetof(osdear__deletion_vector, member))
#define PROTOCOL_AT(member) (offsetof(osdear__action, protocol) + offsetof(osdear__protocol, member))
#define METADATA_AT(member) (offsetof(osdear__action, metadata) + offsetof(osdear__metadata, member))
#define TXN_AT(member) (offsetof(osdear__action, txn) + offsetof(osdear__txn, member))
#define DOMAIN_AT(member) (offsetof(osdear__action, domain) + offsetof(osdear__domain, member))
#define SIDECAR_AT(member) (offsetof(osdear__action, sidecar) + offsetof(osdear__sidecar, member))
/* clang-format off */
#define NAMED(text) { text, sizeof(text) - 1 }
/* clang-format on */

static const osdear__field_entry add_fields[] = {
  { NAMED("path"), FORM_TEXT, FILE_AT(path), true, 0 },
  { NAMED("partitionValues"), FORM_VALUES, FILE_AT(partition), true, 0 },
  { NAMED("size"), FORM_I64, FILE_AT(size_bytes), true, 0 },
  { NAMED("modificationTime"), FORM_I64, FILE_AT(modified_ms), true, 0 },
  { NAMED("dataChange"), FORM_BOOL, FILE_AT(data_change), true, 0 },
  { NAMED("stats"), FORM_TEXT, FILE_AT(stats), false, COMMIT_STATS },
  { NAMED("tags"), FORM_JSON, FILE_AT(tags), false, COMMIT_TAGS },
  { NAMED("deletionVector"), FORM_VECTOR, FILE_AT(dv), false, 0 },
  { NAMED("baseRowId"), FORM_I64, FILE_AT(base_row_id), false, 0 },
  { NAMED("defaultRowCommitVersion"), FORM_I64, FILE_AT(default_row_commit_version), false, 0 },
  { NAMED("clusteringProvider"), FORM_TEXT, FILE_AT(clustering_provider), false, 0 },
};

/* dataChange is required by the protocol, but Spark reads it as true where it is absent, and old logs lack it. */
static const osdear__field_entry remove_fields[] = {
  { NAMED("path"), FORM_TEXT, FILE_AT(path), true, 0 },
  { NAMED("deletionTimestamp"), FORM_I64, FILE_AT(deleted_ms), false, 0 },
  { NAMED("dataChange"), FORM_BOOL, FILE_AT(data_change), false, 0 },
  { NAMED("partitionValues"), FORM_VALUES, FILE_AT(partition), false, 0 },
  { NAMED("size"), FORM_I64, FILE_AT(size_bytes), false, 0 },
  { NAMED("stats"), FORM_TEXT, FILE_AT(stats), false, COMMIT_STATS },
  { NAMED("tags"), FORM_JSON, FILE_AT(tags), false, COMMIT_TAGS },
  { NAMED("deletionVector"), FORM_VECTOR, FILE_AT(dv), false, 0 },
  { NAMED("baseRowId"), FORM_I64, FILE_AT(base_row_id), false, 0 },
  { NAMED("defaultRowCommitVersion"), FORM_I64, FILE_AT(default_row_commit_version), false, 0 },
};

static const osdear__field_entry cdc_fields[] = {
  { NAMED("path"), FORM_TEXT, FILE_AT(path), true, 0 },
  { NAMED("partitionValues"), FORM_VALUES, FILE_AT(partition), true, 0 },
  { NAMED("size"), FORM_I64, FILE_AT(size_bytes), true, 0 },
};

static const osdear__field_entry protocol_fields[] = {
  { NAMED("minReaderVersion"), FORM_I32, PROTOCOL_AT(min_reader), true, 0 },
  { NAMED("minWriterVersion"), FORM_I32, PROTOCOL_AT(min_writer), true, 0 },
  { NAMED("readerFeatures"), FORM_NAMES, PROTOCOL_AT(reader_features), false, 0 },
  { NAMED("writerFeatures"), FORM_NAMES, PROTOCOL_AT(writer_features), false, 0 },
};

static const osdear__field_entry metadata_fields[] = {
  { NAMED("id"), FORM_NAME, METADATA_AT(id), true, 0 },
  { NAMED("name"), FORM_NAME, METADATA_AT(name), false, 0 },
  { NAMED("description"), FORM_NAME, METADATA_AT(description), false, 0 },
  { NAMED("format"), FORM_FORMAT, 0, false, 0 },
  { NAMED("schemaString"), FORM_NAME, METADATA_AT(schema_json), false, 0 }, /* absent where there are no columns yet */
  { NAMED("partitionColumns"), FORM_NAMES, METADATA_AT(partition_columns), true, 0 },
  { NAMED("configuration"), FORM_PAIRS, METADATA_AT(properties), false, 0 },
  { NAMED("createdTime"), FORM_I64, METADATA_AT(created_ms), false, 0 },
};

static const osdear__field_entry txn_fields[] = {
  { NAMED("appId"), FORM_NAME, TXN_AT(app_id), true, 0 },
  { NAMED("version"), FORM_I64, TXN_AT(version), true, 0 },
  { NAMED("lastUpdated"), FORM_I64, TXN_AT(updated_ms), false, 0 },
};

static const osdear__field_entry domain_fields[] = {
  { NAMED("domain"), FORM_NAME, DOMAIN_AT(name), true, 0 },
  { NAMED("configuration"), FORM_NAME, DOMAIN_AT(configuration), true, 0 },
  { NAMED("removed"), FORM_BOOL, DOMAIN_AT(removed), true, 0 },
};

static const osdear__field_entry sidecar_fields[] = {
  { NAMED("path"), FORM_TEXT, SIDECAR_AT(path), true, 0 },
  { NAMED("sizeInBytes"), FORM_I64, SIDECAR_AT(size_bytes), true, 0 },
};

static const osdear__field_entry checkpoint_fields[] = {
  { NAMED("version"), FORM_I64, offsetof(osdear__action, checkpoint_version), true, 0 },
};

static const osdear__field_entry vector_fields[] = {
  { NAMED("storageType"), FORM_STORAGE, VECTOR_AT(storage), true, 0 },
  { NAMED("pathOrInlineDv"), FORM_TEXT, VECTOR_AT(path), true, 0 },
  { NAMED("offset"), FORM_I64, VECTOR_AT(offset), false, 0 },
  { NAMED("sizeInBytes"), FORM_I64, VECTOR_AT(size_bytes), true, 0 },
  { NAMED("cardinality"), FORM_I64, VECTOR_AT(cardinality), true, 0 },
};

static const osdear__action_entry actions[] = {
  { NAMED("add"), ACTION_ADD, add_fields, COUNT_OF(add_fields), COMMIT_FILES },
  { NAMED("remove"), ACTION_REMOVE, remove_fields, COUNT_OF(remove_fields), COMMIT_FILES },
  { NAMED("protocol"), ACTION_PROTOCOL, protocol_fields, COUNT_OF(protocol_fields), COMMIT_TABLE },
  { NAMED("metaData"), ACTION_METADATA, metadata_fields, COUNT_OF(metadata_fields), COMMIT_TABLE },
  { NAMED("txn"), ACTION_TXN, txn_fields, COUNT_OF(txn_fields), COMMIT_TABLE },
  { NAMED("domainMetadata"), ACTION_DOMAIN, domain_fields, COUNT_OF(domain_fields), COMMIT_TABLE },
  { NAMED("commitInfo"), ACTION_COMMIT_INFO, NULL, 0, COMMIT_INFO },
  { NAMED("cdc"), ACTION_CDC, cdc_fields, COUNT_OF(cdc_fields), COMMIT_CHANGES },
  { NAMED("sidecar"), ACTION_SIDECAR, sidecar_fields, COUNT_OF(sidecar_fields), COMMIT_CHECKPOINT },
  { NAMED("checkpointMetadata"), ACTION_CHECKPOINT, checkpoint_fields, COUNT_OF(checkpoint_fields), COMMIT_CHECKPOINT },
};

const osdear__action_entry osdear__action_vector = { NAMED("deletionVector"), ACTION_ADD, vector_fields, COUNT_OF(vector_fields),
                                                     0 };

const osdear__action_entry *osdear__action_form(osdear__str name)
{
  for (size_t i = 0; i < COUNT_OF(actions); i++)
    if (osdear__str_equal(actions[i].name, name))
      return &actions[i];
  return NULL;
}

const osdear__field_entry *osdear__action_field(const osdear__action_entry *action, osdear__str name)
{
  for (size_t i = 0; i < action->field_count; i++)
    if (osdear__str_equal(action->fields[i].name, name))
      return &action->fields[i];
  return NULL;
}
