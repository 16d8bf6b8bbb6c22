/* The few rows of a checkpoint that are not files. */
#include <delta/log/log.h>

#define BATCH_ROWS 8192

/* clang-format off */
#define LEAF(name_, kind_) { .name = (name_), .nullable = true, .field_id = -1, .type = { .kind = (kind_) } }
#define NEST(name_, kind_, fields_) \
  { .name = (name_), .nullable = true, .field_id = -1, .type = { .kind = (kind_), .field_count = COUNT_OF(fields_), .fields = (fields_) } }
/* clang-format on */

/* Types are never written to; their fields are not const only because types in the making are built in place. */
static osdear__field text_element[] = { LEAF("element", KIND_STRING) };
static osdear__field text_pair[] = { { .name = "key", .field_id = -1, .type = { .kind = KIND_STRING } },
                                     LEAF("value", KIND_STRING) };

enum { PROTOCOL_READER, PROTOCOL_WRITER, PROTOCOL_READER_FEATURES, PROTOCOL_WRITER_FEATURES };
static osdear__field protocol_fields[] = {
  LEAF("minReaderVersion", KIND_INTEGER),
  LEAF("minWriterVersion", KIND_INTEGER),
  NEST("readerFeatures", KIND_ARRAY, text_element),
  NEST("writerFeatures", KIND_ARRAY, text_element),
};

enum {
  METADATA_ID,
  METADATA_NAME,
  METADATA_DESCRIPTION,
  METADATA_FORMAT,
  METADATA_SCHEMA,
  METADATA_COLUMNS,
  METADATA_CREATED,
  METADATA_CONFIGURATION
};
static osdear__field format_fields[] = { LEAF("provider", KIND_STRING) };
static osdear__field metadata_fields[] = {
  LEAF("id", KIND_STRING),           LEAF("name", KIND_STRING),
  LEAF("description", KIND_STRING),  NEST("format", KIND_STRUCT, format_fields),
  LEAF("schemaString", KIND_STRING), NEST("partitionColumns", KIND_ARRAY, text_element),
  LEAF("createdTime", KIND_LONG),    NEST("configuration", KIND_MAP, text_pair),
};

enum { TXN_APP, TXN_VERSION, TXN_UPDATED };
static osdear__field txn_fields[] = { LEAF("appId", KIND_STRING), LEAF("version", KIND_LONG), LEAF("lastUpdated", KIND_LONG) };

enum { DOMAIN_NAME, DOMAIN_CONFIGURATION, DOMAIN_REMOVED };
static osdear__field domain_fields[] = { LEAF("domain", KIND_STRING), LEAF("configuration", KIND_STRING),
                                         LEAF("removed", KIND_BOOLEAN) };

enum { SIDECAR_PATH, SIDECAR_SIZE };
static osdear__field sidecar_fields[] = { LEAF("path", KIND_STRING), LEAF("sizeInBytes", KIND_LONG) };

static osdear__field version_fields[] = { LEAF("version", KIND_LONG) };

/* Each with the field that tells whether a row holds one. */
enum { ROW_PROTOCOL, ROW_METADATA, ROW_TXN, ROW_DOMAIN, ROW_SIDECAR, ROW_CHECKPOINT, ROW_KINDS };
static osdear__field columns[ROW_KINDS] = {
  NEST("protocol", KIND_STRUCT, protocol_fields), NEST("metaData", KIND_STRUCT, metadata_fields),
  NEST("txn", KIND_STRUCT, txn_fields),           NEST("domainMetadata", KIND_STRUCT, domain_fields),
  NEST("sidecar", KIND_STRUCT, sidecar_fields),   NEST("checkpointMetadata", KIND_STRUCT, version_fields),
};
static const size_t telling[ROW_KINDS] = { PROTOCOL_READER, METADATA_ID, TXN_APP, DOMAIN_NAME, SIDECAR_PATH, 0 };

