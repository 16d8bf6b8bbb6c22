/** @file format.h The metadata of a Parquet file, as parquet.thrift of the format's 2.13 defines it.
 *
 * Names follow parquet.thrift. `set` has bit SET(id) for each field that was there; fields without a remark are required. */
#ifndef OSDEAR_SRC_PARQUET_FORMAT_H
#define OSDEAR_SRC_PARQUET_FORMAT_H

#include <parquet/thrift.h>

#define SET(id) (UINT32_C(1) << (id))

typedef enum osdear__pq_physical {
  PQ_BOOLEAN = 0,
  PQ_INT32 = 1,
  PQ_INT64 = 2,
  PQ_INT96 = 3,
  PQ_FLOAT = 4,
  PQ_DOUBLE = 5,
  PQ_BYTE_ARRAY = 6,
  PQ_FIXED = 7,
  PQ_PHYSICALS
} osdear__pq_physical;

typedef enum osdear__pq_repetition { PQ_REQUIRED = 0, PQ_OPTIONAL = 1, PQ_REPEATED = 2 } osdear__pq_repetition;

typedef enum osdear__pq_converted {
  PQ_UTF8 = 0,
  PQ_MAP = 1,
  PQ_MAP_KEY_VALUE = 2,
  PQ_LIST = 3,
  PQ_ENUM = 4,
  PQ_DECIMAL = 5,
  PQ_DATE = 6,
  PQ_TIME_MILLIS = 7,
  PQ_TIME_MICROS = 8,
  PQ_TIMESTAMP_MILLIS = 9,
  PQ_TIMESTAMP_MICROS = 10,
  PQ_UINT_8 = 11,
  PQ_UINT_16 = 12,
  PQ_UINT_32 = 13,
  PQ_UINT_64 = 14,
  PQ_INT_8 = 15,
  PQ_INT_16 = 16,
  PQ_INT_32 = 17,
  PQ_INT_64 = 18,
  PQ_JSON = 19,
  PQ_BSON = 20,
  PQ_INTERVAL = 21
} osdear__pq_converted;

typedef enum osdear__pq_encoding {
  PQ_PLAIN = 0,
  PQ_PLAIN_DICTIONARY = 2,
  PQ_RLE = 3,
  PQ_BIT_PACKED = 4,
  PQ_DELTA_BINARY_PACKED = 5,
  PQ_DELTA_LENGTH_BYTE_ARRAY = 6,
  PQ_DELTA_BYTE_ARRAY = 7,
  PQ_RLE_DICTIONARY = 8,
  PQ_BYTE_STREAM_SPLIT = 9
} osdear__pq_encoding;

typedef enum osdear__pq_page_type {
  PQ_DATA_PAGE = 0,
  PQ_INDEX_PAGE = 1,
  PQ_DICTIONARY_PAGE = 2,
  PQ_DATA_PAGE_V2 = 3
} osdear__pq_page_type;

typedef enum osdear__pq_boundary { PQ_UNORDERED = 0, PQ_ASCENDING = 1, PQ_DESCENDING = 2 } osdear__pq_boundary;

/* A union: one bit of `set` says the unit. */
typedef struct osdear__pq_time_unit {
  uint32_t set;
} osdear__pq_time_unit;
#define TIME_UNIT_MILLIS SET(1)
#define TIME_UNIT_MICROS SET(2)
#define TIME_UNIT_NANOS SET(3)

typedef struct osdear__pq_decimal_type {
  uint32_t set;
  int32_t scale;
  int32_t precision;
} osdear__pq_decimal_type;

typedef struct osdear__pq_time_type { /* TimeType and TimestampType */
  uint32_t set;
  bool is_adjusted_to_utc;
  osdear__pq_time_unit *unit;
} osdear__pq_time_type;

typedef struct osdear__pq_int_type {
  uint32_t set;
  int8_t bit_width;
  bool is_signed;
} osdear__pq_int_type;

typedef struct osdear__pq_variant_type {
  uint32_t set;
  int8_t specification_version; /* optional: 1 */
} osdear__pq_variant_type;
#define VARIANT_VERSION SET(1)

/* A union: one bit of `set` says which; the pointer of that member, where it has parameters, is not NULL. */
typedef struct osdear__pq_logical_type {
  uint32_t set;
  osdear__pq_decimal_type *decimal;
  osdear__pq_time_type *time;
  osdear__pq_time_type *timestamp;
  osdear__pq_int_type *integer;
  osdear__pq_variant_type *variant;
} osdear__pq_logical_type;
#define LOGICAL_STRING SET(1)
#define LOGICAL_MAP SET(2)
#define LOGICAL_LIST SET(3)
#define LOGICAL_ENUM SET(4)
#define LOGICAL_DECIMAL SET(5)
#define LOGICAL_DATE SET(6)
#define LOGICAL_TIME SET(7)
#define LOGICAL_TIMESTAMP SET(8)
#define LOGICAL_INTEGER SET(10)
#define LOGICAL_UNKNOWN SET(11)
#define LOGICAL_JSON SET(12)
#define LOGICAL_BSON SET(13)
#define LOGICAL_UUID SET(14)
#define LOGICAL_FLOAT16 SET(15)
#define LOGICAL_VARIANT SET(16)
#define LOGICAL_GEOMETRY SET(17)
#define LOGICAL_GEOGRAPHY SET(18)

