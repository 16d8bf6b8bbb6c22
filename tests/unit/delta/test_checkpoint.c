#include "lake.h"

#include <delta/log/log.h>

#include <delta/write.h>
#include <stdio.h>

static osdear_status checksum_of(const char *json, char out[33], osdear_error **error)
{
  SCOPED(arena) arena = { 0 };
  osdear__json *object = NULL;
  osdear_status st = osdear__json_read(osdear__str_of(json), "text", &arena, &object, error);

  return st ? st : osdear__json_checksum(object, out, error);
}

/* The example of the protocol's text. */
Test(checkpoint, checksums_are_the_protocols)
{
  char checksum[33];

  OK(checksum_of("{\"k0\":\"'v 0'\",\"checksum\":\"adsaskfljadfkjadfkj\",\"k1\":{\"k2\":2,\"k3\":[\"v3\",[1,2],"
                 "{\"k4\":\"v4\",\"k5\":[\"v5\",\"v6\",\"v7\"]}]}}",
                 checksum, WHY));
  cr_assert_str_eq(checksum, "6a92d155a59bf2eecbd4b4ec7fd1f875");
  FAILS(checksum_of("{\"a\":1,\"a\":2}", checksum, WHY), OSDEAR_ERR_CORRUPT, "twice");
}

static void drop_commits(lake *here, int64_t from, int64_t to)
{
  for (int64_t version = from; version <= to; version++) {
    char path[OSDEAR__LOG_PATH];
    osdear__log_commit_path(version, path);
    OK(osdear__store_delete(here->store, path, WHY));
  }
}

Test(checkpoint, is_written_every_so_many_commits)
{
  osdear__store_item item;
  osdear_table *table = NULL;
  const char *rows;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", "delta.checkpointInterval=4", &table, WHY));
  for (int i = 0; i < 9; i++)
    OK(lake_append(&here, table, "[{\"id\":1,\"p\":\"a\"},{\"id\":2}]", NULL, NULL, WHY));
  OK(osdear__store_stat(here.store, "_delta_log/00000000000000000004.checkpoint.parquet", &item, WHY));
  OK(osdear__store_stat(here.store, "_delta_log/00000000000000000008.checkpoint.parquet", &item, WHY));
  cr_assert(osdear__starts_with(lake_text(&here, "_delta_log/_last_checkpoint"), "{\"version\":8,\"size\":18,\"sizeInBytes\":"));
  cr_assert(strstr(lake_text(&here, "_delta_log/_last_checkpoint"), "\"numOfAddFiles\":16,\"checksum\":\""));
  rows = lake_read(&here);
  drop_commits(&here, 0, 7);
  cr_assert_str_eq(lake_read(&here), rows);
  osdear_table_free(table);
  lake_close(&here);
}

