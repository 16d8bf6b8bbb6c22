/* Checkpoints in several parts, with sidecars, as JSON; compactions; and what is done when any of them is of no use. */
#include "fixture.h"

#include <delta/log/log.h>

#include <stdio.h>

#define START PROTOCOL_LINE METADATA_LINE
#define UUID_A "80a083e8-7026-4e79-81be-64bd76c43a11"
#define UUID_B "90a083e8-7026-4e79-81be-64bd76c43a11"
#define SIDECAR_FIELDS "[" CHECKPOINT_ADD "," CHECKPOINT_REMOVE "]"
#define TOP_FIELDS                                                                          \
  "[" CHECKPOINT_ADD "," CHECKPOINT_METADATA "," CHECKPOINT_PROTOCOL "," CHECKPOINT_STRUCT( \
      "sidecar", CHECKPOINT_LEAF("path", "string") "," CHECKPOINT_LEAF(                     \
                     "sizeInBytes", "long")) "," CHECKPOINT_STRUCT("checkpointMetadata", CHECKPOINT_LEAF("version", "long")) "]"
#define VERSION_LINE(n) "{\"checkpointMetadata\":{\"version\":" #n "}}\n"

/* The sidecar action for a file in the store, under the path `as`. */
static void print_sidecar(fixture *f, const char *path, const char *as, osdear__buf *out)
{
  osdear__store_item item = { 0 };

  cr_assert_eq(osdear__store_stat(f->store, path, &item, NULL), OSDEAR_OK);
  osdear__buf_printf(out, "{\"sidecar\":{\"path\":\"%s\",\"sizeInBytes\":%" PRId64 ",\"modificationTime\":1}}\n", as,
                     item.size_bytes);
}

static void put_sidecars(fixture *f)
{
  fixture_parquet(f, "_delta_log/_sidecars/s1.parquet", SIDECAR_FIELDS, "[" ADD_ROW("a") "," ADD_ROW("b") "]", 0);
  fixture_parquet(f, "_delta_log/_sidecars/s 2.parquet", SIDECAR_FIELDS,
                  "[" ADD_ROW("c") ",{\"remove\":{\"path\":\"old\",\"deletionTimestamp\":4102444800000}}]", 0);
}

/* A V2 checkpoint of version 3 as JSON, of which the first sidecar has the path `as`. */
static void put_json(fixture *f, const char *as)
{
  SCOPED(buf) top = { 0 };

  osdear__buf_puts(&top, VERSION_LINE(3) START "{\"txn\":{\"appId\":\"x\",\"version\":7}}\n");
  print_sidecar(f, "_delta_log/_sidecars/s1.parquet", as, &top);
  print_sidecar(f, "_delta_log/_sidecars/s 2.parquet", "s%202.parquet", &top);
  print_sidecar(f, "_delta_log/_sidecars/s 2.parquet", "s%202%2Eparquet", &top);
  cr_assert_eq(osdear__buf_check(&top, NULL), OSDEAR_OK);
  fixture_put(f, "_delta_log/00000000000000000003.checkpoint." UUID_A ".json", top.data);
}

static int count_tombstones(osdear_snapshot *snapshot)
{
  AUTO(file_iterator) files = NULL;
  const osdear__file *file = NULL;
  int count = -1;

  cr_assert_eq(osdear__tombstone_iterator_new(snapshot, &files, NULL), OSDEAR_OK);
  do {
    cr_assert_eq(osdear__file_iterator_next(files, &file, NULL), OSDEAR_OK);
    count++;
  } while (file);
  return count;
}

static void expect_files(fixture *f, const char *files, const char *checkpoint)
{
  osdear_snapshot *snapshot = fixture_load(f, -1);

  cr_assert_files(snapshot, files);
  if (checkpoint)
    cr_assert_str_eq(snapshot->checkpoint ? snapshot->checkpoint->first.path : "", checkpoint);
  osdear_snapshot_unref(snapshot);
}

