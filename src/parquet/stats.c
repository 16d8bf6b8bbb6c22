/** @file stats.c Bounds as a file states them, as far as they can be trusted. */
#include <math.h>

#include <parquet/calendar.h>
#include <parquet/convert.h>
#include <parquet/file.h>

/* Kinds whose order is the one the format defines for their columns. INT96, intervals, shapes and half floats have none that we use. */
static bool has_order(const osdear__pq_leaf *leaf)
{
  const osdear__pq_schema_element *element = leaf->element;

  if (leaf->physical == PQ_INT96 || leaf->type->kind == KIND_VOID || leaf->type->kind == KIND_FLOAT16)
    return false;
  if (element->logical_type && element->logical_type->set & (LOGICAL_GEOMETRY | LOGICAL_GEOGRAPHY))
    return false;
  return !(element->set & ELEMENT_CONVERTED && element->converted_type == PQ_INTERVAL);
}

bool osdear__pq_is_ordered(const osdear__parquet *file, size_t column)
{
  return column < file->meta.column_order_count &&
         file->meta.column_orders[column].set & (COLUMN_ORDER_TYPE | COLUMN_ORDER_IEEE754);
}

/* A zero may have lost its sign on the way: the bounds are widened to hold both. */
static bool read_real(const osdear__pq_leaf *leaf, osdear__str bytes, bool is_min, osdear__scalar *out)
{
  float narrow;

  if (leaf->physical == PQ_FLOAT) {
    memcpy(&narrow, bytes.data, sizeof narrow);
    out->f64 = (double)narrow;
  } else {
    memcpy(&out->f64, bytes.data, sizeof out->f64);
  }
  if (fpclassify(out->f64) == FP_ZERO)
    out->f64 = is_min ? -0.0 : 0.0;
  return !isnan(out->f64);
}

static int64_t stored_integer(const osdear__pq_leaf *leaf, osdear__str bytes)
{
  bool is_unsigned = leaf->type->kind == KIND_UINT8 || leaf->type->kind == KIND_UINT16 || leaf->type->kind == KIND_UINT32;
  uint32_t low;

  if (leaf->physical == PQ_INT64)
    return (int64_t)osdear__load_u64(bytes.data);
  low = osdear__load_u32(bytes.data);
  return is_unsigned ? (int64_t)low : (int64_t)(int32_t)low;
}

static bool fits_kind(osdear__kind kind, int64_t value)
{
  switch (kind) {
  case KIND_BYTE: return value >= INT8_MIN && value <= INT8_MAX;
  case KIND_SHORT: return value >= INT16_MIN && value <= INT16_MAX;
  case KIND_UINT8: return value >= 0 && value <= UINT8_MAX;
  case KIND_UINT16: return value >= 0 && value <= UINT16_MAX;
  default: return true;
  }
}

/* Times go the way their values go, which keeps their order. */
static bool read_integer(const osdear__pq_leaf *leaf, osdear__str bytes, osdear__scalar *out)
{
  osdear__pq_convert convert = osdear__pq_convert_of(leaf);

  if (leaf->type->kind == KIND_DECIMAL) {
    out->decimal = stored_integer(leaf, bytes);
    return true;
  }
  if (leaf->unit == UNIT_NONE || !convert) {
    out->i64 = stored_integer(leaf, bytes);
    return fits_kind(leaf->type->kind, out->i64);
  }
  return convert((const uint8_t *)bytes.data, (uint8_t *)&out->i64, 1, (size_t)leaf->width);
}

static bool read_bound(const osdear__pq_leaf *leaf, osdear__str bytes, bool is_min, osdear__scalar *out)
{
  *out = (osdear__scalar){ .kind = leaf->type->kind, .scale = leaf->type->scale };
  if (!bytes.data || (leaf->width && bytes.size != (size_t)leaf->width))
    return false;
  switch (leaf->physical) {
  case PQ_BOOLEAN: out->i64 = bytes.size == 1 ? bytes.data[0] & 1 : 0; return bytes.size == 1;
  case PQ_INT32:
  case PQ_INT64: return read_integer(leaf, bytes, out);
  case PQ_FLOAT:
  case PQ_DOUBLE: return read_real(leaf, bytes, is_min, out);
  case PQ_BYTE_ARRAY:
  case PQ_FIXED:
    if (leaf->type->kind == KIND_DECIMAL)
      return bytes.size && osdear__pq_decimal_of_bytes((const uint8_t *)bytes.data, bytes.size, &out->decimal);
    out->bytes = bytes;
    return true;
  default: return false;
  }
}

void osdear__pq_bounds_read(const osdear__pq_leaf *leaf, osdear__pq_bounds *bounds)
{
  bool is_real = leaf->physical == PQ_FLOAT || leaf->physical == PQ_DOUBLE;
  bool has_both = bounds->min.data && bounds->max.data;
  int order;

  bounds->has_min = has_order(leaf) && read_bound(leaf, bounds->min, true, &bounds->min_value);
  bounds->has_max = has_order(leaf) && read_bound(leaf, bounds->max, false, &bounds->max_value);
  if (is_real && (!bounds->has_min || !bounds->has_max)) /* a NaN in one says that the writer did not care for the other */
    bounds->has_min = bounds->has_max = false;
  else if (has_both && bounds->has_min && bounds->has_max &&
           (!osdear__scalar_compare(&bounds->min_value, &bounds->max_value, &order) || order > 0))
    bounds->has_min = bounds->has_max = false;
  if (leaf->calendar)
    osdear__pq_calendar_widen(leaf, bounds);
}

/* The deprecated pair was compared as signed bytes or numbers, whatever the type: sound for signed numbers only. */
static bool is_signed_number(const osdear__pq_leaf *leaf)
{
  switch (leaf->type->kind) {
  case KIND_BOOLEAN:
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG:
  case KIND_FLOAT:
  case KIND_DOUBLE:
  case KIND_DATE:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ:
  case KIND_TIME: return true;
  case KIND_DECIMAL: return leaf->physical == PQ_INT32 || leaf->physical == PQ_INT64;
  default: return false;
  }
}

bool osdear__parquet_group_stats(const osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                 osdear__parquet_stats *out)
{
  const osdear__pq_leaf *leaf;
  const osdear__pq_column_meta *meta;
  const osdear__pq_statistics *stats;
  osdear__pq_bounds bounds = { 0 };
  size_t column;

  leaf = group < file->meta.row_group_count ? osdear__pq_leaf_at(file, path, depth, &column) : NULL;
  if (!leaf)
    return false;
  meta = file->meta.row_groups[group].columns[column].meta_data;
  stats = meta->statistics;
  *out = (osdear__parquet_stats){ .null_count = leaf->max_def ? -1 : 0, .row_count = file->meta.row_groups[group].num_rows };
  if (!stats)
    return true;
  if (stats->set & STATISTICS_NULL_COUNT && stats->null_count >= 0 && stats->null_count <= meta->num_values)
    out->null_count = stats->null_count;
  if (osdear__pq_is_ordered(file, column) && (stats->min_value.data || stats->max_value.data)) {
    bounds.min = stats->min_value;
    bounds.max = stats->max_value;
  } else if (file->trusts_old_stats && is_signed_number(leaf) && stats->min.data && stats->max.data) {
    bounds.min = stats->min;
    bounds.max = stats->max;
  }
  osdear__pq_bounds_read(leaf, &bounds);
  out->has_min = bounds.has_min;
  out->has_max = bounds.has_max;
  out->min = bounds.min_value;
  out->max = bounds.max_value;
  return true;
}
