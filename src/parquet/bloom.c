/** @file bloom.c Split block bloom filters (BloomFilter.md of the format). One that contradicts itself counts as none: it only saves work. */
#include <math.h>

#include <parquet/calendar.h>

#define BLOCK 32
#define MOST_HEADER 128               /* bytes; with the three unions it takes about 15 */
#define SMALL (INT64_C(64) << 10)     /* a filter that is read at once; of a larger one only the blocks that are asked for, */
#define MOST_BLOCKS 8                 /* up to so many, */
#define MOST_WHOLE (INT64_C(1) << 20) /* and then the whole, unless it is larger still */

struct osdear__parquet_bloom {
  osdear__parquet *file;
  osdear__arena *arena;
  const osdear__pq_leaf *leaf;
  int64_t at, size; /* of its blocks in the file */
  int64_t column;   /* bytes of the column chunk: more is never read of its filter */
  uint8_t *bits;    /* NULL: block by block */
  uint32_t asked;   /* blocks so far */
};

static bool is_sound(const osdear__pq_bloom_header *header)
{
  return header->num_bytes > 0 && header->num_bytes % BLOCK == 0 && header->algorithm && header->algorithm->set == SET(1) &&
         header->hash && header->hash->set == SET(1) && header->compression && header->compression->set == SET(1);
}

static bool load(osdear__parquet_bloom *bloom)
{
  uint8_t *bits = osdear__arena_alloc(bloom->arena, (size_t)bloom->size);

  if (!bits || osdear__pq_file_read(bloom->file, bloom->at, bits, (size_t)bloom->size, NULL))
    return false;
  bloom->bits = bits;
  return true;
}

/* The header, which says how long the filter is, and with it a filter whose whole length the footer gives. False: none that is of use. */
static bool open_filter(osdear__parquet_bloom *bloom, const osdear__pq_column_meta *meta)
{
  int64_t offset = meta->bloom_filter_offset;
  int64_t there = bloom->file->footer_at - offset;
  int64_t take = meta->set & COLUMN_META_BLOOM_LENGTH && meta->bloom_filter_length > 0 ? meta->bloom_filter_length : MOST_HEADER;
  osdear__pq_bloom_header header;
  uint8_t *bytes;
  size_t used;

  if (offset <= 0 || there <= 0)
    return false;
  take = take > SMALL ? MOST_HEADER : take;
  take = take < there ? take : there;
  bytes = take < bloom->column ? osdear__arena_alloc(bloom->arena, (size_t)take) : NULL;
  if (!bytes || osdear__pq_file_read(bloom->file, offset, bytes, (size_t)take, NULL) ||
      osdear__thrift_read(&osdear__pq_bloom_header_thrift, (osdear__str){ (char *)bytes, (size_t)take }, bloom->arena, &header,
                          &used, NULL) ||
      !is_sound(&header) || header.num_bytes > there - (int64_t)used)
    return false;
  bloom->at = offset + (int64_t)used;
  bloom->size = header.num_bytes;
  if (bloom->size <= take - (int64_t)used)
    bloom->bits = bytes + used;
  return bloom->bits || bloom->size > SMALL || (bloom->size < bloom->column && load(bloom));
}

static const osdear__pq_column_meta *meta_at(const osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                             size_t *column)
{
  const osdear__pq_column_meta *meta;

  if (group >= file->meta.row_group_count || !osdear__pq_leaf_at(file, path, depth, column))
    return NULL;
  meta = file->meta.row_groups[group].columns[*column].meta_data;
  return meta->set & COLUMN_META_BLOOM_OFFSET ? meta : NULL;
}

bool osdear__parquet_has_bloom(const osdear__parquet *file, size_t group, const size_t *path, size_t depth)
{
  size_t column;

  return meta_at(file, group, path, depth, &column) != NULL;
}

