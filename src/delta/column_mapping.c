/** @file column_mapping.c Columns whose names in files are not those of the table: reference §8. */
#include <delta/delta.h>

typedef struct mapping {
  osdear__arena *arena; /* of the result */
  osdear__arena scratch;
  osdear__map ids;
  osdear__buf path; /* of the field at hand, for messages */
} mapping;

static osdear_status fail_field(const mapping *m, const char *what, osdear_error **error)
{
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "metaData: columns are mapped, but %s of `%s`", what,
                      m->path.data ? m->path.data : "");
}

/* Ids name columns all over the table, whatever they are nested in. */
static osdear_status add_id(mapping *m, int64_t id, osdear_error **error)
{
  bool is_new;
  int64_t *key = osdear__arena_alloc(&m->scratch, sizeof *key);

  if (!key)
    return osdear__fail_memory(error);
  *key = id;
  if (!osdear__map_add(&m->ids, (osdear__str){ (const char *)key, sizeof *key }, &is_new))
    return osdear__fail_memory(error);
  return is_new ? OSDEAR_OK : fail_field(m, "another one has the delta.columnMapping.id", error);
}

static osdear_status read_marks(mapping *m, const osdear__field *field, osdear__field *out, osdear_error **error)
{
  osdear__json *json = NULL;
  const osdear__json *id, *name;
  int64_t number = -1;
  osdear_status st = OSDEAR_OK;

  if (field->metadata)
    st = osdear__json_read(osdear__str_of(field->metadata), "field metadata", &m->scratch, &json, error);
  if (st)
    return st;
  id = osdear__json_get(json, "delta.columnMapping.id");
  name = osdear__json_get(json, "delta.columnMapping.physicalName");
  if (!id || id->kind != JSON_IS_NUMBER || !osdear__parse_i64(id->text, &number) || number < 0 || number > INT32_MAX)
    return fail_field(m, "there is no delta.columnMapping.id", error);
  if (!name || name->kind != JSON_IS_STRING || !name->text.size || memchr(name->text.data, '\0', name->text.size))
    return fail_field(m, "there is no delta.columnMapping.physicalName", error);
  out->field_id = (int32_t)number;
  out->name = osdear__arena_strndup(m->arena, name->text.data, name->text.size);
  return out->name ? add_id(m, number, error) : osdear__fail_memory(error);
}

static osdear_status check_names(const osdear__type *type, osdear_error **error)
{
  SCOPED(map) seen = { 0 };

  for (size_t i = 0; i < type->field_count; i++) {
    bool is_new;
    if (!osdear__map_add(&seen, osdear__str_of(type->fields[i].name), &is_new))
      return osdear__fail_memory(error);
    if (!is_new)
      return osdear__fail(error, OSDEAR_ERR_CORRUPT, "metaData: columns are mapped, but two of them have the physical name `%s`",
                          type->fields[i].name);
  }
  return OSDEAR_OK;
}

/* Elements, keys and values keep their names; the structs below them are mapped like others. */
static osdear_status map_type(mapping *m, const osdear__type *from, osdear__type *out, osdear_error **error)
{
  osdear_status st = OSDEAR_OK;

  *out = *from;
  if (!from->field_count)
    return OSDEAR_OK;
  out->fields = osdear__arena_zeroed(m->arena, from->field_count, sizeof *out->fields);
  if (!out->fields)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < from->field_count && !st; i++) {
    const osdear__field *field = &from->fields[i];
    size_t before = m->path.size;

    osdear__buf_printf(&m->path, "%s%s", before ? "." : "", field->name);
    out->fields[i] = *field;
    if (from->kind == KIND_STRUCT)
      st = read_marks(m, field, &out->fields[i], error);
    if (!st)
      st = map_type(m, &field->type, &out->fields[i].type, error);
    m->path.size = before;
  }
  return st || from->kind != KIND_STRUCT ? st : check_names(out, error);
}

static osdear_status read_mode(const osdear__metadata *metadata, osdear__mapping *out, osdear_error **error)
{
  osdear__str mode = osdear__str_of(osdear__metadata_property(metadata, "delta.columnMapping.mode"));

  *out = MAPPING_NONE;
  if (!mode.size || osdear__str_equal_nocase(mode, STR("none")))
    return OSDEAR_OK;
  *out = osdear__str_equal_nocase(mode, STR("id")) ? MAPPING_ID : MAPPING_NAME;
  if (*out == MAPPING_ID || osdear__str_equal_nocase(mode, STR("name")))
    return OSDEAR_OK;
  return osdear__fail(error, OSDEAR_ERR_UNSUPPORTED, "metaData: delta.columnMapping.mode is `%s`, which this build does not know",
                      mode.data);
}

osdear_status osdear__map_columns(const osdear__protocol *protocol, osdear__metadata *metadata, osdear__arena *arena,
                                  osdear_error **error)
{
  mapping m = { .arena = arena };
  osdear_status st;

  metadata->physical = metadata->schema;
  metadata->mapping = MAPPING_NONE;
  if (!osdear__protocol_has_reader_feature(protocol, "columnMapping")) /* then the property counts for nothing */
    return OSDEAR_OK;
  st = read_mode(metadata, &metadata->mapping, error);
  if (!st && metadata->mapping != MAPPING_NONE)
    st = map_type(&m, &metadata->schema, &metadata->physical, error);
  osdear__buf_drop(&m.path);
  osdear__map_drop(&m.ids);
  osdear__arena_drop(&m.scratch);
  return st;
}

const osdear__field *osdear__physical_field(const osdear__metadata *metadata, const osdear__field *field)
{
  return &metadata->physical.fields[field - metadata->schema.fields];
}
