/** @file bloom.c Split block bloom filters (BloomFilter.md of the format). One that contradicts itself counts as none: it only saves work. */
#include <math.h>

#include <parquet/file.h>

#define BLOCK 32
#define MOST_HEADER 128              /* bytes; with the three unions it takes about 15 */
#define MOST_BYTES (INT32_C(4) << 20) /* of a filter: larger ones cost more than they commonly save */

struct osdear__parquet_bloom {
  const osdear__pq_leaf *leaf;
  const uint8_t *bits;
  uint32_t blocks;
};

static bool is_sound(const osdear__pq_bloom_header *header)
{
  return header->num_bytes > 0 && header->num_bytes <= MOST_BYTES && header->num_bytes % BLOCK == 0 &&
         header->algorithm && header->algorithm->set == SET(1) && header->hash && header->hash->set == SET(1) && header->compression &&
         header->compression->set == SET(1);
}

/* The header, which says how long the filter is. False: none that is of use. */
static bool read_header(osdear__parquet *file, int64_t offset, osdear__arena *arena, int64_t *bits_at, int32_t *size)
{
  int64_t there = file->footer_at - offset;
  osdear__pq_bloom_header header;
  char bytes[MOST_HEADER];
  size_t used;

  if (offset <= 0 || there <= 0)
    return false;
  there = there < MOST_HEADER ? there : MOST_HEADER;
  if (osdear__pq_file_read(file, offset, bytes, (size_t)there, NULL) ||
      osdear__thrift_read(&osdear__pq_bloom_header_thrift, (osdear__str){ bytes, (size_t)there }, arena, &header, &used, NULL) ||
      !is_sound(&header))
    return false;
  *bits_at = offset + (int64_t)used;
  *size = header.num_bytes;
  return *size <= file->footer_at - *bits_at;
}

osdear_status osdear__parquet_bloom_read(osdear__parquet *file, size_t group, const size_t *path, size_t depth, osdear__arena *arena,
                                         osdear__parquet_bloom **out, osdear_error **error)
{
  const osdear__pq_column_meta *meta;
  osdear__parquet_bloom *bloom;
  const osdear__pq_leaf *leaf;
  int64_t bits_at;
  int32_t size;
  uint8_t *bits;
  size_t column;

  *out = NULL;
  leaf = group < file->meta.row_group_count ? osdear__pq_leaf_at(file, path, depth, &column) : NULL;
  if (!leaf)
    return OSDEAR_OK;
  meta = file->meta.row_groups[group].columns[column].meta_data;
  if (!(meta->set & COLUMN_META_BLOOM_OFFSET) || !read_header(file, meta->bloom_filter_offset, arena, &bits_at, &size))
    return OSDEAR_OK;
  bloom = osdear__arena_zeroed(arena, 1, sizeof *bloom);
  bits = osdear__arena_alloc(arena, (size_t)size);
  if (!bloom || !bits)
    return osdear__fail_memory(error);
  if (osdear__pq_file_read(file, bits_at, bits, (size_t)size, NULL))
    return OSDEAR_OK;
  *bloom = (osdear__parquet_bloom){ leaf, bits, (uint32_t)size / BLOCK };
  *out = bloom;
  return OSDEAR_OK;
}

static bool may_hold_hash(const osdear__parquet_bloom *bloom, uint64_t hash)
{
  static const uint32_t salts[] = { 0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31 };
  const uint8_t *block = bloom->bits + (size_t)((hash >> 32) * bloom->blocks >> 32) * BLOCK;

  for (size_t i = 0; i < COUNT_OF(salts); i++)
    if (!(osdear__load_u32(block + 4 * i) >> ((uint32_t)hash * salts[i] >> 27) & 1))
      return false;
  return true;
}

static bool is_integer(osdear__kind kind)
{
  return (kind >= KIND_BYTE && kind <= KIND_LONG) || kind == KIND_DATE || kind == KIND_TIMESTAMP || kind == KIND_TIMESTAMP_NTZ;
}

/* The value as the file stores it. False: it has no one form there, or not one that we know. */
static bool plain_of(const osdear__pq_leaf *leaf, const osdear__scalar *value, char space[16], osdear__str *out)
{
  osdear__kind kind = leaf->type->kind;
  bool is_same_kind = value->kind == kind;
  float narrow = (float)value->f64;

  *out = (osdear__str){ space, leaf->physical == PQ_INT32 || leaf->physical == PQ_FLOAT ? 4 : 8 };
  switch (leaf->physical) {
  case PQ_INT32:
  case PQ_INT64:
    if (kind == KIND_DECIMAL && (!is_same_kind || value->scale != leaf->type->scale))
      return false;
    if (kind != KIND_DECIMAL && !is_same_kind && !(kind <= KIND_LONG && value->kind >= KIND_BYTE && value->kind <= KIND_LONG))
      return false;
    if ((kind != KIND_DECIMAL && !is_integer(kind)) || leaf->unit == UNIT_MILLIS || leaf->unit == UNIT_NANOS)
      return false;
    osdear__store_u64(space, kind == KIND_DECIMAL ? (uint64_t)value->decimal : (uint64_t)value->i64);
    return true;
  case PQ_FLOAT:
  case PQ_DOUBLE: /* zeros have two forms, NaN many */
    if (!is_same_kind || isnan(value->f64) || fpclassify(value->f64) == FP_ZERO)
      return false;
    memcpy(space, &value->f64, sizeof value->f64);
    if (leaf->physical == PQ_FLOAT)
      memcpy(space, &narrow, sizeof narrow);
    return true;
  case PQ_BYTE_ARRAY:
  case PQ_FIXED:
    *out = value->bytes;
    return is_same_kind && (kind == KIND_STRING || kind == KIND_BINARY);
  default: return false;
  }
}

bool osdear__parquet_bloom_may_hold(const osdear__parquet_bloom *bloom, const osdear__scalar *value)
{
  bool is_narrow = bloom->leaf->physical == PQ_INT32 && value->kind != KIND_DECIMAL;
  osdear__str bytes;
  char space[16];

  if (value->is_null || !plain_of(bloom->leaf, value, space, &bytes))
    return true;
  if (is_narrow && (value->i64 < INT32_MIN || value->i64 > INT32_MAX))
    return false;
  return may_hold_hash(bloom, osdear__xxh64(bytes.size ? bytes.data : "", bytes.size, 0));
}
