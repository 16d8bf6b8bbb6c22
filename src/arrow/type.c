/** @file type.c Type trees: names, equality, copies, look-up. */
#include <arrow/internal.h>

static const char *const kind_names[] = {
  [KIND_VOID] = "void",           [KIND_BOOLEAN] = "boolean",
  [KIND_BYTE] = "byte",           [KIND_SHORT] = "short",
  [KIND_INTEGER] = "integer",     [KIND_LONG] = "long",
  [KIND_FLOAT] = "float",         [KIND_DOUBLE] = "double",
  [KIND_DECIMAL] = "decimal",     [KIND_STRING] = "string",
  [KIND_BINARY] = "binary",       [KIND_DATE] = "date",
  [KIND_TIMESTAMP] = "timestamp", [KIND_TIMESTAMP_NTZ] = "timestamp_ntz",
  [KIND_ARRAY] = "array",         [KIND_MAP] = "map",
  [KIND_STRUCT] = "struct",       [KIND_VARIANT] = "variant",
  [KIND_UINT8] = "uint8",         [KIND_UINT16] = "uint16",
  [KIND_UINT32] = "uint32",       [KIND_UINT64] = "uint64",
  [KIND_FLOAT16] = "float16",     [KIND_FIXED] = "fixed",
  [KIND_TIME] = "time",
};

/* Of one value; 0: bits, -1: none of fixed width. */
static const int8_t kind_widths[] = {
  [KIND_VOID] = -1,   [KIND_BOOLEAN] = 0, [KIND_BYTE] = 1,      [KIND_SHORT] = 2,         [KIND_INTEGER] = 4,
  [KIND_LONG] = 8,    [KIND_FLOAT] = 4,   [KIND_DOUBLE] = 8,    [KIND_DECIMAL] = 16,      [KIND_STRING] = -1,
  [KIND_BINARY] = -1, [KIND_DATE] = 4,    [KIND_TIMESTAMP] = 8, [KIND_TIMESTAMP_NTZ] = 8, [KIND_ARRAY] = -1,
  [KIND_MAP] = -1,    [KIND_STRUCT] = -1, [KIND_VARIANT] = -1,  [KIND_UINT8] = 1,         [KIND_UINT16] = 2,
  [KIND_UINT32] = 4,  [KIND_UINT64] = 8,  [KIND_FLOAT16] = 2,   [KIND_FIXED] = -1,        [KIND_TIME] = 8,
};

/* A message that lists a thousand columns helps nobody. */
#define NAMED_FIELDS 8

const char *osdear__kind_name(osdear__kind kind)
{
  return (size_t)kind < COUNT_OF(kind_names) ? kind_names[kind] : "unknown";
}

int32_t osdear__type_width(const osdear__type *type)
{
  return type->kind == KIND_FIXED ? type->width : kind_widths[type->kind];
}

static void struct_name(const osdear__type *type, osdear__buf *out)
{
  osdear__buf_puts(out, "struct<");
  for (size_t i = 0; i < type->field_count; i++) {
    if (i == NAMED_FIELDS) {
      osdear__buf_puts(out, ",…");
      break;
    }
    if (i)
      osdear__buf_putc(out, ',');
    osdear__buf_puts(out, type->fields[i].name);
    osdear__buf_putc(out, ':');
    osdear__type_name(&type->fields[i].type, out);
  }
  osdear__buf_putc(out, '>');
}

void osdear__type_name(const osdear__type *type, osdear__buf *out)
{
  switch (type->kind) {
  case KIND_DECIMAL: osdear__buf_printf(out, "decimal(%" PRId32 ",%" PRId32 ")", type->precision, type->scale); break;
  case KIND_FIXED: osdear__buf_printf(out, "fixed(%" PRId32 ")", type->width); break;
  case KIND_ARRAY:
    osdear__buf_puts(out, "array<");
    osdear__type_name(&type->fields[0].type, out);
    osdear__buf_putc(out, '>');
    break;
  case KIND_MAP:
    osdear__buf_puts(out, "map<");
    osdear__type_name(&type->fields[0].type, out);
    osdear__buf_putc(out, ',');
    osdear__type_name(&type->fields[1].type, out);
    osdear__buf_putc(out, '>');
    break;
  case KIND_STRUCT: struct_name(type, out); break;
  default: osdear__buf_puts(out, osdear__kind_name(type->kind));
  }
}

bool osdear__type_equal(const osdear__type *a, const osdear__type *b)
{
  if (a->kind != b->kind || a->field_count != b->field_count)
    return false;
  if (a->kind == KIND_DECIMAL && (a->precision != b->precision || a->scale != b->scale))
    return false;
  if (a->kind == KIND_FIXED && a->width != b->width)
    return false;
  for (size_t i = 0; i < a->field_count; i++) {
    if (a->kind == KIND_STRUCT && strcmp(a->fields[i].name, b->fields[i].name) != 0)
      return false;
    if (!osdear__type_equal(&a->fields[i].type, &b->fields[i].type))
      return false;
  }
  return true;
}

static osdear_status field_copy(const osdear__field *field, osdear__arena *arena, osdear__field *out, osdear_error **error)
{
  *out = *field;
  out->name = osdear__arena_strdup(arena, field->name);
  if (!out->name)
    return osdear__fail_memory(error);
  if (field->metadata) {
    out->metadata = osdear__arena_strdup(arena, field->metadata);
    if (!out->metadata)
      return osdear__fail_memory(error);
  }
  return osdear__type_copy(&field->type, arena, &out->type, error);
}

