/* Copies of actions that last as long as an arena, and the rules that every file action obeys. */
#include <delta/action.h>

/* A path that leaves the folder it starts in names a file that the table's writer could not have meant; it might be anybody's. */
static osdear_status check_path(osdear__str path, const char *what, osdear_error **error)
{
  SCOPED(buf) decoded = { 0 };
  osdear_status st;

  if (!memchr(path.data, '%', path.size) && !memmem(path.data, path.size, "..", 2))
    return OSDEAR_OK;
  st = osdear__uri_decode(path, &decoded, error);
  if (st)
    return st == OSDEAR_ERR_CORRUPT ? osdear__fail_within(error, st, "%s.path `%.*s`", what, (int)path.size, path.data) : st;
  if (!osdear__path_resolve(&decoded))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.path `%.*s` climbs out of its folder", what, (int)path.size, path.data);
  return OSDEAR_OK;
}

static osdear_status copy_name(const char *name, osdear__arena *arena, const char **out, osdear_error **error)
{
  char *copy;

  if (!name) {
    *out = NULL;
    return OSDEAR_OK;
  }
  copy = osdear__arena_strdup(arena, name);
  if (!copy)
    return osdear__fail_memory(error);
  *out = copy;
  return OSDEAR_OK;
}

static osdear_status copy_names(const char *const *names, osdear__arena *arena, const char ***out, osdear_error **error)
{
  size_t count = 0;
  const char **copy;
  osdear_status st = OSDEAR_OK;

  if (!names) {
    *out = NULL;
    return OSDEAR_OK;
  }
  while (names[count])
    count++;
  copy = osdear__arena_zeroed(arena, count + 1, sizeof *copy);
  if (!copy)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < count && !st; i++)
    st = copy_name(names[i], arena, &copy[i], error);
  if (!st)
    *out = copy;
  return st;
}

/* Texts of files lie one behind the other in a single block: there may be millions of them. */
typedef struct packer {
  char *next;
} packer;

static osdear__str pack(packer *p, osdear__str text)
{
  osdear__str at = { p->next, text.size };

  if (!text.size)
    return (osdear__str){ NULL, 0 };
  memcpy(p->next, text.data, text.size);
  p->next += text.size;
  return at;
}

osdear_status osdear__file_copy(const osdear__file *file, osdear__arena *arena, osdear__file *out, osdear_error **error)
{
  size_t size = file->path.size + file->stats.size + file->tags.size + file->dv.path.size + file->clustering_provider.size;
  size_t values = file->partition_count * sizeof *file->partition;
  osdear__partition_value *partition;
  packer p;
  char *block;

  for (size_t i = 0; i < file->partition_count; i++)
    size += file->partition[i].column.size + file->partition[i].value.size;
  block = osdear__arena_alloc(arena, values + size);
  if (!block)
    return osdear__fail_memory(error);
  partition = (osdear__partition_value *)(void *)block;
  p.next = block + values;
  *out = *file;
  out->path = pack(&p, file->path);
  out->stats = pack(&p, file->stats);
  out->tags = pack(&p, file->tags);
  out->dv.path = pack(&p, file->dv.path);
  out->clustering_provider = pack(&p, file->clustering_provider);
  for (size_t i = 0; i < file->partition_count; i++) {
    partition[i].column = pack(&p, file->partition[i].column);
    partition[i].value = pack(&p, file->partition[i].value);
    partition[i].is_null = file->partition[i].is_null;
  }
  out->partition = file->partition_count ? partition : NULL;
  return OSDEAR_OK;
}

osdear_status osdear__protocol_copy(const osdear__protocol *protocol, osdear__arena *arena, osdear__protocol *out,
                                    osdear_error **error)
{
  osdear__protocol copy = *protocol;
  osdear_status st = copy_names(protocol->reader_features, arena, &copy.reader_features, error);

  if (!st)
    st = copy_names(protocol->writer_features, arena, &copy.writer_features, error);
  if (!st)
    *out = copy;
  return st;
}