/* All but the name are optional. */
typedef struct osdear__pq_schema_element {
  uint32_t set;
  int32_t type;
  int32_t type_length;
  int32_t repetition_type;
  osdear__str name;
  int32_t num_children;
  int32_t converted_type;
  int32_t scale;
  int32_t precision;
  int32_t field_id;
  osdear__pq_logical_type *logical_type;
} osdear__pq_schema_element;
#define ELEMENT_TYPE SET(1)
#define ELEMENT_TYPE_LENGTH SET(2)
#define ELEMENT_REPETITION SET(3)
#define ELEMENT_NUM_CHILDREN SET(5)
#define ELEMENT_CONVERTED SET(6)
#define ELEMENT_SCALE SET(7)
#define ELEMENT_PRECISION SET(8)
#define ELEMENT_FIELD_ID SET(9)

/* All optional. `min` and `max` are the deprecated pair. */
typedef struct osdear__pq_statistics {
  uint32_t set;
  osdear__str max;
  osdear__str min;
  int64_t null_count;
  int64_t distinct_count;
  osdear__str max_value;
  osdear__str min_value;
  bool is_max_value_exact;
  bool is_min_value_exact;
  int64_t nan_count;
} osdear__pq_statistics;
#define STATISTICS_NULL_COUNT SET(3)
#define STATISTICS_DISTINCT_COUNT SET(4)
#define STATISTICS_MAX_EXACT SET(7)
#define STATISTICS_MIN_EXACT SET(8)
#define STATISTICS_NAN_COUNT SET(9)

typedef struct osdear__pq_size_statistics { /* all optional */
  uint32_t set;
  int64_t unencoded_byte_array_data_bytes;
  int64_t *repetition_level_histogram;
  size_t repetition_level_count;
  int64_t *definition_level_histogram;
  size_t definition_level_count;
} osdear__pq_size_statistics;
#define SIZE_STATISTICS_BYTES SET(1)

typedef struct osdear__pq_key_value {
  uint32_t set;
  osdear__str key;
  osdear__str value; /* optional */
} osdear__pq_key_value;

typedef struct osdear__pq_encoding_stats {
  uint32_t set;
  int32_t page_type;
  int32_t encoding;
  int32_t count;
} osdear__pq_encoding_stats;

typedef struct osdear__pq_column_meta {
  uint32_t set;
  int32_t type;
  int32_t *encodings;
  size_t encoding_count;
  osdear__str *path_in_schema;
  size_t path_count;
  int32_t codec;
  int64_t num_values;
  int64_t total_uncompressed_size;
  int64_t total_compressed_size;
  osdear__pq_key_value *key_value_metadata; /* optional */
  size_t key_value_count;
  int64_t data_page_offset;
  int64_t index_page_offset;                 /* optional */
  int64_t dictionary_page_offset;            /* optional */
  osdear__pq_statistics *statistics;         /* optional */
  osdear__pq_encoding_stats *encoding_stats; /* optional */
  size_t encoding_stats_count;
  int64_t bloom_filter_offset;                 /* optional */
  int32_t bloom_filter_length;                 /* optional */
  osdear__pq_size_statistics *size_statistics; /* optional */
} osdear__pq_column_meta;
#define COLUMN_META_INDEX_PAGE SET(10)
#define COLUMN_META_DICTIONARY_PAGE SET(11)
#define COLUMN_META_BLOOM_OFFSET SET(14)
#define COLUMN_META_BLOOM_LENGTH SET(15)

typedef struct osdear__pq_column_chunk { /* optional but for file_offset */
  uint32_t set;
  osdear__str file_path;
  int64_t file_offset;
  osdear__pq_column_meta *meta_data;
  int64_t offset_index_offset;
  int32_t offset_index_length;
  int64_t column_index_offset;
  int32_t column_index_length;
} osdear__pq_column_chunk;
#define CHUNK_OFFSET_INDEX (SET(4) | SET(5))
#define CHUNK_COLUMN_INDEX (SET(6) | SET(7))
#define CHUNK_CRYPTO SET(8)
#define CHUNK_ENCRYPTED_META SET(9)

typedef struct osdear__pq_sorting_column {
  uint32_t set;
  int32_t column_idx;
  bool descending;
  bool nulls_first;
} osdear__pq_sorting_column;

