/** @file properties.c Table properties: which there are, what they may hold, and what they ask of the protocol. */
#include <delta/write.h>

typedef enum property_kind {
  PROPERTY_BOOL,
  PROPERTY_COUNT, /* an integer of at least `least` */
  PROPERTY_INTERVAL,
  PROPERTY_BYTES,
  PROPERTY_CHOICE, /* one of `choices`, set apart by `|` */
  PROPERTY_CODEC,
  PROPERTY_COLUMNS,
  PROPERTY_TEXT
} property_kind;

typedef struct property_rule {
  const char *key;
  property_kind kind;
  int64_t least;
  const char *choices;
  const char *feature; /* what `true`, or any choice but the first, asks for */
} property_rule;

static const property_rule rules[] = {
  { "delta.appendOnly", PROPERTY_BOOL, 0, NULL, "appendOnly" },
  { "delta.autoOptimize", PROPERTY_TEXT, 0, NULL, NULL },
  { "delta.autoOptimize.autoCompact", PROPERTY_TEXT, 0, NULL, NULL },
  { "delta.autoOptimize.optimizeWrite", PROPERTY_TEXT, 0, NULL, NULL },
  { "delta.checkpoint.writeStatsAsJson", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.checkpoint.writeStatsAsStruct", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.checkpointInterval", PROPERTY_COUNT, 1, NULL, NULL },
  { "delta.checkpointPolicy", PROPERTY_CHOICE, 0, "classic|v2", "v2Checkpoint" },
  { "delta.checkpointRetentionDuration", PROPERTY_INTERVAL, 0, NULL, NULL },
  { "delta.columnMapping.mode", PROPERTY_CHOICE, 0, "none|name|id", "columnMapping" },
  { "delta.compatibility.symlinkFormatManifest.enabled", PROPERTY_BOOL, 0, NULL, "symlinkFormatManifest" },
  { "delta.dataSkippingNumIndexedCols", PROPERTY_COUNT, -1, NULL, NULL },
  { "delta.dataSkippingStatsColumns", PROPERTY_COLUMNS, 0, NULL, NULL },
  { "delta.dataSkippingStringPrefixLength", PROPERTY_COUNT, 1, NULL, NULL },
  { "delta.deletedFileRetentionDuration", PROPERTY_INTERVAL, 0, NULL, NULL },
  { "delta.enableChangeDataFeed", PROPERTY_BOOL, 0, NULL, "changeDataFeed" },
  { "delta.enableDeletionVectors", PROPERTY_BOOL, 0, NULL, "deletionVectors" },
  { "delta.enableExpiredLogCleanup", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.enableFullRetentionRollback", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.enableIcebergCompatV1", PROPERTY_BOOL, 0, NULL, "icebergCompatV1" },
  { "delta.enableIcebergCompatV2", PROPERTY_BOOL, 0, NULL, "icebergCompatV2" },
  { "delta.enableIcebergCompatV3", PROPERTY_BOOL, 0, NULL, "icebergCompatV3" },
  { "delta.enableIcebergWriterCompatV1", PROPERTY_BOOL, 0, NULL, "icebergWriterCompatV1" },
  { "delta.enableIcebergWriterCompatV3", PROPERTY_BOOL, 0, NULL, "icebergWriterCompatV3" },
  { "delta.enableInCommitTimestamps", PROPERTY_BOOL, 0, NULL, "inCommitTimestamp" },
  { "delta.enableRowTracking", PROPERTY_BOOL, 0, NULL, "rowTracking" },
  { "delta.enableTypeWidening", PROPERTY_BOOL, 0, NULL, "typeWidening" },
  { "delta.enableVariantShredding", PROPERTY_BOOL, 0, NULL, "variantShredding" },
  { "delta.isolationLevel", PROPERTY_CHOICE, 0, "Serializable|WriteSerializable", NULL },
  { "delta.logRetentionDuration", PROPERTY_INTERVAL, 0, NULL, NULL },
  { "delta.parquet.compression.codec", PROPERTY_CODEC, 0, NULL, NULL },
  { "delta.parquet.format.version", PROPERTY_CHOICE, 0, "1.0.0|2.4.0|2.6.0|2.8.0|2.9.0|2.10.0|2.11.0|2.12.0", NULL },
  { "delta.randomPrefixLength", PROPERTY_COUNT, 1, NULL, NULL },
  { "delta.randomizeFilePrefixes", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.setTransactionRetentionDuration", PROPERTY_INTERVAL, 0, NULL, NULL },
  { "delta.targetFileSize", PROPERTY_BYTES, 0, NULL, NULL },
  { "delta.tuneFileSizesForRewrites", PROPERTY_BOOL, 0, NULL, NULL },
  { "delta.universalFormat.enabledFormats", PROPERTY_CHOICE, 0, "|iceberg|hudi", "icebergCompatV2" },
};

/* Table features that a new table may list: writers here obey them, or they bind only once something else is set. */
static const struct {
  const char *name;
  bool for_readers;
  int32_t legacy_writer; /* the writer version that stands for it; 0: none does */
} features[] = {
  { "allowColumnDefaults", false, 0 }, { "appendOnly", false, 2 },       { "changeDataFeed", false, 4 },
  { "checkConstraints", false, 3 },    { "columnMapping", true, 0 },     { "deletionVectors", true, 0 },
  { "domainMetadata", false, 0 },      { "generatedColumns", false, 4 }, { "identityColumns", false, 6 },
  { "inCommitTimestamp", false, 0 },   { "invariants", false, 2 },       { "timestampNtz", true, 0 },
  { "typeWidening", true, 0 },         { "v2Checkpoint", true, 0 },      { "vacuumProtocolCheck", true, 0 },
};

/* ---- values ---- */

/* Digits, and a unit as Spark writes it: 100, 64k, 64kb, 128mb, 1g. Also used where a property of another writer is read. */
static bool parse_bytes(osdear__str text, int64_t *out)
{
  static const char units[] = "kmgt";
  size_t digits = 0;
  int64_t scale = 1;
  osdear__str unit;

  while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9')
    digits++;
  if (!osdear__parse_i64((osdear__str){ text.data, digits }, out))
    return false;
  unit = (osdear__str){ text.data + digits, text.size - digits };
  if (unit.size > 0 && (unit.data[unit.size - 1] | 0x20) == 'b')
    unit.size--;
  if (unit.size > 1)
    return false;
  if (unit.size == 1) {
    const char *at = strchr(units, unit.data[0] | 0x20);
    if (!at || *at == '\0')
      return false;
    scale = INT64_C(1) << 10 * (at - units + 1);
  }
  return osdear__mul_i64(*out, scale, out) && *out > 0;
}

int64_t osdear__metadata_property_bytes(const osdear__metadata *metadata, const char *key, int64_t otherwise)
{
  int64_t value;
  const char *text = osdear__metadata_property(metadata, key);

  return text && parse_bytes(osdear__str_of(text), &value) ? value : otherwise;
}

/* Which of the choices it is; -1: none. */
static int64_t choice_of(const char *choices, osdear__str value)
{
  int64_t index = 0;

  for (const char *at = choices; at; index++) {
    size_t length = strcspn(at, "|");
    if (osdear__str_equal_nocase((osdear__str){ at, length }, value))
      return index;
    at = at[length] ? at + length + 1 : NULL;
  }
  return -1;
}

static bool has_column(const osdear__type *schema, osdear__str path)
{
  const osdear__type *type = schema;
  size_t from = 0;

  for (size_t i = 0; i <= path.size; i++) {
    int64_t at;
    if (i < path.size && path.data[i] != OSDEAR__PATH_SEPARATOR)
      continue;
    if (type->kind != KIND_STRUCT)
      return false;
    at = osdear__type_find(type, (osdear__str){ path.data + from, i - from });
    if (at < 0)
      return false;
    type = &type->fields[at].type;
    from = i + 1;
  }
  return true;
}

static osdear_status check_columns(const property_rule *rule, const char *value, const osdear__type *schema, osdear__arena *arena,
                                   osdear_error **error)
{
  osdear__str *paths = NULL;
  size_t count = 0;
  osdear_status st = osdear__column_list_parse(value, arena, &paths, &count, error);

  for (size_t i = 0; i < count && !st; i++)
    if (!has_column(schema, paths[i]))
      st = osdear__fail(error, OSDEAR_ERR_ARGUMENT, "property %s names a column that is not there: \"%.*s\"", rule->key,
                        (int)paths[i].size, paths[i].data);
  return st;
}

static bool is_interval(const char *value)
{
  osdear_pair pair = { "x", value };
  osdear__metadata metadata = { .properties = &pair, .property_count = 1 };

  return osdear__metadata_property_ms(&metadata, "x", -1) >= 0;
}

/* *asks: the value is one that needs the rule's feature. */
static osdear_status check_value(const property_rule *rule, const char *value, const osdear__type *schema, osdear__arena *arena,
                                 bool *asks, osdear_error **error)
{
  osdear__str text = osdear__str_of(value);
  osdear__codec codec;
  int64_t number = 0;
  const char *wanted = NULL;

  *asks = false;
  switch (rule->kind) {
  case PROPERTY_BOOL:
    *asks = osdear__str_equal_nocase(text, STR("true"));
    wanted = *asks || osdear__str_equal_nocase(text, STR("false")) ? NULL : "true or false";
    break;
  case PROPERTY_COUNT:
    wanted = osdear__parse_i64(text, &number) && number >= rule->least && number <= INT32_MAX ? NULL : "an integer in range";
    break;
  case PROPERTY_INTERVAL: wanted = is_interval(value) ? NULL : "an interval such as `interval 7 days`"; break;
  case PROPERTY_BYTES: wanted = parse_bytes(text, &number) ? NULL : "a size such as 134217728 or 128mb"; break;
  case PROPERTY_CHOICE:
    number = choice_of(rule->choices, text);
    *asks = number > 0;
    wanted = number >= 0 ? NULL : rule->choices;
    break;
  case PROPERTY_CODEC:
    wanted = osdear__codec_of_name(value, &codec) && osdear__codec_is_written(codec)
                 ? NULL
                 : "a codec that this build can write, such as zstd, snappy, gzip, lz4_raw or none";
    break;
  case PROPERTY_COLUMNS: return check_columns(rule, value, schema, arena, error);
  case PROPERTY_TEXT: break;
  }
  if (wanted)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "property %s is \"%s\": it must be %s", rule->key, value, wanted);
  return OSDEAR_OK;
}