static osdear_status copy_pairs(const osdear_pair *pairs, size_t count, osdear__arena *arena, osdear_pair **out,
                                osdear_error **error)
{
  osdear_pair *copy = osdear__arena_zeroed(arena, count + 1, sizeof *copy); /* never of size 0 */
  osdear_status st = copy ? OSDEAR_OK : osdear__fail_memory(error);

  for (size_t i = 0; i < count && !st; i++) {
    st = copy_name(pairs[i].key, arena, &copy[i].key, error);
    if (!st)
      st = copy_name(pairs[i].value, arena, &copy[i].value, error);
  }
  if (!st)
    *out = copy;
  return st;
}

osdear_status osdear__metadata_copy(const osdear__metadata *metadata, osdear__arena *arena, osdear__metadata *out,
                                    osdear_error **error)
{
  /* Pipelines create tables before they know a column: Spark reads the absent schema as one without columns, and so do we. */
  const char *schema = metadata->schema_json ? metadata->schema_json : "{\"type\":\"struct\",\"fields\":[]}";
  osdear__metadata copy = *metadata;
  osdear_status st = copy_name(metadata->id, arena, &copy.id, error);

  if (!st)
    st = copy_name(metadata->name, arena, &copy.name, error);
  if (!st)
    st = copy_name(metadata->description, arena, &copy.description, error);
  if (!st)
    st = copy_name(schema, arena, &copy.schema_json, error);
  if (!st)
    st = copy_names(metadata->partition_columns, arena, &copy.partition_columns, error);
  if (!st)
    st = copy_pairs(metadata->properties, metadata->property_count, arena, &copy.properties, error);
  if (!st)
    st = osdear__delta_schema_parse(copy.schema_json, arena, &copy.schema, error);
  if (st)
    return st;
  for (size_t i = 0; copy.partition_columns[i]; i++)
    if (osdear__type_find(&copy.schema, osdear__str_of(copy.partition_columns[i])) < 0)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "metaData: the partition column `%s` is not in the schema",
                          copy.partition_columns[i]);
  copy.physical = copy.schema;
  copy.mapping = MAPPING_NONE;
  *out = copy;
  return OSDEAR_OK;
}

osdear_status osdear__txn_copy(const osdear__txn *txn, osdear__arena *arena, osdear__txn *out, osdear_error **error)
{
  osdear__txn copy = *txn;
  osdear_status st = copy_name(txn->app_id, arena, &copy.app_id, error);

  if (!st)
    *out = copy;
  return st;
}

osdear_status osdear__domain_copy(const osdear__domain *domain, osdear__arena *arena, osdear__domain *out, osdear_error **error)
{
  osdear__domain copy = *domain;
  osdear_status st = copy_name(domain->name, arena, &copy.name, error);

  if (!st)
    st = copy_name(domain->configuration, arena, &copy.configuration, error);
  if (!st)
    *out = copy;
  return st;
}

osdear_status osdear__file_check(const osdear__file *file, const char *what, bool is_add, osdear_error **error)
{
  if (!file->path.size)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.path is empty", what);
  if (memchr(file->path.data, '\0', file->path.size))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.path holds a NUL character", what);
  if (file->size_bytes < (is_add ? 0 : -1))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.size of `%.*s` is %" PRId64, what, (int)file->path.size, file->path.data,
                        file->size_bytes);
  if (file->dv.storage && (file->dv.size_bytes < 0 || file->dv.cardinality < 0 || file->dv.offset < -1))
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.deletionVector of `%.*s` has a negative size, offset or cardinality", what,
                        (int)file->path.size, file->path.data);
  if (file->base_row_id < -1 || file->default_row_commit_version < -1)
    return osdear__fail(error, OSDEAR_ERR_CORRUPT, "%s.baseRowId or defaultRowCommitVersion of `%.*s` is negative", what,
                        (int)file->path.size, file->path.data);
  return check_path(file->path, what, error);
}
