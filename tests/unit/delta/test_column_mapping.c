/* Column mapping: names and ids in files, statistics and partition values; and type changes. */
#include "fixture.h"
#include "lake.h"

#include <delta/scan.h>

#define MAP(id, name) "\"metadata\":{\"delta.columnMapping.id\":" #id ",\"delta.columnMapping.physicalName\":\"" name "\"}"

static osdear__metadata metadata_of(osdear__arena *arena, const char *mode, const char *fields)
{
  osdear__metadata metadata = { 0 };
  osdear_pair *pair = osdear__arena_zeroed(arena, 1, sizeof *pair);
  char *schema = osdear__arena_printf(arena, "{\"type\":\"struct\",\"fields\":[%s]}", fields);

  *pair = (osdear_pair){ "delta.columnMapping.mode", mode };
  metadata.properties = pair;
  metadata.property_count = 1;
  cr_assert_eq(osdear__delta_schema_parse(schema, arena, &metadata.schema, NULL), OSDEAR_OK);
  return metadata;
}

static void expect_refused(const char *mode, const char *fields, osdear_status status, const char *words)
{
  SCOPED(arena) arena = { 0 };
  osdear__metadata metadata = metadata_of(&arena, mode, fields);
  osdear_error *error = NULL;

  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 2, 5, NULL, NULL }, &metadata, &arena, &error), status, "%s", words);
  cr_assert(strstr(osdear_error_message(error), words), "%s: %s", words, osdear_error_message(error));
  osdear_error_free(error);
}

#define TWO                                                                                                                   \
  "{\"name\":\"a\",\"type\":\"long\"," MAP(1, "x") "},{\"name\":\"b\",\"type\":{\"type\":\"array\",\"elementType\":"          \
                                                   "{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"long\"," MAP( \
                                                       3, "y") "}]}}," MAP(2, "z") "}"

Test(column_mapping, names_and_ids_are_taken_at_every_depth)
{
  SCOPED(arena) arena = { 0 };
  osdear__metadata metadata = metadata_of(&arena, "id", TWO);
  const osdear__field *element;

  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 2, 5, NULL, NULL }, &metadata, &arena, NULL), OSDEAR_OK);
  cr_assert_eq(metadata.mapping, MAPPING_ID);
  cr_assert_str_eq(metadata.physical.fields[0].name, "x");
  cr_assert_str_eq(metadata.schema.fields[0].name, "a");
  cr_assert_eq(metadata.physical.fields[1].field_id, 2);
  element = &metadata.physical.fields[1].type.fields[0];
  cr_assert_str_eq(element->name, "element");
  cr_assert_str_eq(element->type.fields[0].name, "y");
  cr_assert_eq(element->type.fields[0].field_id, 3);
}

Test(column_mapping, counts_only_where_the_protocol_has_it)
{
  SCOPED(arena) arena = { 0 };
  const char *features[] = { "columnMapping", NULL }, *others[] = { "timestampNtz", NULL };
  osdear__metadata metadata = metadata_of(&arena, "name", TWO);

  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 1, 2, NULL, NULL }, &metadata, &arena, NULL), OSDEAR_OK);
  cr_assert_eq(metadata.mapping, MAPPING_NONE);
  cr_assert_str_eq(metadata.physical.fields[0].name, "a");
  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 3, 7, others, others }, &metadata, &arena, NULL), OSDEAR_OK);
  cr_assert_eq(metadata.mapping, MAPPING_NONE);
  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 3, 7, features, features }, &metadata, &arena, NULL), OSDEAR_OK);
  cr_assert_eq(metadata.mapping, MAPPING_NAME);
}

Test(column_mapping, what_cannot_be_told_apart_is_refused)
{
  expect_refused("name", "{\"name\":\"a\",\"type\":\"long\"}", OSDEAR_ERR_CORRUPT, "delta.columnMapping.id of `a`");
  expect_refused("name", "{\"name\":\"a\",\"type\":\"long\",\"metadata\":{\"delta.columnMapping.id\":1}}", OSDEAR_ERR_CORRUPT,
                 "physicalName of `a`");
  expect_refused("name", "{\"name\":\"a\",\"type\":\"long\"," MAP(-1, "x") "}", OSDEAR_ERR_CORRUPT,
                 "delta.columnMapping.id of `a`");
  expect_refused("name", "{\"name\":\"a\",\"type\":\"long\"," MAP(1, "x") "},{\"name\":\"b\",\"type\":\"long\"," MAP(1, "y") "}",
                 OSDEAR_ERR_CORRUPT, "another one has the delta.columnMapping.id of `b`");
  expect_refused("name", "{\"name\":\"a\",\"type\":\"long\"," MAP(1, "x") "},{\"name\":\"b\",\"type\":\"long\"," MAP(2, "x") "}",
                 OSDEAR_ERR_CORRUPT, "the physical name `x`");
  expect_refused("uuid", TWO, OSDEAR_ERR_UNSUPPORTED, "`uuid`");
}

