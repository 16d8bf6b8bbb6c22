/** @file format.c parquet.thrift as tables. */
#include <parquet/format.h>

/* One line of a table: OPT and REQ for single fields, LIST for lists (R: required). */
/* clang-format off */
#define OPT(of, id, kind, member) { id, kind, false, false, offsetof(of, member), 0, NULL }
#define REQ(of, id, kind, member) { id, kind, false, true, offsetof(of, member), 0, NULL }
#define OPT_STRUCT(of, id, member, table) { id, THRIFT_STRUCT, false, false, offsetof(of, member), 0, &table }
#define REQ_STRUCT(of, id, member, table) { id, THRIFT_STRUCT, false, true, offsetof(of, member), 0, &table }
#define EMPTY(id) { id, THRIFT_EMPTY, false, false, 0, 0, NULL }
#define LIST(of, id, kind, required, member, count, table) \
  { id, kind, true, required, offsetof(of, member), offsetof(of, count), table }
#define TABLE(symbol, text, of) const osdear__thrift_struct symbol = { text, sizeof(of), symbol##_fields, COUNT_OF(symbol##_fields) }
/* clang-format on */

static const osdear__thrift_field time_unit_fields[] = { EMPTY(1), EMPTY(2), EMPTY(3) };
static TABLE(time_unit, "TimeUnit", osdear__pq_time_unit);

static const osdear__thrift_field decimal_type_fields[] = {
  REQ(osdear__pq_decimal_type, 1, THRIFT_I32, scale),
  REQ(osdear__pq_decimal_type, 2, THRIFT_I32, precision),
};
static TABLE(decimal_type, "DecimalType", osdear__pq_decimal_type);

static const osdear__thrift_field time_type_fields[] = {
  REQ(osdear__pq_time_type, 1, THRIFT_BOOL, is_adjusted_to_utc),
  REQ_STRUCT(osdear__pq_time_type, 2, unit, time_unit),
};
static TABLE(time_type, "TimeType", osdear__pq_time_type);

static const osdear__thrift_field int_type_fields[] = {
  REQ(osdear__pq_int_type, 1, THRIFT_I8, bit_width),
  REQ(osdear__pq_int_type, 2, THRIFT_BOOL, is_signed),
};
static TABLE(int_type, "IntType", osdear__pq_int_type);

static const osdear__thrift_field variant_type_fields[] = { OPT(osdear__pq_variant_type, 1, THRIFT_I8, specification_version) };
static TABLE(variant_type, "VariantType", osdear__pq_variant_type);

static const osdear__thrift_field logical_type_fields[] = {
  EMPTY(1),
  EMPTY(2),
  EMPTY(3),
  EMPTY(4),
  OPT_STRUCT(osdear__pq_logical_type, 5, decimal, decimal_type),
  EMPTY(6),
  OPT_STRUCT(osdear__pq_logical_type, 7, time, time_type),
  OPT_STRUCT(osdear__pq_logical_type, 8, timestamp, time_type),
  OPT_STRUCT(osdear__pq_logical_type, 10, integer, int_type),
  EMPTY(11),
  EMPTY(12),
  EMPTY(13),
  EMPTY(14),
  EMPTY(15),
  OPT_STRUCT(osdear__pq_logical_type, 16, variant, variant_type),
  EMPTY(17),
  EMPTY(18),
};
static TABLE(logical_type, "LogicalType", osdear__pq_logical_type);

static const osdear__thrift_field schema_element_fields[] = {
  OPT(osdear__pq_schema_element, 1, THRIFT_I32, type),
  OPT(osdear__pq_schema_element, 2, THRIFT_I32, type_length),
  OPT(osdear__pq_schema_element, 3, THRIFT_I32, repetition_type),
  REQ(osdear__pq_schema_element, 4, THRIFT_BINARY, name),
  OPT(osdear__pq_schema_element, 5, THRIFT_I32, num_children),
  OPT(osdear__pq_schema_element, 6, THRIFT_I32, converted_type),
  OPT(osdear__pq_schema_element, 7, THRIFT_I32, scale),
  OPT(osdear__pq_schema_element, 8, THRIFT_I32, precision),
  OPT(osdear__pq_schema_element, 9, THRIFT_I32, field_id),
  OPT_STRUCT(osdear__pq_schema_element, 10, logical_type, logical_type),
};
static TABLE(schema_element, "SchemaElement", osdear__pq_schema_element);