/* ---- features and versions ---- */

static osdear_status fail_feature(osdear_error **error, const char *what, const char *feature)
{
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s needs the table feature %s, which this build cannot write", what,
                      feature);
}

osdear_status osdear__draft_add_feature(osdear__protocol_draft *draft, const char *name, osdear_error **error)
{
  for (size_t i = 0; i < COUNT_OF(features); i++) {
    if (!osdear__str_equal_nocase(osdear__str_of(name), osdear__str_of(features[i].name)))
      continue;
    draft->wanted[i] = true;
    return OSDEAR_OK;
  }
  return fail_feature(error, name, name);
}

/* What binds a writer in ways that this build does not obey cannot be switched on. */
static osdear_status activate(osdear__protocol_draft *draft, const property_rule *rule, osdear_error **error)
{
  static const char *const obeyed[] = { "appendOnly", "changeDataFeed", "inCommitTimestamp", "v2Checkpoint" };

  for (size_t i = 0; i < COUNT_OF(obeyed); i++)
    if (strcmp(rule->feature, obeyed[i]) == 0)
      return osdear__draft_add_feature(draft, rule->feature, error);
  return fail_feature(error, rule->key, rule->feature);
}

static osdear_status check_version(const char *key, const char *value, int32_t newest, int32_t *out, osdear_error **error)
{
  int64_t version;

  if (!osdear__parse_i64(osdear__str_of(value), &version) || version < 1)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "property %s is \"%s\": it must be a version from 1 to %" PRId32, key, value,
                        newest);
  if (version > newest)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "property %s is %" PRId64 ": the newest version is %" PRId32, key, version,
                        newest);
  if (*out < (int32_t)version)
    *out = (int32_t)version;
  return OSDEAR_OK;
}

