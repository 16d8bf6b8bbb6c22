#include "bodies.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#define NEW_ROWS 5

static osdear_status create_table(fault_fixture *fixture, osdear_error **error)
{
  osdear_table *table = NULL;
  struct ArrowSchema schema;
  osdear_status status;

  rows_schema(&schema);
  status = osdear_table_create(fixture->context, fixture->table_uri, &schema, NULL, &table, error);
  cr_assert_eq(status == OSDEAR_OK, table != NULL);
  schema.release(&schema);
  osdear_table_free(table);
  return status;
}

/* Either there is a table, or there is none and one can be created. */
static void check_created(fault_fixture *fixture, osdear_status status)
{
  osdear_error *error = NULL;
  osdear_status again = status == OSDEAR_OK ? OSDEAR_OK : create_table(fixture, &error);

  cr_assert(again == OSDEAR_OK || again == OSDEAR_ERR_EXISTS, "%s: %s", fixture->fault, osdear_error_message(error));
  osdear_error_free(error);
  expect_table(fixture, 0);
}
BODY(osdear_table_create, .prepare = prepare_context, .run = create_table, .check = check_created, .changes_state = 1)

static osdear_status append(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream rows;
  osdear_status status;

  rows_stream(100, NEW_ROWS, 3, &rows);
  status = osdear_table_append(fixture->table, &rows, NULL, NULL, error);
  cr_assert_null(rows.release, "the rows were not consumed");
  return status;
}

/* Where the log's folder cannot be brought to disk the commit can be seen, but might not outlast a loss of power: that is an error, too. */
static bool is_committed(fault_fixture *fixture, osdear_status status, int64_t rows)
{
  return status == OSDEAR_OK || (status == OSDEAR_ERR_IO && table_rows(fixture) == rows);
}

static void check_appended(fault_fixture *fixture, osdear_status status)
{
  expect_table(fixture, is_committed(fixture, status, BEFORE_ROWS + NEW_ROWS) ? BEFORE_ROWS + NEW_ROWS : BEFORE_ROWS);
}
BODY(osdear_table_append, .prepare = prepare_table, .run = append, .check = check_appended, .changes_state = 1)

static osdear_status overwrite(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream rows;
  osdear_status status;

  rows_stream(100, NEW_ROWS, 3, &rows);
  status = osdear_table_overwrite(fixture->table, &rows, NULL, NULL, error);
  cr_assert_null(rows.release, "the rows were not consumed");
  return status;
}

static void check_overwritten(fault_fixture *fixture, osdear_status status)
{
  expect_table(fixture, is_committed(fixture, status, NEW_ROWS) ? NEW_ROWS : BEFORE_ROWS);
}
BODY(osdear_table_overwrite, .prepare = prepare_table, .run = overwrite, .check = check_overwritten, .changes_state = 1)

static void check_unchanged(fault_fixture *fixture, osdear_status status)
{
  (void)status;
  expect_table(fixture, BEFORE_ROWS);
}

static osdear_status write_checkpoint(fault_fixture *fixture, osdear_error **error)
{
  return osdear_table_checkpoint(fixture->table, error);
}
BODY(osdear_table_checkpoint, .prepare = prepare_table, .run = write_checkpoint, .check = check_unchanged, .changes_state = 1)

/* Of the version that prepare_table() leaves. */
static void checkpoint_path(const fault_fixture *fixture, char path[256])
{
  snprintf(path, 256, "%s/_delta_log/00000000000000000001.checkpoint.parquet", fixture->table_uri);
}

static void prepare_damaged(fault_fixture *fixture)
{
  char path[256];
  FILE *file;

  prepare_table(fixture);
  checkpoint_path(fixture, path);
  file = fopen(path, "wx");
  cr_assert_not_null(file, "%s", path);
  fputs("PAR1 and no more", file);
  fclose(file);
}
BODY_OF_WAY(osdear_table_checkpoint, damaged, .prepare = prepare_damaged, .run = write_checkpoint, .check = check_unchanged,
            .changes_state = 1)

static ino_t sound_inode;

static ino_t checkpoint_inode(const fault_fixture *fixture)
{
  struct stat status;
  char path[256];

  checkpoint_path(fixture, path);
  cr_assert_eq(stat(path, &status), 0, "%s: the checkpoint is gone", fixture->fault);
  return status.st_ino;
}

static void prepare_sound(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_table(fixture);
  cr_assert_eq(osdear_table_checkpoint(fixture->table, &error), OSDEAR_OK);
  sound_inode = checkpoint_inode(fixture);
}

/* That it could not be read is no reason to remove it. */
static void check_still_there(fault_fixture *fixture, osdear_status status)
{
  check_unchanged(fixture, status);
  cr_assert_eq(checkpoint_inode(fixture), sound_inode, "%s: another checkpoint is there", fixture->fault);
}
BODY_OF_WAY(osdear_table_checkpoint, sound, .prepare = prepare_sound, .run = write_checkpoint, .check = check_still_there,
            .changes_state = 1)

