#include "fixture.h"

#include <delta/log/log.h>

#include <stdio.h>

#define START PROTOCOL_LINE METADATA_LINE
#define STATS(n)                                                                                       \
  "\"{\\\"numRecords\\\":" #n ",\\\"minValues\\\":{\\\"a\\\":" #n "},\\\"maxValues\\\":{\\\"a\\\":" #n \
  "},\\\"nullCount\\\":{\\\"a\\\":0}}\""
#define ADD_STATS(path, partition, n)                                       \
  "{\"add\":{\"path\":\"" path "\",\"partitionValues\":{\"p\":\"" partition \
  "\"},\"size\":10,\"modificationTime\":5,\"dataChange\":true,"             \
  "\"stats\":" STATS(n) "}}\n"

Test(snapshot, a_checkpoint_stands_for_the_commits_before_it)
{
  fixture f = fixture_open("snapshot-checkpoint");
  osdear_snapshot *snapshot;

  fixture_checkpoint(&f, 4,
                     "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "," ADD_ROW(
                         "b%20c") ","
                                  "{\"remove\":{\"path\":\"old\",\"deletionTimestamp\":4102444800000}},"
                                  "{\"txn\":{\"appId\":\"x\",\"version\":7,\"lastUpdated\":8}},"
                                  "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"c\",\"removed\":false}},"
                                  "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"c\",\"removed\":false}}]");
  fixture_commit(&f, 5,
                 REMOVE_LINE("b c")
                     ADD_LINE("d") "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"\",\"removed\":true}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a d");
  cr_assert_eq(osdear_snapshot_version(snapshot), 5);
  cr_assert_eq(snapshot->segment.checkpoint_version, 4);
  cr_assert_eq(snapshot->txns[0].version, 7);
  cr_assert_eq(snapshot->txns[0].updated_ms, 8);
  cr_assert_str_eq(osdear_snapshot_domain(snapshot, 0)->key, "d");
  cr_assert_str_eq(osdear_snapshot_domain(snapshot, 0)->value, "c");
  cr_assert_null(osdear_snapshot_domain(snapshot, 1));
  osdear_snapshot_unref(snapshot);
  snapshot = fixture_load(&f, 4);
  cr_assert_files(snapshot, "a b%20c");
  osdear_snapshot_unref(snapshot);
  fixture_refuse(&f, 3, OSDEAR_ERR_NOT_FOUND, "version 3 asked, 4..5 are there");
  fixture_refuse(&f, 6, OSDEAR_ERR_NOT_FOUND, "version 6 asked, 4..5 are there");
  fixture_close(&f);
}

Test(snapshot, rows_may_lie_in_any_row_group)
{
  fixture f = fixture_open("snapshot-groups");
  osdear_snapshot *snapshot;

  fixture_parquet(&f, "_delta_log/00000000000000000000.checkpoint.parquet", CHECKPOINT_FIELDS,
                  "[" ADD_ROW("a") "," ADD_ROW("b") "," METADATA_ROW "," ADD_ROW("c") "," PROTOCOL_ROW "," ADD_ROW("d") "]", 1);
  fixture_commit(&f, 1, REMOVE_LINE("c"));
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__parquet_group_count(snapshot->checkpoint->tops[0].open), 6);
  cr_assert_files(snapshot, "a b d");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* No remove, txn or domain columns, no stats, sizes of 32 bits, and columns of the future. */