typedef struct table_reader {
  osdear__parquet *part;
  osdear__action_visit visit;
  void *argument;
  osdear__arena arena; /* of the action at hand */
} table_reader;

static bool has(const struct ArrowArray *row_struct, size_t field, int64_t row)
{
  return osdear__is_valid(row_struct, row) && osdear__is_valid(row_struct->children[field], row);
}

static osdear_status fail_absent(const char *column, size_t field, const osdear__field *fields, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s lacks the required field `%s`", column, fields[field].name);
}

static int64_t integer_at(const struct ArrowArray *row_struct, size_t field, int64_t row, int64_t otherwise)
{
  const int64_t *values = row_struct->children[field]->buffers[1];

  return has(row_struct, field, row) ? values[row] : otherwise;
}

static osdear_status copy_name(table_reader *r, osdear__str text, const char **out, osdear_error **error)
{
  if (text.size && memchr(text.data, '\0', text.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "a NUL character in an action's text");
  *out = osdear__arena_strndup(&r->arena, text.size ? text.data : "", text.size);
  return *out ? OSDEAR_OK : osdear__fail_memory(error);
}

/* NULL where the field is null. */
static osdear_status name_at(table_reader *r, const struct ArrowArray *row_struct, size_t field, int64_t row, const char **out,
                             osdear_error **error)
{
  *out = NULL;
  if (!has(row_struct, field, row))
    return OSDEAR_OK;
  return copy_name(r, osdear__string_at(row_struct->children[field], row), out, error);
}

static osdear_status names_at(table_reader *r, const struct ArrowArray *row_struct, size_t field, int64_t row, const char ***out,
                              osdear_error **error)
{
  const struct ArrowArray *list = row_struct->children[field];
  const int32_t *offsets = list->buffers[1];
  osdear_status st = OSDEAR_OK;
  size_t count;

  *out = NULL;
  if (!has(row_struct, field, row))
    return OSDEAR_OK;
  count = (size_t)(offsets[row + 1] - offsets[row]);
  *out = osdear__arena_zeroed(&r->arena, count + 1, sizeof **out);
  if (!*out)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count && !st; i++)
    st = copy_name(r, osdear__string_at(list->children[0], offsets[row] + (int32_t)i), &(*out)[i], error);
  return st;
}

static osdear_status pairs_at(table_reader *r, const struct ArrowArray *row_struct, size_t field, int64_t row,
                              osdear__metadata *out, osdear_error **error)
{
  const struct ArrowArray *map = row_struct->children[field];
  const int32_t *offsets = map->buffers[1];
  osdear_status st = OSDEAR_OK;

  if (!has(row_struct, field, row) || offsets[row] == offsets[row + 1])
    return OSDEAR_OK;
  out->properties = osdear__arena_zeroed(&r->arena, (size_t)(offsets[row + 1] - offsets[row]), sizeof *out->properties);
  if (!out->properties)
    return osdear__fail_memory(error);
  for (int32_t i = offsets[row]; i < offsets[row + 1] && !st; i++) {
    osdear_pair *pair = &out->properties[out->property_count];
    if (!osdear__is_valid(map->children[0]->children[1], i))
      continue;
    st = copy_name(r, osdear__string_at(map->children[0]->children[0], i), &pair->key, error);
    if (!st)
      st = copy_name(r, osdear__string_at(map->children[0]->children[1], i), &pair->value, error);
    out->property_count++;
  }
  return st;
}

static osdear_status read_protocol(table_reader *r, const struct ArrowArray *at, int64_t row, osdear__action *action,
                                   osdear_error **error)
{
  const int32_t *readers = at->children[PROTOCOL_READER]->buffers[1];
  const int32_t *writers = at->children[PROTOCOL_WRITER]->buffers[1];
  osdear_status st;

  if (!has(at, PROTOCOL_WRITER, row))
    return fail_absent("protocol", PROTOCOL_WRITER, protocol_fields, error);
  action->kind = ACTION_PROTOCOL;
  action->protocol.min_reader = readers[row];
  action->protocol.min_writer = writers[row];
  st = names_at(r, at, PROTOCOL_READER_FEATURES, row, &action->protocol.reader_features, error);
  if (!st)
    st = names_at(r, at, PROTOCOL_WRITER_FEATURES, row, &action->protocol.writer_features, error);
  return st;
}