/* Properties that only ask for protocol are never stored: reference §4. */
static osdear_status check_pseudo(const osdear_pair *pair, osdear__protocol_draft *draft, bool *is_pseudo, osdear_error **error)
{
  osdear__str key = osdear__str_of(pair->key);
  osdear__str value = osdear__str_of(pair->value);

  *is_pseudo = true;
  if (osdear__str_equal_nocase(key, STR("delta.minReaderVersion")))
    return check_version(pair->key, pair->value, 3, &draft->min_reader, error);
  if (osdear__str_equal_nocase(key, STR("delta.minWriterVersion")))
    return check_version(pair->key, pair->value, 7, &draft->min_writer, error);
  if (key.size > 14 && osdear__str_equal_nocase((osdear__str){ key.data, 14 }, STR("delta.feature."))) {
    if (!osdear__str_equal_nocase(value, STR("supported")) && !osdear__str_equal_nocase(value, STR("enabled")))
      return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "property %s is \"%s\": it must be supported", pair->key, pair->value);
    return osdear__draft_add_feature(draft, pair->key + 14, error);
  }
  *is_pseudo = false;
  return OSDEAR_OK;
}

osdear_status osdear__draft_finish(const osdear__protocol_draft *draft, osdear__arena *arena, osdear__protocol *out,
                                   osdear_error **error)
{
  int32_t reader = draft->min_reader > 1 ? draft->min_reader : 1;
  int32_t writer = draft->min_writer > 2 ? draft->min_writer : 2;
  const char **for_readers = osdear__arena_zeroed(arena, COUNT_OF(features) + 1, sizeof *for_readers);
  const char **for_writers = osdear__arena_zeroed(arena, COUNT_OF(features) + 1, sizeof *for_writers);
  int32_t legacy = writer < 7 ? writer : 2;
  size_t reader_count = 0, writer_count = 0;

  if (!for_readers || !for_writers)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < COUNT_OF(features); i++) {
    if (!draft->wanted[i])
      continue;
    if (features[i].legacy_writer == 0)
      writer = 7;
    else if (features[i].legacy_writer > writer)
      writer = features[i].legacy_writer;
    if (features[i].for_readers)
      reader = 3;
  }
  if (reader == 3)
    writer = 7;
  *out = (osdear__protocol){ .min_reader = reader, .min_writer = writer };
  if (writer < 7)
    return OSDEAR_OK;
  /* With version 7 what the older one stood for is written out. */
  for (size_t i = 0; i < COUNT_OF(features); i++) {
    bool implied = features[i].legacy_writer > 0 && features[i].legacy_writer <= legacy;
    if (!draft->wanted[i] && !implied)
      continue;
    for_writers[writer_count++] = features[i].name;
    if (features[i].for_readers)
      for_readers[reader_count++] = features[i].name;
  }
  out->writer_features = for_writers;
  if (reader == 3)
    out->reader_features = for_readers;
  return OSDEAR_OK;
}