osdear_status osdear__parquet_bloom_open(osdear__parquet *file, size_t group, const size_t *path, size_t depth,
                                         osdear__arena *arena, osdear__parquet_bloom **out, osdear_error **error)
{
  size_t column;
  const osdear__pq_column_meta *meta = meta_at(file, group, path, depth, &column);
  osdear__parquet_bloom *bloom;

  *out = NULL;
  if (!meta)
    return OSDEAR_OK;
  bloom = osdear__arena_zeroed(arena, 1, sizeof *bloom);
  if (!bloom)
    return osdear__fail_memory(error);
  bloom->file = file;
  bloom->arena = arena;
  bloom->leaf = &file->schema.leaves[column];
  bloom->column = meta->total_compressed_size;
  if (open_filter(bloom, meta))
    *out = bloom;
  return OSDEAR_OK;
}

/* NULL: it cannot be had, or not for less than the column. */
static const uint8_t *block_at(osdear__parquet_bloom *bloom, int64_t block, uint8_t space[BLOCK])
{
  if (!bloom->bits && bloom->asked == MOST_BLOCKS && bloom->size <= MOST_WHOLE && bloom->size < bloom->column && !load(bloom))
    return NULL;
  if (bloom->bits)
    return bloom->bits + block * BLOCK;
  if (bloom->asked == MOST_BLOCKS)
    return NULL;
  bloom->asked++;
  return osdear__pq_file_read(bloom->file, bloom->at + block * BLOCK, space, BLOCK, NULL) ? NULL : space;
}

static bool may_hold_hash(osdear__parquet_bloom *bloom, osdear__str bytes)
{
  static const uint32_t salts[] = {
    0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31
  };
  uint64_t hash = osdear__xxh64(bytes.size ? bytes.data : "", bytes.size, 0);
  uint8_t space[BLOCK];
  const uint8_t *block = block_at(bloom, (int64_t)((hash >> 32) * (uint64_t)(bloom->size / BLOCK) >> 32), space);

  for (size_t i = 0; block && i < COUNT_OF(salts); i++)
    if (!(osdear__load_u32(block + 4 * i) >> ((uint32_t)hash * salts[i] >> 27) & 1))
      return false;
  return true;
}

/* How the file stores a value of its column: not at all, in one form, or in one that we do not know. */
typedef enum form { FORM_NONE, FORM_ONE, FORM_UNKNOWN } form;

/* A number without a fraction at `scale`, from an integer or a decimal. */
static form whole_of(const osdear__scalar *value, int32_t scale, osdear__int128 *out)
{
  bool is_decimal = value->kind == KIND_DECIMAL;
  osdear__int128 given = is_decimal ? value->decimal : value->i64;
  int32_t shift = scale - (is_decimal ? value->scale : 0);

  if (!is_decimal && !(value->kind >= KIND_BYTE && value->kind <= KIND_LONG))
    return FORM_UNKNOWN;
  if (shift < 0) {
    *out = given / osdear__pow10(-shift);
    return given % osdear__pow10(-shift) ? FORM_NONE : FORM_ONE;
  }
  return __builtin_mul_overflow(given, osdear__pow10(shift), out) ? FORM_NONE : FORM_ONE;
}

/* Times by the unit of the column. A value of nanoseconds may stand behind any of a thousand. */
static form time_of(const osdear__pq_leaf *leaf, const osdear__scalar *value, osdear__int128 *out)
{
  int64_t unit = leaf->unit == UNIT_MILLIS ? 1000 : 1;

  if (value->kind != leaf->type->kind || leaf->unit == UNIT_NANOS || !osdear__pq_calendar_keeps(leaf, value->i64))
    return FORM_UNKNOWN;
  *out = value->i64 / unit;
  return value->i64 % unit ? FORM_NONE : FORM_ONE;
}