/* ---- tables ---- */

static void put_escaped(osdear__buf *out, const char *text)
{
  for (; *text; text++) {
    if (*text == '"' || *text == '\\')
      osdear__buf_putc(out, '\\');
    osdear__buf_putc(out, *text);
  }
}

/* A file under `stored` fields, in a table of `fields`, partitioned by `p`, whose physical name is `q`. */
static fixture make_table(const char *name, const char *mode, const char *fields, const char *stored, const char *rows,
                          const char *stats)
{
  fixture f = fixture_open(name);
  SCOPED(buf) text = { 0 };
  osdear__store_item item;

  fixture_parquet(&f, "f", stored, rows, 0);
  cr_assert_eq(osdear__store_stat(f.store, "f", &item, NULL), OSDEAR_OK);
  osdear__buf_puts(
      &text,
      "{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":"
      "\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[");
  put_escaped(&text, fields);
  osdear__buf_printf(
      &text,
      "]}\",\"partitionColumns\":[\"p\"],\"configuration\":{\"delta.columnMapping.mode\":\"%s\"}}}\n{\"add\":{\"path\":\"f\","
      "\"partitionValues\":{\"q\":\"7\",\"p\":\"8\"},\"size\":%" PRId64
      ",\"modificationTime\":5,\"dataChange\":true,\"stats\":\"",
      mode, item.size_bytes);
  put_escaped(&text, stats);
  osdear__buf_puts(&text, "\"}}\n");
  fixture_commit(&f, 0, text.data);
  return f;
}

static void append_row(osdear__buf *out, const struct ArrowArray *batch, int64_t row)
{
  for (int64_t c = 0; c < batch->n_children; c++) {
    const struct ArrowArray *column = batch->children[c];
    while (column->n_children)
      column = column->children[0];
    if (osdear__is_valid(column, row))
      osdear__buf_printf(out, "%s%" PRId64, c ? "," : "", ((const int64_t *)column->buffers[1])[row]);
    else
      osdear__buf_printf(out, "%snull", c ? "," : "");
  }
  osdear__buf_putc(out, ' ');
}

/* Every row's columns, which hold a long at their innermost. */
static void expect_rows(fixture *f, const char *where, const char *rows)
{
  osdear_scan_options options = OSDEAR_SCAN_OPTIONS_INIT;
  osdear_snapshot *snapshot = fixture_load(f, -1);
  osdear_scan *scan = NULL;
  struct ArrowArrayStream stream = { 0 };
  struct ArrowArray batch = { 0 };
  SCOPED(buf) text = { 0 };

  options.where = where;
  cr_assert_eq(osdear_scan_new(snapshot, &options, &scan, NULL), OSDEAR_OK);
  cr_assert_eq(osdear_scan_stream(scan, &stream, NULL), OSDEAR_OK);
  while (stream.get_next(&stream, &batch) == 0 && batch.release) {
    for (int64_t i = 0; i < batch.length; i++)
      append_row(&text, &batch, i);
    batch.release(&batch);
  }
  if (osdear_stream_error(&stream))
    osdear__buf_puts(&text, osdear_error_message(osdear_stream_error(&stream)));
  cr_assert(strstr(text.data ? text.data : "", rows), "%s: %s", where, text.data ? text.data : "");
  stream.release(&stream);
  osdear_scan_free(scan);
  osdear_snapshot_unref(snapshot);
}

#define MAPPED_FIELDS                                                                                         \
  "{\"name\":\"a\",\"type\":\"long\"," MAP(                                                                   \
      1, "x") "},{\"name\":\"x\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"c\","                  \
              "\"type\":\"long\"," MAP(3, "y") "}]}," MAP(2, "z") "},{\"name\":\"p\",\"type\":\"long\"," MAP( \
                  4, "q") "},{\"name\":\"new\","                                                              \
                          "\"type\":\"long\"," MAP(5, "w") "}"
