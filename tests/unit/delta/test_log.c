#include "fixture.h"

#include <delta/log/log.h>
#include <store/backend.h>

#include <stdio.h>

static void put_empty(fixture *f, const char *name)
{
  char path[200];

  snprintf(path, sizeof path, "_delta_log/%s", name);
  fixture_put(f, path, "");
}

Test(log, files_are_known_by_their_names_and_others_passed_over)
{
  static const char *const others[] = {
    "_last_checkpoint",
    "00000000000000000001.crc",
    "00000000000000000001.json.tmp",
    "0000000000000000001.json",
    "x",
    ".00000000000000000001.json.crc",
    "00000000000000000004.00000000000000000004.compacted.json",
    "00000000000000000001.checkpoint.orc",
    "00000000000000000001.checkpoint.0000000001.parquet",
    "99999999999999999999.json",
    "_sidecars/00000000000000000009.json",
    "00000000000000000001.checkpoint.notauuid.parquet",
    "09223372036854775807.json",
    "00000000000000000001.checkpoint.0000000000.0000000001.parquet",
    "00000000000000000001.checkpoint.0000000003.0000000002.parquet",
    "_staged_commits/00000000000000000013.80a083e8-7026-4e79-81be-64bd76c43a11.json",
  };
  SCOPED(listing) listing = { 0 };
  fixture f = fixture_open("log-names");

  for (size_t i = 0; i < COUNT_OF(others); i++)
    put_empty(&f, others[i]);
  put_empty(&f, "00000000000000000000.json");
  put_empty(&f, "00000000000000000012.json");
  put_empty(&f, "00000000000000000002.checkpoint.parquet");
  put_empty(&f, "00000000000000000003.checkpoint.0000000001.0000000001.parquet");
  put_empty(&f, "00000000000000000001.00000000000000000004.compacted.json");
  put_empty(&f, "00000000000000000004.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json");
  cr_assert_eq(osdear__listing_read(f.store, 0, &listing, NULL), OSDEAR_OK);
  cr_assert_eq(listing.commit_count, 2);
  cr_assert_eq(listing.commits[1].version, 12);
  cr_assert_eq(listing.checkpoint_count, 3);
  cr_assert_eq(listing.checkpoints[0].form, CHECKPOINT_CLASSIC);
  cr_assert_eq(listing.checkpoints[1].form, CHECKPOINT_MULTI_PART);
  cr_assert_eq(listing.checkpoints[2].form, CHECKPOINT_V2);
  cr_assert_eq(listing.compacted_count, 1);
  cr_assert_eq(listing.compacted[0].first_version, 1);
  cr_assert_eq(listing.compacted[0].version, 4);
  cr_assert_eq(osdear__listing_newest(&listing), 12);
  cr_assert_eq(osdear__listing_earliest(&listing), 0);
  fixture_close(&f);
}

Test(log, a_listing_may_start_at_a_version)
{
  SCOPED(listing) listing = { 0 };
  fixture f = fixture_open("log-from");

  put_empty(&f, "00000000000000000009.json");
  put_empty(&f, "00000000000000000010.checkpoint.parquet");
  put_empty(&f, "00000000000000000010.json");
  put_empty(&f, "00000000000000000011.json");
  cr_assert_eq(osdear__listing_read(f.store, 10, &listing, NULL), OSDEAR_OK);
  cr_assert_eq(listing.commit_count, 2);
  cr_assert_eq(listing.commits[0].version, 10);
  cr_assert_eq(listing.checkpoint_count, 1);
  cr_assert_eq(osdear__listing_earliest(&listing), 10);
  fixture_close(&f);
}

/* Parts of several attempts lie among each other; of one version the forms come by rank. */
Test(log, a_checkpoint_counts_once_all_of_its_parts_are_there)
{
  static const char *const names[] = {
    "00000000000000000003.checkpoint.0000000001.0000000002.parquet",
    "00000000000000000003.checkpoint.0000000001.0000000003.parquet",
    "00000000000000000003.checkpoint.0000000002.0000000003.parquet",
    "00000000000000000003.checkpoint.0000000003.0000000003.parquet",
    "00000000000000000003.checkpoint.parquet",
    "00000000000000000003.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.parquet",
    "00000000000000000004.checkpoint.0000000002.0000000002.parquet",
    "00000000000000000005.checkpoint.0000000001.9999999999.parquet",
    "00000000000000000006.checkpoint.0000000001.0000000004.parquet",
    "00000000000000000006.checkpoint.0000000002.0000000004.parquet",
    "00000000000000000006.checkpoint.0000000004.0000000004.parquet",
  };
  SCOPED(listing) listing = { 0 };
  fixture f = fixture_open("log-parts");

  for (size_t i = 0; i < COUNT_OF(names); i++)
    put_empty(&f, names[i]);
  cr_assert_eq(osdear__listing_read(f.store, 0, &listing, NULL), OSDEAR_OK);
  cr_assert_eq(listing.checkpoint_count, 5);
  for (int64_t i = 0; i < 3; i++) {
    cr_assert_eq(listing.checkpoints[i].form, CHECKPOINT_MULTI_PART);
    cr_assert_eq(listing.checkpoints[i].part, i + 1);
    cr_assert_eq(listing.checkpoints[i].part_count, 3);
  }
  cr_assert_eq(listing.checkpoints[3].form, CHECKPOINT_CLASSIC);
  cr_assert_eq(listing.checkpoints[4].form, CHECKPOINT_V2);
  cr_assert_eq(osdear__listing_newest(&listing), 3);
  fixture_close(&f);
}

