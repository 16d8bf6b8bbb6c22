#include "lake.h"

#include <delta/write.h>

/* Two handles that have seen the same state: what the second does meets what the first did. */
typedef struct pair {
  lake here;
  osdear_table *first, *second;
} pair;

static void start(pair *self, const char *properties)
{
  lake_open(&self->here);
  OK(lake_create(&self->here, "id long, p int", "p", properties, &self->first, WHY));
  OK(lake_append(&self->here, self->first, "[{\"id\":1,\"p\":1},{\"id\":2,\"p\":2}]", NULL, NULL, WHY));
  OK(osdear_table_open(self->here.context, self->here.folder, NULL, &self->second, WHY));
}

static void end(pair *self)
{
  osdear_table_free(self->first);
  osdear_table_free(self->second);
  lake_close(&self->here);
}

/* Begins in the second handle, lets `meanwhile` happen in the first, then commits. */
typedef void (*meanwhile)(pair *self);

static osdear_status late(pair *self, bool overwrite, const char *where, bool dynamic, const char *app_id, const char *rows,
                          meanwhile act, osdear_write_result *result, osdear_error **error)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  osdear_status st;

  options.where = where;
  options.dynamic_partitions = dynamic;
  options.app_id = app_id;
  options.app_version = 5;
  OK(osdear_transaction_begin(self->second, &options, &transaction, WHY));
  lake_rows(&self->here, lake_type(&self->here, "id long, p int"), rows, &stream);
  st = overwrite ? osdear_transaction_overwrite(transaction, &stream, error)
                 : osdear_transaction_append(transaction, &stream, error);
  act(self);
  if (!st)
    st = osdear_transaction_commit(transaction, result, error);
  osdear_transaction_free(transaction);
  return st;
}

static void append_to_1(pair *self)
{
  OK(lake_append(&self->here, self->first, "[{\"id\":3,\"p\":1}]", NULL, NULL, WHY));
}

static void append_to_2(pair *self)
{
  OK(lake_append(&self->here, self->first, "[{\"id\":3,\"p\":2}]", NULL, NULL, WHY));
}

static void overwrite_1(pair *self)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;

  options.where = "p = 1";
  OK(lake_overwrite(&self->here, self->first, "[]", &options, NULL, WHY));
}

static void put_commit(pair *self, int64_t version, const char *text)
{
  char path[OSDEAR__LOG_PATH];

  osdear__log_commit_path(version, path);
  OK(osdear__store_put_if_absent(self->here.store, path, text, strlen(text), WHY));
}

static void change_metadata(pair *self)
{
  const char *commit = lake_commit(&self->here, 0);
  const char *line = strstr(commit, "{\"metaData\"");

  put_commit(self, 2, line);
}

static void change_protocol(pair *self)
{
  put_commit(
      self, 2,
      "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"appendOnly\",\"invariants\",\"domainMetadata\"]}}\n");
}

static void need_more(pair *self)
{
  put_commit(self, 2, "{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":7,\"writerFeatures\":[\"martian\"]}}\n");
}

static void record_app_4(pair *self)
{
  put_commit(self, 2, "{\"txn\":{\"appId\":\"app\",\"version\":4}}\n");
}

static void record_app_5(pair *self)
{
  put_commit(self, 2, "{\"txn\":{\"appId\":\"app\",\"version\":5}}\n");
}

static void optimize(pair *self)
{
  put_commit(
      self, 2,
      "{\"commitInfo\":{\"isBlindAppend\":false}}\n{\"add\":{\"path\":\"p=1/x\",\"partitionValues\":{\"p\":\"1\"},\"size\":1,"
      "\"modificationTime\":1,\"dataChange\":false}}\n");
}

Test(conflict, appends_do_not_meet)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  pair both;

  start(&both, NULL);
  OK(late(&both, false, NULL, false, NULL, "[{\"id\":9,\"p\":1}]", append_to_1, &result, WHY));
  cr_assert_eq(result.version, 3);
  cr_assert_eq(result.attempts, 2);
  cr_assert(strstr(lake_commit(&both.here, 3), "\"readVersion\":1"));
  cr_assert_eq(lake_count(lake_read(&both.here), "\n"), 4);
  end(&both);
}