osdear_status osdear__type_copy(const osdear__type *type, osdear__arena *arena, osdear__type *out, osdear_error **error)
{
  osdear__type copy = *type;

  if (type->field_count) {
    copy.fields = osdear__arena_zeroed(arena, type->field_count, sizeof *copy.fields);
    if (!copy.fields)
      return osdear__fail_memory(error);
  }
  for (size_t i = 0; i < type->field_count; i++) {
    osdear_status st = field_copy(&type->fields[i], arena, &copy.fields[i], error);

    if (st)
      return st;
  }
  *out = copy;
  return OSDEAR_OK;
}

int64_t osdear__type_find(const osdear__type *struct_type, osdear__str name)
{
  for (size_t i = 0; i < struct_type->field_count; i++)
    if (osdear__str_is(name, struct_type->fields[i].name))
      return (int64_t)i;
  for (size_t i = 0; i < struct_type->field_count; i++)
    if (osdear__str_equal_nocase(name, osdear__str_of(struct_type->fields[i].name)))
      return (int64_t)i;
  return -1;
}

/* ---- types as words ---- */

typedef struct type_word {
  const char *word;
  osdear__kind kind;
} type_word;

static const type_word type_words[] = {
  { "void", KIND_VOID },           { "boolean", KIND_BOOLEAN },
  { "bool", KIND_BOOLEAN },        { "byte", KIND_BYTE },
  { "tinyint", KIND_BYTE },        { "short", KIND_SHORT },
  { "smallint", KIND_SHORT },      { "integer", KIND_INTEGER },
  { "int", KIND_INTEGER },         { "long", KIND_LONG },
  { "bigint", KIND_LONG },         { "float", KIND_FLOAT },
  { "real", KIND_FLOAT },          { "double", KIND_DOUBLE },
  { "decimal", KIND_DECIMAL },     { "dec", KIND_DECIMAL },
  { "numeric", KIND_DECIMAL },     { "string", KIND_STRING },
  { "binary", KIND_BINARY },       { "date", KIND_DATE },
  { "timestamp", KIND_TIMESTAMP }, { "timestamp_ntz", KIND_TIMESTAMP_NTZ },
};

static osdear__str trimmed(const char *data, size_t size)
{
  while (size && data[0] == ' ') {
    data++;
    size--;
  }
  while (size && data[size - 1] == ' ')
    size--;
  return (osdear__str){ data, size };
}

/* What stands between the parentheses of decimal(precision[, scale]). */
static bool parse_parameters(osdear__str text, osdear__type *out)
{
  const char *comma = memchr(text.data, ',', text.size);
  size_t first = comma ? (size_t)(comma - text.data) : text.size;
  int64_t precision = 0;
  int64_t scale = 0;

  if (!osdear__parse_i64(trimmed(text.data, first), &precision))
    return false;
  if (comma && !osdear__parse_i64(trimmed(comma + 1, text.size - first - 1), &scale))
    return false;
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision)
    return false;
  out->precision = (int32_t)precision;
  out->scale = (int32_t)scale;
  return true;
}

bool osdear__type_parse(osdear__str text, osdear__type *out)
{
  osdear__str word = trimmed(text.data, text.size);
  const char *open = word.size ? memchr(word.data, '(', word.size) : NULL;
  osdear__type type = { .precision = 10 }; /* `decimal` alone is decimal(10,0), as in Spark */
  osdear__str parameters = { NULL, 0 };

  if (open) {
    if (word.data[word.size - 1] != ')')
      return false;
    parameters = (osdear__str){ open + 1, (size_t)(word.data + word.size - 1 - (open + 1)) };
    word = trimmed(word.data, (size_t)(open - word.data));
  }
  for (size_t i = 0; i < COUNT_OF(type_words); i++) {
    if (!osdear__str_equal_nocase(word, osdear__str_of(type_words[i].word)))
      continue;
    type.kind = type_words[i].kind;
    if (open && (type.kind != KIND_DECIMAL || !parse_parameters(parameters, &type)))
      return false;
    if (type.kind != KIND_DECIMAL)
      type.precision = 0;
    *out = type;
    return true;
  }
  return false;
}

/* ---- what the arrays of a type have inside ---- */

int64_t osdear__child_count(const osdear__type *type)
{
  switch (type->kind) {
  case KIND_ARRAY:
  case KIND_MAP: return 1;
  case KIND_STRUCT: return (int64_t)type->field_count;
  case KIND_VARIANT: return 2;
  default: return 0;
  }
}

osdear__type osdear__child_type(const osdear__type *type, int64_t index)
{
  if (type->kind == KIND_MAP)
    return (osdear__type){ .kind = KIND_STRUCT, .field_count = type->field_count, .fields = type->fields };
  if (type->kind == KIND_VARIANT)
    return (osdear__type){ .kind = KIND_BINARY };
  return type->fields[index].type;
}

int64_t osdear__buffer_count(const osdear__type *type)
{
  switch (type->kind) {
  case KIND_VOID: return 0;
  case KIND_STRUCT:
  case KIND_VARIANT: return 1;
  case KIND_STRING:
  case KIND_BINARY: return 3;
  default: return 2;
  }
}
