#include "fixture.h"

#include <delta/replay.h>

#include <stdio.h>

#define START PROTOCOL_LINE METADATA_LINE

Test(replay, the_newest_action_of_a_file_counts)
{
  fixture f = fixture_open("replay-newest");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a") ADD_LINE("b"));
  fixture_commit(&f, 1, REMOVE_LINE("a") ADD_LINE("c"));
  fixture_commit(&f, 2, ADD_LINE("a") REMOVE_LINE("b"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a c");
  cr_assert_eq(osdear_snapshot_version(snapshot), 2);
  osdear_snapshot_unref(snapshot);
  snapshot = fixture_load(&f, 1);
  cr_assert_files(snapshot, "b c");
  osdear_snapshot_unref(snapshot);
  snapshot = fixture_load(&f, 0);
  cr_assert_files(snapshot, "a b");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(replay, a_file_added_again_is_one_file_as_it_was_added_last)
{
  fixture f = fixture_open("replay-again");
  AUTO(file_iterator) files = NULL;
  const osdear__file *file;
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_commit(&f, 1,
                 "{\"add\":{\"path\":\"a\",\"partitionValues\":{},\"size\":77,\"modificationTime\":1,\"dataChange\":false}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__file_iterator_new(snapshot, NULL, &files, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert_eq(file->size_bytes, 77);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert_null(file);
  cr_assert_eq(osdear__file_iterator_seen(files), 1);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(replay, within_a_commit_the_later_line_counts)
{
  fixture f = fixture_open("replay-line");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a") REMOVE_LINE("a") REMOVE_LINE("b") ADD_LINE("b"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "b");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

#define VECTOR(id) "\"deletionVector\":{\"storageType\":\"i\",\"pathOrInlineDv\":\"" id "\",\"sizeInBytes\":1,\"cardinality\":1}"

Test(replay, a_deletion_vector_is_part_of_the_key)
{
  fixture f = fixture_open("replay-vector");
  AUTO(file_iterator) files = NULL;
  const osdear__file *file;
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_commit(&f, 1,
                 "{\"add\":{\"path\":\"a\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true," VECTOR(
                     "one") "}}\n" REMOVE_LINE("a"));
  fixture_commit(
      &f, 2,
      "{\"remove\":{\"path\":\"a\",\"dataChange\":true," VECTOR(
          "one") "}}\n"
                 "{\"add\":{\"path\":\"a\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true," VECTOR(
                     "two") "}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__file_iterator_new(snapshot, NULL, &files, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert(osdear__str_is(file->path, "a"));
  cr_assert(osdear__str_is(file->dv.path, "two"));
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert_null(file);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

static void expect_path(const char *path, const char *canonical)
{
  SCOPED(buf) scratch = { 0 };
  osdear__str out;

  cr_assert_eq(osdear__canonical_path(osdear__str_of(path), &scratch, &out, NULL), OSDEAR_OK);
  cr_assert(osdear__str_is(out, canonical), "%s is %.*s", path, (int)out.size, out.data);
}

Test(replay, relative_paths_are_known_as_they_are_written)
{
  expect_path("p=1/a.parquet", "p=1/a.parquet");
  expect_path("p=a%20b/a.parquet", "p=a%20b/a.parquet");
  expect_path("p=a b/a.parquet", "p=a%20b/a.parquet");
  expect_path("p=a%2520b", "p=a%2520b");
  expect_path("a%c3%bCb", "a%C3%BCb");
  expect_path("./a", "a");
  expect_path("b/..//./a", "a");
  expect_path("b//c/.././a", "b/a");
  expect_path(".a/..b/c.", ".a/..b/c.");
  expect_path("a/", "a/");
}

Test(replay, absolute_paths_are_known_without_escapes_and_scheme)
{
  expect_path("file:///data/t/a", "/data/t/a");
  expect_path("file:/data/t/p=a%20b", "/data/t/p=a b");
  expect_path("file://localhost/x/a", "/x/a");
  expect_path("/data/t/a", "/data/t/a");
  expect_path("/data/../x//a", "/x/a");
  expect_path("s3://b/a", "s3://b/a");
  expect_path("s3://b/c/../a%2b", "s3://b/a%2B");
}

Test(replay, a_file_is_removed_by_another_spelling)
{
  fixture f = fixture_open("replay-spelling");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a%20b") ADD_LINE("file:/other/c") ADD_LINE("d/e"));
  fixture_commit(&f, 1, REMOVE_LINE("a b") REMOVE_LINE("/other/c") REMOVE_LINE("./d/../d//e"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* As for Spark: what an absolute path removes, only an absolute path can have added. */
Test(replay, relative_and_absolute_paths_never_meet)
{
  fixture f = fixture_open("replay-kinds");
  osdear_snapshot *snapshot;
  SCOPED(buf) line = { 0 };

  fixture_commit(&f, 0, START ADD_LINE("a") ADD_LINE("%62"));
  osdear__buf_printf(&line, "{\"remove\":{\"path\":\"%s/a\",\"dataChange\":true}}\n" REMOVE_LINE("b"),
                     osdear__store_uri(f.store));
  fixture_commit(&f, 1, line.data);
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "%62 a");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(replay, of_transactions_and_domains_the_newest_count)
{
  fixture f = fixture_open("replay-txn");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0,
                 START "{\"txn\":{\"appId\":\"x\",\"version\":1}}\n{\"txn\":{\"appId\":\"y\",\"version\":1}}\n"
                       "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"old\",\"removed\":false}}\n"
                       "{\"domainMetadata\":{\"domain\":\"e\",\"configuration\":\"e\",\"removed\":false}}\n");
  fixture_commit(&f, 1,
                 "{\"txn\":{\"appId\":\"x\",\"version\":5}}\n"
                 "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"\",\"removed\":true}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(snapshot->txn_count, 2);
  cr_assert_eq(snapshot->txns[0].version, 5);
  cr_assert_str_eq(snapshot->txns[1].app_id, "y");
  cr_assert_eq(snapshot->domain_count, 1);
  cr_assert_str_eq(snapshot->domains[0].name, "e");
  osdear_snapshot_unref(snapshot);
  fixture_commit(&f, 2,
                 "{\"txn\":{\"appId\":\"x\",\"version\":6}}\n{\"txn\":{\"appId\":\"x\",\"version\":7}}\n"
                 "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"\",\"removed\":true}}\n"
                 "{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"last\",\"removed\":false}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(snapshot->txn_count, 2);
  cr_assert_eq(snapshot->txns[0].version, 7); /* within a commit the later line */
  cr_assert_eq(snapshot->domain_count, 2);
  cr_assert_str_eq(snapshot->domains[0].configuration, "last");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(replay, the_newest_protocol_and_metadata_count)
{
  fixture f = fixture_open("replay-protocol");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START);
  fixture_commit(&f, 1, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":4}}\n");
  fixture_commit(&f, 2, "");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear_snapshot_min_writer_version(snapshot), 4);
  cr_assert_str_eq(osdear_snapshot_id(snapshot), "0-1");
  cr_assert_str_eq(osdear_snapshot_partition_column(snapshot, 0), "p");
  cr_assert_null(osdear_snapshot_partition_column(snapshot, 1));
  cr_assert_eq(osdear_snapshot_created_ms(snapshot), INT64_C(1700000000000));
  osdear_snapshot_unref(snapshot);
  fixture_refuse(&f, 3, OSDEAR_ERR_NOT_FOUND, "version 3 asked, 0..2 are there");
  fixture_close(&f);
}

Test(replay, a_log_without_protocol_or_metadata_is_corrupt)
{
  fixture f = fixture_open("replay-lacking");

  fixture_commit(&f, 0, METADATA_LINE);
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "no protocol in the log up to version 0");
  fixture_commit(&f, 0, PROTOCOL_LINE);
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "no metaData in the log up to version 0");
  fixture_commit(&f, 0, START ADD_LINE("a") "{\"add\":{\"path\":\"b\"");
  fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "00000000000000000000.json, line 4");
  fixture_close(&f);
}

/* So much text that statistics are not kept with the tail and have to be read again. */
Test(replay, statistics_are_read_again_where_they_were_not_kept)
{
  SCOPED(buf) lines = { 0 };
  AUTO(file_iterator) files = NULL;
  fixture f = fixture_open("replay-reread");
  const osdear__file *file;
  osdear_snapshot *snapshot;
  int count = 0;

  fixture_commit(&f, 0, START ADD_LINE("gone") ADD_LINE("kept"));
  for (int i = 0; i < 9000; i++)
    osdear__buf_printf(
        &lines,
        "{\"add\":{\"path\":\"f%d\",\"partitionValues\":{\"p\":\"x\"},\"size\":1,\"modificationTime\":1,\"dataChange\":true,"
        "\"stats\":\"{\\\"numRecords\\\":%d,\\\"filler\\\":\\\"%500s\\\"}\",\"tags\":{\"t\":\"%d\"}}}\n",
        i, i, "", i);
  osdear__buf_puts(&lines,
                   "{\"add\":{\"path\":\"f3\",\"partitionValues\":{},\"size\":1,\"modificationTime\":1,\"dataChange\":true,"
                   "\"stats\":\"{\\\"numRecords\\\":3,}\",\"tags\":{\"twice\":\"\"}}}\n");
  fixture_commit(&f, 1, lines.data);
  fixture_commit(&f, 2, REMOVE_LINE("gone") REMOVE_LINE("f7"));
  snapshot = fixture_load(&f, -1);
  cr_assert_not(snapshot->tail->is_full);
  for (size_t i = 0; i < snapshot->tail->entry_count; i++)
    cr_assert_eq(snapshot->tail->entries[i]->file.stats.size, 0);
  cr_assert_eq(osdear__file_iterator_new(snapshot, NULL, &files, NULL), OSDEAR_OK);
  for (;;) {
    char records[64];
    cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
    if (!file)
      break;
    count++;
    cr_assert_not(osdear__str_is(file->path, "gone"));
    cr_assert_not(osdear__str_is(file->path, "f7"));
    if (osdear__str_is(file->path, "kept"))
      continue;
    snprintf(records, sizeof records, "{\"numRecords\":%.*s,", (int)file->path.size - 1, file->path.data + 1);
    cr_assert(osdear__starts_with(file->stats.data, records), "%s", file->stats.data);
    cr_assert_gt(file->tags.size, 0);
  }
  cr_assert_eq(count, 9000);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(replay, tombstones_are_streamed_until_they_expire)
{
  fixture f = fixture_open("replay-tombstones");
  AUTO(file_iterator) files = NULL;
  const osdear__file *file;
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a") ADD_LINE("b") ADD_LINE("c"));
  fixture_commit(&f, 1, REMOVE_LINE("a") "{\"remove\":{\"path\":\"b\",\"deletionTimestamp\":1000,\"dataChange\":true}}\n");
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(osdear__tombstone_iterator_new(snapshot, &files, NULL), OSDEAR_OK);
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert(osdear__str_is(file->path, "a"));
  cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
  cr_assert_null(file);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}