Test(checkpoint, keeps_all_that_a_state_is)
{
  static const char domain[] = "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"{}\",\"removed\":false}}\n";
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_snapshot *before, *after = NULL;
  osdear_table *table = NULL;
  const char *rows;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, t timestamp_ntz, p string", "p", "my.own=x;delta.dataSkippingNumIndexedCols=1", &table, WHY));
  options.app_id = "job";
  options.app_version = 3;
  OK(lake_append(&here, table, "[{\"id\":1,\"p\":\"a b\"},{\"id\":2}]", &options, NULL, WHY));
  OK(osdear__store_put_if_absent(here.store, "_delta_log/00000000000000000002.json", domain, sizeof domain - 1, WHY));
  OK(osdear_table_refresh(table, WHY));
  options.app_id = NULL;
  options.where = "p = 'a b'";
  OK(lake_overwrite(&here, table, "[{\"id\":3,\"p\":\"a b\"}]", &options, NULL, WHY));
  rows = lake_read(&here);
  before = osdear_table_snapshot(table);
  OK(osdear_table_checkpoint(table, WHY));
  OK(osdear_table_checkpoint(table, WHY)); /* again: nothing to do */
  drop_commits(&here, 0, 3);
  cr_assert_str_eq(lake_read(&here), rows);
  OK(osdear_snapshot_open(here.context, here.folder, NULL, &after, WHY));
  cr_assert_eq(after->txn_count, 1);
  cr_assert_str_eq(after->txns[0].app_id, "job");
  cr_assert_eq(after->txns[0].version, 3);
  cr_assert_eq(after->domain_count, 1);
  cr_assert_str_eq(after->domains[0].name, "d");
  cr_assert_str_eq(after->metadata.id, before->metadata.id);
  cr_assert_str_eq(after->metadata.schema_json, before->metadata.schema_json);
  cr_assert_eq(after->metadata.property_count, before->metadata.property_count);
  cr_assert_eq(after->metadata.created_ms, before->metadata.created_ms);
  cr_assert_eq(after->protocol.min_reader, 3);
  cr_assert_str_eq(after->protocol.reader_features[0], "timestampNtz");
  osdear_snapshot_unref(before);
  osdear_snapshot_unref(after);
  osdear_table_free(table);
  lake_close(&here);
}

/* What the files of the newest version are said to be. */
static const char *files_of(lake *here, unsigned want)
{
  AUTO(file_iterator) iterator = NULL;
  SCOPED(buf) all = { 0 };
  osdear_snapshot *snapshot = NULL;
  const osdear__file *file = NULL;

  OK(osdear_snapshot_open(here->context, here->folder, NULL, &snapshot, WHY));
  OK(osdear__file_iterator_open(snapshot, NULL, want, &iterator, WHY));
  for (;;) {
    osdear__file copy;
    OK(osdear__file_iterator_next(iterator, &file, WHY));
    if (!file)
      break;
    copy = *file;
    copy.data_change = true;
    osdear__action_print_add(&copy, &all);
  }
  osdear_snapshot_unref(snapshot);
  return osdear__arena_strdup(&here->arena, all.data ? all.data : "");
}

Test(checkpoint, gives_back_files_with_all_their_fields)
{
  static const char commit[] =
      "{\"add\":{\"path\":\"x%20y\",\"partitionValues\":{\"p\":\"a\"},\"size\":5,\"modificationTime\":6,\"dataChange\":true,"
      "\"stats\":\"{\\\"numRecords\\\":1}\",\"tags\":{\"k\":\"v\",\"n\":null},\"deletionVector\":{\"storageType\":\"u\","
      "\"pathOrInlineDv\":\"ab^-aqEH.-t@S}K{vb[*k^\","
      "\"offset\":1,\"sizeInBytes\":36,\"cardinality\":2},\"baseRowId\":7,\"defaultRowCommitVersion\":8,\"clusteringProvider\":\"liquid\"}}\n";
  osdear_table *table = NULL;
  const char *before;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", NULL, &table, WHY));
  OK(osdear__store_put_if_absent(here.store, "_delta_log/00000000000000000001.json", commit, sizeof commit - 1, WHY));
  OK(osdear_table_refresh(table, WHY));
  before = files_of(&here, FILES_STATS | FILES_TAGS);
  cr_assert_str_eq(before, commit);
  OK(osdear_table_checkpoint(table, WHY));
  drop_commits(&here, 0, 1);
  cr_assert_str_eq(files_of(&here, FILES_STATS | FILES_TAGS), before);
  osdear_table_free(table);
  lake_close(&here);
}

/* Statistics made of typed columns give timestamps all their digits. */
static const char *without_zeros(lake *here, const char *text)
{
  SCOPED(buf) out = { 0 };

  for (; *text; text++) {
    if (osdear__starts_with(text, "000Z"))
      text += 3;
    osdear__buf_putc(&out, *text);
  }
  return osdear__arena_strdup(&here->arena, out.data);
}