/* ---- the face ---- */

static const property_rule *find_rule(const char *key)
{
  for (size_t i = 0; i < COUNT_OF(rules); i++)
    if (osdear__str_equal_nocase(osdear__str_of(key), osdear__str_of(rules[i].key)))
      return &rules[i];
  return NULL;
}

static osdear_status check_property(const osdear_pair *pair, const osdear__type *schema, osdear__arena *arena, osdear_pair *out,
                                    osdear__protocol_draft *draft, osdear_error **error)
{
  const property_rule *rule = find_rule(pair->key);
  bool asks = false;
  osdear_status st = OSDEAR_OK;

  if (!rule && osdear__str_equal_nocase((osdear__str){ pair->key, strnlen(pair->key, 18) }, STR("delta.constraints.")))
    return fail_feature(error, pair->key, "checkConstraints");
  if (!rule && osdear__str_equal_nocase((osdear__str){ pair->key, strnlen(pair->key, 6) }, STR("delta.")))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "Delta has no table property \"%s\"", pair->key);
  if (rule)
    st = check_value(rule, pair->value, schema, arena, &asks, error);
  if (!st && asks && rule->feature)
    st = activate(draft, rule, error);
  if (st)
    return st;
  out->key = rule ? rule->key : osdear__arena_strdup(arena, pair->key);
  out->value = osdear__arena_strdup(arena, pair->value);
  return out->key && out->value ? OSDEAR_OK : osdear__fail_memory(error);
}

static osdear_status check_text(const osdear_pair *pair, osdear_error **error)
{
  if (!pair->key || pair->key[0] == '\0' || !pair->value)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a table property needs a name and a value");
  if (!osdear__utf8_is_valid(pair->key, strlen(pair->key)) || !osdear__utf8_is_valid(pair->value, strlen(pair->value)))
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "a table property is not UTF-8");
  return OSDEAR_OK;
}

osdear_status osdear__properties_check(const osdear_pair *given, size_t given_count, const osdear__type *schema,
                                       osdear__arena *arena, osdear_pair **out, size_t *out_count, osdear__protocol_draft *draft,
                                       osdear_error **error)
{
  osdear_pair *kept = osdear__arena_zeroed(arena, given_count + 1, sizeof *kept);
  size_t count = 0;

  if (!kept)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < given_count; i++) {
    bool is_pseudo = false;
    osdear_status st = check_text(&given[i], error);
    if (!st)
      st = check_pseudo(&given[i], draft, &is_pseudo, error);
    if (!st && !is_pseudo)
      st = check_property(&given[i], schema, arena, &kept[count], draft, error);
    if (st)
      return st;
    for (size_t j = 0; j < count && !is_pseudo; j++)
      if (strcmp(kept[j].key, kept[count].key) == 0)
        return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "table property \"%s\" is given twice", kept[count].key);
    count += !is_pseudo;
  }
  *out = kept;
  *out_count = count;
  return OSDEAR_OK;
}