Test(snapshot, checkpoints_may_lack_columns_and_have_others)
{
  /* clang-format off */
  static const char fields[] =
      "[" CHECKPOINT_STRUCT("add", CHECKPOINT_LEAF("path", "string") "," CHECKPOINT_LEAF("size", "integer") "," CHECKPOINT_LEAF("future", "date"))
      "," CHECKPOINT_LEAF("later", "long") "," CHECKPOINT_METADATA "," CHECKPOINT_PROTOCOL "]";
  /* clang-format on */
  fixture f = fixture_open("snapshot-columns");
  AUTO(file_iterator) files = NULL;
  const osdear__file *file;
  osdear_snapshot *snapshot;

  fixture_parquet(&f, "_delta_log/00000000000000000002.checkpoint.parquet", fields,
                  "[" PROTOCOL_ROW "," METADATA_ROW ",{\"add\":{\"path\":\"a\",\"size\":5,\"future\":1},\"later\":3}]", 0);
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__file_iterator_new(snapshot, NULL, &files, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert(osdear__str_is(file->path, "a"));
  cr_assert_eq(file->size_bytes, 5);
  cr_assert_eq(file->partition_count, 0);
  cr_assert_eq(file->base_row_id, -1);
  cr_assert_eq(file->dv.storage, 0);
  cr_assert_eq(file->stats.size, 0);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* clang-format off */
#define PARSED_FIELDS                                                                                                             \
  "[" CHECKPOINT_STRUCT("add", CHECKPOINT_LEAF("path", "string") "," CHECKPOINT_LEAF("size", "long") ","                         \
    CHECKPOINT_STRUCT("stats_parsed", CHECKPOINT_LEAF("numRecords", "long") ","                                                  \
      CHECKPOINT_STRUCT("minValues", CHECKPOINT_LEAF("a", "long") "," CHECKPOINT_LEAF("d", "date") "," CHECKPOINT_LEAF("t", "timestamp") \
        "," CHECKPOINT_LEAF("n", "decimal(5,2)") "," CHECKPOINT_STRUCT("s", CHECKPOINT_LEAF("x", "string"))))) "," CHECKPOINT_METADATA "," \
  CHECKPOINT_PROTOCOL "]"
/* clang-format on */

Test(snapshot, statistics_in_columns_are_as_good_as_text)
{
  fixture f = fixture_open("snapshot-parsed");
  AUTO(file_iterator) files = NULL;
  const osdear__file *file;
  osdear_snapshot *snapshot;

  fixture_parquet(&f, "_delta_log/00000000000000000002.checkpoint.parquet", PARSED_FIELDS,
                  "[" PROTOCOL_ROW "," METADATA_ROW
                  ",{\"add\":{\"path\":\"a\",\"size\":5,\"stats_parsed\":{\"numRecords\":3,\"minValues\":"
                  "{\"a\":-7,\"d\":1,\"t\":1000000,\"n\":1.50,\"s\":{\"x\":\"q\\\"\"}}}}}]",
                  0);
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__file_iterator_new(snapshot, NULL, &files, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert_str_eq(file->stats.data,
                   "{\"numRecords\":3,\"minValues\":{\"a\":-7,\"d\":\"1970-01-02\",\"t\":\"1970-01-01T00:00:01.000Z\","
                   "\"n\":1.50,\"s\":{\"x\":\"q\\\"\"}}}");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(snapshot, a_corrupt_checkpoint_gives_way_to_an_older_state)
{
  fixture f = fixture_open("snapshot-corrupt");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_commit(&f, 1, ADD_LINE("b"));
  fixture_commit(&f, 2, ADD_LINE("c"));
  fixture_put(&f, "_delta_log/00000000000000000002.checkpoint.parquet", "PAR1 is not enough");
  fixture_put(&f, "_delta_log/_last_checkpoint", "{\"version\":2,\"size\":5}");
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a b c");
  cr_assert_eq(snapshot->segment.checkpoint_version, -1);
  osdear_snapshot_unref(snapshot);
  fixture_checkpoint(&f, 1, "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "," ADD_ROW("b") "]");
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a b c");
  cr_assert_eq(snapshot->segment.checkpoint_version, 1);
  osdear_snapshot_unref(snapshot);
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000000.json", NULL), OSDEAR_OK);
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000001.checkpoint.parquet", NULL), OSDEAR_OK);
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "00000000000000000002.checkpoint.parquet");
  fixture_close(&f);
}

Test(snapshot, a_checkpoint_without_protocol_or_metadata_is_corrupt)
{
  fixture f = fixture_open("snapshot-halved");

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_checkpoint(&f, 0, "[" METADATA_ROW "," ADD_ROW("b") "]");
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "holds no protocol");
  fixture_checkpoint(&f, 0, "[" PROTOCOL_ROW "," ADD_ROW("b") "]");
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "holds no metaData");
  fixture_close(&f);
}

Test(snapshot, a_table_without_columns_may_lack_its_schema)
{
  fixture f = fixture_open("snapshot-columnless");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, PROTOCOL_LINE "{\"metaData\":{\"id\":\"i\",\"partitionColumns\":[]}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_str_eq(osdear_snapshot_schema_json(snapshot), "{\"type\":\"struct\",\"fields\":[]}");
  cr_assert_eq(snapshot->metadata.schema.field_count, 0);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(snapshot, the_hint_may_be_wrong_in_every_way)
{
  static const char *const hints[] = {
    "{\"version\":1,\"size\":3}", "{\"version\":0}", "{\"version\":2}", "{\"version\":99}", "garbage", "{\"version\":3}",
  };
  fixture f = fixture_open("snapshot-hint");

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_commit(&f, 1, ADD_LINE("b"));
  fixture_commit(&f, 2, ADD_LINE("c"));
  fixture_commit(&f, 3, ADD_LINE("d"));
  fixture_checkpoint(&f, 1, "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "," ADD_ROW("b") "]");
  for (size_t i = 0; i < COUNT_OF(hints); i++) {
    osdear_snapshot *snapshot;
    fixture_put(&f, "_delta_log/_last_checkpoint", hints[i]);
    snapshot = fixture_load(&f, -1);
    cr_assert_files(snapshot, "a b c d");
    osdear_snapshot_unref(snapshot);
    snapshot = fixture_load(&f, 0);
    cr_assert_files(snapshot, "a");
    osdear_snapshot_unref(snapshot);
    fixture_refuse(&f, 8, OSDEAR_ERR_NOT_FOUND, "version 8 asked, 0..3 are there");
  }
  fixture_close(&f);
}

Test(snapshot, gaps_and_empty_folders_are_told_apart)
{
  fixture f = fixture_open("snapshot-gap");
  osdear_snapshot *snapshot;

  fixture_refuse(&f, -1, OSDEAR_ERR_NOT_FOUND, "no Delta table there");
  fixture_refuse(&f, 0, OSDEAR_ERR_NOT_FOUND, "no Delta table there");
  fixture_commit(&f, 0, START);
  fixture_commit(&f, 1, "");
  fixture_commit(&f, 3, "");
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "commit 2 is missing");
  snapshot = fixture_load(&f, 1);
  osdear_snapshot_unref(snapshot);
  fixture_refuse(&f, -2, OSDEAR_ERR_ARGUMENT, "version -2 asked");
  fixture_close(&f);
}

Test(snapshot, a_base_is_carried_on_by_the_commits_that_came_since)
{
  fixture f = fixture_open("snapshot-base");
  osdear_snapshot *base, *next = NULL, *same = NULL;

  fixture_checkpoint(&f, 0, "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "," ADD_ROW("b") "]");
  fixture_commit(&f, 1, ADD_LINE("c") "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n");
  base = fixture_load(&f, -1);
  cr_assert_eq(osdear__snapshot_load(f.context, f.store, NULL, base, &same, NULL), OSDEAR_OK);
  cr_assert_eq(same, base);
  osdear_snapshot_unref(same);
  fixture_commit(&f, 2, REMOVE_LINE("a") REMOVE_LINE("c"));
  fixture_commit(&f, 3, ADD_LINE("d") "{\"txn\":{\"appId\":\"y\",\"version\":2}}\n");
  /* What came before is not read again: it could not be. */
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000000.checkpoint.parquet", NULL), OSDEAR_OK);
  cr_assert_eq(osdear__snapshot_load(f.context, f.store, NULL, base, &next, NULL), OSDEAR_OK);
  osdear_snapshot_unref(base);
  cr_assert_eq(osdear_snapshot_version(next), 3);
  cr_assert_files(next, "b d");
  cr_assert_eq(next->txn_count, 2);
  cr_assert_eq(next->segment.commit_count, 3);
  osdear_snapshot_unref(next);
  fixture_close(&f);
}

Test(snapshot, a_base_of_a_table_that_was_made_anew_is_dropped)
{
  fixture f = fixture_open("snapshot-anew");
  osdear_snapshot *base, *next = NULL;

  fixture_commit(&f, 0, START ADD_LINE("a"));
  base = fixture_load(&f, -1);
  fixture_commit(&f, 0, START ADD_LINE("other"));
  fixture_commit(&f, 1, ADD_LINE("more"));
  cr_assert_eq(osdear__snapshot_load(f.context, f.store, NULL, base, &next, NULL), OSDEAR_OK);
  cr_assert_files(next, "more other");
  osdear_snapshot_unref(base);
  osdear_snapshot_unref(next);
  fixture_close(&f);
}

static int64_t version_at(fixture *f, int64_t timestamp_us)
{
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;
  osdear_error *error = NULL;
  int64_t version = -1;

  options.timestamp_us = timestamp_us;
  if (osdear__snapshot_load(f->context, f->store, &options, NULL, &snapshot, &error) == OSDEAR_OK)
    version = osdear_snapshot_version(snapshot);
  else
    cr_assert_eq(osdear_error_status(error), OSDEAR_ERR_NOT_FOUND, "%s", osdear_error_message(error));
  osdear_snapshot_unref(snapshot);
  osdear_error_free(error);
  return version;
}

#define ICT_INFO(ms) "{\"commitInfo\":{\"inCommitTimestamp\":" #ms "}}\n"
#define ICT_METADATA(configuration)                                                                                                     \
  "{\"metaData\":{\"id\":\"0-1\",\"format\":{\"provider\":\"parquet\"},\"schemaString\":\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":" \
  "[]}\",\"partitionColumns\":[],\"configuration\":{\"delta.enableInCommitTimestamps\":\"true\"" configuration "}}}\n"