static void expect_stats(const char *properties, bool has)
{
  osdear_table *table = NULL;
  const char *before, *after;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, s struct<a:int,t:timestamp>, l array<int>, x binary, n string, p date", "p", properties, &table,
                 WHY));
  OK(lake_append(&here, table,
                 "[{\"id\":1,\"s\":{\"a\":2,\"t\":\"2024-01-01T00:00:00.123456Z\"},\"l\":[1],\"x\":\"a\",\"p\":\"2024-01-01\"},"
                 "{\"id\":5,\"n\":\"z\",\"p\":\"2024-01-01\"}]",
                 NULL, NULL, WHY));
  before = files_of(&here, FILES_STATS);
  OK(osdear_table_checkpoint(table, WHY));
  drop_commits(&here, 0, 1);
  after = files_of(&here, FILES_STATS);
  if (has)
    cr_assert_str_eq(without_zeros(&here, after), before);
  else
    cr_assert(strstr(before, "\"stats\"") && !strstr(after, "\"stats\""));
  osdear_table_free(table);
  lake_close(&here);
}

Test(checkpoint, keeps_statistics_in_the_forms_the_table_wants)
{
  expect_stats(NULL, true);
  expect_stats("delta.checkpoint.writeStatsAsStruct=true", true);
  expect_stats("delta.checkpoint.writeStatsAsStruct=true;delta.checkpoint.writeStatsAsJson=false", true);
  expect_stats("delta.checkpoint.writeStatsAsJson=false", false);
}

/* Wide bounds taken for tight ones would answer questions that only tight ones can. */
Test(checkpoint, keeps_in_typed_columns_whether_bounds_are_tight)
{
  static const char *const said[] = { ",\\\"tightBounds\\\":false", ",\\\"tightBounds\\\":true", "" };

  for (size_t i = 0; i < COUNT_OF(said); i++) {
    osdear_table *table = NULL;
    char commit[512];
    const char *before;
    lake here;

    lake_open(&here);
    OK(lake_create(&here, "id long", NULL, "delta.checkpoint.writeStatsAsStruct=true;delta.checkpoint.writeStatsAsJson=false",
                   &table, WHY));
    snprintf(commit, sizeof commit,
             "{\"add\":{\"path\":\"f\",\"partitionValues\":{},\"size\":5,\"modificationTime\":6,\"dataChange\":true,"
             "\"stats\":\"{\\\"numRecords\\\":2,\\\"minValues\\\":{\\\"id\\\":1},\\\"maxValues\\\":{\\\"id\\\":5},"
             "\\\"nullCount\\\":{\\\"id\\\":0}%s}\"}}\n",
             said[i]);
    OK(osdear__store_put_if_absent(here.store, "_delta_log/00000000000000000001.json", commit, strlen(commit), WHY));
    OK(osdear_table_refresh(table, WHY));
    before = files_of(&here, FILES_STATS);
    OK(osdear_table_checkpoint(table, WHY));
    drop_commits(&here, 0, 1);
    cr_assert_str_eq(files_of(&here, FILES_STATS), before);
    osdear_table_free(table);
    lake_close(&here);
  }
}

Test(checkpoint, that_fails_does_not_fail_the_commit)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, "delta.checkpointInterval=1", &table, WHY));
  OK(osdear__store_put(here.store, "_delta_log/_last_checkpoint/in-the-way", "x", 1, WHY));
  OK(lake_append(&here, table, "[{\"id\":1}]", NULL, &result, WHY));
  cr_assert_eq(result.version, 1);
  cr_assert_str_eq(lake_read(&here), "{\"id\":1}\n");
  osdear_table_free(table);
  lake_close(&here);
}