static osdear_status check_provider(const struct ArrowArray *at, int64_t row, osdear_error **error)
{
  const struct ArrowArray *format = at->children[METADATA_FORMAT];
  osdear__str provider;

  if (!has(at, METADATA_FORMAT, row) || !osdear__is_valid(format->children[0], row))
    return OSDEAR_OK;
  provider = osdear__string_at(format->children[0], row);
  if (osdear__str_equal_nocase(provider, STR("parquet")))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "the table's data files are of format `%.*s`; only parquet is read",
                      (int)provider.size, provider.data);
}

static osdear_status read_metadata(table_reader *r, const struct ArrowArray *at, int64_t row, osdear__action *action,
                                   osdear_error **error)
{
  osdear__metadata *m = &action->metadata;
  osdear_status st;

  if (!has(at, METADATA_COLUMNS, row))
    return fail_absent("metaData", METADATA_COLUMNS, metadata_fields, error);
  action->kind = ACTION_METADATA;
  st = check_provider(at, row, error);
  if (!st)
    st = name_at(r, at, METADATA_ID, row, &m->id, error);
  if (!st)
    st = name_at(r, at, METADATA_NAME, row, &m->name, error);
  if (!st)
    st = name_at(r, at, METADATA_DESCRIPTION, row, &m->description, error);
  if (!st)
    st = name_at(r, at, METADATA_SCHEMA, row, &m->schema_json, error);
  if (!st)
    st = names_at(r, at, METADATA_COLUMNS, row, &m->partition_columns, error);
  if (!st)
    st = pairs_at(r, at, METADATA_CONFIGURATION, row, m, error);
  m->created_ms = integer_at(at, METADATA_CREATED, row, -1);
  return st;
}

static osdear_status read_txn(table_reader *r, const struct ArrowArray *at, int64_t row, osdear__action *action,
                              osdear_error **error)
{
  if (!has(at, TXN_VERSION, row))
    return fail_absent("txn", TXN_VERSION, txn_fields, error);
  action->kind = ACTION_TXN;
  action->txn.version = integer_at(at, TXN_VERSION, row, -1);
  action->txn.updated_ms = integer_at(at, TXN_UPDATED, row, -1);
  return name_at(r, at, TXN_APP, row, &action->txn.app_id, error);
}

static osdear_status read_domain(table_reader *r, const struct ArrowArray *at, int64_t row, osdear__action *action,
                                 osdear_error **error)
{
  const uint8_t *bits = at->children[DOMAIN_REMOVED]->buffers[1];
  osdear_status st;

  if (!has(at, DOMAIN_CONFIGURATION, row))
    return fail_absent("domainMetadata", DOMAIN_CONFIGURATION, domain_fields, error);
  action->kind = ACTION_DOMAIN;
  action->domain.removed = has(at, DOMAIN_REMOVED, row) && (bits[row >> 3] >> (row & 7) & 1);
  st = name_at(r, at, DOMAIN_NAME, row, &action->domain.name, error);
  if (!st)
    st = name_at(r, at, DOMAIN_CONFIGURATION, row, &action->domain.configuration, error);
  return st;
}

static osdear_status read_sidecar(const struct ArrowArray *at, int64_t row, osdear__action *action, osdear_error **error)
{
  if (!has(at, SIDECAR_SIZE, row))
    return fail_absent("sidecar", SIDECAR_SIZE, sidecar_fields, error);
  action->kind = ACTION_SIDECAR;
  action->sidecar.path = osdear__string_at(at->children[SIDECAR_PATH], row);
  action->sidecar.size_bytes = integer_at(at, SIDECAR_SIZE, row, -1);
  return OSDEAR_OK;
}

