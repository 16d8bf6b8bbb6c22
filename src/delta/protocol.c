/* What a table asks of those who read and write it, and its properties. */
#include <delta/delta.h>

/* ---- properties ---- */

const char *osdear__metadata_property(const osdear__metadata *metadata, const char *key)
{
  for (size_t i = 0; i < metadata->property_count; i++)
    if (strcmp(metadata->properties[i].key, key) == 0)
      return metadata->properties[i].value;
  return NULL;
}

int64_t osdear__metadata_property_i64(const osdear__metadata *metadata, const char *key, int64_t otherwise)
{
  int64_t value;

  return osdear__parse_i64(osdear__str_of(osdear__metadata_property(metadata, key)), &value) ? value : otherwise;
}

bool osdear__metadata_property_bool(const osdear__metadata *metadata, const char *key, bool otherwise)
{
  osdear__str value = osdear__str_of(osdear__metadata_property(metadata, key));

  if (osdear__str_equal_nocase(value, STR("true")))
    return true;
  return osdear__str_equal_nocase(value, STR("false")) ? false : otherwise;
}

/* Milliseconds of one unit, singular or plural; 0: no unit. */
static int64_t unit_ms(osdear__str word)
{
  static const struct {
    osdear__str name;
    int64_t ms;
  } units[] = {
    { { "millisecond", 11 }, 1 }, { { "second", 6 }, 1000 },  { { "minute", 6 }, 60000 },
    { { "hour", 4 }, 3600000 },   { { "day", 3 }, 86400000 }, { { "week", 4 }, 604800000 },
  };

  if (word.size > 1 && (word.data[word.size - 1] | 0x20) == 's')
    word.size--;
  for (size_t i = 0; i < COUNT_OF(units); i++)
    if (osdear__str_equal_nocase(word, units[i].name))
      return units[i].ms;
  return 0;
}

static osdear__str next_word(osdear__str *text)
{
  size_t start = 0, end;

  while (start < text->size && text->data[start] == ' ')
    start++;
  end = start;
  while (end < text->size && text->data[end] != ' ')
    end++;
  *text = (osdear__str){ text->data + end, text->size - end };
  return (osdear__str){ text->data - (end - start), end - start };
}

/* Months and years have no length, so Spark refuses them here too. */
int64_t osdear__metadata_property_ms(const osdear__metadata *metadata, const char *key, int64_t otherwise)
{
  osdear__str text = osdear__str_of(osdear__metadata_property(metadata, key));
  osdear__str word = text.size ? next_word(&text) : text;
  int64_t total = 0, count, ms;
  bool is_empty = true;

  if (osdear__str_equal_nocase(word, STR("interval")))
    word = next_word(&text);
  for (; word.size; word = text.size ? next_word(&text) : text) {
    if (!osdear__parse_i64(word, &count))
      return otherwise;
    ms = unit_ms(next_word(&text));
    if (!ms || !osdear__mul_i64(count, ms, &count) || !osdear__add_i64(total, count, &total))
      return otherwise;
    is_empty = false;
  }
  return is_empty || total < 0 ? otherwise : total;
}

/* ---- features ---- */

