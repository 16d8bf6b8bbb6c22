/** @file checkpoint_type.c The columns of a checkpoint (reference §5). */
#include <delta/checkpoint.h>

/* clang-format off */
#define FIELD(label, is_kind) { .name = label, .nullable = true, .field_id = -1, .type = { .kind = is_kind } }
#define NESTED(label, is_kind, members) \
  { .name = label, .nullable = true, .field_id = -1, \
    .type = { .kind = is_kind, .field_count = COUNT_OF(members), .fields = members } }
/* clang-format on */

static osdear__field text_map[] = {
  { .name = "key", .nullable = false, .field_id = -1, .type = { .kind = KIND_STRING } },
  FIELD("value", KIND_STRING),
};
static osdear__field text_list[] = { FIELD("element", KIND_STRING) };
static osdear__field vector[] = {
  FIELD("storageType", KIND_STRING),  FIELD("pathOrInlineDv", KIND_STRING), FIELD("offset", KIND_INTEGER),
  FIELD("sizeInBytes", KIND_INTEGER), FIELD("cardinality", KIND_LONG),
};
static osdear__field txn[] = { FIELD("appId", KIND_STRING), FIELD("version", KIND_LONG), FIELD("lastUpdated", KIND_LONG) };
static osdear__field add[] = {
  FIELD("path", KIND_STRING),
  NESTED("partitionValues", KIND_MAP, text_map),
  FIELD("size", KIND_LONG),
  FIELD("modificationTime", KIND_LONG),
  FIELD("dataChange", KIND_BOOLEAN),
  NESTED("tags", KIND_MAP, text_map),
  NESTED("deletionVector", KIND_STRUCT, vector),
  FIELD("baseRowId", KIND_LONG),
  FIELD("defaultRowCommitVersion", KIND_LONG),
  FIELD("clusteringProvider", KIND_STRING),
};
static osdear__field removed[] = {
  FIELD("path", KIND_STRING),
  FIELD("deletionTimestamp", KIND_LONG),
  FIELD("dataChange", KIND_BOOLEAN),
  FIELD("extendedFileMetadata", KIND_BOOLEAN),
  NESTED("partitionValues", KIND_MAP, text_map),
  FIELD("size", KIND_LONG),
  NESTED("deletionVector", KIND_STRUCT, vector),
  FIELD("baseRowId", KIND_LONG),
  FIELD("defaultRowCommitVersion", KIND_LONG),
};
static osdear__field format[] = { FIELD("provider", KIND_STRING), NESTED("options", KIND_MAP, text_map) };
static osdear__field metadata[] = {
  FIELD("id", KIND_STRING),
  FIELD("name", KIND_STRING),
  FIELD("description", KIND_STRING),
  NESTED("format", KIND_STRUCT, format),
  FIELD("schemaString", KIND_STRING),
  NESTED("partitionColumns", KIND_ARRAY, text_list),
  NESTED("configuration", KIND_MAP, text_map),
  FIELD("createdTime", KIND_LONG),
};
static osdear__field protocol[] = {
  FIELD("minReaderVersion", KIND_INTEGER),
  FIELD("minWriterVersion", KIND_INTEGER),
  NESTED("readerFeatures", KIND_ARRAY, text_list),
  NESTED("writerFeatures", KIND_ARRAY, text_list),
};
static osdear__field domain[] = { FIELD("domain", KIND_STRING), FIELD("configuration", KIND_STRING),
                                  FIELD("removed", KIND_BOOLEAN) };

static osdear__field checkpoint[] = { FIELD("version", KIND_LONG) };

static const osdear__field columns[CHECKPOINT_COLUMNS] = {
  [COLUMN_TXN] = NESTED("txn", KIND_STRUCT, txn),
  [COLUMN_ADD] = NESTED("add", KIND_STRUCT, add),
  [COLUMN_REMOVE] = NESTED("remove", KIND_STRUCT, removed),
  [COLUMN_METADATA] = NESTED("metaData", KIND_STRUCT, metadata),
  [COLUMN_PROTOCOL] = NESTED("protocol", KIND_STRUCT, protocol),
  [COLUMN_DOMAIN] = NESTED("domainMetadata", KIND_STRUCT, domain),
  [COLUMN_CHECKPOINT] = NESTED("checkpointMetadata", KIND_STRUCT, checkpoint),
};

/* ---- what depends on the table ---- */

static osdear__field field_of(const char *name, osdear__kind kind)
{
  return (osdear__field){ .name = name, .nullable = true, .field_id = -1, .type = { .kind = kind } };
}

static bool has_bounds(osdear__kind kind)
{
  switch (kind) {
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG:
  case KIND_FLOAT:
  case KIND_DOUBLE:
  case KIND_DECIMAL:
  case KIND_STRING:
  case KIND_DATE:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return true;
  default: return false;
  }
}

/* The leaves of `type` that have bounds, or with `counts` all of them as counts; structs without any are left out. `leaves` is how many
 * may still be taken, -1 any number; both kinds count the same leaves. */