static osdear_status read_row(table_reader *r, int kind, const struct ArrowArray *at, int64_t row, osdear_error **error)
{
  osdear__action action = { 0 };
  osdear_status st = OSDEAR_OK;

  osdear__arena_reset(&r->arena);
  switch (kind) {
  case ROW_PROTOCOL: st = read_protocol(r, at, row, &action, error); break;
  case ROW_METADATA: st = read_metadata(r, at, row, &action, error); break;
  case ROW_TXN: st = read_txn(r, at, row, &action, error); break;
  case ROW_DOMAIN: st = read_domain(r, at, row, &action, error); break;
  case ROW_SIDECAR: st = read_sidecar(at, row, &action, error); break;
  default:
    action.kind = ACTION_CHECKPOINT;
    action.checkpoint_version = integer_at(at, 0, row, -1);
    break;
  }
  return st ? st : r->visit(r->argument, &action, error);
}

/* Most rows are files, for which all of these columns are null. */
static osdear_status read_batch(table_reader *r, const int *kinds, const osdear__type *type, const struct ArrowArray *batch,
                                osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  for (size_t c = 0; c < type->field_count; c++) {
    const struct ArrowArray *at = batch->children[c];
    if (at->null_count == at->length)
      continue;
    for (int64_t row = 0; row < at->length && !st; row++)
      if (has(at, telling[kinds[c]], row))
        st = read_row(r, kinds[c], at, row, error);
  }
  return st;
}

/* The columns that this row group has rows of, as the file has them in `want` and as they are to be in `shape`. */
static osdear_status choose_columns(const osdear__parquet *part, size_t group, osdear__arena *arena, osdear__type *want,
                                    osdear__type *shape, int *kinds, osdear_error **error)
{
  *shape = (osdear__type){ .kind = KIND_STRUCT };
  shape->fields = osdear__arena_zeroed(arena, ROW_KINDS, sizeof *shape->fields);
  if (!shape->fields)
    return osdear__fail_memory(error);
  for (int kind = 0; kind < ROW_KINDS; kind++) {
    if (osdear__checkpoint_group_lacks(part, group, columns[kind].name, columns[kind].type.fields[telling[kind]].name))
      continue;
    kinds[shape->field_count] = kind;
    shape->fields[shape->field_count++] = columns[kind];
  }
  return osdear__checkpoint_prune(osdear__parquet_type(part), shape, arena, want, error);
}

static osdear_status read_group(table_reader *r, size_t group, osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  AUTO(parquet_cursor) cursor = NULL;
  osdear__type want, shape;
  osdear__parquet_read read = { .want = &want };
  int kinds[ROW_KINDS];
  int64_t first_row;
  osdear_status st = choose_columns(r->part, group, &arena, &want, &shape, kinds, error);

  if (st || !want.field_count)
    return st;
  st = osdear__parquet_cursor_new(r->part, group, &read, &cursor, error);
  while (!st) {
    SCOPED(array) batch = { 0 };
    SCOPED(array) cast = { 0 };
    st = osdear__parquet_cursor_next(cursor, BATCH_ROWS, &batch, &first_row, error);
    if (st || !batch.release)
      break;
    st = osdear__array_cast(&want, &batch, &shape, &cast, error);
    if (!st)
      st = read_batch(r, kinds, &shape, &cast, error);
  }
  return st;
}

osdear_status osdear__checkpoint_part_table(osdear__parquet *part, osdear__action_visit visit, void *argument,
                                            osdear_error **error)
{
  table_reader r = { .part = part, .visit = visit, .argument = argument };
  osdear_status st = OSDEAR_OK;

  for (size_t group = 0; group < osdear__parquet_group_count(part) && !st; group++)
    st = read_group(&r, group, error);
  osdear__arena_drop(&r.arena);
  return st;
}