Test(checkpoint_forms, parts_are_one_checkpoint)
{
  fixture f = fixture_open("forms-parts");
  osdear_snapshot *snapshot;

  fixture_parquet(&f, "_delta_log/00000000000000000003.checkpoint.0000000001.0000000002.parquet", CHECKPOINT_FIELDS,
                  "[" ADD_ROW("a") "," METADATA_ROW ",{\"txn\":{\"appId\":\"x\",\"version\":7}}]", 0);
  fixture_refuse(&f, -1, OSDEAR_ERR_NOT_FOUND, "no Delta table there"); /* a part alone is nothing */
  fixture_parquet(&f, "_delta_log/00000000000000000003.checkpoint.0000000002.0000000002.parquet", CHECKPOINT_FIELDS,
                  "[" ADD_ROW("b") "," PROTOCOL_ROW
                                   "," ADD_ROW("c") ",{\"remove\":{\"path\":\"old\",\"deletionTimestamp\":4102444800000}}]",
                  0);
  fixture_put(&f, "_delta_log/_last_checkpoint", "{\"version\":3,\"size\":6,\"parts\":2}");
  fixture_commit(&f, 4, REMOVE_LINE("b") ADD_LINE("d"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a c d");
  cr_assert_eq(snapshot->txn_count, 1);
  cr_assert_eq(count_tombstones(snapshot), 2);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

Test(checkpoint_forms, files_lie_in_sidecars)
{
  fixture f = fixture_open("forms-sidecars");
  osdear_snapshot *snapshot;

  put_sidecars(&f);
  put_json(&f, "s1.parquet");
  fixture_commit(&f, 4, REMOVE_LINE("b") ADD_LINE("d"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a c d");
  cr_assert_eq(snapshot->txns[0].version, 7);
  cr_assert_eq(snapshot->checkpoint->sidecar_count, 2); /* one of them is named twice */
  cr_assert_eq(count_tombstones(snapshot), 2);
  osdear_snapshot_unref(snapshot);
  put_json(&f, "s3://elsewhere/table/_delta_log/_sidecars/s1.parquet"); /* where the table was before */
  expect_files(&f, "a c d", NULL);
  put_json(&f, "file:/tmp/t/_delta_log/_sidecars/s1.parquet");
  expect_files(&f, "a c d", NULL);
  fixture_close(&f);
}

Test(checkpoint_forms, sidecars_lead_nowhere_else)
{
  static const char *const paths[] = { "../s1.parquet",
                                       "a/../../s1.parquet",
                                       "%2E%2E/s1.parquet",
                                       "..",
                                       "./s1.parquet",
                                       "/etc/passwd",
                                       "file:///etc/passwd",
                                       "s3://b/k",
                                       "",
                                       "/t/_delta_log/_sidecars/",
                                       "/t/_delta_log/_sidecars/../x",
                                       "a%00b",
                                       "%zz" };
  fixture f = fixture_open("forms-hostile");

  put_sidecars(&f);
  for (size_t i = 0; i < COUNT_OF(paths); i++) {
    put_json(&f, paths[i]);
    fixture_refuse(&f, -1, OSDEAR_ERR_CORRUPT, "00000000000000000003.checkpoint." UUID_A ".json, line 5");
  }
  fixture_close(&f);
}

Test(checkpoint_forms, json_may_hold_the_files_itself)
{
  fixture f = fixture_open("forms-inline");
  osdear_snapshot *snapshot;

  fixture_put(&f, "_delta_log/00000000000000000003.checkpoint." UUID_A ".json",
              VERSION_LINE(3) START ADD_LINE("a") ADD_LINE("b") REMOVE_LINE("old") "{\"unknown\":{}}\n");
  fixture_commit(&f, 4, REMOVE_LINE("b") ADD_LINE("d"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a d");
  cr_assert_eq(count_tombstones(snapshot), 2);
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* By its own name or by the classic one. */
Test(checkpoint_forms, parquet_may_name_sidecars)
{
  static const char *const names[] = { "_delta_log/00000000000000000003.checkpoint." UUID_A ".parquet",
                                       "_delta_log/00000000000000000003.checkpoint.parquet" };
  fixture f = fixture_open("forms-v2-parquet");

  put_sidecars(&f);
  fixture_commit(&f, 4, ADD_LINE("d"));
  for (size_t i = 0; i < COUNT_OF(names); i++) {
    SCOPED(buf) rows = { 0 };

    osdear__buf_puts(&rows, "[{\"checkpointMetadata\":{\"version\":3}}," PROTOCOL_ROW "," METADATA_ROW ",");
    print_sidecar(&f, "_delta_log/_sidecars/s1.parquet", "s1.parquet", &rows);
    osdear__buf_puts(&rows, "]");
    fixture_parquet(&f, names[i], TOP_FIELDS, rows.data, 0);
    expect_files(&f, "a b d", names[i]);
    cr_assert_eq(osdear__store_delete(f.store, names[i], NULL), OSDEAR_OK);
  }
  fixture_close(&f);
}

Test(checkpoint_forms, of_one_version_the_highest_form_is_taken)
{
  fixture f = fixture_open("forms-rank");

  fixture_commit(&f, 0, START ADD_LINE("a"));
  fixture_checkpoint(&f, 0, "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "]");
  fixture_parquet(&f, "_delta_log/00000000000000000000.checkpoint.0000000001.0000000001.parquet", CHECKPOINT_FIELDS,
                  "[" PROTOCOL_ROW "," METADATA_ROW "," ADD_ROW("a") "]", 0);
  expect_files(&f, "a", "_delta_log/00000000000000000000.checkpoint.parquet");
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint." UUID_A ".json", VERSION_LINE(0) START ADD_LINE("a"));
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint." UUID_B ".json", VERSION_LINE(0) START ADD_LINE("a"));
  expect_files(&f, "a", "_delta_log/00000000000000000000.checkpoint." UUID_B ".json");
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint." UUID_B ".json", "{ torn");
  expect_files(&f, "a", "_delta_log/00000000000000000000.checkpoint." UUID_A ".json");
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint." UUID_A ".json", VERSION_LINE(1) START ADD_LINE("b"));
  expect_files(&f, "a", "_delta_log/00000000000000000000.checkpoint.parquet");
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint.parquet", "");
  expect_files(&f, "a", "_delta_log/00000000000000000000.checkpoint.0000000001.0000000001.parquet");
  fixture_put(&f, "_delta_log/00000000000000000000.checkpoint.0000000001.0000000001.parquet", "PAR1");
  expect_files(&f, "a", "");
  fixture_close(&f);
}

/* ---- compactions ---- */

Test(checkpoint_forms, a_compaction_stands_for_its_commits)
{
  fixture f = fixture_open("forms-compacted");
  osdear_snapshot *snapshot;

  fixture_commit(&f, 0, START ADD_LINE("a") ADD_LINE("b"));
  fixture_put(&f, "_delta_log/00000000000000000001.00000000000000000002.compacted.json", REMOVE_LINE("a") ADD_LINE("c"));
  fixture_commit(&f, 3, ADD_LINE("d"));
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "b c d");
  cr_assert_eq(snapshot->segment.commit_count, 3);
  osdear_snapshot_unref(snapshot);
  fixture_refuse(&f, 1, OSDEAR_ERR_CORRUPT, "commit 1 is missing");
  fixture_close(&f);
}

Test(checkpoint_forms, a_compaction_of_no_use_gives_way_to_its_commits)
{
  static const char *const texts[] = { "{ torn", REMOVE_LINE("c") ADD_LINE("c"), METADATA_LINE METADATA_LINE };
  fixture f = fixture_open("forms-compacted-bad");

  fixture_commit(&f, 0, START ADD_LINE("a") ADD_LINE("b"));
  fixture_commit(&f, 1, ADD_LINE("c"));
  fixture_commit(&f, 2, REMOVE_LINE("c"));
  for (size_t i = 0; i < COUNT_OF(texts); i++) {
    fixture_put(&f, "_delta_log/00000000000000000001.00000000000000000002.compacted.json", texts[i]);
    expect_files(&f, "a b", NULL);
  }
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000001.json", NULL), OSDEAR_OK);
  fixture_refuse(&f, 2, OSDEAR_ERR_CORRUPT, "commit 1 is missing");
  fixture_close(&f);
}

/* ---- damage ---- */

static void put_commits(fixture *f)
{
  fixture_commit(f, 0, START ADD_LINE("a") ADD_LINE("z"));
  fixture_commit(f, 1, ADD_LINE("b") REMOVE_LINE("z"));
  fixture_commit(f, 2, ADD_LINE("c") REMOVE_LINE("old"));
  fixture_commit(f, 3, "");
  fixture_commit(f, 4, REMOVE_LINE("b") ADD_LINE("d"));
}

/* The first sidecar was read by then. */
Test(checkpoint_forms, a_sidecar_that_is_gone_gives_way_to_the_commits)
{
  fixture f = fixture_open("forms-gone");
  osdear_snapshot *snapshot;
  char *paths;

  put_commits(&f);
  put_sidecars(&f);
  put_json(&f, "s1.parquet");
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/_sidecars/s 2.parquet", NULL), OSDEAR_OK);
  snapshot = fixture_load(&f, -1);
  cr_assert_files(snapshot, "a c d");
  paths = fixture_files(snapshot, "a > 3", FILES_STATS);
  cr_assert_str_eq(paths, "a c d");
  osdear__free(paths);
  cr_assert_eq(count_tombstones(snapshot), 3);
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000000.json", NULL), OSDEAR_OK);
  {
    AUTO(file_iterator) files = NULL;
    const osdear__file *file = NULL;
    osdear_error *error = NULL;
    osdear_status st = osdear__file_iterator_new(snapshot, NULL, &files, NULL);

    do
      st = osdear__file_iterator_next(files, &file, &error);
    while (!st && file);
    cr_assert_eq(st, OSDEAR_ERR_NOT_FOUND, "%s", osdear_error_message(error));
    cr_assert(strstr(osdear_error_message(error), "_sidecars/s 2.parquet"), "%s", osdear_error_message(error));
    osdear_error_free(error);
  }
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}

/* Two damaged checkpoints, one below the other: each is passed over once. */
Test(checkpoint_forms, damage_below_damage_ends)
{
  fixture f = fixture_open("forms-twice");

  put_commits(&f);
  put_sidecars(&f);
  put_json(&f, "s1.parquet");
  fixture_put(&f, "_delta_log/00000000000000000002.checkpoint." UUID_B ".json",
              START ADD_LINE("a") "{\"sidecar\":{\"path\":\"none.parquet\",\"sizeInBytes\":10,\"modificationTime\":1}}\n");
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/_sidecars/s 2.parquet", NULL), OSDEAR_OK);
  expect_files(&f, "a c d", NULL);
  fixture_close(&f);
}

/* Wherever bytes of the checkpoint are hit, at its opening or while its rows stream: the state is the same, or nothing is told. */
Test(checkpoint_forms, bytes_that_rot_change_nothing, .timeout = 120)
{
  static const char path[] = "_delta_log/00000000000000000003.checkpoint.parquet";
  fixture f = fixture_open("forms-rot");
  SCOPED(buf) whole = { 0 };

  put_commits(&f);
  fixture_parquet(&f, path, CHECKPOINT_FIELDS,
                  "[" ADD_ROW("a") "," PROTOCOL_ROW "," ADD_ROW("b") "," METADATA_ROW "," ADD_ROW("c") "]", 1);
  cr_assert_eq(osdear__store_get(f.store, path, 1 << 20, &whole, NULL), OSDEAR_OK);
  for (size_t at = 0; at + 4 < whole.size; at += 61) {
    char kept[4];

    memcpy(kept, whole.data + at, 4);
    memset(whole.data + at, 0xa5, 4);
    cr_assert_eq(osdear__store_put(f.store, path, whole.data, whole.size, NULL), OSDEAR_OK);
    expect_files(&f, "a c d", NULL);
    memcpy(whole.data + at, kept, 4);
  }
  fixture_close(&f);
}

#ifdef OSDEAR_FAULTS
/* ---- faults ---- */

static osdear_status open_and_list(fixture *f, osdear_error **error)
{
  AUTO(file_iterator) files = NULL;
  const osdear__file *file = NULL;
  osdear_snapshot *snapshot = NULL;
  osdear_status st = osdear__snapshot_load(f->context, f->store, NULL, NULL, &snapshot, error);

  if (!st)
    st = osdear__file_iterator_open(snapshot, NULL, 0, &files, error);
  osdear_snapshot_unref(snapshot);
  do {
    if (!st)
      st = osdear__file_iterator_next(files, &file, error);
  } while (!st && file);
  return st;
}

static void fail_each(fixture *f, osdear__fault_kind kind, osdear_status failure)
{
  int64_t live = osdear__live();
  osdear_status st = failure;

  for (int64_t n = 0; st && n < 10000; n++) {
    osdear_error *error = NULL;

    osdear__fault_arm(kind, n, false);
    st = open_and_list(f, &error);
    osdear__fault_disarm();
    cr_assert(st == OSDEAR_OK || st == failure, "%s: %s", osdear_status_name(st), osdear_error_message(error));
    osdear_error_free(error);
    cr_assert_eq(osdear__live(), live, "fault %d", (int)n);
  }
  cr_assert_eq(st, OSDEAR_OK);
}

Test(checkpoint_forms, survive_every_fault, .timeout = 300)
{
  fixture f = fixture_open("forms-faults");

  put_sidecars(&f);
  put_json(&f, "s1.parquet");
  fixture_put(&f, "_delta_log/00000000000000000004.00000000000000000005.compacted.json", REMOVE_LINE("b") ADD_LINE("d"));
  fixture_commit(&f, 5, "");
  fail_each(&f, FAULT_ALLOC, OSDEAR_ERR_NO_MEMORY);
  fail_each(&f, FAULT_READ, OSDEAR_ERR_IO);
  fixture_close(&f);
}
#endif
