/** @file schema_import.c A stranger's ArrowSchema as a type tree. */
#include <arrow/internal.h>

/* Schemas that share children are trees of exponential size; a tree of so many fields is refused. */
#define FIELDS_MAX (1 << 20)
#define METADATA_PAIRS_MAX (1 << 16)

typedef struct importer {
  osdear__arena *arena;
  osdear_error **error;
  int64_t fields;
} importer;

static osdear_status import_field(importer *import, const struct ArrowSchema *schema, const osdear__place *parent, int depth,
                                  osdear__field *out);

/* ---- metadata: int32 pairs, then for each int32 size and bytes of key and of value, in the machine's byte order ---- */

static osdear_status take_metadata(const char **at, osdear__str *out, osdear_error **error)
{
  int32_t size = (int32_t)osdear__load_u32(*at);

  if (size < 0)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the schema's metadata has an entry of %" PRId32 " bytes", size);
  *out = (osdear__str){ *at + 4, (size_t)size };
  *at += 4 + (size_t)size;
  return OSDEAR_OK;
}

osdear_status osdear__metadata_find(const char *metadata, const char *key, osdear__str *out, osdear_error **error)
{
  int32_t pairs = metadata ? (int32_t)osdear__load_u32(metadata) : 0;
  const char *at = metadata ? metadata + 4 : NULL;

  *out = (osdear__str){ NULL, 0 };
  if (pairs < 0 || pairs > METADATA_PAIRS_MAX)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the schema's metadata claims %" PRId32 " entries", pairs);
  for (int32_t i = 0; i < pairs; i++) {
    osdear__str name = { NULL, 0 };
    osdear__str value = { NULL, 0 };
    osdear_status st = take_metadata(&at, &name, error);

    if (!st)
      st = take_metadata(&at, &value, error);
    if (st)
      return st;
    if (osdear__str_is(name, key)) {
      *out = value;
      return OSDEAR_OK;
    }
  }
  return OSDEAR_OK;
}

osdear_status osdear__schema_is_variant(const struct ArrowSchema *schema, bool *out, osdear_error **error)
{
  osdear__str name = { NULL, 0 };
  osdear_status st = osdear__metadata_find(schema->metadata, "ARROW:extension:name", &name, error);

  if (st)
    return st;
  *out = osdear__str_is(name, "arrow.parquet.variant") || osdear__str_is(name, "parquet.variant");
  return OSDEAR_OK;
}

/* ---- failures ---- */

static osdear_status refuse(importer *import, const osdear__place *place, const char *what)
{
  char where[OSDEAR__PLACE_TEXT];

  osdear__place_text(place, where);
  return osdear__fail(import->error, OSDEAR_ERR_ARGUMENT, "the Arrow schema's column %s %s", where, what);
}

static osdear_status unsupported(importer *import, const osdear__place *place, const char *format)
{
  char where[OSDEAR__PLACE_TEXT];

  osdear__place_text(place, where);
  return osdear__fail(import->error, OSDEAR_ERR_UNSUPPORTED,
                      "column %s has the Arrow format \"%.40s\", which has no type here; cast it first", where, format);
}

/* ---- kinds ---- */

static osdear_status new_fields(importer *import, size_t count, osdear__type *out)
{
  out->field_count = count;
  out->fields = count ? osdear__arena_zeroed(import->arena, count, sizeof *out->fields) : NULL;
  return count && !out->fields ? osdear__fail_memory(import->error) : OSDEAR_OK;
}

static osdear_status import_list(importer *import, const struct ArrowSchema *schema, const osdear__place *place, int depth,
                                 osdear__type *out)
{
  osdear__place element = { place, "element" };
  osdear_status st = new_fields(import, 1, out);

  if (!st)
    st = import_field(import, schema->children[0], &element, depth + 1, &out->fields[0]);
  if (!st)
    out->fields[0].name = "element";
  return st;
}

static osdear_status import_map(importer *import, const struct ArrowSchema *schema, const osdear__place *place, int depth,
                                osdear__type *out)
{
  osdear__field entries = { 0 };
  osdear_status st = import_field(import, schema->children[0], place, depth + 1, &entries);

  if (st)
    return st;
  if (entries.type.kind != KIND_STRUCT || entries.type.field_count != 2 || schema->children[0]->dictionary ||
      strcmp(schema->children[0]->format, "+s") != 0)
    return refuse(import, place, "is a map whose entries are not a struct of key and value");
  out->field_count = 2;
  out->fields = entries.type.fields;
  out->fields[0].name = "key";
  out->fields[0].nullable = false;
  out->fields[1].name = "value";
  return OSDEAR_OK;
}