/* Spark's clean-up of a log trusts a checkpoint by its name. */
Test(checkpoint, takes_the_place_of_one_that_is_damaged)
{
  osdear_table *table = NULL;
  char path[OSDEAR__LOG_PATH];
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  OK(lake_append(&here, table, "[{\"id\":1},{\"id\":2}]", NULL, NULL, WHY));
  osdear__log_checkpoint_path(1, path);
  OK(osdear__store_put(here.store, path, "PAR1 and no more", 16, WHY));
  OK(osdear_table_checkpoint(table, WHY));
  OK(osdear_table_checkpoint(table, WHY)); /* one that is sound stays */
  drop_commits(&here, 0, 1);
  cr_assert_eq(lake_count(lake_read(&here), "\n"), 2);
  osdear_table_free(table);
  lake_close(&here);
}

/* What a feature of the future has put into the log would be lost. */
Test(checkpoint, is_refused_where_it_might_lose_something)
{
  static const char *const protocols[] = {
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"rowTracking\",\"ofTheFuture\"]}}\n",
    "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":8}}\n",
  };

  for (size_t i = 0; i < COUNT_OF(protocols); i++) {
    AUTO(error) error = NULL;
    osdear_table *table = NULL;
    lake here;

    lake_open(&here);
    OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
    OK(osdear__store_put(here.store, "_delta_log/00000000000000000001.json", protocols[i], strlen(protocols[i]), WHY));
    OK(osdear_table_refresh(table, WHY));
    cr_assert_eq(osdear_table_checkpoint(table, &error), OSDEAR_ERR_UNSUPPORTED);
    cr_assert(strstr(osdear_error_message(error), i ? "minWriterVersion 8" : "features: ofTheFuture"), "%s",
              osdear_error_message(error));
    osdear_table_free(table);
    lake_close(&here);
  }
}

/* The property alone is not enough: the protocol must say that readers know of it. */
Test(checkpoint, says_that_it_is_v2_where_the_table_asks_for_it)
{
  static const char v2_table[] =
      "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"v2Checkpoint\"],"
      "\"writerFeatures\":[\"v2Checkpoint\"]}}\n"
      "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\","
      "\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"long\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
      "\"partitionColumns\":[],\"configuration\":{\"delta.checkpointPolicy\":\"v2\"}}}\n";
  osdear_table *table = NULL;
  osdear_snapshot *snapshot;
  lake here;

  lake_open(&here);
  OK(osdear__store_put(here.store, "_delta_log/00000000000000000000.json", v2_table, sizeof v2_table - 1, WHY));
  OK(osdear_table_open(here.context, here.folder, NULL, &table, WHY));
  OK(lake_append(&here, table, "[{\"id\":1}]", NULL, NULL, WHY));
  OK(osdear_table_checkpoint(table, WHY));
  osdear_table_free(table);
  drop_commits(&here, 0, 1);
  cr_assert_str_eq(lake_read(&here), "{\"id\":1}\n");
  OK(osdear__snapshot_load(here.context, here.store, NULL, NULL, &snapshot, WHY));
  cr_assert(snapshot->checkpoint->has_metadata);
  osdear_snapshot_unref(snapshot);
  lake_close(&here);
}

static int warnings;
static char warned[400];

static void keep_warning(void *argument, osdear_log_level level, const char *component, const char *message)
{
  (void)argument, (void)level, (void)component;
  warnings++;
  strncpy(warned, message, sizeof warned - 1);
}

static void expect_checksum(const char *text, int expected, const char *words)
{
  osdear_context_options options = OSDEAR_CONTEXT_OPTIONS_INIT;
  osdear_context *context = NULL;
  osdear_table *table = NULL;
  lake here;

  options.log = keep_warning;
  options.log_level = OSDEAR_LOG_WARNING;
  warnings = 0;
  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  OK(lake_append(&here, table, "[{\"id\":1}]", NULL, NULL, WHY));
  osdear_table_free(table);
  OK(osdear__store_put(here.store, "_delta_log/00000000000000000001.crc", text, strlen(text), WHY));
  OK(osdear_context_new(&options, &context, WHY));
  OK(osdear_table_open(context, here.folder, NULL, &table, WHY));
  OK(osdear_table_checkpoint(table, WHY));
  cr_assert_eq(warnings, expected, "%s: %d: %s", text, warnings, warned);
  cr_assert(!expected || strstr(warned, words), "%s: %s", words, warned);
  osdear_table_free(table);
  osdear_context_unref(context);
  drop_commits(&here, 0, 1);
  cr_assert_str_eq(lake_read(&here), "{\"id\":1}\n");
  lake_close(&here);
}