/* A second handle is behind by one commit. */
static void prepare_stale(fault_fixture *fixture)
{
  osdear_table *other = NULL;
  struct ArrowArrayStream rows;
  osdear_error *error = NULL;

  prepare_table(fixture);
  cr_assert_eq(osdear_table_open(fixture->context, fixture->table_uri, NULL, &other, &error), OSDEAR_OK);
  rows_stream(200, NEW_ROWS, 3, &rows);
  cr_assert_eq(osdear_table_append(other, &rows, NULL, NULL, &error), OSDEAR_OK);
  osdear_table_free(other);
}

static osdear_status refresh(fault_fixture *fixture, osdear_error **error)
{
  return osdear_table_refresh(fixture->table, error);
}

static void check_refreshed(fault_fixture *fixture, osdear_status status)
{
  osdear_snapshot *snapshot = osdear_table_snapshot(fixture->table);

  cr_assert_eq(osdear_snapshot_version(snapshot), status == OSDEAR_OK ? 2 : 1);
  osdear_snapshot_unref(snapshot);
}
BODY(osdear_table_refresh, .prepare = prepare_stale, .run = refresh, .check = check_refreshed, .changes_state = 1)

/* Someone else commits between reading and writing: the commit is tried again on top. */
static osdear_status append_stale(fault_fixture *fixture, osdear_error **error)
{
  return append(fixture, error);
}

static void check_both(fault_fixture *fixture, osdear_status status)
{
  osdear_error *error = NULL;

  if (!is_committed(fixture, status, BEFORE_ROWS + NEW_ROWS + NEW_ROWS))
    cr_assert_eq(append(fixture, &error), OSDEAR_OK, "%s", osdear_error_message(error));
  expect_table(fixture, BEFORE_ROWS + NEW_ROWS + NEW_ROWS);
}

Test(fault, a_commit_that_lost_the_race_survives_every_fault, .timeout = 600)
{
  static const fault_body replayed = { "osdear_table_append", prepare_stale, append_stale, check_both, 1 };

  fault_replay(&replayed);
}

static osdear_status begin(fault_fixture *fixture, osdear_error **error)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_transaction *transaction = NULL;
  osdear_status status;

  options.app_id = "loader";
  options.app_version = 3;
  options.user_metadata = "nightly";
  status = osdear_transaction_begin(fixture->table, &options, &transaction, error);
  cr_assert_eq(status == OSDEAR_OK, transaction != NULL);
  osdear_transaction_free(transaction);
  return status;
}
BODY(osdear_transaction_begin, .prepare = prepare_table, .run = begin)

static void prepare_transaction(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_table(fixture);
  cr_assert_eq(osdear_transaction_begin(fixture->table, NULL, &fixture->transaction, &error), OSDEAR_OK);
}

static void drop_transaction(fault_fixture *fixture)
{
  osdear_transaction_free(fixture->transaction);
  fixture->transaction = NULL;
}

static void check_dropped(fault_fixture *fixture, osdear_status status)
{
  drop_transaction(fixture);
  check_unchanged(fixture, status);
}

static osdear_status transaction_append(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream rows;
  osdear_status status;

  rows_stream(100, NEW_ROWS, 3, &rows);
  status = osdear_transaction_append(fixture->transaction, &rows, error);
  cr_assert_null(rows.release, "the rows were not consumed");
  return status;
}
BODY(osdear_transaction_append, .prepare = prepare_transaction, .run = transaction_append, .check = check_dropped,
     .changes_state = 1)

static osdear_status transaction_overwrite(fault_fixture *fixture, osdear_error **error)
{
  struct ArrowArrayStream rows;
  osdear_status status;

  rows_stream(100, NEW_ROWS, 3, &rows);
  status = osdear_transaction_overwrite(fixture->transaction, &rows, error);
  cr_assert_null(rows.release, "the rows were not consumed");
  return status;
}
BODY(osdear_transaction_overwrite, .prepare = prepare_transaction, .run = transaction_overwrite, .check = check_dropped,
     .changes_state = 1)

static void prepare_commit(fault_fixture *fixture)
{
  osdear_error *error = NULL;

  prepare_transaction(fixture);
  cr_assert_eq(transaction_append(fixture, &error), OSDEAR_OK);
}

static osdear_status commit(fault_fixture *fixture, osdear_error **error)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_status status = osdear_transaction_commit(fixture->transaction, &result, error);

  if (status == OSDEAR_OK)
    cr_assert_eq(result.rows, NEW_ROWS);
  return status;
}

static void check_committed(fault_fixture *fixture, osdear_status status)
{
  drop_transaction(fixture);
  check_appended(fixture, status);
}
BODY(osdear_transaction_commit, .prepare = prepare_commit, .run = commit, .check = check_committed, .changes_state = 1)
