/** @file partition.c Partition values: from the log's text to values and back, and the folders named after them. */
#include <delta/delta.h>

static osdear_status fail_value(osdear_error **error, const osdear__type *type, osdear__str text)
{
  SCOPED(buf) name = { 0 };

  osdear__type_name(type, &name);
  return osdear__fail(error, OSDEAR_ERR_CORRUPT, "partition value \"%.*s\" is no %s", (int)text.size, text.data,
                      name.data ? name.data : "value of its type");
}

/* ---- text as Spark casts it, without what it makes null of ---- */

/* The digits before a point, behind which there are only digits. */
static osdear__str whole_part(osdear__str text)
{
  const char *point = text.size ? memchr(text.data, '.', text.size) : NULL;

  for (const char *at = point; at && ++at < text.data + text.size;)
    if (*at < '0' || *at > '9')
      return text;
  return point ? (osdear__str){ text.data, (size_t)(point - text.data) } : text;
}

static bool parse_integer(osdear__kind kind, osdear__str text, int64_t *out)
{
  int32_t bits = kind == KIND_BYTE ? 8 : kind == KIND_SHORT ? 16 : kind == KIND_INTEGER ? 32 : 64;
  int64_t limit;

  if (!osdear__parse_i64(whole_part(text), out))
    return false;
  if (bits == 64)
    return true;
  limit = INT64_C(1) << (bits - 1);
  return *out >= -limit && *out < limit;
}

/* A number may end with Java's letter for its type. */
static bool parse_float(osdear__str text, double *out)
{
  bool has_letter =
      text.size > 1 && memchr("dDfF", text.data[text.size - 1], 4) && memchr("0123456789.", text.data[text.size - 2], 11);

  text.size -= has_letter;
  return osdear__parse_f64(text, out);
}

/* What stands behind the day, a time of day say, does not count. */
static bool parse_date(osdear__str text, int64_t *out)
{
  size_t size = 0;
  int32_t days;

  while (size < text.size && text.data[size] != 'T' && text.data[size] != ' ')
    size++;
  if (!osdear__parse_date((osdear__str){ text.data, size }, &days))
    return false;
  *out = days;
  return true;
}

/* Spark wrote local time without a zone before it wrote UTC with a Z; whose zone nobody knows, so it is read as UTC. */
static bool parse_timestamp(osdear__str text, int64_t *out)
{
  bool has_zone;

  return osdear__parse_timestamp(text, out, &has_zone);
}

static bool parse_value(const osdear__type *type, osdear__str text, osdear__scalar *out)
{
  if (type->kind != KIND_STRING && type->kind != KIND_BINARY)
    text = osdear__strip(text);
  switch (type->kind) {
  case KIND_BOOLEAN: return osdear__parse_bool(text, &out->i64);
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG: return parse_integer(type->kind, text, &out->i64);
  case KIND_FLOAT:
    if (!parse_float(text, &out->f64))
      return false;
    out->f64 = (double)(float)out->f64;
    return true;
  case KIND_DOUBLE: return parse_float(text, &out->f64);
  case KIND_DECIMAL: return osdear__parse_decimal(text, type->precision, type->scale, &out->decimal);
  case KIND_DATE: return parse_date(text, &out->i64);
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return parse_timestamp(text, &out->i64);
  case KIND_STRING:
  case KIND_BINARY: /* Spark writes a binary value as the text whose UTF-8 it is */ out->bytes = text; return true;
  default: return false;
  }
}

osdear_status osdear__partition_parse(const osdear__type *type, osdear__str text, bool is_null, osdear__arena *arena,
                                      osdear__scalar *out, osdear_error **error)
{
  osdear__scalar value = { .kind = type->kind, .scale = type->scale };

  (void)arena;
  value.is_null = is_null || text.size == 0 || type->kind == KIND_VOID; /* "" is null for every type */
  if (!value.is_null && !parse_value(type, text, &value))
    return fail_value(error, type, text);
  *out = value;
  return OSDEAR_OK;
}

const osdear__partition_value *osdear__partition_find(const osdear__file *file, const char *physical_name)
{
  osdear__str name = osdear__str_of(physical_name);

  for (size_t i = 0; i < file->partition_count; i++)
    if (osdear__str_equal(file->partition[i].column, name))
      return &file->partition[i];
  for (size_t i = 0; i < file->partition_count; i++)
    if (osdear__str_equal_nocase(file->partition[i].column, name))
      return &file->partition[i];
  return NULL;
}

void osdear__partition_print(const osdear__type *type, const osdear__scalar *value, osdear__buf *out, bool *is_null)
{
  char text[OSDEAR__DECIMAL_TEXT];
  size_t size = 0;

  *is_null = value->is_null;
  if (value->is_null)
    return;
  switch (type->kind) {
  case KIND_BOOLEAN: osdear__buf_puts(out, value->i64 ? "true" : "false"); return;
  case KIND_STRING:
  case KIND_BINARY:
    *is_null = value->bytes.size == 0;
    osdear__buf_append(out, value->bytes.data, value->bytes.size);
    return;
  case KIND_FLOAT: size = osdear__format_f32((float)value->f64, text); break;
  case KIND_DOUBLE: size = osdear__format_f64(value->f64, text); break;
  case KIND_DECIMAL: size = osdear__format_decimal(value->decimal, type->scale, text); break;
  case KIND_DATE: size = osdear__format_date(value->i64, text); break;
  case KIND_TIMESTAMP: size = osdear__format_timestamp(value->i64, 'T', "Z", text); break;
  case KIND_TIMESTAMP_NTZ: size = osdear__format_timestamp(value->i64, ' ', "", text); break;
  default: size = osdear__format_i64(value->i64, text); break;
  }
  osdear__buf_append(out, text, size);
}

/* The characters Hive escapes in a folder's name. */
static bool is_escaped(unsigned char c)
{
  return (c > 0 && c < 0x20) || c == 0x7f || (c != 0 && strchr("\"#%'*/:=?\\{[]^", c) != NULL);
}

static void append_escaped(osdear__buf *out, osdear__str text)
{
  static const char digits[] = "0123456789ABCDEF";

  for (size_t i = 0; i < text.size; i++) {
    unsigned char c = (unsigned char)text.data[i];
    if (c != 0 && !is_escaped(c)) {
      osdear__buf_putc(out, (char)c);
    } else {
      char escaped[3] = { '%', digits[c >> 4], digits[c & 15] };
      osdear__buf_append(out, escaped, sizeof escaped);
    }
  }
}

void osdear__partition_path(osdear__str column, osdear__str value, bool is_null, osdear__buf *out)
{
  append_escaped(out, column);
  osdear__buf_putc(out, '=');
  if (is_null || value.size == 0)
    osdear__buf_puts(out, "__HIVE_DEFAULT_PARTITION__");
  else
    append_escaped(out, value);
  osdear__buf_putc(out, '/');
}