#define STATS                                                                                                                \
  "{\"numRecords\":2,\"minValues\":{\"x\":10,\"a\":90,\"z\":{\"y\":20}},\"maxValues\":{\"x\":11,\"a\":99,\"z\":{\"y\":21}}," \
  "\"nullCount\":{\"x\":0}}"
#define NESTED_FIELD                                                                                                       \
  "{\"name\":\"z\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"c\",\"type\":\"long\"},{\"name\":\"y\",\"type\":" \
  "\"long\"}]}}"
#define ROWS "[{\"x\":10,\"a\":90,\"z\":{\"c\":0,\"y\":20}},{\"x\":11,\"a\":99,\"z\":{\"c\":0,\"y\":21}}]"

Test(column_mapping, columns_are_found_by_their_physical_names)
{
  fixture f = make_table("mapping-name", "name", MAPPED_FIELDS,
                         "[{\"name\":\"a\",\"type\":\"long\"}," NESTED_FIELD ",{\"name\":\"x\",\"type\":\"long\"}]", ROWS, STATS);

  expect_rows(&f, NULL, "10,20,7,null 11,21,7,null ");
  expect_rows(&f, "a = 11", "11,21,7,null ");
  expect_rows(&f, "x.c = 20 AND p = 7", "10,20,7,null ");
  expect_rows(&f, "new IS NULL AND a < 11", "10,20,7,null ");
  fixture_close(&f);
}

