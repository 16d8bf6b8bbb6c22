/** @file schema_export.c Type trees as ArrowSchema. */
#include <stdio.h>

#include <arrow/internal.h>

#define FORMAT_SIZE 24

/* The private_data of our schemas: one block with the structs of the children behind the pointers, and then the name. */
typedef struct holder {
  char format[FORMAT_SIZE];
  char *metadata;
  char *name;
  struct ArrowSchema *children[];
} holder;

static const char *const formats[] = {
  [KIND_VOID] = "n",
  [KIND_BOOLEAN] = "b",
  [KIND_BYTE] = "c",
  [KIND_SHORT] = "s",
  [KIND_INTEGER] = "i",
  [KIND_LONG] = "l",
  [KIND_FLOAT] = "f",
  [KIND_DOUBLE] = "g",
  [KIND_DECIMAL] = NULL,
  [KIND_STRING] = "u",
  [KIND_BINARY] = "z",
  [KIND_DATE] = "tdD",
  [KIND_TIMESTAMP] = "tsu:UTC",
  [KIND_TIMESTAMP_NTZ] = "tsu:",
  [KIND_ARRAY] = "+l",
  [KIND_MAP] = "+m",
  [KIND_STRUCT] = "+s",
  [KIND_VARIANT] = "+s",
  [KIND_UINT8] = "C",
  [KIND_UINT16] = "S",
  [KIND_UINT32] = "I",
  [KIND_UINT64] = "L",
  [KIND_FLOAT16] = "e",
  [KIND_FIXED] = NULL,
  [KIND_TIME] = "ttu",
};

static void release(struct ArrowSchema *schema)
{
  holder *held = schema->private_data;

  for (int64_t i = 0; i < schema->n_children; i++)
    osdear__schema_drop(held->children[i]);
  osdear__free(held->metadata);
  osdear__free(held->name);
  osdear__free(held);
  schema->release = NULL;
}

void osdear__schema_drop(struct ArrowSchema *schema)
{
  if (schema->release)
    schema->release(schema);
}

static void format_of(const osdear__type *type, char out[FORMAT_SIZE])
{
  if (type->kind == KIND_DECIMAL)
    snprintf(out, FORMAT_SIZE, "d:%" PRId32 ",%" PRId32, type->precision, type->scale);
  else if (type->kind == KIND_FIXED)
    snprintf(out, FORMAT_SIZE, "w:%" PRId32, type->width);
  else
    snprintf(out, FORMAT_SIZE, "%s", formats[type->kind]);
}

static void put_text(osdear__buf *out, const char *text)
{
  int32_t size = (int32_t)strlen(text);

  osdear__buf_append(out, &size, sizeof size);
  osdear__buf_append(out, text, (size_t)size);
}

/* The canonical extension of Arrow's for Parquet's variants: name, and parameters (it has none). */
static osdear_status mark_variant(holder *held, struct ArrowSchema *schema, osdear_error **error)
{
  SCOPED(buf) metadata = { 0 };
  int32_t pairs = 2;
  osdear_status st;

  osdear__buf_append(&metadata, &pairs, sizeof pairs);
  put_text(&metadata, "ARROW:extension:name");
  put_text(&metadata, "arrow.parquet.variant");
  put_text(&metadata, "ARROW:extension:metadata");
  put_text(&metadata, "");
  st = osdear__buf_check(&metadata, error);
  if (st)
    return st;
  held->metadata = osdear__buf_take(&metadata);
  schema->metadata = held->metadata;
  return OSDEAR_OK;
}

static osdear_status schema_new(const osdear__type *type, const char *name, bool nullable, struct ArrowSchema *out,
                                osdear_error **error)
{
  size_t children = (size_t)osdear__child_count(type);
  holder *held;

  if (children > PTRDIFF_MAX / (sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *)) / 2)
    return osdear__fail_memory(error);
  held = osdear__alloc_zeroed(1, sizeof *held + children * (sizeof(struct ArrowSchema) + sizeof(struct ArrowSchema *)));
  if (!held)
    return osdear__fail_memory(error);

  struct ArrowSchema *structs = (struct ArrowSchema *)(void *)(held->children + children);
  for (size_t i = 0; i < children; i++)
    held->children[i] = &structs[i];
  format_of(type, held->format);
  held->name = osdear__strdup(name);
  *out = (struct ArrowSchema){
    .format = held->format,
    .name = held->name,
    .flags = nullable ? ARROW_FLAG_NULLABLE : 0,
    .n_children = (int64_t)children,
    .children = children ? held->children : NULL,
    .release = release,
    .private_data = held,
  };
  if (!held->name)
    return osdear__fail_memory(error);
  return type->kind == KIND_VARIANT ? mark_variant(held, out, error) : OSDEAR_OK;
}

/* Name and nullability of the child of that number, as Arrow's specification has them. */
static const char *child_name(const osdear__type *type, int64_t index, bool *nullable)
{
  static const char *const variant_names[] = { "metadata", "value" };

  *nullable = false;
  if (type->kind == KIND_MAP)
    return "entries";
  if (type->kind == KIND_VARIANT)
    return variant_names[index];
  *nullable = type->fields[index].nullable || type->fields[index].type.kind == KIND_VOID;
  return type->fields[index].name;
}

static osdear_status export(const osdear__type *type, const char *name, bool nullable, struct ArrowSchema *out,
                            osdear_error **error)
{
  SCOPED(schema) schema = { 0 };
  osdear_status st = schema_new(type, name, nullable, &schema, error);

  for (int64_t i = 0; !st && i < schema.n_children; i++) {
    osdear__type child = osdear__child_type(type, i);
    bool child_nullable;
    const char *inner = child_name(type, i, &child_nullable);

    st = export(&child, inner, child_nullable, schema.children[i], error);
  }
  if (st)
    return st;
  *out = schema;
  schema.release = NULL;
  return OSDEAR_OK;
}

osdear_status osdear__schema_export(const osdear__type *struct_type, struct ArrowSchema *out, osdear_error **error)
{
  return export(struct_type, "", false, out, error);
}