Test(conflict, an_append_survives_an_overwrite)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  pair both;

  start(&both, NULL);
  OK(late(&both, false, NULL, false, NULL, "[{\"id\":9,\"p\":1}]", overwrite_1, &result, WHY));
  cr_assert_str_eq(lake_read(&both.here), "{\"id\":2,\"p\":2}\n{\"id\":9,\"p\":1}\n");
  end(&both);
}

static void expect_conflict(bool overwrite, const char *where, bool dynamic, const char *app_id, const char *properties,
                            meanwhile act, const char *part)
{
  pair both;
  int files;

  start(&both, properties);
  FAILS(late(&both, overwrite, where, dynamic, app_id, "[{\"id\":9,\"p\":1}]", act, NULL, WHY), OSDEAR_ERR_CONFLICT, part);
  files = lake_data_files(&both.here);
  cr_assert(files == 2 || files == 3, "the loser's files are deleted: %d", files);
  cr_assert_null(strstr(lake_commit(&both.here, 3), "commitInfo"));
  OK(osdear_table_refresh(both.second, WHY));
  end(&both);
}

static void expect_success(bool overwrite, const char *where, bool dynamic, const char *properties, meanwhile act)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  pair both;

  start(&both, properties);
  OK(late(&both, overwrite, where, dynamic, NULL, "[{\"id\":9,\"p\":1}]", act, &result, WHY));
  cr_assert_eq(result.version, 3);
  end(&both);
}

Test(conflict, an_overwrite_meets_rows_that_came_meanwhile)
{
  expect_conflict(true, NULL, false, NULL, NULL, append_to_2, "ConcurrentAppend");
  expect_conflict(true, "p = 1", false, NULL, NULL, append_to_1, "ConcurrentAppend");
  expect_conflict(true, NULL, true, NULL, NULL, append_to_1, "ConcurrentAppend");
}

Test(conflict, an_overwrite_of_other_partitions_goes_on)
{
  expect_success(true, "p = 1", false, NULL, append_to_2);
  expect_success(true, NULL, true, NULL, append_to_2);
}

Test(conflict, write_serializable_lets_blind_appends_pass)
{
  expect_success(true, NULL, false, "delta.isolationLevel=WriteSerializable", append_to_2);
  expect_conflict(true, NULL, false, NULL, "delta.isolationLevel=WriteSerializable", overwrite_1, "ConcurrentDelete");
  expect_success(true, "p = 1", false, "delta.isolationLevel=WriteSerializable", optimize);
  expect_conflict(true, "p = 1", false, NULL, "delta.isolationLevel=Serializable", optimize, "ConcurrentAppend");
}

Test(conflict, two_writers_cannot_remove_the_same_file)
{
  expect_conflict(true, "p = 1", false, NULL, NULL, overwrite_1, "ConcurrentDeleteDelete");
  expect_conflict(true, NULL, true, NULL, NULL, overwrite_1, "ConcurrentDeleteDelete");
}

Test(conflict, two_writers_may_remove_different_files)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  pair both;

  start(&both, NULL);
  OK(late(&both, true, "p = 2", false, NULL, "[{\"id\":9,\"p\":2}]", overwrite_1, &result, WHY));
  cr_assert_eq(result.version, 3);
  cr_assert_str_eq(lake_read(&both.here), "{\"id\":9,\"p\":2}\n");
  end(&both);
}

Test(conflict, every_writer_meets_a_change_of_the_table)
{
  expect_conflict(false, NULL, false, NULL, NULL, change_metadata, "MetadataChanged");
  expect_conflict(false, NULL, false, NULL, NULL, need_more, "ProtocolChanged");
  expect_success(false, NULL, false, NULL, change_protocol);
}

