#include "lake.h"

static void expect_commit(lake *here, const char *part)
{
  const char *text = lake_commit(here, 0);

  cr_assert(strstr(text, part), "\"%s\" is not in:\n%s", part, text);
}

Test(create, makes_version_0)
{
  lake here;
  osdear_table *table = NULL;
  osdear_snapshot *snapshot;

  lake_open(&here);
  OK(lake_create(&here, "id long!, p string", "P", "delta.checkpointInterval=7;my.own=x y", &table, WHY));
  cr_assert(osdear__starts_with(lake_commit(&here, 0), "{\"commitInfo\":"));
  expect_commit(&here, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n");
  expect_commit(&here, "\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[{\\\"name\\\":\\\"id\\\","
                       "\\\"type\\\":\\\"long\\\",\\\"nullable\\\":false,");
  expect_commit(&here, "\"partitionColumns\":[\"p\"]");
  expect_commit(&here, "\"configuration\":{\"delta.checkpointInterval\":\"7\",\"my.own\":\"x y\"}");
  expect_commit(&here, "\"operation\":\"CREATE TABLE\"");
  expect_commit(&here, "\"partitionBy\":\"[\\\"p\\\"]\"");
  snapshot = osdear_table_snapshot(table);
  cr_assert_eq(osdear_snapshot_version(snapshot), 0);
  osdear_snapshot_unref(snapshot);
  osdear_table_free(table);
  lake_close(&here);
}

static void expect_protocol(const char *type, const char *properties, const char *wanted)
{
  lake here;
  osdear_table *table = NULL;

  lake_open(&here);
  OK(lake_create(&here, type, NULL, properties, &table, WHY));
  expect_commit(&here, wanted);
  osdear_table_free(table);
  lake_close(&here);
}

Test(create, asks_for_no_more_protocol_than_is_needed)
{
  expect_protocol("a long", NULL, "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}");
  expect_protocol("a long", "delta.appendOnly=true", "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}");
  expect_protocol("a long", "delta.enableChangeDataFeed=true", "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":4}");
  expect_protocol("a long", "delta.minWriterVersion=5", "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":5}");
  expect_protocol("s struct<a:array<timestamp_ntz>>", NULL,
                  "\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"timestampNtz\"],"
                  "\"writerFeatures\":[\"appendOnly\",\"invariants\",\"timestampNtz\"]}");
  expect_protocol(
      "a long", "delta.feature.domainMetadata=supported",
      "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\",\"domainMetadata\",\"invariants\"]}");
  expect_protocol(
      "a long", "delta.feature.vacuumProtocolCheck=supported",
      "\"readerFeatures\":[\"vacuumProtocolCheck\"],\"writerFeatures\":[\"appendOnly\",\"invariants\",\"vacuumProtocolCheck\"]");
  expect_protocol("a long", "delta.checkpointPolicy=classic", "\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}");
  expect_protocol("a long", "delta.checkpointPolicy=v2",
                  "\"readerFeatures\":[\"v2Checkpoint\"],\"writerFeatures\":[\"appendOnly\",\"invariants\",\"v2Checkpoint\"]");
  expect_protocol("a long", "delta.minWriterVersion=3;delta.feature.domainMetadata=supported",
                  "\"writerFeatures\":[\"appendOnly\",\"checkConstraints\",\"domainMetadata\",\"invariants\"]");
}

Test(create, never_stores_properties_that_only_ask_for_protocol)
{
  expect_protocol("a long", "delta.minReaderVersion=1;delta.feature.domainMetadata=supported;DELTA.APPENDONLY=true",
                  "\"configuration\":{\"delta.appendOnly\":\"true\"}");
}

static void expect_refused(const char *type, const char *partition_by, const char *properties, osdear_status status,
                           const char *part)
{
  lake here;
  osdear_table *table = NULL;

  lake_open(&here);
  FAILS(lake_create(&here, type, partition_by, properties, &table, WHY), status, part);
  cr_assert_null(table);
  cr_assert_str_eq(lake_commit(&here, 0), "");
  lake_close(&here);
}

Test(create, refuses_properties_by_name)
{
  expect_refused("a long", NULL, "delta.noSuchThing=1", OSDEAR_ERR_ARGUMENT, "delta.noSuchThing");
  expect_refused("a long", NULL, "delta.appendOnly=maybe", OSDEAR_ERR_ARGUMENT, "true or false");
  expect_refused("a long", NULL, "delta.checkpointInterval=0", OSDEAR_ERR_ARGUMENT, "delta.checkpointInterval");
  expect_refused("a long", NULL, "delta.logRetentionDuration=soon", OSDEAR_ERR_ARGUMENT, "interval 7 days");
  expect_refused("a long", NULL, "delta.targetFileSize=big", OSDEAR_ERR_ARGUMENT, "128mb");
  expect_refused("a long", NULL, "delta.isolationLevel=Loose", OSDEAR_ERR_ARGUMENT, "WriteSerializable");
  expect_refused("a long", NULL, "delta.parquet.compression.codec=lzo", OSDEAR_ERR_ARGUMENT, "codec");
  expect_refused("a long", NULL, "delta.dataSkippingStatsColumns=a,b", OSDEAR_ERR_ARGUMENT, "\"b\"");
  expect_refused("a long", NULL, "delta.appendOnly=true;delta.APPENDONLY=false", OSDEAR_ERR_ARGUMENT, "twice");
  expect_refused("a long", NULL, "delta.minWriterVersion=8", OSDEAR_ERR_UNSUPPORTED, "8");
  expect_refused("a long", NULL, "delta.minReaderVersion=x", OSDEAR_ERR_ARGUMENT, "1 to 3");
  expect_refused("a long", NULL, "delta.feature.martian=supported", OSDEAR_ERR_UNSUPPORTED, "martian");
  expect_refused("a long", NULL, "delta.feature.appendOnly=perhaps", OSDEAR_ERR_ARGUMENT, "supported");
  expect_refused("a long", NULL, "delta.constraints.c=a > 0", OSDEAR_ERR_UNSUPPORTED, "checkConstraints");
  expect_refused("a long", NULL, "delta.columnMapping.mode=name", OSDEAR_ERR_UNSUPPORTED, "columnMapping");
  expect_refused("a long", NULL, "delta.enableDeletionVectors=true", OSDEAR_ERR_UNSUPPORTED, "deletionVectors");
  expect_refused("a long", NULL, "delta.enableRowTracking=true", OSDEAR_ERR_UNSUPPORTED, "rowTracking");
  expect_refused("a long", NULL, "delta.checkpointPolicy=v3", OSDEAR_ERR_ARGUMENT, "classic|v2");
}

Test(create, refuses_columns_by_name)
{
  expect_refused("a long", "b", NULL, OSDEAR_ERR_ARGUMENT, "\"b\"");
  expect_refused("a long, b long", "b,B", NULL, OSDEAR_ERR_ARGUMENT, "twice");
  expect_refused("a long", "a", NULL, OSDEAR_ERR_ARGUMENT, "all of its columns");
  expect_refused("a long, s struct<b:long>", "s", NULL, OSDEAR_ERR_ARGUMENT, "nested");
  expect_refused("a long, v void", NULL, NULL, OSDEAR_ERR_UNSUPPORTED, "\"v\"");
}

Test(create, leaves_a_table_alone_that_is_there)
{
  osdear_table_create_options options = OSDEAR_TABLE_CREATE_OPTIONS_INIT;
  struct ArrowSchema schema, other;
  lake here;
  osdear_table *first = NULL, *second = NULL;
  const char *before;

  lake_open(&here);
  OK(osdear__schema_export(lake_type(&here, "a long"), &schema, WHY));
  OK(osdear__schema_export(lake_type(&here, "a string"), &other, WHY));
  OK(osdear_table_create(here.context, here.folder, &schema, &options, &first, WHY));
  before = lake_commit(&here, 0);
  FAILS(osdear_table_create(here.context, here.folder, &schema, &options, &second, WHY), OSDEAR_ERR_EXISTS, "already");
  options.if_not_exists = 1;
  OK(osdear_table_create(here.context, here.folder, &schema, &options, &second, WHY));
  osdear_table_free(second);
  second = NULL;
  FAILS(osdear_table_create(here.context, here.folder, &other, &options, &second, WHY), OSDEAR_ERR_EXISTS, "another schema");
  cr_assert_str_eq(lake_commit(&here, 0), before);
  osdear_table_free(first);
  osdear__schema_drop(&schema);
  osdear__schema_drop(&other);
  lake_close(&here);
}

Test(create, refuses_a_folder_of_other_files)
{
  lake here;
  osdear_table *table = NULL;

  lake_open(&here);
  OK(osdear__store_put(here.store, "notes/readme.txt", "x", 1, WHY));
  FAILS(lake_create(&here, "a long", NULL, NULL, &table, WHY), OSDEAR_ERR_EXISTS, "notes/readme.txt");
  lake_close(&here);
}

Test(create, opens_no_table_where_none_is)
{
  lake here;
  osdear_table *table = NULL;

  lake_open(&here);
  FAILS(osdear_table_open(here.context, here.folder, NULL, &table, WHY), OSDEAR_ERR_NOT_FOUND, here.folder);
  FAILS(osdear_table_open(here.context, NULL, NULL, &table, WHY), OSDEAR_ERR_ARGUMENT, "NULL");
  FAILS(osdear_table_create(here.context, here.folder, NULL, NULL, &table, WHY), OSDEAR_ERR_ARGUMENT, "NULL");
  lake_close(&here);
}

#ifdef OSDEAR_FAULTS

Test(create, survives_every_failing_allocation_and_write, .timeout = 120)
{
  static const osdear__fault_kind kinds[] = { FAULT_ALLOC, FAULT_WRITE, FAULT_READ };

  for (size_t kind = 0; kind < COUNT_OF(kinds); kind++)
    for (int64_t n = 0;; n++) {
      struct ArrowSchema schema;
      osdear_table *table = NULL;
      osdear_error *error = NULL;
      int64_t live, failed;
      osdear_status st;
      lake here;

      lake_open(&here);
      OK(osdear__schema_export(lake_type(&here, "a long, t timestamp_ntz"), &schema, WHY));
      live = osdear__live();
      osdear__fault_arm(kinds[kind], n, false);
      st = osdear_table_create(here.context, here.folder, &schema, NULL, &table, &error);
      failed = osdear__fault_count();
      osdear__fault_disarm();
      cr_assert_eq(st == OSDEAR_OK, table != NULL);
      cr_assert_eq(st, osdear_error_status(error));
      osdear_table_free(table);
      osdear_error_free(error);
      cr_assert_eq(osdear__live(), live, "leak when call %lld of kind %d fails", (long long)n, (int)kinds[kind]);
      osdear__schema_drop(&schema);
      lake_close(&here);
      if (failed == 0) {
        cr_assert_eq(st, OSDEAR_OK);
        break;
      }
    }
}

#endif