/* A store whose first listing was overtaken by a writer: it passes over one file. */
typedef struct overtaken {
  osdear__store store;
  osdear__store *of;
  const char *passed_over;
  int listings;
  osdear__store_visit *visit;
  void *argument;
} overtaken;

static osdear_status visit_but_one(void *argument, const osdear__store_item *item, osdear_error **error)
{
  overtaken *o = argument;

  return o->listings == 1 && strcmp(item->path, o->passed_over) == 0 ? OSDEAR_OK : (*o->visit)(o->argument, item, error);
}

static osdear_status overtaken_list(osdear__store *store, const char *prefix, const char *start_after, bool recursive,
                                    osdear__store_visit visit, void *argument, osdear_error **error)
{
  overtaken *o = (overtaken *)store;

  o->listings++;
  o->visit = &visit;
  o->argument = argument;
  return osdear__store_list(o->of, prefix, start_after, recursive, visit_but_one, o, error);
}

static void expect_listings(fixture *f, int64_t from, const char *passed_over, size_t commits, int listings)
{
  static const osdear__store_backend backend = { .scheme = "overtaken", .list = overtaken_list };
  overtaken o = { .store = { .backend = &backend, .uri = f->uri }, .of = f->store, .passed_over = passed_over };
  SCOPED(listing) listing = { 0 };

  cr_assert_eq(osdear__listing_read(&o.store, from, &listing, NULL), OSDEAR_OK);
  cr_expect_eq(listing.commit_count, commits, "%zu commits", listing.commit_count);
  cr_expect_eq(o.listings, listings, "%d listings", o.listings);
}

Test(log, a_listing_that_a_writer_overtook_is_made_again)
{
  fixture f = fixture_open("log-overtaken");

  for (int64_t version = 0; version < 5; version++)
    fixture_commit(&f, version, "");
  expect_listings(&f, 0, "nothing", 5, 1);
  expect_listings(&f, 0, "_delta_log/00000000000000000000.json", 5, 2);
  expect_listings(&f, 0, "_delta_log/00000000000000000003.json", 5, 2);
  expect_listings(&f, 0, "_delta_log/00000000000000000004.json", 4, 1); /* as if it had been made a moment earlier */
  expect_listings(&f, 2, "nothing", 3, 1);
  expect_listings(&f, 2, "_delta_log/00000000000000000003.json", 3, 2);
  put_empty(&f, "00000000000000000003.checkpoint.parquet");
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000000.json", NULL), OSDEAR_OK);
  expect_listings(&f, 0, "nothing", 4, 1); /* cleaned up, not passed over */
  cr_assert_eq(osdear__store_delete(f.store, "_delta_log/00000000000000000002.json", NULL), OSDEAR_OK);
  expect_listings(&f, 0, "nothing", 3, 2); /* the log's own gap */
  fixture_close(&f);
}

Test(log, the_hint_is_never_an_error)
{
  static const struct {
    const char *text;
    int64_t version;
  } hints[] = {
    { "{\"version\":7,\"size\":3}", 7 },
    { "{\"version\":7", -1 },
    { "", -1 },
    { "{\"version\":-7}", -1 },
    { "{\"version\":7,\"checksum\":\"3a2b\"}", -1 },
    { "{\"version\":7,\"size\":1,\"size\":1,\"checksum\":\"0\"}", -1 },
    { "{\"version\":7,\"checksum\":\"45790853C735991cd1619c5575ffc363\"}", 7 },
    { "{\"version\":\"7\"}", -1 },
    { "[7]", -1 },
    { "{}", -1 },
    { "{\"version\":9223372036854775807}", -1 }, /* none could come after it */
    { "{\"version\":99999999999999999999}", -1 },
  };
  fixture f = fixture_open("log-hint");
  int64_t version = 0;

  cr_assert_eq(osdear__last_checkpoint(f.store, &version, NULL), OSDEAR_OK);
  cr_assert_eq(version, -1);
  for (size_t i = 0; i < COUNT_OF(hints); i++) {
    fixture_put(&f, "_delta_log/_last_checkpoint", hints[i].text);
    cr_assert_eq(osdear__last_checkpoint(f.store, &version, NULL), OSDEAR_OK);
    cr_assert_eq(version, hints[i].version, "%s", hints[i].text);
  }
  fixture_close(&f);
}

