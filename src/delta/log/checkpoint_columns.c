/* Which of a checkpoint's columns are read, and how one sees that there is nothing to read. Writers differ in what columns and fields
 * they write, in nullability and in the width of integers: files are read as they are and cast to one shape. */
#include <delta/log/log.h>

static const osdear__field *find_field(const osdear__type *type, const char *name, size_t *index)
{
  for (size_t i = 0; i < type->field_count; i++) {
    if (strcmp(type->fields[i].name, name) == 0) {
      *index = i;
      return &type->fields[i];
    }
  }
  return NULL;
}

osdear_status osdear__checkpoint_prune(const osdear__type *file, const osdear__type *wanted, osdear__arena *arena,
                                       osdear__type *out, osdear_error **error)
{
  osdear__type pruned = { .kind = KIND_STRUCT };
  osdear_status st = OSDEAR_OK;
  size_t index;

  pruned.fields = osdear__arena_zeroed(arena, wanted->field_count + 1, sizeof *pruned.fields);
  if (!pruned.fields)
    return osdear__fail_memory(error);
  for (size_t i = 0; i < wanted->field_count && !st; i++) {
    const osdear__field *want = &wanted->fields[i];
    const osdear__field *found = find_field(file, want->name, &index);
    osdear__field *field = &pruned.fields[pruned.field_count];

    if (!found)
      continue;
    *field = *found;
    pruned.field_count++;
    if (found->type.kind == KIND_STRUCT && want->type.kind == KIND_STRUCT && want->type.field_count)
      st = osdear__checkpoint_prune(&found->type, &want->type, arena, &field->type, error);
  }
  if (!st)
    *out = pruned;
  return st;
}

bool osdear__checkpoint_group_lacks(const osdear__parquet *file, size_t group, const char *column, const char *field)
{
  const osdear__type *type = osdear__parquet_type(file);
  const osdear__field *found;
  osdear__parquet_stats stats;
  size_t path[2];

  found = find_field(type, column, &path[0]);
  if (!found)
    return true;
  if (found->type.kind != KIND_STRUCT)
    return false;
  if (!find_field(&found->type, field, &path[1]))
    return true;
  return osdear__parquet_group_stats(file, group, path, 2, &stats) && stats.null_count >= osdear__parquet_group_rows(file, group);
}

/* ---- stats_parsed ---- */

/* Members that are null are left out; so are arrays, maps and binaries, of which statistics say nothing. */
static bool has_text(const osdear__type *type, const struct ArrowArray *array, int64_t row)
{
  switch (type->kind) {
  case KIND_VOID:
  case KIND_ARRAY:
  case KIND_MAP:
  case KIND_BINARY:
  case KIND_VARIANT:
  case KIND_FIXED:
  case KIND_TIME: return false;
  default: return osdear__is_valid(array, row);
  }
}

/* Statistics have milliseconds, unless a writer kept more: its bounds are not to move. */
static size_t format_instant(const osdear__type *type, int64_t us, char out[OSDEAR__TIME_TEXT])
{
  bool has_zone = type->kind == KIND_TIMESTAMP;
  size_t size = osdear__format_timestamp(us, 'T', has_zone ? "Z" : "", out);
  size_t digits = size - has_zone;

  if (memcmp(out + digits - 3, "000", 3) != 0)
    return size;
  memmove(out + digits - 3, out + digits, has_zone);
  return size - 3;
}

static void print_scalar(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  char text[OSDEAR__DECIMAL_TEXT];
  osdear__scalar value;
  size_t size;

  osdear__scalar_at(type, array, row, &value);
  switch (type->kind) {
  case KIND_BOOLEAN: osdear__buf_puts(out, value.i64 ? "true" : "false"); break;
  case KIND_FLOAT16:
  case KIND_FLOAT:
  case KIND_DOUBLE: osdear__json_put_f64(out, value.f64); break;
  case KIND_STRING: osdear__json_put_string(out, value.bytes); break;
  case KIND_DECIMAL:
    size = osdear__format_decimal(value.decimal, value.scale, text);
    osdear__buf_append(out, text, size);
    break;
  case KIND_DATE:
    size = osdear__format_date(value.i64, text);
    osdear__json_put_string(out, (osdear__str){ text, size });
    break;
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
    size = format_instant(type, value.i64, text);
    osdear__json_put_string(out, (osdear__str){ text, size });
    break;
  default: osdear__json_put_i64(out, value.i64); break;
  }
}

/* Recursion is bounded by the depth of a Parquet schema. */
void osdear__checkpoint_stats_print(const osdear__type *type, const struct ArrowArray *array, int64_t row, osdear__buf *out)
{
  bool first = true;

  if (type->kind != KIND_STRUCT) {
    print_scalar(type, array, row, out);
    return;
  }
  osdear__buf_putc(out, '{');
  for (size_t i = 0; i < type->field_count; i++) {
    if (!has_text(&type->fields[i].type, array->children[i], row))
      continue;
    osdear__json_put_key(out, &first, type->fields[i].name);
    osdear__checkpoint_stats_print(&type->fields[i].type, array->children[i], row, out);
  }
  osdear__buf_putc(out, '}');
}