static const osdear__thrift_field statistics_fields[] = {
  OPT(osdear__pq_statistics, 1, THRIFT_BINARY, max),
  OPT(osdear__pq_statistics, 2, THRIFT_BINARY, min),
  OPT(osdear__pq_statistics, 3, THRIFT_I64, null_count),
  OPT(osdear__pq_statistics, 4, THRIFT_I64, distinct_count),
  OPT(osdear__pq_statistics, 5, THRIFT_BINARY, max_value),
  OPT(osdear__pq_statistics, 6, THRIFT_BINARY, min_value),
  OPT(osdear__pq_statistics, 7, THRIFT_BOOL, is_max_value_exact),
  OPT(osdear__pq_statistics, 8, THRIFT_BOOL, is_min_value_exact),
  OPT(osdear__pq_statistics, 9, THRIFT_I64, nan_count),
};
static TABLE(statistics, "Statistics", osdear__pq_statistics);

static const osdear__thrift_field size_statistics_fields[] = {
  OPT(osdear__pq_size_statistics, 1, THRIFT_I64, unencoded_byte_array_data_bytes),
  LIST(osdear__pq_size_statistics, 2, THRIFT_I64, false, repetition_level_histogram, repetition_level_count, NULL),
  LIST(osdear__pq_size_statistics, 3, THRIFT_I64, false, definition_level_histogram, definition_level_count, NULL),
};
static TABLE(size_statistics, "SizeStatistics", osdear__pq_size_statistics);

static const osdear__thrift_field key_value_fields[] = {
  REQ(osdear__pq_key_value, 1, THRIFT_BINARY, key),
  OPT(osdear__pq_key_value, 2, THRIFT_BINARY, value),
};
static TABLE(key_value, "KeyValue", osdear__pq_key_value);

static const osdear__thrift_field encoding_stats_fields[] = {
  REQ(osdear__pq_encoding_stats, 1, THRIFT_I32, page_type),
  REQ(osdear__pq_encoding_stats, 2, THRIFT_I32, encoding),
  REQ(osdear__pq_encoding_stats, 3, THRIFT_I32, count),
};
static TABLE(encoding_stats, "PageEncodingStats", osdear__pq_encoding_stats);

static const osdear__thrift_field column_meta_fields[] = {
  REQ(osdear__pq_column_meta, 1, THRIFT_I32, type),
  LIST(osdear__pq_column_meta, 2, THRIFT_I32, true, encodings, encoding_count, NULL),
  LIST(osdear__pq_column_meta, 3, THRIFT_BINARY, true, path_in_schema, path_count, NULL),
  REQ(osdear__pq_column_meta, 4, THRIFT_I32, codec),
  REQ(osdear__pq_column_meta, 5, THRIFT_I64, num_values),
  REQ(osdear__pq_column_meta, 6, THRIFT_I64, total_uncompressed_size),
  REQ(osdear__pq_column_meta, 7, THRIFT_I64, total_compressed_size),
  LIST(osdear__pq_column_meta, 8, THRIFT_STRUCT, false, key_value_metadata, key_value_count, &key_value),
  REQ(osdear__pq_column_meta, 9, THRIFT_I64, data_page_offset),
  OPT(osdear__pq_column_meta, 10, THRIFT_I64, index_page_offset),
  OPT(osdear__pq_column_meta, 11, THRIFT_I64, dictionary_page_offset),
  OPT_STRUCT(osdear__pq_column_meta, 12, statistics, statistics),
  LIST(osdear__pq_column_meta, 13, THRIFT_STRUCT, false, encoding_stats, encoding_stats_count, &encoding_stats),
  OPT(osdear__pq_column_meta, 14, THRIFT_I64, bloom_filter_offset),
  OPT(osdear__pq_column_meta, 15, THRIFT_I32, bloom_filter_length),
  OPT_STRUCT(osdear__pq_column_meta, 16, size_statistics, size_statistics),
};
static TABLE(column_meta, "ColumnMetaData", osdear__pq_column_meta);

/* Of encryption only the presence matters: such files are refused. */
static const osdear__thrift_field column_chunk_fields[] = {
  OPT(osdear__pq_column_chunk, 1, THRIFT_BINARY, file_path),
  REQ(osdear__pq_column_chunk, 2, THRIFT_I64, file_offset),
  OPT_STRUCT(osdear__pq_column_chunk, 3, meta_data, column_meta),
  OPT(osdear__pq_column_chunk, 4, THRIFT_I64, offset_index_offset),
  OPT(osdear__pq_column_chunk, 5, THRIFT_I32, offset_index_length),
  OPT(osdear__pq_column_chunk, 6, THRIFT_I64, column_index_offset),
  OPT(osdear__pq_column_chunk, 7, THRIFT_I32, column_index_length),
  EMPTY(8),
};
static TABLE(column_chunk, "ColumnChunk", osdear__pq_column_chunk);

