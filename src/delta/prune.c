/* What is known of a file's columns, as ranges for osdear__expr_may_match(). Whatever is unknown or unreadable keeps the file. */
#include <delta/prune.h>

static bool is_partition(const osdear__prune *prune, const size_t *path)
{
  return osdear__delta_partition_index(prune->metadata, osdear__str_of(prune->metadata->schema.fields[path[0]].name)) >= 0;
}

/* Columns behind the table's own are made by the scan: nothing is known of them here. */
static void on_path(void *argument, const size_t *path, size_t depth, const osdear__type *type)
{
  osdear__prune *prune = argument;

  (void)depth;
  (void)type;
  if (path[0] >= prune->metadata->schema.field_count)
    return;
  prune->needs_partition |= is_partition(prune, path);
  prune->needs_stats |= !is_partition(prune, path);
}

void osdear__prune_init(osdear__prune *prune, const osdear__expr *where, const osdear__metadata *metadata)
{
  *prune = (osdear__prune){ .where = where, .metadata = metadata };
  if (where)
    osdear__expr_paths(where, on_path, prune);
}

void osdear__prune_drop(osdear__prune *prune)
{
  osdear__arena_drop(&prune->arena);
}

/* A partition value holds for every row, so one row of it stands for all. */
static bool partition_range(osdear__prune *prune, const osdear__field *field, osdear__range *out)
{
  const osdear__partition_value *value =
      osdear__partition_find(prune->file, osdear__physical_field(prune->metadata, field)->name);
  osdear__scalar scalar = { 0 };

  if (!value || osdear__partition_parse(&field->type, value->value, value->is_null, &prune->arena, &scalar, NULL) ||
      osdear__char_pad_value(&field->type, &prune->arena, &scalar, NULL))
    return false;
  *out = (osdear__range){ .null_count = scalar.is_null, .row_count = 1 };
  if (scalar.is_null)
    return true;
  out->has_min = out->has_max = true;
  out->min = out->max = scalar;
  out->may_be_nan = field->type.kind == KIND_FLOAT || field->type.kind == KIND_DOUBLE;
  return true;
}

static bool range_of(void *argument, const size_t *path, size_t depth, osdear__range *out)
{
  osdear__prune *prune = argument;
  const osdear__field *field;

  if (path[0] >= prune->metadata->schema.field_count)
    return false;
  field = &prune->metadata->schema.fields[path[0]];
  if (osdear__delta_partition_index(prune->metadata, osdear__str_of(field->name)) >= 0)
    return depth == 1 && partition_range(prune, field, out);
  return prune->stats && osdear__stats_range(prune->stats, path, depth, out);
}

osdear_status osdear__prune_file(osdear__prune *prune, const osdear__file *file, bool *keep, osdear_error **error)
{
  osdear__file_stats *stats = NULL;
  osdear_status st;

  *keep = true;
  if (!prune->where)
    return OSDEAR_OK;
  osdear__arena_reset(&prune->arena);
  prune->file = file;
  prune->stats = NULL;
  if (prune->needs_partition || !prune->needs_stats)
    *keep = osdear__expr_may_match(prune->where, range_of, prune);
  if (!*keep || !prune->needs_stats || !file->stats.size)
    return OSDEAR_OK;
  st = osdear__stats_parse(file->stats, &prune->metadata->physical, &prune->arena, &stats, error);
  if (st)
    return st;
  prune->stats = stats;
  if (stats)
    *keep = osdear__expr_may_match(prune->where, range_of, prune);
  return OSDEAR_OK;
}