/* What the file calls `x` has another id: it is another column. */
Test(column_mapping, columns_are_found_by_their_ids_whatever_they_are_called)
{
  fixture f = fixture_open("mapping-id");
  osdear__field inner[] = { { "y", true, 9, NULL, { .kind = KIND_LONG } }, { "d", true, 3, NULL, { .kind = KIND_LONG } } };
  osdear__field fields[] = { { "x", true, 77, NULL, { .kind = KIND_LONG } },
                             { "n", true, 2, NULL, { .kind = KIND_STRUCT, .field_count = 2, .fields = inner } },
                             { "k", true, 1, NULL, { .kind = KIND_LONG } } };
  const osdear__type theirs = { .kind = KIND_STRUCT, .field_count = 3, .fields = fields };
  SCOPED(arena) arena = { 0 };
  osdear__metadata metadata = metadata_of(&arena, "id", MAPPED_FIELDS);
  const bool needed[] = { true, true, true, true };
  osdear__scan_columns columns;

  cr_assert_eq(osdear__map_columns(&(osdear__protocol){ 2, 5, NULL, NULL }, &metadata, &arena, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__scan_bind(MAPPING_ID, &metadata.physical, &theirs, needed, &arena, &columns, NULL), OSDEAR_OK);
  cr_assert_eq(columns.from[0], 2);
  cr_assert_eq(columns.from[1], 1);
  cr_assert_eq(columns.from[2], -1);
  cr_assert_eq(columns.from[3], -1);
  cr_assert_eq(columns.want[1].type.field_count, 1);
  cr_assert_str_eq(columns.want[1].type.fields[0].name, "d");
  cr_assert_str_eq(columns.as[1].fields[0].name, "y");
  fixture_close(&f);
}

Test(column_mapping, a_file_without_ids_is_refused_where_ids_map)
{
  fixture f = make_table("mapping-no-ids", "id", MAPPED_FIELDS,
                         "[{\"name\":\"a\",\"type\":\"long\"}," NESTED_FIELD ",{\"name\":\"x\",\"type\":\"long\"}]", ROWS, STATS);

  expect_rows(&f, NULL, "no field ids");
  fixture_close(&f);
}

/* What is appended has the physical names and the ids, in files, statistics and partition values, and comes back under the table's. */
Test(column_mapping, what_is_appended_is_written_by_physical_names_and_ids)
{
  fixture f = make_table("mapping-append", "name", MAPPED_FIELDS, "[{\"name\":\"x\",\"type\":\"long\"}]", "[]", "{}");
  lake l = { .context = f.context };
  const osdear__type *type = lake_type(&l, "a long, x struct<c:long>, p long, new long");
  osdear_table *table = NULL;
  osdear_snapshot *snapshot = NULL;
  AUTO(file_iterator) files = NULL;
  AUTO(parquet) parquet = NULL;
  const osdear__file *file;
  osdear__input *input = NULL;
  const osdear__type *stored;
  struct ArrowArrayStream rows;

  OK(osdear_table_open(f.context, f.uri, NULL, &table, WHY));
  lake_rows(&l, type, "[{\"a\":1,\"x\":{\"c\":2},\"p\":3,\"new\":4}]", &rows);
  OK(osdear_table_append(table, &rows, NULL, NULL, WHY));
  snapshot = fixture_load(&f, 1);
  OK(osdear__file_iterator_new(snapshot, NULL, &files, WHY));
  OK(osdear__file_iterator_next(files, &file, WHY));
  cr_assert(osdear__str_is(file->partition[0].column, "q"));
  cr_assert(osdear__str_is(file->partition[0].value, "3"));
  cr_assert(osdear__str_is(file->stats,
                           "{\"numRecords\":1,\"minValues\":{\"x\":1,\"z\":{\"y\":2},\"w\":4},\"maxValues\":{\"x\":1,"
                           "\"z\":{\"y\":2},\"w\":4},\"nullCount\":{\"x\":0,\"z\":{\"y\":0},\"w\":0}}"),
            "%.*s", (int)file->stats.size, file->stats.data);
  OK(osdear__store_open_input(f.store, osdear__arena_strndup(&l.arena, file->path.data, file->path.size), -1, &input, WHY));
  OK(osdear__parquet_open(input, NULL, &parquet, WHY));
  stored = osdear__parquet_type(parquet);
  cr_assert_str_eq(stored->fields[0].name, "x");
  cr_assert_eq(stored->fields[0].field_id, 1);
  cr_assert_eq(stored->fields[1].type.fields[0].field_id, 3);
  expect_rows(&f, "a = 1", "1,2,3,4 ");
  osdear_snapshot_unref(snapshot);
  osdear_table_free(table);
  osdear__arena_drop(&l.arena);
  fixture_close(&f);
}

/* ---- type changes ---- */

static osdear_status check(const char *from, const char *to)
{
  SCOPED(arena) arena = { 0 };
  osdear__type type;
  char *text = osdear__arena_printf(
      &arena,
      "{\"type\":\"struct\",\"fields\":[{\"name\":\"s\",\"type\":{\"type\":\"struct\",\"fields\":[{\"name\":\"a\","
      "\"type\":\"long\",\"metadata\":{\"delta.typeChanges\":[{\"fromType\":\"%s\",\"toType\":\"%s\"}]}}]}}]}",
      from, to);

  cr_assert_eq(osdear__delta_schema_parse(text, &arena, &type, NULL), OSDEAR_OK);
  return osdear__type_changes_check(&type, NULL);
}

Test(type_changes, those_of_the_protocol_are_allowed_and_no_others)
{
  static const char *const allowed[][2] = {
    { "byte", "short" },
    { "byte", "long" },
    { "short", "integer" },
    { "integer", "long" },
    { "float", "double" },
    { "integer", "double" },
    { "date", "timestamp_ntz" },
    { "decimal(10,2)", "decimal(12,4)" },
    { "decimal(10,2)", "decimal(20,2)" },
    { "short", "decimal(10,0)" },
    { "integer", "decimal(12,2)" },
    { "long", "decimal(20,0)" },
  };
  static const char *const refused[][2] = {
    { "long", "integer" },
    { "long", "double" },
    { "double", "float" },
    { "decimal(10,2)", "decimal(10,3)" },
    { "decimal(10,2)", "decimal(9,2)" },
    { "integer", "decimal(9,0)" },
    { "long", "decimal(19,0)" },
    { "date", "timestamp" },
    { "string", "binary" },
    { "integer", "martian" },
  };

  for (size_t i = 0; i < COUNT_OF(allowed); i++)
    cr_assert_eq(check(allowed[i][0], allowed[i][1]), OSDEAR_OK, "%s to %s", allowed[i][0], allowed[i][1]);
  for (size_t i = 0; i < COUNT_OF(refused); i++)
    cr_assert_eq(check(refused[i][0], refused[i][1]), OSDEAR_ERR_UNSUPPORTED, "%s to %s", refused[i][0], refused[i][1]);
}
