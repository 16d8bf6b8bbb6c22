#include "lake.h"

static osdear_status append_as(lake *here, osdear_table *table, const char *app_id, int64_t version, osdear_write_result *result,
                               osdear_error **error)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;

  options.app_id = app_id;
  options.app_version = version;
  return lake_append(here, table, "[{\"id\":1}]", &options, result, error);
}

Test(idempotence, a_version_is_written_once)
{
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL, *other = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, "delta.checkpointInterval=3", &table, WHY));
  OK(osdear_table_open(here.context, here.folder, NULL, &other, WHY));
  OK(append_as(&here, table, "job", 7, &result, WHY));
  cr_assert_eq(result.was_done, 0);
  cr_assert(strstr(lake_commit(&here, 1), "{\"txn\":{\"appId\":\"job\",\"version\":7,\"lastUpdated\":"));
  OK(append_as(&here, table, "job", 7, &result, WHY));
  cr_assert_eq(result.was_done, 1);
  cr_assert_eq(result.version, 1);
  cr_assert_eq(result.rows, 0);
  OK(append_as(&here, other, "job", 6, &result, WHY)); /* a handle that has not seen it yet */
  cr_assert_eq(result.was_done, 1);
  OK(append_as(&here, table, "other", 7, &result, WHY));
  cr_assert_eq(result.was_done, 0);
  OK(append_as(&here, table, "job", 8, &result, WHY)); /* version 3: a checkpoint */
  cr_assert_eq(result.version, 3);
  osdear_table_free(other);
  OK(osdear_table_open(here.context, here.folder, NULL, &other, WHY));
  OK(append_as(&here, other, "job", 8, &result, WHY));
  cr_assert_eq(result.was_done, 1, "known from the checkpoint");
  cr_assert_eq(lake_count(lake_read(&here), "\n"), 3);
  cr_assert_eq(lake_data_files(&here), 3);
  osdear_table_free(table);
  osdear_table_free(other);
  lake_close(&here);
}

Test(idempotence, a_write_without_rows_is_recorded_too)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_write_result result = OSDEAR_WRITE_RESULT_INIT;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  options.app_id = "job";
  OK(lake_append(&here, table, "[]", &options, &result, WHY));
  cr_assert_eq(result.version, 1);
  OK(lake_append(&here, table, "[{\"id\":1}]", &options, &result, WHY));
  cr_assert_eq(result.was_done, 1);
  osdear_table_free(table);
  lake_close(&here);
}

Test(idempotence, what_the_user_says_is_kept)
{
  osdear_write_options options = OSDEAR_WRITE_OPTIONS_INIT;
  osdear_table *table = NULL;
  lake here;

  lake_open(&here);
  OK(lake_create(&here, "id long", NULL, NULL, &table, WHY));
  options.user_metadata = "run \"7\"";
  OK(lake_append(&here, table, "[{\"id\":1}]", &options, NULL, WHY));
  cr_assert(strstr(lake_commit(&here, 1), "\"userMetadata\":\"run \\\"7\\\"\""));
  options.user_metadata = "\xff";
  FAILS(lake_append(&here, table, "[{\"id\":1}]", &options, NULL, WHY), OSDEAR_ERR_ARGUMENT, "UTF-8");
  osdear_table_free(table);
  lake_close(&here);
}