/* Whatever a version's checksum says, the table is what its log says. */
Test(checkpoint, is_held_against_the_checksum_of_its_version)
{
  expect_checksum("{\"numFiles\":1,\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2},\"metadata\":{\"name\":\"x\"}}",
                  0, "");
  expect_checksum("{\"numFiles\":2}", 1, "version 1 says of numFiles: 2; the log says: 1");
  expect_checksum("{\"tableSizeBytes\":-1}", 1, "tableSizeBytes: -1");
  expect_checksum("{\"protocol\":{\"minReaderVersion\":3},\"metadata\":{\"id\":\"x\",\"schemaString\":\"{}\"}}", 3,
                  "schemaString: {};");
  expect_checksum("{\"numFiles\":\"many\",\"protocol\":7,\"metadata\":null}", 0, "");
  expect_checksum("[]", 0, "");
  expect_checksum("{", 1, "00000000000000000001.crc cannot be read");
}

Test(checkpoint, hints_never_go_back)
{
  osdear_table *table = NULL, *behind = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  OK(osdear_table_open(here.context, here.folder, NULL, &behind, WHY));
  OK(lake_append(&here, table, "[{\"id\":1}]", NULL, NULL, WHY));
  OK(osdear_table_checkpoint(table, WHY));
  OK(osdear_table_checkpoint(behind, WHY));
  cr_assert(osdear__starts_with(lake_text(&here, "_delta_log/_last_checkpoint"), "{\"version\":1,"));
  osdear_table_free(table);
  osdear_table_free(behind);
  lake_close(&here);
}

#ifdef OSDEAR_FAULTS

/* Makes the state of before: a checkpoint that was not finished leaves nothing else. */
static void drop_checkpoint(lake *here, int64_t version)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_checkpoint_path(version, path);
  (void)!osdear__store_delete(here->store, path, NULL);
  (void)!osdear__store_delete(here->store, "_delta_log/_last_checkpoint", NULL);
}

Test(checkpoint, survives_every_fault, .timeout = 300)
{
  static const osdear__fault_kind kinds[] = { FAULT_ALLOC, FAULT_WRITE, FAULT_READ };
  osdear_table *table = NULL;
  int64_t failed = 1;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long, p string", "p", "delta.checkpoint.writeStatsAsStruct=true", &table, WHY));
  OK(lake_append(&here, table, "[{\"id\":1,\"p\":\"a\"},{\"id\":2}]", NULL, NULL, WHY));
  for (size_t kind = 0; kind < COUNT_OF(kinds); kind++, failed = 1)
    for (int64_t n = 0; failed; n++) {
      osdear_error *error = NULL;
      int64_t live = osdear__live();
      osdear_status st;

      osdear__fault_arm(kinds[kind], n, false);
      st = osdear_table_checkpoint(table, &error);
      failed = osdear__fault_count();
      osdear__fault_disarm();
      cr_assert_eq(st, osdear_error_status(error));
      cr_assert(failed || st == OSDEAR_OK);
      osdear_error_free(error);
      cr_assert_eq(osdear__live(), live, "leak when call %lld of kind %d fails", (long long)n, (int)kinds[kind]);
      cr_assert_eq(lake_count(lake_read(&here), "\n"), 2);
      drop_checkpoint(&here, 1);
    }
  osdear_table_free(table);
  lake_close(&here);
}

#endif