static const osdear__thrift_field sorting_column_fields[] = {
  REQ(osdear__pq_sorting_column, 1, THRIFT_I32, column_idx),
  REQ(osdear__pq_sorting_column, 2, THRIFT_BOOL, descending),
  REQ(osdear__pq_sorting_column, 3, THRIFT_BOOL, nulls_first),
};
static TABLE(sorting_column, "SortingColumn", osdear__pq_sorting_column);

static const osdear__thrift_field row_group_fields[] = {
  LIST(osdear__pq_row_group, 1, THRIFT_STRUCT, true, columns, column_count, &column_chunk),
  REQ(osdear__pq_row_group, 2, THRIFT_I64, total_byte_size),
  REQ(osdear__pq_row_group, 3, THRIFT_I64, num_rows),
  LIST(osdear__pq_row_group, 4, THRIFT_STRUCT, false, sorting_columns, sorting_count, &sorting_column),
  OPT(osdear__pq_row_group, 5, THRIFT_I64, file_offset),
  OPT(osdear__pq_row_group, 6, THRIFT_I64, total_compressed_size),
  OPT(osdear__pq_row_group, 7, THRIFT_I16, ordinal),
};
static TABLE(row_group, "RowGroup", osdear__pq_row_group);

static const osdear__thrift_field column_order_fields[] = { EMPTY(1), EMPTY(2) };
static TABLE(column_order, "ColumnOrder", osdear__pq_column_order);

static const osdear__thrift_field osdear__pq_file_meta_thrift_fields[] = {
  REQ(osdear__pq_file_meta, 1, THRIFT_I32, version),
  LIST(osdear__pq_file_meta, 2, THRIFT_STRUCT, true, schema, schema_count, &schema_element),
  REQ(osdear__pq_file_meta, 3, THRIFT_I64, num_rows),
  LIST(osdear__pq_file_meta, 4, THRIFT_STRUCT, true, row_groups, row_group_count, &row_group),
  LIST(osdear__pq_file_meta, 5, THRIFT_STRUCT, false, key_value_metadata, key_value_count, &key_value),
  OPT(osdear__pq_file_meta, 6, THRIFT_BINARY, created_by),
  LIST(osdear__pq_file_meta, 7, THRIFT_STRUCT, false, column_orders, column_order_count, &column_order),
  EMPTY(8),
};
TABLE(osdear__pq_file_meta_thrift, "FileMetaData", osdear__pq_file_meta);

static const osdear__thrift_field data_page_fields[] = {
  REQ(osdear__pq_data_page, 1, THRIFT_I32, num_values),
  REQ(osdear__pq_data_page, 2, THRIFT_I32, encoding),
  REQ(osdear__pq_data_page, 3, THRIFT_I32, definition_level_encoding),
  REQ(osdear__pq_data_page, 4, THRIFT_I32, repetition_level_encoding),
  OPT_STRUCT(osdear__pq_data_page, 5, statistics, statistics),
};
static TABLE(data_page, "DataPageHeader", osdear__pq_data_page);

static const osdear__thrift_field dictionary_page_fields[] = {
  REQ(osdear__pq_dictionary_page, 1, THRIFT_I32, num_values),
  REQ(osdear__pq_dictionary_page, 2, THRIFT_I32, encoding),
  OPT(osdear__pq_dictionary_page, 3, THRIFT_BOOL, is_sorted),
};
static TABLE(dictionary_page, "DictionaryPageHeader", osdear__pq_dictionary_page);

static const osdear__thrift_field data_page_v2_fields[] = {
  REQ(osdear__pq_data_page_v2, 1, THRIFT_I32, num_values),
  REQ(osdear__pq_data_page_v2, 2, THRIFT_I32, num_nulls),
  REQ(osdear__pq_data_page_v2, 3, THRIFT_I32, num_rows),
  REQ(osdear__pq_data_page_v2, 4, THRIFT_I32, encoding),
  REQ(osdear__pq_data_page_v2, 5, THRIFT_I32, definition_levels_byte_length),
  REQ(osdear__pq_data_page_v2, 6, THRIFT_I32, repetition_levels_byte_length),
  OPT(osdear__pq_data_page_v2, 7, THRIFT_BOOL, is_compressed),
  OPT_STRUCT(osdear__pq_data_page_v2, 8, statistics, statistics),
};
static TABLE(data_page_v2, "DataPageHeaderV2", osdear__pq_data_page_v2);