static bool lists(const char *const *names, const char *name)
{
  for (size_t i = 0; names && names[i]; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

bool osdear__protocol_has_reader_feature(const osdear__protocol *protocol, const char *name)
{
  if (protocol->min_reader >= 3)
    return lists(protocol->reader_features, name);
  return protocol->min_reader == 2 && strcmp(name, "columnMapping") == 0;
}

/* Writer versions before 7 stand for fixed sets: each adds to the one before. */
bool osdear__protocol_has_writer_feature(const osdear__protocol *protocol, const char *name)
{
  static const struct {
    const char *name;
    int32_t since;
  } implied[] = {
    { "appendOnly", 2 },       { "invariants", 2 },    { "checkConstraints", 3 }, { "changeDataFeed", 4 },
    { "generatedColumns", 4 }, { "columnMapping", 5 }, { "identityColumns", 6 },
  };

  if (protocol->min_writer >= 7)
    return lists(protocol->writer_features, name);
  for (size_t i = 0; i < COUNT_OF(implied); i++)
    if (strcmp(implied[i].name, name) == 0)
      return protocol->min_writer >= implied[i].since;
  return false;
}

/* Reader features that a reader without them would get right as long as nothing in the table makes use of them. What makes use of
 * them is looked for where it would show: type changes in osdear__protocol_check_table(), the other forms of checkpoints where a
 * checkpoint is chosen. */
static const char *const readable[] = {
  "columnMapping", "deletionVectors",      "timestampNtz",     "timestampWithoutTimezone",
  "typeWidening",  "typeWidening-preview", "v2Checkpoint",     "vacuumProtocolCheck",
  "variantType",   "variantType-preview",  "variantShredding", "variantShredding-preview",
};

/* They bind writers only. */
static const char *const writer_only[] = {
  "allowColumnDefaults",
  "appendOnly",
  "changeDataFeed",
  "checkConstraints",
  "checkpointProtection",
  "clustering",
  "columnMappingUsageTracking",
  "domainMetadata",
  "generatedColumns",
  "icebergCompatV1",
  "icebergCompatV2",
  "icebergCompatV3",
  "icebergWriterCompatV1",
  "icebergWriterCompatV3",
  "identityColumns",
  "inCommitTimestamp",
  "invariants",
  "materializePartitionColumns",
  "rowTracking",
};

static bool is_among(const char *const *names, size_t count, const char *name)
{
  for (size_t i = 0; i < count; i++)
    if (strcmp(names[i], name) == 0)
      return true;
  return false;
}

static osdear_status fail_features(const osdear__buf *names, const char *verb, const char *uri, osdear_error **error)
{
  osdear_status st = osdear__buf_check(names, error);

  if (st)
    return st;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s: cannot be %s by this build, which lacks the table features: %s", uri,
                      verb, names->data);
}

/* The newest commits of such a table may be known to its catalog alone: read from its files it would be a table of the past. */
static bool is_of_catalog(const char *feature)
{
  return strcmp(feature, "catalogManaged") == 0 || strcmp(feature, "catalogOwned-preview") == 0;
}

/* Lists of features and the versions 3 and 7 go together: without the one the other says nothing that two engines would agree on. An
 * empty list is none, as checkpoints of some writers have it. */
static osdear_status check_lists(const osdear__protocol *protocol, const char *uri, osdear_error **error)
{
  bool has_readers = protocol->reader_features && protocol->reader_features[0];
  bool has_writers = protocol->writer_features && protocol->writer_features[0];

  if (protocol->min_reader == 3 && (!protocol->reader_features || protocol->min_writer < 7))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT,
                        "%s: minReaderVersion 3 goes with readerFeatures and minWriterVersion 7; here %s", uri,
                        protocol->reader_features ? "the latter is lower" : "are no readerFeatures");
  if (protocol->min_reader < 3 && has_readers)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: readerFeatures go with minReaderVersion 3; here it is %" PRId32, uri,
                        protocol->min_reader);
  if (protocol->min_writer == 7 && !protocol->writer_features)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: minWriterVersion 7 goes with writerFeatures, and there are none", uri);
  if (protocol->min_writer < 7 && has_writers)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: writerFeatures go with minWriterVersion 7; here it is %" PRId32, uri,
                        protocol->min_writer);
  return OSDEAR_OK;
}

osdear_status osdear__protocol_check_read(const osdear__protocol *protocol, const char *uri, osdear_error **error)
{
  SCOPED(buf) unknown = { 0 };
  osdear_status st;

  if (protocol->min_reader < 1 || protocol->min_writer < 0)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: protocol versions %" PRId32 " and %" PRId32 " do not exist", uri,
                        protocol->min_reader, protocol->min_writer);
  if (protocol->min_reader > 3)
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s: minReaderVersion %" PRId32 " is above 3, the newest this build reads",
                        uri, protocol->min_reader);
  st = check_lists(protocol, uri, error);
  if (st || protocol->min_reader < 3)
    return st;
  for (size_t i = 0; protocol->reader_features[i]; i++) {
    const char *name = protocol->reader_features[i];
    if (!lists(protocol->writer_features, name))
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s: the feature %s is in readerFeatures but not in writerFeatures", uri,
                          name);
    if (is_of_catalog(name))
      return osdear__fail(
          error, OSDEAR_ERR_UNSUPPORTED,
          "%s: the table is managed by a catalog (table feature %s), which alone knows its newest commits: ask the catalog", uri,
          name);
    if (!is_among(readable, COUNT_OF(readable),
                  name)) /* also one that binds writers only: who listed it for readers meant something */
      osdear__buf_printf(&unknown, "%s%s", unknown.size ? ", " : "", name);
  }
  return unknown.size ? fail_features(&unknown, "read", uri, error) : OSDEAR_OK;
}

osdear_status osdear__protocol_check_table(const osdear__protocol *protocol, const osdear__metadata *metadata, const char *uri,
                                           osdear_error **error)
{
  osdear_status st = osdear__protocol_check_read(protocol, uri, error);

  if (st)
    return st;
  if (osdear__protocol_has_reader_feature(protocol, "typeWidening") ||
      osdear__protocol_has_reader_feature(protocol, "typeWidening-preview"))
    st = osdear__type_changes_check(&metadata->schema, error);
  return st ? osdear__fail_within(error, st, "%s", uri) : OSDEAR_OK;
}

/* ---- writing ---- */

/* The path of the first variant in `type`, appended. */
static bool find_variant(const osdear__type *type, osdear__buf *path)
{
  size_t before = path->size;

  for (size_t i = 0; i < type->field_count; i++) {
    osdear__buf_printf(path, "%s%s", before ? "." : "", type->fields[i].name);
    if (type->fields[i].type.kind == KIND_VARIANT || find_variant(&type->fields[i].type, path))
      return true;
    path->size = before;
  }
  return false;
}