Test(snapshot, in_commit_timestamps_decide_where_they_are_enabled)
{
  fixture f = fixture_open("snapshot-ict");
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;

  fixture_commit(&f, 0, ICT_INFO(1000) PROTOCOL_LINE ICT_METADATA(""));
  fixture_commit(&f, 1, ICT_INFO(2000));
  fixture_commit(&f, 2, ICT_INFO(3000));
  cr_assert_eq(version_at(&f, 999999), -1);
  cr_assert_eq(version_at(&f, 1000000), 0);
  cr_assert_eq(version_at(&f, 1999999), 0);
  cr_assert_eq(version_at(&f, 2000000), 1);
  cr_assert_eq(version_at(&f, 3000000), 2);
  cr_assert_eq(version_at(&f, INT64_MAX), 2);
  fixture_commit(&f, 1, "{\"commitInfo\":{}}\n");
  options.timestamp_us = 2000000;
  cr_assert_eq(osdear__snapshot_load(f.context, f.store, &options, NULL, &snapshot, NULL), OSDEAR_ERR_CORRUPT);
  fixture_close(&f);
}

/* Files in memory: are as old as they are; the commits before enablement are judged by that. */
Test(snapshot, before_enablement_the_files_decide)
{
  fixture f = fixture_open("snapshot-enabled");
  int64_t before = osdear__now_us();

  fixture_commit(&f, 0, START);
  fixture_commit(&f, 1,
                 ICT_INFO(4102444800000) ICT_METADATA(",\"delta.inCommitTimestampEnablementVersion\":\"1\","
                                                      "\"delta.inCommitTimestampEnablementTimestamp\":\"4102444800000\""));
  fixture_commit(&f, 2, ICT_INFO(4102444900000));
  cr_assert_eq(version_at(&f, before - 10000000), -1);
  cr_assert_eq(version_at(&f, before + 60000000), 0);
  cr_assert_eq(version_at(&f, INT64_C(4102444800000000)), 1);
  cr_assert_eq(version_at(&f, INT64_C(4102444900000000)), 2);
  fixture_close(&f);
}