static osdear_status import_struct(importer *import, const struct ArrowSchema *schema, const osdear__place *place, int depth,
                                   osdear__type *out)
{
  osdear_status st = new_fields(import, (size_t)schema->n_children, out);

  for (int64_t i = 0; !st && i < schema->n_children; i++)
    st = import_field(import, schema->children[i], place, depth + 1, &out->fields[i]);
  return st;
}

static int64_t find_exactly(const osdear__type *type, const char *name)
{
  for (size_t i = 0; i < type->field_count; i++)
    if (strcmp(type->fields[i].name, name) == 0)
      return (int64_t)i;
  return -1;
}

/* The storage of arrow.parquet.variant: a struct of two binaries, metadata and value, in any order. */
static osdear_status import_variant(importer *import, const osdear__place *place, osdear__type *type)
{
  bool fits = type->kind == KIND_STRUCT && type->field_count == 2;
  int64_t metadata = fits ? find_exactly(type, "metadata") : -1;
  int64_t value = fits ? find_exactly(type, "value") : -1;
  char where[OSDEAR__PLACE_TEXT];

  if (metadata >= 0 && value >= 0 && type->fields[metadata].type.kind == KIND_BINARY &&
      type->fields[value].type.kind == KIND_BINARY) {
    *type = (osdear__type){ .kind = KIND_VARIANT };
    return OSDEAR_OK;
  }
  osdear__place_text(place, where);
  return osdear__fail(import->error, OSDEAR_ERR_UNSUPPORTED,
                      "column %s is a variant that is not stored as a struct of two binaries, metadata and value", where);
}

static osdear_status import_runs(importer *import, const struct ArrowSchema *schema, const osdear__place *place, int depth,
                                 osdear__field *out)
{
  osdear__place ends_place = { place, "run_ends" };
  osdear__place values_place = { place, "values" };
  osdear__field ends = { 0 };
  osdear__field values = { 0 };
  osdear_status st = import_field(import, schema->children[0], &ends_place, depth + 1, &ends);

  if (!st)
    st = import_field(import, schema->children[1], &values_place, depth + 1, &values);
  if (st)
    return st;
  if ((ends.type.kind != KIND_SHORT && ends.type.kind != KIND_INTEGER && ends.type.kind != KIND_LONG) ||
      schema->children[0]->dictionary)
    return refuse(import, place, "is run-end encoded, but its run ends are not int16, int32 or int64");
  out->type = values.type;
  out->nullable = out->nullable || values.nullable;
  return OSDEAR_OK;
}

static osdear_status import_dictionary(importer *import, const struct ArrowSchema *schema, const osdear__format *format,
                                       const osdear__place *place, int depth, osdear__field *out)
{
  osdear__field values = { 0 };
  osdear_status st;

  if (!(format->kind >= KIND_BYTE && format->kind <= KIND_LONG) && !(format->kind >= KIND_UINT8 && format->kind <= KIND_UINT64))
    return refuse(import, place, "is dictionary-encoded, but its indices are not integers");
  st = import_field(import, schema->dictionary, place, depth + 1, &values);
  if (st)
    return st;
  out->type = values.type;
  out->nullable = out->nullable || values.nullable;
  return OSDEAR_OK;
}

static osdear_status import_type(importer *import, const struct ArrowSchema *schema, const osdear__format *format,
                                 const osdear__place *place, int depth, osdear__field *out)
{
  bool is_variant = false;
  osdear_status st;

  out->type = (osdear__type){ .kind = format->kind, .precision = format->precision, .scale = format->scale };
  switch (format->layout) {
  case LAYOUT_LIST:
  case LAYOUT_LIST_LARGE:
  case LAYOUT_LIST_VIEW:
  case LAYOUT_LIST_VIEW_LARGE:
  case LAYOUT_LIST_FIXED: st = import_list(import, schema, place, depth, &out->type); break;
  case LAYOUT_MAP: st = import_map(import, schema, place, depth, &out->type); break;
  case LAYOUT_STRUCT: st = import_struct(import, schema, place, depth, &out->type); break;
  case LAYOUT_RUNS: st = import_runs(import, schema, place, depth, out); break;
  default:
    if (format->kind == KIND_FIXED)
      out->type.width = format->width;
    st = OSDEAR_OK;
  }
  if (!st)
    st = osdear__schema_is_variant(schema, &is_variant, import->error);
  if (!st && is_variant)
    st = import_variant(import, place, &out->type);
  return st;
}