Test(log, a_segment_has_no_gaps)
{
  osdear__commit_file commits[] = { { 4, 4, 10, 0 }, { 5, 5, 10, 0 }, { 6, 6, 10, 0 }, { 8, 8, 10, 0 } };
  osdear__listing listing = { .commits = commits, .commit_count = 4 };
  osdear__segment segment = { 0 };
  osdear_error *error = NULL;

  cr_assert_eq(osdear__segment_new(&listing, 4, 6, true, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.commit_count, 2);
  cr_assert_eq(segment.commits[0].version, 5);
  osdear__segment_drop(&segment);
  cr_assert_eq(osdear__segment_new(&listing, 4, 4, true, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.commit_count, 0);
  osdear__segment_drop(&segment);
  cr_assert_eq(osdear__segment_new(&listing, 4, 8, true, "t", &segment, &error), OSDEAR_ERR_CORRUPT);
  cr_assert_str_eq(osdear_error_message(error), "t: commit 7 is missing from _delta_log, though 8 is there");
  cr_assert_eq(osdear__segment_new(&listing, -1, 5, true, "t", &segment, &error), OSDEAR_ERR_CORRUPT);
  cr_assert_eq(osdear__segment_new(&listing, 4, 9, true, "t", &segment, &error), OSDEAR_ERR_CORRUPT);
  osdear_error_free(error);
}

/* The widest first, none past the version that is wanted, and none that starts before the checkpoint ends. */
Test(log, compactions_stand_for_commits)
{
  osdear__commit_file commits[] = { { 0, 0, 10, 0 }, { 1, 1, 10, 0 }, { 2, 2, 10, 0 },
                                    { 3, 3, 10, 0 }, { 4, 4, 10, 0 }, { 5, 5, 10, 7 } };
  osdear__commit_file compacted[] = { { 2, 0, 5, 0 }, { 2, 1, 5, 0 }, { 3, 1, 5, 0 }, { 5, 4, 5, 0 }, { 9, 4, 5, 0 } };
  osdear__listing listing = { .commits = commits, .commit_count = 6, .compacted = compacted, .compacted_count = 5 };
  osdear__segment segment = { 0 };

  cr_assert_eq(osdear__segment_new(&listing, -1, 5, true, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.commit_count, 3); /* 0..2, 3, 4..5 */
  cr_assert_eq(segment.commits[0].version, 2);
  cr_assert_eq(segment.commits[1].first_version, 3);
  cr_assert_eq(segment.commits[2].first_version, 4);
  cr_assert_eq(segment.newest.modified_ms, 7);
  osdear__segment_drop(&segment);
  cr_assert_eq(osdear__segment_new(&listing, 0, 4, true, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.commit_count, 2); /* 1..3, 4 */
  cr_assert_eq(segment.commits[0].version, 3);
  osdear__segment_drop(&segment);
  cr_assert_eq(osdear__segment_new(&listing, -1, 5, false, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.commit_count, 6);
  osdear__segment_drop(&segment);
  listing.commit_count = 1; /* the others are gone */
  cr_assert_eq(osdear__segment_new(&listing, 0, 3, true, "t", &segment, NULL), OSDEAR_OK);
  cr_assert_eq(segment.newest.size_bytes, -1);
  osdear__segment_drop(&segment);
  cr_assert_eq(osdear__segment_new(&listing, 0, 3, false, "t", &segment, NULL), OSDEAR_ERR_CORRUPT);
}

Test(log, times_are_made_to_ascend)
{
  osdear__commit_file commits[] = { { 0, 0, 1, 100 }, { 1, 1, 1, 90 }, { 2, 2, 1, 101 }, { 3, 3, 1, 200 } };
  osdear__listing listing = { .commits = commits, .commit_count = 4 };
  int64_t *times = NULL;

  cr_assert_eq(osdear__commit_times(&listing, &times, NULL), OSDEAR_OK);
  cr_assert_eq(times[0], 100);
  cr_assert_eq(times[1], 101);
  cr_assert_eq(times[2], 102);
  cr_assert_eq(times[3], 200);
  osdear__free(times);
}

Test(log, a_commit_is_taken_in_pieces_of_whole_lines)
{
  SCOPED(buf) text = { 0 };
  AUTO(log_text) commit = NULL;
  osdear__str piece;
  fixture f = fixture_open("log-pieces");
  size_t total = 0;
  int64_t line, lines = 0;
  int pieces = 0;

  for (int i = 0; i < 90000; i++)
    osdear__buf_printf(&text, "{\"i\":%d,\"filler\":\"%*s\"}%s", i, 100, "", i < 89999 ? "\n" : "");
  fixture_commit(&f, 0, text.data);
  cr_assert_eq(osdear__log_text_open(f.store, "_delta_log/00000000000000000000.json", -1, &commit, NULL), OSDEAR_OK);
  for (;;) {
    cr_assert_eq(osdear__log_text_next(commit, &piece, &line, NULL), OSDEAR_OK);
    if (!piece.size)
      break;
    cr_assert_eq(line, lines + 1);
    cr_assert_eq(memcmp(piece.data, text.data + total, piece.size), 0);
    total += piece.size;
    for (size_t i = 0; i < piece.size; i++)
      lines += piece.data[i] == '\n';
    pieces++;
  }
  cr_assert_eq(total, text.size);
  cr_assert_gt(pieces, 2);
  fixture_close(&f);
}

Test(log, a_byte_order_mark_is_passed_over)
{
  SCOPED(commit) commit = { 0 };
  AUTO(json_parser) parser = NULL;
  fixture f = fixture_open("log-mark");

  fixture_commit(&f, 0, "\xef\xbb\xbf" PROTOCOL_LINE ADD_LINE("a"));
  fixture_commit(&f, 1, "\xef\xbb\xbf");
  fixture_commit(&f, 2, ADD_LINE("a") "\xef\xbb\xbf" ADD_LINE("b"));
  cr_assert_eq(osdear__commit_read(f.store, 0, COMMIT_FILES | COMMIT_TABLE, &parser, &commit, NULL), OSDEAR_OK);
  cr_assert(commit.protocol && commit.add_count == 1);
  osdear__commit_drop(&commit);
  cr_assert_eq(osdear__commit_read(f.store, 1, COMMIT_FILES, &parser, &commit, NULL), OSDEAR_OK);
  cr_assert_eq(commit.add_count, 0);
  osdear__commit_drop(&commit);
  cr_assert_eq(osdear__commit_read(f.store, 2, COMMIT_FILES, &parser, &commit, NULL), OSDEAR_ERR_CORRUPT);
  fixture_close(&f);
}

Test(log, a_commit_is_gathered)
{
  SCOPED(commit) commit = { 0 };
  AUTO(json_parser) parser = NULL;
  fixture f = fixture_open("log-gather");

  fixture_commit(
      &f, 3,
      "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n" PROTOCOL_LINE METADATA_LINE ADD_LINE("a") ADD_LINE("b") REMOVE_LINE(
          "c") "{\"txn\":{\"appId\":\"x\",\"version\":4}}\n{\"domainMetadata\":{\"domain\":\"d\",\"configuration\":\"\",\"removed\":true}}\n");
  cr_assert_eq(osdear__commit_read(f.store, 3, COMMIT_FILES | COMMIT_TABLE | COMMIT_INFO, &parser, &commit, NULL), OSDEAR_OK);
  cr_assert_eq(commit.version, 3);
  cr_assert_eq(commit.add_count, 2);
  cr_assert_eq(commit.remove_count, 1);
  cr_assert_eq(commit.protocol->min_writer, 2);
  cr_assert_eq(commit.metadata->schema.field_count, 2);
  cr_assert_eq(commit.txns[0].version, 4);
  cr_assert(commit.domains[0].removed);
  cr_assert_str_eq(osdear__json_get(commit.info, "operation")->text.data, "WRITE");
  osdear__commit_drop(&commit);
  cr_assert_eq(osdear__commit_read(f.store, 9, COMMIT_FILES, &parser, &commit, NULL), OSDEAR_ERR_NOT_FOUND);
  fixture_close(&f);
}

Test(log, of_two_protocols_and_two_metadata_in_a_commit_the_later_count)
{
  osdear__commit commit;
  AUTO(json_parser) parser = NULL;
  fixture f = fixture_open("log-double");
  osdear_snapshot *snapshot;

  fixture_commit(
      &f, 0,
      "{\"protocol\":{\"minReaderVersion\":2,\"minWriterVersion\":5}}\n{\"metaData\":{\"id\":\"first\",\"schemaString\":"
      "\"{\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[]}}\n" PROTOCOL_LINE METADATA_LINE);
  cr_assert_eq(osdear__commit_read(f.store, 0, COMMIT_TABLE, &parser, &commit, NULL), OSDEAR_OK);
  cr_assert_eq(commit.protocol->min_reader, 1);
  cr_assert_str_neq(commit.metadata->id, "first");
  osdear__commit_drop(&commit);
  snapshot = fixture_load(&f, -1);
  cr_assert_eq(snapshot->protocol.min_reader, 1);
  cr_assert_str_neq(snapshot->metadata.id, "first");
  osdear_snapshot_unref(snapshot);
  fixture_close(&f);
}