static form integer_form(const osdear__pq_leaf *leaf, const osdear__scalar *value, osdear__int128 *out)
{
  switch (leaf->type->kind) {
  case KIND_BYTE:
  case KIND_SHORT:
  case KIND_INTEGER:
  case KIND_LONG: return whole_of(value, 0, out);
  case KIND_DECIMAL: return whole_of(value, leaf->type->scale, out);
  case KIND_DATE:
  case KIND_TIMESTAMP:
  case KIND_TIMESTAMP_NTZ: return time_of(leaf, value, out);
  default: return FORM_UNKNOWN;
  }
}

/* Big-endian bytes for decimals, little-endian for all others; only as many as the column has. */
static form store_integer(const osdear__pq_leaf *leaf, osdear__int128 whole, char space[16])
{
  int32_t bits = leaf->width * 8;

  if (bits < 128 && (whole >> (bits - 1)) != (whole < 0 ? -1 : 0))
    return FORM_NONE;
  for (int32_t i = 0; i < leaf->width; i++)
    space[leaf->physical == PQ_FIXED ? leaf->width - 1 - i : i] = (char)(whole >> (8 * i));
  return FORM_ONE;
}

/* A double that no float is equals none in a column of floats. */
static form real_form(const osdear__pq_leaf *leaf, const osdear__scalar *value, char space[16])
{
  float narrow = (float)value->f64;

  if ((value->kind != KIND_FLOAT && value->kind != KIND_DOUBLE) || isnan(value->f64))
    return FORM_UNKNOWN;
  if (leaf->physical == PQ_FLOAT && (double)narrow < value->f64)
    return FORM_NONE;
  if (leaf->physical == PQ_FLOAT && (double)narrow > value->f64)
    return FORM_NONE;
  if (leaf->physical == PQ_FLOAT)
    memcpy(space, &narrow, sizeof narrow);
  else
    memcpy(space, &value->f64, sizeof value->f64);
  return FORM_ONE;
}

static form text_form(const osdear__pq_leaf *leaf, const osdear__scalar *value, osdear__str *out)
{
  osdear__kind kind = leaf->type->kind == KIND_FIXED ? KIND_BINARY : leaf->type->kind;

  *out = value->bytes;
  if ((kind != KIND_STRING && kind != KIND_BINARY) || value->kind != kind)
    return FORM_UNKNOWN;
  return leaf->physical == PQ_FIXED && value->bytes.size != (size_t)leaf->width ? FORM_NONE : FORM_ONE;
}

static form form_of(const osdear__pq_leaf *leaf, const osdear__scalar *value, char space[16], osdear__str *out)
{
  bool is_number = leaf->physical == PQ_INT32 || leaf->physical == PQ_INT64 ||
                   (leaf->physical == PQ_FIXED && leaf->type->kind == KIND_DECIMAL && leaf->width <= 16);
  osdear__int128 whole;
  form result;

  if (value->is_null)
    return FORM_UNKNOWN;
  *out = (osdear__str){ space, (size_t)leaf->width };
  if (is_number) {
    result = integer_form(leaf, value, &whole);
    return result == FORM_ONE ? store_integer(leaf, whole, space) : result;
  }
  if (leaf->physical == PQ_FLOAT || leaf->physical == PQ_DOUBLE)
    return real_form(leaf, value, space);
  return text_form(leaf, value, out);
}

bool osdear__parquet_bloom_may_hold(osdear__parquet_bloom *bloom, const osdear__scalar *value)
{
  bool is_real = bloom->leaf->physical == PQ_FLOAT || bloom->leaf->physical == PQ_DOUBLE;
  osdear__str bytes;
  char space[16];
  form how = form_of(bloom->leaf, value, space, &bytes);

  if (how != FORM_ONE)
    return how == FORM_UNKNOWN;
  if (may_hold_hash(bloom, bytes))
    return true;
  if (!is_real || fpclassify(value->f64) != FP_ZERO)
    return false;
  space[bloom->leaf->width - 1] ^= (char)0x80; /* two zeros are equal, but for their sign */
  return may_hold_hash(bloom, bytes);
}