/* ---- fields ---- */

static int64_t children_of(const osdear__format *format)
{
  switch (format->layout) {
  case LAYOUT_LIST:
  case LAYOUT_LIST_LARGE:
  case LAYOUT_LIST_VIEW:
  case LAYOUT_LIST_VIEW_LARGE:
  case LAYOUT_LIST_FIXED:
  case LAYOUT_MAP: return 1;
  case LAYOUT_RUNS: return 2;
  case LAYOUT_STRUCT: return -1;
  default: return 0;
  }
}

static osdear_status check_node(importer *import, const struct ArrowSchema *schema, const osdear__place *place, int depth)
{
  char where[OSDEAR__PLACE_TEXT];

  osdear__place_text(place, where);
  if (depth > OSDEAR__TYPE_DEPTH)
    return osdear__fail(import->error, OSDEAR_ERR_LIMIT, "the Arrow schema is nested deeper than %d levels at column %s",
                        OSDEAR__TYPE_DEPTH, where);
  if (++import->fields > FIELDS_MAX)
    return osdear__fail(import->error, OSDEAR_ERR_LIMIT, "the Arrow schema has more than %d fields", FIELDS_MAX);
  if (!schema->release)
    return refuse(import, place, "was released already");
  if (!schema->format)
    return refuse(import, place, "has no format");
  if (schema->n_children < 0 || (schema->n_children > 0 && !schema->children))
    return refuse(import, place, "has a wrong number of children");
  if (schema->n_children > FIELDS_MAX)
    return osdear__fail(import->error, OSDEAR_ERR_LIMIT, "column %s of the Arrow schema has more than %d children", where,
                        FIELDS_MAX);
  for (int64_t i = 0; i < schema->n_children; i++)
    if (!schema->children[i])
      return refuse(import, place, "has a child that is NULL");
  return OSDEAR_OK;
}

static osdear_status import_field(importer *import, const struct ArrowSchema *schema, const osdear__place *parent, int depth,
                                  osdear__field *out)
{
  const char *name = schema->release && schema->name ? schema->name : "";
  osdear__place place = { parent, name };
  osdear__field field = { .nullable = (schema->flags & ARROW_FLAG_NULLABLE) != 0, .field_id = -1 };
  osdear__format format;
  osdear_status st;

  if (!osdear__utf8_is_valid(name, strlen(name))) {
    place.name = "(not UTF-8)";
    return refuse(import, &place, "has a name that is not valid UTF-8");
  }
  st = check_node(import, schema, &place, depth);
  if (st)
    return st;
  if (!osdear__format_parse(schema->format, &format))
    return unsupported(import, &place, osdear__utf8_is_valid(schema->format, strlen(schema->format)) ? schema->format : "?");
  if (children_of(&format) >= 0 && schema->n_children != children_of(&format))
    return refuse(import, &place, "has a wrong number of children");
  field.name = osdear__arena_strdup(import->arena, name);
  if (!field.name)
    return osdear__fail_memory(import->error);
  if (schema->dictionary)
    st = import_dictionary(import, schema, &format, &place, depth, &field);
  else
    st = import_type(import, schema, &format, &place, depth, &field);
  if (!st)
    *out = field;
  return st;
}

osdear_status osdear__schema_import(const struct ArrowSchema *schema, osdear__arena *arena, osdear__type *out,
                                    osdear_error **error)
{
  importer import = { .arena = arena, .error = error };
  osdear__field root = { 0 };
  osdear_status st;

  if (!schema || !schema->release)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the Arrow schema is NULL or was released already");
  if (!schema->format || strcmp(schema->format, "+s") != 0 || schema->dictionary)
    return osdear__fail(error, OSDEAR_ERR_ARGUMENT, "the Arrow schema must be a struct of columns (\"+s\")");
  st = check_node(&import, schema, NULL, 0);
  if (!st)
    st = import_struct(&import, schema, NULL, 0, &root.type);
  if (st)
    return st;
  root.type.kind = KIND_STRUCT;
  *out = root.type;
  return OSDEAR_OK;
}