static const osdear__thrift_field osdear__pq_page_header_thrift_fields[] = {
  REQ(osdear__pq_page_header, 1, THRIFT_I32, type),
  REQ(osdear__pq_page_header, 2, THRIFT_I32, uncompressed_page_size),
  REQ(osdear__pq_page_header, 3, THRIFT_I32, compressed_page_size),
  OPT(osdear__pq_page_header, 4, THRIFT_I32, crc),
  OPT_STRUCT(osdear__pq_page_header, 5, data_page, data_page),
  OPT_STRUCT(osdear__pq_page_header, 7, dictionary_page, dictionary_page),
  OPT_STRUCT(osdear__pq_page_header, 8, data_page_v2, data_page_v2),
};
TABLE(osdear__pq_page_header_thrift, "PageHeader", osdear__pq_page_header);

static const osdear__thrift_field osdear__pq_column_index_thrift_fields[] = {
  LIST(osdear__pq_column_index, 1, THRIFT_BOOL, true, null_pages, null_page_count, NULL),
  LIST(osdear__pq_column_index, 2, THRIFT_BINARY, true, min_values, min_count, NULL),
  LIST(osdear__pq_column_index, 3, THRIFT_BINARY, true, max_values, max_count, NULL),
  REQ(osdear__pq_column_index, 4, THRIFT_I32, boundary_order),
  LIST(osdear__pq_column_index, 5, THRIFT_I64, false, null_counts, null_count_count, NULL),
  LIST(osdear__pq_column_index, 6, THRIFT_I64, false, repetition_level_histograms, repetition_level_count, NULL),
  LIST(osdear__pq_column_index, 7, THRIFT_I64, false, definition_level_histograms, definition_level_count, NULL),
  LIST(osdear__pq_column_index, 8, THRIFT_I64, false, nan_counts, nan_count_count, NULL),
};
TABLE(osdear__pq_column_index_thrift, "ColumnIndex", osdear__pq_column_index);

static const osdear__thrift_field page_location_fields[] = {
  REQ(osdear__pq_page_location, 1, THRIFT_I64, offset),
  REQ(osdear__pq_page_location, 2, THRIFT_I32, compressed_page_size),
  REQ(osdear__pq_page_location, 3, THRIFT_I64, first_row_index),
};
static TABLE(page_location, "PageLocation", osdear__pq_page_location);

static const osdear__thrift_field osdear__pq_offset_index_thrift_fields[] = {
  LIST(osdear__pq_offset_index, 1, THRIFT_STRUCT, true, page_locations, page_count, &page_location),
  LIST(osdear__pq_offset_index, 2, THRIFT_I64, false, unencoded_byte_array_data_bytes, byte_count, NULL),
};
TABLE(osdear__pq_offset_index_thrift, "OffsetIndex", osdear__pq_offset_index);

static const osdear__thrift_field bloom_choice_fields[] = { EMPTY(1) };
static TABLE(bloom_choice, "BloomFilterChoice", osdear__pq_bloom_choice);

static const osdear__thrift_field osdear__pq_bloom_header_thrift_fields[] = {
  REQ(osdear__pq_bloom_header, 1, THRIFT_I32, num_bytes),
  REQ_STRUCT(osdear__pq_bloom_header, 2, algorithm, bloom_choice),
  REQ_STRUCT(osdear__pq_bloom_header, 3, hash, bloom_choice),
  REQ_STRUCT(osdear__pq_bloom_header, 4, compression, bloom_choice),
};
TABLE(osdear__pq_bloom_header_thrift, "BloomFilterHeader", osdear__pq_bloom_header);

const char *osdear__pq_physical_name(int32_t physical)
{
  static const char *const names[] = { "BOOLEAN", "INT32",  "INT64",      "INT96",
                                       "FLOAT",   "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY" };

  return physical >= 0 && (size_t)physical < COUNT_OF(names) ? names[physical] : NULL;
}

const char *osdear__pq_encoding_name(int32_t encoding)
{
  static const char *const names[] = { "PLAIN",
                                       NULL,
                                       "PLAIN_DICTIONARY",
                                       "RLE",
                                       "BIT_PACKED",
                                       "DELTA_BINARY_PACKED",
                                       "DELTA_LENGTH_BYTE_ARRAY",
                                       "DELTA_BYTE_ARRAY",
                                       "RLE_DICTIONARY",
                                       "BYTE_STREAM_SPLIT" };

  return encoding >= 0 && (size_t)encoding < COUNT_OF(names) ? names[encoding] : NULL;
}