static osdear_status bounds_type(const osdear__metadata *table, const osdear__type *type, bool counts, int64_t *leaves,
                                 osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  *out = (osdear__type){ .kind = KIND_STRUCT };
  out->fields = osdear__arena_zeroed(arena, type->field_count + 1, sizeof *out->fields);
  if (!out->fields)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < type->field_count; i++) {
    const osdear__field *field = &type->fields[i];
    osdear__field *made = &out->fields[out->field_count];

    if (table && osdear__delta_partition_index(table, osdear__str_of(table->schema.fields[i].name)) >= 0)
      continue;
    *made = field_of(field->name, KIND_LONG);
    if (field->type.kind == KIND_STRUCT) {
      osdear_status st = bounds_type(NULL, &field->type, counts, leaves, arena, &made->type, error);
      if (st)
        return st;
      out->field_count += made->type.field_count > 0;
      continue;
    }
    if (*leaves == 0)
      continue;
    if (*leaves > 0)
      --*leaves;
    if (!counts)
      made->type = field->type;
    out->field_count += counts || has_bounds(field->type.kind);
  }
  return OSDEAR_OK;
}

/* stats_parsed: numRecords, where there are such columns minValues, maxValues and nullCount, and tightBounds. */
static osdear_status stats_type(const osdear__metadata *table, osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  static const char *const names[] = { "minValues", "maxValues", "nullCount" };
  int64_t indexed = osdear__metadata_property_i64(table, "delta.dataSkippingNumIndexedCols", 32);

  *out = (osdear__type){ .kind = KIND_STRUCT, .field_count = 1 };
  out->fields = osdear__arena_zeroed(arena, 2 + COUNT_OF(names), sizeof *out->fields);
  if (!out->fields)
    return osdear__fail_memory(error);
  out->fields[0] = field_of("numRecords", KIND_LONG);
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    osdear__field *made = &out->fields[out->field_count];
    int64_t leaves = indexed;
    osdear_status st;

    *made = field_of(names[i], KIND_STRUCT);
    st = bounds_type(table, &table->physical, i == 2, &leaves, arena, &made->type, error);
    if (st)
      return st;
    out->field_count += made->type.field_count > 0;
  }
  out->fields[out->field_count++] = field_of("tightBounds", KIND_BOOLEAN);
  return OSDEAR_OK;
}

static osdear_status partition_type(const osdear__metadata *table, osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  *out = (osdear__type){ .kind = KIND_STRUCT };
  out->fields = osdear__arena_zeroed(arena, table->schema.field_count + 1, sizeof *out->fields);
  if (!out->fields)
    return osdear__fail_memory(error);
  for (const char **name = table->partition_columns; *name; name++) {
    int64_t at = osdear__type_find(&table->schema, osdear__str_of(*name));
    if (at < 0 || out->field_count == table->schema.field_count)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "partition column \"%s\" is not in the schema", *name);
    out->fields[out->field_count] = field_of(table->physical.fields[at].name, KIND_VOID);
    out->fields[out->field_count++].type = table->schema.fields[at].type;
  }
  return OSDEAR_OK;
}

osdear_status osdear__checkpoint_shape_new(const osdear__metadata *table, bool is_v2, osdear__arena *arena,
                                           osdear__checkpoint_shape *out, osdear_error **error)
{
  osdear__checkpoint_shape shape = { .stats = -1, .stats_parsed = -1, .partition_parsed = -1 };
  bool as_json = osdear__metadata_property_bool(table, "delta.checkpoint.writeStatsAsJson", true);
  bool as_struct = osdear__metadata_property_bool(table, "delta.checkpoint.writeStatsAsStruct", false);
  osdear__field *fields = osdear__arena_alloc(arena, sizeof columns);
  osdear__field *add_fields = osdear__arena_zeroed(arena, COUNT_OF(add) + 3, sizeof *add_fields);
  size_t count = COUNT_OF(add);
  osdear_status st = OSDEAR_OK;

  if (!fields || !add_fields)
    return osdear__fail_memory(error);
  memcpy(fields, columns, sizeof columns);
  memcpy(add_fields, add, sizeof add);
  if (as_json) {
    shape.stats = (int)count;
    add_fields[count++] = field_of("stats", KIND_STRING);
  }
  if (as_struct && table->partition_columns[0]) {
    shape.partition_parsed = (int)count;
    add_fields[count] = field_of("partitionValues_parsed", KIND_STRUCT);
    st = partition_type(table, arena, &add_fields[count++].type, error);
  }
  if (as_struct && !st) {
    shape.stats_parsed = (int)count;
    add_fields[count] = field_of("stats_parsed", KIND_STRUCT);
    st = stats_type(table, arena, &add_fields[count++].type, error);
  }
  fields[COLUMN_ADD].type.fields = add_fields;
  fields[COLUMN_ADD].type.field_count = count;
  shape.type =
      (osdear__type){ .kind = KIND_STRUCT, .field_count = is_v2 ? CHECKPOINT_COLUMNS : COLUMN_CHECKPOINT, .fields = fields };
  *out = shape;
  return st;
}