/* Whatever commits say: as in Spark, and as those of after the switch have nothing to say. */
Test(snapshot, once_they_are_off_again_the_files_decide_for_all)
{
  fixture f = fixture_open("snapshot-off");
  int64_t before = osdear__now_us();

  fixture_commit(&f, 0, ICT_INFO(4102444800000) PROTOCOL_LINE ICT_METADATA(""));
  fixture_commit(&f, 1, ICT_INFO(4102444900000));
  fixture_commit(&f, 2, METADATA_LINE);
  fixture_commit(&f, 3, ADD_LINE("a"));
  cr_assert_eq(version_at(&f, before - 10000000), -1);
  cr_assert_eq(version_at(&f, before + 60000000), 3);
  cr_assert_eq(version_at(&f, INT64_C(4102444800000000)), 3);
  fixture_close(&f);
}

Test(snapshot, version_and_timestamp_exclude_each_other)
{
  fixture f = fixture_open("snapshot-both");
  osdear_snapshot_options options = OSDEAR_SNAPSHOT_OPTIONS_INIT;
  osdear_snapshot *snapshot = NULL;

  options.version = 0;
  options.timestamp_us = 0;
  cr_assert_eq(osdear__snapshot_load(f.context, f.store, &options, NULL, &snapshot, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear_snapshot_open(NULL, "x", NULL, &snapshot, NULL), OSDEAR_ERR_ARGUMENT);
  fixture_close(&f);
}

static void expect_files(osdear_snapshot *snapshot, const char *where, const char *expected)
{
  char *paths = fixture_files(snapshot, where, 0);

  cr_assert_str_eq(paths, expected, "%s gives %s", where, paths);
  osdear__free(paths);
}

Test(snapshot, files_are_pruned_by_partition_and_statistics)
{
  fixture f = fixture_open("snapshot-prune");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_STATS("a", "x", 1) ADD_STATS("b", "y", 5) ADD_STATS("c", "", 9) ADD_LINE("unknown"));
  snapshot = fixture_load(&f, -1);
  expect_files(snapshot, "p = 'x'", "a unknown");
  expect_files(snapshot, "p IS NULL", "c");
  expect_files(snapshot, "p IS NOT NULL", "a b unknown");
  expect_files(snapshot, "a > 4", "b c unknown");
  expect_files(snapshot, "a > 4 AND p = 'y'", "b");
  expect_files(snapshot, "a > 4 OR p = 'x'", "a b c unknown");
  expect_files(snapshot, "a = 2", "unknown");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(snapshot, pruning_reaches_the_rows_of_a_checkpoint)
{
  fixture f = fixture_open("snapshot-prune-checkpoint");
  osdear_snapshot *snapshot;

  fixture_checkpoint(
      &f, 0,
      "[" PROTOCOL_ROW "," METADATA_ROW ","
      "{\"add\":{\"path\":\"a\",\"partitionValues\":{\"p\":\"x\"},\"size\":1,\"stats\":" STATS(
          1) "}},"
             "{\"add\":{\"path\":\"b\",\"partitionValues\":{\"p\":null},\"size\":1,\"stats\":" STATS(
                 5) "}},"
                    "{\"add\":{\"path\":\"c\",\"partitionValues\":{\"p\":\"\"},\"size\":1,\"stats\":" STATS(1) "}}]");
  snapshot = fixture_load(&f, -1);
  expect_files(snapshot, "p = 'x'", "a");
  expect_files(snapshot, "p IS NULL", "b c");
  expect_files(snapshot, "a > 4", "b");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(snapshot, files_are_streamed_as_arrow)
{
  fixture f = fixture_open("snapshot-stream");
  osdear_snapshot *snapshot;
  SCOPED(stream) stream = { 0 };
  SCOPED(array) batch = { 0 };
  SCOPED(schema) schema = { 0 };
  osdear_error *error = NULL;

  fixture_commit(&f, 0, START ADD_STATS("p=a%20b/f", "a b", 3) ADD_LINE("plain"));
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear_snapshot_files(snapshot, NULL, &stream, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  osdear_snapshot_unref(snapshot);
  cr_assert_eq(stream.get_schema(&stream, &schema), 0);
  cr_assert_eq(schema.n_children, 6);
  cr_assert_str_eq(schema.children[1]->format, "+m");
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_assert_eq(batch.length, 2);
  cr_assert_eq(memcmp(batch.children[0]->buffers[2], "p=a b/fplain", 12), 0);
  cr_assert_eq(((const int64_t *)batch.children[4]->buffers[1])[0], 3);
  cr_assert(osdear__is_valid(batch.children[4], 0));
  cr_assert_not(osdear__is_valid(batch.children[4], 1));
  cr_assert_not(osdear__is_valid(batch.children[5], 1));
  osdear__array_drop(&batch);
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_assert_null(batch.release);
  fixture_close(&f);
}

Test(snapshot, a_bad_predicate_is_an_argument_error)
{
  fixture f = fixture_open("snapshot-predicate");
  osdear_snapshot *snapshot;
  struct ArrowArrayStream stream;

  fixture_commit(&f, 0, START);
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear_snapshot_files(snapshot, "nowhere = 1", &stream, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear_snapshot_files(snapshot, "a + 1", &stream, NULL), OSDEAR_ERR_ARGUMENT);
  cr_assert_eq(osdear_snapshot_files(NULL, NULL, &stream, NULL), OSDEAR_ERR_ARGUMENT);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

static void expect_history(fixture *f, int64_t limit, int64_t rows)
{
  SCOPED(stream) stream = { 0 };
  SCOPED(array) batch = { 0 };

  cr_assert_eq(osdear__history_export(f->context, f->store, limit, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_assert_eq(batch.release ? batch.length : 0, rows);
}

Test(snapshot, history_is_told_newest_first)
{
  SCOPED(stream) stream = { 0 };
  SCOPED(array) batch = { 0 };
  fixture f = fixture_open("snapshot-history");

  fixture_commit(&f, 0, START);
  fixture_commit(
      &f, 1,
      ADD_LINE(
          "a") "{\"commitInfo\":{\"operation\":\"WRITE\",\"operationParameters\":{\"mode\":\"Append\",\"n\":[1]},\"readVersion\":0,"
               "\"isBlindAppend\":true,\"userMetadata\":{\"x\":1},\"inCommitTimestamp\":5,\"txnId\":7,\"operationMetrics\":\"none\"}}\n");
  cr_assert_eq(osdear__history_export(f.context, f.store, -1, &stream, NULL), OSDEAR_OK);
  cr_assert_eq(stream.get_next(&stream, &batch), 0);
  cr_assert_eq(batch.length, 2);
  cr_assert_eq(((const int64_t *)batch.children[0]->buffers[1])[0], 1);
  cr_assert_eq(((const int64_t *)batch.children[1]->buffers[1])[0], 5000);
  cr_assert_eq(memcmp(batch.children[2]->buffers[2], "WRITE", 5), 0);
  cr_assert_eq(memcmp(batch.children[3]->buffers[2], "{\"mode\":\"Append\",\"n\":[1]}", 25), 0);
  cr_assert_not(osdear__is_valid(batch.children[4], 0)); /* no object */
  cr_assert_eq(((const uint8_t *)batch.children[6]->buffers[1])[0] & 1, 1);
  cr_assert_eq(memcmp(batch.children[7]->buffers[2], "{\"x\":1}", 7), 0);
  cr_assert_not(osdear__is_valid(batch.children[2], 1));
  expect_history(&f, 1, 1);
  expect_history(&f, 0, 0);
  expect_history(&f, 100, 2);
  fixture_close(&f);
}

#ifdef OSDEAR_FAULTS
static osdear_status open_and_list(fixture *f, osdear_error **error)
{
  AUTO(file_iterator) files = NULL;
  const osdear__file *file = NULL;
  osdear_snapshot *snapshot = NULL;
  osdear_status st = osdear__snapshot_load(f->context, f->store, NULL, NULL, &snapshot, error);

  if (!st)
    st = osdear__file_iterator_new(snapshot, NULL, &files, error);
  osdear_snapshot_unref(snapshot);
  do {
    if (!st)
      st = osdear__file_iterator_next(files, &file, error);
  } while (!st && file);
  return st;
}

Test(snapshot, survives_every_failing_allocation, .timeout = 120)
{
  fixture f = fixture_open("snapshot-memory");
  int64_t live;
  osdear_status st = OSDEAR_ERR_NO_MEMORY;

  fixture_checkpoint(&f, 1,
                     "[" PROTOCOL_ROW "," METADATA_ROW
                     "," ADD_ROW("a%20") "," ADD_ROW("b") ",{\"txn\":{\"appId\":\"x\",\"version\":7}}]");
  fixture_commit(&f, 2, REMOVE_LINE("b") ADD_STATS("d", "x", 1) "{\"txn\":{\"appId\":\"y\",\"version\":7}}\n");
  fixture_put(&f, "_delta_log/_last_checkpoint", "{\"version\":1}");
  live = osdear__live();
  for (int64_t n = 0; st && n < 5000; n++) {
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_ALLOC, n, false);
    st = open_and_list(&f, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_NO_MEMORY, "%s", osdear_error_message(error));
    osdear_error_free(error);
    cr_assert_eq(osdear__live(), live, "allocation %d", (int)n);
  }
  cr_assert_eq(st, OSDEAR_OK);
  fixture_close(&f);
}

Test(snapshot, every_failing_read_is_an_error_and_never_a_smaller_table, .timeout = 120)
{
  fixture f = fixture_open("snapshot-reads");
  osdear_status st = OSDEAR_ERR_IO;

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_checkpoint(&f, 1, "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "," ADD_ROW("b") "]");
  fixture_commit(&f, 2, REMOVE_LINE("b") ADD_LINE("d"));
  for (int64_t n = 0; st && n < 1000; n++) {
    osdear_error *error = NULL;

    osdear__fault_arm(FAULT_READ, n, false);
    st = open_and_list(&f, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == OSDEAR_ERR_IO, "%s: %s", osdear_status_name(st), osdear_error_message(error));
    osdear_error_free(error);
  }
  cr_assert_eq(st, OSDEAR_OK);
  fixture_close(&f);
}
#endif