Test(conflict, a_writer_meets_itself)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  pair both;

  expect_conflict(false, NULL, false, "app", NULL, record_app_4, "ConcurrentTransaction");
  start(&both, NULL);
  OK(late(&both, false, NULL, false, "app", "[{\"id\":9,\"p\":1}]", record_app_5, &result, WHY));
  cr_assert_eq(result.was_done, 1);
  cr_assert_eq(result.version, 2);
  cr_assert_eq(result.rows, 0);
  cr_assert_eq(lake_data_files(&both.here), 2);
  end(&both);
}

Test(conflict, attempts_are_bounded)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  pair both;

  start(&both, NULL);
  options.max_attempts = 1;
  OK(osdear_transaction_begin(both.second, &options, &transaction, WHY));
  lake_rows(&both.here, lake_type(&both.here, "id long"), "[{\"id\":9}]", &stream);
  OK(osdear_transaction_append(transaction, &stream, WHY));
  append_to_1(&both);
  FAILS(osdear_transaction_commit(transaction, NULL, WHY), OSDEAR_ERR_CONFLICT, "max_attempts");
  osdear_transaction_free(transaction);
  end(&both);
}

Test(conflict, a_log_that_was_cleaned_up_is_not_forked)
{
  osdear_transaction *transaction = NULL;
  struct ArrowArrayStream stream;
  pair both;

  start(&both, NULL);
  OK(osdear_transaction_begin(both.second, NULL, &transaction, WHY));
  lake_rows(&both.here, lake_type(&both.here, "id long"), "[{\"id\":9}]", &stream);
  OK(osdear_transaction_append(transaction, &stream, WHY));
  append_to_1(&both);
  append_to_1(&both);
  OK(osdear_table_checkpoint(both.first, WHY));
  for (int64_t version = 0; version < 3; version++) {
    char path[OSDEAR__LOG_PATH];
    osdear__log_commit_path(version, path);
    OK(osdear__store_delete(both.here.store, path, WHY));
  }
  FAILS(osdear_transaction_commit(transaction, NULL, WHY), OSDEAR_ERR_CONFLICT, "gone from the log");
  osdear_transaction_free(transaction);
  cr_assert_eq(lake_count(lake_read(&both.here), "\n"), 4);
  end(&both);
}

/* Proposes an empty commit on top of the newest version. */
static void propose(osdear_snapshot *snapshot, osdear__outcome *out)
{
  osdear__claims claims = { .snapshot = snapshot };
  osdear__proposal proposal = { .claims = &claims, .info = { .operation = "WRITE", .is_blind_append = 1 } };

  OK(osdear__propose(&proposal, out, WHY));
  cr_assert_eq(out->state, COMMIT_MADE);
}

static int64_t ict_of(lake *here, int64_t version)
{
  const char *at = strstr(lake_commit(here, version), "\"inCommitTimestamp\":");
  int64_t out = -1;

  cr_assert_not_null(at);
  cr_assert(osdear__parse_i64((osdear__str){ at + 20, strspn(at + 20, "0123456789") }, &out));
  return out;
}

Test(conflict, in_commit_timestamps_ascend_past_those_of_winners)
{
  static const char late_winner[] = "{\"commitInfo\":{\"inCommitTimestamp\":4102444800000}}\n";
  osdear_snapshot *snapshot;
  osdear__outcome outcome;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, "delta.enableInCommitTimestamps=true", &table, WHY));
  snapshot = osdear_table_snapshot(table);
  propose(snapshot, &outcome);
  propose(snapshot, &outcome); /* loses first */
  cr_assert_eq(outcome.version, 2);
  cr_assert_eq(outcome.attempts, 2);
  cr_assert(ict_of(&here, 0) < ict_of(&here, 1) && ict_of(&here, 1) < ict_of(&here, 2));
  OK(osdear__store_put_if_absent(here.store, "_delta_log/00000000000000000003.json", late_winner, sizeof late_winner - 1, WHY));
  propose(snapshot, &outcome);
  cr_assert_eq(ict_of(&here, 4), INT64_C(4102444800001));
  osdear_snapshot_unref(snapshot);
  osdear_table_free(table);
  lake_close(&here);
}