static bool any_field_has(const osdear__type *type, const char *metadata_key)
{
  for (size_t i = 0; i < type->field_count; i++) {
    const osdear__field *field = &type->fields[i];
    if ((field->metadata && strstr(field->metadata, metadata_key)) || any_field_has(&field->type, metadata_key))
      return true;
  }
  return false;
}

static bool any_property_starts(const osdear__metadata *metadata, const char *prefix)
{
  for (size_t i = 0; i < metadata->property_count; i++)
    if (osdear__starts_with(metadata->properties[i].key, prefix))
      return true;
  return false;
}

/* A writer feature and what, when the feature is there, makes it bind: a property that is true, a key of column metadata (quoted), a
 * prefix of properties, or nothing more than being listed. Features that bind in a way that writers here obey are not in the table. */
typedef struct writer_rule {
  const char *feature;
  enum { WHEN_LISTED, WHEN_PROPERTY, WHEN_FIELD, WHEN_PREFIX } when;
  const char *key;
} writer_rule;

static const writer_rule writer_rules[] = {
  { "invariants", WHEN_FIELD, "\"delta.invariants\"" },
  { "checkConstraints", WHEN_PREFIX, "delta.constraints." },
  { "generatedColumns", WHEN_FIELD, "\"delta.generationExpression\"" },
  { "allowColumnDefaults", WHEN_FIELD, "\"CURRENT_DEFAULT\"" },
  { "identityColumns", WHEN_FIELD, "\"delta.identity." },
  { "rowTracking", WHEN_LISTED, NULL },
  { "clustering", WHEN_LISTED, NULL },
  { "materializePartitionColumns", WHEN_LISTED, NULL },
  { "icebergCompatV1", WHEN_PROPERTY, "delta.enableIcebergCompatV1" },
  { "icebergCompatV2", WHEN_PROPERTY, "delta.enableIcebergCompatV2" },
  { "icebergCompatV3", WHEN_PROPERTY, "delta.enableIcebergCompatV3" },
  { "icebergWriterCompatV1", WHEN_PROPERTY, "delta.enableIcebergWriterCompatV1" },
  { "icebergWriterCompatV3", WHEN_PROPERTY, "delta.enableIcebergWriterCompatV3" },
};

static bool rule_binds(const writer_rule *rule, const osdear__metadata *metadata)
{
  switch (rule->when) {
  case WHEN_PROPERTY: return osdear__metadata_property_bool(metadata, rule->key, false);
  case WHEN_FIELD: return any_field_has(&metadata->schema, rule->key);
  case WHEN_PREFIX: return any_property_starts(metadata, rule->key);
  case WHEN_LISTED: break;
  }
  return true;
}

static osdear_status check_writer_version(const osdear__protocol *protocol, const char *uri, osdear_error **error)
{
  if (protocol->min_writer <= 7)
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "%s: minWriterVersion %" PRId32 " is above 7, the newest this build writes",
                      uri, protocol->min_writer);
}

static void put_unknown(const osdear__protocol *protocol, osdear__buf *out)
{
  for (size_t i = 0; protocol->min_writer == 7 && protocol->writer_features && protocol->writer_features[i]; i++) {
    const char *name = protocol->writer_features[i];
    if (!is_among(readable, COUNT_OF(readable), name) && !is_among(writer_only, COUNT_OF(writer_only), name))
      osdear__buf_printf(out, "%s%s", out->size ? ", " : "", name);
  }
}

osdear_status osdear__protocol_check_checkpoint(const osdear__protocol *protocol, const char *uri, osdear_error **error)
{
  SCOPED(buf) unknown = { 0 };
  osdear_status st = check_writer_version(protocol, uri, error);

  if (st)
    return st;
  put_unknown(protocol, &unknown);
  return unknown.size ? fail_features(&unknown, "written", uri, error) : OSDEAR_OK;
}

osdear_status osdear__protocol_check_write(const osdear__protocol *protocol, const osdear__metadata *metadata, const char *uri,
                                           osdear_error **error)
{
  SCOPED(buf) missing = { 0 };
  SCOPED(buf) path = { 0 };
  osdear_status st = osdear__protocol_check_table(protocol, metadata, uri, error);

  if (st)
    return st;
  if (find_variant(&metadata->schema, &path))
    return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED,
                        "%s: column `%s` is a variant, and this build does not write the table feature variantType", uri,
                        path.data ? path.data : "");
  st = check_writer_version(protocol, uri, error);
  if (st)
    return st;
  for (size_t i = 0; i < COUNT_OF(writer_rules); i++)
    if (osdear__protocol_has_writer_feature(protocol, writer_rules[i].feature) && rule_binds(&writer_rules[i], metadata))
      osdear__buf_printf(&missing, "%s%s", missing.size ? ", " : "", writer_rules[i].feature);
  put_unknown(protocol, &missing);
  return missing.size ? fail_features(&missing, "written", uri, error) : OSDEAR_OK;
}