typedef struct osdear__pq_row_group {
  uint32_t set;
  osdear__pq_column_chunk *columns;
  size_t column_count;
  int64_t total_byte_size;
  int64_t num_rows;
  osdear__pq_sorting_column *sorting_columns; /* optional, as all that follow */
  size_t sorting_count;
  int64_t file_offset;
  int64_t total_compressed_size;
  int16_t ordinal;
} osdear__pq_row_group;
#define ROW_GROUP_FILE_OFFSET SET(5)
#define ROW_GROUP_COMPRESSED SET(6)
#define ROW_GROUP_ORDINAL SET(7)

typedef struct osdear__pq_column_order { /* a union */
  uint32_t set;
} osdear__pq_column_order;
#define COLUMN_ORDER_TYPE SET(1)
#define COLUMN_ORDER_IEEE754 SET(2)

typedef struct osdear__pq_file_meta {
  uint32_t set;
  int32_t version;
  osdear__pq_schema_element *schema;
  size_t schema_count;
  int64_t num_rows;
  osdear__pq_row_group *row_groups;
  size_t row_group_count;
  osdear__pq_key_value *key_value_metadata; /* optional, as all that follow */
  size_t key_value_count;
  osdear__str created_by;
  osdear__pq_column_order *column_orders;
  size_t column_order_count;
} osdear__pq_file_meta;
#define FILE_ENCRYPTION SET(8)

typedef struct osdear__pq_data_page {
  uint32_t set;
  int32_t num_values;
  int32_t encoding;
  int32_t definition_level_encoding;
  int32_t repetition_level_encoding;
  osdear__pq_statistics *statistics; /* optional */
} osdear__pq_data_page;

typedef struct osdear__pq_dictionary_page {
  uint32_t set;
  int32_t num_values;
  int32_t encoding;
  bool is_sorted; /* optional */
} osdear__pq_dictionary_page;
#define DICTIONARY_PAGE_SORTED SET(3)

typedef struct osdear__pq_data_page_v2 {
  uint32_t set;
  int32_t num_values;
  int32_t num_nulls;
  int32_t num_rows;
  int32_t encoding;
  int32_t definition_levels_byte_length;
  int32_t repetition_levels_byte_length;
  bool is_compressed;                /* optional: true */
  osdear__pq_statistics *statistics; /* optional */
} osdear__pq_data_page_v2;
#define DATA_PAGE_V2_COMPRESSED SET(7)

typedef struct osdear__pq_page_header {
  uint32_t set;
  int32_t type;
  int32_t uncompressed_page_size;
  int32_t compressed_page_size;
  int32_t crc; /* optional; so is each of the three, by `type` */
  osdear__pq_data_page *data_page;
  osdear__pq_dictionary_page *dictionary_page;
  osdear__pq_data_page_v2 *data_page_v2;
} osdear__pq_page_header;
#define PAGE_HEADER_CRC SET(4)

typedef struct osdear__pq_column_index {
  uint32_t set;
  bool *null_pages;
  size_t null_page_count;
  osdear__str *min_values;
  size_t min_count;
  osdear__str *max_values;
  size_t max_count;
  int32_t boundary_order;
  int64_t *null_counts; /* optional, as all that follow */
  size_t null_count_count;
  int64_t *repetition_level_histograms;
  size_t repetition_level_count;
  int64_t *definition_level_histograms;
  size_t definition_level_count;
  int64_t *nan_counts;
  size_t nan_count_count;
} osdear__pq_column_index;

typedef struct osdear__pq_page_location {
  uint32_t set;
  int64_t offset;
  int32_t compressed_page_size;
  int64_t first_row_index;
} osdear__pq_page_location;

typedef struct osdear__pq_offset_index {
  uint32_t set;
  osdear__pq_page_location *page_locations;
  size_t page_count;
  int64_t *unencoded_byte_array_data_bytes; /* optional */
  size_t byte_count;
} osdear__pq_offset_index;

typedef struct osdear__pq_bloom_choice { /* a union: the algorithm (1: split block), hash (1: XXHASH) or compression (1: none) */
  uint32_t set;
} osdear__pq_bloom_choice;

typedef struct osdear__pq_bloom_header {
  uint32_t set;
  int32_t num_bytes;
  osdear__pq_bloom_choice *algorithm;
  osdear__pq_bloom_choice *hash;
  osdear__pq_bloom_choice *compression;
} osdear__pq_bloom_header;

extern const osdear__thrift_struct osdear__pq_file_meta_thrift;
extern const osdear__thrift_struct osdear__pq_page_header_thrift;
extern const osdear__thrift_struct osdear__pq_column_index_thrift;
extern const osdear__thrift_struct osdear__pq_offset_index_thrift;
extern const osdear__thrift_struct osdear__pq_bloom_header_thrift;

const char *osdear__pq_physical_name(int32_t physical); /* "INT32"; "type 42" is up to the caller: NULL if unknown */
const char *osdear__pq_encoding_name(int32_t encoding); /* the same */

#endif
